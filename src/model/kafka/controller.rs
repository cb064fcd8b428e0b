//! The controller quorum: the metadata log and the decisions that it records.

/// One entry of the metadata log.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Change {}
