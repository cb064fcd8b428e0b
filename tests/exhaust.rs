//! Every broken twin of the mailbox that one fault can expose is found by trying every fault at every step; the honest one is clean.

#![cfg(feature = "mutants")]

use deadletter::check::Property;
use deadletter::lab::exhaust::{Asked, Cutting, Exhausted, exhaust};
use deadletter::lab::{Capsule, Case, IllKind, Violation, Vocabulary, replay};
use deadletter::model::BUILT_IN;
use deadletter::run::Answer;
use deadletter::scenario::{Source, read};

const AT_LEAST_ONCE: &str = r#"
queue.orders = { visibility_timeout = "600ms" }
producer = { count = 2, retries = 5, timeout = "150ms" }
consumer.billing = { count = 2, from = "orders", processing = "15ms" }
"#;
const ONE_TRY: &str = r#"
queue.orders = {}
producer = { count = 2, timeout = "100ms" }
consumer.billing = { from = "orders" }
"#;
const AT_MOST_ONCE: &str = r#"
queue.orders = {}
producer = { count = 2, retries = 5, timeout = "150ms", idempotence = true }
consumer.billing = { count = 2, from = "orders", ack = "before" }
"#;
const IN_ORDER: &str = r#"
queue.orders = { visibility_timeout = "600ms" }
producer = { ordered = true }
consumer.billing = { from = "orders", ack = "atomically", processing = "25ms" }
"#;
const BOUNDED: &str = r#"
queue.orders = { max_length = 10, max_deliveries = 4 }
producer = { count = 2, poison = "3%" }
consumer.billing = { from = "orders", processing = "12ms" }
"#;
const DATAGRAMS: &str = r#"
transport = "datagram"
queue.orders = { visibility_timeout = "600ms" }
producer = { count = 2, retries = 5, timeout = "150ms" }
consumer.billing = { from = "orders" }
"#;
const TOPIC: &str = r#"
topic.orders = {}
subscription.audit = { topic = "orders" }
subscription.screen = { topic = "orders" }
subscription.visitor = { topic = "orders", durable = false }
producer = { count = 2 }
consumer.auditor = { from = "audit" }
consumer.watcher = { from = "screen" }
consumer.guest = { from = "visitor", attach = { from = "500ms", every = "1s", for = "400ms" } }
"#;

fn case(model: &str, mutant: &str) -> Case {
    let mutant = if mutant.is_empty() { String::new() } else { format!("mutant = \"{mutant}\"\n") };
    let text = format!(
        "# Is it kept?\n# Yes.\n[model.mailbox]\n{mutant}{model}\n[load]\nto = \"orders\"\n\
         arrivals = {{ law = \"poisson\", rate = \"30/s\" }}\n\
         [phases]\nwarm = \"300ms\"\nchaos = \"800ms\"\nheal = \"300ms\"\ndrain = \"5s\"\n"
    );
    let files = |_: &str| Err("no files here".to_owned());
    let reading = read(&Source { files: &files, ..Source::new("test.toml", &text, BUILT_IN) });
    let plan = reading.plan.unwrap_or_else(|| panic!("{:#?}", reading.problems));
    Case { arm: plan.arms()[0].clone(), seed: 2 }
}

fn tried(case: &Case, kinds: &[IllKind], stride: u64) -> Exhausted {
    let all = Vocabulary::of(&case.arm);
    let vocabulary = if kinds.is_empty() { all } else { all.only(kinds.to_vec()) };
    exhaust(case, &Asked { vocabulary, stride, ..Asked::of(&case.arm) }, &|| ()).expect("no panic")
}

