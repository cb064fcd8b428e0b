//! Every broken twin is caught by the right judge on some seed below 200, in a configuration that promises the property.

use crate::base::{Chance, Law, Span, Time};
use crate::check::Property;
use crate::parts::config::Corruption;
use crate::parts::fault::{Fault, Ill, Selector, When};

use super::super::mutants::Mutant;
use super::campaign::faults;
use super::rig::{Plan, plan as plan_of, run};

/// The mutant, the property that it breaks, the configuration.
type Case = (&'static str, Property, &'static str);

const AT_LEAST_ONCE: &str = r#"
    queue.orders = { visibility_timeout = "3s" }
    producer = { count = 2, retries = 5, timeout = "400ms" }
    consumer.billing = { count = 2, from = "orders", processing = "25ms" }
    "#;
const ONE_TRY: &str = r#"
    queue.orders = {}
    producer = { count = 2, timeout = "100ms" }
    consumer.billing = { from = "orders" }
    "#;
const AT_MOST_ONCE: &str = r#"
    queue.orders = {}
    producer = { count = 2, retries = 5, timeout = "400ms", idempotence = true }
    consumer.billing = { count = 2, from = "orders", ack = "before" }
    "#;
const IN_ORDER: &str = r#"
    queue.orders = { visibility_timeout = "3s" }
    producer = { ordered = true }
    consumer.billing = { from = "orders", ack = "atomically", processing = "15ms" }
    "#;
const BOUNDED: &str = r#"
    queue.orders = { max_length = 10, max_deliveries = 4 }
    producer = { count = 2, poison = "3%" }
    consumer.billing = { from = "orders", processing = "12ms" }
    "#;
const DATAGRAMS: &str = r#"
    transport = "datagram"
    queue.orders = { visibility_timeout = "1s" }
    producer = { count = 2, retries = 5, timeout = "200ms" }
    consumer.billing = { from = "orders" }
    "#;
const TOPIC: &str = r#"
    topic.prices = {}
    subscription.audit = { topic = "prices" }
    subscription.screen = { topic = "prices" }
    subscription.visitor = { topic = "prices", durable = false }
    producer = { count = 2 }
    consumer.auditor = { from = "audit" }
    consumer.watcher = { from = "screen" }
    consumer.guest = { from = "visitor", attach = { from = "1s", every = "3s", for = "1s" } }
    "#;

const CASES: &[Case] = &[
    ("acks_before_storing", Property::AckedSurvives, AT_LEAST_ONCE),
    ("acks_unsynced", Property::AckedSurvives, AT_LEAST_ONCE),
    ("loses_on_restart", Property::AckedSurvives, AT_LEAST_ONCE),
    ("forgets_dedupe", Property::NoDuplicateDelivery, AT_MOST_ONCE),
    ("dedup_not_persisted", Property::NoDuplicateDelivery, AT_MOST_ONCE),
    ("delivers_twice_after_ack", Property::NoDuplicateDelivery, AT_MOST_ONCE),
    ("redelivers_out_of_order", Property::OrderPerProducer, IN_ORDER),
    ("ignores_processed_ids", Property::NoDuplicateEffect, IN_ORDER),
    ("delivers_corrupt_bodies", Property::NothingCorrupted, DATAGRAMS),
    ("unknown_as_failed", Property::FailedStaysFailed, ONE_TRY),
    ("visibility_forgets", Property::Drained, AT_LEAST_ONCE),
    ("silently_drops_poison", Property::NoMissingEffect, BOUNDED),
    ("drops_on_full_but_confirms", Property::AckedSurvives, BOUNDED),
    ("ignores_unsubscribe", Property::NothingUnexpected, TOPIC),
    ("skips_a_subscriber", Property::AckedDelivered, TOPIC),
    ("acks_before_effect", Property::NoMissingEffect, AT_LEAST_ONCE),
];

fn plan(text: &str, mutant: &str, seed: u64) -> Plan {
    let to: &[&str] = if text.contains("topic.") { &["prices"] } else { &["orders"] };
    let mut plan = plan_of(&format!("mutant = \"{mutant}\"\n{text}"), to);
    plan.faults = faults(seed, 4);
    // Without a restart of the broker, what it keeps on disk does not matter.
    plan.faults.push(Fault {
        name: "the power fails".into(),
        ill: Ill::PowerOff(Selector::Named("broker".into())),
        when: When::At(vec![Time::ZERO + Span::secs(3)]),
        lasts: Some(Law::Constant(Span::millis(300))),
    });
    plan.faults.push(Fault {
        name: "the consumers die".into(),
        ill: Ill::Kill(Selector::Named("consumers".into())),
        when: When::At((4..7).map(|at| Time::ZERO + Span::secs(at)).collect()),
        lasts: Some(Law::Constant(Span::millis(200))),
    });
    plan.link.corrupt = Some(Corruption { chance: Chance::ratio(1, 100), checksum: false });
    plan
}

#[test]
fn every_mutant_has_its_case() {
    for (_, name, _) in Mutant::ALL {
        assert!(CASES.iter().any(|(case, ..)| case == name), "{name}");
    }
}

#[test]
fn every_mutant_is_caught() {
    for (name, property, text) in CASES {
        let caught = (0..200).find(|seed| {
            let outcome = run(&plan(text, name, *seed), *seed);
            assert!(outcome.promises.promised(*property), "{name}: {property} is promised");
            outcome.is_broken(*property)
        });
        assert!(caught.is_some(), "{name} was not caught by {property} on 200 seeds");
        println!("{name}: {property} on seed {}", caught.unwrap_or_default());
    }
}

#[test]
fn the_honest_model_passes_where_mutants_are_caught() {
    for (name, property, text) in CASES {
        for seed in 0..3 {
            let mut honest = plan(text, name, seed);
            honest.text = (*text).to_owned();
            let outcome = run(&honest, seed);
            assert!(!outcome.is_broken(*property), "{name}, seed {seed}: {:?}", outcome.judged.finding(*property));
        }
    }
}
