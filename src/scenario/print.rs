//! Plans back as scenario files, with every default written out.

use std::fmt::Write as _;

use crate::base::value::{Table, bytes_text, key_text, law_text, moment_text, quoted, thousandths_text};
use crate::base::{Law, Span};
use crate::load::{Arrivals, ClientChoice, Keys, Listed, LoadStream, OpKind, Sizes};
use crate::parts::config::{LinkConfig, LinkLaw, MachineConfig, NetworkConfig};
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};

use crate::world::NamedOverride;

use super::capsule::{CapsuleNote, FORMAT};
use super::expect::{Event, Expectation, Expectations, Violations, latency_key};
use super::plan::{ArmPlan, Plan};
use super::selector::selector_text;
use super::toml_text::{Difference, differences};

/// The whole file.
pub(super) fn plan(plan: &Plan) -> String {
    let mut out = run(plan);
    if let Some(note) = &plan.capsule {
        section(&mut out, "capsule", &capsule(note));
    }
    out
}

/// Everything but the note of a capsule.
pub(super) fn run(plan: &Plan) -> String {
    let mut out = format!("# {}\n# {}\n", plan.question, plan.answer);
    let Some((main, arms)) = plan.arms.split_first() else { return out };
    let own = settings(main);
    out.push_str(&own);
    section(&mut out, "expect", &expectations(&main.expectations));
    for arm in arms {
        section(&mut out, "[arm]", &[("name", quoted(&arm.name))]);
        let set = changes(&own, &settings(arm)).into_iter().map(|change| (quoted(&change.key), change.value));
        lines(&mut out, "arm.set", set);
        let mut expected = vec![("inherit".to_owned(), "false".to_owned())];
        expected.extend(expectations(&arm.expectations));
        lines(&mut out, "arm.expect", expected);
    }
    section(&mut out, "seeds", &[("first", plan.seeds.first.to_string()), ("count", plan.seeds.count.to_string())]);
    out
}

/// What must be set in one file's settings to get another's.
pub(super) fn changes(from: &str, to: &str) -> Vec<Difference> {
    let read = |text: &str| {
        let (table, problems) = Table::parse("printed", text);
        assert!(problems.is_empty(), "a printed plan is TOML: {problems:?}\n{text}");
        table
    };
    differences(&read(from), &read(to))
}

/// The digest comes last: a file that was cut off lacks it, and cannot be taken for a whole one.
fn capsule(note: &CapsuleNote) -> Entries {
    let mut entries = vec![("format", FORMAT.to_string())];
    entries.extend((!note.version.is_empty()).then(|| ("version", quoted(&note.version))));
    entries.extend((!note.from.is_empty()).then(|| ("from", quoted(&note.from))));
    entries.extend([("verdict", quoted(note.verdict.name())), ("of", quoted(note.of.name()))]);
    entries.extend(note.plan.as_ref().map(|plan| ("plan", quoted(plan))));
    entries.push(("digest", text(note.digest)));
    entries
}

/// Everything but expectations and seeds.
pub(super) fn settings(arm: &ArmPlan) -> String {
    settings_with(arm, &arm.model.print())
}

/// The same with another text in the model's table.
pub(super) fn settings_with(arm: &ArmPlan, model: &str) -> String {
    let mut out = format!("\n[model.{}]\n{}\n", arm.model.model().name(), model.trim_end());
    for (stream, trace) in arm.load.streams.iter().zip(&arm.traces) {
        section(&mut out, "[load]", &load(stream, trace.as_deref()));
    }
    for one in &arm.load.listed {
        section(&mut out, "[operation]", &operation(one));
    }
    network(&mut out, &arm.surroundings.network);
    for (name, machine) in &arm.surroundings.machines {
        let name = if name == "*" { "all" } else { name };
        section(&mut out, &format!("node.{}", key_text(name)), &node(machine));
    }
    let phases = &arm.phases;
    let spans = [("warm", phases.warm), ("chaos", phases.chaos), ("heal", phases.heal), ("drain", phases.drain)];
    section(&mut out, "phases", &spans.map(|(key, span)| (key, text(span))));
    for one in arm.surroundings.faults.iter() {
        section(&mut out, "[fault]", &fault(one));
    }
    for one in arm.surroundings.overrides.iter() {
        section(&mut out, "[override]", &named(one));
    }
    out
}

