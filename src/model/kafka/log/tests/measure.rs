//! How long things take. Nothing is asserted about times: read what is printed.

use std::hint::black_box;
use std::time::Instant;

use super::*;

const BATCHES: u32 = 1_000_000;

fn batches(producers: u64) -> Vec<Arc<Batch>> {
    let mut next = vec![0; usize::try_from(producers).unwrap()];
    (0..u64::from(BATCHES))
        .map(|n| {
            let at = usize::try_from(n % producers).unwrap();
            next[at] += 16;
            Arc::new(sent(session(n % producers, 0), next[at] - 16, 16))
        })
        .collect()
}

fn timed(what: &str, count: u32, work: impl FnOnce()) {
    let begun = Instant::now();
    work();
    println!("{what}: {} ns each", begun.elapsed().as_nanos() / u128::from(count));
}

#[test]
#[ignore = "measures"]
fn how_long_it_takes() {
    for producers in [1, 20] {
        let batches = batches(producers);
        let rules = Rules { segment_bytes: 1 << 30, ..PLAIN };
        let (mut leader, mut follower) = (Log::new(rules), Log::new(rules));
        timed(&format!("leader append, {producers} producers"), BATCHES, || {
            for batch in &batches {
                if leader.check(batch, Mutants::none()) == Ok(Check::Fresh) {
                    let stored = Stored { base: leader.end(), epoch: 1, at: Time::ZERO, batch: Arc::clone(batch) };
                    leader.append(stored);
                }
            }
        });
        let all = contents(&leader);
        timed("follower append", BATCHES, || {
            for entry in &all {
                follower.append(entry.clone());
            }
        });
        timed("read of one batch at the end", BATCHES, || {
            for _ in 0..BATCHES {
                black_box(leader.read(black_box(leader.end() - 16), leader.end(), 1 << 20));
            }
        });
        timed("read of 64 batches anywhere, a batch", BATCHES, || {
            for n in 0..u64::from(BATCHES / 64) {
                black_box(leader.read(n * 64 * 16, leader.end(), 64 * leader.available(0, 16, 1)));
            }
        });
        timed("last stable offset", BATCHES, || {
            for n in 0..BATCHES {
                black_box(leader.last_stable(u64::from(n)));
            }
        });
        timed("records held, each", BATCHES * 16, || {
            black_box(leader.held(0, leader.end()).map(|(offset, _)| offset).sum::<u64>());
        });
        timed("copy of the log", 1, || {
            black_box(leader.clone());
        });
        timed("cut of the last batch", 1, || {
            black_box(leader.truncate(leader.end() - 16));
        });
        println!("a batch in a log: {} bytes; a batch: {} bytes and 16 a record", size_of::<Stored>(), size_of::<Batch>() + 32);
    }
}
