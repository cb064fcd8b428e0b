//! Pairs of faults, within a budget: the second strikes while the first acts, or soon after it was overcome.

use rayon::prelude::*;

use crate::base::Span;
use crate::record::{Phase, What};

use super::fork::{Fork, Stage, Trial, Tried};
use super::walk::Walk;
use super::{Exhausted, Hit, Lasts, Point, Strike, Tally, fault_of};

/// What was tried with two faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pairs {
    /// How many pairs there are: two points in order, and a fault at each.
    pub all: u128,
    /// What became of those that were tried.
    pub tally: Tally,
}

/// Where the second fault strikes: at so many quarters of the time that the first one acts, then so many events after its end.
const QUARTERS: [u64; 3] = [1, 2, 3];
const EVENTS_AFTER: [u64; 5] = [0, 3, 12, 48, 192];
const SECONDS: u64 = 8;

/// First faults that are tried together.
const BATCH: usize = 16;

/// Tries pairs whose first fault alone breaks nothing. First faults are spread evenly over all points and faults; second faults take
/// turns.
pub(super) fn try_pairs(trial: &Trial<'_, '_>, out: &mut Exhausted, done: &(dyn Fn() + Sync)) {
    let ills = out.ills.len() as u64;
    let all = u128::from(out.points) * u128::from(out.points.saturating_sub(1)) / 2 * u128::from(ills) * u128::from(ills);
    let singles = out.points * ills;
    let firsts = out.asked.pairs.div_ceil(SECONDS).min(singles);
    let mut tally = Tally::default();
    let mut tried = Tried::default();
    let mut walk = Walk::new(trial.base.ready, trial.base.seed);
    let (mut number, mut at) = (0u64, 0u64);
    loop {
        let mut batch: Vec<(u64, Strike, Stage<'_>)> = Vec::new();
        while batch.len() < BATCH
            && number < firsts
            && let Some(point) = walk.next()
        {
            // The point and the fault of first number n: the n-th of `firsts` equal parts of all singles, points first; a stride that
            // shares no factor with the faults makes them take turns.
            let place = |n: u64| u64::try_from(u128::from(n) * u128::from(singles) / u128::from(firsts)).expect("less than all");
            if place(number) / ills.max(1) > at {
                walk.go();
                at += 1;
                continue;
            }
            let ill = usize::try_from((place(number) + number * 7) % ills).expect("an index");
            batch.push((number, Strike { point, ill }, walk.stage.clone()));
            number += 1;
        }
        if batch.is_empty() {
            break;
        }
        let one = |(number, first, stage)| {
            let forks = seconds(trial, out, (number, first, stage), &tried);
            done();
            forks
        };
        let tried_now: Vec<Vec<([Strike; 2], Fork)>> = batch.into_par_iter().map(one).collect();
        for (strikes, fork) in tried_now.into_iter().flatten() {
            tally.add(&fork);
            tried.add(&fork);
            if !fork.wrong.is_empty() {
                out.hits.push(Hit { strikes: strikes.to_vec(), violations: fork.wrong });
            }
        }
    }
    out.pairs = Some(Pairs { all, tally });
}

/// Runs on after a first fault and tries second ones.
fn seconds<'p>(
    trial: &Trial<'_, 'p>,
    out: &Exhausted,
    (number, first, mut stage): (u64, Strike, Stage<'p>),
    tried: &Tried,
) -> Vec<([Strike; 2], Fork)> {
    let arm = trial.base.ready.arm();
    let phases = arm.phases();
    let fault = fault_of(arm, &out.ills[first.ill], (out.asked.lasts, first.point), 0);
    if !trial.run(stage.clone(), first.point.at, &fault, &[]).wrong.is_empty() {
        return Vec::new();
    }
    stage.passage.inject(first.point.at, &fault).expect("the fault was tried at the beginning");
    stage.note();
    let lasts = match out.asked.lasts {
        Lasts::For(span) => span,
        Lasts::UntilHeal => phases.start(Phase::Heal).saturating_since(first.point.at),
    };
    let id = crate::base::FaultId::at(arm.surroundings().faults.len());
    let mut during = QUARTERS.map(|n| first.point.at + Span::nanos(lasts.as_nanos() / 4 * n)).into_iter().peekable();
    let mut after = EVENTS_AFTER.into_iter().peekable();
    let mut since_end: Option<u64> = None;
    let mut walk = Walk::on(stage, (phases.start(Phase::Chaos), phases.start(Phase::Heal)), (first.point.at, first.point.behind));
    let mut forks = Vec::new();
    let budget = out.asked.pairs;
    while let Some(point) = walk.next()
        && (during.peek().is_some() || after.peek().is_some())
    {
        let in_time = during.next_if(|at| *at <= point.at && since_end.is_none()).is_some();
        let behind_end = since_end.is_some_and(|since| after.next_if(|n| *n <= since).is_some());
        if (in_time || behind_end) && number * SECONDS + (forks.len() as u64) < budget {
            let turn = usize::try_from((number * SECONDS + forks.len() as u64 * 5) % out.ills.len() as u64).expect("an index");
            let second = Strike { point, ill: turn };
            let fork = strike(trial, out, (&walk.stage, second), tried);
            forks.push(([first, second], fork));
        }
        walk.go();
        since_end = since_end.map(|n| n + 1);
        let ended = walk.stage.passage.entries().iter().any(|entry| entry.what == What::Fault { fault: id, on: false });
        if ended {
            since_end = Some(0);
            during.by_ref().for_each(drop);
        }
    }
    forks
}

fn strike<'p>(trial: &Trial<'_, 'p>, out: &Exhausted, (stage, second): (&Stage<'p>, Strike), tried: &Tried) -> Fork {
    let point: Point = second.point;
    let fault = fault_of(trial.base.ready.arm(), &out.ills[second.ill], (out.asked.lasts, point), 1);
    trial.run(stage.clone(), point.at, &fault, &[tried])
}
