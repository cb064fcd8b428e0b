//! From the text of a file to a plan, with every problem on the way.

use std::sync::Arc;

use crate::base::value::{KeySpec, Reader, Table, Value, did_you_mean};
use crate::base::{Place, Problem, Severity};
use crate::load::LoadConfig;
use crate::model::{Checked, Model};
use crate::parts::network::Network;
use crate::record::{Object, ObjectKind, Phase};
use crate::world::{Roster, Surroundings};

use super::claims::{self, Subjects};
use super::edit::{self, Setting};
use super::keys::{ARM_EXPECT, FAULT, FILE, OVERRIDE};
use super::load::{self, Files};
use super::plan::{ArmPlan, MAIN, Plan, Seeds};
use super::selector::Scope;
use super::{capsule, fault, header, network, overrides, print, with};

/// What is to be read.
#[derive(Clone, Copy)]
pub struct Source<'s> {
    /// The file's name, for messages.
    pub file: &'s str,
    /// Its text.
    pub text: &'s str,
    /// Settings of the command line, each `a.b.c=value`.
    pub sets: &'s [String],
    /// The models that may be named.
    pub models: &'s [&'static dyn Model],
    /// The files beside it, for recorded loads.
    pub files: Files<'s>,
}

impl<'s> Source<'s> {
    /// A text that stands alone: no settings on top, no files beside it.
    #[must_use]
    pub fn new(file: &'s str, text: &'s str, models: &'s [&'static dyn Model]) -> Source<'s> {
        Source { file, text, sets: &[], models, files: &|name| Err(format!("there is no file `{name}` beside the scenario")) }
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The plan, unless something is wrong.
    pub plan: Option<Plan>,
    /// Every error and warning, in the order of the file.
    pub problems: Vec<Problem>,
}

/// Reads and checks a scenario file: every problem is reported, not only the first.
///
/// ```
/// use deadletter::model::BUILT_IN;
/// use deadletter::scenario::{Source, read, render};
/// let text = "# Does every order arrive?\n# Yes.\n[model.mailbox]\nqueue.orders = {}\nconsumer.billing = { from = \"orders\" }\n\
///             [load]\nto = \"order\"\narrivals = { law = \"poisson\", rate = \"10/s\" }\n";
/// let files = |_: &str| Err("there are no files here".to_owned());
/// let source = Source { file: "a.toml", text, sets: &[], models: BUILT_IN, files: &files };
/// let reading = read(&source);
/// assert!(render(&reading.problems, false).contains("did you mean `orders`?"));
/// let mended = text.replace("\"order\"", "\"orders\"");
/// let plan = read(&Source { text: &mended, ..source }).plan.unwrap();
/// assert_eq!((plan.question(), plan.arms().len()), ("Does every order arrive?", 1));
/// ```
///
/// # Panics
/// When a plan is refused without a problem that says why: our own error.
#[must_use]
pub fn read(source: &Source<'_>) -> Reading {
    let (mut table, mut problems) = Table::parse(source.file, source.text);
    if !problems.is_empty() {
        return Reading { plan: None, problems };
    }
    if let Some(problem) = capsule::of_another_format(&table) {
        return Reading { plan: None, problems: vec![problem] };
    }
    for text in source.sets {
        if let Some(setting) = edit::parse(text, &mut problems) {
            edit::apply(&mut table, &setting, &mut problems);
        }
    }
    let plan = file(&table, source, &mut problems);
    let problems = sorted(problems);
    let right = problems.iter().all(|problem| problem.severity == Severity::Warning);
    let plan = plan.filter(|_| right).map(|plan| Plan { warnings: problems.clone(), ..plan });
    assert!(plan.is_some() || !right, "a file without an error is a plan");
    Reading { plan, problems }
}

/// In the order of the file, each once.
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    let key = |problem: &Problem| problem.place.as_ref().map(|place| (Arc::clone(&place.file), place.start, place.end));
    problems.sort_by_key(key);
    let mut kept: Vec<Problem> = Vec::new();
    for problem in problems {
        let here = key(&problem);
        let mut same_place = kept.iter().rev().take_while(|other| key(other) == here);
        if !same_place.any(|other| *other == problem) {
            kept.push(problem);
        }
    }
    kept
}

