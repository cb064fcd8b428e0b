//! The closed vocabulary of operations: what clients ask for, and how it ended.

use std::fmt;

use crate::base::{ClientOp, KeyId, ObjectId, PayloadId};

/// What a client asks for. Judges filter by kind and object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Hand a payload to a queue or topic.
    Publish {
        /// The queue or topic.
        to: ObjectId,
        /// The message key, for order and partitioning.
        key: KeyId,
        /// What is sent.
        payload: PayloadId,
        /// Size of the payload in bytes.
        bytes: u32,
    },
    /// A remote procedure call: the callee applies an effect for the payload and replies.
    Request {
        /// The service.
        to: ObjectId,
        /// The key the call is about.
        key: KeyId,
        /// The call's identity.
        payload: PayloadId,
        /// Size of the request in bytes.
        bytes: u32,
    },
}

impl Op {
    /// The payload the operation carries.
    #[must_use]
    pub const fn payload(self) -> PayloadId {
        match self {
            Op::Publish { payload, .. } | Op::Request { payload, .. } => payload,
        }
    }
    /// The object the operation acts on.
    #[must_use]
    pub const fn object(self) -> ObjectId {
        match self {
            Op::Publish { to, .. } | Op::Request { to, .. } => to,
        }
    }
    /// The key of the operation.
    #[must_use]
    pub const fn key(self) -> KeyId {
        match self {
            Op::Publish { key, .. } | Op::Request { key, .. } => key,
        }
    }
    /// The word for it in a story.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Op::Publish { .. } => "publish",
            Op::Request { .. } => "request",
        }
    }
}

/// An operation with its identity, on its way from the load to a client node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command {
    /// The operation's identity: the client ends it by this name.
    pub op: ClientOp,
    /// What is asked.
    pub what: Op,
}

/// Why an operation ended as it did, in the model's words (`"queue full"`, `"no answer in time"`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Reason(pub &'static str);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How an operation ended. A time-out is never a failure: it is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It happened, and the client was told. For fire-and-forget: it was handed to the network, nothing more.
    Ok,
    /// It certainly did not happen and never will.
    Failed(Reason),
    /// It may have happened, may still happen, or not.
    Unknown(Reason),
}

/// How a delivered or stored message left its queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Settlement {
    /// The consumer acknowledged it.
    Acknowledged,
    /// The consumer gave it back.
    Returned,
    /// Moved to the dead-letter queue.
    DeadLettered,
    /// Removed by retention before anybody took it.
    Expired,
    /// Removed or refused by a full queue's silent policy.
    Dropped,
    /// Removed by compaction: a later message with its key is in the log.
    Superseded,
}
