//! JUnit XML for build servers: a suite for each arm, a case for each expectation, and neither clock nor host in it.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::run::{Answer, ArmOutcome, Expected, Outcome};

use super::{view, words};

/// Several outcomes as one JUnit document. Broken is a failure, unknown an error: both stop a build, and a reader sees which it was.
///
/// # Panics
/// Never: writing to memory does not fail.
#[must_use]
pub fn render<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> String {
    let mut report = Report::new("deadletter");
    for outcome in outcomes {
        for arm in &outcome.arms {
            report.add_test_suite(suite(outcome, arm));
        }
    }
    let mut text = report.to_string().expect("memory takes it");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// An arm. One without expectations still has a case, so that its answer cannot get lost.
fn suite(outcome: &Outcome, arm: &ArmOutcome) -> TestSuite {
    let scenario = words::clean(&outcome.scenario);
    let mut suite = TestSuite::new(format!("{scenario} [{}]", words::clean(&arm.name)));
    suite.add_property(("seed", arm.shown.seed.to_string().as_str()));
    suite.add_property(("digest", arm.shown.digest.to_string().as_str()));
    let whole =
        Expected { text: "promises are kept".to_owned(), answer: arm.answer, detail: words::answer(arm.answer).to_owned(), seed: None };
    let cases = if arm.expected.is_empty() { std::slice::from_ref(&whole) } else { &arm.expected };
    for expected in cases {
        let mut case = TestCase::new(words::clean(&expected.text), status(arm, expected));
        case.set_classname(format!("{scenario} [{}]", words::clean(&arm.name)));
        suite.add_test_case(case);
    }
    suite
}

/// How a case ended, with the proof and the command that shows it.
fn status(arm: &ArmOutcome, expected: &Expected) -> TestCaseStatus {
    let kind = match expected.answer {
        Answer::Holds => return TestCaseStatus::success(),
        Answer::Broken => NonSuccessKind::Failure,
        Answer::Unknown => NonSuccessKind::Error,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let proofs = view::breaches(arm).into_iter().map(|b| format!("{} {}", b.proof, b.cases));
    let lines: Vec<String> = proofs.chain([words::clean(&arm.repro)]).collect();
    status.set_message(words::clean(&expected.detail)).set_type(words::answer(expected.answer)).set_description(lines.join("\n"));
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// A reader of XML that knows no more than tags, attributes and text, and stops at whatever is not well-formed.
    fn well_formed(xml: &str) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        let mut seen = Vec::new();
        let mut rest = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").expect("a declaration");
        while let Some(at) = rest.find('<') {
            let text = &rest[..at];
            assert!(!text.contains('>') || !open.is_empty(), "stray text {text:?}");
            for piece in text.split('&').skip(1) {
                let entity = piece.split_once(';').expect("an entity ends").0;
                assert!(["lt", "gt", "amp", "quot", "apos", "#10", "#13", "#9"].contains(&entity), "&{entity};");
            }
            let end = at + rest[at..].find('>').expect("a tag ends");
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            let (body, closed) = tag.strip_suffix('/').map_or((tag, false), |t| (t, true));
            let name = body.split_whitespace().next().expect("a tag has a name");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
            assert!(body.matches('"').count().is_multiple_of(2), "{body}");
            seen.push(body.to_owned());
            if !closed {
                open.push(name.to_owned());
            }
        }
        assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest:?}");
        assert!(!xml.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
        seen
    }

    #[test]
    fn a_case_for_each_arm_and_expectation() {
        for outcome in fixture::all() {
            let xml = render([&outcome]);
            let tags = well_formed(&xml);
            let cases = tags.iter().filter(|t| t.starts_with("testcase ")).count();
            assert_eq!(cases, outcome.arms.iter().map(|a| a.expected.len().max(1)).sum::<usize>());
            let count = |answer| outcome.arms.iter().flat_map(|a| &a.expected).filter(|e| e.answer == answer).count();
            assert_eq!(tags.iter().filter(|t| t.starts_with("failure ")).count(), count(Answer::Broken));
            assert_eq!(tags.iter().filter(|t| t.starts_with("error ")).count(), count(Answer::Unknown));
            assert!(!xml.contains("timestamp") && !xml.contains("hostname") && !xml.contains("uuid"));
        }
    }

    #[test]
    fn several_outcomes_make_one_document() {
        let all = fixture::all();
        let tags = well_formed(&render(&all));
        assert_eq!(tags.iter().filter(|t| t.starts_with("testsuites ")).count(), 1);
        assert_eq!(tags.iter().filter(|t| t.starts_with("testsuite ")).count(), all.iter().map(|o| o.arms.len()).sum::<usize>());
    }
}
