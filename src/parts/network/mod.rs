//! The network: decides what becomes of each message, and knows nothing of event queues or of what nodes do.
//!
//! A message crosses the links of one path (host, switches, host), chosen by mean delay. Each link asks keyed chance about it, each
//! question in a lane of its own, so that switching one fault of a link on changes no other answer. Faults lie over the
//! links as layers, each with its cause.

mod layers;
mod link;
mod overrides;
mod pairs;
mod plan;
mod routes;
mod shape;

#[cfg(test)]
mod tests;

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::base::LossReason;
use crate::base::{Chance, Decision, Digest, FaultId, Lane, LinkId, NodeId, Sampler, SmallStream, Span, Time, Words};
use crate::parts::config::NetworkConfig;

pub use layers::Layer;
pub use overrides::{Outcome, Override, Overrides};
pub use pairs::Pairs;

use layers::{Layers, layer_step};
use link::{BurstState, Journey, Queue, flipped, later, some, step};
use routes::{Routes, link_of};
use shape::Shape;

/// How a message travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// On its own: it can be lost, doubled, overtaken and damaged.
    Datagram,
    /// As a segment of a connection: what happens to it is loss and delay; a loss is repaired by sending it again.
    Stream,
}

/// One transmission of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transmission {
    /// Who sends.
    pub from: NodeId,
    /// Who shall receive.
    pub to: NodeId,
    /// Index into the protocol's list of message kinds; faults may concern one kind only.
    pub kind: u16,
    /// Its size on the wire.
    pub bytes: u32,
    /// How it travels.
    pub transport: Transport,
    /// The opened tag: what befalls the message follows from it.
    pub decision: Decision,
    /// 0 for the first transmission; n for the n-th time that a stream segment is sent again.
    pub resend: u32,
}

/// What becomes of a transmission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It arrives.
    Deliver {
        /// When.
        at: Time,
        /// Where from to take the damage, when it arrives damaged.
        damage: Option<NonZeroU64>,
        /// A second arrival, with a time and damage of its own.
        copy: Option<(Time, Option<NonZeroU64>)>,
    },
    /// A fault holds it back. To be routed again when that fault is lifted.
    Held {
        /// Which fault.
        cause: FaultId,
    },
    /// It does not arrive.
    Lost {
        /// What ate it.
        why: LossReason,
    },
}

/// A network of hosts, links and switches, with the faults that lie over it now. Cheap to clone: what does not change is
/// shared, and what does is a few words for each link that has a bandwidth or bursty loss.
///
/// ```
/// use deadletter::base::{Law, NodeId, Span, Tag, Time, WorldKey};
/// use deadletter::parts::config::{LinkLaw, NetworkConfig};
/// use deadletter::parts::network::{Fate, Network, Transmission, Transport};
/// let config = NetworkConfig::flat(LinkLaw::healthy(Law::Constant(Span::millis(2))));
/// let mut network = Network::new(&config, &["a".into(), "b".into()], 7).unwrap();
/// let (from, to) = (NodeId(0), NodeId(1));
/// let decision = WorldKey::new(7).open(from, to, Tag { kind: 0, subject: 0, attempt: 1 });
/// let message = Transmission { from, to, kind: 0, bytes: 100, transport: Transport::Datagram, decision, resend: 0 };
/// let at = Time::ZERO + Span::millis(2);
/// assert_eq!(network.route(Time::ZERO, &message), Fate::Deliver { at, damage: None, copy: None });
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    shape: Arc<Shape>,
    /// The routes around the links that are cut now.
    routes: Arc<Routes>,
    layers: Layers,
    overrides: Arc<Overrides>,
    /// How often each override was matched.
    matched: Vec<u32>,
    /// No layer and no override: nothing but the links decides.
    calm: bool,
    queues: Vec<Queue>,
    bursts: Vec<BurstState>,
    /// By fault: how many messages it ate, held or delayed.
    touched: Vec<u64>,
}

impl Network {
    /// The network of a configuration with these hosts; `NodeId(i)` is `hosts[i]`.
    ///
    /// # Errors
    /// Everything that is wrong with the names, links and numbers, each as a sentence for the user.
    pub fn new(config: &NetworkConfig, hosts: &[String], seed: u64) -> Result<Network, Vec<String>> {
        Ok(Network::of(Arc::new(Shape::assemble(plan::plan(config, hosts)?)), seed))
    }

    /// The same network at its beginning, without faults and overrides, for the run of another seed.
    #[must_use]
    pub fn reseeded(&self, seed: u64) -> Network {
        Network::of(Arc::clone(&self.shape), seed)
    }

    /// From here on chance is that of another seed, and nothing is overridden; what is in queues and in force stays.
    pub fn reseed(&mut self, seed: u64) {
        self.bursts = bursts_of(&self.shape, seed);
        self.override_with(Arc::default());
    }

