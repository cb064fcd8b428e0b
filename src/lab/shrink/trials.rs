//! Trying smaller cases one after the other: the first of a list that goes wrong in the same way takes the place of the one before.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::lab::case::{Case, Found, Goal, wrong_with};
use crate::model::Model;
use crate::run::{Ready, guarded, one};
use crate::scenario::{Plan, Source, read};

/// The smallest case so far, and what is known of those that are smaller.
pub(super) struct Trials<'a> {
    /// What every smaller case must still do.
    pub(super) goal: Goal,
    /// The models that a file may name.
    pub(super) models: &'a [&'static dyn Model],
    done: &'a (dyn Fn() + Sync),
    /// The smallest case so far.
    pub(super) case: Case,
    /// What is wrong with it.
    pub(super) found: Found,
    /// Hashes of cases that are known not to go wrong alike; also that of the present one.
    dull: BTreeSet<u64>,
    pub(super) tried: u64,
    pub(super) accepted: u64,
}

/// What identifies a case: everything of it that is printed.
fn key(case: &Case) -> u64 {
    xxhash_rust::xxh3::xxh3_64(format!("{:?}\n{}", case.arm, case.seed).as_bytes())
}

impl<'a> Trials<'a> {
    /// Begins with the first of several cases that goes wrong alike; `None` when none does.
    pub(super) fn begin(cases: Vec<Case>, goal: Goal, models: &'a [&'static dyn Model], done: &'a (dyn Fn() + Sync)) -> Option<Trials<'a>> {
        let mut tried = 0;
        let mut try_one = |case: Case| {
            tried += 1;
            done();
            attempt(case, goal, models)
        };
        let (case, found) = cases.into_iter().find_map(&mut try_one)?;
        let dull = BTreeSet::from([key(&case)]);
        Some(Trials { goal, models, done, case, found, dull, tried, accepted: 0 })
    }

    /// Makes so many cases of the present one, and takes the first that goes wrong alike. Gives its number. The result does not depend
    /// on how many workers there are.
    pub(super) fn first(&mut self, count: usize, make: impl Fn(&Case, usize) -> Option<Case> + Sync) -> Option<usize> {
        // Small blocks: what stands behind the first is run in vain.
        let block = rayon::current_num_threads().max(1) * 2;
        let mut from = 0;
        while from < count {
            let to = count.min(from + block);
            if let Some(at) = self.first_of(from..to, &make) {
                return Some(at);
            }
            from = to;
        }
        None
    }

    fn first_of(&mut self, range: Range<usize>, make: &(impl Fn(&Case, usize) -> Option<Case> + Sync)) -> Option<usize> {
        let failed = Mutex::new(Vec::new());
        let (present, dull, done, goal, models) = (&self.case, &self.dull, self.done, self.goal, self.models);
        let hit = range.into_par_iter().find_map_first(|at| {
            let case = make(present, at)?;
            let key = key(&case);
            if dull.contains(&key) {
                return None;
            }
            let better = attempt(case, goal, models);
            done();
            if better.is_none() {
                failed.lock().unwrap_or_else(PoisonError::into_inner).push((at, key));
            }
            better.map(|better| (at, better))
        });
        let end = hit.as_ref().map_or(usize::MAX, |(at, _)| *at);
        // What was tried behind the first depends on the workers, and is forgotten.
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().filter(|(at, _)| *at < end);
        for (_, key) in failed {
            // Of two that are the same, one counts: whether both were run depends on the workers.
            self.tried += u64::from(self.dull.insert(key));
        }
        let (at, (case, found)) = hit?;
        self.tried += 1;
        self.accepted += 1;
        self.dull.insert(key(&case));
        (self.case, self.found) = (case, found);
        Some(at)
    }

    /// The same, again and again, as long as there is one.
    pub(super) fn exhaust(&mut self, edits: impl Fn(&Case) -> Vec<Case>) {
        loop {
            let cases = edits(&self.case);
            if self.first(cases.len(), |_, at| Some(cases[at].clone())).is_none() {
                return;
            }
        }
    }

    /// Takes away as many of a list's items as it can: large parts first, then smaller ones, then one by one.
    pub(super) fn thin(&mut self, len: impl Fn(&Case) -> usize, without: impl Fn(&Case, Range<usize>) -> Option<Case> + Sync) {
        let mut size = len(&self.case);
        while size > 0 {
            let mut from = 0;
            loop {
                let end = len(&self.case);
                let parts = end.saturating_sub(from).div_ceil(size);
                let part = |at: usize| from + at * size..end.min(from + (at + 1) * size);
                let Some(at) = self.first(parts, |case, at| without(case, part(at))) else { break };
                // What was there is gone, and what came behind it is there now.
                from += at * size;
            }
            size = if size == 1 { 0 } else { size.div_ceil(2).min(len(&self.case)) };
        }
    }
}

/// Runs a case. When it goes wrong alike, and can be written down and read back: without the overrides that decide nothing any more,
/// and with what is wrong.
fn attempt(case: Case, goal: Goal, models: &[&'static dyn Model]) -> Option<(Case, Found)> {
    let (found, unmatched) = look(&case, goal)?;
    if unmatched.is_empty() {
        return reads_back(&case, models).then_some((case, found));
    }
    let kept = case.arm.surroundings().overrides.iter().filter(|one| !unmatched.contains(&one.to_string())).cloned().collect();
    let case = Case { arm: case.arm.with_overrides(kept), seed: case.seed };
    let (found, _) = look(&case, goal)?;
    reads_back(&case, models).then_some((case, found))
}

/// What is wrong with a case by a goal, and the overrides that matched nothing.
pub(super) fn look(case: &Case, goal: Goal) -> Option<(Found, Vec<String>)> {
    match guarded(case.seed, || Ready::new(&case.arm)).and_then(|ready| one(&ready, case.seed)) {
        Ok(ran) => Some((wrong_with(&case.arm, &ran, goal).into_iter().next()?, ran.unmatched)),
        Err(_) => Some((case.try_for(goal)?, Vec::new())),
    }
}

/// The largest seed that a file can hold.
const LARGEST: u64 = i64::MAX as u64;

/// Whether a file says it all. A seed that no file can hold is left out of the question: it is given up when it can be.
fn reads_back(case: &Case, models: &[&'static dyn Model]) -> bool {
    let arm = &case.arm;
    let expectations = arm.expectations().clone();
    let seed = case.seed.min(LARGEST);
    let text = Plan::alone("Is it so?".to_owned(), "No.".to_owned(), arm, seed, expectations, None).print();
    // Recorded loads are not read again: any recording serves.
    let files = |_: &str| Ok(b"at,key,bytes\n0s,a,1\n".to_vec());
    let plan = read(&Source { files: &files, ..Source::new("shrunk", &text, models) }).plan;
    let recorded = !arm.load().streams.is_empty();
    plan.is_some_and(|plan| plan.arms().first().is_some_and(|read| recorded || *read == *arm))
}
