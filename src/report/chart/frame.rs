//! What every chart over time has in common: title, legend, lanes of phases and faults, axes and mesh.

use super::axis::{Axis, amount_of};
use super::palette::{self, Colour};
use super::scene::{self, Anchor, Point, Scene, Shape, Type, Weight};
use crate::base::Time;

/// Width of every chart in pixels.
pub(super) const WIDTH: f64 = 960.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 28.0;
const LANE: f64 = 18.0;

/// Headings.
pub(super) const TITLE: Type = Type { size: 17.0, weight: Weight::Bold, colour: Colour::INK };
/// What a chart shows, under its title.
pub(super) const ABOUT: Type = Type { size: 12.5, weight: Weight::Regular, colour: Colour::GREY };
/// Labels of axes and legends.
pub(super) const LABEL: Type = Type { size: 12.0, weight: Weight::Regular, colour: Colour::GREY };
/// Small labels in lanes.
pub(super) const SMALL: Type = Type { size: 11.0, weight: Weight::Regular, colour: Colour::INK };

/// A period in which a fault acts.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Window {
    /// From when.
    pub(crate) from: Time,
    /// Until when; never before `from`.
    pub(crate) until: Time,
}

/// All windows of one fault.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FaultLane {
    /// The fault's name.
    pub(crate) name: String,
    /// In order of time.
    pub(crate) windows: Vec<Window>,
}

/// What lies behind the data of a chart over time.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Backdrop {
    /// Beginning and name of each phase.
    pub(crate) phases: Vec<(String, Time)>,
    /// Faults that struck, in order of declaration.
    pub(crate) faults: Vec<FaultLane>,
    /// The end of the run.
    pub(crate) end: Time,
}

/// How an entry of a legend looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Swatch {
    /// A filled square.
    Fill,
    /// A stroke.
    Stroke,
}

/// What a chart says about itself.
pub(super) struct Heading<'a> {
    /// What it shows, in few words.
    pub(super) title: &'a str,
    /// How to read it, in a sentence.
    pub(super) about: &'a str,
    /// Names of colours.
    pub(super) legend: &'a [(String, Colour, Swatch)],
}

/// A chart with axes, ready for data.
pub(super) struct Frame {
    /// The picture so far.
    pub(super) scene: Scene,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    x: Axis,
    y: Axis,
}

/// Both axes with what they measure.
pub(super) struct Axes<'a> {
    /// Across.
    pub(super) x: Axis,
    /// What it measures, with its unit.
    pub(super) x_name: &'a str,
    /// Upwards.
    pub(super) y: Axis,
    /// What it measures.
    pub(super) y_name: &'a str,
}

impl Frame {
    /// A frame for a chart over the time of a run.
    pub(super) fn over_time(heading: &Heading<'_>, backdrop: &Backdrop, (y, y_name): (Axis, &str)) -> Frame {
        let (x, unit) = Axis::time(amount_of(backdrop.end.nanos()));
        let x_name = format!("time since the start of the run ({unit})");
        Frame::new(heading, Axes { x, x_name: &x_name, y, y_name }, backdrop)
    }

    /// A frame with two axes and, when there are phases or faults, their lanes.
    pub(super) fn new(heading: &Heading<'_>, axes: Axes<'_>, backdrop: &Backdrop) -> Frame {
        const PLOT: f64 = 250.0;
        let mut scene = Scene::new(WIDTH, 0.0, &format!("{}. {}", heading.title, heading.about));
        let below = head(&mut scene, heading);
        let lanes = usize::from(!backdrop.phases.is_empty()) + backdrop.faults.len().min(palette::FAULTS.len() + 1);
        let top = below + amount_of(lanes as u64) * LANE + 34.0;
        let bottom = top + PLOT;
        scene.height = bottom + 50.0;
        let mut frame = Frame { scene, left: LEFT, right: WIDTH - RIGHT, top, bottom, x: axes.x, y: axes.y };
        frame.mesh();
        frame.backdrop(backdrop, below);
        frame.names(axes.x_name, axes.y_name);
        frame
    }

    /// The pixel of a value.
    pub(super) fn at(&self, x: f64, y: f64) -> Point {
        (self.across(x), self.bottom - self.y.scale.place(y) * (self.bottom - self.top))
    }

    /// The bottom of the plot in pixels.
    pub(super) const fn floor(&self) -> f64 {
        self.bottom
    }

