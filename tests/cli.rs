//! The program from outside: exit codes, messages, colours, and that the number of workers changes nothing.

use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// A small scenario that holds: nothing goes wrong but a short pause of the broker.
const GOOD: &str = include_str!("cli/holds.toml");

fn deadletter(home: &Path) -> Command {
    let mut command = Command::cargo_bin("deadletter").expect("the program");
    command.current_dir(home).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("COLUMNS");
    command
}

/// Runs the program in a folder with these files and gives its exit code, output and complaints.
#[track_caller]
fn run(files: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(home.path().join(name), text).expect("a file");
    }
    let output = deadletter(home.path()).args(arguments).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("no signal"), text(output.stdout), text(output.stderr))
}

/// The same scenario with a line replaced.
fn with(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "`{from}` is not in the scenario");
    GOOD.replace(from, to)
}

#[test]
fn exit_codes() {
    let broken = with(
        "always = [\"acked_survives\"]",
        "never = [\"mailbox.redelivered\"]\nalways = [\"no_duplicate_delivery\"]\nack_max = \"<= 1ns\"",
    );
    let unknown = with("always = [\"acked_survives\"]", "sometimes = [\"mailbox.dead_lettered\"]");
    let files = [("good.toml", GOOD), ("broken.toml", &*broken), ("unknown.toml", &*unknown), ("bad.toml", "nonsense = [")];
    let table: [(&[&str], i32); 14] = [
        (&["run", "good.toml"], 0),
        (&["run", "broken.toml"], 1),
        (&["run", "unknown.toml"], 2),
        (&["run", "bad.toml"], 65),
        (&["run", "unknown.toml", "broken.toml", "good.toml"], 1),
        (&["run", "good.toml", "broken.toml", "bad.toml"], 65),
        (&["run", "none.toml"], 64),
        (&["run"], 64),
        (&["run", "good.toml", "--arm", "none"], 64),
        (&["run", "good.toml", "--jobs", "0"], 64),
        (&["fly"], 64),
        (&["--version"], 0),
        (&["check", "good.toml", "unknown.toml"], 0),
        (&["audit", "good.toml"], 0),
    ];
    for (arguments, code) in table {
        let (found, out, err) = run(&files, arguments);
        assert_eq!(found, code, "{arguments:?}\n{out}\n{err}");
    }
}

#[test]
fn a_failure_prints_the_line_that_repeats_it() {
    let broken = with("always = [\"acked_survives\"]", "ack_max = \"<= 1ns\"");
    let (code, out, err) = run(&[("broken.toml", &broken)], &["run", "broken.toml", "--set", "load.limit=50"]);
    assert_eq!(code, 1, "{out}\n{err}");
    let line = err.lines().find(|l| l.starts_with("repro: ")).expect("a line to repeat it");
    assert!(line.starts_with("repro: deadletter run broken.toml --seed 1 --set load.limit=50   # deadletter 0.1.0, scenario "), "{line}");
    let digest = line.rsplit_once("digest ").expect("a digest").1;
    assert_eq!(digest.len(), 16, "{line}");
    let again: Vec<&str> = line["repro: deadletter ".len()..].split("   #").next().expect("a command").split(' ').collect();
    let (code, out, _) = run(&[("broken.toml", &broken)], &again);
    assert_eq!(code, 1);
    assert!(out.contains(digest), "the repeated run has another digest than {digest}:\n{out}");
}

#[test]
fn a_named_transmission_is_decided_and_a_name_that_matches_nothing_proves_nothing() {
    let named = |about: u32| {
        format!("{GOOD}\n[[override]]\nfrom = \"producer-1\"\nto = \"broker\"\nkind = \"publish\"\nabout = {about}\ndelay = \"500ms\"\n")
    };
    let bound = |text: String| text.replace("always = [\"acked_survives\"]", "always = [\"acked_survives\"]\nack_max = \"<= 400ms\"");
    let plain = bound(GOOD.to_owned());
    // The power failure comes too late for the first messages; only the override makes one of them wait so long.
    let early = |text: String| {
        text.replace("at = \"2500ms\"", "at = \"4900ms\"")
            .replace("warm = \"1s\"", "warm = \"0s\"")
            .replace("chaos = \"4s\"", "chaos = \"5s\"")
    };
    let files = [("plain.toml", &*early(plain)), ("late.toml", &*early(bound(named(20)))), ("none.toml", &*early(named(1_000_000)))];
    let (code, out, err) = run(&files, &["run", "plain.toml"]);
    assert_eq!(code, 0, "{out}\n{err}");
    let (code, out, err) = run(&files, &["run", "late.toml"]);
    assert_eq!(code, 1, "{out}\n{err}");
    let (code, out, err) = run(&files, &["run", "none.toml"]);
    assert_eq!(code, 2, "{out}\n{err}");
    assert!(out.contains("matched no transmission"), "{out}");
}

