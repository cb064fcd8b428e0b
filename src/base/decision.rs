//! Keyed decisions: what befalls a message depends on its name, not on what was drawn before it.

use super::NodeId;
use super::digest::folded;
use super::stream::{SmallStream, Stream, Words, finish};

/// The name of one transmission of a message: who sends what to whom, about which subject, for the how-manieth time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tag {
    /// Index into the protocol's list of message kinds.
    pub kind: u16,
    /// What the message is about (a payload, an operation, a heartbeat number).
    pub subject: u64,
    /// Which attempt this is, from 1.
    pub attempt: u32,
}

/// The independent questions asked about one transmission. Each has its own word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u64)]
pub enum Lane {
    /// Is it lost?
    Loss,
    /// Does it arrive twice?
    Duplicate,
    /// How long does it take?
    Delay,
    /// How much longer, by jitter?
    Jitter,
    /// Is it held back behind later ones?
    Reorder,
    /// Is it damaged, and how?
    Corrupt,
    /// How long does its service take?
    Service,
    /// A choice the protocol makes about the subject.
    Choice,
}

/// The secret of one world, from which all keyed decisions follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorldKey([u64; 4]);

/// An opened tag: ready to answer for each lane.
///
/// ```
/// use deadletter::base::{Lane, NodeId, Tag, WorldKey};
/// let key = WorldKey::new(7);
/// let tag = Tag { kind: 1, subject: 17, attempt: 2 };
/// let first = key.open(NodeId(0), NodeId(1), tag);
/// assert_eq!(first.word(Lane::Loss, 0), key.open(NodeId(0), NodeId(1), tag).word(Lane::Loss, 0));
/// assert_ne!(first.word(Lane::Loss, 0), first.word(Lane::Delay, 0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision(u64);

impl WorldKey {
    /// The key of the world with this seed.
    #[must_use]
    pub fn new(seed: u64) -> WorldKey {
        let mut stream = Stream::named(seed, "decisions", 0);
        WorldKey([stream.word(), stream.word(), stream.word(), stream.word()])
    }

    /// Opens the tag of a transmission from one node to another.
    #[inline]
    #[must_use]
    pub fn open(&self, from: NodeId, to: NodeId, tag: Tag) -> Decision {
        let ends = u64::from(from.0) << 32 | u64::from(to.0);
        let what = u64::from(tag.kind) << 48 ^ u64::from(tag.attempt).rotate_left(16);
        let half = folded(ends ^ self.0[0], tag.subject ^ self.0[1]);
        Decision(folded(half ^ what ^ self.0[2], self.0[3] | 1) ^ half.rotate_left(29))
    }
}

impl Decision {
    /// The word of a lane; `step` tells repeated draws apart (hops of a path, copies, retransmissions).
    #[inline]
    #[must_use]
    pub const fn word(self, lane: Lane, step: u32) -> u64 {
        finish(
            self.0
                .wrapping_add((lane as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                .wrapping_add((step as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)),
        )
    }

    /// A source of further words inside a lane, for laws that draw more than one.
    #[inline]
    #[must_use]
    pub const fn words(self, lane: Lane, step: u32) -> SmallStream {
        SmallStream::from_word(self.word(lane, step))
    }

    /// The opened tag's hash: overrides are found by it.
    #[must_use]
    pub const fn hash(self) -> u64 {
        self.0
    }
}
