//! What the topic of transactions keeps of a transactional id, and how each step changes it.

use std::sync::Arc;

use crate::base::{Span, Time};

use super::super::ids::{Part, ProducerId, Session, TxnId};
use super::state::State;

/// The state of a transactional id as the topic of transactions keeps it: the last one of an id counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TxnRecord {
    /// Whose: the key.
    pub txn: TxnId,
    /// The state. `None`: a tombstone, the id is forgotten.
    pub value: Option<TxnValue>,
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
