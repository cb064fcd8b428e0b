//! Who reaches whom under each shape of partition, and that causes overlap and part without a trace.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn nodes(list: &[u32]) -> Vec<NodeId> {
    list.iter().map(|i| NodeId(*i)).collect()
}

/// One row for each sender: `x` where its messages are eaten.
fn table(network: &Network, count: u32) -> Vec<String> {
    let mark = |from: u32, to: u32| match network.blocked(NodeId(from), NodeId(to)) {
        Some(_) => 'x',
        None => '.',
    };
    (0..count).map(|from| (0..count).map(|to| mark(from, to)).collect()).collect()
}

fn under(pairs: Pairs, count: u32) -> Vec<String> {
    let mut network = flat(constant(1), count as usize);
    network.impose(FaultId(0), Layer::Cut { pairs });
    let table = table(&network, count);
    network.lift(FaultId(0));
    assert!((0..count).all(|a| (0..count).all(|b| network.blocked(NodeId(a), NodeId(b)).is_none())));
    table
}

#[test]
fn shapes_of_partitions() {
    let all = nodes(&[0, 1, 2, 3, 4]);
    assert_eq!(under(Pairs::one_way(&nodes(&[0, 1]), &nodes(&[1, 2])), 3), [".xx", "..x", "..."]);
    assert_eq!(under(Pairs::both_ways(&nodes(&[0]), &nodes(&[1, 2])), 4), [".xx.", "x...", "x...", "...."]);
    assert_eq!(under(Pairs::halves(&all), 5), ["..xxx", "..xxx", "xx...", "xx...", "xx..."]);
    assert_eq!(under(Pairs::isolate(&nodes(&[1, 3]), 4), 4), [".x.x", "x.x.", ".x.x", "x.x."]);
    assert_eq!(under(Pairs::bridge(&all), 5), [".....", "...xx", "...xx", ".xx..", ".xx.."]);
    assert_eq!(under(Pairs::majorities_ring(&all), 5), ["..xx.", "...xx", "x...x", "xx...", ".xx.."]);
    assert_eq!(under(Pairs::majorities_ring(&all[..3]), 3), ["..x", "...", "x.."]);
    assert_eq!(under(Pairs::none(), 2), ["..", ".."]);
    for few in [&all[..0], &all[..1], &all[..2]] {
        assert!(Pairs::majorities_ring(few).is_empty());
        assert!(Pairs::bridge(few).is_empty());
    }
    assert!(Pairs::both_ways(&all[..1], &all[..1]).is_empty(), "nobody is cut from itself");
}

#[test]
fn in_a_ring_everyone_sees_another_majority() {
    for count in 3..40 {
        let ring: Vec<NodeId> = (0..count).map(NodeId).collect();
        let pairs = Pairs::majorities_ring(&ring);
        let sights: Vec<Vec<u32>> = ring
            .iter()
            .map(|a| (0..count).filter(|b| !pairs.contains(*a, NodeId(*b)) && !pairs.contains(NodeId(*b), *a)).collect())
            .collect();
        let mut distinct = sights.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), sights.len());
        assert!(sights.iter().all(|seen| seen.len() > count as usize / 2), "{count}: {sights:?}");
        assert!(count < 4 || sights.iter().all(|seen| seen.len() < count as usize));
    }
}

#[test]
fn two_causes_on_one_pair_part_cleanly() {
    let mut network = flat(constant(1), 3);
    network.impose(FaultId(5), Layer::Cut { pairs: Pairs::both_ways(&nodes(&[0]), &nodes(&[1])) });
    network.impose(FaultId(2), Layer::Cut { pairs: Pairs::isolate(&nodes(&[0]), 3) });
    assert_eq!(table(&network, 3), [".xx", "x..", "x.."]);
    assert_eq!(network.route(Time::ZERO, &datagram(0, 1, 1)), Fate::Lost { why: LossReason::Fault(FaultId(2)) });
    network.lift(FaultId(2));
    assert_eq!(table(&network, 3), [".x.", "x..", "..."]);
    assert_eq!(network.route(Time::ZERO, &datagram(0, 1, 1)), Fate::Lost { why: LossReason::Fault(FaultId(5)) });
    network.lift(FaultId(5));
    network.lift(FaultId(5));
    assert_eq!(table(&network, 3), ["...", "...", "..."]);
    assert_eq!((network.touched(FaultId(2)), network.touched(FaultId(5)), network.touched(FaultId(9))), (1, 1, 0));
}

