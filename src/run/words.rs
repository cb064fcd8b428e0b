//! The sentences of stories: one for each thing that happens, without its time. The short story of a breach and the long one of a
//! message say the same of the same.

use std::collections::BTreeMap;

use crate::base::{FaultId, LossReason, NodeId, ObjectId, PayloadId, Tag, Time};
use crate::record::{End, Entry, LogNote, Note, Op, Place, Settlement, Step, TraceEntry, What};
use crate::world::Sim;

/// A way that messages go: from whom to whom.
pub(super) type Way = (NodeId, NodeId);

/// The names behind the ids of a run, put into sentences.
pub(super) struct Words<'a> {
    sim: &'a dyn Sim,
    faults: &'a [String],
    /// Which message of its kind about its payload on its way a message was, from 1. A tag's own number need not begin at 1: it only
    /// tells messages apart.
    times: BTreeMap<(Way, Tag), usize>,
}

impl<'a> Words<'a> {
    /// The words of a run with its trace; attempts are counted for the payloads that are asked for.
    pub(super) fn new(sim: &'a dyn Sim, faults: &'a [String], trace: &[TraceEntry], asked: impl Fn(PayloadId) -> bool) -> Words<'a> {
        let (mut times, mut sent) = (BTreeMap::new(), BTreeMap::new());
        for step in trace {
            let Step::Sent { to, tag, .. } = step.step else { continue };
            let Some(payload) = sim.about(tag).filter(|p| asked(*p)) else { continue };
            times.entry(((step.node, to), tag)).or_insert_with(|| {
                let count = sent.entry((step.node, to, tag.kind, payload)).or_insert(0);
                *count += 1;
                *count
            });
        }
        Words { sim, faults, times }
    }

    /// The name of a node.
    pub(super) fn node(&self, id: NodeId) -> &'a str {
        self.sim.names().node(id)
    }

    /// The name of a queue, topic or subscription.
    pub(super) fn object(&self, id: ObjectId) -> &'a str {
        self.sim.names().object(id).name.as_str()
    }

    /// A fault with its name.
    pub(super) fn fault(&self, id: FaultId) -> String {
        format!("fault `{}`", self.faults[id.index()])
    }

    /// A history entry as a sentence; `None` for phases and faults.
    pub(super) fn entry(&self, entry: &Entry) -> Option<String> {
        let who = self.node(entry.node);
        let text = match entry.what {
            What::Call { what: Op::Publish { to, payload, .. }, .. } => format!("{who} publishes {payload} to {}", self.object(to)),
            What::Call { what: Op::Request { to, payload, .. }, .. } => format!("{who} requests {payload} of {}", self.object(to)),
            What::End { what, end, .. } => {
                let asked = format!("{} {}", what.verb(), what.payload());
                match end {
                    End::Ok => format!("{who}: {asked} ended well"),
                    End::Failed(why) => format!("{who}: {asked} failed for certain: {why}"),
                    End::Unknown(why) => format!("{who}: whether {asked} happened is unknown: {why}"),
                }
            }
            What::Skipped { what, .. } => format!("{who} is down and cannot {} {}", what.verb(), what.payload()),
            What::Note(Note::Deliver { group, payload, intact, redelivered, place }) => {
                let again = if redelivered { ", marked as redelivered" } else { "" };
                let damage = if intact { "" } else { ", with a damaged body" };
                let place = place.map_or_else(String::new, |place| format!(" ({})", self.place(place)));
                format!("{who} receives {payload} from {}{place}{again}{damage}", self.object(group))
            }
            What::Note(Note::Effect { group, payload }) => format!("{who} applies the effect of {payload} for {}", self.object(group)),
            What::Note(Note::Settle { group, payload, how }) => format!("{payload} leaves {}: {}", self.object(group), settled(how)),
            What::Note(Note::Held { group, payload }) => format!("{payload} is still held in {}", self.object(group)),
            What::Note(Note::Subscribe { group }) => format!("{who}: {} is subscribed from here on", self.object(group)),
            What::Note(Note::Unsubscribe { group }) => format!("{who}: {} is subscribed no longer", self.object(group)),
            What::Note(Note::Log(note)) => return self.at_log(who, note),
            What::Phase(_) | What::Fault { .. } => return None,
        };
        Some(text)
    }

    /// What happened at a log, where that is worth telling.
    fn at_log(&self, who: &str, note: LogNote) -> Option<String> {
        let text = match note {
            LogNote::Poll { .. } | LogNote::InTransaction { .. } => return None,
            LogNote::Assigned { group, log } => format!("{who} reads {} for {} from here on", self.object(log), self.object(group)),
            LogNote::Revoked { group, log } => format!("{who} reads {} for {} no longer", self.object(log), self.object(group)),
            LogNote::Committed { group, place } => format!("{who}: {} continues at {}", self.object(group), self.place(place)),
            LogNote::Appended { payload, place } => format!("{who} was told that {payload} stands at {}", self.place(place)),
        };
        Some(text)
    }

    /// A place in a log.
    fn place(&self, place: Place) -> String {
        format!("{}@{}", self.object(place.log), place.offset)
    }

    /// A message: its kind, what it is about, and which of its kind it is when it is not the first.
    pub(super) fn message(&self, way: Way, tag: Tag) -> String {
        let kind = self.sim.kind(tag.kind).unwrap_or("message");
        let Some(payload) = self.sim.about(tag) else { return kind.to_owned() };
        match self.times.get(&(way, tag)) {
            Some(again @ 2..) => format!("{kind} {payload} (attempt {again})"),
            Some(_) | None => format!("{kind} {payload}"),
        }
    }

    /// A message leaves.
    pub(super) fn sends(&self, (from, to): Way, tag: Tag) -> String {
        format!("{} sends {} to {}", self.node(from), self.message((from, to), tag), self.node(to))
    }

    /// A message reaches its handler.
    pub(super) fn receives(&self, (from, to): Way, tag: Tag) -> String {
        format!("{} receives {} from {}", self.node(to), self.message((from, to), tag), self.node(from))
    }

    /// A transmission is lost.
    pub(super) fn loses(&self, (from, to): Way, tag: Tag, (why, again): (LossReason, bool)) -> String {
        let next = if again { "; it will be sent again" } else { "" };
        let what = self.message((from, to), tag);
        format!("{what} from {} to {} is lost: {}{next}", self.node(from), self.node(to), self.loss(why))
    }

    /// A handler writes.
    pub(super) fn writes(&self, node: NodeId, bytes: u64) -> String {
        let what = if bytes == 0 { "a record".to_owned() } else { format!("{bytes} bytes") };
        format!("{} writes {what}, not yet durable", self.node(node))
    }

    /// A sync has made writes durable.
    pub(super) fn has_synced(&self, node: NodeId) -> String {
        format!("{} has everything written before on its disk", self.node(node))
    }

    /// A fault that does not bring its node down or stop it begins or ends.
    pub(super) fn strikes(&self, entry: &TraceEntry, fault: FaultId, on: bool) -> String {
        let name = self.fault(fault);
        if !on {
            return format!("{name} ends");
        }
        match self.sim.strikes().iter().rev().find(|s| s.fault == fault && s.from <= entry.at) {
            // What a fault of the network does names its nodes.
            Some(strike) if strike.nodes.len() > 1 => format!("{name} begins: {}", strike.what),
            Some(strike) => format!("{name} begins at {}: {}", self.node(entry.node), strike.what),
            None => format!("{name} begins"),
        }
    }

    /// What happens to a machine, as a sentence; `None` for steps of another kind.
    pub(super) fn machine(&self, entry: &TraceEntry) -> Option<String> {
        let who = self.node(entry.node);
        let text = match &entry.step {
            Step::Down { how } => format!("{who} goes down: {how}{}", self.blame(entry)),
            Step::Booted => format!("{who} starts with what its disk holds"),
            Step::Paused(true) => format!("{who} stops{}", self.blame(entry)),
            Step::Paused(false) => format!("{who} goes on"),
            Step::LostWrites { count: 1 } => format!("{who} loses 1 unsynced write"),
            Step::LostWrites { count } => format!("{who} loses {count} unsynced writes"),
            Step::Synced { ok: false } => format!("{who}'s disk fails to sync{}", self.blame(entry)),
            Step::Disconnected { peer, why } => format!("{who} loses its connection to {}: {why}", self.node(*peer)),
            Step::Said { text, .. } => format!("{who}: {text}"),
            Step::Sent { .. }
            | Step::Carried { .. }
            | Step::Recorded(_)
            | Step::Struck { .. }
            | Step::Lost { .. }
            | Step::Received { .. }
            | Step::Fired
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { ok: true } => return None,
        };
        Some(text)
    }

    /// How a node went down, as what it suffered: `it lost power (fault ...)`.
    pub(super) fn blow(&self, entry: &TraceEntry) -> String {
        let Step::Down { how } = &entry.step else { return "it went down".to_owned() };
        let suffered = if how.starts_with("lost") { (*how).to_owned() } else { format!("was {how}") };
        format!("it {suffered}{}", self.blame(entry))
    }

    /// The fault that struck a node at this moment, or acts on it, in brackets.
    fn blame(&self, entry: &TraceEntry) -> String {
        self.blamed(entry.node, entry.at).map_or(String::new(), |fault| format!(" ({})", self.fault(fault)))
    }

    /// The fault that struck a node at this moment, or acts on it.
    pub(super) fn blamed(&self, node: NodeId, at: Time) -> Option<FaultId> {
        let strikes = self.sim.strikes().iter().filter(|s| s.from <= at && s.until.is_none_or(|u| at <= u));
        strikes.filter(|s| s.nodes.contains(&node)).max_by_key(|s| s.from).map(|s| s.fault)
    }

    /// Why a transmission was lost.
    pub(super) fn loss(&self, why: LossReason) -> String {
        match why {
            LossReason::Chance => "the link loses some messages".into(),
            LossReason::Burst => "the link is in its bad state".into(),
            LossReason::Fault(id) => self.fault(id),
            LossReason::NoRoute => "no route is left".into(),
            LossReason::Overflow => "the link's queue is full".into(),
            LossReason::Checksum => "damaged on the way, caught by its checksum".into(),
            LossReason::NodeDown => "the receiver is down".into(),
            LossReason::RunQueueFull => "the receiver's run queue is full".into(),
            LossReason::Override => "so decided by an override".into(),
        }
    }
}

/// How a message left its queue, in a clause.
pub(super) const fn settled(how: Settlement) -> &'static str {
    match how {
        Settlement::Acknowledged => "the consumer acknowledged it",
        Settlement::Returned => "the consumer gave it back",
        Settlement::DeadLettered => "moved to the dead letters",
        Settlement::Expired => "its time was over",
        Settlement::Dropped => "dropped without a word, the queue was full",
        Settlement::Superseded => "compacted away, a later message with its key is there",
    }
}

/// How often something happened again after it was told, and until when.
pub(super) fn again(times: u64, last: Time) -> String {
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    format!(", and {times} more until {}", last.nearest_micro())
}
