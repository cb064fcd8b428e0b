//! Compaction: of what was written under a key, only the latest is kept; what was aborted goes; offsets never change
//! [S:kafka LogCleaner, LogCleanerManager].
//!
//! What a broker wrote itself (positions, memberships, transactional ids) is kept or removed by whole batches. There are no tombstones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, KeyId, Span, Time};

use super::super::batch::{BATCH_OVERHEAD, Batch, Content, Rec, Stored};
use super::super::ids::{Offset, ProducerId};
use super::super::mutants::{Mutant, Mutants};
use super::keys::{self, Key};
use super::{Log, Segment, Segments};

/// `delete.retention.ms`: a marker of a transaction of which nothing is left is kept for so long, for followers that lag
/// [S:kafka LogConfig: DEFAULT_DELETE_RETENTION_MS].
pub(super) const DELETE_RETENTION: Span = Span::secs(86_400);

/// How far a log is compacted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Cleaning {
    /// Below it everything was compacted at least once.
    clean: Offset,
    /// Markers of which nothing is left, and when they may go.
    horizons: BTreeMap<Offset, Time>,
}

/// What compaction did.
#[derive(Clone, PartialEq, Debug)]
pub struct Compacted {
    /// Everything below was looked at.
    pub to: Offset,
    /// What is left below.
    pub kept: Arc<[Stored]>,
    /// Records that were removed because there is a later one of the same key.
    pub superseded: Vec<(Offset, Rec)>,
    /// Records that were removed because their transaction was aborted.
    pub aborted: Vec<(Offset, Rec)>,
    /// Bytes that are free now.
    pub bytes: u64,
}

impl Cleaning {
    pub(super) const fn new(start: Offset) -> Cleaning {
        Cleaning { clean: start, horizons: BTreeMap::new() }
    }

    /// The log ends at an offset.
    pub(super) fn truncate(&mut self, end: Offset) {
        self.clean = self.clean.min(end);
        self.horizons.split_off(&end);
    }

    /// The log begins at an offset.
    pub(super) fn start_at(&mut self, start: Offset) {
        self.clean = self.clean.max(start);
        self.horizons = self.horizons.split_off(&start);
    }

    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest) {
        digest.word(self.clean);
        for (marker, horizon) in &self.horizons {
            digest.words(*marker, horizon.saturating_since(now).as_nanos());
        }
    }
}

/// The latest offset of each key in what is dirty.
#[derive(Default)]
struct Latest {
    /// By number of the key; 0: none, otherwise one more than the offset.
    records: Vec<u64>,
    internal: BTreeMap<Key, Offset>,
}

impl Latest {
    fn put(&mut self, entry: &Stored) {
        for (offset, record) in entry.records() {
            let at = record.key.index();
            if at >= self.records.len() {
                self.records.resize(at + 1, 0);
            }
            self.records[at] = offset + 1;
        }
        self.internal.extend(keys::internal(entry).unwrap_or_default());
    }

    fn of(&self, key: KeyId) -> Option<Offset> {
        self.records.get(key.index()).and_then(|after| after.checked_sub(1))
    }

    fn keeps(&self, offset: Offset, record: &Rec, mutants: Mutants) -> bool {
        self.of(record.key).is_none_or(|latest| if mutants.has(Mutant::CompactsLatest) { offset != latest } else { offset >= latest })
    }

    fn keeps_internal(&self, entry: &Stored) -> bool {
        keys::internal(entry).is_none_or(|all| all.iter().any(|(key, offset)| self.internal.get(key).is_none_or(|latest| offset >= latest)))
    }
}

/// What came of one batch.
enum Left {
    /// All of it.
    Whole,
    /// These records, perhaps none, in a batch that stays.
    These(Vec<Rec>),
    /// Nothing.
    Nothing,
}

/// One pass over a log.
struct Pass {
    latest: Latest,
    now: Time,
    mutants: Mutants,
    /// Producers of whose latest transaction a batch was seen.
    seen: Vec<ProducerId>,
    out: Compacted,
}

impl Log {
    /// Compacts the log, where `cleanup.policy` has `compact` and there is enough to do. The active segment is left alone, and so is what
    /// is not committed, what comes after the beginning of an open transaction, and what is younger than `min.compaction.lag.ms`.
    pub fn compact(&mut self, now: Time, high_watermark: Offset, mutants: Mutants) -> Option<Compacted> {
        let to = self.cleanable(now, high_watermark)?;
        let mut latest = Latest::default();
        for entry in self.entries.from(self.cleaning.clean).take_while(|entry| entry.end() <= to) {
            if !self.is_aborted(entry) {
                latest.put(entry);
            }
        }
        let out = Compacted { to, kept: Arc::default(), superseded: Vec::new(), aborted: Vec::new(), bytes: 0 };
        let mut pass = Pass { latest, now, mutants, seen: Vec::new(), out };
        let mut kept = Vec::new();
        let mut horizons = BTreeMap::new();
        for entry in self.entries.from(0).take_while(|entry| entry.end() <= to) {
            kept.extend(self.clean_batch(entry, &mut pass, &mut horizons));
        }
        let before = self.segments.bytes();
        self.segments = self.cleaned_segments(to, &kept);
        self.entries.replace_below(to, kept.clone());
        self.cleaning = Cleaning { clean: to, horizons };
        self.damaged.retain(|base| *base >= to || kept.iter().any(|entry| entry.base == *base));
        pass.out.kept = kept.into();
        pass.out.bytes = before - self.segments.bytes();
        Some(pass.out)
    }

