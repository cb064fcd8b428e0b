//! The rare paths that this model marks, so that a scenario can demand that a run took them.

use crate::record::Mark;

/// A message was handed out that had been handed out before.
pub const REDELIVERED: Mark = "mailbox.redelivered";
/// The broker knew a message by its idempotence key and did not store it again.
pub const DEDUPLICATED: Mark = "mailbox.deduplicated";
/// A full queue refused a message.
pub const REJECTED_FULL: Mark = "mailbox.rejected_full";
/// A full queue dropped the message that came.
pub const DROPPED_NEWEST: Mark = "mailbox.dropped_newest";
/// A full queue dropped its oldest message.
pub const DROPPED_HEAD: Mark = "mailbox.dropped_head";
/// Retention removed a message.
pub const EXPIRED: Mark = "mailbox.expired";
/// A message went to the dead letters.
pub const DEAD_LETTERED: Mark = "mailbox.dead_lettered";
/// A consumer took longer than the visibility time-out.
pub const VISIBILITY_TIMEOUT: Mark = "mailbox.visibility_timeout";
/// A broker found messages on its disk.
pub const RECOVERED: Mark = "mailbox.recovered_from_disk";
/// A damaged body was refused, by the broker or a consumer.
pub const DAMAGED_REFUSED: Mark = "mailbox.damaged_refused";
/// A damaged record on the disk was thrown away.
pub const DAMAGED_ON_DISK: Mark = "mailbox.damaged_on_disk";
/// An unreadable datagram was thrown away.
pub const GARBLED: Mark = "mailbox.garbled";
/// A producer gave up without knowing.
pub const UNKNOWN_OUTCOME: Mark = "mailbox.unknown_outcome";
/// A producer tried again.
pub const RETRIED: Mark = "mailbox.retried";
/// A producer was refused for certain and gave up.
pub const REFUSED: Mark = "mailbox.refused";
/// The broker refused what a later message of the same producer had overtaken.
pub const FENCED: Mark = "mailbox.fenced";
/// The disk was full.
pub const DISK_FULL: Mark = "mailbox.disk_full";
/// A sync failed; what it should have covered was written again.
pub const SYNC_FAILED: Mark = "mailbox.sync_failed";
/// A consumer was not heard from and its stay ended.
pub const SESSION_EXPIRED: Mark = "mailbox.session_expired";
/// A consumer lost its connection and came again.
pub const REATTACHED: Mark = "mailbox.reattached";
/// An acknowledgement came too late to count.
pub const LATE_ACKNOWLEDGEMENT: Mark = "mailbox.late_acknowledgement";
/// A consumer found in its own store that it had processed a message before.
pub const EFFECT_DEDUPLICATED: Mark = "mailbox.effect_deduplicated";
/// A consumer's commit failed and it gave the message back.
pub const COMMIT_FAILED: Mark = "mailbox.commit_failed";
/// A consumer met a message that it cannot digest.
pub const POISON: Mark = "mailbox.poison";
/// A message for a topic found no subscription.
pub const NO_SUBSCRIBER: Mark = "mailbox.no_subscriber";
/// A temporary subscription ended, and what it held with it.
pub const UNSUBSCRIBED: Mark = "mailbox.unsubscribed";

/// All marks, each with its sentence.
pub const ALL: &[(Mark, &str)] = &[
    (REDELIVERED, "a message was handed out that had been handed out before"),
    (DEDUPLICATED, "the broker knew a message by its idempotence key and did not store it again"),
    (REJECTED_FULL, "a full queue refused a message"),
    (DROPPED_NEWEST, "a full queue dropped the message that came, without a word"),
    (DROPPED_HEAD, "a full queue dropped its oldest message, without a word"),
    (EXPIRED, "retention removed a message"),
    (DEAD_LETTERED, "a message went to the dead letters"),
    (VISIBILITY_TIMEOUT, "a consumer took longer than the visibility time-out"),
    (RECOVERED, "a broker found messages on its disk when it started"),
    (DAMAGED_REFUSED, "a damaged body was refused, by the broker or a consumer"),
    (DAMAGED_ON_DISK, "a damaged record on the disk was thrown away"),
    (GARBLED, "an unreadable datagram was thrown away"),
    (UNKNOWN_OUTCOME, "a producer gave up without knowing what became of a message"),
    (RETRIED, "a producer tried again"),
    (REFUSED, "a producer was refused for certain and gave up"),
    (FENCED, "the broker refused what a later message of the same producer had overtaken"),
    (DISK_FULL, "the disk was full"),
    (SYNC_FAILED, "a sync failed, and what it should have covered was written again"),
    (SESSION_EXPIRED, "a consumer was not heard from and its stay ended"),
    (REATTACHED, "a consumer lost its connection and came again"),
    (LATE_ACKNOWLEDGEMENT, "an acknowledgement came too late to count"),
    (EFFECT_DEDUPLICATED, "a consumer found in its own store that it had processed a message before"),
    (COMMIT_FAILED, "a consumer's commit failed and it gave the message back"),
    (POISON, "a consumer met a message that it cannot digest"),
    (NO_SUBSCRIBER, "a message for a topic found no subscription"),
    (UNSUBSCRIBED, "a temporary subscription ended, and what it held with it"),
];
