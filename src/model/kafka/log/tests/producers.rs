//! Idempotent producers, rule by rule.

use super::*;

fn check(log: &Log, batch: &Batch) -> Result<Check, Refusal> {
    log.check(batch, Mutants::none())
}

fn with_batches(rules: Rules, count: u32) -> Log {
    let mut log = Log::new(rules);
    for n in 0..count {
        let batch = sent(session(1, 3), n * 2, 2);
        assert_eq!(check(&log, &batch), Ok(Check::Fresh));
        append(&mut log, batch, 0, seconds(u64::from(n)));
    }
    log
}

#[test]
fn the_last_five_batches_are_known() {
    let log = with_batches(PLAIN, 7);
    for n in 2..7u32 {
        let base = u64::from(n) * 2;
        assert_eq!(check(&log, &sent(session(1, 3), n * 2, 2)), Ok(Check::Duplicate { base, end: base + 2 }));
    }
    assert_eq!(check(&log, &sent(session(1, 3), 2, 2)), Err(Refusal::OutOfOrderSequenceNumber), "too old to be known");
    assert_eq!(check(&log, &sent(session(1, 3), 12, 1)), Err(Refusal::OutOfOrderSequenceNumber), "not the same batch");
    assert_eq!(check(&log, &sent(session(1, 3), 14, 1)), Ok(Check::Fresh));
    assert_eq!(check(&log, &sent(session(1, 3), 15, 1)), Err(Refusal::OutOfOrderSequenceNumber));
}

#[test]
fn a_new_epoch_begins_with_zero_and_ends_the_old_one() {
    let mut log = with_batches(PLAIN, 2);
    assert_eq!(check(&log, &sent(session(1, 2), 0, 1)), Err(Refusal::InvalidProducerEpoch));
    assert_eq!(check(&log, &sent(session(1, 4), 4, 1)), Err(Refusal::OutOfOrderSequenceNumber));
    append(&mut log, sent(session(1, 4), 0, 1), 0, seconds(9));
    assert_eq!(
        check(&log, &sent(session(1, 3), 2, 2)),
        Err(Refusal::InvalidProducerEpoch),
        "a repetition of the old epoch is not recognised"
    );
}

#[test]
fn an_unknown_producer_may_begin_anywhere_since_2_5() {
    let batch = sent(session(9, 0), 17, 1);
    assert_eq!(check(&Log::new(PLAIN), &batch), Ok(Check::Fresh));
    assert_eq!(check(&Log::new(EARLY), &batch), Err(Refusal::UnknownProducerId));
    assert_eq!(check(&Log::new(EARLY), &sent(session(9, 0), 0, 1)), Ok(Check::Fresh));
}

#[test]
fn after_a_marker_with_a_new_epoch_the_numbers_begin_again() {
    for (rules, refusal) in [(PLAIN, Refusal::OutOfOrderSequenceNumber), (EARLY, Refusal::UnknownProducerId)] {
        let mut log = Log::new(rules);
        append(&mut log, in_transaction(session(1, 0), 0, 3), 0, seconds(0));
        append(&mut log, marker(session(1, 1), Outcome::Commit, 0), 0, seconds(0));
        assert_eq!(check(&log, &in_transaction(session(1, 1), 0, 1)), Ok(Check::Fresh));
        assert_eq!(check(&log, &in_transaction(session(1, 1), 3, 1)), Err(refusal));
        assert_eq!(check(&log, &in_transaction(session(1, 0), 3, 1)), Err(Refusal::InvalidProducerEpoch), "the transaction is over");
    }
    // With a marker of the same epoch they go on.
    let mut log = Log::new(PLAIN);
    append(&mut log, in_transaction(session(1, 0), 0, 3), 0, seconds(0));
    append(&mut log, marker(session(1, 0), Outcome::Commit, 0), 0, seconds(0));
    assert_eq!(check(&log, &in_transaction(session(1, 0), 3, 1)), Ok(Check::Fresh));
}

