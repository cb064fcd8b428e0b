//! A consumer's presence at the broker: coming, showing that it lives, asking, losing the connection, leaving.

use crate::base::{Span, Time};
use crate::world::{Ctx, Hosts};

use super::super::config::{Fetch, Transport, Visits};
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Body, Msg};
use super::{Consumer, ConsumerTimer, Presence};

/// So many beats without an answer, and the consumer takes the broker for gone.
const SILENCE: u32 = 3;
/// The pause after the first try to come that failed; doubled each time.
const PAUSE: Span = Span::millis(100);
/// The longest pause.
const LONGEST_PAUSE: Span = Span::secs(5);

/// Where a moment lies among a consumer's visits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Schedule {
    /// Within one, which goes on for so long. `None`: for ever.
    There(Option<Span>),
    /// Before one, which begins in so long. `None`: there is none any more.
    NotThere(Option<Span>),
}

fn schedule(visits: Option<Visits>, now: Time) -> Schedule {
    let Some(visits) = visits else { return Schedule::There(None) };
    let since_start = Span::nanos(now.nanos());
    if since_start < visits.first {
        return Schedule::NotThere(Some(visits.first - since_start));
    }
    let since_first = since_start - visits.first;
    let (within, next) = match visits.every {
        None => (since_first, None),
        Some(every) => {
            let within = Span::nanos(since_first.as_nanos() % every.as_nanos());
            (within, Some(every - within))
        }
    };
    if within < visits.stay { Schedule::There(Some(visits.stay - within)) } else { Schedule::NotThere(next) }
}

