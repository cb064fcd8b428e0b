//! A story as a space–time diagram: a life line for each node, time downward, messages as arrows, and what happened beside it.
//!
//! The picture is plain SVG without scripts. It follows the reader's choice of light or dark.

use std::fmt::Write;

use crate::report::chart::palette::{Colour, FAILED, FAULTS, OK, SERIES, UNKNOWN};
use crate::report::chart::scene::{escape, fitted, width};
use crate::report::text::wrap;
use crate::report::words;
use crate::run::follow::{Arrow, Kind, Outage, Tale};

use super::is_decisive;
use super::layout::{LETTERS, LINE, Layout, Row, TIMES, WIDTH};

/// The story as an SVG document.
#[must_use]
pub fn render(tale: &Tale) -> String {
    let head = head(tale);
    let mut lines = 0;
    head.iter().for_each(|(_, text)| lines += text.len());
    #[expect(clippy::cast_precision_loss, reason = "few lines")]
    let layout = Layout::of(tale, 44.0 + lines as f64 * LINE + 10.0);
    let height = layout.bottom + 54.0;
    let title = escape(&format!("The story of {} under seed {}", tale.title, tale.seed));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{title}\" font-family=\"DejaVu Sans, sans-serif\">\n<title>{title}</title>\n{style}<rect class=\"paper\" width=\"{WIDTH}\" height=\"{height:.0}\"/>\n",
        style = style(),
    );
    text(&mut out, (24.0, 30.0), ("title", "start"), &format!("The story of {}", tale.title));
    let mut y = 30.0;
    for (class, lines) in &head {
        for line in lines {
            y += LINE + if class == &"small" { 0.0 } else { 1.0 };
            text(&mut out, (24.0, y), (class, "start"), line);
        }
    }
    life_lines(&mut out, tale, &layout);
    tale.outages.iter().for_each(|outage| ailing(&mut out, &layout, outage));
    for row in &layout.rows {
        told(&mut out, tale, &layout, row);
    }
    tale.arrows.iter().for_each(|arrow| draw(&mut out, tale, &layout, arrow));
    for row in &layout.rows {
        signs(&mut out, tale, &layout, row);
    }
    for outage in &tale.outages {
        name_of(&mut out, tale, &layout, outage);
    }
    legend(&mut out, layout.bottom + 30.0);
    out.push_str("</svg>\n");
    out
}

/// The lines above the diagram, each with its class.
fn head(tale: &Tale) -> Vec<(&'static str, Vec<String>)> {
    let broken = |text: &str| wrap(&words::clean(text), 150, 0).lines().map(str::to_owned).collect::<Vec<String>>();
    let mut head = vec![("small", vec![format!("seed {}, arm {}", tale.seed, words::clean(&tale.arm))])];
    for breach in &tale.breaches {
        let promised = if breach.promised { "broken" } else { "not kept, and not promised" };
        head.push(("bad", broken(&format!("{promised}: {} – {}", breach.property, breach.sentence))));
    }
    head.extend(tale.gist.iter().map(|gist| ("gist", broken(&gist.text))));
    head
}

/// Colours for light and dark, each with one meaning.
fn style() -> String {
    let hex = |c: Colour| format!("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue);
    format!(
        "<style>\n\
         .paper{{fill:{white}}}.title{{fill:{ink};font-size:19px;font-weight:bold}}.name{{fill:{ink};font-size:13px;font-weight:bold}}\
         .small,.time,.idle{{fill:{grey};font-size:11px}}.bad{{fill:{bad};font-size:12.5px}}.gist{{fill:{ink};font-size:13px;font-weight:bold}}\
         .told{{fill:{ink};font-size:{LETTERS}px}}.key{{fill:{ink};font-size:{LETTERS}px;font-weight:bold}}.life{{stroke:{axis};stroke-width:1.2}}\
         .row{{stroke:{mesh};stroke-width:1}}.way{{stroke:{ok};stroke-width:1.5;fill:none}}.head{{fill:{ok}}}\
         .gone{{stroke:{bad};stroke-width:1.5;stroke-dasharray:5 3;fill:none}}.cross{{stroke:{bad};stroke-width:2.2}}\
         .label{{fill:{ok};font-size:11px;paint-order:stroke;stroke:{white};stroke-width:3.5px;stroke-linejoin:round}}.label.lost{{fill:{bad}}}\
         .off{{fill:{fault};fill-opacity:.30}}.ill{{fill:{unknown};fill-opacity:.28}}\
         .why{{fill:{fault};font-size:11px;font-weight:bold;paint-order:stroke;stroke:{white};stroke-width:3.5px;stroke-linejoin:round}}\
         .turn{{fill:{ok}}}.words{{fill:{grey}}}.harm{{fill:{bad}}}.disk{{fill:{green}}}.wet{{fill:{white};stroke:{green};stroke-width:1.6}}\
         .ring{{fill:none;stroke:{orange};stroke-width:2.4}}.mark{{fill:{orange}}}.break{{fill:{white}}}\n\
         @media (prefers-color-scheme:dark){{.paper,.break{{fill:#15191f}}.wet{{fill:#15191f}}.title,.name,.told,.key,.gist{{fill:#e8ecf1}}\
         .small,.time,.idle,.words{{fill:#a3adb8}}.life{{stroke:#6c7682}}.row{{stroke:#262c34}}.way{{stroke:#6db7dd}}.head,.turn{{fill:#6db7dd}}\
         .label{{fill:#8fcbea;stroke:#15191f}}.label.lost{{fill:#f08a83}}.why{{fill:#f08a83;stroke:#15191f}}.bad,.harm{{fill:#f08a83}}\
         .gone,.cross{{stroke:#f08a83}}}}\n</style>\n",
        white = hex(Colour::WHITE),
        ink = hex(Colour::INK),
        grey = hex(Colour::GREY),
        axis = hex(Colour::AXIS),
        mesh = hex(Colour::MESH),
        ok = hex(OK),
        bad = hex(FAILED),
        unknown = hex(UNKNOWN),
        fault = hex(FAULTS[0]),
        orange = hex(SERIES[1]),
        green = hex(SERIES[2]),
    )
}

fn text(out: &mut String, (x, y): (f64, f64), (class, anchor): (&str, &str), text: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escape(text));
}

