//! Freezing and shrinking: what is frozen comes out as before, and what is shrunk still goes wrong in the same way, with nothing to spare.

use std::fmt::Write as _;

use deadletter::base::{Stream, Words};
use deadletter::check::Property;
use deadletter::lab::{Case, freeze};
use deadletter::model::BUILT_IN;
use deadletter::run::{How, Passage, Ran, Ready};
use deadletter::scenario::{ArmPlan, Source, read, render};

/// Configurations that between them promise everything, each with its destinations.
const HONEST: &[(&str, &[&str])] = &[
    (
        r#"
        checksum = false
        queue.orders = { visibility_timeout = "5s" }
        producer = { count = 3, retries = 5, timeout = "400ms" }
        consumer.billing = { count = 2, from = "orders", processing = "4ms", ack_delay = "1ms" }
        "#,
        &["orders"],
    ),
    (
        r#"
        queue.orders = { visibility_timeout = "3s" }
        producer = { retries = 5, timeout = "400ms", idempotence = true, ordered = true }
        consumer.billing = { from = "orders", ack = "atomically", processing = "4ms", ack_delay = "2ms" }
        "#,
        &["orders"],
    ),
    (
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
        r#"
        transport = "datagram"
        queue.orders = { visibility_timeout = "1s" }
        producer = { count = 2, retries = 8, timeout = "200ms", idempotence = true }
        consumer.billing = { from = "orders", ack = "atomically" }
        "#,
        &["orders"],
    ),
    (
        r#"
        transport = "datagram"
        checksum = false
        heartbeat = "300ms"
        queue.orders = { visibility_timeout = "3s" }
        producer = { count = 2, retries = 5, timeout = "200ms", idempotence = true }
        consumer.billing = { count = 2, from = "orders", ack = "before", prefetch = 3 }
        "#,
        &["orders"],
    ),
];

/// Somebody.
fn who(words: &mut Stream) -> &'static str {
    ["broker", "broker", "producers", "consumers", "random(all)", "random(2, all)"][usize::try_from(words.below(6)).expect("few")]
}

/// A fault of a kind that the promises cover, as its lines in a file.
fn fault(words: &mut Stream) -> String {
    let (one, other) = (who(words), who(words));
    let ill = match words.below(18) {
        0 | 1 => format!("kill = \"{one}\""),
        2 => format!("power_off = \"{one}\""),
        3 => format!("torn_write = \"{one}\""),
        4 => format!("pause = \"{one}\""),
        5 => format!("freeze = \"{one}\""),
        6 => format!("slow = {{ who = \"{one}\", factor = 5 }}"),
        7 => "cut = { halves = \"all\" }".to_owned(),
        8 => format!("cut = {{ isolate = \"{one}\" }}"),
        9 => format!("cut = {{ one_way = {{ from = \"{one}\", to = \"{other}\" }} }}"),
        10 => {
            let extra = "{ law = \"uniform\", low = \"0s\", high = \"900ms\" }";
            format!("jam = {{ from = \"{one}\", to = \"{other}\", extra = {extra} }}")
        }
        11 => format!("drop = {{ from = \"{one}\", to = \"{other}\", chance = \"30%\" }}"),
        12 => format!("clog = {{ from = \"{one}\", to = \"{other}\" }}"),
        13 => format!("disk_stall = \"{one}\""),
        14 => format!("sync_fails = {{ who = \"{one}\", chance = \"33%\" }}"),
        15 => format!("disk_full = \"{one}\""),
        16 => format!("clock_drift = {{ who = \"{one}\", ppm = 90000 }}"),
        _ => "power_off = \"broker\"".to_owned(),
    };
    let lasts = "lasts = { law = \"uniform\", low = \"1ms\", high = \"1800ms\" }";
    match words.below(4) {
        0 => format!("every = \"{}ms\"\n{lasts}\n{ill}\n", 2_000 + words.below(4_000)),
        1 => format!("mtbf = \"6s\"\nmttr = \"{}ms\"\n{ill}\n", 50 + words.below(600)),
        _ => format!("at = \"{}us\"\n{lasts}\n{ill}\n", 50_000 + words.below(7_400_000)),
    }
}

/// Random faults, as a part of a file.
fn faults(seed: u64, count: u64) -> String {
    let mut words = Stream::named(seed, "test faults", 0);
    (0..count).fold(String::new(), |mut text, number| {
        let one = fault(&mut words);
        write!(text, "\n[[fault]]\nname = \"fault {number}\"\n{one}").expect("a string takes everything");
        text
    })
}

