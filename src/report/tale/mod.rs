//! A story told in four ways: as text, as a space–time diagram, as a log for ShiViz, and as a trace for Chrome and Perfetto.

pub mod chrome;
mod layout;
pub mod shiviz;
pub mod svg;
pub mod text;

use crate::base::{NodeId, Time};
use crate::run::follow::{Kind, Tale, TaleEvent};

/// The sentence of an event without the name of its node, for where that stands beside it.
fn bare<'t>(tale: &Tale, event: &'t TaleEvent) -> &'t str {
    let Some(name) = event.node.map(|node| tale.name(node)) else { return &event.text };
    let rest = event.text.strip_prefix(name).unwrap_or(&event.text);
    let told = rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' ')).or_else(|| rest.strip_prefix("'s "));
    told.unwrap_or(&event.text)
}

/// What one node did at one moment for one reason; what befalls a message on its way stands alone.
struct Group<'t> {
    at: Time,
    node: Option<NodeId>,
    /// Positions in the story, and what stands there.
    events: Vec<(usize, &'t TaleEvent)>,
}

impl Group<'_> {
    /// All of it as one sentence that names the node.
    fn sentence(&self, tale: &Tale) -> String {
        let rest = self.events.iter().skip(1).map(|(_, event)| bare(tale, event));
        let told: Vec<&str> = self.events.iter().take(1).map(|(_, event)| event.text.as_str()).chain(rest).collect();
        crate::report::words::clean(&told.join("; "))
    }

    /// All of it as one sentence that does not name the node.
    fn text(&self, tale: &Tale) -> String {
        let told: Vec<&str> = self.events.iter().map(|(_, event)| bare(tale, event)).collect();
        crate::report::words::clean(&told.join("; "))
    }
}

/// The events of a story in groups, in order.
fn groups(tale: &Tale) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (number, event) in tale.events.iter().enumerate() {
        let same = |group: &&mut Group<'_>| {
            let first = group.events[0].1;
            (first.node, first.handler, first.at) == (event.node, event.handler, event.at) && event.kind != Kind::Lost
        };
        match groups.last_mut().filter(same) {
            Some(group) => group.events.push((number, event)),
            None => groups.push(Group { at: event.at, node: event.node, events: vec![(number, event)] }),
        }
    }
    groups
}

/// Whether an event is one of those that made the difference.
fn is_decisive(tale: &Tale, number: usize) -> bool {
    tale.gist.iter().any(|gist| gist.events.contains(&number))
}
