//! `deadletter shrink`: one run that goes wrong becomes the smallest that goes wrong in the same way.

use clap::Args;

use crate::lab::{Capsule, Case, Shrunk, Size, shrink};
use crate::model::Model;
use crate::run::{Ready, guarded, one};

use super::capsule::{Sought, publish};
use super::exit::Exit;
use super::pick::Pick;
use super::voice::{aside, complain, say};

#[derive(Args, Debug)]
pub(super) struct ShrinkArgs {
    #[command(flatten)]
    pick: Pick,
    #[command(flatten)]
    sought: Sought,
    /// Where the capsule of the smallest run goes [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
    /// How many runs at once; the result does not depend on it [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

/// Shrinks a run and writes the capsule of what is left. Done: 1, for something is broken; nothing is: 2.
pub(super) fn run(args: &ShrinkArgs, models: &[&'static dyn Model]) -> Exit {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(args.jobs.map_or(0, usize::from)).build();
    let pool = match pool {
        Ok(pool) => pool,
        Err(error) => {
            complain(&format!("no workers can be started: {error}"));
            return Exit::Usage;
        }
    };
    let (case, goal, found) = match args.sought.find(&args.pick, models) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let shrunk = pool.install(|| shrink(&case, &found, goal, models, &|| ()));
    let capsule = Capsule::of(&shrunk.case, &shrunk.found, &format!("shrunk from {}", args.pick.origin(&case)));
    let told = told(&case, &shrunk);
    // Without a file the capsule has standard output for itself.
    match args.out {
        Some(_) => say(&told),
        None => aside(&told),
    }
    publish(&capsule, args.out.as_deref()).unwrap_or(Exit::Broken)
}

/// What was taken away, and how large the run was and is.
fn told(before: &Case, shrunk: &Shrunk) -> String {
    let steps: String = shrunk.steps.iter().map(|step| format!("  {step}\n")).collect();
    let (large, small) = (figures(before), figures(&shrunk.case));
    let rows: String =
        large.iter().zip(&small).map(|((what, before), (_, after))| format!("  {what:<20} {before:>12} → {after}\n")).collect();
    format!(
        "{}: {}\n{steps}{rows}{} smaller runs tried, {} taken\n",
        shrunk.found.violation, shrunk.found.sentence, shrunk.tried, shrunk.accepted
    )
}

/// The figures of a case and its run.
fn figures(case: &Case) -> [(&'static str, String); 6] {
    let size = Size::of(case);
    let ran = guarded(case.seed, || Ready::new(&case.arm)).and_then(|ready| one(&ready, case.seed));
    let of_run = |figure: &dyn Fn(&crate::run::RunOutcome) -> u64| {
        ran.as_ref().map_or_else(|_| "none: it panics".to_owned(), |ran| figure(&ran.outcome).to_string())
    };
    let issued = of_run(&|run| run.judged.accounting.attempts + run.judged.accounting.skipped);
    [
        ("messages", size.messages.map_or(issued, |count| count.to_string())),
        ("faults", size.faults.to_string()),
        ("named transmissions", size.transmissions.to_string()),
        ("nodes", size.nodes.to_string()),
        ("virtual time", size.time.to_string()),
        ("events", of_run(&|run| run.events)),
    ]
}
