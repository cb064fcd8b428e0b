//! A reader as a member of its group: what both protocols have in common.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{Digest, NodeId, Span};
use crate::record::{LogNote, Note};
use crate::world::{Ctx, Hosts};

use super::super::super::config::{Config, GroupProtocol};
use super::super::super::ids::{MemberId, Part, TopicId};
use super::super::super::mutants::Mutant;
use super::super::super::protocol::Body;
use super::super::super::protocol::group::{Generation, GroupReply, GroupRequest};
use super::super::super::refusal::Refusal;
use super::super::marks;
use super::wire::Ask;
use super::{Event, Phase, Reader, ReaderTimer, Reads};

/// Where a member stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// Not in the group.
    Out,
    /// Has asked to join.
    Joining,
    /// Has joined and asked for its assignment.
    Syncing,
    /// Has its assignment; takes it up in the next `poll()`.
    Synced(Arc<[Part]>),
    /// In the group.
    In,
}

/// What is done before a member joins again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prepared {
    /// Nothing yet.
    No,
    /// The commit with this number is waited for.
    Commits(u64),
    /// Positions are committed and partitions given up.
    Yes,
}

/// What a refusal by the coordinator means to a member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Meaning {
    /// Somebody else coordinates.
    Moved,
    /// It is no member any more; `true`: not by its name either.
    Expelled(bool),
    /// The group is about to change.
    Rebalances,
    /// The group will not have it, for good.
    Never,
    /// Another time, perhaps.
    Later,
}

impl Meaning {
    pub(super) const fn of(why: Refusal) -> Meaning {
        use Refusal as R;
        if matches!(why, R::NotCoordinator | R::CoordinatorNotAvailable) {
            Meaning::Moved
        } else if matches!(why, R::UnknownMemberId) {
            Meaning::Expelled(true)
        } else if matches!(why, R::IllegalGeneration | R::FencedMemberEpoch) {
            Meaning::Expelled(false)
        } else if matches!(why, R::RebalanceInProgress) {
            Meaning::Rebalances
        } else if matches!(why, R::FencedInstanceId | R::InconsistentGroupProtocol | R::InvalidSessionTimeout | R::UnsupportedVersion) {
            Meaning::Never
        } else {
            Meaning::Later
        }
    }
}

/// What the leader of a group has assigned: all topics that its members subscribe to, and their partitions.
pub(super) type Led = (BTreeSet<TopicId>, Vec<Part>);

/// The membership.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Bond {
    pub(super) id: Option<MemberId>,
    /// The generation, or the member's epoch; 0: none.
    pub(super) generation: Generation,
    pub(super) stage: Stage,
    /// It shall join again.
    pub(super) rejoin: bool,
    pub(super) prepared: Prepared,
    /// It leads the group; and what there was to assign when it did.
    pub(super) leads: Option<Led>,
    /// Which series of heartbeats.
    pub(super) beats: u64,
    /// A heartbeat is on its way.
    pub(super) beating: bool,
    /// Where the broker assigns: what the member shall have, as told last.
    pub(super) target: Option<Arc<[Part]>>,
    /// Where the broker assigns: the member has something to tell at once.
    pub(super) news: bool,
    /// Where the broker assigns: it was not told everything yet, or not for certain.
    pub(super) full: bool,
    /// The time between two heartbeats.
    pub(super) interval: Span,
    /// It may not read what it has any more: to be told in the next `poll()`.
    pub(super) lost: bool,
    /// Since which number this membership counts.
    pub(super) born: u64,
    /// The number of the wait for closing.
    pub(super) closing: u64,
}

impl Bond {
    pub(super) fn new() -> Bond {
        Bond {
            id: None,
            generation: 0,
            stage: Stage::Out,
            rejoin: true,
            prepared: Prepared::No,
            leads: None,
            beats: 0,
            beating: false,
            target: None,
            news: false,
            full: true,
            interval: Span::ZERO,
            lost: false,
            born: 0,
            closing: 0,
        }
    }

    /// A commit is over.
    pub(super) fn committed(&mut self, number: u64) {
        if self.prepared == Prepared::Commits(number) {
            self.prepared = Prepared::Yes;
        }
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        let stage = match &self.stage {
            Stage::Out => 0,
            Stage::Joining => 1,
            Stage::Syncing => 2,
            Stage::Synced(parts) => 3 | (parts.len() as u64) << 8,
            Stage::In => 4,
        };
        let flags = u64::from(self.rejoin) | u64::from(self.lost) << 1 | u64::from(self.beating) << 2 | u64::from(self.news) << 3;
        digest.words(stage << 8 | flags, u64::from(self.generation));
        digest.words(self.id.map_or(0, |id| id.0), self.target.as_ref().map_or(0, |target| target.len() as u64 + 1));
    }
}

