//! The reading side of a client: membership in a group, positions, fetches, `poll()`. Not a role itself, so that a processor can embed
//! it beside its writing side.

mod bond;
mod buffer;
mod classic;
mod cluster;
mod commits;
mod fetch;
mod modern;
mod places;
mod wire;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::{Digest, NodeId, Span, Time};
use crate::world::{Ctx, Hosts, Peer, Role, TimerId};

use super::super::batch::{Batch, Position, Rec};
use super::super::config::{Config, ConsumerConfig, GroupProtocol};
use super::super::ids::{Offset, Part};
use super::super::links::Links;
use super::super::protocol::Msg;
use super::super::protocol::group::Membership;
use super::super::refusal::Refusal;
use super::super::view::View;
use super::marks;

use bond::Bond;
use buffer::Fetched;
use commits::{Auto, Commit};
use places::Slot;
pub use wire::Side;
use wire::{Ask, Wire};

/// How long a reader that closes waits for its last commit and for leaving (`close(Duration)`, default).
const CLOSE_PATIENCE: Span = Span::secs(30);

/// A role that has a reader inside.
pub trait Reads: Role<Msg = Msg, Config = Config, Timer: From<ReaderTimer>> {}

impl<R: Role<Msg = Msg, Config = Config, Timer: From<ReaderTimer>>> Reads for R {}

/// Whose reader it is: a position in the configuration.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Whose {
    /// In [`Config::consumers`].
    Consumer(u16),
    /// In [`Config::processors`].
    Processor(u16),
}

impl Whose {
    /// Its configuration.
    #[must_use]
    pub fn config(self, config: &Config) -> &ConsumerConfig {
        match self {
            Whose::Consumer(at) => &config.consumers[usize::from(at)],
            Whose::Processor(at) => &config.processors[usize::from(at)].consumer,
        }
    }
}

/// What pauses for a while after it went wrong.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Concern {
    /// Asking who leads what.
    Metadata,
    /// Asking who coordinates the group.
    Coordinator,
    /// Joining the group.
    Membership,
    /// Asking for committed positions.
    Positions,
    /// Committing.
    Commits,
    /// Asking a broker for records.
    Node(NodeId),
    /// Asking for a partition.
    Part(Part),
}

/// A reader's timers, to be handed back with [`Reader::on_timer`]. Those with a number mean nothing once a later one was given.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReaderTimer {
    /// No answer to a request.
    Overdue(Side, NodeId, u32),
    /// A pause is over.
    Rested(Concern),
    /// `metadata.max.age.ms` is over.
    MetadataAge(u64),
    /// Time for a sign of life.
    Beat(u64),
    /// `max.poll.interval.ms` is over.
    PollLate(u64),
    /// `auto.commit.interval.ms` is over.
    AutoCommit(u64),
    /// A commit was tried for long enough.
    CommitLate(u64),
    /// Closing took long enough.
    CloseLate(u64),
}

/// What a reader tells the code around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// `poll()` would not come back empty any more: call [`Reader::poll`]. Only told while the application waits in `poll()`, which is
    /// from a poll that came back empty on.
    Ready,
    /// These partitions are the member's from now on. With positions kept outside of Kafka it waits for [`Reader::seek`].
    Assigned(Vec<Part>),
    /// These partitions are not the member's any more. It was told in `poll()`, so all that earlier polls returned is processed (unless
    /// it is processed elsewhere). `lost`: they may be another's already, nothing can be committed.
    Revoked {
        /// Which.
        parts: Vec<Part>,
        /// Whether they were taken without its agreement.
        lost: bool,
    },
    /// A commit that [`Reader::commit`] was asked for is over.
    Committed {
        /// The number that was given.
        token: u64,
        /// `Err`: refused, or (`REQUEST_TIMED_OUT`) not known to have happened.
        result: Result<(), Refusal>,
    },
    /// The reader stops for good, as the real client does when `poll()` throws what cannot be retried.
    Stopped(Refusal),
    /// [`Reader::close`] is done.
    Closed,
}

/// Records of one batch that a poll returned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slice {
    /// From which partition.
    pub part: Part,
    /// The offset of the batch.
    pub base: Offset,
    /// The batch.
    pub batch: Arc<Batch>,
    /// The first of its records that belongs to the slice.
    pub from: u32,
    /// The record after the last.
    pub to: u32,
}

impl Slice {
    /// Its records.
    #[must_use]
    pub fn records(&self) -> &[Rec] {
        &self.batch.as_records()[self.from as usize..self.to as usize]
    }

    /// The offset of one of its records.
    #[must_use]
    pub fn offset(&self, record: &Rec) -> Offset {
        self.base + u64::from(record.delta)
    }
}

