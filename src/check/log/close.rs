//! The end of judging logs: what was never read, what was gone beyond, which transactions are torn, which keys lost their last message.

use std::collections::BTreeSet;

use crate::base::{ObjectId, PayloadId, Time};

use super::super::bits::members;
use super::super::finish::Closing;
use super::super::group::Group;
use super::super::judges::Standing;
use super::super::{Property, Verdict};
use super::cells::Unpacked;
use super::readers::Stride;
use super::transactions::{Part, Transaction};
use super::{Known, Log, Logs, Waiting, entry_of, tell};

/// What only the end decides.
#[derive(Default)]
pub(in crate::check) struct Closed {
    lost: Closing,
    unseen: Closing,
    /// By stride.
    skipped: [Closing; 3],
    torn: Closing,
    latest: Closing,
    doubtful: BTreeSet<(usize, u32)>,
}

/// The message left a group by a declared way.
fn has_left(group: &Group, payload: PayloadId) -> bool {
    [&group.dead, &group.expired, &group.dropped, &group.superseded].into_iter().any(|way| way.has(payload.0))
}

impl Logs {
    /// Judges what only the end decides.
    pub(in crate::check) fn close(&self, end: Time, known: &Known<'_>) -> Closed {
        let mut closed = Closed::default();
        closed.lost.cases.examined = self.seen;
        closed.unseen.cases.examined = self.seen_acknowledged;
        for (key, waiting) in self.waiting.sorted() {
            let (topic, payload) = split(key);
            if waiting.standing != Standing::Ok {
                closed.doubtful.insert((topic, waiting.key));
            }
            self.close_waiting((topic, payload), waiting, known, &mut closed);
        }
        for topic in 0..self.topics.len() {
            self.close_steps(topic, known, &mut closed);
        }
        closed.torn.cases.examined = self.transactions.whole;
        for (number, transaction) in self.transactions.sorted() {
            self.close_transaction((number, transaction), known, &mut closed);
        }
        for log in self.logs.iter().filter(|log| log.keys.is_some()) {
            self.close_keys(log, known, &mut closed);
        }
        let [between, within, rebalance] = &mut closed.skipped;
        for closing in [&mut closed.lost, &mut closed.unseen, between, within, rebalance, &mut closed.torn, &mut closed.latest] {
            closing.certain_at(end);
        }
        closed
    }

