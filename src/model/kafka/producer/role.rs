//! The role of a producer: what the load asks for is handed to a sender, and ends with what the sender knows.
//!
//! A transactional producer that was fenced, or met another error that no abort heals, does nothing any more until its node is started
//! anew; what it is asked for meanwhile fails.

use std::convert::Infallible;
use std::sync::Arc;

use crate::base::{ClientOp, Digest, ObjectId, Time};
use crate::record::{Command, End, Op, Place, Reason};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::super::config::{Config, Purpose};
use super::super::ids::{TopicId, TxnId};
use super::super::protocol::Msg;
use super::sender::{ProducerTimer, Sender, Settings};
use super::transactions::Grouping;
use super::{Done, Event, Fate, Outgoing, Token};

/// The producer's process.
#[derive(Clone, Debug)]
pub struct Producer {
    sender: Sender,
    /// Topics by their ids in the history.
    topics: Arc<[Option<TopicId>]>,
    grouping: Option<Grouping>,
    /// What the sender has told; empty between events.
    up: Vec<Event>,
}

const NO_TOPIC: Reason = Reason("there is no such topic in the configuration");
const NO_REQUESTS: Reason = Reason("a log answers no requests");

impl Producer {
    /// How many operations are not done yet.
    #[must_use]
    pub fn open(&self) -> usize {
        self.grouping.as_ref().map_or_else(|| self.sender.open(), Grouping::open)
    }

    /// Adds the state to a digest. `now`: what the node's clock shows.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        self.sender.fingerprint(now, digest);
        if let Some(grouping) = &self.grouping {
            grouping.fingerprint(digest);
        }
    }

    /// Deals with what the sender has told, which may make it tell more.
    fn listen<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        while !self.up.is_empty() {
            let mut events = std::mem::take(&mut self.up);
            for event in events.drain(..) {
                match &mut self.grouping {
                    Some(grouping) => grouping.on_event(event, &mut self.sender, ctx, &mut self.up),
                    None => on_event(event, ctx),
                }
            }
            if self.up.is_empty() {
                self.up = events;
                return;
            }
        }
    }
}

/// Topics by their ids in the history.
fn topics(config: &Config) -> Arc<[Option<TopicId>]> {
    let messages = config.topics.iter().enumerate().filter(|(_, topic)| topic.purpose == Purpose::Messages);
    let named: Vec<(ObjectId, TopicId)> =
        messages.map(|(at, topic)| (topic.object, TopicId(u16::try_from(at).expect("fewer than 2^16 topics")))).collect();
    let most = named.iter().map(|(object, _)| object.0 as usize + 1).max().unwrap_or(0);
    let mut all = vec![None; most];
    for (object, topic) in named {
        all[object.0 as usize] = Some(topic);
    }
    all.into()
}

/// Without transactions operations end with their batches.
fn on_event<W: Hosts<Producer>>(event: Event, ctx: &mut Ctx<'_, W, Producer>) {
    match event {
        Event::Done(done) => end_all(&done, ctx),
        Event::Ready | Event::PositionsSent | Event::Ended(_) | Event::MustAbort(_) | Event::Stopped { .. } => {}
    }
}

fn end_all<W: Hosts<Producer>>(done: &Done, ctx: &mut Ctx<'_, W, Producer>) {
    let log = done.part.and_then(|part| ctx.config().partitions[part.index()].object);
    let place = |offset| Place { log: log.expect("a partition of a topic for messages has an id in the history"), offset };
    let ops = done.tokens.iter().map(|token| ClientOp(token.0));
    match done.fate {
        Fate::At(base) => ops.zip(base..).for_each(|(op, offset)| ctx.end_at(op, place(offset))),
        Fate::Gone => ops.for_each(|op| ctx.end(op, End::Ok)),
        Fate::Failed(reason) => ops.for_each(|op| ctx.end(op, End::Failed(reason))),
        Fate::Unknown(reason) => ops.for_each(|op| ctx.end(op, End::Unknown(reason))),
    }
}

impl Role for Producer {
    type Config = Config;
    type Msg = Msg;
    type Timer = ProducerTimer;
    type Disk = ();
    type Write = Infallible;
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let (me, config) = (ctx.me(), ctx.config());
        let place = config.places.producers.iter().find(|(node, _, _)| *node == me);
        let (_, kind, number) = place.expect("a producer's node is among the places of producers");
        let producer = Arc::new(config.producers[usize::from(*kind)].clone());
        let nth = u16::try_from(*number).expect("fewer than 2^16 producers of a kind");
        let txn = producer.transactions.map(|transactions| TxnId(transactions.first.0 + nth));
        let grouping = producer.transactions.map(|transactions| Grouping::new(transactions, config));
        let mut up = Vec::new();
        let sender = Sender::boot(Settings { producer, txn, part: 0, resends: false }, ctx, &mut up);
        let mut producer = Producer { sender, topics: topics(config), grouping, up };
        producer.listen(ctx);
        producer
    }

    #[inline]
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        let Op::Publish { to, key, payload, bytes } = command.what else {
            ctx.end(command.op, End::Failed(NO_REQUESTS));
            return;
        };
        let Some(topic) = self.topics.get(to.0 as usize).copied().flatten() else {
            ctx.end(command.op, End::Failed(NO_TOPIC));
            return;
        };
        let record = Outgoing { token: Token(command.op.0), topic, payload, key, bytes };
        match &mut self.grouping {
            None => self.sender.enqueue(record, ctx, &mut self.up),
            Some(grouping) => grouping.submit((command.op, record), &mut self.sender, ctx, &mut self.up),
        }
        self.listen(ctx);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        self.sender.on_message(from, msg, ctx, &mut self.up);
        self.listen(ctx);
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ProducerTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        match (timer, &mut self.grouping) {
            (ProducerTimer::Wake, _) => self.sender.on_wake(ctx, &mut self.up),
            (ProducerTimer::Close { number }, Some(grouping)) => grouping.on_close(number, &mut self.sender, ctx, &mut self.up),
            (ProducerTimer::Close { .. }, None) => {}
        }
        self.listen(ctx);
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        self.sender.on_disconnect(peer, why, ctx, &mut self.up);
        self.listen(ctx);
    }
}
