//! What a reader has asked and not been answered yet, over its two kinds of connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{NodeId, Span};
use crate::world::{Ctx, Hosts, Peer, TimerId};

use super::super::super::ids::{Offset, Part};
use super::super::super::links::Links;
use super::super::super::protocol::Body;
use super::{ReaderTimer, Reads};

/// Which kind of connection. A request that waits at the coordinator does not hold up fetches, and the other way round.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// To brokers as leaders of partitions, and for metadata.
    Data,
    /// To the coordinator of the group.
    Group,
}

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Ask {
    Metadata,
    Coordinator,
    Join,
    Sync,
    Heartbeat,
    /// In a group that the broker assigns; whether the member said all of itself.
    Beat {
        leaves: bool,
    },
    Leave,
    /// The number of the commit.
    Commit(u64),
    /// Of which partitions, each with the number of its assignment.
    Positions(Arc<[(Part, u64)]>),
    /// Of a partition with the number of its assignment.
    ListOffsets(Part, u64),
    /// From where, each with the number of its assignment.
    Fetch(Vec<(Part, Offset, u64)>),
}

/// The connections of one kind, and what was asked over them.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    side: Side,
    pub(super) links: Links,
    asked: BTreeMap<(NodeId, u32), (Ask, TimerId)>,
}

impl Wire {
    pub(super) const fn new(side: Side, links: Links) -> Wire {
        Wire { side, links, asked: BTreeMap::new() }
    }

    /// Asks; after so long without an answer the connection is given up.
    pub(super) fn ask<W: Hosts<R>, R: Reads>(&mut self, to: NodeId, (body, ask): (Body, Ask), patience: Span, ctx: &mut Ctx<'_, W, R>) {
        let number = self.links.send(to, None, body, ctx);
        let timer = ctx.timer(patience, R::Timer::from(ReaderTimer::Overdue(self.side, to, number)));
        self.asked.insert((to, number), (ask, timer));
    }

    /// What an answer is to. `None`: it came over a connection that was given up.
    pub(super) fn answered<W: Hosts<R>, R: Reads>(&mut self, from: Peer, number: u32, ctx: &mut Ctx<'_, W, R>) -> Option<Ask> {
        if !self.links.heard(from) {
            return None;
        }
        let (ask, timer) = self.asked.remove(&(from.node, number))?;
        ctx.cancel(timer);
        Some(ask)
    }

    /// Nothing that was asked of a node is answered any more.
    pub(super) fn forget<W: Hosts<R>, R: Reads>(&mut self, node: NodeId, ctx: &mut Ctx<'_, W, R>) -> Vec<Ask> {
        let numbers: Vec<u32> = self.asked.range((node, 0)..=(node, u32::MAX)).map(|((_, number), _)| *number).collect();
        let mut all = Vec::with_capacity(numbers.len());
        for number in numbers {
            if let Some((ask, timer)) = self.asked.remove(&(node, number)) {
                ctx.cancel(timer);
                all.push(ask);
            }
        }
        all
    }

    /// Whether something is asked of a node.
    pub(super) fn is_busy(&self, node: NodeId) -> bool {
        self.asked.range((node, 0)..=(node, u32::MAX)).next().is_some()
    }

    /// Whether a fetch is out to a node.
    pub(super) fn is_fetching(&self, node: NodeId) -> bool {
        self.asked.range((node, 0)..=(node, u32::MAX)).any(|(_, (ask, _))| matches!(ask, Ask::Fetch(_)))
    }

    /// Whether something that passes a test is asked.
    pub(super) fn any(&self, test: impl Fn(&Ask) -> bool) -> bool {
        self.asked.values().any(|(ask, _)| test(ask))
    }

    /// Whether that is still not answered.
    pub(super) fn is_overdue(&self, node: NodeId, number: u32) -> bool {
        self.asked.contains_key(&(node, number))
    }

    /// Ends all connections.
    pub(super) fn close<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) {
        for (_, (_, timer)) in std::mem::take(&mut self.asked) {
            ctx.cancel(timer);
        }
        self.links.close(ctx);
    }

    /// How much is asked.
    pub(super) fn open(&self) -> usize {
        self.asked.len()
    }
}
