//! From what a fault names to the nodes and pairs it concerns, at the moment it strikes.

use crate::base::law::Sampler;
use crate::base::{FaultId, NodeId, Words};
use crate::parts::fault::{Cut, CutShape, Ill, Others, Selector};
use crate::parts::network::{Layer, Pairs};

use super::World;
use super::core::Core;
use super::faults::Hit;
use super::nodes::Nodes;
use super::protocol::Protocol;

/// From whom to whom.
struct Ends {
    from: Vec<NodeId>,
    to: Vec<NodeId>,
}

impl Ends {
    fn all(&self) -> Vec<NodeId> {
        joined(&self.from, &self.to)
    }
    fn pairs(&self) -> Pairs {
        Pairs::one_way(&self.from, &self.to)
    }
}

impl<P: Protocol> World<P> {
    /// The nodes that a selector means now, in order of id.
    pub(super) fn select(&mut self, selector: &Selector, fault: FaultId) -> Vec<NodeId> {
        match selector {
            Selector::All => self.core.hosts.ids().collect(),
            Selector::Named(name) => self.shared.named(name),
            Selector::Zone(name) => self.core.network.zone_members(name).unwrap_or_default(),
            Selector::Random { count, of } => {
                let nodes = self.select(of, fault);
                Core::<P>::sample(self.fault_words(fault), nodes, *count as usize)
            }
            Selector::Role { name, of } => {
                let view = Nodes::new(&self.nodes, &self.core.hosts);
                P::resolve(&self.core.config, &view, name, of).unwrap_or_default()
            }
            Selector::Union(all) => {
                let mut nodes: Vec<NodeId> = all.iter().flat_map(|one| self.select(one, fault)).collect();
                nodes.sort_unstable();
                nodes.dedup();
                nodes
            }
        }
    }

    /// What a fault of the network lays over it, and the same as an ill without chance.
    pub(super) fn network_layers(&mut self, fault: FaultId, ill: &Ill, extra: Option<&Sampler>) -> (Hit, Ill) {
        match ill {
            Ill::Cut(cut) => {
                let hit = self.cut_layers(fault, cut);
                let certain = self.certain_cut(cut, &hit.layers);
                (hit, Ill::Cut(certain))
            }
            Ill::Jam { from, to, extra: law } => {
                let ends = self.both_ends(from, to, fault);
                let extra = extra.expect("a jam has a law").clone();
                let what = format!("messages from {} slowed", self.way(&ends));
                let (from, to) = (self.by_name(&ends.from), self.by_name(&ends.to));
                let layers = vec![Layer::Jam { pairs: ends.pairs(), extra }];
                (Hit { nodes: ends.all(), layers, what }, Ill::Jam { from, to, extra: law.clone() })
            }
            Ill::Drop { from, to, kind, chance } => {
                let ends = self.both_ends(from, to, fault);
                let number = kind.as_deref().and_then(|kind| P::kinds().iter().position(|known| *known == kind));
                let number = number.map(|kind| u16::try_from(kind).expect("few kinds"));
                let of = kind.as_deref().map_or_else(|| "messages".to_owned(), |kind| format!("{kind} messages"));
                let what = format!("{chance} of the {of} from {} dropped", self.way(&ends));
                let (from, to) = (self.by_name(&ends.from), self.by_name(&ends.to));
                let layers = vec![Layer::Drop { pairs: ends.pairs(), kind: number, chance: *chance }];
                (Hit { nodes: ends.all(), layers, what }, Ill::Drop { from, to, kind: kind.clone(), chance: *chance })
            }
            Ill::Clog { from, to } => {
                let ends = self.both_ends(from, to, fault);
                let what = format!("messages from {} held back", self.way(&ends));
                let (from, to) = (self.by_name(&ends.from), self.by_name(&ends.to));
                (Hit { nodes: ends.all(), layers: vec![Layer::Clog { pairs: ends.pairs() }], what }, Ill::Clog { from, to })
            }
            Ill::Kill(_)
            | Ill::PowerOff(_)
            | Ill::Wipe(_)
            | Ill::Pause(_)
            | Ill::Freeze(_)
            | Ill::Slow { .. }
            | Ill::DiskStall(_)
            | Ill::SyncFails { .. }
            | Ill::TornWrite(_)
            | Ill::FlipBits { .. }
            | Ill::DiskFull(_)
            | Ill::ClockStep { .. }
            | Ill::ClockDrift { .. } => unreachable!("concerns nodes, not pairs"),
        }
    }

    fn both_ends(&mut self, from: &Selector, to: &Selector, fault: FaultId) -> Ends {
        Ends { from: self.select(from, fault), to: self.select(to, fault) }
    }

