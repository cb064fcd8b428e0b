//! Markers: a decided transaction's end goes to the leader of each of its partitions until each has it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{NodeId, Span};

use super::super::batch::Outcome;
use super::super::broker::Env;
use super::super::ids::{Epoch, Part, Session, TxnId};
use super::super::mutants::Mutant;
use super::super::protocol::{EndMarker, MarkerWritten, TxnReply, TxnRequest};
use super::super::refusal::Refusal;
use super::appends::Then;
use super::record::Step;
use super::{State, TxnOut, TxnTimer, Txns, marks};

/// How long to wait before a marker is sent again, and for a leader to be known [S:kafka TransactionMarkerChannelManager: back-off 50].
const PAUSE: Span = Span::millis(50);

/// A decided transaction.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Marking {
    pub(super) home: Part,
    /// The coordinator's epoch.
    coordinator: Epoch,
    session: Session,
    outcome: Outcome,
    /// Which partitions do not have the marker yet, as far as is known.
    left: BTreeMap<Part, Delivery>,
}

/// How far one marker is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Delivery {
    /// To be sent.
    Due,
    /// To be sent after a pause.
    Later,
    /// Under way, under this ticket.
    Sent(u64),
}

/// A request to a leader.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Sent {
    to: NodeId,
    markers: Vec<(TxnId, Session, Part)>,
}

impl Txns {
    /// A decision is in the log: its markers are due.
    pub(super) fn start_marking(&mut self, txn: TxnId, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let home = env.config.transactional[txn.index()].home;
        let kept = self.homes.get_mut(&home).expect("the decision is kept here");
        let coordinator = kept.epoch;
        let entry = kept.entries.get_mut(&txn).expect("the decision is kept here");
        let value = entry.value.as_ref().expect("a decision has a producer");
        let decided = value.state.decided().expect("only what is decided gets markers");
        entry.pending = Some(State::complete(decided));
        let outcome = if env.config.mutants.has(Mutant::AbortsCommitted) { Outcome::Commit } else { decided };
        let mut left: BTreeMap<Part, Delivery> = value.parts.iter().map(|part| (*part, Delivery::Due)).collect();
        if env.config.mutants.has(Mutant::MarkerForgotten) {
            left.pop_last();
        }
        self.markings.insert(txn, Marking { home, coordinator, session: value.session, outcome, left });
        self.finish_marking(txn, env, out);
    }

    /// A leader answered what was sent under a ticket, or did not: then any refusal does.
    pub fn on_markers(&mut self, ticket: u64, result: Result<TxnReply, Refusal>, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let Some(sent) = self.sent.remove(&ticket) else { return };
        let written = match result {
            Ok(TxnReply::MarkersWritten(written)) => written,
            Ok(
                TxnReply::ProducerId(_)
                | TxnReply::PartitionsAdded(_)
                | TxnReply::OffsetsAdded(_)
                | TxnReply::Ended(_)
                | TxnReply::Verified(_),
            )
            | Err(_) => Vec::new(),
        };
        for (txn, session, part) in sent.markers {
            let of = |one: &&MarkerWritten| one.session == session && one.part == part;
            let result = written.iter().find(of).map_or(Err(Refusal::RequestTimedOut), |one| one.result);
            self.on_marker(txn, part, ticket, result, out);
            self.finish_marking(txn, env, out);
        }
        self.pump(env, out);
    }

    fn on_marker(&mut self, txn: TxnId, part: Part, ticket: u64, result: Result<(), Refusal>, out: &mut Vec<TxnOut>) {
        let Some(marking) = self.markings.get_mut(&txn) else { return };
        if marking.left.get(&part) != Some(&Delivery::Sent(ticket)) {
            return;
        }
        match result {
            Ok(()) => {
                marking.left.remove(&part);
            }
            Err(Refusal::TransactionCoordinatorFenced | Refusal::InvalidProducerEpoch) => {
                out.push(TxnOut::Say(None, "a later coordinator or producer has been there: its markers count, not these".to_owned()));
                self.markings.remove(&txn);
            }
            Err(_) => {
                out.push(TxnOut::Mark(marks::MARKER_RETRIED));
                marking.left.insert(part, Delivery::Later);
                self.run_retry(out);
            }
        }
    }

    /// The transaction has ended if no partition is left.
    fn finish_marking(&mut self, txn: TxnId, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        if self.markings.get(&txn).is_none_or(|marking| !marking.left.is_empty()) {
            return;
        }
        self.markings.remove(&txn);
        let (v2, now) = (env.config.mechanisms.epoch_per_transaction, env.now);
        let entry = self.entry(txn, env).expect("a transaction with markers under way is kept");
        let value = entry.value.as_ref().expect("a decision has a producer");
        let last_epoch = if v2 { Some(value.session.epoch) } else { entry.last_epoch };
        let step = Step { value: value.complete(now), last_epoch };
        self.append(txn, Some(step), Then::Complete, env, out);
    }

    /// Sends what is due, in one request to each leader that is not busy with one.
    pub(super) fn pump(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        if self.markings.is_empty() {
            return;
        }
        let busy: BTreeSet<NodeId> = self.sent.values().map(|sent| sent.to).collect();
        let mut tickets: BTreeMap<NodeId, u64> = BTreeMap::new();
        let mut requests: BTreeMap<NodeId, (Sent, Vec<EndMarker>)> = BTreeMap::new();
        let mut waits = false;
        for (txn, marking) in &mut self.markings {
            let Marking { coordinator, session, outcome, .. } = *marking;
            for (part, delivery) in marking.left.iter_mut().filter(|(_, delivery)| **delivery == Delivery::Due) {
                let Some(to) = env.view.part(*part).and_then(|view| view.leader) else {
                    *delivery = Delivery::Later;
                    waits = true;
                    continue;
                };
                if busy.contains(&to) {
                    continue;
                }
                let ticket = *tickets.entry(to).or_insert_with(|| {
                    self.tickets += 1;
                    self.tickets
                });
                let (sent, markers) = requests.entry(to).or_insert_with(|| (Sent { to, markers: Vec::new() }, Vec::new()));
                sent.markers.push((*txn, session, *part));
                match markers.last_mut() {
                    Some(last) if last.session == session => last.parts.push(*part),
                    Some(_) | None => markers.push(EndMarker { session, outcome, coordinator, parts: vec![*part] }),
                }
                *delivery = Delivery::Sent(ticket);
            }
        }
        if waits {
            self.run_retry(out);
        }
        for (to, (sent, markers)) in requests {
            let ticket = tickets[&to];
            self.sent.insert(ticket, sent);
            out.push(TxnOut::Markers { to, request: TxnRequest::WriteMarkers { markers }, ticket });
        }
    }

    /// What waits for a pause to end is tried now.
    pub(super) fn send_again(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        for delivery in self.markings.values_mut().flat_map(|marking| marking.left.values_mut()) {
            if *delivery == Delivery::Later {
                *delivery = Delivery::Due;
            }
        }
        self.pump(env, out);
    }

    /// The pause is over: what could not be appended or sent is tried again.
    pub(super) fn retry(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        for flight in std::mem::take(&mut self.again) {
            self.launch(flight, out);
        }
        self.send_again(env, out);
    }

    /// Makes sure that [`Txns::retry`] is called.
    pub(super) fn run_retry(&mut self, out: &mut Vec<TxnOut>) {
        if !std::mem::replace(&mut self.running.retry, true) {
            out.push(TxnOut::Timer(PAUSE, TxnTimer::Retry));
        }
    }
}
