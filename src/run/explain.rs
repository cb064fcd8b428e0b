//! The story of a breach: what happened to the witness's messages, in few sentences with names and times.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{NodeId, PayloadId, Tag, Time};
use crate::check::{Property, Witness};
use crate::record::{Entry, Note, Step, TraceEntry, What};
use crate::world::Sim;

use super::words::{Words, again};
use super::{Story, StoryLine};

/// More lines than this nobody reads: what matters less goes first.
pub const LINES: usize = 24;

/// What was seen while a broken run was run again with the trace on.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The world at its end, with its trace.
    pub sim: &'a dyn Sim,
    /// The names of the declared faults.
    pub faults: &'a [String],
    /// The history's entries about the witness's payloads.
    pub entries: &'a [Entry],
}

/// How much a line matters: the lowest go first when there are too many.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Weight {
    Disk,
    Link,
    Way,
    Node,
    Words,
    Turn,
}

/// What comes first of what happens at one node at one moment: what reached it, what it began, what it says of it, what it did, what
/// it sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Turn {
    Reached,
    Began,
    Said,
    Did,
    Sent,
}

/// A line before it is chosen.
struct Line {
    at: Time,
    turn: Turn,
    order: usize,
    weight: Weight,
    node: Option<NodeId>,
    text: String,
    /// Whether a message arrives.
    arrives: bool,
}

/// Tells the story of a witness.
#[must_use]
pub fn tell(property: Property, witness: &Witness, evidence: &Evidence<'_>) -> Story {
    let scene = Scene::of(witness, evidence);
    let mut lines: Vec<Line> = Vec::new();
    for (order, entry) in evidence.entries.iter().enumerate() {
        if let Some((weight, text)) = scene.entry(entry) {
            let begins = matches!(entry.what, What::Call { .. } | What::Note(Note::Deliver { .. }));
            let turn = if begins { Turn::Began } else { Turn::Did };
            lines.push(Line { at: entry.at, turn, order, weight, node: Some(entry.node), text, arrives: false });
        }
    }
    scene.steps(&mut lines);
    scene.drop_echoes(&mut lines);
    lines.sort_by_key(|line| (line.at, line.turn, line.order));
    drop_repetitions(&mut lines);
    let mut told: Vec<StoryLine> = shorten(lines).into_iter().map(|l| StoryLine { at: l.at, node: l.node, text: l.text }).collect();
    let missing = evidence.sim.trace().map_or(0, |trace| trace.dropped);
    if missing > 0 {
        let text = format!("the trace was full: {missing} later steps are not in this story");
        told.push(StoryLine { at: told.last().map_or(witness.at, |l| l.at), node: None, text });
    }
    Story { property, lines: told }
}

/// Whom and what the story is about, and from when to when.
struct Scene<'a> {
    evidence: &'a Evidence<'a>,
    trace: &'a [TraceEntry],
    payloads: BTreeSet<PayloadId>,
    nodes: BTreeSet<NodeId>,
    words: Words<'a>,
    from: Time,
    until: Time,
}

