//! The mechanisms of a version, and which of them a scenario replaces.

use crate::base::Problem;
use crate::base::value::Reader;

use super::super::config::{Control, Mechanisms, Truncation, Version};
use super::Found;

/// What the version brings.
pub(super) const fn of(version: Version) -> Mechanisms {
    let (kraft, newest) = match version {
        Version::V0_8 | Version::V0_11 | Version::V2_8 => (false, false),
        Version::V3_9 => (true, false),
        Version::V4_0 => (true, true),
    };
    let truncation = match version {
        Version::V0_8 => Truncation::HighWatermark,
        Version::V0_11 | Version::V2_8 | Version::V3_9 | Version::V4_0 => Truncation::LeaderEpoch,
    };
    Mechanisms {
        truncation,
        control: if kraft { Control::KRaft } else { Control::ZooKeeper },
        watermark_needs_min_isr: kraft,
        eligible_leader_replicas: false,
        epoch_per_transaction: newest,
        verify_transactions: kraft,
        pre_vote: newest,
    }
}

/// The mechanisms in force. Whether transactions are verified is a key of brokers, and read with them.
pub(super) fn read(reader: &Reader<'_>, version: Version, problems: &mut Found) -> Option<Mechanisms> {
    let mut mechanisms = of(version);
    match reader.choice("truncation") {
        Some("high_watermark") => mechanisms.truncation = Truncation::HighWatermark,
        Some(_) => mechanisms.truncation = Truncation::LeaderEpoch,
        None => {}
    }
    control(reader, version, &mut mechanisms, problems);
    if let Some(flag) = reader.flag("watermark_needs_min_isr") {
        mechanisms.watermark_needs_min_isr = flag;
    }
    if let Some(word) = reader.choice("eligible.leader.replicas.version") {
        mechanisms.eligible_leader_replicas = word == "1";
    }
    if let Some(word) = reader.choice("transaction.version") {
        mechanisms.epoch_per_transaction = word == "2";
    }
    if let Some(flag) = reader.flag("pre_vote") {
        mechanisms.pre_vote = flag;
    }
    if mechanisms.control == Control::ZooKeeper {
        for (key, on) in [("eligible.leader.replicas.version", mechanisms.eligible_leader_replicas), ("pre_vote", mechanisms.pre_vote)] {
            if reader.has(key) && on {
                let problem = Problem::error(reader.place_of(key), format!("`{key}` needs controllers of its own"));
                problems.push(problem.hint("write `mechanisms.control = \"kraft\"`"));
            }
        }
        mechanisms.pre_vote = false;
    }
    if mechanisms.eligible_leader_replicas && !mechanisms.watermark_needs_min_isr {
        let what = "eligible leader replicas rest on a high watermark that needs `min.insync.replicas`";
        let problem = Problem::error(reader.place_of("eligible.leader.replicas.version"), what);
        problems.push(problem.hint("without it, what is committed may be on the last replica in sync alone (KIP-966)"));
    }
    Some(mechanisms)
}

fn control(reader: &Reader<'_>, version: Version, mechanisms: &mut Mechanisms, problems: &mut Found) {
    let Some(word) = reader.choice("control") else { return };
    mechanisms.control = if word == "kraft" { Control::KRaft } else { Control::ZooKeeper };
    let wrong = match (version, mechanisms.control) {
        (Version::V0_8 | Version::V0_11, Control::KRaft) => "came with 2.8 as a preview, and with 3.3 for use",
        (Version::V2_8, Control::KRaft) => "is a preview in 2.8; 3.3 was the first to have it for use",
        (Version::V4_0, Control::ZooKeeper) => "went with 4.0",
        (Version::V0_8 | Version::V0_11 | Version::V2_8, Control::ZooKeeper)
        | (Version::V3_9, Control::ZooKeeper | Control::KRaft)
        | (Version::V4_0, Control::KRaft) => return,
    };
    let (name, other) = if word == "kraft" { ("KRaft", "zookeeper") } else { ("ZooKeeper", "kraft") };
    let problem = Problem::error(reader.place_of("control"), format!("Kafka {} does not run with {name}: it {wrong}", version.name()));
    problems.push(problem.hint(format!("write `control = \"{other}\"`, or another `version`")));
}
