//! A node's clock: what it shows when the true time is known, and how long the node thinks a span takes.
//!
//! Two readings come from one movement. The oscillator counts ticks: it runs fast or slow and stands still while the
//! machine is frozen, but never goes back; timers are measured by it. The time of day is the ticks plus the skew and the
//! steps, which may put it back.

use super::config::ClockConfig;
use crate::base::{FaultId, Span, Time};

/// Ticks are kept in millionths of a nanosecond, so that parts per million are exact.
const FINE: i128 = 1_000_000;

/// What a fault does to a clock while it acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer {
    /// Nanoseconds added to the time of day.
    Step(i64),
    /// Parts per million added to the speed.
    Drift(i32),
    /// The oscillator stands still.
    Freeze,
}

/// The clock of one node.
///
/// ```
/// use deadletter::base::{FaultId, Span, Time};
/// use deadletter::parts::clock::Clock;
/// use deadletter::parts::config::ClockConfig;
/// let mut clock = Clock::new(ClockConfig { skew: -5, drift_ppm: 100 });
/// let t = Time::ZERO + Span::secs(10);
/// assert_eq!(clock.local(t), Time::from_nanos(10_001_000_000 - 5));
/// clock.step(t, FaultId(0), 2_000_000_000);
/// assert_eq!(clock.local(t), Time::from_nanos(12_001_000_000 - 5));
/// assert_eq!(clock.ticks(t), Span::nanos(10_001_000_000));
/// clock.lift(t, FaultId(0));
/// assert_eq!(clock.local(t), Time::from_nanos(10_001_000_000 - 5));
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    config: ClockConfig,
    layers: Vec<(FaultId, Layer)>,
    /// Start of the present segment, in true time.
    since: Time,
    /// Ticks at the start of the segment, in millionths of a nanosecond.
    ticks: i128,
    /// Speed in the segment, in ticks of a millionth a nanosecond: 1,000,000 is right.
    speed: i128,
    /// Skew and steps together, in nanoseconds.
    offset: i128,
}

impl Clock {
    /// A clock at true time zero.
    #[must_use]
    pub fn new(config: ClockConfig) -> Clock {
        let mut clock = Clock { config, layers: Vec::new(), since: Time::ZERO, ticks: 0, speed: FINE, offset: 0 };
        clock.combine();
        clock
    }

    /// The time of day that the clock shows. A clock put back to before the start shows the start.
    #[must_use]
    pub fn local(&self, now: Time) -> Time {
        let shown = self.fine_ticks(now).div_euclid(FINE) + self.offset;
        Time::from_nanos(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }

    /// How far the oscillator has come since true time zero: monotone, untouched by skew and steps. A timer is due when
    /// the ticks have grown by its span.
    #[must_use]
    pub fn ticks(&self, now: Time) -> Span {
        Span::nanos(u64::try_from(self.fine_ticks(now).div_euclid(FINE)).unwrap_or(u64::MAX))
    }

    /// How long it takes in true time until `span` has passed on this clock, if nothing changes its speed meanwhile:
    /// the shortest span after which [`Clock::ticks`] has grown by `span`. `None` while the clock stands still, and when
    /// it would take longer than any run.
    #[must_use]
    pub fn true_after(&self, now: Time, span: Span) -> Option<Span> {
        if self.speed == FINE {
            return Some(span);
        }
        if span.is_zero() {
            return Some(Span::ZERO);
        }
        let fine = self.fine_ticks(now);
        let goal = (fine.div_euclid(FINE) + i128::from(span.as_nanos())) * FINE;
        let wait = (goal - fine + self.speed - 1).checked_div(self.speed)?;
        u64::try_from(wait).ok().map(Span::nanos)
    }

    /// A fault puts the time of day forward (positive) or back, by nanoseconds, until it is lifted.
    pub fn step(&mut self, now: Time, fault: FaultId, by: i64) {
        self.add(now, fault, Layer::Step(by));
    }

    /// A fault makes the clock run fast (positive) or slow, in parts per million, until it is lifted. What it has gained
    /// or lost by then stays. A clock slowed by a million or more stands still.
    pub fn drift(&mut self, now: Time, fault: FaultId, ppm: i32) {
        self.add(now, fault, Layer::Drift(ppm));
    }

    /// A fault stops the clock until it is lifted; it then goes on from where it stood.
    pub fn freeze(&mut self, now: Time, fault: FaultId) {
        self.add(now, fault, Layer::Freeze);
    }

    /// Takes one layer of a fault away; `false` when it has none. A fault that acts twice is lifted twice.
    pub fn lift(&mut self, now: Time, fault: FaultId) -> bool {
        let Some(at) = self.layers.iter().position(|(cause, _)| *cause == fault) else { return false };
        self.settle(now);
        self.layers.remove(at);
        self.combine();
        true
    }

    /// Whether a fault has stopped the clock.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.layers.iter().any(|(_, layer)| *layer == Layer::Freeze)
    }

    fn add(&mut self, now: Time, fault: FaultId, layer: Layer) {
        self.settle(now);
        self.layers.push((fault, layer));
        self.combine();
    }

    /// Ends the segment.
    fn settle(&mut self, now: Time) {
        self.ticks = self.fine_ticks(now);
        self.since = now;
    }

    /// Speed and offset from all layers: sums, so their order does not matter.
    fn combine(&mut self) {
        self.speed = FINE + i128::from(self.config.drift_ppm);
        self.offset = i128::from(self.config.skew);
        let mut frozen = false;
        for (_, layer) in &self.layers {
            match layer {
                Layer::Step(by) => self.offset += i128::from(*by),
                Layer::Drift(ppm) => self.speed += i128::from(*ppm),
                Layer::Freeze => frozen = true,
            }
        }
        self.speed = if frozen { 0 } else { self.speed.max(0) };
    }

