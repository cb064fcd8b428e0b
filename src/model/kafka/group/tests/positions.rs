//! Positions: outside of transactions, inside of them, and after a long time.

use super::bench::{Bench, GROUP, position, session};
use crate::base::Span;
use crate::model::kafka::batch::Outcome;
use crate::model::kafka::group::marks;
use crate::model::kafka::mutants::{Mutant, Mutants};
use crate::model::kafka::protocol::{GroupReply, GroupRequest};
use crate::model::kafka::refusal::Refusal;
use crate::record::{LogNote, Note};

const TEXT: &str = "brokers = 1\ntopic.orders = { partitions = 4 }\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }";

#[test]
fn a_position_counts_when_replicas_have_it() {
    let mut bench = Bench::new(TEXT);
    let number = bench.ask(GroupRequest::Commit { group: GROUP, from: None, positions: position(1, 8) });
    assert_eq!((bench.answers.get(&number), bench.find_now(1)), (None, None));
    bench.settle();
    assert_eq!(bench.find_now(1), Some(8));
    assert!(matches!(bench.notes[..], [Note::Log(LogNote::Committed { .. })]));
}

impl Bench {
    fn find_now(&self, part: u32) -> Option<u64> {
        self.groups.position(GROUP, crate::model::kafka::ids::Part(part))
    }
}

#[test]
fn positions_of_a_transaction_wait_for_its_end() {
    for (outcome, expected) in [(Outcome::Commit, 9), (Outcome::Abort, 3)] {
        let mut bench = Bench::new(TEXT);
        assert_eq!(bench.commit(None, 0, 3), Ok(()));
        let number = bench.commit_in(session(7), 0, 9);
        bench.settle();
        assert_eq!(bench.answers.remove(&number), Some(GroupReply::TxnCommit(Ok(()))));
        assert_eq!(bench.find(0, false), Ok(Some(3)));
        assert_eq!(bench.find(0, true), Err(Refusal::UnstableOffsetCommit));
        assert_eq!(bench.find(1, true), Ok(None), "other partitions are not concerned");
        let mut reloaded = bench.clone();
        reloaded.load();
        assert_eq!(reloaded.find(0, true), Err(Refusal::UnstableOffsetCommit), "a new coordinator knows it too");
        for bench in [&mut bench, &mut reloaded] {
            bench.mark(session(7), outcome);
            assert_eq!(bench.find(0, true), Ok(Some(expected)));
            bench.load();
            assert_eq!(bench.find(0, true), Ok(Some(expected)));
        }
    }
}

#[test]
fn a_later_commit_goes_over_a_transaction_that_is_decided_late() {
    let mut bench = Bench::new(TEXT);
    bench.commit_in(session(7), 0, 9);
    bench.settle();
    assert_eq!(bench.commit(None, 0, 30), Ok(()));
    bench.mark(session(7), Outcome::Commit);
    assert_eq!(bench.find(0, true), Ok(Some(30)));
    bench.load();
    assert_eq!(bench.find(0, true), Ok(Some(30)));
}

#[test]
fn positions_that_were_not_appended_leave_nothing() {
    let mut bench = Bench::new(TEXT);
    let number = bench.commit_in(session(7), 0, 9);
    bench.fail(Refusal::NotEnoughReplicas);
    assert_eq!(bench.answers.remove(&number), Some(GroupReply::TxnCommit(Err(Refusal::CoordinatorNotAvailable))));
    assert_eq!(bench.find(0, true), Ok(None));
    // What timed out stands in the log: it is open until the marker comes.
    bench.commit_in(session(8), 0, 9);
    bench.fail(Refusal::RequestTimedOut);
    assert_eq!(bench.find(0, true), Err(Refusal::UnstableOffsetCommit));
    bench.mark(session(8), Outcome::Abort);
    assert_eq!(bench.find(0, true), Ok(None));
}

#[test]
fn positions_of_an_empty_group_are_forgotten_after_the_retention() {
    let mut bench = Bench::new(TEXT);
    assert_eq!(bench.commit(None, 0, 3), Ok(()));
    let days = |days: u64| Span::secs(days * 86_400);
    bench.pass(days(6));
    assert_eq!(bench.find_now(0), Some(3));
    bench.pass(days(2));
    assert_eq!(bench.find_now(0), None);
    assert!(bench.marks.contains(&marks::POSITIONS_FORGOTTEN));
    bench.load();
    assert_eq!(bench.find_now(0), None, "and stay forgotten");
}

#[test]
fn mutants_do_what_their_names_say() {
    let mutant = |mutant| {
        let mut bench = Bench::new(TEXT);
        bench.config.mutants = Mutants::with(mutant).expect("a build with mutants");
        bench
    };
    let mut bench = mutant(Mutant::PositionsOutsideTransaction);
    bench.commit_in(session(7), 0, 9);
    bench.settle();
    assert_eq!(bench.find(0, true), Ok(Some(9)));
    let mut bench = mutant(Mutant::PositionsNotReloaded);
    assert_eq!(bench.commit(None, 0, 3), Ok(()));
    bench.load();
    assert_eq!(bench.find(0, true), Ok(None));
    let mut bench = mutant(Mutant::GenerationNotChecked);
    let zombie = super::bench::speaks(crate::model::kafka::ids::MemberId(9), 4);
    assert_eq!(bench.commit(Some(zombie), 0, 3), Ok(()));
}
