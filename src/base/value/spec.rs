//! What a key is: drives reading, the JSON Schema, `deadletter list`, the documentation and "did you mean".

use super::read;
use super::{Key, Place, Value, thousandths_text};

/// One key that may stand in a table.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// The name. Names of real systems may have dots (`broker.id`); bare and quoted spellings both find them.
    pub name: &'static str,
    /// What stands behind it.
    pub kind: KeyKind,
    /// What holds when it is not written.
    pub preset: Preset,
    /// One sentence.
    pub doc: &'static str,
    /// The key of the source that the default or the meaning comes from; empty when it is our own.
    pub source: &'static str,
}

/// What holds when a key is not written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// That is an error.
    Required,
    /// Nothing: the getter answers `None`.
    Absent,
    /// This value, as it would be written (texts without quotes).
    Is(&'static str),
}

impl KeySpec {
    /// An optional key without a default.
    #[must_use]
    pub const fn new(name: &'static str, kind: KeyKind, doc: &'static str) -> KeySpec {
        KeySpec { name, kind, preset: Preset::Absent, doc, source: "" }
    }
    /// The same with a default.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> KeySpec {
        self.preset = Preset::Is(default);
        self
    }
    /// The same, but it must be written.
    #[must_use]
    pub const fn required(mut self) -> KeySpec {
        self.preset = Preset::Required;
        self
    }
    /// The same with the key of a source.
    #[must_use]
    pub const fn source(mut self, source: &'static str) -> KeySpec {
        self.source = source;
        self
    }
    /// A key of the real system that is known and refused, with the sentence why.
    #[must_use]
    pub const fn not_modelled(name: &'static str, why: &'static str) -> KeySpec {
        KeySpec::new(name, KeyKind::NotModelled(why), why)
    }
}