#[test]
fn a_bad_file_is_shown_with_every_problem() {
    let bad = with("[load]", "[lod]").replace("chaos = ", "choas = ");
    let (code, out, err) = run(&[("bad.toml", &bad)], &["check", "bad.toml"]);
    assert_eq!((code, out.as_str()), (65, ""));
    for part in ["bad.toml:", "unknown key `lod`", "did you mean `load`?", "unknown key `choas`", "did you mean `chaos`?"] {
        assert!(err.contains(part), "`{part}` is missing in:\n{err}");
    }
}

#[test]
fn colours_are_for_terminals_and_for_whoever_forces_them() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("good.toml"), GOOD).expect("a file");
    let coloured = |name: &str, value: &str| {
        let output = deadletter(home.path()).env(name, value).args(["run", "good.toml"]).output().expect("it runs");
        output.stdout.contains(&0x1b)
    };
    assert!(!coloured("TERM", "xterm"), "a pipe gets no colours");
    assert!(coloured("CLICOLOR_FORCE", "1"), "colours can be forced");
    assert!(!coloured("NO_COLOR", "1"), "NO_COLOR is honoured");
}

#[test]
fn the_number_of_workers_changes_no_byte() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("good.toml"), GOOD).expect("a file");
    let report = |jobs: &str| {
        let output = deadletter(home.path()).args(["run", "good.toml", "--jobs", jobs, "--out", jobs]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = home.path().join(jobs).join("good");
        let mut files: Vec<_> = fs::read_dir(folder).expect("a report").flatten().map(|e| e.file_name()).collect();
        files.sort();
        let read = |name: &std::ffi::OsString| fs::read(home.path().join(jobs).join("good").join(name)).expect("a file");
        (files.iter().map(read).collect::<Vec<_>>(), files)
    };
    let (one, two) = (report("1"), report("2"));
    assert!(one.1.iter().any(|name| name == "report.json"), "{:?}", one.1);
    assert!(one == two, "reports differ between one worker and two");
}

#[test]
fn json_and_junit_and_summary() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("good.toml"), GOOD).expect("a file");
    let arguments = ["run", "good.toml", "--json", "--junit", "all.xml", "--summary", "all.json"];
    let output = deadletter(home.path()).args(arguments).output().expect("it runs");
    let outcome: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    assert_eq!(outcome["answer"], "holds");
    assert_eq!(outcome["scenario"], "good.toml");
    let junit = fs::read_to_string(home.path().join("all.xml")).expect("JUnit");
    assert!(junit.contains("<testsuites"), "{junit}");
    let summary: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(home.path().join("all.json")).expect("a summary")).expect("JSON");
    assert_eq!(summary[0]["result"], "holds");
    assert_eq!(summary[0]["runs"], outcome["arms"][0]["runs"]);
}

#[test]
fn lists_come_from_the_tables() {
    let table = [
        ("models", "mailbox"),
        ("keys", "[model.mailbox]"),
        ("faults", "power_off"),
        ("laws", "lognormal"),
        ("judges", "acked_survives"),
        ("marks", "mailbox."),
        ("scope", "modelled"),
    ];
    for (what, word) in table {
        let (code, out, err) = run(&[], &["list", what]);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains(word), "`{word}` is not in the list of {what}:\n{out}");
        assert!(out.lines().count() > 1, "the list of {what} is empty:\n{out}");
    }
    let (code, _, err) = run(&[], &["list", "scope", "carrier-pigeon"]);
    assert_eq!(code, 64);
    assert!(err.contains("there is no model `carrier-pigeon` (models: mailbox"), "{err}");
}

