//! Witnesses in words: one sentence that a person can check, with ids, names and times.

use std::sync::Arc;

use crate::base::{NodeId, ObjectId, PayloadId, Time};
use crate::record::{Names, Op, Reason};

use super::group::Awaiting;
use super::judges::Record;
use super::notes::Arrival;
use super::order::{Arriving, Frontier, Scope};
use super::{Verdict, Witness};

/// The earliest case of a breach.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Case {
    pub(super) sentence: String,
    pub(super) payloads: Vec<PayloadId>,
    pub(super) nodes: Vec<NodeId>,
    pub(super) at: Time,
}

/// How many cases there are, out of how many, and the earliest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Cases {
    pub(super) examined: u64,
    pub(super) broken: u64,
    pub(super) first: Option<Arc<Case>>,
}

impl Cases {
    /// Counts a case; the first one is told.
    pub(super) fn broken(&mut self, tell: impl FnOnce() -> Case) {
        self.broken += 1;
        if self.first.is_none() {
            self.first = Some(Arc::new(tell()));
        }
    }

    /// What follows from the cases; `nothing` says why nothing can be said when nothing was examined.
    pub(super) fn verdict(&self, nothing: &str) -> Verdict {
        match &self.first {
            None => Verdict::holds(self.examined, nothing),
            Some(case) => Verdict::Broken(Witness {
                sentence: case.sentence.clone(),
                payloads: case.payloads.clone(),
                nodes: case.nodes.clone(),
                at: case.at,
                cases: self.broken,
                examined: self.examined,
            }),
        }
    }
}

fn name(names: &Names, object: ObjectId) -> &str {
    &names.object(object).name
}

fn case(a: Arrival, sentence: String) -> Case {
    Case { sentence, payloads: vec![a.payload], nodes: vec![a.node], at: a.at }
}

pub(super) fn corrupted(names: &Names, a: Arrival) -> Case {
    case(a, format!("{} reached {} damaged on {} at {}", a.payload, name(names, a.group), names.node(a.node), a.at.nearest_micro()))
}

/// A message that was delivered again; when and where it came first is known as long as its effect is awaited.
pub(super) fn duplicate(names: &Names, a: Arrival, first: Option<&Awaiting>) -> Case {
    let (payload, group, node) = (a.payload, name(names, a.group), names.node(a.node));
    let sentence = match first {
        Some(first) => {
            let before = names.node(first.node);
            format!(
                "{payload} was delivered to {group} on {before} at {} and once more on {node} at {}",
                first.arrived.nearest_micro(),
                a.at.nearest_micro()
            )
        }
        None => format!("{payload}, already delivered to {group}, was delivered once more on {node} at {}", a.at.nearest_micro()),
    };
    case(a, sentence)
}

pub(super) fn duplicate_effect(names: &Names, a: Arrival) -> Case {
    case(
        a,
        format!("{}, already applied for {}, took effect once more on {} at {}", a.payload, name(names, a.group), names.node(a.node), a.at),
    )
}

/// What is known of a message that came unexpectedly.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Known {
    /// Nobody had sent it.
    Never,
    /// It had been sent somewhere else.
    Elsewhere,
    /// It was sent to the topic when the group was not, or no longer, subscribed.
    Left,
}

pub(super) fn unexpected(names: &Names, a: Arrival, verb: &str, known: Known) -> Case {
    let (group, node) = (name(names, a.group), names.node(a.node));
    let why = match known {
        Known::Never => "but nobody had sent it".to_owned(),
        Known::Elsewhere => format!("but it was not sent to {group}"),
        Known::Left => format!("but {group} was not subscribed when it was published, nor since"),
    };
    let to = if verb == "applied" { "for" } else { "to" };
    case(a, format!("{} was {verb} {to} {group} on {node} at {}, {why}", a.payload, a.at.nearest_micro()))
}

/// A failed message that had already happened when its failure was reported.
pub(super) fn failed_but_happened(names: &Names, at: Time, what: Op, producer: NodeId, reason: Reason) -> Case {
    let sentence = format!(
        "{} (key {}) was reported to {} at {} as failed ({reason}), but it had already been delivered or applied",
        what.payload(),
        what.key(),
        names.node(producer),
        at.nearest_micro(),
    );
    Case { sentence, payloads: vec![what.payload()], nodes: vec![producer], at }
}

/// A message that happened after its failure had been reported.
pub(super) fn happened_after_failure(names: &Names, a: Arrival, verb: &str) -> Case {
    let to = if verb == "applied" { "for" } else { "to" };
    let (group, node) = (name(names, a.group), names.node(a.node));
    case(a, format!("{} was {verb} {to} {group} on {node} at {}, after it had been reported as failed", a.payload, a.at.nearest_micro()))
}

