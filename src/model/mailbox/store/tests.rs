//! The queue against a naive twin that keeps one list and searches it.

use proptest::prelude::*;

use super::*;
use crate::base::{KeyId, PayloadId};

fn parcel(n: u32) -> Parcel {
    Parcel { payload: PayloadId(n), key: KeyId(0), producer: NodeId(1), bytes: 10, copy: 1, damage: 0, poison: false }
}

/// One message of the twin.
#[derive(Clone, Debug)]
struct Item {
    seq: u64,
    parcel: Parcel,
    arrived: Time,
    deliveries: u32,
    out: Option<Holder>,
    hidden: bool,
}

/// The same queue, as a list.
struct Naive {
    limits: Limits,
    items: Vec<Item>,
    next: u64,
}

impl Naive {
    fn room(&self) -> Room {
        let waiting = self.items.iter().filter(|item| item.out.is_none()).count();
        if self.limits.max_length.is_some_and(|most| waiting >= most as usize) { Room::Full(self.limits.overflow) } else { Room::Free }
    }
    fn push(&mut self, parcel: Parcel, now: Time) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.items.push(Item { seq, parcel, arrived: now, deliveries: 0, out: None, hidden: true });
        seq
    }
    fn reveal(&mut self, end: u64) {
        for item in self.items.iter_mut().filter(|item| item.seq < end) {
            item.hidden = false;
        }
    }
    fn drop_head(&mut self) -> Option<(u64, Parcel)> {
        let at = self.items.iter().position(|item| item.out.is_none())?;
        let item = self.items.remove(at);
        Some((item.seq, item.parcel))
    }
    fn take(&mut self, holder: Holder) -> Option<Taken> {
        let item = self.items.iter_mut().find(|item| item.out.is_none() && !item.hidden)?;
        item.deliveries += 1;
        item.out = Some(holder);
        Some(Taken { seq: item.seq, nth: item.deliveries, parcel: item.parcel })
    }
    fn settle(&mut self, seq: u64, nth: u32) -> Option<Gone> {
        let at = self.items.iter().position(|item| item.seq == seq && item.deliveries == nth && nth > 0)?;
        let item = self.items.remove(at);
        Some(Gone { parcel: item.parcel, holder: item.out })
    }
    fn give_back(&mut self, seq: u64, nth: u32) -> Option<(Back, Holder)> {
        let at = self.items.iter().position(|item| item.seq == seq && item.deliveries == nth && item.out.is_some())?;
        let holder = self.items[at].out.take().expect("it is out");
        let exhausted = self.limits.max_deliveries.is_some_and(|most| nth >= most);
        let parcel = self.items[at].parcel;
        if exhausted {
            self.items.remove(at);
        }
        Some((Back { seq, parcel, nth, exhausted }, holder))
    }
    fn give_back_all(&mut self, holder: Holder) -> Vec<Back> {
        let out: Vec<(u64, u32)> =
            self.items.iter().filter(|item| item.out == Some(holder)).map(|item| (item.seq, item.deliveries)).collect();
        out.into_iter().filter_map(|(seq, nth)| self.give_back(seq, nth)).map(|(back, _)| back).collect()
    }
    fn expire(&mut self, now: Time) -> Vec<(u64, Parcel)> {
        let Some(ttl) = self.limits.ttl else { return Vec::new() };
        let old = |item: &Item| item.out.is_none() && !item.hidden && now.saturating_since(item.arrived) >= ttl;
        let gone = self.items.iter().filter(|item| old(item)).map(|item| (item.seq, item.parcel)).collect();
        self.items.retain(|item| !old(item));
        gone
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Reveal(u8),
    DropHead,
    Take(u8),
    /// Settles or gives back one of the deliveries so far.
    Settle(u16),
    GiveBack(u16),
    GiveBackAll(u8),
    Pass(u16),
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        4 => any::<u8>().prop_map(Step::Reveal),
        1 => Just(Step::DropHead),
        6 => (0u8..3).prop_map(Step::Take),
        4 => any::<u16>().prop_map(Step::Settle),
        3 => any::<u16>().prop_map(Step::GiveBack),
        1 => (0u8..3).prop_map(Step::GiveBackAll),
        2 => (0u16..400).prop_map(Step::Pass),
        1 => (0u8..40).prop_filter_map("seldom", |n| (n == 0).then_some(Step::Clear)),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let overflow = prop_oneof![Just(Overflow::Reject), Just(Overflow::DropNewest), Just(Overflow::DropHead)];
    (proptest::option::of(1u32..6), overflow, proptest::option::of(1u64..500), proptest::option::of(1u32..4))
        .prop_map(|(max_length, overflow, ttl, max_deliveries)| Limits { max_length, overflow, ttl: ttl.map(Span::millis), max_deliveries })
}

fn consumer(n: u8) -> Holder {
    Holder { node: NodeId(u32::from(n)), session: 1 }
}