    /// The top of the plot in pixels.
    pub(super) const fn roof(&self) -> f64 {
        self.top
    }

    fn across(&self, x: f64) -> f64 {
        self.left + self.x.scale.place(x) * (self.right - self.left)
    }

    /// A line through values; a lone value becomes a dot.
    pub(super) fn line(&mut self, values: &[Point], colour: Colour, width: f64) {
        let points: Vec<Point> = values.iter().map(|(x, y)| self.at(*x, *y)).collect();
        match points.as_slice() {
            [] => {}
            [lone] => self.scene.add(Shape::Dot(*lone, width + 0.6, colour)),
            [_, _, ..] => self.scene.add(Shape::Line(points, colour, width)),
        }
    }

    fn mesh(&mut self) {
        for tick in self.y.ticks.clone() {
            let y = self.at(0.0, tick.value).1;
            self.scene.add(Shape::Line(vec![(self.left, y), (self.right, y)], Colour::MESH, 1.0));
            self.scene.text((self.left - 8.0, y), &tick.label, Anchor::End, LABEL);
        }
        for tick in self.x.ticks.clone() {
            let x = self.across(tick.value);
            self.scene.add(Shape::Line(vec![(x, self.bottom), (x, self.bottom + 5.0)], Colour::AXIS, 1.0));
            self.scene.text((x, self.bottom + 15.0), &tick.label, Anchor::Middle, LABEL);
        }
        self.scene.add(Shape::Line(vec![(self.left, self.bottom), (self.right, self.bottom)], Colour::AXIS, 1.0));
    }

    fn names(&mut self, x_name: &str, y_name: &str) {
        self.scene.text((self.right, self.bottom + 35.0), x_name, Anchor::End, LABEL);
        let (x, y) = (self.left - 60.0, self.top - 19.0);
        self.scene.add(Shape::Rect((x, y - 7.0), (x + scene::width(y_name, LABEL.size) + 4.0, y + 8.0), Colour::WHITE));
        self.scene.text((x, y), y_name, Anchor::Start, LABEL);
    }

    /// Phases and faults: lanes with names above the plot, faint shades and lines in it.
    fn backdrop(&mut self, backdrop: &Backdrop, below: f64) {
        let mut y = below + 4.0;
        if !backdrop.phases.is_empty() {
            self.phases(backdrop, y);
            y += LANE;
        }
        let own = palette::FAULTS.len();
        for (fault, colour) in backdrop.faults.iter().zip(palette::FAULTS) {
            self.fault(fault, colour, y);
            y += LANE;
        }
        if let Some(further) = backdrop.faults.get(own..).filter(|f| !f.is_empty()) {
            let names: Vec<&str> = further.iter().map(|f| f.name.as_str()).collect();
            let mut windows: Vec<Window> = further.iter().flat_map(|f| f.windows.iter().cloned()).collect();
            windows.sort_by_key(|w| (w.from, w.until));
            let name = format!("{} more: {}", further.len(), names.join(", "));
            self.fault(&FaultLane { name, windows }, palette::FURTHER_FAULTS, y);
        }
    }

    fn phases(&mut self, backdrop: &Backdrop, y: f64) {
        let ends = backdrop.phases.iter().skip(1).map(|(_, at)| *at).chain([backdrop.end]);
        for (i, ((name, from), until)) in backdrop.phases.iter().zip(ends).enumerate() {
            let (a, b) = (self.across(amount_of(from.nanos())), self.across(amount_of(until.nanos())));
            let fill = if i.is_multiple_of(2) { Colour::PHASE } else { Colour::MESH };
            self.scene.add(Shape::Rect((a, y), (b, y + LANE - 4.0), fill));
            if i > 0 {
                self.scene.dashes((a, y + LANE - 4.0), (a, self.bottom), Colour::AXIS.faint(0.8));
            }
            if scene::width(name, SMALL.size) + 6.0 <= b - a {
                let grey = Type { colour: Colour::GREY, ..SMALL };
                self.scene.text(((a + b) / 2.0, y + LANE / 2.0 - 2.0), name, Anchor::Middle, grey);
            }
        }
    }

