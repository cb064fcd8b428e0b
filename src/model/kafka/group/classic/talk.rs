//! Signs of life and their absence, leaving, and who may commit.

use super::super::super::broker::Caller;
use super::super::super::ids::MemberId;
use super::super::super::mutants::Mutant;
use super::super::super::protocol::GroupReply;
use super::super::super::protocol::group::Membership;
use super::super::super::refusal::Refusal;
use super::super::desk::Desk;
use super::super::marks;
use super::{Classic, State};

impl Classic {
    /// Whether somebody speaks for a member of the present generation.
    pub(super) fn of_generation(&self, from: Membership, desk: &mut Desk<'_, '_>) -> Result<(), Refusal> {
        self.known(from.member, from.instance, desk)?;
        if from.generation == self.generation { Ok(()) } else { Err(Refusal::IllegalGeneration) }
    }

    /// `Heartbeat`.
    pub(in super::super) fn heartbeat(&mut self, from: Membership, caller: Caller, desk: &mut Desk<'_, '_>) {
        let result = self.of_generation(from, desk).and(match self.state {
            State::Empty => Err(Refusal::UnknownMemberId),
            State::PreparingRebalance { .. } => Err(Refusal::RebalanceInProgress),
            State::CompletingRebalance | State::Stable => Ok(()),
        });
        if matches!(result, Ok(()) | Err(Refusal::RebalanceInProgress)) {
            self.listen(from.member, desk);
        }
        desk.answer(caller, GroupReply::Heartbeat(result));
    }

    /// `LeaveGroup`.
    pub(in super::super) fn leave(&mut self, id: MemberId, caller: Caller, desk: &mut Desk<'_, '_>) {
        let result = if self.named.remove(&id) {
            self.complete_if_all_joined(desk);
            Ok(())
        } else if self.members.contains_key(&id) {
            self.remove(id, desk);
            Ok(())
        } else {
            Err(Refusal::UnknownMemberId)
        };
        desk.answer(caller, GroupReply::Leave(result));
    }

    /// A member is gone: the others rebalance.
    fn remove(&mut self, id: MemberId, desk: &mut Desk<'_, '_>) {
        if let Some(member) = self.members.get_mut(&id) {
            let (joining, syncing) = (member.joining.take(), member.syncing.take());
            if let Some(caller) = joining {
                desk.answer(caller, GroupReply::Join(Err((Refusal::UnknownMemberId, None))));
            }
            if let Some(caller) = syncing {
                desk.answer(caller, GroupReply::Sync(Err(Refusal::UnknownMemberId)));
            }
        }
        self.drop_member(id);
        self.rebalance_or_complete(desk);
    }

    /// A member was silent for its session timeout. Those that wait for others need not speak.
    pub(in super::super) fn silent(&mut self, id: MemberId, beat: u64, desk: &mut Desk<'_, '_>) {
        let Some(member) = self.members.get(&id) else { return };
        let waits = !member.is_new && (member.joining.is_some() || member.syncing.is_some());
        if member.beat != beat || waits {
            return;
        }
        desk.mark(marks::SESSION_EXPIRED);
        self.remove(id, desk);
    }

    /// A name that was given out has not come.
    pub(in super::super) fn not_come(&mut self, name: MemberId, desk: &mut Desk<'_, '_>) {
        if self.named.remove(&name) {
            self.complete_if_all_joined(desk);
        }
    }

    /// Whether somebody may commit.
    pub(in super::super) fn may_commit(
        &mut self,
        from: Option<Membership>,
        in_transaction: bool,
        desk: &mut Desk<'_, '_>,
    ) -> Result<(), Refusal> {
        if desk.env.config.mutants.has(Mutant::GenerationNotChecked) {
            return Ok(());
        }
        match from {
            None if self.state == State::Empty || in_transaction => return Ok(()),
            None => return Err(Refusal::UnknownMemberId),
            Some(from) => {
                if let Err(why) = self.of_generation(from, desk) {
                    desk.mark(marks::ZOMBIE_COMMIT);
                    return Err(why);
                }
                if self.state == State::CompletingRebalance && !in_transaction {
                    return Err(Refusal::RebalanceInProgress);
                }
                self.listen(from.member, desk);
            }
        }
        Ok(())
    }
}