/// A network in which everything happens, a little.
fn network(seed: u64) -> String {
    let mut words = Stream::named(seed, "test network", 0);
    let mut percent = |below: u64| format!("\"{}%\"", words.below(below));
    let (loss, duplicate, reorder, corrupt) = (percent(5), percent(5), percent(10), percent(4));
    let burst = if words.below(2) == 0 { "" } else { "burst = { good = \"1s\", bad = \"40ms\" }\n" };
    let checksum = words.below(2) == 0;
    format!(
        "\n[network]\ndelay = {{ law = \"uniform\", low = \"300us\", high = \"3ms\" }}\nloss = {loss}\nduplicate = {duplicate}\n\
         reorder = {{ chance = {reorder}, hold = \"15ms\" }}\ncorrupt = {{ chance = {corrupt}, checksum = {checksum} }}\n{burst}"
    )
}

/// A whole file: a model's table, the objects that are asked, and everything else.
fn scenario(model: &str, to: &[&str], rest: &str) -> String {
    let rate = 50 / to.len();
    let loads = to.iter().fold(String::new(), |mut text, to| {
        let arrivals = format!("{{ law = \"poisson\", rate = \"{rate}/s\" }}");
        write!(text, "\n[[load]]\nto = \"{to}\"\narrivals = {arrivals}\nkeys = {{ law = \"uniform\", count = 5 }}\nsize = \"100B\"\n")
            .expect("a string takes everything");
        text
    });
    let phases = "\n[phases]\nwarm = \"0s\"\nchaos = \"8s\"\nheal = \"2s\"\ndrain = \"60s\"\n";
    format!("# Does it hold?\n# Perhaps.\n[model.mailbox]\n{model}{loads}{phases}{rest}\n[seeds]\ncount = 1\n")
}

/// The only arm of a text, which must be right.
fn arm(text: &str) -> ArmPlan {
    let reading = read(&Source::new("test.toml", text, BUILT_IN));
    let plan = reading.plan.unwrap_or_else(|| panic!("{}\n{text}", render(&reading.problems, false)));
    plan.arms().first().expect("a plan has an arm").clone()
}

fn ran(case: &Case) -> Ran {
    let ready = Ready::new(&case.arm);
    Passage::start(&ready, case.seed, How::default()).run(|_| ()).finish()
}

/// Which properties are broken, and where the messages went.
fn broken(ran: &Ran) -> Vec<Property> {
    let findings = ran.outcome.judged.findings.iter();
    findings.filter(|finding| finding.verdict.is_broken()).map(|finding| finding.property).collect()
}

#[test]
fn what_is_frozen_comes_out_as_before() {
    let seeds: u64 = std::env::var("FREEZE_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let (mut same, mut whole, mut transmissions) = (0, 0, 0);
    for seed in 0..seeds {
        let (model, to) = HONEST[usize::try_from(seed).expect("small") % HONEST.len()];
        let text = scenario(model, to, &(network(seed) + &faults(seed, 1 + seed % 7)));
        let case = Case { arm: arm(&text), seed };
        let frozen = freeze(&case).expect("no panic");
        let (before, after) = (ran(&case), ran(&frozen));
        assert_eq!(broken(&before), broken(&after), "seed {seed}\n{text}");
        assert_eq!(before.outcome.judged.accounting, after.outcome.judged.accounting, "seed {seed}\n{text}");
        let quiet = frozen.arm.surroundings().network.within.loss.is_never();
        assert_eq!(frozen.arm.load().streams, [], "seed {seed}: the load is listed");
        println!(
            "seed {seed}: {} operations, {} faults, {} transmissions, quiet: {quiet}, {} unmatched, same digest: {}",
            frozen.arm.load().listed.len(),
            frozen.arm.surroundings().faults.len(),
            frozen.arm.surroundings().overrides.len(),
            after.unmatched.len(),
            before.outcome.digest == after.outcome.digest
        );
        same += u64::from(before.outcome.digest == after.outcome.digest);
        whole += u64::from(quiet);
        transmissions += frozen.arm.surroundings().overrides.len();
    }
    println!("{seeds} runs frozen, {whole} to the last transmission ({transmissions} of them named), {same} with equal digests");
    assert!(whole * 10 >= seeds * 6, "most runs freeze as a whole: {whole} of {seeds}");
}
