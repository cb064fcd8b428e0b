//! Statistics of shares: intervals, exact tails, and a sequential test that says when enough runs have been seen.
//!
//! Everything is computed from logarithms of factorials and one continued fraction with `libm`, so that it is the same on every
//! platform. Stated accuracies are tested.
#![expect(clippy::float_arithmetic, reason = "statistics; what they decide is decided the same on every platform")]

use super::judged::Ratio;

/// An interval of shares, both ends from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

fn float(n: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of runs are far below 2^53")]
    let f = n as f64;
    f
}

/// The regularized incomplete beta function `I_x(a, b)`, for positive `a` and `b`: relative error below 10⁻¹⁰ for `a + b` up to
/// 2,000 wherever the result is above 10⁻²⁵⁰ (against exact sums; beyond, against itself).
///
/// # Panics
/// When `a` or `b` is not positive, or `x` is not from 0 to 1.
#[must_use]
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    assert!(a > 0.0 && b > 0.0, "the parameters of a beta distribution are positive");
    assert!((0.0..=1.0).contains(&x), "a share is from 0 to 1");
    if x <= 0.0 || x >= 1.0 {
        return x;
    }
    // The fraction converges fast below the mean; above it the other tail is small.
    if x > (a + 1.0) / (a + b + 2.0) { 1.0 - tail(b, a, 1.0 - x, x) } else { tail(a, b, x, 1.0 - x) }
}

/// `I_x(a, b)` by its continued fraction (modified Lentz), with `y = 1 - x`.
fn tail(a: f64, b: f64, x: f64, y: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let keep = |v: f64| if libm::fabs(v) < TINY { TINY } else { v };
    let mut c = 1.0;
    let mut d = 1.0 / keep(1.0 - (a + b) * x / (a + 1.0));
    let mut h = d;
    for m in 1..10_000_u32 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for term in [even, odd] {
            d = 1.0 / keep(1.0 + term * d);
            c = keep(1.0 + term / c);
            h *= d * c;
        }
        if libm::fabs(d * c - 1.0) < 1e-15 {
            break;
        }
    }
    libm::exp(log_power(a, b, x, y)) * h / a
}

/// `ln(x^a y^b / B(a, b))` without the cancellation of large logarithms: Stirling's series for each gamma function, deviances for
/// the rest (Loader's method).
fn log_power(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    // B(a, b) = Γ(a)Γ(b)/Γ(n), with ln Γ(z) = (z - ½) ln z - z + ½ ln 2π + δ(z).
    let stirling = delta(n) - delta(a) - delta(b) + 0.5 * (libm::log(a / n) + libm::log(b) - libm::log(core::f64::consts::TAU));
    stirling - deviance(a, n * x) - deviance(b, n * y)
}

/// What Stirling's formula lacks: `ln Γ(z) - ((z - ½) ln z - z + ½ ln 2π)`. Absolute error below 10⁻¹⁵.
fn delta(z: f64) -> f64 {
    if z < 16.0 {
        // Γ(z + 1) = z Γ(z): the difference of two deltas one apart is elementary.
        return delta(z + 1.0) + (z + 0.5) * libm::log1p(1.0 / z) - 1.0;
    }
    let s = 1.0 / (z * z);
    (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * (1.0 / 1680.0 - s * (1.0 / 1188.0 - s * 691.0 / 360_360.0))))) / z
}

/// `k ln(k/m) + m - k`, exact also where `k` is near `m`.
fn deviance(k: f64, m: f64) -> f64 {
    if m <= 0.0 {
        return f64::INFINITY;
    }
    let v = (k - m) / (k + m);
    if libm::fabs(v) >= 0.1 {
        return k * libm::log(k / m) + m - k;
    }
    // ln(k/m) = 2 (v + v³/3 + v⁵/5 …)
    let (mut sum, mut power) = ((k - m) * v, 2.0 * k * v);
    for odd in (3..40_u32).step_by(2) {
        power *= v * v;
        let next = sum + power / f64::from(odd);
        if next.to_bits() == sum.to_bits() {
            break;
        }
        sum = next;
    }
    sum
}

