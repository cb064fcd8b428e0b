//! Closed loops: the population is kept, think time is what it says, and crashes leave nobody stuck.
#![expect(clippy::cast_precision_loss, reason = "statistics")]

use super::*;
use crate::base::{ClientOp, Law, SmallStream};
use crate::record::Op;
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

fn closed(users: u32, think: Law) -> LoadStream {
    stream(Arrivals::Closed { users, think })
}

fn exponential(mean: Span) -> Law {
    Law::Exponential { floor: Span::ZERO, mean }
}

/// Runs a load against a service without a queue that takes a drawn time for each operation, and looks at every step.
fn run(load: &mut Load, service: &Law, mut look: impl FnMut(Time, usize, Option<&Arrival>)) {
    let (service, mut words) = (service.sampler(), SmallStream::named(3, "service", 0));
    let mut under_way: BinaryHeap<Reverse<(Time, ClientOp)>> = BinaryHeap::new();
    loop {
        let end = under_way.peek().map(|Reverse((at, _))| *at);
        match (load.peek(), end) {
            (None, None) => return,
            (Some(at), end) if end.is_none_or(|end| at < end) => {
                let arrival = load.next().unwrap();
                assert_eq!(arrival.at, at, "what was announced comes");
                under_way.push(Reverse((at + service.draw(&mut words), arrival.command.op)));
                look(at, under_way.len(), Some(&arrival));
            }
            (Some(_) | None, _) => {
                let Reverse((at, op)) = under_way.pop().unwrap();
                load.ended(at, op);
                look(at, under_way.len(), None);
            }
        }
    }
}

#[test]
fn without_thought_the_population_is_always_under_way() {
    let mut load = load(vec![closed(50, Law::Constant(Span::ZERO))], Span::secs(2), 1);
    let (mut last, mut most, mut issued) = (Time::ZERO, 0, 0u64);
    let mut per_node = [0u32; 10];
    run(&mut load, &exponential(Span::millis(2)), |at, under_way, arrival| {
        if at > last && at < Time::ZERO + Span::secs(2) {
            assert!((49..=50).contains(&under_way), "{under_way} under way");
        }
        (last, most) = (at, most.max(under_way));
        issued += u64::from(arrival.is_some());
        arrival.into_iter().for_each(|a| per_node[a.node.index()] += 1);
    });
    assert_eq!((most, load.issued()), (50, issued));
    // 25,000 a second, a Poisson process of rate 50 / 2 ms.
    let half = 3.2905 * f64::sqrt(50_000.0);
    assert!((issued as f64 - 50_000.0).abs() <= half, "{issued}");
    let per_user = [per_node[5] / 17, per_node[6] / 17, per_node[9] / 16];
    assert!(per_user.iter().all(|n| (900..1100).contains(n)), "users sit at their clients: {per_node:?}");
}

#[test]
fn throughput_obeys_the_law_of_response_times() {
    // X = N / (R + Z), with R = 5 ms and Z = 20 ms exponential both: 40 users give 1600 a second.
    let mut load = load(vec![closed(40, exponential(Span::millis(20)))], Span::secs(30), 2);
    run(&mut load, &exponential(Span::millis(5)), |_, _, _| {});
    // Renewals: the variance of the count is N T (σR² + σZ²) / (R + Z)³; the start, thinking, takes N (R+Z)/2 at most.
    let expected = 48_000.0;
    let half = 3.2905 * f64::sqrt(40.0 * 30.0 * (0.005 * 0.005 + 0.02 * 0.02) / (0.025 * 0.025 * 0.025)) + 40.0;
    assert!((load.issued() as f64 - expected).abs() <= half && half < 0.03 * expected, "{} ± {half}", load.issued());
}

