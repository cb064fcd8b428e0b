//! Replicas that follow each other: whoever leads, logs that agree at one batch agree in all before it.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    /// The leader appends.
    Append { producer: u64, count: u32, transactional: bool },
    /// It writes a marker.
    End { producer: u64, outcome: Outcome },
    /// A replica fetches once from the leader, with so much room.
    Fetch { replica: usize, room: u32 },
    /// Another one leads, whatever it has.
    Elect(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    prop_oneof![
        6 => (1u64..4, 1u32..4, any::<bool>()).prop_map(|(producer, count, transactional)| Step::Append { producer, count, transactional }),
        2 => (1u64..4, outcome).prop_map(|(producer, outcome)| Step::End { producer, outcome }),
        8 => (0usize..3, 0u32..500).prop_map(|(replica, room)| Step::Fetch { replica, room }),
        1 => (0usize..3).prop_map(Step::Elect),
    ]
}

/// One fetch: what has diverged is cut off, otherwise batches are copied. Whether anything was to do.
fn fetch(leader: &Log, follower: &mut Log, room: u32) -> bool {
    if let Some(last) = follower.last_epoch() {
        let (epoch, end) = leader.end_for_epoch(last);
        if epoch != last || end < follower.end() {
            let to = follower.cut_for((epoch, end));
            let before = (follower.end(), follower.last_epoch());
            follower.truncate(to);
            assert!((follower.end(), follower.last_epoch()) < before, "every cut leads somewhere");
            return true;
        }
    }
    let found = leader.read(follower.end(), leader.end(), room);
    let any = !found.is_empty();
    assert!(found.into_iter().all(|entry| follower.append(entry)));
    any
}

/// Logs that have the same batch have the same before it.
fn agree(one: &Log, other: &Log) {
    let (one, other) = (contents(one), contents(other));
    let same = |a: &&Stored| other.iter().any(|b| (b.base, b.epoch) == (a.base, a.epoch));
    if let Some(last) = one.iter().rfind(same) {
        let before = |log: &[Stored]| log.iter().filter(|entry| entry.base <= last.base).cloned().collect::<Vec<_>>();
        assert_eq!(before(&one), before(&other));
    }
}

proptest! {
    #[test]
    fn logs_match_and_followers_know_what_leaders_know(steps in proptest::collection::vec(step(), 1..200)) {
        let mut logs = [Log::new(PLAIN), Log::new(PLAIN), Log::new(PLAIN)];
        let (mut leader, mut epoch) = (0, 1);
        logs[leader].begin_epoch(epoch);
        for step in steps {
            match step {
                Step::Append { producer, count, transactional } => {
                    // The producer knows how far the leader is; in an open transaction it stays in it.
                    let next = (0..1000).find(|next| logs[leader].check(&in_transaction(session(producer, 0), *next, 100), Mutants::none()).is_ok());
                    let open = logs[leader].is_open(session(producer, 0));
                    let next = if logs[leader].producers().epoch(ProducerId(producer)).is_some() { next.unwrap() } else { 0 };
                    let batch = Batch { transactional: transactional || open, ..sent(session(producer, 0), next, count) };
                    append(&mut logs[leader], batch, epoch, seconds(0));
                }
                Step::End { producer, outcome } => {
                    append(&mut logs[leader], marker(session(producer, 0), outcome, 0), epoch, seconds(0));
                }
                Step::Fetch { replica, room } if replica != leader => {
                    let from = logs[leader].clone();
                    fetch(&from, &mut logs[replica], room);
                }
                Step::Fetch { .. } => {}
                Step::Elect(replica) => {
                    leader = replica;
                    epoch += 1;
                    logs[leader].begin_epoch(epoch);
                }
            }
            for (one, other) in [(0, 1), (1, 2), (0, 2)] {
                agree(&logs[one], &logs[other]);
            }
        }
        let from = logs[leader].clone();
        for follower in &mut logs {
            for round in 0.. {
                prop_assert!(round < 1000, "fetching ends");
                if !fetch(&from, follower, 300) {
                    break;
                }
            }
            follower.audit().unwrap();
            prop_assert_eq!(contents(follower), contents(&from));
            prop_assert_eq!(follower.producers(), from.producers());
            prop_assert_eq!(follower.transactions(), from.transactions());
        }
    }
}

#[test]
fn an_epoch_that_the_follower_does_not_know_cuts_it_at_the_end_of_the_one_before() {
    let mut follower = Log::new(PLAIN);
    append(&mut follower, records(0, &[0; 9], None, false), 2, seconds(0));
    append(&mut follower, records(9, &[0], None, false), 5, seconds(0));
    // The leader's epoch 3 ended at 7, in the middle of the follower's first batch: cut there, it could not go on.
    assert_eq!(follower.cut_for((3, 7)), 9);
    assert_eq!((follower.cut_for((2, 4)), follower.cut_for((2, 20)), follower.cut_for((1, 0))), (4, 9, 0));
}

#[test]
fn a_follower_of_a_compacted_log_takes_over_its_holes() {
    let mut log = Log::new(PLAIN);
    assert!(log.append(Stored { base: 7, epoch: 2, at: seconds(0), batch: Arc::new(records(0, &[1], None, false)) }));
    assert!(!log.append(Stored { base: 7, epoch: 2, at: seconds(0), batch: Arc::new(records(0, &[1], None, false)) }));
    assert_eq!((log.start(), log.end(), log.read(3, 8, 100).len()), (0, 8, 1));
    assert_eq!(log.end_for_epoch(1), (1, 7));
}

#[test]
fn a_log_that_ends_before_its_leaders_begins_goes_on_there() {
    let mut log = Log::new(PLAIN);
    append(&mut log, sent(session(1, 0), 0, 2), 1, seconds(0));
    let deleted = log.delete_below(10);
    assert_eq!((deleted.from, deleted.to, deleted.batches.len()), (0, 10, 1));
    assert_eq!((log.start(), log.end(), log.last_epoch(), log.producers().len()), (10, 10, None, 0));
}
