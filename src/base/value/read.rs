//! Reading single values: from what was written to what it means, or a problem with a hint.

use crate::base::number::decimal;
use crate::base::{Chance, Problem, Span};

use super::spec::list_words;
use super::{Key, KeyKind, Value, ValueKind, Variant, did_you_mean, laws, reader};

/// Events in a span of time, in lowest terms: `500/s` is one in 2 ms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventRate {
    /// How many events …
    pub events: u64,
    /// … in how much time; never zero.
    pub per: Span,
}

/// Whether a text may name a thing: letters, digits, `-`, `_` and `.`, beginning with a letter or digit, at most 249 bytes
/// (as topics in Kafka).
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && text.len() <= 249
}

/// Checks a value and everything below it against a kind.
pub(super) fn check(value: &Value, kind: &'static KeyKind, path: &str, problems: &mut Vec<Problem>) {
    let result = match kind {
        KeyKind::Span => span(value).map(drop),
        KeyKind::SpanIn { .. } => span_in(value, kind).map(drop),
        KeyKind::SignedSpan => signed_span(value).map(drop),
        KeyKind::Chance => chance(value).map(drop),
        KeyKind::Count { min, max } => count(value, *min, *max).map(drop),
        KeyKind::Integer { min, max } => integer(value, *min, *max).map(drop),
        KeyKind::Thousandths { min, max } => thousandths(value, *min, *max).map(drop),
        KeyKind::Bytes => bytes(value).map(drop),
        KeyKind::ByteRate => byte_rate(value).map(drop),
        KeyKind::Rate => rate(value).map(drop),
        KeyKind::Flag => flag(value).map(drop),
        KeyKind::Text | KeyKind::Selector => text(value, kind).map(drop),
        KeyKind::Choice(words) => choice(value, words).map(drop),
        KeyKind::Any => Ok(()),
        KeyKind::NotModelled(why) => Err(Problem::error(value.place.clone(), format!("`{path}` is not modelled: {why}"))),
        KeyKind::Law => {
            laws::check(value, path, problems);
            Ok(())
        }
        KeyKind::List(of) => check_list(value, of, path, problems),
        KeyKind::Table(keys) => check_table(value, keys, path, problems),
        KeyKind::Map(of) => check_map(value, (of, true), path, problems),
        KeyKind::ByName(of) => check_map(value, (of, false), path, problems),
        KeyKind::Variants { tag, of } => check_variants(value, (tag, of), path, problems),
        KeyKind::AnyOf(kinds) => check_any(value, kinds, path, problems),
    };
    if let Err(problem) = result {
        problems.push(problem);
    }
}

fn check_list(value: &Value, of: &'static KeyKind, path: &str, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let Some(items) = value.as_list() else {
        return Err(mismatch(value, &format!("a list, each item {}", of.expected())).hint("put it in brackets: `[ … ]`"));
    };
    for item in items {
        check(item, of, path, problems);
    }
    Ok(())
}

fn check_table(value: &Value, keys: &'static [super::KeySpec], path: &str, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let Some(table) = value.as_table() else {
        let known: Vec<&str> = keys.iter().map(|key| key.name).take(8).collect();
        return Err(mismatch(value, "a table").hint(format!("its keys are {}", list_words(known.into_iter()))));
    };
    reader::check_table(table, keys, path, problems);
    Ok(())
}

fn check_map(value: &Value, (of, named): (&'static KeyKind, bool), path: &str, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let Some(table) = value.as_table() else {
        return Err(mismatch(value, "a table of names").hint(format!("write `{path}.NAME = …`")));
    };
    for (key, entry) in &table.entries {
        if named {
            check_name(key, problems);
        }
        let before = problems.len();
        check(entry, of, &format!("{path}.{}", super::key_text(&key.name)), problems);
        if entry.as_table().is_some() && written_in_parts(entry) {
            name_with_dots(key, &mut problems[before..]);
        }
    }
    Ok(())
}

/// Whether a table is neither in braces nor under a header of its own.
fn written_in_parts(value: &Value) -> bool {
    let begins = value.place.text.get(value.place.start..).unwrap_or("");
    !begins.starts_with(['{', '['])
}

