//! The story of a node: when it was down, stopped or ill, what it lost, and the messages about which something broke.

use std::collections::BTreeSet;

use crate::base::{NodeId, PayloadId, Span};
use crate::record::Step;
use crate::run::causal::EventId;

use super::facts::Facts;
use super::ground::{Ground, breaches};
use super::message::Scope;
use super::telling::{Outline, Point, tell};
use super::{Subject, Tale};

/// Tells the story of a node.
pub(super) fn tale(ground: &Ground<'_>, node: NodeId) -> Tale {
    let found = breaches(&ground.evidence.judged, |_| true);
    let mut scope =
        Scope { ground, chosen: BTreeSet::new(), cast: ground.sim.names().nodes.iter().enumerate().map(|(n, _)| NodeId::at(n)).collect() };
    for event in ground.line(node) {
        scope.moment(event);
    }
    let mut concerned = Vec::new();
    for (breach, payloads) in found {
        let here: Vec<Facts> = payloads.iter().map(|p| Facts::of(ground, *p)).filter(|facts| facts.cast(ground).contains(&node)).collect();
        for facts in &here {
            let own = |event: &EventId| ground.entry(*event).node == node;
            scope.chosen.extend(facts.about.iter().copied().filter(own));
            scope.chosen.extend(facts.writes.iter().flat_map(|write| [Some(write.wrote), write.durable]).flatten().filter(own));
        }
        if !here.is_empty() {
            concerned.push((breach, here.iter().map(|facts| facts.payload).collect::<BTreeSet<_>>()));
        }
    }
    let gist = gist(ground, node, &concerned.iter().flat_map(|(_, payloads)| payloads.clone()).collect());
    tell(
        ground,
        Outline {
            subject: Subject::Node(node),
            title: ground.words.node(node).to_owned(),
            breaches: concerned.into_iter().map(|(breach, _)| breach).collect(),
            gist,
            chosen: scope.chosen,
            cast: [node].into(),
        },
    )
}

/// How a node fared, in a few sentences.
fn gist(ground: &Ground<'_>, node: NodeId, broken: &BTreeSet<PayloadId>) -> Vec<Point> {
    let name = ground.words.node(node);
    let (mut downs, mut lost, mut off) = (Vec::new(), 0, Span::ZERO);
    let mut since = None;
    for event in ground.line(node) {
        match ground.entry(event).step {
            Step::Down { .. } => {
                downs.push(event);
                since = Some(ground.at(event));
            }
            Step::Booted => off += since.take().map_or(Span::ZERO, |since| ground.at(event).since(since)),
            Step::LostWrites { count } => lost += count,
            Step::Sent { .. }
            | Step::Lost { .. }
            | Step::Carried { .. }
            | Step::Recorded(_)
            | Step::Struck { .. }
            | Step::Received { .. }
            | Step::Fired
            | Step::Paused(_)
            | Step::Wrote { .. }
            | Step::Syncing
            | Step::Synced { .. }
            | Step::Disconnected { .. }
            | Step::Said { .. } => {}
        }
    }
    let mut points: Vec<Point> = Vec::new();
    let ever = if since.is_some() { ", the last time for good" } else { "" };
    let text = match downs.len() {
        0 => format!("{name} never went down."),
        1 => format!("{name} went down once, for {}{ever}.", off.nearest_micro()),
        times => format!("{name} went down {times} times, for {} in all{ever}.", off.nearest_micro()),
    };
    points.push((text, downs));
    if lost > 0 {
        points.push((format!("It lost {lost} unsynced write{} with its power.", if lost == 1 { "" } else { "s" }), Vec::new()));
    }
    if !broken.is_empty() {
        points.push((format!("Something broke about {}, which it had to do with.", Ground::listed(broken)), Vec::new()));
    }
    points
}