fn line(out: &mut String, class: &str, (from, to): ((f64, f64), (f64, f64))) {
    let _ = writeln!(out, "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>", from.0, from.1, to.0, to.1);
}

/// The nodes with their names, and where time was pressed together.
fn life_lines(out: &mut String, tale: &Tale, layout: &Layout<'_>) {
    for (node, x) in &layout.lines {
        let name = fitted(tale.name(*node), 13.0, 112.0);
        text(out, (*x, layout.top - 12.0), ("name", "middle"), &name);
        line(out, "life", ((*x, layout.top), (*x, layout.bottom)));
    }
    let right = layout.lines.last().map_or(TIMES, |(_, x)| *x) + 40.0;
    for row in &layout.rows {
        let Some(idle) = row.idle else { continue };
        let y = row.y - 26.0;
        let _ = writeln!(out, "<rect class=\"break\" x=\"{TIMES:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"7\"/>", y - 3.5, right - TIMES);
        for (_, x) in &layout.lines {
            line(out, "life", ((*x - 5.0, y - 1.0), (*x + 5.0, y - 6.0)));
            line(out, "life", ((*x - 5.0, y + 6.0), (*x + 5.0, y + 1.0)));
        }
        text(out, (TIMES, y + 4.0), ("idle", "end"), &format!("… {}", words::span(idle)));
    }
}

/// A time in which a node was not well.
fn ailing(out: &mut String, layout: &Layout<'_>, outage: &Outage) {
    let (x, top, bottom) = span_of(layout, outage);
    let (class, wide) = if outage.silent { ("off", 18.0) } else { ("ill", 26.0) };
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{wide}\" height=\"{:.1}\" rx=\"3\"/>",
        x - wide / 2.0,
        (bottom - top).max(3.0)
    );
}

fn span_of(layout: &Layout<'_>, outage: &Outage) -> (f64, f64, f64) {
    (layout.x(outage.node), layout.y(outage.from), outage.until.map_or(layout.bottom, |until| layout.y(until)))
}

/// What it was, beside its bar, where it begins. What a fault of the network does is told beside; its name is enough, once.
fn name_of(out: &mut String, tale: &Tale, layout: &Layout<'_>, outage: &Outage) {
    let (x, top, bottom) = span_of(layout, outage);
    let y = (top + 24.0).min((top + bottom) / 2.0 + 4.0).max(top + 10.0);
    let fault = outage.fault.as_deref().unwrap_or_default();
    let is_same = |other: &&Outage| other.from == outage.from && other.fault == outage.fault && !other.silent;
    if outage.silent {
        text(out, (x + 14.0, y), ("why", "start"), &fitted(&outage.what, 11.0, 100.0));
        if bottom - y > 16.0 {
            text(out, (x + 14.0, y + 13.0), ("why", "start"), &fitted(fault, 11.0, 100.0));
        }
    } else if tale.outages.iter().find(is_same).is_some_and(|first| first.node == outage.node) {
        text(out, (x + 16.0, y), ("why", "start"), &fitted(fault, 11.0, 100.0));
    }
}

/// The time of a row and what is told in it.
fn told(out: &mut String, tale: &Tale, layout: &Layout<'_>, row: &Row<'_>) {
    line(out, "row", ((TIMES + 8.0, row.y), (layout.text - 10.0, row.y)));
    text(out, (TIMES, row.y + 4.0), ("time", "end"), &words::micros(row.group.at));
    let decisive = row.group.events.iter().any(|(number, _)| is_decisive(tale, *number));
    let mut y = row.y + 4.5;
    for told in &row.lines {
        let class = if decisive { "key" } else { "told" };
        text(out, (layout.text, y), (class, "start"), told);
        y += LINE;
    }
    if decisive {
        #[expect(clippy::cast_precision_loss, reason = "few lines")]
        let height = row.lines.len() as f64 * LINE;
        let _ = writeln!(
            out,
            "<rect class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" width=\"3.5\" height=\"{height:.1}\"/>",
            layout.text - 9.0,
            row.y - LINE / 2.0
        );
    }
}

