//! One run of a hunt: everything in which it differs from the arm.

use crate::base::Span;
use crate::load::{LoadConfig, Phases};
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
    /// The phases: all as in the arm, but for the last, which may be longer.
    pub phases: Phases,
}

/// After healing a run gets at least this long to come to rest …
const LEAST_REST: Span = Span::secs(120);

/// … and after long trouble longer, but what lasts for days does not get weeks.
const MOST_REST: Span = Span::secs(600);

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
            phases: *arm.phases(),
        }
    }

    /// The same with a draining phase in which whatever is found still waiting waits for ever: scenarios choose theirs for their own
    /// faults. After a long cut streams send again only after about as long, and producers that tried again and again left much to do.
    #[must_use]
    pub(super) fn with_time_to_rest(mut self) -> Variation {
        let long = self.phases.chaos.min(MOST_REST) * 10;
        self.phases.drain = self.phases.drain.max(long.clamp(LEAST_REST, MOST_REST));
        self
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
        let arm = arm.with_faults(faults).with_network(self.network.clone()).with_machines(self.machines.clone());
        arm.with_load(self.load.clone()).with_phases(self.phases)
    }
}
