//! Probabilities as exact numbers, read from text and compared with whole random words.

use std::fmt;
use std::str::FromStr;

/// A probability in steps of 2⁻³²; never above one.
///
/// ```
/// use deadletter::base::Chance;
/// let loss: Chance = "0.1%".parse().unwrap();
/// assert_eq!(loss.to_string(), "0.1%");
/// assert!(Chance::ALWAYS.hits(u64::MAX) && !Chance::NEVER.hits(0));
/// assert_eq!("1.2".parse::<Chance>().unwrap_err().to_string(), "a chance is at most 1; did you mean `1.2%`?");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Chance(u64); // invariant: at most ONE

const ONE: u64 = 1 << 32;

impl Chance {
    /// Does not happen.
    pub const NEVER: Chance = Chance(0);
    /// Happens.
    pub const ALWAYS: Chance = Chance(ONE);

    /// `numerator / denominator`, to the nearest step.
    ///
    /// # Panics
    /// When the fraction is above one or the denominator is zero.
    #[must_use]
    pub fn ratio(numerator: u64, denominator: u64) -> Chance {
        assert!(denominator > 0 && numerator <= denominator, "a chance is a fraction of at most one");
        let wide = (u128::from(numerator) * u128::from(ONE) + u128::from(denominator / 2)) / u128::from(denominator);
        Chance(u64::try_from(wide).expect("at most 2^32"))
    }

    /// Whether a random word falls under this chance.
    #[must_use]
    pub const fn hits(self, word: u64) -> bool {
        (word >> 32) < self.0
    }

    /// Whether this chance is exactly zero.
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 == 0
    }

    /// Steps of 2⁻³².
    #[must_use]
    pub const fn steps(self) -> u64 {
        self.0
    }

    /// For reports and closed forms only; no decision reads it.
    #[must_use]
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a figure for reports; both numbers are below 2^53")]
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / ONE as f64
    }
}

/// Why a text is not a chance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ChanceError(String);

impl FromStr for Chance {
    type Err = ChanceError;

    fn from_str(text: &str) -> Result<Chance, ChanceError> {
        let text = text.trim();
        let nonsense = || ChanceError(format!("`{text}` is not a chance; write `0.1%`, `0.001` or `1/1000`"));
        // Everything is read as an exact fraction over 10^12 (a percentage over 10^14).
        let (top, bottom) = if let Some((top, bottom)) = text.split_once('/') {
            (super::number::decimal(top.trim(), 1).ok_or_else(nonsense)?, super::number::decimal(bottom.trim(), 1).ok_or_else(nonsense)?)
        } else if let Some(percent) = text.strip_suffix('%') {
            (super::number::decimal(percent.trim(), 1_000_000_000_000).ok_or_else(nonsense)?, 100_000_000_000_000)
        } else {
            (super::number::decimal(text, 1_000_000_000_000).ok_or_else(nonsense)?, 1_000_000_000_000)
        };
        if bottom == 0 {
            return Err(ChanceError(format!("`{text}` divides by zero")));
        }
        if top > bottom {
            let hint = if text.ends_with('%') {
                String::from("a chance is at most 100%")
            } else {
                format!("a chance is at most 1; did you mean `{text}%`?")
            };
            return Err(ChanceError(hint));
        }
        let steps = top.checked_mul(u128::from(ONE)).ok_or_else(nonsense)?;
        let steps = (steps + bottom / 2) / bottom;
        Ok(Chance(u64::try_from(steps).expect("at most 2^32")))
    }
}

impl fmt::Display for Chance {
    /// Percent with as many digits as are needed to read the same chance again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for places in 0..=12u32 {
            let over = 10u128.pow(places);
            let scaled = (u128::from(self.0) * 100 * over + u128::from(ONE / 2)) / u128::from(ONE);
            let back = (scaled * u128::from(ONE) + 50 * over) / (100 * over);
            if back == u128::from(self.0) || places == 12 {
                let (whole, part) = (scaled / over, scaled % over);
                if places == 0 {
                    return write!(f, "{whole}%");
                }
                return write!(f, "{whole}.{part:0width$}%", width = places as usize);
            }
        }
        unreachable!("the last round returns")
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Chance {
    /// As its text, such as `0.1%`.
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nonsense_is_refused() {
        let table = [
            ("1.2", "a chance is at most 1; did you mean `1.2%`?"),
            ("101%", "a chance is at most 100%"),
            ("x", "`x` is not a chance; write `0.1%`, `0.001` or `1/1000`"),
            ("1/0", "`1/0` divides by zero"),
            ("-0.1", "`-0.1` is not a chance; write `0.1%`, `0.001` or `1/1000`"),
        ];
        for (text, message) in table {
            assert_eq!(text.parse::<Chance>().unwrap_err().to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn display_parses_back(steps in 0u64..=ONE) {
            let chance = Chance(steps);
            prop_assert_eq!(chance.to_string().parse::<Chance>().unwrap(), chance);
        }
    }
}
