//! One arm under many seeds: runs in parallel, looked at in the order of seeds, summed up in bounded memory.

use rayon::prelude::*;

use crate::base::Digest;
use crate::check::{Property, Verdict};
use crate::record::ObjectKind;
use crate::run::{Answer, ArmOutcome, Crash, Expected, Ran, Ready, RunOutcome, Scenery, Tally, explained, guarded, mattered, one};
use crate::scenario::expect::{Expectation, Violations};
use crate::scenario::{ArmPlan, Plan, Seeds};

use super::share::Planned;
use super::watch::{Sight, Watch, property_of};

/// So many runs are under way or waiting to be looked at, whatever the number of workers: the result must not depend on it.
const BATCH: u64 = 32;

/// Which seeds an arm runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// The number in the file.
    Full,
    /// The number in the file, but at most so many.
    AtMost(u64),
    /// So many.
    Exactly(u64),
    /// This one.
    Seed(u64),
}

impl Budget {
    /// The seeds, given those of the file.
    #[must_use]
    pub const fn seeds(self, written: Seeds) -> Seeds {
        let Seeds { first, count } = written;
        match self {
            Budget::Full => written,
            Budget::AtMost(most) => Seeds { first, count: if count < most { count } else { most } },
            Budget::Exactly(count) => Seeds { first, count },
            Budget::Seed(seed) => Seeds { first: seed, count: 1 },
        }
    }
}

/// A run that panicked: our own bug.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The arm.
    pub arm: String,
    /// The run.
    pub crash: Crash,
}

/// Runs an arm and sums it up; the line that repeats the shown run is still empty.
///
/// # Errors
/// The first run, in the order of seeds, that panicked.
pub(super) fn run(plan: &Plan, arm: &ArmPlan, budget: Budget, done: &(dyn Fn() + Sync)) -> Result<ArmOutcome, Failure> {
    let failed = |crash| Failure { arm: arm.name().to_owned(), crash };
    let Seeds { first, count } = budget.seeds(plan.seeds());
    let ready = guarded(first, || Ready::new(arm)).map_err(failed)?;
    let mut sum = Sum::new(&ready, Planned { written: plan.seeds().count, now: count });
    let mut from = 0;
    'batches: while from < count {
        let batch: Vec<u64> = (from..count.min(from + BATCH)).map(|n| first.wrapping_add(n)).collect();
        let ran: Vec<Result<Ran, Crash>> = batch
            .into_par_iter()
            .map(|seed| {
                let ran = one(&ready, seed);
                done();
                ran
            })
            .collect();
        for ran in ran {
            sum.add(ran.map_err(failed)?);
            if sum.is_decided() {
                break 'batches;
            }
        }
        from += BATCH;
    }
    sum.finish().map_err(failed)
}

/// The broken properties of a run that are worth a story.
struct Telling {
    properties: Vec<Property>,
    /// Whether they count against the arm or claims speak of them: then it is worth asking which fault is to blame.
    matters: bool,
}

/// What is kept of the runs seen so far.
struct Sum<'p> {
    ready: &'p Ready<'p>,
    arm: &'p ArmPlan,
    watches: Vec<Watch>,
    tallies: Vec<Tally>,
    /// The first sentence for each tally's first breach.
    sentences: Vec<String>,
    digest: Digest,
    runs: u64,
    touched: Vec<u64>,
    /// Overrides that no run has matched so far; `None` before the first run.
    unmatched: Option<Vec<String>>,
    malformed: u64,
    invariant: Option<(u64, String)>,
    invariants_broken: u64,
    shown: Option<(Sight, RunOutcome)>,
}

