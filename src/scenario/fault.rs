//! `[phases]` and `[[fault]]`: from checked keys to declared faults, and whether they can do anything.

use crate::base::value::{Reader, Value, did_you_mean, law_text, thousandths_text};
use crate::base::{Law, Place, Problem, Span, Time};
use crate::load::Phases;
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};
use crate::record::Phase;

use super::keys::{ILLS, SHAPES};
use super::selector::{self, Scope, selector_text};
use super::with;

/// What faults are checked against.
pub(super) struct Setting<'a> {
    pub(super) scope: &'a Scope<'a>,
    /// The names of message kinds, if the model is known.
    pub(super) kinds: Option<&'a [&'static str]>,
    pub(super) phases: &'a Phases,
}

/// The phases; `None` when they are longer than virtual time.
pub(super) fn phases(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Phases> {
    let phases = Phases { warm: keys.span("warm")?, chaos: keys.span("chaos")?, heal: keys.span("heal")?, drain: keys.span("drain")? };
    let longest = Span::secs(100 * 365 * 86_400);
    if phases.total().is_none_or(|total| total > longest) {
        let place =
            ["warm", "chaos", "heal", "drain"].iter().find(|key| keys.has(key)).map_or(keys.place().clone(), |key| keys.place_of(key));
        problems.push(Problem::error(place, "the phases together last more than a hundred years"));
        return None;
    }
    if (phases.warm + phases.chaos + phases.heal).is_zero() {
        let problem = Problem::error(keys.place_of("chaos"), "there is no time for any load: warm, chaos and heal are all zero");
        problems.push(problem.hint("write at least `chaos = \"10s\"`"));
        return None;
    }
    Some(phases)
}

/// All faults, each with its table's place.
pub(super) fn read(tables: &[Reader<'_>], setting: &Setting<'_>, problems: &mut Vec<Problem>) -> Vec<Fault> {
    if let (Some(first), true) = (tables.first(), setting.phases.chaos.is_zero()) {
        let problem = Problem::error(first.place().clone(), "there are faults, but the chaos phase has no length");
        problems.push(problem.hint("faults act during chaos: write `[phases]` with `chaos = \"60s\"`"));
        return Vec::new();
    }
    let mut faults: Vec<Fault> = Vec::new();
    for keys in tables {
        let Some(mut fault) = one(keys, setting, problems) else { continue };
        let written = keys.has("name");
        if written && faults.iter().any(|other| other.name == fault.name) {
            problems.push(
                Problem::error(keys.place_of("name"), format!("two faults are called `{}`", fault.name))
                    .hint("give each a name of its own"),
            );
        }
        let plain = fault.name.clone();
        let mut number = 2;
        while !written && faults.iter().any(|other| other.name == fault.name) {
            fault.name = format!("{plain} ({number})");
            number += 1;
        }
        faults.push(fault);
    }
    faults
}

fn one(keys: &Reader<'_>, setting: &Setting<'_>, problems: &mut Vec<Problem>) -> Option<Fault> {
    let ill = which_ill(keys, problems).and_then(|key| ill(key, keys, setting, problems).map(|ill| (key, ill)));
    let when = when(keys, setting.phases, problems);
    let (key, ill) = ill?;
    let lasts = lasts(keys, key, problems);
    let when = when?;
    check_overlap(keys, (&when, lasts.as_ref()), problems);
    let name = keys.text("name").unwrap_or_else(|| made_name(key, &ill));
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        problems.push(Problem::error(keys.place_of("name"), "a fault's name is one line of text").hint("leave it out, and it gets one"));
    }
    Some(Fault { name, ill, when, lasts })
}

/// The one key that says what goes wrong.
fn which_ill(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<&'static str> {
    let found: Vec<&'static str> = ILLS.into_iter().filter(|ill| keys.has(ill)).collect();
    match found.as_slice() {
        [one] => Some(one),
        [] if keys.has_unknown() => None,
        [] => {
            let problem = Problem::error(keys.place().clone(), "this fault does not say what goes wrong");
            problems.push(problem.hint(format!("write one of: {}", ILLS.join(", "))));
            None
        }
        [first, second, ..] => {
            let problem =
                Problem::error(keys.place_of(second), format!("`{second}` beside `{first}`: a fault is one thing that goes wrong"));
            problems.push(problem.hint("write a second `[[fault]]`"));
            None
        }
    }
}

fn when(keys: &Reader<'_>, phases: &Phases, problems: &mut Vec<Problem>) -> Option<When> {
    let renewal = keys.has("mtbf") || keys.has("mttr");
    let laws: Vec<&str> = ["at", "every"].into_iter().filter(|key| keys.has(key)).chain(renewal.then_some("mtbf")).collect();
    let (first_stray, stray) = (["first", "until"].into_iter().find(|key| keys.has(key)), !keys.has("every"));
    if let (Some(key), true) = (first_stray, stray) {
        problems.push(
            Problem::error(keys.place_of(key), format!("`{key}` belongs to `every`")).hint("write `every = \"5s\"`, or leave it out"),
        );
    }
    if keys.has("behind") && !keys.has("at") {
        problems.push(Problem::error(keys.place_of("behind"), "`behind` belongs to `at`").hint("write `at = \"10s\"`, or leave it out"));
    }
    match laws.as_slice() {
        [one] => match *one {
            "at" => at(keys, phases, problems),
            "every" => every(keys, phases, problems),
            _ => renews(keys, phases, problems),
        },
        [] if keys.has_unknown() => None,
        [] => {
            let problem = Problem::error(keys.place().clone(), "this fault does not say when");
            problems.push(problem.hint("write `at = \"10s\"`, `every = \"5s\"`, or `mtbf` and `mttr`"));
            None
        }
        [first, second, ..] => {
            problems.push(Problem::error(keys.place_of(second), format!("`{second}` beside `{first}`: a fault has one law of time")));
            None
        }
    }
}

fn at(keys: &Reader<'_>, phases: &Phases, problems: &mut Vec<Problem>) -> Option<When> {
    let value = keys.value("at")?;
    let single = [value.clone()];
    let items: &[Value] = value.as_list().unwrap_or(&single);
    if items.is_empty() {
        problems.push(Problem::error(value.place.clone(), "this fault never strikes: the list is empty"));
        return None;
    }
    let mut times = Vec::new();
    for item in items {
        let at = Time::ZERO + item.as_text()?.parse::<Span>().ok()?;
        check_moment(at, &item.place, phases, problems)?;
        times.push(at);
    }
    if !times.is_sorted_by(|a, b| a < b) {
        problems.push(Problem::error(value.place.clone(), "the moments are not in order of time"));
    }
    if let Some(events) = keys.count("behind").and_then(|events| u32::try_from(events).ok()) {
        let [at] = times.as_slice() else {
            let problem = Problem::error(keys.place_of("behind"), "`behind` counts the events of one moment, and here are several");
            problems.push(problem.hint("write a `[[fault]]` for each"));
            return None;
        };
        return Some(When::Behind { at: *at, events });
    }
    Some(When::At(times))
}

/// Whether a moment lies in the chaos phase.
fn check_moment(at: Time, place: &Place, phases: &Phases, problems: &mut Vec<Problem>) -> Option<()> {
    let (start, end) = (phases.start(Phase::Chaos), phases.start(Phase::Heal));
    let problem = |what: String| Problem::error(place.clone(), what);
    if at < start {
        let hint = format!("faults act from {start} to {end}, counted from time zero; or shorten `warm`");
        problems.push(problem(format!("{at} is in the warm-up, before faults act")).hint(hint));
        return None;
    }
    if at >= phases.start(Phase::Final) {
        problems.push(
            problem(format!("{at} is after the end of the run")).hint(format!("faults act from {start} to {end}, counted from time zero")),
        );
        return None;
    }
    if at >= end {
        let hint = format!("faults act from {start} to {end}, counted from time zero; or lengthen `chaos`");
        problems.push(problem(format!("{at} is after the end of chaos, when all faults are lifted")).hint(hint));
        return None;
    }
    Some(())
}

fn every(keys: &Reader<'_>, phases: &Phases, problems: &mut Vec<Problem>) -> Option<When> {
    let gap = keys.law("every")?;
    let mean = gap.mean();
    if mean.is_some_and(Span::is_zero) {
        problems.push(Problem::error(keys.place_of("every"), "an interval has some length"));
        return None;
    }
    let start = phases.start(Phase::Chaos);
    let first = if let Some(first) = keys.span("first") {
        let first = Time::ZERO + first;
        check_moment(first, &keys.place_of("first"), phases, problems)?;
        first
    } else {
        let first = start + mean.unwrap_or(Span::ZERO);
        if first >= phases.start(Phase::Heal) {
            let problem = Problem::error(
                keys.place_of("every"),
                format!("the first strike, one interval after chaos begins, is at {first}: chaos is over"),
            );
            problems.push(problem.hint("say when it strikes first: `first = \"…\"`"));
            return None;
        }
        first
    };
    let until = keys.span("until").map(|until| Time::ZERO + until);
    if let Some(until) = until.filter(|until| *until < first) {
        problems.push(Problem::error(
            keys.place_of("until"),
            format!("this fault never strikes: `until` ({until}) is before the first time ({first})"),
        ));
        return None;
    }
    Some(When::Every { first, gap, until })
}

fn renews(keys: &Reader<'_>, phases: &Phases, problems: &mut Vec<Problem>) -> Option<When> {
    for (key, other) in [("mtbf", "mttr"), ("mttr", "mtbf")] {
        if !keys.has(key) {
            let problem = Problem::error(keys.place_of(other), format!("`{other}` without `{key}`"));
            problems.push(problem.hint("failures come after `mtbf`, repairs after `mttr`"));
            return None;
        }
    }
    if let Some(key) = ["lasts", "back_after"].into_iter().find(|key| keys.has(key)) {
        problems
            .push(Problem::error(keys.place_of(key), format!("`{key}` beside `mttr`, which says the same")).hint("leave one of them out"));
    }
    // A bare span is the mean of an exponential law: failures without memory.
    let law = |key: &str| {
        let law = keys.law(key)?;
        let bare = keys.value(key).is_some_and(|value| value.as_text().is_some());
        if let Law::Constant(mean) = law
            && bare
            && !mean.is_zero()
        {
            return Some(Law::Exponential { floor: Span::ZERO, mean });
        }
        Some(law)
    };
    let (mtbf, mttr) = (law("mtbf")?, law("mttr")?);
    for (key, law) in [("mtbf", &mtbf), ("mttr", &mttr)] {
        if law.mean().is_some_and(Span::is_zero) {
            problems.push(Problem::error(keys.place_of(key), format!("`{key}` has some length")));
            return None;
        }
    }
    if let (Some(up), Some(down)) = (mtbf.mean(), mttr.mean()) {
        if up < down {
            let what = format!("the mean time to failure ({up}) is below the mean time to repair ({down}): it is down most of the time");
            problems.push(Problem::warning(keys.place_of("mtbf"), what).hint("were the two exchanged?"));
        }
        if up > phases.chaos * 10 {
            let what = format!("with a mean of {up} between failures, most runs have none: chaos lasts {}", phases.chaos);
            problems.push(Problem::warning(keys.place_of("mtbf"), what));
        }
    }
    Some(When::Renewal { mtbf, mttr })
}

/// How long it acts.
fn lasts(keys: &Reader<'_>, ill: &str, problems: &mut Vec<Problem>) -> Option<Law> {
    let down = matches!(ill, "kill" | "power_off" | "wipe" | "torn_write");
    if keys.has("lasts") && keys.has("back_after") {
        problems.push(
            Problem::error(keys.place_of("back_after"), "`back_after` beside `lasts`, which says the same").hint("leave one of them out"),
        );
    }
    if keys.has("back_after") && !down {
        let problem = Problem::error(keys.place_of("back_after"), format!("nothing comes back after `{ill}`: no node goes down"));
        problems.push(problem.hint("did you mean `lasts`?"));
    }
    let key = ["lasts", "back_after"].into_iter().find(|key| keys.has(key))?;
    if ill == "flip_bits" {
        problems.push(Problem::error(keys.place_of(key), "bits flip in one moment and stay flipped").hint(format!("leave `{key}` out")));
        return None;
    }
    let law = keys.law(key)?;
    if law.mean().is_some_and(Span::is_zero) && !down {
        problems.push(Problem::error(keys.place_of(key), "a fault that lasts no time does nothing"));
    }
    Some(law)
}

/// Strikes that come while the one before still acts.
fn check_overlap(keys: &Reader<'_>, (when, lasts): (&When, Option<&Law>), problems: &mut Vec<Problem>) {
    if let (When::Every { gap: Law::Constant(gap), .. }, Some(Law::Constant(lasts))) = (when, lasts)
        && lasts >= gap
    {
        let what = format!("each strike lasts {lasts}, but the next comes after {gap}: it never ends before healing");
        problems.push(Problem::warning(keys.place_of("every"), what));
    }
}

fn ill(key: &'static str, keys: &Reader<'_>, setting: &Setting<'_>, problems: &mut Vec<Problem>) -> Option<Ill> {
    let simple = |problems: &mut Vec<Problem>| selector::read(keys.value(key)?, setting.scope, problems);
    match key {
        "kill" => simple(problems).map(Ill::Kill),
        "power_off" => simple(problems).map(Ill::PowerOff),
        "wipe" => simple(problems).map(Ill::Wipe),
        "pause" => simple(problems).map(Ill::Pause),
        "freeze" => simple(problems).map(Ill::Freeze),
        "disk_stall" => simple(problems).map(Ill::DiskStall),
        "torn_write" => simple(problems).map(Ill::TornWrite),
        "disk_full" => simple(problems).map(Ill::DiskFull),
        "cut" => cut(&keys.table(key)?, setting.scope, problems).map(Ill::Cut),
        _ => with_table(key, &keys.table(key)?, setting, problems),
    }
}

/// A selector behind a key of a fault's own table; `all` where it is left out.
fn whom(keys: &Reader<'_>, key: &str, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<Selector> {
    match keys.value(key) {
        Some(value) => selector::read(value, scope, problems),
        None => Some(Selector::All),
    }
}

fn with_table(key: &'static str, keys: &Reader<'_>, setting: &Setting<'_>, problems: &mut Vec<Problem>) -> Option<Ill> {
    let scope = setting.scope;
    if matches!(key, "jam" | "drop" | "clog") {
        let (from, to) = (whom(keys, "from", scope, problems), whom(keys, "to", scope, problems));
        return match key {
            "jam" => Some(Ill::Jam { from: from?, to: to?, extra: keys.law("extra")? }),
            "drop" => {
                let kind = keys.text("kind");
                check_kind(keys, kind.as_deref(), setting.kinds, problems);
                never(keys, "chance", problems);
                Some(Ill::Drop { from: from?, to: to?, kind, chance: keys.chance("chance")? })
            }
            _ => Some(Ill::Clog { from: from?, to: to? }),
        };
    }
    let who = selector::read(keys.value("who")?, scope, problems);
    match key {
        "slow" => {
            let factor_milli = u32::try_from(keys.thousandths("factor")?).ok()?;
            if factor_milli == 1000 {
                problems.push(Problem::error(keys.place_of("factor"), "a factor of 1 changes nothing").hint("4 is four times slower"));
            }
            Some(Ill::Slow { who: who?, factor_milli })
        }
        "sync_fails" => {
            never(keys, "chance", problems);
            Some(Ill::SyncFails { who: who?, chance: keys.chance("chance")? })
        }
        "flip_bits" => Some(Ill::FlipBits { who: who?, count: u32::try_from(keys.count("count")?).ok()? }),
        "clock_step" => {
            let by = keys.signed_span("by")?;
            if by == 0 {
                problems.push(Problem::error(keys.place_of("by"), "a step of no length changes nothing"));
            }
            Some(Ill::ClockStep { who: who?, by })
        }
        "clock_drift" => {
            let ppm = i32::try_from(keys.integer("ppm")?).ok()?;
            if ppm == 0 {
                problems.push(Problem::error(keys.place_of("ppm"), "a drift of 0 changes nothing"));
            }
            Some(Ill::ClockDrift { who: who?, ppm })
        }
        other => unreachable!("`{other}` is an ill with a table"),
    }
}

fn never(keys: &Reader<'_>, key: &str, problems: &mut Vec<Problem>) {
    if keys.chance(key).is_some_and(crate::base::Chance::is_never) {
        problems.push(Problem::error(keys.place_of(key), "a fault with a chance of 0 does nothing"));
    }
}

fn check_kind(keys: &Reader<'_>, kind: Option<&str>, kinds: Option<&[&'static str]>, problems: &mut Vec<Problem>) {
    if let (Some(kind), Some(kinds)) = (kind, kinds)
        && !kinds.contains(&kind)
    {
        let problem = Problem::error(keys.place_of("kind"), format!("this model has no message kind `{kind}`"));
        problems.push(with(problem, did_you_mean(kind, kinds)));
    }
}

