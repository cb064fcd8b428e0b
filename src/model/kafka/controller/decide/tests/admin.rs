//! Topics, reassignments, elections by hand.

use super::super::super::super::config::Task;
use super::super::super::super::ids::TopicId;
use super::super::Verdict;
use super::*;

fn perform(case: &mut Case, task: &Task) -> Option<bool> {
    match case.decider().task(task) {
        Verdict::Done(facts) => Some(case.take(facts)),
        Verdict::NotYet => None,
    }
}

fn reassign(replicas: &[u32]) -> Task {
    Task::Reassign { part: PART, replicas: nodes(replicas).to_vec() }
}

#[test]
fn replicas_come_before_others_go() {
    let table: &[(&[u32], &str)] = &[
        // Only another order: done at once, and the leader stays.
        (&[2, 1, 0], "leader 0, in sync 012, eligible , epoch +0, held 210 + -"),
        // Fewer: those that remain are in sync already. Who is lost as a leader is replaced; the epoch is new in any case.
        (&[0, 1], "leader 0, in sync 01, eligible , epoch +1, held 01 + -"),
        (&[1, 2], "leader 1, in sync 12, eligible , epoch +1, held 12 + -"),
        // New ones have to catch up first.
        (&[0, 1, 3], "leader 0, in sync 012, eligible , epoch +0, held 0132 +3 -2"),
        (&[3, 4], "leader 0, in sync 012, eligible , epoch +0, held 34012 +34 -012"),
    ];
    for (target, then) in table {
        let mut case = Case::new(false, 1, false);
        assert_eq!(perform(&mut case, &reassign(target)), Some(true));
        assert_eq!(case.shown(), *then, "{target:?}");
    }
}

#[test]
fn a_reassignment_waits_for_brokers_that_have_never_come() {
    let mut case = Case::new(true, 2, false);
    assert_eq!(perform(&mut case, &reassign(&[0, 1, 9])), None);
    assert_eq!(perform(&mut case, &Task::Reassign { part: Part(5), replicas: Vec::new() }), None);
}

#[test]
fn a_second_reassignment_keeps_what_the_first_has_to_catch_up() {
    let mut case = Case::new(true, 2, false);
    perform(&mut case, &reassign(&[0, 1, 3]));
    perform(&mut case, &reassign(&[0, 3, 4]));
    assert_eq!(case.shown(), "leader 0, in sync 012, eligible , epoch +0, held 03412 +34 -12");
}

#[test]
fn the_preferred_replica_leads_where_it_can() {
    let table: &[(&[u32], bool, &str)] =
        &[(&[0, 1, 2], true, "leader 0, in sync 012, eligible , epoch +1"), (&[1, 2], false, "leader 1, in sync 12, eligible , epoch +0")];
    for (isr, changes, then) in table {
        let mut case = Case::new(true, 2, false).part(Some(1), isr, &[], None);
        assert_eq!(perform(&mut case, &Task::ElectPreferred), Some(*changes));
        assert_eq!(case.shown(), *then);
    }
    let mut fenced = Case::new(true, 2, false).part(Some(1), &[0, 1, 2], &[], None).down(&[0]);
    assert_eq!(perform(&mut fenced, &Task::ElectPreferred), Some(false));
}

#[test]
fn an_unclean_leader_is_elected_by_hand_only_where_nobody_leads() {
    let mut case = Case::new(false, 2, false);
    let task = Task::ElectUnclean { part: PART };
    assert_eq!(perform(&mut case, &task), Some(false), "somebody leads");
    let mut case = case.part(None, &[2], &[], None).down(&[2]);
    assert_eq!(perform(&mut case, &task), Some(true));
    assert_eq!(case.shown(), "leader 0, in sync 0, eligible , epoch +1, unclean");
    let mut nobody = Case::new(false, 2, false).part(None, &[2], &[], None).down(&[0, 1, 2]);
    assert_eq!(perform(&mut nobody, &task), Some(false));
}

#[test]
fn topics_are_created_on_those_that_are_there() {
    let setting = Setting { topics: vec![(1, 3, 2, false), (2, 2, 1, false)], ..Setting::small() };
    let topic = TopicId(1);
    let mut case = Case::with(&setting).down(&[1]);
    assert!(!case.decider().exists(topic) && !case.decider().are_all_there(topic));
    assert_eq!(perform(&mut case, &Task::Create { topic }), Some(true));
    // The copies of t1/0 are at 1 and 2, those of t1/1 at 2 and 0.
    let shown: Vec<_> =
        [1, 2].iter().map(|part| case.metadata.view().part(Part(*part)).unwrap()).map(|part| (part.leader, part.isr.len())).collect();
    assert_eq!(shown, [(Some(NodeId(2)), 1), (Some(NodeId(2)), 2)]);
    assert!(case.decider().exists(topic));
    assert_eq!(perform(&mut case, &Task::Create { topic }), Some(false), "it exists");

    let mut alone = Case::with(&setting).down(&[1, 2]);
    assert_eq!(perform(&mut alone, &Task::Create { topic }), None, "nobody is there for one of the partitions");
}
