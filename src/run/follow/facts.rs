//! What is known of one payload in a run: who asked for it, who had it, who wrote it, who answered, and what came in between.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{NodeId, ObjectId, PayloadId};
use crate::record::{End, Note, Op, Settlement, Step, What};
use crate::run::causal::{EventId, place};

use super::ground::Ground;

/// A write of a payload at a node, and the sync that made it durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Write {
    pub(super) wrote: EventId,
    pub(super) bytes: u64,
    pub(super) durable: Option<EventId>,
}

/// The facts about one payload, each list in order of time.
pub(super) struct Facts {
    pub(super) payload: PayloadId,
    /// Everything about it.
    pub(super) about: Vec<EventId>,
    pub(super) called: Option<(EventId, Op)>,
    pub(super) ended: Option<(EventId, End)>,
    pub(super) delivers: Vec<(EventId, ObjectId)>,
    pub(super) effects: Vec<(EventId, ObjectId)>,
    pub(super) settles: Vec<(EventId, Settlement)>,
    pub(super) held: Vec<(EventId, ObjectId)>,
    pub(super) sends: Vec<EventId>,
    pub(super) receipts: Vec<EventId>,
    pub(super) writes: Vec<Write>,
}

impl Facts {
    pub(super) fn of(ground: &Ground<'_>, payload: PayloadId) -> Facts {
        let mut facts = Facts {
            payload,
            about: ground.about(payload),
            called: None,
            ended: None,
            delivers: Vec::new(),
            effects: Vec::new(),
            settles: Vec::new(),
            held: Vec::new(),
            sends: Vec::new(),
            receipts: Vec::new(),
            writes: Vec::new(),
        };
        for event in facts.about.clone() {
            match &ground.entry(event).step {
                Step::Sent { .. } => facts.sends.push(event),
                Step::Received { .. } => facts.receipts.push(event),
                Step::Recorded(what) => facts.recorded(event, what),
                Step::Lost { .. }
                | Step::Carried { .. }
                | Step::Struck { .. }
                | Step::Fired
                | Step::Booted
                | Step::Down { .. }
                | Step::Paused(_)
                | Step::Wrote { .. }
                | Step::Syncing
                | Step::Synced { .. }
                | Step::LostWrites { .. }
                | Step::Disconnected { .. }
                | Step::Said { .. } => {}
            }
        }
        facts.writes = writes(ground, &facts);
        facts
    }

    fn recorded(&mut self, event: EventId, what: &What) {
        match what {
            What::Call { what, .. } => self.called = Some((event, *what)),
            What::End { end, .. } => self.ended = Some((event, *end)),
            What::Note(Note::Deliver { group, .. }) => self.delivers.push((event, *group)),
            What::Note(Note::Effect { group, .. }) => self.effects.push((event, *group)),
            What::Note(Note::Settle { how, .. }) => self.settles.push((event, *how)),
            What::Note(Note::Held { group, .. }) => self.held.push((event, *group)),
            What::Skipped { .. } | What::Phase(_) | What::Fault { .. } => {}
            What::Note(Note::Subscribe { .. } | Note::Unsubscribe { .. } | Note::Log(_)) => {}
        }
    }

    /// The client that asked for it.
    pub(super) fn client(&self, ground: &Ground<'_>) -> Option<NodeId> {
        self.called.map(|(called, _)| ground.entry(called).node)
    }

    /// The node whose answer ended the operation, with the events of that answer: sent, received.
    pub(super) fn answer(&self, ground: &Ground<'_>) -> Option<(NodeId, EventId, EventId)> {
        let (ended, _) = self.ended?;
        let received = ground.causality.head(ended);
        let Step::Received { from, .. } = ground.entry(received).step else { return None };
        Some((from, ground.causality.sent(received)?, received))
    }

    /// The nodes that had it: those that somebody sent it to, in order of when; not the one that asked for it.
    pub(super) fn holders(&self, ground: &Ground<'_>) -> Vec<NodeId> {
        let client = self.client(ground);
        let mut holders: Vec<NodeId> = Vec::new();
        for event in &self.receipts {
            let node = ground.entry(*event).node;
            if Some(node) != client && !holders.contains(&node) {
                holders.push(node);
            }
        }
        holders
    }

    /// All nodes that have something to do with it.
    pub(super) fn cast(&self, ground: &Ground<'_>) -> BTreeSet<NodeId> {
        let mut cast = BTreeSet::new();
        for event in &self.about {
            let entry = ground.entry(*event);
            cast.insert(entry.node);
            if let Step::Sent { to, .. } = entry.step {
                cast.insert(to);
            }
        }
        cast
    }

    /// The last event about it at a node, messages on their way left out.
    pub(super) fn last_at(&self, ground: &Ground<'_>, node: NodeId) -> Option<EventId> {
        let is_read = |event: EventId| self.held.iter().any(|(held, _)| *held == event);
        self.about.iter().rev().copied().find(|event| place(ground.entry(*event)) == Some(node) && !is_read(*event))
    }

