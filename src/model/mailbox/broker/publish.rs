//! A message comes in: refused, known already, dropped, or stored and confirmed.

use std::sync::Arc;

use crate::base::{ObjectId, PayloadId, Span};
use crate::record::{Note, Settlement};
use crate::world::{Ctx, Hosts, Peer};

use super::super::config::{Config, Purpose};
use super::super::disk::{Place, Record};
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Body, Parcel, QueueId, Refusal};
use super::super::store::{Overflow, Room};
use super::journal::Answer;
use super::{Broker, BrokerTimer};

/// Who hears of it, and as which attempt; `None`: nobody asked.
type Reply = Option<(Peer, u32)>;

/// How long the mutant that confirms before it stores takes to store.
const LATE: Span = Span::millis(500);

impl Broker {
    /// A producer sends a message.
    pub(super) fn publish<W: Hosts<Broker>>(&mut self, (to, parcel): (ObjectId, Parcel), reply: Reply, ctx: &mut Ctx<'_, W, Broker>) {
        let config = ctx.config();
        if config.checksum && !parcel.is_intact() && !config.mutants.has(Mutant::DeliversCorruptBodies) {
            ctx.mark(marks::DAMAGED_REFUSED);
            return self.refuse(parcel, Refusal::Damaged, (reply, ctx));
        }
        if config.mutants.has(Mutant::AcksBeforeStoring) && reply.is_some() {
            self.confirm(parcel, 0, (reply, ctx));
            self.late.push_back((to, parcel));
            ctx.timer(LATE, BrokerTimer::StoreLate);
            return;
        }
        self.store((to, parcel), reply, ctx);
    }

    /// Stores a message, unless there is a reason not to.
    pub(super) fn store<W: Hosts<Broker>>(&mut self, (to, parcel): (ObjectId, Parcel), reply: Reply, ctx: &mut Ctx<'_, W, Broker>) {
        let config = ctx.config();
        let key = (parcel.producer, parcel.payload);
        if let Some(ticket) = self.known.as_ref().and_then(|known| known.find(key)) {
            ctx.mark(marks::DEDUPLICATED);
            ctx.say(Some(parcel.payload), || format!("{} is known already and not stored again", parcel.payload));
            return self.confirm(parcel, ticket, (reply, ctx));
        }
        if config.producer.ordered && self.last_of.get(&parcel.producer).is_some_and(|last| parcel.payload < *last) {
            ctx.mark(marks::FENCED);
            return self.refuse(parcel, Refusal::Late, (reply, ctx));
        }
        let Some(mut targets) = self.targets(to, config) else {
            return self.refuse(parcel, Refusal::NoSuchDestination, (reply, ctx));
        };
        if config.mutants.has(Mutant::SkipsASubscriber) && parcel.payload.0.is_multiple_of(8) && targets.len() > 1 {
            targets.pop();
        }
        let full = |id: &QueueId| self.line(*id).queue.room();
        if targets.iter().any(|id| full(id) == Room::Full(Overflow::Reject)) {
            ctx.mark(marks::REJECTED_FULL);
            if config.mutants.has(Mutant::DropsOnFullButConfirms) {
                return self.confirm(parcel, 0, (reply, ctx));
            }
            return self.refuse(parcel, Refusal::Full, (reply, ctx));
        }
        targets.retain(|id| {
            let dropped = self.line(*id).queue.room() == Room::Full(Overflow::DropNewest);
            if dropped {
                ctx.mark(marks::DROPPED_NEWEST);
                ctx.note(Note::Settle { group: self.line(*id).object, payload: parcel.payload, how: Settlement::Dropped });
            }
            !dropped
        });
        if self.write_stored(&targets, parcel, ctx).is_err() {
            ctx.mark(marks::DISK_FULL);
            return self.refuse(parcel, Refusal::DiskFull, (reply, ctx));
        }
        self.take_in(&targets, parcel, ctx);
        let ticket = self.journal.ticket();
        if let Some(known) = self.known.as_mut().filter(|_| !config.mutants.has(Mutant::ForgetsDedupe)) {
            let before = known.insert(key, ticket);
            self.forgot(before, ctx);
        }
        if config.producer.ordered {
            self.last_of.insert(parcel.producer, parcel.payload);
        }
        self.confirm(parcel, ticket, (reply, ctx));
        for id in targets {
            self.serve(id, ctx);
        }
    }

