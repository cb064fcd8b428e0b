//! Laws of delay and duration: the one place in which floating point touches virtual time, through explicit `libm` calls and plain arithmetic.
//!
//! A [`Law`] is configuration: plain integers that compare equal and print as a sentence. A [`Sampler`] is the same law ready
//! to draw, its parameters solved once.

mod exponential;
mod normal;
mod sampler;
#[cfg(test)]
mod tests;

use std::fmt;

pub use sampler::Sampler;

use super::{Chance, Span};

/// How a span of time is distributed. What is configured is what is delivered: each law's mean or quantiles, floor
/// included, are those of the drawn values.
///
/// ```
/// use deadletter::base::{Law, SmallStream, Span};
/// let law = Law::LogNormal { median: Span::micros(500), p99: Span::millis(4) };
/// law.check().unwrap();
/// assert_eq!(law.to_string(), "lognormal, median 500us, 99% within 4ms");
/// assert_eq!(law.quantile(990_000), Span::millis(4));
/// let sampler = law.sampler();
/// let (mut a, mut b) = (SmallStream::named(7, "delay", 0), SmallStream::named(7, "delay", 0));
/// assert_eq!(sampler.draw(&mut a), sampler.draw(&mut b));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// Always the same.
    Constant(Span),
    /// Every nanosecond from `low` to `high`, both included, alike.
    Uniform {
        /// The shortest span.
        low: Span,
        /// The longest span.
        high: Span,
    },
    /// Never below a floor, memoryless above it. With floor zero, the pauses of a Poisson process.
    Exponential {
        /// The shortest span.
        floor: Span,
        /// The mean of the whole, floor included.
        mean: Span,
    },
    /// A normal distribution cut off at zero. Mean and deviation are those after the cut.
    Normal {
        /// The mean of what is drawn.
        mean: Span,
        /// The standard deviation of what is drawn; at most 0.95 of the mean.
        deviation: Span,
    },
    /// Its logarithm is normal: many a little below the median, some far above it.
    LogNormal {
        /// Half are shorter.
        median: Span,
        /// 99% are shorter.
        p99: Span,
    },
    /// A power law: of those longer than some span, a fixed share is longer than twice that span.
    Pareto {
        /// The shortest span.
        scale: Span,
        /// The exponent of the tail in thousandths: `1500` for 1.5. The mean is infinite up to `1000`.
        shape_thousandths: u32,
    },
    /// Times to failure: below shape 1 the young die first, above it the old.
    Weibull {
        /// 63.2% are shorter.
        scale: Span,
        /// The shape in thousandths; `1000` is exponential.
        shape_thousandths: u32,
    },
    /// One law as a rule, another now and then.
    Bimodal {
        /// The law as a rule.
        usual: Box<Law>,
        /// The law now and then.
        rare: Box<Law>,
        /// How often the rare law is asked.
        rare_chance: Chance,
    },
    /// Measured quantiles joined by straight lines: (share in millionths, span), both ascending, from 0 to 1,000,000.
    Empirical(Vec<(u32, Span)>),
}

/// The longest span that is drawn: a hundred years, longer than any run, so that no sum leaves the range of time. A law that
/// would exceed it more than once in a million draws is refused.
pub const LONGEST: Span = Span::secs(100 * 365 * 86_400);

/// All of a distribution, in millionths.
const WHOLE_PPM: u32 = 1_000_000;

/// The largest deviation of a [`Law::Normal`] in hundredths of its mean. The cut at zero brings every normal distribution below
/// its mean; close to it the parent's own mean runs away to minus infinity.
const LARGEST_DEVIATION_PERCENT: u64 = 95;