#[test]
fn what_does_not_belong_to_the_open_transaction_is_refused() {
    let mut log = Log::new(PLAIN);
    append(&mut log, in_transaction(session(1, 0), 0, 1), 0, seconds(0));
    assert!(log.is_open(session(1, 0)) && !log.is_open(session(1, 1)));
    assert_eq!(check(&log, &sent(session(1, 0), 1, 1)), Err(Refusal::InvalidTxnState));
    append(&mut log, marker(session(1, 0), Outcome::Commit, 5), 0, seconds(0));
    assert_eq!(check(&log, &sent(session(1, 0), 1, 1)), Ok(Check::Fresh));
    assert_eq!(check(&log, &marker(session(1, 0), Outcome::Abort, 4)), Err(Refusal::TransactionCoordinatorFenced));
    assert_eq!(check(&log, &marker(session(1, 0), Outcome::Abort, 5)), Ok(Check::Fresh));
}

#[test]
fn sequence_numbers_go_round() {
    let mut log = Log::new(PLAIN);
    append(&mut log, sent(session(1, 0), SEQUENCES - 2, 4), 0, seconds(0));
    assert_eq!(sequence_after(SEQUENCES - 2, 4), 2);
    assert_eq!(check(&log, &sent(session(1, 0), 2, 1)), Ok(Check::Fresh));
    assert_eq!(check(&log, &sent(session(1, 0), SEQUENCES - 2, 4)), Ok(Check::Duplicate { base: 0, end: 4 }));
}

#[test]
fn silent_producers_are_forgotten_and_open_transactions_are_not() {
    let mut log = Log::new(Rules { producer_id_expiration: Span::secs(100), ..PLAIN });
    append(&mut log, sent(session(1, 0), 0, 1), 0, seconds(0));
    append(&mut log, in_transaction(session(2, 0), 0, 1), 0, seconds(0));
    log.expire_producers(seconds(99));
    assert_eq!(log.producers().len(), 2);
    log.expire_producers(seconds(100));
    assert_eq!((log.producers().len(), log.is_open(session(2, 0))), (1, true));
    assert_eq!(check(&log, &sent(session(1, 0), 0, 1)), Ok(Check::Fresh), "a late repetition is stored twice");
}

#[test]
fn a_leader_that_forgets_producers_stores_a_repetition_twice() {
    let mut log = with_batches(PLAIN, 2);
    append(&mut log, in_transaction(session(2, 0), 0, 1), 0, seconds(0));
    log.forget_producers();
    log.audit().unwrap();
    assert_eq!(check(&log, &sent(session(1, 3), 2, 2)), Ok(Check::Fresh));
    assert!(log.is_open(session(2, 0)));
}

#[test]
fn retention_makes_old_versions_forget_producers() {
    for (rules, expected) in [(PLAIN, Ok(Check::Fresh)), (EARLY, Err(Refusal::UnknownProducerId))] {
        let mut log = with_batches(rules, 3);
        log.delete_below(6);
        assert_eq!(check(&log, &sent(session(1, 3), 6, 1)), expected);
        append(&mut log, sent(session(2, 0), 0, 1), 0, seconds(0));
        log.truncate(6);
        assert_eq!(check(&log, &sent(session(1, 3), 6, 1)), expected, "a log that is cut knows the same again");
    }
}

#[test]
fn broken_leaders_take_what_they_should_not() {
    let log = with_batches(PLAIN, 3);
    let (again, gap, zombie) = (sent(session(1, 3), 4, 2), sent(session(1, 3), 9, 1), sent(session(1, 2), 0, 1));
    for (mutant, batch) in [(Mutant::ForgetsSequences, &again), (Mutant::GapsAccepted, &gap), (Mutant::ZombieNotFenced, &zombie)] {
        assert_ne!(check(&log, batch), Ok(Check::Fresh));
        let Some(broken) = Mutants::with(mutant) else { continue };
        assert_eq!(log.check(batch, broken), Ok(Check::Fresh), "{mutant:?}");
    }
}