/// An unknown key below a name that is written in parts: most likely the name has a dot.
fn name_with_dots(key: &Key, problems: &mut [Problem]) {
    for problem in problems.iter_mut().filter(|problem| problem.what.starts_with("unknown key")) {
        if problem.hint.as_ref().is_none_or(|hint| !hint.starts_with("did you mean")) {
            problem.hint = Some(format!("a name with dots is one key and stands in quotes: `\"{}.…\"`", key.name));
        }
    }
}

fn check_name(key: &Key, problems: &mut Vec<Problem>) {
    if !is_name(&key.name) {
        problems.push(
            Problem::error(key.place.clone(), format!("`{}` cannot be a name", key.name.escape_debug()))
                .hint("names have letters, digits, `-`, `_` and `.`, and begin with a letter or digit"),
        );
    }
}

fn check_variants(
    value: &Value,
    (tag, of): (&'static str, &'static [Variant]),
    path: &str,
    problems: &mut Vec<Problem>,
) -> Result<(), Problem> {
    let names: Vec<&str> = of.iter().map(|variant| variant.name).collect();
    let example = || format!("write `{{ {tag} = \"{}\", … }}`; {tag} is one of {}", names[0], list_words(names.iter().copied()));
    let Some(table) = value.as_table() else {
        return Err(mismatch(value, "a table").hint(example()));
    };
    let Some(word) = table.get(tag) else {
        return Err(Problem::error(table.place.clone(), format!("`{path}` does not say which `{tag}`")).hint(example()));
    };
    let Some(written) = word.as_text() else {
        return Err(mismatch(word, &format!("one of {}", list_words(names.iter().copied()))));
    };
    let Some(variant) = of.iter().find(|variant| variant.name == written) else {
        let problem = Problem::error(word.place.clone(), format!("unknown {tag} `{written}`"));
        return Err(with(problem, did_you_mean(written, &names)));
    };
    reader::check_variant(table, (tag, variant), path, problems);
    Ok(())
}

fn check_any(value: &Value, kinds: &'static [KeyKind], path: &str, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let mut found: Vec<Vec<Problem>> = Vec::new();
    for kind in kinds {
        let mut own = Vec::new();
        check(value, kind, path, &mut own);
        if own.is_empty() {
            return Ok(());
        }
        found.push(own);
    }
    // The alternative that is written in the same way as the value is the one that was meant.
    let mut same_way = kinds.iter().zip(found).filter(|(kind, _)| writes_as(kind, &value.kind));
    if let (Some((_, own)), None) = (same_way.next(), same_way.next()) {
        problems.extend(own);
        return Ok(());
    }
    let expected: Vec<String> = kinds.iter().map(KeyKind::expected).collect();
    Err(mismatch(value, &expected.join(", or ")))
}

/// Whether values of a kind are written as this kind of TOML value.
fn writes_as(kind: &KeyKind, written: &ValueKind) -> bool {
    match kind {
        KeyKind::Table(_) | KeyKind::Map(_) | KeyKind::ByName(_) | KeyKind::Variants { .. } => matches!(written, ValueKind::Table(_)),
        KeyKind::List(_) => matches!(written, ValueKind::List(_)),
        KeyKind::Law => matches!(written, ValueKind::Table(_) | ValueKind::Text(_)),
        KeyKind::Count { .. } | KeyKind::Integer { .. } => matches!(written, ValueKind::Integer(_)),
        KeyKind::Thousandths { .. } => matches!(written, ValueKind::Integer(_) | ValueKind::Float(_)),
        KeyKind::Flag => matches!(written, ValueKind::Flag(_)),
        KeyKind::Span
        | KeyKind::SpanIn { .. }
        | KeyKind::SignedSpan
        | KeyKind::Chance
        | KeyKind::Bytes
        | KeyKind::ByteRate
        | KeyKind::Rate
        | KeyKind::Text
        | KeyKind::Selector
        | KeyKind::Choice(_) => matches!(written, ValueKind::Text(_)),
        KeyKind::AnyOf(kinds) => kinds.iter().any(|kind| writes_as(kind, written)),
        KeyKind::Any => true,
        KeyKind::NotModelled(_) => false,
    }
}

