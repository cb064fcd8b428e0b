//! A checked table as TOML again: every key with what holds for it, each value in one spelling.

use super::read;
use super::spec::default_value;
use super::{
    KeyKind, KeySpec, Preset, Reader, Value, ValueKind, bytes_text, key_text, law_text, laws, quoted, rate_text, thousandths_text,
};
use crate::base::Span;

impl Reader<'_> {
    /// The table as TOML lines, one for each key that is written or has a default. Two tables that mean the same, key by
    /// key, give the same lines, and reading the lines gives them again.
    ///
    /// ```
    /// use deadletter::base::value::{KeyKind, KeySpec, Reader, Table};
    /// const KEYS: &[KeySpec] = &[
    ///     KeySpec::new("timeout", KeyKind::Span, "how long to wait").or("1s"),
    ///     KeySpec::new("tries", KeyKind::Count { min: 1, max: 9 }, "how often to ask").or("3"),
    ///     KeySpec::new("window", KeyKind::Bytes, "how much may be under way"),
    /// ];
    /// let (table, mut problems) = Table::parse("a.toml", "timeout = \"1500ms\"");
    /// let reader = Reader::new(&table, KEYS, "call", &mut problems);
    /// assert_eq!(reader.resolved(), "timeout = \"1.5s\"\ntries = 3\n");
    /// ```
    #[must_use]
    pub fn resolved(&self) -> String {
        self.parts().into_iter().map(|part| part + "\n").collect()
    }

    /// Each key with its value.
    fn parts(&self) -> Vec<String> {
        self.specs.iter().filter_map(|spec| self.part(spec)).collect()
    }

    fn part(&self, spec: &'static KeySpec) -> Option<String> {
        let text = match (self.value(spec.name), spec.preset) {
            (Some(value), _) => text(value, &spec.kind),
            (None, Preset::Is(default)) => text(&default_value(spec, default), &spec.kind),
            (None, Preset::Required | Preset::Absent) => return None,
        };
        Some(format!("{} = {text}", key_text(spec.name)))
    }
}

/// A checked value, on one line.
///
/// # Panics
/// When the value is not of this kind: whoever opened the reader has seen the problem and prints nothing.
fn text(value: &Value, kind: &'static KeyKind) -> String {
    const RIGHT: &str = "the table was checked";
    match kind {
        KeyKind::Span => quoted(&read::span(value).expect(RIGHT).to_string()),
        KeyKind::SpanIn { minus_one, .. } => match read::span_in(value, kind).expect(RIGHT) {
            Span::MAX if !minus_one.is_empty() => "-1".to_owned(),
            span => quoted(&span.to_string()),
        },
        KeyKind::SignedSpan => {
            let nanos = read::signed_span(value).expect(RIGHT);
            let sign = if nanos < 0 { "-" } else { "" };
            quoted(&format!("{sign}{}", Span::nanos(nanos.unsigned_abs())))
        }
        KeyKind::Chance => quoted(&read::chance(value).expect(RIGHT).to_string()),
        KeyKind::Count { min, max } => read::count(value, *min, *max).expect(RIGHT).to_string(),
        KeyKind::Integer { min, max } => read::integer(value, *min, *max).expect(RIGHT).to_string(),
        KeyKind::Thousandths { min, max } => thousandths_text(read::thousandths(value, *min, *max).expect(RIGHT)),
        KeyKind::Bytes => quoted(&bytes_text(read::bytes(value).expect(RIGHT))),
        KeyKind::ByteRate => quoted(&format!("{}/s", bytes_text(read::byte_rate(value).expect(RIGHT)))),
        KeyKind::Rate => quoted(&rate_text(read::rate(value).expect(RIGHT))),
        KeyKind::Choice(words) => quoted(read::choice(value, words).expect(RIGHT)),
        KeyKind::Law => law_text(&laws::law(value).expect(RIGHT)),
        KeyKind::Flag | KeyKind::Text | KeyKind::Selector | KeyKind::Any | KeyKind::NotModelled(_) => as_written(value),
        KeyKind::List(of) => listed(value.as_list().expect(RIGHT).iter().map(|item| text(item, of))),
        KeyKind::Table(keys) => braced(Reader::checked(value.as_table().expect(RIGHT), keys, "").parts()),
        KeyKind::Map(of) | KeyKind::ByName(of) => braced(
            value.as_table().expect(RIGHT).entries.iter().map(|(key, value)| format!("{} = {}", key_text(&key.name), text(value, of))),
        ),
        KeyKind::Variants { tag, of } => {
            let table = value.as_table().expect(RIGHT);
            let word = table.get(tag).and_then(Value::as_text).expect(RIGHT);
            let variant = of.iter().find(|variant| variant.name == word).expect(RIGHT);
            let tagged = format!("{tag} = {}", quoted(word));
            braced(std::iter::once(tagged).chain(Reader::variant_of(table, (tag, variant)).parts()))
        }
        KeyKind::AnyOf(kinds) => text(value, kinds.iter().find(|kind| is_of(value, kind)).expect(RIGHT)),
    }
}

/// Whether a value is of a kind.
fn is_of(value: &Value, kind: &'static KeyKind) -> bool {
    let mut problems = Vec::new();
    read::check(value, kind, "", &mut problems);
    problems.is_empty()
}

