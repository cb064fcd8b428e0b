//! What goes into a sender and what comes out of it.

use crate::base::{KeyId, PayloadId};
use crate::record::Reason;

use super::super::batch::Outcome;
use super::super::ids::{Offset, Part, TopicId};

/// What whoever embeds a sender calls a record: it comes back with the record's fate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Token(pub u32);

/// A record to be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outgoing {
    /// Its name between sender and owner.
    pub token: Token,
    /// Where to.
    pub topic: TopicId,
    /// What it carries.
    pub payload: PayloadId,
    /// Its key.
    pub key: KeyId,
    /// Size of its value in bytes.
    pub bytes: u32,
}

/// What became of records.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// They are in the log; the first has this offset, the others follow.
    At(Offset),
    /// They were handed to the network, and nothing more will be heard of them (`acks = 0`).
    Gone,
    /// They are certainly not stored and never will be.
    Failed(Reason),
    /// They may be stored, may still be, or not.
    Unknown(Reason),
}

/// Records of one batch, or one that never got into a batch, are done with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Done {
    /// Where they went. `None`: nowhere yet.
    pub part: Option<Part>,
    /// Their names, in the order of their offsets.
    pub tokens: Vec<Token>,
    /// What became of them.
    pub fate: Fate,
}

/// What a sender tells its owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// Records are done with. In a transaction it still depends on its end whether they count.
    Done(Done),
    /// The transactional producer has its session: transactions can begin.
    Ready,
    /// The positions that were sent belong to the transaction.
    PositionsSent,
    /// The transaction has ended like that, and the next can begin.
    Ended(Outcome),
    /// Something went wrong in the transaction: nothing remains but to abort it.
    MustAbort(Reason),
    /// This producer will never do anything again. Whether the end of the transaction that was open had been asked for, and may have
    /// been decided, is `end_asked`.
    Stopped {
        /// Why.
        reason: Reason,
        /// A commit was under way.
        end_asked: bool,
    },
}
