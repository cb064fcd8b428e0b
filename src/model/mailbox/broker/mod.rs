//! The broker: takes messages in, keeps them, gives them to consumers, and lets go of them when they are acknowledged.

mod deliver;
mod journal;
mod publish;
mod recover;
mod session;

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Digest, NodeId, ObjectId, PayloadId, Time};
use crate::record::Command;
use crate::world::DiskFull;
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink, TimerId};

use super::config::{Config, Purpose, QueueConfig};
use super::dedupe::Remembered;
use super::disk::{BrokerDisk, Place, Record};
use super::marks;
use super::protocol::{Body, Msg, Namer, Parcel, QueueId};
use super::store::Queue;
use journal::Journal;
use session::Session;

/// The broker's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BrokerTimer {
    /// Look for consumers that are gone and for messages that are too old.
    Sweep,
    /// The disk has what was written before the sync.
    Synced,
    /// It has not.
    SyncFailed,
    /// Try again after a failed sync.
    SyncAgain,
    /// The interval between syncs is over.
    SyncDue,
    /// A step of the window for idempotence keys is over.
    Forget,
    /// A delivery has been out for too long.
    Visible {
        /// Which message.
        place: Place,
        /// Which delivery of it.
        nth: u32,
    },
    /// A question has waited long enough for messages.
    PollOver {
        /// Whose.
        node: NodeId,
        /// Which.
        number: u32,
    },
    /// A broken broker stores what it has confirmed a while ago.
    StoreLate,
}

/// One queue with what surrounds it.
#[derive(Clone, Debug)]
struct Line {
    queue: Queue,
    object: ObjectId,
    /// A temporary subscription that nobody holds is not there.
    live: bool,
    /// Whether its messages are on disk.
    kept: bool,
    /// Who was served last: the next is served first.
    turn: NodeId,
}

/// The broker's process.
#[derive(Clone, Debug)]
pub struct Broker {
    namer: Namer,
    lines: Vec<Line>,
    sessions: BTreeMap<NodeId, Session>,
    known: Option<Remembered>,
    /// Whether idempotence keys are on disk.
    keeps_keys: bool,
    /// The last message of each producer that was taken in, where order is kept.
    last_of: BTreeMap<NodeId, PayloadId>,
    journal: Journal,
    visibility: BTreeMap<Place, TimerId>,
    /// What a broken broker has confirmed and not stored.
    late: VecDeque<(ObjectId, Parcel)>,
}

impl Broker {
    fn line(&self, id: QueueId) -> &Line {
        &self.lines[id.index()]
    }

    fn line_mut(&mut self, id: QueueId) -> &mut Line {
        &mut self.lines[id.index()]
    }

    /// Whether the messages of a queue are on disk: not those of a subscription that ends with its consumer.
    fn is_kept(config: &Config, queue: &QueueConfig) -> bool {
        let temporary = matches!(queue.purpose, Purpose::Subscription { durable: false, .. });
        config.broker.durable && !temporary
    }

    /// Writes a record, if the broker has a disk for messages.
    fn write<W: Hosts<Broker>>(&mut self, record: Record, ctx: &mut Ctx<'_, W, Broker>) -> Result<(), DiskFull> {
        if ctx.config().broker.durable {
            ctx.write(record)?;
            self.journal.wrote();
        }
        Ok(())
    }

    /// Writes a record that needs no room on the disk and so is never refused.
    fn write_small<W: Hosts<Broker>>(&mut self, record: Record, ctx: &mut Ctx<'_, W, Broker>) {
        self.write(record, ctx).expect("a record that takes up nothing is never refused");
    }

    /// A message that the broker sends.
    fn answer<W: Hosts<Broker>>(peer: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.reply(peer, msg);
    }

    /// How many messages each queue holds.
    pub fn depths(&self, report: &mut dyn FnMut(ObjectId, u64)) {
        for line in &self.lines {
            report(line.object, line.queue.len() as u64);
        }
    }

