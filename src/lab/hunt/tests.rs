//! What every variation keeps, and that a hunt repeats itself.

use super::super::vocabulary::IllKind;
use super::*;
use crate::parts::fault::{Ill, Selector, When};
use crate::run::fake::FAKE;
use crate::run::tests::plan;
use crate::scenario::expect::{Expectations, Violations};
use crate::scenario::{Plan, Source, read};

/// Hunts with a number of workers.
fn hunted(asked: &Hunt<'_>, jobs: usize) -> Hunted {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("workers");
    pool.install(|| hunt(asked, &|_| false, &|| ()))
}

/// What is printed of a variation is a scenario file without a fault, and reads as the same plan.
#[test]
fn every_variation_can_be_written_down() {
    let plan = plan(&[]);
    let arm = &plan.arms()[0];
    let asked = Hunt { runs: 300, ..Hunt::new(arm, 5) };
    let (breeder, mut cover) = (Breeder::new(&asked), Cover::default());
    for number in 0..300 {
        let variation = breeder.variation(number, &cover);
        assert!(variation.seed < 1 << 63);
        let claims = Expectations { claims: Vec::new(), violations: Violations::None };
        let varied = variation.apply(arm);
        let written = Plan::alone("Does it?".into(), "It does.".into(), &varied, variation.seed, claims, None);
        let text = written.print();
        let reading = read(&Source::new("varied.toml", &text, &[&FAKE]));
        let errors: Vec<_> = reading.problems.iter().filter(|p| p.severity == crate::base::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{text}");
        assert!(reading.plan.expect("no errors") == written, "{text}");
        let (_, sight) = look(&asked, &variation);
        cover.add(variation, sight);
    }
    assert!(cover.kept().len() > 5, "{}", cover.kept().len());
}

/// The arm of the fake scenario without its own faults.
fn peaceful() -> Plan {
    let faults = crate::run::tests::FILE.split("[[fault]]").skip(1).collect::<Vec<_>>();
    let idle = faults[1].split("[expect]").next().expect("a fault");
    plan(&[(&format!("[[fault]]{}", faults[0]), ""), (&format!("[[fault]]{idle}"), ""), ("broken = [\"acked_survives\"]", "")])
}

/// The fake broker loses what arrives while a fault acts, and promises not to.
#[test]
fn what_nobody_declared_is_found() {
    let plan = peaceful();
    let arm = &plan.arms()[0];
    let asked = Hunt { runs: 400, ..Hunt::new(arm, 7) };
    let (one, four) = (hunted(&asked, 1), hunted(&asked, 4));
    assert_eq!(format!("{one:#?}"), format!("{four:#?}"));
    let quarry = one.found.first().expect("it is easily found");
    assert_eq!((one.found.len(), quarry.run), (1, one.runs));
    assert_eq!(quarry.case.try_for(Goal::Forbidden).as_ref(), Some(&quarry.found));
    let words = varied(arm, &quarry.case.arm);
    assert!(words.iter().any(|line| line.starts_with("fault: name = ")), "{words:#?}");
    // Where nothing may happen nothing is found, and every run is looked at.
    let blind = Hunt { vocabulary: asked.vocabulary.clone().only(Vec::new()), runs: 50, ..asked.clone() };
    let hunted = hunted(&blind, 2);
    assert_eq!((hunted.found.len(), hunted.runs), (0, 50));
    assert_eq!(hunted.marks.iter().find(|(mark, _)| *mark == "fake.lost"), Some(&("fake.lost", 0)));
}

#[test]
fn a_panic_is_found_and_the_way_out_is_asked_between_batches() {
    let plan = plan(&[("[model.fake]", "[model.fake]\npanics_at = \"3s\"")]);
    let asked = Hunt { quarries: Quarries::Distinct, runs: 20, ..Hunt::new(&plan.arms()[0], 1) };
    let hunted = hunt(&asked, &|_| false, &|| ());
    assert_eq!(hunted.found.iter().map(|quarry| quarry.found.violation).collect::<Vec<_>>(), [Violation::Panic]);
    assert_eq!((hunted.runs, hunted.panics, hunted.found[0].run), (20, 0, 1));
    // Whoever looks for something else is told how many runs came to no end.
    let property = Violation::Property(crate::check::Property::AckedSurvives);
    let other = hunt(&Hunt { goal: Goal::Observed(property), ..asked }, &|progress| progress.runs > 0, &|| ());
    assert_eq!((other.found.len(), other.runs, other.panics), (0, BATCH, BATCH));
}

#[test]
fn faults_stay_inside_chaos_and_within_the_vocabulary() {
    let plan = peaceful();
    let arm = &plan.arms()[0];
    let kinds = vec![IllKind::Kill, IllKind::FlipBits];
    let vocabulary = Vocabulary::of(arm).only(kinds.clone()).within(&["broker".to_owned()]).expect("there is a broker");
    let asked = Hunt { vocabulary, conditions: vec![Condition::Loss], ..Hunt::new(arm, 9) };
    let breeder = Breeder::new(&asked);
    let mut seen = 0;
    for number in 1..200 {
        let variation = breeder.variation(number, &Cover::default());
        assert!(variation.machines == arm.surroundings().machines && variation.load == *arm.load());
        for fault in &variation.extra {
            seen += 1;
            assert!(kinds.contains(&IllKind::of(&fault.ill)));
            let (Ill::Kill(who) | Ill::FlipBits { who, .. }) = &fault.ill else { panic!("{fault:?}") };
            assert_eq!(*who, Selector::Named("broker".into()));
            let When::At(moments) = &fault.when else { panic!("{fault:?}") };
            assert!(moments.iter().all(|at| *at >= arm.surroundings().chaos_start && *at < arm.surroundings().heal_start));
            assert!(moments.is_sorted_by(|a, b| a < b) && !moments.is_empty());
            assert!(fault.lasts.is_none() || !IllKind::of(&fault.ill).is_momentary());
        }
    }
    assert!(seen > 300, "{seen}");
}
