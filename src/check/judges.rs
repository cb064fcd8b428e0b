//! Judges: one pass over the history of a run, in order of time, with bits for what is settled and entries for what is not.
//!
//! # How each property is decided
//!
//! A *pair* is a message and a group that it was sent to while the group was entitled: a queue or service always is, a
//! subscription when it was subscribed as the publish was invoked, for as long as it stays so. *Arrived* means delivered; at
//! a service, where the effect is the thing that happens, an effect without a delivery arrives as well. *Owed* pairs are those of
//! messages that ended `Ok`; a subscription that unsubscribes releases what has not arrived.
//!
//! | property | broken by | out of |
//! |---|---|---|
//! | acked_survives | an owed pair that never arrived (damaged counts as arrived: the broker handed it on), was not moved, expired, dropped or superseded, and is not held | owed pairs |
//! | acked_delivered | an owed pair that never arrived intact, was not moved to dead letters, is not held, and was not superseded by a later message of its key that is known in its log (or may be there unknown to its producer) | owed pairs |
//! | no_duplicate_delivery | every delivery beyond the first of a message to a group, whoever caused it (a message given back is delivered twice) | deliveries |
//! | no_duplicate_effect | every effect beyond the first of a message for a group | effects |
//! | no_missing_effect | a message that arrived intact at a group that records effects, took none, was not moved to dead letters, and is not held | such messages with a decided effect |
//! | nothing_unexpected | a delivery or effect of what had not been sent to the group's object by then, or, for a subscription, was published only after it had unsubscribed; at dead letters, of what had not been moved there. What was read somewhere may be carried on by its reader, to a topic with logs | deliveries and effects |
//! | nothing_corrupted | every damaged delivery | deliveries |
//! | order_global | a pair whose first arrival came after that of a pair whose publish was invoked strictly later than this one's ended `Ok` or `Unknown` | first arrivals with something to compare |
//! | order_per_key | the same among one key | the same |
//! | order_per_producer | a pair whose first arrival came after that of a pair that the same producer invoked later (program order, ended or not) | the same |
//! | no_gaps | an owed pair that never arrived, is not held and was not superseded in that way, while a message that the same producer invoked later with the same key arrived at the group | owed pairs |
//! | failed_stays_failed | a message that was reported as failed and was delivered or applied anywhere, before or after | failed messages |
//! | drained | an operation invoked after healing began that has no end; a held message that never arrived intact at its (still entitled) group, or arrived at one that records effects and took none | attempts and held messages |
//!
//! Runs with logs are judged by the [properties of logs](Property::LOG) besides; `log` says how.
//!
//! What has been reported as failed takes no part in order from then on. Messages of the warm phase count for all of these: safety
//! is judged over the whole run. What depends on "never" is decided at the end, and only when the history has a final read.

use std::sync::Arc;

use crate::base::{NodeId, ObjectId, Span, Time};
use crate::record::{End, Entry, Names, Op, Phase, What};

use super::Property;
use super::bits::Plane;
use super::group::{Entitled, Group};
use super::judged::{Accounting, Figures};
use super::log::{Known, Logs, Malformed};
use super::measure::{Count, Spread, Timeline};
use super::table::Table;
use super::tell::{Cases, failed_but_happened};

/// Where the phases of a run lie, and how finely it is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JudgeConfig {
    /// The finest width of a bucket of the time series; it doubles until the planned run has at most 240 buckets, and again
    /// whenever the run outgrows them. Not zero.
    pub window: Span,
    /// When the chaos phase begins: figures count from here on.
    pub chaos_start: Time,
    /// When all faults are lifted: what is invoked from here on must end.
    pub heal_start: Time,
    /// When the load ends: figures count until here.
    pub drain_start: Time,
    /// When the run is planned to end: runs of one plan get buckets of one width, however early they stop.
    pub end: Time,
}

/// The groups of a message that it has not arrived at intact, by their place among the groups of its object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Mask {
    Few(u64),
    Many(Box<[u64]>),
}

impl Default for Mask {
    fn default() -> Self {
        Mask::Few(0)
    }
}

impl Mask {
    pub(super) fn none(lanes: usize) -> Mask {
        if lanes <= 64 { Mask::Few(0) } else { Mask::Many(vec![0; lanes.div_ceil(64)].into()) }
    }
    fn word(&mut self, lane: usize) -> (&mut u64, u64) {
        match self {
            Mask::Few(word) => (word, 1 << lane),
            Mask::Many(words) => (&mut words[lane / 64], 1 << (lane % 64)),
        }
    }
    #[inline]
    pub(super) fn has(&self, lane: usize) -> bool {
        match self {
            Mask::Few(word) => word >> lane & 1 == 1,
            Mask::Many(words) => words[lane / 64] >> (lane % 64) & 1 == 1,
        }
    }
    pub(super) fn set(&mut self, lane: usize) {
        let (word, bit) = self.word(lane);
        *word |= bit;
    }
    pub(super) fn clear(&mut self, lane: usize) {
        let (word, bit) = self.word(lane);
        *word &= !bit;
    }
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Mask::Few(word) => *word == 0,
            Mask::Many(words) => words.iter().all(|w| *w == 0),
        }
    }
}

