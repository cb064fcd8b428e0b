//! The parts of a simulated machine room, each pure and each alone: event queue, network, transport, disk, cpu, clock, faults.

pub mod clock;
pub mod config;
pub mod cpu;
pub mod disk;
pub mod fault;
pub mod network;
pub mod queue;
pub mod transport;
