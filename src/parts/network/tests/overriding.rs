//! Named outcomes: found by name, each for one transmission, and nobody else's fate moves.

use super::*;

fn table(list: Vec<(Transmission, Outcome)>) -> Arc<Overrides> {
    let list = list.into_iter().map(|(t, outcome)| Override { decision: t.decision.hash(), resend: t.resend, outcome }).collect();
    Arc::new(Overrides::new(list).unwrap())
}

#[test]
fn each_outcome_replaces_one_answer() {
    let nothing = Outcome::default();
    let list = vec![
        (datagram(0, 1, 1), Outcome { drop: Some(true), ..nothing }),
        (datagram(0, 1, 2), Outcome { delay: Some(Span::secs(3)), ..nothing }),
        (datagram(0, 1, 3), Outcome { duplicate: Some(true), ..nothing }),
        (datagram(0, 1, 4), nothing),
    ];
    let mut network = flat(spread(), 2);
    let mut free = network.clone();
    network.override_with(table(list));
    let fates: Vec<Fate> = (0..6).map(|subject| network.route(Time::ZERO, &datagram(0, 1, subject))).collect();
    let usual: Vec<Fate> = (0..6).map(|subject| free.route(Time::ZERO, &datagram(0, 1, subject))).collect();
    assert_eq!(fates[1], Fate::Lost { why: LossReason::Override });
    assert_eq!(arrival(fates[2]), Some(Time::ZERO + Span::secs(3)));
    assert!(matches!(fates[3], Fate::Deliver { copy: Some(_), .. }) && arrival(fates[3]) == arrival(usual[3]));
    for same in [0, 4, 5] {
        assert_eq!(fates[same], usual[same]);
    }
    assert_eq!(network.unmatched().count(), 0);
}

#[test]
fn what_chance_would_eat_can_be_spared_but_not_from_a_cut() {
    let lossy = LinkLaw { loss: Chance::ALWAYS, corrupt: Some(Corruption { chance: Chance::ALWAYS, checksum: true }), ..spread() };
    let mut network = flat(lossy, 2);
    let message = datagram(0, 1, 9);
    let pairs = Pairs::one_way(&[NodeId(0)], &[NodeId(1)]);
    network.override_with(table(vec![(message, Outcome { drop: Some(false), ..Outcome::default() })]));
    network.impose(FaultId(0), Layer::Drop { pairs: pairs.clone(), kind: None, chance: Chance::ALWAYS });
    let mut healthy = flat(spread(), 2);
    assert_eq!(network.route(Time::ZERO, &message), healthy.route(Time::ZERO, &message));
    assert_eq!(network.touched(FaultId(0)), 0);
    network.impose(FaultId(1), Layer::Cut { pairs });
    assert_eq!(network.route(Time::ZERO, &message), Fate::Lost { why: LossReason::Fault(FaultId(1)) });
}

