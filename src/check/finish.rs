//! The end of judging: what never came, what is still held, and the sums.

use std::sync::Arc;

use crate::base::{ObjectId, PayloadId, Time};

use super::bits::members;
use super::group::Group;
use super::judged::{Accounting, Figures, GroupAccounting, Judged, Latency, NO_LOGS, Rate, Ratio};
use super::judges::{Judges, Record, Standing};
use super::log::Closed;
use super::tell::{self, Case, Cases, Fate, Since};
use super::{Finding, Promises, Property, Verdict};

/// Cases of which the earliest is known only when all have been seen.
#[derive(Default)]
pub(super) struct Closing {
    pub(super) cases: Cases,
    best: Option<(Time, PayloadId)>,
}

impl Closing {
    pub(super) fn broken(&mut self, order: (Time, PayloadId), tell: impl FnOnce() -> Case) {
        self.cases.broken += 1;
        if self.best.is_none_or(|best| order < best) {
            self.best = Some(order);
            self.cases.first = Some(Arc::new(tell()));
        }
    }

    /// What only the end decides becomes certain then.
    pub(super) fn certain_at(&mut self, end: Time) {
        if let Some(case) = &mut self.cases.first {
            Arc::make_mut(case).at = end;
        }
    }

    /// What follows; cases are `certain` when nothing can come any more that makes them none.
    pub(super) fn verdict(&self, certain: bool, nothing: &str) -> Verdict {
        if self.cases.broken > 0 && !certain {
            let why = format!("{} of {} cases are open: the run was not read out at its end", self.cases.broken, self.cases.examined);
            return Verdict::Unknown { why };
        }
        self.cases.verdict(nothing)
    }
}

/// What only the end of the run decides.
#[derive(Default)]
struct AtEnd {
    survives: Closing,
    delivered: Closing,
    gaps: Closing,
    missing: Closing,
    stuck: Closing,
    stuck_operations: u64,
    lost: u64,
    lost_by_group: Vec<u64>,
    pending_happened: u64,
    logs: Closed,
}

impl Judges {
    /// What is to be said when the run has ended at `end`. Does not consume: one can ask in the middle of a run, and go on.
    #[must_use]
    pub fn finish(&self, end: Time, promises: &Promises) -> Judged {
        let at_end = self.close(end);
        Judged {
            findings: self.say(end, promises, &at_end),
            accounting: self.account(&at_end),
            latency: Latency {
                ack_ok: self.spreads.ok.quantiles(),
                ack_failed: self.spreads.failed.quantiles(),
                ack_unknown: self.spreads.unknown.quantiles(),
                delivery: self.spreads.delivery.quantiles(),
                effect: self.spreads.effect.quantiles(),
            },
            figures: self.sum_up(end),
            series: self.timeline.series(end, &self.names),
        }
    }

    /// The findings alone, without sums and figures: for whoever judges many runs.
    #[must_use]
    pub fn findings(&self, end: Time, promises: &Promises) -> Vec<Finding> {
        self.say(end, promises, &self.close(end))
    }

    /// Judges what only the end decides.
    fn close(&self, end: Time) -> AtEnd {
        let logs = self.logs.as_ref().map_or_else(Closed::default, |logs| logs.close(end, &self.known()));
        let mut at_end = AtEnd { lost_by_group: vec![0; self.groups.len()], logs, ..AtEnd::default() };
        for (payload, record) in self.open.sorted() {
            let payload = PayloadId(u32::try_from(payload).expect("keys are payloads"));
            match record.standing {
                Standing::Pending => self.close_pending((payload, record), end, &mut at_end),
                Standing::Ok => self.close_owed((payload, record), &mut at_end),
                Standing::Unknown => {}
            }
        }
        for closing in [&mut at_end.survives, &mut at_end.delivered, &mut at_end.gaps] {
            closing.cases.examined += self.owed_arrived;
        }
        at_end.stuck.cases.examined += self.accounting.attempts;
        for (id, group) in self.groups.iter().enumerate().filter(|(_, g)| g.is_owed()) {
            self.close_effects((ObjectId::at(id), group), &mut at_end);
            self.close_held((ObjectId::at(id), group), end, &mut at_end);
        }
        for closing in [&mut at_end.survives, &mut at_end.delivered, &mut at_end.gaps, &mut at_end.missing, &mut at_end.stuck] {
            closing.certain_at(end);
        }
        at_end
    }

    fn say(&self, end: Time, promises: &Promises, at_end: &AtEnd) -> Vec<Finding> {
        let finding =
            |property: Property| Finding { property, verdict: self.verdict(property, end, at_end), promised: promises.promised(property) };
        let of_logs = if self.logs.is_some() { &Property::LOG[..] } else { &[] };
        Property::DELIVERY.iter().chain(of_logs).copied().map(finding).collect()
    }

