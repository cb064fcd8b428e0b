//! A consumer: comes to the broker, takes messages, handles one after the other, and says when each is done.

mod link;
mod work;

use std::collections::VecDeque;

use crate::base::{ConnId, Digest, ObjectId, PayloadId, Sampler};
use crate::record::Command;
use crate::world::Contents;
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink, TimerId};

use super::config::{Config, Transport};
use super::ids::PayloadSet;
use super::marks;
use super::protocol::{Body, DeliveryId, Msg, Namer, Parcel};
use work::Work;

/// The consumer's timers. Those that carry a number mean one stay at the broker, and nothing to a later one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConsumerTimer {
    /// It is time to come.
    Come,
    /// It is time to leave.
    Leave,
    /// The pause before coming again is over.
    Reconnect,
    /// The broker has not said that we are there.
    NotAttached(u32),
    /// Show that we are there.
    Beat(u32),
    /// Ask for messages.
    Ask(u32),
    /// No answer to a question.
    NoAnswer(u32, u32),
    /// A message is handled.
    Handled,
    /// The store is ready to commit.
    Commit,
    /// The store cannot commit.
    CommitFailed,
    /// It is time to acknowledge.
    Acknowledge,
    /// The broker has not said that it let go of a message.
    NotSettled(u32),
    /// The process starts again after poison.
    Restart,
}

/// What a consumer hands to the code around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handed {
    /// A message begins to be handled.
    Delivered {
        /// The queue or subscription.
        group: ObjectId,
        /// The message.
        parcel: Parcel,
    },
    /// Its effect is there.
    Applied {
        /// The queue or subscription.
        group: ObjectId,
        /// The message.
        parcel: Parcel,
    },
}

/// The consumer's own store: the ids of what it has processed, committed together with the effects.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConsumerDisk {
    /// What was processed.
    pub processed: PayloadSet,
}

/// A payload was processed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Processed(pub PayloadId);

impl Contents for ConsumerDisk {
    type Write = Processed;

    fn apply(&mut self, Processed(payload): Processed) {
        self.processed.insert(payload);
    }
    /// A store with a log of its own: half a commit is none.
    fn torn(_: &Processed, _: u64) -> Option<Processed> {
        None
    }
    /// Ids carry no body that could be damaged without notice.
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(_: &Processed) -> u64 {
        16
    }
    fn frees(_: &Processed) -> u64 {
        0
    }
}

/// Where a consumer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    /// Not there, and not meant to be.
    Away,
    /// Meant to be there; waits before it tries again.
    Waiting,
    /// Has asked to be let in.
    Attaching,
    /// There.
    Attached,
    /// There, and leaves as soon as the message in hand is done.
    Leaving,
    /// Its process has died of poison.
    Dead,
}

/// A message that came and was not begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Delivery {
    id: DeliveryId,
    parcel: Parcel,
}

/// The consumer's process.
#[derive(Clone, Debug)]
pub struct Consumer {
    namer: Namer,
    processing: Sampler,
    presence: Presence,
    conn: Option<ConnId>,
    /// Counts tries to come: timers of an earlier one mean nothing.
    stay: u32,
    /// The number of the present stay, for the broker.
    session: u64,
    /// Beats without an answer.
    missed: u32,
    /// Tries to come that failed in a row.
    failures: u32,
    inbox: VecDeque<Delivery>,
    work: Work,
    /// The number of the question that is open; `None`: none is.
    asking: Option<u32>,
    questions: u32,
    processed: PayloadSet,
    leave: Option<TimerId>,
}

impl Consumer {
    /// Adds the state to a digest.
    pub fn fingerprint(&self, digest: &mut Digest) {
        digest.words(self.presence as u64, u64::from(self.missed) << 32 | u64::from(self.failures));
        for delivery in &self.inbox {
            digest.words(u64::from(delivery.parcel.payload.0), u64::from(delivery.id.nth));
        }
        self.work.fingerprint(digest);
        digest.word(u64::from(self.asking.is_some()));
    }