#[test]
fn a_fault_has_several_layers_and_loses_them_together() {
    let mut network = flat(constant(1), 3);
    let one = Law::Constant(Span::millis(1)).sampler();
    for extra in [one.clone(), one, Law::Constant(Span::ZERO).sampler()] {
        network.impose(FaultId(0), Layer::Jam { pairs: Pairs::one_way(&nodes(&[0]), &nodes(&[1, 2])), extra });
    }
    network.impose(FaultId(0), Layer::Cut { pairs: Pairs::one_way(&nodes(&[1]), &nodes(&[2])) });
    assert_eq!(arrival(network.route(Time::ZERO, &datagram(0, 1, 1))), Some(Time::ZERO + Span::millis(3)));
    assert_eq!(network.touched(FaultId(0)), 1, "two layers of one fault, one message");
    assert!(network.blocked(NodeId(1), NodeId(2)).is_some());
    network.lift(FaultId(0));
    assert_eq!(arrival(network.route(Time::ZERO, &datagram(0, 1, 1))), Some(Time::ZERO + Span::millis(1)));
    assert!(network.blocked(NodeId(1), NodeId(2)).is_none());
    assert_eq!(network.touched(FaultId(0)), 1, "a count outlives its fault");
}

#[test]
fn a_jam_of_no_length_touches_nothing() {
    let mut network = flat(constant(1), 2);
    let extra = Law::Constant(Span::ZERO).sampler();
    network.impose(FaultId(0), Layer::Jam { pairs: Pairs::one_way(&nodes(&[0]), &nodes(&[1])), extra });
    assert!(arrival(network.route(Time::ZERO, &datagram(0, 1, 1))).is_some());
    assert_eq!(network.touched(FaultId(0)), 0);
}

#[test]
fn drops_take_their_share_of_one_kind_and_are_drawn_apart() {
    let pairs = Pairs::one_way(&nodes(&[0]), &nodes(&[1]));
    let mut network = flat(LinkLaw { loss: percent("10%"), ..spread() }, 2);
    let mut healthy = network.clone();
    network.impose(FaultId(0), Layer::Drop { pairs: pairs.clone(), kind: Some(3), chance: percent("30%") });
    network.impose(FaultId(1), Layer::Drop { pairs, kind: Some(4), chance: Chance::ALWAYS });
    let mut by_cause: BTreeMap<LossReason, u64> = BTreeMap::new();
    let total = 20_000;
    for subject in 0..total {
        let message = datagram(0, 1, subject);
        let (fate, usual) = (network.route(Time::ZERO, &message), healthy.route(Time::ZERO, &message));
        match fate {
            Fate::Lost { why } => *by_cause.entry(why).or_default() += 1,
            Fate::Deliver { .. } | Fate::Held { .. } => assert_eq!(fate, usual, "who is not dropped fares as without the fault"),
        }
    }
    let (dropped, lost) = (by_cause[&LossReason::Fault(FaultId(0))], by_cause[&LossReason::Chance]);
    assert!(near(dropped, total, (30, 100)) && near(lost, total, (7, 100)), "{by_cause:?}");
    assert_eq!((network.touched(FaultId(0)), network.touched(FaultId(1))), (dropped, 0));
}

