//! Which ordered pairs of nodes a cut, jam, drop or clog concerns, and the classic shapes of partitions.

use std::sync::Arc;

use fixedbitset::FixedBitSet;

use crate::base::NodeId;

/// A set of ordered pairs (from, to) of nodes, as a union of rectangles. Cheap to clone; never holds a node with itself.
///
/// ```
/// use deadletter::base::NodeId;
/// use deadletter::parts::network::Pairs;
/// let (a, b, c) = (NodeId(0), NodeId(1), NodeId(2));
/// let cut = Pairs::both_ways(&[a], &[b, c]);
/// assert!(cut.contains(a, b) && cut.contains(c, a));
/// assert!(!cut.contains(b, c));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Pairs {
    rectangles: Arc<[Rectangle]>,
}

/// Everyone on the left with everyone on the right.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rectangle {
    from: FixedBitSet,
    to: FixedBitSet,
}

impl Pairs {
    /// No pair.
    #[must_use]
    pub fn none() -> Pairs {
        Pairs::default()
    }

    /// From each of `from` to each of `to`; not the way back.
    #[must_use]
    pub fn one_way(from: &[NodeId], to: &[NodeId]) -> Pairs {
        Pairs::of(&[(from, to)])
    }

    /// Between each of `a` and each of `b`, both ways.
    #[must_use]
    pub fn both_ways(a: &[NodeId], b: &[NodeId]) -> Pairs {
        Pairs::of(&[(a, b), (b, a)])
    }

    /// Between the nodes of `isolated` and all other nodes of a system of `count`, both ways. Among themselves the
    /// isolated still talk.
    #[must_use]
    pub fn isolate(isolated: &[NodeId], count: usize) -> Pairs {
        let chosen = bits(isolated);
        let others: Vec<NodeId> = (0..count).filter(|i| !chosen.contains(*i)).map(NodeId::at).collect();
        Pairs::both_ways(isolated, &others)
    }

    /// Two halves: the first nodes (the smaller half) from the rest, both ways.
    #[must_use]
    pub fn halves(nodes: &[NodeId]) -> Pairs {
        let (first, second) = nodes.split_at(nodes.len() / 2);
        Pairs::both_ways(first, second)
    }

    /// Two halves cut from each other, both ways, but for the first node, which reaches both.
    #[must_use]
    pub fn bridge(nodes: &[NodeId]) -> Pairs {
        nodes.split_first().map_or_else(Pairs::none, |(_, rest)| Pairs::halves(rest))
    }

    /// The nodes stand in a ring in the given order; each still sees a majority of them (itself included) around it, and no
    /// two see the same majority. Sight is mutual.
    ///
    /// Three nodes in a ring all see each other, so there the ring is opened: the first and the last lose sight of each other.
    /// With one node or two there is no such partition and nothing is cut.
    #[must_use]
    pub fn majorities_ring(nodes: &[NodeId]) -> Pairs {
        let count = nodes.len();
        if count < 3 {
            return Pairs::none();
        }
        if count == 3 {
            return Pairs::both_ways(&nodes[..1], &nodes[2..]);
        }
        // A majority has count/2 + 1 nodes; with as many neighbours to the left as to the right, this is the least reach.
        let majority = count / 2 + 1;
        let reach = majority / 2;
        let blind: Vec<Vec<NodeId>> =
            (0..count).map(|i| (reach + 1..count - reach).map(|step| nodes[(i + step) % count]).collect()).collect();
        let rectangles: Vec<(&[NodeId], &[NodeId])> =
            nodes.iter().zip(&blind).map(|(node, far)| (std::slice::from_ref(node), far.as_slice())).collect();
        Pairs::of(&rectangles)
    }

    /// Every pair that is in one or the other.
    #[must_use]
    pub fn union(&self, other: &Pairs) -> Pairs {
        Pairs { rectangles: self.rectangles.iter().chain(other.rectangles.iter()).cloned().collect() }
    }

    /// Whether messages from one node to another are concerned.
    #[inline]
    #[must_use]
    pub fn contains(&self, from: NodeId, to: NodeId) -> bool {
        from != to && self.rectangles.iter().any(|r| r.from.contains(from.index()) && r.to.contains(to.index()))
    }

    /// Whether no pair is concerned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        // A rectangle of one node with itself holds no pair.
        self.rectangles.iter().all(|r| r.from.is_clear() || r.to.is_clear() || (r.from == r.to && r.from.count_ones(..) == 1))
    }

    /// The pairs as rectangles: everyone of the first with everyone of the second, one way.
    pub fn rectangles(&self) -> impl Iterator<Item = (Vec<NodeId>, Vec<NodeId>)> + '_ {
        let nodes = |bits: &FixedBitSet| bits.ones().map(NodeId::at).collect();
        self.rectangles.iter().map(move |r| (nodes(&r.from), nodes(&r.to)))
    }

    fn of(rectangles: &[(&[NodeId], &[NodeId])]) -> Pairs {
        let full = rectangles.iter().filter(|(from, to)| !from.is_empty() && !to.is_empty());
        Pairs { rectangles: full.map(|(from, to)| Rectangle { from: bits(from), to: bits(to) }).collect() }
    }
}

/// The set of some nodes.
fn bits(nodes: &[NodeId]) -> FixedBitSet {
    nodes.iter().map(|node| node.index()).collect()
}
