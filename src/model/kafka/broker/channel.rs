//! The connections that a broker has accepted: one request of each is handled at a time, later ones wait their turn.
//!
//! Kafka mutes a connection when it has read a request from it and unmutes it when the answer is out [S:kafka SocketServer]. Several
//! requests in flight only hide the way; they are appended in the order in which they were sent.

use std::collections::{BTreeMap, VecDeque};

use crate::base::ConnId;
use crate::world::Peer;

use super::super::protocol::Body;

/// Who asked, for the answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Caller {
    /// The connection.
    pub peer: Peer,
    /// The number of the request.
    pub number: u32,
}

/// One connection.
#[derive(Clone, Debug, Default)]
struct Channel {
    /// A request is being handled.
    busy: bool,
    waiting: VecDeque<(u32, Body)>,
}

/// All connections.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    by_conn: BTreeMap<ConnId, Channel>,
}

impl Channels {
    /// A request arrived: it is handled now if it comes back, otherwise when those before it have been answered.
    pub fn arrived(&mut self, caller: Caller, body: Body) -> Option<Body> {
        let Some(conn) = caller.peer.conn else { return Some(body) };
        let channel = self.by_conn.entry(conn).or_default();
        if channel.busy {
            channel.waiting.push_back((caller.number, body));
            return None;
        }
        channel.busy = true;
        Some(body)
    }

    /// A request was answered, or needs no answer: the next one of its connection.
    pub fn next(&mut self, caller: Caller) -> Option<(Caller, Body)> {
        let channel = self.by_conn.get_mut(&caller.peer.conn?)?;
        match channel.waiting.pop_front() {
            Some((number, body)) => Some((Caller { peer: caller.peer, number }, body)),
            None => {
                channel.busy = false;
                None
            }
        }
    }

    /// A connection ended, and with it what waited on it. Whether there was one.
    pub fn ended(&mut self, conn: ConnId) -> bool {
        self.by_conn.remove(&conn).is_some()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<ConnId> {
        self.by_conn.keys().copied().collect()
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.by_conn.values().map(|channel| channel.waiting.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::NodeId;

    #[test]
    fn one_request_at_a_time_in_order() {
        let peer = Peer { node: NodeId(1), conn: Some(ConnId { slot: 3, generation: 0 }) };
        let caller = |number| Caller { peer, number };
        let mut channels = Channels::default();
        assert_eq!(channels.arrived(caller(1), Body::Metadata), Some(Body::Metadata));
        assert_eq!(channels.arrived(caller(2), Body::Metadata), None);
        assert_eq!(channels.arrived(caller(3), Body::Metadata), None);
        assert_eq!(channels.next(caller(1)), Some((caller(2), Body::Metadata)));
        assert_eq!(channels.next(caller(2)), Some((caller(3), Body::Metadata)));
        assert_eq!(channels.next(caller(3)), None);
        assert_eq!(channels.arrived(caller(4), Body::Metadata), Some(Body::Metadata));
        assert!(channels.ended(ConnId { slot: 3, generation: 0 }));
        assert_eq!(channels.next(caller(4)), None, "nobody waits on a connection that has ended");
    }
}
