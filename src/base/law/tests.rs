//! What is configured is what is delivered: a million draws of each law against its mean, its quantiles and the textbook.
#![expect(clippy::float_arithmetic, reason = "statistics of draws")]

use statrs::distribution::{ContinuousCDF, Exp, LogNormal, Normal, Pareto, Weibull};

use super::*;
use crate::base::{SmallStream, Words};

const DRAWS: u32 = 1_000_000;

fn ms(millis: u64) -> Span {
    Span::millis(millis)
}

/// One law of each kind, and some at the edge of what is possible.
fn laws() -> Vec<Law> {
    vec![
        Law::Constant(ms(5)),
        Law::Uniform { low: ms(1), high: ms(10) },
        Law::Exponential { floor: Span::ZERO, mean: ms(2) },
        Law::Exponential { floor: ms(1), mean: ms(5) },
        Law::Normal { mean: ms(10), deviation: ms(1) },
        Law::Normal { mean: ms(10), deviation: ms(7) },
        Law::Normal { mean: ms(10), deviation: Span::micros(9500) },
        Law::LogNormal { median: Span::micros(500), p99: ms(4) },
        Law::Pareto { scale: ms(1), shape_thousandths: 3500 },
        Law::Pareto { scale: ms(1), shape_thousandths: 900 },
        Law::Weibull { scale: Span::secs(3600), shape_thousandths: 700 },
        Law::Weibull { scale: ms(1), shape_thousandths: 2000 },
        slow_now_and_then(),
        Law::Empirical(vec![(0, ms(1)), (500_000, ms(3)), (900_000, ms(4)), (950_000, ms(4)), (1_000_000, ms(20))]),
    ]
}

fn slow_now_and_then() -> Law {
    Law::Bimodal {
        usual: Box::new(Law::Exponential { floor: ms(1), mean: ms(2) }),
        rare: Box::new(Law::Uniform { low: ms(50), high: ms(100) }),
        rare_chance: Chance::ratio(3, 100),
    }
}

fn draws(law: &Law, count: u32) -> Vec<u64> {
    let sampler = law.sampler();
    let mut words = SmallStream::named(11, law.name(), 0);
    (0..count).map(|_| sampler.draw(&mut words).as_nanos()).collect()
}

/// Mean within 4 standard errors (of the sample's own deviation), and nine quantiles: the count of draws up to each is binomial
/// and lies within 4 of its standard errors.
#[test]
fn a_million_draws_have_the_configured_mean_and_quantiles() {
    for law in laws() {
        let drawn = draws(&law, DRAWS);
        let n = f64::from(DRAWS);
        let has_variance = !matches!(law, Law::Pareto { shape_thousandths: ..=2000, .. });
        if let (Some(mean), true) = (law.mean(), has_variance) {
            let mean = mean.as_nanos() as f64;
            let average = drawn.iter().map(|x| *x as f64).sum::<f64>() / n;
            let variance = drawn.iter().map(|x| (*x as f64 - average) * (*x as f64 - average)).sum::<f64>() / n;
            let error = (variance / n).sqrt();
            assert!((average - mean).abs() <= 4.0 * error + 0.5, "{law}: mean {average}, configured {mean}, standard error {error}");
            if let Law::Normal { deviation, .. } = &law {
                let (found, wanted) = (variance.sqrt(), deviation.as_nanos() as f64);
                // The fourth moment of a cut normal distribution is at most that of an exponential one: 9 variances squared.
                assert!((found / wanted - 1.0).abs() < 4.0 * (8.0 / (4.0 * n)).sqrt(), "{law}: deviation {found}");
            }
        }
        for ppm in [1_000, 10_000, 100_000, 250_000, 500_000, 750_000, 900_000, 990_000, 999_000] {
            let quantile = law.quantile(ppm).as_nanos();
            let share = f64::from(ppm) / 1e6;
            let error = (share * (1.0 - share) / n).sqrt();
            let up_to = drawn.iter().filter(|x| **x <= quantile).count() as f64 / n;
            let below = drawn.iter().filter(|x| **x < quantile).count() as f64 / n;
            assert!(
                up_to >= share - 4.0 * error && below <= share + 4.0 * error,
                "{law}: {below} to {up_to} lie up to the {share} quantile"
            );
        }
    }
}

/// Kolmogorov and Smirnov's test: the largest distance between the draws' distribution and the textbook's, times the root of
/// their number, is above 1.95 once in a thousand.
fn distance(law: &Law, cdf: impl Fn(f64) -> f64) {
    let mut drawn = draws(law, 100_000);
    drawn.sort_unstable();
    let n = drawn.len() as f64;
    let mut largest: f64 = 0.0;
    for (i, x) in drawn.iter().enumerate() {
        let share = cdf(*x as f64);
        largest = largest.max((share - i as f64 / n).abs()).max((share - (i + 1) as f64 / n).abs());
    }
    assert!(largest * n.sqrt() < 1.95, "{law}: distance {largest} from the textbook");
}

