//! What judging a run gives: findings, the accounting of its messages, latencies, and figures over time.

use std::borrow::Cow;

use crate::base::{ObjectId, Span, Time};

use super::{Finding, Property, Verdict};

/// Everything that judges say of one run. Equal histories give equal values, bit for bit.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Judged {
    /// A finding for every property of delivery and, when the run has logs, of logs, in the order of [`Property::ALL`].
    pub findings: Vec<Finding>,
    /// Where every message went.
    pub accounting: Accounting,
    /// How long things took, the warm phase left out.
    pub latency: Latency,
    /// Success and throughput, the warm phase left out.
    pub figures: Figures,
    /// How it went over time, the warm phase included.
    pub series: Series,
}

impl Judged {
    /// The finding for a property.
    ///
    /// # Panics
    /// When it is [about logs](Property::LOG) and the run has none.
    #[must_use]
    pub fn finding(&self, property: Property) -> &Finding {
        self.findings.iter().find(|f| f.property == property).expect("there is a finding for everything that the run could be judged by")
    }

    /// The verdict on a property; unknown when it is [about logs](Property::LOG) and the run has none.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use deadletter::base::{Span, Time};
    /// use deadletter::check::{JudgeConfig, Judges, Promises, Property, Verdict};
    /// use deadletter::record::Names;
    ///
    /// let (start, end) = (Time::ZERO, Time::ZERO + Span::secs(1));
    /// let config = JudgeConfig { window: Span::secs(1), chaos_start: start, heal_start: end, drain_start: end, end };
    /// let judged = Judges::new(Arc::new(Names::default()), config).finish(end, &Promises::default());
    /// assert_eq!(*judged.verdict(Property::NoLostWrite), Verdict::Unknown { why: "there are no logs".into() });
    /// ```
    #[must_use]
    pub fn verdict(&self, property: Property) -> Cow<'_, Verdict> {
        let found = self.findings.iter().find(|f| f.property == property);
        found.map_or_else(|| Cow::Owned(Verdict::Unknown { why: NO_LOGS.to_owned() }), |found| Cow::Borrowed(&found.verdict))
    }
}

/// Why nothing can be said of logs in a run without any.
pub(super) const NO_LOGS: &str = "there are no logs";

/// Where every message went, over the whole run (warm phase included), in the field's words.
///
/// `attempts = ok + failed + unknown + pending`. Whoever reads `unknown` as Jepsen's `info` adds `pending` to it.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Accounting {
    /// Operations that clients invoked.
    pub attempts: u64,
    /// Ended well.
    pub ok: u64,
    /// Ended as certainly not happened.
    pub failed: u64,
    /// Ended without knowledge.
    pub unknown: u64,
    /// Never ended: as good as unknown.
    pub pending: u64,
    /// Arrivals of the load whose client was down; not attempts.
    pub skipped: u64,
    /// Distinct messages that arrived anywhere: delivered, or applied.
    pub delivered: u64,
    /// Deliveries, repeated and unexpected ones included.
    pub deliveries: u64,
    /// Deliveries that the broker marked as delivered before.
    pub redelivered: u64,
    /// Deliveries beyond the first of a message to a group.
    pub duplicates: u64,
    /// Effects applied, repeated ones included.
    pub effects: u64,
    /// Effects beyond the first of a message for a group.
    pub duplicate_effects: u64,
    /// Distinct messages that were acknowledged and yet vanished for at least one group (see `Property::AckedSurvives`). Only
    /// meaningful after a final read: before it, what is still held counts as well.
    pub lost: u64,
    /// Distinct messages that ended unknown, or never ended, and yet arrived.
    pub recovered: u64,
    /// Distinct messages that ended unknown, or never ended, and never arrived.
    pub unknown_not_happened: u64,
    /// Deliveries and effects of what was never sent to the group.
    pub unexpected: u64,
    /// Deliveries with a damaged body.
    pub corrupted: u64,
    /// Messages moved to dead letters.
    pub dead_lettered: u64,
    /// Messages removed by retention.
    pub expired: u64,
    /// Messages removed or refused by a full queue without a word.
    pub dropped: u64,
    /// Messages removed by compaction; left out of `report.json` when there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub superseded: u64,
    /// Messages that consumers acknowledged.
    pub acknowledged: u64,
    /// Messages that consumers gave back.
    pub returned: u64,
    /// Messages still held in queues and subscriptions at the final read; those in dead letters are only in their group's row.
    pub held: u64,
    /// Entries that contradict the rules of histories (a second call or end of one payload, an end without a call, a settlement
    /// of what was never sent, a subscription of what is none). Not zero means that the model records wrongly.
    pub malformed: u64,
    /// The same for each group that saw anything, in order of id.
    pub groups: Vec<GroupAccounting>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "that is how serde asks")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

