//! The resolved configuration as TOML, defaults included: reading it again gives the same.

use crate::base::Span;
use crate::base::value::{bytes_text, key_text, law_text, quoted, thousandths_text};

use super::config::{
    Assignor, BrokerConfig, Commit, Config, ConsumerConfig, Control, GroupProtocol, Mechanisms, Partitioner, ProcessorConfig,
    ProducerConfig, Purpose, Reset, Sink, Task, TopicConfig, Truncation, Version,
};
use super::ids::TopicId;
use super::presets::{self, Cell, Part};
use super::protocol::Acks;

/// Keys with their values, as they stand in a table. Keys that the version does not have are left out.
struct Keys {
    version: Version,
    parts: &'static [Part],
    all: Vec<String>,
}

impl Keys {
    fn new(version: Version, parts: &'static [Part]) -> Keys {
        Keys { version, parts, all: Vec::new() }
    }

    fn put(&mut self, key: &str, value: impl Into<String>) {
        let missing = |part: &Part| {
            let row = presets::find(*part, key);
            row.is_some_and(|row| matches!(row.in_version(self.version), Cell::Not(_) | Cell::Nothing))
        };
        if !self.parts.iter().any(missing) {
            self.all.push(format!("{} = {}", key_text(key), value.into()));
        }
    }

    fn span(&mut self, key: &str, span: Span) {
        self.put(key, quoted(&span.to_string()));
    }

    fn bytes(&mut self, key: &str, bytes: impl Into<u64>) {
        self.put(key, quoted(&bytes_text(bytes.into())));
    }

    fn number(&mut self, key: &str, number: impl Into<u64>) {
        self.put(key, number.into().to_string());
    }

    fn flag(&mut self, key: &str, flag: bool) {
        self.put(key, flag.to_string());
    }

    fn text(&mut self, key: &str, text: &str) {
        self.put(key, quoted(text));
    }

    fn table(self) -> String {
        if self.all.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", self.all.join(", ")) }
    }
}

/// The lines under `[model.kafka]`.
#[must_use]
pub fn toml(config: &Config) -> String {
    let mut lines = Vec::new();
    lines.push(format!("version = \"{}\"", config.version.name()));
    lines.push(format!("brokers = {}", config.broker.count));
    let controllers = match config.mechanisms.control {
        Control::KRaft => "controllers",
        Control::ZooKeeper => "zookeepers",
    };
    lines.push(format!("{controllers} = {}", config.controller.count));
    if !config.broker.racks.is_empty() {
        lines.push(format!("racks = {}", list(config.broker.racks.iter().map(String::as_str))));
    }
    let joins = config.broker.joins.iter().enumerate().filter_map(|(at, joins)| joins.map(|span| (at + 1, span)));
    let joins: Vec<String> = joins.map(|(number, span)| format!("broker-{number} = \"{span}\"")).collect();
    if !joins.is_empty() {
        lines.push(format!("joins = {{ {} }}", joins.join(", ")));
    }
    lines.push(format!("mechanisms = {}", mechanisms(&config.mechanisms)));
    lines.push(format!("broker = {}", broker(config)));
    for of in config.topics.iter().filter(|topic| topic.purpose == Purpose::Messages) {
        lines.push(format!("topic.{} = {}", key_text(&of.name), topic(config.version, of)));
    }
    let producers = config.producers.iter().map(|kind| (kind.name.as_str(), producer(config, kind)));
    lines.extend(kinds("producer", producers));
    let consumers = config.consumers.iter().map(|kind| (kind.name.as_str(), consumer(config, kind)));
    lines.extend(kinds("consumer", consumers));
    let processors = config.processors.iter().map(|kind| (kind.producer.name.as_str(), processor(config, kind)));
    lines.extend(kinds("processor", processors));
    for (number, scheduled) in (1..).zip(&config.tasks) {
        lines.push(format!("task.task-{number} = {{ at = \"{}\", {} }}", scheduled.at, task(config, &scheduled.task)));
    }
    if let Some(name) = config.mutants.name() {
        lines.push(format!("mutant = \"{name}\""));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}

/// Kinds of one sort: the first under the singular if that is its name, the others by name.
fn kinds<'t>(one: &str, all: impl Iterator<Item = (&'t str, String)>) -> Vec<String> {
    let line = |(at, (name, table)): (usize, (&str, String))| {
        if at == 0 && name == one { format!("{one} = {table}") } else { format!("{one}s.{} = {table}", key_text(name)) }
    };
    all.enumerate().map(line).collect()
}