    /// The first write of it at a node; one that takes room, if there is one, for it holds the message itself.
    pub(super) fn write_at(&self, ground: &Ground<'_>, node: NodeId) -> Option<Write> {
        let mut here = self.writes.iter().filter(|write| ground.entry(write.wrote).node == node);
        let first = here.clone().next();
        here.find(|write| write.bytes > 0).or(first).copied()
    }
}

/// The writes that a payload's handlers made for it: those right before something is said or sent about it, or else right behind.
fn writes(ground: &Ground<'_>, facts: &Facts) -> Vec<Write> {
    let mut writes = Vec::new();
    let mut seen: BTreeSet<EventId> = BTreeSet::new();
    let mut durable: BTreeMap<NodeId, Durable> = BTreeMap::new();
    for event in facts.about.iter().filter(|event| place(ground.entry(**event)).is_some()) {
        let head = ground.causality.head(*event);
        if !seen.insert(head) {
            continue;
        }
        let handler = ground.handler(head);
        let mention = |at: &usize| ground.payload(ground.entry(handler[*at]));
        for (at, event) in handler.iter().enumerate() {
            let Step::Wrote { bytes } = ground.entry(*event).step else { continue };
            let behind = (at..handler.len()).find_map(|at| mention(&at));
            let whose = behind.or_else(|| (0..at).rev().find_map(|at| mention(&at)));
            if whose == Some(facts.payload) {
                let node = ground.entry(*event).node;
                let synced = durable.entry(node).or_insert_with(|| Durable::of(ground, node));
                writes.push(Write { wrote: *event, bytes, durable: synced.after(*event) });
            }
        }
    }
    writes
}

/// Which syncs of a node worked, each with when it began and when the disk was done; and when the node lost what was not synced.
struct Durable(Vec<(EventId, EventId)>, Vec<EventId>);

impl Durable {
    fn of(ground: &Ground<'_>, node: NodeId) -> Durable {
        let (mut open, mut done, mut lost): (Vec<EventId>, Vec<(EventId, EventId)>, Vec<EventId>) = (Vec::new(), Vec::new(), Vec::new());
        for event in ground.line(node) {
            match ground.entry(event).step {
                Step::Syncing => open.push(event),
                Step::Synced { ok } => {
                    // The oldest that is open; none: what is written straight to the medium.
                    let began = if open.is_empty() { event } else { open.remove(0) };
                    done.extend(ok.then_some((began, event)));
                }
                Step::LostWrites { .. } => {
                    open.clear();
                    lost.push(event);
                }
                Step::Sent { .. }
                | Step::Lost { .. }
                | Step::Carried { .. }
                | Step::Recorded(_)
                | Step::Struck { .. }
                | Step::Received { .. }
                | Step::Fired
                | Step::Booted
                | Step::Down { .. }
                | Step::Paused(_)
                | Step::Wrote { .. }
                | Step::Disconnected { .. }
                | Step::Said { .. } => {}
            }
        }
        Durable(done, lost)
    }

    /// The end of the first sync that covers what was written here, if the power lasted until then.
    fn after(&self, wrote: EventId) -> Option<EventId> {
        let lost = self.1.iter().copied().find(|lost| *lost > wrote);
        let done = self.0.iter().filter(|(began, _)| *began > wrote).map(|(_, done)| *done).min();
        done.filter(|done| lost.is_none_or(|lost| *done < lost))
    }
}

/// What befell nodes and messages between two moments, in order: the events that stories turn on.
pub(super) fn turns(ground: &Ground<'_>, facts: &Facts, (from, until): (EventId, EventId)) -> Vec<EventId> {
    let cast = facts.cast(ground);
    let turn = |event: &EventId| {
        let entry = ground.entry(*event);
        match &entry.step {
            Step::Lost { .. } => ground.payload(entry) == Some(facts.payload),
            Step::Down { .. } | Step::Paused(_) => cast.contains(&entry.node),
            Step::LostWrites { count } => *count > 0 && cast.contains(&entry.node),
            Step::Synced { ok } => !ok && cast.contains(&entry.node),
            Step::Recorded(What::Note(Note::Settle { .. })) => ground.payload(entry) == Some(facts.payload),
            Step::Said { about: Some(payload), .. } => *payload == facts.payload,
            Step::Sent { .. }
            | Step::Carried { .. }
            | Step::Recorded(_)
            | Step::Struck { .. }
            | Step::Received { .. }
            | Step::Fired
            | Step::Booted
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Disconnected { .. }
            | Step::Said { about: None, .. } => false,
        }
    };
    (from.index() + 1..until.index()).map(EventId::at).filter(turn).collect()
}

/// The first event of a kind at a node behind another.
pub(super) fn next_at(ground: &Ground<'_>, (node, after): (NodeId, EventId), is: impl Fn(&Step) -> bool) -> Option<EventId> {
    let rest = (after.index() + 1..ground.causality.trace().len()).map(EventId::at);
    rest.into_iter().find(|event| place(ground.entry(*event)) == Some(node) && is(&ground.entry(*event).step))
}
