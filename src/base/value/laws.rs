//! Laws of time as they are written in files.

use crate::base::number::decimal;
use crate::base::{Law, Problem, Span, Time};

use super::{KeyKind, KeySpec, Reader, Table, Value, ValueKind, Variant, quoted, read};

/// A key that must be there.
const fn needed(name: &'static str, kind: KeyKind, doc: &'static str) -> KeySpec {
    KeySpec::new(name, kind, doc).required()
}

/// The kind of shapes: at most three decimals.
const SHAPE: KeyKind = KeyKind::Thousandths { min: 1, max: 1_000_000 };

/// The laws a file may name, with their keys. A bare span is the constant law.
pub const LAWS: &[Variant] = &[
    Variant { name: "constant", doc: "always the same", keys: &[needed("value", KeyKind::Span, "the span")] },
    Variant {
        name: "uniform",
        doc: "every nanosecond between two alike",
        keys: &[needed("low", KeyKind::Span, "the shortest span"), needed("high", KeyKind::Span, "the longest span")],
    },
    Variant {
        name: "exponential",
        doc: "never below a floor, memoryless above it",
        keys: &[
            KeySpec::new("floor", KeyKind::Span, "the shortest span").or("0s"),
            needed("mean", KeyKind::Span, "the mean, floor included"),
        ],
    },
    Variant {
        name: "normal",
        doc: "a normal distribution cut off at zero",
        keys: &[
            needed("mean", KeyKind::Span, "the mean after the cut"),
            needed("deviation", KeyKind::Span, "the standard deviation after the cut"),
        ],
    },
    Variant {
        name: "lognormal",
        doc: "its logarithm is normal: a few draws far above the median",
        keys: &[needed("median", KeyKind::Span, "half are shorter"), needed("p99", KeyKind::Span, "99% are shorter")],
    },
    Variant {
        name: "pareto",
        doc: "a power law",
        keys: &[
            needed("scale", KeyKind::Span, "the shortest span"),
            needed("shape", SHAPE, "the exponent of the tail; the mean is infinite up to 1"),
        ],
    },
    Variant {
        name: "weibull",
        doc: "times to failure: below shape 1 the young die first, above it the old",
        keys: &[needed("scale", KeyKind::Span, "63.2% are shorter"), needed("shape", SHAPE, "the shape; 1 is exponential")],
    },
    Variant {
        name: "bimodal",
        doc: "one law as a rule, another now and then",
        keys: &[
            needed("usual", KeyKind::Law, "the law as a rule"),
            needed("rare", KeyKind::Law, "the law now and then"),
            needed("rare_chance", KeyKind::Chance, "how often the rare law is asked"),
        ],
    },
    Variant {
        name: "table",
        doc: "measured quantiles joined by straight lines",
        keys: &[needed(
            "quantiles",
            KeyKind::List(&KeyKind::List(&KeyKind::Text)),
            "pairs such as [\"50%\", \"1ms\"], from 0% to 100%, both ascending",
        )],
    },
];

/// How a table names its law.
const TABLE: KeyKind = KeyKind::Variants { tag: "law", of: LAWS };

/// Checks that a value is a law.
pub(super) fn check(value: &Value, path: &str, problems: &mut Vec<Problem>) {
    let ValueKind::Table(table) = &value.kind else {
        problems.extend(read::span(value).err());
        return;
    };
    if named(table) == Some("bimodal") {
        let nested =
            ["usual", "rare"].into_iter().filter_map(|key| table.get(key)).find(|part| part.as_table().and_then(named) == Some("bimodal"));
        if let Some(part) = nested {
            let problem = Problem::error(part.place.clone(), "a bimodal law is made of two other laws, not of bimodal ones");
            problems.push(problem.hint("measured shapes of more than two modes are written as `law = \"table\"`"));
            return;
        }
    }
    let before = problems.len();
    read::check(value, &TABLE, path, problems);
    if problems.len() == before {
        problems.extend(law(value).err());
    }
}

fn named(table: &Table) -> Option<&str> {
    table.get("law").and_then(Value::as_text)
}

/// A law whose keys have been checked; what they say together is checked here.
pub(super) fn law(value: &Value) -> Result<Law, Problem> {
    let Some(table) = value.as_table() else {
        return read::span(value).map(Law::Constant);
    };
    let wrong = || Problem::error(value.place.clone(), "this law is not complete");
    let variant = named(table).and_then(|written| LAWS.iter().find(|variant| variant.name == written)).ok_or_else(wrong)?;
    let keys = Reader::variant_of(table, ("law", variant));
    let law = of_keys(variant.name, &keys).ok_or_else(wrong)??;
    match law.check() {
        Ok(()) => Ok(law),
        Err(why) => {
            let (what, hint) = why.split_once("; ").map_or((why.as_str(), None), |(what, hint)| (what, Some(hint.to_owned())));
            Err(read::with(Problem::error(value.place.clone(), what), hint))
        }
    }
}

