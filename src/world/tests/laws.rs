//! Crash, restart, pause, freeze, clocks, disks, layers of faults; clones and repetition.

use proptest::prelude::*;

use super::script::{Act, Bell, Script, at, fault, ms, n, run, seen, ten, world};
use crate::base::{Chance, ClientOp, FaultId, KeyId, Law, NodeId, ObjectId, PayloadId, Span, Time};
use crate::parts::config::{ClockConfig, MachineConfig};
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};
use crate::parts::network::Outcome;
use crate::record::{Command, Op, What};
use crate::world::{Disconnect, NamedOverride, Sim};

fn script(nodes: u32, acts: &[(u64, u32, Act)]) -> Script {
    Script { nodes, acts: acts.iter().map(|(when, node, act)| (ms(*when), *node, *act)).collect(), cost: 1 }
}

/// The values a node received, in order.
fn values(world: &mut crate::world::World<super::script::Scripted>, node: u32) -> Vec<u64> {
    seen(world, node).numbers.into_iter().map(|(_, value)| value).collect()
}

const WRITES: [(u64, u32, Act); 4] = [(100, 0, Act::Write(1)), (110, 0, Act::Sync), (120, 0, Act::Write(2)), (600, 0, Act::Write(3))];

#[test]
fn a_kill_keeps_what_was_written_and_a_power_failure_what_was_synced() {
    let found = |ill: Ill| {
        let mut world = world(script(1, &WRITES), ten(), vec![fault(ill, ms(200), ms(100))], 1);
        seen(&mut world, 0).found
    };
    assert_eq!(found(Ill::Kill(n(0))), [1, 2]);
    assert_eq!(found(Ill::PowerOff(n(0))), [1]);
    assert_eq!(found(Ill::TornWrite(n(0))), [1, 1_000_002], "the first unsynced write survives in part");
    assert_eq!(found(Ill::Wipe(n(0))), [0; 0]);
}

#[test]
fn first_boot_and_restart_are_one_function_and_memory_is_gone() {
    let acts = [(100, 0, Act::Send(1, 7)), (500, 0, Act::Send(1, 8)), (150, 1, Act::Timer(1, ms(200)))];
    let mut world = world(script(2, &acts), ten(), vec![fault(Ill::Kill(n(1)), ms(200), ms(100))], 1);
    let after = seen(&mut world, 1);
    assert_eq!(after.numbers, [(at(510), 8)], "what came before the kill is forgotten");
    assert_eq!(after.bells, [], "the timer died with the process");
}

#[test]
fn a_host_without_power_can_still_lose_its_disk() {
    let faults = vec![fault(Ill::PowerOff(n(0)), ms(200), ms(500)), fault(Ill::Wipe(n(0)), ms(300), ms(100))];
    let mut world = world(script(1, &WRITES[..3]), ten(), faults, 1);
    assert_eq!(seen(&mut world, 0).found, [0; 0]);
    assert_eq!((world.touched(FaultId(0)), world.touched(FaultId(1))), (1, 1));
}

#[test]
fn what_is_asked_of_a_stopped_client_that_dies_is_skipped_and_not_forgotten() {
    let faults = vec![fault(Ill::Pause(n(0)), ms(100), ms(900)), fault(Ill::Kill(n(0)), ms(500), ms(10))];
    let mut world = world(script(1, &[]), ten(), faults, 1);
    let what = Op::Publish { to: ObjectId(0), key: KeyId(0), payload: PayloadId(0), bytes: 1 };
    world.command(at(300), NodeId(0), Command { op: ClientOp(0), what });
    let mut out = Vec::new();
    while world.advance(at(2000), &mut out) {}
    assert!(out.iter().any(|entry| entry.what == What::Skipped { op: ClientOp(0), what } && entry.at == at(500)), "{out:?}");
}

#[test]
fn a_node_stays_down_until_the_last_cause_is_gone() {
    let acts = [(350, 0, Act::Send(1, 1)), (450, 0, Act::Send(1, 2)), (550, 0, Act::Send(1, 3))];
    let faults = vec![fault(Ill::Kill(n(1)), ms(100), ms(200)), fault(Ill::PowerOff(n(1)), ms(200), ms(300))];
    let mut world = world(script(2, &acts), ten(), faults, 1);
    assert_eq!(values(&mut world, 1), [3]);
    assert_eq!((world.touched(FaultId(0)), world.touched(FaultId(1))), (1, 1), "a killed host still has power to lose");
}

