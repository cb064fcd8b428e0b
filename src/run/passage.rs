//! A run on its way: the world, its load and its judges, one step at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, FaultId, NodeId, ObjectId, Span, Time};
use crate::check::{Finding, JudgeConfig, Judges, Promises, Property, Verdict};
use crate::load::{Load, LoadPlan, Target};
use crate::parts::fault::{Fault, When};
use crate::record::{Entry, Names, Phase, What, Window};
use crate::scenario::ArmPlan;
use crate::scenario::expect::Expectation;
use crate::world::{Sim, Strike, Surroundings};

use super::{LedgerRow, RunOutcome, StrikeRow};

/// How often the depth of queues is sampled over a run.
const SAMPLES: u64 = 240;

/// Check the protocol's own invariant every so many events.
const INVARIANT_STRIDE: u64 = 64;

/// An arm made ready to run: what all its runs share.
#[derive(Clone, Debug)]
pub struct Ready<'p> {
    arm: &'p ArmPlan,
    load: Arc<LoadPlan>,
    promises: Promises,
}

impl<'p> Ready<'p> {
    /// Builds the tables of the load and ties it to the objects and clients of the roster.
    ///
    /// # Panics
    /// When the load does not fit the roster: checking the plan has looked at that.
    #[must_use]
    pub fn new(arm: &'p ArmPlan) -> Ready<'p> {
        let roster = arm.model().roster();
        let clients: Vec<NodeId> = (0..roster.nodes.len()).filter(|n| roster.nodes[*n].takes_load).map(NodeId::at).collect();
        let target = |to: &str, clients: Vec<NodeId>| {
            let object = roster.objects.iter().position(|object| object.name == to).expect("a checked load names an object");
            Target { object: ObjectId::at(object), clients }
        };
        let client =
            |name: &str| NodeId::at(roster.nodes.iter().position(|node| node.name == name).expect("a checked operation names a node"));
        let streams = arm.load().streams.iter().map(|stream| target(&stream.to, clients.clone()));
        let listed = arm.load().listed.iter().map(|one| target(&one.to, vec![client(&one.client)]));
        let load = LoadPlan::new(arm.load(), streams.chain(listed).collect(), arm.phases()).expect("a checked load has no problems");
        Ready { arm, load, promises: arm.model().promises() }
    }

    /// The arm.
    #[must_use]
    pub const fn arm(&self) -> &'p ArmPlan {
        self.arm
    }

    /// What its configuration promises.
    #[must_use]
    pub const fn promises(&self) -> &Promises {
        &self.promises
    }
}

/// What differs from an ordinary run. None of it changes what happens, except `without`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct How {
    /// How many steps of trace to keep; zero: none.
    pub trace_limit: usize,
    /// Of which part of the run every step is kept; `None`: of all of it.
    pub window: Option<Window>,
    /// Leave this declared fault out. Everything else keeps its chances, so that the two runs are a pair.
    pub without: Option<FaultId>,
}

/// How far a step goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stride {
    /// To the next entry of the history.
    News,
    /// To the next event.
    Event,
}

/// A run that is over.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What came out.
    pub outcome: RunOutcome,
    /// What was true so soon after healing, for each claim that asks.
    pub early: Vec<Early>,
    /// The named overrides that matched no transmission.
    pub unmatched: Vec<String>,
}

/// A property judged before the end of a run, as if everything had been read out then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Early {
    /// Which.
    pub property: Property,
    /// How long after the beginning of the heal phase.
    pub within: Span,
    /// What was found then.
    pub verdict: Verdict,
}

/// A run on its way: a value that can be copied at any moment, and each copy goes on alone.
pub struct Passage<'p> {
    ready: &'p Ready<'p>,
    seed: u64,
    sim: Box<dyn Sim>,
    load: Load,
    judges: Judges,
    /// The phases still to begin, the next one last.
    phases: Vec<(Time, Phase)>,
    /// The moments to judge early, the next one last.
    looks: Vec<(Time, Property, Span)>,
    early: Vec<Early>,
    sample_every: Span,
    next_sample: Time,
    /// What the step added to the history, and how much of it judges and load have been shown.
    entries: Vec<Entry>,
    handed: usize,
    done: bool,
}

impl Clone for Passage<'_> {
    fn clone(&self) -> Self {
        Passage {
            ready: self.ready,
            seed: self.seed,
            sim: self.sim.fork(),
            load: self.load.clone(),
            judges: self.judges.clone(),
            phases: self.phases.clone(),
            looks: self.looks.clone(),
            early: self.early.clone(),
            sample_every: self.sample_every,
            next_sample: self.next_sample,
            entries: self.entries.clone(),
            handed: self.handed,
            done: self.done,
        }
    }
}

