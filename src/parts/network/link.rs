//! One direction of a link: its prepared parameters, and the little state that a queue and a bursty loss need.

use std::num::NonZeroU64;

use crate::base::LossReason;
use crate::base::stream::finish;
use crate::base::{Chance, Decision, Digest, Lane, Law, Sampler, SmallStream, Span, Time, Words};
use crate::parts::config::{Bandwidth, Burst, Corruption, LinkLaw};

use super::Transport;

/// Everything that directions of links with the same law share.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) delay: Sampler,
    pub(super) loss: Chance,
    /// The law is a delay and a loss and nothing else: no state, no other lane.
    pub(super) plain: bool,
    /// Whatever crosses it comes out at once and unharmed.
    pub(super) transparent: bool,
    /// Mean of delay and jitter; `None` when the law has none.
    pub(super) mean: Option<Span>,
    jitter: Option<Sampler>,
    duplicate: Chance,
    reorder: Option<(Chance, Sampler)>,
    corrupt: Option<Corruption>,
    pub(super) burst: Option<BurstClass>,
    pub(super) band: Option<Band>,
}

/// Bursty loss, ready to be asked.
///
/// A two-state chain with mean stays `good` and `bad` is the same process as this one: at the moments of a Poisson process of
/// mean gap `good·bad/(good+bad)` the state is drawn anew, bad with probability `bad/(good+bad)`, whatever it was. In that
/// form the state at a moment is a pure function of the link's key and the moment, whoever asks and however often: time is
/// divided into cells, each with a stream of its own, and a Poisson process restarted at a cell's border is still one.
#[derive(Clone, Debug)]
pub(super) struct BurstClass {
    gap: Sampler,
    cell: u64,
    bad_share: Chance,
    loss_good: Chance,
    loss_bad: Chance,
}

/// Finite speed, ready to be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Band {
    bytes_per_second: u64,
    /// The longest time the queue may take to empty, so that it holds no more than its bytes.
    longest: u64,
}

/// What a direction with a bandwidth remembers: when it will be busy, as spans of time in order that do not overlap.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Queue {
    busy: Vec<(u64, u64)>,
}

/// What a direction with bursty loss remembers: the last state asked for, which is a cache and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BurstState {
    key: u64,
    from: Time,
    until: Time,
    bad: bool,
}

/// A transmission on its way over the links of a path.
#[derive(Debug)]
pub(super) struct Journey {
    pub(super) decision: Decision,
    pub(super) bytes: u32,
    pub(super) transport: Transport,
    pub(super) resend: u32,
    /// The second of two arrivals: it is not lost apart from the first, nor doubled again.
    pub(super) copy: bool,
    /// An override: no chance eats it.
    pub(super) spared: bool,
    /// An override: chance is not asked whether it is damaged.
    pub(super) unasked: bool,
    /// Links crossed.
    pub(super) hop: u32,
    /// When it left.
    pub(super) sent: Time,
    /// Where it is in time.
    pub(super) at: Time,
    /// What was flipped; zero when intact.
    pub(super) damage: u64,
    /// Some link doubles it.
    pub(super) doubled: bool,
}

/// Bit of a step that tells the burst's question from the ordinary loss's.
const BURST: u32 = 1 << 11;

/// The step under which a lane is asked: the hop, the original or the copy, the first transmission or the n-th again.
#[inline]
pub(super) const fn step(hop: u32, copy: bool, resend: u32) -> u32 {
    hop & 0x3ff | (copy as u32) << 10 | resend << 12
}

impl Class {
    pub(super) fn new(law: &LinkLaw) -> Class {
        let LinkLaw { delay, jitter, loss, burst, duplicate, reorder, corrupt, bandwidth } = law;
        let reorder = reorder.as_ref().filter(|r| !r.chance.is_never());
        let corrupt = corrupt.clone().filter(|c| !c.chance.is_never());
        let bare = jitter.is_none() && burst.is_none() && duplicate.is_never() && reorder.is_none();
        let plain = bare && corrupt.is_none() && bandwidth.is_none();
        let jitter_mean = jitter.as_ref().map_or(Some(Span::ZERO), Law::mean);
        Class {
            delay: delay.sampler(),
            loss: *loss,
            plain,
            transparent: plain && loss.is_never() && *delay == Law::Constant(Span::ZERO),
            mean: delay.mean().zip(jitter_mean).map(|(a, b)| a + b),
            jitter: jitter.as_ref().map(Law::sampler),
            duplicate: *duplicate,
            reorder: reorder.map(|r| (r.chance, r.hold.sampler())),
            corrupt,
            burst: burst.as_ref().map(BurstClass::new),
            band: bandwidth.as_ref().map(Band::new),
        }
    }

