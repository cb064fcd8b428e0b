//! Faults at work: when they strike, whom, and what they touched. Each strike adds its own cause and takes only that away.

use std::sync::Arc;

use crate::base::law::Sampler;
use crate::base::{ConnId, FaultId, NodeId, SmallStream, Time, Words};
use crate::parts::fault::{Fault, Ill, Selector, When};
use crate::parts::network::Layer;
use crate::record::{Step, What};

use super::World;
use super::config::Strike;
use super::core::{Core, Event};
use super::host::Ailment;
use super::protocol::{Message, Protocol};

/// A fault's turn to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// It strikes; with a node when it is that node's own renewal process.
    Begin { fault: FaultId, only: Option<NodeId> },
    /// A strike ends.
    End { strike: u32 },
}

/// A declared fault with its laws ready to draw from.
pub(super) struct Prepared {
    pub(super) fault: Fault,
    gap: Option<Sampler>,
    lasts: Option<Sampler>,
    extra: Option<Sampler>,
}

impl Prepared {
    fn new(fault: &Fault) -> Prepared {
        let (gap, lasts) = match &fault.when {
            When::At(_) | When::Behind { .. } => (None, fault.lasts.as_ref()),
            When::Every { gap, .. } => (Some(gap), fault.lasts.as_ref()),
            When::Renewal { mtbf, mttr } => (Some(mtbf), Some(mttr)),
        };
        let extra = if let Ill::Jam { extra, .. } = &fault.ill { Some(extra.sampler()) } else { None };
        Prepared { fault: fault.clone(), gap: gap.map(crate::base::Law::sampler), lasts: lasts.map(crate::base::Law::sampler), extra }
    }
}

/// A fault's own chance. By name, so that a fault added or removed elsewhere in the file moves no other.
fn stream_of(fault: &Fault, seed: u64) -> SmallStream {
    SmallStream::named(seed, &format!("fault {}", fault.name), 0)
}

/// Whom a strike hits, what it lays over the network, and that in words.
pub(super) struct Hit {
    pub(super) nodes: Vec<NodeId>,
    pub(super) layers: Vec<Layer>,
    pub(super) what: String,
}

/// A strike that has not ended.
#[derive(Clone, Debug)]
struct Active {
    strike: u32,
    fault: FaultId,
    nodes: Arc<[NodeId]>,
    layers: Vec<Layer>,
}

/// All declared faults of a run: their streams, strikes and what they touched.
pub(super) struct Ledger<P: Protocol> {
    pub(super) faults: Arc<[Arc<Prepared>]>,
    streams: Vec<SmallStream>,
    touched: Vec<u64>,
    strikes: Arc<Vec<Strike>>,
    active: Vec<Active>,
    held: Vec<(FaultId, NodeId, NodeId, P::Msg)>,
    held_streams: Vec<(FaultId, ConnId, u8)>,
    /// No strike any more.
    healed: bool,
    chaos: (Time, Time),
    #[cfg(debug_assertions)]
    pub(super) recent_tags: super::unique::RecentTags,
}

impl<P: Protocol> Clone for Ledger<P> {
    fn clone(&self) -> Self {
        Ledger {
            faults: Arc::clone(&self.faults),
            streams: self.streams.clone(),
            touched: self.touched.clone(),
            strikes: Arc::clone(&self.strikes),
            active: self.active.clone(),
            held: self.held.clone(),
            held_streams: self.held_streams.clone(),
            healed: self.healed,
            chaos: self.chaos,
            #[cfg(debug_assertions)]
            recent_tags: self.recent_tags.clone(),
        }
    }
}

impl<P: Protocol> Ledger<P> {
    pub(super) fn new(faults: &[Fault], seed: u64, chaos: (Time, Time)) -> Ledger<P> {
        Ledger {
            faults: faults.iter().map(|fault| Arc::new(Prepared::new(fault))).collect(),
            streams: faults.iter().map(|fault| stream_of(fault, seed)).collect(),
            touched: vec![0; faults.len()],
            strikes: Arc::default(),
            active: Vec::new(),
            held: Vec::new(),
            held_streams: Vec::new(),
            healed: false,
            chaos,
            #[cfg(debug_assertions)]
            recent_tags: super::unique::RecentTags::default(),
        }
    }

