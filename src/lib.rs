//! deadletter: a deterministic laboratory for messaging under failure.

pub mod base;
pub mod check;
pub mod load;
pub mod model;
pub mod parts;
pub mod record;
pub mod report;
pub mod run;
pub mod world;
