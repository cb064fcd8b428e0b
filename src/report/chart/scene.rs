//! A picture as a list of shapes in pixels, and its painting through plotters as SVG or PNG.
//!
//! Charts are laid out here and not by plotters, because only so both formats, with and without fonts, come out the same.

use std::fmt::Display;
use std::io;

use plotters::backend::{DrawingBackend, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color as _, FontDesc, FontFamily, FontStyle, RGBAColor, ShapeStyle, TextStyle};

use super::palette::Colour;

/// Steps of a coordinate in one pixel of an SVG: the backends know whole numbers only.
const FINE: f64 = 4.0;
/// plotters divides font sizes by this for SVG.
const PLOTTERS_SVG_FONT: f64 = 1.24;

/// A point in pixels, from the top left.
pub(super) type Point = (f64, f64);

/// Where a text stands relative to its point. All are centred vertically.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    /// It begins there.
    Start,
    /// It is centred there.
    Middle,
    /// It ends there.
    End,
}

/// How a text looks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Type {
    /// Height of the letters' em in pixels.
    pub(super) size: f64,
    /// Bold or not.
    pub(super) weight: Weight,
    /// Its colour.
    pub(super) colour: Colour,
}

/// How thick letters are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Weight {
    /// As text.
    Regular,
    /// As headings.
    Bold,
}

/// One shape. Later ones cover earlier ones.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    /// A filled rectangle: upper left, lower right.
    Rect(Point, Point, Colour),
    /// A line through points, with its width.
    Line(Vec<Point>, Colour, f64),
    /// A filled polygon.
    Area(Vec<Point>, Colour),
    /// A filled circle with its radius.
    Dot(Point, f64, Colour),
    /// A text.
    Text(Point, String, Anchor, Type),
}

/// A picture.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scene {
    /// Width in pixels.
    pub(super) width: f64,
    /// Height in pixels.
    pub(super) height: f64,
    /// One sentence for those who cannot see it.
    pub(super) about: String,
    /// The shapes, from back to front.
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    /// An empty picture.
    pub(super) fn new(width: f64, height: f64, about: &str) -> Scene {
        Scene { width, height, about: about.to_owned(), shapes: Vec::new() }
    }
    /// Adds a shape in front.
    pub(super) fn add(&mut self, shape: Shape) {
        self.shapes.push(shape);
    }
    /// Adds a text in front, cleaned of what XML cannot hold.
    pub(super) fn text(&mut self, at: Point, text: &str, anchor: Anchor, style: Type) {
        self.shapes.push(Shape::Text(at, crate::report::words::clean(text), anchor, style));
    }
    /// A broken line: strokes of `on` pixels with gaps of `off`. Straight ones only.
    pub(super) fn dashes(&mut self, from: Point, to: Point, colour: Colour) {
        const ON: f64 = 4.0;
        const OFF: f64 = 3.0;
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt();
        if length <= 0.0 {
            return;
        }
        let mut at = 0.0;
        while at < length {
            let (a, b) = (at / length, (at + ON).min(length) / length);
            let ends = vec![(from.0 + dx * a, from.1 + dy * a), (from.0 + dx * b, from.1 + dy * b)];
            self.add(Shape::Line(ends, colour, 1.0));
            at += ON + OFF;
        }
    }

    /// The picture as an SVG document without a declaration, so that it can also stand inside a page.
    pub(super) fn svg(&self) -> String {
        super::font::ready();
        let mut body = String::new();
        {
            let mut backend = SVGBackend::with_string(&mut body, (whole(self.width * FINE), whole(self.height * FINE)));
            let brush = Brush { scale: FINE, font: PLOTTERS_SVG_FONT, sink: 0.0 };
            paint(self, &mut backend, brush).expect("writing to a string cannot fail");
            backend.present().expect("writing to a string cannot fail");
        }
        let rest = body.split_once(">\n").map_or("", |(_, rest)| rest);
        let about = escape(&self.about);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {vw} {vh}\" role=\"img\" \
             aria-label=\"{about}\" font-family=\"sans-serif\">\n<title>{about}</title>\n{rest}",
            w = whole(self.width),
            h = whole(self.height),
            vw = whole(self.width * FINE),
            vh = whole(self.height * FINE),
        )
    }

    /// Writes the picture as PNG, twice as large as the SVG and smoothed.
    #[cfg(feature = "png")]
    pub(super) fn png(&self, path: &std::path::Path) -> io::Result<()> {
        use plotters::backend::BitMapBackend;

        /// DejaVu Sans: ascent and descent together, in em. The rasteriser sizes by that height, browsers by em.
        const EM: f64 = 1.164;
        const OUT: u32 = 2;
        /// plotters centres the box from ascent to descent, browsers the small letters: so far, in em, is that apart.
        const SINK: f64 = 0.13;
        super::font::ready();
        let (width, height) = (whole(self.width) * OUT, whole(self.height) * OUT);
        let mut large = vec![255u8; (width * height * OUT * OUT * 3) as usize];
        {
            let mut backend = BitMapBackend::with_buffer(&mut large, (width * OUT, height * OUT));
            paint(self, &mut backend, Brush { scale: f64::from(OUT * OUT), font: EM, sink: SINK })?;
            backend.present().map_err(failed)?;
        }
        let small = halve(&large, width as usize, height as usize);
        let mut file = BitMapBackend::new(path, (width, height));
        file.blit_bitmap((0, 0), (width, height), &small).map_err(failed)?;
        file.present().map_err(failed)
    }
}

