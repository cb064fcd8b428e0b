//! Rare paths of consumers.

use crate::record::Mark;

/// A member left its group because its application did not poll in time.
pub const POLL_LATE: Mark = "kafka.max_poll_interval_exceeded";
/// A member was told that it is none any more.
pub const EXPELLED: Mark = "kafka.member_expelled";
/// A member gave partitions up in a rebalance.
pub const REVOKED: Mark = "kafka.partitions_revoked";
/// A member lost its partitions without being asked.
pub const LOST: Mark = "kafka.partitions_lost";
/// A group's coordinator had to be looked for again.
pub const COORDINATOR_MOVED: Mark = "kafka.coordinator_sought_again";
/// A commit was refused because the group has gone on.
pub const COMMIT_REFUSED: Mark = "kafka.commit_refused";
/// It is not known whether a commit happened.
pub const COMMIT_UNKNOWN: Mark = "kafka.commit_unknown";
/// A position was outside of what the log holds.
pub const OUT_OF_RANGE: Mark = "kafka.offset_out_of_range";
/// A position was reset by `auto.offset.reset`.
pub const RESET: Mark = "kafka.offset_reset";
/// The leader's log had diverged from what the consumer had read.
pub const TRUNCATED: Mark = "kafka.truncation_detected";
/// A consumer was sent to a follower in its rack.
pub const PREFERRED: Mark = "kafka.fetch_from_follower";
/// Records of an aborted transaction were left out.
pub const ABORTED_SKIPPED: Mark = "kafka.aborted_records_skipped";
/// A consumer stopped with an error that it cannot retry.
pub const STOPPED: Mark = "kafka.consumer_stopped";
/// The outside database refused: somebody else had gone on from there.
pub const STORE_CONFLICT: Mark = "kafka.store_conflict";
/// Records that a worker had in hand were never processed, and their position was committed: known only to whoever hands records off.
pub const HANDED_OFF: Mark = "kafka.handed_off";

/// All of them.
pub const ALL: &[(Mark, &str)] = &[
    (POLL_LATE, "a member left its group because its application did not poll in time"),
    (EXPELLED, "a member was told that it is none any more"),
    (REVOKED, "a member gave partitions up in a rebalance"),
    (LOST, "a member lost its partitions without being asked"),
    (COORDINATOR_MOVED, "a group's coordinator had to be looked for again"),
    (COMMIT_REFUSED, "a commit was refused because the group has gone on"),
    (COMMIT_UNKNOWN, "it is not known whether a commit happened"),
    (OUT_OF_RANGE, "a position was outside of what the log holds"),
    (RESET, "a position was reset by auto.offset.reset"),
    (TRUNCATED, "the leader's log had diverged from what a consumer had read"),
    (PREFERRED, "a consumer was sent to a follower in its rack"),
    (ABORTED_SKIPPED, "records of an aborted transaction were left out"),
    (STOPPED, "a consumer stopped with an error that it cannot retry"),
    (STORE_CONFLICT, "the outside database refused: somebody else had gone on from there"),
    (HANDED_OFF, "records were handed to other threads and polled past"),
];
