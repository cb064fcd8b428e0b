//! A host: whether its process runs, what stops it, and its seldom used parts (disk, clock, processors).

use std::sync::Arc;

use crate::base::law::Sampler;
use crate::base::{Chance, FaultId, NodeId, SmallStream};
use crate::parts::clock::Clock;
use crate::parts::config::MachineConfig;
use crate::parts::cpu::Cpu;
use crate::parts::disk::Disk;
use crate::parts::queue::Handle;

use super::core::SyncDone;
use super::protocol::Protocol;

/// Whether a node's process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    /// It runs (or is stopped by a pause).
    Up,
    /// The process is gone, the operating system answers for it: connections are refused and reset.
    Killed,
    /// The machine is off: silence.
    Off,
}

/// The part of a node that every event looks at: small, copied with every fork.
pub(super) struct Host<P: Protocol> {
    pub(super) status: Status,
    /// A pause or freeze acts.
    pub(super) stopped: bool,
    /// Events need a look before they may reach the process: it is stopped, or has processors to queue for.
    pub(super) gated: bool,
    /// Grows with every crash: what was meant for an earlier process is not for this one.
    pub(super) incarnation: u32,
    pub(super) words: SmallStream,
    /// What chance knows it by: its name, not its place in the roster. Adding a node moves nobody else's fate.
    pub(super) label: NodeId,
    pub(super) cold: Option<Box<Cold<P>>>,
}

/// What chance knows nodes by: a hash of each name, made different where two are alike.
pub(super) fn labels(names: &[String]) -> Vec<NodeId> {
    let mut taken = std::collections::BTreeSet::new();
    let label = |name: &String| {
        let hash = xxhash_rust::xxh3::xxh3_64(name.as_bytes());
        let mut label = u32::try_from(hash >> 32).expect("32 bits are left");
        while !taken.insert(label) {
            label = label.wrapping_add(1);
        }
        NodeId(label)
    };
    names.iter().map(label).collect()
}

/// Something that acts on a host for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ailment {
    /// Keeps it down.
    Down,
    /// Stops its process.
    Pause,
    /// Stops the machine.
    Freeze,
    /// Slows it, in thousandths.
    Slow(u32),
    /// Makes syncs fail.
    SyncFails(Chance),
}

/// An event that waits for a stopped process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parked {
    pub(super) handle: Handle,
    /// Timers go first when the process wakes, in the order in which they were due.
    pub(super) is_timer: bool,
    /// It was the end of a service: the processor is still busy with it.
    pub(super) was_served: bool,
    /// When it was due.
    pub(super) due: crate::base::Time,
}

/// The part of a node that exists once its machine is more than a process on a right clock.
pub(super) struct Cold<P: Protocol> {
    pub(super) disk: Disk<P::Disk>,
    pub(super) clock: Clock,
    pub(super) cpu: Option<Cpu<Handle>>,
    pub(super) ailments: Vec<(FaultId, Ailment)>,
    pub(super) parked: Vec<Parked>,
    /// Syncs that a stalled disk holds.
    pub(super) stalled: Vec<SyncDone<P>>,
    /// Since when the process has been stopped.
    pub(super) stopped_at: crate::base::Time,
    /// Since when the machine has been frozen.
    pub(super) frozen_at: crate::base::Time,
    pub(super) power_cycle: u32,
    pub(super) syncs: u64,
}

impl<P: Protocol> Cold<P> {
    pub(super) fn new(node: NodeId, machine: &Machine, config: &P::Config) -> Cold<P> {
        Cold {
            disk: Disk::new(P::format(node, config), &machine.config.disk),
            clock: Clock::new(machine.config.clock),
            cpu: machine.config.cpu.as_ref().map(Cpu::new),
            ailments: Vec::new(),
            parked: Vec::new(),
            stalled: Vec::new(),
            stopped_at: crate::base::Time::ZERO,
            frozen_at: crate::base::Time::ZERO,
            power_cycle: 0,
            syncs: 0,
        }
    }