fn file(table: &Table, source: &Source<'_>, problems: &mut Vec<Problem>) -> Option<Plan> {
    let said = header::read(&table.place, problems);
    let keys = Reader::new(table, FILE, "", problems);
    let seeds = keys.table("seeds").and_then(|seeds| Some(Seeds { first: seeds.count("first")?, count: seeds.count("count")? }));
    let main = body(&keys, source, problems);
    let expected = keys.table("expect").map(|expect| claims::read(&expect, &main.subjects(), problems));
    let main = expected.and_then(|expectations| main.into_arm(MAIN.to_owned(), expectations));
    let mut arms: Vec<Option<ArmPlan>> = Vec::new();
    let mut names: Vec<String> = vec![MAIN.to_owned()];
    for arm in keys.tables("arm") {
        let name = arm.text("name").unwrap_or_default();
        check_arm_name(&name, &arm, &names, problems);
        names.push(name);
        arms.push(one_arm(&arm, table, (source, main.as_ref()), problems));
    }
    let note = keys.table("capsule").map(|note| capsule::read(&note, &keys, seeds, problems));
    let (question, answer) = said?;
    let (seeds, main) = (seeds?, main?);
    let mut all = vec![main];
    for arm in arms {
        all.push(arm?);
    }
    let capsule = match note {
        Some(note) => Some(note?),
        None => None,
    };
    Some(Plan { question, answer, seeds, arms: all, capsule, warnings: Vec::new() })
}

fn check_arm_name(name: &str, arm: &Reader<'_>, before: &[String], problems: &mut Vec<Problem>) {
    let place = || arm.place_of("name");
    if name == MAIN {
        problems.push(Problem::error(place(), "`main` is the name of the file's own settings").hint("call the arm by what it changes"));
    } else if arm.has("name") && before.iter().any(|other| other == name) {
        problems.push(Problem::error(place(), format!("two arms are called `{name}`")).hint("call each by what it changes"));
    } else if arm.has("name") && (name.trim() != name || name.is_empty() || name.chars().any(char::is_control)) {
        problems.push(Problem::error(place(), "an arm's name is one line of text, without space around it"));
    }
}

/// An arm: the file's settings with some changed, checked as a whole.
fn one_arm(
    arm: &Reader<'_>,
    table: &Table,
    (source, main): (&Source<'_>, Option<&ArmPlan>),
    problems: &mut Vec<Problem>,
) -> Option<ArmPlan> {
    let mut own = Vec::new();
    let mut changed = table.clone();
    let settings = arm.value("set").map_or_else(Vec::new, |value| edit::of_arm(value, &mut own));
    for setting in &settings {
        if may_be_set(setting, &mut own) {
            edit::apply(&mut changed, setting, &mut own);
        }
    }
    let keys = Reader::new(&changed, FILE, "", &mut own);
    let body = body(&keys, source, &mut own);
    // What the file itself is expected to do is read again: the arm may declare other faults.
    let mut twice = Vec::new();
    let file_claims = keys.table("expect").map(|expect| claims::read(&expect, &body.subjects(), &mut twice));
    let expect = arm.table("expect").unwrap_or_else(|| Reader::checked(EMPTY.get_or_init(nothing), ARM_EXPECT, "expect"));
    let mine = claims::read(&expect, &body.subjects(), &mut own);
    let inherits = expect.flag("inherit") != Some(false);
    if inherits {
        own.append(&mut twice);
    }
    let violations_written = expect.has("violations") || !inherits;
    let expectations = match file_claims.filter(|_| inherits) {
        Some(file) => claims::inherit(&file, mine, violations_written),
        None => mine,
    };
    let right = own.iter().all(|problem| problem.severity == Severity::Warning);
    tell_of(arm, own, problems);
    let mut plan = body.into_arm(arm.text("name")?, expectations)?;
    if let Some(main) = main {
        let changes = print::changes(&print::settings(main), &print::settings(&plan));
        plan.differs = changes.into_iter().map(|change| format!("{} = {}", change.key, change.value)).collect();
        if right && plan.differs.is_empty() && plan.expectations == main.expectations {
            let problem = Problem::warning(arm.place().clone(), format!("arm `{}` is the same as the file itself", plan.name));
            problems.push(problem.hint("change something under `set`"));
        }
    }
    Some(plan)
}

/// An empty table outside every file.
static EMPTY: std::sync::OnceLock<Table> = std::sync::OnceLock::new();

fn nothing() -> Table {
    Table::parse("", "").0
}

/// Adds an arm's problems: those that the file itself does not have, and that lie outside the arm, name it.
fn tell_of(arm: &Reader<'_>, own: Vec<Problem>, problems: &mut Vec<Problem>) {
    let inside = |place: &Place| {
        let marks = [arm.place_of("name"), arm.place_of("set"), arm.place_of("expect")];
        let (start, end) = (arm.place().start, marks.iter().map(|mark| mark.end).max().unwrap_or(0));
        place.text == arm.place().text && (start..=end).contains(&place.start)
    };
    let name = arm.text("name").unwrap_or_default();
    for mut problem in own {
        if problems.contains(&problem) {
            continue;
        }
        if problem.place.as_ref().is_some_and(|place| !inside(place)) {
            problem.what = format!("{} (in arm `{name}`)", problem.what);
        }
        problems.push(problem);
    }
}

/// The tables whose keys an arm may set.
const SETTABLE: [&str; 7] = ["model", "load", "operation", "network", "node", "phases", "fault"];

fn may_be_set(setting: &Setting, problems: &mut Vec<Problem>) -> bool {
    let Some(first) = setting.path.first() else { return false };
    let root = first.name.split('.').next().unwrap_or_default();
    if SETTABLE.contains(&root) {
        return true;
    }
    let problem = Problem::error(first.place.clone(), format!("an arm cannot set `{}`", root.escape_debug()));
    let hint = match root {
        "expect" => Some("write `expect` beside `set`, in the arm itself".to_owned()),
        "seeds" | "arm" => Some("all arms run with the file's seeds".to_owned()),
        other => did_you_mean(other, &SETTABLE),
    };
    problems.push(with(problem, hint));
    false
}

/// Everything of an arm but its name and expectations, as far as it could be read.
struct Body {
    model: Option<&'static dyn Model>,
    checked: Option<Arc<dyn Checked>>,
    faults: Vec<String>,
    heals: bool,
    /// Whether there are logs; `None` when the model's settings are wrong.
    logs: Option<bool>,
    rest: Option<(Surroundings, load::Asked, crate::load::Phases)>,
}

impl Body {
    fn subjects(&self) -> Subjects<'_> {
        let faults = self.rest.as_ref().map(|_| self.faults.as_slice());
        Subjects { marks: self.model.map(|model| model.marks()), faults, heals: self.heals, logs: self.logs }
    }

    fn into_arm(self, name: String, expectations: super::Expectations) -> Option<ArmPlan> {
        let (surroundings, asked, phases) = self.rest?;
        let (streams, traces) = asked.streams.into_iter().map(|stream| (stream.stream, stream.trace)).unzip();
        let load = LoadConfig { streams, listed: asked.listed };
        Some(ArmPlan { name, model: self.checked?, surroundings, load, traces, phases, expectations, differs: Vec::new() })
    }
}

