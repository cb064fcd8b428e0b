//! The door from the generic world to everything above it: one object-safe interface, crossed once per batch of events.

use crate::base::{Digest, FaultId, NodeId, ObjectId, PayloadId, Tag, Time};
use crate::parts::fault::Fault;
use crate::record::{Command, Entry, Marks, Names, Trace};

use super::Strike;

/// A running world of any protocol.
pub trait Sim: std::any::Any + Send {
    /// Runs events until `until` (included), or until the history has something new, whichever comes first.
    /// New entries are appended to `out`. Returns false when nothing is pending at or before `until`.
    fn advance(&mut self, until: Time, out: &mut Vec<Entry>) -> bool;
    /// Runs one event, if it is due at `until` or before; the history's new entries are appended to `out`. False when none is due.
    fn advance_one(&mut self, until: Time, out: &mut Vec<Entry>) -> bool;
    /// At a moment before which nothing is pending any more: a fault that nobody declared strikes, now and once. Its number is the
    /// next after those there are.
    ///
    /// # Errors
    /// What it names and this world does not have, as sentences.
    fn inject(&mut self, at: Time, fault: &Fault, out: &mut Vec<Entry>) -> Result<FaultId, Vec<String>>;
    /// From here on chance is that of another seed, and nothing is overridden: what is under way arrives as it would have.
    fn reseed(&mut self, seed: u64);
    /// From a moment on, before which nothing is pending, the settings are those of another world of the same protocol, which has not begun: configuration, laws of the
    /// network, faults still to come, named transmissions. What runs, what is on its way and what acts goes on.
    ///
    /// # Errors
    /// What does not change while it runs, as sentences.
    fn adopt(&mut self, now: Time, other: &dyn Sim) -> Result<(), Vec<String>>;
    /// Whether no fault acts and none is to come, and nothing waits for a processor: then [`Sim::fingerprint`] says it all. Always false
    /// where nodes have processors.
    fn is_calm(&self) -> bool;
    /// The time of the next event.
    fn next_time(&mut self) -> Option<Time>;
    /// The present.
    fn now(&self) -> Time;
    /// Hands a client an operation at a moment not before now.
    fn command(&mut self, at: Time, node: NodeId, command: Command);
    /// At a moment before which nothing is pending any more: all faults end, all nodes start again.
    fn heal(&mut self, at: Time, out: &mut Vec<Entry>);
    /// Every message still held, as `Held` notes in queue order.
    fn final_read(&mut self, out: &mut Vec<Entry>);
    /// How many messages each object holds, summed over nodes.
    fn gauges(&self, report: &mut dyn FnMut(ObjectId, u64));
    /// Digest of every event so far.
    fn digest(&self) -> Digest;
    /// Digest of the present state: nodes, connections, and what is pending, with times relative to now and without the numbers that
    /// only tell things apart. Worlds with equal fingerprints behave alike, as long as nobody restarts (disks are left out).
    fn fingerprint(&self) -> Digest;
    /// Events handled so far.
    fn events(&self) -> u64;
    /// Messages delivered to handlers so far.
    fn messages(&self) -> u64;
    /// What faults did, as explicit entries in order of time.
    fn strikes(&self) -> &[Strike];
    /// How many nodes, messages or writes a fault touched.
    fn touched(&self, fault: FaultId) -> u64;
    /// Marks reached.
    fn marks(&self) -> &Marks;
    /// The named overrides that no transmission matched so far: on replay each is an error.
    fn unmatched(&self) -> Vec<String>;
    /// Names of nodes and objects.
    fn names(&self) -> &Names;
    /// The trace, if one is kept.
    fn trace(&self) -> Option<&Trace>;
    /// What still waits for something, in words, with since when; for the judge of liveness.
    fn pending(&self) -> Vec<String>;
    /// The first breach of the protocol's own invariant, if one was found.
    fn breach(&self) -> Option<&(Time, String)>;
    /// The names of message kinds.
    fn kinds(&self) -> &'static [&'static str];
    /// The name of a kind of message as in a [`Tag`], those of connections included; `None` for what never crosses the network.
    fn kind(&self, kind: u16) -> Option<&'static str>;
    /// The payload that a message of this name is about, for stories.
    fn about(&self, tag: Tag) -> Option<PayloadId>;
    /// A payload's holders, for stories: nothing is changed.
    fn holders(&self, payload: PayloadId) -> Vec<(NodeId, ObjectId)>;
    /// A copy that continues on its own.
    fn fork(&self) -> Box<dyn Sim>;
}
