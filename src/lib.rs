//! deadletter: a deterministic laboratory for messaging under failure.

pub mod base;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod lab;
pub mod load;
pub mod model;
pub mod parts;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
pub mod world;
