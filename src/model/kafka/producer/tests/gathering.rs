//! Batches as they leave: how full, when, and what happens when there is no room.

use crate::base::{Span, Time};
use crate::model::kafka::config::{Partitioner, ProducerConfig};
use crate::model::kafka::ids::{Part, TopicId};
use crate::world::Disconnect;

use super::super::{Fate, Token, marks};
use super::rig::Rig;
use super::setting::{self, BROKERS};

fn ms(n: u64) -> Time {
    Time::ZERO + Span::millis(n)
}

fn rig(producer: ProducerConfig) -> Rig {
    Rig::new(setting::config(producer, false), 1)
}

fn reason(rig: &Rig, number: u32) -> (bool, &'static str) {
    match rig.ends[&Token(number)].1 {
        Fate::Failed(reason) => (true, reason.0),
        Fate::Unknown(reason) => (false, reason.0),
        Fate::At(_) | Fate::Gone => panic!("{number} ended well"),
    }
}

/// Requests with records so far.
fn requests(rig: &Rig) -> u32 {
    rig.cluster.asked.get("produce").copied().unwrap_or(0)
}

/// The session and the connection are there.
fn warm(producer: ProducerConfig) -> Rig {
    let mut rig = rig(producer);
    rig.at(ms(1), Rig::record(1000, 1, 1));
    rig.run(ms(1000));
    assert_eq!(requests(&rig), 1);
    rig
}

#[test]
fn a_batch_leaves_when_it_is_full_or_has_waited_long_enough() {
    let mut rig = warm(ProducerConfig { linger: Span::millis(100), ..setting::producer() });
    for number in 0..9 {
        rig.at(ms(1000 + u64::from(number)), Rig::record(number, 1, 100));
    }
    // Eight records of 116 bytes and the head's 61 are 989: the ninth does not fit, and closes the batch.
    rig.run(ms(1050));
    assert_eq!((requests(&rig), rig.ends.len()), (2, 9));
    rig.run(ms(1107));
    assert_eq!(requests(&rig), 2, "the ninth waits since 1008");
    rig.run(ms(1130));
    assert_eq!((requests(&rig), rig.ends.len()), (3, 10));
}

#[test]
fn a_flush_waits_for_nothing_and_then_things_are_as_before() {
    let mut rig = warm(ProducerConfig { linger: Span::millis(500), ..setting::producer() });
    rig.at(ms(1000), Rig::record(0, 1, 100));
    rig.run(ms(1010));
    rig.with(|engine, _, _| engine.flush());
    rig.run(ms(1030));
    assert_eq!((requests(&rig), rig.ends.len()), (2, 2));
    rig.at(ms(1030), Rig::record(1, 1, 100));
    rig.run(ms(1400));
    assert_eq!(requests(&rig), 2, "the next waits again");
}

#[test]
fn batches_of_one_broker_share_a_request_up_to_its_size() {
    let producer = ProducerConfig { linger: Span::millis(50), partitioner: Partitioner::RoundRobin, ..setting::producer() };
    for (max_request_size, expected) in [(1 << 20, 3), (300, 4)] {
        let mut rig = warm(ProducerConfig { max_request_size, ..producer.clone() });
        let before = requests(&rig);
        // Partitions 0 and 3 are led by one broker, 1 and 2 by two others.
        for number in 0..4 {
            rig.at(ms(1000), Rig::record(number, 0, 100));
        }
        rig.run(ms(1200));
        assert_eq!(requests(&rig) - before, expected, "{max_request_size}");
        assert_eq!(rig.ends.len(), 5);
    }
}

#[test]
fn a_send_that_finds_no_room_waits_and_then_fails() {
    let producer = ProducerConfig { buffer_memory: 2000, delivery_timeout: None, ..setting::producer() };
    let mut rig = warm(producer);
    rig.down = BROKERS.to_vec();
    BROKERS.iter().for_each(|broker| rig.break_off(*broker, Disconnect::Reset));
    for number in 0..20 {
        rig.at(ms(1100 + u64::from(number)), Rig::record(number, 1, 100));
    }
    rig.run(ms(11_050));
    assert_eq!(rig.ends.len(), 1, "sixteen are in the buffer, four wait");
    rig.run(ms(11_200));
    assert_eq!(rig.ends.len(), 5);
    assert!((16..20).all(|number| reason(&rig, number) == (true, "no room in buffer.memory within max.block.ms")));
    assert_eq!(rig.marks.get(marks::BLOCKED_TOO_LONG), Some(&4));
    rig.down.clear();
    rig.at(ms(11_300), Rig::record(20, 1, 100));
    rig.run(ms(20_000));
    assert!((0..16).chain([20]).all(|number| matches!(rig.ends[&Token(number)].1, Fate::At(_))));
    assert_eq!(rig.log(rig.ends[&Token(0)].0.unwrap().0)[1..], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 20]);
}

#[test]
fn a_full_buffer_makes_batches_leave_at_once() {
    let mut rig = rig(ProducerConfig { buffer_memory: 1000, linger: Span::secs(5), ..setting::producer() });
    rig.at(ms(1), Rig::record(1000, 1, 1));
    rig.run(ms(6000));
    assert_eq!(requests(&rig), 1);
    rig.at(ms(7000), Rig::record(0, 1, 100));
    let other = (2..100).find(|key| super::super::partitioner::of_key(crate::base::KeyId(*key), 4) != 1).unwrap();
    rig.at(ms(7001), Rig::record(1, other, 100));
    rig.run(ms(7050));
    assert_eq!(requests(&rig), 2, "the first made room");
    assert_eq!(rig.marks.get(marks::BUFFER_FULL), Some(&1));
}

