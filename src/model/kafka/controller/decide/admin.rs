//! What administrators want: topics, other replicas, other leaders.

use std::sync::Arc;

use crate::base::NodeId;

use super::super::super::config::Task;
use super::super::super::ids::{Part, TopicId};
use super::super::change::Fact;
use super::Decider;
use super::election::Election;

/// What becomes of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) enum Verdict {
    /// It is done by these facts; with none there was nothing to do, or it was refused for good.
    Done(Vec<Fact>),
    /// It cannot be done yet: the administrator tries again.
    NotYet,
}

impl Decider<'_> {
    /// A task of the administrator. A topic's creation does not wait for brokers that are out of contact.
    pub(in super::super) fn task(&self, task: &Task) -> Verdict {
        match task {
            Task::Reassign { part, replicas } => self.reassign(*part, replicas),
            Task::ElectPreferred => Verdict::Done(self.balance()),
            Task::ElectUnclean { part } => Verdict::Done(self.elect_unclean(*part)),
            Task::Create { topic } => self.create(*topic),
        }
    }

    /// Whether all partitions of a topic exist.
    pub(in super::super) fn exists(&self, topic: TopicId) -> bool {
        self.config.parts_of(topic).all(|part| self.view().part(part).is_some())
    }

    /// Whether all brokers that shall hold a topic are in contact.
    pub(in super::super) fn are_all_there(&self, topic: TopicId) -> bool {
        self.config.parts_of(topic).all(|part| self.config.first_replicas(part).iter().all(|node| self.is_active(*node)))
    }

    /// Creates what is missing of a topic: in sync is who is in contact, and for each partition there must be somebody.
    pub(in super::super) fn create(&self, topic: TopicId) -> Verdict {
        let mut facts = Vec::new();
        for part in self.config.parts_of(topic).filter(|part| self.view().part(*part).is_none()) {
            let replicas = self.config.first_replicas(part);
            let isr: Arc<[NodeId]> = replicas.iter().copied().filter(|node| self.is_active(*node)).collect();
            if isr.is_empty() {
                return Verdict::NotYet;
            }
            facts.push(Fact::Created { part, replicas: replicas.into(), isr });
        }
        Verdict::Done(facts)
    }

    /// The preferred replica leads where it can.
    pub(in super::super) fn balance(&self) -> Vec<Fact> {
        let acceptable = |node: NodeId| self.is_active(node);
        let unbalanced = self.parts().filter(|part| {
            let now = self.view().part(*part);
            now.is_some_and(|now| now.leader != now.replicas.first().copied())
        });
        let plans = unbalanced.filter_map(|part| self.plan(part, &acceptable));
        plans
            .filter_map(|mut plan| {
                plan.election = Election::Preferred;
                plan.decide().map(Fact::Changed)
            })
            .collect()
    }

    fn elect_unclean(&self, part: Part) -> Vec<Fact> {
        let acceptable = |node: NodeId| self.is_active(node);
        let plan = self.plan(part, &acceptable).filter(|plan| plan.now.leader.is_none());
        let change = plan.and_then(|mut plan| {
            plan.election = Election::Unclean;
            plan.decide()
        });
        change.map(Fact::Changed).into_iter().collect()
    }

    /// Other brokers shall hold a partition: those to be added come to those to be removed, until all that shall remain are in sync.
    fn reassign(&self, part: Part, target: &[NodeId]) -> Verdict {
        let acceptable = |node: NodeId| self.is_active(node);
        let Some(mut plan) = self.plan(part, &acceptable) else { return Verdict::NotYet };
        if target.iter().any(|node| self.view().broker(*node).is_none()) {
            return Verdict::NotYet;
        }
        let now = &plan.now.replicas;
        plan.adding = target.iter().copied().filter(|node| !now.contains(node) || plan.now.adding.contains(node)).collect();
        plan.removing = now.iter().copied().filter(|node| !target.contains(node)).collect();
        plan.replicas = target.iter().copied().chain(plan.removing.iter().copied()).collect();
        plan.election = Election::Online;
        Verdict::Done(plan.decide().map(Fact::Changed).into_iter().collect())
    }
}
