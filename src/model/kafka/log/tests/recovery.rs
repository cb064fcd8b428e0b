//! What comes back from a disk, whatever of the writes it has.

use proptest::prelude::*;

use super::*;
use crate::model::kafka::disk::{BrokerDisk, BrokerWrite};
use crate::world::Contents;

type Write = BrokerWrite<std::convert::Infallible>;

const PART: Part = Part(2);

#[derive(Clone, Debug)]
enum Step {
    Send { producer: u64, count: u32, transactional: bool },
    End { producer: u64, outcome: Outcome },
    Cut(u64),
    Delete(u64),
    Compact,
    Lead,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    prop_oneof![
        12 => (0u64..4, 1u32..4, any::<bool>()).prop_map(|(producer, count, transactional)| Step::Send { producer, count, transactional }),
        3 => (1u64..4, outcome).prop_map(|(producer, outcome)| Step::End { producer, outcome }),
        2 => (0u64..1001).prop_map(Step::Cut),
        1 => (0u64..1001).prop_map(Step::Delete),
        1 => Just(Step::Compact),
        2 => Just(Step::Lead),
    ]
}

/// A log, and what its broker has written.
struct Story {
    log: Log,
    epoch: Epoch,
    payload: u32,
    writes: Vec<Write>,
    /// What the log was before each write, and after the last one.
    states: Vec<Log>,
    /// The same, if nothing had ever been deleted or compacted.
    whole: Vec<Log>,
}

impl Story {
    fn of(rules: Rules, steps: &[Step]) -> Story {
        let log = Log::new(rules);
        let mut story = Story { states: vec![log.clone()], whole: vec![Log::new(PLAIN)], log, epoch: 1, payload: 0, writes: Vec::new() };
        for step in steps {
            story.step(step);
        }
        story
    }
    fn append(&mut self, batch: Batch) {
        let entry = Stored { base: self.log.end(), epoch: self.epoch, at: seconds(u64::from(self.payload)), batch: Arc::new(batch) };
        self.written(BrokerWrite::append(PART, &self.log, entry.clone()));
        assert!(self.log.append(entry));
        self.seen();
    }
    fn written(&mut self, write: Write) {
        self.writes.push(write);
    }
    fn seen(&mut self) {
        let mut whole = self.whole.last().unwrap().clone();
        whole.truncate(self.log.end());
        for entry in self.log.batches_from(whole.end()) {
            assert!(whole.append(entry.clone()));
        }
        self.whole.push(whole);
        self.states.push(self.log.clone());
    }
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Send { producer, count, transactional } => {
                let session = session(producer, 0);
                let known = self.log.producers().epoch(session.id).is_some();
                let fits = |next: &u32| self.log.check(&in_transaction(session, *next, 999), Mutants::none()).is_ok();
                let sequence = if known { (0..2000).find(fits).unwrap() } else { 0 };
                let open = self.log.is_open(session);
                self.payload += count;
                let stamp = (producer > 0).then_some(Stamp { session, sequence });
                let keys: Vec<u32> = (0..count).map(|n| (self.payload + n) % 5).collect();
                self.append(records(self.payload, &keys, stamp, producer > 0 && (transactional || open)));
            }
            Step::End { producer, outcome } => self.append(marker(session(producer, 0), outcome, 0)),
            Step::Cut(share) => {
                let all = contents(&self.log);
                let at = usize::try_from(all.len() as u64 * share / 1001).unwrap();
                let to = all.get(at).map_or(self.log.end(), |entry| entry.base.max(self.log.start()));
                if to < self.log.end() {
                    let bytes = self.log.truncate(to);
                    self.written(BrokerWrite::Truncate { part: PART, to, bytes });
                    self.seen();
                    self.epoch += 1;
                }
            }
            Step::Delete(share) => {
                let deleted = self.log.delete_below(self.log.end() * share / 1000);
                if deleted.to > deleted.from {
                    self.written(BrokerWrite::deleted(PART, &self.log, &deleted));
                    self.seen();
                }
            }
            Step::Compact => {
                if let Some(done) = self.log.compact(seconds(0), self.log.end(), Mutants::none()) {
                    self.written(BrokerWrite::compacted(PART, &done));
                    self.seen();
                }
            }
            Step::Lead => self.epoch += 1,
        }
    }
    fn recover<'a>(&self, writes: impl Iterator<Item = &'a Write>) -> Log {
        let mut disk = BrokerDisk::new(());
        for write in writes {
            disk.apply(write.clone());
        }
        let rules = self.states[0].rules;
        disk.log(PART, rules, seconds(0)).map_or_else(|| Log::new(rules), |(log, _)| log)
    }
}

const COMPACTED: Rules = Rules { cleanup: Cleanup { delete: true, compact: true }, ..PLAIN };

