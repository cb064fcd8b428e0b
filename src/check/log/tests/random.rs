//! Random small histories of logs on which the judges and their twin must agree.

use std::sync::Arc;

use crate::base::{ClientOp, KeyId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::tests::notation::{config, judge, log_names};
use crate::check::tests::random::Dice;
use crate::check::{Finding, Judges, Promises, Property, Verdict};
use crate::record::{End, Entry, LogNote, Names, Note, Op, Phase, Place, Reason, Settlement, What};

use super::twin::{Says, Twin};

/// The names of the notation: the topic t with its subscriptions and logs, and the topic v with its own.
const T: ObjectId = ObjectId(2);
const V: ObjectId = ObjectId(9);
const V0: ObjectId = ObjectId(11);
const S3: ObjectId = ObjectId(10);

/// Where random histories come from: logs that messages are written to, and readers who mostly follow them.
struct Mill {
    dice: Dice,
    /// Little goes wrong, so that what does stands out.
    tame: bool,
    keys: u64,
    asked: Vec<(Op, NodeId)>,
    ended: Vec<bool>,
    /// What stands in the three logs; markers are `None`.
    logs: [Vec<Option<PayloadId>>; 3],
    /// By node and log: where it reads next.
    next: [[u64; 3]; 5],
    /// By node: its current transaction.
    transactions: [u64; 5],
    entries: Vec<Entry>,
}

const LOGS: [ObjectId; 3] = [ObjectId(7), ObjectId(8), V0];

impl Mill {
    fn new(seed: u64) -> Mill {
        let mut dice = Dice(seed);
        let (tame, keys) = (dice.below(2) == 0, 1 + dice.below(3));
        let (asked, ended, entries) = (Vec::new(), Vec::new(), Vec::new());
        Mill { dice, tame, keys, asked, ended, logs: Default::default(), next: [[0; 3]; 5], transactions: [0; 5], entries }
    }

    fn pick(&mut self, n: usize) -> usize {
        usize::try_from(self.dice.below(n as u64)).expect("small")
    }

    fn node(&mut self, from: u32, n: u64) -> NodeId {
        NodeId(from + u32::try_from(self.dice.below(n)).expect("small"))
    }

    fn history(mut self, length: u64) -> Vec<Entry> {
        let mut at = 0;
        for group in [ObjectId(3), ObjectId(4), S3] {
            if self.tame || self.dice.below(4) > 0 {
                self.push(0, (NodeId(3), What::Note(Note::Subscribe { group })));
            }
        }
        for _ in 0..length {
            at += [0, 1, 1, 2][self.pick(4)];
            let event = self.event();
            self.push(at, event);
        }
        if self.dice.below(5) > 0 {
            self.push(at, (NodeId(0), What::Phase(Phase::Final)));
            for _ in 0..self.dice.below(4) {
                let (group, payload) = self.pair();
                self.push(at, (NodeId(3), What::Note(Note::Held { group, payload })));
            }
        }
        self.entries
    }

    fn push(&mut self, at: u64, (node, what): (NodeId, What)) {
        self.entries.push(Entry { at: Time::ZERO + Span::millis(at), node, what });
    }

    fn event(&mut self) -> (NodeId, What) {
        let wild = u64::from(!self.tame);
        match self.dice.below(25 + 2 * wild) {
            0..=4 => self.call(),
            5..=8 if !self.asked.is_empty() => self.end(),
            9..=11 if !self.asked.is_empty() => self.in_transaction(),
            12 if !self.asked.is_empty() => self.appended(),
            13..=15 => {
                let group = [ObjectId(3), ObjectId(4), S3][self.pick(3)];
                (self.node(3, 2), What::Note(Note::Log(LogNote::Poll { group })))
            }
            16 => {
                let (node, which) = (self.node(3, 2), self.pick(3));
                let (group, log) = (self.group(which), LOGS[which]);
                let assigned = self.dice.below(3) > 0;
                self.next[node.index()][which] = self.dice.below(1 + self.next[node.index()][which]);
                (node, What::Note(Note::Log(if assigned { LogNote::Assigned { group, log } } else { LogNote::Revoked { group, log } })))
            }
            17 => {
                let (group, payload) = self.pair();
                let how =
                    [Settlement::Expired, Settlement::Superseded, Settlement::Superseded, Settlement::Dropped, Settlement::Acknowledged];
                let how = how[self.pick(5)];
                (NodeId(3), What::Note(Note::Settle { group, payload, how }))
            }
            25 => {
                let group = [ObjectId(3), ObjectId(4), S3][self.pick(3)];
                (NodeId(3), What::Note(if self.dice.below(2) == 0 { Note::Unsubscribe { group } } else { Note::Subscribe { group } }))
            }
            _ => self.deliver(),
        }
    }

    fn call(&mut self) -> (NodeId, What) {
        let (payload, to) = (PayloadId::at(self.asked.len()), if self.dice.below(3) == 0 { V } else { T });
        let what = Op::Publish { to, key: KeyId(u32::try_from(self.dice.below(self.keys)).expect("small")), payload, bytes: 1 };
        let node = self.node(0, 3);
        self.asked.push((what, node));
        self.ended.push(false);
        if self.dice.below(5) > 0 {
            let which = if to == V { 2 } else { self.pick(2) };
            self.write(which, payload);
        }
        (node, What::Call { op: ClientOp(payload.0), what })
    }

    /// Appends to a log, sometimes with a marker before or twice.
    fn write(&mut self, which: usize, payload: PayloadId) {
        if self.dice.below(5) == 0 {
            self.logs[which].push(None);
        }
        self.logs[which].push(Some(payload));
        if !self.tame && self.dice.below(9) == 0 {
            let again = if which == 2 { 2 } else { self.pick(2) };
            self.logs[again].push(Some(payload));
        }
    }

    fn place_of(&mut self, to: ObjectId, payload: PayloadId) -> Option<Place> {
        let logs: &[usize] = if to == V { &[2] } else { &[0, 1] };
        let find = |which: usize| self.logs[which].iter().position(|p| *p == Some(payload)).map(|at| (LOGS[which], at as u64));
        let found = logs.iter().find_map(|which| find(*which));
        let wrong = if self.tame { 40 } else { 8 };
        let (log, offset) = match self.dice.below(wrong) {
            0 => (LOGS[logs[self.pick(logs.len())]], self.dice.below(5)),
            _ => found?,
        };
        Some(Place { log, offset })
    }

    fn end(&mut self) -> (NodeId, What) {
        let back = self.pick(self.asked.len().min(4));
        let (what, producer) = self.asked[self.asked.len() - 1 - back];
        let end = match self.dice.below(if self.tame { 9 } else { 5 }) {
            0 => End::Failed(Reason("aborted")),
            1 => End::Unknown(Reason("no answer in time")),
            _ => End::Ok,
        };
        self.transactions[producer.index()] += 1;
        self.ended[what.payload().index()] = true;
        let place = self.place_of(what.object(), what.payload());
        (producer, What::End { op: ClientOp(what.payload().0), what, end, place })
    }

    fn in_transaction(&mut self) -> (NodeId, What) {
        let back = self.pick(self.asked.len().min(3));
        let (what, producer) = self.asked[self.asked.len() - 1 - back];
        let node = if self.dice.below(3) > 0 && !self.ended[what.payload().index()] { producer } else { self.node(3, 2) };
        if node != producer && what.object() == T && self.dice.below(3) > 0 {
            self.write(2, what.payload());
        }
        let transaction = u64::from(node.0) * 1000 + self.transactions[node.index()];
        (node, What::Note(Note::Log(LogNote::InTransaction { transaction, payload: what.payload() })))
    }

    fn appended(&mut self) -> (NodeId, What) {
        let at = self.pick(self.asked.len());
        let (what, node) = (self.asked[at].0, self.node(3, 2));
        // Whoever had put it into a transaction has ended that.
        self.transactions.iter_mut().for_each(|number| *number += 1);
        let place = self.place_of(V, what.payload()).unwrap_or(Place { log: V0, offset: self.dice.below(6) });
        (node, What::Note(Note::Log(LogNote::Appended { payload: what.payload(), place })))
    }

    fn group(&mut self, which: usize) -> ObjectId {
        if which == 2 { S3 } else { [ObjectId(3), ObjectId(3), ObjectId(4)][self.pick(3)] }
    }

    fn deliver(&mut self) -> (NodeId, What) {
        let (node, which) = (if self.dice.below(9) == 0 { self.node(0, 3) } else { self.node(3, 2) }, self.pick(3));
        let (group, length) = (self.group(which), self.logs[which].len() as u64);
        let next = self.next[node.index()][which];
        let jumps = if self.tame { 9 } else { 4 };
        let offset = match self.dice.below(jumps) {
            0 => self.dice.below(length + 2),
            1 => next + 1 + self.dice.below(2),
            _ => next,
        };
        // A reader knows markers.
        let markers = self.logs[which].iter().skip(usize::try_from(offset).expect("small")).take_while(|p| p.is_none()).count();
        let offset = offset + markers as u64;
        let stands = self.logs[which].get(usize::try_from(offset).expect("small")).copied().flatten();
        let wrong = if self.tame { 60 } else { 9 };
        let payload =
            stands.filter(|_| self.dice.below(wrong) > 0).unwrap_or_else(|| PayloadId(u32::try_from(self.dice.below(8)).expect("small")));
        self.next[node.index()][which] = offset + 1;
        let place = (self.dice.below(12) > 0).then_some(Place { log: LOGS[which], offset });
        (node, What::Note(Note::Deliver { group, payload, intact: self.dice.below(12) > 0, redelivered: false, place }))
    }

    /// A group and a payload that belong together.
    fn pair(&mut self) -> (ObjectId, PayloadId) {
        if self.asked.is_empty() {
            return (S3, PayloadId(0));
        }
        let at = self.pick(self.asked.len());
        let what = self.asked[at].0;
        let group = if what.object() == V || self.dice.below(6) == 0 {
            S3
        } else {
            ObjectId(3 + u32::try_from(self.dice.below(2)).expect("small"))
        };
        (group, what.payload())
    }
}

pub(super) fn random_history(seed: u64) -> Vec<Entry> {
    let mut mill = Mill::new(seed);
    let length = 6 + mill.dice.below(40);
    mill.history(length)
}

pub(super) fn said(finding: &Finding) -> Says {
    match &finding.verdict {
        Verdict::Holds { examined } => Says::Holds(*examined),
        Verdict::Unknown { .. } => Says::Unknown,
        Verdict::Broken(w) => Says::Broken(w.cases, w.examined, w.payloads[0]),
    }
}

fn compare(seed: u64, history: &[Entry], names: &Arc<Names>) -> Vec<Finding> {
    let twin = Twin::new(names, history, None);
    let found = judge(history, names).findings;
    for finding in found.iter().filter(|finding| finding.property.is_about_logs()) {
        let tell = || history.iter().map(|e| format!("{e:?}\n")).collect::<String>();
        assert_eq!(said(finding), twin.says(finding.property), "{} with seed {seed}: {finding:?}\n{}", finding.property, tell());
    }
    found
}

#[test]
fn judges_agree_with_their_twin() {
    let (mut broken, mut held, names) = ([0; Property::LOG.len()], [0; Property::LOG.len()], log_names());
    for seed in 0..12_000 {
        let found = compare(seed, &random_history(seed), &names);
        let of_logs = found.iter().filter(|finding| finding.property.is_about_logs());
        for ((broken, held), finding) in broken.iter_mut().zip(&mut held).zip(of_logs) {
            *broken += u32::from(finding.verdict.is_broken());
            *held += u32::from(matches!(finding.verdict, Verdict::Holds { .. }));
        }
    }
    // A comparison in which nothing ever breaks, or everything does, would prove nothing.
    for ((property, broken), held) in Property::LOG.iter().zip(broken).zip(held) {
        assert!(broken > 200 && held > 200, "{property} was broken in {broken} histories and held in {held}");
    }
}

#[test]
fn a_clone_goes_on_by_itself() {
    for seed in 0..300 {
        let (history, other) = (Mill::new(seed).history(60), Mill::new(seed + 1000).history(60));
        let mut judges = Judges::new(log_names(), config());
        let middle = history.len() / 2;
        history[..middle].iter().for_each(|e| judges.fold(e));
        let mut fork = judges.clone();
        // The first world goes another way; the second must not notice.
        let later = history[middle].at;
        other.iter().for_each(|e| judges.fold(&Entry { at: later.max(e.at), ..*e }));
        history[middle..].iter().for_each(|e| fork.fold(e));
        assert_eq!(fork.finish(config().end, &Promises::default()), judge(&history, &log_names()), "seed {seed}");
    }
}
