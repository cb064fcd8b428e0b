//! Keys of ours: what applications do beside their clients, and what an administrator does.

use crate::base::value::{KeyKind, KeySpec};

use super::absent::{CLIENT_ABSENT, CONSUMER_ABSENT, PRODUCER_ABSENT};
use super::clients::{CLIENT, PRODUCING, READING};
use super::{BROKERS, FEW, joined};

/// How many of a kind.
pub(super) const COUNT: &[KeySpec] =
    &[KeySpec::new("count", FEW, "not a Kafka key: how many there are; the nodes are NAME-1, NAME-2, …").or("1")];

/// What a transactional application does.
pub(super) const TRANSACTING: &[KeySpec] = &[
    KeySpec::new(
        "transaction_records",
        KeyKind::Count { min: 1, max: 100_000 },
        "not a Kafka key: how many records a transaction has at most; default: 10",
    ),
    KeySpec::new("transaction_linger", KeyKind::Span, "not a Kafka key: a transaction is ended after this, full or not; default: `100ms`"),
    KeySpec::new(
        "abort_every",
        KeyKind::Count { min: 1, max: 1_000_000 },
        "not a Kafka key: the application aborts every so many transactions; default: none",
    ),
];

/// When a consumer runs that does not run always.
pub const VISITS: &[KeySpec] = &[
    KeySpec::new("from", KeyKind::Span, "not a Kafka key: when it runs for the first time, by its clock").or("0s"),
    KeySpec::new("every", KeyKind::Span, "not a Kafka key: from one start to the next; default: it runs once"),
    KeySpec::new("for", KeyKind::Span, "not a Kafka key: how long it runs each time").required(),
];

const PROCESSING: KeySpec = KeySpec::new("processing", KeyKind::Law, "not a Kafka key: how long handling a record takes").or("1ms");

/// One topic, or several.
const TOPICS: KeyKind = KeyKind::AnyOf(&[KeyKind::Text, KeyKind::List(&KeyKind::Text)]);

/// What a consuming application does.
pub(super) const CONSUMING: &[KeySpec] = &[
    KeySpec::new("topics", TOPICS, "not a Kafka key: the topics it subscribes to; default: the topic, if there is one only"),
    PROCESSING,
    KeySpec::new(
        "commit",
        KeyKind::Choice(&[
            ("before", "`commitSync` before the records of a poll are processed: at most once"),
            ("after", "`commitSync` when they are"),
            ("with_effect", "positions go into the application's own store with the effects; it seeks there"),
        ]),
        "not a Kafka key: when the application commits by itself; where it is written, `enable.auto.commit` is false; default: `after`, if `enable.auto.commit` is false",
    ),
    KeySpec::new(
        "hand_off",
        KeyKind::Count { min: 1, max: 1_000 },
        "not a Kafka key: records are handed to so many threads, and `poll` is called again at once; default: they are processed between polls",
    ),
    KeySpec::new(
        "sink",
        KeyKind::Choice(&[
            ("plain", "what is processed twice has two effects"),
            ("idempotent", "effects go to a database by the message's id: once"),
        ]),
        "not a Kafka key: what keeps effects apart from repetitions",
    )
    .or("plain"),
    KeySpec::new("runs", KeyKind::Table(VISITS), "not a Kafka key: when it runs; default: always"),
];

/// What a processor does.
const PIPING: &[KeySpec] = &[
    KeySpec::new("from", KeyKind::Text, "not a Kafka key: the topic it reads").required(),
    KeySpec::new("to", KeyKind::Text, "not a Kafka key: the topic it writes").required(),
    PROCESSING,
    KeySpec::not_modelled(
        "enable.auto.commit",
        "a processor commits its positions with its results: in the transaction, or after the writes",
    ),
    KeySpec::not_modelled(
        "auto.commit.interval.ms",
        "a processor commits its positions with its results: in the transaction, or after the writes",
    ),
];

static PROCESSOR_ALL: [KeySpec;
    1 + PIPING.len()
        + READING.len()
        + PRODUCING.len()
        + TRANSACTING.len()
        + CLIENT.len()
        + CLIENT_ABSENT.len()
        + CONSUMER_ABSENT.len()
        + PRODUCER_ABSENT.len()] =
    joined(&[COUNT, PIPING, READING, PRODUCING, TRANSACTING, CLIENT, CONSUMER_ABSENT, PRODUCER_ABSENT, CLIENT_ABSENT]);

/// The keys of processors: of a consumer and of a producer. What both have holds for both.
pub const PROCESSOR: &[KeySpec] = &PROCESSOR_ALL;

/// The keys of an administrator's task.
pub const TASK: &[KeySpec] = &[
    KeySpec::new("at", KeyKind::Span, "not a Kafka key: when, from time zero").required(),
    KeySpec::new("reassign", KeyKind::Text, "not a Kafka key: the partition that gets other replicas, such as `orders/0`"),
    KeySpec::new("replicas", BROKERS, "not a Kafka key: with `reassign`: who shall hold it, the preferred leader first"),
    KeySpec::new(
        "elect",
        KeyKind::Choice(&[
            ("preferred", "preferred leaders, of all partitions"),
            ("unclean", "any replica that lives, of one partition, though it may have missed something"),
        ]),
        "not a Kafka key: an election of leaders",
    ),
    KeySpec::new("of", KeyKind::Text, "not a Kafka key: with `elect = \"unclean\"`: the partition, such as `orders/0`"),
    KeySpec::new("create", KeyKind::Text, "not a Kafka key: the topic that is created now; it is not there before"),
];
