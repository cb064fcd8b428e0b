//! Twins that get one rule wrong: the comparison with random histories must notice each.

use crate::check::tests::notation::{judge, log_names};

use super::random::{random_history, said};
use super::twin::Twin;

/// A rule that a twin gets wrong on purpose: random histories must show it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flaw {
    /// An assignment does not end a row of steps.
    ForgetsAssigned,
    /// Nor does a revocation.
    ForgetsRevoked,
    /// All steps are within one poll.
    ForgetsPolls,
    /// Every offset that was left out is a skip.
    GapsAreSkips,
    /// What left by a declared way is skipped.
    LeftIsSkipped,
    /// What lies below an expired message is skipped.
    BelowExpiredIsSkipped,
    /// A failed message is skipped.
    FailedIsSkipped,
    /// A message of a transaction without a good end is skipped.
    OpenIsSkipped,
    /// What compaction may have removed after the group had it is skipped.
    CompactedIsSkipped,
    /// A write is lost when one group did not read it.
    LostForOneGroup,
    /// A write is lost wherever the readers are.
    LostAnywhere,
    /// A held message is lost.
    HeldIsLost,
    /// A message that left by a declared way is lost.
    LeftIsLost,
    /// What was read of an open transaction must be there.
    OpenIsLost,
    /// Everybody is owed everything.
    AllAreOwed,
    /// An operation with an unknown end was told its place as well.
    UnknownIsTold,
    /// A message may stand in two logs of a topic.
    DuplicateInOneLog,
    /// What was read before it failed is no aborted read.
    AbortedOnlyAfterwards,
    /// Only the first group counts.
    AbortedOnce,
    /// Nobody may read what anybody put into a transaction.
    PrecommittedForAll,
    /// A transaction has not ended before everybody has heard of it.
    PrecommittedForEver,
    /// A transaction that ended well may be missing as a whole.
    TornOnlyWhenSeen,
    /// A failed message is missing in its transaction.
    FailedIsTorn,
    /// The last of a key is the one that was acknowledged last.
    LatestByTime,
    /// An acknowledged message without its place is in a compacted log.
    SupersededUnchecked,
    /// What may have landed is not there.
    ForgetsDoubt,
    /// What is carried on was not sent.
    ForgetsCarried,
}

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
