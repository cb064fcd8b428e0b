//! A smaller table of the model: fewer entries, smaller numbers, defaults; what goes takes along what names it.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::value::{Table, Value, ValueKind, key_text, quoted};
use crate::lab::case::Case;
use crate::load::{Listed, LoadConfig};
use crate::model::Model;
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Selector};
use crate::scenario::ArmPlan;
use crate::world::{NamedOverride, Roster};

use super::trials::Trials;

/// The key that chooses how a model is broken on purpose: without it there is nothing to be shown.
const MUTANT: &str = "mutant";

/// What happens to one value of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    /// It goes, and the default counts.
    Remove,
    /// It becomes this number.
    Number(i64),
}

/// What becomes of operations, faults and overrides that name a node which is no longer there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Orphans {
    /// They go too.
    Dropped,
    /// A node of the same kind that is still there takes its place.
    Adopted,
}

/// One change of the table.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    path: Vec<String>,
    change: Change,
    orphans: Orphans,
}

fn table(arm: &ArmPlan) -> Table {
    let (table, problems) = Table::parse("model", &arm.model_text());
    assert!(problems.is_empty(), "a printed table is TOML: {problems:?}");
    table
}

/// Everything that stands in a table, with its path; tables before what is in them.
fn leaves<'t>(table: &'t Table, path: &[String], found: &mut Vec<(Vec<String>, &'t Value)>) {
    for (key, value) in &table.entries {
        let path: Vec<String> = path.iter().cloned().chain([key.name.clone()]).collect();
        if path == [MUTANT] {
            continue;
        }
        found.push((path.clone(), value));
        if let Some(table) = value.as_table() {
            leaves(table, &path, found);
        }
    }
}

fn both(path: &[String], change: Change) -> [Edit; 2] {
    [Orphans::Dropped, Orphans::Adopted].map(|orphans| Edit { path: path.to_vec(), change, orphans })
}

/// Every change that makes the table smaller: entries go, numbers become small.
fn edits(case: &Case) -> Vec<Edit> {
    let table = table(&case.arm);
    let mut all = Vec::new();
    leaves(&table, &[], &mut all);
    let mut found = Vec::new();
    for (path, value) in all {
        match value.kind {
            ValueKind::Integer(now) => {
                let mut targets: Vec<i64> = [0, 1, now / 2, now - 1].into_iter().filter(|target| (0..now).contains(target)).collect();
                targets.dedup();
                found.extend(targets.into_iter().flat_map(|target| both(&path, Change::Number(target))));
            }
            ValueKind::Text(_)
            | ValueKind::Float(_)
            | ValueKind::Flag(_)
            | ValueKind::List(_)
            | ValueKind::Table(_)
            | ValueKind::DateTime(_) => found.extend(both(&path, Change::Remove)),
        }
    }
    found
}

/// The changes that a minimal table does not survive: an entry that is a table goes, a number becomes one less.
pub(super) fn single_edits(case: &Case) -> Vec<Edit> {
    let table = table(&case.arm);
    let mut all = Vec::new();
    leaves(&table, &[], &mut all);
    let single = |(path, value): (Vec<String>, &Value)| match value.kind {
        ValueKind::Integer(now) if now > 0 => both(&path, Change::Number(now - 1)).to_vec(),
        ValueKind::Table(_) => both(&path, Change::Remove).to_vec(),
        ValueKind::Integer(_)
        | ValueKind::Text(_)
        | ValueKind::Float(_)
        | ValueKind::Flag(_)
        | ValueKind::List(_)
        | ValueKind::DateTime(_) => Vec::new(),
    };
    all.into_iter().flat_map(single).collect()
}

/// Smaller tables, as long as there are some that serve.
pub(super) fn smaller(trials: &mut Trials<'_>) {
    loop {
        let edits = edits(&trials.case);
        let models = trials.models;
        if trials.first(edits.len(), |case, at| edited(case, &edits[at], models)).is_none() {
            return;
        }
    }
}

