//! Transactions at their coordinator: the leader of the partition of `__transaction_state` that keeps a transactional id.
//!
//! Every step is appended to that partition and counts when it is on all in-sync replicas. The decision is such a step; only then do
//! markers go to the leaders of the transaction's partitions, again and again until each has answered, also by a new coordinator, which
//! finds the decision in the log.

mod record;
mod state;

use crate::base::{Digest, NodeId, PayloadId, Span, Time};
use crate::record::Mark;

pub use record::{TxnRecord, TxnValue};
pub use state::State;

use super::batch::{Batch, Stored};
use super::broker::{Caller, Env};
use super::ids::{BrokerEpoch, Epoch, Offset, Part, TxnId};
use super::protocol::{TxnReply, TxnRequest};
use super::refusal::Refusal;

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TxnOut {
    /// Answer a request.
    Answer(Caller, TxnReply),
    /// Append to a partition of `__transaction_state` with acks=all, and say what became of it ([`Txns::on_appended`]).
    Append {
        /// The partition.
        home: Part,
        /// What to append.
        batch: Batch,
        /// Its name.
        ticket: u64,
        /// How long the replicas may take.
        timeout: Span,
    },
    /// Send a request to a leader, which may be this broker, and say what became of it ([`Txns::on_markers`]), also when its connection
    /// ends or `request.timeout.ms` is over. There is never more than one under way to a broker.
    Markers {
        /// The leader.
        to: NodeId,
        /// [`TxnRequest::WriteMarkers`].
        request: TxnRequest,
        /// Its name.
        ticket: u64,
    },
    /// Call [`Txns::on_timer`] after this span.
    Timer(Span, TxnTimer),
    /// A rare path was taken.
    Mark(Mark),
    /// What happens, in words.
    Say(Option<PayloadId>, String),
}

/// What a coordinator waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TxnTimer {
    /// Look for transactions that are open for too long.
    Abort,
    /// Look for transactional ids that nobody uses.
    Expire,
    /// Send again what did not arrive.
    Retry,
}

/// All transactional ids that one broker coordinates.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Txns {}

impl Txns {
    /// None.
    #[must_use]
    pub fn new() -> Txns {
        Txns::default()
    }

    /// The broker is registered: producer ids that it gives out from now on are of this registration.
    pub fn on_registered(&mut self, epoch: BrokerEpoch) {}

    /// This broker leads a partition of the topic of transactions from now on: its whole log, in order.
    pub fn load(&mut self, home: Part, epoch: Epoch, log: &mut dyn Iterator<Item = Stored>, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// It no longer does. What waits is answered; what was appended or sent needs no word any more.
    pub fn unload(&mut self, home: Part, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// A request of a producer or leader ([`TxnRequest::WriteMarkers`] is not for the coordinator).
    pub fn on_request(&mut self, caller: Caller, client: NodeId, request: TxnRequest, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// What was appended under a ticket is on all in-sync replicas, or is refused or timed out.
    pub fn on_appended(&mut self, ticket: u64, result: Result<Offset, Refusal>, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// A leader answered what was sent under a ticket, or did not: then any refusal does.
    pub fn on_markers(&mut self, ticket: u64, result: Result<TxnReply, Refusal>, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// Time is up.
    pub fn on_timer(&mut self, timer: TxnTimer, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// The broker's view of the cluster has changed: markers may find their leaders.
    pub fn on_view_changed(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {}

    /// Where a transactional id stands, if this broker coordinates it and it is known.
    #[must_use]
    pub fn state(&self, txn: TxnId) -> Option<&TxnValue> {
        None
    }

    /// Whether every transaction here is complete.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        true
    }

    /// Feeds everything that decides what comes next, times relative to now.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {}
}
