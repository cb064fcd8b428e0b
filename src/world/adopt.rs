//! A running world goes on under other settings: what would have come of it, had this been different from now on.

use std::any::Any;
use std::sync::Arc;

use crate::base::{FaultId, Time};

use super::core::Event;
use super::faults::Turn;
use super::protocol::Protocol;
use super::sim::Sim;
use super::{Shared, World};

impl<P: Protocol> World<P> {
    /// Takes over the settings of a world that has not begun: the protocol's configuration, the laws of the network, the faults
    /// still to come and the named transmissions. What runs stays: processes with what they read at their start, messages on
    /// their way, faults that act.
    ///
    /// # Errors
    /// What does not change while it runs, each as a sentence; then nothing was changed.
    pub(super) fn adopt_from(&mut self, now: Time, other: &dyn Sim) -> Result<(), Vec<String>> {
        let Some(other) = (other as &dyn Any).downcast_ref::<World<P>>() else {
            return Err(vec!["a running system does not become another model's".to_owned()]);
        };
        let problems = self.obstacles(other);
        if !problems.is_empty() {
            return Err(problems);
        }
        self.core.network.adopt(&other.core.network)?;
        self.config = Arc::clone(&other.config);
        self.core.config = Arc::clone(&other.config);
        self.core.stream = Arc::clone(&other.core.stream);
        self.shared = Arc::new(Shared { seed: self.shared.seed, ..(*other.shared).clone() });
        let changed = self.core.ledger.adopt(&other.core.ledger);
        for fault in changed {
            self.call_off(fault);
            self.schedule_fault(fault, now);
        }
        Ok(())
    }

    /// What keeps this world from going on under the other's settings.
    fn obstacles(&self, other: &World<P>) -> Vec<String> {
        let (ours, theirs) = (&self.shared, &other.shared);
        let mut problems = Vec::new();
        if ours.names.nodes != theirs.names.nodes || ours.groups != theirs.groups {
            problems.push("the nodes of a running system stay the same: start another run to add or remove some".to_owned());
        }
        if ours.names.objects != theirs.names.objects {
            problems.push("queues, topics and subscriptions of a running system stay the same".to_owned());
        }
        if problems.is_empty() && !self.core.machines.equal(&other.core.machines) {
            problems.push("machines (`node.…`) are not exchanged while they run".to_owned());
        }
        problems.extend(self.core.ledger.obstacle(&other.core.ledger));
        problems
    }

    /// A fault's strikes that are still to come are called off.
    fn call_off(&mut self, fault: FaultId) {
        let is_its = |event: &Event<P>| matches!(event, Event::Fault(Turn::Begin { fault: of, .. }) if *of == fault);
        let handles: Vec<_> = self.core.queue.iter().filter(|(_, _, event)| is_its(event)).map(|(_, handle, _)| handle).collect();
        for handle in handles {
            self.core.queue.cancel(handle);
        }
    }
}