    /// Counts what a fault touched.
    pub(super) fn touch(&mut self, fault: FaultId, times: u64) {
        self.touched[fault.index()] += times;
    }

    /// What a fault touched outside the network.
    pub(super) fn touched(&self, fault: FaultId) -> u64 {
        self.touched[fault.index()]
    }

    pub(super) fn strikes(&self) -> &[Strike] {
        &self.strikes
    }

    /// Whether no fault acts.
    pub(super) fn is_idle(&self) -> bool {
        self.active.is_empty()
    }

    /// Declares one more fault, which no time law brings on. Its number is the next.
    pub(super) fn declare(&mut self, fault: &Fault, seed: u64) -> FaultId {
        let id = FaultId::at(self.faults.len());
        self.faults = self.faults.iter().cloned().chain([Arc::new(Prepared::new(fault))]).collect();
        self.streams.push(stream_of(fault, seed));
        self.touched.push(0);
        id
    }

    /// What keeps these faults from taking the place of ours.
    pub(super) fn obstacle(&self, other: &Ledger<P>) -> Option<String> {
        let names = |ledger: &Ledger<P>| ledger.faults.iter().map(|one| one.fault.name.clone()).collect::<Vec<_>>();
        let same = names(self) == names(other);
        (!same).then(|| "of the declared faults, times and strengths may change, not their number and names".to_owned())
    }

    /// Takes over other faults, one for each. Gives those that differ.
    pub(super) fn adopt(&mut self, other: &Ledger<P>) -> Vec<FaultId> {
        self.chaos = other.chaos;
        let pairs = self.faults.iter().zip(other.faults.iter()).enumerate();
        let changed = pairs.filter(|(_, (ours, theirs))| ours.fault != theirs.fault).map(|(at, _)| FaultId::at(at)).collect();
        self.faults = Arc::clone(&other.faults);
        changed
    }

    /// Draws everything anew from here on.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.streams = self.faults.iter().map(|prepared| stream_of(&prepared.fault, seed)).collect();
    }

    /// A clog keeps a datagram.
    pub(super) fn hold(&mut self, cause: FaultId, from: NodeId, to: NodeId, msg: P::Msg) {
        self.held.push((cause, from, to, msg));
    }

    /// A clog keeps the head of a stream.
    pub(super) fn hold_stream(&mut self, cause: FaultId, conn: ConnId, flow: u8) {
        self.held_streams.push((cause, conn, flow));
    }
}

impl<P: Protocol> World<P> {
    /// Schedules the first strike of every fault.
    pub(super) fn schedule_faults(&mut self) {
        for i in 0..self.core.ledger.faults.len() {
            self.schedule_fault(FaultId::at(i), Time::ZERO);
        }
    }

    /// Schedules the first strikes of a fault from a moment on.
    pub(super) fn schedule_fault(&mut self, fault: FaultId, from: Time) {
        let prepared = Arc::clone(&self.core.ledger.faults[fault.index()]);
        let strike = |world: &mut Self, at: Time, only: Option<NodeId>| {
            world.core.queue.push(at, Event::Fault(Turn::Begin { fault, only }));
        };
        match &prepared.fault.when {
            When::At(times) => times.iter().filter(|at| **at >= from).for_each(|at| strike(self, *at, None)),
            When::Behind { at, .. } => {
                if *at >= from {
                    strike(self, *at, None);
                }
            }
            When::Every { first, .. } => {
                let mut next = *first;
                while next < from {
                    let gap = self.draw(fault, |prepared| prepared.gap.as_ref()).unwrap_or_default();
                    next += gap.max(crate::base::Span::nanos(1));
                }
                strike(self, next, None);
            }
            When::Renewal { .. } => {
                let start = self.core.ledger.chaos.0.max(from);
                let targets = match whom(&prepared.fault.ill) {
                    Some(selector) => self.select(selector, fault).into_iter().map(Some).collect(),
                    None => vec![None],
                };
                for only in targets {
                    let up = self.draw(fault, |prepared| prepared.gap.as_ref());
                    strike(self, start + up.unwrap_or_default(), only);
                }
            }
        }
    }

