//! What a broker does from time to time: it starts, removes and compacts old logs, writes its checkpoints, stops.

use std::sync::Arc;

use crate::base::{ObjectId, Span};
use crate::record::{Mark, Note, Settlement};
use crate::world::{Ctx, Hosts};

use super::super::batch::Rec;
use super::super::config::{Config, Purpose};
use super::super::control_link::ControlLink;
use super::super::disk::BrokerWrite;
use super::super::ids::{Offset, Part};
use super::{Broker, BrokerTimer, Env, Replica, Stage, marks};

impl Broker {
    /// The process starts, unless it is to be started for the first time later.
    pub(super) fn begin<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        let config = ctx.config();
        let place = config.places.brokers.iter().position(|node| *node == ctx.me());
        let joins = place.and_then(|at| config.broker.joins.get(at).copied().flatten());
        match joins.filter(|_| ctx.life() == 0) {
            Some(after) => {
                ctx.timer(after, BrokerTimer::Join);
            }
            None => self.start(ctx),
        }
    }

    /// The process runs, on what its disk holds.
    pub(super) fn start<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        self.stage = Stage::Running;
        let config = ctx.config();
        let disk = ctx.recover();
        for (part, (log, high_watermark)) in disk.recover(config) {
            if log.end() > 0 {
                ctx.mark(marks::RECOVERED);
            }
            let high_watermark = high_watermark.min(log.end());
            self.replicas[part.index()] = Some(Replica::new(log, high_watermark));
        }
        let mut out = Vec::new();
        let (now, me, previous) = (ctx.now(), ctx.me(), disk.stopped_in_order());
        let mut env = Env { now, me, config, view: &self.view, words: ctx.random() };
        self.control = Some(Box::new(ControlLink::boot(previous, &mut env, &mut out)));
        if previous.is_some() && ctx.write(BrokerWrite::Started).is_err() {
            self.halt(marks::DISK_FULL, ctx);
            return;
        }
        let broker = &config.broker;
        ctx.timer(broker.replica_lag_time_max.scaled(1, 2), BrokerTimer::Laggards);
        ctx.timer(broker.retention_check, BrokerTimer::Retention);
        ctx.timer(broker.high_watermark_checkpoint, BrokerTimer::Checkpoint);
        if config.topics.iter().any(|topic| topic.cleanup.compact) {
            ctx.timer(broker.cleaner_backoff, BrokerTimer::Compaction);
        }
        if let Some(every) = flush_interval(config) {
            ctx.timer(every, BrokerTimer::Flush);
        }
        self.carry_out(out, ctx);
    }

    /// `flush.ms` is over.
    pub(super) fn flush_in_time<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some(every) = flush_interval(ctx.config()) {
            ctx.timer(every, BrokerTimer::Flush);
        }
        self.flush(ctx);
    }

    /// Removes what is too old or too much; a leader decides, and its followers hear where the log begins.
    pub(super) fn retain<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(ctx.config().broker.retention_check, BrokerTimer::Retention);
        let (config, now) = (ctx.config(), ctx.now());
        for at in 0..self.replicas.len() {
            let part = Part::at(at);
            let Some(replica) = self.replicas[at].as_mut().filter(|replica| replica.leading().is_some()) else { continue };
            let high_watermark = replica.high_watermark;
            replica.log.expire_producers(now, config.broker.producer_id_expiration);
            let Some(start) = replica.log.expired(now, high_watermark, config.mutants) else { continue };
            ctx.mark(marks::RETENTION);
            self.settle_unread(part, start, ctx);
            let Some(replica) = self.replicas[at].as_mut() else { continue };
            replica.log.delete_below(start);
            if ctx.write(BrokerWrite::DeleteBelow { part, start }).is_err() {
                self.halt(marks::DISK_FULL, ctx);
                return;
            }
        }
    }

    /// Records below an offset are about to go: those that a group had not reached are gone for it.
    fn settle_unread<W: Hosts<Broker>>(&mut self, part: Part, start: Offset, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(replica) = self.replicas[part.index()].as_ref() else { return };
        for (reached, group) in unread(replica, part, ctx.config()) {
            let gone: Vec<Rec> =
                replica.log.records_from(reached).take_while(|(offset, _)| *offset < start).map(|(_, record)| *record).collect();
            for record in gone {
                ctx.mark(marks::REMOVED_UNREAD);
                ctx.note(Note::Settle { group, payload: record.payload, how: Settlement::Expired });
            }
        }
    }

    /// Compacts logs that are to be.
    pub(super) fn compact<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(ctx.config().broker.cleaner_backoff, BrokerTimer::Compaction);
        let (config, now) = (ctx.config(), ctx.now());
        for at in 0..self.replicas.len() {
            let part = Part::at(at);
            let topic = config.topic_of(part);
            if !topic.cleanup.compact {
                continue;
            }
            let Some(replica) = self.replicas[at].as_mut() else { continue };
            let leads = replica.leading().is_some();
            let unread = if leads { unread(replica, part, config) } else { Vec::new() };
            let high_watermark = replica.high_watermark;
            let Some(cleaned) = replica.log.compact(now, high_watermark, config.mutants) else { continue };
            ctx.mark(marks::COMPACTED);
            if topic.purpose == Purpose::Messages {
                for (group_reached, group) in &unread {
                    for (_, record) in cleaned.superseded.iter().filter(|(offset, _)| offset >= group_reached) {
                        ctx.note(Note::Settle { group: *group, payload: record.payload, how: Settlement::Superseded });
                    }
                }
            }
            if ctx.write(BrokerWrite::Compacted { part, cleaned: Arc::new(cleaned) }).is_err() {
                self.halt(marks::DISK_FULL, ctx);
                return;
            }
        }
    }

    /// Writes high watermarks down.
    pub(super) fn checkpoint<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(ctx.config().broker.high_watermark_checkpoint, BrokerTimer::Checkpoint);
        self.write_checkpoint(ctx);
    }

    fn write_checkpoint<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        let of = |(at, replica): (usize, &Option<Replica>)| replica.as_ref().map(|replica| (Part::at(at), replica.high_watermark));
        let high_watermarks: Arc<[(Part, Offset)]> = self.replicas.iter().enumerate().filter_map(of).collect();
        if ctx.write(BrokerWrite::HighWatermarks(high_watermarks)).is_err() {
            self.halt(marks::DISK_FULL, ctx);
        }
    }

    /// The controller lets this broker stop: it writes down that it did so in good order.
    pub(super) fn stopped<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        self.write_checkpoint(ctx);
        if let Some(epoch) = self.registration
            && ctx.write(BrokerWrite::Stopped(epoch)).is_err()
        {
            ctx.say(None, || "the disk is full".to_owned());
        }
        self.halt(marks::STOPPED, ctx);
    }

    /// The process ends by its own decision: connections close, nothing is served until the node starts again.
    pub(super) fn halt<W: Hosts<Broker>>(&mut self, why: Mark, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.mark(why);
        ctx.say(None, || format!("stops itself ({why})"));
        self.stage = Stage::Halted;
        self.links.close(ctx);
        self.peers.close(ctx);
        self.controllers.close(ctx);
        for conn in self.channels.all() {
            ctx.close(conn);
        }
        for replica in self.replicas.iter_mut().flatten() {
            replica.part = super::replica::Part::Follower { leader: None, epoch: replica.epoch() };
        }
    }
}

/// The shortest `flush.ms`.
fn flush_interval(config: &Config) -> Option<Span> {
    config.topics.iter().filter_map(|topic| topic.flush).min()
}

/// From where on the groups that read a partition have not fetched.
fn unread(replica: &Replica, part: Part, config: &Config) -> Vec<(Offset, ObjectId)> {
    let groups = (0u16..).zip(&config.groups).map(|(at, _)| super::super::GroupId(at));
    let of = |group| {
        let subscription = config.subscription(group, part)?;
        let reached = replica.reached.iter().find(|(of, _)| *of == group).map_or(0, |(_, offset)| *offset);
        Some((reached, subscription))
    };
    groups.filter_map(of).collect()
}
