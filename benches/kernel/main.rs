//! The whole kernel, digest on: PHOLD, a lossy request/reply network, and the clone of a world. Prints events and messages a second.

mod lossy;
mod phold;

use std::hint::black_box;
use std::time::Duration;

fn main() {
    let rounds = 5;
    println!("one core, best and median of {rounds} rounds");
    for pending in [16, 16_384, 1_000_000] {
        let events: u64 = if pending > 100_000 { 4_000_000 } else { 5_000_000 };
        let name = format!("PHOLD, 1024 processes, {pending} pending");
        report((&name, "M events/s", rounds), || phold::prepare(pending), |world| phold::run(world, pending, events));
    }
    report(("lossy network, 50 clients, 5 servers", "M messages/s", rounds), lossy::prepare, |world| lossy::run(world, 1000));
    let world = lossy::crowd();
    let mut times: Vec<Duration> = (0..2000)
        .map(|_| {
            let start = clock();
            black_box(world.clone());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("clone of a world, 261 nodes, 512 pending: {:.2} µs (median)", times[times.len() / 2].as_secs_f64() * 1e6);
}

/// Times a workload that tells how much it did; what prepares it and what drops it afterwards is not timed.
fn report<W>((name, unit, rounds): (&str, &str, usize), prepare: impl Fn() -> W, work: impl Fn(&mut W) -> u64) {
    let mut rates: Vec<f64> = (0..rounds)
        .map(|_| {
            let mut world = prepare();
            let start = clock();
            let done = black_box(work(&mut world));
            done as f64 / start.elapsed().as_secs_f64() / 1e6
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    println!("{name}: {:.2} {unit} (median {:.2})", rates[rates.len() - 1], rates[rates.len() / 2]);
}

#[expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]
fn clock() -> std::time::Instant {
    std::time::Instant::now()
}
