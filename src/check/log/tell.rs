//! Witnesses of what went wrong at logs, in words.

use crate::base::{NodeId, ObjectId, PayloadId, Time};
use crate::record::{Entry, Names, Op, Place, Reason};

use super::super::judges::Standing;
use super::super::notes::Arrival;
use super::super::tell::Case;
use super::Waiting;
use super::readers::{Jump, Step, Stride};
use super::transactions::Transaction;

/// How it became known that a message stands somewhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Learned {
    pub(super) at: Time,
    pub(super) node: NodeId,
    /// For which the node read it; `None`: the node was told.
    pub(super) group: Option<ObjectId>,
}

/// An object and an offset, as a reader would write it.
fn place(names: &Names, (log, offset): (ObjectId, u32)) -> String {
    format!("{}@{offset}", names.object(log).name)
}

fn placed(names: &Names, at: Option<Place>) -> String {
    at.map_or_else(String::new, |at| format!(" at {}@{}", names.object(at.log).name, at.offset))
}

fn learned(names: &Names, by: &Learned) -> String {
    let (node, at) = (names.node(by.node), by.at.nearest_micro());
    match by.group {
        Some(group) => format!("{node} read for {} at {at}", names.object(group).name),
        None => format!("{node} was told at {at}"),
    }
}

/// A second message at one place.
pub(super) fn inconsistent(names: &Names, by: &Learned, at: (ObjectId, u32), (payload, other): (PayloadId, PayloadId)) -> Case {
    let sentence = format!("{payload} stands at {}, as {}, where {other} was known to stand", place(names, at), learned(names, by));
    Case { sentence, payloads: vec![payload, other], nodes: vec![by.node], at: by.at }
}

/// A message at a second place.
pub(super) fn duplicate(
    names: &Names,
    by: &Learned,
    (payload, log, offset): (PayloadId, ObjectId, u32),
    before: Option<(ObjectId, u32)>,
) -> Case {
    let before = before.map_or_else(|| "another place".to_owned(), |before| place(names, before));
    let sentence = format!("{payload} stands at {}, as {}, and at {before} as well", place(names, (log, offset)), learned(names, by));
    Case { sentence, payloads: vec![payload], nodes: vec![by.node], at: by.at }
}

/// A step that does not lead on.
pub(super) fn back(names: &Names, a: Arrival, (log, offset): (ObjectId, u32), step: Step) -> Case {
    let (node, group, at) = (names.node(a.node), &names.object(a.group).name, a.at.nearest_micro());
    let (here, before) = (place(names, (log, offset)), place(names, (log, step.from)));
    let sentence = match step.stride {
        Stride::Between => format!("{node} read {} at {here} for {group} at {at}, after {before} in an earlier poll", a.payload),
        Stride::Within => format!("{node} read {} at {here} for {group} at {at}, after {before} in the same poll", a.payload),
        Stride::Rebalance => {
            let log = &names.object(log).name;
            format!("{node}, new to {log}, began with {} at {here} for {group} at {at}, which had read as far as {before}", a.payload)
        }
    };
    Case { sentence, payloads: vec![a.payload], nodes: vec![a.node], at: a.at }
}

/// A message that was left out; the jump is not always known any more.
pub(super) fn skipped(
    names: &Names,
    (group, payload): (ObjectId, PayloadId),
    (log, offset): (ObjectId, u32),
    (stride, jump): (Stride, Option<Jump>),
) -> Case {
    let (group, left_out) = (&names.object(group).name, place(names, (log, offset)));
    let Some(jump) = jump else {
        let when = match stride {
            Stride::Between => "from one poll to the next",
            Stride::Within => "within one poll",
            Stride::Rebalance => "when the log was assigned anew",
        };
        let sentence = format!("{group} went on beyond {payload} at {left_out} {when}");
        return Case { sentence, payloads: vec![payload], nodes: Vec::new(), at: Time::ZERO };
    };
    let (node, at) = (names.node(jump.node), jump.at.nearest_micro());
    let (from, to) = (place(names, (log, jump.from)), place(names, (log, jump.to)));
    let sentence = match stride {
        Stride::Between => {
            format!("{node} went on from {from} to {to} for {group} with its next poll at {at}, beyond {payload} at {left_out}")
        }
        Stride::Within => format!("{node} went on from {from} to {to} for {group} within its poll at {at}, beyond {payload} at {left_out}"),
        Stride::Rebalance => {
            let log = &names.object(log).name;
            format!(
                "{node}, new to {log}, began at {to} for {group} at {at}, which had read as far as {from}, beyond {payload} at {left_out}"
            )
        }
    };
    Case { sentence, payloads: vec![payload], nodes: vec![jump.node], at: jump.at }
}

