//! Stream connections: handshake, order, retransmission, reset. Packet loss becomes delay, a cut becomes silence.

use std::collections::BTreeMap;
use std::hash::Hash;

use crate::base::{ConnId, Digest, NodeId, Tag, Time};
use crate::parts::network::{Fate, Transmission, Transport};
use crate::parts::transport::{Flow, Offer, Segment, Setback};
use crate::record::Step;

use super::Disconnect;
use super::core::{Core, Event, KIND_CONNECTION};
use super::host::Status;
use super::protocol::{Message, Peer, Protocol};

/// Bytes of a segment that carries no message.
const CONTROL_BYTES: u32 = 64;

/// What a segment carries.
#[derive(Clone, Hash, Debug)]
pub(super) enum Carried<M> {
    /// May I? From end 0.
    Open,
    /// You may. From end 1.
    Opened,
    /// A message of the protocol.
    Msg(M),
    /// The last there is.
    Close,
}

/// One connection. End 0 opened it; flow 0 runs from end 0 to end 1.
#[derive(Clone, Debug)]
pub(super) struct Conn<M> {
    generation: u32,
    in_use: bool,
    /// End 0 has heard that end 1 accepts.
    opened: bool,
    /// Whether the process at each end still holds it.
    holds: [bool; 2],
    ends: [NodeId; 2],
    incarnations: [u32; 2],
    /// Counts the connections between its two nodes: names what their operating systems say on it.
    serial: u64,
    /// How many resets each end has sent.
    resets: [u32; 2],
    flows: [Flow<Carried<M>>; 2],
}

/// All connections of a world.
#[derive(Clone, Debug)]
pub(super) struct Conns<M> {
    slots: Vec<Conn<M>>,
    free: Vec<u32>,
    /// How many connections each pair of nodes has had; the smaller id first.
    made: BTreeMap<(NodeId, NodeId), u64>,
}

impl<M> Conns<M> {
    pub(super) const fn new() -> Conns<M> {
        Conns { slots: Vec::new(), free: Vec::new(), made: BTreeMap::new() }
    }

    fn get(&mut self, id: ConnId) -> Option<&mut Conn<M>> {
        self.slots.get_mut(id.slot as usize).filter(|conn| conn.in_use && conn.generation == id.generation)
    }

    fn make(&mut self, ends: [NodeId; 2], incarnations: [u32; 2]) -> ConnId {
        let made = self.made.entry((ends[0].min(ends[1]), ends[0].max(ends[1]))).or_insert(0);
        *made += 1;
        let made = *made;
        let fresh = |generation, serial| Conn {
            generation,
            in_use: true,
            opened: false,
            holds: [true, false],
            ends,
            incarnations,
            serial,
            resets: [0, 0],
            flows: [Flow::new(), Flow::new()],
        };
        match self.free.pop() {
            Some(slot) => {
                let place = &mut self.slots[slot as usize];
                *place = fresh(place.generation + 1, made);
                ConnId { slot, generation: place.generation }
            }
            None => {
                let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 connections");
                self.slots.push(fresh(0, made));
                ConnId { slot, generation: 0 }
            }
        }
    }

    /// The node that a flow's segments go to.
    pub(super) fn receiver(&self, id: ConnId, flow: u8) -> Option<NodeId> {
        let conn = self.slots.get(id.slot as usize).filter(|conn| conn.in_use && conn.generation == id.generation)?;
        Some(conn.ends[1 - usize::from(flow)])
    }

    /// Adds which nodes a connection is between to a fingerprint; nothing of one that is gone.
    pub(super) fn name_ends(&self, id: ConnId, digest: &mut Digest) {
        let conn = self.slots.get(id.slot as usize).filter(|conn| conn.in_use && conn.generation == id.generation);
        digest.word(conn.map_or(u64::MAX, |conn| u64::from(conn.ends[0].0) << 32 | u64::from(conn.ends[1].0)));
    }

    /// Whether a connection still waits for its acceptance.
    pub(super) fn is_opening(&self, id: ConnId) -> bool {
        self.slots.get(id.slot as usize).is_some_and(|conn| conn.in_use && conn.generation == id.generation && !conn.opened)
    }

