//! Tests of the model as a whole.

mod campaign;
#[cfg(feature = "mutants")]
mod mutants;
mod rig;
mod table;

use crate::check::Property;
use rig::{plan, run};

#[test]
fn a_run_without_faults_delivers_everything_once_and_in_order() {
    for (name, text, to) in campaign::CONFIGS.iter().filter(|(name, ..)| !name.contains("bounded")) {
        let outcome = run(&plan(text, to), 1);
        let accounting = &outcome.judged.accounting;
        assert!(accounting.attempts > 400, "{name}: {accounting:?}");
        assert_eq!(accounting.attempts, accounting.ok, "{name}: {accounting:?}");
        assert_eq!((accounting.duplicates, accounting.lost, accounting.malformed), (0, 0, 0), "{name}");
        assert!(!outcome.is_broken(Property::OrderGlobal) || text.contains("datagram") || text.contains("count"), "{name}");
        assert_eq!(outcome.violations(), Vec::<String>::new(), "{name}");
        assert_eq!(outcome.breach, None, "{name}");
    }
}

/// Every mark that does not need a special disk or network is reached by some random run.
#[test]
fn random_faults_reach_the_rare_paths() {
    let mut reached = std::collections::BTreeSet::new();
    for seed in 0..90 {
        let outcome = run(&campaign::plan(usize::try_from(seed).expect("small"), seed), seed);
        reached.extend(outcome.marks.iter().map(|(mark, _)| mark));
    }
    let seldom = [
        super::marks::DAMAGED_ON_DISK,
        super::marks::DROPPED_NEWEST,
        super::marks::COMMIT_FAILED,
        super::marks::FENCED,
        super::marks::NO_SUBSCRIBER,
    ];
    for (mark, _) in super::marks::ALL {
        assert!(reached.contains(mark) || seldom.contains(mark), "{mark} was never reached");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..4 {
        let plan = campaign::plan(usize::try_from(seed).expect("small"), seed);
        let (once, twice) = (run(&plan, seed), run(&plan, seed));
        assert_eq!((once.digest, &once.history), (twice.digest, &twice.history));
        let mut traced = plan.clone();
        traced.trace = 100_000;
        assert_eq!(run(&traced, seed).digest, once.digest, "a trace changes nothing");
    }
}
