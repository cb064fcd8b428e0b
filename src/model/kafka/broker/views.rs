//! What the controller has decided, and what this broker makes of it: which partitions it leads, follows, or gives up.

use std::sync::Arc;

use crate::world::{Ctx, Hosts};

use super::super::config::{Purpose, Truncation};
use super::super::ids::Part;
use super::super::log::{Log, Rules};
use super::super::mutants::Mutant;
use super::super::view::{PartView, View};
use super::{Broker, BrokerWrite, Replica, marks, replica};

impl Broker {
    /// The view of the cluster has changed.
    pub(super) fn view_changed<W: Hosts<Broker>>(&mut self, view: Arc<View>, changed: &[Part], ctx: &mut Ctx<'_, W, Broker>) {
        self.view = view;
        let alive = self.view.brokers.iter().filter(|broker| !broker.fenced && !broker.stopping);
        self.eligible = alive.map(|broker| (broker.node, broker.epoch)).collect();
        for part in changed {
            match self.view.part(*part).cloned() {
                Some(decided) => self.decided_for(*part, &decided, ctx),
                None => self.give_up(*part, ctx),
            }
        }
        self.with_txns(ctx, |txns, env, out| txns.on_view_changed(env, out));
    }

    /// One partition was decided anew.
    fn decided_for<W: Hosts<Broker>>(&mut self, part: Part, decided: &PartView, ctx: &mut Ctx<'_, W, Broker>) {
        let me = ctx.me();
        if !decided.replicas.contains(&me) {
            self.give_up(part, ctx);
            return;
        }
        let fresh = self.replicas[part.index()].is_none();
        if fresh {
            self.replicas[part.index()] = Some(Replica::new(Log::new(Rules::of(ctx.config(), part)), 0));
        }
        let Some(replica) = self.replicas[part.index()].as_ref() else { return };
        let same = !fresh && replica.epoch() == decided.epoch && self.known[part.index()];
        self.known[part.index()] = true;
        if decided.leader == Some(me) {
            if same && replica.leading().is_some() {
                self.update(part, decided, ctx);
            } else {
                self.lead(part, decided, ctx);
            }
        } else if !same || !matches!(&replica.part, replica::Part::Follower { leader, .. } if *leader == decided.leader) {
            self.become_follower(part, decided, ctx);
        }
    }

    /// This broker leads a partition.
    fn lead<W: Hosts<Broker>>(&mut self, part: Part, decided: &PartView, ctx: &mut Ctx<'_, W, Broker>) {
        self.follow(part, None, ctx);
        let (me, now, config) = (ctx.me(), ctx.now(), ctx.config());
        let Some(replica) = self.replicas[part.index()].as_mut() else { return };
        replica.lead(decided, me, now);
        replica.flushed = replica.log.end();
        if config.mutants.has(Mutant::WatermarkRestartsAtEnd) {
            replica.high_watermark = replica.log.end();
        }
        if config.mutants.has(Mutant::SequencesNotRebuilt) {
            replica.log.forget_producers();
        }
        ctx.mark(marks::LED);
        ctx.say(None, || format!("leads {} in epoch {} from {}", config.part_name(part), decided.epoch, replica.log.end()));
        self.wake_all(part, ctx);
        self.advance(part, ctx);
        let Some(replica) = self.replicas[part.index()].as_ref() else { return };
        match config.topic_of(part).purpose {
            Purpose::Messages => {}
            Purpose::Positions => {
                let log = replica.log.clone();
                self.with_groups(ctx, |groups, env, out| groups.load(part, decided.epoch, &mut log.entries(), env, out));
            }
            Purpose::Transactions => {
                let log = replica.log.clone();
                self.with_txns(ctx, |txns, env, out| txns.load(part, decided.epoch, &mut log.entries(), env, out));
            }
        }
    }

    /// It led before, and who is in sync has changed.
    fn update<W: Hosts<Broker>>(&mut self, part: Part, decided: &PartView, ctx: &mut Ctx<'_, W, Broker>) {
        let (me, now) = (ctx.me(), ctx.now());
        if let Some(replica) = self.replicas[part.index()].as_mut() {
            replica.update(decided, me, now);
        }
        self.advance(part, ctx);
    }

    /// This broker follows somebody.
    fn become_follower<W: Hosts<Broker>>(&mut self, part: Part, decided: &PartView, ctx: &mut Ctx<'_, W, Broker>) {
        let config = ctx.config();
        self.step_down(part, ctx);
        let Some(replica) = self.replicas[part.index()].as_mut() else { return };
        replica.part = replica::Part::Follower { leader: decided.leader, epoch: decided.epoch };
        replica.flushed = replica.log.end();
        let to = replica.high_watermark;
        self.wake_all(part, ctx);
        let by_watermark = config.mechanisms.truncation == Truncation::HighWatermark || config.mutants.has(Mutant::TruncatesToWatermark);
        if by_watermark && decided.leader.is_some() {
            self.truncate(part, to, ctx);
        }
        self.follow(part, decided.leader, ctx);
    }

    /// This broker leads a partition no longer, if it did.
    fn step_down<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(leading) = self.replicas[part.index()].as_mut().and_then(Replica::leading_mut) else { return };
        let awaiting = std::mem::take(&mut leading.awaiting).into();
        match ctx.config().topic_of(part).purpose {
            Purpose::Messages => {}
            Purpose::Positions => self.with_groups(ctx, |groups, env, out| groups.unload(part, env, out)),
            Purpose::Transactions => self.with_txns(ctx, |txns, env, out| txns.unload(part, env, out)),
        }
        if let Some(replica) = self.replicas[part.index()].as_mut() {
            replica.part = replica::Part::Follower { leader: None, epoch: replica.epoch() };
        }
        self.abandon(part, awaiting, ctx);
    }

    /// This broker holds a partition no longer.
    fn give_up<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        if self.replicas[part.index()].is_none() {
            return;
        }
        self.step_down(part, ctx);
        self.follow(part, None, ctx);
        self.wake_all(part, ctx);
        let bytes = self.replicas[part.index()].take().map_or(0, |replica| replica.log.bytes());
        self.known[part.index()] = false;
        if ctx.write(BrokerWrite::Drop { part, bytes }).is_err() {
            ctx.say(None, || "the disk is full".to_owned());
        }
    }
}
