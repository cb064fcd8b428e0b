//! Proposals who is in sync: one request at a time, with all that have come up meanwhile.

use std::collections::BTreeMap;

use crate::base::{Digest, NodeId};

use super::super::broker::Env;
use super::super::ids::Part;
use super::super::protocol::control::{AlterIsr, Altered, Proposal};
use super::super::protocol::{Body, ControlRequest};
use super::super::refusal::Refusal;
use super::super::view::View;
use super::channel::Due;
use super::lifecycle::patience;
use super::{ControlLink, LinkOut, LinkTimer};

/// Proposals that are not decided.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Proposals {
    /// Not asked yet.
    waiting: BTreeMap<Part, Proposal>,
    /// Asked.
    asked: BTreeMap<Part, Proposal>,
}

impl Proposals {
    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        for (part, proposal) in self.waiting.iter().chain(&self.asked) {
            digest.words(u64::from(part.0), u64::from(proposal.version));
        }
        digest.words(self.waiting.len() as u64, self.asked.len() as u64);
    }

    /// What was asked may have been decided, or not: it is asked again, unless there is something newer.
    fn take_back(&mut self) {
        for (part, proposal) in std::mem::take(&mut self.asked) {
            self.waiting.entry(part).or_insert(proposal);
        }
    }
}

impl ControlLink {
    /// The leader of a partition proposes who is in sync. It takes the place of an earlier proposal that has not been sent yet.
    pub fn propose_isr(&mut self, proposal: Proposal, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        self.proposals.waiting.insert(proposal.part, proposal);
        self.propose(env, out);
    }

    pub(super) fn propose(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let Some(epoch) = self.epoch else { return };
        if !self.proposing.is_idle() || self.proposals.waiting.is_empty() {
            return;
        }
        let asked = std::mem::take(&mut self.proposals.waiting);
        let proposals = asked.values().cloned().collect();
        self.proposals.asked = asked;
        let to = self.target(env);
        let generation = self.proposing.ask(to);
        let request = ControlRequest::AlterIsr(AlterIsr { broker: env.me, epoch, proposals });
        out.push(LinkOut::Send { to, body: Body::Control(Box::new(request)) });
        out.push(LinkOut::Timer(patience(env.config), LinkTimer::Proposing(generation)));
    }

    pub(super) fn on_proposing_timer(&mut self, generation: u32, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        match self.proposing.due(generation) {
            Due::Stale => {}
            Due::Next => {
                self.proposing.answered();
                self.propose(env, out);
            }
            Due::Silence(node) => self.give_up(node, env, out),
        }
    }

    /// The same once more after a pause.
    pub(super) fn propose_later(&mut self, out: &mut Vec<LinkOut>) {
        self.proposals.take_back();
        let (pause, generation) = self.proposing.failed();
        out.push(LinkOut::Timer(pause, LinkTimer::Proposing(generation)));
    }

    /// Another controller is active.
    pub(super) fn proposing_again(&mut self, hinted: bool, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        if hinted && self.proposing.hinted() {
            self.proposals.take_back();
            self.proposing.moved_on();
            self.propose(env, out);
        } else {
            self.propose_later(out);
        }
    }

    pub(super) fn on_isr_altered(
        &mut self,
        from: NodeId,
        result: Result<Vec<Altered>, Refusal>,
        env: &mut Env<'_>,
        out: &mut Vec<LinkOut>,
    ) {
        if !self.proposing.waits_for(from) {
            return;
        }
        match result {
            Ok(decided) => {
                let mut again = false;
                for (part, result) in decided {
                    let Some(proposal) = self.proposals.asked.remove(&part) else { continue };
                    if result == Err(Refusal::NotController) {
                        self.proposals.waiting.entry(part).or_insert(proposal);
                        again = true;
                    } else {
                        out.push(LinkOut::IsrDecided { part, version: proposal.version, result });
                    }
                }
                self.proposals.asked.clear();
                self.proposing.answered();
                if again {
                    self.propose_later(out);
                } else {
                    self.propose(env, out);
                }
            }
            Err(refusal) => {
                out.push(LinkOut::Say(format!("its proposals are refused: {refusal}")));
                self.propose_later(out);
            }
        }
    }

    /// Forgets proposals of earlier leaders than those that the view shows.
    pub(super) fn forget_pointless(&mut self, me: NodeId) {
        let view = &self.view;
        self.proposals.waiting.retain(|_, proposal| !is_pointless(view, proposal, me));
        self.proposals.asked.retain(|_, proposal| !is_pointless(view, proposal, me));
    }
}

fn is_pointless(view: &View, proposal: &Proposal, me: NodeId) -> bool {
    view.part(proposal.part).is_none_or(|part| part.epoch > proposal.leader_epoch || part.leader != Some(me))
}