fn mechanisms(mechanisms: &Mechanisms) -> String {
    let truncation = match mechanisms.truncation {
        Truncation::HighWatermark => "high_watermark",
        Truncation::LeaderEpoch => "leader_epoch",
    };
    let control = match mechanisms.control {
        Control::ZooKeeper => "zookeeper",
        Control::KRaft => "kraft",
    };
    let replicas = u8::from(mechanisms.eligible_leader_replicas);
    let transactions = if mechanisms.epoch_per_transaction { 2 } else { 0 };
    format!(
        "{{ truncation = \"{truncation}\", control = \"{control}\", watermark_needs_min_isr = {}, \
         \"eligible.leader.replicas.version\" = \"{replicas}\", \"transaction.version\" = \"{transactions}\", pre_vote = {} }}",
        mechanisms.watermark_needs_min_isr, mechanisms.pre_vote
    )
}

fn broker(config: &Config) -> String {
    let mut keys = Keys::new(config.version, &[Part::Broker]);
    let broker = &config.broker;
    keys.span("replica.lag.time.max.ms", broker.replica_lag_time_max);
    keys.span("replica.fetch.wait.max.ms", broker.replica_fetch_wait_max);
    keys.bytes("replica.fetch.min.bytes", broker.replica_fetch_min_bytes);
    keys.bytes("replica.fetch.max.bytes", broker.replica_fetch_max_bytes);
    keys.bytes("replica.fetch.response.max.bytes", broker.replica_fetch_response_max_bytes);
    keys.span("replica.fetch.backoff.ms", broker.replica_fetch_backoff);
    keys.span("replica.socket.timeout.ms", broker.replica_socket_timeout);
    keys.span("replica.high.watermark.checkpoint.interval.ms", broker.high_watermark_checkpoint);
    keys.span("log.flush.offset.checkpoint.interval.ms", broker.recovery_checkpoint);
    keys.span("log.retention.check.interval.ms", broker.retention_check);
    keys.span("log.cleaner.backoff.ms", broker.cleaner_backoff);
    if broker.rack_aware_selector {
        keys.text("replica.selector.class", "RackAwareReplicaSelector");
    }
    control(config, &mut keys);
    coordination(broker, &mut keys);
    internal(config, &mut keys);
    keys.table()
}

fn control(config: &Config, keys: &mut Keys) {
    let (broker, controller) = (&config.broker, &config.controller);
    match config.mechanisms.control {
        Control::KRaft => {
            keys.span("broker.heartbeat.interval.ms", broker.heartbeat_interval);
            keys.span("broker.session.timeout.ms", broker.session_timeout);
            keys.span("controller.quorum.election.timeout.ms", controller.election_timeout);
            keys.span("controller.quorum.fetch.timeout.ms", controller.fetch_timeout);
            keys.span("controller.quorum.election.backoff.max.ms", controller.election_backoff_max);
            keys.span("controller.quorum.request.timeout.ms", controller.request_timeout);
        }
        Control::ZooKeeper => keys.span("zookeeper.session.timeout.ms", broker.session_timeout),
    }
    keys.flag("auto.leader.rebalance.enable", broker.auto_leader_rebalance);
    keys.span("leader.imbalance.check.interval.seconds", broker.leader_imbalance_check);
    keys.flag("controlled.shutdown.enable", broker.controlled_shutdown);
    keys.flag("auto.create.topics.enable", broker.auto_create_topics);
    keys.flag("transaction.partition.verification.enable", config.mechanisms.verify_transactions);
}

