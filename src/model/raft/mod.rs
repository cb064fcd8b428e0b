//! Raft.

/// A message.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Message<E> {
    /// An entry.
    Entry(E),
}
