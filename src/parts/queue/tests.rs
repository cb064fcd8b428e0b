//! The queue beside its twin: a plain heap of the standard library that never forgets, and a set of what was called off.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use proptest::prelude::*;

use super::*;

/// The plainest queue that can do the same: an event is looked up by its birth, a key counts while it is the event's last one.
#[derive(Clone, Default)]
struct Twin {
    order: BinaryHeap<Reverse<(u64, u64, u64)>>,
    events: BTreeMap<u64, (Option<u64>, u32)>,
    sequence: u64,
}

impl Twin {
    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence - 1
    }
    fn push(&mut self, at: u64, payload: u32) -> u64 {
        let now = self.next_sequence();
        self.events.insert(now, (Some(now), payload));
        self.order.push(Reverse((at, now, now)));
        now
    }
    fn peek(&mut self) -> Option<(u64, u64, u32)> {
        loop {
            let Reverse((at, now, birth)) = *self.order.peek()?;
            match self.events.get(&birth) {
                Some((key, payload)) if *key == Some(now) => return Some((at, birth, *payload)),
                Some(_) | None => self.order.pop(),
            };
        }
    }
    fn pop(&mut self) -> Option<(u64, u64, u32)> {
        let next = self.peek()?;
        self.events.remove(&next.1);
        Some(next)
    }
    fn park(&mut self) -> Option<(u64, u64)> {
        let (at, birth, _) = self.peek()?;
        self.events.get_mut(&birth)?.0 = None;
        Some((at, birth))
    }
    fn rekey(&mut self, birth: u64, at: u64) -> bool {
        if !self.events.contains_key(&birth) {
            return false;
        }
        let now = self.next_sequence();
        self.events.get_mut(&birth).unwrap().0 = Some(now);
        self.order.push(Reverse((at, now, birth)));
        true
    }
    fn cancel(&mut self, birth: u64) -> Option<u32> {
        self.events.remove(&birth).map(|(_, payload)| payload)
    }
    fn counts(&self) -> (usize, usize) {
        let parked = self.events.values().filter(|(key, _)| key.is_none()).count();
        (self.events.len() - parked, parked)
    }
    fn pending(&self) -> Vec<(u64, u64, u32)> {
        let mut all: Vec<_> = self.order.iter().map(|Reverse(key)| *key).collect();
        all.retain(|(_, now, birth)| self.events.get(birth).is_some_and(|(key, _)| *key == Some(*now)));
        all.sort_unstable();
        all.into_iter().map(|(at, _, birth)| (at, birth, self.events[&birth].1)).collect()
    }
}

/// What the driver may do; numbers choose among the handles it ever got.
#[derive(Clone, Copy, Debug)]
enum Step {
    Push(u64),
    Burst(u16, u64),
    Pop,
    Drain(u16),
    Park,
    Rekey(u32, u64),
    Cancel(u32),
    CancelMany(u16),
    Get(u32),
    Clone,
}

/// A queue and its twin, driven together.
#[derive(Clone, Default)]
struct Pair {
    queue: Queue<u32>,
    twin: Twin,
    handles: Vec<(Handle, u64)>,
    now: u64,
    count: u32,
}

impl Pair {
    fn push(&mut self, after: u64) {
        let at = self.now.saturating_add(after);
        self.count += 1;
        let handle = self.queue.push(Time::from_nanos(at), self.count);
        let birth = self.twin.push(at, self.count);
        assert_eq!(handle.birth, birth);
        self.handles.push((handle, birth));
    }

    fn pop(&mut self) {
        let ours = self.queue.pop().map(|(at, handle, payload)| (at.nanos(), handle.birth, payload));
        assert_eq!(ours, self.twin.pop());
        if let Some((at, birth, _)) = ours {
            self.now = at;
            let (handle, _) = self.handles[self.handles.binary_search_by_key(&birth, |pair| pair.1).unwrap()];
            assert_eq!(self.queue.get(handle), None, "what has fired is gone");
        }
    }

