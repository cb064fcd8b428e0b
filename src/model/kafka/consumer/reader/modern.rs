//! A group that the broker assigns, from the member's side: heartbeats tell it what it shall have; it gives up first, says so, and
//! is given the rest (KIP-848).

use std::sync::Arc;

use crate::base::Span;
use crate::world::{Ctx, Hosts};

use super::super::super::protocol::group::{Beat, BeatEpoch, Beaten, GroupRequest};
use super::super::super::refusal::Refusal;
use super::bond::{Meaning, Prepared, Stage};
use super::wire::Ask;
use super::{Concern, How, Reader, Reads};

/// How long a member waits before it tries a name again that a former process of it still holds.
const UNRELEASED_PAUSE: Span = Span::secs(1);

impl Reader {
    /// What the member does next: heartbeats at any time, giving up and taking over in `poll()`.
    pub(super) fn bind_modern<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if self.bond.lost && self.waiting {
            self.bond.lost = false;
            self.give_up_all(true, ctx);
        }
        if self.waiting && !self.bond.lost && self.bond.stage == Stage::In {
            self.reconcile(ctx);
        }
        let due = match self.bond.stage {
            // What was lost is told to the application before it joins again.
            Stage::Out => !self.bond.lost && self.waiting,
            Stage::Joining | Stage::Syncing | Stage::Synced(_) => false,
            Stage::In => self.bond.news,
        };
        if due && !self.bond.beating && self.view.is_some() && !self.resting.contains(&Concern::Membership) {
            self.send_beat(ctx);
        }
    }

    /// Goes from what it has to what it was told to have.
    fn reconcile<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let Some(target) = self.bond.target.clone() else { return };
        let owned = self.owned();
        let revoked: Vec<_> = owned.iter().copied().filter(|part| !target.contains(part)).collect();
        match self.bond.prepared {
            Prepared::Commits(_) => return,
            Prepared::No if !revoked.is_empty() && self.commits_itself(ctx.config()) && self.bond.generation > 0 => {
                let positions = self.positions(ctx.config());
                if !positions.is_empty() {
                    let number = self.put_commit(None, How::Sync, positions, ctx);
                    self.bond.prepared = Prepared::Commits(number);
                    return;
                }
            }
            Prepared::No | Prepared::Yes => {}
        }
        self.bond.prepared = Prepared::No;
        self.bond.target = None;
        self.give_up(revoked, false, ctx);
        self.take_over(&target, ctx);
        self.bond.news = true;
        self.restart_auto(ctx);
    }

    fn send_beat<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let Some(node) = self.reach_coordinator(ctx) else { return };
        let own = self.own(ctx.config());
        let Some(member) = self.bond.id else { return };
        let joins = self.bond.stage == Stage::Out;
        let full = joins || self.bond.full;
        let beat = Beat {
            group: own.group,
            member,
            instance: own.is_static.then(|| ctx.me()),
            epoch: if joins { BeatEpoch::Join } else { BeatEpoch::At(self.bond.generation) },
            rebalance_timeout: full.then_some(own.max_poll_interval),
            topics: full.then(|| own.topics.clone().into()),
            assignor: full.then_some(own.assignor),
            // Told until it is known to have arrived.
            owned: Some(self.owned().into()).filter(|_| full || self.bond.news),
        };
        if joins {
            self.bond.stage = Stage::Joining;
        }
        self.bond.news = false;
        self.bond.full = false;
        self.bond.beating = true;
        let patience = own.request_timeout;
        self.ask_group(node, (GroupRequest::Beat(beat), Ask::Beat { leaves: false }), patience, ctx);
    }

    /// Says that it leaves; a static member that it does so for a while.
    pub(super) fn beat_leaving<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) -> bool {
        let Some(node) = self.coordinator.filter(|node| self.group.links.wait(*node, ctx.now()).is_zero()) else { return false };
        let own = self.own(ctx.config());
        let Some(member) = self.bond.id else { return false };
        let beat = Beat {
            group: own.group,
            member,
            instance: own.is_static.then(|| ctx.me()),
            epoch: if own.is_static { BeatEpoch::LeaveForAWhile } else { BeatEpoch::Leave },
            rebalance_timeout: None,
            topics: None,
            assignor: None,
            owned: None,
        };
        let patience = own.request_timeout;
        self.ask_group(node, (GroupRequest::Beat(beat), Ask::Beat { leaves: true }), patience, ctx);
        true
    }

    /// The answer to a heartbeat.
    pub(super) fn led<W: Hosts<R>, R: Reads>(&mut self, leaves: bool, result: Result<Beaten, Refusal>, ctx: &mut Ctx<'_, W, R>) {
        if leaves {
            return self.left(ctx);
        }
        self.bond.beating = false;
        if !matches!(self.bond.stage, Stage::Joining | Stage::In) {
            return; // it has left meanwhile
        }
        match result {
            Ok(beaten) => {
                let joined = self.bond.stage == Stage::Joining;
                self.bond.stage = Stage::In;
                self.bond.generation = beaten.epoch;
                if let Some(assigned) = beaten.assigned {
                    self.hold_back(&assigned);
                    self.bond.target = Some(assigned);
                }
                if joined || self.bond.interval != beaten.interval {
                    self.begin_beats(beaten.interval, ctx);
                }
            }
            Err(why) => self.not_led(why, ctx),
        }
    }

    fn not_led<W: Hosts<R>, R: Reads>(&mut self, why: Refusal, ctx: &mut Ctx<'_, W, R>) {
        self.say_all_again();
        if why == Refusal::UnreleasedInstanceId {
            return self.rest_for(UNRELEASED_PAUSE, Concern::Membership, ctx);
        }
        match Meaning::of(why) {
            Meaning::Expelled(_) => self.expelled(false, ctx),
            Meaning::Moved => self.coordinator_lost(ctx),
            Meaning::Never => self.stop(why, ctx),
            Meaning::Rebalances | Meaning::Later => self.rest(Concern::Membership, ctx),
        }
    }

    /// A heartbeat was not answered.
    pub(super) fn beat_lost<W: Hosts<R>, R: Reads>(&mut self, leaves: bool, ctx: &mut Ctx<'_, W, R>) {
        if leaves {
            return self.left(ctx);
        }
        self.bond.beating = false;
        self.say_all_again();
        self.rest(Concern::Membership, ctx);
    }

    /// It is not known what the coordinator has heard: the next heartbeat says everything.
    fn say_all_again(&mut self) {
        self.bond.full = true;
        match self.bond.stage {
            Stage::Joining => self.bond.stage = Stage::Out,
            Stage::In => self.bond.news = true,
            Stage::Out | Stage::Syncing | Stage::Synced(_) => {}
        }
    }

    /// What is to be given up is read no further, though the application is told only in its next `poll()`.
    fn hold_back(&mut self, target: &Arc<[super::Part]>) {
        for (part, slot) in &mut self.slots {
            slot.leaving = !target.contains(part) && !slot.is_ghost();
        }
    }
}
