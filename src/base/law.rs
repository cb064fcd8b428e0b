//! Laws of delay and duration: the one file in which floating point touches virtual time, through explicit `libm` calls.

use super::Span;
use super::stream::Words;

/// How a span of time is distributed. What is configured is what is delivered: each law's mean or quantiles, floor
/// included, are those of the drawn values.
#[derive(Clone, Debug, PartialEq)]
pub enum Law {
    /// Always the same.
    Constant(Span),
    /// Every nanosecond from `low` to `high`, both included, alike.
    Uniform {
        /// The shortest span.
        low: Span,
        /// The longest span.
        high: Span,
    },
    /// Memoryless above a floor.
    Exponential {
        /// No span is shorter.
        floor: Span,
        /// The mean, floor included.
        mean: Span,
    },
}

/// A law made ready to draw from.
#[derive(Clone, Debug, PartialEq)]
pub struct Sampler(Law);

impl Law {
    /// This law made ready to draw from.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        Sampler(self.clone())
    }

    /// The mean of what is drawn; `None` when there is none.
    #[must_use]
    pub fn mean(&self) -> Option<Span> {
        match self {
            Law::Constant(span) => Some(*span),
            Law::Uniform { low, high } => Some(Span::nanos(low.as_nanos() + (high.as_nanos() - low.as_nanos()) / 2)),
            Law::Exponential { mean, .. } => Some(*mean),
        }
    }
}

impl Sampler {
    /// Draws a span.
    #[inline]
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the one file where a law is computed"
    )]
    pub fn draw(&self, words: &mut impl Words) -> Span {
        match &self.0 {
            Law::Constant(span) => *span,
            Law::Uniform { low, high } => words.span_between(*low, *high),
            Law::Exponential { floor, mean } => {
                let uniform = ((words.word() >> 11) as f64 + 0.5) / (1u64 << 53) as f64;
                let rest = -libm::log(uniform) * mean.saturating_sub(*floor).as_nanos() as f64;
                *floor + Span::nanos(rest.min(9e18) as u64)
            }
        }
    }
}
