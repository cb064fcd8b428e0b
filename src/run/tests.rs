//! Runs of a fake world, whose every loss is known beforehand.

use super::fake::FAKE;
use super::*;
use crate::base::Span;
use crate::check::{Property, Verdict};
use crate::record::Phase;
use crate::scenario::{Plan, Source, read, render};

/// A scenario of the fake model: faults at 2 s and 4 s eat what was acknowledged for a second each.
pub(crate) const FILE: &str = r#"
# Does a queue that acknowledges before it stores lose anything?
# Yes, while the first fault acts; the second one acts between two messages.

[model.fake]

[load]
to = "orders"
arrivals = { law = "constant", rate = "100/s" }

[phases]
warm = "1s"
chaos = "4s"
heal = "1s"
drain = "1s"

[[fault]]
name = "eats"
at = "2s"
disk_full = "broker"
lasts = "1s"

[[fault]]
name = "idle"
at = "4505ms"
disk_full = "broker"
lasts = "1ms"

[expect]
broken = ["acked_survives"]

[seeds]
first = 1
count = 8
"#;

/// The plan of [`FILE`] with parts replaced.
#[track_caller]
pub(crate) fn plan(changes: &[(&str, &str)]) -> Plan {
    let mut text = FILE.trim_start().to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "`{from}` is not in the file");
        text = text.replace(from, to);
    }
    let source = Source { file: "fake.toml", text: &text, sets: &[], models: &[&FAKE], files: &|_| Err("there are none".into()) };
    let reading = read(&source);
    reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)))
}

fn ran(plan: &Plan, seed: u64) -> Ran {
    one(&Ready::new(&plan.arms()[0]), seed).expect("no panic")
}

#[test]
fn a_run_is_judged_from_its_history() {
    let plan = plan(&[]);
    let run = ran(&plan, 1).outcome;
    // One every 10 ms from 10 ms on, until the load ends at 6 s.
    assert_eq!(run.judged.accounting.attempts, 599);
    assert_eq!(run.judged.accounting.ok, 599);
    // A message takes up to 1.5 ms to the broker, so the fault's second eats those of 100 arrivals.
    assert_eq!((run.judged.accounting.lost, run.ledger[0].touched), (100, 100));
    assert_eq!((run.ledger[0].fired, run.ledger[1].fired), (1, 0));
    assert_eq!(run.ledger[0].strikes[0].nodes, ["broker"]);
    assert_eq!(run.lasted, Span::secs(7));
    assert_eq!(run.marks, [("fake.lost".to_owned(), 100)]);
    let Verdict::Broken(witness) = &run.judged.finding(Property::AckedSurvives).verdict else { panic!("it loses") };
    assert_eq!((witness.cases, witness.payloads[0].0), (100, 199));
    let depths = &run.judged.series.depths[0];
    assert!(depths.points.len() > 100, "depths are sampled all along: {}", depths.points.len());
}

#[test]
fn seeds_differ_and_repeat() {
    let plan = plan(&[]);
    let (one, two, again) = (ran(&plan, 1), ran(&plan, 2), ran(&plan, 1));
    assert_ne!(one.outcome.digest, two.outcome.digest);
    assert_eq!(one.outcome.digest, again.outcome.digest);
    assert_eq!(one.outcome.judged, again.outcome.judged);
    assert_eq!(ran(&plan, 4).outcome.judged.accounting.lost, 0, "one seed of four is spared");
}

#[test]
fn phases_are_in_the_history_and_arrivals_at_a_border_belong_to_what_begins() {
    let plan = plan(&[]);
    let ready = Ready::new(&plan.arms()[0]);
    let mut seen = Vec::new();
    let passage = Passage::start(&ready, 1, How::default()).run(|entry| match entry.what {
        crate::record::What::Phase(phase) => seen.push((entry.at.nanos() / 1_000_000, Some(phase))),
        crate::record::What::Call { .. } => {
            if entry.at.nanos().is_multiple_of(1_000_000_000) {
                seen.push((entry.at.nanos() / 1_000_000, None));
            }
        }
        crate::record::What::End { .. }
        | crate::record::What::Note(_)
        | crate::record::What::Skipped { .. }
        | crate::record::What::Fault { .. } => {}
    });
    assert_eq!(passage.finish().outcome.seed, 1);
    let phase = |ms, phase| (ms, Some(phase));
    let calls: Vec<u64> = seen.iter().filter(|(_, p)| p.is_none()).map(|(ms, _)| *ms).collect();
    assert_eq!(calls, [1_000, 2_000, 3_000, 4_000, 5_000]);
    let at_chaos: Vec<_> = seen.iter().filter(|(ms, _)| *ms == 1_000).copied().collect();
    assert_eq!(at_chaos, [phase(1_000, Phase::Chaos), (1_000, None)]);
    let phases: Vec<_> = seen.into_iter().filter(|(_, p)| p.is_some()).collect();
    let all = [(0, Phase::Warm), (1_000, Phase::Chaos), (5_000, Phase::Heal), (6_000, Phase::Drain), (7_000, Phase::Final)];
    assert_eq!(phases, all.map(|(ms, p)| phase(ms, p)));
}

