//! Which request about session or transaction comes next, and what its answer means.

use crate::base::{NodeId, Span};

use super::super::super::batch::Outcome;
use super::super::super::ids::{Session, TxnId};
use super::super::super::protocol::{Body, CoordinatorOf, GroupReply, GroupRequest, TxnReply, TxnRequest};
use super::super::super::refusal::Refusal;
use super::super::verdict::{Why, may_ask_again};
use super::super::{Event, marks};
use super::network::What;
use super::transaction::{Ask, Stage};
use super::{Engine, Env, Out, Wake};

/// How soon the first partition of a transaction is added again while the transaction before is being finished.
const SOON: Span = Span::millis(20);

impl Engine {
    /// Asks what is to be asked next, if nothing is being asked.
    pub(super) fn ask_control(&mut self, env: &mut Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) {
        if self.control.is_stopped() || self.control.is_asking() {
            return;
        }
        self.end_without_asking(out);
        let Some(ask) = self.next_ask() else { return };
        if self.control.not_before > env.now {
            wake.at(self.control.not_before);
            return;
        }
        let (ask, to) = self.routed(ask);
        let to = match to {
            Some(node) => Some(node).filter(|node| self.reach(*node, env, out, wake)),
            None => self.reach_any(env, out, wake),
        };
        let Some(to) = to else { return };
        if let Some(body) = self.words_of(&ask) {
            self.control.asking = Some(ask.clone());
            self.send(to, What::Control(ask), None, body, env, out);
        }
    }

    /// What is needed next.
    fn next_ask(&self) -> Option<Ask> {
        let Some(txn) = &self.control.txn else {
            return (self.settings.idempotence && self.session.is_none()).then_some(Ask::Session);
        };
        match txn.stage {
            Stage::Starting | Stage::Renewing(_) => Some(Ask::Session),
            Stage::Ready | Stage::MustAbort => None,
            Stage::Open | Stage::Ending(_) => {
                if !txn.fresh.is_empty() {
                    return Some(Ask::AddParts(txn.fresh.iter().copied().collect()));
                }
                if let Some(first) = txn.commits.front() {
                    return Some(if first.added { Ask::Positions(first.group) } else { Ask::AddGroup(first.group) });
                }
                match txn.stage {
                    Stage::Ending(outcome) if self.open == 0 => Some(Ask::End(outcome)),
                    Stage::Starting | Stage::Ready | Stage::Open | Stage::Ending(_) | Stage::MustAbort | Stage::Renewing(_) => None,
                }
            }
        }
    }

    /// A transaction that the coordinator knows nothing of ends without it.
    fn end_without_asking(&mut self, out: &mut Vec<Out>) {
        let Some(txn) = &self.control.txn else { return };
        let Stage::Ending(outcome) = txn.stage else { return };
        let nothing = !txn.started && txn.fresh.is_empty() && txn.commits.is_empty();
        if self.open == 0 && (nothing || txn.skips_end) {
            self.ended(outcome, out);
        }
    }

    /// Whom a request goes to; `None`: any broker. Where the coordinator is not known, it is asked for first.
    fn routed(&self, ask: Ask) -> (Ask, Option<NodeId>) {
        let Some(txn) = &self.control.txn else { return (ask, None) };
        match ask {
            Ask::Find(_) => (ask, None),
            Ask::Positions(group) => match txn.group_coordinator.filter(|(known, _)| *known == group) {
                Some((_, node)) => (ask, Some(node)),
                None => (Ask::Find(CoordinatorOf::Group(group)), None),
            },
            Ask::Session | Ask::AddParts(_) | Ask::AddGroup(_) | Ask::End(_) => match txn.coordinator {
                Some(node) => (ask, Some(node)),
                None => (Ask::Find(CoordinatorOf::Txn(txn.id)), None),
            },
        }
    }

    /// A request as it goes over the wire.
    fn words_of(&self, ask: &Ask) -> Option<Body> {
        if let Ask::Find(of) = ask {
            return Some(Body::FindCoordinator(*of));
        }
        let Some(txn) = &self.control.txn else {
            return Some(Body::Txn(Box::new(TxnRequest::InitProducerId { txn: None, timeout: Span::MAX, expected: None })));
        };
        if *ask == Ask::Session {
            let expected = self.session.filter(|_| txn.stage != Stage::Starting);
            return Some(Body::Txn(Box::new(TxnRequest::InitProducerId { txn: Some(txn.id), timeout: txn.timeout, expected })));
        }
        self.words_in_session(ask, txn.id, self.session?)
    }

