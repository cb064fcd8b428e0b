//! One rule after the other.

use crate::base::Span;
use crate::model::kafka::batch::Outcome;
use crate::model::kafka::ids::{GroupId, Part, ProducerId, Session, TxnId};
use crate::model::kafka::mutants::Mutants;
use crate::model::kafka::protocol::{TxnReply, TxnRequest};
use crate::model::kafka::refusal::Refusal;

use super::super::{State, marks};
use super::config::POSITIONS;
use super::rig::{Rig, TIMEOUT};

const TXN: TxnId = TxnId(0);

fn rig(v2: bool) -> Rig {
    Rig::new(1, v2, Mutants::none())
}

fn begin(rig: &mut Rig, expected: Option<Session>) -> Result<Session, Refusal> {
    match rig.ask_now(0, TxnRequest::InitProducerId { txn: Some(TXN), timeout: TIMEOUT, expected }) {
        Some(TxnReply::ProducerId(result)) => result,
        other => panic!("{other:?}"),
    }
}

fn add(rig: &mut Rig, session: Session, part: u32) -> Result<(), Refusal> {
    let request = rig.adding(TXN, session, Part(part));
    match rig.ask_now(0, request) {
        Some(TxnReply::PartitionsAdded(result) | TxnReply::OffsetsAdded(result)) => result,
        Some(TxnReply::Verified(results)) => results[0].1,
        other => panic!("{other:?}"),
    }
}

fn end(rig: &mut Rig, session: Session, outcome: Outcome) -> Result<Session, Refusal> {
    match rig.ask_now(0, TxnRequest::EndTxn { txn: TXN, session, outcome }) {
        Some(TxnReply::Ended(result)) => result,
        other => panic!("{other:?}"),
    }
}

fn state(rig: &Rig) -> State {
    rig.txns.as_ref().unwrap().state(TXN).unwrap().state
}

/// Markers and their answers arrive, and the end is written.
fn settle(rig: &mut Rig) {
    while let Some(letter) = rig.letters.pop() {
        rig.deliver_letter(&letter);
        let ack = rig.acks.pop().unwrap();
        rig.deliver_ack(ack);
        rig.replicate(rig.home.len());
    }
    assert!(rig.txns.as_ref().unwrap().is_settled());
}

const fn at(session: Session, epoch: u16) -> Session {
    Session { epoch, ..session }
}

#[test]
fn a_transaction_goes_from_beginning_to_end() {
    for v2 in [false, true] {
        let mut rig = rig(v2);
        let session = begin(&mut rig, None).unwrap();
        assert_eq!((session.epoch, state(&rig)), (0, State::Empty));
        assert_eq!(add(&mut rig, session, 1), Ok(()));
        assert_eq!(add(&mut rig, session, POSITIONS.0), Ok(()));
        assert_eq!(state(&rig), State::Ongoing);
        assert_eq!(rig.txns.as_ref().unwrap().state(TXN).unwrap().parts[..], [Part(1), POSITIONS]);
        let length = rig.home.len();
        assert_eq!(add(&mut rig, session, 1), Ok(()));
        assert_eq!(rig.home.len(), length, "it is in it already: nothing is written");

        let next = end(&mut rig, session, Outcome::Commit).unwrap();
        assert_eq!(next, if v2 { at(session, 1) } else { session });
        assert_eq!(state(&rig), State::PrepareCommit);
        assert_eq!(add(&mut rig, next, 2), Err(Refusal::ConcurrentTransactions));
        assert_eq!(begin(&mut rig, None), Err(Refusal::ConcurrentTransactions));
        settle(&mut rig);
        assert_eq!(state(&rig), State::CompleteCommit);
        assert_eq!(end(&mut rig, session, Outcome::Commit), Ok(next), "the same again");
        assert_eq!(end(&mut rig, session, Outcome::Abort), Err(Refusal::InvalidTxnState));
        assert_eq!(begin(&mut rig, None), Ok(at(session, next.epoch + 1)));
        assert_eq!(add(&mut rig, next, 1), Err(if v2 { Refusal::InvalidProducerEpoch } else { Refusal::ProducerFenced }));
    }
}

/// A producer that does not know whether its transaction ever began aborts it; before, that was an error.
#[test]
fn an_abort_of_nothing() {
    for v2 in [false, true] {
        let mut rig = rig(v2);
        let session = begin(&mut rig, None).unwrap();
        assert_eq!(end(&mut rig, session, Outcome::Commit), Err(Refusal::InvalidTxnState));
        let aborted = end(&mut rig, session, Outcome::Abort);
        assert_eq!(aborted, if v2 { Ok(at(session, 1)) } else { Err(Refusal::InvalidTxnState) });
        assert!(rig.letters.is_empty());
        rig.replicate(rig.home.len());
        assert_eq!(state(&rig), if v2 { State::CompleteAbort } else { State::Empty });
        if v2 {
            assert_eq!(end(&mut rig, session, Outcome::Abort), Ok(at(session, 1)), "the same again");
            assert_eq!(end(&mut rig, at(session, 1), Outcome::Abort), Ok(at(session, 2)), "another one");
        }
    }
}

