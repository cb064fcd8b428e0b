//! One event: whom it is for, whether it may reach them, and the handler that it runs.

use std::hash::Hash;
use std::marker::PhantomData;

use crate::base::{Digest, Lane, NodeId, Tag, Time};
use crate::parts::cpu::Arrival;
use crate::parts::queue::Handle;
use crate::record::{Command, LossReason, Step, What};

use super::World;
use super::core::{Core, Event, KIND_SYNC, SyncDone};
use super::ctx::{Ctx, Itself};
use super::host::{Ailment, Parked, Status};
use super::protocol::{Message, Peer, Protocol};
use super::streams::Carried;

impl<P: Protocol> Core<P> {
    /// The context of a handler at a node.
    pub(super) fn ctx<'a>(&'a mut self, config: &'a P::Config, node: NodeId) -> Ctx<'a, P, Itself> {
        Ctx { core: self, config, node, scope: PhantomData }
    }

    /// A processor takes a job: its service ends after a time that its message's name decides.
    pub(super) fn start_service(&mut self, node: NodeId, job: Handle) {
        let (cost, decision) = match self.queue.get(job) {
            Some(Event::Datagram { from, msg, .. }) => (P::cost(&self.config, msg), self.open_tag(*from, node, msg.tag())),
            Some(Event::Segment { segment, .. }) => match &segment.body {
                Carried::Msg(msg) => (P::cost(&self.config, msg), self.open_tag(node, node, msg.tag())),
                Carried::Open | Carried::Opened | Carried::Close => {
                    (0, self.open_tag(node, node, Tag { kind: KIND_SYNC, subject: 0, attempt: 0 }))
                }
            },
            // A timer waits its turn and costs nothing; so does one that was cancelled while waiting.
            Some(_) | None => (0, self.open_tag(node, node, Tag { kind: KIND_SYNC, subject: 0, attempt: 0 })),
        };
        let one = self.machines.of(node).service.as_ref().map(|service| service.draw(&mut decision.words(Lane::Service, 0)));
        let takes = one.unwrap_or_default() * u64::from(cost);
        let slow = self.cold(node).slowness();
        let takes = if takes.is_zero() { takes } else { self.slowed(takes, slow) };
        if !self.queue.rekey(job, self.now + takes) {
            // Cancelled while it waited: the processor is free at once.
            self.next_service(node, job);
        }
    }

    /// A service has ended: the next one starts.
    pub(super) fn next_service(&mut self, node: NodeId, job: Handle) {
        let now = self.now;
        let next = self.cold(node).cpu.as_mut().and_then(|cpu| cpu.finished(now, job));
        if let Some(next) = next {
            self.start_service(node, next);
        }
    }
}

/// What the gate says of an event.
enum Gate {
    /// It reaches the process now.
    Open,
    /// It reaches the process now and frees a processor.
    Served(NodeId),
    /// It was put aside.
    Shut,
}

impl<P: Protocol> World<P> {
    /// Handles the next event if it is due at this moment or before; false when none is.
    #[inline]
    pub(super) fn step(&mut self, until: Time) -> bool {
        let core = &mut self.core;
        if core.gated > 0 {
            return self.step_gated(until);
        }
        let Some((at, _, event)) = core.queue.pop_until(until) else { return false };
        debug_assert!(at >= core.now, "time runs forward");
        core.now = at;
        self.handle(event);
        true
    }

    /// The same while some host is stopped or has processors.
    fn step_gated(&mut self, until: Time) -> bool {
        let Some((at, handle, _)) = self.core.queue.peek().filter(|(at, _, _)| *at <= until) else { return false };
        debug_assert!(at >= self.core.now, "time runs forward");
        self.core.now = at;
        match self.gate(handle) {
            Gate::Shut => {}
            Gate::Open => {
                let (_, _, event) = self.core.queue.pop().expect("it was there");
                self.handle(event);
            }
            Gate::Served(node) => {
                let (_, _, event) = self.core.queue.pop().expect("it was there");
                let incarnation = self.core.hosts[node].incarnation;
                self.handle(event);
                // The handler may have brought its own node down; then nobody waits any more.
                if self.core.hosts[node].incarnation == incarnation {
                    self.core.next_service(node, handle);
                }
            }
        }
        true
    }

