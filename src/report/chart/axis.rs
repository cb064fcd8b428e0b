//! Axes: from what range to what pixels, with ticks that people can read.

use crate::base::Span;
use crate::report::words;

/// How values stand on an axis.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Scale {
    /// From zero to the top, evenly.
    Linear {
        /// The greatest value on the axis.
        top: f64,
    },
    /// Every power of ten takes as much room.
    Log {
        /// The smallest value on the axis, above zero.
        bottom: f64,
        /// The greatest.
        top: f64,
    },
}

impl Scale {
    /// Where a value stands, from 0 (bottom) to 1 (top).
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Scale::Linear { top } => (value / top).clamp(0.0, 1.0),
            Scale::Log { bottom, top } => {
                let value = value.clamp(bottom, top);
                libm::log10(value / bottom) / libm::log10(top / bottom)
            }
        }
    }
}

/// A mark on an axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Tick {
    /// Where.
    pub(super) value: f64,
    /// What it says; nothing for a line of the mesh alone.
    pub(super) label: String,
}

/// A scale with its ticks.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axis {
    /// Values to places.
    pub(super) scale: Scale,
    /// In order.
    pub(super) ticks: Vec<Tick>,
}

impl Axis {
    /// Counts or rates from zero on.
    pub(super) fn amounts(greatest: f64) -> Axis {
        let step = nice(greatest.max(1e-3) / 4.0, &[1.0, 2.0, 5.0]);
        let top = step * (greatest.max(1e-3) / step).ceil();
        let ticks = multiples(step, top).map(|v| Tick { value: v, label: amount(v, step) }).collect();
        Axis { scale: Scale::Linear { top }, ticks }
    }

    /// Whole counts from zero on: no tick falls between two of them.
    pub(super) fn wholes(greatest: f64) -> Axis {
        let step = nice(greatest.max(1.0) / 4.0, &[1.0, 2.0, 5.0]).max(1.0);
        let top = step * (greatest.max(1.0) / step).ceil();
        let ticks = multiples(step, top).map(|v| Tick { value: v, label: amount(v, step) }).collect();
        Axis { scale: Scale::Linear { top }, ticks }
    }

    /// Spans of time in nanoseconds: by powers of ten when the greatest is far above the least.
    pub(super) fn spans(least: f64, greatest: f64) -> Axis {
        const WIDE: f64 = 40.0;
        let (least, greatest) = (least.max(1.0), greatest.max(least.max(1.0)));
        if greatest / least > WIDE { log_spans(least, greatest) } else { linear_spans(greatest) }
    }