fn section<K: AsRef<str>>(out: &mut String, header: &str, entries: &[(K, String)]) {
    lines(out, header, entries.iter().map(|(key, value)| (key.as_ref().to_owned(), value.clone())));
}

fn lines(out: &mut String, header: &str, entries: impl IntoIterator<Item = (String, String)>) {
    // `[arm]` is a list's header: one more pair of brackets.
    let _ = writeln!(out, "\n[{header}]");
    for (key, value) in entries {
        let _ = writeln!(out, "{key} = {value}");
    }
}

type Entries = Vec<(&'static str, String)>;

fn text(value: impl std::fmt::Display) -> String {
    quoted(&value.to_string())
}

fn braces(entries: &[(&'static str, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

fn texts<'t>(items: impl IntoIterator<Item = &'t String>) -> String {
    format!("[{}]", items.into_iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}

fn load(stream: &LoadStream, trace: Option<&str>) -> Entries {
    let op = match stream.op {
        OpKind::Publish => "publish",
        OpKind::Request => "request",
    };
    let clients = match stream.clients {
        ClientChoice::RoundRobin => "round_robin",
        ClientChoice::ByKey => "by_key",
        ClientChoice::Random => "random",
    };
    let mut entries = vec![
        ("to", quoted(&stream.to)),
        ("op", quoted(op)),
        ("arrivals", arrivals(&stream.arrivals, trace)),
        ("keys", keys(&stream.keys)),
        ("size", size(&stream.size)),
        ("clients", quoted(clients)),
    ];
    entries.extend(stream.limit.map(|limit| ("limit", limit.to_string())));
    entries
}

fn operation(one: &Listed) -> Entries {
    vec![
        ("payload", one.payload.0.to_string()),
        ("at", moment_text(one.at)),
        ("client", quoted(&one.client)),
        ("to", quoted(&one.to)),
        ("key", one.key.0.to_string()),
        ("size", quoted(&bytes_text(u64::from(one.bytes)))),
    ]
}

fn arrivals(arrivals: &Arrivals, trace: Option<&str>) -> String {
    let law = |name: &str| ("law", quoted(name));
    braces(&match arrivals {
        Arrivals::Constant { rate } => vec![law("constant"), ("rate", text(rate))],
        Arrivals::Poisson { rate } => vec![law("poisson"), ("rate", text(rate))],
        Arrivals::Bursts { rate_high, rate_low, on, off } => {
            vec![law("bursts"), ("rate_high", text(rate_high)), ("rate_low", text(rate_low)), ("on", law_text(on)), ("off", law_text(off))]
        }
        Arrivals::Diurnal { mean, amplitude, period, peak_at } => {
            vec![law("diurnal"), ("mean", text(mean)), ("amplitude", text(amplitude)), ("period", text(period)), ("peak_at", text(peak_at))]
        }
        Arrivals::Steps(steps) => {
            let steps: Vec<String> = steps.iter().map(|(at, rate)| braces(&[("at", moment_text(*at)), ("rate", text(rate))])).collect();
            vec![law("steps"), ("steps", format!("[{}]", steps.join(", ")))]
        }
        Arrivals::Trace(_) => vec![law("trace"), ("file", quoted(trace.unwrap_or_default()))],
        Arrivals::Closed { users, think } => vec![law("closed"), ("users", users.to_string()), ("think", law_text(think))],
    })
}

fn keys(keys: &Keys) -> String {
    let law = |name: &str| ("law", quoted(name));
    braces(&match keys {
        Keys::Uniform { count } => vec![law("uniform"), ("count", count.to_string())],
        Keys::Zipf { count, exponent_milli } => {
            vec![law("zipf"), ("count", count.to_string()), ("exponent", thousandths_text(u64::from(*exponent_milli)))]
        }
        Keys::Hot { count, hot, share } => {
            vec![law("hot"), ("count", count.to_string()), ("hot", hot.to_string()), ("share", text(share))]
        }
        Keys::Sequential { count } => vec![law("sequential"), ("count", count.to_string())],
        Keys::FromTrace => vec![law("trace")],
    })
}

fn size(size: &Sizes) -> String {
    let law = |name: &str| ("law", quoted(name));
    let bytes = |bytes: u32| quoted(&bytes_text(u64::from(bytes)));
    match size {
        Sizes::Constant(size) => bytes(*size),
        Sizes::Uniform { low, high } => braces(&[law("uniform"), ("low", bytes(*low)), ("high", bytes(*high))]),
        Sizes::Mix(parts) => {
            let parts: Vec<String> =
                parts.iter().map(|(size, weight)| braces(&[("bytes", bytes(*size)), ("weight", weight.to_string())])).collect();
            braces(&[law("mix"), ("of", format!("[{}]", parts.join(", ")))])
        }
        Sizes::FromTrace => braces(&[law("trace")]),
    }
}

fn link(law: &LinkLaw) -> Entries {
    let mut entries = vec![("delay", law_text(&law.delay))];
    entries.extend(law.jitter.as_ref().map(|jitter| ("jitter", law_text(jitter))));
    entries.push(("loss", text(law.loss)));
    entries.extend(law.burst.as_ref().map(|burst| {
        let burst = [
            ("good", text(burst.good)),
            ("bad", text(burst.bad)),
            ("loss_good", text(burst.loss_good)),
            ("loss_bad", text(burst.loss_bad)),
        ];
        ("burst", braces(&burst))
    }));
    entries.push(("duplicate", text(law.duplicate)));
    entries.extend(
        law.reorder.as_ref().map(|reorder| ("reorder", braces(&[("chance", text(reorder.chance)), ("hold", law_text(&reorder.hold))]))),
    );
    entries.extend(
        law.corrupt
            .as_ref()
            .map(|corrupt| ("corrupt", braces(&[("chance", text(corrupt.chance)), ("checksum", corrupt.checksum.to_string())]))),
    );
    entries.extend(law.bandwidth.as_ref().map(|bandwidth| {
        let mut entries = vec![("rate", quoted(&format!("{}/s", bytes_text(bandwidth.bytes_per_second))))];
        entries.extend(bandwidth.queue_bytes.map(|queue| ("queue", quoted(&bytes_text(queue)))));
        ("bandwidth", braces(&entries))
    }));
    entries
}

fn network(out: &mut String, network: &NetworkConfig) {
    let mut top = link(&network.within);
    if !network.switches.is_empty() {
        top.push(("switches", texts(&network.switches)));
    }
    section(out, "network", &top);
    section(out, "network.between_zones", &link(&network.between_zones));
    section(out, "network.between_regions", &link(&network.between_regions));
    for zone in &network.zones {
        let mut entries = vec![("hosts", texts(&zone.hosts))];
        entries.extend(zone.region.as_ref().map(|region| ("region", quoted(region))));
        section(out, &format!("network.zone.{}", key_text(&zone.name)), &entries);
    }
    for LinkConfig { name, from, to, there, back } in &network.links {
        let entries = [
            ("name", quoted(name)),
            ("from", quoted(from)),
            ("to", quoted(to)),
            ("there", braces(&link(there))),
            ("back", braces(&link(back))),
        ];
        section(out, "[network.link]", &entries);
    }
    let stream = &network.stream;
    let entries = [
        ("retransmit_first", text(stream.retransmit_first)),
        ("retransmit_max", text(stream.retransmit_max)),
        ("give_up", text(stream.give_up)),
        ("connect_timeout", text(stream.connect_timeout)),
        ("window", quoted(&bytes_text(stream.window))),
    ];
    section(out, "network.stream", &entries);
}

fn node(machine: &MachineConfig) -> Entries {
    let cpu = machine.cpu.as_ref().map_or_else(
        || quoted("none"),
        |cpu| {
            let queue = cpu.queue.map_or_else(|| quoted("unbounded"), |queue| queue.to_string());
            braces(&[("servers", cpu.servers.to_string()), ("queue", queue), ("service", law_text(&cpu.service))])
        },
    );
    let disk = &machine.disk;
    let disk = [
        ("sync", law_text(&disk.sync)),
        ("writeback", disk.writeback.map_or_else(|| quoted("never"), text)),
        ("capacity", disk.capacity.map_or_else(|| quoted("unbounded"), |bytes| quoted(&bytes_text(bytes)))),
    ];
    let clock = [("skew", signed(machine.clock.skew)), ("drift_ppm", machine.clock.drift_ppm.to_string())];
    vec![("cpu", cpu), ("disk", braces(&disk)), ("clock", braces(&clock)), ("boot", text(machine.boot))]
}

fn signed(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    quoted(&format!("{sign}{}", Span::nanos(nanos.unsigned_abs())))
}

fn fault(fault: &Fault) -> Entries {
    let mut entries = vec![("name", quoted(&fault.name))];
    match &fault.when {
        When::At(times) => match times.as_slice() {
            [at] => entries.push(("at", moment_text(*at))),
            several => entries.push(("at", format!("[{}]", several.iter().map(|at| moment_text(*at)).collect::<Vec<_>>().join(", ")))),
        },
        When::Behind { at, events } => entries.extend([("at", moment_text(*at)), ("behind", events.to_string())]),
        When::Every { first, gap, until } => {
            entries.extend([("every", law_text(gap)), ("first", moment_text(*first))]);
            entries.extend(until.map(|until| ("until", moment_text(until))));
        }
        When::Renewal { mtbf, mttr } => entries.extend([("mtbf", renewal(mtbf)), ("mttr", renewal(mttr))]),
    }
    entries.extend(fault.lasts.as_ref().map(|lasts| ("lasts", law_text(lasts))));
    entries.push(ill(&fault.ill));
    entries
}

fn named(one: &NamedOverride) -> Entries {
    let mut entries = vec![
        ("from", quoted(&one.from)),
        ("to", quoted(&one.to)),
        ("kind", quoted(&one.kind)),
        ("about", if i64::try_from(one.subject).is_ok() { one.subject.to_string() } else { text(one.subject) }),
        ("attempt", one.attempt.to_string()),
        ("resend", one.resend.to_string()),
    ];
    entries.extend(one.outcome.drop.map(|drop| ("drop", drop.to_string())));
    entries.extend(one.outcome.delay.map(|delay| ("delay", text(delay))));
    entries.extend(one.outcome.duplicate.map(|twice| ("duplicate", twice.to_string())));
    entries.extend(one.outcome.damage.map(|damage| ("damage", damage.to_string())));
    entries
}

/// A law of failures: a bare span would mean an exponential one.
fn renewal(law: &Law) -> String {
    if let Law::Constant(span) = law {
        return braces(&[("law", quoted("constant")), ("value", text(span))]);
    }
    law_text(law)
}

fn ill(ill: &Ill) -> (&'static str, String) {
    let who = |selector: &Selector| quoted(&selector_text(selector));
    let pair = |from: &Selector, to: &Selector| vec![("from", who(from)), ("to", who(to))];
    match ill {
        Ill::Kill(selector) => ("kill", who(selector)),
        Ill::PowerOff(selector) => ("power_off", who(selector)),
        Ill::Wipe(selector) => ("wipe", who(selector)),
        Ill::Pause(selector) => ("pause", who(selector)),
        Ill::Freeze(selector) => ("freeze", who(selector)),
        Ill::DiskStall(selector) => ("disk_stall", who(selector)),
        Ill::TornWrite(selector) => ("torn_write", who(selector)),
        Ill::DiskFull(selector) => ("disk_full", who(selector)),
        Ill::Slow { who: whom, factor_milli } => {
            ("slow", braces(&[("who", who(whom)), ("factor", thousandths_text(u64::from(*factor_milli)))]))
        }
        Ill::Cut(cut) => ("cut", cut_text(cut)),
        Ill::Jam { from, to, extra } => {
            let mut entries = pair(from, to);
            entries.push(("extra", law_text(extra)));
            ("jam", braces(&entries))
        }
        Ill::Drop { from, to, kind, chance } => {
            let mut entries = pair(from, to);
            entries.extend(kind.as_ref().map(|kind| ("kind", quoted(kind))));
            entries.push(("chance", text(chance)));
            ("drop", braces(&entries))
        }
        Ill::Clog { from, to } => ("clog", braces(&pair(from, to))),
        Ill::SyncFails { who: whom, chance } => ("sync_fails", braces(&[("who", who(whom)), ("chance", text(chance))])),
        Ill::FlipBits { who: whom, count } => ("flip_bits", braces(&[("who", who(whom)), ("count", count.to_string())])),
        Ill::ClockStep { who: whom, by } => ("clock_step", braces(&[("who", who(whom)), ("by", signed(*by))])),
        Ill::ClockDrift { who: whom, ppm } => ("clock_drift", braces(&[("who", who(whom)), ("ppm", ppm.to_string())])),
    }
}

fn cut_text(cut: &Cut) -> String {
    let who = |selector: &Selector| quoted(&selector_text(selector));
    let shape = match &cut.shape {
        CutShape::Halves(selector) => ("halves", who(selector)),
        CutShape::Isolate(selector) => ("isolate", who(selector)),
        CutShape::MajoritiesRing(selector) => return braces(&[("majorities_ring", who(selector))]),
        CutShape::Bridge(selector) => return braces(&[("bridge", who(selector))]),
        CutShape::Between { a, b } => ("between", braces(&[("a", who(a)), ("b", who(b))])),
        CutShape::OneWay { from, to } => return braces(&[("one_way", braces(&[("from", who(from)), ("to", who(to))]))]),
        CutShape::Pairs(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(from, to)| braces(&[("from", who(from)), ("to", who(to))])).collect();
            return braces(&[("pairs", format!("[{}]", pairs.join(", ")))]);
        }
        CutShape::Link(name) => return braces(&[("link", quoted(name))]),
    };
    let others = match cut.others {
        Others::Untouched => "untouched",
        Others::First => "first",
        Others::Second => "second",
        Others::Split => "split",
    };
    braces(&[shape, ("others", quoted(others))])
}

fn expectations(expectations: &Expectations) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let mut listed: Vec<(&'static str, Vec<String>)> = Vec::new();
    let mut mapped: Vec<(&'static str, Vec<String>)> = Vec::new();
    for claim in &expectations.claims {
        match claim {
            Expectation::Always(property) => add(&mut listed, "always", quoted(property.name())),
            Expectation::Broken(property) => add(&mut listed, "broken", quoted(property.name())),
            Expectation::Sometimes(event) => add(&mut listed, "sometimes", quoted(event.name())),
            Expectation::Never(event) => add(&mut listed, "never", quoted(event.name())),
            Expectation::SuccessRatio(bound) => entries.push(("success_ratio".to_owned(), text(bound))),
            Expectation::Throughput(bound) => entries.push(("throughput".to_owned(), text(bound))),
            Expectation::Latency { of, at, bound } => entries.push((latency_key(*of, *at), text(bound))),
            Expectation::Share { event, bound } => add(&mut mapped, "share", by_event(*event, &format!("{bound} of runs"))),
            Expectation::Count { event, bound } => add(&mut mapped, "count", by_event(*event, &format!("{bound} runs"))),
            Expectation::Eventually { property, within } => {
                add(&mut mapped, "eventually", format!("{property} = {}", quoted(&format!("{within} after heal"))));
            }
            Expectation::Fault { name, fate } => add(&mut mapped, "fault", format!("{} = {}", key_text(name), quoted(fate.name()))),
        }
    }
    let lists = listed.into_iter().map(|(key, items)| (key.to_owned(), format!("[{}]", items.join(", "))));
    let maps = mapped.into_iter().map(|(key, items)| (key.to_owned(), format!("{{ {} }}", items.join(", "))));
    let violations = match expectations.violations {
        Violations::None => "none",
        Violations::Any => "any",
    };
    lists.chain(entries).chain(maps).chain([("violations".to_owned(), quoted(violations))]).collect()
}

fn add(to: &mut Vec<(&'static str, Vec<String>)>, key: &'static str, item: String) {
    match to.iter_mut().find(|(one, _)| *one == key) {
        Some((_, items)) => items.push(item),
        None => to.push((key, vec![item])),
    }
}

fn by_event(event: Event, bound: &str) -> String {
    format!("{} = {}", key_text(event.name()), quoted(bound))
}
