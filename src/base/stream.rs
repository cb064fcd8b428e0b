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

    /// Old verdicts rest on these words.
    #[test]
    fn streams_are_pinned() {
        let words = |mut words: Box<dyn FnMut() -> u64>| (0..3).map(|_| words()).collect::<Vec<_>>();
        let (mut large, mut small) = (Stream::named(7, "load", 1), SmallStream::named(7, "load", 1));
        let mut derived = SmallStream::from_word(7);
        assert_eq!(words(Box::new(move || large.word())), [0x5641_c217_4418_0310, 0xb0bb_8301_9dd4_84b3, 0xa6f4_d902_b3e3_f47c]);
        assert_eq!(words(Box::new(move || small.word())), [0x0b5b_43d9_1e78_93bd, 0xe0d5_6775_5674_94c3, 0x6f37_de68_9a85_a8d7]);
        assert_eq!(words(Box::new(move || derived.word())), [0x987d_1068_047e_2d5b, 0xa7e9_0825_8e30_9376, 0x290f_693b_6df6_b71d]);
        let mut items: Vec<u32> = (0..10).collect();
        Stream::named(1, "shuffle", 0).shuffle(&mut items);
        assert_eq!(items, [2, 3, 7, 0, 6, 8, 4, 5, 9, 1]);
    }

    /// Chi-square, less its mean and over its deviation, within 5.5 either way.
    fn assert_uniform(what: &str, bins: &[u64]) {
        let freedom = bins.len() as f64 - 1.0;
        let expected = bins.iter().sum::<u64>() as f64 / bins.len() as f64;
        let statistic: f64 = bins.iter().map(|count| (*count as f64 - expected) * (*count as f64 - expected) / expected).sum();
        let deviations = (statistic - freedom) / (2.0 * freedom).sqrt();
        assert!(deviations.abs() < 5.5, "{what}: {deviations} deviations from uniform");
    }

    /// Every byte of small streams with common and weak keys, pairs of words in a row, and neighbouring streams.
    #[test]
    fn small_streams_are_uniform_and_independent() {
        let keys = [0, 1, 2, u64::MAX, 1 << 63, 0xd6e8_feb8_6659_fd93, SmallStream::named(1, "node", 0).key];
        for key in keys {
            for byte in 0..8 {
                let (mut alone, mut in_a_row, mut neighbours) = ([0u64; 256], [0u64; 256], [0u64; 256]);
                let (mut one, mut next) = (SmallStream::from_word(key), SmallStream::from_word(key.wrapping_add(1)));
                let mut last = one.word() >> (byte * 8 + 4) & 15;
                let _ = next.word();
                for _ in 0..25_600 {
                    let (word, other) = (one.word() >> (byte * 8), next.word() >> (byte * 8 + 4) & 15);
                    let half = word >> 4 & 15;
                    alone[usize::try_from(word & 255).unwrap()] += 1;
                    in_a_row[usize::try_from(last << 4 | half).unwrap()] += 1;
                    neighbours[usize::try_from(half << 4 | other).unwrap()] += 1;
                    last = half;
                }
                assert_uniform(&format!("key {key:#x} byte {byte}"), &alone);
                assert_uniform(&format!("key {key:#x} byte {byte} in a row"), &in_a_row);
                assert_uniform(&format!("key {key:#x} byte {byte} beside its neighbour"), &neighbours);
            }
        }
    }

    /// Bounds that divide no power of two, one of them so large that a quarter of all words is rejected.
    #[test]
    fn bounded_numbers_are_uniform() {
        let mut words = SmallStream::named(3, "below", 0);
        for n in [3, 6, 10, 255, 3 << 62] {
            let bins = n.min(255);
            let mut counts = vec![0u64; usize::try_from(bins).unwrap()];
            for _ in 0..bins * 400 {
                let x = words.below(n);
                assert!(x < n);
                let bin = u128::from(x) * u128::from(bins) / u128::from(n);
                counts[usize::try_from(bin).unwrap()] += 1;
            }
            assert_uniform(&format!("below {n}"), &counts);
        }
        // Without rejection every third number would come twice as often as the others.
        let mut thirds = [0u64; 3];
        for _ in 0..30_000 {
            thirds[usize::try_from(words.below(3 << 62) % 3).unwrap()] += 1;
        }
        assert_uniform("thirds", &thirds);
        let (low, high) = (Span::nanos(5), Span::nanos(8));
        let mut counts = [0u64; 4];
        for _ in 0..4000 {
            counts[usize::try_from(words.span_between(low, high).as_nanos() - 5).unwrap()] += 1;
        }
        assert_uniform("spans, both ends included", &counts);
        assert_eq!(words.span_between(high, high), high);
    }

    #[test]
    fn every_order_is_as_likely() {
        let mut words = SmallStream::named(3, "orders", 0);
        let mut counts = [0u64; 120];
        for _ in 0..120 * 400 {
            let mut items = [0usize, 1, 2, 3, 4];
            words.shuffle(&mut items);
            let number = (0..5).fold(0, |sum, i| sum * (5 - i) + items[i + 1..].iter().filter(|later| **later < items[i]).count());
            counts[number] += 1;
        }
        assert_uniform("orders of five", &counts);
    }
}
