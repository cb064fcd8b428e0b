//! An outcome for people and machines: a summary on the terminal, a page, charts, JSON, CSV and JUnit.
//!
//! Nothing here knows a clock, a host or a path: equal outcomes give equal bytes, so that a `diff` between two versions of a report shows
//! what changed and nothing else.

pub mod chart;
pub mod contrast;
pub mod csv;
#[cfg(test)]
mod fixture;
pub mod fork;
pub mod json;
pub mod junit;
pub mod page;
pub mod tale;
pub mod text;
mod view;
pub mod words;
mod write;

pub use write::{Options, folder, write};
