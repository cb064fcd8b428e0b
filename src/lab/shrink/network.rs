//! A simpler network on plain machines, with fewer transmissions whose fate is named.

use std::ops::Range;

use crate::base::{Chance, Law, Span};
use crate::lab::case::Case;
use crate::lab::freeze;
use crate::parts::config::{LinkConfig, LinkLaw, MachineConfig, NetworkConfig, StreamConfig};

use super::trials::Trials;

/// Half of what is drawn, in millionths.
const MEDIAN: u32 = 500_000;

/// With more transmissions than this, no delay is named by itself.
const MOST_NAMED: usize = 3_000;

/// How many transmissions are named.
pub(super) fn overrides(case: &Case) -> usize {
    case.arm.surroundings().overrides.len()
}

/// The case without some of its overrides.
pub(super) fn without_overrides(case: &Case, gone: Range<usize>) -> Case {
    let all = case.arm.surroundings().overrides.iter().enumerate();
    let kept = all.filter(|(at, _)| !gone.contains(at)).map(|(_, one)| one.clone()).collect();
    Case { arm: case.arm.with_overrides(kept), seed: case.seed }
}

/// As few named transmissions as it takes.
pub(super) fn fewer_overrides(trials: &mut Trials<'_>) {
    trials.thin(overrides, |case, gone| Some(without_overrides(case, gone)));
}

fn with(case: &Case, network: NetworkConfig) -> Case {
    Case { arm: case.arm.with_network(network), seed: case.seed }
}

/// One switch, constant delays, nothing else; or as much of that as serves. Where constant delays alone do not serve, single ones are named.
pub(super) fn simpler(trials: &mut Trials<'_>) {
    trials.exhaust(|case| {
        let network = &case.arm.surroundings().network;
        simpler_networks(network).into_iter().map(|simpler| with(case, simpler)).collect()
    });
    let network = trials.case.arm.surroundings().network.clone();
    let steady = every_law(&network, &steady);
    if steady == network {
        return;
    }
    let Ok(delays) = freeze::delays(&trials.case) else { return };
    if delays.len() > MOST_NAMED {
        return;
    }
    let named = |case: &Case| Case { arm: with(case, steady.clone()).arm.with_overrides(delays.clone()), seed: case.seed };
    if trials.first(1, |case, _| Some(named(case))).is_some() {
        fewer_overrides(trials);
    }
}

/// What is simpler than a network, the simplest first.
fn simpler_networks(network: &NetworkConfig) -> Vec<NetworkConfig> {
    let law = LinkLaw::healthy(Law::Constant(round(network.within.delay.quantile(MEDIAN))));
    let plain = NetworkConfig::flat(law);
    let flat = NetworkConfig {
        zones: Vec::new(),
        switches: Vec::new(),
        links: Vec::new(),
        between_zones: plain.between_zones.clone(),
        between_regions: plain.between_regions.clone(),
        ..network.clone()
    };
    let steady_round =
        every_law(network, &|law| LinkLaw { delay: Law::Constant(round(law.delay.quantile(MEDIAN))), jitter: None, ..law.clone() });
    let all = [
        plain,
        flat,
        NetworkConfig { links: Vec::new(), ..network.clone() },
        NetworkConfig { stream: StreamConfig::default(), ..network.clone() },
        steady_round,
        every_law(network, &steady),
        every_law(network, &|law| LinkLaw { loss: Chance::NEVER, ..law.clone() }),
        every_law(network, &|law| LinkLaw { burst: None, ..law.clone() }),
        every_law(network, &|law| LinkLaw { duplicate: Chance::NEVER, ..law.clone() }),
        every_law(network, &|law| LinkLaw { corrupt: None, ..law.clone() }),
        every_law(network, &|law| LinkLaw { jitter: None, ..law.clone() }),
        every_law(network, &|law| LinkLaw { reorder: None, ..law.clone() }),
        every_law(network, &|law| LinkLaw { bandwidth: None, ..law.clone() }),
    ];
    let mut found: Vec<NetworkConfig> = Vec::new();
    for one in all {
        if one != *network && !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

/// A law without chance: always its median.
fn steady(law: &LinkLaw) -> LinkLaw {
    LinkLaw { delay: Law::Constant(law.delay.quantile(MEDIAN)), jitter: None, reorder: None, ..law.clone() }
}

/// One digit, the rest zeros; at least a microsecond unless it is nothing.
fn round(span: Span) -> Span {
    let nanos = span.as_nanos();
    let step = 10u64.pow(nanos.checked_ilog10().unwrap_or(0).max(3));
    if nanos == 0 { span } else { Span::nanos((nanos / step).max(1) * step) }
}

/// The same change in every law of a network.
fn every_law(network: &NetworkConfig, change: &dyn Fn(&LinkLaw) -> LinkLaw) -> NetworkConfig {
    let link = |link: &LinkConfig| LinkConfig { there: change(&link.there), back: change(&link.back), ..link.clone() };
    NetworkConfig {
        within: change(&network.within),
        between_zones: change(&network.between_zones),
        between_regions: change(&network.between_regions),
        links: network.links.iter().map(link).collect(),
        ..network.clone()
    }
}

/// Plain machines; or as many as serve, each as plain as it gets.
pub(super) fn machines(trials: &mut Trials<'_>) {
    let with = |case: &Case, machines: Vec<(String, MachineConfig)>| Case { arm: case.arm.with_machines(machines), seed: case.seed };
    let len = |case: &Case| case.arm.surroundings().machines.len();
    trials.thin(len, |case, gone| {
        let kept = case.arm.surroundings().machines.iter().enumerate().filter(|(at, _)| !gone.contains(at));
        Some(with(case, kept.map(|(_, one)| one.clone()).collect()))
    });
    let plain = MachineConfig::default();
    trials.exhaust(|case| {
        let machines = &case.arm.surroundings().machines;
        let simpler = |(at, (name, machine)): (usize, &(String, MachineConfig))| {
            let steady = Law::Constant(machine.disk.sync.quantile(MEDIAN));
            let sync =
                |sync: Law| MachineConfig { disk: crate::parts::config::DiskConfig { sync, ..machine.disk.clone() }, ..machine.clone() };
            let all = [
                MachineConfig { cpu: None, ..machine.clone() },
                MachineConfig { disk: plain.disk.clone(), ..machine.clone() },
                MachineConfig { clock: plain.clock, ..machine.clone() },
                MachineConfig { boot: plain.boot, ..machine.clone() },
                sync(if machine.disk.sync == plain.disk.sync { plain.disk.sync.clone() } else { steady }),
            ];
            let other = all.into_iter().filter(|one| one != machine);
            let changed = other.map(|one| {
                let mut machines = machines.clone();
                machines[at] = (name.clone(), one);
                with(case, machines)
            });
            changed.collect::<Vec<Case>>()
        };
        machines.iter().enumerate().flat_map(simpler).collect()
    });
}
