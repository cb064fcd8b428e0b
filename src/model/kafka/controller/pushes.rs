//! With ZooKeeper brokers follow no log: the controller tells each of them what it has decided, until the broker has heard it.

use std::collections::BTreeMap;

use crate::base::{Digest, NodeId};

use super::super::ids::BrokerEpoch;
use super::super::view::View;

/// What one broker was told.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
struct Told {
    /// Which registration of it.
    epoch: BrokerEpoch,
    /// It has confirmed what was decided up to here.
    heard: u64,
    /// It was sent everything up to here, and has not answered.
    sent: Option<u64>,
    /// It could not be reached; a timer is set for the next attempt.
    paused: bool,
}

/// What brokers were told.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Pushes(BTreeMap<NodeId, Told>);

impl Pushes {
    /// Whom to tell what is decided now. They count as told.
    pub(super) fn take_due(&mut self, view: &View) -> Vec<NodeId> {
        let mut due = Vec::new();
        for broker in view.brokers.iter().filter(|broker| !broker.fenced) {
            let told = self.0.entry(broker.node).or_default();
            if told.epoch != broker.epoch {
                *told = Told { epoch: broker.epoch, ..Told::default() };
            }
            if told.sent.is_none() && !told.paused && told.heard < view.version {
                told.sent = Some(view.version);
                due.push(broker.node);
            }
        }
        due
    }

    /// A broker has taken up what it was sent.
    pub(super) fn confirmed(&mut self, node: NodeId) {
        if let Some(told) = self.0.get_mut(&node) {
            told.heard = told.sent.take().unwrap_or(told.heard);
        }
    }

    /// A broker cannot be reached: whether it has to be told again after a pause.
    pub(super) fn failed(&mut self, node: NodeId) -> bool {
        let Some(told) = self.0.get_mut(&node).filter(|told| told.sent.is_some()) else { return false };
        (told.sent, told.paused) = (None, true);
        true
    }

    /// The pause is over.
    pub(super) fn resume(&mut self, node: NodeId) {
        if let Some(told) = self.0.get_mut(&node) {
            told.paused = false;
        }
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        for (node, told) in &self.0 {
            digest.words(u64::from(node.0), told.heard);
            digest.words(told.sent.unwrap_or(u64::MAX), u64::from(told.paused));
        }
    }
}