/// How far an operation is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Standing {
    #[default]
    Pending,
    Ok,
    Unknown,
}

/// A message that is outstanding: its operation has not ended, or it has not arrived everywhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) called: Time,
    pub(super) ended: Time,
    pub(super) mask: Mask,
    pub(super) object: u32,
    pub(super) key: u32,
    pub(super) producer: NodeId,
    /// Its place among all calls.
    pub(super) ordinal: u32,
    /// At how many of its groups it has arrived intact.
    pub(super) arrived: u32,
    pub(super) standing: Standing,
}

/// The cases that become certain while the run goes on.
#[derive(Clone, Debug, Default)]
pub(super) struct Online {
    pub(super) duplicates: Cases,
    pub(super) effects: Cases,
    pub(super) unexpected: Cases,
    pub(super) corrupted: Cases,
    pub(super) global: Cases,
    pub(super) key: Cases,
    pub(super) producer: Cases,
    pub(super) failed: Cases,
}

/// Latencies of what was invoked from the beginning of chaos on.
#[derive(Clone, Debug, Default)]
pub(super) struct Spreads {
    pub(super) ok: Spread,
    pub(super) failed: Spread,
    pub(super) unknown: Spread,
    pub(super) delivery: Spread,
    pub(super) effect: Spread,
}

/// All judges of one run together: feed them the history, then ask. A clone goes on by itself from where it was made.
///
/// ```
/// use std::sync::Arc;
/// use deadletter::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
/// use deadletter::check::{JudgeConfig, Judges, Promises, Property, Verdict};
/// use deadletter::record::{End, Entry, Names, Object, ObjectKind, Op, Phase, What};
///
/// let names = Names {
///     nodes: vec!["shop".into()],
///     objects: vec![Object { name: "orders".into(), kind: ObjectKind::Queue }],
/// };
/// let at = |s| Time::ZERO + Span::secs(s);
/// let config = JudgeConfig { window: Span::secs(1), chaos_start: at(0), heal_start: at(4), drain_start: at(5), end: at(9) };
/// let mut judges = Judges::new(Arc::new(names), config);
/// let what = Op::Publish { to: ObjectId(0), key: KeyId(3), payload: PayloadId(0), bytes: 100 };
/// for (s, what) in [
///     (1, What::Call { op: ClientOp(0), what }),
///     (2, What::End { op: ClientOp(0), what, end: End::Ok, place: None }),
///     (9, What::Phase(Phase::Final)),
/// ] {
///     judges.fold(&Entry { at: at(s), node: NodeId(0), what });
/// }
/// let judged = judges.finish(at(9), &Promises::default());
/// let Verdict::Broken(witness) = &judged.finding(Property::AckedSurvives).verdict else { panic!("it was lost") };
/// assert_eq!(witness.sentence, "p0 (key k3) was acknowledged to shop at 2s, is in no queue at the end and never reached orders");
/// ```
#[derive(Clone, Debug)]
pub struct Judges {
    pub(super) names: Arc<Names>,
    pub(super) config: JudgeConfig,
    pub(super) groups: Vec<Group>,
    /// By object: which of its groups are entitled now.
    active: Vec<Mask>,
    /// By object: what was sent to it.
    pub(super) sent: Vec<Plane>,
    pub(super) called: Plane,
    pub(super) failed: Plane,
    /// Ended as unknown; those without an end are in `open`.
    pub(super) unknown: Plane,
    /// Delivered or applied anywhere.
    pub(super) happened: Plane,
    /// Moved to dead letters by any group.
    pub(super) moved: Plane,
    pub(super) open: Table<Record>,
    /// One more than the greatest payload that was sent.
    pub(super) sent_below: u32,
    pub(super) accounting: Accounting,
    pub(super) figures: Figures,
    pub(super) online: Online,
    pub(super) spreads: Spreads,
    pub(super) timeline: Timeline,
    /// Owed pairs that arrived intact.
    pub(super) owed_arrived: u64,
    pub(super) final_read: bool,
    /// For runs with logs.
    pub(super) logs: Option<Box<Logs>>,
}

