//! What is promised, and why not: for each property a configuration that has it, and for each setting that takes it away one that has not.

use crate::base::Severity;
use crate::check::Property;

use super::super::config::Config;
use super::super::print;
use super::{of, tolerates};

/// The configuration in a table.
#[track_caller]
fn config(text: &str) -> Config {
    let (table, mut problems) = crate::base::value::Table::parse("kafka.toml", text);
    let config = super::super::check::config(&table, &mut problems);
    problems.retain(|problem| problem.severity == Severity::Error);
    config.unwrap_or_else(|| panic!("{text}\n{problems:?}"))
}

/// Topics that bear the loss of one broker's memory, and nothing to say against them; positions too.
const SAFE: &str = "topic.orders = { replication.factor = 3, min.insync.replicas = 2 }\nbroker.min.insync.replicas = 2\n";
/// A consumer that reads everything and applies every effect once.
const CAREFUL: &str = "consumer = { group.id = \"g\", topics = \"orders\", auto.offset.reset = \"earliest\", commit = \"with_effect\", isolation.level = \"read_committed\" }\n";
/// A processor that works in transactions, and its target.
const PIPE: &str = "topic.bills = { replication.factor = 3, min.insync.replicas = 2 }\n\
    processor = { count = 2, from = \"orders\", to = \"bills\", group.id = \"p\", transactional.id = \"p\", auto.offset.reset = \"earliest\", isolation.level = \"read_committed\" }\n";

use Property::{
    AckedDelivered, AckedSurvives, AllSeen, ConsistentOffsets, Drained, FailedStaysFailed, LatestPerKey, MonotonicPolls,
    MonotonicWithinPoll, NoAbortedRead, NoDuplicateDelivery, NoDuplicateEffect, NoGaps, NoLogDuplicate, NoLostWrite, NoMissingEffect,
    NoPollSkip, NoPollSkipWithin, NoPrecommittedRead, NoRebalanceReread, NoRebalanceSkip, NothingCorrupted, NothingUnexpected, OrderGlobal,
    OrderPerKey, OrderPerProducer, WholeTransactions,
};

/// What any configuration promises.
const ALWAYS: &[Property] = &[NothingUnexpected, NothingCorrupted, MonotonicWithinPoll, NoPrecommittedRead];
/// What no configuration with readers promises.
const NEVER: &[Property] = &[NoDuplicateDelivery, NoRebalanceReread];

#[test]
fn a_careful_configuration_promises_nearly_everything() {
    let config = config(&format!("{SAFE}{CAREFUL}"));
    let withheld: Vec<Property> = of(&config).0.iter().filter(|promise| !promise.promised).map(|promise| promise.property).collect();
    assert_eq!(withheld, [NoDuplicateDelivery, MonotonicPolls, NoRebalanceReread]);
    let pipe = self::config(&format!("{SAFE}{CAREFUL}{PIPE}"));
    let withheld: Vec<Property> = of(&pipe).0.iter().filter(|promise| !promise.promised).map(|promise| promise.property).collect();
    assert_eq!(withheld, [NoDuplicateDelivery, NoMissingEffect, MonotonicPolls, NoRebalanceReread]);
}

