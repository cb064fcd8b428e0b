//! Plans that print and read the same, and files that are cut to pieces without a panic.

mod fake;

use deadletter::base::{Law, Span, Time};
use deadletter::check::Property;
use deadletter::parts::config::MachineConfig;
use deadletter::parts::fault::{Ill, Others, Selector, When};
use deadletter::scenario::{Event, Expectation, MAIN, Plan, Reading, Source, read, render};
use proptest::prelude::*;

fn reading(text: &str, sets: &[String]) -> Reading {
    let files = |path: &str| match path {
        "good.csv" => Ok(b"at,key,bytes\n6s,a,10\n7s,b,20\n".to_vec()),
        _ => Err("there is no such file".to_owned()),
    };
    read(&Source { file: "x.toml", text, sets, models: &fake::MODELS, files: &files })
}

fn plan_of(text: &str) -> Plan {
    let reading = reading(text, &[]);
    reading.plan.unwrap_or_else(|| panic!("{}\n{text}", render(&reading.problems, false)))
}

const HEAD: &str = "# Which acknowledgement keeps every order\n# when the leader dies?\n# Only \"all\".\n";

/// A file with every table in it.
const FULL: &str = r#"#:schema ../scenario.schema.json
# Which acknowledgement keeps every order when the leader dies?
# Only "all".

[model.post]
brokers = 3
clients = 2
broker.id.generation = false
queue.orders = { bound = 500, visibility.timeout = "10s" }
queue."my.orders" = { retention.ms = 60000 }
service.pay = {}

[[load]]
to = "orders"
arrivals = { law = "poisson", rate = "500/s" }
keys = { law = "zipf", count = 1000, exponent = 1.1 }
size = "1KiB"
clients = "by_key"

[[load]]
to = "pay"
arrivals = { law = "closed", users = 10, think = { law = "exponential", mean = "1s" } }
limit = 1000

[[load]]
to = "my.orders"
arrivals = { law = "trace", file = "good.csv" }
keys = { law = "trace" }
size = { law = "mix", of = [{ bytes = "1kB", weight = 9 }, { bytes = "1MB", weight = 1 }] }

[network]
delay = { law = "lognormal", median = "0.5ms", p99 = "4ms" }
jitter = "10us"
loss = "0.01%"
burst = { good = "10s", bad = "100ms", loss_good = "1%", loss_bad = "40%" }
reorder = { chance = "2%", hold = "3ms" }
duplicate = "3%"
corrupt = { chance = "0.1%", checksum = false }
bandwidth = { rate = "1Gbit/s", queue = "1MB" }
zone.a = { hosts = ["b1", "producers"], region = "eu" }
zone.b = { hosts = ["b2", "b3", "k0"], region = "us" }
between_regions = { delay = "40ms" }
link = [{ name = "wan", from = "a", to = "b", delay = "30ms", back = { loss = "1%" } }]
switches = []
stream = { retransmit_first = "1ms", retransmit_max = "2s", give_up = "3s", connect_timeout = "4s", window = "5KiB" }

[node.all]
boot = "1s"
[node.brokers]
cpu = { servers = 2, queue = 7, service = "100us" }
disk.sync = "2ms"
[node.b1]
disk = { capacity = "1GB", writeback = "never" }
clock = { skew = "-3ms", drift_ppm = 50 }

[phases]
warm = "5s"
chaos = "60s"
heal = "11s"
drain = "31s"

[[fault]]
name = "leader dies"
at = "10s"
power_off = "leader(orders/0)"
back_after = "20s"

[[fault]]
mtbf = "20s"
mttr = { law = "constant", value = "2s" }
kill = "random(2, brokers)"

[[fault]]
every = { law = "uniform", low = "5s", high = "9s" }
until = "50s"
lasts = "1s"
cut = { between = { a = "b1 + k0", b = "b2" }, others = "split" }

[[fault]]
at = ["10s", "20s"]
clock_step = { who = "zone(b)", by = "-1500ms" }

[expect]
always = ["acked_survives", "order_per_key"]
sometimes = ["post.leader_changed"]
success_ratio = ">= 90%"
ack_p99 = "<= 50ms"
eventually = { drained = "30s after heal" }
fault = { "leader dies" = "touched" }