    /// Adds the state of all connections to a fingerprint, whatever slots they are in.
    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest)
    where
        M: Hash,
    {
        let one = |conn: &Conn<M>| {
            let mut own = Digest::new();
            (conn.ends, conn.holds, conn.opened).hash(&mut own);
            conn.flows.iter().for_each(|flow| flow.fingerprint(now, &mut own));
            own
        };
        let mut all: Vec<Digest> = self.slots.iter().filter(|conn| conn.in_use).map(one).collect();
        all.sort_unstable();
        all.iter().for_each(|one| digest.word(one.value()));
    }

    fn release(&mut self, id: ConnId) {
        if let Some(conn) = self.get(id) {
            conn.in_use = false;
            conn.flows = [Flow::new(), Flow::new()];
            self.free.push(id.slot);
        }
    }

    /// Connections with an end at a node, in order of slots.
    fn at(&self, node: NodeId) -> Vec<(ConnId, usize)> {
        let mut found = Vec::new();
        for (slot, conn) in self.slots.iter().enumerate().filter(|(_, conn)| conn.in_use) {
            for end in 0..2 {
                if conn.ends[end] == node {
                    let slot = u32::try_from(slot).expect("fewer than 2^32 connections");
                    found.push((ConnId { slot, generation: conn.generation }, end));
                }
            }
        }
        found
    }
}

impl<P: Protocol> Core<P> {
    pub(super) fn connect(&mut self, from: NodeId, to: NodeId) -> ConnId {
        assert_ne!(from, to, "a node needs no stream to itself");
        let incarnation = self.hosts[from].incarnation;
        let id = self.conns.make([from, to], [incarnation, 0]);
        self.offer(id, 0, Carried::Open, CONTROL_BYTES);
        self.queue.push(self.now + self.stream.connect_timeout, Event::GiveUp { conn: id, end: 0, only_unopened: true });
        id
    }

    pub(super) fn send_stream(&mut self, node: NodeId, id: ConnId, msg: P::Msg) {
        let Some(conn) = self.conns.get(id) else { return };
        let end = usize::from(conn.ends[0] != node);
        if !conn.holds[end] {
            return;
        }
        let (peer, opened) = (conn.ends[1 - end], conn.opened);
        let (tag, bytes) = (msg.tag(), msg.bytes());
        self.trace_with(node, || Step::Sent { to: peer, tag, conn: Some(id) });
        self.debug_unique(node, peer, tag);
        if end == 0 && !opened {
            self.conns.get(id).expect("checked above").flows[0].queue(Carried::Msg(msg), u64::from(bytes));
        } else {
            self.offer(id, end, Carried::Msg(msg), bytes);
        }
    }

    pub(super) fn close(&mut self, node: NodeId, id: ConnId) {
        let Some(conn) = self.conns.get(id) else { return };
        let end = usize::from(conn.ends[0] != node);
        if !conn.holds[end] {
            return;
        }
        conn.holds[end] = false;
        if !conn.opened && end == 0 {
            self.conns.release(id);
        } else {
            self.offer(id, end, Carried::Close, CONTROL_BYTES);
        }
    }

    fn offer(&mut self, id: ConnId, flow: usize, body: Carried<P::Msg>, bytes: u32) {
        let Some(conn) = self.conns.get(id) else { return };
        if let Offer::Send(segment) = conn.flows[flow].offer(body, u64::from(bytes), &self.stream) {
            self.transmit(id, flow, segment);
        }
    }

    /// Sends whatever may leave now.
    fn flush(&mut self, id: ConnId, flow: usize) {
        loop {
            let Some(conn) = self.conns.get(id) else { return };
            let Some(segment) = conn.flows[flow].flush(&self.stream) else { return };
            self.transmit(id, flow, segment);
        }
    }

