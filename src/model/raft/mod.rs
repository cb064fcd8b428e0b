//! Raft, shared by several models: a quorum of nodes that keeps one log, whatever befalls a minority of them.
//!
//! [`Raft`] is one node of a quorum as a value. It knows no network, no disk and no clock: a host (a role of a model) tells
//! it what happens and does what it wants.
//!
//! | the host tells | when |
//! |---|---|
//! | [`Raft::boot`] | the process starts, on what `ctx.recover()` holds |
//! | [`Raft::message`] | a [`Message`] arrived |
//! | [`Raft::timer`] | a [`Timer`] that was [`Output::Set`] fired |
//! | [`Raft::synced`], [`Raft::sync_failed`] | an [`Output::Sync`] ended |
//! | [`Raft::propose`] | the leader shall append entries |
//! | [`Raft::resign`] | the leader shall hand its office over, as before a planned stop |
//! | [`Raft::read`] | a read shall be answered from the leader's machine (push) |
//! | [`Raft::compact`] | the host's machine has a snapshot of itself |
//! | [`Raft::change_voters`] | a node shall vote, or no longer |
//!
//! After each of these the host takes [`Raft::outputs`] and carries them out in their order. Each input comes with a
//! [`Moment`]: the node's clock, and one random word.
//!
//! | [`Output`] | what the host does |
//! |---|---|
//! | `Write(record)` | `ctx.write`: the disk is a [`Stored`], the fold of its [`Record`]s |
//! | `Sync(ticket)` | `ctx.sync`, then `synced(ticket)` or `sync_failed()` |
//! | `Send { to, message }` | sends it; [`Message::kind`] and [`KINDS`] are for its tag |
//! | `Set { timer, after }` | `ctx.timer`; the earlier timer of this kind may be cancelled |
//! | `Cancel(kind)` | may cancel that timer |
//! | `Committed { first, entries }` | applies the entries to its machine |
//! | `Restore(snapshot)` | makes its machine anew from the snapshot's entries |
//! | `Role { .. }`, `InCharge { .. }` | takes note: a leader serves from `InCharge` on |
//! | `ReadReady { .. }`, `ReadRefused { .. }` | answers the read |
//!
//! What must not be said before the disk has it (votes, terms, the end of a log) is held inside until `synced`. The host
//! never waits. Fetches that find nothing new wait inside too ([`Pull::fetch_wait`]): the host answers none itself.
//!
//! Nodes that are not among the voters follow a pull quorum as observers: boot them on [`Stored::format`] with the voters.
//! After a restart nothing counts as committed beyond the snapshot until a leader says so: the machine is rebuilt
//! by `Restore` and `Committed` alone.
//!
//! What a reader of Kafka's sources will miss, and what stands in its place:
//!
//! | in Kafka | here |
//! |---|---|
//! | the leader's id is in the quorum state file | term and vote only: after a start a node waits for word of a leader |
//! | voters without a leader fetch from any voter | they wait for `BeginTerm`, or ask around when their time-out ends |
//! | `BeginQuorumEpoch` and `EndQuorumEpoch` are answered | the first is repeated until the voter fetches, the second is sent once |
//! | a snapshot is fetched in pieces | it is one message |
//! | a fetch of a later epoch is refused | any word of a later term ends a leader's reign |
//! | a voter is added when it has caught up | whoever adds one looks at [`Raft::matched`] first |
//!
//! ```
//! use std::collections::VecDeque;
//! use deadletter::base::{NodeId, SmallStream, Time};
//! use deadletter::model::raft::{Message, Moment, Output, Payload, Raft, Settings, Stored, Timer, Weighed};
//!
//! #[derive(Clone, PartialEq, Debug)]
//! struct Word(&'static str);
//! impl Weighed for Word {
//!     fn bytes(&self) -> u32 {
//!         u32::try_from(self.0.len()).expect("a short word")
//!     }
//! }
//!
//! let mut words = SmallStream::named(7, "example", 0);
//! let mut moment = || Moment::new(Time::ZERO, &mut words);
//! let ids = [NodeId(0), NodeId(1), NodeId(2)];
//! let mut nodes = ids.map(|me| Raft::boot(me, Settings::kraft(), Stored::format(ids), moment()));
//! let mut timers: Vec<(NodeId, Timer)> = Vec::new();
//! let mut mail: VecDeque<(NodeId, NodeId, Message<Word>)> = VecDeque::new();
//! let mut said = Vec::new();
//!
//! // Here every message arrives, every disk is quick, and the first timer to fire is that of node 0.
//! for step in 0..100 {
//!     if step == 1 {
//!         nodes[0].timer(timers[0].1, moment());
//!     } else if let Some((from, to, message)) = mail.pop_front() {
//!         nodes[to.index()].message(from, message, moment());
//!     } else if nodes[0].in_charge() && nodes[0].log().end().0 == 1 {
//!         nodes[0].propose([Word("hello")], moment()).unwrap();
//!     }
//!     for me in ids {
//!         let mut outputs = VecDeque::from(nodes[me.index()].outputs());
//!         while let Some(output) = outputs.pop_front() {
//!             match output {
//!                 Output::Send { to, message } => mail.push_back((me, to, message)),
//!                 Output::Set { timer, .. } => timers.push((me, timer)),
//!                 Output::Sync(ticket) => {
//!                     nodes[me.index()].synced(ticket, moment());
//!                     outputs.extend(nodes[me.index()].outputs());
//!                 }
//!                 Output::Committed { entries, .. } => {
//!                     said.extend(entries.iter().filter_map(|entry| match &entry.payload {
//!                         Payload::User(Word(word)) => Some((me, *word)),
//!                         Payload::LeaderChange { .. } | Payload::Voters(_) => None,
//!                     }));
//!                 }
//!                 Output::Write(_) | Output::Cancel(_) | Output::Restore(_) | Output::Role { .. } => {}
//!                 Output::InCharge { .. } | Output::ReadReady { .. } | Output::ReadRefused { .. } => {}
//!             }
//!         }
//!     }
//! }
//! said.sort();
//! assert_eq!(said, ids.map(|me| (me, "hello")));
//! ```

pub mod ids;
mod journal;
mod lead;
pub mod log;
mod members;
pub mod message;
pub mod mutants;
pub mod output;
mod pull;
mod push;
mod read;
pub mod settings;
mod snapshot;
mod state;
pub mod stored;
mod vote;

pub use ids::{Offset, Term};
pub use lead::NotLeader;
pub use log::{Entry, Log, Payload, Weighed};
pub use members::{Change, Unchanged};
pub use message::{KINDS, Message};
pub use mutants::{Mutant, Mutants};
pub use output::{Moment, Output, Role, Ticket, Timer, TimerKind};
pub use settings::{Durability, Pull, Push, Replication, Settings};
pub use state::Raft;
pub use stored::{Record, Snapshot, Stored};

#[cfg(test)]
mod tests;
