//! What the core wants of its host: messages, timers, writes, and what the host's own machine has to know.

use std::sync::Arc;

use crate::base::{NodeId, Span, Time, Words};

use super::ids::{Offset, Term};
use super::log::Entry;
use super::message::Message;
use super::stored::{Record, Snapshot};

/// When something happens, and the one random word that it gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// What the node's clock shows. Only leases look at it.
    pub now: Time,
    /// A random word.
    pub word: u64,
}

impl Moment {
    /// A moment, with a word drawn for it.
    pub fn new(now: Time, words: &mut impl Words) -> Moment {
        Moment { now, word: words.word() }
    }
}

/// What a timer is for. Of each there is at most one at a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TimerKind {
    /// The patience of a node that does not lead.
    Election,
    /// The leader speaks up.
    Beat,
    /// The leader looks whether a majority still hears it.
    Quorum,
    /// A fetch is sent, perhaps again.
    Fetch,
    /// A fetch of this node has waited long enough at the leader.
    Wait(NodeId),
}

/// A timer. Setting one replaces the earlier one of its kind; when the earlier one fires all the same, nothing happens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timer {
    /// What it is for.
    pub kind: TimerKind,
    /// Which one of this kind.
    pub generation: u64,
}

/// How far a sync reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ticket(pub(super) u64);

/// The part that a node plays.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// It knows no leader.
    Unattached,
    /// It follows a leader.
    Follower,
    /// It asks whether an election could be won (KIP-996).
    Prospective,
    /// It stands for election.
    Candidate,
    /// It leads.
    Leader,
    /// It led and stepped down within its term.
    Resigned,
}

/// What the host has to do, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output<E> {
    /// Write this to the disk. The disk must take it: a node whose disk is full has to stop.
    Write(Record<E>),
    /// Begin a sync of everything written so far; then call `synced` or `sync_failed`. There is never a second one meanwhile.
    Sync(Ticket),
    /// Send this. It may be lost, late or doubled.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message<E>,
    },
    /// Set this timer in place of the earlier one of its kind, which may be cancelled.
    Set {
        /// The timer.
        timer: Timer,
        /// When it fires.
        after: Span,
    },
    /// The timer of this kind is no longer wanted. Nothing happens if it fires.
    Cancel(TimerKind),
    /// These entries follow what was committed before: apply them.
    Committed {
        /// The offset of the first.
        first: Offset,
        /// The entries.
        entries: Arc<[Entry<E>]>,
    },
    /// The machine's state is that of this snapshot now, whatever it was. Comes at a start on a disk that has a snapshot, when
    /// one is received, and when the quorum lost what was committed (which it can with [`super::Durability::Written`]).
    Restore(Snapshot<E>),
    /// The node's part, its term or its leader changed.
    Role {
        /// The part it plays now.
        role: Role,
        /// The term.
        term: Term,
        /// Who leads, if known.
        leader: Option<NodeId>,
    },
    /// This leader's first entry is committed: everything that earlier leaders committed has been handed out at this node,
    /// and it may answer for the quorum.
    InCharge {
        /// The term.
        term: Term,
    },
    /// A read may be answered from everything that was handed out so far.
    ReadReady {
        /// The number that the host gave it.
        read: u64,
    },
    /// A read cannot be answered here: this node leads no more.
    ReadRefused {
        /// The number that the host gave it.
        read: u64,
    },
}
