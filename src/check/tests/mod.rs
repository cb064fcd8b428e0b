//! Proof of the judges: a twin straight from the definitions, hand-made histories with their sentences, memory and clones.

mod golden;
pub(super) mod notation;
pub(in crate::check) mod random;
mod size;
mod twin;
