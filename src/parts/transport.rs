//! One direction of a stream connection: segments arrive in order or not at all, and loss becomes delay.
//!
//! The caller owns the network and the events; a [`Flow`] only says what may leave and when it may arrive:
//!
//! 1. [`Flow::offer`] takes a segment. `Send` gives it back: transmit it now. `Queued`: something before it is stuck.
//! 2. The caller asks the network for the fate of what it transmits. On its way: [`Flow::arrives`] turns the network's
//!    moment into one that keeps the order. Lost (or damaged and caught by the checksum): [`Flow::lost`] keeps the
//!    segment and says when to try again, or when the connection dies.
//! 3. At that moment [`Flow::retry`] gives the segment out for its next transmission; then again step 2.
//! 4. When a segment reaches a host that takes it, [`Flow::through`] ends a stall; when it reaches one that is dead or
//!    whose window is full, it comes back by `lost` (or [`Flow::put_back`] while something is stuck already).
//! 5. When the receiver's process has read a segment, the caller says so with [`Flow::read`].
//! 6. After every `through` and `read`, [`Flow::flush`] gives out, one at a time, what may leave now.
//!
//! While a segment is stuck, nothing behind it is transmitted. Real stacks transmit on and let the receiver keep what
//! came early; both become readable in the moment the stuck segment gets through plus a delay. Acknowledgements are
//! not transmitted: the sender knows the fate of a transmission when its retransmission timer would have told it, and
//! the room in the window when the receiver has read. Duplicates on the way are dropped by the receiving host and need
//! no modelling.

use std::collections::VecDeque;
use std::hash::Hash;

use super::config::StreamConfig;
use crate::base::{Digest, Span, Time};

/// Something to carry, with its size and the count of its transmissions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<S> {
    /// What is carried: a message, or a handle of one.
    pub body: S,
    /// Its size, for the window.
    pub bytes: u64,
    /// Which transmission is due or under way, from 1.
    pub attempt: u32,
    /// Its place in the order of the direction.
    pub number: u64,
}

/// Whether a segment may leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer<S> {
    /// Transmit it now.
    Send(Segment<S>),
    /// It waits for what is before it, or for the receiver to read.
    Queued,
}

/// What follows from a lost transmission.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Setback {
    /// Call [`Flow::retry`] at this moment.
    Retry {
        /// When the retransmission timer fires.
        at: Time,
    },
    /// The connection is given up at this moment: nothing of it has got through for too long.
    GiveUp {
        /// When the sender is told.
        at: Time,
    },
}

/// The segment at the head that did not get through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stall {
    /// When it was first transmitted.
    since: Time,
    /// How long to wait after its next loss.
    backoff: Span,
    /// Its number, or that of an earlier one which came back since.
    number: u64,
}

/// One direction of one stream connection.
///
/// ```
/// use deadletter::base::{Span, Time};
/// use deadletter::parts::config::StreamConfig;
/// use deadletter::parts::transport::{Flow, Offer, Setback};
/// let config = StreamConfig::default();
/// let mut flow = Flow::new();
/// let Offer::Send(first) = flow.offer('a', 100, &config) else { unreachable!() };
/// let at = Time::ZERO + config.retransmit_first;
/// assert_eq!(flow.lost(Time::ZERO, first, &config), Setback::Retry { at });
/// assert_eq!(flow.offer('b', 100, &config), Offer::Queued);
/// assert_eq!(flow.retry().map(|s| (s.body, s.attempt)), Some(('a', 2)));
/// let late = at + Span::millis(5);
/// assert_eq!(flow.arrives(late), late);
/// flow.through(0);
/// assert_eq!(flow.flush(&config).map(|s| s.body), Some('b'));
/// assert_eq!(flow.arrives(at + Span::millis(1)), late); // never before 'a'
/// ```
#[derive(Clone, Debug)]
pub struct Flow<S> {
    /// What waits to be transmitted, in order; the stuck segment in front.
    waiting: VecDeque<Segment<S>>,
    stall: Option<Stall>,
    last_arrival: Time,
    /// The number of the next segment offered.
    next: u64,
    /// Bytes transmitted or stuck, and not yet read by the receiver.
    unread: u64,
}

impl<S> Default for Flow<S> {
    fn default() -> Self {
        Flow::new()
    }
}

impl<S> Flow<S> {
    /// A direction on which nothing was sent.
    #[must_use]
    pub const fn new() -> Flow<S> {
        Flow { waiting: VecDeque::new(), stall: None, last_arrival: Time::ZERO, next: 0, unread: 0 }
    }

