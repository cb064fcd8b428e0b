//! What a broker does from time to time: it starts, removes and compacts old logs, writes its checkpoints, stops.

use std::sync::Arc;

use crate::base::{ObjectId, Span};
use crate::record::{Mark, Note, Settlement};
use crate::world::{Ctx, Hosts};

use super::super::batch::{Rec, Stored};
use super::super::config::Config;
use super::super::control_link::ControlLink;
use super::super::ids::{Offset, Part};
use super::super::log::Rules;
use super::{Broker, BrokerTimer, BrokerWrite, Env, Replica, Stage, marks};

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
        for part in disk.parts() {
            let Some((log, high_watermark)) = disk.log(part, Rules::of(config, part), ctx.now()) else { continue };
            if log.end() > 0 {
                ctx.mark(marks::RECOVERED);
            }
            self.replicas[part.index()] = Some(Replica::new(log, high_watermark));
        }
        let mut out = Vec::new();
        let (now, me, previous) = (ctx.now(), ctx.me(), disk.control.epoch.filter(|_| disk.stopped_cleanly()));
        let mut env = Env { now, me, config, view: &self.view, words: ctx.random() };
        self.control = Some(Box::new(ControlLink::boot(previous, &mut env, &mut out)));
        if previous.is_some() && ctx.write(BrokerWrite::Stopped(false)).is_err() {
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
            replica.log.expire_producers(now);
            let Some(deleted) = replica.log.retain(now, high_watermark, config.mutants) else { continue };
            let write = BrokerWrite::deleted(part, &replica.log, &deleted);
            let unread = unread(replica, part, config);
            ctx.mark(marks::RETENTION);
            if unread.iter().any(|(reached, _)| *reached < deleted.to) {
                let gone: Vec<(Offset, Rec)> = deleted.batches.iter().flat_map(Stored::records).map(|(at, rec)| (at, *rec)).collect();
                settle(&unread, &gone, Settlement::Expired, ctx);
            }
            if ctx.write(write).is_err() {
                self.halt(marks::DISK_FULL, ctx);
                return;
            }
        }
    }

    /// Compacts logs that are to be.
    pub(super) fn compact<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(ctx.config().broker.cleaner_backoff, BrokerTimer::Compaction);
        let (config, now) = (ctx.config(), ctx.now());
        for at in 0..self.replicas.len() {
            let part = Part::at(at);
            let Some(replica) = self.replicas[at].as_mut().filter(|_| config.topic_of(part).cleanup.compact) else { continue };
            let high_watermark = replica.high_watermark;
            let Some(compacted) = replica.log.compact(now, high_watermark, config.mutants) else { continue };
            let unread = if replica.leading().is_some() { unread(replica, part, config) } else { Vec::new() };
            ctx.mark(marks::COMPACTED);
            settle(&unread, &compacted.superseded, Settlement::Superseded, ctx);
            if ctx.write(BrokerWrite::compacted(part, &compacted)).is_err() {
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
        if ctx.write(BrokerWrite::Watermarks(high_watermarks)).is_err() {
            self.halt(marks::DISK_FULL, ctx);
        }
    }

    /// The controller lets this broker stop: it writes down that it did so in good order.
    pub(super) fn stopped<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        self.write_checkpoint(ctx);
        let epoch = self.registration.map(BrokerWrite::Control);
        for write in epoch.into_iter().chain([BrokerWrite::Stopped(true)]) {
            if ctx.write(write).is_err() {
                ctx.say(None, || "the disk is full".to_owned());
            }
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

/// Records are gone: for each group that had not come to them, this is noted.
fn settle<W: Hosts<Broker>>(unread: &[(Offset, ObjectId)], gone: &[(Offset, Rec)], how: Settlement, ctx: &mut Ctx<'_, W, Broker>) {
    for (reached, group) in unread {
        for (_, record) in gone.iter().filter(|(offset, _)| offset >= reached) {
            if how == Settlement::Expired {
                ctx.mark(marks::REMOVED_UNREAD);
            }
            ctx.note(Note::Settle { group: *group, payload: record.payload, how });
        }
    }
}

/// From where on the groups that read a partition have not fetched.
fn unread(replica: &Replica, part: Part, config: &Config) -> Vec<(Offset, ObjectId)> {
    let groups = (0u16..).zip(&config.groups).map(|(at, _)| super::super::GroupId(at));
    let of = |group| {
        let subscription = config.subscription(group, part)?;
        let reached = replica.reached.iter().find(|(of, _, _)| *of == group).map_or(0, |(_, _, offset)| *offset);
        Some((reached, subscription))
    };
    groups.filter_map(of).collect()
}
