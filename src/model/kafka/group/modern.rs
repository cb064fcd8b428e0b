//! A group that the broker assigns (KIP-848): each member is led, by its own heartbeats, towards what it shall have; nothing is
//! given to one before another has let go of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, NodeId, Span, Time};

use super::super::broker::Caller;
use super::super::config::{Assignor, Config};
use super::super::ids::{GroupId, MemberId, Part, TopicId};
use super::super::mutants::Mutant;
use super::super::protocol::GroupReply;
use super::super::protocol::group::{Beat, BeatEpoch, Beaten, Generation, Membership};
use super::super::refusal::Refusal;
use super::super::view::View;
use super::assign::{Known, Wish, assign};
use super::desk::{Desk, Waiting};
use super::record::{GroupRecord, KeptMember, Progress};
use super::{GroupTimer, marks, record_batch};

/// A member.
#[derive(Clone, PartialEq, Debug)]
struct Member {
    instance: Option<NodeId>,
    topics: Arc<[TopicId]>,
    assignor: Option<Assignor>,
    rebalance_timeout: Span,
    epoch: Generation,
    before: Generation,
    /// What it has, or may take.
    assigned: Arc<[Part]>,
    /// What it has and must give up.
    revoking: Arc<[Part]>,
    /// What it shall have in the end.
    target: Arc<[Part]>,
    /// It is static and has left for a while.
    away: bool,
    /// Its last sign of life.
    beat: u64,
}

/// The group.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Modern {
    group: GroupId,
    epoch: Generation,
    target_epoch: Generation,
    members: BTreeMap<MemberId, Member>,
    /// The partitions that there were at the last assignment; empty: not known.
    known: Vec<Known>,
    since: Time,
}

impl Modern {
    pub(super) fn new(group: GroupId, since: Time) -> Modern {
        Modern { group, epoch: 0, target_epoch: 0, members: BTreeMap::new(), known: Vec::new(), since }
    }

    /// The group as a log holds it.
    pub(super) fn restored(group: GroupId, (epoch, target_epoch): (Generation, Generation), kept: &[KeptMember], at: Time) -> Modern {
        let none = Progress { epoch: 0, before: 0, revoking: Arc::new([]), target: Arc::new([]), away: false };
        let member = |kept: &KeptMember| {
            let progress = kept.progress.as_ref().unwrap_or(&none);
            Member {
                instance: kept.instance,
                topics: Arc::clone(&kept.topics),
                assignor: kept.assignor,
                rebalance_timeout: kept.rebalance_timeout,
                epoch: progress.epoch,
                before: progress.before,
                assigned: Arc::clone(&kept.assigned),
                revoking: Arc::clone(&progress.revoking),
                target: Arc::clone(&progress.target),
                away: progress.away,
                beat: 0,
            }
        };
        let members = kept.iter().map(|kept| (kept.id, member(kept))).collect();
        Modern { epoch, target_epoch, members, ..Modern::new(group, at) }
    }

    fn record(&self) -> GroupRecord {
        let kept = |(id, member): (&MemberId, &Member)| KeptMember {
            id: *id,
            instance: member.instance,
            topics: Arc::clone(&member.topics),
            assignor: member.assignor,
            session_timeout: Span::ZERO,
            rebalance_timeout: member.rebalance_timeout,
            assigned: Arc::clone(&member.assigned),
            progress: Some(Progress {
                epoch: member.epoch,
                before: member.before,
                revoking: Arc::clone(&member.revoking),
                target: Arc::clone(&member.target),
                away: member.away,
            }),
        };
        let members = self.members.iter().map(kept).collect();
        GroupRecord::Modern { group: self.group, epoch: self.epoch, target_epoch: self.target_epoch, members }
    }