/// A message that came after one that was published later.
pub(super) fn reordered(names: &Names, group: ObjectId, late: &Arriving, (scope, other): (Scope, Frontier)) -> Case {
    let (own, producer) = (late.own, names.node(late.producer));
    let before = match (scope, late.ended) {
        (Scope::Global | Scope::Key, Some(ended)) => format!("its publish by {producer} had ended at {}", ended.nearest_micro()),
        (Scope::Global | Scope::Key, None) | (Scope::Producer, _) => {
            format!("{producer} had published it at {}", own.called.nearest_micro())
        }
    };
    let sentence = format!(
        "{} (key k{}) reached {} at {}, after {} at {}, although {before}, before {} was published at {}",
        own.payload,
        late.key,
        name(names, group),
        own.arrived.nearest_micro(),
        other.payload,
        other.arrived.nearest_micro(),
        other.payload,
        other.called.nearest_micro(),
    );
    Case { sentence, payloads: vec![own.payload, other.payload], nodes: vec![late.producer, own.node, other.node], at: own.arrived }
}

/// What became of an owed message at the end, in words after "it".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    Vanished,
    Damaged,
    Expired,
    Dropped,
    Superseded,
}

/// An acknowledged message that did not come to a group.
pub(super) fn undelivered(names: &Names, (payload, record): (PayloadId, &Record), group: ObjectId, fate: Fate) -> Case {
    let (producer, group) = (names.node(record.producer), name(names, group));
    let what = match fate {
        Fate::Vanished => format!("is in no queue at the end and never reached {group}"),
        Fate::Damaged => format!("reached {group} only damaged and is not held at the end"),
        Fate::Expired => format!("expired before it reached {group}"),
        Fate::Dropped => format!("was dropped before it reached {group}"),
        Fate::Superseded => format!("was compacted away before it reached {group}, and no later message of its key is known"),
    };
    let sentence = format!("{payload} (key k{}) was acknowledged to {producer} at {}, {what}", record.key, record.ended.nearest_micro());
    Case { sentence, payloads: vec![payload], nodes: vec![record.producer], at: record.ended }
}

/// An acknowledged message that never came although a later one did.
pub(super) fn gap(names: &Names, (payload, record): (PayloadId, &Record), group: ObjectId, later: Frontier) -> Case {
    let sentence = format!(
        "{payload} (key k{}) was acknowledged to {producer} at {} and never reached {group}, but {}, which {producer} published later with the same key, did at {}",
        record.key,
        record.ended.nearest_micro(),
        later.payload,
        later.arrived.nearest_micro(),
        producer = names.node(record.producer),
        group = name(names, group),
    );
    Case { sentence, payloads: vec![payload, later.payload], nodes: vec![record.producer, later.node], at: later.arrived }
}

/// A message that arrived and took no effect; when and where it arrived is not always known.
pub(super) fn missing_effect(names: &Names, payload: PayloadId, group: ObjectId, arrived: Option<(Time, NodeId)>) -> Case {
    let group = name(names, group);
    match arrived {
        Some((at, node)) => Case {
            sentence: format!("{payload} was delivered to {group} on {} at {} and never took effect", names.node(node), at.nearest_micro()),
            payloads: vec![payload],
            nodes: vec![node],
            at,
        },
        None => Case {
            sentence: format!("{payload} was delivered to {group} and never took effect"),
            payloads: vec![payload],
            nodes: Vec::new(),
            at: Time::ZERO,
        },
    }
}

/// An operation that never ended.
pub(super) fn stuck_operation(names: &Names, (payload, record): (PayloadId, &Record), end: Time) -> Case {
    let (producer, object) = (names.node(record.producer), name(names, ObjectId(record.object)));
    let sentence = format!(
        "{payload} (key k{}), which {producer} sent to {object} at {}, still has no end at {end}, {} later",
        record.key,
        record.called.nearest_micro(),
        end.saturating_since(record.called).nearest_micro(),
    );
    Case { sentence, payloads: vec![payload], nodes: vec![record.producer], at: end }
}

/// A message that is still held, deliverable, at the end.
pub(super) fn stuck_message(names: &Names, payload: PayloadId, group: ObjectId, since: Since) -> Case {
    let group = name(names, group);
    let (sentence, nodes) = match since {
        Since::Published(at, end, producer) => (
            format!(
                "{payload}, published by {} at {}, is still held for {group} at {end}, {} later",
                names.node(producer),
                at.nearest_micro(),
                end.saturating_since(at).nearest_micro()
            ),
            vec![producer],
        ),
        Since::Delivered(at, end, node) => (
            format!(
                "{payload}, delivered to {group} on {} at {}, is still held at {end} without its effect",
                names.node(node),
                at.nearest_micro()
            ),
            vec![node],
        ),
        Since::Unknown(end) => (format!("{payload} is still held for {group} at {end} without its effect"), Vec::new()),
    };
    Case { sentence, payloads: vec![payload], nodes, at: since.end() }
}

/// Since when a message has been stuck, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Since {
    Published(Time, Time, NodeId),
    Delivered(Time, Time, NodeId),
    Unknown(Time),
}

impl Since {
    fn end(self) -> Time {
        match self {
            Since::Published(_, end, _) | Since::Delivered(_, end, _) | Since::Unknown(end) => end,
        }
    }
}
