//! Every single fault at every step of one run: fork before each event, let each fault strike there, run on to the end.
//!
//! A *point* lies before an event: at a moment, after so many events of that very moment. Every finding is a plain case, the arm with
//! one more declared fault ([`When::Behind`]), and is run again as such before it is told.
//!
//! Forks that come back to a state from which everything was tried are not run on. What chance would do to them from there differs
//! by the names that it knows messages by, and by nothing else: a state is the moment, the fingerprint of the world, and how every
//! message stands. Results do not depend on the number of threads.

mod base;
mod fork;
mod pairs;
mod standing;
#[cfg(test)]
mod tests;
mod walk;
mod words;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::base::{Law, Span, Time};
use crate::parts::fault::{Fault, Ill, When};
use crate::run::{Crash, Ready, guarded};
use crate::scenario::ArmPlan;

use super::case::{Case, Found, Goal, Violation};
use super::vocabulary::{IllKind, Vocabulary};

use base::Base;
use fork::{Ending, Fork, Stage, Trial, Tried};
pub use pairs::Pairs;
use walk::Walk;
pub use words::label;

/// How long an added fault acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lasts {
    /// So long.
    For(Span),
    /// Until everything is healed.
    UntilHeal,
}

/// Whether forks end early in states that are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cutting {
    /// They do.
    Known,
    /// Every fork runs to its end.
    Never,
}

/// What is to be tried.
#[derive(Clone, PartialEq, Debug)]
pub struct Asked {
    /// Which faults, at whom.
    pub vocabulary: Vocabulary,
    /// How long each acts.
    pub lasts: Lasts,
    /// What counts as going wrong.
    pub goal: Goal,
    /// How many pairs of faults are tried after the single ones.
    pub pairs: u64,
    /// Whether known states end a fork.
    pub cutting: Cutting,
    /// Try only every so many points; 1: all.
    pub stride: u64,
}

impl Asked {
    /// Everything that destroys no disk at every node of an arm, for a third of a second each; no pairs.
    #[must_use]
    pub fn of(arm: &ArmPlan) -> Asked {
        Asked {
            vocabulary: Vocabulary::of(arm),
            lasts: Lasts::For(Span::millis(300)),
            goal: Goal::Forbidden,
            pairs: 0,
            cutting: Cutting::Known,
            stride: 1,
        }
    }
}

/// A place between two events of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Point {
    /// The moment of the next event.
    pub at: Time,
    /// How many events of that moment have been.
    pub behind: u32,
}

/// One fault at one point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Strike {
    /// Where.
    pub point: Point,
    /// Which of [`Exhausted::ills`].
    pub ill: usize,
}

/// A run in which something is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The faults that were added, in order of time.
    pub strikes: Vec<Strike>,
    /// What is wrong: all of it, or the first that was certain.
    pub violations: Vec<Violation>,
}

/// What was tried with one fault, and how it came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Forks.
    pub forks: u64,
    /// Of them: ended in a state of the run without the fault.
    pub back: u64,
    /// Of them: ended in a state of another fork.
    pub seen: u64,
    /// Of them: something is wrong.
    pub wrong: u64,
    /// Events that were run.
    pub events: u64,
    /// Events that were not run, because the end was known.
    pub saved: u64,
}

impl Tally {
    fn add(&mut self, fork: &Fork) {
        self.forks += 1;
        self.back += u64::from(fork.ending == Ending::Back);
        self.seen += u64::from(fork.ending == Ending::Seen);
        self.wrong += u64::from(!fork.wrong.is_empty());
        self.events += fork.events;
        self.saved += fork.saved;
    }

    fn plus(&mut self, other: &Tally) {
        self.forks += other.forks;
        self.back += other.back;
        self.seen += other.seen;
        self.wrong += other.wrong;
        self.events += other.events;
        self.saved += other.saved;
    }
}

