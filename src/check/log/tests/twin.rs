//! The twin of the judges of logs: every property evaluated over the whole history, naively, straight from its definition.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{NodeId, ObjectId, PayloadId, Time};
use crate::check::Property;
use crate::record::{End, Entry, LogNote, Names, Note, ObjectKind, Op, Phase, Place, Settlement, What};

use super::flaws::Flaw;

/// What the twin says of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Says {
    Unknown,
    Holds(u64),
    /// Cases, examined, and the payload of the earliest case.
    Broken(u64, u64, PayloadId),
}

/// A message that is known to stand somewhere, since an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Fact {
    since: usize,
    place: Place,
    payload: PayloadId,
}

/// A step of a reader, with where it lies in the history.
#[derive(Clone, Copy, Debug)]
struct Step {
    at: usize,
    stride: Property,
    group: ObjectId,
    log: ObjectId,
    from: u64,
    to: u64,
    payload: PayloadId,
}

/// A part of a transaction: whether it was carried on, and which message.
type Part = (bool, PayloadId);

pub(super) struct Twin<'a> {
    names: &'a Names,
    history: &'a [Entry],
    flaw: Option<Flaw>,
    /// Where each message was published, what was asked, and by whom.
    calls: BTreeMap<PayloadId, (usize, Op, NodeId)>,
    ends: BTreeMap<PayloadId, (usize, End, Option<Place>)>,
    facts: Vec<Fact>,
    steps: Vec<Step>,
    /// Where each part was put into which transaction, by whom.
    put: Vec<(usize, Part, u64, NodeId)>,
    births: BTreeMap<(ObjectId, PayloadId), usize>,
    firsts: BTreeMap<(ObjectId, PayloadId), usize>,
}

