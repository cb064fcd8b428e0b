//! Golden dialogues of the mailbox: a configuration, a few publishes and faults, and every message that follows.
//!
//! Each file under `tests/golden/mailbox/` is a script, a line `---`, and the log. `GOLDEN=write` rewrites the logs. A script
//! has lines `config …` (a line of `[model.mailbox]`), `at TIME publish CLIENT OBJECT`, faults, and `until TIME`. On the network
//! of a script every message takes 1 ms, a sync takes 2 ms, and beats are left out of the log.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deadletter::base::value::Table;
use deadletter::base::{ClientOp, KeyId, Law, NodeId, PayloadId, Span, Tag, Time};
use deadletter::model::Model;
use deadletter::model::mailbox::MODEL;
use deadletter::parts::config::{DiskConfig, LinkLaw, MachineConfig, NetworkConfig};
use deadletter::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};
use deadletter::record::{Command, End, Entry, Note, Op, Step, What};
use deadletter::world::{Sim, Surroundings};

const FOLDER: &str = "tests/golden/mailbox";

#[test]
fn dialogues_are_as_written() {
    let mut files: Vec<PathBuf> = fs::read_dir(FOLDER).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(files.len() >= 6, "the dialogues are there");
    let mut wrong = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a dialogue");
        let (script, expected) = text.split_once("---\n").unwrap_or((&text, ""));
        let log = play(script);
        if std::env::var("GOLDEN").as_deref() == Ok("write") {
            fs::write(&file, format!("{script}---\n{log}")).expect("written");
        } else if log != expected {
            wrong.push(first_difference(&file, expected, &log));
        }
    }
    assert!(wrong.is_empty(), "GOLDEN=write rewrites them\n{}", wrong.join("\n"));
}

fn first_difference(file: &Path, expected: &str, log: &str) -> String {
    let lines = expected.lines().zip(log.lines()).position(|(a, b)| a != b).unwrap_or(expected.lines().count().min(log.lines().count()));
    let line = |text: &str| text.lines().nth(lines).unwrap_or("(nothing)").to_owned();
    format!("{}: line {} of the log\n  expected {}\n  found    {}", file.display(), lines + 1, line(expected), line(log))
}

/// What a script asks for.
#[derive(Default)]
struct Script {
    config: String,
    publishes: Vec<(Time, String, String)>,
    faults: Vec<Fault>,
    until: Time,
}

fn span(text: &str) -> Span {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn named(text: &str) -> Selector {
    Selector::Named(text.to_owned())
}

impl Script {
    fn read(text: &str) -> Script {
        let mut script = Script::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(config) = line.strip_prefix("config ") {
                script.config.push_str(config);
                script.config.push('\n');
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["at", at, "publish", client, object] => script.publishes.push((Time::ZERO + span(at), client.into(), object.into())),
                ["at", at, "for", lasts, ref what @ ..] => script.faults.push(fault(at, lasts, what)),
                ["until", until] => script.until = Time::ZERO + span(until),
                _ => panic!("what does `{line}` mean?"),
            }
        }
        script
    }
}

fn fault(at: &str, lasts: &str, what: &[&str]) -> Fault {
    let ill = match *what {
        ["kill", who] => Ill::Kill(named(who)),
        ["power_off", who] => Ill::PowerOff(named(who)),
        ["pause", who] => Ill::Pause(named(who)),
        ["disk_full", who] => Ill::DiskFull(named(who)),
        ["cut", from, to] => Ill::Cut(Cut { shape: CutShape::OneWay { from: named(from), to: named(to) }, others: Others::Untouched }),
        _ => panic!("what fault is {what:?}?"),
    };
    let when = When::At(vec![Time::ZERO + span(at)]);
    Fault { name: format!("{} at {at}", what.join(" ")), ill, when, lasts: Some(Law::Constant(span(lasts))) }
}

