//! A tiny notation for histories: `pub c0 p1 k0 | ok p1 | got q p1`, one event a millisecond.
//!
//! | words | meaning |
//! |---|---|
//! | `pub c0 p1 k0 [to t]` | client c0 publishes p1 with key k0 to the queue q, or elsewhere |
//! | `ask c0 p1 k0` | client c0 sends a request to the service r |
//! | `ok p1`, `fail p1`, `info p1` | the operation ended |
//! | `got q p1 [b1] [damaged] [again]` | a delivery, on b0 unless said, intact and not marked unless said |
//! | `done q p1 [b1]` | an effect |
//! | `ack q p1`, `return`, `dead`, `expire`, `drop` | a settlement |
//! | `held q p1`, `sub s1`, `unsub s1`, `skip p1`, `final` | what they say |
//! | `@30ms` | the next event happens then |
//!
//! And for logs, with the names that have some:
//!
//! | words | meaning |
//! |---|---|
//! | `ok p1 at l0@3` | the operation ended, and the message stands there |
//! | `got s1 p1 [b1] at l0@3` | a delivery from there |
//! | `poll s1 [b1]` | a read returned |
//! | `assign s1 l0 [b1]`, `revoke s1 l0 [b1]` | who reads a log |
//! | `commit s1 l0@3 [b1]` | a position was kept |
//! | `tx 7 p1 c0` | a message is part of transaction 7, by c0 |
//! | `appended p1 v0@3 [b1]` | a message that was carried on stands there |
//! | `supersede s3 p1` | compacted away |

use std::sync::Arc;

use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::{JudgeConfig, Judged, Judges, Promises, Property, Verdict};
use crate::record::{End, Entry, LogNote, Names, Note, Object, ObjectKind, Op, Phase, Place, Reason, Settlement, What};

/// The queues q and u, the topic t with subscriptions s1 and s2, the dead letters d, the service r; clients c0 to c2, consumers b0, b1.
pub(in crate::check) fn names() -> Arc<Names> {
    let topic = ObjectId(2);
    let objects = [
        ("q", ObjectKind::Queue),
        ("u", ObjectKind::Queue),
        ("t", ObjectKind::Topic),
        ("s1", ObjectKind::Subscription { topic }),
        ("s2", ObjectKind::Subscription { topic }),
        ("d", ObjectKind::DeadLetters),
        ("r", ObjectKind::Service),
    ];
    Arc::new(Names {
        nodes: ["c0", "c1", "c2", "b0", "b1"].map(String::from).to_vec(),
        objects: objects.map(|(name, kind)| Object { name: name.into(), kind }).to_vec(),
    })
}

/// The same and more: the logs l0 and l1 of the topic t; the topic v with the compacted log v0 and the subscription s3.
pub(in crate::check) fn log_names() -> Arc<Names> {
    let (topic, keyed) = (ObjectId(2), ObjectId(9));
    let objects = [
        ("l0", ObjectKind::Log { topic, compacted: false }),
        ("l1", ObjectKind::Log { topic, compacted: false }),
        ("v", ObjectKind::Topic),
        ("s3", ObjectKind::Subscription { topic: keyed }),
        ("v0", ObjectKind::Log { topic: keyed, compacted: true }),
    ];
    let mut names = Names::clone(&names());
    names.objects.extend(objects.map(|(name, kind)| Object { name: name.into(), kind }));
    Arc::new(names)
}

/// Chaos from 5 ms, healing from 100 ms, drain from 200 ms, end at 1 s.
pub(in crate::check) fn config() -> JudgeConfig {
    let at = |ms| Time::ZERO + Span::millis(ms);
    JudgeConfig { window: Span::millis(10), chaos_start: at(5), heal_start: at(100), drain_start: at(200), end: at(1000) }
}

/// What was asked for each payload so far, to repeat it at the end.
struct Reader {
    names: Arc<Names>,
    asked: Vec<(PayloadId, Op, NodeId)>,
}

fn number(word: &str, prefix: char) -> u32 {
    word.strip_prefix(prefix).and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("`{word}` is not of the form {prefix}N"))
}

impl Reader {
    fn object(&self, word: &str) -> ObjectId {
        self.names.find(word).unwrap_or_else(|| panic!("`{word}` is no object"))
    }

    fn node(&self, word: &str) -> Option<NodeId> {
        self.names.nodes.iter().position(|n| n == word).map(NodeId::at)
    }

    fn place(&self, word: &str) -> Place {
        let (log, offset) = word.split_once('@').unwrap_or_else(|| panic!("`{word}` is no place"));
        Place { log: self.object(log), offset: offset.parse().expect("an offset") }
    }

    fn call(&mut self, words: &[&str], request: bool) -> (NodeId, What) {
        let to = words.iter().position(|w| *w == "to").map_or(if request { "r" } else { "q" }, |i| words[i + 1]);
        let (to, node) = (self.object(to), self.node(words[1]).expect("a node"));
        let (payload, key, bytes) = (PayloadId(number(words[2], 'p')), KeyId(number(words[3], 'k')), 100);
        let what = if request { Op::Request { to, key, payload, bytes } } else { Op::Publish { to, key, payload, bytes } };
        self.asked.push((payload, what, node));
        (node, What::Call { op: ClientOp(payload.0), what })
    }

    fn end(&self, word: &str, end: End, place: Option<Place>) -> (NodeId, What) {
        let payload = PayloadId(number(word, 'p'));
        let (_, what, node) = *self.asked.iter().find(|(p, ..)| *p == payload).expect("an operation ends after it was called");
        (node, What::End { op: ClientOp(payload.0), what, end, place })
    }

