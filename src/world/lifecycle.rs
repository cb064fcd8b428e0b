//! How nodes go down, stop, and come back. Boot and restart are one function; what is not on disk is gone.

use crate::base::{FaultId, NodeId, Span, Time, Words};
use crate::parts::clock::Clock;
use crate::parts::disk::PowerLoss;
use crate::parts::queue::Handle;
use crate::record::{Step, What};

use super::World;
use super::core::{Event, NEVER};
use super::host::{Ailment, Parked, Status};
use super::protocol::Protocol;

/// How a node goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Down {
    /// The process only: page cache and operating system survive.
    Kill,
    /// The power: the page cache is lost.
    Power,
    /// The power, in the middle of a write.
    Torn,
    /// The power and the disk.
    Wipe,
}

impl<P: Protocol> World<P> {
    /// A fault takes a node down, or keeps one down that another fault has taken.
    pub(super) fn take_down(&mut self, node: NodeId, fault: FaultId, how: Down) {
        let was = self.core.hosts[node].status;
        self.core.cold(node).ailments.push((fault, Ailment::Down));
        let powered = was != Status::Off;
        if powered {
            self.core.ledger.touch(fault, 1);
        }
        if was == Status::Up {
            self.end_process(node, how);
        }
        if how != Down::Kill && powered {
            self.core.hosts[node].status = Status::Off;
            self.power_fails(node, how);
        } else if how == Down::Wipe {
            self.core.ledger.touch(fault, 1);
            let empty = P::format(node, &self.config);
            self.core.cold(node).disk.wipe(empty);
        }
    }

    /// The process is gone, and with it everything volatile.
    fn end_process(&mut self, node: NodeId, how: Down) {
        let core = &mut self.core;
        let word = match how {
            Down::Kill => "killed",
            Down::Power => "lost power",
            Down::Torn => "lost power in the middle of a write",
            Down::Wipe => "lost power and disk",
        };
        core.trace_with(node, || Step::Down { how: word });
        self.nodes[node] = None;
        let host = &mut core.hosts[node];
        host.status = Status::Killed;
        host.incarnation += 1;
        let now = core.now;
        let cold = core.cold(node);
        let mut dropped: Vec<_> = cold.cpu.as_mut().map(|cpu| cpu.clear(now).collect()).unwrap_or_default();
        dropped.extend(std::mem::take(&mut cold.parked).into_iter().map(|parked| parked.handle));
        for handle in dropped {
            // What the load asked of a stopped client was never heard.
            if let Some(Event::Command { command, .. }) = core.queue.cancel(handle) {
                core.record(node, What::Skipped { op: command.op, what: command.what });
            }
        }
        core.abandon_ops(node);
        core.drop_connections(node, how == Down::Kill);
        self.resettle(node);
    }

    /// The page cache is lost, and more.
    fn power_fails(&mut self, node: NodeId, how: Down) {
        let now = self.core.now;
        let torn = if how == Down::Torn { PowerLoss::Torn(self.core.strike_words(node).word()) } else { PowerLoss::Clean };
        let config = std::sync::Arc::clone(&self.core.config);
        let cold = self.core.cold(node);
        cold.power_cycle += 1;
        let lost = cold.disk.power_off(now, torn);
        if how == Down::Wipe {
            cold.disk.wipe(P::format(node, &config));
        }
        cold.stalled.clear();
        self.core.trace_with(node, || Step::LostWrites { count: lost.writes });
    }

    /// A fault no longer keeps a node down; when none does, it boots.
    pub(super) fn bring_up(&mut self, node: NodeId, fault: FaultId) {
        let cold = self.core.cold(node);
        cold.relieve(fault, Ailment::Down);
        if cold.suffers(|ailment| ailment == Ailment::Down) {
            return;
        }
        let incarnation = self.core.hosts[node].incarnation;
        let takes = self.core.machines.of(node).config.boot;
        self.core.queue.push(self.core.now + takes, Event::Boot { node, incarnation });
    }

    /// Starts the process, unless something took the node down again meanwhile.
    pub(super) fn on_boot(&mut self, node: NodeId, incarnation: u32) {
        let host = &self.core.hosts[node];
        let down = host.cold.as_ref().is_some_and(|cold| cold.suffers(|ailment| ailment == Ailment::Down));
        if down || host.status == Status::Up || host.incarnation != incarnation {
            return;
        }
        self.boot(node);
    }

    /// First boot and restart.
    pub(super) fn boot(&mut self, node: NodeId) {
        self.core.hosts[node].status = Status::Up;
        self.core.trace_with(node, || Step::Booted);
        let process = P::boot(&mut self.core.ctx(&self.config, node));
        self.nodes[node] = Some(process);
        self.resettle(node);
    }

    /// A fault stops a node's process or machine.
    pub(super) fn stop(&mut self, node: NodeId, fault: FaultId, how: Ailment) {
        let now = self.core.now;
        if self.core.hosts[node].status == Status::Up {
            self.core.ledger.touch(fault, 1);
        }
        let cold = self.core.cold(node);
        cold.ailments.push((fault, how));
        if how == Ailment::Freeze {
            if !cold.clock.is_frozen() {
                cold.frozen_at = now;
            }
            cold.clock.freeze(now, fault);
        }
        self.core.trace_with(node, || Step::Paused(true));
        self.resettle(node);
    }

