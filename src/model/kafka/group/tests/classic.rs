//! Groups that assign by themselves, case by case as Kafka's coordinator decides them.

use std::sync::Arc;

use super::bench::{Bench, GROUP, speaks};
use crate::base::{NodeId, Span};
use crate::model::kafka::group::{GroupOut, marks};
use crate::model::kafka::ids::{MemberId, Part};
use crate::model::kafka::protocol::group::{Generation, Membership};
use crate::model::kafka::protocol::{GroupReply, GroupRequest};
use crate::model::kafka::refusal::Refusal;

const TEXT: &str = "brokers = 1\ntopic.orders = { partitions = 4 }\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }";

fn parts(numbers: &[u32]) -> Arc<[Part]> {
    numbers.iter().map(|number| Part(*number)).collect()
}

fn sync(from: Membership, assignment: Vec<(MemberId, Arc<[Part]>)>) -> GroupRequest {
    GroupRequest::Sync { group: GROUP, from, assignment }
}

fn assigned(reply: Option<GroupReply>) -> Arc<[Part]> {
    let Some(GroupReply::Sync(Ok(assigned))) = reply else { panic!("no assignment: {reply:?}") };
    assigned
}

/// A group of one, in generation 1, with all partitions.
fn alone(bench: &mut Bench) -> MemberId {
    let a = bench.name();
    let request = bench.join(Some(a), None, &[]);
    let number = bench.ask(request);
    bench.pass(Span::secs(3));
    assert_eq!(bench.joined(number).generation, 1);
    let reply = bench.told(sync(speaks(a, 1), vec![(a, parts(&[0, 1, 2, 3]))]));
    assert_eq!(assigned(Some(reply)), parts(&[0, 1, 2, 3]));
    a
}

/// A group of two, in generation 2: a has the first half, b the second.
fn two(bench: &mut Bench) -> (MemberId, MemberId) {
    let a = alone(bench);
    let b = bench.name();
    let request = bench.join(Some(b), None, &[]);
    let second = bench.ask(request);
    assert_eq!(bench.heartbeat(a, 1), Err(Refusal::RebalanceInProgress));
    let request = bench.join(Some(a), None, &[]);
    let first = bench.ask(request);
    let (of_a, of_b) = (bench.joined(first), bench.joined(second));
    assert_eq!((of_a.generation, of_b.generation, of_a.leader, of_b.leader), (2, 2, a, a));
    assert_eq!((of_a.members.len(), of_b.members.len()), (2, 0), "only the leader is told of the others");
    let waits = bench.ask(sync(speaks(b, 2), Vec::new()));
    assert_eq!(bench.answers.get(&waits), None, "b waits for the leader");
    let reply = bench.told(sync(speaks(a, 2), vec![(a, parts(&[0, 1])), (b, parts(&[2, 3]))]));
    assert_eq!(assigned(Some(reply)), parts(&[0, 1]));
    let reply = bench.answers.remove(&waits);
    assert_eq!(assigned(reply), parts(&[2, 3]));
    (a, b)
}

#[test]
fn the_first_wait_of_a_group_is_prolonged_by_newcomers() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = (bench.name(), bench.name());
    let request = bench.join(Some(a), None, &[]);
    let first = bench.ask(request);
    bench.pass(Span::secs(2));
    let request = bench.join(Some(b), None, &[]);
    let second = bench.ask(request);
    bench.pass(Span::secs(2));
    assert_eq!(bench.answers.len(), 0, "b came within the first 3 s: 3 s more");
    bench.pass(Span::secs(2));
    assert_eq!((bench.joined(first).generation, bench.joined(second).generation), (1, 1));
}

#[test]
fn a_member_joins_and_the_others_join_again() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    assert_eq!((bench.heartbeat(a, 2), bench.heartbeat(b, 2)), (Ok(()), Ok(())));
    assert_eq!(bench.heartbeat(b, 1), Err(Refusal::IllegalGeneration));
    assert_eq!(bench.heartbeat(MemberId(7), 2), Err(Refusal::UnknownMemberId));
}

#[test]
fn a_commit_counts_in_its_generation_only() {
    let mut bench = Bench::new(TEXT);
    let (a, _) = two(&mut bench);
    let commits = [
        (Some(speaks(a, 2)), Ok(())),
        (Some(speaks(a, 1)), Err(Refusal::IllegalGeneration)),
        (Some(speaks(MemberId(7), 2)), Err(Refusal::UnknownMemberId)),
        (None, Err(Refusal::UnknownMemberId)),
    ];
    for (offset, (from, expected)) in (10..).zip(commits) {
        assert_eq!(bench.commit(from, 0, offset), expected, "{from:?}");
    }
    assert_eq!(bench.find(0, true), Ok(Some(10)));
    // During the rebalance that b's departure begins, what the generation had read can still be committed.
    let request = bench.join(Some(a), None, &[]);
    bench.ask(request);
    assert_eq!(bench.commit(Some(speaks(a, 2)), 0, 20), Ok(()));
}