/// About how wide a text comes out, in pixels: after DejaVu Sans, which is wider than most.
pub(in crate::report) fn width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '\'' => 0.29,
            '.' | ',' | ':' | ';' | '|' | '!' | ' ' => 0.33,
            'f' | 't' | 'r' | '(' | ')' | '/' | '-' => 0.4,
            'c' | 's' | 'z' => 0.55,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.96,
            'A'..='Z' => 0.7,
            _ => 0.635,
        })
        .sum();
    em * size
}

/// A text shortened with an ellipsis so that it fits.
pub(in crate::report) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() {
        let short = format!("{}…", kept.trim_end());
        if width(&short, size) <= room {
            return if kept.trim().is_empty() { String::new() } else { short };
        }
    }
    String::new()
}

/// A text for XML, in content and attributes.
pub(in crate::report) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in crate::report::words::clean(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// How pixels become a backend's coordinates, and em its font sizes.
#[derive(Clone, Copy)]
struct Brush {
    scale: f64,
    font: f64,
    /// How much lower texts stand than their point, in em.
    sink: f64,
}

impl Brush {
    fn point(self, (x, y): Point) -> (i32, i32) {
        (rounded(x * self.scale), rounded(y * self.scale))
    }
    fn points(self, points: &[Point]) -> Vec<(i32, i32)> {
        let mut out: Vec<(i32, i32)> = points.iter().map(|p| self.point(*p)).collect();
        out.dedup();
        out
    }
}

/// Draws every shape.
fn paint<B: DrawingBackend>(scene: &Scene, backend: &mut B, brush: Brush) -> io::Result<()> {
    backend.ensure_prepared().map_err(failed)?;
    let page = [(0.0, 0.0), (scene.width, scene.height)].map(|p| brush.point(p));
    backend.draw_rect(page[0], page[1], &filled(Colour::WHITE), true).map_err(failed)?;
    for shape in &scene.shapes {
        match shape {
            Shape::Rect(a, b, colour) => backend.draw_rect(brush.point(*a), brush.point(*b), &filled(*colour), true),
            Shape::Line(points, colour, width) => {
                let style = ShapeStyle { color: rgba(*colour), filled: false, stroke_width: whole(width * brush.scale) };
                backend.draw_path(brush.points(points), &style)
            }
            Shape::Area(points, colour) => backend.fill_polygon(brush.points(points), &filled(*colour)),
            Shape::Dot(at, radius, colour) => backend.draw_circle(brush.point(*at), whole(radius * brush.scale), &filled(*colour), true),
            Shape::Text(at, text, anchor, style) => {
                backend.draw_text(text, &letters(*style, *anchor, brush), brush.point((at.0, at.1 + style.size * brush.sink)))
            }
        }
        .map_err(failed)?;
    }
    Ok(())
}

/// plotters' name for a text's look.
fn letters(style: Type, anchor: Anchor, brush: Brush) -> TextStyle<'static> {
    let weight = match style.weight {
        Weight::Regular => FontStyle::Normal,
        Weight::Bold => FontStyle::Bold,
    };
    let across = match anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    let font = FontDesc::new(FontFamily::SansSerif, style.size * brush.scale * brush.font, weight);
    TextStyle { font, color: rgba(style.colour).to_backend_color(), pos: Pos::new(across, VPos::Center) }
}

/// Every two by two pixels as one.
#[cfg(feature = "png")]
fn halve(large: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for c in 0..3 {
                let at = |dx: usize, dy: usize| u16::from(large[((2 * y + dy) * 2 * width + 2 * x + dx) * 3 + c]);
                let mean = (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) / 4;
                small.push(u8::try_from(mean).unwrap_or(u8::MAX));
            }
        }
    }
    small
}

fn filled(colour: Colour) -> ShapeStyle {
    ShapeStyle { color: rgba(colour), filled: true, stroke_width: 0 }
}

fn rgba(colour: Colour) -> RGBAColor {
    RGBAColor(colour.red, colour.green, colour.blue, 1.0).mix(colour.alpha)
}

fn failed(error: impl Display) -> io::Error {
    io::Error::other(error.to_string())
}

#[expect(clippy::cast_possible_truncation, reason = "a picture is smaller than 2^31 pixels")]
fn rounded(x: f64) -> i32 {
    (x + 0.5).floor() as i32
}

/// A size in whole steps, at least one.
fn whole(x: f64) -> u32 {
    u32::try_from(rounded(x).max(1)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_to_their_room() {
        assert_eq!(fitted("short", 10.0, 100.0), "short");
        let cut = fitted("a rather long name of a fault", 10.0, 80.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0) <= 80.0, "{cut}");
        assert_eq!(fitted("wide", 10.0, 3.0), "");
    }

    #[test]
    fn hostile_texts_stay_texts() {
        let mut scene = Scene::new(100.0, 50.0, "a \"chart\" of <b>&\u{0}");
        let style = Type { size: 12.0, weight: Weight::Regular, colour: Colour::INK };
        scene.text((10.0, 10.0), "</text><script>alert(1)</script>\u{1b}", Anchor::Start, style);
        let svg = scene.svg();
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}') && !svg.contains('\u{0}'), "{svg}");
        assert!(svg.contains("aria-label=\"a &quot;chart&quot; of &lt;b&gt;&amp;\""), "{svg}");
    }
}
