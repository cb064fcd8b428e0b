//! When a run was lost: forks along a failing run with fresh futures, and the event after which most of them end badly.
//!
//! At each of many moments the run is copied, chance is drawn anew from there on, and the copies run to their ends. The share of bad
//! endings is asked twice: with all faults that are still to come, and as if nothing more went wrong. Where the share rises most, the
//! stretch between two moments is halved again and again, down to one event.

#[cfg(test)]
mod tests;
mod words;

use rayon::prelude::*;

use crate::base::{Stream, Time, Words};
use crate::check::stats::{Interval, wilson};
use crate::check::{Ratio, Witness};
use crate::record::{Phase, What};
use crate::run::{Crash, How, Passage, Ready, RunOutcome, guarded};

use super::case::{Case, Found, Goal, Seen, Violation, wanted, wrong_in};

/// How closely to look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// What counts as a bad ending.
    pub goal: Goal,
    /// How many futures are drawn at each moment, for each of the two questions.
    pub futures: u64,
    /// At about how many moments.
    pub moments: u64,
}

/// How sure the bands around shares are.
pub const ALPHA: f64 = 0.05;

/// A moment of the run, and how many of the futures from there end badly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// How many steps of the run come before it.
    pub step: u64,
    /// The time of the last event before it.
    pub at: Time,
    /// With the faults that are still to come.
    pub faults: Ratio,
    /// If nothing more went wrong.
    pub spared: Ratio,
}

/// One of the two questions that are asked at each moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Curve {
    /// With the faults that are still to come.
    Faults,
    /// If nothing more went wrong.
    Spared,
}

impl Look {
    /// The share of bad endings.
    #[must_use]
    pub const fn share(&self, curve: Curve) -> Ratio {
        match curve {
            Curve::Faults => self.faults,
            Curve::Spared => self.spared,
        }
    }

    /// Where the true share lies, in 95 of 100 such intervals.
    #[must_use]
    pub fn band(&self, curve: Curve) -> Interval {
        wilson(self.share(curve), ALPHA)
    }
}

/// The event after which the share of bad endings is most above what it was before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Jump {
    /// In which of the two curves.
    pub curve: Curve,
    /// Just before the event.
    pub before: Look,
    /// Just after it.
    pub after: Look,
    /// What happened.
    pub event: String,
}

/// When a run was lost.
#[derive(Clone, Debug)]
pub struct Doom {
    /// The run.
    pub case: Case,
    /// How it goes wrong.
    pub found: Found,
    /// How it came out.
    pub run: RunOutcome,
    /// Start of each phase, with its name, and the end.
    pub phases: Vec<(String, Time)>,
    /// How many steps it has.
    pub steps: u64,
    /// In order of time.
    pub looks: Vec<Look>,
    /// The jump; `None` when the share never rises.
    pub jump: Option<Jump>,
}

/// Asks when a run was lost. `None` when it is not: nothing that the goal asks for is wrong with it. `done` is called after each
/// moment. Threads are those of the rayon pool it is called in; the result does not depend on how many there are.
///
/// # Errors
/// A panic of the run, unless it is what the goal asks for.
pub fn doom(case: &Case, asked: &Asked, done: &(dyn Fn() + Sync)) -> Result<Option<Doom>, Crash> {
    let ready = guarded(case.seed, || Ready::new(&case.arm))?;
    let (run, found) = guarded(case.seed, || {
        let ran = Passage::start(&ready, case.seed, How::default()).run(|_| ()).finish();
        let found = super::wrong_with(&case.arm, &ran, asked.goal).into_iter().next();
        (ran.outcome, found)
    })?;
    let Some(found) = found else { return Ok(None) };
    let oracle = Oracle::new(&ready, case.seed, asked, found.violation);
    let way = guarded(case.seed, || Way::of(&ready, case.seed, found.witness.as_ref()))?;
    let looks = oracle.look_at(&way.chosen(asked.moments), done);
    let jump = oracle.jump(&looks).map(|(curve, before, after)| {
        let event = words::event(&ready, case.seed, before.step);
        Jump { curve, before, after, event }
    });
    let phases = case.arm.phases().boundaries().map(|(at, phase)| (phase.name().to_owned(), at)).collect();
    Ok(Some(Doom { case: case.clone(), found, run, phases, steps: way.steps.len() as u64, looks, jump }))
}

/// The run, step by step: when each step is over, and whether it tells something of the witness or of a fault.
struct Way {
    steps: Vec<(Time, bool)>,
    end: Time,
}

impl Way {
    fn of(ready: &Ready<'_>, seed: u64, witness: Option<&Witness>) -> Way {
        let mut passage = Passage::start(ready, seed, How::default());
        passage.skip_figures();
        let mut steps = Vec::new();
        loop {
            let more = passage.step_one();
            let telling = passage.entries().iter().any(|entry| is_telling(&entry.what, witness));
            steps.push((passage.sim().now(), telling));
            if !more {
                return Way { steps, end: ready.arm().phases().start(Phase::Final) };
            }
        }
    }

