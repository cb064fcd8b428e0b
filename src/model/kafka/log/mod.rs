//! One replica's log of one partition, as a value: batches by offset, leader epochs, idempotent producers, transactions, segments.
//!
//! Pure: nothing is sent or written here, times and the high watermark are given. Leader and follower append with the same
//! [`Log::append`]; a leader asks [`Log::check`] before. What is removed is handed back, so that the caller can say who had not read it.

use std::sync::Arc;

use crate::base::{Digest, Span, Time};

use super::batch::{Batch, Outcome, Rec, Stored};
use super::config::{Cleanup, Config, Version};
use super::ids::{Epoch, Offset, Part, ProducerId, Session};
use super::mutants::Mutants;
use super::refusal::Refusal;

mod checkpoints;
mod compact;
mod entries;
mod epochs;
mod keys;
mod producers;
mod recover;
mod retain;
mod segments;
mod transactions;

pub use compact::Compacted;
pub use entries::Entries;
pub use epochs::Epochs;
pub use producers::{Check, Memory, Producers, SEQUENCES, WINDOW, sequence_after};
pub use recover::{Image, Stopped, Tail};
pub use retain::Deleted;
pub use segments::{Segment, Segments};
pub use transactions::{Ended, Transactions};

use checkpoints::Checkpoints;
use compact::Cleaning;

/// The rules of one log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// `segment.bytes`.
    pub segment_bytes: u64,
    /// `segment.ms`.
    pub segment: Span,
    /// `retention.ms`.
    pub retention: Option<Span>,
    /// `retention.bytes`.
    pub retention_bytes: Option<u64>,
    /// `cleanup.policy`.
    pub cleanup: Cleanup,
    /// `min.cleanable.dirty.ratio` in thousandths.
    pub min_cleanable_dirty_ratio: u64,
    /// `min.compaction.lag.ms`.
    pub min_compaction_lag: Span,
    /// `producer.id.expiration.ms`.
    pub producer_id_expiration: Span,
    /// What is remembered of producers.
    pub memory: Memory,
}

impl Rules {
    /// Those of a partition.
    #[must_use]
    pub fn of(config: &Config, part: Part) -> Rules {
        let topic = config.topic_of(part);
        let early = match config.version {
            Version::V0_8 | Version::V0_11 => true,
            Version::V2_8 | Version::V3_9 | Version::V4_0 => false,
        };
        Rules {
            segment_bytes: topic.segment_bytes,
            segment: topic.segment,
            retention: topic.retention,
            retention_bytes: topic.retention_bytes,
            cleanup: topic.cleanup,
            min_cleanable_dirty_ratio: topic.min_cleanable_dirty_ratio,
            min_compaction_lag: topic.min_compaction_lag,
            producer_id_expiration: config.broker.producer_id_expiration,
            memory: Memory { window: if early { 1 } else { WINDOW }, known_by_log: early },
        }
    }
}

/// One replica's log.
#[derive(Clone, Debug)]
pub struct Log {
    rules: Rules,
    start: Offset,
    end: Offset,
    entries: Entries,
    segments: Segments,
    epochs: Epochs,
    producers: Producers,
    transactions: Transactions,
    checkpoints: Checkpoints,
    cleaning: Cleaning,
    /// Where batches begin whose bits have flipped on disk, in order.
    damaged: Vec<Offset>,
}

impl Log {
    /// An empty log.
    #[must_use]
    pub fn new(rules: Rules) -> Log {
        Log::beginning_at(rules, 0)
    }

    fn beginning_at(rules: Rules, start: Offset) -> Log {
        Log {
            rules,
            start,
            end: start,
            entries: Entries::default(),
            segments: Segments::new(start),
            epochs: Epochs::default(),
            producers: Producers::default(),
            transactions: Transactions::default(),
            checkpoints: Checkpoints::new(start),
            cleaning: Cleaning::new(start),
            damaged: Vec::new(),
        }
    }

    /// The first offset that can be read.
    #[must_use]
    pub const fn start(&self) -> Offset {
        self.start
    }

    /// The offset that the next batch gets.
    #[must_use]
    pub const fn end(&self) -> Offset {
        self.end
    }

