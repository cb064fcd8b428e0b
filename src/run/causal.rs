//! What brought what about: the happens-before graph of a run's trace, after Lamport.
//!
//! ```
//! use deadletter::base::{NodeId, Tag, Time};
//! use deadletter::record::{Step, TraceEntry};
//! use deadletter::run::causal::{Causality, EventId};
//!
//! let at = |nanos: u64, node: u32, step: Step| TraceEntry { at: Time::from_nanos(nanos), node: NodeId(node), step };
//! let tag = Tag { kind: 0, subject: 17, attempt: 1 };
//! let carried = Step::Carried { to: NodeId(1), tag, resend: 0, at: Time::from_nanos(9), damaged: false, again: None };
//! let trace = [
//!     at(1, 0, Step::Sent { to: NodeId(1), tag, conn: None }),
//!     at(1, 0, carried),
//!     at(2, 1, Step::Fired),
//!     at(9, 1, Step::Received { from: NodeId(0), tag }),
//! ];
//! let causality = Causality::new(&trace);
//! let [sent, _, fired, received] = [0, 1, 2, 3].map(EventId::at);
//! assert!(causality.before(sent, received) && causality.before(fired, received));
//! assert!(causality.concurrent(sent, fired), "neither could know of the other");
//! ```

mod build;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use fixedbitset::FixedBitSet;
use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::base::NodeId;
use crate::record::{Step, TraceEntry, What};

/// An entry of a trace, by its position.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EventId(u32);

impl EventId {
    /// The entry at a position.
    ///
    /// # Panics
    /// When the position does not fit 32 bits.
    #[must_use]
    pub fn at(index: usize) -> EventId {
        EventId(u32::try_from(index).expect("a trace has fewer than 2^32 entries"))
    }
    /// As an index into the trace.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Why one entry comes before another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// Both are at one node, one right after the other.
    Program,
    /// A message: it was sent, carried or lost, received.
    Message,
    /// A fault: it struck, and this came of it.
    Fault,
}

/// The happens-before graph over the entries of a trace.
///
/// Entries that no process could see belong to no node's line: how a transmission fared, and that a fault was declared to act. Edges
/// lead from earlier entries to later ones, so the order of the trace is an order of the graph too.
#[derive(Clone, Debug)]
pub struct Causality<'t> {
    trace: &'t [TraceEntry],
    graph: DiGraph<(), Link>,
    /// For what became of a message: where it was sent.
    sent: Vec<Option<EventId>>,
    /// For what was received: its transmission.
    carried: Vec<Option<EventId>>,
    /// The entry that began the handler, or the moment of a machine, that an entry is part of.
    heads: Vec<EventId>,
}

impl<'t> Causality<'t> {
    /// The graph of a trace, in about the time that it takes to read it.
    #[must_use]
    pub fn new(trace: &'t [TraceEntry]) -> Causality<'t> {
        build::graph(trace)
    }

    /// The entries.
    #[must_use]
    pub const fn trace(&self) -> &'t [TraceEntry] {
        self.trace
    }