#[test]
fn faults_that_are_numbered_anew_draw_what_they_drew() {
    let pairs = || Pairs::one_way(&nodes(&[0]), &nodes(&[1]));
    let elsewhere = || Pairs::one_way(&nodes(&[1]), &nodes(&[0]));
    let drop = |pairs, kind, percentage| Layer::Drop { pairs, kind, chance: percent(percentage) };
    let jam = |pairs, millis| Layer::Jam { pairs, extra: Law::Uniform { low: Span::ZERO, high: Span::millis(millis) }.sampler() };
    let fates = |layers: Vec<(u32, Layer)>| {
        let mut network = flat(spread(), 2);
        layers.into_iter().for_each(|(cause, layer)| network.impose(FaultId(cause), layer));
        let fate = |subject| arrival(network.route(Time::ZERO, &datagram(0, 1, subject)));
        (0..500).map(fate).collect::<Vec<Option<Time>>>()
    };
    let ours = |first: u32, second: u32| {
        vec![(first, drop(pairs(), None, "20%")), (first, jam(pairs(), 5)), (second, drop(pairs(), None, "20%")), (second, jam(pairs(), 5))]
    };
    let plain = fates(ours(0, 1));
    assert_eq!(plain, fates(ours(3, 17)));
    let others = vec![(0, drop(elsewhere(), None, "50%")), (1, drop(pairs(), Some(999), "50%")), (2, jam(elsewhere(), 9))];
    assert_eq!(plain, fates(others.into_iter().chain(ours(3, 4)).collect()), "others' drops and jams are not counted");
    let lost = |fates: &[Option<Time>]| fates.iter().filter(|fate| fate.is_none()).count() as u64;
    assert!(near(lost(&plain), 500, (36, 100)), "two drops are drawn apart: {}", lost(&plain));
    let delay = |jams: &[u32]| fates(jams.iter().map(|cause| (*cause, jam(pairs(), 5))).collect());
    let (none, one, two) = (delay(&[]), delay(&[4]), delay(&[4, 5]));
    let added = |subject: usize, a: &[Option<Time>], b: &[Option<Time>]| b[subject].unwrap().since(a[subject].unwrap());
    assert!((0..500).any(|n| added(n, &none, &one) != added(n, &one, &two)), "and so are two jams");
}

#[test]
fn a_clog_holds_until_all_that_hold_are_gone() {
    let pairs = || Pairs::one_way(&nodes(&[0]), &nodes(&[1]));
    let mut network = flat(constant(1), 2);
    network.impose(FaultId(1), Layer::Clog { pairs: pairs() });
    network.impose(FaultId(0), Layer::Clog { pairs: pairs() });
    assert_eq!(network.route(Time::ZERO, &datagram(0, 1, 1)), Fate::Held { cause: FaultId(0) });
    assert_eq!(network.blocked(NodeId(0), NodeId(1)), None, "held is not eaten");
    network.lift(FaultId(0));
    assert_eq!(network.route(Time::ZERO, &datagram(0, 1, 1)), Fate::Held { cause: FaultId(1) });
    network.impose(FaultId(2), Layer::Cut { pairs: pairs() });
    assert_eq!(network.route(Time::ZERO, &datagram(0, 1, 1)), Fate::Lost { why: LossReason::Fault(FaultId(2)) });
    network.lift(FaultId(2));
    network.lift(FaultId(1));
    assert!(arrival(network.route(Time::ZERO, &datagram(0, 1, 1))).is_some());
    assert_eq!([0, 1, 2].map(|i| network.touched(FaultId(i))), [1, 1, 1]);
}

#[test]
fn steps_of_layers_and_links_never_meet() {
    let mut steps = Vec::new();
    for resend in 0..20 {
        for copy in [false, true] {
            steps.extend((0..160).map(|position| layers::layer_step(position, copy, resend)));
            steps.extend((0..10).map(|hop| link::step(hop, copy, resend)));
        }
    }
    let count = steps.len();
    steps.sort_unstable();
    steps.dedup();
    assert_eq!(steps.len(), count);
}