    /// From here on the laws are those of another network over the same links, and its overrides count; the layers of faults
    /// stay.
    ///
    /// # Errors
    /// When the links are not the same.
    pub fn adopt(&mut self, other: &Network) -> Result<(), Vec<String>> {
        if !self.shape.same_links(&other.shape) {
            return Err(vec!["links and zones of a running system stay the same; their laws may change".to_owned()]);
        }
        let (layers, touched, queues) =
            (std::mem::take(&mut self.layers), std::mem::take(&mut self.touched), std::mem::take(&mut self.queues));
        *self = Network { layers, touched, ..other.clone() };
        if self.queues.len() == queues.len() {
            self.queues = queues;
        }
        self.settle();
        Ok(())
    }

    /// Adds what will befall later messages to a fingerprint: queues that are busy, and whether a fault acts.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        digest.word(u64::from(self.layers.is_empty()));
        self.queues.iter().for_each(|queue| queue.fingerprint(now, digest));
    }

    fn of(shape: Arc<Shape>, seed: u64) -> Network {
        Network {
            routes: Arc::clone(&shape.routes),
            layers: Layers::default(),
            overrides: Arc::default(),
            matched: Vec::new(),
            calm: true,
            queues: vec![Queue::default(); shape.queues],
            bursts: bursts_of(&shape, seed),
            touched: Vec::new(),
            shape,
        }
    }

    /// Decides what becomes of a transmission that leaves now. Times of successive calls must not run backward.
    ///
    /// A host always reaches itself, at once.
    #[inline]
    pub fn route(&mut self, now: Time, t: &Transmission) -> Fate {
        let (from, to) = (self.shape.home(t.from), self.shape.home(t.to));
        let plain = from.core == to.core && from.plain_up && to.clear_down && t.from != t.to;
        if !(self.calm && plain) {
            return self.route_far(now, t);
        }
        // What `Class::cross` does, when there is nothing but a delay and a loss.
        let class = &self.shape.classes[from.class as usize];
        let step = step(0, false, t.resend);
        if class.loss.hits(t.decision.word(Lane::Loss, step)) {
            return Fate::Lost { why: LossReason::Chance };
        }
        let took = class.delay.draw(&mut t.decision.words(Lane::Delay, step));
        Fate::Deliver { at: later(now, took.as_nanos()), damage: None, copy: None }
    }

    /// The same for any topology and law.
    #[inline(never)]
    fn route_far(&mut self, now: Time, t: &Transmission) -> Fate {
        let ordinary = Way { copy: false, spared: false, unasked: false, links: usize::MAX };
        if t.from == t.to {
            let _named = self.overridden(t);
            return Fate::Deliver { at: now, damage: None, copy: None };
        }
        if !self.calm {
            return self.route_with_care(now, t);
        }
        match self.travel(now, t, ordinary) {
            Ok(first) if first.doubled => {
                let copy = self.travel(now, t, Way { copy: true, ..ordinary }).ok();
                Fate::Deliver {
                    at: first.at,
                    damage: NonZeroU64::new(first.damage),
                    copy: copy.map(|copy| (copy.at, NonZeroU64::new(copy.damage))),
                }
            }
            Ok(first) => Fate::Deliver { at: first.at, damage: NonZeroU64::new(first.damage), copy: None },
            Err(why) => Fate::Lost { why },
        }
    }

    /// The same with layers and overrides.
    fn route_with_care(&mut self, now: Time, t: &Transmission) -> Fate {
        let outcome = self.overridden(t);
        let detour = match self.barred(t.from, t.to) {
            Ok(detour) => detour,
            Err(why) => return self.eaten(why),
        };
        if let Some(cause) = self.layers.clog(t.from, t.to) {
            self.touch(cause);
            return Fate::Held { cause };
        }
        let damaged = match t.transport {
            Transport::Datagram => outcome.damage,
            // A stream delivers nothing damaged.
            Transport::Stream => outcome.damage.filter(|damaged| !damaged),
        };
        let way = Way { copy: false, spared: outcome.drop == Some(false), unasked: damaged.is_some(), links: usize::MAX };
        match outcome.drop {
            // It takes its turn on the first link all the same, so that the fates of others stay as they were.
            Some(true) => {
                let _lost_anyway = self.travel(now, t, Way { spared: true, links: 1, ..way });
                return Fate::Lost { why: LossReason::Override };
            }
            Some(false) => {}
            None => {
                if let Some(cause) = self.dropped(t) {
                    return self.eaten(LossReason::Fault(cause));
                }
            }
        }
        let first = match self.travel(now, t, way) {
            Ok(journey) => journey,
            Err(why) => return Fate::Lost { why },
        };
        let doubled = match t.transport {
            Transport::Datagram => outcome.duplicate.unwrap_or(first.doubled),
            Transport::Stream => false,
        };
        let copied = Way { copy: true, unasked: damaged == Some(false), ..way };
        let copy = if doubled { self.travel(now, t, copied).ok() } else { None };
        let copy = copy.map(|copy| (self.jammed(t, copy.at), NonZeroU64::new(copy.damage)));
        let at = match outcome.delay {
            Some(span) => later(now, span.as_nanos()),
            None => self.delayed(t, first.at, detour),
        };
        let damage = match damaged {
            Some(true) => Some(some(flipped(t.decision.word(Lane::Corrupt, step(0, false, t.resend))))),
            Some(false) | None => NonZeroU64::new(first.damage),
        };
        Fate::Deliver { at, damage, copy }
    }

    /// Adds a layer of a fault. A fault may have several.
    ///
    /// # Panics
    /// When the layer cuts a link that does not exist.
    pub fn impose(&mut self, cause: FaultId, layer: Layer) {
        match &layer {
            Layer::CutLink { link } => assert!(link.index() < self.shape.link_count(), "a link of this network"),
            Layer::Cut { .. } | Layer::Jam { .. } | Layer::Drop { .. } | Layer::Clog { .. } => {}
        }
        self.layers.impose(cause, layer);
        self.settle();
    }

    /// Takes all layers of a fault away, and nobody else's.
    pub fn lift(&mut self, cause: FaultId) {
        self.layers.lift(cause);
        self.settle();
    }

    /// Replaces chance by named outcomes.
    pub fn override_with(&mut self, overrides: Arc<Overrides>) {
        self.matched = vec![0; overrides.list().len()];
        self.overrides = overrides;
        self.settle();
    }

    /// The overrides that matched no transmission so far: on replay, each is an error.
    pub fn unmatched(&self) -> impl Iterator<Item = &Override> {
        self.overrides.list().iter().zip(&self.matched).filter(|(_, times)| **times == 0).map(|(one, _)| one)
    }

    /// What eats everything from one node to another now, if something does. A clog eats nothing.
    #[must_use]
    pub fn blocked(&self, from: NodeId, to: NodeId) -> Option<LossReason> {
        if from == to { None } else { self.barred(from, to).err() }
    }

    /// How many messages a fault ate, held, or made to arrive later (by a jam, or on a detour around a link it cut). A message
    /// with a copy counts once.
    #[must_use]
    pub fn touched(&self, cause: FaultId) -> u64 {
        self.touched.get(cause.index()).copied().unwrap_or(0)
    }

    /// The link with this name. Links that are not declared are called after their ends, the lower first: `b1-lan`,
    /// `zone-region`.
    #[must_use]
    pub fn link(&self, name: &str) -> Option<LinkId> {
        self.shape.link_named(name)
    }

    /// A link's name.
    #[must_use]
    pub fn link_name(&self, link: LinkId) -> &str {
        &self.shape.link(link).name
    }

    /// The hosts of a zone or region, or those linked to a switch, by name.
    #[must_use]
    pub fn zone_members(&self, name: &str) -> Option<Vec<NodeId>> {
        self.shape.group(name).map(<[NodeId]>::to_vec)
    }

    /// The links that a message crosses now, first to last; `None` when there is no way.
    #[must_use]
    pub fn path(&self, from: NodeId, to: NodeId) -> Option<Vec<LinkId>> {
        if from == to { Some(Vec::new()) } else { Some(self.routes.path(&self.shape, from, to)?.map(link_of).collect()) }
    }

    /// Mean delay and jitter of the way from one node to another, without queueing and faults' jams. `None` when there is
    /// no way, or a law on it has no mean.
    #[must_use]
    pub fn mean_delay(&self, from: NodeId, to: NodeId) -> Option<Span> {
        if from == to {
            return Some(Span::ZERO);
        }
        let mut path = self.routes.path(&self.shape, from, to)?;
        path.try_fold(Span::ZERO, |sum, direction| {
            let class = self.shape.direction(direction).class;
            Some(sum + self.shape.classes[class as usize].mean?)
        })
    }

    /// Computes what follows from the layers and overrides.
    fn settle(&mut self) {
        self.calm = self.layers.is_empty() && self.overrides.list().is_empty();
        let cut = self.layers.cut_links(self.shape.link_count());
        if cut.is_clear() {
            self.routes = Arc::clone(&self.shape.routes);
        } else if !self.routes.cuts(&cut) {
            self.routes = Arc::new(Routes::without(cut, self.shape.core_size()));
        }
    }

    /// What an override decides for a transmission.
    fn overridden(&mut self, t: &Transmission) -> Outcome {
        let Some(index) = self.overrides.find(t.decision, t.resend) else { return Outcome::default() };
        self.matched[index] = self.matched[index].saturating_add(1);
        self.overrides.list()[index].outcome
    }

    /// Why nothing gets from one host to another; otherwise, the fault that sends messages on a detour, if one does.
    fn barred(&self, from: NodeId, to: NodeId) -> Result<Option<FaultId>, LossReason> {
        if let Some(cause) = self.layers.cut(from, to) {
            return Err(LossReason::Fault(cause));
        }
        let usual = self.shape.routes.path(&self.shape, from, to).ok_or(LossReason::NoRoute)?;
        if self.routes.whole() {
            return Ok(None);
        }
        let Some(missing) = usual.map(link_of).find(|link| self.routes.lacks(*link)) else { return Ok(None) };
        let cause = self.layers.link_cut(missing).expect("a link that is cut was cut by a fault");
        let around = self.routes.path(&self.shape, from, to);
        around.map(|_| Some(cause)).ok_or(LossReason::Fault(cause))
    }

    /// The fault whose drop eats a transmission.
    fn dropped(&self, t: &Transmission) -> Option<FaultId> {
        let mut drops = self.layers.drops(t.from, t.to, t.kind);
        let hits = |(position, _, chance): &(u32, FaultId, Chance)| {
            chance.hits(t.decision.word(Lane::Loss, layer_step(*position, false, t.resend)))
        };
        drops.find(hits).map(|(_, cause, _)| cause)
    }

    /// Crosses the links of the path.
    fn travel(&mut self, now: Time, t: &Transmission, way: Way) -> Result<Journey, LossReason> {
        let Network { shape, routes, queues, bursts, .. } = self;
        let mut journey = Journey {
            decision: t.decision,
            bytes: t.bytes,
            transport: t.transport,
            resend: t.resend,
            copy: way.copy,
            spared: way.spared,
            unasked: way.unasked,
            hop: 0,
            sent: now,
            at: now,
            damage: 0,
            doubled: false,
        };
        let path = routes.path(shape, t.from, t.to).ok_or(LossReason::NoRoute)?;
        for number in path.take(way.links) {
            let direction = shape.direction(number);
            let class = &shape.classes[direction.class as usize];
            class.cross(&mut journey, queues.get_mut(direction.queue as usize), bursts.get_mut(direction.burst as usize))?;
        }
        Ok(journey)
    }

    /// When a copy arrives after all that jams add.
    fn jammed(&self, t: &Transmission, at: Time) -> Time {
        self.layers.jams(t.from, t.to).fold(at, |at, (position, _, extra)| later(at, jam(extra, t, position, true)))
    }

    /// The same for the message itself; it counts for each fault that delays it, once for each.
    fn delayed(&mut self, t: &Transmission, at: Time, detour: Option<FaultId>) -> Time {
        let Network { layers, touched, .. } = self;
        let mut last = None;
        let mut arrives = at;
        for (position, cause, extra) in layers.jams(t.from, t.to) {
            let took = jam(extra, t, position, false);
            arrives = later(arrives, took);
            if took > 0 && last != Some(cause) && detour != Some(cause) {
                count(touched, cause);
                last = Some(cause);
            }
        }
        if let Some(cause) = detour {
            count(touched, cause);
        }
        arrives
    }

    fn eaten(&mut self, why: LossReason) -> Fate {
        if let LossReason::Fault(cause) = why {
            self.touch(cause);
        }
        Fate::Lost { why }
    }

    fn touch(&mut self, cause: FaultId) {
        count(&mut self.touched, cause);
    }
}

/// The chance of each direction with bursty loss. Keyed by the link's name, not its number: adding hosts changes nobody's bad times.
fn bursts_of(shape: &Shape, seed: u64) -> Vec<BurstState> {
    let burst = |direction: &u32| {
        let name = &shape.link(link_of(*direction)).name;
        BurstState::new(SmallStream::named(seed, &format!("burst {name}"), u64::from(direction & 1)).word())
    };
    shape.bursts.iter().map(burst).collect()
}

/// How a transmission goes over its path.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// It is the second of two arrivals.
    copy: bool,
    /// No chance eats it.
    spared: bool,
    /// Chance is not asked whether it is damaged.
    unasked: bool,
    /// How many links, at most.
    links: usize,
}

/// By how many nanoseconds a jam delays a transmission or its copy.
fn jam(extra: &Sampler, t: &Transmission, position: u32, copy: bool) -> u64 {
    extra.draw(&mut t.decision.words(Lane::Jitter, layer_step(position, copy, t.resend))).as_nanos()
}

/// One more message that a fault touched.
fn count(touched: &mut Vec<u64>, cause: FaultId) {
    if touched.len() <= cause.index() {
        touched.resize(cause.index() + 1, 0);
    }
    touched[cause.index()] += 1;
}
