//! Topics, over what brokers say for all of them; and the internal ones.

use crate::base::value::{Key, Reader};
use crate::base::{ObjectId, Problem, Span};

use super::super::config::{Cleanup, PartitionConfig, Purpose, TopicConfig, Version};
use super::super::ids::{Part, TopicId};
use super::super::presets::{Part as Keys, Presets};
use super::Found;
use super::broker::{Defaults, bounded, cleanup, flush_messages, for_ever, not_zero};
use super::section::Section;

/// What a segment may be at least.
const fn least_segment(version: Version) -> u64 {
    match version {
        Version::V0_8 | Version::V0_11 | Version::V2_8 | Version::V3_9 => 14,
        Version::V4_0 => 1 << 20,
    }
}

/// How many partitions there may be in all.
const MOST: u32 = 1_000_000;

/// The topics of the scenario, with their partitions from 0 on and their ids in the history.
pub(super) fn read(
    reader: &Reader<'_>,
    defaults: &Defaults,
    (version, presets): (Version, &Presets),
    problems: &mut Found,
) -> Option<Vec<TopicConfig>> {
    let mut topics: Vec<TopicConfig> = Vec::new();
    let mut next = 0u32;
    for (at, (key, table)) in reader.named_tables("topic").into_iter().enumerate() {
        let section = Section::new(&table, Keys::Topic, (version, presets));
        section.refuse_unknown(problems);
        let topic = topic(key, &section, defaults, (ObjectId::at(at), Part(next)), problems)?;
        next = next.saturating_add(topic.partitions);
        topics.push(topic);
    }
    if topics.is_empty() {
        let problem = Problem::error(reader.place().clone(), "there is no topic");
        problems.push(problem.hint("write `topic.orders = { partitions = 6, replication.factor = 3 }`"));
    }
    if next > MOST || topics.len() > 60_000 {
        problems.push(Problem::error(reader.place_of("topic"), format!("there are more than 60000 topics or {MOST} partitions")));
        return None;
    }
    Some(topics)
}

fn topic(
    key: &Key,
    section: &Section<'_>,
    defaults: &Defaults,
    (object, first): (ObjectId, Part),
    problems: &mut Found,
) -> Option<TopicConfig> {
    not_zero(section, &["segment.ms", "flush.ms"], problems);
    let own = section.own();
    let small = |key: &str, default: u32| if own.has(key) { section.small(key) } else { Some(default) };
    let span = |key: &str, default: Span| if own.has(key) { section.span(key) } else { Some(default) };
    let topic = TopicConfig {
        name: key.name.clone(),
        object,
        first,
        partitions: small("partitions", defaults.partitions)?,
        replication_factor: small("replication.factor", defaults.replication_factor)?,
        min_insync_replicas: small("min.insync.replicas", defaults.min_insync_replicas)?,
        unclean_leader_election: if own.has("unclean.leader.election.enable") {
            section.flag("unclean.leader.election.enable")?
        } else {
            defaults.unclean_leader_election
        },
        cleanup: if own.has("cleanup.policy") { cleanup(section.choice("cleanup.policy")?) } else { defaults.cleanup },
        retention: if own.has("retention.ms") { for_ever(section.span("retention.ms")?) } else { defaults.retention },
        retention_bytes: if own.has("retention.bytes") { bounded(section, "retention.bytes") } else { defaults.retention_bytes },
        segment_bytes: if own.has("segment.bytes") { section.bytes("segment.bytes")? } else { defaults.segment_bytes },
        segment: span("segment.ms", defaults.segment)?,
        flush_messages: if own.has("flush.messages") { flush_messages(section, "flush.messages") } else { defaults.flush_messages },
        flush: if own.has("flush.ms") { section.span("flush.ms") } else { defaults.flush },
        max_message_bytes: if own.has("max.message.bytes") {
            section.int_bytes("max.message.bytes", problems)?
        } else {
            defaults.max_message_bytes
        },
        min_cleanable_dirty_ratio: if own.has("min.cleanable.dirty.ratio") {
            section.thousandths("min.cleanable.dirty.ratio")?
        } else {
            defaults.min_cleanable_dirty_ratio
        },
        min_compaction_lag: span("min.compaction.lag.ms", defaults.min_compaction_lag)?,
        created_at: None,
        purpose: Purpose::Messages,
    };
    let least = least_segment(section.version);
    if topic.segment_bytes < least {
        let what = format!(
            "a segment of `{}` has {} bytes; in Kafka {} it has at least {least}",
            topic.name,
            topic.segment_bytes,
            section.version.name()
        );
        problems.push(Problem::error(section.place_of("segment.bytes"), what).hint("make `segment.bytes` larger"));
    }
    Some(topic)
}

