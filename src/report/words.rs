//! Numbers, spans and shares as people write them: `4.81 s`, `12,345`, `99.2 %`.

use crate::base::{Span, Time};
use crate::run::Answer;

const UNITS: [(u64, &str); 4] = [(1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")];

/// A span in the unit that suits it, to three significant digits; from two minutes on in two whole units.
///
/// ```
/// use deadletter::base::Span;
/// use deadletter::report::words::span;
/// assert_eq!(span(Span::micros(350)), "350 µs");
/// assert_eq!(span(Span::nanos(4_812_345_678)), "4.81 s");
/// assert_eq!(span(Span::secs(150)), "2 min 30 s");
/// ```
#[must_use]
pub fn span(span: Span) -> String {
    let nanos = span.as_nanos();
    if nanos == 0 {
        return "0 s".to_owned();
    }
    let seconds = nanos.saturating_add(500_000_000) / 1_000_000_000;
    if seconds >= 120 {
        return long(seconds);
    }
    let mut at = UNITS.iter().rposition(|(size, _)| nanos >= *size).expect("a nanosecond divides everything");
    let mut thousandths = thousandths(nanos, UNITS[at].0);
    // 999.6 µs rounds to 1000 µs, which is 1 ms.
    if thousandths >= 1_000_000 && at + 1 < UNITS.len() {
        at += 1;
        thousandths = 1_000;
    }
    format!("{} {}", three_digits(thousandths), UNITS[at].1)
}

/// A moment as seconds since the start: `4.812 s`.
#[must_use]
pub fn time(time: Time) -> String {
    seconds(time, 3)
}

/// A moment as seconds to the microsecond: `4.812345 s`.
#[must_use]
pub fn micros(time: Time) -> String {
    seconds(time.nearest_micro(), 6)
}

/// Moments as seconds with as many decimals, at least three, as it takes to tell neighbours apart that are not the same moment.
#[must_use]
pub fn times(times: &[Time]) -> Vec<String> {
    let told_apart =
        |digits: usize| times.windows(2).all(|pair| pair[0] == pair[1] || seconds(pair[0], digits) != seconds(pair[1], digits));
    let digits = [3, 6].into_iter().find(|d| told_apart(*d)).unwrap_or(9);
    times.iter().map(|t| seconds(*t, digits)).collect()
}

/// A count with thousands set apart: `12,345`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A count with its noun: `1 message`, `2 messages`.
#[must_use]
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// A part of a whole in per cent, with a decimal; never `100 %` or `0 %` when it is not quite that. `–` of nothing.
///
/// ```
/// use deadletter::report::words::share;
/// assert_eq!(share(992, 1000), "99.2 %");
/// assert_eq!(share(999_999, 1_000_000), "99.9999 %");
/// assert_eq!(share(5, 5), "100 %");
/// ```
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    if part == 0 || part == whole {
        return if part == 0 { "0 %".to_owned() } else { "100 %".to_owned() };
    }
    for places in 1..=6u32 {
        let ten = 10u128.pow(places);
        let full = 100 * ten;
        let scaled = (u128::from(part) * full + u128::from(whole) / 2) / u128::from(whole);
        if scaled > 0 && scaled != full {
            let (all, rest) = (scaled / ten, scaled % ten);
            return format!("{all}.{rest:0width$} %", width = places as usize);
        }
    }
    if part > whole / 2 { "> 99.999999 %".to_owned() } else { "< 0.000001 %".to_owned() }
}

/// How many a second, over a span: `498 a second`; where that says nothing, how many an hour.
#[must_use]
pub fn rate(n: u64, over: Span) -> String {
    if over.is_zero() {
        return "–".to_owned();
    }
    let milli_in = |seconds: u128| {
        let milli = u128::from(n) * seconds * 1_000_000_000_000 / u128::from(over.as_nanos());
        u64::try_from(milli).unwrap_or(u64::MAX)
    };
    let milli = milli_in(1);
    if milli < 10 && n > 0 {
        return format!("{} an hour", three_digits(milli_in(3_600)));
    }
    if milli >= 100_000 { format!("{} a second", count((milli + 500) / 1000)) } else { format!("{} a second", three_digits(milli)) }
}

/// A text on one line without control characters: what names from a file may hold, and terminals and XML may not.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{fffe}' | '\u{ffff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            if !out.ends_with(' ') {
                out.push(' ');
            }
        } else {
            out.push(c);
        }
    }
    out.trim().to_owned()
}

/// The same text with numbers bound to their units, so that a page does not part them at the end of a line.
#[must_use]
pub fn bound(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(' ') {
        let unit = word.trim_end_matches([',', '.', ';', ':', ')']);
        let follows_number = out.ends_with(|c: char| c.is_ascii_digit());
        if follows_number && matches!(unit, "%" | "ns" | "µs" | "ms" | "s" | "min" | "h" | "d") {
            out.push('\u{a0}');
        } else if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// The first letter as a capital.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The first letter small, for a heading within a sentence.
#[must_use]
pub fn lower(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// How often: `never`, `once`, `twice`, `3 times`.
#[must_use]
pub fn times_over(n: u64) -> String {
    match n {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{} times", count(n)),
    }
}

/// A moment in seconds without idle zeros: `20`, `50.5`. At most milliseconds.
#[must_use]
pub fn moment(time: Time) -> String {
    let (whole, milli) = (time.nanos() / 1_000_000_000, time.nanos() / 1_000_000 % 1_000);
    let text = format!("{milli:03}");
    let kept = text.trim_end_matches('0');
    if kept.is_empty() { count(whole) } else { format!("{}.{kept}", count(whole)) }
}

/// The sign of an answer: `✔`, `✘` or `?`.
#[must_use]
pub const fn sign(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "✔",
        Answer::Broken => "✘",
        Answer::Unknown => "?",
    }
}

/// What an answer means for a reader.
#[must_use]
pub const fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Holds => "as expected",
        Answer::Broken => "not as expected",
        Answer::Unknown => "cannot be decided",
    }
}