impl<'p> Passage<'p> {
    /// A run at time zero.
    ///
    /// # Panics
    /// When the surroundings do not fit the roster: checking the plan has started a world from them before.
    #[must_use]
    pub fn start(ready: &'p Ready<'p>, seed: u64, how: How) -> Passage<'p> {
        let arm = ready.arm;
        let surroundings = surroundings(arm, how);
        let sim = arm.model().start(&surroundings, seed).unwrap_or_else(|why| panic!("a checked plan does not start: {}", why.join("; ")));
        let load = Load::new(&ready.load, seed);
        let starts = arm.phases();
        let end = starts.start(Phase::Final);
        let sample_every = Span::nanos(end.nanos().div_ceil(SAMPLES).max(1));
        let config = JudgeConfig {
            window: sample_every,
            chaos_start: starts.start(Phase::Chaos),
            heal_start: starts.start(Phase::Heal),
            drain_start: starts.start(Phase::Drain),
            end,
        };
        let judges = Judges::new(Arc::new(sim.names().clone()), config);
        let mut phases: Vec<(Time, Phase)> = starts.boundaries().collect();
        phases.reverse();
        Passage {
            ready,
            seed,
            sim,
            load,
            judges,
            phases,
            looks: looks(arm),
            early: Vec::new(),
            sample_every,
            next_sample: Time::ZERO,
            entries: Vec::new(),
            handed: 0,
            done: false,
        }
    }

    /// Takes one step: at most until the history has something new, a phase begins or depths are sampled.
    /// Returns false when the run is over.
    pub fn step(&mut self) -> bool {
        self.step_by(Stride::News)
    }

    /// Takes the smallest step: one event, or what lies between two events. Returns false when the run is over.
    pub fn step_one(&mut self) -> bool {
        self.step_by(Stride::Event)
    }

    fn step_by(&mut self, stride: Stride) -> bool {
        if self.done {
            return false;
        }
        self.entries.clear();
        self.handed = 0;
        self.hand_over();
        let horizon = self.horizon();
        let until = self.load.peek().map_or(horizon, |at| at.min(horizon));
        let more = match stride {
            Stride::News => self.sim.advance(until, &mut self.entries),
            Stride::Event => self.sim.advance_one(until, &mut self.entries),
        };
        self.hand_on();
        if !more && until == horizon {
            self.arrive(horizon);
        }
        !self.done
    }

    /// The next moment at which something outside the world happens: a phase begins, depths are sampled, a claim looks.
    fn horizon(&self) -> Time {
        let look = self.looks.last().map_or(Time::FAR, |(at, _, _)| *at);
        self.boundary().min(self.next_sample).min(look)
    }

    fn boundary(&self) -> Time {
        self.phases.last().expect("the final phase ends the run").0
    }

    /// Arrivals are handed over when nothing can happen before them: what happens may bring new ones. An arrival at the border of
    /// a phase belongs to the phase that begins.
    fn hand_over(&mut self) {
        let (horizon, boundary) = (self.horizon(), self.boundary());
        let mut next = self.sim.next_time().unwrap_or(Time::FAR);
        while let Some(at) = self.load.peek().filter(|at| *at <= next && *at <= horizon && *at < boundary) {
            let arrival = self.load.next().expect("it has just told its time");
            self.sim.command(at, arrival.node, arrival.command);
            next = next.min(at);
        }
    }

    /// Everything up to the horizon has happened.
    fn arrive(&mut self, horizon: Time) {
        let boundary = self.boundary();
        if self.next_sample == horizon {
            let mut depths: BTreeMap<ObjectId, u64> = BTreeMap::new();
            self.sim.gauges(&mut |object, depth| *depths.entry(object).or_insert(0) += depth);
            depths.into_iter().for_each(|(object, depth)| self.judges.gauge(horizon, object, depth));
            self.next_sample += self.sample_every;
        }
        while let Some((_, property, within)) = self.looks.pop_if(|(at, _, _)| *at == horizon) {
            let verdict = self.look(horizon, property);
            self.early.push(Early { property, within, verdict });
        }
        while boundary == horizon && self.phases.last().is_some_and(|(at, _)| *at == horizon) {
            let (at, phase) = self.phases.pop().expect("just seen");
            self.entries.push(Entry { at, node: NodeId(0), what: What::Phase(phase) });
            match phase {
                Phase::Warm | Phase::Chaos | Phase::Drain => {}
                Phase::Heal => self.sim.heal(at, &mut self.entries),
                Phase::Final => {
                    // The world's time is that of its last event; what is still held is read now.
                    let read = self.entries.len();
                    self.sim.final_read(&mut self.entries);
                    self.entries[read..].iter_mut().for_each(|entry| entry.at = at);
                    self.done = true;
                }
            }
            self.hand_on();
        }
    }

    /// Judges a property as if the run ended now. Copies are judged; the run goes on as if nobody had looked.
    fn look(&self, at: Time, property: Property) -> Verdict {
        let (mut sim, mut judges) = (self.sim.fork(), self.judges.clone());
        let mut entries = vec![Entry { at, node: NodeId(0), what: What::Phase(Phase::Final) }];
        sim.final_read(&mut entries);
        for mut entry in entries {
            entry.at = at;
            judges.fold(&entry);
        }
        judges.finish(at, &self.ready.promises).verdict(property).into_owned()
    }

    /// Judges and load learn what is new.
    fn hand_on(&mut self) {
        for entry in &self.entries[self.handed..] {
            self.judges.fold(entry);
            match entry.what {
                What::End { op, .. } => self.load.ended(entry.at, op),
                What::Skipped { op, .. } => self.load.skipped(entry.at, op),
                What::Call { .. } | What::Note(_) | What::Phase(_) | What::Fault { .. } => {}
            }
        }
        self.handed = self.entries.len();
    }

    /// When the next event happens, if one is due before the next look at the run from outside.
    pub fn next_event(&mut self) -> Option<Time> {
        self.hand_over();
        let horizon = self.horizon();
        self.sim.next_time().filter(|at| *at <= horizon)
    }

    /// Runs everything that happens before a moment.
    pub fn run_until(&mut self, at: Time) {
        loop {
            let next = self.sim.next_time().unwrap_or(Time::FAR).min(self.load.peek().unwrap_or(Time::FAR));
            if self.done || next.min(self.horizon()) >= at {
                return;
            }
            self.step_one();
        }
    }

    /// A fault that nobody declared strikes before the next event; `at` is not after it.
    ///
    /// # Errors
    /// What it names and this world does not have, as sentences.
    pub fn inject(&mut self, at: Time, fault: &Fault) -> Result<FaultId, Vec<String>> {
        self.entries.clear();
        self.handed = 0;
        let injected = self.sim.inject(at, fault, &mut self.entries);
        self.hand_on();
        injected
    }

    /// From here on the world's chance is that of another seed; the load stays the same.
    pub fn reseed(&mut self, seed: u64) {
        self.sim.reseed(seed);
    }

    /// From a moment on, before which everything has happened, all is as another arm says: settings of the model, laws of the network, faults to come, load, the ends of
    /// phases. What has happened stays.
    ///
    /// # Errors
    /// What does not change while it runs, as sentences.
    pub fn adopt(&mut self, now: Time, other: &'p Ready<'p>) -> Result<(), Vec<String>> {
        let (ours, theirs) = (self.ready.arm, other.arm);
        let mut phases: Vec<(Time, Phase)> = theirs.phases().boundaries().collect();
        let begun = phases.len() - self.phases.len();
        let before: Vec<(Time, Phase)> = ours.phases().boundaries().take(begun).collect();
        if phases[..begun] != before || phases[begun..].iter().any(|(at, _)| *at < now) {
            return Err(vec![format!("at {now} it is too late to change when a phase began")]);
        }
        let same_load = ours.load() == theirs.load() && ours.phases().load_until() == theirs.phases().load_until();
        if !same_load && !self.load.is_open() {
            return Err(vec![
                "users who wait for their answers are not exchanged while they wait: a closed load stays as it is".to_owned(),
            ]);
        }
        let fresh = theirs.model().start(&surroundings(theirs, How::default()), self.seed)?;
        self.sim.adopt(now, &*fresh)?;
        if !same_load {
            self.load = Load::from_moment(&other.load, self.seed, (now, self.load.issued()));
        }
        phases.drain(..begun);
        phases.reverse();
        (self.phases, self.looks, self.ready) = (phases, looks(theirs), other);
        self.looks.retain(|(at, _, _)| *at > now);
        Ok(())
    }

    /// From here on nothing more goes wrong: no fault strikes, and those that act end as they would have.
    pub fn spare(&mut self) {
        self.sim.spare();
    }

    /// Goes on in a copy of the world, and forgets the world it was copied from.
    pub fn continue_in_a_copy(&mut self) {
        self.sim = self.sim.fork();
    }

    /// What the last step added to the history.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The world.
    #[must_use]
    pub fn sim(&self) -> &dyn Sim {
        &*self.sim
    }

    /// The judges so far.
    #[must_use]
    pub const fn judges(&self) -> &Judges {
        &self.judges
    }

    /// From here on nothing is measured: neither latencies nor what happens over time. For whoever asks for findings only.
    pub fn skip_figures(&mut self) {
        self.judges.skip_figures();
        self.next_sample = Time::FAR;
    }

    /// What the judges would find if the history ended here; without a final read, what depends on "never" is unknown.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.findings_of(&self.judges)
    }

    /// What other judges would find at the end of this run.
    #[must_use]
    pub fn findings_of(&self, judges: &Judges) -> Vec<Finding> {
        judges.findings(self.ready.arm.phases().start(Phase::Final), &self.ready.promises)
    }

    /// What was judged early so far.
    #[must_use]
    pub fn early(&self) -> &[Early] {
        &self.early
    }

    /// Whether something is still to be judged before the end.
    #[must_use]
    pub fn looks_ahead(&self) -> bool {
        !self.looks.is_empty()
    }

    /// A breach of the protocol's own invariant, in words.
    #[must_use]
    pub fn breach(&self) -> Option<String> {
        self.sim.breach().map(|(at, what)| format!("at {at}: {what}"))
    }

    /// Whether the load issues the same whatever happens.
    #[must_use]
    pub fn load_is_open(&self) -> bool {
        self.load.is_open()
    }

    /// How many operations the load has issued.
    #[must_use]
    pub fn issued(&self) -> u64 {
        self.load.issued()
    }

    /// Digest of everything so far.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.sim.digest()
    }

    /// Runs to the end, showing every new entry of the history.
    pub fn run(mut self, mut watch: impl FnMut(&Entry)) -> Passage<'p> {
        loop {
            let more = self.step();
            self.entries.iter().for_each(&mut watch);
            if !more {
                return self;
            }
        }
    }

    /// What came out.
    ///
    /// # Panics
    /// When the run is not over.
    #[must_use]
    pub fn finish(self) -> Ran {
        assert!(self.done, "a run is judged when it is over");
        let end = self.ready.arm.phases().start(Phase::Final);
        let outcome = RunOutcome {
            seed: self.seed,
            digest: self.sim.digest(),
            judged: self.judges.finish(end, &self.ready.promises),
            ledger: ledger(self.ready.arm, &*self.sim),
            marks: self.sim.marks().iter().map(|(mark, count)| (mark.to_owned(), count)).collect(),
            events: self.sim.events(),
            messages: self.sim.messages(),
            lasted: end.since(Time::ZERO),
            pending: self.sim.pending(),
            invariant: self.breach(),
            story: None,
        };
        Ran { outcome, early: self.early, unmatched: self.sim.unmatched() }
    }
}

