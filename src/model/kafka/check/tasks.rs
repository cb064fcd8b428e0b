//! What an administrator does in the course of a run.

use crate::base::value::{Reader, ValueKind};
use crate::base::{NodeId, Problem, Span};

use super::super::config::{Scheduled, Task, TopicConfig};
use super::super::ids::TopicId;
use super::{Found, names};

/// The tasks, in the order of the file; topics that are created learn when.
pub(super) fn read(reader: &Reader<'_>, topics: &mut [TopicConfig], brokers: &[NodeId], problems: &mut Found) -> Vec<Scheduled> {
    let mut tasks = Vec::new();
    for (key, table) in reader.named_tables("task") {
        let kinds: Vec<&str> = ["reassign", "elect", "create"].into_iter().filter(|kind| table.has(kind)).collect();
        let [kind] = kinds.as_slice() else {
            let problem = Problem::error(key.place.clone(), format!("the task `{}` is not one of `reassign`, `elect`, `create`", key.name));
            problems.push(problem.hint("for example `{ at = \"20s\", elect = \"preferred\" }`"));
            continue;
        };
        idle(&table, kind, problems);
        let Some(at) = table.span("at") else { continue };
        let task = match *kind {
            "reassign" => reassign(&table, topics, brokers, problems),
            "elect" => elect(&table, topics, problems),
            _ => create(&table, topics, at, problems),
        };
        tasks.extend(task.map(|task| Scheduled { at, task }));
    }
    tasks
}

/// Refuses what belongs to another kind of task.
fn idle(table: &Reader<'_>, kind: &str, problems: &mut Found) {
    for (key, of, sample) in [("replicas", "reassign", "`reassign`"), ("of", "elect", "`elect = \"unclean\"`")] {
        let unclean = table.choice("elect") != Some("preferred");
        if table.has(key) && (kind != of || (key == "of" && !unclean)) {
            problems.push(Problem::error(table.place_of(key), format!("`{key}` belongs to {sample}")));
        }
    }
}

fn reassign(table: &Reader<'_>, topics: &[TopicConfig], brokers: &[NodeId], problems: &mut Found) -> Option<Task> {
    let written = table.text("reassign")?;
    let part = names::part(topics, (&written, table.place_of("reassign")), problems)?;
    let count = u32::try_from(brokers.len()).ok()?;
    let mut replicas: Vec<NodeId> = Vec::new();
    for value in table.list("replicas") {
        let name = match &value.kind {
            ValueKind::Integer(number) => number.to_string(),
            ValueKind::Text(text) => text.clone(),
            ValueKind::Float(_) | ValueKind::Flag(_) | ValueKind::List(_) | ValueKind::Table(_) | ValueKind::DateTime(_) => continue,
        };
        match names::broker(&name, count) {
            None => problems.push(names::no_broker(value.place.clone(), &name, count)),
            Some(at) if replicas.contains(&brokers[at]) => {
                problems.push(Problem::error(value.place.clone(), format!("`{name}` is named twice")).hint("a broker holds one copy"));
            }
            Some(at) => replicas.push(brokers[at]),
        }
    }
    if table.list("replicas").is_empty() {
        let problem = Problem::error(table.place_of("replicas"), format!("`reassign = \"{written}\"` needs `replicas`"));
        problems.push(problem.hint("for example `replicas = [\"broker-4\", \"broker-2\", \"broker-3\"]`"));
    }
    Some(Task::Reassign { part, replicas })
}

fn elect(table: &Reader<'_>, topics: &[TopicConfig], problems: &mut Found) -> Option<Task> {
    if table.choice("elect")? == "preferred" {
        return Some(Task::ElectPreferred);
    }
    let Some(written) = table.text("of") else {
        let problem = Problem::error(table.place_of("elect"), "`elect = \"unclean\"` needs `of`");
        problems.push(problem.hint("name the partition, such as `of = \"orders/0\"`"));
        return None;
    };
    let part = names::part(topics, (&written, table.place_of("of")), problems)?;
    Some(Task::ElectUnclean { part })
}

fn create(table: &Reader<'_>, topics: &mut [TopicConfig], at: Span, problems: &mut Found) -> Option<Task> {
    let written = table.text("create")?;
    let found = names::topic(topics, (&written, table.place_of("create")), problems)?;
    if topics[found].created_at.is_some() {
        problems.push(Problem::error(table.place_of("create"), format!("`{written}` is created twice")).hint("remove one of the tasks"));
    }
    topics[found].created_at = Some(at);
    Some(Task::Create { topic: TopicId(u16::try_from(found).ok()?) })
}
