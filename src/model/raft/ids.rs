//! Terms and offsets: the two numbers that every rule of Raft compares.

use std::fmt;

/// The number of a reign. Each election begins a higher one; at most one node leads in it. Kafka calls it the epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Term(pub u32);

impl Term {
    /// The term after this one.
    #[must_use]
    pub const fn next(self) -> Term {
        Term(self.0 + 1)
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A place in the log, from zero. An *end* is the offset behind the last entry: a log of three entries ends at 3, and what
/// is committed *up to 3* are the entries 0, 1 and 2.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Offset(pub u64);

impl Offset {
    /// The start of every log.
    pub const ZERO: Offset = Offset(0);

    /// The offset so many places further.
    #[must_use]
    pub const fn plus(self, places: usize) -> Offset {
        Offset(self.0 + places as u64)
    }

    /// How many places this offset is behind an earlier one; none when it is not behind it.
    #[must_use]
    pub fn since(self, earlier: Offset) -> usize {
        usize::try_from(self.0.saturating_sub(earlier.0)).expect("a log fits into memory")
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
