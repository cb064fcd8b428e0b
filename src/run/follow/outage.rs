//! The story of a fault: whom it struck, what was under way at that moment, what it took away, and when things went on.

use std::collections::BTreeSet;

use crate::base::{FaultId, LossReason, NodeId, PayloadId};
use crate::record::{End, Step, What};
use crate::run::causal::EventId;
use crate::world::Strike;

use super::ground::{Ground, breaches};
use super::message::Scope;
use super::telling::{Outline, Point, tell};
use super::{Subject, Tale};

/// So many strikes are told; the others are counted.
const STRIKES: usize = 4;
/// So many losses of a strike are told each; all are counted.
const LOSSES: usize = 8;

/// Tells the story of a fault.
pub(super) fn tale(ground: &Ground<'_>, fault: FaultId) -> Tale {
    let strikes: Vec<&Strike> = ground.strikes().iter().filter(|strike| strike.fault == fault).collect();
    let mut scope = Scope { ground, chosen: BTreeSet::new(), cast: BTreeSet::new() };
    let mut gist: Vec<Point> = Vec::new();
    let mut touched: BTreeSet<PayloadId> = BTreeSet::new();
    for strike in strikes.iter().take(STRIKES) {
        scope.cast = strike.nodes.iter().copied().collect();
        let struck = Struck::of(ground, strike);
        struck.choose(&mut scope);
        gist.push(struck.sentence());
        touched.extend(struck.under_way.iter().chain(&struck.lost).chain(&struck.waiting).copied());
    }
    scope.cast = strikes.iter().take(STRIKES).flat_map(|strike| strike.nodes.iter().copied()).collect();
    match strikes.len() {
        0 => gist.push(("It never struck.".to_owned(), Vec::new())),
        all if all > STRIKES => gist.push((format!("It struck {} more times, which are not told here.", all - STRIKES), Vec::new())),
        _ => {}
    }
    let found = breaches(&ground.evidence.judged, |witness| witness.payloads.iter().any(|payload| touched.contains(payload)));
    tell(
        ground,
        Outline {
            subject: Subject::Outage(fault),
            title: ground.words.fault(fault),
            breaches: found.into_iter().map(|(breach, _)| breach).collect(),
            gist,
            chosen: scope.chosen,
            cast: scope.cast,
        },
    )
}

/// One strike, and what was under way.
struct Struck<'s, 'g> {
    ground: &'s Ground<'g>,
    strike: &'s Strike,
    /// Its first step, if the trace has it, and the first behind its end.
    begins: EventId,
    ends: EventId,
    /// Payloads of messages on their way to or from the nodes that were struck.
    under_way: BTreeSet<PayloadId>,
    /// Payloads of clients' operations that had no end yet.
    waiting: BTreeSet<PayloadId>,
    /// Payloads of messages that it ate.
    lost: BTreeSet<PayloadId>,
    losses: Vec<EventId>,
    /// Operations that were waiting and ended unknown.
    unknown: Vec<EventId>,
    writes: u64,
}

impl<'s, 'g> Struck<'s, 'g> {
    fn of(ground: &'s Ground<'g>, strike: &'s Strike) -> Struck<'s, 'g> {
        let len = ground.causality.trace().len();
        let is_it = |step: &Step| matches!(step, Step::Struck { fault, on: true } if *fault == strike.fault);
        let at = |from: crate::base::Time| ground.causality.trace().partition_point(|entry| entry.at < from);
        let own = (at(strike.from)..len).take_while(|n| ground.at(EventId::at(*n)) == strike.from);
        let begins = own.into_iter().find(|n| is_it(&ground.entry(EventId::at(*n)).step)).unwrap_or(at(strike.from));
        let ends = strike.until.map_or(len, |until| ground.causality.trace().partition_point(|entry| entry.at <= until));
        let mut struck = Struck {
            ground,
            strike,
            begins: EventId::at(begins),
            ends: EventId::at(ends),
            under_way: BTreeSet::new(),
            waiting: BTreeSet::new(),
            lost: BTreeSet::new(),
            losses: Vec::new(),
            unknown: Vec::new(),
            writes: 0,
        };
        struck.before();
        struck.during();
        struck
    }

