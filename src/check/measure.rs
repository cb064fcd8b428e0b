//! Measures: distributions of latency, and figures in buckets of time whose width grows with the run.

use std::sync::Arc;

use hdrhistogram::Histogram;

use crate::base::{ObjectId, Span, Time};
use crate::record::Names;

use super::judged::{Bucket, Depth, DepthPoint, Point, Quantiles, Series};

/// At most so many buckets; then the width doubles.
pub(super) const BUCKETS: usize = 240;

/// A distribution of spans, shared between clones until they differ.
#[derive(Clone, Debug)]
pub(super) struct Spread {
    histogram: Arc<Histogram<u32>>,
    sum: u128,
    min: u64,
    max: u64,
    /// Nobody will ask.
    off: bool,
}

impl Default for Spread {
    fn default() -> Self {
        let mut histogram = Histogram::new(3).expect("three digits are allowed");
        histogram.auto(true);
        Spread { histogram: Arc::new(histogram), sum: 0, min: u64::MAX, max: 0, off: false }
    }
}

impl Spread {
    /// Takes in no more.
    pub(super) fn switch_off(&mut self) {
        *self = Spread { off: true, ..Spread::default() };
    }

    /// Adds a measurement.
    #[inline]
    pub(super) fn record(&mut self, span: Span) {
        if self.off {
            return;
        }
        let nanos = span.as_nanos();
        // Beyond three centuries the histogram would refuse; nothing lasts so long.
        Arc::make_mut(&mut self.histogram).record(nanos.min(u64::MAX / 2)).expect("the histogram grows by itself");
        self.sum += u128::from(nanos);
        self.min = self.min.min(nanos);
        self.max = self.max.max(nanos);
    }

    /// The spans with at least so many millionths of all at or below them; the shares ascend.
    fn at(&self, shares: impl Iterator<Item = u32>) -> Vec<Point> {
        let count = self.histogram.len();
        let (mut below, mut top) = (0, self.min);
        let mut values = self.histogram.iter_recorded();
        let point = |millionths: u32| {
            let rank = (u128::from(count) * u128::from(millionths)).div_ceil(1_000_000).max(1);
            while u128::from(below) < rank {
                let value = values.next().expect("ranks are at most the count");
                below += u64::from(value.count_at_value());
                top = value.value_iterated_to();
            }
            Point { millionths, span: Span::nanos(top.clamp(self.min, self.max)) }
        };
        shares.map(point).collect()
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        self.histogram.distinct_values() * size_of::<u32>()
    }

    /// What there is to say about it.
    pub(super) fn quantiles(&self) -> Quantiles {
        let count = self.histogram.len();
        if count == 0 {
            return Quantiles::default();
        }
        let steps = (1..100).map(|p| p * 10_000).chain([995_000, 999_000, 999_500, 999_900, 999_990, 1_000_000]);
        let curve = self.at(steps);
        let at = |millionths| curve.iter().find(|p| p.millionths == millionths).expect("it is one of the steps").span;
        Quantiles {
            count,
            mean: Span::nanos(u64::try_from(self.sum / u128::from(count)).expect("a mean is below the maximum")),
            min: Span::nanos(self.min),
            p50: at(500_000),
            p90: at(900_000),
            p99: at(990_000),
            p999: at(999_000),
            max: Span::nanos(self.max),
            curve,
        }
    }
}

/// A sparse logarithmic histogram: 64 steps for each power of two, so that a value is known to 1.6 %.
#[derive(Clone, Debug, Default)]
struct Sketch {
    counts: Vec<(u16, u32)>,
    max: u64,
}

/// The step a value falls into: values below 128 have steps of their own, then each power of two has 64.
fn step(nanos: u64) -> u16 {
    let shift = (64 - nanos.leading_zeros()).saturating_sub(7);
    u16::try_from(u64::from(shift) * 64 + (nanos >> shift)).expect("fewer than 2^12 steps")
}

/// The greatest value that falls into a step.
fn top(step: u16) -> u64 {
    let shift = (step / 64).saturating_sub(1);
    let mantissa = u64::from(step - shift * 64);
    (mantissa << shift) + ((1 << shift) - 1)
}

impl Sketch {
    fn add(&mut self, step: u16, count: u32) {
        match self.counts.binary_search_by_key(&step, |(s, _)| *s) {
            Ok(at) => self.counts[at].1 += count,
            Err(at) => self.counts.insert(at, (step, count)),
        }
    }

    fn merge(&mut self, other: &Sketch) {
        for (step, count) in &other.counts {
            self.add(*step, *count);
        }
        self.max = self.max.max(other.max);
    }

    /// The smallest known value with at least `percent` of all at or below it.
    fn percentile(&self, percent: u64) -> Span {
        let total: u64 = self.counts.iter().map(|(_, n)| u64::from(*n)).sum();
        let rank = (total * percent).div_ceil(100);
        let mut below = 0;
        for (step, count) in &self.counts {
            below += u64::from(*count);
            if below >= rank {
                return Span::nanos(top(*step).min(self.max));
            }
        }
        Span::ZERO
    }
}

/// What is counted in a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Count {
    Attempt,
    Ok,
    Failed,
    Unknown,
    Skipped,
    Delivery,
    Duplicate,
    Effect,
}
const COUNTS: usize = 8;

/// One bucket while it is being filled.
#[derive(Clone, Debug, Default)]
struct Cell {
    counts: [u64; COUNTS],
    acks: Sketch,
    /// By object, sorted: the greatest and the last sample.
    depths: Vec<(ObjectId, u64, u64)>,
}

