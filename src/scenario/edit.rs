//! Changing single settings of a file by their dotted keys: `--set` on the command line, `set` in an arm.

use std::sync::Arc;

use crate::base::value::{Key, Table, Value, ValueKind, did_you_mean, quoted};
use crate::base::{Place, Problem};

/// The pseudo file that problems of the command line's settings point at.
pub const SET_FILE: &str = "--set";

/// One setting: where, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Setting {
    /// The parts of the key. A name with dots may be one part or several.
    pub(super) path: Vec<Key>,
    pub(super) value: Value,
}

/// Reads `a.b.c=value`. The value is TOML if it can be read as such, else a text.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Option<Setting> {
    let whole = Place { file: Arc::from(SET_FILE), text: Arc::from(text), start: 0, end: text.len() };
    let example = "write it like `--set network.loss=1%`";
    let Some((key, written)) = split(text) else {
        problems.push(Problem::error(whole, "a setting needs a `=`").hint(example));
        return None;
    };
    let read = |text: &str| {
        let (table, wrong) = Table::parse(SET_FILE, text);
        (wrong.is_empty() && table.entries.len() == 1 && !text.contains('\n')).then(|| follow(table)).flatten()
    };
    let as_text = || {
        // Only the key's places are places in what was written; the value is all that follows the `=`.
        let (path, value) = read(&format!("{key}={}", quoted(written.trim())))?;
        Some((path, Value { place: Place { start: key.len() + 1, ..whole.clone() }, ..value }))
    };
    let loosely = || {
        let (table, wrong) = Table::parse(SET_FILE, &format!("it={written}"));
        let value = match table.entries.into_iter().next() {
            Some((_, value)) if wrong.is_empty() && !written.contains('\n') => value.kind,
            Some(_) | None => ValueKind::Text(written.trim().to_owned()),
        };
        let path = loose(key, &Place { end: key.len(), ..whole.clone() })?;
        Some((path, Value { place: Place { start: key.len() + 1, ..whole.clone() }, kind: value }))
    };
    let Some((path, value)) = read(text).or_else(as_text).or_else(loosely) else {
        problems.push(Problem::error(whole, "this is not a dotted key").hint(example));
        return None;
    };
    let path = path.into_iter().map(|key| Key { place: Place { text: Arc::clone(&whole.text), ..key.place }, name: key.name }).collect();
    Some(Setting { path, value })
}

/// A dotted key that TOML does not read, because a name in it has a space: divided at its dots.
fn loose(key: &str, place: &Place) -> Option<Vec<Key>> {
    let parts: Vec<&str> = key.trim().split('.').collect();
    let plain = |part: &&str| !part.trim().is_empty() && !part.contains(['"', '\'', '=', '\\']) && !part.chars().any(char::is_control);
    parts.iter().all(plain).then(|| parts.into_iter().map(|part| Key { name: part.to_owned(), place: place.clone() }).collect())
}

/// The text before and after the first `=` outside quotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((&text[..at], &text[at + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
    }
    None
}

/// Follows tables in tables that were written as one dotted key.
fn follow(table: Table) -> Option<(Vec<Key>, Value)> {
    let mut path = Vec::new();
    let mut table = table;
    loop {
        let (key, value) = table.entries.pop()?;
        path.push(key);
        if is_braced(&value.place) || value.as_table().is_none_or(|inner| inner.entries.len() != 1) {
            return Some((path, value));
        }
        if let ValueKind::Table(inner) = value.kind {
            table = inner;
        }
    }
}

/// Whether a table is written in braces: then it is a value, not a key in parts.
fn is_braced(place: &Place) -> bool {
    place.text.get(place.start..).is_some_and(|rest| rest.starts_with('{'))
}

/// The settings in an arm's `set`.
pub(super) fn of_arm(value: &Value, problems: &mut Vec<Problem>) -> Vec<Setting> {
    let Some(table) = value.as_table() else {
        let problem = Problem::error(value.place.clone(), "`set` is a table of settings");
        problems.push(problem.hint("write it like `set = { \"network.loss\" = \"1%\" }`"));
        return Vec::new();
    };
    let mut settings = Vec::new();
    collect(table, &mut Vec::new(), problems, &mut settings);
    settings
}