/// A network, described so plainly that everything can be computed from scratch: links with constant delays (in ms), by ends;
/// hosts come first.
#[derive(Clone, Debug)]
struct Plain {
    hosts: usize,
    switches: usize,
    links: Vec<(usize, usize, u64)>,
}

/// One act upon the network.
#[derive(Clone, Debug)]
enum Act {
    Cut(u32, u32, u32),
    CutLink(u32, usize),
    Jam(u32, u32, u32),
    Drop(u32, u32, bool),
    Clog(u32, u32, u32),
    Lift(u32),
}

/// The set of causes and what each does, evaluated anew for each question.
#[derive(Default)]
struct Twin {
    active: BTreeMap<u32, Vec<Act>>,
    touched: BTreeMap<u32, u64>,
}

impl Plain {
    fn network(&self) -> Network {
        let name = |vertex: usize| if vertex < self.hosts { format!("h{vertex}") } else { format!("s{vertex}") };
        let mut config = NetworkConfig::flat(constant(0));
        config.switches = (0..self.switches).map(|i| name(self.hosts + i)).collect();
        let link = |(i, (a, b, millis)): (usize, &(usize, usize, u64))| cable(&format!("l{i}"), &name(*a), &name(*b), constant(*millis));
        config.links = self.links.iter().enumerate().map(link).collect();
        Network::new(&config, &hosts(self.hosts), 1).unwrap()
    }

    /// Of all simple paths, the one of least delay, then fewest links, then first links.
    fn best(&self, from: usize, to: usize, cut: &[usize]) -> Option<(u64, Vec<usize>)> {
        let mut best: Option<(u64, usize, Vec<usize>)> = None;
        let mut open = vec![(from, vec![from], 0, Vec::new())];
        while let Some((at, seen, delay, path)) = open.pop() {
            if at == to {
                let found = (delay, path.len(), path);
                best = Some(best.map_or(found.clone(), |known| known.min(found)));
                continue;
            }
            if at != from && at < self.hosts {
                continue;
            }
            for (id, (a, b, millis)) in self.links.iter().enumerate().filter(|(id, _)| !cut.contains(id)) {
                let next = if *a == at { *b } else { *a };
                if (*a == at || *b == at) && !seen.contains(&next) {
                    let (mut seen, mut path) = (seen.clone(), path.clone());
                    seen.push(next);
                    path.push(id);
                    open.push((next, seen, delay + millis, path));
                }
            }
        }
        best.map(|(delay, _, path)| (delay, path))
    }
}

