//! From batches into requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{NodeId, Span};

use super::super::super::batch::{Batch, Stamp};
use super::super::super::ids::Part;
use super::super::super::mutants::Mutant;
use super::super::super::protocol::{Acks, Body, Produce};
use super::super::Fate;
use super::super::bundle::Bundle;
use super::super::lane::{Look, Numbers};
use super::network::What;
use super::{Engine, Env, Out, Wake};

/// The batches of one request.
#[derive(Debug, Default)]
struct Load {
    batches: Vec<(Part, Arc<Batch>)>,
    names: Vec<(Part, u32)>,
    /// Which attempt of its first batch it is.
    attempt: u32,
    bytes: u32,
}

impl Engine {
    /// Sends what can be sent: one request to each broker that has something to get, again and again until none is left or too much is
    /// under way. While a request about the session or the transaction is under way, no records are sent.
    pub(super) fn drain(&mut self, env: &mut Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) {
        if self.control.is_asking() || self.control.is_stopped() {
            return;
        }
        loop {
            let mut sent = false;
            for node in self.ready_nodes(env, wake) {
                if !self.reach(node, env, out, wake) {
                    continue;
                }
                let load = self.load(node, env);
                if !load.batches.is_empty() {
                    sent = true;
                    self.produce(node, load, env, out);
                }
            }
            if !sent {
                return;
            }
        }
    }

    /// The leaders of partitions whose first batch in line is to be sent.
    fn ready_nodes(&self, env: &Env<'_>, wake: &mut Wake) -> BTreeSet<NodeId> {
        let hurries = self.waiting.for_room || self.flushing || self.control.is_ending();
        let linger = if hurries { Span::ZERO } else { self.settings.linger };
        let mut ready = BTreeSet::new();
        for part in &self.busy {
            let lane = &self.lanes[part.index()];
            let leader = self.metadata.leader(*part);
            let Some(node) = leader.node.filter(|node| !lane.is_muted && !ready.contains(node)) else { continue };
            match lane.look(env.now, linger, leader.epoch) {
                Look::Empty => {}
                Look::Ready => drop(ready.insert(node)),
                Look::From(moment) => wake.at(moment),
            }
        }
        ready
    }

    /// Takes the first batches in line of a broker's partitions, beginning after the one that was last, as many as one request holds.
    /// That a partition is ready makes all of the broker's go along, except those that pause.
    fn load(&mut self, node: NodeId, env: &Env<'_>) -> Load {
        let mut load = Load::default();
        let from = self.nodes.get(&node).map_or(Part(0), |state| state.next);
        let parts: Vec<Part> = self.busy.range(from..).chain(self.busy.range(..from)).copied().collect();
        let mut next = from;
        for part in parts {
            let leader = self.metadata.leader(part);
            let lane = &self.lanes[part.index()];
            let Some(head) = lane.head().filter(|_| leader.node == Some(node) && !lane.is_muted) else { continue };
            if lane.is_pausing(env.now, leader.epoch) {
                continue;
            }
            if !load.batches.is_empty() && load.bytes.saturating_add(head.bytes) > self.settings.max_request_size {
                next = part;
                break;
            }
            if !self.must_wait(part, head) {
                self.take_head(part, &mut load);
                next = Part(part.0 + 1);
            }
        }
        if let Some(state) = self.nodes.get_mut(&node) {
            state.next = next;
        }
        load
    }

    /// Whether the first batch in line has to wait for others, or for the producer's session or transaction.
    fn must_wait(&self, part: Part, head: &Bundle) -> bool {
        if !self.is_numbered() {
            return false;
        }
        if self.session.is_none() || self.renew.is_some() || !self.control.has(part) {
            return true;
        }
        let lane = &self.lanes[part.index()];
        let first = lane.first_numbered();
        match head.order() {
            // It is sent again: everything before it must be done.
            Some((_, number)) => first.is_some_and(|(_, first)| first != number),
            // Under a new session, or after a lost number: everything sent must be done.
            None => first.is_some() && lane.numbers.session != self.session || lane.numbers.unresolved.is_some(),
        }
    }

    /// The first batch in line goes into a request.
    fn take_head(&mut self, part: Part, load: &mut Load) {
        let epoch = self.metadata.leader(part).epoch;
        let (session, transactional) = (self.session.filter(|_| self.is_numbered()), self.txn.is_some());
        let (mutes, anew) = (self.guarantees_order(), self.mutants.has(Mutant::RetriesWithNewSequence));
        let lane = &mut self.lanes[part.index()];
        lane.is_muted = mutes;
        if lane.numbers.session != session && lane.first_numbered().is_none() {
            lane.numbers = Numbers { session, ..Numbers::default() };
        }
        let sequence = lane.numbers.next;
        let bundle = lane.take(epoch);
        let (id, span) = (bundle.id, bundle.span());
        let numbered = session.filter(|_| bundle.stamp.is_none() || anew);
        if let Some(session) = numbered {
            bundle.number(Stamp { session, sequence });
        }
        if load.batches.is_empty() {
            load.attempt = bundle.retries + 1;
        }
        load.bytes += bundle.bytes;
        load.batches.push((part, bundle.seal(transactional)));
        load.names.push((part, id));
        if numbered.is_some() {
            lane.numbers.next = sequence + span;
        }
    }

    /// Sends a request with records. Without acknowledgements its batches are done with that.
    fn produce(&mut self, to: NodeId, load: Load, env: &Env<'_>, out: &mut Vec<Out>) {
        let settings = Arc::clone(&self.settings);
        self.requests += 1;
        let first = load.batches[0].1.as_records()[0].payload;
        let attempt = if self.resends { self.requests } else { load.attempt };
        let produce = Produce { acks: settings.acks, timeout: settings.request_timeout, txn: self.txn, batches: load.batches };
        let names = load.names;
        self.send(to, What::Produce(names.clone()), Some((first, attempt)), Body::Produce(Box::new(produce)), env, out);
        if settings.acks == Acks::None {
            for (part, id) in names {
                if let Some(bundle) = self.lanes[part.index()].remove(id) {
                    self.free += u64::from(bundle.room);
                    self.tidy(part);
                    self.tell_done(Some(part), bundle.tokens, Fate::Gone, out);
                }
            }
        }
    }
}
