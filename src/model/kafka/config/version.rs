//! Versions of Kafka, and the mechanisms in which they differ.

/// Whose defaults and mechanisms apply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Version {
    /// 0.8.2, with the clients of 0.9, the first whose groups have a coordinator: ZooKeeper, unclean election by default,
    /// high-watermark truncation, no idempotence.
    V0_8,
    /// 0.11: idempotence, transactions, leader epochs.
    V0_11,
    /// 2.8: the last long-lived one on ZooKeeper by default.
    V2_8,
    /// 3.9: KRaft, idempotence by default, `acks=all` by default.
    V3_9,
    /// 4.0: transactions v2, broker-driven groups; eligible leader replicas where they are switched on.
    V4_0,
}

impl Version {
    /// All, the oldest first.
    pub const ALL: [Version; 5] = [Version::V0_8, Version::V0_11, Version::V2_8, Version::V3_9, Version::V4_0];

    /// As it is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Version::V0_8 => "0.8",
            Version::V0_11 => "0.11",
            Version::V2_8 => "2.8",
            Version::V3_9 => "3.9",
            Version::V4_0 => "4.0",
        }
    }
}

/// How a follower whose log has diverged finds out what to cut off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Truncation {
    /// To its own high watermark, at every change of leader (before KIP-101): may lose and may diverge.
    HighWatermark,
    /// To where the leader's log says that the epoch ended.
    LeaderEpoch,
}

/// Who decides on leaders.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Control {
    /// A ZooKeeper ensemble keeps the state; one broker is the controller; brokers hold sessions.
    ZooKeeper,
    /// A quorum of controllers keeps the metadata log; brokers follow it.
    KRaft,
}

/// The mechanisms that differ between versions.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Mechanisms {
    /// How logs are reconciled.
    pub truncation: Truncation,
    /// Who decides.
    pub control: Control,
    /// Whether the high watermark stands still while fewer than `min.insync.replicas` are in sync (3.7, for KIP-966).
    pub watermark_needs_min_isr: bool,
    /// Eligible leader replicas (KIP-966).
    pub eligible_leader_replicas: bool,
    /// A producer's epoch goes up with every transaction (KIP-890, transactions v2).
    pub epoch_per_transaction: bool,
    /// The coordinator checks that a partition is in the transaction before the leader appends (KIP-890 part 1).
    pub verify_transactions: bool,
    /// Candidates ask first whether they would be elected (KIP-996).
    pub pre_vote: bool,
}
