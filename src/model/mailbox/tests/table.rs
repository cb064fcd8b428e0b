//! What the table `[model.mailbox]` refuses, warns about, and prints back.

use proptest::prelude::*;

use crate::base::Severity;
use crate::base::value::prove;
use crate::check::Property;

use super::super::{keys, print, promises};
use super::campaign::CONFIGS;
use super::rig::{config, read};

#[test]
fn every_key_is_documented_and_every_default_is_a_value() {
    prove(keys::KEYS);
}

#[test]
fn a_printed_configuration_reads_the_same() {
    for (name, text, _) in CONFIGS {
        let first = config(text);
        let printed = print::toml(&first);
        let again = config(&printed);
        assert_eq!(first, again, "{name}\n{printed}");
        assert_eq!(print::toml(&again), printed);
    }
}

#[test]
fn every_property_is_promised_or_withheld_with_a_reason() {
    for (name, text, _) in CONFIGS {
        let promises = promises::of(&config(text));
        assert_eq!(promises.0.len(), Property::DELIVERY.len(), "{name}");
        for promise in &promises.0 {
            assert!(promise.because.len() > 20, "{name}: {promise:?}");
        }
    }
}

/// What is wrong, where, and how bad.
const WRONG: &[(&str, Severity, &str)] = &[
    ("", Severity::Error, "there is neither a queue nor a topic"),
    ("queue.a = {}\nconsumer.c = { from = \"b\" }", Severity::Error, "there is no queue `b`"),
    ("topic.t = {}\nconsumer.c = { from = \"t\" }", Severity::Error, "`t` is a topic: consumers read a subscription to it"),
    ("queue.a = {}\nconsumer.c = { from = \"dead_letters\" }", Severity::Error, "nobody reads the dead letters in this model"),
    ("queue.a = {}\ntopic.a = {}", Severity::Error, "`a` names two things"),
    ("queue.dead_letters = {}", Severity::Error, "`dead_letters` is the queue of what could not be processed"),
    ("queue.a = {}\nsubscription.s = { topic = \"a\" }", Severity::Error, "there is no topic `a`"),
    ("queue.a = { overflow = \"reject\" }", Severity::Error, "`overflow` belongs to a queue with `max_length`"),
    ("queue.a = { ttl = \"0s\" }", Severity::Error, "`ttl` is longer than zero"),
    ("queue.a = {}\nheartbeat = \"0s\"", Severity::Error, "`heartbeat` is longer than zero"),
    ("queue.a = {}\nproducer = { confirm = \"none\", retries = 3 }", Severity::Error, "`retries` belongs to `confirm = \"wait\"`"),
    ("queue.a = {}\nproducer = { confirm = \"none\", idempotence = true }", Severity::Error, "`idempotence` needs `confirm = \"wait\"`"),
    ("queue.a = {}\nproducer = { backoff = \"2s\", backoff_max = \"1s\" }", Severity::Error, "`backoff_max` (1s) is below `backoff` (2s)"),
    ("queue.a = {}\nbroker = { dedup_count = 9 }", Severity::Error, "`dedup_count` belongs to `producer.idempotence = true`"),
    ("queue.a = {}\nbroker = { sync = \"every_n\" }", Severity::Error, "`sync = \"every_n\"` needs `sync_n`"),
    (
        "queue.a = {}\nbroker = { sync = \"never\", sync_interval = \"1s\" }",
        Severity::Error,
        "`sync_interval` belongs to `sync = \"interval\"`",
    ),
    (
        "queue.a = {}\nbroker = { storage = \"memory\", dedup_table = \"durable\" }\nproducer = { idempotence = true, retries = 1 }",
        Severity::Error,
        "`dedup_table = \"durable\"` contradicts `storage = \"memory\"`",
    ),
    (
        "queue.a = {}\nbroker = { storage = \"memory\", sync = \"every_message\" }",
        Severity::Warning,
        "`sync = \"every_message\"` has no effect: with `storage = \"memory\"` nothing is written",
    ),
    (
        "queue.a = {}\nconsumer.c = { from = \"a\", mode = \"pull\", prefetch = 3 }",
        Severity::Error,
        "`prefetch` belongs to `mode = \"push\"`",
    ),
    ("queue.a = {}\nconsumer.c = { from = \"a\", batch = 3 }", Severity::Error, "`batch` belongs to `mode = \"pull\"`"),
    (
        "queue.a = {}\nconsumer.c = { from = \"a\", mode = \"pull\", poll_interval = \"0s\" }",
        Severity::Error,
        "a consumer that asks without pause keeps the broker busy for ever",
    ),
    (
        "queue.a = {}\nconsumer.producer = { from = \"a\" }",
        Severity::Error,
        "consumers cannot be called `producer`: that is what producers are called",
    ),
    (
        "queue.a = {}\nconsumer.c = { from = \"a\", attach = { every = \"1m\", for = \"2m\" } }",
        Severity::Error,
        "the consumer comes again before it has left",
    ),
    (
        "queue.a = {}\nconsumer.c = { from = \"a\", ack = \"before\", ack_delay = \"1ms\" }",
        Severity::Error,
        "`ack_delay` belongs to `ack = \"after\"` or `\"atomically\"`",
    ),
    (
        "topic.t = {}\nsubscription.s = { topic = \"t\", durable = false }\nconsumer.c = { count = 2, from = \"s\" }",
        Severity::Error,
        "`s` is temporary and has several consumers",
    ),
    (
        "topic.t = {}\nsubscription.s = { topic = \"t\", durable = false }",
        Severity::Warning,
        "nobody ever attaches to `s`: a temporary subscription begins with its consumer",
    ),
    (
        "queue.a = { visibility_timeout = \"1s\" }\nconsumer.c = { from = \"a\", processing = \"200ms\" }",
        Severity::Warning,
        "10 messages ahead at 200ms each take longer than the visibility time-out of `a` (1s)",
    ),
    (
        "queue.a = {}\nconsumer.c = { count = 2, from = \"a\", ack = \"atomically\" }",
        Severity::Warning,
        "several consumers read `a`, each with a store of its own: what one has processed another may process again",
    ),
    ("queue.a = {}\nproducer.poison = \"1%\"", Severity::Warning, "poison in `a` comes again for ever: the queue has no `max_deliveries`"),
    (
        "queue.a = {}\nproducer.idempotence = true",
        Severity::Warning,
        "`idempotence` has no effect: without retries, over streams, nothing comes twice",
    ),
    (
        "queue.a = {}\nbroker.dedup_window = \"1s\"\nproducer = { idempotence = true, retries = 3 }",
        Severity::Warning,
        "the broker remembers a key for 1s, but a producer may still repeat it after 3.7s",
    ),
    (
        "queue.a = {}\nbroker.dedup_table = \"memory\"\nproducer = { idempotence = true, retries = 3 }",
        Severity::Warning,
        "a broker that restarts keeps its messages and forgets which it has: repetitions are stored again",
    ),
    (
        "queue.a = {}\ntransport = \"datagram\"\nconsumer.c = { from = \"a\" }",
        Severity::Warning,
        "`a` has no `visibility_timeout`: a delivery or acknowledgement lost on the way is never made good while the consumer is there",
    ),
    ("queue.a = {}\nmutant = \"loses_on_restrat\"", Severity::Error, "`loses_on_restrat` is no mutant of mailbox"),
    ("queue.a = {}\npriority = 3", Severity::Error, "`priority` is a key of the real system that is not modelled"),
];

