//! The coordinator as a pure machine: tables of what it says, random schedules, and what must hold in each.

mod assignors;
mod bench;
mod classic;
mod modern;
mod positions;
mod schedules;

use std::sync::Arc;

use crate::base::value::Table;
use crate::base::{NodeId, Problem, Severity};

use super::super::config::Config;
use super::super::view::{PartView, View};

/// The configuration in a text, which must be right.
pub(in crate::model::kafka) fn config(text: &str) -> Config {
    let (table, mut problems) = Table::parse("test.toml", text);
    let config = super::super::check::config(&table, &mut problems);
    let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    config.expect("no errors, so a configuration")
}

/// A cluster in which one broker leads everything.
pub(in crate::model::kafka) fn one_broker(config: &Config, broker: NodeId) -> View {
    let alone: Arc<[NodeId]> = Arc::new([broker]);
    let none: Arc<[NodeId]> = Arc::new([]);
    let part = PartView {
        replicas: Arc::clone(&alone),
        isr: alone,
        elr: Arc::clone(&none),
        leader: Some(broker),
        epoch: 1,
        version: 1,
        adding: Arc::clone(&none),
        removing: none,
        unclean: false,
    };
    View { version: 1, parts: vec![Some(part); config.partitions.len()], brokers: Vec::new() }
}
