//! Consumer groups at their coordinator: membership, generations, positions.

/// A group's membership as the topic of positions keeps it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GroupRecord {}
