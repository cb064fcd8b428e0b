//! How a transaction is decided: by its producer, or by the coordinator, which shuts the producer out.

use super::super::batch::Outcome;
use super::super::broker::{Caller, Env};
use super::super::ids::{Session, TxnId};
use super::super::protocol::TxnReply;
use super::super::refusal::Refusal;
use super::appends::Then;
use super::record::{self, Step, TxnValue};
use super::requests::{check_session, refused};
use super::{State, TxnOut, Txns, marks};

/// What the end of a transaction needs.
enum Ending {
    /// It was decided like that before: the session is given again.
    Repeated(Session),
    /// A decision.
    Decide,
}

impl Txns {
    /// A producer commits or aborts.
    pub(super) fn end(&mut self, caller: Caller, txn: TxnId, session: Session, outcome: Outcome, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let step = match self.ending(txn, session, outcome, env) {
            Ok(Ending::Decide) => self.decision(txn, outcome, env),
            Ok(Ending::Repeated(session)) => return out.push(TxnOut::Answer(caller, TxnReply::Ended(Ok(session)))),
            Err(refusal) => Err(refusal),
        };
        match step {
            Ok(step) => {
                if step.value.next.is_some() {
                    out.push(TxnOut::Mark(marks::EPOCHS_USED_UP));
                }
                self.append(txn, Some(step), Then::Ended(caller), env, out);
            }
            Err(refusal) => {
                refused(refusal, out);
                out.push(TxnOut::Answer(caller, TxnReply::Ended(Err(refusal))));
            }
        }
    }

    fn ending(&mut self, txn: TxnId, session: Session, outcome: Outcome, env: &Env<'_>) -> Result<Ending, Refusal> {
        let v2 = env.config.mechanisms.epoch_per_transaction;
        let entry = self.entry(txn, env)?;
        if v2 && entry.pending.is_some() {
            return Err(Refusal::ConcurrentTransactions);
        }
        let value = entry.value.as_ref().ok_or(Refusal::InvalidProducerIdMapping)?;
        let repeated = v2 && is_repeated(value, session);
        if !repeated {
            check_session(value, session, env)?;
        }
        if entry.pending.is_some() {
            return Err(Refusal::ConcurrentTransactions);
        }
        if repeated && record::is_last(value.session.epoch) {
            return Err(Refusal::ProducerFenced);
        }
        match value.state {
            State::Ongoing => Ok(Ending::Decide),
            State::PrepareCommit | State::PrepareAbort if value.state.decided() == Some(outcome) => Err(Refusal::ConcurrentTransactions),
            State::CompleteCommit | State::CompleteAbort if (!v2 || repeated) && value.state.completed() == Some(outcome) => {
                Ok(Ending::Repeated(value.session))
            }
            State::Empty | State::CompleteCommit | State::CompleteAbort if v2 && !repeated && outcome == Outcome::Abort => {
                Ok(Ending::Decide)
            }
            State::Empty | State::PrepareCommit | State::PrepareAbort | State::CompleteCommit | State::CompleteAbort => {
                Err(Refusal::InvalidTxnState)
            }
            State::Dead | State::PrepareEpochFence => unreachable!("an id only passes through {:?}", value.state),
        }
    }

    /// The decision on the present transaction.
    fn decision(&mut self, txn: TxnId, outcome: Outcome, env: &Env<'_>) -> Result<Step, Refusal> {
        let v2 = env.config.mechanisms.epoch_per_transaction;
        let epoch = self.entry(txn, env)?.value.as_ref().map(|value| value.session.epoch);
        let next = match epoch {
            Some(epoch) if v2 && record::is_used_up(epoch) => Some(self.ids.allocate().ok_or(Refusal::CoordinatorLoadInProgress)?),
            Some(_) | None => None,
        };
        let entry = self.entry(txn, env)?;
        let value = entry.value.as_ref().ok_or(Refusal::InvalidProducerIdMapping)?;
        let last_epoch = if v2 { Some(value.session.epoch) } else { entry.last_epoch };
        Ok(Step { value: value.decide(outcome, v2, next, env.now), last_epoch })
    }

    /// Shuts out the producer of an open transaction: its epoch goes up at once, whether or not that can be written; the transaction aborts.
    pub(super) fn fence(&mut self, txn: TxnId, then: Then, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let (v2, now) = (env.config.mechanisms.epoch_per_transaction, env.now);
        let entry = self.entry(txn, env).expect("only what is open here is shut out");
        let value = entry.value.as_mut().expect("an open transaction has a producer");
        let fenced = value.fence(entry.fence_failed);
        value.session = fenced.session;
        entry.last_epoch = None;
        let step = Step { value: fenced.decide(Outcome::Abort, v2, None, now), last_epoch: None };
        self.append(txn, Some(step), then, env, out);
    }
}

/// With an epoch for each transaction: whether a session is the one before the present one, whose request to end was heard.
fn is_repeated(value: &TxnValue, session: Session) -> bool {
    let next_epoch = session.id == value.session.id && session.epoch.checked_add(1) == Some(value.session.epoch);
    let next_id = Some(session.id) == value.previous && record::is_used_up(session.epoch) && value.session.epoch == 0;
    match value.state {
        State::PrepareCommit | State::PrepareAbort => next_epoch,
        State::CompleteCommit | State::CompleteAbort => next_epoch || next_id,
        State::Empty | State::Ongoing | State::Dead | State::PrepareEpochFence => false,
    }
}
