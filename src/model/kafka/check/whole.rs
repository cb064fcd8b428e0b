//! The configuration as a whole: who there is, what partitions there are, where groups and transactions are at home.

use crate::base::value::{Key, Reader};
use crate::base::{NodeId, ObjectId, Problem};

use super::super::config::{
    BrokerConfig, Config, ConsumerConfig, GroupConfig, PartitionConfig, Places, ProcessorConfig, ProducerConfig, TopicConfig,
    TransactionalConfig, Version,
};
use super::super::ids::{Part, TopicId};
use super::super::mutants::Mutants;
use super::super::presets::{Part as Keys, Presets};
use super::broker::Defaults;
use super::consumers::{Group, Groups};
use super::producers::TransactionalIds;
use super::section::Section;
use super::topics::Needed;
use super::{Found, broker, consumers, mechanisms, names, processors, producers, tasks, topics};

/// The clients of a configuration.
struct Clients {
    producers: Vec<ProducerConfig>,
    consumers: Vec<ConsumerConfig>,
    processors: Vec<ProcessorConfig>,
    groups: Groups,
    ids: TransactionalIds,
}

/// Everything.
pub(super) fn read(reader: &Reader<'_>, (version, presets): (Version, &Presets), mutants: Mutants, problems: &mut Found) -> Option<Config> {
    let mut mechanisms = mechanisms::read(&reader.table("mechanisms")?, version, problems)?;
    let section = Section::new(&reader.table("broker")?, Keys::Broker, (version, presets));
    let count = u32::try_from(reader.count("brokers")?).ok()?;
    let mut broker = broker::read(&section, (count, mechanisms.control), problems)?;
    broker::neighbourhood(reader, &mut broker, problems);
    mechanisms.verify_transactions = section.flag("transaction.partition.verification.enable")?;
    let controller = broker::controllers(&section, reader, mechanisms.control, problems)?;
    let defaults = Defaults::read(&section, problems)?;
    let mut topics = topics::read(reader, &defaults, (version, presets), problems)?;
    let there = u32::try_from(broker.joins.iter().filter(|joins| joins.is_none()).count()).ok()?;
    topics::copies(&topics, reader, there, problems);
    let clients = clients(reader, &topics, &broker, (version, presets), problems)?;
    let mut partitions = of_messages(&mut topics);
    let objects = topics.len() + partitions.len();
    let home = |name: &String| names::home(name, broker.offsets_topic_num_partitions);
    let needed = needed(partitions.len(), clients.groups.all.iter().map(|group| home(&group.name)));
    if !needed.numbers.is_empty() {
        partitions.extend(needed.partitions(TopicId(u16::try_from(topics.len()).ok()?)));
        topics.push(topics::positions(&section, &defaults, (&needed, there), problems)?);
    }
    let groups = groups(&clients.groups.all, objects, |name| needed.part(home(name)));
    let hashed = broker.transaction_state_log_num_partitions;
    let home = |name: &String| names::home(name, hashed);
    let needed = self::needed(partitions.len(), clients.ids.names.iter().map(home));
    if !needed.numbers.is_empty() {
        partitions.extend(needed.partitions(TopicId(u16::try_from(topics.len()).ok()?)));
        topics.push(topics::transactions(&section, &defaults, (&needed, there), problems)?);
    }
    let mut config = Config {
        version,
        mechanisms,
        broker,
        controller,
        topics,
        partitions,
        groups,
        transactional: Vec::new(),
        producers: clients.producers,
        consumers: clients.consumers,
        processors: clients.processors,
        tasks: Vec::new(),
        places: Places::default(),
        mutants,
    };
    config.place_in_order();
    let own = config.topics.iter().filter(|topic| topic.object != ObjectId(u32::MAX)).count();
    config.tasks = tasks::read(reader, &mut config.topics[..own], &config.places.brokers, problems);
    config.transactional = transactional(&config, clients.ids.names, |name| needed.part(home(name)));
    names::check(&config, reader, problems);
    processors::chains(&config.processors, &config.topics, reader, problems);
    Some(config)
}

/// The partitions of the topics that clients name; each topic's first one is known already.
fn of_messages(topics: &mut [TopicConfig]) -> Vec<PartitionConfig> {
    let mut partitions = Vec::new();
    let mut object = topics.len();
    for (at, topic) in (0u16..).zip(topics) {
        topic.first = Part::at(partitions.len());
        for number in 0..topic.partitions {
            partitions.push(PartitionConfig { topic: TopicId(at), number, object: Some(ObjectId::at(object)) });
            object += 1;
        }
    }
    partitions
}

