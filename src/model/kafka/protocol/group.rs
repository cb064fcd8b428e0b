//! Requests to the coordinator of a consumer group: membership, positions.

use std::sync::Arc;

use crate::base::{NodeId, Span};

use super::super::batch::Position;
use super::super::config::Assignor;
use super::super::ids::{Epoch, GroupId, MemberId, Offset, Part, Session, TopicId, TxnId};
use super::super::refusal::Refusal;

/// Counts the assignments of a group, from 1; 0: none yet. In groups that the broker assigns: the epoch of a member.
pub type Generation = u32;

/// How members agree on who reads what.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Strategy {
    /// Who gets what.
    pub assignor: Assignor,
    /// Members keep what they have until they are told to give it up.
    pub cooperative: bool,
}

/// As which member somebody speaks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Membership {
    /// The member.
    pub member: MemberId,
    /// The generation of which it is a member (its epoch, where the broker assigns).
    pub generation: Generation,
    /// `group.instance.id` of a static member: the node's.
    pub instance: Option<NodeId>,
}

/// What a member says of itself to whoever assigns.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Subscription {
    /// The topics it subscribes to.
    pub topics: Arc<[TopicId]>,
    /// What it has at present.
    pub owned: Arc<[Part]>,
    /// Of which generation that is; 0: of none.
    pub generation: Generation,
}

/// A process wants to be a member (classic protocol).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Join {
    /// The group.
    pub group: GroupId,
    /// The name that it was given, if it was.
    pub member: Option<MemberId>,
    /// `group.instance.id`.
    pub instance: Option<NodeId>,
    /// `session.timeout.ms`.
    pub session_timeout: Span,
    /// `max.poll.interval.ms`: how long others wait for it in a rebalance.
    pub rebalance_timeout: Span,
    /// How it would agree.
    pub strategy: Strategy,
    /// What it wants and has.
    pub subscription: Subscription,
}

/// A member as the leader of the group is told of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Fellow {
    /// The member.
    pub member: MemberId,
    /// `group.instance.id`.
    pub instance: Option<NodeId>,
    /// What it wants and has.
    pub subscription: Subscription,
}

/// The answer to a [`Join`]: a generation has begun.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Joined {
    /// Which.
    pub generation: Generation,
    /// The member's name.
    pub member: MemberId,
    /// The leader, who assigns.
    pub leader: MemberId,
    /// The leader need not assign: all stays as it is.
    pub skip_assignment: bool,
    /// All members, if this is the leader.
    pub members: Vec<Fellow>,
}

/// The sign of life of a member of a group that the broker assigns (`ConsumerGroupHeartbeat`, KIP-848).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Beat {
    /// The group.
    pub group: GroupId,
    /// The name that the member gave itself.
    pub member: MemberId,
    /// `group.instance.id`.
    pub instance: Option<NodeId>,
    /// Its epoch, or what it wants.
    pub epoch: BeatEpoch,
    /// How long others wait for it to give partitions up. Only told when it changes, as are topics and assignor.
    pub rebalance_timeout: Option<Span>,
    /// The topics it subscribes to.
    pub topics: Option<Arc<[TopicId]>>,
    /// `group.remote.assignor`.
    pub assignor: Option<Assignor>,
    /// What it has at present, when that has changed.
    pub owned: Option<Arc<[Part]>>,
}

/// What the epoch of a [`Beat`] says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BeatEpoch {
    /// 0: it joins, or joins again.
    Join,
    /// It is a member at this epoch.
    At(Generation),
    /// -1: it leaves.
    Leave,
    /// -2: it is static and leaves for a while.
    LeaveForAWhile,
}

/// The answer to a [`Beat`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Beaten {
    /// The member's epoch.
    pub epoch: Generation,
    /// The broker's `group.consumer.heartbeat.interval.ms`.
    pub interval: Span,
    /// What the member shall have, when that is news.
    pub assigned: Option<Arc<[Part]>>,
}

