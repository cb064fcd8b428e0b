//! Random small histories on which the judges and their twin must agree.

use std::sync::Arc;

use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::{Judged, Judges, Promises, Property, Verdict};
use crate::record::{End, Entry, Names, Note, Op, Phase, Reason, Settlement, What};

use super::notation::{config, judge, names};
use super::twin::{Says, Twin};

/// A small generator for tests: a 64-bit congruence with its high bits taken.
pub(in crate::check) struct Dice(pub(in crate::check) u64);

impl Dice {
    pub(in crate::check) fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 32) * n) >> 32
    }
    fn id(&mut self, n: u64) -> u32 {
        u32::try_from(self.below(n)).expect("small")
    }
}

/// Where random histories come from.
struct Mill {
    dice: Dice,
    /// Nothing is delivered that should not be, and little fails: order and losses are then what is left to find.
    tame: bool,
    keys: u64,
    /// Most messages go here, so that they meet.
    favourite: ObjectId,
    asked: Vec<(Op, NodeId)>,
    entries: Vec<Entry>,
}

impl Mill {
    fn new(seed: u64) -> Mill {
        let mut dice = Dice(seed);
        let tame = dice.below(2) == 0;
        let favourite = ObjectId([0, 2, 2, 6][usize::try_from(dice.below(4)).expect("small")]);
        let keys = 1 + dice.below(3);
        Mill { dice, tame, keys, favourite, asked: Vec::new(), entries: Vec::new() }
    }

    /// A history of about so many entries, with everything that may go wrong going wrong now and then.
    fn history(mut self, length: u64) -> Vec<Entry> {
        let mut at = 0;
        if self.tame {
            for group in [ObjectId(3), ObjectId(4)] {
                self.push(0, NodeId(3), What::Note(Note::Subscribe { group }));
            }
        }
        for _ in 0..length {
            at += [0, 0, 1, 1, 2, 20][usize::try_from(self.dice.below(6)).expect("small")];
            let (node, what) = self.event();
            self.push(at, node, what);
        }
        if self.dice.below(4) > 0 {
            self.push(at, NodeId(0), What::Phase(Phase::Final));
            for _ in 0..self.dice.below(4) {
                let (group, payload) = self.pair();
                self.push(at, NodeId(3), What::Note(Note::Held { group, payload }));
            }
        }
        self.entries
    }

    fn push(&mut self, at: u64, node: NodeId, what: What) {
        self.entries.push(Entry { at: Time::ZERO + Span::millis(at), node, what });
    }

    fn event(&mut self) -> (NodeId, What) {
        let (consumer, wild) = (NodeId(3 + self.dice.id(2)), u64::from(!self.tame));
        match self.dice.below(18 + 2 * wild) {
            0..=4 => self.call(),
            5..=7 if !self.asked.is_empty() => {
                let back = self.dice.below(self.asked.len().min(3) as u64);
                let (what, producer) = self.asked[self.asked.len() - 1 - usize::try_from(back).expect("small")];
                let end = match self.dice.below(if self.tame { 20 } else { 6 }) {
                    0 => End::Failed(Reason("queue full")),
                    1 => End::Unknown(Reason("no answer in time")),
                    _ => End::Ok,
                };
                (producer, What::End { op: ClientOp(what.payload().0), what, end, place: None })
            }
            18 => {
                let group = if self.dice.below(9) == 0 { ObjectId(self.dice.id(7)) } else { ObjectId(3 + self.dice.id(2)) };
                (consumer, What::Note(if self.dice.below(3) == 0 { Note::Unsubscribe { group } } else { Note::Subscribe { group } }))
            }
            19 if self.dice.below(4) == 0 => {
                let what = Op::Publish { to: ObjectId(0), key: KeyId(0), payload: PayloadId(900), bytes: 1 };
                (consumer, What::Skipped { op: ClientOp(what.payload().0), what })
            }
            _ => (consumer, What::Note(self.note())),
        }
    }