/// A configuration, what it does not promise beside [`NEVER`], and a word of the reason.
const WITHHELD: &[(&str, &[Property], &str)] = &[
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2 }\nproducer = { acks = 1 }\nCAREFUL",
        &[AckedSurvives, AckedDelivered, NoGaps, NoLostWrite, AllSeen, ConsistentOffsets],
        "producer.acks = 1",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2 }\nproducers.p = { acks = 0 }\nCAREFUL",
        &[AckedSurvives, AckedDelivered, NoLostWrite, AllSeen],
        "producers.p.acks = 0",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 1 }\nCAREFUL",
        &[
            AckedSurvives,
            AckedDelivered,
            NoGaps,
            NoMissingEffect,
            NoLostWrite,
            AllSeen,
            NoLogDuplicate,
            ConsistentOffsets,
            NoPollSkip,
            OrderPerKey,
        ],
        "min.insync.replicas = 1 for `orders`",
    ),
    (
        "topic.orders = {}\nCAREFUL",
        &[AckedSurvives, ConsistentOffsets, NoPollSkipWithin, NoRebalanceSkip],
        "replication.factor = 1 for `orders`",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2, unclean.leader.election.enable = true }\nCAREFUL",
        &[AckedSurvives, ConsistentOffsets, NoLostWrite, NoMissingEffect],
        "unclean.leader.election.enable = true for `orders`",
    ),
    (
        "SAFEtask.t = { at = \"1s\", elect = \"unclean\", of = \"orders/0\" }\nCAREFUL",
        &[AckedSurvives, ConsistentOffsets],
        "unclean election is forced",
    ),
    (
        "SAFEmechanisms.truncation = \"high_watermark\"\nCAREFUL",
        &[AckedSurvives, ConsistentOffsets, NoLostWrite, OrderPerKey],
        "before KIP-101",
    ),
    (
        "SAFEconsumer = { group.id = \"g\", enable.auto.commit = false }",
        &[AckedSurvives, AckedDelivered, NoMissingEffect, NoRebalanceSkip, OrderPerKey, OrderGlobal],
        "consumer.auto.offset.reset = latest",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2, retention.ms = 5000 }\nCAREFUL",
        &[AckedDelivered, NoGaps],
        "retention.ms of `orders` is 5s",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2, retention.bytes = 5000 }\nCAREFUL",
        &[AckedDelivered, NoGaps],
        "retention.bytes of `orders`",
    ),
    ("SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }", &[NoDuplicateEffect], "consumer.enable.auto.commit"),
    (
        "SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", commit = \"after\" }",
        &[NoDuplicateEffect],
        "consumer.commit = after",
    ),
    (
        "SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", commit = \"before\" }",
        &[NoMissingEffect, MonotonicPolls],
        "consumer.commit = before",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2 }\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", commit = \"before\" }",
        &[NoDuplicateEffect],
        "min.insync.replicas = 1 for `__consumer_offsets`",
    ),
    (
        "SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", hand_off = 3, sink = \"idempotent\" }",
        &[NoMissingEffect],
        "consumer.hand_off",
    ),
    (
        "SAFEconsumers = { x = { group.id = \"g\", auto.offset.reset = \"earliest\", sink = \"idempotent\" }, y = { group.id = \"g\", auto.offset.reset = \"earliest\", commit = \"with_effect\" } }",
        &[NoDuplicateEffect],
        "in different ways",
    ),
    ("SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"none\" }", &[Drained], "consumer.auto.offset.reset = none"),
    (
        "SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", runs = { every = \"1m\", for = \"10s\" } }",
        &[Drained],
        "nobody of `g` is always there to read `orders`",
    ),
    (
        "SAFEbroker.offsets.topic.replication.factor = 1\nCAREFUL",
        &[Drained],
        "min.insync.replicas of `__consumer_offsets` is above its replication factor",
    ),
    (
        "SAFEproducer = { enable.idempotence = false }\nCAREFUL",
        &[NoLogDuplicate, NoDuplicateEffect],
        "producer.retries with enable.idempotence off",
    ),
    (
        "SAFEproducer = { enable.idempotence = false }\nCAREFUL",
        &[OrderPerKey, OrderPerProducer, OrderGlobal],
        "producer.enable.idempotence is off",
    ),
    ("SAFEversion = \"0.11\"\nproducer.enable.idempotence = true\nCAREFUL", &[OrderPerKey, OrderPerProducer], "before KIP-360"),
    ("SAFEproducer = { count = 2 }\nCAREFUL", &[OrderPerKey, OrderGlobal], "there are several producers"),
    (
        "topic.orders = { partitions = 2, replication.factor = 3, min.insync.replicas = 2 }\nCAREFUL",
        &[OrderPerProducer, OrderGlobal],
        "`orders` has 2 partitions",
    ),
    (
        "topic.orders = { partitions = 2, replication.factor = 3, min.insync.replicas = 2 }\nproducer.partitioner.ignore.keys = true\nCAREFUL",
        &[OrderPerKey],
        "producer spreads the records of a key over partitions",
    ),
    (
        "SAFEproducer.transactional.id = \"t\"\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }",
        &[FailedStaysFailed, NoAbortedRead, WholeTransactions],
        "consumer.isolation.level = read_uncommitted",
    ),
    (
        "SAFEversion = \"2.8\"\nproducer.transactional.id = \"t\"\nCAREFUL",
        &[FailedStaysFailed, NoAbortedRead, WholeTransactions, Drained],
        "before KIP-890",
    ),
    (
        "SAFEbroker.transaction.state.log.min.isr = 1\nproducer.transactional.id = \"t\"\nCAREFUL",
        &[AckedSurvives, AckedDelivered, NoAbortedRead, WholeTransactions],
        "the end of a transaction may be forgotten",
    ),
    (
        "topic.orders = { replication.factor = 3, min.insync.replicas = 2, cleanup.policy = \"compact\" }\nproducer.acks = 1\nCAREFUL",
        &[LatestPerKey],
        "producer.acks = 1",
    ),
    (
        "SAFEtopic.bills = { replication.factor = 3, min.insync.replicas = 2 }\nCAREFULprocessor = { from = \"orders\", to = \"bills\", group.id = \"p\", auto.offset.reset = \"earliest\" }",
        &[NoDuplicateEffect, NoLogDuplicate, OrderPerKey],
        "without transactional.id",
    ),
    ("SAFEversion = \"0.11\"\nproducer.enable.idempotence = true\nCAREFULPIPE", &[NoDuplicateEffect, NoLogDuplicate], "before KIP-447"),
    (
        "SAFECAREFULPIPEconsumers.late = { group.id = \"l\", topics = \"bills\", auto.offset.reset = \"earliest\", sink = \"idempotent\" }",
        &[NoLogDuplicate],
        "consumers.late.isolation.level = read_uncommitted",
    ),
    (
        "SAFECAREFULPIPEconsumers.late = { group.id = \"l\", topics = \"bills\", auto.offset.reset = \"earliest\", sink = \"idempotent\" }",
        &[OrderPerKey],
        "is read before it is committed",
    ),
    ("SAFECAREFUL", NEVER, "consumer"),
];

