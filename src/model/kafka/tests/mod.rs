//! Tests of the model as a whole.

mod campaign;
#[cfg(feature = "mutants")]
mod mutants;

use crate::base::Span;
use crate::check::Property;
use crate::model::rig::{Outcome, Plan, run};

use super::MODEL;

const SAFE: &str = r#"
    topic.orders = { partitions = 2, replication.factor = 3, min.insync.replicas = 2 }
    producer = { count = 2 }
    consumer = { count = 2, group.id = "billing", auto.offset.reset = "earliest", enable.auto.commit = false }
    "#;

/// A run of a Kafka system, long enough for sessions to end and groups to come together.
fn plan(text: &str) -> Plan {
    let mut plan = Plan::new(&MODEL, text, &["orders"]);
    plan.chaos = Span::secs(40);
    plan.drain = Span::secs(90);
    plan
}

/// The story of those nodes and payloads that `KAFKA_STORY` names, separated by commas; for whoever looks for a bug.
fn tell(outcome: &Outcome) {
    let Ok(wanted) = std::env::var("KAFKA_STORY") else { return };
    for line in outcome.story.iter().filter(|line| wanted.split(',').any(|word| line.contains(word))) {
        println!("{line}");
    }
}

#[test]
fn a_run_without_faults_delivers_everything_once_and_in_order() {
    let mut plan = plan(SAFE);
    plan.trace = if std::env::var("KAFKA_STORY").is_ok() { 3_000_000 } else { 0 };
    let outcome = run(&plan, 1);
    tell(&outcome);
    let accounting = &outcome.judged.accounting;
    assert!(accounting.attempts > 1000 && accounting.attempts == accounting.ok, "{accounting:?}");
    assert_eq!((accounting.duplicates, accounting.lost, accounting.malformed), (0, 0, 0), "{accounting:?}");
    for property in [Property::AckedDelivered, Property::NoDuplicateEffect, Property::NoMissingEffect, Property::Drained] {
        assert!(!outcome.is_broken(property), "{:?}", outcome.judged.finding(property));
    }
    assert_eq!(outcome.breach, None);
    assert_eq!(outcome.violations(), Vec::<String>::new());
}
