//! Leaders propose who is in sync, and are refused.

use super::super::super::super::protocol::control::{AlterIsr, Member, Proposal};
use super::super::super::super::refusal::Refusal;
use super::*;

/// Proposes and says what came of it.
fn propose(case: &mut Case, by: u32, isr: &[u32], change: impl FnOnce(&mut AlterIsr, &mut Proposal)) -> Result<bool, Refusal> {
    let view = case.metadata.view();
    let part = view.part(PART).unwrap();
    let member = |broker: &u32| Member { broker: NodeId(*broker), epoch: view.broker(NodeId(*broker)).map(|broker| broker.epoch) };
    let mut proposal = Proposal { part: PART, isr: isr.iter().map(member).collect(), leader_epoch: part.epoch, version: part.version };
    let mut asked = AlterIsr { broker: NodeId(by), epoch: view.broker(NodeId(by)).unwrap().epoch, proposals: [].into() };
    change(&mut asked, &mut proposal);
    asked.proposals = [proposal].into();
    let mut decided = case.decider().alter_isr(&asked)?;
    let (_, result) = decided.remove(0);
    Ok(case.take(result?.map(Fact::Changed).into_iter().collect()))
}

#[test]
fn in_sync_replicas_leave_and_return() {
    let table: &[(&[u32], &str)] = &[
        (&[0, 1], "leader 0, in sync 01, eligible , epoch +0"),
        (&[0], "leader 0, in sync 0, eligible 1, epoch +0"),
        (&[0, 2], "leader 0, in sync 02, eligible , epoch +0"),
        (&[0, 2, 1], "leader 0, in sync 021, eligible , epoch +0"),
    ];
    let mut case = Case::new(true, 2, false);
    for (isr, then) in table {
        let version = case.metadata.view().part(PART).unwrap().version;
        assert_eq!(propose(&mut case, 0, isr, |_, _| {}), Ok(true));
        assert_eq!(case.shown(), *then);
        assert_eq!(case.metadata.view().part(PART).unwrap().version, version + 1);
    }
    assert_eq!(propose(&mut case, 0, &[0, 2, 1], |_, _| {}), Ok(false), "nothing new");
}

#[test]
fn a_leader_that_was_elected_uncleanly_is_clean_after_its_first_proposal() {
    let mut case = Case::new(false, 2, true).part(None, &[2], &[], None).down(&[0, 1, 2]);
    case.beat(0, false);
    assert!(case.shown().ends_with("unclean"));
    assert_eq!(propose(&mut case, 0, &[0], |_, _| {}), Ok(true));
    assert_eq!(case.shown(), "leader 0, in sync 0, eligible , epoch +1");
}

#[test]
fn refusals_in_kafka_s_order() {
    type Bend = fn(&mut AlterIsr, &mut Proposal);
    let table: &[(&str, u32, &[u32], Bend, Refusal)] = &[
        ("an old registration", 0, &[0], |asked, _| asked.epoch += 1, Refusal::StaleBrokerEpoch),
        ("a stranger", 0, &[0], |asked, _| asked.broker = NodeId(9), Refusal::BrokerIdNotRegistered),
        ("no such partition", 0, &[0], |_, of| of.part = Part(7), Refusal::UnknownTopicOrPartition),
        ("ahead of this controller", 0, &[0], |_, of| of.leader_epoch += 1, Refusal::NotController),
        ("a later version than known", 0, &[0], |_, of| of.version += 1, Refusal::NotController),
        ("an old leader", 0, &[0], |_, of| of.leader_epoch -= 1, Refusal::FencedLeaderEpoch),
        ("not the leader", 1, &[1], |_, _| {}, Refusal::InvalidRequest),
        ("an old version", 0, &[0], |_, of| of.version -= 1, Refusal::InvalidUpdateVersion),
        ("without itself", 0, &[1, 2], |_, _| {}, Refusal::InvalidRequest),
        ("nobody", 0, &[], |_, _| {}, Refusal::InvalidRequest),
        ("twice", 0, &[0, 1, 1], |_, _| {}, Refusal::InvalidRequest),
        ("no replica", 0, &[0, 3], |_, _| {}, Refusal::InvalidRequest),
        ("fenced", 0, &[0, 2], |_, _| {}, Refusal::IneligibleReplica),
        ("about to stop", 0, &[0, 1], |_, _| {}, Refusal::IneligibleReplica),
    ];
    for (what, by, isr, bend, refusal) in table {
        let mut case = Case::new(true, 2, false).part(Some(0), &[0, 1], &[], None).down(&[2]);
        case.take(vec![Fact::Stopping { broker: NodeId(1) }]);
        assert_eq!(propose(&mut case, *by, isr, bend), Err(*refusal), "{what}");
    }
}

#[test]
fn a_replica_that_fetched_as_an_earlier_process_is_not_in_sync() {
    let mut case = Case::new(true, 2, false).part(Some(0), &[0], &[], None);
    let old = |_: &mut AlterIsr, of: &mut Proposal| {
        let mut isr = of.isr.to_vec();
        isr[1].epoch = isr[1].epoch.map(|epoch| epoch - 1);
        of.isr = isr.into();
    };
    assert_eq!(propose(&mut case, 0, &[0, 1], old), Err(Refusal::IneligibleReplica));
    let unknown = |_: &mut AlterIsr, of: &mut Proposal| of.isr = of.isr.iter().map(|member| Member { epoch: None, ..*member }).collect();
    assert_eq!(propose(&mut case, 0, &[0, 1], unknown), Ok(true), "versions that do not say are believed");
}

#[test]
fn with_zookeeper_only_the_version_counts() {
    let mut case = zookeeper().down(&[2]);
    assert_eq!(propose(&mut case, 0, &[0], |_, _| {}), Ok(true));
    assert_eq!(case.shown(), "leader 0, in sync 0, eligible , epoch +0", "its own write is no new epoch");
    assert_eq!(propose(&mut case, 0, &[0, 2], |_, _| {}), Ok(true), "fenced or not");
    assert_eq!(propose(&mut case, 0, &[0], |asked, _| asked.epoch += 1), Ok(true));
    assert_eq!(propose(&mut case, 0, &[0, 1], |_, of| of.version -= 1), Err(Refusal::InvalidUpdateVersion));
    assert_eq!(propose(&mut case, 0, &[], |_, _| {}), Err(Refusal::InvalidRequest));
}

#[test]
fn the_last_step_of_a_reassignment_may_depose_who_took_it() {
    let mut case = Case::new(true, 1, false);
    let verdict = case.decider().task(&super::super::super::super::config::Task::Reassign { part: PART, replicas: nodes(&[3]).to_vec() });
    let super::super::Verdict::Done(facts) = verdict else { panic!("{verdict:?}") };
    case.take(facts);
    assert_eq!(case.shown(), "leader 0, in sync 012, eligible , epoch +0, held 3012 +3 -012");
    assert_eq!(propose(&mut case, 0, &[0, 1, 2, 3], |_, _| {}), Ok(true));
    assert_eq!(case.shown(), "leader 3, in sync 3, eligible , epoch +1, held 3 + -");
}
