//! Freezing: a run in which chance decided becomes a run whose plan says what happened, operation by operation and loss by loss.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Chance, ClientOp, FaultId, Law, LossReason, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::{Accounting, Property};
use crate::load::{Listed, Load, LoadConfig, LoadPlan, OpKind, Target};
use crate::parts::config::{LinkConfig, LinkLaw, NetworkConfig};
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Selector, When};
use crate::parts::network::Outcome;
use crate::record::{Entry, Op, Step, TraceEntry, What};
use crate::run::{Crash, How, Passage, Ran, Ready, guarded};
use crate::scenario::{ArmPlan, Expectation, Expectations, Plan};
use crate::world::{NamedOverride, Roster, Sim};

use super::case::Case;
use super::vocabulary::IllKind;

/// Enough for every step of an ordinary run: about 200 MB while it is looked at. What does not fit stays to chance.
const TRACE: usize = 2_000_000;

/// Writes chance down as plan: the load becomes listed operations, every strike a fault of its own with its moment, its end and its
/// nodes by name, and every transmission that chance lost, repeated or damaged a named one; the network loses nothing by chance any
/// more. Delays stay laws: they are drawn by the names of messages, and so stay the same. The arm becomes `main`, without claims about
/// what becomes of its faults.
///
/// What is frozen gives the same verdicts and the same accounting, or is left to chance: the drops of faults first, then the losses of the
/// network, then the faults.
///
/// # Errors
/// A panic before the run has begun. A run that panics later is frozen up to there.
pub fn freeze(case: &Case) -> Result<Case, Crash> {
    let account = Account::of(case)?;
    let frozen = account.candidates(case).into_iter().find(|frozen| Look::of(frozen) == account.look);
    Ok(frozen.unwrap_or_else(|| case.clone()))
}

/// The same run with less and less of it frozen; the last is not frozen at all.
///
/// # Errors
/// A panic before the run has begun.
pub(super) fn candidates(case: &Case) -> Result<Vec<Case>, Crash> {
    Ok(Account::of(case)?.candidates(case))
}

/// The named transmissions of a run, each with the time that it takes in this run; what an override decides already stays decided.
///
/// # Errors
/// A panic before the run has begun.
pub(super) fn delays(case: &Case) -> Result<Vec<NamedOverride>, Crash> {
    Ok(merged(&case.arm, &Account::of(case)?, |fate| fate.took.map(|took| Outcome { delay: Some(took), ..Outcome::default() })))
}

/// Which transmission of a run something is, whatever its number: the how-manieth of its kind from one node to another about a payload.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    from: String,
    to: String,
    kind: String,
    about: Option<PayloadId>,
    resend: u32,
    nth: u32,
}

/// The transmissions of a run that chance or an override may decide about, in order of time: where each stands, and its name.
///
/// # Errors
/// A panic before the run has begun.
pub(super) fn transmissions(case: &Case) -> Result<Vec<(Place, NamedOverride)>, Crash> {
    let mut counts = BTreeMap::new();
    let place = |fate: Fate| {
        let NamedOverride { from, to, kind, resend, .. } = fate.name.clone();
        let nth = counts.entry((from.clone(), to.clone(), kind.clone(), fate.about, resend)).or_insert(0);
        *nth += 1;
        (Place { from, to, kind, about: fate.about, resend, nth: *nth }, fate.name)
    };
    Ok(Account::of(case)?.fates.into_iter().map(place).collect())
}

/// How a run came out, as far as freezing must keep it; `None` of a run that panicked.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Look(Option<Seen>);

/// What is seen of a run that came to its end.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    broken: Vec<Property>,
    accounting: Accounting,
    invariant: bool,
}

impl Look {
    fn at(ran: &Ran) -> Look {
        let run = &ran.outcome;
        let broken = run.judged.findings.iter().filter(|finding| finding.verdict.is_broken());
        let broken = broken.map(|finding| finding.property).collect();
        Look(Some(Seen { broken, accounting: run.judged.accounting.clone(), invariant: run.invariant.is_some() }))
    }

    fn of(case: &Case) -> Look {
        let ran = guarded(case.seed, || {
            let ready = Ready::new(&case.arm);
            Passage::start(&ready, case.seed, How::default()).run(|_| ()).finish()
        });
        ran.map_or(Look(None), |ran| Look::at(&ran))
    }
}

