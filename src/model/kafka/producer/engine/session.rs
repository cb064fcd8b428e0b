//! Idempotence: whose numbers batches carry, and what is done when a number is lost.

use super::super::super::batch::Stamp;
use super::super::super::ids::{Part, Session};
use super::super::super::refusal::Refusal;
use super::super::lane::Numbers;
use super::super::marks;
use super::super::verdict::Why;
use super::{Engine, Out};

/// The last epoch; after it comes a new producer id.
const LAST_EPOCH: u16 = 0x7fff;

impl Engine {
    /// Whether a batch with a number is sent again. A broker that misses the batch before may get it yet, so its refusal of later ones is
    /// no reason to give them up; where nothing before is under way, the number is lost and the producer goes on under a new epoch.
    pub(super) fn may_retry_numbered(&mut self, part: Part, (stamp, renumbered): (Stamp, bool), why: Why) -> bool {
        if !self.bumps && self.session != Some(stamp.session) {
            return false;
        }
        let numbers = self.lanes[part.index()].numbers;
        if why == Why::Refused(Refusal::UnknownProducerId) && self.txn.is_none() {
            self.renew(part);
            return self.bumps;
        }
        if why != Why::Refused(Refusal::OutOfOrderSequenceNumber) {
            return why.is_retriable();
        }
        let is_next = numbers.acked == stamp.sequence;
        if numbers.unresolved.is_none() && (renumbered || !is_next) {
            return true;
        }
        if self.txn.is_none() && numbers.unresolved.is_none_or(|unresolved| unresolved == stamp.sequence) {
            self.renew(part);
        }
        self.txn.is_none() && self.bumps
    }

    /// A batch with a number was given up after an answer, or none.
    pub(super) fn on_failed(&mut self, part: Part, (stamp, span): (Stamp, u32), why: Why, tries_left: bool, out: &mut Vec<Out>) {
        if why == Why::Refused(Refusal::ProducerFenced) {
            self.stop(why.reason(), out);
            return;
        }
        self.batch_failed_in_transaction(why.reason(), out);
        if why == Why::Refused(Refusal::OutOfOrderSequenceNumber) && self.txn.is_none() {
            self.renew(part);
        } else if why == Why::Refused(Refusal::UnknownProducerId) {
            self.lanes[part.index()].numbers = Numbers::default();
            self.unresolved.remove(&part);
        } else if tries_left && self.txn.is_none() && self.bumps {
            self.renew(part);
        } else if tries_left {
            self.lanes[part.index()].close_gap(stamp, span);
        }
    }

    /// The numbers of a partition are lost. Before KIP-360 everything begins anew, under another producer id.
    fn renew(&mut self, part: Part) {
        if self.bumps {
            self.renew.get_or_insert_default().insert(part);
        } else if self.session.take().is_some() {
            self.forget_numbers();
        }
    }

    /// Nothing is known of numbers any more.
    pub(super) fn forget_numbers(&mut self) {
        for lane in &mut self.lanes {
            lane.numbers = Numbers::default();
        }
        self.unresolved.clear();
    }

    /// Takes the next epoch, if numbers were lost: what waits in those partitions is numbered anew. Batches of other partitions keep
    /// their numbers, and nothing new is sent there before they are done.
    pub(super) fn renew_epoch(&mut self, out: &mut Vec<Out>) {
        let Some(parts) = self.renew.take() else { return };
        let Some(session) = self.session else { return };
        out.push(Out::Mark(marks::EPOCH_BUMPED));
        if session.epoch == LAST_EPOCH {
            self.session = None;
            return;
        }
        let session = Session { epoch: session.epoch + 1, ..session };
        self.session = Some(session);
        for part in parts {
            self.lanes[part.index()].restart(session);
            self.unresolved.remove(&part);
        }
    }

    /// Looks at partitions where a batch was given up whose number may be taken or not. When nothing is under way there any more, either
    /// a later batch was acknowledged, hence the number was taken, or the numbers are lost.
    pub(super) fn resolve_numbers(&mut self, out: &mut Vec<Out>) {
        for part in self.unresolved.iter().copied().collect::<Vec<_>>() {
            let lane = &mut self.lanes[part.index()];
            if lane.first_numbered().is_some() {
                continue;
            }
            let resolved = lane.numbers.next == lane.numbers.acked;
            lane.numbers.unresolved = None;
            self.unresolved.remove(&part);
            if resolved {
                continue;
            }
            match self.txn {
                Some(_) => self.numbers_lost_in_transaction(out),
                None => self.renew(part),
            }
        }
    }
}
