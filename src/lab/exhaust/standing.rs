//! How all messages of a run stand: what the judges will ever ask about what has happened so far, as one number and cell by cell.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, NodeId, ObjectId, PayloadId, Time};
use crate::record::{End, Entry, LogNote, Names, Note, ObjectKind, Op, Settlement, What};

/// What has happened to a message at a group.
const DELIVERED: u8 = 1;
const INTACT: u8 = 2;
const EFFECT: u8 = 4;
const DEAD: u8 = 8;
const EXPIRED: u8 = 16;
const DROPPED: u8 = 32;
/// The group was subscribed when the message was sent, and has not left since.
const OWED: u8 = 64;
const SUPERSEDED: u8 = 128;

/// How an operation stands.
const PENDING: u8 = 1;
const OK: u8 = 2;
const FAILED: u8 = 3;
const UNKNOWN: u8 = 4;
const SKIPPED: u8 = 5;

/// One cell for each operation and each pair of message and group, and a sum over all of them that does not depend on the order in which
/// they changed.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    names: Arc<Names>,
    cells: Vec<u8>,
    active: Vec<bool>,
    calls: u64,
    sum: u64,
    /// What ended before it had arrived everywhere: where it was sent, and what its end adds to the sum until then.
    awaited: BTreeMap<PayloadId, (ObjectId, u64)>,
    /// What was seen at logs, in order: for each node and for each log one number that stands for all of it.
    seen: BTreeMap<Witness, u64>,
}

/// Where the order of what happens at logs matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Witness {
    Node(NodeId),
    Log(ObjectId),
}