impl<'a> Twin<'a> {
    pub(super) fn new(names: &'a Names, history: &'a [Entry], flaw: Option<Flaw>) -> Self {
        let (mut calls, mut ends) = (BTreeMap::new(), BTreeMap::new());
        for (i, entry) in history.iter().enumerate() {
            match entry.what {
                What::Call { what, .. } => {
                    calls.entry(what.payload()).or_insert((i, what, entry.node));
                }
                What::End { what, end, place, .. } if calls.contains_key(&what.payload()) => {
                    ends.entry(what.payload()).or_insert((i, end, place));
                }
                What::End { .. } | What::Note(_) | What::Skipped { .. } | What::Phase(_) | What::Fault { .. } => {}
            }
        }
        let (births, firsts) = (BTreeMap::new(), BTreeMap::new());
        let mut twin = Twin { names, history, flaw, calls, ends, facts: Vec::new(), steps: Vec::new(), put: Vec::new(), births, firsts };
        twin.births = twin.find_births();
        twin.firsts = twin.find_firsts();
        twin.facts = twin.find_facts();
        twin.steps = twin.find_steps();
        twin.put = twin.find_put();
        twin
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
    fn notes(&self) -> impl Iterator<Item = (usize, NodeId, Note)> {
        self.history.iter().enumerate().filter_map(|(i, e)| if let What::Note(note) = e.what { Some((i, e.node, note)) } else { None })
    }
    fn topic_of_log(&self, log: ObjectId) -> Option<ObjectId> {
        if let ObjectKind::Log { topic, .. } = self.names.object(log).kind { Some(topic) } else { None }
    }
    fn topic_of_group(&self, group: ObjectId) -> Option<ObjectId> {
        let ObjectKind::Subscription { topic } = self.names.object(group).kind else { return None };
        (0..self.names.objects.len()).any(|log| self.topic_of_log(ObjectId::at(log)) == Some(topic)).then_some(topic)
    }
    fn groups(&self, topic: ObjectId) -> Vec<ObjectId> {
        self.names.groups_of(topic).collect()
    }
    fn is_compacted(&self, log: ObjectId) -> bool {
        matches!(self.names.object(log).kind, ObjectKind::Log { compacted: true, .. })
    }
    fn called_before(&self, payload: PayloadId, at: usize) -> bool {
        self.calls.get(&payload).is_some_and(|(i, ..)| *i < at)
    }
    fn is_own(&self, topic: ObjectId, payload: PayloadId) -> bool {
        self.calls.get(&payload).is_some_and(|(_, op, _)| op.object() == topic)
    }
    fn end_is(&self, payload: PayloadId, wanted: fn(End) -> bool) -> Option<usize> {
        self.ends.get(&payload).filter(|(_, end, _)| wanted(*end)).map(|(i, ..)| *i)
    }
    fn failed(&self, payload: PayloadId) -> Option<usize> {
        self.end_is(payload, |end| matches!(end, End::Failed(_)))
    }
    /// When a message was appended by somebody that the load did not ask.
    fn appended(&self, topic: Option<ObjectId>, payload: PayloadId) -> Option<usize> {
        let appended = |(i, _, note)| {
            let Note::Log(LogNote::Appended { payload: p, place }) = note else { return None };
            let here = self.topic_of_log(place.log).filter(|_| p == payload && self.called_before(p, i))?;
            (topic.is_none_or(|topic| topic == here) && !self.is_own(here, p)).then_some(i)
        };
        self.notes().find_map(appended)
    }
    fn acknowledged(&self, topic: ObjectId, payload: PayloadId) -> Option<usize> {
        if self.is_own(topic, payload) { self.end_is(payload, |end| end == End::Ok) } else { self.appended(Some(topic), payload) }
    }

    /// Since when a message counts in a topic.
    fn find_births(&self) -> BTreeMap<(ObjectId, PayloadId), usize> {
        let mut births = BTreeMap::new();
        for (payload, (i, op, _)) in &self.calls {
            births.insert((op.object(), *payload), *i);
        }
        for (i, _, note) in self.notes() {
            let carried = if let Note::Deliver { group, payload, place: Some(_), .. } = note {
                let happened = |(j, _, n): (usize, NodeId, Note)| {
                    j < i
                        && self.called_before(payload, j)
                        && matches!(n, Note::Deliver { payload: p, .. } | Note::Effect { payload: p, .. } if p == payload)
                };
                self.topic_of_group(group).filter(|_| self.notes().any(happened)).map(|topic| (topic, payload))
            } else if let Note::Log(LogNote::Appended { payload, place }) = note {
                self.topic_of_log(place.log).filter(|_| self.called_before(payload, i)).map(|topic| (topic, payload))
            } else {
                None
            };
            if let Some(carried) = carried.filter(|_| !self.has(Flaw::ForgetsCarried)) {
                births.entry(carried).or_insert(i);
            }
        }
        births
    }

    fn subscribed(&self, group: ObjectId, at: usize) -> bool {
        let last = self
            .notes()
            .filter(|(i, _, n)| *i < at && matches!(n, Note::Subscribe { group: g } | Note::Unsubscribe { group: g } if *g == group));
        matches!(last.last(), Some((_, _, Note::Subscribe { .. })))
    }
    fn left_between(&self, group: ObjectId, from: usize, until: usize) -> bool {
        self.notes().any(|(i, _, n)| (from..until).contains(&i) && matches!(n, Note::Unsubscribe { group: g } if g == group))
    }

    /// The first delivery of each message to each group that it may come to.
    fn find_firsts(&self) -> BTreeMap<(ObjectId, PayloadId), usize> {
        let mut firsts = BTreeMap::new();
        for (i, _, note) in self.notes() {
            let Note::Deliver { group, payload, .. } = note else { continue };
            let Some(birth) = self.topic_of_group(group).and_then(|topic| self.births.get(&(topic, payload))) else { continue };
            let called = self.calls[&payload].0;
            let left_later = || {
                self.notes().any(|(j, _, n)| {
                    (called..i).contains(&j) && matches!(n, Note::Unsubscribe { group: g } if g == group) && self.subscribed(group, j)
                })
            };
            if *birth <= i && (self.subscribed(group, i) || left_later()) {
                firsts.entry((group, payload)).or_insert(i);
            }
        }
        firsts
    }
    fn first(&self, group: ObjectId, payload: PayloadId) -> Option<usize> {
        self.firsts.get(&(group, payload)).copied()
    }

    /// The message is owed to the group, from its birth until an entry.
    fn owed(&self, group: ObjectId, payload: PayloadId, until: usize) -> bool {
        let birth = self.topic_of_group(group).and_then(|topic| self.births.get(&(topic, payload)).copied());
        let entitled = |birth| (self.subscribed(group, birth) && !self.left_between(group, birth, until)) || self.has(Flaw::AllAreOwed);
        birth.is_some_and(entitled)
    }
    /// A group that it was owed to polled it.
    fn read(&self, group: ObjectId, payload: PayloadId) -> bool {
        self.first(group, payload).is_some_and(|i| self.owed(group, payload, i))
    }
    /// It is still owed and was not polled.
    fn unread(&self, group: ObjectId, payload: PayloadId) -> bool {
        self.first(group, payload).is_none() && self.owed(group, payload, self.history.len())
    }
    fn held(&self, group: ObjectId, payload: PayloadId) -> bool {
        self.notes().any(|(i, _, n)| n == Note::Held { group, payload } && self.called_before(payload, i))
    }
    fn settled(&self, group: ObjectId, payload: PayloadId, ways: &[Settlement]) -> bool {
        self.notes().any(|(i, _, n)| {
            matches!(n, Note::Settle { group: g, payload: p, how } if (g, p) == (group, payload) && ways.contains(&how))
                && self.called_before(payload, i)
        })
    }
    fn left(&self, group: ObjectId, payload: PayloadId) -> bool {
        self.settled(group, payload, &[Settlement::Expired, Settlement::Superseded, Settlement::Dropped, Settlement::DeadLettered])
    }

    fn find_facts(&self) -> Vec<Fact> {
        let mut facts: Vec<Fact> = Vec::new();
        for (i, entry) in self.history.iter().enumerate() {
            let fact = if let What::End { what, place: Some(place), .. } = entry.what {
                self.ends.get(&what.payload()).and_then(|(at, end, _)| {
                    let told = *end == End::Ok || (matches!(end, End::Unknown(_)) && self.has(Flaw::UnknownIsTold));
                    (*at == i && told && self.topic_of_log(place.log) == Some(what.object())).then_some((place, what.payload()))
                })
            } else if let What::Note(Note::Deliver { group, payload, place: Some(place), .. }) = entry.what {
                let here = self.topic_of_log(place.log);
                (here.is_some() && here == self.topic_of_group(group)).then_some((place, payload))
            } else if let What::Note(Note::Log(LogNote::Appended { payload, place })) = entry.what {
                self.topic_of_log(place.log).filter(|_| self.called_before(payload, i)).map(|_| (place, payload))
            } else {
                None
            };
            if let Some((place, payload)) = fact
                && !facts.iter().any(|f| (f.place, f.payload) == (place, payload))
            {
                facts.push(Fact { since: i, place, payload });
            }
        }
        facts
    }

    fn find_steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for (i, node, note) in self.notes() {
            let Note::Deliver { group, payload, place: Some(Place { log, offset: to }), .. } = note else { continue };
            if self.topic_of_log(log).is_none() || self.topic_of_log(log) != self.topic_of_group(group) {
                continue;
            }
            let given = |(j, who, n): (usize, NodeId, Note)| {
                let Note::Deliver { group: g, place: Some(place), .. } = n else { return None };
                (j < i && g == group && place.log == log).then_some((j, who, place.offset))
            };
            let all: Vec<_> = self.notes().filter_map(given).collect();
            let mine = all.iter().rev().find(|(_, who, _)| *who == node);
            let anew = |after: usize| {
                self.notes().any(|(j, who, n)| {
                    let assigned = n == Note::Log(LogNote::Assigned { group, log }) && !self.has(Flaw::ForgetsAssigned);
                    let revoked = n == Note::Log(LogNote::Revoked { group, log }) && !self.has(Flaw::ForgetsRevoked);
                    let fits = assigned || revoked;
                    (after..i).contains(&j) && who == node && fits
                })
            };
            let polled = |after: usize| {
                self.notes().any(|(j, who, n)| {
                    (after..i).contains(&j) && who == node && matches!(n, Note::Log(LogNote::Poll { .. })) && !self.has(Flaw::ForgetsPolls)
                })
            };
            let (stride, from) = match mine {
                Some((j, _, offset)) if !anew(*j) => {
                    (if polled(*j) { Property::NoPollSkip } else { Property::NoPollSkipWithin }, Some(*offset))
                }
                Some(_) | None => (Property::NoRebalanceSkip, all.iter().map(|(_, _, offset)| *offset).max()),
            };
            steps.extend(from.map(|from| Step { at: i, stride, group, log, from, to, payload }));
        }
        steps
    }

