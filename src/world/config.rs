//! What a world is built from, besides the protocol's own configuration.

use std::sync::Arc;

use crate::base::{FaultId, NodeId, Time};
use crate::parts::config::{MachineConfig, NetworkConfig};
use crate::parts::fault::Fault;

/// Everything around the protocol: machines, network, faults, phases.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The network.
    pub network: NetworkConfig,
    /// The machine of every node whose name, group or `*` matches; of several the last counts.
    pub machines: Vec<(String, MachineConfig)>,
    /// The declared faults. Ids are positions.
    pub faults: Arc<[Fault]>,
    /// Faults act from here …
    pub chaos_start: Time,
    /// … until here, when all are lifted and all nodes started.
    pub heal_start: Time,
    /// How many steps of trace to keep; zero: none, at no cost.
    pub trace_limit: usize,
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
            chaos_start: Time::ZERO,
            heal_start: Time::FAR,
            trace_limit: 0,
            invariant_stride: 0,
        }
    }
}

/// One strike of a fault, as it happened: the explicit entry of the ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
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
}
