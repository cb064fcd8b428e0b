//! The producer client: records are gathered into batches, batches into requests, and each operation ends with what can be known of it.
//!
//! [`Sender`] is the client library; it is embedded by whoever writes: the role [`Producer`], and applications that read, transform and
//! write. What it keeps and decides is in pure values (`engine` and below), which are given moments, random words and answers and return
//! what is to be done; only `sender` and `role` touch the world.

mod backoff;
mod bundle;
mod engine;
mod events;
mod lane;
mod partitioner;
mod role;
mod sender;
mod transactions;
mod verdict;
mod waiting;

pub mod marks;
#[cfg(test)]
mod tests;

pub use events::{Done, Event, Fate, Outgoing, Token};
pub use role::Producer;
pub use sender::{Client, ProducerTimer, Sender, Settings};
