//! Kafka end to end: produced, replicated to three brokers, acknowledged, consumed, committed, judged; digest on, no history kept.
//!
//! `cargo bench --bench kafka`. Capacity of the simulated brokers is no limit here: what counts is how fast they are simulated.

#![expect(clippy::disallowed_types, reason = "a benchmark reads the wall clock")]

use std::time::{Duration, Instant};

use deadletter::model::BUILT_IN;
use deadletter::run::{How, Passage, Ready};
use deadletter::scenario::{Plan, Source, read};

/// 256,000 messages of 1 KiB a second over 12 partitions with three copies each, once leaders are elected and the group has come together.
fn scenario(seconds: u32, retention: &str) -> String {
    let until = seconds + 10;
    format!(
        r#"# How fast is a busy cluster simulated?
# See benches/kafka.rs.
[model.kafka]
version = "3.9"
brokers = 3
topic.orders = {{ partitions = 12, replication.factor = 3, min.insync.replicas = 2, {retention} }}
broker.log.retention.check.interval.ms = "1s"
producer = {{ count = 8, acks = "all", enable.idempotence = true }}
consumer = {{ count = 4, group.id = "billing", auto.offset.reset = "earliest", processing = "0s", commit = "after" }}

[load]
to = "orders"
arrivals = {{ law = "steps", steps = [{{ at = "3s", rate = "500/s" }}, {{ at = "10s", rate = "256000/s" }}] }}
keys = {{ law = "uniform", count = 100000 }}
size = "1KiB"

[network]
delay = {{ law = "uniform", low = "100us", high = "400us" }}

[phases]
warm = "0s"
chaos = "{until}s"
heal = "0s"
drain = "5s"
"#
    )
}

fn plan(text: &str) -> Plan {
    let files = |_: &str| Err("no files".to_owned());
    let read = read(&Source { files: &files, ..Source::new("bench.toml", text, BUILT_IN) });
    read.plan.unwrap_or_else(|| panic!("a good scenario: {:#?}", read.problems))
}

/// How long this thread has kept a processor busy, where the system tells.
fn busy() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

/// Bytes of memory that the process uses, where the system tells.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}

/// Runs for so many seconds of virtual time; returns messages, and bytes in use before its end.
fn measure(seconds: u32, retention: &str) -> (u64, Option<u64>) {
    let plan = plan(&scenario(seconds, retention));
    let ready = Ready::new(&plan.arms()[0]);
    let (start, before) = (Instant::now(), busy());
    let passage = Passage::start(&ready, 1, How::default()).run(|_| ());
    let took = busy().zip(before).map_or_else(|| start.elapsed(), |(after, before)| after - before);
    let (events, messages) = (passage.sim().events(), passage.issued());
    let memory = resident();
    let ran = passage.finish();
    let counts = &ran.outcome.judged.accounting;
    assert_eq!((counts.attempts, counts.lost, counts.duplicates), (counts.ok, 0, 0), "{counts:?}");
    let rate = |n: u64| n as f64 / took.as_secs_f64() / 1e6;
    println!(
        "{seconds} s at 256,000/s: {messages} messages in {:.2} s of one core: {:.2} M messages/s, {:.2} M events/s, {:.1} times as fast as real time",
        took.as_secs_f64(),
        rate(messages),
        rate(events),
        f64::from(seconds) / took.as_secs_f64()
    );
    (messages, memory)
}

fn main() {
    for _ in 0..3 {
        measure(8, "");
    }
    let small = "retention.bytes = \"8MiB\", segment.bytes = \"1MiB\"";
    let (few, before) = measure(5, small);
    let (many, after) = measure(25, small);
    if let (Some(before), Some(after)) = (before, after) {
        println!("with retention by size: {:.2} bytes more for each message more", (after as f64 - before as f64) / (many - few) as f64);
    }
}
