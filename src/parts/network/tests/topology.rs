//! Sums of delays, ways around, and what a wrong topology is told.

use super::*;

/// Two regions of two zones, two hosts a zone.
fn world() -> NetworkConfig {
    let mut config = NetworkConfig::flat(constant(1));
    config.between_zones = constant(10);
    config.between_regions = constant(100);
    config.zones = vec![
        zone("east", Some("eu"), &["e1", "e2"]),
        zone("west", Some("eu"), &["w1", "w2"]),
        zone("north", Some("us"), &["n1", "n2"]),
        zone("south", Some("us"), &["s1", "s2"]),
    ];
    config
}

const ROSTER: [&str; 8] = ["e1", "e2", "w1", "w2", "n1", "n2", "s1", "s2"];

fn delay(network: &mut Network, from: u32, to: u32) -> u64 {
    let mean = network.mean_delay(NodeId(from), NodeId(to)).unwrap();
    let at = arrival(network.route(Time::ZERO, &datagram(from, to, 1))).unwrap();
    assert_eq!(at.since(Time::ZERO), mean, "constant delays are their mean");
    mean.as_nanos() / 1_000_000
}

fn way(network: &Network, from: u32, to: u32) -> Vec<&str> {
    let links = network.path(NodeId(from), NodeId(to)).expect("there is a way");
    links.into_iter().map(|link| network.link_name(link)).collect()
}

#[test]
fn delays_add_up_as_documented() {
    let mut network = Network::new(&world(), &names(&ROSTER), 1).unwrap();
    for from in 0..8 {
        for to in 0..8 {
            let expected = match (from / 2 == to / 2, from / 4 == to / 4) {
                (true, _) => u64::from(from != to),
                (false, true) => 11,
                (false, false) => 111,
            };
            assert_eq!(delay(&mut network, from, to), expected, "{from} to {to}");
        }
    }
    assert_eq!(way(&network, 0, 7), ["e1-east", "east-eu", "eu-us", "south-us", "s2-south"]);
    let group = |name: &str| network.zone_members(name).map(|nodes| nodes.iter().map(|node| node.0).collect::<Vec<_>>());
    assert_eq!(group("west"), Some(vec![2, 3]));
    assert_eq!(group("us"), Some(vec![4, 5, 6, 7]));
    assert_eq!(group("mars"), None);
}

#[test]
fn hosts_outside_all_zones_stand_beside_them() {
    let mut config = world();
    for zone in &mut config.zones[2..] {
        zone.region = None;
    }
    let roster: Vec<String> = names(&ROSTER).into_iter().chain(names(&["client"])).collect();
    let mut network = Network::new(&config, &roster, 1).unwrap();
    assert_eq!(delay(&mut network, 8, 4), 11);
    assert_eq!(delay(&mut network, 8, 0), 111);
    assert_eq!(way(&network, 8, 4), ["client-lan", "lan-core", "north-core", "n1-north"]);
    assert_eq!(network.zone_members("lan"), Some(vec![NodeId(8)]));
}

#[test]
fn declared_links_replace_implied_ones_and_shorten_ways() {
    let mut config = world();
    config.links = vec![
        cable("slow", "eu", "us", constant(70)),
        cable("attic", "e1", "east", constant(5)),
        cable("tunnel", "west", "north", constant(2)),
    ];
    let mut network = Network::new(&config, &names(&ROSTER), 1).unwrap();
    assert_eq!(delay(&mut network, 2, 4), 3, "through the tunnel");
    assert_eq!(delay(&mut network, 1, 6), 1 + 10 + 2 + 10, "the tunnel beats the ocean");
    assert_eq!(delay(&mut network, 0, 1), 5, "its own cable up");
    assert_eq!(delay(&mut network, 1, 0), 1 + 5, "a declared way down has its own delay");
    let tunnel = network.link("tunnel").unwrap();
    network.impose(FaultId(0), Layer::CutLink { link: tunnel });
    assert_eq!(delay(&mut network, 1, 6), 1 + 10 + 70);
    assert_eq!(network.link("eu-us"), None, "replaced");
    network.lift(FaultId(0));
    assert_eq!(delay(&mut network, 1, 6), 23);
}

#[test]
fn directions_have_their_own_laws() {
    let mut config = NetworkConfig::flat(constant(1));
    let line =
        LinkConfig { there: constant(2), back: LinkLaw { loss: Chance::ALWAYS, ..constant(30) }, ..cable("dsl", "h0", "lan", constant(0)) };
    config.links = vec![line];
    let mut network = Network::new(&config, &hosts(3), 1).unwrap();
    assert_eq!(delay(&mut network, 0, 1), 2);
    assert_eq!(network.mean_delay(NodeId(1), NodeId(0)), Some(Span::millis(31)));
    assert_eq!(network.route(Time::ZERO, &datagram(1, 0, 0)), Fate::Lost { why: LossReason::Chance });
}

