//! `[network]` and `[node.NAME]`: from checked keys to the configuration of links and machines.

use crate::base::value::{Reader, did_you_mean};
use crate::base::{Chance, Law, Problem, Span};
use crate::parts::config::{
    Bandwidth, Burst, ClockConfig, Corruption, CpuConfig, DiskConfig, LinkConfig, LinkLaw, MachineConfig, NetworkConfig, Reorder,
    StreamConfig, Zone,
};

use super::selector::Scope;
use super::with;

/// One way between two machines of a data centre: half of a round trip of 0.5 ms.
pub(super) const USUAL_DELAY: Span = Span::micros(250);

/// The network as written; names are checked by [`check_names`] once the nodes are known.
pub(super) fn read(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> NetworkConfig {
    let nothing = LinkLaw::healthy(Law::Constant(Span::ZERO));
    let between =
        |key: &str, problems: &mut Vec<Problem>| keys.table(key).map_or(nothing.clone(), |link| direction(&link, &nothing, problems));
    let within = direction(keys, &LinkLaw::healthy(Law::Constant(USUAL_DELAY)), problems);
    let zones = keys.named_tables("zone").into_iter().map(|(name, zone)| Zone {
        name: name.name.clone(),
        region: zone.text("region"),
        hosts: zone.texts("hosts").into_iter().map(|(host, _)| host.to_owned()).collect(),
    });
    NetworkConfig {
        within,
        between_zones: between("between_zones", problems),
        between_regions: between("between_regions", problems),
        zones: zones.collect(),
        switches: keys.texts("switches").into_iter().map(|(name, _)| name.to_owned()).collect(),
        links: keys.tables("link").iter().map(|link| named_link(link, problems)).collect(),
        stream: keys.table("stream").map_or_else(StreamConfig::default, |stream| streams(&stream, problems)),
    }
}

/// One direction: what is written, and for the rest what is given.
fn direction(keys: &Reader<'_>, given: &LinkLaw, problems: &mut Vec<Problem>) -> LinkLaw {
    let mut law = given.clone();
    law.delay = keys.law("delay").unwrap_or(law.delay);
    if keys.has("loss") {
        law.loss = keys.chance("loss").unwrap_or(law.loss);
    }
    if keys.has("duplicate") {
        law.duplicate = keys.chance("duplicate").unwrap_or(law.duplicate);
    }
    law.jitter = keys.law("jitter").or(law.jitter);
    let burst = keys.table("burst").and_then(|burst| {
        let (good, bad) = (burst.span("good")?, burst.span("bad")?);
        for (key, _) in [("good", good), ("bad", bad)].iter().filter(|(_, span)| span.is_zero()) {
            problems.push(Problem::error(burst.place_of(key), "a period of a burst has some length"));
        }
        Some(Burst { good, bad, loss_good: burst.chance("loss_good")?, loss_bad: burst.chance("loss_bad")? })
    });
    law.burst = burst.or(law.burst);
    let reorder = keys.table("reorder").and_then(|reorder| Some(Reorder { chance: reorder.chance("chance")?, hold: reorder.law("hold")? }));
    law.reorder = reorder.or(law.reorder);
    let corrupt = keys
        .table("corrupt")
        .and_then(|corrupt| Some(Corruption { chance: corrupt.chance("chance")?, checksum: corrupt.flag("checksum")? }));
    law.corrupt = corrupt.or(law.corrupt);
    let bandwidth = match keys.byte_rate("bandwidth") {
        Some(bytes_per_second) => Some(Bandwidth { bytes_per_second, queue_bytes: None }),
        None if keys.has("bandwidth") => keys.table("bandwidth").and_then(|bandwidth| {
            Some(Bandwidth { bytes_per_second: bandwidth.byte_rate("rate")?, queue_bytes: bandwidth.bytes("queue") })
        }),
        None => None,
    };
    if bandwidth.as_ref().is_some_and(|bandwidth| bandwidth.bytes_per_second == 0) {
        let problem = Problem::error(keys.place_of("bandwidth"), "nothing ever crosses a link of no speed");
        problems.push(problem.hint("leave it out for unlimited speed; a `cut` fault eats everything"));
    }
    law.bandwidth = bandwidth.or(law.bandwidth);
    check_losses(keys, problems);
    law
}

/// Losses at which a link is no link.
fn check_losses(keys: &Reader<'_>, problems: &mut Vec<Problem>) {
    if keys.has("loss") && keys.chance("loss") == Some(Chance::ALWAYS) {
        let problem = Problem::error(keys.place_of("loss"), "with a loss of 100% nothing ever arrives");
        problems.push(problem.hint("for a time without connection declare a fault: `cut = { isolate = \"…\" }`"));
    }
    let corrupt = keys.table("corrupt");
    if let Some(corrupt) =
        corrupt.filter(|corrupt| corrupt.chance("chance") == Some(Chance::ALWAYS) && corrupt.flag("checksum") == Some(true))
    {
        let problem = Problem::error(corrupt.place_of("chance"), "with a checksum and damage of 100% nothing ever arrives");
        problems.push(problem.hint("write a smaller chance, or `checksum = false`"));
    }
}

fn named_link(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> LinkConfig {
    let usual = LinkLaw::healthy(Law::Constant(USUAL_DELAY));
    let both = direction(keys, &usual, problems);
    let one_way = |key: &str, problems: &mut Vec<Problem>| keys.table(key).map_or(both.clone(), |link| direction(&link, &both, problems));
    let text = |key: &str| keys.text(key).unwrap_or_default();
    LinkConfig {
        name: text("name"),
        from: text("from"),
        to: text("to"),
        there: one_way("there", problems),
        back: one_way("back", problems),
    }
}

fn streams(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> StreamConfig {
    let usual = StreamConfig::default();
    let config = StreamConfig {
        retransmit_first: keys.span("retransmit_first").unwrap_or(usual.retransmit_first),
        retransmit_max: keys.span("retransmit_max").unwrap_or(usual.retransmit_max),
        give_up: keys.span("give_up").unwrap_or(usual.give_up),
        connect_timeout: keys.span("connect_timeout").unwrap_or(usual.connect_timeout),
        window: keys.bytes("window").unwrap_or(usual.window),
    };
    if config.retransmit_first.is_zero() {
        problems.push(Problem::error(keys.place_of("retransmit_first"), "the first retransmission waits for some time"));
    }
    if config.retransmit_first > config.retransmit_max {
        let what = format!("the first wait ({}) is above the longest ({})", config.retransmit_first, config.retransmit_max);
        problems.push(Problem::error(keys.place_of("retransmit_first"), what));
    }
    if config.window == 0 {
        problems.push(Problem::error(keys.place_of("window"), "through a window of zero bytes nothing is ever sent"));
    }
    config
}

/// Checks the names in a network, and puts the nodes of groups in their place among the hosts of zones.
pub(super) fn check_names(config: &mut NetworkConfig, keys: &Reader<'_>, scope: &Scope<'_>, problems: &mut Vec<Problem>) {
    let Some(roster) = scope.roster else { return };
    let mut housed: Vec<Option<String>> = vec![None; roster.nodes.len()];
    for ((_, zone), out) in keys.named_tables("zone").iter().zip(&mut config.zones) {
        out.hosts.clear();
        for (host, value) in zone.texts("hosts") {
            let nodes = scope.named(host);
            if nodes.is_empty() {
                let hint = did_you_mean(host, &scope.nodes_and_groups());
                problems.push(with(Problem::error(value.place.clone(), format!("there is no node or group `{host}`")), hint));
            }
            for node in nodes {
                let name = &roster.nodes[node].name;
                match housed[node].replace(out.name.clone()) {
                    Some(other) if other == out.name => {}
                    Some(other) => {
                        let what = format!("`{name}` lies in zone `{other}` already");
                        problems.push(Problem::error(value.place.clone(), what).hint("a node lies in one zone"));
                    }
                    None => out.hosts.push(name.clone()),
                }
            }
        }
        if out.hosts.is_empty() && zone.texts("hosts").is_empty() {
            let problem = Problem::error(zone.place_of("hosts"), format!("zone `{}` has no hosts", out.name));
            problems.push(problem.hint("a switch without hosts belongs into `switches`"));
        }
    }
    check_ends(config, keys, (scope, roster), problems);
}

/// The ends of links, and names that stand for two things.
fn check_ends(
    config: &NetworkConfig,
    keys: &Reader<'_>,
    (scope, roster): (&Scope<'_>, &crate::world::Roster),
    problems: &mut Vec<Problem>,
) {
    let nodes = roster.nodes.iter().map(|node| node.name.as_str());
    let zones = config.zones.iter().flat_map(|zone| [Some(zone.name.as_str()), zone.region.as_deref()]).flatten();
    let known: Vec<&str> = nodes.chain(zones).chain(config.switches.iter().map(String::as_str)).chain(["lan", "core"]).collect();
    let mut names: Vec<String> = Vec::new();
    for link in keys.tables("link") {
        for end in ["from", "to"] {
            let Some(name) = link.text(end) else { continue };
            if !known.contains(&name.as_str()) {
                let problem = Problem::error(link.place_of(end), format!("there is no node, zone, region or switch `{name}`"));
                let group = !scope.named(&name).is_empty();
                let hint = if group { Some("a link ends at one node, not at a group".to_owned()) } else { did_you_mean(&name, &known) };
                problems.push(with(problem, hint));
            }
        }
        let Some(name) = link.text("name") else { continue };
        if link.text("from") == link.text("to") {
            problems.push(Problem::error(link.place_of("to"), format!("link `{name}` leads to where it begins")));
        }
        if names.contains(&name) {
            problems.push(Problem::error(link.place_of("name"), format!("two links are called `{name}`")));
        }
        names.push(name);
    }
    for (zone, _) in keys.named_tables("zone") {
        if roster.nodes.iter().any(|node| node.name == zone.name) {
            let what = format!("a node and a zone are both called `{}`", zone.name);
            problems.push(Problem::error(zone.place.clone(), what));
        }
    }
}

/// The machines: entries for all, then for groups, then for nodes; each is complete in itself.
pub(super) fn machines(
    tables: &[(&crate::base::value::Key, Reader<'_>)],
    scope: &Scope<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<(String, MachineConfig)> {
    let mut rank: Vec<(u8, usize)> = Vec::new();
    for (at, (key, _)) in tables.iter().enumerate() {
        let groups = scope.roster.map_or(&[][..], |roster| &roster.nodes).iter().any(|node| node.groups.contains(&key.name.as_str()));
        let known = key.name == "all" || scope.roster.is_none() || !scope.named(&key.name).is_empty();
        if !known {
            let mut names = scope.nodes_and_groups();
            names.insert(0, "all");
            let hint = did_you_mean(&key.name, &names);
            problems.push(with(Problem::error(key.place.clone(), format!("there is no node or group `{}`", key.name)), hint));
        }
        rank.push((
            if key.name == "all" {
                0
            } else if groups {
                1
            } else {
                2
            },
            at,
        ));
    }
    rank.sort_unstable();
    let mut out: Vec<(String, MachineConfig)> = Vec::new();
    for (_, at) in &rank {
        let (key, keys) = &tables[*at];
        let name = if key.name == "all" { "*" } else { key.name.as_str() };
        let given = inherited(name, scope, &out);
        let config = machine(keys, &given, problems);
        out.push((name.to_owned(), config));
    }
    out.extend(both_groups(tables, (scope, &rank), &out));
    out
}

/// What a node or group has before its own table is read.
fn inherited(name: &str, scope: &Scope<'_>, before: &[(String, MachineConfig)]) -> MachineConfig {
    let own = scope.named(name);
    let covers = |other: &str| other == "*" || (!own.is_empty() && own.is_subset(&scope.named(other)));
    before.iter().rev().find(|(other, _)| covers(other)).map_or_else(MachineConfig::default, |(_, config)| config.clone())
}

/// Nodes in two groups that both have a table, and without a table of their own: the groups' keys together.
fn both_groups(
    tables: &[(&crate::base::value::Key, Reader<'_>)],
    (scope, rank): (&Scope<'_>, &[(u8, usize)]),
    out: &[(String, MachineConfig)],
) -> Vec<(String, MachineConfig)> {
    let mut found = Vec::new();
    for node in scope.roster.map_or(&[][..], |roster| &roster.nodes) {
        let matching: Vec<&Reader<'_>> = rank
            .iter()
            .filter(|(rank, at)| *rank == 0 || (*rank == 1 && node.groups.contains(&tables[*at].0.name.as_str())))
            .map(|(_, at)| &tables[*at].1)
            .collect();
        let groups = rank.iter().filter(|(rank, at)| *rank == 1 && node.groups.contains(&tables[*at].0.name.as_str())).count();
        if groups < 2 || out.iter().any(|(name, _)| *name == node.name) {
            continue;
        }
        let config = matching.iter().fold(MachineConfig::default(), |given, keys| machine(keys, &given, &mut Vec::new()));
        found.push((node.name.clone(), config));
    }
    found
}

/// One machine: what is written, and for the rest what is given.
fn machine(keys: &Reader<'_>, given: &MachineConfig, problems: &mut Vec<Problem>) -> MachineConfig {
    let cpu = if keys.choice("cpu").is_some() {
        None
    } else if let Some(cpu) = keys.value("cpu").and_then(|_| keys.table("cpu")) {
        processors(&cpu, given.cpu.as_ref(), problems)
    } else {
        given.cpu.clone()
    };
    let mut disk: DiskConfig = given.disk.clone();
    if let Some(keys) = keys.table("disk") {
        if keys.has("sync") {
            disk.sync = keys.law("sync").unwrap_or(disk.sync);
        }
        if keys.has("writeback") {
            disk.writeback = keys.span("writeback");
        }
        if keys.has("capacity") {
            disk.capacity = keys.bytes("capacity");
        }
    }
    let mut clock: ClockConfig = given.clock;
    if let Some(keys) = keys.table("clock") {
        if keys.has("skew") {
            clock.skew = keys.signed_span("skew").unwrap_or(0);
        }
        if keys.has("drift_ppm") {
            clock.drift_ppm = keys.integer("drift_ppm").and_then(|ppm| i32::try_from(ppm).ok()).unwrap_or(0);
        }
    }
    let boot = if keys.has("boot") { keys.span("boot").unwrap_or(given.boot) } else { given.boot };
    MachineConfig { cpu, disk, clock, boot }
}

fn processors(keys: &Reader<'_>, given: Option<&CpuConfig>, problems: &mut Vec<Problem>) -> Option<CpuConfig> {
    let small = |count: u64| u32::try_from(count).ok();
    let service = keys.law("service").or_else(|| given.map(|given| given.service.clone()));
    if service.is_none() && !keys.has("service") {
        let problem = Problem::error(keys.place().clone(), "`service` is missing");
        problems.push(problem.hint("how long one unit of a message's cost takes, such as `service = \"100us\"`"));
    }
    let servers = if keys.has("servers") { keys.count("servers").and_then(small) } else { given.map(|given| given.servers) };
    let queue = if keys.has("queue") { keys.count("queue").and_then(small) } else { given.and_then(|given| given.queue) };
    Some(CpuConfig { servers: servers.unwrap_or(1), queue, service: service? })
}
