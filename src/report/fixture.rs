//! Outcomes made by hand for the tests of reports: a contrast of two arms, an empty run, and one full of hostile names.

use crate::base::{Digest, FaultId, NodeId, ObjectId, PayloadId, Span, Time};
use crate::check::{
    Accounting, Bucket, Depth, DepthPoint, Figures, Finding, GroupAccounting, Judged, Latency, Point, Promise, Promises, Property,
    Quantiles, Rate, Ratio, Series, Verdict, Witness,
};
use crate::run::{Answer, ArmOutcome, Expected, LedgerRow, Outcome, RunOutcome, Scenery, Story, StoryLine, StrikeRow, Tally};

/// Every outcome here.
pub(super) fn all() -> Vec<Outcome> {
    vec![two_arms(), empty(), hostile(), many_arms()]
}

/// Seven arms, each with a single run: more than fit beside each other.
pub(super) fn many_arms() -> Outcome {
    let arm = |i: u64| {
        let mut arm = if i.is_multiple_of(2) { durable() } else { in_memory() };
        arm.name = format!("retries {i}");
        arm.differs = vec![format!("model.mailbox.producer.retries = {i}")];
        arm.shown.judged.accounting.duplicates += i * 37;
        arm.shown.judged.latency.ack_ok.p99 = Span::millis(9 + i * i);
        arm.runs = 1;
        for tally in &mut arm.tallies {
            let broken = u64::from(tally.broken > 0);
            (tally.held, tally.broken, tally.unknown) = (1 - broken, broken, 0);
        }
        arm
    };
    outcome("scenarios/mailbox/many.toml", Answer::Broken, (0..7).map(arm).collect())
}

/// A broker that loses power, once with a durable queue and once without.
pub(super) fn two_arms() -> Outcome {
    outcome("scenarios/mailbox/power_off.toml", Answer::Broken, vec![durable(), in_memory()])
}

/// A run in which nothing happened.
pub(super) fn empty() -> Outcome {
    let mut arm = durable();
    arm.answer = Answer::Unknown;
    arm.runs = 1;
    arm.expected = vec![expected("always acked_survives", Answer::Unknown, "nothing was acknowledged, so nothing was examined", None)];
    arm.shown = RunOutcome {
        judged: Judged {
            findings: Property::DELIVERY
                .into_iter()
                .map(|property| finding(property, true, Verdict::Unknown { why: "nothing was sent".to_owned() }))
                .collect(),
            accounting: Accounting::default(),
            latency: Latency::default(),
            figures: Figures::default(),
            series: Series { window: Span::secs(1), buckets: Vec::new(), depths: Vec::new() },
        },
        ledger: vec![ledger(0, "broker loses power", (0, None), Vec::new())],
        marks: Vec::new(),
        pending: Vec::new(),
        story: None,
        events: 0,
        messages: 0,
        ..arm.shown
    };
    arm.tallies = Property::DELIVERY
        .into_iter()
        .map(|property| Tally { property, promised: true, held: 0, broken: 0, unknown: 1, first_broken: None })
        .collect();
    arm.warnings = vec!["the load never reached the queue".to_owned()];
    outcome("scenarios/mailbox/nothing.toml", Answer::Unknown, vec![arm])
}

