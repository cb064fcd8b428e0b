//! What differs between an arm and a run of it that was varied, in the words of scenario files.

use crate::scenario::ArmPlan;

/// The tables of a printed arm: each header with its lines.
fn tables(arm: &ArmPlan) -> Vec<(String, Vec<String>)> {
    let text = format!("{arm:?}");
    let blocks = text.split("\n\n").map(str::trim).filter(|block| !block.is_empty());
    blocks
        .map(|block| {
            let mut lines = block.lines().map(str::to_owned);
            (lines.next().unwrap_or_default(), lines.collect())
        })
        .collect()
}

/// What differs between an arm and a variation of it, each as one line: faults that are left out or new, and the settings of network,
/// nodes and load that are others.
#[must_use]
pub fn varied(arm: &ArmPlan, varied: &ArmPlan) -> Vec<String> {
    let (before, after) = (tables(arm), tables(varied));
    let is_fault = |header: &str| header == "[[fault]]";
    let mut words = Vec::new();
    for table in before.iter().filter(|table| is_fault(&table.0) && !after.contains(table)) {
        words.push(format!("not as declared: {}", table.1.join(", ")));
    }
    for (header, lines) in after.iter().filter(|table| !before.contains(table)) {
        let own = before.iter().find(|table| table.0 == *header && !is_fault(header)).map_or(&[][..], |table| &table.1);
        let changed: Vec<&str> = lines.iter().filter(|line| !own.contains(line)).map(String::as_str).collect();
        words.push(format!("{}: {}", header.trim_matches(['[', ']']), changed.join(", ")));
    }
    words
}
