//! From chosen steps of a trace to the events, messages and outages of a story.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{FaultId, NodeId, Span, Time};
use crate::record::{Note, Step, What};
use crate::run::causal::{EventId, Link, place};

use super::ground::Ground;
use super::{Arrow, Breach, Gist, Kind, Outage, Subject, Tale, TaleEvent, repeat};

/// More events than this nobody reads: what matters less goes first.
const MOST: usize = 160;

/// A sentence with the steps that show it.
pub(super) type Point = (String, Vec<EventId>);

/// What a story is about, before it is told.
pub(super) struct Outline {
    pub(super) subject: Subject,
    pub(super) title: String,
    pub(super) breaches: Vec<Breach>,
    pub(super) gist: Vec<Point>,
    /// The steps that it tells.
    pub(super) chosen: BTreeSet<EventId>,
    /// The nodes whose outages matter.
    pub(super) cast: BTreeSet<NodeId>,
}

/// Tells an outline.
pub(super) fn tell(ground: &Ground<'_>, outline: Outline) -> Tale {
    let mut teller = Teller { ground, chosen: &outline.chosen, echoes: BTreeMap::new(), plain: BTreeSet::new() };
    teller.find_echoes();
    let mut ids: Vec<EventId> = Vec::new();
    let mut events: Vec<TaleEvent> = Vec::new();
    for event in &outline.chosen {
        if let Some(told) = teller.event(*event) {
            ids.push(*event);
            events.push(told);
        }
    }
    let told = repeat::told_once(&events);
    let mut kept: Vec<(EventId, TaleEvent)> = Vec::new();
    for ((id, mut event), more) in ids.into_iter().zip(events).zip(told) {
        if let Some(more) = more {
            event.text += &more;
            kept.push((id, event));
        }
    }
    let left_out = shorten(&mut kept);
    let place_of: BTreeMap<EventId, usize> = kept.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    let at = |event: EventId| place_of.get(&event).or_else(|| place_of.get(teller.echoes.get(&event)?)).copied();
    let clocks = ground.causality.clocks(|event| place_of.contains_key(&event));
    let mut latest: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (number, (id, event)) in kept.iter_mut().enumerate() {
        event.cause = teller.cause(*id).and_then(at).filter(|cause| *cause != number);
        if let Some(node) = event.node {
            event.cause = event.cause.or_else(|| latest.get(&node).copied());
            latest.insert(node, number);
            event.clock = clocks.at(*id).collect();
        }
    }
    let arrows = teller.arrows(&at);
    let events: Vec<TaleEvent> = kept.into_iter().map(|(_, event)| event).collect();
    let nodes = nodes(ground, &events, &arrows);
    let outages = outages(ground, (&outline.cast, &teller.plain), &events);
    let gist = outline.gist.into_iter().map(|(text, shown)| Gist { text, events: shown.into_iter().filter_map(at).collect() });
    Tale {
        subject: outline.subject,
        title: outline.title,
        arm: ground.evidence.arm.clone(),
        seed: ground.evidence.seed,
        breaches: outline.breaches,
        gist: gist.collect(),
        events,
        arrows,
        outages,
        nodes,
        phases: ground.evidence.phases.clone(),
        left_out: left_out + ground.sim.trace().map_or(0, |trace| trace.dropped),
    }
}

/// How a span is written in a story: to the microsecond.
pub(super) fn span(from: Time, until: Time) -> Span {
    until.saturating_since(from).nearest_micro()
}

struct Teller<'t, 'g> {
    ground: &'t Ground<'g>,
    chosen: &'t BTreeSet<EventId>,
    /// A message that arrives and is handed on at once is told as what it means: the arrival, and what stands for it.
    echoes: BTreeMap<EventId, EventId>,
    /// Strikes that bring down or stop their node: told as that.
    plain: BTreeSet<(FaultId, NodeId, Time)>,
}

impl Teller<'_, '_> {
    fn find_echoes(&mut self) {
        for event in self.chosen {
            let entry = self.ground.entry(*event);
            let head = self.ground.causality.head(*event);
            if let Step::Recorded(What::Note(Note::Deliver { .. }) | What::End { .. }) = &entry.step {
                let same = self.ground.payload(self.ground.entry(head)) == self.ground.payload(entry);
                if same && matches!(self.ground.entry(head).step, Step::Received { .. }) {
                    self.echoes.entry(head).or_insert(*event);
                }
            }
            if let (Step::Down { .. } | Step::Paused(_), Step::Struck { fault, .. }) = (&entry.step, &self.ground.entry(head).step) {
                self.plain.insert((*fault, entry.node, entry.at));
            }
        }
    }

