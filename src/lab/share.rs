//! In how many runs something occurs: decided as soon as the runs so far decide it, with errors in at most one of twenty campaigns.
//!
//! A share is tested in two ways, and the budget for errors is split between them. After every run a sequential test looks (the
//! likelihood of what was seen under any share, uniformly mixed, against the bound's; Ville's inequality makes it safe to look as often as
//! one likes); it takes 1/10,000, so that it stops early only where the matter is plain. When all seeds have run, an exact
//! binomial test at the remaining 4.99 % decides: 0 of 200 proves less than 1.5 %, 0 of 2,000 less than 0.15 %.

use crate::run::Answer;
use crate::scenario::expect::{Bound, Comparison, Fraction};

/// The sequential test's share of errors.
const PEEKING: f64 = 1e-4;
/// The final test's share of errors; with the other one it makes 5 %.
const FINAL: f64 = 0.05 - PEEKING;

/// What is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claim {
    /// About the share of all runs there could be: one can be wrong about it.
    Share(Bound<Fraction>),
    /// About the number of the runs there are: one only has to count.
    Count(Bound<u64>),
}

/// Runs in which it occurred, out of those that could tell.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    claim: Claim,
    /// How many runs the scenario wants; a smaller budget proves less.
    planned: u64,
    yes: u64,
    runs: u64,
    /// The sequential test's answer, once it has one.
    early: Option<Answer>,
}

impl Shares {
    pub(super) const fn new(claim: Claim, planned: u64) -> Shares {
        Shares { claim, planned, yes: 0, runs: 0, early: None }
    }

    /// One more run that could tell.
    pub(super) fn add(&mut self, occurred: bool) {
        self.runs += 1;
        self.yes += u64::from(occurred);
        if self.early.is_none() {
            self.early = match self.claim {
                Claim::Share(bound) => self.peek(bound),
                Claim::Count(bound) => counted(bound, self.yes),
            };
        }
    }

    pub(super) const fn is_decided(&self) -> bool {
        self.early.is_some()
    }

    /// The answer, and what it rests on.
    pub(super) fn finish(&self) -> (Answer, String) {
        let (yes, runs) = (self.yes, self.runs);
        if runs == 0 {
            return (Answer::Unknown, "no run could tell".to_owned());
        }
        match self.claim {
            Claim::Share(bound) => {
                let answer = self.early.unwrap_or_else(|| self.exact(bound));
                let early = if self.early.is_some() && runs < self.planned { ", decided early" } else { "" };
                let short = if answer == Answer::Unknown { ": too few runs to decide" } else { "" };
                (answer, format!("in {yes} of {runs} runs ({}){early}{short}", proved(yes, runs)))
            }
            Claim::Count(bound) => {
                let met = bound.keeps(&yes);
                let more_could_help = runs < self.planned && matches!(bound.how, Comparison::AtLeast | Comparison::Above | Comparison::Exactly);
                let answer = match (self.early, met) {
                    (Some(early), _) => early,
                    (None, true) => Answer::Holds,
                    (None, false) if more_could_help => Answer::Unknown,
                    (None, false) => Answer::Broken,
                };
                (answer, format!("in {yes} of {runs} runs"))
            }
        }
    }

    /// The sequential test: the answer, if the bound itself is out of the question.
    fn peek(&self, bound: Bound<Fraction>) -> Option<Answer> {
        let (yes, no) = (self.yes as f64, (self.runs - self.yes) as f64);
        let at = bound.value.as_f64();
        // A share of nothing or of all is refuted by a single run, and never proved.
        let against = if (at == 0.0 && yes > 0.0) || (at == 1.0 && no > 0.0) {
            f64::INFINITY
        } else {
            let mixed = libm::lgamma(yes + 1.0) + libm::lgamma(no + 1.0) - libm::lgamma(yes + no + 2.0);
            mixed - times_log(yes, at) - times_log(no, 1.0 - at)
        };
        (against >= -libm::log(PEEKING)).then(|| self.side(bound))
    }

    /// The answer, if the bound is not the true share: the true share lies on the side of what was seen.
    fn side(&self, bound: Bound<Fraction>) -> Answer {
        match bound.keeps_ratio(self.yes, self.runs) {
            Some(true) => Answer::Holds,
            Some(false) | None => Answer::Broken,
        }
    }