    /// Whether the event at the front may reach its process.
    fn gate(&mut self, handle: Handle) -> Gate {
        let core = &mut self.core;
        let event = core.queue.get(handle).expect("it is at the front");
        let (node, is_timer, bounded) = match event {
            Event::Datagram { to, .. } => (*to, false, true),
            Event::Segment { conn, flow, segment } => match (&segment.body, core.conns.receiver(*conn, *flow)) {
                (Carried::Msg(_), Some(to)) => (to, false, true),
                // The operating system shakes hands, also for a stopped process.
                (Carried::Open | Carried::Opened | Carried::Close, Some(to))
                    if core.hosts[to].cold.as_ref().is_some_and(|c| c.clock.is_frozen()) =>
                {
                    (to, false, false)
                }
                (Carried::Msg(_) | Carried::Open | Carried::Opened | Carried::Close, _) => return Gate::Open,
            },
            Event::Timer { node, incarnation, .. } => {
                if core.hosts[*node].incarnation != *incarnation {
                    return Gate::Open;
                }
                (*node, true, false)
            }
            Event::Command { node, .. } | Event::Disconnected { node, .. } | Event::Cancelled { node } => (*node, false, false),
            Event::Retry { .. } | Event::GiveUp { .. } | Event::Reset { .. } | Event::Synced(_) | Event::Boot { .. } | Event::Fault(_) => {
                return Gate::Open;
            }
        };
        let host = &core.hosts[node];
        if !host.gated || host.status != Status::Up {
            return Gate::Open;
        }
        let (now, stopped) = (core.now, host.stopped);
        let cold = host.cold.as_ref().expect("a gated host has a machine");
        let served = cold.cpu.as_ref().is_some_and(|cpu| cpu.serving().any(|job| job == handle));
        let passes_by = matches!(core.queue.get(handle), Some(Event::Command { .. } | Event::Disconnected { .. }));
        let has_cpu = cold.cpu.is_some();
        if stopped {
            core.queue.park();
            core.cold(node).parked.push(Parked { handle, is_timer, was_served: served, due: now });
            return Gate::Shut;
        }
        if served {
            return Gate::Served(node);
        }
        if !has_cpu || passes_by {
            return Gate::Open;
        }
        let cpu = core.cold(node).cpu.as_mut().expect("checked above");
        match cpu.arrive(now, handle) {
            Arrival::Start => {
                core.queue.park();
                core.start_service(node, handle);
                Gate::Shut
            }
            Arrival::Waits => {
                core.queue.park();
                Gate::Shut
            }
            Arrival::Refused if bounded => {
                self.refuse();
                Gate::Shut
            }
            // The bound is for what comes from outside: the process's own timers find room.
            Arrival::Refused => Gate::Open,
        }
    }

    /// The run queue is full: a datagram is lost, a stream's segment goes back to its sender.
    fn refuse(&mut self) {
        let (_, _, event) = self.core.queue.pop().expect("it was there");
        self.core.count(&event);
        match event {
            Event::Datagram { to, from, msg } => self.core.lost((from, to), msg.tag(), 0, LossReason::RunQueueFull, false),
            Event::Segment { conn, flow, segment } => self.core.stall(conn, usize::from(flow), segment),
            Event::Retry { .. }
            | Event::GiveUp { .. }
            | Event::Reset { .. }
            | Event::Disconnected { .. }
            | Event::Timer { .. }
            | Event::Command { .. }
            | Event::Synced(_)
            | Event::Boot { .. }
            | Event::Fault(_)
            | Event::Cancelled { .. } => unreachable!("only deliveries are refused"),
        }
    }

