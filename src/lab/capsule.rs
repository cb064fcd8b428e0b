//! Capsules: one run as one file that stands alone, and what becomes of it when it is run again.

use std::fmt;

use crate::base::{Digest, Problem, Severity};
use crate::check::Property;
use crate::run::{Answer, Crash, Ran, Ready, Story, explained, guarded, one};
use crate::scenario::{CapsuleNote, CapsuleVerdict, Expectation, Expectations, Plan, Source, Violations, read};

use super::case::{Case, Found, Goal, Violation, wrong_with};

/// One run as a file: a plan of one arm and one seed, and a note of what came out when it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Capsule {
    plan: Plan,
    note: CapsuleNote,
}

impl Capsule {
    /// The capsule of a run in which something is wrong. `from` says where it comes from, in a few words.
    #[must_use]
    pub fn of(case: &Case, found: &Found, from: &str) -> Capsule {
        let expectations = expectations(case, found.violation);
        let (question, answer) = (question(found.violation), format!("No: {}.", found.sentence.trim_end_matches('.')));
        let note = CapsuleNote {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            digest: found.digest.unwrap_or_default(),
            verdict: CapsuleVerdict::Broken,
            of: found.violation,
            plan: None,
            from: from.to_owned(),
        };
        let plan = Plan::alone(question, answer, &case.arm, case.seed, expectations, None);
        let note = CapsuleNote { plan: Some(plan.hash()), ..note };
        Capsule { plan: plan.with_capsule(note.clone()), note }
    }

    /// Reads a capsule.
    ///
    /// # Errors
    /// Everything that is wrong with the file; a scenario without a table `capsule` is none.
    pub fn read(source: &Source<'_>) -> Result<Capsule, Vec<Problem>> {
        let reading = read(source);
        let Some(plan) = reading.plan else { return Err(reading.problems) };
        Capsule::from_plan(plan).ok_or_else(|| vec![not_a_capsule(source)])
    }

    /// The capsule that a plan is, if it has the note of one.
    #[must_use]
    pub fn from_plan(plan: Plan) -> Option<Capsule> {
        let note = plan.capsule()?.clone();
        Some(Capsule { plan, note })
    }

    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        self.plan.print()
    }

    /// The plan: one arm, one seed.
    #[must_use]
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What came out when it was written.
    #[must_use]
    pub const fn note(&self) -> &CapsuleNote {
        &self.note
    }

    /// What is run.
    ///
    /// # Panics
    /// Never: reading and making a capsule see to it that there is an arm.
    #[must_use]
    pub fn case(&self) -> Case {
        let arm = self.plan.arms().first().expect("a capsule has one arm").clone();
        Case { arm, seed: self.plan.seeds().first }
    }

    /// What its run, and any smaller one, must do: what was found. Unless the capsule expects the breach outright, it must be forbidden:
    /// a breach of what is no longer promised is another thing.
    #[must_use]
    pub fn goal(&self) -> Goal {
        let expected =
            |claim: &Expectation| matches!(claim, Expectation::Broken(property) if Violation::Property(*property) == self.note.of);
        let observed = self.plan.arms().first().is_some_and(|arm| arm.expectations().claims.iter().any(expected));
        if observed { Goal::Observed(self.note.of) } else { Goal::Same(self.note.of) }
    }
}

/// The problem of a file that replays nothing.
fn not_a_capsule(source: &Source<'_>) -> Problem {
    let what = format!("`{}` is a scenario, not a capsule: it has no table `capsule` that says what came out", source.file);
    Problem { severity: Severity::Error, place: None, what, hint: Some("`deadletter run` runs a scenario".to_owned()) }
}

/// What the run of a capsule is expected to keep. What was promised needs no words: so it stays tied to the configuration.
fn expectations(case: &Case, violation: Violation) -> Expectations {
    let any = |claims| Expectations { claims, violations: Violations::Any };
    match violation {
        Violation::Property(property) if promised(case, property) && case.arm.expectations().forbids(property, true) => {
            Expectations { claims: Vec::new(), violations: Violations::None }
        }
        Violation::Property(property) if case.arm.expectations().forbids(property, promised(case, property)) => {
            any(vec![Expectation::Always(property)])
        }
        Violation::Property(property) => any(vec![Expectation::Broken(property)]),
        Violation::Invariant | Violation::Panic => any(Vec::new()),
    }
}