    /// A step as an event; `None` when something else stands for it.
    fn event(&self, event: EventId) -> Option<TaleEvent> {
        let (ground, entry) = (self.ground, self.ground.entry(event));
        let (words, node) = (&ground.words, entry.node);
        let (kind, text) = match &entry.step {
            Step::Sent { to, tag, .. } => (Kind::Sends, words.sends((node, *to), *tag)),
            Step::Received { .. } if self.echoes.contains_key(&event) => return None,
            Step::Received { from, tag } => (Kind::Receives, words.receives((*from, node), *tag) + &self.on_its_way(event)),
            Step::Lost { to, tag, why, again, .. } => (Kind::Lost, words.loses((node, *to), *tag, (*why, *again))),
            Step::Carried { to, tag, damaged, again, .. } => {
                let what = if *damaged { "damaged" } else { "duplicated" };
                (damaged | again.is_some()).then_some(())?;
                let way = (words.message((node, *to), *tag), words.node(node), words.node(*to));
                (Kind::Lost, format!("{} from {} to {} is {what} on its way", way.0, way.1, way.2))
            }
            Step::Recorded(what) => {
                let text = words.entry(&crate::record::Entry { at: entry.at, node, what: *what })?;
                let head = ground.causality.head(event);
                let echo = self.echoes.get(&head) == Some(&event);
                let way = if echo { self.by(head) } else { String::new() };
                (Kind::Turn, text + &way)
            }
            Step::Struck { fault, on } => {
                let told = self.plain.iter().any(|(f, n, at)| f == fault && *n == node && (*at == entry.at || !on));
                let same = |earlier: &EventId| {
                    let other = ground.entry(*earlier);
                    other.at == entry.at && matches!(other.step, Step::Struck { fault: f, on: o } if f == *fault && o == *on)
                };
                // A fault of the network strikes several nodes at once, and is told once.
                let again = self.chosen.range(..event).rev().take_while(|e| ground.at(**e) == entry.at).any(same);
                (!told && !again).then_some(())?;
                (Kind::Fault, words.strikes(entry, *fault, *on))
            }
            Step::Wrote { bytes } => (Kind::Wrote, words.writes(node, *bytes)),
            Step::Synced { ok: true } => (Kind::Durable, words.has_synced(node)),
            Step::Fired | Step::Syncing => return None,
            Step::Down { .. } | Step::Paused(true) => (Kind::Down, words.machine(entry)?),
            Step::Booted | Step::Paused(false) => (Kind::Up, words.machine(entry)?),
            Step::Synced { ok: false } | Step::LostWrites { .. } => (Kind::Harm, words.machine(entry)?),
            Step::Disconnected { .. } => (Kind::Link, words.machine(entry)?),
            Step::Said { .. } => (Kind::Words, words.machine(entry)?),
        };
        let handler = ground.causality.head(event).index();
        Some(TaleEvent { at: entry.at, node: place(entry), text, kind, cause: None, handler, clock: Vec::new() })
    }

    /// The message by which something came, in brackets.
    fn by(&self, received: EventId) -> String {
        let entry = self.ground.entry(received);
        let Step::Received { from, tag } = entry.step else { return String::new() };
        let words = &self.ground.words;
        format!(" ({} from {}{})", words.message((from, entry.node), tag), words.node(from), self.on_its_way(received))
    }

    /// How long a message took, and what held it up.
    fn on_its_way(&self, received: EventId) -> String {
        let ground = self.ground;
        let Some(sent) = ground.causality.sent(received) else { return String::new() };
        let took = span(ground.at(sent), ground.at(received));
        let carried = ground.causality.carried(received).map(|carried| &ground.entry(carried).step);
        let resend = if let Some(Step::Carried { resend, .. }) = carried { *resend } else { 0 };
        let again = match resend {
            0 => String::new(),
            1 => ", sent again once".to_owned(),
            times => format!(", sent again {times} times"),
        };
        format!(", {took} on its way{again}")
    }

    /// What directly brought a step about.
    fn cause(&self, event: EventId) -> Option<EventId> {
        let ground = self.ground;
        if let Some(sent) = ground.causality.sent(event) {
            return Some(sent);
        }
        let head = ground.causality.head(event);
        if self.echoes.get(&head) == Some(&event) {
            return ground.causality.sent(head);
        }
        if head != event {
            return Some(head);
        }
        let fault = ground.causality.causes(event).into_iter().find(|(_, link)| *link == Link::Fault);
        fault.map(|(cause, _)| cause)
    }