    fn chosen(&self, number: u32) -> Option<(Handle, u64)> {
        let handles = self.handles.len();
        // Recent ones more often than old ones.
        (handles > 0).then(|| self.handles[handles - 1 - (number as usize % handles.min(1 + (number >> 16) as usize))])
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Push(after) => self.push(after),
            Step::Burst(count, spread) => {
                (0..u64::from(count)).for_each(|i| self.push(i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % spread.max(1)))
            }
            Step::Pop => self.pop(),
            Step::Drain(count) => (0..count).for_each(|_| self.pop()),
            Step::Park => {
                let ours = self.queue.park().map(|(at, handle)| (at.nanos(), handle.birth));
                assert_eq!(ours, self.twin.park());
            }
            Step::Rekey(number, after) => {
                let Some((handle, birth)) = self.chosen(number) else { return };
                let at = self.now.saturating_add(after);
                assert_eq!(self.queue.rekey(handle, Time::from_nanos(at)), self.twin.rekey(birth, at));
            }
            Step::Cancel(number) => {
                let Some((handle, birth)) = self.chosen(number) else { return };
                let was_pending = self.queue.get(handle).is_some() && self.queue.slots[handle.slot as usize].now != PARKED;
                assert_eq!(self.queue.cancel(handle), self.twin.cancel(birth));
                assert_eq!(self.queue.cancel(handle), None, "nothing is cancelled twice");
                assert!(!was_pending || self.queue.dead <= self.queue.pending.max(32), "dead keys do not outgrow the living");
            }
            Step::CancelMany(count) => {
                let recent = self.handles.len().saturating_sub(usize::from(count));
                for (handle, birth) in self.handles[recent..].iter().rev().step_by(2) {
                    assert_eq!(self.queue.cancel(*handle), self.twin.cancel(*birth));
                }
            }
            Step::Get(number) => {
                let Some((handle, birth)) = self.chosen(number) else { return };
                assert_eq!(self.queue.get(handle).copied(), self.twin.events.get(&birth).map(|event| event.1));
                if let Some(payload) = self.queue.get_mut(handle) {
                    *payload ^= 0x8000_0000;
                    self.twin.events.get_mut(&birth).unwrap().1 ^= 0x8000_0000;
                }
            }
            Step::Clone => *self = self.clone(),
        }
        let next = self.queue.peek().map(|(at, handle, payload)| (at.nanos(), handle.birth, *payload));
        assert_eq!(next, self.twin.peek());
        assert_eq!(self.queue.peek_time().map(Time::nanos), next.map(|next| next.0));
        let keys = self.queue.heap.len() + self.queue.run.len() - self.queue.taken + self.queue.wheel.iter().flat_map(|w| w.keys()).count();
        assert_eq!(keys, self.queue.len() + self.queue.dead, "no key is lost");
    }

    fn compare_all(&self) {
        let ours: Vec<_> = self.queue.iter().map(|(at, handle, payload)| (at.nanos(), handle.birth, *payload)).collect();
        assert_eq!(ours, self.twin.pending());
        assert_eq!((self.queue.len(), self.queue.parked()), self.twin.counts());
        assert_eq!(self.queue.is_empty(), ours.is_empty());
    }

    fn drain(&mut self) {
        while !self.queue.is_empty() {
            self.pop();
        }
        self.pop();
        self.compare_all();
    }
}

/// Delays: none, few different ones (ties), spans of every magnitude, to the end of time.
fn after() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0u64..4, (0u32..64, any::<u64>()).prop_map(|(shift, word)| word >> shift), Just(u64::MAX), Just(1_000_000)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => after().prop_map(Step::Push),
        4 => Just(Step::Pop),
        2 => Just(Step::Park),
        3 => (any::<u32>(), after()).prop_map(|(number, after)| Step::Rekey(number, after)),
        2 => any::<u32>().prop_map(Step::Cancel),
        2 => any::<u32>().prop_map(Step::Get),
        1 => Just(Step::Clone),
        1 => (1u16..100, after()).prop_map(|(count, spread)| Step::Burst(count, spread)),
        1 => (1u16..100).prop_map(Step::CancelMany),
    ]
}

