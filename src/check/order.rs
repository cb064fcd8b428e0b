//! Order of first deliveries to one group: what was seen so far, in as little as later messages can still contradict.

use crate::base::{NodeId, PayloadId, Time};

use super::bits::Plane;
use super::table::Table;

/// The latest published of the messages that have arrived.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frontier {
    /// When it was invoked.
    pub(super) called: Time,
    /// When it arrived first.
    pub(super) arrived: Time,
    pub(super) payload: PayloadId,
    /// Its place among all calls of the run.
    pub(super) ordinal: u32,
    /// Where it arrived.
    pub(super) node: NodeId,
}

/// A message at the moment of its first arrival.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arriving {
    pub(super) own: Frontier,
    /// When its publish had ended; `None` while it is pending.
    pub(super) ended: Option<Time>,
    pub(super) producer: NodeId,
    pub(super) key: u32,
}

/// In which scope messages are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    Global,
    Key,
    Producer,
}

/// What the arrival of a message shows in one scope.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) scope: Scope,
    /// Whether something had arrived before, so that there was something to compare.
    pub(super) compared: bool,
    /// A later message that had arrived before this one.
    pub(super) overtaker: Option<Frontier>,
}

/// What one group has seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    latest: Option<Frontier>,
    /// By producer: the last in program order.
    producers: Table<Option<Frontier>>,
    /// By key: the latest in time. Only keys with messages outstanding are needed.
    keys: Table<Option<Frontier>>,
    /// By producer and key: the last in program order. Only those with messages outstanding are needed.
    lanes: Table<Option<Frontier>>,
    /// Keys of which anything arrived.
    known_keys: Plane,
    /// Sweep when the tables are larger than this.
    limit: usize,
}

/// The key of a producer and a message key together.
pub(super) fn lane(producer: NodeId, key: u32) -> u64 {
    u64::from(producer.0) << 32 | u64::from(key)
}

/// The smallest size at which sweeping is worth it. Tests sweep all the time.
const SWEEP: usize = if cfg!(test) { 1 } else { 1024 };

impl Orders {
    /// Takes in the first arrival of a message and tells what it contradicts.
    pub(super) fn arrive(&mut self, message: &Arriving) -> [Seen; 3] {
        let own = message.own;
        // Real time: this one had ended before the other was invoked. Equal times are concurrent.
        let overtook = |other: &Frontier| message.ended.is_some_and(|ended| ended < other.called);
        let global = Seen { scope: Scope::Global, compared: self.latest.is_some(), overtaker: self.latest.filter(overtook) };
        later_call(&mut self.latest, own);

        let latest = self.keys.entry(u64::from(message.key));
        let key = Seen { scope: Scope::Key, compared: !self.known_keys.insert(message.key), overtaker: latest.filter(overtook) };
        later_call(latest, own);

        let last = self.producers.entry(u64::from(message.producer.0));
        let producer = Seen { scope: Scope::Producer, compared: last.is_some(), overtaker: last.filter(|f| f.ordinal > own.ordinal) };
        later_ordinal(last, own);

        later_ordinal(self.lanes.entry(lane(message.producer, message.key)), own);
        [global, key, producer]
    }

    /// A later message of the same producer and key that has arrived.
    pub(super) fn passed(&self, producer: NodeId, key: u32, ordinal: u32) -> Option<Frontier> {
        self.lanes.get(lane(producer, key)).copied().flatten().filter(|f| f.ordinal > ordinal)
    }

    /// Whether it is time to [`sweep`](Self::sweep).
    #[inline]
    pub(super) fn overgrown(&self) -> bool {
        self.keys.len().max(self.lanes.len()) > self.limit.max(SWEEP)
    }

    /// Forgets keys without outstanding messages: whatever is published from now on is later than everything that has arrived.
    pub(super) fn sweep(&mut self, keys: &Table<()>, outstanding: usize) {
        self.keys.retain(|key, _| keys.get(key).is_some());
        self.lanes.retain(|lane, _| keys.get(lane & u64::from(u32::MAX)).is_some());
        self.limit = (2 * self.keys.len().max(self.lanes.len())).max(outstanding / 4);
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        self.producers.bytes() + self.keys.bytes() + self.lanes.bytes() + self.known_keys.bytes()
    }
}

fn later_call(latest: &mut Option<Frontier>, own: Frontier) {
    if latest.is_none_or(|f| own.called > f.called) {
        *latest = Some(own);
    }
}

fn later_ordinal(last: &mut Option<Frontier>, own: Frontier) {
    if last.is_none_or(|f| own.ordinal > f.ordinal) {
        *last = Some(own);
    }
}
