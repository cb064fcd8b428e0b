//! Defaults by version, against a table of their own: what the documentation of each version says.

use crate::base::value::{KeySpec, Preset, Reader, Table};

use super::super::super::config::{Commit, Config, Control, GroupProtocol, Truncation, Version};
use super::super::super::keys::{BROKER, CONSUMER, PRODUCER};
use super::super::super::presets::{Cell, Part, Presets, rows};
use super::super::super::protocol::Acks;
use super::config;

/// What a scenario that says nothing gets in 0.8, 0.11, 2.8, 3.9, 4.0. Sources: 082/configuration.html,
/// 090/generated/{producer,consumer}_config.html, {0110,28,39}/generated/*_config.html of kafka-site; for 4.0 KIP-1030 and the upgrade notes.
const GOLDEN: &[(&str, [&str; 5])] = &[
    ("control", ["ZooKeeper", "ZooKeeper", "ZooKeeper", "KRaft", "KRaft"]),
    ("truncation", ["HighWatermark", "LeaderEpoch", "LeaderEpoch", "LeaderEpoch", "LeaderEpoch"]),
    ("watermark needs min isr", ["false", "false", "false", "true", "true"]),
    ("eligible leader replicas", ["false", "false", "false", "false", "false"]),
    ("epoch per transaction", ["false", "false", "false", "false", "true"]),
    ("verification", ["false", "false", "false", "true", "true"]),
    ("pre-vote", ["false", "false", "false", "false", "true"]),
    ("unclean", ["true", "false", "false", "false", "false"]),
    ("min.insync.replicas", ["1", "1", "1", "1", "1"]),
    ("replica.lag.time.max", ["10s", "10s", "30s", "30s", "30s"]),
    ("session of brokers", ["6s", "6s", "18s", "9s", "9s"]),
    ("max.message.bytes", ["1000012", "1000012", "1048588", "1048588", "1048588"]),
    ("offsets.retention", ["1d", "1d", "7d", "7d", "7d"]),
    ("group.max.session.timeout", ["30s", "5m", "30m", "30m", "30m"]),
    ("initial rebalance delay", ["0s", "3s", "3s", "3s", "3s"]),
    ("transaction abort scan", ["60s", "60s", "10s", "10s", "10s"]),
    ("producer ids expire", ["7d", "7d", "7d", "1d", "1d"]),
    ("acks", ["Leader", "Leader", "Leader", "All", "All"]),
    ("idempotence", ["false", "false", "false", "true", "true"]),
    ("retries", ["0", "0", "2147483647", "2147483647", "2147483647"]),
    ("in flight", ["5", "5", "5", "5", "5"]),
    ("delivery.timeout", ["none", "none", "2m", "2m", "2m"]),
    ("linger", ["0s", "0s", "0s", "0s", "5ms"]),
    ("retry backoff", ["100ms to 100ms", "100ms to 100ms", "100ms to 100ms", "100ms to 1s", "100ms to 1s"]),
    ("reconnect backoff", ["50ms to 50ms", "50ms to 1s", "50ms to 1s", "50ms to 1s", "50ms to 1s"]),
    ("session.timeout", ["30s", "10s", "10s", "45s", "45s"]),
    ("heartbeat", ["3s", "3s", "3s", "3s", "3s"]),
    ("max.poll.interval", ["30s", "5m", "5m", "5m", "5m"]),
    ("max.poll.records", ["2147483647", "500", "500", "500", "500"]),
    ("request.timeout of consumers", ["40s", "305s", "30s", "30s", "30s"]),
    ("fetch.max.bytes", ["2147483647", "52428800", "52428800", "52428800", "52428800"]),
    ("auto commit", ["5s", "5s", "5s", "5s", "5s"]),
    ("protocol", ["Eager", "Eager", "Eager", "Eager", "Eager"]),
];

/// One line of [`GOLDEN`] as a configuration has it.
fn seen(config: &Config, what: &str) -> String {
    let (mechanisms, broker) = (&config.mechanisms, &config.broker);
    let (topic, producer, consumer) = (&config.topics[0], &config.producers[0], &config.consumers[0]);
    match what {
        "control" => format!("{:?}", mechanisms.control),
        "truncation" => format!("{:?}", mechanisms.truncation),
        "watermark needs min isr" => mechanisms.watermark_needs_min_isr.to_string(),
        "eligible leader replicas" => mechanisms.eligible_leader_replicas.to_string(),
        "epoch per transaction" => mechanisms.epoch_per_transaction.to_string(),
        "verification" => mechanisms.verify_transactions.to_string(),
        "pre-vote" => mechanisms.pre_vote.to_string(),
        "unclean" => topic.unclean_leader_election.to_string(),
        "min.insync.replicas" => topic.min_insync_replicas.to_string(),
        "replica.lag.time.max" => broker.replica_lag_time_max.to_string(),
        "session of brokers" => broker.session_timeout.to_string(),
        "max.message.bytes" => topic.max_message_bytes.to_string(),
        "offsets.retention" => broker.offsets_retention.to_string(),
        "group.max.session.timeout" => broker.group_max_session_timeout.to_string(),
        "initial rebalance delay" => broker.group_initial_rebalance_delay.to_string(),
        "transaction abort scan" => broker.transaction_abort_scan.to_string(),
        "producer ids expire" => broker.producer_id_expiration.to_string(),
        "acks" => format!("{:?}", producer.acks),
        "idempotence" => producer.idempotence.to_string(),
        "retries" => producer.retries.to_string(),
        "in flight" => producer.max_in_flight.to_string(),
        "delivery.timeout" => producer.delivery_timeout.map_or_else(|| "none".to_owned(), |span| span.to_string()),
        "linger" => producer.linger.to_string(),
        "retry backoff" => format!("{} to {}", producer.retry_backoff, producer.retry_backoff_max),
        "reconnect backoff" => format!("{} to {}", consumer.reconnect_backoff, consumer.reconnect_backoff_max),
        "session.timeout" => consumer.session_timeout.to_string(),
        "heartbeat" => consumer.heartbeat_interval.to_string(),
        "max.poll.interval" => consumer.max_poll_interval.to_string(),
        "max.poll.records" => consumer.max_poll_records.to_string(),
        "request.timeout of consumers" => consumer.request_timeout.to_string(),
        "fetch.max.bytes" => consumer.fetch_max_bytes.to_string(),
        "auto commit" => match consumer.commit {
            Commit::Auto { interval } => interval.to_string(),
            Commit::Before | Commit::After | Commit::WithEffect => "none".to_owned(),
        },
        "protocol" => format!("{:?}", consumer.protocol),
        other => panic!("`{other}` is not looked at"),
    }
}

