//! Laws ready to draw: parameters solved, one word for a draw wherever the law allows it.
#![expect(clippy::float_arithmetic, reason = "spans are drawn by inverting distributions of real numbers, then rounded to nanoseconds")]

use std::sync::Arc;

use super::exponential::unit_exponential;
use super::normal::{Cut, inverse, tail};
use super::{LONGEST, Law, WHOLE_PPM};
use crate::base::stream::Words;
use crate::base::{Chance, Span};

/// A law with its parameters solved; cheap to clone.
///
/// Every continuous law is drawn by inversion, so that one word becomes one span. A uniform law draws a further word in the
/// rare case that keeps it unbiased; a bimodal one draws a word for the choice first.
///
/// ```
/// use deadletter::base::{Law, Span, Stream};
/// let pause = Law::Exponential { floor: Span::ZERO, mean: Span::millis(2) }.sampler();
/// let mut words = Stream::named(7, "load", 0);
/// let total: u64 = (0..1000).map(|_| pause.draw(&mut words).as_nanos()).sum();
/// assert!((1_800_000_000..2_200_000_000).contains(&total));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler(Kind);

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Constant(Span),
    Uniform { low: Span, high: Span },
    Exponential { floor: f64, above: f64 },
    Normal(Cut),
    LogNormal { median: f64, sigma: f64 },
    Pareto { scale: f64, inverse_shape: f64 },
    Weibull { scale: f64, inverse_shape: f64 },
    Bimodal { laws: Arc<[Sampler; 2]>, rare: Chance },
    Table(Arc<[(u32, Span)]>),
}

/// The 99% quantile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

impl Sampler {
    /// The sampler of a law whose parameters agree with each other.
    pub(super) fn new(law: &Law) -> Sampler {
        Sampler(match law {
            Law::Constant(span) => Kind::Constant(*span),
            Law::Uniform { low, high } => Kind::Uniform { low: *low, high: *high },
            Law::Exponential { floor, mean } => Kind::Exponential { floor: real(*floor), above: real(*mean - *floor) },
            Law::Normal { mean, deviation } => Kind::Normal(Cut::with(real(*mean), real(*deviation))),
            Law::LogNormal { median, p99 } => {
                let (median, p99) = (real(*median), real(*p99));
                Kind::LogNormal { median, sigma: libm::log(p99 / median) / Z99 }
            }
            Law::Pareto { scale, shape_thousandths } => {
                Kind::Pareto { scale: real(*scale), inverse_shape: 1000.0 / f64::from(*shape_thousandths) }
            }
            Law::Weibull { scale, shape_thousandths } => {
                Kind::Weibull { scale: real(*scale), inverse_shape: 1000.0 / f64::from(*shape_thousandths) }
            }
            Law::Bimodal { usual, rare, rare_chance } => {
                Kind::Bimodal { laws: Arc::new([Sampler::new(usual), Sampler::new(rare)]), rare: *rare_chance }
            }
            Law::Empirical(points) => Kind::Table(points.as_slice().into()),
        })
    }

    /// Draws a span.
    #[inline]
    #[must_use]
    pub fn draw(&self, words: &mut impl Words) -> Span {
        match &self.0 {
            Kind::Constant(span) => *span,
            Kind::Uniform { low, high } => words.span_between(*low, *high),
            Kind::Bimodal { laws, rare } => laws[usize::from(words.hits(*rare))].draw(words),
            Kind::Table(points) => interpolate(points, (u128::from(words.word()) * u128::from(WHOLE_PPM)) >> TABLE_SHIFT),
            Kind::Exponential { floor, above } => rounded(floor + above * unit_exponential(words.word())),
            Kind::Normal(_) | Kind::LogNormal { .. } | Kind::Pareto { .. } | Kind::Weibull { .. } => {
                rounded(self.exceeded_by(unit(words.word())))
            }
        }
    }

    /// The span that a share of all draws, in millionths, does not exceed.
    pub(super) fn quantile(&self, ppm: u32) -> Span {
        match &self.0 {
            Kind::Constant(span) => *span,
            Kind::Uniform { low, high } => *low + high.saturating_sub(*low).scaled(u64::from(ppm), u64::from(WHOLE_PPM)),
            Kind::Table(points) => interpolate(points, u128::from(ppm) << (64 - TABLE_SHIFT)),
            Kind::Bimodal { laws, rare } if rare.is_never() => laws[0].quantile(ppm),
            Kind::Bimodal { laws, rare } if *rare == Chance::ALWAYS => laws[1].quantile(ppm),
            Kind::Bimodal { laws, .. } => {
                // The shortest span that holds the share lies between the quantiles of the two laws.
                let (a, b) = (laws[0].quantile(ppm).as_nanos(), laws[1].quantile(ppm).as_nanos());
                let (mut low, mut high) = (a.min(b), a.max(b));
                let share = f64::from(ppm) / f64::from(WHOLE_PPM);
                while low < high {
                    let middle = low + (high - low) / 2;
                    if self.within(Span::nanos(middle)) >= share {
                        high = middle;
                    } else {
                        low = middle + 1;
                    }
                }
                Span::nanos(low)
            }
            Kind::Exponential { .. } | Kind::Normal(_) | Kind::LogNormal { .. } | Kind::Pareto { .. } | Kind::Weibull { .. } => {
                rounded(self.exceeded_by(f64::from(WHOLE_PPM - ppm) / f64::from(WHOLE_PPM)))
            }
        }
    }

