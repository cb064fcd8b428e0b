//! Why a broker, coordinator or controller refuses: Kafka's error codes, by their names.

use std::fmt;

macro_rules! refusals {
    ($($(#[doc = $doc:literal])* $name:ident => $code:literal;)*) => {
        /// An error code of the protocol.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Refusal {
            $($(#[doc = $doc])* $name,)*
        }

        impl Refusal {
            /// Its name in Kafka's protocol.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Refusal::$name => $code,)*
                }
            }
        }
    };
}

refusals! {
    /// The broker asked does not lead the partition.
    NotLeaderOrFollower => "NOT_LEADER_OR_FOLLOWER";
    /// Nobody leads the partition.
    LeaderNotAvailable => "LEADER_NOT_AVAILABLE";
    /// The asker's leader epoch is older than the broker's.
    FencedLeaderEpoch => "FENCED_LEADER_EPOCH";
    /// The asker's leader epoch is newer than the broker's.
    UnknownLeaderEpoch => "UNKNOWN_LEADER_EPOCH";
    /// There is no such topic or partition, as far as this broker knows.
    UnknownTopicOrPartition => "UNKNOWN_TOPIC_OR_PARTITION";
    /// Fewer in-sync replicas than `min.insync.replicas`: nothing was appended.
    NotEnoughReplicas => "NOT_ENOUGH_REPLICAS";
    /// Appended, but there are fewer in-sync replicas than `min.insync.replicas` by now: it may still count.
    NotEnoughReplicasAfterAppend => "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
    /// The replicas did not have it in time: it may still count.
    RequestTimedOut => "REQUEST_TIMED_OUT";
    /// A batch before this one is missing.
    OutOfOrderSequenceNumber => "OUT_OF_ORDER_SEQUENCE_NUMBER";
    /// The broker knows nothing of this producer any more.
    UnknownProducerId => "UNKNOWN_PRODUCER_ID";
    /// There is a newer epoch of this producer.
    InvalidProducerEpoch => "INVALID_PRODUCER_EPOCH";
    /// There is a newer producer with this transactional id.
    ProducerFenced => "PRODUCER_FENCED";
    /// Not in the state for that.
    InvalidTxnState => "INVALID_TXN_STATE";
    /// The transaction before is not finished yet.
    ConcurrentTransactions => "CONCURRENT_TRANSACTIONS";
    /// Not an id that this transactional id has.
    InvalidProducerIdMapping => "INVALID_PRODUCER_ID_MAPPING";
    /// `transaction.timeout.ms` above the broker's bound.
    InvalidTransactionTimeout => "INVALID_TRANSACTION_TIMEOUT";
    /// There is a newer coordinator of the transaction.
    TransactionCoordinatorFenced => "TRANSACTION_COORDINATOR_FENCED";
    /// The transaction may not end like that any more; abort it.
    TransactionAbortable => "TRANSACTION_ABORTABLE";
    /// Outside of what the log holds.
    OffsetOutOfRange => "OFFSET_OUT_OF_RANGE";
    /// This broker does not coordinate that.
    NotCoordinator => "NOT_COORDINATOR";
    /// The coordinator still reads its state.
    CoordinatorLoadInProgress => "COORDINATOR_LOAD_IN_PROGRESS";
    /// There is no coordinator.
    CoordinatorNotAvailable => "COORDINATOR_NOT_AVAILABLE";
    /// Of an earlier or later generation than the group.
    IllegalGeneration => "ILLEGAL_GENERATION";
    /// Not a member of the group.
    UnknownMemberId => "UNKNOWN_MEMBER_ID";
    /// Come again under this name.
    MemberIdRequired => "MEMBER_ID_REQUIRED";
    /// The group is about to change: join again.
    RebalanceInProgress => "REBALANCE_IN_PROGRESS";
    /// Another member has this `group.instance.id` now.
    FencedInstanceId => "FENCED_INSTANCE_ID";
    /// `session.timeout.ms` outside of the broker's bounds.
    InvalidSessionTimeout => "INVALID_SESSION_TIMEOUT";
    /// No protocol that all members know.
    InconsistentGroupProtocol => "INCONSISTENT_GROUP_PROTOCOL";
    /// The member's epoch is ahead of or too far behind the group's.
    FencedMemberEpoch => "FENCED_MEMBER_EPOCH";
    /// The member's epoch is behind the group's.
    StaleMemberEpoch => "STALE_MEMBER_EPOCH";
    /// A static member that left for a while still holds the name.
    UnreleasedInstanceId => "UNRELEASED_INSTANCE_ID";
    /// A transaction that holds positions of the group is not decided yet.
    UnstableOffsetCommit => "UNSTABLE_OFFSET_COMMIT";
    /// This controller is not the active one.
    NotController => "NOT_CONTROLLER";
    /// This registration of the broker is not the latest.
    StaleBrokerEpoch => "STALE_BROKER_EPOCH";
    /// The controller does not know this broker.
    BrokerIdNotRegistered => "BROKER_ID_NOT_REGISTERED";
    /// Another process is registered under this number.
    DuplicateBrokerRegistration => "DUPLICATE_BROKER_REGISTRATION";
    /// The partition has changed since.
    InvalidUpdateVersion => "INVALID_UPDATE_VERSION";
    /// A replica in the proposal cannot be in sync: fenced, or of an earlier registration.
    IneligibleReplica => "INELIGIBLE_REPLICA";
    /// There is a newer leader.
    NewLeaderElected => "NEW_LEADER_ELECTED";
    /// The proposal makes no sense.
    InvalidRequest => "INVALID_REQUEST";
    /// The topic is there already.
    TopicAlreadyExists => "TOPIC_ALREADY_EXISTS";
    /// More copies than there are brokers.
    InvalidReplicationFactor => "INVALID_REPLICATION_FACTOR";
    /// The broker's disk would not.
    KafkaStorageError => "KAFKA_STORAGE_ERROR";
    /// Larger than `message.max.bytes`.
    MessageTooLarge => "MESSAGE_TOO_LARGE";
    /// The checksum does not match.
    CorruptMessage => "CORRUPT_MESSAGE";
    /// Not in this version.
    UnsupportedVersion => "UNSUPPORTED_VERSION";
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
