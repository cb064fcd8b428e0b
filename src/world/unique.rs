//! In debug builds: the names of the latest transmissions, to catch two messages that share one.

use std::collections::{BTreeSet, VecDeque};

/// How many names are remembered.
const REMEMBERED: usize = 1 << 14;

/// The hashes of the latest tags.
#[derive(Clone, Debug, Default)]
pub(super) struct RecentTags {
    order: VecDeque<u64>,
    known: BTreeSet<u64>,
}

impl RecentTags {
    /// Remembers a hash; false when it is known.
    pub(super) fn note(&mut self, hash: u64) -> bool {
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > REMEMBERED {
            let oldest = self.order.pop_front().expect("not empty");
            self.known.remove(&oldest);
        }
        true
    }
}
