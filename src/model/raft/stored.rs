//! What a node keeps on its disk, and the writes that lead there.

use std::sync::Arc;

use crate::base::NodeId;
use crate::world::Contents;

use super::ids::{Offset, Term};
use super::log::{Entry, Log, Payload, Weighed};

/// The state of the host's machine at an offset: entries that rebuild it, as in Kafka's metadata snapshots.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Snapshot<E> {
    /// The end of what it stands for.
    pub end: Offset,
    /// The term of the last entry that it stands for.
    pub term: Term,
    /// Who voted there.
    pub voters: Arc<[NodeId]>,
    /// Entries that rebuild the state.
    pub state: Arc<[E]>,
}

impl<E: Weighed> Snapshot<E> {
    /// Its size on the wire and on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        32 + 4 * self.voters.len() as u64 + self.state.iter().map(|entry| u64::from(entry.bytes())).sum::<u64>()
    }
}

/// One write to a node's disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record<E> {
    /// The current term, and whom this node gave its vote in it.
    Term {
        /// The term.
        term: Term,
        /// The vote.
        vote: Option<NodeId>,
    },
    /// Entries at the end of the log.
    Append {
        /// The offset of the first.
        first: Offset,
        /// The entries.
        entries: Arc<[Entry<E>]>,
    },
    /// The entries from an offset on are dropped: another log won.
    Truncate {
        /// The new end.
        to: Offset,
        /// What they took up.
        frees: u64,
    },
    /// A snapshot stands for the front of the log.
    Snapshot {
        /// The snapshot.
        snapshot: Snapshot<E>,
        /// What the entries before it took up.
        frees: u64,
    },
    /// All of it, written anew and put in place of the old by one rename. Written when nobody can know which writes the
    /// disk has: after a failed sync, and at every start.
    Anew(Arc<Stored<E>>),
}

/// The disk of one node: the fold of its records, and all that a restart starts from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored<E> {
    /// The highest term that this node has seen.
    pub term: Term,
    /// Whom it gave its vote in this term.
    pub vote: Option<NodeId>,
    /// What stands for the front of the log.
    pub snapshot: Snapshot<E>,
    /// The log from the snapshot on.
    pub log: Log<E>,
}

impl<E> Stored<E> {
    /// A freshly formatted disk. The first voters are written on all of their disks; a node that is to join a running
    /// quorum, or only watches one, is formatted with the same voters without being among them.
    #[must_use]
    pub fn format(voters: impl IntoIterator<Item = NodeId>) -> Stored<E> {
        let mut voters: Vec<NodeId> = voters.into_iter().collect();
        voters.sort_unstable();
        voters.dedup();
        let snapshot = Snapshot { end: Offset::ZERO, term: Term(0), voters: voters.into(), state: Arc::from(Vec::new()) };
        Stored { term: Term(0), vote: None, snapshot, log: Log::default() }
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.term == Term(0) && self.log.end() == Offset::ZERO
    }
}

impl<E: Weighed> Contents for Stored<E> {
    type Write = Record<E>;

    /// A record that does not fit what is there lost one before it. Entries behind a hole are unreadable, so they are left
    /// out; entries in the middle of the log replace what follows, since they were only ever written behind a truncation.
    fn apply(&mut self, record: Record<E>) {
        match record {
            Record::Term { term, vote } => {
                if term > self.term {
                    (self.term, self.vote) = (term, vote);
                } else if term == self.term {
                    self.vote = self.vote.or(vote);
                }
            }
            Record::Append { first, entries } => {
                if first >= self.log.start() && first <= self.log.end() {
                    self.log.truncate(first);
                    entries.iter().for_each(|entry| self.log.push(entry.clone()));
                }
            }
            Record::Truncate { to, .. } => self.log.truncate(to),
            Record::Snapshot { snapshot, .. } => {
                if snapshot.end > self.snapshot.end {
                    self.log.compact(snapshot.end, snapshot.term);
                    self.snapshot = snapshot;
                }
            }
            Record::Anew(image) => *self = (*image).clone(),
        }
    }

    /// Of a batch of entries the first few may survive; smaller records survive whole or not at all.
    fn torn(record: &Record<E>, word: u64) -> Option<Record<E>> {
        match record {
            Record::Append { first, entries } => {
                let survive = usize::try_from(word % entries.len().max(1) as u64).expect("below a length");
                (survive > 0).then(|| Record::Append { first: *first, entries: entries[..survive].into() })
            }
            Record::Term { .. } | Record::Truncate { .. } | Record::Snapshot { .. } | Record::Anew(_) => None,
        }
    }

    /// Damage is not modelled: every record has a checksum, and a node with a broken one would not start.
    fn flip(&mut self, _: u64) -> bool {
        false
    }

    fn bytes(record: &Record<E>) -> u64 {
        match record {
            Record::Append { entries, .. } => entries.iter().map(Entry::bytes).sum(),
            Record::Snapshot { snapshot, .. } => snapshot.bytes(),
            Record::Term { .. } | Record::Truncate { .. } | Record::Anew(_) => 0,
        }
    }

    fn frees(record: &Record<E>) -> u64 {
        match record {
            Record::Truncate { frees, .. } | Record::Snapshot { frees, .. } => *frees,
            Record::Term { .. } | Record::Append { .. } | Record::Anew(_) => 0,
        }
    }
}

/// Who votes, by the latest word in the log.
pub(super) fn voters_in<E>(snapshot: &Snapshot<E>, log: &Log<E>) -> Vec<(Offset, Arc<[NodeId]>)> {
    let mut found = vec![(snapshot.end, Arc::clone(&snapshot.voters))];
    for (at, entry) in log.iter_from(log.start()) {
        match &entry.payload {
            Payload::Voters(voters) => found.push((at.plus(1), Arc::clone(voters))),
            Payload::LeaderChange { .. } | Payload::User(_) => {}
        }
    }
    found
}
