//! The event queue: what is going to happen, in the order of time and, at equal times, in the order in which it was scheduled.
//!
//! An event's key packs its time (64 bits), sequence number (40) and slot (24) into one word; its payload lies still in a slot
//! until the event fires. Cancelling frees the slot at once; the key that is left behind is recognised by its sequence number
//! and swept when such dead keys outgrow the living ones. Small populations lie in a four-way heap, which is flat and cheap to
//! clone. A large one keeps only the next stretch of time at hand and the rest in a wheel of buckets. What comes out never
//! depends on which of them an event lay in.

mod heap;
#[cfg(test)]
mod tests;
mod wheel;

use crate::base::Time;
use heap::{Heap, NONE};
use wheel::Wheel;

/// Handle of a pending event; it stays the same when the event is re-keyed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle {
    slot: u32,
    /// The sequence number it was first pushed with: no two events share one.
    birth: u64,
}

/// Bits of a key for its slot and its sequence number; time has the other 64.
const SLOT_BITS: u32 = 24;
const SEQUENCE_BITS: u32 = 40;
/// In place of a slot's sequence number: its event is parked, or the slot is free.
const PARKED: u64 = u64::MAX;
const FREE: u64 = u64::MAX - 1;
/// The end of the list of free slots.
const NO_SLOT: u64 = u64::MAX;
/// More keys than this at hand, and those that are not next move to the wheel. Measured with `benches/queue.rs`: the wheel is
/// ahead from about a thousand on, but costs some 30 KB to clone, so that populations of common worlds should do without.
const MANY: usize = 1280;
/// Fewer pending events than this when the wheel is asked for more, and the wheel is given up.
const FEW: usize = MANY / 2;

/// The slots are looked through for memory to give back after this many events, or as many as there are slots.
const TIDY_EVERY: u64 = 1 << 14;

/// Where a payload waits.
#[derive(Clone, Copy, Debug)]
struct Slot<T> {
    /// The sequence number of its key now, or [`PARKED`], or [`FREE`].
    now: u64,
    /// That of its first key; in a free slot, the next free slot.
    birth: u64,
    payload: Option<T>,
}

/// Pending events in total order of (time, sequence).
///
/// ```
/// use deadletter::base::{Span, Time};
/// use deadletter::parts::queue::Queue;
/// let soon = Time::ZERO + Span::millis(1);
/// let mut queue = Queue::new();
/// queue.push(soon, "first");
/// let second = queue.push(soon, "second");
/// let timer = queue.push(soon + Span::secs(1), "time-out");
/// assert_eq!(queue.cancel(timer), Some("time-out"));
/// assert_eq!(queue.pop().map(|(at, _, what)| (at, what)), Some((soon, "first")));
/// // The second event fires, but its payload waits for a processor before it fires again under the same handle.
/// assert_eq!(queue.park(), Some((soon, second)));
/// assert!(queue.rekey(second, soon + Span::millis(3)));
/// assert_eq!(queue.pop(), Some((soon + Span::millis(3), second, "second")));
/// assert!(queue.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Queue<T> {
    /// Keys at hand: all times up to `at_hand`, save what `run` holds.
    heap: Heap,
    /// A bucket of the wheel, sorted, of which the first `taken` are gone.
    run: Vec<u128>,
    taken: usize,
    /// The last moment whose keys are at hand; later ones are in the wheel.
    at_hand: u64,
    /// With more keys than this in the heap it is spread.
    spread_above: usize,
    wheel: Option<Box<Wheel>>,
    slots: Vec<Slot<T>>,
    /// The first free slot, or [`NO_SLOT`].
    free: u64,
    sequence: u64,
    pending: usize,
    parked: usize,
    /// Keys whose event was cancelled or re-keyed.
    dead: usize,
    /// The sequence number at which the slots are looked through next.
    tidy_at: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Queue::new()
    }
}

impl<T> Queue<T> {
    /// A queue with nothing pending.
    #[must_use]
    pub const fn new() -> Queue<T> {
        Queue {
            heap: Heap::new(),
            run: Vec::new(),
            taken: 0,
            at_hand: u64::MAX,
            spread_above: MANY,
            wheel: None,
            slots: Vec::new(),
            free: NO_SLOT,
            sequence: 0,
            pending: 0,
            parked: 0,
            dead: 0,
            tidy_at: TIDY_EVERY,
        }
    }

