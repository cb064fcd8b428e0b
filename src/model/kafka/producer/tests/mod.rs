//! Producers against clusters that misbehave: what ends as failed is nowhere, what ends well is where it was said to be.

mod certainty;
mod cluster;
mod gathering;
mod lanes;
mod order;
mod rig;
mod setting;
mod transactions;
mod world;
