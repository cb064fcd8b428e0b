//! Transactions: what is decided stays decided, what is aborted is not read.

use super::super::config::{Config, ProcessorConfig, Purpose};
use super::durable::{all_kept, internal_kept, writers};
use super::reading::fences_members;
use super::{Reasoned, readers};

/// What a coordinator has decided stays decided.
pub(super) fn decisions_kept(config: &Config) -> Result<(), String> {
    if config.transactional.is_empty() {
        return Ok(());
    }
    internal_kept(config, Purpose::Transactions).map(drop).map_err(|why| format!("the end of a transaction may be forgotten: {why}"))
}

/// A batch that comes late finds its transaction ended, and is refused.
pub(super) fn ended(config: &Config) -> Result<(), String> {
    let guarded = config.mechanisms.verify_transactions || config.mechanisms.epoch_per_transaction;
    if guarded || config.transactional.is_empty() {
        return Ok(());
    }
    Err("a batch that comes after the end of its transaction opens another one, which nobody ends, or which ends with the next (before KIP-890)".into())
}

/// Everybody reads only what is committed.
fn readers_wait(config: &Config) -> Result<(), String> {
    match readers(config).find(|(_, reader)| !reader.read_committed) {
        Some((path, _)) => {
            Err(format!("{path}.isolation.level = read_uncommitted: records of open and aborted transactions are read like any others"))
        }
        None => Ok(()),
    }
}

/// What is aborted is not read.
pub(super) fn no_aborted_read(config: &Config) -> Reasoned {
    if config.transactional.is_empty() {
        return Ok("there are no transactions, and what failed was never stored: what is in doubt is unknown".into());
    }
    readers_wait(config)?;
    ended(config)?;
    decisions_kept(config)?;
    let because = all_kept(config)?;
    Ok(format!("isolation.level = read_committed for all readers, and late batches are refused; {because}"))
}

pub(super) fn failed_stays_failed(config: &Config) -> Reasoned {
    if config.producers.iter().all(|kind| kind.transactions.is_none()) {
        return Ok("a producer reports a failure only when no attempt can ever be stored; what may be stored is unknown".into());
    }
    no_aborted_read(config)
}

/// A processor's results and its positions are one.
pub(super) fn exactly_once(config: &Config, kind: &ProcessorConfig) -> Result<(), String> {
    if kind.producer.transactions.is_none() {
        return Err("without transactional.id, what is written and not committed yet is written again after a crash or a rebalance".into());
    }
    let group = kind.consumer.group;
    let members: u32 = readers(config).filter(|(_, reader)| reader.group == group).map(|(_, reader)| reader.count).sum();
    if members > 1 && !fences_members(config) {
        return Err("in this version a member that was thrown out can still commit its transaction, with positions that others have taken up (before KIP-447)".into());
    }
    ended(config)?;
    decisions_kept(config)?;
    internal_kept(config, Purpose::Positions).map(drop).map_err(|why| format!("positions may be lost: {why}"))
}

/// A transaction is read as a whole.
pub(super) fn whole(config: &Config, delivered: Reasoned) -> Reasoned {
    if writers(config).all(|(_, writer)| writer.transactions.is_none()) {
        return Ok("there are no transactions".into());
    }
    let because = no_aborted_read(config)?;
    delivered?;
    Ok(because)
}
