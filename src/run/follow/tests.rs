//! Subjects are read, and a long run is told as well as a short one. What stories say is in `tests/stories.rs`.

use super::*;
use crate::run::tests::plan;

#[test]
fn a_subject_is_a_message_a_node_or_a_fault() {
    let plan = plan(&[]);
    let ready = Ready::new(&plan.arms()[0]);
    let table = [
        ("p17", Ok(Subject::Message(PayloadId(17)))),
        ("17", Ok(Subject::Message(PayloadId(17)))),
        ("broker", Ok(Subject::Node(NodeId(1)))),
        ("eats", Ok(Subject::Outage(FaultId(0)))),
        ("id", Ok(Subject::Outage(FaultId(1)))),
        ("brokr", Err("did you mean `broker`?")),
        ("", Err("known here")),
        ("p-1", Err("no message")),
    ];
    for (text, expected) in table {
        match (Subject::parse(text, &ready), expected) {
            (Ok(found), Ok(subject)) => assert_eq!(found, subject, "{text}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{text}: {why}"),
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn a_window_around_the_subject_tells_the_same() {
    let plan = plan(&[]);
    let ready = Ready::new(&plan.arms()[0]);
    for subject in [Subject::Message(PayloadId(199)), Subject::Message(PayloadId(3)), Subject::Outage(FaultId(0))] {
        let whole = follow(&ready, 1, subject).expect("no panic");
        let around = follow_within(&ready, 1, subject, 0).expect("no panic");
        if matches!(subject, Subject::Message(_)) {
            assert!(!whole.events.is_empty(), "{subject:?}");
            assert_eq!(around, whole, "{subject:?}");
        }
        assert_eq!(around.gist.len(), whole.gist.len());
    }
    assert!(follow(&ready, 1, Subject::Message(PayloadId(1_000_000))).expect("no panic").events.is_empty());
}