/// The chance of at least `k` successes in `n` trials that succeed with chance `p`.
///
/// ```
/// use deadletter::check::stats::at_least;
/// assert!((at_least(2, 3, 0.5) - 0.5).abs() < 1e-12);
/// ```
#[must_use]
pub fn at_least(k: u64, n: u64, p: f64) -> f64 {
    match k {
        0 => 1.0,
        k if k > n => 0.0,
        k => incomplete_beta(float(k), float(n - k) + 1.0, p),
    }
}

/// The chance of at most `k` successes in `n` trials that succeed with chance `p`.
#[must_use]
pub fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { incomplete_beta(float(n - k), float(k) + 1.0, 1.0 - p) }
}

/// The largest share with which so many successes or fewer still have a chance of `alpha`: the one-sided Clopper–Pearson bound.
/// For no successes it is `1 - alpha^(1/n)`, the rule of three: 0 of 200 proves a share below 1.5 % at 95 %.
///
/// ```
/// use deadletter::check::{Ratio, stats::upper_bound};
/// assert!(upper_bound(Ratio { part: 0, whole: 200 }, 0.05) < 0.015);
/// assert!(upper_bound(Ratio { part: 0, whole: 2000 }, 0.05) < 0.0015);
/// ```
#[must_use]
pub fn upper_bound(seen: Ratio, alpha: f64) -> f64 {
    if seen.part >= seen.whole {
        return 1.0;
    }
    if seen.part == 0 {
        return -libm::expm1(libm::log(alpha) / float(seen.whole));
    }
    crossing(|p| at_most(seen.part, seen.whole, p) < alpha)
}

/// The smallest share with which so many successes or more still have a chance of `alpha`.
#[must_use]
pub fn lower_bound(seen: Ratio, alpha: f64) -> f64 {
    if seen.part == 0 {
        return 0.0;
    }
    crossing(|p| at_least(seen.part, seen.whole, p) >= alpha)
}

/// Where a condition on a share begins to hold, by bisection down to neighbouring numbers.
fn crossing(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// The two-sided Clopper–Pearson interval: it contains the true share with a chance of at least `1 - alpha`.
#[must_use]
pub fn clopper_pearson(seen: Ratio, alpha: f64) -> Interval {
    Interval { low: lower_bound(seen, alpha / 2.0), high: upper_bound(seen, alpha / 2.0) }
}

/// Wilson's score interval: shorter than Clopper–Pearson's, and right on average only. The whole line when nothing was seen.
#[must_use]
pub fn wilson(seen: Ratio, alpha: f64) -> Interval {
    if seen.whole == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (n, z) = (float(seen.whole), normal_quantile(1.0 - alpha / 2.0));
    let p = float(seen.part) / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * libm::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n));
    Interval { low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
}

/// The quantile of the standard normal distribution, by bisection on `erfc`; absolute error below 10⁻¹⁴ for 0.0001 to 0.9999.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    let below = |z: f64| 0.5 * libm::erfc(z * core::f64::consts::FRAC_1_SQRT_2);
    // From 0 (a half) to 40 (nothing that a number can hold).
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if below(middle) > p { low = middle } else { high = middle }
    }
    -0.5 * (low + high)
}

/// What a scenario expects of the share of runs in which something happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// In at least this share.
    AtLeast(Ratio),
    /// In at most this share.
    AtMost(Ratio),
    /// In no run at all.
    Never,
}

/// What the runs so far say of an expected share.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is so.
    Holds,
    /// It is not so.
    Broken,
    /// More runs are needed.
    Undecided,
}

