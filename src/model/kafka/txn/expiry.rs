//! What time ends: transactions that are open for too long, transactional ids that nobody uses.

use crate::base::Span;

use super::super::broker::Env;
use super::super::ids::TxnId;
use super::appends::Then;
use super::{Entry, State, TxnOut, TxnTimer, Txns, marks};

/// `transaction.remove.expired.transaction.cleanup.interval.ms`, by default.
const EXPIRE_SCAN: Span = Span::secs(3600);

impl Txns {
    /// Keeps the scans running while there is something to look at.
    pub(super) fn run_scans(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        if self.homes.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.running.abort, true) {
            out.push(TxnOut::Timer(env.config.broker.transaction_abort_scan, TxnTimer::Abort));
        }
        if !std::mem::replace(&mut self.running.expire, true) {
            out.push(TxnOut::Timer(EXPIRE_SCAN, TxnTimer::Expire));
        }
    }

    /// Aborts what is open for longer than its `transaction.timeout.ms`, by this broker's clock.
    pub(super) fn abort_timed_out(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let now = env.now;
        let late = self.which(|entry| {
            entry.value.as_ref().is_some_and(|value| {
                value.state == State::Ongoing && value.started.is_some_and(|started| now.saturating_since(started) > value.timeout)
            })
        });
        for txn in late {
            out.push(TxnOut::Mark(marks::TIMED_OUT));
            let name = &env.config.transactional[txn.index()].name;
            out.push(TxnOut::Say(None, format!("the transaction of {name} is open for too long: it is aborted, its producer is shut out")));
            self.fence(txn, Then::Fenced(None), env, out);
        }
    }

    /// Forgets what has not been used for `transactional.id.expiration.ms`.
    pub(super) fn expire(&mut self, env: &mut Env<'_>, out: &mut Vec<TxnOut>) {
        let (now, limit) = (env.now, env.config.broker.transactional_id_expiration);
        let idle = self.which(|entry| {
            entry.value.as_ref().is_some_and(|value| value.state.is_resting() && now.saturating_since(value.updated) >= limit)
        });
        for txn in idle {
            self.append(txn, None, Then::Forgotten, env, out);
        }
    }

    /// Ids without a step on the way that meet a condition.
    fn which(&self, meets: impl Fn(&Entry) -> bool) -> Vec<TxnId> {
        let entries = self.homes.values().flat_map(|home| &home.entries);
        entries.filter(|(_, entry)| entry.pending.is_none() && meets(entry)).map(|(txn, _)| *txn).collect()
    }
}
