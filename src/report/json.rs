//! `report.json`: the whole outcome, field by field as `docs/report-format.md` documents it.

use crate::run::Outcome;

/// The outcome as indented JSON, ending in a line break. Equal outcomes give equal bytes.
///
/// Times and spans are whole nanoseconds, digests are sixteen hexadecimal digits, absent values are `null`.
///
/// # Panics
/// Never: an outcome holds nothing that JSON cannot.
#[must_use]
pub fn render(outcome: &Outcome) -> String {
    let mut text = serde_json::to_string_pretty(outcome).expect("an outcome holds numbers, texts and lists only");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::report::fixture;

    const DOCUMENT: &str = include_str!("../../docs/report-format.md");

    /// Every path to a value, with `[]` for a place in a list.
    fn paths(value: &Value, at: &str, out: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                for (name, inner) in fields {
                    let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                    out.insert(path.clone());
                    paths(inner, &path, out);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| paths(item, &format!("{at}[]"), out)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The paths in the first column of the document's tables.
    fn documented() -> BTreeSet<String> {
        let first = |line: &str| line.strip_prefix("| `").and_then(|l| l.split_once('`')).map(|(path, _)| path.to_owned());
        DOCUMENT.lines().filter_map(first).collect()
    }

    #[test]
    fn every_field_is_documented_and_every_documented_field_exists() {
        let mut real = BTreeSet::new();
        for outcome in fixture::all() {
            paths(&serde_json::from_str(&render(&outcome)).unwrap(), "", &mut real);
        }
        let documented = documented();
        let missing: Vec<_> = real.difference(&documented).collect();
        let idle: Vec<_> = documented.difference(&real).collect();
        assert!(missing.is_empty() && idle.is_empty(), "not documented: {missing:#?}\ndocumented, but not there: {idle:#?}");
        assert!(real.len() > 150);
    }

    #[test]
    fn the_document_is_of_this_version() {
        let said = format!("This is format {}.", Outcome::FORMAT);
        assert!(DOCUMENT.contains(&said), "docs/report-format.md does not say: {said}");
    }

    #[test]
    fn values_survive_the_way_through_text() {
        for outcome in fixture::all() {
            let text = render(&outcome);
            let read: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read, serde_json::to_value(&outcome).unwrap());
            assert_eq!(serde_json::to_string_pretty(&read).unwrap() + "\n", text, "order and numbers are kept");
            let arm = &outcome.arms[0];
            assert_eq!(read["arms"][0]["shown"]["seed"].as_u64(), Some(arm.shown.seed));
            assert_eq!(read["arms"][0]["shown"]["digest"].as_str(), Some(arm.shown.digest.to_string().as_str()));
            assert_eq!(read["arms"][0]["shown"]["lasted"].as_u64(), Some(arm.shown.lasted.as_nanos()));
        }
    }
}
