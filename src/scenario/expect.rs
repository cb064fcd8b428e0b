//! What a scenario expects of its runs: closed sets of claims, compared exactly.

use std::fmt;

use crate::base::{Span, value};
use crate::check::Property;
use crate::load::Rate;
use crate::record::Mark;

/// All that is expected of the runs of an arm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expectations {
    /// Each claim, in the order of the report.
    pub claims: Vec<Expectation>,
    /// What becomes of promises that no claim is about.
    pub violations: Violations,
}

/// What becomes of promised properties that no claim is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Violations {
    /// Each is expected to hold in every run.
    None,
    /// They may break.
    Any,
}

/// One claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expectation {
    /// Every run keeps the property.
    Always(Property),
    /// Some run breaks the property; no breach of it counts against the arm.
    Broken(Property),
    /// Some run reaches it; if none does, nothing is proved.
    Sometimes(Event),
    /// No run reaches it.
    Never(Event),
    /// In every run this share of the operations of chaos and heal ends well.
    SuccessRatio(Bound<Fraction>),
    /// In every run so many operations a second are acknowledged in chaos and heal.
    Throughput(Bound<Rate>),
    /// In every run.
    Latency {
        /// From the invocation to what.
        of: LatencyOf,
        /// Which quantile.
        at: Quantile,
        /// How long.
        bound: Bound<Span>,
    },
    /// In so large a share of runs.
    Share {
        /// What occurs.
        event: Event,
        /// The share of runs.
        bound: Bound<Fraction>,
    },
    /// In so many runs.
    Count {
        /// What occurs.
        event: Event,
        /// The number of runs.
        bound: Bound<u64>,
    },
    /// In every run, so soon after healing.
    Eventually {
        /// What holds from then on.
        property: Property,
        /// How long after the beginning of the heal phase.
        within: Span,
    },
    /// What becomes of a declared fault.
    Fault {
        /// Its name.
        name: String,
        /// What becomes of it.
        fate: FaultFate,
    },
}

/// Something that occurs in a run or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A property is broken.
    Breach(Property),
    /// A rare path of the model is taken.
    Mark(Mark),
}

impl Event {
    /// The name in a file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Event::Breach(property) => property.breach(),
            Event::Mark(mark) => mark,
        }
    }
}

/// What a latency is measured to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LatencyOf {
    /// The acknowledgement.
    Ack,
    /// The first arrival.
    Delivery,
    /// The first effect.
    Effect,
}

/// Which point of a distribution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Quantile {
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 99th percentile.
    P99,
    /// 99.9th percentile.
    P999,
    /// The longest.
    Max,
}

