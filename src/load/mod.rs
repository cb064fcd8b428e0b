//! The load: when which client is asked for what, about which key, with how many bytes.
//!
//! A [`LoadConfig`] says what is wanted, a [`LoadPlan`] is that configuration found right and tied to the objects and
//! client nodes of a run, and a [`Load`] is the plan under one seed: a value that yields commands in order of time.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

mod closed;
pub mod config;
mod curve;
mod open;
pub mod phases;
mod pick;
pub mod rate;
mod source;
pub mod trace;

pub use config::{Arrivals, ClientChoice, Keys, Listed, LoadConfig, LoadProblem, LoadStream, OpKind, Sizes};
pub use phases::Phases;
pub use rate::Rate;
pub use source::{Arrival, Load, LoadPlan, Target};
pub use trace::{TraceProblem, TraceRow};

#[cfg(test)]
mod tests;
