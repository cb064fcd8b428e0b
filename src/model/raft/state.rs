//! One node of a quorum: its state, how it starts, and how it changes its part.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::base::{NodeId, SmallStream, Span, Time, Words};

use super::ids::{Offset, Term};
use super::journal::Journal;
use super::lead::Lead;
use super::log::{Log, Weighed};
use super::message::Message;
use super::mutants::Mutant;
use super::output::{Moment, Output, Role, Timer, TimerKind};
use super::settings::{Pull, Push, Replication, Settings};
use super::stored::{Record, Snapshot, Stored, voters_in};

/// One node of a quorum. A value: a clone given the same inputs does the same.
#[derive(Clone, Debug)]
pub struct Raft<E> {
    pub(super) me: NodeId,
    pub(super) settings: Settings,
    pub(super) term: Term,
    pub(super) vote: Option<NodeId>,
    pub(super) snapshot: Snapshot<E>,
    pub(super) log: Log<E>,
    pub(super) journal: Journal<E>,
    pub(super) role: Role,
    pub(super) leader: Option<NodeId>,
    /// Everything before is committed, and was handed to the host.
    pub(super) committed: Offset,
    /// Who votes, from which end of the log on; the last one counts.
    pub(super) voters: Vec<(Offset, Arc<[NodeId]>)>,
    /// Whether the leader that is followed answered at least once.
    pub(super) heard: bool,
    /// Whether this node told a leader with a lease that it hears it, perhaps in an earlier life, and its patience has not run
    /// out since: until then it votes for nobody.
    pub(super) bound: bool,
    pub(super) ballot: Ballot,
    /// What a leader knows. There when, and only when, this node leads.
    pub(super) lead: Option<Box<Lead>>,
    /// The number of the fetch that is under way.
    pub(super) fetch: Option<u32>,
    pub(super) fetches: u32,
    pub(super) now: Time,
    pub(super) words: SmallStream,
    pub(super) out: Vec<Output<E>>,
    timers: BTreeMap<TimerKind, u64>,
    generation: u64,
}

/// The votes in an election.
#[derive(Clone, Debug, Default)]
pub(super) struct Ballot {
    pub(super) granted: BTreeSet<NodeId>,
    pub(super) refused: BTreeSet<NodeId>,
    /// Elections in a row that were not won.
    pub(super) tries: u32,
}

impl<E: Weighed> Raft<E> {
    /// Starts a node on what its disk holds. A first start is one on a formatted disk.
    #[must_use]
    pub fn boot(me: NodeId, settings: Settings, stored: Stored<E>, at: Moment) -> Raft<E> {
        let blank = stored.is_blank();
        let Stored { term, vote, snapshot, log } = stored;
        let mut raft = Raft {
            me,
            settings,
            term,
            vote,
            committed: snapshot.end,
            voters: voters_in(&snapshot, &log),
            journal: Journal::new(if blank { log.end() } else { Offset::ZERO }),
            snapshot,
            log,
            role: Role::Unattached,
            leader: None,
            heard: false,
            bound: !blank && settings.leases(),
            ballot: Ballot::default(),
            lead: None,
            fetch: None,
            fetches: 0,
            now: at.now,
            words: SmallStream::from_word(at.word),
            out: Vec::new(),
            timers: BTreeMap::new(),
            generation: 0,
        };
        if raft.has(Mutant::ForgetsVote) {
            raft.vote = None;
        }
        if !blank {
            raft.write_anew();
        }
        if raft.snapshot.end > Offset::ZERO {
            raft.out.push(Output::Restore(raft.snapshot.clone()));
        }
        raft.wait_for_a_leader();
        raft.settle();
        raft
    }

    /// A message arrived.
    pub fn message(&mut self, from: NodeId, message: Message<E>, at: Moment) {
        self.turn(at);
        match message {
            Message::Vote(ask) => self.on_vote(from, ask),
            Message::Voted(answer) => self.on_voted(from, answer),
            Message::BeginTerm { term } => self.on_begin_term(from, term),
            Message::EndTerm { term, successors } => self.on_end_term(term, &successors),
            Message::Fetch(fetch) => self.on_fetch(from, fetch),
            Message::Fetched(fetched) => self.on_fetched(from, fetched),
            Message::Append(append) => self.on_append(from, append),
            Message::Install { term, snapshot } => self.on_install(from, term, snapshot),
            Message::Appended(appended) => self.on_appended(from, appended),
        }
        self.settle();
    }

    /// A timer fired.
    pub fn timer(&mut self, timer: Timer, at: Moment) {
        self.turn(at);
        if self.timers.get(&timer.kind) != Some(&timer.generation) {
            return;
        }
        self.timers.remove(&timer.kind);
        match timer.kind {
            TimerKind::Election => self.on_patience_lost(),
            TimerKind::Beat => self.on_beat(),
            TimerKind::Quorum => self.on_quorum_lost(),
            TimerKind::Fetch => self.on_fetch_due(),
            TimerKind::Wait(node) => self.answer_waiting(node),
        }
        self.settle();
    }

    /// Takes what the host has to do. Call it after every input, also after the start.
    #[must_use]
    pub fn outputs(&mut self) -> Vec<Output<E>> {
        std::mem::take(&mut self.out)
    }

