//! A node's disk: what it holds of whatever the node may be.

use crate::world::Contents;

use super::broker::{BrokerDisk, BrokerWrite};
use super::config::Config;
use super::controller::{self, ControllerDisk, ControllerWrite};
use super::store::{StoreDisk, StoreWrite};

/// What a disk holds: of each role its part, and of those that the node does not play nothing.
#[derive(Clone, Debug)]
pub struct Disk {
    /// A broker's logs.
    pub broker: BrokerDisk,
    /// A controller's metadata log.
    pub controller: ControllerDisk,
    /// The database.
    pub store: StoreDisk,
    /// What clients keep.
    pub nothing: (),
}

/// One write.
#[derive(Clone, Debug)]
pub enum Write {
    /// A broker's.
    Broker(BrokerWrite),
    /// A controller's.
    Controller(ControllerWrite),
    /// The database's.
    Store(StoreWrite),
}

impl Disk {
    /// An empty one.
    #[must_use]
    pub fn format(config: &Config) -> Disk {
        Disk { broker: BrokerDisk::default(), controller: controller::format(config), store: StoreDisk::default(), nothing: () }
    }
}

impl Contents for Disk {
    type Write = Write;

    fn apply(&mut self, write: Write) {
        match write {
            Write::Broker(write) => self.broker.apply(write),
            Write::Controller(write) => self.controller.apply(write),
            Write::Store(write) => self.store.apply(write),
        }
    }

    fn torn(write: &Write, word: u64) -> Option<Write> {
        match write {
            Write::Broker(write) => BrokerDisk::torn(write, word).map(Write::Broker),
            Write::Controller(write) => ControllerDisk::torn(write, word).map(Write::Controller),
            Write::Store(write) => StoreDisk::torn(write, word).map(Write::Store),
        }
    }

    fn flip(&mut self, word: u64) -> bool {
        self.broker.flip(word) || self.controller.flip(word) || self.store.flip(word)
    }

    fn bytes(write: &Write) -> u64 {
        match write {
            Write::Broker(write) => BrokerDisk::bytes(write),
            Write::Controller(write) => ControllerDisk::bytes(write),
            Write::Store(write) => StoreDisk::bytes(write),
        }
    }

    fn frees(write: &Write) -> u64 {
        match write {
            Write::Broker(write) => BrokerDisk::frees(write),
            Write::Controller(write) => ControllerDisk::frees(write),
            Write::Store(write) => StoreDisk::frees(write),
        }
    }
}
