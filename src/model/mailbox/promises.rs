//! What a configuration promises, in words, and what it expressly does not.
//!
//! The promises hold for kills, power failures (also in the middle of a write), pauses, freezes, every kind of network
//! trouble, stalled, failing and full disks and wrong clocks. They do not hold when a disk is lost (`wipe`) or changes what it
//! holds (`flip_bits`): there is one copy. A promise that needs more says so.

use crate::check::{Promises, Property};

use super::config::{Acknowledge, Config, Purpose, SyncPolicy, Transport};
use super::store::Overflow;

/// A property, or why not: the reason in either case.
type Reasoned = Result<String, String>;

/// The promises of a configuration: every property, promised or not, with the settings that make it so.
#[must_use]
pub fn of(config: &Config) -> Promises {
    let mut promises = Promises::default();
    for property in Property::DELIVERY {
        match reason(config, property) {
            Ok(because) => promises.promise(property, because),
            Err(because) => promises.withhold(property, because),
        }
    }
    promises
}

fn reason(config: &Config, property: Property) -> Reasoned {
    match property {
        Property::AckedSurvives => survives(config),
        Property::AckedDelivered => delivered(config),
        Property::NoDuplicateDelivery => once_delivered(config),
        Property::NoDuplicateEffect => once_applied(config),
        Property::NoMissingEffect => applied(config),
        Property::NothingUnexpected => Ok("a queue gives out only what was put in, a subscription only what came while it lasted".into()),
        Property::NothingCorrupted => intact(config),
        Property::OrderGlobal | Property::OrderPerKey => ordered_in_time(config),
        Property::OrderPerProducer => ordered(config),
        Property::NoGaps => no_gaps(config),
        Property::FailedStaysFailed => {
            Ok("a producer reports a failure only when every attempt is certain to have come to nothing; a time-out is unknown".into())
        }
        Property::Drained => drained(config),
        Property::NoLostWrite
        | Property::AllSeen
        | Property::NoLogDuplicate
        | Property::ConsistentOffsets
        | Property::NoPollSkip
        | Property::NoPollSkipWithin
        | Property::NoRebalanceSkip
        | Property::MonotonicPolls
        | Property::MonotonicWithinPoll
        | Property::NoRebalanceReread
        | Property::NoAbortedRead
        | Property::NoPrecommittedRead
        | Property::WholeTransactions
        | Property::LatestPerKey => Err("a mailbox has no logs".into()),
    }
}

/// Confirmed means on disk.
fn stored(config: &Config) -> Reasoned {
    if !config.producer.confirm {
        return Err("producer.confirm = \"none\": a message is done when it was handed to the network, which may lose it".into());
    }
    kept(config)
}

/// What the broker has taken in is on disk before anybody hears of it.
fn kept(config: &Config) -> Reasoned {
    if !config.broker.durable {
        return Err("broker.storage = \"memory\": a broker that dies takes its queues with it".into());
    }
    match config.broker.sync {
        SyncPolicy::EveryMessage => Ok("broker.sync = \"every_message\": a message is confirmed and handed out when the disk has it; this survives kill and power failure, not the loss of the disk".into()),
        SyncPolicy::EveryN(count) => Err(format!("broker.sync = \"every_n\": survives a kill, but a power failure takes up to {count} confirmed messages and those of the sync under way")),
        SyncPolicy::Interval(span) => Err(format!("broker.sync = \"interval\": survives a kill, but a power failure takes what was confirmed in the last {span}")),
        SyncPolicy::Never => Err("broker.sync = \"never\": survives a kill, but a power failure takes what the operating system had not written".into()),
    }
}

fn survives(config: &Config) -> Reasoned {
    let because = stored(config)?;
    if let Some(hasty) = acknowledging(config, Acknowledge::Before).next() {
        return Err(format!("consumer.{hasty}.ack = \"before\": a consumer that dies after its acknowledgement takes the message with it"));
    }
    Ok(because)
}

