//! Hand-made histories, each breaking one property (and what that implies), with the sentences of their witnesses.

use crate::base::{NodeId, PayloadId, Span, Time};
use crate::check::{Judges, Property, Ratio, Verdict};

use super::notation::{check, config, history, judge, names};

#[test]
fn an_acknowledged_message_that_vanishes_is_lost() {
    check(
        "pub c0 p0 k3 | ok p0 | pub c1 p1 k0 | ok p1 | got q p1 | final",
        "acked_survives 1/2: p0 (key k3) was acknowledged to c0 at 0.002s, is in no queue at the end and never reached q
         acked_delivered 1/2: p0 (key k3) was acknowledged to c0 at 0.002s, is in no queue at the end and never reached q",
    );
    check(
        "sub s1 | sub s2 | pub c0 p0 k3 to t | ok p0 | got s1 p0 | final",
        "acked_survives 1/2: p0 (key k3) was acknowledged to c0 at 0.004s, is in no queue at the end and never reached s2
         acked_delivered 1/2: p0 (key k3) was acknowledged to c0 at 0.004s, is in no queue at the end and never reached s2",
    );
    check(
        "ask c0 p0 k3 | ok p0 | ask c0 p1 k4 | done r p1 | ok p1 | final",
        "acked_survives 1/2: p0 (key k3) was acknowledged to c0 at 0.002s, is in no queue at the end and never reached r
         acked_delivered 1/2: p0 (key k3) was acknowledged to c0 at 0.002s, is in no queue at the end and never reached r",
    );
}

#[test]
fn the_earliest_case_is_told() {
    check(
        "pub c0 p0 k3 | pub c1 p1 k0 | ok p1 | ok p0 | final",
        "acked_survives 2/2: p1 (key k0) was acknowledged to c1 at 0.003s, is in no queue at the end and never reached q
         acked_delivered 2/2: p1 (key k0) was acknowledged to c1 at 0.003s, is in no queue at the end and never reached q",
    );
}

#[test]
fn what_leaves_by_a_declared_way_survives_and_yet_is_not_delivered() {
    check(
        "pub c0 p0 k3 | ok p0 | expire q p0 | final",
        "acked_delivered 1/1: p0 (key k3) was acknowledged to c0 at 0.002s, expired before it reached q",
    );
    check(
        "pub c0 p0 k3 | drop q p0 | ok p0 | final",
        "acked_delivered 1/1: p0 (key k3) was acknowledged to c0 at 0.003s, was dropped before it reached q",
    );
    check(
        "pub c0 p0 k3 | ok p0 | got q p0 damaged | final",
        "acked_delivered 1/1: p0 (key k3) was acknowledged to c0 at 0.002s, reached q only damaged and is not held at the end
         nothing_corrupted 1/1: p0 reached q damaged on b0 at 0.003s",
    );
    // Dead letters, a place in the queue (before it can drain), and unsubscribing are no loss; nor is what comes in spite of expiry.
    check("pub c0 p0 k3 | ok p0 | dead q p0 | final", "");
    check("sub s1 | pub c0 p0 k3 to t | ok p0 | unsub s1 | final", "");
    check("pub c0 p0 k3 | ok p0 | expire q p0 | got q p0 | final", "");
    // What was not acknowledged is not owed.
    check("pub c0 p0 k3 | info p0 | pub c0 p1 k3 | fail p1 | final", "");
}

#[test]
fn a_second_delivery_is_a_duplicate_whoever_caused_it() {
    check(
        "pub c0 p0 k3 | ok p0 | got q p0 | return q p0 | got q p0 b1 again",
        "no_duplicate_delivery 1/2: p0 was delivered to q on b0 at 0.003s and once more on b1 at 0.005s",
    );
    check(
        "pub c0 p0 k3 | ok p0 | got q p0 | done q p0 | got q p0 b1 | got q p0",
        "no_duplicate_delivery 2/3: p0, already delivered to q, was delivered once more on b1 at 0.005s",
    );
    // Two groups are two deliveries, and none twice.
    check("sub s1 | sub s2 | pub c0 p0 k3 to t | ok p0 | got s1 p0 | got s2 p0 | final", "");
}

#[test]
fn effects_that_come_twice_or_never() {
    check(
        "pub c0 p0 k3 | ok p0 | got q p0 | done q p0 | done q p0 b1",
        "no_duplicate_effect 1/2: p0, already applied for q, took effect once more on b1 at 0.005s",
    );
    check(
        "pub c0 p0 k3 | ok p0 | pub c0 p1 k3 | ok p1 | got q p0 | done q p0 | got q p1 b1 | final",
        "no_missing_effect 1/2: p1 was delivered to q on b1 at 0.007s and never took effect",
    );
    // A poison message among the dead letters, and groups that never record effects.
    check("pub c0 p0 k3 | ok p0 | pub c0 p1 k3 | got q p0 | done q p0 | got q p1 | dead q p1 | got d p1 | final", "");
    check("pub c0 p0 k3 | ok p0 | got q p0 | final", "");
}