/// The case after a change of its model's table; `None` when the model or the rest of the plan does not go with it.
pub(super) fn edited(case: &Case, edit: &Edit, models: &[&'static dyn Model]) -> Option<Case> {
    let mut table = table(&case.arm);
    change(&mut table, &edit.path, edit.change)?;
    let checked = case.arm.model().model().check(&table, &mut Vec::new())?;
    let (before, after) = (case.arm.model().roster(), checked.roster());
    let arm = if before == after { case.arm.clone() } else { fitted(&case.arm, &Fit::new(&before, &after, edit.orphans)?)? };
    // The checked model prints itself: what is a default already is no change.
    let arm = arm.with_model_table(&lines(&table), models).ok()?;
    Some(Case { arm, seed: case.seed })
}

fn change(table: &mut Table, path: &[String], what: Change) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let at = table.entries.iter().position(|(key, _)| key.name == *first)?;
    if rest.is_empty() {
        match what {
            Change::Remove => drop(table.entries.remove(at)),
            Change::Number(number) => table.entries[at].1.kind = ValueKind::Integer(number),
        }
        return Some(());
    }
    match &mut table.entries[at].1.kind {
        ValueKind::Table(inner) => change(inner, rest, what),
        ValueKind::Text(_)
        | ValueKind::Integer(_)
        | ValueKind::Float(_)
        | ValueKind::Flag(_)
        | ValueKind::List(_)
        | ValueKind::DateTime(_) => None,
    }
}

/// A table as TOML, one line for each entry.
fn lines(table: &Table) -> String {
    table.entries.iter().map(|(key, value)| format!("{} = {}\n", key_text(&key.name), inline(value))).collect()
}

