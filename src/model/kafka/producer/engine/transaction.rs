//! The producer's side of sessions and transactions: one request about them is under way at a time.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::{NodeId, Span, Time};
use crate::record::Reason;

use super::super::super::batch::{Outcome, Position};
use super::super::super::config::{Config, Version};
use super::super::super::ids::{GroupId, Part, TxnId};
use super::super::super::protocol::CoordinatorOf;
use super::super::super::protocol::group::Membership;
use super::super::{Event, Settings, marks};
use super::{Engine, Out};

/// A request about the session or the transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    /// For a session, or the next epoch of it.
    Session,
    /// For a coordinator.
    Find(CoordinatorOf),
    /// To add partitions to the transaction.
    AddParts(Vec<Part>),
    /// To add a group's positions to the transaction: the first of two steps.
    AddGroup(GroupId),
    /// To commit positions in the transaction: the second.
    Positions(GroupId),
    /// To end the transaction.
    End(Outcome),
}

/// Positions that are to be in the transaction.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) group: GroupId,
    pub(super) from: Option<Membership>,
    pub(super) positions: Arc<[Position]>,
    /// The transaction's coordinator knows of them.
    pub(super) added: bool,
}

/// How far a transactional producer is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Stage {
    /// It has no session yet.
    Starting,
    /// Between transactions.
    Ready,
    /// In one.
    Open,
    /// It is about to end.
    Ending(Outcome),
    /// It can only be aborted.
    MustAbort,
    /// It has ended, and the producer waits for its next epoch.
    Renewing(Outcome),
}

/// A transactional producer.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    pub(super) id: TxnId,
    /// `transaction.timeout.ms`.
    pub(super) timeout: Span,
    /// The leaders tell the coordinator of partitions, and every transaction has an epoch of its own (KIP-890).
    pub(super) implicit: bool,
    /// After an error the producer may go on under its next epoch (KIP-360).
    pub(super) bumps: bool,
    pub(super) stage: Stage,
    /// The coordinator knows of the transaction.
    pub(super) started: bool,
    /// Partitions that the coordinator does not know of.
    pub(super) fresh: BTreeSet<Part>,
    /// Partitions that belong to the transaction.
    pub(super) parts: BTreeSet<Part>,
    pub(super) commits: VecDeque<Commit>,
    /// The next epoch is needed before the next transaction.
    pub(super) bump: bool,
    /// The coordinator does not know the producer's id any more: there is nothing to end.
    pub(super) skips_end: bool,
    /// A commit was asked for, and nobody knows what became of it.
    pub(super) doubt: bool,
    pub(super) coordinator: Option<NodeId>,
    pub(super) group_coordinator: Option<(GroupId, NodeId)>,
}

/// What is under way, and what the producer may do.
#[derive(Clone, Debug)]
pub(super) struct Control {
    pub(super) asking: Option<Ask>,
    /// Nothing is asked before this.
    pub(super) not_before: Time,
    stopped: Option<Reason>,
    pub(super) txn: Option<Transaction>,
}

impl Control {
    /// At the start.
    pub(super) fn new(settings: &Settings, config: &Config) -> Control {
        let timeout = settings.producer.transactions.map_or(Span::secs(60), |transactions| transactions.timeout);
        let txn = settings.txn.map(|id| Transaction {
            id,
            timeout,
            implicit: config.mechanisms.epoch_per_transaction,
            bumps: config.version >= Version::V2_8,
            stage: Stage::Starting,
            started: false,
            fresh: BTreeSet::new(),
            parts: BTreeSet::new(),
            commits: VecDeque::new(),
            bump: false,
            skips_end: false,
            doubt: false,
            coordinator: None,
            group_coordinator: None,
        });
        Control { asking: None, not_before: Time::ZERO, stopped: None, txn }
    }

    /// Whether a request is under way.
    pub(super) const fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Why the producer does nothing any more, if so.
    pub(super) const fn stopped(&self) -> Option<Reason> {
        self.stopped
    }

    /// Whether the producer does nothing any more.
    pub(super) const fn is_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// Whether records are taken.
    pub(super) fn takes_records(&self) -> bool {
        self.stopped.is_none() && self.txn.as_ref().is_none_or(|txn| txn.stage == Stage::Open)
    }

    /// Whether records are taken for a partition without any ado.
    #[inline]
    pub(super) fn takes(&self, part: Part) -> bool {
        match &self.txn {
            None => true,
            Some(txn) => txn.stage == Stage::Open && (txn.parts.contains(&part) || txn.fresh.contains(&part)),
        }
    }

    /// A record goes to a partition: it belongs to the transaction from now on.
    pub(super) fn touch(&mut self, part: Part) {
        let Some(txn) = self.txn.as_mut().filter(|txn| !txn.parts.contains(&part)) else { return };
        if txn.implicit {
            txn.parts.insert(part);
            txn.started = true;
        } else {
            txn.fresh.insert(part);
        }
    }

    /// Whether batches of a partition may be sent.
    pub(super) fn has(&self, part: Part) -> bool {
        self.txn.as_ref().is_none_or(|txn| txn.parts.contains(&part))
    }

    /// Whether a transaction is about to end: nothing waits for more records.
    pub(super) fn is_ending(&self) -> bool {
        self.txn.as_ref().is_some_and(|txn| matches!(txn.stage, Stage::Ending(_)))
    }

    /// A node is not to be reached: somebody else may coordinate by now.
    pub(super) fn forget(&mut self, node: NodeId) {
        if let Some(txn) = &mut self.txn {
            txn.coordinator = txn.coordinator.filter(|known| *known != node);
            txn.group_coordinator = txn.group_coordinator.filter(|(_, known)| *known != node);
        }
    }

