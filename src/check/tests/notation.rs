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

use std::sync::Arc;

use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::{JudgeConfig, Judged, Judges, Promises, Verdict};
use crate::record::{End, Entry, Names, Note, Object, ObjectKind, Op, Phase, Reason, Settlement, What};

/// The queues q and u, the topic t with subscriptions s1 and s2, the dead letters d, the service r; clients c0 to c2, consumers b0, b1.
pub(super) fn names() -> Arc<Names> {
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

/// Chaos from 5 ms, healing from 100 ms, drain from 200 ms, end at 1 s.
pub(super) fn config() -> JudgeConfig {
    let at = |ms| Time::ZERO + Span::millis(ms);
    JudgeConfig { window: Span::millis(10), chaos_start: at(5), heal_start: at(100), drain_start: at(200), end: at(1000) }
}

/// What was asked for each payload so far, to repeat it at the end.
#[derive(Default)]
struct Reader {
    asked: Vec<(PayloadId, Op, NodeId)>,
}

fn number(word: &str, prefix: char) -> u32 {
    word.strip_prefix(prefix).and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("`{word}` is not of the form {prefix}N"))
}

fn object(word: &str) -> ObjectId {
    names().find(word).unwrap_or_else(|| panic!("`{word}` is no object"))
}

fn node(word: &str) -> NodeId {
    NodeId::at(names().nodes.iter().position(|n| n == word).unwrap_or_else(|| panic!("`{word}` is no node")))
}

impl Reader {
    fn call(&mut self, words: &[&str], request: bool) -> (NodeId, What) {
        let to = words.iter().position(|w| *w == "to").map_or(object(if request { "r" } else { "q" }), |i| object(words[i + 1]));
        let (payload, key, bytes) = (PayloadId(number(words[2], 'p')), KeyId(number(words[3], 'k')), 100);
        let what = if request { Op::Request { to, key, payload, bytes } } else { Op::Publish { to, key, payload, bytes } };
        self.asked.push((payload, what, node(words[1])));
        (node(words[1]), What::Call { op: ClientOp(payload.0), what })
    }

    fn end(&self, word: &str, end: End) -> (NodeId, What) {
        let payload = PayloadId(number(word, 'p'));
        let (_, what, node) = *self.asked.iter().find(|(p, ..)| *p == payload).expect("an operation ends after it was called");
        (node, What::End { op: ClientOp(payload.0), what, end, place: None })
    }

    fn event(&mut self, words: &[&str]) -> (NodeId, What) {
        let consumer = words.iter().find(|w| w.starts_with('b')).map_or(node("b0"), |w| node(w));
        let group = || object(words[1]);
        let payload = || PayloadId(number(words[2], 'p'));
        let settle = |how| (consumer, What::Note(Note::Settle { group: group(), payload: payload(), how }));
        let note = |note| (consumer, What::Note(note));
        match words[0] {
            "pub" => self.call(words, false),
            "ask" => self.call(words, true),
            "ok" => self.end(words[1], End::Ok),
            "fail" => self.end(words[1], End::Failed(Reason("queue full"))),
            "info" => self.end(words[1], End::Unknown(Reason("no answer in time"))),
            "got" => {
                let (intact, redelivered) = (!words.contains(&"damaged"), words.contains(&"again"));
                note(Note::Deliver { group: group(), payload: payload(), intact, redelivered, place: None })
            }
            "done" => note(Note::Effect { group: group(), payload: payload() }),
            "ack" => settle(Settlement::Acknowledged),
            "return" => settle(Settlement::Returned),
            "dead" => settle(Settlement::DeadLettered),
            "expire" => settle(Settlement::Expired),
            "drop" => settle(Settlement::Dropped),
            "held" => note(Note::Held { group: group(), payload: payload() }),
            "sub" => note(Note::Subscribe { group: group() }),
            "unsub" => note(Note::Unsubscribe { group: group() }),
            "skip" => {
                let what = Op::Publish { to: object("q"), key: KeyId(0), payload: PayloadId(number(words[1], 'p')), bytes: 100 };
                (node("c0"), What::Skipped { op: ClientOp(what.payload().0), what })
            }
            "final" => (node("c0"), What::Phase(Phase::Final)),
            other => panic!("`{other}` is no event"),
        }
    }
}

/// The history that a text tells.
pub(super) fn history(text: &str) -> Vec<Entry> {
    let mut reader = Reader::default();
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
pub(super) fn judge(entries: &[Entry], names: &Arc<Names>) -> Judged {
    let mut judges = Judges::new(Arc::clone(names), config());
    for entry in entries {
        judges.fold(entry);
    }
    judges.finish(config().end, &Promises::default())
}

/// The breaches that the judges find in a history: one line each, `property cases/examined: sentence`.
pub(super) fn breaches(text: &str) -> Vec<String> {
    let judged = judge(&history(text), &names());
    let lines = judged.findings.iter().filter_map(|finding| match &finding.verdict {
        Verdict::Broken(w) => Some(format!("{} {}/{}: {}", finding.property, w.cases, w.examined, w.sentence)),
        Verdict::Holds { .. } | Verdict::Unknown { .. } => None,
    });
    lines.collect()
}

/// Judges a history and compares its breaches with what is expected, line by line.
pub(super) fn check(text: &str, expect: &str) {
    let expect: Vec<_> = expect.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert_eq!(breaches(text), expect, "in the history\n{text}");
}
