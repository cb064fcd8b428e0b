//! Ready-made contents of disks: a set of records, and two stores on one disk.

use std::collections::BTreeSet;

use super::Contents;

/// What a record of a set takes up, whatever it is: a key and its framing.
const RECORD_BYTES: u64 = 16;

/// A store that keeps a set of records, each whole or not at all: it has a log of its own, so half a write is none, and no
/// body that could be damaged without notice. Every record takes 16 bytes, also one that is there already.
///
/// ```
/// use std::collections::BTreeSet;
/// use deadletter::parts::disk::Contents;
/// let mut seen: BTreeSet<u32> = BTreeSet::new();
/// seen.apply(7);
/// seen.apply(7);
/// assert_eq!((seen.len(), BTreeSet::<u32>::torn(&7, 1)), (1, None));
/// ```
impl<T: Clone + Ord> Contents for BTreeSet<T> {
    type Write = T;

    fn apply(&mut self, write: T) {
        self.insert(write);
    }
    fn torn(_: &T, _: u64) -> Option<T> {
        None
    }
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(_: &T) -> u64 {
        RECORD_BYTES
    }
    fn frees(_: &T) -> u64 {
        0
    }
}

/// A write to one of two stores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Either<A, B> {
    /// To the first.
    First(A),
    /// To the second.
    Second(B),
}

/// Two stores on one disk, as two roles on one node have them. A flipped bit hits either, or the one that has something to damage.
///
/// ```
/// use std::collections::BTreeSet;
/// use deadletter::parts::disk::{Contents, Either};
/// let mut disk: (BTreeSet<u32>, BTreeSet<char>) = Default::default();
/// disk.apply(Either::First(7));
/// disk.apply(Either::Second('x'));
/// assert_eq!(disk, ([7].into(), ['x'].into()));
/// ```
impl<A: Contents, B: Contents> Contents for (A, B) {
    type Write = Either<A::Write, B::Write>;

    fn apply(&mut self, write: Self::Write) {
        match write {
            Either::First(write) => self.0.apply(write),
            Either::Second(write) => self.1.apply(write),
        }
    }
    fn torn(write: &Self::Write, word: u64) -> Option<Self::Write> {
        match write {
            Either::First(write) => A::torn(write, word).map(Either::First),
            Either::Second(write) => B::torn(write, word).map(Either::Second),
        }
    }
    fn flip(&mut self, word: u64) -> bool {
        // The lowest bit chooses the store, the others the place in it.
        let (first, place) = (word & 1 == 0, word >> 1);
        (first && self.0.flip(place)) || self.1.flip(place) || (!first && self.0.flip(place))
    }
    fn bytes(write: &Self::Write) -> u64 {
        match write {
            Either::First(write) => A::bytes(write),
            Either::Second(write) => B::bytes(write),
        }
    }
    fn frees(write: &Self::Write) -> u64 {
        match write {
            Either::First(write) => A::frees(write),
            Either::Second(write) => B::frees(write),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte that can be torn, damaged and freed.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Byte(u8);

    impl Contents for Byte {
        type Write = u8;
        fn apply(&mut self, write: u8) {
            self.0 = write;
        }
        fn torn(write: &u8, _: u64) -> Option<u8> {
            Some(write & 0x0f)
        }
        fn flip(&mut self, word: u64) -> bool {
            self.0 ^= u8::try_from(word & 0xff).expect("a byte");
            self.0 > 0
        }
        fn bytes(_: &u8) -> u64 {
            1
        }
        fn frees(_: &u8) -> u64 {
            1
        }
    }

    #[test]
    fn each_store_keeps_its_own_ways() {
        type Both = (BTreeSet<u32>, Byte);
        let (first, second) = (Either::First(7), Either::Second(0xff));
        assert_eq!((Both::bytes(&first), Both::frees(&first), Both::torn(&first, 3)), (16, 0, None));
        assert_eq!((Both::bytes(&second), Both::frees(&second), Both::torn(&second, 3)), (1, 1, Some(Either::Second(0x0f))));
        let mut disk = Both::default();
        assert!(!disk.flip(0), "nothing is held that could be damaged");
        disk.apply(first);
        disk.apply(second);
        assert_eq!(disk, ([7].into(), Byte(0xff)));
    }

    #[test]
    fn a_flipped_bit_finds_what_can_be_damaged() {
        let mut right = (BTreeSet::from([7]), Byte(1));
        assert!(right.flip(0b100) && right.1 == Byte(0b11), "the first store cannot be damaged, so the second is");
        let mut both = (Byte(1), Byte(1));
        assert!(both.flip(0b100) && both == (Byte(0b11), Byte(1)));
        assert!(both.flip(0b101) && both == (Byte(0b11), Byte(0b11)));
    }
}
