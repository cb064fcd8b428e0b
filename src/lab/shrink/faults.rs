//! Fewer, weaker and narrower faults.

use std::ops::Range;

use crate::base::{Law, Span};
use crate::lab::case::Case;
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Selector, When};

use super::trials::Trials;

/// How many faults are declared.
pub(super) fn count(case: &Case) -> usize {
    case.arm.surroundings().faults.len()
}

/// The case with other faults.
pub(super) fn with(case: &Case, faults: Vec<Fault>) -> Case {
    Case { arm: case.arm.with_faults(faults), seed: case.seed }
}

/// The case with one of its faults changed.
pub(super) fn changed(case: &Case, at: usize, change: impl FnOnce(&mut Fault)) -> Case {
    let mut faults = case.arm.surroundings().faults.to_vec();
    change(&mut faults[at]);
    with(case, faults)
}

/// The case without some of its faults; their ends go with them.
pub(super) fn without(case: &Case, gone: Range<usize>) -> Case {
    let faults = case.arm.surroundings().faults.iter().enumerate().filter(|(at, _)| !gone.contains(at));
    with(case, faults.map(|(_, fault)| fault.clone()).collect())
}

/// As few faults as it takes.
pub(super) fn fewer(trials: &mut Trials<'_>) {
    trials.thin(count, |case, gone| Some(without(case, gone)));
}

/// Weaker and narrower faults, as long as there are some that serve.
pub(super) fn simpler(trials: &mut Trials<'_>) {
    trials.exhaust(|case| {
        let faults = &case.arm.surroundings().faults;
        let instead = |(at, fault): (usize, &Fault)| {
            let ills = simpler_ills(&fault.ill).into_iter().map(move |ill| changed(case, at, |fault| fault.ill = ill));
            let certain = match &fault.when {
                When::Behind { at: moment, .. } => Some(changed(case, at, |fault| fault.when = When::At(vec![*moment]))),
                When::At(_) | When::Every { .. } | When::Renewal { .. } => None,
            };
            certain.into_iter().chain(ills).collect::<Vec<Case>>()
        };
        faults.iter().enumerate().flat_map(instead).collect()
    });
}

/// What is simpler than an ill, the simplest first. What is simpler than it is never simpler than itself in turn.
fn simpler_ills(ill: &Ill) -> Vec<Ill> {
    match ill {
        Ill::Kill(who) => narrower(who).into_iter().map(Ill::Kill).collect(),
        Ill::PowerOff(who) => [Ill::Kill(who.clone())].into_iter().chain(narrower(who).into_iter().map(Ill::PowerOff)).collect(),
        Ill::TornWrite(who) => {
            let weaker = [Ill::Kill(who.clone()), Ill::PowerOff(who.clone())];
            weaker.into_iter().chain(narrower(who).into_iter().map(Ill::TornWrite)).collect()
        }
        Ill::Wipe(who) => {
            let weaker = [Ill::Kill(who.clone()), Ill::PowerOff(who.clone())];
            weaker.into_iter().chain(narrower(who).into_iter().map(Ill::Wipe)).collect()
        }
        Ill::Pause(who) => narrower(who).into_iter().map(Ill::Pause).collect(),
        Ill::Freeze(who) => [Ill::Pause(who.clone())].into_iter().chain(narrower(who).into_iter().map(Ill::Freeze)).collect(),
        Ill::DiskStall(who) => narrower(who).into_iter().map(Ill::DiskStall).collect(),
        Ill::DiskFull(who) => narrower(who).into_iter().map(Ill::DiskFull).collect(),
        Ill::Slow { who, factor_milli } => {
            let rounder = rounder(u64::from(*factor_milli)).into_iter().filter_map(|factor| u32::try_from(factor).ok());
            let rounder = rounder.filter(|factor| *factor > 0).map(|factor_milli| Ill::Slow { who: who.clone(), factor_milli });
            rounder.chain(narrower(who).into_iter().map(|who| Ill::Slow { who, factor_milli: *factor_milli })).collect()
        }
        Ill::SyncFails { who, chance } => {
            let always = crate::base::Chance::ALWAYS;
            let certain = (*chance != always).then(|| Ill::SyncFails { who: who.clone(), chance: always });
            certain.into_iter().chain(narrower(who).into_iter().map(|who| Ill::SyncFails { who, chance: *chance })).collect()
        }
        Ill::FlipBits { who, count } => {
            let fewer = (*count > 1).then(|| Ill::FlipBits { who: who.clone(), count: count - 1 });
            fewer.into_iter().chain(narrower(who).into_iter().map(|who| Ill::FlipBits { who, count: *count })).collect()
        }
        Ill::ClockStep { who, by } => {
            let rounder = rounder(by.unsigned_abs()).into_iter().filter_map(|size| i64::try_from(size).ok());
            let rounder = rounder.map(|size| Ill::ClockStep { who: who.clone(), by: size * by.signum() });
            rounder.chain(narrower(who).into_iter().map(|who| Ill::ClockStep { who, by: *by })).collect()
        }
        Ill::ClockDrift { who, ppm } => {
            let rounder = rounder(u64::from(ppm.unsigned_abs())).into_iter().filter_map(|size| i32::try_from(size).ok());
            let rounder = rounder.map(|size| Ill::ClockDrift { who: who.clone(), ppm: size * ppm.signum() });
            rounder.chain(narrower(who).into_iter().map(|who| Ill::ClockDrift { who, ppm: *ppm })).collect()
        }
        Ill::Cut(cut) => simpler_cuts(cut).into_iter().map(Ill::Cut).collect(),
        Ill::Jam { from, to, extra } => {
            let constant = (!matches!(extra, Law::Constant(_))).then(|| Law::Constant(extra.quantile(MEDIAN)));
            let constant = constant.map(|extra| Ill::Jam { from: from.clone(), to: to.clone(), extra });
            constant.into_iter().chain(ends(from, to).into_iter().map(|(from, to)| Ill::Jam { from, to, extra: extra.clone() })).collect()
        }
        Ill::Drop { from, to, kind, chance } => {
            let narrower = ends(from, to).into_iter();
            narrower.map(|(from, to)| Ill::Drop { from, to, kind: kind.clone(), chance: *chance }).collect()
        }
        Ill::Clog { from, to } => ends(from, to).into_iter().map(|(from, to)| Ill::Clog { from, to }).collect(),
    }
}

