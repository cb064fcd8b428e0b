//! What has a number in a Kafka system: partitions, topics, groups, producers and their epochs.

use std::fmt;

/// How far from the beginning of a log.
pub type Offset = u64;
/// Counts the leaders of a partition, from 0.
pub type Epoch = u32;
/// Which registration of a broker this is: a restarted broker has a higher one.
pub type BrokerEpoch = u64;

/// A partition of any topic, internal ones included: a position in [`super::Config::partitions`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Part(pub u32);

impl Part {
    /// As an index into a vector.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The partition at a position.
    ///
    /// # Panics
    /// When the position does not fit 32 bits; the configuration is checked for that.
    #[must_use]
    pub fn at(index: usize) -> Part {
        Part(u32::try_from(index).expect("fewer than 2^32 partitions"))
    }
}

/// A topic: a position in [`super::Config::topics`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TopicId(pub u16);

impl TopicId {
    /// As an index into a vector.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A consumer group: a position in [`super::Config::groups`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupId(pub u16);

impl GroupId {
    /// As an index into a vector.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A transactional id: a position in [`super::Config::transactional`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxnId(pub u16);

impl TxnId {
    /// As an index into a vector.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the cluster calls a producer's session: given out once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ProducerId(pub u64);

/// One idempotent producer at one epoch: a later epoch fences the earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Session {
    /// Which producer.
    pub id: ProducerId,
    /// Which epoch of it.
    pub epoch: u16,
}

/// A member of a group, as its coordinator named it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MemberId(pub u64);

impl fmt::Display for ProducerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "producer id {}", self.0)
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} epoch {}", self.id, self.epoch)
    }
}