    fn close_pending(&self, (payload, record): (PayloadId, &Record), end: Time, at_end: &mut AtEnd) {
        at_end.pending_happened += u64::from(self.happened.has(payload.0));
        if record.called >= self.config.heal_start {
            at_end.stuck_operations += 1;
            at_end.stuck.broken((Time::ZERO, payload), || tell::stuck_operation(&self.names, (payload, record), end));
        }
    }

    /// Judges an acknowledged message that has not arrived everywhere.
    fn close_owed(&self, (payload, record): (PayloadId, &Record), at_end: &mut AtEnd) {
        let mut lost = false;
        for (id, group) in self.groups.iter().enumerate() {
            if !group.is_owed() || group.source != record.object as usize || !record.mask.has(group.lane) {
                continue;
            }
            for closing in [&mut at_end.survives, &mut at_end.delivered, &mut at_end.gaps] {
                closing.cases.examined += 1;
            }
            if group.held.has(payload.0) {
                continue;
            }
            let (id, order) = (ObjectId::at(id), (record.ended, payload));
            let fate = fate(group, payload);
            if fate == Fate::Superseded && self.has_successor((payload, record), at_end) {
                continue;
            }
            let tell = || tell::undelivered(&self.names, (payload, record), id, fate);
            if !group.dead.has(payload.0) {
                at_end.delivered.broken(order, tell);
                if fate == Fate::Vanished {
                    at_end.survives.broken(order, tell);
                    at_end.lost_by_group[id.index()] += 1;
                    lost = true;
                }
            }
            let later = group.orders.passed(record.producer, record.key, record.ordinal);
            if let Some(later) = later.filter(|_| fate != Fate::Damaged) {
                at_end.gaps.broken(order, || tell::gap(&self.names, (payload, record), id, later));
            }
        }
        at_end.lost += u64::from(lost);
    }

    /// Whether a message that was compacted away has a later one with its key.
    fn has_successor(&self, (payload, record): (PayloadId, &Record), at_end: &AtEnd) -> bool {
        let message = (record.object as usize, payload, record.key);
        self.logs.as_ref().is_some_and(|logs| logs.has_successor(message, &at_end.logs))
    }

    /// Judges what arrived at a group that records effects.
    fn close_effects(&self, (id, group): (ObjectId, &Group), at_end: &mut AtEnd) {
        if group.tally.effects == 0 {
            return;
        }
        for index in 0..group.delivered.words() {
            let intact = group.intact_word(index);
            let without = intact & !group.effect.word(index);
            let missing = without & !group.dead.word(index) & !group.held.word(index);
            at_end.missing.cases.examined += u64::from((intact & !without | missing).count_ones());
            for payload in members(index, missing).map(PayloadId) {
                let arrived = group.awaiting.get(u64::from(payload.0)).map(|w| (w.arrived, w.node));
                let order = (arrived.map_or(Time::FAR, |(at, _)| at), payload);
                at_end.missing.broken(order, || tell::missing_effect(&self.names, payload, id, arrived));
            }
        }
    }

    /// Judges what is still held for a group that should have had it.
    fn close_held(&self, (id, group): (ObjectId, &Group), end: Time, at_end: &mut AtEnd) {
        at_end.stuck.cases.examined += group.held.len();
        if !group.active {
            return;
        }
        for index in 0..group.held.words() {
            let done =
                if group.tally.effects == 0 { group.intact_word(index) } else { group.intact_word(index) & group.effect.word(index) };
            for payload in members(index, group.held.word(index) & !done).map(PayloadId) {
                let key = u64::from(payload.0);
                let published = self.open.get(key).map(|r| (r.called, r.producer));
                let delivered = group.awaiting.get(key).map(|w| (w.arrived, w.node));
                let since = match (delivered, published) {
                    (Some((at, node)), _) => Since::Delivered(at, end, node),
                    (None, Some((at, producer))) => Since::Published(at, end, producer),
                    (None, None) => Since::Unknown(end),
                };
                // Ids are given out in the order of publishing.
                at_end.stuck.broken((Time::ZERO, payload), || tell::stuck_message(&self.names, payload, id, since));
            }
        }
    }

    fn verdict(&self, property: Property, end: Time, at_end: &AtEnd) -> Verdict {
        if let Some(logs) = self.logs.as_ref().filter(|_| property.is_about_logs()) {
            return logs.verdict(property, &at_end.logs, self.final_read);
        }
        let nothing = nothing(property);
        if let Some(cases) = self.online_cases(property) {
            return cases.verdict(nothing);
        }
        if property == Property::Drained {
            return self.drained(end, at_end);
        }
        let closings = [
            (Property::AckedSurvives, &at_end.survives),
            (Property::AckedDelivered, &at_end.delivered),
            (Property::NoGaps, &at_end.gaps),
            (Property::NoMissingEffect, &at_end.missing),
        ];
        let (_, closing) = closings.into_iter().find(|(p, _)| *p == property).expect("it is decided at the end");
        closing.verdict(self.final_read, nothing)
    }