impl Twin {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Lift(cause) => {
                self.active.remove(cause);
            }
            Act::Cut(cause, ..) | Act::CutLink(cause, _) | Act::Jam(cause, ..) | Act::Drop(cause, ..) | Act::Clog(cause, ..) => {
                self.active.entry(*cause).or_default().push(act.clone());
            }
        }
    }

    /// The causes with a layer of some sort, least first.
    fn causes(&self, does: impl Fn(&Act) -> bool) -> Vec<u32> {
        self.active.iter().filter(|(_, acts)| acts.iter().any(&does)).map(|(cause, _)| *cause).collect()
    }

    fn cut_links(&self) -> Vec<usize> {
        let link = |act: &Act| if let Act::CutLink(_, link) = act { Some(*link) } else { None };
        self.active.values().flatten().filter_map(link).collect()
    }

    fn path(&self, plain: &Plain, from: u32, to: u32) -> Option<(u64, Vec<usize>)> {
        plain.best(from as usize, to as usize, &self.cut_links())
    }

    /// What becomes of a message of kind 3, from scratch.
    fn route(&mut self, plain: &Plain, from: u32, to: u32) -> Fate {
        let hit = |a: &u32, b: &u32| *a == from && *b == to;
        let ever = plain.best(from as usize, to as usize, &[]);
        let cut_links = self.cut_links();
        let now = self.path(plain, from, to);
        let missing = ever.as_ref().and_then(|(_, path)| path.iter().find(|link| cut_links.contains(link)));
        let breaker = missing.map(|missing| self.causes(|act| matches!(act, Act::CutLink(_, link) if link == missing))[0]);
        let cuts = self.causes(|act| matches!(act, Act::Cut(_, a, b) if hit(a, b)));
        let clogs = self.causes(|act| matches!(act, Act::Clog(_, a, b) if hit(a, b)));
        let drops = self.causes(|act| matches!(act, Act::Drop(_, a, true) if *a == from));
        let eaters = [cuts.first(), breaker.as_ref().filter(|_| now.is_none())];
        if let Some(cause) = eaters[0] {
            return self.eat(*cause);
        }
        if ever.is_none() {
            return Fate::Lost { why: LossReason::NoRoute };
        }
        if let Some(cause) = eaters[1] {
            return self.eat(*cause);
        }
        if let Some(cause) = clogs.first() {
            *self.touched.entry(*cause).or_default() += 1;
            return Fate::Held { cause: FaultId(*cause) };
        }
        if let Some(cause) = drops.first() {
            return self.eat(*cause);
        }
        let mut delayers = self.causes(|act| matches!(act, Act::Jam(_, a, b) if hit(a, b)));
        delayers.extend(breaker);
        delayers.sort_unstable();
        delayers.dedup();
        for cause in delayers {
            *self.touched.entry(cause).or_default() += 1;
        }
        let jams = self.active.values().flatten().filter(|act| matches!(act, Act::Jam(_, a, b) if hit(a, b))).count();
        let millis = now.expect("not eaten").0 + jams as u64;
        Fate::Deliver { at: Time::ZERO + Span::millis(millis), damage: None, copy: None }
    }

    fn eat(&mut self, cause: u32) -> Fate {
        *self.touched.entry(cause).or_default() += 1;
        Fate::Lost { why: LossReason::Fault(FaultId(cause)) }
    }
}

/// Does to the network what an act says; drops are of one kind and total, jams of 1 ms.
fn perform(network: &mut Network, act: &Act) {
    let pair = |a: u32, b: u32| Pairs::one_way(&[NodeId(a)], &[NodeId(b)]);
    match *act {
        Act::Cut(cause, a, b) => network.impose(FaultId(cause), Layer::Cut { pairs: pair(a, b) }),
        Act::CutLink(cause, link) => network.impose(FaultId(cause), Layer::CutLink { link: LinkId::at(link) }),
        Act::Jam(cause, a, b) => {
            let extra = Law::Constant(Span::millis(1)).sampler();
            network.impose(FaultId(cause), Layer::Jam { pairs: pair(a, b), extra });
        }
        Act::Drop(cause, a, this_kind) => {
            let everyone: Vec<NodeId> = (0..10).map(NodeId).collect();
            let kind = Some(if this_kind { 3 } else { 4 });
            network.impose(FaultId(cause), Layer::Drop { pairs: Pairs::one_way(&[NodeId(a)], &everyone), kind, chance: Chance::ALWAYS });
        }
        Act::Clog(cause, a, b) => network.impose(FaultId(cause), Layer::Clog { pairs: pair(a, b) }),
        Act::Lift(cause) => network.lift(FaultId(cause)),
    }
}

fn plains() -> impl Strategy<Value = Plain> {
    (2usize..5, 1usize..5).prop_flat_map(|(hosts, switches)| {
        let spine = prop::collection::vec((0..switches, 0u64..3), switches - 1);
        let homes = prop::collection::vec((0..switches, 0u64..3), hosts);
        let more = prop::collection::vec((0..hosts + switches, 0..hosts + switches, 0u64..4), 0..6);
        (spine, homes, more).prop_map(move |(spine, homes, more)| {
            let mut links: Vec<(usize, usize, u64)> = more.into_iter().filter(|(a, b, _)| a != b).collect();
            links.extend(homes.iter().enumerate().map(|(host, (switch, millis))| (host, hosts + switch, *millis)));
            links.extend(spine.iter().enumerate().map(|(i, (to, millis))| (hosts + i + 1, hosts + to % (i + 1), *millis)));
            Plain { hosts, switches, links }
        })
    })
}

