//! Laws of delay and duration: the one file in which floating point touches virtual time, through explicit `libm` calls.

use super::stream::Words;
use super::{Chance, Span};

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
}
