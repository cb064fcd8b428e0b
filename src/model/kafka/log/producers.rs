//! What a log knows of idempotent producers: the last batches of each, by which repetitions and gaps are told
//! [S:kafka ProducerStateManager, ProducerStateEntry, ProducerAppendInfo].
//!
//! Only a leader checks. A follower takes what its leader has appended, and knows the same in the end.

use crate::base::{Digest, Span, Time};

use super::super::batch::{Batch, Content, Outcome, Stamp, Stored};
use super::super::ids::{Epoch, Offset, ProducerId};
use super::super::mutants::{Mutant, Mutants};
use super::super::refusal::Refusal;

/// How many batches of a producer are remembered.
pub const WINDOW: usize = 5;

/// Sequence numbers go up to here and then on from 0.
pub const SEQUENCES: u32 = 1 << 31;

/// The sequence number that comes so many after another.
#[must_use]
pub const fn sequence_after(sequence: u32, count: u32) -> u32 {
    sequence.wrapping_add(count) % SEQUENCES
}

/// What versions of the broker do differently with producers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Memory {
    /// How many batches of a producer are remembered: one before 1.0, five since.
    pub window: usize,
    /// A producer of which nothing is known must begin with 0, and is forgotten when nothing of it is left in the log: before 2.4 and 2.5
    /// (KAFKA-7190, KIP-360). Since then any number will do.
    pub known_by_log: bool,
}

/// What is to be done with a batch that a leader is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Check {
    /// Append it.
    Fresh,
    /// It is there already: answer as the first time.
    Duplicate {
        /// The offset of its first record.
        base: Offset,
        /// The offset after its last.
        end: Offset,
    },
}

/// A batch of a producer that was appended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Sent {
    base: Offset,
    /// The number of its first record.
    sequence: u32,
    span: u32,
}

impl Sent {
    const fn end(&self) -> Offset {
        self.base + self.span as u64
    }
}

/// One producer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Entry {
    epoch: u16,
    /// Of the last marker's coordinator.
    coordinator: Option<Epoch>,
    /// When its last batch was appended.
    last: Time,
    /// The first offset of its open transaction.
    open: Option<Offset>,
    /// Its last batches in this epoch, oldest first.
    sent: [Sent; WINDOW],
    count: u8,
}

/// All producers of one log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Producers {
    ids: Vec<ProducerId>,
    entries: Vec<Entry>,
}

/// What a batch did to its producer's transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    None,
    /// It is the first of a transaction.
    Begins(ProducerId),
    /// It is the marker of the transaction that began there.
    Ends(ProducerId, Offset, Outcome),
}

impl Entry {
    const fn new(epoch: u16) -> Entry {
        let none = Sent { base: 0, sequence: 0, span: 0 };
        Entry { epoch, coordinator: None, last: Time::ZERO, open: None, sent: [none; WINDOW], count: 0 }
    }

    fn sent(&self) -> &[Sent] {
        &self.sent[..usize::from(self.count)]
    }

    fn push(&mut self, sent: Sent, window: usize) {
        let mut count = usize::from(self.count);
        if count >= window {
            self.sent.copy_within(1..count, 0);
            count -= 1;
        }
        self.sent[count] = sent;
        self.count = u8::try_from(count + 1).expect("a small window");
    }

    /// Forgets batches below an offset. Whether any is left.
    fn forget_below(&mut self, start: Offset) -> bool {
        let old = self.sent().iter().take_while(|sent| sent.end() <= start).count();
        self.sent.copy_within(old..usize::from(self.count), 0);
        self.count -= u8::try_from(old).expect("a small window");
        self.count > 0
    }

    fn duplicate(&self, stamp: &Stamp, span: u32) -> Option<Check> {
        let same = |sent: &&Sent| sent.sequence == stamp.sequence && sent.span == span;
        self.sent().iter().find(same).map(|sent| Check::Duplicate { base: sent.base, end: sent.end() })
    }

    /// The number that must come next. `None`: nothing of this epoch is known but its markers.
    fn next(&self) -> Option<u32> {
        self.sent().last().map(|last| sequence_after(last.sequence, last.span))
    }
}

/// Whether a number lies ahead of the one expected, in a circle.
const fn is_ahead(sequence: u32, expected: u32) -> bool {
    let ahead = sequence.wrapping_sub(expected) % SEQUENCES;
    ahead > 0 && ahead < SEQUENCES / 2
}

impl Producers {
    fn find(&self, id: ProducerId) -> Option<&Entry> {
        self.ids.binary_search(&id).ok().map(|at| &self.entries[at])
    }

    /// What a leader does with a batch.
    ///
    /// # Errors
    /// Why it may not be appended.
    pub fn check(&self, batch: &Batch, memory: Memory, mutants: Mutants) -> Result<Check, Refusal> {
        let Some(stamp) = &batch.stamp else { return Ok(Check::Fresh) };
        let entry = self.find(stamp.session.id);
        match &batch.content {
            Content::Records(_) => Producers::check_records((batch, stamp), entry, memory, mutants),
            Content::Marker { coordinator, .. } => {
                let Some(entry) = entry else { return Ok(Check::Fresh) };
                if stamp.session.epoch < entry.epoch && !mutants.has(Mutant::ZombieNotFenced) {
                    return Err(Refusal::InvalidProducerEpoch);
                }
                if entry.coordinator.is_some_and(|known| *coordinator < known) {
                    return Err(Refusal::TransactionCoordinatorFenced);
                }
                Ok(Check::Fresh)
            }
            Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => match entry {
                Some(entry) if stamp.session.epoch < entry.epoch && !mutants.has(Mutant::ZombieNotFenced) => {
                    Err(Refusal::InvalidProducerEpoch)
                }
                Some(_) | None => Ok(Check::Fresh),
            },
        }
    }

