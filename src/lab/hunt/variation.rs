//! One run of a hunt: everything in which it differs from the arm.

use crate::load::LoadConfig;
use crate::parts::config::{MachineConfig, NetworkConfig};
use crate::parts::fault::Fault;
use crate::scenario::ArmPlan;

use super::super::vocabulary::IllKind;

/// An arm's surroundings and load, changed: nothing in it is left to chance but what the seed decides.
#[derive(Clone, PartialEq, Debug)]
pub struct Variation {
    /// The chance of the run.
    pub seed: u64,
    /// The faults that the arm declares itself, as far as they stay.
    pub declared: Vec<Fault>,
    /// The faults that are brought about besides, each at given moments; their names are given by [`Variation::apply`].
    pub extra: Vec<Fault>,
    /// The network.
    pub network: NetworkConfig,
    /// The machines.
    pub machines: Vec<(String, MachineConfig)>,
    /// The load.
    pub load: LoadConfig,
}

impl Variation {
    /// The arm as it is.
    #[must_use]
    pub fn none(arm: &ArmPlan, seed: u64) -> Variation {
        let surroundings = arm.surroundings();
        Variation {
            seed,
            declared: surroundings.faults.to_vec(),
            extra: Vec::new(),
            network: surroundings.network.clone(),
            machines: surroundings.machines.clone(),
            load: arm.load().clone(),
        }
    }

    /// The arm under this variation. The extra faults get names that no other has.
    #[must_use]
    pub fn apply(&self, arm: &ArmPlan) -> ArmPlan {
        let mut faults = self.declared.clone();
        for fault in &self.extra {
            let kind = IllKind::of(&fault.ill).name().replace('_', " ");
            let name = (1..).map(|number| format!("{kind} {number}")).find(|name| faults.iter().all(|other| other.name != *name));
            faults.push(Fault { name: name.expect("some number is free"), ..fault.clone() });
        }
        arm.with_faults(faults).with_network(self.network.clone()).with_machines(self.machines.clone()).with_load(self.load.clone())
    }
}
