//! The reading side of a client: membership in a group, positions, fetches, `poll()`. Not a role itself, so that a processor can embed
//! it beside its writing side.

use std::sync::Arc;

use crate::base::{Digest, NodeId, Time};
use crate::world::{Ctx, Hosts, Peer, Role};

use super::super::batch::{Batch, Position, Rec};
use super::super::config::{Config, ConsumerConfig};
use super::super::ids::{Offset, Part};
use super::super::protocol::Msg;
use super::super::protocol::group::Membership;
use super::super::refusal::Refusal;

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

/// A reader's timers. To be handed back with [`Reader::on_timer`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ReaderTimer {}

/// What a reader tells the code around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// `poll()` would not come back empty any more (or has work of its own to do): call [`Reader::poll`]. Only told while the application
    /// waits in `poll()`, which is from a poll that came back empty on.
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
        /// `Err`: refused, or not known to have happened.
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

/// The reading side of a client.
#[derive(Clone, Debug)]
pub struct Reader {
    whose: Whose,
}

impl Reader {
    /// A reader that has done nothing yet. Its two kinds of connections are the parts `part` and `part + 1` of the process (see `Links`).
    #[must_use]
    pub fn new<W: Hosts<R>, R: Reads>(whose: Whose, _part: u8, _ctx: &mut Ctx<'_, W, R>) -> Reader {
        Reader { whose }
    }

    /// The application begins to poll: connects, joins the group. It waits in `poll()` from here on.
    pub fn start<W: Hosts<R>, R: Reads>(&mut self, _ctx: &mut Ctx<'_, W, R>, _events: &mut Vec<Event>) {}

    /// The application calls `poll()`: joins, gives up partitions, commits by itself (if it shall), and takes up to `max.poll.records` of
    /// what was fetched. Deliveries are noted. With `paused` it takes none. Nothing came: the application waits in `poll()`
    /// until [`Event::Ready`].
    pub fn poll<W: Hosts<R>, R: Reads>(
        &mut self,
        _paused: bool,
        _taken: &mut Vec<Slice>,
        _ctx: &mut Ctx<'_, W, R>,
        _events: &mut Vec<Event>,
    ) {
    }

    /// The application commits positions; [`Event::Committed`] says what became of it. It does not poll meanwhile, if it waits for that.
    pub fn commit<W: Hosts<R>, R: Reads>(
        &mut self,
        _token: u64,
        _how: How,
        _positions: Vec<Position>,
        _ctx: &mut Ctx<'_, W, R>,
        _events: &mut Vec<Event>,
    ) {
    }

    /// The positions after all that polls have returned, of the partitions that it has.
    #[must_use]
    pub fn positions(&self, _config: &Config) -> Vec<Position> {
        Vec::new()
    }

    /// As which member it speaks now, for positions that go into transactions. `None`: it is not in the group.
    #[must_use]
    pub fn membership(&self) -> Option<Membership> {
        None
    }

    /// The coordinator of its group, as far as it knows.
    #[must_use]
    pub fn coordinator(&self) -> Option<NodeId> {
        None
    }

    /// Goes on at an offset (`None`: by `auto.offset.reset`) in a partition that it has.
    pub fn seek<W: Hosts<R>, R: Reads>(&mut self, _part: Part, _to: Option<Offset>, _ctx: &mut Ctx<'_, W, R>, _events: &mut Vec<Event>) {}

    /// Goes back to the committed positions of all partitions that it has, as after an aborted transaction.
    pub fn rewind<W: Hosts<R>, R: Reads>(&mut self, _ctx: &mut Ctx<'_, W, R>, _events: &mut Vec<Event>) {}

    /// The application closes the reader: commits by itself (if it shall), leaves the group (unless static), ends its connections.
    pub fn close<W: Hosts<R>, R: Reads>(&mut self, _ctx: &mut Ctx<'_, W, R>, _events: &mut Vec<Event>) {}

    /// Whether a message came over one of its connections, in which case it is dealt with. Else it is given back.
    pub fn on_message<W: Hosts<R>, R: Reads>(
        &mut self,
        _from: Peer,
        msg: Msg,
        _ctx: &mut Ctx<'_, W, R>,
        _events: &mut Vec<Event>,
    ) -> Option<Msg> {
        Some(msg)
    }

    /// A timer of the reader fired.
    pub fn on_timer<W: Hosts<R>, R: Reads>(&mut self, timer: ReaderTimer, _ctx: &mut Ctx<'_, W, R>, _events: &mut Vec<Event>) {
        match timer {}
    }

    /// A connection ended: whether it was one of the reader's.
    pub fn on_disconnect<W: Hosts<R>, R: Reads>(&mut self, _peer: Peer, _ctx: &mut Ctx<'_, W, R>, _events: &mut Vec<Event>) -> bool {
        false
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        digest.words(now.nanos(), self.whose.number());
    }
}

impl Whose {
    const fn number(self) -> u64 {
        match self {
            Whose::Consumer(at) => at as u64,
            Whose::Processor(at) => 1 << 16 | at as u64,
        }
    }
}
