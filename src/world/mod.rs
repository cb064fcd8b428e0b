//! The kernel: one generic world that runs a protocol on simulated machines and tells what happened.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

mod adopt;
pub mod config;
mod core;
pub mod ctx;
mod faults;
mod host;
mod lifecycle;
pub mod nodes;
mod overrides;
pub mod protocol;
mod select;
pub mod sim;
mod simulate;
mod step;
mod streams;
#[cfg(test)]
mod tests;
#[cfg(debug_assertions)]
mod unique;

use std::sync::Arc;

use crate::base::{Digest, NodeId, PerNode, SmallStream, Time, WorldKey};
use crate::parts::fault::{CutShape, Fault, Ill, Others};
use crate::parts::network::Network;
use crate::record::{Names, Trace};

pub use crate::parts::disk::{Contents, DiskFull, Either};
pub use config::{NamedOverride, Strike, Surroundings};
pub use ctx::{Ctx, Itself, Scope, TimerId};
pub use nodes::Nodes;
pub use protocol::{Breach, Discard, Hosts, Message, Peer, Protocol, Role, Roster, RosterNode, Sink};
pub use sim::Sim;

pub use self::core::CONNECTION_KINDS;

use self::core::Core;
use host::{Host, Machines, Status};

/// Why a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Disconnect {
    /// The peer's process died or knows nothing of the stream.
    Reset,
    /// Nobody listened at the peer.
    Refused,
    /// The peer ended it in order.
    Closed,
    /// Nothing was heard for too long.
    TimedOut,
}

impl Disconnect {
    /// The words for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Disconnect::Reset => "reset by the peer",
            Disconnect::Refused => "refused",
            Disconnect::Closed => "closed by the peer",
            Disconnect::TimedOut => "timed out",
        }
    }
}

/// What all forks of a world share.
#[derive(Clone)]
struct Shared {
    names: Names,
    groups: Vec<Vec<&'static str>>,
    invariant_stride: u64,
    /// Names of overrides, with what the network knows them by.
    overrides: Vec<(String, (u64, u32))>,
    seed: u64,
}

impl Shared {
    /// The nodes of a name or group.
    fn named(&self, name: &str) -> Vec<NodeId> {
        let is = |i: &usize| self.names.nodes[*i] == name || self.groups[*i].contains(&name);
        (0..self.names.nodes.len()).filter(is).map(NodeId::at).collect()
    }

    /// Whether a node shares a group with one of these.
    fn kin(&self, nodes: &[NodeId], other: NodeId) -> bool {
        nodes.iter().any(|node| self.groups[node.index()].iter().any(|group| self.groups[other.index()].contains(group)))
    }
}

/// A running system: a value that can be cloned at any moment and goes on from there, alike for alike events.
///
/// Cloning costs as much as there are nodes and pending events; configuration, names and the topology are shared.
pub struct World<P: Protocol> {
    core: Core<P>,
    nodes: PerNode<Option<P::Node>>,
    config: Arc<P::Config>,
    shared: Arc<Shared>,
    breach: Option<(Time, String)>,
}

impl<P: Protocol> Clone for World<P> {
    fn clone(&self) -> Self {
        World {
            core: self.core.clone(),
            nodes: self.nodes.clone(),
            config: Arc::clone(&self.config),
            shared: Arc::clone(&self.shared),
            breach: self.breach.clone(),
        }
    }
}