proptest! {
    #[test]
    fn does_what_the_naive_twin_does(limits in limits(), steps in proptest::collection::vec(step(), 1..120)) {
        let mut queue = Queue::new(limits);
        let mut twin = Naive { limits, items: Vec::new(), next: 0 };
        let (mut now, mut count) = (Time::ZERO, 0);
        let mut deliveries: Vec<(u64, u32)> = Vec::new();
        let pick = |deliveries: &[(u64, u32)], n: u16| (!deliveries.is_empty()).then(|| deliveries[usize::from(n) % deliveries.len()]);
        for step in steps {
            match step {
                Step::Push => {
                    prop_assert_eq!(queue.room(), twin.room());
                    count += 1;
                    prop_assert_eq!(queue.push(parcel(count), now), twin.push(parcel(count), now));
                }
                Step::Reveal(share) => {
                    let end = queue.next_seq() * u64::from(share) / 255;
                    queue.reveal(end);
                    twin.reveal(end);
                }
                Step::DropHead => prop_assert_eq!(queue.drop_head(), twin.drop_head()),
                Step::Take(who) => {
                    let taken = queue.take(consumer(who));
                    prop_assert_eq!(taken, twin.take(consumer(who)));
                    deliveries.extend(taken.map(|taken| (taken.seq, taken.nth)));
                }
                Step::Settle(n) => if let Some((seq, nth)) = pick(&deliveries, n) {
                    prop_assert_eq!(queue.settle(seq, nth), twin.settle(seq, nth));
                }
                Step::GiveBack(n) => if let Some((seq, nth)) = pick(&deliveries, n) {
                    prop_assert_eq!(queue.give_back(seq, nth), twin.give_back(seq, nth));
                }
                Step::GiveBackAll(who) => prop_assert_eq!(queue.give_back_all(consumer(who)), twin.give_back_all(consumer(who))),
                Step::Pass(millis) => {
                    now += Span::millis(u64::from(millis));
                    let mut gone = queue.expire(now);
                    gone.sort_unstable_by_key(|(seq, _)| *seq);
                    prop_assert_eq!(gone, twin.expire(now));
                }
                Step::Clear => {
                    queue.clear();
                    twin.items.clear();
                }
            }
            queue.check().unwrap();
            prop_assert_eq!(queue.len(), twin.items.len());
            prop_assert_eq!(queue.parcels().map(|(seq, _)| seq).collect::<Vec<_>>(), twin.items.iter().map(|item| item.seq).collect::<Vec<_>>());
            for who in 0..3 {
                let out = twin.items.iter().filter(|item| item.out == Some(consumer(who))).count();
                prop_assert_eq!(queue.out_with(consumer(who)), out);
            }
            for seq in 0..queue.next_seq() {
                prop_assert_eq!(queue.contains(seq), twin.items.iter().any(|item| item.seq == seq));
            }
        }
    }

    /// Whatever is not settled, dropped, expired or exhausted can be had in order, from a queue restored from its parcels too.
    #[test]
    fn a_restored_queue_gives_the_rest_in_order(count in 1u32..30, taken in 0usize..30) {
        let mut queue = Queue::new(Limits::NONE);
        for n in 0..count {
            let end = queue.push(parcel(n), Time::ZERO) + 1;
            queue.reveal(end);
        }
        for _ in 0..taken.min(count as usize) {
            let out = queue.take(consumer(1)).unwrap();
            if out.seq.is_multiple_of(3) {
                queue.settle(out.seq, out.nth).unwrap();
            }
        }
        let mut restored = Queue::new(Limits::NONE);
        for (seq, parcel, history) in queue.contents() {
            restored.restore(seq, parcel, history);
        }
        prop_assert_eq!(restored.take(consumer(2)), None);
        restored.reveal(restored.next_seq());
        let expected: Vec<PayloadId> = queue.parcels().map(|(_, parcel)| parcel.payload).collect();
        let mut got = Vec::new();
        while let Some(out) = restored.take(consumer(2)) {
            got.push(out.parcel.payload);
        }
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn an_acknowledgement_counts_while_nobody_else_has_the_message() {
    let mut queue = Queue::new(Limits::NONE);
    queue.push(parcel(1), Time::ZERO);
    queue.reveal(1);
    let first = queue.take(consumer(1)).unwrap();
    queue.give_back(first.seq, first.nth).unwrap();
    // It timed out, but was not given to anybody yet: the work is done.
    assert_eq!(queue.settle(first.seq, first.nth), Some(Gone { parcel: parcel(1), holder: None }));
    assert!(queue.is_empty());
}

#[test]
fn what_is_not_safe_yet_is_neither_handed_out_nor_expired() {
    let mut queue = Queue::new(Limits { ttl: Some(Span::millis(1)), ..Limits::NONE });
    queue.push(parcel(1), Time::ZERO);
    assert_eq!(queue.take(consumer(1)), None);
    assert_eq!(queue.expire(Time::ZERO + Span::secs(1)), vec![]);
    queue.reveal(1);
    assert_eq!(queue.expire(Time::ZERO + Span::secs(1)), vec![(0, parcel(1))]);
}

#[test]
fn the_last_delivery_exhausts() {
    let mut queue = Queue::new(Limits { max_deliveries: Some(2), ..Limits::NONE });
    queue.push(parcel(1), Time::ZERO);
    queue.reveal(1);
    let first = queue.take(consumer(1)).unwrap();
    assert!(!queue.give_back(first.seq, first.nth).unwrap().0.exhausted);
    let second = queue.take(consumer(1)).unwrap();
    assert!(queue.give_back(second.seq, second.nth).unwrap().0.exhausted);
    assert!(queue.is_empty());
}
