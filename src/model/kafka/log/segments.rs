//! The segments of a log: what is removed is removed by segments [S:kafka LogSegment, UnifiedLog].

use crate::base::{Span, Time};

use super::super::batch::Stored;
use super::super::ids::Offset;

/// A piece of a log: a file, in Kafka.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Where it begins. It ends where the next one does.
    pub base: Offset,
    /// Bytes of its batches.
    pub bytes: u64,
    /// When its first batch was appended.
    pub first: Time,
    /// The latest time at which one of its batches was appended.
    pub latest: Time,
}

/// The segments of one log, oldest first; the last one is active. There is always one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segments {
    all: Vec<Segment>,
}

impl Segment {
    const fn empty(base: Offset) -> Segment {
        Segment { base, bytes: 0, first: Time::ZERO, latest: Time::ZERO }
    }

    /// Takes up a batch.
    pub(super) fn add(&mut self, entry: &Stored) {
        if self.bytes == 0 {
            self.first = entry.at;
        }
        self.bytes += u64::from(entry.batch.bytes);
        self.latest = self.latest.max(entry.at);
    }
}

impl Segments {
    /// One empty segment.
    pub(super) fn new(base: Offset) -> Segments {
        Segments { all: vec![Segment::empty(base)] }
    }

    /// These, of which there is at least one.
    pub(super) fn of(all: Vec<Segment>) -> Segments {
        assert!(!all.is_empty(), "one segment is active");
        Segments { all }
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Segment] {
        &self.all
    }

    /// The one that is appended to.
    #[must_use]
    pub fn active(&self) -> &Segment {
        self.all.last().expect("one segment is active")
    }

    /// Takes up a batch at the end of the log. When the active segment would become too large, or is too old by the batch's time, a new one
    /// begins.
    #[inline]
    pub(super) fn push(&mut self, entry: &Stored, bytes: u64, age: Span) {
        let active = self.all.last_mut().expect("one segment is active");
        let full = active.bytes + u64::from(entry.batch.bytes) > bytes || entry.at.saturating_since(active.first) > age;
        if active.bytes > 0 && full {
            let mut next = Segment::empty(entry.base);
            next.add(entry);
            self.all.push(next);
        } else {
            active.add(entry);
        }
    }

    /// A new segment begins at the end of the log, unless the active one is empty.
    pub(super) fn roll(&mut self, end: Offset) {
        if self.active().bytes > 0 {
            self.all.push(Segment::empty(end));
        }
    }

    /// Where the segment at a position ends.
    pub(super) fn end(&self, at: usize, log_end: Offset) -> Offset {
        self.all.get(at + 1).map_or(log_end, |next| next.base)
    }

    /// The log ends at an offset; these batches were cut off. `latest`: the latest time of a batch from an offset on.
    pub(super) fn truncate(&mut self, end: Offset, cut: &[Stored], latest: impl FnOnce(Offset) -> Option<Time>) {
        let left = self.all.partition_point(|segment| segment.base <= end).max(1);
        let bound = self.end(left - 1, Offset::MAX);
        self.all.truncate(left);
        let active = self.all.last_mut().expect("one segment is active");
        let own = cut.iter().filter(|entry| entry.base >= active.base && entry.base < bound);
        active.bytes -= own.map(|entry| u64::from(entry.batch.bytes)).sum::<u64>();
        match latest(active.base) {
            Some(latest) => active.latest = latest,
            None => *active = Segment::empty(active.base.min(end)),
        }
    }

    /// The log begins at an offset, or in the batch that begins at `first` and holds it; these batches were removed.
    pub(super) fn start_at(&mut self, start: Offset, first: Option<Offset>, removed: &[Stored]) {
        let whole = self.all.partition_point(|segment| segment.base <= start).saturating_sub(1);
        self.all.drain(..whole);
        let oldest = &mut self.all[0];
        let cut: u64 = removed.iter().filter(|entry| entry.base >= oldest.base).map(|entry| u64::from(entry.batch.bytes)).sum();
        oldest.base = oldest.base.max(first.map_or(start, |first| first.min(start)));
        oldest.bytes -= cut;
    }

    /// Bytes of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.all.iter().map(|segment| segment.bytes).sum()
    }
}
