//! Every single fault at every step: by forking a running world, against running each as a case of its own from the start.
//!
//! `cargo bench --bench exhaust`: in turns, on one core. Plain runs are made of a sample of the points and must find there what the
//! forks found.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]

use std::time::{Duration, Instant};

use deadletter::base::Time;
use deadletter::lab::exhaust::{Asked, Cutting, Exhausted, Strike, exhaust};
use deadletter::lab::{Case, Violation};
use deadletter::model::BUILT_IN;
use deadletter::run::{How, Passage, Ready};
use deadletter::scenario::{Source, read};

/// A mailbox of ordinary shape: some hundred messages, a second of calm before, healing and draining behind.
const SCENARIO: &str = r#"# Is an acknowledged order lost, whatever fails whenever?
# No.
[model.mailbox]
queue.orders = { visibility_timeout = "2s" }
producer = { count = 2, retries = 5, timeout = "300ms" }
consumer.billing = { count = 2, from = "orders", processing = "8ms" }

[load]
to = "orders"
arrivals = { law = "poisson", rate = "50/s" }

[phases]
warm = "1s"
chaos = "4s"
heal = "1s"
drain = "6s"
"#;

const ROUNDS: u64 = 2;
/// So many points of each round are also tried by plain runs.
const SAMPLED: u64 = 24;

fn case(seed: u64) -> Case {
    let files = |_: &str| Err("no files".to_owned());
    let plan = read(&Source { files: &files, ..Source::new("bench.toml", SCENARIO, BUILT_IN) }).plan.expect("a good scenario");
    Case { arm: plan.arms()[0].clone(), seed }
}

/// How long something keeps this thread busy. Where the system does not tell, as long as it takes by the clock on the wall.
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let (start, busy) = (Instant::now(), busy());
    let out = work();
    let took = busy.zip(self::busy()).map(|(before, after)| after - before);
    (took.unwrap_or_else(|| start.elapsed()), out)
}

/// How long something takes by the clock on the wall: the time that a thread was busy is told in steps of milliseconds.
fn clocked<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let out = work();
    (start.elapsed(), out)
}

/// How long this thread has kept a processor busy, where the system tells.
fn busy() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// What each fork found, as a plain run of its own finds it.
fn plainly(out: &Exhausted, points: &[deadletter::lab::exhaust::Point]) -> Vec<(Strike, Vec<Violation>)> {
    let mut hits = Vec::new();
    for point in points {
        for ill in 0..out.ills.len() {
            let strike = Strike { point: *point, ill };
            let found = out.case_of(&[strike]).all_wrong(out.asked.goal);
            if !found.is_empty() {
                hits.push((strike, found.into_iter().map(|found| found.violation).collect()));
            }
        }
    }
    hits
}

fn main() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
    pool.install(|| {
        costs();
        let (mut plain, mut forked, mut known) = (Mean::default(), Mean::default(), Mean::default());
        for seed in 1..=ROUNDS {
            let case = case(seed);
            let all = deadletter::lab::exhaust::points(&case).expect("no panic");
            let stride = (all.len() as u64 / SAMPLED).max(1);
            let some: Vec<_> = all.iter().copied().step_by(usize::try_from(stride).expect("small")).collect();
            let sample = Asked { stride, cutting: Cutting::Never, ..Asked::of(&case.arm) };
            let (took, without) = timed(|| exhaust(&case, &sample, &|| ()).expect("no panic"));
            forked.add(took, without.total().forks);
            let (took, hits) = timed(|| plainly(&without, &some));
            plain.add(took, without.total().forks);
            assert_eq!(without.hits.len(), hits.len(), "forks find what plain runs find");
            // As it is used: every point.
            let (took, with) = timed(|| exhaust(&case, &Asked::of(&case.arm), &|| ()).expect("no panic"));
            known.add(took, with.total().forks);
            let sampled = with.hits.iter().filter(|hit| hit.strikes.iter().all(|strike| some.contains(&strike.point))).count();
            assert_eq!(sampled, hits.len(), "what is known changes no verdict");
            println!("seed {seed}: {} points, {} runs, {:?}", with.tried, with.total().forks, with.total());
        }
        println!("on one core, by the time that it was busy; the first two on every n-th point, the third on all points");
        println!("  each from the start         {:8.1} µs a run", plain.micros());
        println!("  forked, each to its end     {:8.1} µs a run, {:.1} times faster", forked.micros(), plain.micros() / forked.micros());
        println!("  forked, known states end it {:8.1} µs a run, {:.1} times faster", known.micros(), plain.micros() / known.micros());
    });
}

/// How long so many runs took.
#[derive(Default)]
struct Mean {
    took: Duration,
    runs: u64,
}

impl Mean {
    fn add(&mut self, took: Duration, runs: u64) {
        self.took += took;
        self.runs += runs;
    }
    fn micros(&self) -> f64 {
        self.took.as_secs_f64() * 1e6 / self.runs as f64
    }
}

/// Where the time of a fork goes.
fn costs() {
    let case = case(1);
    let ready = Ready::new(&case.arm);
    let mut passage = Passage::start(&ready, 1, How::default());
    while passage.sim().now() < Time::from_nanos(3_000_000_000) && passage.step() {}
    let times = 2_000_u32;
    let per = |took: Duration| took.as_secs_f64() * 1e6 / f64::from(times);
    let (copy, _) = clocked(|| (0..times).for_each(|_| drop(std::hint::black_box(passage.clone()))));
    let (world, _) = clocked(|| (0..times).for_each(|_| drop(std::hint::black_box(passage.sim().fork()))));
    let (judges, _) = clocked(|| (0..times).for_each(|_| drop(std::hint::black_box(passage.judges().clone()))));
    let (print, _) = clocked(|| {
        (0..times).for_each(|_| {
            std::hint::black_box(passage.sim().fingerprint());
        })
    });
    let (calm, _) = clocked(|| {
        (0..times).for_each(|_| {
            std::hint::black_box(passage.sim().is_calm());
        })
    });
    let (find, _) = clocked(|| (0..times).for_each(|_| drop(std::hint::black_box(passage.findings()))));
    let (whole, ran) = clocked(|| Passage::start(&ready, 1, How::default()).run(|_| ()));
    let events = ran.sim().events();
    let (finish, _) = clocked(|| ran.finish());
    println!("a whole run: {events} events in {:.0} µs; its outcome {:.0} µs", whole.as_secs_f64() * 1e6, finish.as_secs_f64() * 1e6);
    println!("a copy {:.2} µs (world {:.2}, judges {:.2})", per(copy), per(world), per(judges));
    println!("fingerprint {:.2} µs, is_calm {:.2} µs, findings {:.2} µs", per(print), per(calm), per(find));
}
