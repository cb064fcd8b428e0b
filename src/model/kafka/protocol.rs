//! What goes over the wire: requests and their answers, over streams, in order, each answer with the number of its request.

use crate::base::{NodeId, PayloadId, Tag};
use crate::model::raft;
use crate::world::Message;

use super::controller::Change;

pub mod control;
pub mod data;
pub mod group;
pub mod store;
pub mod txn;

pub use control::{ControlReply, ControlRequest};
pub use data::{
    Acks, Chunk, CoordinatorOf, Fetch, FetchPart, FetchReply, Fetched, ListOffsets, MetadataReply, Produce, ProduceReply, Produced, Reader,
    Seek,
};
pub use group::{GroupReply, GroupRequest};
pub use store::{StoreReply, StoreRequest};
pub use txn::{EndMarker, MarkerWritten, TxnReply, TxnRequest};

/// Bytes of a request or answer besides what it carries.
pub const HEADER_BYTES: u32 = 40;

/// What a message says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Body {
    /// Client → broker: who leads what?
    Metadata,
    /// Broker → client.
    MetadataReply(MetadataReply),
    /// Producer → leader: append these.
    Produce(Box<Produce>),
    /// Leader → producer: what became of them.
    ProduceReply(Box<ProduceReply>),
    /// Follower or consumer → replica: what is there from here on?
    Fetch(Box<Fetch>),
    /// Replica → follower or consumer.
    FetchReply(Box<FetchReply>),
    /// Consumer → leader: where does a log begin, or end?
    ListOffsets(ListOffsets),
    /// Leader → consumer.
    ListOffsetsReply(Result<u64, super::Refusal>),
    /// Client → broker: who coordinates that?
    FindCoordinator(CoordinatorOf),
    /// Broker → client.
    FindCoordinatorReply(Result<NodeId, super::Refusal>),
    /// Consumer → group coordinator.
    Group(Box<GroupRequest>),
    /// Group coordinator → consumer.
    GroupReply(Box<GroupReply>),
    /// Producer → transaction coordinator; coordinator → leader.
    Txn(Box<TxnRequest>),
    /// The answer.
    TxnReply(Box<TxnReply>),
    /// Broker → controller.
    Control(Box<ControlRequest>),
    /// Controller → broker.
    ControlReply(Box<ControlReply>),
    /// Among controllers, and between them and brokers that follow the metadata log.
    Raft(Box<raft::Message<Change>>),
    /// Consumer → outside database.
    Store(Box<StoreRequest>),
    /// Outside database → consumer.
    StoreReply(Box<StoreReply>),
}

/// The names of message kinds, in the order of [`Body::kind`].
pub const KINDS: &[&str] = &[
    "metadata",
    "metadata_reply",
    "produce",
    "produce_reply",
    "fetch",
    "fetch_reply",
    "list_offsets",
    "list_offsets_reply",
    "find_coordinator",
    "find_coordinator_reply",
    "group",
    "group_reply",
    "txn",
    "txn_reply",
    "control",
    "control_reply",
    "raft",
    "store",
    "store_reply",
];

impl Body {
    /// Position in [`KINDS`].
    #[must_use]
    pub const fn kind(&self) -> u16 {
        match self {
            Body::Metadata => 0,
            Body::MetadataReply(_) => 1,
            Body::Produce(_) => 2,
            Body::ProduceReply(_) => 3,
            Body::Fetch(_) => 4,
            Body::FetchReply(_) => 5,
            Body::ListOffsets(_) => 6,
            Body::ListOffsetsReply(_) => 7,
            Body::FindCoordinator(_) => 8,
            Body::FindCoordinatorReply(_) => 9,
            Body::Group(_) => 10,
            Body::GroupReply(_) => 11,
            Body::Txn(_) => 12,
            Body::TxnReply(_) => 13,
            Body::Control(_) => 14,
            Body::ControlReply(_) => 15,
            Body::Raft(_) => 16,
            Body::Store(_) => 17,
            Body::StoreReply(_) => 18,
        }
    }

