//! `[[operation]]`: operations that are written out one by one, each with the number of its payload.

use std::collections::BTreeSet;

use crate::base::value::{Reader, Value, did_you_mean};
use crate::base::{KeyId, PayloadId, Place, Problem, Time};
use crate::load::{Listed, OpKind, Phases};
use crate::record::ObjectKind;
use crate::world::Roster;

use super::keys::OPERATION;
use super::{load, with};

/// The operations in order of time. `roster` is `None` when the model's own table is wrong, `phases` when theirs is.
pub(super) fn read(value: &Value, roster: Option<&Roster>, phases: Option<&Phases>, problems: &mut Vec<Problem>) -> Vec<Listed> {
    let mut found: Vec<(Listed, Place)> = Vec::new();
    let mut numbers = BTreeSet::new();
    for table in value.as_list().unwrap_or(&[]).iter().filter_map(Value::as_table) {
        let keys = Reader::checked(table, OPERATION, "operation");
        if let Some(payload) = keys.count("payload").filter(|payload| !numbers.insert(*payload)) {
            let problem = Problem::error(keys.place_of("payload"), format!("two operations carry p{payload}"));
            problems.push(problem.hint("each payload has a number of its own; there may be gaps"));
        }
        found.extend(one(&keys, roster, phases, problems).map(|one| (one, keys.place_of("payload"))));
    }
    found.sort_by_key(|(one, _)| (one.at, one.payload));
    check_order(&found, roster, problems);
    found.into_iter().map(|(one, _)| one).collect()
}

/// What a subscription is entitled to after it has ended is what was sent before, and judges know that by the number.
fn check_order(found: &[(Listed, Place)], roster: Option<&Roster>, problems: &mut Vec<Problem>) {
    let topic = |one: &Listed| roster.is_some_and(|all| all.objects.iter().any(|o| o.name == one.to && o.kind == ObjectKind::Topic));
    let mut greatest = None;
    for (one, place) in found {
        if let Some(before) = greatest.filter(|before| *before > one.payload && topic(one)) {
            let what =
                format!("{} is published after {before}: payloads of a topic are taken to be numbered in order of time", one.payload);
            let hint = "where subscriptions end, a message that comes too late may not be found";
            problems.push(Problem::warning(place.clone(), what).hint(hint));
            return;
        }
        greatest = greatest.max(Some(one.payload));
    }
}

fn one(keys: &Reader<'_>, roster: Option<&Roster>, phases: Option<&Phases>, problems: &mut Vec<Problem>) -> Option<Listed> {
    let client = keys.text("client");
    if let (Some(client), Some(roster)) = (&client, roster) {
        check_client(client, keys, roster, problems);
    }
    let to = keys.text("to");
    let op = match (&to, roster) {
        (Some(to), Some(roster)) => load::taken(to, keys, roster, problems),
        // The model or the name is wrong, which is told already: there will be no plan.
        (_, _) => Some(OpKind::Publish),
    };
    let at = keys.span("at").map(|at| Time::ZERO + at);
    if let (Some(at), Some(phases)) = (at, phases) {
        let until = phases.load_until();
        if at >= until {
            let problem = Problem::error(keys.place_of("at"), format!("{at} is after the heal phase, when clients ask for nothing new"));
            problems
                .push(problem.hint(format!("operations are issued before {until}, counted from time zero; or lengthen `chaos` or `heal`")));
        }
    }
    let bytes = keys.bytes("size").and_then(|bytes| load::small(bytes, keys.place_of("size"), problems));
    let number = |key: &str| u32::try_from(keys.count(key)?).ok();
    Some(Listed {
        at: at?,
        payload: PayloadId(number("payload")?),
        client: client?,
        to: to?,
        op: op?,
        key: KeyId(number("key")?),
        bytes: bytes?,
    })
}

/// Only a node that takes load can be asked.
fn check_client(client: &str, keys: &Reader<'_>, roster: &Roster, problems: &mut Vec<Problem>) {
    let clients: Vec<&str> = roster.nodes.iter().filter(|node| node.takes_load).map(|node| node.name.as_str()).collect();
    if clients.contains(&client) {
        return;
    }
    let all = || match clients.as_slice() {
        [] => "give the model at least one client".to_owned(),
        clients => format!("there are: {}", clients.join(", ")),
    };
    let problem = if roster.nodes.iter().any(|node| node.name == client) {
        Problem::error(keys.place_of("client"), format!("`{client}` is no client that could be asked")).hint(all())
    } else {
        let problem = Problem::error(keys.place_of("client"), format!("there is no client `{}`", client.escape_debug()));
        with(problem, did_you_mean(client, &clients).or_else(|| Some(all())))
    };
    problems.push(problem);
}