/// What one group saw: a queue, a subscription, a service, or dead letters.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct GroupAccounting {
    /// Which.
    pub group: ObjectId,
    /// Its name.
    pub name: String,
    /// Distinct messages that arrived.
    pub delivered: u64,
    /// Deliveries, repeated and unexpected ones included.
    pub deliveries: u64,
    /// Deliveries that the broker marked as delivered before.
    pub redelivered: u64,
    /// Deliveries beyond the first of a message.
    pub duplicates: u64,
    /// Effects applied, repeated ones included.
    pub effects: u64,
    /// Effects beyond the first of a message.
    pub duplicate_effects: u64,
    /// Acknowledged messages that were owed to the group and vanished.
    pub lost: u64,
    /// Deliveries and effects of what was never sent to it.
    pub unexpected: u64,
    /// Deliveries with a damaged body.
    pub corrupted: u64,
    /// Messages moved from it to dead letters.
    pub dead_lettered: u64,
    /// Messages removed by retention.
    pub expired: u64,
    /// Messages removed or refused by a full queue without a word.
    pub dropped: u64,
    /// Messages removed by compaction; left out of `report.json` when there are none.
    #[serde(skip_serializing_if = "is_none")]
    pub superseded: u64,
    /// Messages that consumers acknowledged.
    pub acknowledged: u64,
    /// Messages that consumers gave back.
    pub returned: u64,
    /// Messages still held at the final read.
    pub held: u64,
}

/// How long things took, for operations invoked from the beginning of chaos on.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Latency {
    /// From invocation to the end, where it ended well.
    pub ack_ok: Quantiles,
    /// From invocation to the end, where it ended as failed.
    pub ack_failed: Quantiles,
    /// From invocation to the end, where it ended as unknown.
    pub ack_unknown: Quantiles,
    /// From invocation to the first intact arrival at each group it was owed to.
    pub delivery: Quantiles,
    /// From invocation to the first effect for each group it was owed to.
    pub effect: Quantiles,
}

/// A distribution of spans. `mean`, `min` and `max` are exact (the mean rounded down), quantiles are at most 0.1 % too high.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Quantiles {
    /// How many were measured. When zero, all else is zero.
    pub count: u64,
    /// The mean.
    pub mean: Span,
    /// The shortest.
    pub min: Span,
    /// The median.
    pub p50: Span,
    /// The 90th percentile.
    pub p90: Span,
    /// The 99th percentile.
    pub p99: Span,
    /// The 99.9th percentile.
    pub p999: Span,
    /// The longest.
    pub max: Span,
    /// The whole distribution, for a chart: every percent, then closer to the end.
    pub curve: Vec<Point>,
}

/// A point of a distribution.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Point {
    /// The share of measurements at or below the span, in millionths.
    pub millionths: u32,
    /// The span.
    pub span: Span,
}

/// A share of a whole, kept exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Ratio {
    /// How many of them.
    pub part: u64,
    /// Out of how many. May be zero: then nothing can be said.
    pub whole: u64,
}

