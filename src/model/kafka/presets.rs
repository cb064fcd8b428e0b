//! Which keys each version of Kafka has, and what holds for them when they are not written.
//!
//! Sources: the tables of settings in the documentation of 0.8.2, 0.9 (clients of `"0.8"`), 0.11, 2.8 and 3.9, the sources of
//! the same versions, and of 4.0 the upgrade notes and KIP-1030 (S:kafka). A row names what its differences come from.

use crate::base::value::{KeySpec, Reader, Table, key_text, quoted};

use super::config::Version;
use super::keys::{BROKER, CONSUMER, PRODUCER, TOPIC};

/// What a key is in a version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// It is there, with this default.
    Is(&'static str),
    /// It is there, without a default.
    Unset,
    /// It is not there; the system behaves as with this value.
    Not(&'static str),
    /// It is not there, and nothing is in its place.
    Nothing,
}

use Cell::{Is, Not, Nothing, Unset};

/// Whose keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Of brokers and controllers.
    Broker,
    /// Of topics.
    Topic,
    /// Of producers.
    Producer,
    /// Of consumers.
    Consumer,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 4] = [Part::Broker, Part::Topic, Part::Producer, Part::Consumer];

    const fn keys(self) -> &'static [KeySpec] {
        match self {
            Part::Broker => BROKER,
            Part::Topic => TOPIC,
            Part::Producer => PRODUCER,
            Part::Consumer => CONSUMER,
        }
    }
}

/// A key in all versions.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Whose key.
    pub part: Part,
    /// Its name.
    pub key: &'static str,
    /// What it is in 0.8, 0.11, 2.8, 3.9, 4.0.
    pub cells: [Cell; 5],
    /// When it came, went, or changed, and by what.
    pub history: &'static str,
}

impl Row {
    /// What the key is in a version.
    #[must_use]
    pub fn in_version(&self, version: Version) -> Cell {
        Version::ALL.iter().zip(self.cells).find(|(of, _)| **of == version).map_or(Nothing, |(_, cell)| cell)
    }
}

const fn row(part: Part, key: &'static str, cells: [Cell; 5], history: &'static str) -> Row {
    Row { part, key, cells, history }
}

/// The same in all versions.
const fn same(part: Part, key: &'static str, value: &'static str) -> Row {
    row(part, key, [Is(value); 5], "")
}

/// Not in the first so many versions, where the system behaves as with another value.
const fn since(part: Part, key: &'static str, (first, before): (usize, Cell), cell: Cell, history: &'static str) -> Row {
    let mut cells = [cell; 5];
    let mut at = 0;
    while at < first {
        cells[at] = before;
        at += 1;
    }
    row(part, key, cells, history)
}

const BROKERS: &[Row] = &{
    use Part::Broker as B;
    [
        same(B, "num.partitions", "1"),
        same(B, "default.replication.factor", "1"),
        same(B, "min.insync.replicas", "1"),
        row(
            B,
            "unclean.leader.election.enable",
            [Is("true"), Is("false"), Is("false"), Is("false"), Is("false")],
            "off by default from 0.11 on (KIP-106)",
        ),
        same(B, "log.cleanup.policy", "delete"),
        same(B, "log.retention.hours", "168"),
        same(B, "log.retention.bytes", "-1"),
        same(B, "log.segment.bytes", "1073741824"),
        same(B, "log.roll.hours", "168"),
        row(
            B,
            "message.max.bytes",
            [Is("1000012"), Is("1000012"), Is("1048588"), Is("1048588"), Is("1048588")],
            "1000012 before 2.5 (KAFKA-4203)",
        ),
        same(B, "log.cleaner.min.cleanable.ratio", "0.5"),
        since(B, "log.cleaner.min.compaction.lag.ms", (1, Not("0")), Is("0"), "came with 0.10.1 (KIP-58)"),
        row(B, "replica.lag.time.max.ms", [Is("10000"), Is("10000"), Is("30000"), Is("30000"), Is("30000")], "10s before 2.5 (KIP-537)"),
        same(B, "replica.fetch.wait.max.ms", "500"),
        same(B, "replica.fetch.min.bytes", "1"),
        same(B, "replica.fetch.max.bytes", "1048576"),
        since(B, "replica.fetch.response.max.bytes", (1, Not("2147483647")), Is("10485760"), "came with 0.10.1 (KIP-74)"),
        since(B, "replica.fetch.backoff.ms", (1, Not("1000")), Is("1000"), "came with 0.9"),
        same(B, "replica.socket.timeout.ms", "30000"),
        same(B, "replica.high.watermark.checkpoint.interval.ms", "5000"),
        same(B, "log.flush.offset.checkpoint.interval.ms", "60000"),
        same(B, "log.retention.check.interval.ms", "300000"),
        same(B, "log.cleaner.backoff.ms", "15000"),
        since(B, "replica.selector.class", (2, Nothing), Unset, "came with 2.4 (KIP-392)"),
        since(B, "broker.heartbeat.interval.ms", (3, Not("2000")), Is("2000"), "came with KRaft (KIP-631)"),
        since(B, "broker.session.timeout.ms", (3, Not("9000")), Is("9000"), "came with KRaft (KIP-631)"),
        row(
            B,
            "zookeeper.session.timeout.ms",
            [Is("6000"), Is("6000"), Is("18000"), Is("18000"), Not("18000")],
            "6s before 2.5 (KIP-537); it went with ZooKeeper in 4.0",
        ),
        since(B, "controller.quorum.election.timeout.ms", (3, Not("1000")), Is("1000"), "came with KRaft (KIP-595)"),
        since(B, "controller.quorum.fetch.timeout.ms", (3, Not("2000")), Is("2000"), "came with KRaft (KIP-595)"),
        since(B, "controller.quorum.election.backoff.max.ms", (3, Not("1000")), Is("1000"), "came with KRaft (KIP-595)"),
        since(B, "controller.quorum.request.timeout.ms", (3, Not("2000")), Is("2000"), "came with KRaft (KIP-595)"),
        same(B, "auto.leader.rebalance.enable", "true"),
        same(B, "leader.imbalance.check.interval.seconds", "300"),
        same(B, "controlled.shutdown.enable", "true"),
        same(B, "auto.create.topics.enable", "true"),
    ]
};