    fn transmit(&mut self, id: ConnId, flow: usize, segment: Segment<Carried<P::Msg>>) {
        let Some(conn) = self.conns.get(id) else { return };
        let (from, to) = (conn.ends[flow], conn.ends[1 - flow]);
        let tag = name(&segment.body, conn.serial);
        let decision = self.open_tag(from, to, tag);
        let bytes = u32::try_from(segment.bytes).unwrap_or(u32::MAX);
        let transmission =
            Transmission { from, to, kind: tag.kind, bytes, transport: Transport::Stream, decision, resend: segment.attempt - 1 };
        let number = u8::try_from(flow).expect("0 or 1");
        let resend = segment.attempt - 1;
        match self.network.route(self.now, &transmission) {
            Fate::Deliver { at, .. } => {
                let at = self.conns.get(id).expect("checked above").flows[flow].arrives(at);
                self.trace_with(from, || Step::Carried { to, tag, resend, at, damaged: false, again: None });
                self.queue.push(at, Event::Segment { conn: id, flow: number, segment });
            }
            Fate::Lost { why } => {
                self.lost((from, to), tag, resend, why, true);
                self.stall(id, flow, segment);
            }
            Fate::Held { cause } => {
                let config = std::sync::Arc::clone(&self.stream);
                let now = self.now;
                // No timer: the clog itself lets it go.
                let _ = self.conns.get(id).expect("checked above").flows[flow].lost(now, segment, &config);
                self.ledger.hold_stream(cause, id, number);
            }
        }
    }

    /// A segment did not get through: it will be sent again, or the connection is given up.
    pub(super) fn stall(&mut self, id: ConnId, flow: usize, segment: Segment<Carried<P::Msg>>) {
        let now = self.now;
        let config = std::sync::Arc::clone(&self.stream);
        let Some(conn) = self.conns.get(id) else { return };
        let number = u8::try_from(flow).expect("0 or 1");
        if conn.flows[flow].is_stuck() && conn.flows[flow].waits_before(segment.number) {
            conn.flows[flow].put_back(segment);
            return;
        }
        match conn.flows[flow].lost(now, segment, &config) {
            Setback::Retry { at } => self.queue.push(at, Event::Retry { conn: id, flow: number }),
            Setback::GiveUp { at } => self.queue.push(at, Event::GiveUp { conn: id, end: number, only_unopened: false }),
        };
    }

    pub(super) fn on_retry(&mut self, id: ConnId, flow: usize) {
        let Some(conn) = self.conns.get(id) else { return };
        if let Some(segment) = conn.flows[flow].retry() {
            self.transmit(id, flow, segment);
        }
    }

    pub(super) fn on_give_up(&mut self, id: ConnId, end: usize, only_unopened: bool) {
        let Some(conn) = self.conns.get(id) else { return };
        let stuck = conn.flows[end].is_stuck();
        if (only_unopened && conn.opened) || (!only_unopened && !stuck) {
            return;
        }
        self.end_at(id, end, Disconnect::TimedOut);
    }

    /// One end learns that the connection is over.
    fn end_at(&mut self, id: ConnId, end: usize, why: Disconnect) {
        let Some(conn) = self.conns.get(id) else { return };
        let (node, peer, held) = (conn.ends[end], conn.ends[1 - end], conn.holds[end]);
        let incarnation = conn.incarnations[end];
        conn.holds[end] = false;
        let other_holds = conn.holds[1 - end];
        if held {
            self.queue.push(self.now, Event::Disconnected { node, incarnation, peer, conn: id, why });
        }
        if !other_holds || why != Disconnect::TimedOut {
            self.conns.release(id);
        }
    }

    /// The operating system at one end says that it knows nothing of the connection. False when the reset is lost.
    fn reset(&mut self, id: ConnId, end: usize) -> bool {
        let Some(conn) = self.conns.get(id) else { return true };
        let (from, to, refused) = (conn.ends[end], conn.ends[1 - end], !conn.opened);
        conn.resets[end] += 1;
        let tag = Tag { kind: KIND_CONNECTION + 3, subject: conn.serial, attempt: conn.resets[end] };
        let decision = self.open_tag(from, to, tag);
        let transmission =
            Transmission { from, to, kind: tag.kind, bytes: CONTROL_BYTES, transport: Transport::Stream, decision, resend: 0 };
        match self.network.route(self.now, &transmission) {
            Fate::Deliver { at, .. } => {
                let at = self.conns.get(id).expect("checked above").flows[end].arrives(at);
                let end = u8::try_from(1 - end).expect("0 or 1");
                self.queue.push(at, Event::Reset { conn: id, end, refused });
                return true;
            }
            Fate::Lost { why } => self.lost((from, to), tag, 0, why, false),
            // A reset that a clog holds is as good as lost: it is not sent again.
            Fate::Held { cause } => self.lost((from, to), tag, 0, crate::record::LossReason::Fault(cause), false),
        }
        false
    }

