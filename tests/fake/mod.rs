//! A small model for tests of everything above models: keys of every sort, nodes, objects, roles and marks, and no world.

use deadletter::base::Problem;
use deadletter::base::value::{KeyKind, KeySpec, Reader, Table, key_text};
use deadletter::check::{Promises, Property};
use deadletter::model::{Checked, Model, ScopeRow, Standing};
use deadletter::record::{Mark, Object, ObjectKind};
use deadletter::world::{Roster, RosterNode, Sim, Surroundings};

/// The model.
pub(crate) struct Post;

/// The registry with the model in it.
pub(crate) static MODELS: [&dyn Model; 1] = [&Post];

const QUEUE: &[KeySpec] = &[
    KeySpec::new("bound", KeyKind::Count { min: 1, max: 1_000_000 }, "how many messages it holds").or("1000"),
    KeySpec::new("visibility.timeout", KeyKind::Span, "how long a message is hidden").or("30s"),
    KeySpec::new("retention.ms", KeyKind::SpanIn { unit: "ms", minus_one: "for ever" }, "how long a message is kept").or("-1"),
];
const KEYS: &[KeySpec] = &[
    KeySpec::new("brokers", KeyKind::Count { min: 1, max: 100 }, "how many brokers").or("1"),
    KeySpec::new("clients", KeyKind::Count { min: 0, max: 1000 }, "how many clients").or("2"),
    KeySpec::new("broker.id.generation", KeyKind::Flag, "brokers number themselves").or("true"),
    KeySpec::new("sync", KeyKind::Choice(&[("always", "each message"), ("never", "no message")]), "when the log is synced").or("always"),
    KeySpec::new("queue", KeyKind::Map(&KeyKind::Table(QUEUE)), "the queues"),
    KeySpec::new("service", KeyKind::Map(&KeyKind::Table(&[])), "the services"),
    KeySpec::not_modelled("ssl.enabled", "nothing is encrypted here"),
];

impl Model for Post {
    fn name(&self) -> &'static str {
        "post"
    }
    fn about(&self) -> &'static str {
        "a model for tests"
    }
    fn keys(&self) -> &'static [KeySpec] {
        KEYS
    }
    fn scope(&self) -> &'static [ScopeRow] {
        &[ScopeRow { rule: "delivery", standing: Standing::Absent, note: "there is no world" }]
    }
    fn marks(&self) -> &'static [(Mark, &'static str)] {
        &[("post.redelivered", "a message came again"), ("post.leader_changed", "another broker leads")]
    }
    fn roles(&self) -> &'static [&'static str] {
        &["leader"]
    }
    fn kinds(&self) -> &'static [&'static str] {
        &["publish", "ack"]
    }
    fn check(&self, table: &Table, problems: &mut Vec<Problem>) -> Option<Box<dyn Checked>> {
        let keys = Reader::new(table, KEYS, "model.post", problems);
        let queues = keys.named_tables("queue");
        let mut printed = format!(
            "brokers = {}\nclients = {}\nbroker.id.generation = {}\nsync = \"{}\"\n",
            keys.count("brokers")?,
            keys.count("clients")?,
            keys.flag("broker.id.generation")?,
            keys.choice("sync")?
        );
        for (name, queue) in &queues {
            let retention = queue.span("retention.ms")?.as_nanos() / 1_000_000;
            let retention = if retention == u64::MAX / 1_000_000 { "-1".to_owned() } else { retention.to_string() };
            printed += &format!(
                "queue.{} = {{ bound = {}, visibility.timeout = \"{}\", retention.ms = {retention} }}\n",
                key_text(&name.name),
                queue.count("bound")?,
                queue.span("visibility.timeout")?
            );
            if queue.span("visibility.timeout")?.is_zero() {
                problems.push(Problem::warning(queue.place_of("visibility.timeout"), "every message is delivered again at once"));
            }
        }
        for (name, _) in keys.named_tables("service") {
            printed += &format!("service.{} = {{}}\n", key_text(&name.name));
        }
        let object = |name: &str, kind| Object { name: name.to_owned(), kind };
        let mut objects: Vec<Object> = queues.iter().map(|(name, _)| object(&name.name, ObjectKind::Queue)).collect();
        objects.extend(keys.named_tables("service").iter().map(|(name, _)| object(&name.name, ObjectKind::Service)));
        objects.push(object("dead", ObjectKind::DeadLetters));
        let node = |name: String, groups: &[&'static str], takes_load| RosterNode { name, groups: groups.to_vec(), takes_load };
        let mut nodes: Vec<RosterNode> = (1..=keys.count("brokers")?).map(|n| node(format!("b{n}"), &["brokers"], false)).collect();
        nodes.extend((0..keys.count("clients")?).map(|n| node(format!("c{n}"), &["clients", "producers"], true)));
        nodes.push(node("k0".into(), &["clients", "consumers"], false));
        Some(Box::new(Office { printed, roster: Roster { nodes, objects } }))
    }
}

struct Office {
    printed: String,
    roster: Roster,
}

impl Checked for Office {
    fn model(&self) -> &'static dyn Model {
        &Post
    }
    fn roster(&self) -> Roster {
        self.roster.clone()
    }
    fn promises(&self) -> Promises {
        let mut promises = Promises::default();
        promises.promise(Property::AckedSurvives, "tests want it");
        promises
    }
    fn print(&self) -> String {
        self.printed.clone()
    }
    fn start(&self, _: &Surroundings, _: u64) -> Result<Box<dyn Sim>, Vec<String>> {
        Err(vec!["a model for tests has no world".into()])
    }
}