    /// Takes a segment to be sent after all before it. On a healthy direction whose window has room it comes straight back.
    #[inline]
    pub fn offer(&mut self, body: S, bytes: u64, config: &StreamConfig) -> Offer<S> {
        let segment = Segment { body, bytes, attempt: 1, number: self.next };
        self.next += 1;
        if self.waiting.is_empty() && self.stall.is_none() && self.has_room(bytes, config) {
            self.unread += bytes;
            return Offer::Send(segment);
        }
        self.waiting.push_back(segment);
        Offer::Queued
    }

    /// Adds what the direction holds to a fingerprint: times relative to now, no numbers that only count.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest)
    where
        S: Hash,
    {
        let stall = self.stall.map(|stall| (now.since(stall.since).as_nanos(), stall.backoff.as_nanos(), self.next - stall.number));
        let ahead = self.last_arrival.nanos().saturating_sub(now.nanos());
        (stall, ahead, self.unread, self.waiting.len()).hash(digest);
        for segment in &self.waiting {
            (&segment.body, segment.bytes, segment.attempt, self.next - segment.number).hash(digest);
        }
    }

    /// The sender is gone: what has not left never will. What is under way still arrives.
    pub fn abandon(&mut self) {
        self.waiting.clear();
        self.stall = None;
    }

    /// Takes a segment that may not leave yet, whatever the state (the connection is not open).
    pub fn queue(&mut self, body: S, bytes: u64) {
        self.waiting.push_back(Segment { body, bytes, attempt: 1, number: self.next });
        self.next += 1;
    }

    /// Whether something sent before this segment waits to be transmitted again.
    #[must_use]
    pub fn waits_before(&self, number: u64) -> bool {
        self.waiting.front().is_some_and(|front| front.number < number)
    }

    /// The transmission is on its way: when it may be handed to the receiver, given when the network would deliver it.
    /// Never before what was sent earlier; of equal moments the order of the calls decides.
    #[inline]
    pub fn arrives(&mut self, at: Time) -> Time {
        self.last_arrival = self.last_arrival.max(at);
        self.last_arrival
    }

    /// The receiving host has taken a segment: if it is the stuck one, nothing is stuck any more. One that left before the
    /// stuck one changes nothing.
    #[inline]
    pub fn through(&mut self, number: u64) {
        if self.stall.is_some_and(|stall| stall.number <= number) {
            self.stall = None;
        }
    }

    /// A segment that was under way comes back while an earlier one is stuck: it waits in its place.
    pub fn put_back(&mut self, mut segment: Segment<S>) {
        segment.attempt += 1;
        let place = self.waiting.partition_point(|other| other.number < segment.number);
        self.waiting.insert(place, segment);
    }

    /// The transmission under way does not get through. The segment stays at the head.
    ///
    /// The n-th retransmission follows the n-1st (or the first transmission) after `retransmit_first` × 2ⁿ⁻¹, at most
    /// `retransmit_max`; when the next one would come later than `give_up` after the first transmission, the connection is
    /// given up at that limit instead.
    pub fn lost(&mut self, now: Time, mut segment: Segment<S>, config: &StreamConfig) -> Setback {
        let first = config.retransmit_first.min(config.retransmit_max);
        let stall = self.stall.get_or_insert(Stall { since: now, backoff: first, number: segment.number });
        stall.number = stall.number.min(segment.number);
        segment.attempt += 1;
        let place = self.waiting.partition_point(|other| other.number < segment.number);
        self.waiting.insert(place, segment);
        let at = now + stall.backoff;
        if at.since(stall.since) > config.give_up {
            return Setback::GiveUp { at: stall.since + config.give_up };
        }
        let doubled = Span::nanos(stall.backoff.as_nanos().saturating_mul(2));
        stall.backoff = doubled.min(config.retransmit_max);
        Setback::Retry { at }
    }

    /// The retransmission timer fires: gives the stuck segment out to be transmitted once more. `None` when nothing is
    /// stuck; what was never transmitted waits for [`Flow::flush`], which counts its bytes.
    pub fn retry(&mut self) -> Option<Segment<S>> {
        self.stall?;
        self.waiting.pop_front_if(|segment| segment.attempt > 1)
    }

    /// The next segment that may leave now, if any: nothing is stuck before it and the window has room.
    #[inline]
    pub fn flush(&mut self, config: &StreamConfig) -> Option<Segment<S>> {
        let front = self.waiting.front()?;
        let bytes = front.bytes;
        if self.stall.is_some() || (front.attempt == 1 && !self.has_room(bytes, config)) {
            return None;
        }
        let segment = self.waiting.pop_front()?;
        // What was transmitted before is counted already.
        self.unread += if segment.attempt == 1 { bytes } else { 0 };
        Some(segment)
    }