    fn words_in_session(&self, ask: &Ask, txn: TxnId, session: Session) -> Option<Body> {
        let request = match ask {
            Ask::Session | Ask::Find(_) => return None,
            Ask::AddParts(parts) => TxnRequest::AddPartitions { txn, session, parts: parts.clone() },
            Ask::AddGroup(group) => TxnRequest::AddOffsets { txn, session, group: *group },
            Ask::Positions(_) => {
                let commit = self.control.txn.as_ref()?.commits.front()?;
                let (group, from, positions) = (commit.group, commit.from, commit.positions.clone());
                return Some(Body::Group(Box::new(GroupRequest::TxnCommit { group, from, txn, session, positions })));
            }
            Ask::End(outcome) => TxnRequest::EndTxn { txn, session, outcome: *outcome },
        };
        Some(Body::Txn(Box::new(request)))
    }

    /// An answer came.
    pub(super) fn on_control(&mut self, ask: Ask, body: Body, env: &mut Env<'_>, out: &mut Vec<Out>) {
        self.control.asking = None;
        if self.control.is_stopped() {
            return;
        }
        let refusal = match body {
            Body::FindCoordinatorReply(result) => result.map(|node| self.found(&ask, node)).err(),
            Body::TxnReply(reply) => self.on_txn_reply(&ask, *reply, out),
            Body::GroupReply(reply) => self.on_group_reply(&reply, out),
            Body::Metadata
            | Body::MetadataReply(_)
            | Body::Produce(_)
            | Body::ProduceReply(_)
            | Body::Fetch(_)
            | Body::FetchReply(_)
            | Body::ListOffsets(_)
            | Body::ListOffsetsReply(_)
            | Body::FindCoordinator(_)
            | Body::Group(_)
            | Body::Txn(_)
            | Body::Control(_)
            | Body::ControlReply(_)
            | Body::Raft(_)
            | Body::Store(_)
            | Body::StoreReply(_) => unreachable!("a broker answers what it was asked, not with {body:?}"),
        };
        if let Some(refusal) = refusal {
            self.control_refused(&ask, refusal, env, out);
        }
    }

    /// An answer about session or transaction: its refusal, if it is one.
    fn on_txn_reply(&mut self, ask: &Ask, reply: TxnReply, out: &mut Vec<Out>) -> Option<Refusal> {
        match reply {
            TxnReply::ProducerId(result) => result.map(|session| self.got_session(session, out)).err(),
            TxnReply::PartitionsAdded(result) => result.map(|()| self.parts_added(ask)).err(),
            TxnReply::OffsetsAdded(result) => result.map(|()| self.group_added()).err(),
            TxnReply::Ended(result) => result.map(|session| self.on_ended(ask, session, out)).err(),
            TxnReply::Verified(_) | TxnReply::MarkersWritten(_) => unreachable!("producers ask for neither"),
        }
    }

    /// An answer about positions.
    fn on_group_reply(&mut self, reply: &GroupReply, out: &mut Vec<Out>) -> Option<Refusal> {
        match reply {
            GroupReply::TxnCommit(result) => result.map(|()| self.positions_sent(out)).err(),
            GroupReply::Join(_)
            | GroupReply::Sync(_)
            | GroupReply::Heartbeat(_)
            | GroupReply::Leave(_)
            | GroupReply::Beat(_)
            | GroupReply::Commit(_)
            | GroupReply::Positions(_) => unreachable!("producers ask for positions to be committed only"),
        }
    }

    /// The connection over which something was asked ended.
    pub(super) fn control_lost(&mut self, ask: &Ask, env: &Env<'_>) {
        self.control.asking = None;
        self.control.not_before = env.now + self.settings.retry_backoff;
        self.doubt_end(ask);
    }

    /// Nobody knows whether a commit that was asked for is decided.
    fn doubt_end(&mut self, ask: &Ask) {
        if let Some(txn) = self.control.txn.as_mut().filter(|_| *ask == Ask::End(Outcome::Commit)) {
            txn.doubt = true;
        }
    }

    fn found(&mut self, ask: &Ask, node: NodeId) {
        let Some(txn) = &mut self.control.txn else { return };
        match ask {
            Ask::Find(CoordinatorOf::Group(group)) => txn.group_coordinator = Some((*group, node)),
            Ask::Find(CoordinatorOf::Txn(_)) => txn.coordinator = Some(node),
            Ask::Session | Ask::AddParts(_) | Ask::AddGroup(_) | Ask::Positions(_) | Ask::End(_) => {}
        }
    }

    fn got_session(&mut self, session: Session, out: &mut Vec<Out>) {
        self.session = Some(session);
        let Some(txn) = &mut self.control.txn else { return };
        let event = match txn.stage {
            Stage::Renewing(outcome) => Event::Ended(outcome),
            Stage::Starting | Stage::Ready | Stage::Open | Stage::Ending(_) | Stage::MustAbort => Event::Ready,
        };
        txn.stage = Stage::Ready;
        self.forget_numbers();
        out.push(Out::Tell(event));
    }

