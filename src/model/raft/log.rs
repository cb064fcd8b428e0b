//! The log: entries in chunks that copies share, and where each term begins in it.

use std::sync::Arc;

use crate::base::NodeId;

use super::ids::{Offset, Term};

/// Entries in a full chunk.
const CHUNK: usize = 128;

/// What a log carries for its users. A clone should be cheap.
pub trait Weighed: Clone {
    /// Its size on the wire and on disk.
    fn bytes(&self) -> u32;
}

/// What stands in an entry.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Payload<E> {
    /// The first entry of every reign. What earlier reigns left behind is committed together with it.
    LeaderChange {
        /// Who leads now.
        leader: NodeId,
    },
    /// From here on these nodes vote.
    Voters(Arc<[NodeId]>),
    /// What a user of the log put there.
    User(E),
}

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry<E> {
    /// The reign in which it was appended.
    pub term: Term,
    /// What it says.
    pub payload: Payload<E>,
}

/// Bytes of an entry beside what its user put there.
const ENTRY_BYTES: u64 = 24;

impl<E: Weighed> Entry<E> {
    /// Its size on the wire and on disk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        ENTRY_BYTES
            + match &self.payload {
                Payload::LeaderChange { .. } => 4,
                Payload::Voters(voters) => 4 * voters.len() as u64,
                Payload::User(entry) => u64::from(entry.bytes()),
            }
    }
}

/// A log. What lies before its start has been compacted away: of it only the last term is known.
#[derive(Clone, Debug)]
pub struct Log<E> {
    start: Offset,
    /// The term of the entry just before `start`.
    before: Term,
    end: Offset,
    /// The offset of the first entry in `chunks`; at most `start`.
    held_from: Offset,
    /// All but the last are full.
    chunks: Arc<Vec<Arc<Vec<Entry<E>>>>>,
    /// Where each term begins among the entries from `start` on, ascending.
    terms: Arc<Vec<(Term, Offset)>>,
}

impl<E> Default for Log<E> {
    fn default() -> Self {
        Log::starting(Offset::ZERO, Term(0))
    }
}

/// Two logs are equal when they say the same; what of the compacted part is still in memory does not matter.
impl<E: PartialEq> PartialEq for Log<E> {
    fn eq(&self, other: &Log<E>) -> bool {
        let same_place = (self.start, self.before, self.end) == (other.start, other.before, other.end);
        same_place && self.iter_from(self.start).eq(other.iter_from(other.start))
    }
}

impl<E: Eq> Eq for Log<E> {}

impl<E> Log<E> {
    /// An empty log that begins at an offset, behind an entry of a term.
    #[must_use]
    pub fn starting(start: Offset, before: Term) -> Log<E> {
        Log { start, before, end: start, held_from: start, chunks: Arc::default(), terms: Arc::default() }
    }

    /// The first offset that is not compacted away.
    #[must_use]
    pub const fn start(&self) -> Offset {
        self.start
    }

    /// The offset of the next entry.
    #[must_use]
    pub const fn end(&self) -> Offset {
        self.end
    }

    /// The term of the last entry, or of the one before the start.
    #[must_use]
    pub fn last_term(&self) -> Term {
        self.terms.last().map_or(self.before, |(term, _)| *term)
    }

    /// The entry at an offset.
    #[must_use]
    pub fn get(&self, at: Offset) -> Option<&Entry<E>> {
        if at < self.start || at >= self.end {
            return None;
        }
        let index = at.since(self.held_from);
        Some(&self.chunks[index / CHUNK][index % CHUNK])
    }

    /// The term of the entry just before an offset. `None`: compacted away, or beyond the end.
    #[must_use]
    pub fn term_before(&self, at: Offset) -> Option<Term> {
        if at < self.start || at > self.end {
            return None;
        }
        let later = self.terms.partition_point(|(_, first)| *first < at);
        Some(later.checked_sub(1).map_or(self.before, |index| self.terms[index].0))
    }

