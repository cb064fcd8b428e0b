//! What came out: the verdict on a scenario, with its proof, ready for reports.

use crate::base::{Digest, FaultId, NodeId, Span, Time};
use crate::check::{Judged, Promises, Property};

/// How an expectation, an arm or a scenario came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// As expected.
    Holds,
    /// Not as expected.
    Broken,
    /// Nothing can be said: too few runs, nothing examined, a mark never reached, a fault that touched nothing.
    Unknown,
}

impl Answer {
    /// The answer to several: broken before unknown before holds. Of none: unknown.
    #[must_use]
    pub fn of_all(answers: impl IntoIterator<Item = Answer>) -> Answer {
        answers.into_iter().reduce(Answer::and).unwrap_or(Answer::Unknown)
    }
    /// The worse of two.
    #[must_use]
    pub const fn and(self, other: Answer) -> Answer {
        match (self, other) {
            (Answer::Broken, _) | (_, Answer::Broken) => Answer::Broken,
            (Answer::Unknown, _) | (_, Answer::Unknown) => Answer::Unknown,
            (Answer::Holds, Answer::Holds) => Answer::Holds,
        }
    }
    /// The exit code of the process that found it (0, 1, 2).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Answer::Holds => 0,
            Answer::Broken => 1,
            Answer::Unknown => 2,
        }
    }
}

/// A declared fault in one run.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct LedgerRow {
    /// Which.
    pub fault: FaultId,
    /// Its name.
    pub name: String,
    /// How often it struck.
    pub fired: u64,
    /// How many nodes, messages, connections or writes it touched.
    pub touched: u64,
    /// Whether the run without it would have kept the broken promises; `None`: not asked.
    pub mattered: Option<bool>,
    /// Each strike.
    pub strikes: Vec<StrikeRow>,
}

/// One strike of a fault.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct StrikeRow {
    /// From when.
    pub from: Time,
    /// Until when.
    pub until: Option<Time>,
    /// Whom it concerned, by name.
    pub nodes: Vec<String>,
    /// What it did.
    pub what: String,
}

/// One step of the story of a witness.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct StoryLine {
    /// When.
    pub at: Time,
    /// Where.
    pub node: Option<NodeId>,
    /// What, as a sentence without its time: `broker lost power: 3 unsynced writes were lost`.
    pub text: String,
}

/// The story of the first breach of a run.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Story {
    /// Of which property.
    pub property: Property,
    /// In order of time. Few.
    pub lines: Vec<StoryLine>,
}

/// One run: one plan, one seed.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RunOutcome {
    /// The seed.
    pub seed: u64,
    /// Digest of every event.
    pub digest: Digest,
    /// What the judges say and measured.
    pub judged: Judged,
    /// What the faults did.
    pub ledger: Vec<LedgerRow>,
    /// Marks reached, with counts.
    pub marks: Vec<(String, u64)>,
    /// Events handled.
    pub events: u64,
    /// Messages delivered to handlers.
    pub messages: u64,
    /// Virtual time covered.
    pub lasted: Span,
    /// What was still waiting at the end, in words.
    pub pending: Vec<String>,
    /// A breach of the protocol's own invariant.
    pub invariant: Option<String>,
    /// The story of the first violation (or first breach), when asked for.
    pub story: Option<Story>,
}

/// How one expectation came out over all runs of an arm.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Expected {
    /// As in the file: `always acked_survives`, `share acked_lost >= 5% of runs`.
    pub text: String,
    /// How it came out.
    pub answer: Answer,
    /// In figures: `broken in 37 of 200 runs (18.5 %, 95 % interval 13.7–24.5 %)`.
    pub detail: String,
    /// A seed that shows it, when one run can.
    pub seed: Option<u64>,
}

/// How often a property was broken over the runs of an arm.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Tally {
    /// The property.
    pub property: Property,
    /// Whether the configuration promises it.
    pub promised: bool,
    /// Runs in which it held.
    pub held: u64,
    /// Runs in which it was broken.
    pub broken: u64,
    /// Runs that could not tell.
    pub unknown: u64,
    /// The first seed that broke it.
    pub first_broken: Option<u64>,
}

/// One arm: one plan, many seeds.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ArmOutcome {
    /// `main`, or the arm's name.
    pub name: String,
    /// The settings that differ from the main arm, as `key = value`.
    pub differs: Vec<String>,
    /// How it came out.
    pub answer: Answer,
    /// Each expectation.
    pub expected: Vec<Expected>,
    /// What the configuration promises.
    pub promises: Promises,
    /// Property by property, over all runs.
    pub tallies: Vec<Tally>,
    /// How many runs.
    pub runs: u64,
    /// Digest over the digests of all runs, in order of seeds.
    pub digest: Digest,
    /// The run that is shown: the first that breaks an expectation or a promise, or else the first that shows an expected
    /// breach, or else the first.
    pub shown: RunOutcome,
    /// Warnings about the plan and about faults that touched nothing.
    pub warnings: Vec<String>,
    /// The fault windows, names of nodes and objects: what charts need.
    pub scenery: Scenery,
    /// The one line that repeats the shown run.
    pub repro: String,
}

/// Names and phases of the shown run.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Scenery {
    /// Names of nodes, by id.
    pub nodes: Vec<String>,
    /// Names of objects, by id.
    pub objects: Vec<String>,
    /// Start of each phase, with its name, and the end.
    pub phases: Vec<(String, Time)>,
}

/// A scenario: all its arms.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Outcome {
    /// Version of this format; grows when a field changes its meaning.
    pub format: u32,
    /// Version of deadletter.
    pub version: &'static str,
    /// The scenario's path as given, with `/`.
    pub scenario: String,
    /// Hash of the checked plan.
    pub plan: String,
    /// What the scenario asks.
    pub question: String,
    /// What it expects, in words.
    pub answer_expected: String,
    /// How it came out.
    pub answer: Answer,
    /// The arms.
    pub arms: Vec<ArmOutcome>,
}

impl Outcome {
    /// The version of the format that this code writes, as documented in `docs/report-format.md`.
    pub const FORMAT: u32 = 1;
}