#[test]
fn a_paused_process_wakes_to_its_timers_first_and_then_to_its_messages() {
    let acts = [(100, 1, Act::Timer(2, ms(150))), (105, 1, Act::Timer(1, ms(120))), (150, 0, Act::Send(1, 5)), (160, 0, Act::Send(1, 6))];
    let mut world = world(script(2, &acts), ten(), vec![fault(Ill::Pause(n(1)), ms(140), ms(400))], 1);
    let after = seen(&mut world, 1);
    assert_eq!(after.bells, [(at(540), Bell::Number(1)), (at(540), Bell::Number(2))], "by deadline");
    assert_eq!(after.numbers, [(at(540), 5), (at(540), 6)]);
    let order: Vec<String> = world
        .trace()
        .expect("kept")
        .entries()
        .iter()
        .filter(|e| e.node == NodeId(1) && e.at == at(540) && !matches!(e.step, crate::record::Step::Struck { .. }))
        .map(|e| format!("{:?}", e.step))
        .collect();
    assert!(order[0].starts_with("Paused") && order[1] == "Fired" && order[2] == "Fired" && order[3].starts_with("Received"), "{order:?}");
}

#[test]
fn a_frozen_machine_does_not_know_that_time_passed() {
    let acts = [(100, 1, Act::Timer(1, ms(150))), (100, 1, Act::Timer(2, ms(900))), (200, 0, Act::Send(1, 5))];
    let mut world = world(script(2, &acts), ten(), vec![fault(Ill::Freeze(n(1)), ms(140), ms(400))], 1);
    let after = seen(&mut world, 1);
    assert_eq!(after.bells, [(at(250), Bell::Number(1)), (at(1000), Bell::Number(2))], "by its own clock nothing was late");
    assert_eq!(after.numbers, [(at(140), 5)]);
    let fired: Vec<Time> = world
        .trace()
        .expect("kept")
        .entries()
        .iter()
        .filter(|e| e.node == NodeId(1) && e.step == crate::record::Step::Fired)
        .map(|e| e.at)
        .collect();
    assert!(fired.contains(&at(650)) && fired.contains(&at(1400)), "in true time both were 400 ms late: {fired:?}");
}

#[test]
fn clocks_skew_and_drift_and_their_timers_with_them() {
    let mut surroundings = ten();
    let clock = ClockConfig { skew: 5_000_000_000, drift_ppm: 100_000 };
    surroundings.machines = vec![("n0".into(), MachineConfig { clock, ..MachineConfig::default() })];
    let acts = [(5_000, 0, Act::Timer(1, ms(1100)))];
    let mut world = world(script(1, &acts), surroundings, vec![], 1);
    run(&mut world, at(20_000));
    let fired: Vec<Time> =
        world.trace().expect("kept").entries().iter().filter(|e| e.step == crate::record::Step::Fired).map(|e| e.at).collect();
    assert_eq!(fired, [at(0), at(1000)], "1100 ms on a clock that runs a tenth too fast are 1000 ms");
}

#[test]
fn a_drift_that_begins_and_ends_measures_running_timers_anew() {
    let drift = fault(Ill::ClockDrift { who: n(0), ppm: 1_000_000 }, ms(500), ms(100));
    let mut world = world(script(1, &[(100, 0, Act::Timer(1, ms(900)))]), ten(), vec![drift], 1);
    run(&mut world, at(20_000));
    let fired: Vec<Time> =
        world.trace().expect("kept").entries().iter().filter(|e| e.step == crate::record::Step::Fired).map(|e| e.at).collect();
    assert_eq!(fired, [at(100), at(900)], "twice as fast for 100 ms: 100 ms earlier");
}

#[test]
fn a_named_override_decides_one_transmission_and_no_other() {
    let acts: Vec<(u64, u32, Act)> = (0..5).map(|i| (100 + i * 10, 0, Act::Send(1, i))).collect();
    let named = |subject, outcome| NamedOverride {
        from: "n0".into(),
        to: "n1".into(),
        kind: "small".into(),
        subject,
        attempt: 1,
        resend: 0,
        outcome,
    };
    let drop = Outcome { drop: Some(true), ..Outcome::default() };
    let late = Outcome { delay: Some(ms(500)), ..Outcome::default() };
    let mut surroundings = ten();
    surroundings.overrides = [named(1, drop), named(3, late), named(77, drop)].into();
    let mut world = world(script(2, &acts), surroundings.clone(), vec![], 1);
    assert_eq!(seen(&mut world, 1).numbers, [(at(110), 0), (at(130), 2), (at(150), 4), (at(630), 3)]);
    assert_eq!(world.unmatched(), ["small 77 attempt 1 from n0 to n1"]);
    surroundings.overrides = [named(1, drop), named(1, late)].into();
    let config = std::sync::Arc::new(script(2, &acts));
    let problems = crate::world::World::<super::script::Scripted>::new(config, &surroundings, 1).err().expect("refused");
    assert_eq!(problems, ["override `small 1 attempt 1 from n0 to n1` is given twice"]);
}

