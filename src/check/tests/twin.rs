//! The twin of the judges: every property evaluated over the whole history, naively, straight from its definition.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{KeyId, NodeId, ObjectId, PayloadId, Time};
use crate::check::{Accounting, GroupAccounting, JudgeConfig, Property};
use crate::record::{End, Entry, Names, Note, ObjectKind, Phase, Settlement, What};

/// What the twin says of a property.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Says {
    Unknown,
    Holds(u64),
    /// Cases, examined, and the payload of the earliest case.
    Broken(u64, u64, PayloadId),
}

/// A message as its publish tells it.
#[derive(Clone, Copy, Debug)]
struct Message {
    payload: PayloadId,
    to: ObjectId,
    key: KeyId,
    producer: NodeId,
    called: usize,
    /// Where in the history it ended, and how.
    ended: Option<(usize, End)>,
}

pub(super) struct Twin<'a> {
    names: &'a Names,
    config: JudgeConfig,
    history: &'a [Entry],
    messages: Vec<Message>,
    malformed: u64,
    notes: Vec<(usize, Note)>,
    /// What `arrivals` finds, so that it need not look for it again.
    arrived: BTreeMap<(ObjectId, PayloadId), Vec<(usize, bool)>>,
}

impl<'a> Twin<'a> {
    pub(super) fn new(names: &'a Names, config: JudgeConfig, history: &'a [Entry]) -> Self {
        let (mut messages, mut malformed) = (Vec::<Message>::new(), 0);
        for (i, entry) in history.iter().enumerate() {
            match entry.what {
                What::Call { what, .. } => {
                    let message = Message {
                        payload: what.payload(),
                        to: what.object(),
                        key: what.key(),
                        producer: entry.node,
                        called: i,
                        ended: None,
                    };
                    let known = messages.iter().any(|m| m.payload == message.payload);
                    if known { malformed += 1 } else { messages.push(message) }
                }
                What::End { what, end, .. } => match messages.iter_mut().find(|m| m.payload == what.payload() && m.ended.is_none()) {
                    Some(message) => message.ended = Some((i, end)),
                    None => malformed += 1,
                },
                What::Note(Note::Settle { payload, .. } | Note::Held { payload, .. }) => {
                    malformed += u64::from(!messages.iter().any(|m| m.payload == payload));
                }
                What::Note(Note::Subscribe { group } | Note::Unsubscribe { group }) => {
                    malformed += u64::from(!matches!(names.object(group).kind, ObjectKind::Subscription { .. }));
                }
                What::Note(_) | What::Skipped { .. } | What::Phase(_) | What::Fault { .. } => {}
            }
        }
        let notes =
            history.iter().enumerate().filter_map(|(i, e)| if let What::Note(note) = e.what { Some((i, note)) } else { None }).collect();
        let mut twin = Twin { names, config, history, messages, malformed, notes, arrived: BTreeMap::new() };
        let pairs = twin.messages.iter().flat_map(|m| twin.groups().map(move |g| (g, m.payload)));
        twin.arrived = pairs.map(|(g, p)| ((g, p), twin.find_arrivals(g, p))).collect();
        twin
    }

    fn groups(&self) -> impl Iterator<Item = ObjectId> + use<> {
        (0..self.names.objects.len()).map(ObjectId::at)
    }
    fn kind(&self, group: ObjectId) -> ObjectKind {
        self.names.object(group).kind
    }
    fn is_owed(&self, group: ObjectId) -> bool {
        !matches!(self.kind(group), ObjectKind::Topic | ObjectKind::DeadLetters)
    }
    fn notes(&self) -> impl Iterator<Item = (usize, Note)> {
        self.notes.iter().copied()
    }
    fn message(&self, payload: PayloadId) -> Option<&Message> {
        self.messages.iter().find(|m| m.payload == payload)
    }
    fn called_before(&self, payload: PayloadId, at: usize) -> Option<&Message> {
        self.message(payload).filter(|m| m.called < at)
    }
    fn is(&self, m: &Message, ok: bool) -> bool {
        matches!((m.ended, ok), (Some((_, End::Ok)), true) | (Some((_, End::Failed(_))), false))
    }

