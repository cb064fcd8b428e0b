//! What is configured is what is delivered, and no question's answer moves another's.

use super::*;

const MANY: u64 = 100_000;

#[test]
fn loss_is_the_configured_share_and_the_delay_its_law() {
    let mut network = flat(LinkLaw { loss: percent("1%"), ..spread() }, 3);
    let (mut lost, mut sum) = (0, 0);
    for subject in 0..MANY {
        match network.route(Time::ZERO, &datagram(0, 1, subject)) {
            Fate::Deliver { at, damage, copy } => {
                assert!((1_000_000..=10_000_000).contains(&at.nanos()) && damage.is_none() && copy.is_none());
                sum += at.nanos();
            }
            Fate::Lost { why } => {
                assert_eq!(why, LossReason::Chance);
                lost += 1;
            }
            Fate::Held { .. } => panic!("nothing holds it"),
        }
    }
    assert!(near(lost, MANY, (1, 100)), "{lost}");
    // The standard error of the mean of uniform 1–10 ms over 99,000 is 8.3 µs.
    assert!((sum / (MANY - lost)).abs_diff(5_500_000) < 42_000, "{}", sum / (MANY - lost));
}

#[test]
fn loss_moves_no_delay() {
    let mut healthy = flat(spread(), 3);
    let mut lossy = flat(LinkLaw { loss: percent("20%"), ..spread() }, 3);
    let mut shared = 0;
    for subject in 0..10_000 {
        let message = datagram(0, 1, subject);
        let fate = lossy.route(Time::ZERO, &message);
        if arrival(fate).is_some() {
            assert_eq!(fate, healthy.route(Time::ZERO, &message));
            shared += 1;
        }
    }
    assert!(near(shared, 10_000, (8, 10)), "{shared}");
}

/// A law with a bit of everything that keeps no state.
fn harsh() -> LinkLaw {
    LinkLaw {
        jitter: Some(Law::Uniform { low: Span::ZERO, high: Span::millis(1) }),
        loss: percent("3%"),
        duplicate: percent("20%"),
        reorder: Some(Reorder { chance: percent("10%"), hold: Law::Constant(Span::millis(50)) }),
        corrupt: Some(Corruption { chance: percent("5%"), checksum: false }),
        ..spread()
    }
}

fn stream(from: u32, to: u32, subject: u64, resend: u32) -> Transmission {
    Transmission { transport: Transport::Stream, resend, ..datagram(from, to, subject) }
}

#[test]
fn doubles_overtaking_and_damage_come_in_their_shares() {
    let mut network = flat(harsh(), 2);
    let [mut arrived, mut doubled, mut held, mut damaged, mut copies_damaged, mut sum] = [0; 6];
    let mut words = Vec::new();
    for subject in 0..MANY {
        let Fate::Deliver { at, damage, copy } = network.route(Time::ZERO, &datagram(0, 1, subject)) else { continue };
        arrived += 1;
        held += u64::from(at.nanos() > 50_000_000);
        sum += at.nanos();
        damaged += u64::from(damage.is_some());
        words.extend(damage);
        if let Some((copy_at, damage)) = copy {
            doubled += 1;
            assert_ne!(copy_at, at, "the copy has a delay of its own");
            copies_damaged += u64::from(damage.is_some());
        }
    }
    assert!(near(arrived, MANY, (97, 100)));
    assert!(near(doubled, arrived, (20, 100)) && near(held, arrived, (10, 100)) && near(damaged, arrived, (5, 100)));
    assert!(near(copies_damaged, doubled, (5, 100)));
    // 5.5 ms + 0.5 ms jitter + a tenth of 50 ms; the standard error is 49 µs.
    assert!((sum / arrived).abs_diff(11_000_000) < 250_000, "{}", sum / arrived);
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len() as u64, damaged, "each damage is another");
}

