//! One run picked on the command line: a file, an arm of it, a seed.

use clap::Args;

use crate::lab::{Capsule, Case};
use crate::model::Model;
use crate::scenario::{ArmPlan, Plan};

use super::args::Which;
use super::exit::Exit;
use super::verbs;
use super::voice::complain;

/// Which run.
#[derive(Args, Debug)]
pub(super) struct Pick {
    /// A scenario file or a capsule
    #[arg(value_name = "FILE")]
    pub(super) file: String,
    /// The run's seed [default: the file's first]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// The run's arm [default: the file's own settings]
    #[arg(long, value_name = "NAME")]
    pub(super) arm: Option<String>,
    /// Change a value of the scenario, such as --set load.rate=200/s; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

/// The run that was picked.
pub(super) struct Picked {
    /// The whole file.
    pub(super) plan: Plan,
    /// The arm and the seed.
    pub(super) case: Case,
}

impl Picked {
    /// The capsule that the file is, if it is one.
    pub(super) fn capsule(&self) -> Option<Capsule> {
        Capsule::from_plan(self.plan.clone())
    }
}

impl Pick {
    /// Reads the file and finds the arm; what is wrong is said.
    pub(super) fn read(&self, models: &[&'static dyn Model]) -> Result<Picked, Exit> {
        let which = Which { files: vec![self.file.clone()], set: self.set.clone() };
        let plan = verbs::read(&self.file, &which, models)?;
        let seed = self.seed.unwrap_or(plan.seeds().first);
        let arm = match &self.arm {
            None => plan.arms().first(),
            Some(name) => plan.arms().iter().find(|arm| arm.name() == name),
        };
        let Some(arm) = arm.cloned() else {
            let arms: Vec<&str> = plan.arms().iter().map(ArmPlan::name).collect();
            let name = self.arm.as_deref().unwrap_or_default();
            complain(&format!("{} has no arm `{name}` (arms: {})", self.file, arms.join(", ")));
            return Err(Exit::Usage);
        };
        Ok(Picked { case: Case { arm, seed }, plan })
    }

    /// Where a capsule of this run comes from, in a few words.
    pub(super) fn origin(&self, case: &Case) -> String {
        let arm = self.arm.as_ref().map_or(String::new(), |arm| format!(", arm {arm}"));
        let set = if self.set.is_empty() { String::new() } else { format!(", with {}", self.set.join(" ")) };
        format!("{}{arm}, seed {}{set}", self.file.replace('\\', "/"), case.seed)
    }
}
