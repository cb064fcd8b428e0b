//! The checked configuration of a Kafka system: who there is, and by which rules each works. Fields have the names of Kafka's keys.

use crate::base::{Law, NodeId, ObjectId, Span};
use crate::record::{Object, ObjectKind};

use super::ids::{GroupId, Part, TopicId, TxnId};
use super::mutants::Mutants;
use super::protocol::Acks;

mod places;
mod version;

pub use version::{Control, Mechanisms, Truncation, Version};

/// What is removed from old logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cleanup {
    /// `cleanup.policy` has `delete`.
    pub delete: bool,
    /// `cleanup.policy` has `compact`.
    pub compact: bool,
}

/// A topic. Keys as under `topic.NAME`; `log.*` of the broker are the defaults.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicConfig {
    /// Its name.
    pub name: String,
    /// Its id in the history.
    pub object: ObjectId,
    /// Its first partition; the others follow.
    pub first: Part,
    /// How many partitions it has here: of an internal topic only those that some group or transactional id needs.
    pub partitions: u32,
    /// `replication.factor`.
    pub replication_factor: u32,
    /// `min.insync.replicas`.
    pub min_insync_replicas: u32,
    /// `unclean.leader.election.enable`.
    pub unclean_leader_election: bool,
    /// `cleanup.policy`.
    pub cleanup: Cleanup,
    /// `retention.ms`. `None`: for ever.
    pub retention: Option<Span>,
    /// `retention.bytes`, of one partition. `None`: any.
    pub retention_bytes: Option<u64>,
    /// `segment.bytes`: what is removed is removed by segments.
    pub segment_bytes: u64,
    /// `segment.ms`.
    pub segment: Span,
    /// `flush.messages`: sync after so many records. `None`: the operating system's business.
    pub flush_messages: Option<u64>,
    /// `flush.ms`.
    pub flush: Option<Span>,
    /// `max.message.bytes`.
    pub max_message_bytes: u32,
    /// `min.cleanable.dirty.ratio` in thousandths.
    pub min_cleanable_dirty_ratio: u64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag: Span,
    /// When an administrator creates it (our key). `None`: it is there from the beginning.
    pub created_at: Option<Span>,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a topic is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Purpose {
    /// Messages of clients.
    Messages,
    /// `__consumer_offsets`: positions and membership of groups.
    Positions,
    /// `__transaction_state`.
    Transactions,
}

/// One partition of a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartitionConfig {
    /// The topic.
    pub topic: TopicId,
    /// Its number in the topic.
    pub number: u32,
    /// Its id in the history: an object of kind log. Internal topics have none.
    pub object: Option<ObjectId>,
}