/// Three hosts on two switches; the middle one on both.
fn chain(joined: bool) -> NetworkConfig {
    let mut config = NetworkConfig::flat(constant(1));
    config.switches = names(&["left", "right"]);
    config.links = vec![
        cable("a", "h0", "left", constant(1)),
        cable("b1", "h1", "left", constant(1)),
        cable("b2", "h1", "right", constant(1)),
        cable("c", "h2", "right", constant(1)),
    ];
    if joined {
        config.links.push(cable("trunk", "left", "right", constant(4)));
    }
    config
}

#[test]
fn cutting_a_trunk_makes_a_partial_partition() {
    let mut network = Network::new(&chain(true), &hosts(3), 1).unwrap();
    assert_eq!(delay(&mut network, 0, 2), 1 + 4 + 1);
    let trunk = network.link("trunk").unwrap();
    let cause = FaultId(3);
    network.impose(cause, Layer::CutLink { link: trunk });
    let reaches = |network: &Network, a: u32, b: u32| network.blocked(NodeId(a), NodeId(b)).is_none();
    let table: Vec<bool> = [(0, 1), (1, 2), (0, 2), (2, 0)].into_iter().map(|(a, b)| reaches(&network, a, b)).collect();
    assert_eq!(table, [true, true, false, false], "the middle reaches both, hosts never forward");
    assert_eq!(network.route(Time::ZERO, &datagram(0, 2, 0)), Fate::Lost { why: LossReason::Fault(cause) });
    assert_eq!(network.path(NodeId(0), NodeId(2)), None);
    assert_eq!(network.mean_delay(NodeId(0), NodeId(2)), None);
    assert_eq!(network.touched(cause), 1);
    network.lift(cause);
    assert!(reaches(&network, 0, 2));
}

#[test]
fn hosts_that_only_a_third_joins_have_no_route() {
    let mut network = Network::new(&chain(false), &hosts(3), 1).unwrap();
    assert_eq!(network.blocked(NodeId(0), NodeId(2)), Some(LossReason::NoRoute));
    assert_eq!(network.route(Time::ZERO, &datagram(0, 2, 0)), Fate::Lost { why: LossReason::NoRoute });
    assert_eq!(delay(&mut network, 0, 1), 2);
}

#[test]
fn detours_count_and_a_cut_uplink_is_final() {
    let mut config = chain(true);
    config.links.push(cable("spare", "left", "right", constant(4)));
    let mut network = Network::new(&config, &hosts(3), 1).unwrap();
    assert_eq!(way(&network, 0, 2), ["a", "trunk", "c"], "equal ways: the first declared");
    let (trunk, uplink) = (network.link("trunk").unwrap(), network.link("a").unwrap());
    network.impose(FaultId(1), Layer::CutLink { link: trunk });
    assert_eq!(way(&network, 0, 2), ["a", "spare", "c"]);
    assert!(arrival(network.route(Time::ZERO, &datagram(0, 2, 0))).is_some());
    assert!(arrival(network.route(Time::ZERO, &datagram(0, 1, 0))).is_some());
    assert_eq!(network.touched(FaultId(1)), 1, "only the message that had to go round");
    network.impose(FaultId(2), Layer::CutLink { link: uplink });
    network.impose(FaultId(0), Layer::CutLink { link: uplink });
    assert_eq!(network.blocked(NodeId(0), NodeId(2)), Some(LossReason::Fault(FaultId(0))));
    network.lift(FaultId(0));
    assert_eq!(network.blocked(NodeId(0), NodeId(2)), Some(LossReason::Fault(FaultId(2))), "another cause still cuts it");
    network.lift(FaultId(2));
    assert_eq!(network.blocked(NodeId(0), NodeId(2)), None);
}

#[test]
fn adding_hosts_and_zones_changes_nobodys_fate() {
    let harsh = LinkLaw {
        loss: percent("10%"),
        duplicate: percent("10%"),
        burst: Some(Burst { good: Span::millis(40), bad: Span::millis(5), loss_good: Chance::NEVER, loss_bad: percent("60%") }),
        ..spread()
    };
    let mut small = NetworkConfig::flat(harsh.clone());
    small.between_zones = LinkLaw { loss: percent("5%"), ..harsh };
    small.zones = vec![zone("x", None, &["h0", "h1"]), zone("y", None, &["h2"])];
    let mut large = small.clone();
    large.zones.insert(0, zone("new", Some("far"), &["h5"]));
    large.zones[1].hosts.push("h4".into());
    let mut few = Network::new(&small, &hosts(4), 9).unwrap();
    let mut many = Network::new(&large, &hosts(6), 9).unwrap();
    for subject in 0..4_000 {
        let now = Time::from_nanos(subject * 100_000);
        let message = datagram((subject % 4) as u32, (subject / 4 % 4) as u32, subject);
        let _more_traffic = (many.route(now, &datagram(4, 0, subject)), many.route(now, &datagram(0, 5, subject)));
        assert_eq!(few.route(now, &message), many.route(now, &message));
    }
}

