//! What survives: copies, disks, elections.

use std::fmt;

use super::super::config::{Config, ProducerConfig, Purpose, Task, TopicConfig, Truncation};
use super::super::protocol::Acks;
use super::{Reasoned, path};

/// How many brokers may lose their memory at a time without anything committed being lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tolerance {
    /// So many; the largest number: all of them.
    pub brokers: u32,
    /// Also the last replica in sync may be among them.
    pub last_in_sync: bool,
    /// Why not more.
    pub because: String,
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.brokers, self.last_in_sync) {
            (0, _) => write!(f, "no broker may lose its memory: {}", self.because),
            (u32::MAX, _) => write!(f, "all brokers may lose their memory: {}", self.because),
            (count, true) => write!(f, "any {} at a time may lose their memory: {}", brokers(count), self.because),
            (count, false) => {
                write!(f, "any {} at a time may lose their memory, as long as others are in sync: {}", brokers(count), self.because)
            }
        }
    }
}

fn brokers(count: u32) -> String {
    format!("{count} broker{}", if count == 1 { "" } else { "s" })
}

/// What the logs of a configuration bear: those that clients write.
#[must_use]
pub fn tolerates(config: &Config) -> Tolerance {
    let each = messages(config).map(|topic| topic_tolerates(config, topic));
    each.min_by_key(|tolerance| tolerance.brokers).unwrap_or(Tolerance {
        brokers: u32::MAX,
        last_in_sync: true,
        because: "there are no topics".into(),
    })
}

fn topic_tolerates(config: &Config, topic: &TopicConfig) -> Tolerance {
    let last_in_sync = config.mechanisms.eligible_leader_replicas;
    match kept(config, topic) {
        Err(because) => Tolerance { brokers: 0, last_in_sync, because },
        Ok(because) if synced(topic) => Tolerance { brokers: u32::MAX, last_in_sync: true, because },
        Ok(because) => Tolerance { brokers: topic.min_insync_replicas.saturating_sub(1), last_in_sync, because },
    }
}

/// The topics that clients write.
pub(super) fn messages(config: &Config) -> impl Iterator<Item = &TopicConfig> {
    config.topics.iter().filter(|topic| topic.purpose == Purpose::Messages)
}

/// Whether answers and copies count only when the disk has them.
fn synced(topic: &TopicConfig) -> bool {
    topic.flush_messages == Some(1)
}

/// All who write, as settings name them.
pub(super) fn writers(config: &Config) -> impl Iterator<Item = (String, &ProducerConfig)> {
    let producers = config.producers.iter().map(|kind| (path("producer", &kind.name), kind));
    producers.chain(config.processors.iter().map(|kind| (path("processor", &kind.producer.name), &kind.producer)))
}

/// What is committed in a topic, so that anybody may have read it, stays there.
pub(super) fn kept(config: &Config, topic: &TopicConfig) -> Reasoned {
    let name = &topic.name;
    let (copies, least) = (topic.replication_factor, topic.min_insync_replicas);
    if copies > 1 {
        elected_cleanly(config, topic)?;
        if config.mechanisms.truncation == Truncation::HighWatermark {
            return Err(format!(
                "followers of `{name}` cut their logs to the high watermark at every change of leader (before KIP-101): two changes in a row lose what was committed"
            ));
        }
    }
    if synced(topic) {
        return Ok(format!("flush.messages = 1 for `{name}`: an answer, and a copy, count when the disk has them"));
    }
    if copies == 1 {
        return Err(format!("replication.factor = 1 for `{name}`: a power failure takes what the operating system had not written"));
    }
    if least == 1 {
        return Err(format!(
            "min.insync.replicas = 1 for `{name}`: a leader that is alone in sync goes on, and a power failure takes what it had not synced"
        ));
    }
    if least > copies {
        return Ok(format!("min.insync.replicas = {least} of {copies} for `{name}`: nothing is ever committed"));
    }
    let last = if config.mechanisms.eligible_leader_replicas { "" } else { ", unless it was the last one in sync" };
    let lost = if least == 2 { format!("any 1 broker's memory{last}") } else { format!("any {} brokers' memory{last}", least - 1) };
    Ok(format!("min.insync.replicas = {least} of {copies} for `{name}`: what is committed survives the loss of {lost}"))
}

/// Nobody leads who has missed something.
fn elected_cleanly(config: &Config, topic: &TopicConfig) -> Result<(), String> {
    let name = &topic.name;
    if topic.unclean_leader_election {
        return Err(format!(
            "unclean.leader.election.enable = true for `{name}`: a replica may lead that has missed what was acknowledged"
        ));
    }
    let forced = config.tasks.iter().any(|scheduled| match &scheduled.task {
        Task::ElectUnclean { part } => config.topic_of(*part).name == *name,
        Task::Reassign { .. } | Task::ElectPreferred | Task::Create { .. } => false,
    });
    if forced {
        return Err(format!("task: an unclean election is forced upon `{name}`"));
    }
    Ok(())
}

/// What is committed anywhere stays there.
pub(super) fn all_kept(config: &Config) -> Reasoned {
    messages(config).map(|topic| kept(config, topic)).try_fold(String::new(), |_, one| one)
}

/// What is acknowledged stays.
pub(super) fn stored(config: &Config) -> Reasoned {
    let mut because = String::new();
    for topic in messages(config) {
        let own = kept(config, topic);
        for (path, writer) in writers(config) {
            match writer.acks {
                Acks::None => {
                    return Err(format!("{path}.acks = 0: a record is done when it was handed to the network, which may lose it"));
                }
                Acks::Leader if topic.replication_factor == 1 && synced(topic) => {}
                Acks::Leader => {
                    return Err(format!("{path}.acks = 1: what no follower has copied yet is lost when there is another leader"));
                }
                Acks::All => {}
            }
        }
        because = own?;
    }
    Ok(if because.contains("nothing is ever committed") { because } else { format!("acks = all with {because}") })
}

/// An internal topic keeps what it was told.
pub(super) fn internal_kept(config: &Config, purpose: Purpose) -> Reasoned {
    match config.topics.iter().find(|topic| topic.purpose == purpose) {
        Some(topic) => kept(config, topic),
        None => Ok(String::new()),
    }
}
