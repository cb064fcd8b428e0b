//! The client side of transactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use crate::base::{Span, Stream, Time, Words};
use crate::model::kafka::batch::{Outcome, Position};
use crate::model::kafka::config::ProducerConfig;
use crate::model::kafka::ids::{GroupId, Part, TxnId};

use super::super::{Event, Fate, Token, marks};
use super::rig::{Mishaps, Rig};
use super::setting::{self, ORDERS, TRANSACTIONS};

fn transactional() -> ProducerConfig {
    ProducerConfig { transactions: Some(TRANSACTIONS), ..setting::producer() }
}

/// A producer that has its session.
fn ready(producer: ProducerConfig, v2: bool) -> Rig {
    let mut rig = Rig::new(setting::config(producer, v2), 1);
    rig.run(Time::ZERO + Span::millis(100));
    assert_eq!(rig.events, [Event::Ready]);
    rig.events.clear();
    rig
}

fn soon(rig: &mut Rig) {
    rig.run(rig.now + Span::millis(300));
}

/// Begins a transaction with records of these numbers, each with its own key.
fn begin(rig: &mut Rig, numbers: std::ops::Range<u32>) {
    rig.engine.begin();
    for number in numbers {
        rig.at(rig.now, Rig::record(number, number, 100));
    }
    rig.run(rig.now);
}

fn commit(rig: &mut Rig) {
    rig.engine.commit();
    soon(rig);
}

fn abort(rig: &mut Rig) {
    rig.with(|engine, _, out| engine.abort(out));
    soon(rig);
}

/// How often a record stands in a log and counts.
fn counts(rig: &Rig, number: u32) -> usize {
    let decided = |transaction: Option<u32>| transaction.is_none_or(|it| rig.cluster.outcomes.get(&it) == Some(&Outcome::Commit));
    rig.cluster.logs.iter().flatten().filter(|slot| slot.payload.0 == number && decided(slot.transaction)).count()
}

fn asked(rig: &Rig, what: &str) -> u32 {
    rig.cluster.asked.get(what).copied().unwrap_or(0)
}

#[test]
fn committed_records_count_and_partitions_are_added_unless_leaders_do_it() {
    for v2 in [false, true] {
        let mut rig = ready(transactional(), v2);
        for round in 0..3 {
            begin(&mut rig, round * 10..round * 10 + 10);
            commit(&mut rig);
            assert_eq!(rig.events.pop(), Some(Event::Ended(Outcome::Commit)));
        }
        assert!((0..30).all(|number| counts(&rig, number) == 1));
        assert_eq!((asked(&rig, "init"), asked(&rig, "end")), (1, 3));
        assert_eq!(asked(&rig, "add partitions") > 0, !v2);
        let session = rig.cluster.txns[&TxnId(0)].session;
        assert_eq!(session.epoch, if v2 { 3 } else { 0 }, "with v2 every transaction has its own epoch");
    }
}

#[test]
fn a_transaction_without_records_needs_no_coordinator() {
    let mut rig = ready(transactional(), false);
    rig.engine.begin();
    commit(&mut rig);
    assert_eq!((rig.events.pop(), asked(&rig, "end")), (Some(Event::Ended(Outcome::Commit)), 0));
}

#[test]
fn an_abort_sends_nothing_more_and_nothing_counts() {
    for v2 in [false, true] {
        let mut rig = ready(ProducerConfig { linger: Span::millis(50), ..transactional() }, v2);
        begin(&mut rig, 0..4);
        soon(&mut rig);
        begin_more(&mut rig, 4..8);
        abort(&mut rig);
        assert_eq!(rig.events.pop(), Some(Event::Ended(Outcome::Abort)));
        for number in 0..8 {
            assert_eq!((rig.stored(number), counts(&rig, number)), (usize::from(number < 4), 0));
            let fate = rig.ends[&Token(number)].1;
            assert_eq!(matches!(fate, Fate::Failed(_)), number >= 4, "{number}: {fate:?}");
        }
        begin(&mut rig, 8..12);
        commit(&mut rig);
        assert!((8..12).all(|number| counts(&rig, number) == 1));
    }
}

fn begin_more(rig: &mut Rig, numbers: std::ops::Range<u32>) {
    for number in numbers {
        rig.at(rig.now, Rig::record(number, number, 100));
    }
    rig.run(rig.now);
}

#[test]
fn positions_go_along_with_the_transaction() {
    for v2 in [false, true] {
        let mut rig = ready(transactional(), v2);
        begin(&mut rig, 0..2);
        let position = Position { group: GroupId(0), part: Part(4), offset: 17, epoch: None };
        rig.engine.add_positions(GroupId(0), None, Arc::from([position]));
        commit(&mut rig);
        assert_eq!(rig.events, [Event::PositionsSent, Event::Ended(Outcome::Commit)]);
        let (number, offset) = rig.cluster.positions[0];
        assert_eq!((offset, rig.cluster.outcomes[&number]), (17, Outcome::Commit));
        assert_eq!((asked(&rig, "add offsets"), asked(&rig, "commit positions")), (u32::from(!v2), 1));
    }
}

#[test]
fn a_zombie_stops_and_knows_that_nothing_counts() {
    for v2 in [false, true] {
        let mut rig = ready(transactional(), v2);
        begin(&mut rig, 0..4);
        soon(&mut rig);
        rig.cluster.take_over(TxnId(0));
        commit(&mut rig);
        assert!(matches!(rig.events[..], [Event::Stopped { end_asked: false, .. }]), "{:?}", rig.events);
        assert_eq!(rig.marks.get(marks::FENCED), Some(&1));
        assert!((0..4).all(|number| counts(&rig, number) == 0));
        rig.at(rig.now, Rig::record(4, 1, 100));
        soon(&mut rig);
        assert!(matches!(rig.ends[&Token(4)].1, Fate::Failed(_)));
    }
}

