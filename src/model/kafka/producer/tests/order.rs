//! Order under retries: kept by numbers, or by one request at a time; otherwise not.

use crate::base::{Span, Time};
use crate::model::kafka::config::ProducerConfig;
use crate::model::kafka::ids::Part;
use crate::model::kafka::mutants::Mutants;
use crate::world::Disconnect;

use super::super::marks;
use super::super::{Fate, Token};
use super::certainty::shown;
use super::rig::{Mishaps, Rig};
use super::setting;

fn plain(max_in_flight: u32) -> ProducerConfig {
    ProducerConfig { idempotence: false, max_in_flight, linger: Span::ZERO, ..setting::producer() }
}

#[test]
fn retries_swap_batches_when_several_are_under_way_without_numbers() {
    let only = Mishaps { refused: 100, request_lost: 50, ..Mishaps::default() };
    let swaps = |producer: &ProducerConfig| (0..20).map(|seed| shown(producer.clone(), Mutants::none(), only, seed).0.swaps).sum::<u32>();
    assert!(swaps(&plain(5)) > 20, "five under way");
    assert_eq!(swaps(&plain(1)), 0, "one under way");
    assert_eq!(swaps(&setting::producer()), 0, "five under way, numbered");
}

/// Three batches are under way over a connection that breaks: the one that was put back last is sent first.
#[test]
fn what_was_put_back_last_is_sent_first_without_numbers() {
    let burst = |idempotence: bool| {
        let producer = ProducerConfig { idempotence, batch_size: 200, ..plain(5) };
        let mut rig = Rig::new(setting::config(producer, false), 1);
        rig.at(Time::from_nanos(1), Rig::record(0, 1, 100));
        rig.run(Time::ZERO + Span::millis(100));
        for number in 1..4 {
            rig.at(rig.now, Rig::record(number, 1, 100));
        }
        rig.run(rig.now);
        let (part, _) = rig.ends[&Token(0)];
        let leader = rig.cluster.leader(part.unwrap()).unwrap();
        rig.break_off(leader, Disconnect::Reset);
        rig.run(rig.now + Span::secs(5));
        rig.log(part.unwrap().0)
    };
    assert_eq!(burst(false), [0, 3, 2, 1]);
    assert_eq!(burst(true), [0, 1, 2, 3]);
}

/// A batch is given up after its second attempt, and those behind it miss it: the producer goes on under the next epoch.
#[test]
fn after_a_lost_number_comes_the_next_epoch() {
    let producer = ProducerConfig { delivery_timeout: Some(Span::millis(1500)), request_timeout: Span::millis(600), ..setting::producer() };
    let mut rig = Rig::new(setting::config(producer, false), 1);
    rig.at(Time::from_nanos(1), Rig::record(0, 1, 100));
    rig.run(Time::ZERO + Span::millis(500));
    rig.mishaps = Mishaps { request_lost: 1000, ..Mishaps::default() };
    rig.at(rig.now, Rig::record(1, 1, 100));
    rig.run(rig.now + Span::millis(1300));
    rig.at(rig.now, Rig::record(2, 1, 100));
    rig.run(rig.now + Span::millis(300));
    rig.mishaps = Mishaps::default();
    rig.run(rig.now + Span::secs(5));
    assert!(matches!(rig.ends[&Token(1)], (Some(_), Fate::Unknown(_))), "{:?}", rig.ends);
    assert!(matches!(rig.ends[&Token(2)], (Some(_), Fate::At(1))), "{:?}", rig.ends);
    assert_eq!(rig.marks.get(marks::EPOCH_BUMPED), Some(&1));
    let part: Part = rig.ends[&Token(0)].0.unwrap();
    assert_eq!(rig.log(part.0), [0, 2]);
}
