//! What a load is made of, as a scenario says it, and what can be wrong with it.

use std::sync::Arc;

use super::rate::Rate;
use super::trace::TraceRow;
use crate::base::{Chance, KeyId, Law, PayloadId, Span, Time};

/// What is asked over a run: streams of operations side by side, or single operations one by one. Never both: streams number
/// their payloads themselves, listed operations bring their numbers along.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct LoadConfig {
    /// Each has its own arrivals and its own chance.
    pub streams: Vec<LoadStream>,
    /// Operations that are written out, in order of [`Listed::at`] and then of [`Listed::payload`].
    pub listed: Vec<Listed>,
}

/// One operation that is written out. Its payload has the same name whatever else is listed, so that operations can be taken
/// away and those that are left keep their names, and with these what befalls them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// When it is issued.
    pub at: Time,
    /// Its payload: a number of its own, not necessarily the next.
    pub payload: PayloadId,
    /// The node that is asked, by name.
    pub client: String,
    /// The object's name: a queue, a topic, a service.
    pub to: String,
    /// What is asked.
    pub op: OpKind,
    /// About which key.
    pub key: KeyId,
    /// With how many bytes.
    pub bytes: u32,
}

/// One stream of operations of one kind on one object.
#[derive(Clone, PartialEq, Debug)]
pub struct LoadStream {
    /// The object's name: a queue, a topic, a service.
    pub to: String,
    /// What is asked.
    pub op: OpKind,
    /// When.
    pub arrivals: Arrivals,
    /// About which keys.
    pub keys: Keys,
    /// With how many bytes.
    pub size: Sizes,
    /// Of which client.
    pub clients: ClientChoice,
    /// Stop after so many operations.
    pub limit: Option<u64>,
}

/// The kind of operation a stream issues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpKind {
    /// Hand a payload to a queue or topic.
    Publish,
    /// Call a service and wait for its reply.
    Request,
}

/// When operations are issued. All but `Closed` are open: they come whether or not earlier ones have ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// Evenly spaced, the first one gap after time zero; never drifting from the exact rate.
    Constant {
        /// How often.
        rate: Rate,
    },
    /// At random, independently: gaps are exponential.
    Poisson {
        /// How often on average.
        rate: Rate,
    },
    /// At random, with two rates by turns. Begins with `off`. With exponential `on` and `off` this is the Markov-modulated
    /// Poisson process of two states.
    Bursts {
        /// How often during a burst.
        rate_high: Rate,
        /// How often between bursts.
        rate_low: Rate,
        /// How long a burst lasts.
        on: Law,
        /// How long it is to the next burst.
        off: Law,
    },
    /// At random, with a rate that goes up and down once a period: `mean × (1 + amplitude × cos(2π (t − peak) / period))`.
    Diurnal {
        /// How often on average over a period.
        mean: Rate,
        /// How far the rate swings, as a share of the mean.
        amplitude: Chance,
        /// A day, if it is to be one.
        period: Span,
        /// A moment of highest rate, counted from time zero.
        peak_at: Span,
    },
    /// At random, with a rate that changes at given moments. Before the first of them nothing comes.
    Steps(Vec<(Time, Rate)>),
    /// As recorded.
    Trace(Arc<[TraceRow]>),
    /// Users who each wait for the end of one operation, think, and issue the next; the first after one time of thinking.
    Closed {
        /// How many users, over all clients of the stream; the n-th sits at client n modulo their number.
        users: u32,
        /// How long a user thinks.
        think: Law,
    },
}

/// Which keys operations are about. Keys are numbered from zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keys {
    /// Each of them alike.
    Uniform {
        /// How many.
        count: u32,
    },
    /// The n-th key, from one, with a share in proportion to `n^-exponent`.
    Zipf {
        /// How many.
        count: u32,
        /// The exponent in thousandths: 1100 for 1.1.
        exponent_milli: u32,
    },
    /// A few keys take a given share, the rest the rest; alike among themselves.
    Hot {
        /// How many in all.
        count: u32,
        /// How many of them are hot: the first ones.
        hot: u32,
        /// The hot keys' share together.
        share: Chance,
    },
    /// One after the other, and again from the first.
    Sequential {
        /// How many.
        count: u32,
    },
    /// As recorded in the trace.
    FromTrace,
}

/// How many bytes an operation carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Sizes {
    /// Always so many.
    Constant(u32),
    /// From the one to the other, both included, each alike.
    Uniform {
        /// Fewest.
        low: u32,
        /// Most.
        high: u32,
    },
    /// Some of several sizes, each in proportion to its weight: `(bytes, weight)`.
    Mix(Vec<(u32, u32)>),
    /// As recorded in the trace.
    FromTrace,
}

/// Which client is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientChoice {
    /// One after the other.
    RoundRobin,
    /// Key n goes to client n modulo their number, so that one client has all of a key.
    ByKey,
    /// Each alike, by lot.
    Random,
}

/// Something wrong with a stream. Whoever knows the file adds the place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadProblem {
    /// The key of the stream's table: `arrivals`, `keys`, `size`, `clients`, `limit`.
    pub field: &'static str,
    /// What is wrong, as one sentence without a full stop.
    pub what: String,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

/// More keys than this make a table of more than 320 MB.
const MOST_ZIPF_KEYS: u32 = 20_000_000;

