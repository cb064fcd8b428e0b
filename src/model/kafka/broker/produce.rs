//! Appending: what producers send, and what coordinators write, at the leader of a partition.

use std::sync::Arc;

use crate::base::PayloadId;
use crate::world::{Ctx, Hosts};

use super::super::batch::{Batch, Content, Stored};
use super::super::ids::{Offset, Part};
use super::super::log::Check;
use super::super::mutants::Mutant;
use super::super::protocol::{Acks, Body, Produce, ProduceReply, Produced};
use super::super::refusal::Refusal;
use super::channel::Caller;
use super::delayed::{Delayed, Waiter};
use super::replica::Awaiting;
use super::{Broker, BrokerTimer, BrokerWrite, marks};

/// Where a batch landed, and which high watermark means that it is committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Landed {
    base: Offset,
    needs: Offset,
}

impl Broker {
    /// A producer's request.
    pub(super) fn produce<W: Hosts<Broker>>(&mut self, caller: Caller, produce: &Produce, ctx: &mut Ctx<'_, W, Broker>) {
        if self.must_verify(caller, produce, ctx) {
            return;
        }
        self.append_all(caller, produce, ctx);
    }

    /// Appends what a producer sent, and answers when that is as safe as it wants.
    pub(super) fn append_all<W: Hosts<Broker>>(&mut self, caller: Caller, produce: &Produce, ctx: &mut Ctx<'_, W, Broker>) {
        let about = produce.batches.first().and_then(|(_, batch)| batch.as_records().first()).map(|record| record.payload);
        let mut results = Vec::with_capacity(produce.batches.len());
        let mut landed = Vec::with_capacity(produce.batches.len());
        for (part, batch) in &produce.batches {
            let result = self.append(*part, batch, produce.acks, ctx);
            if let Ok(place) = result {
                landed.push((*part, place.needs));
            }
            results.push(Produced { part: *part, result: result.map(|place| place.base) });
        }
        match produce.acks {
            Acks::None => self.unanswered(caller, &results, ctx),
            Acks::Leader if !self.flushes_any(&landed, ctx.config()) => self.answer_producer((caller, about), results, ctx),
            Acks::Leader => self.wait_for_flush((Waiter::Producer { caller, about }, produce.timeout), (results, landed.clone()), ctx),
            Acks::All if ctx.config().mutants.has(Mutant::AcksAllAsOne) => self.answer_producer((caller, about), results, ctx),
            Acks::All => {
                let who = Waiter::Producer { caller, about };
                self.wait_for_replicas((who, produce.timeout), (results, &landed), ctx);
            }
        }
        for (part, _) in landed {
            self.appended(part, ctx);
        }
    }

    /// With `acks=0` nobody hears anything; what went wrong shows as the end of the connection.
    fn unanswered<W: Hosts<Broker>>(&mut self, caller: Caller, results: &[Produced], ctx: &mut Ctx<'_, W, Broker>) {
        let wrong = results.iter().any(|produced| produced.result.is_err());
        match caller.peer.conn.filter(|_| wrong) {
            Some(conn) => {
                ctx.close(conn);
                self.forget_connection(conn, ctx);
            }
            None => self.unmute(caller, ctx),
        }
    }

    /// Answers a producer.
    pub(super) fn answer_producer<W: Hosts<Broker>>(
        &mut self,
        (caller, about): (Caller, Option<PayloadId>),
        results: Vec<Produced>,
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        self.answer(caller, about, Body::ProduceReply(Box::new(ProduceReply { results })), ctx);
    }

    /// A batch of the broker's own, by one of its coordinators or for one elsewhere.
    pub(super) fn append_own<W: Hosts<Broker>>(&mut self, part: Part, batch: Batch, who: Waiter, ctx: &mut Ctx<'_, W, Broker>) {
        let timeout = ctx.config().broker.offsets_commit_timeout;
        self.append_within(part, batch, (who, timeout), ctx);
    }

    /// The same, with a time for the replicas.
    pub(super) fn append_within<W: Hosts<Broker>>(
        &mut self,
        part: Part,
        batch: Batch,
        wait: (Waiter, crate::base::Span),
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let result = self.append(part, &Arc::new(batch), Acks::All, ctx);
        let results = vec![Produced { part, result: result.map(|place| place.base) }];
        let landed: Vec<(Part, Offset)> = result.iter().map(|place| (part, place.needs)).collect();
        self.wait_for_replicas(wait, (results, &landed), ctx);
        if result.is_ok() {
            self.appended(part, ctx);
        }
    }

