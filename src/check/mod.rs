//! Judges: folds over a history, in bounded memory, that end in a verdict with a witness.

pub mod promise;
pub mod verdict;

pub use promise::{Promise, Promises, Property};
pub use verdict::{Finding, Verdict, Witness};