#[test]
fn schema_and_completions_are_printed() {
    let (code, out, _) = run(&[], &["schema"]);
    assert_eq!(code, 0);
    let schema: serde_json::Value = serde_json::from_str(&out).expect("a JSON Schema");
    assert!(schema["$schema"].is_string());
    let (code, out, _) = run(&[], &["completions", "bash"]);
    assert_eq!(code, 0);
    assert!(out.contains("_deadletter"));
}

/// The page of documentation is what the tables say; `GOLDEN=write` writes it.
#[test]
fn the_scope_page_is_up_to_date() {
    let page = deadletter::cli::scope_page(deadletter::model::BUILT_IN);
    if std::env::var_os("GOLDEN").is_some_and(|v| v == "write") {
        fs::write("docs/scope.md", &page).expect("docs");
    }
    let committed = fs::read_to_string("docs/scope.md").unwrap_or_default();
    assert!(committed == page, "docs/scope.md is out of date: `GOLDEN=write cargo test --test cli` writes it");
}

/// The story of a power failure, from the publish to the loss, in the words of the run.
#[test]
fn a_breach_comes_with_its_story_and_the_fault_to_blame() {
    let loses = with("sync = \"every_message\"", "sync = \"never\"")
        .replace("always = [\"acked_survives\"]", "broken = [\"acked_survives\"]")
        .replace("50/s", "400/s")
        .replace("from = \"orders\" }", "from = \"orders\", mode = \"pull\", poll_interval = \"200ms\" }");
    let (code, out, err) = run(&[("loses.toml", &loses)], &["run", "loses.toml", "--json"]);
    assert_eq!(code, 0, "{err}");
    let outcome: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let shown = &outcome["arms"][0]["shown"];
    assert_eq!(shown["story"]["property"], "acked_survives");
    let lines: Vec<&str> = shown["story"]["lines"].as_array().expect("lines").iter().filter_map(|l| l["text"].as_str()).collect();
    let parts = [
        "publishes p",
        "broker receives publish p",
        "not yet durable",
        "ended well",
        "broker goes down: lost power (fault `power failure`)",
        "unsynced writes",
        "broker starts with what its disk holds",
    ];
    let mut rest = lines.iter();
    for part in parts {
        assert!(rest.any(|line| line.contains(part)), "`{part}` is missing, or out of order, in {lines:#?}");
    }
    assert!(lines.len() <= 24, "few lines: {}", lines.len());
    assert_eq!(shown["ledger"][0]["mattered"], true);
}

#[test]
fn a_folder_and_a_pattern_name_scenarios() {
    let files = [("a.toml", GOOD), ("b.toml", GOOD), ("c.txt", "no scenario")];
    let (code, out, _) = run(&files, &["check", "."]);
    assert_eq!((code, out.as_str()), (0, "./a.toml: in order, 1 arm (main)\n./b.toml: in order, 1 arm (main)\n"));
    let (code, out, _) = run(&files, &["check", "?.toml"]);
    assert_eq!((code, out.lines().count()), (0, 2), "{out}");
    let (code, _, err) = run(&files, &["check", "z*.toml"]);
    assert_eq!((code, err.trim()), (64, "error: `z*.toml` matches no scenario"));
}

#[test]
fn following_a_message() {
    let files = [("good.toml", GOOD), ("bad.toml", "nonsense = [")];
    let table: [(&[&str], i32, &str); 8] = [
        (&["follow", "good.toml"], 0, "What can be followed under seed 1"),
        (&["follow", "good.toml", "p3"], 0, "The story of p3 (seed 1, arm `main`)"),
        (&["follow", "good.toml", "power"], 0, "It struck broker at 2.5s, until 3s: power lost"),
        (&["follow", "good.toml", "broker", "--seed", "4", "--as", "svg"], 0, "<svg xmlns"),
        (&["follow", "good.toml", "brokr"], 64, "did you mean `broker`?"),
        (&["follow", "good.toml", "p100000"], 64, "p100000 never came up under seed 1"),
        (&["follow", "good.toml", "p1", "--arm", "none"], 64, "has no arm `none`"),
        (&["follow", "bad.toml", "p1"], 65, "nonsense"),
    ];
    for (arguments, code, says) in table {
        let (found, out, err) = run(&files, arguments);
        assert_eq!(found, code, "{arguments:?}: {out}{err}");
        assert!(out.contains(says) || err.contains(says), "{arguments:?}: {out}{err}");
    }
}
