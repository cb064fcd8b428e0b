//! Brokers come, stay in contact, fall silent, stop.

use crate::base::NodeId;

use super::super::super::ids::BrokerEpoch;
use super::super::super::protocol::control::{Heard, Heartbeat, Register};
use super::super::super::refusal::Refusal;
use super::super::super::view::BrokerView;
use super::super::change::Fact;
use super::{Decider, Turn};

/// What becomes of a wish to register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) enum Registration {
    /// This process is registered already: its answer was lost.
    Known(BrokerEpoch),
    /// These facts register it; the epoch is where they stand in the log.
    New(Vec<Fact>),
}

/// What the active controller knows of a broker's session besides the metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Contact {
    /// What all active brokers know of the metadata log ends here, or later.
    pub(in super::super) lowest_active: u64,
    /// Where the log ended when the broker's leaderships had been taken from it. `None`: it does not stop.
    pub(in super::super) stopping_since: Option<u64>,
}

impl Decider<'_> {
    /// A process wants to register.
    pub(in super::super) fn register(&self, wish: &Register) -> Result<Registration, Refusal> {
        let known = self.view().broker(wish.broker);
        let same = self.metadata.incarnation(wish.broker) == Some(wish.incarnation);
        let mut facts = match known {
            Some(known) if same => return Ok(Registration::Known(known.epoch)),
            Some(known) if !known.fenced => return Err(Refusal::DuplicateBrokerRegistration),
            Some(known) => self.after_a_stop(wish, known),
            None => Vec::new(),
        };
        facts.push(Fact::Registered { broker: wish.broker, incarnation: wish.incarnation });
        if self.is_zookeeper() {
            facts.extend(self.unfence(wish.broker));
        }
        Ok(Registration::New(facts))
    }

    /// What a new process of a known broker means for the partitions that the old one held.
    fn after_a_stop(&self, wish: &Register, known: &BrokerView) -> Vec<Fact> {
        let in_good_order = wish.previous == Some(known.epoch);
        if self.config.mechanisms.eligible_leader_replicas && !in_good_order {
            self.updates(Turn::LostItsTail(wish.broker))
        } else {
            self.updates(Turn::Leaves(wish.broker))
        }
    }

    /// A broker was not heard of for too long, or wants to be out of it.
    pub(in super::super) fn fence(&self, broker: NodeId) -> Vec<Fact> {
        let mut facts = self.updates(Turn::Leaves(broker));
        facts.push(Fact::Fenced { broker });
        facts
    }

    fn unfence(&self, broker: NodeId) -> Vec<Fact> {
        let mut facts = vec![Fact::Unfenced { broker }];
        facts.extend(self.updates(Turn::Returns(broker)));
        facts
    }

    fn begin_to_stop(&self, broker: NodeId, known: &BrokerView) -> Vec<Fact> {
        let mut facts = if known.stopping { Vec::new() } else { vec![Fact::Stopping { broker }] };
        facts.extend(self.updates(Turn::Leaves(broker)));
        facts
    }

    /// The registration that a request of a broker names, if it is the latest.
    pub(in super::super) fn registration(&self, broker: NodeId, epoch: BrokerEpoch) -> Result<&BrokerView, Refusal> {
        let known = self.view().broker(broker).ok_or(Refusal::BrokerIdNotRegistered)?;
        if known.epoch == epoch { Ok(known) } else { Err(Refusal::StaleBrokerEpoch) }
    }

    /// A broker says that it still runs: what changes by that, and what it is told.
    pub(in super::super) fn heartbeat(&self, beat: &Heartbeat, contact: Contact) -> Result<(Vec<Fact>, Heard), Refusal> {
        let known = self.registration(beat.broker, beat.epoch)?;
        let caught_up = self.is_zookeeper() || beat.metadata > known.epoch;
        let wants_in = self.is_zookeeper() || !beat.wants_fence;
        let leads = self.parts().any(|part| self.view().part(part).is_some_and(|part| part.leader == Some(beat.broker)));
        let told = |fenced: bool, may_stop: bool| Heard { caught_up, fenced, may_stop };
        Ok(match (known.fenced, beat.wants_shutdown) {
            (true, true) => (Vec::new(), told(true, true)),
            (true, false) if wants_in && caught_up => (self.unfence(beat.broker), told(false, false)),
            (true, false) => (Vec::new(), told(true, false)),
            (false, shutdown) if !wants_in => (self.fence(beat.broker), told(true, shutdown)),
            (false, true) if leads => (self.begin_to_stop(beat.broker, known), told(false, false)),
            (false, true) if self.is_known_to_all(known, contact) => (self.fence(beat.broker), told(true, true)),
            (false, _) => (Vec::new(), told(false, false)),
        })
    }

    /// Whether all active brokers have read that a broker leads nothing any more.
    fn is_known_to_all(&self, known: &BrokerView, contact: Contact) -> bool {
        !known.stopping || self.is_zookeeper() || contact.stopping_since.is_some_and(|since| since <= contact.lowest_active)
    }
}
