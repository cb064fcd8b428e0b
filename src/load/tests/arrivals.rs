//! Open arrivals: rates, gaps and shapes, each within the interval that chance allows at 99.9 %.
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "statistics")]

use super::*;
use crate::base::{Chance, Law};
use proptest::prelude::*;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Two-sided 99.9 % of the normal distribution.
const Z: f64 = 3.2905;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

/// Whether a Poisson count is what is expected.
fn counts(what: &str, count: usize, expected: f64) {
    let half = Z * expected.sqrt();
    assert!((count as f64 - expected).abs() <= half, "{what}: {count}, expected {expected:.1} ± {half:.1}");
}

/// Whether counts have their expected values, all of them together.
fn fits(what: &str, pairs: &[(f64, f64)]) {
    let statistic: f64 = pairs.iter().map(|(count, expected)| (count - expected) * (count - expected) / expected).sum();
    let limit = ChiSquared::new(pairs.len() as f64).unwrap().inverse_cdf(0.999);
    assert!(statistic < limit, "{what}: chi square {statistic:.1}, limit {limit:.1}");
}

#[test]
fn constant_arrivals_never_drift() {
    let found = times(Arrivals::Constant { rate: rate("3/7ns") }, Span::millis(1), 1);
    assert_eq!(found.len(), 428_571);
    assert!((1u64..).zip(&found).all(|(n, at)| *at == n * 7 / 3));
}

#[test]
fn poisson_arrivals_come_at_their_rate_with_exponential_gaps() {
    // A million, at rates whose mean gap is not whole nanoseconds; the second is so fast that rounding gaps would show.
    for (text, length) in [("256000/s", Span::secs(4)), ("3/7ns", Span::nanos(2_400_000))] {
        let rate = rate(text);
        let found = times(Arrivals::Poisson { rate }, length, 2);
        counts(text, found.len(), rate.per_second() * length.as_nanos() as f64 / 1e9);
        // Counts in a thousand bins are independent and Poisson: their dispersion is one.
        let bin = length.as_nanos() / 1000;
        let expected = rate.per_second() * bin as f64 / 1e9;
        let mut bins = vec![0.0; 1000];
        found.iter().for_each(|at| bins[usize::try_from(at / bin).unwrap()] += 1.0);
        fits(text, &bins.iter().map(|count| (*count, expected)).collect::<Vec<_>>());
    }
    exponential_gaps(&times(Arrivals::Poisson { rate: rate("100/s") }, Span::secs(1000), 3), 1e7);
    // What is left of a thinned process is Poisson too: each candidate was kept independently of its gap.
    let flat = Arrivals::Diurnal { mean: rate("100/s"), amplitude: Chance::NEVER, period: Span::secs(60), peak_at: Span::ZERO };
    exponential_gaps(&times(flat, Span::secs(1000), 3), 1e7);
}

/// Kolmogorov and Smirnov: the largest distance of the gaps' distribution from the exponential of a mean in nanoseconds.
fn exponential_gaps(times: &[u64], mean: f64) {
    let mut gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / mean).collect();
    gaps.sort_by(f64::total_cmp);
    let n = gaps.len() as f64;
    let distance = gaps.iter().enumerate().map(|(at, gap)| {
        let below = 1.0 - libm::exp(-gap);
        (below - at as f64 / n).abs().max(((at + 1) as f64 / n - below).abs())
    });
    let (distance, limit) = (distance.fold(0.0, f64::max), 1.9495 / n.sqrt());
    assert!(n > 90_000.0 && distance < limit, "{distance} against {limit}");
}

#[test]
fn steps_to_the_same_rate_change_nothing() {
    let rate = rate("3/7us");
    let steps = (0..3000).map(|n| (Time::from_nanos(n * 1003), rate)).collect();
    let (whole, cut) = (times(Arrivals::Poisson { rate }, Span::millis(3), 4), times(Arrivals::Steps(steps), Span::millis(3), 4));
    assert!(whole.len() > 1000 && whole.len() == cut.len());
    assert!(whole.iter().zip(&cut).all(|(a, b)| a.abs_diff(*b) <= 1));
}

