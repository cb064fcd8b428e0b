//! Trees of values back as TOML, on one line; and what differs between two of them.

use crate::base::value::{Table, Value, ValueKind, key_text, quoted};

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => quoted(text),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::Float(text) | ValueKind::DateTime(text) => text.clone(),
        ValueKind::Flag(flag) => flag.to_string(),
        ValueKind::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        ValueKind::Table(table) => inline_table(table),
    }
}

/// A table on one line.
pub(super) fn inline_table(table: &Table) -> String {
    if table.entries.is_empty() {
        return "{}".to_owned();
    }
    let entries: Vec<String> = table.entries.iter().map(|(key, value)| format!("{} = {}", key_text(&key.name), inline(value))).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// One difference: the dotted key, and the value that stands there in the second.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Difference {
    pub(super) key: String,
    pub(super) value: String,
}

/// What must be set in the first table to make it mean the second. A table that lost a key is set as a whole.
pub(super) fn differences(first: &Table, second: &Table) -> Vec<Difference> {
    let mut found = Vec::new();
    compare_tables(first, second, "", &mut found);
    for (key, value) in first.entries.iter().filter(|(key, _)| second.get(&key.name).is_none()) {
        let nothing = if value.as_list().is_some() { "[]" } else { "{}" };
        found.push(Difference { key: key_text(&key.name), value: nothing.to_owned() });
    }
    found
}

fn compare_tables(first: &Table, second: &Table, path: &str, found: &mut Vec<Difference>) {
    for (key, value) in &second.entries {
        let path = if path.is_empty() { key_text(&key.name) } else { format!("{path}.{}", key_text(&key.name)) };
        match first.get(&key.name) {
            Some(before) => compare(before, value, &path, found),
            None => found.push(Difference { key: path, value: inline(value) }),
        }
    }
}

fn compare(first: &Value, second: &Value, path: &str, found: &mut Vec<Difference>) {
    match (&first.kind, &second.kind) {
        (ValueKind::Table(one), ValueKind::Table(two)) if one.entries.iter().all(|(key, _)| two.get(&key.name).is_some()) => {
            compare_tables(one, two, path, found);
        }
        (ValueKind::List(one), ValueKind::List(two)) if one.len() == two.len() && one.iter().all(can_be_numbered) => {
            for (at, (one, two)) in one.iter().zip(two).enumerate() {
                compare(one, two, &format!("{path}.{}", called(one, two).unwrap_or_else(|| at.to_string())), found);
            }
        }
        (_, _) if inline(first) != inline(second) => found.push(Difference { key: path.to_owned(), value: inline(second) }),
        (_, _) => {}
    }
}

/// The name of an item of a list, if it has one and keeps it.
fn called(first: &Value, second: &Value) -> Option<String> {
    let name = |item: &Value| item.as_table()?.get("name")?.as_text().map(str::to_owned);
    name(first).filter(|one| name(second).as_ref() == Some(one)).map(|one| key_text(&one))
}

/// Whether an item of a list may be found by its position: it is a table, and no name looks like a position.
fn can_be_numbered(item: &Value) -> bool {
    item.as_table().is_some_and(|table| {
        let mut names = ["name", "to"].into_iter().filter_map(|key| table.get(key)?.as_text());
        names.all(|name| !name.starts_with(|c: char| c.is_ascii_digit()))
    })
}
