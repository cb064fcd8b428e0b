//! Logs that are to be flushed: `flush.messages` and `flush.ms`. Kafka leaves it to the operating system unless it is told otherwise
//! [S:kafka LogConfig: flush.messages = Long.MAX]; with them an answer, and the copy of a follower, count only when the disk has them.

use crate::base::Span;
use crate::world::{Ctx, Hosts};

use super::super::config::Config;
use super::super::ids::{Offset, Part};
use super::super::mutants::Mutant;
use super::super::protocol::Produced;
use super::delayed::Waiter;
use super::{Broker, BrokerTimer, marks};

/// A flush under way: which logs, and how far.
#[derive(Clone, Debug, Default)]
pub(super) struct Flushes {
    /// A sync is under way for these.
    under_way: Option<Vec<(Part, Offset)>>,
    /// More was appended since: another one follows.
    again: bool,
    /// Those who wait for the leader's own disk alone (`acks=1`).
    waiting: Vec<(Part, Offset, u64)>,
}

/// Whether a topic wants answers to wait for the disk.
pub(super) fn flushes(config: &Config, part: Part) -> bool {
    config.topic_of(part).flush_messages.is_some()
}

impl Broker {
    /// Whether any of these wants its log flushed.
    pub(super) fn flushes_any(&self, landed: &[(Part, Offset)], config: &Config) -> bool {
        landed.iter().any(|(part, _)| flushes(config, *part))
    }

    /// Begins a flush, if so many records came since the last one.
    pub(super) fn flush_if_due<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(messages) = ctx.config().topic_of(part).flush_messages else { return };
        let Some(replica) = self.replicas[part.index()].as_ref() else { return };
        if replica.log.end() - replica.flushed.min(replica.log.end()) >= messages {
            self.flush(ctx);
        }
    }

    /// Begins a flush of everything, or notes that one must follow the one under way.
    pub(super) fn flush<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        if self.flushes.under_way.is_some() {
            self.flushes.again = true;
            return;
        }
        let flushed = |(at, replica): (usize, &Option<super::Replica>)| {
            let part = Part::at(at);
            replica.as_ref().filter(|_| flushes(ctx.config(), part)).map(|replica| (part, replica.log.end()))
        };
        let logs = self.replicas.iter().enumerate().filter_map(flushed).collect();
        self.flushes.under_way = Some(logs);
        if ctx.config().mutants.has(Mutant::SyncSkipped) {
            ctx.timer(Span::ZERO, BrokerTimer::Flushed { ok: true });
        } else {
            ctx.sync(BrokerTimer::Flushed { ok: true }, BrokerTimer::Flushed { ok: false });
        }
    }

    /// A flush is over. After one that failed nobody knows what is durable: Kafka takes the whole log directory out of service, so that
    /// this broker stops.
    pub(super) fn flushed<W: Hosts<Broker>>(&mut self, ok: bool, ctx: &mut Ctx<'_, W, Broker>) {
        let logs = self.flushes.under_way.take().unwrap_or_default();
        if !ok {
            self.halt(marks::FLUSH_FAILED, ctx);
            return;
        }
        for (part, end) in logs {
            if let Some(replica) = self.replicas[part.index()].as_mut() {
                replica.flushed = replica.flushed.max(end);
            }
            let (ready, rest) =
                std::mem::take(&mut self.flushes.waiting).into_iter().partition(|(of, needs, _)| *of == part && *needs <= end);
            self.flushes.waiting = rest;
            let ready: Vec<(Part, Offset, u64)> = ready;
            for (part, _, number) in ready {
                if let Some(delayed) = self.waiting.decided(number, part, None) {
                    self.decided(delayed, ctx);
                }
            }
            self.advance(part, ctx);
        }
        self.follow_all(ctx);
        if std::mem::take(&mut self.flushes.again) {
            self.flush(ctx);
        }
    }

    /// An answer waits for this broker's disk alone.
    pub(super) fn wait_for_flush<W: Hosts<Broker>>(
        &mut self,
        (who, timeout): (Waiter, Span),
        (results, landed): (Vec<Produced>, Vec<(Part, Offset)>),
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let landed: Vec<(Part, Offset)> = landed.into_iter().filter(|(part, _)| flushes(ctx.config(), *part)).collect();
        let number = self.waiting.add(who, results, landed.iter().map(|(part, _)| *part).collect());
        let timer = ctx.timer(timeout, BrokerTimer::Delayed { number });
        self.waiting.set_timer(number, timer);
        self.flushes.waiting.extend(landed.into_iter().map(|(part, needs)| (part, needs, number)));
    }

    /// Whether what this follower has fetched is still on its way to the disk: it does not fetch on before.
    pub(super) fn is_flushing(&self, part: Part, config: &Config) -> bool {
        let behind = |replica: &super::Replica| replica.flushed < replica.log.end();
        flushes(config, part) && self.replicas[part.index()].as_ref().is_some_and(behind) && self.flushes.under_way.is_some()
    }
}
