//! Values back as TOML, in the shortest form that reads as the same value.

use super::EventRate;
use super::read::SIZES;

/// A text in quotes, with escapes where TOML needs them.
///
/// ```
/// use deadletter::base::value::quoted;
/// assert_eq!(quoted("say \"no\""), r#""say \"no\"""#);
/// ```
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One part of a key: bare where TOML allows it, else in quotes.
///
/// ```
/// use deadletter::base::value::key_text;
/// assert_eq!(key_text("orders"), "orders");
/// assert_eq!(key_text("my.orders"), "\"my.orders\"");
/// ```
#[must_use]
pub fn key_text(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare { name.to_owned() } else { quoted(name) }
}

/// A size with the largest unit that is exact: `64MB`, `1KiB`, `1000001B`.
///
/// ```
/// use deadletter::base::value::bytes_text;
/// assert_eq!(bytes_text(64 << 20), "64MiB");
/// assert_eq!(bytes_text(0), "0B");
/// ```
#[must_use]
pub fn bytes_text(bytes: u64) -> String {
    let exact = SIZES.iter().find(|(_, size)| *size > 0 && bytes >= *size && bytes.is_multiple_of(*size));
    match exact {
        Some((unit, size)) => format!("{}{unit}", bytes / size),
        None => format!("{bytes}B"),
    }
}

/// A rate, per second where that is exact: `500/s`, `0.5/s`, `1/3s`.
#[must_use]
pub fn rate_text(rate: EventRate) -> String {
    let per = u128::from(rate.per.as_nanos());
    let parts = u128::from(rate.events) * 1_000_000_000 * 1_000_000_000;
    if parts.is_multiple_of(per) {
        let (whole, part) = (parts / per / 1_000_000_000, parts / per % 1_000_000_000);
        let digits = format!("{part:09}");
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        return format!("{whole}{point}{digits}/s");
    }
    format!("{}/{}", rate.events, rate.per)
}

/// A number of thousandths with its point: `1.5`.
///
/// ```
/// use deadletter::base::value::thousandths_text;
/// assert_eq!((thousandths_text(1500).as_str(), thousandths_text(4000).as_str()), ("1.5", "4"));
/// ```
#[must_use]
pub fn thousandths_text(thousandths: u64) -> String {
    let digits = format!("{:03}", thousandths % 1000);
    let digits = digits.trim_end_matches('0');
    let point = if digits.is_empty() { "" } else { "." };
    format!("{}{point}{digits}", thousandths / 1000)
}
