//! A table as written, over what holds in the version when it is silent.

use crate::base::value::{Reader, Value};
use crate::base::{Place, Problem, Span};

use super::super::config::Version;
use super::super::presets::{self, Cell, Part, Presets};

/// What Kafka's whole numbers can be at most.
const INT_MAX: u64 = 2_147_483_647;

/// A table of Kafka's keys in a version.
#[derive(Clone, Debug)]
pub(super) struct Section<'a> {
    written: Reader<'a>,
    presets: Reader<'a>,
    part: Part,
    pub(super) version: Version,
}

impl<'a> Section<'a> {
    /// A table of a part's keys.
    pub(super) fn new(written: &Reader<'a>, part: Part, (version, presets): (Version, &'a Presets)) -> Section<'a> {
        Section { written: written.clone(), presets: presets.reader(part), part, version }
    }

    /// The same table as one of another part.
    pub(super) fn as_part(&self, part: Part, presets: &'a Presets) -> Section<'a> {
        Section { presets: presets.reader(part), part, ..self.clone() }
    }

    /// The table itself, for keys of ours.
    pub(super) const fn own(&self) -> &Reader<'a> {
        &self.written
    }

    /// Refuses keys that the version does not have.
    pub(super) fn refuse_unknown(&self, problems: &mut Vec<Problem>) {
        for row in presets::rows().filter(|row| row.part == self.part) {
            if matches!(row.in_version(self.version), Cell::Not(_) | Cell::Nothing) && self.has(row.key) {
                let what = format!("Kafka {} has no key `{}`", self.version.name(), row.key);
                problems.push(Problem::error(self.place_of(row.key), what).hint(format!("it {}", last(row.history))));
            }
        }
    }

    /// Refuses written keys that mean nothing beside something else.
    pub(super) fn refuse_idle(&self, keys: &[&str], (belongs, hint): (&str, &str), problems: &mut Vec<Problem>) {
        for key in keys.iter().filter(|key| self.has(key)) {
            problems.push(Problem::error(self.place_of(key), format!("`{key}` belongs to {belongs}")).hint(hint));
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.written.has(key)
    }

    /// Where a key's value stands, or else the table.
    pub(super) fn place_of(&self, key: &str) -> Place {
        self.written.place_of(key)
    }

    /// Where it is written, or else what holds in the version.
    fn source(&self, key: &str) -> &Reader<'a> {
        if self.has(key) { &self.written } else { &self.presets }
    }

    pub(super) fn span(&self, key: &str) -> Option<Span> {
        self.stated(key)?.span(key)
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.stated(key)?.flag(key)
    }

    pub(super) fn choice(&self, key: &str) -> Option<&'static str> {
        self.stated(key)?.choice(key)
    }

    pub(super) fn count(&self, key: &str) -> Option<u64> {
        self.stated(key)?.count(key)
    }

    pub(super) fn integer(&self, key: &str) -> Option<i64> {
        self.stated(key)?.integer(key)
    }

    pub(super) fn thousandths(&self, key: &str) -> Option<u64> {
        self.stated(key)?.thousandths(key)
    }

    pub(super) fn bytes(&self, key: &str) -> Option<u64> {
        self.stated(key)?.bytes(key)
    }

    /// A whole number that fits 32 bits.
    pub(super) fn small(&self, key: &str) -> Option<u32> {
        u32::try_from(self.count(key)?).ok()
    }

    /// A size that Kafka keeps in a whole number of 32 bits.
    pub(super) fn int_bytes(&self, key: &str, problems: &mut Vec<Problem>) -> Option<u32> {
        let bytes = self.bytes(key)?;
        if bytes > INT_MAX {
            problems.push(Problem::error(self.place_of(key), format!("`{key}` is at most {INT_MAX} in Kafka")));
        }
        u32::try_from(bytes.min(INT_MAX)).ok()
    }

    /// The written value, or the version's; a key of the table that is neither is `None`.
    fn stated(&self, key: &str) -> Option<&Reader<'a>> {
        let source = self.source(key);
        source.has(key).then_some(source)
    }
}

/// Of "it was so before; it went", the last.
fn last(history: &str) -> &str {
    history.rsplit("; it ").next().unwrap_or(history)
}

/// What the items of a key with one or several texts are.
pub(super) fn texts<'a>(reader: &Reader<'a>, key: &str) -> Vec<(&'a str, &'a Value)> {
    match reader.value(key) {
        Some(value) => match value.as_text() {
            Some(text) => vec![(text, value)],
            None => reader.texts(key),
        },
        None => Vec::new(),
    }
}
