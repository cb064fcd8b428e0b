//! What the broker keeps on disk: the messages of each queue and the idempotence keys it remembers.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{NodeId, PayloadId, Time};
use crate::world::Contents;

use super::protocol::{HEADER_BYTES, Parcel, QueueId};

/// A message's place: the queue and the number in it.
pub type Place = (QueueId, u64);

/// What producers name their messages by: the producer and the payload.
pub type IdempotenceKey = (NodeId, PayloadId);

/// One record of the broker's journal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// A message came in, into one or several queues, and its key is remembered under a number. One record, so that no
    /// crash can keep the key and lose the message: a repetition would then be confirmed although nothing is there.
    Stored {
        /// Where it went. None: it was dropped at the door, or nobody subscribes.
        places: Arc<[Place]>,
        /// The message.
        parcel: Parcel,
        /// When it came, by the broker's clock.
        arrived: Time,
        /// The number of its key, if keys are kept on disk.
        key: Option<u64>,
    },
    /// A message was handed out for the `nth` time.
    HandedOut {
        /// Which.
        place: Place,
        /// How often now.
        nth: u32,
    },
    /// A message left its queue.
    Left {
        /// Which.
        place: Place,
        /// What it took up.
        bytes: u32,
    },
    /// A message went to the dead letters.
    Moved {
        /// From where.
        from: Place,
        /// To where.
        to: Place,
        /// The message.
        parcel: Parcel,
        /// When it moved, by the broker's clock.
        arrived: Time,
    },
    /// Keys below this number are no longer remembered.
    Forgotten {
        /// The number.
        before: u64,
    },
    /// All of it, written anew and put in place of the old by one rename. A broker does so when it cannot know which of its
    /// writes the disk has: after a failed sync (the pages count as clean, and are not), and when it starts.
    Anew(Arc<BrokerDisk>),
}

/// A message on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The message.
    pub parcel: Parcel,
    /// When it came.
    pub arrived: Time,
    /// How often it was handed out.
    pub deliveries: u32,
}

/// The broker's disk: the fold of its records. Settled messages leave nothing but the number of the next place.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BrokerDisk {
    /// The messages of each queue, by place; with the place that the next one gets.
    pub queues: Vec<(BTreeMap<u64, Kept>, u64)>,
    /// Idempotence keys by number, oldest first.
    pub keys: BTreeMap<u64, IdempotenceKey>,
    /// The number that the next key gets.
    pub next_key: u64,
    /// Keys below this number were forgotten.
    pub forgotten: u64,
}

impl BrokerDisk {
    /// An empty disk for so many queues.
    #[must_use]
    pub fn new(queues: usize) -> BrokerDisk {
        BrokerDisk { queues: vec![(BTreeMap::new(), 0); queues], keys: BTreeMap::new(), next_key: 0, forgotten: 0 }
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.next_key == 0 && self.queues.iter().all(|(_, next)| *next == 0)
    }

    fn put(&mut self, (queue, seq): Place, kept: Kept) {
        let (messages, next) = &mut self.queues[queue.index()];
        messages.insert(seq, kept);
        *next = (*next).max(seq + 1);
    }
}

/// Bytes of one message of one queue on disk.
fn kept_bytes(parcel_bytes: u32) -> u64 {
    u64::from(HEADER_BYTES) + u64::from(parcel_bytes)
}

impl Contents for BrokerDisk {
    type Write = Record;

    fn apply(&mut self, record: Record) {
        match record {
            Record::Stored { places, parcel, arrived, key } => {
                for place in places.iter() {
                    self.put(*place, Kept { parcel, arrived, deliveries: 0 });
                }
                if let Some(number) = key.filter(|number| *number >= self.forgotten) {
                    self.keys.insert(number, (parcel.producer, parcel.payload));
                    self.next_key = self.next_key.max(number + 1);
                }
            }
            Record::HandedOut { place: (queue, seq), nth } => {
                if let Some(kept) = self.queues[queue.index()].0.get_mut(&seq) {
                    kept.deliveries = kept.deliveries.max(nth);
                }
            }
            Record::Left { place: (queue, seq), .. } => {
                self.queues[queue.index()].0.remove(&seq);
            }
            Record::Moved { from: (queue, seq), to, parcel, arrived } => {
                self.queues[queue.index()].0.remove(&seq);
                self.put(to, Kept { parcel, arrived, deliveries: 0 });
            }
            Record::Forgotten { before } => {
                self.keys = self.keys.split_off(&before);
                self.forgotten = self.forgotten.max(before);
                self.next_key = self.next_key.max(before);
            }
            Record::Anew(image) => *self = (*image).clone(),
        }
    }

