//! The only door between a handler and the world: clock, messages, timers, disk, chance and history.

use std::marker::PhantomData;

use crate::base::{ClientOp, ConnId, Lane, NodeId, PayloadId, SmallStream, Span, Tag, Time};
use crate::parts::disk::DiskFull;
use crate::parts::queue::Handle;
use crate::record::{End, Mark, Note, Place, Step, What};

use super::core::Core;
use super::protocol::{Hosts, Message, Peer, Protocol, Role};

/// Marks a context that speaks the protocol's own types, not those of a role inside it.
#[derive(Clone, Copy, Debug)]
pub struct Itself;

/// The types a context speaks: the protocol's own ([`Itself`]) or those of a [`Role`] that it hosts.
pub trait Scope<W: Protocol> {
    /// Messages to send.
    type Msg;
    /// Timers to set.
    type Timer;
    /// Writes to make.
    type Write;
    /// What the disk held at boot.
    type Disk: Clone;
    /// The configuration to read.
    type Config;
    /// Wraps a message.
    fn msg(msg: Self::Msg) -> W::Msg;
    /// Wraps a timer.
    fn timer(timer: Self::Timer) -> W::Timer;
    /// Wraps a write.
    fn write(write: Self::Write) -> W::Write;
    /// This scope's part of the disk.
    fn disk(disk: &W::Disk) -> &Self::Disk;
    /// This scope's part of the configuration.
    fn config(config: &W::Config) -> &Self::Config;
}

impl<W: Protocol> Scope<W> for Itself {
    type Msg = W::Msg;
    type Timer = W::Timer;
    type Write = W::Write;
    type Disk = W::Disk;
    type Config = W::Config;
    fn msg(msg: W::Msg) -> W::Msg {
        msg
    }
    fn timer(timer: W::Timer) -> W::Timer {
        timer
    }
    fn write(write: W::Write) -> W::Write {
        write
    }
    fn disk(disk: &W::Disk) -> &W::Disk {
        disk
    }
    fn config(config: &W::Config) -> &W::Config {
        config
    }
}

impl<W: Hosts<R>, R: Role> Scope<W> for R {
    type Msg = R::Msg;
    type Timer = R::Timer;
    type Write = R::Write;
    type Disk = R::Disk;
    type Config = R::Config;
    fn msg(msg: R::Msg) -> W::Msg {
        <W as Hosts<R>>::msg(msg)
    }
    fn timer(timer: R::Timer) -> W::Timer {
        <W as Hosts<R>>::timer(timer)
    }
    fn write(write: R::Write) -> W::Write {
        <W as Hosts<R>>::write(write)
    }
    fn disk(disk: &W::Disk) -> &R::Disk {
        <W as Hosts<R>>::disk(disk)
    }
    fn config(config: &W::Config) -> &R::Config {
        <W as Hosts<R>>::config(config)
    }
}

/// A timer that was set; cancelling it after it fired does nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TimerId(pub(super) Handle);

/// What a handler may do, at one node, during one event. Handlers run to completion.
pub struct Ctx<'a, W: Protocol, S = Itself> {
    pub(super) core: &'a mut Core<W>,
    pub(super) config: &'a W::Config,
    pub(super) node: NodeId,
    pub(super) scope: PhantomData<S>,
}

impl<'a, W: Protocol, S: Scope<W>> Ctx<'a, W, S> {
    /// The same context for a role inside this node.
    pub fn narrow<R: Role>(&mut self) -> Ctx<'_, W, R>
    where
        W: Hosts<R>,
    {
        Ctx { core: self.core, config: self.config, node: self.node, scope: PhantomData }
    }

    /// This node.
    #[must_use]
    pub fn me(&self) -> NodeId {
        self.node
    }

    /// What this node's clock shows: skewed, drifting, perhaps stepped.
    #[must_use]
    pub fn now(&self) -> Time {
        self.core.local_now(self.node)
    }

    /// Which life of this node's process it is: the next one after every crash, pauses left out. For the names of messages
    /// that are counted ([`Message::tag`]): a process that starts again counts from one again. Behaviour must not depend on it.
    #[must_use]
    pub fn life(&self) -> u32 {
        self.core.hosts[self.node].incarnation
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &'a S::Config {
        S::config(self.config)
    }

    /// Sends a datagram: it may be lost, duplicated, reordered, damaged.
    pub fn send(&mut self, to: NodeId, msg: S::Msg) {
        self.core.send_datagram(self.node, to, S::msg(msg));
    }