    /// Draws from one of a fault's laws, out of the fault's own stream.
    fn draw(&mut self, fault: FaultId, law: impl Fn(&Prepared) -> Option<&Sampler>) -> Option<crate::base::Span> {
        let ledger = &mut self.core.ledger;
        let prepared = &ledger.faults[fault.index()];
        law(prepared).map(|sampler| sampler.draw(&mut ledger.streams[fault.index()]))
    }

    /// The random words of a fault.
    pub(super) fn fault_words(&mut self, fault: FaultId) -> &mut impl Words {
        &mut self.core.ledger.streams[fault.index()]
    }

    pub(super) fn on_turn(&mut self, turn: Turn) {
        match turn {
            Turn::Begin { fault, only } => self.begin(fault, only),
            Turn::End { strike } => self.end_strike(strike),
        }
    }

    fn begin(&mut self, fault: FaultId, only: Option<NodeId>) {
        let now = self.core.now;
        // A strike at the very moment of healing would be lifted before it lasted at all.
        if self.core.ledger.healed || now >= self.core.ledger.chaos.1 {
            return;
        }
        let faults = Arc::clone(&self.core.ledger.faults);
        let prepared = &faults[fault.index()];
        if let When::Every { until: Some(until), .. } = &prepared.fault.when
            && now > *until
        {
            return;
        }
        if let When::Behind { events, .. } = &prepared.fault.when {
            // Everything of this moment that comes first: what it brings about at this same moment counts too.
            for _ in 0..*events {
                self.step(now);
            }
        }
        self.core.record(NodeId(0), What::Fault { fault, on: true });
        let strike = u32::try_from(self.core.ledger.strikes.len()).expect("fewer than 2^32 strikes");
        let (Hit { nodes, layers, what }, ill) = self.strike(fault, prepared, only);
        let nodes: Arc<[NodeId]> = nodes.into();
        Arc::make_mut(&mut self.core.ledger.strikes).push(Strike { fault, from: now, until: None, nodes: nodes.to_vec(), what, ill });
        self.core.ledger.active.push(Active { strike, fault, nodes, layers });
        let lasts = self.draw(fault, |prepared| prepared.lasts.as_ref());
        if let Some(lasts) = lasts {
            self.core.queue.push(now + lasts, Event::Fault(Turn::End { strike }));
        }
        match &prepared.fault.when {
            When::At(_) | When::Behind { .. } => {}
            When::Every { .. } => {
                let gap = self.draw(fault, |prepared| prepared.gap.as_ref()).unwrap_or_default();
                // A gap of nothing would strike for ever in one moment.
                let next = now + gap.max(crate::base::Span::nanos(1));
                self.core.queue.push(next, Event::Fault(Turn::Begin { fault, only: None }));
            }
            When::Renewal { .. } => {
                let up = self.draw(fault, |prepared| prepared.gap.as_ref()).unwrap_or_default();
                let next = now + lasts.unwrap_or_default() + up.max(crate::base::Span::nanos(1));
                self.core.queue.push(next, Event::Fault(Turn::Begin { fault, only }));
            }
        }
    }

    /// What a strike does, and the same as an ill without chance.
    fn strike(&mut self, fault: FaultId, prepared: &Prepared, only: Option<NodeId>) -> (Hit, Ill) {
        let ill = &prepared.fault.ill;
        if let Some(selector) = whom(ill) {
            let nodes = match only {
                Some(node) => vec![node],
                None => self.select(selector, fault),
            };
            for node in &nodes {
                self.core.trace_with(*node, || Step::Struck { fault, on: true });
                self.afflict(fault, ill, *node);
            }
            let certain = about_nodes(ill, self.by_name(&nodes));
            return (Hit { nodes, layers: Vec::new(), what: sentence(ill).to_owned() }, certain);
        }
        let (hit, certain) = self.network_layers(fault, ill, prepared.extra.as_ref());
        hit.nodes.iter().for_each(|node| self.core.trace_with(*node, || Step::Struck { fault, on: true }));
        for layer in &hit.layers {
            self.core.network.impose(fault, layer.clone());
        }
        (hit, certain)
    }