    /// Takes a transmission across: it comes out later, perhaps damaged or doubled, or not at all.
    pub(super) fn cross(&self, journey: &mut Journey, queue: Option<&mut Queue>, burst: Option<&mut BurstState>) -> Result<(), LossReason> {
        let decision = journey.decision;
        let step = step(journey.hop, journey.copy, journey.resend);
        journey.hop += 1;
        if self.transparent {
            return Ok(());
        }
        if let (Some(band), Some(queue)) = (&self.band, queue) {
            journey.at = queue.admit(*band, journey.bytes, (journey.sent, journey.at)).ok_or(LossReason::Overflow)?;
        }
        let sure = journey.spared || journey.copy;
        if !sure && self.loss.hits(decision.word(Lane::Loss, step)) {
            return Err(LossReason::Chance);
        }
        if let (Some(class), Some(state)) = (&self.burst, burst)
            && !sure
        {
            class.spares(state, journey.at, decision.word(Lane::Loss, step | BURST))?;
        }
        self.damage(journey, step)?;
        let mut took = self.delay.draw(&mut decision.words(Lane::Delay, step)).as_nanos();
        if let Some(jitter) = &self.jitter {
            took = took.saturating_add(jitter.draw(&mut decision.words(Lane::Jitter, step)).as_nanos());
        }
        // What is held back is overtaken by later datagrams; on a stream everything behind it waits.
        took = took.saturating_add(self.hold(decision, step).as_nanos());
        match journey.transport {
            Transport::Datagram => {
                journey.doubled |= !self.duplicate.is_never() && self.duplicate.hits(decision.word(Lane::Duplicate, step));
            }
            Transport::Stream => {}
        }
        journey.at = later(journey.at, took);
        Ok(())
    }

    /// Asks whether a transmission is damaged, and what comes of it.
    fn damage(&self, journey: &mut Journey, step: u32) -> Result<(), LossReason> {
        let Some(corrupt) = self.corrupt.as_ref().filter(|_| !journey.unasked) else { return Ok(()) };
        let word = journey.decision.word(Lane::Corrupt, step);
        if !corrupt.chance.hits(word) {
            return Ok(());
        }
        let caught = match journey.transport {
            Transport::Stream => true,
            Transport::Datagram => corrupt.checksum,
        };
        if !caught {
            // Two damages in a row must not cancel out.
            journey.damage = some(journey.damage ^ flipped(word)).get();
        } else if !journey.spared {
            return Err(LossReason::Checksum);
        }
        Ok(())
    }

    /// For how long a message is held back.
    fn hold(&self, decision: Decision, step: u32) -> Span {
        let Some((chance, hold)) = &self.reorder else { return Span::ZERO };
        let word = decision.word(Lane::Reorder, step);
        if chance.hits(word) { hold.draw(&mut SmallStream::from_word(word)) } else { Span::ZERO }
    }
}

impl Band {
    fn new(bandwidth: &Bandwidth) -> Band {
        let speed = bandwidth.bytes_per_second;
        assert!(speed > 0, "checked when the network is built");
        let longest = bandwidth
            .queue_bytes
            .map_or(u64::MAX, |bytes| u64::try_from(u128::from(bytes) * 1_000_000_000 / u128::from(speed)).unwrap_or(u64::MAX));
        Band { bytes_per_second: speed, longest }
    }
}

impl Queue {
    /// Adds how long it will be busy to a fingerprint.
    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest) {
        for (start, end) in self.busy.iter().filter(|(_, end)| *end > now.nanos()) {
            digest.words(start.saturating_sub(now.nanos()), end - now.nanos());
        }
    }

    /// Takes a message in that comes at `at`, sent at `now`; when its last byte is on the wire, or `None` when there is no room
    /// for it to wait.
    ///
    /// First come, first served, for messages that come in the order in which they were sent, as they do on the first link of
    /// a path. On a later link one that was sent later may come earlier than another whose fate is decided already: then it
    /// gets the time that the other leaves. The link is never idle while there is work, and never faster than it is.
    fn admit(&mut self, band: Band, bytes: u32, (now, at): (Time, Time)) -> Option<Time> {
        // Below 2^32 · 10^9 < 2^62; rounded up, so that the link never carries more than it can.
        // At least a nanosecond, so that an empty message waits like any other.
        let takes = (u64::from(bytes) * 1_000_000_000).div_ceil(band.bytes_per_second).max(1);
        let past = self.busy.partition_point(|(_, end)| *end <= now.nanos());
        if past * 2 >= self.busy.len() {
            self.busy.drain(..past);
        }
        let first = self.busy.partition_point(|(_, end)| *end < at.nanos());
        let (mut start, mut done, mut left, mut waits) = (at.nanos(), at.nanos(), takes, 0u64);
        let mut next = first;
        while let Some((from, until)) = self.busy.get(next).copied() {
            let idle = from.saturating_sub(done);
            if left <= idle {
                break;
            }
            left -= idle;
            waits += until - from.max(done);
            start = start.min(from);
            done = until;
            next += 1;
        }
        if waits > 0 && waits.saturating_add(takes) > band.longest {
            return None;
        }
        done = done.saturating_add(left);
        self.busy.splice(first..next, [(start, done)]);
        Some(Time::from_nanos(done))
    }
}

