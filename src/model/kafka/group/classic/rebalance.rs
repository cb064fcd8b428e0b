//! From one generation to the next: waiting for members, the leader's assignment, members that are given up.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::Span;

use super::super::super::broker::Caller;
use super::super::super::ids::{MemberId, Part};
use super::super::super::protocol::GroupReply;
use super::super::super::protocol::group::{Generation, Membership};
use super::super::super::refusal::Refusal;
use super::super::desk::{Desk, Waiting};
use super::super::{GroupTimer, marks, record_batch};
use super::{Classic, State};

impl Classic {
    /// Something has changed: begins a rebalance, or goes on with the one that is on if nobody is missing any more.
    pub(super) fn rebalance_or_complete(&mut self, desk: &mut Desk<'_, '_>) {
        match self.state {
            State::PreparingRebalance { .. } => self.complete_if_all_joined(desk),
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare(desk),
        }
    }

    /// Begins a rebalance.
    pub(super) fn prepare(&mut self, desk: &mut Desk<'_, '_>) {
        if self.state == State::CompletingRebalance {
            self.take_back(Refusal::RebalanceInProgress, desk);
        }
        self.unsynced.clear();
        if self.state == State::Empty {
            let delay = desk.env.config.broker.group_initial_rebalance_delay;
            let rest = self.rebalance_timeout().saturating_sub(delay);
            self.state = State::PreparingRebalance { initial: Some(rest) };
            self.newcomer = false;
            return self.wait(delay, desk);
        }
        self.state = State::PreparingRebalance { initial: None };
        if self.all_joined() {
            return self.complete(desk);
        }
        self.wait(self.rebalance_timeout(), desk);
    }

    fn wait(&mut self, span: Span, desk: &mut Desk<'_, '_>) {
        self.round = desk.next();
        desk.timer(span, GroupTimer::Rebalance { group: self.group, round: self.round });
    }

    /// The longest that a member wants to be waited for.
    fn rebalance_timeout(&self) -> Span {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or(Span::ZERO)
    }

    fn all_joined(&self) -> bool {
        self.named.is_empty() && self.members.values().all(|member| member.joining.is_some())
    }

    /// Ends the wait if nobody is missing; the first wait of a group is waited out.
    pub(super) fn complete_if_all_joined(&mut self, desk: &mut Desk<'_, '_>) {
        if self.state == (State::PreparingRebalance { initial: None }) && self.all_joined() {
            self.complete(desk);
        }
    }

    /// A wait for members is over.
    pub(in super::super) fn waited(&mut self, round: u64, desk: &mut Desk<'_, '_>) {
        let State::PreparingRebalance { initial } = self.state else { return };
        if round != self.round {
            return;
        }
        match initial {
            Some(rest) if self.newcomer && !rest.is_zero() => {
                let delay = desk.env.config.broker.group_initial_rebalance_delay;
                self.newcomer = false;
                self.state = State::PreparingRebalance { initial: Some(rest.saturating_sub(delay)) };
                self.wait(delay.min(rest), desk);
            }
            Some(_) | None => self.complete(desk),
        }
    }

    /// All are there, or were waited for long enough: the next generation.
    fn complete(&mut self, desk: &mut Desk<'_, '_>) {
        let late = |(id, member): (&MemberId, &super::Member)| (member.joining.is_none() && member.instance.is_none()).then_some(*id);
        for id in self.members.iter().filter_map(late).collect::<Vec<_>>() {
            desk.mark(marks::REBALANCE_TIMEOUT);
            self.drop_member(id);
        }
        let joined = |id: &MemberId| self.members.get(id).is_some_and(|member| member.joining.is_some());
        if !self.leader.as_ref().is_some_and(joined) {
            let next = self.members.iter().find(|(_, member)| member.joining.is_some()).map(|(id, _)| *id);
            if next.is_none() && !self.members.is_empty() {
                // Static members that are away: their sessions decide.
                return self.wait(self.rebalance_timeout(), desk);
            }
            self.leader = next;
        }
        self.generation += 1;
        if self.members.is_empty() {
            self.state = State::Empty;
            self.strategy = None;
            self.since = desk.now();
            desk.append(self.group, record_batch(self.record(&BTreeMap::new())), Waiting::Nobody);
            return;
        }
        self.state = State::CompletingRebalance;
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.unsynced.insert(id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            let caller = member.joining.take();
            member.is_new = false;
            if let Some(caller) = caller {
                self.tell(id, caller, false, desk);
            }
            self.listen(id, desk);
        }
        self.round = desk.next();
        desk.timer(self.rebalance_timeout(), GroupTimer::Sync { group: self.group, round: self.round });
    }

