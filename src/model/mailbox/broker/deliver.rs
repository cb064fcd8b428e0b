//! Messages go out to consumers, and come back or are let go of.

use std::ops::Bound;

use crate::base::{NodeId, PayloadId};
use crate::record::{Note, Settlement};
use crate::world::{Ctx, Hosts, Peer};

use super::super::disk::{Place, Record};
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Body, DeliveryId, QueueId, Verdict};
use super::super::store::{Back, Holder, Taken};
use super::journal::Answer;
use super::session::Credit;
use super::{Broker, BrokerTimer};

impl Broker {
    /// Gives out what waits in a queue, as long as somebody may have it: in turn, oldest first.
    pub(super) fn serve<W: Hosts<Broker>>(&mut self, id: QueueId, ctx: &mut Ctx<'_, W, Broker>) {
        self.expire(id, ctx);
        while let Some(node) = self.next_reader(id) {
            let holder = self.sessions[&node].holder(node);
            let Some(taken) = self.take(id, holder, ctx) else { break };
            self.line_mut(id).turn = node;
            self.hand_out(id, (node, taken), ctx);
        }
        self.answer_polls(id, ctx);
    }

    fn take<W: Hosts<Broker>>(&mut self, id: QueueId, holder: Holder, ctx: &Ctx<'_, W, Broker>) -> Option<Taken> {
        #[cfg(feature = "mutants")]
        if ctx.config().mutants.has(Mutant::RedeliversOutOfOrder) {
            return self.line_mut(id).queue.take_fresh_first(holder);
        }
        #[cfg(not(feature = "mutants"))]
        let _ = ctx;
        self.line_mut(id).queue.take(holder)
    }

    /// The consumer whose turn it is, of those that may have a message: the first after the one served last.
    fn next_reader(&self, id: QueueId) -> Option<NodeId> {
        let turn = self.line(id).turn;
        let later = self.sessions.range((Bound::Excluded(turn), Bound::Unbounded));
        let earlier = self.sessions.range(..=turn);
        later.chain(earlier).find(|(_, session)| session.queue == id && session.has_credit()).map(|(node, _)| *node)
    }

    fn hand_out<W: Hosts<Broker>>(&mut self, id: QueueId, (node, taken): (NodeId, Taken), ctx: &mut Ctx<'_, W, Broker>) {
        let place = (id, taken.seq);
        let session = self.sessions.get_mut(&node).expect("it was chosen among those that are there");
        session.in_flight += 1;
        if let Credit::Pull { poll: Some(poll) } = &mut session.credit {
            poll.left -= 1;
            poll.given += 1;
        }
        let (number, conn) = (session.number(), session.conn);
        if self.line(id).kept {
            self.write_small(Record::HandedOut { place, nth: taken.nth }, ctx);
        }
        if let Some(span) = ctx.config().queue(id).visibility_timeout {
            let timer = ctx.timer(span, BrokerTimer::Visible { place, nth: taken.nth });
            self.visibility.insert(place, timer);
        }
        if taken.nth > 1 {
            ctx.mark(marks::REDELIVERED);
        }
        let delivery = DeliveryId { queue: id, seq: taken.seq, nth: taken.nth, life: self.namer.life() };
        let body = Body::Deliver { session: number, id: delivery, parcel: taken.parcel };
        let msg = self.namer.about((taken.parcel.payload, taken.parcel.copy), taken.nth, body);
        Broker::answer(Peer { node, conn }, msg, ctx);
    }

    /// A delivery is over for its consumer: it may have another.
    fn release<W: Hosts<Broker>>(&mut self, place: Place, holder: Option<Holder>, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some(timer) = self.visibility.remove(&place) {
            ctx.cancel(timer);
        }
        let Some(holder) = holder else { return };
        if let Some(session) = self.sessions.get_mut(&holder.node).filter(|session| session.number() == holder.session) {
            session.in_flight -= 1;
        }
    }

