//! `deadletter hunt`: many runs of a scenario under other faults, networks and loads, until one goes wrong.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::base::Span;
use crate::base::value::did_you_mean;
use crate::lab::hunt::{Condition, Progress, Quarries, varied};
use crate::lab::{Capsule, Hunt, Hunted, IllKind, Quarry, Violation, Vocabulary, hunt};
use crate::model::Model;
use crate::scenario::ArmPlan;

use super::capsule::{Sought, publish};
use super::exit::Exit;
use super::pick::Pick;
use super::verbs;
use super::voice::{aside, complain, say};

#[derive(Args, Debug)]
pub(super) struct HuntArgs {
    /// A scenario file: what it declares is where the hunt begins
    #[arg(value_name = "FILE")]
    file: String,
    /// Which arm is varied [default: the file's own settings]
    #[arg(long, value_name = "NAME")]
    arm: Option<String>,
    /// Change a value of the scenario, such as --set load.rate=200/s; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How long to look [default: 60s, or as long as --runs takes]
    #[arg(long = "for", value_name = "SPAN")]
    span: Option<Span>,
    /// At most so many runs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: Option<u64>,
    /// Names the hunt: the same number makes the same runs
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only these kinds of trouble, such as kill,cut,loss [default: all that destroy no disk]
    #[arg(long, value_name = "KIND,…", value_delimiter = ',')]
    faults: Vec<String>,
    /// Only faults at these nodes and groups, such as broker,consumers [default: all]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    targets: Vec<String>,
    #[command(flatten)]
    sought: Sought,
    /// Go on after the first find, and keep the first run of each way to go wrong
    #[arg(long)]
    all: bool,
    /// How many runs at once; what is found does not depend on it [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Where the capsule goes; with --all the name of what is broken is added [default: the scenario's name with what is broken]
    #[arg(long, value_name = "FILE")]
    out: Option<String>,
}

/// How long to look when nothing is said.
const USUAL: Span = Span::secs(60);

/// Hunts. Found: 1. Nothing found: 0, with what that means.
pub(super) fn run(args: &HuntArgs, models: &[&'static dyn Model]) -> Exit {
    let pick = Pick { file: args.file.clone(), seed: None, arm: args.arm.clone(), set: args.set.clone() };
    let picked = match pick.read(models) {
        Ok(picked) => picked,
        Err(exit) => return exit,
    };
    let arm = &picked.case.arm;
    let asked = match asked(args, arm) {
        Ok(asked) => asked,
        Err(exit) => return exit,
    };
    let Ok(pool) = verbs::pool(args.jobs) else { return Exit::OurBug };
    let watch = Watch::new(&args.file);
    let span = args.span.or((args.runs.is_none()).then_some(USUAL));
    let is_over = |_: &Progress<'_>| span.is_some_and(|span| watch.elapsed() >= Duration::from_nanos(span.as_nanos()));
    let hunted = pool.install(|| hunt(&asked, &is_over, &|| watch.one_done()));
    let elapsed = watch.end();
    for quarry in &hunted.found {
        if let Some(exit) = tell(args, &pick, arm, quarry) {
            return exit;
        }
    }
    if hunted.panics > 0 {
        complain(&format!("{} runs panicked, which was not asked for: `--of panic` looks for them", hunted.panics));
    }
    if hunted.found.is_empty() {
        say(&nothing(args, &hunted, elapsed));
        return Exit::Holds;
    }
    let kinds = if hunted.found.len() == 1 { "one way" } else { "several ways" };
    aside(&format!("{kinds} to go wrong in {} runs\n", hunted.runs));
    Exit::Broken
}

/// What was asked for, as a hunt.
fn asked<'a>(args: &HuntArgs, arm: &'a ArmPlan) -> Result<Hunt<'a>, Exit> {
    let wrong = |what: String| {
        complain(&what);
        Exit::Usage
    };
    let mut hunt = Hunt { goal: args.sought.goal()?, ..Hunt::new(arm, args.seed) };
    if !args.faults.is_empty() {
        let (kinds, conditions) = trouble(&args.faults).map_err(wrong)?;
        hunt.vocabulary = Vocabulary::of(arm).only(kinds);
        hunt.conditions = conditions;
    }
    if !args.targets.is_empty() {
        hunt.vocabulary = hunt.vocabulary.within(&args.targets).map_err(wrong)?;
    }
    hunt.quarries = if args.all { Quarries::Distinct } else { Quarries::First };
    hunt.runs = args.runs.unwrap_or(u64::MAX);
    Ok(hunt)
}

