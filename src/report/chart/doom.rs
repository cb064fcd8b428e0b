//! When a run was lost: the share of futures that end badly, over the time of the run.

use super::axis::{Axis, amount_of};
use super::frame::{self, Backdrop, Frame, Heading, Swatch};
use super::palette::{self, Colour};
use super::scene::{self, Anchor, Point, Scene, Shape, Type, Weight};
use crate::lab::doom::{Curve, Doom, Jump, Look};

pub(super) const TITLE: &str = "When the run was lost";

const CURVES: [(Curve, &str, Colour); 2] =
    [(Curve::Faults, "with the faults still to come", palette::UNKNOWN), (Curve::Spared, "if nothing more went wrong", palette::FAILED)];

/// `None` when no moment was looked at.
pub(super) fn draw(doom: &Doom, backdrop: &Backdrop) -> Option<Scene> {
    let futures = doom.looks.first()?.spared.whole;
    let about = format!(
        "Of {} futures drawn at each moment: those in which {} is broken. Bands are 95 % intervals.",
        crate::report::words::count(futures),
        doom.found.violation
    );
    let legend: Vec<_> = CURVES.iter().map(|(_, name, colour)| ((*name).to_owned(), *colour, Swatch::Stroke)).collect();
    let heading = Heading { title: TITLE, about: &about, legend: &legend };
    let mut frame = Frame::over_time(&heading, backdrop, (Axis::amounts(100.0), "bad endings (%)"));
    for (curve, _, colour) in CURVES {
        band(&mut frame, &doom.looks, curve, colour);
    }
    for (curve, _, colour) in CURVES {
        let values: Vec<Point> = doom.looks.iter().map(|look| (time(look), percent(look.share(curve).value()))).collect();
        frame.line(&values, colour, 2.0);
    }
    if let Some(jump) = &doom.jump {
        mark(&mut frame, jump);
    }
    Some(frame.scene)
}

fn time(look: &Look) -> f64 {
    amount_of(look.at.nanos())
}

fn percent(share: Option<f64>) -> f64 {
    share.unwrap_or_default() * 100.0
}

fn band(frame: &mut Frame, looks: &[Look], curve: Curve, colour: Colour) {
    let high = looks.iter().map(|look| frame.at(time(look), look.band(curve).high * 100.0));
    let low = looks.iter().rev().map(|look| frame.at(time(look), look.band(curve).low * 100.0));
    let area: Vec<Point> = high.chain(low).collect();
    frame.scene.add(Shape::Area(area, colour.faint(0.22)));
}

/// A line at the event, with its words on paper of their own.
fn mark(frame: &mut Frame, jump: &Jump) {
    let (x, _) = frame.at(time(&jump.after), 0.0);
    let (roof, floor) = (frame.roof(), frame.floor());
    frame.scene.add(Shape::Line(vec![(x, roof), (x, floor)], Colour::INK, 1.5));
    let style = Type { size: 11.5, weight: Weight::Bold, colour: Colour::INK };
    // On the side with more room, shortened to it.
    let (before, behind) = (x - 90.0, frame::WIDTH - 28.0 - x);
    let words = crate::report::words::clean(&format!("{}: {}", jump.after.at, jump.event));
    let words = scene::fitted(&words, style.size, before.max(behind) - 12.0);
    let width = scene::width(&words, style.size);
    let y = roof + 0.5 * (floor - roof);
    let left = if behind >= before { x + 8.0 } else { x - 10.0 - width };
    frame.scene.add(Shape::Rect((left - 2.0, y - 9.0), (left + width + 4.0, y + 9.0), Colour::WHITE));
    frame.scene.text((left, y), &words, Anchor::Start, style);
}
