//! Twins that get one rule wrong: the comparison with random histories must notice each.

use crate::check::tests::notation::{judge, log_names};

use super::random::{random_history, said};
use super::twin::{Flaw, Twin};

const ALL: [Flaw; 27] = [
    Flaw::ForgetsAssigned,
    Flaw::ForgetsRevoked,
    Flaw::ForgetsPolls,
    Flaw::GapsAreSkips,
    Flaw::LeftIsSkipped,
    Flaw::BelowExpiredIsSkipped,
    Flaw::FailedIsSkipped,
    Flaw::OpenIsSkipped,
    Flaw::CompactedIsSkipped,
    Flaw::LostForOneGroup,
    Flaw::LostAnywhere,
    Flaw::HeldIsLost,
    Flaw::LeftIsLost,
    Flaw::OpenIsLost,
    Flaw::AllAreOwed,
    Flaw::UnknownIsTold,
    Flaw::DuplicateInOneLog,
    Flaw::AbortedOnlyAfterwards,
    Flaw::AbortedOnce,
    Flaw::PrecommittedForAll,
    Flaw::PrecommittedForEver,
    Flaw::TornOnlyWhenSeen,
    Flaw::FailedIsTorn,
    Flaw::LatestByTime,
    Flaw::SupersededUnchecked,
    Flaw::ForgetsDoubt,
    Flaw::ForgetsCarried,
];

#[test]
fn a_wrong_rule_shows() {
    let names = log_names();
    let judged: Vec<_> = (0..2_000).map(|seed| (random_history(seed), judge(&random_history(seed), &names).findings)).collect();
    for flaw in ALL {
        let shows = judged.iter().any(|(history, findings)| {
            let twin = Twin::new(&names, history, Some(flaw));
            findings.iter().filter(|f| f.property.is_about_logs()).any(|f| said(f) != twin.says(f.property))
        });
        assert!(shows, "{flaw:?} makes no difference");
    }
}
