//! Looks for a run that goes wrong: many runs of one arm, each under other faults, another network, other machines and another load.
//!
//! Each run is a [`Variation`] of the arm. Half of them are made afresh, each with a random handful of the allowed kinds of trouble
//! (*swarm testing*: a run in which everything happens at once never gets into the states that need one thing and the absence of
//! another). The other half are small changes of variations that reached something new before: a mark, a mark after another, an
//! unheard-of number of retries, duplicates or losses.
//!
//! Runs are made in batches of one size from what was known before the batch, run in parallel, and looked at in order. So
//! what is found does not depend on the number of workers.

mod breed;
mod conditions;
mod cover;
#[cfg(test)]
mod tests;
mod trouble;
mod variation;
mod words;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::record::Mark;
use crate::run::{Passage, Ready, guarded};
use crate::scenario::ArmPlan;

use super::case::{Case, Found, Goal, Violation, wrong_with};
use super::vocabulary::Vocabulary;

use breed::Breeder;
pub use conditions::Condition;
use cover::{Cover, Sight, Trail};
pub use variation::Variation;
pub use words::varied;

/// So many runs are made from the same knowledge, whatever the number of workers: the result must not depend on it.
const BATCH: u64 = 16;

/// What is hunted, and with what.
#[derive(Clone, Debug)]
pub struct Hunt<'a> {
    /// What is varied.
    pub arm: &'a ArmPlan,
    /// Names the hunt: the same seed makes the same runs.
    pub seed: u64,
    /// What counts as going wrong.
    pub goal: Goal,
    /// Which faults may be brought about, and at whom.
    pub vocabulary: Vocabulary,
    /// What else may be changed.
    pub conditions: Vec<Condition>,
    /// How runs are chosen.
    pub guidance: Guidance,
    /// When it is over.
    pub quarries: Quarries,
    /// At most so many runs.
    pub runs: u64,
}

impl<'a> Hunt<'a> {
    /// Everything that an arm may meet, until something that it forbids is found; without an end to the runs.
    #[must_use]
    pub fn new(arm: &'a ArmPlan, seed: u64) -> Hunt<'a> {
        Hunt {
            arm,
            seed,
            goal: Goal::Forbidden,
            vocabulary: Vocabulary::of(arm),
            conditions: Condition::ALL.to_vec(),
            guidance: Guidance::Coverage,
            quarries: Quarries::First,
            runs: u64::MAX,
        }
    }

    /// The run of this number if nothing is known yet: every run without guidance, and the first ones with it.
    #[must_use]
    pub fn fresh(&self, number: u64) -> Variation {
        Breeder::new(self).variation(number, &Cover::default())
    }
}

/// How runs are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guidance {
    /// Every run is made afresh.
    None,
    /// Half the runs are changes of those that reached something new.
    Coverage,
}

/// How much is enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Quarries {
    /// The first run that goes wrong.
    First,
    /// The first run of each way to go wrong.
    Distinct,
}

/// A run that goes wrong.
#[derive(Clone, Debug)]
pub struct Quarry {
    /// The run.
    pub case: Case,
    /// What is wrong with it.
    pub found: Found,
    /// The how-manieth run of the hunt it was, from one.
    pub run: u64,
}

/// How far a hunt is.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'h> {
    /// Runs looked at.
    pub runs: u64,
    /// What they brought.
    pub found: &'h [Quarry],
}

/// What a hunt came to.
#[derive(Clone, Debug)]
pub struct Hunted {
    /// The runs that go wrong, in the order in which they were found.
    pub found: Vec<Quarry>,
    /// How many runs were looked at.
    pub runs: u64,
    /// How many of them panicked though that was not what was looked for.
    pub panics: u64,
    /// In how many runs each mark of the model was reached; also those that never were.
    pub marks: Vec<(Mark, u64)>,
    /// How many things were told apart: marks and how often, marks after one another, numbers of what became of messages.
    pub features: usize,
    /// How many situations were told apart: how full the queues were, and which marks had just been reached.
    pub situations: usize,
    /// How many runs reached something new, and were changed to reach more.
    pub kept: usize,
}

/// Runs variations of an arm until one goes wrong, `runs` are over, or `stop` says so: it is asked before each batch. `done` is called
/// after each run, from any worker. Workers are those of the rayon pool it is called in.
#[must_use]
pub fn hunt(hunt: &Hunt<'_>, stop: &dyn Fn(&Progress<'_>) -> bool, done: &(dyn Fn() + Sync)) -> Hunted {
    let breeder = Breeder::new(hunt);
    let mut cover = Cover::default();
    let mut sum = Sum { found: Vec::new(), runs: 0, panics: 0 };
    while sum.runs < hunt.runs && !sum.is_over(hunt.quarries) && !stop(&Progress { runs: sum.runs, found: &sum.found }) {
        let end = hunt.runs.min(sum.runs.saturating_add(BATCH));
        let batch: Vec<Variation> = (sum.runs..end).map(|number| breeder.variation(number, &cover)).collect();
        let look = |variation: &Variation| {
            let seen = look(hunt, variation);
            done();
            seen
        };
        let seen: Vec<(Case, Sight)> = batch.par_iter().map(look).collect();
        for (variation, (case, sight)) in batch.into_iter().zip(seen) {
            sum.add(hunt.quarries, &case, &sight);
            cover.add(variation, sight);
            if sum.is_over(hunt.quarries) {
                break;
            }
        }
    }
    let reached: BTreeMap<Mark, u64> = cover.marks();
    let known = hunt.arm.model().model().marks().iter();
    Hunted {
        found: sum.found,
        runs: sum.runs,
        panics: sum.panics,
        marks: known.map(|(mark, _)| (*mark, reached.get(mark).copied().unwrap_or(0))).collect(),
        features: cover.features(),
        situations: cover.situations(),
        kept: cover.kept().len(),
    }
}

/// What a hunt has brought so far.
struct Sum {
    found: Vec<Quarry>,
    runs: u64,
    panics: u64,
}

impl Sum {
    /// Looks at the next run.
    fn add(&mut self, quarries: Quarries, case: &Case, sight: &Sight) {
        self.runs += 1;
        self.panics += u64::from(sight.panicked && sight.found.is_empty());
        for found in &sight.found {
            let known = |violation: Violation| self.found.iter().any(|quarry| quarry.found.violation == violation);
            if !known(found.violation) && !self.is_over(quarries) {
                self.found.push(Quarry { case: case.clone(), found: found.clone(), run: self.runs });
            }
        }
    }

    fn is_over(&self, quarries: Quarries) -> bool {
        match quarries {
            Quarries::First => !self.found.is_empty(),
            Quarries::Distinct => false,
        }
    }
}

/// Runs one variation and notes what it reaches.
fn look(hunt: &Hunt<'_>, variation: &Variation) -> (Case, Sight) {
    let case = Case { arm: variation.apply(hunt.arm), seed: variation.seed };
    let watched = guarded(case.seed, || {
        let ready = Ready::new(&case.arm);
        let mut passage = Passage::start(&ready, case.seed, crate::run::How::default());
        let mut trail = Trail::new(case.arm.phases());
        while passage.step() {
            trail.note(&passage);
        }
        trail.note(&passage);
        (passage.finish(), trail)
    });
    let sight = match watched {
        Ok((ran, trail)) => trail.finish(&ran, wrong_with(&case.arm, &ran, hunt.goal)),
        Err(_) => Sight::panicked(case.all_wrong(hunt.goal)),
    };
    (case, sight)
}
