//! Makes a protocol into a model that scenarios can name: what it says of itself, and nothing that every model would repeat.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::base::value::{KeySpec, Reader, Table};
use crate::base::{Problem, Severity};
use crate::check::Promises;
use crate::record::Mark;
use crate::world::{Protocol, Roster, Sim, Surroundings, World};

use super::{Checked, Model, ScopeRow};

/// What a protocol says of itself to those who write scenarios. [`model`] makes a [`Model`] of it.
pub trait Described: Protocol {
    /// The name of its table: `[model.NAME]`.
    const NAME: &'static str;
    /// One sentence.
    const ABOUT: &'static str;
    /// Its configuration keys.
    const KEYS: &'static [KeySpec];
    /// What is modelled, simplified, absent.
    const SCOPE: &'static [ScopeRow];
    /// The marks it can reach, each with one sentence.
    const MARKS: &'static [(Mark, &'static str)];
    /// The roles that selectors may name besides nodes and groups, as [`Protocol::resolve`] knows them.
    const ROLES: &'static [&'static str];

    /// The configuration in a table whose keys and values are each in order; what contradicts itself is added to the problems.
    /// `None`, or an error among them: there is none.
    fn configure(table: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Self::Config>;
    /// The configuration as TOML lines under `[model.NAME]`, defaults included; what decides something must be in it.
    /// [`Reader::resolved`] prints the table that it was made of.
    fn print(config: &Self::Config, table: &Reader<'_>) -> String;
    /// What the configuration promises.
    fn promises(config: &Self::Config) -> Promises;
}

/// The model of a protocol, for [`crate::cli::main`] or [`crate::scenario::Source`].
#[must_use]
pub const fn model<P: Described>() -> &'static dyn Model {
    Adapter::<P>::MODEL
}

/// A protocol as scenarios know it.
pub struct Adapter<P>(PhantomData<fn() -> P>);

impl<P: Described> Adapter<P> {
    /// The only value: all it has to say is in the type.
    pub const NEW: Adapter<P> = Adapter(PhantomData);
    const MODEL: &'static dyn Model = &Adapter::<P>(PhantomData);
}

impl<P: Described> fmt::Debug for Adapter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the model `{}`", P::NAME)
    }
}

impl<P: Described> Model for Adapter<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }
    fn about(&self) -> &'static str {
        P::ABOUT
    }
    fn keys(&self) -> &'static [KeySpec] {
        P::KEYS
    }
    fn scope(&self) -> &'static [ScopeRow] {
        P::SCOPE
    }
    fn marks(&self) -> &'static [(Mark, &'static str)] {
        P::MARKS
    }
    fn roles(&self) -> &'static [&'static str] {
        P::ROLES
    }
    fn kinds(&self) -> &'static [&'static str] {
        P::kinds()
    }
    fn check(&self, table: &Table, problems: &mut Vec<Problem>) -> Option<Box<dyn Checked>> {
        let mut found = Vec::new();
        let reader = Reader::new(table, P::KEYS, &format!("model.{}", P::NAME), &mut found);
        let config = if found.iter().any(is_error) { None } else { P::configure(&reader, &mut found) };
        let wrong = found.iter().any(is_error);
        assert!(config.is_some() || wrong, "{self:?} refuses a table without saying why");
        problems.append(&mut found);
        let config = config.filter(|_| !wrong)?;
        let printed = P::print(&config, &reader);
        Some(Box::new(Ready::<P> { config: Arc::new(config), printed }))
    }
}

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
}

/// A checked configuration with its text.
struct Ready<P: Described> {
    config: Arc<P::Config>,
    printed: String,
}

impl<P: Described> Checked for Ready<P> {
    fn model(&self) -> &'static dyn Model {
        model::<P>()
    }
    fn roster(&self) -> Roster {
        P::roster(&self.config)
    }
    fn promises(&self) -> Promises {
        P::promises(&self.config)
    }
    fn print(&self) -> String {
        self.printed.clone()
    }
    fn start(&self, surroundings: &Surroundings, seed: u64) -> Result<Box<dyn Sim>, Vec<String>> {
        let world: World<P> = World::new(Arc::clone(&self.config), surroundings, seed)?;
        Ok(Box::new(world))
    }
}
