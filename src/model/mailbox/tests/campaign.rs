//! The honest model under random faults: whatever happens, it keeps what its configuration promises.
//!
//! `MAILBOX_SEEDS=2000 cargo test campaign` runs the full number; by default a few.

use crate::base::{Chance, Law, Span, Stream, Time, Words};
use crate::parts::config::{ClockConfig, Corruption, DiskConfig, LinkLaw, MachineConfig, Reorder};
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};

use super::rig::{Plan, plan as plan_of, run};

/// Configurations that between them promise everything, each with its destinations.
pub(super) const CONFIGS: &[(&str, &str, &[&str])] = &[
    (
        "at least once",
        r#"
        checksum = false
        queue.orders = { visibility_timeout = "5s" }
        producer = { count = 3, retries = 5, timeout = "400ms" }
        consumer.billing = { count = 2, from = "orders", processing = "4ms", ack_delay = "1ms" }
        "#,
        &["orders"],
    ),
    (
        "at most once",
        r#"
        queue.orders = {}
        producer = { count = 3, retries = 4, timeout = "400ms", idempotence = true }
        consumer.billing = { count = 2, from = "orders", ack = "before", processing = "4ms" }
        "#,
        &["orders"],
    ),
    (
        "exactly one effect, in order",
        r#"
        queue.orders = { visibility_timeout = "3s" }
        producer = { retries = 5, timeout = "400ms", idempotence = true, ordered = true }
        consumer.billing = { from = "orders", ack = "atomically", processing = "4ms", ack_delay = "2ms" }
        "#,
        &["orders"],
    ),
    (
        "publish and subscribe",
        r#"
        topic.prices = {}
        subscription.audit = { topic = "prices" }
        subscription.screen = { topic = "prices", durable = false }
        producer = { count = 2, retries = 3, timeout = "400ms", idempotence = true, ordered = true }
        consumer.auditor = { from = "audit", mode = "pull", poll_interval = "50ms", poll_wait = "300ms", ack = "atomically" }
        consumer.watcher = { from = "screen", attach = { from = "1s", every = "3s", for = "1500ms" } }
        "#,
        &["prices"],
    ),
    (
        "bounded, with poison",
        r#"
        queue.orders = { max_length = 20, max_deliveries = 4, visibility_timeout = "2s" }
        queue.mails = { max_length = 20, overflow = "drop_head", ttl = "2s", max_deliveries = 3 }
        producer = { count = 2, retries = 2, timeout = "300ms", poison = "3%" }
        consumer.billing = { from = "orders", processing = "25ms", on_poison = "crash", restart_after = "300ms" }
        consumer.mailer = { from = "mails", processing = "35ms", prefetch = 3 }
        "#,
        &["orders", "mails"],
    ),
    (
        "in memory, fire and forget",
        r#"
        checksum = false
        broker = { storage = "memory" }
        queue.orders = {}
        producer = { confirm = "none", ordered = true }
        consumer.billing = { from = "orders", ack = "before" }
        "#,
        &["orders"],
    ),
    (
        "datagrams with checksum",
        r#"
        transport = "datagram"
        checksum = true
        queue.orders = { visibility_timeout = "1s" }
        producer = { count = 2, retries = 8, timeout = "200ms", idempotence = true }
        consumer.billing = { from = "orders", ack = "atomically" }
        "#,
        &["orders"],
    ),
    (
        "datagrams at most once",
        r#"
        transport = "datagram"
        checksum = true
        heartbeat = "300ms"
        queue.orders = { visibility_timeout = "3s" }
        producer = { count = 2, retries = 5, timeout = "200ms", idempotence = true }
        consumer.billing = { count = 2, from = "orders", ack = "before", prefetch = 3 }
        "#,
        &["orders"],
    ),
    (
        "synced now and then",
        r#"
        broker = { sync = "interval", sync_interval = "300ms" }
        queue.orders = { visibility_timeout = "4s" }
        producer = { count = 2, retries = 2, timeout = "400ms", idempotence = true }
        consumer.billing = { from = "orders", mode = "pull", poll_interval = "40ms", batch = 5, ack = "before" }
        "#,
        &["orders"],
    ),
];

fn named(name: &str) -> Selector {
    Selector::Named(name.to_owned())
}

fn somebody(words: &mut Stream) -> Selector {
    match words.below(5) {
        0 | 1 => named("broker"),
        2 => named("producers"),
        3 => named("consumers"),
        _ => Selector::Random { count: 1 + u32::try_from(words.below(2)).expect("small"), of: Box::new(Selector::All) },
    }
}

