//! Brokers: what is under way to each, and what happens when one falls silent.

use std::collections::VecDeque;

use crate::base::{NodeId, PayloadId, Time};
use crate::world::Disconnect;

use super::super::super::ids::Part;
use super::super::super::protocol::{Acks, Body};
use super::super::marks;
use super::super::verdict::Why;
use super::transaction::Ask;
use super::{Engine, Env, Out, Wake};

/// A request under way.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    number: u32,
    sent: Time,
    what: What,
}

/// What a request was for.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// Metadata. The first request over every connection is one: its answer says that the broker is there, as the exchange of versions
    /// does in Kafka. Nothing else is sent before.
    Metadata,
    /// Batches, by partition and name.
    Produce(Vec<(Part, u32)>),
    /// A request about the session or the transaction.
    Control(Ask),
}

/// How far a connection is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    /// There is none.
    #[default]
    Closed,
    /// The first request is under way.
    Opening,
    /// It was answered.
    Ready,
}

/// A broker.
#[derive(Clone, Debug)]
pub(super) struct Node {
    stage: Stage,
    /// The number of the last request.
    number: u32,
    flights: VecDeque<Flight>,
    /// Where the next request begins to look for batches.
    pub(super) next: Part,
}

impl Default for Node {
    fn default() -> Node {
        Node { stage: Stage::Closed, number: 0, flights: VecDeque::new(), next: Part(0) }
    }
}

impl Node {
    /// Without a connection; the next goes on counting.
    pub(super) fn closed(self) -> Node {
        Node { number: self.number, ..Node::default() }
    }

    /// Its state in a word, for a digest.
    pub(super) fn words(&self, now: Time) -> u64 {
        let oldest = self.flights.front().map_or(0, |flight| now.saturating_since(flight.sent).as_nanos());
        oldest << 8 | (self.flights.len() as u64) << 2 | self.stage as u64
    }
}

impl Engine {
    /// Whether something can be sent to a node now. If there is no connection, one is opened, unless it is too early for that.
    pub(super) fn reach(&mut self, to: NodeId, env: &Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) -> bool {
        let node = self.nodes.entry(to).or_default();
        match node.stage {
            Stage::Ready => node.flights.len() < self.settings.max_in_flight as usize,
            Stage::Opening => false,
            Stage::Closed => {
                let wait = env.links.wait(to, env.now);
                if wait.is_zero() {
                    node.stage = Stage::Opening;
                    self.send(to, What::Metadata, None, Body::Metadata, env, out);
                } else {
                    wake.at(env.now + wait);
                }
                false
            }
        }
    }

    /// A broker that can be asked anything now: of those that answer, the one with the least under way. If none answers, the next in turn
    /// is tried.
    pub(super) fn reach_any(&mut self, env: &Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) -> Option<NodeId> {
        let most = self.settings.max_in_flight as usize;
        let free = |(_, node): &(&NodeId, &Node)| node.stage == Stage::Ready && node.flights.len() < most;
        let best = self.nodes.iter().filter(free).min_by_key(|(_, node)| node.flights.len()).map(|(id, _)| *id);
        if best.is_some() || self.nodes.values().any(|node| node.stage == Stage::Opening) {
            return best;
        }
        let brokers = &env.config.places.brokers;
        for _ in 0..brokers.len() {
            let at = self.turn % brokers.len();
            self.turn = at + 1;
            let is_there = env.config.broker.joins.get(at).is_none_or(Option::is_none) || self.metadata.has_broker(brokers[at]);
            let is_closed = self.nodes.get(&brokers[at]).is_none_or(|node| node.stage == Stage::Closed);
            if is_there && is_closed && env.links.wait(brokers[at], env.now).is_zero() {
                self.reach(brokers[at], env, out, wake);
                return None;
            }
        }
        let soonest = brokers.iter().map(|broker| env.links.wait(*broker, env.now)).filter(|wait| !wait.is_zero()).min();
        if let Some(wait) = soonest {
            wake.at(env.now + wait);
        }
        None
    }

    /// Sends a request. Without acknowledgements, records are not waited for.
    pub(super) fn send(
        &mut self,
        to: NodeId,
        what: What,
        about: Option<(PayloadId, u32)>,
        body: Body,
        env: &Env<'_>,
        out: &mut Vec<Out>,
    ) -> u32 {
        let answered = self.settings.acks != Acks::None || !matches!(what, What::Produce(_));
        let node = self.nodes.entry(to).or_default();
        node.number += 1;
        if answered {
            node.flights.push_back(Flight { number: node.number, sent: env.now, what });
        }
        out.push(Out::Send { to, number: node.number, about, body });
        node.number
    }

    /// An answer came.
    pub(in super::super) fn on_reply(&mut self, from: NodeId, number: u32, body: Body, env: &mut Env<'_>, out: &mut Vec<Out>) {
        let Some(node) = self.nodes.get_mut(&from) else { return };
        let Some(at) = node.flights.iter().position(|flight| flight.number == number) else { return };
        let flight = node.flights.remove(at).expect("found a moment ago");
        node.stage = Stage::Ready;
        match (flight.what, body) {
            (What::Metadata, Body::MetadataReply(reply)) => self.on_metadata(&reply, env),
            (What::Produce(sent), Body::ProduceReply(reply)) => self.on_produced(&sent, &reply.results, env, out),
            (What::Control(ask), body) => self.on_control(ask, body, env, out),
            (What::Metadata | What::Produce(_), body) => unreachable!("a broker answers what it was asked, not with {body:?}"),
        }
    }

    /// A connection ended, and nothing that was asked over it is answered any more.
    pub(in super::super) fn on_lost(&mut self, from: NodeId, why: Disconnect, env: &mut Env<'_>, out: &mut Vec<Out>) {
        let why = if why == Disconnect::Refused { Why::Unreached } else { Why::Lost };
        self.lose(from, why, env, out);
    }

    fn lose(&mut self, from: NodeId, why: Why, env: &mut Env<'_>, out: &mut Vec<Out>) {
        let Some(node) = self.nodes.get_mut(&from) else { return };
        node.stage = Stage::Closed;
        self.metadata.want();
        self.control.forget(from);
        for flight in std::mem::take(&mut node.flights) {
            match flight.what {
                What::Metadata => self.metadata.failed(),
                What::Produce(sent) => sent.iter().for_each(|(part, id)| self.settle(*part, *id, Err(why), env, out)),
                What::Control(ask) => self.control_lost(&ask, env),
            }
        }
    }

    /// Gives up connections over which an answer is overdue.
    pub(in super::super) fn time_out_requests(&mut self, env: &mut Env<'_>, out: &mut Vec<Out>) {
        let most = self.settings.request_timeout;
        let overdue = |node: &Node| node.flights.front().is_some_and(|first| first.sent + most <= env.now);
        let silent: Vec<NodeId> = self.nodes.iter().filter(|(_, node)| overdue(node)).map(|(id, _)| *id).collect();
        for node in silent {
            out.push(Out::Mark(marks::REQUEST_TIMED_OUT));
            out.push(Out::Drop(node));
            self.lose(node, Why::TimedOut, env, out);
        }
    }

    /// When the first answer will be overdue.
    pub(super) fn overdue_at(&self, wake: &mut Wake) {
        for first in self.nodes.values().filter_map(|node| node.flights.front()) {
            wake.at(first.sent + self.settings.request_timeout);
        }
    }
}
