//! How a quorum is set up: time-outs, who moves the entries, what waits for the disk.

use crate::base::Span;

use super::mutants::Mutants;

/// Who moves the entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replication {
    /// Followers fetch, as in Kafka's quorum. Nodes that do not vote may fetch as well.
    Pull(Pull),
    /// The leader appends, as in the Raft paper.
    Push(Push),
}

/// Settings of a quorum whose followers fetch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pull {
    /// A follower that had no answer to a fetch for so long looks for another leader (`controller.quorum.fetch.timeout.ms`).
    pub fetch_timeout: Span,
    /// The leader answers a fetch that finds nothing new after so long.
    pub fetch_wait: Span,
    /// A fetch is sent again when no answer came for so long (`controller.quorum.request.timeout.ms`). Where messages get lost
    /// one by one, as datagrams do, it should be well below the fetch time-out: otherwise each loss is an election.
    pub request_timeout: Span,
    /// A node that was turned away asks again after so long (`controller.quorum.retry.backoff.ms`).
    pub retry_backoff: Span,
    /// Whether a waiting fetch is answered as soon as more is committed, as since Kafka 4.1. Otherwise followers
    /// learn of it by the answer to their next fetch.
    pub eager_commit: bool,
}

/// Settings of a quorum whose leader appends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Push {
    /// The leader speaks at least so often.
    pub heartbeat: Span,
    /// For so long after a majority heard the leader it answers reads without asking again. `None`: it always asks.
    /// To be safe this must be shorter than the election time-out, on the slowest clock.
    pub lease: Option<Span>,
}

/// When an entry counts as written at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Durability {
    /// When its disk has it.
    Synced,
    /// At once. What is committed may then be lost when the power fails. Terms and votes are synced all the same.
    Written,
}

/// Settings that all nodes of a quorum share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Who moves the entries.
    pub replication: Replication,
    /// An election without a winner is given up after once to twice so long; with push replication also the patience of
    /// followers with a silent leader.
    pub election_timeout: Span,
    /// A candidate that was turned away by a majority tries again after a random pause, at most so long, which doubles in
    /// expectation with each attempt. `None`: it waits for the election time-out.
    pub election_backoff_max: Option<Span>,
    /// Whether a node asks around before it raises the term (KIP-996), so that one with a broken link deposes nobody.
    pub pre_vote: bool,
    /// A leader that did not hear a majority for so long resigns. `None`: it never does.
    pub check_quorum: Option<Span>,
    /// When an entry counts as written.
    pub durability: Durability,
    /// At most so many entries go into one message.
    pub batch: usize,
    /// What is broken on purpose.
    pub mutants: Mutants,
}

impl Settings {
    /// As Kafka's controllers are set up by default: 1 s for elections, 2 s for fetches, resignation after 3 s without a
    /// majority, pre-votes.
    #[must_use]
    pub fn kraft() -> Settings {
        let fetch_timeout = Span::secs(2);
        let pull = Pull {
            fetch_timeout,
            fetch_wait: Span::millis(500),
            request_timeout: Span::secs(2),
            retry_backoff: Span::millis(20),
            eager_commit: true,
        };
        Settings {
            replication: Replication::Pull(pull),
            election_timeout: Span::secs(1),
            election_backoff_max: Some(Span::secs(1)),
            pre_vote: true,
            check_quorum: Some(fetch_timeout.scaled(3, 2)),
            durability: Durability::Synced,
            batch: 500,
            mutants: Mutants::none(),
        }
    }

    /// A common set-up of stores: 1 s for elections, a heartbeat each 100 ms, pre-votes, no leases.
    #[must_use]
    pub fn push() -> Settings {
        Settings {
            replication: Replication::Push(Push { heartbeat: Span::millis(100), lease: None }),
            election_timeout: Span::secs(1),
            election_backoff_max: None,
            pre_vote: true,
            check_quorum: Some(Span::secs(1)),
            durability: Durability::Synced,
            batch: 500,
            mutants: Mutants::none(),
        }
    }

    /// Whether leaders answer reads under a lease.
    #[must_use]
    pub const fn leases(&self) -> bool {
        match self.replication {
            Replication::Pull(_) => false,
            Replication::Push(push) => push.lease.is_some(),
        }
    }
}
