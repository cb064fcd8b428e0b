//! Tests of the transaction coordinator: the table of states, one rule after the other, and random schedules.

mod config;
mod rig;
mod rules;
mod schedules;
mod table;