impl<'a> Scene<'a> {
    fn of(witness: &Witness, evidence: &'a Evidence<'a>) -> Scene<'a> {
        let trace = evidence.sim.trace().map_or(&[][..], |trace| trace.entries());
        let payloads: BTreeSet<PayloadId> = witness.payloads.iter().copied().collect();
        let mut nodes: BTreeSet<NodeId> = witness.nodes.iter().copied().collect();
        let (mut from, mut until) = (witness.at, witness.at);
        let about = evidence.entries.iter().filter(|e| e.what.payload().is_some_and(|p| payloads.contains(&p)));
        for entry in about {
            nodes.insert(entry.node);
            from = from.min(entry.at);
            until = until.max(entry.at);
        }
        for step in trace.iter().filter(|step| step.at >= from) {
            let Some((other, tag)) = message(&step.step) else { continue };
            if evidence.sim.about(tag).is_some_and(|p| payloads.contains(&p)) {
                nodes.insert(step.node);
                nodes.insert(other);
            }
        }
        let words = Words::new(evidence.sim, evidence.faults, trace, |p| payloads.contains(&p));
        Scene { evidence, trace, payloads, nodes, words, from, until }
    }

    fn about(&self, tag: Tag) -> bool {
        self.evidence.sim.about(tag).is_some_and(|p| self.payloads.contains(&p))
    }

    /// A history entry as a sentence; `None` when it is not about the witness.
    fn entry(&self, entry: &Entry) -> Option<(Weight, String)> {
        entry.what.payload().filter(|payload| self.payloads.contains(payload))?;
        Some((Weight::Turn, self.words.entry(entry)?))
    }

    /// The trace's steps as sentences.
    fn steps(&self, lines: &mut Vec<Line>) {
        let mut wrote: BTreeSet<NodeId> = BTreeSet::new();
        // A handler runs at one moment: what is written where and when a message was received is written because of it.
        let mut here: Option<(NodeId, Time)> = None;
        for (order, entry) in self.trace.iter().enumerate() {
            if entry.at < self.from || entry.at > self.until {
                continue;
            }
            let told = match &entry.step {
                Step::Sent { tag, .. } | Step::Lost { tag, .. } | Step::Received { tag, .. } => {
                    let about = self.about(*tag);
                    if about && matches!(entry.step, Step::Received { .. }) {
                        here = Some((entry.node, entry.at));
                    }
                    if about { self.way(order, entry, *tag) } else { None }
                }
                Step::Wrote { bytes } => (here == Some((entry.node, entry.at))).then(|| {
                    wrote.insert(entry.node);
                    (Weight::Disk, self.words.writes(entry.node, *bytes))
                }),
                Step::Synced { ok: true } => wrote.remove(&entry.node).then(|| (Weight::Disk, self.words.has_synced(entry.node))),
                Step::Carried { .. } | Step::Recorded(_) | Step::Struck { .. } | Step::Syncing => None,
                Step::Fired
                | Step::Booted
                | Step::Down { .. }
                | Step::Paused(_)
                | Step::Synced { ok: false }
                | Step::LostWrites { .. }
                | Step::Disconnected { .. }
                | Step::Said { .. } => self.machine(entry),
            };
            let arrives = matches!(entry.step, Step::Received { .. });
            let turn = match entry.step {
                Step::Sent { .. } | Step::Lost { .. } | Step::Carried { .. } => Turn::Sent,
                Step::Said { .. } => Turn::Said,
                Step::Received { .. }
                | Step::Recorded(_)
                | Step::Struck { .. }
                | Step::Fired
                | Step::Booted
                | Step::Down { .. }
                | Step::Paused(_)
                | Step::Wrote { .. }
                | Step::Syncing
                | Step::Synced { .. }
                | Step::LostWrites { .. }
                | Step::Disconnected { .. } => Turn::Reached,
            };
            lines.extend(told.map(|(weight, text)| Line { at: entry.at, turn, order, weight, node: Some(entry.node), text, arrives }));
        }
    }

    /// A message that arrives and is handed on at once is told once: as what it means, not as how it came.
    fn drop_echoes(&self, lines: &mut Vec<Line>) {
        let handed_on = |line: &Line| {
            self.evidence.entries.iter().any(|e| {
                e.at == line.at && Some(e.node) == line.node && matches!(e.what, What::Note(Note::Deliver { .. }) | What::End { .. })
            })
        };
        lines.retain(|line| line.weight != Weight::Way || !line.arrives || !handed_on(line));
    }

    /// A message about the witness as a sentence. One that arrived gives one line, not two.
    fn way(&self, order: usize, entry: &TraceEntry, tag: Tag) -> Option<(Weight, String)> {
        match &entry.step {
            Step::Sent { to, .. } => {
                let arrival = |later: &TraceEntry| {
                    later.node == *to && matches!(&later.step, Step::Received { from, tag: t } if *from == entry.node && *t == tag)
                };
                let arrives = self.trace[order..].iter().any(arrival);
                (!arrives).then(|| (Weight::Way, self.words.sends((entry.node, *to), tag)))
            }
            Step::Received { from, .. } => {
                let sent = sent_at(&self.trace[..order], *from, entry.node, tag);
                let when = sent.map_or(String::new(), |at| format!(", sent at {}", at.nearest_micro()));
                Some((Weight::Way, self.words.receives((*from, entry.node), tag) + &when))
            }
            Step::Lost { to, why, again, .. } => Some((Weight::Turn, self.words.loses((entry.node, *to), tag, (*why, *again)))),
            Step::Carried { .. }
            | Step::Recorded(_)
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
            | Step::Said { .. } => None,
        }
    }

    /// What happens to a machine, or what the model says, as a sentence.
    fn machine(&self, entry: &TraceEntry) -> Option<(Weight, String)> {
        if !self.nodes.contains(&entry.node) {
            return None;
        }
        let weight = match &entry.step {
            Step::Down { .. } | Step::Booted | Step::Paused(_) => Weight::Node,
            Step::LostWrites { .. } | Step::Synced { ok: false } => Weight::Turn,
            Step::Disconnected { peer, .. } if self.nodes.contains(peer) => Weight::Link,
            Step::Said { about: Some(payload), .. } if self.payloads.contains(payload) => Weight::Words,
            Step::Sent { .. }
            | Step::Carried { .. }
            | Step::Recorded(_)
            | Step::Struck { .. }
            | Step::Lost { .. }
            | Step::Received { .. }
            | Step::Fired
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { ok: true }
            | Step::Disconnected { .. }
            | Step::Said { .. } => return None,
        };
        Some((weight, self.words.machine(entry)?))
    }
}

