//! A group whose members assign among themselves: its state, and members that join.

mod rebalance;
mod talk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Digest, NodeId, Span, Time, Words};

use super::super::broker::Caller;
use super::super::ids::{GroupId, MemberId, Part, TopicId};
use super::super::protocol::GroupReply;
use super::super::protocol::group::{Fellow, Generation, Join, Joined, Strategy, Subscription};
use super::super::refusal::Refusal;
use super::desk::{Desk, Waiting};
use super::record::{GroupRecord, KeptMember};
use super::{GroupTimer, marks, record_batch};

/// A member whose join waits may be silent for so long: it does not know its name yet and cannot send heartbeats.
const NEW_MEMBER_PATIENCE: Span = Span::secs(300);

/// Where a group stands. A group that is not there is dead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    /// Nobody is in it.
    Empty,
    /// Waits for its members to join. `initial`: nobody was in it before, so it waits for newcomers, in all no longer than that.
    PreparingRebalance { initial: Option<Span> },
    /// All have joined; waits for the leader's assignment.
    CompletingRebalance,
    /// Everybody has an assignment.
    Stable,
}

/// A member.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Member {
    pub(super) instance: Option<NodeId>,
    session_timeout: Span,
    rebalance_timeout: Span,
    pub(super) subscription: Subscription,
    pub(super) assigned: Arc<[Part]>,
    /// Its join waits for the others.
    joining: Option<Caller>,
    /// Its sync waits for the leader.
    syncing: Option<Caller>,
    /// It has never been told its name.
    is_new: bool,
    /// Its last sign of life.
    beat: u64,
}

/// The group.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Classic {
    group: GroupId,
    pub(super) state: State,
    pub(super) generation: Generation,
    pub(super) strategy: Option<Strategy>,
    pub(super) leader: Option<MemberId>,
    pub(super) members: BTreeMap<MemberId, Member>,
    /// Names that were given out and have not come yet.
    named: BTreeSet<MemberId>,
    /// Who has not asked for its assignment yet.
    unsynced: BTreeSet<MemberId>,
    /// The wait that is on.
    round: u64,
    /// Somebody new has come during the first wait.
    newcomer: bool,
    /// Since when nobody is in it.
    since: Time,
}

impl Classic {
    pub(super) fn new(group: GroupId, since: Time) -> Classic {
        Classic {
            group,
            state: State::Empty,
            generation: 0,
            strategy: None,
            leader: None,
            members: BTreeMap::new(),
            named: BTreeSet::new(),
            unsynced: BTreeSet::new(),
            round: 0,
            newcomer: false,
            since,
        }
    }

    /// The group as a log holds it.
    pub(super) fn restored(
        group: GroupId,
        (generation, strategy, leader): (Generation, Option<Strategy>, Option<MemberId>),
        kept: &[KeptMember],
        at: Time,
    ) -> Classic {
        let member = |kept: &KeptMember| Member {
            instance: kept.instance,
            session_timeout: kept.session_timeout,
            rebalance_timeout: kept.rebalance_timeout,
            subscription: Subscription { topics: Arc::clone(&kept.topics), owned: Arc::clone(&kept.assigned), generation },
            assigned: Arc::clone(&kept.assigned),
            joining: None,
            syncing: None,
            is_new: false,
            beat: 0,
        };
        let members: BTreeMap<MemberId, Member> = kept.iter().map(|kept| (kept.id, member(kept))).collect();
        let state = if members.is_empty() { State::Empty } else { State::Stable };
        Classic { state, generation, strategy, leader, members, ..Classic::new(group, at) }
    }

    /// The record that keeps it. `assigned`: what members are about to be told, where that differs from what they have.
    fn record(&self, assigned: &BTreeMap<MemberId, Arc<[Part]>>) -> GroupRecord {
        let kept = |(id, member): (&MemberId, &Member)| KeptMember {
            id: *id,
            instance: member.instance,
            topics: Arc::clone(&member.subscription.topics),
            assignor: None,
            session_timeout: member.session_timeout,
            rebalance_timeout: member.rebalance_timeout,
            assigned: Arc::clone(assigned.get(id).unwrap_or(&member.assigned)),
            progress: None,
        };
        GroupRecord::Classic {
            group: self.group,
            generation: self.generation,
            strategy: self.strategy,
            leader: self.leader,
            members: self.members.iter().map(kept).collect(),
        }
    }

