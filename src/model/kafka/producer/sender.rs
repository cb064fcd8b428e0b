//! The sender and the world: connections, timers and words around the pure engine.

use std::sync::Arc;

use crate::base::{Digest, Span, Time, Words};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, TimerId};

use super::super::batch::{Batch, Position};
use super::super::config::{Config, ProducerConfig};
use super::super::ids::{GroupId, TxnId};
use super::super::links::Links;
use super::super::protocol::Msg;
use super::super::protocol::group::Membership;
use super::engine::{Engine, Env, Out, Taken, Word};
use super::{Event, Outgoing};

/// Timers of a sender and of the role around it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProducerTimer {
    /// The sender has something to do.
    Wake,
    /// A transaction has gathered records for long enough.
    Close {
        /// Which transaction, counted from the start of the process.
        number: u32,
    },
}

/// A role that a sender can be embedded in.
pub trait Client: Role<Config = Config, Msg = Msg, Timer: From<ProducerTimer>> {}

impl<R: Role<Config = Config, Msg = Msg, Timer: From<ProducerTimer>>> Client for R {}

/// What a sender works by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The producer's configuration.
    pub producer: Arc<ProducerConfig>,
    /// Its transactional id, if it is transactional.
    pub txn: Option<TxnId>,
    /// Which part of the process it is (below 8): the messages of different parts have names of their own.
    pub part: u8,
    /// Whether the same payload may be handed in more than once in a life of the process.
    pub resends: bool,
}

/// Time as a sender counts it: as the node's clock, but it stands still where that is set back. So a clock that is set back delays nothing
/// for longer than it would have taken anyway.
#[derive(Clone, Copy, Debug)]
struct Clock {
    shown: Time,
    now: Time,
}

impl Clock {
    fn read(&mut self, shown: Time) -> Time {
        self.now += shown.saturating_since(self.shown);
        self.shown = shown;
        self.now
    }
}

/// The producer's client library.
#[derive(Clone, Debug)]
pub struct Sender {
    engine: Engine,
    links: Links,
    clock: Clock,
    /// When it is woken.
    wake: Option<(Time, TimerId)>,
    /// What is to be done; empty between events.
    out: Vec<Out>,
}

impl Sender {
    /// Starts, at the boot of a process: looks for a broker, and for a session if it needs one.
    pub fn boot<W: Hosts<R>, R: Client>(settings: Settings, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) -> Sender {
        let config = ctx.config();
        let first = ctx.random().below(config.places.brokers.len() as u64);
        let first = usize::try_from(first).expect("a position among brokers");
        let now = ctx.now();
        let producer = &settings.producer;
        let links = Links::new((ctx.life(), settings.part), producer.reconnect_backoff, producer.reconnect_backoff_max);
        let engine = Engine::new(&settings, config, first);
        let mut sender = Sender { engine, links, clock: Clock { shown: now, now }, wake: None, out: Vec::new() };
        sender.poll(ctx, up);
        sender
    }