/// A mutant, the promise that it breaks, one kind of fault that exposes it, and where.
type Exposed = (&'static str, &'static str, Property, IllKind, &'static str);

/// Eleven of the sixteen. Four more need no fault at all (see below), and `delivers_corrupt_bodies` needs a network that damages messages,
/// which no fault of the vocabulary does.
const EXPOSED: [Exposed; 11] = [
    ("acks_before_storing", AT_LEAST_ONCE, Property::AckedSurvives, IllKind::Kill, "kill broker"),
    ("acks_unsynced", AT_LEAST_ONCE, Property::AckedSurvives, IllKind::PowerOff, "power_off broker"),
    ("loses_on_restart", AT_LEAST_ONCE, Property::AckedSurvives, IllKind::Kill, "kill broker"),
    ("forgets_dedupe", AT_MOST_ONCE, Property::NoDuplicateDelivery, IllKind::Freeze, "freeze broker"),
    ("dedup_not_persisted", AT_MOST_ONCE, Property::NoDuplicateDelivery, IllKind::Kill, "kill broker"),
    ("redelivers_out_of_order", IN_ORDER, Property::OrderGlobal, IllKind::Kill, "kill billing-1"),
    ("ignores_processed_ids", IN_ORDER, Property::NoDuplicateEffect, IllKind::Kill, "kill broker"),
    ("unknown_as_failed", ONE_TRY, Property::FailedStaysFailed, IllKind::Freeze, "freeze broker"),
    ("visibility_forgets", AT_LEAST_ONCE, Property::Drained, IllKind::PowerOff, "power_off billing-1"),
    ("drops_on_full_but_confirms", BOUNDED, Property::AckedSurvives, IllKind::Freeze, "freeze broker"),
    ("acks_before_effect", AT_LEAST_ONCE, Property::NoMissingEffect, IllKind::Kill, "kill billing-1"),
];

/// Broken without any fault: told as such, and not again at every point.
const OPEN: [(&str, &str, Property); 4] = [
    ("skips_a_subscriber", TOPIC, Property::AckedDelivered),
    ("delivers_twice_after_ack", AT_MOST_ONCE, Property::NoDuplicateDelivery),
    ("silently_drops_poison", BOUNDED, Property::NoMissingEffect),
    ("ignores_unsubscribe", TOPIC, Property::NothingUnexpected),
];

#[test]
fn every_mutant_that_one_fault_exposes_is_found() {
    for (name, text, property, kind, by) in EXPOSED {
        let out = tried(&case(text, name), &[kind], 1);
        let violation = Violation::Property(property);
        let finding = out.findings.iter().find(|finding| finding.violation == violation && finding.by == by);
        let finding = finding.unwrap_or_else(|| panic!("{name}: {property} by {by} in\n{}", out.text()));
        let found = finding.found.as_ref().expect("it is a case of its own");
        // As a file of its own it shows the same.
        let text = Capsule::of(&finding.case, found, "a test").text();
        let capsule = Capsule::read(&Source::new("capsule.toml", &text, BUILT_IN)).unwrap_or_else(|why| panic!("{why:#?}\n{text}"));
        let again = replay(&capsule).expect("no panic");
        assert_eq!((again.answer, again.drift), (Answer::Holds, Vec::new()), "{name}\n{text}");
        println!("{name}: {}", finding.headline());
    }
}

#[test]
fn every_finding_is_a_case_that_shows_the_same() {
    let out = tried(&case(AT_LEAST_ONCE, "acks_before_storing"), &[IllKind::Kill, IllKind::TornWrite, IllKind::Cut], 1);
    assert!(out.hits.len() > 50, "{}", out.text());
    assert!(out.hits.iter().any(|hit| hit.strikes[0].point.behind > 0), "some strike in the middle of a moment");
    for hit in &out.hits {
        let wrong = out.case_of(&hit.strikes).all_wrong(out.asked.goal);
        for violation in &hit.violations {
            assert!(wrong.iter().any(|found| found.violation == *violation), "{hit:?} shows only {wrong:?}");
        }
    }
}

#[test]
fn ending_forks_in_known_states_changes_no_verdict() {
    let kinds = vec![IllKind::Kill, IllKind::PowerOff, IllKind::Pause, IllKind::Cut, IllKind::Drop];
    for (name, text, ..) in EXPOSED {
        let case = case(text, name);
        let of = |cutting| {
            let vocabulary = Vocabulary::of(&case.arm).only(kinds.clone());
            exhaust(&case, &Asked { vocabulary, stride: 7, cutting, ..Asked::of(&case.arm) }, &|| ()).expect("no panic")
        };
        let (known, never) = (of(Cutting::Known), of(Cutting::Never));
        assert_eq!(known.hits, never.hits, "{name}");
        assert!(known.total().back + known.total().seen > known.total().forks / 6, "{name}: {:?}", known.total());
    }
}

#[test]
fn what_is_broken_without_a_fault_is_said_once() {
    for (name, text, property) in OPEN {
        let out = tried(&case(text, name), &[IllKind::Pause], 40);
        assert!(out.before.iter().any(|found| found.violation == Violation::Property(property)), "{name}: {}", out.text());
        assert!(out.findings.iter().all(|finding| finding.violation != Violation::Property(property)), "{name}: {}", out.text());
    }
}

#[test]
fn the_honest_mailbox_is_clean() {
    for text in [AT_LEAST_ONCE, ONE_TRY, AT_MOST_ONCE, IN_ORDER, BOUNDED, DATAGRAMS, TOPIC] {
        let out = tried(&case(text, ""), &[], 17);
        assert_eq!((out.total().wrong, out.before.len(), out.refused.len()), (0, 0, 0), "{}", out.text());
        assert!(out.total().forks > 300, "{}", out.text());
    }
}
