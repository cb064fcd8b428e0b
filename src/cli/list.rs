//! What there is: read from the same tables that the program runs on, so that no list can be out of date.

use comfy_table::{ContentArrangement, Table, presets};

use crate::base::value::{KeyKind, KeySpec, LAWS, Preset, Variant};
use crate::check::Property;
use crate::model::{Model, Standing};
use crate::scenario::keys::{FAULT, ILLS};

use super::args::Shelf;

/// How wide a list gets.
const WIDTH: u16 = 120;

/// One list as text; `None` when it asks for a model that does not exist.
#[must_use]
pub(super) fn list(what: Shelf, model: Option<&str>, models: &[&'static dyn Model]) -> Option<String> {
    if model.is_some_and(|name| models.iter().all(|m| m.name() != name)) {
        return None;
    }
    let chosen = || models.iter().filter(|m| model.is_none_or(|name| m.name() == name)).copied();
    let text = match what {
        Shelf::Models => table(["model", "what it is"], chosen().map(|m| [m.name().into(), m.about().into()])),
        Shelf::Keys => chosen().map(|m| format!("[model.{}]\n{}\n", m.name(), keys(m.keys()))).collect(),
        Shelf::Faults => faults(),
        Shelf::Laws => variants("law", LAWS),
        Shelf::Judges => {
            let row = |p: Property| [p.name().into(), p.breach().into(), p.sentence().into()];
            table(["judge", "its breach", "what it says when it holds"], Property::ALL.into_iter().map(row))
        }
        Shelf::Marks => table(
            ["mark", "what was reached"],
            chosen().flat_map(|m| m.marks().iter().map(|(mark, sentence)| [(*mark).into(), (*sentence).into()])),
        ),
        Shelf::Scope => chosen().map(|m| format!("{}\n{}\n", m.name(), scope(m))).collect(),
    };
    Some(text)
}

/// A model's scope table.
fn scope(model: &dyn Model) -> String {
    let row = |r: &crate::model::ScopeRow| [r.rule.into(), standing(r.standing).into(), r.note.into()];
    table(["rule", "here", "what that means"], model.scope().iter().map(row))
}

/// The scope tables of models as a page of documentation.
#[must_use]
pub fn scope_page(models: &[&'static dyn Model]) -> String {
    let mut page = String::from(
        "# Scope\n\nWhat of the real systems is modelled, simplified or absent. What is absent is refused where a scenario asks for it.\n\
         This page is generated from the models' own tables (`deadletter list scope`); `GOLDEN=write cargo test --test cli` writes it.\n",
    );
    for model in models {
        page += &format!("\n## {}\n\n{}\n\n| rule | here | what that means |\n|---|---|---|\n", model.name(), model.about());
        for row in model.scope() {
            page += &format!("| {} | {} | {} |\n", cell(row.rule), standing(row.standing), cell(row.note));
        }
    }
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Modelled => "modelled",
        Standing::Simplified => "simplified",
        Standing::Absent => "absent",
    }
}

/// What can go wrong, with the keys beside it in a `[[fault]]`.
fn faults() -> String {
    let ill = |key: &&KeySpec| ILLS.contains(&key.name);
    let row = |key: &KeySpec| [key.name.into(), key.kind.expected(), key.doc.into()];
    let ills = table(["fault", "with", "what goes wrong"], FAULT.iter().filter(ill).map(row));
    let rest = table(["key", "with", "what it says"], FAULT.iter().filter(|key| !ill(key)).map(row));
    format!("{ills}\nWhen and how long:\n\n{rest}")
}

/// A word with its keys, one below the other.
fn variants(title: &str, of: &[Variant]) -> String {
    let row = |v: &Variant| {
        let keys: Vec<String> =
            v.keys.iter().map(|k| if k.preset == Preset::Required { k.name.into() } else { format!("[{}]", k.name) }).collect();
        [v.name.into(), keys.join(" "), v.doc.into()]
    };
    table([title, "keys", "what it is"], of.iter().map(row))
}

fn keys(keys: &[KeySpec]) -> String {
    let mut rows = Vec::new();
    for key in keys {
        key_rows(key, "", &mut rows);
    }
    table(["key", "default", "what it is"], rows.into_iter())
}

/// A key, and below it the keys of its table.
fn key_rows(key: &KeySpec, above: &str, rows: &mut Vec<[String; 3]>) {
    let name = format!("{above}{}", key.name);
    let preset = match key.preset {
        Preset::Required => "(required)".to_owned(),
        Preset::Absent => String::new(),
        Preset::Is(text) => text.to_owned(),
    };
    let source = if key.source.is_empty() { String::new() } else { format!(" [{}]", key.source) };
    rows.push([name.clone(), preset, format!("{}; {}{source}", key.doc, key.kind.expected())]);
    let (inner, below): (&[KeySpec], String) = match key.kind {
        KeyKind::Table(keys) => (keys, format!("{name}.")),
        KeyKind::Map(KeyKind::Table(keys)) => (keys, format!("{name}.NAME.")),
        KeyKind::List(KeyKind::Table(keys)) => (keys, format!("{name}[].")),
        KeyKind::Span
        | KeyKind::SpanIn { .. }
        | KeyKind::SignedSpan
        | KeyKind::Chance
        | KeyKind::Count { .. }
        | KeyKind::Integer { .. }
        | KeyKind::Thousandths { .. }
        | KeyKind::Bytes
        | KeyKind::ByteRate
        | KeyKind::Rate
        | KeyKind::Flag
        | KeyKind::Text
        | KeyKind::Choice(_)
        | KeyKind::Law
        | KeyKind::List(_)
        | KeyKind::Map(_)
        | KeyKind::ByName(_)
        | KeyKind::Variants { .. }
        | KeyKind::AnyOf(_)
        | KeyKind::Selector
        | KeyKind::Any
        | KeyKind::NotModelled(_) => return,
    };
    for key in inner {
        key_rows(key, &below, rows);
    }
}

fn table<const N: usize>(header: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
