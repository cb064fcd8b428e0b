//! The names behind the ids of a run: nodes and objects, for stories and selectors.

use crate::base::{NodeId, ObjectId};

/// What kind of thing an object is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ObjectKind {
    /// Point-to-point: each message goes to one consumer. The queue is its own consumer group, entitled from time zero.
    Queue,
    /// Publish/subscribe: each message goes to every subscription.
    Topic,
    /// A consumer group's subscription to a topic; entitled between `Subscribe` and `Unsubscribe`.
    Subscription {
        /// The topic.
        topic: ObjectId,
    },
    /// A log: one partition of a topic. What is published to the topic stands in one of its logs, at a [`super::Place`].
    Log {
        /// The topic.
        topic: ObjectId,
        /// Whether old messages give way to later ones with their key.
        compacted: bool,
    },
    /// A queue for messages that could not be processed.
    DeadLetters,
    /// Something that answers requests.
    Service,
}

/// An object with its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Object {
    /// As in the scenario.
    pub name: String,
    /// What it is.
    pub kind: ObjectKind,
}

/// The names of all nodes and objects of a run. Ids are positions.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Names {
    /// Nodes, in roster order.
    pub nodes: Vec<String>,
    /// Objects, in the model's order.
    pub objects: Vec<Object>,
}

impl Names {
    /// The name of a node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &str {
        &self.nodes[id.index()]
    }
    /// An object.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> &Object {
        &self.objects[id.index()]
    }
    /// The object with a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ObjectId> {
        self.objects.iter().position(|o| o.name == name).map(ObjectId::at)
    }
    /// The groups that messages published to an object are owed to: the queue itself, or the topic's subscriptions.
    pub fn groups_of(&self, to: ObjectId) -> impl Iterator<Item = ObjectId> + '_ {
        self.objects.iter().enumerate().filter_map(move |(i, o)| {
            let id = ObjectId::at(i);
            let owed = match o.kind {
                ObjectKind::Queue | ObjectKind::Service => id == to,
                ObjectKind::Subscription { topic } => topic == to,
                ObjectKind::Topic | ObjectKind::Log { .. } | ObjectKind::DeadLetters => false,
            };
            owed.then_some(id)
        })
    }
}
