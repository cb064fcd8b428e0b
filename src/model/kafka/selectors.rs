//! The roles that faults may name: `leader(orders/0)`, `follower(orders/0)`, `in_sync(orders/0)`, `coordinator(billing)`, `controller(active)`.

use crate::base::NodeId;
use crate::world::Nodes;

use super::broker::Broker;
use super::config::Config;
use super::controller::active;
use super::ids::Part;
use super::whole::{Kafka, Node};

/// The roles' names.
pub const ROLES: &[&str] = &["leader", "follower", "in_sync", "coordinator", "controller"];

/// The nodes that play a role now. `None`: there is no such role. An empty list: nobody plays it.
pub fn resolve(config: &Config, nodes: &Nodes<'_, Kafka>, role: &str, of: &str) -> Option<Vec<NodeId>> {
    match role {
        "leader" => Some(part_of(config, of).and_then(|part| leader(nodes, part)).into_iter().collect()),
        "follower" => Some(part_of(config, of).map_or_else(Vec::new, |part| followers(nodes, part))),
        "in_sync" => Some(part_of(config, of).map_or_else(Vec::new, |part| in_sync(nodes, part))),
        "coordinator" => Some(home_of(config, of).and_then(|home| leader(nodes, home)).into_iter().collect()),
        "controller" => Some(active_controllers(nodes)),
        _ => None,
    }
}

/// The partition with a name such as `orders/0`.
fn part_of(config: &Config, name: &str) -> Option<Part> {
    (0..config.partitions.len()).map(Part::at).find(|part| config.part_name(*part) == name)
}

/// Where a group or a transactional id is coordinated.
fn home_of(config: &Config, name: &str) -> Option<Part> {
    let group = config.groups.iter().find(|group| group.name == name).map(|group| group.home);
    group.or_else(|| config.transactional.iter().find(|txn| txn.name == name).map(|txn| txn.home))
}

/// All brokers that are up.
pub(super) fn brokers<'a>(nodes: &'a Nodes<'a, Kafka>) -> impl Iterator<Item = (NodeId, &'a Broker)> {
    nodes.iter().filter_map(|(node, process)| match process {
        Node::Broker(broker) => Some((node, &**broker)),
        Node::Controller(_) | Node::Producer(_) | Node::Consumer(_) | Node::Processor(_) | Node::Store(_) => None,
    })
}

/// Who leads a partition: of all that take themselves for its leader, the one with the highest epoch.
pub(super) fn leader(nodes: &Nodes<'_, Kafka>, part: Part) -> Option<NodeId> {
    let claims = brokers(nodes).filter_map(|(node, broker)| broker.leads(part).map(|epoch| (epoch, node)));
    claims.max_by_key(|(epoch, node)| (*epoch, std::cmp::Reverse(*node))).map(|(_, node)| node)
}

/// Who holds a copy and does not lead.
fn followers(nodes: &Nodes<'_, Kafka>, part: Part) -> Vec<NodeId> {
    let first = leader(nodes, part);
    brokers(nodes).filter(|(node, broker)| broker.replica(part).is_some() && Some(*node) != first).map(|(node, _)| node).collect()
}

/// Who is in sync, the leader first.
fn in_sync(nodes: &Nodes<'_, Kafka>, part: Part) -> Vec<NodeId> {
    let Some(first) = leader(nodes, part) else { return Vec::new() };
    let all = brokers(nodes).find(|(node, _)| *node == first).and_then(|(_, broker)| broker.replica(part));
    let mut isr = all.and_then(|replica| replica.leading()).map_or_else(Vec::new, |leading| leading.isr.clone());
    isr.sort_by_key(|node| (*node != first, *node));
    isr
}

/// Who takes itself for the active controller in the latest epoch.
fn active_controllers(nodes: &Nodes<'_, Kafka>) -> Vec<NodeId> {
    let controllers = nodes.iter().filter_map(|(node, process)| match process {
        Node::Controller(controller) => Some((node, &**controller)),
        Node::Broker(_) | Node::Producer(_) | Node::Consumer(_) | Node::Processor(_) | Node::Store(_) => None,
    });
    active(controllers).into_iter().collect()
}