/// A committed position.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Found {
    /// The partition.
    pub part: Part,
    /// The next to be read, and the epoch of the record before it. `None`: nothing is committed.
    pub position: Option<(Offset, Option<Epoch>)>,
}

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupRequest {
    /// `JoinGroup`.
    Join(Join),
    /// `SyncGroup`.
    Sync {
        /// The group.
        group: GroupId,
        /// Who asks.
        from: Membership,
        /// Who gets what, if this is the leader.
        assignment: Vec<(MemberId, Arc<[Part]>)>,
    },
    /// `Heartbeat`.
    Heartbeat {
        /// The group.
        group: GroupId,
        /// Who lives.
        from: Membership,
    },
    /// `LeaveGroup`.
    Leave {
        /// The group.
        group: GroupId,
        /// Who leaves.
        member: MemberId,
    },
    /// `ConsumerGroupHeartbeat`.
    Beat(Beat),
    /// `OffsetCommit`.
    Commit {
        /// The group.
        group: GroupId,
        /// Who commits. `None`: somebody who is not a member.
        from: Option<Membership>,
        /// The positions.
        positions: Arc<[Position]>,
    },
    /// `TxnOffsetCommit`: the positions count when the transaction does.
    TxnCommit {
        /// The group.
        group: GroupId,
        /// Who commits. `None`: it does not say (before KIP-447).
        from: Option<Membership>,
        /// The transactional id.
        txn: TxnId,
        /// Its producer.
        session: Session,
        /// The positions.
        positions: Arc<[Position]>,
    },
    /// `OffsetFetch`.
    Positions {
        /// The group.
        group: GroupId,
        /// Who asks; the broker checks it where it assigns.
        from: Option<Membership>,
        /// Of which partitions.
        parts: Arc<[Part]>,
        /// Wait until no transaction is open that holds positions of these partitions (KIP-447).
        stable: bool,
    },
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupReply {
    /// To [`GroupRequest::Join`]. With `MEMBER_ID_REQUIRED` comes the name.
    Join(Result<Joined, (Refusal, Option<MemberId>)>),
    /// To [`GroupRequest::Sync`]: what the member shall read.
    Sync(Result<Arc<[Part]>, Refusal>),
    /// To [`GroupRequest::Heartbeat`].
    Heartbeat(Result<(), Refusal>),
    /// To [`GroupRequest::Leave`].
    Leave(Result<(), Refusal>),
    /// To [`GroupRequest::Beat`].
    Beat(Result<Beaten, Refusal>),
    /// To [`GroupRequest::Commit`].
    Commit(Result<(), Refusal>),
    /// To [`GroupRequest::TxnCommit`].
    TxnCommit(Result<(), Refusal>),
    /// To [`GroupRequest::Positions`].
    Positions(Result<Vec<Found>, Refusal>),
}

impl GroupRequest {
    /// The group that it is about.
    #[must_use]
    pub const fn group(&self) -> GroupId {
        match self {
            GroupRequest::Join(join) => join.group,
            GroupRequest::Beat(beat) => beat.group,
            GroupRequest::Sync { group, .. }
            | GroupRequest::Heartbeat { group, .. }
            | GroupRequest::Leave { group, .. }
            | GroupRequest::Commit { group, .. }
            | GroupRequest::TxnCommit { group, .. }
            | GroupRequest::Positions { group, .. } => *group,
        }
    }

    /// The answer that refuses it.
    #[must_use]
    pub const fn refused(&self, why: Refusal) -> GroupReply {
        match self {
            GroupRequest::Join(_) => GroupReply::Join(Err((why, None))),
            GroupRequest::Sync { .. } => GroupReply::Sync(Err(why)),
            GroupRequest::Heartbeat { .. } => GroupReply::Heartbeat(Err(why)),
            GroupRequest::Leave { .. } => GroupReply::Leave(Err(why)),
            GroupRequest::Beat(_) => GroupReply::Beat(Err(why)),
            GroupRequest::Commit { .. } => GroupReply::Commit(Err(why)),
            GroupRequest::TxnCommit { .. } => GroupReply::TxnCommit(Err(why)),
            GroupRequest::Positions { .. } => GroupReply::Positions(Err(why)),
        }
    }
}
