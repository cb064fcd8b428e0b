//! Recorded loads: reads a table of arrivals from CSV text.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::number::decimal;
use crate::base::{KeyId, Span, Time};

/// One recorded arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceRow {
    /// When, counted from time zero.
    pub at: Time,
    /// About which key.
    pub key: Option<KeyId>,
    /// With how many bytes.
    pub bytes: Option<u32>,
    /// Of which client, as a position among the stream's clients (modulo their number); the stream's choice otherwise.
    pub client: Option<u32>,
}

/// What is wrong with a recorded load.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TraceProblem {
    /// Where, from 1.
    pub line: u64,
    /// What is wrong, as one sentence without a full stop.
    pub what: String,
}

/// So many problems are reported; a file that has more has them all over.
const MOST_PROBLEMS: usize = 20;

/// Columns that a trace may have, in the order of their use here.
const COLUMNS: [&str; 4] = ["at", "key", "bytes", "client"];

/// Reads a recorded load. The first line names the columns: `at` (seconds as a decimal number, or a span such as `1.5ms`),
/// and, if wanted, `key` (any text; keys are numbered in order of their first appearance), `bytes` and `client` (a number
/// from zero). An empty field is as if its column were missing. Rows are in order of time.
///
/// # Errors
/// All that is wrong, line by line, up to twenty.
///
/// ```
/// use deadletter::load::trace::read;
/// let rows = read(b"at,key,bytes\n0.5,anna,100\n750ms,ben,200\n1s,anna,\n").unwrap();
/// assert_eq!((rows[1].at.nanos(), rows[2].key, rows[2].bytes), (750_000_000, rows[0].key, None));
/// let problems = read(b"at,bytes\n1,10\n0.5,x\n").unwrap_err();
/// assert_eq!(problems[0].to_string(), "line 3: `0.5` is before the row above it (1s); rows are in order of time");
/// assert_eq!(problems[1].to_string(), "line 3: `x` is not a number of bytes");
/// ```
pub fn read(text: &[u8]) -> Result<Arc<[TraceRow]>, Vec<TraceProblem>> {
    let mut csv = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
    let mut reader = Reader { text, place: [None; 4], width: 0, keys: BTreeMap::new(), last: Time::ZERO, problems: Vec::new() };
    match csv.headers() {
        Ok(names) => reader.columns(names),
        Err(error) => reader.say(None, broken(&error)),
    }
    let mut rows = Vec::new();
    if reader.problems.is_empty() {
        for record in csv.records() {
            match record {
                Ok(record) => rows.push(reader.row(&record)),
                Err(error) => reader.say(error.position(), broken(&error)),
            }
            if reader.problems.len() >= MOST_PROBLEMS {
                break;
            }
        }
        if rows.is_empty() && reader.problems.is_empty() {
            reader.say(None, "the trace has no rows below its header".into());
        }
    }
    reader.problems.truncate(MOST_PROBLEMS);
    if reader.problems.is_empty() { Ok(rows.into()) } else { Err(reader.problems) }
}

/// What is known while reading.
struct Reader<'a> {
    text: &'a [u8],
    /// Where each of [`COLUMNS`] stands.
    place: [Option<usize>; 4],
    width: usize,
    keys: BTreeMap<String, KeyId>,
    last: Time,
    problems: Vec<TraceProblem>,
}

impl Reader<'_> {
    /// Notes a problem of the record that begins at a position, or of the header.
    fn say(&mut self, record: Option<&csv::Position>, what: String) {
        // The position is that of the end of the record before: what separates the two comes first.
        let start = record.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX).min(self.text.len()));
        let separator = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let newlines = self.text[..start + separator].iter().filter(|byte| **byte == b'\n').count();
        self.problems.push(TraceProblem { line: newlines as u64 + 1, what });
    }

    fn columns(&mut self, names: &csv::StringRecord) {
        self.width = names.len();
        for (at, name) in names.iter().enumerate() {
            let Some(known) = COLUMNS.iter().position(|column| *column == name) else {
                let near = COLUMNS.iter().find(|column| strsim::damerau_levenshtein(column, &name.to_lowercase()) <= 2 && name.len() > 1);
                let hint = near.map_or_else(String::new, |column| format!("; did you mean `{column}`?"));
                self.say(None, format!("`{name}` is not a column of a trace ({}){hint}", COLUMNS.join(", ")));
                continue;
            };
            if self.place[known].replace(at).is_some() {
                self.say(None, format!("the column `{name}` is there twice"));
            }
        }
        if self.place[0].is_none() {
            self.say(None, "the first line names the columns, and one of them is `at`".into());
        }
    }

    fn row(&mut self, record: &csv::StringRecord) -> TraceRow {
        let line = record.position();
        if record.len() != self.width {
            self.say(line, format!("{} fields, but the header has {}", record.len(), self.width));
            return TraceRow { at: self.last, key: None, bytes: None, client: None };
        }
        let [at, key, bytes, client] = self.place.map(|place| place.and_then(|at| record.get(at)).filter(|field| !field.is_empty()));
        let row = TraceRow {
            at: self.moment(line, at),
            key: key.map(|name| self.key(name)),
            bytes: bytes.and_then(|field| self.number(line, field, "a number of bytes")),
            client: client.and_then(|field| self.number(line, field, "the number of a client")),
        };
        self.last = row.at;
        row
    }

    fn moment(&mut self, line: Option<&csv::Position>, field: Option<&str>) -> Time {
        let Some(field) = field else {
            self.say(line, "`at` is empty".into());
            return self.last;
        };
        let seconds = decimal(field, 1_000_000_000).and_then(|nanos| u64::try_from(nanos).ok());
        let Some(span) = seconds.map(Span::nanos).or_else(|| field.parse().ok()) else {
            self.say(line, format!("`{field}` is not a moment; write seconds such as `1.25`, or a span such as `250ms`"));
            return self.last;
        };
        let at = Time::ZERO + span;
        if at < self.last {
            self.say(line, format!("`{field}` is before the row above it ({}); rows are in order of time", self.last));
        }
        at
    }

    fn key(&mut self, name: &str) -> KeyId {
        if let Some(key) = self.keys.get(name) {
            return *key;
        }
        let key = KeyId::at(self.keys.len());
        self.keys.insert(name.to_owned(), key);
        key
    }

    fn number(&mut self, line: Option<&csv::Position>, field: &str, what: &str) -> Option<u32> {
        let number = field.parse().ok();
        if number.is_none() {
            self.say(line, format!("`{field}` is not {what}"));
        }
        number
    }
}

