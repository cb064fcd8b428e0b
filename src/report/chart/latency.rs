//! How long acknowledgements took over the time of a run: median, slow tail and worst.

use super::axis::{Axis, amount_of};
use super::frame::{Backdrop, Frame, Heading, Swatch};
use super::palette::{self, Colour};
use super::scene::{Point, Scene};
use crate::base::Span;
use crate::check::{Bucket, Judged};

pub(super) const TITLE: &str = "How long an acknowledgement took";

/// A name, a colour, a width, and what to draw of a bucket.
type Line = (&'static str, Colour, f64, fn(&Bucket) -> Span);

/// `None` when nothing was acknowledged.
pub(super) fn draw(judged: &Judged, backdrop: &Backdrop) -> Option<Scene> {
    let told: Vec<&Bucket> = judged.series.buckets.iter().filter(|b| b.ok > 0).collect();
    let least = told.iter().map(|b| b.ack_p50).min()?;
    let greatest = told.iter().map(|b| b.ack_max).max()?;
    let lines: [Line; 3] = [
        ("longest", palette::WORST, 1.0, |b| b.ack_max),
        ("99 % took at most this (p99)", palette::TAIL, 2.0, |b| b.ack_p99),
        ("half took at most this (p50)", palette::MEDIAN, 2.0, |b| b.ack_p50),
    ];
    let legend: Vec<_> = lines.iter().rev().map(|(name, colour, ..)| ((*name).to_owned(), *colour, Swatch::Stroke)).collect();
    let window = crate::report::words::span(judged.series.window);
    let about = format!("From the client's call to its acknowledgement, by the moment of the acknowledgement; each point covers {window}.");
    let heading = Heading { title: TITLE, about: &about, legend: &legend };
    let y = Axis::spans(amount_of(least.as_nanos()), amount_of(greatest.as_nanos()));
    let mut frame = Frame::over_time(&heading, backdrop, (y, "time to acknowledge"));
    for (_, colour, width, value) in lines {
        for stretch in stretches(judged, value) {
            frame.line(&stretch, colour, width);
        }
    }
    Some(frame.scene)
}

/// Values bucket by bucket; where nothing was acknowledged the line has a gap.
fn stretches(judged: &Judged, value: fn(&Bucket) -> Span) -> Vec<Vec<Point>> {
    let half = amount_of(judged.series.window.as_nanos()) / 2.0;
    judged
        .series
        .buckets
        .split(|b| b.ok == 0)
        .filter(|stretch| !stretch.is_empty())
        .map(|stretch| stretch.iter().map(|b| (amount_of(b.start.nanos()) + half, amount_of(value(b).as_nanos()))).collect())
        .collect()
}
