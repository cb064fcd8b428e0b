//! Broken scenario files and the exact messages they get; the messages are rewritten with `GOLDEN=write`.

mod fake;

use std::fmt::Write as _;
use std::fs;

use deadletter::base::Severity;
use deadletter::scenario::{Reading, Source, read, render};

const GOLDEN: &str = "tests/golden/bad_scenarios.txt";
/// Begins a case: its name follows.
const CASE: &str = "=== ";
/// A setting of the command line for a case.
const SET: &str = "--set ";
/// Ends a case's text; its messages follow.
const MESSAGES: &str = "--- messages";

struct Case {
    name: String,
    sets: Vec<String>,
    text: String,
    messages: String,
}

fn cases() -> Vec<Case> {
    let golden = fs::read_to_string(GOLDEN).expect("the cases");
    golden.split(CASE).skip(1).map(case).collect()
}

fn case(text: &str) -> Case {
    let (name, rest) = text.split_once('\n').expect("a name");
    let (body, messages) = rest.split_once(MESSAGES).unwrap_or((rest, ""));
    let (sets, lines): (Vec<&str>, Vec<&str>) = body.lines().partition(|line| line.starts_with(SET));
    let text = if lines.is_empty() { String::new() } else { lines.join("\n") + "\n" };
    Case {
        name: name.to_owned(),
        sets: sets.into_iter().map(|line| line[SET.len()..].to_owned()).collect(),
        text,
        messages: messages.trim_start_matches('\n').to_owned(),
    }
}

fn reading(case: &Case) -> Reading {
    let files = |path: &str| match path {
        "bad.csv" => Ok(b"at,bytes\n1,10\n0.5,x\n".to_vec()),
        "good.csv" => Ok(b"at\n6s\n7s\n".to_vec()),
        _ => Err("there is no such file".to_owned()),
    };
    read(&Source { file: "bad.toml", text: &case.text, sets: &case.sets, models: &fake::MODELS, files: &files })
}

#[test]
fn broken_files_get_exactly_these_messages() {
    let cases = cases();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    let mut shown = String::new();
    let mut wrong = Vec::new();
    for case in &cases {
        let messages = render(&reading(case).problems, false);
        writeln!(shown, "{CASE}{}", case.name).expect("a text grows");
        for set in &case.sets {
            writeln!(shown, "{SET}{set}").expect("a text grows");
        }
        writeln!(shown, "{}{MESSAGES}\n{messages}", case.text).expect("a text grows");
        if messages.trim_end() != case.messages.trim_end() {
            wrong.push(format!("=== {}\nexpected:\n{}\nfound:\n{messages}", case.name, case.messages));
        }
    }
    if std::env::var("GOLDEN").as_deref() == Ok("write") {
        fs::write(GOLDEN, shown).expect("written");
        return;
    }
    assert!(wrong.is_empty(), "{} of {}; GOLDEN=write rewrites them\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn every_message_has_a_place_and_says_something_of_its_own() {
    for case in cases() {
        let reading = reading(&case);
        let errors = reading.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        assert_eq!(reading.plan.is_none(), errors > 0, "{}", case.name);
        assert!(!reading.problems.is_empty(), "{}: nothing is wrong with it", case.name);
        for problem in &reading.problems {
            let place = problem.place.as_ref().unwrap_or_else(|| panic!("{}: no place for {}", case.name, problem.what));
            assert!(place.start <= place.end && place.end <= place.text.len(), "{}: {place:?}", case.name);
            let own = *place.text == *case.text || case.sets.iter().any(|set| **set == *place.text);
            assert!(own, "{}: a place in another text: {}", case.name, place.text);
            assert!(!problem.what.ends_with('.'), "{}: {}", case.name, problem.what);
        }
    }
}

#[test]
fn coloured_messages_say_the_same() {
    for case in cases() {
        let problems = reading(&case).problems;
        let mut plain = String::new();
        let coloured = render(&problems, true);
        let mut rest = coloured.chars();
        while let Some(c) = rest.next() {
            if c == '\u{1b}' {
                rest.by_ref().find(|c| *c == 'm');
            } else {
                plain.push(c);
            }
        }
        assert!(coloured.contains('\u{1b}'), "{}", case.name);
        assert_eq!(plain, render(&problems, false), "{}", case.name);
    }
}
