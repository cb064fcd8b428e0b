//! What a handler can reach and what it cannot reach directly: queue, hosts, network, connections, history.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{ClientOp, ConnId, Decision, Digest, Lane, NodeId, PerNode, SmallStream, Span, Tag, Time, Words, WorldKey};
use crate::parts::config::StreamConfig;
use crate::parts::disk::{DiskFull, SyncPoint};
use crate::parts::network::{Fate, Network, Transmission, Transport};
use crate::parts::queue::{Handle, Queue};
use crate::parts::transport::Segment;
use crate::record::{Command, End, Entry, LossReason, Marks, Op, Place, Step, Trace, TraceEntry, What};

use super::Disconnect;
use super::faults::{Ledger, Turn};
use super::host::{Cold, Host, Machines};
use super::protocol::{Message, Protocol};
use super::streams::{Carried, Conns};

/// Kinds of decisions that the kernel itself makes; protocols count theirs from zero.
pub(super) const KIND_SYNC: u16 = u16::MAX - 1;
pub(super) const KIND_STRIKE: u16 = u16::MAX - 2;
/// The first of the kinds in [`CONNECTION_KINDS`].
pub(super) const KIND_CONNECTION: u16 = u16::MAX - 16;

/// What the operating systems at both ends of a stream send each other, as overrides and stories name it. The number such a
/// segment is about is that of the connection, counted from 1 between its two nodes.
pub const CONNECTION_KINDS: [&str; 4] = ["connect", "accept", "close", "reset"];

/// A wait that outlasts every run, for what a standing clock measures.
pub(super) const NEVER: Span = Span::secs(3_000_000_000);

/// Something that is going to happen.
pub(super) enum Event<P: Protocol> {
    /// A datagram reaches a host.
    Datagram { to: NodeId, from: NodeId, msg: P::Msg },
    /// A stream segment reaches a host.
    Segment { conn: ConnId, flow: u8, segment: Segment<Carried<P::Msg>> },
    /// A stuck segment's retransmission timer fires.
    Retry { conn: ConnId, flow: u8 },
    /// A connection is given up by one end (0 or 1).
    GiveUp { conn: ConnId, end: u8, only_unopened: bool },
    /// A reset reaches one end.
    Reset { conn: ConnId, end: u8, refused: bool },
    /// A process is told that a stream ended.
    Disconnected { node: NodeId, incarnation: u32, peer: NodeId, conn: ConnId, why: Disconnect },
    /// A process's timer fires.
    Timer { node: NodeId, incarnation: u32, timer: P::Timer },
    /// The load asks a client for something.
    Command { node: NodeId, command: Command },
    /// A disk has done what a sync asked for.
    Synced(Box<SyncDone<P>>),
    /// A host is ready to start its process.
    Boot { node: NodeId, incarnation: u32 },
    /// A fault strikes or ends.
    Fault(Turn),
    /// A timer that was cancelled while a processor was already busy with it.
    Cancelled { node: NodeId },
}

/// A sync that is under way.
pub(super) struct SyncDone<P: Protocol> {
    pub(super) node: NodeId,
    pub(super) incarnation: u32,
    pub(super) power_cycle: u32,
    pub(super) point: SyncPoint,
    pub(super) number: u64,
    pub(super) done: P::Timer,
    pub(super) failed: P::Timer,
}

impl<P: Protocol> Clone for SyncDone<P> {
    fn clone(&self) -> Self {
        let SyncDone { node, incarnation, power_cycle, point, number, done, failed } = self;
        SyncDone {
            node: *node,
            incarnation: *incarnation,
            power_cycle: *power_cycle,
            point: *point,
            number: *number,
            done: done.clone(),
            failed: failed.clone(),
        }
    }
}

/// Everything of a world but its processes.
pub(super) struct Core<P: Protocol> {
    pub(super) now: Time,
    pub(super) queue: Queue<Event<P>>,
    pub(super) key: WorldKey,
    pub(super) network: Network,
    pub(super) hosts: PerNode<Host<P>>,
    pub(super) machines: Arc<Machines>,
    pub(super) config: Arc<P::Config>,
    pub(super) stream: Arc<StreamConfig>,
    pub(super) conns: Conns<P::Msg>,
    pub(super) history: Vec<Entry>,
    pub(super) open: BTreeMap<ClientOp, (NodeId, Op)>,
    pub(super) marks: Marks,
    pub(super) digest: Digest,
    pub(super) ledger: Ledger<P>,
    pub(super) trace: Option<Box<Trace>>,
    pub(super) messages: u64,
    pub(super) events: u64,
    /// How many hosts need a look before an event may reach them (stopped, or with processors).
    pub(super) gated: u32,
}