impl<P: Protocol> World<P> {
    /// A world at time zero, all nodes booted.
    ///
    /// # Errors
    /// What in the surroundings does not fit the roster, each as one sentence.
    pub fn new(config: Arc<P::Config>, surroundings: &Surroundings, seed: u64) -> Result<World<P>, Vec<String>> {
        let roster = P::roster(&config);
        let hosts: Vec<String> = roster.nodes.iter().map(|node| node.name.clone()).collect();
        let mut problems = Vec::new();
        let network = Network::new(&surroundings.network, &hosts, seed).map_err(|more| problems.extend(more)).ok();
        let machines = Machines::new(&surroundings.machines, &roster).map_err(|more| problems.extend(more)).ok();
        if let Some(network) = &network {
            misfits::<P>(surroundings.faults.iter(), network, &mut problems);
        }
        let key = WorldKey::new(seed);
        let labels = host::labels(&hosts);
        let overrides = overrides::resolve::<P>(&surroundings.overrides, (&roster, &labels), key, &mut problems);
        let (Some(mut network), Some(machines), true) = (network, machines, problems.is_empty()) else { return Err(problems) };
        let named = overrides.iter().map(|(name, one)| (name.clone(), (one.decision, one.resend))).collect();
        network.override_with(Arc::new(overrides::table(overrides)?));
        let count = hosts.len();
        let shared = Shared {
            names: Names { nodes: hosts, objects: roster.objects },
            groups: roster.nodes.iter().map(|node| node.groups.clone()).collect(),
            invariant_stride: surroundings.invariant_stride,
            overrides: named,
            seed,
        };
        let host = |id: NodeId| Host {
            status: Status::Off,
            stopped: false,
            gated: false,
            incarnation: 0,
            words: words_of(shared.names.node(id), seed),
            label: labels[id.index()],
            cold: None,
        };
        let core = Core {
            now: Time::ZERO,
            queue: crate::parts::queue::Queue::new(),
            key,
            network,
            hosts: PerNode::new(count, host),
            machines: Arc::new(machines),
            config: Arc::clone(&config),
            stream: Arc::new(surroundings.network.stream.clone()),
            conns: streams::Conns::new(),
            history: Vec::new(),
            open: std::collections::BTreeMap::new(),
            marks: crate::record::Marks::default(),
            digest: Digest::new(),
            ledger: faults::Ledger::new(&surroundings.faults, seed, (surroundings.chaos_start, surroundings.heal_start)),
            trace: (surroundings.trace_limit > 0).then(|| Box::new(Trace::within(surroundings.trace_window, surroundings.trace_limit))),
            messages: 0,
            events: 0,
            gated: 0,
        };
        let mut world = World { core, nodes: PerNode::new(count, |_| None), config, shared: Arc::new(shared), breach: None };
        for id in world.nodes.ids() {
            if world.core.machines.of(id).is_special() {
                world.core.cold(id);
            }
        }
        for id in world.nodes.ids() {
            world.boot(id);
        }
        world.schedule_faults();
        Ok(world)
    }

    /// The present, in true time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.core.now
    }

    /// A look at the processes.
    #[must_use]
    pub fn nodes(&self) -> Nodes<'_, P> {
        Nodes::new(&self.nodes, &self.core.hosts)
    }

    fn check_invariant(&mut self) {
        let stride = self.shared.invariant_stride;
        if stride > 0 && self.core.events.is_multiple_of(stride) && self.breach.is_none() {
            let view = Nodes::new(&self.nodes, &self.core.hosts);
            self.breach = P::invariant(&self.config, &view).err().map(|Breach(sentence)| (self.core.now, sentence));
        }
    }
}

/// A node's own random words.
fn words_of(name: &str, seed: u64) -> SmallStream {
    SmallStream::named(seed, &format!("node {name}"), 0)
}

/// What a fault names and the network or the protocol does not have.
fn misfits<'f, P: Protocol>(faults: impl IntoIterator<Item = &'f Fault>, network: &Network, problems: &mut Vec<String>) {
    for fault in faults {
        match &fault.ill {
            Ill::Cut(cut) => {
                if let CutShape::Link(name) = &cut.shape
                    && network.link(name).is_none()
                {
                    problems.push(format!("fault `{}`: no link is called `{name}`", fault.name));
                }
                let sideless = matches!(
                    cut.shape,
                    CutShape::Link(_) | CutShape::OneWay { .. } | CutShape::MajoritiesRing(_) | CutShape::Bridge(_) | CutShape::Pairs(_)
                );
                if sideless && cut.others != Others::Untouched {
                    problems.push(format!("fault `{}`: this shape of cut has no two sides on which others could stand", fault.name));
                }
            }
            Ill::Drop { kind: Some(kind), .. } => {
                if !P::kinds().contains(&kind.as_str()) {
                    problems.push(format!("fault `{}`: no message is of kind `{kind}` (kinds: {})", fault.name, P::kinds().join(", ")));
                }
            }
            Ill::Drop { kind: None, .. }
            | Ill::Kill(_)
            | Ill::PowerOff(_)
            | Ill::Wipe(_)
            | Ill::Pause(_)
            | Ill::Freeze(_)
            | Ill::Slow { .. }
            | Ill::Jam { .. }
            | Ill::Clog { .. }
            | Ill::DiskStall(_)
            | Ill::SyncFails { .. }
            | Ill::TornWrite(_)
            | Ill::FlipBits { .. }
            | Ill::DiskFull(_)
            | Ill::ClockStep { .. }
            | Ill::ClockDrift { .. } => {}
        }
    }
}