/// Brokers. Fields are Kafka's keys with `.` as `_`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerConfig {
    /// How many (our key).
    pub count: u32,
    /// `broker.rack` by position; empty: none.
    pub racks: Vec<String>,
    /// When a broker is started for the first time, by position (our key). `None`: at the beginning.
    pub joins: Vec<Option<Span>>,
    /// `replica.lag.time.max.ms`.
    pub replica_lag_time_max: Span,
    /// `replica.fetch.wait.max.ms`.
    pub replica_fetch_wait_max: Span,
    /// `replica.fetch.min.bytes`.
    pub replica_fetch_min_bytes: u32,
    /// `replica.fetch.max.bytes`, of one partition.
    pub replica_fetch_max_bytes: u32,
    /// `replica.fetch.response.max.bytes`.
    pub replica_fetch_response_max_bytes: u32,
    /// `replica.fetch.backoff.ms`.
    pub replica_fetch_backoff: Span,
    /// `replica.socket.timeout.ms`.
    pub replica_socket_timeout: Span,
    /// `replica.high.watermark.checkpoint.interval.ms`.
    pub high_watermark_checkpoint: Span,
    /// `log.flush.offset.checkpoint.interval.ms`.
    pub recovery_checkpoint: Span,
    /// `log.retention.check.interval.ms`.
    pub retention_check: Span,
    /// `log.cleaner.backoff.ms`.
    pub cleaner_backoff: Span,
    /// `broker.heartbeat.interval.ms` (KRaft).
    pub heartbeat_interval: Span,
    /// `broker.session.timeout.ms` (KRaft), `zookeeper.session.timeout.ms` (ZooKeeper).
    pub session_timeout: Span,
    /// `auto.leader.rebalance.enable`.
    pub auto_leader_rebalance: bool,
    /// `leader.imbalance.check.interval.seconds`.
    pub leader_imbalance_check: Span,
    /// `controlled.shutdown.enable`.
    pub controlled_shutdown: bool,
    /// `auto.create.topics.enable`.
    pub auto_create_topics: bool,
    /// `replica.selector.class` is the rack-aware one: consumers are sent to a replica in their rack.
    pub rack_aware_selector: bool,
    /// `transactional.id.expiration.ms`.
    pub transactional_id_expiration: Span,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration: Span,
    /// `transaction.max.timeout.ms`.
    pub transaction_max_timeout: Span,
    /// `transaction.abort.timed.out.transaction.cleanup.interval.ms`.
    pub transaction_abort_scan: Span,
    /// `offsets.retention.minutes`.
    pub offsets_retention: Span,
    /// `offsets.topic.num.partitions`: what a group's name is hashed over.
    pub offsets_topic_num_partitions: u32,
    /// `transaction.state.log.num.partitions`: what a transactional id is hashed over.
    pub transaction_state_log_num_partitions: u32,
    /// `offsets.commit.timeout.ms`.
    pub offsets_commit_timeout: Span,
    /// `group.initial.rebalance.delay.ms`.
    pub group_initial_rebalance_delay: Span,
    /// `group.min.session.timeout.ms`.
    pub group_min_session_timeout: Span,
    /// `group.max.session.timeout.ms`.
    pub group_max_session_timeout: Span,
    /// `group.consumer.session.timeout.ms` (KIP-848).
    pub group_consumer_session_timeout: Span,
    /// `group.consumer.heartbeat.interval.ms` (KIP-848).
    pub group_consumer_heartbeat_interval: Span,
}

/// The controllers (KRaft), or the ZooKeeper ensemble that stands in their place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ControllerConfig {
    /// How many (our key).
    pub count: u32,
    /// `controller.quorum.election.timeout.ms`.
    pub election_timeout: Span,
    /// `controller.quorum.fetch.timeout.ms`.
    pub fetch_timeout: Span,
    /// `controller.quorum.election.backoff.max.ms`.
    pub election_backoff_max: Span,
    /// `controller.quorum.request.timeout.ms`.
    pub request_timeout: Span,
}

/// How a producer chooses partitions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Partitioner {
    /// By the key's hash (murmur2), as the built-in one does for records with keys.
    KeyHash,
    /// One partition until a batch's worth has gone there (`partitioner.ignore.keys = true`, or no keys).
    Sticky,
    /// One partition after the other (`RoundRobinPartitioner`).
    RoundRobin,
}

/// What a producer that is transactional puts into one transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transactions {
    /// `transactional.id` of the first instance; the others follow.
    pub first: TxnId,
    /// `transaction.timeout.ms`.
    pub timeout: Span,
    /// So many records in a transaction (our key) …
    pub records: u32,
    /// … or as many as come in this time (our key), if that is over sooner.
    pub linger: Span,
    /// Every so many transactions one is aborted by the application (our key). `None`: none.
    pub abort_every: Option<u32>,
}

