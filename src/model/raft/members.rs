//! Who votes, and how that changes: one node at a time, by entries that count as soon as they are appended.

use std::sync::Arc;

use crate::base::NodeId;

use super::ids::Offset;
use super::log::{Payload, Weighed};
use super::mutants::Mutant;
use super::output::{Moment, Role};
use super::state::Raft;

/// A change of the voters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// This node votes from now on. It should have caught up before ([`Raft::matched`]): until it has, a majority is
    /// harder to get.
    Add(NodeId),
    /// This node votes no longer. A leader that removes itself leads until that is committed, and then steps down.
    Remove(NodeId),
}

/// Why the voters were not changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unchanged {
    /// This node does not lead.
    NotLeader,
    /// The leader has not committed its first entry yet: changes of earlier leaders may still come to light.
    TooEarly,
    /// The change before is not committed yet. Two at once could have majorities that do not meet.
    UnderWay,
    /// The node votes already, or does not vote anyway, or is the last voter.
    Pointless,
}

impl<E: Weighed> Raft<E> {
    /// Changes who votes. The change counts at once; it is there to stay when its entry is committed.
    ///
    /// # Errors
    /// When the change is not allowed now.
    pub fn change_voters(&mut self, change: Change, at: Moment) -> Result<Offset, Unchanged> {
        if self.role != Role::Leader {
            return Err(Unchanged::NotLeader);
        }
        let reckless = self.has(Mutant::OverlapsChanges);
        if !self.in_charge() && !reckless {
            return Err(Unchanged::TooEarly);
        }
        if self.voters.last().is_some_and(|(end, _)| *end > self.committed) && !reckless {
            return Err(Unchanged::UnderWay);
        }
        let mut voters: Vec<NodeId> = self.voters().to_vec();
        match (change, voters.binary_search(&change.node())) {
            (Change::Add(node), Err(place)) => voters.insert(place, node),
            (Change::Remove(_), Ok(place)) if voters.len() > 1 => drop(voters.remove(place)),
            (Change::Add(_), Ok(_)) | (Change::Remove(_), Ok(_) | Err(_)) => return Err(Unchanged::Pointless),
        }
        self.turn(at);
        let first = self.log.end();
        self.append(vec![Payload::Voters(voters.into())]);
        self.settle();
        Ok(first)
    }

    /// Who votes, in order.
    #[must_use]
    pub fn voters(&self) -> &Arc<[NodeId]> {
        &self.voters.last().expect("the snapshot's voters are always there").1
    }

    /// Whether this node votes.
    #[must_use]
    pub fn is_voter(&self) -> bool {
        self.voters().contains(&self.me)
    }

    /// Whether this node may stand for election. Until its removal is committed the others may need it: it may have the longest
    /// log of all.
    pub(super) fn may_stand(&self) -> bool {
        let settled = self.voters.iter().rposition(|(end, _)| *end <= self.committed).unwrap_or(0);
        self.voters[settled..].iter().any(|(_, voters)| voters.contains(&self.me))
    }

    /// The other voters.
    pub(super) fn peers(&self) -> Vec<NodeId> {
        self.voters().iter().copied().filter(|node| *node != self.me).collect()
    }

    pub(super) fn majority(&self) -> usize {
        self.voters().len() / 2 + 1
    }
}

impl Change {
    const fn node(self) -> NodeId {
        match self {
            Change::Add(node) | Change::Remove(node) => node,
        }
    }
}
