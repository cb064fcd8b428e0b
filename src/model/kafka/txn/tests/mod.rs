//! Tests of the transaction coordinator: the table of states, one rule after the other, and random schedules.

pub(in crate::model::kafka) mod config;
mod rig;
mod rules;
mod schedules;
mod table;