#[test]
fn a_new_producer_ends_what_its_predecessor_left_open() {
    for v2 in [false, true] {
        let mut rig = rig(v2);
        let old = begin(&mut rig, None).unwrap();
        assert_eq!(add(&mut rig, old, 0), Ok(()));
        assert!(rig.write(Part(0), old, (0, 0)));
        assert_eq!(begin(&mut rig, None), Err(Refusal::ConcurrentTransactions));
        assert_eq!(state(&rig), State::PrepareAbort);
        assert_eq!(begin(&mut rig, None), Err(Refusal::ConcurrentTransactions));
        settle(&mut rig);
        assert_eq!(rig.logs[0].ended, [((0, 0), Outcome::Abort)]);
        assert!(!rig.write(Part(0), old, (0, 0)), "the marker has a later epoch");
        let new = begin(&mut rig, None).unwrap();
        assert_eq!(new, at(old, 2), "the first was used to shut the old one out");
        assert_eq!(end(&mut rig, old, Outcome::Commit), Err(Refusal::ProducerFenced));
        assert!(rig.marks.contains(marks::FENCED));
    }
}

#[test]
fn a_producer_goes_on_after_an_error() {
    let mut rig = rig(false);
    let first = begin(&mut rig, None).unwrap();
    let second = begin(&mut rig, Some(first)).unwrap();
    assert_eq!(second, at(first, 1));
    assert_eq!(begin(&mut rig, Some(first)), Ok(second), "it had not heard the answer");
    assert_eq!(begin(&mut rig, Some(second)), Ok(at(first, 2)));
    assert_eq!(begin(&mut rig, Some(first)), Err(Refusal::ProducerFenced));
    let other = begin(&mut rig, None).unwrap();
    assert_eq!(begin(&mut rig, Some(at(first, 2))), Err(Refusal::ProducerFenced), "another process has come");
    assert_eq!(begin(&mut rig, Some(Session { id: ProducerId(999), epoch: 0 })), Err(Refusal::ProducerFenced));
    let last = begin(&mut rig, Some(other)).unwrap();
    rig.crash(0);
    rig.come();
    assert_eq!(begin(&mut rig, Some(other)), Err(Refusal::ProducerFenced), "the log does not say which epoch was before");
    assert_eq!(begin(&mut rig, Some(last)).unwrap().epoch, last.epoch + 1);
}

#[test]
fn epochs_are_used_up() {
    let mut rig = rig(false);
    let id = ProducerId(7);
    rig.seed_log(TXN, Session { id, epoch: 32_765 }, State::Empty);
    let last = begin(&mut rig, None).unwrap();
    assert_eq!(last, Session { id, epoch: 32_766 });
    assert_eq!(add(&mut rig, last, 0), Ok(()));
    assert_eq!(begin(&mut rig, None), Err(Refusal::ConcurrentTransactions), "shut out with the very last epoch");
    settle(&mut rig);
    let new = begin(&mut rig, None).unwrap();
    assert!(new.id != id && new.epoch == 0);
    assert!(rig.marks.contains(marks::EPOCHS_USED_UP));

    let mut rig = self::rig(true);
    rig.seed_log(TXN, Session { id, epoch: 32_766 }, State::CompleteCommit);
    let session = Session { id, epoch: 32_766 };
    assert_eq!(add(&mut rig, session, 0), Ok(()));
    let next = end(&mut rig, session, Outcome::Commit).unwrap();
    assert!(next.id != id && next.epoch == 0);
    assert_eq!(add(&mut rig, next, 0), Err(Refusal::ConcurrentTransactions), "not before the markers are there");
    settle(&mut rig);
    assert_eq!(end(&mut rig, session, Outcome::Commit), Ok(next), "the same again");
    assert_eq!(add(&mut rig, next, 0), Ok(()));
}

#[test]
fn a_leader_asks_what_is_in_a_transaction() {
    let mut rig = rig(false);
    let session = begin(&mut rig, None).unwrap();
    assert_eq!(add(&mut rig, session, 0), Ok(()));
    let verify = |session, parts: &[u32]| {
        let parts = parts.iter().map(|part| Part(*part)).collect();
        TxnRequest::Verify { txn: TXN, session, parts, add: false }
    };
    let both = rig.ask_now(0, verify(session, &[0, 1]));
    assert_eq!(both, Some(TxnReply::Verified(vec![(Part(0), Ok(())), (Part(1), Err(Refusal::TransactionAbortable))])));
    assert!(rig.marks.contains(marks::NOT_IN_TRANSACTION));
    let later = rig.ask_now(0, verify(at(session, 1), &[0]));
    assert_eq!(later, Some(TxnReply::Verified(vec![(Part(0), Err(Refusal::InvalidProducerEpoch))])));
    end(&mut rig, session, Outcome::Commit).unwrap();
    let ending = rig.ask_now(0, verify(session, &[0]));
    assert_eq!(ending, Some(TxnReply::Verified(vec![(Part(0), Err(Refusal::ConcurrentTransactions))])));
}

