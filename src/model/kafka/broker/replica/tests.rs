//! Who counts for the high watermark, who falls out, who comes back.

use std::sync::Arc;

use super::*;
use crate::model::kafka::batch::{Batch, Content, Stored};
use crate::model::kafka::config::{Cleanup, Purpose};
use crate::model::kafka::log::{Memory, Rules as LogRules};

const ME: NodeId = NodeId(0);
const B: NodeId = NodeId(1);
const C: NodeId = NodeId(2);
const LAG: Span = Span::secs(30);

fn topic(min: u32) -> TopicConfig {
    TopicConfig {
        name: "orders".into(),
        object: ObjectId(0),
        first: crate::model::kafka::Part(0),
        partitions: 1,
        replication_factor: 3,
        min_insync_replicas: min,
        unclean_leader_election: false,
        cleanup: Cleanup { delete: true, compact: false },
        retention: None,
        retention_bytes: None,
        segment_bytes: 1 << 30,
        segment: Span::secs(604_800),
        flush_messages: None,
        flush: None,
        max_message_bytes: 1 << 20,
        min_cleanable_dirty_ratio: 500,
        min_compaction_lag: Span::ZERO,
        created_at: None,
        purpose: Purpose::Messages,
    }
}

fn log() -> Log {
    Log::new(LogRules {
        segment_bytes: 1 << 30,
        segment: Span::secs(604_800),
        retention: None,
        retention_bytes: None,
        cleanup: Cleanup { delete: true, compact: false },
        min_cleanable_dirty_ratio: 500,
        min_compaction_lag: Span::ZERO,
        producer_id_expiration: Span::secs(86_400),
        memory: Memory { window: 5, known_by_log: false },
    })
}

fn view(isr: &[NodeId], version: u32) -> PartView {
    PartView {
        replicas: [ME, B, C].into(),
        isr: isr.into(),
        elr: Arc::new([]),
        leader: Some(ME),
        epoch: 3,
        version,
        adding: Arc::new([]),
        removing: Arc::new([]),
        unclean: false,
    }
}

/// A leader of a topic with a minimum, with some records in its log, and the rules it judges by.
struct Stage {
    replica: Replica,
    topic: TopicConfig,
    eligible: Vec<(NodeId, BrokerEpoch)>,
    now: Time,
    waits_for_min: bool,
}

impl Stage {
    fn new(isr: &[NodeId], min: u32) -> Stage {
        let mut replica = Replica::new(log(), 0);
        replica.lead(&view(isr, 1), ME, Time::ZERO);
        Stage { replica, topic: topic(min), eligible: vec![(ME, 10), (B, 11), (C, 12)], now: Time::ZERO, waits_for_min: false }
    }
    fn append(&mut self, records: u32) {
        let batch = Arc::new(Batch::internal(Content::Positions(Arc::new([])), records, 10));
        let entry = Stored { base: self.replica.log.end(), epoch: 3, at: self.now, batch };
        assert!(self.replica.log.append(entry));
    }
    fn fetches(&mut self, node: NodeId, offset: Offset) {
        let registration = 10 + u64::from(node.0);
        self.replica.fetched(node, registration, offset, self.now);
    }
    fn rules(&self) -> Rules<'_> {
        Rules {
            now: self.now,
            lag: LAG,
            topic: &self.topic,
            flushes: false,
            watermark_needs_min_isr: self.waits_for_min,
            eligible: &self.eligible,
            mutants: Mutants::none(),
        }
    }
    fn advanced(&mut self) -> Offset {
        let mut replica = self.replica.clone();
        replica.advance(&self.rules());
        self.replica = replica;
        self.replica.high_watermark
    }
    fn wait(&mut self, seconds: u64) {
        self.now += Span::secs(seconds);
    }
}

#[test]
fn the_high_watermark_is_the_least_end_of_those_in_sync() {
    let mut stage = Stage::new(&[ME, B, C], 2);
    stage.append(10);
    assert_eq!(stage.advanced(), 0, "nobody has fetched");
    stage.fetches(B, 10);
    assert_eq!(stage.advanced(), 0, "one of two has everything");
    stage.fetches(C, 7);
    assert_eq!(stage.advanced(), 7);
    stage.fetches(C, 4);
    assert_eq!(stage.advanced(), 7, "it never goes back");
}

