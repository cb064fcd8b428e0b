//! How many messages waited in each queue over the time of a run.

use super::axis::{Axis, amount_of};
use super::frame::{Backdrop, Frame, Heading, Swatch};
use super::palette;
use super::scene::{Point, Scene};
use crate::check::{Depth, Judged};
use crate::report::words;

pub(super) const TITLE: &str = "How many messages waited in each queue";

/// `None` when no sample ever was above zero.
pub(super) fn draw(judged: &Judged, backdrop: &Backdrop) -> Option<Scene> {
    let mut deepest: Vec<(u64, &Depth)> = judged.series.depths.iter().map(|d| (peak(d), d)).filter(|(peak, _)| *peak > 0).collect();
    deepest.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.object.cmp(&b.1.object)));
    let greatest = deepest.first()?.0;
    let others = deepest.len().saturating_sub(palette::SERIES.len());
    deepest.truncate(palette::SERIES.len());
    let legend: Vec<_> = deepest
        .iter()
        .zip(palette::SERIES)
        .map(|((peak, d), colour)| (format!("{} (at most {})", d.name, words::count(*peak)), colour, Swatch::Stroke))
        .collect();
    let window = words::span(judged.series.window);
    let mut about = format!("The greatest number seen in each {window}.");
    if others > 0 {
        about.push_str(&format!(" The {} deepest are shown; {} more stayed below them.", palette::SERIES.len(), others));
    }
    let heading = Heading { title: TITLE, about: &about, legend: &legend };
    let mut frame = Frame::over_time(&heading, backdrop, (Axis::wholes(amount_of(greatest)), "messages waiting"));
    let width = amount_of(judged.series.window.as_nanos());
    // The deepest is drawn first, so that it does not cover the others.
    for ((_, depth), colour) in deepest.iter().zip(palette::SERIES) {
        let line: Vec<Point> = depth.points.iter().map(|p| (amount_of(p.start.nanos()) + width / 2.0, amount_of(p.max))).collect();
        frame.line(&line, colour, 2.0);
    }
    Some(frame.scene)
}

/// The greatest sample of all.
fn peak(depth: &Depth) -> u64 {
    depth.points.iter().map(|p| p.max).max().unwrap_or(0)
}
