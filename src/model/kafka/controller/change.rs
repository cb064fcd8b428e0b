//! What the metadata log says.

use std::sync::Arc;

use crate::base::NodeId;
use crate::model::raft::Weighed;

use super::super::ids::Part;

/// One decision: an entry of the metadata log. Its facts count all or none.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Change {
    /// What is so from now on.
    pub facts: Arc<[Fact]>,
}

/// Something that is so from now on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Fact {
    /// A process of a broker has registered: fenced at first, and its epoch is the offset of this entry.
    Registered {
        /// The broker.
        broker: NodeId,
        /// The process.
        incarnation: u64,
    },
    /// A broker may not lead or be in sync.
    Fenced {
        /// The broker.
        broker: NodeId,
    },
    /// A broker may lead and be in sync.
    Unfenced {
        /// The broker.
        broker: NodeId,
    },
    /// A broker is about to stop and hands its partitions over.
    Stopping {
        /// The broker.
        broker: NodeId,
    },
    /// A partition exists.
    Created {
        /// The partition.
        part: Part,
        /// The brokers that shall hold it, the preferred leader first.
        replicas: Arc<[NodeId]>,
        /// Who of them is in sync.
        isr: Arc<[NodeId]>,
    },
    /// A partition is another.
    Changed(PartChange),
    /// A task of the administrator is done.
    Done {
        /// Its position in [`super::super::Config::tasks`].
        task: u32,
    },
}

/// What is new of a partition; `None`: that is as before. Its version goes up.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PartChange {
    /// The partition.
    pub part: Part,
    /// Who leads from now on (perhaps as before): a new leader epoch.
    pub leader: Option<Option<NodeId>>,
    /// Who is in sync.
    pub isr: Option<Arc<[NodeId]>>,
    /// Who may be elected when nobody in sync is left.
    pub elr: Option<Arc<[NodeId]>>,
    /// Who led when the last of those in sync was lost.
    pub last_leader: Option<Option<NodeId>>,
    /// Who shall hold it.
    pub replicas: Option<Arc<[NodeId]>>,
    /// Who is being added.
    pub adding: Option<Arc<[NodeId]>>,
    /// Who is being removed.
    pub removing: Option<Arc<[NodeId]>>,
    /// Whether the leader may miss committed records.
    pub unclean: Option<bool>,
}

impl PartChange {
    /// Nothing is new.
    #[must_use]
    pub const fn none(part: Part) -> PartChange {
        PartChange {
            part,
            leader: None,
            isr: None,
            elr: None,
            last_leader: None,
            replicas: None,
            adding: None,
            removing: None,
            unclean: None,
        }
    }
}

impl From<Vec<Fact>> for Change {
    fn from(facts: Vec<Fact>) -> Change {
        Change { facts: facts.into() }
    }
}

impl Weighed for Change {
    fn bytes(&self) -> u32 {
        60 * u32::try_from(self.facts.len()).expect("fewer than 2^32 facts")
    }
}
