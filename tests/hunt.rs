//! Hunts find every broken twin of the mailbox by themselves, and nothing where the model is honest.
//!
//! `HUNT_RUNS=5000 cargo test --release --all-features --test hunt` gives the honest models so many runs.
#![cfg(feature = "mutants")]

use std::fs;
#[cfg(feature = "cli")]
use std::path::Path;

use deadletter::base::Span;
use deadletter::check::Property;
use deadletter::lab::hunt::{Guidance, Quarries};
use deadletter::lab::{Case, Goal, Hunt, Hunted, Violation, hunt};
use deadletter::scenario::{ArmPlan, Expectations, Plan, Source, Violations, read, render};

/// The mutant and the property that it breaks, in a scenario that promises the property and declares no fault.
const MUTANTS: [(&str, Property); 16] = [
    ("acks_before_storing", Property::AckedSurvives),
    ("acks_unsynced", Property::AckedSurvives),
    ("loses_on_restart", Property::AckedSurvives),
    ("forgets_dedupe", Property::NoDuplicateDelivery),
    ("dedup_not_persisted", Property::NoDuplicateDelivery),
    ("delivers_twice_after_ack", Property::NoDuplicateDelivery),
    ("redelivers_out_of_order", Property::OrderPerProducer),
    ("ignores_processed_ids", Property::NoDuplicateEffect),
    ("delivers_corrupt_bodies", Property::NothingCorrupted),
    ("unknown_as_failed", Property::FailedStaysFailed),
    ("visibility_forgets", Property::Drained),
    ("silently_drops_poison", Property::NoMissingEffect),
    ("drops_on_full_but_confirms", Property::AckedSurvives),
    ("ignores_unsubscribe", Property::NothingUnexpected),
    ("skips_a_subscriber", Property::AckedDelivered),
    ("acks_before_effect", Property::NoMissingEffect),
];

/// So many runs find each of them.
const ENOUGH: u64 = 600;

/// The scenario of a mutant, with a change of its text.
fn plan(mutant: &str, change: impl Fn(String) -> String) -> Plan {
    let file = format!("tests/hunt/{mutant}.toml");
    let text = change(fs::read_to_string(&file).expect("a scenario"));
    let reading = read(&Source::new(&file, &text, deadletter::model::BUILT_IN));
    reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)))
}

/// The same scenario with the honest model.
fn honest(mutant: &str) -> Plan {
    plan(mutant, |text| text.replace(&format!("mutant = \"{mutant}\"\n"), ""))
}

/// Hunts until a property is broken, whatever else is found before.
fn until_broken(asked: &Hunt<'_>, property: Property) -> Hunted {
    let asked = Hunt { quarries: Quarries::Distinct, ..asked.clone() };
    let wanted = Violation::Property(property);
    hunt(&asked, &|progress| progress.found.iter().any(|quarry| quarry.found.violation == wanted), &|| ())
}

/// After how many runs a property was found broken.
fn runs_to(hunted: &Hunted, property: Property) -> Option<u64> {
    hunted.found.iter().find(|quarry| quarry.found.violation == Violation::Property(property)).map(|quarry| quarry.run)
}

#[test]
fn every_mutant_is_found() {
    for (mutant, property) in MUTANTS {
        let plan = plan(mutant, |text| text);
        let asked = Hunt { runs: ENOUGH, ..Hunt::new(&plan.arms()[0], 1) };
        let hunted = until_broken(&asked, property);
        let run = runs_to(&hunted, property).unwrap_or_else(|| panic!("{mutant} was not found in {ENOUGH} runs: {hunted:#?}"));
        let others: Vec<&str> = hunted.found.iter().map(|quarry| quarry.found.violation.name()).collect();
        println!("{mutant}: {property} after {run} runs ({})", others.join(", "));
        // What was found is there again when it is asked for alone.
        let quarry = hunted.found.iter().find(|quarry| quarry.run == run && quarry.found.violation == Violation::Property(property));
        let quarry = quarry.expect("just found");
        let again = quarry.case.try_for(Goal::Same(quarry.found.violation)).expect("the same run again");
        assert_eq!(again, quarry.found, "{mutant}");
        assert!(quarry.case.seed < 1 << 63);
    }
}

