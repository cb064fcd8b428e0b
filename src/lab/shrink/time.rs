//! Shorter runs and rounder times.

use crate::base::{Law, Span, Time};
use crate::lab::case::Case;
use crate::load::{Listed, Phases};
use crate::parts::fault::{Fault, When};
use crate::record::Phase;

use super::faults::lasts;
use super::load;
use super::trials::Trials;

/// The steps in which times are made rounder and shorter, the coarsest first.
const STEPS: [Span; 7] =
    [Span::secs(10), Span::secs(1), Span::millis(100), Span::millis(10), Span::millis(1), Span::micros(100), Span::micros(10)];

/// With more operations than this, times are not made rounder one by one.
const FEW: usize = 64;

/// The moment of a fault, if it is one.
fn moment(fault: &Fault) -> Option<Time> {
    match &fault.when {
        When::At(times) => match times.as_slice() {
            [at] => Some(*at),
            _ => None,
        },
        When::Behind { at, .. } => Some(*at),
        When::Every { .. } | When::Renewal { .. } => None,
    }
}

/// The same fault at another moment.
fn moved(fault: &Fault, to: Time) -> Fault {
    let when = match &fault.when {
        When::Behind { events, .. } => When::Behind { at: to, events: *events },
        When::At(_) | When::Every { .. } | When::Renewal { .. } => When::At(vec![to]),
    };
    Fault { when, ..fault.clone() }
}

fn with_phases(case: &Case, phases: Phases) -> Case {
    Case { arm: case.arm.with_phases(phases), seed: case.seed }
}

/// No warm-up, no heal phase of its own, and chaos only until the last thing has happened. What clients ask for and what faults do stays in
/// its place, and after the last fault the run is given as much time as before: a promise is not broken by the end of the run.
pub(super) fn phases(trials: &mut Trials<'_>) {
    trials.exhaust(|case| {
        let phases = *case.arm.phases();
        let mut cases = Vec::new();
        if !phases.warm.is_zero() {
            cases.push(with_phases(case, Phases { warm: Span::ZERO, chaos: phases.warm + phases.chaos, ..phases }));
        }
        if !phases.heal.is_zero() {
            cases.push(with_phases(case, Phases { heal: Span::ZERO, drain: phases.heal + phases.drain, ..phases }));
        }
        let (start, heal) = (phases.start(Phase::Chaos), phases.start(Phase::Heal));
        let shorter = ends(case).into_iter().filter(|end| *end < heal && *end > start);
        cases.extend(shorter.map(|end| with_phases(case, Phases { chaos: end.since(start), ..phases })));
        cases
    });
}

/// Round moments just behind what happens: behind the last beginning of anything first, then behind the last end of a fault.
fn ends(case: &Case) -> Vec<Time> {
    let faults = &case.arm.surroundings().faults;
    if case.arm.load().listed.is_empty() || faults.iter().any(|fault| moment(fault).is_none()) {
        return Vec::new();
    }
    let asked = case.arm.load().listed.iter().map(|one| one.at);
    let last = asked.chain(faults.iter().filter_map(moment)).max().unwrap_or(Time::ZERO);
    let over = faults.iter().filter_map(|fault| Some(moment(fault)? + lasts(fault)?)).fold(last, Time::max);
    let behind = |at: Time| STEPS[1..5].iter().rev().map(move |step| Time::ZERO + floor(at.since(Time::ZERO), *step) + *step);
    let mut found: Vec<Time> = behind(last).chain(behind(over)).collect();
    found.dedup();
    found
}

/// A span rounded down to a whole number of steps.
fn floor(span: Span, step: Span) -> Span {
    Span::nanos(span.as_nanos() / step.as_nanos() * step.as_nanos())
}

/// Everything sooner: what comes after a pause comes earlier by most of the pause. And faults that do not last as long.
pub(super) fn sooner(trials: &mut Trials<'_>) {
    trials.exhaust(|case| {
        let mut cases = Vec::new();
        let mut before = Time::ZERO;
        for at in moments(case) {
            let pause = at.since(before);
            let shifts = STEPS.iter().map(|step| floor(pause, *step)).filter(|shift| !shift.is_zero());
            // A shift of less than a tenth of the run is no progress worth a run.
            let longest = case.arm.phases().start(Phase::Heal).since(Time::ZERO).scaled(1, 50);
            let mut shifts: Vec<Span> = shifts.filter(|shift| *shift > longest).collect();
            shifts.dedup();
            cases.extend(shifts.into_iter().take(3).filter_map(|shift| shifted(case, at, shift)));
            before = at;
        }
        cases
    });
    shorter_faults(trials);
}

