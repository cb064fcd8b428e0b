//! From the network's configuration to its wiring, with every mistake in the names and numbers told at once.

use std::collections::BTreeMap;

use petgraph::unionfind::UnionFind;

use crate::base::{Law, NodeId, Span};
use crate::parts::config::{LinkConfig, LinkLaw, NetworkConfig};

use super::link::Class;
use super::shape::{Link, Plan, count};

/// The switch of the hosts that lie in no zone.
const LAN: &str = "lan";
/// The switch between the zones that lie in no region.
const CORE: &str = "core";

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Host,
    Zone,
    Region,
    Switch,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Host => "host",
            Kind::Zone => "zone",
            Kind::Region => "region",
            Kind::Switch => "switch",
        }
    }

    fn plural(self) -> &'static str {
        match self {
            Kind::Host => "hosts",
            Kind::Zone => "zones",
            Kind::Region => "regions",
            Kind::Switch => "switches",
        }
    }
}

/// Everything that has a name and its number: hosts first, then zones' switches, regions' switches, declared switches, `lan`
/// and `core`.
struct Wiring<'a> {
    config: &'a NetworkConfig,
    hosts: &'a [String],
    names: Vec<&'a str>,
    found: BTreeMap<&'a str, (Kind, u32)>,
    problems: Vec<String>,
}

/// Numbers of the classes that implied links use.
const WITHIN_UP: u32 = 0;
const WITHIN_DOWN: u32 = 1;
const ZONE_UP: u32 = 2;
const ZONE_DOWN: u32 = 3;
const REGIONS: u32 = 4;

/// The wiring that a configuration describes, or everything that is wrong with it.
pub(super) fn plan(config: &NetworkConfig, hosts: &[String]) -> Result<Plan, Vec<String>> {
    let mut wiring = Wiring { config, hosts, names: Vec::new(), found: BTreeMap::new(), problems: Vec::new() };
    let regions = wiring.name_everything();
    let zone_of = wiring.zones_of_hosts();
    wiring.check_laws();
    let declared = wiring.declared();
    let homes = wiring.homes(&zone_of, &declared);
    let mut links = wiring.implied(&homes, &regions, &declared);
    let groups = wiring.groups(&homes, &declared, &regions);
    wiring.check_links(&declared, &links);
    if wiring.problems.is_empty() {
        links.splice(0..0, declared);
        wiring.check_islands(&links);
    }
    if !wiring.problems.is_empty() {
        return Err(wiring.problems);
    }
    let switches = wiring.names.len() - hosts.len();
    Ok(Plan { hosts: hosts.len(), switches, links, classes: classes(config), groups })
}

/// The prepared laws: five for implied links, then two for each declared one.
fn classes(config: &NetworkConfig) -> Vec<Class> {
    // The way down costs no time: a message is delayed once, on its way up. But it takes its turn at the same speed.
    let down = |law: &LinkLaw| LinkLaw { bandwidth: law.bandwidth.clone(), ..LinkLaw::healthy(Law::Constant(Span::ZERO)) };
    let implied = [
        config.within.clone(),
        down(&config.within),
        config.between_zones.clone(),
        down(&config.between_zones),
        config.between_regions.clone(),
    ];
    let declared = config.links.iter().flat_map(|link| [&link.there, &link.back]);
    implied.iter().chain(declared).map(Class::new).collect()
}

