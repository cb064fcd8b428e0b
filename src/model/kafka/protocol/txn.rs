//! Requests about txn.

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TxnRequest {}

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TxnReply {}
