//! The long story of one message, node or outage: told from what happened before what, with what made the difference.

mod crux;
mod facts;
mod ground;
mod loss;
mod message;
mod node;
mod outage;
mod repeat;
mod telling;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::base::value::did_you_mean;
use crate::base::{FaultId, NodeId, PayloadId, Time};
use crate::check::Property;

use super::one::{Crash, guarded};
use super::passage::Ready;
use ground::Ground;

/// Whom or what a story follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A payload, wherever it goes.
    Message(PayloadId),
    /// A node.
    Node(NodeId),
    /// All strikes of a declared fault.
    Outage(FaultId),
}

impl Subject {
    /// Reads a subject: `p17` or `17` is a message, then the name of a node, then that of a fault or a beginning that only one has.
    ///
    /// # Errors
    /// A sentence with what there is.
    pub fn parse(text: &str, ready: &Ready<'_>) -> Result<Subject, String> {
        let roster = ready.arm().model().roster();
        let nodes: Vec<&str> = roster.nodes.iter().map(|node| node.name.as_str()).collect();
        let faults: Vec<&str> = ready.arm().surroundings().faults.iter().map(|fault| fault.name.as_str()).collect();
        let named = |names: &[&str]| names.iter().position(|name| *name == text);
        if let Some(node) = named(&nodes) {
            return Ok(Subject::Node(NodeId::at(node)));
        }
        if let Some(fault) = named(&faults) {
            return Ok(Subject::Outage(FaultId::at(fault)));
        }
        if let Ok(number) = text.strip_prefix('p').unwrap_or(text).parse() {
            return Ok(Subject::Message(PayloadId(number)));
        }
        let mut begin = faults.iter().enumerate().filter(|(_, name)| !text.is_empty() && name.starts_with(text));
        if let (Some((fault, _)), None) = (begin.next(), begin.next()) {
            return Ok(Subject::Outage(FaultId::at(fault)));
        }
        let known: Vec<&str> = nodes.into_iter().chain(faults).collect();
        let hint = did_you_mean(text, &known).unwrap_or_else(|| "there are no names here".to_owned());
        Err(format!("`{text}` is no message (such as p17), no node and no fault: {hint}"))
    }
}

/// A story, ready to be told in several ways. Equal runs give equal stories.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tale {
    /// Whom it follows.
    pub subject: Subject,
    /// The same in words: `p17`, `broker`, ``fault `power failure` ``.
    pub title: String,
    /// The arm of the scenario.
    pub arm: String,
    /// The seed of the run.
    pub seed: u64,
    /// What was broken about it.
    pub breaches: Vec<Breach>,
    /// What made the difference, or what it did.
    pub gist: Vec<Gist>,
    /// What happened, in order.
    pub events: Vec<TaleEvent>,
    /// The messages of the story, in order of when they left.
    pub arrows: Vec<Arrow>,
    /// When nodes were down, stopped, cut off or ill.
    pub outages: Vec<Outage>,
    /// The nodes of the story with their names, in order of appearance.
    pub nodes: Vec<(NodeId, String)>,
    /// The phases of the run: when each begins, and the end.
    pub phases: Vec<(String, Time)>,
    /// How many events there was no room for.
    pub left_out: u64,
}

impl Tale {
    /// From the first event until the last.
    #[must_use]
    pub fn extent(&self) -> Option<(Time, Time)> {
        self.events.first().map(|first| first.at).zip(self.events.last().map(|last| last.at))
    }
    /// The name of a node of the story.
    ///
    /// # Panics
    /// When the node is not in the story.
    #[must_use]
    pub fn name(&self, node: NodeId) -> &str {
        self.nodes.iter().find(|(id, _)| *id == node).map(|(_, name)| name.as_str()).expect("a node of the story")
    }
}

/// A property that a run broke, with its witness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Which.
    pub property: Property,
    /// Whether the configuration promises it.
    pub promised: bool,
    /// The witness.
    pub sentence: String,
}

/// A sentence that says what made the difference, with the events that show it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gist {
    /// The sentence.
    pub text: String,
    /// Positions in [`Tale::events`].
    pub events: Vec<usize>,
}

/// What kind of thing an event is, for colours and signs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// What clients see: asked, ended, delivered, took effect, still held.
    Turn,
    /// A message leaves.
    Sends,
    /// A message arrives.
    Receives,
    /// A message is lost, or harmed on its way.
    Lost,
    /// The model's own words.
    Words,
    /// A write that a power failure would take.
    Wrote,
    /// What was written is durable.
    Durable,
    /// A sync fails, or writes are lost.
    Harm,
    /// A node goes down or stops.
    Down,
    /// A node starts or goes on.
    Up,
    /// A connection ends.
    Link,
    /// A fault begins or ends.
    Fault,
}

