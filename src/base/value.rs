//! What a user wrote in a TOML file, as a tree in which every key and value knows its place, and what keys may stand there.
//!
//! A [`Table`] is read through a [`Reader`], which is given the table's [`KeySpec`]s. Opening the reader checks
//! everything below it at once: unknown keys, missing keys, wrong types, units and ranges all become [`Problem`]s. The
//! getters then only fetch what was found to be right.
//!
//! ```
//! use deadletter::base::value::{KeyKind, KeySpec, Reader, Table};
//! const KEYS: &[KeySpec] = &[
//!     KeySpec::new("sync.every", KeyKind::Span, "how often the log is synced").or("10ms"),
//!     KeySpec::new("bound", KeyKind::Count { min: 1, max: 1_000 }, "how many messages a queue holds").required(),
//! ];
//! let (table, mut problems) = Table::parse("a.toml", "sync.evry = 5\nbound = 20");
//! let reader = Reader::new(&table, KEYS, "queue", &mut problems);
//! assert_eq!(reader.count("bound"), Some(20));
//! assert_eq!(problems[0].what, "unknown key `sync.evry` in `queue`");
//! assert_eq!(problems[0].hint.as_deref(), Some("did you mean `sync.every`?"));
//! ```

use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{Place, Problem};

mod laws;
mod near;
mod print;
mod read;
mod reader;
mod resolved;
mod spec;
mod syntax;

pub use laws::{LAWS, law_text, moment_text};
pub use near::{did_you_mean, nearest};
pub use print::{bytes_text, key_text, quoted, rate_text, thousandths_text};
pub use read::{EventRate, is_name};
pub use reader::Reader;
pub use spec::{KeyKind, KeySpec, Preset, Variant, prove};

/// A key as written: one part of a dotted key, without its quotes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// A value with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Value {
    /// Where it stands: a scalar's own bytes, an inline table's braces, the header of a `[table]`, the first key of a dotted one.
    pub place: Place,
    /// What it is.
    pub kind: ValueKind,
}

/// The kinds of values that TOML has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a point or an exponent, as written: numbers are read exactly, without floating point.
    Float(String),
    /// `true` or `false`.
    Flag(bool),
    /// A list; also an array of tables.
    List(Vec<Value>),
    /// A table.
    Table(Table),
    /// A date or time, as written. Nothing in a scenario is one.
    DateTime(String),
}

impl ValueKind {
    /// The kind, with its article.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            ValueKind::Text(_) => "a text",
            ValueKind::Integer(_) => "a whole number",
            ValueKind::Float(_) => "a number with a point",
            ValueKind::Flag(_) => "a flag",
            ValueKind::List(_) => "a list",
            ValueKind::Table(_) => "a table",
            ValueKind::DateTime(_) => "a date or time",
        }
    }
}

/// A table: its entries in the order of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Table {
    /// As for [`Value::place`]; the root's is empty, at the start of the file.
    pub place: Place,
    /// The entries. TOML sees to it that no two have one name.
    pub entries: Vec<(Key, Value)>,
}

impl Table {
    /// Reads a TOML text. Every syntax error is reported; the table is then what could be made of the rest.
    #[must_use]
    pub fn parse(file: &str, text: &str) -> (Table, Vec<Problem>) {
        let source = Source { file: Arc::from(file), text: Arc::from(text) };
        let (root, errors) = match DeTable::parse(text) {
            Ok(root) => (root, Vec::new()),
            Err(_) => DeTable::parse_recoverable(text),
        };
        let mut problems = syntax::problems(&source, &errors);
        let place = source.place(0..0);
        (source.table(place, root.into_inner(), &mut problems), problems)
    }

    /// A table without entries at a place.
    #[must_use]
    pub const fn empty(place: Place) -> Table {
        Table { place, entries: Vec::new() }
    }

    /// The entry with exactly this name (one key part).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }
}

impl Value {
    /// The table, if it is one.
    #[must_use]
    pub const fn as_table(&self) -> Option<&Table> {
        match &self.kind {
            ValueKind::Table(table) => Some(table),
            ValueKind::Text(_)
            | ValueKind::Integer(_)
            | ValueKind::Float(_)
            | ValueKind::Flag(_)
            | ValueKind::List(_)
            | ValueKind::DateTime(_) => None,
        }
    }

    /// The list's items, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match &self.kind {
            ValueKind::List(items) => Some(items),
            ValueKind::Text(_)
            | ValueKind::Integer(_)
            | ValueKind::Float(_)
            | ValueKind::Flag(_)
            | ValueKind::Table(_)
            | ValueKind::DateTime(_) => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            ValueKind::Text(text) => Some(text),
            ValueKind::Integer(_)
            | ValueKind::Float(_)
            | ValueKind::Flag(_)
            | ValueKind::List(_)
            | ValueKind::Table(_)
            | ValueKind::DateTime(_) => None,
        }
    }
}

/// A named text that places point into.
struct Source {
    file: Arc<str>,
    text: Arc<str>,
}

impl Source {
    fn place(&self, span: std::ops::Range<usize>) -> Place {
        Place { file: Arc::clone(&self.file), text: Arc::clone(&self.text), start: span.start, end: span.end }
    }

    fn table(&self, place: Place, table: DeTable<'_>, problems: &mut Vec<Problem>) -> Table {
        let mut entries = Vec::new();
        for (key, value) in table {
            let key = Key { place: self.place(key.span()), name: key.into_inner().into_owned() };
            let place = self.place(value.span());
            entries.push((key, self.value(place, value.into_inner(), problems)));
        }
        entries.sort_by_key(|(key, _)| key.place.start);
        Table { place, entries }
    }

    fn value(&self, place: Place, value: DeValue<'_>, problems: &mut Vec<Problem>) -> Value {
        let written = || self.text[place.start..place.end].to_owned();
        let kind = match value {
            DeValue::String(text) => ValueKind::Text(text.into_owned()),
            DeValue::Integer(integer) => {
                if let Ok(number) = i64::from_str_radix(integer.as_str(), integer.radix()) {
                    ValueKind::Integer(number)
                } else {
                    problems.push(Problem::error(place.clone(), format!("`{}` is too large: whole numbers have 63 bits", written())));
                    ValueKind::Integer(0)
                }
            }
            DeValue::Float(_) => ValueKind::Float(written()),
            DeValue::Boolean(flag) => ValueKind::Flag(flag),
            DeValue::Datetime(_) => ValueKind::DateTime(written()),
            DeValue::Array(items) => ValueKind::List(
                items
                    .into_iter()
                    .map(|item| {
                        let place = self.place(item.span());
                        self.value(place, item.into_inner(), problems)
                    })
                    .collect(),
            ),
            DeValue::Table(table) => ValueKind::Table(self.table(place.clone(), table, problems)),
        };
        Value { place, kind }
    }
}

#[cfg(test)]
mod tests;
