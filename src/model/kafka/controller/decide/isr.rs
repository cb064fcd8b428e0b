//! Leaders propose who is in sync.

use crate::base::NodeId;

use super::super::super::ids::Part;
use super::super::super::protocol::control::{AlterIsr, Proposal};
use super::super::super::refusal::Refusal;
use super::super::super::view::PartView;
use super::super::change::PartChange;
use super::Decider;

/// What a proposal comes to.
type Answered = (Part, Result<Option<PartChange>, Refusal>);

impl Decider<'_> {
    /// What each proposal of a broker comes to: a change, nothing new, or a refusal.
    pub(in super::super) fn alter_isr(&self, asked: &AlterIsr) -> Result<Vec<Answered>, Refusal> {
        if !self.is_zookeeper() {
            self.registration(asked.broker, asked.epoch)?;
        }
        Ok(asked.proposals.iter().map(|proposal| (proposal.part, self.alter_one(asked.broker, proposal))).collect())
    }

    fn alter_one(&self, broker: NodeId, proposal: &Proposal) -> Result<Option<PartChange>, Refusal> {
        let now = self.view().part(proposal.part).ok_or(Refusal::UnknownTopicOrPartition)?;
        if self.is_zookeeper() {
            Self::check_version(now, proposal)?;
        } else {
            self.check(broker, now, proposal)?;
        }
        let acceptable = |node: NodeId| self.is_active(node);
        let mut plan = self.plan(proposal.part, &acceptable).ok_or(Refusal::UnknownTopicOrPartition)?;
        plan.isr = proposal.isr.iter().map(|member| member.broker).collect();
        plan.recovered = true;
        plan.bump_when_shrinking = false;
        Ok(plan.decide())
    }

    /// The rules of the controller, in Kafka's order [S:kafka ReplicationControlManager].
    fn check(&self, broker: NodeId, now: &PartView, proposal: &Proposal) -> Result<(), Refusal> {
        if proposal.leader_epoch > now.epoch || proposal.version > now.version {
            return Err(Refusal::NotController);
        }
        if proposal.leader_epoch < now.epoch {
            return Err(Refusal::FencedLeaderEpoch);
        }
        if now.leader != Some(broker) {
            return Err(Refusal::InvalidRequest);
        }
        if proposal.version < now.version {
            return Err(Refusal::InvalidUpdateVersion);
        }
        let members: Vec<NodeId> = proposal.isr.iter().map(|member| member.broker).collect();
        let twice = members.iter().enumerate().any(|(at, member)| members[..at].contains(member));
        let strange = members.iter().any(|member| !now.replicas.contains(member));
        if members.is_empty() || twice || strange || !members.contains(&broker) {
            return Err(Refusal::InvalidRequest);
        }
        let eligible = proposal.isr.iter().all(|member| {
            let known = self.view().broker(member.broker);
            known.is_some_and(|known| !known.fenced && !known.stopping && member.epoch.is_none_or(|epoch| epoch == known.epoch))
        });
        if eligible { Ok(()) } else { Err(Refusal::IneligibleReplica) }
    }

    /// A leader writes into ZooKeeper itself: it looks at nothing but the version.
    fn check_version(now: &PartView, proposal: &Proposal) -> Result<(), Refusal> {
        let sensible = !proposal.isr.is_empty() && proposal.isr.iter().all(|member| now.replicas.contains(&member.broker));
        match (proposal.version == now.version, sensible) {
            (true, true) => Ok(()),
            (true, false) => Err(Refusal::InvalidRequest),
            (false, _) => Err(Refusal::InvalidUpdateVersion),
        }
    }
}