[[arm]]
name = "acks=1"
set = { "model.post.sync" = "never", "load.orders.size" = "2KiB", "fault.leader dies.at" = "12s", node.b2.boot = "5s" }
expect.share = { acked_lost = ">= 5% of runs" }

[[arm]]
name = "no faults"
set = { fault = [], "model.post.queue.my.orders.bound" = 7 }
expect = { inherit = false, violations = "any", never = ["stuck"] }

[seeds]
count = 200
first = 3
"#;

#[test]
fn a_file_becomes_the_plan_it_describes() {
    let plan = plan_of(FULL);
    assert_eq!(plan.question(), "Which acknowledgement keeps every order when the leader dies?");
    assert_eq!((plan.answer(), plan.seeds().count, plan.seeds().first), ("Only \"all\".", 200, 3));
    let [main, one, none] = plan.arms() else { panic!("three arms") };
    assert_eq!((main.name(), one.name(), none.name()), (MAIN, "acks=1", "no faults"));
    let faults = &main.surroundings().faults;
    assert_eq!(
        faults.iter().map(|fault| fault.name.as_str()).collect::<Vec<_>>(),
        ["leader dies", "kill random(2, brokers)", "cut b1 + k0 from b2", "clock step zone(b)"]
    );
    assert_eq!(faults[0].when, When::At(vec![Time::ZERO + Span::secs(10)]));
    assert_eq!(faults[0].lasts, Some(Law::Constant(Span::secs(20))));
    assert_eq!(faults[0].ill, Ill::PowerOff(Selector::Role { name: "leader".into(), of: "orders/0".into() }));
    let When::Renewal { mtbf, mttr } = &faults[1].when else { panic!("a renewal") };
    assert_eq!((mtbf, mttr), (&Law::Exponential { floor: Span::ZERO, mean: Span::secs(20) }, &Law::Constant(Span::secs(2))));
    let When::Every { first, .. } = &faults[2].when else { panic!("again and again") };
    assert_eq!(*first, Time::ZERO + Span::secs(12));
    let Ill::Cut(cut) = &faults[2].ill else { panic!("a cut") };
    assert_eq!(cut.others, Others::Split);
    let machine = |name: &str| main.surroundings().machines.iter().find(|(one, _)| one == name).map(|(_, machine)| machine);
    let b1 = machine("b1").expect("b1 has a machine");
    assert_eq!((b1.boot, b1.cpu.as_ref().map(|cpu| cpu.servers), b1.disk.capacity), (Span::secs(1), Some(2), Some(1_000_000_000)));
    assert_eq!((b1.disk.writeback, b1.clock.skew, &b1.disk.sync), (None, -3_000_000, &Law::Constant(Span::millis(2))));
    assert_eq!(machine("*"), Some(&MachineConfig { boot: Span::secs(1), ..MachineConfig::default() }));
    let network = &main.surroundings().network;
    assert_eq!(network.zones[0].hosts, ["b1", "c0", "c1"]);
    assert_eq!((network.links[0].there.loss.to_string(), network.links[0].back.loss.to_string()), ("0%".into(), "1%".into()));
    assert_eq!((main.surroundings().chaos_start.nanos(), main.surroundings().heal_start.nanos()), (5_000_000_000, 65_000_000_000));
    assert!(one.expectations().claims.contains(&Expectation::Always(Property::OrderPerKey)));
    assert!(!one.expectations().claims.contains(&Expectation::Always(Property::AckedSurvives)), "the arm expects losses");
    assert_eq!(none.expectations().claims, [Expectation::Never(Event::Breach(Property::Drained))]);
    assert!(none.surroundings().faults.is_empty());
    assert!(none.differs().iter().any(|line| line == "model.post.queue.\"my.orders\".bound = 7"), "{:?}", none.differs());
    assert!(one.differs().contains(&"fault.\"leader dies\".at = \"12s\"".to_owned()), "{:?}", one.differs());
    assert!(one.differs().contains(&"load.0.size = \"2KiB\"".to_owned()), "{:?}", one.differs());
    same_again(&plan);
}

