//! What logs are made of: batches of records as producers made them, and markers and positions that brokers write themselves.

use std::sync::Arc;

use crate::base::{KeyId, PayloadId, Time};

use super::group::GroupRecord;
use super::ids::{Epoch, GroupId, Offset, Part, Session};
use super::txn::TxnRecord;

/// Bytes of a batch besides its records [S:kafka DefaultRecordBatch: RECORD_BATCH_OVERHEAD].
pub const BATCH_OVERHEAD: u32 = 61;
/// Bytes of a record besides its value, about: length, attributes, deltas, key.
pub const RECORD_OVERHEAD: u32 = 16;

/// One record.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rec {
    /// What it carries.
    pub payload: PayloadId,
    /// Its key.
    pub key: KeyId,
    /// Size of its value in bytes.
    pub bytes: u32,
    /// How far from the batch's first offset. Compaction leaves holes.
    pub delta: u32,
}

/// Who made a batch, so that the broker knows a repetition and sees a gap.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stamp {
    /// The producer's session.
    pub session: Session,
    /// The number of the batch's first record, counted by producer and partition from 0; the next batch goes on after its last.
    pub sequence: u32,
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// Its records count.
    Commit,
    /// They never happened.
    Abort,
}

/// A group's position in a partition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Position {
    /// Whose.
    pub group: GroupId,
    /// Where.
    pub part: Part,
    /// The next to be read.
    pub offset: Offset,
    /// The epoch of the last record before it, if the reader knows: who begins here can tell whether the log was cut since.
    pub epoch: Option<Epoch>,
}

/// What a batch holds. Each of its items takes one offset.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Content {
    /// Records of a producer.
    Records(Arc<[Rec]>),
    /// The end of a transaction of the batch's producer in this partition.
    Marker {
        /// How it ended.
        outcome: Outcome,
        /// The epoch of the transaction's coordinator.
        coordinator: Epoch,
    },
    /// Positions of groups, in the topic of positions.
    Positions(Arc<[Position]>),
    /// A group's membership, in the topic of positions.
    Group(Arc<GroupRecord>),
    /// The state of a transactional id, in the topic of transactions.
    Transaction(Arc<TxnRecord>),
}

/// A batch: what is appended, replicated and fetched as one.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Batch {
    /// Who made it; `None`: a producer without idempotence, or a broker.
    pub stamp: Option<Stamp>,
    /// Whether it belongs to a transaction that is open until a marker comes.
    pub transactional: bool,
    /// How many offsets it takes; compaction does not change it.
    pub span: u32,
    /// Its size in bytes.
    pub bytes: u32,
    /// What it holds.
    pub content: Content,
}

/// A batch in a log.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Stored {
    /// The offset of its first item.
    pub base: Offset,
    /// The epoch of the leader that appended it.
    pub epoch: Epoch,
    /// When that leader appended it, by its clock.
    pub at: Time,
    /// What was appended.
    pub batch: Arc<Batch>,
}

impl Batch {
    /// Records of a producer, numbered one after the other.
    ///
    /// # Panics
    /// When there are none, or 2^32.
    #[must_use]
    pub fn records(records: Vec<Rec>, stamp: Option<Stamp>, transactional: bool) -> Batch {
        assert!(!records.is_empty(), "a batch holds something");
        let span = u32::try_from(records.len()).expect("fewer than 2^32 records");
        let bytes = records.iter().map(Rec::size).sum::<u32>() + BATCH_OVERHEAD;
        Batch { stamp, transactional, span, bytes, content: Content::Records(records.into()) }
    }

    /// Something that a broker writes, with one offset for each of `span` items.
    #[must_use]
    pub const fn internal(content: Content, span: u32, bytes: u32) -> Batch {
        Batch { stamp: None, transactional: false, span, bytes: bytes + BATCH_OVERHEAD, content }
    }

    /// Its records, if it holds any.
    #[must_use]
    pub fn as_records(&self) -> &[Rec] {
        match &self.content {
            Content::Records(records) => records,
            Content::Marker { .. } | Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => &[],
        }
    }

    /// Whether it is the end of a transaction.
    #[must_use]
    pub const fn is_marker(&self) -> bool {
        matches!(self.content, Content::Marker { .. })
    }
}

impl Rec {
    /// Its size in bytes.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.bytes + RECORD_OVERHEAD
    }
}

impl Stored {
    /// The offset after its last item.
    #[must_use]
    pub fn end(&self) -> Offset {
        self.base + u64::from(self.batch.span)
    }

    /// Its records with their offsets.
    pub fn records(&self) -> impl Iterator<Item = (Offset, &Rec)> {
        self.batch.as_records().iter().map(|record| (self.base + u64::from(record.delta), record))
    }
}
