//! What the active controller does by itself: topics that are to be there, tasks of the administrator, preferred leaders.

use crate::base::{Span, Time};
use crate::model::raft::Term;
use crate::world::{Ctx, Hosts};

use super::super::ids::TopicId;
use super::change::Fact;
use super::decide::Verdict;
use super::{Controller, ControllerTimer};

impl Controller {
    /// Every controller keeps the calendar; whoever is active when something is due does it.
    pub(super) fn set_the_calendar<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        let now = ctx.now();
        let until = |at: Span| (Time::ZERO + at).saturating_since(now);
        for (number, scheduled) in (0..).zip(&ctx.config().tasks) {
            ctx.timer(until(scheduled.at), ControllerTimer::Task(number));
        }
        for (number, topic) in (0..).zip(&ctx.config().topics) {
            match topic.created_at {
                Some(at) => {
                    ctx.timer(until(at), ControllerTimer::Topic(TopicId(number)));
                }
                None => {
                    self.due_topics.insert(TopicId(number));
                }
            }
        }
    }

    pub(super) fn begin_chores<W: Hosts<Self>>(&mut self, term: Term, ctx: &mut Ctx<'_, W, Self>) {
        let broker = &ctx.config().broker;
        ctx.timer(broker.session_timeout, ControllerTimer::Impatient(term));
        if broker.auto_leader_rebalance {
            ctx.timer(broker.leader_imbalance_check, ControllerTimer::Balance(term));
        }
        self.chores(ctx);
    }

    /// Does what is due, not done, and possible.
    pub(super) fn chores<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        for topic in self.due_topics.clone() {
            let Some(decider) = self.decider(ctx) else { return };
            let waits = ctx.config().topics[topic.index()].created_at.is_none() && !self.is_impatient() && !decider.are_all_there(topic);
            if decider.exists(topic) || waits {
                continue;
            }
            if let Verdict::Done(facts) = decider.create(topic) {
                self.record(facts, ctx);
            }
        }
        for task in self.due_tasks.clone() {
            let Some(decider) = self.decider(ctx) else { return };
            if decider.metadata.is_done(task) {
                continue;
            }
            if let Verdict::Done(mut facts) = decider.task(&ctx.config().tasks[task as usize].task) {
                facts.push(Fact::Done { task });
                self.record(facts, ctx);
            }
        }
    }

    fn is_impatient(&self) -> bool {
        self.office.as_ref().is_some_and(|office| office.impatient)
    }

    fn reigns_in(&self, term: Term) -> bool {
        self.office.as_ref().is_some_and(|office| office.term == term)
    }

    pub(super) fn on_impatient<W: Hosts<Self>>(&mut self, term: Term, ctx: &mut Ctx<'_, W, Self>) {
        if let Some(office) = self.office.as_mut().filter(|office| office.term == term) {
            office.impatient = true;
            self.chores(ctx);
        }
    }

    pub(super) fn on_balance<W: Hosts<Self>>(&mut self, term: Term, ctx: &mut Ctx<'_, W, Self>) {
        if let Some(decider) = self.decider(ctx).filter(|_| self.reigns_in(term)) {
            let facts = decider.balance();
            self.record(facts, ctx);
            ctx.timer(ctx.config().broker.leader_imbalance_check, ControllerTimer::Balance(term));
        }
    }

    pub(super) fn on_task_due<W: Hosts<Self>>(&mut self, task: u32, ctx: &mut Ctx<'_, W, Self>) {
        self.due_tasks.insert(task);
        self.chores(ctx);
    }

    pub(super) fn on_topic_due<W: Hosts<Self>>(&mut self, topic: TopicId, ctx: &mut Ctx<'_, W, Self>) {
        self.due_topics.insert(topic);
        self.chores(ctx);
    }
}