/// Consumers that acknowledge at this moment.
fn acknowledging(config: &Config, when: Acknowledge) -> impl Iterator<Item = &str> {
    config.consumers.iter().filter(move |consumer| consumer.acknowledge == when).map(|consumer| consumer.name.as_str())
}

fn delivered(config: &Config) -> Reasoned {
    let because = survives(config)?;
    if config.transport == Transport::Datagram {
        intact(config)?;
    }
    for queue in &config.queues {
        if queue.limits.ttl.is_some() {
            return Err(format!("`{}` has a ttl: what waits too long is removed", queue.name));
        }
        if queue.limits.max_length.is_some() && queue.limits.overflow != Overflow::Reject {
            return Err(format!("`{}` drops messages when it is full, without a word", queue.name));
        }
    }
    Ok(because)
}

/// A message is in a queue at most once.
fn stored_once(config: &Config) -> Reasoned {
    let copies = match (config.transport, config.producer.attempts) {
        (Transport::Stream, 1) => return Ok("a producer sends a message once, over a stream".into()),
        (Transport::Stream, _) => "producer.retries: a message whose confirmation was lost is sent again",
        (Transport::Datagram, _) => "transport = \"datagram\": the network repeats messages",
    };
    let Some(window) = config.broker.window else {
        return Err(format!("{copies}, and producer.idempotence is off"));
    };
    let (Some(span), None) = (window.span, window.count) else {
        return Err(format!("{copies}, and a window of a number of keys forgets them sooner the more comes in"));
    };
    if !config.waits_for_disk() || !config.broker.window_durable {
        return Err(format!("{copies}, and a broker that restarts may have forgotten the key"));
    }
    Ok(format!("producer.idempotence: the broker knows a repetition for {span}, unless it is under way for longer"))
}

fn once_delivered(config: &Config) -> Reasoned {
    if let Some(other) = config.consumers.iter().find(|consumer| consumer.acknowledge != Acknowledge::Before) {
        return Err(format!(
            "consumer.{} acknowledges after delivery: what it had not acknowledged when it was lost comes again",
            other.name
        ));
    }
    released_once(config)?;
    let because = stored_once(config)?;
    Ok(format!("ack = \"before\": a message is handled only after the broker has let go of it; {because}"))
}

/// A message that the broker has let go of does not come back from the dead.
fn released_once(config: &Config) -> Reasoned {
    if config.broker.durable && !config.waits_for_disk() {
        return Err("broker.sync: after a power failure the broker may find messages on its disk that it had let go of".into());
    }
    Ok(String::new())
}

fn once_applied(config: &Config) -> Reasoned {
    for consumer in &config.consumers {
        match consumer.acknowledge {
            Acknowledge::After => {
                return Err(format!(
                    "consumer.{}.ack = \"after\": a message whose acknowledgement is lost takes effect again",
                    consumer.name
                ));
            }
            Acknowledge::Atomically if readers(config, consumer.from) > 1 => {
                return Err(format!(
                    "consumer.{}.ack = \"atomically\": several consumers read one queue, each with a store of its own",
                    consumer.name
                ));
            }
            Acknowledge::Before if readers_mixed(config, consumer.from) => {
                return Err(format!("consumer.{}.ack = \"before\", and others read the same queue in another way", consumer.name));
            }
            Acknowledge::Before => {
                released_once(config).and_then(|_| stored_once(config))?;
            }
            Acknowledge::Atomically => {}
        }
    }
    Ok("every consumer commits the effect together with the message's id, or handles a message only after the broker has let go of it"
        .into())
}

fn readers(config: &Config, queue: super::protocol::QueueId) -> u32 {
    config.readers(queue).map(|consumer| consumer.count).sum()
}

fn readers_mixed(config: &Config, queue: super::protocol::QueueId) -> bool {
    config.readers(queue).any(|consumer| consumer.acknowledge != Acknowledge::Before)
}

