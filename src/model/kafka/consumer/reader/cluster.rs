//! What a reader knows of the cluster: who leads what, who coordinates its group.

use std::sync::Arc;

use crate::base::{NodeId, Words};
use crate::world::{Ctx, Hosts};

use super::super::super::protocol::{Body, CoordinatorOf, MetadataReply};
use super::super::super::refusal::Refusal;
use super::super::marks;
use super::wire::Ask;
use super::{Concern, Phase, Reader, ReaderTimer, Reads};

impl Reader {
    /// A broker to ask something that any can answer: with a connection that is not busy, else one that can be reached now. Which
    /// of them is left to chance.
    fn anybody<W: Hosts<R>, R: Reads>(&self, ctx: &mut Ctx<'_, W, R>) -> Option<NodeId> {
        let (now, places) = (ctx.now(), &ctx.config().places.brokers);
        let within: Vec<NodeId> = places.iter().copied().filter(|node| self.data.links.wait(*node, now).is_zero()).collect();
        let idle: Vec<NodeId> = within.iter().copied().filter(|node| self.data.links.is_open(*node) && !self.data.is_busy(*node)).collect();
        let free: Vec<NodeId> = within.iter().copied().filter(|node| !self.data.is_busy(*node)).collect();
        let choice = [idle, free, within].into_iter().find(|choice| !choice.is_empty())?;
        let at = ctx.random().below(choice.len() as u64);
        Some(choice[usize::try_from(at).expect("an index")])
    }

    /// Asks who leads what, if that is not known or has proved wrong.
    pub(super) fn refresh<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let wanted = self.stale && self.phase == Phase::On;
        if !wanted || self.resting.contains(&Concern::Metadata) || self.data.any(|ask| *ask == Ask::Metadata) {
            return;
        }
        let patience = self.own(ctx.config()).request_timeout;
        match self.anybody(ctx) {
            Some(node) => self.data.ask(node, (Body::Metadata, Ask::Metadata), patience, ctx),
            None => self.rest(Concern::Metadata, ctx),
        }
    }

    /// The answer.
    pub(super) fn informed<W: Hosts<R>, R: Reads>(&mut self, reply: MetadataReply, ctx: &mut Ctx<'_, W, R>) {
        if reply.view.brokers.is_empty() {
            return self.rest(Concern::Metadata, ctx); // the broker itself knows nothing yet
        }
        // A broker that is behind may tell what was; leaders only go on.
        if self.view.as_ref().is_none_or(|view| view.version <= reply.view.version) {
            self.view = Some(Arc::clone(&reply.view));
        }
        let (config, view) = (ctx.config(), &reply.view);
        let leaderless = |part| view.part(part).is_none_or(|known| known.leader.is_none());
        self.stale = self.own(config).topics.iter().flat_map(|topic| config.parts_of(*topic)).any(leaderless);
        if self.stale {
            self.rest(Concern::Metadata, ctx);
        }
        self.leaders_known();
        self.topics_known(config);
    }

    /// `metadata.max.age.ms` is over.
    pub(super) fn metadata_aged<W: Hosts<R>, R: Reads>(&mut self, number: u64, ctx: &mut Ctx<'_, W, R>) {
        if self.phase == Phase::Off || number < self.bond.born {
            return;
        }
        self.stale = true;
        self.forget_preferred();
        let age = self.own(ctx.config()).metadata_max_age;
        self.timer(age, ReaderTimer::MetadataAge(number), ctx);
    }

    /// Asks who coordinates the group, if that is not known.
    pub(super) fn seek_coordinator<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let known = self.coordinator.is_some() || self.view.is_none();
        if known || self.resting.contains(&Concern::Coordinator) || self.data.any(|ask| *ask == Ask::Coordinator) {
            return;
        }
        let own = self.own(ctx.config());
        let (patience, of) = (own.request_timeout, CoordinatorOf::Group(own.group));
        match self.anybody(ctx) {
            Some(node) => self.data.ask(node, (Body::FindCoordinator(of), Ask::Coordinator), patience, ctx),
            None => self.rest(Concern::Coordinator, ctx),
        }
    }

    /// The answer.
    pub(super) fn coordinator_found<W: Hosts<R>, R: Reads>(&mut self, found: Result<NodeId, Refusal>, ctx: &mut Ctx<'_, W, R>) {
        match found {
            Ok(node) => self.coordinator = Some(node),
            Err(_) => self.rest(Concern::Coordinator, ctx),
        }
    }

    /// The coordinator, if it can be asked now.
    pub(super) fn reach_coordinator<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) -> Option<NodeId> {
        let node = self.coordinator?;
        let wait = self.group.links.wait(node, ctx.now());
        if wait.is_zero() {
            return Some(node);
        }
        // While its connection cannot be opened, somebody else may have become the coordinator.
        self.coordinator = None;
        self.rest(Concern::Coordinator, ctx);
        None
    }

    /// The coordinator is gone, or is none any more. What was asked of it is not answered any more.
    pub(super) fn coordinator_lost<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let Some(node) = self.coordinator.take() else { return };
        ctx.mark(marks::COORDINATOR_MOVED);
        self.rest(Concern::Coordinator, ctx);
        let lost = self.group.forget(node, ctx);
        if !lost.is_empty() {
            self.group.links.drop(node, ctx);
            self.unanswered(super::Side::Group, node, lost, ctx);
        }
    }
}
