//! Settings that are each right and together not: refused, or warned about where a real broker would weaken them silently.

use crate::base::value::Reader;
use crate::base::{Problem, Span};

use super::config::{Acknowledge, Config, Fetch, Purpose, SyncPolicy, Transport};

/// Everything that a configuration has in it of this kind.
pub fn find(config: &Config, reader: &Reader<'_>, problems: &mut Vec<Problem>) {
    producers(config, reader, problems);
    subscriptions(config, reader, problems);
    consumers(config, reader, problems);
}

fn producers(config: &Config, reader: &Reader<'_>, problems: &mut Vec<Problem>) {
    let place = |key: &str| reader.table("producer").map_or_else(|| reader.place().clone(), |table| table.place_of(key));
    let producer = &config.producer;
    if producer.idempotence && producer.confirm && producer.attempts == 1 && config.transport == Transport::Stream {
        let problem =
            Problem::warning(place("idempotence"), "`idempotence` has no effect: without retries, over streams, nothing comes twice");
        problems.push(problem.hint("add `retries`"));
    }
    if let Some(span) = config.broker.window.and_then(|window| window.span) {
        let longest = longest_try(config);
        if span < longest {
            let what = format!("the broker remembers a key for {span}, but a producer may still repeat it after {longest}");
            problems.push(Problem::warning(place("idempotence"), what).hint("make `broker.dedup_window` longer"));
        }
    }
    if config.broker.window.is_some() && config.broker.durable && !config.broker.window_durable {
        let what = "a broker that restarts keeps its messages and forgets which it has: repetitions are stored again";
        problems.push(Problem::warning(place("idempotence"), what).hint("write `broker.dedup_table = \"durable\"`"));
    }
    if config.broker.window.is_some() && config.broker.window_durable && config.broker.sync != SyncPolicy::EveryMessage {
        let what = "after a power failure the broker may have forgotten the latest idempotence keys, with their messages";
        problems.push(Problem::warning(place("idempotence"), what).hint("write `broker.sync = \"every_message\"`, or accept it"));
    }
    if !producer.poison.is_never() {
        for queue in config.queues.iter().filter(|queue| queue.purpose != Purpose::DeadLetters && queue.limits.max_deliveries.is_none()) {
            let what = format!("poison in `{}` comes again for ever: the queue has no `max_deliveries`", queue.name);
            problems.push(Problem::warning(place("poison"), what).hint("give it one, such as `max_deliveries = 5`"));
        }
    }
}

/// How long after the first attempt a producer may send the last.
fn longest_try(config: &Config) -> Span {
    let producer = &config.producer;
    let mut total = Span::ZERO;
    let mut pause = producer.backoff;
    for _ in 1..producer.attempts {
        total += producer.timeout + pause;
        pause = (pause * 2).min(producer.backoff_max);
    }
    total
}

fn subscriptions(config: &Config, reader: &Reader<'_>, problems: &mut Vec<Problem>) {
    for (id, queue) in config.queue_ids() {
        let Purpose::Subscription { durable: false, .. } = queue.purpose else { continue };
        let place = || {
            let tables = reader.named_tables("subscription");
            tables.iter().find(|(key, _)| key.name == queue.name).map_or_else(|| reader.place().clone(), |(key, _)| key.place.clone())
        };
        match config.readers(id).map(|consumer| consumer.count).sum::<u32>() {
            1 => {}
            0 => {
                let problem = Problem::warning(
                    place(),
                    format!("nobody ever attaches to `{}`: a temporary subscription begins with its consumer", queue.name),
                );
                problems.push(problem.hint("add a consumer that reads it, or write `durable = true`"));
            }
            _ => {
                let problem = Problem::error(place(), format!("`{}` is temporary and has several consumers", queue.name));
                problems.push(problem.hint("a temporary subscription ends with its one consumer; write `durable = true` to share it"));
            }
        }
    }
}

fn consumers(config: &Config, reader: &Reader<'_>, problems: &mut Vec<Problem>) {
    let tables = reader.named_tables("consumer");
    for consumer in &config.consumers {
        let place = |key: &str| {
            let found = tables.iter().find(|(name, _)| name.name == consumer.name);
            found.map_or_else(|| reader.place().clone(), |(_, table)| table.place_of(key))
        };
        let queue = config.queue(consumer.from);
        if consumer.acknowledge == Acknowledge::Atomically && config.readers(consumer.from).map(|other| other.count).sum::<u32>() > 1 {
            let what = format!(
                "several consumers read `{}`, each with a store of its own: what one has processed another may process again",
                queue.name
            );
            problems.push(Problem::warning(place("ack"), what).hint("one consumer for each queue applies every effect once"));
        }
        if let Some(timeout) = queue.visibility_timeout {
            let ahead = match consumer.fetch {
                Fetch::Push { prefetch } => prefetch,
                Fetch::Pull { batch, .. } => batch,
            };
            if let Some(mean) = consumer.processing.mean()
                && u128::from(mean.as_nanos()) * u128::from(ahead) >= u128::from(timeout.as_nanos())
            {
                let what = format!(
                    "{ahead} messages ahead at {mean} each take longer than the visibility time-out of `{}` ({timeout})",
                    queue.name
                );
                problems.push(
                    Problem::warning(place("processing"), what)
                        .hint("messages that wait at the consumer will be given to somebody else as well"),
                );
            }
        } else if config.transport == Transport::Datagram {
            let what = format!(
                "`{}` has no `visibility_timeout`: a delivery or acknowledgement lost on the way is never made good while the consumer is there",
                queue.name
            );
            problems.push(Problem::warning(place("from"), what).hint("give the queue one, such as `visibility_timeout = \"30s\"`"));
        }
    }
}
