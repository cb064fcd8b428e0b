//! Plan × seed → outcome: the world beside its judges, one run at a time.

pub mod audit;
pub mod causal;
pub mod explain;
#[cfg(test)]
pub(crate) mod fake;
pub mod follow;
pub mod one;
pub mod outcome;
pub mod passage;
#[cfg(test)]
pub(crate) mod tests;
mod words;

pub use audit::{Audited, Difference, Parting, audit};
pub use one::{Crash, explained, guarded, mattered, one};
pub use outcome::{Answer, ArmOutcome, Expected, LedgerRow, Outcome, RunOutcome, Scenery, Story, StoryLine, StrikeRow, Tally};
pub use passage::{Early, How, Passage, Ran, Ready};