impl Ratio {
    /// The share as a number from 0 to 1, for people; `None` when there is nothing to divide.
    ///
    /// ```
    /// use deadletter::check::Ratio;
    /// assert_eq!(Ratio { part: 9, whole: 10 }.value(), Some(0.9));
    /// assert_eq!(Ratio::default().value(), None);
    /// ```
    #[must_use]
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a figure for people; decisions use `at_least`")]
    pub fn value(self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }

    /// Whether the share is at least `part / whole`, exactly. `None` when there is nothing to divide.
    #[must_use]
    pub fn at_least(self, bound: Ratio) -> Option<bool> {
        let (ours, theirs) = (u128::from(self.part) * u128::from(bound.whole), u128::from(bound.part) * u128::from(self.whole));
        (self.whole > 0).then_some(ours >= theirs)
    }
}

/// Success and throughput of what was invoked in chaos and heal: from the beginning of chaos to the end of the load.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Figures {
    /// Operations invoked in that time.
    pub attempts: u64,
    /// How many of them ended well.
    pub ok: u64,
    /// How many of them ended as failed.
    pub failed: u64,
    /// How many of them ended as unknown.
    pub unknown: u64,
    /// How many of them never ended.
    pub pending: u64,
    /// Arrivals in that time whose client was down.
    pub skipped: u64,
    /// `ok / (ok + failed + unknown + pending)`.
    pub success: Ratio,
    /// `ok / (ok + failed + unknown + pending + skipped)`: what the users of clients that were down would say.
    pub offered_success: Ratio,
    /// Ends `Ok` within that time, whenever they were invoked.
    pub acked: Rate,
    /// First intact arrivals within that time, over all groups.
    pub delivered: Rate,
}

/// So many in so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// In how long. May be zero: then nothing can be said.
    pub over: Span,
}

impl Rate {
    /// How many in a second, for people; `None` when no time passed.
    ///
    /// ```
    /// use deadletter::{base::Span, check::Rate};
    /// assert_eq!(Rate { count: 30, over: Span::secs(60) }.per_second(), Some(0.5));
    /// ```
    #[must_use]
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn per_second(self) -> Option<f64> {
        (!self.over.is_zero()).then(|| self.count as f64 / (self.over.as_nanos() as f64 / 1e9))
    }
}

/// How it went over time, in buckets of equal width.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Series {
    /// The width of a bucket.
    pub window: Span,
    /// The buckets, without gaps, from time zero on.
    pub buckets: Vec<Bucket>,
    /// Depths of objects that were sampled, in order of id.
    pub depths: Vec<Depth>,
}

/// What happened in one bucket of time. Attempts count when they are invoked; ends, with their latency, when they end.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Bucket {
    /// When it begins.
    pub start: Time,
    /// Operations invoked.
    pub attempts: u64,
    /// Operations that ended well.
    pub ok: u64,
    /// Operations that ended as failed.
    pub failed: u64,
    /// Operations that ended as unknown.
    pub unknown: u64,
    /// Arrivals whose client was down.
    pub skipped: u64,
    /// Deliveries, repeated and unexpected ones included.
    pub deliveries: u64,
    /// Deliveries beyond the first of a message to a group.
    pub duplicates: u64,
    /// Effects applied, repeated ones included.
    pub effects: u64,
    /// The median of the latency of what ended well in this bucket; at most 1.6 % too high. Zero when nothing did.
    pub ack_p50: Span,
    /// Its 99th percentile; at most 1.6 % too high.
    pub ack_p99: Span,
    /// Its maximum, exact.
    pub ack_max: Span,
}

/// The depth of one object over time.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Depth {
    /// Which.
    pub object: ObjectId,
    /// Its name.
    pub name: String,
    /// For each bucket in which it was sampled: the greatest and the last sample.
    pub points: Vec<DepthPoint>,
}

/// Samples of a depth in one bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct DepthPoint {
    /// When the bucket begins.
    pub start: Time,
    /// The greatest sample.
    pub max: u64,
    /// The last sample.
    pub last: u64,
}
