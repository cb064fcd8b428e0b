//! What made the difference: the order of events that decided about a breach, found in the graph and said in a sentence or two.
//!
//! The kind of breach tells what to look for. No model is known by name here: who held a message, who answered for it and what was on a
//! disk when the power failed can be read from the trace of any.

use crate::base::{NodeId, ObjectId, PayloadId};
use crate::check::Property;
use crate::record::{End, Note, Settlement, Step, What};
use crate::run::causal::EventId;

use super::facts::{Facts, next_at, turns};
use super::ground::Ground;
use super::loss;
use super::telling::{Point, span};

/// The sentences about a breach, each with the steps that show it.
pub(super) fn of(ground: &Ground<'_>, (property, subject): (Property, PayloadId), all: &[Facts]) -> Vec<Point> {
    let Some(witness) = ground.witness(property) else { return Vec::new() };
    let find = |payload: Option<&PayloadId>| payload.and_then(|p| all.iter().find(|facts| facts.payload == *p));
    let Some(first) = find(witness.payloads.first()).or_else(|| find(Some(&subject))) else { return Vec::new() };
    let teller = Crux { ground, facts: first };
    match property {
        Property::AckedSurvives
        | Property::AckedDelivered
        | Property::NoGaps
        | Property::NoLostWrite
        | Property::AllSeen
        | Property::WholeTransactions
        | Property::LatestPerKey => loss::of(ground, first),
        Property::NoDuplicateDelivery
        | Property::NoLogDuplicate
        | Property::MonotonicPolls
        | Property::MonotonicWithinPoll
        | Property::NoRebalanceReread => teller.twice(&first.delivers, witness.at),
        Property::NoDuplicateEffect => teller.twice(&first.effects, witness.at),
        Property::NoMissingEffect => teller.without_effect(),
        Property::NothingUnexpected => teller.unexpected(witness.at),
        Property::NothingCorrupted => teller.damaged(witness.at),
        Property::OrderGlobal | Property::OrderPerKey | Property::OrderPerProducer => {
            find(witness.payloads.get(1)).map_or(Vec::new(), |other| teller.overtaken(other))
        }
        Property::FailedStaysFailed | Property::NoAbortedRead => teller.failed_and_happened(),
        Property::Drained => teller.stuck(),
        // Their witnesses say it all: what was read where, and what had been read before.
        Property::ConsistentOffsets
        | Property::NoPollSkip
        | Property::NoPollSkipWithin
        | Property::NoRebalanceSkip
        | Property::NoPrecommittedRead => Vec::new(),
    }
}

struct Crux<'c, 'g> {
    ground: &'c Ground<'g>,
    facts: &'c Facts,
}

impl Crux<'_, '_> {
    fn when(&self, event: EventId) -> String {
        self.ground.at(event).nearest_micro().to_string()
    }

    fn later(&self, from: EventId, until: EventId) -> String {
        span(self.ground.at(from), self.ground.at(until)).to_string()
    }

    fn node(&self, node: NodeId) -> &str {
        self.ground.words.node(node)
    }

    /// A message that was sent, by its name.
    fn message(&self, sent: EventId) -> String {
        let entry = self.ground.entry(sent);
        let Step::Sent { to, tag, .. } = entry.step else { return "a message".to_owned() };
        self.ground.words.message((entry.node, to), tag)
    }

    /// The turning points between two events, as a sentence of clauses; few.
    fn meanwhile(&self, opening: &str, between: (EventId, EventId), told: &[Point]) -> Option<Point> {
        const SHOWN: usize = 4;
        let is_told = |event: &EventId| told.iter().any(|(_, shown)| shown.contains(event));
        let found: Vec<EventId> = turns(self.ground, self.facts, between).into_iter().filter(|event| !is_told(event)).collect();
        // The model's words only when nothing else happened.
        let is_said = |event: &EventId| matches!(self.ground.entry(*event).step, Step::Said { .. });
        let words_only = found.iter().all(is_said);
        let mut clauses: Vec<String> = Vec::new();
        let mut shown = Vec::new();
        for event in found.into_iter().filter(|event| words_only || !is_said(event)) {
            let entry = self.ground.entry(event);
            let text = loss::clause(self.ground, entry);
            if let Some(text) = text.filter(|text| !clauses.iter().any(|clause| clause.ends_with(text.as_str()))) {
                clauses.push(format!("at {} {text}", self.when(event)));
                shown.push(event);
            }
        }
        let more = clauses.len().saturating_sub(SHOWN);
        clauses.truncate(SHOWN);
        shown.truncate(SHOWN);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        (!clauses.is_empty()).then(|| (format!("{opening}: {}{more}.", clauses.join("; ")), shown))
    }

