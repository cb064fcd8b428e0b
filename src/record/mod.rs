//! What happened: operations and notes in a history, marks of rare paths, and the trace that explains them.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

pub mod history;
pub mod log;
pub mod mark;
pub mod names;
pub mod op;
pub mod trace;

pub use crate::base::LossReason;
pub use history::{Entry, Note, Phase, What};
pub use log::{LogNote, Place};
pub use mark::{Mark, Marks};
pub use names::{Names, Object, ObjectKind};
pub use op::{Command, End, Op, Reason, Settlement};
pub use trace::{Step, Trace, TraceEntry, Window};
