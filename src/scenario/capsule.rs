//! `[capsule]`: what a file that replays one run says about that run.

use std::fmt;

use crate::base::value::{Reader, Table, ValueKind, did_you_mean};
use crate::base::{Digest, Problem};
use crate::check::Property;

use super::plan::Seeds;
use super::with;

/// The format that is written and read.
pub const FORMAT: u64 = 1;

/// What was found in the run that a capsule replays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CapsuleNote {
    /// Which deadletter wrote it; empty when it does not say.
    pub version: String,
    /// The digest of the run.
    pub digest: Digest,
    /// What came out.
    pub verdict: CapsuleVerdict,
    /// About what.
    pub of: Of,
    /// [`super::Plan::hash`] when it was written: of a capsule that was changed by hand it differs.
    pub plan: Option<String>,
    /// Where it comes from, in free words; empty when it does not say.
    pub from: String,
}

/// Whether the run of a capsule shows something broken, or something that holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CapsuleVerdict {
    /// It is broken.
    Broken,
    /// It holds.
    Holds,
}

impl CapsuleVerdict {
    /// The word for it in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CapsuleVerdict::Broken => "broken",
            CapsuleVerdict::Holds => "holds",
        }
    }
}

/// What a capsule is about.
///
/// ```
/// use deadletter::check::Property;
/// use deadletter::scenario::Of;
/// assert_eq!(Of::find("acked_lost"), Some(Of::Property(Property::AckedSurvives)));
/// assert_eq!(Of::find("panic").map(|of| of.to_string()).as_deref(), Some("panic"));
/// assert_eq!(Of::find("luck"), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Of {
    /// A property that judges look at.
    Property(Property),
    /// The protocol's own invariant.
    Invariant,
    /// A panic of the model or of deadletter.
    Panic,
}

impl Of {
    /// The one of a name; of a property also the name of its breach.
    #[must_use]
    pub fn find(name: &str) -> Option<Of> {
        match name {
            "invariant" => Some(Of::Invariant),
            "panic" => Some(Of::Panic),
            name => Property::find(name).map(Of::Property),
        }
    }

    /// The name, as in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Of::Property(property) => property.name(),
            Of::Invariant => "invariant",
            Of::Panic => "panic",
        }
    }
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The problem of a capsule in another format: nothing else in such a file can be judged.
pub(super) fn of_another_format(file: &Table) -> Option<Problem> {
    let value = file.get("capsule")?.as_table()?.get("format")?;
    let ValueKind::Integer(format) = value.kind else { return None };
    if u64::try_from(format) == Ok(FORMAT) {
        return None;
    }
    let what = format!("this capsule was written in format {format}; this deadletter reads format {FORMAT}");
    Some(Problem::error(value.place.clone(), what).hint("replay it with the deadletter that wrote it"))
}

/// The note of a capsule. A capsule is one run: `file` is the top of the file, which may say otherwise.
pub(super) fn read(keys: &Reader<'_>, file: &Reader<'_>, seeds: Option<Seeds>, problems: &mut Vec<Problem>) -> Option<CapsuleNote> {
    if let Some(arm) = file.tables("arm").first() {
        let problem = Problem::error(arm.place().clone(), "a capsule replays one run, and this is another arm");
        problems.push(problem.hint("leave the arm out, or the table `capsule`"));
    }
    if let Some(seeds) = seeds.filter(|seeds| seeds.count != 1) {
        let place = file.table("seeds").map_or_else(|| keys.place().clone(), |seeds| seeds.place_of("count"));
        let place = if file.has("seeds") { place } else { keys.place().clone() };
        let problem = Problem::error(place, format!("a capsule replays one run, and here are {} seeds", seeds.count));
        problems.push(problem.hint("write `[seeds]` with the run's seed as `first`, and `count = 1`"));
    }
    let digest = hex(keys, "digest", problems);
    let plan = hex(keys, "plan", problems);
    let of = of(keys, problems);
    let (version, from) = (line(keys, "version", problems), line(keys, "from", problems));
    let verdict = match keys.choice("verdict")? {
        "holds" => CapsuleVerdict::Holds,
        _ => CapsuleVerdict::Broken,
    };
    Some(CapsuleNote { version, digest: Digest::parse(&digest?)?, verdict, of: of?, plan, from })
}

/// Sixteen hexadecimal digits.
fn hex(keys: &Reader<'_>, key: &str, problems: &mut Vec<Problem>) -> Option<String> {
    let text = keys.text(key)?;
    if Digest::parse(&text).is_some() {
        return Some(text);
    }
    let problem = Problem::error(keys.place_of(key), format!("`{}` is not 16 hexadecimal digits", text.escape_debug()));
    problems.push(problem.hint("write it as it is printed, such as `243f6a8885a308d3`"));
    None
}

fn of(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Of> {
    let name = keys.text("of")?;
    let of = Of::find(&name);
    if of.is_none() {
        let mut known: Vec<&str> = Property::ALL.iter().map(|property| property.name()).collect();
        known.extend([Of::Invariant.name(), Of::Panic.name()]);
        let problem = Problem::error(keys.place_of("of"), format!("there is no property `{}`", name.escape_debug()));
        problems.push(with(problem, did_you_mean(&name, &known)));
    }
    of
}

/// One line of free text; empty when it is not written.
fn line(keys: &Reader<'_>, key: &str, problems: &mut Vec<Problem>) -> String {
    let text = keys.text(key).unwrap_or_default();
    if text.chars().any(char::is_control) {
        problems.push(Problem::error(keys.place_of(key), format!("`{key}` is one line of text")));
    }
    text
}
