//! The in-sync replicas: who falls behind, who has caught up, and how far everything is committed.

use std::sync::Arc;

use crate::base::NodeId;
use crate::world::{Ctx, Hosts};

use super::super::config::Config;
use super::super::ids::{BrokerEpoch, Part};
use super::super::protocol::control::{self, Member};
use super::super::refusal::Refusal;
use super::super::view::PartView;
use super::replica::{Proposal, Rules};
use super::{Broker, BrokerTimer, fetch::News, flush, marks};

/// By what rules followers are judged now.
pub(super) fn rules<'a>(config: &'a Config, eligible: &'a [(NodeId, BrokerEpoch)], part: Part, now: crate::base::Time) -> Rules<'a> {
    Rules {
        now,
        lag: config.broker.replica_lag_time_max,
        topic: config.topic_of(part),
        flushes: flush::flushes(config, part),
        watermark_needs_min_isr: config.mechanisms.watermark_needs_min_isr,
        eligible,
        mutants: config.mutants,
    }
}

impl Broker {
    /// Moves the high watermark of a partition that this broker leads, and tells those who wait for it.
    pub(super) fn advance<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        let rules = rules(ctx.config(), &self.eligible, part, ctx.now());
        let Some(replica) = self.replicas[part.index()].as_mut() else { return };
        if replica.advance(&rules) {
            self.committed(part, ctx);
            self.wake(part, News::Committed, ctx);
        }
    }

    /// A follower has fetched from where its log ends: it may have caught up.
    pub(super) fn caught_up<W: Hosts<Broker>>(&mut self, part: Part, node: NodeId, ctx: &mut Ctx<'_, W, Broker>) {
        let rules = rules(ctx.config(), &self.eligible, part, ctx.now());
        let Some(isr) = self.replicas[part.index()].as_ref().and_then(|replica| replica.expanded(node, &rules)) else { return };
        self.propose(part, isr, ctx);
    }

    /// Looks for followers that lag; every half of the time that they may.
    pub(super) fn look_for_laggards<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(ctx.config().broker.replica_lag_time_max.scaled(1, 2), BrokerTimer::Laggards);
        for at in 0..self.replicas.len() {
            let part = Part::at(at);
            let rules = rules(ctx.config(), &self.eligible, part, ctx.now());
            let Some(isr) = self.replicas[at].as_ref().and_then(|replica| replica.shrunk(ctx.me(), &rules)) else { continue };
            ctx.mark(marks::ISR_SHRINKS);
            self.propose(part, isr, ctx);
        }
    }

    /// Asks the controller for a change of the in-sync replicas. Until it is decided, whoever may be among them counts.
    fn propose<W: Hosts<Broker>>(&mut self, part: Part, isr: Vec<NodeId>, ctx: &mut Ctx<'_, W, Broker>) {
        let (me, own) = (ctx.me(), self.registration);
        let Some(leading) = self.replicas[part.index()].as_mut().and_then(|replica| replica.leading_mut()) else { return };
        leading.proposal = Some(Proposal { isr: isr.clone(), version: leading.version });
        let registration = |node: &NodeId| leading.followers.iter().find(|follower| follower.node == *node).and_then(|f| f.registration);
        let member = |node: &NodeId| Member { broker: *node, epoch: if *node == me { own } else { registration(node) } };
        let members: Arc<[Member]> = isr.iter().map(member).collect();
        let proposal = control::Proposal { part, isr: members, leader_epoch: leading.epoch, version: leading.version };
        self.with_control(ctx, |control, env, out| control.propose_isr(proposal, env, out));
    }

    /// The controller has decided a change; the view will show it later.
    pub(super) fn isr_decided<W: Hosts<Broker>>(&mut self, part: Part, decided: &PartView, ctx: &mut Ctx<'_, W, Broker>) {
        let (me, now) = (ctx.me(), ctx.now());
        let Some(replica) = self.replicas[part.index()].as_mut() else { return };
        if replica.epoch() == decided.epoch && decided.leader == Some(me) {
            replica.update(decided, me, now);
            self.advance(part, ctx);
        }
    }

    /// The controller has refused a change that was to follow a version of the partition.
    pub(super) fn isr_refused<W: Hosts<Broker>>(&mut self, part: Part, version: u32, why: Refusal, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(leading) = self.replicas[part.index()].as_mut().and_then(|replica| replica.leading_mut()) else { return };
        if leading.proposal.take_if(|proposal| proposal.version == version).is_some() {
            ctx.say(None, || format!("the controller refuses to change who is in sync: {why}"));
            self.advance(part, ctx);
        }
    }
}