    #[inline]
    fn fine_ticks(&self, now: Time) -> i128 {
        self.ticks + i128::from(now.since(self.since).as_nanos()) * self.speed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Change {
        Step(i64),
        Drift(i32),
        Freeze,
        Lift,
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (-5_000_000_000i64..5_000_000_000).prop_map(Change::Step),
            (-900_000i32..900_000).prop_map(Change::Drift),
            Just(Change::Freeze),
            Just(Change::Lift),
        ]
    }

    fn apply(clock: &mut Clock, now: Time, fault: FaultId, change: &Change) {
        match change {
            Change::Step(by) => clock.step(now, fault, *by),
            Change::Drift(ppm) => clock.drift(now, fault, *ppm),
            Change::Freeze => clock.freeze(now, fault),
            Change::Lift => {
                clock.lift(now, fault);
            }
        }
    }

    /// Gaps between changes, and groups of changes made at one moment by different faults.
    fn history() -> impl Strategy<Value = Vec<(u64, Vec<Change>)>> {
        prop::collection::vec((0u64..3_000_000_000, prop::collection::vec(change(), 1..4)), 0..12)
    }

    fn config() -> impl Strategy<Value = ClockConfig> {
        (any::<i32>(), -999_999i32..2_000_000).prop_map(|(skew, drift_ppm)| ClockConfig { skew: i64::from(skew), drift_ppm })
    }

    proptest! {
        /// Readings equal a sum over the nanosecond segments done by hand, whatever the order of what happens at one moment.
        #[test]
        fn layers_commute_and_add_up(config in config(), history in history(), ask in 0u64..3_000_000_000) {
            let (mut there, mut back) = (Clock::new(config), Clock::new(config));
            let mut now = Time::ZERO;
            let (mut fine, mut active): (i128, Vec<(FaultId, Change)>) = (0, Vec::new());
            let speed = |active: &[(FaultId, Change)]| {
                let ppm: i128 = active.iter().map(|(_, c)| if let Change::Drift(ppm) = c { i128::from(*ppm) } else { 0 }).sum();
                let frozen = active.iter().any(|(_, c)| matches!(c, Change::Freeze));
                if frozen { 0 } else { (FINE + i128::from(config.drift_ppm) + ppm).max(0) }
            };
            for (gap, changes) in &history {
                now += Span::nanos(*gap);
                fine += i128::from(*gap) * speed(&active);
                let numbered: Vec<_> = changes.iter().enumerate().map(|(i, c)| (FaultId::at(i), c)).collect();
                for (fault, change) in &numbered {
                    apply(&mut there, now, *fault, change);
                    if matches!(change, Change::Lift) {
                        if let Some(at) = active.iter().position(|(f, _)| f == fault) {
                            active.remove(at);
                        }
                    } else {
                        active.push((*fault, (*change).clone()));
                    }
                }
                for (fault, change) in numbered.iter().rev() {
                    apply(&mut back, now, *fault, change);
                }
            }
            now += Span::nanos(ask);
            fine += i128::from(ask) * speed(&active);
            let steps: i128 = active.iter().map(|(_, c)| if let Change::Step(by) = c { i128::from(*by) } else { 0 }).sum();
            let shown = (fine.div_euclid(FINE) + i128::from(config.skew) + steps).max(0);
            prop_assert_eq!(i128::from(there.local(now).nanos()), shown);
            prop_assert_eq!(i128::from(there.ticks(now).as_nanos()), fine.div_euclid(FINE));
            prop_assert_eq!((back.local(now), back.ticks(now)), (there.local(now), there.ticks(now)));
        }

        /// `true_after` is the inverse of `ticks` to the nanosecond: its span suffices, one nanosecond less does not.
        #[test]
        fn a_timer_is_neither_early_nor_late(config in config(), history in history(), wait in 0u64..1_000_000_000_000) {
            let mut clock = Clock::new(config);
            let mut now = Time::ZERO;
            for (gap, changes) in &history {
                now += Span::nanos(*gap);
                for (fault, change) in changes.iter().enumerate() {
                    apply(&mut clock, now, FaultId::at(fault), change);
                }
            }
            let Some(span) = clock.true_after(now, Span::nanos(wait)) else {
                prop_assert!(clock.ticks(now + Span::secs(3600)) == clock.ticks(now), "only a clock that stands still never gets there");
                return Ok(());
            };
            let passed = |span| (clock.ticks(now + span) - clock.ticks(now)).as_nanos();
            prop_assert!(passed(span) >= wait);
            prop_assert!(span.is_zero() || passed(span - Span::nanos(1)) < wait);
            prop_assert!(clock.local(now + span) >= clock.local(now), "monotone between steps");
        }
    }

    #[test]
    fn a_step_goes_back_and_a_drift_leaves_its_mark() {
        let at = |s| Time::ZERO + Span::secs(s);
        let mut clock = Clock::new(ClockConfig::default());
        clock.step(at(10), FaultId(0), -60_000_000_000);
        assert_eq!(clock.local(at(10)), Time::ZERO, "never before the start");
        assert!(clock.lift(at(20), FaultId(0)) && !clock.lift(at(20), FaultId(0)));
        assert_eq!(clock.local(at(20)), at(20));
        clock.drift(at(20), FaultId(1), 1000);
        clock.lift(at(30), FaultId(1));
        assert_eq!(clock.local(at(40)), at(40) + Span::millis(10));
        clock.freeze(at(40), FaultId(2));
        assert_eq!((clock.true_after(at(45), Span::millis(1)), clock.is_frozen()), (None, true));
        clock.lift(at(50), FaultId(2));
        assert_eq!(clock.local(at(50)), at(40) + Span::millis(10));
    }
}
