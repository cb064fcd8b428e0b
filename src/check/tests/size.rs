//! Memory of the judges, subscriptions by the hundred, and measures against sorting.

use std::sync::Arc;

use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::judges::Judges;
use crate::check::{JudgeConfig, Judged, Promises, Property, Verdict};
use crate::record::{End, Entry, Names, Note, Object, ObjectKind, Op, Phase, Reason, Settlement, What};

use super::notation::{config, names};
use super::random::Dice;

/// The load of a long run: `count` messages to one object, `lag` of them under way at any moment, each called, acknowledged and
/// for every group delivered, applied and settled.
fn long_run(judges: &mut Judges, (to, groups): (ObjectId, &[ObjectId]), count: u32, lag: u32) {
    let time = |i: u32| Time::ZERO + Span::micros(u64::from(i) * 100);
    let mut fold = |i, node, what| judges.fold(&Entry { at: time(i), node: NodeId(node), what });
    for i in 0..count + lag {
        if i < count {
            // Every tenth message has a key of its own.
            let key = KeyId(if i % 10 == 0 { 1000 + i } else { i % 1000 });
            fold(i, i % 3, What::Call { op: ClientOp(i), what: Op::Publish { to, key, payload: PayloadId(i), bytes: 100 } });
        }
        if let Some(done) = i.checked_sub(lag) {
            let payload = PayloadId(done);
            let what = Op::Publish { to, key: KeyId(0), payload, bytes: 100 };
            for group in groups.iter().copied() {
                fold(i, 3, What::Note(Note::Deliver { group, payload, intact: true, redelivered: false, place: None }));
                fold(i, 3, What::Note(Note::Effect { group, payload }));
                fold(i, 3, What::Note(Note::Settle { group, payload, how: Settlement::Acknowledged }));
            }
            fold(i, done % 3, What::End { op: ClientOp(done), what, end: End::Ok, place: None });
        }
    }
}

fn minutes(n: u64) -> Time {
    Time::ZERO + Span::secs(60 * n)
}

fn wide_config() -> JudgeConfig {
    JudgeConfig { window: Span::millis(100), chaos_start: Time::ZERO, heal_start: minutes(10), drain_start: minutes(20), end: minutes(30) }
}

#[test]
fn a_settled_message_takes_less_than_two_bytes() {
    let mut judges = Judges::new(names(), wide_config());
    let queue = (ObjectId(0), &[ObjectId(0)][..]);
    let count = 400_000;
    long_run(&mut judges, queue, count, 100);
    let bytes = judges.bytes();
    assert!(bytes < 2 * count as usize, "{bytes} bytes for {count} messages");
    let judged = judges.finish(minutes(30), &Promises::default());
    let examined: Vec<_> = judged.findings.iter().filter(|f| matches!(f.verdict, Verdict::Holds { .. })).collect();
    assert_eq!(
        examined.len(),
        Property::DELIVERY.len() - 2,
        "all but failures (there are none) and rest (there is no final read): {examined:?}"
    );
}

/// Names with a topic and so many subscriptions to it.
fn crowd(subscriptions: usize) -> Arc<Names> {
    let subscription = |i| Object { name: format!("s{i}"), kind: ObjectKind::Subscription { topic: ObjectId(0) } };
    let objects =
        [Object { name: "news".into(), kind: ObjectKind::Topic }].into_iter().chain((0..subscriptions).map(subscription)).collect();
    Arc::new(Names { nodes: vec!["c0".into(), "b0".into()], objects })
}

#[test]
fn a_topic_may_have_hundreds_of_subscriptions() {
    let mut judges = Judges::new(crowd(200), config());
    let mut fold = |ms, what| judges.fold(&Entry { at: Time::ZERO + Span::millis(ms), node: NodeId(0), what });
    let what = Op::Publish { to: ObjectId(0), key: KeyId(0), payload: PayloadId(0), bytes: 1 };
    for group in (1..=200).map(ObjectId) {
        fold(1, What::Note(Note::Subscribe { group }));
    }
    fold(2, What::Call { op: ClientOp(0), what });
    fold(3, What::Note(Note::Unsubscribe { group: ObjectId(77) }));
    for group in (1..=200).filter(|g| ![70, 77, 150].contains(g)).map(ObjectId) {
        fold(4, What::Note(Note::Deliver { group, payload: PayloadId(0), intact: true, redelivered: false, place: None }));
    }
    fold(5, What::End { op: ClientOp(0), what, end: End::Ok, place: None });
    fold(6, What::Phase(Phase::Final));
    let judged = judges.finish(config().end, &Promises::default());
    let Verdict::Broken(witness) = &judged.finding(Property::AckedSurvives).verdict else { panic!("two never got it") };
    assert_eq!((witness.cases, witness.examined), (2, 199));
    assert!(witness.sentence.ends_with("never reached s69"), "{}", witness.sentence);
    assert_eq!(judged.accounting.lost, 1);
}

