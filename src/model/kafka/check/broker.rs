//! Brokers and controllers.

use crate::base::value::Reader;
use crate::base::{Problem, Span};

use super::super::config::{BrokerConfig, Cleanup, Control, ControllerConfig, Version};
use super::Found;
use super::section::Section;

/// What topics have when they do not say otherwise.
#[derive(Clone, Debug)]
pub(super) struct Defaults {
    pub(super) partitions: u32,
    pub(super) replication_factor: u32,
    pub(super) min_insync_replicas: u32,
    pub(super) unclean_leader_election: bool,
    pub(super) cleanup: Cleanup,
    pub(super) retention: Option<Span>,
    pub(super) retention_bytes: Option<u64>,
    pub(super) segment_bytes: u64,
    pub(super) segment: Span,
    pub(super) flush_messages: Option<u64>,
    pub(super) flush: Option<Span>,
    pub(super) max_message_bytes: u32,
    pub(super) min_cleanable_dirty_ratio: u64,
    pub(super) min_compaction_lag: Span,
}

/// `cleanup.policy`.
pub(super) fn cleanup(word: &str) -> Cleanup {
    Cleanup { delete: word.contains("delete"), compact: word.contains("compact") }
}

/// A size where -1 means any.
pub(super) fn bounded(section: &Section<'_>, key: &str) -> Option<u64> {
    section.bytes(key)
}

/// A number of records; the largest that Kafka knows means never.
pub(super) fn flush_messages(section: &Section<'_>, key: &str) -> Option<u64> {
    section.count(key).filter(|count| *count < 9_223_372_036_854_775_807)
}

/// The longest span means for ever.
pub(super) fn for_ever(span: Span) -> Option<Span> {
    (span < Span::MAX).then_some(span)
}

/// So many units, for ever if negative or too many.
fn units(count: i64, seconds: u64) -> Option<Span> {
    let nanos = u64::try_from(count).ok()?.saturating_mul(seconds).saturating_mul(1_000_000_000);
    for_ever(Span::nanos(nanos))
}

impl Defaults {
    pub(super) fn read(section: &Section<'_>, problems: &mut Found) -> Option<Defaults> {
        let retention = if section.has("log.retention.ms") {
            for_ever(section.span("log.retention.ms")?)
        } else if section.has("log.retention.minutes") {
            units(section.integer("log.retention.minutes")?, 60)
        } else {
            units(section.integer("log.retention.hours")?, 3600)
        };
        if retention.is_some_and(Span::is_zero) {
            let key = ["log.retention.ms", "log.retention.minutes", "log.retention.hours"].into_iter().find(|key| section.has(key))?;
            problems.push(Problem::error(section.place_of(key), format!("`{key}` is -1 (for ever) or longer than zero")));
        }
        let segment = if section.has("log.roll.ms") {
            section.span("log.roll.ms")?
        } else {
            units(i64::try_from(section.count("log.roll.hours")?).ok()?, 3600).unwrap_or(Span::MAX)
        };
        Some(Defaults {
            partitions: section.small("num.partitions")?,
            replication_factor: section.small("default.replication.factor")?,
            min_insync_replicas: section.small("min.insync.replicas")?,
            unclean_leader_election: section.flag("unclean.leader.election.enable")?,
            cleanup: cleanup(section.choice("log.cleanup.policy")?),
            retention,
            retention_bytes: bounded(section, "log.retention.bytes"),
            segment_bytes: section.bytes("log.segment.bytes")?,
            segment,
            flush_messages: flush_messages(section, "log.flush.interval.messages"),
            flush: section.span("log.flush.interval.ms"),
            max_message_bytes: section.int_bytes("message.max.bytes", problems)?,
            min_cleanable_dirty_ratio: section.thousandths("log.cleaner.min.cleanable.ratio")?,
            min_compaction_lag: section.span("log.cleaner.min.compaction.lag.ms")?,
        })
    }
}

/// Keys that belong to one way of control.
const KRAFT: &[&str] = &[
    "broker.heartbeat.interval.ms",
    "broker.session.timeout.ms",
    "controller.quorum.election.timeout.ms",
    "controller.quorum.fetch.timeout.ms",
    "controller.quorum.election.backoff.max.ms",
    "controller.quorum.request.timeout.ms",
];
const ZOOKEEPER: &[&str] = &["zookeeper.session.timeout.ms"];