/// "expected …, found …".
fn mismatch(value: &Value, expected: &str) -> Problem {
    Problem::error(value.place.clone(), format!("expected {expected}, found {}", found(value)))
}

/// A value in words, shortened.
fn found(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => format!("the text `{}`", shortened(text)),
        ValueKind::Integer(number) => format!("`{number}`"),
        ValueKind::Float(text) | ValueKind::DateTime(text) => format!("`{}`", shortened(text)),
        ValueKind::Flag(flag) => format!("`{flag}`"),
        ValueKind::List(_) | ValueKind::Table(_) => value.kind.name().to_owned(),
    }
}

/// The first 40 characters of a text, on one line.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect::<String>().escape_debug().to_string();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}

/// A problem with a hint, if there is one.
pub(super) fn with(problem: Problem, hint: Option<String>) -> Problem {
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

/// A number that stands bare in the file.
fn bare_number(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Integer(number) => Some(number.to_string()),
        ValueKind::Float(text) => Some(text.clone()),
        ValueKind::Text(_) | ValueKind::Flag(_) | ValueKind::List(_) | ValueKind::Table(_) | ValueKind::DateTime(_) => None,
    }
}

/// A span of time.
pub(super) fn span(value: &Value) -> Result<Span, Problem> {
    if let Some(number) = bare_number(value) {
        let problem = Problem::error(value.place.clone(), format!("`{number}` has no unit"));
        return Err(problem.hint(format!("did you mean `\"{number}ms\"`? (units: ns, us, ms, s, m, h, d, y)")));
    }
    let Some(text) = value.as_text() else {
        return Err(mismatch(value, &KeyKind::Span.expected()));
    };
    text.parse::<Span>().map_err(|error| sentence(value, &error.to_string()))
}

/// Splits "what; hint" messages of the parsers on the ground floor.
fn sentence(value: &Value, message: &str) -> Problem {
    let place = value.place.clone();
    if let Some((what, hint)) = message.split_once("; ") {
        return Problem::error(place, what).hint(hint);
    }
    match message.split_once(" (units: ") {
        Some((what, units)) => Problem::error(place, what).hint(format!("units: {}", units.trim_end_matches(')'))),
        None => Problem::error(place, message),
    }
}

/// A span in the real system's unit.
pub(super) fn span_in(value: &Value, kind: &KeyKind) -> Result<Span, Problem> {
    let KeyKind::SpanIn { unit, minus_one } = kind else { unreachable!("only spans with a unit come here") };
    if let ValueKind::Integer(number) = &value.kind {
        if *number == -1 && !minus_one.is_empty() {
            return Ok(Span::MAX);
        }
        return format!("{number}{unit}").parse::<Span>().map_err(|_| mismatch(value, &kind.expected()));
    }
    match value.as_text() {
        Some(_) => span(value),
        None => Err(mismatch(value, &kind.expected())),
    }
}

/// A span with a sign, in nanoseconds.
pub(super) fn signed_span(value: &Value) -> Result<i64, Problem> {
    let Some(text) = value.as_text() else {
        return span(value).map(|_| 0);
    };
    let (sign, rest) = match text.trim().strip_prefix(['-', '−']) {
        Some(rest) => (-1, rest),
        None => (1, text.trim().strip_prefix('+').unwrap_or(text)),
    };
    let span = rest.parse::<Span>().map_err(|error| sentence(value, &error.to_string()))?;
    let nanos = i64::try_from(span.as_nanos());
    nanos.map(|nanos| sign * nanos).map_err(|_| Problem::error(value.place.clone(), format!("`{text}` is too long: at most 292 years")))
}

/// A probability.
pub(super) fn chance(value: &Value) -> Result<Chance, Problem> {
    let text = bare_number(value).or_else(|| value.as_text().map(str::to_owned));
    let Some(text) = text else {
        return Err(mismatch(value, &KeyKind::Chance.expected()));
    };
    text.parse::<Chance>().map_err(|error| sentence(value, &error.to_string()))
}

