//! How judges take in what nobody called for: deliveries, effects, settlements and final reads.

use crate::base::{NodeId, ObjectId, PayloadId, Time};
use crate::record::{Entry, Note, Settlement};

use super::group::{Awaiting, Entitled, Group};
use super::judges::{Judges, Record, Standing};
use super::measure::Count;
use super::order::{Arriving, Frontier, Scope};
use super::table::Table;
use super::tell;

/// A message at a group, at a moment and a node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) at: Time,
    pub(super) node: NodeId,
    pub(super) group: ObjectId,
    pub(super) payload: PayloadId,
}

impl Judges {
    pub(super) fn on_note(&mut self, entry: &Entry, note: Note) {
        let arrival = |group, payload| Arrival { at: entry.at, node: entry.node, group, payload };
        match note {
            Note::Subscribe { group } => self.on_subscribe(group),
            Note::Unsubscribe { group } => self.on_unsubscribe(group),
            Note::Deliver { group, payload, intact, redelivered, place } => {
                self.groups[group.index()].tally.redelivered += u64::from(redelivered);
                let a = arrival(group, payload);
                self.with_logs(|logs, known| {
                    logs.arriving(a, place, known);
                    Ok(())
                });
                let first = self.on_deliver(a, intact);
                self.with_logs(|logs, known| logs.delivered(a, place, first, known));
            }
            Note::Effect { group, payload } => self.on_effect(arrival(group, payload)),
            Note::Settle { group, payload, how } => self.on_settle(arrival(group, payload), how),
            Note::Log(note) => self.with_logs(|logs, known| logs.noted(entry, note, known)),
            Note::Held { group, payload } => {
                let group = &mut self.groups[group.index()];
                if !self.called.has(payload.0) {
                    self.accounting.malformed += 1;
                } else if group.held.insert(payload.0) {
                    group.tally.held += 1;
                }
            }
        }
    }

    /// Whether it may be there and had not been delivered to the group before.
    fn on_deliver(&mut self, a: Arrival, intact: bool) -> bool {
        self.timeline.count(a.at, Count::Delivery);
        self.online.duplicates.examined += 1;
        self.online.corrupted.examined += 1;
        let tally = &mut self.groups[a.group.index()].tally;
        tally.deliveries += 1;
        if !intact {
            tally.corrupted += 1;
            let names = &self.names;
            self.online.corrupted.broken(|| tell::corrupted(names, a));
        }
        if !self.expected(a, "delivered") {
            return false;
        }
        let group = &mut self.groups[a.group.index()];
        let first = group.delivered.insert(a.payload.0);
        let first_intact = intact && (first || group.damaged.remove(a.payload.0));
        if !first {
            group.tally.duplicates += 1;
            self.timeline.count(a.at, Count::Duplicate);
            let (names, awaiting) = (&self.names, &group.awaiting);
            self.online.duplicates.broken(|| tell::duplicate(names, a, awaiting.get(u64::from(a.payload.0))));
        } else if !intact {
            group.damaged.insert(a.payload.0);
        }
        if group.is_owed() {
            let called = self.arrive(a, first, first_intact);
            if first_intact {
                self.groups[a.group.index()].await_effect(a.payload.0, Awaiting { called, arrived: a.at, node: a.node });
            }
        }
        first
    }

    fn on_effect(&mut self, a: Arrival) {
        self.timeline.count(a.at, Count::Effect);
        self.online.effects.examined += 1;
        self.groups[a.group.index()].tally.effects += 1;
        if !self.expected(a, "applied") {
            return;
        }
        let group = &mut self.groups[a.group.index()];
        if !group.effect.insert(a.payload.0) {
            group.tally.duplicate_effects += 1;
            let names = &self.names;
            self.online.effects.broken(|| tell::duplicate_effect(names, a));
            return;
        }
        let awaiting = group.awaiting.remove(u64::from(a.payload.0));
        let arrives = group.entitled == Entitled::Service && group.delivered.insert(a.payload.0);
        let called = if arrives { self.arrive(a, true, true) } else { awaiting.and_then(|w| w.called) };
        if let Some(called) = called.filter(|c| self.after_warm(*c)) {
            self.spreads.effect.record(a.at.since(called));
        }
    }

