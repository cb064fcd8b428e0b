<<<<<<< HEAD
//! The parts of a simulated machine room, each pure and each alone: event queue, network, transport, disk, cpu, clock, faults.

pub mod config;
pub mod fault;
=======
//! The parts a simulated world is put together from; each is pure and stands alone.

pub mod queue;
>>>>>>> parts1
