//! Elections: who asks for votes, who gives them, who wins.

use crate::base::{NodeId, Span, Words};

use super::ids::Term;
use super::log::Weighed;
use super::message::{Message, Vote, Voted};
use super::mutants::Mutant;
use super::output::{Role, TimerKind};
use super::state::Raft;

/// The first pause after a lost election; it doubles in expectation.
const BACKOFF: Span = Span::millis(100);

/// After so many elections the pause no longer doubles.
const DOUBLINGS: u32 = 20;

impl<E: Weighed> Raft<E> {
    /// No leader was heard, or no election won, for too long.
    pub(super) fn on_patience_lost(&mut self) {
        self.bound = false;
        if !self.may_stand() {
            self.wait_for_a_leader();
        } else if self.settings.pre_vote {
            self.ask_around();
        } else {
            self.stand();
        }
    }

    /// Asks whether an election in the next term could be won.
    fn ask_around(&mut self) {
        self.leader = None;
        self.play(Role::Prospective);
        self.hold_ballot(true);
        self.ballot.granted.insert(self.me);
        self.count_votes();
    }

    /// Stands for election in the next term.
    pub(super) fn stand(&mut self) {
        self.enter(self.term.next(), Some(self.me));
        self.play(Role::Candidate);
        self.ballot.tries = (self.ballot.tries + 1).min(DOUBLINGS);
        self.hold_ballot(false);
        self.vote_for_oneself();
    }

    fn hold_ballot(&mut self, pre: bool) {
        let timeout = self.election_timeout();
        self.set(TimerKind::Election, timeout);
        let ask = Vote { term: self.term, pre, last_term: self.log.last_term(), end: self.log.end() };
        for voter in self.peers() {
            self.send_durable(voter, Message::Vote(ask));
        }
    }

    pub(super) fn on_vote(&mut self, from: NodeId, ask: Vote) {
        if self.keeps_faith() {
            self.answer_vote(from, ask.pre, false);
            return;
        }
        self.meet(ask.term, None);
        let up_to_date = (ask.last_term, ask.end) >= (self.log.last_term(), self.log.end()) || self.has(Mutant::VotesForStaleLogs);
        let free = if ask.pre { self.would_vote() } else { self.may_vote_for(from) };
        let granted = ask.term == self.term && up_to_date && free;
        if granted && !ask.pre {
            if self.vote.is_none() {
                self.vote = Some(from);
                self.write(super::Record::Term { term: self.term, vote: self.vote });
            }
            if self.role != Role::Unattached {
                self.play(Role::Unattached);
            }
            let timeout = self.election_timeout();
            self.set(TimerKind::Election, timeout);
        }
        self.answer_vote(from, ask.pre, granted);
    }

    /// Only a leader that was heard is worth telling of: nodes that repeat a name to each other would believe in it for ever.
    fn answer_vote(&mut self, to: NodeId, pre: bool, granted: bool) {
        let leader = self.leader.filter(|leader| *leader == self.me || self.heard);
        let answer = Voted { term: self.term, pre, granted, leader };
        self.send_durable(to, Message::Voted(answer));
    }

    /// Whether this node would like an election: not while a leader talks to it.
    const fn would_vote(&self) -> bool {
        match self.role {
            Role::Leader => false,
            Role::Follower => !self.heard,
            Role::Unattached | Role::Prospective | Role::Candidate | Role::Resigned => true,
        }
    }

    fn may_vote_for(&self, candidate: NodeId) -> bool {
        let free = self.vote.is_none_or(|chosen| chosen == candidate) || self.has(Mutant::VotesTwice);
        free && self.leader.is_none() && self.role != Role::Candidate
    }

    pub(super) fn on_voted(&mut self, from: NodeId, answer: Voted) {
        self.meet(answer.term, answer.leader);
        let asked = match self.role {
            Role::Prospective => answer.pre,
            Role::Candidate => !answer.pre,
            Role::Unattached | Role::Follower | Role::Leader | Role::Resigned => false,
        };
        if !asked || answer.term != self.term || !self.voters().contains(&from) {
            return;
        }
        let ballot = &mut self.ballot;
        let votes = if answer.granted { &mut ballot.granted } else { &mut ballot.refused };
        if votes.insert(from) {
            self.count_votes();
        }
    }

    pub(super) fn count_own_vote(&mut self, term: Term) {
        if self.role == Role::Candidate && self.term == term {
            self.ballot.granted.insert(self.me);
            self.count_votes();
        }
    }

    fn count_votes(&mut self) {
        let needed = self.majority() - usize::from(self.has(Mutant::WinsWithoutMajority));
        let granted = self.ballot.granted.iter().filter(|node| self.voters().contains(node)).count();
        let open = self.voters().len().saturating_sub(self.ballot.refused.len());
        if granted >= needed {
            if self.role == Role::Prospective { self.stand() } else { self.take_office() }
        } else if open + 1 == needed {
            self.back_off();
        }
    }

    /// A majority said no, just now. Who only asked around waits for its election time-out.
    fn back_off(&mut self) {
        if self.role == Role::Prospective {
            return;
        }
        let Some(most) = self.settings.election_backoff_max else { return };
        let steps = self.words.below(2 << self.ballot.tries.saturating_sub(1));
        self.set(TimerKind::Election, BACKOFF.scaled(steps, 1).min(most));
    }

    /// A leader stepped down and named successors: the first one stands at once, the last one waits for half the longest
    /// pause, the one before it for a quarter, and so on.
    pub(super) fn on_end_term(&mut self, term: Term, successors: &[NodeId]) {
        self.meet(term, None);
        if term != self.term || self.role == Role::Leader {
            return;
        }
        self.bound = false;
        self.wait_for_a_leader();
        let most = self.settings.election_backoff_max.unwrap_or(self.settings.election_timeout);
        match successors.iter().position(|node| *node == self.me) {
            Some(0) => self.set(TimerKind::Election, Span::ZERO),
            Some(place) => {
                let doublings = (successors.len() - place).min(63);
                self.set(TimerKind::Election, most.scaled(1, 1 << doublings));
            }
            None if self.may_stand() => self.set(TimerKind::Election, most),
            None => {}
        }
    }

    /// Whether a lease of a leader may rest on this node's word: then it votes for nobody.
    fn keeps_faith(&self) -> bool {
        let leased = self.settings.leases() && !self.has(Mutant::VotesDuringLease);
        leased && if self.role == Role::Leader { self.lease_holds() } else { self.bound }
    }
}
