//! Figures over time as CSV: one row for each bucket, for people who draw their own charts.

use crate::base::{Span, Time};
use crate::check::{Bucket, DepthPoint};
use crate::run::ArmOutcome;

use super::words;

/// The columns that every series has. Times are exact decimals. An empty latency means that nothing was acknowledged in that bucket.
pub const COLUMNS: [&str; 15] = [
    "start_s",
    "width_s",
    "phase",
    "faults",
    "called",
    "acknowledged",
    "failed",
    "unknown",
    "client_down",
    "deliveries",
    "repeated_deliveries",
    "effects",
    "ack_p50_ms",
    "ack_p99_ms",
    "ack_max_ms",
];

/// The series of the run that an arm shows: [`COLUMNS`], then for each object `depth_max:NAME` and `depth_last:NAME` in messages, empty
/// where the depth was not sampled.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn series(arm: &ArmOutcome) -> String {
    let series = &arm.shown.judged.series;
    let mut out = csv::WriterBuilder::new().from_writer(Vec::new());
    let mut header: Vec<String> = COLUMNS.iter().map(|c| (*c).to_owned()).collect();
    for depth in &series.depths {
        header.extend(["max", "last"].map(|what| format!("depth_{what}:{}", words::clean(&depth.name))));
    }
    out.write_record(&header).expect("memory takes it");
    for bucket in &series.buckets {
        let mut row = fixed(arm, bucket, series.window);
        for depth in &series.depths {
            let point = depth.points.iter().find(|p| p.start == bucket.start);
            let cell = |value: fn(&DepthPoint) -> u64| point.map_or_else(String::new, |p| value(p).to_string());
            row.extend([cell(|p| p.max), cell(|p| p.last)]);
        }
        out.write_record(&row).expect("memory takes it");
    }
    let bytes = out.into_inner().expect("memory takes it");
    String::from_utf8(bytes).expect("texts stay texts")
}

/// The cells of the columns that every series has.
fn fixed(arm: &ArmOutcome, bucket: &Bucket, width: Span) -> Vec<String> {
    let until = bucket.start + width;
    let phase = arm.scenery.phases.iter().rfind(|(_, at)| *at <= bucket.start).map_or("", |(name, _)| name);
    let acting = |row: &&crate::run::LedgerRow| row.strikes.iter().any(|s| s.from < until && s.until.unwrap_or(Time::FAR) >= bucket.start);
    let faults: Vec<String> = arm.shown.ledger.iter().filter(acting).map(|row| words::clean(&row.name)).collect();
    let latency = |span: Span| if bucket.ok == 0 { String::new() } else { decimal(span.as_nanos(), 6) };
    let counts =
        [bucket.attempts, bucket.ok, bucket.failed, bucket.unknown, bucket.skipped, bucket.deliveries, bucket.duplicates, bucket.effects];
    let mut row = vec![decimal(bucket.start.nanos(), 9), decimal(width.as_nanos(), 9), words::clean(phase), faults.join("; ")];
    row.extend(counts.map(|n| n.to_string()));
    row.extend([bucket.ack_p50, bucket.ack_p99, bucket.ack_max].map(latency));
    row
}

/// A number divided by a power of ten, exactly and without idle zeros.
fn decimal(n: u64, places: u32) -> String {
    let unit = 10u64.pow(places);
    let (whole, part) = (n / unit, n % unit);
    if part == 0 {
        return whole.to_string();
    }
    let digits = format!("{part:0width$}", width = places as usize);
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_row_for_each_bucket_and_a_column_for_each_figure() {
        for outcome in fixture::all() {
            for arm in &outcome.arms {
                let text = series(arm);
                let mut reader = csv::Reader::from_reader(text.as_bytes());
                let header = reader.headers().unwrap().clone();
                let wanted = COLUMNS.len() + 2 * arm.shown.judged.series.depths.len();
                assert_eq!(header.len(), wanted);
                assert!(COLUMNS.iter().zip(&header).all(|(a, b)| *a == b));
                let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
                let buckets = &arm.shown.judged.series.buckets;
                assert_eq!(rows.len(), buckets.len());
                let sum = |column: usize| rows.iter().map(|r| r[column].parse::<u64>().unwrap()).sum::<u64>();
                assert_eq!(sum(4), buckets.iter().map(|b| b.attempts).sum::<u64>());
                assert_eq!(sum(5), buckets.iter().map(|b| b.ok).sum::<u64>());
                let struck = arm.shown.ledger.iter().filter(|row| !row.strikes.is_empty()).count();
                let named: std::collections::BTreeSet<&str> =
                    rows.iter().flat_map(|r| r[3].split("; ")).filter(|n| !n.is_empty()).collect();
                assert_eq!(named.len(), struck, "every fault that struck is in some row: {named:?}");
            }
        }
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(decimal(500_000_000, 9), "0.5");
        assert_eq!(decimal(12_000_000_000, 9), "12");
        assert_eq!(decimal(1_000_001, 6), "1.000001");
    }
}