/// The commit is decided, its answer is lost, and before it is asked for again the producer is fenced.
#[test]
fn a_zombie_that_has_asked_for_its_commit_knows_nothing() {
    let mut rig = ready(transactional(), false);
    begin(&mut rig, 0..4);
    soon(&mut rig);
    rig.engine.commit();
    while asked(&rig, "end") == 0 {
        rig.mishaps.control = 0;
        rig.step();
    }
    rig.break_off(rig.cluster.coordinator, crate::world::Disconnect::Reset);
    rig.run(rig.now + Span::millis(20));
    rig.cluster.take_over(TxnId(0));
    rig.run(rig.now + Span::secs(3));
    assert!(matches!(rig.events[..], [Event::Stopped { end_asked: true, .. }]), "{:?}", rig.events);
    assert!((0..4).all(|number| counts(&rig, number) == 1));
}

#[test]
fn after_an_error_the_transaction_is_aborted_and_the_next_one_works() {
    for v2 in [false, true] {
        let mut rig = ready(transactional(), v2);
        rig.mishaps.fatal = 1;
        begin(&mut rig, 0..4);
        soon(&mut rig);
        assert_eq!(rig.events, [Event::MustAbort(crate::record::Reason("MESSAGE_TOO_LARGE"))]);
        rig.mishaps.fatal = 0;
        abort(&mut rig);
        assert_eq!(rig.events.pop(), Some(Event::Ended(Outcome::Abort)));
        assert_eq!(asked(&rig, "init"), if v2 { 1 } else { 2 }, "v1 asks for its next epoch after an error");
        begin(&mut rig, 10..20);
        commit(&mut rig);
        assert!((0..20).all(|number| counts(&rig, number) == usize::from(number >= 10)));
    }
}

/// Transactions of ten records, every fifth aborted, until the records are used up: what each record's transaction came to.
fn drive(v2: bool, mishaps: Mishaps, seed: u64) -> (Rig, BTreeMap<u32, Option<Outcome>>) {
    let mut rig = Rig::new(setting::config(transactional(), v2), seed);
    (rig.mishaps, rig.calm_from) = (mishaps, Time::ZERO + Span::secs(20));
    let mut words = Stream::named(seed, "transactions", 0);
    let (mut outcomes, mut next) = (BTreeMap::new(), 0);
    let mut open: Vec<u32> = Vec::new();
    while rig.now < Time::ZERO + Span::secs(150) {
        rig.run(rig.now + Span::millis(20));
        for event in std::mem::take(&mut rig.events) {
            match event {
                Event::Ready | Event::Ended(_) => {
                    if let Event::Ended(outcome) = event {
                        outcomes.extend(open.drain(..).map(|number| (number, Some(outcome))));
                    }
                    if next < 300 {
                        rig.engine.begin();
                        open.extend(next..next + 10);
                        for number in next..next + 10 {
                            let at = rig.now + words.span_between(Span::ZERO, Span::millis(100));
                            rig.at(at, Rig::record(number, u32::try_from(words.below(9)).unwrap(), 100));
                        }
                        next += 10;
                        rig.run(rig.now + Span::millis(100));
                        if next % 50 == 0 { rig.with(|engine, _, out| engine.abort(out)) } else { rig.engine.commit() }
                    }
                }
                Event::MustAbort(_) => rig.with(|engine, _, out| engine.abort(out)),
                Event::Stopped { .. } => panic!("nobody fences it"),
                Event::Done(_) | Event::PositionsSent => {}
            }
        }
    }
    assert_eq!((next, open.len()), (300, 0), "everything ends");
    (rig, outcomes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 12 } else { 150 }))]

    /// With v1 only as long as nothing arrives late: an old request to end a transaction would end the next one, which has the same epoch.
    #[test]
    fn what_is_committed_counts_once_and_what_is_aborted_does_not(seed in 0u64..1_000_000) {
        for v2 in [false, true] {
            let mishaps = if v2 { Mishaps::ALL } else { Mishaps { stalled: 0, ..Mishaps::ALL } };
            let (rig, outcomes) = drive(v2, mishaps, seed);
            for number in 0..300 {
                let fate = rig.ends[&Token(number)].1;
                match (outcomes[&number], fate) {
                    (Some(Outcome::Commit), Fate::At(_)) => prop_assert_eq!(counts(&rig, number), 1, "{} v2 {}", number, v2),
                    (Some(Outcome::Commit), _) => prop_assert!(false, "{} was committed and is {:?}", number, fate),
                    (_, Fate::Unknown(_)) if !v2 => {}
                    (_, _) => prop_assert_eq!(counts(&rig, number), 0, "{} v2 {} {:?}", number, v2, fate),
                }
            }
            for part in 0..ORDERS.1 {
                let committed: Vec<u32> = rig.log(part).into_iter().filter(|number| counts(&rig, *number) == 1).collect();
                prop_assert!(committed.windows(2).all(|pair| pair[0] / 10 <= pair[1] / 10), "transactions follow one another: {:?}", committed);
            }
        }
    }
}

#[test]
fn both_ends_come_up() {
    let mut waited = 0;
    for seed in 0..6 {
        let (rig, outcomes) = drive(seed % 2 == 0, Mishaps { stalled: 0, ..Mishaps::ALL }, seed);
        let of = |wanted: Outcome| outcomes.values().filter(|outcome| **outcome == Some(wanted)).count();
        assert!(of(Outcome::Commit) > 100 && of(Outcome::Abort) >= 60, "{outcomes:?}");
        waited += rig.marks.get(marks::CONCURRENT).copied().unwrap_or(0);
    }
    assert!(waited > 0);
}
