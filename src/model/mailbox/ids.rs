//! A set of payload ids: one bit each, in chunks that copies share until they change.

use std::sync::Arc;

use crate::base::PayloadId;

const WORDS: usize = 32;
const BITS: usize = WORDS * 64;

/// Which payloads were processed.
///
/// ```
/// use deadletter::base::PayloadId;
/// use deadletter::model::mailbox::ids::PayloadSet;
/// let mut processed = PayloadSet::default();
/// assert!(processed.insert(PayloadId(70_000)));
/// assert!(!processed.insert(PayloadId(70_000)));
/// assert!(processed.contains(PayloadId(70_000)) && !processed.contains(PayloadId(3)));
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PayloadSet {
    chunks: Vec<Option<Arc<[u64; WORDS]>>>,
}

impl PayloadSet {
    fn place(id: PayloadId) -> (usize, usize, u64) {
        (id.index() / BITS, id.index() % BITS / 64, 1 << (id.index() % 64))
    }

    /// Adds a payload; whether it is new.
    pub fn insert(&mut self, id: PayloadId) -> bool {
        let (chunk, word, bit) = PayloadSet::place(id);
        if self.chunks.len() <= chunk {
            self.chunks.resize(chunk + 1, None);
        }
        let words = Arc::make_mut(self.chunks[chunk].get_or_insert_with(|| Arc::new([0; WORDS])));
        let new = words[word] & bit == 0;
        words[word] |= bit;
        new
    }

    /// Whether a payload is in it.
    #[must_use]
    pub fn contains(&self, id: PayloadId) -> bool {
        let (chunk, word, bit) = PayloadSet::place(id);
        self.chunks.get(chunk).and_then(Option::as_ref).is_some_and(|words| words[word] & bit != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn is_a_set(ids in proptest::collection::vec(0u32..10_000, 0..200)) {
            let (mut set, mut twin) = (PayloadSet::default(), BTreeSet::new());
            for id in &ids {
                prop_assert_eq!(set.insert(PayloadId(*id)), twin.insert(*id));
            }
            for id in 0..10_000 {
                prop_assert_eq!(set.contains(PayloadId(id)), twin.contains(&id));
            }
        }
    }
}
