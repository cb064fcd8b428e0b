//! What must hold at every moment, whatever has happened: breaches are bugs of the model, not anomalies of Kafka.

use crate::base::NodeId;
use crate::world::Nodes;

use super::batch::Stored;
use super::broker::{Broker, Replica};
use super::config::{Config, Truncation};
use super::ids::{Offset, Part};
use super::log::Log;
use super::selectors::brokers;
use super::whole::Kafka;

/// Checks all brokers.
///
/// # Errors
/// The first breach, in one sentence.
pub fn check(config: &Config, nodes: &Nodes<'_, Kafka>) -> Result<(), String> {
    let all: Vec<(NodeId, &Broker)> = brokers(nodes).collect();
    for part in (0..config.partitions.len()).map(Part::at) {
        let name = || config.part_name(part);
        let replicas: Vec<(NodeId, &Replica)> =
            all.iter().filter_map(|(node, broker)| broker.replica(part).map(|replica| (*node, replica))).collect();
        for (node, replica) in &replicas {
            alone(replica).map_err(|what| format!("{} at {node}: {what}", name()))?;
        }
        one_leader(&replicas).map_err(|what| format!("{}: {what}", name()))?;
        if config.mechanisms.truncation == Truncation::LeaderEpoch {
            matching(&replicas).map_err(|what| format!("{}: {what}", name()))?;
        }
    }
    Ok(())
}

/// One replica.
fn alone(replica: &Replica) -> Result<(), String> {
    let (start, end) = (replica.log.start(), replica.log.end());
    if replica.high_watermark > end {
        return Err(format!("the high watermark {} lies beyond the log's end {end}", replica.high_watermark));
    }
    if start > end {
        return Err(format!("the log begins at {start} and ends at {end}"));
    }
    let Some(leading) = replica.leading() else { return Ok(()) };
    if leading.isr.is_empty() {
        return Err("nobody is in sync, and it leads".to_owned());
    }
    if let Some(late) = leading.awaiting.iter().find(|awaiting| awaiting.needs <= replica.high_watermark) {
        return Err(format!("somebody still waits for {} although everything below {} is committed", late.needs, replica.high_watermark));
    }
    Ok(())
}

/// No two brokers lead in one epoch.
fn one_leader(replicas: &[(NodeId, &Replica)]) -> Result<(), String> {
    let leaders: Vec<(NodeId, u32)> =
        replicas.iter().filter_map(|(node, replica)| replica.leading().map(|leading| (*node, leading.epoch))).collect();
    for (at, (node, epoch)) in leaders.iter().enumerate() {
        if let Some((other, _)) = leaders[..at].iter().find(|(_, other)| other == epoch) {
            return Err(format!("{other} and {node} both lead in epoch {epoch}"));
        }
    }
    Ok(())
}

/// A follower that is in sync, and has fetched in this epoch, has the leader's log below its own high watermark.
fn matching(replicas: &[(NodeId, &Replica)]) -> Result<(), String> {
    for (leader, replica) in replicas {
        let Some(leading) = replica.leading() else { continue };
        for (node, follower) in replicas {
            let fetches = leading.followers.iter().any(|progress| progress.node == *node && progress.registration.is_some());
            let follows = fetches && leading.isr.contains(node) && follower.leading().is_none() && follower.epoch() == leading.epoch;
            if !follows {
                continue;
            }
            let until = follower.high_watermark.min(replica.high_watermark);
            let (last, own) = (last_before(&replica.log, until), last_before(&follower.log, until));
            if let (Some(last), Some(own)) = (last, own)
                && (last.base, last.epoch) != (own.base, own.epoch)
            {
                return Err(format!(
                    "before {until} the leader {leader} has a batch of epoch {} at {}, and {node}, in sync, one of epoch {} at {}",
                    last.epoch, last.base, own.epoch, own.base
                ));
            }
        }
    }
    Ok(())
}

/// The batch that ends at an offset, or holds the one before it.
fn last_before(log: &Log, until: Offset) -> Option<&Stored> {
    let before = until.checked_sub(1).filter(|before| *before >= log.start())?;
    log.batches_from(before).next().filter(|entry| entry.base < until)
}