impl Law {
    /// The names of all laws as scenario files write them, in the order of the variants.
    pub const NAMES: [&'static str; 9] =
        ["constant", "uniform", "exponential", "normal", "lognormal", "pareto", "weibull", "bimodal", "table"];

    /// The law's name as scenario files write it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Law::Constant(_) => "constant",
            Law::Uniform { .. } => "uniform",
            Law::Exponential { .. } => "exponential",
            Law::Normal { .. } => "normal",
            Law::LogNormal { .. } => "lognormal",
            Law::Pareto { .. } => "pareto",
            Law::Weibull { .. } => "weibull",
            Law::Bimodal { .. } => "bimodal",
            Law::Empirical(_) => "table",
        }
    }

    /// Whether the law can be delivered.
    ///
    /// # Errors
    /// Says what contradicts what, and what to write instead.
    ///
    /// ```
    /// use deadletter::base::{Law, Span};
    /// let law = Law::Normal { mean: Span::millis(1), deviation: Span::millis(2) };
    /// assert!(law.check().unwrap_err().contains("never negative"));
    /// ```
    pub fn check(&self) -> Result<(), String> {
        self.check_parameters()?;
        let long = self.quantile(WHOLE_PPM - 1);
        if long >= LONGEST {
            return Err(format!("more than one in a million would last over a hundred years ({self}); a run never sees its end"));
        }
        Ok(())
    }

    /// Whether the parameters agree with each other, whatever their size.
    fn check_parameters(&self) -> Result<(), String> {
        match self {
            Law::Constant(_) => Ok(()),
            Law::Uniform { low, high } if low > high => Err(format!("the shortest span {low} is longer than the longest, {high}")),
            Law::Uniform { .. } => Ok(()),
            Law::Exponential { floor, mean } if mean <= floor => {
                Err(format!("the mean {mean} includes the floor {floor} and must be above it; without variation write a constant"))
            }
            Law::Exponential { .. } => Ok(()),
            Law::Normal { mean, deviation } => check_normal(*mean, *deviation),
            Law::LogNormal { median, .. } if median.is_zero() => Err("the median of a lognormal law must be above zero".into()),
            Law::LogNormal { median, p99 } if p99 <= median => {
                Err(format!("the 99% quantile {p99} must be above the median {median}; without variation write a constant"))
            }
            Law::LogNormal { .. } => Ok(()),
            Law::Pareto { scale, shape_thousandths } | Law::Weibull { scale, shape_thousandths } => {
                if scale.is_zero() {
                    return Err(format!("the scale of a {} law must be above zero", self.name()));
                }
                if *shape_thousandths == 0 {
                    return Err(format!("the shape of a {} law must be above zero, such as 1.5", self.name()));
                }
                Ok(())
            }
            Law::Bimodal { usual, rare, .. } => {
                usual.check().map_err(|why| format!("the usual law: {why}"))?;
                rare.check().map_err(|why| format!("the rare law: {why}"))
            }
            Law::Empirical(points) => check_table(points),
        }
    }

    /// The law ready to draw.
    ///
    /// # Panics
    /// When [`Law::check`] refuses it.
    #[must_use]
    pub fn sampler(&self) -> Sampler {
        if let Err(why) = self.check() {
            panic!("a law is checked before it is used: {why}");
        }
        Sampler::new(self)
    }

    /// The mean; `None` when it is infinite. (Of a Pareto law close to shape 1 it is mostly made of spans so rare that no run
    /// draws them.)
    ///
    /// # Panics
    /// May panic when [`Law::check`] refuses the law.
    #[must_use]
    pub fn mean(&self) -> Option<Span> {
        match self {
            Law::Constant(span) => Some(*span),
            Law::Uniform { low, high } => Some(*low + (*high - *low).scaled(1, 2)),
            Law::Exponential { mean, .. } | Law::Normal { mean, .. } => Some(*mean),
            Law::LogNormal { .. } | Law::Pareto { .. } | Law::Weibull { .. } => Sampler::new(self).tail_mean(),
            Law::Bimodal { usual, rare, rare_chance } => {
                if rare_chance.is_never() {
                    return usual.mean();
                }
                if *rare_chance == Chance::ALWAYS {
                    return rare.mean();
                }
                let (all, share) = (Chance::ALWAYS.steps(), rare_chance.steps());
                Some(usual.mean()?.scaled(all - share, all) + rare.mean()?.scaled(share, all))
            }
            Law::Empirical(points) => {
                let doubled: u128 = points
                    .windows(2)
                    .map(|pair| u128::from(pair[1].0 - pair[0].0) * (u128::from(pair[0].1.as_nanos()) + u128::from(pair[1].1.as_nanos())))
                    .sum();
                let mean = doubled / (2 * u128::from(WHOLE_PPM));
                Some(Span::nanos(u64::try_from(mean).expect("a mean is between the ends")))
            }
        }
    }

    /// The span within which a share of all draws lies, the share in millionths: `quantile(500_000)` is the median. An end that
    /// is infinite is given as [`LONGEST`].
    ///
    /// # Panics
    /// With a share above one million; may panic when [`Law::check`] refuses the law.
    #[must_use]
    pub fn quantile(&self, ppm: u32) -> Span {
        assert!(ppm <= WHOLE_PPM, "a share is at most a million millionths");
        Sampler::new(self).quantile(ppm)
    }
}

