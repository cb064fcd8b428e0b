//! What a node does again and again is told once, with how often and until when.

use std::collections::BTreeMap;

use crate::base::{NodeId, Time};
use crate::run::words::again as again_until;

use super::{Kind, TaleEvent};

/// For each event: whether it stays, and what is added to its sentence.
pub(super) fn told_once(events: &[TaleEvent]) -> Vec<Option<String>> {
    let mut told: Vec<Option<String>> = vec![Some(String::new()); events.len()];
    let mut again: BTreeMap<usize, (u64, Time)> = BTreeMap::new();
    let mut latest: BTreeMap<(Option<NodeId>, &str), usize> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        match event.kind {
            Kind::Link | Kind::Lost => {
                if let Some(first) = latest.get(&(event.node, event.text.as_str())) {
                    let (times, last) = again.entry(*first).or_insert((0, event.at));
                    (*times, *last) = (*times + 1, event.at);
                    told[at] = None;
                } else {
                    latest.insert((event.node, event.text.as_str()), at);
                }
            }
            Kind::Turn | Kind::Down | Kind::Up => latest.retain(|(node, _), _| *node != event.node),
            Kind::Sends | Kind::Receives | Kind::Words | Kind::Wrote | Kind::Durable | Kind::Harm | Kind::Fault => {}
        }
    }
    for (first, (times, last)) in again {
        told[first] = Some(again_until(times, last));
    }
    told
}
