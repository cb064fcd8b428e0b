//! Controllers under random faults.
//!
//! `CONTROLLER_SEEDS=2000 cargo test --release controller::tests::campaign` runs the full number; by default a few.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::{Chance, Law, Span, Stream, Time, Words};
use crate::parts::config::{ClockConfig, DiskConfig, LinkLaw, MachineConfig, NetworkConfig};
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};
use crate::record::Mark;
use crate::world::{Sim, Surroundings, World};

use super::super::super::config::{Control, Scheduled, Task};
use super::super::super::ids::Part;
use super::super::marks;
use super::setting::{Setting, nodes};
use super::world::{Cluster, Terms};

fn named(name: &str) -> Selector {
    Selector::Named(name.to_owned())
}

fn somebody(words: &mut Stream) -> Selector {
    match words.below(6) {
        0 => Selector::Role { name: "controller".to_owned(), of: String::new() },
        1 => Selector::Random { count: 1, of: Box::new(named("controllers")) },
        2 => named("controllers"),
        3 | 4 => Selector::Random { count: 1 + u32::try_from(words.below(3)).expect("small"), of: Box::new(named("brokers")) },
        _ => named("brokers"),
    }
}

fn ill(words: &mut Stream) -> Ill {
    let who = somebody(words);
    let other = somebody(words);
    match words.below(17) {
        0..=2 => Ill::Kill(who),
        3 => Ill::PowerOff(who),
        4 => Ill::TornWrite(who),
        5 => Ill::Pause(who),
        6 => Ill::Freeze(who),
        7 => Ill::Cut(Cut { shape: CutShape::Halves(Selector::All), others: Others::Untouched }),
        8 | 9 => Ill::Cut(Cut { shape: CutShape::Isolate(who), others: Others::Untouched }),
        10 => Ill::Cut(Cut { shape: CutShape::OneWay { from: who, to: other }, others: Others::Untouched }),
        11 => Ill::Drop { from: who, to: other, kind: None, chance: Chance::ratio(30, 100) },
        12 => Ill::DiskStall(who),
        13 => Ill::SyncFails { who, chance: Chance::ratio(1, 3) },
        14 => Ill::DiskFull(named("controllers")),
        15 => Ill::ClockStep { who, by: i64::try_from(words.below(7_200_000)).expect("small") * 1_000_000 - 3_600_000_000_000 },
        _ => Ill::ClockDrift { who, ppm: i32::try_from(words.below(200_000)).expect("small") - 100_000 },
    }
}

const CHAOS: Span = Span::secs(90);
const HEAL: Span = Span::secs(40);

fn faults(words: &mut Stream) -> Vec<Fault> {
    let count = 1 + words.below(12);
    let fault = |number: u64| Fault {
        name: format!("fault {number}"),
        ill: ill(words),
        when: When::At(vec![Time::ZERO + words.span_between(Span::ZERO, CHAOS)]),
        lasts: Some(Law::Uniform { low: Span::millis(100), high: Span::secs(25) }),
    };
    (0..count).map(fault).collect()
}

fn setting(words: &mut Stream) -> Setting {
    let control = if words.below(3) == 0 { Control::ZooKeeper } else { Control::KRaft };
    let (brokers, controllers) =
        (3 + u32::try_from(words.below(3)).expect("small"), [1, 3, 5][usize::try_from(words.below(3)).expect("small")]);
    let unclean = words.below(2) == 0;
    let elr = control == Control::KRaft && words.below(2) == 0;
    Setting { brokers, controllers, control, elr, topics: vec![(3, 3, 2, unclean), (1, 2, 1, false), (1, 1, 1, false)] }
}

/// What a run came to.
struct Ran {
    breach: Option<(Time, String)>,
    marks: BTreeSet<Mark>,
    digest: u64,
}

fn run(seed: u64) -> Ran {
    let mut words = Stream::named(seed, "controllers under faults", 0);
    let setting = setting(&mut words);
    let mut config = setting.config();
    let replicas = nodes(&[setting.brokers - 1, 0]).to_vec();
    config.tasks = vec![
        Scheduled { at: Span::secs(20), task: Task::Reassign { part: Part(0), replicas } },
        Scheduled { at: Span::secs(35), task: Task::ElectPreferred },
        Scheduled { at: Span::secs(50), task: Task::ElectUnclean { part: Part(0) } },
    ];
    // An election by hand may be unclean: its partition is of a topic that takes that.
    config.topics[0].unclean_leader_election = true;
    config.broker.leader_imbalance_check = Span::secs(15);
    let heal_start = Time::ZERO + CHAOS;
    let disk = DiskConfig { sync: Law::Uniform { low: Span::micros(50), high: Span::millis(20) }, writeback: None, capacity: None };
    let clock = ClockConfig { skew: i64::try_from(words.below(2_000_000_000)).expect("small"), drift_ppm: 200 };
    let delay = Law::Uniform { low: Span::micros(300), high: Span::millis(1 + words.below(60)) };
    let link = LinkLaw { loss: Chance::ratio(words.below(4), 100), ..LinkLaw::healthy(delay) };
    let surroundings = Surroundings {
        machines: vec![("*".into(), MachineConfig { disk, clock, ..MachineConfig::default() })],
        faults: faults(&mut words).into(),
        heal_start,
        invariant_stride: 211,
        ..Surroundings::calm(NetworkConfig::flat(link))
    };
    let terms = Arc::new(Terms { config, calm: AtomicBool::new(false), settled: AtomicBool::new(false) });
    let mut world: World<Cluster> = World::new(Arc::clone(&terms), &surroundings, seed).expect("the surroundings fit");
    let mut out = Vec::new();
    while world.advance(heal_start, &mut out) {}
    world.heal(heal_start, &mut out);
    terms.calm.store(true, Ordering::Relaxed);
    while world.advance(heal_start + HEAL, &mut out) {}
    terms.settled.store(true, Ordering::Relaxed);
    while world.advance(heal_start + HEAL + Span::secs(2), &mut out) {}
    let marks = marks::ALL.iter().map(|(mark, _)| *mark).filter(|mark| world.marks().count(mark) > 0).collect();
    Ran { breach: world.breach().cloned(), marks, digest: world.digest().value() }
}

fn seeds() -> u64 {
    std::env::var("CONTROLLER_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

#[test]
fn the_laws_hold_and_all_is_well_in_the_end() {
    let mut marks = BTreeSet::new();
    for seed in 0..seeds() {
        let ran = run(seed);
        assert_eq!(ran.breach, None, "seed {seed}");
        marks.extend(ran.marks);
    }
    for wanted in [
        marks::CONTROLLER_CHANGED,
        marks::BROKER_FENCED,
        marks::LEADER_CHANGED,
        marks::ISR_SHRUNK,
        marks::ISR_SHRUNK_TO_ONE,
        marks::ISR_EXPANDED,
        marks::REASSIGNED,
        marks::PREFERRED_ELECTION,
        marks::PARTITION_OFFLINE,
        marks::CONTROLLED_SHUTDOWN,
        marks::ELR_ENTERED,
        marks::ISR_REFUSED,
    ] {
        assert!(marks.contains(wanted), "{wanted} was never reached: {marks:?}");
    }
}

#[test]
fn a_seed_is_a_run() {
    assert_eq!(run(3).digest, run(3).digest);
    assert_ne!(run(3).digest, run(4).digest);
}