#[test]
fn a_group_without_effects_is_not_waited_for_without_end() {
    let run = |effects: u32| {
        let mut judges = Judges::new(names(), wide_config());
        let group = ObjectId(0);
        let mut fold = |i: u32, what| judges.fold(&Entry { at: Time::ZERO + Span::millis(u64::from(i)), node: NodeId(3), what });
        for i in 0..20_000 {
            let what = Op::Publish { to: group, key: KeyId(0), payload: PayloadId(i), bytes: 1 };
            fold(i, What::Call { op: ClientOp(i), what });
            fold(i, What::Note(Note::Deliver { group, payload: PayloadId(i), intact: true, redelivered: false, place: None }));
            fold(i, What::End { op: ClientOp(i), what, end: End::Ok, place: None });
        }
        for i in 0..effects {
            fold(20_000, What::Note(Note::Effect { group, payload: PayloadId(i) }));
        }
        fold(20_000, What::Phase(Phase::Final));
        (judges.bytes(), judges.finish(minutes(1), &Promises::default()))
    };
    let case = |judged: &Judged| match &judged.finding(Property::NoMissingEffect).verdict {
        Verdict::Broken(w) => format!("{}/{}: {}", w.cases, w.examined, w.sentence),
        Verdict::Holds { .. } | Verdict::Unknown { .. } => "none".to_owned(),
    };
    let (bytes, judged) = run(0);
    assert!(bytes < 700_000, "{bytes} bytes wait for effects that never come");
    assert_eq!(case(&judged), "none");
    // Cases are counted by bits even where their time is no longer known.
    assert_eq!(case(&run(10).1), "19990/20000: p10 was delivered to q on b0 at 0.01s and never took effect");
    assert_eq!(case(&run(5_000).1), "15000/20000: p5000 was delivered to q and never took effect");
}

#[test]
fn measures_agree_with_sorting() {
    let mut judges = Judges::new(names(), JudgeConfig { window: Span::micros(10), end: minutes(1), ..wide_config() });
    let (mut dice, mut at, mut ends) = (Dice(7), 0, Vec::new());
    for i in 0..5_000_u32 {
        // From microseconds to tens of seconds.
        let latency = (1 + dice.below(1000)) << dice.below(24);
        let what = Op::Publish { to: ObjectId(0), key: KeyId(0), payload: PayloadId(i), bytes: 1 };
        judges.fold(&Entry { at: Time::from_nanos(at), node: NodeId(0), what: What::Call { op: ClientOp(i), what } });
        at += latency;
        let end = if dice.below(5) == 0 { End::Unknown(Reason("no answer in time")) } else { End::Ok };
        judges.fold(&Entry { at: Time::from_nanos(at), node: NodeId(0), what: What::End { op: ClientOp(i), what, end, place: None } });
        judges.gauge(Time::from_nanos(at), ObjectId(0), u64::from(i));
        if end == End::Ok {
            ends.push((at, latency));
        }
    }
    let judged = judges.finish(Time::from_nanos(at + 1), &Promises::default());
    let mut sorted: Vec<u64> = ends.iter().map(|(_, l)| *l).collect();
    sorted.sort_unstable();
    let rank = |sorted: &[u64], permille: usize| sorted[(sorted.len() * permille).div_ceil(1000) - 1];
    let near = |got: Span, exact: u64, parts: u64| {
        assert!((exact..=exact + exact / parts).contains(&got.as_nanos()), "{got} is not near {exact} ns")
    };
    let ok = &judged.latency.ack_ok;
    for (got, permille) in [(ok.p50, 500), (ok.p90, 900), (ok.p99, 990), (ok.p999, 999), (ok.min, 0), (ok.max, 1000)] {
        near(got, if permille == 0 { sorted[0] } else { rank(&sorted, permille) }, 1000);
    }
    assert_eq!(ok.mean.as_nanos(), sorted.iter().sum::<u64>() / sorted.len() as u64);
    let series = &judged.series;
    assert!(series.buckets.len() <= 240 && series.buckets.len() >= 120, "{} buckets", series.buckets.len());
    assert_eq!(series.buckets.iter().map(|b| b.attempts).sum::<u64>(), 5_000);
    assert_eq!(series.depths[0].points.last().expect("sampled").last, 4_999);
    for bucket in &series.buckets {
        let inside = |at: &u64| (bucket.start.nanos()..bucket.start.nanos() + series.window.as_nanos()).contains(at);
        let mut here: Vec<u64> = ends.iter().filter(|(at, _)| inside(at)).map(|(_, l)| *l).collect();
        here.sort_unstable();
        assert_eq!(bucket.ok, here.len() as u64);
        if !here.is_empty() {
            near(bucket.ack_p50, rank(&here, 500), 63);
            near(bucket.ack_p99, rank(&here, 990), 63);
            assert_eq!(bucket.ack_max.as_nanos(), here[here.len() - 1]);
        }
    }
}