    fn check_records((batch, stamp): (&Batch, &Stamp), entry: Option<&Entry>, memory: Memory, mutants: Mutants) -> Result<Check, Refusal> {
        let unknown = || if memory.known_by_log && stamp.sequence != 0 { Err(Refusal::UnknownProducerId) } else { Ok(Check::Fresh) };
        if mutants.has(Mutant::ForgetsSequences) {
            return Ok(Check::Fresh);
        }
        let Some(entry) = entry else { return unknown() };
        if stamp.session.epoch == entry.epoch
            && let Some(duplicate) = entry.duplicate(stamp, batch.span)
        {
            return Ok(duplicate);
        }
        if stamp.session.epoch < entry.epoch {
            return if mutants.has(Mutant::ZombieNotFenced) { Ok(Check::Fresh) } else { Err(Refusal::InvalidProducerEpoch) };
        }
        let expected = if stamp.session.epoch == entry.epoch { entry.next() } else { Some(0) };
        match expected {
            Some(next) if next == stamp.sequence => {}
            Some(next) if mutants.has(Mutant::GapsAccepted) && is_ahead(stamp.sequence, next) => {}
            Some(_) => return Err(Refusal::OutOfOrderSequenceNumber),
            None if stamp.sequence == 0 => {}
            None if memory.known_by_log => return Err(Refusal::UnknownProducerId),
            None => return Err(Refusal::OutOfOrderSequenceNumber),
        }
        if entry.open.is_some() && !batch.transactional { Err(Refusal::InvalidTxnState) } else { Ok(Check::Fresh) }
    }

    /// Takes up what was appended, whoever appended it.
    pub(super) fn apply(&mut self, stored: &Stored, memory: Memory) -> Effect {
        let batch = &*stored.batch;
        let Some(stamp) = &batch.stamp else { return Effect::None };
        let id = stamp.session.id;
        let at = match self.ids.binary_search(&id) {
            Ok(at) => at,
            Err(at) => {
                self.ids.insert(at, id);
                self.entries.insert(at, Entry::new(stamp.session.epoch));
                at
            }
        };
        let entry = &mut self.entries[at];
        if entry.epoch != stamp.session.epoch {
            entry.epoch = stamp.session.epoch;
            entry.count = 0;
        }
        entry.last = stored.at;
        match &batch.content {
            Content::Records(_) => {
                entry.push(Sent { base: stored.base, sequence: stamp.sequence, span: batch.span }, memory.window);
            }
            Content::Marker { outcome, coordinator } => {
                entry.coordinator = Some(*coordinator);
                return entry.open.take().map_or(Effect::None, |first| Effect::Ends(id, first, *outcome));
            }
            Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => {}
        }
        if batch.transactional && entry.open.is_none() {
            entry.open = Some(stored.base);
            return Effect::Begins(id);
        }
        Effect::None
    }

    /// Forgets producers without an open transaction that have appended nothing for so long.
    pub fn expire(&mut self, now: Time, after: Span) {
        self.retain(|_, entry| entry.open.is_some() || now.saturating_since(entry.last) < after);
    }

    /// Forgets those of which nothing is left in the log, open transactions or not, and gives them.
    pub(super) fn evict(&mut self, start: Offset) -> Vec<ProducerId> {
        let mut gone = Vec::new();
        self.retain(|id, entry| {
            let left = entry.forget_below(start);
            if !left {
                gone.push(id);
            }
            left
        });
        gone
    }

    fn retain(&mut self, mut keep: impl FnMut(ProducerId, &mut Entry) -> bool) {
        let mut entries = std::mem::take(&mut self.entries);
        let mut flags = self.ids.iter().zip(&mut entries).map(|(id, entry)| keep(*id, entry)).collect::<Vec<bool>>().into_iter();
        let mut again = flags.clone();
        self.ids.retain(|_| flags.next().unwrap_or(true));
        entries.retain(|_| again.next().unwrap_or(true));
        self.entries = entries;
    }

    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The highest epoch seen of a producer.
    #[must_use]
    pub fn epoch(&self, id: ProducerId) -> Option<u16> {
        self.find(id).map(|entry| entry.epoch)
    }

    /// Where a producer's open transaction began in this log.
    #[must_use]
    pub fn open(&self, id: ProducerId) -> Option<Offset> {
        self.find(id).and_then(|entry| entry.open)
    }

    /// All open transactions: their first offsets and producers.
    pub(super) fn all_open(&self) -> Vec<(Offset, ProducerId)> {
        self.ids.iter().zip(&self.entries).filter_map(|(id, entry)| entry.open.map(|first| (first, *id))).collect()
    }

    /// Whether a batch is what is left to know a producer by: its last batch, or, if it has none in its epoch, a marker of that epoch.
    pub(super) fn is_last_of(&self, stored: &Stored) -> bool {
        let Some(stamp) = &stored.batch.stamp else { return false };
        let Some(entry) = self.find(stamp.session.id) else { return false };
        match entry.sent().last() {
            Some(last) => last.base == stored.base,
            None => stored.batch.is_marker() && stamp.session.epoch == entry.epoch,
        }
    }

    /// Adds them to a digest, with times relative to now.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        for (id, entry) in self.ids.iter().zip(&self.entries) {
            digest.words(id.0, u64::from(entry.epoch) << 32 | u64::from(entry.count));
            digest.words(now.saturating_since(entry.last).as_nanos(), entry.open.map_or(0, |first| first + 1));
            for sent in entry.sent() {
                digest.words(sent.base, u64::from(sent.sequence));
            }
        }
    }
}
