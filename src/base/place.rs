//! Places in a file, and problems found there.

use std::fmt;
use std::sync::Arc;

/// A stretch of bytes in a named file. The text is shared, so that a problem can show its line.
#[derive(Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name as the user gave it.
    pub file: Arc<str>,
    /// The file's text.
    pub text: Arc<str>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Place {
    /// Line and column of the first byte, both from 1; columns count characters.
    #[must_use]
    pub fn line_column(&self) -> (usize, usize) {
        let mut start = self.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.line_column();
        write!(f, "{}:{line}:{column}", self.file)
    }
}

/// Whether a problem stops the run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// Nothing runs until it is mended.
    Error,
    /// The run goes ahead; the report repeats the warning.
    Warning,
}

/// Something wrong in what the user wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// Where, unless it concerns the whole.
    pub place: Option<Place>,
    /// What is wrong, as one sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// An error at a place.
    #[must_use]
    pub fn error(place: Place, what: impl Into<String>) -> Problem {
        Problem { severity: Severity::Error, place: Some(place), what: what.into(), hint: None }
    }
    /// A warning at a place.
    #[must_use]
    pub fn warning(place: Place, what: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, place: Some(place), what: what.into(), hint: None }
    }
    /// The same problem with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}