/// Names that want to be markup, terminal codes or paths.
pub(super) fn hostile() -> Outcome {
    const EVIL: &str = "</text><script>alert('x')</script>\u{1b}[31m\"&\u{0}]]>\u{202e}";
    let mut arm = in_memory();
    arm.name = format!("../{EVIL}");
    arm.differs = vec![EVIL.to_owned()];
    arm.expected = vec![expected(EVIL, Answer::Broken, EVIL, None)];
    arm.warnings = vec![EVIL.to_owned()];
    arm.repro = format!("deadletter run {EVIL} --seed 7");
    arm.scenery.nodes.iter_mut().for_each(|n| *n = EVIL.to_owned());
    arm.scenery.phases.iter_mut().for_each(|(n, _)| *n = EVIL.to_owned());
    arm.shown.pending = vec![EVIL.to_owned()];
    arm.shown.invariant = Some(EVIL.to_owned());
    arm.shown.judged.accounting.malformed = 1;
    arm.shown.judged.accounting.superseded = 1;
    arm.shown.judged.accounting.groups.iter_mut().for_each(|g| g.superseded = 1);
    arm.shown.judged.series.depths.iter_mut().for_each(|d| d.name = EVIL.to_owned());
    arm.shown.judged.accounting.groups.iter_mut().for_each(|g| g.name = EVIL.to_owned());
    arm.shown.ledger = (0..11)
        .map(|i| {
            let from = u64::from(i) * 5_000 + 3_000;
            ledger(i, &format!("{EVIL}{i}"), (1, None), vec![strike(from, Some(from + 2_500), EVIL)])
        })
        .collect();
    if let Some(story) = &mut arm.shown.story {
        story.lines.iter_mut().for_each(|l| l.text = EVIL.to_owned());
    }
    let mut outcome = outcome(&format!("scenarios/{EVIL}.toml"), Answer::Broken, vec![arm]);
    outcome.question = EVIL.to_owned();
    outcome.answer_expected = EVIL.to_owned();
    outcome
}

fn outcome(scenario: &str, answer: Answer, arms: Vec<ArmOutcome>) -> Outcome {
    Outcome {
        format: Outcome::FORMAT,
        version: "0.1.0",
        scenario: scenario.to_owned(),
        plan: "3f9c2a7be01d4c55".to_owned(),
        question: "Does an acknowledged order survive when the broker loses power?".to_owned(),
        answer_expected: "Only if the broker syncs before it acknowledges; that costs a few milliseconds for each order.".to_owned(),
        answer,
        arms,
    }
}

fn durable() -> ArmOutcome {
    let judged = judged(false);
    ArmOutcome {
        name: "main".to_owned(),
        differs: Vec::new(),
        answer: Answer::Holds,
        expected: vec![
            expected("always acked_survives", Answer::Holds, "held in 200 of 200 runs (broken in fewer than 1.5 %, 95 % certain)", None),
            expected("sometimes mailbox.redelivered", Answer::Holds, "reached in 187 of 200 runs", Some(1)),
            expected("success_ratio >= 85%", Answer::Holds, "lowest 87.3 % in 200 runs", None),
        ],
        promises: promises(true),
        tallies: tallies(&judged, 200, &[(Property::NoDuplicateDelivery, 187), (Property::NoDuplicateEffect, 187)]),
        runs: 200,
        digest: digest(11),
        shown: run(judged, 1, None),
        warnings: Vec::new(),
        scenery: scenery(),
        repro: "deadletter run scenarios/mailbox/power_off.toml --seed 1   # 0.1.0, plan 3f9c2a7be01d4c55, digest 5f0c1d2e3a4b5c6d"
            .to_owned(),
    }
}

fn in_memory() -> ArmOutcome {
    let judged = judged(true);
    let broken =
        [(Property::AckedSurvives, 183), (Property::AckedDelivered, 183), (Property::NoDuplicateDelivery, 140), (Property::NoGaps, 181)];
    ArmOutcome {
        name: "in memory".to_owned(),
        differs: vec!["model.mailbox.queue.durable = false".to_owned()],
        answer: Answer::Broken,
        expected: vec![
            expected("share acked_lost >= 95% of runs", Answer::Broken, "broken in 183 of 200 runs (91.5 %, 95 % interval 86.8–94.6 %)", Some(4)),
            expected("sometimes mailbox.dead_lettered", Answer::Unknown, "reached in none of 200 runs: the scenario does not test it", None),
        ],
        promises: promises(false),
        tallies: tallies(&judged, 200, &broken),
        runs: 200,
        digest: digest(12),
        shown: run(judged, 4, Some(story())),
        warnings: vec!["the queue `orders` is unbounded: no call can be refused".to_owned()],
        scenery: scenery(),
        repro: "deadletter run scenarios/mailbox/power_off.toml --seed 4 --set model.mailbox.queue.durable=false   # 0.1.0, plan 3f9c2a7be01d4c55, digest 5f0c1d2e3a4b5c6d"
            .to_owned(),
    }
}