fn coordination(broker: &BrokerConfig, keys: &mut Keys) {
    keys.span("offsets.retention.minutes", broker.offsets_retention);
    keys.span("offsets.commit.timeout.ms", broker.offsets_commit_timeout);
    keys.number("offsets.topic.num.partitions", broker.offsets_topic_num_partitions);
    keys.span("group.initial.rebalance.delay.ms", broker.group_initial_rebalance_delay);
    keys.span("group.min.session.timeout.ms", broker.group_min_session_timeout);
    keys.span("group.max.session.timeout.ms", broker.group_max_session_timeout);
    keys.span("group.consumer.session.timeout.ms", broker.group_consumer_session_timeout);
    keys.span("group.consumer.heartbeat.interval.ms", broker.group_consumer_heartbeat_interval);
    keys.number("transaction.state.log.num.partitions", broker.transaction_state_log_num_partitions);
    keys.span("transaction.max.timeout.ms", broker.transaction_max_timeout);
    keys.span("transaction.abort.timed.out.transaction.cleanup.interval.ms", broker.transaction_abort_scan);
    keys.span("transactional.id.expiration.ms", broker.transactional_id_expiration);
    keys.span("producer.id.expiration.ms", broker.producer_id_expiration);
}

/// What the internal topics have of their own, and what they take from the brokers' defaults.
fn internal(config: &Config, keys: &mut Keys) {
    let find = |purpose: Purpose| config.topics.iter().find(|topic| topic.purpose == purpose);
    let (positions, transactions) = (find(Purpose::Positions), find(Purpose::Transactions));
    if let Some(topic) = positions {
        keys.number("offsets.topic.replication.factor", topic.replication_factor);
        keys.bytes("offsets.topic.segment.bytes", topic.segment_bytes);
        keys.number("min.insync.replicas", topic.min_insync_replicas);
        keys.flag("unclean.leader.election.enable", topic.unclean_leader_election);
    }
    if let Some(topic) = transactions {
        keys.number("transaction.state.log.replication.factor", topic.replication_factor);
        keys.number("transaction.state.log.min.isr", topic.min_insync_replicas);
        keys.bytes("transaction.state.log.segment.bytes", topic.segment_bytes);
    }
    match positions.or(transactions) {
        Some(topic) => {
            keys.span("log.roll.ms", topic.segment);
            if let Some(count) = topic.flush_messages {
                keys.number("log.flush.interval.messages", count);
            }
            if let Some(span) = topic.flush {
                keys.span("log.flush.interval.ms", span);
            }
            keys.bytes("message.max.bytes", topic.max_message_bytes);
            keys.put("log.cleaner.min.cleanable.ratio", thousandths_text(topic.min_cleanable_dirty_ratio));
            keys.span("log.cleaner.min.compaction.lag.ms", topic.min_compaction_lag);
        }
        // It concerns nobody, but may not be above what followers fetch.
        None if config.version == Version::V0_8 => keys.bytes("message.max.bytes", config.broker.replica_fetch_max_bytes),
        None => {}
    }
}

fn topic(version: Version, topic: &TopicConfig) -> String {
    let mut keys = Keys::new(version, &[Part::Topic]);
    keys.number("partitions", topic.partitions);
    keys.number("replication.factor", topic.replication_factor);
    keys.number("min.insync.replicas", topic.min_insync_replicas);
    keys.flag("unclean.leader.election.enable", topic.unclean_leader_election);
    let policy = match (topic.cleanup.compact, topic.cleanup.delete) {
        (true, true) => "compact,delete",
        (true, false) => "compact",
        (false, _) => "delete",
    };
    keys.text("cleanup.policy", policy);
    match topic.retention {
        Some(span) => keys.span("retention.ms", span),
        None => keys.put("retention.ms", "-1"),
    }
    match topic.retention_bytes {
        Some(bytes) => keys.bytes("retention.bytes", bytes),
        None => keys.put("retention.bytes", "-1"),
    }
    keys.bytes("segment.bytes", topic.segment_bytes);
    keys.span("segment.ms", topic.segment);
    if let Some(count) = topic.flush_messages {
        keys.number("flush.messages", count);
    }
    if let Some(span) = topic.flush {
        keys.span("flush.ms", span);
    }
    keys.bytes("max.message.bytes", topic.max_message_bytes);
    keys.put("min.cleanable.dirty.ratio", thousandths_text(topic.min_cleanable_dirty_ratio));
    keys.span("min.compaction.lag.ms", topic.min_compaction_lag);
    keys.table()
}

