//! A producer: hands messages to the broker and reports, of each, what it can know.
//!
//! With `confirm = "none"` a message is done when it was handed to the network. With `confirm = "wait"` it ends `Ok` when the
//! broker confirms it, `Failed` when every attempt is certain to have come to nothing, and `Unknown` otherwise: an attempt
//! that was sent and not answered may have happened, and a refusal of a later attempt says nothing about it.

use std::collections::BTreeMap;

use crate::base::{Chance, ClientOp, ConnId, Digest, ObjectId, PayloadId, Span};
use crate::record::{Command, End, Op, Reason};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink, TimerId};

use super::config::{Config, ProducerConfig, Transport};
use super::marks;
use super::mutants::Mutant;
use super::nothing::Nothing;
use super::protocol::{Body, Msg, Namer, Parcel, Refusal};

/// The producer's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProducerTimer {
    /// No answer to an attempt in time.
    Timeout {
        /// Which message.
        payload: PayloadId,
    },
    /// The pause before the next attempt is over.
    Retry {
        /// Which message.
        payload: PayloadId,
    },
}

/// A message that is not done yet.
#[derive(Clone, Debug)]
struct Open {
    op: ClientOp,
    to: ObjectId,
    parcel: Parcel,
    /// Attempts so far.
    attempts: u32,
    /// Attempts that may have happened, as bits.
    doubtful: u64,
    /// Whether an answer to the latest attempt is still waited for.
    asked: bool,
    /// Over which connection the latest attempt was sent.
    conn: Option<ConnId>,
    /// How many messages had come over it before.
    heard: u64,
    timer: Option<TimerId>,
}

/// The producer's process.
#[derive(Clone, Debug)]
pub struct Producer {
    namer: Namer,
    conn: Option<ConnId>,
    /// Messages that came over the present connection.
    heard: u64,
    open: BTreeMap<PayloadId, Open>,
    /// In the order in which they were asked for: those that wait until the one before is done.
    queued: std::collections::VecDeque<PayloadId>,
}

const NO_ANSWER: Reason = Reason("no answer in time");
const BROKEN: Reason = Reason("the connection broke");
const NOT_REACHED: Reason = Reason("nobody listened");

impl Producer {
    /// The bit of an attempt.
    fn bit(attempt: u32) -> u64 {
        1 << (attempt - 1)
    }

    /// Whether messages are sent one at a time: where order matters and a retry could break it.
    fn one_at_a_time(config: &ProducerConfig) -> bool {
        config.ordered && config.attempts > 1
    }

    /// The load asks to publish.
    fn publish<W: Hosts<Producer>>(&mut self, op: ClientOp, (to, parcel): (ObjectId, Parcel), ctx: &mut Ctx<'_, W, Producer>) {
        let config = &ctx.config().producer;
        if !config.confirm {
            let body = Body::Publish { to, parcel: Parcel { copy: 1, ..parcel }, attempt: 1, confirm: false };
            let msg = self.namer.about((parcel.payload, 0), 1, body);
            self.send(msg, ctx);
            ctx.end(op, End::Ok);
            return;
        }
        let open = Open { op, to, parcel, attempts: 0, doubtful: 0, asked: false, conn: None, heard: 0, timer: None };
        let waits = Producer::one_at_a_time(config) && !self.open.is_empty();
        self.open.insert(parcel.payload, open);
        if waits {
            self.queued.push_back(parcel.payload);
        } else {
            self.attempt(parcel.payload, ctx);
        }
    }

    /// Sends something, over a connection that is opened now if there is none.
    fn send<W: Hosts<Producer>>(&mut self, msg: Msg, ctx: &mut Ctx<'_, W, Producer>) {
        let config = ctx.config();
        match config.transport {
            Transport::Datagram => ctx.send(config.places.broker, msg),
            Transport::Stream => {
                let conn = *self.conn.get_or_insert_with(|| ctx.connect(config.places.broker));
                ctx.send_on(conn, msg);
            }
        }
    }

