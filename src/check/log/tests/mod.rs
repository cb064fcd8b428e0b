//! Proof of the judges of logs: hand-made histories with their sentences, a twin straight from the definitions, memory and clones.

mod flaws;
mod golden;
mod random;
mod size;
mod twin;
