//! Hand-made histories of logs, each breaking one property (and what that implies), with the sentences of their witnesses.

use crate::base::{NodeId, PayloadId};
use crate::check::tests::notation::{check_logs, history_with, judge, log_names};
use crate::check::{Property, Verdict};

#[test]
fn a_write_is_lost_when_the_log_was_read_beyond_it() {
    let sent = "sub s1 | pub c0 p0 k0 to t | ok p0 at l0@0 | pub c0 p1 k1 to t | ok p1 at l0@1 | pub c1 p2 k0 to t | info p2";
    check_logs(
        &format!("{sent} | poll s1 | got s1 p2 at l0@2 | final"),
        "no_lost_write 2/3: p0 (key k0), acknowledged to c0 at 0.003s, stood at l0@0 and was never read by anybody that it is owed to, although l0@2 was read
         all_seen 2/2: p0 (key k0), acknowledged to c0 at 0.003s, was never read at l0@0 by anybody that it is owed to, and is not held",
    );
    // Behind what was read, it may just not have been read yet; and an unknown end proves nothing without a place.
    check_logs(
        &format!("{sent} | poll s1 | got s1 p0 at l0@0 | final"),
        "all_seen 1/2: p1 (key k1), acknowledged to c0 at 0.005s, was never read at l0@1 by anybody that it is owed to, and is not held",
    );
    // Held, and gone by a declared way.
    check_logs(&format!("{sent} | poll s1 | got s1 p2 at l0@2 | expire s1 p0 | final | held s1 p1"), "");
    // It was read in another log, or by one of two groups.
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | ok p0 at l0@0 | pub c0 p1 k0 to t | ok p1 at l1@5 | got s1 p1 at l1@5 | final | held s1 p0",
        "",
    );
    check_logs(&format!("sub s2 | {sent} | got s1 p2 at l0@2 | got s2 p0 at l0@0 | got s2 p1 at l0@1 | final"), "");
    // Nobody is owed it.
    check_logs("pub c0 p0 k0 to t | ok p0 at l0@0 | sub s1 | pub c0 p1 k0 to t | ok p1 at l0@1 | got s1 p1 at l0@1 | final", "");
    check_logs(&format!("{sent} | got s1 p2 at l0@2 | unsub s1 | final"), "");
}

#[test]
fn a_message_without_an_end_is_lost_when_somebody_else_read_it() {
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | sub s2 | got s2 p0 at l0@0 | pub c0 p1 k0 to t | ok p1 at l0@1 | got s1 p1 at l0@1 | final",
        "no_lost_write 1/2: p0 (key k0) of c0, stood at l0@0 and was never read by anybody that it is owed to, although l0@1 was read",
    );
    // Of a transaction it may have been read before that was aborted.
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | tx 1 p0 c0 | sub s2 | got s2 p0 at l0@0 | pub c0 p1 k0 to t | ok p1 at l0@1 | got s1 p1 at l0@1 | final",
        "",
    );
}

#[test]
fn a_message_stands_at_one_place_and_a_place_has_one_message() {
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | ok p0 at l0@0 | poll s1 | got s1 p0 at l0@0 | got s1 p0 b1 at l1@4",
        "no_log_duplicate 1/2: p0 stands at l1@4, as b1 read for s1 at 0.006s, and at l0@0 as well",
    );
    // An answer lost, a retry, and both were written.
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | poll s1 | got s1 p0 at l0@0 | got s1 p0 at l0@1 | ok p0 at l0@1",
        "no_log_duplicate 1/2: p0 stands at l0@1, as b0 read for s1 at 0.005s, and at l0@0 as well",
    );
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | ok p0 at l0@7 | pub c1 p1 k0 to t | ok p1 at l0@7 | pub c1 p2 k0 to t | got s1 p2 at l0@7 | got s1 p0 b1 at l0@7",
        "consistent_offsets 1/1: p1 stands at l0@7, as c1 was told at 0.005s, where p0 was known to stand
         no_rebalance_reread 1/1: b1, new to l0, began with p0 at l0@7 for s1 at 0.008s, which had read as far as l0@7",
    );
    // What an operation without a good end was told does not count.
    check_logs("sub s1 | pub c0 p0 k0 to t | info p0 | pub c1 p1 k0 to t | ok p1 at l0@0 | got s1 p1 at l0@0", "");
}