#[test]
fn contradictions_are_found() {
    for (text, severity, what) in WRONG {
        let (config, problems) = read(text);
        let found: Vec<(Severity, &str)> = problems.iter().map(|problem| (problem.severity, problem.what.as_str())).collect();
        assert_eq!(found, [(*severity, *what)], "{text}");
        assert_eq!(config.is_some(), *severity == Severity::Warning, "{text}");
    }
}

#[test]
fn builds_without_mutants_refuse_them() {
    let (config, problems) = read("queue.a = {}\nmutant = \"loses_on_restart\"");
    assert_eq!(config.is_some(), cfg!(feature = "mutants"));
    assert_eq!(problems.len(), usize::from(!cfg!(feature = "mutants")));
    if let Some(problem) = problems.first() {
        assert_eq!(problem.what, "this build has no mutants: brokers that are broken on purpose are left out of it");
        assert_eq!(problem.hint.as_deref(), Some("build with `--features mutants`, or remove `mutant`"));
    }
}

proptest! {
    /// Whatever stands in the table, it is read or refused, and never a panic.
    #[test]
    fn no_table_panics(parts in proptest::collection::vec(0usize..200, 1..8)) {
        let lines: Vec<&str> = CONFIGS.iter().flat_map(|(_, text, _)| text.lines()).collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut text = String::new();
        for part in parts {
            let line = lines[part % lines.len()].trim();
            if seen.insert(line.split('=').next().unwrap_or_default().trim()) {
                text.push_str(line);
                text.push('\n');
            }
        }
        let (table, mut problems) = crate::base::value::Table::parse("x", &text);
        let _ = super::super::check::config(&table, &mut problems);
    }
}
