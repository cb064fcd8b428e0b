//! A four-way heap of packed keys, for the events that come next.
//!
//! The four children of a key lie in one group of 64 bytes, which is one line of the processor's cache. Places without a key
//! hold [`NONE`], which is later than every key, so that the earliest of four is found without asking how many there are.

use std::hint::select_unpredictable;

/// Not a key: later than every key.
pub(super) const NONE: u128 = u128::MAX;

/// Four keys in one cache line.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Group([u128; 4]);

/// The heap. The root is place 3 (the last of group 0); the children of place `i` are group `i - 2`.
///
/// Taking the root leaves a hole there. The next push fills it in one descent, where filling it with the last key at once
/// and then pushing would take a descent and an ascent.
#[derive(Clone, Debug)]
pub(super) struct Heap {
    groups: Vec<Group>,
    /// Keys, the hole included.
    len: usize,
    hole: bool,
}

const ROOT: usize = 3;

impl Heap {
    /// A heap without keys.
    pub(super) const fn new() -> Heap {
        Heap { groups: Vec::new(), len: 0, hole: false }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.len - usize::from(self.hole)
    }

    /// Adds a key.
    #[inline]
    pub(super) fn push(&mut self, key: u128) {
        if self.hole {
            self.hole = false;
            self.settle_down(key);
            return;
        }
        let place = self.len + ROOT;
        self.len += 1;
        if place >> 2 >= self.groups.len() {
            self.groups.push(Group([NONE; 4]));
        }
        self.settle_up(place, key);
    }

    /// The earliest key, or [`NONE`].
    #[inline]
    pub(super) fn earliest(&mut self) -> u128 {
        if self.hole {
            self.fill();
        }
        self.groups.first().map_or(NONE, |group| group.0[ROOT])
    }

    /// Removes the earliest key, which must exist.
    #[inline]
    pub(super) fn remove_earliest(&mut self) {
        if self.hole {
            self.fill();
        }
        assert!(self.len > 0, "there is an earliest key");
        self.groups[0].0[ROOT] = NONE;
        self.hole = true;
    }

    /// All keys, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u128> + '_ {
        self.groups.iter().flat_map(|group| group.0).filter(|key| *key != NONE)
    }

    /// Drops the keys that are not wanted and returns how many they were.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(u128) -> bool) -> usize {
        if self.hole {
            self.fill();
        }
        let before = self.len;
        let mut put = ROOT;
        for place in ROOT..self.len + ROOT {
            // Written either way: a branch would be guessed wrong half the time.
            let key = self.groups[place >> 2].0[place & 3];
            self.groups[put >> 2].0[put & 3] = key;
            put += usize::from(wanted(key));
        }
        self.len = put - ROOT;
        self.groups.truncate(if self.len == 0 { 0 } else { (put - 1) / 4 + 1 });
        for rest in put..self.groups.len() * 4 {
            self.groups[rest >> 2].0[rest & 3] = NONE;
        }
        self.restore_order();
        before - self.len
    }

    /// Removes all keys and returns them, in no order.
    pub(super) fn take(&mut self) -> Vec<u128> {
        let keys = self.keys().collect();
        *self = Heap::new();
        keys
    }

    /// Gives memory back that is not needed for the present keys.
    pub(super) fn shrink(&mut self) {
        self.groups.shrink_to(self.groups.len().max(64));
    }

    /// Builds the order from the bottom up (Floyd).
    fn restore_order(&mut self) {
        for group in (1..self.groups.len()).rev() {
            let parent = group + 2;
            let key = self.groups[parent >> 2].0[parent & 3];
            self.descend(parent, key);
        }
    }

    /// Puts a key into the empty root and lets it sink.
    #[inline]
    fn settle_down(&mut self, key: u128) {
        self.descend(ROOT, key);
    }

    /// Puts `key` where it belongs at or below `place`, whose own key is overwritten.
    #[inline]
    fn descend(&mut self, mut place: usize, key: u128) {
        while let Some(group) = self.groups.get(place - 2) {
            let (child, least) = earliest_of(&group.0);
            if least >= key {
                break;
            }
            self.groups[place >> 2].0[place & 3] = least;
            place = (place - 2) * 4 + child;
        }
        self.groups[place >> 2].0[place & 3] = key;
    }

    /// Puts `key` where it belongs at or above `place`.
    #[inline]
    fn settle_up(&mut self, mut place: usize, key: u128) {
        while place > ROOT {
            let parent = (place >> 2) + 2;
            let above = self.groups[parent >> 2].0[parent & 3];
            if above <= key {
                break;
            }
            self.groups[place >> 2].0[place & 3] = above;
            place = parent;
        }
        self.groups[place >> 2].0[place & 3] = key;
    }

    /// Fills the hole at the root: it sinks to a leaf along the earliest children, and the last key rises from there.
    fn fill(&mut self) {
        self.hole = false;
        self.len -= 1;
        let last = self.len + ROOT;
        let key = std::mem::replace(&mut self.groups[last >> 2].0[last & 3], NONE);
        if last & 3 == 0 {
            self.groups.pop();
        }
        if last == ROOT {
            return;
        }
        let mut place = ROOT;
        while let Some(group) = self.groups.get(place - 2) {
            let (child, least) = earliest_of(&group.0);
            if least == NONE {
                break;
            }
            self.groups[place >> 2].0[place & 3] = least;
            place = (place - 2) * 4 + child;
        }
        self.settle_up(place, key);
    }
}

/// Which of four keys is the earliest, and the key.
#[inline]
fn earliest_of(keys: &[u128; 4]) -> (usize, u128) {
    // Which child is earlier is a matter of chance: a branch would be guessed wrong half the time.
    let (b, d) = (keys[1] < keys[0], keys[3] < keys[2]);
    let left = select_unpredictable(b, keys[1], keys[0]);
    let right = select_unpredictable(d, keys[3], keys[2]);
    let is_right = right < left;
    let place = select_unpredictable(is_right, 2 | usize::from(d), usize::from(b));
    (place, select_unpredictable(is_right, right, left))
}