#[test]
fn damage_can_be_named_and_spared() {
    let damage = |damaged| Outcome { damage: Some(damaged), ..Outcome::default() };
    let corrupt = |chance, checksum| LinkLaw { corrupt: Some(Corruption { chance, checksum }), duplicate: Chance::ALWAYS, ..spread() };
    let of = |fate: Fate| match fate {
        Fate::Deliver { damage, copy, .. } => (damage, copy.map(|(_, damage)| damage.is_some())),
        Fate::Held { .. } | Fate::Lost { .. } => panic!("{fate:?}"),
    };
    let message = datagram(0, 1, 9);
    let fate = |law: LinkLaw, outcome: Option<Outcome>, message: Transmission| {
        let mut network = flat(law, 2);
        network.override_with(table(outcome.map(|outcome| (message, outcome)).into_iter().collect()));
        network.route(Time::ZERO, &message)
    };
    let by_chance = fate(corrupt(Chance::ALWAYS, false), None, message);
    assert!(matches!(of(by_chance), (Some(_), Some(true))));
    let named = fate(corrupt(Chance::NEVER, true), Some(damage(true)), message);
    assert_eq!(of(named).0, of(by_chance).0, "the same damage as chance would have done");
    assert_eq!((of(named).1, arrival(named)), (Some(false), arrival(by_chance)), "the copy is left to chance, and so is the delay");
    let checked = fate(corrupt(Chance::ALWAYS, true), None, message);
    assert_eq!(checked, Fate::Lost { why: LossReason::Checksum });
    for checksum in [false, true] {
        assert_eq!(of(fate(corrupt(Chance::ALWAYS, checksum), Some(damage(false)), message)), (None, Some(false)));
        assert!(of(fate(corrupt(Chance::ALWAYS, checksum), Some(damage(true)), message)).0.is_some(), "no checksum catches what is named");
    }
    // A stream's damage is a loss, which can be spared but not named.
    let segment = Transmission { transport: Transport::Stream, ..message };
    assert_eq!(fate(corrupt(Chance::ALWAYS, false), Some(damage(true)), segment), checked);
    assert_eq!(of(fate(corrupt(Chance::ALWAYS, false), Some(damage(false)), segment)), (None, None));
    assert_eq!(of(fate(corrupt(Chance::NEVER, false), Some(damage(true)), segment)), (None, None));
}

#[test]
fn one_that_matches_nothing_is_found_out() {
    let segment = Transmission { transport: Transport::Stream, resend: 2, ..datagram(0, 1, 5) };
    let drop = Outcome { drop: Some(true), duplicate: Some(true), ..Outcome::default() };
    let mut network = flat(constant(1), 2);
    network.override_with(table(vec![(segment, drop), (datagram(1, 0, 77), drop)]));
    for resend in 0..4 {
        let fate = network.route(Time::ZERO, &Transmission { resend, ..segment });
        assert_eq!(arrival(fate).is_none(), resend == 2, "each transmission has its own name");
    }
    let left: Vec<u64> = network.unmatched().map(|one| one.decision).collect();
    assert_eq!(left, [datagram(1, 0, 77).decision.hash()]);
    let fork = network.clone();
    let _matched = network.route(Time::ZERO, &datagram(1, 0, 77));
    assert_eq!((network.unmatched().count(), fork.unmatched().count()), (0, 1), "a fork counts for itself");
}

#[test]
fn two_for_one_transmission_are_refused() {
    let one = |resend| Override { decision: 5, resend, outcome: Outcome::default() };
    assert_eq!(Overrides::new(vec![one(1), one(0), one(1)]).unwrap_err().0, one(1));
    assert_eq!(Overrides::new(vec![one(1), one(0)]).unwrap().list(), [one(0), one(1)]);
}

/// Losses drawn by chance, replayed by name in a network without loss, leave every fate as it was.
#[test]
fn a_run_replayed_by_names_is_the_same_run() {
    let band = Some(Bandwidth { bytes_per_second: 10_000_000, queue_bytes: None });
    let lossless = LinkLaw { bandwidth: band, ..spread() };
    let mut original = flat(LinkLaw { loss: percent("15%"), ..lossless.clone() }, 3);
    let at = |subject: u64| Time::from_nanos(subject * 90_000);
    let message = |subject: u64| datagram((subject % 3) as u32, ((subject + 1) % 3) as u32, subject);
    let fates: Vec<Fate> = (0..3_000).map(|subject| original.route(at(subject), &message(subject))).collect();
    let lost = (0..).zip(&fates).filter(|(_, fate)| arrival(**fate).is_none()).map(|(subject, _)| message(subject));
    let names = lost.map(|t| (t, Outcome { drop: Some(true), ..Outcome::default() })).collect();
    let mut replayed = flat(lossless, 3);
    replayed.override_with(table(names));
    for (subject, fate) in (0..).zip(&fates) {
        assert_eq!(arrival(replayed.route(at(subject), &message(subject))), arrival(*fate));
    }
    assert_eq!(replayed.unmatched().count(), 0);
}
