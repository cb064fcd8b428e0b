//! Streams keep order and lose nothing while both ends live; their ends are told as the real ones are.

use proptest::prelude::*;

use super::script::{Act, Script, at, fault, ms, n, run, seen, ten, world};
use crate::base::{Chance, FaultId, Law, NodeId, Span, Time};
use crate::parts::fault::{Cut, CutShape, Ill, Others};
use crate::world::{Disconnect, Sim, Surroundings};

fn script(acts: &[(u64, u32, Act)]) -> Script {
    Script { nodes: 2, acts: acts.iter().map(|(when, node, act)| (ms(*when), *node, *act)).collect(), cost: 1 }
}

fn cut() -> Ill {
    Ill::Cut(Cut { shape: CutShape::Between { a: n(0), b: n(1) }, others: Others::Untouched })
}

#[test]
fn a_stream_needs_a_round_trip_before_it_carries_anything() {
    let mut world = world(script(&[(100, 0, Act::Connect(1)), (100, 0, Act::Stream(1)), (200, 0, Act::Stream(2))]), ten(), vec![], 1);
    assert_eq!(seen(&mut world, 1).numbers, [(at(130), 1), (at(210), 2)]);
}

#[test]
fn a_cut_is_silence_and_then_a_retransmission() {
    let acts = [(100, 0, Act::Connect(1)), (300, 0, Act::Stream(1)), (350, 0, Act::Stream(2))];
    let mut world = world(script(&acts), ten(), vec![fault(cut(), ms(250), ms(300))], 1);
    // First transmission at 300, then at 500 (still cut) and at 900.
    assert_eq!(seen(&mut world, 1).numbers, [(at(910), 1), (at(920), 2)]);
    assert_eq!(world.touched(FaultId(0)), 2);
}

#[test]
fn a_cut_that_does_not_end_is_told_after_the_patience_of_the_stream() {
    let acts = [(100, 0, Act::Connect(1)), (300, 0, Act::Stream(1))];
    let mut world = world(script(&acts), ten(), vec![fault(cut(), ms(250), Span::secs(3000))], 1);
    assert_eq!(seen(&mut world, 0).ends, [(at(20_300), Disconnect::TimedOut)]);
}

#[test]
fn a_killed_process_is_told_at_once_and_a_lost_host_after_its_reboot() {
    let acts = [(100, 0, Act::Connect(1)), (200, 0, Act::Stream(1)), (400, 0, Act::Stream(2))];
    let mut killed = world(script(&acts), ten(), vec![fault(Ill::Kill(n(1)), ms(300), ms(5000))], 1);
    assert_eq!(seen(&mut killed, 0).ends, [(at(310), Disconnect::Reset)]);
    let mut dark = world(script(&acts), ten(), vec![fault(Ill::PowerOff(n(1)), ms(300), ms(1000))], 1);
    // Sent at 400, told lost at 410, sent again at 610, 1020 and 1840: by then the host is back and knows nothing of it.
    let ends = seen(&mut dark, 0).ends;
    assert_eq!(ends.len(), 1);
    assert_eq!(ends[0].1, Disconnect::Reset);
    assert!(ends[0].0 > at(1300) && ends[0].0 < at(3000), "{ends:?}");
    assert_eq!(seen(&mut dark, 1).numbers, [], "nothing is delivered to the new process");
}

#[test]
fn a_cut_eats_the_reset_too() {
    let acts = [(100, 0, Act::Connect(1)), (200, 0, Act::Stream(1)), (3000, 0, Act::Stream(2))];
    let faults = vec![fault(cut(), ms(290), ms(500)), fault(Ill::Kill(n(1)), ms(300), ms(100))];
    let mut world = world(script(&acts), ten(), faults, 1);
    assert_eq!(seen(&mut world, 0).ends, [(at(3020), Disconnect::Reset)], "told only when it speaks again");
}

#[test]
fn nobody_at_home_is_refused_or_times_out() {
    let acts = [(300, 0, Act::Connect(1)), (300, 0, Act::Stream(1))];
    let mut killed = world(script(&acts), ten(), vec![fault(Ill::Kill(n(1)), ms(200), Span::secs(50))], 1);
    assert_eq!(seen(&mut killed, 0).ends, [(at(320), Disconnect::Refused)]);
    let mut dark = world(script(&acts), ten(), vec![fault(Ill::PowerOff(n(1)), ms(200), Span::secs(50))], 1);
    assert_eq!(seen(&mut dark, 0).ends, [(at(5300), Disconnect::TimedOut)]);
}