/// What became of one transmission, and by whose doing.
struct Fate {
    name: NamedOverride,
    /// The fault whose doing it is.
    by: Option<FaultId>,
    /// The payload it is about.
    about: Option<PayloadId>,
    /// How long it took, if it arrived.
    took: Option<Span>,
}

/// What happened in a run, as far as chance had a hand in it.
struct Account {
    load: LoadConfig,
    faults: Vec<Fault>,
    fates: Vec<Fate>,
    unmatched: BTreeSet<String>,
    look: Look,
}

impl Account {
    /// Runs a case with its trace on.
    fn of(case: &Case) -> Result<Account, Crash> {
        let (arm, seed) = (&case.arm, case.seed);
        let ready = guarded(seed, || Ready::new(arm))?;
        let mut issued = guarded(seed, || Issued::new(arm, seed))?;
        let mut passage = guarded(seed, || Passage::start(&ready, seed, How { trace_limit: TRACE, ..How::default() }))?;
        let ended = loop {
            match guarded(seed, || passage.step()) {
                Ok(more) => {
                    passage.entries().iter().for_each(|entry| issued.see(entry));
                    if !more {
                        break true;
                    }
                }
                Err(_) => break false,
            }
        };
        let sim = passage.sim();
        issued.until(if ended { Time::FAR } else { sim.now() });
        let load = if arm.load().streams.is_empty() { arm.load().clone() } else { issued.config() };
        let faults = explicit(arm, sim);
        let fates = fates(arm, sim);
        let unmatched = sim.unmatched().into_iter().collect();
        let look = if ended { Look::at(&passage.finish()) } else { Look(None) };
        Ok(Account { load, faults, fates, unmatched, look })
    }

    fn candidates(&self, case: &Case) -> Vec<Case> {
        let bare = without_fates_of_faults(case);
        let listed = bare.with_load(self.load.clone());
        let explicit = listed.with_faults(self.faults.clone());
        let quiet = explicit.with_network(quiet(&case.arm.surroundings().network));
        let lost = |fate: &Fate| (fate.name.outcome != Outcome::default()).then_some(fate.name.outcome);
        let some = quiet.with_overrides(merged(&bare, self, |fate| lost(fate).filter(|_| fate.by.is_none())));
        let is_drop = |fault: &Fault| matches!(fault.ill, Ill::Drop { .. });
        let undropped = self.faults.iter().filter(|fault| !is_drop(fault)).cloned().collect();
        let all = quiet.with_faults(undropped).with_overrides(merged(&bare, self, lost));
        let mut arms = vec![all];
        if self.faults.iter().any(is_drop) {
            arms.push(some);
        }
        arms.extend([explicit, listed, bare]);
        arms.into_iter().map(|arm| Case { arm, seed: case.seed }).collect()
    }
}

/// The overrides of an arm that decide something, and what the fates add to them.
fn merged(arm: &ArmPlan, account: &Account, outcome: impl Fn(&Fate) -> Option<Outcome>) -> Vec<NamedOverride> {
    let key = |one: &NamedOverride| (one.from.clone(), one.to.clone(), one.kind.clone(), one.subject, one.attempt, one.resend);
    let kept = arm.surroundings().overrides.iter().filter(|one| !account.unmatched.contains(&one.to_string()));
    let mut order: Vec<NamedOverride> = kept.cloned().collect();
    let mut places: BTreeMap<_, usize> = order.iter().enumerate().map(|(at, one)| (key(one), at)).collect();
    for fate in &account.fates {
        let Some(adds) = outcome(fate) else { continue };
        let at = *places.entry(key(&fate.name)).or_insert(order.len());
        if at == order.len() {
            order.push(NamedOverride { outcome: Outcome::default(), ..fate.name.clone() });
        }
        let one = &mut order[at].outcome;
        *one = Outcome {
            drop: one.drop.or(adds.drop),
            delay: one.delay.or(adds.delay),
            duplicate: one.duplicate.or(adds.duplicate),
            damage: one.damage.or(adds.damage),
        };
    }
    order
}

