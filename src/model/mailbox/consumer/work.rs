//! A consumer at work: one message after the other, from the inbox to the effect and the acknowledgement.

use crate::base::{Digest, Lane, ObjectId, SmallStream, Span};
use crate::record::Note;
use crate::world::{Ctx, Hosts, Sink};

use super::super::config::{Acknowledge, ConsumerConfig, OnPoison, Transport};
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Body, Verdict};
use super::{Consumer, ConsumerTimer, Delivery, Handed, Presence, Processed};

/// What a consumer has in hand.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Nothing.
    Idle,
    /// A message that it has acknowledged and may begin when the broker has let go of it. With the number of the question.
    Asked(Delivery, u32),
    /// A message that it handles.
    Handling(Delivery),
    /// A message whose effect it commits.
    Committing(Delivery),
    /// A message whose effect is there and which it has not acknowledged yet.
    Applied(Delivery),
}

impl Work {
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self, Work::Idle)
    }

    /// The connection is gone: the answer that is waited for will not come.
    pub(super) fn forget_question(&mut self) {
        if let Work::Asked(..) = self {
            *self = Work::Idle;
        }
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        let (stage, delivery) = match self {
            Work::Idle => return digest.word(0),
            Work::Asked(delivery, _) => (1, delivery),
            Work::Handling(delivery) => (2, delivery),
            Work::Committing(delivery) => (3, delivery),
            Work::Applied(delivery) => (4, delivery),
        };
        digest.words(stage << 32 | u64::from(delivery.parcel.payload.0), delivery.id.seq);
    }
}

/// The consumer's context with the sink of the code around it.
type Hands<'c, 'w, 's, W, S> = (&'c mut Ctx<'w, W, Consumer>, &'s mut S);

impl Consumer {
    fn group<W: Hosts<Consumer>>(ctx: &Ctx<'_, W, Consumer>) -> ObjectId {
        let config = ctx.config();
        config.queue(config.consumer(ctx.me()).from).object
    }

