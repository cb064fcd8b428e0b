//! Kafka: brokers with replicated partition logs, their controllers, producers, consumer groups, transactions.

pub mod batch;
pub mod broker;
pub mod check;
pub mod config;
pub mod consumer;
pub mod control_link;
pub mod controller;
pub mod disk;
pub mod finally;
pub mod group;
pub mod ids;
pub mod invariants;
pub mod keys;
pub mod links;
pub mod log;
pub mod marks;
pub mod mutants;
pub mod presets;
pub mod print;
pub mod processor;
pub mod producer;
pub mod promises;
pub mod protocol;
pub mod refusal;
pub mod scope;
pub mod selectors;
pub mod store;
pub mod surface;
pub mod txn;
pub mod view;
pub mod whole;

pub use config::Config;
pub use ids::{GroupId, Part, TopicId, TxnId};
pub use refusal::Refusal;
pub use whole::Kafka;

use super::Adapter;

/// The model, as the registry knows it.
pub static MODEL: Adapter<Kafka> = Adapter::NEW;

#[cfg(test)]
mod tests;
