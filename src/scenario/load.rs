//! `[load]`: from checked keys to streams of operations, checked against the objects of the model.

use crate::base::value::{Reader, Value, did_you_mean};
use crate::base::{Place, Problem, Time};
use crate::load::{Arrivals, ClientChoice, Keys, Listed, LoadStream, OpKind, Phases, Rate, Sizes, trace};
use crate::record::ObjectKind;
use crate::world::Roster;

use super::keys::STREAM;
use super::{operation, with};

/// How a scenario gets at the files beside it: the bytes of a path, or why there are none.
pub type Files<'f> = &'f dyn Fn(&str) -> Result<Vec<u8>, String>;

/// A stream with the name of the file its trace comes from.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Stream {
    pub(super) stream: LoadStream,
    pub(super) trace: Option<String>,
}

/// What clients ask for: streams, or single operations.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Asked {
    pub(super) streams: Vec<Stream>,
    pub(super) listed: Vec<Listed>,
}

/// Against what a load is checked: `None` where it is wrong itself.
#[derive(Clone, Copy)]
pub(super) struct Against<'a> {
    pub(super) roster: Option<&'a Roster>,
    pub(super) phases: Option<&'a Phases>,
}

/// The load, or the operations in its place. An empty list of the one beside the other is as if it were not there, so that an
/// arm can put the one in the place of the other.
pub(super) fn read(file: &Reader<'_>, against: Against<'_>, files: Files<'_>, problems: &mut Vec<Problem>) -> Asked {
    let empty = |value: &&Value| value.as_list().is_some_and(<[Value]>::is_empty);
    let (load, operations) = (file.value("load"), file.value("operation"));
    match (load, operations) {
        (None, None) => {
            let problem = Problem::error(file.place().clone(), "there is neither `load` nor `operation`: nobody asks for anything");
            problems.push(problem.hint("write a `[load]` table, or each `[[operation]]` by itself"));
            Asked::default()
        }
        (Some(load), operations) if operations.as_ref().is_none_or(empty) => {
            Asked { streams: streams(load, against.roster, files, problems), listed: Vec::new() }
        }
        (load, Some(operations)) if load.as_ref().is_none_or(empty) => {
            if empty(&operations) {
                let problem = Problem::error(operations.place.clone(), "there is no operation: nobody asks for anything");
                problems.push(problem.hint("write each as `[[operation]]`"));
            }
            Asked { streams: Vec::new(), listed: operation::read(operations, against.roster, against.phases, problems) }
        }
        (_, operations) => {
            let place = operations.map_or_else(|| file.place().clone(), |operations| operations.place.clone());
            let problem = Problem::error(place, "`operation` beside `load`: what clients ask for is described in one way");
            problems.push(problem.hint("leave one of them out"));
            Asked::default()
        }
    }
}

/// All streams. `roster` is `None` when the model's own table is wrong.
fn streams(value: &Value, roster: Option<&Roster>, files: Files<'_>, problems: &mut Vec<Problem>) -> Vec<Stream> {
    let single = [value];
    let tables: Vec<&Value> = value.as_list().map_or_else(|| single.to_vec(), |items| items.iter().collect());
    if tables.is_empty() {
        problems.push(Problem::error(value.place.clone(), "there is no load: nobody asks for anything").hint("write a `[load]` table"));
    }
    let mut streams = Vec::new();
    for table in tables.into_iter().filter_map(Value::as_table) {
        let keys = Reader::checked(table, STREAM, "load");
        let Some(stream) = one(&keys, roster, files, problems) else { continue };
        for problem in stream.stream.problems() {
            let place = if keys.has(problem.field) { keys.place_of(problem.field) } else { keys.place().clone() };
            problems.push(with(Problem::error(place, problem.what), problem.hint.map(str::to_owned)));
        }
        streams.push(stream);
    }
    streams
}

fn one(keys: &Reader<'_>, roster: Option<&Roster>, files: Files<'_>, problems: &mut Vec<Problem>) -> Option<Stream> {
    let to = keys.text("to");
    let op = op(keys, (to.as_deref(), roster), problems);
    let arrivals = arrivals(keys, files, problems);
    let key_law = key_law(keys);
    let size = size(keys, problems);
    let clients = match keys.choice("clients")? {
        "by_key" => ClientChoice::ByKey,
        "random" => ClientChoice::Random,
        _ => ClientChoice::RoundRobin,
    };
    let (arrivals, trace) = arrivals?;
    let stream = LoadStream { to: to?, op: op?, arrivals, keys: key_law?, size: size?, clients, limit: keys.count("limit") };
    Some(Stream { stream, trace })
}