impl LoadStream {
    /// Everything wrong with the stream; a plan is built only when there is nothing.
    #[must_use]
    pub fn problems(&self) -> Vec<LoadProblem> {
        let mut found = Vec::new();
        self.arrivals.problems(&mut found);
        self.keys.problems(&mut found);
        self.size.problems(&mut found);
        let rows = if let Arrivals::Trace(rows) = &self.arrivals { Some(rows) } else { None };
        if self.keys == Keys::FromTrace {
            recorded(rows.map(|rows| rows.iter().all(|row| row.key.is_some())), ("keys", "key"), &mut found);
        }
        if self.size == Sizes::FromTrace {
            recorded(rows.map(|rows| rows.iter().all(|row| row.bytes.is_some())), ("size", "bytes"), &mut found);
        }
        if matches!(self.arrivals, Arrivals::Closed { .. }) && self.clients != ClientChoice::RoundRobin {
            let what = "the users of a closed load stay at their clients, so none is chosen for each operation";
            found.push(LoadProblem { field: "clients", what: what.into(), hint: Some("leave it out") });
        }
        if self.limit == Some(0) {
            found.push(LoadProblem { field: "limit", what: "a load of no operations proves nothing".into(), hint: None });
        }
        found
    }
}

/// Complains unless a trace has a column in every row (`None`: there is no trace).
fn recorded(complete: Option<bool>, (field, column): (&'static str, &str), found: &mut Vec<LoadProblem>) {
    match complete {
        Some(true) => {}
        Some(false) => {
            let what = format!("the trace has rows without `{column}`");
            found.push(LoadProblem { field, what, hint: Some("fill the column, or choose a law instead") });
        }
        None => {
            let what = format!("`{field}` is to come from a trace, but the arrivals do not");
            found.push(LoadProblem { field, what, hint: Some("use it with arrivals = { law = \"trace\", .. }") });
        }
    }
}

impl Arrivals {
    fn problems(&self, found: &mut Vec<LoadProblem>) {
        let mut say = |what: &str, hint| found.push(LoadProblem { field: "arrivals", what: what.into(), hint });
        match self {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } | Arrivals::Diurnal { mean: rate, .. } if rate.is_zero() => {
                say("nothing ever arrives at a rate of zero", None);
            }
            Arrivals::Constant { .. } | Arrivals::Poisson { .. } => {}
            Arrivals::Diurnal { mean, period, .. } => {
                if period.is_zero() {
                    say("a period has some length", Some("a day is `24h`"));
                }
                if mean.count() > u64::MAX / 2 {
                    say("the rate is too high", None);
                }
            }
            Arrivals::Bursts { rate_high, rate_low, on, off } => {
                if rate_high.is_zero() && rate_low.is_zero() {
                    say("nothing ever arrives: both rates are zero", None);
                }
                for law in [on, off] {
                    match law.check() {
                        Err(why) => say(&why, None),
                        Ok(()) if law.mean().is_some_and(Span::is_zero) => {
                            say("a burst and what lies between two of them have some length", None);
                        }
                        Ok(()) => {}
                    }
                }
            }
            Arrivals::Steps(steps) => {
                if steps.iter().all(|(_, rate)| rate.is_zero()) {
                    say("nothing ever arrives: there is no step to a rate above zero", None);
                }
                if !steps.is_sorted_by(|a, b| a.0 < b.0) {
                    say("the steps are not in order of time", Some("each step is later than the one before"));
                }
            }
            Arrivals::Trace(rows) => {
                if rows.is_empty() {
                    say("the trace has no rows", None);
                }
                if !rows.is_sorted_by_key(|row| row.at) {
                    say("the trace goes back in time", Some("sort it by `at`"));
                }
            }
            Arrivals::Closed { users, think } => {
                if *users == 0 {
                    say("nothing ever arrives: there are no users", None);
                }
                if let Err(why) = think.check() {
                    say(&why, None);
                }
            }
        }
    }
}

impl Keys {
    fn problems(&self, found: &mut Vec<LoadProblem>) {
        let mut say = |what: String| found.push(LoadProblem { field: "keys", what, hint: None });
        match self {
            Keys::Uniform { count } | Keys::Sequential { count } | Keys::Zipf { count, .. } | Keys::Hot { count, .. } if *count == 0 => {
                say("there is no key to choose".into());
            }
            Keys::Zipf { count, .. } if *count > MOST_ZIPF_KEYS => {
                say(format!("{count} keys are too many for a table of shares; at most {MOST_ZIPF_KEYS}"));
            }
            Keys::Zipf { exponent_milli, .. } if *exponent_milli > 10_000 => say("an exponent above 10 leaves one key".into()),
            Keys::Hot { count, hot, share } => {
                if hot > count {
                    say(format!("{hot} hot keys are more than the {count} there are"));
                }
                if (*hot == 0 && !share.is_never()) || (hot == count && *share != Chance::ALWAYS) {
                    say("the share that is left over has no keys to go to".into());
                }
            }
            Keys::Uniform { .. } | Keys::Sequential { .. } | Keys::Zipf { .. } | Keys::FromTrace => {}
        }
    }
}

impl Sizes {
    fn problems(&self, found: &mut Vec<LoadProblem>) {
        let mut say = |what: String| found.push(LoadProblem { field: "size", what, hint: None });
        match self {
            Sizes::Uniform { low, high } if low > high => say(format!("the smallest size, {low}, is above the largest, {high}")),
            Sizes::Mix(parts) if parts.iter().all(|(_, weight)| *weight == 0) => say("no size has a weight above zero".into()),
            Sizes::Uniform { .. } | Sizes::Mix(_) | Sizes::Constant(_) | Sizes::FromTrace => {}
        }
    }
}
