//! The parts of a simulated machine room, each pure and each alone: event queue, network, transport, disk, cpu, clock, faults.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

pub mod clock;
pub mod config;
pub mod cpu;
pub mod disk;
pub mod fault;
pub mod network;
pub mod queue;
pub mod transport;