/// Some producers of a kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerConfig {
    /// Their name; the nodes are `NAME-1`, `NAME-2`, …
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// `acks`.
    pub acks: Acks,
    /// `enable.idempotence`, after what Kafka makes of it.
    pub idempotence: bool,
    /// `retries`.
    pub retries: u32,
    /// `retry.backoff.ms`.
    pub retry_backoff: Span,
    /// `retry.backoff.max.ms`: the pause doubles up to this.
    pub retry_backoff_max: Span,
    /// `delivery.timeout.ms`. `None`: versions before 2.1 count attempts only.
    pub delivery_timeout: Option<Span>,
    /// `request.timeout.ms`.
    pub request_timeout: Span,
    /// `linger.ms`.
    pub linger: Span,
    /// `batch.size`.
    pub batch_size: u32,
    /// `buffer.memory`.
    pub buffer_memory: u64,
    /// `max.block.ms`.
    pub max_block: Span,
    /// `max.request.size`.
    pub max_request_size: u32,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight: u32,
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Span,
    /// `reconnect.backoff.ms`.
    pub reconnect_backoff: Span,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max: Span,
    /// `partitioner.class` and `partitioner.ignore.keys`.
    pub partitioner: Partitioner,
    /// `transactional.id` and what belongs to it.
    pub transactions: Option<Transactions>,
}

/// How members of a group agree on who reads what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupProtocol {
    /// `group.protocol = classic`, assignors that revoke everything first.
    Eager,
    /// `group.protocol = classic` with the cooperative assignor: only what moves is revoked, in two rounds.
    Cooperative,
    /// `group.protocol = consumer`: the broker decides (KIP-848).
    Consumer,
}

/// `partition.assignment.strategy`, `group.remote.assignor`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Assignor {
    /// Ranges of each topic.
    Range,
    /// One after the other over all topics.
    RoundRobin,
    /// Balanced, and as before where possible.
    Sticky,
}

/// `auto.offset.reset`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Reset {
    /// To the beginning of the log.
    Earliest,
    /// To its end.
    Latest,
    /// The consumer stops with an error.
    None,
}

/// When a consumer's positions are committed (our key `commit`, with `enable.auto.commit`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Commit {
    /// `enable.auto.commit = true`: in `poll`, when `auto.commit.interval.ms` is over: what earlier polls have returned. Also at
    /// revocation and close.
    Auto {
        /// `auto.commit.interval.ms`.
        interval: Span,
    },
    /// `commitSync` before the records of a poll are processed: at most once.
    Before,
    /// `commitSync` after they are.
    After,
    /// The position goes into the consumer's own store with the effects, in one commit; it seeks there when it is assigned the partition.
    WithEffect,
}

/// What keeps a consumer's effects apart from repetitions (our key `sink`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Sink {
    /// Nothing: what is processed twice has two effects.
    Plain,
    /// The outside world takes each message's effect once (an upsert by id, shared by the whole group).
    Idempotent,
}

/// Some consumers of a group.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerConfig {
    /// Their name; the nodes are `NAME-1`, `NAME-2`, …
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// `group.id`.
    pub group: GroupId,
    /// The topics they subscribe to.
    pub topics: Vec<TopicId>,
    /// `group.protocol`.
    pub protocol: GroupProtocol,
    /// The assignor.
    pub assignor: Assignor,
    /// `group.instance.id` is set, to the node's name: static membership.
    pub is_static: bool,
    /// `client.rack`, for fetching from followers.
    pub rack: Option<String>,
    /// `session.timeout.ms`.
    pub session_timeout: Span,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Span,
    /// `max.poll.interval.ms`.
    pub max_poll_interval: Span,
    /// `max.poll.records`.
    pub max_poll_records: u32,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: u32,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: u32,
    /// `max.partition.fetch.bytes`.
    pub max_partition_fetch_bytes: u32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait: Span,
    /// `isolation.level = read_committed`.
    pub read_committed: bool,
    /// `auto.offset.reset`.
    pub reset: Reset,
    /// When positions are committed.
    pub commit: Commit,
    /// `request.timeout.ms`.
    pub request_timeout: Span,
    /// `retry.backoff.ms`.
    pub retry_backoff: Span,
    /// `reconnect.backoff.ms`.
    pub reconnect_backoff: Span,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max: Span,
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Span,
    /// How long processing one record takes (our key).
    pub processing: Law,
    /// Records are handed to so many threads and `poll` is called again at once (our key). `None`: they are processed between polls.
    pub hand_off: Option<u32>,
    /// What keeps effects apart from repetitions (our key).
    pub sink: Sink,
    /// When they run (our key): a daily batch job. `None`: always.
    pub visits: Option<Visits>,
}