#[test]
fn what_was_never_sent_is_unexpected() {
    check("pub c0 p0 k3 | got q p7", "nothing_unexpected 1/1: p7 was delivered to q on b0 at 0.002s, but nobody had sent it");
    check(
        "got q p0 | pub c0 p0 k3 | ok p0 | got q p0",
        "nothing_unexpected 1/2: p0 was delivered to q on b0 at 0.001s, but nobody had sent it",
    );
    check("pub c0 p0 k3 to u | got q p0", "nothing_unexpected 1/1: p0 was delivered to q on b0 at 0.002s, but it was not sent to q");
    check("skip p0 | done q p0 b1", "nothing_unexpected 1/1: p0 was applied for q on b1 at 0.002s, but nobody had sent it");
    check(
        "sub s1 | unsub s1 | pub c0 p0 k3 to t | got s1 p0",
        "nothing_unexpected 1/1: p0 was delivered to s1 on b0 at 0.004s, but s1 was not subscribed when it was published, nor since",
    );
    check(
        "pub c0 p0 k3 | ok p0 | got q p0 | got d p0",
        "nothing_unexpected 1/2: p0 was delivered to d on b0 at 0.004s, but it was not sent to d",
    );
    // On its way when the subscription ended.
    check("sub s1 | pub c0 p0 k3 to t | unsub s1 | got s1 p0", "");
}

#[test]
fn order_is_that_of_first_deliveries_and_of_real_time() {
    check(
        "pub c0 p0 k3 | ok p0 | pub c1 p1 k4 | got q p1 | got q p0 b1",
        "order_global 1/1: p0 (key k3) reached q at 0.005s, after p1 at 0.004s, although its publish by c0 had ended at 0.002s, before p1 was published at 0.003s",
    );
    check(
        "pub c0 p0 k3 | info p0 | pub c1 p1 k3 | got q p1 | got q p0 b1",
        "order_global 1/1: p0 (key k3) reached q at 0.005s, after p1 at 0.004s, although its publish by c0 had ended at 0.002s, before p1 was published at 0.003s
         order_per_key 1/1: p0 (key k3) reached q at 0.005s, after p1 at 0.004s, although its publish by c0 had ended at 0.002s, before p1 was published at 0.003s",
    );
    check(
        "pub c0 p0 k3 | pub c0 p1 k4 | ok p0 | ok p1 | got q p1 | got q p0 b1",
        "order_per_producer 1/1: p0 (key k3) reached q at 0.006s, after p1 at 0.005s, although c0 had published it at 0.001s, before p1 was published at 0.002s",
    );
    // Concurrent publishes have no order, nor has an end at the very moment of the next call.
    check("pub c0 p0 k3 | pub c1 p1 k3 | ok p0 | ok p1 | got q p1 | got q p0", "");
    check("pub c0 p0 k3 | ok p0 | @2ms | pub c1 p1 k3 | got q p1 | got q p0", "");
    // A redelivery is a duplicate and not a reorder.
    check(
        "pub c0 p0 k3 | ok p0 | pub c0 p1 k3 | ok p1 | got q p0 | got q p1 | got q p0 again",
        "no_duplicate_delivery 1/3: p0 was delivered to q on b0 at 0.005s and once more on b0 at 0.007s",
    );
    // Two queues have nothing to do with each other.
    check("pub c0 p0 k3 | ok p0 | pub c0 p1 k3 to u | ok p1 | got u p1 | got q p0", "");
}

#[test]
fn a_gap_is_a_later_message_without_the_earlier_one() {
    check(
        "pub c0 p0 k3 | ok p0 | pub c0 p1 k3 | ok p1 | dead q p0 | got q p1 | final",
        "no_gaps 1/2: p0 (key k3) was acknowledged to c0 at 0.002s and never reached q, but p1, which c0 published later with the same key, did at 0.006s",
    );
    check("pub c0 p0 k3 | ok p0 | pub c0 p1 k4 | ok p1 | dead q p0 | got q p1 | final", "");
    check("pub c0 p0 k3 | ok p0 | pub c1 p1 k3 | ok p1 | dead q p0 | got q p1 | final", "");
}

#[test]
fn a_failure_that_happened_is_a_lie() {
    check(
        "pub c0 p0 k3 | fail p0 | got q p0 b1",
        "failed_stays_failed 1/1: p0 was delivered to q on b1 at 0.003s, after it had been reported as failed",
    );
    check(
        "pub c0 p0 k3 | done q p0 | fail p0",
        "failed_stays_failed 1/1: p0 (key k3) was reported to c0 at 0.003s as failed (queue full), but it had already been delivered or applied",
    );
}

