//! Many runs: all seeds of all arms of a scenario, and what they say about its expectations together.

pub mod arm;
pub mod campaign;
pub mod repro;
mod share;
#[cfg(test)]
mod tests;
mod watch;

pub use arm::{Budget, Failure};
pub use campaign::{Campaign, FORMAT, campaign};
pub use repro::Repro;
