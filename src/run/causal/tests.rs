//! The graph against the laws that it must obey, on random traces and on those of real runs.

use super::*;
use crate::base::{Tag, Time};
use petgraph::algo::has_path_connecting;
use proptest::prelude::*;

/// One thing that happens in a random trace; numbers choose among what is possible.
#[derive(Clone, Copy, Debug)]
enum Act {
    Works(u32),
    Sends(u32, u32, u8),
    Arrives(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (0..4u32).prop_map(Act::Works),
        (0..4u32, 1..4u32, 0..5u8).prop_map(|(from, by, fate)| Act::Sends(from, (from + by) % 4, fate)),
        (0..6usize).prop_map(Act::Arrives),
        (0..6usize).prop_map(Act::Arrives),
    ]
}

/// A trace as the world writes it: a message is sent, then carried once, twice or lost, and received when it arrives.
fn trace(acts: &[Act]) -> Vec<TraceEntry> {
    let mut out: Vec<TraceEntry> = Vec::new();
    let mut flying: Vec<(Time, u32, u32, Tag)> = Vec::new();
    let mut number = 0;
    for (at, act) in (1u64..).zip(acts) {
        let now = Time::from_nanos(at * 10);
        let mut push = |node: u32, step: Step| out.push(TraceEntry { at: now, node: NodeId(node), step });
        match *act {
            Act::Works(node) => push(node, Step::Fired),
            Act::Sends(from, to, fate) => {
                number += 1;
                let (tag, to_id) = (Tag { kind: 0, subject: number, attempt: 1 }, NodeId(to));
                push(from, Step::Sent { to: to_id, tag, conn: None });
                if fate == 0 {
                    push(from, Step::Lost { to: to_id, tag, resend: 0, why: crate::record::LossReason::Chance, again: false });
                    continue;
                }
                let arrives = Time::from_nanos(at * 10 + 5);
                let again = (fate == 1).then_some(Time::from_nanos(at * 10 + 7));
                push(from, Step::Carried { to: to_id, tag, resend: 0, at: arrives, damaged: false, again });
                flying.extend([Some(arrives), again].into_iter().flatten().map(|at| (at, from, to, tag)));
            }
            Act::Arrives(which) if !flying.is_empty() => {
                let (_, from, to, tag) = flying.remove(which % flying.len());
                push(to, Step::Received { from: NodeId(from), tag });
            }
            Act::Arrives(_) => {}
        }
    }
    out
}

proptest! {
    #[test]
    fn clocks_agree_with_the_graph(acts in proptest::collection::vec(act(), 0..60)) {
        let trace = trace(&acts);
        let causality = Causality::new(&trace);
        let clocks = causality.clocks(|_| true);
        let events: Vec<EventId> = (0..trace.len()).map(EventId::at).collect();
        for a in &events {
            let (past, future) = (causality.past(&[*a]), causality.future(&[*a]));
            prop_assert!(past.contains(*a) && future.contains(*a));
            for b in events.iter().filter(|b| *b != a) {
                let reached = has_path_connecting(&causality.graph, index(*a), index(*b), None);
                prop_assert_eq!(causality.before(*a, *b), reached);
                prop_assert_eq!(future.contains(*b), reached);
                prop_assert_eq!(causality.past(&[*b]).contains(*a), reached);
                prop_assert!(!reached || a < b, "time runs forward");
                // A clock knows a counted entry exactly when that happens before it.
                if let Some(node) = place(causality.entry(*a)) {
                    prop_assert_eq!(clocks.of(*b, node) >= clocks.of(*a, node), reached);
                }
                prop_assert_eq!(causality.concurrent(*a, *b), !reached && !causality.before(*b, *a));
            }
        }
    }

    #[test]
    fn lines_and_messages_are_kept(acts in proptest::collection::vec(act(), 0..80)) {
        let trace = trace(&acts);
        let causality = Causality::new(&trace);
        let clocks = causality.clocks(|_| true);
        let mut count = [0u32; 4];
        let mut last = [None; 4];
        for (event, entry) in (0..).map(EventId::at).zip(&trace) {
            if let Some(node) = place(entry) {
                count[node.index()] += 1;
                prop_assert_eq!(clocks.of(event, node), count[node.index()], "the own part counts the own entries");
                if let Some(before) = last[node.index()].replace(event) {
                    prop_assert!(causality.before(before, event));
                }
            }
            if let Step::Received { from, tag } = &entry.step {
                let sent = causality.sent(event).expect("nothing is received that was not sent");
                prop_assert_eq!((causality.entry(sent).node, &causality.entry(sent).step), (*from, &Step::Sent { to: entry.node, tag: *tag, conn: None }));
                let carried = causality.carried(event).expect("and carried");
                let chain = causality.chain(sent, event).expect("a cause");
                prop_assert!(chain == [sent, carried, event] || chain.len() <= 3, "{:?}", chain);
            }
        }
    }
}

#[test]
fn a_shortest_chain_is_a_chain() {
    let acts = [Act::Sends(0, 1, 4), Act::Arrives(0), Act::Works(1), Act::Sends(1, 2, 4), Act::Arrives(0), Act::Works(0)];
    let trace = trace(&acts);
    let causality = Causality::new(&trace);
    let last = EventId::at(trace.iter().rposition(|e| matches!(e.step, Step::Received { .. })).expect("received"));
    let chain = causality.chain(EventId::at(0), last).expect("it came of it");
    assert_eq!(chain.len(), 7, "sent, carried, received, worked, sent, carried, received: {chain:?}");
    for pair in chain.windows(2) {
        assert!(causality.causes(pair[1]).iter().any(|(cause, _)| *cause == pair[0]));
    }
    assert_eq!(causality.chain(last, EventId::at(0)), None);
    assert_eq!(causality.head(EventId::at(1)), EventId::at(1), "how a message fares is no part of a handler");
}

#[test]
fn a_long_trace_takes_no_long_time() {
    let acts: Vec<Act> = (0..40_000u32)
        .map(|n| match n % 3 {
            0 => Act::Sends(n % 4, (n + 1) % 4, 4),
            1 => Act::Arrives(0),
            _ => Act::Works(n % 4),
        })
        .collect();
    let trace = trace(&acts);
    let causality = Causality::new(&trace);
    let last = EventId::at(trace.len() - 1);
    assert!(trace.len() > 50_000 && causality.past(&[last]).iter().count() > 40_000);
    assert_eq!(causality.clocks(|_| true).flat.len(), trace.len() * 4);
}
