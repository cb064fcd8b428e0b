//! One run as something that can be changed and tried: an arm under one seed, and how it goes wrong.

use crate::base::Digest;
use crate::check::{Verdict, Witness};
use crate::run::{Ran, Ready, RunOutcome, guarded, one};
use crate::scenario::ArmPlan;

/// One run: what is run, and under which seed.
#[derive(Clone, Debug)]
pub struct Case {
    /// Everything that is run.
    pub arm: ArmPlan,
    /// Its chance.
    pub seed: u64,
}

/// A way in which a run can be wrong: a property is broken, the protocol's own invariant is breached, the model panics.
pub use crate::scenario::Of as Violation;

/// What counts as going wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// Whatever the arm forbids: a promise or a claim of its own that is broken, an invariant breached, a panic.
    Forbidden,
    /// This, whether or not it was promised: the breach that a scenario shows on purpose.
    Observed(Violation),
    /// This, and the arm must forbid it: what a shrunk run must still do.
    Same(Violation),
}

impl Goal {
    /// The goal for what was found under this one.
    #[must_use]
    pub const fn same(self, found: Violation) -> Goal {
        match self {
            Goal::Forbidden | Goal::Same(_) => Goal::Same(found),
            Goal::Observed(_) => Goal::Observed(found),
        }
    }
}

/// What is wrong with a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// What.
    pub violation: Violation,
    /// The proof in one sentence: the witness's, the invariant's, the panic's.
    pub sentence: String,
    /// The messages and nodes that show it, when a judge found it.
    pub witness: Option<Witness>,
    /// The digest of the run; `None` when it panicked.
    pub digest: Option<Digest>,
}

impl Case {
    /// Runs it, and says what is wrong with it by a goal: the first in the order of [`Violation`].
    #[must_use]
    pub fn try_for(&self, goal: Goal) -> Option<Found> {
        self.all_wrong(goal).into_iter().next()
    }

    /// Runs it, and says everything that is wrong with it by a goal.
    #[must_use]
    pub fn all_wrong(&self, goal: Goal) -> Vec<Found> {
        match guarded(self.seed, || Ready::new(&self.arm)).and_then(|ready| one(&ready, self.seed)) {
            Ok(ran) => wrong_with(&self.arm, &ran, goal),
            Err(crash) => {
                let found = Found { violation: Violation::Panic, sentence: crash.what, witness: None, digest: None };
                wanted(goal, Violation::Panic, true).then_some(found).into_iter().collect()
            }
        }
    }
}

/// Whether a violation is what a goal asks for.
fn wanted(goal: Goal, violation: Violation, forbidden: bool) -> bool {
    match goal {
        Goal::Forbidden => forbidden,
        Goal::Observed(one) => one == violation,
        Goal::Same(one) => one == violation && forbidden,
    }
}

/// Everything that is wrong with a finished run by a goal, in the order of [`Violation`].
#[must_use]
pub fn wrong_with(arm: &ArmPlan, ran: &Ran, goal: Goal) -> Vec<Found> {
    let run: &RunOutcome = &ran.outcome;
    let digest = Some(run.digest);
    let mut all = Vec::new();
    for finding in &run.judged.findings {
        let violation = Violation::Property(finding.property);
        let early = ran.early.iter().filter(|early| early.property == finding.property).map(|early| &early.verdict);
        let broken = early.chain([&finding.verdict]).find_map(|verdict| match verdict {
            Verdict::Broken(witness) => Some(witness.clone()),
            Verdict::Holds { .. } | Verdict::Unknown { .. } => None,
        });
        let Some(witness) = broken else { continue };
        if wanted(goal, violation, arm.expectations().forbids(finding.property, finding.promised)) {
            all.push(Found { violation, sentence: witness.sentence.clone(), witness: Some(witness), digest });
        }
    }
    if let Some(sentence) = &run.invariant
        && wanted(goal, Violation::Invariant, true)
    {
        all.push(Found { violation: Violation::Invariant, sentence: sentence.clone(), witness: None, digest });
    }
    all
}