impl Consumer {
    /// Comes, if it is time to; or waits until it is.
    pub(super) fn begin<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        let visits = ctx.config().consumer(ctx.me()).visits;
        match schedule(visits, ctx.now()) {
            Schedule::There(rest) => {
                self.leave = rest.map(|rest| ctx.timer(rest, ConsumerTimer::Leave));
                self.attach(ctx);
            }
            Schedule::NotThere(Some(wait)) => {
                self.presence = Presence::Away;
                ctx.timer(wait, ConsumerTimer::Come);
            }
            Schedule::NotThere(None) => self.presence = Presence::Away,
        }
    }

    /// Says to the broker that we are here.
    pub(super) fn attach<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        let config = ctx.config();
        self.stay += 1;
        self.session = u64::from(self.namer.life()) << 32 | u64::from(self.stay);
        self.presence = Presence::Attaching;
        self.missed = 0;
        self.asking = None;
        self.conn = (config.transport == Transport::Stream).then(|| ctx.connect(config.places.broker));
        let consumer = config.consumer(ctx.me());
        let body = Body::Attach { session: self.session, queue: consumer.from, asked: consumer.fetch.asked() };
        let msg = self.namer.counted(body);
        self.send(msg, ctx);
        ctx.timer(config.heartbeat * u64::from(SILENCE), ConsumerTimer::NotAttached(self.stay));
    }

    /// Sends something to the broker.
    pub(super) fn send<W: Hosts<Consumer>>(&self, msg: Msg, ctx: &mut Ctx<'_, W, Consumer>) {
        match (ctx.config().transport, self.conn) {
            (Transport::Datagram, _) => ctx.send(ctx.config().places.broker, msg),
            (Transport::Stream, Some(conn)) => ctx.send_on(conn, msg),
            // There is no connection: the broker will have noticed as well.
            (Transport::Stream, None) => {}
        }
    }

    /// The broker says that we are there.
    pub(super) fn attached<W: Hosts<Consumer>>(&mut self, session: u64, ctx: &mut Ctx<'_, W, Consumer>) {
        if session != self.session || self.presence != Presence::Attaching {
            return;
        }
        if self.stay > 1 {
            ctx.mark(marks::REATTACHED);
        }
        self.presence = Presence::Attached;
        self.failures = 0;
        ctx.timer(ctx.config().heartbeat, ConsumerTimer::Beat(self.stay));
        self.ask(ctx);
    }

    /// Shows that we are there, unless the broker has long been silent.
    pub(super) fn beat<W: Hosts<Consumer>>(&mut self, stay: u32, ctx: &mut Ctx<'_, W, Consumer>) {
        if stay != self.stay || !matches!(self.presence, Presence::Attached | Presence::Leaving) {
            return;
        }
        if self.missed >= SILENCE {
            return self.lost(ctx);
        }
        self.missed += 1;
        let msg = self.namer.counted(Body::Beat { session: self.session });
        self.send(msg, ctx);
        ctx.timer(ctx.config().heartbeat, ConsumerTimer::Beat(stay));
    }

    /// Asks for messages, if that is how they come and nothing is left to do.
    pub(super) fn ask<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        let Fetch::Pull { batch, wait, .. } = ctx.config().consumer(ctx.me()).fetch else { return };
        if self.presence != Presence::Attached || self.asking.is_some() || !self.inbox.is_empty() || self.work.is_busy() {
            return;
        }
        self.questions += 1;
        self.asking = Some(self.questions);
        let body = Body::Poll { session: self.session, number: self.questions, most: batch, wait };
        let msg = self.namer.counted(body);
        self.send(msg, ctx);
        let patience = wait + ctx.config().heartbeat * u64::from(SILENCE);
        ctx.timer(patience, ConsumerTimer::NoAnswer(self.stay, self.questions));
    }

    /// The broker has nothing more for a question.
    pub(super) fn answered<W: Hosts<Consumer>>(&mut self, number: u32, given: u32, ctx: &mut Ctx<'_, W, Consumer>) {
        if self.asking != Some(number) {
            return;
        }
        self.asking = None;
        let Fetch::Pull { interval, wait, .. } = ctx.config().consumer(ctx.me()).fetch else { return };
        if given == 0 && wait.is_zero() {
            ctx.timer(interval, ConsumerTimer::Ask(self.stay));
        } else {
            self.ask(ctx);
        }
    }

    /// The broker is gone, or takes us for gone. What came and was not begun will come again; what is in hand is finished.
    pub(super) fn lost<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        self.drop_link(ctx);
        if self.presence == Presence::Leaving {
            return self.gone(ctx);
        }
        self.presence = Presence::Waiting;
        let pause = Span::nanos(PAUSE.as_nanos() << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures += 1;
        ctx.timer(pause, ConsumerTimer::Reconnect);
    }

    /// Forgets the present stay.
    pub(super) fn drop_link<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        if let Some(conn) = self.conn.take() {
            ctx.close(conn);
        }
        self.stay += 1;
        self.session = 0;
        self.asking = None;
        self.inbox.clear();
        self.work.forget_question();
    }

    /// It is time to leave: now, or as soon as the message in hand is done. What was not begun goes back.
    pub(super) fn leave<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        self.leave = None;
        match self.presence {
            Presence::Attached | Presence::Attaching => {
                self.inbox.clear();
                self.presence = Presence::Leaving;
                if !self.work.is_busy() {
                    self.depart(ctx);
                }
            }
            Presence::Waiting => self.gone(ctx),
            Presence::Away | Presence::Leaving | Presence::Dead => {}
        }
    }

    /// Leaves in order.
    pub(super) fn depart<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        let msg = self.namer.counted(Body::Detach { session: self.session });
        self.send(msg, ctx);
        if ctx.config().mutants.has(Mutant::IgnoresUnsubscribe) {
            self.presence = Presence::Attached;
            return;
        }
        self.drop_link(ctx);
        self.gone(ctx);
    }

    /// Is away until the next visit.
    fn gone<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        self.presence = Presence::Away;
        let visits = ctx.config().consumer(ctx.me()).visits;
        // By a clock that was stepped, the visit may still be going on: what is left of it is left out.
        let (Schedule::There(wait) | Schedule::NotThere(wait)) = schedule(visits, ctx.now());
        if let Some(wait) = wait {
            ctx.timer(wait, ConsumerTimer::Come);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_by_the_clock() {
        let at = |secs| Time::ZERO + Span::secs(secs);
        let daily = Visits { first: Span::secs(10), every: Some(Span::secs(100)), stay: Span::secs(5) };
        let table = [
            (0, Schedule::NotThere(Some(Span::secs(10)))),
            (10, Schedule::There(Some(Span::secs(5)))),
            (14, Schedule::There(Some(Span::secs(1)))),
            (15, Schedule::NotThere(Some(Span::secs(95)))),
            (110, Schedule::There(Some(Span::secs(5)))),
        ];
        for (now, expected) in table {
            assert_eq!(schedule(Some(daily), at(now)), expected, "at {now} s");
        }
        let once = Visits { every: None, ..daily };
        assert_eq!(schedule(Some(once), at(12)), Schedule::There(Some(Span::secs(3))));
        assert_eq!(schedule(Some(once), at(110)), Schedule::NotThere(None));
        assert_eq!(schedule(None, at(3)), Schedule::There(None));
    }
}
