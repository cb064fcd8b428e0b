//! The laboratory on the command line, from a scenario to the cause: every verb, its exit codes, and that the number of workers
//! changes no byte.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// Runs the program; gives its exit code, what it said and what it complained of.
fn deadletter(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_deadletter")).env("NO_COLOR", "1").args(args).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// The same command with one worker and with two must say and write the same.
#[track_caller]
fn alike(home: &Path, args: &[&str], code: i32) -> (String, String) {
    let of = |jobs: &str| {
        let file = home.join("out.toml");
        let mut all = args.to_vec();
        all.extend(["--jobs", jobs, "--out", file.to_str().expect("text")]);
        let (found, said, complained) = deadletter(&all);
        assert_eq!(found, code, "{all:?}\n{said}{complained}");
        let written = if file.is_file() { fs::read_to_string(&file).expect("it was written") } else { String::new() };
        (said, written)
    };
    let (one, two) = (of("1"), of("2"));
    assert_eq!(one, two, "{args:?}: one worker and two");
    one
}

const SCENARIO: &[&str] = &["scenarios/mailbox/power_off.toml", "--arm", "never synced", "--set", "load.arrivals.rate=90/s"];

#[test]
fn from_a_scenario_to_the_smallest_run_and_its_story() {
    let home = tempfile::tempdir().expect("a folder");
    let path = |name: &str| home.path().join(name).to_str().expect("text").to_owned();
    let hunt = [&["hunt"], SCENARIO, &["--of", "acked_survives", "--runs", "60"]].concat();
    let (said, found) = alike(home.path(), &hunt, 1);
    assert!(said.contains("acked_survives: p"), "{said}");
    fs::write(path("found.toml"), found).expect("a file");

    let (said, small) = alike(home.path(), &["shrink", &path("found.toml")], 1);
    assert!(said.contains("messages") && small.matches("[[operation]]").count() == 1, "{said}\n{small}");
    assert_eq!(small.matches("[[fault]]").count(), 1, "{small}");
    fs::write(path("small.toml"), &small).expect("a file");

    let (code, said, _) = deadletter(&["replay", &path("small.toml")]);
    assert!(code == 0 && said.contains("the same to the last event"), "{code}: {said}");
    let payload = small.lines().find_map(|line| line.strip_prefix("payload = ")).expect("an operation");
    let (code, said, _) = deadletter(&["follow", &path("small.toml")]);
    assert!(code == 0 && said.contains(&format!("messages   p{payload}\n")) && said.contains("(struck once)"), "{code}: {said}");
    let (code, said, _) = deadletter(&["follow", &path("small.toml"), payload]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("What made the difference") && said.contains("not yet durable") && said.contains("lost power"), "{said}");
    let (code, _, complained) = deadletter(&["follow", &path("small.toml"), "brocker"]);
    assert!(code == 64 && complained.contains("did you mean `broker`?"), "{code}: {complained}");
}

#[test]
fn when_it_was_lost_and_what_if() {
    let home = tempfile::tempdir().expect("a folder");
    let file = "scenarios/regressions/confirmed_before_the_disk_has_it.toml";
    let (said, picture) = alike(home.path(), &["doom", file, "--futures", "12", "--points", "10"], 1);
    assert!(said.contains("It was lost at 2s") && said.contains("Before, 0 of 12 futures end badly"), "{said}");
    assert!(picture.contains("<svg"), "a chart");

    let (code, said, _) = deadletter(&["fork", file, "--at", "1500ms", "--set", "model.mailbox.broker.sync=every_message"]);
    assert!(code == 0 && said.contains("From 1.500 s on:"), "{code}: {said}");
    let (code, _, complained) = deadletter(&["fork", file, "--at", "1h", "--set", "network.loss=1%"]);
    assert!(code == 64 && complained.contains("there is nothing left to change"), "{code}: {complained}");
}

#[test]
fn every_single_fault() {
    let home = tempfile::tempdir().expect("a folder");
    let exhaust = ["exhaust", "scenarios/regressions/a_retry_overtaken.toml", "--faults", "kill,pause,cut", "--of", "acked_survives"];
    let (said, _) = alike(home.path(), &exhaust, 0);
    assert!(said.contains("No single kill, pause or cut at any of"), "{said}");
    let (code, _, complained) = deadletter(&["exhaust", "scenarios/regressions/a_retry_overtaken.toml", "--faults", "kil"]);
    assert!(code == 64 && complained.contains("kill"), "{code}: {complained}");
}
