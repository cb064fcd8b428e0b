//! The classic protocol from the member's side: join, assign if it leads, sync, heartbeats.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::Span;
use crate::world::{Ctx, Hosts};

use super::super::super::config::{ConsumerConfig, GroupProtocol};
use super::super::super::group::assign::{self, Known, Wish};
use super::super::super::ids::{MemberId, Part, TopicId};
use super::super::super::protocol::group::{GroupRequest, Join, Joined, Strategy, Subscription};
use super::super::super::refusal::Refusal;
use super::bond::{Led, Meaning, Prepared, Stage};
use super::wire::Ask;
use super::{Concern, How, Reader, Reads};

/// A join waits for others; the client waits for it a little longer than that.
const JOIN_LAPSE: Span = Span::secs(5);

const fn strategy(own: &ConsumerConfig) -> Strategy {
    Strategy { assignor: own.assignor, cooperative: matches!(own.protocol, GroupProtocol::Cooperative) }
}

impl Reader {
    /// What the member does next. Nothing but heartbeats goes on while the application is not in `poll()`.
    pub(super) fn bind_classic<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if !self.waiting {
            return;
        }
        if let Stage::Synced(assigned) = &self.bond.stage {
            let assigned = Arc::clone(assigned);
            self.take_up(&assigned, ctx);
        }
        let wants = match self.bond.stage {
            Stage::Out => true,
            Stage::In => self.bond.rejoin,
            Stage::Joining | Stage::Syncing | Stage::Synced(_) => false,
        };
        if !wants || self.view.is_none() || self.coordinator.is_none() || self.resting.contains(&Concern::Membership) {
            return;
        }
        if self.prepare(ctx) {
            self.send_join(ctx);
        }
    }

    /// Before a rebalance: commits, gives up what is to be given up. Whether that is done.
    fn prepare<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) -> bool {
        match self.bond.prepared {
            Prepared::Commits(_) => return false,
            Prepared::No if self.bond.generation > 0 && self.commits_itself(ctx.config()) => {
                let positions = self.positions(ctx.config());
                if !positions.is_empty() {
                    let number = self.put_commit(None, How::Sync, positions, ctx);
                    self.bond.prepared = Prepared::Commits(number);
                    return false;
                }
            }
            Prepared::No => {}
            Prepared::Yes if self.bond.stage == Stage::Out && self.bond.generation == 0 && self.slots.is_empty() => return true,
            Prepared::Yes => {}
        }
        self.bond.prepared = Prepared::Yes;
        if self.bond.generation == 0 {
            self.give_up_all(true, ctx);
        } else if self.own(ctx.config()).protocol == GroupProtocol::Eager {
            self.give_up_all(false, ctx);
        }
        self.bond.lost = false;
        true
    }

    fn send_join<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let Some(node) = self.reach_coordinator(ctx) else { return };
        let own = self.own(ctx.config());
        let owned = self.owned().into();
        let subscription = Subscription { topics: own.topics.clone().into(), owned, generation: self.bond.generation };
        let join = Join {
            group: own.group,
            member: self.bond.id,
            instance: own.is_static.then(|| ctx.me()),
            session_timeout: own.session_timeout,
            rebalance_timeout: own.max_poll_interval,
            strategy: strategy(own),
            subscription,
        };
        let patience = own.request_timeout.max(own.max_poll_interval + JOIN_LAPSE);
        self.bond.stage = Stage::Joining;
        self.bond.beats = 0;
        self.ask_group(node, (GroupRequest::Join(join), Ask::Join), patience, ctx);
    }

    /// The answer to a join.
    pub(super) fn joined<W: Hosts<R>, R: Reads>(&mut self, result: Result<Joined, (Refusal, Option<MemberId>)>, ctx: &mut Ctx<'_, W, R>) {
        if self.bond.stage != Stage::Joining {
            return;
        }
        match result {
            Ok(joined) => self.in_generation(joined, ctx),
            Err((Refusal::MemberIdRequired, name)) => {
                self.bond.id = name;
                self.bond.stage = Stage::Out;
            }
            Err((why, _)) => self.join_refused(why, ctx),
        }
    }

    /// A join or sync was refused.
    fn join_refused<W: Hosts<R>, R: Reads>(&mut self, why: Refusal, ctx: &mut Ctx<'_, W, R>) {
        match Meaning::of(why) {
            Meaning::Expelled(nameless) => self.expelled(nameless, ctx),
            Meaning::Moved => {
                self.not_joined(ctx);
                self.coordinator_lost(ctx);
            }
            Meaning::Never => return self.stop(why, ctx),
            Meaning::Rebalances | Meaning::Later => self.not_joined(ctx),
        }
        self.rest(Concern::Membership, ctx);
    }

    /// A join or sync came to nothing: again.
    pub(super) fn not_joined<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if matches!(self.bond.stage, Stage::Joining | Stage::Syncing) {
            self.bond.stage = Stage::Out;
            self.bond.rejoin = true;
            self.rest(Concern::Membership, ctx);
        }
    }

    /// A generation has begun: the leader assigns, and everybody asks for what it was given.
    fn in_generation<W: Hosts<R>, R: Reads>(&mut self, joined: Joined, ctx: &mut Ctx<'_, W, R>) {
        let own = self.own(ctx.config());
        self.bond.id = Some(joined.member);
        self.bond.generation = joined.generation;
        self.bond.stage = Stage::Syncing;
        self.bond.leads = None;
        let mut assignment = Vec::new();
        if joined.leader == joined.member {
            let topics: BTreeSet<TopicId> = joined.members.iter().flat_map(|member| member.subscription.topics.iter().copied()).collect();
            let there = self.there_are(topics.iter().copied(), ctx.config());
            self.bond.leads = Some((topics, there.clone()));
            if !joined.skip_assignment {
                let known: Vec<Known> = there.into_iter().map(|part| (ctx.config().partitions[part.index()].topic, part)).collect();
                let wishes: Vec<Wish> = joined.members.iter().map(Wish::from).collect();
                let given = assign::by_leader(strategy(own), &wishes, &known);
                assignment = given.into_iter().map(|(member, parts)| (member, parts.into())).collect();
            }
        }
        self.begin_beats(own.heartbeat_interval, ctx);
        let (Some(node), Some(from)) = (self.coordinator, self.membership(ctx)) else { return self.not_joined(ctx) };
        let request = GroupRequest::Sync { group: own.group, from, assignment };
        self.ask_group(node, (request, Ask::Sync), own.request_timeout.max(own.max_poll_interval + JOIN_LAPSE), ctx);
    }

    /// The answer to a sync.
    pub(super) fn synced<W: Hosts<R>, R: Reads>(&mut self, result: Result<Arc<[Part]>, Refusal>, ctx: &mut Ctx<'_, W, R>) {
        if self.bond.stage != Stage::Syncing {
            return;
        }
        match result {
            Ok(assigned) => {
                self.bond.stage = Stage::Synced(assigned);
                self.bond.rejoin = false;
            }
            Err(why) => self.join_refused(why, ctx),
        }
    }

    /// In `poll()`: takes its assignment up. In a cooperative group what is taken from it is given up now, and it joins again at once, so
    /// that another can have it.
    fn take_up<W: Hosts<R>, R: Reads>(&mut self, assigned: &[Part], ctx: &mut Ctx<'_, W, R>) {
        self.bond.stage = Stage::In;
        self.bond.prepared = Prepared::No;
        let revoked: Vec<Part> = self.owned().into_iter().filter(|part| !assigned.contains(part)).collect();
        if !revoked.is_empty() {
            self.bond.rejoin = true;
            self.give_up(revoked, false, ctx);
        }
        self.take_over(assigned, ctx);
        self.restart_auto(ctx);
    }

    /// A sign of life, unless the last one is still on its way.
    pub(super) fn beat_classic<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let joined = matches!(self.bond.stage, Stage::Syncing | Stage::Synced(_) | Stage::In);
        if !joined || self.bond.beating {
            return;
        }
        let (Some(node), Some(from)) = (self.reach_coordinator(ctx), self.membership(ctx)) else { return };
        let own = self.own(ctx.config());
        self.bond.beating = true;
        let patience = own.request_timeout.min(own.session_timeout);
        self.ask_group(node, (GroupRequest::Heartbeat { group: own.group, from }, Ask::Heartbeat), patience, ctx);
    }

    /// The answer to it.
    pub(super) fn beaten<W: Hosts<R>, R: Reads>(&mut self, result: Result<(), Refusal>, ctx: &mut Ctx<'_, W, R>) {
        self.bond.beating = false;
        let joined = matches!(self.bond.stage, Stage::Syncing | Stage::Synced(_) | Stage::In);
        let Err(why) = result else { return };
        if !joined {
            return; // it was of an earlier generation
        }
        match Meaning::of(why) {
            Meaning::Rebalances => self.bond.rejoin = true,
            Meaning::Moved => self.coordinator_lost(ctx),
            Meaning::Expelled(nameless) => self.expelled(nameless, ctx),
            Meaning::Never => self.stop(why, ctx),
            Meaning::Later => {}
        }
    }

    /// The leader sees that there are other partitions than when it assigned.
    pub(super) fn topics_known(&mut self, config: &super::Config) {
        let changed = |(topics, known): &Led| *known != self.there_are(topics.iter().copied(), config);
        if self.bond.leads.as_ref().is_some_and(changed) {
            self.bond.rejoin = true;
        }
    }
}
