//! The rare paths of producers.

use crate::record::Mark;

/// A batch is sent again.
pub const RETRIED: Mark = "kafka.producer_retried";
/// A batch is given up because `delivery.timeout.ms` is over.
pub const EXPIRED: Mark = "kafka.batch_expired";
/// A broker has not answered within `request.timeout.ms`: the connection is given up.
pub const REQUEST_TIMED_OUT: Mark = "kafka.producer_request_timed_out";
/// A batch ends without anybody knowing whether it is stored.
pub const UNKNOWN: Mark = "kafka.producer_unknown";
/// A batch ends, and it is certain that it is not stored.
pub const FAILED: Mark = "kafka.producer_failed";
/// A send waits for `buffer.memory`.
pub const BUFFER_FULL: Mark = "kafka.buffer_exhausted";
/// A send has waited for `max.block.ms`, for memory or metadata.
pub const BLOCKED_TOO_LONG: Mark = "kafka.send_blocked_too_long";
/// A producer goes on under a new epoch, because nobody can tell which of its sequence numbers count.
pub const EPOCH_BUMPED: Mark = "kafka.producer_epoch_bumped";
/// A broker misses a batch before the one it was given.
pub const GAP: Mark = "kafka.producer_saw_gap";
/// A newer producer has taken over the transactional id: this one stops.
pub const FENCED: Mark = "kafka.producer_fenced";
/// Something went wrong in a transaction, and its producer aborts it.
pub const ABORTED: Mark = "kafka.producer_aborted";
/// The coordinator was still busy with the transaction before.
pub const CONCURRENT: Mark = "kafka.producer_waits_for_transaction";
/// The end of a transaction was asked for, and nobody knows which it was.
pub const END_UNKNOWN: Mark = "kafka.transaction_end_unknown";

/// All of them, with a sentence each.
pub const ALL: &[(Mark, &str)] = &[
    (RETRIED, "a producer sends a batch again"),
    (EXPIRED, "a producer gives up a batch because `delivery.timeout.ms` is over"),
    (REQUEST_TIMED_OUT, "a broker has not answered a producer within `request.timeout.ms`"),
    (UNKNOWN, "a batch ends without anybody knowing whether it is stored"),
    (FAILED, "a batch ends, and it is certain that it is not stored"),
    (BUFFER_FULL, "a send waits for `buffer.memory`"),
    (BLOCKED_TOO_LONG, "a send has waited for `max.block.ms` and fails"),
    (EPOCH_BUMPED, "an idempotent producer goes on under a new epoch after a gap in its sequence numbers"),
    (GAP, "a broker refuses a batch because one before it is missing"),
    (FENCED, "a transactional producer learns that a newer one has taken its place"),
    (ABORTED, "a producer aborts its transaction because something went wrong in it"),
    (CONCURRENT, "a producer waits because the transaction before is not finished"),
    (END_UNKNOWN, "a producer stops without knowing whether its transaction was committed"),
];
