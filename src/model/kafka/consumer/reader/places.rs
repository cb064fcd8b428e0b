//! Where a reader stands in each of its partitions: committed positions, resets, seeks.

use std::sync::Arc;

use crate::base::NodeId;
use crate::record::Note;
use crate::world::{Ctx, Hosts};

use super::super::super::config::{Commit as Policy, Config, Reset, Version};
use super::super::super::ids::{Epoch, Offset, Part};
use super::super::super::protocol::group::{Found, GroupRequest};
use super::super::super::protocol::{Body, ListOffsets, Seek};
use super::super::super::refusal::Refusal;
use super::super::marks;
use super::bond::Stage;
use super::wire::Ask;
use super::{Concern, Event, Reader, Reads};

/// What is known of a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    /// The application says where (it keeps positions outside of Kafka).
    Outside,
    /// What is committed is to be asked.
    Committed,
    /// An end of the log is to be asked.
    Reset(Seek),
    /// Known.
    Placed,
    /// The mutant: not the member's any more, and read all the same.
    Ghost,
}

/// A partition that the member has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    at: At,
    /// The number of its assignment: what was asked for an earlier one does not count.
    pub(super) round: u64,
    /// The next to be returned.
    pub(super) offset: Offset,
    /// The epoch of the last record before it.
    pub(super) last_epoch: Option<Epoch>,
    /// The leader is to say whether its log goes on from there.
    pub(super) doubtful: bool,
    /// Another replica to ask instead of the leader.
    pub(super) preferred: Option<NodeId>,
    /// A request for its records is out.
    pub(super) fetching: bool,
    /// Its records are there and not all returned.
    pub(super) buffered: bool,
    /// It is to be given up.
    pub(super) leaving: bool,
}

impl Slot {
    pub(super) const fn new(round: u64, outside: bool) -> Slot {
        let at = if outside { At::Outside } else { At::Committed };
        Slot { at, round, offset: 0, last_epoch: None, doubtful: false, preferred: None, fetching: false, buffered: false, leaving: false }
    }

    /// Whether its position is known.
    pub(super) fn is_placed(&self) -> bool {
        self.at == At::Placed
    }

    /// Whether it can be read: also when it should not be any more.
    pub(super) fn is_readable(&self) -> bool {
        matches!(self.at, At::Placed | At::Ghost) && !self.leaving
    }

    pub(super) fn is_ghost(&self) -> bool {
        self.at == At::Ghost
    }

    pub(super) fn haunt(&mut self) {
        if self.at == At::Placed {
            self.at = At::Ghost;
        }
    }

    /// Reads on from an offset.
    fn place(&mut self, offset: Offset, last_epoch: Option<Epoch>) {
        self.at = At::Placed;
        self.offset = offset;
        self.last_epoch = last_epoch;
        self.doubtful = last_epoch.is_some();
        self.buffered = false;
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let at = match self.at {
            At::Outside => 0,
            At::Committed => 1,
            At::Reset(Seek::Earliest) => 2,
            At::Reset(Seek::Latest) => 3,
            At::Placed => 4,
            At::Ghost => 5,
        };
        let flags = [self.doubtful, self.fetching, self.buffered, self.leaving, self.preferred.is_some()];
        flags.into_iter().fold(at, |word, flag| word << 1 | u64::from(flag))
    }
}

impl Reader {
    /// Whether positions are kept outside of Kafka.
    pub(super) fn positions_are_outside(&self, config: &Config) -> bool {
        self.own(config).commit == Policy::WithEffect
    }

    /// Goes on at an offset (`None`: by `auto.offset.reset`) in a partition that it has.
    pub fn seek<W: Hosts<R>, R: Reads>(&mut self, part: Part, to: Option<Offset>, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) {
        self.serial += 1;
        let round = self.serial;
        let Some(slot) = self.slots.get_mut(&part).filter(|slot| !slot.is_ghost()) else { return };
        *slot = Slot { preferred: slot.preferred, leaving: slot.leaving, ..Slot::new(round, false) };
        match to {
            Some(offset) => slot.place(offset, None),
            None => self.reset(part, ctx),
        }
        self.fetched.retain(|fetched| fetched.part != part);
        self.drive(ctx);
        events.append(&mut self.events);
    }

