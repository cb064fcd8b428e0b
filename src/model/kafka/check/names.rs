//! Names: of nodes, kinds, partitions; Java's way of hashing them.

use crate::base::value::{Reader, did_you_mean};
use crate::base::{Place, Problem};

use super::super::config::{Config, TopicConfig};
use super::super::ids::Part;
use super::Found;

/// A broker by its name or number: its position.
pub(super) fn broker(name: &str, count: u32) -> Option<usize> {
    let number: u32 = name.strip_prefix("broker-").unwrap_or(name).parse().ok()?;
    (1..=count).contains(&number).then(|| number as usize - 1)
}

/// "there is no broker …".
pub(super) fn no_broker(place: Place, name: &str, count: u32) -> Problem {
    Problem::error(place, format!("there is no broker `{name}`")).hint(format!("brokers are broker-1 to broker-{count}"))
}

/// What Java's `String.hashCode` gives.
pub(super) fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// Which of so many partitions keeps what has this name.
pub(super) fn home(name: &str, partitions: u32) -> u32 {
    java_hash(name).checked_abs().unwrap_or(0).unsigned_abs() % partitions
}

/// A topic by its name.
pub(super) fn topic(topics: &[TopicConfig], (written, place): (&str, Place), problems: &mut Found) -> Option<usize> {
    let found = topics.iter().position(|topic| topic.name == written);
    if found.is_none() {
        let known: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let hint = did_you_mean(written, &known).unwrap_or_else(|| format!("declare it: `topic.{written} = {{}}`"));
        problems.push(Problem::error(place, format!("there is no topic `{written}`")).hint(hint));
    }
    found
}

/// A partition such as `orders/0`.
pub(super) fn part(topics: &[TopicConfig], (written, place): (&str, Place), problems: &mut Found) -> Option<Part> {
    let Some((name, number)) = written.rsplit_once('/') else {
        problems.push(Problem::error(place, format!("`{written}` is no partition")).hint("write it like `orders/0`"));
        return None;
    };
    let at = topic(topics, (name, place.clone()), problems)?;
    let number = number.parse::<u32>().ok().filter(|number| *number < topics[at].partitions);
    if number.is_none() {
        let problem = Problem::error(place, format!("there is no partition `{written}`"));
        problems.push(problem.hint(format!("`{name}` has {} partitions, from 0 on", topics[at].partitions)));
    }
    Some(Part(topics[at].first.0 + number?))
}

/// Names of kinds that would be mistaken for something else.
const TAKEN: &[&str] = &[
    "broker",
    "brokers",
    "controller",
    "controllers",
    "zookeeper",
    "zookeepers",
    "producers",
    "consumers",
    "processors",
    "clients",
    "store",
    "stores",
    "all",
];

/// All kinds of clients: of which sort, and their names.
fn kinds(config: &Config) -> impl Iterator<Item = (&'static str, &str)> {
    let producers = config.producers.iter().map(|kind| ("producer", kind.name.as_str()));
    let consumers = config.consumers.iter().map(|kind| ("consumer", kind.name.as_str()));
    let processors = config.processors.iter().map(|kind| ("processor", kind.producer.name.as_str()));
    producers.chain(consumers).chain(processors)
}

/// Refuses names that mean two things.
pub(super) fn check(config: &Config, reader: &Reader<'_>, problems: &mut Found) {
    let mut before: Vec<&str> = Vec::new();
    for (kind, name) in kinds(config) {
        let place = kind_place(reader, kind, name);
        if TAKEN.contains(&name) {
            problems.push(Problem::error(place, format!("a kind of nodes cannot be called `{name}`")).hint("that names other nodes"));
        } else if before.contains(&name) {
            problems.push(Problem::error(place, format!("`{name}` names two kinds of nodes")).hint("choose another name"));
        }
        before.push(name);
    }
    if problems.iter().any(super::is_error) {
        return;
    }
    let nodes: Vec<String> = config.roster().nodes.into_iter().map(|node| node.name).collect();
    for (kind, name) in kinds(config) {
        if nodes.iter().any(|node| node == name) {
            let problem = Problem::error(kind_place(reader, kind, name), format!("`{name}` names both nodes and a kind of nodes"));
            problems.push(problem.hint("the nodes of a kind are NAME-1, NAME-2, …: choose another name"));
        }
    }
}

/// Where a kind is declared.
pub(super) fn kind_place(reader: &Reader<'_>, kind: &str, name: &str) -> Place {
    let among = format!("{kind}s");
    match reader.map(&among).into_iter().find(|(key, _)| key.name == name) {
        Some((key, _)) => key.place.clone(),
        None => reader.place_of(kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hashed_as_java_does() {
        // Known values of `"…".hashCode()`.
        for (text, hash) in
            [("", 0), ("a", 97), ("billing", -109_829_509), ("console-consumer", -648_006_740), ("polygenelubricants", i32::MIN)]
        {
            assert_eq!(java_hash(text), hash, "{text}");
        }
        assert_eq!(home("polygenelubricants", 50), 0);
        assert_eq!(home("a", 50), 47);
        assert!(home("billing", 50) < 50);
    }

    #[test]
    fn brokers_are_found_by_name_and_number() {
        assert_eq!(broker("broker-3", 3), Some(2));
        assert_eq!(broker("1", 3), Some(0));
        for wrong in ["broker-0", "broker-4", "b1", ""] {
            assert_eq!(broker(wrong, 3), None, "{wrong}");
        }
    }
}