impl Standing {
    /// Nothing has happened.
    pub(super) fn new(names: Arc<Names>) -> Standing {
        let objects = names.objects.len();
        Standing {
            names,
            cells: Vec::new(),
            active: vec![false; objects],
            calls: 0,
            sum: 0,
            awaited: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Everything as one number: equal for runs whose messages all stand alike.
    pub(super) const fn sum(&self) -> u64 {
        self.sum
    }

    /// How many cells a message has: its operation's, and one for each group.
    fn width(&self) -> usize {
        self.names.objects.len() + 1
    }

    /// The cells of a message.
    pub(super) fn of(&self, payload: PayloadId) -> &[u8] {
        let from = payload.index() * self.width();
        self.cells.get(from..from + self.width()).unwrap_or(&[])
    }

    fn place(&mut self, payload: PayloadId, cell: usize) -> usize {
        let width = self.width();
        let at = payload.index() * width + cell;
        if at >= self.cells.len() {
            self.cells.resize((payload.index() + 1) * width, 0);
        }
        at
    }

    fn change(&mut self, at: usize, value: u8) {
        let old = std::mem::replace(&mut self.cells[at], value);
        let index = u64::try_from(at).expect("fewer than 2^64 cells");
        self.sum = self.sum.wrapping_sub(mixed(index, u64::from(old))).wrapping_add(mixed(index, u64::from(value)));
    }

    fn add(&mut self, payload: PayloadId, group: ObjectId, bits: u8) {
        let at = self.place(payload, group.index() + 1);
        self.change(at, self.cells[at] | bits);
    }

    /// Takes in what happened.
    pub(super) fn fold(&mut self, entry: &Entry) {
        match &entry.what {
            What::Call { what, .. } => self.on_call(*what),
            What::End { what, end, place, .. } => {
                self.on_end(entry, *what, *end);
                if let Some(place) = place {
                    self.on_log(entry, Some(place.log));
                }
            }
            What::Skipped { what, .. } => {
                let at = self.place(what.payload(), 0);
                self.change(at, SKIPPED);
            }
            What::Note(note) => self.on_note(entry, *note),
            What::Phase(_) | What::Fault { .. } => {}
        }
    }

    fn on_call(&mut self, what: Op) {
        self.calls += 1;
        let at = self.place(what.payload(), 0);
        self.change(at, PENDING);
        for group in 0..self.active.len() {
            let subscribed = matches!(self.names.objects[group].kind, ObjectKind::Subscription { topic } if topic == what.object());
            if subscribed && self.active[group] {
                self.add(what.payload(), ObjectId::at(group), OWED);
            }
        }
    }

    fn on_end(&mut self, entry: &Entry, what: Op, end: End) {
        let at = self.place(what.payload(), 0);
        self.change(
            at,
            match end {
                End::Ok => OK,
                End::Failed(_) => FAILED,
                End::Unknown(_) => UNKNOWN,
            },
        );
        // What has not arrived yet will be compared with what was sent after its end.
        if !self.has_arrived(what.payload(), what.object()) {
            let word = mixed(u64::from(what.payload().0) | 1 << 40, entry.at.nanos());
            self.sum = self.sum.wrapping_add(word);
            self.awaited.insert(what.payload(), (what.object(), word));
        }
    }

    /// Whether a message has reached every group that it was sent to.
    fn has_arrived(&self, payload: PayloadId, object: ObjectId) -> bool {
        let cells = self.of(payload);
        self.names.groups_of(object).all(|group| cells.get(group.index() + 1).is_some_and(|cell| cell & INTACT != 0))
    }

    /// A message arrived: when its operation ended is of no interest any more once it is everywhere.
    fn arrived(&mut self, payload: PayloadId) {
        let Some((object, word)) = self.awaited.get(&payload).copied() else { return };
        if self.has_arrived(payload, object) {
            self.awaited.remove(&payload);
            self.sum = self.sum.wrapping_sub(word);
        }
    }

    fn on_note(&mut self, entry: &Entry, note: Note) {
        match note {
            Note::Deliver { group, payload, intact, place, .. } => {
                self.add(payload, group, DELIVERED | if intact { INTACT } else { 0 });
                self.arrived(payload);
                if let Some(place) = place {
                    self.on_log(entry, Some(place.log));
                }
            }
            Note::Effect { group, payload } => self.add(payload, group, EFFECT),
            Note::Settle { group, payload, how } => match how {
                Settlement::DeadLettered => self.add(payload, group, DEAD),
                Settlement::Expired => self.add(payload, group, EXPIRED),
                Settlement::Superseded => self.add(payload, group, SUPERSEDED),
                Settlement::Dropped => self.add(payload, group, DROPPED),
                Settlement::Acknowledged | Settlement::Returned => {}
            },
            Note::Subscribe { group } => self.subscribe(group, true),
            Note::Unsubscribe { group } => {
                self.subscribe(group, false);
                let (width, cell) = (self.width(), group.index() + 1);
                for at in (cell..self.cells.len()).step_by(width) {
                    self.change(at, self.cells[at] & !OWED);
                }
            }
            Note::Log(LogNote::Poll { .. } | LogNote::InTransaction { .. }) => self.on_log(entry, None),
            Note::Log(LogNote::Assigned { log, .. } | LogNote::Revoked { log, .. }) => self.on_log(entry, Some(log)),
            Note::Log(LogNote::Appended { place, .. }) => self.on_log(entry, Some(place.log)),
            Note::Log(LogNote::Committed { .. }) | Note::Held { .. } => {}
        }
    }

    /// The judges of logs compare what happens with what the node and the log saw before, in its order; when it was is of no interest.
    fn on_log(&mut self, entry: &Entry, log: Option<ObjectId>) {
        let mut fact = Digest::new();
        Entry { at: Time::ZERO, ..*entry }.fold(&mut fact);
        for witness in [Some(Witness::Node(entry.node)), log.map(Witness::Log)].into_iter().flatten() {
            let index = match witness {
                Witness::Node(node) => u64::from(node.0) | 1 << 42,
                Witness::Log(log) => u64::from(log.0) | 1 << 43,
            };
            let seen = self.seen.entry(witness).or_insert(0);
            let next = mixed(seen.wrapping_add(1), fact.value());
            self.sum = self.sum.wrapping_sub(mixed(index, *seen)).wrapping_add(mixed(index, next));
            *seen = next;
        }
    }

    /// What is sent is compared with when the group left last.
    fn subscribe(&mut self, group: ObjectId, active: bool) {
        self.active[group.index()] = active;
        let word = self.calls << 1 | u64::from(active);
        self.sum = self.sum.wrapping_add(mixed(u64::from(group.0) | 1 << 41, word));
    }
}

/// A number that looks like chance; zero for nothing.
fn mixed(index: u64, value: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let mut x = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ value.wrapping_mul(0xd6e8_feb8_6659_fd93);
    x = (x ^ x >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x = (x ^ x >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x ^ x >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ClientOp, KeyId, Span};
    use crate::record::{Object, Place, Reason};

    fn after(entries: &[(u64, What)]) -> u64 {
        let names = Names { nodes: vec!["c".into()], objects: vec![Object { name: "q".into(), kind: ObjectKind::Queue }] };
        let mut standing = Standing::new(Arc::new(names));
        for (ms, what) in entries {
            standing.fold(&Entry { at: Time::ZERO + Span::millis(*ms), node: NodeId(0), what: *what });
        }
        standing.sum()
    }

    #[test]
    fn what_may_still_matter_is_in_the_sum_and_nothing_else() {
        let what = |n: u32| Op::Publish { to: ObjectId(0), key: KeyId(0), payload: PayloadId(n), bytes: 1 };
        let call = |n: u32| What::Call { op: ClientOp(n), what: what(n) };
        let end = |n: u32, end| What::End { op: ClientOp(n), what: what(n), end, place: None };
        let come =
            |n: u32| What::Note(Note::Deliver { group: ObjectId(0), payload: PayloadId(n), intact: true, redelivered: false, place: None });
        let done = after(&[(1, call(0)), (2, call(1)), (3, end(0, End::Ok)), (4, come(0)), (5, end(1, End::Ok)), (6, come(1))]);
        let other =
            after(&[(1, call(0)), (2, call(1)), (2, come(1)), (3, end(1, End::Ok)), (7, come(0)), (7, come(0)), (9, end(0, End::Ok))]);
        assert_eq!(done, other, "what has arrived is done, whenever its operation ended, and however often it came");
        let open = |ms, how| after(&[(1, call(0)), (ms, end(0, how))]);
        assert_ne!(open(2, End::Ok), open(3, End::Ok), "what has not arrived is compared with what was sent after its end");
        assert_ne!(open(2, End::Ok), open(2, End::Unknown(Reason("late"))));
        assert_ne!(after(&[(1, call(0))]), after(&[(1, call(1))]));
        assert_ne!(after(&[(1, call(0)), (2, come(0))]), after(&[(1, call(0))]));
    }

    #[test]
    fn what_was_read_from_logs_counts_in_its_order_and_not_in_its_time() {
        let (group, log) = (ObjectId(0), ObjectId(0));
        let come = |offset: u64| {
            let (payload, place) = (PayloadId(0), Some(Place { log, offset }));
            What::Note(Note::Deliver { group, payload, intact: true, redelivered: false, place })
        };
        let poll = || What::Note(Note::Log(LogNote::Poll { group }));
        let row = after(&[(1, poll()), (2, come(0)), (3, come(1))]);
        assert_eq!(row, after(&[(4, poll()), (5, come(0)), (9, come(1))]));
        assert_ne!(row, after(&[(1, poll()), (2, come(1)), (3, come(0))]), "the second step leads back");
        assert_ne!(row, after(&[(1, poll()), (2, come(0)), (3, poll()), (3, come(1))]), "there are two polls");
        assert_ne!(row, after(&[(1, poll()), (2, come(0)), (3, What::Note(Note::Log(LogNote::Assigned { group, log }))), (3, come(1))]));
    }
}
