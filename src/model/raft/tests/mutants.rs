//! Every broken core is caught.

use super::random::{Kind, scene};
use super::rig::Rig;
use crate::model::raft::{Mutant, Mutants};

/// Where each mutant is looked for: in which kind of quorum, and from which seed on. The seeds only save time.
const fn hunting_ground(mutant: Mutant) -> (Kind, u64) {
    match mutant {
        Mutant::ForgetsVote => (Kind::Pull, 140),
        Mutant::CommitsOldTerms => (Kind::Pull, 180),
        Mutant::IgnoresLaterTerms => (Kind::Pull, 340),
        Mutant::VotesForStaleLogs | Mutant::WinsWithoutMajority | Mutant::CommitsWithoutMajority => (Kind::Pull, 0),
        Mutant::KeepsDivergence | Mutant::CompactsTooMuch => (Kind::Pull, 0),
        Mutant::VotesTwice | Mutant::ReadsWithoutAsking => (Kind::Push, 0),
        Mutant::OverlapsChanges => (Kind::Push, 15),
        Mutant::CommitsBeyondMatch | Mutant::CommitsBeforeSync | Mutant::VotesBeforeSync | Mutant::IgnoresLeaseEnd => (Kind::Lease, 0),
        Mutant::VotesDuringLease => (Kind::Lease, 260),
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
            // What it breaks shows when everything should be well again; the others break a law at once.
            let end = if *mutant == Mutant::IgnoresLaterTerms { rig.run() } else { rig.trouble() };
            end.err().map(|broken| (seed, broken))
        };
        let found = (from..from + 400).find_map(hunt);
        println!("{mutant:?}: {found:?}");
        assert!(found.is_some(), "{mutant:?} is not caught");
    }
}