#[test]
fn a_stepped_clock_goes_back_when_the_fault_ends() {
    let acts = [(500, 0, Act::Timer(1, ms(100))), (2000, 0, Act::Timer(2, ms(100)))];
    let mut world = world(script(1, &acts), ten(), vec![fault(Ill::ClockStep { who: n(0), by: 3_600_000_000_000 }, ms(200), ms(1000))], 1);
    let bells = seen(&mut world, 0).bells;
    assert_eq!(bells, [(at(3_600_600), Bell::Number(1)), (at(2100), Bell::Number(2))], "timers do not mind steps; readings do");
    assert_eq!(world.touched(FaultId(0)), 1);
}

#[test]
fn disks_fill_stall_and_fail() {
    let full = fault(Ill::DiskFull(n(0)), ms(550), ms(100));
    let mut filled = world(script(1, &WRITES), ten(), vec![full], 1);
    assert_eq!(seen(&mut filled, 0).full, 1);
    assert_eq!(filled.touched(FaultId(0)), 1);

    let stall = fault(Ill::DiskStall(n(0)), ms(50), ms(300));
    let mut stalled = world(script(1, &WRITES), ten(), vec![stall], 1);
    assert_eq!(seen(&mut stalled, 0).bells, [(at(350), Bell::Synced)]);
    assert_eq!(stalled.touched(FaultId(0)), 1);

    let failing = fault(Ill::SyncFails { who: n(0), chance: Chance::ALWAYS }, ms(50), ms(300));
    let power = fault(Ill::PowerOff(n(0)), ms(700), ms(100));
    let acts = [WRITES[0], WRITES[1], (400, 0, Act::Sync)];
    let mut lying = world(script(1, &acts), ten(), vec![failing, power], 1);
    run(&mut lying, at(650));
    let bells = lying.nodes().get(NodeId(0)).expect("up").bells.clone();
    assert_eq!(bells, [(at(111), Bell::SyncFailed), (at(401), Bell::Synced)]);
    assert_eq!(seen(&mut lying, 0).found, [0; 0], "a sync that succeeds later does not save what an earlier one gave up");

    let flip = fault(Ill::FlipBits { who: n(0), count: 1 }, ms(300), ms(1));
    let mut flipped = world(script(1, &WRITES), ten(), vec![flip, fault(Ill::PowerOff(n(0)), ms(400), ms(10))], 1);
    assert_eq!(seen(&mut flipped, 0).found, [500_001]);
    assert_eq!(flipped.touched(FaultId(0)), 1);
}

#[test]
fn cancelled_timers_never_fire() {
    let acts = [(100, 0, Act::Timer(1, ms(50))), (120, 0, Act::Cancel), (200, 0, Act::Timer(2, ms(50))), (300, 0, Act::Cancel)];
    let mut world = world(script(1, &acts), ten(), vec![], 1);
    assert_eq!(seen(&mut world, 0).bells, [(at(250), Bell::Number(2))]);
}

#[test]
fn faults_of_the_network_do_what_they_say_and_count_it() {
    let acts: Vec<(u64, u32, Act)> = (0..10).map(|i| (100 + i * 10, 0, Act::Send(1, if i % 2 == 0 { i } else { 1000 + i }))).collect();
    let try_one = |ill: Ill| {
        let mut world = world(script(2, &acts), ten(), vec![fault(ill, ms(95), ms(50))], 1);
        (seen(&mut world, 1).numbers, world.touched(FaultId(0)))
    };
    let on_time = |numbers: &[(Time, u64)]| numbers.iter().filter(|(when, value)| *when == at(110 + (value % 1000) * 10)).count();
    let (numbers, touched) = try_one(Ill::Cut(Cut { shape: CutShape::OneWay { from: n(0), to: n(1) }, others: Others::Untouched }));
    assert_eq!((numbers.len(), on_time(&numbers), touched), (5, 5, 5));
    let (numbers, touched) = try_one(Ill::Cut(Cut { shape: CutShape::OneWay { from: n(1), to: n(0) }, others: Others::Untouched }));
    assert_eq!((numbers.len(), touched), (10, 0), "the way back was not used: the ledger says so");
    let (numbers, touched) = try_one(Ill::Jam { from: n(0), to: n(1), extra: Law::Constant(ms(300)) });
    assert_eq!((numbers.len(), on_time(&numbers), touched), (10, 5, 5));
    let (numbers, touched) = try_one(Ill::Drop { from: n(0), to: n(1), kind: Some("large".into()), chance: Chance::ALWAYS });
    assert_eq!((numbers.len(), touched), (8, 2));
    let (numbers, touched) = try_one(Ill::Clog { from: n(0), to: n(1) });
    assert_eq!((numbers.len(), on_time(&numbers), touched), (10, 5, 5));
    let late: Vec<(Time, u64)> = numbers.iter().filter(|(_, value)| value % 1000 < 5).copied().collect();
    assert_eq!(late, [(at(155), 0), (at(155), 1001), (at(155), 2), (at(155), 1003), (at(155), 4)], "let go together, in order");
}