/// What is asked of an object, and whether it takes that.
fn op(keys: &Reader<'_>, (to, roster): (Option<&str>, Option<&Roster>), problems: &mut Vec<Problem>) -> Option<OpKind> {
    let asked = match keys.choice("op") {
        Some("request") => Some(OpKind::Request),
        Some(_) => Some(OpKind::Publish),
        None => None,
    };
    let Some(roster) = roster else { return asked.or(Some(OpKind::Publish)) };
    if !roster.nodes.iter().any(|node| node.takes_load) {
        problems.push(
            Problem::error(keys.place().clone(), "no client takes this load: the model has none")
                .hint("give the model at least one client"),
        );
    }
    let takes = taken(to?, keys, roster, problems)?;
    if let Some(asked) = asked.filter(|asked| *asked != takes) {
        let (verb, hint) = match asked {
            OpKind::Request => ("answers no requests", "publish"),
            OpKind::Publish => ("takes no messages", "request"),
        };
        let to = to.unwrap_or_default();
        problems.push(Problem::error(keys.place_of("op"), format!("`{to}` {verb}")).hint(format!("did you mean `op = \"{hint}\"`?")));
    }
    Some(takes)
}

/// What clients ask of an object, by the name behind `to`.
pub(super) fn taken(to: &str, keys: &Reader<'_>, roster: &Roster, problems: &mut Vec<Problem>) -> Option<OpKind> {
    let place = keys.place_of("to");
    let Some(object) = roster.objects.iter().find(|object| object.name == to) else {
        let known: Vec<&str> =
            roster.objects.iter().filter(|object| takes(object.kind).is_some()).map(|object| object.name.as_str()).collect();
        let problem = Problem::error(place, format!("there is no queue, topic or service `{to}`"));
        problems.push(with(problem, did_you_mean(to, &known)));
        return None;
    };
    let takes = takes(object.kind);
    if takes.is_none() {
        problems.push(Problem::error(place, format!("nothing is published to `{to}` by clients")).hint("publish to its queue or topic"));
    }
    takes
}

/// What clients ask of an object of a kind.
const fn takes(kind: ObjectKind) -> Option<OpKind> {
    match kind {
        ObjectKind::Queue | ObjectKind::Topic => Some(OpKind::Publish),
        ObjectKind::Service => Some(OpKind::Request),
        ObjectKind::Subscription { .. } | ObjectKind::Log { .. } | ObjectKind::DeadLetters => None,
    }
}

fn rate(keys: &Reader<'_>, key: &str) -> Option<Rate> {
    keys.rate(key).map(|rate| Rate::new(rate.events, rate.per))
}

fn arrivals(keys: &Reader<'_>, files: Files<'_>, problems: &mut Vec<Problem>) -> Option<(Arrivals, Option<String>)> {
    let (law, keys) = keys.variant("arrivals")?;
    let arrivals = match law {
        "constant" => Arrivals::Constant { rate: rate(&keys, "rate")? },
        "poisson" => Arrivals::Poisson { rate: rate(&keys, "rate")? },
        "bursts" => Arrivals::Bursts {
            rate_high: rate(&keys, "rate_high")?,
            rate_low: rate(&keys, "rate_low")?,
            on: keys.law("on")?,
            off: keys.law("off")?,
        },
        "diurnal" => Arrivals::Diurnal {
            mean: rate(&keys, "mean")?,
            amplitude: keys.chance("amplitude")?,
            period: keys.span("period")?,
            peak_at: keys.span("peak_at")?,
        },
        "steps" => {
            let step = |step: &Reader<'_>| Some((Time::ZERO + step.span("at")?, rate(step, "rate")?));
            Arrivals::Steps(keys.tables("steps").iter().map(step).collect::<Option<Vec<_>>>()?)
        }
        "closed" => Arrivals::Closed { users: u32::try_from(keys.count("users")?).ok()?, think: keys.law("think")? },
        "trace" => {
            let path = keys.text("file")?;
            let rows = recorded(&path, &keys.place_of("file"), files, problems)?;
            return Some((Arrivals::Trace(rows), Some(path)));
        }
        other => unreachable!("`{other}` is in the table of arrivals"),
    };
    Some((arrivals, None))
}

