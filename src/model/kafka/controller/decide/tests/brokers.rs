//! Registration, heartbeats, stopping in good order.

use super::super::super::super::protocol::control::Register;
use super::super::super::super::refusal::Refusal;
use super::super::Registration;
use super::*;

fn register(case: &mut Case, incarnation: u64, previous: Option<u64>) -> Result<u64, Refusal> {
    let wish = Register { broker: NodeId(1), incarnation, previous };
    match case.decider().register(&wish)? {
        Registration::Known(epoch) => Ok(epoch),
        Registration::New(facts) => {
            case.take(facts);
            Ok(case.metadata.view().broker(NodeId(1)).unwrap().epoch)
        }
    }
}

#[test]
fn a_second_process_waits_until_the_first_is_given_up() {
    let mut case = Case::new(true, 2, false);
    let first = case.metadata.view().broker(NodeId(1)).unwrap().epoch;
    assert_eq!(register(&mut case, 1, None), Ok(first), "the same process: its answer was lost");
    assert_eq!(register(&mut case, 77, None), Err(Refusal::DuplicateBrokerRegistration));
    case.fence(1);
    let end = case.metadata.end();
    assert_eq!(register(&mut case, 77, None), Ok(end), "the epoch is the place in the log");
    let broker = *case.metadata.view().broker(NodeId(1)).unwrap();
    assert!(broker.fenced && !broker.stopping && broker.epoch > first);
}

/// What the disk of a process that comes again says of its end decides whether it stays eligible.
#[test]
fn who_may_have_lost_the_end_of_its_log_is_not_eligible() {
    for (in_good_order, then) in
        [(true, "leader -, in sync , eligible 01, epoch +1, last 0"), (false, "leader -, in sync , eligible 0, epoch +1, last 0")]
    {
        let mut case = Case::new(true, 2, false);
        [2, 1, 0].into_iter().for_each(|broker| case.fence(broker));
        let previous = in_good_order.then(|| case.metadata.view().broker(NodeId(1)).unwrap().epoch);
        register(&mut case, 9, previous).unwrap();
        assert_eq!(case.shown(), then, "in good order: {in_good_order}");
    }
    let mut stale = Case::new(true, 2, false);
    [2, 0, 1].into_iter().for_each(|broker| stale.fence(broker));
    register(&mut stale, 9, Some(0)).unwrap();
    assert_eq!(stale.shown(), "leader -, in sync , eligible 0, epoch +2, last 1", "the mark of an earlier stop says nothing");
}

/// The only eligible replica has lost its tail: it leads again in the end, as the last leader, and that is not clean.
#[test]
fn the_last_leader_returns_when_there_is_nobody_else() {
    let mut case = Case::new(true, 1, false).part(Some(1), &[1], &[], None);
    case.fence(1);
    assert_eq!(case.shown(), "leader -, in sync , eligible 1, epoch +1, last 1");
    register(&mut case, 9, None).unwrap();
    assert_eq!(case.shown(), "leader -, in sync , eligible , epoch +1, last 1");
    case.beat(1, false);
    assert_eq!(case.shown(), "leader 1, in sync 1, eligible , epoch +2, unclean");
}

#[test]
fn heartbeats_have_their_refusals() {
    let case = Case::new(true, 2, false);
    let contact = Contact { lowest_active: 0, stopping_since: None };
    let epoch = case.metadata.view().broker(NodeId(1)).unwrap().epoch;
    let beat = Heartbeat { broker: NodeId(1), epoch, metadata: 100, wants_fence: false, wants_shutdown: false };
    let answer = |beat: Heartbeat| case.decider().heartbeat(&beat, contact).map(|(facts, _)| facts.len());
    assert_eq!(answer(beat), Ok(0));
    assert_eq!(answer(Heartbeat { epoch: epoch + 1, ..beat }), Err(Refusal::StaleBrokerEpoch));
    assert_eq!(answer(Heartbeat { broker: NodeId(9), ..beat }), Err(Refusal::BrokerIdNotRegistered));
}

#[test]
fn a_broker_is_let_in_when_it_has_read_its_registration() {
    let mut case = Case::new(true, 2, false);
    case.fence(1);
    let epoch = register(&mut case, 9, None).unwrap();
    let contact = Contact { lowest_active: 0, stopping_since: None };
    let beat = Heartbeat { broker: NodeId(1), epoch, metadata: epoch, wants_fence: false, wants_shutdown: false };
    let told = |beat: &Heartbeat| case.decider().heartbeat(beat, contact).unwrap();
    assert_eq!(told(&beat), (Vec::new(), Heard { caught_up: false, fenced: true, may_stop: false }));
    let reads = Heartbeat { metadata: epoch + 1, ..beat };
    assert_eq!(told(&Heartbeat { wants_fence: true, ..reads }), (Vec::new(), Heard { caught_up: true, fenced: true, may_stop: false }));
    assert_eq!(told(&reads), (vec![Fact::Unfenced { broker: NodeId(1) }], Heard { caught_up: true, fenced: false, may_stop: false }));
}

#[test]
fn a_broker_that_stops_hands_over_first() {
    let mut case = Case::new(true, 1, false);
    assert_eq!(case.beat(0, true), Heard { caught_up: true, fenced: false, may_stop: false });
    assert_eq!(case.shown(), "leader 1, in sync 12, eligible , epoch +1");
    let broker = *case.metadata.view().broker(NodeId(0)).unwrap();
    assert!(broker.stopping && !broker.fenced);

    let epoch = broker.epoch;
    let beat = Heartbeat { broker: NodeId(0), epoch, metadata: 100, wants_fence: false, wants_shutdown: true };
    let told = |lowest_active, stopping_since| case.decider().heartbeat(&beat, Contact { lowest_active, stopping_since }).unwrap().1;
    assert!(!told(7, Some(8)).may_stop, "some broker does not know yet");
    assert!(!told(9, None).may_stop);
    assert!(told(8, Some(8)).may_stop);
    assert_eq!(case.beat(0, true), Heard { caught_up: true, fenced: true, may_stop: true });
    assert!(case.metadata.view().broker(NodeId(0)).unwrap().fenced);
    assert!(case.beat(0, true).may_stop, "asked once more");
}

#[test]
fn a_broker_that_leads_nothing_may_stop_at_once() {
    let mut case = Case::new(true, 2, false);
    assert!(case.beat(2, true).may_stop);
    assert_eq!(case.shown(), "leader 0, in sync 01, eligible , epoch +0");
}

#[test]
fn with_zookeeper_a_session_is_enough() {
    let mut case = zookeeper().part(None, &[1], &[], None).down(&[0, 1, 2]);
    register(&mut case, 9, None).unwrap();
    assert!(!case.metadata.view().broker(NodeId(1)).unwrap().fenced);
    assert_eq!(case.shown(), "leader 1, in sync 1, eligible , epoch +1");
}
