//! What of Kafka is modelled here, what in a simpler form, and what not at all.

use super::super::{ScopeRow, Standing};

const fn row(standing: Standing, rule: &'static str, note: &'static str) -> ScopeRow {
    ScopeRow { rule, standing, note }
}

/// The scope table: the rules in the order of a message's way. The keys that are known and refused, each with its reason, are in the
/// list of keys.
pub const SCOPE: &[ScopeRow] = &[
    row(
        Standing::Modelled,
        "defaults, keys and refusals by version",
        "0.8, 0.11, 2.8, 3.9 and 4.0; a key that a version does not have is refused in it [S:kafka *Config.java, upgrade.html]",
    ),
    row(
        Standing::Modelled,
        "mechanisms apart from versions",
        "truncation, who controls, strict min ISR, eligible leader replicas, transactions v2, pre-vote; any can be chosen for itself",
    ),
    // Logs and replication.
    row(
        Standing::Modelled,
        "a replica's state",
        "batches with leader epoch, producer id, epoch and sequence number; end, high watermark, last stable offset, epoch cache [S:kafka UnifiedLog]",
    ),
    row(
        Standing::Modelled,
        "follower fetches",
        "offset, current and last fetched epoch, registration; the leader learns the follower's end; the watermark comes back a round trip later",
    ),
    row(Standing::Modelled, "truncation", "by leader epochs (KIP-101, KIP-279), or to the high watermark as before 0.11"),
    row(
        Standing::Modelled,
        "in-sync replicas",
        "out by `replica.lag.time.max.ms`; in again at the high watermark and the epoch's beginning; changes are proposed, meanwhile the larger set counts [S:kafka Partition.scala]",
    ),
    row(
        Standing::Modelled,
        "high watermark",
        "the least end of the (larger) in-sync set; stands still below `min.insync.replicas` from 3.7 on (KAFKA-15583)",
    ),
    row(
        Standing::Modelled,
        "acks 0, 1, all",
        "NOT_ENOUGH_REPLICAS before, NOT_ENOUGH_REPLICAS_AFTER_APPEND after the append, which leaves it open whether the record counts",
    ),
    row(
        Standing::Modelled,
        "page cache and flush",
        "nothing is synced unless `flush.messages` or `flush.ms` say so; a kill leaves what was written, a power failure does not",
    ),
    row(
        Standing::Modelled,
        "recovery",
        "checkpoints of high watermarks and recovery points; a log is cut to its longest valid beginning after a power failure",
    ),
    row(
        Standing::Modelled,
        "retention by time and size, by segments",
        "only closed segments below the high watermark go [S:kafka UnifiedLog]",
    ),
    row(
        Standing::Simplified,
        "compaction",
        "the last record of each key is kept, offsets never change; keys have no deletions (tombstones)",
    ),
    row(Standing::Simplified, "disks", "one log directory a broker; a failed write takes the whole broker's disk out of service"),
    // Control.
    row(
        Standing::Modelled,
        "KRaft",
        "a pull-based Raft quorum with its metadata log, pre-vote from 4.0 on; brokers register, send heartbeats, are fenced, and follow the log [S:kafka KRaftConfigs]",
    ),
    row(
        Standing::Modelled,
        "election of partition leaders",
        "any live replica in sync, then eligible ones (KIP-966), then with unclean election any; preferred leaders come back",
    ),
    row(Standing::Modelled, "tasks of administrators", "reassignment, preferred and unclean election, creation of topics, at given times"),
    row(Standing::Modelled, "controlled shutdown", "a broker that is stopped hands its leadership over first, as long as it takes"),
    row(
        Standing::Simplified,
        "ZooKeeper",
        "an ensemble with sessions and versioned partition states; the ensemble's leader decides in the controller's place and tells brokers",
    ),
    row(
        Standing::Simplified,
        "first replicas",
        "one broker after the other, each partition beginning one further; racks are not looked at",
    ),
    row(
        Standing::Simplified,
        "imbalance of leaders",
        "any imbalance is corrected, not only one above `leader.imbalance.per.broker.percentage`",
    ),
    row(Standing::Absent, "moving from ZooKeeper to KRaft, rolling upgrades", "all nodes are of one version"),
    // Producers.
    row(
        Standing::Modelled,
        "producer",
        "batches by `batch.size` and `linger.ms`, `buffer.memory`, `max.block.ms`, in-flight requests, retries, `delivery.timeout.ms` [S:kafka Sender]",
    ),
    row(
        Standing::Modelled,
        "idempotence",
        "the last five batches of each producer and partition; repetitions are answered with their first offset, gaps are refused, earlier epochs are fenced; unless `acks`, `retries` or in-flight requests switch it off silently",
    ),
    row(Standing::Simplified, "producer ids", "each broker gives them out of its own range without asking a controller"),
    row(
        Standing::Simplified,
        "partitioners",
        "murmur2 of the key; one partition for each batch; round robin. Records have keys, and slow brokers get no fewer",
    ),
    row(
        Standing::Simplified,
        "requests of one connection",
        "a broker handles one at a time and in order, as Kafka does; more in flight only hide the network's latency",
    ),
    row(Standing::Absent, "compression, quotas, interceptors, security", "sizes are those of the load; everybody may do everything"),
    // Transactions.
    row(
        Standing::Modelled,
        "transactions",
        "coordinator with its log, markers, time-outs, fencing by epoch; positions in transactions (KIP-98, KIP-447), verification and an epoch for each transaction (KIP-890)",
    ),
    row(Standing::Modelled, "isolation.level", "read_committed ends at the first open transaction and leaves aborted records out"),
    row(Standing::Absent, "two-phase commit (KIP-939)", "no outside coordinator"),
    // Groups.
    row(
        Standing::Modelled,
        "classic groups",
        "join and sync, generations, eager and cooperative assignors (range, round robin, sticky), static members, sessions and `max.poll.interval.ms` [S:kafka GroupMetadataManager]",
    ),
    row(Standing::Modelled, "broker-driven groups (KIP-848)", "from 4.0 on; uniform and range assignors"),
    row(
        Standing::Modelled,
        "positions",
        "in `__consumer_offsets`, whose partition is the hash of `group.id` as Java computes it; commits of earlier generations are refused; they expire with the group",
    ),
    row(
        Standing::Modelled,
        "consumer",
        "fetches ahead of polls, `auto.offset.reset`, automatic and own commits, processing between polls or by threads, fetching from followers (KIP-392)",
    ),
    row(
        Standing::Simplified,
        "internal topics",
        "only the partitions that some group or transactional id needs; with fewer brokers than copies they are made all the same, with a warning",
    ),
    row(Standing::Simplified, "clients in `version = \"0.8\"`", "those of 0.9, the first whose groups have a coordinator"),
    row(
        Standing::Simplified,
        "the outside database",
        "one process that commits effects and positions at once, or each effect once; not part of Kafka",
    ),
    row(
        Standing::Simplified,
        "subscriptions",
        "with `earliest` a group is entitled from the beginning, with `latest` from when its first member has its partitions",
    ),
    row(Standing::Absent, "share groups (KIP-932), Kafka Streams, Connect", "a processor is a consumer and a producer in one process"),
    row(Standing::Absent, "tiered storage, several log directories, JBOD", "all segments are on the brokers' own disks"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_something_of_its_own() {
        for (at, row) in SCOPE.iter().enumerate() {
            assert!(row.rule.len() > 4 && row.note.len() > 10, "{row:?}");
            assert!(SCOPE[..at].iter().all(|other| other.rule != row.rule), "{row:?}");
        }
        for standing in [Standing::Modelled, Standing::Simplified, Standing::Absent] {
            assert!(SCOPE.iter().any(|row| row.standing == standing));
        }
    }
}
