//! Virtual time: integer nanoseconds, under names the standard library does not have.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};
use std::str::FromStr;

/// A moment of virtual time: nanoseconds since the run began.
///
/// ```
/// use deadletter::base::{Span, Time};
/// let t = Time::ZERO + "1.5ms".parse::<Span>().unwrap();
/// assert_eq!(t.nanos(), 1_500_000);
/// assert_eq!(t.since(Time::ZERO), Span::micros(1500));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// A length of virtual time in nanoseconds. Never negative; arithmetic that leaves the range panics.
///
/// ```
/// use deadletter::base::Span;
/// let span: Span = "2m30s".parse().unwrap();
/// assert_eq!(span, Span::secs(150));
/// assert_eq!(span.to_string(), "150s");
/// assert!("15".parse::<Span>().unwrap_err().to_string().contains("unit"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

const RANGE: &str = "virtual time stays below 584 years";

impl Time {
    /// The start of every run.
    pub const ZERO: Time = Time(0);
    /// Later than everything that happens.
    pub const FAR: Time = Time(u64::MAX);

    /// The moment `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Time(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.0
    }

    /// The span from `earlier` to this moment.
    ///
    /// # Panics
    /// When `earlier` is later: time runs forward.
    #[must_use]
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("time runs forward"))
    }

    /// The span from `earlier` to this moment, or zero when `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// The nearest microsecond, for sentences: nobody reads nine decimals.
    ///
    /// ```
    /// use deadletter::base::Time;
    /// assert_eq!(Time::from_nanos(7_854_936_921).nearest_micro().to_string(), "7.854937s");
    /// ```
    #[must_use]
    pub const fn nearest_micro(self) -> Time {
        Time(nearest_micro(self.0))
    }
}

impl Span {
    /// The nearest microsecond, for sentences; what is shorter than ten stays as it is.
    ///
    /// ```
    /// use deadletter::base::Span;
    /// assert_eq!(Span::nanos(2_797_567).nearest_micro().to_string(), "2.798ms");
    /// assert_eq!(Span::nanos(250).nearest_micro().to_string(), "250ns");
    /// ```
    #[must_use]
    pub const fn nearest_micro(self) -> Span {
        if self.0 < 10_000 { self } else { Span(nearest_micro(self.0)) }
    }

    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any run.
    pub const MAX: Span = Span(u64::MAX);

    /// A span of `n` nanoseconds.
    #[must_use]
    pub const fn nanos(n: u64) -> Self {
        Span(n)
    }
    /// A span of `n` microseconds.
    #[must_use]
    pub const fn micros(n: u64) -> Self {
        Span(n * 1_000)
    }
    /// A span of `n` milliseconds.
    #[must_use]
    pub const fn millis(n: u64) -> Self {
        Span(n * 1_000_000)
    }
    /// A span of `n` seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Self {
        Span(n * 1_000_000_000)
    }
    /// Whole nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Whether this is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// This span less `other`, or zero.
    #[must_use]
    pub const fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
    /// This span times `numerator / denominator`, rounded down. The denominator must not be zero.
    #[must_use]
    pub fn scaled(self, numerator: u64, denominator: u64) -> Span {
        let wide = u128::from(self.0) * u128::from(numerator) / u128::from(denominator);
        Span(u64::try_from(wide).expect(RANGE))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.checked_add(span.0).expect(RANGE))
    }
}
impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}
impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0.checked_add(other.0).expect(RANGE))
    }
}
impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}
impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0.checked_sub(other.0).expect("a span is never negative"))
    }
}
impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.checked_mul(times).expect(RANGE))
    }
}

/// The units a span may be written in, longest first, with their nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("y", 365 * 86_400_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Why a text is not a span. Its display names the text and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SpanError(String);

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Span, SpanError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(SpanError("a span of time needs a number and a unit, such as `250us` or `2m30s`".into()));
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let nanos = part(text, number, unit)?;
            total = total.checked_add(nanos).ok_or_else(|| SpanError(format!("`{text}` is too long: {RANGE}")))?;
            rest = tail.trim_start();
        }
        Ok(Span(total))
    }
}

