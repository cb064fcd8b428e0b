//! A look at all processes from outside, for selectors and invariants.

use crate::base::{NodeId, PerNode};

use super::host::{Host, Status};
use super::protocol::Protocol;

/// The processes of a world, those that are down left out.
pub struct Nodes<'a, P: Protocol> {
    nodes: &'a PerNode<Option<P::Node>>,
    hosts: &'a PerNode<Host<P>>,
}

impl<'a, P: Protocol> Nodes<'a, P> {
    pub(super) const fn new(nodes: &'a PerNode<Option<P::Node>>, hosts: &'a PerNode<Host<P>>) -> Self {
        Nodes { nodes, hosts }
    }

    /// The process on a node; `None` while it is down.
    #[must_use]
    pub fn get(&self, id: NodeId) -> Option<&'a P::Node> {
        self.nodes[id].as_ref().filter(|_| self.hosts[id].status == Status::Up)
    }

    /// All processes that are up (stopped ones included), in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &'a P::Node)> + '_ {
        self.nodes.ids().filter_map(|id| self.get(id).map(|node| (id, node)))
    }
}