fn ill(words: &mut Stream) -> Ill {
    let who = somebody(words);
    let other = somebody(words);
    match words.below(19) {
        0 | 1 => Ill::Kill(who),
        2 => Ill::PowerOff(who),
        3 => Ill::TornWrite(who),
        4 => Ill::Pause(who),
        5 => Ill::Freeze(who),
        6 => Ill::Slow { who, factor_milli: 5000 },
        7 => Ill::Cut(Cut { shape: CutShape::Halves(Selector::All), others: Others::Untouched }),
        8 => Ill::Cut(Cut { shape: CutShape::Isolate(who), others: Others::Untouched }),
        9 => Ill::Cut(Cut { shape: CutShape::OneWay { from: who, to: other }, others: Others::Untouched }),
        10 => Ill::Jam { from: who, to: other, extra: Law::Uniform { low: Span::ZERO, high: Span::millis(900) } },
        11 => Ill::Drop { from: who, to: other, kind: None, chance: Chance::ratio(30, 100) },
        12 => Ill::Clog { from: who, to: other },
        13 => Ill::DiskStall(who),
        14 => Ill::SyncFails { who, chance: Chance::ratio(1, 3) },
        15 => Ill::DiskFull(who),
        16 => Ill::ClockStep { who, by: i64::try_from(words.below(7_200_000)).expect("small") * 1_000_000 - 3_600_000_000_000 },
        17 => Ill::ClockDrift { who, ppm: i32::try_from(words.below(200_000)).expect("small") - 100_000 },
        _ => Ill::PowerOff(named("broker")),
    }
}

/// So many faults of every kind that the promises cover.
pub(super) fn faults(seed: u64, count: u64) -> Vec<Fault> {
    let mut words = Stream::named(seed, "test faults", 0);
    let fault = |number: u64| Fault {
        name: format!("fault {number}"),
        ill: ill(&mut words),
        when: When::At(vec![Time::ZERO + words.span_between(Span::millis(50), Span::millis(7_500))]),
        lasts: Some(Law::Uniform { low: Span::millis(1), high: Span::millis(1_800) }),
    };
    (0..count).map(fault).collect()
}

/// A plan with a network and machines that vary with the seed.
pub(super) fn plan(which: usize, seed: u64) -> Plan {
    let (_, text, to) = CONFIGS[which % CONFIGS.len()];
    let mut plan = plan_of(text, to);
    let mut words = Stream::named(seed, "test surroundings", 0);
    plan.link = LinkLaw {
        loss: Chance::ratio(words.below(5), 100),
        duplicate: Chance::ratio(words.below(5), 100),
        reorder: Some(Reorder { chance: Chance::ratio(words.below(10), 100), hold: Law::Constant(Span::millis(15)) }),
        corrupt: Some(Corruption { chance: Chance::ratio(words.below(4), 100), checksum: words.below(2) == 0 }),
        ..plan.link
    };
    let disk = DiskConfig {
        sync: Law::Uniform { low: Span::micros(50), high: Span::millis(8) },
        writeback: Some(Span::secs(1 + words.below(30))),
        capacity: None,
    };
    let clock = ClockConfig { skew: i64::try_from(words.below(2_000_000_000)).expect("small"), drift_ppm: 200 };
    plan.machines = vec![("*".into(), MachineConfig { disk, clock, ..MachineConfig::default() })];
    plan.faults = faults(seed, 1 + words.below(7));
    plan
}

fn seeds() -> u64 {
    std::env::var("MAILBOX_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(36)
}

#[test]
fn promises_are_kept_under_random_faults() {
    let mut kept = std::collections::BTreeMap::new();
    for seed in 0..seeds() {
        let which = usize::try_from(seed).expect("small") % CONFIGS.len();
        let plan = plan(which, seed);
        let outcome = run(&plan, seed);
        let violations = outcome.violations();
        assert!(violations.is_empty(), "`{}` under seed {seed}: {violations:#?}\nfaults: {:#?}", CONFIGS[which].0, plan.faults);
        assert_eq!(outcome.breach, None, "`{}` under seed {seed}", CONFIGS[which].0);
        assert_eq!(outcome.judged.accounting.malformed, 0, "`{}` under seed {seed}", CONFIGS[which].0);
        for finding in outcome.judged.findings.iter().filter(|finding| finding.promised) {
            if let crate::check::Verdict::Holds { examined } = finding.verdict {
                *kept.entry(finding.property).or_insert(0) += examined;
            }
        }
        assert!(!outcome.history.is_empty());
    }
    // Every property is promised by some configuration, and something was examined for each.
    for property in crate::check::Property::DELIVERY {
        assert!(kept.get(&property).is_some_and(|examined| *examined > 0), "nothing was examined for {property}: {kept:?}");
    }
}