/// As above, with steps large enough to carry the population over both thresholds again and again.
fn large_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1000u16..6000, after()).prop_map(|(count, spread)| Step::Burst(count, spread)),
        2 => (1000u16..6000).prop_map(Step::Drain),
        1 => (1000u16..6000).prop_map(Step::CancelMany),
        6 => step(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn small_populations_agree_with_the_twin(steps in prop::collection::vec(step(), 1..300)) {
        let mut pair = Pair::default();
        steps.into_iter().for_each(|step| pair.step(step));
        pair.compare_all();
        pair.drain();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn large_populations_agree_with_the_twin(steps in prop::collection::vec(large_step(), 1..40)) {
        let mut pair = Pair::default();
        steps.into_iter().for_each(|step| pair.step(step));
        pair.compare_all();
        pair.drain();
    }
}

/// Up and down over both thresholds, with the population's events spread widely, closely, and at one moment.
#[test]
fn the_wheel_comes_and_goes() {
    for spread in [0, 1, 300, 1_000_000, 10_000_000_000, u64::MAX] {
        let mut pair = Pair::default();
        for _ in 0..2 {
            pair.step(Step::Burst(12_000, spread));
            assert!(pair.queue.wheel.is_some(), "many events are spread");
            pair.step(Step::Drain(6_000));
            pair.step(Step::Burst(3_000, spread));
            pair.step(Step::Push(0));
            pair.step(Step::Park);
            pair.compare_all();
            pair.drain();
            assert!(pair.queue.wheel.is_none(), "an empty queue has no wheel");
        }
    }
}

/// A population that only ever schedules into the stretch at hand is spread again, so that the heap stays small.
#[test]
fn a_crowded_moment_is_spread_again() {
    let mut queue = Queue::new();
    for i in 0..10_000u64 {
        queue.push(Time::from_nanos(1_000_000_000 + (i << 24)), i);
    }
    queue.pop();
    for i in 0..50_000u64 {
        queue.push(Time::from_nanos(1_000_000_001 + i % 4_000_000), i);
    }
    assert!(queue.heap.len() <= MANY + 1, "{} keys at hand", queue.heap.len());
    let mut last = Time::ZERO;
    while let Some((at, _, _)) = queue.pop() {
        assert!(at >= last);
        last = at;
    }
}

/// Buckets give their memory back while the wheel stays.
#[test]
fn memory_follows_the_population() {
    let mut queue = Queue::new();
    let handles: Vec<Handle> = (0..100_000u64).map(|i| queue.push(Time::from_nanos(i * 1000), i)).collect();
    let full = queue.wheel.as_ref().unwrap().capacity();
    assert!(full < 2 * 100_000 + 200_000, "{full} keys of room");
    handles[3_000..].iter().for_each(|handle| assert!(queue.cancel(*handle).is_some()));
    assert_eq!(queue.len(), 3_000);
    let rest = queue.wheel.as_ref().unwrap().capacity();
    assert!(rest < full / 4, "{rest} keys of room after, {full} before");
    for i in 0..250_000u64 {
        let (at, _, _) = queue.pop().unwrap();
        queue.push(Time::from_nanos(at.nanos() + 3_000_000), i);
    }
    let rest = queue.wheel.as_ref().unwrap().capacity();
    assert!(rest < full / 4, "{rest} keys of room after many events, {full} before");
    assert!(queue.slots.capacity() < 8_000, "{} slots for 3,000 events", queue.slots.capacity());
}

/// So they do when the population dwindles without anything being cancelled.
#[test]
fn memory_follows_events_that_fire() {
    let mut queue = Queue::new();
    for i in 0..100_000u64 {
        queue.push(Time::from_nanos(i * 1000), i);
    }
    let full = queue.wheel.as_ref().unwrap().capacity();
    while queue.len() > 2_000 {
        queue.pop();
    }
    let rest = queue.wheel.as_ref().unwrap().capacity();
    assert!(rest < full / 4, "{rest} keys of room after, {full} before");
}

/// Handles of one life of a slot do not reach the next.
#[test]
fn a_handle_names_one_event_only() {
    let mut queue = Queue::new();
    let first = queue.push(Time::ZERO, 'a');
    assert_eq!(queue.cancel(first), Some('a'));
    let second = queue.push(Time::ZERO, 'b');
    assert_eq!(first.slot, second.slot);
    assert_eq!(queue.get(first), None);
    assert_eq!(queue.cancel(first), None);
    assert!(!queue.rekey(first, Time::FAR));
    assert_eq!(queue.get(second), Some(&'b'));
    assert_eq!(queue.park(), Some((Time::ZERO, second)));
    assert_eq!((queue.len(), queue.parked(), queue.peek_time()), (0, 1, None));
    assert_eq!(queue.cancel(second), Some('b'));
    assert!(!queue.rekey(second, Time::FAR));
}

/// Also across dead keys, and into and out of the wheel.
#[test]
fn what_is_due_later_stays() {
    let mut queue = Queue::new();
    for i in 0..5000u64 {
        let handle = queue.push(Time::from_nanos(i / 2 * 1_000_000), i);
        if i % 5 == 0 {
            queue.cancel(handle);
        }
    }
    let mut next = 1;
    for until in (0..2500).map(|i| Time::from_nanos(i * 1_000_000)) {
        while let Some((at, _, i)) = queue.pop_until(until) {
            assert_eq!((at, i), (until, next));
            next += if next % 5 == 4 { 2 } else { 1 };
        }
        assert!(queue.peek_time().is_none_or(|at| at > until));
    }
    assert!(queue.is_empty() && next == 5001);
}