/// Rounded to whole microseconds; the last of all moments stays where it is.
const fn nearest_micro(nanos: u64) -> u64 {
    match nanos.checked_add(500) {
        Some(more) => more - more % 1_000,
        None => nanos,
    }
}

/// One number with its unit, in nanoseconds.
fn part(text: &str, number: &str, unit: &str) -> Result<u64, SpanError> {
    if number.is_empty() {
        return Err(SpanError(format!("`{text}` is not a span of time: a number was expected; write it like `250us` or `2m30s`")));
    }
    if unit.is_empty() {
        return Err(SpanError(format!("`{text}` has no unit; did you mean `{number}ms`? (units: ns, us, ms, s, m, h, d, y)")));
    }
    let unit = if unit == "µs" || unit == "μs" { "us" } else { unit };
    let Some((_, size)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(SpanError(format!("`{unit}` is not a unit of time (units: ns, us, ms, s, m, h, d, y)")));
    };
    let scaled = super::number::decimal(number, u128::from(*size))
        .ok_or_else(|| SpanError(format!("`{number}` is not a number with whole nanoseconds in `{text}`")))?;
    u64::try_from(scaled).map_err(|_| SpanError(format!("`{text}` is too long: {RANGE}")))
}

impl fmt::Display for Span {
    /// Shortest exact form that parses back to the same span.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        for (unit, size) in &UNITS[1..4] {
            if self.0.is_multiple_of(*size) && (*unit != "m" || self.0 >= 5 * size) {
                return write!(f, "{}{unit}", self.0 / size);
            }
        }
        let (unit, size) = UNITS[4..].iter().find(|(_, size)| self.0 >= *size).expect("a nanosecond divides everything");
        let (whole, part) = (self.0 / size, self.0 % size);
        if part == 0 {
            return write!(f, "{whole}{unit}");
        }
        let width = size.ilog10() as usize;
        let digits = format!("{part:0width$}");
        write!(f, "{whole}.{}{unit}", digits.trim_end_matches('0'))
    }
}

impl fmt::Display for Time {
    /// Seconds since the start, exact: `4.8123s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        if part == 0 {
            return write!(f, "{whole}s");
        }
        let digits = format!("{part:09}");
        write!(f, "{whole}.{}s", digits.trim_end_matches('0'))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Time {
    /// Nanoseconds as a number.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(self.0)
    }
}
impl serde::Serialize for Span {
    /// Nanoseconds as a number.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_u64(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_and_their_spans() {
        let table: [(&str, u64); 10] = [
            ("250us", 250_000),
            ("1.5ms", 1_500_000),
            ("2m30s", 150_000_000_000),
            ("0s", 0),
            ("1h", 3_600_000_000_000),
            ("30d", 2_592_000_000_000_000),
            ("7ns", 7),
            ("3µs", 3_000),
            ("1m 30s 500ms", 90_500_000_000),
            ("1_000ms", 1_000_000_000),
        ];
        for (text, nanos) in table {
            assert_eq!(text.parse::<Span>(), Ok(Span(nanos)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        let table = [
            ("15", "`15` has no unit; did you mean `15ms`? (units: ns, us, ms, s, m, h, d, y)"),
            ("10x", "`x` is not a unit of time (units: ns, us, ms, s, m, h, d, y)"),
            ("", "a span of time needs a number and a unit, such as `250us` or `2m30s`"),
            ("1.5ns", "`1.5` is not a number with whole nanoseconds in `1.5ns`"),
            ("-1s", "`-1s` is not a span of time: a number was expected; write it like `250us` or `2m30s`"),
            ("900y", "`900y` is too long: virtual time stays below 584 years"),
        ];
        for (text, message) in table {
            assert_eq!(text.parse::<Span>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn display_parses_back(nanos in prop_oneof![any::<u64>(), 0u64..10_000_000_000u64, (0u64..100_000u64).prop_map(|m| m * 60_000_000_000)]) {
            let span = Span(nanos);
            prop_assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
    }
}
