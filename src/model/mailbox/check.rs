//! Reading the table `[model.mailbox]`: what is asked for, what contradicts itself, and what would be weakened without a word.

use crate::base::value::{Key, Reader, Table, did_you_mean};
use crate::base::{ObjectId, Problem, Severity, Span};

use super::config::{
    Acknowledge, BrokerConfig, Config, ConsumerConfig, DEAD_LETTERS, Fetch, OnPoison, Places, ProducerConfig, Purpose, QueueConfig,
    SyncPolicy, TopicConfig, Transport, Visits, Window,
};
use super::keys::KEYS;
use super::mutants::{Mutant, Mutants};
use super::protocol::QueueId;
use super::store::{Limits, Overflow};

/// Problems found so far.
type Found = Vec<Problem>;

fn is_error(problem: &Problem) -> bool {
    problem.severity == Severity::Error
}

/// The configuration in a table; `None` when there are errors. All problems are added.
pub fn config(table: &Table, problems: &mut Vec<Problem>) -> Option<Config> {
    let mut found = Found::new();
    let reader = Reader::new(table, KEYS, "model.mailbox", &mut found);
    if found.iter().any(is_error) {
        problems.append(&mut found);
        return None;
    }
    let config = read(&reader, &mut found);
    let wrong = found.iter().any(is_error);
    problems.append(&mut found);
    config.filter(|_| !wrong)
}

/// The configuration in a table that was opened with [`KEYS`]; an error among the problems: there is none. For a composite,
/// which has this table inside its own.
pub fn read(reader: &Reader<'_>, problems: &mut Vec<Problem>) -> Option<Config> {
    let transport = if reader.choice("transport")? == "stream" { Transport::Stream } else { Transport::Datagram };
    let heartbeat = reader.span("heartbeat")?;
    if heartbeat.is_zero() {
        problems.push(Problem::error(reader.place_of("heartbeat"), "`heartbeat` is longer than zero"));
    }
    let producer = producer(&reader.table("producer")?, problems)?;
    let broker = broker(&reader.table("broker")?, &producer, problems)?;
    let (queues, topics) = destinations(reader, problems)?;
    let consumers = consumers(reader, (&queues, &topics), problems)?;
    let mut config = Config {
        transport,
        checksum: reader.flag("checksum")?,
        heartbeat,
        broker,
        queues,
        topics,
        producer,
        consumers,
        places: Places::default(),
        mutants: mutants(reader, problems),
    };
    config.place_in_order();
    super::contradictions::find(&config, reader, problems);
    Some(config)
}

