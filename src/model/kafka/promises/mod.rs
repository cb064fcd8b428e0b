//! What a configuration promises, in words, and what it expressly does not.
//!
//! The promises hold for any number of kills, pauses and freezes, for every kind of network trouble, for slow, stalled and full disks and
//! for wrong clocks, all of them at once. A killed process leaves its writes with the operating system; a power failure does not. How many
//! brokers may lose their memory *at a time* (from the power failure until they are in sync again) is what [`tolerates`] says; an
//! acknowledgement that no power failure may meet is not called safe. Without eligible leader replicas there is one exception, which Kafka
//! has as well (KIP-966): when all others have left the in-sync replicas, the last one leads again after a power failure, with what it has
//! left. With them, a broker that was killed counts as one that may have lost something: when all that were in sync or eligible have
//! died, the last leader leads again. So no other broker may be killed until the one without power is in sync again. The promises do not
//! hold when a disk is lost (`wipe`) or changes what it holds (`flip_bits`) on more brokers than that.

use crate::check::{Promises, Property};

use super::config::{Config, ConsumerConfig};

mod durable;
mod logs;
mod order;
mod reading;
mod transactions;

#[cfg(test)]
mod tests;

pub use durable::{Tolerance, tolerates};

/// A property, or why not: the reason in either case.
type Reasoned = Result<String, String>;

/// The promises of a configuration: every property, promised or not, with the settings that make it so.
#[must_use]
pub fn of(config: &Config) -> Promises {
    let mut promises = Promises::default();
    for property in Property::ALL {
        match reason(config, property) {
            Ok(because) => promises.promise(property, because),
            Err(because) => promises.withhold(property, because),
        }
    }
    promises
}

fn reason(config: &Config, property: Property) -> Reasoned {
    match property {
        Property::AckedSurvives => reading::survives(config),
        Property::AckedDelivered | Property::NoGaps => reading::delivered(config),
        Property::NoDuplicateDelivery => reading::once_delivered(config),
        Property::NoDuplicateEffect => reading::once_applied(config),
        Property::NoMissingEffect => reading::applied(config),
        Property::NothingUnexpected => Ok("brokers give out only what was appended, and groups read only what they subscribe to".into()),
        Property::NothingCorrupted => {
            Ok("every batch has a checksum, which brokers and consumers look at; damage on the way is sent again".into())
        }
        Property::OrderGlobal => order::global(config),
        Property::OrderPerKey => order::per_key(config),
        Property::OrderPerProducer => order::per_producer(config),
        Property::FailedStaysFailed => transactions::failed_stays_failed(config),
        Property::Drained => reading::drained(config),
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
        | Property::LatestPerKey => logs::reason(config, property),
    }
}

/// A kind of clients as settings name it: `producer` or `producers.NAME`.
fn path(one: &str, name: &str) -> String {
    if one == name { one.to_owned() } else { format!("{one}s.{name}") }
}

/// All who read, as settings name them.
fn readers(config: &Config) -> impl Iterator<Item = (String, &ConsumerConfig)> {
    let consumers = config.consumers.iter().map(|kind| (path("consumer", &kind.name), kind));
    consumers.chain(config.processors.iter().map(|kind| (path("processor", &kind.consumer.name), &kind.consumer)))
}