    /// The final test: one-sided, exact.
    fn exact(&self, bound: Bound<Fraction>) -> Answer {
        let at = bound.value.as_f64();
        let (at_most, at_least) = tails(self.yes, self.runs, at);
        // Certain bounds need no proof: no share is below nothing or above all.
        let above = at_least <= FINAL || (at == 0.0 && bound.how == Comparison::AtLeast);
        let below = at_most <= FINAL || (at == 1.0 && bound.how == Comparison::AtMost);
        match bound.how {
            Comparison::AtLeast | Comparison::Above if above => Answer::Holds,
            Comparison::AtLeast | Comparison::Above if below => Answer::Broken,
            Comparison::AtMost | Comparison::Below if below => Answer::Holds,
            Comparison::AtMost | Comparison::Below if above => Answer::Broken,
            // That a share is exactly so much can be refuted, not proved, unless it is nothing or all and every run agrees.
            Comparison::Exactly if above || below => Answer::Broken,
            Comparison::Exactly if (at == 0.0 && self.yes == 0) || (at == 1.0 && self.yes == self.runs) => Answer::Holds,
            Comparison::AtLeast | Comparison::Above | Comparison::AtMost | Comparison::Below | Comparison::Exactly => Answer::Unknown,
        }
    }
}

/// A count that no further run can change the answer of.
const fn counted(bound: Bound<u64>, yes: u64) -> Option<Answer> {
    match bound.how {
        Comparison::AtLeast if yes >= bound.value => Some(Answer::Holds),
        Comparison::Above if yes > bound.value => Some(Answer::Holds),
        Comparison::AtMost | Comparison::Exactly if yes > bound.value => Some(Answer::Broken),
        Comparison::Below if yes >= bound.value => Some(Answer::Broken),
        Comparison::AtLeast | Comparison::Above | Comparison::AtMost | Comparison::Below | Comparison::Exactly => None,
    }
}

/// `n log(p)`, which is nothing for no events, however unlikely.
fn times_log(n: f64, p: f64) -> f64 {
    if n == 0.0 { 0.0 } else { n * libm::log(p) }
}

/// How likely at most, and at least, so many of `runs` are when each has the chance `p`.
fn tails(yes: u64, runs: u64, p: f64) -> (f64, f64) {
    if p <= 0.0 {
        return (1.0, if yes == 0 { 1.0 } else { 0.0 });
    }
    if p >= 1.0 {
        return (if yes == runs { 1.0 } else { 0.0 }, 1.0);
    }
    let (n, whole) = (runs as f64, libm::lgamma(runs as f64 + 1.0));
    let point = |k: u64| {
        let k = k as f64;
        let ways = whole - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        libm::exp(ways + times_log(k, p) + times_log(n - k, 1.0 - p))
    };
    let below: f64 = (0..=yes).map(point).sum();
    let above: f64 = (yes..=runs).map(point).sum();
    (below.min(1.0), above.min(1.0))
}

/// What was proved, in words: a bound where all runs agree, else Wilson's interval at 95 %.
fn proved(yes: u64, runs: u64) -> String {
    let n = runs as f64;
    // The share at which seeing none (or all) has a chance of 5 %.
    let bound = 100.0 * (1.0 - libm::exp(libm::log(0.05) / n));
    if yes == 0 {
        return format!("proves < {} % at 95 %", up(bound));
    }
    if yes == runs {
        return format!("proves > {} % at 95 %", up(100.0 - bound));
    }
    let (z, share) = (1.959_963_984_540_054, yes as f64 / n);
    let middle = (share + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * libm::sqrt(share * (1.0 - share) / n + z * z / (4.0 * n * n));
    format!("{:.1} %, 95 % interval {:.1}–{:.1} %", 100.0 * share, 100.0 * (middle - half), 100.0 * (middle + half))
}

/// Two significant digits.
fn up(percent: f64) -> String {
    if percent >= 10.0 {
        format!("{percent:.0}")
    } else if percent >= 1.0 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.2}")
    }
}

#[cfg(test)]
mod tests {
    use statrs::distribution::{Binomial, DiscreteCDF};

    use super::*;
    use crate::base::{Chance, Stream, Words};

    fn share(how: Comparison, value: &str) -> Claim {
        Claim::Share(Bound { how, value: Fraction::parse(value).expect("a share") })
    }

    #[track_caller]
    fn check(claim: Claim, (yes, runs): (u64, u64), answer: Answer, detail: &str) {
        let mut shares = Shares::new(claim, runs);
        // The hits spread over the runs.
        (0..runs).for_each(|n| shares.add((n + 1) * yes / runs > n * yes / runs));
        assert_eq!(shares.finish(), (answer, detail.to_owned()));
    }

