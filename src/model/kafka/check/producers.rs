//! Producers, and what Kafka makes of their idempotence.

use crate::base::{Problem, Span};

use super::super::config::{Partitioner, ProducerConfig, Transactions, Version};
use super::super::ids::TxnId;
use super::super::protocol::Acks;
use super::Found;
use super::broker::not_zero;
use super::section::Section;

/// Transactional ids, in the order in which they are given out.
#[derive(Debug, Default)]
pub(super) struct TransactionalIds {
    pub(super) names: Vec<String>,
}

impl TransactionalIds {
    /// Gives each of some instances its own; the first is returned.
    fn give(&mut self, name: &str, count: u32, section: &Section<'_>, problems: &mut Found) -> Option<TxnId> {
        let first = u16::try_from(self.names.len()).ok();
        for number in 1..=count {
            let own = if count == 1 { name.to_owned() } else { format!("{name}-{number}") };
            if self.names.contains(&own) {
                let problem =
                    Problem::error(section.place_of("transactional.id"), format!("two producers have the transactional id `{own}`"));
                problems.push(problem.hint("each would fence the other for ever; give each kind its own"));
                return None;
            }
            self.names.push(own);
        }
        let fits = u16::try_from(self.names.len()).is_ok();
        if !fits {
            problems.push(Problem::error(section.place_of("transactional.id"), "there are more than 65535 transactional ids"));
        }
        first.filter(|_| fits).map(TxnId)
    }
}

/// What a producer of Kafka works with after it has looked at its settings.
#[derive(Clone, Copy, Debug)]
struct Effective {
    acks: Acks,
    idempotence: bool,
    retries: u32,
    max_in_flight: u32,
}

/// A producer, or the writing side of a processor.
pub(super) fn read(
    section: &Section<'_>,
    (name, count): (&str, u32),
    ids: &mut TransactionalIds,
    max_timeout: Span,
    problems: &mut Found,
) -> Option<ProducerConfig> {
    section.refuse_unknown(problems);
    not_zero(section, &["request.timeout.ms", "metadata.max.age.ms", "transaction.timeout.ms", "delivery.timeout.ms"], problems);
    let effective = effective(section, problems)?;
    let request_timeout = section.span("request.timeout.ms")?;
    let linger = section.span("linger.ms")?;
    let (retry_backoff, retry_backoff_max) = retries(section)?;
    let (reconnect_backoff, reconnect_backoff_max) = reconnects(section)?;
    Some(ProducerConfig {
        name: name.to_owned(),
        count,
        acks: effective.acks,
        idempotence: effective.idempotence,
        retries: effective.retries,
        retry_backoff,
        retry_backoff_max,
        delivery_timeout: delivery_timeout(section, linger + request_timeout, problems),
        request_timeout,
        linger,
        batch_size: section.int_bytes("batch.size", problems)?,
        buffer_memory: section.bytes("buffer.memory")?,
        max_block: section.span("max.block.ms")?,
        max_request_size: section.int_bytes("max.request.size", problems)?,
        max_in_flight: effective.max_in_flight,
        metadata_max_age: section.span("metadata.max.age.ms")?,
        reconnect_backoff,
        reconnect_backoff_max,
        partitioner: partitioner(section, problems)?,
        transactions: transactions(section, count, ids, max_timeout, problems),
    })
}

/// `retry.backoff.ms` and its maximum; the same pause every time where there is no maximum or it is below.
pub(super) fn retries(section: &Section<'_>) -> Option<(Span, Span)> {
    let pause = section.span("retry.backoff.ms")?;
    let most = section.span("retry.backoff.max.ms").unwrap_or(pause);
    Some((pause.min(most), most))
}

