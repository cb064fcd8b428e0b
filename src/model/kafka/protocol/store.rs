//! Requests to the database outside of Kafka into which consumers write their effects.

use crate::base::{ObjectId, PayloadId};

use super::super::ids::{GroupId, Offset, Part};

/// An effect that a consumer asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Wanted {
    /// The subscription on whose behalf.
    pub subscription: ObjectId,
    /// For which message.
    pub payload: PayloadId,
}

/// A position that goes on together with the effects of what was read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Advance {
    /// The partition.
    pub part: Part,
    /// Where the reader began. `None`: where nothing was stored before.
    pub from: Option<Offset>,
    /// The next to be read.
    pub to: Offset,
}

/// A request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StoreRequest {
    /// Where does a group stand in these partitions?
    Positions {
        /// The group.
        group: GroupId,
        /// The partitions.
        parts: Vec<Part>,
    },
    /// Effects and positions in one commit: all of it if every position is where the reader began, else nothing.
    Together {
        /// The group.
        group: GroupId,
        /// The positions.
        advances: Vec<Advance>,
        /// The effects.
        effects: Vec<Wanted>,
    },
    /// Effects, each once for each group and message, however often it is asked for.
    Once {
        /// The effects.
        effects: Vec<Wanted>,
    },
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum StoreReply {
    /// Where the group stands; partitions of which nothing is stored are left out.
    Positions(Vec<(Part, Offset)>),
    /// It is durable.
    Done,
    /// Nothing was changed: somebody else has gone on from there.
    Conflict,
    /// Nothing was changed: the database's disk would not.
    Failed,
}

impl StoreRequest {
    /// Bytes of what it carries, about.
    #[must_use]
    pub fn bytes(&self) -> u32 {
        let items = match self {
            StoreRequest::Positions { parts, .. } => parts.len(),
            StoreRequest::Together { advances, effects, .. } => advances.len() + effects.len(),
            StoreRequest::Once { effects } => effects.len(),
        };
        u32::try_from(items).unwrap_or(u32::MAX / 64).saturating_mul(64)
    }
}
