//! How a transaction begins: producers get their sessions, partitions come into it.

use crate::base::{NodeId, Span};

use super::super::broker::{Caller, Env};
use super::super::ids::{Part, Session, TxnId};
use super::super::mutants::Mutant;
use super::super::protocol::TxnReply;
use super::super::refusal::Refusal;
use super::appends::Then;
use super::record::{self, Step, TxnValue};
use super::{Entry, State, TxnOut, Txns, marks};

/// In which words partitions were asked to be added.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Asked {
    /// By the producer.
    Partitions,
    /// By the producer, for positions.
    Offsets,
    /// By the leader of these.
    Leader(Vec<Part>),
}

impl Asked {
    /// The answer. Leaders hand the refusal on to a producer, which knows a later epoch by another name in their answers.
    pub(super) fn reply(self, result: Result<(), Refusal>) -> TxnReply {
        match self {
            Asked::Partitions => TxnReply::PartitionsAdded(result),
            Asked::Offsets => TxnReply::OffsetsAdded(result),
            Asked::Leader(parts) => {
                let result = result.map_err(for_leader);
                TxnReply::Verified(parts.into_iter().map(|part| (part, result)).collect())
            }
        }
    }
}

/// A refusal as producers expect it from a leader.
fn for_leader(refusal: Refusal) -> Refusal {
    if refusal == Refusal::ProducerFenced { Refusal::InvalidProducerEpoch } else { refusal }
}

/// What a producer that begins is in for.
enum Beginning {
    /// Its session, when it is written.
    Session(Step),
    /// The end of the transaction before; then it asks again.
    Fence,
}

/// Whether a session is the id's present one.
pub(super) fn check_session(value: &TxnValue, session: Session, env: &Env<'_>) -> Result<(), Refusal> {
    let served = env.config.mutants.has(Mutant::ZombieNotFenced) && session.epoch < value.session.epoch;
    if session.id != value.session.id {
        Err(Refusal::InvalidProducerIdMapping)
    } else if session.epoch != value.session.epoch && !served {
        Err(Refusal::ProducerFenced)
    } else {
        Ok(())
    }
}

impl Txns {
    /// A producer begins, or wants another epoch.
    pub(super) fn init_producer_id(
        &mut self,
        (caller, client): (Caller, NodeId),
        txn: TxnId,
        timeout: Span,
        expected: Option<Session>,
        env: &mut Env<'_>,
        out: &mut Vec<TxnOut>,
    ) {
        match self.beginning(txn, timeout, expected, env) {
            Ok(Beginning::Session(step)) => self.append(txn, Some(step), Then::Session(caller), env, out),
            Ok(Beginning::Fence) => {
                out.push(TxnOut::Mark(marks::FENCED));
                let name = &env.config.transactional[txn.index()].name;
                out.push(TxnOut::Say(
                    None,
                    format!("{name} begins anew at {client}: the open transaction is aborted, its producer is shut out"),
                ));
                self.fence(txn, Then::Fenced(Some(caller)), env, out);
            }
            Err(refusal) => {
                refused(refusal, out);
                out.push(TxnOut::Answer(caller, TxnReply::ProducerId(Err(refusal))));
            }
        }
    }

