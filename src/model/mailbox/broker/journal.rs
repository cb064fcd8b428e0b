//! When the disk is made to keep what was written, and what waits for it.
//!
//! Every record has a ticket. With `sync = "every_message"` a confirmation waits until its ticket is safe, and a message is
//! not handed out before; what arrives during a sync shares the next one (group commit).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::{PayloadId, Span};
use crate::world::{Ctx, Hosts, Peer};

use super::super::config::{Config, SyncPolicy};
use super::super::dedupe::{Remembered, STEPS};
use super::super::disk::{BrokerDisk, Kept, Record};
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Body, DeliveryId, QueueId};
use super::{Broker, BrokerTimer};

/// The pause after a failed sync.
const AGAIN: Span = Span::millis(100);

/// An answer that somebody waits for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// To a producer: the message is kept.
    Confirm {
        /// Which message, which copy of it.
        about: (PayloadId, u32),
        /// Which attempt.
        attempt: u32,
    },
    /// To a consumer: the message has left the queue.
    Settled {
        /// Which delivery.
        id: DeliveryId,
        /// Its payload, its copy.
        about: (PayloadId, u32),
        /// The consumer's question.
        question: u32,
    },
}

/// The books of what is written and what is safe.
#[derive(Clone, Debug)]
pub(super) struct Journal {
    /// The ticket of the last record.
    written: u64,
    /// Records up to this ticket are on the disk.
    safe: u64,
    /// A sync is under way and covers records up to this ticket.
    syncing: Option<u64>,
    /// After a failed sync: not yet.
    pausing: bool,
    /// Whether answers wait for the disk.
    waits: bool,
    /// Answers, with the ticket that each waits for.
    waiting: Vec<(u64, Peer, Answer)>,
    /// Queues with the places up to which messages may be handed out, once the ticket is safe.
    hidden: VecDeque<(u64, QueueId, u64)>,
}

impl Journal {
    pub(super) fn new(config: &Config) -> Journal {
        let waits = config.waits_for_disk();
        Journal { written: 0, safe: 0, syncing: None, pausing: false, waits, waiting: Vec::new(), hidden: VecDeque::new() }
    }

    /// A record was written.
    pub(super) fn wrote(&mut self) {
        self.written += 1;
    }

    /// The ticket of the last record.
    pub(super) fn ticket(&self) -> u64 {
        self.written
    }

    /// Whether a record is as safe as an answer needs it.
    fn is_safe(&self, ticket: u64) -> bool {
        !self.waits || ticket <= self.safe
    }

    /// Records that a power failure would take, as far as the broker knows.
    pub(super) fn unsafe_records(&self) -> u64 {
        self.written - self.safe
    }

    pub(super) fn is_syncing(&self) -> bool {
        self.syncing.is_some()
    }

    /// The pause after a failed sync is over.
    pub(super) fn try_again(&mut self) {
        self.pausing = false;
    }

    fn is_due(&self, policy: SyncPolicy) -> bool {
        match policy {
            SyncPolicy::EveryMessage => !self.waiting.is_empty() || !self.hidden.is_empty(),
            SyncPolicy::EveryN(count) => self.unsafe_records() >= u64::from(count),
            SyncPolicy::Interval(_) | SyncPolicy::Never => false,
        }
    }
}

impl Broker {
    /// Messages of a queue up to a place may be handed out as soon as what was written so far is safe. Gives whether that is now.
    pub(super) fn reveal_when_safe(&mut self, queue: QueueId, end: u64) -> bool {
        if self.journal.is_safe(self.journal.written) || !self.line(queue).kept {
            self.line_mut(queue).queue.reveal(end);
            return true;
        }
        self.journal.hidden.push_back((self.journal.written, queue, end));
        false
    }

    /// Gives an answer as soon as a record is safe.
    pub(super) fn answer_when_safe<W: Hosts<Broker>>(&mut self, ticket: u64, (peer, answer): (Peer, Answer), ctx: &mut Ctx<'_, W, Broker>) {
        let hasty = ctx.config().mutants.has(Mutant::AcksUnsynced);
        if self.journal.is_safe(ticket) || hasty {
            self.give_answer(peer, answer, ctx);
        } else {
            self.journal.waiting.push((ticket, peer, answer));
        }
    }

