//! The disk: a fold that takes any part of the writes.

use std::sync::Arc;

use proptest::prelude::*;

use super::laws::Word;
use crate::base::NodeId;
use crate::model::raft::{Entry, Log, Offset, Payload, Record, Snapshot, Stored, Term};
use crate::world::Contents;

fn entry(term: u32, word: u32) -> Entry<Word> {
    Entry { term: Term(term), payload: Payload::User(Word(word)) }
}

fn append(first: u64, terms: &[u32]) -> Record<Word> {
    Record::Append { first: Offset(first), entries: terms.iter().map(|term| entry(*term, *term)).collect() }
}

fn snapshot(end: u64, term: u32) -> Snapshot<Word> {
    Snapshot { end: Offset(end), term: Term(term), voters: Arc::from([NodeId(0)]), state: Arc::from([Word(9)]) }
}

fn terms(log: &Log<Word>) -> Vec<u32> {
    log.iter_from(log.start()).map(|(_, entry)| entry.term.0).collect()
}

#[test]
fn a_vote_is_never_forgotten_nor_changed() {
    let mut disk: Stored<Word> = Stored::format([NodeId(0)]);
    for (term, vote, after) in [(2, None, (2, None)), (2, Some(1), (2, Some(1))), (2, None, (2, Some(1))), (1, Some(0), (2, Some(1)))] {
        disk.apply(Record::Term { term: Term(term), vote: vote.map(NodeId) });
        assert_eq!((disk.term.0, disk.vote), (after.0, after.1.map(NodeId)));
    }
}

#[test]
fn entries_behind_a_hole_are_unreadable() {
    let mut disk = Stored::format([NodeId(0)]);
    disk.apply(append(0, &[1, 1]));
    disk.apply(append(3, &[1]));
    assert_eq!(terms(&disk.log), [1, 1]);
    disk.apply(append(1, &[2]));
    assert_eq!(terms(&disk.log), [1, 2], "what was written over went with the truncation before, lost or not");
    disk.apply(Record::Truncate { to: Offset(1), frees: 0 });
    assert_eq!(terms(&disk.log), [1]);
}

#[test]
fn a_snapshot_stands_for_the_front() {
    let mut disk = Stored::format([NodeId(0)]);
    disk.apply(append(0, &[1, 1, 2]));
    disk.apply(Record::Snapshot { snapshot: snapshot(2, 1), frees: 0 });
    assert_eq!((disk.log.start(), terms(&disk.log)), (Offset(2), vec![2]));
    disk.apply(Record::Snapshot { snapshot: snapshot(1, 1), frees: 0 });
    assert_eq!(disk.snapshot.end, Offset(2), "an older one changes nothing");
    disk.apply(Record::Snapshot { snapshot: snapshot(3, 5), frees: 0 });
    assert_eq!((disk.log.start(), disk.log.last_term(), terms(&disk.log)), (Offset(3), Term(5), vec![]), "another log has won");
}

#[test]
fn a_torn_batch_keeps_its_front() {
    let batch = append(4, &[1, 1, 2]);
    assert_eq!(Stored::torn(&batch, 3), None);
    assert_eq!(Stored::torn(&batch, 5), Some(append(4, &[1, 1])));
    assert_eq!(Stored::torn(&Record::<Word>::Term { term: Term(1), vote: None }, 1), None);
    assert_eq!((Stored::bytes(&batch), Stored::frees(&Record::<Word>::Truncate { to: Offset(4), frees: 84 })), (84, 84));
}

/// A log as a list: the terms of all entries, and how many are compacted away.
#[derive(Clone, Default, Debug)]
struct Twin {
    all: Vec<u32>,
    start: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize, u32),
    Truncate(usize),
    Compact(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1usize..200, 0u32..3).prop_map(|(count, later)| Step::Push(count, later)),
        2 => (0usize..600).prop_map(Step::Truncate),
        1 => (0usize..600).prop_map(Step::Compact),
    ];
    prop::collection::vec(step, 1..20)
}

proptest! {
    #[test]
    fn a_log_is_a_list(steps in steps()) {
        let (mut log, mut twin) = (Log::default(), Twin::default());
        let mut copies = Vec::new();
        for step in steps {
            copies.push((log.clone(), twin.clone()));
            match step {
                Step::Push(count, later) => {
                    let term = twin.all.last().copied().unwrap_or(1) + later;
                    for _ in 0..count {
                        log.push(entry(term, term));
                        twin.all.push(term);
                    }
                }
                Step::Truncate(to) => {
                    log.truncate(Offset(to as u64));
                    twin.all.truncate(to.max(twin.start));
                }
                Step::Compact(to) if to <= twin.all.len() => {
                    log.compact(Offset(to as u64), Term(to.checked_sub(1).map_or(0, |last| twin.all[last])));
                    twin.start = twin.start.max(to);
                }
                Step::Compact(_) => {}
            }
        }
        copies.push((log, twin));
        for (log, twin) in copies {
            compare(&log, &twin);
        }
    }
}

fn compare(log: &Log<Word>, twin: &Twin) {
    assert_eq!((log.start().since(Offset::ZERO), log.end().since(Offset::ZERO)), (twin.start, twin.all.len()));
    assert_eq!(terms(log), twin.all[twin.start..]);
    let before = |at: usize| at.checked_sub(1).map_or(0, |last| twin.all[last]);
    assert_eq!(log.last_term().0, before(twin.all.len()));
    for at in 0..twin.all.len() + 2 {
        let known = (twin.start..=twin.all.len()).contains(&at).then(|| Term(before(at)));
        assert_eq!(log.term_before(Offset(at as u64)), known, "before {at}");
    }
    for term in 0..before(twin.all.len()) + 2 {
        let end = (twin.start..=twin.all.len()).rev().find(|at| before(*at) <= term);
        assert_eq!(log.end_of(Term(term)), end.map(|at| (Term(before(at)), Offset(at as u64))), "the end of {term}");
    }
    for at in twin.start..=twin.all.len() {
        let begin = (twin.start..at).find(|place| twin.all[*place] == before(at)).unwrap_or(twin.start);
        assert_eq!(log.start_of_term_before(Offset(at as u64)), Offset(begin as u64), "the term before {at}");
    }
}
