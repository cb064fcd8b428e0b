//! One queue of the broker as a value: what waits, what is out with a consumer, and in which order it comes out again.
//!
//! Pure: times are given, nothing is sent. Every message is in exactly one state: hidden (stored but not yet safe), waiting,
//! or held by a consumer; when it is settled nothing of it remains. A naive twin in the tests does the same with a list.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Digest, NodeId, Span, Time};

use super::protocol::Parcel;

/// What happens to a message that finds its queue full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// It is refused, and the producer told.
    Reject,
    /// It is dropped without a word: the producer hears that all is well.
    DropNewest,
    /// The oldest waiting message makes room, without a word.
    DropHead,
}

/// The bounds of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many may wait (those out with consumers do not count). `None`: any number.
    pub max_length: Option<u32>,
    /// What happens beyond.
    pub overflow: Overflow,
    /// How long a message may wait after its arrival, by the broker's clock. `None`: for ever.
    pub ttl: Option<Span>,
    /// After so many deliveries without acknowledgement it goes to the dead letters. `None`: never.
    pub max_deliveries: Option<u32>,
}

impl Limits {
    /// No bounds at all.
    pub const NONE: Limits = Limits { max_length: None, overflow: Overflow::Reject, ttl: None, max_deliveries: None };
}

/// Whom a message is out with: a stay of a consumer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Holder {
    /// The consumer.
    pub node: NodeId,
    /// Its stay.
    pub session: u64,
}

/// Whether there is room for one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// There is.
    Free,
    /// There is none: do as it says.
    Full(Overflow),
}

/// A message that was handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Its place in the queue.
    pub seq: u64,
    /// Which delivery this is, from 1.
    pub nth: u32,
    /// The message.
    pub parcel: Parcel,
}

/// A message that was let go of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone {
    /// The message.
    pub parcel: Parcel,
    /// Whom it was out with; `None`: it had come back and waited again.
    pub holder: Option<Holder>,
}

/// A message that came back unacknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Back {
    /// Its place in the queue.
    pub seq: u64,
    /// The message.
    pub parcel: Parcel,
    /// Which delivery failed.
    pub nth: u32,
    /// It was the last it could have: the message has left the queue, for the dead letters.
    pub exhausted: bool,
}

/// A message that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Waiting {
    parcel: Parcel,
    arrived: Time,
    deliveries: u32,
}

