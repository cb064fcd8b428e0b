//! Steps on their way into the log, and what follows when they are there or not.

use std::hash::Hash;

use crate::base::{Digest, Span, Time};

use super::super::broker::{Caller, Env};
use super::super::ids::{Offset, Part, TxnId};
use super::super::protocol::TxnReply;
use super::super::refusal::Refusal;
use super::record::{Step, TxnRecord};
use super::requests::Asked;
use super::{State, TxnOut, Txns, marks};

/// How long a tombstone may take: `request.timeout.ms` of a broker, by default.
const TOMBSTONE_TIMEOUT: Span = Span::secs(30);

/// A step on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Flight {
    pub(super) txn: TxnId,
    pub(super) home: Part,
    /// `None`: the id is forgotten.
    step: Option<Step>,
    pub(super) then: Then,
}

/// What follows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Then {
    /// A producer gets its session.
    Session(Caller),
    /// Partitions are in the transaction.
    Added(Caller, Asked),
    /// The transaction is decided, as its producer wanted.
    Ended(Caller),
    /// Its producer is shut out; a new one that waits asks again when the transaction has ended.
    Fenced(Option<Caller>),
    /// The transaction has ended.
    Complete,
    /// The id is forgotten.
    Forgotten,
}

impl Then {
    /// Tells who waits that it did not come to that.
    pub(super) fn refuse(self, refusal: Refusal, out: &mut Vec<TxnOut>) {
        let (caller, reply) = match self {
            Then::Session(caller) | Then::Fenced(Some(caller)) => (caller, TxnReply::ProducerId(Err(refusal))),
            Then::Added(caller, asked) => (caller, asked.reply(Err(refusal))),
            Then::Ended(caller) => (caller, TxnReply::Ended(Err(refusal))),
            Then::Fenced(None) | Then::Complete | Then::Forgotten => return,
        };
        out.push(TxnOut::Answer(caller, reply));
    }
}

impl Flight {
    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest) {
        (self.txn, self.home, &self.then).hash(digest);
        if let Some(step) = &self.step {
            step.last_epoch.hash(digest);
            step.value.fingerprint(now, digest);
        }
    }
}

/// What a refused append means to those who asked the coordinator.
fn to_coordinator(refusal: Refusal) -> Refusal {
    let retried = matches!(
        refusal,
        Refusal::UnknownTopicOrPartition | Refusal::NotEnoughReplicas | Refusal::NotEnoughReplicasAfterAppend | Refusal::RequestTimedOut
    );
    if retried {
        Refusal::CoordinatorNotAvailable
    } else if matches!(refusal, Refusal::NotLeaderOrFollower | Refusal::KafkaStorageError) {
        Refusal::NotCoordinator
    } else {
        refusal
    }
}

impl Txns {
    /// A step goes to the log. `step` is none for a tombstone. The id takes no other step before this one is there or refused.
    pub(super) fn append(&mut self, txn: TxnId, step: Option<Step>, then: Then, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let home = env.config.transactional[txn.index()].home;
        let pending = step.as_ref().map_or(State::Dead, |step| step.value.state);
        self.entry(txn, env).expect("a step of an id that is kept here").pending = Some(pending);
        self.launch(Flight { txn, home, step, then }, out);
    }

    /// Appends it, perhaps once more.
    pub(super) fn launch(&mut self, flight: Flight, out: &mut Vec<TxnOut>) {
        let value = flight.step.as_ref().map(|step| step.value.clone());
        let timeout = value.as_ref().map_or(TOMBSTONE_TIMEOUT, |value| value.timeout);
        let batch = TxnRecord { txn: flight.txn, value }.into_batch();
        let ticket = self.ticket();
        out.push(TxnOut::Append { home: flight.home, batch, ticket, timeout });
        self.flights.insert(ticket, flight);
    }

    /// What was appended under a ticket is on all in-sync replicas, or is refused or timed out.
    pub fn on_appended(&mut self, ticket: u64, result: Result<Offset, Refusal>, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let Some(flight) = self.flights.remove(&ticket) else { return };
        match result {
            Ok(_) => self.arrived(flight, env, out),
            Err(refusal) => self.missed(flight, to_coordinator(refusal), env, out),
        }
        self.pump(env, out);
    }

    fn arrived(&mut self, flight: Flight, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let Flight { txn, home, step, then } = flight;
        let entries = &mut self.homes.get_mut(&home).expect("what was appended to a home that is gone is forgotten").entries;
        let Some(step) = step else {
            entries.remove(&txn);
            return out.push(TxnOut::Mark(marks::EXPIRED));
        };
        let entry = entries.get_mut(&txn).expect("an id with a step on the way is kept");
        let rotated = entry.value.as_ref().is_some_and(|before| before.session.id != step.value.session.id);
        if rotated && matches!(then, Then::Session(_)) {
            out.push(TxnOut::Mark(marks::EPOCHS_USED_UP));
        }
        let session = step.value.session_after();
        entry.pending = None;
        entry.last_epoch = step.last_epoch;
        entry.value = Some(step.value);
        match then {
            Then::Session(caller) => out.push(TxnOut::Answer(caller, TxnReply::ProducerId(Ok(session)))),
            Then::Added(caller, asked) => out.push(TxnOut::Answer(caller, asked.reply(Ok(())))),
            Then::Ended(caller) => {
                out.push(TxnOut::Answer(caller, TxnReply::Ended(Ok(session))));
                self.start_marking(txn, env, out);
            }
            Then::Fenced(caller) => {
                if let Some(caller) = caller {
                    out.push(TxnOut::Mark(marks::CONCURRENT));
                    out.push(TxnOut::Answer(caller, TxnReply::ProducerId(Err(Refusal::ConcurrentTransactions))));
                }
                self.start_marking(txn, env, out);
            }
            Then::Complete => entry.fence_failed = false,
            Then::Forgotten => unreachable!("a tombstone has no state"),
        }
    }

    /// It is not known to be there. It may be: the next step overrules it then, and a new coordinator goes by the last one in the log.
    fn missed(&mut self, flight: Flight, refusal: Refusal, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        if flight.then == Then::Complete && refusal == Refusal::CoordinatorNotAvailable {
            self.again.push(flight);
            return self.run_retry(out);
        }
        if let Ok(entry) = self.entry(flight.txn, env) {
            entry.pending = None;
            entry.fence_failed |= matches!(flight.then, Then::Fenced(_));
        }
        flight.then.refuse(refusal, out);
    }
}