/// When a client runs that does not run always, by its own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Visits {
    /// For the first time.
    pub first: Span,
    /// From one start to the next. `None`: once.
    pub every: Option<Span>,
    /// How long it runs.
    pub stay: Span,
}

/// Some instances of an application that reads from one topic, transforms, and writes to another in transactions.
#[derive(Clone, PartialEq, Debug)]
pub struct ProcessorConfig {
    /// Its reading side; `commit` is without meaning, positions go into the transactions (or, without, after the writes).
    pub consumer: ConsumerConfig,
    /// Its writing side: one name and count with the reading side.
    pub producer: ProducerConfig,
    /// Where it writes.
    pub to: TopicId,
}

/// A consumer group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupConfig {
    /// `group.id`.
    pub name: String,
    /// Its subscriptions: topics and their ids in the history.
    pub subscriptions: Vec<(TopicId, ObjectId)>,
    /// The partition of `__consumer_offsets` that keeps its positions; its leader coordinates the group.
    pub home: Part,
}

/// A transactional id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TransactionalConfig {
    /// `transactional.id`.
    pub name: String,
    /// The node that uses it.
    pub node: NodeId,
    /// The partition of `__transaction_state` that keeps its state; its leader coordinates.
    pub home: Part,
}

/// What an administrator does in the course of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Task {
    /// `kafka-reassign-partitions`: these brokers shall hold the partition, the first preferred.
    Reassign {
        /// The partition.
        part: Part,
        /// The brokers.
        replicas: Vec<NodeId>,
    },
    /// `kafka-leader-election --election-type preferred`, for all partitions.
    ElectPreferred,
    /// `kafka-leader-election --election-type unclean`, for one partition.
    ElectUnclean {
        /// The partition.
        part: Part,
    },
    /// Create a topic.
    Create {
        /// The topic.
        topic: TopicId,
    },
}

/// A task and when it is given to the controller, from time zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scheduled {
    /// When.
    pub at: Span,
    /// What.
    pub task: Task,
}

/// Which nodes of the run play which part. A composite puts its own numbers here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    /// Brokers, by position.
    pub brokers: Vec<NodeId>,
    /// Controllers, or the ZooKeeper ensemble.
    pub controllers: Vec<NodeId>,
    /// Producers, each with its position in [`Config::producers`] and its number there, from 0.
    pub producers: Vec<(NodeId, u16, u32)>,
    /// Consumers, each with its position in [`Config::consumers`] and its number there, from 0.
    pub consumers: Vec<(NodeId, u16, u32)>,
    /// Processors, each with its position in [`Config::processors`] and its number there, from 0.
    pub processors: Vec<(NodeId, u16, u32)>,
    /// The database outside of Kafka that consumers write into, if any does.
    pub store: Option<NodeId>,
}

/// The whole configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// The preset.
    pub version: Version,
    /// The mechanisms in force.
    pub mechanisms: Mechanisms,
    /// Brokers.
    pub broker: BrokerConfig,
    /// Controllers.
    pub controller: ControllerConfig,
    /// Topics, internal ones last.
    pub topics: Vec<TopicConfig>,
    /// Partitions of all topics, in their order. Of internal topics there are only those that some group or transactional id needs.
    pub partitions: Vec<PartitionConfig>,
    /// Groups.
    pub groups: Vec<GroupConfig>,
    /// Transactional ids.
    pub transactional: Vec<TransactionalConfig>,
    /// Producers.
    pub producers: Vec<ProducerConfig>,
    /// Consumers.
    pub consumers: Vec<ConsumerConfig>,
    /// Processors.
    pub processors: Vec<ProcessorConfig>,
    /// What an administrator does.
    pub tasks: Vec<Scheduled>,
    /// Who is where.
    pub places: Places,
    /// What is broken on purpose; in default builds nothing can be.
    pub mutants: Mutants,
}

