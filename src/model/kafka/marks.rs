//! The rare paths that a Kafka system can take, for scenarios that demand them.

use crate::record::Mark;

macro_rules! marks {
    ($($name:ident, $word:literal, $about:literal;)*) => {
        $(
            #[doc = $about]
            pub const $name: Mark = $word;
        )*

        /// The marks of brokers.
        pub const BROKER: &[(Mark, &str)] = &[$(($name, $about)),*];
    };
}

marks! {
    NOT_ENOUGH_REPLICAS, "kafka.not_enough_replicas", "a leader refuses acks=all: fewer than min.insync.replicas are in sync";
    NOT_ENOUGH_REPLICAS_AFTER_APPEND, "kafka.not_enough_replicas_after_append", "a batch is committed when fewer than min.insync.replicas are in sync any more";
    REPLICAS_TOO_SLOW, "kafka.replicas_too_slow", "a batch is not committed within the request's time";
    DEDUPLICATED, "kafka.deduplicated", "a leader knows a batch by its sequence number and does not append it again";
    SEQUENCE_REFUSED, "kafka.sequence_refused", "a leader refuses a batch by its sequence number or transaction";
    FENCED_PRODUCER, "kafka.fenced_producer", "a leader refuses a batch of an earlier epoch of its producer";
    NOT_IN_TRANSACTION, "kafka.not_in_transaction", "a leader refuses a batch that its coordinator knows no transaction for";
    LED, "kafka.led", "a broker begins to lead a partition";
    TRUNCATED, "kafka.truncated", "a follower cuts off what has diverged from its leader's log";
    TRUNCATED_COMMITTED, "kafka.truncated_committed", "a follower cuts off what it knew to be committed";
    FOLLOWER_OUT_OF_RANGE, "kafka.follower_out_of_range", "a follower's log ends before its leader's begins: it starts anew";
    ISR_SHRINKS, "kafka.isr_shrinks", "a leader proposes to do without a follower that lags";
    RECOVERED, "kafka.recovered", "a broker starts on logs that its disk held";
    RETENTION, "kafka.retention", "retention removes the oldest of a log";
    REMOVED_UNREAD, "kafka.removed_unread", "retention removes a record that some group has not fetched";
    COMPACTED, "kafka.compacted", "a log is compacted";
    FLUSH_FAILED, "kafka.flush_failed", "a broker stops because its disk would not flush";
    DISK_FULL, "kafka.disk_full", "a broker stops because its disk is full";
    STOPPED, "kafka.stopped", "a broker stops in good order";
}

/// All marks: of brokers, controllers, coordinators and clients.
pub const ALL: &[(Mark, &str)] = &JOINED;

const LISTS: [&[(Mark, &str)]; 7] = [
    BROKER,
    super::processor::marks::ALL,
    super::consumer::marks::ALL,
    super::controller::marks::ALL,
    super::group::marks::ALL,
    super::txn::marks::ALL,
    super::producer::marks::ALL,
];

const JOINED: [(Mark, &str); count(&LISTS)] = {
    let mut all = [("", ""); count(&LISTS)];
    let (mut list, mut next) = (0, 0);
    while list < LISTS.len() {
        let mut at = 0;
        while at < LISTS[list].len() {
            all[next] = LISTS[list][at];
            next += 1;
            at += 1;
        }
        list += 1;
    }
    all
};

const fn count(lists: &[&[(Mark, &str)]]) -> usize {
    let (mut list, mut sum) = (0, 0);
    while list < lists.len() {
        sum += lists[list].len();
        list += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_named_once_and_explained() {
        for (at, (mark, about)) in ALL.iter().enumerate() {
            assert!(mark.starts_with("kafka.") && about.len() > 15, "{mark}: {about}");
            assert!(ALL[..at].iter().all(|(other, _)| other != mark), "{mark} twice");
        }
    }
}