    /// An entry.
    #[must_use]
    pub fn entry(&self, event: EventId) -> &'t TraceEntry {
        &self.trace[event.index()]
    }

    /// Where a message was sent: of the entry that says how it fared or that it was received. `None` when the trace does not hold it.
    #[must_use]
    pub fn sent(&self, event: EventId) -> Option<EventId> {
        self.sent[event.index()]
    }

    /// The transmission that brought a message that was received.
    #[must_use]
    pub fn carried(&self, received: EventId) -> Option<EventId> {
        self.carried[received.index()]
    }

    /// What began the handler that an entry is part of: all that a node does at one moment for one reason.
    #[must_use]
    pub fn head(&self, event: EventId) -> EventId {
        self.heads[event.index()]
    }

    /// The direct causes of an entry, each with why, in order.
    #[must_use]
    pub fn causes(&self, event: EventId) -> Vec<(EventId, Link)> {
        let mut causes: Vec<(EventId, Link)> = self
            .graph
            .edges_directed(index(event), Direction::Incoming)
            .map(|edge| (EventId::at(petgraph::visit::EdgeRef::source(&edge).index()), *edge.weight()))
            .collect();
        causes.sort_by_key(|(event, _)| *event);
        causes
    }

    /// Everything that these entries could depend on, they themselves included.
    #[must_use]
    pub fn past(&self, of: &[EventId]) -> Cone {
        self.cone(of, Direction::Incoming)
    }

    /// Everything that could depend on these entries, they themselves included.
    #[must_use]
    pub fn future(&self, of: &[EventId]) -> Cone {
        self.cone(of, Direction::Outgoing)
    }

    fn cone(&self, of: &[EventId], direction: Direction) -> Cone {
        let mut cone = Cone { bits: FixedBitSet::with_capacity(self.trace.len()) };
        let mut open: Vec<EventId> = Vec::new();
        for event in of {
            if !cone.bits.put(event.index()) {
                open.push(*event);
            }
        }
        while let Some(event) = open.pop() {
            for next in self.graph.neighbors_directed(index(event), direction) {
                if !cone.bits.put(next.index()) {
                    open.push(EventId::at(next.index()));
                }
            }
        }
        cone
    }

    /// Whether one entry happens before another: it could have brought it about.
    #[must_use]
    pub fn before(&self, a: EventId, b: EventId) -> bool {
        a != b && self.chain(a, b).is_some()
    }

    /// Whether neither of two entries could know of the other.
    #[must_use]
    pub fn concurrent(&self, a: EventId, b: EventId) -> bool {
        a != b && !self.before(a, b) && !self.before(b, a)
    }

    /// A shortest way from cause to effect, both included; `None` when there is none.
    #[must_use]
    pub fn chain(&self, from: EventId, to: EventId) -> Option<Vec<EventId>> {
        let mut came: BTreeMap<EventId, EventId> = BTreeMap::new();
        let mut open = VecDeque::from([to]);
        // Backward, and never behind where the cause lies: most entries have one or two causes, and many effects.
        while let Some(event) = open.pop_front() {
            if event == from {
                let mut chain = vec![from];
                while let Some(next) = chain.last().and_then(|at| came.get(at)) {
                    chain.push(*next);
                }
                return Some(chain);
            }
            for (cause, _) in self.causes(event) {
                if cause >= from && cause != to && !came.contains_key(&cause) {
                    came.insert(cause, event);
                    open.push_back(cause);
                }
            }
        }
        None
    }

    /// The vector clocks of all entries, in which only certain entries are counted; those of no node's line never are.
    #[must_use]
    pub fn clocks(&self, counted: impl Fn(EventId) -> bool) -> Clocks {
        let nodes = self.trace.iter().map(|e| e.node.index() + 1).max().unwrap_or(0);
        let mut flat = vec![0u32; nodes * self.trace.len()];
        for (at, entry) in self.trace.iter().enumerate() {
            let event = EventId::at(at);
            let (before, rest) = flat.split_at_mut(at * nodes);
            let own = &mut rest[..nodes];
            for cause in self.graph.neighbors_directed(index(event), Direction::Incoming) {
                let theirs = &before[cause.index() * nodes..][..nodes];
                own.iter_mut().zip(theirs).for_each(|(own, theirs)| *own = (*own).max(*theirs));
            }
            if place(entry).is_some() && counted(event) {
                own[entry.node.index()] += 1;
            }
        }
        Clocks { nodes, flat }
    }
}

fn index(event: EventId) -> NodeIndex {
    NodeIndex::new(event.index())
}

/// On which node's line an entry lies; `None`: no process could see it.
#[must_use]
pub const fn place(entry: &TraceEntry) -> Option<NodeId> {
    match entry.step {
        Step::Carried { .. } | Step::Lost { .. } | Step::Recorded(What::Fault { .. } | What::Phase(_)) => None,
        Step::Sent { .. }
        | Step::Recorded(What::Call { .. } | What::End { .. } | What::Note(_) | What::Skipped { .. })
        | Step::Struck { .. }
        | Step::Received { .. }
        | Step::Fired
        | Step::Booted
        | Step::Down { .. }
        | Step::Paused(_)
        | Step::Wrote { .. }
        | Step::Syncing
        | Step::Synced { .. }
        | Step::LostWrites { .. }
        | Step::Disconnected { .. }
        | Step::Said { .. } => Some(entry.node),
    }
}

/// A set of entries: a causal past or future.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cone {
    bits: FixedBitSet,
}

impl Cone {
    /// Whether an entry is in it.
    #[must_use]
    pub fn contains(&self, event: EventId) -> bool {
        self.bits.contains(event.index())
    }
    /// The entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = EventId> + '_ {
        self.bits.ones().map(EventId::at)
    }
}

/// Vector clocks: for each entry, how many counted entries of each node it could know of, its own included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clocks {
    nodes: usize,
    flat: Vec<u32>,
}

impl Clocks {
    /// How many counted entries of a node an entry could know of.
    #[must_use]
    pub fn of(&self, event: EventId, node: NodeId) -> u32 {
        self.flat[event.index() * self.nodes..][..self.nodes].get(node.index()).copied().unwrap_or(0)
    }
    /// The clock of an entry: every node of which it could know something, in order.
    pub fn at(&self, event: EventId) -> impl Iterator<Item = (NodeId, u32)> + '_ {
        let row = &self.flat[event.index() * self.nodes..][..self.nodes];
        row.iter().enumerate().filter(|(_, count)| **count > 0).map(|(node, count)| (NodeId::at(node), *count))
    }
}