    fn find_put(&self) -> Vec<(usize, Part, u64, NodeId)> {
        let put = self.notes().filter_map(|(i, node, note)| {
            let Note::Log(LogNote::InTransaction { transaction, payload }) = note else { return None };
            let (called, op, producer) = *self.calls.get(&payload)?;
            let pending = self.ends.get(&payload).is_none_or(|(end, ..)| *end > i);
            let own = producer == node && pending;
            let in_log = self.names.objects.iter().any(|o| matches!(o.kind, ObjectKind::Log { topic, .. } if topic == op.object()));
            let ended = self.appended(None, payload).is_some_and(|at| at < i);
            let fits = called < i && if own { in_log } else { !ended };
            fits.then_some((i, (!own, payload), transaction, node))
        });
        put.collect()
    }

    pub(super) fn says(&self, property: Property) -> Says {
        let read = self.history.iter().any(|e| e.what == What::Phase(Phase::Final));
        let never = matches!(property, Property::NoLostWrite | Property::AllSeen | Property::WholeTransactions | Property::LatestPerKey);
        let (mut cases, examined) = match property {
            Property::NoLostWrite => self.lost(),
            Property::AllSeen => self.unseen(),
            Property::NoLogDuplicate => self.duplicates(),
            Property::ConsistentOffsets => self.inconsistent(),
            Property::NoPollSkip | Property::NoPollSkipWithin | Property::NoRebalanceSkip => self.skips(property),
            Property::MonotonicPolls => self.back(Property::NoPollSkip),
            Property::MonotonicWithinPoll => self.back(Property::NoPollSkipWithin),
            Property::NoRebalanceReread => self.back(Property::NoRebalanceSkip),
            Property::NoAbortedRead => self.aborted(),
            Property::NoPrecommittedRead => self.precommitted(),
            Property::WholeTransactions => self.torn(),
            Property::LatestPerKey => self.latest(),
            Property::AckedSurvives
            | Property::AckedDelivered
            | Property::NoDuplicateDelivery
            | Property::NoDuplicateEffect
            | Property::NoMissingEffect
            | Property::NothingUnexpected
            | Property::NothingCorrupted
            | Property::OrderGlobal
            | Property::OrderPerKey
            | Property::OrderPerProducer
            | Property::NoGaps
            | Property::FailedStaysFailed
            | Property::Drained => panic!("{property} is not about logs"),
        };
        cases.sort_unstable();
        match cases.first() {
            Some(_) if never && !read => Says::Unknown,
            Some((_, payload)) => Says::Broken(cases.len() as u64, examined, *payload),
            None if examined == 0 => Says::Unknown,
            None => Says::Holds(examined),
        }
    }

