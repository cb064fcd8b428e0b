//! What a broker knows of the cluster and tells clients: who is there, who leads what.

use std::sync::Arc;

use crate::base::NodeId;

use super::ids::{BrokerEpoch, Epoch, Part};

/// One partition as its controller has decided.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartView {
    /// The brokers that shall hold a copy, the preferred leader first.
    pub replicas: Arc<[NodeId]>,
    /// Who of them is in sync.
    pub isr: Arc<[NodeId]>,
    /// Who may be elected when nobody in sync is left (eligible leader replicas, KIP-966).
    pub elr: Arc<[NodeId]>,
    /// Who leads. `None`: nobody can.
    pub leader: Option<NodeId>,
    /// Counts leaders.
    pub epoch: Epoch,
    /// Counts changes of any kind: a change is proposed against it.
    pub version: u32,
    /// Brokers that a reassignment adds, until they are in sync.
    pub adding: Arc<[NodeId]>,
    /// Brokers that a reassignment takes away at its end.
    pub removing: Arc<[NodeId]>,
    /// The leader was elected although it may miss committed records.
    pub unclean: bool,
}

/// One broker as its controller knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct BrokerView {
    /// The broker.
    pub node: NodeId,
    /// Its registration.
    pub epoch: BrokerEpoch,
    /// It may not lead or be in sync: it has not caught up with the metadata, or was not heard of for too long.
    pub fenced: bool,
    /// It is about to stop and hands its partitions over.
    pub stopping: bool,
}

/// The cluster.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct View {
    /// Up to where of the metadata log.
    pub version: u64,
    /// By [`Part`]. `None`: it does not exist (yet, or any more).
    pub parts: Vec<Option<PartView>>,
    /// Brokers that have ever registered, by node.
    pub brokers: Vec<BrokerView>,
}

impl View {
    /// A partition, if it exists.
    #[must_use]
    pub fn part(&self, part: Part) -> Option<&PartView> {
        self.parts.get(part.index()).and_then(Option::as_ref)
    }

    /// A broker, if it has registered.
    #[must_use]
    pub fn broker(&self, node: NodeId) -> Option<&BrokerView> {
        self.brokers.iter().find(|broker| broker.node == node)
    }

    /// Whether a broker may lead and be in sync.
    #[must_use]
    pub fn is_alive(&self, node: NodeId) -> bool {
        self.broker(node).is_some_and(|broker| !broker.fenced)
    }
}
