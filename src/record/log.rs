//! Logs: where in them something stands, and what happens at them besides publishing and delivering.

use std::fmt;

use crate::base::{ObjectId, PayloadId};

/// A place in a log. What stands there once stays there; where two readers find different things at one place, the log has forked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The log: one partition of a topic ([`super::ObjectKind::Log`]).
    pub log: ObjectId,
    /// How far from its beginning. Numbers may be left out (markers, compaction); none is given twice.
    pub offset: u64,
}

/// What happens at logs, as their clients see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogNote {
    /// A read returned to a consumer's code: the deliveries that follow at this node, up to the next of these, came with it.
    Poll {
        /// The subscription it reads for.
        group: ObjectId,
    },
    /// A consumer reads a log from now on. Where it begins is up to its group's position. A consumer that goes back on purpose (after
    /// an aborted transaction) says so with one of these.
    Assigned {
        /// The subscription.
        group: ObjectId,
        /// The log.
        log: ObjectId,
    },
    /// A consumer no longer reads a log, and has been told.
    Revoked {
        /// The subscription.
        group: ObjectId,
        /// The log.
        log: ObjectId,
    },
    /// A group's position was kept: whoever reads the log next for it begins here.
    Committed {
        /// The subscription.
        group: ObjectId,
        /// The next to be read.
        place: Place,
    },
    /// A client that the load did not ask (one that reads from one topic and writes to another) was told where its message landed. In a
    /// transaction it is told so when the transaction has ended well, not before.
    Appended {
        /// The message: it keeps the number it had where it was read.
        payload: PayloadId,
        /// Where it is now.
        place: Place,
    },
    /// A message belongs to a transaction: written by the producer before the operation ends, which it does with the
    /// transaction. Transactions are numbered by their producers and the number is used once in a run.
    InTransaction {
        /// The number.
        transaction: u64,
        /// The message.
        payload: PayloadId,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.log, self.offset)
    }
}
