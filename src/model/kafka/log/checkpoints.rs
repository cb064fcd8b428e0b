//! What was known of producers at earlier offsets, so that a log that is cut need not be read again from its beginning.

use std::sync::Arc;

use super::super::ids::Offset;
use super::entries::Entries;
use super::producers::{Memory, Producers};

/// A checkpoint is taken every so many batches.
const EVERY: u32 = 1024;
/// So many are kept, besides the one at the beginning of the log.
const MOST: usize = 8;

/// What was known of producers at some offsets.
#[derive(Clone, Debug)]
pub(super) struct Checkpoints {
    /// In order of offsets; the first one is where the log begins. Each has taken up all batches that end at or before its offset.
    taken: Vec<(Offset, Arc<Producers>)>,
    since: u32,
}

impl Checkpoints {
    pub(super) fn new(start: Offset) -> Checkpoints {
        Checkpoints { taken: vec![(start, Arc::default())], since: 0 }
    }

    /// Those of a log that begins there, and what is known there.
    pub(super) fn from(start: Offset, producers: Arc<Producers>) -> Checkpoints {
        Checkpoints { taken: vec![(start, producers)], since: 0 }
    }

    /// A batch was appended.
    #[inline]
    pub(super) fn appended(&mut self, end: Offset, producers: &Producers) {
        self.since += 1;
        if self.since >= EVERY {
            self.take(end, producers);
        }
    }

    #[cold]
    fn take(&mut self, end: Offset, producers: &Producers) {
        self.since = 0;
        if self.taken.len() > MOST {
            // Old ones become rarer.
            let mut at = 0;
            self.taken.retain(|_| {
                at += 1;
                at == 1 || at % 2 == 0 || at > MOST - 2
            });
        }
        self.taken.push((end, Arc::new(producers.clone())));
    }

    /// What is known at the beginning.
    pub(super) fn at_start(&self) -> Arc<Producers> {
        Arc::clone(&self.taken[0].1)
    }

    /// The log ends at an offset: what is known there.
    pub(super) fn rebuild(&mut self, end: Offset, entries: &Entries, memory: Memory) -> Producers {
        if self.taken[0].0 > end {
            *self = Checkpoints::new(end);
            return Producers::default();
        }
        self.taken.retain(|(at, _)| *at <= end);
        self.since = 0;
        self.known_at(end, entries, memory)
    }

    /// The log begins at an offset. Called before batches are removed.
    pub(super) fn start_at(&mut self, start: Offset, entries: &Entries, memory: Memory) {
        let known = if memory.known_by_log { Producers::default() } else { self.known_at(start, entries, memory) };
        self.taken.retain(|(at, _)| *at > start);
        for (_, later) in self.taken.iter_mut().filter(|_| memory.known_by_log) {
            Arc::make_mut(later).evict(start);
        }
        self.taken.insert(0, (start, Arc::new(known)));
    }

    fn known_at(&self, offset: Offset, entries: &Entries, memory: Memory) -> Producers {
        let (from, known) = self.taken.iter().rfind(|(at, _)| *at <= offset).expect("the first one is where the log begins");
        let mut producers = Producers::clone(known);
        for entry in entries.from(*from).take_while(|entry| entry.end() <= offset) {
            producers.apply(entry, memory);
        }
        producers
    }
}
