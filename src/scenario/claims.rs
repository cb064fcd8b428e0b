//! `[expect]`: from checked keys to claims about properties, marks, figures and faults.

use crate::base::value::{Key, Reader, Value, did_you_mean};
use crate::base::{Place, Problem, Span};
use crate::check::Property;
use crate::load::Rate;
use crate::record::Mark;

use super::expect::{
    Bound, Comparison, Event, Expectation, Expectations, FaultFate, Fraction, LatencyOf, Quantile, Violations, latency_key,
};
use super::with;

/// What claims may be about.
pub(super) struct Subjects<'a> {
    /// The model's marks; `None` when the model is not known.
    pub(super) marks: Option<&'a [(Mark, &'static str)]>,
    /// The names of the declared faults; `None` when some fault is wrong, so that names may be missing.
    pub(super) faults: Option<&'a [String]>,
    /// Whether there is a heal or drain phase to be quiet in.
    pub(super) heals: bool,
    /// Whether the model has logs; `None` when its settings are wrong.
    pub(super) logs: Option<bool>,
}

impl Subjects<'_> {
    /// What the runs are judged by, as far as that is known.
    fn properties(&self) -> impl Iterator<Item = Property> {
        let none = self.logs == Some(false);
        Property::ALL.into_iter().filter(move |property| !(none && property.is_about_logs()))
    }
}

/// The claims of a table. What is written twice about one thing is refused.
pub(super) fn read(keys: &Reader<'_>, subjects: &Subjects<'_>, problems: &mut Vec<Problem>) -> Expectations {
    let mut claims: Vec<(Expectation, Place)> = Vec::new();
    for (name, value) in keys.texts("always") {
        claims
            .extend(property(name, &value.place, subjects, problems).map(|property| (Expectation::Always(property), value.place.clone())));
    }
    for (name, value) in keys.texts("broken") {
        claims
            .extend(property(name, &value.place, subjects, problems).map(|property| (Expectation::Broken(property), value.place.clone())));
    }
    for (name, value) in keys.texts("sometimes") {
        claims.extend(event(name, &value.place, subjects, problems).map(|event| (Expectation::Sometimes(event), value.place.clone())));
    }
    for (name, value) in keys.texts("never") {
        claims.extend(event(name, &value.place, subjects, problems).map(|event| (Expectation::Never(event), value.place.clone())));
    }
    figures(keys, &mut claims, problems);
    for (key, value) in keys.map("share") {
        let bound = bound(value, &[" of runs", " of the runs"], "`>= 5% of runs`", problems, Fraction::parse);
        let event = event(&key.name, &key.place, subjects, problems);
        claims.extend(event.zip(bound).map(|(event, bound)| (Expectation::Share { event, bound }, value.place.clone())));
    }
    for (key, value) in keys.map("count") {
        let bound = bound(value, &[" runs", " run"], "`>= 3 runs`", problems, |text| {
            text.parse::<u64>().map_err(|_| format!("`{text}` is not a number of runs"))
        });
        let event = event(&key.name, &key.place, subjects, problems);
        claims.extend(event.zip(bound).map(|(event, bound)| (Expectation::Count { event, bound }, value.place.clone())));
    }
    for (key, value) in keys.map("eventually") {
        claims.extend(eventually(key, value, subjects, problems).map(|claim| (claim, value.place.clone())));
    }
    for (key, value) in keys.map("fault") {
        claims.extend(fate(key, value, subjects, problems).map(|claim| (claim, value.place.clone())));
    }
    contradictions(&claims, problems);
    let violations = if keys.choice("violations") == Some("any") { Violations::Any } else { Violations::None };
    in_order(claims.into_iter().map(|(claim, _)| claim).collect(), violations)
}

/// The claims in the order of the report; those of one kind stay in the order of the file.
fn in_order(mut claims: Vec<Expectation>, violations: Violations) -> Expectations {
    claims.sort_by_key(|claim| match claim {
        Expectation::Always(_) => (0, None),
        Expectation::Broken(_) => (1, None),
        Expectation::Sometimes(_) => (2, None),
        Expectation::Never(_) => (3, None),
        Expectation::SuccessRatio(_) => (4, None),
        Expectation::Throughput(_) => (5, None),
        Expectation::Latency { of, at, .. } => (6, Some((*of, *at))),
        Expectation::Share { .. } => (7, None),
        Expectation::Count { .. } => (8, None),
        Expectation::Eventually { .. } => (9, None),
        Expectation::Fault { .. } => (10, None),
    });
    Expectations { claims, violations }
}

