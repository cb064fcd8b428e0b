//! Operations that are written out, notes of capsules, and plans made from plans: all of it is the same when it is read again.

mod fake;

use std::fs;
use std::path::Path;

use deadletter::base::{Chance, Digest, KeyId, Law, NodeId, ObjectId, PayloadId, Span, Time};
use deadletter::check::Property;
use deadletter::load::{Arrivals, Listed, Load, LoadConfig, LoadPlan, OpKind, Phases, Target};
use deadletter::model::{BUILT_IN, Model};
use deadletter::parts::config::MachineConfig;
use deadletter::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};
use deadletter::parts::network::Outcome;
use deadletter::record::{Op, Phase, What};
use deadletter::run::{How, Passage, Ready, one};
use deadletter::scenario::{ArmPlan, CapsuleNote, CapsuleVerdict, Expectation, MAIN, Of, Plan, Reading, Source, read, render};
use deadletter::world::NamedOverride;

fn files(path: &str) -> Result<Vec<u8>, String> {
    if path == "good.csv" { Ok(b"at,key,bytes\n6s,a,10\n7s,b,20\n".to_vec()) } else { Err("there is no such file".to_owned()) }
}

fn reading(text: &str, models: &[&'static dyn Model]) -> Reading {
    read(&Source { files: &files, ..Source::new("x.toml", text, models) })
}

fn plan_of(text: &str, models: &[&'static dyn Model]) -> Plan {
    let reading = reading(text, models);
    reading.plan.unwrap_or_else(|| panic!("{}\n{text}", render(&reading.problems, false)))
}

/// A scenario that came with deadletter.
fn scenario(name: &str) -> Plan {
    let text = fs::read_to_string(Path::new("scenarios/mailbox").join(name).with_extension("toml")).expect("a scenario");
    plan_of(&text, BUILT_IN)
}

/// Prints a plan and reads it again.
fn same_again(plan: &Plan, models: &[&'static dyn Model]) {
    let printed = plan.print();
    let again = plan_of(&printed, models);
    assert!(again == *plan, "printed:\n{printed}\nagain:\n{}", again.print());
    assert_eq!((again.print(), again.hash()), (printed, plan.hash()));
}

const HEAD: &str = "# Does it hold?\n# Yes.\n[model.post]\nbrokers = 2\nqueue.orders = {}\nservice.pay = {}\n";

fn note() -> CapsuleNote {
    CapsuleNote {
        version: "0.1.0".into(),
        digest: Digest::parse("0123456789abcdef").expect("sixteen digits"),
        verdict: CapsuleVerdict::Holds,
        of: Of::Property(Property::AckedSurvives),
        plan: Some("fedcba9876543210".into()),
        from: "scenarios/post.toml, arm \"x\"".into(),
    }
}

#[test]
fn listed_operations_are_read_in_order_of_time() {
    let text = format!(
        "{HEAD}[[operation]]\npayload = 40\nat = \"9s\"\nclient = \"c1\"\nto = \"orders\"\nkey = 3\nsize = \"2KiB\"\n\
         [[operation]]\npayload = 7\nat = \"9s\"\nclient = \"c0\"\nto = \"pay\"\n\
         [[operation]]\nto = \"orders\"\npayload = 0\nclient = \"c0\"\nat = \"1500us\"\n\
         [[arm]]\nname = \"x\"\nset = {{ \"operation.0.client\" = \"c1\" }}\n\
         [[arm]]\nname = \"y\"\nset = {{ operation = [], load = {{ to = \"orders\", arrivals = {{ law = \"poisson\", rate = \"1/s\" }} }} }}\n"
    );
    let plan = plan_of(&text, &fake::MODELS);
    let one = |at: u64, payload: u32, client: &str| Listed {
        at: Time::from_nanos(at * 1000),
        payload: PayloadId(payload),
        client: client.into(),
        to: "orders".into(),
        op: OpKind::Publish,
        key: KeyId(0),
        bytes: 1024,
    };
    let second = Listed { to: "pay".into(), op: OpKind::Request, ..one(9_000_000, 7, "c0") };
    let last = Listed { key: KeyId(3), bytes: 2048, ..one(9_000_000, 40, "c1") };
    let [main, moved, streams] = plan.arms() else { panic!("three arms") };
    assert_eq!(main.load(), &LoadConfig { streams: vec![], listed: vec![one(1500, 0, "c0"), second, last] });
    assert_eq!(moved.load().listed[2].client, "c1");
    assert_eq!((streams.load().streams.len(), streams.load().listed.len()), (1, 0), "an arm may put the one in the place of the other");
    same_again(&plan, &fake::MODELS);
}

#[test]
fn numbers_that_fall_are_told_where_subscriptions_are_judged_by_them() {
    let text = |payload: u32| {
        format!(
            "# Does it hold?\n# Yes.\n[model.mailbox]\nqueue.orders = {{}}\ntopic.news = {{}}\nsubscription.all = {{ topic = \"news\" }}\n\
             consumer.billing = {{ from = \"orders\" }}\nconsumer.reader = {{ from = \"all\" }}\n\
             [[operation]]\npayload = 5\nat = \"6s\"\nclient = \"producer-1\"\nto = \"orders\"\n\
             [[operation]]\npayload = {payload}\nat = \"7s\"\nclient = \"producer-1\"\nto = \"news\"\n\
             [[operation]]\npayload = 3\nat = \"8s\"\nclient = \"producer-1\"\nto = \"orders\"\n"
        )
    };
    let warnings = |payload: u32| {
        let plan = plan_of(&text(payload), BUILT_IN);
        plan.warnings().iter().filter(|problem| problem.what.contains("numbered in order of time")).count()
    };
    assert_eq!((warnings(6), warnings(4)), (0, 1));
}

#[test]
fn a_capsule_tells_of_its_run_and_is_hashed_without() {
    let capsule = "[capsule]\nformat = 1\nof = \"acked_lost\"\ndigest = \"0123456789abcdef\"\n";
    let run = format!("{HEAD}[[operation]]\npayload = 4\nat = \"9s\"\nclient = \"c1\"\nto = \"orders\"\n[seeds]\nfirst = 9\ncount = 1\n");
    let (with, without) = (plan_of(&format!("{run}{capsule}"), &fake::MODELS), plan_of(&run, &fake::MODELS));
    let found = with.capsule().expect("a capsule");
    assert_eq!((found.of, found.verdict, found.digest), (note().of, CapsuleVerdict::Broken, note().digest));
    assert_eq!((found.version.as_str(), found.from.as_str(), &found.plan), ("", "", &None));
    assert_eq!((with.hash(), with == without, without.capsule()), (without.hash(), false, None));
    assert_ne!(with.hash(), plan_of(&run.replace("9s", "8s"), &fake::MODELS).hash());
    same_again(&with, &fake::MODELS);
    for of in [Of::Invariant, Of::Panic].into_iter().chain(Property::ALL.map(Of::Property)) {
        let whole = Plan::alone(
            "Is it?".into(),
            "Yes.".into(),
            &with.arms()[0],
            3,
            with.arms()[0].expectations().clone(),
            Some(CapsuleNote { of, ..note() }),
        );
        assert_eq!((whole.capsule().map(|note| note.of), Of::find(of.name())), (Some(of), Some(of)));
        same_again(&whole, &fake::MODELS);
    }
}

#[test]
fn a_capsule_that_was_cut_off_is_never_taken_for_a_whole_one() {
    let arm = &scenario("one_way_cut").arms()[0].clone();
    let plan = Plan::alone("Is it?".into(), "Yes.".into(), arm, 3, arm.expectations().clone(), Some(note()));
    let whole = plan.print();
    let ends = whole.char_indices().map(|(at, _)| at).filter(|at| *at % 7 == 0 || whole.len() - at < 60);
    for end in ends.filter(|end| *end < whole.trim_end().len()) {
        let cut = reading(&whole[..end], BUILT_IN);
        assert!(cut.plan.as_ref().is_none_or(|plan| plan.capsule().is_none()), "{}", &whole[..end]);
        assert!(cut.plan.is_some() || !cut.problems.is_empty());
    }
}

/// Scenarios with streams and datagrams, faults and none, of one stream of operations and of several.
const SCENARIOS: [&str; 8] =
    ["corruption", "power_off", "one_way_cut", "three_guarantees", "queue_or_topic", "poison", "flash_sale", "duplicated_datagrams"];

/// An arm alone, as a capsule has it: nothing is expected of faults that may be gone.
fn alone(arm: &ArmPlan, seed: u64) -> Plan {
    let mut expectations = arm.expectations().clone();
    expectations.claims.retain(|claim| !matches!(claim, Expectation::Fault { .. }));
    Plan::alone("Does it\nhold?".into(), " Yes.\n".into(), arm, seed, expectations, Some(note()))
}

#[test]
fn plans_made_from_plans_are_the_same_when_they_are_read_again() {
    let broker = || Selector::Named("broker".into());
    let at = |arm: &ArmPlan, millis: u64| arm.phases().start(Phase::Chaos) + Span::millis(millis);
    for name in SCENARIOS {
        for arm in scenario(name).arms() {
            let calm = arm.with_faults(Vec::new());
            let fault = |name: &str, ill: Ill, when: When, lasts: Option<Law>| Fault { name: name.into(), ill, when, lasts };
            let cut = Cut { shape: CutShape::Pairs(vec![(broker(), Selector::All)]), others: Others::Untouched };
            let faults = vec![
                fault("one", Ill::Kill(broker()), When::Behind { at: at(arm, 17), events: 3 }, Some(Law::Constant(Span::millis(300)))),
                fault("two", Ill::Cut(cut), When::At(vec![at(arm, 1), at(arm, 900)]), None),
            ];
            let producer = arm.model().roster().nodes.iter().find(|node| node.takes_load).expect("a client").name.clone();
            let named = |kind: &str, subject: u64, outcome| NamedOverride {
                from: producer.clone(),
                to: "broker".into(),
                kind: kind.into(),
                subject,
                attempt: 2,
                resend: 1,
                outcome,
            };
            let overrides = vec![
                named("publish", 1 << 40, Outcome { damage: Some(true), delay: Some(Span::micros(1500)), ..Outcome::default() }),
                named("connect", 0, Outcome { drop: Some(false), damage: Some(false), ..Outcome::default() }),
                named("publish", 4, Outcome { drop: Some(true), ..Outcome::default() }),
            ];
            let mut network = arm.surroundings().network.clone();
            (network.within.loss, network.within.jitter, network.within.corrupt) =
                (Chance::ratio(1, 3), Some(Law::Constant(Span::micros(3))), None);
            let machines = vec![("broker".to_owned(), MachineConfig { boot: Span::secs(1), ..MachineConfig::default() })];
            let mut load = arm.load().clone();
            load.streams[0].limit = Some(7);
            let phases = Phases { warm: Span::ZERO, drain: arm.phases().drain + Span::secs(1), ..*arm.phases() };
            let variants = [
                arm.clone(),
                arm.with_faults(faults),
                calm.with_overrides(overrides),
                arm.with_network(network),
                arm.with_machines(machines),
                arm.with_machines(Vec::new()),
                arm.with_load(load),
                calm.with_load(LoadConfig { streams: vec![], listed: listed(arm, 3).into_iter().step_by(5).collect() }),
                calm.with_phases(phases),
            ];
            for (seed, variant) in (5..).zip(&variants) {
                let plan = alone(variant, seed);
                assert_eq!((plan.question(), plan.answer(), plan.seeds().first, plan.seeds().count), ("Does it hold?", "Yes.", seed, 1));
                assert_eq!((plan.arms().len(), plan.arms()[0].name(), plan.arms()[0].differs().len()), (1, MAIN, 0));
                same_again(&plan, BUILT_IN);
            }
            let prints: std::collections::BTreeSet<String> = variants.iter().map(|variant| alone(variant, 1).print()).collect();
            assert!(prints.len() >= variants.len() - 1, "{name}: each change shows, but that the machines may be ordinary already");
        }
    }
}

/// What an open load asks for under a seed, written out.
fn listed(arm: &ArmPlan, seed: u64) -> Vec<Listed> {
    let roster = arm.model().roster();
    let clients: Vec<NodeId> = (0..roster.nodes.len()).filter(|n| roster.nodes[*n].takes_load).map(NodeId::at).collect();
    let object = |name: &str| ObjectId::at(roster.objects.iter().position(|object| object.name == name).expect("an object"));
    let targets = arm.load().streams.iter().map(|stream| Target { object: object(&stream.to), clients: clients.clone() }).collect();
    let mut load = Load::new(&LoadPlan::new(arm.load(), targets, arm.phases()).expect("a checked load"), seed);
    let written = std::iter::from_fn(|| {
        let next = load.next()?;
        let (op, to, key, payload, bytes) = match next.command.what {
            Op::Publish { to, key, payload, bytes } => (OpKind::Publish, to, key, payload, bytes),
            Op::Request { to, key, payload, bytes } => (OpKind::Request, to, key, payload, bytes),
        };
        let (client, to) = (roster.nodes[next.node.index()].name.clone(), roster.objects[to.index()].name.clone());
        Some(Listed { at: next.at, payload, client, to, op, key, bytes })
    });
    written.collect()
}

#[test]
fn operations_written_out_make_the_same_run_and_keep_their_names_when_others_go() {
    for name in SCENARIOS {
        let plan = scenario(name);
        let arm = &plan.arms()[0];
        if arm.load().streams.iter().any(|stream| matches!(stream.arrivals, Arrivals::Closed { .. })) {
            continue;
        }
        let all = listed(arm, 3);
        let written = arm.with_load(LoadConfig { streams: vec![], listed: all.clone() });
        let digest = |arm: &ArmPlan| one(&Ready::new(arm), 3).expect("a run").outcome.digest;
        assert_eq!(digest(arm), digest(&written), "{name}");
        // Every seventh alone, read from a capsule: the same commands at the same moments.
        let few: Vec<Listed> = all.into_iter().step_by(7).collect();
        let capsule = plan_of(&alone(&written.with_load(LoadConfig { streams: vec![], listed: few.clone() }), 3).print(), BUILT_IN);
        let mut asked = Vec::new();
        let ready = Ready::new(&capsule.arms()[0]);
        Passage::start(&ready, 3, How::default()).run(|entry| match entry.what {
            What::Call { what, .. } | What::Skipped { what, .. } => asked.push(what.payload()),
            What::End { .. } | What::Note(_) | What::Phase(_) | What::Fault { .. } => {}
        });
        asked.sort_unstable();
        assert_eq!(asked, few.iter().map(|one| one.payload).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn a_plan_takes_another_text_under_its_model() {
    for name in SCENARIOS {
        for arm in scenario(name).arms() {
            assert!(arm.with_model_table(&arm.model_text(), BUILT_IN).expect("the same") == *arm, "{name}");
        }
    }
    let plan = scenario("power_off");
    let [main, other, _] = plan.arms() else { panic!("three arms") };
    let changed = main.with_model_table(&other.model_text(), BUILT_IN).expect("another way to sync");
    assert_eq!((changed.name(), changed.expectations(), changed.model_text()), (MAIN, main.expectations(), other.model_text()));
    assert_eq!(changed.surroundings().faults, main.surroundings().faults);
    let messages = |arm: &ArmPlan, text: &str| {
        let problems = arm.with_model_table(text, BUILT_IN).expect_err("something is gone");
        problems.into_iter().map(|problem| problem.what).collect::<Vec<_>>().join("; ")
    };
    assert!(messages(main, "queue.orders = {}\nproducre = {}\n").contains("unknown key `producre`"));
    let cut = &scenario("one_way_cut").arms()[0].clone();
    let gone = messages(cut, &cut.model_text().replace("billing", "invoices"));
    assert!(gone.contains("there is no node, group or role `billing-1`"), "{gone}");
    let gone = messages(cut, &cut.model_text().replace("orders", "parcels"));
    assert!(gone.contains("there is no queue, topic or service `orders`"), "{gone}");
}

#[test]
fn recorded_loads_keep_their_files() {
    let trace = "arrivals = { law = \"trace\", file = \"good.csv\" }\nkeys = { law = \"trace\" }\n";
    let poisson = "arrivals = { law = \"poisson\", rate = \"1/s\" }\n";
    let text = format!("{HEAD}[[load]]\nto = \"pay\"\n{poisson}[[load]]\nto = \"orders\"\n{trace}");
    let plan = plan_of(&text, &fake::MODELS);
    let arm = &plan.arms()[0];
    assert!(arm.with_model_table(&arm.model_text(), &fake::MODELS).expect("the same") == *arm);
    let mut load = arm.load().clone();
    load.streams.remove(0);
    load.streams[0].limit = Some(1);
    let alone = Plan::alone("Is it?".into(), "Yes.".into(), &arm.with_load(load), 1, arm.expectations().clone(), None);
    assert!(alone.print().contains("good.csv"), "{}", alone.print());
    same_again(&alone, &fake::MODELS);
}