    fn time(&self, i: usize) -> u64 {
        self.history[i].at.nanos()
    }
    fn acknowledged_at(&self, topic: ObjectId, payload: PayloadId) -> u64 {
        self.acknowledged(topic, payload).map_or(Time::FAR.nanos(), |i| self.time(i))
    }
    /// Messages in topics with logs; what failed is not asked for again.
    fn messages(&self) -> Vec<(ObjectId, PayloadId)> {
        let all = self.births.keys().copied();
        let in_log = |topic| (0..self.names.objects.len()).any(|log| self.topic_of_log(ObjectId::at(log)) == Some(topic));
        all.filter(|(topic, p)| in_log(*topic) && !(self.is_own(*topic, *p) && self.failed(*p).is_some())).collect()
    }
    fn excused(&self, topic: ObjectId, payload: PayloadId) -> bool {
        let open: Vec<_> = self.groups(topic).into_iter().filter(|g| self.unread(*g, payload)).collect();
        open.iter()
            .any(|g| (self.held(*g, payload) && !self.has(Flaw::HeldIsLost)) || (self.left(*g, payload) && !self.has(Flaw::LeftIsLost)))
    }
    fn was_put(&self, payload: PayloadId) -> bool {
        self.put.iter().any(|(_, (_, p), ..)| *p == payload)
    }
    fn has_failed_before_read(&self, topic: ObjectId, payload: PayloadId, group: ObjectId) -> bool {
        self.is_own(topic, payload) && self.failed(payload).zip(self.first(group, payload)).is_some_and(|(f, r)| f < r)
    }

