//! The history of a run: a stream of entries that judges fold over, and nothing else of the run.

use crate::base::{ClientOp, Digest, FaultId, NodeId, ObjectId, PayloadId, Time};

use super::{End, LogNote, Op, Place, Settlement};

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

impl Entry {
    /// Folds everything the entry says into a digest.
    pub fn fold(&self, digest: &mut Digest) {
        let op_word = |what: &Op| u64::from(what.payload().0) << 32 | u64::from(what.object().0);
        let note = |kind: u64, group: ObjectId, payload: PayloadId| (kind << 32 | u64::from(group.0), u64::from(payload.0));
        let (a, b) = match &self.what {
            What::Call { op, what } => (1 << 40 | u64::from(op.0), op_word(what)),
            What::End { op, what, end, place } => {
                fold_place(*place, digest);
                let how = match end {
                    End::Ok => 2,
                    End::Failed(_) => 3,
                    End::Unknown(_) => 4,
                };
                (how << 40 | u64::from(op.0), op_word(what))
            }
            What::Skipped { op, what } => (5 << 40 | u64::from(op.0), op_word(what)),
            What::Phase(phase) => (6 << 40, *phase as u64),
            What::Fault { fault, on } => (7 << 40 | u64::from(fault.0), u64::from(*on)),
            What::Note(Note::Subscribe { group }) => (8 << 40, u64::from(group.0)),
            What::Note(Note::Unsubscribe { group }) => (9 << 40, u64::from(group.0)),
            What::Note(Note::Deliver { group, payload, intact, redelivered, place }) => {
                fold_place(*place, digest);
                note(256 * 10 + u64::from(*intact) * 2 + u64::from(*redelivered), *group, *payload)
            }
            What::Note(Note::Settle { group, payload, how }) => note(256 * 11 + *how as u64, *group, *payload),
            What::Note(Note::Effect { group, payload }) => note(256 * 12, *group, *payload),
            What::Note(Note::Held { group, payload }) => note(256 * 13, *group, *payload),
            What::Note(Note::Log(LogNote::Poll { group })) => (14 << 40, u64::from(group.0)),
            What::Note(Note::Log(LogNote::Assigned { group, log })) => (15 << 40 | u64::from(group.0), u64::from(log.0)),
            What::Note(Note::Log(LogNote::Revoked { group, log })) => (16 << 40 | u64::from(group.0), u64::from(log.0)),
            What::Note(Note::Log(LogNote::Committed { group, place })) => {
                fold_place(Some(*place), digest);
                (17 << 40, u64::from(group.0))
            }
            What::Note(Note::Log(LogNote::Appended { payload, place })) => {
                fold_place(Some(*place), digest);
                (18 << 40, u64::from(payload.0))
            }
            What::Note(Note::Log(LogNote::InTransaction { transaction, payload })) => (19 << 40 | u64::from(payload.0), *transaction),
        };
        digest.words(self.at.nanos() ^ a, b ^ u64::from(self.node.0) << 48);
    }
}

/// Where it stood or landed, if in a log: histories without logs have the digests that they would have without this.
fn fold_place(place: Option<Place>, digest: &mut Digest) {
    if let Some(place) = place {
        digest.words(u64::from(place.log.0), place.offset);
    }
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
        /// Where the client was told that its message stands, if it was.
        place: Option<Place>,
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
        /// Where it stood, if it was read from a log.
        place: Option<Place>,
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
    /// Something happened at a log.
    Log(LogNote),
    /// Final read: the message is still held by a broker, deliverable.
    Held {
        /// The queue or subscription.
        group: ObjectId,
        /// Which message.
        payload: PayloadId,
    },
}

impl Note {
    /// The message that it is about, if it is about one.
    #[must_use]
    pub const fn payload(&self) -> Option<PayloadId> {
        match self {
            Note::Deliver { payload, .. }
            | Note::Settle { payload, .. }
            | Note::Effect { payload, .. }
            | Note::Held { payload, .. }
            | Note::Log(LogNote::Appended { payload, .. } | LogNote::InTransaction { payload, .. }) => Some(*payload),
            Note::Subscribe { .. }
            | Note::Unsubscribe { .. }
            | Note::Log(LogNote::Poll { .. } | LogNote::Assigned { .. } | LogNote::Revoked { .. } | LogNote::Committed { .. }) => None,
        }
    }
}

impl What {
    /// The message that it is about, if it is about one.
    #[must_use]
    pub const fn payload(&self) -> Option<PayloadId> {
        match self {
            What::Call { what, .. } | What::End { what, .. } | What::Skipped { what, .. } => Some(what.payload()),
            What::Note(note) => note.payload(),
            What::Phase(_) | What::Fault { .. } => None,
        }
    }
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