fn run(judged: Judged, seed: u64, story: Option<Story>) -> RunOutcome {
    RunOutcome {
        seed,
        digest: digest(seed),
        judged,
        ledger: vec![
            ledger(
                0,
                "broker loses power",
                (2, Some(true)),
                vec![strike(20_000, Some(26_000), "power_off"), strike(48_000, Some(50_500), "power_off")],
            ),
            ledger(
                1,
                "consumer dies",
                (6, Some(false)),
                (0..6).map(|i| strike(10_000 + i * 9_000, Some(10_400 + i * 9_000), "kill")).collect(),
            ),
            ledger(
                2,
                "one-way cut to the clients",
                (214, None),
                vec![strike(34_000, Some(44_000), "cut one way"), strike(58_000, None, "cut one way")],
            ),
            ledger(3, "disk full", (0, None), Vec::new()),
        ],
        marks: vec![("mailbox.redelivered".to_owned(), 13), ("mailbox.torn_tail".to_owned(), 1)],
        events: 412_338,
        messages: 118_020,
        lasted: Span::millis(90_000),
        pending: vec!["2 publishes without an answer".to_owned()],
        invariant: None,
        story,
    }
}

fn story() -> Story {
    let line = |micros: u64, node: u32, text: &str| StoryLine { at: at(micros), node: Some(NodeId(node)), text: text.to_owned() };
    Story {
        property: Property::AckedSurvives,
        lines: vec![
            line(19_811_200, 1, "published p8417 to orders"),
            line(19_812_050, 0, "took p8417 into memory and answered at once: the queue is not durable"),
            line(19_812_900, 1, "was told that p8417 is safe"),
            line(20_000_000, 0, "lost power: 31 messages in memory were lost, p8417 among them"),
            line(26_000_000, 0, "started with an empty queue"),
            StoryLine { at: at(90_000_000), node: None, text: "the final read found p8417 nowhere".to_owned() },
        ],
    }
}

fn judged(lossy: bool) -> Judged {
    let series = series(lossy);
    let sum = |f: fn(&Bucket) -> u64| series.buckets.iter().map(f).sum::<u64>();
    let accounting = accounting(&series, lossy);
    let figures = Figures {
        attempts: accounting.attempts,
        ok: accounting.ok,
        failed: accounting.failed,
        unknown: accounting.unknown,
        pending: accounting.pending,
        skipped: accounting.skipped,
        success: Ratio { part: accounting.ok, whole: accounting.attempts },
        offered_success: Ratio { part: accounting.ok, whole: accounting.attempts + accounting.skipped },
        acked: Rate { count: sum(|b| b.ok), over: Span::secs(70) },
        delivered: Rate { count: accounting.delivered, over: Span::secs(70) },
    };
    let scale = if lossy { 1 } else { 8 };
    let latency = Latency {
        ack_ok: quantiles(accounting.ok, scale * 420, 3),
        ack_failed: quantiles(accounting.failed, 180, 1),
        ack_unknown: quantiles(accounting.unknown, 900_000, 0),
        delivery: quantiles(accounting.delivered, scale * 900, 4),
        effect: quantiles(accounting.effects, scale * 1_300, 4),
    };
    Judged { findings: findings(&accounting, lossy), accounting, latency, figures, series }
}

fn accounting(series: &Series, lossy: bool) -> Accounting {
    let sum = |f: fn(&Bucket) -> u64| series.buckets.iter().map(f).sum::<u64>();
    let (attempts, ok, failed, unknown) = (sum(|b| b.attempts), sum(|b| b.ok), sum(|b| b.failed), sum(|b| b.unknown));
    let pending = attempts - ok - failed - unknown;
    let lost = if lossy { 312 } else { 0 };
    let recovered = (unknown + pending) / 3;
    let delivered = ok + recovered - lost - 40;
    let duplicates = sum(|b| b.duplicates);
    let billing = GroupAccounting {
        group: ObjectId(0),
        name: "orders".to_owned(),
        delivered,
        deliveries: delivered + duplicates,
        redelivered: duplicates + 9,
        duplicates,
        effects: delivered + duplicates / 2,
        duplicate_effects: duplicates / 2,
        lost,
        dead_lettered: 25,
        expired: 0,
        dropped: 0,
        acknowledged: delivered - 25,
        returned: 9,
        held: 15,
        ..GroupAccounting::default()
    };
    let dead = GroupAccounting { group: ObjectId(1), name: "orders.dead".to_owned(), held: 25, ..GroupAccounting::default() };
    Accounting {
        attempts,
        ok,
        failed,
        unknown,
        pending,
        skipped: sum(|b| b.skipped),
        delivered,
        deliveries: billing.deliveries,
        redelivered: billing.redelivered,
        duplicates,
        effects: billing.effects,
        duplicate_effects: billing.duplicate_effects,
        lost,
        recovered,
        unknown_not_happened: unknown + pending - recovered,
        dead_lettered: 25,
        acknowledged: billing.acknowledged,
        returned: 9,
        held: 15,
        groups: vec![billing, dead],
        ..Accounting::default()
    }
}