    fn lost(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let (mut cases, mut examined) = (Vec::new(), 0);
        let everything = self.births.keys().filter(|(topic, _)| !self.groups(*topic).is_empty());
        for (topic, payload) in everything.copied() {
            let groups = self.groups(topic);
            // What failed before it was read is not waited for.
            if groups.iter().any(|g| self.read(*g, payload) && !self.has_failed_before_read(topic, payload, *g))
                && (!self.has(Flaw::LostForOneGroup) || groups.iter().all(|g| !self.unread(*g, payload)))
            {
                examined += 1;
                continue;
            }
            if (self.is_own(topic, payload) && self.failed(payload).is_some()) || !groups.iter().any(|g| self.unread(*g, payload)) {
                continue;
            }
            let birth = self.births[&(topic, payload)];
            let here = |f: &&Fact| f.since >= birth && f.payload == payload && self.topic_of_log(f.place.log) == Some(topic);
            let Some(fact) = self.facts.iter().find(here) else { continue };
            let beyond = self.notes().any(|(_, _, n)| {
                matches!(n, Note::Deliver { group, place: Some(place), .. }
                    if place.log == fact.place.log && place.offset >= fact.place.offset && self.topic_of_group(group) == Some(topic))
            });
            let there = self.acknowledged(topic, payload).is_some() || !self.was_put(payload) || self.has(Flaw::OpenIsLost);
            if (beyond || self.has(Flaw::LostAnywhere)) && there {
                examined += 1;
                if !self.excused(topic, payload) {
                    cases.push((self.acknowledged_at(topic, payload), payload));
                }
            }
        }
        (cases, examined)
    }

    fn unseen(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let (mut cases, mut examined) = (Vec::new(), 0);
        for (topic, payload) in self.messages() {
            let groups = self.groups(topic);
            if self.acknowledged(topic, payload).is_none() {
                continue;
            }
            let read = groups.iter().any(|g| self.read(*g, payload));
            examined += u64::from(read || groups.iter().any(|g| self.unread(*g, payload)));
            if !read && groups.iter().any(|g| self.unread(*g, payload)) && !self.excused(topic, payload) {
                cases.push((self.acknowledged_at(topic, payload), payload));
            }
        }
        (cases, examined)
    }

    fn duplicates(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let same = |a: Place, b: Place| {
            if self.has(Flaw::DuplicateInOneLog) { a.log == b.log } else { self.topic_of_log(a.log) == self.topic_of_log(b.log) }
        };
        let before = |f: &&Fact| self.facts.iter().any(|g| g.since < f.since && g.payload == f.payload && same(g.place, f.place));
        let cases = self.facts.iter().filter(before).map(|f| (f.since as u64, f.payload)).collect();
        (cases, self.facts.len() as u64)
    }

    fn inconsistent(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let before = |f: &Fact| self.facts.iter().filter(|g| g.since < f.since && g.place == f.place).count();
        let second = self.facts.iter().filter(|f| before(f) == 1).map(|f| (f.since as u64, f.payload)).collect();
        (second, self.facts.iter().map(|f| f.place).collect::<BTreeSet<_>>().len() as u64)
    }

    fn back(&self, stride: Property) -> (Vec<(u64, PayloadId)>, u64) {
        let steps: Vec<_> = self.steps.iter().filter(|s| s.stride == stride).collect();
        let cases = steps.iter().filter(|s| s.to <= s.from).map(|s| (s.at as u64, s.payload)).collect();
        (cases, steps.len() as u64)
    }

    fn skips(&self, stride: Property) -> (Vec<(u64, PayloadId)>, u64) {
        let forward: Vec<_> = self.steps.iter().filter(|s| s.stride == stride && s.to > s.from).collect();
        let mut passed: BTreeMap<(ObjectId, Place), u64> = BTreeMap::new();
        for step in &forward {
            for offset in step.from + 1..step.to {
                let time = self.time(step.at);
                let first = passed.entry((step.group, Place { log: step.log, offset })).or_insert(time);
                *first = time.min(*first);
            }
        }
        let (mut cases, mut examined) = (Vec::new(), forward.len() as u64);
        for ((group, place), time) in passed {
            let here: Vec<_> = self.facts.iter().filter(|f| f.place == place).map(|f| f.payload).collect();
            examined += u64::from(!here.is_empty());
            if here.is_empty() && self.has(Flaw::GapsAreSkips) {
                cases.push((time, PayloadId(0)));
            }
            let missed = here.into_iter().find(|p| self.should_be_given(*p, group, place));
            cases.extend(missed.map(|p| (time, p)));
        }
        (cases, examined)
    }