    /// A fault of a node begins.
    fn afflict(&mut self, fault: FaultId, ill: &Ill, node: NodeId) {
        let now = self.core.now;
        match ill {
            Ill::Kill(_) => self.take_down(node, fault, super::lifecycle::Down::Kill),
            Ill::PowerOff(_) => self.take_down(node, fault, super::lifecycle::Down::Power),
            Ill::TornWrite(_) => self.take_down(node, fault, super::lifecycle::Down::Torn),
            Ill::Wipe(_) => self.take_down(node, fault, super::lifecycle::Down::Wipe),
            Ill::Pause(_) => self.stop(node, fault, Ailment::Pause),
            Ill::Freeze(_) => self.stop(node, fault, Ailment::Freeze),
            Ill::Slow { factor_milli, .. } => self.core.cold(node).ailments.push((fault, Ailment::Slow(*factor_milli))),
            Ill::SyncFails { chance, .. } => self.core.cold(node).ailments.push((fault, Ailment::SyncFails(*chance))),
            Ill::DiskStall(_) => self.core.cold(node).disk.stall(now, fault),
            Ill::DiskFull(_) => self.core.cold(node).disk.fill(fault),
            Ill::FlipBits { count, .. } => {
                let mut words = self.core.strike_words(node);
                for _ in 0..*count {
                    let word = words.word();
                    if self.core.cold(node).disk.flip(now, word) {
                        self.core.ledger.touch(fault, 1);
                    }
                }
            }
            Ill::ClockStep { by, .. } => {
                self.core.cold(node).clock.step(now, fault, *by);
                self.core.ledger.touch(fault, 1);
            }
            Ill::ClockDrift { ppm, .. } => {
                self.with_clock(node, |clock| clock.drift(now, fault, *ppm));
                self.core.ledger.touch(fault, 1);
            }
            Ill::Cut(_) | Ill::Jam { .. } | Ill::Drop { .. } | Ill::Clog { .. } => unreachable!("concerns pairs, not nodes"),
        }
    }

    /// A strike ends: its causes are taken away, and nobody else's.
    fn end_strike(&mut self, strike: u32) {
        let Some(at) = self.core.ledger.active.iter().position(|active| active.strike == strike) else { return };
        let now = self.core.now;
        let active = self.core.ledger.active.remove(at);
        let fault = active.fault;
        Arc::make_mut(&mut self.core.ledger.strikes)[strike as usize].until = Some(now);
        self.core.record(NodeId(0), What::Fault { fault, on: false });
        let faults = Arc::clone(&self.core.ledger.faults);
        let ill = &faults[fault.index()].fault.ill;
        for node in active.nodes.iter() {
            self.core.trace_with(*node, || Step::Struck { fault, on: false });
            self.relieve(fault, ill, *node);
        }
        if !active.layers.is_empty() {
            self.core.network.lift(fault);
            // Other strikes of the same fault go on.
            let rest: Vec<Layer> =
                self.core.ledger.active.iter().filter(|other| other.fault == fault).flat_map(|other| other.layers.clone()).collect();
            for layer in rest {
                self.core.network.impose(fault, layer);
            }
            self.core.let_go(fault);
        }
    }

    /// A fault of a node ends.
    fn relieve(&mut self, fault: FaultId, ill: &Ill, node: NodeId) {
        let now = self.core.now;
        match ill {
            Ill::Kill(_) | Ill::PowerOff(_) | Ill::TornWrite(_) | Ill::Wipe(_) => self.bring_up(node, fault),
            Ill::Pause(_) => self.go_on(node, fault, Ailment::Pause),
            Ill::Freeze(_) => self.go_on(node, fault, Ailment::Freeze),
            Ill::Slow { factor_milli, .. } => self.core.cold(node).relieve(fault, Ailment::Slow(*factor_milli)),
            Ill::SyncFails { chance, .. } => self.core.cold(node).relieve(fault, Ailment::SyncFails(*chance)),
            Ill::DiskStall(_) => {
                self.core.cold(node).disk.unstall(fault);
                if self.core.cold(node).disk.stalled_by().is_none() {
                    for done in std::mem::take(&mut self.core.cold(node).stalled) {
                        self.core.queue.push(now, Event::Synced(Box::new(done)));
                    }
                }
            }
            Ill::DiskFull(_) => {
                self.core.cold(node).disk.unfill(fault);
            }
            Ill::ClockStep { .. } => {
                self.core.cold(node).clock.lift(now, fault);
            }
            Ill::ClockDrift { .. } => self.with_clock(node, |clock| {
                clock.lift(now, fault);
            }),
            Ill::FlipBits { .. } | Ill::Cut(_) | Ill::Jam { .. } | Ill::Drop { .. } | Ill::Clog { .. } => {}
        }
    }