fn applied(config: &Config) -> Reasoned {
    if let Some(hasty) = acknowledging(config, Acknowledge::Before).next() {
        return Err(format!("consumer.{hasty}.ack = \"before\": a consumer that dies before the effect has acknowledged already"));
    }
    let because = kept(config)?;
    for queue in &config.queues {
        if queue.limits.ttl.is_some() || (queue.limits.max_length.is_some() && queue.limits.overflow == Overflow::DropHead) {
            return Err(format!("`{}` may remove a message that came back", queue.name));
        }
        if let Purpose::Subscription { durable: false, .. } = queue.purpose {
            return Err(format!("`{}` is temporary: what its consumer had not done is gone with it", queue.name));
        }
    }
    Ok(format!("a message stays in its queue until the effect is acknowledged, or goes to the dead letters; {because}"))
}

fn intact(config: &Config) -> Reasoned {
    match (config.checksum, config.transport, config.broker.durable) {
        (true, ..) => Ok("checksum: broker and consumers check every body and refuse damaged ones".into()),
        (false, Transport::Datagram, _) => Err("checksum is off: a damaged datagram is taken for what it says".into()),
        (false, Transport::Stream, true) => Err("checksum is off: a write torn by a power failure is taken for what it says".into()),
        (false, Transport::Stream, false) => Ok("transport = \"stream\": its checksum finds damage on the way".into()),
    }
}

/// First deliveries of one producer's messages follow the order in which it was asked.
fn ordered(config: &Config) -> Reasoned {
    if config.transport == Transport::Datagram {
        return Err("transport = \"datagram\": the network reorders messages".into());
    }
    if !config.producer.ordered {
        return Err("producer.ordered is off: a retry, or a new connection, is overtaken by later messages".into());
    }
    for (id, queue) in config.queue_ids() {
        if readers(config, id) > 1 {
            return Err(format!("several consumers share `{}`", queue.name));
        }
        let hasty = config.readers(id).any(|consumer| consumer.acknowledge == Acknowledge::Before);
        if hasty && queue.visibility_timeout.is_some() {
            return Err(format!(
                "`{}` has a visibility time-out: a message whose acknowledgement is under way may come again, behind others",
                queue.name
            ));
        }
    }
    Ok("producer.ordered, one consumer for each queue, and what comes back goes out again before everything younger".into())
}

fn ordered_in_time(config: &Config) -> Reasoned {
    let because = ordered(config)?;
    if config.producer.count > 1 {
        return Err("there are several producers: what one of them has given up may still arrive after later messages of another".into());
    }
    Ok(because)
}

fn no_gaps(config: &Config) -> Reasoned {
    let because = delivered(config)?;
    if let Some(queue) = config.queues.iter().find(|queue| queue.limits.max_deliveries.is_some()) {
        return Err(format!("`{}` gives up on a message after some deliveries, perhaps before any consumer saw it", queue.name));
    }
    Ok(because)
}

fn drained(config: &Config) -> Reasoned {
    for (id, queue) in config.queue_ids().filter(|(_, queue)| queue.purpose != Purpose::DeadLetters) {
        let temporary = matches!(queue.purpose, Purpose::Subscription { durable: false, .. });
        let mut readers = config.readers(id);
        if !temporary && !readers.any(|consumer| consumer.visits.is_none()) {
            return Err(format!("nobody is always there to read `{}`", queue.name));
        }
        if config.transport == Transport::Datagram && queue.visibility_timeout.is_none() {
            return Err(format!(
                "`{}` has no visibility time-out: a delivery lost on the way is never repeated while its consumer is there",
                queue.name
            ));
        }
        if !config.producer.poison.is_never() && queue.limits.max_deliveries.is_none() {
            return Err(format!("`{}` gives out poison for ever: it has no limit of deliveries", queue.name));
        }
    }
    Ok("consumers that are always there, if they keep up and there is time for retries, time-outs and reconnection".into())
}