    /// Judges whether this may come to the group, and notes that the message happened. False when it may not.
    fn expected(&mut self, a: Arrival, verb: &str) -> bool {
        self.online.unexpected.examined += 1;
        let group = &self.groups[a.group.index()];
        let carried = || self.logs.as_ref().is_some_and(|logs| logs.is_carried(group.source, a.payload));
        let sent = self.sent[group.source].has(a.payload.0) || carried();
        let entitled = match group.entitled {
            Entitled::Always | Entitled::Service => sent,
            Entitled::Subscribed => sent && (group.active || a.payload.0 < group.left_at),
            Entitled::Moved => sent || self.moved.has(a.payload.0),
            Entitled::Never => false,
        };
        let called = self.called.has(a.payload.0);
        if called && self.happened.insert(a.payload.0) && self.failed.has(a.payload.0) {
            let names = &self.names;
            self.online.failed.broken(|| tell::happened_after_failure(names, a, verb));
        }
        if !entitled {
            self.groups[a.group.index()].tally.unexpected += 1;
            let names = &self.names;
            let known = if sent {
                tell::Known::Left
            } else if called {
                tell::Known::Elsewhere
            } else {
                tell::Known::Never
            };
            self.online.unexpected.broken(|| tell::unexpected(names, a, verb, known));
        }
        entitled
    }

    /// A message arrives at a group that it is owed to. When its publish was invoked, if the pair was outstanding.
    fn arrive(&mut self, a: Arrival, first: bool, first_intact: bool) -> Option<Time> {
        let group = &mut self.groups[a.group.index()];
        let payload = u64::from(a.payload.0);
        if first_intact {
            self.figures.delivered.count += u64::from((self.config.chaos_start..self.config.drain_start).contains(&a.at));
        }
        let record = self.open.get_mut(payload).filter(|r| r.object as usize == group.source && r.mask.has(group.lane))?;
        if first {
            let arriving = arriving(record, a);
            let group_name = a.group;
            for seen in group.orders.arrive(&arriving) {
                let cases = match seen.scope {
                    Scope::Global => &mut self.online.global,
                    Scope::Key => &mut self.online.key,
                    Scope::Producer => &mut self.online.producer,
                };
                cases.examined += u64::from(seen.compared);
                if let Some(other) = seen.overtaker {
                    let names = &self.names;
                    cases.broken(|| tell::reordered(names, group_name, &arriving, (seen.scope, other)));
                }
            }
        }
        let called = record.called;
        if first_intact {
            record.mask.clear(group.lane);
            record.arrived += 1;
            self.owed_arrived += u64::from(record.standing == Standing::Ok);
            if record.mask.is_empty() && record.standing != Standing::Pending {
                self.open.remove(payload);
            }
            if called >= self.config.chaos_start {
                self.spreads.delivery.record(a.at.since(called));
            }
        }
        if first && self.groups[a.group.index()].orders.overgrown() {
            self.sweep(a.group);
        }
        Some(called)
    }

    /// Lets a group's orders forget the keys that have nothing outstanding.
    fn sweep(&mut self, group: ObjectId) {
        let mut keys: Table<()> = Table::default();
        let group = &mut self.groups[group.index()];
        for (_, record) in self.open.unordered() {
            if record.object as usize == group.source && record.mask.has(group.lane) {
                keys.insert(u64::from(record.key), ());
            }
        }
        group.orders.sweep(&keys, self.open.len());
    }

    fn on_settle(&mut self, a: Arrival, how: Settlement) {
        if !self.called.has(a.payload.0) {
            self.accounting.malformed += 1;
            return;
        }
        let Group { tally, dead, expired, dropped, superseded, .. } = &mut self.groups[a.group.index()];
        match how {
            Settlement::Acknowledged => tally.acknowledged += 1,
            Settlement::Returned => tally.returned += 1,
            Settlement::DeadLettered => {
                tally.dead_lettered += 1;
                dead.insert(a.payload.0);
                self.moved.insert(a.payload.0);
            }
            Settlement::Expired => {
                tally.expired += 1;
                expired.insert(a.payload.0);
            }
            Settlement::Superseded => {
                tally.superseded += 1;
                superseded.insert(a.payload.0);
            }
            Settlement::Dropped => {
                tally.dropped += 1;
                dropped.insert(a.payload.0);
            }
        }
    }
}

fn arriving(record: &Record, a: Arrival) -> Arriving {
    Arriving {
        own: Frontier { called: record.called, arrived: a.at, payload: a.payload, ordinal: record.ordinal, node: a.node },
        ended: (record.standing != Standing::Pending).then_some(record.ended),
        producer: record.producer,
        key: record.key,
    }
}