    /// The wait for members to ask for their assignment is over.
    pub(in super::super) fn sync_waited(&mut self, round: u64, desk: &mut Desk<'_, '_>) {
        let waits = matches!(self.state, State::CompletingRebalance | State::Stable) && round == self.round;
        if !waits || self.unsynced.is_empty() {
            return;
        }
        for id in std::mem::take(&mut self.unsynced) {
            desk.mark(marks::SYNC_TIMEOUT);
            self.drop_member(id);
        }
        self.prepare(desk);
    }

    /// `SyncGroup`.
    pub(in super::super) fn sync(
        &mut self,
        from: Membership,
        assignment: Vec<(MemberId, Arc<[Part]>)>,
        caller: Caller,
        desk: &mut Desk<'_, '_>,
    ) {
        if let Err(why) = self.of_generation(from, desk) {
            return desk.answer(caller, GroupReply::Sync(Err(why)));
        }
        let id = from.member;
        match self.state {
            State::Empty => desk.answer(caller, GroupReply::Sync(Err(Refusal::UnknownMemberId))),
            State::PreparingRebalance { .. } => desk.answer(caller, GroupReply::Sync(Err(Refusal::RebalanceInProgress))),
            State::Stable => {
                self.unsynced.remove(&id);
                let assigned = Arc::clone(&self.members[&id].assigned);
                desk.answer(caller, GroupReply::Sync(Ok(assigned)));
            }
            State::CompletingRebalance => {
                self.unsynced.remove(&id);
                if let Some(earlier) = self.members.get_mut(&id).and_then(|member| member.syncing.replace(caller)) {
                    desk.answer(earlier, GroupReply::Sync(Err(Refusal::RebalanceInProgress)));
                }
                if self.leader == Some(id) {
                    self.assign(assignment, desk);
                }
            }
        }
    }

    /// The leader has assigned: what it says is kept before it is told.
    fn assign(&mut self, assignment: Vec<(MemberId, Arc<[Part]>)>, desk: &mut Desk<'_, '_>) {
        let none: Arc<[Part]> = Arc::new([]);
        let mut all: BTreeMap<MemberId, Arc<[Part]>> = self.members.keys().map(|id| (*id, Arc::clone(&none))).collect();
        for (id, parts) in assignment {
            all.entry(id).and_modify(|assigned| *assigned = parts);
        }
        let record = self.record(&all);
        for (id, parts) in all {
            if let Some(member) = self.members.get_mut(&id) {
                member.assigned = parts;
            }
        }
        desk.append(self.group, record_batch(record), Waiting::Assignment { generation: self.generation });
    }

    /// The assignment is kept, or could not be.
    pub(in super::super) fn assigned(&mut self, generation: Generation, result: Result<(), Refusal>, desk: &mut Desk<'_, '_>) {
        if self.state != State::CompletingRebalance || self.generation != generation {
            return;
        }
        match result {
            Ok(()) => {
                self.state = State::Stable;
                for id in self.members.keys().copied().collect::<Vec<_>>() {
                    let Some(member) = self.members.get_mut(&id) else { continue };
                    if let Some(caller) = member.syncing.take() {
                        let assigned = Arc::clone(&member.assigned);
                        desk.answer(caller, GroupReply::Sync(Ok(assigned)));
                        self.listen(id, desk);
                    }
                }
            }
            Err(why) => {
                self.take_back(why, desk);
                self.prepare(desk);
            }
        }
    }

    /// The assignment of this generation does not count: whoever waits for it is told why.
    fn take_back(&mut self, why: Refusal, desk: &mut Desk<'_, '_>) {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            let Some(member) = self.members.get_mut(&id) else { continue };
            member.assigned = Arc::new([]);
            if let Some(caller) = member.syncing.take() {
                desk.answer(caller, GroupReply::Sync(Err(why)));
                self.listen(id, desk);
            }
        }
    }

    /// A member is no member any more.
    pub(super) fn drop_member(&mut self, id: MemberId) {
        self.members.remove(&id);
        self.unsynced.remove(&id);
        if self.leader == Some(id) {
            self.leader = self.members.iter().find(|(_, member)| member.joining.is_some()).map(|(id, _)| *id);
        }
    }
}