impl Config {
    /// The topic of a partition.
    #[must_use]
    pub fn topic_of(&self, part: Part) -> &TopicConfig {
        &self.topics[self.partitions[part.index()].topic.index()]
    }

    /// The partitions of a topic.
    pub fn parts_of(&self, topic: TopicId) -> impl Iterator<Item = Part> + use<> {
        let topic = &self.topics[topic.index()];
        (topic.first.0..topic.first.0 + topic.partitions).map(Part)
    }

    /// A partition's name, such as `orders-0` in Kafka; `orders/0` here, as selectors write it.
    #[must_use]
    pub fn part_name(&self, part: Part) -> String {
        format!("{}/{}", self.topic_of(part).name, self.partitions[part.index()].number)
    }

    /// A group's subscription to the topic of a partition, as the history knows it.
    #[must_use]
    pub fn subscription(&self, group: GroupId, part: Part) -> Option<ObjectId> {
        let topic = self.partitions[part.index()].topic;
        self.groups[group.index()].subscriptions.iter().find(|(of, _)| *of == topic).map(|(_, object)| *object)
    }

    /// Brokers that hold the first copies of a partition: one after the other, each partition beginning one further.
    #[must_use]
    pub fn first_replicas(&self, part: Part) -> Vec<NodeId> {
        let topic = self.topic_of(part);
        let there: Vec<NodeId> =
            self.places.brokers.iter().zip(&self.broker.joins).filter(|(_, joins)| joins.is_none()).map(|(node, _)| *node).collect();
        let first = self.partitions[part.index()].number as usize + self.partitions[part.index()].topic.index();
        (0..topic.replication_factor as usize).map(|at| there[(first + at) % there.len()]).collect()
    }

    /// The objects of the history, in order of their ids: topics, their logs, subscriptions.
    #[must_use]
    pub fn objects(&self) -> Vec<Object> {
        let mut all: Vec<(ObjectId, Object)> = Vec::new();
        for topic in self.topics.iter().filter(|topic| topic.purpose == Purpose::Messages) {
            all.push((topic.object, Object { name: topic.name.clone(), kind: ObjectKind::Topic }));
        }
        for (at, partition) in self.partitions.iter().enumerate() {
            let topic = &self.topics[partition.topic.index()];
            if let Some(object) = partition.object {
                let kind = ObjectKind::Log { topic: topic.object, compacted: topic.cleanup.compact };
                all.push((object, Object { name: self.part_name(Part::at(at)), kind }));
            }
        }
        for group in &self.groups {
            for (topic, object) in &group.subscriptions {
                let name = if group.subscriptions.len() == 1 {
                    group.name.clone()
                } else {
                    format!("{}@{}", group.name, self.topics[topic.index()].name)
                };
                let kind = ObjectKind::Subscription { topic: self.source(*topic) };
                all.push((*object, Object { name, kind }));
            }
        }
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter().map(|(_, object)| object).collect()
    }

    /// The topic whose messages a topic holds: itself, or, if processors write it, what they read from. A message keeps its number on
    /// the way, so that a group at the end of a pipeline is owed what is published at its beginning.
    #[must_use]
    pub fn source(&self, topic: TopicId) -> ObjectId {
        let mut at = topic;
        for _ in 0..self.processors.len() {
            match self.processors.iter().find(|processor| processor.to == at).and_then(|processor| processor.consumer.topics.first()) {
                Some(from) => at = *from,
                None => break,
            }
        }
        self.topics[at.index()].object
    }
}
