//! A story as a log with vector clocks, for ShiViz.

use crate::report::words;
use crate::run::follow::Tale;

/// The regular expression that reads the log, its first line.
pub const PATTERN: &str = r"(?<event>.*)\n(?<host>\S*) (?<clock>{.*})";

/// The story as a ShiViz log: the pattern, a line for what parts several runs (empty: there is one), then two lines for each event. What
/// happens at no node is not in it: no clock counts it.
#[must_use]
pub fn render(tale: &Tale) -> String {
    let mut out = format!("{PATTERN}\n\n");
    for event in &tale.events {
        let Some(node) = event.node.filter(|_| !event.clock.is_empty()) else { continue };
        let clock: serde_json::Map<String, serde_json::Value> =
            event.clock.iter().map(|(node, count)| (host(tale, *node), (*count).into())).collect();
        out += &format!("{} {}\n", words::micros(event.at), words::clean(&event.text));
        out += &format!("{} {}\n", host(tale, node), serde_json::Value::Object(clock));
    }
    out
}

/// A name without spaces: that is what parts it from its clock.
fn host(tale: &Tale, node: crate::base::NodeId) -> String {
    let name = words::clean(tale.name(node));
    name.split_whitespace().collect::<Vec<_>>().join("_")
}