fn message(step: &Step) -> Option<(NodeId, Tag)> {
    match step {
        Step::Sent { to, tag, .. } | Step::Lost { to, tag, .. } => Some((*to, *tag)),
        Step::Received { from, tag } => Some((*from, *tag)),
        Step::Carried { .. }
        | Step::Recorded(_)
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
        | Step::Said { .. } => None,
    }
}

fn sent_at(before: &[TraceEntry], from: NodeId, to: NodeId, tag: Tag) -> Option<Time> {
    let sent = |e: &&TraceEntry| e.node == from && matches!(&e.step, Step::Sent { to: t, tag: g, .. } if *t == to && *g == tag);
    before.iter().rev().find(sent).map(|e| e.at)
}

/// What a node does several times in a row is told once: writes at one moment, and connections that break again and again.
fn drop_repetitions(lines: &mut Vec<Line>) {
    let mut latest: BTreeMap<Option<NodeId>, usize> = BTreeMap::new();
    let mut repeated: BTreeMap<usize, (u64, Time)> = BTreeMap::new();
    let mut keep = vec![true; lines.len()];
    for at in 0..lines.len() {
        let line = &lines[at];
        let tiresome = matches!(line.weight, Weight::Disk | Weight::Link);
        match latest.get(&line.node) {
            Some(before)
                if tiresome && lines[*before].text == line.text && (line.weight == Weight::Link || lines[*before].at == line.at) =>
            {
                let (times, last) = repeated.entry(*before).or_insert((0, line.at));
                (*times, *last) = (*times + 1, line.at);
                keep[at] = false;
            }
            Some(_) | None => {
                latest.insert(line.node, at);
            }
        }
    }
    for (at, (times, last)) in repeated {
        let line = &mut lines[at];
        if line.weight == Weight::Link {
            line.text += &again(times, last);
        }
    }
    let mut keep = keep.into_iter();
    lines.retain(|_| keep.next().unwrap_or(true));
}

/// Keeps what matters most; if that is still too much, the beginning and the end.
fn shorten(mut lines: Vec<Line>) -> Vec<Line> {
    for weight in [Weight::Disk, Weight::Link, Weight::Way, Weight::Node] {
        if lines.len() > LINES {
            // The first lines of a kind that goes may stay where there is room: they lead into what is left.
            let kept = lines.iter().filter(|l| l.weight != weight).count();
            let mut room = LINES.saturating_sub(kept);
            lines.retain(|line| {
                let stays = line.weight != weight || room > 0;
                room = if line.weight == weight { room.saturating_sub(1) } else { room };
                stays
            });
        }
    }
    if lines.len() > LINES {
        let (head, tail) = (LINES / 2, LINES - LINES / 2 - 1);
        let left_out = lines.len() - head - tail;
        let (at, turn) = (lines[head].at, lines[head].turn);
        lines.splice(
            head..head + left_out,
            [Line { at, turn, order: 0, weight: Weight::Turn, node: None, text: format!("… {left_out} more steps …"), arrives: false }],
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_again_and_again_is_told_once() {
        let line = |ms: u64, node: u32, weight, text: &str| Line {
            at: Time::from_nanos(ms * 1_000_000),
            turn: Turn::Reached,
            order: 0,
            weight,
            node: Some(NodeId(node)),
            text: text.to_owned(),
            arrives: false,
        };
        let mut lines = vec![
            line(1, 0, Weight::Disk, "writes"),
            line(1, 0, Weight::Disk, "writes"),
            line(2, 0, Weight::Disk, "writes"),
            line(3, 1, Weight::Link, "refused"),
            line(4, 2, Weight::Link, "reset"),
            line(5, 1, Weight::Link, "refused"),
            line(6, 1, Weight::Link, "refused"),
            line(7, 1, Weight::Turn, "starts"),
            line(8, 1, Weight::Link, "refused"),
            line(9, 1, Weight::Link, "refused"),
        ];
        drop_repetitions(&mut lines);
        let told: Vec<&str> = lines.iter().map(|l| l.text.as_str()).collect();
        let refused = "refused, and 2 times more until 0.006s";
        assert_eq!(told, ["writes", "writes", refused, "reset", "starts", "refused, and once more until 0.009s"]);
    }
}
