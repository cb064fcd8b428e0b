//! Brokers, controllers and clients that are broken on purpose, to prove that the judges notice.
//!
//! They exist only with the cargo feature `mutants`; without it [`Mutants::has`] is constantly false and the compiler
//! removes every branch that asks.

/// One way to be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A leader's high watermark moves when it appends, before followers have fetched.
    WatermarkBeforeFollowers,
    /// A leader answers acks=all when it has appended.
    AcksAllAsOne,
    /// A leader takes acks=all although too few replicas are in sync.
    MinIsrIgnored,
    /// A leader proposes a follower as in sync before it has caught up.
    JoinsIsrEarly,
    /// A leader never proposes to remove a follower that lags.
    IsrIgnoresLag,
    /// A follower keeps what has diverged from its leader's log.
    NoTruncation,
    /// A follower cuts its log to its own high watermark, leader epochs or not.
    TruncatesToWatermark,
    /// A replica serves and follows whatever leader epoch is named.
    EpochNotChecked,
    /// The controller elects any live replica although unclean election is off.
    ElectsAnybody,
    /// Consumers are given what is not committed yet.
    ServesAboveWatermark,
    /// A new leader takes its log's end for the high watermark.
    WatermarkRestartsAtEnd,
    /// A leader remembers no sequence numbers.
    ForgetsSequences,
    /// A new leader knows nothing of the producers in its log.
    SequencesNotRebuilt,
    /// A leader accepts a batch whose predecessor is missing.
    GapsAccepted,
    /// A producer reports as failed what it knows nothing of.
    UnknownAsFailed,
    /// A producer numbers a batch anew when it sends it again.
    RetriesWithNewSequence,
    /// Auto-commit commits what the poll is just about to return.
    CommitsAhead,
    /// A coordinator takes commits of members that were thrown out.
    GenerationNotChecked,
    /// A new group coordinator does not read the positions in its log.
    PositionsNotReloaded,
    /// A member goes on reading what was given to another.
    KeepsRevoked,
    /// An earlier epoch of a transactional producer is served.
    ZombieNotFenced,
    /// A transaction's marker does not reach its last partition.
    MarkerForgotten,
    /// An aborted transaction gets the marker of a committed one.
    AbortsCommitted,
    /// Readers of committed records are given open transactions.
    ReadsUndecided,
    /// Readers of committed records are given aborted ones.
    ReadsAborted,
    /// Positions sent to a transaction count at once.
    PositionsOutsideTransaction,
    /// Compaction removes the latest record of a key.
    CompactsLatest,
    /// Retention removes what is younger than its limit.
    RetentionTakesActive,
    /// A broker told to sync before it answers does not.
    SyncSkipped,
}

