//! Problems for people: the line, the place in it, what is wrong and what to do, in the look of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::base::{Place, Problem, Severity};

/// All problems, each with its snippet, with or without colours.
///
/// ```
/// use deadletter::base::value::Table;
/// use deadletter::scenario::render;
/// let (_, problems) = Table::parse("a.toml", "x = \"1\n");
/// let shown = render(&problems, false);
/// assert!(shown.starts_with("error: this text does not end\n --> a.toml:1:7\n"), "{shown}");
/// ```
#[must_use]
pub fn render(problems: &[Problem], colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let shown: Vec<String> = problems.iter().map(|problem| renderer.render(&[group(problem)])).collect();
    let mut text = shown.join("\n\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn group(problem: &Problem) -> Group<'_> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level.primary_title(problem.what.as_str()).elements(problem.place.iter().map(snippet));
    if let Some(hint) = &problem.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    group
}

/// The line of a place, with the part on its first line underlined.
fn snippet(place: &Place) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let text = place.text.as_ref();
    let mut start = place.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    // Where nothing is, the character behind it is shown.
    let next = text[start..line_end].chars().next().map_or(0, char::len_utf8);
    let mut end = place.end.clamp(start, line_end).max(start + next);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Snippet::source(text).path(place.file.as_ref()).annotation(AnnotationKind::Primary.span(start..end))
}
