//! Keys of brokers and controllers, as server.properties has them.

use crate::base::value::{KeyKind, KeySpec};

use super::absent::BROKER_ABSENT;
use super::topic::{BYTES_OR_ANY, CLEANUP, MS_OR_EVER};
use super::{MS, from, joined, kafka, unset};

/// What topics have when they do not say otherwise.
const TOPICS: &[KeySpec] = &[
    kafka("num.partitions", KeyKind::Count { min: 1, max: 100_000 }, "1", "partitions of a topic that does not say"),
    kafka("default.replication.factor", KeyKind::Count { min: 1, max: 1_000 }, "1", "copies of a topic that does not say"),
    kafka("min.insync.replicas", from(1), "1", "for topics that do not say, and for `__consumer_offsets`"),
    kafka("unclean.leader.election.enable", KeyKind::Flag, "false", "for topics that do not say; `true` before 0.11"),
    kafka("log.cleanup.policy", CLEANUP, "delete", "for topics that do not say"),
    unset("log.retention.ms", MS_OR_EVER, "how old a segment may become; goes before `log.retention.minutes`"),
    unset(
        "log.retention.minutes",
        KeyKind::Integer { min: -1, max: 2_147_483_647 },
        "the same in minutes; goes before `log.retention.hours`",
    ),
    kafka("log.retention.hours", KeyKind::Integer { min: -1, max: 2_147_483_647 }, "168", "the same in hours"),
    kafka("log.retention.bytes", BYTES_OR_ANY, "-1", "how large a partition may become"),
    kafka("log.segment.bytes", KeyKind::Bytes, "1GiB", "the size of a segment; from 4.0 on at least 1MiB"),
    unset("log.roll.ms", MS, "a segment is closed after this; goes before `log.roll.hours`"),
    kafka("log.roll.hours", from(1), "168", "the same in hours"),
    unset(
        "log.flush.interval.messages",
        KeyKind::Count { min: 1, max: 9_223_372_036_854_775_807 },
        "the disk is synced after so many records of a partition; default: never",
    ),
    unset("log.flush.interval.ms", MS, "the disk is synced so often; default: never"),
    kafka("message.max.bytes", KeyKind::Bytes, "1048588", "the largest batch that is taken; 1000012 up to 0.11"),
    kafka("log.cleaner.min.cleanable.ratio", KeyKind::Thousandths { min: 0, max: 1_000 }, "0.5", "for topics that do not say"),
    kafka("log.cleaner.min.compaction.lag.ms", MS, "0s", "for topics that do not say"),
];

/// How copies are kept alike.
const REPLICATION: &[KeySpec] = &[
    kafka("replica.lag.time.max.ms", MS, "30s", "a follower that has not caught up for so long is not in sync; 10s before 2.5"),
    kafka("replica.fetch.wait.max.ms", MS, "500ms", "how long a leader keeps a follower's fetch when there is nothing"),
    kafka("replica.fetch.min.bytes", KeyKind::Bytes, "1B", "what a leader waits for"),
    kafka("replica.fetch.max.bytes", KeyKind::Bytes, "1MiB", "how much of one partition a follower asks for"),
    kafka("replica.fetch.response.max.bytes", KeyKind::Bytes, "10MiB", "how much a follower asks for in all"),
    kafka("replica.fetch.backoff.ms", MS, "1s", "the pause of a follower after a failed fetch"),
    kafka("replica.socket.timeout.ms", MS, "30s", "how long a follower waits for an answer"),
    kafka("replica.high.watermark.checkpoint.interval.ms", MS, "5s", "how often high watermarks are written down"),
    kafka("log.flush.offset.checkpoint.interval.ms", MS, "60s", "how often it is written down up to where logs are synced"),
    kafka("log.retention.check.interval.ms", MS, "5m", "how often old segments are looked for"),
    kafka("log.cleaner.backoff.ms", MS, "15s", "the pause of the cleaner when there is nothing to clean"),
    unset(
        "replica.selector.class",
        KeyKind::Choice(&[
            ("org.apache.kafka.common.replica.RackAwareReplicaSelector", "consumers are sent to a replica in their rack"),
            ("RackAwareReplicaSelector", "the same in short"),
            ("org.apache.kafka.common.replica.LeaderSelector", "consumers fetch from leaders"),
            ("LeaderSelector", "the same in short"),
        ]),
        "from which replica consumers fetch; from 2.4 on; default: from leaders",
    ),
];