    pub(super) fn turn(&mut self, at: Moment) {
        self.now = at.now;
        self.words = SmallStream::from_word(at.word);
    }

    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.settings.mutants.has(mutant)
    }

    pub(super) fn send(&mut self, to: NodeId, message: Message<E>) {
        debug_assert!(to != self.me, "nobody talks to itself");
        self.out.push(Output::Send { to, message });
    }

    pub(super) fn set(&mut self, kind: TimerKind, after: Span) {
        self.generation += 1;
        self.timers.insert(kind, self.generation);
        self.out.push(Output::Set { timer: Timer { kind, generation: self.generation }, after });
    }

    pub(super) fn cancel(&mut self, kind: TimerKind) {
        if self.timers.remove(&kind).is_some() {
            self.out.push(Output::Cancel(kind));
        }
    }

    pub(super) const fn pull(&self) -> Option<Pull> {
        match self.settings.replication {
            Replication::Pull(pull) => Some(pull),
            Replication::Push(_) => None,
        }
    }

    pub(super) const fn push(&self) -> Option<Push> {
        match self.settings.replication {
            Replication::Push(push) => Some(push),
            Replication::Pull(_) => None,
        }
    }

    /// Between one and two election time-outs.
    pub(super) fn election_timeout(&mut self) -> Span {
        let least = self.settings.election_timeout;
        self.words.span_between(least, least + least)
    }

    /// How long this node believes in a silent leader.
    pub(super) fn be_patient(&mut self) {
        let patience = match self.settings.replication {
            Replication::Pull(pull) => pull.fetch_timeout,
            Replication::Push(_) => self.election_timeout(),
        };
        self.set(TimerKind::Election, patience);
    }

    /// Enters a later term.
    pub(super) fn enter(&mut self, term: Term, vote: Option<NodeId>) {
        debug_assert!(term > self.term, "terms go up");
        (self.term, self.vote, self.leader) = (term, vote, None);
        self.write(Record::Term { term, vote });
    }

    /// Takes another part. What belonged to the old one is put away.
    pub(super) fn play(&mut self, role: Role) {
        self.role = role;
        self.heard = false;
        self.fetch = None;
        self.ballot.granted.clear();
        self.ballot.refused.clear();
        self.put_office_down();
        for kind in [TimerKind::Beat, TimerKind::Quorum, TimerKind::Fetch] {
            self.cancel(kind);
        }
        if role == Role::Leader {
            self.cancel(TimerKind::Election);
        }
        self.out.push(Output::Role { role, term: self.term, leader: self.leader });
    }

    /// Looks around without a leader. A node that does not vote asks the voters. A running election time-out goes on: a candidate
    /// that cannot win must not keep the others from standing by raising the term again and again.
    pub(super) fn wait_for_a_leader(&mut self) {
        self.leader = None;
        self.play(Role::Unattached);
        let waits = self.timers.contains_key(&TimerKind::Election);
        if (self.may_stand() || self.bound) && !waits {
            let timeout = self.election_timeout();
            self.set(TimerKind::Election, timeout);
        }
        if let Some(pull) = self.pull().filter(|_| !self.may_stand()) {
            self.set(TimerKind::Fetch, pull.retry_backoff);
        }
    }

    fn follow(&mut self, leader: NodeId) {
        self.leader = Some(leader);
        self.ballot.tries = 0;
        self.play(Role::Follower);
        self.be_patient();
        if self.pull().is_some() {
            self.fetch_next();
        }
    }

    /// Learns of a term and, perhaps, of who leads in it.
    pub(super) fn meet(&mut self, term: Term, leader: Option<NodeId>) {
        let leader = leader.filter(|leader| *leader != self.me);
        if term > self.term {
            self.enter(term, None);
            match leader {
                Some(leader) => self.follow(leader),
                None => self.wait_for_a_leader(),
            }
        } else if let Some(leader) = leader.filter(|_| term == self.term && self.leader.is_none() && self.role != Role::Resigned) {
            self.follow(leader);
        }
    }

    /// Adds the node's state to a hash: times as of the node's clock, numbers that only count up as of their latest. Timers are
    /// left out; whoever holds them knows them.
    pub fn fingerprint(&self, now: Time, hasher: &mut impl Hasher)
    where
        E: Hash,
    {
        (self.me, self.term, self.vote, &self.snapshot, self.role, self.leader, self.committed).hash(hasher);
        (self.heard, self.bound, self.fetch.map(|number| self.fetches - number)).hash(hasher);
        (&self.ballot.granted, &self.ballot.refused, self.ballot.tries).hash(hasher);
        self.log.iter_from(self.log.start()).for_each(|entry| entry.hash(hasher));
        self.journal.fingerprint(hasher);
        if let Some(lead) = &self.lead {
            lead.fingerprint(now, hasher);
        }
    }

    /// This node.
    #[must_use]
    pub const fn me(&self) -> NodeId {
        self.me
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The current term.
    #[must_use]
    pub const fn term(&self) -> Term {
        self.term
    }

    /// The part that this node plays.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Who leads in the current term, if known.
    #[must_use]
    pub const fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// Everything before this offset is committed and was handed out.
    #[must_use]
    pub const fn committed(&self) -> Offset {
        self.committed
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log<E> {
        &self.log
    }

    /// What stands for the compacted front of the log.
    #[must_use]
    pub const fn snapshot(&self) -> &Snapshot<E> {
        &self.snapshot
    }
}
