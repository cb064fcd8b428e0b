//! One trial: a run that was drawn, what must be true of it, and what is left behind when it is not.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use proptest::test_runner::{TestCaseError, TestCaseResult};

use crate::check::Property;
use crate::lab::{Capsule, Case, Found, Goal, Violation};
use crate::run::{Crash, Ran, Ready, guarded, one};

use super::draft::{Draft, Drafts};
use super::{faults, load, network};

/// How a failure is told: as what, and where to.
#[derive(Clone, Debug)]
pub(super) struct Report {
    /// The program that replays.
    pub(super) program: String,
    /// The name of the capsule's file, if it was given.
    pub(super) name: Option<String>,
    /// The hash of the scenario.
    hash: u64,
}

impl Report {
    pub(super) fn new(scenario: &str) -> Report {
        Report { program: "deadletter".to_owned(), name: None, hash: xxhash_rust::xxh3::xxh3_64(scenario.as_bytes()) }
    }

    /// The name of the capsule's file: as given, or the running test's, or made of the scenario.
    fn file(&self) -> PathBuf {
        let thread = std::thread::current();
        let test = thread.name().filter(|name| *name != "main").map(str::to_owned);
        let name = self.name.clone().or(test).unwrap_or_else(|| format!("trial-{:016x}", self.hash));
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = name.replace("::", "-").chars().map(plain).collect();
        let folder = std::env::var_os("DEADLETTER_CAPSULES").map_or_else(|| PathBuf::from("target/deadletter"), PathBuf::from);
        folder.join(format!("{name}.toml"))
    }
}

/// One run that was drawn by [`super::Bench::trials`]. Its `Debug` says in a few lines what is particular about it.
#[derive(Clone)]
pub struct Trial {
    case: Arc<Case>,
    /// The settings as `key=value`.
    sets: Vec<String>,
    /// Which parts were drawn: faults, network, operations.
    drawn: [bool; 3],
    report: Arc<Report>,
}

impl Trial {
    pub(super) fn new(drafts: &Drafts, draft: &Draft, report: Arc<Report>) -> Trial {
        let case = Arc::new(Case { arm: drafts.arm(draft), seed: draft.seed });
        let drawn = [drafts.strikes.is_some(), drafts.networks.is_some(), drafts.asks.is_some()];
        Trial { case, sets: drafts.arms.sets(&draft.picks), drawn, report }
    }

    /// What is run.
    #[must_use]
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// The settings that were drawn, as `key=value`.
    #[must_use]
    pub fn settings(&self) -> &[String] {
        &self.sets
    }

    /// Runs it.
    ///
    /// # Errors
    /// A panic of the model or of deadletter.
    pub fn run(&self) -> Result<Ran, Crash> {
        let seed = self.case.seed;
        guarded(seed, || Ready::new(&self.case.arm)).and_then(|ready| one(&ready, seed))
    }

    /// Nothing is broken that is promised, or that the scenario forbids; no invariant is breached; nothing panics.
    ///
    /// # Errors
    /// The violation, with what was drawn, and a capsule that was written.
    pub fn assert_kept(&self) -> TestCaseResult {
        self.assert(Goal::Forbidden)
    }

    /// This property holds, promised or not.
    ///
    /// # Errors
    /// As for [`Trial::assert_kept`].
    pub fn assert_holds(&self, property: Property) -> TestCaseResult {
        self.assert_never(Violation::Property(property))
    }

    /// This never happens, whether or not it was promised.
    ///
    /// # Errors
    /// As for [`Trial::assert_kept`].
    pub fn assert_never(&self, violation: Violation) -> TestCaseResult {
        self.assert(Goal::Observed(violation))
    }

    /// The run is not wrong in the way that a goal says.
    ///
    /// # Errors
    /// As for [`Trial::assert_kept`].
    pub fn assert(&self, goal: Goal) -> TestCaseResult {
        match self.case.try_for(goal) {
            None => Ok(()),
            Some(found) => Err(TestCaseError::fail(self.told(&found))),
        }
    }

    /// The capsule of a violation that was found in it.
    #[must_use]
    pub fn capsule(&self, found: &Found) -> Capsule {
        Capsule::of(&self.case, found, "a property test")
    }

    /// What is wrong, in words. The capsule is written: each smaller failure takes the place of the one before.
    fn told(&self, found: &Found) -> String {
        let what = match found.violation {
            Violation::Property(property) => format!("{property} is broken"),
            Violation::Invariant => "the protocol's invariant is breached".to_owned(),
            Violation::Panic => "the run panics".to_owned(),
        };
        let mut out = format!("{what}: {}\n", found.sentence);
        if let Violation::Property(property) = found.violation {
            let promises = self.case.arm.model().promises();
            let promise = promises.0.iter().find(|promise| promise.property == property && promise.promised);
            out += &promise.map_or_else(String::new, |promise| format!("  promised, because {}\n", promise.because));
        }
        for fault in self.case.arm.surroundings().faults.iter() {
            out += &format!("  {}\n", faults::in_words(fault));
        }
        let file = self.report.file();
        let folder = file.parent().map_or(Ok(()), fs::create_dir_all);
        match folder.and_then(|()| fs::write(&file, self.capsule(found).text())) {
            Ok(()) => {
                let file = file.display();
                out + &format!("capsule: {file}\nreplay:  {} replay {}\n", self.report.program, quoted(&file.to_string()))
            }
            Err(error) => out + &format!("no capsule: `{}` cannot be written: {error}\n", file.display()),
        }
    }
}

/// As a shell reads it: in single quotes unless it is plain.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arm = &self.case.arm;
        let lines = |f: &mut fmt::Formatter<'_>, what: &str, lines: Vec<String>| {
            let lines = if lines.is_empty() { vec!["none".to_owned()] } else { lines };
            (0..).zip(lines).try_for_each(|(at, line): (u32, _)| writeln!(f, "  {:<11} {line}", if at == 0 { what } else { "" }))
        };
        writeln!(f, "Trial {{")?;
        let [strikes, link, asks] = self.drawn;
        if strikes {
            lines(f, "faults:", arm.surroundings().faults.iter().map(faults::in_words).collect())?;
        }
        if asks {
            lines(f, "operations:", arm.load().listed.iter().map(load::in_words).collect())?;
        }
        if link {
            lines(f, "network:", vec![network::in_words(&arm.surroundings().network.within)])?;
        }
        if !self.sets.is_empty() {
            lines(f, "settings:", self.sets.clone())?;
        }
        lines(f, "seed:", vec![self.case.seed.to_string()])?;
        f.write_str("}")
    }
}