    fn cut_layers(&mut self, fault: FaultId, cut: &Cut) -> Hit {
        match &cut.shape {
            CutShape::Link(name) => {
                let link = self.core.network.link(name).expect("checked when the world was made");
                Hit { nodes: Vec::new(), layers: vec![Layer::CutLink { link }], what: format!("link {name} cut") }
            }
            CutShape::Pairs(all) => {
                let all: Vec<Ends> = all.iter().map(|(from, to)| self.both_ends(from, to, fault)).collect();
                let pairs = all.iter().fold(Pairs::none(), |pairs, ends| pairs.union(&ends.pairs()));
                let nodes = all.iter().fold(Vec::new(), |nodes, ends| joined(&nodes, &ends.all()));
                let ways: Vec<String> = all.iter().map(|ends| self.way(ends)).collect();
                Hit { nodes, layers: vec![Layer::Cut { pairs }], what: format!("nothing gets from {}", ways.join(", from ")) }
            }
            CutShape::OneWay { from, to } => {
                let ends = self.both_ends(from, to, fault);
                let what = format!("nothing gets from {}", self.way(&ends));
                Hit { nodes: ends.all(), layers: vec![Layer::Cut { pairs: ends.pairs() }], what }
            }
            CutShape::MajoritiesRing(who) => {
                let nodes = self.shuffled(who, fault);
                let pairs = Pairs::majorities_ring(&nodes);
                let what = format!("ring of majorities: {}", self.list(&nodes));
                Hit { nodes, layers: vec![Layer::Cut { pairs }], what }
            }
            CutShape::Bridge(who) => {
                let nodes = self.shuffled(who, fault);
                let pairs = Pairs::bridge(&nodes);
                let first = &nodes[..nodes.len().min(1)];
                let what = format!("two halves of {}, with only {} reaching both", self.list(&nodes), self.list(first));
                Hit { nodes, layers: vec![Layer::Cut { pairs }], what }
            }
            CutShape::Halves(who) => {
                let nodes = self.shuffled(who, fault);
                let (first, second) = nodes.split_at(nodes.len() / 2);
                self.two_sides(fault, first.to_vec(), second.to_vec(), cut.others)
            }
            CutShape::Between { a, b } => {
                let (a, b) = (self.select(a, fault), self.select(b, fault));
                self.two_sides(fault, a, b, cut.others)
            }
            CutShape::Isolate(who) => {
                let first = self.select(who, fault);
                let second = self.core.hosts.ids().filter(|node| !first.contains(node) && self.shared.kin(&first, *node)).collect();
                self.two_sides(fault, first, second, cut.others)
            }
        }
    }

    /// Two sides that do not reach each other, everyone else on one of them or on neither.
    fn two_sides(&mut self, fault: FaultId, mut first: Vec<NodeId>, mut second: Vec<NodeId>, others: Others) -> Hit {
        let rest: Vec<NodeId> = self.core.hosts.ids().filter(|node| !first.contains(node) && !second.contains(node)).collect();
        for node in rest {
            match others {
                Others::Untouched => {}
                Others::First => first.push(node),
                Others::Second => second.push(node),
                Others::Split => {
                    let side = if self.fault_words(fault).below(2) == 0 { &mut first } else { &mut second };
                    side.push(node);
                }
            }
        }
        first.sort_unstable();
        second.sort_unstable();
        let what = format!("{} cut from {}", self.list(&first), self.list(&second));
        Hit { nodes: joined(&first, &second), layers: vec![Layer::Cut { pairs: Pairs::both_ways(&first, &second) }], what }
    }

    /// The cut that these layers are, with every node by its name.
    fn certain_cut(&self, cut: &Cut, layers: &[Layer]) -> Cut {
        let mut shape = Vec::new();
        for layer in layers {
            match layer {
                Layer::Cut { pairs } => {
                    shape.extend(pairs.rectangles().map(|(from, to)| (self.by_name(&from), self.by_name(&to))));
                }
                Layer::CutLink { .. } => return cut.clone(),
                Layer::Jam { .. } | Layer::Drop { .. } | Layer::Clog { .. } => unreachable!("a cut cuts"),
            }
        }
        Cut { shape: CutShape::Pairs(shape), others: Others::Untouched }
    }

    /// A selector that means these nodes and no others.
    pub(super) fn by_name(&self, nodes: &[NodeId]) -> Selector {
        let name = |node: &NodeId| Selector::Named(self.shared.names.node(*node).to_owned());
        match nodes {
            [one] => name(one),
            several => Selector::Union(several.iter().map(name).collect()),
        }
    }

    /// From whom to whom, in words.
    fn way(&self, ends: &Ends) -> String {
        format!("{} to {}", self.list(&ends.from), self.list(&ends.to))
    }

    fn shuffled(&mut self, who: &Selector, fault: FaultId) -> Vec<NodeId> {
        let mut nodes = self.select(who, fault);
        self.fault_words(fault).shuffle(&mut nodes);
        nodes
    }

    /// Names of nodes in a sentence.
    fn list(&self, nodes: &[NodeId]) -> String {
        if nodes.is_empty() {
            return "nobody".to_owned();
        }
        let names: Vec<&str> = nodes.iter().map(|node| self.shared.names.node(*node)).collect();
        names.join(", ")
    }
}

fn joined(a: &[NodeId], b: &[NodeId]) -> Vec<NodeId> {
    let mut all: Vec<NodeId> = a.iter().chain(b).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}
