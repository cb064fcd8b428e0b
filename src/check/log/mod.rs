//! Judges of logs: what is read at which place, by whom and in which order. They look at a run that has logs, beside the judges of delivery.
//!
//! # How each property is decided
//!
//! A *place* is known when a producer was told of it with an `Ok`, when a client that carries messages on was told of it
//! (`Appended`), or when anybody was given a message from it. A message *is owed* to the subscriptions of its topic that were
//! subscribed when it was published (when it was carried on: when that was first seen), for as long as they stay so. It *left by a declared way* when it
//! was settled as expired, dropped, superseded or moved to dead letters. *Acknowledged* means that its operation ended `Ok`, or `Appended`.
//! A message that is carried on keeps its number and counts once in each topic.
//!
//! | property | broken by | out of |
//! |---|---|---|
//! | no_lost_write | a message at a known place at or below the highest that anybody polled in that log, which no group polled that it is owed to, and which for none of them left by a declared way or is held. It was acknowledged, or polled by somebody whom it was not owed to | messages that were polled by somebody they are owed to, and those at such places |
//! | all_seen | an acknowledged message that no group polled that it is owed to, and which for none of them left or is held. Nobody need have read on beyond it: readers may just have been too slow or have stopped, where a lost write is proved by what was read behind it | acknowledged messages that are owed to somebody |
//! | no_log_duplicate | every further place in the logs of a topic at which a message is found | known places with what stands there |
//! | consistent_offsets | every place with a second message | known places |
//! | no_poll_skip, no_poll_skip_within, no_rebalance_skip | a place that a reader went beyond and at which a message is known, in the end, that it should have been given: once for each group and kind of step | steps forward, and known places that were gone beyond |
//! | monotonic_polls, monotonic_within_poll, no_rebalance_reread | every step to a place that is not beyond the one before | steps |
//! | no_aborted_read | a message whose operation failed and which a group was given, before or after | messages given to groups |
//! | no_precommitted_read | a delivery to the node that had put the message into a transaction, before that had ended | deliveries of messages of transactions |
//! | whole_transactions | a transaction of which a group was given some messages and never others that are owed to it, neither left nor held; when it ended well, also when it was given none. Messages that failed are no part of it | transactions of which something was acknowledged or given to anybody |
//! | latest_per_key | in a compacted log: the acknowledged message of a key at the highest place, when a group that it is owed to was never given it, and it neither left nor is held; and a message that was superseded although none of its key is known at a higher place, and none may have landed unknown to its producer | pairs of such a message and a group, and places that were superseded |
//!
//! # Steps
//!
//! What a node is given from one log for one group is a row of places, and two neighbours are a *step*. It lies within a poll when no
//! `Poll` of the node came in between, otherwise between polls. What a node had read is of no account after the log was `Assigned` or `Revoked`
//! there: its next step goes from the highest place that its *group* has polled and is of its own kind. That is the allowance for rebalances:
//! to begin again at what was committed is what most groups do, so it is for a configuration to promise
//! `no_rebalance_reread` and `no_rebalance_skip`, and a breach is an observation where it does not. The first that a group reads of a log is no step.
//!
//! Offsets may be left out (markers, compaction, aborted messages), so that a skip is only what is known to hold a message, as in the dense ranks of Jepsen. To
//! go beyond a message is fine when it left by a declared way for the group or lies below one that expired in that log; when its operation
//! failed; when it is of a transaction that nobody knows to have ended well and the group was not given it otherwise; and in a
//! compacted log, when the group had it before.
//!
//! # What is not judged
//!
//! That transactions are written in between each other (G0) is how such logs work. Whether a committed position lies beyond the end of
//! a log cannot be told from outside, for markers take places too: that is left to the invariants of models.
//!
//! What depends on "never" is decided at the end, and only when the history has a final read.

mod cells;
mod close;
mod fold;
mod latest;
mod readers;
mod tell;
#[cfg(test)]
mod tests;
mod transactions;

use crate::base::{NodeId, ObjectId, PayloadId, Time};
use crate::record::{Names, ObjectKind};

use super::Property;
use super::bits::Plane;
use super::group::Group;
use super::judges::{Mask, Record, Standing};
use super::table::Table;
use super::tell::Cases;

use cells::Cells;
use latest::Keys;
use readers::{Lane, Stride};
use transactions::Transactions;

pub(super) use close::Closed;
pub(super) use fold::Malformed;

/// What the judges of delivery know already.
pub(super) struct Known<'k> {
    pub(super) names: &'k Names,
    pub(super) groups: &'k [Group],
    /// By object: which of its groups are entitled now.
    pub(super) active: &'k [Mask],
    /// By object: what was sent to it.
    pub(super) sent: &'k [Plane],
    pub(super) called: &'k Plane,
    pub(super) failed: &'k Plane,
    pub(super) unknown: &'k Plane,
    pub(super) happened: &'k Plane,
    pub(super) open: &'k Table<Record>,
}

/// A topic with logs.
#[derive(Clone, Debug)]
struct Topic {
    object: ObjectId,
    /// Positions among all logs.
    logs: Vec<usize>,
    /// Its subscriptions, by lane.
    groups: Vec<usize>,
    /// What is known to stand in one of its logs.
    placed: Plane,
    /// What was carried on to it.
    carried: Plane,
    /// What was carried on to it and acknowledged.
    appended: Plane,
}