    /// Whether a group is entitled just before an entry.
    fn subscribed(&self, group: ObjectId, at: usize) -> bool {
        if !matches!(self.kind(group), ObjectKind::Subscription { .. }) {
            return self.is_owed(group);
        }
        let last = self
            .notes()
            .filter(|(i, n)| *i < at && matches!(n, Note::Subscribe { group: g } | Note::Unsubscribe { group: g } if *g == group))
            .last();
        matches!(last, Some((_, Note::Subscribe { .. })))
    }
    /// The group was entitled when the message was sent, and ever since until an entry.
    fn pair(&self, m: &Message, group: ObjectId, until: usize) -> bool {
        let lasting = !matches!(self.kind(group), ObjectKind::Subscription { .. });
        let left = |n: &Note| !lasting && matches!(n, Note::Unsubscribe { group: g } if *g == group);
        let sent_there = self.names.groups_of(m.to).any(|g| g == group);
        sent_there && self.subscribed(group, m.called) && !self.notes().any(|(i, n)| (m.called..until).contains(&i) && left(&n))
    }

    /// Whether a delivery or effect may be there.
    fn entitled(&self, group: ObjectId, payload: PayloadId, at: usize) -> bool {
        let Some(m) = self.called_before(payload, at) else { return false };
        match self.kind(group) {
            ObjectKind::Queue | ObjectKind::Service => m.to == group,
            ObjectKind::Subscription { topic } => {
                let left_later = |(i, n): (usize, Note)| {
                    (m.called..at).contains(&i) && matches!(n, Note::Unsubscribe { group: g } if g == group) && self.subscribed(group, i)
                };
                m.to == topic && (self.subscribed(group, at) || self.notes().any(left_later))
            }
            ObjectKind::DeadLetters => m.to == group || self.settled_by_any(payload, at),
            ObjectKind::Topic | ObjectKind::Log { .. } => false,
        }
    }
    fn settled_by_any(&self, payload: PayloadId, before: usize) -> bool {
        self.notes().any(|(i, n)| {
            i < before
                && matches!(n, Note::Settle { payload: p, how: Settlement::DeadLettered, .. } if p == payload)
                && self.called_before(payload, i).is_some()
        })
    }
    fn settled(&self, group: ObjectId, payload: PayloadId, by: Settlement) -> bool {
        self.notes().any(|(i, n)| {
            matches!(n, Note::Settle { group: g, payload: p, how } if (g, p, how) == (group, payload, by))
                && self.called_before(payload, i).is_some()
        })
    }
    fn held(&self, group: ObjectId, payload: PayloadId) -> bool {
        self.notes().any(|(i, n)| {
            matches!(n, Note::Held { group: g, payload: p } if (g, p) == (group, payload)) && self.called_before(payload, i).is_some()
        })
    }

    /// Expected deliveries of a message to a group: where, and whether intact.
    fn deliveries(&self, group: ObjectId, payload: PayloadId) -> Vec<(usize, bool)> {
        let found = self.notes().filter_map(|(i, n)| {
            let Note::Deliver { group: g, payload: p, intact, .. } = n else { return None };
            ((g, p) == (group, payload) && self.entitled(g, p, i)).then_some((i, intact))
        });
        found.collect()
    }
    fn effects(&self, group: ObjectId, payload: PayloadId) -> Vec<usize> {
        let found = self.notes().filter(
            |(i, n)| matches!(n, Note::Effect { group: g, payload: p } if (*g, *p) == (group, payload) && self.entitled(*g, *p, *i)),
        );
        found.map(|(i, _)| i).collect()
    }
    /// Deliveries, and at a service the first effect when nothing was delivered before it.
    fn find_arrivals(&self, group: ObjectId, payload: PayloadId) -> Vec<(usize, bool)> {
        let mut all = self.deliveries(group, payload);
        if let (ObjectKind::Service, Some(effect)) = (self.kind(group), self.effects(group, payload).first())
            && all.first().is_none_or(|(i, _)| effect < i)
        {
            all.insert(0, (*effect, true));
        }
        all
    }
    fn arrivals(&self, group: ObjectId, payload: PayloadId) -> &[(usize, bool)] {
        self.arrived.get(&(group, payload)).map_or(&[], Vec::as_slice)
    }
    fn first(&self, group: ObjectId, payload: PayloadId) -> Option<usize> {
        self.arrivals(group, payload).first().map(|(i, _)| *i)
    }
    fn intact(&self, group: ObjectId, payload: PayloadId) -> Option<usize> {
        self.arrivals(group, payload).iter().find(|(_, intact)| *intact).map(|(i, _)| *i)
    }