    /// The messages of the story: one arrow for each transmission that something is known of.
    fn arrows(&self, at: &dyn Fn(EventId) -> Option<usize>) -> Vec<Arrow> {
        let ground = self.ground;
        let mut arrows: Vec<Arrow> = Vec::new();
        let mut open: BTreeMap<EventId, usize> = BTreeMap::new();
        for (event, entry) in ground.all() {
            let Some(sent) = ground.causality.sent(event).filter(|sent| self.chosen.contains(sent)) else { continue };
            let Step::Sent { to, tag, .. } = ground.entry(sent).step else { continue };
            let from = ground.entry(sent).node;
            let text = || ground.words.message((from, to), tag);
            if let Step::Carried { at: arrives, .. } = &entry.step {
                let nobody = Some((*arrives, "nobody takes it".to_owned()));
                open.insert(event, arrows.len());
                arrows.push(Arrow { text: text(), from: (from, entry.at), to: (to, None), lost: nobody, ends: (at(sent), None) });
            }
            if let Step::Lost { why, .. } = &entry.step {
                // What is lost at its receiver was carried there.
                let carried = ground.causality.causes(event).into_iter().find_map(|(cause, _)| open.get(&cause).copied());
                let lost = Some((entry.at, ground.words.loss(*why)));
                match carried.filter(|arrow| arrows[*arrow].lost.as_ref().is_some_and(|(arrives, _)| *arrives == entry.at)) {
                    Some(arrow) => arrows[arrow].lost = lost,
                    None => arrows.push(Arrow { text: text(), from: (from, entry.at), to: (to, None), lost, ends: (at(sent), at(event)) }),
                }
            }
            if let Step::Received { .. } = &entry.step {
                let carried = ground.causality.carried(event);
                let end = (to, Some(entry.at));
                match carried.and_then(|carried| open.get(&carried).copied()).filter(|arrow| arrows[*arrow].to.1.is_none()) {
                    Some(arrow) => (arrows[arrow].to, arrows[arrow].lost, arrows[arrow].ends.1) = (end, None, at(event)),
                    None => {
                        let left = ground.at(carried.unwrap_or(sent));
                        arrows.push(Arrow { text: text(), from: (from, left), to: end, lost: None, ends: (at(sent), at(event)) });
                    }
                }
            }
        }
        arrows
    }
}

/// Drops what matters least until the rest can be read; gives how much that is.
fn shorten(events: &mut Vec<(EventId, TaleEvent)>) -> u64 {
    let before = events.len();
    for kind in [Kind::Link, Kind::Wrote, Kind::Durable, Kind::Sends, Kind::Words] {
        let mut room = MOST.saturating_sub(events.iter().filter(|(_, event)| event.kind != kind).count());
        if events.len() > MOST {
            events.retain(|(_, event)| {
                let stays = event.kind != kind || room > 0;
                room -= usize::from(event.kind == kind && room > 0);
                stays
            });
        }
    }
    if events.len() > MOST {
        events.drain(MOST / 2..events.len() - MOST / 2);
    }
    (before - events.len()) as u64
}

/// The nodes of a story in order of appearance.
fn nodes(ground: &Ground<'_>, events: &[TaleEvent], arrows: &[Arrow]) -> Vec<(NodeId, String)> {
    let mut nodes: Vec<NodeId> = Vec::new();
    let seen = events.iter().filter_map(|event| event.node).chain(arrows.iter().flat_map(|arrow| [arrow.from.0, arrow.to.0]));
    for node in seen {
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    nodes.into_iter().map(|node| (node, ground.words.node(node).to_owned())).collect()
}

/// The outages of nodes that overlap with a story.
fn outages(
    ground: &Ground<'_>,
    (cast, plain): (&BTreeSet<NodeId>, &BTreeSet<(FaultId, NodeId, Time)>),
    events: &[TaleEvent],
) -> Vec<Outage> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else { return Vec::new() };
    let fault = |node: NodeId, at: Time| ground.words.blamed(node, at).map(|fault| ground.faults[fault.index()].clone());
    let mut outages: Vec<Outage> = Vec::new();
    let mut down: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut stopped: BTreeMap<NodeId, usize> = BTreeMap::new();
    for (_, entry) in ground.all().filter(|(_, entry)| cast.contains(&entry.node)) {
        let (node, from) = (entry.node, entry.at);
        let outage = |what: &str| Outage { node, from, until: None, what: what.to_owned(), fault: fault(node, from), silent: true };
        if let Step::Down { how } = &entry.step {
            down.insert(node, outages.len());
            outages.push(outage(how));
        }
        if let Step::Paused(true) = &entry.step {
            stopped.entry(node).or_insert(outages.len());
            outages.push(outage("stopped"));
        }
        let over = match &entry.step {
            Step::Booted => down.remove(&node),
            Step::Paused(false) => stopped.remove(&node),
            Step::Sent { .. }
            | Step::Lost { .. }
            | Step::Carried { .. }
            | Step::Recorded(_)
            | Step::Struck { .. }
            | Step::Received { .. }
            | Step::Fired
            | Step::Down { .. }
            | Step::Paused(true)
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { .. }
            | Step::LostWrites { .. }
            | Step::Disconnected { .. }
            | Step::Said { .. } => None,
        };
        if let Some(outage) = over {
            outages[outage].until = Some(from);
        }
    }
    for strike in ground.strikes() {
        let struck = strike.nodes.iter().filter(|node| cast.contains(node));
        for node in struck.filter(|node| !plain.contains(&(strike.fault, **node, strike.from))) {
            let fault = Some(ground.faults[strike.fault.index()].clone());
            let taken = outages.iter().any(|o| o.node == *node && o.silent && o.from == strike.from);
            if !taken {
                let what = strike.what.clone();
                outages.push(Outage { node: *node, from: strike.from, until: strike.until, what, fault, silent: false });
            }
        }
    }
    outages.retain(|outage| outage.from <= last.at && outage.until.is_none_or(|until| until >= first.at));
    outages.sort_by_key(|outage| (outage.from, outage.node));
    outages
}