#[test]
fn spelling_and_comments_do_not_change_the_hash() {
    let one = plan_of(&format!(
        "{HEAD}[model.post]\nqueue.orders = {{ bound = 1000 }}\n[load]\nto = \"orders\"\narrivals = {{ law = \"poisson\", rate = \"60/min\" }}\n"
    ));
    let two = plan_of(&format!(
        "{HEAD}\n# A note.\n[[load]]\narrivals = {{ rate = \"1/s\", law = \"poisson\" }}\nto = 'orders'\n[model.post.queue.orders]\n[phases]\nwarm = \"5000ms\"\n"
    ));
    let three = plan_of(&format!(
        "{HEAD}[model.post]\nqueue.orders = {{}}\n[load]\nto = \"orders\"\narrivals = {{ law = \"poisson\", rate = \"2/s\" }}\n"
    ));
    assert_eq!((&one, one.hash()), (&two, two.hash()));
    assert_ne!(one.hash(), three.hash());
    assert!(one != three);
}

#[test]
fn settings_of_the_command_line_hold_for_every_arm_that_does_not_say_otherwise() {
    let text = format!(
        "{HEAD}[model.post]\nqueue.orders = {{}}\n[load]\nto = \"orders\"\narrivals = {{ law = \"poisson\", rate = \"1/s\" }}\n[[arm]]\nname = \"x\"\nset = {{ \"network.loss\" = \"2%\" }}\n"
    );
    let sets: Vec<String> = ["network.loss=1%", "network.duplicate=3%", "seeds.count=7"].map(String::from).to_vec();
    let plan = reading(&text, &sets).plan.expect("a plan");
    let within = |at: usize| {
        let law = &plan.arms()[at].surroundings().network.within;
        (law.loss.to_string(), law.duplicate.to_string())
    };
    assert_eq!((within(0), within(1)), (("1%".into(), "3%".into()), ("2%".into(), "3%".into())));
    assert_eq!(plan.seeds().count, 7);
}

#[test]
fn every_scenario_file_is_a_plan_that_prints_itself() {
    let mut open = vec![std::path::PathBuf::from("scenarios")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path).expect("a folder").flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            let text = std::fs::read_to_string(&path).expect("a scenario");
            let folder = path.parent().expect("a folder").to_path_buf();
            let files = |name: &str| std::fs::read(folder.join(name)).map_err(|error| error.to_string());
            let read = |text: &str| {
                let reading = read(&Source { file: "x.toml", text, sets: &[], models: deadletter::model::BUILT_IN, files: &files });
                reading.plan.unwrap_or_else(|| panic!("{}\n{}", path.display(), render(&reading.problems, false)))
            };
            let plan = read(&text);
            let printed = plan.print();
            assert!(read(&printed) == plan, "{}: printed:\n{printed}\nagain:\n{}", path.display(), read(&printed).print());
        }
    }
}

fn same_again(plan: &Plan) {
    let printed = plan.print();
    let again = reading(&printed, &[]);
    let Some(again) = again.plan else { panic!("{}\n{printed}", render(&again.problems, false)) };
    assert!(again == *plan, "printed:\n{printed}\nagain:\n{}", again.print());
    assert_eq!(again.print(), printed);
    assert_eq!(again.hash(), plan.hash());
}

fn span() -> impl Strategy<Value = String> {
    prop_oneof![
        (1u32..20).prop_map(|n| format!("{n}s")),
        (1u32..5000).prop_map(|n| format!("{n}ms")),
        (1u32..9999).prop_map(|n| format!("{n}us"))
    ]
}

