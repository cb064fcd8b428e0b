//! The states of a transactional id, and which may follow which.

use super::super::batch::Outcome;

/// Where a transactional id stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum State {
    /// Its producer has a session and no transaction.
    Empty,
    /// A transaction is open.
    Ongoing,
    /// Decided: it commits. Markers are under way.
    PrepareCommit,
    /// Decided: it aborts. Markers are under way.
    PrepareAbort,
    /// Every partition has the marker of the commit.
    CompleteCommit,
    /// Every partition has the marker of the abort.
    CompleteAbort,
    /// Unused for too long, and about to be forgotten.
    Dead,
    /// The producer is being shut out: its epoch goes up and its transaction aborts. Never written as such.
    PrepareEpochFence,
}

impl State {
    /// All of them.
    pub const ALL: [State; 8] = [
        State::Empty,
        State::Ongoing,
        State::PrepareCommit,
        State::PrepareAbort,
        State::CompleteCommit,
        State::CompleteAbort,
        State::Dead,
        State::PrepareEpochFence,
    ];

    /// Whether it may come right after another. With epochs for each transaction (v2) a producer may abort what never began, because it
    /// does not know whether a leader had told the coordinator.
    #[must_use]
    pub const fn may_follow(self, before: State, epoch_per_transaction: bool) -> bool {
        let resting = before.is_resting();
        match self {
            State::Empty | State::Dead => resting,
            State::Ongoing => resting || matches!(before, State::Ongoing),
            State::PrepareCommit | State::PrepareEpochFence => matches!(before, State::Ongoing),
            State::PrepareAbort => matches!(before, State::Ongoing | State::PrepareEpochFence) || (epoch_per_transaction && resting),
            State::CompleteCommit => matches!(before, State::PrepareCommit),
            State::CompleteAbort => matches!(before, State::PrepareAbort),
        }
    }

    /// Whether no transaction is open or being ended: the id may be given to a new producer, or expire.
    #[must_use]
    pub const fn is_resting(self) -> bool {
        matches!(self, State::Empty | State::CompleteCommit | State::CompleteAbort)
    }

    /// How a transaction ends that has been decided.
    #[must_use]
    pub const fn decided(self) -> Option<Outcome> {
        match self {
            State::PrepareCommit => Some(Outcome::Commit),
            State::PrepareAbort => Some(Outcome::Abort),
            State::Empty | State::Ongoing | State::CompleteCommit | State::CompleteAbort | State::Dead | State::PrepareEpochFence => None,
        }
    }

    /// How the last transaction ended.
    #[must_use]
    pub const fn completed(self) -> Option<Outcome> {
        match self {
            State::CompleteCommit => Some(Outcome::Commit),
            State::CompleteAbort => Some(Outcome::Abort),
            State::Empty | State::Ongoing | State::PrepareCommit | State::PrepareAbort | State::Dead | State::PrepareEpochFence => None,
        }
    }

    /// The decision for an outcome.
    #[must_use]
    pub const fn preparing(outcome: Outcome) -> State {
        match outcome {
            Outcome::Commit => State::PrepareCommit,
            Outcome::Abort => State::PrepareAbort,
        }
    }

    /// The end for an outcome.
    #[must_use]
    pub const fn complete(outcome: Outcome) -> State {
        match outcome {
            Outcome::Commit => State::CompleteCommit,
            Outcome::Abort => State::CompleteAbort,
        }
    }
}
