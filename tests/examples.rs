//! The programs in `examples/`: their scenarios come out as expected, their runs repeat, and the page about them quotes them truly.

use std::fs;

use deadletter::lab::{Budget, Campaign, campaign};
use deadletter::model::Model;
use deadletter::report::text::{Look, Style, summary};
use deadletter::run::{Answer, Ready, audit};
use deadletter::scenario::{Plan, Source, read, render};

#[expect(dead_code, reason = "an example is a program; its main is not called here")]
#[path = "../examples/composite.rs"]
mod composite;
#[expect(dead_code, reason = "an example is a program; its main is not called here")]
#[path = "../examples/own_protocol.rs"]
mod own_protocol;

const EXAMPLES: [(&str, &[&dyn Model]); 2] = [("own_protocol", own_protocol::MODELS), ("composite", composite::MODELS)];

fn text(example: &str, ending: &str) -> String {
    fs::read_to_string(format!("examples/{example}.{ending}")).expect("an example")
}

fn plan(text: &str, models: &[&'static dyn Model]) -> Plan {
    let reading = read(&Source::new("example.toml", text, models));
    assert!(reading.problems.is_empty(), "{}", render(&reading.problems, false));
    reading.plan.expect("there are no problems")
}

/// What is wrong with a scenario, one line for each problem.
fn problems(text: &str, models: &[&'static dyn Model]) -> Vec<String> {
    let reading = read(&Source::new("bad.toml", text, models));
    assert!(reading.plan.is_none(), "nothing is wrong with\n{text}");
    let line = |p: &deadletter::base::Problem| format!("{} | {}", p.what, p.hint.as_deref().unwrap_or("-"));
    reading.problems.iter().map(line).collect()
}

#[test]
fn scenarios_come_out_as_expected() {
    for (name, models) in EXAMPLES {
        let plan = plan(&text(name, "toml"), models);
        let asked = Campaign { budget: Budget::AtMost(12), ..Campaign::new(&plan, name) };
        let outcome = campaign(&asked, &|| ()).expect("no run panics");
        let look = Look { width: 100, style: Style::Plain };
        assert_eq!(outcome.answer, Answer::Holds, "{}", summary(&outcome, look));
        for arm in &outcome.arms {
            assert_eq!(arm.shown.judged.accounting.malformed, 0, "{name} writes a history that contradicts itself");
        }
    }
}

#[test]
fn runs_are_the_same_every_time() {
    for (name, models) in EXAMPLES {
        let plan = plan(&text(name, "toml"), models);
        for arm in plan.arms() {
            let audited = audit(&Ready::new(arm), plan.seeds().first).unwrap_or_else(|difference| panic!("{name}: {difference}"));
            assert!(audited.events > 1000, "{name}: hardly anything happened");
        }
    }
}

#[test]
fn plans_print_themselves() {
    for (name, models) in EXAMPLES {
        let plan_of = |text: &str| plan(text, models);
        let first = plan_of(&text(name, "toml"));
        let printed = first.print();
        assert!(plan_of(&printed) == first, "{name} reads otherwise when it is printed:\n{printed}");
        assert_eq!(plan_of(&printed).hash(), first.hash());
    }
}

#[test]
fn another_setting_is_another_plan() {
    let toml = text("own_protocol", "toml");
    let one = plan(&toml, own_protocol::MODELS);
    for (from, to) in [("clients = 4", "clients = 5"), ("wait = \"100ms\"", "wait = \"101ms\""), ("tries = 6", "tries = 7")] {
        assert!(toml.contains(from), "`{from}` is not in the scenario");
        assert_ne!(plan(&toml.replace(from, to), own_protocol::MODELS).hash(), one.hash(), "{to}");
    }
    assert_eq!(plan(&toml.replace("wait = \"100ms\"", "wait = \"0.1s\""), own_protocol::MODELS).hash(), one.hash());
    assert_eq!(one.arms()[1].differs(), ["model.calls.remember = false"]);
}

#[test]
fn mistakes_are_reported_where_they_stand() {
    let toml = text("own_protocol", "toml").replace("tries = 6", "tires = 6").replace("wait = \"100ms\"", "wait = 100");
    let found = problems(&toml, own_protocol::MODELS);
    assert!(found.contains(&"unknown key `tires` in `model.calls` | did you mean `tries`?".to_owned()), "{found:#?}");
    assert!(found.iter().any(|p| p.starts_with("`100` has no unit")), "{found:#?}");

    let toml = text("composite", "toml");
    let found = problems(&toml.replace("consumer.warehouse = {", "consumer.warehouse = { prefech = 1,"), composite::MODELS);
    assert_eq!(found, ["unknown key `prefech` in `model.shop.mail.consumer.warehouse` | did you mean `prefetch`?"]);
    let lines = |wanted: fn(&&str) -> bool| toml.lines().filter(wanted).collect::<Vec<_>>().join("\n");
    let found = problems(&lines(|line| !line.starts_with("consumer.")), composite::MODELS);
    assert!(found.iter().any(|p| p.starts_with("there is no warehouse to ask")), "{found:#?}");
}

#[test]
fn a_protocol_of_ones_own_is_short() {
    let lines = text("own_protocol", "rs").lines().count();
    assert!(lines < 150, "examples/own_protocol.rs has {lines} lines");
}

/// Every block of the page that is not run is an excerpt of an example.
#[test]
fn the_page_quotes_the_examples() {
    let page = fs::read_to_string("docs/library.md").expect("the page");
    let examples: Vec<String> = EXAMPLES.iter().map(|(name, _)| text(name, "rs")).collect();
    let excerpts: Vec<&str> = page.split("```rust,ignore\n").skip(1).map(|rest| rest.split("```").next().expect("a block")).collect();
    assert!(excerpts.len() > 6, "only {} excerpts were found", excerpts.len());
    for excerpt in excerpts {
        assert!(examples.iter().any(|example| example.contains(excerpt)), "no example has these lines:\n{excerpt}");
    }
}
