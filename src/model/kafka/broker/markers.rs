//! Transactions at the leader of a partition: is this batch in one, and how did it end?

use std::collections::BTreeMap;

use crate::base::NodeId;
use crate::world::{Ctx, Hosts, Peer};

use super::super::batch::{Batch, Content, Outcome, Stamp};
use super::super::ids::{Offset, Part, Session};
use super::super::protocol::txn::{EndMarker, MarkerWritten};
use super::super::protocol::{Body, GroupRequest, Produce, Produced, TxnReply, TxnRequest};
use super::super::refusal::Refusal;
use super::channel::Caller;
use super::delayed::Waiter;
use super::{Broker, BrokerTimer, marks};

/// What this broker has asked coordinators and leaders elsewhere, by the number of the request.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    by_number: BTreeMap<(NodeId, u32), Question>,
    /// Requests to write markers of which partitions are still open.
    writing: BTreeMap<Caller, Writing>,
    /// How many questions this broker has asked itself.
    own: u32,
}

/// One request.
#[derive(Clone, Debug)]
enum Question {
    /// May this be appended? With the partitions asked about, and where their logs ended then.
    Verify(Caller, Box<Produce>, Vec<(Part, Offset)>),
    /// May these positions be appended?
    Positions(Caller, Box<GroupRequest>),
    /// Markers of this broker's coordinator, under this ticket.
    Markers(u64),
}

/// Markers that are being written.
#[derive(Clone, Debug)]
struct Writing {
    open: u32,
    written: Vec<MarkerWritten>,
}

/// Bytes of a marker [S:kafka EndTransactionMarker].
const MARKER_BYTES: u32 = 17;

impl Broker {
    /// Whether a coordinator must be asked first: with transactions that are verified, before the first batch of one in a partition.
    pub(super) fn must_verify<W: Hosts<Broker>>(&mut self, caller: Caller, produce: &Produce, ctx: &mut Ctx<'_, W, Broker>) -> bool {
        let config = ctx.config();
        let Some(txn) = produce.txn.filter(|_| config.mechanisms.verify_transactions) else { return false };
        let opens = |(part, batch): &(Part, std::sync::Arc<Batch>)| {
            let stamp = batch.stamp.filter(|_| batch.transactional)?;
            let replica = self.replicas[part.index()].as_ref()?;
            (replica.leading().is_some() && !replica.log.is_open(stamp.session)).then_some((*part, stamp.session))
        };
        let new: Vec<(Part, Session)> = produce.batches.iter().filter_map(opens).collect();
        let Some((_, session)) = new.first().copied() else { return false };
        let home = config.transactional[txn.index()].home;
        let Some(coordinator) = self.view.part(home).and_then(|view| view.leader) else {
            self.refuse_all(caller, produce, Refusal::NotEnoughReplicas, ctx);
            return true;
        };
        let parts: Vec<Part> = new.into_iter().map(|(part, _)| part).collect();
        let ends = parts.iter().filter_map(|part| self.replicas[part.index()].as_ref().map(|replica| (*part, replica.log.end()))).collect();
        let request = TxnRequest::Verify { txn, session, parts, add: config.mechanisms.epoch_per_transaction };
        self.ask(coordinator, request, Question::Verify(caller, Box::new(produce.clone()), ends), ctx);
        true
    }

    /// A request about a group. Positions that are the first of a transaction in the group's home are verified as batches of producers are.
    pub(super) fn group_asked<W: Hosts<Broker>>(&mut self, caller: Caller, request: GroupRequest, ctx: &mut Ctx<'_, W, Broker>) {
        let config = ctx.config();
        let verified = match &request {
            GroupRequest::TxnCommit { group, txn, session, .. } if config.mechanisms.verify_transactions => {
                let home = config.groups[group.index()].home;
                let leads = self.replicas[home.index()].as_ref().filter(|replica| replica.leading().is_some());
                leads.is_some_and(|replica| !replica.log.is_open(*session)).then_some((*txn, *session, home))
            }
            GroupRequest::TxnCommit { .. }
            | GroupRequest::Join(_)
            | GroupRequest::Sync { .. }
            | GroupRequest::Heartbeat { .. }
            | GroupRequest::Leave { .. }
            | GroupRequest::Beat(_)
            | GroupRequest::Commit { .. }
            | GroupRequest::Positions { .. } => None,
        };
        let Some((txn, session, home)) = verified else { return self.group_verified(caller, request, ctx) };
        let Some(coordinator) = self.view.part(config.transactional[txn.index()].home).and_then(|view| view.leader) else {
            return self.answer(caller, None, Body::GroupReply(Box::new(request.refused(Refusal::CoordinatorNotAvailable))), ctx);
        };
        let verify = TxnRequest::Verify { txn, session, parts: vec![home], add: config.mechanisms.epoch_per_transaction };
        self.ask(coordinator, verify, Question::Positions(caller, Box::new(request)), ctx);
    }

