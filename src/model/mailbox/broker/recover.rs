//! How the broker starts: on what its disk holds, which at first is nothing.

use std::collections::{BTreeMap, VecDeque};

use crate::record::Note;
use crate::world::{Ctx, Hosts};

use super::super::config::{Config, Purpose, SyncPolicy, Transport};
use super::super::dedupe::{Remembered, STEPS};
use super::super::disk::BrokerDisk;
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Namer, QueueId};
use super::super::store::Queue;
use super::journal::Journal;
use super::{Broker, BrokerTimer, Line};

impl Broker {
    /// A broker with empty queues.
    fn blank<W: Hosts<Broker>>(ctx: &mut Ctx<'_, W, Broker>) -> Broker {
        let (config, me, start) = (ctx.config(), ctx.me(), ctx.life());
        let line = |(_, queue): (QueueId, &super::QueueConfig)| Line {
            queue: Queue::new(queue.limits),
            object: queue.object,
            live: !matches!(queue.purpose, Purpose::Subscription { durable: false, .. }),
            kept: Broker::is_kept(config, queue),
            turn: me,
        };
        let forgetful = config.mutants.has(Mutant::DedupeNotPersisted);
        Broker {
            namer: Namer::new(ctx.random(), start, config.transport == Transport::Datagram),
            lines: config.queue_ids().map(line).collect(),
            sessions: BTreeMap::new(),
            known: config.broker.window.map(Remembered::new),
            keeps_keys: config.broker.durable && config.broker.window_durable && !forgetful,
            last_of: BTreeMap::new(),
            journal: Journal::new(config),
            visibility: BTreeMap::new(),
            late: VecDeque::new(),
        }
    }

    /// Starts.
    pub(super) fn recover<W: Hosts<Broker>>(ctx: &mut Ctx<'_, W, Broker>) -> Broker {
        let config = ctx.config();
        let mut broker = Broker::blank(ctx);
        if config.broker.durable && !config.mutants.has(Mutant::LosesOnRestart) {
            let disk = ctx.recover();
            if !disk.is_blank() {
                broker.read(&disk, ctx);
            }
        }
        for (id, queue) in config.queue_ids() {
            match queue.purpose {
                // What was declared is there from the start; what came with a consumer went with the process.
                Purpose::Subscription { durable: true, .. } => ctx.note(Note::Subscribe { group: queue.object }),
                Purpose::Subscription { durable: false, .. } => ctx.note(Note::Unsubscribe { group: queue.object }),
                Purpose::PointToPoint | Purpose::DeadLetters => {}
            }
            debug_assert!(broker.line(id).queue.check().is_ok(), "what is restored is in order");
        }
        broker.set_timers(config, ctx);
        broker.sync_if_due(ctx);
        broker
    }

    fn set_timers<W: Hosts<Broker>>(&self, config: &Config, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(config.heartbeat, BrokerTimer::Sweep);
        if let (SyncPolicy::Interval(interval), true) = (config.broker.sync, config.broker.durable) {
            ctx.timer(interval, BrokerTimer::SyncDue);
        }
        if let Some(span) = config.broker.window.and_then(|window| window.span) {
            ctx.timer(span.scaled(1, STEPS), BrokerTimer::Forget);
        }
    }

    /// Takes up what the disk holds. Where confirmations wait for the disk, nothing of it counts as safe until it was written
    /// anew and synced: the process that wrote it may have died between writing and syncing.
    fn read<W: Hosts<Broker>>(&mut self, disk: &BrokerDisk, ctx: &mut Ctx<'_, W, Broker>) {
        let checks = ctx.config().checksum && !ctx.config().mutants.has(Mutant::DeliversCorruptBodies);
        let mut damaged = Vec::new();
        let mut found = 0;
        for (line, (messages, next)) in self.lines.iter_mut().zip(&disk.queues) {
            for (seq, kept) in messages {
                if checks && !kept.parcel.is_intact() {
                    damaged.push((kept.parcel.producer, kept.parcel.payload));
                    continue;
                }
                line.queue.restore(*seq, kept.parcel, (kept.arrived, kept.deliveries));
                found += 1;
            }
            line.queue.skip_to(*next);
        }
        if let Some(known) = self.known.as_mut() {
            // A message that is thrown away must not be remembered: a repetition would be confirmed without being stored.
            for (number, key) in disk.keys.iter().filter(|(_, key)| !damaged.contains(key)) {
                known.restore(*number, *key, 1);
            }
            known.skip_to(disk.next_key);
        }
        ctx.say(None, || format!("messages on its disk: {found}"));
        if found > 0 {
            ctx.mark(marks::RECOVERED);
        }
        for (_, payload) in &damaged {
            ctx.mark(marks::DAMAGED_ON_DISK);
            ctx.say(Some(*payload), || format!("{payload} was damaged on the disk and is thrown away"));
        }
        self.write_anew(ctx);
        for id in ctx.config().queue_ids().map(|(id, _)| id) {
            let end = self.line(id).queue.next_seq();
            self.reveal_when_safe(id, end);
        }
    }
}