    /// Lets an event happen.
    fn handle(&mut self, event: Event<P>) {
        self.core.count(&event);
        match event {
            Event::Datagram { to, from, msg } => self.on_datagram(to, from, msg),
            Event::Segment { conn, flow, segment } => {
                let flow = usize::from(flow);
                if let Some((peer, node, msg, bytes)) = self.core.on_segment(conn, flow, segment) {
                    self.deliver(node, peer, msg);
                    self.core.read(conn, flow, bytes);
                }
            }
            Event::Retry { conn, flow } => self.core.on_retry(conn, usize::from(flow)),
            Event::GiveUp { conn, end, only_unopened } => self.core.on_give_up(conn, usize::from(end), only_unopened),
            Event::Reset { conn, end, refused } => self.core.on_reset(conn, usize::from(end), refused),
            Event::Disconnected { node, incarnation, peer, conn, why } => {
                if self.core.hosts[node].incarnation == incarnation
                    && let Some(process) = &mut self.nodes[node]
                {
                    self.core.trace_with(node, || Step::Disconnected { peer, why: why.name() });
                    P::on_disconnect(process, Peer { node: peer, conn: Some(conn) }, why, &mut self.core.ctx(&self.config, node));
                }
            }
            Event::Timer { node, incarnation, timer } => {
                if self.core.hosts[node].incarnation == incarnation
                    && let Some(process) = &mut self.nodes[node]
                {
                    self.core.trace_with(node, || Step::Fired);
                    P::on_timer(process, timer, &mut self.core.ctx(&self.config, node));
                }
            }
            Event::Command { node, command } => self.on_load(node, command),
            Event::Synced(done) => self.on_synced(*done),
            Event::Boot { node, incarnation } => self.on_boot(node, incarnation),
            Event::Fault(turn) => self.on_turn(turn),
            Event::Cancelled { .. } => {}
        }
        self.check_invariant();
    }

    fn on_datagram(&mut self, to: NodeId, from: NodeId, msg: P::Msg) {
        if self.nodes[to].is_some() {
            self.deliver(to, Peer { node: from, conn: None }, msg);
        } else {
            self.core.lost((from, to), msg.tag(), 0, LossReason::NodeDown, false);
        }
    }

    /// A message reaches a process that is up.
    #[inline]
    fn deliver(&mut self, node: NodeId, peer: Peer, msg: P::Msg) {
        let Some(process) = &mut self.nodes[node] else { unreachable!("the host was up") };
        self.core.messages += 1;
        self.core.trace_with(node, || Step::Received { from: peer.node, tag: msg.tag() });
        P::on_message(process, peer, msg, &mut self.core.ctx(&self.config, node));
    }

    fn on_load(&mut self, node: NodeId, command: Command) {
        match &mut self.nodes[node] {
            Some(process) => {
                self.core.open_op(node, command);
                P::on_command(process, command, &mut self.core.ctx(&self.config, node));
            }
            None => self.core.record(node, What::Skipped { op: command.op, what: command.what }),
        }
    }

    /// A disk has finished a sync, or would have.
    fn on_synced(&mut self, done: SyncDone<P>) {
        let node = done.node;
        let now = self.core.now;
        let word = self.core.open_tag(node, node, Tag { kind: KIND_SYNC, subject: done.number, attempt: 1 }).word(Lane::Loss, 0);
        let cold = self.core.cold(node);
        if cold.power_cycle != done.power_cycle {
            return;
        }
        if let Some(fault) = cold.disk.stalled_by() {
            self.core.ledger.touch(fault, 1);
            self.core.cold(node).stalled.push(done);
            return;
        }
        let failing = cold.ailments.iter().find_map(|(fault, ailment)| match ailment {
            Ailment::SyncFails(chance) if chance.hits(word) => Some(*fault),
            Ailment::SyncFails(_) | Ailment::Down | Ailment::Pause | Ailment::Freeze | Ailment::Slow(_) => None,
        });
        let timer = if let Some(fault) = failing {
            cold.disk.sync_failed(now, done.point);
            self.core.ledger.touch(fault, 1);
            done.failed
        } else {
            cold.disk.sync_finished(done.point);
            done.done
        };
        self.core.trace_with(node, || Step::Synced { ok: failing.is_none() });
        // The process learns it as an event of its own: it may be stopped, or busy.
        self.core.queue.push(now, Event::Timer { node, incarnation: done.incarnation, timer });
    }
}

