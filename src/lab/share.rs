//! In how many runs something occurs: a share is tested run by run and stops when it is decided; a number of runs is counted.

use crate::check::Ratio;
use crate::check::stats::{Decision, ERROR, Interval, Share, ShareTest, lower_bound, upper_bound};
use crate::run::Answer;
use crate::scenario::expect::{Bound, Comparison, Fraction};

/// What is claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Claim {
    /// About the share of all runs there could be: one can be wrong about it.
    Share(Bound<Fraction>),
    /// About the number of the runs there are: one only has to count.
    Count(Bound<u64>),
}

/// How many runs there are to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Planned {
    /// In the file.
    pub(super) written: u64,
    /// With the budget at hand.
    pub(super) now: u64,
}

/// Runs in which it occurred, out of those that could tell.
#[derive(Clone, Debug)]
pub(super) struct Shares {
    claim: Claim,
    planned: Planned,
    /// Whether the share is at least, and at most, the bound.
    tests: [ShareTest; 2],
    seen: Ratio,
    early: Option<Answer>,
}

impl Shares {
    pub(super) fn new(claim: Claim, planned: Planned) -> Shares {
        let bound = match claim {
            Claim::Share(bound) => {
                let (part, whole) = bound.value.parts();
                Ratio { part, whole }
            }
            Claim::Count(_) => Ratio { part: 1, whole: 2 },
        };
        let test = |expected| ShareTest::new(expected, planned.now);
        let tests = [test(Share::AtLeast(bound)), test(Share::AtMost(bound))];
        Shares { claim, planned, tests, seen: Ratio::default(), early: None }
    }

    /// One more run that could tell.
    pub(super) fn add(&mut self, occurred: bool) {
        self.seen.part += u64::from(occurred);
        self.seen.whole += 1;
        let [least, most] = self.tests.each_mut().map(|test| test.run(occurred));
        if self.early.is_none() {
            self.early = match self.claim {
                Claim::Share(bound) => share(bound, (least, most), self.seen),
                Claim::Count(bound) => counted(bound, self.seen.part),
            };
        }
    }

    pub(super) const fn is_decided(&self) -> bool {
        self.early.is_some()
    }

    /// The answer, and what it rests on.
    pub(super) fn finish(&self) -> (Answer, String) {
        let Ratio { part: yes, whole: runs } = self.seen;
        if runs == 0 {
            return (Answer::Unknown, "no run could tell".to_owned());
        }
        match self.claim {
            Claim::Share(bound) => {
                let answer = self.early.or_else(|| share(bound, self.last_look(bound), self.seen)).unwrap_or(Answer::Unknown);
                let early = if self.early.is_some() && runs < self.planned.now { ", decided early" } else { "" };
                let short = if answer == Answer::Unknown { ": too few runs to decide" } else { "" };
                (answer, format!("in {yes} of {runs} runs ({}){early}{short}", proved(self.seen, self.tests[0].proved())))
            }
            Claim::Count(bound) => {
                let more_could_help =
                    runs < self.planned.written && matches!(bound.how, Comparison::AtLeast | Comparison::Above | Comparison::Exactly);
                let answer = match (self.early, bound.keeps(&yes)) {
                    (Some(early), _) => early,
                    (None, true) => Answer::Holds,
                    (None, false) if more_could_help => Answer::Unknown,
                    (None, false) => Answer::Broken,
                };
                (answer, format!("in {yes} of {runs} runs"))
            }
        }
    }

    /// The exact look that the tests take after the planned number of runs; some runs could not tell, so it was not reached.
    fn last_look(&self, bound: Bound<Fraction>) -> (Decision, Decision) {
        let p = bound.value.as_f64();
        let (above, below) = (lower_bound(self.seen, ERROR / 2.0) > p, upper_bound(self.seen, ERROR / 2.0) < p);
        match (above, below) {
            (true, _) => (Decision::Holds, Decision::Broken),
            (false, true) => (Decision::Broken, Decision::Holds),
            (false, false) => (Decision::Undecided, Decision::Undecided),
        }
    }
}