#[test]
fn what_is_left_out_between_two_polls_is_skipped() {
    // The fourth and the seventh are known by others; the sixth may be a gap.
    let all = "sub s1 | sub s2 | pub c0 p1 k0 to t | pub c0 p2 k0 to t | pub c0 p3 k0 to t | pub c0 p4 k0 to t | pub c1 p6 k0 to t | pub c0 p7 k0 to t";
    let polls = "poll s1 | got s1 p1 at l0@1 | got s1 p2 at l0@2 | poll s2 b1 | got s2 p3 b1 at l0@3";
    let rest = "poll s1 | got s1 p4 at l0@4 | ok p6 at l0@6 | poll s1 | got s1 p7 at l0@7";
    check_logs(
        &format!("{all} | {polls} | {rest}"),
        "no_poll_skip 2/4: b0 went on from l0@2 to l0@4 for s1 with its next poll at 0.015s, beyond p3 at l0@3",
    );
    // Whoever is given the log anew begins where its group stopped: then the skip is the group's.
    check_logs(
        &format!("{all} | {polls} | revoke s1 l0 | assign s1 l0 | {rest}"),
        "no_poll_skip 1/2: b0 went on from l0@4 to l0@7 for s1 with its next poll at 0.02s, beyond p6 at l0@6
         no_rebalance_skip 1/2: b0, new to l0, began at l0@4 for s1 at 0.017s, which had read as far as l0@2, beyond p3 at l0@3",
    );
    // Another log has nothing to do with it, and what is within one poll is of its own kind.
    check_logs(
        &format!("{all} | {polls} | assign s1 l1 | {rest}"),
        "no_poll_skip 2/4: b0 went on from l0@2 to l0@4 for s1 with its next poll at 0.016s, beyond p3 at l0@3",
    );
    check_logs(
        &format!("{all} | {polls} | got s1 p4 at l0@4"),
        "no_poll_skip_within 1/3: b0 went on from l0@2 to l0@4 for s1 within its poll at 0.014s, beyond p3 at l0@3",
    );
}

#[test]
fn a_skip_may_turn_out_long_afterwards() {
    check_logs(
        "sub s1 | sub s2 | pub c0 p0 k0 to t | pub c0 p1 k0 to t | pub c0 p2 k0 to t | poll s1 | got s1 p0 at l0@0 | poll s1 | got s1 p2 at l0@2 | ok p1 at l0@1",
        "no_poll_skip 1/2: b0 went on from l0@0 to l0@2 for s1 with its next poll at 0.009s, beyond p1 at l0@1",
    );
}

#[test]
fn what_left_was_aborted_or_may_be_is_no_skip() {
    let start =
        "sub s1 | sub s2 | pub c0 p0 k0 to t | ok p0 at l0@0 | pub c0 p1 k0 to t | pub c0 p2 k0 to t | ok p2 at l0@2 | got s1 p0 at l0@0";
    let skip = "no_poll_skip_within 1/2: b0 went on from l0@0 to l0@2 for s1 within its poll at 0.01s, beyond p1 at l0@1";
    check_logs(&format!("{start} | ok p1 at l0@1 | got s1 p2 at l0@2"), skip);
    for gone in ["ok p1 at l0@1 | expire s1 p1", "ok p1 at l0@1 | drop s1 p1", "ok p1 at l0@1 | supersede s1 p1"] {
        check_logs(&format!("{start} | {gone} | got s1 p2 at l0@2"), "");
    }
    // Another group could read it before it was aborted.
    check_logs(
        &format!("{start} | tx 1 p1 c0 | got s2 p1 b1 at l0@1 | fail p1 | got s1 p2 at l0@2"),
        "no_aborted_read 1/3: p1 (key k0) was reported to c0 at 0.011s as failed (queue full), but s2 had already read it",
    );
    check_logs(&format!("{start} | tx 1 p1 c0 | got s2 p1 b1 at l0@1 | info p1 | got s1 p2 at l0@2"), "");
    // Without a transaction, what anybody read is there.
    check_logs(&format!("{start} | got s2 p1 b1 at l0@1 | got s1 p2 at l0@2"), skip);
}

