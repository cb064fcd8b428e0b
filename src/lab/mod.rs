//! Many runs: all seeds of all arms of a scenario, and what they say about its expectations together.

pub mod arm;
pub mod campaign;
pub mod capsule;
pub mod case;
pub mod doom;
pub mod exhaust;
pub mod fork;
pub mod freeze;
pub mod hunt;
pub mod repro;
mod share;
pub mod shrink;
#[cfg(test)]
mod tests;
pub mod vocabulary;
mod watch;

pub use arm::{Budget, Failure};
pub use campaign::{Campaign, FORMAT, campaign};
pub use capsule::{Capsule, Drift, Replay, replay};
pub use case::{Case, Found, Goal, Violation, wrong_with};
pub use fork::{Forked, fork};
pub use freeze::freeze;
pub use hunt::{Hunt, Hunted, Quarry, hunt};
pub use repro::Repro;
pub use shrink::{Shrunk, Size, shrink};
pub use vocabulary::{IllKind, Vocabulary};
