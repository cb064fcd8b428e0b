//! Reading a table by its keys: everything is checked when the reader is opened, the getters only fetch.

use crate::base::{Chance, Law, Place, Problem, Span};

use super::read::{self, with};
use super::spec::{Found, default_value};
use super::{EventRate, Key, KeyKind, KeySpec, Preset, Table, Value, Variant, did_you_mean, laws, nearest};

/// A table whose keys and values have been checked.
///
/// Getters answer `None` when the key is absent without a default, or when its value was wrong; the latter has been
/// reported already. Asking for a key that was not declared is an error of the program and panics.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    pub(super) specs: &'static [KeySpec],
    /// By position in `specs`.
    found: Vec<Option<Found<'a>>>,
    place: Place,
    path: String,
    unknown: bool,
}

impl<'a> Reader<'a> {
    /// Checks a table and everything below it; every problem is added to `problems`. `path` is the table's name in
    /// messages, such as `model.kafka`.
    #[must_use]
    pub fn new(table: &'a Table, specs: &'static [KeySpec], path: &str, problems: &mut Vec<Problem>) -> Reader<'a> {
        let mut own = Vec::new();
        let found = sort_out(table, (specs, None), path, &mut own);
        let unknown = !own.is_empty();
        problems.append(&mut own);
        check_found(&found, specs, (&table.place, path), problems);
        Reader { specs, found, place: table.place.clone(), path: path.to_owned(), unknown }
    }

    /// Opens a table that has been checked already, without reporting anything again.
    #[must_use]
    pub fn checked(table: &'a Table, specs: &'static [KeySpec], path: &str) -> Reader<'a> {
        Reader::with_tag(table, (specs, None), path)
    }

    fn with_tag(table: &'a Table, keys: (&'static [KeySpec], Option<&'static str>), path: &str) -> Reader<'a> {
        let mut own = Vec::new();
        let found = sort_out(table, keys, path, &mut own);
        Reader { specs: keys.0, found, place: table.place.clone(), path: path.to_owned(), unknown: !own.is_empty() }
    }

    /// Opens one form of a table that has several, which has been checked already.
    pub(super) fn variant_of(table: &'a Table, (tag, variant): (&'static str, &'static Variant)) -> Reader<'a> {
        Reader::with_tag(table, (variant.keys, Some(tag)), variant.name)
    }

    /// The table's place.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The table's name in messages.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether there are keys that nobody declared: one of them may be what seems to be missing.
    #[must_use]
    pub const fn has_unknown(&self) -> bool {
        self.unknown
    }

    /// Whether the key is written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.found[self.position(key)].is_some()
    }

    /// The place of the key's value, or of the table where it is not written.
    #[must_use]
    pub fn place_of(&self, key: &str) -> Place {
        self.found[self.position(key)].map_or_else(|| self.place.clone(), |(_, value)| value.place.clone())
    }

    /// The value as written, if it is written.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        self.found[self.position(key)].map(|(_, value)| value)
    }

    /// A span of time.
    #[must_use]
    pub fn span(&self, key: &str) -> Option<Span> {
        self.get(key, |value, kind| {
            if let KeyKind::SpanIn { .. } = kind {
                return read::span_in(value, kind).ok();
            }
            matches!(kind, KeyKind::Span).then(|| read::span(value).ok()).flatten()
        })
    }

    /// A span of time with a sign, in nanoseconds.
    #[must_use]
    pub fn signed_span(&self, key: &str) -> Option<i64> {
        self.get(key, |value, kind| matches!(kind, KeyKind::SignedSpan).then(|| read::signed_span(value).ok()).flatten())
    }

    /// A probability.
    #[must_use]
    pub fn chance(&self, key: &str) -> Option<Chance> {
        self.get(key, |value, kind| matches!(kind, KeyKind::Chance).then(|| read::chance(value).ok()).flatten())
    }

    /// A number that is not negative.
    #[must_use]
    pub fn count(&self, key: &str) -> Option<u64> {
        self.get(key, |value, kind| {
            let KeyKind::Count { min, max } = kind else { return None };
            read::count(value, *min, *max).ok()
        })
    }

    /// A number with a sign.
    #[must_use]
    pub fn integer(&self, key: &str) -> Option<i64> {
        self.get(key, |value, kind| {
            let KeyKind::Integer { min, max } = kind else { return None };
            read::integer(value, *min, *max).ok()
        })
    }

    /// A number with at most three decimals, in thousandths.
    #[must_use]
    pub fn thousandths(&self, key: &str) -> Option<u64> {
        self.get(key, |value, kind| {
            let KeyKind::Thousandths { min, max } = kind else { return None };
            read::thousandths(value, *min, *max).ok()
        })
    }

    /// A size in bytes.
    #[must_use]
    pub fn bytes(&self, key: &str) -> Option<u64> {
        self.get(key, |value, kind| matches!(kind, KeyKind::Bytes).then(|| read::bytes(value).ok()).flatten())
    }

    /// Bytes per second.
    #[must_use]
    pub fn byte_rate(&self, key: &str) -> Option<u64> {
        self.get(key, |value, kind| matches!(kind, KeyKind::ByteRate).then(|| read::byte_rate(value).ok()).flatten())
    }

    /// Events in a span of time.
    #[must_use]
    pub fn rate(&self, key: &str) -> Option<EventRate> {
        self.get(key, |value, kind| matches!(kind, KeyKind::Rate).then(|| read::rate(value).ok()).flatten())
    }

    /// `true` or `false`.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key, |value, kind| matches!(kind, KeyKind::Flag).then(|| read::flag(value).ok()).flatten())
    }

    /// A text, also a selector's.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key, |value, kind| matches!(kind, KeyKind::Text | KeyKind::Selector).then(|| read::text(value, kind).ok()).flatten())
    }

    /// One of the key's words.
    #[must_use]
    pub fn choice(&self, key: &str) -> Option<&'static str> {
        self.get(key, |value, kind| {
            let KeyKind::Choice(words) = kind else { return None };
            read::choice(value, words).ok()
        })
    }

    /// How a span of time is distributed.
    #[must_use]
    pub fn law(&self, key: &str) -> Option<Law> {
        self.get(key, |value, kind| matches!(kind, KeyKind::Law).then(|| laws::law(value).ok()).flatten())
    }

    /// The items of a list as written; empty when it is absent.
    #[must_use]
    pub fn list(&self, key: &str) -> &'a [Value] {
        self.value(key).and_then(Value::as_list).unwrap_or(&[])
    }

    /// The items of a list of texts, each with its value.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<(&'a str, &'a Value)> {
        self.list(key).iter().filter_map(|item| item.as_text().map(|text| (text, item))).collect()
    }

    /// The table behind a key, if it is written. (A key with the default `{}` counts as written without entries.)
    #[must_use]
    pub fn table(&self, key: &str) -> Option<Reader<'a>> {
        let spec = &self.specs[self.position(key)];
        let keys = kinds(&spec.kind).find_map(|kind| {
            let KeyKind::Table(keys) = kind else { return None };
            Some(*keys)
        });
        let keys = keys.unwrap_or_else(|| panic!("`{key}` was not declared as a table"));
        let path = self.path_of(key);
        match self.value(key) {
            Some(value) => value.as_table().map(|table| Reader::checked(table, keys, &path)),
            None if spec.preset == Preset::Is("{}") => {
                Some(Reader { specs: keys, found: vec![None; keys.len()], place: self.place.clone(), path, unknown: false })
            }
            None => None,
        }
    }

    /// The tables in a list of tables.
    #[must_use]
    pub fn tables(&self, key: &str) -> Vec<Reader<'a>> {
        let spec = &self.specs[self.position(key)];
        let KeyKind::List(KeyKind::Table(keys)) = spec.kind else { panic!("`{key}` was not declared as a list of tables") };
        let path = self.path_of(key);
        self.list(key).iter().filter_map(Value::as_table).map(|table| Reader::checked(table, keys, &path)).collect()
    }

    /// The named things behind a key, in the order of the file.
    #[must_use]
    pub fn map(&self, key: &str) -> Vec<(&'a Key, &'a Value)> {
        let entries = self.value(key).and_then(Value::as_table).map_or(&[][..], |table| &table.entries);
        entries.iter().map(|(key, value)| (key, value)).collect()
    }

    /// The named tables behind a key, in the order of the file.
    #[must_use]
    pub fn named_tables(&self, key: &str) -> Vec<(&'a Key, Reader<'a>)> {
        let spec = &self.specs[self.position(key)];
        let KeyKind::Map(KeyKind::Table(keys)) = spec.kind else { panic!("`{key}` was not declared as named tables") };
        let path = self.path_of(key);
        let open = |(key, value): (&'a Key, &'a Value)| {
            let path = format!("{path}.{}", super::key_text(&key.name));
            value.as_table().map(|table| (key, Reader::checked(table, keys, &path)))
        };
        self.map(key).into_iter().filter_map(open).collect()
    }

    /// The form of a table that has several: the word behind its tag, and the keys beside it.
    #[must_use]
    pub fn variant(&self, key: &str) -> Option<(&'static str, Reader<'a>)> {
        let spec = &self.specs[self.position(key)];
        let table = self.value(key)?.as_table()?;
        kinds(&spec.kind).find_map(|kind| {
            let KeyKind::Variants { tag, of } = kind else { return None };
            let written = table.get(tag)?.as_text()?;
            let variant = of.iter().find(|variant| variant.name == written)?;
            Some((variant.name, Reader::with_tag(table, (variant.keys, Some(tag)), &self.path_of(key))))
        })
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn position(&self, key: &str) -> usize {
        self.specs.iter().position(|spec| spec.name == key).unwrap_or_else(|| panic!("key `{key}` was not declared in `{}`", self.path))
    }

    /// What the first of the key's kinds makes of the value, or of the default.
    fn get<T>(&self, key: &str, read: impl Fn(&Value, &'static KeyKind) -> Option<T>) -> Option<T> {
        let position = self.position(key);
        let spec = &self.specs[position];
        let any = |value: &Value| kinds(&spec.kind).find_map(|kind| read(value, kind));
        match (self.found[position], spec.preset) {
            (Some((_, value)), _) => any(value),
            (None, Preset::Is(text)) => any(&default_value(spec, text)),
            (None, Preset::Required | Preset::Absent) => None,
        }
    }
}

/// The kind itself, or each of its alternatives.
fn kinds(kind: &'static KeyKind) -> impl Iterator<Item = &'static KeyKind> {
    let several: &'static [KeyKind] = if let KeyKind::AnyOf(several) = kind { several } else { std::slice::from_ref(kind) };
    several.iter()
}

/// Checks a table without reading it.
pub(super) fn check_table(table: &Table, specs: &'static [KeySpec], path: &str, problems: &mut Vec<Problem>) {
    let found = sort_out(table, (specs, None), path, problems);
    check_found(&found, specs, (&table.place, path), problems);
}

/// Checks one form of a table that has several.
pub(super) fn check_variant(table: &Table, (tag, variant): (&'static str, &'static Variant), path: &str, problems: &mut Vec<Problem>) {
    let found = sort_out(table, (variant.keys, Some(tag)), path, problems);
    check_found(&found, variant.keys, (&table.place, path), problems);
}

/// Checks the values that were found, and that none is missing.
fn check_found(found: &[Option<Found<'_>>], specs: &'static [KeySpec], (place, path): (&Place, &str), problems: &mut Vec<Problem>) {
    for (spec, found) in specs.iter().zip(found) {
        let name = if path.is_empty() { spec.name.to_owned() } else { format!("{path}.{}", spec.name) };
        match (found, spec.kind, spec.preset) {
            (Some((key, _)), KeyKind::NotModelled(why), _) => {
                let what = format!("`{}` is a key of the real system that is not modelled", spec.name);
                problems.push(Problem::error(key.place.clone(), what).hint(why));
            }
            (Some((_, value)), _, _) => read::check(value, &spec.kind, &name, problems),
            (None, _, Preset::Required) => {
                let what =
                    if path.is_empty() { format!("`{}` is missing", spec.name) } else { format!("`{}` is missing in `{path}`", spec.name) };
                let hint =
                    if let KeyKind::Any = spec.kind { spec.doc.to_owned() } else { format!("{}: {}", spec.doc, spec.kind.expected()) };
                problems.push(Problem::error(place.clone(), what).hint(hint));
            }
            (None, _, Preset::Absent | Preset::Is(_)) => {}
        }
    }
}

/// Finds for each declared key its entry: dotted names are looked for both as one key and as tables in tables.
fn sort_out<'a>(
    table: &'a Table,
    (specs, tag): (&'static [KeySpec], Option<&'static str>),
    path: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Found<'a>>> {
    let mut found: Vec<Option<Found<'a>>> = vec![None; specs.len()];
    let mut waiting: Vec<(String, &'a Key, &'a Value)> =
        table.entries.iter().rev().map(|(key, value)| (key.name.clone(), key, value)).collect();
    while let Some((name, key, value)) = waiting.pop() {
        if tag == Some(name.as_str()) {
            continue;
        }
        let position = specs.iter().position(|spec| spec.name == name);
        let begins = specs.iter().any(|spec| spec.name.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.')));
        match (position, value.as_table()) {
            (position, Some(inner)) if begins && position.is_none_or(|at| !takes_table(&specs[at].kind)) => {
                waiting.extend(inner.entries.iter().rev().map(|(key, value)| (format!("{name}.{}", key.name), key, value)));
            }
            (Some(position), _) => match found[position] {
                Some(_) => problems.push(
                    Problem::error(key.place.clone(), format!("`{name}` is given twice")).hint("once as one quoted key, once in parts"),
                ),
                None => found[position] = Some((key, value)),
            },
            (None, _) => problems.push(unknown(&name, (key, value), (specs, tag), path)),
        }
    }
    found
}

fn takes_table(kind: &'static KeyKind) -> bool {
    kinds(kind).any(|kind| {
        matches!(kind, KeyKind::Table(_) | KeyKind::Map(_) | KeyKind::ByName(_) | KeyKind::Variants { .. } | KeyKind::Law | KeyKind::Any)
    })
}

/// The problem of a key that nobody declared, with the whole of it when it is written in parts.
fn unknown(name: &str, at: Found<'_>, (specs, tag): (&'static [KeySpec], Option<&'static str>), path: &str) -> Problem {
    let (name, place) = whole_key(name.to_owned(), at);
    let within = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
    let problem = Problem::error(place, format!("unknown key `{}`{within}", name.escape_debug()));
    let mut known: Vec<&str> = specs.iter().filter(|spec| !matches!(spec.kind, KeyKind::NotModelled(_))).map(|spec| spec.name).collect();
    known.extend(tag);
    let all = specs.iter().map(|spec| spec.name).chain(tag);
    let hint = match nearest(&name, all) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => did_you_mean(&name, &known),
    };
    with(problem, hint)
}

/// Follows a dotted key to its last part: `a.b.c = 1` is a table in a table, but one key to whoever wrote it.
fn whole_key(mut name: String, (key, value): Found<'_>) -> (String, Place) {
    let mut place = key.place.clone();
    let mut value = value;
    while let Some([(key, inner)]) = value.as_table().map(|table| table.entries.as_slice()) {
        let same = key.place.text == place.text && key.place.start > place.end;
        if !same || place.text.get(place.end..key.place.start).is_none_or(|between| between.trim() != ".") {
            break;
        }
        place.end = key.place.end;
        name = format!("{name}.{}", key.name);
        value = inner;
    }
    (name, place)
}