/// Who decides, and how it is found out who lives.
const CONTROL: &[KeySpec] = &[
    kafka("broker.heartbeat.interval.ms", MS, "2s", "how often brokers show controllers that they live; KRaft only"),
    kafka("broker.session.timeout.ms", MS, "9s", "how long a broker may be silent before it is fenced; KRaft only"),
    unset("zookeeper.session.timeout.ms", MS, "the same with ZooKeeper; default: 18s, 6s before 2.5"),
    kafka("controller.quorum.election.timeout.ms", MS, "1s", "how long a candidate waits for votes; KRaft only"),
    kafka("controller.quorum.fetch.timeout.ms", MS, "2s", "how long a controller does without its leader before it stands; KRaft only"),
    kafka("controller.quorum.election.backoff.max.ms", MS, "1s", "the longest pause after a failed election; KRaft only"),
    kafka("controller.quorum.request.timeout.ms", MS, "2s", "how long controllers wait for each other's answers; KRaft only"),
    kafka("auto.leader.rebalance.enable", KeyKind::Flag, "true", "whether leadership goes back to preferred replicas by itself"),
    kafka("leader.imbalance.check.interval.seconds", KeyKind::SpanIn { unit: "s", minus_one: "" }, "5m", "how often that is looked into"),
    kafka("controlled.shutdown.enable", KeyKind::Flag, "true", "whether a broker that is stopped hands its partitions over first"),
    kafka("auto.create.topics.enable", KeyKind::Flag, "true", "whether a topic that is asked for and not there is created"),
];

/// Groups and transactions.
const COORDINATION: &[KeySpec] = &[
    kafka("offsets.topic.num.partitions", KeyKind::Count { min: 1, max: 10_000 }, "50", "partitions of `__consumer_offsets`"),
    kafka(
        "offsets.topic.replication.factor",
        KeyKind::Count { min: 1, max: 1_000 },
        "3",
        "copies of `__consumer_offsets`; with fewer brokers Kafka does not create it until this is lowered",
    ),
    kafka("offsets.topic.segment.bytes", KeyKind::Bytes, "100MiB", "the size of its segments"),
    kafka(
        "offsets.retention.minutes",
        KeyKind::SpanIn { unit: "m", minus_one: "" },
        "7d",
        "how long the positions of an empty group are kept; one day before 2.0",
    ),
    kafka("offsets.commit.timeout.ms", MS, "5s", "how long a coordinator waits for the copies of a commit"),
    kafka("group.initial.rebalance.delay.ms", MS, "3s", "how long a new group waits for more members; none before 0.11"),
    kafka("group.min.session.timeout.ms", MS, "6s", "the least `session.timeout.ms` that is taken"),
    kafka("group.max.session.timeout.ms", MS, "30m", "the most; 30s before 0.10.1, 5m before 2.3"),
    unset(
        "group.consumer.session.timeout.ms",
        MS,
        "with `group.protocol=consumer`: how long a member may be silent; default: 45s; from 4.0 on",
    ),
    unset(
        "group.consumer.heartbeat.interval.ms",
        MS,
        "with `group.protocol=consumer`: how often members are heard of; default: 5s; from 4.0 on",
    ),
    kafka("transaction.state.log.num.partitions", KeyKind::Count { min: 1, max: 10_000 }, "50", "partitions of `__transaction_state`"),
    kafka(
        "transaction.state.log.replication.factor",
        KeyKind::Count { min: 1, max: 1_000 },
        "3",
        "copies of `__transaction_state`; with fewer brokers Kafka does not create it until this is lowered",
    ),
    kafka("transaction.state.log.min.isr", from(1), "2", "`min.insync.replicas` of `__transaction_state`"),
    kafka("transaction.state.log.segment.bytes", KeyKind::Bytes, "100MiB", "the size of its segments"),
    kafka("transaction.max.timeout.ms", MS, "15m", "the most `transaction.timeout.ms` that is taken"),
    kafka(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms",
        MS,
        "10s",
        "how often transactions that take too long are looked for; 60s in 0.11",
    ),
    kafka("transactional.id.expiration.ms", MS, "7d", "how long an idle transactional id is remembered"),
    kafka("producer.id.expiration.ms", MS, "1d", "how long the sequence numbers of an idle producer are remembered; 7d before 3.4"),
    kafka(
        "transaction.partition.verification.enable",
        KeyKind::Flag,
        "true",
        "whether a leader asks the coordinator before it takes a transaction's first batch (KIP-890); from 3.6 on",
    ),
];

static BROKER_ALL: [KeySpec; TOPICS.len() + REPLICATION.len() + CONTROL.len() + COORDINATION.len() + BROKER_ABSENT.len()] =
    joined(&[TOPICS, REPLICATION, CONTROL, COORDINATION, BROKER_ABSENT]);

/// The keys of brokers.
pub const BROKER: &[KeySpec] = &BROKER_ALL;