/// The moments at which claims want to know whether something holds already; a moment after the end is the end.
fn looks(arm: &ArmPlan) -> Vec<(Time, Property, Span)> {
    let (heal, end) = (arm.phases().start(Phase::Heal), arm.phases().start(Phase::Final));
    let look = |claim: &Expectation| match claim {
        Expectation::Eventually { property, within } => Some(((heal + *within).min(end), *property, *within)),
        Expectation::Always(_)
        | Expectation::Broken(_)
        | Expectation::Sometimes(_)
        | Expectation::Never(_)
        | Expectation::SuccessRatio(_)
        | Expectation::Throughput(_)
        | Expectation::Latency { .. }
        | Expectation::Share { .. }
        | Expectation::Count { .. }
        | Expectation::Fault { .. } => None,
    };
    let mut looks: Vec<(Time, Property, Span)> = arm.expectations().claims.iter().filter_map(look).collect();
    looks.sort();
    looks.reverse();
    looks
}

/// The arm's surroundings with what this run changes.
fn surroundings(arm: &ArmPlan, how: How) -> Surroundings {
    let mut surroundings = arm.surroundings().clone();
    surroundings.trace_limit = how.trace_limit;
    surroundings.trace_window = how.window.unwrap_or(Window::ALL);
    surroundings.invariant_stride = INVARIANT_STRIDE;
    if let Some(out) = how.without {
        // The fault keeps its place, and so the others keep their ids and streams; it only never strikes.
        let mut faults = surroundings.faults.to_vec();
        faults[out.index()].when = When::At(Vec::new());
        surroundings.faults = Arc::from(faults);
    }
    surroundings
}

/// What each declared fault did.
fn ledger(arm: &ArmPlan, sim: &dyn Sim) -> Vec<LedgerRow> {
    let row = |(index, fault): (usize, &crate::parts::fault::Fault)| {
        let id = FaultId::at(index);
        let strikes: Vec<StrikeRow> = sim.strikes().iter().filter(|s| s.fault == id).map(|s| strike(s, sim.names())).collect();
        LedgerRow { fault: id, name: fault.name.clone(), fired: strikes.len() as u64, touched: sim.touched(id), mattered: None, strikes }
    };
    arm.surroundings().faults.iter().enumerate().map(row).collect()
}

fn strike(strike: &Strike, names: &Names) -> StrikeRow {
    StrikeRow {
        from: strike.from,
        until: strike.until,
        nodes: strike.nodes.iter().map(|n| names.node(*n).to_owned()).collect(),
        what: strike.what.clone(),
    }
}
