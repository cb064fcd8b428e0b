//! The transactions of one log: which are open, and how those that ended did [S:kafka ProducerStateManager, TransactionIndex].

use super::super::batch::Outcome;
use super::super::ids::{Offset, ProducerId};

/// A transaction that has ended in this log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Whose.
    pub producer: ProducerId,
    /// Where its first batch is.
    pub first: Offset,
    /// Where its marker is.
    pub marker: Offset,
    /// Where the first transaction began that was open after that, or what comes after the marker: no later transaction in this list began
    /// before.
    pub stable: Offset,
    /// How.
    pub outcome: Outcome,
}

/// The transactions of one log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transactions {
    /// Open ones, by their first offsets.
    open: Vec<(Offset, ProducerId)>,
    /// Those that ended, by their markers. Those of which the log holds nothing any more are forgotten.
    ended: Vec<Ended>,
}

impl Transactions {
    /// A transaction begins.
    pub(super) fn begin(&mut self, first: Offset, producer: ProducerId) {
        self.open.push((first, producer));
    }

    /// It ends.
    pub(super) fn end(&mut self, producer: ProducerId, first: Offset, marker: Offset, outcome: Outcome) {
        self.open.retain(|(from, _)| *from != first);
        let stable = self.open.first().map_or(marker + 1, |(from, _)| *from);
        self.ended.push(Ended { producer, first, marker, stable, outcome });
    }

    /// The first offset of a transaction that is open, or whose marker is not below the high watermark.
    #[must_use]
    pub fn first_unstable(&self, high_watermark: Offset) -> Option<Offset> {
        let settled = self.ended.partition_point(|ended| ended.marker < high_watermark);
        let unsettled = self.ended[settled..].iter().map(|ended| ended.first).min();
        let open = self.open.first().map(|(from, _)| *from);
        open.into_iter().chain(unsettled).min()
    }

    /// Those that were aborted and have batches in a range, by their markers.
    pub fn aborted(&self, from: Offset, until: Offset) -> impl Iterator<Item = &Ended> {
        let first = self.ended.partition_point(|ended| ended.marker < from);
        let rest = &self.ended[first..];
        let last = rest.iter().position(|ended| ended.stable >= until).map_or(rest.len(), |at| at + 1);
        rest[..last].iter().filter(move |ended| ended.first < until && ended.outcome == Outcome::Abort)
    }

    /// How the transaction ended to which a producer's batch at an offset belongs. `None`: it is open.
    #[must_use]
    pub fn outcome(&self, producer: ProducerId, at: Offset) -> Option<Outcome> {
        let later = self.ended.partition_point(|ended| ended.marker < at);
        self.ended[later..].iter().find(|ended| ended.producer == producer && ended.first <= at).map(|ended| ended.outcome)
    }

    /// The open ones: their first offsets and producers.
    #[must_use]
    pub fn open(&self) -> &[(Offset, ProducerId)] {
        &self.open
    }

    /// Those that ended and of which the log may still hold something.
    #[must_use]
    pub fn ended(&self) -> &[Ended] {
        &self.ended
    }

    /// The log ends at an offset, and these are open there.
    pub(super) fn truncate(&mut self, end: Offset, mut open: Vec<(Offset, ProducerId)>) {
        self.ended.truncate(self.ended.partition_point(|ended| ended.marker < end));
        open.sort_unstable();
        self.open = open;
    }

    /// The log begins at an offset: transactions with markers before it are forgotten.
    pub(super) fn start_at(&mut self, start: Offset) {
        self.ended.drain(..self.ended.partition_point(|ended| ended.marker < start));
    }

    /// A producer is forgotten, and its open transaction with it.
    pub(super) fn forget(&mut self, producer: ProducerId) {
        self.open.retain(|(_, other)| *other != producer);
    }
}