fn acts(plain: &Plain) -> impl Strategy<Value = Vec<Act>> + use<> {
    let (links, hosts) = (plain.links.len(), u32::try_from(plain.hosts).unwrap());
    let triple = (0u32..4, 0..hosts, 0..hosts);
    let act = prop_oneof![
        2 => triple.clone().prop_map(|(cause, a, b)| Act::Cut(cause, a, b)),
        6 => (0u32..4, 0..links).prop_map(|(cause, link)| Act::CutLink(cause, link)),
        3 => triple.clone().prop_map(|(cause, a, b)| Act::Jam(cause, a, b)),
        1 => (0u32..4, 0..hosts, any::<bool>()).prop_map(|(cause, a, this)| Act::Drop(cause, a, this)),
        2 => triple.prop_map(|(cause, a, b)| Act::Clog(cause, a, b)),
        3 => (0u32..4).prop_map(Act::Lift),
    ];
    prop::collection::vec(act, 0..12)
}

proptest! {
    /// Routes, fates, blame and counts are those of a twin that keeps a set of causes and computes all from scratch.
    #[test]
    fn layers_are_a_set_of_causes((plain, acts) in plains().prop_flat_map(|plain| { let acts = acts(&plain); (Just(plain), acts) })) {
        let mut network = plain.network();
        let mut twin = Twin::default();
        let count = u32::try_from(plain.hosts).unwrap();
        for act in std::iter::once(Act::Lift(0)).chain(acts) {
            perform(&mut network, &act);
            twin.act(&act);
            for (from, to) in (0..count).flat_map(|from| (0..count).map(move |to| (from, to))).filter(|(from, to)| from != to) {
                let fate = network.route(Time::ZERO, &datagram(from, to, 1));
                let path = twin.path(&plain, from, to).map(|(_, path)| path.into_iter().map(LinkId::at).collect::<Vec<_>>());
                prop_assert_eq!(network.path(NodeId(from), NodeId(to)), path);
                prop_assert_eq!(fate, twin.route(&plain, from, to), "{} to {} after {:?}", from, to, act);
            }
        }
        for cause in 0..4 {
            prop_assert_eq!(network.touched(FaultId(cause)), twin.touched.get(&cause).copied().unwrap_or(0));
        }
    }

    /// In what order causes come makes no difference, and when all are lifted nothing remains.
    #[test]
    fn order_of_causes_makes_no_difference(acts in acts(&Plain { hosts: 4, switches: 1, links: vec![(0, 4, 1); 4] }), seed in any::<u64>()) {
        let mut ordered = flat(LinkLaw { loss: percent("5%"), ..spread() }, 4);
        let mut shuffled = ordered.clone();
        let healthy = ordered.clone();
        // Only whole causes change places: among its own layers a fault's order is its own.
        let mut causes: Vec<u32> = (0..4).collect();
        for act in &acts {
            perform(&mut ordered, act);
        }
        crate::base::SmallStream::from_word(seed).shuffle(&mut causes);
        for cause in causes {
            for act in &acts {
                let whose = match act {
                    Act::Cut(c, ..) | Act::CutLink(c, _) | Act::Jam(c, ..) | Act::Drop(c, ..) | Act::Clog(c, ..) | Act::Lift(c) => *c,
                };
                if whose == cause {
                    perform(&mut shuffled, act);
                }
            }
        }
        let fates = |network: &mut Network| -> Vec<Fate> { (0..64).map(|i| network.route(Time::ZERO, &datagram(i % 4, i / 4 % 4, u64::from(i)))).collect() };
        prop_assert_eq!(fates(&mut ordered), fates(&mut shuffled));
        for cause in 0..4 {
            shuffled.lift(FaultId(cause));
        }
        prop_assert_eq!(fates(&mut shuffled), fates(&mut healthy.clone()));
    }
}
