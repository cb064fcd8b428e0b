//! The curves behind loads, turned into integers at once: exponential gaps, the daily wave, and weighted choice. Only here does
//! a load touch floating point, through explicit `libm` calls.

use crate::base::Words;

/// A draw of the exponential distribution of mean one, in steps of 2⁻³², from one word. At most 37.
#[must_use]
#[expect(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "the logarithm is libm's, rounded to an integer at once; 53 bits and 38 bits fit"
)]
pub(super) fn exponential(word: u64) -> u64 {
    let uniform = ((word >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
    libm::round(-libm::log(uniform) * (1u64 << 32) as f64) as u64
}

/// One, for [`Wave::at`].
pub(super) const ONE: i64 = 1 << 32;

/// How many pieces the wave is made of: linear between them it is right to 5 millionths.
const PIECES: u32 = 1024;

/// A cosine as a table.
#[derive(Clone, Debug)]
pub(super) struct Wave(Box<[i64]>);

impl Wave {
    /// The table.
    #[must_use]
    #[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "the cosine is libm's, rounded to an integer at once")]
    pub(super) fn new() -> Wave {
        let value = |piece: u32| libm::cos(f64::from(piece) * core::f64::consts::TAU / f64::from(PIECES)) * 4_294_967_296.0;
        Wave((0..=PIECES).map(|piece| libm::round(value(piece)) as i64).collect())
    }

    /// The cosine after a part of a turn, in steps of 2⁻³² both: from `-ONE` to `ONE`.
    #[must_use]
    pub(super) fn at(&self, turn: u32) -> i64 {
        const WIDTH: u32 = u32::MAX / PIECES + 1;
        let piece = (turn / WIDTH) as usize;
        let (low, high) = (self.0[piece], self.0[piece + 1]);
        low + (high - low) * i64::from(turn % WIDTH) / i64::from(WIDTH)
    }
}

/// Weights in proportion to `n^-exponent`, n from one, the first 2⁵².
#[must_use]
#[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, reason = "the power is libm's, rounded to an integer at once")]
pub(super) fn zipf(count: u32, exponent_milli: u32) -> Vec<u64> {
    let exponent = f64::from(exponent_milli) / 1000.0;
    (1..=count).map(|n| libm::round(libm::pow(f64::from(n), -exponent) * 4_503_599_627_370_496.0) as u64).collect()
}

/// Choice among many by weight in constant time (Walker's alias method, built as Vose does), in integers: shares are exact to 2⁻⁴⁸.
#[derive(Clone, Debug)]
pub(super) struct Alias(Box<[(u64, u32)]>); // for each column: how much of it is its own, in steps of 2^-48, and whose the rest is

impl Alias {
    const WHOLE: u64 = 1 << 48;

    /// A table for these weights.
    ///
    /// # Panics
    /// When no weight is above zero, a weight is above 2⁵², or there are 2²⁵ or more.
    #[must_use]
    pub(super) fn new(weights: &[u64]) -> Alias {
        assert!(weights.len() < 1 << 25 && weights.iter().all(|weight| *weight <= 1 << 52), "the sums fit");
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        assert!(total > 0, "something can be chosen");
        let count = weights.len() as u128;
        // What each has, where a column takes `total`.
        let mut has: Vec<u128> = weights.iter().map(|weight| u128::from(*weight) * count).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) = (0..has.len()).partition(|n| has[*n] < total);
        let mut columns: Vec<(u64, u32)> = (0u32..).take(has.len()).map(|n| (Alias::WHOLE, n)).collect();
        while let (Some(small), Some(large)) = (poor.pop(), rich.last().copied()) {
            let own = (has[small] << 48) / total;
            columns[small] = (u64::try_from(own).expect("less than whole"), u32::try_from(large).expect("a column"));
            has[large] -= total - has[small];
            if has[large] < total {
                rich.pop();
                poor.push(large);
            }
        }
        debug_assert!(poor.is_empty(), "the sum of what all have is exact, so the poor are never left over");
        Alias(columns.into())
    }

    /// One of them, by its position.
    pub(super) fn draw(&self, words: &mut impl Words) -> u32 {
        let column = words.below(self.0.len() as u64);
        let (own, other) = self.0[usize::try_from(column).expect("a column")];
        if words.word() >> 16 < own { u32::try_from(column).expect("a column") } else { other }
    }

    /// The share of each, exactly as drawn, in steps of 2⁻⁴⁸ times their number.
    #[cfg(test)]
    fn shares(&self) -> Vec<u64> {
        let mut shares = vec![0; self.0.len()];
        for (column, (own, other)) in self.0.iter().enumerate() {
            shares[column] += own;
            shares[*other as usize] += Alias::WHOLE - own;
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "comparison with the real functions")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_wave_is_a_cosine() {
        let wave = Wave::new();
        for turn in (0..=u32::MAX).step_by(7_919_113) {
            let exact = libm::cos(f64::from(turn) * core::f64::consts::TAU / 4_294_967_296.0);
            assert!((wave.at(turn) as f64 / ONE as f64 - exact).abs() < 5e-6, "{turn}");
        }
        assert_eq!((wave.at(0), wave.at(1 << 31)), (ONE, -ONE));
    }

    #[test]
    fn the_exponential_ends_where_its_words_end() {
        assert_eq!(exponential(u64::MAX), 0);
        assert_eq!(exponential(0) >> 32, 37);
        assert_eq!(exponential(1 << 63), 2_977_044_472, "ln 2 in steps of 2^-32");
    }

    proptest! {
        #[test]
        fn an_alias_table_has_the_shares_of_its_weights(weights in prop::collection::vec(prop_oneof![Just(0u64), 1u64..100, 1u64..1 << 52], 1..60)) {
            let total: u128 = weights.iter().map(|w| u128::from(*w)).sum();
            prop_assume!(total > 0);
            let count = weights.len() as u128;
            for (share, weight) in Alias::new(&weights).shares().into_iter().zip(&weights) {
                let exact = ((u128::from(*weight) * count) << 48) / total;
                prop_assert!(u128::from(share).abs_diff(exact) <= count + 1, "{share} {exact}");
                prop_assert!(*weight > 0 || share == 0);
            }
        }
    }
}
