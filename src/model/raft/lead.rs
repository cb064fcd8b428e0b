//! A leader's office: taking it, appending, counting replicas, stepping down.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::base::{NodeId, Time};

use super::ids::{Offset, Term};
use super::log::{Entry, Payload, Weighed};
use super::message::{Fetch, Message};
use super::mutants::Mutant;
use super::output::{Moment, Output, Role, TimerKind};
use super::settings::Replication;
use super::state::Raft;
use super::stored::Record;

/// What a leader knows.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    /// Where its reign begins in the log.
    pub(super) first: Offset,
    /// Whether its first entry is committed.
    pub(super) in_charge: bool,
    pub(super) peers: BTreeMap<NodeId, Peer>,
    /// Who was heard since a majority was last complete.
    pub(super) heard: BTreeSet<NodeId>,
    /// Fetches that wait for something new.
    pub(super) waiting: BTreeMap<NodeId, Fetch>,
    /// The number of the latest heartbeat.
    pub(super) round: u64,
    /// When heartbeats left that no majority has answered yet.
    pub(super) sent: VecDeque<(u64, Time)>,
    /// When the latest heartbeat left that a majority has answered.
    pub(super) confirmed: Option<Time>,
    /// Reads that wait for a heartbeat of this number or a later one.
    pub(super) reads: Vec<(u64, u64)>,
}

/// What a leader knows of another node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Peer {
    /// Its durable log is equal up to here.
    pub(super) matched: Offset,
    /// What it is handed next (push).
    pub(super) next: Offset,
    /// The latest heartbeat that it answered (push).
    pub(super) round: u64,
    /// Whether it was heard since the last beat.
    pub(super) heard: bool,
}

impl Lead {
    /// Adds the state to a hash, heartbeats counted from the latest.
    pub(super) fn fingerprint(&self, now: Time, hasher: &mut impl Hasher) {
        (self.first, self.in_charge, &self.heard, &self.waiting).hash(hasher);
        for (node, peer) in &self.peers {
            (node, peer.matched, peer.next, self.round - peer.round, peer.heard).hash(hasher);
        }
        self.sent.iter().for_each(|(round, at)| (self.round - round, now.saturating_since(*at)).hash(hasher));
        self.confirmed.map(|at| now.saturating_since(at)).hash(hasher);
        self.reads.iter().for_each(|(read, round)| (read, self.round - round).hash(hasher));
    }
}

/// This node does not lead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotLeader {
    /// Who does, if known.
    pub leader: Option<NodeId>,
}

impl<E: Weighed> Raft<E> {
    /// Appends entries at the leader, as one batch, and says at which offset the first of them stands. They are committed
    /// when they come out again as [`Output::Committed`] in this term; if another term begins first, they may be lost.
    ///
    /// # Errors
    /// When this node does not lead.
    pub fn propose(&mut self, entries: impl IntoIterator<Item = E>, at: Moment) -> Result<Offset, NotLeader> {
        if self.role != Role::Leader {
            return Err(NotLeader { leader: self.leader });
        }
        self.turn(at);
        let first = self.log.end();
        self.append(entries.into_iter().map(Payload::User).collect());
        self.settle();
        Ok(first)
    }

    /// Steps down, as before a planned stop, and asks `successor` or else the voter with the longest log to take over.
    /// A successor that lacks entries loses its election; then the others stand. Nothing happens at a node that does not lead.
    pub fn resign(&mut self, successor: Option<NodeId>, at: Moment) {
        if self.role == Role::Leader {
            self.turn(at);
            self.step_down(successor);
            self.settle();
        }
    }

    /// Whether this node leads and its first entry is committed.
    #[must_use]
    pub fn in_charge(&self) -> bool {
        self.lead.as_ref().is_some_and(|lead| lead.in_charge)
    }

    /// How far the log of another node is known to be equal to this leader's.
    #[must_use]
    pub fn matched(&self, node: NodeId) -> Option<Offset> {
        self.lead.as_ref().and_then(|lead| lead.peers.get(&node)).map(|peer| peer.matched)
    }

    /// Wins an election.
    pub(super) fn take_office(&mut self) {
        self.leader = Some(self.me);
        self.play(Role::Leader);
        self.ballot.tries = 0;
        self.lead = Some(Box::new(Lead {
            first: self.log.end(),
            in_charge: false,
            peers: BTreeMap::new(),
            heard: BTreeSet::new(),
            waiting: BTreeMap::new(),
            round: 0,
            sent: VecDeque::new(),
            confirmed: None,
            reads: Vec::new(),
        }));
        self.watch_quorum();
        self.append(vec![Payload::LeaderChange { leader: self.me }]);
        self.on_beat();
    }

    /// Appends to the leader's own log and lets the others know.
    pub(super) fn append(&mut self, payloads: Vec<Payload<E>>) {
        let entries: Arc<[Entry<E>]> = payloads.into_iter().map(|payload| Entry { term: self.term, payload }).collect();
        if entries.is_empty() {
            return;
        }
        self.extend(entries);
        match self.settings.replication {
            Replication::Pull(_) => self.answer_all_waiting(),
            Replication::Push(_) => self.push_news(),
        }
        self.advance_commit();
    }

