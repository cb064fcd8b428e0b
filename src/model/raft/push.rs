//! Replication by appending, as in the Raft paper: the leader hands each follower what it lacks.

use crate::base::NodeId;

use super::ids::Offset;
use super::log::Weighed;
use super::message::{Append, Appended, Fit, Message};
use super::mutants::Mutant;
use super::output::{Role, TimerKind};
use super::settings::Push;
use super::state::Raft;

impl<E: Weighed> Raft<E> {
    /// The leader speaks to every voter. To one that was silent it says again what is not acknowledged.
    pub(super) fn heartbeat(&mut self, push: Push) {
        self.next_round();
        for voter in self.peers() {
            let end = self.log.end();
            let Some(lead) = &mut self.lead else { return };
            let peer = lead.peers.entry(voter).or_insert(super::lead::Peer { next: end, ..Default::default() });
            if !std::mem::take(&mut peer.heard) && peer.matched > Offset::ZERO {
                peer.next = peer.matched;
            }
            self.hand(voter);
        }
        self.set(TimerKind::Beat, push.heartbeat);
    }

    /// Hands new entries to everybody who has all the others.
    pub(super) fn push_news(&mut self) {
        for voter in self.peers() {
            self.hand(voter);
        }
    }

    /// Hands a voter what comes next, perhaps nothing.
    fn hand(&mut self, to: NodeId) {
        let end = self.log.end();
        let Some(lead) = &mut self.lead else { return };
        let peer = lead.peers.entry(to).or_insert(super::lead::Peer { next: end, ..Default::default() });
        let (first, round) = (peer.next.min(end), lead.round);
        let Some(term_before) = self.log.term_before(first) else {
            peer.next = self.snapshot.end;
            self.send(to, Message::Install { term: self.term, snapshot: self.snapshot.clone() });
            return;
        };
        let entries = self.log.copy(first, end, self.settings.batch);
        peer.next = first.plus(entries.len());
        let (term, committed) = (self.term, self.committed);
        self.send(to, Message::Append(Append { term, round, first, term_before, entries, committed }));
    }

    pub(super) fn on_append(&mut self, from: NodeId, append: Append<E>) {
        self.meet(append.term, Some(from));
        let late = append.term < self.term && self.has(Mutant::ObeysEarlierTerms);
        let (term, round, fit) = if late {
            (append.term, append.round, self.fit_in(&append))
        } else if append.term == self.term && self.leader == Some(from) {
            self.hear_leader();
            (self.term, append.round, self.fit_in(&append))
        } else {
            (self.term, 0, Fit::UpTo(Offset::ZERO))
        };
        self.send_durable(from, Message::Appended(Appended { term, round, fit }));
    }

    /// The leader spoke. If it has a lease, that rests on this node's word from now on.
    pub(super) fn hear_leader(&mut self) {
        self.heard = true;
        self.bound = self.settings.leases();
        self.be_patient();
    }

    /// Takes up what is new and throws away what contradicts it.
    fn fit_in(&mut self, append: &Append<E>) -> Fit {
        let before = self.log.term_before(append.first);
        if before.is_none() && append.first < self.log.start() {
            // What comes before the start is committed, hence equal; the leader may go on from there.
            return Fit::Behind(self.log.start());
        }
        if before != Some(append.term_before) && !(before.is_some() && self.has(Mutant::KeepsDivergence)) {
            return Fit::Behind(match before {
                None => self.log.end(),
                Some(_) => self.log.start_of_term_before(append.first),
            });
        }
        let end = append.first.plus(append.entries.len());
        let differs = |(index, entry): (usize, &super::Entry<E>)| {
            let place = append.first.plus(index);
            (self.term_at(place) != Some(entry.term)).then_some(index)
        };
        if let Some(new) = append.entries.iter().enumerate().find_map(differs) {
            self.cut(append.first.plus(new));
            self.extend(append.entries[new..].into());
        }
        self.learn_commit(append.committed, end);
        Fit::UpTo(end)
    }

    pub(super) fn on_appended(&mut self, from: NodeId, appended: Appended) {
        self.meet(appended.term, None);
        if self.role != Role::Leader || appended.term != self.term {
            return;
        }
        self.hear(from);
        let end = self.log.end();
        let Some(lead) = &mut self.lead else { return };
        let peer = lead.peers.entry(from).or_default();
        peer.round = peer.round.max(appended.round);
        match appended.fit {
            Fit::UpTo(matched) => {
                peer.matched = peer.matched.max(matched);
                peer.next = peer.next.max(peer.matched);
            }
            Fit::Behind(next) => peer.next = next.max(peer.matched),
        }
        let lacks = peer.next < end;
        self.advance_commit();
        self.confirm_rounds();
        if lacks {
            self.hand(from);
        }
    }
}
