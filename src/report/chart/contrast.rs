//! All arms side by side: the same load and the same faults, and what one setting changed.

use super::axis::amount_of;
use super::frame::{self, Heading, Swatch, WIDTH};
use super::palette::{self, Colour};
use super::scene::{self, Anchor, Point, Scene, Shape, Type, Weight};
use crate::report::contrast::{Figure, telling};
use crate::run::ArmOutcome;

pub(super) const TITLE: &str = "What one changed setting does";
const EDGE: f64 = 16.0;
const GAP: f64 = 28.0;
const BAR: f64 = 15.0;
const PANELS: usize = 3;

/// `None` with fewer than two arms.
pub(super) fn draw(arms: &[ArmOutcome]) -> Option<Scene> {
    if arms.len() < 2 {
        return None;
    }
    let about =
        "Same load, same faults; each panel has a scale of its own from zero. Figures are of the run shown, unless they count runs.";
    let legend: Vec<_> = arms.iter().enumerate().map(|(i, arm)| (arm_label(arm), colour(i), Swatch::Fill)).collect();
    let mut scene = Scene::new(WIDTH, 0.0, &format!("{TITLE}. {about}"));
    let top = frame::head(&mut scene, &Heading { title: TITLE, about, legend: &legend }) + 16.0;
    let width = (WIDTH - 2.0 * EDGE - GAP * amount_of(PANELS as u64 - 1)) / amount_of(PANELS as u64);
    let height = 28.0 + amount_of(arms.len() as u64) * (BAR + 5.0) + 22.0;
    let shown: Vec<Figure> = telling(arms).0.into_iter().filter(|f| f.bars.iter().any(|b| b.value > 0.0)).collect();
    for (i, figure) in shown.iter().enumerate() {
        let (column, line) = (amount_of((i % PANELS) as u64), amount_of((i / PANELS) as u64));
        panel(&mut scene, figure, (EDGE + column * (width + GAP), top + line * height), width);
    }
    scene.height = top + amount_of(shown.len().div_ceil(PANELS) as u64) * height;
    (!shown.is_empty()).then_some(scene)
}

/// An arm with the settings that make it differ.
fn arm_label(arm: &ArmOutcome) -> String {
    if arm.differs.is_empty() { arm.name.clone() } else { format!("{}: {}", arm.name, arm.differs.join(", ")) }
}

fn colour(arm: usize) -> Colour {
    palette::SERIES[arm % palette::SERIES.len()]
}

/// One figure: a bar for each arm, with its value at the end.
fn panel(scene: &mut Scene, figure: &Figure, (x, y): Point, width: f64) {
    let bold = Type { size: 12.5, weight: Weight::Bold, colour: Colour::INK };
    let label = Type { size: 11.5, weight: Weight::Regular, colour: Colour::INK };
    scene.text((x, y), &scene::fitted(figure.name, bold.size, width), Anchor::Start, bold);
    let greatest = figure.bars.iter().map(|b| b.value).fold(0.0, f64::max);
    let widest = figure.bars.iter().map(|b| scene::width(&b.text, label.size)).fold(0.0, f64::max);
    let room = (width - widest - 10.0).max(20.0);
    let bottom = y + 15.0 + amount_of(figure.bars.len() as u64) * (BAR + 5.0);
    scene.add(Shape::Line(vec![(x, y + 13.0), (x, bottom)], Colour::AXIS, 1.0));
    for (i, bar) in figure.bars.iter().enumerate() {
        let top = y + 16.0 + amount_of(i as u64) * (BAR + 5.0);
        let length = if greatest > 0.0 { room * bar.value / greatest } else { 0.0 };
        if bar.value > 0.0 {
            scene.add(Shape::Rect((x + 1.0, top), (x + 1.0 + length.max(2.0), top + BAR), colour(i)));
        }
        scene.text((x + length.max(2.0) + 7.0, top + BAR / 2.0), &bar.text, Anchor::Start, label);
    }
}
