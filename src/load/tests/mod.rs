//! Loads measured against what they were configured to be.

mod arrivals;
mod choices;
mod loops;

use super::*;
use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::record::{Command, Op};
use std::sync::Arc;

/// A stream of publishes with these arrivals and nothing else of interest.
fn stream(arrivals: Arrivals) -> LoadStream {
    LoadStream {
        to: "orders".into(),
        op: OpKind::Publish,
        arrivals,
        keys: Keys::Uniform { count: 100 },
        size: Sizes::Constant(10),
        clients: ClientChoice::RoundRobin,
        limit: None,
    }
}

/// A load of streams over three clients, issued for so long.
fn load(streams: Vec<LoadStream>, length: Span, seed: u64) -> Load {
    let targets = (0..streams.len()).map(|n| Target { object: ObjectId::at(n), clients: vec![NodeId(5), NodeId(6), NodeId(9)] });
    let phases = Phases { warm: Span::ZERO, chaos: length, heal: Span::ZERO, drain: Span::ZERO };
    let config = LoadConfig { streams: streams.clone(), listed: vec![] };
    Load::new(&LoadPlan::new(&config, targets.collect(), &phases).unwrap(), seed)
}

/// All arrivals of an open load.
fn all(mut load: Load) -> Vec<Arrival> {
    std::iter::from_fn(|| load.next()).collect()
}

/// Their moments.
fn times(arrivals: Arrivals, length: Span, seed: u64) -> Vec<u64> {
    all(load(vec![stream(arrivals)], length, seed)).iter().map(|a| a.at.nanos()).collect()
}

#[test]
fn what_is_wrong_is_said() {
    use crate::base::{Chance, Law};
    let rate: Rate = "1/s".parse().unwrap();
    let good = stream(Arrivals::Poisson { rate });
    let nothing = Law::Constant(Span::ZERO);
    let second = || Law::Constant(Span::secs(1));
    let row = TraceRow { at: Time::ZERO, key: None, bytes: None, client: None };
    let late = TraceRow { at: Time::from_nanos(1), ..row };
    let arrivals = |arrivals| LoadStream { arrivals, ..good.clone() };
    let keys = |keys| LoadStream { keys, ..good.clone() };
    let size = |size| LoadStream { size, ..good.clone() };
    let trace = |rows: &[TraceRow]| Arrivals::Trace(Arc::from(rows));
    let daily = |mean, period| Arrivals::Diurnal { mean, amplitude: Chance::ALWAYS, period, peak_at: Span::ZERO };
    let bursts = |rate_high, off| Arrivals::Bursts { rate_high, rate_low: Rate::ZERO, on: second(), off };
    let backwards = Law::Uniform { low: Span::secs(2), high: Span::secs(1) };
    let unlawful = "arrivals: the shortest span 2s is longer than the longest, 1s";
    let table: [(LoadStream, &[&str]); 23] = [
        (good.clone(), &[]),
        (arrivals(Arrivals::Poisson { rate: Rate::ZERO }), &["arrivals: nothing ever arrives at a rate of zero"]),
        (arrivals(daily(rate, Span::ZERO)), &["arrivals: a period has some length"]),
        (arrivals(daily(Rate::new(u64::MAX, Span::nanos(2)), Span::secs(1))), &["arrivals: the rate is too high"]),
        (arrivals(bursts(Rate::ZERO, second())), &["arrivals: nothing ever arrives: both rates are zero"]),
        (arrivals(bursts(rate, nothing)), &["arrivals: a burst and what lies between two of them have some length"]),
        (arrivals(bursts(rate, backwards.clone())), &[unlawful]),
        (arrivals(Arrivals::Closed { users: 1, think: backwards }), &[unlawful]),
        (arrivals(Arrivals::Steps(vec![])), &["arrivals: nothing ever arrives: there is no step to a rate above zero"]),
        (arrivals(Arrivals::Steps(vec![(Time::ZERO, rate), (Time::ZERO, rate)])), &["arrivals: the steps are not in order of time"]),
        (arrivals(trace(&[])), &["arrivals: the trace has no rows"]),
        (arrivals(trace(&[late, row])), &["arrivals: the trace goes back in time"]),
        (arrivals(Arrivals::Closed { users: 0, think: second() }), &["arrivals: nothing ever arrives: there are no users"]),
        (keys(Keys::Uniform { count: 0 }), &["keys: there is no key to choose"]),
        (keys(Keys::Zipf { count: 9, exponent_milli: 10_001 }), &["keys: an exponent above 10 leaves one key"]),
        (
            keys(Keys::Zipf { count: 30_000_000, exponent_milli: 1 }),
            &["keys: 30000000 keys are too many for a table of shares; at most 20000000"],
        ),
        (keys(Keys::Hot { count: 3, hot: 4, share: Chance::ALWAYS }), &["keys: 4 hot keys are more than the 3 there are"]),
        (keys(Keys::Hot { count: 3, hot: 3, share: Chance::NEVER }), &["keys: the share that is left over has no keys to go to"]),
        (keys(Keys::FromTrace), &["keys: `keys` is to come from a trace, but the arrivals do not"]),
        (size(Sizes::Uniform { low: 2, high: 1 }), &["size: the smallest size, 2, is above the largest, 1"]),
        (size(Sizes::Mix(vec![(1, 0)])), &["size: no size has a weight above zero"]),
        (
            LoadStream { size: Sizes::FromTrace, keys: Keys::FromTrace, ..arrivals(trace(&[row])) },
            &["keys: the trace has rows without `key`", "size: the trace has rows without `bytes`"],
        ),
        (
            LoadStream { clients: ClientChoice::ByKey, limit: Some(0), ..arrivals(Arrivals::Closed { users: 1, think: second() }) },
            &[
                "clients: the users of a closed load stay at their clients, so none is chosen for each operation",
                "limit: a load of no operations proves nothing",
            ],
        ),
    ];
    for (stream, expected) in table {
        let found: Vec<String> = stream.problems().iter().map(|p| format!("{}: {}", p.field, p.what)).collect();
        assert_eq!(found, expected);
    }
    let config = LoadConfig { streams: vec![good], listed: vec![] };
    let phases = Phases { warm: Span::ZERO, chaos: Span::secs(1), heal: Span::ZERO, drain: Span::ZERO };
    let lonely = LoadPlan::new(&config, vec![Target { object: ObjectId(0), clients: vec![] }], &phases).unwrap_err();
    assert_eq!((lonely[0].0, lonely[0].1.field), (0, "clients"));
}