impl<'p> Sum<'p> {
    fn new(ready: &'p Ready<'p>, planned: Planned) -> Sum<'p> {
        let (arm, promises) = (ready.arm(), ready.promises());
        let tally = |property: Property| Tally {
            property,
            promised: promises.promised(property),
            held: 0,
            broken: 0,
            unknown: 0,
            first_broken: None,
        };
        let has_logs = arm.model().roster().objects.iter().any(|object| matches!(object.kind, ObjectKind::Log { .. }));
        let judged: Vec<Property> = Property::ALL.into_iter().filter(|property| has_logs || !property.is_about_logs()).collect();
        Sum {
            ready,
            arm,
            watches: arm.expectations().claims.iter().map(|claim| Watch::new(claim, planned)).collect(),
            sentences: vec![String::new(); judged.len()],
            tallies: judged.into_iter().map(tally).collect(),
            digest: Digest::new(),
            runs: 0,
            touched: vec![0; arm.surroundings().faults.len()],
            unmatched: None,
            malformed: 0,
            invariant: None,
            invariants_broken: 0,
            shown: None,
        }
    }

    /// Looks at the next run, in the order of seeds.
    fn add(&mut self, ran: Ran) {
        let mut sight = self.watches.iter_mut().map(|watch| watch.see(&ran)).max().unwrap_or(Sight::Plain);
        let unmatched = self.unmatched.get_or_insert_with(|| ran.unmatched.clone());
        unmatched.retain(|name| ran.unmatched.contains(name));
        let run = ran.outcome;
        self.runs += 1;
        self.digest.words(run.seed, run.digest.value());
        self.malformed += u64::from(run.judged.accounting.malformed > 0);
        for (row, touched) in run.ledger.iter().zip(&mut self.touched) {
            *touched += row.touched;
        }
        if let Some(what) = &run.invariant {
            self.invariants_broken += 1;
            self.invariant.get_or_insert_with(|| (run.seed, what.clone()));
            sight = Sight::Breaks;
        }
        for (tally, sentence) in self.tallies.iter_mut().zip(&mut self.sentences) {
            match &run.judged.finding(tally.property).verdict {
                Verdict::Holds { .. } => tally.held += 1,
                Verdict::Unknown { .. } => tally.unknown += 1,
                Verdict::Broken(witness) => {
                    tally.broken += 1;
                    if tally.first_broken.is_none() {
                        tally.first_broken = Some(run.seed);
                        sentence.clone_from(&witness.sentence);
                    }
                    if self.arm.expectations().forbids(tally.property, tally.promised) {
                        sight = Sight::Breaks;
                    }
                }
            }
        }
        if self.shown.as_ref().is_none_or(|(best, _)| sight > *best) {
            self.shown = Some((sight, run));
        }
    }

    /// Whether more runs can add nothing: there is a claim about a share or number of runs, and all claims are decided.
    fn is_decided(&self) -> bool {
        let counted = |claim: &Expectation| matches!(claim, Expectation::Share { .. } | Expectation::Count { .. });
        self.arm.expectations().claims.iter().any(counted) && self.watches.iter().all(Watch::is_decided)
    }

    /// The outcome, with the story of the run that is shown.
    fn finish(mut self) -> Result<ArmOutcome, Crash> {
        let (_, mut shown) = self.shown.take().expect("an arm has at least one seed");
        let telling = self.telling(&shown);
        if let Some(first) = telling.properties.first() {
            shown.story = explained(self.ready, &shown, *first)?;
        }
        if telling.matters {
            mattered(self.ready, &mut shown, &telling.properties)?;
        }
        let mut expected: Vec<Expected> = self.watches.iter().map(Watch::finish).collect();
        expected.extend(self.promises());
        if let Some((seed, what)) = &self.invariant {
            let detail = format!("broken in {} of {} runs; seed {seed}: {what}", self.invariants_broken, self.runs);
            let text = "the protocol's own invariant".to_owned();
            expected.push(Expected { text, answer: Answer::Broken, detail, seed: Some(*seed) });
        }
        for name in self.unmatched.iter().flatten() {
            let detail = format!("matched no transmission in any of {} runs: nothing is proved", self.runs);
            expected.push(Expected { text: format!("override `{name}`"), answer: Answer::Unknown, detail, seed: None });
        }
        Ok(ArmOutcome {
            name: self.arm.name().to_owned(),
            differs: self.arm.differs().to_vec(),
            answer: Answer::of_all(expected.iter().map(|e| e.answer)),
            expected,
            promises: self.ready.promises().clone(),
            warnings: self.warnings(),
            tallies: self.tallies,
            runs: self.runs,
            digest: self.digest,
            shown,
            scenery: scenery(self.arm),
            repro: String::new(),
        })
    }

    /// The broken properties of a run that are worth a story, the first first: what counts against the arm, then what claims
    /// speak of, then the rest.
    fn telling(&self, run: &RunOutcome) -> Telling {
        let expectations = self.arm.expectations();
        let broken: Vec<&Tally> = self.tallies.iter().filter(|t| run.judged.finding(t.property).verdict.is_broken()).collect();
        let spoken = |p: Property| expectations.claims.iter().any(|claim| property_of(claim) == Some(p));
        let mut ranked: Vec<(u8, Property)> = broken
            .iter()
            .map(|t| {
                let rank = if expectations.forbids(t.property, t.promised) {
                    0
                } else if spoken(t.property) {
                    1
                } else {
                    2
                };
                (rank, t.property)
            })
            .collect();
        ranked.sort();
        let best = ranked.first().map(|(rank, _)| *rank);
        let properties = ranked.into_iter().filter(|(rank, _)| Some(*rank) == best).map(|(_, property)| property).collect();
        Telling { properties, matters: best.is_some_and(|rank| rank < 2) }
    }

    /// The expectation that nobody had to write: what is promised is kept, unless a claim speaks of it.
    fn promises(&self) -> Option<Expected> {
        let expectations = self.arm.expectations();
        let silent = |p: Property| expectations.claims.iter().all(|claim| property_of(claim) != Some(p));
        let owed: Vec<usize> = (0..self.tallies.len()).filter(|i| self.tallies[*i].promised && silent(self.tallies[*i].property)).collect();
        if owed.is_empty() || expectations.violations == Violations::Any {
            return None;
        }
        let text = "promises kept".to_owned();
        if let Some(at) = owed.iter().copied().find(|i| self.tallies[*i].broken > 0) {
            let tally = &self.tallies[at];
            let seed = tally.first_broken;
            let detail = format!(
                "{} broken in {} of {} runs; seed {}: {}",
                tally.property,
                tally.broken,
                self.runs,
                seed.unwrap_or_default(),
                self.sentences[at]
            );
            return Some(Expected { text, answer: Answer::Broken, detail, seed });
        }
        let (examined, blind): (Vec<usize>, Vec<usize>) = owed.iter().partition(|i| self.tallies[**i].held > 0);
        let names = |of: &[usize]| of.iter().map(|i| self.tallies[*i].property.name()).collect::<Vec<_>>().join(", ");
        if examined.is_empty() {
            let detail = format!("no run could tell: {}", names(&blind));
            return Some(Expected { text, answer: Answer::Unknown, detail, seed: None });
        }
        let never = if blind.is_empty() { String::new() } else { format!("; never examined: {}", names(&blind)) };
        let detail = format!("in {} of {} runs: {}{never}", self.runs, self.runs, names(&examined));
        Some(Expected { text, answer: Answer::Holds, detail, seed: None })
    }

    /// What a reader should know about the plan and the runs.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (fault, touched) in self.arm.surroundings().faults.iter().zip(&self.touched) {
            if *touched == 0 {
                warnings.push(format!("fault `{}` touched nothing in any of {} runs: it proves nothing", fault.name, self.runs));
            }
        }
        if self.malformed > 0 {
            warnings
                .push(format!("in {} runs the model's history breaks the rules of histories: that is a bug of the model", self.malformed));
        }
        warnings
    }
}

/// Names and phases, for charts.
fn scenery(arm: &ArmPlan) -> Scenery {
    let roster = arm.model().roster();
    Scenery {
        nodes: roster.nodes.into_iter().map(|n| n.name).collect(),
        objects: roster.objects.into_iter().map(|o| o.name).collect(),
        phases: arm.phases().boundaries().map(|(at, phase)| (phase.name().to_owned(), at)).collect(),
    }
}