    pub(super) fn on_reset(&mut self, id: ConnId, end: usize, refused: bool) {
        let Some(conn) = self.conns.get(id) else { return };
        if self.hosts[conn.ends[end]].status == Status::Up {
            let why = if refused && end == 0 { Disconnect::Refused } else { Disconnect::Reset };
            self.end_at(id, end, why);
        }
    }

    /// A segment reaches a host. Gives the message when there is one for the process: the caller hands it over and then
    /// calls [`Core::read`].
    pub(super) fn on_segment(&mut self, id: ConnId, flow: usize, segment: Segment<Carried<P::Msg>>) -> Option<(Peer, NodeId, P::Msg, u64)> {
        let conn = self.conns.get(id)?;
        let end = 1 - flow;
        let (from, node) = (conn.ends[flow], conn.ends[end]);
        let host = &self.hosts[node];
        match host.status {
            Status::Off => {
                let tag = name(&segment.body, conn.serial);
                self.lost((from, node), tag, segment.attempt - 1, crate::record::LossReason::NodeDown, true);
                self.stall(id, flow, segment);
                return None;
            }
            Status::Killed => {
                self.repel(id, flow, segment);
                return None;
            }
            Status::Up => {}
        }
        let incarnation = host.incarnation;
        if matches!(segment.body, Carried::Open) && !conn.holds[1] {
            conn.holds[1] = true;
            conn.incarnations[1] = incarnation;
        }
        if !conn.holds[end] || conn.incarnations[end] != incarnation {
            // Both sides closed at once: nobody is left to be told.
            if conn.holds[flow] {
                self.repel(id, flow, segment);
            } else {
                self.conns.release(id);
            }
            return None;
        }
        conn.flows[flow].through(segment.number);
        let bytes = segment.bytes;
        match segment.body {
            Carried::Msg(msg) => return Some((Peer { node: from, conn: Some(id) }, node, msg, bytes)),
            Carried::Open => {
                self.read(id, flow, bytes);
                self.offer(id, 1, Carried::Opened, CONTROL_BYTES);
            }
            Carried::Opened => {
                conn.opened = true;
                self.read(id, flow, bytes);
                self.flush(id, 0);
            }
            Carried::Close => {
                conn.holds[flow] = false;
                self.end_at(id, end, Disconnect::Closed);
            }
        }
        None
    }

    /// Nobody takes the segment: its sender is told by a reset, or sends it again when that is lost.
    fn repel(&mut self, id: ConnId, flow: usize, segment: Segment<Carried<P::Msg>>) {
        if !self.reset(id, 1 - flow) {
            self.stall(id, flow, segment);
        }
    }

    /// The process has read a message: the window opens.
    pub(super) fn read(&mut self, id: ConnId, flow: usize, bytes: u64) {
        let Some(conn) = self.conns.get(id) else { return };
        conn.flows[flow].read(bytes);
        if flow == 1 || conn.opened {
            self.flush(id, flow);
        }
    }

    /// A process died. Its operating system resets its connections, unless the power went too.
    pub(super) fn drop_connections(&mut self, node: NodeId, resets: bool) {
        for (id, end) in self.conns.at(node) {
            let Some(conn) = self.conns.get(id) else { continue };
            let was_held = conn.holds[end];
            conn.holds[end] = false;
            conn.flows[end].abandon();
            if !conn.holds[1 - end] && (end == 0 || conn.opened) {
                self.conns.release(id);
            } else if resets && was_held {
                self.reset(id, end);
            }
        }
    }

    /// How many connections a node holds.
    #[cfg(test)]
    pub(super) fn connections(&self, node: NodeId) -> usize {
        self.conns.at(node).len()
    }
}

/// The name of a transmission on a connection.
fn name<M: Message>(body: &Carried<M>, serial: u64) -> Tag {
    let control = |which| Tag { kind: KIND_CONNECTION + which, subject: serial, attempt: 1 };
    match body {
        Carried::Open => control(0),
        Carried::Opened => control(1),
        Carried::Close => control(2),
        Carried::Msg(msg) => msg.tag(),
    }
}
