//! The resolved configuration as TOML, defaults included: reading it again gives the same.

use std::fmt::Write as _;

use crate::base::value::{key_text, law_text, quoted};

use super::config::{Acknowledge, Config, ConsumerConfig, Fetch, OnPoison, Purpose, QueueConfig, SyncPolicy, Transport};
use super::store::Overflow;

/// The lines under `[model.mailbox]`.
#[must_use]
pub fn toml(config: &Config) -> String {
    let mut out = String::new();
    let transport = match config.transport {
        Transport::Stream => "stream",
        Transport::Datagram => "datagram",
    };
    let mut line = |text: String| {
        out.push_str(&text);
        out.push('\n');
    };
    line(format!("transport = \"{transport}\""));
    line(format!("checksum = {}", config.checksum));
    line(format!("heartbeat = \"{}\"", config.heartbeat));
    line(format!("broker = {{ {} }}", broker(config)));
    for queue in &config.queues {
        match queue.purpose {
            Purpose::PointToPoint => line(format!("queue.{} = {{ {} }}", key_text(&queue.name), limits(queue))),
            Purpose::Subscription { .. } | Purpose::DeadLetters => {}
        }
    }
    for topic in &config.topics {
        line(format!("topic.{} = {{}}", key_text(&topic.name)));
    }
    for queue in &config.queues {
        if let Purpose::Subscription { topic, durable } = queue.purpose {
            let topic = quoted(&config.topics[usize::from(topic)].name);
            let limits = limits(queue);
            let comma = if limits.is_empty() { "" } else { ", " };
            line(format!("subscription.{} = {{ topic = {topic}, durable = {durable}{comma}{limits} }}", key_text(&queue.name)));
        }
    }
    line(format!("producer = {{ {} }}", producer(config)));
    for kind in &config.consumers {
        line(format!("consumer.{} = {{ {} }}", key_text(&kind.name), consumer(config, kind)));
    }
    if let Some(name) = config.mutants.name() {
        line(format!("mutant = \"{name}\""));
    }
    out
}

fn broker(config: &Config) -> String {
    let broker = &config.broker;
    let mut out = format!("storage = \"{}\"", if broker.durable { "durable" } else { "memory" });
    if broker.durable {
        match broker.sync {
            SyncPolicy::EveryMessage => out.push_str(", sync = \"every_message\""),
            SyncPolicy::EveryN(count) => write!(out, ", sync = \"every_n\", sync_n = {count}").expect("a string takes everything"),
            SyncPolicy::Interval(span) => {
                write!(out, ", sync = \"interval\", sync_interval = \"{span}\"").expect("a string takes everything")
            }
            SyncPolicy::Never => out.push_str(", sync = \"never\""),
        }
    }
    if let Some(window) = broker.window {
        if let Some(span) = window.span {
            write!(out, ", dedup_window = \"{span}\"").expect("a string takes everything");
        }
        if let Some(count) = window.count {
            write!(out, ", dedup_count = {count}").expect("a string takes everything");
        }
        let table = if broker.window_durable { "durable" } else { "memory" };
        write!(out, ", dedup_table = \"{table}\"").expect("a string takes everything");
    }
    out
}

fn limits(queue: &QueueConfig) -> String {
    let mut parts = Vec::new();
    if let Some(length) = queue.limits.max_length {
        let overflow = match queue.limits.overflow {
            Overflow::Reject => "reject",
            Overflow::DropNewest => "drop_newest",
            Overflow::DropHead => "drop_head",
        };
        parts.push(format!("max_length = {length}, overflow = \"{overflow}\""));
    }
    if let Some(ttl) = queue.limits.ttl {
        parts.push(format!("ttl = \"{ttl}\""));
    }
    if let Some(span) = queue.visibility_timeout {
        parts.push(format!("visibility_timeout = \"{span}\""));
    }
    if let Some(count) = queue.limits.max_deliveries {
        parts.push(format!("max_deliveries = {count}"));
    }
    parts.join(", ")
}

fn producer(config: &Config) -> String {
    let producer = &config.producer;
    let mut out = format!("count = {}", producer.count);
    if producer.confirm {
        let waiting = format!(
            ", confirm = \"wait\", timeout = \"{}\", retries = {}, backoff = \"{}\", backoff_max = \"{}\"",
            producer.timeout,
            producer.attempts - 1,
            producer.backoff,
            producer.backoff_max
        );
        out.push_str(&waiting);
    } else {
        out.push_str(", confirm = \"none\"");
    }
    write!(out, ", idempotence = {}, ordered = {}, poison = \"{}\"", producer.idempotence, producer.ordered, producer.poison)
        .expect("a string takes everything");
    out
}

fn consumer(config: &Config, kind: &ConsumerConfig) -> String {
    let mut out = format!("count = {}, from = {}", kind.count, quoted(&config.queue(kind.from).name));
    let fetch = match kind.fetch {
        Fetch::Push { prefetch } => format!(", mode = \"push\", prefetch = {prefetch}"),
        Fetch::Pull { interval, batch, wait } => {
            format!(", mode = \"pull\", poll_interval = \"{interval}\", batch = {batch}, poll_wait = \"{wait}\"")
        }
    };
    out.push_str(&fetch);
    let ack = match kind.acknowledge {
        Acknowledge::Before => "before",
        Acknowledge::After => "after",
        Acknowledge::Atomically => "atomically",
    };
    write!(out, ", ack = \"{ack}\", processing = {}", law_text(&kind.processing)).expect("a string takes everything");
    if kind.acknowledge != Acknowledge::Before {
        write!(out, ", ack_delay = \"{}\"", kind.acknowledge_delay).expect("a string takes everything");
    }
    match kind.on_poison {
        OnPoison::Return => out.push_str(", on_poison = \"return\""),
        OnPoison::Crash(span) => write!(out, ", on_poison = \"crash\", restart_after = \"{span}\"").expect("a string takes everything"),
    }
    if let Some(visits) = kind.visits {
        let every = visits.every.map_or_else(String::new, |every| format!("every = \"{every}\", "));
        write!(out, ", attach = {{ from = \"{}\", {every}for = \"{}\" }}", visits.first, visits.stay).expect("a string takes everything");
    }
    out
}