    /// The time of a run, from zero to `end` nanoseconds, with the unit that the labels are in.
    pub(super) fn time(end: f64) -> (Axis, &'static str) {
        let end = end.max(1.0);
        let table: [(f64, f64, &'static str, &[f64]); 6] = [
            (1e3, 1.0, "ns", &[1.0, 2.0, 5.0]),
            (1e6, 1e3, "µs", &[1.0, 2.0, 5.0]),
            (1e9, 1e6, "ms", &[1.0, 2.0, 5.0]),
            (600e9, 1e9, "s", &[1.0, 1.5, 2.0, 3.0, 5.0, 6.0]),
            (4.0 * 3_600e9, 60e9, "min", &[1.0, 1.5, 2.0, 3.0, 6.0]),
            (4.0 * 86_400e9, 3_600e9, "h", &[1.0, 1.2, 2.4, 3.0, 6.0]),
        ];
        let (_, size, unit, steps) = table.into_iter().find(|(below, ..)| end < *below).unwrap_or((0.0, 86_400e9, "d", &[1.0, 2.0, 5.0]));
        let step = nice(end / size / 9.0, steps);
        let ticks = multiples(step, end / size).map(|v| Tick { value: v * size, label: amount(v, step) }).collect();
        (Axis { scale: Scale::Linear { top: end }, ticks }, unit)
    }
}

/// Zero and its multiples up to the top.
fn multiples(step: f64, top: f64) -> impl Iterator<Item = f64> {
    (0..1000u32).map(move |i| f64::from(i) * step).take_while(move |v| *v <= top * (1.0 + 1e-9))
}

/// The smallest of the steps, times a power of ten, that is at least as great.
fn nice(least: f64, steps: &[f64]) -> f64 {
    let mut power = 1e-9;
    loop {
        for step in steps {
            if step * power >= least * (1.0 - 1e-9) {
                return step * power;
            }
        }
        power *= 10.0;
    }
}

/// A number with as many decimals as its step has.
fn amount(value: f64, step: f64) -> String {
    let places = (0..6usize).find(|p| is_whole(step * power_of_ten(*p))).unwrap_or(6);
    if places == 0 {
        return words::count(to_count(value));
    }
    format!("{value:.places$}")
}

fn linear_spans(greatest: f64) -> Axis {
    let (size, unit) = [(1e9, "s"), (1e6, "ms"), (1e3, "µs")].into_iter().find(|(size, _)| greatest >= *size).unwrap_or((1.0, "ns"));
    let step = nice(greatest / size / 4.0, &[1.0, 2.0, 5.0]);
    let top = step * (greatest / size / step).ceil();
    let label = |v: f64| if v == 0.0 { "0".to_owned() } else { format!("{} {unit}", amount(v, step)) };
    let ticks = multiples(step, top).map(|v| Tick { value: v * size, label: label(v) }).collect();
    Axis { scale: Scale::Linear { top: top * size }, ticks }
}

fn log_spans(least: f64, greatest: f64) -> Axis {
    let (mut low, mut power) = (1.0, 1.0);
    while power <= least {
        low = power;
        power *= 10.0;
    }
    // Begin at 1, 2 or 5 times a power of ten, and end so, to give little room away.
    let bottom = [5.0, 2.0, 1.0].into_iter().map(|m| m * low).find(|b| *b <= least).unwrap_or(low);
    let mut top = low;
    let top = loop {
        if let Some(found) = [1.0, 2.0, 5.0].into_iter().map(|m| m * top).find(|t| *t >= greatest) {
            break found;
        }
        top *= 10.0;
    };
    let decades = libm::log10(top / bottom);
    let mut ticks = Vec::new();
    let mut power = low;
    while power <= top * 1.001 {
        for multiple in [1.0, 2.0, 5.0] {
            let value = multiple * power;
            if value >= bottom * 0.999 && value <= top * 1.001 {
                let named = multiple == 1.0 || decades <= 2.2;
                ticks.push(Tick { value, label: if named { words::span(Span::nanos(to_count(value))) } else { String::new() } });
            }
        }
        power *= 10.0;
    }
    Axis { scale: Scale::Log { bottom, top }, ticks }
}

fn power_of_ten(places: usize) -> f64 {
    (0..places).fold(1.0, |p, _| p * 10.0)
}

fn is_whole(x: f64) -> bool {
    (x - x.round()).abs() < 1e-6
}

/// A number that is not negative, rounded to a whole one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from a float to an integer `as` saturates, and what is shown is not negative"
)]
pub(super) fn to_count(value: f64) -> u64 {
    value.round() as u64
}

/// A count as a place on an axis; above 2^53 it is rounded.
#[expect(clippy::cast_precision_loss, reason = "a picture does not show the sixteenth digit")]
pub(super) const fn amount_of(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|t| t.label.as_str()).filter(|l| !l.is_empty()).collect()
    }

    #[test]
    fn ticks_are_readable() {
        assert_eq!(labels(&Axis::amounts(2_300.0)), ["0", "1,000", "2,000", "3,000"]);
        assert_eq!(labels(&Axis::amounts(0.9)), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(&Axis::wholes(2.0)), ["0", "1", "2"]);
        assert_eq!(labels(&Axis::spans(1e6, 9e6)), ["0", "5 ms", "10 ms"]);
        assert_eq!(labels(&Axis::spans(3e5, 4.8e9)), ["1 ms", "10 ms", "100 ms", "1 s"]);
        assert_eq!(labels(&Axis::spans(3e6, 2e8)), ["2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms"]);
        let (axis, unit) = Axis::time(90e9);
        assert_eq!((labels(&axis), unit), (vec!["0", "10", "20", "30", "40", "50", "60", "70", "80", "90"], "s"));
        let (axis, unit) = Axis::time(3.0 * 86_400e9);
        assert_eq!((labels(&axis), unit), (vec!["0", "10", "20", "30", "40", "50", "60", "70"], "h"));
    }

    proptest! {
        #[test]
        fn every_axis_reaches_over_its_values(least in 1u64..10_000_000_000, more in 0u64..1_000_000_000_000_000) {
            let (low, high) = (amount_of(least), amount_of(least + more));
            for axis in [Axis::amounts(high), Axis::wholes(high), Axis::spans(low, high), Axis::time(high).0] {
                let ends = [axis.scale.place(low), axis.scale.place(high)];
                prop_assert!(ends.iter().all(|e| (0.0..=1.0).contains(e)) && ends[0] <= ends[1]);
                let (top, bottom) = match axis.scale { Scale::Linear { top } => (top, 0.0), Scale::Log { bottom, top } => (top, bottom) };
                prop_assert!(bottom <= low && top >= high * (1.0 - 1e-9), "{axis:?} for {low}..{high}");
                prop_assert!((2..=32).contains(&axis.ticks.len()), "{} ticks", axis.ticks.len());
                prop_assert!(axis.ticks.windows(2).all(|t| t[0].value < t[1].value));
            }
        }
    }
}
