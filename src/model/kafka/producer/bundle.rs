//! A batch on its way: first it is filled, then sent, perhaps more than once.

use std::sync::Arc;

use crate::base::{PayloadId, Time};

use super::super::batch::{BATCH_OVERHEAD, Batch, Rec, Stamp};
use super::super::ids::{Epoch, Session};
use super::Token;

/// A batch and what happened to it so far.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    /// Its name in requests under way: counted.
    pub(super) id: u32,
    /// Its records, until it is sent for the first time.
    records: Vec<Rec>,
    /// Their names, in the same order.
    pub(super) tokens: Vec<Token>,
    /// Its size.
    pub(super) bytes: u32,
    /// How large it may become; so much of `buffer.memory` is taken.
    pub(super) room: u32,
    /// Whether more may come in.
    pub(super) is_open: bool,
    /// When its first record came.
    pub(super) created: Time,
    /// How often it was put back to be sent again.
    pub(super) retries: u32,
    /// It is not sent again before this.
    pub(super) not_before: Time,
    /// The epoch of the leader that it was sent to last.
    pub(super) epoch: Epoch,
    /// An attempt may have been stored, or may yet be.
    pub(super) doubt: bool,
    /// It is under way.
    pub(super) in_flight: bool,
    /// Its number in its partition, once it has one.
    pub(super) stamp: Option<Stamp>,
    /// It was numbered anew after it had been sent.
    pub(super) renumbered: bool,
    /// What goes over the wire.
    sealed: Option<Arc<Batch>>,
}

impl Bundle {
    /// Empty, for about so many records.
    pub(super) fn new(id: u32, created: Time, room: u32, about: usize) -> Bundle {
        Bundle {
            id,
            records: Vec::with_capacity(about),
            tokens: Vec::with_capacity(about),
            bytes: BATCH_OVERHEAD,
            room,
            is_open: true,
            created,
            retries: 0,
            not_before: Time::ZERO,
            epoch: 0,
            doubt: false,
            in_flight: false,
            stamp: None,
            renumbered: false,
            sealed: None,
        }
    }

    /// Whether a record of this size fits in.
    #[inline]
    pub(super) const fn fits(&self, size: u32) -> bool {
        self.is_open && self.bytes + size <= self.room
    }

    /// Takes a record that fits.
    #[inline]
    pub(super) fn push(&mut self, mut record: Rec, token: Token) {
        debug_assert!(self.sealed.is_none() && self.is_open, "only an open batch takes records");
        record.delta = u32::try_from(self.records.len()).expect("a batch has fewer than 2^32 records");
        self.bytes += record.size();
        self.records.push(record);
        self.tokens.push(token);
    }

    /// Whether it takes no more.
    #[inline]
    pub(super) const fn is_full(&self) -> bool {
        !self.is_open || self.bytes >= self.room
    }

    /// How many records it has.
    pub(super) fn span(&self) -> u32 {
        u32::try_from(self.tokens.len()).expect("a batch has fewer than 2^32 records")
    }

    /// The number after its last record's.
    pub(super) fn next_number(&self) -> Option<u32> {
        self.stamp.map(|stamp| stamp.sequence + self.span())
    }

    /// What is compared to find the first of a partition's numbered batches.
    pub(super) fn order(&self) -> Option<(Session, u32)> {
        self.stamp.map(|stamp| (stamp.session, stamp.sequence))
    }

    /// Gives it a number.
    pub(super) fn number(&mut self, stamp: Stamp) {
        self.stamp = Some(stamp);
        self.sealed = self.sealed.take().map(|batch| Arc::new(Batch { stamp: Some(stamp), ..Batch::clone(&batch) }));
    }

    /// What goes over the wire. Nothing can be added from now on.
    pub(super) fn seal(&mut self, transactional: bool) -> Arc<Batch> {
        self.is_open = false;
        let (records, stamp) = (&mut self.records, self.stamp);
        let batch = self.sealed.get_or_insert_with(|| Arc::new(Batch::records(std::mem::take(records), stamp, transactional)));
        Arc::clone(batch)
    }

    /// Its first record's payload.
    pub(super) fn first(&self) -> PayloadId {
        match &self.sealed {
            Some(batch) => batch.as_records()[0].payload,
            None => self.records[0].payload,
        }
    }
}