/// The partitions of an internal topic that are somebody's home.
fn needed(first: usize, homes: impl Iterator<Item = u32>) -> Needed {
    let mut numbers: Vec<u32> = homes.collect();
    numbers.sort_unstable();
    numbers.dedup();
    Needed { first: Part::at(first), numbers }
}

/// Groups with the ids of their subscriptions, which come after those of topics and logs.
fn groups(all: &[Group], objects: usize, home: impl Fn(&String) -> Part) -> Vec<GroupConfig> {
    let mut next = objects;
    let mut give = || {
        next += 1;
        ObjectId::at(next - 1)
    };
    let group = |group: &Group| GroupConfig {
        name: group.name.clone(),
        subscriptions: group.topics.iter().map(|topic| (*topic, give())).collect(),
        home: home(&group.name),
    };
    all.iter().map(group).collect()
}

/// Transactional ids with the nodes that use them.
fn transactional(config: &Config, names: Vec<String>, home: impl Fn(&String) -> Part) -> Vec<TransactionalConfig> {
    let producers = config.places.producers.iter().map(|(node, kind, number)| (node, &config.producers[usize::from(*kind)], number));
    let processors =
        config.places.processors.iter().map(|(node, kind, number)| (node, &config.processors[usize::from(*kind)].producer, number));
    let mut nodes: Vec<Option<NodeId>> = vec![None; names.len()];
    for (node, kind, number) in producers.chain(processors) {
        if let Some(transactions) = &kind.transactions {
            nodes[transactions.first.index() + *number as usize] = Some(*node);
        }
    }
    let each = names.into_iter().zip(nodes);
    each.filter_map(|(name, node)| Some(TransactionalConfig { home: home(&name), name, node: node? })).collect()
}

/// The kinds of one sort: the one under the singular, then the named ones.
pub(super) fn kinds<'a>(reader: &Reader<'a>, (one, many): (&str, &str)) -> Vec<(String, Reader<'a>)> {
    let single = reader.has(one).then(|| reader.table(one)).flatten().map(|table| (one.to_owned(), table));
    let named = reader.named_tables(many).into_iter().map(|(key, table): (&Key, Reader<'a>)| (key.name.clone(), table));
    single.into_iter().chain(named).collect()
}

fn clients(
    reader: &Reader<'_>,
    topics: &[TopicConfig],
    broker: &BrokerConfig,
    (version, presets): (Version, &Presets),
    problems: &mut Found,
) -> Option<Clients> {
    let (mut groups, mut ids) = (Groups::default(), TransactionalIds::default());
    let mut missing = false;
    let mut producers = Vec::new();
    for (name, table) in kinds(reader, ("producer", "producers")) {
        let section = Section::new(&table, Keys::Producer, (version, presets));
        let count = u32::try_from(table.count("count")?).ok()?;
        match producers::read(&section, (&name, count), &mut ids, broker.transaction_max_timeout, problems) {
            Some(producer) => producers.push(producer),
            None => missing = true,
        }
    }
    let mut consumers = Vec::new();
    for (name, table) in kinds(reader, ("consumer", "consumers")) {
        let section = Section::new(&table, Keys::Consumer, (version, presets));
        let count = u32::try_from(table.count("count")?).ok()?;
        let application = consumers::application(&section, topics, problems);
        let consumer =
            application.and_then(|application| consumers::read(&section, (&name, count), application, (&mut groups, broker), problems));
        match consumer {
            Some(consumer) => consumers.push(consumer),
            None => missing = true,
        }
    }
    let mut processors = Vec::new();
    for (name, table) in kinds(reader, ("processor", "processors")) {
        match processors::read((&name, &table), topics, (&mut groups, &mut ids, broker), (version, presets), problems) {
            Some(processor) => processors.push(processor),
            None => missing = true,
        }
    }
    if producers.is_empty() && !missing {
        producers.push(lone_producer(reader, broker, &mut ids, (version, presets), problems)?);
    }
    if groups.all.len() > 60_000 {
        problems.push(Problem::error(reader.place().clone(), "there are more than 60000 groups"));
        missing = true;
    }
    (!missing).then_some(Clients { producers, consumers, processors, groups, ids })
}

/// The producer of a scenario that does not speak of producers.
fn lone_producer(
    reader: &Reader<'_>,
    broker: &BrokerConfig,
    ids: &mut TransactionalIds,
    (version, presets): (Version, &Presets),
    problems: &mut Found,
) -> Option<ProducerConfig> {
    let nothing = crate::base::value::Table::empty(reader.place().clone());
    let table = Reader::checked(&nothing, super::super::keys::PRODUCER, "model.kafka.producer");
    let section = Section::new(&table, Keys::Producer, (version, presets));
    producers::read(&section, ("producer", 1), ids, broker.transaction_max_timeout, problems)
}