    /// A new coordinator has read it: from now on it listens for the members.
    pub(super) fn wake(&mut self, desk: &mut Desk<'_, '_>) {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.listen(id, desk);
            self.watch(id, desk);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Since when nobody is in it.
    pub(super) fn empty_since(&self) -> Option<Time> {
        self.members.is_empty().then_some(self.since)
    }

    pub(super) fn wants(&self, topic: TopicId) -> bool {
        self.members.values().any(|member| member.topics.contains(&topic))
    }

    /// Starts a member's session anew.
    fn listen(&mut self, id: MemberId, desk: &mut Desk<'_, '_>) {
        let beat = desk.next();
        if let Some(member) = self.members.get_mut(&id) {
            member.beat = beat;
            let patience = desk.env.config.broker.group_consumer_session_timeout;
            desk.timer(patience, GroupTimer::Session { group: self.group, member: id, beat });
        }
    }

    /// Waits for a member to give up what it must, if there is something.
    fn watch(&self, id: MemberId, desk: &mut Desk<'_, '_>) {
        if let Some(member) = self.members.get(&id).filter(|member| !member.revoking.is_empty()) {
            let timer = GroupTimer::Revocation { group: self.group, member: id, epoch: member.epoch };
            desk.timer(member.rebalance_timeout, timer);
        }
    }

    /// `ConsumerGroupHeartbeat`.
    pub(super) fn beat(&mut self, beat: Beat, caller: Caller, desk: &mut Desk<'_, '_>) {
        let result = match beat.epoch {
            BeatEpoch::Leave | BeatEpoch::LeaveForAWhile => self.leave(&beat, desk),
            BeatEpoch::Join => self.enter(&beat, desk).and_then(|()| self.advance(&beat, desk)),
            BeatEpoch::At(epoch) => self.check(&beat, epoch, desk).and_then(|()| self.advance(&beat, desk)),
        };
        match result {
            Err(why) => {
                if why == Refusal::FencedMemberEpoch {
                    desk.mark(marks::MEMBER_FENCED);
                }
                desk.answer(caller, GroupReply::Beat(Err(why)));
            }
            Ok((reply, false)) => desk.answer(caller, GroupReply::Beat(Ok(reply))),
            Ok((reply, true)) => {
                let reply = GroupReply::Beat(Ok(reply));
                desk.append(self.group, record_batch(self.record()), Waiting::Beat { caller, reply });
            }
        }
    }

    fn of_instance(&self, instance: NodeId) -> Option<MemberId> {
        self.members.iter().find(|(_, member)| member.instance == Some(instance)).map(|(id, _)| *id)
    }

    /// Somebody joins, or joins again.
    fn enter(&mut self, beat: &Beat, desk: &mut Desk<'_, '_>) -> Result<(), Refusal> {
        let earlier = beat.instance.and_then(|instance| self.of_instance(instance));
        match earlier {
            Some(old) if old != beat.member => {
                if !self.members[&old].away {
                    return Err(Refusal::UnreleasedInstanceId);
                }
                // The same instance in a new process: it takes over what the old one had.
                if let Some(member) = self.members.remove(&old) {
                    desk.mark(marks::STATIC_RETURN);
                    self.members.insert(beat.member, Member { epoch: 0, before: 0, away: false, ..member });
                }
            }
            Some(_) => {
                if let Some(member) = self.members.get_mut(&beat.member) {
                    member.away = false;
                }
            }
            None if self.members.contains_key(&beat.member) => {}
            None => {
                let nothing: Arc<[Part]> = Arc::new([]);
                let member = Member {
                    instance: beat.instance,
                    topics: Arc::new([]),
                    assignor: None,
                    rebalance_timeout: Span::ZERO,
                    epoch: 0,
                    before: 0,
                    assigned: Arc::clone(&nothing),
                    revoking: Arc::clone(&nothing),
                    target: nothing,
                    away: false,
                    beat: 0,
                };
                self.members.insert(beat.member, member);
            }
        }
        Ok(())
    }

    /// Whether a heartbeat is of a member at its epoch; or at the one before, if the answer that told it of a new one was lost.
    fn check(&self, beat: &Beat, epoch: Generation, desk: &mut Desk<'_, '_>) -> Result<(), Refusal> {
        let member = self.named(beat.member, beat.instance, desk)?;
        let subset = |owned: &Arc<[Part]>| owned.iter().all(|part| member.assigned.contains(part));
        let retold = epoch < member.epoch && epoch == member.before && beat.owned.as_ref().is_some_and(subset);
        if epoch == member.epoch && !member.away || retold { Ok(()) } else { Err(Refusal::FencedMemberEpoch) }
    }

    fn named(&self, id: MemberId, instance: Option<NodeId>, desk: &mut Desk<'_, '_>) -> Result<&Member, Refusal> {
        if let Some(now) = instance.and_then(|instance| self.of_instance(instance))
            && now != id
        {
            desk.mark(marks::INSTANCE_FENCED);
            return Err(Refusal::FencedInstanceId);
        }
        self.members.get(&id).ok_or(Refusal::UnknownMemberId)
    }

    /// A member that is there: what it says of itself, a new assignment if one is due, its next step. Whether that is to be kept.
    fn advance(&mut self, beat: &Beat, desk: &mut Desk<'_, '_>) -> Result<(Beaten, bool), Refusal> {
        let id = beat.member;
        let config = desk.env.config;
        let joins = beat.epoch == BeatEpoch::Join;
        let was = self.members[&id].clone();
        let mut member = was.clone();
        member.topics = beat.topics.clone().unwrap_or(member.topics);
        member.rebalance_timeout = beat.rebalance_timeout.unwrap_or(member.rebalance_timeout);
        member.assignor = beat.assignor.or(member.assignor);
        let mut bump = member.topics != was.topics;
        self.members.insert(id, member);
        let known = known(config, desk.env.view, |topic| self.wants(topic));
        bump |= !self.known.is_empty() && known != self.known;
        let epochs = (self.epoch, self.target_epoch);
        self.epoch += Generation::from(bump);
        self.known = known;
        if self.epoch > self.target_epoch {
            self.retarget();
        }
        let owned = beat.owned.as_deref().or(if joins { Some(&[]) } else { None });
        self.reconcile(id, owned);
        self.listen(id, desk);
        let member = &self.members[&id];
        if member.revoking != was.revoking {
            self.watch(id, desk);
        }
        let full = joins || (beat.owned.is_some() && beat.topics.is_some());
        let assigned = (full || member.assigned != was.assigned).then(|| Arc::clone(&member.assigned));
        let beaten = Beaten { epoch: member.epoch, interval: config.broker.group_consumer_heartbeat_interval, assigned };
        let now = Member { beat: was.beat, ..member.clone() };
        Ok((beaten, now != was || joins || epochs != (self.epoch, self.target_epoch)))
    }

    /// Assigns anew.
    fn retarget(&mut self) {
        let wish = |(id, member): (&MemberId, &Member)| Wish {
            member: *id,
            instance: member.instance,
            topics: Arc::clone(&member.topics),
            owned: Arc::clone(&member.target),
            generation: 0,
        };
        let wishes: Vec<Wish> = self.members.iter().map(wish).collect();
        let votes = |assignor: Assignor| self.members.values().filter(|member| member.assignor == Some(assignor)).count();
        // `uniform`, the broker's default, is balanced and sticky.
        let assignor = if votes(Assignor::Range) * 2 > self.members.len() { Assignor::Range } else { Assignor::Sticky };
        for (id, parts) in assign(assignor, &wishes, &self.known) {
            if let Some(member) = self.members.get_mut(&id) {
                member.target = parts.into();
            }
        }
        self.target_epoch = self.epoch;
    }

    /// Whether somebody else has a partition or has not let go of it.
    fn is_taken(&self, part: Part, by_other_than: MemberId) -> bool {
        let has = |member: &Member| member.assigned.contains(&part) || member.revoking.contains(&part);
        self.members.iter().any(|(id, member)| *id != by_other_than && has(member))
    }

    /// One step of a member towards its target. `owned`: what it has, if it says so.
    fn reconcile(&mut self, id: MemberId, owned: Option<&[Part]>) {
        let member = &self.members[&id];
        let holds = |revoking: &[Part]| owned.is_none_or(|owned| revoking.iter().any(|part| owned.contains(part)));
        let mut epoch = member.epoch;
        if member.revoking.is_empty() {
            if member.epoch == self.target_epoch && member.assigned == member.target {
                return;
            }
        } else if holds(&member.revoking) {
            return;
        } else {
            epoch += 1;
        }
        let kept: Vec<Part> = member.assigned.iter().filter(|part| member.target.contains(part)).copied().collect();
        let revoking: Vec<Part> = member.assigned.iter().filter(|part| !member.target.contains(part)).copied().collect();
        let waits = !revoking.is_empty() && holds(&revoking);
        let mut assigned = kept;
        if !waits {
            epoch = self.target_epoch;
            let free = member.target.iter().filter(|part| !assigned.contains(part) && !self.is_taken(**part, id));
            let free: Vec<Part> = free.copied().collect();
            assigned.extend(free);
            assigned.sort_unstable();
        }
        let Some(member) = self.members.get_mut(&id) else { return };
        if epoch != member.epoch {
            member.before = member.epoch;
            member.epoch = epoch;
        }
        member.assigned = assigned.into();
        member.revoking = if waits { revoking.into() } else { Arc::new([]) };
    }

    fn leave(&mut self, beat: &Beat, desk: &mut Desk<'_, '_>) -> Result<(Beaten, bool), Refusal> {
        self.named(beat.member, beat.instance, desk)?;
        if let (BeatEpoch::LeaveForAWhile, Some(member)) = (beat.epoch, self.members.get_mut(&beat.member)) {
            member.away = true;
            member.revoking = Arc::new([]);
        } else {
            self.drop_member(beat.member, desk.now());
        }
        Ok((Beaten { epoch: 0, interval: desk.env.config.broker.group_consumer_heartbeat_interval, assigned: None }, true))
    }

    fn drop_member(&mut self, id: MemberId, now: Time) {
        self.members.remove(&id);
        self.epoch += 1;
        if self.members.is_empty() {
            self.since = now;
        }
    }

    /// A member is gone; the others hear of it with their next heartbeats.
    fn fence(&mut self, id: MemberId, desk: &mut Desk<'_, '_>) {
        self.drop_member(id, desk.now());
        desk.append(self.group, record_batch(self.record()), Waiting::Nobody);
    }

    /// A member was silent for the session timeout.
    pub(super) fn silent(&mut self, id: MemberId, beat: u64, desk: &mut Desk<'_, '_>) {
        if self.members.get(&id).is_some_and(|member| member.beat == beat) {
            desk.mark(marks::SESSION_EXPIRED);
            self.fence(id, desk);
        }
    }

    /// A member had its rebalance timeout to give up partitions.
    pub(super) fn revocation_waited(&mut self, id: MemberId, epoch: Generation, desk: &mut Desk<'_, '_>) {
        if self.members.get(&id).is_some_and(|member| member.epoch == epoch && !member.revoking.is_empty()) {
            desk.mark(marks::REVOCATION_TIMEOUT);
            self.fence(id, desk);
        }
    }

    /// Whether somebody may commit, or be told positions.
    pub(super) fn may_commit(&self, from: Option<Membership>, in_transaction: bool, desk: &mut Desk<'_, '_>) -> Result<(), Refusal> {
        if desk.env.config.mutants.has(Mutant::GenerationNotChecked) {
            return Ok(());
        }
        let Some(from) = from else {
            return if in_transaction || self.members.is_empty() { Ok(()) } else { Err(Refusal::UnknownMemberId) };
        };
        let result = self
            .named(from.member, from.instance, desk)
            .and_then(|member| if member.epoch == from.generation { Ok(()) } else { Err(Refusal::StaleMemberEpoch) });
        if result.is_err() {
            desk.mark(marks::ZOMBIE_COMMIT);
        }
        result
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        digest.words(u64::from(self.epoch), u64::from(self.target_epoch));
        for (id, member) in &self.members {
            digest.words(id.0, u64::from(member.epoch) << 32 | u64::from(member.before) << 1 | u64::from(member.away));
            let parts = member.assigned.iter().chain(member.revoking.iter()).chain(member.target.iter());
            parts.for_each(|part| digest.word(u64::from(part.0)));
            digest.words(member.assigned.len() as u64, member.revoking.len() as u64);
        }
    }
}

/// The partitions that there are of topics that somebody wants.
fn known(config: &Config, view: &View, wanted: impl Fn(TopicId) -> bool) -> Vec<Known> {
    let topics = (0..config.topics.len()).map(|at| TopicId(u16::try_from(at).expect("fewer than 2^16 topics")));
    topics
        .filter(|topic| wanted(*topic))
        .flat_map(|topic| config.parts_of(topic).map(move |part| (topic, part)))
        .filter(|(_, part)| view.part(*part).is_some())
        .collect()
}
