//! Requests about transactions: of producers to their coordinator, of leaders to it, and of it to leaders.

use crate::base::Span;

use super::super::batch::Outcome;
use super::super::ids::{Epoch, GroupId, Part, Session, TxnId};
use super::super::refusal::Refusal;

/// A request. Each has its answer in [`TxnReply`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TxnRequest {
    /// Producer → any broker (without `txn`), or its coordinator: who am I? Ends what an earlier process with this `transactional.id`
    /// has left open, and shuts it out.
    InitProducerId {
        /// `transactional.id`. `None`: idempotence alone; any broker gives out an id that nobody has had.
        txn: Option<TxnId>,
        /// `transaction.timeout.ms`.
        timeout: Span,
        /// The producer had this session and wants the next epoch of it (KIP-360). `None`: it begins.
        expected: Option<Session>,
    },
    /// Producer → coordinator: the transaction will write to these. With epochs for each transaction (v2) the leaders say it.
    AddPartitions {
        /// `transactional.id`.
        txn: TxnId,
        /// Who the producer is.
        session: Session,
        /// Where it is about to write.
        parts: Vec<Part>,
    },
    /// Producer → coordinator: positions of this group will be in the transaction. With v2 the group's coordinator says it.
    AddOffsets {
        /// `transactional.id`.
        txn: TxnId,
        /// Who the producer is.
        session: Session,
        /// Whose positions.
        group: GroupId,
    },
    /// Producer → coordinator: commit or abort.
    EndTxn {
        /// `transactional.id`.
        txn: TxnId,
        /// Who the producer is.
        session: Session,
        /// What it wants.
        outcome: Outcome,
    },
    /// Leader → coordinator, before it appends what it holds to be the first batch of a transaction in a partition (KIP-890). Positions
    /// of a group count as a batch in the group's home.
    Verify {
        /// `transactional.id`.
        txn: TxnId,
        /// Whose batch it is.
        session: Session,
        /// The partitions.
        parts: Vec<Part>,
        /// With v2 the partitions are put into the transaction, which begins with the first; otherwise they have to be in it.
        add: bool,
    },
    /// Coordinator → leader: transactions ended; append their markers, with acks=all.
    WriteMarkers {
        /// The markers.
        markers: Vec<EndMarker>,
    },
}

/// One transaction's end for the partitions of one leader.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct EndMarker {
    /// The producer, and the epoch from which on it may write again: with v2, or after the coordinator shut the producer out, one above
    /// the transaction's.
    pub session: Session,
    /// How the transaction ended.
    pub outcome: Outcome,
    /// The coordinator's epoch: a marker of an older coordinator than the log has seen for this producer is refused.
    pub coordinator: Epoch,
    /// Where the marker is to be appended.
    pub parts: Vec<Part>,
}

/// What became of one partition's marker.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct MarkerWritten {
    /// The [`EndMarker::session`] of the marker.
    pub session: Session,
    /// Where.
    pub part: Part,
    /// Whether all in-sync replicas have it, or why not.
    pub result: Result<(), Refusal>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TxnReply {
    /// To [`TxnRequest::InitProducerId`]: the producer's session.
    ProducerId(Result<Session, Refusal>),
    /// To [`TxnRequest::AddPartitions`].
    PartitionsAdded(Result<(), Refusal>),
    /// To [`TxnRequest::AddOffsets`].
    OffsetsAdded(Result<(), Refusal>),
    /// To [`TxnRequest::EndTxn`]: decided. The session for what comes next: with v2 a new one each time, otherwise as before.
    Ended(Result<Session, Refusal>),
    /// To [`TxnRequest::Verify`], for each partition, with the refusals as a producer expects them from a leader.
    Verified(Vec<(Part, Result<(), Refusal>)>),
    /// To [`TxnRequest::WriteMarkers`], for each partition of each marker.
    MarkersWritten(Vec<MarkerWritten>),
}
