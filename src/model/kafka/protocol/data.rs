//! Requests about logs: produce, fetch, list offsets, metadata.

use std::sync::Arc;

use crate::base::{NodeId, Span};

use super::super::batch::{Batch, Stored};
use super::super::ids::{BrokerEpoch, Epoch, GroupId, Offset, Part, ProducerId, TxnId};
use super::super::refusal::Refusal;
use super::super::view::View;

/// What a producer waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Acks {
    /// Nothing: no answer comes.
    None,
    /// The leader has appended it.
    Leader,
    /// All in-sync replicas have it.
    All,
}

/// Append these, at most one batch for each partition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Produce {
    /// What the producer waits for.
    pub acks: Acks,
    /// How long the leader may wait for replicas.
    pub timeout: Span,
    /// The transactional id, for transactions.
    pub txn: Option<TxnId>,
    /// What to append where.
    pub batches: Vec<(Part, Arc<Batch>)>,
}

impl Produce {
    /// Bytes of its batches.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        self.batches.iter().map(|(_, batch)| batch.bytes + 20).sum()
    }
}

/// What became of one batch.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Produced {
    /// The partition.
    pub part: Part,
    /// The offset of its first record, or why not.
    pub result: Result<Offset, Refusal>,
}

/// What became of a [`Produce`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ProduceReply {
    /// For each of its batches.
    pub results: Vec<Produced>,
}

/// Who fetches.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reader {
    /// A follower: its fetch offsets say how far its own logs go.
    Follower {
        /// Which broker.
        broker: NodeId,
        /// Which registration of it.
        epoch: BrokerEpoch,
    },
    /// A consumer.
    Consumer {
        /// Its group. Kafka does not send it: the laboratory needs it to say for whom retention removed something unread.
        group: GroupId,
        /// `isolation.level = read_committed`.
        committed: bool,
    },
}

/// From where one partition is fetched.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FetchPart {
    /// The partition.
    pub part: Part,
    /// The next offset wanted.
    pub offset: Offset,
    /// The leader epoch that the asker knows. `None`: it does not say (old versions).
    pub epoch: Option<Epoch>,
    /// The epoch of the last batch it has, so that the leader can tell whether logs have diverged. `None`: it does not say.
    pub last_epoch: Option<Epoch>,
}

/// What is there from here on?
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetch {
    /// Who asks.
    pub reader: Reader,
    /// How long to wait for `min_bytes`.
    pub max_wait: Span,
    /// Answer as soon as there is so much.
    pub min_bytes: u32,
    /// At most so much in all (one batch is given in any case).
    pub max_bytes: u32,
    /// At most so much of one partition.
    pub max_part_bytes: u32,
    /// From where.
    pub parts: Vec<FetchPart>,
}

/// What one partition has.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Chunk {
    /// Below it everything is committed.
    pub high_watermark: Offset,
    /// Below it every transaction is decided.
    pub last_stable: Offset,
    /// Where the log begins.
    pub log_start: Offset,
    /// The asker's log has diverged: the leader's last epoch not above the asker's, and where it ended.
    pub diverging: Option<(Epoch, Offset)>,
    /// Ask this replica instead (fetch from followers).
    pub preferred: Option<NodeId>,
    /// Transactions that were aborted and have records from the fetched offset on: the producer, and its first such offset. For readers of
    /// committed records.
    pub aborted: Vec<(ProducerId, Offset)>,
    /// The batches; the first may begin before the offset asked for.
    pub entries: Vec<Stored>,
}

/// One partition of a [`FetchReply`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fetched {
    /// The partition.
    pub part: Part,
    /// What it has, or why nothing is told.
    pub result: Result<Chunk, Refusal>,
}

/// The answer to a [`Fetch`]. As with incremental fetch sessions, partitions without news are left out when others have some.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct FetchReply {
    /// What partitions have.
    pub parts: Vec<Fetched>,
}

impl FetchReply {
    /// Bytes of its batches.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        let of =
            |fetched: &Fetched| fetched.result.as_ref().map_or(0, |chunk| chunk.entries.iter().map(|entry| entry.batch.bytes).sum::<u32>());
        self.parts.iter().map(|fetched| of(fetched) + 40).sum()
    }
}

/// Which end of a log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Seek {
    /// Where it begins.
    Earliest,
    /// Where it ends, for the reader's isolation level.
    Latest,
}

/// Where does a log begin, or end?
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListOffsets {
    /// The partition.
    pub part: Part,
    /// Which end.
    pub seek: Seek,
    /// `isolation.level = read_committed`.
    pub committed: bool,
    /// The leader epoch that the asker knows.
    pub epoch: Option<Epoch>,
}

/// Who coordinates what?
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CoordinatorOf {
    /// A consumer group.
    Group(GroupId),
    /// A transactional id.
    Txn(TxnId),
}

/// What a broker knows of the cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct MetadataReply {
    /// Its view; the answers of one broker share it while nothing changes.
    pub view: Arc<View>,
}