/// How a commit is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum How {
    /// `commitSync`: again and again until it is decided, for at most `default.api.timeout.ms`.
    Sync,
    /// `commitAsync`: once.
    Async,
}

/// What a reader is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Not started, closed, or stopped.
    Off,
    /// Reading.
    On,
    /// Commits what is to be committed before it leaves.
    LastCommit,
    /// Has said that it leaves.
    Leaving,
}

/// The reading side of a client.
#[derive(Clone, Debug)]
pub struct Reader {
    whose: Whose,
    data: Wire,
    group: Wire,
    phase: Phase,
    /// The application is in `poll()`.
    waiting: bool,
    /// It would take no records.
    paused: bool,
    resting: BTreeSet<Concern>,
    view: Option<Arc<View>>,
    /// What is known of the cluster has proved wrong.
    stale: bool,
    coordinator: Option<NodeId>,
    bond: Bond,
    slots: BTreeMap<Part, Slot>,
    fetched: VecDeque<Fetched>,
    auto: Auto,
    commits: BTreeMap<u64, Commit>,
    poll_late: Option<TimerId>,
    /// Numbers assignments, commits, waits; never goes back in a life.
    serial: u64,
    /// The subscriptions that this node has said it reads.
    subscribed: u64,
    events: Vec<Event>,
}

impl Reader {
    /// A reader that has done nothing yet. Its two kinds of connections are the parts `part` and `part + 1` of the process (see [`Links`]).
    #[must_use]
    pub fn new<W: Hosts<R>, R: Reads>(whose: Whose, part: u8, ctx: &mut Ctx<'_, W, R>) -> Reader {
        let own = whose.config(ctx.config());
        let links = |part| Links::new((ctx.life(), part), own.reconnect_backoff, own.reconnect_backoff_max);
        let mut reader = Reader {
            whose,
            data: Wire::new(Side::Data, links(part)),
            group: Wire::new(Side::Group, links(part + 1)),
            phase: Phase::Off,
            waiting: false,
            paused: false,
            resting: BTreeSet::new(),
            view: None,
            stale: true,
            coordinator: None,
            bond: Bond::new(),
            slots: BTreeMap::new(),
            fetched: VecDeque::new(),
            auto: Auto::default(),
            commits: BTreeMap::new(),
            poll_late: None,
            serial: 0,
            subscribed: 0,
            events: Vec::new(),
        };
        reader.say_entitled(ctx);
        reader
    }

