//! The history of a run: a stream of entries that judges fold over, and nothing else of the run.

use crate::base::{ClientOp, FaultId, NodeId, ObjectId, PayloadId, Time};

use super::{End, Op, Settlement};

/// One thing that happened, at one node, at one moment of true virtual time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When, in true time (not the node's clock).
    pub at: Time,
    /// Where. For phases and faults: node 0, meaningless.
    pub node: NodeId,
    /// What.
    pub what: What,
}

/// What an entry tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// A client invoked an operation.
    Call {
        /// Its identity.
        op: ClientOp,
        /// What was asked.
        what: Op,
    },
    /// An operation ended. Operations without an end are still pending: unknown.
    End {
        /// Its identity.
        op: ClientOp,
        /// What was asked (repeated, so that judges need no table of open operations for it).
        what: Op,
        /// How it ended.
        end: End,
    },
    /// Something happened that nobody called for.
    Note(Note),
    /// The load could not hand an arrival to its client, because the client was down.
    Skipped {
        /// Its identity.
        op: ClientOp,
        /// What would have been asked.
        what: Op,
    },
    /// A phase of the run begins.
    Phase(Phase),
    /// A fault begins (`true`) or ends (`false`) to act.
    Fault {
        /// Which.
        fault: FaultId,
        /// Begins or ends.
        on: bool,
    },
}

/// Things that happen without a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// A consumer group begins to be entitled to what is published to an object from now on.
    Subscribe {
        /// The subscription (see [`super::ObjectKind::Subscription`]).
        group: ObjectId,
    },
    /// A consumer group is no longer entitled to later messages.
    Unsubscribe {
        /// The subscription.
        group: ObjectId,
    },
    /// A payload was handed to a consumer's code.
    Deliver {
        /// The queue, or the subscription of a topic.
        group: ObjectId,
        /// What arrived.
        payload: PayloadId,
        /// Whether the body is what was sent.
        intact: bool,
        /// Whether the broker marked it as delivered before.
        redelivered: bool,
    },
    /// A message left its queue.
    Settle {
        /// The queue or subscription.
        group: ObjectId,
        /// Which message.
        payload: PayloadId,
        /// How.
        how: Settlement,
    },
    /// The effect of a message was applied to the outside world (a row written, a dish cooked), durably.
    Effect {
        /// On whose behalf.
        group: ObjectId,
        /// For which message.
        payload: PayloadId,
    },
    /// Final read: the message is still held by a broker, deliverable.
    Held {
        /// The queue or subscription.
        group: ObjectId,
        /// Which message.
        payload: PayloadId,
    },
}

/// The phases of a run, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Load without faults; not counted in figures.
    Warm,
    /// Load with faults.
    Chaos,
    /// All faults lifted, all nodes started; load goes on.
    Heal,
    /// No new load: what is under way comes to rest.
    Drain,
    /// What is still held is read out.
    Final,
}

impl Phase {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Phase::Warm => "warm",
            Phase::Chaos => "chaos",
            Phase::Heal => "heal",
            Phase::Drain => "drain",
            Phase::Final => "final",
        }
    }
}