fn law() -> impl Strategy<Value = String> {
    prop_oneof![
        span().prop_map(|span| format!("\"{span}\"")),
        (1u32..50, 1u32..50).prop_map(|(a, b)| format!("{{ law = \"uniform\", low = \"{a}ms\", high = \"{}ms\" }}", a + b)),
        (1u32..50).prop_map(|mean| format!("{{ law = \"exponential\", mean = \"{mean}ms\" }}")),
        (1u32..50).prop_map(|n| format!("{{ law = \"lognormal\", median = \"{n}ms\", p99 = \"{}ms\" }}", n * 3)),
        (1u32..50, 1500u32..4000).prop_map(|(n, s)| format!(
            "{{ law = \"pareto\", scale = \"{n}ms\", shape = {}.{:03} }}",
            s / 1000,
            s % 1000
        )),
        (1u32..50).prop_map(|n| format!(
            "{{ law = \"bimodal\", usual = \"1ms\", rare = {{ law = \"weibull\", scale = \"{n}ms\", shape = 2 }}, rare_chance = \"1%\" }}"
        )),
        (1u32..50)
            .prop_map(|n| format!("{{ law = \"table\", quantiles = [[\"0%\", \"0s\"], [\"50%\", \"{n}ms\"], [\"100%\", \"60ms\"]] }}")),
    ]
}

fn who() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "b1",
        "brokers",
        "all",
        "random(brokers)",
        "random(2, brokers + clients)",
        "leader(orders/0)",
        "b1 + k0",
        "leader",
        "zone(lan)",
    ])
}

fn ill() -> impl Strategy<Value = String> {
    let simple = prop::sample::select(vec!["kill", "power_off", "wipe", "torn_write"]);
    let shapes = prop::sample::select(vec!["halves", "majorities_ring", "bridge"]);
    prop_oneof![
        (simple, who(), law()).prop_map(|(ill, who, law)| format!("{ill} = \"{who}\"\nback_after = {law}")),
        (prop::sample::select(vec!["pause", "freeze", "disk_stall", "disk_full"]), who())
            .prop_map(|(ill, who)| format!("{ill} = \"{who}\"")),
        shapes.prop_map(|shape| format!("cut = {{ {shape} = \"brokers\" }}")),
        (
            prop::sample::select(vec!["isolate = \"b1\"", "halves = \"brokers\""]),
            prop::sample::select(vec!["untouched", "first", "second", "split"])
        )
            .prop_map(|(shape, others)| format!("cut = {{ {shape}, others = \"{others}\" }}")),
        who().prop_map(|who| format!("cut = {{ isolate = \"{who}\" }}")),
        (who(), who()).prop_map(|(a, b)| format!("cut = {{ one_way = {{ from = \"{a}\", to = \"{b}\" }} }}")),
        Just("cut = { link = \"b1-lan\" }".to_owned()),
        (who(), who(), who()).prop_map(|(a, b, c)| format!("cut = {{ pairs = [{{ from = \"{a}\", to = \"{b}\" }}, {{ to = \"{c}\" }}] }}")),
        (who(), law()).prop_map(|(who, law)| format!("jam = {{ from = \"{who}\", extra = {law} }}\nlasts = \"2s\"")),
        (who(), 1u32..=1000).prop_map(|(who, n)| format!("drop = {{ to = \"{who}\", kind = \"ack\", chance = \"{n}/1000\" }}")),
        who().prop_map(|who| format!("clog = {{ from = \"{who}\" }}")),
        (who(), 1001u32..9999).prop_map(|(who, n)| format!("slow = {{ who = \"{who}\", factor = {}.{:03} }}", n / 1000, n % 1000)),
        (who(), 1u32..9).prop_map(|(who, n)| format!("flip_bits = {{ who = \"{who}\", count = {n} }}")),
        who().prop_map(|who| format!("sync_fails = {{ who = \"{who}\" }}")),
        (who(), 1i32..500).prop_map(|(who, ppm)| format!("clock_drift = {{ who = \"{who}\", ppm = -{ppm} }}")),
        (who(), span()).prop_map(|(who, by)| format!("clock_step = {{ who = \"{who}\", by = \"-{by}\" }}")),
    ]
}

fn fault() -> impl Strategy<Value = String> {
    let when = prop_oneof![
        (5u32..64).prop_map(|at| format!("at = \"{at}s\"")),
        (5u32..64, any::<u32>()).prop_map(|(at, events)| format!("at = \"{at}s\"\nbehind = {events}")),
        (5u32..30, 1u32..30).prop_map(|(a, b)| format!("at = [\"{a}s\", \"{}s\"]", a + b)),
        (5u32..64, law()).prop_map(|(first, law)| format!("every = {law}\nfirst = \"{first}s\"")),
    ];
    (when, ill()).prop_map(|(when, ill)| format!("[[fault]]\n{when}\n{ill}\n"))
}