fn figures(keys: &Reader<'_>, claims: &mut Vec<(Expectation, Place)>, problems: &mut Vec<Problem>) {
    let mut push = |key: &str, claim: Option<Expectation>| claims.extend(claim.map(|claim| (claim, keys.place_of(key))));
    if let Some(value) = keys.value("success_ratio") {
        push("success_ratio", bound(value, &[], "`>= 90%`", problems, Fraction::parse).map(Expectation::SuccessRatio));
    }
    if let Some(value) = keys.value("throughput") {
        let rate = |text: &str| text.parse::<Rate>().map_err(|error| error.to_string());
        push("throughput", bound(value, &[], "`>= 400/s`", problems, rate).map(Expectation::Throughput));
    }
    for (of, _) in LatencyOf::ALL {
        for (at, _) in Quantile::ALL {
            let key = latency_key(of, at);
            let Some(value) = keys.value(&key) else { continue };
            let span = |text: &str| text.parse::<Span>().map_err(|error| error.to_string());
            push(&key, bound(value, &[], "`<= 50ms`", problems, span).map(|bound| Expectation::Latency { of, at, bound }));
        }
    }
}

fn property(name: &str, place: &Place, subjects: &Subjects<'_>, problems: &mut Vec<Problem>) -> Option<Property> {
    if let Some(property) = Property::ALL.into_iter().find(|property| property.name() == name) {
        return judged(property, (name, place), subjects, problems);
    }
    let names: Vec<&str> = subjects.properties().map(Property::name).collect();
    let problem = Problem::error(place.clone(), format!("there is no property `{}`", name.escape_debug()));
    let breach = Property::find(name).map(|property| format!("that is the name of its breach; the property is `{}`", property.name()));
    problems.push(with(problem, breach.or_else(|| did_you_mean(name, &names))));
    None
}

/// The property, if the runs are judged by it.
fn judged(property: Property, (name, place): (&str, &Place), subjects: &Subjects<'_>, problems: &mut Vec<Problem>) -> Option<Property> {
    if !subjects.properties().any(|judged| judged == property) {
        let problem = Problem::error(place.clone(), format!("`{name}` is about logs, and there are none in this model"));
        problems.push(problem.hint("`deadletter list judges` says what each judge looks at"));
        return None;
    }
    Some(property)
}

/// A breach or a mark.
fn event(name: &str, place: &Place, subjects: &Subjects<'_>, problems: &mut Vec<Problem>) -> Option<Event> {
    if let Some(property) = Property::ALL.into_iter().find(|property| property.breach() == name) {
        return judged(property, (name, place), subjects, problems).map(Event::Breach);
    }
    let marks = subjects.marks?;
    if let Some((mark, _)) = marks.iter().find(|(mark, _)| *mark == name) {
        return Some(Event::Mark(mark));
    }
    let known: Vec<&str> = marks.iter().map(|(mark, _)| *mark).chain(subjects.properties().map(Property::breach)).collect();
    let problem = Problem::error(place.clone(), format!("there is no mark or breach `{}`", name.escape_debug()));
    let kept = Property::find(name).map(|property| format!("that is a property; its breach is `{}`", property.breach()));
    problems.push(with(problem, kept.or_else(|| did_you_mean(name, &known))));
    None
}

