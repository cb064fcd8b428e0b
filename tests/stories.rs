//! Stories of bugs that were planted: each names its true cause. And in every format the stories of real runs keep its rules.
//!
//! `GOLDEN=write cargo test --all-features --test stories` writes the stories anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use deadletter::model::BUILT_IN;
use deadletter::report::tale;
use deadletter::run::Ready;
use deadletter::run::follow::{Subject, Tale, follow, followable};
use deadletter::scenario::{Plan, Source, read, render};
use serde_json::Value;

fn plan(file: &Path) -> Plan {
    let text = fs::read_to_string(file).expect("a scenario");
    let beside = |path: &str| fs::read(file.with_file_name(path)).map_err(|error| error.to_string());
    let reading = read(&Source { file: &file.to_string_lossy(), text: &text, sets: &[], models: BUILT_IN, files: &beside });
    reading.plan.unwrap_or_else(|| panic!("{}", render(&reading.problems, false)))
}

fn told(file: &Path, (arm, seed): (usize, u64), subject: &str) -> Tale {
    let plan = plan(file);
    let ready = Ready::new(&plan.arms()[arm]);
    let subject = Subject::parse(subject, &ready).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    follow(&ready, seed, subject).unwrap_or_else(|crash| panic!("{}: {}", file.display(), crash.what))
}

/// The planted bug, and what the story of its witness (`{p}`) must say made the difference.
#[cfg(feature = "mutants")]
const PLANTED: &[(&str, &[&str])] = &[
    ("acks_before_storing", &["before it had written anything of it", "it lost power (fault `power failure`)", "Nobody else had {p}"]),
    ("acks_unsynced", &["it had written it, when that was not yet durable", "it lost power", "unsynced writes", "Nobody else had {p}"]),
    ("loses_on_restart", &["it was killed (fault `broker dies`)", "Its disk had {p}", "it did not look for it there"]),
    ("forgets_dedupe", &["which had heard nothing by then", "broker ran all the time and did not recognise it"]),
    ("dedup_not_persisted", &["after broker had started anew at 0.45s; it did not remember {p}"]),
    ("delivers_twice_after_ack", &["sent deliver {p} (attempt 2)", "although billing-1 had answered settle {p} by then"]),
    ("redelivers_out_of_order", &["and the earlier {p} only at", "billing-1 goes down: killed (fault `consumer dies`)"]),
    (
        "ignores_processed_ids",
        &["settle {p} from billing-1 to broker is lost: fault `acknowledgements lost`", "that was durable; it applied {p} again at"],
    ),
    ("delivers_corrupt_bodies", &["was damaged on its way from", "Nobody looked at its checksum"]),
    ("unknown_as_failed", &["without any answer to go by", "it could not know that broker had received it at 0.401s"]),
    ("visibility_forgets", &["it had given it to billing-1 and never gave it out again", "billing-1 goes down: killed"]),
    ("silently_drops_poison", &["{p} was delivered twice and took effect never", "neither given out again nor put aside"]),
    ("drops_on_full_but_confirms", &["before it had written anything of it", "it never went down", "no fault took it"]),
    ("ignores_unsubscribe", &["visitor was given up at", "yet broker sent it to guest-1 for visitor"]),
    ("skips_a_subscriber", &["to screen it never sent it, though it never went down"]),
    ("acks_before_effect", &["billing-1 acknowledged {p} at 0.403s, before its effect was there", "it was killed (fault `consumer dies`)"]),
];