/// 180 buckets of half a second; the broker is down from 20 s to 26 s and from 48 s to 50.5 s, the cut from 34 s to 44 s slows everything.
fn series(lossy: bool) -> Series {
    let bucket = |i: u64| {
        let ms = i * 500;
        let load = if ms < 70_000 { 246 + noise(i) % 9 } else { 0 };
        let down = (20_000..26_000).contains(&ms) || (48_000..50_500).contains(&ms);
        let cut = (34_000..44_000).contains(&ms);
        let unknown = if down {
            load * 3 / 4
        } else if cut {
            load / 9
        } else {
            0
        };
        let failed = if down { load / 5 } else { 0 };
        let ok = if down { 0 } else { load - unknown };
        let base = (if lossy { 420 } else { 3_300 }) + noise(i + 999) % 90;
        let slow = if cut {
            30
        } else if (26_000..29_000).contains(&ms) {
            900 - (ms - 26_000) / 4
        } else {
            1
        };
        let repeated = if (26_000..28_000).contains(&ms) { 14 } else { noise(i) / 3 % 2 };
        let told = |micros: u64| if ok == 0 { Span::ZERO } else { Span::micros(micros) };
        Bucket {
            start: at(ms * 1_000),
            attempts: load,
            ok,
            failed,
            unknown,
            skipped: if (10_000..10_500).contains(&ms) { 12 } else { 0 },
            deliveries: ok + repeated,
            duplicates: repeated,
            effects: ok + repeated / 2,
            ack_p50: told(base + base * slow / 9),
            ack_p99: told(base * 5 + base * slow),
            ack_max: told(base * 8 + base * slow * 2 + noise(i + 5) * 20),
        }
    };
    let point = |i: u64| {
        let ms = i * 500;
        let high = if (34_000..50_000).contains(&ms) { (ms - 34_000) / 20 } else { 10_u64.saturating_sub(ms / 9_000) + noise(i) % 7 };
        DepthPoint { start: at(ms * 1_000), max: high, last: high / 2 }
    };
    let dead = |i: u64| DepthPoint { start: at(i * 500_000), max: i / 7, last: i / 7 };
    Series {
        window: Span::millis(500),
        buckets: (0..180).map(bucket).collect(),
        depths: vec![
            Depth { object: ObjectId(0), name: "orders".to_owned(), points: (0..180).map(point).collect() },
            Depth { object: ObjectId(1), name: "orders.dead".to_owned(), points: (0..180).map(dead).collect() },
        ],
    }
}

/// A distribution with a floor in microseconds, whose tail grows by a power of the distance from the end.
fn quantiles(count: u64, floor: u64, tail: u32) -> Quantiles {
    if count == 0 {
        return Quantiles::default();
    }
    let span = |millionths: u32| {
        let left = u64::from(1_000_010 - millionths);
        let grow = (1_000_010 / left).ilog2().pow(tail.min(3)).max(1);
        Span::micros(floor + u64::from(millionths) * floor / 1_000_000 + u64::from(grow) * floor / 4)
    };
    let steps = (1..100).map(|p| p * 10_000).chain([995_000, 999_000, 999_500, 999_900, 999_990, 1_000_000]);
    Quantiles {
        count,
        mean: span(600_000),
        min: Span::micros(floor),
        p50: span(500_000),
        p90: span(900_000),
        p99: span(990_000),
        p999: span(999_000),
        max: span(1_000_000),
        curve: steps.map(|millionths| Point { millionths, span: span(millionths) }).collect(),
    }
}