    #[test]
    fn what_so_many_runs_prove() {
        use Comparison::{Above, AtLeast, AtMost, Below, Exactly};
        check(share(Below, "1.5%"), (0, 200), Answer::Holds, "in 0 of 200 runs (proves < 1.5 % at 95 %)");
        check(share(Below, "1.4%"), (0, 200), Answer::Unknown, "in 0 of 200 runs (proves < 1.5 % at 95 %): too few runs to decide");
        check(share(Below, "0.15%"), (0, 2_000), Answer::Holds, "in 0 of 2000 runs (proves < 0.15 % at 95 %)");
        check(share(AtLeast, "5%"), (37, 200), Answer::Holds, "in 37 of 200 runs (18.5 %, 95 % interval 13.7–24.5 %)");
        check(share(AtMost, "15%"), (37, 200), Answer::Unknown, "in 37 of 200 runs (18.5 %, 95 % interval 13.7–24.5 %): too few runs to decide");
        check(share(AtLeast, "50%"), (12, 12), Answer::Holds, "in 12 of 12 runs (proves > 78 % at 95 %)");
        check(share(AtLeast, "30%"), (37, 200), Answer::Broken, "in 37 of 200 runs (18.5 %, 95 % interval 13.7–24.5 %)");
        check(share(Exactly, "0%"), (0, 10), Answer::Holds, "in 0 of 10 runs (proves < 26 % at 95 %)");
        check(share(Exactly, "100%"), (9, 10), Answer::Broken, "in 9 of 10 runs (90.0 %, 95 % interval 59.6–98.2 %)");
        check(share(Above, "0%"), (1, 10), Answer::Holds, "in 1 of 10 runs (10.0 %, 95 % interval 1.8–40.4 %)");
        check(share(AtLeast, "0%"), (0, 10), Answer::Holds, "in 0 of 10 runs (proves < 26 % at 95 %)");
    }

    #[test]
    fn counts_are_only_counted() {
        let count = |how, value| Claim::Count(Bound { how, value });
        check(count(Comparison::AtLeast, 3), (3, 10), Answer::Holds, "in 3 of 10 runs");
        check(count(Comparison::AtLeast, 4), (3, 10), Answer::Broken, "in 3 of 10 runs");
        check(count(Comparison::AtMost, 3), (4, 10), Answer::Broken, "in 4 of 10 runs");
        check(count(Comparison::Exactly, 0), (0, 10), Answer::Holds, "in 0 of 10 runs");
        let mut cut_short = Shares::new(count(Comparison::AtLeast, 4), 200);
        (0..12).for_each(|_| cut_short.add(false));
        assert_eq!(cut_short.finish().0, Answer::Unknown);
        assert_eq!(Shares::new(count(Comparison::AtLeast, 4), 9).finish().0, Answer::Unknown);
    }

    #[test]
    fn plain_matters_are_decided_early() {
        let mut shares = Shares::new(share(Comparison::AtLeast, "5%"), 200);
        let needed = (1..=200u32).find(|_| {
            shares.add(true);
            shares.is_decided()
        });
        assert_eq!(needed, Some(4));
        assert_eq!(shares.finish(), (Answer::Holds, "in 4 of 4 runs (proves > 47 % at 95 %), decided early".to_owned()));
    }

    #[test]
    fn tails_are_those_of_the_binomial_distribution() {
        for (yes, runs, p) in [(0, 200, 0.015), (37, 200, 0.05), (3, 7, 0.5), (1_990, 2_000, 0.999), (7, 7, 0.3)] {
            let oracle = Binomial::new(p, runs).expect("a distribution");
            let (below, above) = tails(yes, runs, p);
            assert!((below - oracle.cdf(yes)).abs() < 1e-9, "{yes} of {runs} at {p}: {below} {}", oracle.cdf(yes));
            let more = if yes == 0 { 1.0 } else { oracle.sf(yes - 1) };
            assert!((above - more).abs() < 1e-9, "{yes} of {runs} at {p}: {above} {more}");
        }
    }

    /// At the very bound, where it is hardest, a wrong answer comes in at most one of twenty campaigns.
    #[test]
    fn errors_stay_within_their_budget() {
        let mut words = Stream::named(7, "share", 0);
        let at: Chance = "5%".parse().expect("a chance");
        let mut wrong = 0;
        for _ in 0..2_000 {
            let mut shares = Shares::new(share(Comparison::Above, "5%"), 100);
            (0..100).for_each(|_| shares.add(words.hits(at)));
            wrong += u32::from(shares.finish().0 == Answer::Holds);
        }
        // 5 % of 2,000 is 100, with a standard deviation below 10; an exact test stays below its level.
        assert!((10..130).contains(&wrong), "{wrong} of 2000 campaigns were wrong");
    }
}
