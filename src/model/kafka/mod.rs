//! Kafka: brokers with replicated partition logs, their controllers, producers, consumer groups, transactions.

pub mod batch;
pub mod broker;
pub mod check;
pub mod config;
pub mod controller;
pub mod group;
pub mod ids;
pub mod keys;
pub mod links;
pub mod mutants;
pub mod presets;
pub mod print;
pub mod protocol;
pub mod refusal;
pub mod txn;
pub mod view;

pub use config::Config;
pub use ids::{GroupId, Part, TopicId, TxnId};
pub use refusal::Refusal;