/// A failed message that a group is given.
pub(super) fn aborted(names: &Names, a: Arrival, at: Option<Place>) -> Case {
    let (node, group) = (names.node(a.node), &names.object(a.group).name);
    let at = placed(names, at);
    let sentence = format!("{node} read {}{at} for {group} at {}, although its operation had failed", a.payload, whole(a.at));
    Case { sentence, payloads: vec![a.payload], nodes: vec![a.node], at: a.at }
}

/// A message that a group had been given before it failed.
pub(super) fn failed_after_read(names: &Names, entry: &Entry, (what, reason): (Op, Reason), group: ObjectId) -> Case {
    let (payload, producer, group) = (what.payload(), names.node(entry.node), &names.object(group).name);
    let sentence = format!(
        "{payload} (key {}) was reported to {producer} at {} as failed ({reason}), but {group} had already read it",
        what.key(),
        whole(entry.at),
    );
    Case { sentence, payloads: vec![payload], nodes: vec![entry.node], at: entry.at }
}

/// A message that its own writer is given too early.
pub(super) fn precommitted(names: &Names, a: Arrival, at: Option<Place>, transaction: u64) -> Case {
    let (node, group) = (names.node(a.node), &names.object(a.group).name);
    let at = placed(names, at);
    let sentence = format!(
        "{node} read {}{at} for {group} at {}, which it had itself put into transaction {transaction}, before that had ended",
        a.payload,
        whole(a.at),
    );
    Case { sentence, payloads: vec![a.payload], nodes: vec![a.node], at: a.at }
}

/// A message that nobody read, with the log's name and how far that was read.
pub(super) fn lost(names: &Names, (payload, waiting): (PayloadId, &Waiting), (log, offset): (ObjectId, u32), last: u32) -> Case {
    let (message, here) = (message(names, payload, waiting), place(names, (log, offset)));
    let last = place(names, (log, last));
    let sentence = format!("{message}, stood at {here} and was never read by anybody that it is owed to, although {last} was read");
    Case { sentence, payloads: vec![payload], nodes: vec![waiting.producer], at: waiting.ended }
}

/// An acknowledged message that nobody read.
pub(super) fn unseen(names: &Names, (payload, waiting): (PayloadId, &Waiting), at: Option<(ObjectId, u32)>) -> Case {
    let at = at.map_or_else(String::new, |at| format!(" at {}", place(names, at)));
    let sentence = format!("{}, was never read{at} by anybody that it is owed to, and is not held", message(names, payload, waiting));
    Case { sentence, payloads: vec![payload], nodes: vec![waiting.producer], at: waiting.ended }
}

/// A message with what its producer knows of it.
fn message(names: &Names, payload: PayloadId, waiting: &Waiting) -> String {
    let producer = names.node(waiting.producer);
    if waiting.standing == Standing::Ok {
        format!("{payload} (key k{}), acknowledged to {producer} at {}", waiting.key, whole(waiting.ended))
    } else {
        format!("{payload} (key k{}) of {producer}", waiting.key)
    }
}

/// A transaction of which a group was given a part, or too little.
pub(super) fn torn(
    names: &Names,
    (number, transaction): (u64, &Transaction),
    group: ObjectId,
    (missing, seen): (PayloadId, Option<PayloadId>),
) -> Case {
    let (node, group) = (names.node(transaction.node), &names.object(group).name);
    let sentence = match seen {
        Some(seen) => format!("of transaction {number} of {node}, {group} read {seen} and never {missing}, which is not held"),
        None => format!("transaction {number} of {node} ended well, but {group} never read {missing} of it, which is not held"),
    };
    let payloads = [missing].into_iter().chain(seen).collect();
    Case { sentence, payloads, nodes: vec![transaction.node], at: Time::ZERO }
}

/// The last message of a key, which a group never got.
pub(super) fn latest(names: &Names, (payload, waiting): (PayloadId, &Waiting), at: (ObjectId, u32), group: ObjectId) -> Case {
    let (log, group) = (&names.object(at.0).name, &names.object(group).name);
    let message = message(names, payload, waiting);
    let sentence =
        format!("{message}, stood at {} as the last of its key in {log}, never reached {group} and is not held", place(names, at));
    Case { sentence, payloads: vec![payload], nodes: vec![waiting.producer], at: waiting.ended }
}

/// A message that compaction removed without a later one.
pub(super) fn superseded(names: &Names, (payload, key): (PayloadId, u32), at: (ObjectId, u32)) -> Case {
    let log = &names.object(at.0).name;
    let sentence =
        format!("{payload} (key k{key}) at {} was compacted away, but no later message of its key is known in {log}", place(names, at));
    Case { sentence, payloads: vec![payload], nodes: Vec::new(), at: Time::ZERO }
}

/// A moment as sentences have it.
fn whole(at: Time) -> Time {
    at.nearest_micro()
}