/// The arm alone: claims about what becomes of its faults would name faults that go.
fn without_fates_of_faults(case: &Case) -> ArmPlan {
    let expectations = case.arm.expectations();
    let claims = expectations.claims.iter().filter(|claim| !matches!(claim, Expectation::Fault { .. })).cloned().collect();
    let expectations = Expectations { claims, violations: expectations.violations };
    let plan = Plan::alone(String::new(), String::new(), &case.arm, case.seed, expectations, None);
    plan.arms().first().expect("a plan of one arm").clone()
}

/// The network without any chance of loss, repetition and damage.
fn quiet(network: &NetworkConfig) -> NetworkConfig {
    let law = |law: &LinkLaw| LinkLaw { loss: Chance::NEVER, burst: None, duplicate: Chance::NEVER, corrupt: None, ..law.clone() };
    let link = |link: &LinkConfig| LinkConfig { there: law(&link.there), back: law(&link.back), ..link.clone() };
    NetworkConfig {
        within: law(&network.within),
        between_zones: law(&network.between_zones),
        between_regions: law(&network.between_regions),
        links: network.links.iter().map(link).collect(),
        ..network.clone()
    }
}

/// What every message's journey came to, in order of time.
fn fates(arm: &ArmPlan, sim: &dyn Sim) -> Vec<Fate> {
    let faults = &arm.surroundings().faults;
    let fate = |entry: &TraceEntry| {
        let (to, tag, resend, outcome, by, took) = match &entry.step {
            Step::Lost { to, tag, resend, why, .. } => {
                let by = match why {
                    LossReason::Chance | LossReason::Burst | LossReason::Checksum | LossReason::Override => None,
                    LossReason::Fault(cause) if matches!(faults[cause.index()].ill, Ill::Drop { .. }) => Some(*cause),
                    LossReason::Fault(_) | LossReason::NoRoute | LossReason::Overflow | LossReason::NodeDown | LossReason::RunQueueFull => {
                        return None;
                    }
                };
                (*to, *tag, *resend, Outcome { drop: Some(true), ..Outcome::default() }, by, None)
            }
            Step::Carried { to, tag, resend, at, damaged, again } => {
                let (damage, duplicate) = (damaged.then_some(true), again.is_some().then_some(true));
                (*to, *tag, *resend, Outcome { damage, duplicate, ..Outcome::default() }, None, Some(at.since(entry.at)))
            }
            Step::Sent { .. }
            | Step::Recorded(_)
            | Step::Struck { .. }
            | Step::Received { .. }
            | Step::Fired
            | Step::Booted
            | Step::Down { .. }
            | Step::Paused(_)
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { .. }
            | Step::LostWrites { .. }
            | Step::Disconnected { .. }
            | Step::Said { .. } => return None,
        };
        let node = |id: NodeId| sim.names().node(id).to_owned();
        let kind = sim.kind(tag.kind)?.to_owned();
        let name =
            NamedOverride { from: node(entry.node), to: node(to), kind, subject: tag.subject, attempt: tag.attempt, resend, outcome };
        Some(Fate { name, by, about: sim.about(tag), took })
    };
    sim.trace().map_or_else(Vec::new, |trace| trace.entries().iter().filter_map(fate).collect())
}

/// Every strike as a fault that leaves nothing to chance, in the order of the declared faults: jams are told apart by their order.
fn explicit(arm: &ArmPlan, sim: &dyn Sim) -> Vec<Fault> {
    let surroundings = arm.surroundings();
    let mut faults: Vec<Fault> = Vec::new();
    for (index, fault) in surroundings.faults.iter().enumerate() {
        for strike in sim.strikes().iter().filter(|strike| strike.fault == FaultId::at(index)) {
            let Some(ill) = concerned(&strike.ill) else { continue };
            let kind = IllKind::of(&ill);
            let until = strike.until.filter(|until| *until < surroundings.heal_start && !kind.is_momentary());
            let lasts = until.map(|until| until.since(strike.from));
            if lasts.is_some_and(Span::is_zero) && !kind.takes_down() {
                continue;
            }
            let when = match &fault.when {
                When::Behind { events, .. } => When::Behind { at: strike.from, events: *events },
                When::At(_) | When::Every { .. } | When::Renewal { .. } => When::At(vec![strike.from]),
            };
            let name = unused(&fault.name, &faults);
            faults.push(Fault { name, ill, when, lasts: lasts.map(Law::Constant) });
        }
    }
    faults
}

