//! Open arrivals: moments that come whether or not earlier operations have ended.
//!
//! All random arrivals are one unit-rate Poisson process seen through a clock that runs at the present rate: each arrival
//! uses up an exponential amount of expected arrivals, and the amount is turned into time exactly, segment by segment of
//! constant rate. So a rate may be any fraction, a changed rate stretches the same arrivals, and nothing is lost to
//! rounding. The daily wave has no such segments: there, arrivals at twice the mean rate are thinned.

use std::sync::Arc;

use super::config::Arrivals;
use super::curve::{ONE, Wave, exponential};
use super::rate::Rate;
use super::trace::TraceRow;
use crate::base::law::Sampler;
use crate::base::{Chance, Span, Stream, Time, Words};

/// What open arrivals need besides chance; shared by all runs of a plan.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Even(Rate),
    Steady(Rate),
    Bursts { rates: [Rate; 2], lengths: [Sampler; 2] },
    Wave(Arc<Daily>),
    Steps(Arc<[(Time, Rate)]>),
    Recorded(Arc<[TraceRow]>),
}

/// A rate that swings once a period.
#[derive(Clone, Debug)]
pub(super) struct Daily {
    wave: Wave,
    /// Twice the mean: the rate is never above it.
    bound: Rate,
    amplitude: Chance,
    period: Span,
    peak_at: Span,
}

impl Pattern {
    /// The pattern of open arrivals; `None` for a closed load.
    pub(super) fn new(arrivals: &Arrivals) -> Option<Pattern> {
        Some(match arrivals {
            Arrivals::Constant { rate } => Pattern::Even(*rate),
            Arrivals::Poisson { rate } => Pattern::Steady(*rate),
            Arrivals::Bursts { rate_high, rate_low, on, off } => {
                Pattern::Bursts { rates: [*rate_low, *rate_high], lengths: [off.sampler(), on.sampler()] }
            }
            Arrivals::Diurnal { mean, amplitude, period, peak_at } => {
                let bound = Rate::new(mean.count() * 2, mean.per());
                Pattern::Wave(Arc::new(Daily { wave: Wave::new(), bound, amplitude: *amplitude, period: *period, peak_at: *peak_at }))
            }
            Arrivals::Steps(steps) => Pattern::Steps(steps.as_slice().into()),
            Arrivals::Trace(rows) => Pattern::Recorded(Arc::clone(rows)),
            Arrivals::Closed { .. } => return None,
        })
    }
}

impl Daily {
    /// Whether an arrival of the bound's rate, at a moment, is one of the wave's.
    fn keeps(&self, at: Time, word: u64) -> bool {
        let period = u128::from(self.period.as_nanos());
        // Counted from one period before time zero, so that nothing is negative; a turn is 2^32.
        let peak = u128::from(self.peak_at.as_nanos()) % period;
        let turn = ((u128::from(at.nanos()) + period - peak) % period) << 32;
        let cosine = self.wave.at(u32::try_from(turn / period).expect("less than a turn"));
        let swing = i128::from(cosine) * i128::from(self.amplitude.steps()) / i128::from(ONE);
        // The share is (1 + swing) / 2, in steps of 2^-33.
        i128::from(word >> 31) < i128::from(ONE) + swing
    }
}

/// The arrivals of one stream under way.
#[derive(Clone, Debug)]
pub(super) struct Open {
    gaps: Stream,
    /// Lengths of bursts.
    lengths: Stream,
    /// How many arrivals were given out.
    count: u64,
    /// The last arrival, in steps of 2^-32 nanoseconds.
    position: u128,
    /// The present segment of constant rate: its rate, its end, and its number from one (zero: before the first).
    rate: Rate,
    ends: u128,
    segment: usize,
}

/// Steps of 2^-32 nanoseconds.
const fn fine(at: Time) -> u128 {
    (at.nanos() as u128) << 32
}

impl Open {
    /// The arrivals of stream number `index` under a seed.
    pub(super) fn new(seed: u64, index: u64) -> Open {
        Open {
            gaps: Stream::named(seed, "load", index),
            lengths: Stream::named(seed, "load bursts", index),
            count: 0,
            position: 0,
            rate: Rate::ZERO,
            ends: 0,
            segment: 0,
        }
    }

    /// The next arrival before `until`.
    pub(super) fn next(&mut self, pattern: &Pattern, until: Time) -> Option<Time> {
        self.count += 1;
        let at = match pattern {
            Pattern::Even(rate) => {
                let nanos = u128::from(self.count) * u128::from(rate.per().as_nanos()) / u128::from(rate.count());
                Time::from_nanos(u64::try_from(nanos).ok()?)
            }
            Pattern::Recorded(rows) => rows.get(usize::try_from(self.count - 1).expect("a row"))?.at,
            Pattern::Wave(daily) => loop {
                // Both words are drawn whatever comes of the first, so that the amplitude moves no candidate.
                let (gap, word) = (self.gaps.word(), self.gaps.word());
                let at = self.spend(exponential(gap), pattern, until)?;
                if daily.keeps(at, word) {
                    break at;
                }
            },
            Pattern::Steady(_) | Pattern::Bursts { .. } | Pattern::Steps(_) => {
                let amount = exponential(self.gaps.word());
                self.spend(amount, pattern, until)?
            }
        };
        (at < until).then_some(at)
    }

    /// The moment when so many further arrivals (in steps of 2^-32) have become due.
    fn spend(&mut self, mut amount: u64, pattern: &Pattern, until: Time) -> Option<Time> {
        loop {
            let (count, per) = (u128::from(self.rate.count()), u128::from(self.rate.per().as_nanos()));
            let wait = (u128::from(amount) * per).checked_div(count);
            if let Some(wait) = wait.filter(|wait| self.position + wait <= self.ends) {
                self.position += wait;
                return u64::try_from(self.position >> 32).ok().map(Time::from_nanos);
            }
            // Less than `amount`, so the product is less than 2^38 × 2^64.
            let used = (self.ends - self.position) * count / per;
            amount -= u64::try_from(used).expect("no more than there was");
            self.position = self.ends;
            if self.position >= fine(until) {
                return None;
            }
            self.turn(pattern)?;
        }
    }

    /// Begins the next segment of constant rate; `None` when there is none.
    fn turn(&mut self, pattern: &Pattern) -> Option<()> {
        let number = self.segment;
        self.segment += 1;
        (self.rate, self.ends) = match pattern {
            Pattern::Steady(rate) if number == 0 => (*rate, fine(Time::FAR)),
            Pattern::Wave(daily) if number == 0 => (daily.bound, fine(Time::FAR)),
            Pattern::Steady(_) | Pattern::Wave(_) | Pattern::Even(_) | Pattern::Recorded(_) => return None,
            Pattern::Steps(steps) => {
                let start = |n: usize| steps.get(n).map_or(fine(Time::FAR), |(at, _)| fine(*at));
                let before = number.checked_sub(1).map_or(Some(Rate::ZERO), |n| steps.get(n).map(|(_, rate)| *rate))?;
                (before, start(number))
            }
            Pattern::Bursts { rates, lengths } => {
                let length = lengths[number % 2].draw(&mut self.lengths).as_nanos().max(1);
                (rates[number % 2], self.position + (u128::from(length) << 32))
            }
        };
        Some(())
    }
}