/// One log.
#[derive(Clone, Debug)]
struct Log {
    object: ObjectId,
    /// Position among the topics with logs.
    topic: usize,
    /// What was found at a place first, second, and so on: the first alone as long as all is well.
    layers: Vec<Cells>,
    /// By lane of the topic's groups.
    lanes: Vec<Lane>,
    /// One more than the highest place that anybody polled.
    polled: u32,
    /// For a compacted log.
    keys: Option<Keys>,
}

/// A message that has not been polled by everybody it is owed to, or whose operation has not ended.
#[derive(Clone, Debug, Default)]
struct Waiting {
    /// The groups that it is owed to and that have not polled it.
    unread: Mask,
    /// Whether one of those polled it.
    seen: bool,
    standing: Standing,
    ended: Time,
    producer: NodeId,
    key: u32,
    /// Where it was found first: the log and the offset.
    place: Option<(u32, u32)>,
}

/// The cases that become certain while the run goes on.
#[derive(Clone, Debug, Default)]
struct Online {
    duplicates: Cases,
    places: Cases,
    /// By stride.
    back: [Cases; 3],
    aborted: Cases,
    precommitted: Cases,
}

/// The judges of all logs of a run.
#[derive(Clone, Debug)]
pub(super) struct Logs {
    /// By object: its position among the topics with logs.
    topic_of: Vec<Option<usize>>,
    /// By object: its position among the logs.
    log_of: Vec<Option<usize>>,
    topics: Vec<Topic>,
    logs: Vec<Log>,
    /// By topic and payload.
    waiting: Table<Waiting>,
    transactions: Transactions,
    /// By node: how many polls it has made.
    polls: Vec<u64>,
    /// The keys of messages, when some log is compacted.
    keys: Option<Cells>,
    online: Online,
    /// Messages that were polled by somebody they are owed to, and those of them that are acknowledged.
    seen: u64,
    seen_acknowledged: u64,
}

/// The key of a message in a topic.
fn entry_of(topic: usize, payload: PayloadId) -> u64 {
    let topic = u64::try_from(topic).expect("objects have 32 bits");
    topic << 32 | u64::from(payload.0)
}

impl Logs {
    /// Judges for the logs of a run; `None` when it has none.
    pub(super) fn new(names: &Names, groups: &[Group]) -> Option<Box<Logs>> {
        let objects = names.objects.len();
        let (mut topic_of, mut log_of) = (vec![None; objects], vec![None; objects]);
        let (mut topics, mut logs) = (Vec::<Topic>::new(), Vec::new());
        let mut any_compacted = false;
        for (id, object) in names.objects.iter().enumerate() {
            let ObjectKind::Log { topic, compacted } = object.kind else { continue };
            let at = *topic_of[topic.index()].get_or_insert_with(|| {
                let mut lanes: Vec<(usize, usize)> =
                    groups.iter().enumerate().filter(|(_, g)| g.is_owed() && g.source == topic.index()).map(|(i, g)| (g.lane, i)).collect();
                lanes.sort_unstable();
                let planes = [Plane::default(), Plane::default(), Plane::default()];
                let [placed, carried, appended] = planes;
                let groups = lanes.into_iter().map(|(_, group)| group).collect();
                topics.push(Topic { object: topic, logs: Vec::new(), groups, placed, carried, appended });
                topics.len() - 1
            });
            any_compacted |= compacted;
            log_of[id] = Some(logs.len());
            topics[at].logs.push(logs.len());
            let lanes = vec![Lane::default(); topics[at].groups.len()];
            let keys = compacted.then(Keys::default);
            logs.push(Log { object: ObjectId::at(id), topic: at, layers: Vec::new(), lanes, polled: 0, keys });
        }
        let judges = Logs {
            topic_of,
            log_of,
            topics,
            logs,
            waiting: Table::default(),
            transactions: Transactions::default(),
            polls: vec![0; names.nodes.len()],
            keys: any_compacted.then(|| Cells::new(8)),
            online: Online::default(),
            seen: 0,
            seen_acknowledged: 0,
        };
        (!judges.logs.is_empty()).then(|| Box::new(judges))
    }

    /// Whether a message was carried on to a topic that nobody had asked to send it to.
    pub(super) fn is_carried(&self, topic: usize, payload: PayloadId) -> bool {
        self.topic_of[topic].is_some_and(|topic| self.topics[topic].carried.has(payload.0))
    }

    /// The cases of a property that is decided while the run goes on.
    pub(super) fn online_cases(&self, property: Property) -> Option<&Cases> {
        let Online { duplicates, places, back, aborted, precommitted } = &self.online;
        let all = [
            (Property::NoLogDuplicate, duplicates),
            (Property::ConsistentOffsets, places),
            (Property::MonotonicPolls, &back[Stride::Between.index()]),
            (Property::MonotonicWithinPoll, &back[Stride::Within.index()]),
            (Property::NoRebalanceReread, &back[Stride::Rebalance.index()]),
            (Property::NoAbortedRead, aborted),
            (Property::NoPrecommittedRead, precommitted),
        ];
        all.into_iter().find(|(p, _)| *p == property).map(|(_, cases)| cases)
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        let log = |log: &Log| {
            let keys = log.keys.as_ref().map_or(0, Keys::bytes);
            log.layers.iter().map(Cells::bytes).sum::<usize>() + log.lanes.iter().map(Lane::bytes).sum::<usize>() + keys
        };
        let topic = |topic: &Topic| topic.placed.bytes() + topic.carried.bytes() + topic.appended.bytes();
        let all = self.topics.iter().map(topic).sum::<usize>() + self.logs.iter().map(log).sum::<usize>();
        all + self.waiting.bytes() + self.transactions.bytes() + self.keys.as_ref().map_or(0, Cells::bytes)
    }
}