impl BurstClass {
    fn new(burst: &Burst) -> BurstClass {
        let (good, bad) = (burst.good.as_nanos(), burst.bad.as_nanos());
        assert!(good > 0 && bad > 0, "checked when the network is built");
        let both = u128::from(good) + u128::from(bad);
        let gap = u64::try_from(u128::from(good) * u128::from(bad) / both).expect("below each of the two").max(1);
        // Halved when their sum leaves 64 bits; the share stays.
        let (part, whole) = u64::try_from(both).map_or_else(|_| (bad / 2, good / 2 + bad / 2), |whole| (bad, whole));
        BurstClass {
            gap: Law::Exponential { floor: Span::ZERO, mean: Span::nanos(gap) }.sampler(),
            cell: gap.saturating_mul(8),
            bad_share: Chance::ratio(part, whole),
            loss_good: burst.loss_good,
            loss_bad: burst.loss_bad,
        }
    }

    /// Whether a message gets through at a moment; if not, why.
    fn spares(&self, state: &mut BurstState, at: Time, word: u64) -> Result<(), LossReason> {
        let bad = self.is_bad(state, at);
        let (chance, why) = if bad { (self.loss_bad, LossReason::Burst) } else { (self.loss_good, LossReason::Chance) };
        if chance.hits(word) { Err(why) } else { Ok(()) }
    }

    /// Whether a direction is in its bad state at a moment.
    pub(super) fn is_bad(&self, state: &mut BurstState, at: Time) -> bool {
        if state.from <= at && at < state.until {
            return state.bad;
        }
        let mut cell = at.nanos() / self.cell;
        let (drawn, until) = self.drawn_in(state.key, cell, at.nanos());
        let start = cell.saturating_mul(self.cell);
        let (from, bad) = drawn.unwrap_or_else(|| {
            // Not drawn anew yet in this cell: it is as some cell before left it, or as it was at the very beginning.
            while cell > 0 {
                cell -= 1;
                if let (Some((_, bad)), _) = self.drawn_in(state.key, cell, u64::MAX) {
                    return (start, bad);
                }
            }
            (start, self.bad_share.hits(finish(!state.key)))
        });
        (state.from, state.until, state.bad) = (Time::from_nanos(from), Time::from_nanos(until), bad);
        bad
    }

    /// The last time at or before `at` that the state was drawn anew inside a cell, what it came out as, and until when it
    /// holds for sure.
    fn drawn_in(&self, key: u64, cell: u64, at: u64) -> (Option<(u64, bool)>, u64) {
        let start = cell.saturating_mul(self.cell);
        let end = start.saturating_add(self.cell);
        let mut words = SmallStream::from_word(finish(key ^ finish(cell)));
        let mut last = None;
        let mut next = start;
        loop {
            next = next.saturating_add(self.gap.draw(&mut words).as_nanos().max(1));
            let word = words.word();
            if next > at || next >= end {
                return (last, next.min(end));
            }
            last = Some((next, self.bad_share.hits(word)));
        }
    }
}

impl BurstState {
    /// A direction's own, from its key.
    pub(super) fn new(key: u64) -> BurstState {
        BurstState { key, from: Time::ZERO, until: Time::ZERO, bad: false }
    }
}

/// What is flipped in a message whose question in [`Lane::Corrupt`] has this word.
pub(super) fn flipped(word: u64) -> u64 {
    SmallStream::from_word(word).word()
}

/// Damage, even where the word for it is zero.
pub(super) fn some(damage: u64) -> NonZeroU64 {
    NonZeroU64::new(damage).unwrap_or(NonZeroU64::MIN)
}

/// A moment so many nanoseconds later, or the end of time.
#[inline]
pub(super) fn later(at: Time, nanos: u64) -> Time {
    Time::from_nanos(at.nanos().saturating_add(nanos))
}
