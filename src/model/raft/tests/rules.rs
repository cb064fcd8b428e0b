//! Single rules, each on a node or two.

use super::laws::Word;
use crate::base::{NodeId, Span, Time};
use crate::model::raft::message::{Append, Appended, Fetch, Fetched, Fit, Found, Vote, Voted};
use crate::model::raft::{
    Change, Entry, Message, Moment, Offset, Output, Payload, Push, Raft, Record, Replication, Role, Settings, Stored, Term, Ticket, Timer,
    TimerKind, Unchanged,
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
    let found = outputs.iter().rev().find_map(|output| {
        if let Output::Set { timer, after } = output { Some((*timer, *after)).filter(|_| timer.kind == kind) } else { None }
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
    assert_eq!(timer(&second.outputs(), TimerKind::Election).1, Span::millis(500));
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
    let entries =
        |terms: &[u32]| terms.iter().map(|term| Entry { term: Term(*term), payload: Payload::User(Word(*term)) }).collect::<Vec<_>>();
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

/// A leader of a push quorum, in charge, and the number of its latest heartbeat.
fn push_leader(lease: Option<Span>) -> (Raft<Word>, u64) {
    let replication = Replication::Push(Push { heartbeat: Span::millis(100), lease });
    let (mut raft, outputs) = leader(Settings { replication, ..Settings::push() });
    let round = sent(&outputs).iter().filter_map(|(_, m)| if let Message::Append(append) = m { Some(append.round) } else { None }).max();
    let round = round.expect("it speaks");
    raft.message(OTHER, appended(round, 1), AT);
    assert!(raft.in_charge());
    let _ = raft.outputs();
    (raft, round)
}

const fn appended(round: u64, end: u64) -> Message<Word> {
    Message::Appended(Appended { term: Term(1), round, fit: Fit::UpTo(Offset(end)) })
}

fn ready(outputs: &[Output<Word>]) -> Vec<u64> {
    outputs.iter().filter_map(|output| if let Output::ReadReady { read } = output { Some(*read) } else { None }).collect()
}

#[test]
fn a_read_waits_until_a_majority_says_that_it_still_follows() {
    let (mut raft, round) = push_leader(None);
    raft.read(5, AT).unwrap();
    assert!(ready(&raft.outputs()).is_empty());
    raft.message(OTHER, appended(round, 1), AT);
    assert!(ready(&raft.outputs()).is_empty(), "an answer to an earlier heartbeat says nothing");
    raft.message(OTHER, appended(round + 1, 1), AT);
    assert_eq!(ready(&raft.outputs()), [5]);
    raft.read(6, AT).unwrap();
    raft.message(THIRD, Message::BeginTerm { term: Term(2) }, AT);
    assert!(raft.outputs().contains(&Output::ReadRefused { read: 6 }));
    assert_eq!(raft.read(7, AT).unwrap_err().leader, Some(THIRD));
}

#[test]
fn a_lease_answers_at_once_until_it_ends() {
    let (mut raft, _) = push_leader(Some(Span::millis(900)));
    let late = |millis| Moment { now: Time::ZERO + Span::millis(millis), word: 7 };
    raft.read(1, late(899)).unwrap();
    assert_eq!(ready(&raft.outputs()), [1]);
    let ask = Message::Vote(Vote { term: Term(9), pre: false, last_term: Term(8), end: Offset(9) });
    raft.message(THIRD, ask.clone(), late(899));
    assert_eq!((raft.role(), raft.term()), (Role::Leader, Term(1)), "it votes for nobody meanwhile");
    raft.read(2, late(900)).unwrap();
    assert!(ready(&raft.outputs()).is_empty());
    raft.message(THIRD, ask, late(900));
    assert_eq!(raft.term(), Term(9));
}

#[test]
fn who_is_too_far_behind_gets_the_snapshot() {
    let (mut raft, _) = leader(Settings::kraft());
    raft.propose([Word(1), Word(2)], AT).unwrap();
    after_syncs(&mut raft);
    for (number, end, term) in [(1, 0, 0), (2, 3, 1)] {
        raft.message(OTHER, fetch(number, end, term), AT);
    }
    raft.compact(Offset(4), [Word(3)].into(), AT);
    assert_eq!(raft.snapshot().end, Offset::ZERO, "what is not committed is not compacted");
    raft.compact(Offset(2), [Word(1)].into(), AT);
    assert_eq!((raft.snapshot().end, raft.log().start(), raft.log().end()), (Offset(2), Offset(2), Offset(3)));
    let _ = after_syncs(&mut raft);
    raft.message(THIRD, fetch(1, 0, 0), AT);
    let Some((THIRD, Message::Fetched(fetched))) = sent(&raft.outputs()).pop() else { panic!("an answer") };
    assert_eq!(fetched.found, Found::Snapshot(raft.snapshot().clone()));
    let mut third = Raft::boot(THIRD, Settings::kraft(), Stored::format([ME, OTHER, THIRD]), AT);
    third.message(ME, Message::BeginTerm { term: Term(1) }, AT);
    let _ = after_syncs(&mut third);
    third.message(ME, Message::Fetched(fetched), AT);
    let outputs = after_syncs(&mut third);
    assert!(outputs.contains(&Output::Restore(raft.snapshot().clone())));
    let next = Fetch { term: Term(1), number: 2, end: Offset(2), last_term: Term(1), committed: Offset(2) };
    assert_eq!(sent(&outputs), [(ME, Message::Fetch(next))]);
}

#[test]
fn a_fingerprint_tells_states_apart() {
    let print = |raft: &Raft<Word>, now| {
        let mut digest = crate::base::Digest::new();
        raft.fingerprint(now, &mut digest);
        digest.value()
    };
    let (mut raft, _) = push_leader(Some(Span::millis(900)));
    let before = print(&raft, Time::ZERO);
    assert_eq!(before, print(&raft.clone(), Time::ZERO));
    assert_ne!(before, print(&raft, Time::ZERO + Span::millis(1)), "the lease is older");
    raft.propose([Word(1)], AT).unwrap();
    assert_ne!(before, print(&raft, Time::ZERO));
}

#[test]
fn a_follower_votes_for_nobody_while_a_lease_may_rest_on_it() {
    let replication = Replication::Push(Push { heartbeat: Span::millis(100), lease: Some(Span::millis(900)) });
    let (mut raft, _) = node(Settings { replication, ..Settings::push() });
    let (term, term_before) = (Term(1), Term(0));
    let sign = Append { term, round: 1, first: Offset::ZERO, term_before, entries: Vec::new().into(), committed: Offset::ZERO };
    raft.message(OTHER, Message::Append(sign), AT);
    let outputs = after_syncs(&mut raft);
    let ask = |raft: &mut Raft<Word>, term| {
        raft.message(THIRD, Message::Vote(Vote { term: Term(term), pre: false, last_term: Term(1), end: Offset(9) }), AT);
        matches!(sent(&after_syncs(raft)).pop(), Some((THIRD, Message::Voted(Voted { granted: true, .. }))))
    };
    assert!(!ask(&mut raft, 2));
    let stored = Stored { term: Term(1), ..Stored::format([ME, OTHER, THIRD]) };
    let mut again = Raft::boot(ME, *raft.settings(), stored, AT);
    let boot = after_syncs(&mut again);
    assert!(!ask(&mut again, 2), "an earlier life may have given its word");
    again.timer(timer(&boot, TimerKind::Election).0, AT);
    let _ = after_syncs(&mut again);
    assert!(ask(&mut again, 3));
    raft.timer(timer(&outputs, TimerKind::Election).0, AT);
    let _ = after_syncs(&mut raft);
    assert!(ask(&mut raft, 3), "its patience has run out");
}