/// Something that goes wrong, in one way, by faults of one kind at one target.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What.
    pub violation: Violation,
    /// In words, by which faults: `power_off broker`.
    pub by: String,
    /// At how many points (or with how many pairs).
    pub times: u64,
    /// The earliest.
    pub strikes: Vec<Strike>,
    /// The earliest as a case of its own.
    pub case: Case,
    /// What that case shows when it is run by itself; `None` would be our own bug.
    pub found: Option<Found>,
}

/// What came out of trying everything.
#[derive(Clone, Debug)]
pub struct Exhausted {
    /// The run: the arm as it was, and the seed.
    pub case: Case,
    /// What was asked.
    pub asked: Asked,
    /// What is wrong without any fault added; it is not told again.
    pub before: Vec<Found>,
    /// Points in the chaos phase, and how many of them were tried.
    pub points: u64,
    /// See `points`.
    pub tried: u64,
    /// The faults.
    pub ills: Vec<Ill>,
    /// Faults that this world does not have, each with the reason.
    pub refused: Vec<(Ill, String)>,
    /// By fault: what became of it.
    pub tallies: Vec<Tally>,
    /// Every run in which something is wrong, in order.
    pub hits: Vec<Hit>,
    /// The pairs, if some were asked for.
    pub pairs: Option<Pairs>,
    /// What goes wrong, each in one way by faults of one kind at one target; single faults first.
    pub findings: Vec<Finding>,
}

impl Exhausted {
    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.tallies.iter().for_each(|tally| total.plus(tally));
        total
    }

    /// The case of some strikes: the arm with so many declared faults more.
    #[must_use]
    pub fn case_of(&self, strikes: &[Strike]) -> Case {
        case_of(&self.case, &self.ills, self.asked.lasts, strikes)
    }
}

/// The fault of a strike. Its name is not one of those that the arm has.
fn fault_of(arm: &ArmPlan, ill: &Ill, (lasts, point): (Lasts, Point), number: usize) -> Fault {
    let taken = |name: &str| arm.surroundings().faults.iter().any(|fault| fault.name == name);
    let mut name = if number == 0 { label(ill) } else { format!("{}, number {}", label(ill), number + 1) };
    while taken(&name) {
        name.push_str(", added");
    }
    let lasts = match lasts {
        Lasts::For(span) if !IllKind::of(ill).is_momentary() => Some(Law::Constant(span)),
        Lasts::For(_) | Lasts::UntilHeal => None,
    };
    Fault { name, ill: ill.clone(), when: When::Behind { at: point.at, events: point.behind }, lasts }
}

fn case_of(case: &Case, ills: &[Ill], lasts: Lasts, strikes: &[Strike]) -> Case {
    let mut faults = case.arm.surroundings().faults.to_vec();
    let added = strikes.iter().enumerate();
    faults.extend(added.map(|(number, strike)| fault_of(&case.arm, &ills[strike.ill], (lasts, strike.point), number)));
    Case { arm: case.arm.with_faults(faults), seed: case.seed }
}

/// So many points are tried together, whatever the number of threads: what one learns, the others of its batch do not know.
const BATCH: usize = 32;

/// Tries everything. `done` is called after each point, from any thread; threads are those of the rayon pool it is called in.
///
/// # Errors
/// A panic of the run without any fault added.
pub fn exhaust(case: &Case, asked: &Asked, done: &(dyn Fn() + Sync)) -> Result<Exhausted, Crash> {
    let ready = guarded(case.seed, || Ready::new(&case.arm))?;
    let base = guarded(case.seed, || Base::new(&ready, case.seed, asked.goal))?;
    let (ills, refused) = usable(&base, asked);
    let trial = Trial { base: &base, cutting: asked.cutting };
    let mut walk = Walk::new(&ready, case.seed);
    let mut sum = Sum { tallies: vec![Tally::default(); ills.len()], hits: Vec::new(), tried: Tried::default(), points: 0 };
    loop {
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(point) = walk.next()
        {
            if (walk.points - 1).is_multiple_of(asked.stride.max(1)) {
                batch.push((point, walk.stage.clone()));
            }
            walk.go();
        }
        if batch.is_empty() {
            break;
        }
        let strike = |(point, stage): (Point, Stage<'_>)| {
            let mut forks: Vec<Fork> = Vec::with_capacity(ills.len());
            let mut own = Tried::default();
            for ill in &ills {
                let fault = fault_of(&case.arm, ill, (asked.lasts, point), 0);
                let fork = trial.run(stage.clone(), point.at, &fault, &[&sum.tried, &own]);
                own.add(&fork);
                forks.push(fork);
            }
            done();
            (point, forks)
        };
        let tried: Vec<(Point, Vec<Fork>)> = batch.into_par_iter().map(strike).collect();
        tried.into_iter().for_each(|(point, forks)| sum.add(point, &forks));
    }
    let mut out = Exhausted {
        case: case.clone(),
        asked: asked.clone(),
        before: base.wrong.clone(),
        points: walk.points,
        tried: sum.points,
        ills,
        refused,
        tallies: sum.tallies,
        hits: sum.hits,
        pairs: None,
        findings: Vec::new(),
    };
    if asked.pairs > 0 {
        pairs::try_pairs(&trial, &mut out, done);
    }
    out.findings = findings(&out);
    Ok(out)
}

