//! Where the messages went: what clients were told, and what became of them in each queue and subscription.

use super::axis::amount_of;
use super::frame::{self, Heading, Swatch, WIDTH};
use super::palette::{self, Colour};
use super::scene::{Anchor, Scene, Shape, Type, Weight};
use crate::check::{Accounting, GroupAccounting, Judged};
use crate::report::words;

pub(super) const TITLE: &str = "Where the messages went";
/// More groups than this are not drawn, but counted in the sentence.
const GROUPS: usize = 10;

const ARRIVED: Colour = palette::OK;
const AGAIN: Colour = Colour::hex(0x008f_bfd6);
const LOST: Colour = palette::FAILED;
const RECOVERED: Colour = Colour::hex(0x009a_c48a);
const NEVER: Colour = palette::UNKNOWN;
const REFUSED: Colour = Colour::hex(0x008b_94a0);
const DEAD: Colour = Colour::hex(0x006d_4c9f);
const EXPIRED: Colour = Colour::hex(0x00b8_8a16);
const DROPPED: Colour = Colour::hex(0x00c7_6b98);
const HELD: Colour = Colour::hex(0x00c5_ccd4);
const STRANGE: Colour = Colour::hex(0x001d_232b);

/// A part of a bar: its name, how many, its colour.
type Part = (&'static str, u64, Colour);

/// `None` when nothing was attempted and nothing arrived.
pub(super) fn draw(judged: &Judged) -> Option<Scene> {
    let accounting = &judged.accounting;
    let mut rows = vec![(
        format!("What clients were told about {}", words::counted(accounting.attempts, "operation", "operations")),
        told(accounting),
    )];
    rows.extend(accounting.groups.iter().take(GROUPS).map(|g| (format!("What became of messages for {}", g.name), became(g))));
    rows.retain(|(_, parts)| !parts.is_empty());
    let longest = rows.iter().map(|(_, parts)| parts.iter().map(|p| p.1).sum::<u64>()).max()?;
    let mut about = "All bars have one scale. A message that was delivered and later moved or held counts in both parts.".to_owned();
    if accounting.groups.len() > GROUPS {
        about.push_str(&format!(" {} further groups are not drawn.", accounting.groups.len() - GROUPS));
    }
    let mut scene = Scene::new(WIDTH, 0.0, &format!("{TITLE}. {about}"));
    let mut y = frame::head(&mut scene, &Heading { title: TITLE, about: &about, legend: &[] }) + 14.0;
    for (name, parts) in &rows {
        y = row(&mut scene, (name, parts), longest, y);
    }
    scene.height = y;
    Some(scene)
}

/// How operations ended; the parts add up to all attempts. Unknown ends are told apart by what really happened where every one
/// of them is one message, and otherwise stay what the client saw.
fn told(a: &Accounting) -> Vec<Part> {
    let mut parts = vec![("acknowledged", a.ok, ARRIVED), ("failed, certainly not done", a.failed, REFUSED)];
    if a.recovered + a.unknown_not_happened == a.unknown + a.pending {
        parts.push(("unknown, but arrived", a.recovered, RECOVERED));
        parts.push(("unknown, and never arrived", a.unknown_not_happened, NEVER));
    } else {
        parts.push(("unknown", a.unknown, NEVER));
        parts.push(("never answered", a.pending, RECOVERED));
    }
    parts.retain(|p| p.1 > 0);
    parts
}

/// What a group saw.
fn became(g: &GroupAccounting) -> Vec<Part> {
    let mut parts = vec![
        ("arrived", g.delivered, ARRIVED),
        ("delivered again", g.duplicates, AGAIN),
        ("acknowledged, but lost", g.lost, LOST),
        ("to dead letters", g.dead_lettered, DEAD),
        ("expired", g.expired, EXPIRED),
        ("dropped by a full queue", g.dropped, DROPPED),
        ("compacted away", g.superseded, EXPIRED),
        ("still held", g.held, HELD),
        ("never sent to it", g.unexpected, STRANGE),
    ];
    parts.retain(|p| p.1 > 0);
    parts
}

/// One bar with its name above and its parts named below; gives the place of the next.
fn row(scene: &mut Scene, (name, parts): (&str, &[Part]), longest: u64, y: f64) -> f64 {
    const EDGE: f64 = 16.0;
    const HEIGHT: f64 = 24.0;
    /// What is there can be seen, however little it is.
    const LEAST: f64 = 3.0;
    let bold = Type { size: 13.0, weight: Weight::Bold, colour: Colour::INK };
    scene.text((EDGE, y), name, Anchor::Start, bold);
    let room = WIDTH - 2.0 * EDGE - LEAST * amount_of(parts.len() as u64);
    let mut x = EDGE;
    for (_, count, colour) in parts {
        let width = LEAST + room * amount_of(*count) / amount_of(longest.max(1));
        scene.add(Shape::Rect((x, y + 13.0), (x + width - 1.0, y + 13.0 + HEIGHT), *colour));
        x += width;
    }
    let legend: Vec<_> =
        parts.iter().map(|(name, count, colour)| (format!("{name}: {}", words::count(*count)), *colour, Swatch::Fill)).collect();
    frame::legend(scene, &legend, (EDGE, y + HEIGHT + 29.0)) + 34.0
}