impl Cell {
    /// Adds what happened in the bucket after this one.
    fn merge(&mut self, later: &Cell) {
        for (ours, theirs) in self.counts.iter_mut().zip(later.counts) {
            *ours += theirs;
        }
        self.acks.merge(&later.acks);
        for (object, max, last) in &later.depths {
            self.depth(*object, *max);
            self.depth(*object, *last);
        }
    }

    fn depth(&mut self, object: ObjectId, depth: u64) {
        match self.depths.binary_search_by_key(&object, |(o, _, _)| *o) {
            Ok(at) => {
                let (_, max, last) = &mut self.depths[at];
                (*max, *last) = ((*max).max(depth), depth);
            }
            Err(at) => self.depths.insert(at, (object, depth, depth)),
        }
    }
}

/// Figures over time: at most [`BUCKETS`] buckets; a run that outgrows them gets buckets twice as wide.
#[derive(Clone, Debug)]
pub(super) struct Timeline {
    width: u64,
    cells: Vec<Arc<Cell>>,
    /// The bucket that was touched last, the time it covers, and what was counted in it since.
    current: usize,
    from: u64,
    to: u64,
    hot: [u64; COUNTS],
    /// Nobody will ask.
    off: bool,
}

impl Timeline {
    pub(super) fn new(window: Span, end: Time) -> Timeline {
        assert!(!window.is_zero(), "a bucket of time has a width");
        let mut width = window.as_nanos();
        while end != Time::FAR && end.nanos().div_ceil(width) > BUCKETS as u64 {
            width = width.saturating_mul(2);
        }
        Timeline { width, cells: Vec::new(), current: 0, from: 0, to: 0, hot: [0; COUNTS], off: false }
    }

    /// Takes in no more.
    pub(super) fn switch_off(&mut self) {
        (self.cells, self.current, self.off) = (Vec::new(), 0, true);
    }

    #[inline]
    fn go_to(&mut self, at: Time) {
        let at = at.nanos();
        if at < self.from || at >= self.to {
            self.turn(at);
        }
    }

    fn cell(&mut self, at: Time) -> &mut Cell {
        self.go_to(at);
        Arc::make_mut(&mut self.cells[self.current])
    }

    /// Makes the bucket of a moment the current one.
    fn turn(&mut self, at: u64) {
        if let Some(cell) = self.cells.get_mut(self.current) {
            for (count, hot) in Arc::make_mut(cell).counts.iter_mut().zip(std::mem::take(&mut self.hot)) {
                *count += hot;
            }
        }
        while at / self.width >= BUCKETS as u64 {
            self.double();
        }
        let index = usize::try_from(at / self.width).expect("a small number");
        if index >= self.cells.len() {
            self.cells.resize_with(index + 1, Arc::default);
        }
        self.current = index;
        self.from = index as u64 * self.width;
        self.to = self.from.saturating_add(self.width);
    }

    fn double(&mut self) {
        let mut pairs = std::mem::take(&mut self.cells).into_iter();
        while let Some(mut first) = pairs.next() {
            if let Some(second) = pairs.next() {
                Arc::make_mut(&mut first).merge(&second);
            }
            self.cells.push(first);
        }
        self.width = self.width.saturating_mul(2);
        (self.from, self.to) = (0, 0);
    }

    #[inline]
    pub(super) fn count(&mut self, at: Time, what: Count) {
        if self.off {
            return;
        }
        self.go_to(at);
        self.hot[what as usize] += 1;
    }

    /// Counts an end that was good, with its latency.
    #[inline]
    pub(super) fn ack(&mut self, at: Time, latency: Span) {
        if self.off {
            return;
        }
        self.count(at, Count::Ok);
        let cell = self.cell(at);
        cell.acks.add(step(latency.as_nanos()), 1);
        cell.acks.max = cell.acks.max.max(latency.as_nanos());
    }

    pub(super) fn depth(&mut self, at: Time, object: ObjectId, depth: u64) {
        if !self.off {
            self.cell(at).depth(object, depth);
        }
    }

    /// The series, with buckets up to the end of the run.
    pub(super) fn series(&self, end: Time, names: &Names) -> Series {
        let mut all = self.clone();
        all.turn(end.nanos().saturating_sub(1));
        let start = |i: usize| Time::from_nanos(i as u64 * all.width);
        let buckets = all.cells.iter().enumerate().map(|(i, cell)| bucket(start(i), cell)).collect();
        let mut depths: Vec<Depth> = Vec::new();
        for (i, cell) in all.cells.iter().enumerate() {
            for (object, max, last) in &cell.depths {
                let point = DepthPoint { start: start(i), max: *max, last: *last };
                match depths.binary_search_by_key(object, |d| d.object) {
                    Ok(at) => depths[at].points.push(point),
                    Err(at) => {
                        let name = names.object(*object).name.clone();
                        depths.insert(at, Depth { object: *object, name, points: vec![point] });
                    }
                }
            }
        }
        Series { window: Span::nanos(all.width), buckets, depths }
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        let cells: usize =
            self.cells.iter().map(|c| size_of::<Cell>() + 16 + c.acks.counts.capacity() * 8 + c.depths.capacity() * 24).sum();
        cells + self.cells.capacity() * 8
    }
}

fn bucket(start: Time, cell: &Cell) -> Bucket {
    let count = |what: Count| cell.counts[what as usize];
    Bucket {
        start,
        attempts: count(Count::Attempt),
        ok: count(Count::Ok),
        failed: count(Count::Failed),
        unknown: count(Count::Unknown),
        skipped: count(Count::Skipped),
        deliveries: count(Count::Delivery),
        duplicates: count(Count::Duplicate),
        effects: count(Count::Effect),
        ack_p50: cell.acks.percentile(50),
        ack_p99: cell.acks.percentile(99),
        ack_max: Span::nanos(cell.acks.max),
    }
}