    /// Schedules an event: after everything already scheduled for the same moment.
    ///
    /// # Panics
    /// With more than 2²⁴ events at once or 2⁴⁰ in all.
    // The payload is then made where it will lie, not copied there right after it was written in other pieces.
    #[inline(always)]
    pub fn push(&mut self, at: Time, payload: T) -> Handle {
        let now = self.next_sequence();
        let fresh = Slot { now, birth: now, payload: Some(payload) };
        let slot = if self.free == NO_SLOT {
            assert!(self.slots.len() < 1 << SLOT_BITS, "at most 2^24 events are pending at once");
            self.slots.push(fresh);
            self.slots.len() as u64 - 1
        } else {
            let slot = self.free;
            let place = &mut self.slots[index(slot)];
            self.free = place.birth;
            *place = fresh;
            slot
        };
        self.pending += 1;
        self.order(at, now, slot);
        Handle { slot: u32::try_from(slot).expect("below 2^24"), birth: now }
    }

    /// The time of the next event.
    #[inline]
    pub fn peek_time(&mut self) -> Option<Time> {
        self.next_key().map(|key| Time::from_nanos(time_of(key)))
    }

    /// The next event, left where it is.
    #[inline]
    pub fn peek(&mut self) -> Option<(Time, Handle, &T)> {
        let key = self.next_key()?;
        let slot = &self.slots[index(slot_of(key))];
        let payload = slot.payload.as_ref().expect("a pending event has a payload");
        Some((Time::from_nanos(time_of(key)), handle(key, slot), payload))
    }