#[test]
fn a_users_own_course_does_not_depend_on_the_others() {
    let course = |users| {
        let mut seen = Vec::new();
        let mut load = load(vec![closed(users, exponential(Span::millis(10)))], Span::secs(1), 5);
        run(&mut load, &Law::Constant(Span::millis(3)), |at, _, arrival| {
            seen.extend(arrival.map(|a| (at, a.node, a.command.what.key())));
        });
        seen
    };
    let (alone, crowd) = (course(1), course(200));
    assert!(alone.len() > 40 && alone.iter().all(|one| crowd.contains(one)));
    // And two users do not do the same.
    let keys = |node| crowd.iter().filter(move |one| one.1 == NodeId(node)).map(|one| one.2).take(500);
    let same = keys(5).zip(keys(6)).filter(|(a, b)| a == b).count();
    assert!(same < 15, "{same} of 500, where 5 are expected");
    let few = course(2);
    type Seen = (Time, NodeId, crate::base::KeyId);
    let (first, second): (Vec<&Seen>, Vec<&Seen>) = few.iter().partition(|one| one.1 == NodeId(5));
    let same = first.iter().zip(&second).filter(|(a, b)| a.2 == b.2).count();
    assert!(first.len() > 40 && same < 8, "{same} of {}", first.len());
}

#[test]
fn crashes_skips_and_instant_ends_leave_nobody_stuck() {
    let zero = || Law::Constant(Span::ZERO);
    let at = |ms| Time::ZERO + Span::millis(ms);
    // An end in the moment of the call does not stop time.
    let mut load = load(vec![closed(1, zero())], Span::millis(10), 1);
    let mut seen = Vec::new();
    while let Some(arrival) = load.next() {
        seen.push(arrival.at);
        load.skipped(arrival.at, arrival.command.op);
    }
    assert_eq!(seen, (0..10).map(at).collect::<Vec<_>>());
    // Users 0 and 3 sit at the first client. Its crash frees both, and the late end of what they gave up is ignored.
    let mut load = super::load(vec![closed(5, zero())], Span::secs(1), 1);
    let first: Vec<Arrival> = std::iter::from_fn(|| load.next()).collect();
    assert_eq!(first.iter().map(|a| a.node.0).collect::<Vec<_>>(), [5, 6, 9, 5, 6]);
    load.crashed(at(7), NodeId(5));
    let again: Vec<_> = std::iter::from_fn(|| load.next()).map(|a| (a.at, a.node.0, a.command.op)).collect();
    assert_eq!(again, [(at(7), 5, ClientOp(5)), (at(7), 5, ClientOp(6))]);
    load.ended(at(8), first[0].command.op);
    assert_eq!(load.peek(), None);
    load.ended(at(9), ClientOp(5));
    assert_eq!(load.next().map(|a| (a.at, a.node.0)), Some((at(9), 5)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// A closed and an open stream side by side, with ends that come or do not: never more under way than users, no operation
    /// twice, and a clone hears the same and does the same.
    #[test]
    fn laws_of_closed_loads(users in 1u32..12, think in 0u64..30, script in prop::collection::vec((0u64..9, any::<u32>()), 1..200), seed: u64) {
        let streams = vec![
            LoadStream { op: OpKind::Request, ..closed(users, Law::Constant(Span::millis(think))) },
            stream(Arrivals::Poisson { rate: Rate::new(40, Span::secs(1)) }),
        ];
        let mut load = load(streams, Span::secs(1), seed);
        let mut twin = load.clone();
        let (mut now, mut open, mut issued) = (Time::ZERO, Vec::new(), 0);
        for (gap, word) in script {
            now += Span::millis(gap);
            while load.peek().is_some_and(|at| at <= now) {
                let arrival = load.next().unwrap();
                prop_assert_eq!(twin.next(), Some(arrival));
                prop_assert_eq!(arrival.command.op, ClientOp(issued));
                issued += 1;
                if matches!(arrival.command.what, Op::Request { .. }) {
                    open.push(arrival.command.op);
                }
            }
            prop_assert!(open.len() <= users as usize);
            if word % 5 == 0 {
                twin = twin.clone();
            }
            if !open.is_empty() {
                let op = open.swap_remove(word as usize % open.len());
                load.ended(now, op);
                twin.ended(now, op);
                // Hearing it twice, or of somebody else's, changes nothing.
                load.ended(now, op);
                load.ended(now, ClientOp(u32::MAX));
            }
        }
        prop_assert_eq!(load.peek(), twin.peek());
    }
}
