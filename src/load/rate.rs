//! Rates as exact numbers: so many events in such a span, read from text like `500/s`.

use std::fmt;
use std::str::FromStr;

use crate::base::Span;
use crate::base::number::decimal;

/// How often something happens: events per span, exactly, in lowest terms.
///
/// ```
/// use deadletter::base::Span;
/// use deadletter::load::Rate;
/// let rate: Rate = "0.5/s".parse().unwrap();
/// assert_eq!(rate, Rate::new(1, Span::secs(2)));
/// assert_eq!(rate.to_string(), "0.5/s");
/// assert_eq!("30/min".parse::<Rate>().unwrap(), rate);
/// assert_eq!("500".parse::<Rate>().unwrap_err().to_string(), "`500` has no span; did you mean `500/s`?");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    count: u64,
    per: u64, // nanoseconds, never zero; one when the count is zero
}

/// Why a text is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RateError(String);

impl Rate {
    /// Never.
    pub const ZERO: Rate = Rate { count: 0, per: 1 };

    /// So many events in each span of that length.
    ///
    /// # Panics
    /// When the span is zero.
    #[must_use]
    pub fn new(count: u64, per: Span) -> Rate {
        assert!(!per.is_zero(), "a rate is over some time");
        let common = divisor(count, per.as_nanos());
        Rate { count: count / common, per: per.as_nanos() / common }
    }

    /// So many events …
    #[must_use]
    pub const fn count(self) -> u64 {
        self.count
    }

    /// … in each span of this length.
    #[must_use]
    pub const fn per(self) -> Span {
        Span::nanos(self.per)
    }

    /// Whether nothing ever happens.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.count == 0
    }

    /// For reports and closed forms only: events a second. No decision reads it.
    #[must_use]
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a figure for reports")]
    pub fn per_second(self) -> f64 {
        self.count as f64 * 1e9 / self.per as f64
    }
}

/// The greatest common divisor; never zero when `b` is not.
const fn divisor(mut a: u64, mut b: u64) -> u64 {
    while a != 0 {
        (a, b) = (b % a, a);
    }
    b
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Rate, RateError> {
        let text = text.trim();
        let Some((number, span)) = text.split_once('/') else {
            let error = if decimal(text, 1_000_000_000).is_some() {
                format!("`{text}` has no span; did you mean `{text}/s`?")
            } else {
                format!("`{text}` is not a rate; write it like `500/s`, `3/min` or `0.5/s`")
            };
            return Err(RateError(error));
        };
        let (number, span) = (number.trim(), span.trim());
        let per = match span {
            "sec" | "second" => Ok(Span::secs(1)),
            "min" | "minute" => Ok(Span::secs(60)),
            "hour" => Ok(Span::secs(3600)),
            "day" => Ok(Span::secs(86_400)),
            _ if span.starts_with(|c: char| c.is_ascii_digit()) => span.parse::<Span>(),
            _ => format!("1{span}").parse::<Span>(),
        };
        let per =
            per.map_err(|_| RateError(format!("`{span}` in `{text}` is not a span of time; write the rate like `500/s` or `3/min`")))?;
        if per.is_zero() {
            return Err(RateError(format!("`{text}` is over no time at all")));
        }
        exact(number, per).ok_or_else(|| RateError(format!("`{number}` in `{text}` is not a number of events (at most nine decimals)")))
    }
}

/// A decimal number of events per span, exactly; `None` when it is no number or does not fit.
fn exact(number: &str, per: Span) -> Option<Rate> {
    const OVER: u128 = 1_000_000_000;
    let count = decimal(number, OVER)?;
    let per = u128::from(per.as_nanos()) * OVER;
    let (mut a, mut b) = (count, per);
    while a != 0 {
        (a, b) = (b % a, a);
    }
    Some(Rate { count: u64::try_from(count / b).ok()?, per: u64::try_from(per / b).ok()? })
}

impl fmt::Display for Rate {
    /// The shortest form that reads back: a decimal number a second, or else a whole number in a span.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, nanos) in [("s", 1_000_000_000u128), ("min", 60_000_000_000), ("h", 3_600_000_000_000)] {
            // So many thousand-millionths of an event in the unit, if that is exact.
            let Some(wide) = u128::from(self.count).checked_mul(nanos * 1_000_000_000) else { continue };
            if !wide.is_multiple_of(u128::from(self.per)) {
                continue;
            }
            let scaled = wide / u128::from(self.per);
            let (whole, part) = (scaled / 1_000_000_000, scaled % 1_000_000_000);
            if part == 0 {
                return write!(f, "{whole}/{unit}");
            }
            let digits = format!("{part:09}");
            return write!(f, "{whole}.{}/{unit}", digits.trim_end_matches('0'));
        }
        write!(f, "{}/{}", self.count, Span::nanos(self.per))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Rate {
    /// As its text, such as `500/s`.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_and_their_rates() {
        let table = [
            ("500/s", 500, Span::secs(1), "500/s"),
            ("3/min", 3, Span::secs(60), "0.05/s"),
            ("0.5/s", 1, Span::secs(2), "0.5/s"),
            ("5/100ms", 50, Span::secs(1), "50/s"),
            ("256_000/s", 256_000, Span::secs(1), "256000/s"),
            ("1/7ms", 1, Span::millis(7), "1/7ms"),
            ("1 / h", 1, Span::secs(3600), "1/h"),
            ("0/s", 0, Span::secs(1), "0/s"),
            ("10/hour", 10, Span::secs(3600), "10/h"),
        ];
        for (text, count, per, shown) in table {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate, rate.to_string().as_str()), (Rate::new(count, per), shown), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        let table = [
            ("500", "`500` has no span; did you mean `500/s`?"),
            ("fast", "`fast` is not a rate; write it like `500/s`, `3/min` or `0.5/s`"),
            ("5/x", "`x` in `5/x` is not a span of time; write the rate like `500/s` or `3/min`"),
            ("5/", "`` in `5/` is not a span of time; write the rate like `500/s` or `3/min`"),
            ("5/0s", "`5/0s` is over no time at all"),
            ("-5/s", "`-5` in `-5/s` is not a number of events (at most nine decimals)"),
            ("0.0000000001/s", "`0.0000000001` in `0.0000000001/s` is not a number of events (at most nine decimals)"),
        ];
        for (text, message) in table {
            assert_eq!(text.parse::<Rate>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn display_parses_back(count in prop_oneof![any::<u64>(), 0u64..2_000], per in prop_oneof![1u64.., 1u64..5_000, (1u64..100).prop_map(|n| n * 500_000_000)]) {
            let rate = Rate::new(count, Span::nanos(per));
            prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
        }
    }
}