impl LatencyOf {
    /// All of them with their names.
    pub const ALL: [(LatencyOf, &'static str); 3] =
        [(LatencyOf::Ack, "ack"), (LatencyOf::Delivery, "delivery"), (LatencyOf::Effect, "effect")];
}

impl Quantile {
    /// All of them with their names.
    pub const ALL: [(Quantile, &'static str); 5] =
        [(Quantile::P50, "p50"), (Quantile::P90, "p90"), (Quantile::P99, "p99"), (Quantile::P999, "p999"), (Quantile::Max, "max")];
}

/// The key of a latency in a file: `ack_p99`.
#[must_use]
pub fn latency_key(of: LatencyOf, at: Quantile) -> String {
    let of = LatencyOf::ALL.iter().find(|(one, _)| *one == of).map_or("", |(_, name)| name);
    let at = Quantile::ALL.iter().find(|(one, _)| *one == at).map_or("", |(_, name)| name);
    format!("{of}_{at}")
}

/// What becomes of a declared fault, over all runs of an arm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultFate {
    /// It strikes in some run.
    Fired,
    /// It touches something in some run; if not, what it was to show is unknown.
    Touched,
    /// It touches nothing in any run.
    Untouched,
}

impl FaultFate {
    /// All of them with their names.
    pub const ALL: [(FaultFate, &'static str); 3] =
        [(FaultFate::Fired, "fired"), (FaultFate::Touched, "touched"), (FaultFate::Untouched, "untouched")];

    /// The word in a file.
    #[must_use]
    pub fn name(self) -> &'static str {
        FaultFate::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }
}

/// How a figure is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `<`
    Below,
    /// `=`
    Exactly,
}

impl Comparison {
    /// All of them with their signs; longer signs come before those they begin with.
    pub const ALL: [(Comparison, &'static str); 5] = [
        (Comparison::AtLeast, ">="),
        (Comparison::AtMost, "<="),
        (Comparison::Above, ">"),
        (Comparison::Below, "<"),
        (Comparison::Exactly, "="),
    ];

    /// The sign.
    #[must_use]
    pub fn sign(self) -> &'static str {
        Comparison::ALL.iter().find(|(one, _)| *one == self).map_or("", |(_, sign)| sign)
    }

    /// Whether a figure that stands in this order to the bound keeps it.
    #[must_use]
    pub const fn keeps(self, order: std::cmp::Ordering) -> bool {
        match self {
            Comparison::AtLeast => order.is_ge(),
            Comparison::AtMost => order.is_le(),
            Comparison::Above => order.is_gt(),
            Comparison::Below => order.is_lt(),
            Comparison::Exactly => order.is_eq(),
        }
    }
}

/// A comparison with a value.
///
/// ```
/// use deadletter::base::Span;
/// use deadletter::scenario::expect::{Bound, Comparison};
/// let bound = Bound { how: Comparison::AtMost, value: Span::millis(50) };
/// assert!(bound.keeps(&Span::millis(50)) && !bound.keeps(&Span::millis(51)));
/// assert_eq!(bound.to_string(), "<= 50ms");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound<T> {
    /// How the figure stands to the value.
    pub how: Comparison,
    /// The value.
    pub value: T,
}

impl<T: Ord> Bound<T> {
    /// Whether a figure keeps the bound.
    #[must_use]
    pub fn keeps(&self, figure: &T) -> bool {
        self.how.keeps(figure.cmp(&self.value))
    }
}

impl Bound<Fraction> {
    /// Whether `part` out of `whole` keeps the bound, exactly; `None` when there is nothing to divide.
    ///
    /// ```
    /// use deadletter::scenario::expect::{Bound, Comparison, Fraction};
    /// let bound = Bound { how: Comparison::AtLeast, value: Fraction::parse("60%").unwrap() };
    /// assert_eq!(bound.keeps_ratio(60, 100), Some(true));
    /// assert_eq!(bound.keeps_ratio(59_999, 100_000), Some(false));
    /// assert_eq!(bound.keeps_ratio(0, 0), None);
    /// ```
    #[must_use]
    pub fn keeps_ratio(&self, part: u64, whole: u64) -> Option<bool> {
        let ours = u128::from(part) * u128::from(self.value.bottom);
        let theirs = u128::from(self.value.top) * u128::from(whole);
        (whole > 0).then(|| self.how.keeps(ours.cmp(&theirs)))
    }
}

impl Bound<Rate> {
    /// Whether `count` events in a span keep the bound, exactly; `None` when no time passed.
    #[must_use]
    pub fn keeps_rate(&self, count: u64, over: Span) -> Option<bool> {
        let ours = u128::from(count) * u128::from(self.value.per().as_nanos());
        let theirs = u128::from(self.value.count()) * u128::from(over.as_nanos());
        (!over.is_zero()).then(|| self.how.keeps(ours.cmp(&theirs)))
    }
}

impl<T: fmt::Display> fmt::Display for Bound<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.how.sign(), self.value)
    }
}

/// A share from nothing to all, exactly, in lowest terms. (A [`crate::base::Chance`] is rounded to 2⁻³².)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fraction {
    top: u64,
    bottom: u64,
}

impl Fraction {
    /// Reads `90%`, `0.9` or `9/10`.
    ///
    /// # Errors
    /// What is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Fraction, String> {
        use crate::base::number::decimal;
        const OVER: u64 = 1_000_000_000;
        let text = text.trim();
        let nonsense = || format!("`{text}` is not a share; write `90%`, `0.9` or `9/10`");
        let whole = |text: &str, scale: u64| decimal(text.trim(), u128::from(scale)).and_then(|wide| u64::try_from(wide).ok());
        let (top, bottom) = if let Some((top, bottom)) = text.split_once('/') {
            (whole(top, 1), whole(bottom, 1))
        } else if let Some(percent) = text.strip_suffix('%') {
            (whole(percent, OVER), Some(100 * OVER))
        } else {
            (whole(text, OVER), Some(OVER))
        };
        let (Some(top), Some(bottom)) = (top, bottom.filter(|bottom| *bottom > 0)) else {
            return Err(nonsense());
        };
        if top > bottom {
            return Err(format!("`{text}` is more than all"));
        }
        let (mut a, mut b) = (top, bottom);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        Ok(Fraction { top: top / a, bottom: bottom / a })
    }

    /// `part` of `whole`.
    #[must_use]
    pub const fn parts(self) -> (u64, u64) {
        (self.top, self.bottom)
    }

    /// For statistics and reports only.
    #[must_use]
    #[expect(
        clippy::float_arithmetic,
        clippy::cast_precision_loss,
        reason = "a figure for statistics; exact comparisons use `keeps_ratio`"
    )]
    pub fn as_f64(self) -> f64 {
        self.top as f64 / self.bottom as f64
    }
}

