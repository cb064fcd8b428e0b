//! The figures in which arms are compared, as numbers for a chart and as words for a table.

use crate::base::Span;
use crate::check::{Property, Quantiles};
use crate::run::ArmOutcome;

use super::words;

/// One figure over all arms.
#[derive(Clone, PartialEq, Debug)]
pub struct Figure {
    /// What is compared.
    pub name: &'static str,
    /// A value for each arm, in their order.
    pub bars: Vec<Bar>,
}

/// The value of one arm.
#[derive(Clone, PartialEq, Debug)]
pub struct Bar {
    /// As a length; not negative.
    pub value: f64,
    /// In words, with its unit.
    pub text: String,
}

/// The figures that tell arms apart, in the order in which people ask for them: what was lost or doubled, how much worked, how long it
/// took. Figures that are of no interest (nobody lost anything, in any arm) are left out.
#[must_use]
pub fn figures(arms: &[ArmOutcome]) -> Vec<Figure> {
    let mut out = vec![figure(arms, "Calls that were acknowledged", success)];
    out.push(figure(arms, "Acknowledged a second", |arm| {
        let acked = arm.shown.judged.figures.acked;
        Bar { value: acked.per_second().unwrap_or(0.0), text: words::rate(acked.count, acked.over) }
    }));
    let quantile = |name, of: fn(&ArmOutcome) -> &Quantiles, pick: fn(&Quantiles) -> Span| {
        figure(arms, name, move |arm| {
            let all = of(arm);
            let nanos = amount(pick(all).as_nanos());
            if all.count == 0 { Bar { value: 0.0, text: "none".to_owned() } } else { Bar { value: nanos, text: words::span(pick(all)) } }
        })
    };
    let acknowledged: fn(&ArmOutcome) -> &Quantiles = |arm| &arm.shown.judged.latency.ack_ok;
    let arrived: fn(&ArmOutcome) -> &Quantiles = |arm| &arm.shown.judged.latency.delivery;
    out.push(quantile("Time to acknowledge: half within", acknowledged, |q| q.p50));
    out.push(quantile("Time to acknowledge: 99 % within", acknowledged, |q| q.p99));
    if arms.iter().any(|arm| arrived(arm).count > 0) {
        out.push(quantile("Time to arrive: half within", arrived, |q| q.p50));
        out.push(quantile("Time to arrive: the longest", arrived, |q| q.max));
    }
    let count =
        |name, pick: fn(&ArmOutcome) -> u64| figure(arms, name, move |arm| Bar { value: amount(pick(arm)), text: words::count(pick(arm)) });
    let counts = [
        count("Acknowledged, but lost", |a| a.shown.judged.accounting.lost),
        count("Deliveries that were repetitions", |a| a.shown.judged.accounting.duplicates),
        count("Effects that were repetitions", |a| a.shown.judged.accounting.duplicate_effects),
        count("Calls that failed", |a| a.shown.judged.accounting.failed),
        count("Calls that ended unknown", |a| a.shown.judged.accounting.unknown + a.shown.judged.accounting.pending),
        count("Unknown, but arrived", |a| a.shown.judged.accounting.recovered),
        count("Moved to dead letters", |a| a.shown.judged.accounting.dead_lettered),
        count("Expired", |a| a.shown.judged.accounting.expired),
        count("Dropped by full queues", |a| a.shown.judged.accounting.dropped),
        count("Compacted away", |a| a.shown.judged.accounting.superseded),
        count("Still held at the end", |a| a.shown.judged.accounting.held),
        count("Arrived damaged", |a| a.shown.judged.accounting.corrupted),
    ];
    out.extend(counts.into_iter().filter(|f| f.bars.iter().any(|b| b.value > 0.0)));
    out.extend(Property::ALL.into_iter().filter_map(|property| broken(arms, property)));
    out
}