fn findings(accounting: &Accounting, lossy: bool) -> Vec<Finding> {
    let witness = |sentence: &str, cases: u64| {
        Verdict::Broken(Witness {
            sentence: sentence.to_owned(),
            payloads: vec![PayloadId(8_417)],
            nodes: vec![NodeId(0)],
            at: at(20_000_000),
            cases,
            examined: accounting.ok,
        })
    };
    let judge = |property| {
        if lossy && [Property::AckedSurvives, Property::AckedDelivered].contains(&property) {
            witness("p8417 was acknowledged to client c0 at 19.812900s and is nowhere at the final read", 312)
        } else if property == Property::NoDuplicateDelivery {
            witness("orders delivered p5120 at 12.100s and again at 13.100s", accounting.duplicates)
        } else if property == Property::OrderGlobal {
            Verdict::Unknown { why: "several clients publish at once, so there is no one order".to_owned() }
        } else {
            Verdict::Holds { examined: accounting.ok }
        }
    };
    let promised = |p| promises(true).0.iter().any(|q| q.property == p && q.promised);
    Property::DELIVERY.into_iter().map(|p| finding(p, promised(p), judge(p))).collect()
}

fn promises(durable: bool) -> Promises {
    let because = if durable {
        "the queue is durable and syncs every message before it answers"
    } else {
        "the queue is declared to keep what it accepted"
    };
    let promise = |property| Promise {
        property,
        promised: matches!(property, Property::AckedSurvives | Property::AckedDelivered | Property::NothingUnexpected | Property::Drained),
        because: if property == Property::AckedSurvives {
            because.to_owned()
        } else if property == Property::NoDuplicateDelivery {
            "producers retry without an idempotence key".to_owned()
        } else {
            String::new()
        },
    };
    Promises(Property::DELIVERY.into_iter().map(promise).collect())
}

fn tallies(judged: &Judged, runs: u64, broken: &[(Property, u64)]) -> Vec<Tally> {
    let tally = |f: &Finding| {
        let broken = broken.iter().find(|(p, _)| *p == f.property).map_or(0, |(_, n)| *n);
        let unknown = if f.property == Property::OrderGlobal { runs } else { 0 };
        let first_broken = (broken > 0).then_some(4);
        Tally { property: f.property, promised: f.promised, held: runs - broken - unknown, broken, unknown, first_broken }
    };
    judged.findings.iter().map(tally).collect()
}

fn scenery() -> Scenery {
    let phases = [("warm", 0), ("chaos", 5), ("heal", 65), ("drain", 70), ("final", 89), ("end", 90)];
    Scenery {
        nodes: ["broker", "c0", "c1", "billing"].map(str::to_owned).to_vec(),
        objects: ["orders", "orders.dead"].map(str::to_owned).to_vec(),
        phases: phases.map(|(name, s)| (name.to_owned(), at(s * 1_000_000))).to_vec(),
    }
}

fn finding(property: Property, promised: bool, verdict: Verdict) -> Finding {
    Finding { property, verdict, promised }
}

fn expected(text: &str, answer: Answer, detail: &str, seed: Option<u64>) -> Expected {
    Expected { text: text.to_owned(), answer, detail: detail.to_owned(), seed }
}

fn ledger(fault: u32, name: &str, (touched, mattered): (u64, Option<bool>), strikes: Vec<StrikeRow>) -> LedgerRow {
    LedgerRow { fault: FaultId(fault), name: name.to_owned(), fired: strikes.len() as u64, touched, mattered, strikes }
}

fn strike(from_ms: u64, until_ms: Option<u64>, what: &str) -> StrikeRow {
    let until = until_ms.map(|ms| at(ms * 1_000));
    let node = if what == "kill" { "billing" } else { "broker" };
    StrikeRow { from: at(from_ms * 1_000), until, nodes: vec![node.to_owned()], what: what.to_owned() }
}

fn at(micros: u64) -> Time {
    Time::ZERO + Span::micros(micros)
}

fn digest(n: u64) -> Digest {
    let mut digest = Digest::new();
    digest.word(n);
    digest
}

/// Small numbers that look like noise and are always the same.
fn noise(i: u64) -> u64 {
    digest(i).value() % 101
}
