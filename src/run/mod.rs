//! Plan × seed → outcome: the world beside its judges, one run at a time.

pub mod outcome;

pub use outcome::{Answer, ArmOutcome, Expected, LedgerRow, Outcome, RunOutcome, Scenery, Story, StoryLine, StrikeRow, Tally};