#[test]
fn what_lies_below_an_expired_message_has_gone_with_it() {
    let log = "sub s1 | pub c0 p0 k0 to t | ok p0 at l0@0 | pub c0 p1 k0 to t | ok p1 at l0@1 | pub c0 p2 k0 to t | ok p2 at l0@2 | pub c0 p3 k0 to t | ok p3 at l0@3";
    let read = "poll s1 b1 | got s1 p0 b1 at l0@0 | got s1 p1 b1 at l0@1 | assign s1 l0 | poll s1 | got s1 p0 at l0@0";
    let again = "no_rebalance_reread 1/1: b0, new to l0, began with p0 at l0@0 for s1 at 0.015s, which had read as far as l0@1";
    // The group had p1, so that it cannot expire for it; but p2 did.
    check_logs(&format!("{log} | {read} | expire s1 p2 | poll s1 | got s1 p3 at l0@3"), again);
    check_logs(
        &format!("{log} | {read} | got s1 p3 at l0@3"),
        &format!(
            "no_poll_skip_within 2/4: b0 went on from l0@0 to l0@3 for s1 within its poll at 0.016s, beyond p1 at l0@1
             {again}"
        ),
    );
}

#[test]
fn a_reader_that_goes_back() {
    let polls = "sub s1 | pub c0 p1 k0 to t | pub c0 p2 k0 to t | poll s1 | got s1 p1 at l0@1 | got s1 p2 at l0@2";
    check_logs(
        &format!("{polls} | poll s1 | got s1 p1 at l0@1"),
        "monotonic_polls 1/1: b0 read p1 at l0@1 for s1 at 0.008s, after l0@2 in an earlier poll",
    );
    check_logs(
        &format!("{polls} | got s1 p2 at l0@2"),
        "monotonic_within_poll 1/2: b0 read p2 at l0@2 for s1 at 0.007s, after l0@2 in the same poll",
    );
    check_logs(
        &format!("{polls} | assign s1 l0 b1 | poll s1 b1 | got s1 p2 b1 at l0@2"),
        "no_rebalance_reread 1/1: b1, new to l0, began with p2 at l0@2 for s1 at 0.009s, which had read as far as l0@2",
    );
    // A log that was given away within a poll and came back; and another group, node or log.
    check_logs(
        &format!("{polls} | revoke s1 l0 | assign s1 l0 | got s1 p1 at l0@1"),
        "no_rebalance_reread 1/1: b0, new to l0, began with p1 at l0@1 for s1 at 0.009s, which had read as far as l0@2",
    );
    check_logs(&format!("sub s2 | {polls} | poll s2 | got s2 p1 at l0@1 | got s2 p2 at l0@2"), "");
}

#[test]
fn aborted_and_precommitted_reads() {
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | fail p0 | got s1 p0 b1 at l0@3 | got s1 p0 b1 at l0@3",
        "monotonic_within_poll 1/1: b1 read p0 at l0@3 for s1 at 0.005s, after l0@3 in the same poll
         no_aborted_read 1/1: b1 read p0 at l0@3 for s1 at 0.004s, although its operation had failed",
    );
    check_logs(
        "sub s1 | pub c0 p0 k0 to t | tx 9 p0 c0 | got s1 p0 c0 at l0@3 | ok p0 at l0@3 | got s1 p0 c0 at l0@3",
        "monotonic_within_poll 1/1: c0 read p0 at l0@3 for s1 at 0.006s, after l0@3 in the same poll
         no_precommitted_read 1/2: c0 read p0 at l0@3 for s1 at 0.004s, which it had itself put into transaction 9, before that had ended",
    );
    // Somebody else's is not one's own.
    check_logs("sub s1 | pub c0 p0 k0 to t | tx 9 p0 c0 | got s1 p0 b0 at l0@3 | ok p0 at l0@3", "");
}

