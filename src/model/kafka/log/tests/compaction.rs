//! Compaction: the latest of every key stays where it is, and nothing is lost that somebody still needs.

use proptest::prelude::*;

use super::super::compact::DELETE_RETENTION;
use super::*;
use crate::model::kafka::batch::Position;
use crate::model::kafka::ids::GroupId;

/// Compacted as soon as there is something to do.
const COMPACTED: Rules = Rules { cleanup: Cleanup { delete: false, compact: true }, segment_bytes: 200, ..PLAIN };

fn keys(log: &Log) -> Vec<(Offset, u32)> {
    log.records_from(0).map(|(offset, record)| (offset, record.key.0)).collect()
}

#[test]
fn the_latest_of_each_key_stays_and_the_active_segment_is_left_alone() {
    let mut log = Log::new(COMPACTED);
    for (n, key) in (0..).zip([1, 2, 1, 3, 2, 1]) {
        append(&mut log, records(n, &[key], None, false), 0, seconds(0));
    }
    let done = log.compact(seconds(0), 6, Mutants::none()).unwrap();
    assert_eq!((done.to, done.superseded.iter().map(|(offset, _)| *offset).collect::<Vec<_>>()), (4, vec![0]));
    // 2 at 1 is the latest below the bound, although the active segment has a later one.
    assert_eq!(keys(&log), [(1, 2), (2, 1), (3, 3), (4, 2), (5, 1)]);
    assert_eq!((done.bytes, log.start(), log.end()), (81, 0, 6));
    assert_eq!(log.compact(seconds(0), 6, Mutants::none()), None, "nothing is dirty");
    assert_eq!(log.read(0, 6, 0)[0].base, 1);
}

#[test]
fn what_is_not_committed_or_too_young_waits() {
    let mut log = Log::new(Rules { min_compaction_lag: Span::secs(10), ..COMPACTED });
    for n in 0..7 {
        append(&mut log, records(n, &[1], None, false), 0, seconds(u64::from(n)));
    }
    assert_eq!(log.compact(seconds(10), 7, Mutants::none()), None);
    assert_eq!(log.compact(seconds(20), 1, Mutants::none()), None);
    assert_eq!(log.clone().compact(seconds(12), 7, Mutants::none()).unwrap().to, 2);
    assert_eq!(log.compact(seconds(20), 5, Mutants::none()).unwrap().to, 4);
}

#[test]
fn a_little_dirt_is_left_alone() {
    let mut log = Log::new(Rules { min_cleanable_dirty_ratio: 500, ..COMPACTED });
    for n in 0..9 {
        append(&mut log, records(n, &[n], None, false), 0, seconds(0));
    }
    assert_eq!(log.compact(seconds(0), 9, Mutants::none()).unwrap().to, 8);
    for n in 9..17 {
        append(&mut log, records(n, &[n], None, false), 0, seconds(0));
        assert_eq!(log.clone().compact(seconds(0), u64::from(n) + 1, Mutants::none()), None, "{n}: half of it or less is dirty");
    }
    append(&mut log, records(17, &[17], None, false), 0, seconds(0));
    append(&mut log, records(18, &[18], None, false), 0, seconds(0));
    assert!(log.compact(seconds(0), 19, Mutants::none()).is_some());
}

#[test]
fn an_open_transaction_stops_it_and_an_aborted_one_leaves_its_marker_for_a_day() {
    let mut log = Log::new(COMPACTED);
    append(&mut log, records(0, &[1], None, false), 0, seconds(0));
    append(&mut log, in_transaction(session(1, 0), 0, 2), 0, seconds(0));
    for n in 3..6 {
        append(&mut log, records(n, &[2], None, false), 0, seconds(0));
    }
    assert_eq!(log.compact(seconds(0), 6, Mutants::none()), None);
    append(&mut log, marker(session(1, 1), Outcome::Abort, 0), 0, seconds(0));
    append(&mut log, in_transaction(session(1, 1), 0, 1), 0, seconds(0));
    append(&mut log, marker(session(1, 2), Outcome::Commit, 0), 0, seconds(0));
    for n in 9..13 {
        append(&mut log, records(n, &[3], None, false), 0, seconds(0));
    }
    let done = log.compact(seconds(1), 13, Mutants::none()).unwrap();
    assert_eq!(done.aborted.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), [1, 2]);
    assert!(log.batches_from(6).next().is_some_and(|entry| entry.base == 6), "the marker is still there");
    append(&mut log, records(13, &[3], None, false), 0, seconds(2));
    append(&mut log, records(14, &[3], None, false), 0, seconds(2));
    log.compact(seconds(2), 15, Mutants::none()).unwrap();
    append(&mut log, records(15, &[3], None, false), 0, seconds(2));
    append(&mut log, records(16, &[3], None, false), 0, seconds(2));
    log.compact(seconds(1) + DELETE_RETENTION + Span::secs(1), 17, Mutants::none()).unwrap();
    assert!(log.batches_from(6).next().is_some_and(|entry| entry.base > 6), "the marker is gone");
    assert_eq!(log.producers().epoch(ProducerId(1)), Some(2));
    log.audit().unwrap();
}