    /// The largest term of this log that is not above `term`, and where it ends. `None`: all of the log is above it.
    #[must_use]
    pub fn end_of(&self, term: Term) -> Option<(Term, Offset)> {
        let later = self.terms.partition_point(|(known, _)| *known <= term);
        let end = self.terms.get(later).map_or(self.end, |(_, first)| *first);
        match later.checked_sub(1) {
            Some(index) => Some((self.terms[index].0, end)),
            None => (self.before <= term).then_some((self.before, end)),
        }
    }

    /// Where the term of the entry just before `at` begins, or the start of the log.
    #[must_use]
    pub fn start_of_term_before(&self, at: Offset) -> Offset {
        let later = self.terms.partition_point(|(_, first)| *first < at);
        later.checked_sub(1).map_or(self.start, |index| self.terms[index].1)
    }

    /// The entries from an offset on.
    pub fn iter_from(&self, from: Offset) -> impl Iterator<Item = (Offset, &Entry<E>)> {
        let from = from.max(self.start);
        (0..self.end.since(from)).map(move |index| {
            let at = from.plus(index);
            (at, self.get(at).expect("inside the log"))
        })
    }
}

impl<E: Clone> Log<E> {
    /// A copy of the entries from an offset to an end, at most so many.
    #[must_use]
    pub fn copy(&self, from: Offset, to: Offset, most: usize) -> Arc<[Entry<E>]> {
        let count = to.min(self.end).since(from).min(most);
        self.iter_from(from).take(count).map(|(_, entry)| entry.clone()).collect()
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: Entry<E>) {
        if self.last_term() != entry.term || self.start == self.end {
            Arc::make_mut(&mut self.terms).push((entry.term, self.end));
        }
        let chunks = Arc::make_mut(&mut self.chunks);
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < CHUNK => Arc::make_mut(chunk).push(entry),
            Some(_) | None => chunks.push(Arc::new(vec![entry])),
        }
        self.end = self.end.plus(1);
    }

    /// Drops the entries from an offset on. What lies before the start stays.
    pub fn truncate(&mut self, to: Offset) {
        let to = to.max(self.start);
        if to >= self.end {
            return;
        }
        let keep = to.since(self.held_from);
        let chunks = Arc::make_mut(&mut self.chunks);
        chunks.truncate(keep.div_ceil(CHUNK));
        if let Some(last) = chunks.last_mut().filter(|_| !keep.is_multiple_of(CHUNK)) {
            Arc::make_mut(last).truncate(keep % CHUNK);
        }
        Arc::make_mut(&mut self.terms).retain(|(_, first)| *first < to);
        self.end = to;
    }

    /// Compacts everything before an offset away. `term` is that of the entry just before it. Where this log does not have
    /// that entry, nothing of the log is worth keeping, and an empty one begins there.
    pub fn compact(&mut self, to: Offset, term: Term) {
        if to <= self.start {
            return;
        }
        if self.term_before(to) != Some(term) {
            *self = Log::starting(to, term);
            return;
        }
        let terms = Arc::make_mut(&mut self.terms);
        let later = terms.partition_point(|(_, first)| *first <= to);
        if let Some(index) = later.checked_sub(1) {
            terms.drain(..index);
            terms[0].1 = to;
        }
        if to == self.end {
            terms.clear();
        }
        (self.start, self.before) = (to, term);
        let whole = to.since(self.held_from) / CHUNK;
        Arc::make_mut(&mut self.chunks).drain(..whole);
        self.held_from = self.held_from.plus(whole * CHUNK);
    }
}

impl<E: Weighed> Log<E> {
    /// Bytes of the entries from one offset to another.
    #[must_use]
    pub fn bytes(&self, from: Offset, to: Offset) -> u64 {
        let from = from.max(self.start);
        self.iter_from(from).take(to.since(from)).map(|(_, entry)| entry.bytes()).sum()
    }
}
