//! Replication by fetching, as in Kafka's quorum: followers ask, and what they ask for says what they have.

use std::sync::Arc;

use crate::base::{NodeId, Words};

use super::ids::{Offset, Term};
use super::log::Weighed;
use super::message::{Fetch, Fetched, Found, Message};
use super::mutants::Mutant;
use super::output::{Role, TimerKind};
use super::settings::Pull;
use super::state::Raft;

impl<E: Weighed> Raft<E> {
    /// The leader tells voters that do not fetch that it is there.
    pub(super) fn announce(&mut self, pull: Pull) {
        for voter in self.peers() {
            let Some(lead) = &mut self.lead else { return };
            let heard = std::mem::take(&mut lead.peers.entry(voter).or_default().heard);
            if !heard {
                self.send(voter, Message::BeginTerm { term: self.term });
            }
        }
        self.set(TimerKind::Beat, pull.fetch_timeout.scaled(1, 2));
    }

    pub(super) fn on_begin_term(&mut self, from: NodeId, term: Term) {
        self.meet(term, Some(from));
    }

    /// Asks the leader for what comes next. The fetch leaves when the disk has what it says.
    pub(super) fn fetch_next(&mut self) {
        if let Some(leader) = self.leader {
            self.fetch_from(leader);
        }
    }

    fn fetch_from(&mut self, node: NodeId) {
        let Some(pull) = self.pull() else { return };
        self.fetches += 1;
        self.fetch = Some(self.fetches);
        let fetch = Fetch {
            term: self.term,
            number: self.fetches,
            end: self.log.end(),
            last_term: self.log.last_term(),
            committed: self.committed,
        };
        self.send_durable(node, Message::Fetch(fetch));
        self.set(TimerKind::Fetch, pull.request_timeout);
    }

    /// No answer came, or it is time to ask again.
    pub(super) fn on_fetch_due(&mut self) {
        match (self.role, self.leader) {
            (Role::Follower, Some(leader)) => self.fetch_from(leader),
            (Role::Unattached, _) if !self.may_stand() => {
                let voters = self.peers();
                let which = usize::try_from(self.words.below(voters.len() as u64)).expect("an index");
                if let Some(voter) = voters.get(which) {
                    self.fetch_from(*voter);
                }
            }
            (Role::Unattached | Role::Follower | Role::Prospective | Role::Candidate | Role::Leader | Role::Resigned, _) => {}
        }
    }

    /// Somebody asks.
    pub(super) fn on_fetch(&mut self, from: NodeId, fetch: Fetch) {
        self.meet(fetch.term, None);
        if self.role != Role::Leader || fetch.term != self.term {
            self.turn_away(from, fetch);
            return;
        }
        self.hear(from);
        if let Some(found) = self.compare(&fetch) {
            self.stop_waiting(from);
            self.reply(from, fetch, found);
            return;
        }
        let Some(lead) = &mut self.lead else { return };
        let peer = lead.peers.entry(from).or_default();
        peer.matched = peer.matched.max(fetch.end);
        self.advance_commit();
        let Some(pull) = self.pull().filter(|_| self.role == Role::Leader) else {
            self.turn_away(from, fetch);
            return;
        };
        if self.has_news(&fetch, pull) {
            self.stop_waiting(from);
            self.reply_with_news(from, fetch);
        } else if let Some(lead) = &mut self.lead {
            lead.waiting.insert(from, fetch);
            self.set(TimerKind::Wait(from), pull.fetch_wait);
        }
    }

    /// What a log that asks lacks before it can be continued. `None`: it is the beginning of the leader's own.
    fn compare(&self, fetch: &Fetch) -> Option<Found<E>> {
        let known = self.log.term_before(fetch.end);
        if known == Some(fetch.last_term) || (self.has(Mutant::KeepsDivergence) && known.is_some()) {
            return None;
        }
        match self.log.end_of(fetch.last_term) {
            Some((term, end)) if fetch.end > self.log.start() => Some(Found::Diverging { term, end }),
            Some(_) | None => Some(Found::Snapshot(self.snapshot.clone())),
        }
    }

    fn has_news(&self, fetch: &Fetch, pull: Pull) -> bool {
        self.log.end() > fetch.end || (pull.eager_commit && self.committed.min(fetch.end) > fetch.committed)
    }

    fn reply_with_news(&mut self, to: NodeId, fetch: Fetch) {
        let entries = self.log.copy(fetch.end, self.log.end(), self.settings.batch);
        self.reply(to, fetch, Found::Entries { entries, committed: self.committed });
    }

    /// Tells whoever asks that this node cannot answer.
    pub(super) fn turn_away(&mut self, to: NodeId, fetch: Fetch) {
        self.reply(to, fetch, Found::NotLeader);
    }

    fn reply(&mut self, to: NodeId, fetch: Fetch, found: Found<E>) {
        let Fetch { number, end, last_term, .. } = fetch;
        self.send(to, Message::Fetched(Fetched { term: self.term, leader: self.leader, number, end, last_term, found }));
    }

    fn stop_waiting(&mut self, node: NodeId) -> Option<Fetch> {
        let fetch = self.lead.as_mut().and_then(|lead| lead.waiting.remove(&node));
        self.cancel(TimerKind::Wait(node));
        fetch
    }

    /// A fetch has waited long enough.
    pub(super) fn answer_waiting(&mut self, node: NodeId) {
        if let Some(fetch) = self.stop_waiting(node) {
            self.reply_with_news(node, fetch);
        }
    }

    /// Answers every fetch for which there is something new.
    pub(super) fn answer_all_waiting(&mut self) {
        let (Some(pull), Some(lead)) = (self.pull(), &self.lead) else { return };
        let ready = lead.waiting.iter().filter(|(_, fetch)| self.has_news(fetch, pull)).map(|(node, _)| *node);
        for node in ready.collect::<Vec<_>>() {
            self.answer_waiting(node);
        }
    }

    /// The answer to a fetch.
    pub(super) fn on_fetched(&mut self, from: NodeId, fetched: Fetched<E>) {
        self.meet(fetched.term, fetched.leader);
        let asked = self.fetch == Some(fetched.number) && (fetched.end, fetched.last_term) == (self.log.end(), self.log.last_term());
        if !asked || fetched.term > self.term {
            return;
        }
        let Some(pull) = self.pull() else { return };
        let from_leader = fetched.term == self.term && self.role == Role::Follower && self.leader == Some(from);
        match fetched.found {
            Found::NotLeader => {
                self.fetch = None;
                self.set(TimerKind::Fetch, pull.retry_backoff);
            }
            Found::Entries { .. } | Found::Diverging { .. } | Found::Snapshot(_) if !from_leader => {}
            Found::Entries { entries, committed } => self.take_entries(entries, committed),
            Found::Diverging { term, end } => self.take_divergence(term, end),
            Found::Snapshot(snapshot) => {
                self.hear_leader();
                self.take_snapshot(snapshot);
                self.fetch_next();
            }
        }
    }

    fn take_entries(&mut self, entries: Arc<[super::Entry<E>]>, committed: Offset) {
        self.hear_leader();
        if !entries.is_empty() {
            self.extend(entries);
        }
        self.learn_commit(committed, self.log.end());
        self.fetch_next();
    }

    /// The logs part: what follows the last common place goes.
    fn take_divergence(&mut self, term: Term, end: Offset) {
        self.hear_leader();
        let own = self.log.end_of(term).map_or(Offset::ZERO, |(_, end)| end);
        let to = own.min(end);
        if to < self.log.start() {
            self.start_over();
        } else {
            self.cut(to);
        }
        self.fetch_next();
    }
}