#[test]
fn each_fault_of_a_link_has_a_lane_of_its_own() {
    let without: [fn(&mut LinkLaw); 5] =
        [|l| l.loss = Chance::NEVER, |l| l.duplicate = Chance::NEVER, |l| l.reorder = None, |l| l.corrupt = None, |l| l.jitter = None];
    let mut all = flat(harsh(), 2);
    let fates: Vec<Fate> = (0..5_000).map(|subject| all.route(Time::ZERO, &datagram(0, 1, subject))).collect();
    for (which, change) in without.into_iter().enumerate() {
        let mut law = harsh();
        change(&mut law);
        let mut network = flat(law, 2);
        for (subject, full) in (0..).zip(&fates) {
            let less = network.route(Time::ZERO, &datagram(0, 1, subject));
            let Fate::Deliver { at, damage, copy } = *full else {
                assert!(which == 0 || less == *full);
                continue;
            };
            let Fate::Deliver { at: at_less, damage: damage_less, copy: copy_less } = less else {
                panic!("lost by a fault that is not there")
            };
            match which {
                0 => assert_eq!(less, *full),
                1 => assert_eq!((at_less, damage_less, copy_less), (at, damage, None)),
                2 => assert!((at_less == at || later(at_less, 50_000_000) == at) && damage_less == damage),
                3 => assert_eq!((at_less, damage_less, copy_less.map(|c| c.0)), (at, None, copy.map(|c| c.0))),
                _ => assert!(at_less <= at && at.since(at_less) <= Span::millis(1) && damage_less == damage),
            }
        }
    }
}

#[test]
fn the_short_way_decides_as_the_long_one() {
    let mut short = flat(LinkLaw { loss: percent("10%"), ..spread() }, 3);
    let mut long = short.clone();
    long.impose(FaultId(0), Layer::Cut { pairs: Pairs::none() });
    assert!(short.calm && !long.calm);
    for subject in 0..5_000 {
        let message = Transmission { resend: (subject % 7) as u32, ..datagram(0, 1 + (subject % 2) as u32, subject) };
        let now = Time::from_nanos(subject * 1_000);
        assert_eq!(short.route(now, &message), long.route(now, &message));
    }
}

#[test]
fn a_stream_knows_loss_and_delay_only() {
    let law = harsh();
    let mut network = flat(law.clone(), 2);
    let mut tame = flat(LinkLaw { duplicate: Chance::NEVER, ..law.clone() }, 2);
    let mut prompt = flat(LinkLaw { reorder: None, ..law }, 2);
    let (mut chance, mut checksum, mut held) = (0, 0, 0);
    for subject in 0..MANY {
        let segment = stream(0, 1, subject, 0);
        let fate = network.route(Time::ZERO, &segment);
        assert_eq!(fate, tame.route(Time::ZERO, &segment), "doubling concerns datagrams");
        // A segment that is held back comes later; that everything behind it waits is the connection's affair.
        let (at, sooner) = (arrival(fate), arrival(prompt.route(Time::ZERO, &segment)));
        assert!(at == sooner || at == sooner.map(|at| at + Span::millis(50)), "{at:?} {sooner:?}");
        held += u64::from(at != sooner);
        match fate {
            Fate::Deliver { damage, copy, .. } => assert!(damage.is_none() && copy.is_none()),
            Fate::Lost { why: LossReason::Chance } => chance += 1,
            Fate::Lost { why: LossReason::Checksum } => checksum += 1,
            Fate::Lost { .. } | Fate::Held { .. } => panic!("{fate:?}"),
        }
    }
    assert!(near(chance, MANY, (3, 100)) && near(checksum, MANY, (485, 10_000)), "{chance} {checksum}");
    assert!(near(held, MANY - chance - checksum, (10, 100)), "{held}");
}

#[test]
fn a_checksum_turns_damage_into_loss() {
    let mut network = flat(LinkLaw { corrupt: Some(Corruption { chance: percent("5%"), checksum: true }), ..harsh() }, 2);
    for subject in 0..5_000 {
        match network.route(Time::ZERO, &datagram(0, 1, subject)) {
            Fate::Deliver { damage, copy, .. } => assert!(damage.is_none() && copy.is_none_or(|(_, damage)| damage.is_none())),
            Fate::Lost { why } => assert!(matches!(why, LossReason::Chance | LossReason::Checksum)),
            Fate::Held { .. } => panic!("nothing holds it"),
        }
    }
}