    /// Goes back to the committed positions of all partitions that it has, as after an aborted transaction.
    pub fn rewind<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) {
        for slot in self.slots.values_mut().filter(|slot| !slot.is_ghost()) {
            self.serial += 1;
            *slot = Slot { preferred: slot.preferred, leaving: slot.leaving, ..Slot::new(self.serial, false) };
        }
        self.fetched.clear();
        self.drive(ctx);
        events.append(&mut self.events);
    }

    /// Asks for the positions that are not known.
    pub(super) fn ask_positions<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if self.slots.values().all(|slot| matches!(slot.at, At::Placed | At::Outside | At::Ghost)) {
            return;
        }
        self.ask_committed(ctx);
        self.ask_ends(ctx);
    }

    fn ask_committed<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let settled = self.bond.stage == Stage::In;
        if !settled || self.resting.contains(&Concern::Positions) || self.group.any(|ask| matches!(ask, Ask::Positions(_))) {
            return;
        }
        let wanted = self.slots.iter().filter(|(_, slot)| slot.at == At::Committed);
        let asked: Arc<[(Part, u64)]> = wanted.map(|(part, slot)| (*part, slot.round)).collect();
        if asked.is_empty() {
            return;
        }
        let Some(node) = self.reach_coordinator(ctx) else { return };
        let own = self.own(ctx.config());
        let (group, patience) = (own.group, own.request_timeout);
        let from = self.membership(ctx);
        // Positions of open transactions are waited for from 2.5 on (KIP-447).
        let stable = ctx.config().version >= Version::V2_8;
        let parts = asked.iter().map(|(part, _)| *part).collect();
        let request = GroupRequest::Positions { group, from, parts, stable };
        self.ask_group(node, (request, Ask::Positions(asked)), patience, ctx);
    }

    /// The coordinator says where the group stands.
    pub(super) fn positions_found<W: Hosts<R>, R: Reads>(
        &mut self,
        asked: &[(Part, u64)],
        result: Result<Vec<Found>, Refusal>,
        ctx: &mut Ctx<'_, W, R>,
    ) {
        let found = match result {
            Ok(found) => found,
            Err(why) => {
                self.rest(Concern::Positions, ctx);
                if matches!(why, Refusal::NotCoordinator | Refusal::CoordinatorNotAvailable) {
                    self.coordinator_lost(ctx);
                }
                return;
            }
        };
        for ((part, round), found) in asked.iter().zip(found) {
            let Some(slot) = self.slots.get_mut(part).filter(|slot| slot.round == *round && slot.at == At::Committed) else { continue };
            match found.position {
                Some((offset, epoch)) => slot.place(offset, epoch),
                None => self.reset(*part, ctx),
            }
        }
        self.say_subscribed(ctx);
    }

    /// There is no position, or one that the log does not have: `auto.offset.reset` decides.
    pub(super) fn reset<W: Hosts<R>, R: Reads>(&mut self, part: Part, ctx: &mut Ctx<'_, W, R>) {
        let seek = match self.own(ctx.config()).reset {
            Reset::Earliest => Seek::Earliest,
            Reset::Latest => Seek::Latest,
            Reset::None => return self.stop(Refusal::OffsetOutOfRange, ctx),
        };
        ctx.mark(marks::RESET);
        if let Some(slot) = self.slots.get_mut(&part) {
            slot.at = At::Reset(seek);
            slot.buffered = false;
        }
    }

    /// Asks leaders for the ends of their logs.
    fn ask_ends<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let wanted: Vec<(Part, u64, Seek)> = self
            .slots
            .iter()
            .filter_map(|(part, slot)| match slot.at {
                At::Reset(seek) => Some((*part, slot.round, seek)),
                At::Outside | At::Committed | At::Placed | At::Ghost => None,
            })
            .collect();
        let (now, config) = (ctx.now(), ctx.config());
        for (part, round, seek) in wanted {
            if self.resting.contains(&Concern::Part(part)) || self.data.any(|ask| *ask == Ask::ListOffsets(part, round)) {
                continue;
            }
            let Some((leader, epoch)) = self.leader(part, config) else { continue };
            let wait = self.data.links.wait(leader, now);
            if !wait.is_zero() {
                self.rest_for(wait, Concern::Part(part), ctx);
                continue;
            }
            let own = self.own(config);
            let request = ListOffsets { part, seek, committed: own.read_committed, epoch };
            self.data.ask(leader, (Body::ListOffsets(request), Ask::ListOffsets(part, round)), own.request_timeout, ctx);
        }
    }

    /// Who leads a partition, and at which epoch (old versions do not say it). Nobody: metadata is asked anew.
    pub(super) fn leader(&mut self, part: Part, config: &Config) -> Option<(NodeId, Option<Epoch>)> {
        let view = self.view.as_ref().and_then(|view| view.part(part));
        let found = view.and_then(|view| view.leader.map(|leader| (leader, view.epoch)));
        self.stale |= found.is_none();
        found.map(|(leader, epoch)| (leader, (config.version >= Version::V2_8).then_some(epoch)))
    }

    /// A leader says where its log begins or ends.
    pub(super) fn listed<W: Hosts<R>, R: Reads>(
        &mut self,
        (part, round): (Part, u64),
        found: Result<Offset, Refusal>,
        ctx: &mut Ctx<'_, W, R>,
    ) {
        let Ok(offset) = found else { return self.not_listed((part, round), ctx) };
        let known = self.slots.get_mut(&part).filter(|slot| slot.round == round && matches!(slot.at, At::Reset(_)));
        if let Some(slot) = known {
            slot.place(offset, None);
            self.say_subscribed(ctx);
        }
    }

    /// It does not say so: perhaps somebody else leads by now.
    pub(super) fn not_listed<W: Hosts<R>, R: Reads>(&mut self, (part, _): (Part, u64), ctx: &mut Ctx<'_, W, R>) {
        self.stale = true;
        self.rest(Concern::Part(part), ctx);
    }

    /// With `earliest`, a group is entitled to everything from the beginning: its first node says so, in its first life.
    pub(super) fn say_entitled<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let config = ctx.config();
        let own = self.own(config);
        if own.reset == Reset::Earliest && ctx.life() == 0 && self.subscribed == 0 && first_of(own.group, config) == Some(ctx.me()) {
            for (_, group) in &config.groups[own.group.index()].subscriptions {
                ctx.note(Note::Subscribe { group: *group });
            }
            self.subscribed = u64::MAX;
        }
    }

    /// Without, it is entitled to what comes after a member has got positions for all that it has.
    fn say_subscribed<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        let config = ctx.config();
        let own = self.own(config);
        if own.reset == Reset::Earliest || !self.slots.values().all(|slot| slot.is_placed() || slot.is_ghost()) {
            return;
        }
        for (at, (topic, group)) in config.groups[own.group.index()].subscriptions.iter().enumerate() {
            let bit = 1 << at.min(63);
            let reads = self.slots.keys().any(|part| config.partitions[part.index()].topic == *topic);
            if self.subscribed & bit == 0 && reads {
                self.subscribed |= bit;
                ctx.note(Note::Subscribe { group: *group });
            }
        }
    }
}

/// The first node of a group's first kind of reader.
fn first_of(group: super::super::super::ids::GroupId, config: &Config) -> Option<NodeId> {
    let consumer = config.consumers.iter().position(|kind| kind.group == group);
    let processor = config.processors.iter().position(|kind| kind.consumer.group == group);
    let first = |places: &[(NodeId, u16, u32)], kind: usize| {
        places.iter().find(|(_, of, number)| usize::from(*of) == kind && *number == 0).map(|(node, _, _)| *node)
    };
    match (consumer, processor) {
        (Some(kind), _) => first(&config.places.consumers, kind),
        (None, Some(kind)) => first(&config.places.processors, kind),
        (None, None) => None,
    }
}
