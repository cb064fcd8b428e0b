//! Out of a dead end: where nothing can go alone and yet much is left, messages and faults may only be able to move together.

use std::collections::BTreeSet;

use crate::base::{Span, Time};
use crate::lab::case::Case;
use crate::load::Listed;
use crate::parts::fault::{Fault, When};
use crate::record::Phase;
use crate::run::{How, Passage, Ready, guarded};

use super::trials::Trials;
use super::{faults, load};

/// With no more messages than this, and no more faults than [`FAULTS`], a case is small.
const MESSAGES: usize = 10;
const FAULTS: usize = 3;

/// How many messages beside the witness's are kept, and how far apart they are.
const NEIGHBOURS: [usize; 3] = [0, 1, 4];
const GAPS: [Span; 5] = [Span::millis(1), Span::millis(6), Span::millis(20), Span::millis(60), Span::millis(250)];

/// So many moments are tried for a fault.
const MOMENTS: usize = 120;

/// Looks for a small case near a large one: the witness's messages and few others, close together, and one of the faults, at every step
/// of what happens then.
pub(super) fn small(trials: &mut Trials<'_>) {
    if load::count(&trials.case) <= MESSAGES && faults::count(&trials.case) <= FAULTS {
        return;
    }
    let cases = candidates(trials);
    trials.first(cases.len(), |_, at| Some(cases[at].clone()));
}

fn candidates(trials: &Trials<'_>) -> Vec<Case> {
    let case = &trials.case;
    let payloads = trials.found.witness.as_ref().map_or(&[][..], |witness| witness.payloads.as_slice());
    let listed = &case.arm.load().listed;
    let is_witness = |one: &Listed| payloads.contains(&one.payload);
    let mut cases = Vec::new();
    for neighbours in NEIGHBOURS {
        let others = listed.iter().filter(|one| !is_witness(one)).count();
        let mut left_out = others.saturating_sub(neighbours);
        let mut few = listed.clone();
        few.retain(|one| {
            let stays = is_witness(one) || left_out == 0;
            left_out -= usize::from(!stays);
            stays
        });
        for gap in GAPS {
            let Some(calm) = load::with(&faults::with(case, Vec::new()), spread(&few, gap, case)) else { continue };
            let moments = moments(&calm);
            for fault in case.arm.surroundings().faults.iter() {
                cases.extend(moments.iter().map(|at| faults::with(&calm, vec![Fault { when: When::At(vec![*at]), ..fault.clone() }])));
            }
            cases.push(calm);
        }
    }
    cases
}

/// Messages in their order, so far apart, from the beginning of chaos on.
fn spread(few: &[Listed], gap: Span, case: &Case) -> Vec<Listed> {
    let start = case.arm.phases().start(Phase::Chaos);
    (0u64..).zip(few).map(|(number, one)| Listed { at: start + gap * number, ..one.clone() }).collect()
}

/// The moments of chaos at which something happens; evenly chosen when they are many. None of a case that panics.
fn moments(case: &Case) -> Vec<Time> {
    let (start, end) = (case.arm.phases().start(Phase::Chaos), case.arm.phases().start(Phase::Heal));
    let seen = guarded(case.seed, || {
        let ready = Ready::new(&case.arm);
        let mut passage = Passage::start(&ready, case.seed, How::default());
        let mut seen = BTreeSet::new();
        while passage.step_one() && passage.sim().now() < end {
            seen.insert(passage.sim().now());
        }
        seen
    });
    let all: Vec<Time> = seen.unwrap_or_default().into_iter().filter(|at| (start..end).contains(at)).collect();
    let stride = all.len().div_ceil(MOMENTS).max(1);
    all.into_iter().step_by(stride).collect()
}
