//! The verbs on a fake world: what a panic and a world that does not repeat end with.

use clap::{CommandFactory, Parser};

use super::args::{Cli, Verb};
use super::exit::Exit;
use super::verbs;
use crate::run::fake::FAKE;
use crate::run::tests::FILE;

/// Runs a verb on the fake scenario with these keys in its model's table.
#[track_caller]
fn check(verb: &str, keys: &str, exit: Exit) {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("fake.toml");
    let text = FILE.trim_start().replace("[model.fake]", &format!("[model.fake]\n{keys}"));
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("text");
    let cli = match verb {
        "run" => Cli::try_parse_from(["deadletter", "run", file, "--seeds", "2", "--out", home.path().to_str().expect("text")]),
        _ => Cli::try_parse_from(["deadletter", verb, file, "--seeds", "2"]),
    };
    let found = match cli.expect("a command line").verb {
        Verb::Run(args) => verbs::run(&args, &[&FAKE]),
        Verb::Check(args) => verbs::check(&args, &[&FAKE]),
        Verb::Audit(args) => verbs::audit(&args, &[&FAKE]),
        Verb::Capsule(_) | Verb::Fork(_) | Verb::Replay(_) | Verb::Shrink(_) | Verb::List(_) | Verb::Schema | Verb::Completions { .. } => {
            unreachable!("not asked for here")
        }
    };
    assert_eq!(found, exit, "{verb} with {keys}");
}

#[test]
fn a_panic_and_a_world_that_does_not_repeat_are_our_own_bugs() {
    check("run", "", Exit::Holds);
    check("run", "panics_at = \"3s\"", Exit::OurBug);
    check("run", "panics_at = 3", Exit::BadFile);
    check("audit", "", Exit::Holds);
    check("audit", "panics_at = \"3s\"", Exit::OurBug);
    check("audit", "flaky = true", Exit::OurBug);
    // A flaky world is noticed without an audit, too, when its story is to be told.
    check("run", "flaky = true", Exit::OurBug);
}

#[test]
fn the_grammar_is_sound() {
    Cli::command().debug_assert();
}
