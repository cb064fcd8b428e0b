//! Moments that are written more shortly.

use crate::base::{Span, Time};

/// What a moment may be a multiple of, the roundest first.
const ROUND: [Span; 8] = [
    Span::secs(1),
    Span::millis(500),
    Span::millis(100),
    Span::millis(10),
    Span::millis(1),
    Span::micros(100),
    Span::micros(10),
    Span::micros(1),
];

/// How round a moment is: the position in [`ROUND`] of the first that divides it.
fn rank(at: Time) -> usize {
    ROUND.iter().position(|unit| at.nanos().is_multiple_of(unit.as_nanos())).unwrap_or(ROUND.len())
}

/// Rounder moments close by, the roundest first, from `from` on and before `until`.
pub(super) fn rounder(at: Time, (from, until): (Time, Time)) -> Vec<Time> {
    let mut found = Vec::new();
    for unit in &ROUND[..rank(at)] {
        let below = at.nanos() - at.nanos() % unit.as_nanos();
        let both = [below, below + unit.as_nanos()].map(Time::from_nanos);
        found.extend(both.into_iter().filter(|other| (from..until).contains(other)));
    }
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_step_is_rounder(nanos in 1_000_000_000u64..5_000_000_000) {
            let (from, until) = (Time::from_nanos(1_000_000_000), Time::from_nanos(5_000_000_000));
            let at = Time::from_nanos(nanos);
            for other in rounder(at, (from, until)) {
                prop_assert!(rank(other) < rank(at), "{} is no rounder than {}", other, at);
                prop_assert!(from <= other && other < until);
            }
        }
    }

    #[test]
    fn the_roundest_comes_first() {
        let window = (Time::from_nanos(1_000_000_000), Time::from_nanos(3_000_000_000));
        let texts: Vec<String> = rounder(Time::from_nanos(2_340_000_000), window).iter().map(Time::to_string).collect();
        assert_eq!(texts, ["2s", "2.5s", "2.3s", "2.4s"]);
        assert!(rounder(Time::from_nanos(2_000_000_000), window).is_empty());
    }
}
