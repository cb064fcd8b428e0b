//! Watching runs go by, one expectation at a time, until it is decided.

use crate::base::Span;
use crate::check::{Property, Rate, Verdict};
use crate::run::{Answer, Expected, Ran, RunOutcome};
use crate::scenario::expect::{Event, Expectation, FaultFate, LatencyOf, Quantile};

use super::share::{Claim, Planned, Shares};

/// What one run means to one expectation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Sight {
    /// Nothing worth showing.
    Plain,
    /// It shows what was expected to be seen.
    Shows,
    /// It breaks the expectation.
    Breaks,
}

/// What one run says about one expectation.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Seen {
    /// Yes, with a word on it.
    Yes,
    /// No, with the reason.
    No(String),
    /// The run cannot tell, and why.
    Blind(String),
}

/// One expectation and what was seen of it.
pub(super) struct Watch {
    claim: Expectation,
    yes: u64,
    no: u64,
    blind: u64,
    /// The first run that said no, with its reason, and the first that said yes.
    first_no: Option<(u64, String)>,
    first_yes: Option<u64>,
    first_blind: Option<String>,
    shares: Option<Shares>,
}

impl Watch {
    /// Nothing seen yet of the planned runs.
    pub(super) fn new(claim: &Expectation, planned: Planned) -> Watch {
        let shares = match claim {
            Expectation::Share { bound, .. } => Some(Shares::new(Claim::Share(*bound), planned)),
            Expectation::Count { bound, .. } => Some(Shares::new(Claim::Count(*bound), planned)),
            Expectation::Always(_)
            | Expectation::Broken(_)
            | Expectation::Sometimes(_)
            | Expectation::Never(_)
            | Expectation::SuccessRatio(_)
            | Expectation::Throughput(_)
            | Expectation::Latency { .. }
            | Expectation::Eventually { .. }
            | Expectation::Fault { .. } => None,
        };
        let claim = claim.clone();
        Watch { claim, yes: 0, no: 0, blind: 0, first_no: None, first_yes: None, first_blind: None, shares }
    }

    /// Looks at the next run, in the order of seeds.
    pub(super) fn see(&mut self, ran: &Ran) -> Sight {
        let seed = ran.outcome.seed;
        let seen = self.look(ran);
        match &seen {
            Seen::Yes => {
                self.yes += 1;
                self.first_yes.get_or_insert(seed);
            }
            Seen::No(why) => {
                self.no += 1;
                self.first_no.get_or_insert_with(|| (seed, why.clone()));
            }
            Seen::Blind(why) => {
                self.blind += 1;
                self.first_blind.get_or_insert_with(|| why.clone());
            }
        }
        if let Some(shares) = &mut self.shares {
            match seen {
                Seen::Yes => shares.add(true),
                Seen::No(_) => shares.add(false),
                Seen::Blind(_) => {}
            }
        }
        self.sight(&seen)
    }

    /// Whether a run is worth showing for this expectation.
    fn sight(&self, seen: &Seen) -> Sight {
        match (&self.claim, seen) {
            (
                Expectation::Always(_)
                | Expectation::Never(_)
                | Expectation::SuccessRatio(_)
                | Expectation::Throughput(_)
                | Expectation::Latency { .. }
                | Expectation::Eventually { .. },
                Seen::No(_),
            ) => Sight::Breaks,
            (Expectation::Broken(_) | Expectation::Sometimes(_) | Expectation::Share { .. } | Expectation::Count { .. }, Seen::Yes) => {
                Sight::Shows
            }
            (
                Expectation::Always(_)
                | Expectation::Never(_)
                | Expectation::SuccessRatio(_)
                | Expectation::Throughput(_)
                | Expectation::Latency { .. }
                | Expectation::Eventually { .. }
                | Expectation::Broken(_)
                | Expectation::Sometimes(_)
                | Expectation::Share { .. }
                | Expectation::Count { .. }
                | Expectation::Fault { .. },
                Seen::Yes | Seen::No(_) | Seen::Blind(_),
            ) => Sight::Plain,
        }
    }