#[test]
fn between_join_and_sync_nothing_can_be_committed() {
    let mut bench = Bench::new(TEXT);
    let a = bench.name();
    let request = bench.join(Some(a), None, &[]);
    let number = bench.ask(request);
    bench.pass(Span::secs(3));
    bench.joined(number);
    assert_eq!(bench.commit(Some(speaks(a, 1)), 0, 5), Err(Refusal::RebalanceInProgress));
    assert_eq!(bench.commit(None, 0, 5), Err(Refusal::UnknownMemberId));
}

#[test]
fn a_silent_member_is_removed_after_its_session() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    for _ in 0..3 {
        bench.pass(Span::secs(3));
        assert_eq!(bench.heartbeat(a, 2), Ok(()));
    }
    bench.pass(Span::millis(1001));
    assert_eq!(bench.heartbeat(a, 2), Err(Refusal::RebalanceInProgress), "b was silent for 10 s");
    assert_eq!(bench.heartbeat(b, 2), Err(Refusal::UnknownMemberId));
    assert!(bench.marks.contains(&marks::SESSION_EXPIRED));
    let request = bench.join(Some(a), None, &[]);
    let number = bench.ask(request);
    assert_eq!(bench.joined(number).generation, 3);
}

#[test]
fn a_member_that_does_not_join_in_time_is_removed_though_it_lives() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    let request = bench.join(Some(a), None, &[]);
    let number = bench.ask(request);
    for _ in 0..12 {
        assert_eq!(bench.heartbeat(b, 2), Err(Refusal::RebalanceInProgress));
        bench.pass(Span::secs(5));
    }
    assert_eq!(bench.joined(number).members.len(), 1, "60 s are over");
    assert_eq!(bench.commit(Some(speaks(b, 2)), 2, 9), Err(Refusal::UnknownMemberId));
    assert!(bench.marks.contains(&marks::ZOMBIE_COMMIT));
    assert!(bench.marks.contains(&marks::REBALANCE_TIMEOUT));
}

#[test]
fn a_member_that_does_not_sync_in_time_is_removed() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    let request = bench.join(Some(a), None, &[]);
    let first = bench.ask(request);
    let request = bench.join(Some(b), None, &[]);
    let second = bench.ask(request);
    assert_eq!((bench.joined(first).generation, bench.joined(second).generation), (3, 3));
    bench.told(sync(speaks(a, 3), vec![(a, parts(&[0, 1])), (b, parts(&[2, 3]))]));
    for _ in 0..12 {
        assert_eq!((bench.heartbeat(a, 3), bench.heartbeat(b, 3)), (Ok(()), Ok(())));
        bench.pass(Span::secs(5));
    }
    assert_eq!(bench.heartbeat(b, 3), Err(Refusal::UnknownMemberId));
    assert_eq!(bench.heartbeat(a, 3), Err(Refusal::RebalanceInProgress));
    assert!(bench.marks.contains(&marks::SYNC_TIMEOUT));
}

#[test]
fn who_leaves_is_not_waited_for() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    assert_eq!(bench.told(GroupRequest::Leave { group: GROUP, member: b }), GroupReply::Leave(Ok(())));
    let request = bench.join(Some(a), None, &[]);
    let number = bench.ask(request);
    assert_eq!(bench.joined(number).generation, 3);
    assert_eq!(bench.told(GroupRequest::Leave { group: GROUP, member: a }), GroupReply::Leave(Ok(())));
    assert_eq!(bench.commit(None, 0, 4), Ok(()), "an empty group takes commits of anybody");
}

/// The group of a static member, stable in generation 1.
fn static_alone(bench: &mut Bench) -> MemberId {
    let request = bench.join(None, Some(5), &[]);
    let number = bench.ask(request);
    bench.pass(Span::secs(3));
    let a = bench.joined(number).member;
    bench.told(sync(Membership { instance: Some(NodeId(5)), ..speaks(a, 1) }, vec![(a, parts(&[0, 1, 2, 3]))]));
    a
}

#[test]
fn a_static_member_comes_back_without_a_rebalance_and_its_older_process_is_fenced() {
    let mut bench = Bench::new(TEXT);
    let a = static_alone(&mut bench);
    let request = bench.join(None, Some(5), &[]);
    let number = bench.ask(request);
    assert!(!bench.answers.contains_key(&number), "kept first, told then");
    bench.settle();
    let joined = bench.joined(number);
    assert_eq!((joined.generation, joined.skip_assignment), (1, true));
    assert_ne!(joined.member, a);
    let now = Membership { instance: Some(NodeId(5)), ..speaks(joined.member, 1) };
    let reply = bench.told(sync(now, Vec::new()));
    assert_eq!(assigned(Some(reply)), parts(&[0, 1, 2, 3]));
    let older = Membership { member: a, ..now };
    let reply = bench.told(GroupRequest::Heartbeat { group: GROUP, from: older });
    assert_eq!(reply, GroupReply::Heartbeat(Err(Refusal::FencedInstanceId)));
    assert_eq!(bench.commit(Some(older), 0, 1), Err(Refusal::FencedInstanceId));
    assert_eq!(bench.commit(Some(now), 0, 1), Ok(()));
    // Its session counts from its return.
    bench.pass(Span::secs(9));
    let reply = bench.told(GroupRequest::Heartbeat { group: GROUP, from: now });
    assert_eq!(reply, GroupReply::Heartbeat(Ok(())));
}