    /// The queues that a message for a queue or topic goes to; `None`: there is nothing of the name.
    fn targets(&self, to: ObjectId, config: &Config) -> Option<Vec<QueueId>> {
        if let Some(topic) = config.topics.iter().find(|topic| topic.object == to) {
            return Some(topic.subscriptions.iter().copied().filter(|id| self.line(*id).live).collect());
        }
        let queue = config.queue_ids().find(|(_, queue)| queue.object == to && queue.purpose == Purpose::PointToPoint);
        queue.map(|(id, _)| vec![id])
    }

    /// Writes that a message comes in, with its key.
    fn write_stored<W: Hosts<Broker>>(
        &mut self,
        targets: &[QueueId],
        parcel: Parcel,
        ctx: &mut Ctx<'_, W, Broker>,
    ) -> Result<(), crate::world::DiskFull> {
        let places: Arc<[Place]> =
            targets.iter().filter(|id| self.line(**id).kept).map(|id| (*id, self.line(*id).queue.next_seq())).collect();
        let key = self.known.as_ref().filter(|_| self.keeps_keys).map(|known| known.next_number());
        if places.is_empty() && key.is_none() {
            return Ok(());
        }
        self.write(Record::Stored { places, parcel, arrived: ctx.now(), key }, ctx)
    }

    /// Puts a message into its queues.
    fn take_in<W: Hosts<Broker>>(&mut self, targets: &[QueueId], parcel: Parcel, ctx: &mut Ctx<'_, W, Broker>) {
        if targets.is_empty() {
            ctx.mark(marks::NO_SUBSCRIBER);
            ctx.say(Some(parcel.payload), || format!("{} finds no queue to wait in", parcel.payload));
        }
        let now = ctx.now();
        for id in targets {
            if self.line(*id).queue.room() == Room::Full(Overflow::DropHead) {
                self.drop_head(*id, ctx);
            }
            let seq = self.line_mut(*id).queue.push(parcel, now);
            self.reveal_when_safe(*id, seq + 1);
            let name = &ctx.config().queue(*id).name;
            ctx.say(Some(parcel.payload), || format!("{} is stored in `{name}` at place {seq}", parcel.payload));
        }
    }

    /// The oldest message makes room.
    fn drop_head<W: Hosts<Broker>>(&mut self, id: QueueId, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some((seq, parcel)) = self.line_mut(id).queue.drop_head() {
            ctx.mark(marks::DROPPED_HEAD);
            self.left((id, seq), (parcel, Settlement::Dropped), ctx);
        }
    }

    /// A message leaves its queue.
    pub(super) fn left<W: Hosts<Broker>>(&mut self, place: Place, (parcel, how): (Parcel, Settlement), ctx: &mut Ctx<'_, W, Broker>) {
        if self.line(place.0).kept {
            self.write_small(Record::Left { place, bytes: parcel.bytes }, ctx);
        }
        ctx.note(Note::Settle { group: self.line(place.0).object, payload: parcel.payload, how });
    }

    /// Tells the producer that a message is kept, once the record with this ticket is safe.
    fn confirm<W: Hosts<Broker>>(&mut self, parcel: Parcel, ticket: u64, (reply, ctx): (Reply, &mut Ctx<'_, W, Broker>)) {
        if let Some((peer, attempt)) = reply {
            let answer = Answer::Confirm { about: (parcel.payload, parcel.copy), attempt };
            self.answer_when_safe(ticket, (peer, answer), ctx);
        }
    }

    /// Tells the producer that a message is not kept.
    fn refuse<W: Hosts<Broker>>(&mut self, parcel: Parcel, why: Refusal, (reply, ctx): (Reply, &mut Ctx<'_, W, Broker>)) {
        let payload: PayloadId = parcel.payload;
        ctx.say(Some(payload), || format!("{payload} is refused: {}", why.words()));
        if let Some((peer, attempt)) = reply {
            let msg = self.namer.about((payload, parcel.copy), attempt, Body::Refuse { payload, attempt, why });
            Broker::answer(peer, msg, ctx);
        }
    }
}
