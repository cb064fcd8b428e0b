//! Single rules, each on a node or two.

use super::laws::Word;
use crate::base::{NodeId, Span, Time};
use crate::model::raft::message::{Append, Fetch, Fetched, Found, Vote, Voted};
use crate::model::raft::{
    Change, Message, Moment, Offset, Output, Payload, Raft, Record, Role, Settings, Stored, Term, Ticket, Timer, TimerKind, Unchanged,
};

const AT: Moment = Moment { now: Time::ZERO, word: 7 };
const ME: NodeId = NodeId(0);
const OTHER: NodeId = NodeId(1);
const THIRD: NodeId = NodeId(2);

fn node(settings: Settings) -> (Raft<Word>, Vec<Output<Word>>) {
    let mut raft = Raft::boot(ME, settings, Stored::format([ME, OTHER, THIRD]), AT);
    let outputs = raft.outputs();
    (raft, outputs)
}

fn timer(outputs: &[Output<Word>], kind: TimerKind) -> (Timer, Span) {
    let found = outputs.iter().rev().find_map(|output| match output {
        Output::Set { timer, after } if timer.kind == kind => Some((*timer, *after)),
        _ => None,
    });
    found.expect("the timer is set")
}

fn sent(outputs: &[Output<Word>]) -> Vec<(NodeId, Message<Word>)> {
    outputs
        .iter()
        .filter_map(|output| if let Output::Send { to, message } = output { Some((*to, message.clone())) } else { None })
        .collect()
}

fn ticket(outputs: &[Output<Word>]) -> Ticket {
    outputs.iter().find_map(|output| if let Output::Sync(ticket) = output { Some(*ticket) } else { None }).expect("a sync begins")
}

/// Everything that a node says once its disk has caught up.
fn after_syncs(raft: &mut Raft<Word>) -> Vec<Output<Word>> {
    let mut all = raft.outputs();
    let mut done = 0;
    while let Some(ticket) = all[done..].iter().find_map(|output| if let Output::Sync(ticket) = output { Some(*ticket) } else { None }) {
        done = all.len();
        raft.synced(ticket, AT);
        all.extend(raft.outputs());
    }
    all
}

/// A leader in charge of its second term, without pre-votes.
fn leader(settings: Settings) -> (Raft<Word>, Vec<Output<Word>>) {
    let (mut raft, outputs) = node(Settings { pre_vote: false, ..settings });
    raft.timer(timer(&outputs, TimerKind::Election).0, AT);
    after_syncs(&mut raft);
    raft.message(OTHER, Message::Voted(Voted { term: Term(1), pre: false, granted: true, leader: None }), AT);
    let outputs = after_syncs(&mut raft);
    assert_eq!(raft.role(), Role::Leader);
    (raft, outputs)
}

const fn fetch(number: u32, end: u64, last_term: u32) -> Message<Word> {
    Message::Fetch(Fetch { term: Term(1), number, end: Offset(end), last_term: Term(last_term), committed: Offset::ZERO })
}

#[test]
fn a_vote_leaves_when_the_disk_has_it() {
    let (mut raft, _) = node(Settings::kraft());
    raft.message(OTHER, Message::Vote(Vote { term: Term(4), pre: false, last_term: Term(0), end: Offset::ZERO }), AT);
    let outputs = raft.outputs();
    assert_eq!(sent(&outputs), []);
    assert!(outputs.contains(&Output::Write(Record::Term { term: Term(4), vote: Some(OTHER) })));
    raft.synced(ticket(&outputs), AT);
    let granted = Message::Voted(Voted { term: Term(4), pre: false, granted: true, leader: None });
    assert_eq!(sent(&raft.outputs()), [(OTHER, granted)]);
    raft.message(THIRD, Message::Vote(Vote { term: Term(4), pre: false, last_term: Term(3), end: Offset(9) }), AT);
    let refused = Message::Voted(Voted { term: Term(4), pre: false, granted: false, leader: None });
    assert_eq!(sent(&raft.outputs()), [(THIRD, refused)], "one vote a term, however long the other's log is");
}

