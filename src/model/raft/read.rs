//! Reads without writing: the leader makes sure that it still leads, or relies on a lease (push).

use super::lead::NotLeader;
use super::log::Weighed;
use super::mutants::Mutant;
use super::output::{Moment, Output, Role};
use super::state::Raft;

impl<E: Weighed> Raft<E> {
    /// Asks to answer a read, under a number of the host's choice. [`Output::ReadReady`] follows when the host's machine has
    /// everything that was committed when the read came; the read must then be answered from it. With a lease that is
    /// at once.
    ///
    /// # Errors
    /// When this node does not lead, or its followers fetch (they say nothing that a read could rest on).
    pub fn read(&mut self, read: u64, at: Moment) -> Result<(), NotLeader> {
        if self.role != Role::Leader || self.push().is_none() {
            return Err(NotLeader { leader: self.leader });
        }
        self.turn(at);
        let at_once = self.in_charge() && (self.lease_holds() || self.has(Mutant::ReadsWithoutAsking));
        if at_once {
            self.out.push(Output::ReadReady { read });
        } else {
            let asking = self.next_round();
            self.lead.as_mut().expect("a leader").reads.push((read, asking));
            self.push_news();
            self.confirm_rounds();
        }
        self.settle();
        Ok(())
    }

    /// Begins a heartbeat.
    pub(super) fn next_round(&mut self) -> u64 {
        let now = self.now;
        let lead = self.lead.as_mut().expect("a leader");
        lead.round += 1;
        lead.sent.push_back((lead.round, now));
        lead.round
    }

    /// Whether a majority answered a heartbeat that left so recently that none of it votes for another leader.
    pub(super) fn lease_holds(&self) -> bool {
        let Some(lease) = self.push().and_then(|push| push.lease) else { return false };
        let confirmed = self.lead.as_ref().and_then(|lead| lead.confirmed);
        confirmed.is_some_and(|sent| self.now < sent + lease || self.has(Mutant::IgnoresLeaseEnd))
    }

    /// Looks which heartbeats a majority has answered.
    pub(super) fn confirm_rounds(&mut self) {
        let Some(lead) = &self.lead else { return };
        let own = lead.round;
        let answered = |node: &crate::base::NodeId| if *node == self.me { own } else { lead.peers.get(node).map_or(0, |peer| peer.round) };
        let mut rounds: Vec<u64> = self.voters().iter().map(answered).collect();
        rounds.sort_unstable_by(|a, b| b.cmp(a));
        let confirmed = rounds.get(self.majority() - 1).copied().unwrap_or(0);
        let Some(lead) = &mut self.lead else { return };
        while let Some((_, sent)) = lead.sent.pop_front_if(|(round, _)| *round <= confirmed) {
            lead.confirmed = Some(sent);
        }
        self.answer_reads();
    }

    /// Answers the reads whose heartbeat is confirmed, once the leader is in charge.
    pub(super) fn answer_reads(&mut self) {
        let Some(lead) = &mut self.lead else { return };
        let waiting_for = lead.sent.front().map_or(lead.round + 1, |(round, _)| *round);
        if lead.in_charge {
            let (ready, waiting) = lead.reads.iter().partition(|(_, round)| *round < waiting_for);
            lead.reads = waiting;
            let ready: Vec<(u64, u64)> = ready;
            self.out.extend(ready.into_iter().map(|(read, _)| Output::ReadReady { read }));
        }
    }
}