/// Whether a normal law cut off at zero can have this mean and deviation.
fn check_normal(mean: Span, deviation: Span) -> Result<(), String> {
    if mean.is_zero() {
        return Err("the mean of a normal law must be above zero".into());
    }
    if deviation.is_zero() {
        return Err(format!("a normal law without deviation is a constant: write {mean}"));
    }
    let largest = mean.scaled(LARGEST_DEVIATION_PERCENT, 100);
    if deviation > largest {
        return Err(format!(
            "the deviation {deviation} is too large for the mean {mean}: a span is never negative, so that a deviation above {largest} \
             cannot be reached; write an exponential or a lognormal law"
        ));
    }
    Ok(())
}

/// Whether a table of quantiles is complete and ascends.
fn check_table(points: &[(u32, Span)]) -> Result<(), String> {
    let (Some((first, _)), Some((last, _))) = (points.first(), points.last()) else {
        return Err("a table needs the shortest span at 0% and the longest at 100%".into());
    };
    if *first != 0 || *last != WHOLE_PPM {
        return Err(format!(
            "a table goes from 0% (the shortest span) to 100% (the longest); this one goes from {} to {}",
            percent(*first),
            percent(*last)
        ));
    }
    for pair in points.windows(2) {
        let ((share, span), (next_share, next_span)) = (pair[0], pair[1]);
        if next_share <= share {
            return Err(format!("the shares of a table ascend: {} comes after {}", percent(next_share), percent(share)));
        }
        if next_span < span {
            return Err(format!(
                "the spans of a table ascend: {next_span} at {} is below {span} at {}",
                percent(next_share),
                percent(share)
            ));
        }
    }
    Ok(())
}

/// Millionths as a percentage.
fn percent(ppm: u32) -> String {
    format!("{}%", decimals(ppm, 4))
}

/// A number with a fixed count of decimal places, its final zeros left out.
fn decimals(number: u32, places: u32) -> String {
    let over = 10u32.pow(places);
    let text = format!("{}.{:0width$}", number / over, number % over, width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl fmt::Display for Law {
    /// A short sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Law::Constant(span) => write!(f, "always {span}"),
            Law::Uniform { low, high } => write!(f, "uniform from {low} to {high}"),
            Law::Exponential { floor, mean } if floor.is_zero() => write!(f, "exponential with mean {mean}"),
            Law::Exponential { floor, mean } => write!(f, "exponential above {floor} with mean {mean}"),
            Law::Normal { mean, deviation } => write!(f, "normal with mean {mean} and deviation {deviation}"),
            Law::LogNormal { median, p99 } => write!(f, "lognormal, median {median}, 99% within {p99}"),
            Law::Pareto { scale, shape_thousandths } => write!(f, "Pareto from {scale} with shape {}", decimals(*shape_thousandths, 3)),
            Law::Weibull { scale, shape_thousandths } => {
                write!(f, "Weibull with scale {scale} and shape {}", decimals(*shape_thousandths, 3))
            }
            Law::Bimodal { usual, rare, rare_chance } => write!(f, "{usual}, but in {rare_chance} of cases {rare}"),
            Law::Empirical(points) => match (points.first(), points.last()) {
                (Some((_, low)), Some((_, high))) => write!(f, "a table of {} quantiles from {low} to {high}", points.len()),
                (None, _) | (_, None) => f.write_str("an empty table"),
            },
        }
    }
}