    /// A consumer says what became of a delivery.
    pub(super) fn settle<W: Hosts<Broker>>(
        &mut self,
        (id, payload, verdict): (DeliveryId, PayloadId, Verdict),
        asked: Option<(Peer, u32)>,
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let counted = id.life == self.namer.life()
            && match verdict {
                Verdict::Acknowledge => self.acknowledge(id, payload, ctx),
                Verdict::Return => self.give_back(id, payload, ctx),
            };
        if !counted {
            ctx.mark(marks::LATE_ACKNOWLEDGEMENT);
            ctx.say(Some(payload), || format!("a word about {payload} comes too late to count"));
        }
        if let Some((peer, question)) = asked {
            if counted {
                let ticket = self.journal.ticket();
                // The copy tells names apart; the delivery's place does that as well.
                let about = (payload, u32::try_from(id.seq & 0xfff).expect("12 bits"));
                self.answer_when_safe(ticket, (peer, Answer::Settled { id, about, question }), ctx);
            } else {
                // Any number of these may be about one delivery: they are counted.
                let nth = self.namer.number();
                let msg = self.namer.about((payload, 0xfff), nth, Body::Settled { id, payload, question, counted: false });
                Broker::answer(peer, msg, ctx);
            }
        }
        self.serve(id.queue, ctx);
    }

    fn acknowledge<W: Hosts<Broker>>(&mut self, id: DeliveryId, payload: PayloadId, ctx: &mut Ctx<'_, W, Broker>) -> bool {
        if ctx.config().mutants.has(Mutant::DeliversTwiceAfterAck) && payload.0.is_multiple_of(8) && id.nth == 1 {
            return self.give_back(id, payload, ctx);
        }
        let place = (id.queue, id.seq);
        let Some(gone) = self.line_mut(id.queue).queue.settle(id.seq, id.nth) else { return false };
        self.release(place, gone.holder, ctx);
        self.left(place, (gone.parcel, Settlement::Acknowledged), ctx);
        true
    }

    fn give_back<W: Hosts<Broker>>(&mut self, id: DeliveryId, payload: PayloadId, ctx: &mut Ctx<'_, W, Broker>) -> bool {
        let Some((back, holder)) = self.line_mut(id.queue).queue.give_back(id.seq, id.nth) else { return false };
        self.release((id.queue, id.seq), Some(holder), ctx);
        if !back.exhausted {
            ctx.note(Note::Settle { group: self.line(id.queue).object, payload, how: Settlement::Returned });
        }
        self.came_back(id.queue, back, ctx);
        true
    }

    /// A delivery has been out for too long: somebody else may try.
    pub(super) fn visibility_over<W: Hosts<Broker>>(&mut self, place: Place, nth: u32, ctx: &mut Ctx<'_, W, Broker>) {
        self.visibility.remove(&place);
        if ctx.config().mutants.has(Mutant::VisibilityForgets) {
            return;
        }
        let Some((back, holder)) = self.line_mut(place.0).queue.give_back(place.1, nth) else { return };
        ctx.mark(marks::VISIBILITY_TIMEOUT);
        ctx.say(Some(back.parcel.payload), || format!("{} was out for too long and waits again", back.parcel.payload));
        self.release(place, Some(holder), ctx);
        self.came_back(place.0, back, ctx);
        self.serve(place.0, ctx);
    }

    /// A message came back unacknowledged. If that was its last chance, it goes to the dead letters.
    pub(super) fn came_back<W: Hosts<Broker>>(&mut self, id: QueueId, back: Back, ctx: &mut Ctx<'_, W, Broker>) {
        let from = (id, back.seq);
        if let Some(timer) = self.visibility.remove(&from) {
            ctx.cancel(timer);
        }
        if !back.exhausted {
            return;
        }
        let config = ctx.config();
        let parcel = back.parcel;
        if config.mutants.has(Mutant::DropsPoison) {
            if self.line(id).kept {
                self.write_small(Record::Left { place: from, bytes: parcel.bytes }, ctx);
            }
            return;
        }
        let dead = config.dead_letters().expect("a queue with a limit of deliveries has dead letters");
        let arrived = ctx.now();
        let line = self.line_mut(dead);
        let seq = line.queue.push(parcel, arrived);
        line.queue.reveal(seq + 1);
        self.write_small(Record::Moved { from, to: (dead, seq), parcel, arrived }, ctx);
        ctx.mark(marks::DEAD_LETTERED);
        ctx.say(Some(parcel.payload), || format!("{} was delivered {} times and goes to the dead letters", parcel.payload, back.nth));
        ctx.note(Note::Settle { group: self.line(id).object, payload: parcel.payload, how: Settlement::DeadLettered });
    }
}