    fn beginning(&mut self, txn: TxnId, timeout: Span, expected: Option<Session>, env: &Env<'_>) -> Result<Beginning, Refusal> {
        if timeout.is_zero() || timeout > env.config.broker.transaction_max_timeout {
            return Err(Refusal::InvalidTransactionTimeout);
        }
        let home = self.homes.get_mut(&env.config.transactional[txn.index()].home).ok_or(Refusal::NotCoordinator)?;
        let entry = home.entries.entry(txn).or_default();
        if entry.pending.is_some() {
            return Err(Refusal::ConcurrentTransactions);
        }
        let Some(value) = &entry.value else {
            let id = self.ids.allocate().ok_or(Refusal::CoordinatorLoadInProgress)?;
            return Ok(Beginning::Session(TxnValue::first(id, timeout, env.now)));
        };
        if expected.is_some_and(|expected| !is_id_of(value, expected)) {
            return Err(Refusal::ProducerFenced);
        }
        match value.state {
            State::PrepareCommit | State::PrepareAbort => Err(Refusal::ConcurrentTransactions),
            State::Ongoing => Ok(Beginning::Fence),
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                let used_up = record::is_used_up(value.session.epoch);
                if used_up && expected.is_none_or(|expected| expected.epoch == value.session.epoch) {
                    let id = self.ids.allocate().ok_or(Refusal::CoordinatorLoadInProgress)?;
                    let last_epoch = expected.map(|_| value.session.epoch);
                    return Ok(Beginning::Session(Step { value: value.begin(Session { id, epoch: 0 }, timeout, env.now), last_epoch }));
                }
                let (session, last_epoch) = next_epoch(entry, value, expected)?;
                Ok(Beginning::Session(Step { value: value.begin(session, timeout, env.now), last_epoch }))
            }
            State::Dead | State::PrepareEpochFence => unreachable!("an id only passes through {:?}", value.state),
        }
    }

    /// Partitions come into a transaction, which begins with the first.
    pub(super) fn add(
        &mut self,
        (caller, asked): (Caller, Asked),
        txn: TxnId,
        session: Session,
        parts: &[Part],
        env: &mut Env<'_>,
        out: &mut Vec<TxnOut>,
    ) {
        match self.adding(txn, session, parts, env) {
            Ok(Some(step)) => self.append(txn, Some(step), Then::Added(caller, asked), env, out),
            Ok(None) => out.push(TxnOut::Answer(caller, asked.reply(Ok(())))),
            Err(refusal) => {
                refused(refusal, out);
                out.push(TxnOut::Answer(caller, asked.reply(Err(refusal))));
            }
        }
    }

    /// The step, or nothing if all of them are in it already.
    fn adding(&mut self, txn: TxnId, session: Session, parts: &[Part], env: &Env<'_>) -> Result<Option<Step>, Refusal> {
        let v2 = env.config.mechanisms.epoch_per_transaction;
        let entry = self.entry(txn, env)?;
        if v2 && entry.pending.is_some() {
            return Err(Refusal::ConcurrentTransactions);
        }
        let value = entry.value.as_ref().ok_or(Refusal::InvalidProducerIdMapping)?;
        check_session(value, session, env)?;
        if entry.pending.is_some() || value.state.decided().is_some() {
            return Err(Refusal::ConcurrentTransactions);
        }
        if value.state == State::Ongoing && parts.iter().all(|part| value.parts.contains(part)) {
            return Ok(None);
        }
        Ok(Some(Step { value: value.add(parts, env.now), last_epoch: entry.last_epoch }))
    }

    /// A leader asks whether partitions are in a transaction. What is on the way is not looked at: the leader looks again when it appends.
    pub(super) fn verify(
        &mut self,
        caller: Caller,
        txn: TxnId,
        session: Session,
        parts: &[Part],
        env: &mut Env<'_>,
        out: &mut Vec<TxnOut>,
    ) {
        let known = self.entry(txn, env).and_then(|entry| {
            let value = entry.value.as_ref().ok_or(Refusal::InvalidProducerIdMapping)?;
            check_session(value, session, env)?;
            if value.state.decided().is_some() { Err(Refusal::ConcurrentTransactions) } else { Ok(value.parts.clone()) }
        });
        if let Err(refusal) = &known {
            refused(*refusal, out);
        }
        let of = |part: Part| match &known {
            Ok(known) if known.contains(&part) => Ok(()),
            Ok(_) => Err(Refusal::TransactionAbortable),
            Err(refusal) => Err(for_leader(*refusal)),
        };
        let results: Vec<(Part, Result<(), Refusal>)> = parts.iter().map(|part| (*part, of(*part))).collect();
        if results.iter().any(|(_, result)| *result == Err(Refusal::TransactionAbortable)) {
            out.push(TxnOut::Mark(marks::NOT_IN_TRANSACTION));
        }
        out.push(TxnOut::Answer(caller, TxnReply::Verified(results)));
    }
}

/// Marks what is worth it.
pub(super) fn refused(refusal: Refusal, out: &mut Vec<TxnOut>) {
    if refusal == Refusal::ProducerFenced {
        out.push(TxnOut::Mark(marks::ZOMBIE_REFUSED));
    } else if refusal == Refusal::ConcurrentTransactions {
        out.push(TxnOut::Mark(marks::CONCURRENT));
    }
}

/// Whether the session that a producer says it had can be of this id: with the same producer id, or with the one before if that one's
/// epochs were used up and the answer that said so got lost.
fn is_id_of(value: &TxnValue, expected: Session) -> bool {
    expected.id == value.session.id || (Some(expected.id) == value.previous && record::is_used_up(expected.epoch))
}

/// The session that follows, and the epoch before it. A producer that goes on from the present epoch gets the next one, and again the
/// same one if it did not hear of it.
fn next_epoch(entry: &Entry, value: &TxnValue, expected: Option<Session>) -> Result<(Session, Option<u16>), Refusal> {
    match expected {
        None => Ok((value.next_session(), None)),
        Some(expected) if expected.epoch == value.session.epoch => Ok((value.next_session(), Some(value.session.epoch))),
        Some(expected) if Some(expected.epoch) == entry.last_epoch => Ok((value.session, entry.last_epoch)),
        Some(_) => Err(Refusal::ProducerFenced),
    }
}