#[test]
fn draws_are_those_of_the_textbook() {
    let exponential = Exp::new(1.0 / 2e6).unwrap();
    distance(&Law::Exponential { floor: Span::ZERO, mean: ms(2) }, |x| exponential.cdf(x));
    let above = Exp::new(1.0 / 4e6).unwrap();
    distance(&Law::Exponential { floor: ms(1), mean: ms(5) }, |x| above.cdf(x - 1e6));
    let normal = Normal::new(10e6, 1e6).unwrap();
    distance(&Law::Normal { mean: ms(10), deviation: ms(1) }, |x| normal.cdf(x));
    let law = Law::Normal { mean: ms(10), deviation: ms(7) };
    let parent = super::normal::Cut::with(10e6, 7e6);
    let whole = Normal::new(parent.mean, parent.deviation).unwrap();
    distance(&law, |x| (whole.cdf(x) - whole.cdf(0.0)) / (1.0 - whole.cdf(0.0)));
    let lognormal = LogNormal::new(libm::log(5e5), libm::log(8.0) / 2.326_347_874_040_841).unwrap();
    distance(&Law::LogNormal { median: Span::micros(500), p99: ms(4) }, |x| lognormal.cdf(x));
    let pareto = Pareto::new(1e6, 1.5).unwrap();
    distance(&Law::Pareto { scale: ms(1), shape_thousandths: 1500 }, |x| pareto.cdf(x));
    let weibull = Weibull::new(0.7, 3.6e12).unwrap();
    distance(&Law::Weibull { scale: Span::secs(3600), shape_thousandths: 700 }, |x| weibull.cdf(x));
    distance(&Law::Uniform { low: ms(1), high: ms(10) }, |x| (x - 1e6) / 9e6);
    let usual = Exp::new(1.0 / 1e6).unwrap();
    distance(&slow_now_and_then(), |x| 0.97 * usual.cdf(x - 1e6) + 0.03 * ((x - 50e6) / 50e6).clamp(0.0, 1.0));
}

/// Words from a list, over and over.
struct Tape(Vec<u64>, usize);

impl Words for Tape {
    fn word(&mut self) -> u64 {
        self.1 += 1;
        self.0[(self.1 - 1) % self.0.len()]
    }
}

/// The same words give the same spans on every platform, for ever: a change here changes old verdicts.
#[test]
fn words_and_their_spans_are_pinned() {
    let words = [0, 1 << 63, u64::MAX, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, 0x0000_0000_0100_0000];
    let mut found = String::new();
    for law in laws() {
        let sampler = law.sampler();
        let spans: Vec<String> =
            words.iter().map(|word| sampler.draw(&mut Tape(vec![*word, 1 << 62, 1 << 61], 0)).as_nanos().to_string()).collect();
        found += &format!("{law}: {}\n", spans.join(" "));
    }
    assert_eq!(found, PINNED);
}

const PINNED: &str = "\
always 5ms: 5000000 5000000 5000000 5000000 5000000 5000000
uniform from 1ms to 10ms: 3250000 5500000 10000000 1040000 9960000 1000000
exponential with mean 2ms: 73473601 1386294 0 10832201 8909 55451530
exponential above 1ms with mean 5ms: 147947202 3772589 1000000 22664402 1017817 111903061
normal with mean 10ms and deviation 1ms: 18209536 10000000 1790464 12616298 7383702 17047683
normal with mean 10ms and deviation 7ms: 88880352 8828825 0 32575209 83502 77078602
normal with mean 10ms and deviation 9.5ms: 226403312 7181816 0 49665417 47173 185149680
lognormal, median 500us, 99% within 4ms: 768985387 500000 325 5183450 48230 272198625
Pareto from 1ms with shape 3.5: 36178805184 1219014 1000000 4699505 1001273 2756307466
Pareto from 1ms with shape 0.9: 3153600000000000000 2160119 1000000 410710808 1004962 3153600000000000000
Weibull with scale 1h and shape 0.7: 619671531473268 2132604406628 0 40218546147606 1575516781 414538337489914
Weibull with scale 1ms and shape 2: 6061089 832555 0 2327252 66741 5265526
exponential above 1ms with mean 2ms, but in 3% of cases uniform from 50ms to 100ms: 62500000 2386294 2386294 62500000 2386294 62500000
a table of 5 quantiles from 1ms to 20ms: 1000000 3000000 20000000 1017778 18577778 1000000
";