/// The kinds of trouble with these names.
fn trouble(names: &[String]) -> Result<(Vec<IllKind>, Vec<Condition>), String> {
    let (mut kinds, mut conditions) = (Vec::new(), Vec::new());
    for name in names {
        match (IllKind::find(name), Condition::find(name)) {
            (Some(kind), _) => kinds.push(kind),
            (None, Some(condition)) => conditions.push(condition),
            (None, None) => {
                let known: Vec<&str> =
                    IllKind::ALL.into_iter().map(IllKind::name).chain(Condition::ALL.into_iter().map(Condition::name)).collect();
                let hint = did_you_mean(name, &known).unwrap_or_else(|| format!("there are: {}", known.join(", ")));
                return Err(format!("there is no trouble called `{name}`: {hint}"));
            }
        }
    }
    conditions.sort_unstable();
    conditions.dedup();
    Ok((kinds, conditions))
}

/// Says what was found and writes its capsule. Only what goes wrong with that gives an exit.
fn tell(args: &HuntArgs, pick: &Pick, arm: &ArmPlan, quarry: &Quarry) -> Option<Exit> {
    let (case, found) = (&quarry.case, &quarry.found);
    let mut words = format!("{}: {}\n", found.violation, found.sentence);
    words += &format!("  run {} of hunt {}, under seed {}; what differs from the scenario:\n", quarry.run, args.seed, case.seed);
    let differs = varied(arm, &case.arm);
    for line in &differs {
        words += &format!("    {line}\n");
    }
    if differs.is_empty() {
        words += "    nothing: it goes wrong as it is\n";
    }
    say(&words);
    let file = file_for(args, found.violation);
    let capsule = Capsule::of(case, found, &format!("hunt {}, run {}, of {}", args.seed, quarry.run, pick.origin(case)));
    publish(&capsule, Some(&file))
}

/// Where the capsule of a find goes.
fn file_for(args: &HuntArgs, violation: Violation) -> String {
    match &args.out {
        Some(file) if !args.all => file.clone(),
        Some(file) => format!("{}-{violation}.toml", file.strip_suffix(".toml").unwrap_or(file)),
        None => {
            let stem = Path::new(&args.file).file_stem().map_or_else(|| "hunt".into(), |stem| stem.to_string_lossy());
            format!("{stem}-{violation}.toml")
        }
    }
}

/// That nothing was found, and how much that means.
fn nothing(args: &HuntArgs, hunted: &Hunted, elapsed: Duration) -> String {
    let mut out = format!("{}: nothing goes wrong in {} runs ({} s)\n", args.file, hunted.runs, elapsed.as_secs());
    out += &format!(
        "  {} runs reached something new: {} things and {} situations were told apart\n",
        hunted.kept, hunted.features, hunted.situations
    );
    let never: Vec<&str> = hunted.marks.iter().filter(|(_, runs)| *runs == 0).map(|(mark, _)| *mark).collect();
    if never.is_empty() {
        out += "  every rare path that the model marks was taken in some run\n";
    } else {
        out += &format!("  never reached: {}\n", never.join(", "));
        out += "  what needs one of these was not put to the test: other settings, or faults that were not allowed, may reach them\n";
    }
    if hunted.runs < 1_000 {
        out += "  so few runs prove little: a longer `--for` looks further\n";
    }
    out
}

/// Counts runs on a terminal, and knows how long it has been: the only clock here is the one of the progress bar.
struct Watch(ProgressBar);

impl Watch {
    fn new(scenario: &str) -> Watch {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_style(ProgressStyle::with_template("{prefix} {spinner} {pos} runs, {elapsed}").expect("a fixed template"));
        bar.set_prefix(scenario.to_owned());
        Watch(bar)
    }

    /// One more run is done. Called from all workers.
    fn one_done(&self) {
        if self.0.is_hidden() && self.elapsed().as_secs() >= 1 {
            self.0.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        }
        self.0.inc(1);
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// All is done: the bar goes away.
    fn end(self) -> Duration {
        let elapsed = self.elapsed();
        self.0.finish_and_clear();
        elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_trouble() {
        let names = |names: &[&str]| trouble(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let (kinds, conditions) = names(&["kill", "loss", "cut", "loss"]).expect("all known");
        assert_eq!((kinds, conditions), (vec![IllKind::Kill, IllKind::Cut], vec![Condition::Loss]));
        let wrong = names(&["kil"]).expect_err("unknown");
        assert!(wrong.contains("`kil`") && wrong.contains("did you mean `kill`"), "{wrong}");
    }
}
