//! Property tests over drawn trials: the honest mailbox keeps what it promises, and what is drawn is well formed.

use deadletter::check::Property;
use deadletter::lab::{Budget, Campaign, Capsule, Found, IllKind, Violation, campaign, replay};
use deadletter::model::BUILT_IN;
use deadletter::run::{Answer, Ready, audit};
use deadletter::scenario::{Source, read, render};
use deadletter::testing::{Bench, Counterexample, FaultSpace, NetworkSpace};
use proptest::prelude::*;

#[expect(dead_code, reason = "an example is a program; its main is not called here")]
#[path = "../examples/outbox.rs"]
mod outbox;

/// A queue with everything that its configuration decides about promises left to vary.
const MAILBOX: &str = r#"
## Is every promise kept, whatever the settings are and whatever goes wrong?
## Yes.

[model.mailbox]
queue.orders = { visibility_timeout = "5s" }
consumer.billing = { from = "orders", processing = "4ms" }

[load]
to = "orders"
arrivals = { law = "poisson", rate = "10/s" }

[phases]
warm = "1s"
chaos = "4s"
heal = "1s"
drain = "120s"
"#;

/// How a model's author tests a model: all settings that decide something, under everything that its promises cover. Loss does not end
/// with chaos, and one that is too high is not covered: consumers must keep up with what comes again.
fn mailbox() -> Bench {
    Bench::new(MAILBOX, BUILT_IN)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .settings("model.mailbox.broker.sync", &["every_message", "never"])
        .settings("model.mailbox.broker.storage", &["durable", "memory"])
        .settings("model.mailbox.producer", &["{ count = 2, retries = 4, timeout = \"300ms\" }", "{ count = 2, confirm = \"none\" }"])
        .settings("model.mailbox.producer.idempotence", &["false", "true"])
        .settings("model.mailbox.consumer.billing.ack", &["after", "before", "atomically"])
        .settings("model.mailbox.consumer.billing.count", &["1", "2"])
        .settings("model.mailbox.transport", &["stream", "datagram"])
        .networks(NetworkSpace::rough().loss(5))
        .faults(FaultSpace::up_to(4))
        .messages(12)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_honest_mailbox_keeps_its_promises(trial in mailbox().trials()) {
        trial.assert_kept()?;
    }
}

/// The property above can fail: what no promise covers breaks it at once.
#[test]
fn a_lost_disk_breaks_promises() {
    let space = FaultSpace::up_to(4).only(&[IllKind::Pause, IllKind::Wipe]).at(&["broker", "billing-1"]);
    let bench = mailbox().faults(space).named("lost-disk");
    let found = bench.check(256, |trial| trial.assert_kept()).expect_err("no promise survives a lost disk");
    let faults: Vec<&str> = found.trial.case().arm.surroundings().faults.iter().map(|fault| fault.name.as_str()).collect();
    assert!(faults.iter().any(|name| name.starts_with("wipe")) && faults.len() <= 2, "{found}");
}

/// The counterexample to a handler of the example, its capsule read back.
fn wrong(handler: (&str, &str), name: &str) -> (Counterexample, Capsule) {
    let found = outbox::bench(handler).named(name).check(256, |trial| trial.assert_kept()).expect_err("the planted bug is found");
    let file = format!("target/deadletter/{name}.toml");
    let text = std::fs::read_to_string(&file).expect("a capsule was written");
    assert!(found.why.contains(&format!("replay:  cargo run --example outbox --features proptest -- replay {file}")), "{found}");
    let capsule =
        Capsule::read(&Source::new(&file, &text, outbox::MODELS)).unwrap_or_else(|problems| panic!("{}", render(&problems, false)));
    (found, capsule)
}

#[test]
fn planted_bugs_are_found_and_shrink() {
    let planted = [(outbox::HANDLERS[0], Property::NoDuplicateEffect), (outbox::HANDLERS[1], Property::AckedDelivered)];
    for (number, (handler, property)) in planted.into_iter().enumerate() {
        let (found, capsule) = wrong(handler, &format!("planted-{number}"));
        let arm = &found.trial.case().arm;
        assert_eq!((arm.surroundings().faults.len(), arm.load().listed.len()), (1, 1), "{found}");
        assert_eq!(IllKind::of(&arm.surroundings().faults[0].ill), IllKind::Kill, "nothing milder does it: {found}");
        assert!(found.trial.case().seed == 0 && arm.surroundings().network.within.loss.is_never(), "{found}");
        // The last capsule is of the smallest failure, and replays it to the last event.
        assert!(capsule.case().arm.changes_from(arm).is_empty() && capsule.note().of == Violation::Property(property), "{found}");
        let replayed = replay(&capsule).expect("no panic");
        assert_eq!((replayed.answer, replayed.drift), (Answer::Holds, vec![]), "{found}");
        assert!(replayed.found.is_some_and(|replayed| found.why.contains(&replayed.sentence)), "{found}");
    }
}

#[test]
fn the_right_handler_passes_and_is_put_to_the_test() {
    let bench = outbox::bench(outbox::HANDLERS[2]);
    bench.check(64, |trial| trial.assert_kept()).unwrap_or_else(|found| panic!("{found}"));
    assert!(bench.covers(64)["outbox.came_again"] > 8, "{:?}", bench.covers(64));
}

#[test]
fn the_scenario_of_the_example_comes_out_as_expected() {
    let reading = read(&Source::new("outbox.toml", outbox::SCENARIO, outbox::MODELS));
    let plan = reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)));
    let outcome = campaign(&Campaign { budget: Budget::AtMost(12), ..Campaign::new(&plan, "outbox.toml") }, &|| ()).expect("no panic");
    let answers: Vec<_> = outcome.arms.iter().map(|arm| (arm.name.as_str(), arm.answer, &arm.expected)).collect();
    assert_eq!(outcome.answer, Answer::Holds, "{answers:#?}");
    audit(&Ready::new(&plan.arms()[0]), 1).unwrap_or_else(|difference| panic!("{difference}"));
}

