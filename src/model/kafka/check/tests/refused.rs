//! Every refusal, with its sentence.

use super::{read, sentences};

/// A topic that nobody has anything against.
const TOPIC: &str = "topic.a = { replication.factor = 3, min.insync.replicas = 2 }\n";

/// What stands beside [`TOPIC`], and the only problem that it has.
const WRONG: &[(&str, &str)] = &[
    // The cluster.
    ("zookeepers = 3", "`zookeepers` belongs to clusters with ZooKeeper"),
    ("version = \"2.8\"\ncontrollers = 3", "`controllers` belongs to clusters with KRaft"),
    ("version = \"3.8\"", "`3.8` is not one of the choices"),
    ("racks = [\"x\"]", "`racks` has 1 names for 3 brokers"),
    ("joins.broker-9 = \"1s\"", "there is no broker `broker-9`"),
    ("joins.broker-3 = \"1s\"", "`a` has replication factor 3, and there are 2 brokers"),
    (
        "version = \"0.11\"\nmechanisms.control = \"kraft\"",
        "Kafka 0.11 does not run with KRaft: it came with 2.8 as a preview, and with 3.3 for use",
    ),
    (
        "version = \"2.8\"\nmechanisms.control = \"kraft\"",
        "Kafka 2.8 does not run with KRaft: it is a preview in 2.8; 3.3 was the first to have it for use",
    ),
    ("version = \"4.0\"\nmechanisms.control = \"zookeeper\"", "Kafka 4.0 does not run with ZooKeeper: it went with 4.0"),
    (
        "mechanisms = { control = \"zookeeper\", eligible.leader.replicas.version = 1 }",
        "`eligible.leader.replicas.version` needs controllers of its own",
    ),
    ("mechanisms = { control = \"zookeeper\", pre_vote = true }", "`pre_vote` needs controllers of its own"),
    (
        "mechanisms = { watermark_needs_min_isr = false, eligible.leader.replicas.version = 1 }",
        "eligible leader replicas rest on a high watermark that needs `min.insync.replicas`",
    ),
    ("mutant = \"elects_anybdy\"", "`elects_anybdy` is no mutant of kafka"),
    // Brokers.
    ("broker.zookeeper.session.timeout.ms = 6000", "`zookeeper.session.timeout.ms` belongs to clusters with ZooKeeper"),
    (
        "mechanisms.control = \"zookeeper\"\nbroker.broker.session.timeout.ms = 6000",
        "`broker.session.timeout.ms` belongs to clusters with KRaft",
    ),
    ("broker.broker.heartbeat.interval.ms = 0", "`broker.heartbeat.interval.ms` is longer than zero"),
    ("broker.log.retention.minutes = 0", "`log.retention.minutes` is -1 (for ever) or longer than zero"),
    (
        "broker = { replica.fetch.wait.max.ms = 600, replica.socket.timeout.ms = 500 }",
        "`replica.fetch.wait.max.ms` (600ms) is above `replica.socket.timeout.ms` (500ms)",
    ),
    ("broker.replica.lag.time.max.ms = 400", "`replica.fetch.wait.max.ms` (500ms) is above `replica.lag.time.max.ms` (400ms)"),
    (
        "version = \"4.0\"\nbroker.group.consumer.session.timeout.ms = 5000",
        "`group.consumer.heartbeat.interval.ms` (5s) is not below `group.consumer.session.timeout.ms` (5s)",
    ),
    ("broker.replica.fetch.max.bytes = \"3GiB\"", "`replica.fetch.max.bytes` is at most 2147483647 in Kafka"),
    ("broker.ssl.keystore.location = \"x\"", "`ssl.keystore.location` is a key of the real system that is not modelled"),
    ("broker.log.dirs = \"x\"", "`log.dirs` is a key of the real system that is not modelled"),
    // Keys that a version does not have.
    ("version = \"2.8\"\nbroker.producer.id.expiration.ms = 1", "Kafka 2.8 has no key `producer.id.expiration.ms`"),
    ("version = \"2.8\"\nproducer.retry.backoff.max.ms = 1", "Kafka 2.8 has no key `retry.backoff.max.ms`"),
    // Topics.
    ("topic.b = { replication.factor = 4 }", "`b` has replication factor 4, and there are 3 brokers"),
    (
        "version = \"4.0\"\ntopic.b = { replication.factor = 1, segment.bytes = \"64KiB\" }",
        "a segment of `b` has 65536 bytes; in Kafka 4.0 it has at least 1048576",
    ),
    ("topic.b = { replication.factor = 1, segment.ms = 0 }", "`segment.ms` is longer than zero"),
    (
        "topic.b = { replication.factor = 1, delete.retention.ms = 1 }",
        "`delete.retention.ms` is a key of the real system that is not modelled",
    ),
    // Producers.
    ("producer = { enable.idempotence = true, acks = 1 }", "an idempotent producer has `acks = \"all\"`"),
    ("producer = { enable.idempotence = true, retries = 0 }", "an idempotent producer has `retries` above 0"),
    (
        "producer = { enable.idempotence = true, max.in.flight.requests.per.connection = 6 }",
        "an idempotent producer has at most 5 requests in flight",
    ),
    ("version = \"4.0\"\nproducer.max.in.flight.requests.per.connection = 6", "an idempotent producer has at most 5 requests in flight"),
    ("version = \"2.8\"\nproducer = { transactional.id = \"t\", acks = 1 }", "an idempotent producer has `acks = \"all\"`"),
    (
        "version = \"0.11\"\nproducer = { enable.idempotence = true, max.in.flight.requests.per.connection = 5 }",
        "an idempotent producer has at most 1 requests in flight",
    ),
    ("producer = { transactional.id = \"t\", enable.idempotence = false }", "`transactional.id` needs idempotence, and that is off"),
    ("producer = { transactional.id = \"t\", acks = 1 }", "`transactional.id` needs idempotence, and that is off"),
    (
        "version = \"2.8\"\nproducer = { transactional.id = \"t\", enable.idempotence = false }",
        "`transactional.id` needs idempotence, and that is off",
    ),
    ("producer.delivery.timeout.ms = 20000", "`delivery.timeout.ms` (20s) is below `linger.ms` + `request.timeout.ms` (30s)"),
    ("producer.request.timeout.ms = 0", "`request.timeout.ms` is longer than zero"),
    ("producer.transaction_records = 3", "`transaction_records` belongs to a producer with `transactional.id`"),
    ("producer.transactional.id = \"\"", "`transactional.id` is not empty"),
    (
        "producer = { transactional.id = \"t\", transaction.timeout.ms = 1000000 }",
        "`transaction.timeout.ms` (1000s) is above the brokers' `transaction.max.timeout.ms` (15m)",
    ),
    (
        "producer = { transactional.id = \"t\", transaction_linger = \"60s\" }",
        "`transaction_linger` (60s) is not below `transaction.timeout.ms` (60s)",
    ),
    ("producers = { x.transactional.id = \"t\", y.transactional.id = \"t\" }", "two producers have the transactional id `t`"),
    ("version = \"0.11\"\nproducer.partitioner.class = \"RoundRobinPartitioner\"", "Kafka 0.11 has no `RoundRobinPartitioner`"),
    ("version = \"4.0\"\nproducer.partitioner.class = \"UniformStickyPartitioner\"", "Kafka 4.0 has no `UniformStickyPartitioner`"),
    ("producer.compression.type = \"zstd\"", "`compression.type` is a key of the real system that is not modelled"),
    // Consumers.
    ("consumer = {}", "`model.kafka.consumer` subscribes without a `group.id`"),
    ("consumer = { group.id = \"g\", topics = \"b\" }", "there is no topic `b`"),
    ("topic.b = { replication.factor = 1 }\nconsumer.group.id = \"g\"", "`model.kafka.consumer` does not say which topics it reads"),
    (
        "consumer = { group.id = \"g\", commit = \"after\", enable.auto.commit = true }",
        "`commit = \"after\"` contradicts `enable.auto.commit = true`",
    ),
    (
        "consumer = { group.id = \"g\", enable.auto.commit = false, auto.commit.interval.ms = 100 }",
        "`auto.commit.interval.ms` belongs to `enable.auto.commit = true`",
    ),
    (
        "consumer = { group.id = \"g\", commit = \"with_effect\", hand_off = 2 }",
        "`hand_off` belongs to commits other than `\"with_effect\"`",
    ),
    (
        "consumer = { group.id = \"g\", commit = \"with_effect\", sink = \"idempotent\" }",
        "`sink` belongs to commits other than `\"with_effect\"`",
    ),
    ("consumer = { group.id = \"g\", runs = { every = \"1m\", for = \"2m\" } }", "the consumer starts again before it has stopped"),
    (
        "consumer = { group.id = \"g\", heartbeat.interval.ms = 45000 }",
        "`heartbeat.interval.ms` (45s) is not below `session.timeout.ms` (45s)",
    ),
    ("consumer = { group.id = \"g\", session.timeout.ms = 5000 }", "`session.timeout.ms` (5s) is outside of what brokers take (6s to 30m)"),
    (
        "version = \"0.11\"\nconsumer = { group.id = \"g\", request.timeout.ms = 9000 }",
        "`request.timeout.ms` (9s) is not above `session.timeout.ms` (10s) and `fetch.max.wait.ms` (500ms)",
    ),
    ("consumer = { group.id = \"g\", group.protocol = \"consumer\" }", "Kafka 3.9 has `group.protocol = \"consumer\"` only as a preview"),
    (
        "version = \"4.0\"\nconsumer = { group.id = \"g\", group.protocol = \"consumer\", session.timeout.ms = 9000 }",
        "`session.timeout.ms` belongs to `group.protocol = \"classic\"`",
    ),
    (
        "consumer = { group.id = \"g\", group.remote.assignor = \"range\" }",
        "`group.remote.assignor` belongs to `group.protocol = \"consumer\"`",
    ),
    ("consumer = { group.id = \"g\", partition.assignment.strategy = [] }", "`partition.assignment.strategy` names at least one"),
    (
        "version = \"0.11\"\nconsumer = { group.id = \"g\", partition.assignment.strategy = \"CooperativeStickyAssignor\" }",
        "Kafka 0.11 has no assignor `cooperative-sticky`",
    ),
    (
        "consumers = { x = { group.id = \"g\" }, y = { group.id = \"g\", partition.assignment.strategy = \"sticky\" } }",
        "`y` and `x` are in the group `g` and do not spread partitions in the same way",
    ),
    ("consumer = { group.id = \"g\", key.deserializer = \"x\" }", "`key.deserializer` is a key of the real system that is not modelled"),
    // Names.
    ("producers.broker = {}", "a kind of nodes cannot be called `broker`"),
    ("producer = {}\nproducers.producer = {}", "`producer` names two kinds of nodes"),
    ("producers = { x-1 = {}, x = { count = 2 } }", "`x-1` names both nodes and a kind of nodes"),
    // Processors.
    ("processor = { from = \"a\", to = \"a\", group.id = \"g\" }", "a processor that writes what it reads never comes to an end"),
    (
        "topic.b = { replication.factor = 1 }\nprocessor = { from = \"a\", to = \"b\", group.id = \"g\", enable.auto.commit = true }",
        "`enable.auto.commit` is a key of the real system that is not modelled",
    ),
    (
        "topic.b = { replication.factor = 1 }\nprocessors = { x = { from = \"a\", to = \"b\", group.id = \"g\" }, y = { from = \"b\", to = \"a\", group.id = \"h\" } }",
        "`x` is in a circle of processors",
    ),
    (
        "topic.b = { replication.factor = 1 }\ntopic.c = { replication.factor = 1 }\nprocessors = { x = { from = \"a\", to = \"c\", group.id = \"g\" }, y = { from = \"b\", to = \"c\", group.id = \"h\" } }",
        "`x` and `y` write `c` from different topics",
    ),
    ("processor = { from = \"a\", to = \"z\", group.id = \"g\" }", "there is no topic `z`"),
    // Internal topics.
    (
        "consumer.group.id = \"g\"\nbroker.offsets.topic.replication.factor = 4",
        "`__consumer_offsets` has replication factor 4, and there are 3 brokers",
    ),
    // Tasks.
    ("task.t = { at = \"1s\" }", "the task `t` is not one of `reassign`, `elect`, `create`"),
    ("task.t = { at = \"1s\", elect = \"preferred\", create = \"a\" }", "the task `t` is not one of `reassign`, `elect`, `create`"),
    ("task.t = { at = \"1s\", elect = \"preferred\", of = \"a/0\" }", "`of` belongs to `elect = \"unclean\"`"),
    ("task.t = { at = \"1s\", elect = \"unclean\" }", "`elect = \"unclean\"` needs `of`"),
    ("task.t = { at = \"1s\", create = \"a\", replicas = [1] }", "`replicas` belongs to `reassign`"),
    ("task.t = { at = \"1s\", reassign = \"a/0\" }", "`reassign = \"a/0\"` needs `replicas`"),
    ("task.t = { at = \"1s\", reassign = \"a/1\", replicas = [1] }", "there is no partition `a/1`"),
    ("task.t = { at = \"1s\", reassign = \"a\", replicas = [1] }", "`a` is no partition"),
    ("task.t = { at = \"1s\", reassign = \"a/0\", replicas = [1, \"broker-1\"] }", "`broker-1` is named twice"),
    ("task.t = { at = \"1s\", reassign = \"a/0\", replicas = [4] }", "there is no broker `4`"),
    ("task = { s = { at = \"1s\", create = \"a\" }, t = { at = \"2s\", create = \"a\" } }", "`a` is created twice"),
];