    /// Adds entries to the end of the log, at leaders and followers alike.
    pub(super) fn extend(&mut self, entries: Arc<[Entry<E>]>) {
        let first = self.log.end();
        for entry in entries.iter() {
            self.log.push(entry.clone());
            if let Payload::Voters(voters) = &entry.payload {
                self.voters.push((self.log.end(), Arc::clone(voters)));
            }
        }
        self.write(Record::Append { first, entries });
    }

    /// Drops the end of the log. If that was committed, the quorum has lost it, and the host's machine starts over.
    pub(super) fn cut(&mut self, to: Offset) {
        if to >= self.log.end() {
            return;
        }
        let frees = self.log.bytes(to, self.log.end());
        self.log.truncate(to);
        self.voters.retain(|(end, _)| *end <= to.max(self.snapshot.end));
        self.write(Record::Truncate { to, frees });
        if to < self.committed {
            self.out.push(Output::Restore(self.snapshot.clone()));
            self.committed = self.snapshot.end;
            self.commit_to(to);
        }
    }

    /// The node was heard: it counts towards the majority that keeps the leader in office.
    pub(super) fn hear(&mut self, from: NodeId) {
        let (majority, voters) = (self.majority(), self.voters().clone());
        let Some(lead) = &mut self.lead else { return };
        lead.peers.entry(from).or_default().heard = true;
        lead.heard.insert(from);
        let me = usize::from(voters.contains(&self.me));
        if lead.heard.iter().filter(|node| voters.contains(node)).count() + me >= majority {
            self.watch_quorum();
        }
    }

    fn watch_quorum(&mut self) {
        if let Some(lead) = &mut self.lead {
            lead.heard.clear();
        }
        match self.settings.check_quorum {
            Some(after) if self.voters().iter().any(|node| *node != self.me) => self.set(TimerKind::Quorum, after),
            Some(_) | None => {}
        }
    }

    pub(super) fn on_quorum_lost(&mut self) {
        if self.voters().iter().any(|node| *node != self.me) {
            self.step_down(None);
        }
    }

    pub(super) fn step_down(&mut self, successor: Option<NodeId>) {
        let mut successors: Vec<NodeId> = self.peers();
        successors.sort_by_key(|node| (Some(*node) != successor, std::cmp::Reverse(self.matched(*node)), *node));
        let message = Message::EndTerm { term: self.term, successors: successors.clone().into() };
        self.leader = None;
        self.play(Role::Resigned);
        for node in successors {
            self.send(node, message.clone());
        }
        if self.may_stand() {
            let timeout = self.election_timeout();
            self.set(TimerKind::Election, timeout);
        } else {
            self.wait_for_a_leader();
        }
    }

    /// Leaves everything behind that only a leader has.
    pub(super) fn put_office_down(&mut self) {
        let Some(lead) = self.lead.take() else { return };
        for (read, _) in lead.reads {
            self.out.push(Output::ReadRefused { read });
        }
        for (node, fetch) in lead.waiting {
            self.cancel(TimerKind::Wait(node));
            self.turn_away(node, fetch);
        }
    }

    pub(super) fn on_beat(&mut self) {
        match self.settings.replication {
            Replication::Pull(pull) => self.announce(pull),
            Replication::Push(push) => self.heartbeat(push),
        }
    }

    /// Commits what a majority of the voters has, if it is of this term.
    pub(super) fn advance_commit(&mut self) {
        let Some(lead) = &self.lead else { return };
        let own = self.counted();
        let matched = |node: &NodeId| if *node == self.me { own } else { lead.peers.get(node).map_or(Offset::ZERO, |peer| peer.matched) };
        let mut ends: Vec<Offset> = self.voters().iter().map(matched).collect();
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let needed = self.majority() - usize::from(self.has(Mutant::CommitsWithoutMajority) && self.majority() > 1);
        let Some(end) = needed.checked_sub(1).and_then(|last| ends.get(last)).copied() else { return };
        let own_term = end > lead.first || self.has(Mutant::CommitsOldTerms);
        if end > self.committed && own_term {
            self.commit_to(end);
            self.committed_as_leader();
        }
    }

    fn committed_as_leader(&mut self) {
        let Some(lead) = &mut self.lead else { return };
        if !lead.in_charge && self.committed > lead.first {
            lead.in_charge = true;
            self.out.push(Output::InCharge { term: self.term });
            self.answer_reads();
        }
        let settled = self.voters.last().is_some_and(|(end, _)| *end <= self.committed);
        if settled && !self.is_voter() {
            self.step_down(None);
        } else if self.pull().is_some_and(|pull| pull.eager_commit) {
            self.answer_all_waiting();
        }
    }

    /// Hands everything up to an offset to the host.
    pub(super) fn commit_to(&mut self, end: Offset) {
        let end = end.min(self.log.end());
        if end > self.committed {
            let first = self.committed;
            let entries = self.log.copy(first, end, usize::MAX);
            self.committed = end;
            self.out.push(Output::Committed { first, entries });
        }
    }

    /// Learns from a leader how far the log is committed; `compared` is how far the two logs are known to be equal.
    pub(super) fn learn_commit(&mut self, committed: Offset, compared: Offset) {
        let compared = if self.has(Mutant::CommitsBeyondMatch) { self.log.end() } else { compared };
        self.commit_to(committed.min(compared));
    }

    /// The term in which an entry of this log was appended, for the host's checks.
    #[must_use]
    pub fn term_at(&self, at: Offset) -> Option<Term> {
        self.log.get(at).map(|entry| entry.term)
    }
}
