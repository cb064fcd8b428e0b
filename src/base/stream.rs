//! Sources of random words: sequential streams with names, and a small one that is cheap to clone.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::digest::folded;
use super::{Chance, Span};

/// Where random words come from. Everything drawn is built on raw words, so no library can change a bit of it.
pub trait Words {
    /// The next 64 random bits.
    fn word(&mut self) -> u64;

    /// A number below `n`, without bias (Lemire's method); zero when `n` is zero or one.
    fn below(&mut self, n: u64) -> u64 {
        if n <= 1 {
            return 0;
        }
        loop {
            let wide = u128::from(self.word()) * u128::from(n);
            #[expect(clippy::cast_possible_truncation, reason = "the low half decides rejection")]
            let low = wide as u64;
            // The exact bound of rejection lies below `n`; the division that finds it is needed once in 2^64 / n draws.
            if low >= n || low >= n.wrapping_neg() % n {
                return u64::try_from(wide >> 64).expect("below n");
            }
        }
    }

    /// Whether a chance comes true. Always one word, so that a rate changed to zero moves nothing else.
    fn hits(&mut self, chance: Chance) -> bool {
        chance.hits(self.word())
    }

    /// A span from `low` to `high`, both included, uniformly.
    fn span_between(&mut self, low: Span, high: Span) -> Span {
        let width = high.saturating_sub(low).as_nanos();
        low + Span::nanos(if width == u64::MAX { self.word() } else { self.below(width + 1) })
    }

    /// Puts a slice into random order (Fisher–Yates, from the back).
    fn shuffle<T>(&mut self, items: &mut [T])
    where
        Self: Sized,
    {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).expect("an index");
            items.swap(last, other);
        }
    }
}

/// The 32-byte key that belongs to a label under a seed: ChaCha8 over both, never the raw seed.
fn key(seed: u64, label: &str, index: u64) -> ChaCha8Rng {
    let mut bytes = [0u8; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&xxhash_rust::xxh3::xxh3_64(label.as_bytes()).to_le_bytes());
    bytes[16..24].copy_from_slice(&index.to_le_bytes());
    bytes[24..].copy_from_slice(b"deadletr");
    ChaCha8Rng::from_seed(bytes)
}

/// A named sequential stream (ChaCha8), for the load and each fault process.
///
/// ```
/// use deadletter::base::{Stream, Words};
/// let mut a = Stream::named(7, "load", 0);
/// let mut b = Stream::named(7, "load", 1);
/// assert_ne!(a.word(), b.word());
/// assert_eq!(Stream::named(7, "load", 0).word(), Stream::named(7, "load", 0).word());
/// ```
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream called `label`, number `index`, under a seed.
    #[must_use]
    pub fn named(seed: u64, label: &str, index: u64) -> Stream {
        Stream(key(seed, label, index))
    }
}

impl Words for Stream {
    fn word(&mut self) -> u64 {
        self.0.next_u64()
    }
}

/// A stream of 16 bytes for what belongs to one node or link: a keyed counter, cheap to clone with every fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmallStream {
    key: u64,
    count: u64,
}

impl SmallStream {
    /// The small stream called `label`, number `index`, under a seed.
    #[must_use]
    pub fn named(seed: u64, label: &str, index: u64) -> SmallStream {
        SmallStream { key: key(seed, label, index).next_u64(), count: 0 }
    }

    /// A small stream that starts from words drawn elsewhere (a lane of a keyed decision).
    #[must_use]
    pub const fn from_word(key: u64) -> SmallStream {
        SmallStream { key, count: 0 }
    }
}

impl Words for SmallStream {
    #[inline]
    fn word(&mut self) -> u64 {
        self.count += 1;
        finish(folded(self.key ^ self.count.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0xd6e8_feb8_6659_fd93) ^ self.key)
    }
}

/// An xor-shift-multiply finisher: every input bit reaches every output bit.
#[inline]
#[must_use]
pub(crate) const fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cipher_words_are_the_published_ones() {
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        let words: Vec<u64> = (0..4).map(|_| rng.next_u64()).collect();
        assert_eq!(words, [0xae90_bfb5_395d_5ba1, 0xf345_3fc6_2579_9188, 0x6d71_b708_c5b6_538c, 0xa09a_b2f9_5816_6752]);
    }

    #[test]
    fn shuffles_are_pinned() {
        let mut items: Vec<u32> = (0..10).collect();
        Stream::named(1, "shuffle", 0).shuffle(&mut items);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        let mut again: Vec<u32> = (0..10).collect();
        Stream::named(1, "shuffle", 0).shuffle(&mut again);
        assert_eq!(items, again);
    }
}