/// Pauses and time-outs that are nothing without a length.
const NOT_ZERO: &[&str] = &[
    "replica.lag.time.max.ms",
    "replica.fetch.backoff.ms",
    "replica.socket.timeout.ms",
    "replica.high.watermark.checkpoint.interval.ms",
    "log.flush.offset.checkpoint.interval.ms",
    "log.retention.check.interval.ms",
    "log.cleaner.backoff.ms",
    "log.flush.interval.ms",
    "log.roll.ms",
    "broker.heartbeat.interval.ms",
    "broker.session.timeout.ms",
    "zookeeper.session.timeout.ms",
    "controller.quorum.election.timeout.ms",
    "controller.quorum.fetch.timeout.ms",
    "controller.quorum.election.backoff.max.ms",
    "controller.quorum.request.timeout.ms",
    "leader.imbalance.check.interval.seconds",
    "offsets.retention.minutes",
    "offsets.commit.timeout.ms",
    "group.consumer.session.timeout.ms",
    "group.consumer.heartbeat.interval.ms",
    "transaction.max.timeout.ms",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms",
    "transactional.id.expiration.ms",
    "producer.id.expiration.ms",
];

/// Refuses spans of zero.
pub(super) fn not_zero(section: &Section<'_>, keys: &[&str], problems: &mut Found) {
    for key in keys.iter().filter(|key| section.has(key) && section.span(key).is_some_and(Span::is_zero)) {
        problems.push(Problem::error(section.place_of(key), format!("`{key}` is longer than zero")));
    }
}

/// The brokers. `racks` and `joins` are filled in by [`neighbourhood`].
pub(super) fn read(section: &Section<'_>, (count, control): (u32, Control), problems: &mut Found) -> Option<BrokerConfig> {
    section.refuse_unknown(problems);
    let hint = "`mechanisms.control` says who decides";
    match control {
        Control::KRaft => section.refuse_idle(ZOOKEEPER, ("clusters with ZooKeeper", hint), problems),
        Control::ZooKeeper => section.refuse_idle(KRAFT, ("clusters with KRaft", hint), problems),
    }
    not_zero(section, NOT_ZERO, problems);
    let (heartbeat_interval, session_timeout) = match control {
        Control::KRaft => (section.span("broker.heartbeat.interval.ms")?, section.span("broker.session.timeout.ms")?),
        Control::ZooKeeper => {
            let session = section.span("zookeeper.session.timeout.ms")?;
            (session.scaled(1, 3), session)
        }
    };
    let broker = BrokerConfig {
        count,
        racks: Vec::new(),
        joins: Vec::new(),
        replica_lag_time_max: section.span("replica.lag.time.max.ms")?,
        replica_fetch_wait_max: section.span("replica.fetch.wait.max.ms")?,
        replica_fetch_min_bytes: section.int_bytes("replica.fetch.min.bytes", problems)?,
        replica_fetch_max_bytes: section.int_bytes("replica.fetch.max.bytes", problems)?,
        replica_fetch_response_max_bytes: section.int_bytes("replica.fetch.response.max.bytes", problems)?,
        replica_fetch_backoff: section.span("replica.fetch.backoff.ms")?,
        replica_socket_timeout: section.span("replica.socket.timeout.ms")?,
        high_watermark_checkpoint: section.span("replica.high.watermark.checkpoint.interval.ms")?,
        recovery_checkpoint: section.span("log.flush.offset.checkpoint.interval.ms")?,
        retention_check: section.span("log.retention.check.interval.ms")?,
        cleaner_backoff: section.span("log.cleaner.backoff.ms")?,
        heartbeat_interval,
        session_timeout,
        auto_leader_rebalance: section.flag("auto.leader.rebalance.enable")?,
        leader_imbalance_check: section.span("leader.imbalance.check.interval.seconds")?,
        controlled_shutdown: section.flag("controlled.shutdown.enable")?,
        auto_create_topics: section.flag("auto.create.topics.enable")?,
        rack_aware_selector: section.choice("replica.selector.class").is_some_and(|class| class.ends_with("RackAwareReplicaSelector")),
        transactional_id_expiration: section.span("transactional.id.expiration.ms")?,
        producer_id_expiration: section.span("producer.id.expiration.ms")?,
        transaction_max_timeout: section.span("transaction.max.timeout.ms")?,
        transaction_abort_scan: section.span("transaction.abort.timed.out.transaction.cleanup.interval.ms")?,
        offsets_retention: section.span("offsets.retention.minutes")?,
        offsets_topic_num_partitions: section.small("offsets.topic.num.partitions")?,
        transaction_state_log_num_partitions: section.small("transaction.state.log.num.partitions")?,
        offsets_commit_timeout: section.span("offsets.commit.timeout.ms")?,
        group_initial_rebalance_delay: section.span("group.initial.rebalance.delay.ms")?,
        group_min_session_timeout: section.span("group.min.session.timeout.ms")?,
        group_max_session_timeout: section.span("group.max.session.timeout.ms")?,
        group_consumer_session_timeout: section.span("group.consumer.session.timeout.ms")?,
        group_consumer_heartbeat_interval: section.span("group.consumer.heartbeat.interval.ms")?,
    };
    refuse(section, &broker, problems);
    Some(broker)
}

