//! The parts a simulated world is put together from; each is pure and stands alone.

pub mod queue;