#[test]
fn a_transaction_is_seen_as_a_whole() {
    let all = "sub s1 | pub c0 p0 k0 to t | pub c0 p1 k1 to t | tx 4 p0 c0 | tx 4 p1 c0";
    check_logs(
        &format!("{all} | info p0 | info p1 | got s1 p0 at l0@0 | final"),
        "whole_transactions 1/1: of transaction 4 of c0, s1 read p0 and never p1, which is not held",
    );
    check_logs(&format!("{all} | info p0 | info p1 | final"), "");
    check_logs(&format!("{all} | fail p0 | fail p1 | final"), "");
    check_logs(&format!("{all} | info p0 | info p1 | got s1 p0 at l0@0 | final | held s1 p1"), "");
    check_logs(
        &format!("{all} | ok p0 at l0@0 | ok p1 at l1@0 | final | held s1 p0"),
        "all_seen 1/2: p1 (key k1), acknowledged to c0 at 0.007s, was never read at l1@0 by anybody that it is owed to, and is not held
         whole_transactions 1/1: transaction 4 of c0 ended well, but s1 never read p1 of it, which is not held",
    );
    // Groups are judged one by one.
    check_logs(
        &format!("sub s2 | {all} | ok p0 at l0@0 | ok p1 at l1@0 | got s1 p0 at l0@0 | got s1 p1 at l1@0 | got s2 p1 at l1@0 | final"),
        "whole_transactions 1/1: of transaction 4 of c0, s2 read p1 and never p0, which is not held",
    );
}

#[test]
fn what_is_carried_on_counts_in_its_second_topic() {
    let carried =
        "sub s1 | sub s3 | pub c0 p0 k5 to t | ok p0 at l0@0 | pub c0 p1 k5 to t | ok p1 at l0@1 | got s1 p0 at l0@0 | got s1 p1 at l0@1";
    check_logs(&format!("{carried} | appended p0 v0@0 | appended p1 v0@1 | got s3 p0 b1 at v0@0 | got s3 p1 b1 at v0@1 | final"), "");
    check_logs(
        &format!("{carried} | tx 2 p0 b0 | tx 2 p1 b0 | appended p0 v0@0 | appended p1 v0@1 | got s3 p1 b1 at v0@1 | final"),
        "no_lost_write 1/4: p0 (key k5), acknowledged to b0 at 0.011s, stood at v0@0 and was never read by anybody that it is owed to, although v0@1 was read
         all_seen 1/4: p0 (key k5), acknowledged to b0 at 0.011s, was never read at v0@0 by anybody that it is owed to, and is not held
         whole_transactions 1/1: of transaction 2 of b0, s3 read p1 and never p0, which is not held",
    );
    // It may be read before its writer is told; and once more by its writer before that.
    check_logs(
        &format!("{carried} | tx 2 p0 b0 | got s3 p0 b0 at v0@0 | appended p0 v0@0 | got s1 p0 b1 at l0@0"),
        "no_rebalance_reread 1/1: b1, new to l0, began with p0 at l0@0 for s1 at 0.012s, which had read as far as l0@1
         no_precommitted_read 1/2: b0 read p0 at v0@0 for s3 at 0.01s, which it had itself put into transaction 2, before that had ended",
    );
    let judged = judge(&history_with(&format!("{carried} | got s3 p0 b0 at v0@0 | appended p0 v0@0 | final"), &log_names()), &log_names());
    assert!(!judged.finding(Property::NothingUnexpected).verdict.is_broken(), "whoever read it may carry it on");
    assert_eq!(judged.accounting.malformed, 0);
}

