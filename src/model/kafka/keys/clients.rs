//! Keys of producers and consumers.

use crate::base::value::{KeyKind, KeySpec};

use super::absent::{CLIENT_ABSENT, CONSUMER_ABSENT, PRODUCER_ABSENT};
use super::application::{CONSUMING, COUNT, TRANSACTING};
use super::{MS, from, joined, kafka, unset};

/// What producers and consumers have in common.
pub(super) const CLIENT: &[KeySpec] = &[
    kafka("request.timeout.ms", MS, "30s", "how long an answer is waited for; of consumers 40s in 0.9, 305s in 0.11"),
    kafka("retry.backoff.ms", MS, "100ms", "the pause before a request is repeated …"),
    kafka("retry.backoff.max.ms", MS, "1s", "… doubled up to this from 3.7 on (KIP-580), always the same before"),
    kafka("reconnect.backoff.ms", MS, "50ms", "the pause before the next connection to a broker …"),
    kafka("reconnect.backoff.max.ms", MS, "1s", "… doubled up to this from 0.11 on, always the same before"),
    kafka("metadata.max.age.ms", MS, "5m", "how old what a client knows of the cluster may become"),
];

/// What producers have for themselves.
pub(super) const PRODUCING: &[KeySpec] = &[
    kafka(
        "acks",
        KeyKind::Choice(&[
            ("all", "all in-sync replicas have it"),
            ("-1", "the same"),
            ("1", "the leader has it"),
            ("0", "nobody needs to have it"),
        ]),
        "all",
        "what a producer waits for; `1` before 3.0",
    ),
    kafka(
        "enable.idempotence",
        KeyKind::Flag,
        "true",
        "whether brokers know a repeated batch, within a producer's life; from 0.11 on, by default from 3.0 on unless `acks`, `retries` or in-flight requests say otherwise",
    ),
    kafka("retries", from(0), "2147483647", "how often a batch is sent again; 0 before 2.1 unless idempotent"),
    kafka("delivery.timeout.ms", MS, "2m", "how long a record may take in all; from 2.1 on"),
    kafka("linger.ms", MS, "0s", "how long a batch waits for more records; 5ms from 4.0 on"),
    kafka("batch.size", KeyKind::Bytes, "16KiB", "how large a batch may become"),
    kafka("buffer.memory", KeyKind::Bytes, "32MiB", "how much may wait in the producer"),
    kafka("max.block.ms", MS, "60s", "how long `send` waits for memory or metadata"),
    kafka("max.request.size", KeyKind::Bytes, "1MiB", "the largest request, and the largest record"),
    kafka(
        "max.in.flight.requests.per.connection",
        from(1),
        "5",
        "how many requests may be unanswered; idempotent: at most 5, in 0.11 only 1",
    ),
    unset(
        "partitioner.class",
        KeyKind::Choice(&[
            ("org.apache.kafka.clients.producer.RoundRobinPartitioner", "one partition after the other, keys or not"),
            ("RoundRobinPartitioner", "the same in short"),
            ("org.apache.kafka.clients.producer.UniformStickyPartitioner", "one partition for each batch, keys or not"),
            ("UniformStickyPartitioner", "the same in short"),
            ("org.apache.kafka.clients.producer.internals.DefaultPartitioner", "by the key"),
            ("DefaultPartitioner", "the same in short"),
        ]),
        "how a partition is chosen; default: by the key (murmur2)",
    ),
    kafka("partitioner.ignore.keys", KeyKind::Flag, "false", "one partition for each batch, keys or not; from 3.3 on"),
    unset(
        "transactional.id",
        KeyKind::Text,
        "makes a producer transactional; of several each has its number behind it (-1, -2, …); from 0.11 on",
    ),
    kafka("transaction.timeout.ms", MS, "60s", "how long a transaction may stay open"),
];

