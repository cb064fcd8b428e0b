//! What a run that is over finds: messages that stand in a log before a group which has not come to them yet.

use crate::base::{NodeId, ObjectId, PayloadId};
use crate::world::Nodes;

use super::broker::Broker;
use super::config::Config;
use super::ids::{GroupId, Offset, Part};
use super::selectors::{brokers, leader};
use super::whole::{Kafka, Node};

/// Reports every such message, with the leader that holds it and the subscription that it is held for. A message that still waits to be
/// processed into a topic is held for that topic's groups, too.
pub fn held(config: &Config, nodes: &Nodes<'_, Kafka>, report: &mut dyn FnMut(NodeId, ObjectId, PayloadId)) {
    for (at, group) in (0u16..).zip(&config.groups) {
        for (topic, subscription) in &group.subscriptions {
            for part in config.parts_of(*topic) {
                before(config, nodes, (GroupId(at), part), &mut |node, payload| report(node, *subscription, payload));
            }
            for processor in config.processors.iter().filter(|processor| processor.to == *topic) {
                for part in processor.consumer.topics.iter().flat_map(|from| config.parts_of(*from)) {
                    before(config, nodes, (processor.consumer.group, part), &mut |node, payload| report(node, *subscription, payload));
                }
            }
        }
    }
}

/// The messages of a partition that stand before a group.
fn before(config: &Config, nodes: &Nodes<'_, Kafka>, (group, part): (GroupId, Part), report: &mut dyn FnMut(NodeId, PayloadId)) {
    let Some((node, broker)) = leader(nodes, part).and_then(|node| brokers(nodes).find(|(at, _)| *at == node)) else { return };
    let from = position(config, nodes, (group, part)).unwrap_or_else(|| first(config, broker, (group, part)));
    broker.ahead(part, from, &mut |payload| report(node, payload));
}

/// Where a group stands: what is committed, in Kafka or in the database.
fn position(config: &Config, nodes: &Nodes<'_, Kafka>, (group, part): (GroupId, Part)) -> Option<Offset> {
    let stored = config.places.store.and_then(|store| nodes.get(store)).and_then(|node| match node {
        Node::Store(store) => store.position(group, part),
        Node::Broker(_) | Node::Controller(_) | Node::Producer(_) | Node::Consumer(_) | Node::Processor(_) => None,
    });
    stored.or_else(|| brokers(nodes).find_map(|(_, broker)| broker.position(group, part, config)))
}

/// Where a group without a position would begin.
fn first(config: &Config, broker: &Broker, (group, part): (GroupId, Part)) -> Offset {
    let resets = config.consumers.iter().chain(config.processors.iter().map(|processor| &processor.consumer));
    let latest = resets.filter(|consumer| consumer.group == group).any(|consumer| consumer.reset == super::config::Reset::Latest);
    let replica = broker.replica(part);
    replica.map_or(0, |replica| if latest { replica.log.end() } else { replica.log.start() })
}
