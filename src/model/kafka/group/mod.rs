//! Consumer groups at their coordinator: membership, generations, positions. Pure: what is to be done comes out as a list.

pub mod assign;
mod classic;
mod desk;
pub mod marks;
mod modern;
mod positions;
pub mod record;
#[cfg(test)]
pub(in crate::model::kafka) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, NodeId, PayloadId, Span, Time};
use crate::record::{Mark, Note};

use super::batch::{Batch, Content, Outcome, Stored};
use super::broker::{Caller, Env};
use super::config::Config;
use super::ids::{Epoch, GroupId, MemberId, Offset, Part, Session};
use super::mutants::Mutant;
use super::protocol::group::{Beat, BeatEpoch, Generation, Membership};
use super::protocol::{GroupReply, GroupRequest};
use super::refusal::Refusal;

use classic::Classic;
use desk::{Desk, Waiting};
use modern::Modern;
use positions::Positions;
pub use record::GroupRecord;

/// `offsets.retention.check.interval.ms`.
const RETENTION_CHECK: Span = Span::secs(600);

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

/// One group.
#[derive(Clone, PartialEq, Debug)]
struct Group {
    members: Members,
    positions: Positions,
}

/// Its members, by who assigns.
#[derive(Clone, PartialEq, Debug)]
enum Members {
    Classic(Classic),
    Modern(Modern),
}

/// The groups that a broker coordinates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Groups {
    /// The partitions of positions that it leads.
    homes: BTreeMap<Part, Epoch>,
    groups: BTreeMap<GroupId, Group>,
    /// Which appends are under way.
    tickets: BTreeMap<u64, (GroupId, Waiting)>,
    serial: u64,
}

impl Groups {
    /// None yet.
    #[must_use]
    pub fn new() -> Groups {
        Groups::default()
    }

    /// The group, made if it is not there, and the desk to work at.
    fn at<'a, 'e>(&'a mut self, group: GroupId, env: &'a mut Env<'e>, out: &'a mut Vec<GroupOut>) -> (&'a mut Group, Desk<'a, 'e>) {
        let now = env.now;
        let fresh = || Group { members: Members::Classic(Classic::new(group, now)), positions: Positions::default() };
        let found = self.groups.entry(group).or_insert_with(fresh);
        (found, Desk { env, out, serial: &mut self.serial, tickets: &mut self.tickets })
    }

    /// This broker leads a partition of the topic of positions from now on: its whole log, in order.
    pub fn load(&mut self, home: Part, epoch: Epoch, log: &mut dyn Iterator<Item = Stored>, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        self.unload(home, env, out);
        self.homes.insert(home, epoch);
        for entry in log {
            self.replay(home, &entry, env);
        }
        let mine: Vec<GroupId> = self.of_home(home, env.config);
        for group in mine {
            let (found, mut desk) = self.at(group, env, out);
            let reloaded = match &mut found.members {
                Members::Classic(classic) => {
                    classic.wake(&mut desk);
                    !classic.is_empty()
                }
                Members::Modern(modern) => {
                    modern.wake(&mut desk);
                    !modern.is_empty()
                }
            };
            if reloaded {
                desk.mark(marks::GROUP_RELOADED);
            }
        }
        out.push(GroupOut::Timer(RETENTION_CHECK, GroupTimer::Retention { home, epoch }));
    }

    /// The groups of a home.
    fn of_home(&self, home: Part, config: &Config) -> Vec<GroupId> {
        self.groups.keys().copied().filter(|group| config.groups[group.index()].home == home).collect()
    }

    /// Takes up one batch of a log.
    fn replay(&mut self, home: Part, entry: &Stored, env: &mut Env<'_>) {
        let (at, mut nothing) = (entry.at, Vec::new());
        match &entry.batch.content {
            Content::Positions(positions) => {
                if env.config.mutants.has(Mutant::PositionsNotReloaded) {
                    return;
                }
                let outside = !entry.batch.transactional || env.config.mutants.has(Mutant::PositionsOutsideTransaction);
                let session = if outside { None } else { entry.batch.stamp.map(|stamp| stamp.session) };
                for (logged, position) in (entry.base..).zip(positions.iter()) {
                    self.at(position.group, env, &mut nothing).0.positions.replay(*position, session, (logged, at));
                }
            }
            Content::Marker { outcome, .. } => {
                let Some(session) = entry.batch.stamp.map(|stamp| stamp.session) else { return };
                for group in self.of_home(home, env.config) {
                    self.at(group, env, &mut nothing).0.positions.decide(session, *outcome);
                }
            }
            Content::Group(record) => match &**record {
                GroupRecord::Classic { group, generation, strategy, leader, members } => {
                    let classic = Classic::restored(*group, (*generation, *strategy, *leader), members, at);
                    self.at(*group, env, &mut nothing).0.members = Members::Classic(classic);
                }
                GroupRecord::Modern { group, epoch, target_epoch, members } => {
                    let modern = Modern::restored(*group, (*epoch, *target_epoch), members, at);
                    self.at(*group, env, &mut nothing).0.members = Members::Modern(modern);
                }
                GroupRecord::Forgotten { group, parts } => self.at(*group, env, &mut nothing).0.positions.forget(parts),
            },
            Content::Records(_) | Content::Transaction(_) => {}
        }
    }

