//! The log against a plain twin, replicas against each other, and the rules one by one.

use std::sync::Arc;

use super::*;
use crate::base::{KeyId, PayloadId};
use crate::model::kafka::batch::{Content, Stamp};
use crate::model::kafka::mutants::Mutant;

mod compaction;
mod producers;
mod recovery;
mod replicas;
mod twin;

/// Rules under which nothing is ever removed.
pub(super) const PLAIN: Rules = Rules {
    segment_bytes: 400,
    segment: Span::secs(3600),
    retention: None,
    retention_bytes: None,
    cleanup: Cleanup { delete: true, compact: false },
    min_cleanable_dirty_ratio: 0,
    min_compaction_lag: Span::ZERO,
    producer_id_expiration: Span::secs(86_400),
    memory: Memory { window: WINDOW, known_by_log: false },
};

/// Producers before 1.0.
pub(super) const EARLY: Rules = Rules { memory: Memory { window: 1, known_by_log: true }, ..PLAIN };

pub(super) fn session(producer: u64, epoch: u16) -> Session {
    Session { id: ProducerId(producer), epoch }
}

/// Records with these keys, the first with this number.
pub(super) fn records(payload: u32, keys: &[u32], stamp: Option<Stamp>, transactional: bool) -> Batch {
    let record = |(delta, key): (u32, &u32)| Rec { payload: PayloadId(payload + delta), key: KeyId(*key), bytes: 4, delta };
    Batch::records((0..).zip(keys).map(record).collect(), stamp, transactional)
}

/// So many records of a producer.
pub(super) fn sent(session: Session, sequence: u32, count: u32) -> Batch {
    records(sequence, &vec![0; count as usize], Some(Stamp { session, sequence }), false)
}

/// The same in a transaction.
pub(super) fn in_transaction(session: Session, sequence: u32, count: u32) -> Batch {
    Batch { transactional: true, ..sent(session, sequence, count) }
}

pub(super) fn marker(session: Session, outcome: Outcome, coordinator: Epoch) -> Batch {
    let content = Content::Marker { outcome, coordinator };
    Batch { stamp: Some(Stamp { session, sequence: 0 }), transactional: true, ..Batch::internal(content, 1, 17) }
}

/// Appends as a leader does.
pub(super) fn append(log: &mut Log, batch: Batch, epoch: Epoch, at: Time) -> Stored {
    let stored = Stored { base: log.end(), epoch, at, batch: Arc::new(batch) };
    assert!(log.append(stored.clone()));
    stored
}

pub(super) fn seconds(n: u64) -> Time {
    Time::ZERO + Span::secs(n)
}

/// What a log holds.
pub(super) fn contents(log: &Log) -> Vec<Stored> {
    log.entries().collect()
}

#[test]
fn a_segment_is_removed_when_its_latest_batch_is_too_old() {
    let mut log = Log::new(Rules { retention: Some(Span::secs(100)), segment_bytes: 200, ..PLAIN });
    for n in 0..4 {
        append(&mut log, records(n, &[0], None, false), 0, seconds(u64::from(n) * 10));
    }
    assert_eq!(log.segments().all().iter().map(|segment| segment.base).collect::<Vec<_>>(), [0, 2]);
    assert_eq!(log.retain(seconds(110), 4, Mutants::none()), None, "the second batch is not older than the limit");
    assert_eq!(log.retain(seconds(111), 1, Mutants::none()), None, "the segment is not committed");
    let gone = log.retain(seconds(111), 2, Mutants::none()).unwrap();
    assert_eq!((gone.from, gone.to, gone.batches.len(), gone.bytes()), (0, 2, 2, 162));
    assert_eq!((log.start(), log.bytes()), (2, 162));
    // The active segment goes as well, and the log is empty.
    let gone = log.retain(seconds(1000), 4, Mutants::none()).unwrap();
    assert_eq!((gone.from, gone.to, log.start(), log.end(), log.segments().all().len()), (2, 4, 4, 4, 1));
    assert_eq!(log.retain(seconds(2000), 4, Mutants::none()), None);
}