fn play(text: &str) -> String {
    let script = Script::read(text);
    let (table, mut problems) = Table::parse("dialogue", &script.config);
    let checked = MODEL.check(&table, &mut problems).unwrap_or_else(|| panic!("{problems:#?}"));
    let disk = DiskConfig { sync: Law::Constant(Span::millis(2)), writeback: None, capacity: None };
    let far = script.until + Span::secs(1000);
    let surroundings = Surroundings {
        machines: vec![("*".into(), MachineConfig { disk, ..MachineConfig::default() })],
        faults: Arc::from(script.faults),
        heal_start: far,
        trace_limit: 10_000,
        invariant_stride: 1,
        ..Surroundings::calm(NetworkConfig::flat(LinkLaw::healthy(Law::Constant(Span::millis(1)))))
    };
    let mut sim = checked.start(&surroundings, 1).unwrap_or_else(|problems| panic!("{problems:?}"));
    let names = sim.names().clone();
    for (number, (at, client, object)) in (0u32..).zip(&script.publishes) {
        let node = names.nodes.iter().position(|name| name == client).unwrap_or_else(|| panic!("no node {client}"));
        let to = names.find(object).unwrap_or_else(|| panic!("no object {object}"));
        let what = Op::Publish { to, key: KeyId(0), payload: PayloadId(number), bytes: 100 };
        sim.command(*at, NodeId::at(node), Command { op: ClientOp(number), what });
    }
    let mut entries = Vec::new();
    let mut out = Vec::new();
    while sim.advance(script.until, &mut out) {
        entries.append(&mut out);
    }
    assert_eq!(sim.breach(), None);
    log(&*sim, &entries)
}

/// Trace and history in one log, in order of time; at one moment, what was done before what was noted.
fn log(sim: &dyn Sim, entries: &[Entry]) -> String {
    let names = sim.names();
    let mut lines: Vec<(Time, u8, String)> = Vec::new();
    for entry in sim.trace().expect("a trace is kept").entries() {
        if let Some(words) = step(sim, &entry.step) {
            lines.push((entry.at, 0, format!("{:<11} {words}", names.node(entry.node))));
        }
    }
    for entry in entries {
        if let Some(words) = noted(sim, &entry.what) {
            lines.push((entry.at, 1, format!("{:<11} * {words}", names.node(entry.node))));
        }
    }
    lines.sort_by_key(|(at, kind, _)| (*at, *kind));
    let mut text = String::new();
    for (at, _, line) in lines {
        writeln!(text, "{:>9}  {line}", at.to_string()).expect("a string takes everything");
    }
    text
}

fn message(sim: &dyn Sim, tag: Tag) -> Option<String> {
    let kind = sim.kinds().get(usize::from(tag.kind))?;
    match (*kind, sim.about(tag)) {
        ("beat" | "beaten", _) => None,
        (kind, Some(payload)) => Some(format!("{kind} {payload} #{}", tag.attempt)),
        (kind, None) => Some((*kind).to_owned()),
    }
}

fn step(sim: &dyn Sim, step: &Step) -> Option<String> {
    let names = sim.names();
    match step {
        Step::Sent { to, tag, .. } => Some(format!("→ {}: {}", names.node(*to), message(sim, *tag)?)),
        Step::Lost { to, tag, again, .. } => {
            let again = if *again { ", and will be sent again" } else { "" };
            Some(format!("✗ {}: {} is lost{again}", names.node(*to), message(sim, *tag)?))
        }
        Step::Said { text, .. } => Some(format!("“{text}”")),
        Step::Booted => Some("boots".to_owned()),
        Step::Down { how } => Some((*how).to_owned()),
        Step::Paused(paused) => Some(if *paused { "stops" } else { "goes on" }.to_owned()),
        Step::Synced { ok } => Some(if *ok { "has synced" } else { "could not sync" }.to_owned()),
        Step::LostWrites { count } => Some(format!("has lost {count} writes")),
        Step::Disconnected { peer, why } => Some(format!("connection to {}: {why}", names.node(*peer))),
        Step::Received { .. } | Step::Carried { .. } | Step::Recorded(_) | Step::Struck { .. } => None,
        Step::Fired | Step::Wrote { .. } | Step::Syncing => None,
    }
}

fn noted(sim: &dyn Sim, what: &What) -> Option<String> {
    let object = |id: deadletter::base::ObjectId| sim.names().object(id).name.clone();
    match what {
        What::End { what, end, .. } => Some(match end {
            End::Ok => format!("{} ends ok", what.payload()),
            End::Failed(why) => format!("{} failed: {why}", what.payload()),
            End::Unknown(why) => format!("{} unknown: {why}", what.payload()),
        }),
        What::Note(note) => Some(match note {
            Note::Subscribe { group } => format!("{} is subscribed", object(*group)),
            Note::Unsubscribe { group } => format!("{} is not subscribed any more", object(*group)),
            Note::Deliver { group, payload, redelivered, .. } => {
                format!("{payload} of {} is delivered{}", object(*group), if *redelivered { " again" } else { "" })
            }
            Note::Settle { group, payload, how } => format!("{payload} leaves {}: {how:?}", object(*group)),
            Note::Effect { payload, .. } => format!("{payload} takes effect"),
            Note::Held { .. } | Note::Log(_) => return None,
        }),
        What::Call { .. } | What::Skipped { .. } | What::Phase(_) | What::Fault { .. } => None,
    }
}
