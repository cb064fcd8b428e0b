//! The rare paths of processors.

use crate::record::Mark;

/// A processor read again from its committed positions, because its transaction was aborted or its writes are in doubt.
pub const READ_AGAIN: Mark = "kafka.processor_read_again";
/// A processor gave partitions up while its transaction was open, and aborted it.
pub const REVOKED_IN_TRANSACTION: Mark = "kafka.processor_revoked_in_transaction";
/// A processor's producer could not go on (it was shut out, for one), and the processor began anew with another.
pub const STARTED_OVER: Mark = "kafka.processor_started_over";
/// A processor's writes are there, but its positions were not committed: others will read and write the same again.
pub const POSITIONS_REFUSED: Mark = "kafka.processor_positions_refused";

/// All of them, each with its sentence.
pub const ALL: &[(Mark, &str)] = &[
    (READ_AGAIN, "a processor read again from its committed positions, because its transaction was aborted or its writes are in doubt"),
    (REVOKED_IN_TRANSACTION, "a processor gave partitions up while its transaction was open, and aborted it"),
    (STARTED_OVER, "a processor's producer could not go on (it was shut out, for one), and the processor began anew with another"),
    (POSITIONS_REFUSED, "a processor's writes are there, but its positions were not committed: others will read and write the same again"),
];