/// A reader's error in our words.
fn broken(error: &csv::Error) -> String {
    if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) { "the text is not UTF-8".into() } else { format!("not CSV: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_trace_is_read_whole() {
        let rows = read(b"\xef\xbb\xbfclient , at,key\r\n3,0,\"a, b\"\r\n,0.000000001,z\r\n\r\n1,2m,\"a, b\"\r\n").unwrap();
        let row = |nanos, key, client| TraceRow { at: Time::from_nanos(nanos), key: Some(KeyId(key)), bytes: None, client };
        assert_eq!(&rows[..], [row(0, 0, Some(3)), row(1, 1, None), row(120_000_000_000, 0, Some(1))]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let table: [(&[u8], &[&str]); 11] = [
            (b"", &["line 1: the first line names the columns, and one of them is `at`"]),
            (b"at\n", &["line 1: the trace has no rows below its header"]),
            (b"at,byte\n1,1\n", &["line 1: `byte` is not a column of a trace (at, key, bytes, client); did you mean `bytes`?"]),
            (b"at,at\n1,1\n", &["line 1: the column `at` is there twice"]),
            (
                b"time\n1\n",
                &[
                    "line 1: `time` is not a column of a trace (at, key, bytes, client)",
                    "line 1: the first line names the columns, and one of them is `at`",
                ],
            ),
            (b"at,key\n1\n", &["line 2: 1 fields, but the header has 2"]),
            (b"at,key\n1,a\n\n,b\n", &["line 4: `at` is empty"]),
            (b"at\nsoon\n", &["line 2: `soon` is not a moment; write seconds such as `1.25`, or a span such as `250ms`"]),
            (b"at\n-1\n", &["line 2: `-1` is not a moment; write seconds such as `1.25`, or a span such as `250ms`"]),
            (
                b"at,client,bytes\n1,-1,5000000000\n",
                &["line 2: `5000000000` is not a number of bytes", "line 2: `-1` is not the number of a client"],
            ),
            (b"at,key\n1,\xff\n", &["line 2: the text is not UTF-8"]),
        ];
        for (text, expected) in table {
            let problems: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
            assert_eq!(problems, expected, "{:?}", String::from_utf8_lossy(text));
        }
        let endless = format!("at\n{}", "x\n".repeat(50));
        assert_eq!(read(endless.as_bytes()).unwrap_err().len(), 20);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&text);
        }

        #[test]
        fn no_almost_right_text_makes_it_panic(rows in prop::collection::vec("[0-9a-z.,\"\n -]{0,12}", 0..12)) {
            let _ = read(format!("at,key,bytes,client\n{}", rows.join("\n")).as_bytes());
        }

        #[test]
        fn what_is_written_is_read(gaps in prop::collection::vec((0u64..5_000_000_000, 0u32..5, any::<u32>(), prop::option::of(0u32..9)), 1..40)) {
            let (mut at, mut text) = (Span::ZERO, String::from("at,key,bytes,client\n"));
            let mut expected = Vec::new();
            for (gap, key, bytes, client) in gaps {
                at += Span::nanos(gap);
                let shown = client.map_or_else(String::new, |client| client.to_string());
                text.push_str(&format!("{at},k{key},{bytes},{shown}\n"));
                expected.push((Time::ZERO + at, key, bytes, client));
            }
            let rows = read(text.as_bytes()).unwrap();
            let mut names = BTreeMap::new();
            for (row, (at, key, bytes, client)) in rows.iter().zip(&expected) {
                let fresh = KeyId::at(names.len());
                prop_assert_eq!(*row, TraceRow { at: *at, key: Some(*names.entry(*key).or_insert(fresh)), bytes: Some(*bytes), client: *client });
            }
            prop_assert_eq!(rows.len(), expected.len());
        }
    }
}
