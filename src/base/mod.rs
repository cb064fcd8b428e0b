//! The ground floor: time, ids, chances, streams, laws, digests and places in a file. Nothing here knows what a message is.

#![cfg_attr(not(test), deny(clippy::float_arithmetic))]

pub mod chance;
pub mod decision;
pub mod digest;
pub mod ids;
pub mod law;
pub mod loss;
pub mod number;
pub mod place;
pub mod stream;
pub mod time;
pub mod value;

pub use chance::Chance;
pub use decision::{Decision, Lane, Tag, WorldKey};
pub use digest::Digest;
pub use ids::{ClientOp, ConnId, FaultId, KeyId, LinkId, NodeId, ObjectId, PayloadId, PerNode};
pub use law::{Law, Sampler};
pub use loss::LossReason;
pub use place::{Place, Problem, Severity};
pub use stream::{SmallStream, Stream, Words};
pub use time::{Span, Time};
