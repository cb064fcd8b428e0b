//! Every warning, with its sentence.

use super::{read, sentences};

/// A topic that nobody has anything against.
const TOPIC: &str = "topic.a = { replication.factor = 3, min.insync.replicas = 2 }\n";

/// What stands beside [`TOPIC`], and the only problem that it has.
const WEAK: &[(&str, &str)] = &[
    // Brokers.
    (
        "broker.broker.session.timeout.ms = 3000",
        "`broker.heartbeat.interval.ms` (2s) is more than half of `broker.session.timeout.ms` (3s): one late heartbeat fences a broker",
    ),
    ("controllers = 4", "4 `controllers` bear no more failures than 3"),
    ("broker.replica.selector.class = \"RackAwareReplicaSelector\"", "`replica.selector.class` has no effect: brokers have no racks"),
    // Topics.
    (
        "topic.b = { replication.factor = 2, min.insync.replicas = 3 }",
        "`b` can never be written with `acks=all`: `min.insync.replicas` is 3, and there are 2 copies",
    ),
    ("topic.b.replication.factor = 3", "`acks=all` may be the leader of `b` alone: `min.insync.replicas` is 1 by default"),
    ("topic.b = {}", "`b` has one copy by default: it is away with its broker, and what was not synced goes with the power"),
    (
        "version = \"0.8\"\nproducer.acks = \"all\"",
        "a replica that has missed acknowledged records may lead `a`: `unclean.leader.election.enable` is true by default in Kafka 0.8",
    ),
    (
        "producer.batch.size = \"2MB\"",
        "batches of `producer` may have 2000000 bytes, and `a` takes 1048588: they are refused as MESSAGE_TOO_LARGE",
    ),
    (
        "topic.b = { replication.factor = 1, cleanup.policy = \"compact\", retention.ms = 1000 }",
        "`retention.ms` of `b` has no effect: its `cleanup.policy` is compact",
    ),
    (
        "topic.b = { replication.factor = 1, min.compaction.lag.ms = 1000 }",
        "`min.compaction.lag.ms` of `b` has no effect: its `cleanup.policy` is delete",
    ),
    // Producers.
    (
        "producer = { acks = 1, enable.idempotence = false, max.in.flight.requests.per.connection = 1 }",
        "`min.insync.replicas` of `a` does not concern `producer`: it counts with `acks=all` only",
    ),
    ("producer.retries = 0", "idempotence is switched off without a word: an idempotent producer has `retries` above 0"),
    (
        "producer.max.in.flight.requests.per.connection = 6",
        "idempotence is switched off without a word: an idempotent producer has at most 5 requests in flight",
    ),
    (
        "producer.request.timeout.ms = 200000",
        "`delivery.timeout.ms` (120s) is raised to `linger.ms` + `request.timeout.ms` (200s) without a word",
    ),
    (
        "producer.enable.idempotence = false",
        "a batch of `producer` that is sent again may be overtaken: 5 requests may be in flight by default",
    ),
    (
        "producer = { enable.idempotence = false, request.timeout.ms = 20000, max.in.flight.requests.per.connection = 1 }",
        "`request.timeout.ms` of `producer` (20s) is below `replica.lag.time.max.ms` (30s): while a follower is away, writes are repeated that are stored already",
    ),
    ("producer.retry.backoff.ms = 2000", "`retry.backoff.ms` of `producer` is above `retry.backoff.max.ms`: the pause is always 1s"),
    // Consumers.
    (
        "consumer.group.id = \"g\"",
        "a new group begins at the end: what is there before `consumer` has its partitions is never read (`auto.offset.reset` is `latest` by default)",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"none\" }",
        "`consumer` stops with an error as long as its group has no positions, and a new group has none",
    ),
    (
        "producer.transactional.id = \"t\"\nconsumer = { group.id = \"g\", auto.offset.reset = \"earliest\" }",
        "`consumer` reads records of open and aborted transactions: `isolation.level` is `read_uncommitted` by default",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", fetch.min.bytes = \"60MiB\" }",
        "`fetch.min.bytes` of `consumer` is above `fetch.max.bytes`: every fetch waits for `fetch.max.wait.ms` (500ms)",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", fetch.max.wait.ms = 30000 }",
        "`fetch.max.wait.ms` of `consumer` (30s) is not below `request.timeout.ms` (30s): a fetch that finds nothing ends as a failure",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", client.rack = \"x\" }",
        "`client.rack` of `consumer` has no effect: brokers send everybody to leaders",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", processing = \"1s\" }",
        "500 records at 1s each take `consumer` longer than `max.poll.interval.ms` (5m): it is thrown out of its group at work",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", hand_off = 4 }",
        "`consumer` commits what it has handed to its threads, processed or not",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", runs = { every = \"8d\", for = \"1h\" } }",
        "`consumer` is away for longer than its positions are kept (7d): it begins anew each time",
    ),
    (
        "consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", count = 3 }",
        "2 of the 3 members of `g` have nothing to do: it reads 1 partition",
    ),
];

#[test]
fn what_kafka_weakens_silently_is_warned_about() {
    let mut wrong = Vec::new();
    for (text, what) in WEAK {
        let (config, problems) = read(&format!("{TOPIC}{text}"));
        if sentences(&problems) != [*what] || config.is_none() {
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
fn too_few_brokers_for_internal_topics_are_warned_about() {
    let text = "brokers = 1\ntopic.a = { replication.factor = 1 }\nproducer.transactional.id = \"t\"\n\
        consumer = { group.id = \"g\", auto.offset.reset = \"earliest\", isolation.level = \"read_committed\" }";
    let (config, problems) = read(text);
    let expected = [
        "`__consumer_offsets` needs 3 brokers by default, and there is 1 broker: it is read as `offsets.topic.replication.factor = 1`",
        "`__transaction_state` needs 3 brokers by default, and there is 1 broker: it is read as `transaction.state.log.replication.factor = 1`",
    ];
    assert_eq!(sentences(&problems), expected);
    let config = config.expect("only warnings");
    let internal: Vec<(u32, u32)> = config.topics[1..].iter().map(|topic| (topic.replication_factor, topic.min_insync_replicas)).collect();
    assert_eq!(internal, [(1, 1), (1, 1)]);
}