fn collect(table: &Table, before: &mut Vec<Key>, problems: &mut Vec<Problem>, settings: &mut Vec<Setting>) {
    for (key, value) in &table.entries {
        let depth = before.len();
        let Some(parts) = parts(key, problems) else { continue };
        before.extend(parts);
        match &value.kind {
            ValueKind::Table(inner) if !is_braced(&value.place) => collect(inner, before, problems, settings),
            ValueKind::Table(_)
            | ValueKind::Text(_)
            | ValueKind::Integer(_)
            | ValueKind::Float(_)
            | ValueKind::Flag(_)
            | ValueKind::List(_)
            | ValueKind::DateTime(_) => settings.push(Setting { path: before.clone(), value: value.clone() }),
        }
        before.truncate(depth);
    }
}

/// The parts of a quoted key: `"model.kafka.topic.'my.orders'.partitions"` has five.
fn parts(key: &Key, problems: &mut Vec<Problem>) -> Option<Vec<Key>> {
    let (table, wrong) = Table::parse(SET_FILE, &format!("{} = 0", key.name));
    let found = if wrong.is_empty() && table.entries.len() == 1 { follow(table) } else { None };
    if let (None, Some(path)) = (&found, loose(&key.name, &key.place)) {
        return Some(path);
    }
    let Some((path, _)) = found else {
        let problem = Problem::error(key.place.clone(), format!("`{}` is not a dotted key", key.name.escape_debug()));
        problems.push(problem.hint("write it like `\"network.loss\"`; names with dots stand in quotes of their own"));
        return None;
    };
    Some(path.into_iter().map(|part| Key { name: part.name, place: key.place.clone() }).collect())
}

/// Makes a setting. What is not there yet is added; whether it may be there is checked later.
pub(super) fn apply(table: &mut Table, setting: &Setting, problems: &mut Vec<Problem>) {
    let names: Vec<&str> = setting.path.iter().map(|key| key.name.as_str()).collect();
    if let Some(way) = locate_in(table, &names.join(".")) {
        if let Some(slot) = walk(table, &way) {
            *slot = setting.value.clone();
        }
        return;
    }
    for depth in (0..names.len()).rev() {
        let way = if depth == 0 { Some(Vec::new()) } else { locate_in(table, &names[..depth].join(".")) };
        let Some(way) = way else { continue };
        if way.is_empty() {
            insert(table, &setting.path, &setting.value);
            return;
        }
        let Some(slot) = walk(table, &way) else { continue };
        match &mut slot.kind {
            ValueKind::Table(inner) => return insert(inner, &setting.path[depth..], &setting.value),
            ValueKind::List(items) => {
                problems.push(no_item(items, (names[depth - 1], &setting.path[depth])));
                return;
            }
            // A scalar whose name begins the key: the rest is a longer key beside it.
            ValueKind::Text(_) | ValueKind::Integer(_) | ValueKind::Float(_) | ValueKind::Flag(_) | ValueKind::DateTime(_) => {}
        }
    }
}

/// The positions, level by level, of the value at a dotted path, however its key was divided.
fn locate_in(table: &Table, path: &str) -> Option<Vec<usize>> {
    table.entries.iter().enumerate().find_map(|(at, (key, value))| step(at, &key.name, value, path))
}

fn step(at: usize, label: &str, value: &Value, path: &str) -> Option<Vec<usize>> {
    let rest = path.strip_prefix(label)?;
    if rest.is_empty() {
        return Some(vec![at]);
    }
    let rest = rest.strip_prefix('.')?;
    let mut way = match &value.kind {
        ValueKind::Table(inner) => locate_in(inner, rest)?,
        ValueKind::List(items) => items.iter().enumerate().find_map(|(at, item)| {
            let mut names = labels(item);
            names.push(at.to_string());
            names.sort_unstable();
            names.dedup();
            names.into_iter().find_map(|label| step(at, &label, item, rest))
        })?,
        ValueKind::Text(_) | ValueKind::Integer(_) | ValueKind::Float(_) | ValueKind::Flag(_) | ValueKind::DateTime(_) => return None,
    };
    way.insert(0, at);
    Some(way)
}