/// All points of a run.
///
/// # Errors
/// A panic of the run.
pub fn points(case: &Case) -> Result<Vec<Point>, Crash> {
    guarded(case.seed, || {
        let ready = Ready::new(&case.arm);
        let mut walk = Walk::new(&ready, case.seed);
        std::iter::from_fn(|| {
            let point = walk.next();
            walk.go();
            point
        })
        .collect()
    })
}

/// What is summed up over all points.
struct Sum {
    tallies: Vec<Tally>,
    hits: Vec<Hit>,
    tried: Tried,
    points: u64,
}

impl Sum {
    fn add(&mut self, point: Point, forks: &[Fork]) {
        self.points += 1;
        for (ill, fork) in forks.iter().enumerate() {
            self.tallies[ill].add(fork);
            self.tried.add(fork);
            if !fork.wrong.is_empty() {
                self.hits.push(Hit { strikes: vec![Strike { point, ill }], violations: fork.wrong.clone() });
            }
        }
    }
}

/// The faults that this world has, and those that it has not.
fn usable(base: &Base<'_>, asked: &Asked) -> (Vec<Ill>, Vec<(Ill, String)>) {
    let (mut ills, mut refused) = (Vec::new(), Vec::new());
    for ill in asked.vocabulary.singles() {
        let mut walk = Walk::new(base.ready, base.seed);
        let fault = fault_of(base.ready.arm(), &ill, (asked.lasts, Point { at: Time::ZERO, behind: 0 }), 0);
        let at = walk.stage.passage.sim().now();
        match walk.stage.passage.inject(at, &fault) {
            Ok(_) => ills.push(ill),
            Err(why) => refused.push((ill, why.join("; "))),
        }
    }
    (ills, refused)
}

/// Sums up the hits: by what is wrong and by which faults, each with its earliest case, run by itself.
fn findings(out: &Exhausted) -> Vec<Finding> {
    let mut found: BTreeMap<(usize, Violation, String), (u64, &Hit)> = BTreeMap::new();
    for hit in &out.hits {
        let by = by(out, &hit.strikes);
        for violation in &hit.violations {
            found.entry((hit.strikes.len(), *violation, by.clone())).or_insert((0, hit)).0 += 1;
        }
    }
    let mut all: Vec<Finding> = found
        .into_par_iter()
        .map(|((_, violation, by), (times, hit))| {
            let case = out.case_of(&hit.strikes);
            let found = case.all_wrong(out.asked.goal).into_iter().find(|found| found.violation == violation);
            Finding { violation, by, times, strikes: hit.strikes.clone(), case, found }
        })
        .collect();
    all.sort_by(|a, b| (a.strikes.len(), a.violation, &a.strikes).cmp(&(b.strikes.len(), b.violation, &b.strikes)));
    all
}

/// Some faults in words.
fn by(out: &Exhausted, strikes: &[Strike]) -> String {
    strikes.iter().map(|strike| label(&out.ills[strike.ill])).collect::<Vec<_>>().join(", then ")
}
