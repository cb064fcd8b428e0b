//! What becomes of a partition when its replicas change: who leads, who is in sync, who stays eligible.
//!
//! The steps and their order are those of Kafka's controller [S:kafka PartitionChangeBuilder]; with ZooKeeper the outcome is the same where
//! it had the means.

use std::sync::Arc;

use crate::base::NodeId;

use super::super::super::ids::Part;
use super::super::super::view::PartView;
use super::super::change::PartChange;

/// Which replicas may be elected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Election {
    /// The preferred one if it can lead; else as before, or any in sync.
    Preferred,
    /// The present leader if it still can; else the first replica that is in sync, or, if nobody is, eligible.
    Online,
    /// The same; and in the end any live replica.
    Unclean,
}

/// What shall become of a partition. Fields from `isr` on are wishes; the rest is how things are.
pub(super) struct Plan<'a> {
    pub(super) part: Part,
    pub(super) now: &'a PartView,
    pub(super) last_leader: Option<NodeId>,
    /// Whether eligible leader replicas are kept (KIP-966).
    pub(super) eligible_replicas: bool,
    /// `min.insync.replicas`, at most the number of replicas.
    pub(super) min_isr: usize,
    /// Whether fewer in-sync replicas mean a new leader epoch.
    pub(super) bump_when_shrinking: bool,
    pub(super) acceptable: &'a dyn Fn(NodeId) -> bool,
    pub(super) election: Election,
    pub(super) isr: Vec<NodeId>,
    pub(super) replicas: Vec<NodeId>,
    pub(super) adding: Vec<NodeId>,
    pub(super) removing: Vec<NodeId>,
    /// A replica that came back without what it had not synced: it is not eligible.
    pub(super) lost_its_tail: Option<NodeId>,
    /// A leader that was elected uncleanly has begun to lead.
    pub(super) recovered: bool,
}

/// Who was elected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Elected {
    leader: Option<NodeId>,
    unclean: bool,
}

impl Elected {
    const fn cleanly(leader: NodeId) -> Elected {
        Elected { leader: Some(leader), unclean: false }
    }
}

impl Plan<'_> {
    /// The change that carries it out. `None`: everything stays as it is.
    pub(super) fn decide(mut self) -> Option<PartChange> {
        self.complete_reassignment();
        let mut elr = self.eligible();
        let elected = self.elect(&elr);
        let mut change = PartChange::none(self.part);
        if elected.leader != self.now.leader {
            change.leader = Some(elected.leader);
            if let Some(leader) = elected.leader.filter(|leader| elr.contains(leader)) {
                self.isr = vec![leader];
                elr.retain(|member| *member != leader);
            }
        }
        if let Some(leader) = elected.leader.filter(|_| elected.unclean) {
            change.isr = Some(Arc::from([leader]));
            change.unclean = (!self.now.unclean).then_some(true);
            elr.clear();
        }
        let loses_a_replica = self.now.replicas.iter().any(|replica| !self.replicas.contains(replica));
        if change.leader.is_none() && loses_a_replica {
            change.leader = Some(self.now.leader);
        }
        change.elr = news(&elr, &self.now.elr);
        if change.isr.is_none() && (!self.isr.is_empty() || self.eligible_replicas) {
            change.isr = news(&self.isr, &self.now.isr);
        }
        let shrinks = change.isr.as_ref().is_some_and(|isr| self.now.isr.iter().any(|member| !isr.contains(member)));
        if change.leader.is_none() && shrinks && self.bump_when_shrinking {
            change.leader = Some(self.now.leader);
        }
        change.last_leader = self.last_leader_after(&change);
        change.replicas = news(&self.replicas, &self.now.replicas);
        change.adding = news(&self.adding, &self.now.adding);
        change.removing = news(&self.removing, &self.now.removing);
        if self.recovered && self.now.unclean {
            change.unclean = Some(false);
        }
        (change != PartChange::none(self.part)).then_some(change)
    }

    /// A reassignment is complete when all replicas that shall remain are in sync.
    fn complete_reassignment(&mut self) {
        if self.adding.is_empty() && self.removing.is_empty() {
            return;
        }
        let remaining = |nodes: &[NodeId]| -> Vec<NodeId> { nodes.iter().copied().filter(|node| !self.removing.contains(node)).collect() };
        let (isr, replicas) = (remaining(&self.isr), remaining(&self.replicas));
        let complete = !isr.is_empty() && !replicas.is_empty() && replicas.iter().all(|replica| isr.contains(replica));
        if complete {
            (self.isr, self.replicas) = (isr, replicas);
            self.adding.clear();
            self.removing.clear();
        }
    }

    /// Who may be elected if nobody in sync is left: those that were in sync when the number of them fell below the minimum. Nothing was
    /// committed without them since.
    fn eligible(&self) -> Vec<NodeId> {
        if !self.eligible_replicas || self.isr.len() >= self.min_isr {
            return Vec::new();
        }
        let was = |node: &NodeId| self.now.elr.contains(node) || self.now.isr.contains(node);
        let stays = |node: &NodeId| !self.isr.contains(node) && self.lost_its_tail != Some(*node);
        self.replicas.iter().copied().filter(|node| was(node) && stays(node)).collect()
    }

    fn elect(&self, elr: &[NodeId]) -> Elected {
        let valid = |node: &NodeId| {
            let safe = self.isr.contains(node) || (self.isr.is_empty() && elr.contains(node));
            safe && (self.acceptable)(*node)
        };
        let preferred = self.replicas.first().copied().filter(|_| self.election == Election::Preferred);
        let candidates = preferred.into_iter().chain(self.now.leader).chain(self.replicas.iter().copied());
        if let Some(leader) = candidates.into_iter().find(valid) {
            return Elected::cleanly(leader);
        }
        if let Some(leader) = self.last_leader.filter(|leader| self.may_return(*leader, elr)) {
            return Elected { leader: Some(leader), unclean: true };
        }
        match self.election {
            Election::Preferred | Election::Online => Elected { leader: None, unclean: false },
            Election::Unclean => {
                let leader = self.replicas.iter().copied().find(|node| (self.acceptable)(*node));
                Elected { leader, unclean: leader.is_some() }
            }
        }
    }

    /// When nobody in sync or eligible is left, the last leader is the best there is.
    fn may_return(&self, last_leader: NodeId, elr: &[NodeId]) -> bool {
        self.eligible_replicas && elr.is_empty() && self.isr.is_empty() && (self.acceptable)(last_leader)
    }

    /// Remembers who led when the last of those in sync is lost, until somebody leads again.
    fn last_leader_after(&self, change: &PartChange) -> Option<Option<NodeId>> {
        if !self.eligible_replicas {
            return None;
        }
        let all_lost = change.isr.as_ref().is_some_and(|isr| isr.is_empty());
        let led = change.leader.unwrap_or(self.now.leader).is_some();
        match self.now.leader {
            Some(leader) if all_lost => (self.last_leader != Some(leader)).then_some(Some(leader)),
            Some(_) | None => (led && self.last_leader.is_some()).then_some(None),
        }
    }
}

fn news(new: &[NodeId], old: &[NodeId]) -> Option<Arc<[NodeId]>> {
    (new != old).then(|| Arc::from(new))
}
