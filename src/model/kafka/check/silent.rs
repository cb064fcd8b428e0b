//! What Kafka accepts and does not do as it reads: warned about.

use crate::base::value::{Key, Reader};
use crate::base::{Place, Problem};

use super::super::config::{Commit, Config, ConsumerConfig, Control, ProducerConfig, Purpose, Reset, TopicConfig, Version};
use super::super::protocol::Acks;
use super::Found;
use super::whole::kinds;

/// Everything that a configuration has in it of this kind.
pub(super) fn find(config: &Config, reader: &Reader<'_>, problems: &mut Found) {
    brokers(config, reader, problems);
    let tables = reader.named_tables("topic");
    for topic in &config.topics {
        let written = tables.iter().find(|(key, _)| key.name == topic.name);
        topic_alone(config, topic, (reader, written), problems);
        topic_written(config, topic, (reader, written), problems);
    }
    for (kind, (name, table)) in config.producers.iter().zip(kinds(reader, ("producer", "producers"))) {
        producer(config, kind, (&name, &table), problems);
    }
    for (kind, (name, table)) in config.consumers.iter().zip(kinds(reader, ("consumer", "consumers"))) {
        consumer(config, kind, (&name, &table), problems);
        application(config, kind, (&name, &table), problems);
    }
    for (kind, (name, table)) in config.processors.iter().zip(kinds(reader, ("processor", "processors"))) {
        producer(config, &kind.producer, (&name, &table), problems);
        consumer(config, &kind.consumer, (&name, &table), problems);
    }
    groups(config, reader, problems);
}

fn warn(problems: &mut Found, place: Place, (what, hint): (String, &str)) {
    problems.push(Problem::warning(place, what).hint(hint));
}

fn brokers(config: &Config, reader: &Reader<'_>, problems: &mut Found) {
    let Some(table) = reader.table("broker") else { return };
    let broker = &config.broker;
    if config.mechanisms.control == Control::KRaft && broker.heartbeat_interval * 2 > broker.session_timeout {
        let what = format!(
            "`broker.heartbeat.interval.ms` ({}) is more than half of `broker.session.timeout.ms` ({}): one late heartbeat fences a broker",
            broker.heartbeat_interval, broker.session_timeout
        );
        warn(problems, table.place_of("broker.heartbeat.interval.ms"), (what, "a quarter is usual"));
    }
    let count = config.controller.count;
    if count.is_multiple_of(2) {
        let key = if config.mechanisms.control == Control::KRaft { "controllers" } else { "zookeepers" };
        let what = format!("{count} `{key}` bear no more failures than {}", count - 1);
        warn(problems, reader.place_of(key), (what, "an odd number is usual"));
    }
    if broker.rack_aware_selector && broker.racks.is_empty() {
        let what = "`replica.selector.class` has no effect: brokers have no racks".to_owned();
        warn(problems, table.place_of("replica.selector.class"), (what, "write `racks = [\"a\", \"b\", …]`"));
    }
}

