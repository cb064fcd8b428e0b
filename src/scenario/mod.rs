//! Scenario files: from text to a checked plan, with all problems at once, and back to text.
//!
//! ```text
//! text → parse → a tree of values with places → check → Plan      (every problem, each with place and hint)
//! ```

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

pub mod capsule;
mod change;
mod check;
mod claims;
mod edit;
pub mod expect;
mod fault;
mod header;
pub mod keys;
mod load;
mod network;
mod operation;
mod overrides;
mod plan;
mod print;
mod render;
pub mod schema;
mod selector;
mod toml_text;

pub use capsule::{CapsuleNote, CapsuleVerdict, Of};
pub use check::{Reading, Source, read};
pub use edit::SET_FILE;
pub use expect::{Bound, Comparison, Event, Expectation, Expectations, FaultFate, Fraction, LatencyOf, Quantile, Violations};
pub use load::Files;
pub use plan::{ArmPlan, MAIN, Plan, Seeds};
pub use render::render;
pub use selector::selector_text;

use crate::base::Problem;

/// A problem with a hint, if there is one.
fn with(problem: Problem, hint: Option<String>) -> Problem {
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}
