//! Where everything of a space–time diagram stands: nodes side by side, time downward, idle time pressed together.

use crate::base::{NodeId, Span, Time};
use crate::report::chart::scene::width;
use crate::report::text::wrap;
use crate::run::follow::Tale;

use super::{Group, groups};

/// Width of the picture in pixels.
pub(super) const WIDTH: f64 = 1240.0;
/// Height of a line of text.
pub(super) const LINE: f64 = 16.0;
/// Size of the letters beside events.
pub(super) const LETTERS: f64 = 12.5;
/// Where times end, right of the border.
pub(super) const TIMES: f64 = 104.0;
/// Where the first life line stands.
const FIRST: f64 = 158.0;
/// Gaps longer than this are pressed together, and marked.
const LONG: Span = Span::millis(20);

/// A group of events in its row.
pub(super) struct Row<'t> {
    pub(super) group: Group<'t>,
    /// The middle of its first line.
    pub(super) y: f64,
    /// Its sentence, broken into lines.
    pub(super) lines: Vec<String>,
    /// The idle time before it, when it was pressed together.
    pub(super) idle: Option<Span>,
}

/// A diagram laid out.
pub(super) struct Layout<'t> {
    pub(super) rows: Vec<Row<'t>>,
    /// Life lines: where, and whose.
    pub(super) lines: Vec<(NodeId, f64)>,
    /// Where sentences begin.
    pub(super) text: f64,
    /// The moments whose place is known, in order, each with its place.
    marks: Vec<(Time, f64)>,
    /// Where time begins and ends.
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl<'t> Layout<'t> {
    /// Lays a story out below a head of so many pixels.
    pub(super) fn of(tale: &'t Tale, head: f64) -> Layout<'t> {
        let count = tale.nodes.len().max(1);
        let apart = if count <= 4 { 118.0 } else { 92.0 };
        let lines: Vec<(NodeId, f64)> =
            tale.nodes.iter().scan(FIRST, |x, (node, _)| Some((*node, std::mem::replace(x, *x + apart)))).collect();
        // What ails the last node is named at its right.
        let aside = if tale.outages.iter().any(|outage| lines.last().is_some_and(|(node, _)| *node == outage.node)) { 132.0 } else { 64.0 };
        let text = lines.last().map_or(FIRST, |(_, x)| *x) + aside;
        let mut layout = Layout { rows: Vec::new(), lines, text, marks: Vec::new(), top: head + 34.0, bottom: head + 34.0 };
        let mut y = layout.top + 14.0;
        let mut before: Option<(Time, f64)> = None;
        for group in groups(tale) {
            let sentence = group.sentence(tale);
            let columns = columns(WIDTH - 24.0 - text);
            let broken: Vec<String> = wrap(&sentence, columns, 0).lines().map(str::to_owned).collect();
            let mut idle = None;
            if let Some((at, height)) = before {
                let gap = group.at.saturating_since(at);
                idle = (gap > LONG).then_some(gap);
                y += height + stretch(gap) + if idle.is_some() { 22.0 } else { 0.0 };
            }
            layout.marks.push((group.at, y));
            #[expect(clippy::cast_precision_loss, reason = "few lines")]
            let height = broken.len() as f64 * LINE;
            before = Some((group.at, height + 8.0));
            layout.rows.push(Row { group, y, lines: broken, idle });
        }
        layout.bottom = y + before.map_or(0.0, |(_, height)| height) + 14.0;
        layout
    }

    /// The place of a life line.
    pub(super) fn x(&self, node: NodeId) -> f64 {
        self.lines.iter().find(|(id, _)| *id == node).map_or(FIRST, |(_, x)| *x)
    }

    /// The row of an event.
    pub(super) fn row(&self, event: usize) -> Option<f64> {
        self.rows.iter().find(|row| row.group.events.iter().any(|(number, _)| *number == event)).map(|row| row.y)
    }

    /// The place of a moment: between those that are known, in proportion.
    pub(super) fn y(&self, at: Time) -> f64 {
        let after = self.marks.partition_point(|(mark, _)| *mark < at);
        match (after.checked_sub(1).map(|before| self.marks[before]), self.marks.get(after)) {
            (_, Some((mark, y))) if *mark == at => *y,
            (Some((from, above)), Some((until, below))) => {
                let (part, whole) = (at.since(from).as_nanos(), until.since(from).as_nanos().max(1));
                #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
                let share = part as f64 / whole as f64;
                above + (below - above) * share
            }
            (None, _) => self.top,
            (Some(_), None) => self.bottom,
        }
    }
}

/// How many pixels a gap takes besides its text: more for longer ones, but much less than in proportion.
fn stretch(gap: Span) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
    let micros = gap.as_nanos() as f64 / 1000.0;
    (libm::log2(1.0 + micros / 50.0) * 4.0).min(34.0)
}

/// How many letters fit.
fn columns(room: f64) -> usize {
    let letter = width("abcdefghij klmnopqrstuvwxyz", LETTERS) / 27.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let columns = (room / letter * 0.93).max(24.0) as usize;
    columns
}