fn producer(config: &Config, kind: &ProducerConfig) -> String {
    let mut keys = Keys::new(config.version, &[Part::Producer]);
    keys.number("count", kind.count);
    writing(config, kind, &mut keys);
    keys.span("request.timeout.ms", kind.request_timeout);
    keys.span("retry.backoff.ms", kind.retry_backoff);
    keys.span("retry.backoff.max.ms", kind.retry_backoff_max);
    keys.span("reconnect.backoff.ms", kind.reconnect_backoff);
    keys.span("reconnect.backoff.max.ms", kind.reconnect_backoff_max);
    keys.span("metadata.max.age.ms", kind.metadata_max_age);
    keys.table()
}

/// What producers have for themselves.
fn writing(config: &Config, kind: &ProducerConfig, keys: &mut Keys) {
    let acks = match kind.acks {
        Acks::All => "all",
        Acks::Leader => "1",
        Acks::None => "0",
    };
    keys.text("acks", acks);
    keys.flag("enable.idempotence", kind.idempotence);
    keys.number("retries", kind.retries);
    if let Some(span) = kind.delivery_timeout {
        keys.span("delivery.timeout.ms", span);
    }
    keys.span("linger.ms", kind.linger);
    keys.bytes("batch.size", kind.batch_size);
    keys.bytes("buffer.memory", kind.buffer_memory);
    keys.span("max.block.ms", kind.max_block);
    keys.bytes("max.request.size", kind.max_request_size);
    keys.number("max.in.flight.requests.per.connection", kind.max_in_flight);
    match (kind.partitioner, config.version) {
        (Partitioner::RoundRobin, _) => keys.text("partitioner.class", "RoundRobinPartitioner"),
        (Partitioner::Sticky, Version::V2_8) => keys.text("partitioner.class", "UniformStickyPartitioner"),
        (Partitioner::Sticky, _) => keys.flag("partitioner.ignore.keys", true),
        (Partitioner::KeyHash, _) => keys.flag("partitioner.ignore.keys", false),
    }
    let Some(transactions) = &kind.transactions else { return };
    let first = &config.transactional[transactions.first.index()].name;
    let base = if kind.count == 1 { first } else { first.strip_suffix("-1").unwrap_or(first) };
    keys.text("transactional.id", base);
    keys.span("transaction.timeout.ms", transactions.timeout);
    keys.number("transaction_records", transactions.records);
    keys.span("transaction_linger", transactions.linger);
    if let Some(every) = transactions.abort_every {
        keys.number("abort_every", every);
    }
}

fn topic_name(config: &Config, topic: TopicId) -> &str {
    &config.topics[topic.index()].name
}

fn consumer(config: &Config, kind: &ConsumerConfig) -> String {
    let mut keys = Keys::new(config.version, &[Part::Consumer]);
    keys.number("count", kind.count);
    keys.put("topics", list(kind.topics.iter().map(|topic| topic_name(config, *topic))));
    reading(config, kind, &mut keys);
    let commit = match kind.commit {
        Commit::Auto { interval } => {
            keys.flag("enable.auto.commit", true);
            keys.span("auto.commit.interval.ms", interval);
            None
        }
        Commit::Before => Some("before"),
        Commit::After => Some("after"),
        Commit::WithEffect => Some("with_effect"),
    };
    if let Some(commit) = commit {
        keys.text("commit", commit);
    }
    if let Some(threads) = kind.hand_off {
        keys.number("hand_off", threads);
    }
    if kind.sink == Sink::Idempotent {
        keys.text("sink", "idempotent");
    }
    if let Some(visits) = kind.visits {
        let every = visits.every.map_or_else(String::new, |every| format!("every = \"{every}\", "));
        keys.put("runs", format!("{{ from = \"{}\", {every}for = \"{}\" }}", visits.first, visits.stay));
    }
    keys.span("request.timeout.ms", kind.request_timeout);
    keys.span("retry.backoff.ms", kind.retry_backoff);
    keys.span("retry.backoff.max.ms", kind.retry_backoff.max(Span::secs(1)));
    keys.span("reconnect.backoff.ms", kind.reconnect_backoff);
    keys.span("reconnect.backoff.max.ms", kind.reconnect_backoff_max);
    keys.span("metadata.max.age.ms", kind.metadata_max_age);
    keys.table()
}