/// `reconnect.backoff.ms` and its maximum. Whoever writes the first alone gets the same pause every time, as in Kafka.
pub(super) fn reconnects(section: &Section<'_>) -> Option<(Span, Span)> {
    let pause = section.span("reconnect.backoff.ms")?;
    let alone = section.has("reconnect.backoff.ms") && !section.has("reconnect.backoff.max.ms");
    let most = if alone { pause } else { section.span("reconnect.backoff.max.ms").unwrap_or(pause) };
    Some((pause, most.max(pause)))
}

/// `acks`, `retries`, in-flight requests and idempotence, as each version reconciles them.
fn effective(section: &Section<'_>, problems: &mut Found) -> Option<Effective> {
    let acks = match section.choice("acks")? {
        "0" => Acks::None,
        "1" => Acks::Leader,
        _ => Acks::All,
    };
    let given = Effective {
        acks,
        idempotence: section.flag("enable.idempotence")?,
        retries: section.small("retries")?,
        max_in_flight: section.small("max.in.flight.requests.per.connection")?,
    };
    let effective = match section.version {
        Version::V0_8 => given,
        Version::V0_11 | Version::V2_8 => adapted(section, given, problems),
        Version::V3_9 | Version::V4_0 => disabled(section, given, problems),
    };
    if section.has("transactional.id") && !effective.idempotence && section.version != Version::V0_8 {
        let problem = Problem::error(section.place_of("transactional.id"), "`transactional.id` needs idempotence, and that is off");
        problems.push(problem.hint("remove what switches it off: `enable.idempotence = false`, `acks`, `retries` or in-flight requests"));
    }
    Some(effective)
}

/// Before 3.0: idempotence is asked for, and the others follow where they are not written.
fn adapted(section: &Section<'_>, given: Effective, problems: &mut Found) -> Effective {
    let asked = section.has("enable.idempotence");
    let idempotence = if asked { given.idempotence } else { section.has("transactional.id") };
    if !idempotence {
        return Effective { idempotence, ..given };
    }
    let most = if section.version == Version::V0_11 { 1 } else { 5 };
    let effective = Effective {
        acks: if section.has("acks") { given.acks } else { Acks::All },
        idempotence,
        retries: if section.has("retries") { given.retries } else { 2_147_483_647 },
        max_in_flight: if section.has("max.in.flight.requests.per.connection") {
            given.max_in_flight
        } else {
            given.max_in_flight.min(most)
        },
    };
    for (key, what) in conflicts(effective, most) {
        problems.push(Problem::error(section.place_of(key), format!("an idempotent producer {what}")).hint("as Kafka refuses it"));
    }
    effective
}

/// From 3.0 on: idempotence holds by default, and gives way where it is not asked for expressly.
fn disabled(section: &Section<'_>, given: Effective, problems: &mut Found) -> Effective {
    if !given.idempotence {
        return given;
    }
    let conflicts = conflicts(given, 5);
    let asked = section.has("enable.idempotence");
    for (key, what) in &conflicts {
        let fatal = asked || (section.version == Version::V4_0 && *key == "max.in.flight.requests.per.connection");
        if fatal {
            problems.push(Problem::error(section.place_of(key), format!("an idempotent producer {what}")).hint("as Kafka refuses it"));
        } else if !section.has("transactional.id") {
            let what = format!("idempotence is switched off without a word: an idempotent producer {what}");
            problems.push(Problem::warning(section.place_of(key), what).hint("write `enable.idempotence = false` if that is meant"));
        }
    }
    Effective { idempotence: conflicts.is_empty(), ..given }
}

/// What contradicts idempotence: the key, and what it has to be.
fn conflicts(given: Effective, most: u32) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    if given.retries == 0 {
        found.push(("retries", "has `retries` above 0".to_owned()));
    }
    if given.acks != Acks::All {
        found.push(("acks", "has `acks = \"all\"`".to_owned()));
    }
    if given.max_in_flight > most {
        found.push(("max.in.flight.requests.per.connection", format!("has at most {most} requests in flight")));
    }
    found
}

