//! A story told in four ways: as text, as a space–time diagram, as a log for ShiViz, and as a trace for Chrome and Perfetto.

pub mod text;

use crate::run::follow::{Tale, TaleEvent};

/// The sentence of an event without the name of its node, for where that stands beside it.
pub(crate) fn bare<'t>(tale: &Tale, event: &'t TaleEvent) -> &'t str {
    let Some(name) = event.node.map(|node| tale.name(node)) else { return &event.text };
    let rest = event.text.strip_prefix(name).unwrap_or(&event.text);
    let told = rest.strip_prefix(' ').or_else(|| rest.strip_prefix(": ")).or_else(|| rest.strip_prefix("'s "));
    told.unwrap_or(&event.text)
}