/// The name, or the name with the first number that makes it one of its own.
fn unused(name: &str, faults: &[Fault]) -> String {
    let is_free = |name: &String| faults.iter().all(|fault| fault.name != *name);
    let numbered = (2u32..).map(|number| format!("{name} ({number})"));
    std::iter::once(name.to_owned()).chain(numbered).find(is_free).expect("there are more numbers than faults")
}

/// The ill without pairs that concern nobody; `None` when nobody is left.
fn concerned(ill: &Ill) -> Option<Ill> {
    let nobody = |selector: &Selector| matches!(selector, Selector::Union(parts) if parts.is_empty());
    match ill {
        Ill::Kill(who)
        | Ill::PowerOff(who)
        | Ill::Wipe(who)
        | Ill::Pause(who)
        | Ill::Freeze(who)
        | Ill::DiskStall(who)
        | Ill::TornWrite(who)
        | Ill::DiskFull(who)
        | Ill::Slow { who, .. }
        | Ill::SyncFails { who, .. }
        | Ill::FlipBits { who, .. }
        | Ill::ClockStep { who, .. }
        | Ill::ClockDrift { who, .. } => (!nobody(who)).then(|| ill.clone()),
        Ill::Jam { from, to, .. } | Ill::Drop { from, to, .. } | Ill::Clog { from, to } => {
            (!nobody(from) && !nobody(to)).then(|| ill.clone())
        }
        Ill::Cut(Cut { shape: CutShape::Pairs(pairs), others }) => {
            let pairs: Vec<(Selector, Selector)> = pairs.iter().filter(|(from, to)| !nobody(from) && !nobody(to)).cloned().collect();
            (!pairs.is_empty()).then_some(Ill::Cut(Cut { shape: CutShape::Pairs(pairs), others: *others }))
        }
        Ill::Cut(_) => Some(ill.clone()),
    }
}

/// The load of a run, issued once more beside it: what clients end or skip brings the next of a closed loop.
struct Issued {
    load: Load,
    roster: Roster,
    listed: Vec<Listed>,
}

impl Issued {
    fn new(arm: &ArmPlan, seed: u64) -> Issued {
        let roster = arm.model().roster();
        let clients: Vec<NodeId> = (0..roster.nodes.len()).filter(|n| roster.nodes[*n].takes_load).map(NodeId::at).collect();
        let object = |to: &str| {
            let object = roster.objects.iter().position(|object| object.name == to).expect("a checked load names an object");
            ObjectId::at(object)
        };
        let streams = LoadConfig { streams: arm.load().streams.clone(), listed: Vec::new() };
        let targets = streams.streams.iter().map(|stream| Target { object: object(&stream.to), clients: clients.clone() }).collect();
        let plan = LoadPlan::new(&streams, targets, arm.phases()).expect("a checked load has no problems");
        Issued { load: Load::new(&plan, seed), roster, listed: Vec::new() }
    }

    /// What was issued up to a moment, and at it.
    fn until(&mut self, until: Time) {
        while self.load.peek().is_some_and(|at| at <= until) {
            let arrival = self.load.next().expect("it has just told its time");
            let client = self.roster.nodes[arrival.node.index()].name.clone();
            let (ClientOp(number), what) = (arrival.command.op, arrival.command.what);
            let to = self.roster.objects[what.object().index()].name.clone();
            let (op, bytes) = match what {
                Op::Publish { bytes, .. } => (OpKind::Publish, bytes),
                Op::Request { bytes, .. } => (OpKind::Request, bytes),
            };
            debug_assert_eq!(number, what.payload().0, "operations and payloads are numbered alike");
            self.listed.push(Listed { at: arrival.at, payload: what.payload(), client, to, op, key: what.key(), bytes });
        }
    }

    /// An entry of the history: the load hears how operations end.
    fn see(&mut self, entry: &Entry) {
        match entry.what {
            What::End { op, .. } => {
                self.until(entry.at);
                self.load.ended(entry.at, op);
            }
            What::Skipped { op, .. } => {
                self.until(entry.at);
                self.load.skipped(entry.at, op);
            }
            What::Call { .. } | What::Note(_) | What::Phase(_) | What::Fault { .. } => {}
        }
    }

    fn config(self) -> LoadConfig {
        LoadConfig { streams: Vec::new(), listed: self.listed }
    }
}
