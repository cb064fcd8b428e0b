//! Syntax errors of TOML, in words that say what to do.

use toml::de::Error;

use super::Source;
use crate::base::Problem;

/// The problems behind the parser's errors: one a line, without those that only follow from the one before.
pub(super) fn problems(source: &Source, errors: &[Error]) -> Vec<Problem> {
    let mut at: Vec<(usize, Problem)> = errors.iter().map(|error| problem(source, error)).collect();
    at.sort_by_key(|(start, _)| *start);
    let mut kept: Vec<Problem> = Vec::new();
    let mut last_line = None;
    let mut in_list = false;
    for (start, problem) in at {
        let line = source.text[..start].matches('\n').count();
        let follows = last_line.is_some_and(|last| line == last || (in_list && line == last + 1));
        in_list = is_of_list(&problem.what) || (follows && in_list);
        last_line = Some(line);
        if !follows {
            kept.push(problem);
        }
    }
    kept
}

fn is_of_list(what: &str) -> bool {
    what.contains("array") || what.contains("list") || what.contains("`]` is missing") || what.contains("inline table")
}

fn problem(source: &Source, error: &Error) -> (usize, Problem) {
    let text = &source.text;
    let mut span = error.span().unwrap_or(0..0);
    span.start = floor(text, span.start);
    span.end = floor(text, span.end.max(span.start));
    let found = &text[span.clone()];
    let message = error.message();
    let (what, hint) = in_words(message, found);
    let problem = Problem::error(source.place(span.clone()), what);
    (span.start, super::read::with(problem, hint))
}

/// The nearest border between two characters at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A message of the parser as a sentence, with a hint.
fn in_words(message: &str, found: &str) -> (String, Option<String>) {
    let hint = |text: &str| Some(text.to_owned());
    if message.starts_with("string values must be quoted") {
        return if found.trim().is_empty() {
            ("a value is missing".to_owned(), hint("write it after the `=`; texts stand in quotes"))
        } else {
            (format!("`{}` is not a value", found.escape_debug()), Some(format!("texts stand in quotes: `\"{}\"`", found.escape_debug())))
        };
    }
    if message == "duplicate key" {
        return (format!("`{}` is given twice", found.escape_debug()), hint("keep one of them; several of a kind are written `[[name]]`"));
    }
    if message.starts_with("cannot extend value of type") {
        let what = format!("the key before `{}` has a value of its own", found.escape_debug());
        return (what, hint("where one key of the real system begins with another, quote both: `\"broker.id\" = 1`"));
    }
    if message.starts_with("invalid basic string, expected `\"`") {
        return ("this text does not end".to_owned(), hint("close it with `\"` on the same line"));
    }
    if message.starts_with("invalid literal string, expected `'`") {
        return ("this text does not end".to_owned(), hint("close it with `'` on the same line"));
    }
    if message.starts_with("missing comma between array elements") {
        return (
            "a `,` or `]` is missing before this".to_owned(),
            hint("items of a list stand between `[` and `]`, with `,` between them"),
        );
    }
    if message.starts_with("unclosed table") || message.starts_with("unclosed array table") {
        return ("this header does not end".to_owned(), hint("close it with `]`, or `]]` for one of several"));
    }
    if message.starts_with("unclosed array") {
        return ("this list does not end".to_owned(), hint("close it with `]`"));
    }
    (format!("this is not TOML: {message}"), None)
}