    /// It no longer does.
    pub fn unload(&mut self, home: Part, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        if self.homes.remove(&home).is_none() {
            return;
        }
        for group in self.of_home(home, env.config) {
            let Some(mut gone) = self.groups.remove(&group) else { continue };
            if let Members::Classic(classic) = &mut gone.members {
                out.extend(classic.callers().into_iter().map(|(caller, reply)| GroupOut::Answer(caller, reply)));
            }
        }
        let config = env.config;
        let lost: Vec<u64> =
            self.tickets.iter().filter(|(_, (group, _))| config.groups[group.index()].home == home).map(|(ticket, _)| *ticket).collect();
        for ticket in lost {
            let Some((_, waiting)) = self.tickets.remove(&ticket) else { continue };
            let why = Refusal::NotCoordinator;
            match waiting {
                Waiting::Commit { caller, .. } => out.push(GroupOut::Answer(caller, GroupReply::Commit(Err(why)))),
                Waiting::TxnCommit { caller, .. } => out.push(GroupOut::Answer(caller, GroupReply::TxnCommit(Err(why)))),
                Waiting::Beat { caller, .. } => out.push(GroupOut::Answer(caller, GroupReply::Beat(Err(why)))),
                // Those wait in the group as well and have been answered.
                Waiting::Replaced { .. } | Waiting::Assignment { .. } | Waiting::Forget { .. } | Waiting::Nobody => {}
            }
        }
    }

    /// A client asks.
    pub fn on_request(&mut self, caller: Caller, _: NodeId, request: GroupRequest, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        let group = request.group();
        if !self.homes.contains_key(&env.config.groups[group.index()].home) {
            out.push(GroupOut::Answer(caller, request.refused(Refusal::NotCoordinator)));
            return;
        }
        let (found, mut desk) = self.at(group, env, out);
        found.handle(group, caller, request, &mut desk);
    }

    /// What was appended under a ticket is on all in-sync replicas (its base offset), or is refused, or has timed out.
    pub fn on_appended(&mut self, ticket: u64, result: Result<Offset, Refusal>, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        let Some((group, waiting)) = self.tickets.remove(&ticket) else { return };
        let (found, mut desk) = self.at(group, env, out);
        if result.is_err() {
            desk.mark(marks::GROUP_APPEND_FAILED);
        }
        found.appended(group, (ticket, waiting), result, &mut desk);
    }

    /// A timer fired.
    pub fn on_timer(&mut self, timer: GroupTimer, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        let group = match timer {
            GroupTimer::Retention { home, epoch } => return self.retain(home, epoch, env, out),
            GroupTimer::Session { group, .. }
            | GroupTimer::Rebalance { group, .. }
            | GroupTimer::Sync { group, .. }
            | GroupTimer::Named { group, .. }
            | GroupTimer::Revocation { group, .. } => group,
        };
        if !self.groups.contains_key(&group) {
            return;
        }
        let (found, mut desk) = self.at(group, env, out);
        match (&mut found.members, timer) {
            (Members::Classic(classic), GroupTimer::Session { member, beat, .. }) => classic.silent(member, beat, &mut desk),
            (Members::Modern(modern), GroupTimer::Session { member, beat, .. }) => modern.silent(member, beat, &mut desk),
            (Members::Classic(classic), GroupTimer::Rebalance { round, .. }) => classic.waited(round, &mut desk),
            (Members::Classic(classic), GroupTimer::Sync { round, .. }) => classic.sync_waited(round, &mut desk),
            (Members::Classic(classic), GroupTimer::Named { member, .. }) => classic.not_come(member, &mut desk),
            (Members::Modern(modern), GroupTimer::Revocation { member, epoch, .. }) => modern.revocation_waited(member, epoch, &mut desk),
            (
                Members::Modern(_),
                GroupTimer::Rebalance { .. } | GroupTimer::Sync { .. } | GroupTimer::Named { .. } | GroupTimer::Retention { .. },
            )
            | (Members::Classic(_), GroupTimer::Revocation { .. } | GroupTimer::Retention { .. }) => {}
        }
    }

