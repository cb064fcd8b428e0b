//! Requests about group.

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupRequest {}

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GroupReply {}