#[test]
fn a_broken_broker_removes_what_is_young() {
    let Some(broken) = Mutants::with(Mutant::RetentionTakesActive) else { return };
    let mut log = Log::new(Rules { retention: Some(Span::secs(100)), ..PLAIN });
    append(&mut log, records(0, &[0], None, false), 0, seconds(0));
    assert_eq!(log.retain(seconds(1), 1, Mutants::none()), None);
    assert_eq!(log.retain(seconds(1), 1, broken).unwrap().to, 1);
}

#[test]
fn a_log_keeps_at_least_what_retention_bytes_says() {
    let mut log = Log::new(Rules { retention_bytes: Some(300), segment_bytes: 200, ..PLAIN });
    for n in 0..6 {
        append(&mut log, records(n, &[0], None, false), 0, seconds(0));
    }
    // Six batches of 81 bytes in three segments: 486. Without the first segment 324 are left, without the second 162.
    assert_eq!(log.retain(seconds(0), 6, Mutants::none()).unwrap().to, 2);
    assert_eq!(log.retain(seconds(0), 6, Mutants::none()), None);
}

#[test]
fn an_old_active_segment_ends_with_the_next_batch() {
    let mut log = Log::new(Rules { segment: Span::secs(10), ..PLAIN });
    append(&mut log, records(0, &[0], None, false), 0, seconds(0));
    append(&mut log, records(1, &[0], None, false), 0, seconds(10));
    append(&mut log, records(2, &[0], None, false), 0, seconds(11));
    assert_eq!(log.segments().all().iter().map(|segment| segment.base).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_reader_gets_one_batch_whatever_its_size() {
    let mut log = Log::new(PLAIN);
    for n in 0..3 {
        append(&mut log, records(n, &[0, 0], None, false), 0, seconds(0));
    }
    assert_eq!(log.read(3, 6, 0).iter().map(|entry| entry.base).collect::<Vec<_>>(), [2]);
    assert_eq!(log.read(0, 6, 250).len(), 2);
    assert_eq!(log.read(0, 5, 1000).len(), 2, "a batch that is not wholly below the bound is not given");
    assert_eq!(log.read(6, 6, 1000), []);
    assert_eq!(log.available(0, 6, 1), 101);
}

#[test]
fn a_decided_transaction_holds_readers_back_until_its_marker_is_committed() {
    let mut log = Log::new(PLAIN);
    append(&mut log, records(0, &[0], None, false), 0, seconds(0));
    append(&mut log, in_transaction(session(1, 0), 0, 2), 0, seconds(0));
    append(&mut log, in_transaction(session(2, 0), 0, 1), 0, seconds(0));
    append(&mut log, marker(session(1, 0), Outcome::Abort, 0), 0, seconds(0));
    assert_eq!((log.last_stable(1), log.last_stable(4), log.last_stable(5)), (1, 1, 3));
    append(&mut log, marker(session(2, 1), Outcome::Commit, 0), 0, seconds(0));
    assert_eq!((log.last_stable(4), log.last_stable(5), log.last_stable(6)), (1, 3, 6));
    assert_eq!(log.aborted(0, 6), [(ProducerId(1), 1)]);
    assert_eq!(log.held(0, 6).map(|(offset, _)| offset).collect::<Vec<_>>(), [0, 3]);
    assert_eq!(log.held(1, 5).count(), 0);
}

#[test]
fn copies_of_equal_logs_have_equal_digests() {
    let of = |log: &Log| {
        let mut digest = Digest::new();
        log.fingerprint(seconds(1), &mut digest);
        digest
    };
    let (mut one, mut other) = (Log::new(PLAIN), Log::new(PLAIN));
    for n in 0..300 {
        append(&mut one, records(n, &[0], None, false), 0, seconds(0));
        append(&mut other, records(n, &[0], None, false), 0, seconds(0));
        if n % 7 == 0 {
            let last = append(&mut other, records(n + 1, &[0], None, false), 0, seconds(0));
            assert_ne!(of(&one), of(&other));
            other.truncate(last.base);
        }
    }
    assert_eq!(of(&one), of(&other));
    assert_eq!(of(&one), of(&one.clone()));
}
