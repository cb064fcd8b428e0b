//! What a simulated system must say of itself: the whole as a [`Protocol`], its reusable pieces as [`Role`]s.

use std::hash::Hash;

use crate::base::{Digest, NodeId, ObjectId, PayloadId, Tag, Time};
use crate::parts::disk::Contents;
use crate::record::{Command, Object};

use super::Disconnect;
use super::ctx::{Ctx, Itself};
use super::nodes::Nodes;

/// A message: it has a name for keyed decisions, a size, and a body that can be damaged.
pub trait Message: Clone {
    /// The transmission's name. Unique on its link: a second transmission of the same kind about the same subject has
    /// the next attempt number; kinds without identity (heartbeats) count per peer in the sender's state.
    fn tag(&self) -> Tag;
    /// Size on the wire in bytes, headers included.
    fn bytes(&self) -> u32;
    /// Bits flip in the body: whoever looks at it later must be able to tell (or be fooled, if nobody looks).
    fn corrupt(&mut self, word: u64);
}

/// Who sent a message, and what an answer needs to find the way back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Peer {
    /// The node.
    pub node: NodeId,
    /// The stream it came over; `None`: a datagram.
    pub conn: Option<crate::base::ConnId>,
}

/// One node of the roster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RosterNode {
    /// Its name in faults, stories and reports.
    pub name: String,
    /// The groups that selectors may name (`brokers`, `clients`, `producers`).
    pub groups: Vec<&'static str>,
    /// Whether the load hands it operations.
    pub takes_load: bool,
}

/// Everything of a run that has a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// Nodes; ids are positions.
    pub nodes: Vec<RosterNode>,
    /// Objects; ids are positions.
    pub objects: Vec<Object>,
}

/// An invariant of the protocol that does not hold, in one sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach(pub String);

/// The whole of one simulated system: what a [`super::World`] runs.
///
/// Laws: a clone given the same events does the same; time, chance, network and disk are reached only through the
/// context; what is not on disk is gone after a crash, for the first boot and a restart are one function.
pub trait Protocol: Clone + Sized + Send + Sync + 'static {
    /// The checked configuration, shared by all nodes.
    type Config: Send + Sync + 'static;
    /// All messages.
    type Msg: Message + Hash + Send + Sync;
    /// All timers.
    type Timer: Clone + Hash + Send + Sync;
    /// What a node's disk holds.
    type Disk: Contents<Write = Self::Write> + Send + Sync;
    /// One write to it.
    type Write: Clone + Send + Sync;
    /// A node's volatile state, usually an enum of roles.
    type Node: Clone + Send + Sync;

    /// The names of message kinds; [`Tag::kind`] is a position.
    fn kinds() -> &'static [&'static str];
    /// The payload that a message of this name is about, if it is about one: its story follows it by that.
    fn about(tag: Tag) -> Option<PayloadId>;
    /// Nodes and objects.
    fn roster(config: &Self::Config) -> Roster;
    /// The empty disk of a node.
    fn format(id: NodeId, config: &Self::Config) -> Self::Disk;
    /// Starts a node on what its disk holds (`ctx.recover()`): first boot and restart alike.
    fn boot(ctx: &mut Ctx<'_, Self, Itself>) -> Self::Node;
    /// The load asks a client for an operation; the client ends it with `ctx.end`.
    fn on_command(node: &mut Self::Node, command: Command, ctx: &mut Ctx<'_, Self, Itself>);
    /// A message arrived.
    fn on_message(node: &mut Self::Node, from: Peer, msg: Self::Msg, ctx: &mut Ctx<'_, Self, Itself>);
    /// A timer fired.
    fn on_timer(node: &mut Self::Node, timer: Self::Timer, ctx: &mut Ctx<'_, Self, Itself>);
    /// A stream ended without our asking.
    fn on_disconnect(node: &mut Self::Node, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, Self, Itself>);
    /// Units of service that handling a message costs; a node's `cpu.service` says how long one takes.
    fn cost(config: &Self::Config, msg: &Self::Msg) -> u32;
    /// The nodes that play a role now, such as `leader` of `orders/0`. `None`: the protocol knows no such role.
    fn resolve(config: &Self::Config, nodes: &Nodes<'_, Self>, role: &str, of: &str) -> Option<Vec<NodeId>>;
    /// Checked between events at a stride that the run chooses.
    ///
    /// # Errors
    /// The breach, in one sentence.
    fn invariant(config: &Self::Config, nodes: &Nodes<'_, Self>) -> Result<(), Breach>;
    /// Adds a node's state to a digest: times relative to `now`, ids canonical.
    fn fingerprint(node: &Self::Node, now: Time, digest: &mut Digest);
    /// Reports gauges for charts: how many messages an object holds at this node.
    fn gauges(node: &Self::Node, report: &mut dyn FnMut(ObjectId, u64));
    /// Final read: every message that somebody holds and could still deliver, with its holder and its queue or subscription. All processes
    /// are seen at once: what is held may be known only to several of them together (one has the log, another the position).
    fn held(config: &Self::Config, nodes: &Nodes<'_, Self>, report: &mut dyn FnMut(NodeId, ObjectId, PayloadId));
}

/// A part of a node that speaks one protocol: a broker, a producer, a cache client. It may be embedded in a larger node
/// of another protocol, which then [`Hosts`] it.
pub trait Role: Clone + Sized {
    /// Its configuration.
    type Config;
    /// Its messages.
    type Msg: Message;
    /// Its timers.
    type Timer: Clone;
    /// What it keeps on disk.
    type Disk: Contents<Write = Self::Write>;
    /// One write to it.
    type Write: Clone;
    /// What it hands, through a sink, to the code around it.
    type Up;

    /// Starts on what its disk holds.
    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self;
    /// The load asks for an operation.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Self::Up>);
    /// A message for this role arrived.
    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Self::Msg, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Self::Up>);
    /// A timer of this role fired.
    fn on_timer<W: Hosts<Self>>(&mut self, timer: Self::Timer, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Self::Up>);
    /// A stream ended without our asking.
    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, W, Self>, up: &mut impl Sink<Self::Up>);
}

/// How a protocol carries a role inside it: wrap its messages, timers and writes, find its disk and its configuration.
pub trait Hosts<R: Role>: Protocol {
    /// Wraps a message. Each role of a composite has its own range of kinds.
    fn msg(msg: R::Msg) -> Self::Msg;
    /// Wraps a timer.
    fn timer(timer: R::Timer) -> Self::Timer;
    /// Wraps a write.
    fn write(write: R::Write) -> Self::Write;
    /// The role's part of the disk.
    fn disk(disk: &Self::Disk) -> &R::Disk;
    /// The role's part of the configuration.
    fn config(config: &Self::Config) -> &R::Config;
}

/// Where a role hands what it has for the code around it.
pub trait Sink<T> {
    /// Takes one.
    fn put(&mut self, item: T);
}

impl<T> Sink<T> for Vec<T> {
    fn put(&mut self, item: T) {
        self.push(item);
    }
}

/// A sink for roles that nobody listens to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl<T> Sink<T> for Discard {
    fn put(&mut self, _: T) {}
}