type Written<'a, 'r> = (&'a Reader<'r>, Option<&'a (&'r Key, Reader<'r>)>);

/// Where a key of a topic stands, or the topic, or the table.
fn topic_place((reader, written): Written<'_, '_>, key: &str) -> Place {
    match written {
        Some((name, table)) => {
            if table.has(key) {
                table.place_of(key)
            } else {
                name.place.clone()
            }
        }
        None => reader.place_of("broker"),
    }
}

/// Whether a topic's key is written, for it or for all.
fn says((reader, written): Written<'_, '_>, own: &str, all: &str) -> bool {
    written.is_some_and(|(_, table)| table.has(own)) || reader.table("broker").is_some_and(|table| table.has(all))
}

/// What defaults leave open.
fn topic_alone(config: &Config, topic: &TopicConfig, written: Written<'_, '_>, problems: &mut Found) {
    let name = &topic.name;
    let place = |key: &str| topic_place(written, key);
    let (copies, least) = (topic.replication_factor, topic.min_insync_replicas);
    if least > copies {
        let what =
            format!("`{name}` can never be written with `acks=all`: `min.insync.replicas` is {least}, and there are {copies} copies");
        warn(problems, place("min.insync.replicas"), (what, "make it less than the replication factor, so that one broker may be away"));
    }
    if topic.purpose != Purpose::Messages {
        return;
    }
    let everybody = config.producers.iter().chain(config.processors.iter().map(|processor| &processor.producer));
    let all = everybody.clone().any(|producer| producer.acks == Acks::All);
    if all && copies > 1 && least == 1 && !says(written, "min.insync.replicas", "min.insync.replicas") {
        let what = format!("`acks=all` may be the leader of `{name}` alone: `min.insync.replicas` is 1 by default");
        warn(problems, place("min.insync.replicas"), (what, "write `min.insync.replicas = 2`, or `1` if that is meant"));
    }
    let kept = topic.flush_messages == Some(1);
    if copies == 1 && !kept && !says(written, "replication.factor", "default.replication.factor") {
        let what = format!("`{name}` has one copy by default: it is away with its broker, and what was not synced goes with the power");
        warn(problems, place("replication.factor"), (what, "write `replication.factor = 3`, or `1` if that is meant"));
    }
    if topic.unclean_leader_election && !says(written, "unclean.leader.election.enable", "unclean.leader.election.enable") {
        let what = format!(
            "a replica that has missed acknowledged records may lead `{name}`: `unclean.leader.election.enable` is true by default in Kafka {}",
            config.version.name()
        );
        warn(
            problems,
            place("unclean.leader.election.enable"),
            (what, "write `unclean.leader.election.enable = false`, or `true` if that is meant"),
        );
    }
    if let Some(other) = everybody.clone().find(|producer| producer.batch_size > topic.max_message_bytes) {
        let what = format!(
            "batches of `{}` may have {} bytes, and `{name}` takes {}: they are refused as MESSAGE_TOO_LARGE",
            other.name, other.batch_size, topic.max_message_bytes
        );
        warn(problems, place("max.message.bytes"), (what, "make `batch.size` smaller or `max.message.bytes` larger"));
    }
}

/// What is written and has no effect.
fn topic_written(config: &Config, topic: &TopicConfig, written: Written<'_, '_>, problems: &mut Found) {
    let (_, Some((_, table))) = written else { return };
    let name = &topic.name;
    let policy = if topic.cleanup.compact { "compact" } else { "delete" };
    let removing: &[&str] = if topic.cleanup.delete { &[] } else { &["retention.ms", "retention.bytes"] };
    let compacting: &[&str] = if topic.cleanup.compact { &[] } else { &["min.cleanable.dirty.ratio", "min.compaction.lag.ms"] };
    for key in removing.iter().chain(compacting).filter(|key| table.has(key)) {
        let what = format!("`{key}` of `{name}` has no effect: its `cleanup.policy` is {policy}");
        warn(problems, table.place_of(key), (what, "write `cleanup.policy = \"compact,delete\"` for both"));
    }
    let mut writers = config.producers.iter().chain(config.processors.iter().map(|processor| &processor.producer));
    if table.has("min.insync.replicas")
        && topic.min_insync_replicas > 1
        && let Some(hasty) = writers.find(|producer| producer.acks != Acks::All)
    {
        let what = format!("`min.insync.replicas` of `{name}` does not concern `{}`: it counts with `acks=all` only", hasty.name);
        warn(problems, table.place_of("min.insync.replicas"), (what, "write `acks = \"all\"` to have it"));
    }
}

fn producer(config: &Config, kind: &ProducerConfig, (name, table): (&str, &Reader<'_>), problems: &mut Found) {
    let said = table.has("enable.idempotence") || matches!(config.version, Version::V0_8 | Version::V0_11 | Version::V2_8);
    let overtaking = !kind.idempotence && kind.retries > 0 && kind.max_in_flight > 1 && kind.acks != Acks::None;
    if overtaking && said && !table.has("max.in.flight.requests.per.connection") {
        let what =
            format!("a batch of `{name}` that is sent again may be overtaken: {} requests may be in flight by default", kind.max_in_flight);
        let hint = "write `enable.idempotence = true`, or `max.in.flight.requests.per.connection = 1`, or `5` if that is meant";
        warn(problems, table.place_of("max.in.flight.requests.per.connection"), (what, hint));
    }
    let lag = config.broker.replica_lag_time_max;
    if kind.acks == Acks::All && !kind.idempotence && kind.retries > 0 && kind.request_timeout < lag {
        let what = format!(
            "`request.timeout.ms` of `{name}` ({}) is below `replica.lag.time.max.ms` ({lag}): while a follower is away, writes are repeated that are stored already",
            kind.request_timeout
        );
        warn(problems, table.place_of("request.timeout.ms"), (what, "make it longer, or write `enable.idempotence = true`"));
    }
    if table.has("retry.backoff.ms") && table.span("retry.backoff.ms").is_some_and(|pause| pause > kind.retry_backoff) {
        let what = format!("`retry.backoff.ms` of `{name}` is above `retry.backoff.max.ms`: the pause is always {}", kind.retry_backoff);
        warn(problems, table.place_of("retry.backoff.ms"), (what, "write both"));
    }
}

fn consumer(config: &Config, kind: &ConsumerConfig, (name, table): (&str, &Reader<'_>), problems: &mut Found) {
    if kind.reset == Reset::Latest && !table.has("auto.offset.reset") {
        let what = format!(
            "a new group begins at the end: what is there before `{name}` has its partitions is never read (`auto.offset.reset` is `latest` by default)"
        );
        warn(
            problems,
            table.place_of("auto.offset.reset"),
            (what, "write `auto.offset.reset = \"earliest\"`, or `\"latest\"` if that is meant"),
        );
    }
    if kind.reset == Reset::None {
        let what = format!("`{name}` stops with an error as long as its group has no positions, and a new group has none");
        warn(problems, table.place_of("auto.offset.reset"), (what, "write `\"earliest\"` or `\"latest\"`"));
    }
    let transactional =
        config.producers.iter().chain(config.processors.iter().map(|other| &other.producer)).any(|other| other.transactions.is_some());
    if transactional && !kind.read_committed && !table.has("isolation.level") {
        let what = format!("`{name}` reads records of open and aborted transactions: `isolation.level` is `read_uncommitted` by default");
        warn(
            problems,
            table.place_of("isolation.level"),
            (what, "write `isolation.level = \"read_committed\"`, or `\"read_uncommitted\"` if that is meant"),
        );
    }
    if kind.fetch_min_bytes > kind.fetch_max_bytes {
        let what = format!(
            "`fetch.min.bytes` of `{name}` is above `fetch.max.bytes`: every fetch waits for `fetch.max.wait.ms` ({})",
            kind.fetch_max_wait
        );
        warn(problems, table.place_of("fetch.min.bytes"), (what, "make it smaller"));
    }
    if kind.fetch_max_wait >= kind.request_timeout {
        let what = format!(
            "`fetch.max.wait.ms` of `{name}` ({}) is not below `request.timeout.ms` ({}): a fetch that finds nothing ends as a failure",
            kind.fetch_max_wait, kind.request_timeout
        );
        warn(problems, table.place_of("fetch.max.wait.ms"), (what, "make it shorter"));
    }
    if kind.rack.is_some() && !config.broker.rack_aware_selector {
        let what = format!("`client.rack` of `{name}` has no effect: brokers send everybody to leaders");
        warn(problems, table.place_of("client.rack"), (what, "write `broker.replica.selector.class = \"RackAwareReplicaSelector\"`"));
    }
    if let Some(mean) = kind.processing.mean()
        && kind.hand_off.is_none()
        && mean.as_nanos().saturating_mul(u64::from(kind.max_poll_records)) > kind.max_poll_interval.as_nanos()
    {
        let what = format!(
            "{} records at {mean} each take `{name}` longer than `max.poll.interval.ms` ({}): it is thrown out of its group at work",
            kind.max_poll_records, kind.max_poll_interval
        );
        warn(problems, table.place_of("processing"), (what, "make `max.poll.records` smaller or `max.poll.interval.ms` longer"));
    }
}

fn application(config: &Config, kind: &ConsumerConfig, (name, table): (&str, &Reader<'_>), problems: &mut Found) {
    if kind.hand_off.is_some() && kind.commit != Commit::Before {
        let what = format!("`{name}` commits what it has handed to its threads, processed or not");
        warn(problems, table.place_of("hand_off"), (what, "leave `hand_off` out, or accept that a crash loses what threads have in hand"));
    }
    let retention = config.broker.offsets_retention;
    if let Some(visits) = kind.visits
        && visits.every.is_some_and(|every| every - visits.stay > retention)
        && kind.commit != Commit::WithEffect
    {
        let what = format!("`{name}` is away for longer than its positions are kept ({retention}): it begins anew each time");
        warn(problems, table.place_of("runs"), (what, "make `broker.offsets.retention.minutes` longer"));
    }
}

/// More members than partitions.
fn groups(config: &Config, reader: &Reader<'_>, problems: &mut Found) {
    for (at, group) in config.groups.iter().enumerate() {
        let of = |kind: &&ConsumerConfig| kind.group.index() == at;
        let members: Vec<&ConsumerConfig> =
            config.consumers.iter().chain(config.processors.iter().map(|processor| &processor.consumer)).filter(of).collect();
        let count: u32 = members.iter().map(|kind| kind.count).sum();
        let partitions: u32 = group.subscriptions.iter().map(|(topic, _)| config.topics[topic.index()].partitions).sum();
        if count > partitions {
            let (idle, plural) = (count - partitions, if partitions == 1 { "" } else { "s" });
            let what =
                format!("{idle} of the {count} members of `{}` have nothing to do: it reads {partitions} partition{plural}", group.name);
            warn(problems, reader.place_of("consumer"), (what, "they stand by; give the topic more partitions to spread the work"));
        }
    }
}
