//! What readers get: everything, once, with its effect.

use crate::base::Span;

use super::super::config::{Commit, Config, ConsumerConfig, Purpose, Reset, Sink, Version};
use super::durable::{all_kept, internal_kept, messages, stored, writers};
use super::{Reasoned, logs, path, readers, transactions};

/// Retention that no run reaches; below, it counts.
const LONG: Span = Span::secs(24 * 60 * 60);

pub(super) fn survives(config: &Config) -> Reasoned {
    let because = stored(config)?;
    transactions::decisions_kept(config)?;
    nothing_skipped(config)?;
    Ok(because)
}

/// Groups begin where they stopped, or at the beginning.
pub(super) fn nothing_skipped(config: &Config) -> Result<(), String> {
    match readers(config).find(|(_, reader)| reader.reset == Reset::Latest) {
        Some((path, _)) => Err(format!(
            "{path}.auto.offset.reset = latest: a member that is given a partition without a committed position begins at the end, and skips what is there"
        )),
        None => Ok(()),
    }
}

pub(super) fn delivered(config: &Config) -> Reasoned {
    let because = survives(config)?;
    retained(config)?;
    Ok(because)
}

/// Nothing is removed before slow readers come to it.
pub(super) fn retained(config: &Config) -> Result<(), String> {
    for topic in messages(config).filter(|topic| topic.cleanup.delete) {
        if topic.retention_bytes.is_some() {
            return Err(format!("retention.bytes of `{}`: what does not fit is removed, read or not", topic.name));
        }
        if let Some(span) = topic.retention.filter(|span| *span < LONG) {
            return Err(format!("retention.ms of `{}` is {span}: what is older is removed, read or not", topic.name));
        }
    }
    Ok(())
}

pub(super) fn once_delivered(config: &Config) -> Reasoned {
    match readers(config).next() {
        None => Ok("there are no groups: nobody reads".into()),
        Some((path, _)) => {
            Err(format!("{path}: when a member dies or is thrown out between a poll and its commit, the same records are polled again"))
        }
    }
}

pub(super) fn once_applied(config: &Config) -> Reasoned {
    for kind in &config.consumers {
        let own = path("consumer", &kind.name);
        let alike = |other: &&ConsumerConfig| other.group == kind.group && (other.commit, other.sink) != (kind.commit, kind.sink);
        if let Some(other) = config.consumers.iter().find(alike) {
            return Err(format!(
                "{own} and {} are in one group and keep repetitions away in different ways",
                path("consumer", &other.name)
            ));
        }
        match (kind.commit, kind.sink) {
            (Commit::Auto { .. } | Commit::Before | Commit::After, Sink::Idempotent) => {}
            (Commit::WithEffect, _) => logs::stored_once(config).map(drop)?,
            (Commit::Before, Sink::Plain) => {
                logs::stored_once(config)?;
                internal_kept(config, Purpose::Positions)
                    .map_err(|why| format!("{own}.commit = before, and commits may be lost: {why}"))?;
            }
            (Commit::Auto { .. }, Sink::Plain) => {
                return Err(format!(
                    "{own}.enable.auto.commit: what was processed since the last commit is processed again after a crash or a rebalance"
                ));
            }
            (Commit::After, Sink::Plain) => {
                return Err(format!(
                    "{own}.commit = after: what was processed and not committed yet is processed again after a crash or a rebalance"
                ));
            }
        }
    }
    for kind in &config.processors {
        let own = path("processor", &kind.producer.name);
        transactions::exactly_once(config, kind).map_err(|why| format!("{own}: {why}"))?;
        logs::stored_once(config)?;
    }
    Ok("positions are committed with the effect, before it, or in the transaction; or the database takes each effect once; and each message is in its log once".into())
}

pub(super) fn applied(config: &Config) -> Reasoned {
    for kind in &config.consumers {
        let own = path("consumer", &kind.name);
        if kind.commit == Commit::Before {
            return Err(format!("{own}.commit = before: a consumer that dies before the effect has committed already"));
        }
        if kind.hand_off.is_some() {
            return Err(format!(
                "{own}.hand_off: what is committed was handed to threads, which may not have come to it when the process dies"
            ));
        }
    }
    if let Some(kind) = config.processors.first() {
        let own = path("processor", &kind.consumer.name);
        return Err(format!("{own}: one that dies when its transaction is decided, and before it hears of it, never tells of the effect"));
    }
    nothing_skipped(config)?;
    let because = all_kept(config)?;
    Ok(format!("positions are committed when the effects are there; {because}"))
}

pub(super) fn drained(config: &Config) -> Reasoned {
    for (at, group) in config.groups.iter().enumerate() {
        let mut members = readers(config).filter(|(_, reader)| reader.group.index() == at);
        if let Some((path, _)) = members.find(|(_, reader)| reader.reset == Reset::None) {
            return Err(format!("{path}.auto.offset.reset = none: a consumer without positions stops"));
        }
        for (topic, _) in &group.subscriptions {
            let reads = |reader: &ConsumerConfig| reader.group.index() == at && reader.topics.contains(topic) && reader.visits.is_none();
            if !readers(config).any(|(_, reader)| reads(reader)) {
                return Err(format!("nobody of `{}` is always there to read `{}`", group.name, config.topics[topic.index()].name));
            }
        }
    }
    if let Some(topic) = config.topics.iter().find(|topic| topic.min_insync_replicas > topic.replication_factor) {
        let endless = writers(config).any(|(_, writer)| writer.delivery_timeout.is_none() && writer.retries > 1000);
        if topic.purpose != Purpose::Messages || endless {
            return Err(format!("min.insync.replicas of `{}` is above its replication factor: it can never be written", topic.name));
        }
    }
    let waits = readers(config).find(|(_, reader)| reader.read_committed);
    if let Some((path, _)) = waits {
        transactions::ended(config).map_err(|why| format!("{path}.isolation.level = read_committed, and {why}"))?;
    }
    Ok("groups whose members are always there, if they keep up and there is time for elections, sessions, transactions and retries".into())
}

/// Whether late members cannot commit positions in transactions (KIP-447).
pub(super) fn fences_members(config: &Config) -> bool {
    config.version >= Version::V2_8
}