fn inline(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => quoted(text),
        ValueKind::Integer(number) => number.to_string(),
        ValueKind::Float(text) | ValueKind::DateTime(text) => text.clone(),
        ValueKind::Flag(flag) => flag.to_string(),
        ValueKind::List(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        ValueKind::Table(table) => {
            let entries = table.entries.iter().map(|(key, value)| format!("{} = {}", key_text(&key.name), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Who is still there, and who takes the places of those who are not.
struct Fit {
    /// Nodes and groups.
    names: BTreeSet<String>,
    objects: BTreeSet<String>,
    heirs: BTreeMap<String, String>,
}

impl Fit {
    /// `None` when heirs are asked for and there is nothing to inherit.
    fn new(before: &Roster, after: &Roster, orphans: Orphans) -> Option<Fit> {
        let nodes: BTreeSet<&str> = after.nodes.iter().map(|node| node.name.as_str()).collect();
        let groups = after.nodes.iter().flat_map(|node| node.groups.iter().copied());
        let names = nodes.iter().copied().chain(groups).map(str::to_owned).collect();
        let objects = after.objects.iter().map(|object| object.name.clone()).collect();
        let mut heirs = BTreeMap::new();
        if orphans == Orphans::Adopted {
            for gone in before.nodes.iter().filter(|node| !nodes.contains(node.name.as_str())) {
                let heir = after.nodes.iter().find(|node| stem(&node.name) == stem(&gone.name) && node.groups == gone.groups);
                heirs.extend(heir.map(|heir| (gone.name.clone(), heir.name.clone())));
            }
            if heirs.is_empty() {
                return None;
            }
        }
        Some(Fit { names, objects, heirs })
    }

    /// The name that counts now; `None` when there is nobody.
    fn name(&self, name: &str) -> Option<String> {
        let name = self.heirs.get(name).map_or(name, String::as_str);
        self.names.contains(name).then(|| name.to_owned())
    }

    fn selector(&self, selector: &Selector) -> Option<Selector> {
        match selector {
            Selector::Named(name) => self.name(name).map(Selector::Named),
            Selector::Union(parts) => {
                let mut kept: Vec<Selector> = Vec::new();
                for part in parts.iter().filter_map(|part| self.selector(part)) {
                    if !kept.contains(&part) {
                        kept.push(part);
                    }
                }
                match kept.as_slice() {
                    [] => None,
                    [one] => Some(one.clone()),
                    _ => Some(Selector::Union(kept)),
                }
            }
            Selector::Random { count, of } => Some(Selector::Random { count: *count, of: Box::new(self.selector(of)?) }),
            Selector::All | Selector::Zone(_) | Selector::Role { .. } => Some(selector.clone()),
        }
    }

    fn ill(&self, ill: &Ill) -> Option<Ill> {
        let who = |selector: &Selector| self.selector(selector);
        Some(match ill {
            Ill::Kill(one) => Ill::Kill(who(one)?),
            Ill::PowerOff(one) => Ill::PowerOff(who(one)?),
            Ill::Wipe(one) => Ill::Wipe(who(one)?),
            Ill::Pause(one) => Ill::Pause(who(one)?),
            Ill::Freeze(one) => Ill::Freeze(who(one)?),
            Ill::DiskStall(one) => Ill::DiskStall(who(one)?),
            Ill::TornWrite(one) => Ill::TornWrite(who(one)?),
            Ill::DiskFull(one) => Ill::DiskFull(who(one)?),
            Ill::Slow { who: one, factor_milli } => Ill::Slow { who: who(one)?, factor_milli: *factor_milli },
            Ill::SyncFails { who: one, chance } => Ill::SyncFails { who: who(one)?, chance: *chance },
            Ill::FlipBits { who: one, count } => Ill::FlipBits { who: who(one)?, count: *count },
            Ill::ClockStep { who: one, by } => Ill::ClockStep { who: who(one)?, by: *by },
            Ill::ClockDrift { who: one, ppm } => Ill::ClockDrift { who: who(one)?, ppm: *ppm },
            Ill::Jam { from, to, extra } => Ill::Jam { from: who(from)?, to: who(to)?, extra: extra.clone() },
            Ill::Drop { from, to, kind, chance } => Ill::Drop { from: who(from)?, to: who(to)?, kind: kind.clone(), chance: *chance },
            Ill::Clog { from, to } => Ill::Clog { from: who(from)?, to: who(to)? },
            Ill::Cut(Cut { shape, others }) => Ill::Cut(Cut { shape: self.shape(shape)?, others: *others }),
        })
    }

    fn shape(&self, shape: &CutShape) -> Option<CutShape> {
        let who = |selector: &Selector| self.selector(selector);
        Some(match shape {
            CutShape::Halves(one) => CutShape::Halves(who(one)?),
            CutShape::Isolate(one) => CutShape::Isolate(who(one)?),
            CutShape::MajoritiesRing(one) => CutShape::MajoritiesRing(who(one)?),
            CutShape::Bridge(one) => CutShape::Bridge(who(one)?),
            CutShape::Between { a, b } => CutShape::Between { a: who(a)?, b: who(b)? },
            CutShape::OneWay { from, to } => CutShape::OneWay { from: who(from)?, to: who(to)? },
            CutShape::Link(name) => CutShape::Link(name.clone()),
            CutShape::Pairs(pairs) => {
                let kept: Vec<(Selector, Selector)> = pairs.iter().filter_map(|(from, to)| Some((who(from)?, who(to)?))).collect();
                (!kept.is_empty()).then_some(CutShape::Pairs(kept))?
            }
        })
    }
}

/// A name without its number: nodes of one kind share it.
fn stem(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
}

/// The arm without what names nodes and objects that are gone, or with heirs in their places.
fn fitted(arm: &ArmPlan, fit: &Fit) -> Option<ArmPlan> {
    let surroundings = arm.surroundings();
    let operation = |one: &Listed| {
        let client = fit.name(&one.client)?;
        fit.objects.contains(&one.to).then(|| Listed { client, ..one.clone() })
    };
    let listed: Vec<Listed> = arm.load().listed.iter().filter_map(operation).collect();
    let streams: Vec<_> = arm.load().streams.iter().filter(|stream| fit.objects.contains(&stream.to)).cloned().collect();
    if listed.is_empty() && streams.is_empty() {
        return None;
    }
    let fault = |fault: &Fault| Some(Fault { ill: fit.ill(&fault.ill)?, ..fault.clone() });
    let faults = surroundings.faults.iter().filter_map(fault).collect();
    let mut overrides: Vec<NamedOverride> = Vec::new();
    for one in surroundings.overrides.iter() {
        let (Some(from), Some(to)) = (fit.name(&one.from), fit.name(&one.to)) else { continue };
        let one = NamedOverride { from, to, ..one.clone() };
        if overrides.iter().all(|other| other.to_string() != one.to_string()) {
            overrides.push(one);
        }
    }
    let machines = surroundings.machines.iter().filter(|(name, _)| name == "*" || fit.names.contains(name)).cloned().collect();
    let mut network = surroundings.network.clone();
    for zone in &mut network.zones {
        zone.hosts.retain(|host| fit.names.contains(host));
    }
    let load = LoadConfig { streams, listed };
    Some(arm.with_load(load).with_faults(faults).with_overrides(overrides).with_machines(machines).with_network(network))
}
