//! Named outcomes that replace chance: how a counterexample is replayed and edited, message by message.

use crate::base::{Decision, Span};

/// What is decided for one transmission instead of by chance. `None` leaves the question to chance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    /// `Some(true)`: lost on its first link. `Some(false)`: no chance (loss, burst, checksum, a fault's drop) eats it; a cut
    /// or a full queue still does.
    pub drop: Option<bool>,
    /// How long it takes from end to end.
    pub delay: Option<Span>,
    /// Whether it arrives twice (datagrams only).
    pub duplicate: Option<bool>,
    /// `Some(true)`: it arrives damaged, whatever checksum there is (datagrams only; a copy's damage is left to chance).
    /// `Some(false)`: no chance damages it or its copy, and so no checksum eats it.
    pub damage: Option<bool>,
}

/// One override: for which transmission, and what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Override {
    /// Hash of the opened tag, see [`Decision::hash`].
    pub decision: u64,
    /// Which transmission of it: 0 the first, n the n-th retransmission of a stream segment.
    pub resend: u32,
    /// What is decided.
    pub outcome: Outcome,
}

/// All overrides of a run, sorted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overrides {
    sorted: Vec<Override>,
}

impl Overrides {
    /// A table of overrides, in any order.
    ///
    /// # Errors
    /// The two overrides that concern the same transmission, when there are such.
    pub fn new(mut list: Vec<Override>) -> Result<Overrides, Box<(Override, Override)>> {
        list.sort_by_key(key);
        match list.windows(2).find(|pair| key(&pair[0]) == key(&pair[1])) {
            Some(pair) => Err(Box::new((pair[0], pair[1]))),
            None => Ok(Overrides { sorted: list }),
        }
    }

    /// The overrides, in order of [`Override::decision`] and [`Override::resend`].
    #[must_use]
    pub fn list(&self) -> &[Override] {
        &self.sorted
    }

    /// The position of the override for a transmission.
    #[inline]
    pub(super) fn find(&self, decision: Decision, resend: u32) -> Option<usize> {
        self.sorted.binary_search_by_key(&(decision.hash(), resend), key).ok()
    }
}

/// What an override is found by.
fn key(one: &Override) -> (u64, u32) {
    (one.decision, one.resend)
}
