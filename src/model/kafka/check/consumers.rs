//! Consumers and their groups.

use crate::base::value::Reader;
use crate::base::{Law, Problem, Span};

use super::super::config::{Assignor, BrokerConfig, Commit, ConsumerConfig, GroupProtocol, Reset, Sink, TopicConfig, Version, Visits};
use super::super::ids::{GroupId, TopicId};
use super::broker::not_zero;
use super::producers::{reconnects, retries};
use super::section::{Section, texts};
use super::{Found, names};

/// Groups as they are found: names, and what they subscribe to.
#[derive(Debug, Default)]
pub(super) struct Groups {
    pub(super) all: Vec<Group>,
}

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) topics: Vec<TopicId>,
    /// The kind of members that named it first, and how they agree.
    first: String,
    agreed: (GroupProtocol, Assignor),
}

impl Groups {
    /// The group with a name, which members of a kind join.
    fn join(
        &mut self,
        (name, kind): (&str, &str),
        topics: &[TopicId],
        agreed: (GroupProtocol, Assignor),
        (section, problems): (&Section<'_>, &mut Found),
    ) -> Option<GroupId> {
        let at = self.all.iter().position(|group| group.name == name).unwrap_or(self.all.len());
        if at == self.all.len() {
            self.all.push(Group { name: name.to_owned(), topics: Vec::new(), first: kind.to_owned(), agreed });
        }
        let group = &mut self.all[at];
        if group.agreed != agreed {
            let what = format!("`{kind}` and `{}` are in the group `{name}` and do not spread partitions in the same way", group.first);
            problems.push(Problem::error(section.place_of("group.id"), what).hint("Kafka answers INCONSISTENT_GROUP_PROTOCOL"));
        }
        for topic in topics {
            if !group.topics.contains(topic) {
                group.topics.push(*topic);
            }
        }
        group.topics.sort_unstable();
        u16::try_from(at).ok().map(GroupId)
    }
}

/// What a reading application is, beside its client.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) topics: Vec<TopicId>,
    pub(super) processing: Law,
    pub(super) commit: Commit,
    pub(super) hand_off: Option<u32>,
    pub(super) sink: Sink,
    pub(super) visits: Option<Visits>,
}

/// What the application of a consumer does.
pub(super) fn application(section: &Section<'_>, topics: &[TopicConfig], problems: &mut Found) -> Option<Application> {
    let own = section.own();
    let sink = if own.choice("sink")? == "idempotent" { Sink::Idempotent } else { Sink::Plain };
    let hand_off = own.count("hand_off").and_then(|count| u32::try_from(count).ok());
    let commit = commit(section, problems)?;
    if commit == Commit::WithEffect {
        let keys = if sink == Sink::Idempotent { &["hand_off", "sink"][..] } else { &["hand_off"][..] };
        let hint = "effects and positions are one commit, in the order of the log";
        section.refuse_idle(keys, ("commits other than `\"with_effect\"`", hint), problems);
    }
    Some(Application {
        topics: subscribed(section, topics, problems)?,
        processing: own.law("processing")?,
        commit,
        hand_off,
        sink,
        visits: own.table("runs").map(|runs| visits(&runs, problems)),
    })
}

fn commit(section: &Section<'_>, problems: &mut Found) -> Option<Commit> {
    let word = section.own().choice("commit");
    let written = section.has("enable.auto.commit");
    let auto = section.flag("enable.auto.commit")?;
    if let (Some(word), true, true) = (word, written, auto) {
        let problem = Problem::error(section.place_of("commit"), format!("`commit = \"{word}\"` contradicts `enable.auto.commit = true`"));
        problems.push(problem.hint("who commits by himself switches it off"));
    }
    let by_itself = auto && word.is_none();
    if !by_itself {
        let hint = "where the application commits, `poll` does not";
        section.refuse_idle(&["auto.commit.interval.ms"], ("`enable.auto.commit = true`", hint), problems);
    }
    Some(match word {
        None if auto => Commit::Auto { interval: section.span("auto.commit.interval.ms")? },
        Some("before") => Commit::Before,
        Some("with_effect") => Commit::WithEffect,
        Some(_) | None => Commit::After,
    })
}

