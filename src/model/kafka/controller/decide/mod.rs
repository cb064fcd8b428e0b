//! What a controller decides: pure functions of the cluster's state and of what somebody asks.

mod admin;
mod brokers;
mod election;
mod isr;
#[cfg(test)]
mod tests;

use crate::base::NodeId;

use super::super::config::{Config, Control};
use super::super::ids::Part;
use super::super::mutants::Mutant;
use super::super::view::View;
use super::change::Fact;
use super::metadata::Metadata;

pub(super) use admin::Verdict;
pub(super) use brokers::{Contact, Registration};
use election::{Election, Plan};

/// The state that decisions are made from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decider<'a> {
    pub(super) config: &'a Config,
    pub(super) metadata: &'a Metadata,
}

/// What happens to one broker, for the partitions that it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Turn {
    /// It leaves: no leader, not in sync.
    Leaves(NodeId),
    /// It may lead again.
    Returns(NodeId),
    /// It has lost what its operating system had not written yet: not in sync, not eligible.
    LostItsTail(NodeId),
}

impl<'a> Decider<'a> {
    fn view(&self) -> &'a View {
        self.metadata.view()
    }

    fn is_zookeeper(&self) -> bool {
        self.config.mechanisms.control == Control::ZooKeeper
    }

    /// Whether a broker may lead: registered, unfenced, not about to stop.
    fn is_active(&self, node: NodeId) -> bool {
        self.view().broker(node).is_some_and(|broker| !broker.fenced && !broker.stopping)
    }

    /// Partitions that exist, ascending.
    fn parts(&self) -> impl Iterator<Item = Part> + use<'a> {
        let view = self.view();
        (0..view.parts.len()).map(Part::at).filter(move |part| view.part(*part).is_some())
    }

    /// A plan for a partition, which so far changes nothing; `acceptable`: who may lead.
    fn plan<'p>(&self, part: Part, acceptable: &'p dyn Fn(NodeId) -> bool) -> Option<Plan<'p>>
    where
        'a: 'p,
    {
        let now = self.view().part(part)?;
        let topic = self.config.topic_of(part);
        let anybody = topic.unclean_leader_election || self.config.mutants.has(Mutant::ElectsAnybody);
        Some(Plan {
            part,
            now,
            last_leader: self.metadata.last_leader(part),
            eligible_replicas: self.config.mechanisms.eligible_leader_replicas,
            min_isr: (topic.min_insync_replicas as usize).min(now.replicas.len()),
            bump_when_shrinking: self.is_zookeeper(),
            acceptable,
            election: if anybody { Election::Unclean } else { Election::Online },
            isr: now.isr.to_vec(),
            replicas: now.replicas.to_vec(),
            adding: now.adding.to_vec(),
            removing: now.removing.to_vec(),
            lost_its_tail: None,
            recovered: false,
        })
    }

    /// New leaders and in-sync replicas for all partitions that a broker's turn concerns.
    fn updates(&self, turn: Turn) -> Vec<Fact> {
        let acceptable = |node: NodeId| match turn {
            Turn::Leaves(gone) | Turn::LostItsTail(gone) if node == gone => false,
            Turn::Returns(back) if node == back => true,
            Turn::Leaves(_) | Turn::Returns(_) | Turn::LostItsTail(_) => self.is_active(node),
        };
        let mut facts = Vec::new();
        for part in self.parts() {
            let Some(mut plan) = self.plan(part, &acceptable) else { continue };
            let concerned = match turn {
                Turn::Leaves(node) => plan.now.isr.contains(&node),
                Turn::Returns(_) => plan.now.leader.is_none(),
                Turn::LostItsTail(node) => plan.now.isr.contains(&node) || plan.now.elr.contains(&node),
            };
            if !concerned {
                continue;
            }
            match turn {
                Turn::Leaves(node) => plan.isr.retain(|member| *member != node),
                Turn::LostItsTail(node) => {
                    plan.isr.retain(|member| *member != node);
                    plan.lost_its_tail = Some(node);
                }
                Turn::Returns(_) => {}
            }
            facts.extend(plan.decide().map(Fact::Changed));
        }
        facts
    }
}
