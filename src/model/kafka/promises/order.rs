//! Order of first deliveries. Within a partition a group's first deliveries are in the order of the log: whoever takes over begins at or
//! before what was delivered last.

use super::super::config::{Config, Partitioner, Version};
use super::durable::{all_kept, messages, writers};
use super::reading::nothing_skipped;
use super::{Reasoned, path, readers, transactions};

/// One producer's records stand in a log in the order in which they were sent.
fn appended_in_order(config: &Config) -> Reasoned {
    if config.version < Version::V2_8 {
        return Err("in this version a producer that has given up a batch goes on under another id, and the batch may still come later (before KIP-360)".into());
    }
    for (path, writer) in writers(config) {
        if !writer.idempotence {
            return Err(format!("{path}.enable.idempotence is off: what is sent again, or comes late, is overtaken"));
        }
    }
    for kind in &config.processors {
        let own = path("processor", &kind.producer.name);
        transactions::exactly_once(config, kind).map_err(|why| format!("{own}: {why}"))?;
        let committed = |topic| readers(config).all(|(_, reader)| !reader.topics.contains(topic) || reader.read_committed);
        if !committed(&kind.to) {
            return Err(format!("{own}: what it writes is read before it is committed, and may be written again"));
        }
    }
    nothing_skipped(config)?;
    all_kept(config)
}

/// Each topic is one log.
fn one_log(config: &Config) -> Result<(), String> {
    match messages(config).find(|topic| topic.partitions > 1) {
        Some(topic) => Err(format!("`{}` has {} partitions, which are read independently of each other", topic.name, topic.partitions)),
        None => Ok(()),
    }
}

fn one_producer(config: &Config) -> Result<(), String> {
    if config.producers.iter().map(|kind| kind.count).sum::<u32>() > 1 {
        return Err("there are several producers: what one of them has given up may still arrive after later records of another".into());
    }
    Ok(())
}

pub(super) fn per_producer(config: &Config) -> Reasoned {
    one_log(config)?;
    let because = appended_in_order(config)?;
    Ok(format!("one partition, and enable.idempotence keeps each producer's batches in order; {because}"))
}

pub(super) fn global(config: &Config) -> Reasoned {
    one_log(config)?;
    one_producer(config)?;
    per_producer(config)
}

pub(super) fn per_key(config: &Config) -> Reasoned {
    one_producer(config)?;
    let several = messages(config).any(|topic| topic.partitions > 1);
    if let Some((path, _)) = writers(config).find(|(_, writer)| several && writer.partitioner != Partitioner::KeyHash) {
        return Err(format!("{path} spreads the records of a key over partitions"));
    }
    let because = appended_in_order(config)?;
    Ok(format!("a key's records are in one partition, and enable.idempotence keeps them in order; {because}"))
}