/// What consumers have for themselves.
pub(super) const READING: &[KeySpec] = &[
    unset("group.id", KeyKind::Text, "the group"),
    unset(
        "group.instance.id",
        KeyKind::Text,
        "static membership (KIP-345): each member has a lasting name, this one with its number behind it; from 2.3 on",
    ),
    kafka(
        "group.protocol",
        KeyKind::Choice(&[("classic", "members decide together"), ("consumer", "the coordinator decides (KIP-848); from 4.0 on")]),
        "classic",
        "how a group agrees on who reads what",
    ),
    unset(
        "group.remote.assignor",
        KeyKind::Choice(&[("uniform", "balanced, and as before where possible"), ("range", "ranges of each topic")]),
        "with `group.protocol=consumer`: how partitions are spread; default: `uniform`",
    ),
    kafka(
        "partition.assignment.strategy",
        KeyKind::AnyOf(&[ASSIGNOR, KeyKind::List(&ASSIGNOR)]),
        "RangeAssignor",
        "how partitions are spread; of a list the first counts, and it is cooperative if all of it is (Kafka's default since 3.0 is such a list, and eager)",
    ),
    unset("client.rack", KeyKind::Text, "the rack, for fetching from followers; from 2.4 on"),
    kafka("session.timeout.ms", MS, "45s", "how long a member may be silent; 30s in 0.9, 10s before 3.0"),
    kafka("heartbeat.interval.ms", MS, "3s", "how often a member shows that it lives"),
    kafka("max.poll.interval.ms", MS, "5m", "how long a member may take from poll to poll; before 0.10.1: `session.timeout.ms`"),
    kafka("max.poll.records", from(1), "500", "how many records a poll returns; any number before 0.10"),
    kafka("fetch.min.bytes", KeyKind::Bytes, "1B", "what a broker waits for before it answers a fetch …"),
    kafka("fetch.max.wait.ms", MS, "500ms", "… at most so long"),
    kafka("fetch.max.bytes", KeyKind::Bytes, "50MiB", "how much a fetch returns; from 0.10.1 on"),
    kafka("max.partition.fetch.bytes", KeyKind::Bytes, "1MiB", "how much of one partition"),
    kafka(
        "isolation.level",
        KeyKind::Choice(&[
            ("read_uncommitted", "records of open and aborted transactions too"),
            ("read_committed", "only what is committed, up to the first open transaction"),
        ]),
        "read_uncommitted",
        "what of transactions is returned; from 0.11 on",
    ),
    kafka(
        "auto.offset.reset",
        KeyKind::Choice(&[
            ("latest", "at the end: what is there already is never read"),
            ("earliest", "at the beginning"),
            ("none", "the consumer stops with an error"),
        ]),
        "latest",
        "where a group begins that has no position, or whose position is gone",
    ),
];

/// When a consumer commits.
const COMMITTING: &[KeySpec] = &[
    kafka("enable.auto.commit", KeyKind::Flag, "true", "whether `poll` commits what earlier polls returned"),
    kafka("auto.commit.interval.ms", MS, "5s", "how often it does"),
];

const ASSIGNOR: KeyKind = KeyKind::Choice(&[
    ("RangeAssignor", "ranges of each topic"),
    ("RoundRobinAssignor", "one after the other over all topics"),
    ("StickyAssignor", "balanced, and as before where possible; everybody stops in between"),
    ("CooperativeStickyAssignor", "the same, but only what moves stops; from 2.4 on"),
    ("range", "RangeAssignor"),
    ("roundrobin", "RoundRobinAssignor"),
    ("sticky", "StickyAssignor"),
    ("cooperative-sticky", "CooperativeStickyAssignor"),
    ("org.apache.kafka.clients.consumer.RangeAssignor", "RangeAssignor"),
    ("org.apache.kafka.clients.consumer.RoundRobinAssignor", "RoundRobinAssignor"),
    ("org.apache.kafka.clients.consumer.StickyAssignor", "StickyAssignor"),
    ("org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "CooperativeStickyAssignor"),
]);

static PRODUCER_ALL: [KeySpec; 1 + CLIENT.len() + PRODUCING.len() + TRANSACTING.len() + CLIENT_ABSENT.len() + PRODUCER_ABSENT.len()] =
    joined(&[COUNT, PRODUCING, TRANSACTING, CLIENT, PRODUCER_ABSENT, CLIENT_ABSENT]);

/// The keys of producers.
pub const PRODUCER: &[KeySpec] = &PRODUCER_ALL;

static CONSUMER_ALL: [KeySpec;
    1 + CLIENT.len() + READING.len() + COMMITTING.len() + CONSUMING.len() + CLIENT_ABSENT.len() + CONSUMER_ABSENT.len()] =
    joined(&[COUNT, READING, COMMITTING, CONSUMING, CLIENT, CONSUMER_ABSENT, CLIENT_ABSENT]);

/// The keys of consumers.
pub const CONSUMER: &[KeySpec] = &CONSUMER_ALL;