fn load() -> impl Strategy<Value = String> {
    let arrivals = prop_oneof![
        (1u32..999).prop_map(|n| format!("{{ law = \"constant\", rate = \"{n}/7s\" }}")),
        (1u32..999).prop_map(|n| format!("{{ law = \"diurnal\", mean = \"{n}/s\", amplitude = \"0.3\", peak_at = \"1h\" }}")),
        law().prop_map(|law| format!("{{ law = \"closed\", users = 3, think = {law} }}")),
        (law(), law()).prop_map(|(on, off)| format!("{{ law = \"bursts\", rate_high = \"9/s\", on = {on}, off = {off} }}")),
        Just("{ law = \"steps\", steps = [{ at = \"0s\", rate = \"1/s\" }, { at = \"10s\", rate = \"0/s\" }] }".to_owned()),
        Just("{ law = \"trace\", file = \"good.csv\" }".to_owned()),
    ];
    let size =
        prop_oneof![(0u32..99999).prop_map(|n| n.to_string()), Just("{ law = \"uniform\", low = \"1B\", high = \"1MiB\" }".to_owned())];
    let keys = prop::sample::select(vec![
        "{ law = \"hot\", count = 10, hot = 1, share = \"1/3\" }",
        "{ law = \"sequential\", count = 3 }",
        "{ law = \"zipf\", count = 5, exponent = 0.99 }",
    ]);
    (arrivals, size, keys)
        .prop_map(|(arrivals, size, keys)| format!("[[load]]\nto = \"orders\"\narrivals = {arrivals}\nsize = {size}\nkeys = {keys}\n"))
}

fn network() -> impl Strategy<Value = String> {
    let chance = (0u32..1000).prop_map(|n| format!("\"{n}/1001\""));
    (law(), chance, law(), any::<bool>()).prop_map(|(delay, chance, law, zones)| {
        let zones = if zones { "[network.zone.z]\nhosts = [\"b2\", \"clients\"]\n[network.between_zones]\ndelay = \"1ms\"\n" } else { "" };
        format!(
            "[network]\ndelay = {delay}\nloss = {chance}\nduplicate = {chance}\njitter = {law}\nreorder = {{ chance = {chance}, hold = {law} }}\nbandwidth = \"100MB/s\"\n{zones}"
        )
    })
}

fn expect() -> impl Strategy<Value = String> {
    prop::sample::subsequence(
        vec![
            "always = [\"no_gaps\", \"nothing_corrupted\"]",
            "broken = [\"acked_survives\"]",
            "sometimes = [\"post.redelivered\", \"gaps\"]",
            "never = [\"post.leader_changed\"]",
            "success_ratio = \"> 2/3\"",
            "throughput = \">= 400/min\"",
            "delivery_max = \"< 1m\"",
            "ack_p50 = \"= 5ms\"",
            "share = { \"duplicate_effect\" = \"<= 0.5% of runs\", \"post.redelivered\" = \">= 10%\" }",
            "count = { stuck = \"< 3 runs\" }",
            "eventually = { drained = \"5s after heal\" }",
            "violations = \"any\"",
        ],
        0..6,
    )
    .prop_filter("gaps both ways", |lines| !(lines.iter().any(|l| l.contains("no_gaps")) && lines.iter().any(|l| l.contains("\"gaps\""))))
    .prop_map(|lines| lines.join("\n"))
}