/// What an item of a list may be called: its name, or the object it is about.
fn labels(item: &Value) -> Vec<String> {
    let table = item.as_table();
    ["name", "to"].iter().filter_map(|key| table?.get(key)?.as_text().map(str::to_owned)).collect()
}

fn walk<'t>(table: &'t mut Table, way: &[usize]) -> Option<&'t mut Value> {
    let (first, rest) = way.split_first()?;
    let mut value = &mut table.entries[*first].1;
    for at in rest {
        value = match &mut value.kind {
            ValueKind::Table(inner) => &mut inner.entries.get_mut(*at)?.1,
            ValueKind::List(items) => items.get_mut(*at)?,
            ValueKind::Text(_) | ValueKind::Integer(_) | ValueKind::Float(_) | ValueKind::Flag(_) | ValueKind::DateTime(_) => return None,
        };
    }
    Some(value)
}

fn no_item(items: &[Value], (list, key): (&str, &Key)) -> Problem {
    let names: Vec<String> = items.iter().flat_map(labels).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let problem = Problem::error(key.place.clone(), format!("`{list}` has no entry `{}`", key.name));
    super::with(problem, did_you_mean(&key.name, &names))
}

/// Adds a value under a dotted path whose first part is not there.
fn insert(table: &mut Table, path: &[Key], value: &Value) {
    let Some((first, rest)) = path.split_first() else { return };
    let taken = table.get(&first.name).is_some();
    if rest.is_empty() || taken {
        let name = path.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(".");
        table.entries.push((Key { name, place: first.place.clone() }, value.clone()));
        return;
    }
    let mut inner = Table::empty(first.place.clone());
    insert(&mut inner, rest, value);
    table.entries.push((first.clone(), Value { place: first.place.clone(), kind: ValueKind::Table(inner) }));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(file: &str, settings: &[&str]) -> String {
        let (mut table, problems) = Table::parse("x", file);
        assert!(problems.is_empty(), "{problems:?}");
        let mut problems = Vec::new();
        for text in settings {
            if let Some(setting) = parse(text, &mut problems) {
                apply(&mut table, &setting, &mut problems);
            }
        }
        let found: Vec<String> = problems.into_iter().map(|p| p.what).collect();
        format!("{}{}", super::super::toml_text::inline_table(&table), found.join("; "))
    }

    #[test]
    fn settings_find_their_keys_however_these_are_divided() {
        let file = "a.b.c = 1\n\"x.y\" = 2\nt.\"my.q\".n = 3\n[[fault]]\nname = \"dies\"\nat = 1\n[[fault]]\nat = 2\n";
        let table = [
            ("a.b.c=5", "{ a = { b = { c = 5 } }"),
            ("\"a.b.c\"=5", "{ a = { b = { c = 5 } }"),
            ("x.y=true", "\"x.y\" = true"),
            ("t.\"my.q\".n=all", "t = { \"my.q\" = { n = \"all\" } }"),
            ("t.my.q.n=1%", "n = \"1%\""),
            ("fault.dies.at=7", "{ name = \"dies\", at = 7 }"),
            ("fault.1.at=[1, 2]", "{ at = [1, 2] }"),
            ("x.y.z=1", "x = { y = { z = 1 } }"),
            ("a.b.c.d=1", "c = 1, \"c.d\" = 1"),
            ("n.e.w={ k = 1 }", "n = { e = { w = { k = 1 } } }"),
            ("fault.dise.at=7", "`fault` has no entry `dise`"),
            ("novalue", "a setting needs a `=`"),
            ("=1", "this is not a dotted key"),
            ("a b=1", "\"a b\" = 1"),
            ("fault.the end.at=1", "`fault` has no entry `the end`"),
            ("\"a b=1", "a setting needs a `=`"),
            ("a..b=1", "this is not a dotted key"),
            ("a.b.d=x\ny = 2", "d = \"x\\ny = 2\""),
        ];
        for (setting, expected) in table {
            let found = edited(file, &[setting]);
            assert!(found.contains(expected), "{setting}: {found}");
        }
    }
}
