//! Properties of logs: what is read at which place.

use crate::check::Property;

use super::super::config::{Commit, Config, Reset};
use super::super::protocol::Acks;
use super::durable::{all_kept, messages, stored, writers};
use super::reading::{delivered, nothing_skipped, retained, survives};
use super::{Reasoned, path, readers, transactions};

/// Properties of logs alone; those of delivery are decided elsewhere.
pub(super) fn reason(config: &Config, property: Property) -> Reasoned {
    match property {
        Property::NoLostWrite | Property::AllSeen => survives(config),
        Property::NoLogDuplicate => stored_once(config),
        Property::ConsistentOffsets => consistent(config),
        Property::NoPollSkip => no_skip(config),
        Property::NoPollSkipWithin => {
            let because = all_kept(config)?;
            Ok(format!("a poll returns each partition's records in the order of its log; {because}"))
        }
        Property::NoRebalanceSkip => {
            nothing_skipped(config)?;
            let because = all_kept(config)?;
            Ok(format!("whoever takes over begins at what is committed, and only what was polled is; {because}"))
        }
        Property::MonotonicPolls => monotonic(config),
        Property::MonotonicWithinPoll => Ok("a poll returns each partition's records in the order of its log".into()),
        Property::NoRebalanceReread => match readers(config).next() {
            None => Ok("there are no groups: nobody reads".into()),
            Some((path, _)) => {
                Err(format!("{path}: whoever takes over begins at what is committed, and that may be behind what was polled"))
            }
        },
        Property::NoAbortedRead => transactions::no_aborted_read(config),
        Property::NoPrecommittedRead => Ok("nobody reads the topic that it writes".into()),
        Property::WholeTransactions => transactions::whole(config, delivered(config)),
        Property::LatestPerKey => latest(config),
        Property::AckedSurvives
        | Property::AckedDelivered
        | Property::NoDuplicateDelivery
        | Property::NoDuplicateEffect
        | Property::NoMissingEffect
        | Property::NothingUnexpected
        | Property::NothingCorrupted
        | Property::OrderGlobal
        | Property::OrderPerKey
        | Property::OrderPerProducer
        | Property::NoGaps
        | Property::FailedStaysFailed
        | Property::Drained => unreachable!("`{property}` is no property of logs"),
    }
}

/// Each message is in its topic once.
pub(super) fn stored_once(config: &Config) -> Reasoned {
    for (path, writer) in writers(config) {
        if !writer.idempotence && writer.retries > 0 {
            return Err(format!("{path}.retries with enable.idempotence off: a batch whose answer was lost is stored again"));
        }
    }
    for kind in &config.processors {
        let own = path("processor", &kind.producer.name);
        transactions::exactly_once(config, kind).map_err(|why| format!("{own}: {why}"))?;
        if let Some((path, _)) = readers(config).find(|(_, reader)| reader.topics.contains(&kind.to) && !reader.read_committed) {
            return Err(format!("{path}.isolation.level = read_uncommitted: what {own} wrote, aborted and wrote again is read twice"));
        }
    }
    if writers(config).all(|(_, writer)| writer.retries == 0) {
        return Ok("retries = 0: nothing is sent twice".into());
    }
    let because = all_kept(config)?;
    Ok(format!("enable.idempotence: brokers know a batch that is sent again; {because}"))
}

/// What stands at a place stays there.
fn consistent(config: &Config) -> Reasoned {
    if writers(config).any(|(_, writer)| writer.acks == Acks::Leader) {
        return stored(config);
    }
    let because = all_kept(config)?;
    Ok(format!("nobody is told of a place, or reads it, before it is committed; {because}"))
}

fn no_skip(config: &Config) -> Reasoned {
    let because = all_kept(config)?;
    if let Some((path, _)) = readers(config).find(|(_, reader)| reader.reset == Reset::Latest) {
        retained(config)
            .map_err(|why| format!("{path}.auto.offset.reset = latest: whose next record was removed goes on at the end; {why}"))?;
    }
    Ok(format!("a consumer fetches on from where it stands; {because}"))
}

fn monotonic(config: &Config) -> Reasoned {
    for kind in &config.consumers {
        let own = path("consumer", &kind.name);
        match kind.commit {
            Commit::Before => {
                return Err(format!("{own}.commit = before: when a commit fails, the consumer goes back to what is committed"));
            }
            Commit::WithEffect => {
                return Err(format!(
                    "{own}.commit = with_effect: when somebody else has gone on, the consumer goes back to what the database says"
                ));
            }
            Commit::Auto { .. } | Commit::After => {}
        }
    }
    if let Some(kind) = config.processors.first() {
        return Err(format!(
            "{} goes back to the committed positions when a transaction aborts or a write is in doubt",
            path("processor", &kind.producer.name)
        ));
    }
    let because = all_kept(config)?;
    Ok(format!("a consumer fetches on from where it stands; {because}"))
}

fn latest(config: &Config) -> Reasoned {
    if messages(config).all(|topic| !topic.cleanup.compact) {
        return Ok("no topic is compacted".into());
    }
    let because = delivered(config)?;
    Ok(format!("compaction keeps the last record of each key; {because}"))
}