#[test]
fn an_audit_passes_what_repeats_and_shows_where_the_rest_parts() {
    let good = plan(&[]);
    let audited = audit(&Ready::new(&good.arms()[0]), 3).expect("it repeats");
    assert_eq!(audited.digest, ran(&good, 3).outcome.digest);
    let flaky = plan(&[("[model.fake]", "[model.fake]\nflaky = true")]);
    let difference = audit(&Ready::new(&flaky.arms()[0]), 3).expect_err("it looks outside");
    assert_eq!((difference.seed, difference.second), (3, "run again"));
    let parting = difference.parting.expect("they part again");
    assert_eq!(parting.events, 0, "they part at the first event");
    let text = difference_text(&flaky);
    assert!(text.starts_with("seed 3: two runs differ (first run against: run again)\n  alike for 0 events"), "{text}");
    assert!(text.contains("    first:  digest ") && text.contains("    second: digest "), "{text}");
}

fn difference_text(plan: &Plan) -> String {
    audit(&Ready::new(&plan.arms()[0]), 3).expect_err("it looks outside").to_string()
}

#[test]
fn a_panic_is_a_value_at_the_border_of_a_run() {
    let plan = plan(&[("[model.fake]", "[model.fake]\npanics_at = \"3s\"")]);
    let crash = one(&Ready::new(&plan.arms()[0]), 5).expect_err("it panics");
    assert_eq!(crash, Crash { seed: 5, what: "the fake broker was told to panic".into() });
}

#[test]
fn a_story_tells_what_happened_to_the_witness() {
    let plan = plan(&[]);
    let ready = Ready::new(&plan.arms()[0]);
    let run = one(&ready, 1).expect("no panic").outcome;
    let story = explained(&ready, &run, Property::AckedSurvives).expect("no panic").expect("it is broken");
    let lines: Vec<&str> = story.lines.iter().map(|l| l.text.as_str()).collect();
    let told = [
        "client publishes p199 to orders",
        "broker receives publish p199 from client, sent at 2s",
        "publish p199 from broker to client is lost: fault `eats`",
        "client: publish p199 ended well",
    ];
    assert_eq!(lines, told);
    assert!(story.lines.is_sorted_by_key(|l| l.at));
    let around = super::one::explained_within(&ready, &run, Property::AckedSurvives, 0).expect("no panic");
    assert_eq!(around, Some(story), "a trace of the witness's life tells as much as one of the whole run");
    assert_eq!(explained(&ready, &run, Property::NoDuplicateDelivery), Ok(None), "what holds has no story");
}

#[test]
fn a_fault_matters_when_the_run_without_it_keeps_the_promise() {
    let plan = plan(&[]);
    let ready = Ready::new(&plan.arms()[0]);
    let mut run = one(&ready, 1).expect("no panic").outcome;
    mattered(&ready, &mut run, &[Property::AckedSurvives]).expect("no panic");
    let told: Vec<Option<bool>> = run.ledger.iter().map(|row| row.mattered).collect();
    assert_eq!(told, [Some(true), Some(false)], "the second one strikes, and nothing is there");
    let plan = self::plan(&[("at = \"4505ms\"", "at = \"2s\""), ("lasts = \"1ms\"", "lasts = \"1s\"")]);
    let ready = Ready::new(&plan.arms()[0]);
    let mut run = one(&ready, 1).expect("no panic").outcome;
    mattered(&ready, &mut run, &[Property::AckedSurvives]).expect("no panic");
    let told: Vec<Option<bool>> = run.ledger.iter().map(|row| row.mattered).collect();
    assert_eq!(told, [Some(false), Some(false)], "each alone is enough, so neither is to blame alone");
}

#[test]
fn what_must_hold_soon_after_healing_is_judged_then() {
    let eventually = |within: &str| {
        let claim = format!("eventually.drained = \"{within} after heal\"");
        let plan = plan(&[("broken = [\"acked_survives\"]", &claim), ("100/s", "2000/s")]);
        let ran = ran(&plan, 4);
        assert_eq!(ran.early.len(), 1);
        (ran.early[0].verdict.clone(), ran.outcome.digest)
    };
    // The load ends one second after healing begins; a tenth of a millisecond later its last messages are still under way.
    let (late, digest) = eventually("1500ms");
    assert!(matches!(late, Verdict::Holds { .. }), "{late:?}");
    let (early, same) = eventually("1000100us");
    assert!(early.is_broken(), "{early:?}");
    assert_eq!(digest, same, "looking changes nothing");
}
