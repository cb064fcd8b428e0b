//! Tables of values: what is read, and what is said of what cannot be.

//! Keys that are found in every spelling, values read and refused, laws and texts printed and read again.

use proptest::prelude::*;

use super::*;
use crate::base::{Chance, Law, Span};

const NESTED: &[KeySpec] = &[
    KeySpec::new("partitions", KeyKind::Count { min: 1, max: 100 }, "how many").or("1"),
    KeySpec::new("min.insync.replicas", KeyKind::Count { min: 1, max: 9 }, "how many").or("1"),
];
const KEYS: &[KeySpec] = &[
    KeySpec::new("broker.id", KeyKind::Count { min: 0, max: 9 }, "number"),
    KeySpec::new("broker.id.generation.enable", KeyKind::Flag, "numbers itself").or("false"),
    KeySpec::new("topic", KeyKind::Map(&KeyKind::Table(NESTED)), "topics"),
    KeySpec::new("retention.ms", KeyKind::SpanIn { unit: "ms", minus_one: "for ever" }, "age").or("604800000"),
    KeySpec::new("acks", KeyKind::Choice(&[("0", "none"), ("1", "leader"), ("all", "all in sync")]), "acknowledgement").or("all"),
    KeySpec::new("delay", KeyKind::Law, "delay").or("1ms"),
    KeySpec::new("rate", KeyKind::Rate, "rate").or("500/s"),
    KeySpec::new("size", KeyKind::Bytes, "size").or("1KiB"),
    KeySpec::new("loss", KeyKind::Chance, "loss").or("0%"),
    KeySpec::new("sync", KeyKind::AnyOf(&[KeyKind::Count { min: 1, max: 9 }, KeyKind::Span]), "every so many, or so often").or("5ms"),
    KeySpec::new("skew", KeyKind::SignedSpan, "skew").or("-3ms"),
    KeySpec::new("speed", KeyKind::ByteRate, "speed").or("1Gbit/s"),
    KeySpec::new("defaults", KeyKind::Table(NESTED), "defaults").or("{}"),
    KeySpec::not_modelled("ssl.enabled", "deadletter does not encrypt"),
];

fn read(text: &str) -> (Table, Vec<Problem>) {
    let (table, mut problems) = Table::parse("t.toml", text);
    let _ = Reader::new(&table, KEYS, "it", &mut problems);
    (table, problems)
}

fn messages(text: &str) -> Vec<String> {
    listed(&read(text).1)
}

fn listed(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(|p| format!("{:?}: {} | {}", p.place.as_ref().expect("placed"), p.what, p.hint.as_deref().unwrap_or("-"))).collect()
}

#[test]
fn the_declarations_are_in_order() {
    prove(KEYS);
}

