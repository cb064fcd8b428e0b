//! What the link wants of its broker.

use std::sync::Arc;

use crate::base::{NodeId, Span};
use crate::model::raft;
use crate::record::Mark;

use super::super::ids::{BrokerEpoch, Part};
use super::super::protocol::Body;
use super::super::refusal::Refusal;
use super::super::view::{PartView, View};

/// What the broker has to do, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkOut {
    /// Send this to a controller, over the broker's own connection to it, which is opened if there is none.
    Send {
        /// The controller.
        to: NodeId,
        /// What.
        body: Body,
    },
    /// Give up the connection to a controller: it does not answer. The link needs no word of it.
    Drop(NodeId),
    /// The cluster is like this now. The first one comes when the broker has read the log as far as its own registration.
    View {
        /// The cluster.
        view: Arc<View>,
        /// The partitions that are not as they were in the view before, ascending.
        changed: Vec<Part>,
    },
    /// The broker is registered, perhaps anew, under this epoch.
    Registered(BrokerEpoch),
    /// A proposal is decided. One that a later leader epoch has made pointless is forgotten instead: the view says so.
    IsrDecided {
        /// The partition.
        part: Part,
        /// The version that the proposal named.
        version: u32,
        /// The partition as it is now (the view may show it later), or why it is not as proposed.
        result: Result<PartView, Refusal>,
    },
    /// The broker leads nothing any more and may stop. Its disk should keep its epoch as that of a stop in good order.
    MayStop,
    /// Set this timer.
    Timer(Span, LinkTimer),
    /// A rare path was taken.
    Mark(Mark),
    /// A word for the story.
    Say(String),
}

/// What a timer of the link is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LinkTimer {
    /// The next heartbeat, or the end of patience with the last; of this generation.
    Lifecycle(u32),
    /// The same for proposals.
    Proposing(u32),
    /// Of the node that follows the metadata log.
    Raft(raft::Timer),
}