/// A value that has only one spelling, or nobody but its reader knows what it means.
fn as_written(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => quoted(text),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::Float(text) | ValueKind::DateTime(text) => text.clone(),
        ValueKind::Flag(flag) => flag.to_string(),
        ValueKind::List(items) => listed(items.iter().map(as_written)),
        ValueKind::Table(table) => {
            braced(table.entries.iter().map(|(key, value)| format!("{} = {}", key_text(&key.name), as_written(value))))
        }
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn braced(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().collect();
    if parts.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::value::{Table, Variant};

    const NESTED: &[KeySpec] = &[
        KeySpec::new("partitions", KeyKind::Count { min: 1, max: 100 }, "how many").or("1"),
        KeySpec::new("compact", KeyKind::Flag, "whether").or("false"),
    ];
    const SHAPES: KeyKind = KeyKind::Variants {
        tag: "shape",
        of: &[
            Variant { name: "round", doc: "a ball", keys: &[KeySpec::new("radius", KeyKind::Bytes, "size").required()] },
            Variant { name: "flat", doc: "a sheet", keys: NESTED },
        ],
    };
    const KEYS: &[KeySpec] = &[
        KeySpec::new("broker.id", KeyKind::Count { min: 0, max: 9 }, "number"),
        KeySpec::new("retention.ms", KeyKind::SpanIn { unit: "ms", minus_one: "for ever" }, "age").or("604800000"),
        KeySpec::new("acks", KeyKind::Choice(&[("0", "none"), ("all", "all in sync")]), "acknowledgement").or("all"),
        KeySpec::new("delay", KeyKind::Law, "delay").or("1ms"),
        KeySpec::new("rate", KeyKind::Rate, "rate").or("500/s"),
        KeySpec::new("speed", KeyKind::ByteRate, "speed").or("1Gbit/s"),
        KeySpec::new("loss", KeyKind::Chance, "loss").or("0.1%"),
        KeySpec::new("skew", KeyKind::SignedSpan, "skew").or("-3ms"),
        KeySpec::new("factor", KeyKind::Thousandths { min: 0, max: 9_000 }, "factor").or("1.50"),
        KeySpec::new("sync", KeyKind::AnyOf(&[KeyKind::Count { min: 1, max: 9 }, KeyKind::Span]), "how often").or("5ms"),
        KeySpec::new("topic", KeyKind::Map(&KeyKind::Table(NESTED)), "topics"),
        KeySpec::new("defaults", KeyKind::Table(NESTED), "defaults").or("{}"),
        KeySpec::new("shape", SHAPES, "shape").or("{ shape = \"flat\" }"),
        KeySpec::new("names", KeyKind::List(&KeyKind::Text), "names"),
        KeySpec::new("free", KeyKind::Any, "anything"),
    ];

    #[track_caller]
    fn resolved(text: &str) -> String {
        let (table, mut problems) = Table::parse("t.toml", text);
        let reader = Reader::new(&table, KEYS, "it", &mut problems);
        assert!(problems.is_empty(), "{text}\n{problems:?}");
        reader.resolved()
    }

    #[test]
    fn every_kind_is_printed_and_reads_the_same() {
        let all = "broker.id = 7\nretention.ms = -1\nacks = 0\ndelay = { law = \"uniform\", low = \"1000us\", high = \"2ms\" }\n\
            rate = \"60/min\"\nspeed = \"8Mbit/s\"\nloss = 0.5\nskew = \"+2000us\"\nfactor = 2.500\nsync = 3\n\
            topic.orders.partitions = 6\ntopic.\"my.own\" = {}\ndefaults = { compact = true }\n\
            shape = { shape = \"round\", radius = 1024 }\nnames = [\"a\", \"say \\\"b\\\"\"]\nfree = { x = [1, 2.5, true] }";
        let lines = resolved(all);
        let expected = [
            "\"broker.id\" = 7",
            "\"retention.ms\" = -1",
            "acks = \"0\"",
            "rate = \"1/s\"",
            "loss = \"50%\"",
            "skew = \"2ms\"",
            "factor = 2.5",
            "sync = 3",
            "topic = { orders = { partitions = 6, compact = false }, \"my.own\" = { partitions = 1, compact = false } }",
            "defaults = { partitions = 1, compact = true }",
            "shape = { shape = \"round\", radius = \"1KiB\" }",
            "names = [\"a\", \"say \\\"b\\\"\"]",
            "free = { x = [1, 2.5, true] }",
        ];
        for line in expected {
            assert!(lines.lines().any(|found| found == line), "{line}\nis not in\n{lines}");
        }
        assert_eq!(resolved(&lines), lines);
    }

    #[test]
    fn defaults_are_printed_and_read_the_same() {
        let lines = resolved("");
        for line in
            ["acks = \"all\"", "sync = \"5ms\"", "skew = \"-3ms\"", "defaults = { partitions = 1, compact = false }", "factor = 1.5"]
        {
            assert!(lines.lines().any(|found| found == line), "{line}\nis not in\n{lines}");
        }
        assert!(!lines.contains("broker.id") && !lines.contains("topic"), "{lines}");
        assert_eq!(resolved(&lines), lines);
    }
}