/// The kinds of values that a key may take.
#[derive(Clone, Copy, Debug)]
pub enum KeyKind {
    /// A span of time with its unit, such as `15ms`.
    Span,
    /// A span of time that the real system writes as a bare number in this unit; a text with a unit is read too.
    SpanIn {
        /// `ms`, `s`, …
        unit: &'static str,
        /// What the real system means by `-1`, read as the longest span; empty: `-1` is refused.
        minus_one: &'static str,
    },
    /// A span of time that may be negative, such as `-3ms`.
    SignedSpan,
    /// A probability, such as `0.1%`.
    Chance,
    /// A whole number that is not negative.
    Count {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A whole number with a sign.
    Integer {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// A number with at most three decimals, read exactly, in thousandths.
    Thousandths {
        /// The least, in thousandths.
        min: u64,
        /// The most, in thousandths.
        max: u64,
    },
    /// A size, such as `1KiB` or `64MB`; a bare number counts bytes.
    Bytes,
    /// Bytes per second, such as `100MB/s` or `1Gbit/s`.
    ByteRate,
    /// Events in a span of time, such as `500/s`.
    Rate,
    /// `true` or `false`.
    Flag,
    /// Any text.
    Text,
    /// One of several words, each with a sentence.
    Choice(&'static [(&'static str, &'static str)]),
    /// How a span of time is distributed: a span (constant) or a table `{ law = "…", … }`.
    Law,
    /// A list of such values.
    List(&'static KeyKind),
    /// A table with these keys.
    Table(&'static [KeySpec]),
    /// Named things, such as `queue.NAME = { … }`.
    Map(&'static KeyKind),
    /// Values by the names of things that are declared elsewhere; any text may be a name here.
    ByName(&'static KeyKind),
    /// A table whose other keys depend on the word behind one key.
    Variants {
        /// That key.
        tag: &'static str,
        /// The words and what stands beside each.
        of: &'static [Variant],
    },
    /// Any of several kinds that differ in how they are written.
    AnyOf(&'static [KeyKind]),
    /// Whom a fault concerns, such as `leader(orders/0)`.
    Selector,
    /// Any value; whoever asked for it looks at it himself.
    Any,
    /// A key of the real system that is known but not modelled, with the sentence why.
    NotModelled(&'static str),
}

/// One form of a table that has several.
#[derive(Clone, Copy, Debug)]
pub struct Variant {
    /// The word behind the tag.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// The keys beside the tag.
    pub keys: &'static [KeySpec],
}

impl KeyKind {
    /// What is expected, for messages: "a span of time such as `15ms`".
    #[must_use]
    pub fn expected(&self) -> String {
        match self {
            KeyKind::Span => "a span of time such as `15ms`".to_owned(),
            KeyKind::SpanIn { unit, .. } => format!("a span of time, a bare number counting {unit}"),
            KeyKind::SignedSpan => "a span of time such as `15ms` or `-15ms`".to_owned(),
            KeyKind::Chance => "a chance such as `0.1%`".to_owned(),
            KeyKind::Count { min, max: u64::MAX } => format!("a whole number from {min} on"),
            KeyKind::Count { min, max } => format!("a whole number from {min} to {max}"),
            KeyKind::Integer { min, max } => format!("a whole number from {min} to {max}"),
            KeyKind::Thousandths { min, max } => {
                format!("a number from {} to {} with at most three decimals", thousandths_text(*min), thousandths_text(*max))
            }
            KeyKind::Bytes => "a size such as `1KiB`".to_owned(),
            KeyKind::ByteRate => "bytes per second such as `100MB/s`".to_owned(),
            KeyKind::Rate => "a rate such as `500/s`".to_owned(),
            KeyKind::Flag => "`true` or `false`".to_owned(),
            KeyKind::Text => "a text".to_owned(),
            KeyKind::Choice(words) => format!("one of {}", list_words(words.iter().map(|(word, _)| *word))),
            KeyKind::Law => "a span of time or a law such as `{ law = \"uniform\", low = \"1ms\", high = \"10ms\" }`".to_owned(),
            KeyKind::List(of) => format!("a list, each item {}", of.expected()),
            KeyKind::Table(_) => "a table".to_owned(),
            KeyKind::Map(of) | KeyKind::ByName(of) => format!("a table of names, each {}", of.expected()),
            KeyKind::Variants { tag, of } => {
                format!("a table with `{tag}` = one of {}", list_words(of.iter().map(|variant| variant.name)))
            }
            KeyKind::AnyOf(kinds) => kinds.iter().map(KeyKind::expected).collect::<Vec<_>>().join(", or "),
            KeyKind::Selector => "a selector such as `b1`, `brokers`, `all`, `zone(a)`, `random(brokers)` or `leader(orders/0)`".to_owned(),
            KeyKind::Any => "a value".to_owned(),
            KeyKind::NotModelled(_) => "nothing: it is not modelled".to_owned(),
        }
    }
}

/// `` `a`, `b`, `c` ``
pub(super) fn list_words<'w>(words: impl Iterator<Item = &'w str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Asserts that a table of keys is in order: names differ, every key is documented, defaults are values of their kinds.
/// For the tests of whoever declares keys.
///
/// # Panics
/// When it is not, with the sentence.
pub fn prove(specs: &'static [KeySpec]) {
    for (at, spec) in specs.iter().enumerate() {
        assert!(!spec.name.is_empty() && !spec.doc.is_empty(), "key `{}` is not documented", spec.name);
        assert!(specs[..at].iter().all(|other| other.name != spec.name), "key `{}` is declared twice", spec.name);
        if let Preset::Is(text) = spec.preset {
            let value = default_value(spec, text);
            let mut problems = Vec::new();
            read::check(&value, &spec.kind, spec.name, &mut problems);
            assert!(problems.is_empty(), "the default `{text}` of key `{}` is refused: {problems:?}", spec.name);
        }
        prove_kind(&spec.kind, spec.name);
    }
}

fn prove_kind(kind: &'static KeyKind, name: &str) {
    match kind {
        KeyKind::List(of) | KeyKind::Map(of) | KeyKind::ByName(of) => prove_kind(of, name),
        KeyKind::Table(keys) => prove(keys),
        KeyKind::AnyOf(kinds) => kinds.iter().for_each(|kind| prove_kind(kind, name)),
        KeyKind::Variants { tag, of } => {
            for variant in *of {
                assert!(!variant.doc.is_empty(), "`{}` of key `{name}` is not documented", variant.name);
                assert!(variant.keys.iter().all(|key| key.name != *tag), "`{}` of key `{name}` declares the tag again", variant.name);
                prove(variant.keys);
            }
        }
        KeyKind::Choice(words) => assert!(!words.is_empty(), "key `{name}` has no choice"),
        KeyKind::Count { min, max } => assert!(min <= max, "key `{name}` has an empty range"),
        KeyKind::Integer { min, max } => assert!(min <= max, "key `{name}` has an empty range"),
        KeyKind::Thousandths { min, max } => assert!(min <= max, "key `{name}` has an empty range"),
        KeyKind::Span
        | KeyKind::SpanIn { .. }
        | KeyKind::SignedSpan
        | KeyKind::Chance
        | KeyKind::Bytes
        | KeyKind::ByteRate
        | KeyKind::Rate
        | KeyKind::Flag
        | KeyKind::Text
        | KeyKind::Law
        | KeyKind::Selector
        | KeyKind::Any
        | KeyKind::NotModelled(_) => {}
    }
}

/// A default as a value: what TOML reads in it, or else a text.
pub(super) fn default_value(spec: &KeySpec, text: &str) -> Value {
    let (table, problems) = super::Table::parse("default", &format!("it = {text}"));
    let mut entries = table.entries;
    match (problems.is_empty(), entries.pop()) {
        (true, Some((_, value))) if entries.is_empty() => value,
        (_, _) => Value { place: nowhere(spec.name), kind: super::ValueKind::Text(text.to_owned()) },
    }
}

/// A place outside every file, for values that nobody wrote.
fn nowhere(name: &str) -> Place {
    Place { file: "default".into(), text: name.into(), start: 0, end: 0 }
}

/// A key with its value, as found in a table.
pub(super) type Found<'a> = (&'a Key, &'a Value);
