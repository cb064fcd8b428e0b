//! How the happens-before graph is made: one walk over the trace, with what is still open at each moment.

use std::collections::BTreeMap;

use petgraph::graph::DiGraph;

use crate::base::{FaultId, LossReason, NodeId, Tag, Time};
use crate::record::{Step, TraceEntry, What};

use super::{Causality, EventId, Link, index, place};

/// The name of a message: from whom, to whom, and its tag.
type Name = (NodeId, NodeId, Tag);

/// What the walk has seen so far.
#[derive(Default)]
struct Seen {
    /// The last entry on each node's line.
    last: BTreeMap<NodeId, EventId>,
    /// What a message was last sent by, or lost.
    sent: BTreeMap<Name, EventId>,
    /// The last fate of a message on a stream, from which its retransmission comes.
    fared: BTreeMap<Name, EventId>,
    /// Transmissions that will arrive, each with when.
    arriving: BTreeMap<Name, Vec<(Time, EventId)>>,
    /// What the operating system at one end told the other, and when it arrives.
    told: BTreeMap<(NodeId, NodeId), (Time, EventId)>,
    /// When a fault was last declared to begin or end.
    declared: BTreeMap<FaultId, EventId>,
    /// Where a fault struck last.
    struck: BTreeMap<(FaultId, NodeId), EventId>,
    /// When a node last went down.
    down: BTreeMap<NodeId, EventId>,
    /// How many syncs are under way at a node.
    syncing: BTreeMap<NodeId, u32>,
}

pub(super) fn graph(trace: &[TraceEntry]) -> Causality<'_> {
    let mut made = Causality {
        trace,
        graph: DiGraph::with_capacity(trace.len(), trace.len() * 2),
        sent: vec![None; trace.len()],
        carried: vec![None; trace.len()],
        heads: Vec::with_capacity(trace.len()),
    };
    let mut seen = Seen::default();
    for (at, entry) in trace.iter().enumerate() {
        let event = EventId::at(at);
        made.graph.add_node(());
        let before = place(entry).and_then(|node| seen.last.get(&node).copied());
        let head = before.filter(|before| !begins(entry, &trace[before.index()], &seen)).map_or(event, |before| made.heads[before.index()]);
        made.heads.push(head);
        if let Some(before) = before {
            made.graph.add_edge(index(before), index(event), Link::Program);
        }
        join(event, entry, (&mut made, &mut seen));
        if let Some(node) = place(entry) {
            seen.last.insert(node, event);
        }
    }
    made
}

/// Whether an entry begins something new at its node, other than what came right before it.
fn begins(entry: &TraceEntry, before: &TraceEntry, seen: &Seen) -> bool {
    entry.at != before.at
        || match entry.step {
            Step::Received { .. }
            | Step::Fired
            | Step::Booted
            | Step::Disconnected { .. }
            | Step::Struck { .. }
            | Step::Recorded(What::Call { .. } | What::Skipped { .. }) => true,
            // What is written straight to the medium is synced within its handler.
            Step::Synced { .. } => seen.syncing.get(&entry.node).is_some_and(|open| *open > 0),
            Step::Sent { .. }
            | Step::Lost { .. }
            | Step::Carried { .. }
            | Step::Recorded(What::End { .. } | What::Note(_) | What::Phase(_) | What::Fault { .. })
            | Step::Down { .. }
            | Step::Paused(_)
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::LostWrites { .. }
            | Step::Said { .. } => false,
        }
}

