//! Requests about control.

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ControlRequest {}

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ControlReply {}