fn body(keys: &Reader<'_>, source: &Source<'_>, problems: &mut Vec<Problem>) -> Body {
    let before = problems.len();
    let named = model(keys, source.models, problems);
    let checked: Option<Arc<dyn Checked>> = named.and_then(|(model, table)| check_model(model, table, problems)).map(Arc::from);
    let model = named.map(|(model, _)| model);
    let roster = checked.as_ref().map(|checked| checked.roster());
    let network_keys = keys.table("network");
    let before_network = problems.len();
    let mut network = network_keys.as_ref().map(|keys| network::read(keys, problems));
    let wired = match (&mut network, &network_keys, &roster) {
        (Some(network), Some(keys), Some(roster)) => wire(network, keys, (roster, before_network), problems),
        (_, _, _) => None,
    };
    let phases = keys.table("phases").and_then(|phases| fault::phases(&phases, problems));
    let against = load::Against { roster: roster.as_ref(), phases: phases.as_ref() };
    let asked = load::read(keys, against, source.files, problems);
    let mut faults = Vec::new();
    let mut overrides = Vec::new();
    let mut machines = Vec::new();
    if let (Some(network), Some(phases)) = (&network, &phases) {
        let scope = Scope { roster: roster.as_ref(), network, wired: wired.as_ref(), roles: model.map_or(&[], |model| model.roles()) };
        machines = network::machines(&keys.named_tables("node"), &scope, problems);
        let setting = fault::Setting { scope: &scope, kinds: model.map(|model| model.kinds()), phases };
        faults = fault::read(&list_of(keys, "fault", FAULT), &setting, problems);
        let nodes: Vec<&str> = roster.iter().flat_map(|roster| roster.nodes.iter().map(|node| node.name.as_str())).collect();
        overrides = overrides::read(&list_of(keys, "override", OVERRIDE), &nodes, &setting, problems);
        load::check_amount(&asked.streams, phases, keys, problems);
    }
    let right = problems[before..].iter().all(|problem| problem.severity == Severity::Warning);
    let names = faults.iter().map(|fault| fault.name.clone()).collect();
    let heals = phases.is_some_and(|phases| !(phases.heal.is_zero() && phases.drain.is_zero()));
    let rest = network.zip(phases).filter(|_| right).map(|(network, phases)| {
        let surroundings = Surroundings {
            overrides: overrides.into(),
            network,
            machines,
            faults: faults.into(),
            chaos_start: phases.start(Phase::Chaos),
            heal_start: phases.start(Phase::Heal),
            trace_limit: 0,
            trace_window: crate::record::Window::ALL,
            invariant_stride: 0,
        };
        (surroundings, asked, phases)
    });
    let is_log = |object: &Object| matches!(object.kind, ObjectKind::Log { .. });
    let logs = roster.as_ref().map(|roster| roster.objects.iter().any(is_log));
    Body { model, checked, faults: names, heals, logs, rest }
}

