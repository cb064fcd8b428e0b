//! The checked plan: what will be run, with nothing left to check.

use std::sync::Arc;

use crate::base::Problem;
use crate::load::{LoadConfig, Phases};
use crate::model::Checked;
use crate::world::Surroundings;

use super::capsule::CapsuleNote;
use super::expect::Expectations;
use super::print;

/// A checked scenario. There is one way to get it: [`super::read`]; it prints itself as TOML that reads as an equal plan.
#[derive(Clone)]
pub struct Plan {
    pub(super) question: String,
    pub(super) answer: String,
    pub(super) seeds: Seeds,
    /// The file's own settings first, then each arm's.
    pub(super) arms: Vec<ArmPlan>,
    pub(super) capsule: Option<CapsuleNote>,
    pub(super) warnings: Vec<Problem>,
}

/// Which runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seeds {
    /// The first seed.
    pub first: u64,
    /// How many runs of each arm: the full number.
    pub count: u64,
}

impl Plan {
    /// What the scenario asks.
    #[must_use]
    pub fn question(&self) -> &str {
        &self.question
    }
    /// What it expects, in words.
    #[must_use]
    pub fn answer(&self) -> &str {
        &self.answer
    }
    /// Which runs.
    #[must_use]
    pub const fn seeds(&self) -> Seeds {
        self.seeds
    }
    /// The arms. The first is called `main`: the file's own settings.
    #[must_use]
    pub fn arms(&self) -> &[ArmPlan] {
        &self.arms
    }
    /// What the file says of the run it replays, if it is a capsule: then there is one arm and one seed.
    #[must_use]
    pub const fn capsule(&self) -> Option<&CapsuleNote> {
        self.capsule.as_ref()
    }
    /// What is odd about the plan, though not wrong.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
    /// The plan as a scenario file, defaults included.
    #[must_use]
    pub fn print(&self) -> String {
        print::plan(self)
    }
    /// A hash of everything that may change an outcome; spelling, order of keys and comments do not matter, and neither does what
    /// a capsule says of its run.
    #[must_use]
    pub fn hash(&self) -> String {
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(print::run(self).as_bytes()))
    }
}

impl PartialEq for Plan {
    /// Warnings do not count: they say nothing of what is run.
    fn eq(&self, other: &Plan) -> bool {
        (&self.question, &self.answer, self.seeds) == (&other.question, &other.answer, other.seeds)
            && self.arms == other.arms
            && self.capsule == other.capsule
    }
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.print())
    }
}

/// The name of the first arm.
pub const MAIN: &str = "main";

/// One arm: the same scenario under its own settings.
#[derive(Clone)]
pub struct ArmPlan {
    pub(super) name: String,
    pub(super) model: Arc<dyn Checked>,
    pub(super) surroundings: Surroundings,
    pub(super) load: LoadConfig,
    /// By stream: the file that its trace comes from.
    pub(super) traces: Vec<Option<String>>,
    pub(super) phases: Phases,
    pub(super) expectations: Expectations,
    pub(super) differs: Vec<String>,
}

impl ArmPlan {
    /// `main`, or the arm's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
    /// The checked model.
    #[must_use]
    pub fn model(&self) -> &Arc<dyn Checked> {
        &self.model
    }
    /// Network, machines, faults and the times of chaos. Trace and invariant checks are off; whoever runs it turns them on.
    #[must_use]
    pub const fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }
    /// What clients ask for.
    #[must_use]
    pub const fn load(&self) -> &LoadConfig {
        &self.load
    }
    /// How long each phase lasts.
    #[must_use]
    pub const fn phases(&self) -> &Phases {
        &self.phases
    }
    /// What is expected of the runs.
    #[must_use]
    pub const fn expectations(&self) -> &Expectations {
        &self.expectations
    }
    /// The settings that differ from the main arm, as `key = value`; defaults are settings too.
    #[must_use]
    pub fn differs(&self) -> &[String] {
        &self.differs
    }
}

impl PartialEq for ArmPlan {
    fn eq(&self, other: &ArmPlan) -> bool {
        let (one, two) = (&self.surroundings, &other.surroundings);
        self.name == other.name
            && self.model.model().name() == other.model.model().name()
            && self.model.print() == other.model.print()
            && one.network == two.network
            && one.machines == two.machines
            && one.faults == two.faults
            && one.overrides == two.overrides
            && (one.chaos_start, one.heal_start) == (two.chaos_start, two.heal_start)
            && (&self.load, &self.traces, self.phases) == (&other.load, &other.traces, other.phases)
            && self.expectations == other.expectations
            && self.differs == other.differs
    }
}

impl std::fmt::Debug for ArmPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&print::settings(self))
    }
}
