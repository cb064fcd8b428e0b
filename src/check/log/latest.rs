//! The last message of each key in a compacted log.

use crate::base::PayloadId;

use super::super::table::Table;

/// What is known of a key: places as one more than the offset, 0 for none.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Latest {
    /// The highest place of an acknowledged message.
    pub(super) acknowledged: u64,
    /// That message.
    pub(super) payload: PayloadId,
    /// The highest place of any message.
    pub(super) known: u64,
}

/// By key.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Table<Latest>);

impl Keys {
    /// A message of a key stands at an offset.
    pub(super) fn learn(&mut self, key: u32, offset: u32) {
        let latest = self.0.entry(u64::from(key));
        latest.known = latest.known.max(u64::from(offset) + 1);
    }

    /// The same, and its producer was told.
    pub(super) fn acknowledge(&mut self, key: u32, offset: u32, payload: PayloadId) {
        let (latest, place) = (self.0.entry(u64::from(key)), u64::from(offset) + 1);
        if place > latest.acknowledged {
            (latest.acknowledged, latest.payload) = (place, payload);
        }
    }

    /// Whether a message of the key is known beyond an offset.
    pub(super) fn has_later(&self, key: u32, offset: u32) -> bool {
        self.0.get(u64::from(key)).is_some_and(|latest| latest.known > u64::from(offset) + 1)
    }

    /// Whether any message of the key is known.
    pub(super) fn has(&self, key: u32) -> bool {
        self.0.get(u64::from(key)).is_some()
    }

    /// Every key, in order.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (u32, Latest)> {
        self.0.sorted().into_iter().map(|(key, latest)| (u32::try_from(key).expect("keys have 32 bits"), *latest))
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}
