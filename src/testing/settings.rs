//! Settings that shrink towards the first value of each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use proptest::strategy::{BoxedStrategy, Strategy};

use crate::base::Problem;
use crate::model::Model;
use crate::scenario::{ArmPlan, Plan, Source, read, render};

use super::shrinking::{Shrinking, with_one};

/// One setting with its values, the simplest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Choice {
    pub(super) key: String,
    pub(super) values: Vec<String>,
}

/// One value of each choice, by position.
pub(super) type Picks = Vec<usize>;

/// More combinations than this are not tried out to find one that has a given value.
const MOST_COMBINATIONS: usize = 1024;

/// A scenario under every combination of some settings; each combination is read once, when it is asked for.
pub(super) struct Arms {
    text: String,
    models: &'static [&'static dyn Model],
    /// The arm's name.
    arm: String,
    choices: Vec<Choice>,
    read: Mutex<BTreeMap<Picks, Result<Arc<ArmPlan>, String>>>,
}

/// The file's name in problems.
const FILE: &str = "scenario";

impl Arms {
    pub(super) fn new(text: &str, models: &'static [&'static dyn Model]) -> Arms {
        let arm = crate::scenario::MAIN.to_owned();
        Arms { text: text.to_owned(), models, arm, choices: Vec::new(), read: Mutex::default() }
    }

    /// The same in another arm.
    pub(super) fn in_arm(&self, name: &str) -> Arms {
        let choices = self.choices.clone();
        Arms { text: self.text.clone(), models: self.models, arm: name.to_owned(), choices, read: Mutex::default() }
    }

    /// The same with one more choice.
    pub(super) fn with(&self, choice: Choice) -> Arms {
        let mut more = self.in_arm(&self.arm);
        more.choices.push(choice);
        more
    }

    /// The first value of each.
    pub(super) fn first(&self) -> Picks {
        vec![0; self.choices.len()]
    }

    /// The arm under these settings, or what is wrong with them.
    pub(super) fn get(&self, picks: &Picks) -> Result<Arc<ArmPlan>, String> {
        let mut known = self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.entry(picks.clone()).or_insert_with(|| self.read(picks)).clone()
    }

    fn read(&self, picks: &Picks) -> Result<Arc<ArmPlan>, String> {
        let sets = self.sets(picks);
        let reading = read(&Source { sets: &sets, ..Source::new(FILE, &self.text, self.models) });
        let told = |problems: &[Problem]| render(problems, false);
        let plan: Plan = reading.plan.ok_or_else(|| told(&reading.problems))?;
        let arm = plan.arms().iter().find(|arm| arm.name() == self.arm);
        arm.cloned().map(Arc::new).ok_or_else(|| format!("the scenario has no arm `{}`", self.arm))
    }

    /// The settings as the command line takes them: `key=value`.
    pub(super) fn sets(&self, picks: &Picks) -> Vec<String> {
        let pairs = self.choices.iter().zip(picks);
        pairs.map(|(choice, at)| format!("{}={}", choice.key, choice.values[*at])).collect()
    }

    /// Whether every value can be had; what is misspelt would silently never be.
    ///
    /// # Errors
    /// What is wrong with the first values together, or with a value that no combination takes.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(choice) = self.choices.iter().find(|choice| choice.values.is_empty()) {
            return Err(format!("`{}` has no values", choice.key));
        }
        let first = self.first();
        self.get(&first)?;
        for (at, choice) in self.choices.iter().enumerate() {
            for value in 1..choice.values.len() {
                let mut alone = first.clone();
                alone[at] = value;
                if let Err(why) = self.get(&alone)
                    && !self.all().any(|picks| picks[at] == value && self.get(&picks).is_ok())
                {
                    return Err(format!("nothing goes with {}:\n{why}", self.sets(&alone)[at]));
                }
            }
        }
        Ok(())
    }

    /// All combinations, but not more than can be tried.
    fn all(&self) -> impl Iterator<Item = Picks> {
        let sizes: Vec<usize> = self.choices.iter().map(|choice| choice.values.len()).collect();
        let count = sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size)).unwrap_or(usize::MAX);
        (0..count.min(MOST_COMBINATIONS)).map(move |number| {
            let digits = sizes.iter().scan(number, |rest, size| {
                let digit = *rest % size;
                *rest /= size;
                Some(digit)
            });
            digits.collect()
        })
    }

    /// Any combination that the model takes.
    pub(super) fn draw(self: &Arc<Arms>) -> BoxedStrategy<Picks> {
        let ranges: Vec<std::ops::Range<usize>> = self.choices.iter().map(|choice| 0..choice.values.len()).collect();
        let arms = Arc::clone(self);
        ranges.prop_filter("the model refuses these settings", move |picks| arms.get(picks).is_ok()).boxed()
    }

    /// Those that the model takes with earlier values.
    pub(super) fn simpler(&self, picks: &Picks) -> Vec<Picks> {
        let mut found = vec![self.first()];
        found.extend(with_one(picks, |at| (0..*at).collect()));
        found.retain(|other| other != picks && self.get(other).is_ok());
        found
    }
}

/// One value of each setting, as `(key, value)`. They shrink towards the first value of each.
///
/// # Panics
/// When a setting has no values.
pub fn settings(choices: &[(&str, &[&str])]) -> BoxedStrategy<Vec<(String, String)>> {
    assert!(choices.iter().all(|(_, values)| !values.is_empty()), "a setting has at least one value");
    let choices: Vec<(String, Vec<String>)> =
        choices.iter().map(|(key, values)| ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())).collect();
    let ranges: Vec<std::ops::Range<usize>> = choices.iter().map(|(_, values)| 0..values.len()).collect();
    let simpler = |picks: &Picks| {
        let mut found = vec![vec![0; picks.len()]];
        found.extend(with_one(picks, |at| (0..*at).collect()));
        found
    };
    let named = move |picks: Picks| choices.iter().zip(picks).map(|((key, values), at)| (key.clone(), values[at].clone())).collect();
    Shrinking::new(ranges, simpler).prop_map(named).boxed()
}