    /// About so many moments, as numbers of steps: half of them evenly over the time, half before and after what tells something.
    fn chosen(&self, moments: u64) -> Vec<u64> {
        let half = (moments / 2).max(2);
        let at = |n: u64| Time::ZERO + crate::base::Span::nanos(self.end.nanos() / half * n);
        let even = (0..half).map(|n| self.steps.partition_point(|(time, _)| *time < at(n)));
        let telling: Vec<usize> = self.steps.iter().enumerate().filter(|(_, (_, telling))| *telling).map(|(step, _)| step).collect();
        let stride = telling.len().div_ceil(usize::try_from(half / 2).expect("small").max(1)).max(1);
        let near = telling.iter().step_by(stride).chain(telling.last()).flat_map(|step| [*step, step + 1]);
        let mut all: Vec<u64> = even.chain(near).filter(|step| *step < self.steps.len()).map(|step| step as u64).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn is_telling(what: &What, witness: Option<&Witness>) -> bool {
    if matches!(what, What::Fault { .. }) {
        return true;
    }
    let Some(payload) = what.payload() else { return false };
    witness.is_some_and(|witness| witness.payloads.contains(&payload))
}

/// Draws futures.
struct Oracle<'a> {
    ready: &'a Ready<'a>,
    seed: u64,
    goal: Goal,
    violation: Violation,
    /// The same at every moment: so two neighbouring moments differ by what happened between them, and by nothing else that can be helped.
    futures: Vec<u64>,
}

impl<'a> Oracle<'a> {
    fn new(ready: &'a Ready<'a>, seed: u64, asked: &Asked, violation: Violation) -> Oracle<'a> {
        let mut words = Stream::named(seed, "futures", 0);
        let futures = (0..asked.futures).map(|_| words.word()).collect();
        Oracle { ready, seed, goal: asked.goal.same(violation), violation, futures }
    }

    /// Goes along the run and looks at these moments.
    fn look_at(&self, steps: &[u64], done: &(dyn Fn() + Sync)) -> Vec<Look> {
        /// Copies of the run that are kept at once.
        const BATCH: usize = 64;
        let mut passage = Passage::start(self.ready, self.seed, How::default());
        passage.skip_figures();
        let mut gone = 0;
        let mut looks = Vec::new();
        for batch in steps.chunks(BATCH) {
            let mut copies = Vec::new();
            for step in batch {
                while gone < *step {
                    passage.step_one();
                    gone += 1;
                }
                copies.push((*step, passage.clone()));
            }
            let look = |(step, copy): (u64, Passage<'_>)| {
                let look = self.look(step, &copy);
                done();
                look
            };
            looks.extend(copies.into_par_iter().map(look).collect::<Vec<Look>>());
        }
        looks
    }

    fn look(&self, step: u64, copy: &Passage<'_>) -> Look {
        let share = |curve| {
            let bad = self.futures.iter().filter(|seed| self.ends_badly(copy.clone(), **seed, curve)).count() as u64;
            Ratio { part: bad, whole: self.futures.len() as u64 }
        };
        Look { step, at: copy.sim().now(), faults: share(Curve::Faults), spared: share(Curve::Spared) }
    }

    fn ends_badly(&self, mut passage: Passage<'_>, seed: u64, curve: Curve) -> bool {
        let ended = guarded(seed, || {
            passage.reseed(seed);
            if curve == Curve::Spared {
                passage.spare();
            }
            loop {
                if let Violation::Property(property) = self.violation
                    && passage.judges().is_breached(property)
                {
                    return true;
                }
                if !passage.step() {
                    break;
                }
            }
            let (findings, breach) = (passage.findings(), passage.breach());
            let seen = Seen { findings: &findings, early: passage.early(), invariant: breach.as_deref(), digest: passage.digest() };
            !wrong_in(self.ready.arm(), &seen, self.goal).is_empty()
        });
        ended.unwrap_or_else(|_| wanted(self.goal, Violation::Panic, true))
    }

    /// The event after which the share is most above what it was before it: the largest rise between two looks, narrowed down.
    fn jump(&self, looks: &[Look]) -> Option<(Curve, Look, Look)> {
        let rises = [Curve::Spared, Curve::Faults].map(|curve| {
            let pairs = looks.windows(2).map(move |pair| (rise(curve, &pair[0], &pair[1]), curve, pair[0], pair[1]));
            pairs.reduce(|best, next| if next.0 > best.0 { next } else { best })
        });
        let best = rises.into_iter().flatten().reduce(|spared, faults| if faults.0 > spared.0 { faults } else { spared });
        let (_, curve, mut before, mut after) = best.filter(|(rise, ..)| *rise > 0)?;
        while after.step - before.step > 1 {
            let middle = self.look_at(&[u64::midpoint(before.step, after.step)], &|| ())[0];
            if rise(curve, &before, &middle) >= rise(curve, &middle, &after) {
                after = middle;
            } else {
                before = middle;
            }
        }
        Some((curve, before, after))
    }
}

/// By how many futures the share rises; all looks draw equally many.
fn rise(curve: Curve, before: &Look, after: &Look) -> u64 {
    after.share(curve).part.saturating_sub(before.share(curve).part)
}
