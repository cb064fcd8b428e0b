//! Where the readers of a log are: how each goes on from what it read before, and what it went beyond.

use crate::base::{NodeId, Time};

use super::super::bits::Plane;
use super::super::table::Table;

/// Between which two deliveries a step lies.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::check) enum Stride {
    /// Two successive polls of one node.
    Between,
    /// One poll.
    Within,
    /// The last that the group had polled, and the first of a node to which the log was assigned since.
    Rebalance,
}

impl Stride {
    pub(super) const ALL: [Stride; 3] = [Stride::Between, Stride::Within, Stride::Rebalance];

    pub(super) const fn index(self) -> usize {
        match self {
            Stride::Between => 0,
            Stride::Within => 1,
            Stride::Rebalance => 2,
        }
    }
}

/// A node that reads a log for a group.
#[derive(Clone, Copy, Debug, Default)]
struct Reader {
    last: u32,
    poll: u64,
    /// Whether it has read anything since the log was assigned to it.
    going: bool,
}

/// A step that left something out, with what its witness needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Jump {
    pub(super) stride: Stride,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) node: NodeId,
    pub(super) at: Time,
}

impl Jump {
    const fn leaves_out(&self, offset: u32) -> bool {
        self.from < offset && offset < self.to
    }
}

/// How a reader went on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Step {
    pub(super) stride: Stride,
    /// What it had read last; after a rebalance, what its group had read last.
    pub(super) from: u32,
    pub(super) forward: bool,
}

/// So many jumps are kept with all that is known of them, when it is clear that they left something out, and while it is not.
const KEPT: usize = 16;
const RECENT: usize = 64;

/// One group at one log. What was gone beyond takes a bit an offset: whether there was anything may turn out later.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    readers: Table<Reader>,
    /// One more than the highest that the group polled; 0: nothing yet.
    next: u32,
    /// By stride: what was gone beyond.
    pub(super) passed: [Plane; 3],
    /// By stride: steps forward.
    pub(super) forward: [u64; 3],
    kept: Vec<Jump>,
    recent: Vec<Jump>,
    /// Which of the recent ones gives way next.
    turn: usize,
}

impl Lane {
    /// A node reads the log from now on, or no longer: what it read before is of no account.
    pub(super) fn reassign(&mut self, node: NodeId) {
        self.readers.entry(u64::from(node.0)).going = false;
    }

    /// A node was given what stands at an offset. `None` for the first that the group reads.
    #[inline]
    pub(super) fn step(&mut self, (node, poll): (NodeId, u64), offset: u32) -> Option<Step> {
        let reader = self.readers.entry(u64::from(node.0));
        let was = std::mem::replace(reader, Reader { last: offset, poll, going: true });
        let (stride, from) = match (was.going, was.poll == poll) {
            (true, true) => (Stride::Within, Some(was.last)),
            (true, false) => (Stride::Between, Some(was.last)),
            (false, _) => (Stride::Rebalance, self.next.checked_sub(1)),
        };
        self.next = self.next.max(offset + 1);
        let step = Step { stride, from: from?, forward: offset > from? };
        self.forward[stride.index()] += u64::from(step.forward);
        Some(step)
    }

    /// A step left out what lies between its ends; `certain` when something is known to stand there.
    pub(super) fn jump(&mut self, jump: Jump, certain: bool) {
        let passed = &mut self.passed[jump.stride.index()];
        for offset in jump.from + 1..jump.to {
            passed.insert(offset);
        }
        if certain {
            self.keep(jump);
        } else if self.recent.len() < RECENT {
            self.recent.push(jump);
        } else {
            self.recent[self.turn] = jump;
            self.turn = (self.turn + 1) % RECENT;
        }
    }

    fn keep(&mut self, jump: Jump) {
        if self.kept.len() < KEPT {
            self.kept.push(jump);
        }
    }

    /// It has turned out that something stands at an offset.
    #[inline]
    pub(super) fn learn(&mut self, offset: u32) {
        if self.passed.iter().any(|passed| passed.has(offset)) {
            let found: Vec<Jump> = self.recent.iter().copied().filter(|jump| jump.leaves_out(offset)).collect();
            for jump in found {
                self.recent.retain(|other| *other != jump);
                self.turn = 0;
                self.keep(jump);
            }
        }
    }

    /// The first jump that left out an offset, while it is known.
    pub(super) fn jump_beyond(&self, stride: Stride, offset: u32) -> Option<Jump> {
        let all = self.kept.iter().chain(&self.recent).filter(|jump| jump.stride == stride && jump.leaves_out(offset));
        all.min_by_key(|jump| jump.at).copied()
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        let jumps = (self.kept.capacity() + self.recent.capacity()) * size_of::<Jump>();
        jumps + self.readers.bytes() + self.passed.iter().map(Plane::bytes).sum::<usize>()
    }
}
