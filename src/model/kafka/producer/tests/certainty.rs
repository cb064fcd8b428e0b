//! The certainty of ends, whatever happens on the way.

use proptest::prelude::*;

use crate::base::{Span, Stream, Time, Words};
use crate::model::kafka::config::ProducerConfig;
use crate::model::kafka::ids::Part;
use crate::model::kafka::mutants::{Mutant, Mutants};
use crate::model::kafka::protocol::Acks;

use super::super::{Fate, Token, partitioner};
use super::rig::{Mishaps, Rig};
use super::setting::{self, ORDERS};

/// What a run showed.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) ok: u32,
    pub(super) failed: u32,
    pub(super) unknown: u32,
    /// Ended as failed, and stored.
    pub(super) false_failures: u32,
    /// Ended well, and not where it was said to be.
    pub(super) false_successes: u32,
    /// Stored more than once.
    pub(super) duplicates: u32,
    /// Neighbours in a log, first copies only, that were handed in the other way round.
    pub(super) swaps: u32,
    pub(super) open: usize,
}

/// So many records under mishaps for some seconds, then calm until everything is done.
pub(super) fn shown(producer: ProducerConfig, mutants: Mutants, mishaps: Mishaps, seed: u64) -> (Shown, Rig) {
    let mut config = setting::config(producer, false);
    config.mutants = mutants;
    let mut rig = Rig::new(config, seed);
    (rig.mishaps, rig.calm_from) = (mishaps, Time::ZERO + Span::secs(12));
    let mut words = Stream::named(seed, "records", 0);
    let mut at = Time::from_nanos(1_000_000);
    let count = 400;
    for number in 0..count {
        at += words.span_between(Span::ZERO, Span::millis(50));
        let (key, bytes) = (u32::try_from(words.below(20)).unwrap(), u32::try_from(words.below(300)).unwrap());
        rig.at(at, Rig::record(number, key, bytes));
    }
    rig.run(Time::ZERO + Span::secs(120));
    let mut shown = Shown { open: rig.engine.open(), ..Shown::default() };
    for number in 0..count {
        let stored = rig.stored(number);
        shown.duplicates += u32::from(stored > 1);
        let Some((part, fate)) = rig.ends.get(&Token(number)) else { continue };
        match fate {
            Fate::At(offset) => {
                let there = part.and_then(|part: Part| rig.log(part.0).get(usize::try_from(*offset).unwrap()).copied());
                shown.false_successes += u32::from(there != Some(number));
                shown.ok += 1;
            }
            Fate::Gone => shown.ok += 1,
            Fate::Failed(_) => {
                shown.false_failures += u32::from(stored > 0);
                shown.failed += 1;
            }
            Fate::Unknown(_) => shown.unknown += 1,
        }
    }
    for part in 0..ORDERS.1 {
        let mut seen = Vec::new();
        for payload in rig.log(part) {
            if !seen.contains(&payload) {
                seen.push(payload);
            }
        }
        shown.swaps += u32::try_from(seen.windows(2).filter(|pair| pair[0] > pair[1]).count()).unwrap();
    }
    (shown, rig)
}

fn idempotent() -> ProducerConfig {
    setting::producer()
}

/// The producers that real systems have, by age and care.
fn kinds() -> Vec<(&'static str, ProducerConfig)> {
    let plain = ProducerConfig { idempotence: false, ..idempotent() };
    vec![
        ("idempotent", idempotent()),
        ("impatient", ProducerConfig { delivery_timeout: Some(Span::secs(3)), ..idempotent() }),
        ("few retries", ProducerConfig { retries: 2, ..idempotent() }),
        ("plain", plain.clone()),
        ("plain, leader only", ProducerConfig { acks: Acks::Leader, ..plain.clone() }),
        ("plain, impatient", ProducerConfig { delivery_timeout: Some(Span::secs(2)), ..plain.clone() }),
        ("plain, no retries", ProducerConfig { retries: 0, ..plain.clone() }),
        ("one at a time", ProducerConfig { max_in_flight: 1, linger: Span::ZERO, ..plain }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 24 } else { 300 }))]

    #[test]
    fn what_failed_is_nowhere_and_what_ended_well_is_there(seed in 0u64..1_000_000) {
        for (name, producer) in kinds() {
            let (shown, _) = shown(producer, Mutants::none(), Mishaps::ALL, seed);
            prop_assert_eq!((shown.false_failures, shown.false_successes), (0, 0), "{} with seed {}: {:?}", name, seed, &shown);
            prop_assert_eq!(shown.open, 0, "{} with seed {}: everything ends, {:?}", name, seed, &shown);
            prop_assert_eq!(shown.ok + shown.failed + shown.unknown, 400);
        }
    }

    /// That holds as long as nothing arrives late where patience or tries may run out, or leaders change: see below.
    #[test]
    fn idempotence_stores_once_and_in_order(seed in 0u64..1_000_000) {
        let nothing_fatal = Mishaps { fatal: 0, ..Mishaps::ALL };
        let nothing_late = Mishaps { stalled: 0, ..nothing_fatal };
        let one_leader = Mishaps { elections: 0, ..nothing_fatal };
        for (name, producer) in kinds().into_iter().filter(|(_, producer)| producer.idempotence) {
            let patient = name == "idempotent";
            for mishaps in [Some(nothing_late), patient.then_some(one_leader)].into_iter().flatten() {
                let (shown, rig) = shown(producer.clone(), Mutants::none(), mishaps, seed);
                prop_assert_eq!((shown.duplicates, shown.swaps), (0, 0), "{} with seed {}: {:?} {:?}", name, seed, &shown, &rig.marks);
            }
        }
    }
}

