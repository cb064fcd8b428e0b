//! Transactions at their coordinator: the leader of the partition of `__transaction_state` that keeps a transactional id.
//!
//! Every step is appended to that partition and counts when it is on all in-sync replicas. The decision is such a step; only then do
//! markers go to the leaders of the transaction's partitions, again and again until each has answered, also by a new coordinator, which
//! finds the decision in the log.

mod appends;
mod end;
mod expiry;
mod ids;
mod markers;
pub mod marks;
mod record;
mod requests;
mod state;
#[cfg(test)]
pub(in crate::model::kafka) mod tests;

use std::collections::BTreeMap;
use std::hash::Hash;

use crate::base::{Digest, NodeId, PayloadId, Span, Time};
use crate::record::Mark;

pub use ids::ProducerIds;
pub use record::{TxnRecord, TxnValue};
pub use state::State;

use super::batch::{Batch, Content, Stored};
use super::broker::{Caller, Env};
use super::ids::{BrokerEpoch, Epoch, Part, Session, TxnId};
use super::protocol::{TxnReply, TxnRequest};
use super::refusal::Refusal;
use appends::Flight;
use markers::{Marking, Sent};

/// What is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TxnOut {
    /// Answer a request.
    Answer(Caller, TxnReply),
    /// Append to a partition of `__transaction_state` with acks=all, and say what became of it ([`Txns::on_appended`]).
    Append {
        /// The partition.
        home: Part,
        /// What to append.
        batch: Batch,
        /// Its name.
        ticket: u64,
        /// How long the replicas may take.
        timeout: Span,
    },
    /// Send a request to a leader, which may be this broker, and say what became of it ([`Txns::on_markers`]), also when its connection
    /// ends or `request.timeout.ms` is over. There is never more than one under way to a broker.
    Markers {
        /// The leader.
        to: NodeId,
        /// [`TxnRequest::WriteMarkers`].
        request: TxnRequest,
        /// Its name.
        ticket: u64,
    },
    /// Call [`Txns::on_timer`] after this span.
    Timer(Span, TxnTimer),
    /// A rare path was taken.
    Mark(Mark),
    /// What happens, in words.
    Say(Option<PayloadId>, String),
}

/// What a coordinator waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TxnTimer {
    /// Look for transactions that are open for too long.
    Abort,
    /// Look for transactional ids that nobody uses.
    Expire,
    /// Send again what did not arrive.
    Retry,
}

/// One transactional id.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Entry {
    /// Where it stands, as far as all in-sync replicas have it. `None`: its first producer is on the way there. One exception: the epoch
    /// of a producer that is shut out goes up at once, so that it is refused even if that could not be written.
    value: Option<TxnValue>,
    /// The epoch before the present one, if its producer went on from it.
    last_epoch: Option<u16>,
    /// The state that it is about to be in: it takes no other step before.
    pending: Option<State>,
    /// The epoch went up, to shut a producer out, and could not be written: it is used the next time.
    fence_failed: bool,
}

/// One partition of `__transaction_state` that this broker leads.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Home {
    /// Since this epoch.
    epoch: Epoch,
    entries: BTreeMap<TxnId, Entry>,
}

/// Which timers run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Running {
    abort: bool,
    expire: bool,
    retry: bool,
}

/// All transactional ids that one broker coordinates.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Txns {
    homes: BTreeMap<Part, Home>,
    ids: ProducerIds,
    /// What is being appended, by ticket.
    flights: BTreeMap<u64, Flight>,
    /// What could not be appended and is tried again.
    again: Vec<Flight>,
    /// Transactions whose markers are under way.
    markings: BTreeMap<TxnId, Marking>,
    /// Requests to leaders that are under way, by ticket.
    sent: BTreeMap<u64, Sent>,
    tickets: u64,
    running: Running,
}

impl Txns {
    /// None.
    #[must_use]
    pub fn new() -> Txns {
        Txns::default()
    }

    /// The broker is registered: producer ids that it gives out from now on are of this registration.
    pub const fn on_registered(&mut self, epoch: BrokerEpoch) {
        self.ids.registered(epoch);
    }

    /// This broker leads a partition of the topic of transactions from now on: its whole log, in order.
    pub fn load(&mut self, home: Part, epoch: Epoch, log: &mut dyn Iterator<Item = Stored>, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        self.unload(home, env, out);
        let mut entries: BTreeMap<TxnId, Entry> = BTreeMap::new();
        for stored in log {
            if let Content::Transaction(record) = &stored.batch.content {
                match &record.value {
                    Some(value) => {
                        entries.insert(record.txn, Entry { value: Some(value.clone()), ..Entry::default() });
                    }
                    None => {
                        entries.remove(&record.txn);
                    }
                }
            }
        }
        let decided = |entry: &Entry| entry.value.as_ref().is_some_and(|value| value.state.decided().is_some());
        let unfinished: Vec<TxnId> = entries.iter().filter(|(_, entry)| decided(entry)).map(|(txn, _)| *txn).collect();
        self.homes.insert(home, Home { epoch, entries });
        for txn in unfinished {
            out.push(TxnOut::Mark(marks::TAKEN_OVER));
            self.start_marking(txn, env, out);
        }
        self.run_scans(env, out);
        self.pump(env, out);
    }