#[test]
fn the_last_batch_of_a_producer_stays_without_its_records() {
    let mut log = Log::new(COMPACTED);
    append(&mut log, sent(session(1, 0), 0, 2), 0, seconds(0));
    append(&mut log, sent(session(1, 0), 2, 2), 0, seconds(0));
    for n in 4..9 {
        append(&mut log, records(n, &[0], None, false), 0, seconds(0));
    }
    log.compact(seconds(0), 9, Mutants::none()).unwrap();
    let left = log.batches_from(0).next().unwrap();
    assert_eq!((left.base, left.end(), left.batch.as_records().len(), left.batch.stamp.unwrap().sequence), (2, 4, 0, 2));
    let mut copy = Log::new(COMPACTED);
    assert!(contents(&log).into_iter().all(|entry| copy.append(entry)));
    assert_eq!(copy.check(&sent(session(1, 0), 2, 2), Mutants::none()), Ok(Check::Duplicate { base: 2, end: 4 }));
    assert_eq!(copy.check(&sent(session(1, 0), 4, 1), Mutants::none()), Ok(Check::Fresh));
}

#[test]
fn positions_are_known_by_group_and_partition() {
    let mut log = Log::new(COMPACTED);
    let position = |group: u16, part: u32, offset: Offset| Position { group: GroupId(group), part: Part(part), offset, epoch: None };
    let batch = |all: &[Position]| Batch::internal(Content::Positions(all.into()), u32::try_from(all.len()).unwrap(), 60);
    append(&mut log, batch(&[position(0, 0, 1)]), 0, seconds(0));
    append(&mut log, batch(&[position(0, 0, 2), position(0, 1, 5)]), 0, seconds(0));
    append(&mut log, batch(&[position(1, 0, 7)]), 0, seconds(0));
    append(&mut log, batch(&[position(0, 0, 3)]), 0, seconds(0));
    append(&mut log, batch(&[position(0, 0, 4)]), 0, seconds(0));
    log.compact(seconds(0), 6, Mutants::none()).unwrap();
    // The second batch says the latest of the other partition, and stays whole.
    assert_eq!(contents(&log).iter().map(|entry| entry.base).collect::<Vec<_>>(), [1, 3, 4, 5]);
}

#[test]
fn a_broken_cleaner_loses_the_latest() {
    let Some(broken) = Mutants::with(Mutant::CompactsLatest) else { return };
    let mut log = Log::new(COMPACTED);
    for (n, key) in (0..).zip([1, 2, 1, 3, 3]) {
        append(&mut log, records(n, &[key], None, false), 0, seconds(0));
    }
    let done = log.compact(seconds(0), 5, broken).unwrap();
    assert_eq!((keys(&log), done.superseded), (vec![(0, 1), (4, 3)], vec![]));
}

#[derive(Clone, Debug)]
enum Step {
    Send { producer: u64, keys: Vec<u32>, transactional: bool },
    End { producer: u64, outcome: Outcome, raise: u16 },
    Commit(u64),
    Compact,
    Cut(u64),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    prop_oneof![
        10 => (0u64..4, proptest::collection::vec(0u32..6, 1..4), any::<bool>()).prop_map(|(producer, keys, transactional)| Step::Send { producer, keys, transactional }),
        5 => (1u64..4, outcome, 0u16..2).prop_map(|(producer, outcome, raise)| Step::End { producer, outcome, raise }),
        4 => (0u64..1001).prop_map(Step::Commit),
        3 => Just(Step::Compact),
        1 => (0u64..1001).prop_map(Step::Cut),
        2 => (0u64..50_000).prop_map(Step::Pass),
    ]
}

/// A log that is compacted now and then, and all that was ever in it and not cut off.
struct Pair {
    log: Log,
    whole: Log,
    high_watermark: Offset,
    now: Time,
    clients: Vec<(u16, u32)>,
    payload: u32,
    /// Something was cut off. What had been compacted by then may have been the only trace of a producer whose later batch was cut off.
    cut: bool,
}

