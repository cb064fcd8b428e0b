//! Random tables: read, printed, and read again.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::super::super::print;
use super::read;

/// Some of a list of settings, in a table.
fn some(of: &'static [&'static str]) -> impl Strategy<Value = String> {
    subsequence(of, 0..=of.len().min(5)).prop_map(|keys| keys.iter().map(|key| format!(", {key}")).collect())
}

const TOPIC: &[&str] = &[
    "replication.factor = 2",
    "min.insync.replicas = 2",
    "unclean.leader.election.enable = true",
    "cleanup.policy = \"compact\"",
    "retention.ms = -1",
    "retention.bytes = \"3MB\"",
    "segment.bytes = \"2MiB\"",
    "segment.ms = 5000",
    "flush.messages = 1",
    "flush.ms = 1000",
    "max.message.bytes = 20000",
    "min.cleanable.dirty.ratio = 0.125",
    "min.compaction.lag.ms = 7",
];

const BROKER: &[&str] = &[
    "num.partitions = 4",
    "default.replication.factor = 3",
    "min.insync.replicas = 2",
    "unclean.leader.election.enable = true",
    "log.retention.minutes = 5",
    "log.roll.hours = 3",
    "log.flush.interval.messages = 10",
    "message.max.bytes = 500000",
    "replica.lag.time.max.ms = 4000",
    "replica.fetch.max.bytes = 600000",
    "broker.session.timeout.ms = 6000",
    "zookeeper.session.timeout.ms = 5000",
    "controller.quorum.fetch.timeout.ms = 1500",
    "auto.leader.rebalance.enable = false",
    "offsets.topic.num.partitions = 7",
    "offsets.topic.replication.factor = 1",
    "transaction.state.log.min.isr = 1",
    "offsets.retention.minutes = 90",
    "group.initial.rebalance.delay.ms = 0",
    "replica.selector.class = \"RackAwareReplicaSelector\"",
    "transaction.partition.verification.enable = false",
    "group.consumer.session.timeout.ms = 20000",
];

const CLIENT: &[&str] = &[
    "request.timeout.ms = 50000",
    "retry.backoff.ms = 3000",
    "retry.backoff.max.ms = 5000",
    "reconnect.backoff.ms = 70",
    "reconnect.backoff.max.ms = 900",
    "metadata.max.age.ms = 1000",
];

const PRODUCER: &[&str] = &[
    "acks = 1",
    "acks = \"0\"",
    "enable.idempotence = true",
    "enable.idempotence = false",
    "retries = 0",
    "retries = 7",
    "delivery.timeout.ms = 60000",
    "linger.ms = 10",
    "batch.size = 1000",
    "max.in.flight.requests.per.connection = 1",
    "max.in.flight.requests.per.connection = 9",
    "partitioner.class = \"RoundRobinPartitioner\"",
    "partitioner.class = \"UniformStickyPartitioner\"",
    "partitioner.ignore.keys = true",
];

const TRANSACTIONS: &[&str] =
    &["transaction.timeout.ms = 9000", "transaction_records = 3", "transaction_linger = \"20ms\"", "abort_every = 4"];

const CONSUMER: &[&str] = &[
    "group.instance.id = \"me\"",
    "group.protocol = \"consumer\"",
    "group.remote.assignor = \"range\"",
    "partition.assignment.strategy = \"CooperativeStickyAssignor\"",
    "partition.assignment.strategy = [\"RoundRobinAssignor\", \"range\"]",
    "client.rack = \"a\"",
    "session.timeout.ms = 8000",
    "heartbeat.interval.ms = 1000",
    "max.poll.interval.ms = 60000",
    "max.poll.records = 20",
    "fetch.max.bytes = 9000",
    "isolation.level = \"read_committed\"",
    "auto.offset.reset = \"earliest\"",
    "auto.offset.reset = \"none\"",
    "processing = { law = \"exponential\", floor = \"1ms\", mean = \"3ms\" }",
];

const APPLICATION: &[&str] = &[
    "enable.auto.commit = false",
    "auto.commit.interval.ms = 1000",
    "commit = \"before\"",
    "commit = \"with_effect\"",
    "hand_off = 3",
    "sink = \"idempotent\"",
    "runs = { from = \"1s\", every = \"1m\", for = \"10s\" }",
];

const WHOLE: &[&str] = &[
    "racks = [\"a\", \"b\", \"a\"]",
    "joins.broker-3 = \"30s\"",
    "mechanisms.truncation = \"high_watermark\"",
    "mechanisms.control = \"zookeeper\"",
    "mechanisms.eligible.leader.replicas.version = 1",
    "mechanisms.transaction.version = 2",
    "mechanisms.pre_vote = true",
    "task.move = { at = \"20s\", reassign = \"a/0\", replicas = [3, \"broker-1\"] }",
    "task.lead = { at = \"30s\", elect = \"preferred\" }",
    "task.force = { at = \"40s\", elect = \"unclean\", of = \"b/0\" }",
    "task.make = { at = \"1s\", create = \"b\" }",
    "controllers = 5",
];

/// A table, with its version.
fn table() -> impl Strategy<Value = String> {
    let clients = (some(CLIENT), some(PRODUCER), some(CLIENT), some(CONSUMER), some(APPLICATION), any::<bool>());
    let whole = (some(BROKER), some(TOPIC), subsequence(WHOLE, 0..4), some(TRANSACTIONS), some(CONSUMER), any::<[bool; 4]>());
    (0usize..5, clients, whole).prop_map(|(version, (client, producer, other, consumer, application, single), whole)| {
        let version = ["0.8", "0.11", "2.8", "3.9", "4.0"][version];
        let (broker, topic, lines, transactions, reading, [with_consumer, with_transactions, with_processor, several]) = whole;
        let mut text = format!("version = \"{version}\"\nbroker = {{ replica.fetch.min.bytes = 1{broker} }}\n");
        text += &format!("topic.a = {{ partitions = 2{topic} }}\ntopic.b = {{ }}\n");
        let name = if single { "producer" } else { "producers.p" };
        let (id, transactions) = if with_transactions { (", transactional.id = \"t\"", transactions) } else { ("", String::new()) };
        let count = if several { 3 } else { 1 };
        text += &format!("{name} = {{ count = {count}{id}{transactions}{producer}{client} }}\n");
        if with_consumer {
            let name = if single { "consumers.consumer" } else { "consumers.c" };
            text += &format!("{name} = {{ topics = \"a\", group.id = \"g\", count = 2{consumer}{application}{other} }}\n");
        }
        if with_processor {
            text += &format!("processor = {{ from = \"a\", to = \"b\", count = {count}, group.id = \"h\"{reading}{client}{producer} }}\n");
        }
        text + &lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Whatever stands in a table, it is read or refused, and never a panic; what is read is printed so that it reads the same.
    #[test]
    fn a_printed_table_reads_the_same(text in table()) {
        let (first, _) = read(&text);
        if let Some(first) = first {
            let printed = print::toml(&first);
            let (again, problems) = read(&printed);
            prop_assert_eq!(Some(&first), again.as_ref(), "{}\n{}\n{:?}", text, printed, problems);
            prop_assert_eq!(print::toml(&first), printed);
        }
    }
}

#[test]
fn many_random_tables_are_right() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut right = 0;
    for _ in 0..1000 {
        let text = table().new_tree(&mut runner).expect("a table").current();
        right += usize::from(read(&text).0.is_some());
    }
    assert!(right > 60, "only {right} of 1000 were read: the test above proves little");
}