impl<P: Protocol> Core<P> {
    /// Writes into the history and the digest.
    pub(super) fn record(&mut self, node: NodeId, what: What) {
        let entry = Entry { at: self.now, node, what };
        entry.fold(&mut self.digest);
        self.trace_with(node, || Step::Recorded(what));
        self.history.push(entry);
    }

    /// Opens the tag of a transmission: chance knows nodes by their names.
    #[inline]
    pub(super) fn open_tag(&self, from: NodeId, to: NodeId, tag: Tag) -> Decision {
        self.key.open(self.hosts[from].label, self.hosts[to].label, tag)
    }

    /// Adds a step to the trace, if one is kept.
    #[inline]
    pub(super) fn trace_with(&mut self, node: NodeId, step: impl FnOnce() -> Step) {
        if let Some(trace) = &mut self.trace {
            trace.push(TraceEntry { at: self.now, node, step: step() });
        }
    }

    /// What a node's clock shows.
    #[inline]
    pub(super) fn local_now(&self, node: NodeId) -> Time {
        match &self.hosts[node].cold {
            Some(cold) => cold.clock.local(self.now),
            None => self.now,
        }
    }

    /// The seldom used part of a host, made when first needed.
    pub(super) fn cold(&mut self, node: NodeId) -> &mut Cold<P> {
        let host = &mut self.hosts[node];
        host.cold.get_or_insert_with(|| Box::new(Cold::new(node, self.machines.of(node), &*self.config)))
    }

    /// The node's own random words.
    pub(super) fn node_words(&mut self, node: NodeId) -> &mut SmallStream {
        &mut self.hosts[node].words
    }

    /// Sends a datagram on its way.
    pub(super) fn send_datagram(&mut self, from: NodeId, to: NodeId, msg: P::Msg) {
        let tag = msg.tag();
        self.trace_with(from, || Step::Sent { to, tag, conn: None });
        self.debug_unique(from, to, tag);
        let decision = self.open_tag(from, to, tag);
        self.route_datagram(from, to, tag, decision, msg);
    }

    /// Asks the network what becomes of a datagram, and schedules it.
    pub(super) fn route_datagram(&mut self, from: NodeId, to: NodeId, tag: Tag, decision: Decision, msg: P::Msg) {
        let transmission =
            Transmission { from, to, kind: tag.kind, bytes: msg.bytes(), transport: Transport::Datagram, decision, resend: 0 };
        match self.network.route(self.now, &transmission) {
            Fate::Deliver { at, damage, copy } => {
                let (damaged, again) = (damage.is_some(), copy.map(|(again, _)| again));
                self.trace_with(from, || Step::Carried { to, tag, resend: 0, at, damaged, again });
                if let Some((again, damage)) = copy {
                    let mut twin = msg.clone();
                    if let Some(word) = damage {
                        twin.corrupt(word.get());
                    }
                    self.queue.push(again, Event::Datagram { to, from, msg: twin });
                }
                let mut msg = msg;
                if let Some(word) = damage {
                    msg.corrupt(word.get());
                }
                self.queue.push(at, Event::Datagram { to, from, msg });
            }
            Fate::Held { cause } => self.ledger.hold(cause, from, to, msg),
            Fate::Lost { why } => self.lost((from, to), tag, 0, why, false),
        }
    }

    /// Notes that a transmission was lost.
    pub(super) fn lost(&mut self, (from, to): (NodeId, NodeId), tag: Tag, resend: u32, why: LossReason, again: bool) {
        self.digest.words(tag.subject, u64::from(tag.kind) << 32 | u64::from(tag.attempt));
        self.trace_with(from, || Step::Lost { to, tag, resend, why, again });
    }

