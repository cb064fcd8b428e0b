//! Marks: a model says that a rare path was taken, and a scenario can demand that some run took it.

use std::collections::BTreeMap;

/// The name of a rare path, such as `mailbox.redelivered`.
pub type Mark = &'static str;

/// How often each mark was reached.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks(BTreeMap<Mark, u64>);

impl Marks {
    /// Counts one visit.
    pub fn hit(&mut self, mark: Mark) {
        *self.0.entry(mark).or_insert(0) += 1;
    }
    /// How often a mark was reached.
    #[must_use]
    pub fn count(&self, mark: &str) -> u64 {
        self.0.get(mark).copied().unwrap_or(0)
    }
    /// All marks that were reached, by name.
    pub fn iter(&self) -> impl Iterator<Item = (Mark, u64)> + '_ {
        self.0.iter().map(|(m, n)| (*m, *n))
    }
}
