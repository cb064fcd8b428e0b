//! Transactions at their coordinator.

/// The state of a transactional id as the topic of transactions keeps it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TxnRecord {}