/// A sequential test of an expected share over a planned number of runs. It may stop at the first decision.
///
/// The chance that it decides wrongly is at most 5 %, however near the truth is to the bound. Half of that goes to the runs on the
/// way: the likelihood of what was seen, averaged over all shares above (below) the bound, over that at the bound itself is a
/// supermartingale with mean at most 1 when the truth is below (above) it, so it ever exceeds 40 with a chance of at most 2.5 %
/// (Ville's inequality). The other half goes to one exact Clopper–Pearson look when the planned runs are done. There is no zone of
/// indifference: near the bound it stays undecided, which is then the honest answer. Typical numbers of runs for `AtLeast(5 %)`: 8
/// when the truth is 40 %, 34 when it is 20 %, 105 when it is 0 %.
///
/// `Never` is broken by the first case and holds when all planned runs are done without one; what that proves is [`proved`].
///
/// [`proved`]: ShareTest::proved
///
/// ```
/// use deadletter::check::{Ratio, stats::{Decision, Share, ShareTest}};
/// let mut test = ShareTest::new(Share::AtLeast(Ratio { part: 5, whole: 100 }), 200);
/// let runs = (1..=200).find(|run| test.run(run % 2 == 0) != Decision::Undecided);
/// assert_eq!((runs, test.decision()), (Some(6), Decision::Holds));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ShareTest {
    expected: Share,
    planned: u64,
    seen: Ratio,
    decision: Decision,
}

/// The greatest chance of a wrong decision.
pub const ERROR: f64 = 0.05;

impl ShareTest {
    /// A test that has seen nothing of the runs that are planned.
    #[must_use]
    pub fn new(expected: Share, planned: u64) -> ShareTest {
        ShareTest { expected, planned, seen: Ratio::default(), decision: Decision::Undecided }
    }

    /// Takes in a run in which it happened, or not. Once decided, a decision stays.
    pub fn run(&mut self, happened: bool) -> Decision {
        self.seen.part += u64::from(happened);
        self.seen.whole += 1;
        if self.decision == Decision::Undecided {
            self.decision = self.decide();
        }
        self.decision
    }

    /// What the runs so far say.
    #[must_use]
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// In how many runs it happened, and out of how many.
    #[must_use]
    pub fn seen(&self) -> Ratio {
        self.seen
    }

    /// What the runs so far prove of the share at 95 %: an upper bound when nothing was seen, a lower one when it was always so, both
    /// (with half the error each) otherwise.
    #[must_use]
    pub fn proved(&self) -> Interval {
        match self.seen {
            Ratio { whole: 0, .. } => Interval { low: 0.0, high: 1.0 },
            Ratio { part: 0, .. } => Interval { low: 0.0, high: upper_bound(self.seen, ERROR) },
            Ratio { part, whole } if part == whole => Interval { low: lower_bound(self.seen, ERROR), high: 1.0 },
            seen => clopper_pearson(seen, ERROR),
        }
    }

    fn decide(&self) -> Decision {
        let (all, none) = (self.seen.part == self.seen.whole, self.seen.part == 0);
        match self.expected {
            Share::AtLeast(bound) if bound.part == 0 => Decision::Holds,
            Share::AtLeast(bound) if bound.part >= bound.whole => self.without_exception(all),
            Share::AtMost(bound) if bound.part >= bound.whole => Decision::Holds,
            Share::AtMost(bound) if bound.part == 0 => self.without_exception(none),
            Share::Never => self.without_exception(none),
            Share::AtLeast(bound) => self.against(bound, [Decision::Broken, Decision::Holds]),
            Share::AtMost(bound) => self.against(bound, [Decision::Holds, Decision::Broken]),
        }
    }

    fn without_exception(&self, so_far: bool) -> Decision {
        match (so_far, self.seen.whole >= self.planned) {
            (false, _) => Decision::Broken,
            (true, true) => Decision::Holds,
            (true, false) => Decision::Undecided,
        }
    }