#[test]
fn dotted_keys_are_found_bare_quoted_and_in_parts() {
    let texts = [
        "\"broker.id\" = 1\n\"broker.id.generation.enable\" = true\n",
        "\"broker.id\" = 1\nbroker.id.generation.enable = true\n",
        "broker.\"id\" = 1\n\"broker.id\".generation.enable = true\n",
    ];
    for text in texts {
        let (table, problems) = read(text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        let reader = Reader::checked(&table, KEYS, "it");
        assert_eq!((reader.count("broker.id"), reader.flag("broker.id.generation.enable")), (Some(1), Some(true)), "{text}");
    }
    let clash = messages("broker.id = 1\nbroker.id.generation.enable = true\n");
    assert_eq!(
        clash,
        [
            "t.toml:2:8: the key before `id` has a value of its own | where one key of the real system begins with another, quote both: `\"broker.id\" = 1`"
        ]
    );
    assert_eq!(
        messages("broker.id = 1\n\"broker.id\" = 2\n"),
        ["t.toml:2:1: `broker.id` is given twice | once as one quoted key, once in parts"]
    );
}

#[test]
fn defaults_and_values_are_read() {
    let (table, problems) =
        read("retention.ms = -1\nacks = 1\ntopic.\"my.orders\" = { min.insync.replicas = 2 }\nsync = 3\nrate = \"1.5/s\"\n");
    assert!(problems.is_empty(), "{problems:?}");
    let reader = Reader::checked(&table, KEYS, "it");
    assert_eq!(reader.span("retention.ms"), Some(Span::MAX));
    assert_eq!(reader.choice("acks"), Some("1"));
    assert_eq!((reader.count("sync"), reader.span("sync")), (Some(3), None));
    let topics = reader.named_tables("topic");
    assert_eq!(
        (topics[0].0.name.as_str(), topics[0].1.count("min.insync.replicas"), topics[0].1.count("partitions")),
        ("my.orders", Some(2), Some(1))
    );
    assert_eq!(reader.rate("rate"), Some(EventRate { events: 3, per: Span::secs(2) }));
    let (table, _) = read("");
    let reader = Reader::checked(&table, KEYS, "it");
    assert_eq!(reader.span("retention.ms"), Some(Span::secs(604_800)));
    assert_eq!(reader.choice("acks"), Some("all"));
    assert_eq!(reader.law("delay"), Some(Law::Constant(Span::millis(1))));
    assert_eq!(reader.bytes("size"), Some(1024));
    assert_eq!(reader.chance("loss"), Some(Chance::NEVER));
    assert_eq!(reader.signed_span("skew"), Some(-3_000_000));
    assert_eq!(reader.byte_rate("speed"), Some(125_000_000));
    assert_eq!(reader.table("defaults").and_then(|t| t.count("partitions")), Some(1));
    assert_eq!((reader.span("sync"), reader.count("broker.id")), (Some(Span::millis(5)), None));
}

#[test]
fn every_problem_is_reported_at_once_with_its_place() {
    let all = messages(
        "delay = 15\nloss = 1.2\nacks = \"al\"\nsize = \"64mb\"\nrate = 500\nssl.enabled = true\ntopic.orders = { partitons = 6 }\n\
         topic.my.orders = { partitions = 6 }\ndefualts.partitions = 3\nsync = \"x\"\nspeed = \"1GB\"\nretention.ms = -2\nskew = 3",
    );
    let expected = [
        "t.toml:6:5: `ssl.enabled` is a key of the real system that is not modelled | deadletter does not encrypt",
        "t.toml:9:1: unknown key `defualts.partitions` in `it` | known here",
    ];
    for line in expected {
        assert!(all.iter().any(|m| m.starts_with(line)), "{line}\nnot in {all:#?}");
    }
    assert_eq!(all.len(), 13, "{all:#?}");
}

#[test]
fn syntax_errors_come_one_a_line() {
    let syntax = |text: &str| {
        let (_, problems) = Table::parse("t.toml", text);
        listed(&problems)
    };
    assert_eq!(
        syntax("delay = \nacks = \"al\nrate = 'x\nsize = [1,\nloss = 3\n"),
        [
            "t.toml:1:9: a value is missing | write it after the `=`; texts stand in quotes",
            "t.toml:2:11: this text does not end | close it with `\"` on the same line",
            "t.toml:3:10: this text does not end | close it with `'` on the same line",
            "t.toml:5:1: `loss` is not a value | texts stand in quotes: `\"loss\"`",
        ]
    );
}

fn span() -> impl Strategy<Value = Span> {
    prop_oneof![(1u64..5_000).prop_map(Span::millis), (1u64..1_000_000_000_000).prop_map(Span::nanos)]
}

fn plain_law() -> impl Strategy<Value = Law> {
    let shape = 1u32..5_000;
    prop_oneof![
        span().prop_map(Law::Constant),
        (span(), span()).prop_map(|(a, b)| Law::Uniform { low: a.min(b), high: a.max(b) }),
        (span(), span()).prop_map(|(floor, more)| Law::Exponential { floor, mean: floor + more }),
        span().prop_map(|mean| Law::Normal { mean, deviation: mean.scaled(1, 4) }),
        (span(), span()).prop_map(|(median, more)| Law::LogNormal { median, p99: median + more }),
        (span(), shape.clone()).prop_map(|(scale, shape_thousandths)| Law::Pareto { scale, shape_thousandths }),
        (span(), shape).prop_map(|(scale, shape_thousandths)| Law::Weibull { scale, shape_thousandths }),
        (span(), span(), 1u32..1_000_000).prop_map(|(a, b, at)| Law::Empirical(vec![
            (0, Span::ZERO),
            (at, a.min(b)),
            (1_000_000, a.max(b))
        ])),
    ]
}

fn law() -> impl Strategy<Value = Law> {
    let bimodal = (plain_law(), plain_law(), 0u64..=1000).prop_map(|(usual, rare, n)| Law::Bimodal {
        usual: Box::new(usual),
        rare: Box::new(rare),
        rare_chance: Chance::ratio(n, 1000),
    });
    prop_oneof![4 => plain_law(), 1 => bimodal]
}

#[test]
fn every_law_can_be_written_and_no_other() {
    assert_eq!(LAWS.iter().map(|variant| variant.name).collect::<Vec<_>>(), Law::NAMES);
    for text in [
        "{ law = \"bimodal\", usual = \"1ms\", rare = { law = \"bimodal\", usual = \"1ms\", rare = \"2ms\", rare_chance = 0.1 }, rare_chance = 0.1 }",
        "{ law = \"uniform\", low = \"2ms\", high = \"1ms\" }",
        "{ law = \"table\", quantiles = [[\"50%\", \"1ms\"]] }",
        "{ law = \"table\", quantiles = [[\"0%\"]] }",
        "{ law = \"pareto\", scale = \"1ms\", shape = 0 }",
        "{ law = \"gauss\" }",
        "{ low = \"1ms\" }",
        "[]",
    ] {
        assert_eq!(messages(&format!("delay = {text}")).len(), 1, "{text}");
    }
}

proptest! {
    #[test]
    fn printed_laws_read_the_same(law in law()) {
        prop_assume!(law.check().is_ok());
        let (table, problems) = read(&format!("delay = {}", law_text(&law)));
        prop_assert!(problems.is_empty(), "{:?}", problems);
        prop_assert_eq!(Reader::checked(&table, KEYS, "it").law("delay"), Some(law));
    }

    #[test]
    fn printed_values_read_the_same(bytes in any::<u64>(), events in 0u64..1_000_000, nanos in 1u64..10_000_000_000, text in any::<String>()) {
        let value = |text: String| Value { place: Table::parse("x", "").0.place, kind: ValueKind::Text(text) };
        prop_assert_eq!(super::read::bytes(&value(bytes_text(bytes))).unwrap(), bytes);
        let rate = super::read::rate(&value(format!("{events}/{nanos}ns"))).unwrap();
        prop_assert_eq!(super::read::rate(&value(rate_text(rate))).unwrap(), rate);
        let (table, problems) = Table::parse("x", &format!("{} = {}", quoted(&text), quoted(&text)));
        prop_assert!(problems.is_empty(), "{:?}", problems);
        prop_assert_eq!(&table.entries[0].0.name, &text);
        prop_assert_eq!(table.entries[0].1.as_text(), Some(text.as_str()));
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-z.=\\[\\]{}\"' 0-9\n,#-]{0,60}") {
        let (table, mut problems) = Table::parse("x", &text);
        let _ = Reader::new(&table, KEYS, "it", &mut problems);
        for problem in &problems {
            let place = problem.place.as_ref().expect("placed");
            prop_assert!(place.start <= place.end && place.end <= text.len());
        }
    }
}
