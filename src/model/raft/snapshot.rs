//! Snapshots: what stands for the front of the log, and how a follower gets one that is too far behind.

use std::sync::Arc;

use crate::base::NodeId;

use super::ids::{Offset, Term};
use super::log::{Log, Weighed};
use super::message::{Appended, Fit, Message};
use super::mutants::Mutant;
use super::output::{Moment, Output};
use super::state::Raft;
use super::stored::{Record, Snapshot, Stored, voters_in};

impl<E: Weighed> Raft<E> {
    /// Compacts the log. `state` are entries that rebuild the host's machine as it was when everything before `end` was
    /// applied, and nothing after. Nothing happens when that is compacted already or not committed yet.
    pub fn compact(&mut self, end: Offset, state: Arc<[E]>, at: Moment) {
        if end <= self.snapshot.end || end > self.committed {
            return;
        }
        self.turn(at);
        let term = self.log.term_before(end).expect("committed entries are in the log");
        let known = self.voters.iter().rev().find(|(from, _)| *from <= end);
        let voters = known.map(|(_, voters)| Arc::clone(voters)).expect("the snapshot's voters are always there");
        self.keep(Snapshot { end, term, voters, state });
        self.settle();
    }

    /// Puts a snapshot in place of the front of the log, or of all of it.
    fn keep(&mut self, snapshot: Snapshot<E>) {
        let frees = self.log.bytes(self.log.start(), snapshot.end);
        let fits = self.log.term_before(snapshot.end) == Some(snapshot.term) && !self.has(Mutant::CompactsTooMuch);
        if !fits {
            self.journal.cut(self.log.start());
            self.log = Log::starting(self.log.start(), self.snapshot.term);
        }
        self.log.compact(snapshot.end, snapshot.term);
        self.snapshot = snapshot;
        self.voters = voters_in(&self.snapshot, &self.log);
        self.write(Record::Snapshot { snapshot: self.snapshot.clone(), frees });
    }

    /// A leader's snapshot replaces what this node has, if it reaches further than what is committed here.
    pub(super) fn take_snapshot(&mut self, snapshot: Snapshot<E>) {
        if snapshot.end <= self.committed {
            return;
        }
        self.keep(snapshot);
        self.committed = self.snapshot.end;
        self.out.push(Output::Restore(self.snapshot.clone()));
    }

    /// The quorum has lost what this node compacted: everything goes, and comes again from the leader.
    pub(super) fn start_over(&mut self) {
        let voters = self.voters().to_vec();
        let Stored { snapshot, log, .. } = Stored::format(voters);
        (self.snapshot, self.log, self.committed) = (snapshot, log, Offset::ZERO);
        self.voters = voters_in(&self.snapshot, &self.log);
        self.journal.cut(Offset::ZERO);
        self.write_anew();
        self.out.push(Output::Restore(self.snapshot.clone()));
    }

    pub(super) fn on_install(&mut self, from: NodeId, term: Term, snapshot: Snapshot<E>) {
        self.meet(term, Some(from));
        if term == self.term && self.leader == Some(from) {
            self.hear_leader();
            self.take_snapshot(snapshot);
        }
        let fit = Fit::UpTo(self.committed);
        self.send_durable(from, Message::Appended(Appended { term: self.term, round: 0, fit }));
    }
}