#[test]
fn laws_that_cannot_be_delivered_are_refused() {
    let table = [
        (Law::Uniform { low: ms(2), high: ms(1) }, "the shortest span 2ms is longer than the longest, 1ms"),
        (
            Law::Exponential { floor: ms(2), mean: ms(2) },
            "the mean 2ms includes the floor 2ms and must be above it; without variation write a constant",
        ),
        (Law::Normal { mean: Span::ZERO, deviation: ms(1) }, "the mean of a normal law must be above zero"),
        (Law::Normal { mean: ms(1), deviation: Span::ZERO }, "a normal law without deviation is a constant: write 1ms"),
        (
            Law::Normal { mean: ms(10), deviation: ms(10) },
            "the deviation 10ms is too large for the mean 10ms: a span is never negative, so that a deviation above 9.5ms cannot be \
             reached; write an exponential or a lognormal law",
        ),
        (Law::LogNormal { median: Span::ZERO, p99: ms(1) }, "the median of a lognormal law must be above zero"),
        (
            Law::LogNormal { median: ms(1), p99: ms(1) },
            "the 99% quantile 1ms must be above the median 1ms; without variation write a constant",
        ),
        (Law::Pareto { scale: Span::ZERO, shape_thousandths: 1500 }, "the scale of a pareto law must be above zero"),
        (Law::Weibull { scale: ms(1), shape_thousandths: 0 }, "the shape of a weibull law must be above zero, such as 1.5"),
        (
            Law::Pareto { scale: ms(1), shape_thousandths: 300 },
            "more than one in a million would last over a hundred years (Pareto from 1ms with shape 0.3); a run never sees its end",
        ),
        (
            Law::Bimodal {
                usual: Box::new(Law::Uniform { low: ms(2), high: ms(1) }),
                rare: Box::new(Law::Constant(ms(1))),
                rare_chance: Chance::NEVER,
            },
            "the usual law: the shortest span 2ms is longer than the longest, 1ms",
        ),
        (Law::Empirical(vec![]), "a table needs the shortest span at 0% and the longest at 100%"),
        (
            Law::Empirical(vec![(0, ms(1)), (999_000, ms(2))]),
            "a table goes from 0% (the shortest span) to 100% (the longest); this one goes from 0% to 99.9%",
        ),
        (
            Law::Empirical(vec![(0, ms(1)), (500_000, ms(2)), (500_000, ms(3)), (1_000_000, ms(4))]),
            "the shares of a table ascend: 50% comes after 50%",
        ),
        (Law::Empirical(vec![(0, ms(2)), (1_000_000, ms(1))]), "the spans of a table ascend: 1ms at 100% is below 2ms at 0%"),
    ];
    for (law, message) in table {
        assert_eq!(law.check().unwrap_err(), message);
    }
    assert!(laws().iter().all(|law| law.check().is_ok()));
    assert!(std::panic::catch_unwind(|| Law::Empirical(vec![]).sampler()).is_err());
}

#[test]
fn names_follow_the_variants() {
    let mut seen: Vec<&str> = laws().iter().map(Law::name).collect();
    seen.dedup();
    assert_eq!(seen, Law::NAMES);
}

#[test]
fn means_and_ends_in_closed_form() {
    let pareto = |shape_thousandths| Law::Pareto { scale: ms(1), shape_thousandths };
    assert_eq!(pareto(1500).mean(), Some(ms(3)));
    assert_eq!(pareto(1000).mean(), None);
    assert_eq!(pareto(1500).quantile(0), ms(1));
    assert_eq!(pareto(1500).quantile(1_000_000), LONGEST);
    assert_eq!(Law::Weibull { scale: ms(1), shape_thousandths: 1000 }.mean(), Some(ms(1)));
    assert_eq!(Law::Weibull { scale: ms(1), shape_thousandths: 500 }.mean(), Some(ms(2)));
    assert_eq!(slow_now_and_then().mean(), Some(Span::nanos(4_189_999)), "0.97 * 2 ms + 0.03 * 75 ms, rounded down twice");
    let endless = Law::Bimodal { usual: Box::new(ms_constant()), rare: Box::new(pareto(1000)), rare_chance: Chance::ratio(1, 1000) };
    assert_eq!(endless.mean(), None);
    let table = Law::Empirical(vec![(0, ms(0)), (900_000, ms(10)), (1_000_000, ms(110))]);
    assert_eq!(table.mean(), Some(Span::micros(10_500)));
    assert_eq!((table.quantile(450_000), table.quantile(950_000), table.quantile(1_000_000)), (ms(5), ms(60), ms(110)));
    let lognormal = Law::LogNormal { median: Span::micros(500), p99: ms(4) };
    assert_eq!((lognormal.quantile(500_000), lognormal.quantile(990_000)), (Span::micros(500), ms(4)));
    for law in laws() {
        let quantiles: Vec<Span> = (0..=1000).map(|i| law.quantile(i * 1000)).collect();
        assert!(quantiles.is_sorted(), "{law}");
    }
    let normal = Law::Normal { mean: ms(10), deviation: ms(7) };
    assert_eq!((normal.quantile(0), normal.quantile(1_000_000)), (Span::ZERO, LONGEST));
}

fn ms_constant() -> Law {
    Law::Constant(ms(1))
}

/// Only a bimodal choice and a uniform law's rejection take more than one word; a constant takes none.
#[test]
fn a_draw_takes_one_word() {
    for law in laws() {
        let mut tape = Tape(vec![0x0123_4567_89ab_cdef], 0);
        let _ = law.sampler().draw(&mut tape);
        let expected = match law {
            Law::Constant(_) => 0,
            Law::Bimodal { .. } => 2,
            Law::Uniform { .. }
            | Law::Exponential { .. }
            | Law::Normal { .. }
            | Law::LogNormal { .. }
            | Law::Pareto { .. }
            | Law::Weibull { .. }
            | Law::Empirical(_) => 1,
        };
        assert_eq!(tape.1, expected, "{law}");
    }
}
