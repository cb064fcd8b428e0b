//! Proof of the judges: a twin straight from the definitions, hand-made histories with their sentences, memory and clones.

mod golden;
mod notation;
pub(super) mod random;
mod size;
mod twin;
