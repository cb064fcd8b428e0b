//! What a coordinator works with: what it may look at, where its orders go, and who waits for which append.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Span, Time};
use crate::record::{Mark, Note};

use super::super::batch::{Batch, Position};
use super::super::broker::{Caller, Env};
use super::super::ids::{GroupId, MemberId, Part, Session};
use super::super::protocol::GroupReply;
use super::super::protocol::group::Generation;
use super::{GroupOut, GroupTimer};

/// What is to be done when an append is through.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Waiting {
    /// Positions count from then on.
    Commit { caller: Caller, positions: Arc<[Position]> },
    /// Positions wait for the end of their transaction.
    TxnCommit { caller: Caller, session: Session, positions: Arc<[Position]> },
    /// The assignment of a generation may be told.
    Assignment { generation: Generation },
    /// A static member has come back under a new name.
    Replaced { caller: Caller, old: MemberId, new: MemberId },
    /// A member may be told how far it has come.
    Beat { caller: Caller, reply: GroupReply },
    /// Positions are forgotten.
    Forget { parts: Arc<[Part]> },
    /// Nobody waits.
    Nobody,
}

/// The desk.
pub(super) struct Desk<'a, 'e> {
    pub(super) env: &'a mut Env<'e>,
    pub(super) out: &'a mut Vec<GroupOut>,
    /// Counts tickets, waits and signs of life; never goes back while the process lives.
    pub(super) serial: &'a mut u64,
    pub(super) tickets: &'a mut BTreeMap<u64, (GroupId, Waiting)>,
}

impl Desk<'_, '_> {
    pub(super) fn now(&self) -> Time {
        self.env.now
    }

    pub(super) fn next(&mut self) -> u64 {
        *self.serial += 1;
        *self.serial
    }

    pub(super) fn answer(&mut self, caller: Caller, reply: GroupReply) {
        self.out.push(GroupOut::Answer(caller, reply));
    }

    pub(super) fn timer(&mut self, after: Span, timer: GroupTimer) {
        self.out.push(GroupOut::Timer(after, timer));
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.out.push(GroupOut::Mark(mark));
    }

    pub(super) fn note(&mut self, note: Note) {
        self.out.push(GroupOut::Note(note));
    }

    /// Appends to the group's home.
    pub(super) fn append(&mut self, group: GroupId, batch: Batch, waiting: Waiting) -> u64 {
        let ticket = self.next();
        let home = self.env.config.groups[group.index()].home;
        self.tickets.insert(ticket, (group, waiting));
        self.out.push(GroupOut::Append { home, batch, ticket });
        ticket
    }
}