impl<P: Protocol> Core<P> {
    /// Counts an event and folds it into the digest.
    #[inline]
    fn count(&mut self, event: &Event<P>) {
        self.events += 1;
        let at = self.now.nanos();
        let (kind, a, b) = match event {
            Event::Datagram { to, from, msg } => {
                let tag = msg.tag();
                self.digest.words(at ^ u64::from(tag.kind) << 56, u64::from(from.0) << 32 | u64::from(to.0));
                (0, tag.subject, u64::from(tag.attempt))
            }
            Event::Segment { conn, flow, segment } => {
                let subject = match &segment.body {
                    Carried::Msg(msg) => {
                        let tag = msg.tag();
                        tag.subject ^ u64::from(tag.kind) << 48 ^ u64::from(tag.attempt) << 32
                    }
                    Carried::Open => 1,
                    Carried::Opened => 2,
                    Carried::Close => 3,
                };
                self.digest.words(at, u64::from(conn.slot) << 32 | u64::from(conn.generation));
                (1, subject, u64::from(*flow) ^ segment.number << 8)
            }
            Event::Retry { conn, flow } => (2, u64::from(conn.slot), at ^ u64::from(*flow)),
            Event::GiveUp { conn, end, .. } => (3, u64::from(conn.slot), at ^ u64::from(*end)),
            Event::Reset { conn, end, .. } => (4, u64::from(conn.slot), at ^ u64::from(*end)),
            Event::Disconnected { node, conn, .. } => (5, u64::from(node.0) << 32 | u64::from(conn.slot), at),
            Event::Timer { node, incarnation, .. } => (6, u64::from(node.0) << 32 | u64::from(*incarnation), at),
            Event::Command { node, command } => (7, u64::from(node.0) << 32 | u64::from(command.op.0), at),
            Event::Synced(done) => (8, u64::from(done.node.0) << 32 ^ done.number, at),
            Event::Boot { node, incarnation } => (9, u64::from(node.0) << 32 | u64::from(*incarnation), at),
            Event::Fault(turn) => match turn {
                super::faults::Turn::Begin { fault, .. } => (10, u64::from(fault.0), at),
                super::faults::Turn::End { strike } => (11, u64::from(*strike), at),
            },
            Event::Cancelled { node } => (12, u64::from(node.0), at),
        };
        self.digest.words(a ^ kind << 60, b);
    }
}

impl<P: Protocol> Core<P> {
    /// Adds a pending event to a fingerprint: how far ahead it is, and what it is.
    pub(super) fn fingerprint(&self, ahead: crate::base::Span, event: &Event<P>, digest: &mut Digest) {
        let (kind, subject) = match event {
            Event::Datagram { to, from, msg } => {
                digest.words(u64::from(from.0) << 32 | u64::from(to.0), hash_of(msg));
                (0, 0)
            }
            Event::Segment { conn, segment, flow } => {
                self.conns.name_ends(*conn, digest);
                digest.word(match &segment.body {
                    Carried::Msg(msg) => hash_of(msg),
                    Carried::Open => 1,
                    Carried::Opened => 2,
                    Carried::Close => 3,
                });
                (1, u64::from(*flow) << 32 | u64::from(segment.attempt))
            }
            Event::Retry { conn, flow } => {
                self.conns.name_ends(*conn, digest);
                (2, u64::from(*flow))
            }
            Event::GiveUp { conn, end, only_unopened } => {
                // Of a connection that is open or gone it will say nothing.
                if *only_unopened && !self.conns.is_opening(*conn) {
                    return;
                }
                self.conns.name_ends(*conn, digest);
                (3, u64::from(*end) << 1 | u64::from(*only_unopened))
            }
            Event::Reset { conn, end, .. } => {
                self.conns.name_ends(*conn, digest);
                (4, u64::from(*end))
            }
            Event::Disconnected { node, peer, why, .. } => (5, u64::from(node.0) << 32 | u64::from(peer.0) ^ (*why as u64) << 28),
            Event::Timer { node, incarnation, timer } => {
                // A timer of a process that is gone will never fire.
                if self.hosts[*node].incarnation != *incarnation {
                    return;
                }
                digest.word(hash_of(timer));
                (6, u64::from(node.0))
            }
            Event::Command { node, command } => (7, u64::from(node.0) << 32 | u64::from(command.what.payload().0)),
            Event::Synced(done) => {
                digest.words(hash_of(&done.done), hash_of(&done.failed));
                (8, u64::from(done.node.0))
            }
            Event::Boot { node, .. } => (9, u64::from(node.0)),
            Event::Fault(_) => (10, 0),
            Event::Cancelled { node } => (11, u64::from(node.0)),
        };
        digest.words(ahead.as_nanos(), kind << 60 ^ subject);
    }
}

/// All that a value says of itself.
fn hash_of(value: &impl Hash) -> u64 {
    let mut digest = Digest::new();
    value.hash(&mut digest);
    digest.value()
}
