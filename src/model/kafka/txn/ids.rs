//! Producer ids that nobody has had.

use super::super::ids::{BrokerEpoch, ProducerId};

/// So many ids for each registration of a broker, as a power of two.
const BITS: u32 = 20;

/// The producer ids that one broker gives out. No two registrations have the same epoch, so no two brokers give out the same id. In Kafka
/// brokers ask the controller for blocks of ids.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ProducerIds {
    registration: Option<BrokerEpoch>,
    given: u64,
}

impl ProducerIds {
    /// The broker is registered, perhaps again.
    pub const fn registered(&mut self, epoch: BrokerEpoch) {
        self.registration = Some(epoch);
        self.given = 0;
    }

    /// A new one. `None`: the broker is not registered yet, or has given out a million.
    pub fn allocate(&mut self) -> Option<ProducerId> {
        let epoch = self.registration?;
        let number = self.given;
        (number >> BITS == 0).then(|| {
            self.given += 1;
            ProducerId(epoch << BITS | number)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_id_is_given_twice() {
        let mut ids = ProducerIds::default();
        assert_eq!(ids.allocate(), None, "not before the broker is registered");
        let mut seen = BTreeSet::new();
        for epoch in [3, 4, 9] {
            ids.registered(epoch);
            for _ in 0..50 {
                assert!(seen.insert(ids.allocate().unwrap()));
            }
        }
        ids.given = (1 << BITS) - 1;
        assert_eq!(ids.allocate(), Some(ProducerId((10 << BITS) - 1)));
        assert_eq!(ids.allocate(), None, "the next would be of another registration");
    }
}