    /// Looks for positions that nobody needs any more.
    fn retain(&mut self, home: Part, epoch: Epoch, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        if self.homes.get(&home) != Some(&epoch) {
            return;
        }
        for group in self.of_home(home, env.config) {
            let (found, mut desk) = self.at(group, env, out);
            let Group { members, positions } = found;
            let topic = |config: &Config, part: Part| config.partitions[part.index()].topic;
            match members {
                Members::Classic(classic) => {
                    positions.retain(group, classic.empty_since(), |config, part| classic.wants(topic(config, part)), &mut desk);
                }
                Members::Modern(modern) => {
                    positions.retain(group, modern.empty_since(), |config, part| modern.wants(topic(config, part)), &mut desk);
                }
            }
        }
        out.push(GroupOut::Timer(RETENTION_CHECK, GroupTimer::Retention { home, epoch }));
    }

    /// A transaction's marker was appended to a partition of positions.
    pub fn on_marker(&mut self, home: Part, session: Session, outcome: Outcome, env: &mut Env<'_>, out: &mut Vec<GroupOut>) {
        for group in self.of_home(home, env.config) {
            let (found, mut desk) = self.at(group, env, out);
            found.positions.on_marker(group, session, outcome, &mut desk);
        }
    }

    /// Where a group stands in a partition, as committed.
    #[must_use]
    pub fn position(&self, group: GroupId, part: Part) -> Option<Offset> {
        self.groups.get(&group).and_then(|group| group.positions.get(part))
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        for (home, epoch) in &self.homes {
            digest.words(u64::from(home.0), u64::from(*epoch));
        }
        for (id, group) in &self.groups {
            digest.word(u64::from(id.0));
            match &group.members {
                Members::Classic(classic) => classic.fingerprint(digest),
                Members::Modern(modern) => modern.fingerprint(digest),
            }
            group.positions.fingerprint(now, digest);
        }
        digest.word(self.tickets.len() as u64);
    }
}

impl Group {
    /// The members, if they assign among themselves. A group changes its kind when nobody is in it.
    fn classic(&mut self, group: GroupId, now: Time) -> Option<&mut Classic> {
        if let Members::Modern(modern) = &self.members
            && modern.is_empty()
        {
            self.members = Members::Classic(Classic::new(group, now));
        }
        match &mut self.members {
            Members::Classic(classic) => Some(classic),
            Members::Modern(_) => None,
        }
    }

    fn modern(&mut self, group: GroupId, now: Time) -> Option<&mut Modern> {
        if let Members::Classic(classic) = &self.members
            && classic.is_empty()
        {
            self.members = Members::Modern(Modern::new(group, now));
        }
        match &mut self.members {
            Members::Modern(modern) => Some(modern),
            Members::Classic(_) => None,
        }
    }

    fn may_commit(&mut self, from: Option<Membership>, in_transaction: bool, desk: &mut Desk<'_, '_>) -> Result<(), Refusal> {
        match &mut self.members {
            Members::Classic(classic) => classic.may_commit(from, in_transaction, desk),
            Members::Modern(modern) => modern.may_commit(from, in_transaction, desk),
        }
    }