    /// Takes the next event; its slot becomes free.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, Handle, T)> {
        self.pop_until(Time::from_nanos(u64::MAX))
    }

    /// Takes the next event if it is due at this moment or before; its slot becomes free.
    // As with a push: the payload is moved once.
    #[inline(always)]
    pub fn pop_until(&mut self, until: Time) -> Option<(Time, Handle, T)> {
        let key = self.next_key().filter(|key| time_of(*key) <= until.nanos())?;
        self.remove_next(key);
        self.pending -= 1;
        let number = slot_of(key);
        let slot = &mut self.slots[index(number)];
        let handle = handle(key, slot);
        let payload = slot.payload.take().expect("a pending event has a payload");
        slot.now = FREE;
        slot.birth = self.free;
        self.free = number;
        Some((Time::from_nanos(time_of(key)), handle, payload))
    }

    /// Takes the next event out of the order but keeps its payload: it now waits elsewhere, say in a node's run queue, until
    /// it is re-keyed or cancelled.
    #[inline]
    pub fn park(&mut self) -> Option<(Time, Handle)> {
        let key = self.next_key()?;
        self.remove_next(key);
        self.pending -= 1;
        self.parked += 1;
        let slot = &mut self.slots[index(slot_of(key))];
        slot.now = PARKED;
        Some((Time::from_nanos(time_of(key)), handle(key, slot)))
    }

    /// Puts a parked event back into the order, after everything already scheduled for that moment. One that is pending moves
    /// there. False when it was cancelled or has fired.
    #[inline]
    pub fn rekey(&mut self, handle: Handle, at: Time) -> bool {
        let Some(slot) = self.living(handle) else { return false };
        let was_parked = slot.now == PARKED;
        let now = self.next_sequence();
        self.slots[handle.slot as usize].now = now;
        if was_parked {
            self.parked -= 1;
            self.pending += 1;
        } else {
            self.dead += 1;
        }
        self.order(at, now, u64::from(handle.slot));
        self.sweep_if_worthwhile();
        true
    }

    /// Calls an event off, pending or parked, and returns its payload; `None` when it has fired or was cancelled before.
    #[inline]
    pub fn cancel(&mut self, handle: Handle) -> Option<T> {
        let was_parked = self.living(handle)?.now == PARKED;
        let slot = &mut self.slots[handle.slot as usize];
        let payload = slot.payload.take();
        slot.now = FREE;
        slot.birth = self.free;
        self.free = u64::from(handle.slot);
        if was_parked {
            self.parked -= 1;
        } else {
            self.pending -= 1;
            self.dead += 1;
            self.sweep_if_worthwhile();
        }
        payload
    }

    /// The payload of an event that is pending or parked.
    #[must_use]
    pub fn get(&self, handle: Handle) -> Option<&T> {
        self.living(handle)?.payload.as_ref()
    }

    /// The payload of an event that is pending or parked, to change it.
    #[must_use]
    pub fn get_mut(&mut self, handle: Handle) -> Option<&mut T> {
        self.living(handle)?;
        self.slots[handle.slot as usize].payload.as_mut()
    }

    /// How many events are pending, parked ones not counted.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pending
    }

    /// Whether no event is pending; some may be parked.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pending == 0
    }

    /// How many events are parked.
    #[must_use]
    pub const fn parked(&self) -> usize {
        self.parked
    }

    /// All pending events in the order in which they will fire. Sorts: meant for fingerprints and for cancelling by what an
    /// event is.
    pub fn iter(&self) -> impl Iterator<Item = (Time, Handle, &T)> {
        let mut keys: Vec<u128> = Vec::with_capacity(self.pending + self.dead);
        keys.extend(self.heap.keys().chain(self.run[self.taken..].iter().copied()));
        keys.extend(self.wheel.iter().flat_map(|wheel| wheel.keys()));
        keys.retain(|key| is_living(&self.slots, *key));
        assert_eq!(keys.len(), self.pending, "every pending event has one living key");
        keys.sort_unstable();
        keys.into_iter().map(|key| {
            let slot = &self.slots[index(slot_of(key))];
            (Time::from_nanos(time_of(key)), handle(key, slot), slot.payload.as_ref().expect("a pending event has a payload"))
        })
    }

    /// The slot of a handle whose event has neither fired nor been cancelled.
    fn living(&self, handle: Handle) -> Option<&Slot<T>> {
        self.slots.get(handle.slot as usize).filter(|slot| slot.birth == handle.birth && slot.now != FREE)
    }

    #[inline]
    fn next_sequence(&mut self) -> u64 {
        let now = self.sequence;
        assert!(now < (1 << SEQUENCE_BITS) - 1, "a run schedules fewer than 2^40 events");
        self.sequence += 1;
        if now >= self.tidy_at {
            self.tidy();
        }
        now
    }

    /// Puts a key where it belongs.
    #[inline(never)]
    fn order(&mut self, at: Time, sequence: u64, slot: u64) {
        let key = u128::from(at.nanos()) << 64 | u128::from(sequence << SLOT_BITS | slot);
        match &mut self.wheel {
            Some(wheel) if at.nanos() > self.at_hand => wheel.push(key),
            Some(_) | None => {
                self.heap.push(key);
                if self.heap.len() > self.spread_above {
                    self.spread();
                }
            }
        }
    }

    /// The key of the next event; dead keys before it are dropped.
    #[inline]
    fn next_key(&mut self) -> Option<u128> {
        let key = self.first_key();
        // `NONE` has a sequence number that no event gets, so that it counts as dead.
        if is_living(&self.slots, key) { Some(key) } else { self.next_living_key() }
    }

    /// The same when the earliest key is dead, or none is at hand.
    #[inline(never)]
    fn next_living_key(&mut self) -> Option<u128> {
        loop {
            let key = self.first_key();
            if key == NONE {
                if !self.refill() {
                    return None;
                }
                continue;
            }
            if is_living(&self.slots, key) {
                return Some(key);
            }
            self.remove_next(key);
            self.dead -= 1;
        }
    }

    /// The earliest key at hand, dead or alive, or [`NONE`].
    #[inline]
    fn first_key(&mut self) -> u128 {
        self.heap.earliest().min(self.run.get(self.taken).copied().unwrap_or(NONE))
    }

    /// Removes the earliest key, which is `key`.
    #[inline]
    fn remove_next(&mut self, key: u128) {
        if self.run.get(self.taken) == Some(&key) {
            self.taken += 1;
        } else {
            self.heap.remove_earliest();
        }
    }

    /// With nothing at hand: fetches the next stretch of time from the wheel, or gives the wheel up when little is left.
    /// False when there is no wheel.
    #[cold]
    fn refill(&mut self) -> bool {
        self.run.clear();
        self.taken = 0;
        if self.pending < FEW || self.wheel.is_none() {
            return self.give_up_wheel();
        }
        let wheel = self.wheel.as_mut().expect("checked above");
        if wheel.is_wasteful() {
            self.dead -= wheel.retain(|key| is_living(&self.slots, key));
        }
        self.at_hand = wheel.take_earliest(&mut self.run).expect("pending events are somewhere");
        self.spread_above = MANY;
        // Asking for all of them at once lets the processor fetch their slots together.
        let found = self.run.len();
        self.run.retain(|key| is_living(&self.slots, *key));
        self.dead -= found - self.run.len();
        self.run.sort_unstable();
        true
    }

    /// Moves everything from the wheel into the heap and drops the wheel; false when there is none.
    fn give_up_wheel(&mut self) -> bool {
        let Some(wheel) = self.wheel.take() else { return false };
        self.at_hand = u64::MAX;
        self.spread_above = MANY;
        for key in wheel.keys() {
            if is_living(&self.slots, key) {
                self.heap.push(key);
            } else {
                self.dead -= 1;
            }
        }
        self.run = Vec::new();
        self.heap.shrink();
        true
    }

    /// Too much is at hand: what is later than the earliest moment moves to the wheel.
    #[cold]
    fn spread(&mut self) {
        let mut keys = self.heap.take();
        keys.extend(self.run.drain(..).skip(self.taken));
        self.taken = 0;
        let found = keys.len();
        keys.retain(|key| is_living(&self.slots, *key));
        self.dead -= found - keys.len();
        // What was scheduled before the wheel's base stays at hand.
        let first = keys.iter().map(|key| time_of(*key)).min().unwrap_or(0);
        let first = self.wheel.as_ref().map_or(first, |wheel| wheel.base().max(first));
        let wheel = self.wheel.get_or_insert_with(|| Box::new(Wheel::new(first)));
        wheel.rebase(first);
        self.at_hand = first;
        for key in keys {
            if time_of(key) > first {
                wheel.push(key);
            } else {
                self.heap.push(key);
            }
        }
        self.spread_above = MANY.max(2 * self.heap.len());
    }

    #[inline]
    fn sweep_if_worthwhile(&mut self) {
        if self.dead > self.pending.max(32) {
            self.sweep();
        }
    }

    /// Drops all dead keys.
    #[cold]
    fn sweep(&mut self) {
        let slots = &self.slots;
        let mut dropped = self.heap.retain(|key| is_living(slots, key));
        let found = self.run.len() - self.taken;
        self.run.drain(..self.taken);
        self.taken = 0;
        self.run.retain(|key| is_living(slots, *key));
        dropped += found - self.run.len();
        if let Some(wheel) = &mut self.wheel {
            dropped += wheel.retain(|key| is_living(slots, key));
        }
        assert_eq!(dropped, self.dead, "every dead key is found");
        self.dead = 0;
    }

    /// When most slots are free: gives back the memory of those at the end, and lets the lowest be used first from now on, so
    /// that more end up free at the end.
    #[cold]
    fn tidy(&mut self) {
        self.tidy_at = self.sequence + TIDY_EVERY.max(self.slots.len() as u64);
        if self.slots.len() <= MANY.max(4 * (self.pending + self.parked)) {
            return;
        }
        let used = self.slots.iter().rposition(|slot| slot.now != FREE).map_or(0, |last| last + 1);
        self.slots.truncate(used);
        self.slots.shrink_to(2 * used);
        self.free = NO_SLOT;
        for (number, slot) in self.slots.iter_mut().enumerate().rev() {
            if slot.now == FREE {
                slot.birth = self.free;
                self.free = number as u64;
            }
        }
    }
}

/// Whether a key's event is still to come under this key.
#[inline]
fn is_living<T>(slots: &[Slot<T>], key: u128) -> bool {
    slots.get(index(slot_of(key))).is_some_and(|slot| slot.now == sequence_of(key))
}

#[inline]
fn handle<T>(key: u128, slot: &Slot<T>) -> Handle {
    Handle { slot: u32::try_from(slot_of(key)).expect("below 2^24"), birth: slot.birth }
}

#[inline]
const fn time_of(key: u128) -> u64 {
    (key >> 64) as u64
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low half of a key")]
const fn sequence_of(key: u128) -> u64 {
    key as u64 >> SLOT_BITS
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the low bits of a key")]
const fn slot_of(key: u128) -> u64 {
    key as u64 & ((1 << SLOT_BITS) - 1)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "below 2^24")]
const fn index(slot: u64) -> usize {
    slot as usize
}

/// A byte of a time, counted from the lowest.
#[inline]
const fn byte_of(time: u64, level: usize) -> usize {
    index(time >> (level * 8) & 0xff)
}
