//! What of a broker is modelled here, what in a simpler form, and what not at all.

use super::super::{ScopeRow, Standing};

const fn row(standing: Standing, rule: &'static str, note: &'static str) -> ScopeRow {
    ScopeRow { rule, standing, note }
}

/// The scope table. Mailbox imitates no product: "as in" names the real broker whose rule it follows.
pub const SCOPE: &[ScopeRow] = &[
    row(Standing::Modelled, "point-to-point queues", "each message goes to one consumer, in turn among those with credit; oldest first"),
    row(
        Standing::Modelled,
        "publish/subscribe",
        "each subscription has a queue of its own; a message reaches a subscription once a publish",
    ),
    row(
        Standing::Modelled,
        "durable and temporary subscriptions",
        "declared ones stay; temporary ones begin and end with their consumer's stay, messages included",
    ),
    row(Standing::Modelled, "push with prefetch", "the most that may be unacknowledged, as in RabbitMQ's `basic.qos` [S:rmq]"),
    row(Standing::Modelled, "pull, long poll", "a question is answered when there is something, or after `poll_wait`"),
    row(
        Standing::Modelled,
        "confirms",
        "with `sync = \"every_message\"` after the sync, by group commit; otherwise when written to the page cache",
    ),
    row(
        Standing::Modelled,
        "acknowledge before, after, atomically with the effect",
        "`before` waits until the broker has let go; `atomically` needs one store that all consumers of a queue share, so one consumer",
    ),
    row(
        Standing::Modelled,
        "redelivery at the old place",
        "what comes back goes out again before everything younger, as in quorum queues [S:rmq]",
    ),
    row(
        Standing::Modelled,
        "visibility time-out",
        "by the broker's clock; a late acknowledgement counts while nobody else has the message",
    ),
    row(
        Standing::Modelled,
        "dead letters",
        "after `max_deliveries` deliveries without acknowledgement, prefetched ones included, as in quorum queues [S:rmq]",
    ),
    row(
        Standing::Modelled,
        "bounded queues",
        "reject, drop the newest, drop the head; only waiting messages count, as in RabbitMQ [S:rmq]",
    ),
    row(Standing::Modelled, "retention by time", "looked at before each delivery and with each heartbeat; only the oldest are looked at"),
    row(Standing::Modelled, "idempotent producer", "by producer and payload within a window; on disk in one record with the message"),
    row(
        Standing::Modelled,
        "fencing of late messages",
        "`ordered = true`: what a later message of the same producer has overtaken is refused",
    ),
    row(
        Standing::Modelled,
        "failed sync",
        "pages of a failed sync count as clean and are not durable: the broker writes everything anew [S2:fsync-slides]",
    ),
    row(
        Standing::Modelled,
        "recovery",
        "a broker takes up what its disk holds, writes it anew and syncs it before it confirms or hands out anything of it",
    ),
    row(Standing::Modelled, "session expiry", "a consumer that was silent for three heartbeats loses its stay; what it had comes back"),
    row(Standing::Simplified, "streams", "one connection for each client; a client connects when it has something to send"),
    row(
        Standing::Simplified,
        "damage on the way",
        "bodies are damaged and can be told by their checksum; a control message that is damaged is unreadable and dropped",
    ),
    row(
        Standing::Simplified,
        "damage on disk",
        "hits bodies only; with `checksum = true` a damaged record is thrown away when the broker starts",
    ),
    row(Standing::Simplified, "consumers", "one message at a time; more concurrency is more consumers"),
    row(Standing::Simplified, "dead letters", "one queue for all; nobody reads it"),
    row(Standing::Absent, "several brokers, replication", "one process: while it is down, nothing is available"),
    row(Standing::Absent, "priorities, message groups, selectors", "messages leave in the order in which they came"),
    row(Standing::Absent, "transactions", "one message at a time"),
    row(Standing::Absent, "flow control of producers", "a full queue refuses or drops; it does not slow producers down"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_something() {
        for row in SCOPE {
            assert!(row.rule.len() > 4 && row.note.len() > 10, "{row:?}");
        }
        for standing in [Standing::Modelled, Standing::Simplified, Standing::Absent] {
            assert!(SCOPE.iter().any(|row| row.standing == standing));
        }
    }
}