/// Minutes and longer, in the two largest units.
fn long(seconds: u64) -> String {
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{} {big_unit}", count(big)) } else { format!("{} {big_unit} {small} {small_unit}", count(big)) }
    };
    if seconds < 3_600 {
        two(seconds / 60, "min", seconds % 60, "s")
    } else if seconds < 86_400 {
        two(seconds / 3_600, "h", seconds % 3_600 / 60, "min")
    } else {
        two(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h")
    }
}

/// A number of nanoseconds in thousandths of a unit, rounded to three significant digits.
fn thousandths(nanos: u64, unit: u64) -> u64 {
    let exact = u128::from(nanos) * 1_000 / u128::from(unit);
    let exact = u64::try_from(exact).unwrap_or(u64::MAX);
    let step = match exact {
        0..10_000 => 10,
        10_000..100_000 => 100,
        _ => 1_000,
    };
    if unit == 1 { exact } else { (exact + step / 2) / step * step }
}

/// Thousandths as a decimal with at most three significant digits and no idle zeros.
fn three_digits(thousandths: u64) -> String {
    let (whole, part) = (thousandths / 1_000, thousandths % 1_000);
    let places = match whole {
        0..10 => 2,
        10..100 => 1,
        _ => 0,
    };
    let text = format!("{part:03}");
    let kept = text[..places].trim_end_matches('0');
    if kept.is_empty() { count(whole) } else { format!("{}.{kept}", count(whole)) }
}

/// A moment as seconds with so many decimals, cut off.
fn seconds(time: Time, digits: usize) -> String {
    let (whole, part) = (time.nanos() / 1_000_000_000, time.nanos() % 1_000_000_000);
    let text = format!("{part:09}");
    format!("{}.{} s", count(whole), &text[..digits])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spans() {
        let table: [(u64, &str); 13] = [
            (0, "0 s"),
            (7, "7 ns"),
            (1_234, "1.23 µs"),
            (350_000, "350 µs"),
            (999_600, "1 ms"),
            (4_812_345, "4.81 ms"),
            (48_123_456, "48.1 ms"),
            (4_812_345_678, "4.81 s"),
            (90_000_000_000, "90 s"),
            (119_400_000_000, "119 s"),
            (150_000_000_000, "2 min 30 s"),
            (3_900_000_000_000, "1 h 5 min"),
            (100_800_000_000_000, "1 d 4 h"),
        ];
        for (nanos, text) in table {
            assert_eq!(span(Span::nanos(nanos)), text);
        }
    }

    #[test]
    fn neighbours_are_told_apart() {
        let at = |n| Time::from_nanos(n);
        assert_eq!(times(&[at(4_812_000_000), at(4_813_000_000)]), ["4.812 s", "4.813 s"]);
        assert_eq!(times(&[at(4_812_000_000), at(4_812_300_000)]), ["4.812000 s", "4.812300 s"]);
        assert_eq!(times(&[at(5), at(6)]), ["0.000000005 s", "0.000000006 s"]);
        assert_eq!(times(&[at(5), at(5)]), ["0.000 s", "0.000 s"]);
    }

    #[test]
    fn counts_rates_and_texts() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(counted(1, "message", "messages"), "1 message");
        assert_eq!(rate(49_800, Span::secs(100)), "498 a second");
        assert_eq!(rate(5, Span::secs(100)), "0.05 a second");
        assert_eq!(rate(2_160, Span::secs(259_200)), "30 an hour");
        assert_eq!(rate(0, Span::secs(100)), "0 a second");
        assert_eq!(clean("a\u{1b}[31m\nb\u{202e}c"), "a [31m b c");
        assert_eq!(sentence("über"), "Über");
        assert_eq!(bound("91.5 % of 4 runs, 3 s."), "91.5\u{a0}% of 4 runs, 3\u{a0}s.");
        assert_eq!(lower("Calls"), "calls");
        assert_eq!([0, 1, 2, 3].map(times_over), ["never", "once", "twice", "3 times"]);
        assert_eq!(moment(Time::from_nanos(50_500_000_000)), "50.5");
        assert_eq!(moment(Time::from_nanos(20_000_000_001)), "20");
        assert_eq!(share(1, 0), "–");
    }

    proptest! {
        #[test]
        fn a_part_is_never_written_as_all_or_nothing(whole in 2u64..u64::MAX, part in any::<u64>()) {
            let part = 1 + part % (whole - 1);
            let text = share(part, whole);
            prop_assert!(text != "100 %" && text != "0 %");
            prop_assert!(!text.starts_with("100."), "{text}");
        }
        #[test]
        fn a_span_keeps_three_digits(nanos in 1u64..119_000_000_000) {
            let text = span(Span::nanos(nanos));
            let (number, unit) = text.split_once(' ').unwrap();
            let size = UNITS.iter().find(|(_, u)| *u == unit).unwrap().0;
            let value: f64 = number.parse::<f64>().unwrap() * size as f64;
            prop_assert!((value - nanos as f64).abs() <= 0.0051 * nanos as f64 + 0.5, "{text} for {nanos}");
        }
    }
}