    /// A fault no longer stops a node; when none does, it goes on: first the timers that came due, in the order of their
    /// deadlines, then what had arrived.
    pub(super) fn go_on(&mut self, node: NodeId, fault: FaultId, how: Ailment) {
        let now = self.core.now;
        let cold = self.core.cold(node);
        cold.relieve(fault, how);
        if how == Ailment::Freeze {
            cold.clock.lift(now, fault);
            self.thaw(node);
        }
        self.core.trace_with(node, || Step::Paused(false));
        self.resettle(node);
    }

    /// Recomputes from its causes whether a host is stopped, and wakes or stops it accordingly.
    fn resettle(&mut self, node: NodeId) {
        let now = self.core.now;
        let host = &mut self.core.hosts[node];
        let up = host.status == Status::Up;
        let Some(cold) = &mut host.cold else { return };
        let stopped = up && cold.suffers(|ailment| matches!(ailment, Ailment::Pause | Ailment::Freeze));
        let (was_stopped, was_gated) = (host.stopped, host.gated);
        host.stopped = stopped;
        host.gated = stopped || cold.cpu.is_some();
        if host.gated != was_gated {
            if host.gated { self.core.gated += 1 } else { self.core.gated -= 1 }
        }
        if stopped && !was_stopped {
            cold.stopped_at = now;
            if let Some(cpu) = &mut cold.cpu {
                cpu.suspend(now);
            }
        }
        if was_stopped && !stopped && up {
            self.wake(node);
        }
    }

    /// Changes the speed of a node's clock: what its timers have left by the clock is measured anew in true time.
    pub(super) fn with_clock(&mut self, node: NodeId, change: impl FnOnce(&mut Clock)) {
        let now = self.core.now;
        let clock = &mut self.core.cold(node).clock;
        let before = clock.clone();
        change(clock);
        let after = clock.clone();
        if before.is_frozen() {
            return;
        }
        for (at, handle) in self.own_timers(node) {
            let left = before.ticks(at).saturating_sub(before.ticks(now));
            let wait = after.true_after(now, left).unwrap_or(NEVER);
            self.core.queue.rekey(handle, now + wait);
        }
    }

    /// The pending timers of a node that no processor serves yet, with when they are due.
    fn own_timers(&self, node: NodeId) -> Vec<(Time, Handle)> {
        let cpu = self.core.hosts[node].cold.as_ref().and_then(|cold| cold.cpu.as_ref());
        let is_served = |handle: Handle| cpu.is_some_and(|cpu| cpu.serving().any(|job| job == handle));
        let is_own = |event: &Event<P>| matches!(event, Event::Timer { node: owner, .. } if *owner == node);
        let own = self.core.queue.iter().filter(|(_, handle, event)| is_own(event) && !is_served(*handle));
        own.map(|(at, handle, _)| (at, handle)).collect()
    }

    /// The clock of a frozen machine stood still: its timers are due that much later.
    fn thaw(&mut self, node: NodeId) {
        let cold = self.core.cold(node);
        if cold.clock.is_frozen() {
            return;
        }
        let (now, frozen_at) = (self.core.now, self.core.cold(node).frozen_at);
        let stood = now.since(frozen_at);
        for (at, handle) in self.own_timers(node) {
            self.core.queue.rekey(handle, at + stood);
        }
        let parked = std::mem::take(&mut self.core.cold(node).parked);
        for mut one in parked {
            if one.is_timer && !one.was_served && one.due >= frozen_at {
                one.due += stood;
            }
            // What is due by now still waits when something else stops the process.
            if one.due <= now || !self.core.queue.rekey(one.handle, one.due) {
                self.core.cold(node).parked.push(one);
            }
        }
    }

    /// Lets go what waited for a stopped process.
    fn wake(&mut self, node: NodeId) {
        let now = self.core.now;
        let cold = self.core.cold(node);
        let stood = cold.cpu.as_mut().map_or(Span::ZERO, |cpu| cpu.resume(now));
        let serving: Vec<_> = cold.cpu.as_ref().map(|cpu| cpu.serving().collect()).unwrap_or_default();
        let parked = std::mem::take(&mut cold.parked);
        // Services that were to end later end that much later.
        let late: Vec<_> =
            self.core.queue.iter().filter(|(_, handle, _)| serving.contains(handle)).map(|(at, handle, _)| (at, handle)).collect();
        for (at, handle) in late {
            self.core.queue.rekey(handle, at + stood);
        }
        let (served, waiting): (Vec<Parked>, Vec<Parked>) = parked.into_iter().partition(|parked| parked.was_served);
        for one in served {
            // The processor was stopped in the middle of it.
            self.core.queue.rekey(one.handle, (one.due + stood).max(now));
        }
        let (mut timers, messages): (Vec<Parked>, Vec<Parked>) = waiting.into_iter().partition(|parked| parked.is_timer);
        timers.sort_by_key(|parked| parked.due);
        for one in timers.into_iter().chain(messages) {
            self.core.queue.rekey(one.handle, now);
        }
        while let Some(job) = self.core.cold(node).cpu.as_mut().and_then(|cpu| cpu.start_waiting(now)) {
            self.core.start_service(node, job);
        }
    }
}