/// A number that is not negative.
pub(super) fn count(value: &Value, min: u64, max: u64) -> Result<u64, Problem> {
    let kind = KeyKind::Count { min, max };
    let ValueKind::Integer(number) = &value.kind else {
        let problem = mismatch(value, &kind.expected());
        let bare = value.as_text().filter(|text| text.parse::<u64>().is_ok());
        return Err(with(problem, bare.map(|text| format!("write it without quotes: `{text}`"))));
    };
    match u64::try_from(*number) {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        Ok(_) | Err(_) => Err(mismatch(value, &kind.expected())),
    }
}

/// A number with a sign.
pub(super) fn integer(value: &Value, min: i64, max: i64) -> Result<i64, Problem> {
    match &value.kind {
        ValueKind::Integer(number) if (min..=max).contains(number) => Ok(*number),
        ValueKind::Integer(_)
        | ValueKind::Text(_)
        | ValueKind::Float(_)
        | ValueKind::Flag(_)
        | ValueKind::List(_)
        | ValueKind::Table(_)
        | ValueKind::DateTime(_) => Err(mismatch(value, &KeyKind::Integer { min, max }.expected())),
    }
}

/// A number with at most three decimals, in thousandths.
pub(super) fn thousandths(value: &Value, min: u64, max: u64) -> Result<u64, Problem> {
    let number = bare_number(value).and_then(|number| decimal(&number, 1000)).and_then(|wide| u64::try_from(wide).ok());
    number.filter(|number| (min..=max).contains(number)).ok_or_else(|| mismatch(value, &KeyKind::Thousandths { min, max }.expected()))
}

/// The units of sizes.
pub(super) const SIZES: [(&str, u64); 12] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("kB", 1_000),
    ("KB", 1_000),
    ("kiB", 1 << 10),
    ("B", 1),
    ("", 0),
];

/// A size in bytes.
pub(super) fn bytes(value: &Value) -> Result<u64, Problem> {
    if let ValueKind::Integer(number) = &value.kind {
        return u64::try_from(*number).map_err(|_| mismatch(value, &KeyKind::Bytes.expected()));
    }
    let Some(text) = value.as_text() else {
        return Err(mismatch(value, &KeyKind::Bytes.expected()));
    };
    size(value, text, text.trim())
}

fn size(value: &Value, whole: &str, text: &str) -> Result<u64, Problem> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(text.len());
    let (number, unit) = (&text[..digits], text[digits..].trim());
    if number.is_empty() {
        return Err(mismatch(value, &KeyKind::Bytes.expected()));
    }
    if unit.is_empty() {
        let problem = Problem::error(value.place.clone(), format!("`{}` has no unit", shortened(whole)));
        return Err(problem.hint(format!("did you mean `{number}B` or `{number}KiB`? (units: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB)")));
    }
    let Some((_, scale)) = SIZES.iter().find(|(name, scale)| *name == unit && *scale > 0) else {
        let problem = Problem::error(value.place.clone(), format!("`{}` is not a unit of size", shortened(unit)));
        let near = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(name, _)| format!("did you mean `{name}`?"));
        return Err(problem.hint(near.unwrap_or_else(|| "units: B, kB, KiB, MB, MiB, GB, GiB, TB, TiB".to_owned())));
    };
    let wide = decimal(number, u128::from(*scale)).and_then(|wide| u64::try_from(wide).ok());
    wide.ok_or_else(|| Problem::error(value.place.clone(), format!("`{}` is not a whole number of bytes below 2^64", shortened(whole))))
}