/// The page shows lines of the example, and what the example prints.
#[test]
fn the_page_is_true() {
    let page = std::fs::read_to_string("docs/testing.md").expect("the page");
    let example = std::fs::read_to_string("examples/outbox.rs").expect("the example");
    let here = std::fs::read_to_string("tests/testing.rs").expect("this file");
    let excerpts: Vec<&str> = page.split("```rust,ignore\n").skip(1).map(|rest| rest.split("```").next().expect("a block")).collect();
    assert!(excerpts.len() > 2, "only {} excerpts were found", excerpts.len());
    for excerpt in excerpts {
        assert!(example.contains(excerpt) || here.contains(excerpt), "no file has these lines:\n{excerpt}");
    }
    let (key, value) = outbox::HANDLERS[0];
    let (found, _) = wrong((key, value), &format!("{key}-{value}"));
    assert!(page.contains(&found.to_string()), "the page shows something else than:\n{found}");
}

#[test]
fn trials_are_the_same_every_time() {
    let shown = || {
        let shown = std::cell::RefCell::new(String::new());
        let told = mailbox().check(20, |trial| {
            *shown.borrow_mut() += &format!("{trial:?} {:?}\n", trial.run().map(|ran| ran.outcome.digest));
            Ok(())
        });
        told.expect("nothing is asserted");
        shown.into_inner()
    };
    let first = shown();
    assert!(first.matches("Trial {").count() >= 20);
    assert_eq!(first, shown());
}

/// Started by the next test with a number of cases in the environment.
#[test]
#[ignore = "a part of the next test"]
fn counted() {
    let count = std::cell::Cell::new(0);
    let bench = outbox::bench(outbox::HANDLERS[2]);
    let told = bench.check(64, |_| {
        count.set(count.get() + 1);
        Ok(())
    });
    told.expect("nothing is asserted");
    println!("{} cases", count.get());
}

#[test]
fn the_environment_says_how_many_cases() {
    let this = std::env::current_exe().expect("a test is a program");
    let run = |cases: &str| {
        let mut command = std::process::Command::new(&this);
        command.args(["--exact", "counted", "--ignored", "--nocapture"]).env("PROPTEST_CASES", cases);
        String::from_utf8(command.output().expect("it runs").stdout).expect("text")
    };
    assert!(run("3").contains("3 cases"), "{}", run("3"));
    assert!(run("70").contains("70 cases"), "{}", run("70"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every trial, whatever came out of it, can be written as a capsule that reads as the same run.
    #[test]
    fn trials_can_be_written_down(trial in mailbox().trials()) {
        let found = Found { violation: Violation::Panic, sentence: "nothing".into(), witness: None, digest: None };
        let text = trial.capsule(&found).text();
        let capsule = Capsule::read(&Source::new("trial.toml", &text, BUILT_IN));
        let capsule = capsule.map_err(|problems| TestCaseError::fail(render(&problems, false)))?;
        let (written, read) = (trial.case(), capsule.case());
        prop_assert_eq!(read.arm.changes_from(&written.arm), Vec::<String>::new());
        prop_assert_eq!(&read.arm.surroundings().faults, &written.arm.surroundings().faults);
        prop_assert_eq!(read.arm.load(), written.arm.load());
        prop_assert_eq!(read.seed, written.seed);
    }
}

#[test]
fn what_is_asserted_decides() {
    // Nothing goes wrong, so that what is asserted is what fails.
    let bench = outbox::bench(outbox::HANDLERS[1]).named("asserted");
    let duplicate = Violation::Property(Property::NoDuplicateEffect);
    bench.check(64, |trial| trial.assert_never(duplicate)).expect("this handler applies nothing twice");
    let found = bench.check(64, |trial| trial.assert_holds(Property::NoDuplicateDelivery)).expect_err("it is delivered at least once");
    assert!(found.why.starts_with("no_duplicate_delivery is broken: ") && !found.why.contains("promised, because"), "{found}");
}

/// Settings that do not go together are no cases; those that are misspelt are told.
#[test]
fn settings_are_those_that_the_model_takes() {
    let bench = || Bench::new(MAILBOX, BUILT_IN).expect("a scenario");
    let (confirm, keyed) = ("model.mailbox.producer.confirm", "model.mailbox.producer.idempotence");
    let together = bench().settings(confirm, &["wait", "none"]).settings(keyed, &["false", "true"]);
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
    let told = together.check(64, |trial| {
        seen.borrow_mut().insert(trial.settings().join(" "));
        Ok(())
    });
    told.expect("nothing is asserted");
    let refused = format!("{confirm}=none {keyed}=true");
    assert!(!seen.borrow().contains(&refused) && seen.borrow().len() == 3, "{seen:?}");
    let panics = |change: fn(Bench) -> Bench| {
        let bench = bench();
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| change(bench).trials())).expect_err("it is told");
        told.downcast_ref::<String>().expect("in words").clone()
    };
    assert!(panics(|bench| bench.settings("model.mailbox.trasport", &["stream"])).contains("did you mean `transport`?"));
    let told = panics(|bench| bench.settings("model.mailbox.transport", &["stream", "datagrams"]));
    assert!(told.contains("nothing goes with model.mailbox.transport=datagrams") && told.contains("did you mean `datagram`?"), "{told}");
    assert!(panics(|bench| bench.faults(FaultSpace::up_to(1).at(&["brokr"]))).contains("there is no node or group `brokr`"));
    assert!(Bench::new("[model.mailbox]\n", BUILT_IN).is_err());
}
