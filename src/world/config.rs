//! What a world is built from, besides the protocol's own configuration.

use std::sync::Arc;

use crate::base::{FaultId, NodeId, Time};
use crate::parts::config::{MachineConfig, NetworkConfig};
use crate::parts::fault::{Fault, Ill};
use crate::parts::network::Outcome;
use crate::record::Window;

/// Everything around the protocol: machines, network, faults, phases.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The network.
    pub network: NetworkConfig,
    /// The machine of every node whose name, group or `*` matches; of several the last counts.
    pub machines: Vec<(String, MachineConfig)>,
    /// The declared faults. Ids are positions.
    pub faults: Arc<[Fault]>,
    /// Transmissions whose fate is named, not drawn.
    pub overrides: Arc<[NamedOverride]>,
    /// Faults act from here …
    pub chaos_start: Time,
    /// … until here, when all are lifted and all nodes started.
    pub heal_start: Time,
    /// How many steps of trace to keep; zero: none, at no cost.
    pub trace_limit: usize,
    /// Of which part of the run every step is kept.
    pub trace_window: Window,
    /// Check the protocol's invariant every so many events; zero: never.
    pub invariant_stride: u64,
}

impl Surroundings {
    /// This network, ordinary machines, no faults.
    #[must_use]
    pub fn calm(network: NetworkConfig) -> Surroundings {
        Surroundings {
            network,
            machines: Vec::new(),
            faults: Arc::new([]),
            overrides: Arc::new([]),
            chaos_start: Time::ZERO,
            heal_start: Time::FAR,
            trace_limit: 0,
            trace_window: Window::ALL,
            invariant_stride: 0,
        }
    }
}

/// The fate of one transmission, by its name: "drop publish 17 attempt 1 from producer-1 to broker".
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedOverride {
    /// Who sends, by name.
    pub from: String,
    /// Who shall receive, by name.
    pub to: String,
    /// Which kind of message, by the protocol's name for it.
    pub kind: String,
    /// What it is about: the number in its [`crate::base::Tag`].
    pub subject: u64,
    /// Which attempt of its sender, as in its tag.
    pub attempt: u32,
    /// On a stream: which retransmission of it; 0 is the first transmission.
    pub resend: u32,
    /// What becomes of it.
    pub outcome: Outcome,
}

impl std::fmt::Display for NamedOverride {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} attempt {} from {} to {}", self.kind, self.subject, self.attempt, self.from, self.to)?;
        if self.resend > 0 {
            write!(f, ", retransmission {}", self.resend)?;
        }
        Ok(())
    }
}

/// One strike of a fault, as it happened: the explicit entry of the ledger.
#[derive(Clone, PartialEq, Debug)]
pub struct Strike {
    /// Which declared fault.
    pub fault: FaultId,
    /// From when.
    pub from: Time,
    /// Until when; `None`: still acting.
    pub until: Option<Time>,
    /// The nodes its selector resolved to.
    pub nodes: Vec<NodeId>,
    /// What it did, in one clause.
    pub what: String,
    /// The same as an ill that says it outright: nodes by name, a cut by its pairs. With `from` and `until` it is a fault
    /// that leaves nothing to chance.
    pub ill: Ill,
}
