//! Campaigns over a fake world: answers, early stops, warnings, and that the number of workers changes nothing.

use super::*;
use crate::run::tests::plan;
use crate::run::{Answer, ArmOutcome, Outcome};
use crate::scenario::Plan;

const CLAIM: &str = "broken = [\"acked_survives\"]";

fn asked(plan: &Plan) -> Campaign<'_> {
    Campaign { plan, file: "fake.toml", set: &[], budget: Budget::Full, arm: None }
}

fn campaign_of(plan: &Plan) -> Outcome {
    campaign(&asked(plan), &|| ()).expect("no panic")
}

/// Runs the fake scenario with this `[expect]` and gives the answer, the claim's detail and the arm.
#[track_caller]
fn check(claim: &str, answer: Answer, detail: &str) -> ArmOutcome {
    let mut outcome = campaign_of(&plan(&[(CLAIM, claim)]));
    let arm = outcome.arms.remove(0);
    assert_eq!((arm.expected[0].answer, arm.expected[0].detail.as_str()), (answer, detail), "{claim}");
    assert_eq!(outcome.answer, arm.answer);
    arm
}

#[test]
fn claims_are_answered_over_all_runs() {
    let arm = check(CLAIM, Answer::Holds, "in 6 of 8 runs, first seed 1");
    assert_eq!(arm.answer, Answer::Holds, "an arm that is expected to lose, and loses, holds: {:?}", arm.expected);
    assert_eq!((arm.runs, arm.shown.seed), (8, 1));
    let sentence = "p199 (key k";
    let arm = check_start("always = [\"acked_survives\"]", Answer::Broken, &format!("not in 6 of 8 runs; seed 1: {sentence}"));
    assert_eq!(arm.expected[0].seed, Some(1));
    check("sometimes = [\"fake.lost\"]\nviolations = \"any\"", Answer::Holds, "in 6 of 8 runs, first seed 1");
    check("sometimes = [\"fake.never\"]", Answer::Unknown, "in none of 8 runs: nothing is proved");
    check("never = [\"fake.never\"]", Answer::Holds, "in 8 of 8 runs");
    check("never = [\"fake.lost\"]", Answer::Broken, "not in 6 of 8 runs; seed 1: fake.lost occurred");
    check("success_ratio = \">= 100%\"", Answer::Holds, "in 8 of 8 runs");
    check("throughput = \"> 100/s\"", Answer::Broken, "not in 8 of 8 runs; seed 1: 500 acknowledgements in 5s");
    check("fault.eats = \"touched\"", Answer::Holds, "it touched something in 6 of 8 runs");
    check("fault.idle = \"touched\"", Answer::Unknown, "it touched nothing in any of 8 runs");
    check("fault.eats = \"untouched\"", Answer::Broken, "it touched something in 6 of 8 runs");
    check("count.acked_lost = \">= 6 runs\"", Answer::Holds, "in 6 of 7 runs");
    check("count.acked_lost = \"<= 2 runs\"", Answer::Broken, "in 3 of 3 runs");
}

#[track_caller]
fn check_start(claim: &str, answer: Answer, detail: &str) -> ArmOutcome {
    let mut outcome = campaign_of(&plan(&[(CLAIM, claim)]));
    let arm = outcome.arms.remove(0);
    assert_eq!(arm.expected[0].answer, answer, "{claim}");
    assert!(arm.expected[0].detail.starts_with(detail), "{}", arm.expected[0].detail);
    arm
}

#[test]
fn a_broken_promise_that_nobody_asked_about_is_broken() {
    let arm = check("sometimes = [\"fake.lost\"]", Answer::Holds, "in 6 of 8 runs, first seed 1");
    assert_eq!(arm.answer, Answer::Broken);
    let promise = &arm.expected[1];
    assert_eq!((promise.text.as_str(), promise.answer, promise.seed), ("promises kept", Answer::Broken, Some(1)));
    assert!(promise.detail.starts_with("acked_survives broken in 6 of 8 runs; seed 1: p199"), "{}", promise.detail);
    let story = arm.shown.story.as_ref().expect("a story");
    assert_eq!(story.property, crate::check::Property::AckedSurvives);
    assert_eq!(arm.shown.ledger[0].mattered, Some(true));
    // What is not promised may break.
    let outcome = campaign_of(&plan(&[(CLAIM, "sometimes = [\"fake.lost\"]"), ("[model.fake]", "[model.fake]\npromises = false")]));
    assert_eq!(outcome.answer, Answer::Holds, "{:?}", outcome.arms[0].expected);
}

#[test]
fn a_share_stops_when_it_is_decided() {
    let claim = "share.acked_lost = \">= 5% of runs\"";
    let outcome = campaign_of(&plan(&[(CLAIM, claim), ("count = 8", "count = 500")]));
    let arm = &outcome.arms[0];
    assert_eq!((arm.runs, arm.expected[0].answer), (2, Answer::Holds), "{}", arm.expected[0].detail);
    assert_eq!(arm.expected[0].detail, "in 2 of 2 runs (proves > 22 % at 95 %), decided early");
}

#[test]
fn a_fault_that_touched_nothing_is_a_warning() {
    let outcome = campaign_of(&plan(&[]));
    assert_eq!(outcome.arms[0].warnings, ["fault `idle` touched nothing in any of 8 runs: it proves nothing"]);
}

#[test]
fn arms_are_pairs_and_the_outcome_does_not_depend_on_workers() {
    let arm = "[seeds]\nfirst = 1\ncount = 40\n\n[[arm]]\nname = \"no promise\"\nset = { \"model.fake.promises\" = false }\n";
    let plan = plan(&[("[seeds]\nfirst = 1\ncount = 8", arm)]);
    let of = |jobs: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("workers");
        pool.install(|| campaign_of(&plan))
    };
    let (one, four) = (of(1), of(4));
    assert_eq!(serde_json::to_string(&one).expect("JSON"), serde_json::to_string(&four).expect("JSON"));
    assert_eq!(one.arms.len(), 2);
    assert_eq!(one.arms[0].digest, one.arms[1].digest, "what an arm promises changes no event");
    assert_eq!(one.arms[1].differs, ["model.fake.promises = false"]);
    assert!(one.arms[1].repro.starts_with("deadletter run fake.toml --seed 1 --arm 'no promise'   # "), "{}", one.arms[1].repro);
    assert!(one.arms[0].repro.ends_with(&one.arms[0].shown.digest.to_string()));
}

#[test]
fn a_panic_names_the_first_seed_and_its_arm() {
    let plan = plan(&[("[model.fake]", "[model.fake]\npanics_at = \"3s\"")]);
    let failure = campaign(&asked(&plan), &|| ()).expect_err("it panics");
    assert_eq!((failure.arm.as_str(), failure.crash.seed), ("main", 1));
}

#[test]
fn budgets() {
    let plan = plan(&[]);
    let seeds = |budget: Budget| (budget.seeds(plan.seeds()).first, budget.seeds(plan.seeds()).count);
    assert_eq!(seeds(Budget::Full), (1, 8));
    assert_eq!(seeds(Budget::AtMost(5)), (1, 5));
    assert_eq!(seeds(Budget::AtMost(12)), (1, 8));
    assert_eq!(seeds(Budget::Exactly(12)), (1, 12));
    assert_eq!(seeds(Budget::Seed(77)), (77, 1));
}
