//! deadletter: a deterministic laboratory for messaging under failure.

pub mod base;
pub mod parts;
