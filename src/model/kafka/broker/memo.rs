//! What a broker keeps on disk besides its logs: under which epoch it was registered last.

use crate::world::Contents;

use super::super::disk;
use super::super::ids::BrokerEpoch;

/// A broker's disk.
pub type BrokerDisk = disk::BrokerDisk<Memo>;
/// A write to it.
pub type BrokerWrite = disk::BrokerWrite<BrokerEpoch>;

/// The last registration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Memo {
    /// Its epoch. `None`: there was none.
    pub epoch: Option<BrokerEpoch>,
}

impl Contents for Memo {
    type Write = BrokerEpoch;

    fn apply(&mut self, write: BrokerEpoch) {
        self.epoch = Some(write);
    }

    /// The file is replaced, or it is not.
    fn torn(_: &BrokerEpoch, _: u64) -> Option<BrokerEpoch> {
        None
    }

    fn flip(&mut self, _: u64) -> bool {
        false
    }

    fn bytes(_: &BrokerEpoch) -> u64 {
        0
    }

    fn frees(_: &BrokerEpoch) -> u64 {
        0
    }
}