    /// In debug builds: no two transmissions on a link may have one name, or they would share one fate.
    pub(super) fn debug_unique(&mut self, from: NodeId, to: NodeId, tag: Tag) {
        #[cfg(debug_assertions)]
        {
            let hash = self.open_tag(from, to, tag).hash();
            let fresh = self.ledger.recent_tags.note(hash);
            assert!(fresh, "two messages {from}→{to} share the name {tag:?}: count attempts");
        }
        #[cfg(not(debug_assertions))]
        let _ = (from, to, tag);
    }

    /// Sets a timer by the node's own clock.
    pub(super) fn set_timer(&mut self, node: NodeId, after: Span, timer: P::Timer) -> Handle {
        let host = &self.hosts[node];
        let at = match &host.cold {
            // A process that boots on a frozen machine: when the clock goes on, `thaw` adds the time that it stood still.
            Some(cold) if cold.clock.is_frozen() => self.now.max(cold.frozen_at + after),
            Some(cold) => self.now + cold.clock.true_after(self.now, after).unwrap_or(NEVER),
            None => self.now + after,
        };
        let incarnation = host.incarnation;
        self.queue.push(at, Event::Timer { node, incarnation, timer })
    }

    /// Takes a timer back. One that a processor already serves keeps it busy and then does nothing.
    pub(super) fn cancel_timer(&mut self, handle: Handle) {
        if self.gated > 0
            && let Some(event) = self.queue.get_mut(handle)
            && let Event::Timer { node, .. } = event
        {
            let node = *node;
            if self.hosts[node]
                .cold
                .as_ref()
                .is_some_and(|cold| cold.cpu.as_ref().is_some_and(|cpu| cpu.serving().any(|job| job == handle)))
            {
                *event = Event::Cancelled { node };
                return;
            }
        }
        self.queue.cancel(handle);
    }

    /// Writes to the page cache.
    pub(super) fn disk_write(&mut self, node: NodeId, write: P::Write) -> Result<(), DiskFull> {
        let now = self.now;
        let bytes = <P::Disk as crate::parts::disk::Contents>::bytes(&write);
        let result = self.cold(node).disk.write(now, write);
        match result {
            Ok(()) => self.trace_with(node, || Step::Wrote { bytes }),
            Err(DiskFull { cause: Some(fault) }) => self.ledger.touch(fault, 1),
            Err(DiskFull { cause: None }) => {}
        }
        result
    }

    /// Writes to the medium itself.
    pub(super) fn disk_commit(&mut self, node: NodeId, write: P::Write) -> Result<(), DiskFull> {
        self.disk_write(node, write)?;
        let disk = &mut self.cold(node).disk;
        let point = disk.sync_started();
        disk.sync_finished(point);
        self.trace_with(node, || Step::Synced { ok: true });
        Ok(())
    }

    /// Starts a sync; its end fires one of two timers.
    pub(super) fn disk_sync(&mut self, node: NodeId, done: P::Timer, failed: P::Timer) {
        let incarnation = self.hosts[node].incarnation;
        let machines = Arc::clone(&self.machines);
        let cold = self.cold(node);
        cold.syncs += 1;
        let (number, power_cycle, point) = (cold.syncs, cold.power_cycle, cold.disk.sync_started());
        let slow = cold.slowness();
        let decision = self.open_tag(node, node, Tag { kind: KIND_SYNC, subject: number, attempt: 0 });
        let takes = machines.of(node).sync.draw(&mut decision.words(Lane::Service, 0));
        let takes = self.slowed(takes, slow);
        self.trace_with(node, || Step::Syncing);
        let done = SyncDone { node, incarnation, power_cycle, point, number, done, failed };
        self.queue.push(self.now + takes, Event::Synced(Box::new(done)));
    }

    /// A span under the slowness of some faults, each of which has touched something.
    pub(super) fn slowed(&mut self, span: Span, slow: Vec<(crate::base::FaultId, u32)>) -> Span {
        slow.into_iter().fold(span, |span, (fault, milli)| {
            self.ledger.touch(fault, 1);
            span.scaled(u64::from(milli), 1000)
        })
    }

    /// What the disk holds for a process that boots now.
    pub(super) fn disk_recover(&self, node: NodeId) -> P::Disk {
        match &self.hosts[node].cold {
            Some(cold) => cold.disk.recover(),
            None => P::format(node, &self.config),
        }
    }

