//! The checked configuration of a mailbox system: who there is, and by which rules each works.

use crate::base::{Chance, Law, NodeId, ObjectId, Span};
use crate::record::{Object, ObjectKind};

use super::mutants::Mutants;
use super::protocol::{Asked, QueueId};
use super::store::Limits;

/// The name of the queue that takes what could not be processed.
pub const DEAD_LETTERS: &str = "dead_letters";

/// How messages travel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Connections: in order, nothing twice, loss becomes delay.
    Stream,
    /// Single packets: lost, repeated, reordered, damaged.
    Datagram,
}

/// When the broker makes the disk keep what it has written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncPolicy {
    /// Before it confirms a message or hands it out; what arrives meanwhile shares the next sync.
    EveryMessage,
    /// After so many writes; confirmations do not wait.
    EveryN(u32),
    /// So often; confirmations do not wait.
    Interval(Span),
    /// The operating system does it when it likes.
    Never,
}

/// How long the broker remembers what it has taken in, to know a repetition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// For so long at least. `None`: time does not matter.
    pub span: Option<Span>,
    /// So many. `None`: any number.
    pub count: Option<u32>,
}

/// The broker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BrokerConfig {
    /// Whether messages are on disk.
    pub durable: bool,
    /// When they are safe there. Without meaning for messages in memory.
    pub sync: SyncPolicy,
    /// What it remembers of idempotence keys. `None`: producers send none.
    pub window: Option<Window>,
    /// Whether it remembers across restarts.
    pub window_durable: bool,
}

/// What a queue is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Each message goes to one consumer.
    PointToPoint,
    /// The messages of a topic, for one subscription.
    Subscription {
        /// Position in [`Config::topics`].
        topic: u16,
        /// Declared beforehand, and stays. Otherwise the broker learns of it when its consumer comes and forgets it with it.
        durable: bool,
    },
    /// What could not be processed.
    DeadLetters,
}

/// A queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueConfig {
    /// Its name.
    pub name: String,
    /// Its id in the history.
    pub object: ObjectId,
    /// What it is for.
    pub purpose: Purpose,
    /// Its bounds.
    pub limits: Limits,
    /// After so long without acknowledgement a delivered message waits again. `None`: while its consumer lives, it keeps it.
    pub visibility_timeout: Option<Span>,
}

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicConfig {
    /// Its name.
    pub name: String,
    /// Its id in the history.
    pub object: ObjectId,
    /// The queues of its subscriptions, temporary ones included.
    pub subscriptions: Vec<QueueId>,
}

/// The producers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerConfig {
    /// How many there are.
    pub count: u32,
    /// Whether they wait for the broker's word.
    pub confirm: bool,
    /// How long they wait.
    pub timeout: Span,
    /// How often they try a message, the first time included.
    pub attempts: u32,
    /// The pause before the second attempt; doubled each time …
    pub backoff: Span,
    /// … up to this.
    pub backoff_max: Span,
    /// Whether messages carry an idempotence key by which the broker knows a repetition.
    pub idempotence: bool,
    /// Whether the broker refuses what a later message of the same producer has overtaken.
    pub ordered: bool,
    /// The share of messages that no consumer can digest.
    pub poison: Chance,
}

/// When a consumer tells the broker that a message is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acknowledge {
    /// Before it looks at it: it waits until the broker has let go of the message.
    Before,
    /// When the effect is there.
    After,
    /// The effect and the message's id go into the consumer's own store in one commit; then it tells the broker.
    Atomically,
}

/// What becomes of a consumer that meets a message it cannot digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnPoison {
    /// It gives the message back.
    Return,
    /// Its process dies and is started again after this long.
    Crash(Span),
}

/// How a consumer comes by its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fetch {
    /// The broker sends.
    Push {
        /// So many ahead of acknowledgements.
        prefetch: u32,
    },
    /// The consumer asks.
    Pull {
        /// The pause after an empty answer.
        interval: Span,
        /// How many at a time.
        batch: u32,
        /// How long the broker waits for something before it answers that there is nothing.
        wait: Span,
    },
}

impl Fetch {
    /// What the broker is told.
    #[must_use]
    pub const fn asked(&self) -> Asked {
        match self {
            Fetch::Push { prefetch } => Asked::Push { prefetch: *prefetch },
            Fetch::Pull { .. } => Asked::Pull,
        }
    }
}

/// When a consumer is there that is not always there, by its own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Visits {
    /// It comes for the first time.
    pub first: Span,
    /// From one coming to the next. `None`: it comes once.
    pub every: Option<Span>,
    /// How long it stays.
    pub stay: Span,
}

