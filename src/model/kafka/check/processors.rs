//! Processors: a consumer and a producer in one, from one topic to another.

use crate::base::Problem;
use crate::base::value::Reader;

use super::super::config::{BrokerConfig, Commit, ProcessorConfig, Sink, TopicConfig, Version};
use super::super::ids::TopicId;
use super::super::presets::{Part, Presets};
use super::consumers::{self, Application, Groups};
use super::producers::{self, TransactionalIds};
use super::section::Section;
use super::{Found, names};

/// One kind of processors.
pub(super) fn read(
    (name, reader): (&str, &Reader<'_>),
    topics: &[TopicConfig],
    (groups, ids, broker): (&mut Groups, &mut TransactionalIds, &BrokerConfig),
    (version, presets): (Version, &Presets),
    problems: &mut Found,
) -> Option<ProcessorConfig> {
    let count = u32::try_from(reader.count("count")?).ok()?;
    let find = |key: &str, problems: &mut Found| -> Option<TopicId> {
        let written = reader.text(key)?;
        let at = names::topic(topics, (&written, reader.place_of(key)), problems)?;
        u16::try_from(at).ok().map(TopicId)
    };
    let (from, to) = (find("from", problems), find("to", problems));
    let (from, to) = (from?, to?);
    if from == to {
        let problem = Problem::error(reader.place_of("to"), "a processor that writes what it reads never comes to an end");
        problems.push(problem.hint("`from` and `to` are two topics"));
        return None;
    }
    let reading = Section::new(reader, Part::Consumer, (version, presets));
    let writing = reading.as_part(Part::Producer, presets);
    let application = Application {
        topics: vec![from],
        processing: reader.law("processing")?,
        commit: Commit::After,
        hand_off: None,
        sink: Sink::Plain,
        visits: None,
    };
    let consumer = consumers::read(&reading, (name, count), application, (groups, broker), problems);
    let mut own = Found::new();
    let producer = producers::read(&writing, (name, count), ids, broker.transaction_max_timeout, &mut own);
    // What both sides have is refused once.
    own.retain(|problem| problems.iter().all(|other| (&other.what, &other.place) != (&problem.what, &problem.place)));
    problems.append(&mut own);
    Some(ProcessorConfig { consumer: consumer?, producer: producer?, to })
}

/// Refuses chains of processors that have no beginning, and topics that are made of several others.
pub(super) fn chains(processors: &[ProcessorConfig], topics: &[TopicConfig], reader: &Reader<'_>, problems: &mut Found) {
    for (at, processor) in processors.iter().enumerate() {
        let name = &processor.producer.name;
        let place = || names::kind_place(reader, "processor", name);
        let other = processors[..at].iter().find(|other| other.to == processor.to && other.consumer.topics != processor.consumer.topics);
        if let Some(other) = other {
            let to = &topics[processor.to.index()].name;
            let problem = Problem::error(place(), format!("`{}` and `{name}` write `{to}` from different topics", other.producer.name));
            problems.push(problem.hint("what is owed to the readers of a topic comes from one topic here"));
        }
        let mut seen = vec![processor.to];
        while let Some(next) = processors.iter().find(|next| next.consumer.topics.first() == seen.last()) {
            if seen.contains(&next.to) || seen.len() > processors.len() {
                problems.push(
                    Problem::error(place(), format!("`{name}` is in a circle of processors")).hint("messages would go round for ever"),
                );
                return;
            }
            seen.push(next.to);
        }
    }
}