#[test]
fn listed_operations_are_issued_as_they_are_written() {
    let one = |at: u64, payload: u32, op| Listed {
        at: Time::ZERO + Span::secs(at),
        payload: PayloadId(payload),
        client: "c".into(),
        to: "q".into(),
        op,
        key: KeyId(payload + 1),
        bytes: 7,
    };
    // The last comes when no load is issued any more.
    let listed = vec![one(1, 40, OpKind::Publish), one(1, 41, OpKind::Request), one(3, 2, OpKind::Publish), one(5, 50, OpKind::Publish)];
    let targets = (0..4).map(|n| Target { object: ObjectId(n), clients: vec![NodeId(9 - n)] });
    let phases = Phases { warm: Span::secs(2), chaos: Span::secs(2), heal: Span::secs(1), drain: Span::secs(9) };
    let plan = LoadPlan::new(&LoadConfig { streams: vec![], listed: listed.clone() }, targets.collect(), &phases).unwrap();
    let mut load = Load::new(&plan, 3);
    assert_eq!(load.peek(), Some(listed[0].at));
    let command = |payload: u32, what| Command { op: ClientOp(payload), what };
    let publish = |payload, object| Op::Publish { to: ObjectId(object), key: KeyId(payload + 1), payload: PayloadId(payload), bytes: 7 };
    let request = Op::Request { to: ObjectId(1), key: KeyId(42), payload: PayloadId(41), bytes: 7 };
    let expected = [
        Arrival { at: listed[0].at, node: NodeId(9), command: command(40, publish(40, 0)) },
        Arrival { at: listed[1].at, node: NodeId(8), command: command(41, request) },
        Arrival { at: listed[2].at, node: NodeId(7), command: command(2, publish(2, 2)) },
    ];
    let mut fork = load.clone();
    let first = load.next();
    load.ended(listed[1].at, ClientOp(40));
    let issued: Vec<Arrival> = first.into_iter().chain(std::iter::from_fn(|| load.next())).collect();
    assert_eq!((issued.as_slice(), load.issued(), load.peek()), (&expected[..], 3, None));
    assert_eq!(std::iter::from_fn(|| fork.next()).collect::<Vec<_>>(), expected, "a fork goes on from where it was");
}
