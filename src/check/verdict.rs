//! Three-valued verdicts, and the witness that comes with a breach.

use crate::base::{NodeId, PayloadId, Time};

use super::Property;

/// What a judge says.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It held, for so many things that were examined; never zero.
    Holds {
        /// How many.
        examined: u64,
    },
    /// It did not hold, and here is the proof.
    Broken(Witness),
    /// Nothing can be said.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Verdict {
    /// `Holds`, unless nothing was examined: that proves nothing.
    #[must_use]
    pub fn holds(examined: u64, nothing: &str) -> Verdict {
        if examined == 0 { Verdict::Unknown { why: nothing.to_owned() } } else { Verdict::Holds { examined } }
    }
    /// Whether it is a breach.
    #[must_use]
    pub const fn is_broken(&self) -> bool {
        matches!(self, Verdict::Broken(_))
    }
}

/// The proof of a breach: the earliest case, and how many there are.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Witness {
    /// One sentence with ids, times and names that a person can check.
    pub sentence: String,
    /// The payloads it concerns, the decisive one first. Few.
    pub payloads: Vec<PayloadId>,
    /// The nodes it concerns.
    pub nodes: Vec<NodeId>,
    /// When it became certain.
    pub at: Time,
    /// How many such cases there are in the run.
    pub cases: u64,
    /// Out of how many that were examined.
    pub examined: u64,
}

/// A property with its verdict.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Finding {
    /// What was judged.
    pub property: Property,
    /// What was found.
    pub verdict: Verdict,
    /// Whether the configuration promised it: a breach is then a violation, otherwise an observation.
    pub promised: bool,
}