    /// Tries a message, for the first time or again.
    fn attempt<W: Hosts<Producer>>(&mut self, payload: PayloadId, ctx: &mut Ctx<'_, W, Producer>) {
        let Some(open) = self.open.get_mut(&payload) else { return };
        open.attempts += 1;
        let attempt = open.attempts;
        if attempt > 1 {
            ctx.mark(marks::RETRIED);
            ctx.say(Some(payload), || format!("{payload} is tried again"));
        }
        open.doubtful |= Producer::bit(attempt);
        open.asked = true;
        open.timer = Some(ctx.timer(ctx.config().producer.timeout, ProducerTimer::Timeout { payload }));
        let body = Body::Publish { to: open.to, parcel: Parcel { copy: attempt, ..open.parcel }, attempt, confirm: true };
        let msg = self.namer.about((payload, 0), attempt, body);
        self.send(msg, ctx);
        if let Some(open) = self.open.get_mut(&payload) {
            (open.conn, open.heard) = (self.conn, self.heard);
        }
    }

    /// The latest attempt came to nothing, or nobody knows: once more, or this is the end.
    fn again<W: Hosts<Producer>>(&mut self, payload: PayloadId, reason: Reason, ctx: &mut Ctx<'_, W, Producer>) {
        let config = &ctx.config().producer;
        let Some(open) = self.open.get_mut(&payload) else { return };
        open.asked = false;
        if let Some(timer) = open.timer.take() {
            ctx.cancel(timer);
        }
        if open.attempts < config.attempts {
            let pause = pause(config, open.attempts);
            open.timer = Some(ctx.timer(pause, ProducerTimer::Retry { payload }));
            return;
        }
        let certain = open.doubtful == 0 || ctx.config().mutants.has(Mutant::UnknownAsFailed);
        let end = if certain { End::Failed(reason) } else { End::Unknown(reason) };
        ctx.mark(if certain { marks::REFUSED } else { marks::UNKNOWN_OUTCOME });
        self.done(payload, end, ctx);
    }

    /// A message is done with, one way or another.
    fn done<W: Hosts<Producer>>(&mut self, payload: PayloadId, end: End, ctx: &mut Ctx<'_, W, Producer>) {
        let Some(open) = self.open.remove(&payload) else { return };
        if let Some(timer) = open.timer {
            ctx.cancel(timer);
        }
        ctx.end(open.op, end);
        if let Some(next) = self.queued.pop_front() {
            self.attempt(next, ctx);
        }
    }

    /// The broker keeps a message; which attempt of it does not matter.
    fn confirmed<W: Hosts<Producer>>(&mut self, payload: PayloadId, ctx: &mut Ctx<'_, W, Producer>) {
        self.done(payload, End::Ok, ctx);
    }

    /// The broker does not keep an attempt. On datagrams a copy of it may still be under way, and find room.
    fn refused<W: Hosts<Producer>>(&mut self, payload: PayloadId, (attempt, why): (u32, Refusal), ctx: &mut Ctx<'_, W, Producer>) {
        let Some(open) = self.open.get_mut(&payload) else { return };
        if ctx.config().transport == Transport::Stream {
            open.doubtful &= !Producer::bit(attempt);
        }
        if open.asked && attempt == open.attempts {
            self.again(payload, Reason(why.words()), ctx);
        }
    }

    /// No answer in time. If nothing at all came over the connection meanwhile, it is given up as well.
    fn timed_out<W: Hosts<Producer>>(&mut self, payload: PayloadId, ctx: &mut Ctx<'_, W, Producer>) {
        let Some(open) = self.open.get_mut(&payload) else { return };
        open.timer = None;
        let (sent_on, silent) = (open.conn, open.heard == self.heard);
        if let Some(conn) = self.conn.take_if(|conn| silent && sent_on == Some(*conn)) {
            ctx.close(conn);
        }
        self.again(payload, NO_ANSWER, ctx);
    }
}

