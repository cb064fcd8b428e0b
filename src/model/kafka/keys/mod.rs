//! The keys of the table `[model.kafka]`: Kafka's own under their own names, ours beside them, each with kind, default and meaning.
//!
//! Defaults are those of Kafka 3.9; [`super::presets`] has those of the other versions.

use crate::base::value::{KeyKind, KeySpec};

mod absent;
mod application;
mod broker;
mod clients;
mod topic;

pub use application::{PROCESSOR, TASK, VISITS};
pub use broker::BROKER;
pub use clients::{CONSUMER, PRODUCER};
pub use topic::TOPIC;

/// How many nodes there may be of a kind.
const FEW: KeyKind = KeyKind::Count { min: 1, max: 1_000 };

/// What a whole number may be at most in Kafka.
const INT_MAX: u64 = 2_147_483_647;

/// A key of Kafka with a default in 3.9.
const fn kafka(name: &'static str, kind: KeyKind, default: &'static str, doc: &'static str) -> KeySpec {
    KeySpec::new(name, kind, doc).or(default).source("kafka")
}

/// A key of Kafka without a default.
const fn unset(name: &'static str, kind: KeyKind, doc: &'static str) -> KeySpec {
    KeySpec::new(name, kind, doc).source("kafka")
}

/// A span in milliseconds.
const MS: KeyKind = KeyKind::SpanIn { unit: "ms", minus_one: "" };

/// A whole number from this on.
const fn from(min: u64) -> KeyKind {
    KeyKind::Count { min, max: INT_MAX }
}

/// Several lists of keys as one.
const fn joined<const N: usize>(lists: &[&[KeySpec]]) -> [KeySpec; N] {
    let mut all = [lists[0][0]; N];
    let (mut list, mut next) = (0, 0);
    while list < lists.len() {
        let mut at = 0;
        while at < lists[list].len() {
            all[next] = lists[list][at];
            next += 1;
            at += 1;
        }
        list += 1;
    }
    assert!(next == N, "every place is taken");
    all
}

/// The mechanisms that can be chosen apart from the version.
pub const MECHANISMS: &[KeySpec] = &[
    KeySpec::new(
        "truncation",
        KeyKind::Choice(&[
            ("high_watermark", "to its own high watermark, as before 0.11 (KIP-101): may lose what was acknowledged, and diverge"),
            ("leader_epoch", "to where the leader's log says that the epoch ended"),
        ]),
        "not a Kafka key: how far a follower whose log has diverged cuts it; default: as in the version",
    ),
    KeySpec::new(
        "control",
        KeyKind::Choice(&[
            ("zookeeper", "a ZooKeeper ensemble and one broker as controller; up to 3.9"),
            ("kraft", "a quorum of controllers with a metadata log; from 3.3 on"),
        ]),
        "not a Kafka key: who decides on leaders; default: `zookeeper` up to 2.8, `kraft` from 3.9 on",
    ),
    KeySpec::new(
        "watermark_needs_min_isr",
        KeyKind::Flag,
        "not a Kafka key: whether the high watermark stands still while fewer than `min.insync.replicas` are in sync; default: from 3.7 on (KAFKA-15583)",
    ),
    KeySpec::new(
        "eligible.leader.replicas.version",
        KeyKind::Choice(&[("0", "off"), ("1", "on (KIP-966)")]),
        "a feature of Kafka (`kafka-features`): who has left the in-sync replicas without having missed anything may still be elected; default: `0` (on new clusters `1` from 4.1 on)",
    )
    .source("kafka"),
    KeySpec::new(
        "transaction.version",
        KeyKind::Choice(&[("0", "as it was"), ("2", "a new epoch with every transaction (KIP-890)")]),
        "a feature of Kafka (`kafka-features`); default: `2` in 4.0, `0` before",
    )
    .source("kafka"),
    KeySpec::new(
        "pre_vote",
        KeyKind::Flag,
        "not a Kafka key: whether controllers ask whether they would be elected before they stand (KIP-996); default: from 4.0 on",
    ),
];

/// Names of brokers, or their numbers.
const BROKERS: KeyKind = KeyKind::List(&KeyKind::AnyOf(&[KeyKind::Text, KeyKind::Count { min: 1, max: 1_000 }]));

