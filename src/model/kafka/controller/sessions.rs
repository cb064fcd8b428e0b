//! When brokers were last heard of. Only the active controller knows, and a new one begins anew.

use std::collections::BTreeMap;

use crate::base::{Digest, NodeId};

use super::super::view::View;
use super::decide::Contact;

/// One broker's session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Session {
    /// Of the timer that ends it.
    generation: u32,
    /// Where what the broker knows of the metadata log ends.
    metadata: u64,
    /// Where the log ended when the broker's leaderships had been taken from it, as it wants to stop.
    stopping_since: Option<u64>,
}

/// The sessions of all brokers.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Sessions(BTreeMap<NodeId, Session>);

impl Sessions {
    /// A new process of a broker: what was known of the old one is forgotten.
    pub(super) fn begin(&mut self, broker: NodeId, generation: u32) {
        self.0.insert(broker, Session { generation, ..Session::default() });
    }

    /// A broker was heard of: its session ends with the timer of this generation.
    pub(super) fn hear(&mut self, broker: NodeId, metadata: u64, generation: u32) {
        let session = self.0.entry(broker).or_default();
        (session.generation, session.metadata) = (generation, metadata);
    }

    /// A broker wants to stop and leads nothing any more, as the log says up to an end.
    pub(super) fn stops(&mut self, broker: NodeId, end: u64) {
        self.0.entry(broker).or_default().stopping_since.get_or_insert(end);
    }

    /// Whether a timer of a generation ends a broker's session.
    pub(super) fn ends(&self, broker: NodeId, generation: u32) -> bool {
        self.0.get(&broker).is_some_and(|session| session.generation == generation)
    }

    /// What is known of a broker besides the metadata.
    pub(super) fn contact(&self, broker: NodeId, view: &View) -> Contact {
        let active = view.brokers.iter().filter(|broker| !broker.fenced && !broker.stopping);
        let known = |node: NodeId| self.0.get(&node).map_or(0, |session| session.metadata);
        Contact {
            lowest_active: active.map(|broker| known(broker.node)).min().unwrap_or(u64::MAX),
            stopping_since: self.0.get(&broker).and_then(|session| session.stopping_since),
        }
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        for (node, session) in &self.0 {
            digest.words(u64::from(node.0), session.metadata);
            digest.word(session.stopping_since.unwrap_or(u64::MAX));
        }
    }
}