impl Mutant {
    /// All of them, each with its name in `mutant = "…"` and what it does.
    pub const ALL: &'static [(Mutant, &'static str, &'static str)] = &[
        (
            Mutant::WatermarkBeforeFollowers,
            "hw_before_followers",
            "a leader's high watermark moves when it appends, before followers have fetched",
        ),
        (Mutant::AcksAllAsOne, "acks_all_as_one", "a leader answers acks=all when it has appended"),
        (Mutant::MinIsrIgnored, "min_isr_ignored", "a leader takes acks=all although too few replicas are in sync"),
        (Mutant::JoinsIsrEarly, "joins_isr_early", "a leader proposes a follower as in sync before it has caught up"),
        (Mutant::IsrIgnoresLag, "isr_ignores_lag", "a leader never proposes to remove a follower that lags"),
        (Mutant::NoTruncation, "no_truncation", "a follower keeps what has diverged from its leader's log"),
        (Mutant::TruncatesToWatermark, "truncates_to_watermark", "a follower cuts its log to its own high watermark, leader epochs or not"),
        (Mutant::EpochNotChecked, "epoch_not_checked", "a replica serves and follows whatever leader epoch is named"),
        (Mutant::ElectsAnybody, "elects_anybody", "the controller elects any live replica although unclean election is off"),
        (Mutant::ServesAboveWatermark, "serves_above_watermark", "consumers are given what is not committed yet"),
        (Mutant::WatermarkRestartsAtEnd, "watermark_restarts_at_end", "a new leader takes its log's end for the high watermark"),
        (Mutant::ForgetsSequences, "forgets_sequences", "a leader remembers no sequence numbers"),
        (Mutant::SequencesNotRebuilt, "sequences_not_rebuilt", "a new leader knows nothing of the producers in its log"),
        (Mutant::GapsAccepted, "gaps_accepted", "a leader accepts a batch whose predecessor is missing"),
        (Mutant::UnknownAsFailed, "unknown_as_failed", "a producer reports as failed what it knows nothing of"),
        (Mutant::RetriesWithNewSequence, "retries_with_new_sequence", "a producer numbers a batch anew when it sends it again"),
        (Mutant::CommitsAhead, "commits_ahead", "auto-commit commits what the poll is just about to return"),
        (Mutant::GenerationNotChecked, "generation_not_checked", "a coordinator takes commits of members that were thrown out"),
        (Mutant::PositionsNotReloaded, "positions_not_reloaded", "a new group coordinator does not read the positions in its log"),
        (Mutant::KeepsRevoked, "keeps_revoked", "a member goes on reading what was given to another"),
        (Mutant::ZombieNotFenced, "zombie_not_fenced", "an earlier epoch of a transactional producer is served"),
        (Mutant::MarkerForgotten, "marker_forgotten", "a transaction's marker does not reach its last partition"),
        (Mutant::AbortsCommitted, "aborts_committed", "an aborted transaction gets the marker of a committed one"),
        (Mutant::ReadsUndecided, "reads_undecided", "readers of committed records are given open transactions"),
        (Mutant::ReadsAborted, "reads_aborted", "readers of committed records are given aborted ones"),
        (Mutant::PositionsOutsideTransaction, "positions_outside_transaction", "positions sent to a transaction count at once"),
        (Mutant::CompactsLatest, "compacts_latest", "compaction removes the latest record of a key"),
        (Mutant::RetentionTakesActive, "retention_takes_active", "retention removes what is younger than its limit"),
        (Mutant::SyncSkipped, "sync_skipped", "a broker told to sync before it answers does not"),
    ];

    /// The mutant with a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Mutant> {
        Mutant::ALL.iter().find(|(_, known, _)| *known == name).map(|(mutant, _, _)| *mutant)
    }
}

/// Which mutant a configuration asks for, if this build has any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mutants {
    #[cfg(feature = "mutants")]
    chosen: Option<Mutant>,
}

impl Mutants {
    /// The honest model.
    #[must_use]
    pub fn none() -> Mutants {
        Mutants::default()
    }

    /// With one thing broken. `None` in a build that has no mutants.
    #[must_use]
    pub fn with(mutant: Mutant) -> Option<Mutants> {
        #[cfg(feature = "mutants")]
        return Some(Mutants { chosen: Some(mutant) });
        #[cfg(not(feature = "mutants"))]
        {
            let _ = mutant;
            None
        }
    }

    /// Whether this is broken.
    #[inline]
    #[must_use]
    pub fn has(self, mutant: Mutant) -> bool {
        #[cfg(feature = "mutants")]
        return self.chosen == Some(mutant);
        #[cfg(not(feature = "mutants"))]
        {
            let _ = mutant;
            false
        }
    }

    /// The name of what is broken, if anything is.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Mutant::ALL.iter().find(|(mutant, _, _)| self.has(*mutant)).map(|(_, name, _)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mutant_has_a_name_of_its_own() {
        for (mutant, name, about) in Mutant::ALL {
            assert_eq!(Mutant::find(name), Some(*mutant));
            assert!(about.len() > 20, "{name} is explained");
        }
        assert_eq!(Mutant::ALL.len(), 29);
    }

    #[test]
    fn only_builds_with_mutants_have_them() {
        let mutants = Mutants::with(Mutant::ElectsAnybody);
        assert_eq!(mutants.is_some(), cfg!(feature = "mutants"));
        assert_eq!(mutants.and_then(Mutants::name), cfg!(feature = "mutants").then_some("elects_anybody"));
        assert!(!Mutants::none().has(Mutant::ElectsAnybody));
    }
}