#[test]
fn what_is_too_large_is_refused_by_the_library() {
    let mut rig = warm(ProducerConfig { max_request_size: 5000, ..setting::producer() });
    rig.at(ms(1000), Rig::record(0, 1, 5000));
    rig.at(ms(1000), Rig::record(1, 1, 4000));
    rig.run(ms(1100));
    assert_eq!(reason(&rig, 0), (true, "larger than max.request.size or buffer.memory"));
    assert!(matches!(rig.ends[&Token(1)].1, Fate::At(_)), "larger than a batch, but not than a request");
}

#[test]
fn an_unknown_topic_is_waited_for() {
    let mut rig = rig(setting::producer());
    rig.cluster.exists(Part(4), false);
    rig.cluster.exists(Part(5), false);
    let bills = TopicId(1);
    rig.at(ms(10), Rig::record_to(bills, 0));
    rig.at(ms(20), Rig::record(1, 1, 100));
    rig.at(ms(5000), Rig::record_to(bills, 2));
    rig.run(ms(9_990));
    assert_eq!(rig.ends.keys().map(|token| token.0).collect::<Vec<_>>(), [1], "other topics are not held up");
    rig.run(ms(10_100));
    assert_eq!(reason(&rig, 0), (true, "no metadata within max.block.ms"));
    rig.cluster.exists(Part(4), true);
    rig.cluster.exists(Part(5), true);
    rig.run(ms(13_000));
    assert!(matches!(rig.ends[&Token(2)].1, Fate::At(0)));
}

#[test]
fn patience_ends_for_what_was_never_sent_with_certainty() {
    let mut rig = warm(setting::producer());
    rig.down = BROKERS.to_vec();
    BROKERS.iter().for_each(|broker| rig.break_off(*broker, Disconnect::Reset));
    rig.run(ms(1100));
    rig.at(ms(1100), Rig::record(0, 1, 100));
    rig.run(ms(21_090));
    assert_eq!(rig.ends.len(), 1);
    rig.run(ms(21_200));
    assert_eq!(reason(&rig, 0), (true, "not delivered within delivery.timeout.ms"));
}

#[test]
fn patience_ends_for_what_is_under_way_without_certainty() {
    let mut rig = warm(ProducerConfig { request_timeout: Span::secs(60), ..setting::producer() });
    rig.mishaps.stalled = 1000;
    rig.at(ms(2000), Rig::record(0, 1, 100));
    rig.run(ms(21_900));
    assert_eq!(rig.ends.len(), 1);
    rig.run(ms(22_200));
    assert_eq!(reason(&rig, 0), (false, "not delivered within delivery.timeout.ms"));
    assert_eq!(rig.stored(0), 1, "and it is stored");
}

#[test]
fn a_silent_broker_is_given_up_after_the_request_timeout() {
    let mut rig = warm(setting::producer());
    rig.mishaps.stalled = 1000;
    rig.at(ms(2000), Rig::record(0, 1, 100));
    rig.run(ms(3990));
    rig.mishaps.stalled = 0;
    assert_eq!(rig.marks.get(marks::REQUEST_TIMED_OUT), None);
    rig.run(ms(8000));
    assert_eq!(rig.marks.get(marks::REQUEST_TIMED_OUT), Some(&1));
    assert!(matches!(rig.ends[&Token(0)].1, Fate::At(_)));
    assert_eq!(rig.stored(0), 1);
}

#[test]
fn metadata_is_asked_for_again_when_it_is_old() {
    let mut rig = warm(ProducerConfig { metadata_max_age: Span::secs(10), ..setting::producer() });
    let before = rig.cluster.view.version;
    rig.cluster.change(Part(0), Some(BROKERS[2]));
    assert!(rig.cluster.view.version > before);
    rig.run(ms(15_000));
    for key in 0..20 {
        rig.at(ms(15_000), Rig::record(key, key, 100));
    }
    rig.run(ms(15_100));
    assert_eq!(rig.ends.len(), 21);
    assert_eq!(rig.marks.get(marks::RETRIED), None, "the new leader was known before anything was sent");
}

#[test]
fn old_producers_fail_what_a_lost_number_leaves_behind() {
    let producer = ProducerConfig { retries: 0, ..setting::producer() };
    let mut config = setting::config(producer, false);
    config.version = crate::model::kafka::config::Version::V0_11;
    let mut rig = Rig::new(config, 1);
    rig.at(ms(1), Rig::record(0, 1, 100));
    rig.run(ms(500));
    rig.mishaps.refused = 1000;
    rig.at(ms(500), Rig::record(1, 1, 100));
    rig.run(ms(1000));
    rig.mishaps.refused = 0;
    rig.at(ms(1000), Rig::record(2, 1, 100));
    rig.run(ms(1500));
    assert!(reason(&rig, 1).0, "it was refused");
    assert_eq!(reason(&rig, 2), (true, "OUT_OF_ORDER_SEQUENCE_NUMBER"), "its number comes after one that was never taken");
    rig.at(ms(1500), Rig::record(3, 1, 100));
    rig.run(ms(2000));
    assert!(matches!(rig.ends[&Token(3)].1, Fate::At(1)), "a new producer id begins anew: {:?}", rig.ends);
    assert_eq!(rig.cluster.asked.get("init"), Some(&2));
}