    /// Starts again after [`Event::Stopped`], as another producer in the same process with the same settings.
    pub fn reopen<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        self.links.close(ctx);
        self.engine.reopen(ctx.config());
        self.poll(ctx, up);
    }

    /// Takes a record. Its fate comes as [`Event::Done`], perhaps at once.
    #[inline]
    pub fn enqueue<W: Hosts<R>, R: Client>(&mut self, record: Outgoing, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        let topic = &ctx.config().topics[record.topic.index()];
        if !self.engine.take_quietly(&record, topic.partitions, topic.first) {
            self.enqueue_with_care(record, ctx, up);
        }
    }

    fn enqueue_with_care<W: Hosts<R>, R: Client>(&mut self, record: Outgoing, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        let taken = self.with(ctx, |engine, env, out| engine.take(record, env, out));
        match taken {
            Taken::Quietly => self.perform(ctx, up),
            Taken::Until(moment) => self.wake_at(Some(moment), ctx),
            Taken::Look => self.poll(ctx, up),
        }
    }

    /// Begins a transaction; only after [`Event::Ready`] or [`Event::Ended`].
    ///
    /// # Panics
    /// When there is one, or no session yet.
    pub fn begin(&mut self) {
        self.engine.begin();
    }

    /// Adds positions of a group to the transaction; [`Event::PositionsSent`] follows, or the transaction must be aborted. `from`: the
    /// member that has read so far, if it says so.
    pub fn send_positions<W: Hosts<R>, R: Client>(
        &mut self,
        (group, from): (GroupId, Option<Membership>),
        positions: Arc<[Position]>,
        ctx: &mut Ctx<'_, W, R>,
        up: &mut Vec<Event>,
    ) {
        self.engine.add_positions(group, from, positions);
        self.poll(ctx, up);
    }

    /// Commits the transaction, when everything in it has been stored. [`Event::Ended`] follows, or something went wrong.
    pub fn commit<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        self.engine.commit();
        self.poll(ctx, up);
    }

    /// Aborts the transaction: what was not sent yet is not sent any more. [`Event::Ended`] follows.
    pub fn abort<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        self.engine.abort(&mut self.out);
        self.poll(ctx, up);
    }

    /// Sends everything that was taken so far without waiting for more.
    pub fn flush<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        self.engine.flush();
        self.poll(ctx, up);
    }

    /// A message. It comes back if it did not come over one of the sender's connections.
    pub fn on_message<W: Hosts<R>, R: Client>(
        &mut self,
        from: Peer,
        msg: Msg,
        ctx: &mut Ctx<'_, W, R>,
        up: &mut Vec<Event>,
    ) -> Option<Msg> {
        if !self.links.heard(from) {
            return Some(msg);
        }
        self.with(ctx, |engine, env, out| engine.on_reply(from.node, msg.number, msg.body, env, out));
        self.poll(ctx, up);
        None
    }

    /// [`ProducerTimer::Wake`] fired.
    pub fn on_wake<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        self.wake = None;
        self.poll(ctx, up);
    }

    /// A connection ended: whether it was one of the sender's.
    pub fn on_disconnect<W: Hosts<R>, R: Client>(
        &mut self,
        peer: Peer,
        why: Disconnect,
        ctx: &mut Ctx<'_, W, R>,
        up: &mut Vec<Event>,
    ) -> bool {
        let now = self.clock.read(ctx.now());
        if !self.links.lost(peer, now) {
            return false;
        }
        self.with(ctx, |engine, env, out| engine.on_lost(peer.node, why, env, out));
        self.poll(ctx, up);
        true
    }

    /// How many records are not done yet.
    #[must_use]
    pub const fn open(&self) -> usize {
        self.engine.open()
    }

    /// Adds the state to a digest. `now`: what the node's clock shows.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        let mut clock = self.clock;
        self.engine.fingerprint(clock.read(now), digest);
    }

    /// Lets the engine look at the world as it is now.
    fn with<W: Hosts<R>, R: Client, T>(
        &mut self,
        ctx: &mut Ctx<'_, W, R>,
        work: impl FnOnce(&mut Engine, &mut Env<'_>, &mut Vec<Out>) -> T,
    ) -> T {
        let mut words = *ctx.random();
        let now = self.clock.read(ctx.now());
        let mut env = Env { now, words: &mut words, config: ctx.config(), links: &self.links };
        let result = work(&mut self.engine, &mut env, &mut self.out);
        *ctx.random() = words;
        result
    }

    /// Does what there is to be done. Connections that do not answer are given up first: how long to wait before the next depends on it.
    fn poll<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        self.with(ctx, Engine::time_out_requests);
        self.perform(ctx, up);
        let next = self.with(ctx, Engine::poll);
        self.perform(ctx, up);
        self.wake_at(next, ctx);
    }

    /// Is woken at a moment at the latest.
    fn wake_at<W: Hosts<R>, R: Client>(&mut self, moment: Option<Time>, ctx: &mut Ctx<'_, W, R>) {
        let Some(moment) = moment else { return };
        if self.wake.is_some_and(|(set, _)| set <= moment) {
            return;
        }
        if let Some((_, timer)) = self.wake.take() {
            ctx.cancel(timer);
        }
        let after = moment.saturating_since(self.clock.now).max(Span::nanos(1));
        self.wake = Some((moment, ctx.timer(after, ProducerTimer::Wake.into())));
    }

    fn perform<W: Hosts<R>, R: Client>(&mut self, ctx: &mut Ctx<'_, W, R>, up: &mut Vec<Event>) {
        let mut out = std::mem::take(&mut self.out);
        for out in out.drain(..) {
            match out {
                Out::Send { to, number, about, body } => {
                    let sent = self.links.send(to, about, body, ctx);
                    debug_assert_eq!(sent, number, "requests are counted alike");
                }
                Out::Drop(node) => self.links.drop(node, ctx),
                Out::Tell(event) => up.push(event),
                Out::Mark(mark) => ctx.mark(mark),
                Out::Say(batch, word) => say(&batch, word, ctx),
            }
        }
        self.out = out;
    }
}

/// Tells the story of each record of a batch.
fn say<W: Hosts<R>, R: Client>(batch: &Batch, word: Word, ctx: &mut Ctx<'_, W, R>) {
    for record in batch.as_records() {
        ctx.say(Some(record.payload), || match word {
            Word::Again { why, pause } => format!("{} goes back to be sent again in {}: {why}", record.payload, pause.nearest_micro()),
            Word::GivenUp { why, doubt: false } => format!("{} is given up, and is certainly not stored: {why}", record.payload),
            Word::GivenUp { why, doubt: true } => format!("{} is given up, and may be stored: {why}", record.payload),
        });
    }
}