fn cut(keys: &Reader<'_>, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<Cut> {
    let found: Vec<&'static str> = SHAPES.into_iter().filter(|shape| keys.has(shape)).collect();
    let shape = match found.as_slice() {
        [one] => *one,
        [] if keys.has_unknown() => return None,
        [] => {
            let problem = Problem::error(keys.place().clone(), "this cut does not say between whom");
            problems.push(problem.hint(format!("write one of: {}", SHAPES.join(", "))));
            return None;
        }
        [first, second, ..] => {
            problems.push(Problem::error(keys.place_of(second), format!("`{second}` beside `{first}`: a cut has one shape")));
            return None;
        }
    };
    if !matches!(shape, "halves" | "between" | "isolate") && keys.has("others") {
        let problem = Problem::error(keys.place_of("others"), format!("`{shape}` has no sides for others to stand on"));
        problems.push(problem.hint("leave `others` out"));
    }
    let others = match (keys.has("others").then(|| keys.choice("others")).flatten(), shape) {
        // Whoever is isolated is isolated from all, unless it is said of whom not.
        (Some("second"), _) | (None, "isolate") => Others::Second,
        (Some("first"), _) => Others::First,
        (Some("split"), _) => Others::Split,
        (_, _) => Others::Untouched,
    };
    Some(Cut { shape: cut_shape(shape, keys, scope, problems)?, others })
}

