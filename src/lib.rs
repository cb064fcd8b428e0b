//! A deterministic laboratory for messaging under failure.
//!
//! You describe a broker, its clients, the network and what goes wrong, in a scenario file. deadletter runs the whole system in
//! virtual time and answers: what was promised, what was kept, which message proves the difference, and which fault is to blame.
//! One seed is one run, byte for byte, on every machine.
//!
//! It is a program and this library. The library is for protocols of one's own: they plug into the same command line
//! ([`cli::main`]), are judged by the same judges and audited in the same way as those that come with it; and for tests that
//! run scenarios. `docs/library.md` shows both.
//!
//! # A scenario from text, and its verdict
//!
//! ```
//! use deadletter::check::Property;
//! use deadletter::lab::{Budget, Campaign, campaign};
//! use deadletter::run::Answer;
//! use deadletter::scenario::{Source, read, render};
//!
//! let text = r#"
//! ## Does a queue that never syncs keep what it confirmed when the power fails before anybody came to read?
//! ## No: what the operating system had not written is gone.
//!
//! [model.mailbox]
//! broker = { storage = "durable", sync = "never" }
//! queue.orders = {}
//! producer = { count = 2, confirm = "wait" }
//! consumer.billing = { from = "orders", attach = { from = "4s", for = "1h" } }
//!
//! [load]
//! to = "orders"
//! arrivals = { law = "poisson", rate = "50/s" }
//!
//! [network]
//! delay = "2ms"
//!
//! [phases]
//! warm = "1s"
//! chaos = "3s"
//! heal = "1s"
//! drain = "5s"
//!
//! [[fault]]
//! name = "power failure"
//! at = "2s"
//! power_off = "broker"
//! back_after = "500ms"
//!
//! [expect]
//! share = { acked_lost = ">= 50% of runs" }
//!
//! [seeds]
//! count = 8
//! "#;
//! let reading = read(&Source::new("never_synced.toml", text, deadletter::model::BUILT_IN));
//! let plan = reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)));
//! let outcome = campaign(&Campaign::new(&plan, "never_synced.toml"), &|| ()).expect("no run panics");
//!
//! assert_eq!(outcome.answer, Answer::Holds); // it was expected to lose messages, and lost some
//! let arm = &outcome.arms[0];
//! let tally = arm.tallies.iter().find(|tally| tally.property == Property::AckedSurvives).expect("every property has one");
//! assert!(tally.broken == arm.runs && !tally.promised);
//! println!("{}", arm.repro); // the line that repeats the run that is shown
//! ```
//!
//! # The life of one message, as a map of the modules
//!
//! ```text
//! scenarios/mailbox/acks.toml
//!   scenario::read     text → Plan             every problem of the file at once; the model checks its own table
//!   lab::campaign      Plan → arms × seeds     in parallel; the result does not depend on how many at once
//!   run::Passage       ArmPlan × seed          the registry of models is crossed here, once
//!     load             next arrival: publish p17 for client producer-1 at 4.2 s
//!     world            command → the client's handler
//!       record         call producer-1 publish p17
//!       Ctx::send      → parts::network: the message is delivered at a time, or lost with a reason
//!       parts::queue   deliver publish p17 to the broker
//!     world            the broker's run queue → cpu → handler → disk: written, synced → answer
//!       record         end producer-1 publish p17 ok
//!     world            a consumer receives → record deliver p17 → record effect p17 → acknowledges
//!   check::Judges      history × promises → findings, each with a witness
//!   lab                findings × expectations → answers
//!   run::explained     the same seed once more with the trace on → the story of the witness
//!   report             outcome → text · JSON · CSV · charts · HTML
//! ```
//!
//! | floor | what is there | begin with |
//! |---|---|---|
//! | [`base`] | time, ids, chances, laws, values of a file with their places | [`base::Time`], [`base::Span`], [`base::Tag`] |
//! | [`record`] | what happened: operations, history, trace | [`record::Op`], [`record::End`], [`record::Note`] |
//! | [`parts`] | queue, network, disk, cpu, clock, faults: each alone | [`parts::network`], [`parts::disk::Contents`] |
//! | [`world`] | the kernel | [`world::Protocol`], [`world::Role`], [`world::Ctx`], [`world::World`] |
//! | [`check`] | history → verdicts | [`check::Property`], [`check::Promises`], [`check::Judged`] |
//! | [`load`] | arrivals, keys, sizes, phases | [`load::LoadConfig`] |
//! | [`model`] | the protocols | [`model::Plain`], [`model::Described`], [`model::mailbox`] |
//! | [`scenario`] | file → checked plan | [`scenario::read`], [`scenario::Plan`] |
//! | [`run`] | plan × seed → outcome | [`run::one()`], [`run::audit()`], [`run::Outcome`] |
//! | [`lab`] | many runs | [`lab::campaign()`] |
//! | `testing` | property tests, with the feature `proptest` | `Bench`, `Trial` |
//! | [`report`] | outcome → something to read | [`report::write()`], [`report::text::summary`] |
//! | [`cli`] | words on a terminal | [`cli::main`] |
//!
//! Folders are floors: each uses only those above it in this table. Judges and models never meet: a model writes a history and
//! declares promises, a judge reads both.

pub mod base;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod lab;
pub mod load;
pub mod model;
pub mod parts;
pub mod record;
pub mod report;
pub mod run;
pub mod scenario;
#[cfg(feature = "proptest")]
pub mod testing;
pub mod world;

/// Compiles and runs the code in `docs/library.md`.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct LibraryPage;

/// Compiles and runs the code in `docs/testing.md`.
#[cfg(all(doctest, feature = "proptest"))]
#[doc = include_str!("../docs/testing.md")]
struct TestingPage;