    fn group<'k>(&self, (topic, lane): (usize, usize), known: &Known<'k>) -> (ObjectId, &'k Group) {
        let group = self.topics[topic].groups[lane];
        (ObjectId::at(group), &known.groups[group])
    }

    fn lanes(&self, topic: usize) -> std::ops::Range<usize> {
        0..self.topics[topic].groups.len()
    }

    /// Judges a message that has not been polled by everybody it is owed to.
    fn close_waiting(&self, (topic, payload): (usize, PayloadId), waiting: &Waiting, known: &Known<'_>, closed: &mut Closed) {
        if waiting.seen || waiting.unread.is_empty() {
            return;
        }
        let excused = self.lanes(topic).filter(|lane| waiting.unread.has(*lane)).any(|lane| {
            let (_, group) = self.group((topic, lane), known);
            group.held.has(payload.0) || has_left(group, payload)
        });
        let acknowledged = waiting.standing == Standing::Ok;
        let order = (ended(waiting), payload);
        let place = waiting.place.map(|(log, offset)| (&self.logs[log as usize], offset));
        if acknowledged {
            closed.unseen.cases.examined += 1;
            if !excused {
                let place = place.map(|(log, offset)| (log.object, offset));
                closed.unseen.broken(order, || tell::unseen(known.names, (payload, waiting), place));
            }
        }
        // What was polled of a transaction whose end is unknown may have been aborted.
        let is_there = acknowledged || !self.transactions.parts.has(payload.0);
        if let Some((log, offset)) = place.filter(|(log, offset)| is_there && *offset < log.polled) {
            closed.lost.cases.examined += 1;
            if !excused {
                closed.lost.broken(order, || tell::lost(known.names, (payload, waiting), (log.object, offset), log.polled - 1));
            }
        }
    }

    /// Judges what the readers of a topic's logs went beyond.
    fn close_steps(&self, topic: usize, known: &Known<'_>, closed: &mut Closed) {
        let expires = self.lanes(topic).any(|lane| self.group((topic, lane), known).1.expired.len() > 0);
        for log in self.topics[topic].logs.iter().map(|log| &self.logs[*log]) {
            let jumps = log.lanes.iter().any(|lane| lane.passed.iter().any(|passed| passed.len() > 0));
            let gone = if expires && jumps { self.gone(log, known) } else { 0 };
            for lane in 0..log.lanes.len() {
                for (stride, closing) in Stride::ALL.into_iter().zip(&mut closed.skipped) {
                    self.close_stride((log, gone), (lane, stride), known, closing);
                }
            }
        }
    }

    /// Judges what one group went beyond in one log, in steps of one kind.
    fn close_stride(&self, (log, gone): (&Log, u32), (lane, stride): (usize, Stride), known: &Known<'_>, closing: &mut Closing) {
        let readers = &log.lanes[lane];
        closing.cases.examined += readers.forward[stride.index()];
        let passed = &readers.passed[stride.index()];
        let mut cells: Vec<Unpacked<'_>> = log.layers.iter().map(|_| Unpacked::default()).collect();
        for offset in (0..passed.words()).flat_map(|index| members(index, passed.word(index))) {
            let found = log.layers.iter().zip(&mut cells).map_while(|(layer, reader)| layer.look(offset, reader));
            let found: Vec<PayloadId> = found.map(PayloadId).collect();
            closing.cases.examined += u64::from(!found.is_empty());
            let missed = found.into_iter().find(|payload| offset >= gone && self.should_be_given(*payload, (log, lane), known));
            if let Some(payload) = missed {
                let (group, _) = self.group((log.topic, lane), known);
                let jump = readers.jump_beyond(stride, offset);
                let order = (jump.map_or(Time::FAR, |jump| jump.at), payload);
                closing.broken(order, || tell::skipped(known.names, (group, payload), (log.object, offset), (stride, jump)));
            }
        }
    }

    /// One more than the highest place in a log whose message expired: what lies below has gone with it.
    fn gone(&self, log: &Log, known: &Known<'_>) -> u32 {
        let expired = |payload: u32| self.lanes(log.topic).any(|lane| self.group((log.topic, lane), known).1.expired.has(payload));
        let all = log.layers.iter().flat_map(super::cells::Cells::all);
        all.filter(|(_, payload)| expired(*payload)).map(|(offset, _)| offset + 1).max().unwrap_or(0)
    }

    /// Whether a reader of a group should not go beyond a message.
    fn should_be_given(&self, payload: PayloadId, (log, lane): (&Log, usize), known: &Known<'_>) -> bool {
        let (_, group) = self.group((log.topic, lane), known);
        let topic = &self.topics[log.topic];
        let own = known.sent[topic.object.index()].has(payload.0);
        let (failed, given) = (own && known.failed.has(payload.0), group.delivered.has(payload.0));
        let open = self.transactions.parts.has(payload.0) && !self.is_acknowledged(payload, log.topic, known);
        !(has_left(group, payload) || failed || (open && !given) || (log.keys.is_some() && given))
    }

    /// Whether a message in a topic is acknowledged.
    fn is_acknowledged(&self, payload: PayloadId, topic: usize, known: &Known<'_>) -> bool {
        let here = &self.topics[topic];
        if known.sent[here.object.index()].has(payload.0) {
            let pending = known.open.get(u64::from(payload.0)).is_some_and(|record| record.standing == Standing::Pending);
            !pending && !known.failed.has(payload.0) && !known.unknown.has(payload.0)
        } else {
            here.appended.has(payload.0)
        }
    }

    /// Whether anything of a transaction is acknowledged, or was given to anybody.
    pub(super) fn has_happened(&self, transaction: &Transaction, known: &Known<'_>) -> bool {
        let happened = |part: &Part| {
            self.topics_of(*part, known).any(|topic| {
                let given = |lane| self.group((topic, lane), known).1.delivered.has(part.payload.0);
                self.is_acknowledged(part.payload, topic, known) || self.lanes(topic).any(given)
            })
        };
        transaction.parts.iter().any(happened)
    }

    /// Judges a transaction that has not been seen as a whole.
    fn close_transaction(&self, (number, transaction): (u64, &Transaction), known: &Known<'_>, closed: &mut Closed) {
        if !self.has_happened(transaction, known) {
            return;
        }
        closed.torn.cases.examined += 1;
        let places = || transaction.parts.iter().flat_map(|part| self.topics_of(*part, known).map(move |topic| (part.payload, topic)));
        let ended_well = places().any(|(payload, topic)| self.is_acknowledged(payload, topic, known));
        let mut worst: Option<((Time, PayloadId), ObjectId, Option<PayloadId>)> = None;
        for (payload, topic) in places() {
            let Some(waiting) = self.waiting.get(entry_of(topic, payload)) else { continue };
            for lane in self.lanes(topic).filter(|lane| waiting.unread.has(*lane)) {
                let (id, group) = self.group((topic, lane), known);
                let seen = places().find(|(other, at)| *at == topic && group.delivered.has(other.0)).map(|(other, _)| other);
                let missing = !group.held.has(payload.0) && !has_left(group, payload);
                let order = (ended(waiting), payload);
                if missing && (ended_well || seen.is_some()) && worst.is_none_or(|(best, ..)| order < best) {
                    worst = Some((order, id, seen));
                }
            }
        }
        if let Some((order, group, seen)) = worst {
            closed.torn.broken(order, || tell::torn(known.names, (number, transaction), group, (order.1, seen)));
        }
    }

    /// Judges the last messages of the keys of a compacted log, and what was compacted away.
    fn close_keys(&self, log: &Log, known: &Known<'_>, closed: &mut Closed) {
        let Some(keys) = &log.keys else { return };
        for (_, latest) in keys.sorted().filter(|(_, latest)| latest.acknowledged > 0) {
            let payload = latest.payload;
            let waiting = self.waiting.get(entry_of(log.topic, payload));
            for lane in self.lanes(log.topic) {
                let (id, group) = self.group((log.topic, lane), known);
                let given = group.delivered.has(payload.0);
                let owed = waiting.filter(|waiting| waiting.unread.has(lane));
                closed.latest.cases.examined += u64::from(given || owed.is_some());
                let Some(waiting) = owed.filter(|_| !given && !group.held.has(payload.0) && !has_left(group, payload)) else { continue };
                let place = (log.object, u32::try_from(latest.acknowledged - 1).expect("offsets have 32 bits"));
                closed.latest.broken((Time::ZERO, payload), || tell::latest(known.names, (payload, waiting), place, id));
            }
        }
        let superseded = |payload: u32| self.lanes(log.topic).any(|lane| self.group((log.topic, lane), known).1.superseded.has(payload));
        if self.lanes(log.topic).all(|lane| self.group((log.topic, lane), known).1.superseded.len() == 0) {
            return;
        }
        let mut reader = Unpacked::default();
        for (offset, payload) in log.layers.iter().flat_map(super::cells::Cells::all).filter(|(_, payload)| superseded(*payload)) {
            let Some(key) = self.keys.as_ref().and_then(|keys| keys.look(payload, &mut reader)) else { continue };
            closed.latest.cases.examined += 1;
            if !keys.has_later(key, offset) && !closed.doubtful.contains(&(log.topic, key)) {
                let (payload, place) = (PayloadId(payload), (log.object, offset));
                closed.latest.broken((Time::ZERO, payload), || tell::superseded(known.names, (payload, key), place));
            }
        }
    }

    /// Whether a message that was superseded has a later one with its key in the log, or may have.
    pub(in crate::check) fn has_successor(&self, (source, payload, key): (usize, PayloadId, u32), closed: &Closed) -> bool {
        let Some(topic) = self.topic_of[source] else { return false };
        let place = self.waiting.get(entry_of(topic, payload)).and_then(|waiting| waiting.place);
        let mut logs = self.topics[topic].logs.iter().map(|log| (*log, &self.logs[*log]));
        let known = logs.any(|(at, log)| {
            log.keys.as_ref().is_some_and(|keys| match place {
                Some((own, offset)) => own as usize == at && keys.has_later(key, offset),
                None => keys.has(key),
            })
        });
        known || closed.doubtful.contains(&(topic, key))
    }

    /// What is to be said of a property about logs.
    pub(in crate::check) fn verdict(&self, property: Property, closed: &Closed, final_read: bool) -> Verdict {
        let (_, nothing) = NOTHING.into_iter().find(|(p, _)| *p == property).expect("it is about logs");
        if let Some(cases) = self.online_cases(property) {
            return cases.verdict(nothing);
        }
        let [between, within, rebalance] = &closed.skipped;
        // What somebody went beyond is certain; what never came is not before the final read.
        let closings = [
            (Property::NoLostWrite, &closed.lost, final_read),
            (Property::AllSeen, &closed.unseen, final_read),
            (Property::NoPollSkip, between, true),
            (Property::NoPollSkipWithin, within, true),
            (Property::NoRebalanceSkip, rebalance, true),
            (Property::WholeTransactions, &closed.torn, final_read),
            (Property::LatestPerKey, &closed.latest, final_read),
        ];
        let (_, closing, certain) = closings.into_iter().find(|(p, ..)| *p == property).expect("it is decided at the end");
        closing.verdict(certain, nothing)
    }
}

