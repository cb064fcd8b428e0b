//! What the topic of transactions keeps of a transactional id, and how each step changes it.

use std::hash::Hash;
use std::sync::Arc;

use crate::base::{Digest, Span, Time};

use super::super::batch::{Batch, Content, Outcome};
use super::super::ids::{Part, ProducerId, Session, TxnId};
use super::state::State;

/// The highest epoch. Only a coordinator that shuts a producer out goes so far.
const LAST_EPOCH: u16 = 0x7fff;
/// Bytes of a state besides its partitions, about.
const STATE_BYTES: u32 = 80;
/// Bytes for each partition, about.
const PART_BYTES: u32 = 12;

/// The state of a transactional id as the topic of transactions keeps it: the last one of an id counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TxnRecord {
    /// Whose: the key.
    pub txn: TxnId,
    /// The state. `None`: a tombstone, the id is forgotten.
    pub value: Option<TxnValue>,
}

impl TxnRecord {
    /// As a batch for the topic of transactions.
    #[must_use]
    pub(super) fn into_batch(self) -> Batch {
        let parts = self.value.as_ref().map_or(0, |value| u32::try_from(value.parts.len()).expect("fewer than 2^32 partitions"));
        Batch::internal(Content::Transaction(Arc::new(self)), 1, STATE_BYTES + PART_BYTES * parts)
    }
}

/// Where a transactional id stands.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TxnValue {
    /// Its producer.
    pub session: Session,
    /// The producer id before this one, for retries.
    pub previous: Option<ProducerId>,
    /// The producer id that follows when the transaction is complete, because the epochs of this one are used up (v2).
    pub next: Option<ProducerId>,
    /// `transaction.timeout.ms`.
    pub timeout: Span,
    /// The state.
    pub state: State,
    /// The partitions of the transaction, in order, those of positions included.
    pub parts: Arc<[Part]>,
    /// When the transaction began, by the clock of the coordinator that it had then.
    pub started: Option<Time>,
    /// When this was last changed.
    pub updated: Time,
}

/// A state to come. What is not written goes with it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Step {
    /// The state.
    pub(super) value: TxnValue,
    /// The epoch that its producer had before it got this one, so that a repeated request is known. A new coordinator does not know it.
    pub(super) last_epoch: Option<u16>,
}

/// Whether a producer at this epoch gets a new id for its next one.
pub(super) const fn is_used_up(epoch: u16) -> bool {
    epoch >= LAST_EPOCH - 1
}

/// Whether this epoch is for shutting a producer out, and nobody is given it.
pub(super) const fn is_last(epoch: u16) -> bool {
    epoch >= LAST_EPOCH
}

/// The session after the one given.
///
/// # Panics
/// When there is none.
fn bumped(session: Session) -> Session {
    assert!(session.epoch < LAST_EPOCH, "{session} has no successor");
    Session { epoch: session.epoch + 1, ..session }
}

impl TxnValue {
    /// A transactional id's first producer.
    pub(super) fn first(id: ProducerId, timeout: Span, now: Time) -> Step {
        let session = Session { id, epoch: 0 };
        let parts = Arc::from([]);
        let value = TxnValue { session, previous: None, next: None, timeout, state: State::Empty, parts, started: None, updated: now };
        Step { value, last_epoch: None }
    }

    /// The same with another state.
    ///
    /// # Panics
    /// When that state may not follow. `v2`: an epoch for each transaction.
    fn to(&self, state: State, v2: bool) -> TxnValue {
        assert!(state.may_follow(self.state, v2), "{state:?} after {:?}", self.state);
        TxnValue { state, ..self.clone() }
    }

    /// A producer begins, or goes on after an error, as this session.
    pub(super) fn begin(&self, session: Session, timeout: Span, now: Time) -> TxnValue {
        let previous = Some(self.session.id);
        TxnValue { session, previous, timeout, parts: Arc::from([]), started: None, updated: now, ..self.to(State::Empty, false) }
    }

    /// Its next session, of the same id.
    pub(super) fn next_session(&self) -> Session {
        bumped(self.session)
    }

    /// More partitions are in the transaction, which begins with the first.
    pub(super) fn add(&self, parts: &[Part], now: Time) -> TxnValue {
        let mut all: Vec<Part> = self.parts.iter().chain(parts).copied().collect();
        all.sort_unstable();
        all.dedup();
        let started = if self.state == State::Ongoing { self.started } else { Some(now) };
        TxnValue { parts: all.into(), started, updated: now, ..self.to(State::Ongoing, false) }
    }

    /// Its producer is shut out. `again`: this was tried before, the epoch that was not given to anybody then will do.
    pub(super) fn fence(&self, again: bool) -> TxnValue {
        let session = if again { self.session } else { bumped(self.session) };
        TxnValue { session, ..self.to(State::PrepareEpochFence, false) }
    }

    /// The transaction's end is decided. With `v2` the producer's epoch goes up, unless it was just shut out; `next` is for when that was
    /// the last epoch.
    pub(super) fn decide(&self, outcome: Outcome, v2: bool, next: Option<ProducerId>, now: Time) -> TxnValue {
        let fenced = self.state == State::PrepareEpochFence;
        let session = if v2 && !fenced { bumped(self.session) } else { self.session };
        let started = self.started.or(Some(now));
        TxnValue { session, next, started, updated: now, ..self.to(State::preparing(outcome), v2) }
    }

    /// Every partition has the marker.
    ///
    /// # Panics
    /// When nothing is decided.
    pub(super) fn complete(&self, now: Time) -> TxnValue {
        let outcome = self.state.decided().expect("only what is decided is completed");
        let (session, previous) = match self.next {
            Some(id) => (Session { id, epoch: 0 }, Some(self.session.id)),
            None => (self.session, self.previous),
        };
        let parts = Arc::from([]);
        TxnValue { session, previous, next: None, parts, updated: now, ..self.to(State::complete(outcome), false) }
    }

    /// The session that the producer goes on with after a decision.
    pub(super) fn session_after(&self) -> Session {
        self.next.map_or(self.session, |id| Session { id, epoch: 0 })
    }

    /// Feeds everything, times relative to now.
    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest) {
        (self.session, self.previous, self.next, self.timeout, self.state, &self.parts).hash(digest);
        let since = |at: Time| now.nanos().wrapping_sub(at.nanos());
        digest.words(self.started.map_or(u64::MAX, since), since(self.updated));
    }
}
