//! Audit: the same seed twice, and once through a copy of the world, must be the same to the last event.

use std::fmt;

use crate::base::{Digest, Time};
use crate::record::{Entry, TraceEntry};

use super::passage::{How, Passage, Ready};

/// A run that was the same every time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Audited {
    /// Its seed.
    pub seed: u64,
    /// Its digest.
    pub digest: Digest,
    /// How many events it has.
    pub events: u64,
}

/// Two runs of one seed that differ, and where they part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The seed.
    pub seed: u64,
    /// What was done the second time: `run again`, `continued in a copy of the world`.
    pub second: &'static str,
    /// Where they part, when two more runs side by side part as well.
    pub parting: Option<Parting>,
}

/// The first step at which two runs differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parting {
    /// The moment both had reached before.
    pub after: Time,
    /// How many events both had handled alike.
    pub events: u64,
    /// The first thing that only this one did, or did otherwise.
    pub left: String,
    /// The same of the other.
    pub right: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}: two runs differ (first run against: {})", self.seed, self.second)?;
        match &self.parting {
            None => write!(f, "  two more runs side by side do not differ: something outside the run reached in"),
            Some(p) => {
                writeln!(f, "  alike for {} events, up to {}; then the first differing event:", p.events, p.after)?;
                writeln!(f, "    first:  {}", p.left)?;
                write!(f, "    second: {}", p.right)
            }
        }
    }
}

/// Runs a seed three times: twice as it is, once through a copy of the world taken in the middle.
///
/// # Errors
/// Where two of the runs part.
pub fn audit(ready: &Ready<'_>, seed: u64) -> Result<Audited, Difference> {
    let first = Passage::start(ready, seed, How::default()).run(|_| ()).finish().outcome;
    let again = Passage::start(ready, seed, How::default()).run(|_| ()).finish().outcome;
    let same = |other: &super::RunOutcome| first.digest == other.digest && first.judged == other.judged && first.ledger == other.ledger;
    if !same(&again) {
        return Err(Difference { seed, second: "run again", parting: parting(ready, seed, None) });
    }
    let half = first.events / 2;
    let mut copied = Passage::start(ready, seed, How::default());
    let mut forked = false;
    while copied.step() {
        if !forked && copied.sim().events() >= half {
            copied.continue_in_a_copy();
            forked = true;
        }
    }
    if !same(&copied.finish().outcome) {
        return Err(Difference { seed, second: "continued in a copy of the world", parting: parting(ready, seed, Some(half)) });
    }
    Ok(Audited { seed, digest: first.digest, events: first.events })
}

/// Enough for what happens between two looks.
const TRACE: usize = 4_000_000;

/// Runs two passages side by side and finds the first step at which they differ; the second is continued in a copy after
/// `fork_at` events.
fn parting(ready: &Ready<'_>, seed: u64, fork_at: Option<u64>) -> Option<Parting> {
    let how = How { trace_limit: TRACE, ..How::default() };
    let (mut left, mut right) = (Passage::start(ready, seed, how), Passage::start(ready, seed, how));
    let mut fork_at = fork_at;
    loop {
        let (after, events) = (left.sim().now(), left.sim().events());
        let seen = (steps(&left).len(), steps(&right).len());
        let more = (left.step(), right.step());
        let alike = left.digest() == right.digest() && left.sim().events() == right.sim().events() && left.entries() == right.entries();
        if !alike || more.0 != more.1 {
            let (l, r) = first_difference(&left, &right, seen);
            return Some(Parting { after, events, left: l, right: r });
        }
        if !more.0 {
            return None;
        }
        if fork_at.is_some_and(|half| right.sim().events() >= half) {
            right.continue_in_a_copy();
            fork_at = None;
        }
    }
}

fn steps<'a>(passage: &'a Passage<'_>) -> &'a [TraceEntry] {
    passage.sim().trace().map_or(&[], |trace| trace.entries())
}

/// The first differing step of the traces behind what both had seen, or else the first differing entry of the history, or else
/// how far each came.
fn first_difference(left: &Passage<'_>, right: &Passage<'_>, seen: (usize, usize)) -> (String, String) {
    let step = |passage: &Passage<'_>, from: usize, at: usize| {
        steps(passage).get(from + at).map(|e| format!("{} at {}: {:?}", passage.sim().names().node(e.node), e.at, e.step))
    };
    let entry = |passage: &Passage<'_>, at: usize| passage.entries().get(at).map(|e: &Entry| format!("at {}: {:?}", e.at, e.what));
    let new = (steps(left).len() - seen.0).max(steps(right).len() - seen.1);
    let traced = (0..new).map(|at| (step(left, seen.0, at), step(right, seen.1, at)));
    let entries = (0..left.entries().len().max(right.entries().len())).map(|at| (entry(left, at), entry(right, at)));
    let differs = traced.chain(entries).find(|(l, r)| l != r);
    let told = |text: Option<String>| text.unwrap_or_else(|| "nothing more".to_owned());
    differs.map_or_else(|| (so_far(left), so_far(right)), |(l, r)| (told(l), told(r)))
}

/// How far a run is, when it did the same as the other and yet is not the same.
fn so_far(passage: &Passage<'_>) -> String {
    let last = steps(passage).last().map_or_else(|| "no step".to_owned(), |e| format!("{:?} at {}", e.step, e.at));
    format!("digest {} after {} events, the last step being {last}", passage.digest(), passage.sim().events())
}
