//! Keys of topics, as `kafka-topics --create --config` takes them.

use crate::base::value::{KeyKind, KeySpec};

use super::absent::TOPIC_ABSENT;
use super::{MS, from, joined, kafka, unset};

/// `cleanup.policy`.
pub(super) const CLEANUP: KeyKind = KeyKind::Choice(&[
    ("delete", "old segments are removed"),
    ("compact", "of each key the latest record is kept"),
    ("compact,delete", "both"),
    ("delete,compact", "both"),
]);

/// A size, or -1 for any.
pub(super) const BYTES_OR_ANY: KeyKind = KeyKind::AnyOf(&[KeyKind::Bytes, KeyKind::Integer { min: -1, max: -1 }]);

/// A span in milliseconds, or -1.
pub(super) const MS_OR_EVER: KeyKind = KeyKind::SpanIn { unit: "ms", minus_one: "for ever" };

const MODELLED: &[KeySpec] = &[
    unset(
        "partitions",
        KeyKind::Count { min: 1, max: 100_000 },
        "how many partitions it has; default: `num.partitions` of the brokers (1)",
    ),
    unset(
        "replication.factor",
        KeyKind::Count { min: 1, max: 1_000 },
        "how many copies there are of each partition; default: `default.replication.factor` of the brokers (1)",
    ),
    kafka(
        "min.insync.replicas",
        from(1),
        "1",
        "with `acks=all`: a write is refused while fewer replicas are in sync; default: as the brokers' key",
    ),
    kafka(
        "unclean.leader.election.enable",
        KeyKind::Flag,
        "false",
        "whether a replica that has missed something may lead when nobody else can; default: as the brokers' key, `true` before 0.11",
    ),
    kafka("cleanup.policy", CLEANUP, "delete", "what becomes of old records; default: `log.cleanup.policy`"),
    kafka("retention.ms", MS_OR_EVER, "7d", "how old a segment may become with `delete`; -1: for ever; default: `log.retention.*`"),
    kafka("retention.bytes", BYTES_OR_ANY, "-1", "how large a partition may become with `delete`; -1: any; default: `log.retention.bytes`"),
    kafka("segment.bytes", KeyKind::Bytes, "1GiB", "the size of a segment; from 4.0 on at least 1MiB; default: `log.segment.bytes`"),
    kafka("segment.ms", MS, "7d", "a segment is closed after this, full or not; default: `log.roll.*`"),
    unset(
        "flush.messages",
        KeyKind::Count { min: 1, max: 9_223_372_036_854_775_807 },
        "the disk is synced after so many records; default: never, it is the operating system's business",
    ),
    unset("flush.ms", MS, "the disk is synced so often; default: never, it is the operating system's business"),
    kafka(
        "max.message.bytes",
        KeyKind::Bytes,
        "1048588",
        "the largest batch that is taken; 1000012 up to 0.11; default: `message.max.bytes`",
    ),
    kafka(
        "min.cleanable.dirty.ratio",
        KeyKind::Thousandths { min: 0, max: 1_000 },
        "0.5",
        "with `compact`: the share of the log that is dirty when the cleaner begins",
    ),
    kafka("min.compaction.lag.ms", MS, "0s", "with `compact`: how long a record is left alone at least"),
];

static TOPIC_ALL: [KeySpec; MODELLED.len() + TOPIC_ABSENT.len()] = joined(&[MODELLED, TOPIC_ABSENT]);

/// The keys of a topic.
pub const TOPIC: &[KeySpec] = &TOPIC_ALL;
