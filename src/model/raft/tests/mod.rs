//! A quorum in a hostile world: a simulation of its own, and the laws of Raft as checks.

mod disk;
mod laws;
mod mutants;
mod random;
mod rig;
mod rules;
