//! `[[override]]`: transmissions whose fate is named instead of drawn.

use crate::base::Problem;
use crate::base::value::{Reader, did_you_mean};
use crate::parts::network::Outcome;
use crate::world::{CONNECTION_KINDS, NamedOverride};

use super::fault::Setting;
use super::with;

/// All overrides; what names no node or kind of message, decides nothing or comes twice is a problem.
pub(super) fn read(tables: &[Reader<'_>], nodes: &[&str], setting: &Setting<'_>, problems: &mut Vec<Problem>) -> Vec<NamedOverride> {
    let mut found: Vec<NamedOverride> = Vec::new();
    for keys in tables {
        let Some(one) = one(keys, nodes, setting, problems) else { continue };
        if found.iter().any(|other| other.to_string() == one.to_string()) {
            let problem = Problem::error(keys.place().clone(), format!("the fate of `{one}` is decided twice"));
            problems.push(problem.hint("keep one of the two"));
        }
        found.push(one);
    }
    found
}

fn one(keys: &Reader<'_>, nodes: &[&str], setting: &Setting<'_>, problems: &mut Vec<Problem>) -> Option<NamedOverride> {
    let outcome =
        Outcome { drop: keys.flag("drop"), delay: keys.span("delay"), duplicate: keys.flag("duplicate"), damage: keys.flag("damage") };
    if !["drop", "delay", "duplicate", "damage"].iter().any(|key| keys.has(key)) {
        let problem = Problem::error(keys.place().clone(), "this override decides nothing");
        problems.push(problem.hint("add `drop = true`, `delay = \"5ms\"`, `duplicate = true` or `damage = true`"));
    }
    for end in ["from", "to"] {
        known(keys, end, "node", nodes, problems);
    }
    if let Some(kinds) = setting.kinds {
        let kinds: Vec<&str> = kinds.iter().copied().chain(CONNECTION_KINDS).collect();
        known(keys, "kind", "kind of message", &kinds, problems);
    }
    Some(NamedOverride {
        from: keys.text("from")?,
        to: keys.text("to")?,
        kind: keys.text("kind")?,
        subject: about(keys, problems)?,
        attempt: u32::try_from(keys.count("attempt")?).ok()?,
        resend: u32::try_from(keys.count("resend")?).ok()?,
        outcome,
    })
}

/// The number in a transmission's name: TOML writes numbers up to 2^63, larger ones stand in quotes.
fn about(keys: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<u64> {
    let Some(text) = keys.text("about") else { return keys.count("about") };
    let number = text.parse().ok();
    if number.is_none() {
        let problem = Problem::error(keys.place_of("about"), format!("`{}` is not a number", text.escape_debug()));
        problems.push(problem.hint("write `about = 17` for a message about p17"));
    }
    number
}

/// A name must be one of those that there are.
fn known(keys: &Reader<'_>, key: &str, what: &str, names: &[&str], problems: &mut Vec<Problem>) {
    // Without names the model itself has a problem, which is told already.
    if let Some(name) = keys.text(key)
        && !names.is_empty()
        && !names.contains(&name.as_str())
    {
        let problem = Problem::error(keys.place_of(key), format!("there is no {what} called `{name}`"));
        let hint = did_you_mean(&name, names).or_else(|| Some(format!("there are: {}", names.join(", "))));
        problems.push(with(problem, hint));
    }
}