    fn should_be_given(&self, payload: PayloadId, group: ObjectId, place: Place) -> bool {
        let topic = self.topic_of_log(place.log).expect("a log");
        let expired = |p: PayloadId| self.groups(topic).into_iter().any(|g| self.settled(g, p, &[Settlement::Expired]));
        let mut above = self.facts.iter().filter(|f| f.place.log == place.log && f.place.offset >= place.offset);
        let below_expired = above.any(|f| expired(f.payload)) && !self.has(Flaw::BelowExpiredIsSkipped);
        let given = self.first(group, payload).is_some();
        let failed = self.is_own(topic, payload) && self.failed(payload).is_some() && !self.has(Flaw::FailedIsSkipped);
        let open = self.was_put(payload) && self.acknowledged(topic, payload).is_none() && !given && !self.has(Flaw::OpenIsSkipped);
        let compacted = self.is_compacted(place.log) && given && !self.has(Flaw::CompactedIsSkipped);
        let left = self.left(group, payload) && !self.has(Flaw::LeftIsSkipped);
        !(left || below_expired || failed || open || compacted)
    }

    fn aborted(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let firsts: Vec<_> = self.firsts.iter().map(|((group, payload), i)| (*group, *payload, *i)).collect();
        let mut cases = Vec::new();
        let mut once = BTreeSet::new();
        for (group, payload, i) in &firsts {
            let own = self.topic_of_group(*group).is_some_and(|topic| self.is_own(topic, *payload));
            if let Some(failed) = self.failed(*payload).filter(|failed| own && (failed < i || !self.has(Flaw::AbortedOnlyAfterwards)))
                && (once.insert(*payload) || !self.has(Flaw::AbortedOnce))
            {
                cases.push((failed.max(*i) as u64, *payload));
            }
        }
        (cases, firsts.len() as u64)
    }

    fn precommitted(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let (mut cases, mut examined) = (Vec::new(), 0);
        for (i, node, note) in self.notes() {
            let Note::Deliver { group, payload, .. } = note else { continue };
            let Some(topic) = self.topic_of_group(group) else { continue };
            examined += u64::from(self.put.iter().any(|(at, (_, p), ..)| *at < i && *p == payload));
            let part = (!self.is_own(topic, payload), payload);
            let Some((_, _, _, writer)) = self.put.iter().rfind(|(at, p, ..)| *at < i && *p == part) else { continue };
            let ended = if part.0 { self.appended(None, payload) } else { self.ends.get(&payload).map(|(at, ..)| *at) };
            let ended = ended.is_some_and(|at| at < i) && !self.has(Flaw::PrecommittedForEver);
            if !ended && (*writer == node || self.has(Flaw::PrecommittedForAll)) {
                cases.push((i as u64, payload));
            }
        }
        (cases, examined)
    }

    fn torn(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let mut last: BTreeMap<Part, u64> = BTreeMap::new();
        for (_, part, number, _) in &self.put {
            last.insert(*part, *number);
        }
        let mut transactions: BTreeMap<u64, Vec<(ObjectId, PayloadId)>> = BTreeMap::new();
        for ((carried, payload), number) in last {
            let places = self.births.keys().filter(|(topic, p)| *p == payload && self.is_own(*topic, *p) != carried);
            let fits = |(topic, p): &&(ObjectId, PayloadId)| {
                !self.groups(*topic).is_empty() && (carried || self.failed(*p).is_none() || self.has(Flaw::FailedIsTorn))
            };
            transactions.entry(number).or_default().extend(places.filter(fits));
        }
        let (mut cases, mut examined) = (Vec::new(), 0);
        for parts in transactions.values() {
            let ok = parts.iter().any(|(topic, p)| self.acknowledged(*topic, *p).is_some());
            let given = |group: ObjectId, p: PayloadId| self.first(group, p).is_some();
            let seen = parts.iter().any(|(topic, p)| self.groups(*topic).into_iter().any(|g| given(g, *p)));
            if !ok && !seen {
                continue;
            }
            examined += 1;
            let mut torn = Vec::new();
            for (topic, payload) in parts {
                for group in self.groups(*topic) {
                    let some = parts.iter().any(|(at, other)| at == topic && given(group, *other));
                    let missing = self.unread(group, *payload) && !self.held(group, *payload) && !self.left(group, *payload);
                    if missing && (some || (ok && !self.has(Flaw::TornOnlyWhenSeen))) {
                        torn.push((self.acknowledged_at(*topic, *payload), *payload));
                    }
                }
            }
            cases.extend(torn.into_iter().min());
        }
        (cases, examined)
    }

