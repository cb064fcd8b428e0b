//! A wheel of buckets for the events of a large population that do not come next.
//!
//! A key lies at the level of the highest byte in which its time differs from the wheel's base, in the bucket of that byte's
//! value. So all of a lower level comes before all of a higher one, and within a level buckets come in order. Taking the
//! earliest bucket moves the base there; a bucket that is still large is spread over the levels below. The keys of all buckets
//! share one pool of chunks, so that no bucket holds on to memory it once needed.

use super::{byte_of, time_of};

/// Keys in a chunk: 512 bytes.
const CHUNK: usize = 32;
/// Bytes of a time.
const LEVELS: usize = 8;
/// A bucket with no more keys than this is sorted, not spread (measured: 64 costs a fifth at 16 k pending).
pub(super) const SMALL: usize = 512;
/// The end of a list of chunks.
const END: u32 = u32::MAX;

/// A list of chunks; only the last is not full.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    first: u32,
    last: u32,
    len: u32,
}

const EMPTY: Bucket = Bucket { first: END, last: END, len: 0 };

/// See the file's description.
#[derive(Clone, Debug)]
pub(super) struct Wheel {
    base: u64,
    buckets: Vec<Bucket>,
    /// One bit per bucket that holds keys.
    filled: [[u64; 4]; LEVELS],
    chunks: Vec<[u128; CHUNK]>,
    /// The chunk after each chunk, in its bucket or in the list of free ones.
    next: Vec<u32>,
    free: u32,
    used: usize,
}

impl Wheel {
    /// An empty wheel for times after `base`.
    pub(super) fn new(base: u64) -> Wheel {
        Wheel {
            base,
            buckets: vec![EMPTY; LEVELS * 256],
            filled: [[0; 4]; LEVELS],
            chunks: Vec::new(),
            next: Vec::new(),
            free: END,
            used: 0,
        }
    }

    /// The time that levels are relative to: no key is earlier.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    /// Moves the base forward within what was last taken, so that keys of that stretch may come back.
    pub(super) fn rebase(&mut self, base: u64) {
        assert!(base >= self.base, "a base moves forward");
        self.base = base;
    }

    /// Adds a key, whose time must not be before the base.
    #[inline]
    pub(super) fn push(&mut self, key: u128) {
        let time = time_of(key);
        debug_assert!(time >= self.base, "a key in the wheel is not before its base");
        let level = (63 - ((time ^ self.base) | 1).leading_zeros() as usize) / 8;
        let slot = byte_of(time, level);
        let bucket = &mut self.buckets[level * 256 + slot];
        let offset = bucket.len as usize % CHUNK;
        bucket.len += 1;
        if offset == 0 {
            let chunk = if self.free == END {
                self.chunks.push([0; CHUNK]);
                self.next.push(END);
                u32::try_from(self.chunks.len() - 1).expect("fewer chunks than slots")
            } else {
                let chunk = self.free;
                self.free = self.next[chunk as usize];
                self.next[chunk as usize] = END;
                chunk
            };
            self.used += 1;
            if bucket.len == 1 {
                bucket.first = chunk;
                self.filled[level][slot / 64] |= 1 << (slot % 64);
            } else {
                self.next[bucket.last as usize] = chunk;
            }
            bucket.last = chunk;
        }
        self.chunks[bucket.last as usize][offset] = key;
    }

    /// Moves the keys of the earliest stretch of time that holds any into `out`, in no order, and returns the last moment of
    /// that stretch; `None` when the wheel is empty.
    pub(super) fn take_earliest(&mut self, out: &mut Vec<u128>) -> Option<u64> {
        loop {
            let (level, slot) = self.earliest()?;
            let bucket = std::mem::replace(&mut self.buckets[level * 256 + slot], EMPTY);
            self.filled[level][slot / 64] &= !(1 << (slot % 64));
            let shift = level * 8;
            let above = if level == LEVELS - 1 { 0 } else { self.base >> (shift + 8) << (shift + 8) };
            self.base = above | (slot as u64) << shift;
            let small = level == 0 || bucket.len as usize <= SMALL;
            self.empty_into(bucket, |wheel, keys| {
                if small {
                    out.extend_from_slice(keys);
                } else {
                    keys.iter().for_each(|key| wheel.push(*key));
                }
            });
            if small {
                return Some(self.base | ((1 << shift) - 1));
            }
        }
    }

    /// All keys, in no order.
    pub(super) fn keys(&self) -> impl Iterator<Item = u128> + '_ {
        self.buckets.iter().flat_map(|bucket| {
            let chunks = std::iter::successors((bucket.len > 0).then_some(bucket.first), |chunk| {
                let next = self.next[*chunk as usize];
                (next != END).then_some(next)
            });
            chunks.flat_map(|chunk| self.chunks[chunk as usize]).take(bucket.len as usize)
        })
    }

    /// Drops the keys that are not wanted and returns how many they were. Memory fits the rest afterwards.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(u128) -> bool) -> usize {
        let mut fresh = Wheel::new(self.base);
        let mut dropped = 0;
        for key in self.keys() {
            if wanted(key) {
                fresh.push(key);
            } else {
                dropped += 1;
            }
        }
        *self = fresh;
        dropped
    }

    /// Whether most of the pool lies idle.
    pub(super) fn is_wasteful(&self) -> bool {
        self.chunks.len() > 4 * self.used + 256
    }

    /// Keys that fit into the memory held.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.chunks.capacity() * CHUNK
    }

    /// Hands a bucket's chunks to `each`, freeing every one before, so that they can be used again meanwhile.
    #[inline]
    fn empty_into(&mut self, bucket: Bucket, mut each: impl FnMut(&mut Wheel, &[u128])) {
        let (mut chunk, mut left) = (bucket.first, bucket.len as usize);
        while left > 0 {
            let keys = self.chunks[chunk as usize];
            let next = std::mem::replace(&mut self.next[chunk as usize], self.free);
            self.free = chunk;
            self.used -= 1;
            let count = left.min(CHUNK);
            each(self, &keys[..count]);
            left -= count;
            chunk = next;
        }
    }

    /// The level and number of the earliest bucket that holds keys.
    fn earliest(&self) -> Option<(usize, usize)> {
        for (level, filled) in self.filled.iter().enumerate() {
            for (word, bits) in filled.iter().enumerate() {
                if *bits != 0 {
                    return Some((level, word * 64 + bits.trailing_zeros() as usize));
                }
            }
        }
        None
    }
}