    /// Something happened twice to one group: the two, and what came in between.
    fn twice(&self, both: &[(EventId, ObjectId)], at: crate::base::Time) -> Vec<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let second = both.iter().position(|(event, _)| ground.at(*event) >= at).unwrap_or(both.len().saturating_sub(1));
        let Some((second, group)) = both.get(second).copied() else { return Vec::new() };
        let first = both.iter().rev().find(|(event, g)| *event < second && *g == group).map(|(event, _)| *event);
        let Some(first) = first else { return Vec::new() };
        let one = self.brought(first, None);
        let two = self.brought(second, one);
        let mut points = Vec::new();
        if one.is_some() && one == two {
            let text = format!(
                "{payload} came twice by one transmission, at {} and {}: the network duplicated it.",
                self.when(first),
                self.when(second)
            );
            return vec![(text, [first, second].into_iter().collect())];
        }
        let (Some(one), Some(two)) = (one, two) else { return Vec::new() };
        let (from, to) = (ground.entry(two).node, ground.entry(second).node);
        let mut text = format!("{} sent {} to {} at {}", self.node(from), self.message(two), self.node(to), self.when(two));
        let earlier = ground.entry(first).node;
        text += &format!(", {} after it had sent {} to {}", self.later(one, two), self.message(one), self.node(earlier));
        let gone = self.facts.settles.iter().find(|(event, how)| *how == Settlement::Acknowledged && (one..two).contains(event));
        let mut shown = vec![one, first, two, second];
        match gone {
            Some((settled, _)) => {
                text += &format!(", although {payload} had left its queue at {}: the consumer had acknowledged it", self.when(*settled));
                text += &self.unsettled((*settled, two), &mut shown);
                shown.push(*settled);
            }
            None => text += &self.answered((from, earlier), (one, two)),
        }
        points.push((text + ".", shown));
        points.extend(self.copies(two));
        points.extend(self.known((first, second)));
        let meanwhile = self.meanwhile("In between", (one, two), &points);
        points.extend(meanwhile);
        points
    }

    /// That a message had left its queue went with the power.
    fn unsettled(&self, (settled, until): (EventId, EventId), shown: &mut Vec<EventId>) -> String {
        let ground = self.ground;
        let (node, head) = (ground.entry(settled).node, ground.causality.head(settled));
        let lost = next_at(ground, (node, settled), |step| matches!(step, Step::LostWrites { .. })).filter(|lost| *lost < until);
        let write = self.facts.writes.iter().find(|write| ground.causality.head(write.wrote) == head);
        match (lost, write) {
            (Some(lost), Some(write)) if write.durable.is_none_or(|durable| durable > lost) => {
                shown.push(lost);
                format!("; that was not yet durable when {} lost its power at {}", self.node(node), self.when(lost))
            }
            (Some(_) | None, _) => String::new(),
        }
    }

    /// Who applied an effect twice had it on its disk that it had been applied.
    fn known(&self, (first, second): (EventId, EventId)) -> Option<Point> {
        let ground = self.ground;
        let is_effect = |event: EventId| self.facts.effects.iter().any(|(effect, _)| *effect == event);
        let (node, head) = (ground.entry(first).node, ground.causality.head(first));
        let write =
            self.facts.writes.iter().find(|write| ground.causality.head(write.wrote) == head && ground.entry(write.wrote).node == node)?;
        let durable = write.durable.filter(|durable| *durable < second && is_effect(second) && node == ground.entry(second).node)?;
        let (name, payload) = (self.node(node), self.facts.payload);
        let text = format!(
            "{name} had written on its disk with the effect of {payload} at {}, and that was durable; it applied {payload} again at {} all the same.",
            self.when(durable),
            self.when(second)
        );
        Some((text, vec![write.wrote, second]))
    }

    /// What a node had heard of a message by the time when it gave it out again.
    fn answered(&self, (holder, consumer): (NodeId, NodeId), (one, two): (EventId, EventId)) -> String {
        let ground = self.ground;
        let heard = self.facts.receipts.iter().rev().copied().find(|receipt| {
            let from = if let Step::Received { from, .. } = ground.entry(*receipt).step { Some(from) } else { None };
            ground.entry(*receipt).node == holder && from == Some(consumer) && (one..two).contains(receipt)
        });
        match heard.and_then(|heard| Some((heard, ground.causality.sent(heard)?))) {
            Some((heard, sent)) => format!(
                ", although {} had answered {} by then: {} had received it at {}",
                self.node(consumer),
                self.message(sent),
                self.node(holder),
                self.when(heard)
            ),
            None => format!(", when no answer from {} had reached it", self.node(consumer)),
        }
    }

    /// Where the message was sent that an arrival at a consumer came by; `after`: that of an earlier arrival there. Later words about
    /// the same payload are of another kind than the message that brought it first.
    fn brought(&self, event: EventId, after: Option<EventId>) -> Option<EventId> {
        let ground = self.ground;
        let node = ground.entry(event).node;
        let kind =
            |receipt: EventId| if let Step::Received { tag, from } = ground.entry(receipt).step { Some((tag.kind, from)) } else { None };
        let own = || self.facts.receipts.iter().copied().filter(|receipt| ground.entry(*receipt).node == node);
        let first = kind(own().next()?);
        let sent = |receipt: EventId| ground.causality.sent(receipt);
        let bringing = || own().filter(|receipt| kind(*receipt) == first && *receipt <= event);
        match after {
            Some(after) => bringing().rev().filter_map(sent).find(|sent| *sent != after).or(Some(after)),
            None => {
                // Of several the first in this life: those before were lost with another.
                let down = (0..event.index())
                    .rev()
                    .map(EventId::at)
                    .find(|e| ground.entry(*e).node == node && matches!(ground.entry(*e).step, Step::Down { .. }));
                bringing().find(|receipt| down.is_none_or(|down| *receipt > down)).and_then(sent)
            }
        }
    }

    /// The same request reached a node more than once, and it took it in more than once.
    fn copies(&self, until: EventId) -> Option<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let client = self.facts.client(ground)?;
        let asked: Vec<EventId> = self.facts.sends.iter().copied().filter(|s| ground.entry(*s).node == client && *s < until).collect();
        let arrived = |sent: &EventId| self.facts.receipts.iter().copied().find(|r| ground.causality.sent(*r) == Some(*sent) && *r < until);
        let arrivals: Vec<(EventId, EventId)> = asked.iter().filter_map(|sent| Some((*sent, arrived(sent)?))).collect();
        let ((_, before), (again, after)) = (arrivals.first()?, arrivals.get(1)?);
        let holder = ground.entry(*after).node;
        let heard = self.facts.receipts.iter().any(|r| ground.entry(*r).node == client && *r < *again);
        let why = if heard { "" } else { ", which had heard nothing by then," };
        let (client, name) = (self.node(client), self.node(holder));
        let mut text = format!("{client}{why} sent {payload} again at {}: it reached {name} at {}", self.when(*again), self.when(*before));
        text += &format!(" and again at {}", self.when(*after));
        let mut shown = vec![*before, *again, *after];
        let started = next_at(ground, (holder, *before), |step| matches!(step, Step::Booted)).filter(|booted| booted < after);
        match started {
            Some(booted) => {
                text += &format!(", after {name} had started anew at {}; it did not remember {payload}", self.when(booted));
                shown.push(booted);
            }
            None => text += &format!("; {name} ran all the time and did not recognise it"),
        }
        Some((text + ".", shown))
    }

    /// A delivery without its effect.
    fn without_effect(&self) -> Vec<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let Some((last, _)) = self.facts.delivers.last().copied() else { return Vec::new() };
        let node = ground.entry(last).node;
        let name = self.node(node);
        let mut points = Vec::new();
        let gone = self.facts.settles.iter().rev().find(|(_, how)| *how == Settlement::Acknowledged).map(|(event, _)| *event);
        let told = self.facts.sends.iter().rev().copied().find(|sent| ground.entry(*sent).node == node && *sent >= last);
        let down = next_at(ground, (node, last), |step| matches!(step, Step::Down { .. }));
        match (gone, told, down) {
            (Some(gone), Some(told), Some(down)) => {
                let blow = ground.words.blow(ground.entry(down));
                let after = self.later(told, down);
                let text = format!(
                    "{name} acknowledged {payload} at {}, before its effect was there; {after} later {blow}. {} had let go of {payload} at {}: nobody had it any more.",
                    self.when(told),
                    self.node(ground.entry(gone).node),
                    self.when(gone),
                );
                points.push((text, vec![last, told, gone, down]));
            }
            (_, Some(told), _) => {
                let Step::Sent { to, .. } = ground.entry(told).step else { return points };
                let times = self.facts.delivers.len();
                let held = self.facts.last_at(ground, to).unwrap_or(told);
                let text = format!(
                    "{payload} was delivered {} and took effect never: {name} answered {} at {}, and nothing about {payload} happened at {} after {}. It was neither given out again nor put aside.",
                    counted(times),
                    self.message(told),
                    self.when(told),
                    self.node(to),
                    self.when(held),
                );
                points.push((text, vec![last, told, held]));
            }
            (_, None, Some(down)) => {
                let blow = ground.words.blow(ground.entry(down));
                let text =
                    format!("{name} had {payload} at {}; {} later {blow}, before the effect.", self.when(last), self.later(last, down));
                points.push((text, vec![last, down]));
            }
            (_, None, None) => {
                let text = format!("{name} had {payload} at {} and did nothing with it until the end.", self.when(last));
                points.push((text, vec![last]));
            }
        }
        points
    }

    /// Something arrived at somebody who was not entitled to it.
    fn unexpected(&self, at: crate::base::Time) -> Vec<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let Some((deliver, group)) = self.facts.delivers.iter().find(|(event, _)| ground.at(*event) == at).copied() else {
            return Vec::new();
        };
        let Some((called, _)) = self.facts.called else {
            return vec![(format!("Nobody had asked for {payload} when it was delivered at {}.", self.when(deliver)), vec![deliver])];
        };
        let of_group = |event: &EventId| {
            let is = |g: ObjectId| g == group;
            matches!(ground.entry(*event).step, Step::Recorded(What::Note(Note::Subscribe { group: g } | Note::Unsubscribe { group: g })) if is(g))
        };
        let name = self.ground.words.object(group);
        let left = (0..called.index()).rev().map(EventId::at).find(of_group);
        let (before, mut shown) = match left {
            Some(left) => (format!("{name} was given up at {}", self.when(left)), vec![left]),
            None => (format!("nobody had subscribed to {name}"), Vec::new()),
        };
        let mut text = format!("{before}, and {payload} was published at {}", self.when(called));
        if let Some(sent) = self.brought(deliver, None) {
            let (from, to) = (ground.entry(sent).node, ground.entry(deliver).node);
            text += &format!("; yet {} sent it to {} for {name} at {}", self.node(from), self.node(to), self.when(sent));
            shown.push(sent);
        }
        shown.extend([called, deliver]);
        vec![(text + ".", shown)]
    }

    /// A body was damaged: where.
    fn damaged(&self, at: crate::base::Time) -> Vec<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let Some((deliver, _)) = self.facts.delivers.iter().find(|(event, _)| ground.at(*event) == at).copied() else {
            return Vec::new();
        };
        let past = ground.causality.past(&[deliver]);
        let own = self.facts.about.iter().copied().filter(|event| past.contains(*event));
        let harmed: Vec<EventId> = own.filter(|event| matches!(ground.entry(*event).step, Step::Carried { damaged: true, .. })).collect();
        let Some(harmed) = harmed.last().copied() else {
            let text = format!(
                "{payload} was damaged where it was kept, not on its way; it was handed on all the same at {}.",
                self.when(deliver)
            );
            return vec![(text, vec![deliver])];
        };
        let Step::Carried { to, tag, .. } = ground.entry(harmed).step else { return Vec::new() };
        let from = ground.entry(harmed).node;
        let text = format!(
            "{} was damaged on its way from {} to {}, where it left at {}. Nobody looked at its checksum: {} handed it on at {}.",
            ground.words.message((from, to), tag),
            self.node(from),
            self.node(to),
            self.when(harmed),
            self.node(ground.entry(deliver).node),
            self.when(deliver),
        );
        vec![(text, vec![harmed, deliver])]
    }

    /// A message came after one that was published later.
    fn overtaken(&self, other: &Facts) -> Vec<Point> {
        let ground = self.ground;
        let (Some((late, group)), Some((called, _))) = (self.facts.delivers.first().copied(), self.facts.called) else { return Vec::new() };
        let Some((early, _)) = other.delivers.iter().find(|(_, g)| *g == group).copied() else { return Vec::new() };
        let theirs = Crux { ground, facts: other };
        let (Some(own), Some(their)) = (self.brought(late, None), theirs.brought(early, None)) else { return Vec::new() };
        let (from, payload) = (self.node(ground.entry(own).node), self.facts.payload);
        let text = if their < own {
            let after = self.later(their, own);
            format!(
                "{from} sent {} at {} and the earlier {payload} only at {}, {after} later.",
                other.payload,
                self.when(their),
                self.when(own)
            )
        } else {
            let to = self.node(ground.entry(late).node);
            format!(
                "{from} sent {payload} at {} and {} at {}: {} overtook it on the way to {to}.",
                self.when(own),
                other.payload,
                self.when(their),
                other.payload
            )
        };
        let mut points = vec![(text, vec![their, own])];
        let before: Vec<EventId> =
            self.facts.sends.iter().copied().filter(|s| *s < own && ground.entry(*s).node == ground.entry(own).node).collect();
        if let Some(first) =
            before.iter().find(|sent| matches!(ground.entry(**sent).step, Step::Sent { to, .. } if to == ground.entry(late).node))
        {
            let text = format!("It had sent {payload} before, at {}, and got no answer that counted.", self.when(*first));
            points.push((text, vec![*first]));
        }
        let meanwhile = self.meanwhile("Before that", (called, own), &points);
        points.extend(meanwhile);
        points
    }

    /// What was reported as failed happened.
    fn failed_and_happened(&self) -> Vec<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let Some((ended, End::Failed(reason))) = self.facts.ended else { return Vec::new() };
        let client = ground.entry(ended).node;
        let past = ground.causality.past(&[ended]);
        let heard = self.facts.receipts.iter().rev().copied().find(|r| ground.entry(*r).node == client && past.contains(*r));
        let there = self.facts.receipts.iter().copied().find(|r| ground.entry(*r).node != client);
        let mut text = format!("{} reported at {} that {payload} had certainly failed ({reason})", self.node(client), self.when(ended));
        let mut shown = vec![ended];
        match heard {
            Some(heard) => {
                text += &format!(", after {}", self.ground.causality.sent(heard).map_or("an answer".to_owned(), |s| self.message(s)))
            }
            None => text += ", without any answer to go by",
        }
        if let Some(there) = there {
            let order = if past.contains(there) { "it could know that" } else { "it could not know that" };
            text += &format!("; {order} {} had received it at {}", self.node(ground.entry(there).node), self.when(there));
            shown.push(there);
        }
        if let Some((deliver, _)) = self.facts.delivers.first() {
            text += &format!(". It was delivered at {}", self.when(*deliver));
            shown.push(*deliver);
        }
        let called = self.facts.called.map_or(ended, |(called, _)| called);
        let mut points = vec![(text + ".", shown)];
        let meanwhile = self.meanwhile("Before that", (called, ended), &points);
        points.extend(meanwhile);
        points
    }

    /// Something still waits.
    fn stuck(&self) -> Vec<Point> {
        let (ground, payload) = (self.ground, self.facts.payload);
        let end = EventId::at(ground.causality.trace().len().saturating_sub(1));
        let Some((held, group)) = self.facts.held.first().copied() else {
            let Some(last) = self.facts.about.last().copied() else { return Vec::new() };
            let told = loss::clause(ground, ground.entry(last)).unwrap_or_else(|| "that was the last of it".to_owned());
            let text = format!("{payload} has waited for its end since {}; the last that happened to it: {told}.", self.when(last));
            let mut points = vec![(text, vec![last])];
            let meanwhile = self.meanwhile("After that", (last, end), &points);
            points.extend(meanwhile);
            return points;
        };
        let node = ground.entry(held).node;
        let given = self.facts.sends.iter().rev().copied().find(|sent| ground.entry(*sent).node == node && *sent < held);
        let last = self.facts.last_at(ground, node).unwrap_or(held);
        let waited = span(ground.at(last), ground.at(held));
        let (name, queue) = (self.node(node), ground.words.object(group));
        let mut text = format!("{name} has kept {payload} in {queue} and done nothing with it since {}, for {waited}", self.when(last));
        let mut shown = vec![last, held];
        let mut after = last;
        if let Some(given) = given
            && let Step::Sent { to, .. } = ground.entry(given).step
        {
            text += &format!(": it had given it to {} and never gave it out again", self.node(to));
            shown.push(given);
            after = given;
        }
        let mut points = vec![(text + ".", shown)];
        let meanwhile = self.meanwhile("In between", (after, held), &points);
        points.extend(meanwhile);
        points
    }
}

fn counted(times: usize) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}
