//! The kernel beside its peers: the same work, on the same core, in turn, and the bars that it must reach.
//!
//! `cargo run --release` in this folder (under two minutes). Each workload runs a few rounds; in each round every engine runs
//! once. A rate is what was done in a second of the processor, set-up left out; a ratio compares two rates of one round, and
//! the median over rounds counts. The exit code is 1 when a bar is missed. `cargo run --release -- lossy` runs only what has the
//! word in its name.

#[cfg(not(madsim))]
compile_error!("run this inside benches/peers, without RUSTFLAGS in the environment: madsim needs `--cfg madsim` from .cargo/config.toml");

mod desque_phold;
#[path = "../../kernel/lossy.rs"]
mod lossy;
mod madsim_lossy;
#[path = "../../kernel/phold.rs"]
mod phold;
mod simcore_phold;
mod table;

use std::hint::black_box;
use std::process::ExitCode;

use cpu_time::ProcessTime;
use table::{Row, Table};

/// Rounds of each workload.
const ROUNDS: usize = 5;
/// Events of one run of PHOLD.
const EVENTS: u64 = 3_000_000;
/// Clones that are timed together, and how often.
const CLONES: u32 = 50;
const BATCHES: usize = 200;

fn main() -> ExitCode {
    let word = std::env::args().nth(1).unwrap_or_default();
    let mut table = Table::default();
    for (pending, bar) in [(16, None), (16_384, Some(1.0)), (1_000_000, Some(2.0))] {
        let workload = format!("PHOLD, {pending} pending");
        if workload.contains(&word) {
            phold_rows(&workload, pending, bar).into_iter().for_each(|row| table.add(row));
        }
    }
    let workload = "lossy request/reply";
    if workload.contains(&word) {
        let ours = || engine(lossy::prepare(), |world| lossy::run(world, 500));
        let madsim = || engine(madsim_lossy::prepare(), |network| madsim_lossy::run(network, 50));
        let rates = rounds(&[&ours, &madsim]);
        table.add(Row::rates(workload, "M messages/s", "madsim", (&rates[0], &rates[1]), Some(12.0)));
    }
    let workload = "clone, 261 nodes, 512 pending";
    if workload.contains(&word) {
        table.add(Row::limit(workload, "µs", clone_time(), 5.0));
    }
    println!("{table}");
    ExitCode::from(u8::from(!table.all_met()))
}

/// PHOLD beside simcore, which has the bar, and beside desque, which has none: a bare queue.
fn phold_rows(workload: &str, pending: u32, bar: Option<f64>) -> [Row; 2] {
    let ours = || engine(phold::prepare(pending), move |world| phold::run(world, pending, EVENTS));
    let simcore = || engine(simcore_phold::prepare(pending), |sim| simcore_phold::run(sim, EVENTS));
    let desque = || engine(desque_phold::prepare(pending), |sim| desque_phold::run(sim, EVENTS));
    let rates = rounds(&[&ours, &simcore, &desque]);
    [("simcore", &rates[1], bar), ("desque", &rates[2], None)]
        .map(|(peer, theirs, bar)| Row::rates(workload, "M events/s", peer, (&rates[0], theirs), bar))
}

/// Something that is ready to work once and tells how much it did.
type Engine = Box<dyn FnMut() -> u64>;

/// An engine from its prepared state and its work.
fn engine<S: 'static>(mut state: S, work: impl Fn(&mut S) -> u64 + 'static) -> Engine {
    Box::new(move || work(&mut state))
}

/// Lets each engine work once a round; for each, its rates in millions a second.
fn rounds(prepare: &[&dyn Fn() -> Engine]) -> Vec<Vec<f64>> {
    let mut rates = vec![Vec::new(); prepare.len()];
    for _ in 0..ROUNDS {
        for (prepare, rates) in prepare.iter().zip(&mut rates) {
            let mut engine = prepare();
            let start = ProcessTime::now();
            let done = black_box(engine());
            rates.push(done as f64 / start.elapsed().as_secs_f64() / 1e6);
        }
    }
    rates
}

/// How many microseconds it takes to clone a world and to drop the clone: the median of many batches.
fn clone_time() -> f64 {
    let world = lossy::crowd();
    let batches = (0..BATCHES).map(|_| {
        let start = ProcessTime::now();
        for _ in 0..CLONES {
            drop(black_box(black_box(&world).clone()));
        }
        start.elapsed().as_secs_f64() * 1e6 / f64::from(CLONES)
    });
    table::median(batches.collect())
}