    /// Opens a stream. What is sent on it arrives in order or the stream ends; the handle is usable at once.
    pub fn connect(&mut self, to: NodeId) -> ConnId {
        self.core.connect(self.node, to)
    }

    /// Sends over a stream. On a stream that has ended it does nothing: the end was or will be told by `on_disconnect`.
    pub fn send_on(&mut self, conn: ConnId, msg: S::Msg) {
        self.core.send_stream(self.node, conn, S::msg(msg));
    }

    /// Answers whoever sent a message, the way it came.
    pub fn reply(&mut self, peer: Peer, msg: S::Msg) {
        match peer.conn {
            Some(conn) => self.send_on(conn, msg),
            None => self.send(peer.node, msg),
        }
    }

    /// Ends a stream from this side; the peer learns it by `on_disconnect`, this side is told nothing.
    pub fn close(&mut self, conn: ConnId) {
        self.core.close(self.node, conn);
    }

    /// Sets a timer, measured by this node's clock. It is gone after a crash.
    pub fn timer(&mut self, after: Span, timer: S::Timer) -> TimerId {
        TimerId(self.core.set_timer(self.node, after, S::timer(timer)))
    }

    /// Takes a timer back, also while it waits for a processor. Nothing happens if it has fired.
    pub fn cancel(&mut self, timer: TimerId) {
        self.core.cancel_timer(timer.0);
    }

    /// Writes to the page cache: survives the process, not the power.
    ///
    /// # Errors
    /// When the disk is full: nothing was written.
    pub fn write(&mut self, write: S::Write) -> Result<(), DiskFull> {
        self.core.disk_write(self.node, S::write(write))
    }

    /// Writes through the page cache: what was written so far is on the medium when this returns. It is the instant at which
    /// a store's commit takes effect; how long that takes is a sync before it.
    ///
    /// # Errors
    /// When the disk is full: nothing was written.
    pub fn commit(&mut self, write: S::Write) -> Result<(), DiskFull> {
        self.core.disk_commit(self.node, S::write(write))
    }

    /// Makes everything written so far durable; then `done` fires, or `failed` if the disk would not.
    pub fn sync(&mut self, done: S::Timer, failed: S::Timer) {
        self.core.disk_sync(self.node, S::timer(done), S::timer(failed));
    }

    /// What the disk holds for a process that boots now.
    #[must_use]
    pub fn recover(&self) -> S::Disk {
        S::disk(&self.core.disk_recover(self.node)).clone()
    }

    /// A choice below `n` about a subject, independent of everything that came before.
    #[must_use]
    pub fn choose(&self, subject: u64, n: u64) -> u64 {
        let tag = Tag { kind: u16::MAX, subject, attempt: 0 };
        crate::base::Words::below(&mut self.core.open_tag(self.node, self.node, tag).words(Lane::Choice, 0), n)
    }

    /// This node's own random words, for what has no subject.
    pub fn random(&mut self) -> &mut SmallStream {
        self.core.node_words(self.node)
    }

    /// Ends an operation that the load asked for. Once.
    pub fn end(&mut self, op: ClientOp, end: End) {
        self.core.end_op(self.node, op, (end, None));
    }

    /// Ends an operation that the load asked for: it happened, and the client was told where in a log its message stands.
    pub fn end_at(&mut self, op: ClientOp, place: Place) {
        self.core.end_op(self.node, op, (End::Ok, Some(place)));
    }

    /// Writes into the history.
    pub fn note(&mut self, note: Note) {
        self.core.record(self.node, What::Note(note));
    }

    /// Says that a rare path was taken.
    pub fn mark(&mut self, mark: Mark) {
        self.core.marks.hit(mark);
    }

    /// Whether a story is kept: whoever would go through many messages to tell of each can leave that out otherwise.
    #[must_use]
    pub const fn is_traced(&self) -> bool {
        self.core.trace.is_some()
    }

    /// Tells the story in the model's words; costs nothing unless a trace is kept.
    pub fn say(&mut self, about: Option<PayloadId>, text: impl FnOnce() -> String) {
        self.core.trace_with(self.node, || Step::Said { about, text: text() });
    }

    /// The size of a message as it would go over the wire.
    #[must_use]
    pub fn wire_bytes(msg: S::Msg) -> u32 {
        S::msg(msg).bytes()
    }
}
