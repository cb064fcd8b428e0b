//! The bare event queue on PHOLD: pop one event, push one at now + 0.1 + exponential(1.0), at several population sizes.
//!
//! Prints million events per second of CPU-bound work, best and median of several rounds, beside the standard library's heap.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::Instant;

use deadletter::base::Time;
use deadletter::parts::queue::Queue;

const UNIT: f64 = 1e9;

struct Mix(u64);

impl Mix {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 38 units")]
    fn delay(&mut self) -> u64 {
        let u = ((self.word() >> 11) + 1) as f64 * (1.0 / 9_007_199_254_740_992.0);
        ((0.1 - libm::log(u)) * UNIT) as u64
    }
}

#[derive(Clone, Copy)]
struct Payload {
    to: u32,
    number: u64,
}

/// One of 1024 processes.
fn process(word: u64) -> u32 {
    u32::try_from(word >> 54).expect("ten bits")
}

fn ours(population: usize, rounds: usize, events: usize) -> Vec<f64> {
    let mut mix = Mix(7);
    let mut queue = Queue::new();
    for number in 0..population {
        queue.push(Time::from_nanos(mix.delay()), Payload { to: 0, number: number as u64 });
    }
    let mut rates = Vec::new();
    for round in 0..=rounds {
        let started = Instant::now();
        for _ in 0..events {
            let (at, _, payload) = queue.pop().expect("never empty");
            let to = process(mix.word());
            queue.push(Time::from_nanos(at.nanos() + mix.delay()), Payload { to, number: payload.number ^ u64::from(payload.to) });
        }
        if round > 0 {
            rates.push(events as f64 / started.elapsed().as_secs_f64() / 1e6);
        }
    }
    black_box(queue.len());
    rates
}

fn standard(population: usize, rounds: usize, events: usize) -> Vec<f64> {
    let mut mix = Mix(7);
    let mut queue = BinaryHeap::new();
    let mut sequence = 0u64;
    for number in 0..population {
        queue.push(Reverse((mix.delay(), sequence, 0u32, number as u64)));
        sequence += 1;
    }
    let mut rates = Vec::new();
    for round in 0..=rounds {
        let started = Instant::now();
        for _ in 0..events {
            let Reverse((at, _, to, number)) = queue.pop().expect("never empty");
            let next = process(mix.word());
            queue.push(Reverse((at + mix.delay(), sequence, next, number ^ u64::from(to))));
            sequence += 1;
        }
        if round > 0 {
            rates.push(events as f64 / started.elapsed().as_secs_f64() / 1e6);
        }
    }
    black_box(queue.len());
    rates
}

/// Best and median.
fn figures(mut rates: Vec<f64>) -> (f64, f64) {
    rates.sort_by(f64::total_cmp);
    (rates[rates.len() - 1], rates[rates.len() / 2])
}

/// Clients with one request under way each, guarded by a timer that is cancelled by nearly every reply: the reply comes after
/// 2 to 20 ms, the time-out would after 50.
fn timers(clients: u32, rounds: usize, events: usize) -> Vec<f64> {
    const MILLI: u64 = 1_000_000;
    let mut mix = Mix(7);
    let mut queue: Queue<Payload> = Queue::new();
    let mut guards = Vec::new();
    for to in 0..clients {
        queue.push(Time::from_nanos(mix.word() % (20 * MILLI)), Payload { to, number: 0 });
        guards.push(queue.push(Time::from_nanos(50 * MILLI), Payload { to, number: 1 }));
    }
    let mut rates = Vec::new();
    for round in 0..=rounds {
        let started = Instant::now();
        for _ in 0..events {
            let (at, _, reply) = queue.pop().expect("never empty");
            assert_eq!(reply.number, 0, "no reply is late");
            queue.cancel(guards[reply.to as usize]).expect("the timer is pending");
            let after = 2 * MILLI + mix.word() % (18 * MILLI);
            queue.push(Time::from_nanos(at.nanos() + after), reply);
            guards[reply.to as usize] = queue.push(Time::from_nanos(at.nanos() + 50 * MILLI), Payload { to: reply.to, number: 1 });
        }
        if round > 0 {
            rates.push(events as f64 / started.elapsed().as_secs_f64() / 1e6);
        }
    }
    rates
}

/// Best time to clone a queue.
fn clone_cost(pending: u64) -> f64 {
    let mut mix = Mix(7);
    let mut queue = Queue::new();
    for number in 0..pending {
        queue.push(Time::from_nanos(mix.delay()), Payload { to: 0, number });
    }
    (0..30)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..1000 {
                black_box(black_box(&queue).clone());
            }
            started.elapsed().as_nanos() as f64 / 1000.0
        })
        .fold(f64::MAX, f64::min)
}

fn main() {
    println!("{:>9}  {:>14}  {:>14}", "pending", "ours best/med", "std best/med");
    for (population, events) in [(16, 2_000_000), (1_000, 2_000_000), (16_384, 2_000_000), (100_000, 2_000_000), (1_000_000, 3_000_000)] {
        let (best, median) = figures(ours(population, 7, events));
        let (std_best, std_median) = figures(standard(population, 5, events / 2));
        println!("{population:>9}  {best:>6.1} {median:>6.1}   {std_best:>6.1} {std_median:>6.1}");
    }
    for clients in [50, 500, 5_000] {
        let (best, median) = figures(timers(clients, 7, 1_000_000));
        println!("{clients} clients with a cancelled timer for each reply: {best:.1} {median:.1} M replies/s");
    }
    for pending in [64, 512, 4096] {
        println!("clone with {pending} pending: {:.0} ns", clone_cost(pending));
    }
}
