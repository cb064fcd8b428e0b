//! A consumer: an application that polls, processes records, and commits.

pub mod marks;
mod outside;
pub mod reader;
#[cfg(test)]
mod tests;
mod visits;
mod work;

use std::convert::Infallible;

use crate::base::{Digest, Law, ObjectId, PayloadId, Sampler, Span, Time};
use crate::record::{Command, Place};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink, TimerId};

use super::config::{Commit, Config, ConsumerConfig};
use super::links::Links;
use super::protocol::{Body, Msg};
use outside::Outside;
pub use reader::{Concern, Event, How, Reader, ReaderTimer, Reads, Side, Slice, Whose};
use visits::{Schedule, schedule};
use work::Work;

/// A consumer's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ConsumerTimer {
    /// Its reader's.
    Reader(ReaderTimer),
    /// It is time to come.
    Come,
    /// It is time to leave.
    Leave,
    /// A record is processed: by which worker, of which run.
    Worked(u32, u32),
    /// The pause before the database is asked again is over.
    StoreAgain,
    /// The database has not answered.
    StoreLate(u32),
}

impl From<ReaderTimer> for ConsumerTimer {
    fn from(timer: ReaderTimer) -> ConsumerTimer {
        ConsumerTimer::Reader(timer)
    }
}

/// What a consumer hands to the code around it: the effect of a message is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The subscription.
    pub group: ObjectId,
    /// The message.
    pub payload: PayloadId,
    /// Where it stood, where that is known.
    pub place: Option<Place>,
}

/// Where a consumer stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Presence {
    /// Not there, and not meant to be.
    Away,
    /// There.
    There,
    /// There, and leaves as soon as what it has in hand is done.
    Leaving,
    /// Its reader closes.
    Closing,
    /// It has stopped with an error.
    Stopped,
}

/// The process.
#[derive(Clone, Debug)]
pub struct Consumer {
    kind: u16,
    reader: Reader,
    presence: Presence,
    leave: Option<TimerId>,
    outside: Option<Outside>,
    work: Work,
    /// How long a record takes. `None`: no time.
    processing: Option<Sampler>,
    events: Vec<Event>,
}

/// The context with the sink of the code around it.
type Hands<'c, 'w, 's, W, S> = (&'c mut Ctx<'w, W, Consumer>, &'s mut S);

/// Which kind of consumer this node is.
fn kind_of<W: Hosts<Consumer>>(ctx: &Ctx<'_, W, Consumer>) -> u16 {
    let me = ctx.me();
    ctx.config().places.consumers.iter().find(|(node, _, _)| *node == me).map(|(_, kind, _)| *kind).expect("a consumer has a place")
}

impl Consumer {
    fn own<'a, W: Hosts<Consumer>>(&self, ctx: &Ctx<'a, W, Consumer>) -> &'a ConsumerConfig {
        &ctx.config().consumers[usize::from(self.kind)]
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        self.reader.fingerprint(now, digest);
        self.work.fingerprint(digest);
        digest.words(self.presence as u64, self.outside.as_ref().map_or(0, |outside| outside.open() as u64));
    }

    /// Comes, if it is time to; or waits until it is.
    fn begin<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        match schedule(self.own(ctx).visits, ctx.now()) {
            Schedule::There(rest) => {
                self.leave = rest.map(|rest| ctx.timer(rest, ConsumerTimer::Leave));
                self.presence = Presence::There;
                self.work.anew();
                self.reader.start(ctx, &mut self.events);
                self.go_on((ctx, up));
            }
            Schedule::NotThere(wait) => self.away(wait, ctx),
        }
    }

    fn away<W: Hosts<Consumer>>(&mut self, wait: Option<Span>, ctx: &mut Ctx<'_, W, Consumer>) {
        self.presence = Presence::Away;
        if let Some(wait) = wait {
            ctx.timer(wait, ConsumerTimer::Come);
        }
    }

    /// The reader is closed.
    fn gone<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        if let Some(outside) = &mut self.outside {
            outside.forget(ctx);
        }
        // By a clock that was stepped, the visit may still be going on: what is left of it is left out.
        let (Schedule::There(wait) | Schedule::NotThere(wait)) = schedule(self.own(ctx).visits, ctx.now());
        self.away(wait, ctx);
    }

    /// The reader has stopped with an error: the process is of no more use until its next visit or start.
    fn stopped<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        if let Some(leave) = self.leave.take() {
            ctx.cancel(leave);
        }
        self.work.anew();
        self.gone(ctx);
        self.presence = Presence::Stopped;
    }
}

impl Role for Consumer {
    type Config = Config;
    type Msg = Msg;
    type Timer = ConsumerTimer;
    type Disk = ();
    type Write = Infallible;
    type Up = Applied;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let kind = kind_of(ctx);
        let own = &ctx.config().consumers[usize::from(kind)];
        let links = || Links::new((ctx.life(), 2), own.reconnect_backoff, own.reconnect_backoff_max);
        let outside =
            ctx.config().places.store.map(|node| Outside::new((node, links()), own.group, (own.request_timeout, own.retry_backoff)));
        let processing = (own.processing != Law::Constant(Span::ZERO)).then(|| own.processing.sampler());
        let workers = own.hand_off.filter(|_| own.commit != Commit::WithEffect);
        let mut consumer = Consumer {
            kind,
            reader: Reader::new(Whose::Consumer(kind), 0, ctx),
            presence: Presence::Away,
            leave: None,
            outside,
            work: Work::new(workers),
            processing,
            events: Vec::new(),
        };
        consumer.begin((ctx, &mut crate::world::Discard));
        consumer
    }

    /// The load has nothing to ask of a consumer.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Applied>) {
        unreachable!("{} was given to a consumer; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Applied>) {
        if let Body::StoreReply(reply) = msg.body {
            let answered = self.outside.as_mut().and_then(|outside| outside.answered(from, (msg.number, *reply), ctx));
            if let Some((errand, reply)) = answered {
                self.stored(errand, reply, (ctx, up));
            }
            return;
        }
        // What comes over a connection that was given up is nobody's.
        let _ = self.reader.on_message(from, msg, ctx, &mut self.events);
        self.go_on((ctx, up));
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ConsumerTimer, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Applied>) {
        match timer {
            ConsumerTimer::Reader(timer) => {
                self.reader.on_timer(timer, ctx, &mut self.events);
                self.go_on((ctx, up));
            }
            ConsumerTimer::Come => self.begin((ctx, up)),
            ConsumerTimer::Leave => {
                self.leave = None;
                if self.presence == Presence::There {
                    self.presence = Presence::Leaving;
                    self.work_on((ctx, up));
                }
            }
            ConsumerTimer::Worked(worker, run) => self.worked(worker as usize, run, (ctx, up)),
            ConsumerTimer::StoreAgain => {
                if let Some(outside) = &mut self.outside {
                    outside.rested(ctx);
                }
            }
            ConsumerTimer::StoreLate(number) => {
                if let Some(outside) = &mut self.outside {
                    outside.late(number, ctx);
                }
            }
        }
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, _: Disconnect, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Applied>) {
        if self.outside.as_mut().is_some_and(|outside| outside.lost(peer, ctx)) {
            return;
        }
        self.reader.on_disconnect(peer, ctx, &mut self.events);
        self.go_on((ctx, up));
    }
}
