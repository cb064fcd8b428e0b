//! The summary as a golden text, and its laws: width, colours, and every fact in it.

use super::*;
use crate::report::fixture;

/// Compares with a file in `tests/golden/report`; `GOLDEN=write` writes it instead.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/report").join(name);
    if std::env::var("GOLDEN").is_ok_and(|v| v == "write") {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(wanted == text, "{name} differs (GOLDEN=write rewrites it):\n{text}");
}

#[test]
fn summaries_of_hand_made_outcomes() {
    golden("two_arms.txt", &summary(&fixture::two_arms(), Look::FILE));
    golden("two_arms_80.txt", &summary(&fixture::two_arms(), Look { width: 80, style: Style::Plain }));
    golden("many_arms.txt", &summary(&fixture::many_arms(), Look { width: 80, style: Style::Plain }));
    golden("empty.txt", &summary(&fixture::empty(), Look::FILE));
    golden("hostile.txt", &summary(&fixture::hostile(), Look::FILE));
}

#[test]
fn lines_fit_the_terminal_unless_they_are_commands() {
    for outcome in fixture::all() {
        for width in [20, 80, 93, 120, 500] {
            let text = summary(&outcome, Look { width, style: Style::Plain });
            for line in text.lines().filter(|l| !l.trim_start().starts_with("deadletter run")) {
                assert!(line.chars().count() <= width.clamp(80, 120), "{} characters at {width}: {line}", line.chars().count());
            }
        }
    }
}

#[test]
fn every_arm_says_what_repeats_it() {
    for outcome in fixture::all() {
        let text = summary(&outcome, Look::FILE);
        for arm in &outcome.arms {
            assert!(text.contains(&words::clean(&arm.repro)) && text.contains(&format!("seed {}", arm.shown.seed)));
            assert!(text.contains(&arm.shown.digest.to_string()));
        }
    }
}

#[test]
fn a_fault_that_touched_nothing_is_warned_about_once() {
    let outcome = fixture::two_arms();
    let text = summary(&outcome, Look::FILE);
    assert_eq!(text.matches("The fault `disk full` never struck").count(), outcome.arms.len());
}

#[test]
fn terminals_get_no_codes_from_names() {
    let text = summary(&fixture::hostile(), Look::FILE);
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[cfg(feature = "cli")]
#[test]
fn colours_change_no_words() {
    for outcome in fixture::all() {
        let plain = summary(&outcome, Look::FILE);
        let coloured = summary(&outcome, Look { style: Style::Coloured, ..Look::FILE });
        assert!(coloured.contains('\u{1b}') && !plain.contains('\u{1b}'));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        assert_eq!(bare, plain);
    }
}