/// `>= VALUE`, with words that may follow.
fn bound<T>(
    value: &Value,
    words: &[&str],
    example: &str,
    problems: &mut Vec<Problem>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Bound<T>> {
    let text = value.as_text()?.trim();
    let Some((how, sign)) = Comparison::ALL.into_iter().find(|(_, sign)| text.starts_with(sign)) else {
        let problem = Problem::error(value.place.clone(), format!("`{}` compares nothing", text.escape_debug()));
        problems.push(problem.hint(format!("write it like {example}; the signs are >=, <=, >, < and =")));
        return None;
    };
    let rest = text[sign.len()..].trim();
    let rest = words.iter().find_map(|word| rest.strip_suffix(word)).unwrap_or(rest);
    match read(rest.trim()) {
        Ok(read) => Some(Bound { how, value: read }),
        Err(why) => {
            let (what, hint) = why.split_once("; ").unwrap_or((&why, ""));
            let hint = if hint.is_empty() { format!("write it like {example}") } else { hint.to_owned() };
            problems.push(Problem::error(value.place.clone(), what).hint(hint));
            None
        }
    }
}

fn eventually(key: &Key, value: &Value, subjects: &Subjects<'_>, problems: &mut Vec<Problem>) -> Option<Expectation> {
    let property = property(&key.name, &key.place, subjects, problems);
    let text = value.as_text()?.trim();
    let rest = text.strip_suffix("after heal").or_else(|| text.strip_suffix("after healing"));
    let Some(rest) = rest else {
        let problem = Problem::error(value.place.clone(), format!("`{}` does not say after what", text.escape_debug()));
        problems.push(problem.hint("write it like `30s after heal`"));
        return None;
    };
    let within = match rest.trim().parse::<Span>() {
        Ok(within) => within,
        Err(error) => {
            problems.push(Problem::error(value.place.clone(), error.to_string()).hint("write it like `30s after heal`"));
            return None;
        }
    };
    if property == Some(Property::Drained) || property.is_none() {
        if !subjects.heals {
            problems.push(Problem::error(value.place.clone(), "there is no time after healing: heal and drain are zero"));
        }
        return property.map(|property| Expectation::Eventually { property, within });
    }
    let problem = Problem::error(key.place.clone(), format!("`{}` is judged over the whole run, not from some moment on", key.name));
    problems.push(problem.hint("only `drained` comes eventually; write the others under `always`"));
    None
}

fn fate(key: &Key, value: &Value, subjects: &Subjects<'_>, problems: &mut Vec<Problem>) -> Option<Expectation> {
    let (fate, _) = FaultFate::ALL.into_iter().find(|(_, name)| value.as_text() == Some(name))?;
    if let Some(faults) = subjects.faults
        && !faults.contains(&key.name)
    {
        let known: Vec<&str> = faults.iter().map(String::as_str).collect();
        let problem = Problem::error(key.place.clone(), format!("no fault is called `{}`", key.name.escape_debug()));
        problems.push(with(problem, did_you_mean(&key.name, &known)));
        return None;
    }
    Some(Expectation::Fault { name: key.name.clone(), fate })
}

/// The property or mark that a claim about occurrence is about, and whether the claim forbids it.
fn about(claim: &Expectation) -> Option<(Event, bool)> {
    match claim {
        Expectation::Always(property) => Some((Event::Breach(*property), true)),
        Expectation::Never(event) => Some((*event, true)),
        Expectation::Broken(property) => Some((Event::Breach(*property), false)),
        Expectation::Sometimes(event) => Some((*event, false)),
        Expectation::Share { .. }
        | Expectation::Count { .. }
        | Expectation::SuccessRatio(_)
        | Expectation::Throughput(_)
        | Expectation::Latency { .. }
        | Expectation::Eventually { .. }
        | Expectation::Fault { .. } => None,
    }
}

fn contradictions(claims: &[(Expectation, Place)], problems: &mut Vec<Problem>) {
    for (at, (claim, place)) in claims.iter().enumerate() {
        if claims[..at].iter().any(|(other, _)| other == claim) {
            problems.push(Problem::error(place.clone(), "this is expected twice"));
            continue;
        }
        let Some((event, forbidden)) = about(claim) else { continue };
        let against = claims[..at].iter().find(|(other, _)| about(other).is_some_and(|(one, no)| one == event && no != forbidden));
        if let Some((other, _)) = against {
            problems.push(Problem::error(place.clone(), format!("this contradicts `{other}`")));
        }
    }
}

/// The file's claims with an arm's own in the place of those about the same thing.
pub(super) fn inherit(file: &Expectations, own: Expectations, violations_written: bool) -> Expectations {
    let subject = |claim: &Expectation| {
        if let Expectation::Share { event, .. } | Expectation::Count { event, .. } = claim {
            return Some(*event);
        }
        if let Expectation::Eventually { property, .. } = claim {
            return Some(Event::Breach(*property));
        }
        about(claim).map(|(event, _)| event)
    };
    let same = |a: &Expectation, b: &Expectation| match (a, b) {
        (Expectation::SuccessRatio(_), Expectation::SuccessRatio(_)) | (Expectation::Throughput(_), Expectation::Throughput(_)) => true,
        (Expectation::Latency { of: a, at: x, .. }, Expectation::Latency { of: b, at: y, .. }) => a == b && x == y,
        (Expectation::Fault { name: a, .. }, Expectation::Fault { name: b, .. }) => a == b,
        (a, b) => subject(a).is_some() && subject(a) == subject(b),
    };
    let kept = file.claims.iter().filter(|claim| !own.claims.iter().any(|mine| same(claim, mine))).cloned();
    let violations = if violations_written { own.violations } else { file.violations };
    in_order(kept.chain(own.claims.iter().cloned()).collect(), violations)
}