    fn look(&self, ran: &Ran) -> Seen {
        let run = &ran.outcome;
        match &self.claim {
            Expectation::Always(property) => kept(&run.judged.verdict(*property)),
            Expectation::Eventually { property, within } => {
                let early = ran.early.iter().find(|e| e.property == *property && e.within == *within);
                kept(&early.expect("a checkpoint for each such claim").verdict)
            }
            Expectation::Never(event) => match occurred(run, *event) {
                Seen::Yes => Seen::No(format!("{} occurred", event.name())),
                Seen::No(_) => Seen::Yes,
                Seen::Blind(why) => Seen::Blind(why),
            },
            Expectation::Broken(property) => occurred(run, Event::Breach(*property)),
            Expectation::Sometimes(event) | Expectation::Share { event, .. } | Expectation::Count { event, .. } => occurred(run, *event),
            Expectation::SuccessRatio(bound) => {
                let ratio = run.judged.figures.success;
                let kept = bound.keeps_ratio(ratio.part, ratio.whole);
                figure(
                    kept,
                    || format!("{} of {} operations ended well", ratio.part, ratio.whole),
                    "no operation was invoked after the warm-up",
                )
            }
            Expectation::Throughput(bound) => {
                let Rate { count, over } = run.judged.figures.acked;
                figure(bound.keeps_rate(count, over), || format!("{count} acknowledgements in {over}"), "no time passed after the warm-up")
            }
            Expectation::Latency { of, at, bound } => {
                let measured = quantile(run, *of, *at);
                let kept = measured.map(|span| bound.keeps(&span));
                figure(kept, || format!("it was {}", measured.unwrap_or_default().nearest_micro()), "nothing was measured")
            }
            Expectation::Fault { name, fate } => {
                let row = run.ledger.iter().find(|row| row.name == *name);
                let did = row.is_some_and(|row| match fate {
                    FaultFate::Fired => row.fired > 0,
                    FaultFate::Touched | FaultFate::Untouched => row.touched > 0,
                });
                if did { Seen::Yes } else { Seen::No(String::new()) }
            }
        }
    }

    /// Whether more runs can change the answer.
    pub(super) fn is_decided(&self) -> bool {
        match &self.claim {
            Expectation::Share { .. } | Expectation::Count { .. } => self.shares.as_ref().is_some_and(Shares::is_decided),
            // What must hold in every run is asked of every run; what must occur in some run needs one.
            Expectation::Sometimes(_) | Expectation::Broken(_) => self.yes > 0,
            Expectation::Always(_)
            | Expectation::Never(_)
            | Expectation::SuccessRatio(_)
            | Expectation::Throughput(_)
            | Expectation::Latency { .. }
            | Expectation::Eventually { .. }
            | Expectation::Fault { .. } => false,
        }
    }

    /// The answer over all runs seen.
    pub(super) fn finish(&self) -> Expected {
        let runs = self.yes + self.no + self.blind;
        let (answer, detail, seed) = match &self.claim {
            Expectation::Always(_)
            | Expectation::Never(_)
            | Expectation::SuccessRatio(_)
            | Expectation::Throughput(_)
            | Expectation::Latency { .. }
            | Expectation::Eventually { .. } => self.every(runs),
            Expectation::Broken(_) | Expectation::Sometimes(_) => self.some(runs),
            Expectation::Share { .. } | Expectation::Count { .. } => {
                let (answer, mut detail) = self.shares.as_ref().expect("made with the watch").finish();
                if self.blind > 0 {
                    detail += &format!("; {} runs could not tell", self.blind);
                }
                let shows = if answer == Answer::Broken { self.first_yes.or(self.first_no.as_ref().map(|n| n.0)) } else { self.first_yes };
                (answer, detail, shows)
            }
            Expectation::Fault { fate, .. } => self.fate(*fate, runs),
        };
        Expected { text: self.claim.to_string(), answer, detail, seed }
    }

    /// Something that is expected of every run.
    fn every(&self, runs: u64) -> (Answer, String, Option<u64>) {
        if let Some((seed, why)) = &self.first_no {
            return (Answer::Broken, format!("not in {} of {runs} runs; seed {seed}: {why}", self.no), Some(*seed));
        }
        if self.yes == 0 {
            let why = self.first_blind.as_deref().unwrap_or("nothing was run");
            return (Answer::Unknown, format!("no run could tell: {why}"), None);
        }
        let blind = if self.blind > 0 { format!("; {} runs could not tell", self.blind) } else { String::new() };
        (Answer::Holds, format!("in {} of {runs} runs{blind}", self.yes), None)
    }