#[test]
fn a_doubled_rate_halves_the_same_arrivals() {
    let slow = times(Arrivals::Poisson { rate: rate("1000/s") }, Span::secs(2), 4);
    let fast = times(Arrivals::Poisson { rate: rate("2000/s") }, Span::secs(1), 4);
    assert!(slow.len() > 1800 && slow.len().abs_diff(fast.len()) <= 1);
    assert!(slow.iter().zip(&fast).all(|(slow, fast)| slow.abs_diff(2 * fast) <= 2));
}

#[test]
fn steps_change_the_rate_when_they_say() {
    let at = |s| Time::ZERO + Span::secs(s);
    let steps = vec![(at(10), rate("2000/s")), (at(20), Rate::ZERO), (at(30), rate("500/s")), (at(40), rate("8000/s"))];
    let found = times(Arrivals::Steps(steps), Span::secs(50), 5);
    for (second, expected) in [(0, 0.0), (10, 20_000.0), (20, 0.0), (30, 5_000.0), (40, 80_000.0)] {
        let window = at(second).nanos()..at(second + 10).nanos();
        counts("step", found.iter().filter(|at| window.contains(at)).count(), expected);
    }
}

#[test]
fn bursts_take_their_turns() {
    // Of fixed length: counts on and off are Poisson, and with a low rate of zero nothing comes between.
    let bursts = |low, on, off| Arrivals::Bursts { rate_high: rate("9000/s"), rate_low: rate(low), on, off };
    let found = times(bursts("0/s", Law::Constant(Span::millis(100)), Law::Constant(Span::millis(300))), Span::secs(100), 6);
    assert!(found.iter().all(|at| at % 400_000_000 >= 300_000_000));
    counts("fixed bursts", found.len(), 9000.0 * 25.0);
    // Of exponential length: the mean rate is weighted by the mean lengths. The count of a Markov-modulated process over T has
    // the variance mean + 2 (difference of rates)² p (1-p) τ T, p the share of bursts and 1/τ = 1/on + 1/off.
    let exponential = |mean| Law::Exponential { floor: Span::ZERO, mean };
    let found = times(bursts("1000/s", exponential(Span::millis(10)), exponential(Span::millis(30))), Span::secs(200), 7);
    let (mean, share, tau) = (200.0 * 3000.0, 0.25, 0.0075);
    let half = Z * f64::sqrt(mean + 2.0 * 8000.0 * 8000.0 * share * (1.0 - share) * tau * 200.0);
    assert!((found.len() as f64 - mean).abs() <= half && half < 0.05 * mean, "{} against {mean} ± {half}", found.len());
    // And it is burstier than Poisson: the index of dispersion in bins of 10 ms is far above one.
    let mut bins = vec![0.0; 20_000];
    found.iter().for_each(|at| bins[usize::try_from(at / 10_000_000).unwrap()] += 1.0);
    let average = found.len() as f64 / 20_000.0;
    let dispersion = bins.iter().map(|n| (n - average) * (n - average)).sum::<f64>() / 20_000.0 / average;
    assert!(dispersion > 5.0, "{dispersion}");
}

#[test]
fn the_day_has_its_shape() {
    // 50 days of 24 s, the peak at second 15; 24 bins of an hour, folded.
    let arrivals =
        |amplitude| Arrivals::Diurnal { mean: rate("400/s"), amplitude, period: Span::secs(24), peak_at: Span::secs(24 * 3 + 15) };
    for amplitude in [Chance::ALWAYS, "40%".parse().unwrap(), Chance::NEVER] {
        let found = times(arrivals(amplitude), Span::secs(24 * 50), 8);
        counts("whole days", found.len(), 400.0 * 24.0 * 50.0);
        let mut bins = [0.0; 24];
        found.iter().for_each(|at| bins[usize::try_from(at / 1_000_000_000 % 24).unwrap()] += 1.0);
        let turn = core::f64::consts::TAU / 24.0;
        // The integral of 1 + a cos over the hour.
        let expected = |hour: usize| {
            let (low, high) = ((hour as f64 - 15.0) * turn, (hour as f64 - 14.0) * turn);
            400.0 * 50.0 * (1.0 + amplitude.as_f64() * (libm::sin(high) - libm::sin(low)) / turn)
        };
        fits("day", &bins.iter().enumerate().map(|(hour, count)| (*count, expected(hour))).collect::<Vec<_>>());
    }
}