    /// It no longer does. What waits is answered; what was appended or sent needs no word any more.
    pub fn unload(&mut self, home: Part, _env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        if self.homes.remove(&home).is_none() {
            return;
        }
        let gone: Vec<u64> = self.flights.iter().filter(|(_, flight)| flight.home == home).map(|(ticket, _)| *ticket).collect();
        for ticket in gone {
            let flight = self.flights.remove(&ticket).expect("it was just found");
            flight.then.refuse(Refusal::NotCoordinator, out);
        }
        self.again.retain(|flight| flight.home != home);
        self.markings.retain(|_, marking| marking.home != home);
    }

    /// A request of a producer or leader ([`TxnRequest::WriteMarkers`] is not for the coordinator: nothing is written).
    pub fn on_request(&mut self, caller: Caller, client: NodeId, request: TxnRequest, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        match request {
            TxnRequest::InitProducerId { txn: None, .. } => {
                let id = self.ids.allocate().ok_or(Refusal::CoordinatorLoadInProgress);
                out.push(TxnOut::Answer(caller, TxnReply::ProducerId(id.map(|id| Session { id, epoch: 0 }))));
            }
            TxnRequest::InitProducerId { txn: Some(txn), timeout, expected } => {
                self.init_producer_id((caller, client), txn, timeout, expected, env, out);
            }
            TxnRequest::AddPartitions { txn, session, parts } => {
                self.add((caller, requests::Asked::Partitions), txn, session, &parts, env, out);
            }
            TxnRequest::AddOffsets { txn, session, group } => {
                let home = env.config.groups[group.index()].home;
                self.add((caller, requests::Asked::Offsets), txn, session, &[home], env, out);
            }
            TxnRequest::Verify { txn, session, parts, add: true } => {
                self.add((caller, requests::Asked::Leader(parts.clone())), txn, session, &parts, env, out);
            }
            TxnRequest::Verify { txn, session, parts, add: false } => self.verify(caller, txn, session, &parts, env, out),
            TxnRequest::EndTxn { txn, session, outcome } => self.end(caller, txn, session, outcome, env, out),
            TxnRequest::WriteMarkers { .. } => out.push(TxnOut::Answer(caller, TxnReply::MarkersWritten(Vec::new()))),
        }
    }

    /// Time is up.
    pub fn on_timer(&mut self, timer: TxnTimer, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        match timer {
            TxnTimer::Abort => {
                self.running.abort = false;
                self.abort_timed_out(env, out);
                self.run_scans(env, out);
            }
            TxnTimer::Expire => {
                self.running.expire = false;
                self.expire(env, out);
                self.run_scans(env, out);
            }
            TxnTimer::Retry => {
                self.running.retry = false;
                self.retry(env, out);
            }
        }
    }

    /// The broker's view of the cluster has changed: markers may find their leaders.
    pub fn on_view_changed(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        if !self.markings.is_empty() {
            self.send_again(env, out);
        }
    }

    /// Where a transactional id stands, if this broker coordinates it and it is known.
    #[must_use]
    pub fn state(&self, txn: TxnId) -> Option<&TxnValue> {
        self.homes.values().find_map(|home| home.entries.get(&txn)).and_then(|entry| entry.value.as_ref())
    }

    /// Whether no transaction here is open or about to end.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let resting = |entry: &Entry| entry.pending.is_none() && entry.value.as_ref().is_none_or(|value| value.state.is_resting());
        self.homes.values().all(|home| home.entries.values().all(resting))
    }

    /// Feeds everything that decides what comes next, times relative to now.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        (self.ids, self.running, &self.markings, &self.sent).hash(digest);
        for (part, home) in &self.homes {
            digest.words(u64::from(part.0), u64::from(home.epoch));
            for (txn, entry) in &home.entries {
                (txn, entry.last_epoch, entry.pending, entry.fence_failed).hash(digest);
                if let Some(value) = &entry.value {
                    value.fingerprint(now, digest);
                }
            }
        }
        for flight in self.flights.values().chain(&self.again) {
            flight.fingerprint(now, digest);
        }
    }

    /// The id's entry, where this broker coordinates it.
    fn entry(&mut self, txn: TxnId, env: &Env<'_>) -> Result<&mut Entry, Refusal> {
        let home = self.homes.get_mut(&env.config.transactional[txn.index()].home).ok_or(Refusal::NotCoordinator)?;
        home.entries.get_mut(&txn).ok_or(Refusal::InvalidProducerIdMapping)
    }

    /// Names what is appended or sent.
    const fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }
}