impl Reader {
    /// What the member does next in its group.
    pub(super) fn bind<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        match self.own(ctx.config()).protocol {
            GroupProtocol::Eager | GroupProtocol::Cooperative => self.bind_classic(ctx),
            GroupProtocol::Consumer => self.bind_modern(ctx),
        }
    }

    /// The member begins to exist, as far as it is concerned.
    pub(super) fn name_self<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        self.bond.born = self.serial + 1;
        if self.is_modern(ctx.config()) {
            self.bond.id = Some(MemberId(crate::base::Words::word(ctx.random())));
        }
    }

    /// Asks the coordinator.
    pub(super) fn ask_group<W: Hosts<R>, R: Reads>(
        &mut self,
        node: NodeId,
        (request, ask): (GroupRequest, Ask),
        patience: Span,
        ctx: &mut Ctx<'_, W, R>,
    ) {
        self.group.ask(node, (Body::Group(Box::new(request)), ask), patience, ctx);
    }

    /// An answer of any kind.
    pub(super) fn answer<W: Hosts<R>, R: Reads>(&mut self, from: NodeId, ask: Ask, body: Body, ctx: &mut Ctx<'_, W, R>) {
        match (ask, body) {
            (Ask::Metadata, Body::MetadataReply(reply)) => self.informed(reply, ctx),
            (Ask::Coordinator, Body::FindCoordinatorReply(found)) => self.coordinator_found(found, ctx),
            (Ask::ListOffsets(part, round), Body::ListOffsetsReply(found)) => self.listed((part, round), found, ctx),
            (Ask::Fetch(asked), Body::FetchReply(reply)) => self.came(from, &asked, *reply, ctx),
            (ask, Body::GroupReply(reply)) => match (ask, *reply) {
                (Ask::Join, GroupReply::Join(result)) => self.joined(result, ctx),
                (Ask::Sync, GroupReply::Sync(result)) => self.synced(result, ctx),
                (Ask::Heartbeat, GroupReply::Heartbeat(result)) => self.beaten(result, ctx),
                (Ask::Beat { leaves }, GroupReply::Beat(result)) => self.led(leaves, result, ctx),
                (Ask::Leave, GroupReply::Leave(_)) => self.left(ctx),
                (Ask::Commit(number), GroupReply::Commit(result)) => self.commit_answered(number, result, ctx),
                (Ask::Positions(asked), GroupReply::Positions(result)) => self.positions_found(&asked, result, ctx),
                (ask, reply) => unreachable!("{reply:?} is no answer to {ask:?}"),
            },
            (ask, body) => unreachable!("{body:?} is no answer to {ask:?}"),
        }
    }

    /// Time for a sign of life.
    pub(super) fn beat_due<W: Hosts<R>, R: Reads>(&mut self, round: u64, ctx: &mut Ctx<'_, W, R>) {
        if round != self.bond.beats || self.phase != Phase::On {
            return;
        }
        self.timer(self.bond.interval, ReaderTimer::Beat(round), ctx);
        match self.own(ctx.config()).protocol {
            GroupProtocol::Eager | GroupProtocol::Cooperative => self.beat_classic(ctx),
            GroupProtocol::Consumer => self.bond.news = true,
        }
    }

    /// Heartbeats begin, at an interval.
    pub(super) fn begin_beats<W: Hosts<R>, R: Reads>(&mut self, interval: Span, ctx: &mut Ctx<'_, W, R>) {
        self.serial += 1;
        self.bond.beats = self.serial;
        self.bond.interval = interval;
        self.bond.beating = false;
        self.timer(interval, ReaderTimer::Beat(self.serial), ctx);
    }

    /// The group has gone on without it: what it has may be another's. It is told in the next `poll()`.
    pub(super) fn expelled<W: Hosts<R>, R: Reads>(&mut self, forget_name: bool, ctx: &mut Ctx<'_, W, R>) {
        ctx.mark(marks::EXPELLED);
        if forget_name && !self.is_modern(ctx.config()) {
            self.bond.id = None;
        }
        self.out_of_group();
    }

    /// It is in no generation.
    pub(super) fn out_of_group(&mut self) {
        self.bond.generation = 0;
        self.bond.stage = Stage::Out;
        self.bond.rejoin = true;
        self.bond.prepared = Prepared::No;
        self.bond.leads = None;
        self.bond.beats = 0;
        self.bond.target = None;
        self.bond.full = true;
        self.bond.lost = !self.slots.is_empty();
    }

    /// The application has not polled in time: the member leaves, so that others can go on.
    pub(super) fn poll_is_late<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        self.poll_late = None;
        if self.phase != Phase::On || self.waiting || self.bond.stage == Stage::Out {
            return;
        }
        ctx.mark(marks::POLL_LATE);
        ctx.say(None, || "did not poll in time and leaves its group".into());
        self.leave_group(ctx);
        if !self.is_modern(ctx.config()) {
            self.bond.id = None;
        }
        self.out_of_group();
    }

    /// Says that it leaves, if it is in the group and not static (static members come back).
    fn leave_group<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) -> bool {
        let own = self.own(ctx.config());
        let (group, patience) = (own.group, own.request_timeout);
        if self.is_modern(ctx.config()) {
            return self.bond.generation > 0 && self.beat_leaving(ctx);
        }
        let (Some(member), false) = (self.bond.id, own.is_static) else { return false };
        let Some(node) = self.coordinator.filter(|node| self.group.links.wait(*node, ctx.now()).is_zero()) else { return false };
        self.ask_group(node, (GroupRequest::Leave { group, member }, Ask::Leave), patience, ctx);
        true
    }

    /// Closing: the last commit is through.
    pub(super) fn say_leaving<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        self.phase = Phase::Leaving;
        if !self.leave_group(ctx) {
            self.closed(ctx);
        }
    }

    /// It has left, or nobody will say so.
    pub(super) fn left<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if self.phase == Phase::Leaving {
            self.closed(ctx);
        }
    }

    /// The member has these partitions from now on.
    pub(super) fn take_over<W: Hosts<R>, R: Reads>(&mut self, parts: &[Part], ctx: &mut Ctx<'_, W, R>) {
        let fresh: Vec<Part> = parts.iter().copied().filter(|part| self.slots.get(part).is_none_or(super::Slot::is_ghost)).collect();
        let outside = self.positions_are_outside(ctx.config());
        for part in &fresh {
            self.serial += 1;
            self.slots.insert(*part, super::Slot::new(self.serial, outside));
            note(self, *part, true, ctx);
        }
        if !fresh.is_empty() {
            self.events.push(Event::Assigned(fresh));
        }
    }

    /// The member gives these partitions up, or has lost them.
    pub(super) fn give_up<W: Hosts<R>, R: Reads>(&mut self, parts: Vec<Part>, lost: bool, ctx: &mut Ctx<'_, W, R>) {
        let parts: Vec<Part> = parts.into_iter().filter(|part| self.slots.get(part).is_some_and(|slot| !slot.is_ghost())).collect();
        if parts.is_empty() {
            return;
        }
        ctx.mark(if lost { marks::LOST } else { marks::REVOKED });
        let keeps = ctx.config().mutants.has(Mutant::KeepsRevoked) && self.phase == Phase::On;
        for part in &parts {
            match self.slots.get_mut(part) {
                Some(slot) if keeps => slot.haunt(),
                Some(_) | None => {
                    self.slots.remove(part);
                }
            }
            note(self, *part, false, ctx);
        }
        self.events.push(Event::Revoked { parts, lost });
    }

    pub(super) fn give_up_all<W: Hosts<R>, R: Reads>(&mut self, lost: bool, ctx: &mut Ctx<'_, W, R>) {
        self.give_up(self.slots.keys().copied().collect(), lost, ctx);
        if self.phase != Phase::On || lost {
            self.slots.retain(|_, slot| slot.is_ghost());
        }
    }

    /// What it has.
    pub(super) fn owned(&self) -> Vec<Part> {
        self.slots.iter().filter(|(_, slot)| !slot.is_ghost()).map(|(part, _)| *part).collect()
    }

    /// The partitions of topics that there are, as far as it knows.
    pub(super) fn there_are(&self, topics: impl Iterator<Item = TopicId>, config: &Config) -> Vec<Part> {
        let Some(view) = &self.view else { return Vec::new() };
        topics.flat_map(|topic| config.parts_of(topic)).filter(|part| view.part(*part).is_some()).collect()
    }
}

/// Says that a partition is, or is no longer, read by this node.
fn note<W: Hosts<R>, R: Reads>(reader: &Reader, part: Part, assigned: bool, ctx: &mut Ctx<'_, W, R>) {
    let config = ctx.config();
    let group = config.subscription(reader.own(config).group, part);
    if let (Some(group), Some(log)) = (group, config.partitions[part.index()].object) {
        ctx.note(Note::Log(if assigned { LogNote::Assigned { group, log } } else { LogNote::Revoked { group, log } }));
    }
}
