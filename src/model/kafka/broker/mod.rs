//! A broker: replicas, the requests of clients, coordinators.

use crate::base::{NodeId, SmallStream, Time};
use crate::world::Peer;

use super::config::Config;
use super::view::View;

/// Who asked, for the answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Caller {
    /// The connection.
    pub peer: Peer,
    /// The number of the request.
    pub number: u32,
}

/// What the parts of a broker may look at while they handle something.
#[derive(Debug)]
pub struct Env<'a> {
    /// What the broker's clock shows.
    pub now: Time,
    /// The broker.
    pub me: NodeId,
    /// The configuration.
    pub config: &'a Config,
    /// What the broker knows of the cluster.
    pub view: &'a View,
    /// The broker's own random words.
    pub words: &'a mut SmallStream,
}