    /// A new coordinator has read it: from now on it listens for the members.
    pub(super) fn wake(&mut self, desk: &mut Desk<'_, '_>) {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.listen(id, desk);
        }
    }

    /// Nobody is in it, nor about to be.
    pub(super) fn is_empty(&self) -> bool {
        self.state == State::Empty && self.named.is_empty()
    }

    /// Since when nobody is in it.
    pub(super) fn empty_since(&self) -> Option<Time> {
        (self.state == State::Empty).then_some(self.since)
    }

    /// Whether a member subscribes to a topic.
    pub(super) fn wants(&self, topic: TopicId) -> bool {
        self.members.values().any(|member| member.subscription.topics.contains(&topic))
    }

    /// Everybody who waits for an answer.
    pub(super) fn callers(&mut self) -> Vec<(Caller, GroupReply)> {
        let mut all = Vec::new();
        for member in self.members.values_mut() {
            all.extend(member.joining.take().map(|caller| (caller, GroupReply::Join(Err((Refusal::NotCoordinator, None))))));
            all.extend(member.syncing.take().map(|caller| (caller, GroupReply::Sync(Err(Refusal::NotCoordinator)))));
        }
        all
    }

    /// The static member of an instance.
    fn of_instance(&self, instance: NodeId) -> Option<MemberId> {
        self.members.iter().find(|(_, member)| member.instance == Some(instance)).map(|(id, _)| *id)
    }

    /// Starts a member's session anew.
    fn listen(&mut self, id: MemberId, desk: &mut Desk<'_, '_>) {
        let beat = desk.next();
        let Some(member) = self.members.get_mut(&id) else { return };
        member.beat = beat;
        let patience = if member.is_new { NEW_MEMBER_PATIENCE } else { member.session_timeout };
        desk.timer(patience, GroupTimer::Session { group: self.group, member: id, beat });
    }

    /// Whether a member may speak.
    pub(super) fn known(&self, id: MemberId, instance: Option<NodeId>, desk: &mut Desk<'_, '_>) -> Result<(), Refusal> {
        if let Some(instance) = instance {
            match self.of_instance(instance) {
                None => return Err(Refusal::UnknownMemberId),
                Some(now) if now != id => {
                    desk.mark(marks::INSTANCE_FENCED);
                    return Err(Refusal::FencedInstanceId);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(&id) { Ok(()) } else { Err(Refusal::UnknownMemberId) }
    }

    /// `JoinGroup`.
    pub(super) fn join(&mut self, join: Join, caller: Caller, desk: &mut Desk<'_, '_>) {
        let refuse = |why, desk: &mut Desk<'_, '_>| desk.answer(caller, GroupReply::Join(Err((why, join.member))));
        let broker = &desk.env.config.broker;
        if join.session_timeout < broker.group_min_session_timeout || join.session_timeout > broker.group_max_session_timeout {
            return refuse(Refusal::InvalidSessionTimeout, desk);
        }
        let agrees = self.members.is_empty() || self.strategy.is_none_or(|strategy| strategy == join.strategy);
        if !agrees {
            return refuse(Refusal::InconsistentGroupProtocol, desk);
        }
        match (join.member, join.instance) {
            (None, Some(instance)) => {
                let name = MemberId(desk.env.words.word());
                match self.of_instance(instance) {
                    Some(old) => self.come_back((old, name), &join, caller, desk),
                    None => self.enter(name, join, caller, desk),
                }
            }
            (None, None) => {
                let name = MemberId(desk.env.words.word());
                self.named.insert(name);
                desk.timer(join.session_timeout, GroupTimer::Named { group: self.group, member: name });
                desk.answer(caller, GroupReply::Join(Err((Refusal::MemberIdRequired, Some(name)))));
            }
            (Some(name), None) if self.named.remove(&name) => self.enter(name, join, caller, desk),
            (Some(name), instance) => match self.known(name, instance, desk) {
                Ok(()) => self.join_again(name, join, caller, desk),
                Err(why) => refuse(why, desk),
            },
        }
    }

    /// Somebody new.
    fn enter(&mut self, name: MemberId, join: Join, caller: Caller, desk: &mut Desk<'_, '_>) {
        if matches!(self.state, State::PreparingRebalance { initial: Some(_) }) {
            self.newcomer = true;
        }
        if self.members.is_empty() {
            self.strategy = Some(join.strategy);
        }
        self.leader.get_or_insert(name);
        let member = Member {
            instance: join.instance,
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            subscription: join.subscription,
            assigned: Arc::new([]),
            joining: Some(caller),
            syncing: None,
            is_new: true,
            beat: 0,
        };
        self.members.insert(name, member);
        self.listen(name, desk);
        self.rebalance_or_complete(desk);
    }

    /// A member joins (again).
    fn join_again(&mut self, name: MemberId, join: Join, caller: Caller, desk: &mut Desk<'_, '_>) {
        let same = self.members[&name].subscription == join.subscription;
        match self.state {
            State::Empty => desk.answer(caller, GroupReply::Join(Err((Refusal::UnknownMemberId, Some(name))))),
            State::CompletingRebalance if same => self.tell(name, caller, false, desk),
            State::Stable if same && self.leader != Some(name) => self.tell(name, caller, false, desk),
            State::PreparingRebalance { .. } | State::CompletingRebalance | State::Stable => {
                self.update(name, &join, caller, desk);
                self.rebalance_or_complete(desk);
            }
        }
    }

    /// What a join says of a member that is there. An earlier join of it that still waits is answered: its process has given up on it.
    fn update(&mut self, name: MemberId, join: &Join, caller: Caller, desk: &mut Desk<'_, '_>) {
        let Some(member) = self.members.get_mut(&name) else { return };
        member.subscription = join.subscription.clone();
        member.session_timeout = join.session_timeout;
        member.rebalance_timeout = join.rebalance_timeout;
        if let Some(earlier) = member.joining.replace(caller) {
            desk.answer(earlier, GroupReply::Join(Err((Refusal::RebalanceInProgress, Some(name)))));
        }
    }

    /// A static member whose process was started anew: it takes over under a new name, and an older process is fenced.
    fn come_back(&mut self, (old, new): (MemberId, MemberId), join: &Join, caller: Caller, desk: &mut Desk<'_, '_>) {
        let Some(mut member) = self.members.remove(&old) else { return };
        if let Some(earlier) = member.joining.take() {
            desk.mark(marks::INSTANCE_FENCED);
            desk.answer(earlier, GroupReply::Join(Err((Refusal::FencedInstanceId, Some(old)))));
        }
        if let Some(earlier) = member.syncing.take() {
            desk.mark(marks::INSTANCE_FENCED);
            desk.answer(earlier, GroupReply::Sync(Err(Refusal::FencedInstanceId)));
        }
        self.members.insert(new, member);
        if self.unsynced.remove(&old) {
            self.unsynced.insert(new);
        }
        if self.leader == Some(old) {
            self.leader = Some(new);
        }
        self.update(new, join, caller, desk);
        self.listen(new, desk);
        match self.state {
            State::Stable => {
                let record = self.record(&BTreeMap::new());
                desk.append(self.group, record_batch(record), Waiting::Replaced { caller, old, new });
            }
            State::CompletingRebalance => self.prepare(desk),
            State::PreparingRebalance { .. } | State::Empty => self.complete_if_all_joined(desk),
        }
    }

    /// The log has, or has not, taken up that a static member came back.
    pub(super) fn replaced(
        &mut self,
        (old, new): (MemberId, MemberId),
        caller: Caller,
        result: Result<(), Refusal>,
        desk: &mut Desk<'_, '_>,
    ) {
        let waits = self.members.get(&new).is_some_and(|member| member.joining == Some(caller));
        if !waits {
            return; // a rebalance or a later start of the process has answered it
        }
        match result {
            Ok(()) if self.state == State::Stable => {
                desk.mark(marks::STATIC_RETURN);
                self.tell(new, caller, self.leader == Some(new), desk);
            }
            Ok(()) => return,
            Err(why) => {
                let Some(mut member) = self.members.remove(&new) else { return };
                member.joining = None;
                self.members.insert(old, member);
                if self.leader == Some(new) {
                    self.leader = Some(old);
                }
                self.listen(old, desk);
                return desk.answer(caller, GroupReply::Join(Err((why, None))));
            }
        }
        if let Some(member) = self.members.get_mut(&new) {
            member.joining = None;
        }
    }

    /// Tells a member of the present generation.
    fn tell(&self, name: MemberId, caller: Caller, skip_assignment: bool, desk: &mut Desk<'_, '_>) {
        let leader = self.leader.unwrap_or(name);
        let fellow = |(id, member): (&MemberId, &Member)| Fellow {
            member: *id,
            instance: member.instance,
            subscription: member.subscription.clone(),
        };
        let members = if leader == name { self.members.iter().map(fellow).collect() } else { Vec::new() };
        let joined = Joined { generation: self.generation, member: name, leader, skip_assignment, members };
        desk.answer(caller, GroupReply::Join(Ok(joined)));
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        let state = match self.state {
            State::Empty => 0,
            State::PreparingRebalance { initial: Some(rest) } => 1 << 40 | rest.as_nanos(),
            State::PreparingRebalance { initial: None } => 1,
            State::CompletingRebalance => 2,
            State::Stable => 3,
        };
        digest.words(state, u64::from(self.generation));
        digest.words(self.leader.map_or(0, |leader| leader.0), self.named.len() as u64 | u64::from(self.newcomer) << 32);
        for (id, member) in &self.members {
            let flags = u64::from(member.joining.is_some()) | u64::from(member.syncing.is_some()) << 1 | u64::from(member.is_new) << 2;
            digest.words(id.0, flags | u64::from(self.unsynced.contains(id)) << 3);
            member.assigned.iter().chain(member.subscription.owned.iter()).for_each(|part| digest.word(u64::from(part.0)));
        }
    }
}
