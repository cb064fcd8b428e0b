//! What a disk holds of a log, and the log that a broker makes of it when it starts.

use std::sync::Arc;

use crate::base::Time;

use super::super::batch::Stored;
use super::super::ids::{Epoch, Offset};
use super::checkpoints::Checkpoints;
use super::producers::{Effect, Producers};
use super::{Entries, Epochs, Log, Rules};

/// How a log ends: logs that end alike are alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tail {
    /// Where.
    pub end: Offset,
    /// The epoch of its last batch.
    pub epoch: Option<Epoch>,
}

/// One log on a disk: the fold of what was written about it. Where a write is missing, what comes after the gap is of no use: it is left out
/// until the log is cut or compacted to before the gap.
#[derive(Clone, Debug, Default)]
pub struct Image {
    start: Offset,
    end: Offset,
    entries: Entries,
    epochs: Epochs,
    /// What was known of producers at the start.
    producers: Arc<Producers>,
    /// Up to where it was compacted.
    clean: Offset,
    /// Where batches begin whose bits have flipped, in order.
    damaged: Vec<Offset>,
    /// Something after the end was lost.
    gap: bool,
}

impl Image {
    /// A batch was appended to a log that ended there. Where that is not how this one ends, something is missing.
    pub fn append(&mut self, after: Tail, entry: Stored) {
        if after.end < self.end {
            // The cut between the two was lost as a write: the batch says where the log ended.
            self.truncate(after.end);
        }
        self.gap |= after != Tail { end: self.end, epoch: self.entries.last().map(|last| last.epoch) };
        if !self.gap {
            self.epochs.assign(entry.epoch, entry.base);
            self.end = entry.end();
            self.entries.push(entry);
        }
    }

    /// The log was cut.
    pub fn truncate(&mut self, to: Offset) {
        if to > self.end {
            return;
        }
        self.entries.truncate(to);
        self.epochs.truncate(to);
        self.damaged.retain(|base| *base < to);
        if to < self.start {
            self.producers = Arc::default();
        }
        (self.start, self.clean) = (self.start.min(to), self.clean.min(to));
        self.end = to;
        self.gap = false;
    }

    /// The log begins at an offset, with this batch (its offset and epoch), or, with none, ends at `end`; and this is known of producers
    /// at the start. Where that is not so here, what is here comes from before a cut that was lost, or ends too early.
    pub fn delete_below(&mut self, start: Offset, (first, end): (Option<(Offset, Epoch)>, Offset), producers: Arc<Producers>) {
        if start <= self.start {
            return;
        }
        let same = match first {
            Some(first) => self.has(first),
            None => self.end == end && self.entries.last().is_none_or(|last| last.end() <= start),
        };
        if same {
            self.entries.remove_below(start);
            self.epochs.start_at(start);
            self.damaged.retain(|base| *base >= start);
        } else {
            *self = Image { end: if first.is_some() { start } else { end }, gap: first.is_some(), ..Image::default() };
        }
        (self.start, self.clean) = (start, self.clean.max(start));
        self.producers = producers;
    }

    fn has(&self, (base, epoch): (Offset, Epoch)) -> bool {
        self.entries.from(base).next().is_some_and(|entry| (entry.base, entry.epoch) == (base, epoch))
    }

    /// This is what compaction has left below an offset. Where the last of it is not here as well, this is another log, and stays as it is.
    pub fn compacted(&mut self, to: Offset, kept: &[Stored]) {
        if !kept.last().is_some_and(|last| self.has((last.base, last.epoch))) {
            return;
        }
        self.entries.replace_below(to, kept.iter().filter(|entry| entry.end() > self.start).cloned().collect());
        self.damaged.retain(|base| *base >= to);
        self.clean = self.clean.max(to);
    }

    /// Damages one of the batches, chosen by `word`; `false` when there is none.
    pub fn flip(&mut self, word: u64) -> bool {
        let count = self.entries.len() as u64;
        if count == 0 {
            return false;
        }
        let which = usize::try_from(word % count).expect("an index");
        let base = self.entries.from(0).nth(which).expect("below the number of batches").base;
        if let Err(at) = self.damaged.binary_search(&base) {
            self.damaged.insert(at, base);
        }
        true
    }

    /// Where it ends.
    #[must_use]
    pub const fn end(&self) -> Offset {
        self.end
    }

    /// How many batches it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// How a broker stopped, as far as one of its logs goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// It had the time to sync and to say so: nothing is looked at again.
    Cleanly,
    /// It had not: what comes at or after this recovery point is looked at, and the log is cut before the first batch whose checksum is
    /// wrong.
    From(Offset),
}

impl Log {
    /// The log that a broker has when it starts: what its disk holds, with epochs, producers and transactions as the batches say, and
    /// segments as they would be if it had been appended in one go.
    #[must_use]
    pub fn recover(rules: Rules, mut image: Image, stopped: Stopped, now: Time) -> Log {
        if let Stopped::From(point) = stopped
            && let Some(bad) = image.damaged.iter().copied().find(|base| *base >= point)
        {
            image.truncate(bad);
        }
        let mut log = Log::beginning_at(rules, image.start);
        log.producers = Producers::clone(&image.producers);
        log.checkpoints = Checkpoints::from(image.start, image.producers);
        log.transactions.truncate(image.start, log.producers.all_open());
        for entry in image.entries.from(0) {
            log.segments.push(entry, rules.segment_bytes, rules.segment);
            log.take_up(entry);
            log.checkpoints.appended(entry.end(), &log.producers);
        }
        log.end = image.end;
        log.entries = image.entries;
        log.epochs = image.epochs;
        log.cleaning.start_at(image.clean);
        log.damaged = image.damaged;
        log.expire_producers(now);
        log
    }

    /// How it ends.
    #[must_use]
    pub fn tail(&self) -> Tail {
        Tail { end: self.end, epoch: self.entries.last().map(|last| last.epoch) }
    }

    /// Producers and transactions learn of a batch.
    #[inline]
    pub(super) fn take_up(&mut self, entry: &Stored) {
        match self.producers.apply(entry, self.rules.memory) {
            Effect::None => {}
            Effect::Begins(producer) => self.transactions.begin(entry.base, producer),
            Effect::Ends(producer, first, outcome) => self.transactions.end(producer, first, entry.base, outcome),
        }
    }
}