    fn parts_added(&mut self, ask: &Ask) {
        let Some(txn) = &mut self.control.txn else { return };
        if let Ask::AddParts(parts) = ask {
            txn.started = true;
            for part in parts {
                txn.fresh.remove(part);
                txn.parts.insert(*part);
            }
        }
    }

    fn group_added(&mut self) {
        let Some(txn) = &mut self.control.txn else { return };
        txn.started = true;
        if let Some(first) = txn.commits.front_mut() {
            first.added = true;
        }
    }

    fn positions_sent(&mut self, out: &mut Vec<Out>) {
        let Some(txn) = &mut self.control.txn else { return };
        txn.started = true;
        if txn.commits.pop_front().is_some() {
            out.push(Out::Tell(Event::PositionsSent));
        }
    }

    fn on_ended(&mut self, ask: &Ask, session: Session, out: &mut Vec<Out>) {
        self.session = Some(session);
        if let Ask::End(outcome) = ask {
            self.ended(*outcome, out);
        }
    }

    /// The transaction is over, for the coordinator too.
    fn ended(&mut self, outcome: Outcome, out: &mut Vec<Out>) {
        let Some(txn) = &mut self.control.txn else { return };
        txn.stage = if txn.bump { Stage::Renewing(outcome) } else { Stage::Ready };
        let done = !txn.bump;
        txn.clear();
        if done {
            out.push(Out::Tell(Event::Ended(outcome)));
        }
    }

    /// A request was refused [S:kafka TransactionManager, the handlers].
    fn control_refused(&mut self, ask: &Ask, refusal: Refusal, env: &Env<'_>, out: &mut Vec<Out>) {
        let reason = Why::Refused(refusal).reason();
        let about_group = matches!(ask, Ask::Positions(_));
        if may_ask_again(refusal) {
            self.doubt_end(ask);
            self.ask_again(ask, refusal, env, out);
        } else if matches!(refusal, Refusal::InvalidProducerEpoch | Refusal::ProducerFenced) {
            out.push(Out::Mark(marks::FENCED));
            self.stop(reason, out);
        } else if matches!(refusal, Refusal::UnknownProducerId | Refusal::InvalidProducerIdMapping) && *ask != Ask::Session {
            self.forgotten(refusal, env, out);
        } else if refusal == Refusal::TransactionAbortable || about_group && is_about_member(refusal) {
            self.must_abort(reason, out);
        } else if matches!(ask, Ask::AddParts(_)) && refusal != Refusal::InvalidTxnState {
            self.batch_failed_in_transaction(reason, out);
        } else {
            self.stop(reason, out);
        }
    }

    /// Trying again may help, perhaps with another coordinator.
    fn ask_again(&mut self, ask: &Ask, refusal: Refusal, env: &Env<'_>, out: &mut Vec<Out>) {
        let mut pause = self.settings.retry_backoff;
        if let Some(txn) = &mut self.control.txn {
            let moved = matches!(refusal, Refusal::NotCoordinator | Refusal::CoordinatorNotAvailable);
            if matches!(ask, Ask::Positions(_)) {
                txn.group_coordinator = txn.group_coordinator.filter(|_| !moved && refusal != Refusal::RequestTimedOut);
            } else {
                txn.coordinator = txn.coordinator.filter(|_| !moved);
            }
            if refusal == Refusal::ConcurrentTransactions {
                out.push(Out::Mark(marks::CONCURRENT));
                if matches!(ask, Ask::AddParts(_)) && txn.parts.is_empty() {
                    pause = pause.min(SOON);
                }
            }
        }
        self.control.not_before = env.now + pause;
    }

    /// The coordinator does not know this producer's id any more. If the next epoch can be asked for, the transaction is aborted first.
    fn forgotten(&mut self, refusal: Refusal, env: &Env<'_>, out: &mut Vec<Out>) {
        let reason = Why::Refused(refusal).reason();
        self.control.not_before = env.now + self.settings.retry_backoff;
        let Some(txn) = self.control.txn.as_mut().filter(|txn| txn.bumps) else {
            self.stop(reason, out);
            return;
        };
        txn.bump = true;
        txn.skips_end = refusal == Refusal::InvalidProducerIdMapping;
        self.must_abort(reason, out);
    }
}

/// Whether the group does not take positions from this member: it is not one any more, or not of this generation.
const fn is_about_member(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::FencedInstanceId
            | Refusal::UnknownMemberId
            | Refusal::IllegalGeneration
            | Refusal::RebalanceInProgress
            | Refusal::StaleMemberEpoch
            | Refusal::FencedMemberEpoch
    )
}
