//! Every broken core is caught.

use super::random::{Kind, scene};
use super::rig::Rig;
use crate::model::raft::{Mutant, Mutants};

/// Where each mutant is looked for: in which kind of quorum, and from which seed on. The seeds only save time.
const fn hunting_ground(mutant: Mutant) -> (Kind, u64) {
    match mutant {
        Mutant::ForgetsVote => (Kind::Pull, 140),
        Mutant::VotesForStaleLogs | Mutant::WinsWithoutMajority | Mutant::CommitsOldTerms => (Kind::Pull, 0),
        Mutant::CommitsWithoutMajority | Mutant::KeepsDivergence | Mutant::CompactsTooMuch => (Kind::Pull, 0),
        Mutant::VotesTwice => (Kind::Push, 30),
        Mutant::ReadsWithoutAsking | Mutant::ObeysEarlierTerms => (Kind::Push, 0),
        Mutant::OverlapsChanges => (Kind::Push, 250),
        Mutant::CommitsBeyondMatch | Mutant::IgnoresLeaseEnd => (Kind::Lease, 0),
        Mutant::CommitsBeforeSync => (Kind::Lease, 70),
        Mutant::VotesDuringLease => (Kind::Lease, 110),
        Mutant::VotesBeforeSync => (Kind::Lease, 690),
    }
}

#[test]
fn every_mutant_is_caught() {
    for mutant in Mutant::ALL {
        let mutants = Mutants::with(*mutant);
        assert_eq!(mutants.is_some(), cfg!(feature = "mutants"), "only builds with mutants have them");
        let Some(mutants) = mutants else { continue };
        assert!(mutants.has(*mutant) && !Mutants::none().has(*mutant));
        let (kind, from) = hunting_ground(*mutant);
        let hunt = |seed| {
            let rig = Rig::new(scene(kind, seed, mutants), seed);
            rig.trouble().err().map(|broken| (seed, broken))
        };
        let found = (from..from + 1000).find_map(hunt);
        println!("{mutant:?}: {found:?}");
        assert!(found.is_some(), "{mutant:?} is not caught");
    }
}