    fn handle(&mut self, group: GroupId, caller: Caller, request: GroupRequest, desk: &mut Desk<'_, '_>) {
        let now = desk.now();
        let other_kind = request.refused(match request {
            GroupRequest::Join(_) | GroupRequest::Beat(Beat { epoch: BeatEpoch::Join, .. }) => Refusal::InconsistentGroupProtocol,
            GroupRequest::Beat(_)
            | GroupRequest::Sync { .. }
            | GroupRequest::Heartbeat { .. }
            | GroupRequest::Leave { .. }
            | GroupRequest::Commit { .. }
            | GroupRequest::TxnCommit { .. }
            | GroupRequest::Positions { .. } => Refusal::UnknownMemberId,
        });
        match request {
            GroupRequest::Join(join) => match self.classic(group, now) {
                Some(classic) => classic.join(join, caller, desk),
                None => desk.answer(caller, other_kind),
            },
            GroupRequest::Sync { from, assignment, .. } => match &mut self.members {
                Members::Classic(classic) => classic.sync(from, assignment, caller, desk),
                Members::Modern(_) => desk.answer(caller, other_kind),
            },
            GroupRequest::Heartbeat { from, .. } => match &mut self.members {
                Members::Classic(classic) => classic.heartbeat(from, caller, desk),
                Members::Modern(_) => desk.answer(caller, other_kind),
            },
            GroupRequest::Leave { member, .. } => match &mut self.members {
                Members::Classic(classic) => classic.leave(member, caller, desk),
                Members::Modern(_) => desk.answer(caller, other_kind),
            },
            GroupRequest::Beat(beat) if beat.epoch == BeatEpoch::Join => match self.modern(group, now) {
                Some(modern) => modern.beat(beat, caller, desk),
                None => desk.answer(caller, other_kind),
            },
            GroupRequest::Beat(beat) => match &mut self.members {
                Members::Modern(modern) => modern.beat(beat, caller, desk),
                Members::Classic(_) => desk.answer(caller, other_kind),
            },
            GroupRequest::Commit { from, positions, .. } => match self.may_commit(from, false, desk) {
                Ok(()) => Positions::commit(group, caller, positions, desk),
                Err(why) => desk.answer(caller, GroupReply::Commit(Err(why))),
            },
            GroupRequest::TxnCommit { from, session, positions, .. } => match self.may_commit(from, true, desk) {
                Ok(()) => self.positions.commit_in_transaction(group, caller, (session, positions), desk),
                Err(why) => desk.answer(caller, GroupReply::TxnCommit(Err(why))),
            },
            GroupRequest::Positions { from, parts, stable, .. } => {
                let may = match &self.members {
                    Members::Modern(modern) => modern.may_commit(from, true, desk),
                    Members::Classic(_) => Ok(()),
                };
                let reply = match may {
                    Ok(()) => self.positions.find(&parts, stable, desk),
                    Err(why) => GroupReply::Positions(Err(why)),
                };
                desk.answer(caller, reply);
            }
        }
    }

    /// An append is through.
    fn appended(&mut self, group: GroupId, (ticket, waiting): (u64, Waiting), result: Result<Offset, Refusal>, desk: &mut Desk<'_, '_>) {
        match (waiting, &mut self.members) {
            (Waiting::Commit { caller, positions }, _) => {
                let result = self.positions.committed(group, &positions, result, desk).map_err(append_refusal);
                desk.answer(caller, GroupReply::Commit(result));
            }
            (Waiting::TxnCommit { caller, session, positions }, _) => {
                let append = (ticket, session, &positions[..]);
                let result = self.positions.committed_in_transaction(group, append, result, desk).map_err(append_refusal);
                desk.answer(caller, GroupReply::TxnCommit(result));
            }
            (Waiting::Beat { caller, reply }, _) => {
                let reply = result.map_or_else(|why| GroupReply::Beat(Err(append_refusal(why))), |_| reply);
                desk.answer(caller, reply);
            }
            (Waiting::Assignment { generation }, Members::Classic(classic)) => {
                classic.assigned(generation, result.map(|_| ()).map_err(append_refusal), desk);
            }
            (Waiting::Replaced { caller, old, new }, Members::Classic(classic)) => {
                classic.replaced((old, new), caller, result.map(|_| ()).map_err(append_refusal), desk);
            }
            (Waiting::Forget { parts }, _) => {
                if result.is_ok() {
                    desk.mark(marks::POSITIONS_FORGOTTEN);
                    self.positions.forget(&parts);
                }
            }
            (Waiting::Assignment { .. } | Waiting::Replaced { .. }, Members::Modern(_)) | (Waiting::Nobody, _) => {}
        }
    }
}

/// A record about a group as a batch.
fn record_batch(record: GroupRecord) -> Batch {
    let bytes = record.bytes();
    Batch::internal(Content::Group(Arc::new(record)), 1, bytes)
}

/// What clients are told when an append was refused: to look for the coordinator, or to try again.
const fn append_refusal(why: Refusal) -> Refusal {
    use Refusal as R;
    if matches!(why, R::UnknownTopicOrPartition | R::NotEnoughReplicas | R::NotEnoughReplicasAfterAppend | R::RequestTimedOut) {
        R::CoordinatorNotAvailable
    } else if matches!(why, R::NotLeaderOrFollower | R::KafkaStorageError) {
        R::NotCoordinator
    } else {
        why
    }
}