#[test]
fn what_kafka_refuses_is_refused() {
    let mut wrong = Vec::new();
    for (text, what) in WRONG {
        let (config, problems) = read(&format!("{TOPIC}{text}"));
        if sentences(&problems) != [*what] || config.is_some() {
            wrong.push(format!(
                "{text}
  expected: {what}
  found: {:#?}",
                sentences(&problems)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}",
        wrong.join(
            "
"
        )
    );
}

#[test]
fn tables_without_a_topic_or_a_broker_are_refused() {
    assert_eq!(sentences(&read("").1), ["there is no topic"]);
    let none = "brokers = 1\njoins.broker-1 = \"1s\"\ntopic.a = { replication.factor = 1 }";
    assert_eq!(sentences(&read(none).1), ["no broker is there at the beginning", "`a` has replication factor 1, and there are 0 brokers"]);
    let old = "version = \"0.8\"\ntopic.a = { replication.factor = 1, unclean.leader.election.enable = false }\n";
    let small = format!("{old}broker = {{ replica.fetch.max.bytes = 1000 }}");
    assert_eq!(sentences(&read(&small).1), ["`replica.fetch.max.bytes` (1000) is below `message.max.bytes` (1000012)"]);
}

#[test]
fn keys_that_came_later_or_are_gone_are_refused_by_name() {
    let places = [("broker", "broker"), ("topic", "topic.a"), ("producer", "producer"), ("consumer", "consumer")];
    let samples = [
        ("broker", "transaction.max.timeout.ms = 1000", "0.8", "it came with 0.11 (KIP-98)"),
        ("broker", "zookeeper.session.timeout.ms = 1000", "4.0", "it went with ZooKeeper in 4.0"),
        ("broker", "group.consumer.session.timeout.ms = 50000", "3.9", "it came with 4.0 (KIP-848), after a preview"),
        ("topic", "min.compaction.lag.ms = 1000", "0.8", "it came with 0.10.1 (KIP-58)"),
        ("producer", "enable.idempotence = true", "0.8", "it came with 0.11 (KIP-98); on by default from 3.0 on (KIP-679)"),
        ("producer", "transactional.id = \"t\"", "0.8", "it came with 0.11 (KIP-98)"),
        ("producer", "delivery.timeout.ms = 60000", "0.11", "it came with 2.1 (KIP-91)"),
        ("consumer", "group.instance.id = \"i\"", "0.11", "it came with 2.3 (KIP-345)"),
        ("consumer", "isolation.level = \"read_committed\"", "0.8", "it came with 0.11 (KIP-98)"),
        ("consumer", "client.rack = \"r\"", "0.11", "it came with 2.4 (KIP-392)"),
        ("consumer", "group.protocol = \"classic\"", "2.8", "it came with 3.7 (KIP-848)"),
    ];
    for (part, setting, version, hint) in samples {
        let (_, table) = places.iter().find(|(of, _)| *of == part).expect("a place for it");
        let more = if part == "consumer" { "consumer.group.id = \"g\"\n" } else { "" };
        let text = format!("version = \"{version}\"\n{more}topic.a.partitions = 1\n{table}.{setting}");
        let key = setting.split(' ').next().expect("a key");
        let (config, problems) = read(&text);
        let what = format!("Kafka {version} has no key `{key}`");
        let found = problems.iter().find(|problem| problem.what == what).unwrap_or_else(|| panic!("{text}\n{problems:?}"));
        assert_eq!(found.hint.as_deref(), Some(hint), "{text}");
        assert!(config.is_none(), "{text}");
    }
}
