//! `deadletter fork`: what if, from a moment on, a setting had been another.

use clap::Args;

use crate::base::{Span, Time};
use crate::lab::fork;
use crate::model::Model;
use crate::record::Names;
use crate::report;
use crate::scenario::ArmPlan;

use super::exit::Exit;
use super::pick::Pick;
use super::voice::{complain, say, width};

#[derive(Args, Debug)]
pub(super) struct ForkArgs {
    /// A scenario file or a capsule
    #[arg(value_name = "FILE")]
    file: String,
    /// The moment, counted from the beginning of the run, such as 4.81s
    #[arg(long, value_name = "MOMENT")]
    at: Span,
    /// The setting that changes then, such as --set network.loss=1%; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE", required_unless_present = "to_arm")]
    set: Vec<String>,
    /// Go on with the settings of this arm
    #[arg(long, value_name = "NAME")]
    to_arm: Option<String>,
    /// The run's seed [default: the file's first]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The run's arm [default: the file's own settings]
    #[arg(long, value_name = "NAME")]
    arm: Option<String>,
}

/// Runs to the moment and goes on twice. What cannot change while it runs is wrong usage.
pub(super) fn run(args: &ForkArgs, models: &[&'static dyn Model]) -> Exit {
    let pick = |arm: &Option<String>, set: &[String]| {
        let pick = Pick { file: args.file.clone(), seed: args.seed, arm: arm.clone(), set: set.to_vec() };
        pick.read(models).map(|picked| picked.case)
    };
    let (case, other): (_, ArmPlan) =
        match (pick(&args.arm, &[]), pick(args.to_arm.as_ref().map_or(&args.arm, |_| &args.to_arm), &args.set)) {
            (Ok(case), Ok(other)) => (case, other.arm),
            (Err(exit), _) | (_, Err(exit)) => return exit,
        };
    match fork(&case, &other, Time::ZERO + args.at) {
        Ok(forked) => {
            let roster = case.arm.model().roster();
            let names = Names { nodes: roster.nodes.into_iter().map(|node| node.name).collect(), objects: roster.objects };
            say(&format!("{}, seed {}\n{}", args.file, case.seed, report::fork::text(&forked, &names, width())));
            Exit::Holds
        }
        Err(problems) => {
            problems.iter().for_each(|problem| complain(problem));
            Exit::Usage
        }
    }
}