fn cut_shape(shape: &'static str, keys: &Reader<'_>, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<CutShape> {
    match shape {
        "between" => {
            let keys = keys.table(shape)?;
            let (a, b) = (whom(&keys, "a", scope, problems), whom(&keys, "b", scope, problems));
            let (a, b) = (a?, b?);
            if let (Some(one), Some(two)) = (scope.resolve(&a), scope.resolve(&b))
                && one.intersection(&two).next().is_some()
            {
                problems.push(Problem::error(keys.place_of("b"), "some nodes stand on both sides of this cut"));
            }
            Some(CutShape::Between { a, b })
        }
        "one_way" => {
            let keys = keys.table(shape)?;
            let (from, to) = (whom(&keys, "from", scope, problems), whom(&keys, "to", scope, problems));
            Some(CutShape::OneWay { from: from?, to: to? })
        }
        "pairs" => {
            let pair = |keys: &Reader<'_>, problems: &mut Vec<Problem>| {
                Some((whom(keys, "from", scope, problems)?, whom(keys, "to", scope, problems)?))
            };
            if keys.list("pairs").is_empty() {
                let problem = Problem::error(keys.place_of("pairs"), "this cut names no pair: the list is empty");
                problems.push(problem.hint("write it like `pairs = [{ from = \"b1\", to = \"b2\" }]`"));
                return None;
            }
            keys.tables("pairs").iter().map(|keys| pair(keys, problems)).collect::<Option<Vec<_>>>().map(CutShape::Pairs)
        }
        "link" => link(keys, scope, problems).map(CutShape::Link),
        _ => {
            let value = keys.value(shape)?;
            let who = selector::read(value, scope, problems)?;
            let least = match shape {
                "halves" => 2,
                "isolate" => 1,
                _ => 3,
            };
            if let Some(there) = scope.resolve(&who).map(|nodes| nodes.len()).filter(|there| *there < least) {
                problems.push(Problem::error(value.place.clone(), format!("`{shape}` needs at least {least} nodes, and here are {there}")));
            }
            if shape == "isolate" && keys.choice("others") == Some("untouched") && keys.has("others") && scope.is_alone(&who) {
                let problem = Problem::error(value.place.clone(), "this cuts nothing: there is no other node of the same group");
                problems.push(problem.hint("leave `others` out to isolate from everyone"));
            }
            Some(match shape {
                "halves" => CutShape::Halves(who),
                "isolate" => CutShape::Isolate(who),
                "majorities_ring" => CutShape::MajoritiesRing(who),
                _ => CutShape::Bridge(who),
            })
        }
    }
}