fn subscribed(section: &Section<'_>, topics: &[TopicConfig], problems: &mut Found) -> Option<Vec<TopicId>> {
    let written = texts(section.own(), "topics");
    if written.is_empty() {
        if topics.len() > 1 || section.has("topics") {
            let problem =
                Problem::error(section.place_of("topics"), format!("`{}` does not say which topics it reads", section.own().path()));
            problems.push(problem.hint("write `topics = \"orders\"` or `topics = [\"orders\", \"bills\"]`"));
            return None;
        }
        return (!topics.is_empty()).then(|| vec![TopicId(0)]);
    }
    let mut found: Vec<TopicId> = Vec::new();
    for (text, value) in written {
        let at = names::topic(topics, (text, value.place.clone()), problems)?;
        found.push(TopicId(u16::try_from(at).ok()?));
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

fn visits(reader: &Reader<'_>, problems: &mut Found) -> Visits {
    let visits = Visits {
        first: reader.span("from").unwrap_or(Span::ZERO),
        every: reader.span("every"),
        stay: reader.span("for").unwrap_or(Span::ZERO),
    };
    if visits.every.is_some_and(|every| every <= visits.stay) {
        let problem = Problem::error(reader.place_of("every"), "the consumer starts again before it has stopped");
        problems.push(problem.hint("`every` counts from start to start"));
    }
    visits
}

/// A consumer, or the reading side of a processor.
pub(super) fn read(
    section: &Section<'_>,
    (name, count): (&str, u32),
    application: Application,
    (groups, broker): (&mut Groups, &BrokerConfig),
    problems: &mut Found,
) -> Option<ConsumerConfig> {
    section.refuse_unknown(problems);
    not_zero(section, &["request.timeout.ms", "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms"], problems);
    let (protocol, assignor) = agreement(section, problems)?;
    let (session_timeout, heartbeat_interval) = match protocol {
        GroupProtocol::Consumer => (broker.group_consumer_session_timeout, broker.group_consumer_heartbeat_interval),
        GroupProtocol::Eager | GroupProtocol::Cooperative => (section.span("session.timeout.ms")?, section.span("heartbeat.interval.ms")?),
    };
    let Some(group) = section.own().text("group.id").filter(|group| !group.is_empty()) else {
        let problem = Problem::error(section.place_of("group.id"), format!("`{}` subscribes without a `group.id`", section.own().path()));
        problems.push(problem.hint("Kafka refuses `subscribe` and commits then; write `group.id = \"billing\"`"));
        return None;
    };
    let (retry_backoff, _) = retries(section)?;
    let (reconnect_backoff, reconnect_backoff_max) = reconnects(section)?;
    let consumer = ConsumerConfig {
        name: name.to_owned(),
        count,
        group: groups.join((&group, name), &application.topics, (protocol, assignor), (section, problems))?,
        topics: application.topics,
        protocol,
        assignor,
        is_static: section.has("group.instance.id"),
        rack: section.own().text("client.rack").filter(|rack| !rack.is_empty()),
        session_timeout,
        heartbeat_interval,
        max_poll_interval: section.span("max.poll.interval.ms").unwrap_or(session_timeout),
        max_poll_records: section.small("max.poll.records")?,
        fetch_min_bytes: section.int_bytes("fetch.min.bytes", problems)?,
        fetch_max_bytes: section.int_bytes("fetch.max.bytes", problems)?,
        max_partition_fetch_bytes: section.int_bytes("max.partition.fetch.bytes", problems)?,
        fetch_max_wait: section.span("fetch.max.wait.ms")?,
        read_committed: section.choice("isolation.level")? == "read_committed",
        reset: match section.choice("auto.offset.reset")? {
            "earliest" => Reset::Earliest,
            "none" => Reset::None,
            _ => Reset::Latest,
        },
        commit: application.commit,
        request_timeout: section.span("request.timeout.ms")?,
        retry_backoff,
        reconnect_backoff,
        reconnect_backoff_max,
        metadata_max_age: section.span("metadata.max.age.ms")?,
        processing: application.processing,
        hand_off: application.hand_off,
        sink: application.sink,
        visits: application.visits,
    };
    refuse(section, &consumer, broker, problems);
    Some(consumer)
}

/// How the group agrees on who reads what.
fn agreement(section: &Section<'_>, problems: &mut Found) -> Option<(GroupProtocol, Assignor)> {
    if section.choice("group.protocol")? == "consumer" {
        if section.version != Version::V4_0 {
            let what = format!("Kafka {} has `group.protocol = \"consumer\"` only as a preview", section.version.name());
            problems.push(Problem::error(section.place_of("group.protocol"), what).hint("4.0 is the first to have it for use (KIP-848)"));
        }
        let keys = ["session.timeout.ms", "heartbeat.interval.ms", "partition.assignment.strategy"];
        let hint = "the brokers decide: `broker.group.consumer.session.timeout.ms`, `…heartbeat.interval.ms`, `group.remote.assignor`";
        section.refuse_idle(&keys, ("`group.protocol = \"classic\"`", hint), problems);
        let range = section.choice("group.remote.assignor") == Some("range");
        return Some((GroupProtocol::Consumer, if range { Assignor::Range } else { Assignor::Sticky }));
    }
    let hint = "members decide: `partition.assignment.strategy`";
    section.refuse_idle(&["group.remote.assignor"], ("`group.protocol = \"consumer\"`", hint), problems);
    let written = texts(section.own(), "partition.assignment.strategy");
    if section.has("partition.assignment.strategy") && written.is_empty() {
        let problem =
            Problem::error(section.place_of("partition.assignment.strategy"), "`partition.assignment.strategy` names at least one");
        problems.push(problem.hint("for example `\"CooperativeStickyAssignor\"`"));
    }
    let all: Vec<&str> = written.iter().map(|(text, _)| short(text)).collect();
    for (name, (_, value)) in all.iter().zip(&written) {
        let wrong = match (*name, section.version) {
            ("cooperative-sticky", Version::V0_8 | Version::V0_11) => "it came with 2.4 (KIP-429)",
            ("sticky", Version::V0_8) => "it came with 0.11 (KIP-54)",
            _ => continue,
        };
        let what = format!("Kafka {} has no assignor `{name}`", section.version.name());
        problems.push(Problem::error(value.place.clone(), what).hint(wrong));
    }
    let cooperative = !all.is_empty() && all.iter().all(|name| *name == "cooperative-sticky");
    let assignor = match all.first().copied() {
        Some("roundrobin") => Assignor::RoundRobin,
        Some("sticky" | "cooperative-sticky") => Assignor::Sticky,
        Some(_) | None => Assignor::Range,
    };
    Some((if cooperative { GroupProtocol::Cooperative } else { GroupProtocol::Eager }, assignor))
}

/// An assignor's own name.
fn short(written: &str) -> &str {
    match written.rsplit('.').next().unwrap_or(written) {
        "RangeAssignor" => "range",
        "RoundRobinAssignor" => "roundrobin",
        "StickyAssignor" => "sticky",
        "CooperativeStickyAssignor" => "cooperative-sticky",
        other => other,
    }
}

/// What a consumer of Kafka, or its coordinator, does not accept.
fn refuse(section: &Section<'_>, consumer: &ConsumerConfig, broker: &BrokerConfig, problems: &mut Found) {
    let mut refuse = |key: &str, what: String, hint: &str| problems.push(Problem::error(section.place_of(key), what).hint(hint));
    let (session, request) = (consumer.session_timeout, consumer.request_timeout);
    let classic = consumer.protocol != GroupProtocol::Consumer;
    if classic && consumer.heartbeat_interval >= session {
        let what = format!("`heartbeat.interval.ms` ({}) is not below `session.timeout.ms` ({session})", consumer.heartbeat_interval);
        refuse("heartbeat.interval.ms", what, "a third of the session is usual");
    }
    let (least, most) = (broker.group_min_session_timeout, broker.group_max_session_timeout);
    if classic && (session < least || session > most) {
        let what = format!("`session.timeout.ms` ({session}) is outside of what brokers take ({least} to {most})");
        refuse("session.timeout.ms", what, "they answer INVALID_SESSION_TIMEOUT; see `broker.group.min.session.timeout.ms` and `…max…`");
    }
    let old = matches!(section.version, Version::V0_8 | Version::V0_11);
    if old && (request <= session || request <= consumer.fetch_max_wait) {
        let what = format!(
            "`request.timeout.ms` ({request}) is not above `session.timeout.ms` ({session}) and `fetch.max.wait.ms` ({})",
            consumer.fetch_max_wait
        );
        refuse("request.timeout.ms", what, "before 2.0 joining a group is a request that may take a session");
    }
}
