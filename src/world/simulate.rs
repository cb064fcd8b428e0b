//! A world behind the door that everything above the kernel uses.

use crate::base::{Digest, FaultId, NodeId, ObjectId, PayloadId, Tag, Time, WorldKey};
use crate::parts::fault::Fault;
use crate::record::{Command, Entry, Marks, Names, Note, Trace, What};

use super::config::Strike;
use super::core::Event;
use super::protocol::Protocol;
use super::sim::Sim;
use super::{Nodes, World, misfits};

impl<P: Protocol> Sim for World<P> {
    fn advance(&mut self, until: Time, out: &mut Vec<Entry>) -> bool {
        if !self.core.history.is_empty() {
            out.append(&mut self.core.history);
            return true;
        }
        while self.step(until) {
            if !self.core.history.is_empty() {
                out.append(&mut self.core.history);
                return true;
            }
        }
        false
    }

    fn advance_one(&mut self, until: Time, out: &mut Vec<Entry>) -> bool {
        let did = self.step(until);
        out.append(&mut self.core.history);
        did
    }

    fn inject(&mut self, at: Time, fault: &Fault, out: &mut Vec<Entry>) -> Result<FaultId, Vec<String>> {
        assert!(at >= self.core.now, "time runs forward");
        let mut problems = Vec::new();
        misfits::<P>([fault], &self.core.network, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        self.core.now = at;
        let id = self.strike_undeclared(fault);
        out.append(&mut self.core.history);
        Ok(id)
    }

    fn reseed(&mut self, seed: u64) {
        let core = &mut self.core;
        core.key = WorldKey::new(seed);
        core.ledger.reseed(seed);
        core.network.reseed(seed);
        for (node, host) in core.hosts.iter_mut() {
            host.words = super::words_of(self.shared.names.node(node), seed);
        }
    }

    fn adopt(&mut self, now: Time, other: &dyn Sim) -> Result<(), Vec<String>> {
        self.adopt_from(now, other)
    }

    fn spare(&mut self) {
        self.spare_all();
    }

    fn is_calm(&self) -> bool {
        let to_come = |event: &Event<P>| matches!(event, Event::Fault(_));
        self.core.ledger.is_idle() && self.core.gated == 0 && !self.core.queue.iter().any(|(_, _, event)| to_come(event))
    }

    fn next_time(&mut self) -> Option<Time> {
        self.core.queue.peek_time()
    }

    fn now(&self) -> Time {
        self.core.now
    }

    fn command(&mut self, at: Time, node: NodeId, command: Command) {
        assert!(at >= self.core.now, "the load runs forward");
        self.core.queue.push(at, Event::Command { node, command });
    }

    fn heal(&mut self, at: Time, out: &mut Vec<Entry>) {
        assert!(at >= self.core.now, "time runs forward");
        self.core.now = at;
        self.heal_all();
        out.append(&mut self.core.history);
    }

    fn final_read(&mut self, out: &mut Vec<Entry>) {
        let at = self.core.now;
        let nodes = Nodes::new(&self.nodes, &self.core.hosts);
        P::held(&self.config, &nodes, &mut |node, group, payload| {
            out.push(Entry { at, node, what: What::Note(Note::Held { group, payload }) });
        });
    }

    fn gauges(&self, report: &mut dyn FnMut(ObjectId, u64)) {
        for (_, process) in Nodes::new(&self.nodes, &self.core.hosts).iter() {
            P::gauges(process, report);
        }
    }

    fn digest(&self) -> Digest {
        self.core.digest
    }

    fn fingerprint(&self) -> Digest {
        let mut digest = Digest::new();
        for (node, process) in Nodes::new(&self.nodes, &self.core.hosts).iter() {
            digest.words(u64::from(node.0), u64::from(self.core.hosts[node].stopped));
            P::fingerprint(process, self.core.now, &mut digest);
        }
        for (at, _, event) in self.core.queue.iter() {
            self.core.fingerprint(at.since(self.core.now), event, &mut digest);
        }
        self.core.conns.fingerprint(self.core.now, &mut digest);
        self.core.network.fingerprint(self.core.now, &mut digest);
        digest
    }

    fn events(&self) -> u64 {
        self.core.events
    }

    fn messages(&self) -> u64 {
        self.core.messages
    }

    fn strikes(&self) -> &[Strike] {
        self.core.ledger.strikes()
    }

    fn touched(&self, fault: FaultId) -> u64 {
        self.core.ledger.touched(fault) + self.core.network.touched(fault)
    }

    fn marks(&self) -> &Marks {
        &self.core.marks
    }

    fn unmatched(&self) -> Vec<String> {
        let unmatched: Vec<(u64, u32)> = self.core.network.unmatched().map(|one| (one.decision, one.resend)).collect();
        self.shared.overrides.iter().filter(|(_, key)| unmatched.contains(key)).map(|(name, _)| name.clone()).collect()
    }

    fn names(&self) -> &Names {
        &self.shared.names
    }

    fn trace(&self) -> Option<&Trace> {
        self.core.trace.as_deref()
    }

    fn pending(&self) -> Vec<String> {
        let mut waiting: std::collections::BTreeMap<(NodeId, &'static str), u64> = std::collections::BTreeMap::new();
        for (node, what) in self.core.open.values() {
            *waiting.entry((*node, what.verb())).or_insert(0) += 1;
        }
        let words = |((node, verb), count): ((NodeId, &'static str), u64)| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{} still waits for the end of {count} {verb}{plural}", self.shared.names.node(node))
        };
        waiting.into_iter().map(words).collect()
    }

    fn breach(&self) -> Option<&(Time, String)> {
        self.breach.as_ref()
    }

    fn kinds(&self) -> &'static [&'static str] {
        P::kinds()
    }

    fn kind(&self, kind: u16) -> Option<&'static str> {
        super::overrides::kind_name(P::kinds(), kind)
    }

    fn about(&self, tag: Tag) -> Option<PayloadId> {
        // The kernel's own messages have kinds beyond the protocol's.
        (usize::from(tag.kind) < P::kinds().len()).then(|| P::about(tag)).flatten()
    }

    fn holders(&self, payload: PayloadId) -> Vec<(NodeId, ObjectId)> {
        let mut found = Vec::new();
        let nodes = Nodes::new(&self.nodes, &self.core.hosts);
        P::held(&self.config, &nodes, &mut |node, group, held| {
            if held == payload {
                found.push((node, group));
            }
        });
        found
    }

    fn fork(&self) -> Box<dyn Sim> {
        Box::new(self.clone())
    }
}
