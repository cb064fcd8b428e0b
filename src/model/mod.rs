//! The registry of models: the only place where a model is known by name.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

use crate::base::Problem;
use crate::base::value::{KeySpec, Table};
use crate::check::Promises;
use crate::record::Mark;
use crate::world::{Roster, Sim, Surroundings};

pub mod adapter;
pub mod kafka;
pub mod mailbox;
pub mod plain;
pub mod raft;
#[cfg(test)]
mod rig;

pub use adapter::{Adapter, Described, model};
pub use plain::{Plain, PlainCtx, plain};

/// How a rule of the real system stands in a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// As in the real system.
    Modelled,
    /// In a simpler form, as the row says.
    Simplified,
    /// Not there; refused where a scenario asks for it.
    Absent,
}

/// One row of a model's scope table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScopeRow {
    /// The rule.
    pub rule: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// What that means here, with its source.
    pub note: &'static str,
}

/// A protocol that scenarios can name.
pub trait Model: Sync {
    /// The name of its table: `[model.NAME]`.
    fn name(&self) -> &'static str;
    /// One sentence.
    fn about(&self) -> &'static str;
    /// Its configuration keys, with types, defaults and sources.
    fn keys(&self) -> &'static [KeySpec];
    /// What is modelled, simplified, absent.
    fn scope(&self) -> &'static [ScopeRow];
    /// The marks it can reach, each with one sentence.
    fn marks(&self) -> &'static [(Mark, &'static str)];
    /// The roles that selectors may name besides nodes and groups, such as `leader`.
    fn roles(&self) -> &'static [&'static str];
    /// The names of its message kinds, for `drop` faults.
    fn kinds(&self) -> &'static [&'static str];
    /// Checks its table; every problem is reported, not only the first.
    fn check(&self, table: &Table, problems: &mut Vec<Problem>) -> Option<Box<dyn Checked>>;
}

/// A model's checked configuration, ready to run.
pub trait Checked: Send + Sync {
    /// The model.
    fn model(&self) -> &'static dyn Model;
    /// Nodes and objects.
    fn roster(&self) -> Roster;
    /// What this configuration promises.
    fn promises(&self) -> Promises;
    /// The resolved configuration as TOML lines under `[model.NAME]`, defaults included.
    fn print(&self) -> String;
    /// A world at time zero.
    ///
    /// # Errors
    /// What in the surroundings does not fit the roster, as sentences.
    fn start(&self, surroundings: &Surroundings, seed: u64) -> Result<Box<dyn Sim>, Vec<String>>;
}

/// All models that came with deadletter; a program of one's own adds its own.
pub const BUILT_IN: &[&dyn Model] = &[&mailbox::MODEL, &kafka::MODEL];