/// Half of what is drawn, in millionths.
const MEDIAN: u32 = 500_000;

/// The same number with fewer digits, the shortest first.
fn rounder(number: u64) -> Vec<u64> {
    let digits = number.checked_ilog10().unwrap_or(0);
    let steps = (1..=digits).rev().map(|power| 10u64.pow(power));
    let mut found: Vec<u64> = steps.map(|step| number / step * step).filter(|round| *round != number).collect();
    found.dedup();
    found
}

/// Simpler cuts: of pairs fewer, and between fewer nodes; what is drawn by lot stays as it is.
fn simpler_cuts(cut: &Cut) -> Vec<Cut> {
    let with = |shape| Cut { shape, others: cut.others };
    match &cut.shape {
        CutShape::Pairs(pairs) => {
            let one = |at: usize| CutShape::Pairs(vec![pairs[at].clone()]);
            let ones = (0..pairs.len()).filter(|_| pairs.len() > 1).map(one);
            let fewer = (0..pairs.len()).filter(|_| pairs.len() > 2).map(|gone| {
                let kept = pairs.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, pair)| pair.clone());
                CutShape::Pairs(kept.collect())
            });
            let narrower = pairs.iter().enumerate().flat_map(|(at, (from, to))| {
                ends(from, to).into_iter().map(move |pair| {
                    let mut pairs = pairs.clone();
                    pairs[at] = pair;
                    CutShape::Pairs(pairs)
                })
            });
            ones.chain(fewer).chain(narrower).map(with).collect()
        }
        CutShape::OneWay { from, to } => ends(from, to).into_iter().map(|(from, to)| with(CutShape::OneWay { from, to })).collect(),
        CutShape::Between { a, b } => ends(a, b).into_iter().map(|(a, b)| with(CutShape::Between { a, b })).collect(),
        CutShape::Isolate(who) => narrower(who).into_iter().map(|who| with(CutShape::Isolate(who))).collect(),
        CutShape::Halves(_) | CutShape::MajoritiesRing(_) | CutShape::Bridge(_) | CutShape::Link(_) => Vec::new(),
    }
}

/// One end narrower, the other as it is.
fn ends(from: &Selector, to: &Selector) -> Vec<(Selector, Selector)> {
    let first = narrower(from).into_iter().map(|from| (from, to.clone()));
    first.chain(narrower(to).into_iter().map(|to| (from.clone(), to))).collect()
}

/// Selectors of fewer nodes: each part alone, then all but one.
fn narrower(selector: &Selector) -> Vec<Selector> {
    match selector {
        Selector::Union(parts) => {
            let alone = parts.iter().cloned();
            let but_one = (0..parts.len()).filter(|_| parts.len() > 2).map(|gone| {
                Selector::Union(parts.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, part)| part.clone()).collect())
            });
            alone.chain(but_one).collect()
        }
        Selector::All | Selector::Named(_) | Selector::Zone(_) | Selector::Random { .. } | Selector::Role { .. } => Vec::new(),
    }
}

/// How long a fault acts, if that is one span.
pub(super) fn lasts(fault: &Fault) -> Option<Span> {
    match fault.lasts {
        Some(Law::Constant(span)) => Some(span),
        Some(_) | None => None,
    }
}
