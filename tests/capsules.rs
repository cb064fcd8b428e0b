//! Capsules on the command line: made, replayed, drifted, and broken in every way a file can be.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// Runs the program; gives its exit code and everything it said.
fn deadletter(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_deadletter")).env("NO_COLOR", "1").args(args).output().expect("it runs");
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    (output.status.code().expect("no signal"), said.concat())
}

/// A capsule of a run that loses confirmed messages, as the program writes it.
fn made(home: &Path) -> (PathBuf, String) {
    let file = home.join("lost.toml");
    let out = file.to_str().expect("text");
    let args = ["capsule", "scenarios/mailbox/power_off.toml", "--arm", "never synced", "--of", "acked_survives", "--out", out];
    let (code, said) = deadletter(&args);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("acked_survives: p") && said.contains("repro: deadletter replay"), "{said}");
    let text = fs::read_to_string(&file).expect("it was written");
    (file, text)
}

/// Replays a capsule with some of its text exchanged.
#[track_caller]
fn replayed(home: &Path, (text, changes): (&str, &[(&str, &str)]), code: i32, expected: &[&str]) {
    let mut changed = text.to_owned();
    for (old, new) in changes {
        assert!(changed.contains(old), "the capsule has no `{old}`\n{text}");
        changed = changed.replacen(old, new, 1);
    }
    let file = home.join("changed.toml");
    fs::write(&file, &changed).expect("a file");
    let (found, said) = deadletter(&["replay", file.to_str().expect("text")]);
    assert_eq!(found, code, "{changes:?}\n{said}");
    for words in expected {
        assert!(said.contains(words), "{changes:?}: `{words}` is not in\n{said}");
    }
}

#[test]
fn a_capsule_replays_the_run_it_was_made_of() {
    let home = tempfile::tempdir().expect("a folder");
    let (file, text) = made(home.path());
    replayed(home.path(), (&text, &[]), 0, &["acked_survives is broken, as recorded", "lost power", "the same to the last event"]);
    // It is a scenario as well: the breach is expected, so it holds.
    let out = home.path().join("reports");
    let (code, said) = deadletter(&["run", file.to_str().expect("text"), "--out", out.to_str().expect("text")]);
    assert_eq!(code, 0, "{said}");
}

#[test]
fn what_has_changed_since_is_said() {
    let home = tempfile::tempdir().expect("a folder");
    let (_, text) = made(home.path());
    let drifted = ["broken, as recorded", "drift: the file was changed", "drift: the run is not the one that was recorded (digest"];
    replayed(home.path(), (&text, &[("rate = \"180/s\"", "rate = \"181/s\"")]), 0, &drifted);
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    let other = ["broken, as recorded", "drift: it was written by deadletter 0.0.9"];
    replayed(home.path(), (&text, &[(&version, "version = \"0.0.9\"")]), 0, &other);
    let mended = ["acked_survives is not broken any more", "drift: the file was changed"];
    replayed(home.path(), (&text, &[("sync = \"never\"", "sync = \"every_message\"")]), 1, &mended);
    let holds = ["acked_survives is broken, and the capsule says that it holds"];
    replayed(home.path(), (&text, &[("verdict = \"broken\"", "verdict = \"holds\"")]), 1, &holds);
    let named = "[[override]]\nfrom = \"producer-1\"\nto = \"broker\"\nkind = \"publish\"\nabout = 999999\ndrop = true\n\n[expect]";
    let nobody =
        ["nothing can be said", "drift: no transmission `publish 999999 attempt 1 from producer-1 to broker` takes place any more"];
    replayed(home.path(), (&text, &[("[expect]", named)]), 2, &nobody);
}

#[test]
fn a_breach_of_what_is_no_longer_promised_is_another_thing() {
    let home = tempfile::tempdir().expect("a folder");
    let (_, text) = made(home.path());
    // As if it had been promised when it was written.
    let promised = ("broken = [\"acked_survives\"]\nviolations = \"any\"", "violations = \"none\"");
    let expected = ["acked_survives is not broken any more", "drift: it is broken, but nothing promises it any more"];
    replayed(home.path(), (&text, &[promised]), 1, &expected);
}

#[test]
fn nonsense_is_refused_with_its_place() {
    let home = tempfile::tempdir().expect("a folder");
    let (_, text) = made(home.path());
    let table: [(&str, &str, &[&str]); 7] = [
        ("format = 1", "format = 2", &["this capsule was written in format 2; this deadletter reads format 1"]),
        ("of = \"acked_survives\"", "of = \"acked_survive\"", &["no property `acked_survive`", "did you mean `acked_survives`?"]),
        ("verdict = \"broken\"", "verdict = \"maybe\"", &["maybe"]),
        ("digest = \"", "digest = \"x", &["is not 16 hexadecimal digits"]),
        ("[capsule]", "[capsle]", &["capsle", "did you mean `capsule`?"]),
        ("count = 1\n\n[capsule]", "count = 3\n\n[capsule]", &["a capsule replays one run, and here are 3 seeds"]),
        ("[model.mailbox]", "[model.mailbag]", &["there is no model `mailbag`"]),
    ];
    for (old, new, expected) in table {
        replayed(home.path(), (&text, &[(old, new)]), 65, expected);
    }
    let scenario = fs::read_to_string("scenarios/mailbox/power_off.toml").expect("a scenario");
    replayed(home.path(), (&scenario, &[]), 65, &["is a scenario, not a capsule", "`deadletter run` runs a scenario"]);
    let (code, said) = deadletter(&["replay", home.path().join("nowhere.toml").to_str().expect("text")]);
    assert_eq!(code, 64, "{said}");
}

#[test]
fn half_a_file_is_no_capsule() {
    let home = tempfile::tempdir().expect("a folder");
    let (_, text) = made(home.path());
    let file = home.path().join("half.toml");
    // The last line break is nobody's loss.
    let whole = text.trim_end().len();
    for end in (0..whole).step_by(whole / 60) {
        fs::write(&file, &text.as_bytes()[..end]).expect("a file");
        let (code, said) = deadletter(&["replay", file.to_str().expect("text")]);
        assert_eq!(code, 65, "cut at byte {end}: {said}");
    }
}
