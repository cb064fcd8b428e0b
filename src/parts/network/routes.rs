//! Which links a message crosses: shortest paths through the switches, found anew whenever links are cut.

use std::ops::Add;
use std::sync::OnceLock;

use fixedbitset::FixedBitSet;
use petgraph::algo::dijkstra;
use petgraph::graph::{Graph, NodeIndex};
use petgraph::visit::{EdgeFiltered, EdgeRef, Reversed};

use crate::base::{LinkId, NodeId};

use super::shape::{NOWHERE, Shape};

/// The graph on which paths are searched: switches, and hosts with more than one link. Every other host hangs on one of them.
#[derive(Debug, Default)]
pub(super) struct Core {
    /// The edges are directions of links.
    pub(super) graph: Graph<(), Edge>,
    /// Which of the vertices pass on what is not for them: switches do, hosts never.
    pub(super) forwards: FixedBitSet,
}

/// One direction of a link between two vertices of the core.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edge {
    pub(super) direction: u32,
    pub(super) cost: Cost,
}

/// What a path is judged by: its mean delay, then how many links it has. Among equals the least link ids win.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cost {
    pub(super) nanos: u64,
    pub(super) links: u32,
}

impl Add for Cost {
    type Output = Cost;
    fn add(self, other: Cost) -> Cost {
        Cost { nanos: self.nanos.saturating_add(other.nanos), links: self.links + other.links }
    }
}

/// All routes while a given set of links is cut. The tree towards a vertex is grown when it is first asked for; it depends on
/// nothing but the graph and the cuts, so forks share it.
#[derive(Debug)]
pub(super) struct Routes {
    cut: FixedBitSet,
    whole: bool,
    /// For each vertex of the core, the direction to take from every other one towards it.
    trees: Box<[OnceLock<Box<[u32]>>]>,
}

impl Routes {
    /// The routes when some links are cut.
    pub(super) fn without(cut: FixedBitSet, vertices: usize) -> Routes {
        Routes { whole: cut.is_clear(), cut, trees: (0..vertices).map(|_| OnceLock::new()).collect() }
    }

    /// Whether a link is cut.
    pub(super) fn lacks(&self, link: LinkId) -> bool {
        self.cut.contains(link.index())
    }

    /// Whether exactly these links are cut.
    pub(super) fn cuts(&self, links: &FixedBitSet) -> bool {
        self.cut == *links
    }

    /// Whether no link is cut.
    pub(super) fn whole(&self) -> bool {
        self.whole
    }

    /// The path from one host to another, or `None` when there is none.
    pub(super) fn path<'a>(&'a self, shape: &'a Shape, from: NodeId, to: NodeId) -> Option<Path<'a>> {
        let (source, sink) = (shape.home(from), shape.home(to));
        let down = if sink.up == NOWHERE { NOWHERE } else { sink.up ^ 1 };
        let passable = |direction: u32| self.whole || direction == NOWHERE || !self.lacks(link_of(direction));
        if !passable(source.up) || !passable(down) {
            return None;
        }
        let mut tree: &[u32] = &[];
        if source.core != sink.core {
            tree = self.trees[sink.core as usize].get_or_init(|| self.grow(&shape.core, sink.core));
            if tree[source.core as usize] == NOWHERE {
                return None;
            }
        }
        Some(Path { shape, tree, at: source.core, goal: sink.core, up: source.up, down })
    }

    /// The tree towards a vertex.
    fn grow(&self, core: &Core, root: u32) -> Box<[u32]> {
        let graph = &core.graph;
        let root = NodeIndex::new(root as usize);
        let open = |through: NodeIndex, edge: &Edge| {
            (through == root || core.forwards.contains(through.index())) && !self.lacks(link_of(edge.direction))
        };
        let back = EdgeFiltered::from_fn(Reversed(graph), |edge| open(edge.source(), edge.weight()));
        // The library gives a hash map; it is asked by vertex and never walked.
        let costs = dijkstra(&back, root, None, |edge| edge.weight().cost);
        let next = |vertex: NodeIndex| {
            let cost = costs.get(&vertex)?;
            let tight = graph.edges(vertex).filter(|edge| {
                let rest = costs.get(&edge.target()).filter(|_| open(edge.target(), edge.weight()));
                rest.is_some_and(|rest| edge.weight().cost + *rest == *cost)
            });
            tight.map(|edge| edge.weight().direction).min()
        };
        graph.node_indices().map(|vertex| if vertex == root { NOWHERE } else { next(vertex).unwrap_or(NOWHERE) }).collect()
    }
}

/// The directions that a message crosses, first to last.
#[derive(Clone, Debug)]
pub(super) struct Path<'a> {
    shape: &'a Shape,
    tree: &'a [u32],
    at: u32,
    goal: u32,
    up: u32,
    down: u32,
}

impl Iterator for Path<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        if self.up != NOWHERE {
            return Some(std::mem::replace(&mut self.up, NOWHERE));
        }
        if self.at != self.goal {
            let direction = self.tree[self.at as usize];
            self.at = self.shape.direction(direction).head;
            return Some(direction);
        }
        (self.down != NOWHERE).then(|| std::mem::replace(&mut self.down, NOWHERE))
    }
}

/// The link that a direction belongs to.
pub(super) const fn link_of(direction: u32) -> LinkId {
    LinkId(direction / 2)
}
