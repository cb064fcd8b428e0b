//! `deadletter replay`: capsules are run again, and what has changed since is said.

use std::fs;

use clap::Args;

use crate::lab::{Capsule, Replay, replay};
use crate::model::Model;
use crate::run::Answer;
use crate::scenario::{CapsuleVerdict, Source, render};

use super::exit::Exit;
use super::files::expand;
use super::voice::{aside, complain, say};

#[derive(Args, Debug)]
pub(super) struct ReplayArgs {
    /// Capsules, folders of them, or patterns such as 'scenarios/regressions/*.toml'
    #[arg(required = true, value_name = "FILE|FOLDER|PATTERN")]
    pub(super) files: Vec<String>,
}

/// Runs capsules again. As recorded: 0. The verdict is another: 1. An override names nothing any more: 2.
pub(super) fn run(args: &ReplayArgs, models: &[&'static dyn Model]) -> Exit {
    let files = match expand(&args.files) {
        Ok(files) => files,
        Err(wrong) => {
            wrong.iter().for_each(|what| complain(what));
            return Exit::Usage;
        }
    };
    Exit::worst(files.iter().map(|file| one(file, models)).collect::<Vec<_>>())
}

fn one(file: &str, models: &[&'static dyn Model]) -> Exit {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            complain(&format!("`{file}` cannot be read: {error}"));
            return Exit::BadFile;
        }
    };
    let capsule = match Capsule::read(&Source::new(file, &text, models)) {
        Ok(capsule) => capsule,
        Err(problems) => {
            aside(&render(&problems, true));
            return Exit::BadFile;
        }
    };
    match replay(&capsule) {
        Ok(replayed) => {
            say(&told(file, &capsule, &replayed));
            replayed.answer.into()
        }
        Err(crash) => {
            complain(&format!("{file}: deadletter itself failed while telling the story: {}", crash.what));
            Exit::OurBug
        }
    }
}

/// How a capsule came out, in words.
fn told(file: &str, capsule: &Capsule, replayed: &Replay) -> String {
    let note = capsule.note();
    let (of, seed) = (note.of, capsule.plan().seeds().first);
    let verdict = match (replayed.answer, note.verdict) {
        (Answer::Holds, CapsuleVerdict::Broken) => format!("{of} is broken, as recorded"),
        (Answer::Holds, CapsuleVerdict::Holds) => format!("{of} holds, as recorded"),
        (Answer::Broken, CapsuleVerdict::Broken) => format!("{of} is not broken any more"),
        (Answer::Broken, CapsuleVerdict::Holds) => format!("{of} is broken, and the capsule says that it holds"),
        (Answer::Unknown, _) => format!("nothing can be said of {of}: the capsule names what does not happen any more"),
    };
    let mut out = format!("{file}: {verdict}\n");
    if let Some(found) = &replayed.found {
        out += &format!("  {}\n", found.sentence);
    }
    if let Some(story) = &replayed.story {
        let names = capsule.case().arm.model().roster().nodes;
        for line in &story.lines {
            let node = line.node.map_or("", |node| names[node.index()].name.as_str());
            out += &format!("    {:>12}  {node:<12}  {}\n", line.at.nearest_micro().to_string(), line.text);
        }
    }
    for drift in &replayed.drift {
        out += &format!("  drift: {drift}\n");
    }
    if replayed.drift.is_empty() {
        out += &format!("  the same to the last event (seed {seed}, digest {})\n", note.digest);
    }
    out
}
