//! Fewer and simpler operations.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::base::{KeyId, PayloadId};
use crate::lab::case::Case;
use crate::load::{Listed, LoadConfig};

use super::trials::Trials;

/// How many operations are listed.
pub(super) fn count(case: &Case) -> usize {
    case.arm.load().listed.len()
}

/// The case with other operations; `None` when nobody would ask for anything.
pub(super) fn with(case: &Case, mut listed: Vec<Listed>) -> Option<Case> {
    if listed.is_empty() || !case.arm.load().streams.is_empty() {
        return None;
    }
    listed.sort_by_key(|one| (one.at, one.payload));
    let load = LoadConfig { streams: Vec::new(), listed };
    Some(Case { arm: case.arm.with_load(load), seed: case.seed })
}

/// The case without some of its operations.
pub(super) fn without(case: &Case, gone: Range<usize>) -> Option<Case> {
    let listed = &case.arm.load().listed;
    let kept = listed.iter().enumerate().filter(|(at, _)| !gone.contains(at)).map(|(_, one)| one.clone());
    with(case, kept.collect())
}

/// Only what the witness speaks of, and its nearest; then part by part.
pub(super) fn fewer(trials: &mut Trials<'_>) {
    let payloads: BTreeSet<PayloadId> = trials.found.witness.iter().flat_map(|witness| witness.payloads.iter().copied()).collect();
    let named: Vec<Listed> = trials.case.arm.load().listed.iter().filter(|one| payloads.contains(&one.payload)).cloned().collect();
    if !named.is_empty() && named.len() < count(&trials.case) {
        let near = |one: &Listed, how: usize| {
            named.iter().any(|witness| match how {
                0 => one.payload == witness.payload,
                1 => (&one.client, one.key) == (&witness.client, witness.key),
                2 => one.key == witness.key,
                _ => one.client == witness.client,
            })
        };
        trials.first(4, |case, how| with(case, case.arm.load().listed.iter().filter(|one| near(one, how)).cloned().collect()));
    }
    trials.thin(count, without);
}

/// The first key, small bodies, the first client, the first object: for all operations at once, then for each.
pub(super) fn simpler(trials: &mut Trials<'_>) {
    let roster = trials.case.arm.model().roster();
    let Some(client) = roster.nodes.iter().find(|node| node.takes_load).map(|node| node.name.clone()) else { return };
    let edit = |one: &Listed, how: usize| match how {
        0 => Listed { key: KeyId(0), bytes: 1, client: client.clone(), ..one.clone() },
        1 => Listed { key: KeyId(0), ..one.clone() },
        2 => Listed { bytes: 1, ..one.clone() },
        _ => Listed { client: client.clone(), ..one.clone() },
    };
    const WAYS: usize = 4;
    for how in 0..WAYS {
        trials.first(1, |case, _| with(case, case.arm.load().listed.iter().map(|one| edit(one, how)).collect()));
    }
    let mut from = 0;
    while let Some(at) = trials.first((count(&trials.case) * WAYS).saturating_sub(from), |case, at| {
        let (which, how) = ((from + at) / WAYS, (from + at) % WAYS);
        let mut listed = case.arm.load().listed.clone();
        listed[which] = edit(&listed[which], how);
        with(case, listed)
    }) {
        from += at + 1;
    }
    first_object(trials);
}

/// Everything to one object, if it takes the same operations.
fn first_object(trials: &mut Trials<'_>) {
    let mut named: Vec<String> = trials.case.arm.load().listed.iter().map(|one| one.to.clone()).collect();
    named.sort_unstable();
    named.dedup();
    if named.len() > 1 {
        trials.first(named.len(), |case, at| {
            let to = |one: &Listed| Listed { to: named[at].clone(), ..one.clone() };
            with(case, case.arm.load().listed.iter().map(to).collect())
        });
    }
}