    fn group_verified<W: Hosts<Broker>>(&mut self, caller: Caller, request: GroupRequest, ctx: &mut Ctx<'_, W, Broker>) {
        let client = caller.peer.node;
        self.with_groups(ctx, |groups, env, out| groups.on_request(caller, client, request, env, out));
    }

    /// This broker's coordinator wants markers written.
    pub(super) fn send_markers<W: Hosts<Broker>>(&mut self, to: NodeId, request: TxnRequest, ticket: u64, ctx: &mut Ctx<'_, W, Broker>) {
        self.ask(to, request, Question::Markers(ticket), ctx);
    }

    fn ask<W: Hosts<Broker>>(&mut self, to: NodeId, request: TxnRequest, question: Question, ctx: &mut Ctx<'_, W, Broker>) {
        let me = ctx.me();
        if to == me {
            self.asked.own += 1;
            let number = self.asked.own;
            self.asked.by_number.insert((me, number), question);
            return self.txn_asked(Caller { peer: Peer { node: me, conn: None }, number }, request, ctx);
        }
        let number = self.peers.send(to, None, Body::Txn(Box::new(request)), ctx);
        self.asked.by_number.insert((to, number), question);
        ctx.timer(ctx.config().controller.request_timeout, BrokerTimer::Unanswered { to, number });
    }

    /// A request about transactions, perhaps of this broker itself.
    pub(super) fn txn_asked<W: Hosts<Broker>>(&mut self, caller: Caller, request: TxnRequest, ctx: &mut Ctx<'_, W, Broker>) {
        match request {
            TxnRequest::WriteMarkers { markers } => self.write_markers(caller, markers, ctx),
            TxnRequest::InitProducerId { .. }
            | TxnRequest::AddPartitions { .. }
            | TxnRequest::AddOffsets { .. }
            | TxnRequest::EndTxn { .. }
            | TxnRequest::Verify { .. } => {
                let client = caller.peer.node;
                self.with_txns(ctx, |txns, env, out| txns.on_request(caller, client, request, env, out));
            }
        }
    }

    /// A coordinator or leader has answered.
    pub(super) fn txn_answered<W: Hosts<Broker>>(&mut self, from: NodeId, number: u32, reply: TxnReply, ctx: &mut Ctx<'_, W, Broker>) {
        match self.asked.by_number.remove(&(from, number)) {
            Some(Question::Markers(ticket)) => self.with_txns(ctx, |txns, env, out| txns.on_markers(ticket, Ok(reply), env, out)),
            Some(Question::Verify(caller, produce, ends)) => self.verified(caller, &produce, (reply, &ends), ctx),
            Some(Question::Positions(caller, request)) => self.positions_verified(caller, *request, reply, ctx),
            None => {}
        }
    }

    /// A request was not answered in time: the connection is given up, with everything asked over it.
    pub(super) fn unanswered_in_time<W: Hosts<Broker>>(&mut self, to: NodeId, number: u32, ctx: &mut Ctx<'_, W, Broker>) {
        if self.asked.by_number.contains_key(&(to, number)) {
            self.peers.drop(to, ctx);
            self.questions_lost(to, ctx);
        }
    }

    /// The connection to a broker is gone, and with it the answers.
    pub(super) fn questions_lost<W: Hosts<Broker>>(&mut self, to: NodeId, ctx: &mut Ctx<'_, W, Broker>) {
        let lost: Vec<(NodeId, u32)> = self.asked.by_number.range((to, 0)..=(to, u32::MAX)).map(|(key, _)| *key).collect();
        for key in lost {
            match self.asked.by_number.remove(&key) {
                Some(Question::Markers(ticket)) => {
                    let lost = Err(Refusal::RequestTimedOut);
                    self.with_txns(ctx, |txns, env, out| txns.on_markers(ticket, lost, env, out));
                }
                Some(Question::Verify(caller, produce, _)) => self.refuse_all(caller, &produce, Refusal::NotEnoughReplicas, ctx),
                Some(Question::Positions(caller, request)) => {
                    let refused = request.refused(Refusal::CoordinatorNotAvailable);
                    self.answer(caller, None, Body::GroupReply(Box::new(refused)), ctx);
                }
                None => {}
            }
        }
    }