#[test]
fn the_last_of_a_key_stays() {
    let keyed = "sub s3 | pub c0 p0 k5 to v | ok p0 at v0@0 | pub c0 p1 k5 to v | ok p1 at v0@1 | pub c0 p2 k6 to v | ok p2 at v0@2";
    check_logs(&format!("{keyed} | supersede s3 p0 | got s3 p1 at v0@1 | got s3 p2 at v0@2 | final"), "");
    check_logs(
        &format!("{keyed} | supersede s3 p0 | got s3 p2 at v0@2 | final"),
        "no_lost_write 1/3: p1 (key k5), acknowledged to c0 at 0.005s, stood at v0@1 and was never read by anybody that it is owed to, although v0@2 was read
         all_seen 1/3: p1 (key k5), acknowledged to c0 at 0.005s, was never read at v0@1 by anybody that it is owed to, and is not held
         latest_per_key 1/3: p1 (key k5), acknowledged to c0 at 0.005s, stood at v0@1 as the last of its key in v0, never reached s3 and is not held",
    );
    check_logs(
        &format!("{keyed} | supersede s3 p1 | got s3 p0 at v0@0 | got s3 p2 at v0@2 | final"),
        "latest_per_key 1/3: p1 (key k5) at v0@1 was compacted away, but no later message of its key is known in v0",
    );
    // One of its key whose end is unknown may have landed.
    check_logs(&format!("{keyed} | pub c0 p3 k5 to v | info p3 | supersede s3 p1 | got s3 p0 at v0@0 | got s3 p2 at v0@2 | final"), "");
}

#[test]
fn compaction_is_a_declared_way_and_delivery_enough_when_a_later_one_is_there() {
    let keyed = "sub s3 | pub c0 p0 k5 to v | ok p0 at v0@0 | pub c0 p1 k5 to v | ok p1 at v0@1 | got s3 p1 at v0@1 | supersede s3 p0";
    let names = log_names();
    let judged = judge(&history_with(&format!("{keyed} | final"), &names), &names);
    for property in [Property::AckedSurvives, Property::AckedDelivered, Property::NoGaps, Property::LatestPerKey] {
        assert!(matches!(judged.finding(property).verdict, Verdict::Holds { .. }), "{property}: {:?}", judged.finding(property));
    }
    assert_eq!((judged.accounting.superseded, judged.accounting.expired), (1, 0));
    let alone = "sub s3 | pub c0 p0 k5 to v | ok p0 at v0@0 | supersede s3 p0 | final";
    let judged = judge(&history_with(alone, &names), &names);
    assert!(matches!(judged.finding(Property::AckedSurvives).verdict, Verdict::Holds { .. }));
    let Verdict::Broken(witness) = &judged.finding(Property::AckedDelivered).verdict else { panic!("it did not arrive") };
    assert_eq!(
        witness.sentence,
        "p0 (key k5) was acknowledged to c0 at 0.003s, was compacted away before it reached s3, and no later message of its key is known"
    );
}

#[test]
fn witnesses_name_all_concerned_and_runs_without_logs_have_none() {
    let names = log_names();
    let judged =
        judge(&history_with("sub s1 | pub c0 p0 k0 to t | ok p0 at l0@7 | pub c1 p1 k0 to t | got s1 p1 b1 at l0@7", &names), &names);
    let Verdict::Broken(witness) = &judged.finding(Property::ConsistentOffsets).verdict else { panic!("two at one place") };
    assert_eq!((&witness.payloads[..], &witness.nodes[..]), (&[PayloadId(1), PayloadId(0)][..], &[NodeId(4)][..]));
    assert_eq!(judged.findings.iter().map(|f| f.property).collect::<Vec<_>>(), Property::ALL);
    let plain = crate::check::tests::notation::names();
    let judged = judge(&history_with("sub s1 | pub c0 p0 k0 to t | ok p0", &plain), &plain);
    assert_eq!(judged.findings.iter().map(|f| f.property).collect::<Vec<_>>(), Property::DELIVERY);
    assert!(matches!(*judged.verdict(Property::AllSeen), Verdict::Unknown { .. }));
}

#[test]
fn what_contradicts_the_rules_is_counted_as_malformed() {
    let names = log_names();
    for wrong in [
        "sub s1 | pub c0 p0 k0 to t | ok p0 at v0@0",
        "sub s1 | pub c0 p0 k0 to t | got s1 p0 at v0@0",
        "sub s1 | pub c0 p0 k0 to t | got s1 p0 at s2@0",
        "pub c0 p0 k0 | got q p0 at l0@0",
        "assign s3 l0",
        "revoke q l0",
        "appended p0 l0@0",
        "tx 1 p0 c0",
    ] {
        assert_eq!(judge(&history_with(wrong, &names), &names).accounting.malformed, 1, "{wrong}");
    }
}