#[test]
fn an_orderly_end_comes_after_everything_that_was_sent() {
    let acts = [(100, 0, Act::Connect(1)), (200, 0, Act::Burst(0, 20)), (200, 0, Act::Close)];
    let mut world = world(script(&acts), ten(), vec![], 1);
    let after = seen(&mut world, 1);
    assert_eq!(after.numbers.len(), 20);
    assert_eq!(after.ends, [(at(210), Disconnect::Closed)]);
    assert_eq!(seen(&mut world, 0).ends, []);
    assert_eq!(world.core.connections(NodeId(0)), 0, "the slot is free again");
}

#[test]
fn a_stopped_receiver_fills_its_window_and_then_the_sender_waits() {
    let mut surroundings = ten();
    surroundings.network.stream.window = 500;
    let acts = [(100, 0, Act::Connect(1)), (200, 0, Act::Burst(0, 20))];
    let mut world = world(script(&acts), surroundings, vec![fault(Ill::Pause(n(1)), ms(150), ms(1000))], 1);
    let numbers = seen(&mut world, 1).numbers;
    let first: Vec<u64> = numbers.iter().filter(|(when, _)| *when == at(1150)).map(|(_, value)| *value).collect();
    assert_eq!(first, [0, 1, 2, 3, 4], "five of a hundred bytes fit the window");
    assert!(numbers.iter().map(|(_, value)| *value).eq(0..20));
}

fn lossy(percent: u64) -> Surroundings {
    let mut surroundings = ten();
    surroundings.network.within.delay = Law::Uniform { low: ms(1), high: ms(40) };
    surroundings.network.within.loss = Chance::ratio(percent, 100);
    surroundings.network.stream.give_up = Span::secs(10_000);
    surroundings.network.stream.connect_timeout = Span::secs(10_000);
    surroundings
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    /// On a healthy stream nothing is lost, doubled or overtaken, whatever the network loses and however it is cut.
    #[test]
    fn order_is_kept_and_nothing_vanishes(
        seed in 0u64..10_000,
        loss in 0u64..60,
        bursts in proptest::collection::vec((200u64..4000, 1u64..20), 1..10),
        cuts in proptest::collection::vec((100u64..4000, 1u64..3000), 0..4),
        pauses in proptest::collection::vec((100u64..4000, 1u64..1000), 0..3),
    ) {
        let mut bursts = bursts;
        bursts.sort_unstable();
        let mut acts = vec![(100, 0, Act::Connect(1))];
        let mut next = 0;
        for (when, count) in bursts {
            acts.push((when, 0, Act::Burst(next, count)));
            next += count;
        }
        let mut faults: Vec<_> = cuts.iter().map(|(when, lasts)| fault(cut(), ms(*when), ms(*lasts))).collect();
        faults.extend(pauses.iter().map(|(when, lasts)| fault(Ill::Pause(n(1)), ms(*when), ms(*lasts))));
        for (i, fault) in faults.iter_mut().enumerate() {
            fault.name = i.to_string();
        }
        let mut world = world(script(&acts), lossy(loss), faults, seed);
        run(&mut world, Time::ZERO + Span::secs(20_000));
        let after = world.nodes().get(NodeId(1)).expect("up").clone();
        prop_assert!(after.numbers.iter().map(|(_, value)| *value).eq(0..next), "{:?}", after.numbers);
        prop_assert_eq!(after.ends, []);
    }

    /// Ends that crash and come back: each process sees a prefix, in order, of what one connection carried.
    #[test]
    fn a_crash_leaves_a_prefix(seed in 0u64..10_000, when in 150u64..3000, loss in 0u64..30, power in any::<bool>(), side in 0u32..2) {
        let acts = [(100, 0, Act::Connect(1)), (200, 0, Act::Burst(0, 50)), (1200, 0, Act::Burst(50, 50))];
        let ill = if power { Ill::PowerOff(n(side)) } else { Ill::Kill(n(side)) };
        // The restarted sender has no connection: its script's later act would find none, so it stays down.
        let lasts = if side == 0 { Span::secs(30_000) } else { ms(500) };
        let mut world = world(script(&acts), lossy(loss), vec![fault(ill, ms(when), lasts)], seed);
        run(&mut world, Time::ZERO + Span::secs(20_000));
        if side == 0 {
            let after = world.nodes().get(NodeId(1)).expect("up").clone();
            let count = after.numbers.len() as u64;
            prop_assert!(after.numbers.iter().map(|(_, value)| *value).eq(0..count));
        } else {
            let after = world.nodes().get(NodeId(0)).expect("up").clone();
            prop_assert!(after.ends.len() <= 1);
            // What it says after the crash, it is told about; a lost reset only delays that.
            // If its first segment came only after the crash, there was no connection to lose.
            let whole = world.nodes().get(NodeId(1)).expect("up").numbers.len() == 100;
            prop_assert!(when > 1190 || whole || after.ends.len() == 1, "the sender learns that its connection is gone");
        }
    }
}