    /// Decides on which side of a bound the share is.
    fn against(&self, bound: Ratio, [below, above]: [Decision; 2]) -> Decision {
        let p = float(bound.part) / float(bound.whole);
        let (a, b) = (float(self.seen.part) + 1.0, float(self.seen.whole - self.seen.part) + 1.0);
        let likelihood = log_power(a, b, p, 1.0 - p);
        // Averages of p^k q^(n-k) over the shares above and below the bound, over its value there.
        let evidence_above = libm::log(p) + libm::log(incomplete_beta(b, a, 1.0 - p)) - likelihood;
        let evidence_below = libm::log(1.0 - p) + libm::log(incomplete_beta(a, b, p)) - likelihood;
        let enough = -libm::log(ERROR / 2.0);
        let last = self.seen.whole == self.planned;
        if evidence_above >= enough || (last && lower_bound(self.seen, ERROR / 2.0) > p) {
            above
        } else if evidence_below >= enough || (last && upper_bound(self.seen, ERROR / 2.0) < p) {
            below
        } else {
            Decision::Undecided
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::tests::random::Dice;
    use statrs::function::beta::beta_reg;

    fn near(got: f64, exact: f64, relative: f64) {
        assert!(libm::fabs(got - exact) <= relative * libm::fabs(exact) + 1e-300, "{got} is not near {exact}");
    }

    #[test]
    fn the_incomplete_beta_function_is_accurate() {
        let mut dice = Dice(1);
        let mut share = |n: u64| float(1 + dice.below(n)) / float(n + 1);
        for i in 0..4_000 {
            let size = [2.0, 30.0, 1000.0][i % 3];
            let (a, b) = (size * share(999), size * share(999));
            // Around the mean, where it is neither 0 nor 1.
            let x = (a / (a + b) + (share(999) - 0.5) / libm::sqrt(size)).clamp(1e-6, 1.0 - 1e-6);
            let got = incomplete_beta(a, b, x);
            near(got, beta_reg(a, b, x), 1e-9);
            near(1.0 - got, incomplete_beta(b, a, 1.0 - x), 1e-11 / (1.0 - got).max(1e-11));
        }
    }

    #[test]
    fn tails_agree_with_exact_sums() {
        // By the ratio of neighbouring terms, from 1/2^n: exact enough to 1e-13.
        for (n, p) in [(10_u64, 0.5), (40, 0.3), (200, 0.05), (2000, 0.01), (2000, 0.6)] {
            let ratio = p / (1.0 - p);
            let mut term = libm::exp(float(n) * libm::log1p(-p));
            let (mut sum, mut below) = (0.0, Vec::new());
            for k in 0..=n {
                sum += term;
                below.push(sum);
                term *= float(n - k) / float(k + 1) * ratio;
            }
            for k in [0, 1, n / 100, n / 20, n / 3, n / 2].into_iter().filter(|k| below[usize::try_from(*k).expect("small")] > 1e-250) {
                near(at_most(k, n, p), below[usize::try_from(k).expect("small")], 1e-10);
            }
        }
        for (k, n) in [(10, 1_000_000), (30_000, 100_000), (999_990, 1_000_000)] {
            let p = float(k) / float(n) * 0.999;
            near(at_most(k, n, p) + at_least(k + 1, n, p), 1.0, 1e-10);
        }
        near(at_least(3, 3, 0.1), 0.001, 1e-12);
        near(at_least(1, 3, 0.1), 0.271, 1e-12);
        assert_eq!((at_least(0, 5, 0.2), at_least(6, 5, 0.2), at_most(5, 5, 0.2)), (1.0, 0.0, 1.0));
    }

    #[test]
    fn intervals_have_their_published_values() {
        let round = |i: Interval| (libm::round(i.low * 1e6) / 1e6, libm::round(i.high * 1e6) / 1e6);
        let seen = Ratio { part: 9990, whole: 10_000 };
        assert_eq!(round(wilson(seen, 0.05)), (0.998_160, 0.999_457));
        assert_eq!(round(clopper_pearson(seen, 0.05)), (0.998_162, 0.999_520));
        near(upper_bound(Ratio { part: 0, whole: 1000 }, 0.05), 0.002_991, 2e-4);
        near(normal_quantile(0.975), 1.959_963_984_540_054, 1e-14);
        near(normal_quantile(0.001), -3.090_232_306_167_813_5, 1e-13);
        assert_eq!(clopper_pearson(Ratio { part: 5, whole: 5 }, 0.05).high, 1.0);
        assert_eq!(wilson(Ratio::default(), 0.05), Interval { low: 0.0, high: 1.0 });
        near(lower_bound(Ratio { part: 5, whole: 5 }, 0.05), libm::pow(0.05, 0.2), 1e-12);
    }

    #[test]
    fn bounds_are_where_the_tail_has_its_chance() {
        for (part, whole) in [(1, 10), (3, 200), (50, 200), (199, 200)] {
            let seen = Ratio { part, whole };
            near(at_most(part, whole, upper_bound(seen, 0.025)), 0.025, 1e-9);
            near(at_least(part, whole, lower_bound(seen, 0.025)), 0.025, 1e-9);
        }
    }

    /// Of so many campaigns of 200 runs, how many hold, break and stay undecided; and how many runs those took that decided.
    fn campaigns(expected: Share, truth: f64, count: u64) -> ([u64; 3], u64) {
        let (mut outcomes, mut runs) = ([0; 3], 0);
        for seed in 0..count {
            let (mut dice, mut test) = (Dice(seed * 7919 + 1), ShareTest::new(expected, 200));
            while test.decision() == Decision::Undecided && test.seen().whole < 200 {
                test.run(float(dice.below(1 << 30)) < truth * float(1 << 30));
            }
            outcomes[test.decision() as usize] += 1;
            runs += if test.decision() == Decision::Undecided { 0 } else { test.seen().whole };
        }
        let decided = outcomes[0] + outcomes[1];
        (outcomes, runs.checked_div(decided).unwrap_or(0))
    }

    #[test]
    fn wrong_decisions_are_rare_at_the_bound_and_right_ones_quick_beyond() {
        for percent in [1, 5, 30] {
            let (bound, truth) = (Ratio { part: percent, whole: 100 }, float(percent) / 100.0);
            // Just beyond the bound on the wrong side: nothing is harder.
            let ([held, ..], _) = campaigns(Share::AtLeast(bound), truth - 1e-9, 400);
            let ([_, broke, _], _) = campaigns(Share::AtLeast(bound), truth, 400);
            let ([low, ..], _) = campaigns(Share::AtMost(bound), truth + 1e-9, 400);
            let ([_, high, _], _) = campaigns(Share::AtMost(bound), truth, 400);
            // 5 % of 400 is 20; more than 30 would be seen by chance once in a hundred times at 5 %.
            for wrong in [held, broke, low, high] {
                assert!(wrong <= 30, "{wrong} of 400 wrong at {percent} %");
            }
        }
        let bound = Ratio { part: 5, whole: 100 };
        let quick = [0.4, 0.2, 0.0].map(|truth| campaigns(Share::AtLeast(bound), truth, 200));
        assert_eq!(quick, [([200, 0, 0], 8), ([200, 0, 0], 34), ([0, 200, 0], 105)]);
    }

    #[test]
    fn never_is_broken_at_once_and_holds_as_planned() {
        let mut test = ShareTest::new(Share::Never, 200);
        for _ in 1..200 {
            assert_eq!(test.run(false), Decision::Undecided);
        }
        assert_eq!(test.run(false), Decision::Holds);
        assert!(test.proved().high < 0.015 && test.proved().low == 0.0);
        let mut test = ShareTest::new(Share::AtMost(Ratio { part: 0, whole: 100 }), 200);
        assert_eq!([test.run(false), test.run(true), test.run(false)], [Decision::Undecided, Decision::Broken, Decision::Broken]);
        let mut test = ShareTest::new(Share::AtLeast(Ratio { part: 1, whole: 1 }), 2);
        assert_eq!([test.run(true), test.run(true)], [Decision::Undecided, Decision::Holds]);
        assert_eq!(ShareTest::new(Share::AtLeast(Ratio { part: 0, whole: 1 }), 9).run(false), Decision::Holds);
    }
}