    /// What a leader does with a batch: idempotent producers are known by their last five batches.
    ///
    /// # Errors
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER` when a batch before it is missing; `INVALID_PRODUCER_EPOCH` when there is a newer epoch;
    /// `INVALID_TXN_STATE` for a batch outside of the producer's open transaction; `TRANSACTION_COORDINATOR_FENCED` for a marker of an
    /// earlier coordinator; `UNKNOWN_PRODUCER_ID` in versions before 2.5.
    pub fn check(&self, batch: &Batch, mutants: Mutants) -> Result<Check, Refusal> {
        self.producers.check(batch, self.rules.memory, mutants)
    }

    /// Adds a batch at or after the end, as leader or as follower. Between the end and the batch there is nothing, then: the leader's log
    /// was compacted. Returns whether it was added: one that begins before the end is not.
    pub fn append(&mut self, entry: Stored) -> bool {
        if entry.base < self.end {
            return false;
        }
        self.epochs.assign(entry.epoch, entry.base);
        self.segments.push(&entry, self.rules.segment_bytes, self.rules.segment);
        self.take_up(&entry);
        self.end = entry.end();
        self.entries.push(entry);
        self.checkpoints.appended(self.end, &self.producers);
        true
    }

    /// A new leader's epoch begins at the end of its log.
    pub fn begin_epoch(&mut self, epoch: Epoch) {
        self.epochs.assign(epoch, self.end);
    }

    /// The epoch of the last batch, or a later one that has begun here.
    #[must_use]
    pub fn last_epoch(&self) -> Option<Epoch> {
        self.epochs.last()
    }

    /// The last epoch not above this one, and where it ended.
    #[must_use]
    pub fn end_for_epoch(&self, epoch: Epoch) -> (Epoch, Offset) {
        self.epochs.end_of(epoch, self.end)
    }

    /// Where a follower cuts its log, when its leader's last epoch not above the follower's own ended at an offset. If the follower does
    /// not know that epoch, it cuts to the end of its last one below, and has to ask again
    /// [S:kafka AbstractFetcherThread: getOffsetTruncationState].
    #[must_use]
    pub fn cut_for(&self, (epoch, end): (Epoch, Offset)) -> Offset {
        let (own, own_end) = self.end_for_epoch(epoch);
        if own == epoch { own_end.min(end) } else { own_end }
    }

    /// All leader epochs with their beginnings.
    #[must_use]
    pub const fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    /// Batches from the one on that holds an offset, or the first one after it, up to an offset where none is cut in two: as many as
    /// there is room for, and one in any case. A damaged batch ends it.
    #[must_use]
    pub fn read(&self, from: Offset, until: Offset, room: u32) -> Vec<Stored> {
        let until = self.first_damaged(from).map_or(until, |base| until.min(base));
        let mut found = Vec::new();
        let mut taken = 0u64;
        for row in self.entries.rows(from) {
            let fits = |entry: &&Stored| {
                let first = taken == 0;
                taken += u64::from(entry.batch.bytes);
                entry.end() <= until && (first || taken <= u64::from(room))
            };
            let count = row.iter().take_while(fits).count();
            found.extend_from_slice(&row[..count]);
            if count < row.len() {
                break;
            }
        }
        found
    }

    /// How many bytes a read from an offset up to another would find; counting ends when it is enough.
    #[must_use]
    pub fn available(&self, from: Offset, until: Offset, enough: u32) -> u32 {
        let mut bytes = 0u32;
        for entry in self.entries.from(from).take_while(|entry| entry.end() <= until) {
            bytes = bytes.saturating_add(entry.batch.bytes);
            if bytes >= enough {
                break;
            }
        }
        bytes
    }

    /// Whether the next batch from an offset on is damaged: whoever reads it sees that its checksum is wrong.
    #[must_use]
    pub fn is_damaged(&self, from: Offset) -> bool {
        self.first_damaged(from).is_some_and(|base| self.entries.from(from).next().is_some_and(|entry| entry.base == base))
    }

    /// Where the first damaged batch begins that ends after an offset.
    fn first_damaged(&self, from: Offset) -> Option<Offset> {
        if self.damaged.is_empty() {
            return None;
        }
        let first = self.entries.from(from).next()?.base;
        self.damaged.iter().copied().find(|base| *base >= first)
    }

    /// All batches, oldest first.
    pub fn entries(&self) -> impl Iterator<Item = Stored> + '_ {
        self.batches_from(self.start).cloned()
    }

    /// The batches from the one on that holds an offset.
    pub fn batches_from(&self, from: Offset) -> impl Iterator<Item = &Stored> {
        self.entries.from(from)
    }

    /// The records from an offset on, whatever became of their transactions.
    pub fn records_from(&self, from: Offset) -> impl Iterator<Item = (Offset, &Rec)> {
        self.entries.from(from).flat_map(Stored::records).filter(move |(offset, _)| *offset >= from)
    }

    /// The records from an offset on that a reader of committed records is given: below the last stable offset, without aborted ones.
    pub fn held(&self, from: Offset, high_watermark: Offset) -> impl Iterator<Item = (Offset, &Rec)> {
        let until = self.last_stable(high_watermark);
        let counts = |entry: &&Stored| !self.is_aborted(entry);
        self.entries
            .from(from)
            .take_while(move |entry| entry.end() <= until)
            .filter(counts)
            .flat_map(Stored::records)
            .filter(move |(offset, _)| *offset >= from)
    }

    /// Whether a batch belongs to a transaction that was aborted.
    #[must_use]
    pub fn is_aborted(&self, entry: &Stored) -> bool {
        let of = entry.batch.stamp.filter(|_| entry.batch.transactional && !entry.batch.is_marker());
        of.is_some_and(|stamp| self.transactions.outcome(stamp.session.id, entry.base) == Some(Outcome::Abort))
    }

    /// Below it every transaction is decided and its marker committed: at most the high watermark.
    #[must_use]
    pub fn last_stable(&self, high_watermark: Offset) -> Offset {
        let unstable = self.transactions.first_unstable(high_watermark);
        unstable.map_or(high_watermark, |first| first.max(self.start).min(high_watermark))
    }

    /// The transactions that were aborted and have batches in a range: their producers and first offsets, in order of these.
    #[must_use]
    pub fn aborted(&self, from: Offset, until: Offset) -> Vec<(ProducerId, Offset)> {
        let mut found: Vec<(ProducerId, Offset)> =
            self.transactions.aborted(from, until).map(|ended| (ended.producer, ended.first)).collect();
        found.sort_unstable_by_key(|(_, first)| *first);
        found
    }

    /// The transactions of this log.
    #[must_use]
    pub const fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// Whether a producer has a transaction open here, in this epoch.
    #[must_use]
    pub fn is_open(&self, session: Session) -> bool {
        self.producers.open(session.id).is_some() && self.producers.epoch(session.id) == Some(session.epoch)
    }

    /// What is known of producers.
    #[must_use]
    pub const fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Forgets producers without an open transaction. Only what is broken on purpose does that.
    pub fn forget_producers(&mut self) {
        self.producers.expire(Time::FAR, Span::ZERO);
    }

    /// Forgets producers that have appended nothing for `producer.id.expiration.ms` and have no transaction open.
    pub fn expire_producers(&mut self, now: Time) {
        self.producers.expire(now, self.rules.producer_id_expiration);
    }

    /// The log ends at an offset from now on: everything after it is cut off, and a batch that it would cut in two goes as a whole.
    /// Returns how many bytes that frees.
    pub fn truncate(&mut self, to: Offset) -> u64 {
        self.epochs.truncate(to.min(self.end));
        if to >= self.end {
            return 0;
        }
        let cut: Vec<Stored> = self.entries.from(to).cloned().collect();
        self.entries.truncate(to);
        self.end = to;
        self.start = self.start.min(to);
        let entries = &self.entries;
        self.segments.truncate(to, &cut, |base| entries.latest_from(base));
        self.damaged.retain(|base| *base < to);
        self.cleaning.truncate(to);
        self.producers = self.checkpoints.rebuild(to, &self.entries, self.rules.memory);
        self.transactions.truncate(to, self.producers.all_open());
        cut.iter().map(|entry| u64::from(entry.batch.bytes)).sum()
    }

    /// Forgets everything: the log is empty and begins at an offset.
    pub fn restart(&mut self, at: Offset) {
        *self = Log::beginning_at(self.rules, at);
    }

    /// The segments.
    #[must_use]
    pub const fn segments(&self) -> &Segments {
        &self.segments
    }

    /// Bytes of all batches.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.segments.bytes()
    }

    /// What was known of producers where the log begins now: what a disk has to keep when it deletes what is before.
    #[must_use]
    pub fn producers_at_start(&self) -> Arc<Producers> {
        self.checkpoints.at_start()
    }

    /// Adds the log to a digest. Times count only where something is removed by age.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        digest.words(self.start, self.end);
        self.entries.fingerprint(digest);
        self.epochs.fingerprint(digest);
        self.producers.fingerprint(now, digest);
        self.cleaning.fingerprint(now, digest);
        if self.rules.retention.is_some() || self.rules.cleanup.compact {
            for segment in self.segments.all() {
                digest.words(segment.base, now.saturating_since(segment.latest).as_nanos());
            }
        }
    }

    /// Whether everything fits together; the breach, if not.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn audit(&self) -> Result<(), String> {
        let mut end = 0;
        for entry in self.entries.from(0) {
            if entry.base < end {
                return Err(format!("the batch at {} begins before {end}, where the one before it ends", entry.base));
            }
            if self.epochs.at(entry.base.max(self.start)) != Some(entry.epoch) {
                return Err(format!("the batch at {} has epoch {}, the log says otherwise", entry.base, entry.epoch));
            }
            end = entry.end();
        }
        if end > self.end || self.start > self.end {
            return Err(format!("batches go on to {end}, the log from {} to {}", self.start, self.end));
        }
        let bytes: u64 = self.entries.from(0).map(|entry| u64::from(entry.batch.bytes)).sum();
        if bytes != self.segments.bytes() {
            return Err(format!("the segments say {} bytes, the batches have {bytes}", self.segments.bytes()));
        }
        for (at, segment) in self.segments.all().iter().enumerate() {
            let own = |entry: &&Stored| entry.base >= segment.base && entry.base < self.segments.end(at, self.end);
            let latest = self.entries.from(segment.base).take_while(own).map(|entry| entry.at).max();
            if latest.is_some_and(|latest| latest > segment.latest) {
                return Err(format!("the segment at {} holds something of {latest:?}", segment.base));
            }
        }
        let mut open = self.producers.all_open();
        open.sort_unstable();
        if open != self.transactions.open() {
            return Err(format!("open transactions: {:?} and {open:?}", self.transactions.open()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