    /// Everything heals: no more strikes, and all that act end.
    pub(super) fn heal_all(&mut self) {
        self.core.ledger.healed = true;
        let active: Vec<u32> = self.core.ledger.active.iter().map(|active| active.strike).collect();
        for strike in active {
            self.end_strike(strike);
        }
    }
}

impl<P: Protocol> Core<P> {
    /// A clog was lifted: what it kept is routed anew, in the order in which it came.
    fn let_go(&mut self, fault: FaultId) {
        let held = std::mem::take(&mut self.ledger.held);
        for (cause, from, to, msg) in held {
            if cause != fault {
                self.ledger.held.push((cause, from, to, msg));
                continue;
            }
            let tag = msg.tag();
            let decision = self.open_tag(from, to, tag);
            self.route_datagram(from, to, tag, decision, msg);
        }
        let streams = std::mem::take(&mut self.ledger.held_streams);
        for (cause, conn, flow) in streams {
            if cause == fault {
                self.queue.push(self.now, Event::Retry { conn, flow });
            } else {
                self.ledger.held_streams.push((cause, conn, flow));
            }
        }
    }
}

/// The same ill, about exactly these nodes.
fn about_nodes(ill: &Ill, who: Selector) -> Ill {
    match ill {
        Ill::Kill(_) => Ill::Kill(who),
        Ill::PowerOff(_) => Ill::PowerOff(who),
        Ill::Wipe(_) => Ill::Wipe(who),
        Ill::Pause(_) => Ill::Pause(who),
        Ill::Freeze(_) => Ill::Freeze(who),
        Ill::DiskStall(_) => Ill::DiskStall(who),
        Ill::TornWrite(_) => Ill::TornWrite(who),
        Ill::DiskFull(_) => Ill::DiskFull(who),
        Ill::Slow { factor_milli, .. } => Ill::Slow { who, factor_milli: *factor_milli },
        Ill::SyncFails { chance, .. } => Ill::SyncFails { who, chance: *chance },
        Ill::FlipBits { count, .. } => Ill::FlipBits { who, count: *count },
        Ill::ClockStep { by, .. } => Ill::ClockStep { who, by: *by },
        Ill::ClockDrift { ppm, .. } => Ill::ClockDrift { who, ppm: *ppm },
        Ill::Cut(_) | Ill::Jam { .. } | Ill::Drop { .. } | Ill::Clog { .. } => unreachable!("concerns pairs, not nodes"),
    }
}

/// The nodes that a fault concerns; `None` for those that concern pairs of nodes.
fn whom(ill: &Ill) -> Option<&Selector> {
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
        | Ill::ClockDrift { who, .. } => Some(who),
        Ill::Cut(_) | Ill::Jam { .. } | Ill::Drop { .. } | Ill::Clog { .. } => None,
    }
}

/// What a fault of nodes does, in words.
const fn sentence(ill: &Ill) -> &'static str {
    match ill {
        Ill::Kill(_) => "process killed",
        Ill::PowerOff(_) => "power lost",
        Ill::Wipe(_) => "power and disk lost",
        Ill::TornWrite(_) => "power lost in the middle of a write",
        Ill::Pause(_) => "process stopped",
        Ill::Freeze(_) => "machine stopped",
        Ill::Slow { .. } => "slowed down",
        Ill::SyncFails { .. } => "syncs fail",
        Ill::DiskStall(_) => "disk stalls",
        Ill::DiskFull(_) => "disk full",
        Ill::FlipBits { .. } => "bits flipped on disk",
        Ill::ClockStep { .. } => "clock stepped",
        Ill::ClockDrift { .. } => "clock drifts",
        Ill::Cut(_) => "cut",
        Ill::Jam { .. } => "messages slowed",
        Ill::Drop { .. } => "messages dropped",
        Ill::Clog { .. } => "messages held back",
    }
}