    fn event(&mut self, words: &[&str]) -> (NodeId, What) {
        let someone = words.iter().find_map(|w| self.node(w)).unwrap_or(NodeId(3));
        let place = words.iter().position(|w| *w == "at").map(|i| self.place(words[i + 1]));
        let group = || self.object(words[1]);
        let payload = || PayloadId(number(words[2], 'p'));
        let settle = |how| (someone, What::Note(Note::Settle { group: group(), payload: payload(), how }));
        let note = |note| (someone, What::Note(note));
        match words[0] {
            "pub" => self.call(words, false),
            "ask" => self.call(words, true),
            "ok" => self.end(words[1], End::Ok, place),
            "fail" => self.end(words[1], End::Failed(Reason("queue full")), None),
            "info" => self.end(words[1], End::Unknown(Reason("no answer in time")), None),
            "got" => {
                let (intact, redelivered) = (!words.contains(&"damaged"), words.contains(&"again"));
                note(Note::Deliver { group: group(), payload: payload(), intact, redelivered, place })
            }
            "done" => note(Note::Effect { group: group(), payload: payload() }),
            "ack" => settle(Settlement::Acknowledged),
            "return" => settle(Settlement::Returned),
            "dead" => settle(Settlement::DeadLettered),
            "expire" => settle(Settlement::Expired),
            "drop" => settle(Settlement::Dropped),
            "supersede" => settle(Settlement::Superseded),
            "held" => note(Note::Held { group: group(), payload: payload() }),
            "sub" => note(Note::Subscribe { group: group() }),
            "unsub" => note(Note::Unsubscribe { group: group() }),
            "skip" => {
                let what = Op::Publish { to: self.object("q"), key: KeyId(0), payload: PayloadId(number(words[1], 'p')), bytes: 100 };
                (NodeId(0), What::Skipped { op: ClientOp(what.payload().0), what })
            }
            "final" => (NodeId(0), What::Phase(Phase::Final)),
            _ => note(Note::Log(self.at_log(words))),
        }
    }

    fn at_log(&self, words: &[&str]) -> LogNote {
        let group = || self.object(words[1]);
        match words[0] {
            "poll" => LogNote::Poll { group: group() },
            "assign" => LogNote::Assigned { group: group(), log: self.object(words[2]) },
            "revoke" => LogNote::Revoked { group: group(), log: self.object(words[2]) },
            "commit" => LogNote::Committed { group: group(), place: self.place(words[2]) },
            "appended" => LogNote::Appended { payload: PayloadId(number(words[1], 'p')), place: self.place(words[2]) },
            "tx" => LogNote::InTransaction { transaction: words[1].parse().expect("a number"), payload: PayloadId(number(words[2], 'p')) },
            other => panic!("`{other}` is no event"),
        }
    }
}

/// The history that a text tells.
pub(in crate::check) fn history(text: &str) -> Vec<Entry> {
    history_with(text, &names())
}

/// The same, with other names.
pub(in crate::check) fn history_with(text: &str, names: &Arc<Names>) -> Vec<Entry> {
    let mut reader = Reader { names: Arc::clone(names), asked: Vec::new() };
    let mut at = Time::ZERO;
    let mut entries = Vec::new();
    let mut told = None;
    for event in text.split(['|', '\n']).map(str::trim).filter(|e| !e.is_empty()) {
        if let Some(time) = event.strip_prefix('@') {
            told = Some(Time::ZERO + time.parse::<Span>().expect("a time"));
            continue;
        }
        at = told.take().unwrap_or(at + Span::millis(1));
        let (node, what) = reader.event(&event.split_whitespace().collect::<Vec<_>>());
        entries.push(Entry { at, node, what });
    }
    entries
}

/// What the judges say of a history, at the end of the run.
pub(in crate::check) fn judge(entries: &[Entry], names: &Arc<Names>) -> Judged {
    let mut judges = Judges::new(Arc::clone(names), config());
    for entry in entries {
        judges.fold(entry);
    }
    judges.finish(config().end, &Promises::default())
}

/// The breaches that the judges find in a history: one line each, `property cases/examined: sentence`.
pub(in crate::check) fn breaches(text: &str, names: &Arc<Names>) -> Vec<(Property, String)> {
    let judged = judge(&history_with(text, names), names);
    let lines = judged.findings.iter().filter_map(|finding| match &finding.verdict {
        Verdict::Broken(w) => Some((finding.property, format!("{} {}/{}: {}", finding.property, w.cases, w.examined, w.sentence))),
        Verdict::Holds { .. } | Verdict::Unknown { .. } => None,
    });
    lines.collect()
}

/// Judges a history and compares its breaches with what is expected, line by line.
pub(in crate::check) fn check(text: &str, expect: &str) {
    compare(text, breaches(text, &names()).into_iter().map(|(_, line)| line), expect);
}

/// The same with logs, for the properties that are about them.
pub(in crate::check) fn check_logs(text: &str, expect: &str) {
    let found = breaches(text, &log_names()).into_iter().filter(|(property, _)| property.is_about_logs());
    compare(text, found.map(|(_, line)| line), expect);
}

fn compare(text: &str, found: impl Iterator<Item = String>, expect: &str) {
    let expect: Vec<_> = expect.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(found.collect::<Vec<_>>(), expect, "in the history\n{text}");
}