/// The law with this name; `None` when a key is missing or wrong.
fn of_keys(name: &str, keys: &Reader<'_>) -> Option<Result<Law, Problem>> {
    let shape = || u32::try_from(keys.thousandths("shape")?).ok();
    let law = match name {
        "constant" => Law::Constant(keys.span("value")?),
        "uniform" => Law::Uniform { low: keys.span("low")?, high: keys.span("high")? },
        "exponential" => Law::Exponential { floor: keys.span("floor")?, mean: keys.span("mean")? },
        "normal" => Law::Normal { mean: keys.span("mean")?, deviation: keys.span("deviation")? },
        "lognormal" => Law::LogNormal { median: keys.span("median")?, p99: keys.span("p99")? },
        "pareto" => Law::Pareto { scale: keys.span("scale")?, shape_thousandths: shape()? },
        "weibull" => Law::Weibull { scale: keys.span("scale")?, shape_thousandths: shape()? },
        "bimodal" => Law::Bimodal {
            usual: Box::new(keys.law("usual")?),
            rare: Box::new(keys.law("rare")?),
            rare_chance: keys.chance("rare_chance")?,
        },
        "table" => return Some(keys.list("quantiles").iter().map(quantile).collect::<Result<Vec<_>, _>>().map(Law::Empirical)),
        other => unreachable!("`{other}` is in the table of laws"),
    };
    Some(Ok(law))
}

/// One pair of a table of quantiles: a share in millionths, and a span.
fn quantile(value: &Value) -> Result<(u32, Span), Problem> {
    let example = || Problem::error(value.place.clone(), "a quantile is a pair of a share and a span").hint("write `[\"50%\", \"1ms\"]`");
    let [share, span] = value.as_list().ok_or_else(example)? else {
        return Err(example());
    };
    let percent = share.as_text().and_then(|text| text.trim().strip_suffix('%'));
    let millionths = percent.and_then(|percent| decimal(percent.trim(), 10_000)).and_then(|wide| u32::try_from(wide).ok());
    let millionths = millionths.filter(|millionths| *millionths <= 1_000_000).ok_or_else(|| {
        Problem::error(share.place.clone(), "a share is a percentage with at most four decimals").hint("write it like `50%` or `99.99%`")
    })?;
    Ok((millionths, read::span(span)?))
}

/// A law as it is written in a file.
///
/// ```
/// use deadletter::base::value::law_text;
/// use deadletter::base::{Law, Span};
/// assert_eq!(law_text(&Law::Constant(Span::millis(5))), "\"5ms\"");
/// ```
#[must_use]
pub fn law_text(law: &Law) -> String {
    let name = law.name();
    let keys = match law {
        Law::Constant(span) => return quoted(&span.to_string()),
        Law::Uniform { low, high } => format!("low = \"{low}\", high = \"{high}\""),
        Law::Exponential { floor, mean } => format!("floor = \"{floor}\", mean = \"{mean}\""),
        Law::Normal { mean, deviation } => format!("mean = \"{mean}\", deviation = \"{deviation}\""),
        Law::LogNormal { median, p99 } => format!("median = \"{median}\", p99 = \"{p99}\""),
        Law::Pareto { scale, shape_thousandths } | Law::Weibull { scale, shape_thousandths } => {
            format!("scale = \"{scale}\", shape = {}", super::thousandths_text(u64::from(*shape_thousandths)))
        }
        Law::Bimodal { usual, rare, rare_chance } => {
            format!("usual = {}, rare = {}, rare_chance = \"{rare_chance}\"", law_text(usual), law_text(rare))
        }
        Law::Empirical(points) => {
            let pairs: Vec<String> = points
                .iter()
                .map(|(millionths, span)| format!("[\"{}.{:04}%\", \"{span}\"]", millionths / 10_000, millionths % 10_000))
                .collect();
            format!("quantiles = [{}]", pairs.join(", "))
        }
    };
    format!("{{ law = \"{name}\", {keys} }}")
}

/// A moment as it is written in a file: the span since time zero.
#[must_use]
pub fn moment_text(at: Time) -> String {
    quoted(&at.since(Time::ZERO).to_string())
}
