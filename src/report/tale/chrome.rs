//! A story as a trace in Chrome's JSON format, for `chrome://tracing` and Perfetto.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::{NodeId, Time};
use crate::report::words;
use crate::run::follow::{Kind, Tale};

use super::{Group, bare, groups};

/// The threads of a process: what its handlers do, and what it suffers from.
const HANDLERS: u32 = 1;
const OUTAGES: u32 = 2;
/// A handler takes no virtual time: so long, in nanoseconds, is it shown, unless another begins at that node before.
const SHOWN: u64 = 20_000;

/// The story as JSON: a process for each node with a slice for each handler and each outage, and flows for messages that arrived.
#[must_use]
pub fn render(tale: &Tale) -> String {
    let mut out: Vec<Value> = Vec::new();
    for (node, name) in &tale.nodes {
        out.push(json!({ "ph": "M", "name": "process_name", "pid": pid(*node), "args": { "name": words::clean(name) } }));
        for (tid, name) in [(HANDLERS, "handlers"), (OUTAGES, "outages")] {
            out.push(json!({ "ph": "M", "name": "thread_name", "pid": pid(*node), "tid": tid, "args": { "name": name } }));
        }
    }
    let mut timed: Vec<(Time, Value)> = Vec::new();
    let groups = groups(tale);
    let slices = slices(&groups);
    for (number, (group, (from, takes))) in groups.iter().zip(&slices).enumerate() {
        let told: Vec<String> = group.events.iter().map(|(_, event)| words::clean(bare(tale, event))).collect();
        let ts = micros(*from);
        let value = match group.node {
            Some(node) => json!({
                "ph": "X", "cat": category(group), "name": told[0], "pid": pid(node), "tid": HANDLERS, "ts": ts, "dur": micros(Time::from_nanos(*takes)),
                "args": { "what": told, "at": words::micros(group.at), "number": number },
            }),
            None => json!({ "ph": "i", "s": "g", "cat": category(group), "name": told[0], "pid": 0, "tid": 0, "ts": ts }),
        };
        timed.push((*from, value));
    }
    flows(tale, (&groups, &slices), &mut timed);
    timed.sort_by_key(|(at, _)| *at);
    out.extend(timed.into_iter().map(|(_, value)| value));
    out.extend(outages(tale));
    let rows: Vec<String> = out.iter().map(ToString::to_string).collect();
    format!("{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{}\n]}}\n", rows.join(",\n"))
}

/// Zero is nobody's: it is where what happens at no node stands.
fn pid(node: NodeId) -> u32 {
    node.0 + 1
}

/// Microseconds with their nanoseconds behind the point, exact.
fn micros(at: Time) -> Value {
    let text = format!("{}.{:03}", at.nanos() / 1000, at.nanos() % 1000);
    text.parse::<f64>().map_or(Value::Null, Value::from)
}

const fn category(group: &Group<'_>) -> &'static str {
    match group.events.as_slice() {
        [(_, first), ..] => match first.kind {
            Kind::Turn | Kind::Words => "client",
            Kind::Sends | Kind::Receives | Kind::Lost | Kind::Link => "network",
            Kind::Wrote | Kind::Durable => "disk",
            Kind::Harm | Kind::Down | Kind::Up | Kind::Fault => "machine",
        },
        [] => "",
    }
}

/// When the slice of each group begins, and how long it is: those of one node follow each other and never overlap.
fn slices(groups: &[Group<'_>]) -> Vec<(Time, u64)> {
    let mut slices: Vec<(Time, u64)> = groups.iter().map(|group| (group.at, SHOWN)).collect();
    let mut latest: BTreeMap<Option<NodeId>, usize> = BTreeMap::new();
    for (number, group) in groups.iter().enumerate() {
        if let Some(before) = latest.insert(group.node, number) {
            // Several handlers of one moment stand side by side, a nanosecond each.
            let from = slices[number].0.nanos().max(slices[before].0.nanos() + 1);
            slices[number].0 = Time::from_nanos(from);
            slices[before].1 = slices[before].1.min(from - slices[before].0.nanos());
        }
    }
    slices
}

/// A flow for each message that arrived, from the slice it left by to the slice it came to.
fn flows(tale: &Tale, (groups, slices): (&[Group<'_>], &[(Time, u64)]), out: &mut Vec<(Time, Value)>) {
    let slice = |event: usize| groups.iter().position(|group| group.events.iter().any(|(number, _)| *number == event));
    for (id, arrow) in tale.arrows.iter().enumerate() {
        let (Some(left), Some(came)) = arrow.ends else { continue };
        if arrow.to.1.is_none() {
            continue;
        }
        let (Some(left), Some(came)) = (slice(left), slice(came)) else { continue };
        let name = words::clean(&arrow.text);
        let (from, to) = (slices[left].0, slices[came].0);
        out.push((
            from,
            json!({ "ph": "s", "cat": "network", "name": name, "id": id, "pid": pid(arrow.from.0), "tid": HANDLERS, "ts": micros(from) }),
        ));
        out.push((
            to,
            json!({ "ph": "f", "bp": "e", "cat": "network", "name": name, "id": id, "pid": pid(arrow.to.0), "tid": HANDLERS, "ts": micros(to) }),
        ));
    }
}

/// Outages as asynchronous slices: those of one node may overlap.
fn outages(tale: &Tale) -> Vec<Value> {
    let end = tale.extent().map_or(Time::ZERO, |(_, last)| last);
    let mut out: Vec<(Time, Value)> = Vec::new();
    for (number, outage) in tale.outages.iter().enumerate() {
        let id = format!("outage {number}");
        let until = outage.until.unwrap_or(end).max(outage.from);
        for (ph, at) in [("b", outage.from), ("e", until)] {
            let value = json!({
                "ph": ph, "cat": "outage", "id": id, "name": words::clean(&outage.what), "pid": pid(outage.node), "tid": OUTAGES, "ts": micros(at),
                "args": { "fault": outage.fault },
            });
            out.push((at, value));
        }
    }
    out.sort_by_key(|(at, _)| *at);
    out.into_iter().map(|(_, value)| value).collect()
}