/// One queue.
///
/// ```
/// use deadletter::base::{KeyId, NodeId, PayloadId, Time};
/// use deadletter::model::mailbox::protocol::Parcel;
/// use deadletter::model::mailbox::store::{Holder, Limits, Queue};
/// let parcel = |n| Parcel { payload: PayloadId(n), key: KeyId(0), producer: NodeId(1), bytes: 9, copy: 1, damage: 0, poison: false };
/// let consumer = Holder { node: NodeId(2), session: 1 };
/// let mut queue = Queue::new(Limits::NONE);
/// queue.push(parcel(7), Time::ZERO);
/// queue.push(parcel(8), Time::ZERO);
/// queue.reveal(2);
/// let first = queue.take(consumer).unwrap();
/// assert_eq!(first.parcel.payload, PayloadId(7));
/// queue.give_back(first.seq, first.nth);                     // not done: it comes again, before p8
/// let again = queue.take(consumer).unwrap();
/// assert_eq!((again.parcel.payload, again.nth), (PayloadId(7), 2));
/// assert!(queue.settle(first.seq, first.nth).is_none());     // the first delivery no longer counts
/// assert!(queue.settle(again.seq, again.nth).is_some());
/// assert_eq!(queue.len(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Queue {
    limits: Limits,
    /// In order of `seq`. Those at or above `visible` are not safe yet.
    fresh: VecDeque<(u64, Waiting)>,
    /// Came back; older than whatever is fresh and was not delivered, mostly.
    returned: BTreeMap<u64, Waiting>,
    /// Out with consumers.
    held: BTreeMap<u64, (Waiting, Holder)>,
    next: u64,
    visible: u64,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub const fn new(limits: Limits) -> Queue {
        Queue { limits, fresh: VecDeque::new(), returned: BTreeMap::new(), held: BTreeMap::new(), next: 0, visible: 0 }
    }

    /// Messages in it, in whatever state.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fresh.len() + self.returned.len() + self.held.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place that the next message will have.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next
    }

    /// Whether one more may come in.
    #[must_use]
    pub fn room(&self) -> Room {
        let waiting = self.fresh.len() + self.returned.len();
        match self.limits.max_length {
            Some(most) if waiting >= most as usize => Room::Full(self.limits.overflow),
            Some(_) | None => Room::Free,
        }
    }

    /// Takes a message in, behind all others, hidden until [`Queue::reveal`]. Gives its place.
    pub fn push(&mut self, parcel: Parcel, now: Time) -> u64 {
        let seq = self.next;
        self.next += 1;
        self.fresh.push_back((seq, Waiting { parcel, arrived: now, deliveries: 0 }));
        seq
    }

    /// Puts a message back that a disk had kept, with its place, when it came and how often it was delivered; hidden until
    /// [`Queue::reveal`]. In order of places.
    ///
    /// # Panics
    /// When a later place is taken.
    pub fn restore(&mut self, seq: u64, parcel: Parcel, (arrived, deliveries): (Time, u32)) {
        assert!(seq >= self.next, "messages are restored in order");
        self.fresh.push_back((seq, Waiting { parcel, arrived, deliveries }));
        self.skip_to(seq + 1);
    }

    /// The next message gets this place at least.
    pub fn skip_to(&mut self, seq: u64) {
        self.next = self.next.max(seq);
    }

    /// What has a place below `end` is safe: it may be handed out.
    pub fn reveal(&mut self, end: u64) {
        assert!(end <= self.next, "only what is there can be revealed");
        self.visible = self.visible.max(end);
    }

    /// The oldest message that waits removes itself to make room.
    pub fn drop_head(&mut self) -> Option<(u64, Parcel)> {
        let seq = match (self.returned.keys().next(), self.fresh.front()) {
            (Some(back), Some((fresh, _))) => *back.min(fresh),
            (Some(back), None) => *back,
            (None, Some((fresh, _))) => *fresh,
            (None, None) => return None,
        };
        self.remove_waiting(seq).map(|waiting| (seq, waiting.parcel))
    }

    /// Hands the oldest waiting message to a consumer.
    pub fn take(&mut self, holder: Holder) -> Option<Taken> {
        let fresh = self.fresh.front().map(|(seq, _)| *seq).filter(|seq| *seq < self.visible);
        let seq = match (self.returned.keys().next().copied(), fresh) {
            (Some(back), Some(fresh)) => back.min(fresh),
            (Some(seq), None) | (None, Some(seq)) => seq,
            (None, None) => return None,
        };
        Some(self.hand_out(seq, holder))
    }

    /// A broken queue: what came back waits until nothing fresh is left.
    #[cfg(feature = "mutants")]
    pub fn take_fresh_first(&mut self, holder: Holder) -> Option<Taken> {
        let fresh = self.fresh.front().map(|(seq, _)| *seq).filter(|seq| *seq < self.visible);
        let seq = fresh.or_else(|| self.returned.keys().next().copied())?;
        Some(self.hand_out(seq, holder))
    }

    fn hand_out(&mut self, seq: u64, holder: Holder) -> Taken {
        let mut waiting = self.remove_waiting(seq).expect("it waits");
        waiting.deliveries += 1;
        self.held.insert(seq, (waiting, holder));
        Taken { seq, nth: waiting.deliveries, parcel: waiting.parcel }
    }

    /// A delivery is acknowledged: the message leaves. Nothing happens (`None`) unless it was the latest delivery: a word
    /// that comes after the message was given to somebody else does not count.
    pub fn settle(&mut self, seq: u64, nth: u32) -> Option<Gone> {
        if let Some((waiting, holder)) = self.held.get(&seq).copied() {
            if waiting.deliveries != nth {
                return None;
            }
            self.held.remove(&seq);
            return Some(Gone { parcel: waiting.parcel, holder: Some(holder) });
        }
        // It came back in the meantime, and nobody has it: the work is done all the same.
        let waiting = self.returned.get(&seq).filter(|waiting| waiting.deliveries == nth)?;
        let parcel = waiting.parcel;
        self.returned.remove(&seq);
        Some(Gone { parcel, holder: None })
    }

    /// A delivery failed, or took too long: the message waits again at its old place, or has had its last chance. `None`: it
    /// was not the latest delivery, or is not out.
    pub fn give_back(&mut self, seq: u64, nth: u32) -> Option<(Back, Holder)> {
        let (waiting, holder) = self.held.get(&seq).copied().filter(|(waiting, _)| waiting.deliveries == nth)?;
        self.held.remove(&seq);
        let exhausted = self.limits.max_deliveries.is_some_and(|most| waiting.deliveries >= most);
        if !exhausted {
            self.returned.insert(seq, waiting);
        }
        Some((Back { seq, parcel: waiting.parcel, nth, exhausted }, holder))
    }

    /// A consumer is gone: everything it had comes back, oldest first.
    pub fn give_back_all(&mut self, holder: Holder) -> Vec<Back> {
        let out: Vec<(u64, u32)> =
            self.held.iter().filter(|(_, (_, by))| *by == holder).map(|(seq, (waiting, _))| (*seq, waiting.deliveries)).collect();
        out.into_iter().filter_map(|(seq, nth)| self.give_back(seq, nth)).map(|(back, _)| back).collect()
    }

    /// Removes what has waited too long. Only the oldest are looked at: after a step of the clock a message may stay behind
    /// a younger one.
    pub fn expire(&mut self, now: Time) -> Vec<(u64, Parcel)> {
        let Some(ttl) = self.limits.ttl else { return Vec::new() };
        let old = |waiting: &Waiting| now.saturating_since(waiting.arrived) >= ttl;
        let mut gone = Vec::new();
        while let Some((seq, waiting)) = self.returned.first_key_value().filter(|(_, waiting)| old(waiting)) {
            gone.push((*seq, waiting.parcel));
            self.returned.pop_first();
        }
        while let Some((seq, waiting)) = self.fresh.front().filter(|(seq, waiting)| *seq < self.visible && old(waiting)) {
            gone.push((*seq, waiting.parcel));
            self.fresh.pop_front();
        }
        gone
    }

    /// Forgets all messages; places are not used again.
    pub fn clear(&mut self) {
        self.fresh.clear();
        self.returned.clear();
        self.held.clear();
    }

    /// Whether a message of this place is in the queue.
    #[must_use]
    pub fn contains(&self, seq: u64) -> bool {
        self.held.contains_key(&seq) || self.returned.contains_key(&seq) || self.fresh.binary_search_by_key(&seq, |(seq, _)| *seq).is_ok()
    }

    /// How many are out with a consumer.
    #[must_use]
    pub fn out_with(&self, holder: Holder) -> usize {
        self.held.values().filter(|(_, by)| *by == holder).count()
    }

    /// How many are out with consumers.
    #[must_use]
    pub fn out(&self) -> usize {
        self.held.len()
    }

    /// Every message with its place, in order of places.
    pub fn parcels(&self) -> impl Iterator<Item = (u64, &Parcel)> {
        self.all().into_iter().map(|(seq, waiting)| (seq, &waiting.parcel))
    }

    /// Every message with its place, when it came and how often it was delivered, in order of places: what
    /// [`Queue::restore`] needs.
    pub fn contents(&self) -> impl Iterator<Item = (u64, Parcel, (Time, u32))> {
        self.all().into_iter().map(|(seq, waiting)| (seq, waiting.parcel, (waiting.arrived, waiting.deliveries)))
    }

    fn all(&self) -> Vec<(u64, &Waiting)> {
        let mut all: Vec<(u64, &Waiting)> = self.held.iter().map(|(seq, (waiting, _))| (*seq, waiting)).collect();
        all.extend(self.returned.iter().map(|(seq, waiting)| (*seq, waiting)));
        all.extend(self.fresh.iter().map(|(seq, waiting)| (*seq, waiting)));
        all.sort_unstable_by_key(|(seq, _)| *seq);
        all
    }

    /// Adds the queue to a digest, with times relative to `now`.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        let word = |waiting: &Waiting| {
            let age = now.saturating_since(waiting.arrived).as_nanos();
            (u64::from(waiting.parcel.payload.0) << 32 | u64::from(waiting.deliveries), age ^ u64::from(waiting.parcel.damage) << 32)
        };
        for (seq, (waiting, holder)) in &self.held {
            let (what, age) = word(waiting);
            digest.words(self.next - seq, what);
            digest.words(age, u64::from(holder.node.0));
        }
        for (seq, waiting) in self.returned.iter().chain(self.fresh.iter().map(|(seq, waiting)| (seq, waiting))) {
            let (what, age) = word(waiting);
            digest.words(self.next - seq, what);
            digest.words(age, u64::from(*seq < self.visible));
        }
    }

    /// Whether every message is in exactly one state, and the order of places is kept; the breach, if not.
    ///
    /// # Errors
    /// What is wrong, in one sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.visible > self.next {
            return Err(format!("messages up to {} may be handed out, but only {} ever came", self.visible, self.next));
        }
        if !self.fresh.iter().zip(self.fresh.iter().skip(1)).all(|(a, b)| a.0 < b.0) {
            return Err("fresh messages are out of order".into());
        }
        let mut places: Vec<u64> = self.parcels().map(|(seq, _)| seq).collect();
        let all = places.len();
        places.dedup();
        if places.len() != all {
            return Err(format!("{} messages are in two states at once", all - places.len()));
        }
        Ok(())
    }

    fn remove_waiting(&mut self, seq: u64) -> Option<Waiting> {
        if let Some(waiting) = self.returned.remove(&seq) {
            return Some(waiting);
        }
        if self.fresh.front().is_some_and(|(front, _)| *front == seq) {
            return self.fresh.pop_front().map(|(_, waiting)| waiting);
        }
        None
    }
}

#[cfg(test)]
mod tests;