/// The tables of a list that was checked against its keys.
fn list_of<'a>(keys: &Reader<'a>, name: &str, specs: &'static [KeySpec]) -> Vec<Reader<'a>> {
    keys.list(name).iter().filter_map(Value::as_table).map(|table| Reader::checked(table, specs, name)).collect()
}

/// The names in the network, and then the network itself.
fn wire(
    config: &mut crate::parts::config::NetworkConfig,
    keys: &Reader<'_>,
    (roster, before): (&Roster, usize),
    problems: &mut Vec<Problem>,
) -> Option<Network> {
    let given = config.clone();
    let scope = Scope { roster: Some(roster), network: &given, wired: None, roles: &[] };
    network::check_names(config, keys, &scope, problems);
    if problems.len() > before {
        // What the network would say of them has been said, with better places.
        return None;
    }
    let hosts: Vec<String> = roster.nodes.iter().map(|node| node.name.clone()).collect();
    match Network::new(config, &hosts, 0) {
        Ok(network) => Some(network),
        Err(sentences) => {
            let place = first_key(keys);
            problems.extend(sentences.into_iter().map(|what| match what.split_once("; ") {
                Some((what, hint)) => Problem::error(place.clone(), what).hint(hint),
                None => Problem::error(place.clone(), what),
            }));
            None
        }
    }
}

/// The place of what describes the wiring.
fn first_key(keys: &Reader<'_>) -> Place {
    ["link", "zone", "switches"].into_iter().find(|key| keys.has(key)).map_or_else(|| keys.place().clone(), |key| keys.place_of(key))
}

/// The one table under `model`, and the model of its name.
fn model<'t>(keys: &Reader<'t>, models: &[&'static dyn Model], problems: &mut Vec<Problem>) -> Option<(&'static dyn Model, &'t Table)> {
    let value = keys.value("model")?;
    let names: Vec<&str> = models.iter().map(|model| model.name()).collect();
    let example = names.first().copied().unwrap_or("NAME");
    let Some(table) = value.as_table() else {
        problems.push(Problem::error(value.place.clone(), "`model` is a table").hint(format!("write `[model.{example}]`")));
        return None;
    };
    let mut found = None;
    for (at, (key, value)) in table.entries.iter().enumerate() {
        if at > 0 {
            let what = format!("a second model, `{}`: a scenario is about one system", key.name.escape_debug());
            problems.push(Problem::error(key.place.clone(), what).hint("put the other into a file of its own"));
            continue;
        }
        let Some(model) = models.iter().find(|model| model.name() == key.name) else {
            let problem = Problem::error(key.place.clone(), format!("there is no model `{}`", key.name.escape_debug()));
            problems.push(with(problem, did_you_mean(&key.name, &names)));
            continue;
        };
        match value.as_table() {
            Some(table) => found = Some((*model, table)),
            None => problems.push(Problem::error(value.place.clone(), format!("`model.{}` is a table", key.name))),
        }
    }
    if table.entries.is_empty() {
        problems.push(Problem::error(table.place.clone(), "no model is named").hint(format!("write `[model.{example}]`")));
    }
    found
}

/// Lets the model check its own table. Whatever it refuses, it must say why.
fn check_model(model: &'static dyn Model, table: &Table, problems: &mut Vec<Problem>) -> Option<Box<dyn Checked>> {
    let before = problems.len();
    let checked = model.check(table, problems);
    let wrong = problems[before..].iter().any(|problem| problem.severity == Severity::Error);
    if checked.is_none() && !wrong {
        problems.push(Problem::error(table.place.clone(), format!("the model `{}` refuses this without a reason", model.name())));
    }
    checked.filter(|_| !wrong)
}