    /// The application begins to poll: connects, joins the group. It waits in `poll()` from here on. A reader that was closed can be
    /// started again: as another process.
    pub fn start<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) {
        self.phase = Phase::On;
        self.waiting = true;
        self.paused = false;
        self.resting.clear();
        self.view = None;
        self.stale = true;
        self.coordinator = None;
        self.bond = Bond::new();
        self.slots.clear();
        self.fetched.clear();
        self.commits.clear();
        self.name_self(ctx);
        self.begin_auto(ctx);
        self.serial += 1;
        let age = self.own(ctx.config()).metadata_max_age;
        self.timer(age, ReaderTimer::MetadataAge(self.serial), ctx);
        self.drive(ctx);
        events.append(&mut self.events);
    }

    /// The application calls `poll()`: joins, gives up partitions, commits by itself (if it shall), and takes up to `max.poll.records` of
    /// what was fetched. Deliveries are noted. With `paused` it takes none. Nothing came: the application waits in `poll()`
    /// until [`Event::Ready`].
    pub fn poll<W: Hosts<R>, R: Reads>(&mut self, paused: bool, taken: &mut Vec<Slice>, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) {
        if let Some(timer) = self.poll_late.take() {
            ctx.cancel(timer);
        }
        if self.phase != Phase::On {
            return;
        }
        let first = taken.len();
        self.waiting = true;
        self.paused = true; // nothing is told to be ready: it is taken at once
        self.drive(ctx);
        self.paused = paused;
        if !paused && self.phase == Phase::On {
            self.take(taken, ctx);
        }
        if taken.len() > first {
            // The next fetches are under way while the application works.
            self.fetch(ctx);
            self.waiting = false;
            self.serial += 1;
            let patience = self.own(ctx.config()).max_poll_interval;
            self.poll_late = Some(self.timer(patience, ReaderTimer::PollLate(self.serial), ctx));
        }
        events.append(&mut self.events);
    }

    /// The positions after all that polls have returned, of the partitions that it has.
    #[must_use]
    pub fn positions(&self, config: &Config) -> Vec<Position> {
        let group = self.own(config).group;
        let known = self.slots.iter().filter(|(_, slot)| slot.is_placed());
        known.map(|(part, slot)| Position { group, part: *part, offset: slot.offset, epoch: slot.last_epoch }).collect()
    }

    /// As which member it speaks now, for positions that go into transactions. `None`: it is not in the group.
    #[must_use]
    pub fn membership<W: Hosts<R>, R: Reads>(&self, ctx: &Ctx<'_, W, R>) -> Option<Membership> {
        let instance = self.own(ctx.config()).is_static.then(|| ctx.me());
        let member = self.bond.id.filter(|_| self.bond.generation > 0)?;
        Some(Membership { member, generation: self.bond.generation, instance })
    }

    /// The coordinator of its group, as far as it knows.
    #[must_use]
    pub const fn coordinator(&self) -> Option<NodeId> {
        self.coordinator
    }

    /// Whether the application waits in `poll()`.
    #[must_use]
    pub const fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// The application closes the reader: commits by itself (if it shall), leaves the group (unless static), ends its connections.
    pub fn close<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) {
        if self.phase == Phase::On {
            self.phase = Phase::LastCommit;
            self.waiting = false;
            if let Some(timer) = self.poll_late.take() {
                ctx.cancel(timer);
            }
            self.serial += 1;
            self.timer(CLOSE_PATIENCE, ReaderTimer::CloseLate(self.serial), ctx);
            self.bond.closing = self.serial;
            self.last_commit(ctx);
            self.drive(ctx);
        }
        events.append(&mut self.events);
    }

    /// Whether a message came over one of its connections, in which case it is dealt with. Else it is given back.
    pub fn on_message<W: Hosts<R>, R: Reads>(
        &mut self,
        from: Peer,
        msg: Msg,
        ctx: &mut Ctx<'_, W, R>,
        events: &mut Vec<Event>,
    ) -> Option<Msg> {
        let ask = match self.data.answered(from, msg.number, ctx) {
            Some(ask) => ask,
            None => match self.group.answered(from, msg.number, ctx) {
                Some(ask) => ask,
                None => return Some(msg),
            },
        };
        self.answer(from.node, ask, msg.body, ctx);
        self.drive(ctx);
        events.append(&mut self.events);
        None
    }

    /// A timer of the reader fired.
    pub fn on_timer<W: Hosts<R>, R: Reads>(&mut self, timer: ReaderTimer, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) {
        match timer {
            ReaderTimer::Overdue(side, node, number) => self.overdue(side, (node, number), ctx),
            ReaderTimer::Rested(concern) => {
                self.resting.remove(&concern);
            }
            ReaderTimer::MetadataAge(number) => self.metadata_aged(number, ctx),
            ReaderTimer::Beat(round) => self.beat_due(round, ctx),
            ReaderTimer::PollLate(_) => self.poll_is_late(ctx),
            ReaderTimer::AutoCommit(number) => self.auto.due |= number == self.auto.round,
            ReaderTimer::CommitLate(number) => self.commit_is_late(number, ctx),
            ReaderTimer::CloseLate(number) => {
                if matches!(self.phase, Phase::LastCommit | Phase::Leaving) && number == self.bond.closing {
                    self.closed(ctx);
                }
            }
        }
        self.drive(ctx);
        events.append(&mut self.events);
    }

    /// A connection ended: whether it was one of the reader's.
    pub fn on_disconnect<W: Hosts<R>, R: Reads>(&mut self, peer: Peer, ctx: &mut Ctx<'_, W, R>, events: &mut Vec<Event>) -> bool {
        let now = ctx.now();
        let (side, lost) = if self.data.links.lost(peer, now) {
            (Side::Data, self.data.forget(peer.node, ctx))
        } else if self.group.links.lost(peer, now) {
            (Side::Group, self.group.forget(peer.node, ctx))
        } else {
            return false;
        };
        self.unanswered(side, peer.node, lost, ctx);
        self.drive(ctx);
        events.append(&mut self.events);
        true
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, _: Time, digest: &mut Digest) {
        digest.words(self.phase as u64, u64::from(self.waiting) | u64::from(self.stale) << 1 | (self.commits.len() as u64) << 2);
        self.bond.fingerprint(digest);
        for (part, slot) in &self.slots {
            digest.words(u64::from(part.0), slot.offset);
            digest.word(slot.fingerprint());
        }
        digest.words(self.fetched.len() as u64, (self.data.open() as u64) << 32 | self.group.open() as u64);
        digest.word(self.coordinator.map_or(u64::MAX, |node| u64::from(node.0)));
    }

    fn own<'a>(&self, config: &'a Config) -> &'a ConsumerConfig {
        self.whose.config(config)
    }

    fn is_modern(&self, config: &Config) -> bool {
        self.own(config).protocol == GroupProtocol::Consumer
    }

    #[expect(clippy::unused_self, reason = "called like the other means of a reader")]
    fn timer<W: Hosts<R>, R: Reads>(&self, after: Span, timer: ReaderTimer, ctx: &mut Ctx<'_, W, R>) -> TimerId {
        ctx.timer(after, R::Timer::from(timer))
    }

    /// Pauses with something for `retry.backoff.ms`.
    fn rest<W: Hosts<R>, R: Reads>(&mut self, concern: Concern, ctx: &mut Ctx<'_, W, R>) {
        let pause = self.own(ctx.config()).retry_backoff;
        self.rest_for(pause, concern, ctx);
    }

    fn rest_for<W: Hosts<R>, R: Reads>(&mut self, pause: Span, concern: Concern, ctx: &mut Ctx<'_, W, R>) {
        if self.resting.insert(concern) {
            self.timer(pause, ReaderTimer::Rested(concern), ctx);
        }
    }

    fn wire(&mut self, side: Side) -> &mut Wire {
        match side {
            Side::Data => &mut self.data,
            Side::Group => &mut self.group,
        }
    }

    /// Does whatever can be done now.
    fn drive<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        if self.phase == Phase::Off {
            return;
        }
        self.refresh(ctx);
        self.seek_coordinator(ctx);
        if self.phase == Phase::On {
            self.bind(ctx);
            self.auto_commit(ctx);
        }
        self.send_commits(ctx);
        if self.phase == Phase::On {
            self.bind(ctx); // a commit that could not be sent holds nothing up
        }
        // What has come is looked at before more is asked for: a partition whose batch held nothing but a marker is asked again at once.
        if self.phase == Phase::On && self.waiting && !self.paused && self.ready(ctx) {
            self.waiting = false;
            self.events.push(Event::Ready);
        } else if self.phase == Phase::On && (self.waiting || self.is_modern(ctx.config())) {
            self.ask_positions(ctx);
            self.fetch(ctx);
        }
        if self.phase == Phase::LastCommit && self.commits.is_empty() {
            self.say_leaving(ctx);
        }
    }

    /// A request was not answered in time: its connection is given up.
    fn overdue<W: Hosts<R>, R: Reads>(&mut self, side: Side, (node, number): (NodeId, u32), ctx: &mut Ctx<'_, W, R>) {
        let wire = self.wire(side);
        if !wire.is_overdue(node, number) {
            return;
        }
        let lost = wire.forget(node, ctx);
        wire.links.drop(node, ctx);
        self.unanswered(side, node, lost, ctx);
    }

    /// What was asked of a node is not answered any more.
    fn unanswered<W: Hosts<R>, R: Reads>(&mut self, side: Side, node: NodeId, lost: Vec<Ask>, ctx: &mut Ctx<'_, W, R>) {
        if side == Side::Group && self.coordinator == Some(node) {
            self.coordinator_lost(ctx);
        }
        if side == Side::Data {
            self.stale = true;
        }
        for ask in lost {
            match ask {
                Ask::Metadata => self.rest(Concern::Metadata, ctx),
                Ask::Coordinator => self.rest(Concern::Coordinator, ctx),
                Ask::Join | Ask::Sync => self.not_joined(ctx),
                Ask::Heartbeat => self.bond.beating = false,
                Ask::Beat { leaves } => self.beat_lost(leaves, ctx),
                Ask::Leave => self.left(ctx),
                Ask::Commit(number) => self.commit_unanswered(number, ctx),
                Ask::Positions(_) => self.rest(Concern::Positions, ctx),
                Ask::ListOffsets(part, round) => self.not_listed((part, round), ctx),
                Ask::Fetch(asked) => self.not_fetched(node, &asked, ctx),
            }
        }
    }

    /// Everything is over.
    fn closed<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        self.data.close(ctx);
        self.group.close(ctx);
        self.give_up_all(false, ctx);
        self.phase = Phase::Off;
        self.waiting = false;
        self.events.push(Event::Closed);
    }

    /// Stops for good.
    fn stop<W: Hosts<R>, R: Reads>(&mut self, why: Refusal, ctx: &mut Ctx<'_, W, R>) {
        if self.phase == Phase::Off {
            return;
        }
        ctx.mark(marks::STOPPED);
        ctx.say(None, || format!("the consumer stops: {why}"));
        self.data.close(ctx);
        self.group.close(ctx);
        self.give_up_all(true, ctx);
        self.commits.clear();
        if let Some(timer) = self.poll_late.take() {
            ctx.cancel(timer);
        }
        self.phase = Phase::Off;
        self.waiting = false;
        self.events.push(Event::Stopped(why));
    }
}
