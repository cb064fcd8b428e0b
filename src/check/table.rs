//! A small deterministic hash table for what is outstanding: integer keys, fixed hash, iteration in order of keys.

const FREE: u64 = u64::MAX;
const FIRST: usize = 16;

/// A map from integers below 2⁶⁴ − 1. Open addressing with linear probing; removing shifts back, so nothing rots.
#[derive(Clone, Debug)]
pub(super) struct Table<V> {
    keys: Vec<u64>,
    values: Vec<V>,
    len: usize,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Table { keys: Vec::new(), values: Vec::new(), len: 0 }
    }
}

impl<V: Clone + Default> Table<V> {
    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where a key should be: the high half of a product spreads dense ids well.
    #[inline]
    fn home(&self, key: u64) -> usize {
        let mask = self.keys.len() - 1;
        let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        usize::try_from(spread).expect("32 bits") & mask
    }

    #[inline]
    fn find(&self, key: u64) -> Option<usize> {
        if self.keys.is_empty() {
            return None;
        }
        let mask = self.keys.len() - 1;
        let mut at = self.home(key);
        loop {
            if self.keys[at] == key {
                return Some(at);
            }
            if self.keys[at] == FREE {
                return None;
            }
            at = (at + 1) & mask;
        }
    }

    /// The value of a key.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<&V> {
        self.find(key).map(|at| &self.values[at])
    }

    /// The value of a key, to change.
    #[inline]
    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.find(key).map(|at| &mut self.values[at])
    }

    /// The value of a key; a default one is put there when there is none.
    pub(super) fn entry(&mut self, key: u64) -> &mut V {
        assert!(key != FREE, "the largest integer marks a free place");
        if (self.len + 1) * 4 > self.keys.len() * 3 {
            self.resize((self.keys.len() * 2).max(FIRST));
        }
        let mask = self.keys.len() - 1;
        let mut at = self.home(key);
        while self.keys[at] != key {
            if self.keys[at] == FREE {
                self.keys[at] = key;
                self.len += 1;
                break;
            }
            at = (at + 1) & mask;
        }
        &mut self.values[at]
    }

    /// Puts a value in, over the old one.
    #[inline]
    pub(super) fn insert(&mut self, key: u64, value: V) {
        *self.entry(key) = value;
    }

    /// Takes a key out.
    pub(super) fn remove(&mut self, key: u64) -> Option<V> {
        let at = self.find(key)?;
        let taken = std::mem::take(&mut self.values[at]);
        let mask = self.keys.len() - 1;
        let (mut hole, mut next) = (at, (at + 1) & mask);
        while self.keys[next] != FREE {
            let home = self.home(self.keys[next]);
            // The entry may move into the hole unless its home lies cyclically between the two.
            if (next.wrapping_sub(home) & mask) >= (next.wrapping_sub(hole) & mask) {
                self.keys[hole] = self.keys[next];
                self.values.swap(hole, next);
                hole = next;
            }
            next = (next + 1) & mask;
        }
        self.keys[hole] = FREE;
        self.len -= 1;
        if self.keys.len() > FIRST && self.len * 8 < self.keys.len() {
            self.resize(self.keys.len() / 2);
        }
        Some(taken)
    }

    /// Keeps only the keys that are wanted.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(u64, &V) -> bool) {
        let mut kept = Vec::new();
        for (key, value) in self.keys.iter().zip(&mut self.values) {
            if *key != FREE && wanted(*key, value) {
                kept.push((*key, std::mem::take(value)));
            }
        }
        let places = (kept.len() * 2).next_power_of_two().max(FIRST);
        *self = Table { keys: vec![FREE; places], values: vec![V::default(); places], len: 0 };
        for (key, value) in kept {
            self.insert(key, value);
        }
    }

    /// Everything, in order of key.
    pub(super) fn sorted(&self) -> Vec<(u64, &V)> {
        let mut all: Vec<_> = self.unordered().collect();
        all.sort_unstable_by_key(|(k, _)| *k);
        all
    }

    /// Everything, in an order that means nothing: only for what does not depend on order.
    pub(super) fn unordered(&self) -> impl Iterator<Item = (u64, &V)> {
        self.keys.iter().copied().zip(&self.values).filter(|(k, _)| *k != FREE)
    }

    fn resize(&mut self, places: usize) {
        let keys = std::mem::replace(&mut self.keys, vec![FREE; places]);
        let values = std::mem::replace(&mut self.values, vec![V::default(); places]);
        self.len = 0;
        for (key, value) in keys.into_iter().zip(values) {
            if key != FREE {
                self.insert(key, value);
            }
        }
    }

    /// Bytes on the heap, not counting what values point to.
    pub(super) fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<u64>() + self.values.capacity() * size_of::<V>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_like_a_map(steps in prop::collection::vec((0u64..60, 0u8..4, any::<u32>()), 0..400)) {
            let (mut table, mut twin) = (Table::default(), BTreeMap::new());
            for (key, what, value) in steps {
                // Far-apart keys with equal low halves collide on purpose.
                let key = if key < 30 { key } else { key << 40 };
                match what {
                    0 | 1 => {
                        table.insert(key, value);
                        twin.insert(key, value);
                    }
                    2 => prop_assert_eq!(table.remove(key), twin.remove(&key)),
                    _ => {
                        table.retain(|k, v| (k + u64::from(*v)) % 5 != 0);
                        twin.retain(|k, v| !(*k + u64::from(*v)).is_multiple_of(5));
                    }
                }
                prop_assert_eq!(table.get(key), twin.get(&key));
            }
            prop_assert_eq!(table.len(), twin.len());
            let all: Vec<_> = table.sorted().into_iter().map(|(k, v)| (k, *v)).collect();
            prop_assert_eq!(all, twin.into_iter().collect::<Vec<_>>());
        }
    }
}