fn runs_of_the_honest() -> u64 {
    std::env::var("HUNT_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(150)
}

#[test]
fn honest_models_are_left_in_peace() {
    let runs = runs_of_the_honest();
    for (mutant, _) in MUTANTS {
        let plan = honest(mutant);
        let asked = Hunt { runs, quarries: Quarries::Distinct, ..Hunt::new(&plan.arms()[0], 2) };
        let hunted = hunt(&asked, &|_| false, &|| ());
        for quarry in &hunted.found {
            println!("run {}: {}\nseed {}\n{:?}", quarry.run, quarry.found.sentence, quarry.case.seed, quarry.case.arm);
        }
        let found: Vec<&str> = hunted.found.iter().map(|quarry| quarry.found.violation.name()).collect();
        assert!(found.is_empty(), "the honest model where {mutant} is hunted: {found:?}");
        assert_eq!((hunted.runs, hunted.panics), (runs, 0), "{mutant}");
    }
}

#[test]
fn what_is_found_does_not_depend_on_the_number_of_workers() {
    for (mutant, quarries) in [("acks_unsynced", Quarries::First), ("delivers_twice_after_ack", Quarries::Distinct)] {
        let plan = plan(mutant, |text| text);
        let asked = Hunt { runs: 100, quarries, ..Hunt::new(&plan.arms()[0], 3) };
        let with = |jobs: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("workers");
            format!("{:#?}", pool.install(|| hunt(&asked, &|_| false, &|| ())))
        };
        assert_eq!(with(1), with(4), "{mutant}");
    }
}

/// Every arm of the scenarios that come along, with nothing claimed: what remains is what is promised.
fn promising() -> Vec<(String, ArmPlan)> {
    let mut files: Vec<_> = fs::read_dir("scenarios/mailbox").expect("scenarios").flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "toml")) {
        let name = file.to_string_lossy().into_owned();
        let text = fs::read_to_string(file).expect("a scenario");
        let beside = |other: &str| fs::read(file.with_file_name(other)).map_err(|error| error.to_string());
        let reading = read(&Source { files: &beside, ..Source::new(&name, &text, deadletter::model::BUILT_IN) });
        let plan = reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)));
        for arm in plan.arms() {
            let alone = written(arm, 1);
            found.push((format!("{name}, arm {}", arm.name()), alone.arms()[0].clone()));
        }
    }
    assert!(found.len() > 20, "{}", found.len());
    found
}

/// An arm under one seed, with nothing claimed.
fn written(arm: &ArmPlan, seed: u64) -> Plan {
    let claims = Expectations { claims: Vec::new(), violations: Violations::None };
    Plan::alone("Is what is promised kept?".into(), "Yes.".into(), arm, seed, claims, None)
}

#[test]
fn every_variation_of_every_scenario_can_be_written_down() {
    for (name, arm) in promising() {
        let asked = Hunt::new(&arm, 5);
        for number in 0..12 {
            let variation = asked.fresh(number);
            let varied = written(&variation.apply(&arm), variation.seed);
            let text = varied.print();
            let reading = read(&Source::new("varied.toml", &text, deadletter::model::BUILT_IN));
            let plan = reading.plan.unwrap_or_else(|| panic!("{name}: {}\n{text}", render(&reading.problems, false)));
            assert!(plan == varied, "{name}: it reads as another plan\n{text}");
        }
    }
}

