//! What the table `[model.kafka]` says, refuses, warns about and prints back.

use crate::base::Problem;
use crate::base::value::Table;

use super::super::config::Config;

mod random;
mod refused;
mod versions;
mod warned;

/// What a table says, and every problem in it.
pub(in super::super) fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    let (table, mut problems) = Table::parse("kafka.toml", text);
    let config = super::config(&table, &mut problems);
    (config, problems)
}

/// What a table says that is right.
#[track_caller]
pub(in super::super) fn config(text: &str) -> Config {
    let (config, problems) = read(text);
    config.unwrap_or_else(|| panic!("{text}\n{problems:?}"))
}

/// The sentences of all problems.
fn sentences(problems: &[Problem]) -> Vec<&str> {
    problems.iter().map(|problem| problem.what.as_str()).collect()
}

#[test]
fn the_sample_of_the_design_is_read() {
    let (config, problems) = read(
        "brokers = 3\nbroker.unclean.leader.election.enable = false\n\
        topic.orders = { partitions = 6, replication.factor = 3, min.insync.replicas = 2 }\n\
        producer = { count = 4, acks = \"all\" }\n\
        consumer = { count = 2, group.id = \"billing\", enable.auto.commit = false, auto.offset.reset = \"earliest\" }",
    );
    assert_eq!(problems, []);
    let config = config.expect("nothing is wrong");
    let names: Vec<String> = config.roster().nodes.into_iter().map(|node| node.name).collect();
    assert_eq!(names[..4], ["broker-1", "broker-2", "broker-3", "controller-1"]);
    assert_eq!(names[6..], ["producer-1", "producer-2", "producer-3", "producer-4", "consumer-1", "consumer-2"]);
    let objects: Vec<String> = config.objects().into_iter().map(|object| object.name).collect();
    assert_eq!(objects, ["orders", "orders/0", "orders/1", "orders/2", "orders/3", "orders/4", "orders/5", "billing"]);
    assert_eq!(config.partitions.len(), 6 + 1, "one partition of positions is somebody's home");
    // "billing".hashCode() is -109829509, and 109829509 mod 50 is 9.
    assert_eq!(config.part_name(config.groups[0].home), "__consumer_offsets/9");
}

#[test]
fn dotted_keys_may_be_quoted() {
    let dotted =
        config("topic.a = { replication.factor = 3, min.insync.replicas = 2 }\nproducer.max.in.flight.requests.per.connection = 1");
    let quoted = config(
        "topic.a = { \"replication.factor\" = 3, \"min.insync.replicas\" = 2 }\nproducer.\"max.in.flight.requests.per.connection\" = 1",
    );
    assert_eq!(dotted, quoted);
}

#[test]
fn numbers_are_read_as_kafka_writes_them() {
    let bare = "topic.a = { retention.ms = 3600000, retention.bytes = 1048576, flush.messages = 1 }\n\
        producer = { acks = -1, linger.ms = 20 }\nbroker = { log.retention.hours = -1, offsets.retention.minutes = 60 }";
    let named = "topic.a = { retention.ms = \"1h\", retention.bytes = \"1MiB\", flush.messages = 1 }\n\
        producer = { acks = \"all\", linger.ms = \"20ms\" }\nbroker = { log.retention.ms = -1, offsets.retention.minutes = \"1h\" }";
    assert_eq!(config(bare), config(named));
}

#[test]
fn places_and_homes_agree() {
    let config = config(
        "brokers = 2\ntopic.a = { partitions = 2 }\ntopic.b = {}\nproducers.x = { count = 2, transactional.id = \"tx\" }\n\
        producers.y = { count = 1 }\nconsumer = { topics = [\"b\", \"a\"], group.id = \"g\", sink = \"idempotent\" }\n\
        processor = { from = \"a\", to = \"b\", group.id = \"p\", transactional.id = \"q\" }",
    );
    let roster = config.roster();
    let name = |node: crate::base::NodeId| roster.nodes[node.index()].name.as_str();
    let transactional: Vec<(&str, &str)> = config.transactional.iter().map(|id| (id.name.as_str(), name(id.node))).collect();
    assert_eq!(transactional, [("tx-1", "x-1"), ("tx-2", "x-2"), ("q", "processor-1")]);
    assert_eq!(config.places.store.map(name), Some("store"));
    for group in &config.groups {
        assert_eq!(config.topic_of(group.home).name, "__consumer_offsets");
    }
    for id in &config.transactional {
        assert_eq!(config.topic_of(id.home).name, "__transaction_state");
    }
    let objects: Vec<String> = config.objects().into_iter().map(|object| object.name).collect();
    assert_eq!(objects, ["a", "b", "a/0", "a/1", "b/0", "g@a", "g@b", "p"]);
    assert_eq!(config.topics.iter().map(|topic| topic.partitions).sum::<u32>() as usize, config.partitions.len());
}

#[test]
fn builds_without_mutants_refuse_them() {
    let (config, problems) = read("topic.a = { replication.factor = 3, min.insync.replicas = 2 }\nmutant = \"elects_anybody\"");
    assert_eq!(config.is_some(), cfg!(feature = "mutants"));
    assert_eq!(problems.len(), usize::from(!cfg!(feature = "mutants")));
}