    /// Opens an operation at a client.
    pub(super) fn open_op(&mut self, node: NodeId, command: Command) {
        self.record(node, What::Call { op: command.op, what: command.what });
        let twice = self.open.insert(command.op, (node, command.what));
        assert!(twice.is_none(), "{} was invoked twice", command.op);
    }

    /// Ends an operation.
    pub(super) fn end_op(&mut self, node: NodeId, op: ClientOp, (end, place): (End, Option<Place>)) {
        let (owner, what) = self.open.remove(&op).unwrap_or_else(|| panic!("{op} was ended twice, or never invoked"));
        assert_eq!(owner, node, "{op} is ended by the client that was asked");
        self.record(node, What::End { op, what, end, place });
    }

    /// Ends everything that a crashed client had open: nobody will ever know.
    pub(super) fn abandon_ops(&mut self, node: NodeId) {
        let open: Vec<ClientOp> = self.open.iter().filter(|(_, (owner, _))| *owner == node).map(|(op, _)| *op).collect();
        for op in open {
            self.end_op(node, op, (End::Unknown(crate::record::Reason("the client crashed")), None));
        }
    }

    /// Random words for what a strike does to a node: by moment and node, so that it does the same whoever declares it.
    pub(super) fn strike_words(&self, node: NodeId) -> SmallStream {
        let tag = Tag { kind: KIND_STRIKE, subject: self.now.nanos(), attempt: 0 };
        self.open_tag(node, node, tag).words(Lane::Corrupt, 0)
    }

    /// A random choice of nodes, for selectors of faults.
    pub(super) fn sample(words: &mut impl Words, mut nodes: Vec<NodeId>, count: usize) -> Vec<NodeId> {
        let count = count.min(nodes.len());
        for i in 0..count {
            let rest = (nodes.len() - i) as u64;
            let other = i + usize::try_from(words.below(rest)).expect("an index");
            nodes.swap(i, other);
        }
        nodes.truncate(count);
        nodes.sort_unstable();
        nodes
    }
}

impl<P: Protocol> Clone for Event<P> {
    fn clone(&self) -> Self {
        match self {
            Event::Datagram { to, from, msg } => Event::Datagram { to: *to, from: *from, msg: msg.clone() },
            Event::Segment { conn, flow, segment } => Event::Segment { conn: *conn, flow: *flow, segment: segment.clone() },
            Event::Retry { conn, flow } => Event::Retry { conn: *conn, flow: *flow },
            Event::GiveUp { conn, end, only_unopened } => Event::GiveUp { conn: *conn, end: *end, only_unopened: *only_unopened },
            Event::Reset { conn, end, refused } => Event::Reset { conn: *conn, end: *end, refused: *refused },
            Event::Disconnected { node, incarnation, peer, conn, why } => {
                Event::Disconnected { node: *node, incarnation: *incarnation, peer: *peer, conn: *conn, why: *why }
            }
            Event::Timer { node, incarnation, timer } => Event::Timer { node: *node, incarnation: *incarnation, timer: timer.clone() },
            Event::Command { node, command } => Event::Command { node: *node, command: *command },
            Event::Synced(done) => Event::Synced(done.clone()),
            Event::Boot { node, incarnation } => Event::Boot { node: *node, incarnation: *incarnation },
            Event::Fault(turn) => Event::Fault(*turn),
            Event::Cancelled { node } => Event::Cancelled { node: *node },
        }
    }
}

impl<P: Protocol> Clone for Core<P> {
    fn clone(&self) -> Self {
        Core {
            now: self.now,
            queue: self.queue.clone(),
            key: self.key,
            network: self.network.clone(),
            hosts: self.hosts.clone(),
            machines: Arc::clone(&self.machines),
            config: Arc::clone(&self.config),
            stream: Arc::clone(&self.stream),
            conns: self.conns.clone(),
            history: self.history.clone(),
            open: self.open.clone(),
            marks: self.marks.clone(),
            digest: self.digest,
            ledger: self.ledger.clone(),
            trace: self.trace.clone(),
            messages: self.messages,
            events: self.events,
            gated: self.gated,
        }
    }
}