    /// Pairs of acknowledged messages that are owed at the end or have been served.
    fn owed(&self) -> Vec<(&Message, ObjectId)> {
        let all = self.messages.iter().filter(|m| self.is(m, true)).flat_map(|m| self.groups().map(move |g| (m, g)));
        let served = |m: &Message, g| self.intact(g, m.payload).is_some_and(|i| self.pair(m, g, i));
        all.filter(|(m, g)| served(m, *g) || self.pair(m, *g, self.history.len())).collect()
    }
    fn time(&self, i: usize) -> Time {
        self.history[i].at
    }
    fn ended_at(&self, m: &Message) -> Time {
        self.time(m.ended.expect("it ended").0)
    }

    pub(super) fn says(&self, property: Property) -> Says {
        let read = self.history.iter().any(|e| e.what == What::Phase(Phase::Final));
        let (mut cases, examined) = match property {
            Property::AckedSurvives => self.at_end(|m, g| self.survived(m, g)),
            Property::AckedDelivered => self.at_end(|m, g| {
                self.intact(g, m.payload).is_some() || self.settled(g, m.payload, Settlement::DeadLettered) || self.held(g, m.payload)
            }),
            Property::NoGaps => self.at_end(|m, g| self.first(g, m.payload).is_some() || self.held(g, m.payload) || !self.followed(m, g)),
            Property::NoDuplicateDelivery => self.repeated_deliveries(),
            Property::NoDuplicateEffect => self.repeated_effects(),
            Property::NoMissingEffect => self.missing_effects(),
            Property::NothingUnexpected => self.unexpected(),
            Property::NothingCorrupted => self.corrupted(),
            Property::OrderGlobal => self.order(|_, _| true, |a, b, at| self.precedes(a, b, at)),
            Property::OrderPerKey => self.order(|a, b| a.key == b.key, |a, b, at| self.precedes(a, b, at)),
            Property::OrderPerProducer => self.order(|a, b| a.producer == b.producer, |a, b, _| a.called < b.called),
            Property::FailedStaysFailed => self.failed(),
            Property::Drained => self.drained(),
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
            | Property::LatestPerKey => panic!("{property} has a twin of its own"),
        };
        cases.sort_unstable();
        let late = matches!(property, Property::AckedSurvives | Property::AckedDelivered | Property::NoGaps | Property::NoMissingEffect);
        let stuck_operation = self.messages.iter().any(|m| self.is_stuck(m));
        match cases.first() {
            Some(_) if late && !read => Says::Unknown,
            _ if property == Property::Drained && !read && !stuck_operation => Says::Unknown,
            Some((_, payload)) => Says::Broken(cases.len() as u64, examined, *payload),
            None if examined == 0 => Says::Unknown,
            None => Says::Holds(examined),
        }
    }

    fn at_end(&self, fine: impl Fn(&Message, ObjectId) -> bool) -> (Vec<(u64, PayloadId)>, u64) {
        let owed = self.owed();
        let bad = owed.iter().filter(|(m, g)| !fine(m, *g)).map(|(m, _)| (self.ended_at(m).nanos(), m.payload)).collect();
        (bad, owed.len() as u64)
    }
    fn survived(&self, m: &Message, g: ObjectId) -> bool {
        let ways = [Settlement::DeadLettered, Settlement::Expired, Settlement::Dropped, Settlement::Superseded];
        let left = ways.into_iter().any(|how| self.settled(g, m.payload, how));
        self.first(g, m.payload).is_some() || left || self.held(g, m.payload)
    }
    fn followed(&self, a: &Message, g: ObjectId) -> bool {
        self.messages.iter().any(|b| (b.producer, b.key) == (a.producer, a.key) && b.called > a.called && self.takes_part(b, g).is_some())
    }

    /// Where a message arrived first at a group, if it takes part in the group's order.
    fn takes_part(&self, m: &Message, g: ObjectId) -> Option<usize> {
        let first = self.first(g, m.payload)?;
        let failed = matches!(m.ended, Some((i, End::Failed(_))) if i < first);
        (self.pair(m, g, first) && !failed).then_some(first)
    }
    /// The publish of a had ended when a arrived, strictly before b's was invoked.
    fn precedes(&self, a: &Message, b: &Message, at: usize) -> bool {
        a.ended.is_some_and(|(i, _)| i < at && self.time(i) < self.time(b.called))
    }
    fn order(
        &self,
        scope: impl Fn(&Message, &Message) -> bool,
        before: impl Fn(&Message, &Message, usize) -> bool,
    ) -> (Vec<(u64, PayloadId)>, u64) {
        let (mut cases, mut examined) = (Vec::new(), 0);
        for group in self.groups() {
            for a in &self.messages {
                let Some(at) = self.takes_part(a, group) else { continue };
                let earlier = |b: &&Message| b.payload != a.payload && scope(a, b) && self.takes_part(b, group).is_some_and(|i| i < at);
                examined += u64::from(self.messages.iter().any(|b| earlier(&b)));
                if self.messages.iter().any(|b| earlier(&b) && before(a, b, at)) {
                    cases.push((at as u64, a.payload));
                }
            }
        }
        (cases, examined)
    }

