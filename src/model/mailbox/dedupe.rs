//! The broker's memory of what it has taken in: a window of idempotence keys, bounded in time or number.

use std::collections::{BTreeMap, VecDeque};

use super::config::Window;
use super::disk::IdempotenceKey;

/// In how many steps a window of time passes: a key is remembered for at least the window and at most 1.5 times as long.
pub const STEPS: u64 = 2;

/// Keys, oldest first, each with what the broker noted of it.
///
/// ```
/// use deadletter::base::{NodeId, PayloadId};
/// use deadletter::model::mailbox::config::Window;
/// use deadletter::model::mailbox::dedupe::Remembered;
/// let mut known = Remembered::new(Window { span: None, count: Some(2) });
/// for n in 0..3 {
///     known.insert((NodeId(1), PayloadId(n)), u64::from(n));
/// }
/// assert_eq!(known.find((NodeId(1), PayloadId(2))), Some(2));
/// assert_eq!(known.find((NodeId(1), PayloadId(0))), None); // only the last two are remembered
/// ```
#[derive(Clone, Debug)]
pub struct Remembered {
    window: Window,
    /// With the ticket of the record that stored the message.
    tickets: BTreeMap<IdempotenceKey, u64>,
    /// By age, with the number of each and the step of time in which it came.
    order: VecDeque<(u64, IdempotenceKey, u64)>,
    next: u64,
    step: u64,
}

impl Remembered {
    /// Remembers nothing yet.
    #[must_use]
    pub const fn new(window: Window) -> Remembered {
        Remembered { window, tickets: BTreeMap::new(), order: VecDeque::new(), next: 0, step: 0 }
    }

    /// The number that the next key gets.
    #[must_use]
    pub const fn next_number(&self) -> u64 {
        self.next
    }

    /// Takes up a key that a disk had kept. In order of numbers.
    pub fn restore(&mut self, number: u64, key: IdempotenceKey, ticket: u64) {
        self.next = self.next.max(number + 1);
        self.tickets.insert(key, ticket);
        self.order.push_back((number, key, self.step));
    }

    /// Numbers below this were used.
    pub fn skip_to(&mut self, number: u64) {
        self.next = self.next.max(number);
    }

    /// The ticket noted for a key, if it is remembered.
    #[must_use]
    pub fn find(&self, key: IdempotenceKey) -> Option<u64> {
        self.tickets.get(&key).copied()
    }

    /// Remembers a key. Gives the number below which keys were forgotten for it, if any were.
    pub fn insert(&mut self, key: IdempotenceKey, ticket: u64) -> Option<u64> {
        self.tickets.insert(key, ticket);
        self.order.push_back((self.next, key, self.step));
        self.next += 1;
        let most = self.window.count.map_or(usize::MAX, |count| count as usize);
        self.forget_while(|known, _| known > most)
    }

    /// A step of the window has passed. Gives the number below which keys were forgotten, if any were.
    pub fn pass(&mut self) -> Option<u64> {
        self.step += 1;
        let step = self.step;
        self.forget_while(|_, came| came + STEPS < step)
    }

    /// All keys with their numbers, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, IdempotenceKey)> + '_ {
        self.order.iter().map(|(number, key, _)| (*number, *key))
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn forget_while(&mut self, too_old: impl Fn(usize, u64) -> bool) -> Option<u64> {
        let mut before = None;
        while let Some((number, key, came)) = self.order.front().copied() {
            if !too_old(self.order.len(), came) {
                break;
            }
            self.order.pop_front();
            self.tickets.remove(&key);
            before = Some(number + 1);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{NodeId, PayloadId, Span};

    #[test]
    fn a_key_is_remembered_for_the_window_at_least_and_half_more_at_most() {
        let mut known = Remembered::new(Window { span: Some(Span::secs(10)), count: None });
        let key = (NodeId(1), PayloadId(1));
        known.pass();
        known.insert(key, 9);
        // Two whole steps of half a window each must pass; the third forgets.
        assert_eq!((known.pass(), known.pass()), (None, None));
        assert_eq!(known.find(key), Some(9));
        assert_eq!(known.pass(), Some(1));
        assert!(known.is_empty());
    }

    #[test]
    fn numbers_go_on_after_a_restart() {
        let mut known = Remembered::new(Window { span: None, count: Some(10) });
        known.restore(4, (NodeId(1), PayloadId(4)), 1);
        known.skip_to(7);
        assert_eq!((known.next_number(), known.len()), (7, 1));
        assert_eq!(known.find((NodeId(1), PayloadId(4))), Some(1));
    }
}