#[test]
fn a_static_member_whose_return_is_not_kept_has_not_returned() {
    let mut bench = Bench::new(TEXT);
    let a = static_alone(&mut bench);
    let request = bench.join(None, Some(5), &[]);
    let number = bench.ask(request);
    bench.fail(Refusal::NotEnoughReplicas);
    assert_eq!(bench.answers.remove(&number), Some(GroupReply::Join(Err((Refusal::CoordinatorNotAvailable, None)))));
    let from = Membership { instance: Some(NodeId(5)), ..speaks(a, 1) };
    assert_eq!(bench.told(GroupRequest::Heartbeat { group: GROUP, from }), GroupReply::Heartbeat(Ok(())));
}

#[test]
fn an_assignment_that_is_not_kept_is_not_told() {
    let mut bench = Bench::new(TEXT);
    let a = bench.name();
    let request = bench.join(Some(a), None, &[]);
    let number = bench.ask(request);
    bench.pass(Span::secs(3));
    bench.joined(number);
    let number = bench.ask(sync(speaks(a, 1), vec![(a, parts(&[0]))]));
    bench.fail(Refusal::RequestTimedOut);
    assert_eq!(bench.answers.remove(&number), Some(GroupReply::Sync(Err(Refusal::CoordinatorNotAvailable))));
    assert_eq!(bench.heartbeat(a, 1), Err(Refusal::RebalanceInProgress));
}

#[test]
fn a_new_coordinator_knows_generation_members_and_positions() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    assert_eq!(bench.commit(Some(speaks(b, 2)), 3, 17), Ok(()));
    bench.load();
    assert!(bench.marks.contains(&marks::GROUP_RELOADED));
    assert_eq!((bench.heartbeat(a, 2), bench.heartbeat(b, 2)), (Ok(()), Ok(())));
    assert_eq!(bench.find(3, true), Ok(Some(17)));
    let reply = bench.told(sync(speaks(b, 2), Vec::new()));
    assert_eq!(assigned(Some(reply)), parts(&[2, 3]));
    bench.pass(Span::secs(11));
    assert_eq!(bench.heartbeat(a, 2), Err(Refusal::UnknownMemberId), "it listens for those that it has read");
}

#[test]
fn whoever_waits_is_told_when_the_coordinator_moves() {
    let mut bench = Bench::new(TEXT);
    let (a, b) = two(&mut bench);
    let request = bench.join(Some(a), None, &[]);
    let joins = bench.ask(request);
    let commits = bench.ask(GroupRequest::Commit { group: GROUP, from: Some(speaks(b, 2)), positions: super::bench::position(2, 5) });
    let home = bench.home();
    let mut out = Vec::new();
    let mut words = crate::base::SmallStream::from_word(1);
    let mut env =
        crate::model::kafka::broker::Env { now: bench.now, me: NodeId(0), config: &bench.config, view: &bench.view, words: &mut words };
    bench.groups.unload(home, &mut env, &mut out);
    let caller = |one: &GroupOut| if let GroupOut::Answer(caller, _) = one { Some(caller.number) } else { None };
    let told: Vec<u32> = out.iter().filter_map(caller).collect();
    assert_eq!(told, [joins, commits]);
    let reply = bench.told(GroupRequest::Heartbeat { group: GROUP, from: speaks(b, 2) });
    assert_eq!(reply, GroupReply::Heartbeat(Err(Refusal::NotCoordinator)));
}

#[test]
fn settings_that_do_not_fit_are_refused() {
    let mut bench = Bench::new(TEXT);
    alone(&mut bench);
    let GroupRequest::Join(mut join) = bench.join(None, None, &[]) else { unreachable!("a join") };
    join.strategy.cooperative = true;
    let reply = bench.told(GroupRequest::Join(join.clone()));
    assert_eq!(reply, GroupReply::Join(Err((Refusal::InconsistentGroupProtocol, None))));
    join.session_timeout = Span::secs(1);
    let reply = bench.told(GroupRequest::Join(join));
    assert_eq!(reply, GroupReply::Join(Err((Refusal::InvalidSessionTimeout, None))));
    let generation: Generation = 1;
    assert_eq!(bench.heartbeat(MemberId(1), generation), Err(Refusal::UnknownMemberId));
}
