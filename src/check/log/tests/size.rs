//! Memory of the judges of logs on a long run, and what clones share.

use std::sync::Arc;

use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::judges::Judges;
use crate::check::tests::notation::{config, log_names};
use crate::check::{JudgeConfig, Promises, Property, Verdict};
use crate::record::{End, Entry, LogNote, Names, Note, ObjectKind, Op, Phase, Place, What};

const S1: ObjectId = ObjectId(3);
const S2: ObjectId = ObjectId(4);
const LOGS: [ObjectId; 2] = [ObjectId(7), ObjectId(8)];

/// Everything of a steady run: messages go to two logs by turns, ten to a transaction with a marker behind, are acknowledged `lag` later and
/// read by one group at once and by the other `late` behind, ten to a poll.
fn steady(count: u32, lag: u32, late: u32, mut fold: impl FnMut(Entry)) {
    let (log, offset) = (|i: u32| LOGS[usize::try_from(i / 10 % 2).expect("small")], |i: u32| u64::from(i / 20 * 11 + i % 10));
    let mut put = |i: u32, node, what| fold(Entry { at: Time::ZERO + Span::micros(u64::from(i) * 50), node: NodeId(node), what });
    for group in [S1, S2] {
        put(0, 3, What::Note(Note::Subscribe { group }));
    }
    for i in 0..count + lag + late {
        let what = |i: u32| Op::Publish { to: ObjectId(2), key: KeyId(i % 1000), payload: PayloadId(i), bytes: 100 };
        if i < count {
            put(i, 0, What::Call { op: ClientOp(i), what: what(i) });
            let payload = PayloadId(i);
            put(i, 0, What::Note(Note::Log(LogNote::InTransaction { transaction: u64::from(i / 10), payload })));
        }
        for (behind, group, node) in [(lag, S1, 3), (lag + late, S2, 4)] {
            let Some(read) = i.checked_sub(behind).filter(|read| *read < count) else { continue };
            if read % 10 == 0 {
                put(i, node, What::Note(Note::Log(LogNote::Poll { group })));
            }
            let (payload, place) = (PayloadId(read), Some(Place { log: log(read), offset: offset(read) }));
            put(i, node, What::Note(Note::Deliver { group, payload, intact: true, redelivered: false, place }));
        }
        if let Some(done) = i.checked_sub(lag).filter(|done| *done < count) {
            let place = Some(Place { log: log(done), offset: offset(done) });
            put(i, 0, What::End { op: ClientOp(done), what: what(done), end: End::Ok, place });
        }
    }
    put(count + lag + late, 0, What::Phase(Phase::Final));
}

fn wide_config() -> JudgeConfig {
    let minutes = |n: u64| Time::ZERO + Span::secs(60 * n);
    JudgeConfig { window: Span::millis(100), chaos_start: Time::ZERO, heal_start: minutes(10), drain_start: minutes(20), end: minutes(30) }
}

#[test]
fn a_message_that_everybody_read_takes_little() {
    // With a compacted log the keys of messages are kept as well.
    let mut names = Names::clone(&log_names());
    names.objects.retain(|object| !matches!(object.kind, ObjectKind::Log { compacted: true, .. }));
    let mut judges = Judges::new(Arc::new(names), wide_config());
    let count = 600_000;
    steady(count, 100, 500, |entry| judges.fold(&entry));
    let (all, logs) = (judges.bytes(), judges.logs.as_ref().expect("there are logs").bytes());
    assert!(logs < 2 * count as usize, "{logs} bytes for what stands where of {count} messages");
    assert!(all < 5 * count as usize, "{all} bytes for {count} messages with two groups");
    let judged = judges.finish(wide_config().end, &Promises::default());
    for property in [
        Property::NoLostWrite,
        Property::AllSeen,
        Property::NoLogDuplicate,
        Property::ConsistentOffsets,
        Property::NoPollSkip,
        Property::NoPollSkipWithin,
        Property::MonotonicPolls,
        Property::MonotonicWithinPoll,
        Property::NoAbortedRead,
        Property::NoPrecommittedRead,
        Property::WholeTransactions,
    ] {
        let verdict = judged.verdict(property);
        assert!(matches!(*verdict, Verdict::Holds { .. }), "{property}: {verdict:?}");
    }
}

#[test]
fn a_clone_shares_what_is_old() {
    let mut judges = Judges::new(log_names(), config());
    steady(50_000, 10, 10, |entry| judges.fold(&entry));
    let copy = judges.clone();
    let (logs, copied) = (judges.logs.as_ref().expect("logs"), copy.logs.as_ref().expect("logs"));
    for (log, copied) in logs.logs.iter().zip(&copied.logs) {
        for (layer, copied) in log.layers.iter().zip(&copied.layers) {
            assert!(layer.shares_with(copied), "no chunk is copied");
        }
    }
}