    fn count(&self, what: impl Fn(usize, Note) -> Option<PayloadId>) -> Vec<(u64, PayloadId)> {
        self.notes().filter_map(|(i, n)| what(i, n).map(|p| (i as u64, p))).collect()
    }
    fn total(&self, what: impl Fn(Note) -> bool) -> u64 {
        self.notes().filter(|(_, n)| what(*n)).count() as u64
    }
    fn repeated_deliveries(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let again = |i, n| {
            let Note::Deliver { group, payload, .. } = n else { return None };
            (self.entitled(group, payload, i) && self.first(group, payload) != Some(i)).then_some(payload)
        };
        (self.count(again), self.total(|n| matches!(n, Note::Deliver { .. })))
    }
    fn repeated_effects(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let again = |i, n| {
            let Note::Effect { group, payload } = n else { return None };
            self.effects(group, payload).iter().skip(1).any(|e| *e == i).then_some(payload)
        };
        (self.count(again), self.total(|n| matches!(n, Note::Effect { .. })))
    }
    fn unexpected(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let wrong = |i, n| {
            let (Note::Deliver { group, payload, .. } | Note::Effect { group, payload }) = n else { return None };
            (!self.entitled(group, payload, i)).then_some(payload)
        };
        (self.count(wrong), self.total(|n| matches!(n, Note::Deliver { .. } | Note::Effect { .. })))
    }
    fn corrupted(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let damaged = |_, n| if let Note::Deliver { payload, intact: false, .. } = n { Some(payload) } else { None };
        (self.count(damaged), self.total(|n| matches!(n, Note::Deliver { .. })))
    }
    fn missing_effects(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let (mut cases, mut examined) = (Vec::new(), 0);
        let records = |g| self.total(|n| matches!(n, Note::Effect { group, .. } if group == g)) > 0;
        for group in self.groups().filter(|g| self.is_owed(*g) && records(*g)) {
            for m in &self.messages {
                let Some(at) = self.intact(group, m.payload) else { continue };
                let applied = !self.effects(group, m.payload).is_empty();
                let open = self.held(group, m.payload) || self.settled(group, m.payload, Settlement::DeadLettered);
                examined += u64::from(applied || !open);
                if !applied && !open {
                    cases.push((self.time(at).nanos(), m.payload));
                }
            }
        }
        (cases, examined)
    }
    /// Where a message was first delivered or applied, expected or not.
    fn happened(&self, m: &Message) -> Option<usize> {
        let any = |(i, n): &(usize, Note)| {
            *i > m.called && matches!(n, Note::Deliver { payload, .. } | Note::Effect { payload, .. } if *payload == m.payload)
        };
        self.notes().find(any).map(|(i, _)| i)
    }
    fn failed(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let failed: Vec<_> = self.messages.iter().filter(|m| self.is(m, false)).collect();
        let certain = |m: &&&Message| Some((self.happened(m)?.max(m.ended?.0) as u64, m.payload));
        (failed.iter().filter_map(|m| certain(&m)).collect(), failed.len() as u64)
    }
    fn is_stuck(&self, m: &Message) -> bool {
        m.ended.is_none() && self.time(m.called) >= self.config.heal_start
    }
    fn drained(&self) -> (Vec<(u64, PayloadId)>, u64) {
        let mut cases: Vec<_> = self.messages.iter().filter(|m| self.is_stuck(m)).map(|m| (0, m.payload)).collect();
        let mut examined = self.messages.len() as u64;
        for group in self.groups().filter(|g| self.is_owed(*g)) {
            let effects = self.total(|n| matches!(n, Note::Effect { group: g, .. } if g == group)) > 0;
            for m in self.messages.iter().filter(|m| self.held(group, m.payload)) {
                examined += 1;
                let done = self.intact(group, m.payload).is_some() && (!effects || !self.effects(group, m.payload).is_empty());
                if !done && self.subscribed(group, self.history.len()) {
                    cases.push((0, m.payload));
                }
            }
        }
        (cases, examined)
    }