    fn key(&self, payload: PayloadId) -> Option<u32> {
        self.calls.get(&payload).map(|(_, op, _)| op.key().0)
    }

    fn latest(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let logs = (0..self.names.objects.len()).map(ObjectId::at).filter(|log| self.is_compacted(*log));
        let all: Vec<_> = logs.map(|log| self.latest_of(log)).collect();
        (all.iter().flat_map(|(cases, _)| cases.clone()).collect(), all.iter().map(|(_, examined)| examined).sum())
    }

    /// Acknowledged places of a log, in the order of acknowledgements.
    fn told(&self, log: ObjectId) -> Vec<(u64, PayloadId)> {
        let topic = self.topic_of_log(log).expect("a log");
        let told = self.history.iter().enumerate().filter_map(|(i, entry)| {
            if let What::End { what, end: End::Ok, place: Some(place), .. } = entry.what {
                let first = self.ends.get(&what.payload()).is_some_and(|(at, ..)| *at == i);
                (first && place.log == log && what.object() == topic).then_some((place.offset, what.payload()))
            } else if let What::Note(Note::Log(LogNote::Appended { payload, place })) = entry.what {
                (place.log == log && self.called_before(payload, i)).then_some((place.offset, payload))
            } else {
                None
            }
        });
        told.collect()
    }

    fn latest_of(&self, log: ObjectId) -> (Vec<(u64, PayloadId)>, u64) {
        let topic = self.topic_of_log(log).expect("a log");
        let (mut cases, mut examined) = (Vec::new(), 0);
        let mut latest: BTreeMap<u32, (u64, PayloadId)> = BTreeMap::new();
        for (offset, payload) in self.told(log) {
            let best = latest.entry(self.key(payload).expect("it was called")).or_insert((offset, payload));
            if offset > best.0 || self.has(Flaw::LatestByTime) {
                *best = (offset, payload);
            }
        }
        for (_, payload) in latest.values() {
            for group in self.groups(topic) {
                let given = self.first(group, *payload).is_some();
                let unread = self.unread(group, *payload) && !(self.is_own(topic, *payload) && self.failed(*payload).is_some());
                examined += u64::from(given || unread);
                if unread && !self.held(group, *payload) && !self.left(group, *payload) {
                    cases.push((0, *payload));
                }
            }
        }
        for fact in self.facts.iter().filter(|f| f.place.log == log) {
            let gone = self.groups(topic).into_iter().any(|g| self.settled(g, fact.payload, &[Settlement::Superseded]));
            let Some(key) = self.key(fact.payload).filter(|_| gone) else { continue };
            examined += 1;
            let of_key = |p: PayloadId, since: usize| self.key(p) == Some(key) && self.called_before(p, since);
            let later = self.facts.iter().any(|f| f.place.log == log && f.place.offset > fact.place.offset && of_key(f.payload, f.since));
            let open = |p: &PayloadId| {
                let pending = if self.is_own(topic, *p) { !self.ends.contains_key(p) } else { true };
                self.acknowledged(topic, *p).is_none() && (pending || self.groups(topic).into_iter().any(|g| self.unread(g, *p)))
            };
            let doubt = self.messages().iter().any(|(at, p)| *at == topic && self.key(*p) == Some(key) && open(p));
            let fine = later || (doubt && !self.has(Flaw::ForgetsDoubt)) || self.has(Flaw::SupersededUnchecked);
            if !fine {
                cases.push((0, fact.payload));
            }
        }
        (cases, examined)
    }
}
