//! One bit for each message, growing by chunks that clones share until they differ.

use std::sync::Arc;

/// Words in a chunk: 64 × 64 = 4096 bits, half a kilobyte.
const WORDS: usize = 64;
const BITS: usize = WORDS * 64;

type Chunk = [u64; WORDS];

/// A set of dense ids. A range of 4096 ids costs 8 bytes until one of them is in the set, then 536.
#[derive(Clone, Debug, Default)]
pub(super) struct Plane {
    chunks: Vec<Option<Arc<Chunk>>>,
    count: u64,
}

impl Plane {
    /// Whether an id is in the set.
    #[inline]
    pub(super) fn has(&self, id: u32) -> bool {
        let at = id as usize;
        match self.chunks.get(at / BITS) {
            Some(Some(chunk)) => chunk[at % BITS / 64] >> (at % 64) & 1 == 1,
            Some(None) | None => false,
        }
    }

    /// Puts an id into the set. Whether it was new.
    #[inline]
    pub(super) fn insert(&mut self, id: u32) -> bool {
        let at = id as usize;
        if at / BITS >= self.chunks.len() {
            self.chunks.resize(at / BITS + 1, None);
        }
        let chunk = self.chunks[at / BITS].get_or_insert_with(|| Arc::new([0; WORDS]));
        let bit = 1 << (at % 64);
        if chunk[at % BITS / 64] & bit != 0 {
            return false;
        }
        Arc::make_mut(chunk)[at % BITS / 64] |= bit;
        self.count += 1;
        true
    }

    /// Takes an id out of the set. Whether it was there.
    pub(super) fn remove(&mut self, id: u32) -> bool {
        if !self.has(id) {
            return false;
        }
        let at = id as usize;
        let chunk = self.chunks[at / BITS].as_mut().expect("it holds the id");
        Arc::make_mut(chunk)[at % BITS / 64] &= !(1 << (at % 64));
        self.count -= 1;
        true
    }

    /// How many ids are in the set.
    pub(super) fn len(&self) -> u64 {
        self.count
    }

    /// The bits of 64 ids, from `64 * index` on.
    #[inline]
    pub(super) fn word(&self, index: usize) -> u64 {
        match self.chunks.get(index / WORDS) {
            Some(Some(chunk)) => chunk[index % WORDS],
            Some(None) | None => 0,
        }
    }

    /// How many words there are to look at.
    pub(super) fn words(&self) -> usize {
        self.chunks.len() * WORDS
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        let chunks = self.chunks.iter().flatten().count();
        self.chunks.capacity() * size_of::<Option<Arc<Chunk>>>() + chunks * (size_of::<Chunk>() + 16)
    }
}

/// The ids whose bits are set in a word.
pub(super) fn members(index: usize, mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros() as usize;
        word &= word - 1;
        Some(u32::try_from(index * 64 + bit).expect("ids have 32 bits"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn behaves_like_a_set(steps in prop::collection::vec((0u32..20_000, any::<bool>()), 0..200)) {
            let (mut plane, mut twin) = (Plane::default(), BTreeSet::new());
            let mut fork = None;
            for (i, (id, put)) in steps.iter().enumerate() {
                let id = *id;
                if i == 100 {
                    fork = Some((plane.clone(), twin.clone()));
                }
                if *put {
                    prop_assert_eq!(plane.insert(id), twin.insert(id));
                } else {
                    prop_assert_eq!(plane.remove(id), twin.remove(&id));
                }
            }
            for (plane, twin) in fork.into_iter().chain([(plane, twin)]) {
                prop_assert_eq!(plane.len(), twin.len() as u64);
                let all: Vec<_> = (0..plane.words()).flat_map(|i| members(i, plane.word(i))).collect();
                prop_assert_eq!(all, twin.into_iter().collect::<Vec<_>>());
            }
        }
    }
}