fn promised(case: &Case, property: Property) -> bool {
    case.arm.model().promises().promised(property)
}

fn question(violation: Violation) -> String {
    match violation {
        Violation::Property(property) => format!("Is it true here that {}?", property.sentence()),
        Violation::Invariant => "Does the protocol keep its own invariant here?".to_owned(),
        Violation::Panic => "Does this run come to its end?".to_owned(),
    }
}

/// How the run of a capsule differs from the run that it was made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Drift {
    /// Another deadletter wrote it.
    Version {
        /// That one's version.
        written: String,
    },
    /// It was changed by hand since.
    Edited,
    /// Not the same events: the code has changed since, or the file.
    Digest {
        /// The digest that was written.
        written: Digest,
        /// The digest now.
        now: Digest,
    },
    /// A named transmission that does not take place any more.
    Unmatched(String),
    /// What is broken is not promised any more.
    Unpromised,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Drift::Version { written } => {
                write!(f, "it was written by deadletter {written}, and this is {}", env!("CARGO_PKG_VERSION"))
            }
            Drift::Edited => f.write_str("the file was changed since it was written"),
            Drift::Digest { written, now } => write!(f, "the run is not the one that was recorded (digest {written} then, {now} now)"),
            Drift::Unpromised => f.write_str("it is broken, but nothing promises it any more"),
            Drift::Unmatched(name) => write!(f, "no transmission `{name}` takes place any more: its override decides nothing"),
        }
    }
}

/// A capsule that was run again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replay {
    /// `Holds`: as recorded. `Broken`: the recorded verdict is not there any more. `Unknown`: an override names nothing, so nothing can
    /// be said.
    pub answer: Answer,
    /// What is wrong with the run now, if it is what the capsule is about.
    pub found: Option<Found>,
    /// Its story, when a judge found it.
    pub story: Option<Story>,
    /// How the run differs from the recorded one.
    pub drift: Vec<Drift>,
}

/// Runs a capsule again.
///
/// # Errors
/// A panic while its story is told; one in the run itself is a finding.
pub fn replay(capsule: &Capsule) -> Result<Replay, Crash> {
    let case = capsule.case();
    let ran = guarded(case.seed, || Ready::new(&case.arm)).and_then(|ready| one(&ready, case.seed));
    let (found, story) = match &ran {
        Ok(ran) => {
            let found = wrong_with(&case.arm, ran, capsule.goal()).into_iter().next();
            let story = if let Some(Violation::Property(property)) = found.as_ref().map(|found| found.violation) {
                explained(&Ready::new(&case.arm), &ran.outcome, property)?
            } else {
                None
            };
            (found, story)
        }
        Err(_) => (case.try_for(capsule.goal()), None),
    };
    let drift = drift(capsule, ran.as_ref().ok());
    let expected = match capsule.note.verdict {
        CapsuleVerdict::Broken => found.is_some(),
        CapsuleVerdict::Holds => found.is_none() && ran.is_ok(),
    };
    let blind = drift.iter().any(|drift| matches!(drift, Drift::Unmatched(_)));
    let answer = match (blind, expected) {
        (true, _) => Answer::Unknown,
        (false, true) => Answer::Holds,
        (false, false) => Answer::Broken,
    };
    Ok(Replay { answer, found, story, drift })
}

fn drift(capsule: &Capsule, ran: Option<&Ran>) -> Vec<Drift> {
    let note = &capsule.note;
    let mut drift = Vec::new();
    if !note.version.is_empty() && note.version != env!("CARGO_PKG_VERSION") {
        drift.push(Drift::Version { written: note.version.clone() });
    }
    if note.plan.as_ref().is_some_and(|plan| *plan != capsule.plan.hash()) {
        drift.push(Drift::Edited);
    }
    if let Some(ran) = ran {
        if ran.outcome.digest != note.digest {
            drift.push(Drift::Digest { written: note.digest, now: ran.outcome.digest });
        }
        drift.extend(ran.unmatched.iter().cloned().map(Drift::Unmatched));
        let arm = &capsule.case().arm;
        if wrong_with(arm, ran, capsule.goal()).is_empty() && !wrong_with(arm, ran, Goal::Observed(note.of)).is_empty() {
            drift.push(Drift::Unpromised);
        }
    }
    drift
}