#[test]
fn a_run_that_does_not_come_to_rest_is_stuck() {
    check("@120ms | pub c0 p0 k3 | final", "drained 1/1: p0 (key k3), which c0 sent to q at 0.12s, still has no end at 1s, 880ms later");
    check("pub c0 p0 k3 | ok p0 | final | held q p0", "drained 1/2: p0, published by c0 at 0.001s, is still held for q at 1s, 999ms later");
    check(
        "pub c0 p0 k3 | ok p0 | got q p0 | pub c0 p1 k3 | ok p1 | got q p1 | done q p1 | final | held q p0",
        "drained 1/3: p0, delivered to q on b0 at 0.003s, is still held at 1s without its effect",
    );
    // Pending since before healing: its client may have died.
    check("pub c0 p0 k3 | final", "");
    // Held, but delivered and done with: a log keeps what was read.
    check("pub c0 p0 k3 | ok p0 | got q p0 | final | held q p0", "");
}

#[test]
fn what_was_not_examined_is_unknown() {
    for text in ["", "final", "skip p0 | final", "sub s1 | final"] {
        let judged = judge(&history(text), &names());
        for finding in &judged.findings {
            assert!(matches!(finding.verdict, Verdict::Unknown { .. }), "{} of `{text}`: {:?}", finding.property, finding.verdict);
        }
        assert_eq!(judged.figures.success.value(), None);
    }
    // Without a final read, "never" cannot be told from "not yet".
    let judged = judge(&history("pub c0 p0 k3 | ok p0"), &names());
    let Verdict::Unknown { why } = &judged.finding(Property::AckedSurvives).verdict else { panic!("it may still be held") };
    assert_eq!(why, "1 of 1 cases are open: the run was not read out at its end");
}

#[test]
fn a_breach_is_known_early_and_its_witness_names_all_concerned() {
    let mut judges = Judges::new(names(), config());
    let entries = history("pub c0 p0 k3 | ok p0 | pub c1 p1 k3 | ok p1 | got q p1 | got q p0 b1 | got q p0");
    let mut early = Vec::new();
    for entry in &entries {
        judges.fold(entry);
        early.push(judges.early_breach());
    }
    let order = Some(Property::OrderGlobal);
    assert_eq!(early, [None, None, None, None, None, order, Some(Property::NoDuplicateDelivery)]);
    assert!(judges.is_breached(Property::OrderPerKey) && !judges.is_breached(Property::OrderPerProducer));
    let judged = judge(&entries, &names());
    let Verdict::Broken(witness) = &judged.finding(Property::OrderGlobal).verdict else { panic!("it was found early") };
    assert_eq!(witness.payloads, [PayloadId(0), PayloadId(1)]);
    assert_eq!(witness.nodes, [NodeId(0), NodeId(4), NodeId(3)]);
    assert_eq!(witness.at, Time::ZERO + Span::millis(6));
}

#[test]
fn figures_leave_the_warm_phase_out() {
    // Chaos begins at 5 ms: the first two operations are warm, whenever they end.
    let text = "pub c0 p0 k0 | pub c0 p1 k0 | ok p0 | @8ms | ok p1 | pub c0 p2 k0 | @12ms | ok p2 | @14ms | got q p2 | done q p2
                @20ms | pub c0 p3 k0 | fail p3 | pub c0 p4 k0 | @30ms | info p4 | pub c0 p5 k0 | skip p6 | got q p0 | @300ms | final";
    let judged = judge(&history(text), &names());
    let (figures, latency, all) = (&judged.figures, &judged.latency, &judged.accounting);
    assert_eq!((all.attempts, all.ok, all.failed, all.unknown, all.pending, all.skipped), (6, 3, 1, 1, 1, 1));
    assert_eq!((figures.attempts, figures.ok, figures.failed, figures.unknown, figures.pending, figures.skipped), (4, 1, 1, 1, 1, 1));
    assert_eq!((figures.success, figures.offered_success), (Ratio { part: 1, whole: 4 }, Ratio { part: 1, whole: 5 }));
    assert_eq!((figures.acked.count, figures.delivered.count, figures.acked.over), (2, 2, Span::millis(195)));
    let ms = |q: &crate::check::Quantiles| (q.count, q.min.as_nanos() / 1_000_000, q.max.as_nanos() / 1_000_000);
    assert_eq!([&latency.ack_ok, &latency.ack_failed, &latency.ack_unknown].map(ms), [(1, 3, 3), (1, 1, 1), (1, 8, 8)]);
    assert_eq!([&latency.delivery, &latency.effect].map(ms), [(1, 5, 5), (1, 6, 6)]);
}