/// The signs of a row's events on the life line.
fn signs(out: &mut String, tale: &Tale, layout: &Layout<'_>, row: &Row<'_>) {
    let Some(node) = row.group.node else { return };
    let (x, y) = (layout.x(node), row.y);
    let has = |kind: Kind| row.group.events.iter().any(|(_, event)| event.kind == kind);
    let square = |out: &mut String, class: &str, x: f64| {
        let _ = writeln!(out, "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\"/>", x - 4.0, y - 4.0);
    };
    let harm = has(Kind::Harm) || has(Kind::Down);
    if harm {
        square(out, "harm", x);
    } else if has(Kind::Turn) || has(Kind::Receives) || has(Kind::Sends) || has(Kind::Up) {
        let _ = writeln!(out, "<circle class=\"turn\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.2\"/>");
    } else if !has(Kind::Wrote) && !has(Kind::Durable) {
        let _ = writeln!(out, "<circle class=\"words\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }
    if has(Kind::Wrote) {
        square(out, "wet", x + 11.0);
    }
    if has(Kind::Durable) {
        square(out, "disk", x + 11.0);
    }
    if row.group.events.iter().any(|(number, _)| is_decisive(tale, *number)) {
        let _ = writeln!(out, "<circle class=\"ring\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"8.5\"/>");
    }
}

/// A message as an arrow; one that is lost ends in a cross.
fn draw(out: &mut String, tale: &Tale, layout: &Layout<'_>, arrow: &Arrow) {
    let row = |event: Option<usize>, at| event.filter(|e| tale.events[*e].at == at).and_then(|e| layout.row(e)).unwrap_or(layout.y(at));
    let from = (layout.x(arrow.from.0), row(arrow.ends.0, arrow.from.1));
    let x = layout.x(arrow.to.0);
    let (to, lost) = match (arrow.to.1, &arrow.lost) {
        (Some(at), _) => ((x, row(arrow.ends.1, at)), false),
        (None, Some((at, _))) => {
            // What is lost at once falls in the middle of its way.
            let y = row(arrow.ends.1, *at);
            let early = *at <= arrow.from.1;
            if early { (((from.0 + x) / 2.0, y.max(from.1) + 9.0), true) } else { ((x, y), true) }
        }
        (None, None) => ((x, layout.bottom), true),
    };
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    if lost {
        line(out, "gone", (from, to));
        for side in [1.0, -1.0] {
            line(out, "cross", ((to.0 - 5.0, to.1 - 5.0 * side), (to.0 + 5.0, to.1 + 5.0 * side)));
        }
    } else {
        let tip = (to.0 - ux * 5.0, to.1 - uy * 5.0);
        line(out, "way", (from, tip));
        let (bx, by) = (tip.0 - ux * 9.0, tip.1 - uy * 9.0);
        let _ = writeln!(
            out,
            "<path class=\"head\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\"/>",
            tip.0,
            tip.1,
            bx - uy * 4.0,
            by + ux * 4.0,
            bx + uy * 4.0,
            by - ux * 4.0
        );
    }
    let class = if lost { "label lost" } else { "label" };
    let name = fitted(&arrow.text.replace("(attempt ", "(#"), 11.0, length.max(70.0) + 24.0);
    // Along the arrow, and never upside down.
    let turned = libm::atan(dy / if dx.abs() < 1.0 { 1.0 } else { dx }) * 180.0 / std::f64::consts::PI;
    let (x, y) = (from.0 + dx * 0.5 + libm::sin(turned * std::f64::consts::PI / 180.0) * 4.0, from.1 + dy * 0.5 - 4.0);
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" transform=\"rotate({turned:.1} {x:.1} {y:.1})\">{}</text>",
        escape(&name)
    );
}

/// What the signs mean.
fn legend(out: &mut String, y: f64) {
    let signs: [(&str, &str, &str); 7] = [
        ("circle", "turn", "something happens"),
        ("square", "wet", "written, not yet durable"),
        ("square", "disk", "durable"),
        ("square", "harm", "goes down, or loses something"),
        ("ring", "ring", "made the difference"),
        ("bar", "off", "down or stopped"),
        ("bar", "ill", "under a fault"),
    ];
    let mut x = 30.0;
    for (shape, class, meaning) in signs {
        let _ = match shape {
            "circle" => writeln!(out, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.2\"/>"),
            "ring" => writeln!(out, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"7\"/>"),
            "bar" => {
                writeln!(out, "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"16\" height=\"12\" rx=\"3\"/>", x - 8.0, y - 6.0)
            }
            _ => writeln!(out, "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\"/>", x - 4.0, y - 4.0),
        };
        text(out, (x + 14.0, y + 4.0), ("small", "start"), meaning);
        x += width(meaning, 11.0) + 44.0;
    }
}
