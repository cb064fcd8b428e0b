//! Judges: folds over a history, in bounded memory, that end in a verdict with a witness.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

mod bits;
mod finish;
mod group;
pub mod judged;
pub mod judges;
mod log;
mod measure;
mod notes;
mod order;
pub mod promise;
pub mod stats;
mod table;
mod tell;
#[cfg(test)]
mod tests;
pub mod verdict;

pub use judged::{Accounting, Bucket, Depth, DepthPoint, Figures, GroupAccounting, Judged, Latency, Point, Quantiles, Rate, Ratio, Series};
pub use judges::{JudgeConfig, Judges};
pub use promise::{Promise, Promises, Property};
pub use verdict::{Finding, Verdict, Witness};
