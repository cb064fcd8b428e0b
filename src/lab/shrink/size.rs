//! How large a case is, in figures that a reader compares.

use crate::base::Span;
use crate::lab::case::Case;

/// How much of everything there is in a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Size {
    /// Listed operations; `None` when the load comes from laws.
    pub messages: Option<usize>,
    /// Declared faults.
    pub faults: usize,
    /// Transmissions whose fate is named.
    pub transmissions: usize,
    /// Nodes.
    pub nodes: usize,
    /// Queues, topics, subscriptions and the like.
    pub objects: usize,
    /// From time zero to the final reads.
    pub time: Span,
}

impl Size {
    /// The size of a case.
    #[must_use]
    pub fn of(case: &Case) -> Size {
        let (roster, surroundings) = (case.arm.model().roster(), case.arm.surroundings());
        Size {
            messages: case.arm.load().streams.is_empty().then_some(case.arm.load().listed.len()),
            faults: surroundings.faults.len(),
            transmissions: surroundings.overrides.len(),
            nodes: roster.nodes.len(),
            objects: roster.objects.len(),
            time: case.arm.phases().total().unwrap_or_default(),
        }
    }

    /// What differs in another size, in words; `None` when nothing does.
    #[must_use]
    pub fn difference(&self, now: &Size) -> Option<String> {
        let count = |size: Option<usize>| size.map_or_else(|| "laws".to_owned(), |count| count.to_string());
        let rows = [
            ("messages", count(self.messages), count(now.messages)),
            ("faults", self.faults.to_string(), now.faults.to_string()),
            ("named transmissions", self.transmissions.to_string(), now.transmissions.to_string()),
            ("nodes", self.nodes.to_string(), now.nodes.to_string()),
            ("objects", self.objects.to_string(), now.objects.to_string()),
            ("time", self.time.to_string(), now.time.to_string()),
        ];
        let changed = rows.into_iter().filter(|(_, before, after)| before != after);
        let words: Vec<String> = changed.map(|(what, before, after)| format!("{what} {before} → {after}")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}