    /// Its state in a word, for a digest.
    pub(super) fn words(&self, now: Time) -> u64 {
        let stage = self.txn.as_ref().map_or(0, |txn| match txn.stage {
            Stage::Starting => 1,
            Stage::Ready => 2,
            Stage::Open => 3,
            Stage::Ending(outcome) => 4 + outcome as u64,
            Stage::MustAbort => 6,
            Stage::Renewing(outcome) => 7 + outcome as u64,
        });
        let flags = u64::from(self.is_asking()) << 1 | u64::from(self.is_stopped());
        self.not_before.saturating_since(now).as_nanos() << 8 | stage << 2 | flags
    }
}

impl Transaction {
    /// The transaction is over.
    pub(super) fn clear(&mut self) {
        self.started = false;
        self.fresh.clear();
        self.parts.clear();
        self.commits.clear();
        (self.skips_end, self.doubt, self.bump) = (false, false, false);
    }
}

const ABORTED: Reason = Reason("the transaction is aborted");
const LOST_NUMBERS: Reason = Reason("batches were given up that may be stored");

impl Engine {
    /// Begins a transaction.
    ///
    /// # Panics
    /// When the producer is not between transactions.
    pub(in super::super) fn begin(&mut self) {
        let txn = self.control.txn.as_mut().expect("the producer is transactional");
        assert_eq!(txn.stage, Stage::Ready, "transactions follow one another");
        txn.stage = Stage::Open;
    }

    /// Positions of a group are to be in the transaction.
    pub(in super::super) fn add_positions(&mut self, group: GroupId, from: Option<Membership>, positions: Arc<[Position]>) {
        if let Some(txn) = self.control.txn.as_mut().filter(|txn| txn.stage == Stage::Open) {
            txn.commits.push_back(Commit { group, from, positions, added: txn.implicit });
        }
    }

    /// The transaction is to be committed, if nothing has gone wrong in it.
    pub(in super::super) fn commit(&mut self) {
        if let Some(txn) = self.control.txn.as_mut().filter(|txn| txn.stage == Stage::Open) {
            txn.stage = Stage::Ending(Outcome::Commit);
        }
    }

    /// The transaction is to be aborted. What was not sent yet is not sent.
    pub(in super::super) fn abort(&mut self, out: &mut Vec<Out>) {
        let open = |txn: &&mut Transaction| matches!(txn.stage, Stage::Open | Stage::MustAbort);
        if let Some(txn) = self.control.txn.as_mut().filter(open) {
            txn.stage = Stage::Ending(Outcome::Abort);
            self.drop_unsent(ABORTED, out);
        }
    }

    /// Nothing of the transaction that was not sent yet is sent any more.
    fn drop_unsent(&mut self, reason: Reason, out: &mut Vec<Out>) {
        if let Some(txn) = &mut self.control.txn {
            txn.fresh.clear();
            txn.commits.clear();
        }
        self.fail_waiting(reason, out);
        for part in self.busy.iter().copied().collect::<Vec<_>>() {
            for bundle in self.lanes[part.index()].drop_unnumbered() {
                self.give_up(part, bundle, reason, out);
            }
        }
    }

    /// Something went wrong that leaves nothing but to abort.
    pub(super) fn must_abort(&mut self, reason: Reason, out: &mut Vec<Out>) {
        let open = |txn: &&mut Transaction| matches!(txn.stage, Stage::Open | Stage::Ending(Outcome::Commit));
        if let Some(txn) = self.control.txn.as_mut().filter(open) {
            txn.stage = Stage::MustAbort;
            out.push(Out::Mark(marks::ABORTED));
            self.drop_unsent(reason, out);
            out.push(Out::Tell(Event::MustAbort(reason)));
        }
    }

    /// A batch of the transaction, if there is one, was not stored, or nobody knows.
    pub(super) fn batch_failed_in_transaction(&mut self, reason: Reason, out: &mut Vec<Out>) {
        if let Some(txn) = self.control.txn.as_mut().filter(|txn| matches!(txn.stage, Stage::Open | Stage::MustAbort)) {
            txn.bump |= txn.bumps && !txn.implicit;
        }
        self.must_abort(reason, out);
    }

    /// Nobody knows which numbers are taken.
    pub(super) fn numbers_lost_in_transaction(&mut self, out: &mut Vec<Out>) {
        let Some(txn) = &mut self.control.txn else { return };
        if txn.bumps {
            txn.bump |= !txn.implicit;
            self.must_abort(LOST_NUMBERS, out);
        } else {
            self.stop(LOST_NUMBERS, out);
        }
    }

    /// The producer does nothing any more: what is not done ends, and the owner is told.
    pub(super) fn stop(&mut self, reason: Reason, out: &mut Vec<Out>) {
        if self.control.is_stopped() {
            return;
        }
        self.control.stopped = Some(reason);
        self.fail_waiting(reason, out);
        for part in std::mem::take(&mut self.busy) {
            for bundle in self.lanes[part.index()].drop_all() {
                self.give_up(part, bundle, reason, out);
            }
        }
        let committing = self.control.asking == Some(Ask::End(Outcome::Commit));
        let end_asked = committing || self.control.txn.as_ref().is_some_and(|txn| txn.doubt);
        if end_asked {
            out.push(Out::Mark(marks::END_UNKNOWN));
        }
        out.push(Out::Tell(Event::Stopped { reason, end_asked }));
    }
}
