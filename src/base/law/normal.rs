//! The normal distribution: its tail, its inverse, and the parent of one that is cut off at zero.
#![expect(
    clippy::float_arithmetic,
    reason = "the parameters of laws are real numbers; every call is libm's, bit for bit the same everywhere"
)]

/// The share of a standard normal distribution above `z`.
pub(super) fn tail(z: f64) -> f64 {
    0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2)
}

/// The value below which a share `p` of a standard normal distribution lies, to about 16 digits; infinite at zero and one.
///
/// Algorithm AS 241 (PPND16): Wichura, "The percentage points of the normal distribution", Applied Statistics 37 (1988).
pub(super) fn inverse(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180_625 - q * q;
        return q * polynomial(&MIDDLE_TOP, r) / polynomial(&MIDDLE_BOTTOM, r);
    }
    let outer = if q < 0.0 { p } else { 1.0 - p };
    if outer <= 0.0 {
        return f64::INFINITY.copysign(q);
    }
    let r = libm::sqrt(-libm::log(outer));
    let size = if r <= 5.0 {
        polynomial(&NEAR_TOP, r - 1.6) / polynomial(&NEAR_BOTTOM, r - 1.6)
    } else {
        polynomial(&FAR_TOP, r - 5.0) / polynomial(&FAR_BOTTOM, r - 5.0)
    };
    if q < 0.0 { -size } else { size }
}

/// A normal distribution of which only the part above zero is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    /// The parent's mean; may be negative.
    pub(super) mean: f64,
    /// The parent's standard deviation.
    pub(super) deviation: f64,
    /// The share of the parent above zero.
    pub(super) kept: f64,
}

impl Cut {
    /// The parent whose part above zero has this mean and deviation; the deviation must be below the mean.
    ///
    /// With the cut `a` standard deviations above the parent's mean and the hazard `h = density(a) / tail(a)`, the part above it
    /// has mean `(h - a) * sigma` and variance `(1 + a * h - h * h) * sigma²`: their ratio depends on `a` alone and grows with it,
    /// so that `a` is found by bisection.
    pub(super) fn with(mean: f64, deviation: f64) -> Cut {
        let wanted = deviation / mean;
        let (mut low, mut high) = (-40.0, 8.0);
        if wanted * -low <= 1.0 {
            // Nothing of the parent is below zero that a float could tell.
            return Cut { mean, deviation, kept: 1.0 };
        }
        for _ in 0..80 {
            let middle = 0.5 * (low + high);
            let (its_mean, its_deviation) = moments(middle);
            if its_deviation < wanted * its_mean {
                low = middle;
            } else {
                high = middle;
            }
        }
        let a = 0.5 * (low + high);
        let sigma = mean / moments(a).0;
        Cut { mean: -a * sigma, deviation: sigma, kept: tail(a) }
    }

    /// The value that a share `above` of what is drawn exceeds; zero when all of it does.
    pub(super) fn exceeded_by(&self, above: f64) -> f64 {
        self.mean - self.deviation * inverse(above * self.kept)
    }

    /// The share of what is drawn up to `x`.
    pub(super) fn within(&self, x: f64) -> f64 {
        1.0 - tail((x - self.mean) / self.deviation) / self.kept
    }
}

/// Mean and deviation, in standard deviations of the parent and from the cut, of the part above a cut at `a`.
fn moments(a: f64) -> (f64, f64) {
    let density = libm::exp(-0.5 * a * a) / libm::sqrt(2.0 * std::f64::consts::PI);
    let hazard = density / tail(a);
    (hazard - a, libm::sqrt(1.0 - hazard * (hazard - a)))
}