#[test]
fn time_ends_transactions_and_ids() {
    for v2 in [false, true] {
        let mut rig = rig(v2);
        rig.config.broker.transactional_id_expiration = Span::secs(7000);
        let session = begin(&mut rig, None).unwrap();
        assert_eq!(add(&mut rig, session, 0), Ok(()));
        rig.pass(Span::secs(20));
        assert_eq!(state(&rig), State::Ongoing, "not longer than its time-out yet");
        rig.pass(Span::secs(10));
        rig.replicate(rig.home.len());
        settle(&mut rig);
        assert_eq!(state(&rig), State::CompleteAbort);
        assert_eq!(rig.txns.as_ref().unwrap().state(TXN).unwrap().session, at(session, 1));
        assert_eq!(end(&mut rig, session, Outcome::Commit), Err(if v2 { Refusal::InvalidTxnState } else { Refusal::ProducerFenced }));
        rig.pass(Span::secs(3600));
        assert_eq!(state(&rig), State::CompleteAbort);
        rig.pass(Span::secs(7200));
        rig.replicate(rig.home.len());
        assert_eq!(rig.txns.as_ref().unwrap().state(TXN), None);
        assert_eq!(add(&mut rig, session, 0), Err(Refusal::InvalidProducerIdMapping));
        rig.crash(0);
        rig.come();
        assert_eq!(rig.txns.as_ref().unwrap().state(TXN), None, "a tombstone is the last word");
        assert!(rig.marks.contains(marks::EXPIRED) && rig.marks.contains(marks::TIMED_OUT));
    }
}

#[test]
fn time_outs_have_a_bound() {
    let mut rig = rig(true);
    for timeout in [Span::ZERO, Span::secs(901)] {
        let reply = rig.ask_now(0, TxnRequest::InitProducerId { txn: Some(TXN), timeout, expected: None });
        assert_eq!(reply, Some(TxnReply::ProducerId(Err(Refusal::InvalidTransactionTimeout))));
    }
}

/// A marker waits for a leader, for a second chance, for a new coordinator; and an old coordinator's marker comes too late.
#[test]
fn markers_get_there() {
    let mut rig = rig(true);
    let session = begin(&mut rig, None).unwrap();
    assert_eq!(add(&mut rig, session, 0), Ok(()));
    assert_eq!(add(&mut rig, session, 1), Ok(()));
    rig.elect(Part(0), None);
    end(&mut rig, session, Outcome::Commit).unwrap();
    assert_eq!(rig.letters.len(), 1, "for the partition that has a leader");
    rig.pass(Span::millis(200));
    assert_eq!(rig.letters.len(), 1, "never a second one to a broker that has not answered");
    let lost = rig.letters.pop().unwrap();
    rig.lose_letter(&lost);
    let ack = rig.acks.pop().unwrap();
    rig.deliver_ack(ack);
    assert!(rig.letters.is_empty(), "after a pause");
    rig.pass(Span::millis(60));
    assert_eq!(rig.letters.len(), 1);
    let old = rig.letters.pop().unwrap();
    rig.crash(0);
    rig.come();
    assert!(rig.marks.contains(marks::TAKEN_OVER));
    rig.elect(Part(0), Some(super::config::BROKERS[1]));
    assert_eq!(rig.letters.len(), 2);
    settle(&mut rig);
    rig.deliver_letter(&old);
    let (_, _, late) = rig.acks.pop().unwrap();
    let Ok(TxnReply::MarkersWritten(written)) = late else { panic!("{late:?}") };
    assert_eq!(written[0].result, Err(Refusal::TransactionCoordinatorFenced));
    assert_eq!(state(&rig), State::CompleteCommit);
}

#[test]
fn only_a_coordinator_that_is_loaded_answers() {
    let mut rig = rig(false);
    let session = begin(&mut rig, None).unwrap();
    rig.ask(0, TxnRequest::AddOffsets { txn: TXN, session, group: GroupId(0) });
    let request = rig.requests.pop().unwrap();
    let number = request.0;
    rig.deliver(request);
    rig.with(|txns, env, out| txns.unload(super::config::HOME, env, out));
    let reply = rig.replies.iter().find(|(_, of, _)| *of == number).unwrap().2.clone();
    assert_eq!(reply, TxnReply::OffsetsAdded(Err(Refusal::NotCoordinator)), "what waited is told");
    assert_eq!(add(&mut rig, session, 0), Err(Refusal::NotCoordinator));
    let anybody = rig.ask_now(0, TxnRequest::InitProducerId { txn: None, timeout: Span::ZERO, expected: None });
    assert!(matches!(anybody, Some(TxnReply::ProducerId(Ok(Session { epoch: 0, .. })))), "idempotence needs no coordinator");
}