fn mutants(reader: &Reader<'_>, problems: &mut Found) -> Mutants {
    let Some(name) = reader.text("mutant") else { return Mutants::none() };
    let place = reader.place_of("mutant");
    let Some(mutant) = Mutant::find(&name) else {
        let known: Vec<&str> = Mutant::ALL.iter().map(|(_, name, _)| *name).collect();
        let problem = Problem::error(place, format!("`{name}` is no mutant of mailbox"));
        problems.push(match did_you_mean(&name, &known) {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
        return Mutants::none();
    };
    Mutants::with(mutant).unwrap_or_else(|| {
        let problem = Problem::error(place, "this build has no mutants: brokers that are broken on purpose are left out of it");
        problems.push(problem.hint("build with `--features mutants`, or remove `mutant`"));
        Mutants::none()
    })
}

/// Reports keys that mean nothing beside another.
fn idle(reader: &Reader<'_>, keys: &[&str], (belongs, hint): (&str, &str), problems: &mut Found) {
    for key in keys.iter().filter(|key| reader.has(key)) {
        problems.push(Problem::error(reader.place_of(key), format!("`{key}` belongs to {belongs}")).hint(hint));
    }
}

fn producer(reader: &Reader<'_>, problems: &mut Found) -> Option<ProducerConfig> {
    let confirm = reader.choice("confirm")? == "wait";
    if !confirm {
        idle(
            reader,
            &["timeout", "retries", "backoff", "backoff_max"],
            ("`confirm = \"wait\"`", "a producer that does not wait for an answer never knows that it should try again"),
            problems,
        );
    }
    let idempotence = reader.flag("idempotence")?;
    if idempotence && !confirm {
        let problem = Problem::error(reader.place_of("idempotence"), "`idempotence` needs `confirm = \"wait\"`");
        problems.push(problem.hint("without an answer nothing is ever repeated; remove one of the two"));
    }
    let backoff = reader.span("backoff").unwrap_or(Span::millis(100));
    let config = ProducerConfig {
        count: u32::try_from(reader.count("count")?).ok()?,
        confirm,
        timeout: reader.span("timeout").unwrap_or(Span::secs(1)),
        attempts: u32::try_from(reader.count("retries").unwrap_or(0)).ok()? + 1,
        backoff,
        backoff_max: reader.span("backoff_max").unwrap_or(Span::secs(5).max(backoff)),
        idempotence,
        ordered: reader.flag("ordered")?,
        poison: reader.chance("poison")?,
    };
    if config.timeout.is_zero() {
        problems.push(Problem::error(reader.place_of("timeout"), "`timeout` is longer than zero"));
    }
    if config.backoff_max < config.backoff {
        let what = format!("`backoff_max` ({}) is below `backoff` ({})", config.backoff_max, config.backoff);
        problems.push(Problem::error(reader.place_of("backoff_max"), what));
    }
    Some(config)
}

fn sync(reader: &Reader<'_>, durable: bool, problems: &mut Found) -> SyncPolicy {
    let word = reader.choice("sync");
    if let (false, Some(word)) = (durable, word) {
        let what = format!("`sync = \"{word}\"` has no effect: with `storage = \"memory\"` nothing is written");
        problems.push(Problem::warning(reader.place_of("sync"), what).hint("write `storage = \"durable\"`, or remove `sync`"));
    }
    if word != Some("every_n") {
        idle(reader, &["sync_n"], ("`sync = \"every_n\"`", "write that, or remove it"), problems);
    }
    if word != Some("interval") {
        idle(reader, &["sync_interval"], ("`sync = \"interval\"`", "write that, or remove it"), problems);
    }
    match word {
        None | Some("every_message") => SyncPolicy::EveryMessage,
        Some("every_n") => {
            let count = reader.count("sync_n").and_then(|count| u32::try_from(count).ok());
            if count.is_none() {
                problems.push(
                    Problem::error(reader.place_of("sync"), "`sync = \"every_n\"` needs `sync_n`").hint("for example `sync_n = 100`"),
                );
            }
            SyncPolicy::EveryN(count.unwrap_or(1))
        }
        Some("interval") => {
            let span = reader.span("sync_interval").filter(|span| !span.is_zero());
            if span.is_none() {
                let problem = Problem::error(reader.place_of("sync"), "`sync = \"interval\"` needs `sync_interval`, longer than zero");
                problems.push(problem.hint("for example `sync_interval = \"500ms\"`"));
            }
            SyncPolicy::Interval(span.unwrap_or(Span::secs(1)))
        }
        Some(_) => SyncPolicy::Never,
    }
}

fn broker(reader: &Reader<'_>, producer: &ProducerConfig, problems: &mut Found) -> Option<BrokerConfig> {
    let durable = reader.choice("storage")? == "durable";
    let sync = sync(reader, durable, problems);
    let window_keys = ["dedup_window", "dedup_count", "dedup_table"];
    if !producer.idempotence {
        idle(reader, &window_keys, ("`producer.idempotence = true`", "without keys there is nothing to remember"), problems);
    }
    let count = reader.count("dedup_count").and_then(|count| u32::try_from(count).ok());
    let span = reader.span("dedup_window").or(count.is_none().then_some(Span::secs(600)));
    if span.is_some_and(|span| span < Span::millis(1)) {
        problems.push(Problem::error(reader.place_of("dedup_window"), "`dedup_window` is at least 1ms"));
    }
    let window_durable = reader.choice("dedup_table").map_or(durable, |word| word == "durable");
    if window_durable && !durable {
        let problem = Problem::error(reader.place_of("dedup_table"), "`dedup_table = \"durable\"` contradicts `storage = \"memory\"`");
        problems.push(problem.hint("a restarted broker would confirm repetitions of messages that it has lost"));
    }
    Some(BrokerConfig { durable, sync, window: producer.idempotence.then_some(Window { span, count }), window_durable })
}

fn limits(reader: &Reader<'_>, problems: &mut Found) -> Option<Limits> {
    let max_length = reader.count("max_length").and_then(|count| u32::try_from(count).ok());
    if max_length.is_none() {
        idle(reader, &["overflow"], ("a queue with `max_length`", "a queue without bounds is never full"), problems);
    }
    let overflow = match reader.choice("overflow") {
        None | Some("reject") => Overflow::Reject,
        Some("drop_newest") => Overflow::DropNewest,
        Some(_) => Overflow::DropHead,
    };
    let max_deliveries = reader.count("max_deliveries").and_then(|count| u32::try_from(count).ok());
    for key in ["ttl", "visibility_timeout"] {
        if reader.span(key).is_some_and(Span::is_zero) {
            problems.push(Problem::error(reader.place_of(key), format!("`{key}` is longer than zero")));
        }
    }
    Some(Limits { max_length, overflow, ttl: reader.span("ttl"), max_deliveries })
}

/// Reports a name that something else has already.
fn taken(key: &Key, names: &mut Vec<String>, problems: &mut Found) {
    if key.name == DEAD_LETTERS {
        let problem = Problem::error(key.place.clone(), format!("`{DEAD_LETTERS}` is the queue of what could not be processed"));
        problems.push(problem.hint("choose another name"));
    } else if names.contains(&key.name) {
        problems.push(Problem::error(key.place.clone(), format!("`{}` names two things", key.name)).hint("choose another name"));
    }
    names.push(key.name.clone());
}

fn destinations(reader: &Reader<'_>, problems: &mut Found) -> Option<(Vec<QueueConfig>, Vec<TopicConfig>)> {
    let (mut queues, mut topics, mut names) = (Vec::new(), Vec::<TopicConfig>::new(), Vec::new());
    let point_to_point = reader.named_tables("queue");
    for (key, table) in &point_to_point {
        taken(key, &mut names, problems);
        queues.push(queue(key, table, (Purpose::PointToPoint, queues.len()), problems)?);
    }
    for (at, (key, _)) in reader.named_tables("topic").into_iter().enumerate() {
        taken(key, &mut names, problems);
        topics.push(TopicConfig { name: key.name.clone(), object: ObjectId::at(point_to_point.len() + at), subscriptions: Vec::new() });
    }
    if names.is_empty() {
        let problem = Problem::error(reader.place().clone(), "there is neither a queue nor a topic");
        problems.push(problem.hint("write `queue.orders = {}` or `topic.prices = {}`"));
    }
    for (key, table) in reader.named_tables("subscription") {
        taken(key, &mut names, problems);
        let written = table.text("topic")?;
        let Some(topic) = topics.iter().position(|topic| topic.name == written) else {
            let known: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
            problems.push(unknown(&table, "topic", ("topic", &written), &known));
            continue;
        };
        let purpose = Purpose::Subscription { topic: u16::try_from(topic).ok()?, durable: table.flag("durable")? };
        topics[topic].subscriptions.push(QueueId::at(queues.len()));
        let object = queues.len() + topics.len();
        queues.push(queue(key, &table, (purpose, object), problems)?);
    }
    if queues.iter().any(|queue: &QueueConfig| queue.limits.max_deliveries.is_some()) {
        let object = ObjectId::at(queues.len() + topics.len());
        let (name, purpose, limits) = (DEAD_LETTERS.to_owned(), Purpose::DeadLetters, Limits::NONE);
        queues.push(QueueConfig { name, object, purpose, limits, visibility_timeout: None });
    }
    if queues.len() + topics.len() > 60_000 {
        problems.push(Problem::error(reader.place().clone(), "there are more than 60000 queues, topics and subscriptions"));
        return None;
    }
    Some((queues, topics))
}

fn queue(key: &Key, reader: &Reader<'_>, (purpose, object): (Purpose, usize), problems: &mut Found) -> Option<QueueConfig> {
    Some(QueueConfig {
        name: key.name.clone(),
        object: ObjectId::at(object),
        purpose,
        limits: limits(reader, problems)?,
        visibility_timeout: reader.span("visibility_timeout"),
    })
}

/// "there is no …".
fn unknown(reader: &Reader<'_>, key: &str, (kind, written): (&str, &str), known: &[&str]) -> Problem {
    let problem = Problem::error(reader.place_of(key), format!("there is no {kind} `{written}`"));
    match did_you_mean(written, known) {
        Some(hint) => problem.hint(hint),
        None => problem.hint(format!("declare one: `{kind}.{written} = {{}}`")),
    }
}

fn consumers(reader: &Reader<'_>, (queues, topics): (&[QueueConfig], &[TopicConfig]), problems: &mut Found) -> Option<Vec<ConsumerConfig>> {
    let mut consumers = Vec::new();
    for (key, table) in reader.named_tables("consumer") {
        if key.name == "producer" {
            let problem = Problem::error(key.place.clone(), "consumers cannot be called `producer`: that is what producers are called");
            problems.push(problem.hint("choose another name"));
        }
        let written = table.text("from")?;
        let readable = |queue: &QueueConfig| queue.purpose != Purpose::DeadLetters && queue.name == written;
        let Some(from) = queues.iter().position(readable) else {
            problems.push(unreadable(&table, &written, (queues, topics)));
            continue;
        };
        consumers.push(consumer(key, &table, QueueId::at(from), problems)?);
    }
    Some(consumers)
}

/// Why a consumer cannot read what it wants to.
fn unreadable(table: &Reader<'_>, written: &str, (queues, topics): (&[QueueConfig], &[TopicConfig])) -> Problem {
    let place = table.place_of("from");
    if topics.iter().any(|topic| topic.name == written) {
        return Problem::error(place, format!("`{written}` is a topic: consumers read a subscription to it"))
            .hint(format!("declare one: `subscription.NAME = {{ topic = \"{written}\" }}`, and read `NAME`"));
    }
    if written == DEAD_LETTERS {
        return Problem::error(place, "nobody reads the dead letters in this model").hint("they are counted in the report");
    }
    let known: Vec<&str> = queues.iter().filter(|queue| queue.purpose != Purpose::DeadLetters).map(|queue| queue.name.as_str()).collect();
    unknown(table, "from", ("queue", written), &known)
}

fn consumer(key: &Key, reader: &Reader<'_>, from: QueueId, problems: &mut Found) -> Option<ConsumerConfig> {
    let small = |key: &str, default: u32| reader.count(key).map_or(Some(default), |count| u32::try_from(count).ok());
    let fetch = if reader.choice("mode")? == "push" {
        idle(reader, &["poll_interval", "batch", "poll_wait"], ("`mode = \"pull\"`", "the broker sends by itself"), problems);
        Fetch::Push { prefetch: small("prefetch", 10)? }
    } else {
        idle(reader, &["prefetch"], ("`mode = \"push\"`", "a consumer that asks says how many it wants: `batch`"), problems);
        let interval = reader.span("poll_interval").unwrap_or(Span::secs(1));
        let wait = reader.span("poll_wait").unwrap_or(Span::ZERO);
        if interval.is_zero() && wait.is_zero() {
            let problem =
                Problem::error(reader.place_of("poll_interval"), "a consumer that asks without pause keeps the broker busy for ever");
            problems.push(problem.hint("give `poll_interval` or `poll_wait`"));
        }
        Fetch::Pull { interval, batch: small("batch", 10)?, wait }
    };
    let acknowledge = match reader.choice("ack")? {
        "before" => Acknowledge::Before,
        "after" => Acknowledge::After,
        _ => Acknowledge::Atomically,
    };
    if acknowledge == Acknowledge::Before {
        idle(
            reader,
            &["ack_delay"],
            ("`ack = \"after\"` or `\"atomically\"`", "this consumer has acknowledged long before the effect"),
            problems,
        );
    }
    let on_poison = match reader.choice("on_poison") {
        Some("crash") => OnPoison::Crash(reader.span("restart_after").unwrap_or(Span::secs(1))),
        Some(_) | None => {
            idle(reader, &["restart_after"], ("`on_poison = \"crash\"`", "a consumer that does not die is not started again"), problems);
            OnPoison::Return
        }
    };
    Some(ConsumerConfig {
        name: key.name.clone(),
        count: small("count", 1)?,
        from,
        fetch,
        acknowledge,
        processing: reader.law("processing")?,
        acknowledge_delay: reader.span("ack_delay").unwrap_or(Span::ZERO),
        on_poison,
        visits: visits(reader, problems),
    })
}

fn visits(reader: &Reader<'_>, problems: &mut Found) -> Option<Visits> {
    let table = reader.table("attach")?;
    let visits = Visits { first: table.span("from")?, every: table.span("every"), stay: table.span("for")? };
    if visits.stay.is_zero() {
        problems.push(Problem::error(table.place_of("for"), "a consumer that stays for no time never reads anything"));
    }
    if visits.every.is_some_and(|every| every <= visits.stay) {
        let problem = Problem::error(table.place_of("every"), "the consumer comes again before it has left");
        problems.push(problem.hint("make `every` longer than `for`, or leave `attach` out: then it is always there"));
    }
    Some(visits)
}