/// What the tests for "at least" and "at most" say of a claim.
fn share(bound: Bound<Fraction>, (least, most): (Decision, Decision), seen: Ratio) -> Option<Answer> {
    let (part, whole) = bound.value.parts();
    let says = |decision| match decision {
        Decision::Holds => Some(Answer::Holds),
        Decision::Broken => Some(Answer::Broken),
        Decision::Undecided => None,
    };
    match bound.how {
        // More than nothing is proved by a single case, less than all by a single exception; neither is ever refuted.
        Comparison::Above if part == 0 => (seen.part > 0).then_some(Answer::Holds),
        Comparison::Below if part == whole => (seen.part < seen.whole).then_some(Answer::Holds),
        // More than all and less than nothing are not shares.
        Comparison::Above if part == whole => Some(Answer::Broken),
        Comparison::Below if part == 0 => Some(Answer::Broken),
        Comparison::AtLeast | Comparison::Above => says(least),
        Comparison::AtMost | Comparison::Below => says(most),
        Comparison::Exactly if part == 0 => says(most),
        Comparison::Exactly if part == whole => says(least),
        // That a share is exactly so much can be refuted, never proved.
        Comparison::Exactly => (least == Decision::Broken || most == Decision::Broken).then_some(Answer::Broken),
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

/// What was proved, in words: a bound where all runs agree, else an interval.
fn proved(seen: Ratio, Interval { low, high }: Interval) -> String {
    let (low, high) = (100.0 * low, 100.0 * high);
    if seen.part == 0 {
        format!("proves < {} % at 95 %", digits(high))
    } else if seen.part == seen.whole {
        format!("proves > {} % at 95 %", digits(low))
    } else {
        format!("{:.1} %, 95 % interval {low:.1}–{high:.1} %", 100.0 * seen.value().unwrap_or_default())
    }
}

/// Two significant digits.
fn digits(percent: f64) -> String {
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
    use super::*;

    fn share(how: Comparison, value: &str) -> Claim {
        Claim::Share(Bound { how, value: Fraction::parse(value).expect("a share") })
    }

    fn all(runs: u64) -> Planned {
        Planned { written: runs, now: runs }
    }

    #[track_caller]
    fn check(claim: Claim, (yes, runs): (u64, u64), answer: Answer, detail: &str) {
        let mut shares = Shares::new(claim, all(runs));
        // The hits spread over the runs.
        (0..runs).for_each(|n| shares.add((n + 1) * yes / runs > n * yes / runs));
        assert_eq!(shares.finish(), (answer, detail.to_owned()));
    }

    #[test]
    fn what_so_many_runs_prove() {
        use Comparison::{Above, AtLeast, AtMost, Below, Exactly};
        check(share(Below, "1.9%"), (0, 200), Answer::Holds, "in 0 of 200 runs (proves < 1.5 % at 95 %)");
        check(share(Below, "1.4%"), (0, 200), Answer::Unknown, "in 0 of 200 runs (proves < 1.5 % at 95 %): too few runs to decide");
        check(share(Below, "0.19%"), (0, 2_000), Answer::Holds, "in 0 of 2000 runs (proves < 0.15 % at 95 %)");
        check(share(AtLeast, "5%"), (37, 200), Answer::Holds, "in 37 of 200 runs (18.5 %, 95 % interval 13.4–24.6 %)");
        check(
            share(AtMost, "15%"),
            (37, 200),
            Answer::Unknown,
            "in 37 of 200 runs (18.5 %, 95 % interval 13.4–24.6 %): too few runs to decide",
        );
        check(share(AtLeast, "50%"), (12, 12), Answer::Holds, "in 12 of 12 runs (proves > 78 % at 95 %)");
        check(share(AtLeast, "30%"), (37, 200), Answer::Broken, "in 37 of 200 runs (18.5 %, 95 % interval 13.4–24.6 %)");
        check(share(Exactly, "0%"), (0, 10), Answer::Holds, "in 0 of 10 runs (proves < 26 % at 95 %)");
        check(share(Exactly, "100%"), (9, 10), Answer::Broken, "in 9 of 10 runs (90.0 %, 95 % interval 55.5–99.7 %)");
        check(
            share(Exactly, "50%"),
            (5, 10),
            Answer::Unknown,
            "in 5 of 10 runs (50.0 %, 95 % interval 18.7–81.3 %): too few runs to decide",
        );
        check(share(Above, "0%"), (1, 10), Answer::Holds, "in 1 of 10 runs (10.0 %, 95 % interval 0.3–44.5 %)");
        check(share(Above, "0%"), (0, 10), Answer::Unknown, "in 0 of 10 runs (proves < 26 % at 95 %): too few runs to decide");
        check(share(AtLeast, "0%"), (0, 10), Answer::Holds, "in 0 of 10 runs (proves < 26 % at 95 %)");
    }

    #[test]
    fn counts_are_only_counted() {
        let count = |how, value| Claim::Count(Bound { how, value });
        check(count(Comparison::AtLeast, 3), (3, 10), Answer::Holds, "in 3 of 10 runs");
        check(count(Comparison::AtLeast, 4), (3, 10), Answer::Broken, "in 3 of 10 runs");
        check(count(Comparison::AtMost, 3), (4, 10), Answer::Broken, "in 4 of 10 runs");
        check(count(Comparison::Exactly, 0), (0, 10), Answer::Holds, "in 0 of 10 runs");
        let mut cut_short = Shares::new(count(Comparison::AtLeast, 4), Planned { written: 200, now: 12 });
        (0..12).for_each(|_| cut_short.add(false));
        assert_eq!(cut_short.finish().0, Answer::Unknown);
        assert_eq!(Shares::new(count(Comparison::AtLeast, 4), all(9)).finish().0, Answer::Unknown);
    }

    #[test]
    fn plain_matters_are_decided_early() {
        let mut shares = Shares::new(share(Comparison::AtLeast, "5%"), all(200));
        let needed = (1..=200u32).find(|_| {
            shares.add(true);
            shares.is_decided()
        });
        assert_eq!(needed, Some(2));
        assert_eq!(shares.finish(), (Answer::Holds, "in 2 of 2 runs (proves > 22 % at 95 %), decided early".to_owned()));
    }

    /// Runs that could not tell do not count, and the last look comes all the same.
    #[test]
    fn blind_runs_do_not_keep_it_open() {
        let mut shares = Shares::new(share(Comparison::AtMost, "25%"), all(40));
        (0..15).for_each(|_| shares.add(false));
        assert_eq!(shares.finish(), (Answer::Holds, "in 0 of 15 runs (proves < 18 % at 95 %)".to_owned()));
    }
}
