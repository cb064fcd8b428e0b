//! What the verbs do: read scenarios, run, audit, and say how it came out.

use std::fs;
use std::path::Path;

use rayon::prelude::*;

use crate::lab::{Budget as LabBudget, Campaign, Failure, campaign};
use crate::model::Model;
use crate::report;
use crate::run::{Answer, Audited, Crash, Difference, Outcome, Ready, audit as audit_run, guarded};
use crate::scenario::{self, ArmPlan, Plan};

use super::args::{AuditArgs, Budget, CheckArgs, RunArgs, Seeds, Which};
use super::exit::Exit;
use super::files::expand;
use super::progress::Progress;
use super::voice::{aside, complain, say, width};

/// `--budget ci` runs at most so many seeds of an arm.
const CI_SEEDS: u64 = 12;

/// `deadletter run`.
pub(super) fn run(args: &RunArgs, models: &[&'static dyn Model]) -> Exit {
    let Ok(files) = named(&args.which) else { return Exit::Usage };
    let Ok(pool) = pool(&args.seeds) else { return Exit::OurBug };
    let mut outcomes = Vec::new();
    let mut exits = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let plan = match read(file, &args.which, models) {
            Ok(plan) => plan,
            Err(exit) => {
                exits.push(exit);
                continue;
            }
        };
        let asked =
            Campaign { plan: &plan, file, set: &args.which.set, budget: budget(&args.seeds, args.budget), arm: args.seeds.arm.as_deref() };
        if let Some(exit) = no_arm(&asked) {
            exits.push(exit);
            continue;
        }
        let progress = Progress::new(file, asked.runs());
        let outcome = pool.install(|| campaign(&asked, &|| progress.one_done()));
        progress.end();
        match outcome {
            Ok(outcome) => {
                exits.push(outcome.answer.into());
                exits.extend(publish(&outcome, args, number > 0));
                outcomes.push(outcome);
            }
            Err(failure) => exits.push(our_bug(&asked, &failure)),
        }
    }
    exits.extend(together(&outcomes, args));
    Exit::worst(exits)
}

/// Writes the report of a scenario and prints its summary.
fn publish(outcome: &Outcome, args: &RunArgs, again: bool) -> Option<Exit> {
    let folder = args.out.as_deref().unwrap_or("reports");
    let options = report::Options { png: true, junit: false };
    let written = report::write(outcome, Path::new(folder), options);
    if args.json {
        say(&report::json::render(outcome));
    } else {
        let look = report::text::Look { width: width(), style: report::text::Style::Coloured };
        let gap = if again { "\n" } else { "" };
        say(&format!("{gap}{}", report::text::summary(outcome, look)));
    }
    for arm in outcome.arms.iter().filter(|arm| arm.answer != Answer::Holds) {
        aside(&format!("repro: {}\n", arm.repro));
    }
    match written {
        Ok(files) => {
            let page = files.iter().find(|f| f.extension().is_some_and(|e| e == "html"));
            if let Some(page) = page.filter(|_| !args.json) {
                say(&format!("report: {}\n", page.display()));
            }
            None
        }
        Err(error) => {
            complain(&format!("the report cannot be written below `{folder}`: {error}"));
            Some(Exit::Usage)
        }
    }
}

/// What is written about all scenarios together.
fn together(outcomes: &[Outcome], args: &RunArgs) -> Vec<Exit> {
    let junit = args.junit.as_ref().map(|file| (file, report::junit::render(outcomes)));
    let summary = args.summary.as_ref().map(|file| (file, summary(outcomes)));
    [junit, summary].into_iter().flatten().filter_map(|(file, text)| write_file(file, &text)).collect()
}

pub(super) fn write_file(file: &str, text: &str) -> Option<Exit> {
    let error = fs::write(file, text).err()?;
    complain(&format!("`{file}` cannot be written: {error}"));
    Some(Exit::Usage)
}

