//! What compaction knows a batch's items by.

use super::super::batch::{Content, Stored};
use super::super::group::GroupRecord;
use super::super::ids::{GroupId, Offset, Part, TxnId};

/// The key of something that a broker wrote.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Key {
    /// A group's position in a partition.
    Position(GroupId, Part),
    /// A group's membership.
    Group(GroupId),
    /// A transactional id.
    Transaction(TxnId),
}

/// The keys of what a broker wrote, with their offsets. Records of producers and markers have none of these. `None`: what it says is not
/// replaced by anything later.
pub(super) fn internal(entry: &Stored) -> Option<Vec<(Key, Offset)>> {
    match &entry.batch.content {
        Content::Records(_) | Content::Marker { .. } => None,
        Content::Positions(positions) => Some(
            positions.iter().zip(entry.base..).map(|(position, offset)| (Key::Position(position.group, position.part), offset)).collect(),
        ),
        Content::Group(record) => match &**record {
            GroupRecord::Classic { group, .. } | GroupRecord::Modern { group, .. } => Some(vec![(Key::Group(*group), entry.base)]),
            GroupRecord::Forgotten { .. } => None,
        },
        Content::Transaction(record) => Some(vec![(Key::Transaction(record.txn), entry.base)]),
    }
}