impl Pair {
    fn append(&mut self, batch: Batch) {
        let stored = append(&mut self.log, batch, 1, self.now);
        assert!(self.whole.append(stored));
    }
    fn step(&mut self, step: &Step) {
        match step {
            Step::Send { producer, keys, transactional } => {
                let at = usize::try_from(*producer).unwrap();
                let (epoch, sequence) = self.clients[at];
                let session = session(*producer, epoch);
                let stamp = (*producer > 0).then_some(Stamp { session, sequence });
                let transactional = stamp.is_some() && (*transactional || self.log.producers().open(session.id).is_some());
                let batch = records(self.payload, keys, stamp, transactional);
                assert_eq!(self.log.check(&batch, Mutants::none()), Ok(Check::Fresh));
                let count = batch.span;
                self.clients[at].1 += count;
                self.payload += count;
                self.append(batch);
            }
            Step::End { producer, outcome, raise } => {
                let client = &mut self.clients[usize::try_from(*producer).unwrap()];
                *client = if *raise > 0 { (client.0 + raise, 0) } else { *client };
                let session = session(*producer, client.0);
                self.append(marker(session, *outcome, 0));
            }
            Step::Commit(share) => self.high_watermark += (self.log.end() - self.high_watermark) * share / 1000,
            Step::Compact => self.compact(),
            Step::Cut(share) => {
                let to = self.high_watermark + (self.log.end() - self.high_watermark) * share / 1000;
                self.cut |= to < self.log.end();
                self.log.truncate(to);
                self.whole.truncate(to);
                for (producer, client) in (0..).zip(&mut self.clients) {
                    let next =
                        |next: &u32| self.log.check(&in_transaction(session(producer, client.0), *next, 1000), Mutants::none()).is_ok();
                    let known = self.log.producers().epoch(ProducerId(producer));
                    match known {
                        None => *client = (0, 0),
                        Some(epoch) if epoch < client.0 => *client = (epoch + 1, 0),
                        Some(_) => client.1 = (0..1000).find(next).unwrap(),
                    }
                }
            }
            Step::Pass(span) => self.now += Span::secs(*span),
        }
    }
    fn compact(&mut self) {
        let before = self.log.clone();
        let Some(done) = self.log.compact(self.now, self.high_watermark, Mutants::none()) else { return };
        assert!(done.to <= self.whole.last_stable(self.high_watermark));
        let all: Vec<(Offset, Rec, bool)> = self
            .whole
            .batches_from(0)
            .take_while(|entry| entry.end() <= done.to)
            .flat_map(|entry| {
                let dead = self.whole.is_aborted(entry);
                entry.records().map(move |(offset, record)| (offset, *record, dead))
            })
            .collect();
        for (offset, record, dead) in &all {
            let later = all.iter().any(|(other, by, dead)| other > offset && by.key == record.key && !dead);
            let there = self.log.records_from(*offset).next().is_some_and(|(at, left)| at == *offset && left == record);
            assert_eq!(there, !dead && !later, "offset {offset}");
        }
        let is = |offset: Offset| all.iter().find(|(other, _, _)| *other == offset).copied().unwrap();
        assert!(done.aborted.iter().all(|(offset, _)| is(*offset).2));
        assert!(done.superseded.iter().all(|(offset, record)| !is(*offset).2 && is(*offset).1 == *record));
        let records = |log: &Log| log.records_from(0).count();
        assert_eq!(records(&before), records(&self.log) + done.aborted.len() + done.superseded.len());
        assert_eq!(before.bytes(), self.log.bytes() + done.bytes);
        for entry in self.log.batches_from(0) {
            let old = before.batches_from(entry.base).next().unwrap();
            assert_eq!(
                (old.base, old.end(), old.epoch, old.at, old.batch.stamp),
                (entry.base, entry.end(), entry.epoch, entry.at, entry.batch.stamp)
            );
        }
        assert_eq!(done.kept.to_vec(), contents(&self.log).into_iter().filter(|entry| entry.base < done.to).collect::<Vec<_>>());
    }
    /// What a follower that copies the log now knows, it knows as well as one that has copied everything.
    fn compare(&self) {
        self.log.audit().unwrap();
        let mut copy = Log::new(COMPACTED);
        assert!(contents(&self.log).into_iter().all(|entry| copy.append(entry)));
        for log in [&self.log, &copy] {
            assert_eq!(log.last_stable(self.high_watermark), self.whole.last_stable(self.high_watermark));
            for (producer, (epoch, _)) in (0..).zip(&self.clients) {
                let session = session(producer, *epoch);
                assert_eq!(log.producers().open(session.id), self.whole.producers().open(session.id));
                for sequence in (0..4).filter(|_| !self.cut) {
                    let next = in_transaction(session, self.clients[usize::try_from(producer).unwrap()].1 + sequence, 7);
                    assert_eq!(log.check(&next, Mutants::none()), self.whole.check(&next, Mutants::none()), "{next:?}");
                }
            }
            let committed = |log: &Log| {
                let mut latest = std::collections::BTreeMap::new();
                latest.extend(log.held(0, self.high_watermark).map(|(offset, record)| (record.key, (offset, record.payload))));
                latest
            };
            assert_eq!(committed(log), committed(&self.whole), "the latest of every key, for readers of what is committed");
        }
    }
}

proptest! {
    #[test]
    fn the_latest_committed_record_of_every_key_survives(steps in proptest::collection::vec(step(), 1..120)) {
        let whole = Log::new(PLAIN);
        let mut pair = Pair { log: Log::new(COMPACTED), whole, high_watermark: 0, now: seconds(0), clients: vec![(0, 0); 4], payload: 0, cut: false };
        for step in steps {
            pair.step(&step);
            pair.compare();
        }
    }
}
