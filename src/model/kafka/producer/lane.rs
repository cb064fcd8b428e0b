//! What a producer holds for one partition: batches being filled, under way, and waiting to be sent again.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Span, Time};

use super::super::batch::{Rec, Stamp};
use super::super::ids::{Epoch, Session};
use super::Token;
use super::bundle::Bundle;

/// One partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane {
    /// Batches that were never sent, the oldest first; only the last is open.
    pub(super) fresh: VecDeque<Bundle>,
    /// Batches that were sent and are not done, by name.
    pub(super) sent: BTreeMap<u32, Bundle>,
    /// Those of them that wait to be sent again, next first.
    again: VecDeque<u32>,
    /// Nothing more is sent before the batch under way is answered.
    pub(super) is_muted: bool,
    /// How many records the last batch had: room is made for so many.
    usual: usize,
    /// Sequence numbers.
    pub(super) numbers: Numbers,
}

/// The sequence numbers of an idempotent producer in one partition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Numbers {
    /// Whose they are.
    pub(super) session: Option<Session>,
    /// The next batch's.
    pub(super) next: u32,
    /// The number after the last that was acknowledged.
    pub(super) acked: u32,
    /// A batch that ends before this was given up after it had been sent more than once: nobody knows whether the number is taken.
    pub(super) unresolved: Option<u32>,
}

/// When the first batch in line can be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// There is none.
    Empty,
    /// Not before this.
    From(Time),
    /// Now.
    Ready,
}

impl Lane {
    /// Whether it holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.fresh.is_empty() && self.sent.is_empty()
    }

    /// Whether a record of this size fits into the batch that is being filled.
    #[inline]
    pub(super) fn fits(&self, size: u32) -> bool {
        self.fresh.back().is_some_and(|bundle| bundle.fits(size))
    }

    /// Puts a record into the batch that is being filled, where it fits. Whether the batch is full now.
    #[inline]
    pub(super) fn push(&mut self, record: Rec, token: Token) -> bool {
        let bundle = self.fresh.back_mut().expect("a batch is being filled");
        bundle.push(record, token);
        bundle.is_full()
    }

    /// Begins a new batch; the one before takes no more.
    pub(super) fn begin(&mut self, id: u32, now: Time, room: u32) {
        if let Some(last) = self.fresh.back_mut() {
            last.is_open = false;
            self.usual = last.tokens.len();
        }
        self.fresh.push_back(Bundle::new(id, now, room, self.usual));
    }

    /// The first batch in line.
    pub(super) fn head(&self) -> Option<&Bundle> {
        match self.again.front() {
            Some(id) => self.sent.get(id),
            None => self.fresh.front(),
        }
    }

    /// When the first batch in line can be sent to a leader of this epoch. `linger`: how long a batch waits for more records. A batch
    /// that is sent again waits for its pause, unless there is a new leader.
    pub(super) fn look(&self, now: Time, linger: Span, epoch: Epoch) -> Look {
        let Some(head) = self.head() else { return Look::Empty };
        if head.not_before > now && head.epoch >= epoch {
            return Look::From(head.not_before);
        }
        let is_full = head.is_full() || self.again.len() + self.fresh.len() > 1;
        match head.created + linger {
            over if is_full || over <= now => Look::Ready,
            over => Look::From(over),
        }
    }

    /// Whether the first batch in line pauses before it is sent again.
    pub(super) fn is_pausing(&self, now: Time, epoch: Epoch) -> bool {
        self.head().is_some_and(|head| head.not_before > now && head.epoch >= epoch)
    }

    /// The first batch in line is under way from now on.
    pub(super) fn take(&mut self, epoch: Epoch) -> &mut Bundle {
        let id = self.again.pop_front().unwrap_or_else(|| {
            let bundle = self.fresh.pop_front().expect("somebody looked before");
            self.usual = self.usual.max(bundle.tokens.len());
            let id = bundle.id;
            self.sent.insert(id, bundle);
            id
        });
        let bundle = self.sent.get_mut(&id).expect("what waits was sent before");
        (bundle.in_flight, bundle.epoch) = (true, epoch);
        bundle
    }

    /// A batch goes back into the line: with a number before the next higher one, otherwise to the very front.
    pub(super) fn put_back(&mut self, id: u32) {
        let number = |id: &u32| self.sent.get(id).and_then(|bundle| bundle.stamp).map(|stamp| stamp.sequence);
        let own = number(&id);
        let at = self.again.iter().take_while(|other| own.is_some() && number(other) < own).count();
        self.again.insert(at, id);
    }

    /// Takes a batch out that was sent.
    pub(super) fn remove(&mut self, id: u32) -> Option<Bundle> {
        self.again.retain(|other| *other != id);
        self.sent.remove(&id)
    }

    /// The name and number of the first of the numbered batches that were sent and are not done.
    pub(super) fn first_numbered(&self) -> Option<(Session, u32)> {
        self.sent.values().filter_map(Bundle::order).min()
    }

    /// All sequence numbers begin at zero under a session; batches that were sent are numbered anew, in their order.
    pub(super) fn restart(&mut self, session: Session) {
        let mut sent: Vec<((Session, u32), u32)> = self.sent.values().filter_map(|bundle| Some((bundle.order()?, bundle.id))).collect();
        sent.sort_unstable();
        let mut sequence = 0;
        for (_, id) in sent {
            if let Some(bundle) = self.sent.get_mut(&id) {
                bundle.number(Stamp { session, sequence });
                bundle.renumbered = true;
                sequence += bundle.span();
            }
        }
        self.numbers = Numbers { session: Some(session), next: sequence, acked: 0, unresolved: None };
    }

    /// A batch certainly failed: those with later numbers move up by as much.
    pub(super) fn close_gap(&mut self, after: Stamp, span: u32) {
        self.numbers.next = self.numbers.next.saturating_sub(span);
        for bundle in self.sent.values_mut() {
            if let Some(stamp) = bundle.stamp.filter(|stamp| stamp.session == after.session && stamp.sequence > after.sequence) {
                bundle.number(Stamp { sequence: stamp.sequence - span, ..stamp });
                bundle.renumbered = true;
            }
        }
    }

    /// When the oldest of its batches came into being.
    pub(super) fn oldest(&self) -> Option<Time> {
        self.sent.values().chain(self.fresh.front()).map(|bundle| bundle.created).min()
    }

    /// Batches that were sent and are not done, and have waited since before a moment: first those in line, then those under way.
    pub(super) fn sent_before(&self, moment: Time) -> Vec<u32> {
        let old = |id: &u32| self.sent.get(id).is_some_and(|bundle| bundle.created <= moment);
        let under_way = self.sent.values().filter(|bundle| bundle.in_flight).map(|bundle| bundle.id);
        self.again.iter().copied().chain(under_way).filter(old).collect()
    }

    /// Takes out all batches without a number that are not under way. Those with one have been sent, and are sent again.
    pub(super) fn drop_unnumbered(&mut self) -> Vec<Bundle> {
        let (numbered, others): (VecDeque<u32>, VecDeque<u32>) =
            self.again.iter().partition(|id| self.sent.get(id).is_some_and(|bundle| bundle.stamp.is_some()));
        self.again = numbered;
        others.iter().filter_map(|id| self.sent.remove(id)).chain(self.fresh.drain(..)).collect()
    }

    /// Takes out everything.
    pub(super) fn drop_all(&mut self) -> Vec<Bundle> {
        self.again.clear();
        std::mem::take(&mut self.sent).into_values().chain(self.fresh.drain(..)).collect()
    }
}
