//! How many operations ended in each second, and how: what was acknowledged, refused, or left unknown.

use super::axis::{Axis, amount_of};
use super::frame::{Backdrop, Frame, Heading, Swatch};
use super::palette::{self, Colour};
use super::scene::{Point, Scene, Shape};
use crate::check::{Bucket, Judged};

pub(super) const TITLE: &str = "How many operations ended in each second, and how";

/// A name, a colour, and what to count in a bucket.
type Layer = (&'static str, Colour, fn(&Bucket) -> u64);

/// So much of the plot's height stays free that fault windows show above the areas.
const HEADROOM: f64 = 1.08;

/// `None` when nothing was invoked.
pub(super) fn draw(judged: &Judged, backdrop: &Backdrop) -> Option<Scene> {
    let buckets = &judged.series.buckets;
    let any = |count: fn(&Bucket) -> u64| buckets.iter().any(|b| count(b) > 0);
    if !any(|b| b.attempts) && !any(ended) {
        return None;
    }
    let layers: [Layer; 4] = [
        ("acknowledged", palette::OK, |b| b.ok),
        ("failed: did not happen", palette::FAILED, |b| b.failed),
        ("unknown: may have happened", palette::UNKNOWN, |b| b.unknown),
        ("not tried: client down", Colour::AXIS, |b| b.skipped),
    ];
    let shown: Vec<_> = layers.into_iter().filter(|(_, _, count)| any(*count)).collect();
    let mut legend: Vec<_> = shown.iter().map(|(name, colour, _)| ((*name).to_owned(), *colour, Swatch::Fill)).collect();
    legend.push(("called by clients".to_owned(), Colour::INK, Swatch::Stroke));
    let window = crate::report::words::span(judged.series.window);
    let about =
        format!("By the moment of their end; each step covers {window}. Where the line runs above the areas, calls were still waiting.");
    let heading = Heading { title: TITLE, about: &about, legend: &legend };
    let steps = Steps { judged, end: amount_of(backdrop.end.nanos()) };
    let greatest = buckets.iter().map(|b| steps.rate(b, ended(b) + b.skipped).max(steps.rate(b, b.attempts))).fold(0.0, f64::max);
    let mut frame = Frame::over_time(&heading, backdrop, (Axis::amounts(greatest * HEADROOM), "operations a second"));
    let mut floor: Vec<f64> = vec![0.0; buckets.len()];
    for (_, colour, count) in shown {
        let roof: Vec<f64> = buckets.iter().zip(&floor).map(|(b, below)| below + steps.rate(b, count(b))).collect();
        for polygon in steps.bands(&frame, &floor, &roof) {
            frame.scene.add(Shape::Area(polygon, colour.faint(0.85)));
        }
        floor = roof;
    }
    let called: Vec<f64> = buckets.iter().map(|b| steps.rate(b, b.attempts)).collect();
    let line: Vec<Point> = buckets.iter().zip(called).flat_map(|(b, y)| [(steps.from(b), y), (steps.until(b), y)]).collect();
    frame.line(&line, Colour::INK.faint(0.75), 1.2);
    Some(frame.scene)
}

/// Operations that ended in a bucket.
fn ended(bucket: &Bucket) -> u64 {
    bucket.ok + bucket.failed + bucket.unknown
}

/// Buckets as steps; the last one ends with the run, so that it does not look emptier than it was.
struct Steps<'a> {
    judged: &'a Judged,
    end: f64,
}

impl Steps<'_> {
    fn from(&self, bucket: &Bucket) -> f64 {
        amount_of(bucket.start.nanos()).min(self.end)
    }
    fn until(&self, bucket: &Bucket) -> f64 {
        (amount_of(bucket.start.nanos()) + amount_of(self.judged.series.window.as_nanos())).min(self.end)
    }
    /// So many in a second.
    fn rate(&self, bucket: &Bucket, count: u64) -> f64 {
        let nanos = self.until(bucket) - self.from(bucket);
        // A last bucket of a sliver would turn one event into thousands a second.
        let nanos = nanos.max(amount_of(self.judged.series.window.as_nanos()) * 0.2);
        amount_of(count) * 1e9 / nanos.max(1.0)
    }
    /// The room between two stepped lines, one polygon for each stretch where it is not empty.
    fn bands(&self, frame: &Frame, floor: &[f64], roof: &[f64]) -> Vec<Vec<Point>> {
        let cells: Vec<_> = self.judged.series.buckets.iter().zip(floor.iter().zip(roof)).collect();
        let stretches = cells.split(|(_, (below, above))| above <= below).filter(|s| !s.is_empty());
        stretches
            .map(|cells| {
                let up = cells.iter().flat_map(|(b, (_, y))| [frame.at(self.from(b), **y), frame.at(self.until(b), **y)]);
                let down = cells.iter().rev().flat_map(|(b, (y, _))| [frame.at(self.until(b), **y), frame.at(self.from(b), **y)]);
                up.chain(down).collect()
            })
            .collect()
    }
}
