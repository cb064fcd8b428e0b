//! The parts of a simulated machine room, each pure and each alone: event queue, network, transport, disk, cpu, clock, faults.

pub mod config;
pub mod fault;
pub mod network;
