//! `deadletter exhaust`: every single fault at every step of one run, and pairs of faults within a budget.

use std::fs;
use std::path::Path;

use clap::Args;

use crate::base::Span;
use crate::lab::exhaust::{Asked, Cutting, Exhausted, Lasts, exhaust, points};
use crate::lab::{Capsule, IllKind, Vocabulary};
use crate::model::Model;
use crate::scenario::ArmPlan;

use super::capsule::Sought;
use super::exit::Exit;
use super::pick::Pick;
use super::progress::Progress;
use super::verbs;
use super::voice::{aside, complain, say};

#[derive(Args, Debug)]
pub(super) struct ExhaustArgs {
    #[command(flatten)]
    pub(super) pick: Pick,
    #[command(flatten)]
    pub(super) sought: Sought,
    /// Only these kinds of faults, such as kill,pause,cut [default: all that destroy no disk]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub(super) faults: Vec<String>,
    /// Only at these nodes [default: all]
    #[arg(long, value_name = "NODES", value_delimiter = ',')]
    pub(super) targets: Vec<String>,
    /// How long each fault acts: a span, or `heal` for until everything heals
    #[arg(long, value_name = "SPAN", default_value = "300ms")]
    pub(super) lasts: String,
    /// Also try so many pairs of faults
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) pairs: u64,
    /// Try every n-th point only
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) every: u64,
    /// Run every fork to its end, also from states that are known
    #[arg(long)]
    pub(super) no_cuts: bool,
    /// How many forks at once; the result does not depend on it [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) jobs: Option<u16>,
    /// Write a capsule of each finding into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<String>,
}

/// Tries everything. Nothing breaks: 0. Something does: 1.
pub(super) fn run(args: &ExhaustArgs, models: &[&'static dyn Model]) -> Exit {
    match tried(args, models) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn tried(args: &ExhaustArgs, models: &[&'static dyn Model]) -> Result<Exit, Exit> {
    let picked = args.pick.read(models)?;
    let goal = match (picked.capsule(), &args.sought.of) {
        (Some(capsule), None) => capsule.goal(),
        (Some(_) | None, _) => args.sought.goal()?,
    };
    let asked = Asked {
        vocabulary: vocabulary(args, &picked.case.arm)?,
        lasts: lasts(&args.lasts)?,
        goal,
        pairs: args.pairs,
        cutting: if args.no_cuts { Cutting::Never } else { Cutting::Known },
        stride: args.every,
    };
    let pool = verbs::pool(args.jobs).map_err(|()| Exit::OurBug)?;
    let failed = |crash: crate::run::Crash| {
        complain(&format!("{}, seed {}: deadletter itself failed: {}", args.pick.file, crash.seed, crash.what));
        Exit::OurBug
    };
    let count = points(&picked.case).map_err(failed)?.len() as u64;
    let progress = Progress::new(&args.pick.file, count.div_ceil(args.every) + args.pairs.div_ceil(8));
    let out = pool.install(|| exhaust(&picked.case, &asked, &|| progress.one_done()));
    progress.end();
    let out = out.map_err(failed)?;
    say(&format!("{}\n{}", args.pick.origin(&picked.case), out.text()));
    capsules(args, &out)?;
    Ok(if out.findings.iter().any(|finding| finding.found.is_none()) {
        Exit::OurBug
    } else if out.findings.is_empty() && out.before.is_empty() {
        Exit::Holds
    } else {
        Exit::Broken
    })
}

/// The faults that were asked for.
fn vocabulary(args: &ExhaustArgs, arm: &ArmPlan) -> Result<Vocabulary, Exit> {
    let mut vocabulary = Vocabulary::of(arm);
    if !args.faults.is_empty() {
        let mut kinds = Vec::new();
        for name in &args.faults {
            let Some(kind) = IllKind::find(name) else {
                let known: Vec<&str> = IllKind::ALL.iter().map(|kind| kind.name()).collect();
                complain(&format!("there is no kind of fault `{name}` (there are: {})", known.join(", ")));
                return Err(Exit::Usage);
            };
            kinds.push(kind);
        }
        vocabulary = vocabulary.only(kinds);
    }
    if args.targets.is_empty() {
        return Ok(vocabulary);
    }
    let targets: Vec<String> = args.targets.iter().flat_map(|name| members(arm, name)).collect();
    vocabulary.within(&targets).map_err(|what| {
        complain(&what);
        Exit::Usage
    })
}

/// The nodes of a group; anything else stands for itself.
fn members(arm: &ArmPlan, name: &str) -> Vec<String> {
    let nodes = arm.model().roster().nodes;
    let members: Vec<String> = nodes.into_iter().filter(|node| node.groups.contains(&name)).map(|node| node.name).collect();
    if members.is_empty() { vec![name.to_owned()] } else { members }
}

fn lasts(text: &str) -> Result<Lasts, Exit> {
    if text == "heal" {
        return Ok(Lasts::UntilHeal);
    }
    let span = text.parse::<Span>().ok().filter(|span| !span.is_zero());
    span.map(Lasts::For).ok_or_else(|| {
        complain(&format!("`{text}` is not how long a fault acts: write a span such as 300ms, or `heal`"));
        Exit::Usage
    })
}

/// Writes a capsule of each finding.
fn capsules(args: &ExhaustArgs, out: &Exhausted) -> Result<(), Exit> {
    let Some(folder) = &args.out else { return Ok(()) };
    let unwritable = |error: std::io::Error| {
        complain(&format!("capsules cannot be written to `{folder}`: {error}"));
        Exit::Usage
    };
    fs::create_dir_all(folder).map_err(unwritable)?;
    for finding in &out.findings {
        let Some(found) = &finding.found else { continue };
        let from = format!("exhaust of {}", args.pick.origin(&out.case));
        let name: String = finding.by.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
        let path = Path::new(folder).join(format!("{}-{}.toml", finding.violation, name.replace("__", "_")));
        fs::write(&path, Capsule::of(&finding.case, found, &from).text()).map_err(unwritable)?;
        aside(&format!("repro: deadletter replay {}   # {}\n", path.display(), finding.headline()));
    }
    Ok(())
}
