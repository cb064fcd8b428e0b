//! Groups that the broker assigns: what members are told, step by step.

use std::sync::Arc;

use super::bench::{Bench, GROUP, speaks};
use crate::base::{NodeId, Span};
use crate::model::kafka::config::Assignor;
use crate::model::kafka::ids::{MemberId, Part, TopicId};
use crate::model::kafka::protocol::group::{Beat, BeatEpoch, Beaten, Generation};
use crate::model::kafka::protocol::{GroupReply, GroupRequest};
use crate::model::kafka::refusal::Refusal;

const TEXT: &str = "version = \"4.0\"\nbrokers = 1\ntopic.orders = { partitions = 4 }\n\
    consumer = { group.id = \"g\", group.protocol = \"consumer\", auto.offset.reset = \"earliest\" }";

fn beat(member: u64, epoch: BeatEpoch, owned: Option<&[u32]>) -> Beat {
    let joins = epoch == BeatEpoch::Join;
    Beat {
        group: GROUP,
        member: MemberId(member),
        instance: None,
        epoch,
        rebalance_timeout: joins.then(|| Span::secs(60)),
        topics: joins.then(|| Arc::from([TopicId(0)])),
        assignor: joins.then_some(Assignor::Sticky),
        owned: owned.map(|owned| owned.iter().map(|number| Part(*number)).collect()),
    }
}

impl Bench {
    fn beat(&mut self, beat: Beat) -> Result<Beaten, Refusal> {
        let reply = self.told(GroupRequest::Beat(beat));
        let GroupReply::Beat(result) = reply else { panic!("{reply:?}") };
        result
    }

    /// The member's epoch, and what it shall have if it is told.
    fn led(&mut self, member: u64, epoch: BeatEpoch, owned: Option<&[u32]>) -> (Generation, Option<Vec<u32>>) {
        let beaten = self.beat(beat(member, epoch, owned)).expect("a member");
        (beaten.epoch, beaten.assigned.map(|parts| parts.iter().map(|part| part.0).collect()))
    }
}

#[test]
fn nothing_is_given_before_another_has_let_go() {
    use BeatEpoch::{At, Join};
    let mut bench = Bench::new(TEXT);
    assert_eq!(bench.led(1, Join, Some(&[])), (1, Some(vec![0, 1, 2, 3])));
    assert_eq!(bench.led(2, Join, Some(&[])), (2, Some(vec![])), "everything is taken");
    assert_eq!(bench.led(2, At(2), None), (2, None));
    let (epoch, told) = bench.led(1, At(1), None);
    assert_eq!((epoch, &told), (1, &Some(vec![0, 1])), "it is told to give up, and stays behind until it has");
    assert_eq!(bench.led(1, At(1), Some(&[0, 1, 2, 3])), (1, None), "it still has them");
    assert_eq!(bench.led(2, At(2), None), (2, None));
    assert_eq!(bench.led(1, At(1), Some(&[0, 1])), (2, None));
    assert_eq!(bench.led(2, At(2), None), (2, Some(vec![2, 3])));
}

#[test]
fn a_member_that_leaves_frees_what_it_had() {
    use BeatEpoch::{At, Join, Leave};
    let mut bench = Bench::new(TEXT);
    bench.led(1, Join, Some(&[]));
    bench.led(2, Join, Some(&[]));
    bench.led(1, At(1), None);
    bench.led(1, At(1), Some(&[0, 1]));
    bench.led(2, At(2), None);
    bench.beat(beat(1, Leave, None)).expect("it may");
    assert_eq!(bench.led(2, At(2), None), (3, Some(vec![0, 1, 2, 3])));
    assert_eq!(bench.beat(beat(1, At(2), None)), Err(Refusal::UnknownMemberId));
}