impl<'a> Wiring<'a> {
    /// Gives hosts, zones, regions and switches their numbers. The regions, in order of first mention, come back.
    fn name_everything(&mut self) -> Vec<&'a str> {
        let config = self.config;
        for host in self.hosts {
            self.name(Kind::Host, host);
        }
        for zone in &config.zones {
            self.name(Kind::Zone, &zone.name);
        }
        let mut regions: Vec<&str> = Vec::new();
        for region in config.zones.iter().filter_map(|zone| zone.region.as_deref()) {
            if !regions.contains(&region) {
                self.name(Kind::Region, region);
                regions.push(region);
            }
        }
        for switch in &config.switches {
            self.name(Kind::Switch, switch);
        }
        regions
    }

    fn name(&mut self, kind: Kind, name: &'a str) -> u32 {
        let number = count(self.names.len());
        self.names.push(name);
        if name.is_empty() {
            self.problems.push(format!("a {} has an empty name", kind.word()));
        } else if let Some((other, _)) = self.found.get(name) {
            let both =
                if *other == kind { format!("two {} are", kind.plural()) } else { format!("a {} and a {} are", other.word(), kind.word()) };
            self.problems.push(format!("{both} called `{name}`; hosts, zones, regions and switches need names of their own"));
        } else {
            self.found.insert(name, (kind, number));
        }
        number
    }

    /// The zone of each host.
    fn zones_of_hosts(&mut self) -> Vec<Option<usize>> {
        let mut zone_of: Vec<Option<usize>> = vec![None; self.hosts.len()];
        for (index, zone) in self.config.zones.iter().enumerate() {
            if zone.hosts.is_empty() {
                self.problems.push(format!("zone `{}` has no hosts; a switch without hosts belongs into `switches`", zone.name));
            }
            for host in &zone.hosts {
                let Some((Kind::Host, number)) = self.found.get(host.as_str()).copied() else {
                    let hint = closest(host, self.hosts.iter().map(String::as_str));
                    self.problems.push(format!("zone `{}` names the host `{host}`, which does not exist{hint}", zone.name));
                    continue;
                };
                match zone_of[number as usize].replace(index) {
                    None => {}
                    Some(first) if first == index => self.problems.push(format!("zone `{}` names the host `{host}` twice", zone.name)),
                    Some(first) => self.problems.push(format!(
                        "host `{host}` is in the zones `{}` and `{}`; a host lies in one zone (to reach several switches, give it links)",
                        self.config.zones[first].name, zone.name
                    )),
                }
            }
        }
        zone_of
    }

    /// Numbers that no link can have.
    fn check_laws(&mut self) {
        let config = self.config;
        let implied = [("within", &config.within), ("between_zones", &config.between_zones), ("between_regions", &config.between_regions)];
        let implied = implied.map(|(name, law)| (format!("`{name}`"), law));
        let declared = config.links.iter().flat_map(|link| {
            [(format!("link `{}`", link.name), &link.there), (format!("link `{}` on the way back", link.name), &link.back)]
        });
        for (whose, law) in implied.into_iter().chain(declared) {
            let laws = [("delay", Some(&law.delay)), ("jitter", law.jitter.as_ref()), ("hold", law.reorder.as_ref().map(|r| &r.hold))];
            for (what, law) in laws {
                self.problems.extend(law.and_then(|law| law.check().err()).map(|why| format!("the {what} of {whose}: {why}")));
            }
            if law.bandwidth.as_ref().is_some_and(|band| band.bytes_per_second == 0) {
                self.problems
                    .push(format!("{whose} has a bandwidth of zero, so nothing would ever cross it; leave it out for unlimited speed"));
            }
            if law.burst.as_ref().is_some_and(|burst| burst.good.is_zero() || burst.bad.is_zero()) {
                self.problems
                    .push(format!("{whose} has a burst with a period of no length; both its good and its bad period last some time"));
            }
        }
    }

    /// The links that are declared by name. Names `lan` and `core` when they are first used.
    fn declared(&mut self) -> Vec<Link> {
        let mut links = Vec::new();
        for (index, link) in self.config.links.iter().enumerate() {
            let ends = [self.end(link, &link.from), self.end(link, &link.to)];
            if let [Some(a), Some(b)] = ends {
                if a == b {
                    self.problems.push(format!("link `{}` leads from `{}` to itself", link.name, link.from));
                }
                let class = REGIONS + 1 + count(index) * 2;
                links.push(Link { name: link.name.clone(), ends: [a, b], classes: [class, class + 1] });
            }
        }
        links
    }

    fn end(&mut self, link: &LinkConfig, name: &'a str) -> Option<u32> {
        if let Some((_, number)) = self.found.get(name) {
            return Some(*number);
        }
        if name == LAN || name == CORE {
            return Some(self.name(Kind::Switch, name));
        }
        let hint = closest(name, self.found.keys().copied().chain([LAN]));
        self.problems.push(format!("link `{}` leads to `{name}`, which is no host, zone, region or switch{hint}", link.name));
        None
    }

    /// The switch to which each host has an implied uplink, if it has one: its zone's, or `lan` when it has neither a zone nor
    /// a link of its own.
    fn homes(&mut self, zone_of: &[Option<usize>], declared: &[Link]) -> Vec<Option<u32>> {
        let mut linked = vec![false; self.names.len()];
        for end in declared.iter().flat_map(|link| link.ends) {
            linked[end as usize] = true;
        }
        let zone = |index: usize| count(self.hosts.len() + index);
        let stray = (0..self.hosts.len()).any(|host| zone_of[host].is_none() && !linked[host]);
        let mut homes: Vec<Option<u32>> = zone_of.iter().map(|index| index.map(zone)).collect();
        if stray {
            let lan = self.switch(LAN);
            for (home, _) in homes.iter_mut().zip(&linked).filter(|(_, linked)| !**linked) {
                home.get_or_insert(lan);
            }
        }
        homes
    }

    /// The switch of this name, made if need be.
    fn switch(&mut self, name: &'a str) -> u32 {
        match self.found.get(name) {
            Some((Kind::Switch, number)) => *number,
            Some(_) | None => self.name(Kind::Switch, name),
        }
    }

    /// The links that zones and regions imply, less those that a declared one replaces.
    fn implied(&mut self, homes: &[Option<u32>], regions: &[&'a str], declared: &[Link]) -> Vec<Link> {
        let config = self.config;
        let mut zones: Vec<(u32, Option<&str>)> =
            (0..config.zones.len()).map(|index| (count(self.hosts.len() + index), config.zones[index].region.as_deref())).collect();
        if let Some((Kind::Switch, lan)) = self.found.get(LAN)
            && !zones.is_empty()
        {
            zones.push((*lan, None));
        }
        let mut tops: Vec<u32> = regions.iter().filter_map(|region| self.found.get(region)).map(|(_, number)| *number).collect();
        if zones.iter().any(|(_, region)| region.is_none()) {
            tops.push(self.switch(CORE));
        }
        let uplinks = homes.iter().enumerate().filter_map(|(host, home)| home.map(|switch| (count(host), switch)));
        let mut all: Vec<([u32; 2], [u32; 2])> = uplinks.map(|(host, switch)| ([host, switch], [WITHIN_UP, WITHIN_DOWN])).collect();
        for (zone, region) in zones {
            if let Some((_, top)) = self.found.get(region.unwrap_or(CORE)) {
                all.push(([zone, *top], [ZONE_UP, ZONE_DOWN]));
            }
        }
        for (index, a) in tops.iter().enumerate() {
            all.extend(tops[index + 1..].iter().map(|b| ([*a, *b], [REGIONS, REGIONS])));
        }
        let mut replaced: Vec<[u32; 2]> = declared.iter().map(|link| sorted(link.ends)).collect();
        replaced.sort_unstable();
        all.retain(|(ends, _)| replaced.binary_search(&sorted(*ends)).is_err());
        let name = |ends: [u32; 2]| format!("{}-{}", self.names[ends[0] as usize], self.names[ends[1] as usize]);
        all.into_iter().map(|(ends, classes)| Link { name: name(ends), ends, classes }).collect()
    }

    /// The hosts behind each zone, region and switch.
    fn groups(&self, homes: &[Option<u32>], declared: &[Link], regions: &[&'a str]) -> BTreeMap<String, Vec<NodeId>> {
        let mut groups: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
        let hosts = self.hosts.len();
        for name in &self.names[hosts..] {
            groups.insert(String::from(*name), Vec::new());
        }
        let mut put = |name: &str, host: usize| groups.entry(String::from(name)).or_default().push(NodeId::at(host));
        for (host, home) in homes.iter().enumerate() {
            let Some(home) = home.map(|switch| switch as usize) else { continue };
            put(self.names[home], host);
            if let Some(region) = self.config.zones.get(home - hosts).and_then(|zone| zone.region.as_deref()) {
                put(region, host);
            }
        }
        let plain_switch = |end: u32| {
            let name = self.names[end as usize];
            end as usize >= hosts + self.config.zones.len() && !regions.contains(&name)
        };
        for [a, b] in declared.iter().map(|link| link.ends) {
            for (host, switch) in [(a, b), (b, a)] {
                if (host as usize) < hosts && plain_switch(switch) {
                    put(self.names[switch as usize], host as usize);
                }
            }
        }
        for members in groups.values_mut() {
            members.sort_unstable();
            members.dedup();
        }
        groups
    }

    /// Two links of one name would be one fault's target.
    fn check_links(&mut self, declared: &[Link], implied: &[Link]) {
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        for (link, is_declared) in declared.iter().map(|link| (link, true)).chain(implied.iter().map(|link| (link, false))) {
            let name = link.name.as_str();
            if name.is_empty() {
                self.problems.push(String::from("a link has an empty name"));
            } else if let Some(first) = names.insert(name, is_declared) {
                let two = if first && !is_declared { "is declared and also implied by its ends" } else { "stands for two links" };
                self.problems.push(format!("the link name `{name}` {two}; rename one"));
            }
        }
    }

    /// Every host leads to every other, at least through others.
    fn check_islands(&mut self, links: &[Link]) {
        let mut islands = UnionFind::<u32>::new(self.names.len());
        for link in links {
            islands.union(link.ends[0], link.ends[1]);
        }
        let main = self.hosts.first().map(|_| islands.find(0));
        let outside = |range: std::ops::Range<usize>| -> Vec<&str> {
            range.filter(|vertex| Some(islands.find(count(*vertex))) != main).map(|vertex| self.names[vertex]).collect()
        };
        let (hosts, switches) = (outside(0..self.hosts.len()), outside(self.hosts.len()..self.names.len()));
        let mut problems = Vec::new();
        if !hosts.is_empty() {
            let first = self.names[0];
            problems.push(format!("no link leads from `{first}` to {}; join their switches by a link", listed(&hosts)));
        } else if !switches.is_empty() && main.is_some() {
            problems.push(format!("no link leads to {}; add one or leave it out", listed(&switches)));
        }
        self.problems.extend(problems);
    }
}

/// Some names for a sentence: the first three, and how many more.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(3).map(|name| format!("`{name}`")).collect();
    let more = names.len() - shown.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}

/// A pair in order.
fn sorted([a, b]: [u32; 2]) -> [u32; 2] {
    [a.min(b), a.max(b)]
}

/// `; did you mean …?` when some name is near.
fn closest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let near = known.map(|other| (strsim::damerau_levenshtein(name, other), other)).min();
    match near {
        Some((distance, other)) if distance <= 2.max(name.len() / 3) && distance < name.len() => format!("; did you mean `{other}`?"),
        Some(_) | None => String::new(),
    }
}