#[test]
fn healing_ends_every_fault_and_forbids_new_ones() {
    let every = Fault {
        name: "again and again".into(),
        ill: Ill::Kill(Selector::Random { count: 1, of: Box::new(Selector::Named("nodes".into())) }),
        when: When::Every { first: at(50), gap: Law::Constant(ms(100)), until: None },
        lasts: None,
    };
    let mut world = world(script(5, &[]), ten(), vec![every], 3);
    run(&mut world, at(320));
    let down = 5 - world.nodes().iter().count();
    assert!((1..=3).contains(&down), "{down} are down");
    let mut out = Vec::new();
    world.heal(at(330), &mut out);
    run(&mut world, at(2000));
    assert_eq!(world.nodes().iter().count(), 5);
    assert_eq!(world.strikes().len(), 3);
    assert!(world.strikes().iter().all(|strike| strike.until.is_some()));
}

#[test]
fn nothing_strikes_at_the_moment_of_healing() {
    let every = Fault {
        name: "again and again".into(),
        ill: Ill::Kill(n(0)),
        when: When::Every { first: at(50), gap: Law::Constant(ms(100)), until: None },
        lasts: Some(Law::Constant(ms(10))),
    };
    let mut surroundings = ten();
    surroundings.heal_start = at(250);
    let mut world = world(script(2, &[]), surroundings, vec![every], 3);
    run(&mut world, at(250));
    assert_eq!(world.strikes().iter().map(|strike| strike.from).collect::<Vec<_>>(), [at(50), at(150)]);
}

#[test]
fn renewal_processes_run_for_each_node_on_its_own() {
    let law = |mean| Law::Exponential { floor: Span::ZERO, mean };
    let renewal = Fault {
        name: "wear".into(),
        ill: Ill::Kill(Selector::All),
        when: When::Renewal { mtbf: law(Span::secs(9)), mttr: law(Span::secs(1)) },
        lasts: None,
    };
    let mut world = world(script(20, &[]), ten(), vec![renewal], 3);
    run(&mut world, Time::ZERO + Span::secs(2000));
    let down: u64 = world.strikes().iter().map(|s| s.until.unwrap_or(world.now()).since(s.from).as_nanos()).sum();
    let permille = down / 1_000_000 / (20 * 2000);
    assert!((90..=110).contains(&permille), "a tenth of the time is down: {permille} permille");
    assert!(world.strikes().iter().all(|strike| strike.nodes.len() == 1));
}

#[test]
fn selectors_ask_the_protocol_and_the_roster() {
    let acts = [(100, 0, Act::Send(2, 1)), (110, 0, Act::Send(2, 2)), (110, 0, Act::Send(1, 3))];
    let role = Selector::Role { name: "fullest".into(), of: String::new() };
    let union = Selector::Union(vec![Selector::Named("first".into()), n(1)]);
    let faults = vec![fault(Ill::Kill(role), ms(200), ms(10)), fault(Ill::Pause(union), ms(300), ms(10))];
    let mut world = world(script(3, &acts), ten(), faults, 1);
    run(&mut world, at(1000));
    assert_eq!(world.strikes()[0].nodes, [NodeId(2)]);
    assert_eq!(world.strikes()[1].nodes, [NodeId(0), NodeId(1)]);
}

#[test]
fn an_invariant_that_breaks_is_reported_with_its_time() {
    let mut world = world(script(2, &[(100, 0, Act::Send(1, 666))]), ten(), vec![], 1);
    run(&mut world, at(1000));
    assert_eq!(world.breach(), Some(&(at(110), "n1 saw 666".to_owned())));
}