    /// Whether it asks: answers, and words among controllers, do not.
    #[must_use]
    pub const fn is_request(&self) -> bool {
        match self {
            Body::Metadata
            | Body::Produce(_)
            | Body::Fetch(_)
            | Body::ListOffsets(_)
            | Body::FindCoordinator(_)
            | Body::Group(_)
            | Body::Txn(_)
            | Body::Control(_)
            | Body::Store(_) => true,
            Body::MetadataReply(_)
            | Body::ProduceReply(_)
            | Body::FetchReply(_)
            | Body::ListOffsetsReply(_)
            | Body::FindCoordinatorReply(_)
            | Body::GroupReply(_)
            | Body::TxnReply(_)
            | Body::ControlReply(_)
            | Body::Raft(_)
            | Body::StoreReply(_) => false,
        }
    }

    /// Whether it is a request of a client or another broker, as opposed to the controllers' business.
    #[must_use]
    pub const fn is_of_client(&self) -> bool {
        self.is_request() && !matches!(self, Body::Control(_))
    }

    /// Bytes of what it carries, about.
    #[must_use]
    pub fn size(&self) -> u32 {
        match self {
            Body::Produce(produce) => produce.bytes(),
            Body::FetchReply(reply) => reply.bytes(),
            Body::Store(request) => request.bytes(),
            Body::Fetch(fetch) => 40 * u32::try_from(fetch.parts.len()).unwrap_or(u32::MAX / 40),
            Body::Metadata
            | Body::MetadataReply(_)
            | Body::ProduceReply(_)
            | Body::ListOffsets(_)
            | Body::ListOffsetsReply(_)
            | Body::FindCoordinator(_)
            | Body::FindCoordinatorReply(_)
            | Body::Group(_)
            | Body::GroupReply(_)
            | Body::Txn(_)
            | Body::TxnReply(_)
            | Body::Control(_)
            | Body::ControlReply(_)
            | Body::Raft(_)
            | Body::StoreReply(_) => 60,
        }
    }
}

/// A message with its name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Msg {
    /// The name that decides its fate.
    pub tag: Tag,
    /// The number of the request on its connection; an answer has its request's.
    pub number: u32,
    /// What it says.
    pub body: Body,
}

impl Message for Msg {
    fn tag(&self) -> Tag {
        self.tag
    }

    fn bytes(&self) -> u32 {
        HEADER_BYTES + self.body.size()
    }

    /// Never called on streams: what arrives damaged fails the checksum and is sent again.
    fn corrupt(&mut self, _: u64) {}
}

/// Gives every message that one node sends a name of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Namer {
    /// Which life of the process: it counts from one again, and its messages have names of their own all the same. And which of its parts
    /// sends: each counts for itself.
    life: u64,
    serial: u32,
}

const LIFE_SHIFT: u32 = 44;
const PART_SHIFT: u32 = 40;

impl Namer {
    /// For a part of a process (below 8) that starts for the so-manieth time.
    #[must_use]
    pub const fn new(life: u32, part: u8) -> Namer {
        Namer { life: (life as u64) << LIFE_SHIFT | (part as u64) << PART_SHIFT, serial: 0 }
    }

    /// Names a message that carries or answers for records, after the first of them, for the `attempt`-th time.
    #[must_use]
    pub fn about(&self, payload: PayloadId, attempt: u32, number: u32, body: Body) -> Msg {
        let subject = u64::from(payload.0) | self.life;
        Msg { tag: Tag { kind: body.kind(), subject, attempt }, number, body }
    }

    /// Names a message that is about nothing but itself: by number.
    pub fn counted(&mut self, number: u32, body: Body) -> Msg {
        self.serial += 1;
        let subject = u64::from(self.serial) | self.life | COUNTED;
        Msg { tag: Tag { kind: body.kind(), subject, attempt: 1 }, number, body }
    }
}

/// Marks the subjects of messages that are about no payload.
const COUNTED: u64 = 1 << 43;

/// The payload that a message of this name is about.
#[must_use]
pub fn about(tag: Tag) -> Option<PayloadId> {
    (tag.subject & COUNTED == 0).then(|| PayloadId(u32::try_from(tag.subject & u64::from(u32::MAX)).expect("the lower half")))
}