impl Judges {
    /// Judges that have seen nothing yet.
    #[must_use]
    pub fn new(names: Arc<Names>, config: JudgeConfig) -> Judges {
        let groups = Group::all(&names);
        let objects = names.objects.len();
        let lanes = |object: usize| groups.iter().filter(|g| g.is_owed() && g.source == object).count();
        let mut active: Vec<Mask> = (0..objects).map(|o| Mask::none(lanes(o))).collect();
        for group in groups.iter().filter(|g| g.active) {
            active[group.source].set(group.lane);
        }
        let logs = Logs::new(&names, &groups);
        Judges {
            names,
            config,
            groups,
            active,
            sent: vec![Plane::default(); objects],
            called: Plane::default(),
            failed: Plane::default(),
            unknown: Plane::default(),
            happened: Plane::default(),
            moved: Plane::default(),
            open: Table::default(),
            sent_below: 0,
            accounting: Accounting::default(),
            figures: Figures::default(),
            online: Online::default(),
            spreads: Spreads::default(),
            timeline: Timeline::new(config.window, config.end),
            owed_arrived: 0,
            final_read: false,
            logs,
        }
    }

    /// What the judges of logs may look at.
    pub(super) fn known(&self) -> Known<'_> {
        Known {
            names: &self.names,
            groups: &self.groups,
            active: &self.active,
            sent: &self.sent,
            called: &self.called,
            failed: &self.failed,
            unknown: &self.unknown,
            happened: &self.happened,
            open: &self.open,
        }
    }

    /// Lets the judges of logs look at something; an entry that does not fit is counted.
    #[inline]
    pub(super) fn with_logs(&mut self, look: impl FnOnce(&mut Logs, &Known<'_>) -> Result<(), Malformed>) {
        let Some(mut logs) = self.logs.take() else { return };
        if look(&mut logs, &self.known()).is_err() {
            self.accounting.malformed += 1;
        }
        self.logs = Some(logs);
    }

    /// Takes in the next entry. Entries come in order of time.
    pub fn fold(&mut self, entry: &Entry) {
        match &entry.what {
            What::Call { op: _, what } => self.on_call(entry, *what),
            What::End { op: _, what, end, place } => {
                if self.on_end(entry, *what, *end) {
                    self.with_logs(|logs, known| logs.ended(entry, (*what, *end), *place, known));
                }
            }
            What::Note(note) => self.on_note(entry, *note),
            What::Skipped { op: _, what: _ } => {
                self.accounting.skipped += 1;
                self.figures.skipped += u64::from(self.counts_for_figures(entry.at));
                self.timeline.count(entry.at, Count::Skipped);
            }
            What::Phase(phase) => self.final_read |= *phase == Phase::Final,
            What::Fault { .. } => {}
        }
    }

    /// From here on measures nothing: neither latencies nor what happened over time. Copies become cheap; findings stay what they are.
    pub fn skip_figures(&mut self) {
        let Spreads { ok, failed, unknown, delivery, effect } = &mut self.spreads;
        [ok, failed, unknown, delivery, effect].into_iter().for_each(Spread::switch_off);
        self.timeline.switch_off();
    }

    /// Adds a sample of how much an object holds, for the time series.
    pub fn gauge(&mut self, at: Time, object: ObjectId, depth: u64) {
        self.timeline.depth(at, object, depth);
    }

    /// The first property (in the order of reports) that is certainly broken already, whatever is still to come.
    #[must_use]
    pub fn early_breach(&self) -> Option<Property> {
        Property::ALL.into_iter().find(|p| self.is_breached(*p))
    }

    /// Whether a property is certainly broken already. Those that depend on "never" are not before the end.
    #[must_use]
    pub fn is_breached(&self, property: Property) -> bool {
        self.online_cases(property).is_some_and(|cases| cases.broken > 0)
    }

    pub(super) fn online_cases(&self, property: Property) -> Option<&Cases> {
        match property {
            Property::NoDuplicateDelivery => Some(&self.online.duplicates),
            Property::NoDuplicateEffect => Some(&self.online.effects),
            Property::NothingUnexpected => Some(&self.online.unexpected),
            Property::NothingCorrupted => Some(&self.online.corrupted),
            Property::OrderGlobal => Some(&self.online.global),
            Property::OrderPerKey => Some(&self.online.key),
            Property::OrderPerProducer => Some(&self.online.producer),
            Property::FailedStaysFailed => Some(&self.online.failed),
            Property::AckedSurvives | Property::AckedDelivered | Property::NoMissingEffect | Property::NoGaps | Property::Drained => None,
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
            | Property::LatestPerKey => self.logs.as_ref().and_then(|logs| logs.online_cases(property)),
        }
    }

    pub(super) fn counts_for_figures(&self, at: Time) -> bool {
        (self.config.chaos_start..self.config.drain_start).contains(&at)
    }

    pub(super) fn after_warm(&self, called: Time) -> bool {
        called >= self.config.chaos_start
    }

    fn on_call(&mut self, entry: &Entry, what: Op) {
        let (payload, object) = (what.payload(), what.object().index());
        if !self.called.insert(payload.0) {
            self.accounting.malformed += 1;
            return;
        }
        self.sent[object].insert(payload.0);
        self.sent_below = self.sent_below.max(payload.0.saturating_add(1));
        let record = Record {
            called: entry.at,
            mask: self.active[object].clone(),
            object: what.object().0,
            key: what.key().0,
            producer: entry.node,
            ordinal: u32::try_from(self.accounting.attempts).expect("payloads have 32 bits"),
            ..Record::default()
        };
        self.open.insert(u64::from(payload.0), record);
        self.accounting.attempts += 1;
        self.figures.attempts += u64::from(self.counts_for_figures(entry.at));
        self.timeline.count(entry.at, Count::Attempt);
        self.with_logs(|logs, known| {
            logs.called(entry, what, known);
            Ok(())
        });
    }

    /// An operation ends. False when there was none.
    fn on_end(&mut self, entry: &Entry, what: Op, end: End) -> bool {
        let payload = what.payload();
        let Some(record) = self.open.get_mut(u64::from(payload.0)).filter(|r| r.standing == Standing::Pending) else {
            self.accounting.malformed += 1;
            return false;
        };
        record.ended = entry.at;
        record.standing = match end {
            End::Ok | End::Failed(_) => Standing::Ok,
            End::Unknown(_) => Standing::Unknown,
        };
        let (called, arrived) = (record.called, record.arrived);
        let done = record.mask.is_empty() || matches!(end, End::Failed(_));
        let producer = record.producer;
        if done {
            self.open.remove(u64::from(payload.0));
        }
        let (latency, figures) = (entry.at.since(called), u64::from(self.counts_for_figures(called)));
        let spread = match end {
            End::Ok => {
                self.accounting.ok += 1;
                self.figures.ok += figures;
                self.figures.acked.count += u64::from(self.counts_for_figures(entry.at));
                self.owed_arrived += u64::from(arrived);
                self.timeline.ack(entry.at, latency);
                &mut self.spreads.ok
            }
            End::Failed(reason) => {
                self.accounting.failed += 1;
                self.figures.failed += figures;
                self.failed.insert(payload.0);
                self.online.failed.examined += 1;
                if self.happened.has(payload.0) {
                    let names = &self.names;
                    self.online.failed.broken(|| failed_but_happened(names, entry.at, what, producer, reason));
                }
                self.timeline.count(entry.at, Count::Failed);
                &mut self.spreads.failed
            }
            End::Unknown(_) => {
                self.accounting.unknown += 1;
                self.figures.unknown += figures;
                self.unknown.insert(payload.0);
                self.timeline.count(entry.at, Count::Unknown);
                &mut self.spreads.unknown
            }
        };
        if called >= self.config.chaos_start {
            spread.record(latency);
        }
        true
    }

    pub(super) fn on_subscribe(&mut self, group: ObjectId) {
        let group = &mut self.groups[group.index()];
        if group.entitled != Entitled::Subscribed {
            self.accounting.malformed += 1;
            return;
        }
        group.active = true;
        self.active[group.source].set(group.lane);
    }

    pub(super) fn on_unsubscribe(&mut self, group: ObjectId) {
        let group = &mut self.groups[group.index()];
        if group.entitled != Entitled::Subscribed {
            self.accounting.malformed += 1;
            return;
        }
        if !group.active {
            return;
        }
        group.active = false;
        group.left_at = self.sent_below;
        let (source, lane) = (group.source, group.lane);
        self.active[source].clear(lane);
        if let Some(logs) = &mut self.logs {
            logs.unsubscribed(source, lane);
        }
        let held: Vec<u64> =
            self.open.unordered().filter(|(_, r)| r.object as usize == source && r.mask.has(lane)).map(|(p, _)| p).collect();
        for payload in held {
            let record = self.open.get_mut(payload).expect("it was found a moment ago");
            record.mask.clear(lane);
            if record.mask.is_empty() && record.standing != Standing::Pending {
                self.open.remove(payload);
            }
        }
    }

    /// Bytes that the judges take on the heap (approximately, chunks shared with clones included). It grows by bits with the
    /// messages of a run and by entries with what is outstanding.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let planes = [&self.called, &self.failed, &self.unknown, &self.happened, &self.moved];
        let bits: usize = planes.into_iter().chain(&self.sent).map(Plane::bytes).sum();
        let spreads = [&self.spreads.ok, &self.spreads.failed, &self.spreads.unknown, &self.spreads.delivery, &self.spreads.effect];
        let measures = spreads.iter().map(|s| s.bytes()).sum::<usize>() + self.timeline.bytes();
        let logs = self.logs.as_ref().map_or(0, |logs| logs.bytes());
        bits + measures + logs + self.open.bytes() + self.groups.iter().map(Group::bytes).sum::<usize>()
    }
}
