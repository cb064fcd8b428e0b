//! What a producer makes of an answer, or of none: whether it may try again, and whether the attempt may have been stored.

use crate::record::Reason;

use super::super::protocol::Acks;
use super::super::refusal::Refusal;

/// Why an attempt did not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Why {
    /// The broker said so.
    Refused(Refusal),
    /// The connection ended before an answer came.
    Lost,
    /// No answer within `request.timeout.ms`.
    TimedOut,
    /// Nobody listened: nothing was sent.
    Unreached,
}

impl Why {
    /// In the words of operations' ends.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Why::Refused(refusal) => Reason(refusal.code()),
            Why::Lost => Reason("the connection broke"),
            Why::TimedOut => Reason("no answer in time"),
            Why::Unreached => Reason("nobody listened"),
        }
    }

    /// Whether the batch may be stored all the same, now or later. With `acks=all` a leader answers after it has appended: when it
    /// lost its office meanwhile, or the partition, its refusal looks like one that comes before.
    pub(super) fn leaves_doubt(self, acks: Acks) -> bool {
        match self {
            Why::Refused(refusal) => match kind(refusal) {
                Kind::AfterAppend => true,
                Kind::Leader => acks == Acks::All,
                Kind::Retriable | Kind::Fatal => false,
            },
            Why::Lost | Why::TimedOut => true,
            Why::Unreached => false,
        }
    }

    /// Whether trying again may help, sequence numbers aside.
    pub(super) fn is_retriable(self) -> bool {
        match self {
            Why::Refused(refusal) => kind(refusal) != Kind::Fatal,
            Why::Lost | Why::TimedOut | Why::Unreached => true,
        }
    }

    /// Whether the producer's idea of who leads is in question.
    pub(super) fn asks_for_metadata(self) -> bool {
        match self {
            Why::Refused(refusal) => kind(refusal) == Kind::Leader || refusal == Refusal::KafkaStorageError,
            Why::Lost | Why::TimedOut | Why::Unreached => true,
        }
    }
}

/// Kinds of refusals of a produce request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Try again; nothing was appended.
    Retriable,
    /// Try again, perhaps elsewhere.
    Leader,
    /// Try again; it is in the log already, or may be.
    AfterAppend,
    /// Never.
    Fatal,
}

/// Kafka's table [S:kafka common/errors: RetriableException, InvalidMetadataException].
const fn kind(refusal: Refusal) -> Kind {
    match refusal {
        Refusal::NotLeaderOrFollower | Refusal::LeaderNotAvailable | Refusal::FencedLeaderEpoch | Refusal::UnknownTopicOrPartition => {
            Kind::Leader
        }
        Refusal::NotEnoughReplicasAfterAppend | Refusal::RequestTimedOut | Refusal::KafkaStorageError => Kind::AfterAppend,
        Refusal::NotEnoughReplicas
        | Refusal::UnknownLeaderEpoch
        | Refusal::CorruptMessage
        | Refusal::UnstableOffsetCommit
        | Refusal::ConcurrentTransactions
        | Refusal::NotCoordinator
        | Refusal::CoordinatorLoadInProgress
        | Refusal::CoordinatorNotAvailable
        | Refusal::NotController => Kind::Retriable,
        Refusal::OutOfOrderSequenceNumber
        | Refusal::UnknownProducerId
        | Refusal::InvalidProducerEpoch
        | Refusal::ProducerFenced
        | Refusal::InvalidTxnState
        | Refusal::InvalidProducerIdMapping
        | Refusal::InvalidTransactionTimeout
        | Refusal::TransactionAbortable
        | Refusal::TransactionCoordinatorFenced
        | Refusal::OffsetOutOfRange
        | Refusal::IllegalGeneration
        | Refusal::UnknownMemberId
        | Refusal::MemberIdRequired
        | Refusal::RebalanceInProgress
        | Refusal::FencedInstanceId
        | Refusal::InvalidSessionTimeout
        | Refusal::InconsistentGroupProtocol
        | Refusal::FencedMemberEpoch
        | Refusal::StaleMemberEpoch
        | Refusal::UnreleasedInstanceId
        | Refusal::StaleBrokerEpoch
        | Refusal::BrokerIdNotRegistered
        | Refusal::DuplicateBrokerRegistration
        | Refusal::InvalidUpdateVersion
        | Refusal::IneligibleReplica
        | Refusal::NewLeaderElected
        | Refusal::InvalidRequest
        | Refusal::TopicAlreadyExists
        | Refusal::InvalidReplicationFactor
        | Refusal::MessageTooLarge
        | Refusal::UnsupportedVersion => Kind::Fatal,
    }
}

/// Whether asking a coordinator or broker again may help.
pub(super) fn may_ask_again(refusal: Refusal) -> bool {
    kind(refusal) != Kind::Fatal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        let table = [
            (Why::Refused(Refusal::NotEnoughReplicas), (false, false), true, false),
            (Why::Refused(Refusal::NotEnoughReplicasAfterAppend), (true, true), true, false),
            (Why::Refused(Refusal::RequestTimedOut), (true, true), true, false),
            (Why::Refused(Refusal::NotLeaderOrFollower), (false, true), true, true),
            (Why::Refused(Refusal::MessageTooLarge), (false, false), false, false),
            (Why::Refused(Refusal::InvalidProducerEpoch), (false, false), false, false),
            (Why::Refused(Refusal::KafkaStorageError), (true, true), true, true),
            (Why::Lost, (true, true), true, true),
            (Why::TimedOut, (true, true), true, true),
            (Why::Unreached, (false, false), true, true),
        ];
        for (why, (leader, all), retriable, metadata) in table {
            assert_eq!((why.leaves_doubt(Acks::Leader), why.leaves_doubt(Acks::All)), (leader, all), "{why:?}");
            assert_eq!((why.is_retriable(), why.asks_for_metadata()), (retriable, metadata), "{why:?}");
        }
    }
}