#[test]
fn ten_thousand_hosts_cost_ten_thousand() {
    let network = flat(spread(), 10_000);
    assert_eq!((network.shape.core_size(), network.shape.link_count()), (1, 10_000));
    assert_eq!((network.queues.len(), network.bursts.len(), network.touched.len()), (0, 0, 0), "a fork copies nothing");
    assert_eq!(network.link("h9999-lan"), Some(LinkId(9_999)));
}

/// How a good configuration is made wrong.
type Spoil = fn(&mut NetworkConfig);

/// What is wrong, and what is said.
const WRONG: [(Spoil, &str); 16] = [
    (|c| c.zones = vec![zone("z", None, &["h0", "h7"])], "zone `z` names the host `h7`, which does not exist; did you mean `h0`?"),
    (|c| c.zones = vec![zone("z", None, &["h0", "h0"])], "zone `z` names the host `h0` twice"),
    (
        |c| c.zones = vec![zone("y", None, &["h0"]), zone("z", None, &["h0"])],
        "host `h0` is in the zones `y` and `z`; a host lies in one zone (to reach several switches, give it links)",
    ),
    (|c| c.zones = vec![zone("z", None, &[])], "zone `z` has no hosts; a switch without hosts belongs into `switches`"),
    (
        |c| c.zones = vec![zone("z", Some("h1"), &["h0"])],
        "a host and a region are called `h1`; hosts, zones, regions and switches need names of their own",
    ),
    (|c| c.switches = names(&["s", "s"]), "two switches are called `s`; hosts, zones, regions and switches need names of their own"),
    (|c| c.switches = names(&["s"]), "no link leads to `s`; add one or leave it out"),
    (
        |c| c.links = vec![cable("x", "h0", "lam", constant(1))],
        "link `x` leads to `lam`, which is no host, zone, region or switch; did you mean `lan`?",
    ),
    (|c| c.links = vec![cable("x", "h0", "h0", constant(1))], "link `x` leads from `h0` to itself"),
    (
        |c| c.links = vec![cable("h1-lan", "h0", "lan", constant(1))],
        "the link name `h1-lan` is declared and also implied by its ends; rename one",
    ),
    (
        |c| c.links = vec![cable("x", "h0", "lan", constant(1)), cable("x", "h1", "lan", constant(1))],
        "the link name `x` stands for two links; rename one",
    ),
    (
        |c| {
            c.switches = names(&["s"]);
            c.links = vec![cable("x", "h0", "s", constant(1))];
        },
        "no link leads from `h0` to `h1`, `h2`; join their switches by a link",
    ),
    (
        |c| c.within.bandwidth = Some(Bandwidth { bytes_per_second: 0, queue_bytes: None }),
        "`within` has a bandwidth of zero, so nothing would ever cross it; leave it out for unlimited speed",
    ),
    (
        |c| {
            let burst = Burst { good: Span::ZERO, bad: Span::millis(1), loss_good: Chance::NEVER, loss_bad: Chance::ALWAYS };
            c.links = vec![cable("x", "h0", "lan", constant(1))];
            c.links[0].back.burst = Some(burst);
        },
        "link `x` on the way back has a burst with a period of no length; both its good and its bad period last some time",
    ),
    (
        |c| c.within.jitter = Some(Law::Uniform { low: Span::millis(2), high: Span::millis(1) }),
        "the jitter of `within`: the shortest span 2ms is longer than the longest, 1ms",
    ),
    (
        |c| {
            c.zones = vec![zone("lan", None, &["h0"])];
            c.links = vec![];
        },
        "a zone and a switch are called `lan`; hosts, zones, regions and switches need names of their own",
    ),
];

#[test]
fn wrong_topologies_are_told() {
    for (spoil, message) in WRONG {
        let mut config = NetworkConfig::flat(constant(1));
        spoil(&mut config);
        assert_eq!(Network::new(&config, &hosts(3), 1).unwrap_err(), [message]);
    }
    let twice = names(&["h0", "h0"]);
    let problems = Network::new(&NetworkConfig::flat(constant(1)), &twice, 1).unwrap_err();
    assert!(problems[0].starts_with("two hosts are called `h0`"), "{problems:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let mut config = NetworkConfig::flat(constant(1));
    config.zones = vec![zone("z", None, &["h0", "h9"]), zone("y", None, &["h0"])];
    config.links = vec![cable("x", "h1", "nowhere", constant(1))];
    assert_eq!(Network::new(&config, &hosts(3), 1).unwrap_err().len(), 3);
}
