//! Retention: whole segments at the beginning of a log are removed when they are too old or the log is too large
//! [S:kafka UnifiedLog: deleteOldSegments].

use crate::base::Time;

use super::super::batch::Stored;
use super::super::ids::Offset;
use super::super::mutants::{Mutant, Mutants};
use super::{Log, Segment};

/// What was removed from the beginning of a log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Deleted {
    /// Where the log began before.
    pub from: Offset,
    /// Where it begins now.
    pub to: Offset,
    /// The batches, oldest first.
    pub batches: Vec<Stored>,
}

impl Deleted {
    /// Bytes that are free now.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.batches.iter().map(|entry| u64::from(entry.batch.bytes)).sum()
    }
}

impl Log {
    /// Removes what `retention.bytes` and `retention.ms` say, where `cleanup.policy` has `delete`. Segments go as a whole, the oldest first,
    /// and none that is not wholly below the high watermark. The active segment is no exception: when it is too old, all of the log
    /// goes, and a new segment begins at its end.
    pub fn retain(&mut self, now: Time, high_watermark: Offset, mutants: Mutants) -> Option<Deleted> {
        if !self.rules.cleanup.delete {
            return None;
        }
        let by_size = self.oversize(high_watermark);
        let by_age = self.too_old(by_size, now, high_watermark, mutants);
        if by_age == 0 {
            return None;
        }
        if by_age == self.segments.all().len() {
            self.segments.roll(self.end);
        }
        let start = self.segments.all()[by_age].base;
        Some(self.delete_below(start))
    }

    /// How many segments must go because of `retention.bytes`: so many as leave no less than that.
    fn oversize(&self, high_watermark: Offset) -> usize {
        let Some(mut excess) = self.rules.retention_bytes.and_then(|most| self.bytes().checked_sub(most)) else { return 0 };
        self.leading_while(0, high_watermark, |segment| match excess.checked_sub(segment.bytes) {
            Some(rest) => {
                excess = rest;
                true
            }
            None => false,
        })
    }

    /// How many segments must go when those too old are added to these.
    fn too_old(&self, gone: usize, now: Time, high_watermark: Offset, mutants: Mutants) -> usize {
        let Some(retention) = self.rules.retention else { return gone };
        self.leading_while(gone, high_watermark, |segment| {
            now.saturating_since(segment.latest) > retention || mutants.has(Mutant::RetentionTakesActive)
        })
    }

    /// How many segments from the beginning on may go, when those that are gone already are counted in. An active segment that is empty stays.
    fn leading_while(&self, gone: usize, high_watermark: Offset, mut goes: impl FnMut(&Segment) -> bool) -> usize {
        let all = self.segments.all();
        let more = all.iter().enumerate().skip(gone).take_while(|(at, segment)| {
            let empty = at + 1 == all.len() && segment.bytes == 0;
            self.segments.end(*at, self.end) <= high_watermark && !empty && goes(segment)
        });
        gone + more.count()
    }

    /// The log begins at an offset from now on, because its leader's does or because somebody wants that. A log that ends before is empty
    /// afterwards and goes on there.
    pub fn delete_below(&mut self, start: Offset) -> Deleted {
        let from = self.start;
        if start > self.end {
            let batches = self.entries().collect();
            self.restart(start);
            return Deleted { from, to: start, batches };
        }
        if start <= from {
            return Deleted { from, to: from, batches: Vec::new() };
        }
        self.checkpoints.start_at(start, &self.entries, self.rules.memory);
        let batches = self.entries.remove_below(start);
        self.start = start;
        let first = self.entries.from(0).next().map(|entry| entry.base);
        self.segments.start_at(start, first, &batches);
        self.epochs.start_at(start);
        self.transactions.start_at(start);
        self.cleaning.start_at(start);
        self.damaged.retain(|base| *base >= start);
        if self.rules.memory.known_by_log {
            for producer in self.producers.evict(start) {
                self.transactions.forget(producer);
            }
        }
        Deleted { from, to: start, batches }
    }
}
