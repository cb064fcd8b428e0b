//! What the topic of positions keeps of a group besides its positions.

use std::sync::Arc;

use crate::base::{NodeId, Span};

use super::super::config::Assignor;
use super::super::ids::{GroupId, MemberId, Part, TopicId};
use super::super::protocol::group::{Generation, Strategy};

/// A member as it is kept.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct KeptMember {
    /// Its name.
    pub id: MemberId,
    /// `group.instance.id`.
    pub instance: Option<NodeId>,
    /// The topics it subscribes to.
    pub topics: Arc<[TopicId]>,
    /// Where the broker assigns: how it would have it done.
    pub assignor: Option<Assignor>,
    /// How long it may be silent.
    pub session_timeout: Span,
    /// How long others wait for it.
    pub rebalance_timeout: Span,
    /// What it reads.
    pub assigned: Arc<[Part]>,
    /// Where the broker assigns: how far it has come.
    pub progress: Option<Progress>,
}

/// How far a member has come towards what the broker wants it to have.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Progress {
    /// Its epoch.
    pub epoch: Generation,
    /// Its epoch before.
    pub before: Generation,
    /// What it shall give up first.
    pub revoking: Arc<[Part]>,
    /// What it shall have in the end.
    pub target: Arc<[Part]>,
    /// It is static and has left for a while.
    pub away: bool,
}

/// One record. The latest about a group counts.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupRecord {
    /// The members of a group that assigns by itself, in a generation. No members: the group is empty.
    Classic {
        /// The group.
        group: GroupId,
        /// The generation.
        generation: Generation,
        /// How it assigns.
        strategy: Option<Strategy>,
        /// Who leads it.
        leader: Option<MemberId>,
        /// The members.
        members: Arc<[KeptMember]>,
    },
    /// The members of a group that the broker assigns.
    Modern {
        /// The group.
        group: GroupId,
        /// Its epoch.
        epoch: Generation,
        /// The epoch of which the members' targets are.
        target_epoch: Generation,
        /// The members.
        members: Arc<[KeptMember]>,
    },
    /// Positions that nobody has needed for too long.
    Forgotten {
        /// The group.
        group: GroupId,
        /// The partitions.
        parts: Arc<[Part]>,
    },
}

impl GroupRecord {
    /// Bytes that it takes, about.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        let items = match self {
            GroupRecord::Classic { members, .. } | GroupRecord::Modern { members, .. } => {
                members.iter().map(|member| 4 + member.assigned.len()).sum::<usize>()
            }
            GroupRecord::Forgotten { parts, .. } => parts.len(),
        };
        u32::try_from(items).unwrap_or(u32::MAX / 32).saturating_mul(16) + 40
    }
}