/// A link by its name: a declared one, or one that zones and regions imply (`a-b`).
fn link(keys: &Reader<'_>, scope: &Scope<'_>, problems: &mut Vec<Problem>) -> Option<String> {
    let name = keys.text("link")?;
    if !scope.has_link(&name) {
        let known = scope.links();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let problem = Problem::error(keys.place_of("link"), format!("there is no link `{name}`"));
        problems.push(with(problem, did_you_mean(&name, &known)));
        return None;
    }
    Some(name)
}

/// A name for a fault that has none: what it does to whom.
fn made_name(key: &str, ill: &Ill) -> String {
    let whom = match ill {
        Ill::Kill(who)
        | Ill::PowerOff(who)
        | Ill::Wipe(who)
        | Ill::Pause(who)
        | Ill::Freeze(who)
        | Ill::DiskStall(who)
        | Ill::TornWrite(who)
        | Ill::DiskFull(who)
        | Ill::SyncFails { who, .. }
        | Ill::FlipBits { who, .. }
        | Ill::ClockStep { who, .. }
        | Ill::ClockDrift { who, .. } => selector_text(who),
        Ill::Slow { who, factor_milli } => format!("{} by {}", selector_text(who), thousandths_text(u64::from(*factor_milli))),
        Ill::Jam { from, to, extra } => format!("{} to {} by {}", selector_text(from), selector_text(to), law_text(extra).replace('"', "")),
        Ill::Drop { from, to, .. } | Ill::Clog { from, to } => format!("{} to {}", selector_text(from), selector_text(to)),
        Ill::Cut(cut) => match &cut.shape {
            CutShape::Halves(who) => format!("halves of {}", selector_text(who)),
            CutShape::Isolate(who) => format!("off {}", selector_text(who)),
            CutShape::MajoritiesRing(who) => format!("ring of {}", selector_text(who)),
            CutShape::Bridge(who) => format!("bridge in {}", selector_text(who)),
            CutShape::Between { a, b } => format!("{} from {}", selector_text(a), selector_text(b)),
            CutShape::OneWay { from, to } => format!("{} to {}", selector_text(from), selector_text(to)),
            CutShape::Link(name) => format!("link {name}"),
            CutShape::Pairs(pairs) => {
                let pair = |(from, to): &(Selector, Selector)| format!("{} to {}", selector_text(from), selector_text(to));
                pairs.iter().map(pair).collect::<Vec<_>>().join(", ")
            }
        },
    };
    format!("{} {whom}", key.replace('_', " "))
}