/// As in Kafka: while five batches are in doubt at a silent leader, any number goes to the next one. When the five are sent again they
/// are older than the last five that a broker recognises, and there is no way on but the next epoch, under which those after them are
/// stored a second time.
#[test]
fn a_silent_leader_and_a_new_one_are_more_than_numbers_can_bear() {
    let late = Mishaps { fatal: 0, ..Mishaps::ALL };
    let twice: u32 = (0..60).map(|seed| shown(idempotent(), Mutants::none(), late, seed).0.duplicates).sum();
    assert!(twice > 0);
}

/// As in Kafka: a batch that is refused for good makes all of its partition's batches begin anew under the next epoch, also those before
/// it that may be stored already. The broker cannot recognise them.
#[test]
fn a_batch_refused_for_good_costs_those_in_doubt_their_numbers() {
    let twice: u32 =
        (0..60).map(|seed| shown(idempotent(), Mutants::none(), Mishaps { fatal: 100, ..Mishaps::ALL }, seed).0.duplicates).sum();
    assert!(twice > 0);
}

#[test]
fn each_end_comes_up() {
    let (mut ok, mut failed, mut unknown) = (0, 0, 0);
    for seed in 0..20 {
        let (shown, _) = shown(ProducerConfig { retries: 2, ..idempotent() }, Mutants::none(), Mishaps::ALL, seed);
        (ok, failed, unknown) = (ok + shown.ok, failed + shown.failed, unknown + shown.unknown);
    }
    assert!(ok > 4000 && failed > 50 && unknown > 100, "{ok} {failed} {unknown}");
}

#[test]
fn without_acknowledgements_everything_ends_well_and_some_is_lost() {
    let producer = ProducerConfig { acks: Acks::None, idempotence: false, ..idempotent() };
    let (shown, rig) = shown(producer, Mutants::none(), Mishaps { request_lost: 100, elections: 100, ..Mishaps::default() }, 5);
    assert_eq!((shown.ok, shown.failed, shown.unknown, shown.open), (400, 0, 0, 0));
    let lost = (0..400).filter(|number| rig.stored(*number) == 0).count();
    assert!(lost > 5, "{lost} of 400 are nowhere");
}

#[test]
fn a_producer_that_reports_what_it_does_not_know_is_found_out() {
    let Some(mutants) = Mutants::with(Mutant::UnknownAsFailed) else { return };
    let producer = ProducerConfig { delivery_timeout: Some(Span::secs(3)), ..idempotent() };
    let lies: u32 = (0..20).map(|seed| shown(producer.clone(), mutants, Mishaps::ALL, seed).0.false_failures).sum();
    assert!(lies > 0);
}

#[test]
fn a_producer_that_numbers_batches_anew_is_found_out() {
    let Some(mutants) = Mutants::with(Mutant::RetriesWithNewSequence) else { return };
    let twice: u32 = (0..20).map(|seed| shown(idempotent(), mutants, Mishaps::ALL, seed).0.duplicates).sum();
    assert!(twice > 0);
}

#[test]
fn keys_go_where_their_hash_says() {
    let (_, rig) = shown(idempotent(), Mutants::none(), Mishaps::default(), 3);
    let mut words = Stream::named(3, "records", 0);
    for number in 0..400 {
        words.span_between(Span::ZERO, Span::millis(50));
        let key = crate::base::KeyId(u32::try_from(words.below(20)).unwrap());
        words.below(300);
        let (part, _) = rig.ends[&Token(number)];
        assert_eq!(part, Some(Part(partitioner::of_key(key, ORDERS.1))));
    }
}