    fn call(&mut self) -> (NodeId, What) {
        let fresh = PayloadId::at(self.asked.len());
        let again = !self.tame && self.dice.below(40) == 0 && !self.asked.is_empty();
        let payload = if again { PayloadId(self.dice.id(self.asked.len() as u64)) } else { fresh };
        let to = if self.dice.below(8) == 0 { ObjectId(self.dice.id(7)) } else { self.favourite };
        let (key, bytes, node) = (KeyId(self.dice.id(self.keys)), 1, NodeId(self.dice.id(3)));
        let what = if to.0 == 6 { Op::Request { to, key, payload, bytes } } else { Op::Publish { to, key, payload, bytes } };
        if payload == fresh {
            self.asked.push((what, node));
        }
        (node, What::Call { op: ClientOp(payload.0), what })
    }

    fn note(&mut self) -> Note {
        let (group, payload) = self.pair();
        match self.dice.below(12) {
            0..=6 => Note::Deliver { group, payload, intact: self.dice.below(9) > 0, redelivered: self.dice.below(5) == 0, place: None },
            7..=9 => Note::Effect { group, payload },
            _ => {
                let hows = [
                    Settlement::Acknowledged,
                    Settlement::Returned,
                    Settlement::DeadLettered,
                    Settlement::Expired,
                    Settlement::Dropped,
                    Settlement::Superseded,
                ];
                Note::Settle { group, payload, how: hows[usize::try_from(self.dice.below(6)).expect("small")] }
            }
        }
    }

    /// A group and a payload that mostly belong together.
    fn pair(&mut self) -> (ObjectId, PayloadId) {
        if self.asked.is_empty() || (!self.tame && self.dice.below(12) == 0) {
            return (ObjectId(self.dice.id(7)), PayloadId(self.dice.id(8)));
        }
        let (what, _) = self.asked[usize::try_from(self.dice.below(self.asked.len() as u64)).expect("small")];
        // As the notation numbers its objects: the topic 2 has the subscriptions 3 and 4; 5 are the dead letters.
        let group = match what.object() {
            _ if !self.tame && self.dice.below(20) == 0 => ObjectId(5),
            ObjectId(2) => ObjectId(3 + self.dice.id(2)),
            other => other,
        };
        (group, what.payload())
    }
}

fn random_history(seed: u64) -> Vec<Entry> {
    let mut mill = Mill::new(seed);
    let length = 4 + mill.dice.below(26);
    mill.history(length)
}

fn compare(seed: u64, history: &[Entry], names: &Arc<Names>) -> Judged {
    let twin = Twin::new(names, config(), history);
    let judged = judge(history, names);
    let tell = || history.iter().map(|e| format!("{e:?}\n")).collect::<String>();
    for finding in &judged.findings {
        let says = match &finding.verdict {
            Verdict::Holds { examined } => Says::Holds(*examined),
            Verdict::Unknown { .. } => Says::Unknown,
            Verdict::Broken(w) => Says::Broken(w.cases, w.examined, w.payloads[0]),
        };
        assert_eq!(says, twin.says(finding.property), "{} with seed {seed}: {finding:?}\n{}", finding.property, tell());
    }
    assert_eq!(judged.accounting, twin.accounting(), "accounting with seed {seed}\n{}", tell());
    judged
}

#[test]
fn judges_agree_with_their_twin() {
    let (mut broken, names) = (vec![0; Property::DELIVERY.len()], names());
    for seed in 0..20_000 {
        let judged = compare(seed, &random_history(seed), &names);
        for (count, finding) in broken.iter_mut().zip(&judged.findings) {
            *count += u64::from(finding.verdict.is_broken());
        }
    }
    // A comparison in which nothing ever breaks would prove nothing.
    for (property, count) in Property::DELIVERY.iter().zip(&broken) {
        assert!(*count > 200, "{property} was broken in {count} histories only");
    }
}

#[test]
fn a_clone_goes_on_by_itself() {
    for seed in 0..300 {
        let (history, other) = (Mill::new(seed).history(60), Mill::new(seed + 1000).history(60));
        let mut judges = Judges::new(names(), config());
        let middle = history.len() / 2;
        history[..middle].iter().for_each(|e| judges.fold(e));
        let mut fork = judges.clone();
        // The first world goes another way; the second must not notice.
        let later = history[middle].at;
        other.iter().for_each(|e| judges.fold(&Entry { at: later.max(e.at), ..*e }));
        history[middle..].iter().for_each(|e| fork.fold(e));
        assert_eq!(fork.finish(config().end, &Promises::default()), judge(&history, &names()), "seed {seed}");
    }
}
