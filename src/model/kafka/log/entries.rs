//! The batches of a log, oldest first, in chunks that copies of a log share.

use std::sync::{Arc, OnceLock};

use crate::base::{Digest, Time};

use super::super::batch::{Batch, Content, Stored};
use super::super::ids::Offset;

/// How many batches a full chunk has. A copy of a log copies no more than one chunk.
pub(super) const CHUNK: usize = 128;

/// Folds the digests of batches into that of a row of batches, wherever chunks begin.
const FOLD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Batches that do not change any more.
#[derive(Debug)]
struct Chunk {
    batches: Box<[Stored]>,
    /// What they fold into, and the factor for what comes before them. Computed when it is asked for.
    digest: OnceLock<(u64, u64)>,
}

/// A chunk, where it ends and the latest time in it, so that a search does not have to look inside.
#[derive(Clone, Debug)]
struct Sealed {
    end: Offset,
    latest: Time,
    chunk: Arc<Chunk>,
}

/// Batches in order of offsets. There may be holes between them.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    sealed: Vec<Sealed>,
    tail: Vec<Stored>,
}

impl Sealed {
    fn new(batches: Vec<Stored>) -> Sealed {
        let end = batches.last().expect("a chunk holds something").end();
        let latest = batches.iter().map(|entry| entry.at).max().unwrap_or_default();
        Sealed { end, latest, chunk: Arc::new(Chunk { batches: batches.into_boxed_slice(), digest: OnceLock::new() }) }
    }
}

impl Entries {
    /// Adds a batch at the end.
    #[inline]
    pub fn push(&mut self, entry: Stored) {
        debug_assert!(self.last().is_none_or(|last| last.end() <= entry.base), "offsets grow");
        if self.tail.len() == CHUNK {
            self.seal();
        }
        self.tail.push(entry);
    }

    fn seal(&mut self) {
        let full = std::mem::replace(&mut self.tail, Vec::with_capacity(CHUNK));
        self.sealed.push(Sealed::new(full));
    }

    /// The newest batch.
    #[must_use]
    pub fn last(&self) -> Option<&Stored> {
        self.tail.last().or_else(|| self.sealed.last().and_then(|sealed| sealed.chunk.batches.last()))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sealed.iter().map(|sealed| sealed.chunk.batches.len()).sum::<usize>() + self.tail.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last().is_none()
    }

    /// The batches that end after an offset, in rows: the first one may begin before it.
    pub(super) fn rows(&self, from: Offset) -> impl Iterator<Item = &[Stored]> {
        let in_tail = self.tail.first().is_some_and(|first| first.base <= from);
        let at = if in_tail { self.sealed.len() } else { self.sealed.partition_point(|sealed| sealed.end <= from) };
        let after = move |row: &[Stored]| row.partition_point(|entry| entry.end() <= from);
        let first = self.sealed.get(at).map(|sealed| &sealed.chunk.batches[after(&sealed.chunk.batches)..]);
        let others = self.sealed.get(at + 1..).unwrap_or_default().iter().map(|sealed| &*sealed.chunk.batches);
        let tail = if first.is_some() { &self.tail[..] } else { &self.tail[after(&self.tail)..] };
        first.into_iter().chain(others).chain(std::iter::once(tail))
    }

    /// The batches that end after an offset.
    pub fn from(&self, from: Offset) -> impl Iterator<Item = &Stored> {
        self.rows(from).flatten()
    }

    /// The latest time of the batches that begin at an offset or after it.
    #[must_use]
    pub fn latest_from(&self, from: Offset) -> Option<Time> {
        let within = |row: &[Stored]| row.iter().filter(|entry| entry.base >= from).map(|entry| entry.at).max();
        let at = self.sealed.partition_point(|sealed| sealed.end <= from);
        let first = self.sealed.get(at).and_then(|sealed| within(&sealed.chunk.batches));
        let others = self.sealed.get(at + 1..).unwrap_or_default().iter().map(|sealed| sealed.latest);
        others.chain(first).chain(within(&self.tail)).max()
    }

    /// Removes all batches that end after an offset.
    pub fn truncate(&mut self, to: Offset) {
        while self.tail.first().is_none_or(|first| first.end() > to) {
            self.tail.clear();
            let Some(sealed) = self.sealed.pop() else { return };
            self.tail = match Arc::try_unwrap(sealed.chunk) {
                Ok(chunk) => chunk.batches.into_vec(),
                Err(shared) => shared.batches.to_vec(),
            };
        }
        self.tail.truncate(self.tail.partition_point(|entry| entry.end() <= to));
    }

    /// Removes all batches that end at or before an offset, and gives them.
    pub fn remove_below(&mut self, start: Offset) -> Vec<Stored> {
        let removed: Vec<Stored> = self.from(0).take_while(|entry| entry.end() <= start).cloned().collect();
        self.replace_below(start, Vec::new());
        removed
    }

    /// Puts others in place of all batches that end at or before an offset.
    pub fn replace_below(&mut self, to: Offset, mut front: Vec<Stored>) {
        let whole = self.sealed.partition_point(|sealed| sealed.end <= to);
        let mut kept = self.sealed.split_off(whole).into_iter();
        self.sealed.clear();
        let rest = |row: &[Stored]| row[row.partition_point(|entry| entry.end() <= to)..].to_vec();
        match kept.next() {
            Some(cut) => front.extend(rest(&cut.chunk.batches)),
            None => front.extend(rest(&std::mem::take(&mut self.tail))),
        }
        let alone = self.tail.is_empty() && kept.len() == 0;
        let mut front = front.into_iter();
        while front.len() > if alone { CHUNK } else { 0 } {
            self.sealed.push(Sealed::new(front.by_ref().take(CHUNK).collect()));
        }
        if alone {
            self.tail = front.collect();
        }
        self.sealed.extend(kept);
    }

    /// Adds the batches to a digest, without their times.
    pub fn fingerprint(&self, digest: &mut Digest) {
        let fold = |row: &[Stored]| {
            row.iter()
                .fold((0u64, 1u64), |(sum, factor), entry| (sum.wrapping_mul(FOLD).wrapping_add(word(entry)), factor.wrapping_mul(FOLD)))
        };
        let mut sum = 0u64;
        for sealed in &self.sealed {
            let (own, factor) = *sealed.chunk.digest.get_or_init(|| fold(&sealed.chunk.batches));
            sum = sum.wrapping_mul(factor).wrapping_add(own);
        }
        let (own, factor) = fold(&self.tail);
        digest.word(sum.wrapping_mul(factor).wrapping_add(own));
    }
}

/// One batch as a word.
fn word(entry: &Stored) -> u64 {
    let mut digest = Digest::new();
    digest.words(entry.base, u64::from(entry.epoch));
    let Batch { stamp, transactional, span, bytes, content } = &*entry.batch;
    if let Some(stamp) = stamp {
        digest.words(stamp.session.id.0, u64::from(stamp.session.epoch) << 32 | u64::from(stamp.sequence));
    }
    digest.words(u64::from(*span) << 32 | u64::from(*bytes), u64::from(*transactional));
    match content {
        Content::Records(records) => {
            for record in records.iter() {
                digest.words(u64::from(record.payload.0) << 32 | u64::from(record.key.0), u64::from(record.delta));
            }
        }
        Content::Marker { .. } | Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => {
            std::hash::Hash::hash(content, &mut digest);
        }
    }
    digest.value()
}