#[test]
fn who_is_not_in_sync_does_not_hold_anybody_up_unless_about_to_join() {
    let mut stage = Stage::new(&[ME, B], 1);
    stage.append(10);
    stage.fetches(B, 10);
    stage.wait(60);
    stage.fetches(C, 0);
    stage.fetches(B, 10);
    assert_eq!(stage.advanced(), 10, "C lags and does not count");
    stage.append(5);
    stage.fetches(C, 10);
    stage.fetches(C, 12);
    stage.fetches(B, 15);
    assert_eq!(stage.advanced(), 12, "C has caught up with what there was at its last fetch: it is waited for");
}

#[test]
fn with_too_few_in_sync_nothing_is_committed_where_the_version_says_so() {
    let mut stage = Stage::new(&[ME], 2);
    stage.wait(60);
    stage.append(3);
    stage.waits_for_min = true;
    assert_eq!(stage.advanced(), 0);
    stage.waits_for_min = false;
    assert_eq!(stage.advanced(), 3, "before KIP-966 it was committed all the same");
}

#[test]
fn a_follower_that_lags_for_too_long_is_to_go() {
    let mut stage = Stage::new(&[ME, B, C], 2);
    stage.append(10);
    stage.fetches(B, 10);
    stage.fetches(C, 10);
    stage.wait(29);
    stage.append(1);
    stage.fetches(B, 11);
    assert_eq!(stage.replica.shrunk(ME, &stage.rules()), None, "for 30 s nobody is missed");
    stage.wait(2);
    assert_eq!(stage.replica.shrunk(ME, &stage.rules()), Some(vec![ME, B]), "C has not had everything for 31 s");
    stage.fetches(C, 11);
    assert_eq!(stage.replica.shrunk(ME, &stage.rules()), None, "who has everything is in sync, however late");
}

#[test]
fn a_follower_that_is_always_a_little_behind_stays() {
    let mut stage = Stage::new(&[ME, B, C], 2);
    for _ in 0..100 {
        let end = stage.replica.log.end();
        stage.append(5);
        stage.fetches(B, end);
        stage.fetches(C, end);
        stage.wait(1);
    }
    assert_eq!(stage.replica.shrunk(ME, &stage.rules()), None, "each fetch has what there was at the one before");
}

#[test]
fn a_follower_comes_back_when_it_has_what_is_committed_and_what_the_leader_found() {
    let mut stage = Stage::new(&[ME, B], 1);
    stage.append(10);
    stage.wait(60);
    stage.fetches(B, 10);
    assert_eq!(stage.advanced(), 10);
    stage.fetches(C, 9);
    assert_eq!(stage.replica.expanded(C, &stage.rules()), None, "one record short of the high watermark");
    stage.fetches(C, 10);
    assert_eq!(stage.replica.expanded(C, &stage.rules()), Some(vec![ME, B, C]));
    stage.eligible.retain(|(node, _)| *node != C);
    assert_eq!(stage.replica.expanded(C, &stage.rules()), None, "the controller does not count it as alive");
    stage.eligible.push((C, 99));
    assert_eq!(stage.replica.expanded(C, &stage.rules()), None, "it has fetched under an earlier registration");
}

#[test]
fn while_a_change_is_proposed_whoever_may_be_in_sync_counts() {
    let mut stage = Stage::new(&[ME, B], 1);
    stage.append(10);
    stage.fetches(B, 10);
    stage.fetches(C, 10);
    assert_eq!(stage.advanced(), 10);
    stage.wait(60);
    let leading = stage.replica.leading_mut().expect("it leads");
    leading.proposal = Some(Proposal { isr: vec![ME, B, C], version: 1 });
    stage.append(5);
    stage.wait(60);
    stage.fetches(B, 15);
    assert_eq!(stage.advanced(), 10, "C may be in sync by now");
    stage.replica.update(&view(&[ME, B], 2), ME, stage.now);
    assert_eq!(stage.advanced(), 15, "it was decided otherwise");
    stage.replica.update(&view(&[ME, B, C], 1), ME, stage.now);
    assert_eq!(stage.replica.leading().expect("it leads").isr, [ME, B], "an earlier decision comes too late");
}

#[test]
fn those_who_wait_are_served_in_order() {
    let mut stage = Stage::new(&[ME], 1);
    let leading = stage.replica.leading_mut().expect("it leads");
    for (needs, who) in [(5, 1), (3, 2), (5, 3), (4, 4)] {
        leading.wait(Awaiting { needs, who });
    }
    assert_eq!(leading.awaiting.iter().map(|one| one.who).collect::<Vec<_>>(), [2, 4, 1, 3]);
}