/// One thing that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaleEvent {
    /// When.
    pub at: Time,
    /// Where; what befalls a message on its way happens at no node.
    pub node: Option<NodeId>,
    /// What, as a sentence without its time.
    pub text: String,
    /// What kind of thing.
    pub kind: Kind,
    /// The event that directly brought it about, where the story has it.
    pub cause: Option<usize>,
    /// Which events at one node belong to one handler: equal numbers.
    pub handler: usize,
    /// How many of the story's events at each node it could know of, itself included: its vector clock. Empty for what happens at no
    /// node.
    pub clock: Vec<(NodeId, u32)>,
}

/// A message of the story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Arrow {
    /// What it is: `publish p17 (attempt 2)`.
    pub text: String,
    /// From whom, and when it left.
    pub from: (NodeId, Time),
    /// To whom, and when it arrived; with no time it never did.
    pub to: (NodeId, Option<Time>),
    /// When it was lost, and why.
    pub lost: Option<(Time, String)>,
    /// The event that it left by, and the one that it arrived by.
    pub ends: (Option<usize>, Option<usize>),
}

/// A time in which a node was not well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outage {
    /// Which node.
    pub node: NodeId,
    /// From when.
    pub from: Time,
    /// Until when; `None`: to the end.
    pub until: Option<Time>,
    /// What it was: `lost power`, `process stopped`.
    pub what: String,
    /// The fault that did it, by name.
    pub fault: Option<String>,
    /// Whether the node did nothing at all meanwhile.
    pub silent: bool,
}

/// Runs a seed and tells the story of a subject.
///
/// # Errors
/// A panic inside the run.
pub fn follow(ready: &Ready<'_>, seed: u64, subject: Subject) -> Result<Tale, Crash> {
    follow_within(ready, seed, subject, ground::WHOLE)
}

/// The same; runs of more events than `whole` are traced only around the subject.
fn follow_within(ready: &Ready<'_>, seed: u64, subject: Subject, whole: u64) -> Result<Tale, Crash> {
    guarded(seed, || {
        let faults: Vec<String> = ready.arm().surroundings().faults.iter().map(|fault| fault.name.clone()).collect();
        let evidence = ground::gather(ready, seed, subject, whole);
        let causality = super::causal::Causality::new(&evidence.steps);
        let ground = Ground::new(&evidence, &faults, &causality);
        match subject {
            Subject::Message(payload) => message::tale(&ground, payload),
            Subject::Node(node) => node::tale(&ground, node),
            Subject::Outage(fault) => outage::tale(&ground, fault),
        }
    })
}

/// What can be followed in a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Followable {
    /// The properties that the run broke, each with its witness and the payloads of it.
    pub breaches: Vec<(Breach, Vec<PayloadId>)>,
    /// The nodes.
    pub nodes: Vec<String>,
    /// The faults, each with how often it struck.
    pub faults: Vec<(String, u64)>,
    /// The messages that there were, in runs of consecutive numbers: the first and the last of each.
    pub messages: Vec<(PayloadId, PayloadId)>,
}

/// Runs a seed and says what can be followed in it.
///
/// # Errors
/// A panic inside the run.
pub fn followable(ready: &Ready<'_>, seed: u64) -> Result<Followable, Crash> {
    let run = super::one(ready, seed)?.outcome;
    let accounting = &run.judged.accounting;
    let listed = &ready.arm().load().listed;
    // Streams number what they ask for from nought on; what is listed has the numbers that are written.
    let mut payloads: Vec<PayloadId> = if listed.is_empty() {
        (0..usize::try_from(accounting.attempts + accounting.skipped).expect("32 bits number them")).map(PayloadId::at).collect()
    } else {
        listed.iter().map(|one| one.payload).collect()
    };
    payloads.sort_unstable();
    Ok(Followable {
        breaches: ground::breaches(&run.judged, |_| true),
        nodes: ready.arm().model().roster().nodes.into_iter().map(|node| node.name).collect(),
        faults: run.ledger.iter().map(|row| (row.name.clone(), row.fired)).collect(),
        messages: payloads.chunk_by(|one, next| next.0 == one.0 + 1).map(|run| (run[0], run[run.len() - 1])).collect(),
    })
}

impl fmt::Display for Gist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