/// What is promised is kept whatever a hunt does, in scenarios that were not made for it.
#[test]
fn scenarios_keep_what_they_promise() {
    let runs = runs_of_the_honest() / 8;
    let mut wrong = Vec::new();
    // A run of days takes too long for many of them; and some scenarios show by themselves how long it takes to come to rest.
    let short = |arm: &ArmPlan| arm.phases().total().is_some_and(|total| total < Span::secs(600));
    let holds = |arm: &ArmPlan| Case { arm: arm.clone(), seed: 1 }.try_for(Goal::Forbidden).is_none();
    let arms: Vec<(String, ArmPlan)> = promising().into_iter().filter(|(_, arm)| short(arm) && holds(arm)).collect();
    assert!(arms.len() > 40, "{}", arms.len());
    for (name, arm) in arms {
        let asked = Hunt { runs, quarries: Quarries::Distinct, ..Hunt::new(&arm, 4) };
        let hunted = hunt(&asked, &|_| false, &|| ());
        assert_eq!(hunted.panics, 0, "{name}");
        for quarry in &hunted.found {
            wrong.push(format!("{name}: run {}: {}: {}", quarry.run, quarry.found.violation, quarry.found.sentence));
            println!("{name}: run {}: {}\nseed {}\n{:?}", quarry.run, quarry.found.sentence, quarry.case.seed, quarry.case.arm);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// How many runs each mutant takes with and without guidance; for whoever changes how runs are chosen.
#[test]
#[ignore = "a measurement: cargo test --release --all-features --test hunt -- --ignored --nocapture"]
fn guidance_is_measured() {
    let seeds: u64 = std::env::var("HUNT_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(15);
    let mut sums = [0, 0];
    for (mutant, property) in MUTANTS {
        let plan = plan(mutant, |text| text);
        let median = |guidance: Guidance| {
            let mut runs: Vec<u64> = (0..seeds)
                .map(|seed| {
                    let asked = Hunt { runs: 3_000, guidance, ..Hunt::new(&plan.arms()[0], 1_000 + seed) };
                    runs_to(&until_broken(&asked, property), property).unwrap_or(3_000)
                })
                .collect();
            runs.sort_unstable();
            (runs[runs.len() / 2], runs[runs.len() - 1], runs.iter().sum::<u64>() / seeds)
        };
        let (without, with) = (median(Guidance::None), median(Guidance::Coverage));
        println!("{mutant}: median, most, mean: fresh {without:?}, guided {with:?}");
        sums = [sums[0] + without.2, sums[1] + with.2];
    }
    println!("sum of means: fresh {}, guided {}", sums[0], sums[1]);
}

/// The program in a folder of its own, with its exit code, output and complaints.
#[cfg(feature = "cli")]
fn deadletter(home: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("deadletter").expect("the program");
    let output = command.current_dir(home).env_remove("CLICOLOR_FORCE").args(arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

#[cfg(feature = "cli")]
#[test]
fn the_program_hunts_and_leaves_a_capsule() {
    let home = tempfile::tempdir().expect("a folder");
    for (name, text) in [("bad.toml", include_str!("hunt/unknown_as_failed.toml")), ("good.toml", include_str!("cli/holds.toml"))] {
        fs::write(home.path().join(name), text).expect("a file");
    }
    let (code, out, err) = deadletter(home.path(), &["hunt", "bad.toml", "--runs", "200"]);
    assert_eq!(code, 1, "{out}\n{err}");
    assert!(out.starts_with("failed_stays_failed: ") && out.contains("what differs from the scenario:"), "{out}");
    assert!(err.contains("repro: deadletter replay bad-failed_stays_failed.toml"), "{err}");
    let (code, out, err) = deadletter(home.path(), &["replay", "bad-failed_stays_failed.toml"]);
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(out.contains("the same to the last event"), "{out}");
    let few = ["hunt", "bad.toml", "--runs", "100", "--faults", "jam", "--targets", "broker", "--all", "--jobs", "1", "--out", "few.toml"];
    let (code, out, err) = deadletter(home.path(), &few);
    assert_eq!(code, 1, "{out}\n{err}");
    assert!(home.path().join("few-failed_stays_failed.toml").exists(), "{out}\n{err}");
    let (code, out, err) = deadletter(home.path(), &["hunt", "good.toml", "--runs", "20"]);
    assert_eq!(code, 0, "{out}\n{err}");
    assert!(out.starts_with("good.toml: nothing goes wrong in 20 runs") && out.contains("never reached: mailbox."), "{out}");
    // What is not promised is found when it is asked for.
    let (code, out, err) = deadletter(home.path(), &["hunt", "good.toml", "--runs", "200", "--of", "no_duplicate_delivery"]);
    assert_eq!(code, 1, "{out}\n{err}");
    for wrong in [["--faults", "kil"], ["--targets", "nobody"], ["--of", "luck"], ["--arm", "none"], ["--for", "5"], ["--runs", "0"]] {
        let (code, out, err) = deadletter(home.path(), &["hunt", "good.toml", wrong[0], wrong[1]]);
        assert_eq!(code, 64, "{wrong:?}\n{out}\n{err}");
    }
}
