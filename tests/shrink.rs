//! Freezing and shrinking: what is frozen comes out as before, and what is shrunk still goes wrong in the same way, with nothing to spare.

#![cfg(feature = "mutants")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use deadletter::base::{Stream, Words};
use deadletter::check::Property;
use deadletter::lab::{Capsule, Case, Found, Goal, Hunt, Shrunk, Size, Violation, freeze, hunt, replay, shrink};
use deadletter::load::LoadConfig;
use deadletter::model::BUILT_IN;
use deadletter::run::{Answer, How, Passage, Ran, Ready};
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

/// What a hunt finds first in the scenario of a mutant.
fn hunted(file: &Path) -> (Case, Found, Goal) {
    let arm = arm(&std::fs::read_to_string(file).expect("a scenario"));
    let asked = Hunt { runs: 600, ..Hunt::new(&arm, 1) };
    let quarry = hunt(&asked, &|_| false, &|| ()).found.into_iter().next();
    let quarry = quarry.unwrap_or_else(|| panic!("nothing is found in {}", file.display()));
    let goal = asked.goal.same(quarry.found.violation);
    (quarry.case, quarry.found, goal)
}

fn shrunk_by(workers: usize, (case, found, goal): &(Case, Found, Goal)) -> Shrunk {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers).build().expect("workers");
    pool.install(|| shrink(case, found, *goal, BUILT_IN, &|| ()))
}

/// Everything that a minimal case cannot do without, taken away one by one, with words for it.
fn singles(case: &Case) -> Vec<(String, Case)> {
    let with = |arm: ArmPlan| Case { arm, seed: case.seed };
    let surroundings = case.arm.surroundings();
    let mut found = Vec::new();
    let listed = &case.arm.load().listed;
    for one in listed.iter().filter(|_| listed.len() > 1) {
        let listed = listed.iter().filter(|other| other.payload != one.payload).cloned().collect();
        let load = LoadConfig { streams: Vec::new(), listed };
        found.push((format!("operation {}", one.payload), with(case.arm.with_load(load))));
    }
    for fault in surroundings.faults.iter() {
        let rest = surroundings.faults.iter().filter(|other| other.name != fault.name).cloned().collect();
        found.push((format!("fault {}", fault.name), with(case.arm.with_faults(rest))));
    }
    for one in surroundings.overrides.iter() {
        let rest = surroundings.overrides.iter().filter(|other| *other != one).cloned().collect();
        found.push((format!("override {one}"), with(case.arm.with_overrides(rest))));
    }
    for line in case.arm.model_text().lines() {
        // What other parts of the arm name cannot go alone: such a table is refused.
        let without = case.arm.model_text().replace(&format!("{line}\n"), "");
        let is_entry = line.contains("= {") && !line.starts_with("mutant");
        found.extend(case.arm.with_model_table(&without, BUILT_IN).ok().filter(|_| is_entry).map(|arm| (line.to_owned(), with(arm))));
        for (at, number) in numbers(line) {
            let less = format!("{}{}{}", &line[..at], number - 1, &line[at + number.to_string().len()..]);
            let text = case.arm.model_text().replace(line, &less);
            found.extend(case.arm.with_model_table(&text, BUILT_IN).ok().map(|arm| (less, with(arm))));
        }
    }
    // What is written out although it is the default changes nothing when it goes.
    found.retain(|(_, smaller)| smaller.arm != case.arm);
    found
}

/// The whole numbers above zero in a line of a model's table, each with its place.
fn numbers(line: &str) -> Vec<(usize, u64)> {
    let starts = line.match_indices("= ").map(|(at, _)| at + 2);
    let number = |at: usize| {
        let digits = line[at..].find(|c: char| !c.is_ascii_digit()).unwrap_or(line.len() - at);
        line[at..at + digits].parse().ok().filter(|number| *number > 0).map(|number| (at, number))
    };
    starts.filter_map(number).collect()
}

/// A shrunk case does what it is to do, stands alone as a file, and nothing can go.
fn check_shrunk(name: &str, shrunk: &Shrunk, goal: Goal) {
    let (case, found) = (&shrunk.case, &shrunk.found);
    assert_eq!(case.try_for(goal).as_ref(), Some(found), "{name}: the same violation");
    let size = Size::of(case);
    assert!(size.messages.is_some_and(|messages| messages <= 10) && size.faults <= 3, "{name}: {size:?}\n{:?}", case.arm);
    assert_eq!(ran(case).unmatched, Vec::<String>::new(), "{name}: every override is about a transmission");
    for (what, smaller) in singles(case) {
        assert_eq!(smaller.try_for(goal), None, "{name} is not minimal: it fails alike without, or with, {what}\n{:?}", case.arm);
    }
    let capsule = Capsule::of(case, found, "a test");
    let text = capsule.text();
    let read = Capsule::read(&Source::new("capsule.toml", &text, BUILT_IN)).unwrap_or_else(|p| panic!("{}\n{text}", render(&p, false)));
    assert_eq!(read, capsule, "{name}: the file says it all\n{text}");
    let (written, replayed) = (ran(case).outcome, ran(&read.case()).outcome);
    assert_eq!((written.digest, written.judged), (replayed.digest, replayed.judged), "{name}: and behaves the same");
    let again = replay(&read).expect("no panic");
    assert_eq!((again.answer, again.drift), (Answer::Holds, Vec::new()), "{name}: and is replayed as recorded");
}

/// How many messages a case asks for.
fn messages(case: &Case) -> u64 {
    let accounting = ran(case).outcome.judged.accounting;
    accounting.attempts + accounting.skipped
}

/// Hunted, shrunk, kept as a file, replayed: every planted bug of the mailbox. `SHRINK_ONLY=NAME` does one of them and prints it.
#[test]
fn every_mutant_is_hunted_and_shrinks_to_a_handful() {
    let only = std::env::var("SHRINK_ONLY").ok();
    let mut files: Vec<PathBuf> = std::fs::read_dir("tests/hunt").expect("a folder").flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert_eq!(files.len(), 16, "one for each mutant");
    for file in files {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let failing = hunted(&file);
        let (one, two) = (shrunk_by(1, &failing), shrunk_by(2, &failing));
        let smaller = Size::of(&failing.0).difference(&Size::of(&one.case)).unwrap_or_default();
        let asked = (messages(&failing.0), messages(&one.case));
        println!("{name}: {} tried, {} accepted, messages {} → {}, {smaller}", one.tried, one.accepted, asked.0, asked.1);
        if only.is_some() {
            println!("{:#?}\n{:?} seed {}\n{}", one.steps, one.case.arm, one.case.seed, one.found.sentence);
        }
        check_shrunk(&name, &one, failing.2);
        let said = |shrunk: &Shrunk| {
            let capsule = Capsule::of(&shrunk.case, &shrunk.found, "a test").text();
            (capsule, shrunk.tried, shrunk.accepted, shrunk.steps.clone())
        };
        assert_eq!(said(&one), said(&two), "{name}: the number of workers changes nothing");
    }
}

#[test]
fn what_is_not_wrong_is_given_back() {
    let (model, to) = HONEST[0];
    let case = Case { arm: arm(&scenario(model, to, "")), seed: 3 };
    let found = Found { violation: Violation::Property(Property::AckedSurvives), sentence: String::new(), witness: None, digest: None };
    let shrunk = shrink(&case, &found, Goal::Forbidden, BUILT_IN, &|| ());
    assert_eq!((shrunk.case.arm, shrunk.found, shrunk.accepted), (case.arm, found, 0));
}