/// Adds what an entry comes of besides what came before it at its node.
fn join(event: EventId, entry: &TraceEntry, (made, seen): (&mut Causality<'_>, &mut Seen)) {
    let node = entry.node;
    match &entry.step {
        Step::Sent { to, tag, .. } => {
            seen.sent.insert((node, *to, *tag), event);
            seen.fared.remove(&(node, *to, *tag));
        }
        Step::Carried { to, tag, at, again, .. } => {
            let name = (node, *to, *tag);
            let sent = seen.sent.get(&name).copied();
            made.sent[event.index()] = sent;
            let cause = seen.carried(event, name, (*at, *again));
            made.because(event, cause, Link::Message);
        }
        Step::Lost { to, tag, why, .. } => {
            let name = (node, *to, *tag);
            made.sent[event.index()] = seen.sent.get(&name).copied();
            made.because(event, seen.fared.get(&name).or_else(|| seen.sent.get(&name)).copied(), Link::Message);
            if matches!(why, LossReason::NodeDown | LossReason::RunQueueFull) {
                take(seen.arriving.get_mut(&name), entry.at);
            }
            made.because(event, blamed(*why, (node, *to), seen), Link::Fault);
            seen.fared.insert(name, event);
        }
        Step::Received { from, tag } => {
            let name = (*from, node, *tag);
            let carried = take(seen.arriving.get_mut(&name), entry.at);
            made.carried[event.index()] = carried;
            made.sent[event.index()] = carried.and_then(|carried| made.sent[carried.index()]).or_else(|| seen.sent.get(&name).copied());
            made.because(event, carried.or(made.sent[event.index()]), Link::Message);
        }
        Step::Recorded(What::Fault { fault, .. }) => {
            seen.declared.insert(*fault, event);
        }
        Step::Struck { fault, on } => {
            let declared = seen.declared.get(fault).filter(|declared| made.trace[declared.index()].at == entry.at);
            made.because(event, declared.copied(), Link::Fault);
            if *on {
                seen.struck.insert((*fault, node), event);
            }
        }
        Step::Down { .. } => {
            seen.down.insert(node, event);
        }
        Step::Disconnected { peer, .. } => {
            let told = seen.told.get(&(*peer, node)).filter(|(at, _)| *at == entry.at).map(|(_, told)| *told);
            made.because(event, told, Link::Message);
            // The operating system of a process that is gone resets its connections.
            made.because(event, seen.down.get(peer).copied(), Link::Fault);
        }
        Step::Syncing => *seen.syncing.entry(node).or_default() += 1,
        Step::Synced { .. } => {
            seen.syncing.entry(node).and_modify(|open| *open = open.saturating_sub(1));
        }
        Step::LostWrites { .. } => {
            seen.syncing.remove(&node);
        }
        Step::Recorded(What::Call { .. } | What::End { .. } | What::Note(_) | What::Skipped { .. } | What::Phase(_))
        | Step::Fired
        | Step::Booted
        | Step::Paused(_)
        | Step::Wrote { .. }
        | Step::Said { .. } => {}
    }
}

impl Causality<'_> {
    /// Adds an edge from a cause, if there is one.
    fn because(&mut self, event: EventId, cause: Option<EventId>, link: Link) {
        if let Some(cause) = cause.filter(|cause| *cause != event) {
            self.graph.update_edge(index(cause), index(event), link);
        }
    }
}

impl Seen {
    /// A transmission that will arrive; gives what it comes of.
    fn carried(&mut self, event: EventId, name: Name, (at, again): (Time, Option<Time>)) -> Option<EventId> {
        let (from, to, _) = name;
        let sent = self.sent.get(&name).copied();
        // A retransmission comes of the loss before it. What was never sent is the operating system's own word.
        let cause = self.fared.get(&name).copied().or(sent).or_else(|| self.last.get(&from).copied());
        if sent.is_none() {
            self.told.insert((from, to), (at, event));
        }
        let arriving = self.arriving.entry(name).or_default();
        arriving.extend([Some(at), again].into_iter().flatten().map(|at| (at, event)));
        self.fared.insert(name, event);
        cause
    }
}

/// The arrival of this moment; if there is none, the message waited at its receiver, and it is the earliest one.
fn take(arriving: Option<&mut Vec<(Time, EventId)>>, now: Time) -> Option<EventId> {
    let arriving = arriving?;
    let exact = arriving.iter().position(|(at, _)| *at == now);
    let earliest = || arriving.iter().enumerate().filter(|(_, (at, _))| *at <= now).min_by_key(|(_, arrival)| **arrival).map(|(i, _)| i);
    exact.or_else(earliest).map(|which| arriving.remove(which).1)
}

/// What a loss comes of besides its message.
fn blamed(why: LossReason, (from, to): (NodeId, NodeId), seen: &Seen) -> Option<EventId> {
    match why {
        LossReason::Fault(fault) => [from, to].into_iter().filter_map(|end| seen.struck.get(&(fault, end))).max().copied(),
        LossReason::NodeDown => seen.down.get(&to).copied(),
        LossReason::Chance
        | LossReason::Burst
        | LossReason::NoRoute
        | LossReason::Overflow
        | LossReason::Checksum
        | LossReason::RunQueueFull
        | LossReason::Override => None,
    }
}