    fn drained(&self, end: Time, at_end: &AtEnd) -> Verdict {
        if self.config.drain_start >= end {
            return Verdict::Unknown { why: "the run has no time to drain".to_owned() };
        }
        if !self.final_read && at_end.stuck_operations == 0 {
            return Verdict::Unknown { why: "the run was not read out at its end".to_owned() };
        }
        at_end.stuck.cases.verdict(nothing(Property::Drained))
    }

    fn account(&self, at_end: &AtEnd) -> Accounting {
        let mut sum = self.accounting.clone();
        for (id, group) in self.groups.iter().enumerate() {
            let tally = GroupAccounting {
                name: self.names.objects[id].name.clone(),
                delivered: group.delivered.len(),
                lost: at_end.lost_by_group[id],
                ..group.tally.clone()
            };
            sum.deliveries += tally.deliveries;
            sum.redelivered += tally.redelivered;
            sum.duplicates += tally.duplicates;
            sum.effects += tally.effects;
            sum.duplicate_effects += tally.duplicate_effects;
            sum.unexpected += tally.unexpected;
            sum.corrupted += tally.corrupted;
            sum.dead_lettered += tally.dead_lettered;
            sum.expired += tally.expired;
            sum.dropped += tally.dropped;
            sum.superseded += tally.superseded;
            sum.acknowledged += tally.acknowledged;
            sum.returned += tally.returned;
            if group.is_owed() {
                sum.held += tally.held;
            }
            let silent = GroupAccounting { group: tally.group, name: tally.name.clone(), ..GroupAccounting::default() };
            if tally != silent {
                sum.groups.push(tally);
            }
        }
        let unknown_happened: u64 =
            (0..self.unknown.words()).map(|i| u64::from((self.unknown.word(i) & self.happened.word(i)).count_ones())).sum();
        sum.pending = sum.attempts - sum.ok - sum.failed - sum.unknown;
        sum.lost = at_end.lost;
        sum.delivered = self.happened.len();
        sum.recovered = unknown_happened + at_end.pending_happened;
        sum.unknown_not_happened = sum.unknown + sum.pending - sum.recovered;
        sum
    }

    fn sum_up(&self, end: Time) -> Figures {
        let mut figures = self.figures.clone();
        figures.pending = figures.attempts - figures.ok - figures.failed - figures.unknown;
        figures.success = Ratio { part: figures.ok, whole: figures.attempts };
        figures.offered_success = Ratio { part: figures.ok, whole: figures.attempts + figures.skipped };
        let over = self.config.drain_start.min(end).saturating_since(self.config.chaos_start);
        figures.acked = Rate { count: figures.acked.count, over };
        figures.delivered = Rate { count: figures.delivered.count, over };
        figures
    }
}

/// What became of an owed message that did not arrive intact at a group and is not held there.
fn fate(group: &Group, payload: PayloadId) -> Fate {
    let ways = [
        (&group.delivered, Fate::Damaged),
        (&group.superseded, Fate::Superseded),
        (&group.expired, Fate::Expired),
        (&group.dropped, Fate::Dropped),
    ];
    ways.into_iter().find(|(way, _)| way.has(payload.0)).map_or(Fate::Vanished, |(_, fate)| fate)
}

/// Why nothing can be said of a property of delivery when nothing was examined.
fn nothing(property: Property) -> &'static str {
    match property {
        Property::AckedSurvives | Property::AckedDelivered | Property::NoGaps => "no acknowledged message was owed to anybody",
        Property::NoDuplicateDelivery | Property::NothingCorrupted => "nothing was delivered",
        Property::NoDuplicateEffect => "no effect was recorded",
        Property::NoMissingEffect => "nothing that should take effect was delivered",
        Property::NothingUnexpected => "nothing was delivered or applied",
        Property::OrderGlobal => "no two messages arrived that could be compared",
        Property::OrderPerKey => "no two messages of one key arrived that could be compared",
        Property::OrderPerProducer => "no two messages of one producer arrived that could be compared",
        Property::FailedStaysFailed => "nothing was reported as failed",
        Property::Drained => "nothing was attempted",
        Property::NoLostWrite
        | Property::AllSeen
        | Property::NoLogDuplicate
        | Property::ConsistentOffsets
        | Property::NoPollSkip
        | Property::NoPollSkipWithin
        | Property::NoRebalanceSkip
        | Property::MonotonicPolls
        | Property::MonotonicWithinPoll
        | Property::NoRebalanceReread
        | Property::NoAbortedRead
        | Property::NoPrecommittedRead
        | Property::WholeTransactions
        | Property::LatestPerKey => NO_LOGS,
    }
}