/// Bytes per second.
pub(super) fn byte_rate(value: &Value) -> Result<u64, Problem> {
    let text = value.as_text().ok_or_else(|| mismatch(value, &KeyKind::ByteRate.expected()))?;
    let trimmed = text.trim();
    let Some(amount) = trimmed.strip_suffix("/s").or_else(|| trimmed.strip_suffix("ps")) else {
        let problem = Problem::error(value.place.clone(), format!("`{}` does not say in what time", shortened(text)));
        return Err(problem.hint(format!("did you mean `{}/s`?", shortened(trimmed))));
    };
    let amount = amount.trim();
    let bits = amount.strip_suffix("bit").or_else(|| amount.strip_suffix('b'));
    let Some(bits) = bits else {
        return size(value, text, amount);
    };
    let scales = [("k", 1_000), ("K", 1_000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("", 1)];
    let (prefix, scale) = scales.iter().find(|(prefix, _)| bits.ends_with(prefix)).expect("the empty prefix fits");
    let number = bits[..bits.len() - prefix.len()].trim();
    let wide = decimal(number, *scale).and_then(|wide| u64::try_from(wide / 8).ok());
    wide.ok_or_else(|| mismatch(value, &KeyKind::ByteRate.expected()))
}

/// Events in a span of time.
pub(super) fn rate(value: &Value) -> Result<EventRate, Problem> {
    if let Some(number) = bare_number(value) {
        let problem = Problem::error(value.place.clone(), format!("`{number}` does not say in what time"));
        return Err(problem.hint(format!("did you mean `\"{number}/s\"`?")));
    }
    let text = value.as_text().ok_or_else(|| mismatch(value, &KeyKind::Rate.expected()))?;
    let Some((number, per)) = text.split_once('/') else {
        let problem = mismatch(value, &KeyKind::Rate.expected());
        return Err(with(problem, decimal(text.trim(), 1_000_000).map(|_| format!("did you mean `\"{}/s\"`?", text.trim()))));
    };
    let (number, per) = (number.trim(), per.trim());
    let unit = match per {
        "sec" | "second" => "1s".to_owned(),
        "min" | "minute" => "1m".to_owned(),
        "hour" => "1h".to_owned(),
        "day" => "1d".to_owned(),
        number if number.starts_with(|c: char| c.is_ascii_digit()) => number.to_owned(),
        unit => format!("1{unit}"),
    };
    let per = unit.parse::<Span>().map_err(|error| sentence(value, &error.to_string()))?;
    let events = decimal(number, 1_000_000_000).ok_or_else(|| mismatch(value, &KeyKind::Rate.expected()))?;
    let wide = u128::from(per.as_nanos()) * 1_000_000_000;
    if wide == 0 {
        return Err(Problem::error(value.place.clone(), "a rate needs a time that is longer than zero"));
    }
    let common = gcd(events, wide);
    match (u64::try_from(events / common), u64::try_from(wide / common)) {
        (Ok(events), Ok(nanos)) => Ok(EventRate { events, per: Span::nanos(nanos) }),
        (_, _) => Err(Problem::error(value.place.clone(), format!("`{}` is out of range", shortened(text)))),
    }
}

const fn gcd(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `true` or `false`.
pub(super) fn flag(value: &Value) -> Result<bool, Problem> {
    if let ValueKind::Flag(flag) = &value.kind {
        return Ok(*flag);
    }
    let problem = mismatch(value, &KeyKind::Flag.expected());
    let quoted = value.as_text().filter(|text| matches!(*text, "true" | "false"));
    Err(with(problem, quoted.map(|text| format!("write it without quotes: `{text}`"))))
}

/// A text.
pub(super) fn text(value: &Value, kind: &KeyKind) -> Result<String, Problem> {
    if let Some(text) = value.as_text() {
        return Ok(text.to_owned());
    }
    let problem = mismatch(value, &kind.expected());
    Err(with(problem, bare_number(value).map(|number| format!("write it in quotes: `\"{number}\"`"))))
}

/// One of several words; numbers and flags that read the same are taken for the word.
pub(super) fn choice(value: &Value, words: &'static [(&'static str, &'static str)]) -> Result<&'static str, Problem> {
    let written = match &value.kind {
        ValueKind::Text(text) | ValueKind::Float(text) => text.clone(),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::Flag(flag) => flag.to_string(),
        ValueKind::List(_) | ValueKind::Table(_) | ValueKind::DateTime(_) => {
            return Err(mismatch(value, &KeyKind::Choice(words).expected()));
        }
    };
    if let Some((word, _)) = words.iter().find(|(word, _)| *word == written) {
        return Ok(word);
    }
    let problem = Problem::error(value.place.clone(), format!("`{}` is not one of the choices", shortened(&written)));
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let near = super::nearest(&written, names.iter().copied()).map(|word| format!("did you mean `{word}`? "));
    Err(problem.hint(format!("{}choices: {}", near.unwrap_or_default(), list_words(names.into_iter()))))
}
