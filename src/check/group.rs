//! What judges keep of each group that messages are owed to: bits for what is settled, entries for what is outstanding.

use crate::base::{NodeId, ObjectId, Time};
use crate::record::{Names, ObjectKind};

use super::bits::Plane;
use super::judged::GroupAccounting;
use super::order::Orders;
use super::table::Table;

/// How a group comes to its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entitled {
    /// A queue: to everything sent to it.
    Always,
    /// A service: the same, and applying the effect is how a message arrives.
    Service,
    /// A subscription, while it lasts.
    Subscribed,
    /// Dead letters: to what was moved there.
    Moved,
    /// A topic or one of its logs: they have no consumers of their own.
    Never,
}

/// A message that arrived and whose effect has not been seen yet.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Awaiting {
    /// When it was invoked, where that is known.
    pub(super) called: Option<Time>,
    pub(super) arrived: Time,
    pub(super) node: NodeId,
}

/// A group that has never recorded an effect keeps at most so many messages in wait for one.
const PATIENCE: usize = 4096;

/// One group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) entitled: Entitled,
    /// The object whose messages are owed to it.
    pub(super) source: usize,
    /// Its place among the groups of that object.
    pub(super) lane: usize,
    /// Whether it is subscribed now. Queues and services always are.
    pub(super) active: bool,
    /// When it unsubscribed last, payloads below this had been sent.
    pub(super) left_at: u32,
    /// Arrived, intact or not.
    pub(super) delivered: Plane,
    /// Arrived, but only damaged.
    pub(super) damaged: Plane,
    pub(super) effect: Plane,
    pub(super) dead: Plane,
    pub(super) expired: Plane,
    pub(super) dropped: Plane,
    pub(super) superseded: Plane,
    pub(super) held: Plane,
    pub(super) awaiting: Table<Awaiting>,
    pub(super) orders: Orders,
    pub(super) tally: GroupAccounting,
}

impl Group {
    /// The groups of all objects, by object.
    pub(super) fn all(names: &Names) -> Vec<Group> {
        let mut lanes = vec![0; names.objects.len()];
        let groups = names.objects.iter().enumerate().map(|(id, object)| {
            let (entitled, source) = match object.kind {
                ObjectKind::Queue => (Entitled::Always, id),
                ObjectKind::Service => (Entitled::Service, id),
                ObjectKind::Subscription { topic } => (Entitled::Subscribed, topic.index()),
                ObjectKind::DeadLetters => (Entitled::Moved, id),
                ObjectKind::Topic | ObjectKind::Log { .. } => (Entitled::Never, id),
            };
            let mut group = Group::new(entitled, source, ObjectId::at(id));
            if group.is_owed() {
                group.lane = lanes[source];
                lanes[source] += 1;
            }
            group
        });
        groups.collect()
    }

    fn new(entitled: Entitled, source: usize, id: ObjectId) -> Group {
        Group {
            entitled,
            source,
            lane: 0,
            active: matches!(entitled, Entitled::Always | Entitled::Service),
            left_at: 0,
            delivered: Plane::default(),
            damaged: Plane::default(),
            effect: Plane::default(),
            dead: Plane::default(),
            expired: Plane::default(),
            dropped: Plane::default(),
            superseded: Plane::default(),
            held: Plane::default(),
            awaiting: Table::default(),
            orders: Orders::default(),
            tally: GroupAccounting { group: id, ..GroupAccounting::default() },
        }
    }

    /// Whether messages are owed to it, as opposed to topics and dead letters.
    pub(super) fn is_owed(&self) -> bool {
        match self.entitled {
            Entitled::Always | Entitled::Service | Entitled::Subscribed => true,
            Entitled::Moved | Entitled::Never => false,
        }
    }

    /// Waits for the effect of a message that has arrived intact.
    pub(super) fn await_effect(&mut self, payload: u32, awaiting: Awaiting) {
        if self.effect.has(payload) || (self.tally.effects == 0 && self.awaiting.len() >= PATIENCE) {
            return;
        }
        self.awaiting.insert(u64::from(payload), awaiting);
    }

    /// Bits of 64 messages that arrived intact.
    pub(super) fn intact_word(&self, index: usize) -> u64 {
        self.delivered.word(index) & !self.damaged.word(index)
    }

    /// Bytes on the heap, shared ones included.
    pub(super) fn bytes(&self) -> usize {
        let gone = [&self.dead, &self.expired, &self.dropped, &self.superseded];
        let planes = [&self.delivered, &self.damaged, &self.effect, &self.held].into_iter().chain(gone);
        planes.map(Plane::bytes).sum::<usize>() + self.awaiting.bytes() + self.orders.bytes()
    }
}