fn recorded(path: &str, place: &Place, files: Files<'_>, problems: &mut Vec<Problem>) -> Option<std::sync::Arc<[trace::TraceRow]>> {
    let bytes = match files(path) {
        Ok(bytes) => bytes,
        Err(why) => {
            problems.push(Problem::error(place.clone(), format!("`{path}` cannot be read: {why}")));
            return None;
        }
    };
    match trace::read(&bytes) {
        Ok(rows) => Some(rows),
        Err(wrong) => {
            problems.extend(wrong.into_iter().map(|problem| Problem::error(place.clone(), format!("`{path}`, {problem}"))));
            None
        }
    }
}

fn key_law(keys: &Reader<'_>) -> Option<Keys> {
    let Some((law, keys)) = keys.variant("keys") else {
        return (!keys.has("keys")).then_some(Keys::Uniform { count: 100 });
    };
    let small = |key: &str| u32::try_from(keys.count(key)?).ok();
    match law {
        "uniform" => Some(Keys::Uniform { count: small("count")? }),
        "zipf" => Some(Keys::Zipf { count: small("count")?, exponent_milli: u32::try_from(keys.thousandths("exponent")?).ok()? }),
        "hot" => Some(Keys::Hot { count: small("count")?, hot: small("hot")?, share: keys.chance("share")? }),
        "sequential" => Some(Keys::Sequential { count: small("count")? }),
        "trace" => Some(Keys::FromTrace),
        other => unreachable!("`{other}` is in the table of keys"),
    }
}

/// The size of a message.
pub(super) fn small(bytes: u64, place: Place, problems: &mut Vec<Problem>) -> Option<u32> {
    let size = u32::try_from(bytes).ok().filter(|size| *size <= 1 << 30);
    if size.is_none() {
        problems.push(Problem::error(place, "a message has at most 1GiB"));
    }
    size
}

fn size(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Sizes> {
    let mut small = |bytes: u64, place: Place| small(bytes, place, problems);
    if let Some(bytes) = keys.bytes("size") {
        return small(bytes, keys.place_of("size")).map(Sizes::Constant);
    }
    let (law, keys) = keys.variant("size")?;
    match law {
        "uniform" => {
            let (low, high) = (small(keys.bytes("low")?, keys.place_of("low")), small(keys.bytes("high")?, keys.place_of("high")));
            Some(Sizes::Uniform { low: low?, high: high? })
        }
        "mix" => {
            let parts = keys.tables("of").into_iter().map(|part| {
                let bytes = small(part.bytes("bytes")?, part.place_of("bytes"))?;
                Some((bytes, u32::try_from(part.count("weight")?).ok()?))
            });
            parts.collect::<Option<Vec<_>>>().map(Sizes::Mix)
        }
        "trace" => Some(Sizes::FromTrace),
        other => unreachable!("`{other}` is in the table of sizes"),
    }
}

/// More arrivals than this in one run are most likely a slip.
const MANY: u64 = 200_000_000;

/// Warns of loads that end no run.
pub(super) fn check_amount(streams: &[Stream], phases: &Phases, file: &Reader<'_>, problems: &mut Vec<Problem>) {
    let until = u128::from(phases.load_until().since(Time::ZERO).as_nanos());
    let expected = |rate: &Rate| u64::try_from(u128::from(rate.count()) * until / u128::from(rate.per().as_nanos())).unwrap_or(u64::MAX);
    let mut all: u64 = 0;
    for Stream { stream, .. } in streams {
        let most = match &stream.arrivals {
            Arrivals::Constant { rate } | Arrivals::Poisson { rate } | Arrivals::Diurnal { mean: rate, .. } => expected(rate),
            Arrivals::Bursts { rate_high, .. } => expected(rate_high),
            Arrivals::Steps(steps) => steps.iter().map(|(_, rate)| expected(rate)).max().unwrap_or(0),
            Arrivals::Trace(_) | Arrivals::Closed { .. } => 0,
        };
        all = all.saturating_add(most.min(stream.limit.unwrap_or(u64::MAX)));
    }
    if all > MANY {
        let problem = Problem::warning(file.place_of("load"), format!("up to {all} operations come in each run"));
        problems.push(problem.hint("that takes minutes a run; lower the rate or shorten the phases"));
    }
}