/// What a broker of Kafka does not start with.
fn refuse(section: &Section<'_>, broker: &BrokerConfig, problems: &mut Found) {
    let mut refuse = |key: &str, what: String, hint: &str| problems.push(Problem::error(section.place_of(key), what).hint(hint));
    let wait = broker.replica_fetch_wait_max;
    if wait > broker.replica_socket_timeout {
        let what = format!("`replica.fetch.wait.max.ms` ({wait}) is above `replica.socket.timeout.ms` ({})", broker.replica_socket_timeout);
        refuse("replica.fetch.wait.max.ms", what, "a follower would give up fetches that the leader only keeps waiting");
    }
    if wait > broker.replica_lag_time_max {
        let what = format!("`replica.fetch.wait.max.ms` ({wait}) is above `replica.lag.time.max.ms` ({})", broker.replica_lag_time_max);
        refuse("replica.fetch.wait.max.ms", what, "followers of quiet partitions would leave the in-sync replicas again and again");
    }
    let (session, heartbeat) = (broker.group_consumer_session_timeout, broker.group_consumer_heartbeat_interval);
    if heartbeat >= session {
        let what =
            format!("`group.consumer.heartbeat.interval.ms` ({heartbeat}) is not below `group.consumer.session.timeout.ms` ({session})");
        refuse("group.consumer.heartbeat.interval.ms", what, "every member would be thrown out between two heartbeats");
    }
    let largest = section.bytes("message.max.bytes").unwrap_or(0);
    if section.version == Version::V0_8 && u64::from(broker.replica_fetch_max_bytes) < largest {
        let what = format!("`replica.fetch.max.bytes` ({}) is below `message.max.bytes` ({largest})", broker.replica_fetch_max_bytes);
        refuse("replica.fetch.max.bytes", what, "before 0.10.1 a follower could not copy a larger message, and would be stuck");
    }
}

/// The controllers, or the ensemble.
pub(super) fn controllers(section: &Section<'_>, reader: &Reader<'_>, control: Control, problems: &mut Found) -> Option<ControllerConfig> {
    let (key, other, belongs) = match control {
        Control::KRaft => ("controllers", "zookeepers", "clusters with ZooKeeper"),
        Control::ZooKeeper => ("zookeepers", "controllers", "clusters with KRaft"),
    };
    if reader.has(other) {
        let problem = Problem::error(reader.place_of(other), format!("`{other}` belongs to {belongs}"));
        problems.push(problem.hint(format!("write `{key}`, or another `mechanisms.control`")));
    }
    Some(ControllerConfig {
        count: reader.count(key).map_or(Some(3), |count| u32::try_from(count).ok())?,
        election_timeout: section.span("controller.quorum.election.timeout.ms")?,
        fetch_timeout: section.span("controller.quorum.fetch.timeout.ms")?,
        election_backoff_max: section.span("controller.quorum.election.backoff.max.ms")?,
        request_timeout: section.span("controller.quorum.request.timeout.ms")?,
    })
}

/// Racks, and when brokers are started for the first time.
pub(super) fn neighbourhood(reader: &Reader<'_>, broker: &mut BrokerConfig, problems: &mut Found) {
    let racks = reader.texts("racks");
    if !racks.is_empty() && racks.len() != broker.count as usize {
        let what = format!("`racks` has {} names for {} brokers", racks.len(), broker.count);
        problems.push(Problem::error(reader.place_of("racks"), what).hint("give one for each broker, in order"));
    }
    broker.racks = racks.into_iter().map(|(rack, _)| rack.to_owned()).collect();
    broker.joins = vec![None; broker.count as usize];
    let Some(table) = reader.value("joins").and_then(|value| value.as_table()) else { return };
    for (key, value) in &table.entries {
        let number = super::names::broker(&key.name, broker.count);
        let Some(number) = number else {
            problems.push(super::names::no_broker(key.place.clone(), &key.name, broker.count));
            continue;
        };
        broker.joins[number] = value.as_text().and_then(|text| text.parse().ok());
    }
    if broker.joins.iter().all(Option::is_some) {
        let problem = Problem::error(reader.place_of("joins"), "no broker is there at the beginning");
        problems.push(problem.hint("leave at least one out of `joins`"));
    }
}