    /// Up to where the log is to be compacted. `None`: there is not enough to do.
    fn cleanable(&self, now: Time, high_watermark: Offset) -> Option<Offset> {
        if !self.rules.cleanup.compact {
            return None;
        }
        let all = self.segments.all();
        let stable = self.last_stable(high_watermark);
        let lags = |segment: &Segment| now.saturating_since(segment.latest) < self.rules.min_compaction_lag;
        let still = |at: usize, segment: &Segment| {
            let end = self.segments.end(at, self.end);
            end > stable || end > self.cleaning.clean && lags(segment)
        };
        let count = all[..all.len() - 1].iter().enumerate().take_while(|(at, segment)| !still(*at, segment)).count();
        let to = all[count].base;
        let clean: u64 = all.iter().take_while(|segment| segment.base < self.cleaning.clean).map(|segment| segment.bytes).sum();
        let dirty = all[..count].iter().enumerate().filter(|(at, _)| self.segments.end(*at, self.end) > self.cleaning.clean);
        let dirty: u64 = dirty.map(|(_, segment)| segment.bytes).sum();
        let enough = u128::from(dirty) * 1000 > u128::from(clean + dirty) * u128::from(self.rules.min_cleanable_dirty_ratio);
        (enough && to > self.cleaning.clean).then_some(to)
    }

    /// What is left of one batch.
    fn clean_batch(&self, entry: &Stored, pass: &mut Pass, horizons: &mut BTreeMap<Offset, Time>) -> Option<Stored> {
        pass.see(entry);
        let left = match &entry.batch.content {
            Content::Records(records) => self.clean_records(entry, records, pass),
            Content::Marker { .. } => self.clean_marker(entry, pass, horizons),
            Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => {
                let stays = !self.is_aborted(entry) && pass.latest.keeps_internal(entry);
                if stays { Left::Whole } else { Left::Nothing }
            }
        };
        let last = entry.end() == pass.out.to || self.producers.is_last_of(entry);
        let left = match left {
            Left::Nothing if last && !entry.batch.is_marker() => Left::These(Vec::new()),
            Left::Nothing if last => Left::Whole,
            Left::Whole | Left::These(_) | Left::Nothing => left,
        };
        match left {
            Left::Whole => Some(entry.clone()),
            Left::These(records) => Some(Stored { batch: Arc::new(reduced(&entry.batch, records)), ..entry.clone() }),
            Left::Nothing => None,
        }
    }

    fn clean_records(&self, entry: &Stored, records: &[Rec], pass: &mut Pass) -> Left {
        if self.is_aborted(entry) {
            pass.out.aborted.extend(entry.records().map(|(offset, record)| (offset, *record)));
            return Left::Nothing;
        }
        let mut kept = Vec::new();
        for (offset, record) in entry.records() {
            if pass.latest.keeps(offset, record, pass.mutants) {
                kept.push(*record);
            } else if pass.latest.of(record.key) > Some(offset) {
                pass.out.superseded.push((offset, *record));
            }
        }
        match kept.len() {
            0 => Left::Nothing,
            all if all == records.len() => Left::Whole,
            _ => Left::These(kept),
        }
    }

    /// A marker goes when nothing was left of its transaction for so long.
    fn clean_marker(&self, entry: &Stored, pass: &mut Pass, horizons: &mut BTreeMap<Offset, Time>) -> Left {
        let producer = entry.batch.stamp.map(|stamp| stamp.session.id);
        if let Some(at) = pass.seen.iter().position(|seen| Some(*seen) == producer) {
            pass.seen.swap_remove(at);
            return Left::Whole;
        }
        let horizon = self.cleaning.horizons.get(&entry.base).copied().unwrap_or(pass.now + DELETE_RETENTION);
        if pass.now >= horizon {
            return Left::Nothing;
        }
        horizons.insert(entry.base, horizon);
        Left::Whole
    }

    /// The segments after compaction: neighbours below the bound are put together while they were small enough for one.
    fn cleaned_segments(&self, to: Offset, kept: &[Stored]) -> Segments {
        let mut all: Vec<Segment> = Vec::new();
        let mut rest = kept.iter().peekable();
        let mut size = 0;
        for (at, old) in self.segments.all().iter().enumerate() {
            if old.base >= to {
                all.push(*old);
                continue;
            }
            if !all.is_empty() && size + old.bytes <= self.rules.segment_bytes {
                size += old.bytes;
            } else {
                all.push(Segment { bytes: 0, ..*old });
                size = old.bytes;
            }
            let group = all.last_mut().expect("one was added");
            let end = self.segments.end(at, self.end);
            while let Some(entry) = rest.next_if(|entry| entry.base < end) {
                group.add(entry);
            }
            group.latest = group.latest.max(old.latest);
        }
        Segments::of(all)
    }
}

impl Pass {
    /// A batch of a transaction was there before this pass: its marker stays.
    fn see(&mut self, entry: &Stored) {
        if let Some(stamp) = entry.batch.stamp.filter(|_| entry.batch.transactional && !entry.batch.is_marker())
            && !self.seen.contains(&stamp.session.id)
        {
            self.seen.push(stamp.session.id);
        }
    }
}

/// A batch with fewer records, in the same place.
fn reduced(batch: &Batch, records: Vec<Rec>) -> Batch {
    let bytes = records.iter().map(Rec::size).sum::<u32>() + BATCH_OVERHEAD;
    let content = match &batch.content {
        Content::Positions(_) => Content::Positions(Arc::default()),
        Content::Records(_) | Content::Marker { .. } | Content::Group(_) | Content::Transaction(_) => Content::Records(records.into()),
    };
    Batch { stamp: batch.stamp, transactional: batch.transactional, span: batch.span, bytes, content }
}
