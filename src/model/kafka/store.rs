//! A database outside of Kafka: consumers that want each effect once write effects and positions into it, in one commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::{Digest, ObjectId, PayloadId};
use crate::record::{Command, Note};
use crate::world::{Contents, Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::config::Config;
use super::ids::{GroupId, Offset, Part};
use super::protocol::store::{Advance, Wanted};
use super::protocol::{Body, Msg, Namer, StoreReply, StoreRequest};

/// Payloads by number, one bit each, in chunks that copies of the world share.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Payloads(BTreeMap<u32, Arc<[u64; CHUNK_WORDS]>>);

const CHUNK_WORDS: usize = 64;
const CHUNK: u32 = 64 * 64;

impl Payloads {
    fn insert(&mut self, payload: PayloadId) {
        let (chunk, bit) = (payload.0 / CHUNK, payload.0 % CHUNK);
        let words = Arc::make_mut(self.0.entry(chunk).or_insert_with(|| Arc::new([0; CHUNK_WORDS])));
        words[(bit / 64) as usize] |= 1 << (bit % 64);
    }

    fn contains(&self, payload: PayloadId) -> bool {
        let (chunk, bit) = (payload.0 / CHUNK, payload.0 % CHUNK);
        self.0.get(&chunk).is_some_and(|words| words[(bit / 64) as usize] & 1 << (bit % 64) != 0)
    }
}

/// What the database holds. Effects that positions keep apart from repetitions leave nothing behind.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoreDisk {
    positions: BTreeMap<(GroupId, Part), Offset>,
    once: BTreeMap<ObjectId, Payloads>,
}

/// One commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoreWrite {
    /// Positions of a group.
    pub positions: Vec<(GroupId, Part, Offset)>,
    /// Effects that are kept by number.
    pub once: Vec<Wanted>,
}

impl Contents for StoreDisk {
    type Write = StoreWrite;

    fn apply(&mut self, write: StoreWrite) {
        for (group, part, offset) in write.positions {
            self.positions.insert((group, part), offset);
        }
        for wanted in write.once {
            self.once.entry(wanted.subscription).or_default().insert(wanted.payload);
        }
    }
    /// A database with a log of its own: half a commit is none.
    fn torn(_: &StoreWrite, _: u64) -> Option<StoreWrite> {
        None
    }
    /// Ids and offsets are checked by the database itself.
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(write: &StoreWrite) -> u64 {
        (write.positions.len() * 16 + write.once.len() * 16) as u64
    }
    fn frees(_: &StoreWrite) -> u64 {
        0
    }
}

/// The database's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StoreTimer {
    /// What was written so far is durable: the commits that wait take effect.
    Synced,
    /// The disk would not.
    SyncFailed,
}

/// The database's process.
#[derive(Clone, Debug)]
pub struct Store {
    namer: Namer,
    held: StoreDisk,
    /// Who waits for the sync that is under way, and what for.
    syncing: VecDeque<(Peer, u32, StoreRequest)>,
    /// Who came after it had begun.
    waiting: VecDeque<(Peer, u32, StoreRequest)>,
}

impl Store {
    /// Where a group stands in a partition, if its positions are kept here.
    #[must_use]
    pub fn position(&self, group: GroupId, part: Part) -> Option<Offset> {
        self.held.positions.get(&(group, part)).copied()
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, digest: &mut Digest) {
        for ((group, part), offset) in &self.held.positions {
            digest.words(u64::from(group.0) << 32 | u64::from(part.0), *offset);
        }
        digest.words(self.syncing.len() as u64, self.waiting.len() as u64);
    }

    fn answer<W: Hosts<Store>>(&mut self, (peer, number): (Peer, u32), reply: StoreReply, ctx: &mut Ctx<'_, W, Store>) {
        let msg = self.namer.counted(number, Body::StoreReply(Box::new(reply)));
        ctx.reply(peer, msg);
    }

    /// Starts a sync for all that wait, unless one is under way.
    fn begin<W: Hosts<Store>>(&mut self, ctx: &mut Ctx<'_, W, Store>) {
        if self.syncing.is_empty() && !self.waiting.is_empty() {
            std::mem::swap(&mut self.syncing, &mut self.waiting);
            ctx.sync(StoreTimer::Synced, StoreTimer::SyncFailed);
        }
    }

    /// One transaction of the database: its effects are there in the instant in which it is durable.
    fn commit<W: Hosts<Store>>(&mut self, request: StoreRequest, ctx: &mut Ctx<'_, W, Store>) -> StoreReply {
        let (write, fresh) = match request {
            StoreRequest::Positions { group, parts } => {
                let of = |part: Part| self.held.positions.get(&(group, part)).map(|offset| (part, *offset));
                return StoreReply::Positions(parts.into_iter().filter_map(of).collect());
            }
            StoreRequest::Together { group, advances, effects } => {
                let stands = |advance: &Advance| self.held.positions.get(&(group, advance.part)).copied() == advance.from;
                if !advances.iter().all(stands) {
                    return StoreReply::Conflict;
                }
                let positions = advances.into_iter().map(|advance| (group, advance.part, advance.to)).collect();
                (StoreWrite { positions, once: Vec::new() }, effects)
            }
            StoreRequest::Once { mut effects } => {
                let mut here = BTreeSet::new();
                let held = |wanted: &Wanted| self.held.once.get(&wanted.subscription).is_some_and(|seen| seen.contains(wanted.payload));
                effects.retain(|wanted| !held(wanted) && here.insert(*wanted));
                (StoreWrite { positions: Vec::new(), once: effects.clone() }, effects)
            }
        };
        if ctx.commit(write.clone()).is_err() {
            return StoreReply::Failed;
        }
        self.held.apply(write);
        for wanted in fresh {
            ctx.note(Note::Effect { group: wanted.subscription, payload: wanted.payload });
        }
        StoreReply::Done
    }
}

impl Role for Store {
    type Config = Config;
    type Msg = Msg;
    type Timer = StoreTimer;
    type Disk = StoreDisk;
    type Write = StoreWrite;
    type Up = std::convert::Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        Store { namer: Namer::new(ctx.life(), 0), held: ctx.recover(), syncing: VecDeque::new(), waiting: VecDeque::new() }
    }

    /// The load has nothing to ask of a database.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        unreachable!("{} was given to a database; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        let Body::Store(request) = msg.body else { unreachable!("nobody sends a database {:?}", msg.body) };
        match *request {
            read @ StoreRequest::Positions { .. } => {
                let reply = self.commit(read, ctx);
                self.answer((from, msg.number), reply, ctx);
            }
            write @ (StoreRequest::Together { .. } | StoreRequest::Once { .. }) => {
                self.waiting.push_back((from, msg.number, write));
                self.begin(ctx);
            }
        }
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: StoreTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        for (peer, number, request) in std::mem::take(&mut self.syncing) {
            let reply = match timer {
                StoreTimer::Synced => self.commit(request, ctx),
                StoreTimer::SyncFailed => StoreReply::Failed,
            };
            self.answer((peer, number), reply, ctx);
        }
        self.begin(ctx);
    }

    /// Who has gone away asks again; what it asked for still happens.
    fn on_disconnect<W: Hosts<Self>>(&mut self, _: Peer, _: Disconnect, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {}
}
