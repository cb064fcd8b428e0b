//! Keys of Kafka that are known and not modelled: refused, each with the reason.

use crate::base::value::KeySpec;

/// A table of names under reasons.
macro_rules! absent {
    ($(#[doc = $doc:literal] $table:ident: $($why:literal => [$($name:literal),* $(,)?])*;)*) => {$(
        #[doc = $doc]
        pub(super) const $table: &[KeySpec] = &[$($(KeySpec::not_modelled($name, $why),)*)*];
    )*};
}

absent! {
    /// Keys of brokers.
    BROKER_ABSENT:
        "brokers are numbered from 1: broker-1, broker-2, …" => [
            "broker.id", "broker.id.generation.enable", "reserved.broker.max.id", "node.id",
        ]
        "say `racks = [\"a\", \"b\", …]`: one for each broker" => ["broker.rack"]
        "brokers and controllers are processes of their own: `brokers` and `controllers` say how many" => [
            "process.roles", "controller.quorum.voters", "controller.quorum.bootstrap.servers", "controller.listener.names",
        ]
        "addresses, listeners and host names: nodes find each other by name" => [
            "listeners", "advertised.listeners", "listener.security.protocol.map", "inter.broker.listener.name",
            "control.plane.listener.name", "host.name", "port", "advertised.host.name", "advertised.port", "early.start.listeners",
        ]
        "files and directories: a broker has one disk" => [
            "log.dir", "log.dirs", "metadata.log.dir", "log.preallocate", "log.dir.failure.timeout.ms",
            "num.replica.alter.log.dirs.threads",
        ]
        "threads are not counted: say how fast a node is with `[cpu]`" => [
            "num.network.threads", "num.io.threads", "background.threads", "num.replica.fetchers",
            "num.recovery.threads.per.data.dir", "log.cleaner.threads", "queued.max.requests", "queued.max.request.bytes",
        ]
        "sockets and connections are not counted: see `[network]`" => [
            "socket.send.buffer.bytes", "socket.receive.buffer.bytes", "socket.request.max.bytes", "socket.listen.backlog.size",
            "replica.socket.receive.buffer.bytes", "connections.max.idle.ms", "max.connections", "max.connections.per.ip",
            "max.connections.per.ip.overrides", "max.connection.creation.rate", "connection.failed.authentication.delay.ms",
            "controller.socket.timeout.ms",
        ]
        "records are not compressed: their size is that of the load" => [
            "compression.type", "compression.gzip.level", "compression.lz4.level", "compression.zstd.level",
            "offsets.topic.compression.codec",
        ]
        "security: everybody may do everything, and nothing is encrypted" => [
            "security.inter.broker.protocol", "sasl.enabled.mechanisms", "sasl.mechanism.inter.broker.protocol",
            "sasl.mechanism.controller.protocol", "sasl.jaas.config", "sasl.kerberos.service.name", "ssl.keystore.location",
            "ssl.keystore.password", "ssl.keystore.type", "ssl.key.password", "ssl.truststore.location", "ssl.truststore.password",
            "ssl.truststore.type", "ssl.client.auth", "ssl.protocol", "ssl.enabled.protocols", "ssl.cipher.suites",
            "ssl.endpoint.identification.algorithm", "authorizer.class.name", "principal.builder.class", "super.users",
            "allow.everyone.if.no.acl.found",
        ]
        "delegation tokens: there is no security" => [
            "delegation.token.master.key", "delegation.token.secret.key", "delegation.token.max.lifetime.ms",
            "delegation.token.expiry.time.ms", "delegation.token.expiry.check.interval.ms",
        ]
        "quotas: nobody is slowed down" => [
            "quota.producer.default", "quota.consumer.default", "quota.window.num", "quota.window.size.seconds",
            "replication.quota.window.num", "replication.quota.window.size.seconds", "controller.quota.window.num",
            "controller.quota.window.size.seconds", "client.quota.callback.class",
        ]
        "tiered storage: all segments are on the brokers' own disks" => [
            "remote.log.storage.system.enable", "remote.log.storage.manager.class.name", "remote.log.storage.manager.class.path",
            "remote.log.metadata.manager.class.name", "remote.log.manager.task.interval.ms", "remote.log.manager.thread.pool.size",
            "remote.log.reader.threads", "remote.fetch.max.wait.ms", "log.local.retention.ms", "log.local.retention.bytes",
        ]
        "metrics and logs of brokers: the report has its own" => [
            "metric.reporters", "metrics.num.samples", "metrics.sample.window.ms", "metrics.recording.level",
            "kafka.metrics.reporters", "kafka.metrics.polling.interval.secs", "auto.include.jmx.reporter", "telemetry.max.bytes",
        ]
        "time stamps of records are not looked at: age counts from when a leader appended" => [
            "log.message.timestamp.type", "log.message.timestamp.difference.max.ms", "log.message.timestamp.before.max.ms",
            "log.message.timestamp.after.max.ms",
        ]
        "formats: all speak the same version" => [
            "inter.broker.protocol.version", "log.message.format.version", "log.message.downconversion.enable",
        ]
        "indexes: records are found at once" => ["log.index.interval.bytes", "log.index.size.max.bytes"]
        "the cleaner runs where a topic's `cleanup.policy` asks for it" => [
            "log.cleaner.enable", "log.cleaner.dedupe.buffer.size", "log.cleaner.io.buffer.size",
            "log.cleaner.io.buffer.load.factor", "log.cleaner.io.max.bytes.per.second",
        ]
        "deletions are not modelled: a record of a compacted topic has a value" => [
            "log.cleaner.delete.retention.ms", "delete.topic.enable",
        ]
        "the cleaner may leave a record alone for ever" => ["log.cleaner.max.compaction.lag.ms"]
        "all segments of a topic would be closed at once; here each is closed by its own clock" => [
            "log.roll.jitter.ms", "log.roll.jitter.hours",
        ]
        "a removed segment is gone at once" => ["log.segment.delete.delay.ms"]
        "the operating system decides unless `log.flush.interval.ms` is written" => ["log.flush.scheduler.interval.ms"]
        "where logs begin is written down with the recovery point" => ["log.flush.start.offset.checkpoint.interval.ms"]
        "a follower is out of sync by time only, as from 0.9 on" => ["replica.lag.max.messages"]
        "a request that waits costs nothing" => [
            "fetch.purgatory.purge.interval.requests", "producer.purgatory.purge.interval.requests",
            "delete.records.purgatory.purge.interval.requests",
        ]
        "the bound of a client's fetch is the client's own" => ["fetch.max.bytes", "max.incremental.fetch.session.cache.slots"]
        "a broker that is stopped tries to hand over until it succeeds or is killed" => [
            "controlled.shutdown.max.retries", "controlled.shutdown.retry.backoff.ms",
        ]
        "any imbalance is corrected" => ["leader.imbalance.per.broker.percentage"]
        "commits wait for all in-sync replicas" => ["offsets.commit.required.acks"]
        "positions are loaded at the disk's speed" => [
            "offsets.load.buffer.size", "transaction.state.log.load.buffer.size", "offset.metadata.max.bytes",
        ]
        "expired positions and ids are looked for by each coordinator in its own time" => [
            "offsets.retention.check.interval.ms", "transaction.remove.expired.transaction.cleanup.interval.ms",
        ]
        "groups have as many members as the scenario says" => ["group.max.size", "group.consumer.max.size"]
        "bounds that would only refuse settings" => [
            "group.consumer.min.session.timeout.ms", "group.consumer.max.session.timeout.ms",
            "group.consumer.min.heartbeat.interval.ms", "group.consumer.max.heartbeat.interval.ms",
        ]
        "which protocols there are goes with the version" => [
            "group.coordinator.rebalance.protocols", "group.consumer.assignors", "group.consumer.migration.policy",
        ]
        "a coordinator works as fast as its node" => ["group.coordinator.threads", "group.coordinator.append.linger.ms"]
        "share groups are not modelled" => [
            "group.share.enable", "group.share.session.timeout.ms", "group.share.heartbeat.interval.ms",
            "group.share.record.lock.duration.ms", "group.share.delivery.count.limit",
        ]
        "controllers write what they decide at once" => ["controller.quorum.append.linger.ms", "controller.quorum.retry.backoff.ms"]
        "the metadata log is not shortened in a run" => [
            "metadata.log.segment.bytes", "metadata.log.segment.ms", "metadata.log.max.record.bytes.between.snapshots",
            "metadata.log.max.snapshot.interval.ms", "metadata.max.retention.bytes", "metadata.max.retention.ms",
            "metadata.max.idle.interval.ms",
        ]
        "a broker registers as soon as it can" => ["initial.broker.registration.timeout.ms"]
        "say `mechanisms = { eligible.leader.replicas.version = \"1\" }`" => ["eligible.leader.replicas.enable"]
        "all that speaks to ZooKeeper finds it by name" => [
            "zookeeper.connect", "zookeeper.connection.timeout.ms", "zookeeper.sync.time.ms", "zookeeper.max.in.flight.requests",
            "zookeeper.set.acl", "zookeeper.ssl.client.enable", "zookeeper.clientCnxnSocket",
        ]
        "moving from ZooKeeper to KRaft is not modelled" => ["zookeeper.metadata.migration.enable"]
        "policies that refuse topics are not modelled" => ["create.topic.policy.class.name", "alter.config.policy.class.name"]
    ;

    /// Keys of topics.
    TOPIC_ABSENT:
        "records are not compressed: their size is that of the load" => [
            "compression.type", "compression.gzip.level", "compression.lz4.level", "compression.zstd.level",
        ]
        "deletions are not modelled: a record of a compacted topic has a value" => ["delete.retention.ms"]
        "the cleaner may leave a record alone for ever" => ["max.compaction.lag.ms"]
        "a removed segment is gone at once" => ["file.delete.delay.ms"]
        "indexes: records are found at once" => ["index.interval.bytes", "segment.index.bytes"]
        "each segment is closed by its own clock" => ["segment.jitter.ms"]
        "quotas: nobody is slowed down" => ["follower.replication.throttled.replicas", "leader.replication.throttled.replicas"]
        "formats: all speak the same version" => ["message.format.version", "message.downconversion.enable"]
        "time stamps of records are not looked at: age counts from when a leader appended" => [
            "message.timestamp.type", "message.timestamp.difference.max.ms", "message.timestamp.before.max.ms",
            "message.timestamp.after.max.ms",
        ]
        "a broker has one disk" => ["preallocate"]
        "tiered storage: all segments are on the brokers' own disks" => [
            "remote.storage.enable", "local.retention.ms", "local.retention.bytes", "remote.log.copy.disable",
            "remote.log.delete.on.disable",
        ]
    ;

    /// Keys that producers and consumers share.
    CLIENT_ABSENT:
        "clients know all brokers by name" => ["bootstrap.servers", "client.dns.lookup", "metadata.recovery.strategy"]
        "clients are named by the scenario: NAME-1, NAME-2, …" => ["client.id"]
        "sockets are not modelled: see `[network]`" => [
            "send.buffer.bytes", "receive.buffer.bytes", "connections.max.idle.ms", "socket.connection.setup.timeout.ms",
            "socket.connection.setup.timeout.max.ms",
        ]
        "security: everybody may do everything, and nothing is encrypted" => [
            "security.protocol", "security.providers", "sasl.mechanism", "sasl.jaas.config", "sasl.kerberos.service.name",
            "sasl.login.class", "ssl.keystore.location", "ssl.keystore.password", "ssl.keystore.type", "ssl.key.password",
            "ssl.truststore.location", "ssl.truststore.password", "ssl.truststore.type", "ssl.protocol", "ssl.enabled.protocols",
            "ssl.cipher.suites", "ssl.endpoint.identification.algorithm",
        ]
        "metrics of clients: the report has its own" => [
            "metric.reporters", "metrics.num.samples", "metrics.sample.window.ms", "metrics.recording.level", "enable.metrics.push",
            "auto.include.jmx.reporter",
        ]
        "interceptors are code of the application" => ["interceptor.classes"]
        "providers only say where settings come from" => ["config.providers"]
    ;

    /// Keys of producers.
    PRODUCER_ABSENT:
        "records are not compressed: their size is that of the load" => [
            "compression.type", "compression.gzip.level", "compression.lz4.level", "compression.zstd.level",
        ]
        "payloads are numbers: nothing is serialised" => ["key.serializer", "value.serializer"]
        "what is known of a topic is kept as long as the producer lives" => ["metadata.max.idle.ms", "metadata.fetch.timeout.ms"]
        "a slow broker gets as much as a fast one" => ["partitioner.adaptive.partitioning.enable", "partitioner.availability.timeout.ms"]
        "a key of the first clients: `max.block.ms` says how long `send` waits" => ["block.on.buffer.full"]
        "a key of the first clients: `request.timeout.ms` has taken its place" => ["timeout.ms"]
        "a key of the old Scala producer: write `acks`" => ["request.required.acks"]
        "a key of the old Scala producer: write `retries`" => ["message.send.max.retries"]
        "a key of the old Scala producer, which is not modelled" => [
            "producer.type", "queue.buffering.max.ms", "queue.buffering.max.messages", "queue.enqueue.timeout.ms",
            "batch.num.messages", "compression.codec", "metadata.broker.list",
        ]
        "two-phase commit with an outside coordinator is not modelled" => ["transaction.two.phase.commit.enable"]
    ;

    /// Keys of consumers.
    CONSUMER_ABSENT:
        "payloads are numbers: nothing is deserialised" => ["key.deserializer", "value.deserializer"]
        "checksums are always looked at" => ["check.crcs"]
        "calls other than `poll` wait for `request.timeout.ms` at a time" => ["default.api.timeout.ms"]
        "topics are declared in the scenario" => ["allow.auto.create.topics", "exclude.internal.topics"]
        "a key of the old Scala consumer: write `enable.auto.commit`" => ["auto.commit.enable"]
        "a key of the old Scala consumer, which is not modelled: groups have a coordinator" => [
            "offsets.storage", "dual.commit.enabled", "rebalance.max.retries", "rebalance.backoff.ms", "zookeeper.connect",
            "zookeeper.session.timeout.ms", "fetch.message.max.bytes", "fetch.wait.max.ms", "consumer.timeout.ms",
        ]
    ;
}