fn file() -> impl Strategy<Value = String> {
    let set = prop::sample::subsequence(
        vec![
            "\"model.post.sync\" = \"never\"",
            "\"model.post.queue.extra\" = { bound = 3 }",
            "\"network.loss\" = \"7%\"",
            "\"phases.drain\" = \"3s\"",
            "\"fault\" = []",
            "\"node.brokers\" = { boot = \"3s\" }",
            "\"load.0.limit\" = 9",
        ],
        1..5,
    );
    let arm = (set, expect()).prop_map(|(set, expect)| format!("set = {{ {} }}\n[arm.expect]\n{expect}\n", set.join(", ")));
    let parts =
        (prop::collection::vec(load(), 1..3), network(), prop::collection::vec(fault(), 0..4), expect(), prop::collection::vec(arm, 0..3));
    parts.prop_map(|(loads, network, faults, expect, arms)| {
        let arms: Vec<String> = arms.iter().enumerate().map(|(at, arm)| format!("[[arm]]\nname = \"arm {at}\"\n{arm}")).collect();
        format!(
            "{HEAD}[model.post]\nbrokers = 3\nqueue.orders = {{}}\n{}{network}[node.brokers]\ncpu = {{ servers = 3, service = \"1ms\" }}\n[node.producers]\nboot = \"1s\"\n[node.clients]\nclock.drift_ppm = -5\n{}[expect]\n{expect}\n{}",
            loads.concat(),
            faults.concat(),
            arms.concat()
        )
    })
}

/// One way to spoil a text.
#[derive(Clone, Debug)]
enum Spoil {
    DropBytes(prop::sample::Index, usize),
    DropLine(prop::sample::Index),
    DoubleLine(prop::sample::Index),
    Insert(prop::sample::Index, String),
    Swap(prop::sample::Index, prop::sample::Index),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    use prop::sample::Index;
    let scrap = prop_oneof![
        prop::sample::select(vec![
            "\"",
            "'",
            "[",
            "]",
            "{",
            "}",
            "=",
            ".",
            "#",
            "\n",
            ",",
            "0",
            "-",
            "ä",
            "\u{0}",
            "\"\"\"",
            "[[",
            " = ",
            "\\u00e9",
            "1e9",
            "9999999999999999999"
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| text.chars().take(5).collect()),
    ];
    prop_oneof![
        (any::<Index>(), 1usize..12).prop_map(|(at, n)| Spoil::DropBytes(at, n)),
        any::<Index>().prop_map(Spoil::DropLine),
        any::<Index>().prop_map(Spoil::DoubleLine),
        (any::<Index>(), scrap).prop_map(|(at, text)| Spoil::Insert(at, text)),
        (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Spoil::Swap(a, b)),
    ]
}

fn spoilt(text: &str, how: &Spoil) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut lines: Vec<&str> = text.lines().collect();
    match how {
        _ if chars.is_empty() => String::new(),
        Spoil::DropBytes(at, n) => {
            let at = at.index(chars.len());
            chars.iter().enumerate().filter(|(i, _)| !(at..at + n).contains(i)).map(|(_, c)| c).collect()
        }
        Spoil::DropLine(at) => {
            lines.remove(at.index(lines.len()));
            lines.join("\n")
        }
        Spoil::DoubleLine(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
            lines.join("\n")
        }
        Spoil::Insert(at, scrap) => {
            let at = at.index(chars.len());
            chars[..at].iter().chain(scrap.chars().collect::<Vec<_>>().iter()).chain(&chars[at..]).collect()
        }
        Spoil::Swap(a, b) => {
            let (a, b) = (a.index(lines.len()), b.index(lines.len()));
            lines.swap(a, b);
            lines.join("\n")
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_prints_itself_as_the_same_plan(text in file()) {
        let reading = reading(&text, &[]);
        let Some(plan) = reading.plan else { panic!("{}\n{text}", render(&reading.problems, false)) };
        same_again(&plan);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn spoilt_files_give_problems_with_places_and_no_panic(how in prop::collection::vec(spoil(), 1..5), set in "[a-z.=0-9\"%]{0,12}") {
        let text = how.iter().fold(FULL.to_owned(), |text, how| spoilt(&text, how));
        let sets = [set];
        let found = reading(&text, &sets);
        for problem in &found.problems {
            let place = problem.place.as_ref().expect("placed");
            prop_assert!(*place.text == *text || *place.text == *sets[0], "{:?}", place.text);
            prop_assert!(place.start <= place.end && place.end <= place.text.len());
        }
        prop_assert!(!render(&found.problems, false).is_empty() || found.problems.is_empty());
        let twice = reading(&text, &[]);
        if let Some(plan) = &twice.plan {
            same_again(plan);
        }
    }
}
