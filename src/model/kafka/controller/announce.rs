//! What a decision means, in marks and words.

use crate::base::NodeId;
use crate::record::Mark;

use super::super::config::Config;
use super::super::view::PartView;
use super::change::{Change, Fact, PartChange};
use super::marks;
use super::metadata::Metadata;

/// The marks of a decision that is about to change the state.
pub(super) fn marks_of(before: &Metadata, change: &Change) -> Vec<Mark> {
    let mut found = Vec::new();
    for fact in change.facts.iter() {
        match fact {
            Fact::Fenced { .. } => found.push(marks::BROKER_FENCED),
            Fact::Stopping { .. } => found.push(marks::CONTROLLED_SHUTDOWN),
            Fact::Changed(change) => {
                if let Some(part) = before.view().part(change.part) {
                    part_marks(part, before.last_leader(change.part), change, &mut found);
                }
            }
            Fact::Registered { .. } | Fact::Unfenced { .. } | Fact::Created { .. } | Fact::Done { .. } => {}
        }
    }
    found
}

fn part_marks(before: &PartView, last_leader: Option<NodeId>, change: &PartChange, found: &mut Vec<Mark>) {
    match change.leader {
        Some(None) if before.leader.is_some() => found.push(marks::PARTITION_OFFLINE),
        Some(Some(leader)) if before.leader != Some(leader) => {
            found.push(marks::LEADER_CHANGED);
            found.extend(election_mark(before, last_leader, leader, change));
        }
        Some(_) | None => {}
    }
    if let Some(isr) = &change.isr {
        let (gone, come) = (missing(&before.isr, isr), missing(isr, &before.isr));
        let events = [
            (gone, marks::ISR_SHRUNK),
            (gone && isr.len() == 1, marks::ISR_SHRUNK_TO_ONE),
            (come && !gone && !before.isr.is_empty(), marks::ISR_EXPANDED),
        ];
        found.extend(events.iter().filter(|(happened, _)| *happened).map(|(_, mark)| *mark));
    }
    if change.elr.as_ref().is_some_and(|elr| missing(elr, &before.elr)) {
        found.push(marks::ELR_ENTERED);
    }
    let moving = !before.adding.is_empty() || !before.removing.is_empty();
    let ends = |nodes: &Option<std::sync::Arc<[NodeId]>>, now: &[NodeId]| nodes.as_deref().unwrap_or(now).is_empty();
    let rests = ends(&change.adding, &before.adding) && ends(&change.removing, &before.removing);
    if rests && (moving || change.replicas.is_some()) {
        found.push(marks::REASSIGNED);
    }
}

/// How a new leader was found.
fn election_mark(before: &PartView, last_leader: Option<NodeId>, leader: NodeId, change: &PartChange) -> Option<Mark> {
    let preferred = change.replicas.as_ref().unwrap_or(&before.replicas).first() == Some(&leader);
    if before.isr.contains(&leader) {
        (preferred && before.leader.is_some_and(|old| still_there(before, change, old))).then_some(marks::PREFERRED_ELECTION)
    } else if before.elr.contains(&leader) {
        Some(marks::ELR_ELECTION)
    } else if last_leader == Some(leader) && before.elr.is_empty() && before.isr.is_empty() {
        Some(marks::LAST_LEADER_ELECTED)
    } else {
        change.unclean.unwrap_or(before.unclean).then_some(marks::UNCLEAN_ELECTION)
    }
}

/// Whether the old leader stays in sync: it was not lost, somebody else was wanted.
fn still_there(before: &PartView, change: &PartChange, old: NodeId) -> bool {
    change.isr.as_ref().unwrap_or(&before.isr).contains(&old)
}

fn missing(of: &[NodeId], from: &[NodeId]) -> bool {
    of.iter().any(|node| !from.contains(node))
}

/// A decision in words.
pub(super) fn words(config: &Config, change: &Change) -> String {
    let said: Vec<String> = change.facts.iter().map(|fact| fact_in_words(config, fact)).collect();
    said.join("; ")
}

fn fact_in_words(config: &Config, fact: &Fact) -> String {
    match fact {
        Fact::Registered { broker, .. } => format!("{broker} is registered"),
        Fact::Fenced { broker } => format!("{broker} is fenced"),
        Fact::Unfenced { broker } => format!("{broker} is let in"),
        Fact::Stopping { broker } => format!("{broker} is about to stop"),
        Fact::Created { part, isr, .. } => format!("{} exists, in sync {isr:?}", config.part_name(*part)),
        Fact::Changed(change) => part_in_words(config, change),
        Fact::Done { task } => format!("task {task} is done"),
    }
}

fn part_in_words(config: &Config, change: &PartChange) -> String {
    let mut said = config.part_name(change.part);
    match change.leader {
        Some(Some(leader)) => said.push_str(&format!(": led by {leader} in a new epoch")),
        Some(None) => said.push_str(": led by nobody"),
        None => {}
    }
    if change.unclean == Some(true) {
        said.push_str(", elected uncleanly");
    }
    for (what, nodes) in [
        ("in sync", &change.isr),
        ("eligible", &change.elr),
        ("held by", &change.replicas),
        ("to be added", &change.adding),
        ("to be removed", &change.removing),
    ] {
        if let Some(nodes) = nodes {
            said.push_str(&format!(", {what} {nodes:?}"));
        }
    }
    said
}