    fn concerns(&self, node: NodeId) -> bool {
        self.strike.nodes.contains(&node)
    }

    /// What was under way when it struck.
    fn before(&mut self) {
        let (ground, from) = (self.ground, self.strike.from);
        for (_, entry) in ground.all().take_while(|(event, _)| *event < self.begins) {
            if let Step::Carried { to, at, again, .. } = &entry.step
                && again.unwrap_or(*at).max(*at) >= from
                && (self.concerns(*to) || self.concerns(entry.node))
            {
                self.under_way.extend(ground.payload(entry));
            }
            if let Step::Recorded(What::Call { what, .. }) = &entry.step {
                self.waiting.insert(what.payload());
            }
            if let Step::Recorded(What::End { what, .. }) = &entry.step {
                self.waiting.remove(&what.payload());
            }
        }
    }

    /// What it took away while it acted.
    fn during(&mut self) {
        let ground = self.ground;
        for event in (self.begins.index()..self.ends.index()).map(EventId::at) {
            let entry = ground.entry(event);
            if let Step::Lost { why: LossReason::Fault(fault), .. } = entry.step
                && fault == self.strike.fault
            {
                self.losses.push(event);
                self.lost.extend(ground.payload(entry));
            }
            if let Step::LostWrites { count } = entry.step
                && self.concerns(entry.node)
                && entry.at == self.strike.from
            {
                self.writes += count;
            }
        }
        let future = ground.causality.future(&[self.begins]);
        for (event, entry) in ground.all().skip(self.begins.index()) {
            if let Step::Recorded(What::End { what, end: End::Unknown(_), .. }) = entry.step
                && self.waiting.contains(&what.payload())
                && (future.contains(event) || self.lost.contains(&what.payload()))
            {
                self.unknown.push(event);
            }
        }
    }

    fn choose(&self, scope: &mut Scope<'_, '_>) {
        let ground = self.ground;
        for event in (self.begins.index()..self.ends.index()).map(EventId::at) {
            if matches!(ground.entry(event).step, Step::Struck { .. } | Step::Booted | Step::Paused(_) | Step::Down { .. }) {
                scope.moment(event);
            }
        }
        for node in &self.strike.nodes {
            let back = super::facts::next_at(ground, (*node, self.begins), |step| matches!(step, Step::Booted));
            if let Some(back) = back {
                scope.moment(back);
            }
        }
        for loss in self.losses.iter().take(LOSSES) {
            scope.chosen.insert(*loss);
            scope.chosen.extend(ground.causality.sent(*loss));
        }
        scope.chosen.extend(self.unknown.iter().take(LOSSES).copied());
    }

    /// What it did, in one or two sentences.
    fn sentence(&self) -> Point {
        let words = &self.ground.words;
        let nodes: Vec<&str> = self.strike.nodes.iter().map(|node| words.node(*node)).collect();
        let from = self.strike.from.nearest_micro();
        let until = self.strike.until.map_or("the end".to_owned(), |until| until.nearest_micro().to_string());
        let mut text = format!("It struck {} at {from}, until {until}: {}", nodes.join(", "), self.strike.what);
        let mut more = |what: &str, payloads: &BTreeSet<PayloadId>| {
            if !payloads.is_empty() {
                text += &format!("; {what} {}", Ground::listed(payloads));
            }
        };
        more("under way to or from there:", &self.under_way);
        more("clients still waited for the end of", &self.waiting);
        more("it ate messages about", &self.lost);
        let unknown = self.unknown.iter().filter_map(|event| self.ground.payload(self.ground.entry(*event))).collect();
        more("for that reason nobody knows what became of", &unknown);
        if self.writes > 0 {
            text += &format!("; {} unsynced writes were lost", self.writes);
        }
        (text + ".", vec![self.begins])
    }
}