proptest! {
    #[test]
    fn after_a_kill_or_a_power_failure_a_prefix_is_there(steps in proptest::collection::vec(step(), 1..80), compacted in any::<bool>()) {
        let story = Story::of(if compacted { COMPACTED } else { PLAIN }, &steps);
        let mut whole = true;
        for (count, expected) in story.states.iter().enumerate() {
            whole &= count == 0 || !matches!(story.writes[count - 1], BrokerWrite::Compacted { .. });
            let log = story.recover(story.writes[..count].iter());
            log.audit().unwrap();
            prop_assert_eq!((log.start(), log.end()), (expected.start(), expected.end()));
            prop_assert_eq!(contents(&log), contents(expected));
            prop_assert_eq!(log.epochs(), expected.epochs());
            prop_assert_eq!(log.transactions().open(), expected.transactions().open());
            prop_assert_eq!(log.last_stable(log.end()), expected.last_stable(log.end()));
            if whole {
                prop_assert_eq!(log.producers(), expected.producers());
                prop_assert_eq!(log.transactions(), expected.transactions());
            }
        }
    }

    /// A sync that fails loses some writes and keeps later ones: what comes back has no gap, and all of it was once there like that.
    #[test]
    fn any_of_the_writes_make_a_log(
        steps in proptest::collection::vec(step(), 1..80),
        lost in proptest::collection::vec(proptest::bool::weighted(0.2), 400),
        compacted in any::<bool>(),
    ) {
        let story = Story::of(if compacted { COMPACTED } else { PLAIN }, &steps);
        let kept = story.writes.iter().zip(&lost).filter(|(_, lost)| !**lost).map(|(write, _)| write);
        let log = story.recover(kept);
        log.audit().unwrap();
        let found: Vec<(Offset, Offset, Epoch)> = log.batches_from(0).map(|entry| (entry.base, entry.end(), entry.epoch)).collect();
        if let Some(last) = found.last() {
            let places = |log: &Log| log.batches_from(0).map(|entry| (entry.base, entry.end(), entry.epoch)).collect::<Vec<_>>();
            let then = story.whole.iter().map(places).find(|then| then.contains(last)).unwrap();
            prop_assert!(found.iter().all(|place| then.contains(place)), "{:?} was once followed by {:?}", found, last);
            let from = found[0].0;
            let missing = then.iter().any(|place| place.0 >= from && place.0 < last.0 && !found.contains(place));
            prop_assert!(!missing || compacted, "{:?} has gaps", found);
        }
    }
}

#[test]
fn a_damaged_batch_is_noticed_after_a_crash_and_only_then() {
    let story = Story::of(PLAIN, &vec![Step::Send { producer: 1, count: 1, transactional: false }; 6]);
    let disk = |point: Offset, stopped: bool| {
        let mut disk = BrokerDisk::new(());
        story.writes.iter().for_each(|write| disk.apply(write.clone()));
        disk.apply(BrokerWrite::Watermarks(Arc::from([(PART, 5)])));
        disk.apply(BrokerWrite::RecoveryPoints(Arc::from([(PART, point)])));
        disk.apply(BrokerWrite::Stopped(stopped));
        assert!(disk.flip(9));
        disk.log(PART, PLAIN, seconds(0)).unwrap()
    };
    let (log, high_watermark) = disk(0, false);
    assert_eq!((log.end(), high_watermark, log.is_damaged(0)), (3, 3, false));
    for (log, high_watermark) in [disk(4, false), disk(0, true)] {
        assert_eq!((log.end(), high_watermark, log.read(0, 6, 1000).len()), (6, 5, 3));
        assert!(log.is_damaged(3) && !log.is_damaged(4) && log.read(3, 6, 1000).is_empty());
    }
}

#[test]
fn a_disk_knows_its_parts_and_what_they_take_up() {
    let story = Story::of(PLAIN, &vec![Step::Send { producer: 0, count: 2, transactional: false }; 3]);
    let mut disk = BrokerDisk::new(());
    story.writes.iter().for_each(|write| disk.apply(write.clone()));
    assert_eq!(disk.parts().collect::<Vec<_>>(), [PART]);
    let bytes: u64 = story.writes.iter().map(<BrokerDisk<()> as Contents>::bytes).sum();
    assert_eq!(bytes, story.log.bytes());
    assert_eq!(<BrokerDisk<()> as Contents>::frees(&BrokerWrite::Drop { part: PART, bytes }), bytes);
    disk.apply(BrokerWrite::Drop { part: PART, bytes });
    assert_eq!(disk.parts().count(), 0);
    assert!(!disk.flip(3) && <BrokerDisk<()> as Contents>::torn(&story.writes[0], 3).is_none());
}
