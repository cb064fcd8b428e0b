//! Property tests with proptest: runs under drawn faults, networks, loads and settings, which shrink to what a person would have written.
//!
//! A [`Bench`] is a scenario and what may vary in it. Its [`Trial`]s are drawn by proptest in the usual way (`PROPTEST_CASES` is honoured),
//! and each says of itself whether everything that was promised was kept. When one fails, what is left after shrinking has
//! no fault, operation or setting too many, and a capsule of it stands in `target/deadletter/` (or in the folder that the
//! environment's `DEADLETTER_CAPSULES` names) with the command that replays it. `docs/testing.md` shows the whole.
//!
//! Whoever puts runs together otherwise finds the parts here as strategies of their own: [`faults`], [`networks`], [`operations`],
//! [`settings`], [`seeds`].

mod bench;
mod draft;
mod faults;
mod load;
mod moment;
mod network;
mod settings;
mod shrinking;
mod trial;

pub use bench::{Bench, Counterexample};
pub use draft::seeds;
pub use faults::{FaultSpace, MILDEST_FIRST, faults};
pub use load::operations;
pub use network::{NetworkSpace, networks};
pub use settings::settings;
pub use trial::Trial;