    /// Something that is expected of some run.
    fn some(&self, runs: u64) -> (Answer, String, Option<u64>) {
        match self.first_yes {
            Some(seed) => (Answer::Holds, format!("in {} of {runs} runs, first seed {seed}", self.yes), Some(seed)),
            None => (Answer::Unknown, format!("in none of {runs} runs: nothing is proved"), None),
        }
    }

    /// What became of a fault.
    fn fate(&self, fate: FaultFate, runs: u64) -> (Answer, String, Option<u64>) {
        let did = format!("in {} of {runs} runs", self.yes);
        match (fate, self.first_yes) {
            (FaultFate::Fired, Some(seed)) => (Answer::Holds, format!("it struck {did}"), Some(seed)),
            (FaultFate::Fired, None) => (Answer::Unknown, format!("it struck in none of {runs} runs"), None),
            (FaultFate::Touched, Some(seed)) => (Answer::Holds, format!("it touched something {did}"), Some(seed)),
            (FaultFate::Touched, None) => (Answer::Unknown, format!("it touched nothing in any of {runs} runs"), None),
            (FaultFate::Untouched, Some(seed)) => (Answer::Broken, format!("it touched something {did}"), Some(seed)),
            (FaultFate::Untouched, None) => (Answer::Holds, format!("it touched nothing in any of {runs} runs"), None),
        }
    }
}

/// Whether a property was kept in one run.
fn kept(verdict: &Verdict) -> Seen {
    match verdict {
        Verdict::Holds { .. } => Seen::Yes,
        Verdict::Broken(witness) => Seen::No(witness.sentence.clone()),
        Verdict::Unknown { why } => Seen::Blind(why.clone()),
    }
}

/// Whether an event occurred in one run.
fn occurred(run: &RunOutcome, event: Event) -> Seen {
    match event {
        Event::Breach(property) => match kept(&run.judged.verdict(property)) {
            Seen::Yes => Seen::No(String::new()),
            Seen::No(_) => Seen::Yes,
            Seen::Blind(why) => Seen::Blind(why),
        },
        Event::Mark(mark) if run.marks.iter().any(|(name, count)| name == mark && *count > 0) => Seen::Yes,
        Event::Mark(_) => Seen::No(String::new()),
    }
}

fn figure(kept: Option<bool>, found: impl FnOnce() -> String, nothing: &str) -> Seen {
    match kept {
        Some(true) => Seen::Yes,
        Some(false) => Seen::No(found()),
        None => Seen::Blind(nothing.to_owned()),
    }
}

fn quantile(run: &RunOutcome, of: LatencyOf, at: Quantile) -> Option<Span> {
    let latency = &run.judged.latency;
    let quantiles = match of {
        LatencyOf::Ack => &latency.ack_ok,
        LatencyOf::Delivery => &latency.delivery,
        LatencyOf::Effect => &latency.effect,
    };
    let span = match at {
        Quantile::P50 => quantiles.p50,
        Quantile::P90 => quantiles.p90,
        Quantile::P99 => quantiles.p99,
        Quantile::P999 => quantiles.p999,
        Quantile::Max => quantiles.max,
    };
    (quantiles.count > 0).then_some(span)
}

/// The property that a claim is about, if it says that it is kept or broken: its story is worth telling.
pub(super) const fn property_of(claim: &Expectation) -> Option<Property> {
    match claim {
        Expectation::Always(property) | Expectation::Broken(property) | Expectation::Eventually { property, .. } => Some(*property),
        Expectation::Sometimes(Event::Breach(property))
        | Expectation::Never(Event::Breach(property))
        | Expectation::Share { event: Event::Breach(property), .. }
        | Expectation::Count { event: Event::Breach(property), .. } => Some(*property),
        Expectation::Sometimes(Event::Mark(_))
        | Expectation::Never(Event::Mark(_))
        | Expectation::Share { event: Event::Mark(_), .. }
        | Expectation::Count { event: Event::Mark(_), .. }
        | Expectation::SuccessRatio(_)
        | Expectation::Throughput(_)
        | Expectation::Latency { .. }
        | Expectation::Fault { .. } => None,
    }
}
