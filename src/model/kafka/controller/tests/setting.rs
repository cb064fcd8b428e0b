//! Configurations for tests.

use std::sync::Arc;

use crate::base::{NodeId, ObjectId, Span};

use super::super::super::config::{
    BrokerConfig, Cleanup, Config, Control, ControllerConfig, Mechanisms, PartitionConfig, Places, Purpose, TopicConfig, Truncation,
    Version,
};
use super::super::super::ids::{Part, TopicId};
use super::super::super::mutants::Mutants;

/// How many nodes there are, and which topics.
pub(in super::super::super) struct Setting {
    pub(in super::super::super) brokers: u32,
    pub(in super::super::super) controllers: u32,
    pub(in super::super::super) control: Control,
    /// Eligible leader replicas.
    pub(in super::super::super) elr: bool,
    /// Each with partitions, replicas, `min.insync.replicas`, and whether it takes unclean leaders.
    pub(in super::super::super) topics: Vec<(u32, u32, u32, bool)>,
}

impl Setting {
    /// Three of each, one topic of one partition with three replicas, of which two have to be in sync.
    pub(in super::super::super) fn small() -> Setting {
        Setting { brokers: 3, controllers: 3, control: Control::KRaft, elr: true, topics: vec![(1, 3, 2, false)] }
    }

    /// The configuration. Brokers come first, then controllers.
    pub(in super::super::super) fn config(&self) -> Config {
        let mut partitions = Vec::new();
        let mut topics = Vec::new();
        for (number, of) in (0u16..).zip(&self.topics) {
            topics.push(topic(number, Part::at(partitions.len()), *of));
            partitions.extend((0..of.0).map(|number_in| PartitionConfig { topic: TopicId(number), number: number_in, object: None }));
        }
        Config {
            version: Version::V4_0,
            mechanisms: Mechanisms {
                truncation: Truncation::LeaderEpoch,
                control: self.control,
                watermark_needs_min_isr: self.elr,
                eligible_leader_replicas: self.elr,
                epoch_per_transaction: true,
                verify_transactions: true,
                pre_vote: true,
            },
            broker: broker(self.brokers),
            controller: ControllerConfig {
                count: self.controllers,
                election_timeout: Span::secs(1),
                fetch_timeout: Span::secs(2),
                election_backoff_max: Span::secs(1),
                request_timeout: Span::secs(2),
            },
            topics,
            partitions,
            groups: Vec::new(),
            transactional: Vec::new(),
            producers: Vec::new(),
            consumers: Vec::new(),
            processors: Vec::new(),
            tasks: Vec::new(),
            places: Places {
                brokers: (0..self.brokers).map(NodeId).collect(),
                controllers: (self.brokers..self.brokers + self.controllers).map(NodeId).collect(),
                ..Places::default()
            },
            mutants: Mutants::none(),
        }
    }
}

fn topic(number: u16, first: Part, (partitions, replication_factor, min_insync_replicas, unclean): (u32, u32, u32, bool)) -> TopicConfig {
    TopicConfig {
        name: format!("t{number}"),
        object: ObjectId(u32::from(number)),
        first,
        partitions,
        replication_factor,
        min_insync_replicas,
        unclean_leader_election: unclean,
        cleanup: Cleanup { delete: true, compact: false },
        retention: None,
        retention_bytes: None,
        segment_bytes: 1 << 30,
        segment: Span::secs(600),
        flush_messages: None,
        flush: None,
        max_message_bytes: 1 << 20,
        min_cleanable_dirty_ratio: 500,
        min_compaction_lag: Span::ZERO,
        created_at: None,
        purpose: Purpose::Messages,
    }
}

fn broker(count: u32) -> BrokerConfig {
    BrokerConfig {
        count,
        racks: Vec::new(),
        joins: vec![None; count as usize],
        offsets_topic_num_partitions: 50,
        transaction_state_log_num_partitions: 50,
        replica_lag_time_max: Span::secs(30),
        replica_fetch_wait_max: Span::millis(500),
        replica_fetch_min_bytes: 1,
        replica_fetch_max_bytes: 1 << 20,
        replica_fetch_response_max_bytes: 10 << 20,
        replica_fetch_backoff: Span::secs(1),
        replica_socket_timeout: Span::secs(30),
        high_watermark_checkpoint: Span::secs(5),
        recovery_checkpoint: Span::secs(60),
        retention_check: Span::secs(300),
        cleaner_backoff: Span::secs(15),
        heartbeat_interval: Span::secs(2),
        session_timeout: Span::secs(9),
        auto_leader_rebalance: true,
        leader_imbalance_check: Span::secs(300),
        controlled_shutdown: true,
        auto_create_topics: false,
        rack_aware_selector: false,
        transactional_id_expiration: Span::secs(604_800),
        producer_id_expiration: Span::secs(86_400),
        transaction_max_timeout: Span::secs(900),
        transaction_abort_scan: Span::secs(10),
        offsets_retention: Span::secs(604_800),
        offsets_commit_timeout: Span::secs(5),
        group_initial_rebalance_delay: Span::secs(3),
        group_min_session_timeout: Span::secs(6),
        group_max_session_timeout: Span::secs(1800),
        group_consumer_session_timeout: Span::secs(45),
        group_consumer_heartbeat_interval: Span::secs(5),
    }
}

/// Nodes by number.
pub(in super::super::super) fn nodes(numbers: &[u32]) -> Arc<[NodeId]> {
    numbers.iter().copied().map(NodeId).collect()
}
