//! What a configuration promises, in the vocabulary that judges answer in.

use std::fmt;

/// The properties that judges decide. Each has a name for when it should hold and one for its breach. Those about logs
/// ([`Property::LOG`]) are judged only in runs that have logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    /// Every acknowledged message was delivered, or left by a declared way (dead letters, retention, overflow), or is still held.
    AckedSurvives,
    /// Every acknowledged message was delivered to every group entitled to it, or moved to the dead letters, or is still held.
    AckedDelivered,
    /// No group received a message twice.
    NoDuplicateDelivery,
    /// No group applied a message's effect twice.
    NoDuplicateEffect,
    /// Every delivered message's effect was applied.
    NoMissingEffect,
    /// Nothing was delivered that was never sent, or to a group not entitled to it.
    NothingUnexpected,
    /// Nothing was delivered damaged.
    NothingCorrupted,
    /// First deliveries follow the real-time order of publishing.
    OrderGlobal,
    /// The same, among messages with one key.
    OrderPerKey,
    /// The same, among messages of one producer.
    OrderPerProducer,
    /// No group saw a later message of a producer and key while an earlier acknowledged one never came.
    NoGaps,
    /// What was reported as failed was neither delivered nor applied.
    FailedStaysFailed,
    /// After healing everything came to rest: nothing pending, nothing deliverable left undelivered.
    Drained,
    /// No message that a log must have taken in is missing although somebody read the log beyond its place.
    NoLostWrite,
    /// Every acknowledged message in a log was polled by some group that it is owed to, or left by a declared way, or is still held.
    AllSeen,
    /// No message stands at two places of one topic.
    NoLogDuplicate,
    /// Nobody found different messages at one place.
    ConsistentOffsets,
    /// From one poll to the next, no reader went on beyond messages of its log.
    NoPollSkip,
    /// Within one poll, no reader went on beyond messages of its log.
    NoPollSkipWithin,
    /// When a log was assigned anew, its reader did not begin beyond messages that its group had not polled.
    NoRebalanceSkip,
    /// From one poll to the next, no reader went back in its log.
    MonotonicPolls,
    /// Within one poll, no reader went back in its log.
    MonotonicWithinPoll,
    /// When a log was assigned anew, its reader did not begin with what its group had polled.
    NoRebalanceReread,
    /// No group was given a message whose operation failed.
    NoAbortedRead,
    /// No node was given a message of its own transaction before that had ended.
    NoPrecommittedRead,
    /// No group saw a part of a transaction, and what ended well is there as a whole.
    WholeTransactions,
    /// Of each key of a compacted log, the last acknowledged message was delivered or is still held.
    LatestPerKey,
}

impl Property {
    /// All properties, in the order of reports.
    pub const ALL: [Property; 27] = {
        let mut all = [Property::AckedSurvives; 27];
        let mut at = 0;
        while at < all.len() {
            all[at] = if at < Property::DELIVERY.len() { Property::DELIVERY[at] } else { Property::LOG[at - Property::DELIVERY.len()] };
            at += 1;
        }
        all
    };

    /// Those about logs: judged when a run has any.
    pub const LOG: [Property; 14] = [
        Property::NoLostWrite,
        Property::AllSeen,
        Property::NoLogDuplicate,
        Property::ConsistentOffsets,
        Property::NoPollSkip,
        Property::NoPollSkipWithin,
        Property::NoRebalanceSkip,
        Property::MonotonicPolls,
        Property::MonotonicWithinPoll,
        Property::NoRebalanceReread,
        Property::NoAbortedRead,
        Property::NoPrecommittedRead,
        Property::WholeTransactions,
        Property::LatestPerKey,
    ];

    /// Those that every run is judged by.
    pub const DELIVERY: [Property; 13] = [
        Property::AckedSurvives,
        Property::AckedDelivered,
        Property::NoDuplicateDelivery,
        Property::NoDuplicateEffect,
        Property::NoMissingEffect,
        Property::NothingUnexpected,
        Property::NothingCorrupted,
        Property::OrderGlobal,
        Property::OrderPerKey,
        Property::OrderPerProducer,
        Property::NoGaps,
        Property::FailedStaysFailed,
        Property::Drained,
    ];