#[test]
fn epochs_fence() {
    use BeatEpoch::{At, Join};
    let mut bench = Bench::new(TEXT);
    bench.led(1, Join, Some(&[]));
    bench.led(2, Join, Some(&[]));
    bench.led(1, At(1), None);
    assert_eq!(bench.led(1, At(1), Some(&[0, 1])).0, 2);
    assert_eq!(bench.beat(beat(1, At(3), None)), Err(Refusal::FencedMemberEpoch), "an epoch of the future");
    assert_eq!(bench.led(1, At(1), Some(&[0, 1])).0, 2, "the answer was lost: told again");
    assert_eq!(bench.beat(beat(1, At(1), Some(&[0, 3]))), Err(Refusal::FencedMemberEpoch), "it has more than it may");
    for (generation, expected) in [(2, Ok(())), (1, Err(Refusal::StaleMemberEpoch))] {
        assert_eq!(bench.commit(Some(speaks(MemberId(1), generation)), 0, 5), expected);
    }
    assert_eq!(bench.commit(Some(speaks(MemberId(9), 2)), 0, 5), Err(Refusal::UnknownMemberId));
}

#[test]
fn who_does_not_let_go_in_time_or_is_silent_is_fenced() {
    use BeatEpoch::{At, Join};
    let mut bench = Bench::new(TEXT);
    bench.led(1, Join, Some(&[]));
    bench.led(2, Join, Some(&[]));
    bench.led(1, At(1), None);
    for _ in 0..12 {
        bench.led(1, At(1), Some(&[0, 1, 2, 3]));
        bench.led(2, At(2), None);
        bench.pass(Span::secs(5));
    }
    assert_eq!(bench.beat(beat(1, At(1), None)), Err(Refusal::UnknownMemberId), "60 s are over");
    assert_eq!(bench.led(2, At(2), None), (3, Some(vec![0, 1, 2, 3])));
    bench.pass(Span::secs(46));
    assert_eq!(bench.beat(beat(2, At(3), None)), Err(Refusal::UnknownMemberId), "its session was 45 s");
}

#[test]
fn a_static_member_that_left_for_a_while_gets_back_what_it_had() {
    use BeatEpoch::{At, Join, LeaveForAWhile};
    let mut bench = Bench::new(TEXT);
    let fixed = |member, epoch, owned| Beat { instance: Some(NodeId(5)), ..beat(member, epoch, owned) };
    assert_eq!(bench.beat(fixed(1, Join, Some(&[]))).expect("in").epoch, 1);
    assert_eq!(bench.beat(fixed(2, Join, Some(&[]))), Err(Refusal::UnreleasedInstanceId), "it has not left");
    bench.beat(fixed(1, LeaveForAWhile, None)).expect("it may");
    let back = bench.beat(fixed(2, Join, Some(&[]))).expect("in again");
    assert_eq!((back.epoch, back.assigned.map(|parts| parts.len())), (1, Some(4)), "in the same epoch of the group");
    assert_eq!(bench.beat(fixed(1, At(1), None)), Err(Refusal::FencedInstanceId));
}

#[test]
fn a_new_coordinator_goes_on_where_the_old_one_stopped() {
    use BeatEpoch::{At, Join};
    let mut bench = Bench::new(TEXT);
    bench.led(1, Join, Some(&[]));
    bench.led(2, Join, Some(&[]));
    bench.led(1, At(1), None);
    bench.load();
    assert_eq!(bench.led(2, At(2), None), (2, None));
    assert_eq!(bench.led(1, At(1), Some(&[0, 1])), (2, None));
    bench.load();
    assert_eq!(bench.led(2, At(2), None), (2, Some(vec![2, 3])));
}

#[test]
fn a_group_changes_its_kind_when_nobody_is_in_it() {
    let mut bench = Bench::new(TEXT);
    bench.led(1, BeatEpoch::Join, Some(&[]));
    let join = bench.join(None, None, &[]);
    assert_eq!(bench.told(join), GroupReply::Join(Err((Refusal::InconsistentGroupProtocol, None))));
    bench.beat(beat(1, BeatEpoch::Leave, None)).expect("it may");
    bench.name();
}