/// What stands for [`SAFE`], [`CAREFUL`] and [`PIPE`] in the tables, written out.
fn text(short: &str) -> String {
    short.replace("SAFE", SAFE).replace("CAREFUL", CAREFUL).replace("PIPE", PIPE)
}

#[test]
fn what_a_setting_takes_away_is_withheld_because_of_it() {
    let mut wrong = Vec::new();
    for (short, properties, word) in WITHHELD {
        let promises = of(&config(&text(short)));
        for property in *properties {
            let promise = promises.0.iter().find(|promise| promise.property == *property).expect("every property is decided");
            if promise.promised || !promise.because.contains(word) {
                wrong.push(format!("{short}\n  {property}: expected `{word}`\n  found: {promise:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A configuration, and what it promises though that may seem doubtful.
const PROMISED: &[(&str, &[Property], &str)] = &[
    (
        "SAFECAREFUL",
        &[AckedSurvives, NoLostWrite],
        "acks = all with min.insync.replicas = 2 of 3 for `orders`: what is committed survives the loss of any 1 broker's memory, unless it was the last one in sync",
    ),
    (
        "SAFEmechanisms.eligible.leader.replicas.version = 1\nCAREFUL",
        &[AckedSurvives],
        "what is committed survives the loss of any 1 broker's memory",
    ),
    (
        "topic.orders = { flush.messages = 1 }\nproducer.acks = 1\nCAREFUL",
        &[AckedSurvives, ConsistentOffsets, NoPollSkip],
        "flush.messages = 1 for `orders`",
    ),
    ("SAFEproducer.acks = 0\nCAREFUL", &[ConsistentOffsets, NoMissingEffect], "min.insync.replicas = 2 of 3"),
    ("SAFEproducer = { acks = 1, retries = 0 }\nCAREFUL", &[NoLogDuplicate, NoDuplicateEffect], ""),
    ("SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }", &[NoMissingEffect, MonotonicPolls, AckedDelivered], ""),
    ("SAFEconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", commit = \"before\" }", &[NoDuplicateEffect], ""),
    (
        "SAFEproducer.enable.idempotence = false\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\", sink = \"idempotent\" }",
        &[NoDuplicateEffect],
        "",
    ),
    ("topic.orders = {}\nproducer.acks = 0", &[NoDuplicateDelivery, NoRebalanceReread, Drained, FailedStaysFailed], ""),
    (
        "SAFEversion = \"2.8\"\nproducer = { acks = \"all\", enable.idempotence = true }\nCAREFUL",
        &[AckedSurvives, OrderPerKey, OrderGlobal],
        "",
    ),
    ("SAFEproducer.transactional.id = \"t\"\nCAREFUL", &[WholeTransactions, NoAbortedRead, FailedStaysFailed, OrderGlobal], ""),
];

#[test]
fn what_seems_doubtful_is_promised() {
    let mut wrong = Vec::new();
    for (short, properties, word) in PROMISED {
        let promises = of(&config(&text(short)));
        for property in properties.iter().chain(ALWAYS) {
            let promise = promises.0.iter().find(|promise| promise.property == *property).expect("every property is decided");
            if !promise.promised || (!promise.because.contains(word) && !ALWAYS.contains(property)) {
                wrong.push(format!("{short}\n  {property}: expected `{word}`\n  found: {promise:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_property_is_decided_with_a_reason() {
    for (short, _, _) in WITHHELD.iter().chain(PROMISED) {
        let first = config(&text(short));
        let promises = of(&first);
        assert_eq!(promises.0.len(), Property::ALL.len());
        for promise in &promises.0 {
            assert!(promise.because.len() > 15, "{short}\n{promise:?}");
        }
        assert_eq!(of(&config(&print::toml(&first))), promises, "{short}");
    }
}

#[test]
fn how_much_memory_may_be_lost() {
    for (short, words) in [
        ("SAFE", "any 1 broker at a time may lose their memory, as long as others are in sync"),
        (
            "SAFEmechanisms.eligible.leader.replicas.version = 1",
            "any 1 broker at a time may lose their memory: min.insync.replicas = 2 of 3",
        ),
        (
            "brokers = 5\ntopic.orders = { replication.factor = 5, min.insync.replicas = 3 }",
            "any 2 brokers at a time may lose their memory",
        ),
        ("topic.orders = {}", "no broker may lose its memory: replication.factor = 1 for `orders`"),
        ("topic.orders = { flush.messages = 1 }", "all brokers may lose their memory: flush.messages = 1 for `orders`"),
    ] {
        let found = tolerates(&config(&text(short))).to_string();
        assert!(found.starts_with(words), "{short}\n{found}");
    }
}
