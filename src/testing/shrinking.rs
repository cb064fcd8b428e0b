//! A strategy that draws as another does and shrinks by a law of its own: from a value to the simpler ones, the simplest first.

use std::fmt;
use std::sync::Arc;

use proptest::strategy::{BoxedStrategy, NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// From a value to those that are simpler. Each step of it must lead downward, or shrinking would not end.
type Simpler<T> = Arc<dyn Fn(&T) -> Vec<T>>;

/// Draws as another strategy does; shrinks by a law of its own, to a value of which no simpler one fails.
#[derive(Clone)]
pub(super) struct Shrinking<T> {
    draw: BoxedStrategy<T>,
    simpler: Simpler<T>,
}

impl<T: Clone + PartialEq + fmt::Debug + 'static> Shrinking<T> {
    pub(super) fn new(draw: impl Strategy<Value = T> + 'static, simpler: impl Fn(&T) -> Vec<T> + 'static) -> Shrinking<T> {
        Shrinking { draw: draw.boxed(), simpler: Arc::new(simpler) }
    }
}

impl<T> fmt::Debug for Shrinking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shrinking")
    }
}

impl<T: Clone + PartialEq + fmt::Debug + 'static> Strategy for Shrinking<T> {
    type Tree = Tree<T>;
    type Value = T;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let kept = self.draw.new_tree(runner)?.current();
        Ok(Tree { kept, tried: None, left: None, known: Vec::new(), simpler: Arc::clone(&self.simpler) })
    }
}

/// A value on its way down.
pub(super) struct Tree<T> {
    /// The simplest that failed.
    kept: T,
    /// The one that is being tried.
    tried: Option<T>,
    /// What else is simpler than what is kept; `None` before anybody asked.
    left: Option<std::vec::IntoIter<T>>,
    /// What was tried before: the same again fails or passes as it did.
    known: Vec<T>,
    simpler: Simpler<T>,
}

impl<T: Clone + PartialEq> Tree<T> {
    /// On to the next that was not tried yet; false, and back at what is kept, when there is none.
    fn next(&mut self) -> bool {
        let known = &self.known;
        let kept = &self.kept;
        self.tried = self.left.as_mut().and_then(|left| left.find(|value| value != kept && !known.contains(value)));
        self.known.extend(self.tried.clone());
        self.tried.is_some()
    }
}

impl<T: Clone + PartialEq + fmt::Debug> ValueTree for Tree<T> {
    type Value = T;

    fn current(&self) -> T {
        self.tried.as_ref().unwrap_or(&self.kept).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(failed) = self.tried.take() {
            self.kept = failed;
            self.left = None;
        }
        self.left.get_or_insert_with(|| (self.simpler)(&self.kept).into_iter());
        self.next()
    }

    /// Back at what is kept it is true once more: others beside it in a tuple are simplified only then.
    fn complicate(&mut self) -> bool {
        if self.tried.is_none() {
            return false;
        }
        self.next();
        true
    }
}

/// Lists with a part taken out: all of it, halves, quarters, …, single items.
pub(super) fn without_some<T: Clone>(items: &[T]) -> Vec<Vec<T>> {
    let mut found = Vec::new();
    let mut size = items.len();
    while size > 0 {
        for start in (0..items.len()).step_by(size) {
            let end = (start + size).min(items.len());
            found.push(items[..start].iter().chain(&items[end..]).cloned().collect());
        }
        size = if size == 1 { 0 } else { size.div_ceil(2) };
    }
    found
}

/// Lists in which one item is a simpler one.
pub(super) fn with_one<T: Clone>(items: &[T], simpler: impl Fn(&T) -> Vec<T>) -> Vec<Vec<T>> {
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        for other in simpler(item) {
            let mut changed = items.to_vec();
            changed[at] = other;
            found.push(changed);
        }
    }
    found
}

/// Smaller numbers: zero and the next few, then halfway down.
pub(super) fn smaller(number: u64) -> Vec<u64> {
    let mut found: Vec<u64> = (0..8.min(number)).collect();
    let mut gap = number / 2;
    while gap > 0 {
        found.push(number - gap);
        gap /= 2;
    }
    found.retain(|other| *other < number);
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::test_runner::{Config, TestCaseError, TestError};

    /// What a property ends with that fails for these.
    fn smallest<T: Clone + PartialEq + fmt::Debug + 'static>(strategy: impl Strategy<Value = T>, fails: impl Fn(&T) -> bool) -> T {
        let config = Config { cases: 500, failure_persistence: None, ..Config::default() };
        let rng = proptest::test_runner::TestRng::deterministic_rng(config.rng_algorithm);
        let test = |value: T| if fails(&value) { Err(TestCaseError::fail("it fails")) } else { Ok(()) };
        match TestRunner::new_with_rng(config, rng).run(&strategy, test) {
            Err(TestError::Fail(_, value)) => value,
            other => panic!("nothing fails: {other:?}"),
        }
    }

    #[test]
    fn what_is_left_has_nothing_simpler_that_fails() {
        let lists = proptest::collection::vec(0u64..1000, 0..20);
        let strategy = Shrinking::new(lists, |list: &Vec<u64>| {
            let mut all = without_some(list);
            all.extend(with_one(list, |number| smaller(*number)));
            all
        });
        // Two at least, one of them at least 77: neither a part taken out nor one number alone is enough.
        let found = smallest(strategy.clone(), |list| list.len() >= 2 && list.iter().any(|number| *number >= 77));
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found.iter().sum::<u64>(), 77, "{found:?}");
        // Beside others in a tuple both become simple.
        let (one, other) = smallest((strategy.clone(), strategy), |(one, other)| one.len() + other.len() >= 3);
        assert_eq!((one.len() + other.len(), one.iter().chain(&other).sum::<u64>()), (3, 0));
    }

    #[test]
    fn smaller_numbers_are_smaller() {
        assert_eq!(smaller(0), [] as [u64; 0]);
        assert_eq!(smaller(3), [0, 1, 2]);
        assert_eq!(smaller(100), [0, 1, 2, 3, 4, 5, 6, 7, 50, 75, 88, 94, 97, 99]);
        assert_eq!(without_some(&[1, 2, 3]), [vec![], vec![3], vec![1, 2], vec![2, 3], vec![1, 3], vec![1, 2]]);
    }
}
