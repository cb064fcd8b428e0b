//! From what a fault names to the nodes and pairs it concerns, at the moment it strikes.

use crate::base::law::Sampler;
use crate::base::{FaultId, NodeId, Words};
use crate::parts::fault::{Cut, CutShape, Ill, Others, Selector};
use crate::parts::network::{Layer, Pairs};

use super::World;
use super::core::Core;
use super::nodes::Nodes;
use super::protocol::Protocol;

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

    /// What a fault of the network lays over it, whom it names, and what that is in words.
    pub(super) fn network_layers(&mut self, fault: FaultId, ill: &Ill, extra: Option<&Sampler>) -> (Vec<NodeId>, Vec<Layer>, String) {
        match ill {
            Ill::Cut(cut) => self.cut_layers(fault, cut),
            Ill::Jam { from, to, .. } => {
                let (from, to, pairs) = self.both_ends(from, to, fault);
                let extra = extra.expect("a jam has a law").clone();
                (
                    joined(&from, &to),
                    vec![Layer::Jam { pairs, extra }],
                    format!("messages from {} to {} slowed", self.list(&from), self.list(&to)),
                )
            }
            Ill::Drop { from, to, kind, chance } => {
                let (from, to, pairs) = self.both_ends(from, to, fault);
                let number = kind.as_deref().and_then(|kind| P::kinds().iter().position(|known| *known == kind));
                let number = number.map(|kind| u16::try_from(kind).expect("few kinds"));
                let what = kind.as_deref().map_or_else(|| "messages".to_owned(), |kind| format!("{kind} messages"));
                let words = format!("{chance} of the {what} from {} to {} dropped", self.list(&from), self.list(&to));
                (joined(&from, &to), vec![Layer::Drop { pairs, kind: number, chance: *chance }], words)
            }
            Ill::Clog { from, to } => {
                let (from, to, pairs) = self.both_ends(from, to, fault);
                (
                    joined(&from, &to),
                    vec![Layer::Clog { pairs }],
                    format!("messages from {} to {} held back", self.list(&from), self.list(&to)),
                )
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

    fn both_ends(&mut self, from: &Selector, to: &Selector, fault: FaultId) -> (Vec<NodeId>, Vec<NodeId>, Pairs) {
        let (from, to) = (self.select(from, fault), self.select(to, fault));
        let pairs = Pairs::one_way(&from, &to);
        (from, to, pairs)
    }

    fn cut_layers(&mut self, fault: FaultId, cut: &Cut) -> (Vec<NodeId>, Vec<Layer>, String) {
        match &cut.shape {
            CutShape::Link(name) => {
                let link = self.core.network.link(name).expect("checked when the world was made");
                (Vec::new(), vec![Layer::CutLink { link }], format!("link {name} cut"))
            }
            CutShape::Pairs(all) => {
                let (mut named, mut pairs, mut words) = (Vec::new(), Pairs::none(), Vec::new());
                for (from, to) in all {
                    let (from, to, some) = self.both_ends(from, to, fault);
                    words.push(format!("{} to {}", self.list(&from), self.list(&to)));
                    named = joined(&joined(&from, &to), &named);
                    pairs = pairs.union(&some);
                }
                (named, vec![Layer::Cut { pairs }], format!("nothing gets from {}", words.join(", from ")))
            }
            CutShape::OneWay { from, to } => {
                let (from, to, pairs) = self.both_ends(from, to, fault);
                (joined(&from, &to), vec![Layer::Cut { pairs }], format!("nothing gets from {} to {}", self.list(&from), self.list(&to)))
            }
            CutShape::MajoritiesRing(who) => {
                let nodes = self.shuffled(who, fault);
                let pairs = Pairs::majorities_ring(&nodes);
                (nodes.clone(), vec![Layer::Cut { pairs }], format!("ring of majorities: {}", self.list(&nodes)))
            }
            CutShape::Bridge(who) => {
                let nodes = self.shuffled(who, fault);
                let pairs = Pairs::bridge(&nodes);
                let words =
                    format!("two halves of {}, with only {} reaching both", self.list(&nodes), self.list(&nodes[..nodes.len().min(1)]));
                (nodes, vec![Layer::Cut { pairs }], words)
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
    fn two_sides(
        &mut self,
        fault: FaultId,
        mut first: Vec<NodeId>,
        mut second: Vec<NodeId>,
        others: Others,
    ) -> (Vec<NodeId>, Vec<Layer>, String) {
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
        let words = format!("{} cut from {}", self.list(&first), self.list(&second));
        (joined(&first, &second), vec![Layer::Cut { pairs: Pairs::both_ways(&first, &second) }], words)
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
