//! The words of the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

/// A laboratory for messaging under failure: say what is promised, break things, see what was kept.
///
/// Exit codes: 0 holds, 1 broken, 2 unknown, 64 wrong usage, 65 bad scenario, 70 our own bug, 130 interrupted.
#[derive(Parser, Debug)]
#[command(name = "deadletter", version, max_term_width = 110)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(super) enum Verb {
    /// Run scenarios and judge them; reports go to reports/<scenario>/
    Run(RunArgs),
    /// Read scenarios and name everything that is wrong with them, without running
    Check(CheckArgs),
    /// Run every seed twice, and once through a copy of the world; all digests must be equal
    Audit(AuditArgs),
    /// Make a run that goes wrong into a file that replays it
    Capsule(super::capsule::CapsuleArgs),
    /// Look for a run that goes wrong: random faults, networks and loads, guided by the rare paths that runs reach
    Hunt(super::hunt::HuntArgs),
    /// Make a run that goes wrong as small as it gets, and write it as a capsule
    Shrink(super::shrink::ShrinkArgs),
    /// Run capsules again and compare with what was recorded
    Replay(super::replay::ReplayArgs),
    /// Go on from a moment of a run under other settings, and compare
    Fork(super::fork::ForkArgs),
    /// Tell the story of a message, a node or a fault of one run; without one, say what can be followed
    Follow(FollowArgs),
    /// Find the event after which a failing run was lost
    Doom(super::doom::DoomArgs),
    /// Try every single fault at every step of one run
    Exhaust(super::exhaust::ExhaustArgs),
    /// Print what there is: models, faults, laws, judges, marks, a model's scope
    List(ListArgs),
    /// Print the JSON Schema of scenario files, for editors
    Schema,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Which scenarios, and what to change in them.
#[derive(Args, Debug)]
pub(super) struct Which {
    /// Scenario files, folders of them, or patterns such as 'scenarios/**/loss*.toml'
    #[arg(required = true, value_name = "FILE|FOLDER|PATTERN")]
    pub(super) files: Vec<String>,
    /// Change a value of the scenario, such as --set load.rate=200/s; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(super) set: Vec<String>,
}

#[derive(Args, Debug)]
pub(super) struct Seeds {
    /// Run this one seed only
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub(super) seed: Option<u64>,
    /// Run so many seeds of each arm instead of the number in the file
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) seeds: Option<u64>,
    /// Run this arm only
    #[arg(long, value_name = "NAME")]
    pub(super) arm: Option<String>,
    /// How many runs at once; the result does not depend on it [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
}

#[derive(Args, Debug)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) which: Which,
    #[command(flatten)]
    pub(super) seeds: Seeds,
    /// Where reports go [default: reports]
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<String>,
    /// Print the outcomes as JSON instead of text
    #[arg(long)]
    pub(super) json: bool,
    /// Also write all results as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<String>,
    /// How much work: `full` is the number in the file, `ci` at most 12 seeds of each arm
    #[arg(long, value_enum, default_value_t = Budget::Full)]
    pub(super) budget: Budget,
    /// Also write what was run, how often, with which result and digest, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// Print the checked plan back as TOML
    #[arg(long)]
    pub(super) print: bool,
}

#[derive(Args, Debug)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    pub(super) which: Which,
    /// One seed of each arm, unless more are asked for
    #[command(flatten)]
    pub(super) seeds: Seeds,
    /// How much work: `full` is every arm, `ci` the first of each file
    #[arg(long, value_enum, default_value_t = Budget::Full)]
    pub(super) budget: Budget,
    /// Also write what was audited, with digests, as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct FollowArgs {
    #[command(flatten)]
    pub(super) pick: super::pick::Pick,
    /// Whom to follow: a message such as p17, the name of a node, or that of a fault or its beginning
    #[arg(value_name = "SUBJECT")]
    pub(super) subject: Option<String>,
    /// How to tell it
    #[arg(long = "as", value_name = "HOW", value_enum, default_value_t = Telling::Text)]
    pub(super) telling: Telling,
    /// Write it there instead of to the terminal
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<String>,
}

/// How a story is told.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Telling {
    /// In sentences.
    Text,
    /// As a space–time diagram.
    Svg,
    /// As a log with vector clocks, for ShiViz.
    Shiviz,
    /// As a trace in JSON, for chrome://tracing and Perfetto.
    Chrome,
}

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    pub(super) what: Shelf,
    /// Only of this model
    pub(super) model: Option<String>,
}

/// How much work a run may do.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Budget {
    /// At most 12 seeds of each arm.
    Ci,
    /// The number in the file.
    Full,
}

/// What can be listed.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shelf {
    /// The protocols that scenarios can name.
    Models,
    /// The configuration keys of the models.
    Keys,
    /// What can go wrong.
    Faults,
    /// Laws of delays, intervals and sizes.
    Laws,
    /// What is judged.
    Judges,
    /// Rare paths that a scenario can demand.
    Marks,
    /// What of the real system is modelled, simplified or absent.
    Scope,
}
