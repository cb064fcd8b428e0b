//! Names taken anew: where messages are numbered by their sender, taking one away renames the next, and overrides must follow.

use std::ops::Range;

use crate::lab::case::Case;
use crate::lab::freeze;
use crate::world::NamedOverride;

use super::trials::Trials;
use super::{faults, load, network};

/// With more overrides than this, names are not taken anew: it takes several runs for each candidate.
const MOST: usize = 16;

/// How often a run is looked at again, because new names made another run of it.
const LOOKS: usize = 4;

/// Fewer messages and faults, with every override at the transmission that stands where the one stood that it named before.
pub(super) fn fewer(trials: &mut Trials<'_>) {
    let named = |case: &Case| (1..=MOST).contains(&network::overrides(case));
    if !named(&trials.case) {
        return;
    }
    let followed = |before: &Case, after: Case| if named(before) { follow(before, after) } else { None };
    if load::count(&trials.case) > 1 {
        trials.thin(load::count, |case, gone: Range<usize>| followed(case, load::without(case, gone)?));
    }
    trials.thin(faults::count, |case, gone| followed(case, faults::without(case, gone)));
}

/// The second case with the overrides of the first, each under the name that its transmission has there.
fn follow(before: &Case, after: Case) -> Option<Case> {
    let there = freeze::transmissions(before).ok()?;
    let overrides = before.arm.surroundings().overrides.iter();
    let places: Vec<_> = overrides
        .filter_map(|one| {
            let (place, _) = there.iter().find(|(_, name)| same(name, one))?;
            Some((place, one.outcome))
        })
        .collect();
    let mut case = after;
    for _ in 0..LOOKS {
        let here = freeze::transmissions(&case).ok()?;
        let renamed = places.iter().filter_map(|(place, outcome)| {
            let (_, name) = here.iter().find(|(other, _)| other == *place)?;
            Some(NamedOverride { outcome: *outcome, ..name.clone() })
        });
        let renamed: Vec<NamedOverride> = renamed.collect();
        if *case.arm.surroundings().overrides == *renamed {
            break;
        }
        case = Case { arm: case.arm.with_overrides(renamed), seed: case.seed };
    }
    Some(case)
}

/// Whether two overrides are about the same transmission.
fn same(one: &NamedOverride, other: &NamedOverride) -> bool {
    let name = |one: &NamedOverride| (one.subject, one.attempt, one.resend);
    name(one) == name(other) && one.kind == other.kind && one.from == other.from && one.to == other.to
}