/// A polynomial's value; the lowest coefficient comes first.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[rustfmt::skip]
mod published {
    #![expect(clippy::excessive_precision, reason = "the digits as published")]
    pub(super) const MIDDLE_TOP: [f64; 8] = [
        3.387_132_872_796_366_608_0, 1.331_416_678_917_843_774_5e2, 1.971_590_950_306_551_442_7e3, 1.373_169_376_550_946_112_5e4,
        4.592_195_393_154_987_145_7e4, 6.726_577_092_700_870_085_3e4, 3.343_057_558_358_812_810_5e4, 2.509_080_928_730_122_672_7e3,
    ];
    pub(super) const MIDDLE_BOTTOM: [f64; 8] = [
        1.0, 4.231_333_070_160_091_125_2e1, 6.871_870_074_920_579_083_0e2, 5.394_196_021_424_751_107_7e3,
        2.121_379_430_158_659_586_7e4, 3.930_789_580_009_271_061_0e4, 2.872_908_573_572_194_267_4e4, 5.226_495_278_852_854_561_0e3,
    ];
    pub(super) const NEAR_TOP: [f64; 8] = [
        1.423_437_110_749_683_577_34, 4.630_337_846_156_545_295_90, 5.769_497_221_460_691_405_50, 3.647_848_324_763_204_605_04,
        1.270_458_252_452_368_382_58, 2.417_807_251_774_506_117_70e-1, 2.272_384_498_926_918_458_33e-2, 7.745_450_142_783_414_076_40e-4,
    ];
    pub(super) const NEAR_BOTTOM: [f64; 8] = [
        1.0, 2.053_191_626_637_758_821_87, 1.676_384_830_183_803_849_40, 6.897_673_349_851_000_045_50e-1,
        1.481_039_764_274_800_745_90e-1, 1.519_866_656_361_645_719_66e-2, 5.475_938_084_995_344_946_00e-4, 1.050_750_071_644_416_843_24e-9,
    ];
    pub(super) const FAR_TOP: [f64; 8] = [
        6.657_904_643_501_103_777_20, 5.463_784_911_164_114_369_90, 1.784_826_539_917_291_335_80, 2.965_605_718_285_048_912_30e-1,
        2.653_218_952_657_612_309_30e-2, 1.242_660_947_388_078_438_60e-3, 2.711_555_568_743_487_578_15e-5, 2.010_334_399_292_288_132_65e-7,
    ];
    pub(super) const FAR_BOTTOM: [f64; 8] = [
        1.0, 5.998_322_065_558_879_376_90e-1, 1.369_298_809_227_358_053_10e-1, 1.487_536_129_085_061_485_25e-2,
        7.868_691_311_456_132_591_00e-4, 1.846_318_317_510_054_681_80e-5, 1.421_511_758_316_445_888_70e-7, 2.044_263_103_389_939_785_64e-15,
    ];
}
use published::{FAR_BOTTOM, FAR_TOP, MIDDLE_BOTTOM, MIDDLE_TOP, NEAR_BOTTOM, NEAR_TOP};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_undoes_the_tail() {
        for i in -3700..=800 {
            let z = f64::from(i) * 0.01;
            let p = tail(-z);
            if p < 1.0 {
                // Close to one a share has few digits left.
                let slack = 1e-13 + 2e-16 / (libm::exp(-0.5 * z * z) * 0.398_942_280_401_432_7).max(1e-300) * f64::from(i8::from(z > 0.0));
                let back = inverse(p);
                assert!((back - z).abs() <= slack + 1e-15 * z.abs(), "{z} came back as {back}");
            }
        }
    }

    #[test]
    fn the_part_above_zero_has_the_wanted_moments() {
        for percent in [1, 2, 3, 10, 30, 50, 70, 80, 90, 95] {
            let wanted = f64::from(percent) / 100.0;
            let cut = Cut::with(1.0, wanted);
            // Midpoint rule over the quantiles, finer by decades towards both ends, where they are steep.
            let (mut sum, mut squares) = (0.0, 0.0);
            for decade in 0..12 {
                let (to, steps) = (0.5 * libm::pow(10.0, -f64::from(decade)), 1000);
                let width = 0.9 * to / f64::from(steps);
                for step in 0..steps {
                    let share = 0.1 * to + width * (f64::from(step) + 0.5);
                    for x in [cut.exceeded_by(share), cut.exceeded_by(1.0 - share)] {
                        sum += x * width;
                        squares += (x - 1.0) * (x - 1.0) * width;
                    }
                }
            }
            assert!((sum - 1.0).abs() < 1e-6, "mean {sum} at {wanted}");
            let deviation = libm::sqrt(squares);
            assert!((deviation / wanted - 1.0).abs() < 1e-5, "deviation {deviation} at {wanted}");
        }
    }
}
