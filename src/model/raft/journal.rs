//! The order between disk and network: what must not leave the node before its writes are durable.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::base::NodeId;

use super::ids::{Offset, Term};
use super::log::Weighed;
use super::message::Message;
use super::mutants::Mutant;
use super::output::{Moment, Output, Ticket};
use super::settings::Durability;
use super::state::Raft;
use super::stored::{Record, Stored};

/// What waits for the disk.
#[derive(Clone, Hash, Debug)]
enum Held<E> {
    Send {
        to: NodeId,
        message: Message<E>,
    },
    /// The candidate's vote for itself.
    OwnVote(Term),
}

/// Writes are numbered from one; syncs reach up to a number.
#[derive(Clone, Debug)]
pub(super) struct Journal<E> {
    written: u64,
    /// The latest write that anything may wait for.
    wanted: u64,
    durable: u64,
    syncing: bool,
    /// How far the log reaches with each append that is not durable yet.
    ends: VecDeque<(u64, Offset)>,
    /// The end of the durable log.
    safe: Offset,
    held: VecDeque<(u64, Held<E>)>,
}

impl<E> Journal<E> {
    /// The journal of a node that starts on a log which ends there.
    pub(super) const fn new(end: Offset) -> Journal<E> {
        Journal { written: 0, wanted: 0, durable: 0, syncing: false, ends: VecDeque::new(), safe: end, held: VecDeque::new() }
    }
}

impl<E: Weighed> Raft<E> {
    /// The disk has everything up to this sync.
    pub fn synced(&mut self, ticket: Ticket, at: Moment) {
        self.turn(at);
        let journal = &mut self.journal;
        journal.syncing = false;
        journal.durable = journal.durable.max(ticket.0);
        while let Some((_, end)) = journal.ends.pop_front_if(|(number, _)| *number <= ticket.0) {
            journal.safe = end;
        }
        while let Some((_, held)) = self.journal.held.pop_front_if(|(number, _)| *number <= ticket.0) {
            match held {
                Held::Send { to, message } => self.send(to, message),
                Held::OwnVote(term) => self.count_own_vote(term),
            }
        }
        self.advance_commit();
        self.settle();
    }

    /// The sync failed: nobody knows what the disk has, so all of it is written anew.
    pub fn sync_failed(&mut self, at: Moment) {
        self.turn(at);
        self.journal.syncing = false;
        self.write_anew();
        self.settle();
    }

    pub(super) fn write_anew(&mut self) {
        let stored = Stored { term: self.term, vote: self.vote, snapshot: self.snapshot.clone(), log: self.log.clone() };
        self.write(Record::Anew(Arc::new(stored)));
        let journal = &mut self.journal;
        journal.wanted = journal.written;
        journal.ends = VecDeque::from([(journal.written, self.log.end())]);
    }

    pub(super) fn write(&mut self, record: Record<E>) {
        let journal = &mut self.journal;
        journal.written += 1;
        let entries_wait = self.settings.durability == Durability::Synced;
        match &record {
            Record::Term { .. } => journal.wanted = journal.written,
            Record::Append { first, entries } => journal.ends.push_back((journal.written, first.plus(entries.len()))),
            Record::Truncate { to, .. } => journal.cut(*to),
            Record::Snapshot { snapshot, .. } => journal.ends.push_back((journal.written, self.log.end().max(snapshot.end))),
            Record::Anew(_) => {}
        }
        if entries_wait {
            journal.wanted = journal.written;
        }
        self.out.push(Output::Write(record));
    }

    /// How much of the log counts as written at this node.
    pub(super) fn counted(&self) -> Offset {
        let at_once = self.settings.durability == Durability::Written || self.has(Mutant::CommitsBeforeSync);
        if at_once { self.log.end() } else { self.journal.safe }
    }

    /// Sends a message when everything written so far is durable.
    pub(super) fn send_durable(&mut self, to: NodeId, message: Message<E>) {
        let hasty = match &message {
            Message::Vote(_) | Message::Voted(_) => self.has(Mutant::VotesBeforeSync),
            Message::Fetch(_) | Message::Appended(_) => self.has(Mutant::CommitsBeforeSync),
            Message::BeginTerm { .. } | Message::EndTerm { .. } | Message::Fetched(_) | Message::Append(_) | Message::Install { .. } => {
                false
            }
        };
        if hasty || self.journal.wanted <= self.journal.durable {
            self.send(to, message);
        } else {
            self.journal.held.push_back((self.journal.wanted, Held::Send { to, message }));
        }
    }

    /// The candidate's own vote counts when the disk has it.
    pub(super) fn vote_for_oneself(&mut self) {
        self.journal.held.push_back((self.journal.wanted, Held::OwnVote(self.term)));
    }

    /// Ends a turn: starts a sync if something wants one.
    pub(super) fn settle(&mut self) {
        let journal = &mut self.journal;
        if journal.wanted > journal.durable && !journal.syncing {
            journal.syncing = true;
            self.out.push(Output::Sync(Ticket(journal.written)));
        }
    }
}

impl<E: Hash> Journal<E> {
    /// Adds the state to a hash, counted from the latest write.
    pub(super) fn fingerprint(&self, hasher: &mut impl Hasher) {
        let since = |number: u64| self.written - number.min(self.written);
        (since(self.wanted), since(self.durable), self.syncing, self.safe).hash(hasher);
        self.ends.iter().for_each(|(number, end)| (since(*number), end).hash(hasher));
        self.held.iter().for_each(|(number, held)| (since(*number), held).hash(hasher));
    }
}

impl<E> Journal<E> {
    /// The log was cut: what is appended there from now on is not durable yet.
    pub(super) fn cut(&mut self, to: Offset) {
        self.safe = self.safe.min(to);
        for (_, end) in &mut self.ends {
            *end = (*end).min(to);
        }
    }
}
