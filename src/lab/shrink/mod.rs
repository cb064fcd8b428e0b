//! Shrinking: from a run that goes wrong to the smallest that goes wrong in the same way.
//!
//! The run is frozen first ([`freeze()`](super::freeze())), so that parts can be taken away and the rest stays as it is. Then everything is tried that
//! makes it smaller or simpler: messages, faults, named transmissions, times, laws, machines, keys of the model, clients, the seed. A
//! change stays when the run still shows the same violation; the verdict alone decides. What comes out is minimal: no operation, fault,
//! override or entry of the model's table can be taken away alone, and no whole number of the model's table can be one less.

mod faults;
mod finish;
mod load;
mod model;
mod names;
mod nearby;
mod network;
mod size;
mod time;
mod trials;

use crate::model::Model;

use super::case::{Case, Found, Goal};
use super::freeze;
use trials::Trials;

pub use size::Size;

/// Rounds over all passes. Each round that changed something is followed by another; a handful is enough, and there is an end.
const ROUNDS: usize = 12;

/// A case that was made as small as it gets.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smallest case. Its arm is called `main` and makes no claims about what becomes of its faults.
    pub case: Case,
    /// What is wrong with it: the same violation.
    pub found: Found,
    /// How many cases were run.
    pub tried: u64,
    /// How many of them took the place of the one before.
    pub accepted: u64,
    /// What each pass achieved, in words.
    pub steps: Vec<String>,
}

/// Makes a case as small as it gets while it shows what was found, by the goal that it was found under: [`Goal::Observed`] of a breach that
/// a scenario shows on purpose, otherwise the arm must forbid it. `done` is called after each run. The result does not depend on the number of
/// workers. When the case does not show what was found, it is given back as it is.
#[must_use]
pub fn shrink(case: &Case, found: &Found, goal: Goal, models: &[&'static dyn Model], done: &(dyn Fn() + Sync)) -> Shrunk {
    let goal = goal.same(found.violation);
    let unchanged = || Shrunk { case: case.clone(), found: found.clone(), tried: 0, accepted: 0, steps: Vec::new() };
    let cases = freeze::candidates(case).unwrap_or_else(|_| vec![case.clone()]);
    let Some(trials) = Trials::begin(cases, goal, models, done) else { return unchanged() };
    let mut work = Work { trials, steps: Vec::new() };
    work.all();
    let Work { trials, steps } = work;
    Shrunk { case: trials.case, found: trials.found, tried: trials.tried, accepted: trials.accepted, steps }
}

/// The passes, and what they have achieved.
struct Work<'a> {
    trials: Trials<'a>,
    steps: Vec<String>,
}

impl<'a> Work<'a> {
    /// One pass; it gets a line when it achieved something.
    fn pass(&mut self, name: &str, pass: impl FnOnce(&mut Trials<'a>)) {
        let (before, accepted) = (Size::of(&self.trials.case), self.trials.accepted);
        pass(&mut self.trials);
        if self.trials.accepted > accepted {
            let what = before.difference(&Size::of(&self.trials.case));
            self.steps.push(format!("{name}: {}", what.unwrap_or_else(|| "simpler".to_owned())));
        }
    }

    fn all(&mut self) {
        for round in 0..ROUNDS {
            let accepted = self.trials.accepted;
            self.pass("messages", load::fewer);
            self.pass("phases", time::phases);
            self.pass("faults", faults::fewer);
            self.pass("named transmissions", network::fewer_overrides);
            self.pass("messages", load::fewer);
            self.pass("messages and faults, overrides following", names::fewer);
            self.pass("network", network::simpler);
            self.pass("machines", network::machines);
            self.pass("kinds of faults", faults::simpler);
            self.pass("operations", load::simpler);
            self.pass("model", model::smaller);
            if round < 3 {
                self.pass("times", time::sooner);
            }
            self.pass("rounder times", time::rounder);
            if self.trials.accepted == accepted {
                self.pass("a small one nearby", nearby::small);
            }
            if self.trials.accepted == accepted {
                break;
            }
        }
        self.pass("seed", finish::seed);
        self.pass("single parts", finish::singles);
        self.pass("drain", finish::drain);
    }
}