    /// Whether an ailment of a kind acts.
    pub(super) fn suffers(&self, is: impl Fn(Ailment) -> bool) -> bool {
        self.ailments.iter().any(|(_, ailment)| is(*ailment))
    }

    /// The factors by which faults slow this host, in thousandths.
    pub(super) fn slowness(&self) -> Vec<(FaultId, u32)> {
        let mut slow = Vec::new();
        for (fault, ailment) in &self.ailments {
            if let Ailment::Slow(milli) = ailment {
                slow.push((*fault, *milli));
            }
        }
        slow
    }

    /// Takes one ailment of a fault away.
    pub(super) fn relieve(&mut self, fault: FaultId, ailment: Ailment) {
        if let Some(at) = self.ailments.iter().position(|found| *found == (fault, ailment)) {
            self.ailments.remove(at);
        }
    }
}

impl<P: Protocol> Clone for Cold<P> {
    fn clone(&self) -> Self {
        Cold {
            disk: self.disk.clone(),
            clock: self.clock.clone(),
            cpu: self.cpu.clone(),
            ailments: self.ailments.clone(),
            parked: self.parked.clone(),
            stalled: self.stalled.clone(),
            stopped_at: self.stopped_at,
            frozen_at: self.frozen_at,
            power_cycle: self.power_cycle,
            syncs: self.syncs,
        }
    }
}

impl<P: Protocol> Clone for Host<P> {
    fn clone(&self) -> Self {
        Host {
            status: self.status,
            stopped: self.stopped,
            gated: self.gated,
            incarnation: self.incarnation,
            words: self.words,
            label: self.label,
            cold: self.cold.clone(),
        }
    }
}

/// A machine's numbers, ready to draw from.
pub(super) struct Machine {
    pub(super) config: MachineConfig,
    pub(super) sync: Sampler,
    pub(super) service: Option<Sampler>,
}

impl Machine {
    pub(super) fn new(config: &MachineConfig) -> Machine {
        Machine { sync: config.disk.sync.sampler(), service: config.cpu.as_ref().map(|cpu| cpu.service.sampler()), config: config.clone() }
    }

    /// Whether a host needs its seldom used part from the start.
    pub(super) fn is_special(&self) -> bool {
        self.config.cpu.is_some() || self.config.clock != crate::parts::config::ClockConfig::default()
    }
}

/// The machines of a run, by class; shared by all forks.
pub(super) struct Machines {
    classes: Vec<Arc<Machine>>,
    of_node: Vec<u32>,
}

impl Machines {
    /// Whether every node has the same machine.
    pub(super) fn equal(&self, other: &Machines) -> bool {
        let configs = |all: &Machines| all.of_node.iter().map(|class| all.classes[*class as usize].config.clone()).collect::<Vec<_>>();
        configs(self) == configs(other)
    }

    /// The machine of each node: the last entry whose name matches the node's name, one of its groups, or is `*`.
    ///
    /// # Errors
    /// Entries that match no node.
    pub(super) fn new(entries: &[(String, MachineConfig)], roster: &super::Roster) -> Result<Machines, Vec<String>> {
        let mut classes = vec![Arc::new(Machine::new(&MachineConfig::default()))];
        let mut of_node = vec![0; roster.nodes.len()];
        let mut problems = Vec::new();
        for (name, config) in entries {
            let class = u32::try_from(classes.len()).expect("few classes of machines");
            classes.push(Arc::new(Machine::new(config)));
            let mut found = false;
            for (i, node) in roster.nodes.iter().enumerate() {
                if name == "*" || node.name == *name || node.groups.contains(&name.as_str()) {
                    of_node[i] = class;
                    found = true;
                }
            }
            if !found {
                problems.push(format!("no node or group is called `{name}`"));
            }
        }
        if problems.is_empty() { Ok(Machines { classes, of_node }) } else { Err(problems) }
    }

    pub(super) fn of(&self, node: NodeId) -> &Machine {
        &self.classes[self.of_node[node.index()] as usize]
    }
}