const COORDINATORS: &[Row] = &{
    use Part::Broker as B;
    [
        same(B, "offsets.topic.num.partitions", "50"),
        same(B, "offsets.topic.replication.factor", "3"),
        same(B, "offsets.topic.segment.bytes", "104857600"),
        row(
            B,
            "offsets.retention.minutes",
            [Is("1440"), Is("1440"), Is("10080"), Is("10080"), Is("10080")],
            "one day before 2.0 (KIP-186)",
        ),
        same(B, "offsets.commit.timeout.ms", "5000"),
        since(B, "group.initial.rebalance.delay.ms", (1, Not("0")), Is("3000"), "came with 0.11 (KIP-134)"),
        same(B, "group.min.session.timeout.ms", "6000"),
        row(
            B,
            "group.max.session.timeout.ms",
            [Is("30000"), Is("300000"), Is("1800000"), Is("1800000"), Is("1800000")],
            "30s before 0.10.1 (KIP-62), 5m before 2.3 (KIP-345)",
        ),
        since(B, "group.consumer.session.timeout.ms", (4, Not("45000")), Is("45000"), "came with 4.0 (KIP-848), after a preview"),
        since(B, "group.consumer.heartbeat.interval.ms", (4, Not("5000")), Is("5000"), "came with 4.0 (KIP-848), after a preview"),
        since(B, "transaction.state.log.num.partitions", (1, Not("50")), Is("50"), "came with 0.11 (KIP-98)"),
        since(B, "transaction.state.log.replication.factor", (1, Not("3")), Is("3"), "came with 0.11 (KIP-98)"),
        since(B, "transaction.state.log.min.isr", (1, Not("2")), Is("2"), "came with 0.11 (KIP-98)"),
        since(B, "transaction.state.log.segment.bytes", (1, Not("104857600")), Is("104857600"), "came with 0.11 (KIP-98)"),
        since(B, "transaction.max.timeout.ms", (1, Not("900000")), Is("900000"), "came with 0.11 (KIP-98)"),
        row(
            B,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms",
            [Not("60000"), Is("60000"), Is("10000"), Is("10000"), Is("10000")],
            "came with 0.11 (KIP-98); 60s in 0.11",
        ),
        since(B, "transactional.id.expiration.ms", (1, Not("604800000")), Is("604800000"), "came with 0.11 (KIP-98)"),
        since(B, "producer.id.expiration.ms", (3, Not("604800000")), Is("86400000"), "came with 3.4 (KIP-854)"),
        since(B, "transaction.partition.verification.enable", (3, Not("false")), Is("true"), "came with 3.6 (KIP-890)"),
    ]
};

/// A topic's defaults are those of the brokers.
const TOPICS: &[Row] = &[since(Part::Topic, "min.compaction.lag.ms", (1, Nothing), Unset, "came with 0.10.1 (KIP-58)")];

const PRODUCERS: &[Row] = &{
    use Part::Producer as P;
    [
        row(P, "acks", [Is("1"), Is("1"), Is("1"), Is("all"), Is("all")], "1 before 3.0 (KIP-679)"),
        row(
            P,
            "enable.idempotence",
            [Not("false"), Is("false"), Is("false"), Is("true"), Is("true")],
            "came with 0.11 (KIP-98); on by default from 3.0 on (KIP-679)",
        ),
        row(P, "retries", [Is("0"), Is("0"), Is("2147483647"), Is("2147483647"), Is("2147483647")], "none before 2.1 (KIP-91)"),
        since(P, "delivery.timeout.ms", (2, Nothing), Is("120000"), "came with 2.1 (KIP-91)"),
        row(P, "linger.ms", [Is("0"), Is("0"), Is("0"), Is("0"), Is("5")], "5ms from 4.0 on (KIP-1030)"),
        same(P, "request.timeout.ms", "30000"),
        same(P, "batch.size", "16384"),
        same(P, "buffer.memory", "33554432"),
        same(P, "max.block.ms", "60000"),
        same(P, "max.request.size", "1048576"),
        same(P, "max.in.flight.requests.per.connection", "5"),
        since(P, "partitioner.ignore.keys", (3, Not("false")), Is("false"), "came with 3.3 (KIP-794)"),
        since(P, "transactional.id", (1, Nothing), Unset, "came with 0.11 (KIP-98)"),
        since(P, "transaction.timeout.ms", (1, Not("60000")), Is("60000"), "came with 0.11 (KIP-98)"),
        same(P, "retry.backoff.ms", "100"),
        since(P, "retry.backoff.max.ms", (3, Nothing), Is("1000"), "came with 3.7 (KIP-580)"),
        same(P, "reconnect.backoff.ms", "50"),
        since(P, "reconnect.backoff.max.ms", (1, Nothing), Is("1000"), "came with 0.11 (KIP-144)"),
        same(P, "metadata.max.age.ms", "300000"),
    ]
};