    /// The head of a record that carries a message may survive with a part of the body, and without the key at its end;
    /// smaller records survive whole or not at all.
    fn torn(record: &Record, word: u64) -> Option<Record> {
        match record {
            Record::Stored { .. } | Record::Moved { .. } if word.is_multiple_of(2) => {
                let mut part = record.clone();
                if let Record::Stored { parcel, .. } | Record::Moved { parcel, .. } = &mut part {
                    parcel.harm(word);
                }
                if let Record::Stored { key, .. } = &mut part {
                    *key = None;
                }
                Some(part)
            }
            Record::Stored { .. } | Record::Moved { .. } | Record::HandedOut { .. } | Record::Left { .. } => None,
            Record::Forgotten { .. } | Record::Anew(_) => None,
        }
    }

    /// Bits flip in the body of one of the messages.
    fn flip(&mut self, word: u64) -> bool {
        let total: usize = self.queues.iter().map(|(messages, _)| messages.len()).sum();
        if total == 0 {
            return false;
        }
        let which = usize::try_from(word % total as u64).expect("an index");
        let mut all = self.queues.iter_mut().flat_map(|(messages, _)| messages.values_mut());
        all.nth(which).expect("below the number of messages").parcel.harm(word);
        true
    }

    fn bytes(record: &Record) -> u64 {
        match record {
            Record::Stored { places, parcel, .. } => kept_bytes(parcel.bytes) * places.len() as u64,
            Record::HandedOut { .. } | Record::Left { .. } | Record::Moved { .. } => 0,
            Record::Forgotten { .. } | Record::Anew(_) => 0,
        }
    }

    fn frees(record: &Record) -> u64 {
        match record {
            Record::Left { bytes, .. } => kept_bytes(*bytes),
            Record::Stored { .. } | Record::HandedOut { .. } | Record::Moved { .. } => 0,
            Record::Forgotten { .. } | Record::Anew(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::KeyId;

    fn parcel(n: u32) -> Parcel {
        Parcel { payload: PayloadId(n), key: KeyId(0), producer: NodeId(1), bytes: 100, copy: 1, damage: 0, poison: false }
    }

    fn stored(n: u32, key: Option<u64>) -> Record {
        Record::Stored { places: Arc::from([(QueueId(0), u64::from(n))]), parcel: parcel(n), arrived: Time::ZERO, key }
    }

    #[test]
    fn settled_messages_leave_nothing_but_the_next_place() {
        let mut disk = BrokerDisk::new(2);
        disk.apply(stored(0, Some(0)));
        disk.apply(stored(1, Some(1)));
        disk.apply(Record::HandedOut { place: (QueueId(0), 0), nth: 1 });
        assert_eq!(disk.queues[0].0[&0].deliveries, 1);
        disk.apply(Record::Left { place: (QueueId(0), 0), bytes: 100 });
        disk.apply(Record::Moved { from: (QueueId(0), 1), to: (QueueId(1), 0), parcel: parcel(1), arrived: Time::ZERO });
        disk.apply(Record::Forgotten { before: 2 });
        assert!(disk.queues[0].0.is_empty() && disk.keys.is_empty());
        assert_eq!((disk.queues[0].1, disk.queues[1].1, disk.next_key), (2, 1, 2));
        assert_eq!(disk.queues[1].0[&0].parcel, parcel(1));
    }

    #[test]
    fn any_part_of_the_records_can_be_applied() {
        let mut disk = BrokerDisk::new(2);
        disk.apply(Record::Left { place: (QueueId(0), 7), bytes: 100 });
        disk.apply(Record::HandedOut { place: (QueueId(0), 7), nth: 3 });
        disk.apply(Record::Forgotten { before: 3 });
        disk.apply(stored(7, Some(2)));
        assert!(disk.keys.is_empty(), "a key that was forgotten stays forgotten");
        assert_eq!(disk.queues[0].0.len(), 1);
    }

    #[test]
    fn what_a_message_takes_up_is_what_leaving_frees() {
        let takes = BrokerDisk::bytes(&stored(1, None));
        assert_eq!((takes, BrokerDisk::frees(&Record::Left { place: (QueueId(0), 1), bytes: 100 })), (164, 164));
    }

    #[test]
    fn torn_and_flipped_bodies_can_be_told() {
        let torn = BrokerDisk::torn(&stored(1, Some(0)), 4).unwrap();
        assert!(matches!(torn, Record::Stored { parcel, key: None, .. } if !parcel.is_intact()));
        assert_eq!(BrokerDisk::torn(&stored(1, None), 3), None);
        let mut disk = BrokerDisk::new(1);
        assert!(!disk.flip(9));
        disk.apply(stored(1, None));
        assert!(disk.flip(9) && !disk.queues[0].0[&1].parcel.is_intact());
    }
}