    /// The mean of a law with a tail, if it is finite and within the range of spans.
    pub(super) fn tail_mean(&self) -> Option<Span> {
        let mean = match &self.0 {
            Kind::LogNormal { median, sigma } => median * libm::exp(0.5 * sigma * sigma),
            Kind::Pareto { inverse_shape, .. } if *inverse_shape >= 1.0 => return None,
            Kind::Pareto { scale, inverse_shape } => scale / (1.0 - inverse_shape),
            Kind::Weibull { scale, inverse_shape } => scale * libm::tgamma(1.0 + inverse_shape),
            Kind::Exponential { floor, above } => floor + above,
            Kind::Constant(_) | Kind::Uniform { .. } | Kind::Normal(_) | Kind::Bimodal { .. } | Kind::Table(_) => {
                unreachable!("the mean of these is known without a sampler")
            }
        };
        (mean < real(LONGEST)).then(|| rounded(mean))
    }

    /// The real number of nanoseconds that a share `above` of a continuous law's draws exceeds.
    fn exceeded_by(&self, above: f64) -> f64 {
        match &self.0 {
            Kind::Exponential { floor, above: mean } => floor - mean * libm::log(above),
            Kind::Normal(cut) => cut.exceeded_by(above),
            Kind::LogNormal { median, sigma } => median * libm::exp(-sigma * inverse(above)),
            Kind::Pareto { scale, inverse_shape } => scale * libm::exp(-inverse_shape * libm::log(above)),
            Kind::Weibull { scale, inverse_shape } => scale * libm::pow(-libm::log(above), *inverse_shape),
            Kind::Constant(_) | Kind::Uniform { .. } | Kind::Bimodal { .. } | Kind::Table(_) => {
                unreachable!("these are not drawn by inversion")
            }
        }
    }

    /// The share of draws up to a span, before rounding.
    fn within(&self, span: Span) -> f64 {
        let x = real(span);
        let share = match &self.0 {
            Kind::Constant(only) => f64::from(u8::from(span >= *only)),
            Kind::Uniform { low, .. } if span < *low => 0.0,
            Kind::Uniform { low, high } => (x - real(*low) + 1.0) / (real(*high) - real(*low) + 1.0),
            Kind::Exponential { floor, above } => -libm::expm1((floor - x).min(0.0) / above),
            Kind::Normal(cut) => cut.within(x),
            Kind::LogNormal { median, sigma } => tail(-libm::log(x / median) / sigma),
            Kind::Pareto { scale, inverse_shape } => -libm::expm1((libm::log(scale / x) / inverse_shape).min(0.0)),
            Kind::Weibull { scale, inverse_shape } => -libm::expm1(-libm::pow(x / scale, 1.0 / inverse_shape)),
            Kind::Bimodal { laws, rare } => {
                let share = rare.as_f64();
                laws[0].within(span) * (1.0 - share) + laws[1].within(span) * share
            }
            Kind::Table(points) => share_in_table(points, span),
        };
        share.clamp(0.0, 1.0)
    }
}

/// A position in a table is a share in millionths times 2^(64 - 24), so that its product with a span stays below 2^128.
const TABLE_SHIFT: u32 = 24;

/// The span at a position of a table, to the nearest nanosecond, in integers.
fn interpolate(points: &[(u32, Span)], position: u128) -> Span {
    let scale = 64 - TABLE_SHIFT;
    let after = points.partition_point(|(ppm, _)| u128::from(*ppm) << scale <= position);
    let Some((next_ppm, next)) = points.get(after) else { return points[points.len() - 1].1 };
    let (ppm, span) = points[after - 1];
    let width = u128::from(next_ppm - ppm) << scale;
    let rise = u128::from((*next - span).as_nanos()) * (position - (u128::from(ppm) << scale));
    span + Span::nanos(u64::try_from((rise + width / 2) / width).expect("between two spans"))
}

/// The share of a table's draws up to a span.
fn share_in_table(points: &[(u32, Span)], span: Span) -> f64 {
    let after = points.partition_point(|(_, at)| *at <= span);
    if after == 0 {
        return 0.0;
    }
    let (ppm, low) = points[after - 1];
    let within = points.get(after).map_or(0.0, |(next_ppm, high)| f64::from(next_ppm - ppm) * real(span - low) / real(*high - low));
    (f64::from(ppm) + within) / f64::from(WHOLE_PPM)
}

/// A word as a number strictly between zero and one, all equally far apart: 52 bits and a half.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "52 bits and a half are exact")]
pub(super) fn unit(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
}

/// Nanoseconds as a real number.
#[expect(clippy::cast_precision_loss, reason = "spans above 104 days are rounded to 53 bits, the same everywhere")]
fn real(span: Span) -> f64 {
    span.as_nanos() as f64
}

/// The nearest whole nanosecond, never below zero nor above [`LONGEST`].
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range before")]
fn rounded(nanos: f64) -> Span {
    // By way of a signed number: processors have an instruction for that.
    Span::nanos(((nanos + 0.5).clamp(0.0, real(LONGEST)) as i64).cast_unsigned())
}