#[test]
fn a_segment_sent_again_has_another_chance() {
    let mut network = flat(LinkLaw { loss: percent("50%"), ..spread() }, 2);
    // A geometric law: the mean number of transmissions is two.
    let sent: u64 = (0..10_000)
        .map(|subject| {
            let tries = (0..).find(|resend| arrival(network.route(Time::ZERO, &stream(0, 1, subject, *resend))).is_some());
            1 + u64::from(tries.expect("some try succeeds"))
        })
        .sum();
    // The standard error of the sum is sqrt(2 · 10,000) = 141.
    assert!(sent.abs_diff(20_000) < 700, "{sent}");
}

#[test]
fn losses_of_two_links_are_independent() {
    let mut config = NetworkConfig::flat(LinkLaw { loss: percent("20%"), ..spread() });
    config.between_zones = LinkLaw { loss: percent("20%"), ..spread() };
    config.zones = vec![zone("x", None, &["h0"]), zone("y", None, &["h1"])];
    let mut network = Network::new(&config, &hosts(2), 7).unwrap();
    let arrivals: Vec<u64> =
        (0..MANY).filter_map(|subject| arrival(network.route(Time::ZERO, &datagram(0, 1, subject)))).map(Time::nanos).collect();
    let count = arrivals.len() as u64;
    assert!(near(count, MANY, (64, 100)), "{count}");
    let sum: u64 = arrivals.iter().sum();
    assert!((sum / count).abs_diff(11_000_000) < 80_000, "two draws of 1 to 10 ms: {}", sum / count);
    // Two equal draws would leave the variance four times one link's, independent ones twice: 13.5 ms².
    let variance = arrivals.iter().map(|at| u128::from(at.abs_diff(11_000_000)).pow(2)).sum::<u128>() / u128::from(count);
    assert!(variance.abs_diff(13_500_000_000_000) < 500_000_000_000, "{variance}");
}

/// Good for 90 ms, bad for 10 ms; loses 1 % when good and 80 % when bad.
fn bursty() -> LinkLaw {
    let burst = Burst { good: Span::millis(90), bad: Span::millis(10), loss_good: percent("1%"), loss_bad: percent("80%") };
    LinkLaw { burst: Some(burst), ..spread() }
}

#[test]
fn bursts_have_their_share_and_length() {
    let mut network = flat(bursty(), 2);
    // One message each 0.2 ms for 400 s: about 4,000 bursts.
    let (gap, total) = (200_000, 2_000_000u64);
    let (mut lost, mut in_bad) = (0u64, 0u64);
    let (mut runs, mut bad_steps, mut was_bad) = (0u64, 0u64, false);
    for subject in 0..total {
        let now = Time::from_nanos(subject * gap);
        match network.route(now, &datagram(0, 1, subject)) {
            Fate::Lost { why: LossReason::Burst } => {
                lost += 1;
                in_bad += 1;
            }
            Fate::Lost { why: LossReason::Chance } => lost += 1,
            Fate::Deliver { .. } => {}
            fate @ (Fate::Lost { .. } | Fate::Held { .. }) => panic!("{fate:?}"),
        }
        let bad = network.shape.classes[0].burst.as_ref().unwrap().is_bad(&mut network.bursts[0], now);
        runs += u64::from(bad && !was_bad);
        bad_steps += u64::from(bad);
        was_bad = bad;
    }
    // Time-weighted: 0.9 · 1 % + 0.1 · 80 % = 8.9 %. The share of bad time over 4,000 cycles has a standard error of
    // 0.1 · 0.9 · sqrt(2 / 4000) = 0.2 %.
    let thousandths = lost * 100_000 / total;
    assert!(thousandths.abs_diff(8_900) < 800, "{thousandths}");
    assert!((in_bad * 1000 / total).abs_diff(80) < 8);
    // Mean length of a bad period, in steps of 0.2 ms, but for those that fall between two steps: (1 + 1/(e^0.02 − 1)) ≈ 50.5.
    let length = bad_steps * 100 / runs;
    assert!(length.abs_diff(5_050) < 420, "{length} hundredths of a step");
    // From 90 ms + 10 ms of a cycle, a few bursts shorter than a step unseen: 400 s / 100 ms · (1 − small).
    assert!(runs.abs_diff(3_960) < 320, "{runs}");
}