    /// Whether it is there for the broker to send to.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.presence == Presence::Attached
    }
}

impl Role for Consumer {
    type Config = Config;
    type Msg = Msg;
    type Timer = ConsumerTimer;
    type Disk = ConsumerDisk;
    type Write = Processed;
    type Up = Handed;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let (config, start) = (ctx.config(), ctx.life());
        let mut consumer = Consumer {
            namer: Namer::new(ctx.random(), start, config.transport == Transport::Datagram),
            processing: config.consumer(ctx.me()).processing.sampler(),
            presence: Presence::Away,
            conn: None,
            stay: 0,
            session: 0,
            missed: 0,
            failures: 0,
            inbox: VecDeque::new(),
            work: Work::Idle,
            asking: None,
            questions: 0,
            processed: ctx.recover().processed,
            leave: None,
        };
        consumer.begin(ctx);
        consumer
    }

    /// The load has nothing to ask of a consumer.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Handed>) {
        unreachable!("{} was given to a consumer; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Handed>) {
        if self.presence == Presence::Dead || from.conn != self.conn {
            return; // nobody is there to read it, or it comes from a connection that was given up
        }
        match msg.body {
            Body::Attached { session } => self.attached(session, ctx),
            Body::Beaten { session } if session == self.session => self.missed = 0,
            Body::Gone { session } if session == self.session => self.lost(ctx),
            Body::Beaten { .. } | Body::Gone { .. } => {}
            Body::Deliver { session, id, parcel } => {
                if session == self.session && matches!(self.presence, Presence::Attaching | Presence::Attached) {
                    self.missed = 0;
                    self.inbox.push_back(Delivery { id, parcel });
                    self.work_on(ctx, up);
                }
            }
            Body::Settled { question, counted, .. } => self.settled(question, counted, (ctx, up)),
            Body::Polled { session, number, given } if session == self.session => self.answered(number, given, ctx),
            Body::Polled { .. } => {}
            Body::Garbled { .. } => ctx.mark(marks::GARBLED),
            Body::Publish { .. }
            | Body::Confirm { .. }
            | Body::Refuse { .. }
            | Body::Attach { .. }
            | Body::Beat { .. }
            | Body::Poll { .. }
            | Body::Settle { .. }
            | Body::Detach { .. } => unreachable!("nobody sends a consumer {:?}", msg.body),
        }
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ConsumerTimer, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Handed>) {
        match timer {
            ConsumerTimer::Come => self.begin(ctx),
            ConsumerTimer::Leave => self.leave(ctx),
            ConsumerTimer::Reconnect => {
                if self.presence == Presence::Waiting {
                    self.attach(ctx);
                }
            }
            ConsumerTimer::NotAttached(stay) => {
                if stay == self.stay && self.presence == Presence::Attaching {
                    self.lost(ctx);
                }
            }
            ConsumerTimer::Beat(stay) => self.beat(stay, ctx),
            ConsumerTimer::Ask(stay) => {
                if stay == self.stay {
                    self.ask(ctx);
                }
            }
            ConsumerTimer::NoAnswer(stay, number) => {
                if stay == self.stay && self.asking == Some(number) {
                    self.asking = None;
                    self.ask(ctx);
                }
            }
            ConsumerTimer::Handled => self.handled((ctx, up)),
            ConsumerTimer::Commit => self.commit((ctx, up)),
            ConsumerTimer::CommitFailed => self.commit_failed((ctx, up)),
            ConsumerTimer::Acknowledge => self.acknowledge((ctx, up)),
            ConsumerTimer::NotSettled(count) => self.not_settled(count, (ctx, up)),
            ConsumerTimer::Restart => {
                self.presence = Presence::Away;
                self.begin(ctx);
            }
        }
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, _: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Handed>) {
        if peer.conn == self.conn && self.presence != Presence::Dead {
            self.conn = None;
            self.lost(ctx);
        }
    }
}
