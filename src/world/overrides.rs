//! From the names of transmissions to what the network knows them by.

use crate::base::{NodeId, Tag, WorldKey};
use crate::parts::network::{Override, Overrides};

use super::config::NamedOverride;
use super::core::{CONNECTION_KINDS, KIND_CONNECTION};
use super::protocol::{Protocol, Roster};

/// Opens the tags of named transmissions; what names nothing becomes a problem.
pub(super) fn resolve<P: Protocol>(
    named: &[NamedOverride],
    (roster, labels): (&Roster, &[NodeId]),
    key: WorldKey,
    problems: &mut Vec<String>,
) -> Vec<(String, Override)> {
    let node = |name: &str| roster.nodes.iter().position(|node| node.name == name).map(|at| labels[at]);
    let mut found = Vec::new();
    for one in named {
        let kind = kind_number(P::kinds(), &one.kind);
        match (node(&one.from), node(&one.to), kind) {
            (Some(from), Some(to), Some(kind)) => {
                let tag = Tag { kind, subject: one.subject, attempt: one.attempt };
                let decision = key.open(from, to, tag).hash();
                found.push((one.to_string(), Override { decision, resend: one.resend, outcome: one.outcome }));
            }
            (None, _, _) => problems.push(format!("override `{one}`: no node is called `{}`", one.from)),
            (_, None, _) => problems.push(format!("override `{one}`: no node is called `{}`", one.to)),
            (_, _, None) => {
                problems.push(format!("override `{one}`: no message is of kind `{}` (kinds: {})", one.kind, P::kinds().join(", ")))
            }
        }
    }
    found
}

/// The number of a kind of message, the operating systems' own included.
fn kind_number(kinds: &[&str], name: &str) -> Option<u16> {
    let at = |kinds: &[&str]| kinds.iter().position(|kind| *kind == name).and_then(|at| u16::try_from(at).ok());
    at(kinds).or_else(|| at(&CONNECTION_KINDS).map(|at| KIND_CONNECTION + at))
}

/// The name of a kind of message; `None` for what never crosses the network.
pub(super) fn kind_name(kinds: &'static [&'static str], kind: u16) -> Option<&'static str> {
    let own = || CONNECTION_KINDS.get(usize::from(kind.checked_sub(KIND_CONNECTION)?)).copied();
    kinds.get(usize::from(kind)).copied().or_else(own)
}

/// The table for the network.
///
/// # Errors
/// When two overrides name one transmission.
pub(super) fn table(overrides: Vec<(String, Override)>) -> Result<Overrides, Vec<String>> {
    let list: Vec<Override> = overrides.iter().map(|(_, one)| *one).collect();
    Overrides::new(list).map_err(|pair| {
        let name = overrides.iter().find(|(_, one)| *one == pair.0).map_or("?", |(name, _)| name.as_str());
        vec![format!("override `{name}` is given twice")]
    })
}