/// The keys of the model.
pub const KEYS: &[KeySpec] = &[
    KeySpec::new(
        "version",
        KeyKind::Choice(&[
            ("0.8", "0.8.2, with the clients of 0.9"),
            ("0.11", "idempotence, transactions, leader epochs"),
            ("2.8", "the last on ZooKeeper by default"),
            ("3.9", "KRaft; `acks=all` and idempotence by default"),
            ("4.0", "transactions v2, broker-driven groups"),
        ]),
        "not a Kafka key: whose defaults, mechanisms and refusals apply",
    )
    .or("3.9"),
    KeySpec::new("brokers", FEW, "not a Kafka key: how many brokers there are; they are broker-1, broker-2, …").or("3"),
    KeySpec::new("controllers", FEW, "not a Kafka key: how many controllers there are, with KRaft; default: 3"),
    KeySpec::new("zookeepers", FEW, "not a Kafka key: how many ZooKeeper servers there are, with ZooKeeper; default: 3"),
    KeySpec::new("racks", KeyKind::List(&KeyKind::Text), "not a Kafka key: `broker.rack` of each broker, in order"),
    KeySpec::new(
        "joins",
        KeyKind::ByName(&KeyKind::Span),
        "not a Kafka key: brokers that are started for the first time in the course of the run, and when",
    ),
    KeySpec::new("mechanisms", KeyKind::Table(MECHANISMS), "mechanisms apart from the version").or("{}"),
    KeySpec::new("broker", KeyKind::Table(BROKER), "keys of all brokers and controllers, as in server.properties").or("{}"),
    KeySpec::new("topic", KeyKind::Map(&KeyKind::Table(TOPIC)), "topics, by name"),
    KeySpec::new("producer", KeyKind::Table(PRODUCER), "producers of a kind named `producer`; default: one, unless there are others"),
    KeySpec::new("producers", KeyKind::Map(&KeyKind::Table(PRODUCER)), "kinds of producers, by name"),
    KeySpec::new("consumer", KeyKind::Table(CONSUMER), "consumers of a kind named `consumer`"),
    KeySpec::new("consumers", KeyKind::Map(&KeyKind::Table(CONSUMER)), "kinds of consumers, by name"),
    KeySpec::new("processor", KeyKind::Table(PROCESSOR), "processors of a kind named `processor`: they read, transform and write"),
    KeySpec::new("processors", KeyKind::Map(&KeyKind::Table(PROCESSOR)), "kinds of processors, by name"),
    KeySpec::new("task", KeyKind::Map(&KeyKind::Table(TASK)), "not a Kafka key: what an administrator does in the course of the run"),
    KeySpec::new("mutant", KeyKind::Text, "breaks the model on purpose; only in builds with the cargo feature `mutants`"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::prove;

    fn tables() -> Vec<(&'static str, &'static [KeySpec])> {
        vec![
            ("", KEYS),
            ("mechanisms", MECHANISMS),
            ("broker", BROKER),
            ("topic", TOPIC),
            ("producer", PRODUCER),
            ("consumer", CONSUMER),
            ("processor", PROCESSOR),
            ("task", TASK),
        ]
    }

    #[test]
    fn every_key_is_documented_and_every_default_is_a_value() {
        prove(KEYS);
    }

    #[test]
    fn what_is_not_modelled_is_named_with_a_reason() {
        let absent = |keys: &[KeySpec]| keys.iter().filter(|key| matches!(key.kind, KeyKind::NotModelled(_))).count();
        let each: Vec<usize> = [BROKER, TOPIC, PRODUCER, CONSUMER].into_iter().map(absent).collect();
        assert!(each.iter().all(|count| *count >= 12) && each.iter().sum::<usize>() >= 200, "{each:?}");
    }

    #[test]
    fn keys_of_ours_say_so() {
        for (table, keys) in tables() {
            for key in keys.iter().filter(|key| key.source.is_empty() && !matches!(key.kind, KeyKind::NotModelled(_) | KeyKind::Table(_))) {
                let known = ["topic", "producers", "consumers", "processors", "mutant"];
                assert!(
                    key.doc.starts_with("not a Kafka key") || (table.is_empty() && known.contains(&key.name)),
                    "{table}.{} is neither of Kafka nor said not to be",
                    key.name
                );
                assert!(!key.name.contains('.'), "{table}.{}: dots are Kafka's", key.name);
            }
        }
    }
}