    pub(super) fn accounting(&self) -> Accounting {
        let ended = |wanted: fn(End) -> bool| self.messages.iter().filter(|m| m.ended.is_some_and(|(_, e)| wanted(e))).count() as u64;
        let maybe: Vec<_> = self.messages.iter().filter(|m| !self.is(m, true) && !self.is(m, false)).collect();
        let repeated = [self.repeated_deliveries().0, self.repeated_effects().0, self.unexpected().0, self.corrupted().0];
        let rows: Vec<_> = self.groups().map(|g| self.row(g, &repeated)).collect();
        let sum = |of: fn(&GroupAccounting) -> u64| rows.iter().map(of).sum::<u64>();
        let lost: BTreeSet<_> = self.owed().into_iter().filter(|(m, g)| self.is_lost(m, *g)).map(|(m, _)| m.payload).collect();
        Accounting {
            attempts: self.messages.len() as u64,
            ok: ended(|e| e == End::Ok),
            failed: ended(|e| matches!(e, End::Failed(_))),
            unknown: ended(|e| matches!(e, End::Unknown(_))),
            pending: self.messages.iter().filter(|m| m.ended.is_none()).count() as u64,
            skipped: self.history.iter().filter(|e| matches!(e.what, What::Skipped { .. })).count() as u64,
            delivered: self.messages.iter().filter(|m| self.happened(m).is_some()).count() as u64,
            deliveries: sum(|r| r.deliveries),
            redelivered: sum(|r| r.redelivered),
            duplicates: sum(|r| r.duplicates),
            effects: sum(|r| r.effects),
            duplicate_effects: sum(|r| r.duplicate_effects),
            lost: lost.len() as u64,
            recovered: maybe.iter().filter(|m| self.happened(m).is_some()).count() as u64,
            unknown_not_happened: maybe.iter().filter(|m| self.happened(m).is_none()).count() as u64,
            unexpected: sum(|r| r.unexpected),
            corrupted: sum(|r| r.corrupted),
            dead_lettered: sum(|r| r.dead_lettered),
            expired: sum(|r| r.expired),
            dropped: sum(|r| r.dropped),
            superseded: sum(|r| r.superseded),
            acknowledged: sum(|r| r.acknowledged),
            returned: sum(|r| r.returned),
            held: rows.iter().filter(|r| self.is_owed(r.group)).map(|r| r.held).sum(),
            malformed: self.malformed,
            groups: rows
                .into_iter()
                .filter(|r| *r != GroupAccounting { group: r.group, name: r.name.clone(), ..GroupAccounting::default() })
                .collect(),
        }
    }
    fn is_lost(&self, m: &Message, g: ObjectId) -> bool {
        !self.survived(m, g)
    }

    fn row(&self, group: ObjectId, [repeated, again, unexpected, corrupted]: &[Vec<(u64, PayloadId)>; 4]) -> GroupAccounting {
        let of = |cases: &[(u64, PayloadId)]| {
            let here = |i: u64| matches!(self.history[usize::try_from(i).expect("small")].what, What::Note(Note::Deliver { group: g, .. } | Note::Effect { group: g, .. }) if g == group);
            cases.iter().filter(|(i, _)| here(*i)).count() as u64
        };
        let settlements = |by| {
            self.notes().filter(|(i, n)| matches!(n, Note::Settle { group: g, payload: p, how } if *g == group && *how == by && self.called_before(*p, *i).is_some())).count() as u64
        };
        GroupAccounting {
            group,
            name: self.names.object(group).name.clone(),
            delivered: self.messages.iter().filter(|m| self.first(group, m.payload).is_some()).count() as u64,
            deliveries: self.total(|n| matches!(n, Note::Deliver { group: g, .. } if g == group)),
            redelivered: self.total(|n| matches!(n, Note::Deliver { group: g, redelivered: true, .. } if g == group)),
            duplicates: of(repeated),
            effects: self.total(|n| matches!(n, Note::Effect { group: g, .. } if g == group)),
            duplicate_effects: of(again),
            lost: self.owed().into_iter().filter(|(m, g)| *g == group && self.is_lost(m, *g)).count() as u64,
            unexpected: of(unexpected),
            corrupted: of(corrupted),
            dead_lettered: settlements(Settlement::DeadLettered),
            expired: settlements(Settlement::Expired),
            dropped: settlements(Settlement::Dropped),
            superseded: settlements(Settlement::Superseded),
            acknowledged: settlements(Settlement::Acknowledged),
            returned: settlements(Settlement::Returned),
            held: self.messages.iter().filter(|m| self.held(group, m.payload)).count() as u64,
        }
    }
}