/// Some consumers of a kind.
#[derive(Clone, PartialEq, Debug)]
pub struct ConsumerConfig {
    /// Their name; the nodes are `NAME-1`, `NAME-2`, …
    pub name: String,
    /// How many there are.
    pub count: u32,
    /// The queue they read.
    pub from: QueueId,
    /// How messages come.
    pub fetch: Fetch,
    /// When they acknowledge.
    pub acknowledge: Acknowledge,
    /// How long handling a message takes.
    pub processing: Law,
    /// From the effect to the acknowledgement: bookkeeping, batching. A crash in between repeats the effect.
    pub acknowledge_delay: Span,
    /// What poison does.
    pub on_poison: OnPoison,
    /// When they are there. `None`: always.
    pub visits: Option<Visits>,
}

/// Which nodes of the run play which part. A composite puts its own numbers here.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    /// The broker.
    pub broker: NodeId,
    /// The producers.
    pub producers: Vec<NodeId>,
    /// The consumers, each with its position in [`Config::consumers`].
    pub consumers: Vec<(NodeId, u16)>,
}

/// The whole configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct Config {
    /// How messages travel.
    pub transport: Transport,
    /// Whether broker and consumers check every body, and refuse damaged ones.
    pub checksum: bool,
    /// How often consumers show that they are there; after three times without, a stay is over.
    pub heartbeat: Span,
    /// The broker.
    pub broker: BrokerConfig,
    /// Every queue: point-to-point ones, then those of subscriptions, then the dead letters, if there is a need for them.
    pub queues: Vec<QueueConfig>,
    /// Every topic.
    pub topics: Vec<TopicConfig>,
    /// The producers.
    pub producer: ProducerConfig,
    /// The consumers.
    pub consumers: Vec<ConsumerConfig>,
    /// Who is where.
    pub places: Places,
    /// What is broken on purpose; in default builds nothing can be.
    pub mutants: Mutants,
}

impl Config {
    /// A queue.
    #[must_use]
    pub fn queue(&self, id: QueueId) -> &QueueConfig {
        &self.queues[id.index()]
    }

    /// All queues with their ids.
    pub fn queue_ids(&self) -> impl Iterator<Item = (QueueId, &QueueConfig)> {
        self.queues.iter().enumerate().map(|(at, queue)| (QueueId::at(at), queue))
    }

    /// The queue of dead letters, if there is one: it comes last.
    #[must_use]
    pub fn dead_letters(&self) -> Option<QueueId> {
        let last = self.queues.len().checked_sub(1)?;
        (self.queues[last].purpose == Purpose::DeadLetters).then(|| QueueId::at(last))
    }

    /// The consumers that a node belongs to.
    ///
    /// # Panics
    /// When the node is no consumer: the roster and the places are made together.
    #[must_use]
    pub fn consumer(&self, node: NodeId) -> &ConsumerConfig {
        let (_, kind) = self.places.consumers.iter().find(|(place, _)| *place == node).expect("the node is a consumer");
        &self.consumers[usize::from(*kind)]
    }

    /// The consumers of a queue.
    pub fn readers(&self, queue: QueueId) -> impl Iterator<Item = &ConsumerConfig> {
        self.consumers.iter().filter(move |consumer| consumer.from == queue)
    }

    /// Whether messages are confirmed only when the disk has them.
    #[must_use]
    pub fn waits_for_disk(&self) -> bool {
        self.broker.durable && self.broker.sync == SyncPolicy::EveryMessage
    }

    /// The objects of the history, in order of their ids, when they begin at zero.
    #[must_use]
    pub fn objects(&self) -> Vec<Object> {
        let mut all: Vec<(ObjectId, Object)> = Vec::new();
        for topic in &self.topics {
            all.push((topic.object, Object { name: topic.name.clone(), kind: ObjectKind::Topic }));
        }
        for queue in &self.queues {
            let kind = match queue.purpose {
                Purpose::PointToPoint => ObjectKind::Queue,
                Purpose::Subscription { topic, .. } => ObjectKind::Subscription { topic: self.topics[usize::from(topic)].object },
                Purpose::DeadLetters => ObjectKind::DeadLetters,
            };
            all.push((queue.object, Object { name: queue.name.clone(), kind }));
        }
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter().map(|(_, object)| object).collect()
    }

    /// Puts the broker first, then the producers, then the consumers: the order of a run of nothing but a mailbox.
    pub fn place_in_order(&mut self) {
        let producers = self.producer.count;
        let mut next = producers + 1;
        self.places = Places { broker: NodeId(0), producers: (1..=producers).map(NodeId).collect(), consumers: Vec::new() };
        for (kind, consumer) in (0u16..).zip(&self.consumers) {
            for _ in 0..consumer.count {
                self.places.consumers.push((NodeId(next), kind));
                next += 1;
            }
        }
    }
}
