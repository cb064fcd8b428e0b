//! `deadletter doom`: the event after which a failing run was lost.

use std::fs;

use clap::Args;

use crate::lab::doom::{Asked, doom};
use crate::model::Model;
use crate::report::chart;

use super::capsule::Sought;
use super::exit::Exit;
use super::pick::Pick;
use super::progress::Progress;
use super::verbs;
use super::voice::{aside, complain, say};

#[derive(Args, Debug)]
pub(super) struct DoomArgs {
    #[command(flatten)]
    pub(super) pick: Pick,
    #[command(flatten)]
    pub(super) sought: Sought,
    /// So many futures are drawn at each moment, for each of the two curves
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) futures: u64,
    /// At about so many moments of the run
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..))]
    pub(super) points: u64,
    /// How many futures at once; the result does not depend on it [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Also draw it, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<String>,
}

/// Finds the event. It is found, so something is broken: 1. The run does not fail: 2.
pub(super) fn run(args: &DoomArgs, models: &[&'static dyn Model]) -> Exit {
    let (case, goal, _) = match args.sought.find(&args.pick, models) {
        Ok(found) => found,
        Err(exit) => return exit,
    };
    let Ok(pool) = verbs::pool(args.jobs) else { return Exit::OurBug };
    let asked = Asked { goal, futures: args.futures, moments: args.points };
    let progress = Progress::new(&args.pick.file, args.points);
    let told = pool.install(|| doom(&case, &asked, &|| progress.one_done()));
    progress.end();
    match told {
        Ok(Some(told)) => {
            say(&format!("{}\n{}", args.pick.origin(&case), told.text()));
            args.out.as_ref().and_then(|file| draw(&chart::doom(&told), file)).unwrap_or(Exit::Broken)
        }
        Ok(None) => Exit::Unknown,
        Err(crash) => {
            complain(&format!("{}, seed {}: deadletter itself failed: {}", args.pick.file, crash.seed, crash.what));
            Exit::OurBug
        }
    }
}

/// Writes the picture. Only what goes wrong gives an exit.
fn draw(chart: &chart::Chart, file: &str) -> Option<Exit> {
    let Some(svg) = chart.svg() else {
        aside(&format!("{}\n", chart.nothing));
        return None;
    };
    let error = fs::write(file, svg).err()?;
    complain(&format!("`{file}` cannot be written: {error}"));
    Some(Exit::Usage)
}
