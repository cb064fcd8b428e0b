//! Consumer groups at their coordinator: membership, generations, positions. Pure: what is to be done comes out as a list.

pub mod record;

use crate::base::{Digest, NodeId, PayloadId, Span, Time};
use crate::record::{Mark, Note};

use super::batch::{Batch, Outcome, Stored};
use super::broker::{Caller, Env};
use super::ids::{Epoch, GroupId, MemberId, Offset, Part, Session};
use super::protocol::group::Generation;
use super::protocol::{GroupReply, GroupRequest};
use super::refusal::Refusal;

pub use record::GroupRecord;

/// What the coordinator wants done.
#[derive(Clone, PartialEq, Debug)]
pub enum GroupOut {
    /// Answer a request.
    Answer(Caller, GroupReply),
    /// Append to a partition of the topic of positions and say with [`Groups::on_appended`] what became of it: when all in-sync
    /// replicas have it, when it is refused, or with `REQUEST_TIMED_OUT` after `offsets.commit.timeout.ms`. Always once.
    Append {
        /// The partition.
        home: Part,
        /// What.
        batch: Batch,
        /// The number to say it with.
        ticket: u64,
    },
    /// Set a timer. None is ever taken back.
    Timer(Span, GroupTimer),
    /// Write into the history.
    Note(Note),
    /// A rare path was taken.
    Mark(Mark),
    /// Tell the story.
    Say(Option<PayloadId>, String),
}

/// The coordinator's timers. Each has a number of what it is about: a later one makes it mean nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupTimer {
    /// A member was not heard of for its session timeout.
    Session {
        /// The group.
        group: GroupId,
        /// The member.
        member: MemberId,
        /// Its sign of life.
        beat: u64,
    },
    /// The wait for members to join is over, or, in a new group, for more of them.
    Rebalance {
        /// The group.
        group: GroupId,
        /// Which wait.
        round: u64,
    },
    /// The wait for members to ask for their assignment is over.
    Sync {
        /// The group.
        group: GroupId,
        /// Which wait.
        round: u64,
    },
    /// A process that was given a name has not come with it.
    Named {
        /// The group.
        group: GroupId,
        /// The name.
        member: MemberId,
    },
    /// A member has not given up its partitions in time (where the broker assigns).
    Revocation {
        /// The group.
        group: GroupId,
        /// The member.
        member: MemberId,
        /// At which epoch it was told to.
        epoch: Generation,
    },
    /// Time to look for positions that nobody needs any more.
    Retention {
        /// The partition of the topic of positions.
        home: Part,
        /// The epoch of its leader.
        epoch: Epoch,
    },
}

/// The groups that a broker coordinates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Groups {}

impl Groups {
    /// None yet.
    #[must_use]
    pub fn new() -> Groups {
        Groups::default()
    }

    /// This broker leads a partition of the topic of positions from now on: its whole log, in order.
    pub fn load(
        &mut self,
        _home: Part,
        _epoch: Epoch,
        _log: &mut dyn Iterator<Item = Stored>,
        _env: &mut Env<'_>,
        _out: &mut Vec<GroupOut>,
    ) {
    }

    /// It no longer does.
    pub fn unload(&mut self, _home: Part, _env: &mut Env<'_>, _out: &mut Vec<GroupOut>) {}

    /// A client asks.
    pub fn on_request(&mut self, caller: Caller, _client: NodeId, request: GroupRequest, _env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        out.push(GroupOut::Answer(caller, request.refused(Refusal::NotCoordinator)));
    }

    /// What was appended under a ticket is on all in-sync replicas (its base offset), or is refused, or has timed out.
    pub fn on_appended(&mut self, _ticket: u64, _result: Result<Offset, Refusal>, _env: &mut Env<'_>, _out: &mut Vec<GroupOut>) {}

    /// A timer fired.
    pub fn on_timer(&mut self, _timer: GroupTimer, _env: &mut Env<'_>, _out: &mut Vec<GroupOut>) {}

    /// A transaction's marker was appended to a partition of positions.
    pub fn on_marker(&mut self, _home: Part, _session: Session, _outcome: Outcome, _env: &mut Env<'_>, _out: &mut Vec<GroupOut>) {}

    /// Where a group stands in a partition, as committed.
    #[must_use]
    pub fn position(&self, _group: GroupId, _part: Part) -> Option<Offset> {
        None
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, _now: Time, _digest: &mut Digest) {}
}
