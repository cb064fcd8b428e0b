//! Reading the table `[model.kafka]`: what is asked for, what Kafka would refuse, and what it would weaken without a word.

use crate::base::value::{Reader, Table, did_you_mean};
use crate::base::{Problem, Severity};

use super::config::{Config, Version};
use super::keys::KEYS;
use super::mutants::{Mutant, Mutants};
use super::presets::Presets;

mod broker;
mod consumers;
mod mechanisms;
mod names;
mod processors;
mod producers;
mod section;
mod silent;
mod tasks;
mod topics;
mod whole;

#[cfg(test)]
mod tests;

/// Problems found so far.
type Found = Vec<Problem>;

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
}

/// The configuration in a table; `None` when there are errors. All problems are added.
pub fn config(table: &Table, problems: &mut Vec<Problem>) -> Option<Config> {
    let mut found = Found::new();
    let reader = Reader::new(table, KEYS, "model.kafka", &mut found);
    if found.iter().any(is_error) {
        problems.append(&mut found);
        return None;
    }
    let config = read(&reader, &mut found);
    let wrong = found.iter().any(is_error);
    problems.append(&mut found);
    config.filter(|_| !wrong)
}

/// The configuration in a table that was opened with [`KEYS`]; an error among the problems: there is none. For a composite,
/// which has this table inside its own.
pub fn read(reader: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Config> {
    let written = reader.choice("version")?;
    let version = Version::ALL.into_iter().find(|version| version.name() == written)?;
    let presets = Presets::of(version);
    let mutants = mutants(reader, problems);
    let config = whole::read(reader, (version, &presets), mutants, problems)?;
    if !problems.iter().any(is_error) {
        silent::find(&config, reader, problems);
    }
    Some(config)
}

fn mutants(reader: &Reader<'_>, problems: &mut Found) -> Mutants {
    let Some(name) = reader.text("mutant") else { return Mutants::none() };
    let place = reader.place_of("mutant");
    let Some(mutant) = Mutant::find(&name) else {
        let known: Vec<&str> = Mutant::ALL.iter().map(|(_, name, _)| *name).collect();
        let problem = Problem::error(place, format!("`{name}` is no mutant of kafka"));
        problems.push(hinted(problem, did_you_mean(&name, &known)));
        return Mutants::none();
    };
    Mutants::with(mutant).unwrap_or_else(|| {
        let problem = Problem::error(place, "this build has no mutants: brokers that are broken on purpose are left out of it");
        problems.push(problem.hint("build with `--features mutants`, or remove `mutant`"));
        Mutants::none()
    })
}

/// A problem with a hint, if there is one.
fn hinted(problem: Problem, hint: Option<String>) -> Problem {
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}
