//! A small configuration: two topics for messages, three brokers, one producer.

use crate::base::{NodeId, ObjectId, Span};
use crate::model::kafka::config::{
    BrokerConfig, Cleanup, Config, Control, ControllerConfig, GroupConfig, Mechanisms, PartitionConfig, Partitioner, Places,
    ProducerConfig, Purpose, TopicConfig, TransactionalConfig, Transactions, Truncation, Version,
};
use crate::model::kafka::ids::{Part, TopicId, TxnId};
use crate::model::kafka::mutants::Mutants;
use crate::model::kafka::protocol::Acks;

/// The brokers.
pub(super) const BROKERS: [NodeId; 3] = [NodeId(0), NodeId(1), NodeId(2)];
/// The producer.
pub(super) const PRODUCER: NodeId = NodeId(3);
/// A topic with so many partitions, from partition 0 on.
pub(super) const ORDERS: (TopicId, u32) = (TopicId(0), 4);

fn topic(name: &str, object: u32, first: u32, partitions: u32, purpose: Purpose) -> TopicConfig {
    TopicConfig {
        name: name.to_owned(),
        object: ObjectId(object),
        first: Part(first),
        partitions,
        replication_factor: 3,
        min_insync_replicas: 2,
        unclean_leader_election: false,
        cleanup: Cleanup { delete: true, compact: false },
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
        count: 3,
        racks: Vec::new(),
        joins: vec![None, None, None],
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

/// Kafka's defaults of 3.9, with shorter patience.
pub(super) fn producer() -> ProducerConfig {
    ProducerConfig {
        name: "shop".to_owned(),
        count: 1,
        acks: Acks::All,
        idempotence: true,
        retries: u32::MAX,
        retry_backoff: Span::millis(100),
        retry_backoff_max: Span::secs(1),
        delivery_timeout: Some(Span::secs(20)),
        request_timeout: Span::secs(2),
        linger: Span::millis(5),
        batch_size: 1000,
        buffer_memory: 1 << 20,
        max_block: Span::secs(10),
        max_request_size: 1 << 20,
        max_in_flight: 5,
        metadata_max_age: Span::secs(300),
        reconnect_backoff: Span::millis(50),
        reconnect_backoff_max: Span::secs(1),
        partitioner: Partitioner::KeyHash,
        transactions: None,
    }
}

/// What makes a producer transactional.
pub(super) const TRANSACTIONS: Transactions =
    Transactions { first: TxnId(0), timeout: Span::secs(60), records: 10, linger: Span::millis(200), abort_every: None };

/// The whole, with transactions v1 or v2.
pub(super) fn config(producer: ProducerConfig, v2: bool) -> Config {
    let part =
        |topic: u16, number: u32, object: Option<u32>| PartitionConfig { topic: TopicId(topic), number, object: object.map(ObjectId) };
    let transactional = TransactionalConfig { name: "shop".to_owned(), node: PRODUCER, home: Part(7) };
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
            topic("orders", 0, 0, 4, Purpose::Messages),
            topic("bills", 1, 4, 2, Purpose::Messages),
            topic("__consumer_offsets", 99, 6, 1, Purpose::Positions),
            topic("__transaction_state", 99, 7, 1, Purpose::Transactions),
        ],
        partitions: vec![
            part(0, 0, Some(2)),
            part(0, 1, Some(3)),
            part(0, 2, Some(4)),
            part(0, 3, Some(5)),
            part(1, 0, Some(6)),
            part(1, 1, Some(7)),
            part(2, 0, None),
            part(3, 0, None),
        ],
        groups: vec![GroupConfig { name: "billing".to_owned(), subscriptions: Vec::new(), home: Part(6) }],
        transactional: vec![transactional],
        producers: vec![producer],
        consumers: Vec::new(),
        processors: Vec::new(),
        tasks: Vec::new(),
        places: Places { brokers: BROKERS.to_vec(), producers: vec![(PRODUCER, 0, 0)], ..Places::default() },
        mutants: Mutants::none(),
    }
}