#[test]
fn what_does_not_fit_is_refused_all_at_once() {
    let mut surroundings = ten();
    surroundings.machines = vec![("nobody".into(), MachineConfig::default())];
    let cut = |shape, others| fault(Ill::Cut(Cut { shape, others }), ms(1), ms(1));
    let faults = vec![
        cut(CutShape::Link("nowhere".into()), Others::Untouched),
        cut(CutShape::Bridge(Selector::All), Others::First),
        fault(Ill::Drop { from: n(0), to: n(1), kind: Some("tiny".into()), chance: Chance::ALWAYS }, ms(1), ms(1)),
    ];
    surroundings.faults = faults.into();
    let config = std::sync::Arc::new(script(2, &[]));
    let problems = crate::world::World::<super::script::Scripted>::new(config, &surroundings, 1).err().expect("refused");
    assert_eq!(problems.len(), 4, "{problems:?}");
}

fn some_act() -> impl Strategy<Value = (u64, u32, Act)> {
    let act = prop_oneof![
        (0u32..4).prop_map(|to| Act::Send(to, 0)),
        Just(Act::Write(1)),
        Just(Act::Sync),
        (0u32..9, 1u64..400).prop_map(|(name, after)| Act::Timer(name, ms(after))),
    ];
    (1u64..1500, 0u32..4, act)
}

fn some_fault() -> impl Strategy<Value = Fault> {
    let who = (0u32..4).prop_map(n);
    let ill = (who, 0usize..12).prop_map(|(who, which)| match which {
        0 => Ill::Kill(who),
        1 => Ill::PowerOff(who),
        2 => Ill::Wipe(who),
        3 => Ill::Pause(who),
        4 => Ill::Freeze(who),
        5 => Ill::DiskStall(who),
        6 => Ill::TornWrite(who),
        7 => Ill::SyncFails { who, chance: Chance::ratio(1, 2) },
        8 => Ill::Clog { from: who, to: Selector::All },
        9 => Ill::Jam { from: who, to: Selector::All, extra: Law::Uniform { low: ms(1), high: ms(50) } },
        10 => Ill::ClockDrift { who, ppm: 200_000 },
        _ => Ill::Cut(Cut { shape: CutShape::Isolate(who), others: Others::Untouched }),
    });
    (ill, 0u64..1500, 1u64..700).prop_map(|(ill, when, lasts)| fault(ill, ms(when), ms(lasts)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Twice is identical, and a clone taken anywhere goes on as the original does.
    #[test]
    fn a_world_repeats_itself_and_a_clone_goes_on_alike(
        acts in proptest::collection::vec(some_act(), 0..40),
        faults in proptest::collection::vec(some_fault(), 0..6),
        seed in 0u64..1000,
        fork_at in 0u64..2000,
    ) {
        let mut acts = acts;
        // Every message has a name of its own.
        for (i, (_, node, act)) in acts.iter_mut().enumerate() {
            if let Act::Send(to, value) = act {
                *value = i as u64;
                if to == node { *to = (*to + 1) % 4; }
            }
        }
        let faults: Vec<Fault> = faults.into_iter().enumerate().map(|(i, fault)| Fault { name: i.to_string(), ..fault }).collect();
        let make = || world(script(4, &acts), ten(), faults.clone(), seed);
        let mut first = make();
        run(&mut first, at(fork_at));
        let mut fork = first.clone();
        for one in [&mut first, &mut fork] {
            run(one, at(5000));
        }
        let mut second = make();
        run(&mut second, at(5000));
        prop_assert_eq!(first.digest(), second.digest());
        prop_assert_eq!(first.digest(), fork.digest());
        prop_assert_eq!(first.fingerprint(), fork.fingerprint());
        prop_assert!(first.nodes().iter().eq(fork.nodes().iter()));
        // Healed, everyone is back and nothing waits aside.
        let mut out = Vec::new();
        first.heal(at(5000), &mut out);
        run(&mut first, at(60_000));
        prop_assert_eq!(first.nodes().iter().count(), 4);
        prop_assert_eq!(first.core.queue.parked(), 0);
    }
}

/// Keeps the word `Disconnect` of this module's scripts in one place: none of them opens a stream.
#[test]
fn scripts_without_streams_see_no_ends() {
    let mut world = world(script(2, &[(100, 0, Act::Send(1, 1))]), ten(), vec![fault(Ill::Kill(n(0)), ms(200), ms(10))], 1);
    let ends: Vec<(Time, Disconnect)> = seen(&mut world, 1).ends;
    assert_eq!(ends, []);
}