impl fmt::Display for Fraction {
    /// As a percentage where that is exact, else as a fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const OVER: u128 = 1_000_000_000;
        let wide = u128::from(self.top) * 100 * OVER;
        if !wide.is_multiple_of(u128::from(self.bottom)) {
            return write!(f, "{}/{}", self.top, self.bottom);
        }
        let parts = wide / u128::from(self.bottom);
        let digits = format!("{:09}", parts % OVER);
        let digits = digits.trim_end_matches('0');
        let point = if digits.is_empty() { "" } else { "." };
        write!(f, "{}{point}{digits}%", parts / OVER)
    }
}

impl fmt::Display for Expectation {
    /// As a line of the report: `always acked_survives`, `share acked_lost >= 5% of runs`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expectation::Always(property) => write!(f, "always {property}"),
            Expectation::Broken(property) => write!(f, "broken {property}"),
            Expectation::Sometimes(event) => write!(f, "sometimes {}", event.name()),
            Expectation::Never(event) => write!(f, "never {}", event.name()),
            Expectation::SuccessRatio(bound) => write!(f, "success_ratio {bound}"),
            Expectation::Throughput(bound) => write!(f, "throughput {bound}"),
            Expectation::Latency { of, at, bound } => write!(f, "{} {bound}", latency_key(*of, *at)),
            Expectation::Share { event, bound } => write!(f, "share {} {bound} of runs", event.name()),
            Expectation::Count { event, bound } => write!(f, "count {} {bound} runs", event.name()),
            Expectation::Eventually { property, within } => write!(f, "eventually {property} {within} after heal"),
            Expectation::Fault { name, fate } => write!(f, "fault {} {}", value::quoted(name), fate.name()),
        }
    }
}

impl Expectations {
    /// Whether a breach of a property counts against the arm: some claim says so, or it is promised and no claim is about it.
    /// Claims that count breaches (`broken`, `sometimes`, `share`, `count`) say that breaches are expected.
    #[must_use]
    pub fn forbids(&self, property: Property, promised: bool) -> bool {
        let breach = Event::Breach(property);
        let mut spoken_of = false;
        for claim in &self.claims {
            match claim {
                Expectation::Always(one) | Expectation::Eventually { property: one, .. } if *one == property => return true,
                Expectation::Never(event) if *event == breach => return true,
                Expectation::Broken(one) if *one == property => spoken_of = true,
                Expectation::Sometimes(event) | Expectation::Share { event, .. } | Expectation::Count { event, .. } if *event == breach => {
                    spoken_of = true;
                }
                Expectation::Always(_)
                | Expectation::Broken(_)
                | Expectation::Sometimes(_)
                | Expectation::Never(_)
                | Expectation::SuccessRatio(_)
                | Expectation::Throughput(_)
                | Expectation::Latency { .. }
                | Expectation::Share { .. }
                | Expectation::Count { .. }
                | Expectation::Eventually { .. }
                | Expectation::Fault { .. } => {}
            }
        }
        promised && !spoken_of && self.violations == Violations::None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn fractions_print_and_read_the_same(a in 0u64..=1_000_000, b in 1u64..=1_000_000) {
            let fraction = Fraction::parse(&format!("{}/{}", a.min(b), b)).unwrap();
            prop_assert_eq!(Fraction::parse(&fraction.to_string()), Ok(fraction));
        }
    }

    #[test]
    fn breaches_count_against_the_arm_unless_they_are_expected() {
        use Property::{AckedSurvives, NoDuplicateEffect, OrderPerKey};
        let share = Expectation::Share {
            event: Event::Breach(AckedSurvives),
            bound: Bound { how: Comparison::AtLeast, value: Fraction::parse("5%").unwrap() },
        };
        let mut expectations = Expectations { claims: vec![share, Expectation::Always(OrderPerKey)], violations: Violations::None };
        assert!(!expectations.forbids(AckedSurvives, true));
        assert!(expectations.forbids(OrderPerKey, false));
        assert!(expectations.forbids(NoDuplicateEffect, true) && !expectations.forbids(NoDuplicateEffect, false));
        expectations.violations = Violations::Any;
        assert!(!expectations.forbids(NoDuplicateEffect, true) && expectations.forbids(OrderPerKey, true));
    }
}