/// The figures worth showing (the first four, and those in which arms differ), and a sentence about those that are the same in all arms.
#[must_use]
pub fn telling(arms: &[ArmOutcome]) -> (Vec<Figure>, Option<String>) {
    const ALWAYS: usize = 4;
    let mut shown = Vec::new();
    let mut same = Vec::new();
    for (i, figure) in figures(arms).into_iter().enumerate() {
        match figure.bars.first() {
            Some(first) if i >= ALWAYS && figure.bars.iter().all(|b| b.text == first.text) => {
                same.push(format!("{} ({})", words::lower(figure.name), first.text));
            }
            Some(_) | None => shown.push(figure),
        }
    }
    let sentence = (!same.is_empty()).then(|| format!("The same in all arms: {}.", same.join(", ")));
    (shown, sentence)
}

fn figure(arms: &[ArmOutcome], name: &'static str, bar: impl Fn(&ArmOutcome) -> Bar) -> Figure {
    Figure { name, bars: arms.iter().map(bar).collect() }
}

/// The share of calls that ended well.
fn success(arm: &ArmOutcome) -> Bar {
    let ratio = arm.shown.judged.figures.success;
    Bar { value: ratio.value().unwrap_or(0.0), text: words::share(ratio.part, ratio.whole) }
}

/// In what share of runs a property was broken; only of interest with more than one run, and when it ever was.
fn broken(arms: &[ArmOutcome], property: Property) -> Option<Figure> {
    let broken = |arm: &ArmOutcome| arm.tallies.iter().filter(|t| t.property == property).map(|t| t.broken).sum::<u64>();
    let interesting = arms.iter().any(|a| a.runs > 1) && arms.iter().any(|a| broken(a) > 0);
    let bar = |arm: &ArmOutcome| Bar {
        value: amount(broken(arm)) / amount(arm.runs.max(1)),
        text: format!("{} of {}", words::count(broken(arm)), words::count(arm.runs)),
    };
    interesting.then(|| figure(arms, runs_with(property), bar))
}

/// What to call the runs in which a property was broken.
const fn runs_with(property: Property) -> &'static str {
    match property {
        Property::AckedSurvives => "Runs that lost an acknowledged message",
        Property::AckedDelivered => "Runs that left one undelivered",
        Property::NoDuplicateDelivery => "Runs with a repeated delivery",
        Property::NoDuplicateEffect => "Runs with a repeated effect",
        Property::NoMissingEffect => "Runs with a missing effect",
        Property::NothingUnexpected => "Runs with an unexpected message",
        Property::NothingCorrupted => "Runs with a damaged message",
        Property::OrderGlobal => "Runs out of order",
        Property::OrderPerKey => "Runs out of order within a key",
        Property::OrderPerProducer => "Runs out of order in a producer",
        Property::NoGaps => "Runs with a gap",
        Property::FailedStaysFailed => "Runs where a failed call happened",
        Property::Drained => "Runs that did not come to rest",
        Property::NoLostWrite => "Runs that lost a write",
        Property::AllSeen => "Runs with an unseen message",
        Property::NoLogDuplicate => "Runs with a message at two places",
        Property::ConsistentOffsets => "Runs with two messages at one place",
        Property::NoPollSkip => "Runs with a skip between polls",
        Property::NoPollSkipWithin => "Runs with a skip within a poll",
        Property::NoRebalanceSkip => "Runs with a skip at a rebalance",
        Property::MonotonicPolls => "Runs with a step back between polls",
        Property::MonotonicWithinPoll => "Runs with a step back within a poll",
        Property::NoRebalanceReread => "Runs that read again after a rebalance",
        Property::NoAbortedRead => "Runs with an aborted read",
        Property::NoPrecommittedRead => "Runs with a read before the commit",
        Property::WholeTransactions => "Runs with a torn transaction",
        Property::LatestPerKey => "Runs that lost the last of a key",
    }
}

/// A count as a length; above 2^53 it is rounded.
#[expect(clippy::cast_precision_loss, reason = "a picture does not show the sixteenth digit")]
const fn amount(count: u64) -> f64 {
    count as f64
}
