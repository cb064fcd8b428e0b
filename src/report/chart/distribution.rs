//! How the times of a run are spread: for each share of the operations, how long they took at most.

use super::axis::{Axis, Scale, Tick, amount_of};
use super::frame::{Axes, Backdrop, Frame, Heading, Swatch};
use super::palette;
use super::scene::{Point, Scene, Shape};
use crate::check::{Judged, Quantiles};
use crate::report::words;

pub(super) const TITLE: &str = "How long things took, from the usual to the worst";

/// `None` when nothing was measured.
pub(super) fn draw(judged: &Judged) -> Option<Scene> {
    let latency = &judged.latency;
    let kinds = [
        ("acknowledged", &latency.ack_ok),
        ("delivered to a consumer", &latency.delivery),
        ("took effect", &latency.effect),
        ("failed", &latency.ack_failed),
        ("given up as unknown", &latency.ack_unknown),
    ];
    let shown: Vec<_> = kinds.into_iter().zip(palette::SERIES).filter(|((_, q), _)| q.count > 0).collect();
    let least = shown.iter().map(|((_, q), _)| q.min).min()?;
    let greatest = shown.iter().map(|((_, q), _)| q.max).max()?;
    let legend: Vec<_> =
        shown.iter().map(|((name, q), colour)| (format!("{name} ({})", words::count(q.count)), *colour, Swatch::Stroke)).collect();
    let heading = Heading {
        title: TITLE,
        about: "From the call; read upwards from a share: so many took at most this long. A dot is the longest of all.",
        legend: &legend,
    };
    let curves: Vec<Vec<Point>> = shown.iter().map(|((_, q), _)| curve(q)).collect();
    let rightmost = curves.iter().flatten().map(|p| p.0).fold(1.0, f64::max);
    let axes = Axes {
        x: shares(rightmost),
        x_name: "share of all that took at most so long",
        y: Axis::spans(amount_of(least.as_nanos()), amount_of(greatest.as_nanos())),
        y_name: "time since the call",
    };
    let mut frame = Frame::new(&heading, axes, &Backdrop::default());
    for tick in shares(rightmost).ticks {
        let x = frame.at(tick.value, 0.0).0;
        let (floor, roof) = (frame.floor(), frame.roof());
        frame.scene.add(Shape::Line(vec![(x, floor), (x, roof)], palette::Colour::MESH, 1.0));
    }
    for (points, (_, colour)) in curves.iter().zip(&shown) {
        frame.line(points, *colour, 2.0);
        if let Some((x, y)) = points.last() {
            let at = frame.at(*x, *y);
            frame.scene.add(Shape::Dot(at, 3.0, *colour));
        }
    }
    Some(frame.scene)
}

/// Shares as numbers of nines: 0 % at 0, 90 % at 1, 99 % at 2.
fn nines(millionths: u32) -> f64 {
    -libm::log10(1.0 - f64::from(millionths.min(999_999)) / 1e6)
}

/// The curve as far as the number of measurements carries it. The longest of n stands where the last of n begins.
fn curve(quantiles: &Quantiles) -> Vec<Point> {
    let last = libm::log10(amount_of(quantiles.count)).max(0.05);
    let start = (0.0, amount_of(quantiles.min.as_nanos()));
    let inner = quantiles.curve.iter().map(|p| (nines(p.millionths), amount_of(p.span.as_nanos()))).filter(|(x, _)| *x < last);
    let end = (last, amount_of(quantiles.max.as_nanos()));
    [start].into_iter().chain(inner).chain([end]).collect()
}

/// The axis of shares up to so many nines.
fn shares(nines: f64) -> Axis {
    const NAMED: [(f64, &str); 9] = [
        (0.0, "0 %"),
        (std::f64::consts::LOG10_2, "50 %"),
        (0.602_06, "75 %"),
        (1.0, "90 %"),
        (2.0, "99 %"),
        (3.0, "99.9 %"),
        (4.0, "99.99 %"),
        (5.0, "99.999 %"),
        (6.0, "99.9999 %"),
    ];
    let top = nines.max(1.0) * 1.02;
    let ticks = NAMED.into_iter().filter(|(at, _)| *at <= top).map(|(value, label)| Tick { value, label: label.to_owned() }).collect();
    Axis { scale: Scale::Linear { top }, ticks }
}
