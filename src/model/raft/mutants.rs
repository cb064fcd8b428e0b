//! Quorums that are broken on purpose, to prove that the tests notice.
//!
//! They exist only with the cargo feature `mutants`; without it [`Mutants::has`] is constantly false and the compiler
//! removes every branch that asks.

/// One way to be broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mutant {
    /// A node that starts again does not know whom it gave its vote.
    ForgetsVote,
    /// A vote leaves before the disk has it.
    VotesBeforeSync,
    /// A node gives its vote to a candidate whose log is shorter.
    VotesForStaleLogs,
    /// A node gives its vote to everybody who asks.
    VotesTwice,
    /// A candidate needs one vote less than a majority.
    WinsWithoutMajority,
    /// A leader counts replicas of entries of earlier terms.
    CommitsOldTerms,
    /// A leader counts one replica less than a majority.
    CommitsWithoutMajority,
    /// An entry counts before the disk has it.
    CommitsBeforeSync,
    /// A follower whose log parts from the leader's goes on as if it did not.
    KeepsDivergence,
    /// A follower believes the leader's commit offset for entries that it has not compared.
    CommitsBeyondMatch,
    /// A follower takes entries from the leader of an earlier term.
    ObeysEarlierTerms,
    /// A leader answers reads although its lease has run out.
    IgnoresLeaseEnd,
    /// A node gives its vote although the leader's lease may last.
    VotesDuringLease,
    /// A leader answers reads without asking whether it still leads.
    ReadsWithoutAsking,
    /// A snapshot drops entries that stand behind it.
    CompactsTooMuch,
    /// Two changes of the voters may be under way at once.
    OverlapsChanges,
}

impl Mutant {
    /// All of them.
    pub const ALL: &'static [Mutant] = &[
        Mutant::ForgetsVote,
        Mutant::VotesBeforeSync,
        Mutant::VotesForStaleLogs,
        Mutant::VotesTwice,
        Mutant::WinsWithoutMajority,
        Mutant::CommitsOldTerms,
        Mutant::CommitsWithoutMajority,
        Mutant::CommitsBeforeSync,
        Mutant::KeepsDivergence,
        Mutant::CommitsBeyondMatch,
        Mutant::ObeysEarlierTerms,
        Mutant::IgnoresLeaseEnd,
        Mutant::VotesDuringLease,
        Mutant::ReadsWithoutAsking,
        Mutant::CompactsTooMuch,
        Mutant::OverlapsChanges,
    ];
}

/// Which mutant a configuration asks for, if this build has any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mutants {
    #[cfg(feature = "mutants")]
    chosen: Option<Mutant>,
}

impl Mutants {
    /// The honest core.
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
}
