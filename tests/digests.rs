//! The runs of the committed scenarios are pinned: each seed leads to the digest it led to before, with any number of workers.
//!
//! A digest that changes means that a run changes: with the same seed something else happens. Where that is meant,
//! `GOLDEN=write cargo test --test digests` writes the new ones, and the change log says that old reports no longer repeat.

use std::fs;
use std::path::{Path, PathBuf};

use deadletter::check::Property;
use deadletter::lab::{Budget, Campaign, campaign};
use deadletter::model::BUILT_IN;
use deadletter::run::{Ready, explained, one};
use deadletter::scenario::{Plan, Source, read, render};
use rayon::prelude::*;

const FOLDER: &str = "scenarios/mailbox";
const GOLDEN: &str = "tests/golden/digests.txt";
const SEEDS: [u64; 3] = [1, 2, 3];

/// The scenario files, in order of name.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).expect("the folder of scenarios").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}

fn name(file: &Path) -> String {
    file.file_stem().expect("a name").to_string_lossy().into_owned()
}

fn plan(file: &Path) -> Plan {
    let text = fs::read_to_string(file).expect("a scenario");
    let beside = |path: &str| fs::read(file.with_file_name(path)).map_err(|error| error.to_string());
    let reading = read(&Source { file: &file.to_string_lossy(), text: &text, sets: &[], models: BUILT_IN, files: &beside });
    reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)))
}

#[test]
fn every_scenario_runs_as_it_did() {
    let files = files();
    assert!(files.len() >= 16, "{} scenarios", files.len());
    let rows: Vec<Vec<String>> = files
        .par_iter()
        .map(|file| {
            let plan = plan(file);
            let ready = Ready::new(&plan.arms()[0]);
            let row = |seed: u64| {
                let run = one(&ready, seed).unwrap_or_else(|crash| panic!("{} under seed {seed}: {}", file.display(), crash.what));
                format!("{} {seed} {}", name(file), run.outcome.digest)
            };
            SEEDS.into_iter().map(row).collect()
        })
        .collect();
    let found = rows.concat().join("\n") + "\n";
    if std::env::var("GOLDEN").as_deref() == Ok("write") {
        fs::write(GOLDEN, &found).expect("written");
        return;
    }
    let pinned = fs::read_to_string(GOLDEN).expect("the pinned digests");
    let differ: Vec<&str> = found.lines().filter(|line| !pinned.lines().any(|pin| pin == *line)).collect();
    assert!(differ.is_empty(), "these runs changed (GOLDEN=write pins them anew):\n{}", differ.join("\n"));
    assert_eq!(pinned, found, "the pinned digests are those of the scenarios that there are, in their order");
}

/// The outcome of a few seeds of every arm, in full, with so many workers.
fn outcome(file: &Path, jobs: usize) -> String {
    let plan = plan(file);
    let asked = Campaign { plan: &plan, file: &name(file), set: &[], budget: Budget::Exactly(4), arm: None };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("workers");
    let outcome = pool.install(|| campaign(&asked, &|| ())).unwrap_or_else(|failure| panic!("{}: {}", file.display(), failure.crash.what));
    serde_json::to_string(&outcome).expect("an outcome is data")
}

#[test]
fn the_number_of_workers_changes_nothing() {
    for name in ["three_guarantees", "flash_sale"] {
        let file = Path::new(FOLDER).join(name).with_extension("toml");
        let (alone, together) = (outcome(&file, 1), outcome(&file, 2));
        assert!(alone == together, "{name} comes out differently with two workers");
        assert!(alone.contains("\"digest\""), "the digest is part of it");
    }
}

/// Over datagrams names are told apart by a running number; a reader is told which attempt it was.
#[test]
fn a_story_counts_attempts_as_a_reader_does() {
    let plan = plan(&Path::new(FOLDER).join("unknown_outcomes.toml"));
    let ready = Ready::new(&plan.arms()[0]);
    let run = one(&ready, 1).expect("no panic").outcome;
    let story = explained(&ready, &run, Property::NoDuplicateEffect).expect("no panic").expect("an order takes effect twice");
    let text: Vec<&str> = story.lines.iter().map(|line| line.text.as_str()).collect();
    assert!(text.iter().any(|line| line.contains("receives publish") && line.contains("(attempt 2)")), "{text:#?}");
    let others = text.iter().filter_map(|line| line.split_once("(attempt ")).filter(|(_, rest)| !rest.starts_with("2)"));
    assert_eq!(others.count(), 0, "{text:#?}");
}