/// What consumers have for themselves.
fn reading(config: &Config, kind: &ConsumerConfig, keys: &mut Keys) {
    keys.put("processing", law_text(&kind.processing));
    keys.text("group.id", &config.groups[kind.group.index()].name);
    if kind.is_static {
        keys.text("group.instance.id", &kind.name);
    }
    let strategy = match (kind.protocol, kind.assignor) {
        (GroupProtocol::Consumer, assignor) => {
            keys.text("group.protocol", "consumer");
            keys.text("group.remote.assignor", if assignor == Assignor::Range { "range" } else { "uniform" });
            None
        }
        (GroupProtocol::Cooperative, _) => Some("CooperativeStickyAssignor"),
        (GroupProtocol::Eager, Assignor::Range) => Some("RangeAssignor"),
        (GroupProtocol::Eager, Assignor::RoundRobin) => Some("RoundRobinAssignor"),
        (GroupProtocol::Eager, Assignor::Sticky) => Some("StickyAssignor"),
    };
    if let Some(strategy) = strategy {
        keys.text("partition.assignment.strategy", strategy);
        keys.span("session.timeout.ms", kind.session_timeout);
        keys.span("heartbeat.interval.ms", kind.heartbeat_interval);
    }
    if let Some(rack) = &kind.rack {
        keys.text("client.rack", rack);
    }
    keys.span("max.poll.interval.ms", kind.max_poll_interval);
    keys.number("max.poll.records", kind.max_poll_records);
    keys.bytes("fetch.min.bytes", kind.fetch_min_bytes);
    keys.span("fetch.max.wait.ms", kind.fetch_max_wait);
    keys.bytes("fetch.max.bytes", kind.fetch_max_bytes);
    keys.bytes("max.partition.fetch.bytes", kind.max_partition_fetch_bytes);
    keys.text("isolation.level", if kind.read_committed { "read_committed" } else { "read_uncommitted" });
    let reset = match kind.reset {
        Reset::Earliest => "earliest",
        Reset::Latest => "latest",
        Reset::None => "none",
    };
    keys.text("auto.offset.reset", reset);
}

fn processor(config: &Config, kind: &ProcessorConfig) -> String {
    let (consumer, producer) = (&kind.consumer, &kind.producer);
    let mut keys = Keys::new(config.version, &[Part::Consumer, Part::Producer]);
    keys.number("count", producer.count);
    keys.text("from", topic_name(config, consumer.topics[0]));
    keys.text("to", topic_name(config, kind.to));
    reading(config, consumer, &mut keys);
    writing(config, producer, &mut keys);
    // Where the two sides differ, both have their defaults.
    if consumer.request_timeout == producer.request_timeout {
        keys.span("request.timeout.ms", producer.request_timeout);
    }
    keys.span("retry.backoff.ms", producer.retry_backoff);
    keys.span("retry.backoff.max.ms", producer.retry_backoff_max);
    keys.span("reconnect.backoff.ms", producer.reconnect_backoff);
    keys.span("reconnect.backoff.max.ms", producer.reconnect_backoff_max);
    keys.span("metadata.max.age.ms", producer.metadata_max_age);
    keys.table()
}

fn task(config: &Config, task: &Task) -> String {
    match task {
        Task::Reassign { part, replicas } => {
            let number = |node| config.places.brokers.iter().position(|broker| broker == node).map_or(0, |at| at + 1);
            let names: Vec<String> = replicas.iter().map(|node| format!("broker-{}", number(node))).collect();
            format!("reassign = {}, replicas = {}", quoted(&config.part_name(*part)), list(names.iter().map(String::as_str)))
        }
        Task::ElectPreferred => "elect = \"preferred\"".to_owned(),
        Task::ElectUnclean { part } => format!("elect = \"unclean\", of = {}", quoted(&config.part_name(*part))),
        Task::Create { topic } => format!("create = {}", quoted(topic_name(config, *topic))),
    }
}