    /// Appends one batch as the leader of its partition.
    fn append<W: Hosts<Broker>>(
        &mut self,
        part: Part,
        batch: &Arc<Batch>,
        acks: Acks,
        ctx: &mut Ctx<'_, W, Broker>,
    ) -> Result<Landed, Refusal> {
        let config = ctx.config();
        let topic = config.topic_of(part);
        let Some(replica) = self.replicas.get_mut(part.index()).and_then(Option::as_mut) else {
            return Err(Refusal::UnknownTopicOrPartition);
        };
        let Some(leading) = replica.leading() else { return Err(Refusal::NotLeaderOrFollower) };
        let epoch = leading.epoch;
        let few = leading.isr.len() < topic.min_insync_replicas as usize;
        if acks == Acks::All && few && !config.mutants.has(Mutant::MinIsrIgnored) {
            ctx.mark(marks::NOT_ENOUGH_REPLICAS);
            return Err(Refusal::NotEnoughReplicas);
        }
        if matches!(batch.content, Content::Records(_)) && batch.bytes > topic.max_message_bytes {
            return Err(Refusal::MessageTooLarge);
        }
        match replica.log.check(batch, config.mutants) {
            Ok(Check::Fresh) => {}
            Ok(Check::Duplicate { base, end }) => {
                ctx.mark(marks::DEDUPLICATED);
                tell(batch, ctx, |payload| format!("{payload} is there already, at {base}: the batch is not appended again"));
                return Ok(Landed { base, needs: end });
            }
            Err(refusal) => {
                ctx.mark(if refusal == Refusal::InvalidProducerEpoch { marks::FENCED_PRODUCER } else { marks::SEQUENCE_REFUSED });
                return Err(refusal);
            }
        }
        let stored = Stored { base: replica.log.end(), epoch, at: ctx.now(), batch: Arc::clone(batch) };
        if ctx.write(BrokerWrite::append(part, &replica.log, stored.clone())).is_err() {
            return Err(Refusal::KafkaStorageError);
        }
        let (base, needs) = (stored.base, stored.end());
        tell(batch, ctx, |payload| format!("{payload} is appended to {} in the batch at {base}", config.part_name(part)));
        replica.log.append(stored);
        Ok(Landed { base, needs })
    }

    /// After an append: the log is flushed if it is to be, the high watermark may move, and those that wait for news get them.
    fn appended<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        self.flush_if_due(part, ctx);
        self.wake(part, super::fetch::News::Appended, ctx);
        self.advance(part, ctx);
    }

    /// Answers when all in-sync replicas have it, or the time is over.
    pub(super) fn wait_for_replicas<W: Hosts<Broker>>(
        &mut self,
        (who, timeout): (Waiter, crate::base::Span),
        (results, landed): (Vec<Produced>, &[(Part, Offset)]),
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let open = landed.iter().map(|(part, _)| *part).collect();
        let number = self.waiting.add(who, results, open);
        if landed.is_empty() {
            if let Some(delayed) = self.waiting.expired(number) {
                self.decided(delayed, ctx);
            }
            return;
        }
        let timer = ctx.timer(timeout, BrokerTimer::Delayed { number });
        self.waiting.set_timer(number, timer);
        for (part, needs) in landed {
            let Some(leading) = self.replicas[part.index()].as_mut().and_then(|replica| replica.leading_mut()) else { continue };
            leading.wait(Awaiting { needs: *needs, who: number });
        }
        for (part, _) in landed {
            self.committed(*part, ctx);
        }
    }

    /// Tells those who waited for what is committed by now.
    pub(super) fn committed<W: Hosts<Broker>>(&mut self, part: Part, ctx: &mut Ctx<'_, W, Broker>) {
        let min = ctx.config().topic_of(part).min_insync_replicas as usize;
        loop {
            let Some(replica) = self.replicas[part.index()].as_mut() else { return };
            let high_watermark = replica.high_watermark;
            let Some(leading) = replica.leading_mut() else { return };
            let few = leading.isr.len() < min;
            let Some(next) = leading.awaiting.pop_front_if(|next| next.needs <= high_watermark) else { return };
            let refusal = few.then_some(Refusal::NotEnoughReplicasAfterAppend);
            if few {
                ctx.mark(marks::NOT_ENOUGH_REPLICAS_AFTER_APPEND);
            }
            if let Some(delayed) = self.waiting.decided(next.who, part, refusal) {
                self.decided(delayed, ctx);
            }
        }
    }

    /// This broker no longer leads a partition: those who waited hear that.
    pub(super) fn abandon<W: Hosts<Broker>>(&mut self, part: Part, awaiting: Vec<Awaiting>, ctx: &mut Ctx<'_, W, Broker>) {
        for one in awaiting {
            if let Some(delayed) = self.waiting.decided(one.who, part, Some(Refusal::NotLeaderOrFollower)) {
                self.decided(delayed, ctx);
            }
        }
    }

    /// All that somebody waited for is decided.
    pub(super) fn decided<W: Hosts<Broker>>(&mut self, delayed: Delayed, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some(timer) = delayed.timer {
            ctx.cancel(timer);
        }
        match delayed.who {
            Waiter::Producer { caller, about } => self.answer_producer((caller, about), delayed.results, ctx),
            Waiter::Groups(ticket) => {
                let result = delayed.first();
                self.with_groups(ctx, |groups, env, out| groups.on_appended(ticket, result, env, out));
            }
            Waiter::Txns(ticket) => {
                let result = delayed.first();
                self.with_txns(ctx, |txns, env, out| txns.on_appended(ticket, result, env, out));
            }
            Waiter::Marker { caller, session, outcome } => self.marker_written((caller, session, outcome), &delayed.results, ctx),
        }
    }
}

/// Tells the story of every record of a batch.
fn tell<W: Hosts<Broker>>(batch: &Batch, ctx: &mut Ctx<'_, W, Broker>, words: impl Fn(PayloadId) -> String) {
    if ctx.is_traced() {
        for record in batch.as_records() {
            ctx.say(Some(record.payload), || words(record.payload));
        }
    }
}