#[test]
fn asking_around_raises_no_term() {
    let (mut raft, outputs) = node(Settings::kraft());
    let (election, after) = timer(&outputs, TimerKind::Election);
    assert!((Span::secs(1)..=Span::secs(2)).contains(&after), "{after}");
    raft.timer(election, AT);
    let ask = Message::Vote(Vote { term: Term(0), pre: true, last_term: Term(0), end: Offset::ZERO });
    assert_eq!(sent(&raft.outputs()), [(OTHER, ask.clone()), (THIRD, ask)]);
    assert_eq!((raft.role(), raft.term()), (Role::Prospective, Term(0)));
    raft.timer(election, AT);
    assert_eq!(raft.outputs(), [], "a timer that was replaced does nothing");
    raft.message(THIRD, Message::Voted(Voted { term: Term(0), pre: true, granted: true, leader: None }), AT);
    assert_eq!((raft.role(), raft.term()), (Role::Candidate, Term(1)));
}

#[test]
fn a_follower_that_hears_its_leader_wants_no_election() {
    let (mut raft, _) = node(Settings::kraft());
    raft.message(OTHER, Message::BeginTerm { term: Term(1) }, AT);
    let outputs = after_syncs(&mut raft);
    let Some((_, Message::Fetch(asked))) = sent(&outputs).pop() else { panic!("it fetches") };
    let ask = Message::Vote(Vote { term: Term(1), pre: true, last_term: Term(1), end: Offset(5) });
    let answer = |raft: &mut Raft<Word>| {
        raft.message(THIRD, ask.clone(), AT);
        match sent(&raft.outputs()).pop() {
            Some((THIRD, Message::Voted(Voted { granted, leader, .. }))) => (granted, leader),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(answer(&mut raft), (true, None), "the leader has not answered yet");
    let found = Found::Entries { entries: Vec::new().into(), committed: Offset::ZERO };
    let Fetch { number, end, last_term, .. } = asked;
    raft.message(OTHER, Message::Fetched(Fetched { term: Term(1), leader: Some(OTHER), number, end, last_term, found }), AT);
    let _ = raft.outputs();
    assert_eq!(answer(&mut raft), (false, Some(OTHER)));
}

#[test]
fn a_fetch_says_what_is_durable_and_commits_it() {
    let (mut raft, _) = leader(Settings::kraft());
    let first = raft.propose([Word(1), Word(2)], AT).unwrap();
    assert_eq!(first, Offset(1), "the leader's own entry comes first");
    after_syncs(&mut raft);
    raft.message(OTHER, fetch(1, 0, 0), AT);
    let outputs = raft.outputs();
    let Some((OTHER, Message::Fetched(Fetched { found: Found::Entries { entries, committed }, .. }))) = sent(&outputs).pop() else {
        panic!()
    };
    assert_eq!((entries.len(), committed, raft.in_charge()), (3, Offset::ZERO, false));
    raft.message(OTHER, fetch(2, 3, 1), AT);
    let outputs = raft.outputs();
    assert!(outputs.contains(&Output::Committed { first: Offset::ZERO, entries }));
    assert!(outputs.contains(&Output::InCharge { term: Term(1) }));
    assert_eq!((raft.matched(OTHER), raft.matched(THIRD), raft.committed()), (Some(Offset(3)), Some(Offset::ZERO), Offset(3)));
}

#[test]
fn a_fetch_waits_for_news() {
    let (mut raft, _) = leader(Settings::kraft());
    for (number, end, term) in [(1, 0, 0), (2, 1, 1)] {
        raft.message(OTHER, fetch(number, end, term), AT);
    }
    let _ = raft.outputs();
    let known = Fetch { term: Term(1), number: 3, end: Offset(1), last_term: Term(1), committed: Offset(1) };
    raft.message(OTHER, Message::Fetch(known), AT);
    let outputs = raft.outputs();
    assert_eq!(sent(&outputs), []);
    let (wait, after) = timer(&outputs, TimerKind::Wait(OTHER));
    assert_eq!(after, Span::millis(500));
    let mut other = raft.clone();
    raft.propose([Word(1)], AT).unwrap();
    let count = |outputs: &[Output<Word>]| match sent(outputs).pop() {
        Some((OTHER, Message::Fetched(Fetched { number: 3, found: Found::Entries { entries, .. }, .. }))) => entries.len(),
        answer => panic!("{answer:?}"),
    };
    assert_eq!(count(&raft.outputs()), 1, "an entry comes");
    other.timer(wait, AT);
    assert_eq!(count(&other.outputs()), 0, "nothing comes");
}

#[test]
fn a_log_that_parts_is_cut() {
    let (mut raft, _) = leader(Settings::kraft());
    raft.message(OTHER, fetch(1, 5, 0), AT);
    let Some((_, Message::Fetched(answer))) = sent(&raft.outputs()).pop() else { panic!() };
    assert_eq!(answer.found, Found::Diverging { term: Term(0), end: Offset::ZERO });
}

#[test]
fn a_leader_that_nobody_hears_resigns_and_names_successors() {
    let (mut raft, outputs) = leader(Settings::kraft());
    let (quorum, after) = timer(&outputs, TimerKind::Quorum);
    assert_eq!(after, Span::secs(3));
    raft.message(THIRD, fetch(1, 0, 0), AT);
    let outputs = raft.outputs();
    raft.timer(quorum, AT);
    assert_eq!(raft.role(), Role::Leader, "a majority was heard: the watch begins anew");
    assert_eq!(timer(&outputs, TimerKind::Quorum).1, Span::secs(3));
    raft.message(THIRD, fetch(2, 1, 1), AT);
    let _ = raft.outputs();
    raft.resign(None, AT);
    let end = Message::EndTerm { term: Term(1), successors: [THIRD, OTHER].into() };
    assert!(sent(&raft.outputs()).contains(&(THIRD, end)), "the longest log first");
    assert_eq!((raft.role(), raft.leader()), (Role::Resigned, None));
    assert_eq!(raft.propose([Word(1)], AT).unwrap_err().leader, None);
}

#[test]
fn the_first_successor_stands_at_once() {
    let (mut raft, _) = node(Settings::kraft());
    raft.message(OTHER, Message::BeginTerm { term: Term(1) }, AT);
    let _ = raft.outputs();
    let mut second = raft.clone();
    raft.message(OTHER, Message::EndTerm { term: Term(1), successors: [ME, THIRD].into() }, AT);
    second.message(OTHER, Message::EndTerm { term: Term(1), successors: [THIRD, ME].into() }, AT);
    assert_eq!(timer(&raft.outputs(), TimerKind::Election).1, Span::ZERO);
    assert_eq!(timer(&second.outputs(), TimerKind::Election).1, Span::millis(100));
}

#[test]
fn voters_change_one_at_a_time_and_not_before_the_leader_is_in_charge() {
    let (mut raft, _) = leader(Settings::kraft());
    assert_eq!(raft.change_voters(Change::Add(NodeId(3)), AT), Err(Unchanged::TooEarly));
    for (number, end, term) in [(1, 0, 0), (2, 1, 1)] {
        raft.message(OTHER, fetch(number, end, term), AT);
    }
    assert_eq!(raft.change_voters(Change::Add(OTHER), AT), Err(Unchanged::Pointless));
    assert_eq!(raft.change_voters(Change::Add(NodeId(3)), AT), Ok(Offset(1)));
    assert_eq!(raft.voters().len(), 4, "it counts when it is appended");
    assert_eq!(raft.change_voters(Change::Remove(OTHER), AT), Err(Unchanged::UnderWay));
}

#[test]
fn a_follower_replaces_what_contradicts_its_leader() {
    let (mut raft, _) = node(Settings::push());
    let entries = |terms: &[u32]| {
        terms.iter().map(|term| super::super::Entry { term: Term(*term), payload: Payload::User(Word(*term)) }).collect::<Vec<_>>()
    };
    let hand = |term, first, before, terms: &[u32], committed| {
        let (term, first, term_before) = (Term(term), Offset(first), Term(before));
        Message::Append(Append { term, round: 1, first, term_before, entries: entries(terms).into(), committed: Offset(committed) })
    };
    raft.message(OTHER, hand(1, 0, 0, &[1, 1, 1], 1), AT);
    raft.message(THIRD, hand(2, 1, 1, &[2], 9), AT);
    let terms: Vec<u32> = raft.log().iter_from(Offset::ZERO).map(|(_, entry)| entry.term.0).collect();
    assert_eq!((terms, raft.committed()), (vec![1, 2], Offset(2)), "committed is no more than what was compared");
    raft.message(THIRD, hand(2, 0, 0, &[1], 0), AT);
    assert_eq!(raft.log().end(), Offset(2), "a late message cuts nothing that agrees with it");
}