#[test]
fn a_burst_does_not_depend_on_who_asks() {
    let mut often = flat(bursty(), 2);
    let mut seldom = often.clone();
    for subject in 0..50_000u64 {
        let now = Time::from_nanos(subject * 1_000_000);
        let fate = often.route(now, &datagram(0, 1, subject));
        if subject % 97 == 0 {
            assert_eq!(seldom.route(now, &datagram(0, 1, subject)), fate);
        }
    }
    let (mut one, mut other) = (often.reseeded(1), often.reseeded(2));
    let fates = |n: &mut Network| -> Vec<Fate> { (0..500).map(|s| n.route(Time::from_nanos(s * 1_000_000), &datagram(0, 1, s))).collect() };
    let first = fates(&mut one);
    assert_ne!(first, fates(&mut other), "another seed, other bursts");
    assert_eq!(first, fates(&mut often.reseeded(1)));
}

#[test]
fn a_burst_may_be_on_from_the_start() {
    let network = flat(bursty(), 2);
    let bad = |seed: u64| {
        let mut network = network.reseeded(seed);
        let burst = network.shape.classes[0].burst.as_ref().unwrap();
        burst.is_bad(&mut network.bursts[0], Time::ZERO)
    };
    let count = (0..20_000).filter(|seed| bad(*seed)).count() as u64;
    assert!(near(count, 20_000, (1, 10)), "{count}");
}

#[test]
fn burst_and_ordinary_loss_are_drawn_apart() {
    let half = percent("50%");
    let burst = Burst { good: Span::millis(1), bad: Span::millis(1), loss_good: half, loss_bad: half };
    let mut network = flat(LinkLaw { loss: half, burst: Some(burst), ..spread() }, 2);
    let arrived = (0..MANY).filter(|subject| arrival(network.route(Time::ZERO, &datagram(0, 1, *subject))).is_some()).count();
    assert!(near(arrived as u64, MANY, (1, 4)), "{arrived}");
}

#[test]
fn bursts_move_no_delay() {
    let (mut with, mut without) = (flat(bursty(), 2), flat(spread(), 2));
    let mut shared = 0;
    for subject in 0..20_000 {
        let now = Time::from_nanos(subject * 1_000_000);
        let (fate, free) = (with.route(now, &datagram(0, 1, subject)), without.route(now, &datagram(0, 1, subject)));
        if arrival(fate).is_some() {
            assert_eq!(fate, free);
            shared += 1;
        }
    }
    assert!(shared > 17_000, "{shared}");
}

#[test]
fn a_clone_goes_on_alike_and_alone() {
    let law = LinkLaw { bandwidth: Some(Bandwidth { bytes_per_second: 2_000_000, queue_bytes: Some(20_000) }), ..harsh() };
    let mut network = flat(LinkLaw { burst: bursty().burst, ..law }, 3);
    network.impose(FaultId(0), Layer::Drop { pairs: Pairs::one_way(&[NodeId(0)], &[NodeId(1)]), kind: None, chance: percent("10%") });
    let ask = |network: &mut Network, subjects: std::ops::Range<u64>| -> Vec<Fate> {
        subjects.map(|s| network.route(Time::from_nanos(s * 400_000), &datagram((s % 3) as u32, (s / 3 % 3) as u32, s))).collect()
    };
    let mut twin = network.clone();
    let first = ask(&mut network, 0..2_000);
    let mut fork = network.clone();
    let second = ask(&mut network, 2_000..4_000);
    assert_eq!(ask(&mut fork, 2_000..4_000), second);
    assert_eq!((ask(&mut twin, 0..2_000), ask(&mut twin, 2_000..4_000)), (first, second));
    assert_eq!(twin.touched(FaultId(0)), network.touched(FaultId(0)));
    assert!(network.touched(FaultId(0)) > 20);
}