/// When a message was acknowledged; those that never were come last.
fn ended(waiting: &Waiting) -> Time {
    if waiting.standing == Standing::Ok { waiting.ended } else { Time::FAR }
}

/// A topic and a payload.
fn split(key: u64) -> (usize, PayloadId) {
    let topic = usize::try_from(key >> 32).expect("objects have 32 bits");
    (topic, PayloadId(u32::try_from(key & u64::from(u32::MAX)).expect("32 bits")))
}

/// Why nothing can be said of a property when nothing was examined.
const NOTHING: [(Property, &str); Property::LOG.len()] = [
    (Property::NoLostWrite, "nothing was read from a log"),
    (Property::AllSeen, "no acknowledged message was owed to a reader of logs"),
    (Property::NoLogDuplicate, "no message is known to stand in a log"),
    (Property::ConsistentOffsets, "no message is known to stand in a log"),
    (Property::NoPollSkip, "no node read on in a log from one poll to the next"),
    (Property::NoPollSkipWithin, "no poll read on in a log"),
    (Property::NoRebalanceSkip, "no log was taken over further on"),
    (Property::MonotonicPolls, "no node read a log in two polls"),
    (Property::MonotonicWithinPoll, "no poll returned two messages of a log"),
    (Property::NoRebalanceReread, "no log was taken over while it was read"),
    (Property::NoAbortedRead, "nothing was read from a log"),
    (Property::NoPrecommittedRead, "nothing of a transaction was read"),
    (Property::WholeTransactions, "no transaction ended well or was read"),
    (Property::LatestPerKey, "no compacted log had a message that was owed to anybody"),
];
