//! A small configuration: three partitions of messages, one of positions, one of transactions; two transactional ids, one group.

use crate::base::{NodeId, ObjectId, Span};
use crate::model::kafka::config::{
    BrokerConfig, Cleanup, Config, Control, ControllerConfig, GroupConfig, Mechanisms, PartitionConfig, Places, Purpose, TopicConfig,
    TransactionalConfig, Truncation, Version,
};
use crate::model::kafka::ids::{Part, TopicId};
use crate::model::kafka::mutants::Mutants;

/// The partition of `__consumer_offsets`.
pub(super) const POSITIONS: Part = Part(3);
/// The partition of `__transaction_state`.
pub(super) const HOME: Part = Part(4);
/// The two brokers.
pub(super) const BROKERS: [NodeId; 2] = [NodeId(10), NodeId(11)];

fn topic(name: &str, first: u32, partitions: u32, purpose: Purpose) -> TopicConfig {
    TopicConfig {
        name: name.to_owned(),
        object: ObjectId(first),
        first: Part(first),
        partitions,
        replication_factor: 2,
        min_insync_replicas: 1,
        unclean_leader_election: false,
        cleanup: Cleanup { delete: false, compact: purpose != Purpose::Messages },
        retention: None,
        retention_bytes: None,
        segment_bytes: 1 << 30,
        segment: Span::secs(604_800),
        flush_messages: None,
        flush: None,
        max_message_bytes: 1 << 20,
        min_cleanable_dirty_ratio: 500,
        min_compaction_lag: Span::ZERO,
        created_at: None,
        purpose,
    }
}

fn broker() -> BrokerConfig {
    BrokerConfig {
        count: 2,
        racks: Vec::new(),
        joins: vec![None, None],
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
        auto_create_topics: true,
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

/// With transactions v1 or v2.
pub(in crate::model::kafka) fn config(v2: bool, mutants: Mutants) -> Config {
    let partition = |topic: u16, number: u32| PartitionConfig { topic: TopicId(topic), number, object: None };
    let transactional = |name: &str, node: u32| TransactionalConfig { name: name.to_owned(), node: NodeId(node), home: HOME };
    Config {
        version: if v2 { Version::V4_0 } else { Version::V3_9 },
        mechanisms: Mechanisms {
            truncation: Truncation::LeaderEpoch,
            control: Control::KRaft,
            watermark_needs_min_isr: v2,
            eligible_leader_replicas: v2,
            epoch_per_transaction: v2,
            verify_transactions: true,
            pre_vote: v2,
        },
        broker: broker(),
        controller: ControllerConfig {
            count: 1,
            election_timeout: Span::secs(1),
            fetch_timeout: Span::secs(2),
            election_backoff_max: Span::secs(1),
            request_timeout: Span::secs(2),
        },
        topics: vec![
            topic("orders", 0, 3, Purpose::Messages),
            topic("__consumer_offsets", 3, 1, Purpose::Positions),
            topic("__transaction_state", 4, 1, Purpose::Transactions),
        ],
        partitions: vec![partition(0, 0), partition(0, 1), partition(0, 2), partition(1, 0), partition(2, 0)],
        groups: vec![GroupConfig { name: "billing".to_owned(), subscriptions: Vec::new(), home: POSITIONS }],
        transactional: vec![transactional("one", 0), transactional("two", 2)],
        producers: Vec::new(),
        consumers: Vec::new(),
        processors: Vec::new(),
        tasks: Vec::new(),
        places: Places { brokers: BROKERS.to_vec(), ..Places::default() },
        mutants,
    }
}