/// Refuses more copies than there are brokers.
pub(super) fn copies(topics: &[TopicConfig], reader: &Reader<'_>, there: u32, problems: &mut Found) {
    let tables = reader.named_tables("topic");
    for topic in topics.iter().filter(|topic| topic.replication_factor > there) {
        let place = tables
            .iter()
            .find(|(key, _)| key.name == topic.name)
            .map_or_else(|| reader.place_of("topic"), |(_, table)| table.place_of("replication.factor"));
        let what = format!("`{}` has replication factor {}, and {}", topic.name, topic.replication_factor, brokers(there));
        problems.push(Problem::error(place, what).hint("Kafka answers INVALID_REPLICATION_FACTOR; brokers that join later do not count"));
    }
}

/// "there is 1 broker", "there are 3 brokers".
fn brokers(count: u32) -> String {
    if count == 1 { "there is 1 broker".to_owned() } else { format!("there are {count} brokers") }
}

/// What an internal topic has of its own.
struct Internal {
    name: &'static str,
    purpose: Purpose,
    /// The prefix of its keys.
    keys: &'static str,
}

const POSITIONS: Internal = Internal { name: "__consumer_offsets", purpose: Purpose::Positions, keys: "offsets.topic" };
const TRANSACTIONS: Internal = Internal { name: "__transaction_state", purpose: Purpose::Transactions, keys: "transaction.state.log" };

/// The topic of positions, with so many of its partitions.
pub(super) fn positions(
    section: &Section<'_>,
    defaults: &Defaults,
    (first, there): (&Needed, u32),
    problems: &mut Found,
) -> Option<TopicConfig> {
    let unclean = defaults.unclean_leader_election;
    let (factor, _) = factor(section, &POSITIONS, there, problems)?;
    internal(section, defaults, &POSITIONS, first, (factor, defaults.min_insync_replicas, unclean))
}

/// The topic of transactions, with so many of its partitions.
pub(super) fn transactions(
    section: &Section<'_>,
    defaults: &Defaults,
    (first, there): (&Needed, u32),
    problems: &mut Found,
) -> Option<TopicConfig> {
    let (factor, lowered) = factor(section, &TRANSACTIONS, there, problems)?;
    let written = section.has("transaction.state.log.min.isr");
    let least = section.small("transaction.state.log.min.isr")?;
    let least = if lowered && !written { least.min(factor) } else { least };
    internal(section, defaults, &TRANSACTIONS, first, (factor, least, false))
}

/// Which partitions of an internal topic there are.
pub(super) struct Needed {
    pub(super) first: Part,
    /// Their numbers, ascending.
    pub(super) numbers: Vec<u32>,
}

impl Needed {
    /// The partitions as the configuration has them.
    pub(super) fn partitions(&self, topic: TopicId) -> impl Iterator<Item = PartitionConfig> {
        self.numbers.iter().map(move |number| PartitionConfig { topic, number: *number, object: None })
    }

    /// The partition with a number that is needed.
    pub(super) fn part(&self, number: u32) -> Part {
        let at = self.numbers.iter().position(|needed| *needed == number).expect("a home is among what is needed");
        Part::at(self.first.index() + at)
    }
}

/// How many copies an internal topic has, and whether that is fewer than Kafka would make.
fn factor(section: &Section<'_>, of: &Internal, there: u32, problems: &mut Found) -> Option<(u32, bool)> {
    let key = format!("{}.replication.factor", of.keys);
    let asked = section.small(&key)?;
    if asked <= there {
        return Some((asked, false));
    }
    if section.has(&key) {
        let what = format!("`{}` has replication factor {asked}, and {}", of.name, brokers(there));
        problems.push(Problem::error(section.place_of(&key), what).hint("Kafka does not create it until there are enough brokers"));
    } else {
        let what = format!("`{}` needs {asked} brokers by default, and {}: it is read as `{key} = {there}`", of.name, brokers(there));
        problems.push(
            Problem::warning(section.place_of(&key), what)
                .hint(format!("Kafka would wait for more brokers; write `broker.{key} = {there}`")),
        );
    }
    Some((there, true))
}

fn internal(
    section: &Section<'_>,
    defaults: &Defaults,
    of: &Internal,
    needed: &Needed,
    (replication_factor, min_insync_replicas, unclean_leader_election): (u32, u32, bool),
) -> Option<TopicConfig> {
    Some(TopicConfig {
        name: of.name.to_owned(),
        object: ObjectId(u32::MAX),
        first: needed.first,
        partitions: u32::try_from(needed.numbers.len()).ok()?,
        replication_factor,
        min_insync_replicas,
        unclean_leader_election,
        cleanup: Cleanup { delete: false, compact: true },
        retention: None,
        retention_bytes: None,
        segment_bytes: section.bytes(&format!("{}.segment.bytes", of.keys))?,
        segment: defaults.segment,
        flush_messages: defaults.flush_messages,
        flush: defaults.flush,
        max_message_bytes: defaults.max_message_bytes,
        min_cleanable_dirty_ratio: defaults.min_cleanable_dirty_ratio,
        min_compaction_lag: defaults.min_compaction_lag,
        created_at: None,
        purpose: of.purpose,
    })
}