    /// The receiver's process has read so many bytes: the window opens. `true` when something waits that
    /// [`Flow::flush`] might now give out.
    ///
    /// # Panics
    /// When more is read than was sent.
    #[inline]
    pub fn read(&mut self, bytes: u64) -> bool {
        self.unread = self.unread.checked_sub(bytes).expect("only what was sent can be read");
        !self.waiting.is_empty() && self.stall.is_none()
    }

    /// The connection ends: everything that waits, in order. What was transmitted and got through is not among it.
    pub fn close(&mut self) -> impl Iterator<Item = Segment<S>> + use<S> {
        let waiting = std::mem::take(&mut self.waiting);
        *self = Flow::new();
        waiting.into_iter()
    }

    /// Whether a segment is stuck, waiting for its retransmission.
    #[must_use]
    pub const fn is_stuck(&self) -> bool {
        self.stall.is_some()
    }

    /// How many segments wait, a stuck one included.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Bytes transmitted or stuck, and not yet read by the receiver.
    #[must_use]
    pub const fn unread(&self) -> u64 {
        self.unread
    }

    /// A segment larger than the whole window goes alone, so that it goes at all.
    #[inline]
    fn has_room(&self, bytes: u64, config: &StreamConfig) -> bool {
        self.unread == 0 || self.unread.saturating_add(bytes) <= config.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    fn config(first: u64, max: u64, give_up: u64, window: u64) -> StreamConfig {
        StreamConfig {
            retransmit_first: Span::nanos(first),
            retransmit_max: Span::nanos(max),
            give_up: Span::nanos(give_up),
            window,
            ..StreamConfig::default()
        }
    }

    #[test]
    fn linux_gives_up_after_fifteen_retransmissions() {
        let config = StreamConfig::default();
        let mut flow = Flow::new();
        let Offer::Send(mut segment) = flow.offer((), 1, &config) else { panic!("an idle flow sends") };
        let (mut now, mut waits) = (Time::ZERO, Vec::new());
        let end = loop {
            match flow.lost(now, segment, &config) {
                Setback::Retry { at } => {
                    waits.push(at.since(now));
                    now = at;
                    segment = flow.retry().unwrap();
                }
                Setback::GiveUp { at } => break at,
            }
        };
        let expected = (0..10).map(|n| Span::millis(200 << n)).chain(std::iter::repeat_n(Span::secs(120), 5));
        assert_eq!(waits, expected.collect::<Vec<_>>());
        assert_eq!((end, segment.attempt), (Time::ZERO + Span::secs(924), 16));
        assert_eq!(flow.close().count(), 1);
    }

    #[test]
    fn a_full_window_holds_back_until_the_receiver_reads() {
        let config = config(10, 10, 100, 10);
        let mut flow = Flow::new();
        assert!(matches!(flow.offer('a', 25, &config), Offer::Send(_)), "larger than the window, but alone");
        assert_eq!((flow.offer('b', 6, &config), flow.offer('c', 4, &config), flow.offer('d', 1, &config)), {
            (Offer::Queued, Offer::Queued, Offer::Queued)
        });
        assert!(flow.read(24) && flow.flush(&config).map(|s| s.body) == Some('b'));
        assert_eq!(flow.flush(&config), None, "1 + 6 + 4 bytes are more than 10");
        assert!(flow.read(1));
        assert_eq!((flow.flush(&config).map(|s| s.body), flow.flush(&config), flow.unread()), (Some('c'), None, 10));
    }

    /// A segment arrives (number, bytes); `None`: the retransmission timer fires.
    type Event = Option<(u32, u64)>;

    /// The whole of a connection's direction as the kernel would drive it.
    struct Rig {
        config: StreamConfig,
        flow: Flow<u32>,
        /// When, order of scheduling, and what.
        events: BinaryHeap<Reverse<(Time, u64, Event)>>,
        scheduled: u64,
        /// The network's answers, in turn: `None` loses.
        fates: std::iter::Cycle<std::vec::IntoIter<Option<u64>>>,
        healthy: bool,
        reads: bool,
        buffered: Vec<(u32, u64)>,
        got: Vec<(u32, Time)>,
        dead: bool,
        most: u64,
    }

    impl Rig {
        fn transmit(&mut self, now: Time, segment: Segment<u32>) {
            let fate = if self.healthy { Some(3) } else { self.fates.next().unwrap() };
            let event = match fate {
                Some(delay) => (self.flow.arrives(now + Span::nanos(delay)), Some((segment.body, segment.bytes))),
                None => match self.flow.lost(now, segment, &self.config) {
                    Setback::Retry { at } => (at, None),
                    Setback::GiveUp { .. } => {
                        self.dead = true;
                        return;
                    }
                },
            };
            self.scheduled += 1;
            self.events.push(Reverse((event.0, self.scheduled, event.1)));
            self.flush(now);
        }
        fn flush(&mut self, now: Time) {
            if let Some(segment) = self.flow.flush(&self.config) {
                self.transmit(now, segment);
            }
        }
        fn read(&mut self, now: Time, number: u32, bytes: u64) {
            self.got.push((number, now));
            if self.flow.read(bytes) {
                self.flush(now);
            }
        }
        fn until(&mut self, end: Time) {
            while let Some(Reverse((now, ..))) = self.events.peek().filter(|Reverse((at, ..))| *at <= end).copied() {
                match self.events.pop().unwrap().0.2 {
                    None => {
                        let segment = self.flow.retry().expect("a timer fires only for a stuck segment");
                        self.transmit(now, segment);
                    }
                    Some((number, bytes)) => {
                        self.flow.through(u64::from(number));
                        if self.reads {
                            self.read(now, number, bytes);
                        } else {
                            self.buffered.push((number, bytes));
                            self.most = self.most.max(self.buffered.iter().map(|(_, bytes)| bytes).sum());
                        }
                        self.flush(now);
                    }
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        /// Any pattern of loss, delay and pauses: what arrives does so in order, without gaps, within the window; and once
        /// the network is healthy and the receiver reads, everything arrives unless the connection was given up.
        #[test]
        fn order_is_kept_and_nothing_vanishes(
            sends in prop::collection::vec((0u64..30, 1u64..12, prop::bool::weighted(0.1)), 1..80),
            fates in prop::collection::vec(prop::option::weighted(0.7, 0u64..40), 1..50),
            window in 12u64..60, give_up in prop_oneof![Just(1_000_000u64), 100u64..600],
        ) {
            let mut rig = Rig {
                config: config(8, 64, give_up, window), flow: Flow::new(), events: BinaryHeap::new(), scheduled: 0,
                fates: fates.into_iter().cycle(), healthy: false, reads: true, buffered: Vec::new(), got: Vec::new(), dead: false, most: 0,
            };
            let mut now = Time::ZERO;
            for (number, (gap, bytes, toggle)) in (0u32..).zip(&sends) {
                now += Span::nanos(*gap);
                rig.until(now);
                if *toggle {
                    rig.reads = !rig.reads;
                    for (number, bytes) in rig.buffered.split_off(0).into_iter().filter(|_| rig.reads).collect::<Vec<_>>() {
                        rig.read(now, number, bytes);
                    }
                }
                if let Offer::Send(segment) = rig.flow.offer(number, *bytes, &rig.config) {
                    rig.transmit(now, segment);
                }
                prop_assert!(rig.flow.unread() <= window && rig.most <= window);
            }
            (rig.healthy, rig.reads) = (true, true);
            for (number, bytes) in std::mem::take(&mut rig.buffered) {
                rig.read(now, number, bytes);
            }
            rig.until(Time::FAR);
            let numbers: Vec<u32> = rig.got.iter().map(|(number, _)| *number).collect();
            prop_assert_eq!(&numbers, &(0..u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
            prop_assert!(rig.got.is_sorted_by_key(|(_, at)| *at));
            let left = rig.flow.close().count();
            prop_assert_eq!(numbers.len() + left, sends.len());
            prop_assert!(rig.dead || left == 0);
            prop_assert!(give_up < 1_000_000 || !rig.dead, "patience beyond the run is never exhausted");
        }

        /// On a direction that never loses, nothing waits and the arrival is the network's, but for overtaking.
        #[test]
        fn a_healthy_flow_never_waits(delays in prop::collection::vec((0u64..20, 0u64..20), 1..100)) {
            let config = StreamConfig::default();
            let (mut flow, mut now, mut last) = (Flow::new(), Time::ZERO, Time::ZERO);
            for (gap, delay) in delays {
                now += Span::nanos(gap);
                prop_assert!(matches!(flow.offer((), 1, &config), Offer::Send(_)));
                let at = now + Span::nanos(delay);
                last = last.max(at);
                prop_assert_eq!(flow.arrives(at), last);
                flow.read(1);
            }
            prop_assert_eq!(flow.waiting.capacity(), 0, "no allocation");
        }
    }
}