    fn give_answer<W: Hosts<Broker>>(&mut self, peer: Peer, answer: Answer, ctx: &mut Ctx<'_, W, Broker>) {
        let msg = match answer {
            Answer::Confirm { about, attempt } => self.namer.about(about, attempt, Body::Confirm { payload: about.0, attempt }),
            Answer::Settled { id, about, question } => {
                self.namer.about(about, id.nth, Body::Settled { id, payload: about.0, question, counted: true })
            }
        };
        Broker::answer(peer, msg, ctx);
    }

    /// Starts a sync if somebody waits for one and none is under way.
    pub(super) fn sync_if_due<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        let policy = ctx.config().broker.sync;
        if ctx.config().broker.durable && !self.journal.pausing && !self.journal.is_syncing() && self.journal.is_due(policy) {
            self.start_sync(ctx);
        }
    }

    fn start_sync<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        self.journal.syncing = Some(self.journal.written);
        ctx.sync(BrokerTimer::Synced, BrokerTimer::SyncFailed);
    }

    /// The interval between syncs is over.
    pub(super) fn sync_interval_over<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        if let SyncPolicy::Interval(interval) = ctx.config().broker.sync {
            ctx.timer(interval, BrokerTimer::SyncDue);
            if !self.journal.is_syncing() && self.journal.unsafe_records() > 0 {
                self.start_sync(ctx);
            }
        }
    }

    /// The disk has it: what waited for that goes on.
    pub(super) fn synced<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        let covered = self.journal.syncing.take().expect("a sync was under way");
        self.journal.safe = self.journal.safe.max(covered);
        let (ready, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.journal.waiting).into_iter().partition(|(ticket, ..)| *ticket <= covered);
        self.journal.waiting = later;
        for (_, peer, answer) in ready {
            self.give_answer(peer, answer, ctx);
        }
        while let Some((_, queue, end)) = self.journal.hidden.front().copied().filter(|(ticket, ..)| *ticket <= covered) {
            self.journal.hidden.pop_front();
            self.line_mut(queue).queue.reveal(end);
            self.serve(queue, ctx);
        }
    }

    /// The disk has not got it, and counts its pages as clean: another sync would succeed and save nothing. So everything is
    /// written anew, and then synced.
    pub(super) fn sync_failed<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        self.journal.syncing = None;
        self.journal.pausing = true;
        ctx.mark(marks::SYNC_FAILED);
        ctx.say(None, || "a sync failed: everything is written anew".into());
        self.write_anew(ctx);
        ctx.timer(AGAIN, BrokerTimer::SyncAgain);
    }

    /// Writes everything as it is now, in place of what was written.
    pub(super) fn write_anew<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        let image = self.image();
        self.write_small(Record::Anew(Arc::new(image)), ctx);
    }

    /// What the disk should hold.
    fn image(&self) -> BrokerDisk {
        let mut image = BrokerDisk::new(self.lines.len());
        for (line, (messages, next)) in self.lines.iter().zip(&mut image.queues) {
            *next = line.queue.next_seq();
            if line.kept {
                let kept = |(seq, parcel, (arrived, deliveries))| (seq, Kept { parcel, arrived, deliveries });
                messages.extend(line.queue.contents().map(kept));
            }
        }
        if let Some(known) = self.known.as_ref().filter(|_| self.keeps_keys) {
            image.keys = known.iter().collect();
            image.next_key = known.next_number();
            image.forgotten = image.keys.keys().next().copied().unwrap_or(image.next_key);
        }
        image
    }

    /// A step of the window for idempotence keys is over.
    pub(super) fn forget<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(span) = ctx.config().broker.window.and_then(|window| window.span) else { return };
        ctx.timer(span.scaled(1, STEPS), BrokerTimer::Forget);
        let before = self.known.as_mut().and_then(Remembered::pass);
        self.forgot(before, ctx);
    }

    /// Keys below a number were forgotten: the disk shall forget them too.
    pub(super) fn forgot<W: Hosts<Broker>>(&mut self, before: Option<u64>, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some(before) = before.filter(|_| self.keeps_keys) {
            self.write_small(Record::Forgotten { before }, ctx);
        }
    }
}