/// `delivery.timeout.ms`, which is at least what one attempt takes.
fn delivery_timeout(section: &Section<'_>, least: Span, problems: &mut Found) -> Option<Span> {
    let timeout = section.span("delivery.timeout.ms")?;
    if timeout >= least {
        return Some(timeout);
    }
    if section.has("delivery.timeout.ms") {
        let what = format!("`delivery.timeout.ms` ({timeout}) is below `linger.ms` + `request.timeout.ms` ({least})");
        problems.push(Problem::error(section.place_of("delivery.timeout.ms"), what).hint("one attempt alone may take longer"));
    } else {
        let what = format!("`delivery.timeout.ms` ({timeout}) is raised to `linger.ms` + `request.timeout.ms` ({least}) without a word");
        problems.push(Problem::warning(section.place_of("request.timeout.ms"), what).hint("write `delivery.timeout.ms`"));
    }
    Some(least)
}

fn partitioner(section: &Section<'_>, problems: &mut Found) -> Option<Partitioner> {
    let ignore = section.flag("partitioner.ignore.keys")?;
    let class = section.choice("partitioner.class").map(|class| class.rsplit('.').next().unwrap_or(class));
    let old = matches!(section.version, Version::V0_8 | Version::V0_11);
    let gone = section.version == Version::V4_0;
    let wrong = match class {
        Some("RoundRobinPartitioner" | "UniformStickyPartitioner") if old => "came with 2.4 (KIP-369, KIP-480)",
        Some("UniformStickyPartitioner" | "DefaultPartitioner") if gone => "went with 4.0; keys decide, or `partitioner.ignore.keys`",
        Some(_) | None => "",
    };
    if !wrong.is_empty() {
        let what = format!("Kafka {} has no `{}`", section.version.name(), class.unwrap_or_default());
        problems.push(Problem::error(section.place_of("partitioner.class"), what).hint(format!("it {wrong}")));
    }
    Some(match class {
        Some("RoundRobinPartitioner") => Partitioner::RoundRobin,
        Some("UniformStickyPartitioner") => Partitioner::Sticky,
        Some(_) | None if ignore => Partitioner::Sticky,
        Some(_) | None => Partitioner::KeyHash,
    })
}

fn transactions(
    section: &Section<'_>,
    count: u32,
    ids: &mut TransactionalIds,
    max_timeout: Span,
    problems: &mut Found,
) -> Option<Transactions> {
    let own = section.own();
    let Some(name) = own.text("transactional.id") else {
        let keys = ["transaction.timeout.ms", "transaction_records", "transaction_linger", "abort_every"];
        section.refuse_idle(&keys, ("a producer with `transactional.id`", "without it there are no transactions"), problems);
        return None;
    };
    if name.is_empty() {
        problems.push(Problem::error(section.place_of("transactional.id"), "`transactional.id` is not empty"));
    }
    let timeout = section.span("transaction.timeout.ms")?;
    if timeout > max_timeout {
        let what = format!("`transaction.timeout.ms` ({timeout}) is above the brokers' `transaction.max.timeout.ms` ({max_timeout})");
        problems.push(Problem::error(section.place_of("transaction.timeout.ms"), what).hint("they answer INVALID_TRANSACTION_TIMEOUT"));
    }
    let linger = own.span("transaction_linger").unwrap_or(Span::millis(100));
    if linger >= timeout {
        let what = format!("`transaction_linger` ({linger}) is not below `transaction.timeout.ms` ({timeout})");
        problems.push(Problem::error(section.place_of("transaction_linger"), what).hint("the coordinator would abort every transaction"));
    }
    Some(Transactions {
        first: ids.give(&name, count, section, problems)?,
        timeout,
        records: own.count("transaction_records").map_or(Some(10), |count| u32::try_from(count).ok())?,
        linger,
        abort_every: own.count("abort_every").and_then(|count| u32::try_from(count).ok()),
    })
}