/// Every moment at which something begins, in order, each once.
fn moments(case: &Case) -> Vec<Time> {
    let asked = case.arm.load().listed.iter().map(|one| one.at);
    let mut found: Vec<Time> = asked.chain(case.arm.surroundings().faults.iter().filter_map(moment)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Everything from a moment on comes earlier by a span, the end of chaos too.
fn shifted(case: &Case, from: Time, by: Span) -> Option<Case> {
    let sooner = |at: Time| if at >= from { Time::from_nanos(at.nanos() - by.as_nanos()) } else { at };
    let listed = case.arm.load().listed.iter().map(|one| Listed { at: sooner(one.at), ..one.clone() }).collect();
    let faults = case.arm.surroundings().faults.iter();
    let faults = faults.map(|fault| moment(fault).map_or_else(|| fault.clone(), |at| moved(fault, sooner(at)))).collect();
    let phases = *case.arm.phases();
    let chaos = phases.chaos.saturating_sub(by);
    let case = with_phases(case, Phases { chaos, ..phases });
    let case = Case { arm: case.arm.with_faults(faults), seed: case.seed };
    load::with(&case, listed)
}

/// Faults that act for a shorter time, or until the heal phase without saying so.
fn shorter_faults(trials: &mut Trials<'_>) {
    trials.exhaust(|case| {
        let heal = case.arm.surroundings().heal_start;
        let mut cases = Vec::new();
        for (at, fault) in case.arm.surroundings().faults.iter().enumerate() {
            let Some(span) = lasts(fault) else { continue };
            if moment(fault).is_some_and(|moment| moment + span >= heal) {
                cases.push(super::faults::changed(case, at, |fault| fault.lasts = None));
            }
            let shorter = [span.scaled(1, 16), span.scaled(1, 4), span.scaled(1, 2)].into_iter().filter_map(one_digit);
            cases.extend(
                shorter
                    .filter(|shorter| *shorter < span)
                    .map(|shorter| super::faults::changed(case, at, |fault| fault.lasts = Some(Law::Constant(shorter)))),
            );
        }
        cases
    });
}

/// One digit, the rest zeros; nothing below a millisecond.
fn one_digit(span: Span) -> Option<Span> {
    let nanos = span.as_nanos();
    let step = 10u64.pow(nanos.checked_ilog10()?);
    (nanos >= 1_000_000).then(|| floor(span, Span::nanos(step)))
}

/// Times with fewer digits: of operations, of faults, of how long faults act, of the phases.
pub(super) fn rounder(trials: &mut Trials<'_>) {
    for step in STEPS {
        trials.first(1, |case, _| {
            let listed = case.arm.load().listed.iter();
            load::with(case, listed.map(|one| Listed { at: Time::ZERO + floor(one.at.since(Time::ZERO), step), ..one.clone() }).collect())
        });
    }
    trials.exhaust(|case| {
        let mut cases = Vec::new();
        let singly = load::count(case) <= FEW;
        for (index, one) in case.arm.load().listed.iter().enumerate().filter(|_| singly) {
            for at in rounder_moments(one.at) {
                let mut listed = case.arm.load().listed.clone();
                listed[index].at = at;
                cases.extend(load::with(case, listed));
            }
        }
        for (index, fault) in case.arm.surroundings().faults.iter().enumerate() {
            let moments = moment(fault).map(rounder_moments).unwrap_or_default();
            cases.extend(moments.into_iter().map(|at| super::faults::changed(case, index, |fault| *fault = moved(fault, at))));
            let spans = lasts(fault).map(|span| rounder_moments(Time::ZERO + span)).unwrap_or_default();
            let spans = spans.into_iter().map(|at| at.since(Time::ZERO)).filter(|span| !span.is_zero());
            cases.extend(spans.map(|span| super::faults::changed(case, index, |fault| fault.lasts = Some(Law::Constant(span)))));
        }
        cases
    });
}

/// The nearest moments with fewer digits, the shortest first: below it, and above it.
fn rounder_moments(at: Time) -> Vec<Time> {
    let span = at.since(Time::ZERO);
    let mut found = Vec::new();
    for step in STEPS {
        let low = floor(span, step);
        if low == span {
            break;
        }
        found.extend([Time::ZERO + low, Time::ZERO + low + step]);
    }
    found
}