const CONSUMERS: &[Row] = &{
    use Part::Consumer as C;
    [
        since(C, "group.instance.id", (2, Nothing), Unset, "came with 2.3 (KIP-345)"),
        since(C, "group.protocol", (3, Not("classic")), Is("classic"), "came with 3.7 (KIP-848)"),
        since(C, "group.remote.assignor", (3, Nothing), Unset, "came with 3.7 (KIP-848)"),
        since(C, "client.rack", (2, Nothing), Unset, "came with 2.4 (KIP-392)"),
        same(C, "partition.assignment.strategy", "RangeAssignor"),
        row(
            C,
            "session.timeout.ms",
            [Is("30000"), Is("10000"), Is("10000"), Is("45000"), Is("45000")],
            "30s before 0.10.1 (KIP-62), 10s before 3.0 (KIP-735)",
        ),
        same(C, "heartbeat.interval.ms", "3000"),
        since(C, "max.poll.interval.ms", (1, Nothing), Is("300000"), "came with 0.10.1 (KIP-62)"),
        since(C, "max.poll.records", (1, Not("2147483647")), Is("500"), "came with 0.10 (KIP-41)"),
        same(C, "fetch.min.bytes", "1"),
        same(C, "fetch.max.wait.ms", "500"),
        since(C, "fetch.max.bytes", (1, Not("2147483647")), Is("52428800"), "came with 0.10.1 (KIP-74)"),
        same(C, "max.partition.fetch.bytes", "1048576"),
        since(C, "isolation.level", (1, Not("read_uncommitted")), Is("read_uncommitted"), "came with 0.11 (KIP-98)"),
        same(C, "auto.offset.reset", "latest"),
        same(C, "enable.auto.commit", "true"),
        same(C, "auto.commit.interval.ms", "5000"),
        row(
            C,
            "request.timeout.ms",
            [Is("40000"), Is("305000"), Is("30000"), Is("30000"), Is("30000")],
            "40s before 0.10.1, 305s before 2.0 (KIP-266)",
        ),
        same(C, "retry.backoff.ms", "100"),
        since(C, "retry.backoff.max.ms", (3, Nothing), Is("1000"), "came with 3.7 (KIP-580)"),
        same(C, "reconnect.backoff.ms", "50"),
        since(C, "reconnect.backoff.max.ms", (1, Nothing), Is("1000"), "came with 0.11 (KIP-144)"),
        same(C, "metadata.max.age.ms", "300000"),
    ]
};

/// All rows.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [BROKERS, COORDINATORS, TOPICS, PRODUCERS, CONSUMERS].into_iter().flatten()
}

/// A key's row, if its kind of thing has one.
#[must_use]
pub fn find(part: Part, key: &str) -> Option<&'static Row> {
    rows().find(|row| row.part == part && row.key == key)
}

/// What holds in a version for each part, as tables that are read like written ones.
#[derive(Clone, Debug)]
pub struct Presets {
    tables: Vec<(Part, Table)>,
}

impl Presets {
    /// Those of a version.
    #[must_use]
    pub fn of(version: Version) -> Presets {
        let table = |part: Part| {
            let value = |row: &Row| match row.in_version(version) {
                Is(value) | Not(value) => Some(format!("{} = {}\n", key_text(row.key), written(value))),
                Unset | Nothing => None,
            };
            let text: String = rows().filter(|row| row.part == part).filter_map(value).collect();
            Table::parse("presets", &text).0
        };
        Presets { tables: Part::ALL.into_iter().map(|part| (part, table(part))).collect() }
    }

    /// Those of one part.
    ///
    /// # Panics
    /// Never: there is a table for each part.
    #[must_use]
    pub fn reader(&self, part: Part) -> Reader<'_> {
        let (_, table) = self.tables.iter().find(|(of, _)| *of == part).expect("there is a table for each part");
        Reader::checked(table, part.keys(), "presets")
    }
}

/// A value as TOML has it: numbers and flags bare, words in quotes.
fn written(value: &str) -> String {
    let bare = value == "true" || value == "false" || value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if bare { value.to_owned() } else { quoted(value) }
}