    fn fault(&mut self, fault: &FaultLane, colour: Colour, y: f64) {
        const THIN: f64 = 2.0;
        let mut bars: Vec<(f64, f64)> = Vec::new();
        for window in &fault.windows {
            let a = self.across(amount_of(window.from.nanos()));
            let b = self.across(amount_of(window.until.nanos())).max(a + THIN);
            match bars.last_mut() {
                // What touches on paper is one bar: shades laid over each other would look like another fault.
                Some(last) if a <= last.1 + 0.5 => last.1 = last.1.max(b),
                Some(_) | None => bars.push((a, b)),
            }
        }
        for (a, b) in &bars {
            self.scene.add(Shape::Rect((*a, self.top), (*b, self.bottom), colour.faint(0.13)));
            self.scene.add(Shape::Rect((*a, y + 2.0), (*b, y + LANE - 6.0), colour));
        }
        self.lane_name(&fault.name, &bars, y + LANE / 2.0 - 2.0);
    }

    /// Writes a name beside its bars: after the first bar with room behind it, or before them all; shortened where only a part has room.
    fn lane_name(&mut self, name: &str, bars: &[(f64, f64)], y: f64) {
        const PAD: f64 = 5.0;
        const ENOUGH: f64 = 120.0;
        let name = crate::report::words::clean(name);
        let wanted = scene::width(&name, SMALL.size) + 2.0 * PAD;
        let starts = bars.iter().map(|b| b.1);
        let ends = bars.iter().skip(1).map(|b| b.0).chain([self.right]);
        let after = starts.zip(ends);
        let before = (self.left, bars.first().map_or(self.right, |b| b.0));
        let roomy = |gap: &(f64, f64)| gap.1 - gap.0 >= wanted;
        if let Some((from, _)) = after.clone().find(roomy) {
            self.scene.text((from + PAD, y), &name, Anchor::Start, SMALL);
        } else if roomy(&before) {
            self.scene.text((before.1 - PAD, y), &name, Anchor::End, SMALL);
        } else if let Some((from, to)) =
            after.chain([before]).max_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0))).filter(|g| g.1 - g.0 > ENOUGH)
        {
            let name = scene::fitted(&name, SMALL.size, to - from - 2.0 * PAD);
            self.scene.text((from + PAD, y), &name, Anchor::Start, SMALL);
        } else {
            // No room beside the bars: the name lies on them, on paper of its own.
            let name = scene::fitted(&name, SMALL.size, (self.right - self.left) * 0.8);
            let width = scene::width(&name, SMALL.size);
            let middle = (self.left + self.right) / 2.0;
            let (a, b) = (middle - width / 2.0 - PAD, middle + width / 2.0 + PAD);
            self.scene.add(Shape::Rect((a, y - 7.0), (b, y + 7.0), Colour::WHITE));
            self.scene.text((middle, y), &name, Anchor::Middle, SMALL);
        }
    }
}

/// Draws title, sentence and legend, and says how far down they reach.
pub(super) fn head(scene: &mut Scene, heading: &Heading<'_>) -> f64 {
    const EDGE: f64 = 16.0;
    let room = WIDTH - EDGE - RIGHT;
    scene.text((EDGE, 24.0), &scene::fitted(heading.title, TITLE.size, room), Anchor::Start, TITLE);
    scene.text((EDGE, 46.0), &scene::fitted(heading.about, ABOUT.size, room), Anchor::Start, ABOUT);
    if heading.legend.is_empty() {
        return 58.0;
    }
    legend(scene, heading.legend, (EDGE, 68.0)) + 12.0
}

/// Draws a legend, in as many rows as it takes, and gives the middle of the last one.
pub(super) fn legend(scene: &mut Scene, entries: &[(String, Colour, Swatch)], from: Point) -> f64 {
    const MARK: f64 = 14.0;
    let (mut x, mut y) = from;
    for (name, colour, swatch) in entries {
        let name = scene::fitted(&crate::report::words::clean(name), LABEL.size, 400.0);
        let width = MARK + 6.0 + scene::width(&name, LABEL.size) + 20.0;
        if x > from.0 && x + width - 20.0 > WIDTH - RIGHT {
            (x, y) = (from.0, y + 18.0);
        }
        match swatch {
            Swatch::Fill => scene.add(Shape::Rect((x, y - 5.0), (x + MARK - 3.0, y + 6.0), *colour)),
            Swatch::Stroke => scene.add(Shape::Line(vec![(x, y), (x + MARK, y)], *colour, 3.0)),
        }
        scene.text((x + MARK + 5.0, y), &name, Anchor::Start, Type { colour: Colour::INK, ..LABEL });
        x += width;
    }
    y
}
