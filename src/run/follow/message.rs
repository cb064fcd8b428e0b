//! The story of a message: everything about it, what befell the machines that had it, and what their disks did with it.

use std::collections::BTreeSet;

use crate::base::{NodeId, PayloadId};
use crate::check::Property;
use crate::record::{Note, Step, What};
use crate::run::causal::EventId;

use super::facts::{Facts, next_at};
use super::ground::{Ground, breaches};
use super::telling::{Outline, tell};
use super::{Breach, Subject, Tale, crux};

/// Tells the story of a payload.
pub(super) fn tale(ground: &Ground<'_>, payload: PayloadId) -> Tale {
    let found = breaches(&ground.evidence.judged, |witness| witness.payloads.contains(&payload));
    let promised = found.iter().any(|(breach, _)| breach.promised);
    // What was promised and broken is explained, what was not promised only when there is nothing else; of several orders the first.
    let mut explained: Vec<&(Breach, Vec<PayloadId>)> = found.iter().filter(|(breach, _)| breach.promised == promised).collect();
    let order = explained.iter().position(|(breach, _)| is_of_order(breach.property));
    let mut number = 0..;
    explained.retain(|(breach, _)| (number.next() == order) | !is_of_order(breach.property));
    // What was overtaken, or overtook it, belongs to the story.
    let others = explained.iter().filter(|(breach, _)| is_of_order(breach.property)).flat_map(|(_, payloads)| payloads.clone());
    let payloads: BTreeSet<PayloadId> = others.chain([payload]).collect();
    let facts: Vec<Facts> = payloads.iter().map(|payload| Facts::of(ground, *payload)).collect();
    let properties: Vec<Property> = explained.iter().map(|(breach, _)| breach.property).collect();
    let mut gist = Vec::new();
    for property in &properties {
        for point in crux::of(ground, (*property, payload), &facts) {
            if !gist.iter().any(|(text, _): &super::telling::Point| *text == point.0) {
                gist.push(point);
            }
        }
    }
    let mut scope = Scope { ground, chosen: BTreeSet::new(), cast: BTreeSet::new() };
    for facts in &facts {
        scope.payload(facts);
        scope.cast.extend(facts.cast(ground));
    }
    if let (Some(first), Some(last)) = (scope.chosen.first().copied(), scope.chosen.last().copied()) {
        scope.machines(first, last);
        for facts in facts.iter().filter(|_| properties.iter().any(|p| looks_ahead(*p))) {
            scope.aftermath(facts);
        }
        if properties.contains(&Property::NothingUnexpected) {
            scope.membership(last);
        }
    }
    scope.chosen.extend(gist.iter().flat_map(|(_, events)| events.iter().copied()));
    tell(
        ground,
        Outline {
            subject: Subject::Message(payload),
            title: payload.to_string(),
            breaches: found.into_iter().map(|(breach, _)| breach).collect(),
            gist,
            chosen: scope.chosen,
            cast: scope.cast,
        },
    )
}

const fn is_of_order(property: Property) -> bool {
    matches!(property, Property::OrderGlobal | Property::OrderPerKey | Property::OrderPerProducer)
}

/// Whether what decides about a breach may come after the last that is heard of the message.
const fn looks_ahead(property: Property) -> bool {
    match property {
        Property::AckedSurvives
        | Property::AckedDelivered
        | Property::NoGaps
        | Property::NoMissingEffect
        | Property::Drained
        | Property::NoLostWrite
        | Property::AllSeen
        | Property::WholeTransactions
        | Property::LatestPerKey => true,
        Property::NoDuplicateDelivery
        | Property::NoDuplicateEffect
        | Property::NothingUnexpected
        | Property::NothingCorrupted
        | Property::OrderGlobal
        | Property::OrderPerKey
        | Property::OrderPerProducer
        | Property::FailedStaysFailed
        | Property::NoLogDuplicate
        | Property::ConsistentOffsets
        | Property::NoPollSkip
        | Property::NoPollSkipWithin
        | Property::NoRebalanceSkip
        | Property::MonotonicPolls
        | Property::MonotonicWithinPoll
        | Property::NoRebalanceReread
        | Property::NoAbortedRead
        | Property::NoPrecommittedRead => false,
    }
}

/// What a story tells.
pub(super) struct Scope<'t, 'g> {
    pub(super) ground: &'t Ground<'g>,
    pub(super) chosen: BTreeSet<EventId>,
    pub(super) cast: BTreeSet<NodeId>,
}

impl Scope<'_, '_> {
    /// Everything about a payload, and its way to the disks.
    pub(super) fn payload(&mut self, facts: &Facts) {
        let told = |event: &EventId| !matches!(self.ground.entry(*event).step, Step::Carried { damaged: false, again: None, .. });
        self.chosen.extend(facts.about.iter().copied().filter(told));
        for write in &facts.writes {
            self.chosen.insert(write.wrote);
            // That a record of its leaving is safe decides nothing.
            self.chosen.extend(write.durable.filter(|_| write.bytes > 0));
        }
    }

    /// What befell the machines of the cast between two events, as far as it can have to do with the chosen ones.
    pub(super) fn machines(&mut self, first: EventId, last: EventId) {
        let own: Vec<EventId> = self.chosen.iter().copied().collect();
        let (past, future) = (self.ground.causality.past(&own), self.ground.causality.future(&own));
        for event in (first.index()..=last.index()).map(EventId::at) {
            if self.is_of_cast(event) && (past.contains(event) || future.contains(event)) {
                self.chosen.insert(event);
            }
        }
    }

    fn is_of_cast(&self, event: EventId) -> bool {
        let entry = self.ground.entry(event);
        let told = match &entry.step {
            Step::Struck { .. } | Step::Down { .. } | Step::Booted | Step::Paused(_) => true,
            Step::LostWrites { count } => *count > 0,
            Step::Synced { ok } => !ok,
            Step::Disconnected { peer, .. } => self.cast.contains(peer),
            Step::Said { about, .. } => about.is_none(),
            Step::Sent { .. }
            | Step::Lost { .. }
            | Step::Carried { .. }
            | Step::Recorded(_)
            | Step::Received { .. }
            | Step::Fired
            | Step::Wrote { .. }
            | Step::Syncing => false,
        };
        told && self.cast.contains(&entry.node)
    }

    /// How those that had a message last went down, and came back.
    fn aftermath(&mut self, facts: &Facts) {
        for node in facts.holders(self.ground) {
            let Some(last) = facts.last_at(self.ground, node) else { continue };
            let Some(down) = next_at(self.ground, (node, last), |step| matches!(step, Step::Down { .. })) else { continue };
            self.moment(down);
            if let Some(booted) = next_at(self.ground, (node, down), |step| matches!(step, Step::Booted)) {
                self.moment(booted);
            }
        }
    }

    /// All that befalls a node's machine at one moment for one reason.
    pub(super) fn moment(&mut self, event: EventId) {
        let told: Vec<EventId> = self.ground.handler(event).into_iter().filter(|event| self.is_of_cast(*event)).collect();
        self.chosen.extend(told);
    }

    /// Who came and went before it was delivered.
    fn membership(&mut self, last: EventId) {
        for event in (0..last.index()).map(EventId::at) {
            let entry = self.ground.entry(event);
            let comes = matches!(entry.step, Step::Recorded(What::Note(Note::Subscribe { .. } | Note::Unsubscribe { .. })));
            if comes && self.cast.contains(&entry.node) {
                self.chosen.insert(event);
            }
        }
    }
}