#[cfg(feature = "mutants")]
#[test]
fn every_story_names_the_true_cause() {
    let mut wrong = Vec::new();
    for (name, phrases) in PLANTED {
        let file = Path::new("tests/stories").join(name).with_extension("toml");
        let plan = plan(&file);
        let found = followable(&Ready::new(&plan.arms()[0]), 1).expect("no panic");
        let broken = found.breaches.iter().find(|(breach, _)| breach.promised);
        let witness = broken.and_then(|(_, payloads)| payloads.first()).unwrap_or_else(|| panic!("{name} breaks no promise"));
        let tale = told(&file, (0, 1), &witness.to_string());
        let gist: Vec<&str> = tale.gist.iter().map(|gist| gist.text.as_str()).collect();
        let gist = gist.join(" ");
        let phrases = phrases.iter().map(|phrase| phrase.replace("{p}", &witness.to_string()));
        wrong.extend(phrases.filter(|phrase| !gist.contains(phrase)).map(|phrase| format!("{name}: no `{phrase}` in: {gist}")));
        assert!(tale.gist.iter().any(|gist| !gist.events.is_empty()), "{name}: no event shows it");
        let text = tale::text::render(&tale, 110);
        let golden = Path::new("tests/golden/stories").join(name).with_extension("txt");
        if std::env::var("GOLDEN").as_deref() == Ok("write") {
            fs::create_dir_all("tests/golden/stories").expect("a folder");
            fs::write(&golden, &text).expect("written");
        } else if fs::read_to_string(&golden).expect("the pinned story") != text {
            wrong.push(format!("{name} is told differently (GOLDEN=write pins it anew):\n{text}"));
        }
        rules(&tale);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[cfg(feature = "mutants")]
#[test]
fn every_planted_bug_has_a_story() {
    let mut files: Vec<String> = fs::read_dir("tests/stories")
        .expect("the stories")
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut told: Vec<&str> = PLANTED.iter().map(|(name, _)| *name).collect();
    told.sort_unstable();
    assert_eq!(files, told);
    assert_eq!(told.len(), deadletter::model::mailbox::mutants::Mutant::ALL.len());
}

/// Stories of honest models: every kind of subject, every kind of breach that a run has.
#[test]
fn every_format_keeps_its_rules() {
    let mut events = 0;
    for (file, arm, seed) in
        [("crash_after_effect", 1, 1), ("duplicated_datagrams", 0, 1), ("one_way_cut", 0, 2), ("pause_past_visibility", 0, 1)]
    {
        let file = Path::new("scenarios/mailbox").join(file).with_extension("toml");
        let plan = plan(&file);
        let ready = Ready::new(&plan.arms()[arm.min(plan.arms().len() - 1)]);
        let found = followable(&ready, seed).expect("no panic");
        let payloads = found.breaches.iter().flat_map(|(_, payloads)| payloads).map(ToString::to_string).take(3);
        let subjects = payloads.chain(found.nodes.iter().take(2).cloned()).chain(found.faults.iter().map(|(name, _)| name.clone()));
        for subject in subjects.chain(["p1".to_owned()]) {
            let tale = follow(&ready, seed, Subject::parse(&subject, &ready).expect("it is there")).expect("no panic");
            rules(&tale);
            events += tale.events.len();
        }
    }
    assert!(events > 200, "{events} events are not many");
}

fn rules(tale: &Tale) {
    assert!(tale.events.is_sorted_by_key(|event| event.at), "time runs forward");
    for (number, event) in tale.events.iter().enumerate() {
        assert!(event.cause.is_none_or(|cause| cause < number), "{}: a cause comes first", event.text);
    }
    shiviz(tale);
    chrome(tale);
    let svg = tale::svg::render(tale);
    assert!(!svg.contains("<script") && !svg.contains("NaN") && svg.ends_with("</svg>\n"), "{svg}");
    for word in ["<text", "<svg", "<g"] {
        let closed = format!("</{}", &word[1..]);
        assert_eq!(svg.matches(&format!("{word} ")).count(), svg.matches(&closed).count(), "{word} is closed");
    }
}

/// What ShiViz asks of a log: an own clock that begins at 1 and counts each own event, and no clock of another that runs ahead of it.
fn shiviz(tale: &Tale) {
    let log = tale::shiviz::render(tale);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(&lines[..2], [tale::shiviz::PATTERN, ""]);
    let mut clocks: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    assert_eq!(lines.len() % 2, 0, "two lines for each event");
    for pair in lines[2..].chunks(2) {
        let (host, clock) = pair[1].split_once(' ').expect("a host and a clock");
        let clock: BTreeMap<String, u64> = serde_json::from_str(clock).expect("JSON");
        let own = clocks.entry(host.to_owned()).or_default();
        assert_eq!(clock[host], own.get(host).copied().unwrap_or(0) + 1, "{}", pair[0]);
        for (other, count) in own.iter() {
            assert!(clock.get(other).is_some_and(|now| now >= count), "{}: it forgets {other}", pair[0]);
        }
        *own = clock.clone();
        for (other, count) in clock.iter().filter(|(other, _)| *other != host) {
            let theirs = clocks.get(other).and_then(|clock| clock.get(other)).copied().unwrap_or(0);
            assert!(*count <= theirs, "{}: it knows what {other} has not done yet", pair[0]);
        }
    }
}

/// What Chrome asks of a trace: each flow has a start and an end, each within a slice; slices of a thread follow each other.
fn chrome(tale: &Tale) {
    let trace: Value = serde_json::from_str(&tale::chrome::render(tale)).expect("JSON");
    let events = trace["traceEvents"].as_array().expect("a list");
    let number = |event: &Value, key: &str| event[key].as_f64().unwrap_or_else(|| panic!("{event} has no {key}"));
    let (mut ends, mut open): (BTreeMap<u64, f64>, BTreeMap<u64, u64>) = (BTreeMap::new(), BTreeMap::new());
    let mut flows: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    let mut threads: BTreeMap<(u64, u64), f64> = BTreeMap::new();
    for event in events.iter().filter(|event| event["ph"] != "M") {
        let (pid, tid) = (event["pid"].as_u64().expect("a process"), event["tid"].as_u64().expect("a thread"));
        let ts = number(event, "ts");
        let last = threads.insert((pid, tid), ts).unwrap_or(0.0);
        assert!(ts >= last, "{event} comes too late in its thread");
        match event["ph"].as_str().expect("a phase") {
            "X" => {
                assert!(ends.get(&pid).is_none_or(|end| *end <= ts + 0.000_5), "{event} overlaps with the one before");
                ends.insert(pid, ts + number(event, "dur"));
            }
            "s" => flows.entry(event["id"].as_u64().expect("an id")).or_default().0 += 1,
            "f" => flows.entry(event["id"].as_u64().expect("an id")).or_default().1 += 1,
            "b" => *open.entry(pid).or_default() += 1,
            "e" => *open.get_mut(&pid).expect("it began") -= 1,
            "i" => assert_eq!(pid, 0),
            other => panic!("{other} is not expected"),
        }
    }
    assert!(flows.values().all(|ends| *ends == (1, 1)), "every flow has its start and its end: {flows:?}");
    assert!(open.values().all(|open| *open == 0), "every outage ends");
}

/// The trace is bounded by a window, the story is not: whatever is told of one run is told of it again.
#[test]
fn a_story_repeats() {
    let file = Path::new("scenarios/mailbox/crash_after_effect.toml");
    assert_eq!(told(file, (1, 3), "p7"), told(file, (1, 3), "p7"));
    assert_ne!(told(file, (1, 3), "p7").events, told(file, (1, 4), "p7").events);
}