#[test]
fn a_trace_is_replayed_to_the_letter() {
    let rows = trace::read(b"at,key,bytes,client\n0.5,a,7,2\n0.5,b,8,\n2,a,9,4\n99,c,1,0\n").unwrap();
    let stream = LoadStream { keys: Keys::FromTrace, size: Sizes::FromTrace, ..stream(Arrivals::Trace(rows)) };
    let seen: Vec<_> = all(load(vec![stream], Span::secs(50), 1))
        .into_iter()
        .map(|a| {
            let crate::record::Op::Publish { key, bytes, .. } = a.command.what else { panic!("a publish") };
            (a.at.nanos() / 100_000_000, a.node.0, key.0, bytes)
        })
        .collect();
    // The last comes after the end of the load; clients are 5, 6 and 9.
    assert_eq!(seen, [(5, 9, 0, 7), (5, 6, 1, 8), (20, 6, 0, 9)]);
}

fn any_open() -> impl Strategy<Value = Arrivals> {
    let rate = || (1u64..40, 1u64..30).prop_map(|(count, millis)| Rate::new(count, Span::millis(millis)));
    let law = || {
        prop_oneof![
            (1u64..100).prop_map(|ms| Law::Constant(Span::millis(ms))),
            (0u64..9, 10u64..60).prop_map(|(floor, ms)| Law::Exponential { floor: Span::millis(floor), mean: Span::millis(ms) }),
        ]
    };
    prop_oneof![
        rate().prop_map(|rate| Arrivals::Constant { rate }),
        rate().prop_map(|rate| Arrivals::Poisson { rate }),
        (rate(), rate(), law(), law()).prop_map(|(rate_high, rate_low, on, off)| Arrivals::Bursts { rate_high, rate_low, on, off }),
        (rate(), any::<u32>(), 1u64..500).prop_map(|(mean, share, ms)| Arrivals::Diurnal {
            mean,
            amplitude: Chance::ratio(u64::from(share), 1 << 32),
            period: Span::millis(ms),
            peak_at: Span::millis(ms * 7 / 5),
        }),
        prop::collection::vec((1u64..100, prop::option::of(rate())), 1..6).prop_map(|steps| {
            let mut at = Time::ZERO;
            let steps = steps.into_iter().map(|(gap, rate)| {
                at += Span::millis(gap);
                (at, rate.unwrap_or(Rate::ZERO))
            });
            let mut steps: Vec<_> = steps.collect();
            steps.push((Time::ZERO + Span::secs(1), Rate::new(1, Span::millis(3))));
            Arrivals::Steps(steps)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    /// Whatever the streams: in order of time, before the end, densely numbered, the same for the same seed, and a clone made
    /// at any point goes on alike. A stream's own arrivals do not depend on its neighbours.
    #[test]
    fn laws_of_every_open_load(kinds in prop::collection::vec(any_open(), 1..4), seed in any::<u64>(), split in 0usize..300) {
        let streams: Vec<LoadStream> = kinds.iter().cloned().map(stream).collect();
        let length = Span::millis(1500);
        let whole = all(load(streams.clone(), length, seed));
        prop_assert!(whole.is_sorted_by_key(|a| a.at));
        prop_assert!(whole.iter().all(|a| a.at < Time::ZERO + length));
        for (n, arrival) in (0u32..).zip(&whole) {
            prop_assert_eq!((arrival.command.op.0, arrival.command.what.payload().0), (n, n));
        }
        let mut first = load(streams.clone(), length, seed);
        let mut begun: Vec<Arrival> = std::iter::from_fn(|| first.next()).take(split).collect();
        prop_assert_eq!(first.peek(), whole.get(begun.len()).map(|a| a.at));
        let fork = first.clone();
        begun.extend(all(first));
        prop_assert_eq!(&begun, &whole);
        prop_assert_eq!(&all(fork)[..], &whole[split.min(whole.len())..]);
        let of_first = |a: &&Arrival| a.command.what.object() == ObjectId(0);
        let essence = |a: &Arrival| (a.at, a.node, a.command.what.key());
        let alone = all(load(streams[..1].to_vec(), length, seed));
        prop_assert_eq!(alone.iter().map(essence).collect::<Vec<_>>(), whole.iter().filter(of_first).map(essence).collect::<Vec<_>>());
    }
}
