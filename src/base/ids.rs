//! Typed ids, and vectors that only the right id can index.

use std::fmt;
use std::ops::{Index, IndexMut};

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident($prefix:literal);)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into a vector.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }

            /// The id at a position.
            ///
            /// # Panics
            /// When the position does not fit 32 bits.
            #[must_use]
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("fewer than 2^32 of a kind"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

id! {
    /// A node of the simulated system: a host with one process on it. Dense from zero, in roster order.
    NodeId("n");
    /// A payload the load gave out. Dense from zero in order of issue, or as operations are listed; never changes.
    PayloadId("p");
    /// A message key (what partitioners and per-key order look at). Dense from zero.
    KeyId("k");
    /// Something operations act on: a queue, a topic, a subscription, a register, a lock. Index into the run's `Names`.
    ObjectId("o");
    /// An operation that a client invoked. It has the number of its payload.
    ClientOp("op");
    /// A declared fault. Index into the plan's list of faults.
    FaultId("fault");
    /// A link of the topology graph.
    LinkId("link");
}

/// A stream connection. The slot is reused; the generation tells an old handle from a new one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId {
    /// Position in the world's table of connections.
    pub slot: u32,
    /// How often the slot had been used before.
    pub generation: u32,
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conn{}.{}", self.slot, self.generation)
    }
}

/// One value for each node; only a [`NodeId`] can index it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PerNode<T>(Vec<T>);

impl<T> PerNode<T> {
    /// A value for each of `count` nodes.
    pub fn new(count: usize, make: impl FnMut(NodeId) -> T) -> Self {
        PerNode((0..count).map(NodeId::at).map(make).collect())
    }
    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are no nodes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Every node with its value, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &T)> {
        self.0.iter().enumerate().map(|(i, t)| (NodeId::at(i), t))
    }
    /// Every node with its value, in order of id, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (NodeId, &mut T)> {
        self.0.iter_mut().enumerate().map(|(i, t)| (NodeId::at(i), t))
    }
    /// The ids, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<T> {
        (0..self.0.len()).map(NodeId::at)
    }
}

impl<T> Index<NodeId> for PerNode<T> {
    type Output = T;
    fn index(&self, id: NodeId) -> &T {
        &self.0[id.index()]
    }
}

impl<T> IndexMut<NodeId> for PerNode<T> {
    fn index_mut(&mut self, id: NodeId) -> &mut T {
        &mut self.0[id.index()]
    }
}
