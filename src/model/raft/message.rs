//! What the nodes of a quorum say to each other.

use std::sync::Arc;

use crate::base::NodeId;

use super::ids::{Offset, Term};
use super::log::{Entry, Weighed};
use super::stored::Snapshot;

/// A message between two nodes of a quorum. All of them carry the sender's term. Each may come late, twice or never.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message<E> {
    /// A candidate asks for a vote (Kafka: `Vote`).
    Vote(Vote),
    /// The answer.
    Voted(Voted),
    /// The leader of a new term makes itself known to a voter that does not fetch (pull; Kafka:
    /// `BeginQuorumEpoch`). To fetch is the answer.
    BeginTerm {
        /// The leader's term.
        term: Term,
    },
    /// A leader steps down on its own accord and names who should follow it (Kafka: `EndQuorumEpoch`).
    EndTerm {
        /// The term that ends.
        term: Term,
        /// Voters, the one with the longest log first.
        successors: Arc<[NodeId]>,
    },
    /// A follower asks for what comes next (pull; Kafka: `Fetch`, and `FetchSnapshot`).
    Fetch(Fetch),
    /// The answer.
    Fetched(Fetched<E>),
    /// The leader hands entries to a follower, or none as a sign of life (push).
    Append(Append<E>),
    /// The leader hands a snapshot to a follower whose next entry is compacted away (push).
    Install {
        /// The leader's term.
        term: Term,
        /// The snapshot.
        snapshot: Snapshot<E>,
    },
    /// The answer to entries or a snapshot (push).
    Appended(Appended),
}

/// A candidate asks for a vote.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Vote {
    /// The candidate's term.
    pub term: Term,
    /// Whether it only asks if it would get the vote.
    pub pre: bool,
    /// The term of its last entry.
    pub last_term: Term,
    /// The end of its log.
    pub end: Offset,
}

/// The answer to a [`Vote`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Voted {
    /// The voter's term.
    pub term: Term,
    /// As in the request.
    pub pre: bool,
    /// Whether the candidate has, or would have, the vote.
    pub granted: bool,
    /// Who leads in the voter's term, if it heard from it lately.
    pub leader: Option<NodeId>,
}

/// A follower asks for what comes next, and thereby says what its disk has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fetch {
    /// The follower's term.
    pub term: Term,
    /// The number of this fetch in its sender's life.
    pub number: u32,
    /// The end of its log.
    pub end: Offset,
    /// The term of its last entry.
    pub last_term: Term,
    /// How far it knows the log to be committed.
    pub committed: Offset,
}

/// The answer to a [`Fetch`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetched<E> {
    /// The answering node's term.
    pub term: Term,
    /// Who leads in it, if known.
    pub leader: Option<NodeId>,
    /// The number of the fetch.
    pub number: u32,
    /// The end of the log that asked.
    pub end: Offset,
    /// The term of the last entry of the log that asked.
    pub last_term: Term,
    /// What was found.
    pub found: Found<E>,
}

/// What a fetch found.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Found<E> {
    /// What comes next, perhaps nothing.
    Entries {
        /// The entries.
        entries: Arc<[Entry<E>]>,
        /// How far the log is committed (the high watermark).
        committed: Offset,
    },
    /// The two logs part earlier: the leader's entries up to `term` end at `end`.
    Diverging {
        /// The largest term in the leader's log that is not above the last one of the log that asked.
        term: Term,
        /// Where it ends.
        end: Offset,
    },
    /// What comes next is compacted away.
    Snapshot(Snapshot<E>),
    /// The asked node does not lead in the term of the one that asked.
    NotLeader,
}

/// The leader hands entries to a follower.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Append<E> {
    /// The leader's term.
    pub term: Term,
    /// The number of the heartbeat that this belongs to.
    pub round: u64,
    /// The offset of the first entry.
    pub first: Offset,
    /// The term of the entry before it.
    pub term_before: Term,
    /// The entries.
    pub entries: Arc<[Entry<E>]>,
    /// How far the leader's log is committed.
    pub committed: Offset,
}

/// The answer to an [`Append`] or a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Appended {
    /// The follower's term.
    pub term: Term,
    /// The number of the heartbeat.
    pub round: u64,
    /// How the logs compare.
    pub fit: Fit,
}

/// How a follower's log compares with what the leader handed it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Fit {
    /// Equal up to here, and durable.
    UpTo(Offset),
    /// The entry before the first one is missing or another: the leader should go on from here.
    Behind(Offset),
}

/// The names of the kinds of messages, in the order of [`Message::kind`].
pub const KINDS: &[&str] = &["vote", "voted", "begin_term", "end_term", "fetch", "fetched", "append", "install", "appended"];

/// Bytes of a message beside entries.
const HEADER_BYTES: u64 = 64;

impl<E> Message<E> {
    /// Its kind: a position in [`KINDS`].
    #[must_use]
    pub const fn kind(&self) -> u16 {
        match self {
            Message::Vote(_) => 0,
            Message::Voted(_) => 1,
            Message::BeginTerm { .. } => 2,
            Message::EndTerm { .. } => 3,
            Message::Fetch(_) => 4,
            Message::Fetched(_) => 5,
            Message::Append(_) => 6,
            Message::Install { .. } => 7,
            Message::Appended(_) => 8,
        }
    }

    /// The sender's term.
    #[must_use]
    pub const fn term(&self) -> Term {
        match self {
            Message::Vote(Vote { term, .. }) | Message::Voted(Voted { term, .. }) => *term,
            Message::BeginTerm { term } | Message::EndTerm { term, .. } | Message::Install { term, .. } => *term,
            Message::Fetch(Fetch { term, .. }) | Message::Fetched(Fetched { term, .. }) => *term,
            Message::Append(Append { term, .. }) | Message::Appended(Appended { term, .. }) => *term,
        }
    }
}

impl<E: Weighed> Message<E> {
    /// Its size on the wire.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let entries = |entries: &[Entry<E>]| entries.iter().map(Entry::bytes).sum::<u64>();
        HEADER_BYTES
            + match self {
                Message::Fetched(Fetched { found: Found::Entries { entries: found, .. }, .. }) => entries(found),
                Message::Fetched(Fetched { found: Found::Snapshot(snapshot), .. }) | Message::Install { snapshot, .. } => snapshot.bytes(),
                Message::Append(append) => entries(&append.entries),
                Message::EndTerm { successors, .. } => 4 * successors.len() as u64,
                Message::Vote(_) | Message::Voted(_) | Message::BeginTerm { .. } | Message::Fetch(_) => 0,
                Message::Fetched(_) | Message::Appended(_) => 0,
            }
    }
}
