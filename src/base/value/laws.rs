//! Laws of time as they are written in files.

use crate::base::{Law, Problem};

use super::{KeyKind, KeySpec, Reader, Value, ValueKind, Variant, quoted, read};

/// The laws a file may name, with their keys.
pub const LAWS: &[Variant] = &[
    Variant { name: "constant", doc: "always the same", keys: &[KeySpec::new("value", KeyKind::Span, "the span").required()] },
    Variant {
        name: "uniform",
        doc: "every nanosecond between two alike",
        keys: &[
            KeySpec::new("low", KeyKind::Span, "the shortest span").required(),
            KeySpec::new("high", KeyKind::Span, "the longest span").required(),
        ],
    },
];

/// How a table names its law.
const TABLE: KeyKind = KeyKind::Variants { tag: "law", of: LAWS };
/// The same, as a key, so that a reader can open it.
const AS_KEY: &[KeySpec] = &[KeySpec::new("law", TABLE, "a law")];

/// Checks that a value is a law.
pub(super) fn check(value: &Value, path: &str, problems: &mut Vec<Problem>) {
    if let ValueKind::Table(_) = value.kind {
        let before = problems.len();
        read::check(value, &AS_KEY[0].kind, path, problems);
        if problems.len() == before
            && let Err(problem) = law(value)
        {
            problems.push(problem);
        }
        return;
    }
    if let Err(problem) = read::span(value) {
        problems.push(problem);
    }
}

/// A law.
pub(super) fn law(value: &Value) -> Result<Law, Problem> {
    let Some(table) = value.as_table() else {
        return read::span(value).map(Law::Constant);
    };
    let wrong = || Problem::error(value.place.clone(), "this law is not complete");
    let written = table.get("law").and_then(Value::as_text).ok_or_else(wrong)?;
    let variant = LAWS.iter().find(|variant| variant.name == written).ok_or_else(wrong)?;
    let keys = Reader::variant_of(table, ("law", variant));
    let span = |key: &str| keys.span(key).ok_or_else(wrong);
    match variant.name {
        "constant" => Ok(Law::Constant(span("value")?)),
        "uniform" => {
            let (low, high) = (span("low")?, span("high")?);
            if low > high {
                return Err(Problem::error(keys.place_of("low"), format!("`low` ({low}) is above `high` ({high})")));
            }
            Ok(Law::Uniform { low, high })
        }
        other => unreachable!("`{other}` is in the table of laws"),
    }
}

/// A law as it is written in a file.
#[must_use]
pub fn law_text(law: &Law) -> String {
    match law {
        Law::Constant(span) => quoted(&span.to_string()),
        Law::Uniform { low, high } => format!("{{ law = \"uniform\", low = \"{low}\", high = \"{high}\" }}"),
    }
}
