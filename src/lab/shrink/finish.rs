//! The last passes: a small seed, nothing that could go by itself, and no more time to drain than it takes.

use crate::base::Span;
use crate::check::Property;
use crate::lab::case::{Case, Violation};
use crate::load::Phases;

use super::trials::Trials;
use super::{faults, load, model, network};

/// A small seed, if one of the smallest serves.
pub(super) fn seed(trials: &mut Trials<'_>) {
    let small = 3.min(trials.case.seed.saturating_sub(1));
    trials.first(usize::try_from(small).expect("at most three"), |case, at| Some(Case { arm: case.arm.clone(), seed: at as u64 + 1 }));
}

/// Takes away what can go alone, until nothing can: an operation, a fault, an override, an entry of the model's table, one of a number there.
pub(super) fn singles(trials: &mut Trials<'_>) {
    loop {
        let edits = model::single_edits(&trials.case);
        let (operations, declared, named) = counts(&trials.case);
        let models = trials.models;
        let hit = trials.first(operations + declared + named + edits.len(), |case, at| single(case, at, &edits, models));
        if hit.is_none() {
            return;
        }
    }
}

fn counts(case: &Case) -> (usize, usize, usize) {
    (load::count(case), faults::count(case), network::overrides(case))
}

/// The case without its single part of a number.
fn single(case: &Case, at: usize, edits: &[model::Edit], models: &[&'static dyn crate::model::Model]) -> Option<Case> {
    let (operations, declared, named) = counts(case);
    if at < operations {
        return load::without(case, at..at + 1);
    }
    let at = at - operations;
    if at < declared {
        return Some(faults::without(case, at..at + 1));
    }
    let at = at - declared;
    if at < named {
        return Some(network::without_overrides(case, at..at + 1));
    }
    model::edited(case, edits.get(at - named)?, models)
}

/// No drain is made shorter than this: a reader is to see that time is not what is lacking.
const SHORTEST: Span = Span::secs(1);

/// Less time at the end, as long as it breaks nothing by itself: the case must stay minimal under the shorter time too. What did not
/// come to rest keeps all its time: with less of it, nothing would be shown.
pub(super) fn drain(trials: &mut Trials<'_>) {
    if trials.found.violation == Violation::Property(Property::Drained) {
        return;
    }
    let written = trials.case.arm.phases().drain;
    let halves = (0..12).map(|halvings| written.scaled(1, 1 << halvings));
    let spans: Vec<Span> = halves.map(whole).filter(|span| *span < written && *span >= SHORTEST).collect();
    for span in spans {
        let (before, found) = (trials.case.clone(), trials.found.clone());
        let phases = Phases { drain: span, ..*before.arm.phases() };
        if trials.first(1, |case, _| Some(Case { arm: case.arm.with_phases(phases), seed: case.seed })).is_none() {
            return;
        }
        if !is_minimal(trials) {
            (trials.case, trials.found) = (before, found);
            trials.accepted -= 1;
            return;
        }
    }
}

/// Whether nothing can go alone.
fn is_minimal(trials: &mut Trials<'_>) -> bool {
    let edits = model::single_edits(&trials.case);
    let (operations, declared, named) = counts(&trials.case);
    let (case, found, accepted) = (trials.case.clone(), trials.found.clone(), trials.accepted);
    let models = trials.models;
    let hit = trials.first(operations + declared + named + edits.len(), |case, at| single(case, at, &edits, models));
    if hit.is_some() {
        (trials.case, trials.found, trials.accepted) = (case, found, accepted);
    }
    hit.is_none()
}

/// Whole seconds, or below a second one digit.
fn whole(span: Span) -> Span {
    let nanos = span.as_nanos();
    let step = if nanos >= 1_000_000_000 { 1_000_000_000 } else { 10u64.pow(nanos.checked_ilog10().unwrap_or(0)) };
    Span::nanos(nanos / step * step)
}
