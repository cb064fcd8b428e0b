//! Several consumers: who reads what when, and who has to stop for whom.

use std::collections::BTreeMap;

use super::fake::Script;
use super::{Run, batches, dies, run};
use crate::base::{NodeId, ObjectId, Span, Time};
use crate::model::kafka::mutants::{Mutant, Mutants};
use crate::parts::fault::Fault;

/// Two consumers of four partitions from the beginning, and a third that comes after 20 s and stays 20 s.
fn three(consumer: &str) -> Script {
    let text = format!(
        "version = \"4.0\"\nbrokers = 1\ntopic.orders = {{ partitions = 6 }}\n\
        consumers.first = {{ count = 2, group.id = \"g\", auto.offset.reset = \"earliest\", {consumer} }}\n\
        consumers.late = {{ group.id = \"g\", auto.offset.reset = \"earliest\", {consumer}, runs = {{ from = \"20s\", for = \"20s\" }} }}"
    );
    (0..6).fold(Script::new(&text), |script, part| script.with(part, batches(part, 250, 2, Span::millis(200))))
}

const PROTOCOLS: [(&str, &str); 4] = [
    ("eager", "partition.assignment.strategy = \"RangeAssignor\""),
    ("sticky", "partition.assignment.strategy = \"StickyAssignor\""),
    ("cooperative", "partition.assignment.strategy = \"CooperativeStickyAssignor\""),
    ("consumer", "group.protocol = \"consumer\""),
];

fn play(consumer: &str, faults: Vec<Fault>) -> Run {
    // Sessions are 45 s: whoever dies last is replaced before the end.
    run(three(&format!("processing = \"0s\", commit = \"after\", {consumer}")), Span::secs(160), faults)
}

/// Nobody reads what another reads: the history of assignments is played through.
fn one_reader_each(run: &Run) -> bool {
    let mut readers: BTreeMap<ObjectId, NodeId> = BTreeMap::new();
    run.moves()
        .into_iter()
        .all(|(_, node, log, begins)| if begins { readers.insert(log, node).is_none() } else { readers.remove(&log) == Some(node) })
}

fn stops(run: &Run, from: u64, until: u64) -> usize {
    let within = |at: Time| at >= Time::ZERO + Span::secs(from) && at < Time::ZERO + Span::secs(until);
    run.moves().into_iter().filter(|(at, _, _, begins)| !begins && within(*at)).count()
}

#[test]
fn who_comes_and_goes_in_order_costs_nobody_a_record() {
    for (name, consumer) in PROTOCOLS {
        let run = play(consumer, Vec::new());
        assert!(one_reader_each(&run), "{name}: {:?}", run.moves());
        let mut delivered = run.delivered();
        delivered.sort_unstable();
        let expected: Vec<u32> = (0..6).flat_map(|part| (0..500).map(move |offset| part * 10_000 + offset)).collect();
        assert_eq!(delivered, expected, "{name}: everything once, though readers change");
        let nodes: std::collections::BTreeSet<NodeId> = run.moves().into_iter().map(|(_, node, _, _)| node).collect();
        assert_eq!(nodes.len(), 3, "{name}: all three had something");
    }
}

#[test]
fn only_what_moves_is_given_up_where_members_cooperate() {
    // The third takes two of six; in an eager group everybody stops for it.
    let given_up: Vec<usize> = PROTOCOLS.iter().map(|(_, consumer)| stops(&play(consumer, Vec::new()), 20, 35)).collect();
    assert_eq!(given_up, [6, 6, 2, 2]);
}

#[test]
fn a_static_member_that_comes_back_soon_stops_nobody() {
    let (first, late) = ("group.instance.id = \"first\", session.timeout.ms = \"10s\"", "session.timeout.ms = \"10s\"");
    let seen = |consumer: &str| {
        let text = format!(
            "version = \"3.9\"\nbrokers = 1\ntopic.orders = {{ partitions = 6 }}\n\
            consumers.first = {{ count = 2, group.id = \"g\", auto.offset.reset = \"earliest\", processing = \"0s\", commit = \"after\", {consumer} }}"
        );
        let script = (0..6).fold(Script::new(&text), |script, part| script.with(part, batches(part, 250, 2, Span::millis(200))));
        let other = script.config.places.consumers[1].0;
        let run = run(script, Span::secs(60), vec![dies("first-1", &[20_000])]);
        let stopped =
            run.moves().into_iter().filter(|(at, node, _, begins)| *node == other && !begins && at.nanos() > 15_000_000_000).count();
        let mut delivered = run.delivered();
        delivered.sort_unstable();
        delivered.dedup();
        (stopped, delivered.len())
    };
    assert_eq!(seen(first), (0, 3000), "the other goes on");
    let (stopped, delivered) = seen(late);
    assert!(stopped >= 3 && delivered == 3000, "the other stops {stopped} times");
}

#[test]
fn the_dead_are_replaced_in_every_protocol() {
    for (name, consumer) in PROTOCOLS {
        let run = play(consumer, vec![dies("first-1", &[12_000, 31_000]), dies("first-2", &[45_000])]);
        let mut delivered = run.delivered();
        delivered.sort_unstable();
        delivered.dedup();
        let missing =
            (0..6).flat_map(|part| (0..500).map(move |offset| part * 10_000 + offset)).find(|one| delivered.binary_search(one).is_err());
        assert_eq!(missing, None, "{name}");
    }
}

#[test]
fn the_mutant_reads_on_what_it_gave_up() {
    let mut script = three("processing = \"0s\", commit = \"after\"");
    script.config.mutants = Mutants::with(Mutant::KeepsRevoked).expect("a build with mutants");
    let mut delivered = run(script, Span::secs(75), Vec::new()).delivered();
    let all = delivered.len();
    delivered.sort_unstable();
    delivered.dedup();
    assert!(all > delivered.len() + 100, "{all} deliveries of {}", delivered.len());
}
