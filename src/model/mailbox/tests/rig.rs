//! A mailbox system as text, for tests.

use crate::base::value::Table;
use crate::base::{Problem, Severity};
use crate::model::rig;

use super::super::{Config, MODEL, check};

pub(super) use crate::model::rig::{Plan, run};

/// The configuration in a text, which must be right.
pub(super) fn config(text: &str) -> Config {
    let (found, problems) = read(text);
    let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    found.expect("no errors, so a configuration")
}

/// The configuration in a text, and what is wrong with it.
pub(super) fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    let (table, mut problems) = Table::parse("test.toml", text);
    assert!(problems.is_empty(), "{problems:#?}");
    let config = check::config(&table, &mut problems);
    (config, problems)
}

/// A run of such a system.
pub(super) fn plan(text: &str, to: &[&'static str]) -> Plan {
    rig::Plan::new(&MODEL, text, to)
}
