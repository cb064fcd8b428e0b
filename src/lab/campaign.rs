//! A scenario's campaign: all its arms under all their seeds.

use crate::base::Problem;
use crate::run::{Answer, Outcome};
use crate::scenario::{ArmPlan, Plan};

use super::arm::{self, Budget, Failure};
use super::repro::Repro;

/// The version of the outcome's format; grows when a field changes its meaning.
pub const FORMAT: u32 = 1;

/// What is to be run, and how it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Campaign<'a> {
    /// The scenario.
    pub plan: &'a Plan,
    /// The scenario file as it was named.
    pub file: &'a str,
    /// The settings given on the command line, as `key=value`.
    pub set: &'a [String],
    /// Which seeds.
    pub budget: Budget,
    /// Only this arm.
    pub arm: Option<&'a str>,
}

impl<'a> Campaign<'a> {
    /// All arms of a scenario under all seeds of the file, without settings on top.
    #[must_use]
    pub const fn new(plan: &'a Plan, file: &'a str) -> Campaign<'a> {
        Campaign { plan, file, set: &[], budget: Budget::Full, arm: None }
    }

    /// The arms that are to run.
    pub fn arms(&self) -> impl Iterator<Item = &'a ArmPlan> + use<'a> {
        let only = self.arm;
        self.plan.arms().iter().filter(move |arm| only.is_none_or(|name| arm.name() == name))
    }

    /// How many runs that makes at most.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.arms().count() as u64 * self.budget.seeds(self.plan.seeds()).count
    }

    /// The line that repeats a run.
    #[must_use]
    pub fn repro(&self, arm: &str, seed: u64, digest: Option<crate::base::Digest>) -> String {
        let many = self.plan.arms().len() > 1;
        let hash = self.plan.hash();
        Repro { file: self.file, arm: many.then_some(arm), set: self.set, seed, plan: &hash, digest }.to_string()
    }
}

/// Runs a scenario. `done` is called after each run, from any worker. Workers are those of the rayon pool it is called in; the
/// outcome does not depend on how many there are.
///
/// # Errors
/// The first run, in the order of arms and seeds, that panicked: our own bug.
///
/// # Panics
/// When no arm is chosen.
pub fn campaign(campaign: &Campaign<'_>, done: &(dyn Fn() + Sync)) -> Result<Outcome, Failure> {
    let mut arms = Vec::new();
    for plan in campaign.arms() {
        let mut outcome = arm::run(campaign.plan, plan, campaign.budget, done)?;
        if arms.is_empty() {
            outcome.warnings.splice(0..0, campaign.plan.warnings().iter().map(warning));
        }
        outcome.repro = campaign.repro(plan.name(), outcome.shown.seed, Some(outcome.shown.digest));
        arms.push(outcome);
    }
    assert!(!arms.is_empty(), "a campaign has an arm");
    Ok(Outcome {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION"),
        scenario: campaign.file.replace('\\', "/"),
        plan: campaign.plan.hash(),
        question: campaign.plan.question().to_owned(),
        answer_expected: campaign.plan.answer().to_owned(),
        answer: Answer::of_all(arms.iter().map(|a| a.answer)),
        arms,
    })
}

/// A warning about the file, on one line.
fn warning(problem: &Problem) -> String {
    let line = problem.place.as_ref().map_or(String::new(), |place| format!("line {}: ", place.line_column().0));
    let hint = problem.hint.as_ref().map_or(String::new(), |hint| format!("; {hint}"));
    format!("{line}{}{hint}", problem.what)
}