    /// Every message that is held, with its queue, in queue order.
    pub fn held(&self, report: &mut dyn FnMut(ObjectId, PayloadId)) {
        for line in &self.lines {
            for (_, parcel) in line.queue.parcels() {
                report(line.object, parcel.payload);
            }
        }
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        for line in &self.lines {
            digest.words(u64::from(line.object.0), u64::from(line.live));
            line.queue.fingerprint(now, digest);
        }
        for (node, session) in &self.sessions {
            digest.words(u64::from(node.0), u64::from(session.in_flight) << 32 | u64::from(session.missed));
        }
        for (_, (producer, payload)) in self.known.iter().flat_map(Remembered::iter) {
            digest.words(u64::from(producer.0), u64::from(payload.0));
        }
        digest.words(self.journal.unsafe_records(), u64::from(self.journal.is_syncing()));
    }

    /// Whether every message is in one state and the books of deliveries agree; the breach, if not.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn check(&self, config: &Config) -> Result<(), String> {
        for ((id, declared), line) in config.queue_ids().zip(&self.lines) {
            line.queue.check().map_err(|what| format!("in `{}` {what}", declared.name))?;
            let mut out = 0;
            for (node, session) in self.sessions.iter().filter(|(_, session)| session.queue == id) {
                let held = line.queue.out_with(session.holder(*node));
                if held != session.in_flight as usize {
                    return Err(format!("`{}` counts {} messages out with {node}, which has {held}", declared.name, session.in_flight));
                }
                out += held;
            }
            if out != line.queue.out() && config.mutants == super::mutants::Mutants::none() {
                return Err(format!("in `{}` {} messages are out with nobody", declared.name, line.queue.out() - out));
            }
            if !line.live && !line.queue.is_empty() {
                return Err(format!("`{}` is not there and holds messages", declared.name));
            }
        }
        Ok(())
    }
}

impl Role for Broker {
    type Config = Config;
    type Msg = Msg;
    type Timer = BrokerTimer;
    type Disk = BrokerDisk;
    type Write = Record;
    type Up = std::convert::Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        Broker::recover(ctx)
    }

    /// The load has nothing to ask of a broker.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        unreachable!("{} was given to the broker; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match msg.body {
            Body::Publish { to, parcel, attempt, confirm } => {
                let reply = confirm.then_some((from, attempt));
                self.publish((to, parcel), reply, ctx);
            }
            Body::Attach { session, queue, asked } => self.attach(from, Session::new(session, from.conn, (queue, asked)), ctx),
            Body::Beat { session } => self.beat(from, session, ctx),
            Body::Poll { session, number, most, wait } => self.poll((from, session), (number, most, wait), ctx),
            Body::Settle { id, payload, verdict, question } => {
                self.heard_from(from.node);
                self.settle((id, payload, verdict), question.map(|question| (from, question)), ctx);
            }
            Body::Detach { session } => self.detach(from, session, ctx),
            Body::Garbled { .. } => ctx.mark(marks::GARBLED),
            Body::Confirm { .. }
            | Body::Refuse { .. }
            | Body::Attached { .. }
            | Body::Beaten { .. }
            | Body::Gone { .. }
            | Body::Polled { .. }
            | Body::Deliver { .. }
            | Body::Settled { .. } => unreachable!("nobody sends the broker {:?}", msg.body),
        }
        self.sync_if_due(ctx);
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: BrokerTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match timer {
            BrokerTimer::Sweep => self.sweep(ctx),
            BrokerTimer::Synced => self.synced(ctx),
            BrokerTimer::SyncFailed => self.sync_failed(ctx),
            BrokerTimer::SyncAgain => self.journal.try_again(),
            BrokerTimer::SyncDue => self.sync_interval_over(ctx),
            BrokerTimer::Forget => self.forget(ctx),
            BrokerTimer::Visible { place, nth } => self.visibility_over(place, nth, ctx),
            BrokerTimer::PollOver { node, number } => self.poll_over(node, number, ctx),
            BrokerTimer::StoreLate => {
                if let Some(late) = self.late.pop_front() {
                    self.store(late, None, ctx);
                }
            }
        }
        self.sync_if_due(ctx);
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, _: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        if self.sessions.get(&peer.node).is_some_and(|session| session.conn == peer.conn) {
            self.end_session(peer.node, ctx);
        }
        self.sync_if_due(ctx);
    }
}