/// What was run, how often, with which result and digest: one row for each arm.
fn summary(outcomes: &[Outcome]) -> String {
    let rows = outcomes.iter().flat_map(|outcome| outcome.arms.iter().map(move |arm| (outcome, arm)));
    let rows: Vec<serde_json::Value> = rows
        .map(|(outcome, arm)| {
            serde_json::json!({
                "scenario": outcome.scenario, "arm": arm.name, "plan": outcome.plan,
                "runs": arm.runs, "result": arm.answer, "digest": arm.digest,
            })
        })
        .collect();
    lines(&rows)
}

/// A JSON list with one row a line, so that a `diff` shows what changed.
fn lines(rows: &[serde_json::Value]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| format!("  {row}")).collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

/// `deadletter check`.
pub(super) fn check(args: &CheckArgs, models: &[&'static dyn Model]) -> Exit {
    let Ok(files) = named(&args.which) else { return Exit::Usage };
    let exits = files.iter().map(|file| match read(file, &args.which, models) {
        Ok(plan) => {
            if args.print {
                say(&plan.print());
            } else {
                let arms: Vec<&str> = plan.arms().iter().map(ArmPlan::name).collect();
                let count = if arms.len() == 1 { "1 arm".to_owned() } else { format!("{} arms", arms.len()) };
                say(&format!("{file}: in order, {count} ({})\n", arms.join(", ")));
            }
            Exit::Holds
        }
        Err(exit) => exit,
    });
    Exit::worst(exits.collect::<Vec<_>>())
}

/// `deadletter audit`.
pub(super) fn audit(args: &AuditArgs, models: &[&'static dyn Model]) -> Exit {
    let Ok(files) = named(&args.which) else { return Exit::Usage };
    let Ok(pool) = pool(&args.seeds) else { return Exit::OurBug };
    let mut rows = Vec::new();
    let mut exits = Vec::new();
    for file in &files {
        let plan = match read(file, &args.which, models) {
            Ok(plan) => plan,
            Err(exit) => {
                exits.push(exit);
                continue;
            }
        };
        let budget = match (budget(&args.seeds, Budget::Full), args.budget) {
            (LabBudget::Full, _) => LabBudget::Exactly(1),
            (chosen, _) => chosen,
        };
        let asked = Campaign { plan: &plan, file, set: &args.which.set, budget, arm: args.seeds.arm.as_deref() };
        if let Some(exit) = no_arm(&asked) {
            exits.push(exit);
            continue;
        }
        let most = if args.budget == Budget::Ci { 1 } else { usize::MAX };
        for arm in asked.arms().take(most) {
            let seeds = asked.budget.seeds(plan.seeds());
            let progress = Progress::new(file, seeds.count);
            let audited = pool.install(|| audit_arm(arm, seeds, &|| progress.one_done()));
            progress.end();
            exits.push(told(&asked, arm, &audited));
            rows.extend(audited.iter().flatten().flatten().map(|a| {
                serde_json::json!({ "scenario": file, "arm": arm.name(), "seed": a.seed, "events": a.events, "runs": 3, "result": "the same", "digest": a.digest })
            }));
        }
    }
    exits.extend(args.summary.as_ref().and_then(|file| write_file(file, &lines(&rows))));
    Exit::worst(exits)
}

type AuditResult = Result<Result<Audited, Difference>, Crash>;

/// Audits the seeds of an arm, in order.
fn audit_arm(arm: &ArmPlan, seeds: scenario::Seeds, done: &(dyn Fn() + Sync)) -> Vec<AuditResult> {
    let ready = match guarded(seeds.first, || Ready::new(arm)) {
        Ok(ready) => ready,
        Err(crash) => return vec![Err(crash)],
    };
    let seeds: Vec<u64> = (0..seeds.count).map(|n| seeds.first.wrapping_add(n)).collect();
    let one = |seed: u64| {
        let audited = guarded(seed, || audit_run(&ready, seed));
        done();
        audited
    };
    seeds.into_par_iter().map(one).collect()
}

/// Says how an audit of an arm came out.
fn told(asked: &Campaign<'_>, arm: &ArmPlan, audited: &[AuditResult]) -> Exit {
    let mut events = 0;
    for result in audited {
        match result {
            Ok(Ok(one)) => events += one.events,
            Ok(Err(difference)) => {
                complain(&format!("{}, arm {}: {difference}", asked.file, arm.name()));
                aside(&format!("repro: {}\n", asked.repro(arm.name(), difference.seed, None)));
                return Exit::OurBug;
            }
            Err(crash) => return our_bug(asked, &Failure { arm: arm.name().to_owned(), crash: crash.clone() }),
        }
    }
    let seeds = if audited.len() == 1 { "1 seed".to_owned() } else { format!("{} seeds", audited.len()) };
    say(&format!("{}, arm {}: {seeds}, three runs each, the same to the last of {events} events\n", asked.file, arm.name()));
    Exit::Holds
}

/// A panic inside a run: ours, with the line that repeats it.
pub(super) fn our_bug(asked: &Campaign<'_>, failure: &Failure) -> Exit {
    complain(&format!(
        "{}, arm {}, seed {}: deadletter itself failed: {}\n  this is a bug of deadletter or of the model; please report it with the next line",
        asked.file, failure.arm, failure.crash.seed, failure.crash.what
    ));
    aside(&format!("repro: {}\n", asked.repro(&failure.arm, failure.crash.seed, None)));
    Exit::OurBug
}

/// The files that were named.
fn named(which: &Which) -> Result<Vec<String>, ()> {
    expand(&which.files).map_err(|wrong| wrong.iter().for_each(|w| complain(w)))
}

/// Reads and checks a scenario; all its problems are printed.
pub(super) fn read(file: &str, which: &Which, models: &[&'static dyn Model]) -> Result<Plan, Exit> {
    let text = fs::read_to_string(file).map_err(|error| {
        complain(&format!("`{file}` cannot be read: {error}"));
        Exit::BadFile
    })?;
    let beside = |name: &str| {
        let path = Path::new(file).parent().unwrap_or(Path::new("")).join(name);
        fs::read(&path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
    };
    let source = scenario::Source { file, text: &text, sets: &which.set, models, files: &beside };
    let reading = scenario::read(&source);
    aside(&scenario::render(&reading.problems, true));
    reading.plan.ok_or(Exit::BadFile)
}

/// Complains when an arm was named that does not exist.
fn no_arm(asked: &Campaign<'_>) -> Option<Exit> {
    if asked.arms().next().is_some() {
        return None;
    }
    let arms: Vec<&str> = asked.plan.arms().iter().map(ArmPlan::name).collect();
    complain(&format!("{} has no arm `{}` (arms: {})", asked.file, asked.arm.unwrap_or_default(), arms.join(", ")));
    Some(Exit::Usage)
}

/// Which seeds were asked for.
fn budget(seeds: &Seeds, budget: Budget) -> LabBudget {
    match (seeds.seed, seeds.seeds, budget) {
        (Some(seed), _, _) => LabBudget::Seed(seed),
        (None, Some(count), Budget::Full) => LabBudget::Exactly(count),
        (None, Some(count), Budget::Ci) => LabBudget::Exactly(count.min(CI_SEEDS)),
        (None, None, Budget::Ci) => LabBudget::AtMost(CI_SEEDS),
        (None, None, Budget::Full) => LabBudget::Full,
    }
}

/// The workers.
fn pool(seeds: &Seeds) -> Result<rayon::ThreadPool, ()> {
    let jobs = seeds.jobs.map_or(0, usize::from); // zero: one for each processor
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    pool.map_err(|error| complain(&format!("no workers can be started: {error}")))
}