    fn own<'a, W: Hosts<Consumer>>(ctx: &Ctx<'a, W, Consumer>) -> &'a ConsumerConfig {
        ctx.config().consumer(ctx.me())
    }

    /// Begins the next message, if nothing is in hand.
    pub(super) fn work_on<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>, up: &mut S) {
        while !self.work.is_busy() {
            if self.presence == Presence::Leaving {
                return self.depart(ctx);
            }
            let Some(next) = self.inbox.pop_front() else { return self.ask(ctx) };
            let config = ctx.config();
            if config.checksum && !next.parcel.is_intact() && !config.mutants.has(Mutant::DeliversCorruptBodies) {
                ctx.mark(marks::DAMAGED_REFUSED);
                self.settle(next, (Verdict::Return, None), ctx);
                continue;
            }
            match Consumer::own(ctx).acknowledge {
                Acknowledge::Before => self.ask_first(next, ctx),
                Acknowledge::After | Acknowledge::Atomically => self.handle(next, (ctx, up)),
            }
        }
    }

    /// Tells the broker what became of a delivery.
    fn settle<W: Hosts<Consumer>>(
        &mut self,
        delivery: Delivery,
        (verdict, question): (Verdict, Option<u32>),
        ctx: &mut Ctx<'_, W, Consumer>,
    ) {
        let Delivery { id, parcel } = delivery;
        let body = Body::Settle { id, payload: parcel.payload, verdict, question };
        let msg = self.namer.of_delivery((parcel.payload, parcel.copy), id, body);
        self.send(msg, ctx);
    }

    /// Acknowledges a message before looking at it.
    fn ask_first<W: Hosts<Consumer>>(&mut self, next: Delivery, ctx: &mut Ctx<'_, W, Consumer>) {
        self.questions += 1;
        self.settle(next, (Verdict::Acknowledge, Some(self.questions)), ctx);
        self.work = Work::Asked(next, self.questions);
        // Over a stream an answer comes, or the connection ends.
        if ctx.config().transport == Transport::Datagram {
            ctx.timer(ctx.config().heartbeat, ConsumerTimer::NotSettled(self.questions));
        }
    }

    /// The broker answers an acknowledgement. If it has let go of the message just now, we may handle it; if somebody else has
    /// it, or had it, we must not.
    pub(super) fn settled<W: Hosts<Consumer>, S: Sink<Handed>>(
        &mut self,
        question: u32,
        counted: bool,
        (ctx, up): Hands<'_, '_, '_, W, S>,
    ) {
        let Work::Asked(delivery, asked) = self.work else { return };
        if asked != question {
            return;
        }
        self.work = Work::Idle;
        if counted {
            self.handle(delivery, (ctx, up));
        } else {
            self.work_on(ctx, up);
        }
    }

    /// No answer to an acknowledgement: the message may be gone from the broker, and is not handled. At most once.
    pub(super) fn not_settled<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, question: u32, (ctx, up): Hands<'_, '_, '_, W, S>) {
        if matches!(self.work, Work::Asked(_, asked) if asked == question) {
            self.work = Work::Idle;
            self.work_on(ctx, up);
        }
    }

    /// Hands a message to the consumer's code.
    fn handle<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, delivery: Delivery, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let parcel = delivery.parcel;
        let group = Consumer::group(ctx);
        ctx.note(Note::Deliver {
            group,
            payload: parcel.payload,
            intact: parcel.is_intact(),
            redelivered: delivery.id.nth > 1,
            place: None,
        });
        up.put(Handed::Delivered { group, parcel });
        let own = Consumer::own(ctx);
        let mutants = ctx.config().mutants;
        let known = own.acknowledge == Acknowledge::Atomically && self.processed.contains(parcel.payload);
        if known && !mutants.has(Mutant::IgnoresProcessedIds) {
            ctx.mark(marks::EFFECT_DEDUPLICATED);
            ctx.say(Some(parcel.payload), || format!("{} was processed before: only acknowledged again", parcel.payload));
            self.settle(delivery, (Verdict::Acknowledge, None), ctx);
            return self.work_on(ctx, up);
        }
        if mutants.has(Mutant::AcksBeforeEffect) {
            self.settle(delivery, (Verdict::Acknowledge, None), ctx);
        }
        self.work = Work::Handling(delivery);
        // How long it takes belongs to the payload: it does not depend on what came before.
        let word = ctx.choose(u64::from(parcel.payload.0) | (Lane::Service as u64) << 32, u64::MAX);
        let takes = self.processing.draw(&mut SmallStream::from_word(word));
        ctx.timer(takes, ConsumerTimer::Handled);
    }

    /// The code is through with a message.
    pub(super) fn handled<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let Work::Handling(delivery) = self.work else { return };
        self.work = Work::Idle;
        let own = Consumer::own(ctx);
        if delivery.parcel.poison {
            ctx.mark(marks::POISON);
            return self.choke(delivery, own, (ctx, up));
        }
        if own.acknowledge == Acknowledge::Atomically {
            self.work = Work::Committing(delivery);
            return ctx.sync(ConsumerTimer::Commit, ConsumerTimer::CommitFailed);
        }
        self.apply(delivery, (ctx, up));
    }

    /// The effect is there. What remains is to say so, unless that was done before.
    fn apply<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, delivery: Delivery, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let group = Consumer::group(ctx);
        ctx.note(Note::Effect { group, payload: delivery.parcel.payload });
        up.put(Handed::Applied { group, parcel: delivery.parcel });
        let own = Consumer::own(ctx);
        if own.acknowledge == Acknowledge::Before || ctx.config().mutants.has(Mutant::AcksBeforeEffect) {
            return self.work_on(ctx, up);
        }
        self.work = Work::Applied(delivery);
        if own.acknowledge_delay.is_zero() {
            return self.acknowledge((ctx, up));
        }
        ctx.timer(own.acknowledge_delay, ConsumerTimer::Acknowledge);
    }

    /// Acknowledges the message in hand.
    pub(super) fn acknowledge<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let Work::Applied(delivery) = self.work else { return };
        self.work = Work::Idle;
        self.settle(delivery, (Verdict::Acknowledge, None), ctx);
        self.work_on(ctx, up);
    }

    /// The store commits: the effect and the id at once, durably. How long that takes was the sync before.
    pub(super) fn commit<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let Work::Committing(delivery) = self.work else { return };
        self.work = Work::Idle;
        if ctx.commit(Processed(delivery.parcel.payload)).is_err() {
            return self.give_up(delivery, (ctx, up));
        }
        self.processed.insert(delivery.parcel.payload);
        self.apply(delivery, (ctx, up));
    }

    /// The store cannot commit.
    pub(super) fn commit_failed<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let Work::Committing(delivery) = self.work else { return };
        self.work = Work::Idle;
        self.give_up(delivery, (ctx, up));
    }

    /// Gives a message back whose effect could not be made.
    fn give_up<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, delivery: Delivery, (ctx, up): Hands<'_, '_, '_, W, S>) {
        ctx.mark(marks::COMMIT_FAILED);
        self.settle(delivery, (Verdict::Return, None), ctx);
        self.work_on(ctx, up);
    }

    /// A message cannot be digested.
    fn choke<W: Hosts<Consumer>, S: Sink<Handed>>(&mut self, delivery: Delivery, own: &ConsumerConfig, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let payload = delivery.parcel.payload;
        match own.on_poison {
            OnPoison::Return => {
                ctx.say(Some(payload), || format!("{payload} cannot be digested and is given back"));
                if own.acknowledge != Acknowledge::Before {
                    self.settle(delivery, (Verdict::Return, None), ctx);
                }
                self.work_on(ctx, up);
            }
            OnPoison::Crash(restart) => {
                ctx.say(Some(payload), || format!("{payload} cannot be digested: the process dies of it"));
                self.die(restart, ctx);
            }
        }
    }

    /// The process dies of a message and is started again. Its operating system ends its connection.
    fn die<W: Hosts<Consumer>>(&mut self, restart: Span, ctx: &mut Ctx<'_, W, Consumer>) {
        self.drop_link(ctx);
        if let Some(leave) = self.leave.take() {
            ctx.cancel(leave);
        }
        self.presence = Presence::Dead;
        self.failures = 0;
        self.processed = ctx.recover().processed;
        ctx.timer(restart, ConsumerTimer::Restart);
    }
}
