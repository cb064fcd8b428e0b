//! The rare paths that controllers mark, so that a scenario can demand that a run took them.

use crate::record::Mark;

/// Another controller than before is active.
pub const CONTROLLER_CHANGED: Mark = "kafka.controller_changed";
/// A broker was not heard of for too long, or has stopped: it may not lead or be in sync.
pub const BROKER_FENCED: Mark = "kafka.broker_fenced";
/// A partition has another leader.
pub const LEADER_CHANGED: Mark = "kafka.leader_changed";
/// A leader was elected although it may miss committed records.
pub const UNCLEAN_ELECTION: Mark = "kafka.unclean_election";
/// A leader was elected from the eligible leader replicas: nobody in sync was left.
pub const ELR_ELECTION: Mark = "kafka.elr_election";
/// The last leader was elected again: nobody in sync or eligible was left (KIP-966).
pub const LAST_LEADER_ELECTED: Mark = "kafka.last_leader_elected";
/// A replica is no longer in sync.
pub const ISR_SHRUNK: Mark = "kafka.isr_shrunk";
/// Only one replica is in sync.
pub const ISR_SHRUNK_TO_ONE: Mark = "kafka.isr_shrunk_to_one";
/// A replica is in sync again.
pub const ISR_EXPANDED: Mark = "kafka.isr_expanded";
/// A replica has become eligible: in-sync replicas are fewer than `min.insync.replicas`.
pub const ELR_ENTERED: Mark = "kafka.elr_entered";
/// Other brokers hold a partition, as an administrator wanted.
pub const REASSIGNED: Mark = "kafka.reassigned";
/// The preferred leader leads again.
pub const PREFERRED_ELECTION: Mark = "kafka.preferred_election";
/// A partition has no leader.
pub const PARTITION_OFFLINE: Mark = "kafka.partition_offline";
/// A broker has handed its partitions over before it stops.
pub const CONTROLLED_SHUTDOWN: Mark = "kafka.controlled_shutdown";
/// A process wanted to register while another one of the same broker was still thought to run.
pub const DUPLICATE_REGISTRATION: Mark = "kafka.duplicate_registration";
/// A proposal who is in sync was refused.
pub const ISR_REFUSED: Mark = "kafka.isr_refused";

/// All of them, each with one sentence.
pub const ALL: &[(Mark, &str)] = &[
    (CONTROLLER_CHANGED, "another controller than before is active"),
    (BROKER_FENCED, "a broker was not heard of for too long, or has stopped: it may not lead or be in sync"),
    (LEADER_CHANGED, "a partition has another leader"),
    (UNCLEAN_ELECTION, "a leader was elected although it may miss committed records"),
    (ELR_ELECTION, "a leader was elected from the eligible leader replicas: nobody in sync was left"),
    (LAST_LEADER_ELECTED, "the last leader was elected again: nobody in sync or eligible was left"),
    (ISR_SHRUNK, "a replica is no longer in sync"),
    (ISR_SHRUNK_TO_ONE, "only one replica is in sync"),
    (ISR_EXPANDED, "a replica is in sync again"),
    (ELR_ENTERED, "a replica has become eligible: in-sync replicas are fewer than min.insync.replicas"),
    (REASSIGNED, "other brokers hold a partition, as an administrator wanted"),
    (PREFERRED_ELECTION, "the preferred leader leads again"),
    (PARTITION_OFFLINE, "a partition has no leader"),
    (CONTROLLED_SHUTDOWN, "a broker has handed its partitions over before it stops"),
    (DUPLICATE_REGISTRATION, "a process wanted to register while another one of the same broker was still thought to run"),
    (ISR_REFUSED, "a proposal who is in sync was refused"),
];
