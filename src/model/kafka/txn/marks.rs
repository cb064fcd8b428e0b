//! The rare paths of transactions.

use crate::record::Mark;

/// A producer began while its predecessor's transaction was open: it was aborted and the predecessor shut out.
pub const FENCED: Mark = "kafka.txn_fenced";
/// A producer with an earlier epoch was refused by the coordinator of its transactions.
pub const ZOMBIE_REFUSED: Mark = "kafka.txn_zombie_refused";
/// A transaction was open for longer than `transaction.timeout.ms` and was aborted.
pub const TIMED_OUT: Mark = "kafka.txn_timed_out";
/// A new coordinator found a decided transaction in its log and sent its markers.
pub const TAKEN_OVER: Mark = "kafka.txn_taken_over";
/// A marker did not get into its partition at once and was sent again.
pub const MARKER_RETRIED: Mark = "kafka.txn_marker_retried";
/// A producer was told to wait for the end of its last transaction.
pub const CONCURRENT: Mark = "kafka.txn_concurrent";
/// The epochs of a producer id were used up and it got another.
pub const EPOCHS_USED_UP: Mark = "kafka.txn_epochs_used_up";
/// A transactional id that nobody used was forgotten.
pub const EXPIRED: Mark = "kafka.txn_id_expired";
/// A leader asked whether a partition is in a transaction, and it was not.
pub const NOT_IN_TRANSACTION: Mark = "kafka.txn_unverified";

/// All of them, each with its sentence.
pub const ALL: &[(Mark, &str)] = &[
    (FENCED, "a producer began while its predecessor's transaction was open, which was aborted and the predecessor shut out"),
    (ZOMBIE_REFUSED, "a producer with an earlier epoch was refused by the coordinator of its transactions"),
    (TIMED_OUT, "a transaction was open for longer than transaction.timeout.ms and was aborted"),
    (TAKEN_OVER, "a new coordinator found a decided transaction in its log and sent its markers"),
    (MARKER_RETRIED, "a marker did not get into its partition at once and was sent again"),
    (CONCURRENT, "a producer was told to wait for the end of its last transaction"),
    (EPOCHS_USED_UP, "the epochs of a producer id were used up and it got another"),
    (EXPIRED, "a transactional id that nobody used was forgotten"),
    (NOT_IN_TRANSACTION, "a leader asked whether a partition is in a transaction, and it was not"),
];