    /// The name in `expect.always`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Property::AckedSurvives => "acked_survives",
            Property::AckedDelivered => "acked_delivered",
            Property::NoDuplicateDelivery => "no_duplicate_delivery",
            Property::NoDuplicateEffect => "no_duplicate_effect",
            Property::NoMissingEffect => "no_missing_effect",
            Property::NothingUnexpected => "nothing_unexpected",
            Property::NothingCorrupted => "nothing_corrupted",
            Property::OrderGlobal => "order_global",
            Property::OrderPerKey => "order_per_key",
            Property::OrderPerProducer => "order_per_producer",
            Property::NoGaps => "no_gaps",
            Property::FailedStaysFailed => "failed_stays_failed",
            Property::Drained => "drained",
            Property::NoLostWrite => "no_lost_write",
            Property::AllSeen => "all_seen",
            Property::NoLogDuplicate => "no_log_duplicate",
            Property::ConsistentOffsets => "consistent_offsets",
            Property::NoPollSkip => "no_poll_skip",
            Property::NoPollSkipWithin => "no_poll_skip_within",
            Property::NoRebalanceSkip => "no_rebalance_skip",
            Property::MonotonicPolls => "monotonic_polls",
            Property::MonotonicWithinPoll => "monotonic_within_poll",
            Property::NoRebalanceReread => "no_rebalance_reread",
            Property::NoAbortedRead => "no_aborted_read",
            Property::NoPrecommittedRead => "no_precommitted_read",
            Property::WholeTransactions => "whole_transactions",
            Property::LatestPerKey => "latest_per_key",
        }
    }

    /// The name of its breach, in `expect.share` and `expect.sometimes`.
    #[must_use]
    pub const fn breach(self) -> &'static str {
        match self {
            Property::AckedSurvives => "acked_lost",
            Property::AckedDelivered => "acked_undelivered",
            Property::NoDuplicateDelivery => "duplicate_delivery",
            Property::NoDuplicateEffect => "duplicate_effect",
            Property::NoMissingEffect => "missing_effect",
            Property::NothingUnexpected => "unexpected",
            Property::NothingCorrupted => "corrupted",
            Property::OrderGlobal => "reordered",
            Property::OrderPerKey => "reordered_per_key",
            Property::OrderPerProducer => "reordered_per_producer",
            Property::NoGaps => "gaps",
            Property::FailedStaysFailed => "failed_but_happened",
            Property::Drained => "stuck",
            Property::NoLostWrite => "lost_write",
            Property::AllSeen => "unseen",
            Property::NoLogDuplicate => "log_duplicate",
            Property::ConsistentOffsets => "inconsistent_offsets",
            Property::NoPollSkip => "poll_skip",
            Property::NoPollSkipWithin => "poll_skip_within",
            Property::NoRebalanceSkip => "rebalance_skip",
            Property::MonotonicPolls => "nonmonotonic_poll",
            Property::MonotonicWithinPoll => "nonmonotonic_within_poll",
            Property::NoRebalanceReread => "rebalance_reread",
            Property::NoAbortedRead => "aborted_read",
            Property::NoPrecommittedRead => "precommitted_read",
            Property::WholeTransactions => "torn_transaction",
            Property::LatestPerKey => "latest_lost",
        }
    }

    /// One sentence for people: what it says when it holds.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Property::AckedSurvives => "no acknowledged message is lost by the broker",
            Property::AckedDelivered => "every acknowledged message reaches everyone it is owed to",
            Property::NoDuplicateDelivery => "nobody receives a message twice",
            Property::NoDuplicateEffect => "no message takes effect twice",
            Property::NoMissingEffect => "every delivered message takes effect",
            Property::NothingUnexpected => "nothing arrives that was not sent",
            Property::NothingCorrupted => "nothing arrives damaged",
            Property::OrderGlobal => "messages arrive in the order in which they were sent",
            Property::OrderPerKey => "messages with one key arrive in the order in which they were sent",
            Property::OrderPerProducer => "messages of one producer arrive in the order in which they were sent",
            Property::NoGaps => "nobody sees a later message while an earlier one of the same producer and key never comes",
            Property::FailedStaysFailed => "what was reported as failed never happens",
            Property::Drained => "after healing everything comes to rest",
            Property::NoLostWrite => "no message is missing in a log that was read beyond it",
            Property::AllSeen => "every acknowledged message in a log is read by somebody it is owed to",
            Property::NoLogDuplicate => "no message stands at two places of a topic",
            Property::ConsistentOffsets => "everybody finds the same message at one place of a log",
            Property::NoPollSkip => "no reader goes on beyond messages from one poll to the next",
            Property::NoPollSkipWithin => "no poll leaves out messages between those that it returns",
            Property::NoRebalanceSkip => "whoever takes over a log does not begin beyond unread messages",
            Property::MonotonicPolls => "no reader goes back in a log from one poll to the next",
            Property::MonotonicWithinPoll => "no poll goes back in a log",
            Property::NoRebalanceReread => "whoever takes over a log begins where its group had stopped",
            Property::NoAbortedRead => "nobody reads a message whose operation failed",
            Property::NoPrecommittedRead => "nobody reads its own message before its transaction has ended",
            Property::WholeTransactions => "transactions are seen as a whole or not at all",
            Property::LatestPerKey => "of each key in a compacted log the last message stays",
        }
    }

    /// Whether it is about logs.
    #[must_use]
    pub fn is_about_logs(self) -> bool {
        Property::LOG.contains(&self)
    }

    /// The property with this name, or whose breach has it.
    #[must_use]
    pub fn find(name: &str) -> Option<Property> {
        Property::ALL.into_iter().find(|p| p.name() == name || p.breach() == name)
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing a configuration promises, or expressly does not.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Promise {
    /// What.
    pub property: Property,
    /// Whether it is promised. When not, a breach is an observation, not a violation.
    pub promised: bool,
    /// Which settings make it so, in one clause.
    pub because: String,
}

/// All promises of a configuration: every property is either promised or not, with a reason.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Promises(pub Vec<Promise>);

impl Promises {
    /// Whether a property is promised. What is not mentioned is not.
    #[must_use]
    pub fn promised(&self, property: Property) -> bool {
        self.0.iter().any(|p| p.property == property && p.promised)
    }
    /// Adds a promise.
    pub fn promise(&mut self, property: Property, because: impl Into<String>) {
        self.0.push(Promise { property, promised: true, because: because.into() });
    }
    /// States that something is not promised.
    pub fn withhold(&mut self, property: Property, because: impl Into<String>) {
        self.0.push(Promise { property, promised: false, because: because.into() });
    }
}