#[test]
fn each_version_has_its_own_defaults() {
    for (at, version) in Version::ALL.into_iter().enumerate() {
        let config = config(&format!("version = \"{}\"\ntopic.a = {{}}\nconsumer.group.id = \"g\"", version.name()));
        assert_eq!(config.version, version);
        for (what, values) in GOLDEN {
            let expected = values[at].parse::<crate::base::Span>().map_or_else(|_| values[at].to_owned(), |span| span.to_string());
            assert_eq!(seen(&config, what), expected, "{what} in {}", version.name());
        }
    }
}

#[test]
fn the_defaults_in_the_lists_of_keys_are_those_of_3_9() {
    let presets = Presets::of(Version::V3_9);
    let nothing = Table::parse("nothing", "").0;
    for (part, keys) in [(Part::Broker, BROKER), (Part::Producer, PRODUCER), (Part::Consumer, CONSUMER)] {
        let (listed, preset) = (Reader::checked(&nothing, keys, ""), presets.reader(part));
        for key in keys.iter().filter(|key| key.source == "kafka") {
            let row = rows().find(|row| row.part == part && row.key == key.name);
            let is = |key: &&KeySpec| matches!(key.preset, Preset::Is(_));
            assert_eq!(
                is(&key),
                row.is_some_and(|row| matches!(row.in_version(Version::V3_9), Cell::Is(_))) && !unlisted(key),
                "{}",
                key.name
            );
            if is(&key) {
                let all = |reader: &Reader<'_>| {
                    let numbers = (reader.count(key.name), reader.integer(key.name), reader.bytes(key.name), reader.thousandths(key.name));
                    (numbers, reader.span(key.name), reader.flag(key.name), reader.choice(key.name))
                };
                assert_eq!(all(&listed), all(&preset), "{}", key.name);
            }
        }
    }
}

/// A default that the list of keys does not show, because it does not hold with KRaft.
fn unlisted(key: &KeySpec) -> bool {
    key.name == "zookeeper.session.timeout.ms"
}

#[test]
fn every_row_is_a_key_and_tells_its_history() {
    for row in rows() {
        let differs = row.cells.iter().any(|cell| *cell != row.cells[4]);
        assert_eq!(differs, !row.history.is_empty(), "{}", row.key);
        for version in Version::ALL {
            let presets = Presets::of(version);
            if let Cell::Is(_) | Cell::Not(_) = row.in_version(version) {
                assert!(presets.reader(row.part).has(row.key), "{} in {}", row.key, version.name());
            }
        }
    }
}

#[test]
fn what_follows_from_idempotence_before_3_0() {
    let old = |version: &str, producer: &str| {
        config(&format!("version = \"{version}\"\ntopic.a = {{}}\nproducer = {{ {producer} }}")).producers.remove(0)
    };
    for (version, in_flight) in [("0.11", 1), ("2.8", 5)] {
        let asked = old(version, "enable.idempotence = true");
        assert_eq!((asked.acks, asked.retries, asked.max_in_flight), (Acks::All, 2_147_483_647, in_flight), "{version}");
        let implied = old(version, "transactional.id = \"t\"");
        assert!(implied.idempotence && implied.acks == Acks::All, "{version}");
    }
}

#[test]
fn mechanisms_can_be_chosen_apart() {
    let config = config(
        "topic.a = {}\nmechanisms = { truncation = \"high_watermark\", control = \"zookeeper\", transaction.version = 2 }\nzookeepers = 5\n\
        consumer = { group.id = \"g\", partition.assignment.strategy = [\"CooperativeStickyAssignor\"] }",
    );
    assert_eq!(config.mechanisms.truncation, Truncation::HighWatermark);
    assert_eq!(config.mechanisms.control, Control::ZooKeeper);
    assert_eq!(config.broker.session_timeout, crate::base::Span::secs(18));
    assert_eq!(config.broker.heartbeat_interval, crate::base::Span::secs(6));
    assert_eq!(config.controller.count, 5);
    assert_eq!(config.consumers[0].protocol, GroupProtocol::Cooperative);
    assert!(config.mechanisms.epoch_per_transaction);
}