/// The pause before the next attempt: doubled with each, up to a bound.
fn pause(config: &ProducerConfig, attempts: u32) -> Span {
    let doubled = config.backoff.as_nanos().saturating_mul(1 << (attempts - 1).min(32));
    Span::nanos(doubled).min(config.backoff_max)
}

/// Whether a payload is one that no consumer can digest: decided by its name, so that nothing else changes with the share.
fn is_poison<W: Hosts<Producer>>(payload: PayloadId, share: Chance, ctx: &Ctx<'_, W, Producer>) -> bool {
    share.hits(ctx.choose(u64::from(payload.0), 1 << 32) << 32)
}

impl Producer {
    /// Adds the state to a digest.
    pub fn fingerprint(&self, digest: &mut Digest) {
        for (payload, open) in &self.open {
            digest.words(u64::from(payload.0), open.doubtful);
            digest.words(u64::from(open.attempts), u64::from(open.asked));
        }
        digest.words(self.queued.len() as u64, u64::from(self.conn.is_some()));
    }

    /// How many messages are not done yet.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.len()
    }
}

impl Role for Producer {
    type Config = Config;
    type Msg = Msg;
    type Timer = ProducerTimer;
    type Disk = Nothing;
    type Write = std::convert::Infallible;
    type Up = std::convert::Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let datagrams = ctx.config().transport == Transport::Datagram;
        let start = ctx.life();
        let namer = Namer::new(ctx.random(), start, datagrams);
        Producer { namer, conn: None, heard: 0, open: BTreeMap::new(), queued: std::collections::VecDeque::new() }
    }

    fn on_command<W: Hosts<Self>>(&mut self, command: Command, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match command.what {
            Op::Publish { to, key, payload, bytes } => {
                let poison = is_poison(payload, ctx.config().producer.poison, ctx);
                let parcel = Parcel { payload, key, producer: ctx.me(), bytes, copy: 1, damage: 0, poison };
                self.publish(command.op, (to, parcel), ctx);
            }
            Op::Request { .. } => ctx.end(command.op, End::Failed(Reason("a mailbox answers no requests"))),
        }
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        if from.conn == self.conn {
            self.heard += 1;
        }
        match msg.body {
            Body::Confirm { payload, .. } => self.confirmed(payload, ctx),
            Body::Refuse { payload, attempt, why } => self.refused(payload, (attempt, why), ctx),
            Body::Garbled { .. } => ctx.mark(marks::GARBLED),
            Body::Publish { .. }
            | Body::Attach { .. }
            | Body::Attached { .. }
            | Body::Beat { .. }
            | Body::Beaten { .. }
            | Body::Gone { .. }
            | Body::Poll { .. }
            | Body::Polled { .. }
            | Body::Deliver { .. }
            | Body::Settle { .. }
            | Body::Settled { .. }
            | Body::Detach { .. } => unreachable!("nobody sends a producer {:?}", msg.body),
        }
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ProducerTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match timer {
            ProducerTimer::Timeout { payload } => self.timed_out(payload, ctx),
            ProducerTimer::Retry { payload } => {
                if let Some(open) = self.open.get_mut(&payload) {
                    open.timer = None;
                }
                self.attempt(payload, ctx);
            }
        }
    }

    /// Attempts on a connection that broke are not answered any more. If nobody had listened, they certainly came to nothing:
    /// nothing is sent before the other side accepts.
    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        if peer.conn != self.conn {
            return;
        }
        self.conn = None;
        let refused = why == Disconnect::Refused;
        let sent = |open: &Open| open.asked && open.conn == peer.conn;
        let asked: Vec<PayloadId> = self.open.iter().filter(|(_, open)| sent(open)).map(|(payload, _)| *payload).collect();
        for payload in asked {
            if let Some(open) = self.open.get_mut(&payload).filter(|_| refused) {
                open.doubtful &= !Producer::bit(open.attempts);
            }
            self.again(payload, if refused { NOT_REACHED } else { BROKEN }, ctx);
        }
    }
}