    /// A coordinator says which partitions are in the transaction; the others' batches are refused with its words. Where a transaction
    /// of the producer has ended meanwhile, the word is out of date: what would be appended would stay open for ever.
    fn verified<W: Hosts<Broker>>(
        &mut self,
        caller: Caller,
        produce: &Produce,
        (reply, ends): (TxnReply, &[(Part, Offset)]),
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let TxnReply::Verified(results) = reply else { return };
        let late = ends.iter().any(|(part, end)| self.has_ended_since(*part, *end, produce));
        let refused = results.iter().find_map(|(_, result)| result.err()).or(late.then_some(Refusal::InvalidTxnState));
        match refused {
            None => self.append_all(caller, produce, ctx),
            Some(refusal) => {
                ctx.mark(marks::NOT_IN_TRANSACTION);
                self.refuse_all(caller, produce, refusal, ctx);
            }
        }
    }

    /// Whether a marker of a request's producer was appended to a partition from an offset on.
    fn has_ended_since(&self, part: Part, end: Offset, produce: &Produce) -> bool {
        let producer = |batch: &Batch| batch.stamp.map(|stamp| stamp.session.id);
        let of = produce.batches.iter().find(|(other, _)| *other == part).and_then(|(_, batch)| producer(batch));
        let replica = self.replicas[part.index()].as_ref();
        replica.is_some_and(|replica| replica.log.batches_from(end).any(|entry| entry.batch.is_marker() && producer(&entry.batch) == of))
    }

    /// A coordinator says whether a group's home is in the transaction.
    fn positions_verified<W: Hosts<Broker>>(
        &mut self,
        caller: Caller,
        request: GroupRequest,
        reply: TxnReply,
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let TxnReply::Verified(results) = reply else { return };
        match results.iter().find_map(|(_, result)| result.err()) {
            None => self.group_verified(caller, request, ctx),
            Some(refusal) => {
                ctx.mark(marks::NOT_IN_TRANSACTION);
                self.answer(caller, None, Body::GroupReply(Box::new(request.refused(refusal))), ctx);
            }
        }
    }

    fn refuse_all<W: Hosts<Broker>>(&mut self, caller: Caller, produce: &Produce, refusal: Refusal, ctx: &mut Ctx<'_, W, Broker>) {
        let results = produce.batches.iter().map(|(part, _)| Produced { part: *part, result: Err(refusal) }).collect();
        self.answer_producer((caller, None), results, ctx);
    }

    /// A coordinator says that transactions have ended.
    pub(super) fn write_markers<W: Hosts<Broker>>(&mut self, caller: Caller, markers: Vec<EndMarker>, ctx: &mut Ctx<'_, W, Broker>) {
        let open: usize = markers.iter().map(|marker| marker.parts.len()).sum();
        let open = u32::try_from(open).expect("fewer than 2^32 partitions");
        self.asked.writing.insert(caller, Writing { open, written: Vec::new() });
        for marker in markers {
            for part in &marker.parts {
                self.write_marker(caller, *part, &marker, ctx);
            }
        }
    }

    fn write_marker<W: Hosts<Broker>>(&mut self, caller: Caller, part: Part, marker: &EndMarker, ctx: &mut Ctx<'_, W, Broker>) {
        let outcome = marker.outcome;
        let mut batch = Batch::internal(Content::Marker { outcome, coordinator: marker.coordinator }, 1, MARKER_BYTES);
        batch.stamp = Some(Stamp { session: marker.session, sequence: 0 });
        batch.transactional = true;
        self.append_own(part, batch, Waiter::Marker { caller, session: marker.session, outcome }, ctx);
    }

    /// One marker is on all in-sync replicas, or is not.
    pub(super) fn marker_written<W: Hosts<Broker>>(
        &mut self,
        (caller, session, outcome): (Caller, Session, Outcome),
        results: &[Produced],
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let Some(produced) = results.first() else { return };
        let part = produced.part;
        if produced.result.is_ok() {
            self.marked(part, session, outcome, ctx);
        }
        let Some(writing) = self.asked.writing.get_mut(&caller) else { return };
        writing.open -= 1;
        writing.written.push(MarkerWritten { session, part, result: produced.result.map(|_| ()) });
        if writing.open == 0
            && let Some(writing) = self.asked.writing.remove(&caller)
        {
            self.answer(caller, None, Body::TxnReply(Box::new(TxnReply::MarkersWritten(writing.written))), ctx);
        }
    }

    /// A transaction has ended in a partition: in one of positions, those in it count now.
    fn marked<W: Hosts<Broker>>(&mut self, part: Part, session: Session, outcome: Outcome, ctx: &mut Ctx<'_, W, Broker>) {
        self.with_groups(ctx, |groups, env, out| groups.on_marker(part, session, outcome, env, out));
    }
}
