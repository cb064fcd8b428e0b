//! The unit exponential: minus the logarithm of a uniform word, by a table and a short series.
//!
//! Only additions and multiplications of IEEE doubles, each rounded once: the bits are the same on every machine. The error is
//! below 10⁻¹⁵, so that a span with a mean of a day is right to the nanosecond in all but a few of a thousand draws, and one
//! with a mean of a second in all but one of a million.
#![expect(clippy::float_arithmetic, reason = "a logarithm is a real number; no operation here is left to the platform")]

use std::f64::consts::LN_2;

/// Bits of a mantissa that choose a place in the table.
const BITS: u32 = 7;
const PLACES: usize = 1 << BITS;

/// The middle of a place's mantissas: what an integer offset from it is multiplied by, and its logarithm.
#[derive(Clone, Copy)]
struct Place {
    /// One over the middle, for offsets in steps of 2⁻⁶³.
    inverse: f64,
    log: f64,
}

static TABLE: [Place; PLACES] = table();

/// `-ln u` for the number `u = (n + 1/2) / 2⁵²`, where `n` is the word's upper 52 bits; never below zero.
#[inline]
pub(super) fn unit_exponential(word: u64) -> f64 {
    // Twice n + 1/2 is a whole number of 53 bits. Shifted so that its highest bit is bit 63, it is a mantissa between 1 and 2.
    let doubled = word >> 12 << 1 | 1;
    let zeros = doubled.leading_zeros();
    let mantissa = doubled << zeros;
    let place = TABLE[((mantissa << 1) >> (64 - BITS)) as usize];
    // From the middle of the place: an exact difference, below 2⁵⁵ and with at most 45 bits that are not zero.
    let offset = ((mantissa << (1 + BITS)) >> (1 + BITS)).cast_signed() - (1 << (62 - BITS));
    let r = exact(offset) * place.inverse;
    // ln(1 + r) for |r| below 2⁻⁸, in an order that lets sums wait for each other as little as possible.
    let square = r * r;
    let series = (r - square * 0.5) + (square * r) * ((1.0 / 3.0 - r * 0.25) + square * (0.2 - r * (1.0 / 6.0)));
    ((f64::from(zeros - 10) * LN_2 - place.log) - series).max(0.0)
}

/// An integer with at most 53 bits that are not zero.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "nothing is lost, as the name says")]
const fn exact(whole: i64) -> f64 {
    whole as f64
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
const fn table() -> [Place; PLACES] {
    let mut places = [Place { inverse: 0.0, log: 0.0 }; PLACES];
    let mut i = 0;
    while i < PLACES {
        let middle = 1.0 + (i as f64 + 0.5) / PLACES as f64;
        places[i] = Place { inverse: 1.0 / (middle * (1u64 << 63) as f64), log: log(middle) };
        i += 1;
    }
    places
}

/// The logarithm of a number between 1 and 2: twice the inverse hyperbolic tangent of `(x - 1) / (x + 1)`, which is below 1/3.
const fn log(x: f64) -> f64 {
    let t = (x - 1.0) / (x + 1.0);
    let mut sum = 0.0;
    let mut n = 41;
    while n > 1 {
        n -= 2;
        sum = sum * (t * t) + 1.0 / n as f64;
    }
    2.0 * t * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SmallStream, Words};

    /// `libm`'s logarithm is right to the last bit or two.
    fn reference(word: u64) -> f64 {
        -libm::log(super::super::sampler::unit(word))
    }

    fn assert_close(word: u64) {
        let (found, expected) = (unit_exponential(word), reference(word));
        assert!((found - expected).abs() <= 1e-15 * expected.max(1.0), "{word:#x}: {found} for {expected}");
    }

    #[test]
    fn it_is_the_logarithm() {
        let mut words = SmallStream::named(5, "unit exponential", 0);
        for _ in 0..200_000 {
            let word = words.word();
            // Small numbers, whose words have many leading zeros, are as right as others.
            assert_close(word);
            assert_close(word >> (word & 63));
            assert_close(!(word >> (word & 63)));
        }
        [0, 1, 1 << 12, u64::MAX, u64::MAX - (1 << 12), 1 << 63, (1 << 63) - 1].into_iter().for_each(assert_close);
    }

    /// Both sides of every border between two places, for a number with any count of leading zeros.
    #[test]
    fn places_meet() {
        for zeros in 0..52 {
            for place in 0..PLACES as u64 {
                let border = (1 << 63 | place << (63 - BITS)) >> zeros;
                for word in [border.wrapping_sub(1 << 12), border, border + (1 << 12)] {
                    assert_close(word);
                }
            }
        }
    }
}
