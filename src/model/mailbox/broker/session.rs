//! A consumer's stay at the broker: it comes, asks, shows that it lives, and goes, with or without a word.

use crate::base::{ConnId, NodeId, Span};
use crate::record::{Note, Settlement};
use crate::world::{Ctx, Hosts, Peer, TimerId};

use super::super::config::Purpose;
use super::super::marks;
use super::super::mutants::Mutant;
use super::super::protocol::{Asked, Body, QueueId};
use super::super::store::Holder;
use super::{Broker, BrokerTimer};

/// So many beats without a word end a stay.
const SILENCE: u32 = 3;

/// A question that waits for messages.
#[derive(Clone, Debug)]
pub(super) struct Poll {
    pub(super) number: u32,
    pub(super) left: u32,
    pub(super) given: u32,
    timer: Option<TimerId>,
}

/// How many messages a consumer may get now.
#[derive(Clone, Debug)]
pub(super) enum Credit {
    Push { prefetch: u32 },
    Pull { poll: Option<Poll> },
}

/// A stay.
#[derive(Clone, Debug)]
pub(super) struct Session {
    number: u64,
    pub(super) conn: Option<ConnId>,
    pub(super) queue: QueueId,
    pub(super) credit: Credit,
    pub(super) in_flight: u32,
    pub(super) missed: u32,
}

impl Session {
    pub(super) fn new(number: u64, conn: Option<ConnId>, (queue, asked): (QueueId, Asked)) -> Session {
        let credit = match asked {
            Asked::Push { prefetch } => Credit::Push { prefetch },
            Asked::Pull => Credit::Pull { poll: None },
        };
        Session { number, conn, queue, credit, in_flight: 0, missed: 0 }
    }

    /// As queues know it.
    pub(super) fn holder(&self, node: NodeId) -> Holder {
        Holder { node, session: self.number }
    }

    /// Its number.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn has_credit(&self) -> bool {
        match &self.credit {
            Credit::Push { prefetch } => self.in_flight < *prefetch,
            Credit::Pull { poll } => poll.as_ref().is_some_and(|poll| poll.left > 0),
        }
    }
}

impl Broker {
    /// A consumer comes. What it had in an earlier stay comes back first, so that nothing overtakes it.
    pub(super) fn attach<W: Hosts<Broker>>(&mut self, from: Peer, session: Session, ctx: &mut Ctx<'_, W, Broker>) {
        let number = session.number;
        let known = self.sessions.get(&from.node).is_some_and(|old| old.number == number && old.conn == from.conn);
        if !known {
            self.end_session(from.node, ctx);
            let queue = session.queue;
            self.subscribe(queue, ctx);
            self.sessions.insert(from.node, session);
        }
        let msg = self.namer.counted(Body::Attached { session: number });
        Broker::answer(from, msg, ctx);
        if let Some(queue) = self.sessions.get(&from.node).map(|session| session.queue) {
            self.serve(queue, ctx);
        }
    }

    /// A temporary subscription begins with its consumer.
    fn subscribe<W: Hosts<Broker>>(&mut self, id: QueueId, ctx: &mut Ctx<'_, W, Broker>) {
        if let Purpose::Subscription { durable: false, .. } = ctx.config().queue(id).purpose {
            let line = self.line_mut(id);
            line.live = true;
            ctx.note(Note::Subscribe { group: line.object });
        }
    }

    /// Whoever sends something lives.
    pub(super) fn heard_from(&mut self, node: NodeId) {
        if let Some(session) = self.sessions.get_mut(&node) {
            session.missed = 0;
        }
    }

    /// A consumer shows that it is there.
    pub(super) fn beat<W: Hosts<Broker>>(&mut self, from: Peer, number: u64, ctx: &mut Ctx<'_, W, Broker>) {
        let known = self.stay_of(from.node, number).is_some();
        self.heard_from(from.node);
        let body = if known { Body::Beaten { session: number } } else { Body::Gone { session: number } };
        let msg = self.namer.counted(body);
        Broker::answer(from, msg, ctx);
    }

    /// A stay, if it is still going on.
    fn stay_of(&mut self, node: NodeId, number: u64) -> Option<&mut Session> {
        self.sessions.get_mut(&node).filter(|session| session.number == number)
    }

    /// A consumer asks for messages.
    pub(super) fn poll<W: Hosts<Broker>>(
        &mut self,
        (from, number): (Peer, u64),
        (question, most, wait): (u32, u32, Span),
        ctx: &mut Ctx<'_, W, Broker>,
    ) {
        let Some(session) = self.stay_of(from.node, number) else {
            let msg = self.namer.counted(Body::Gone { session: number });
            return Broker::answer(from, msg, ctx);
        };
        session.missed = 0;
        let queue = session.queue;
        let Credit::Pull { poll } = &mut session.credit else { return };
        // A datagram that comes twice, or late: the question was answered or replaced.
        if poll.as_ref().is_some_and(|open| open.number >= question) {
            return;
        }
        let timer = (!wait.is_zero()).then(|| ctx.timer(wait, BrokerTimer::PollOver { node: from.node, number: question }));
        let old = poll.replace(Poll { number: question, left: most, given: 0, timer });
        if let Some(timer) = old.and_then(|old| old.timer) {
            ctx.cancel(timer);
        }
        self.serve(queue, ctx);
        if wait.is_zero() {
            self.poll_over(from.node, question, ctx);
        }
    }

    /// A question is answered: nothing more comes.
    pub(super) fn poll_over<W: Hosts<Broker>>(&mut self, node: NodeId, number: u32, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(session) = self.sessions.get_mut(&node) else { return };
        let stay = session.number;
        let Credit::Pull { poll } = &mut session.credit else { return };
        if let Some(done) = poll.take_if(|poll| poll.number == number) {
            if let Some(timer) = done.timer {
                ctx.cancel(timer);
            }
            self.send_to(node, Body::Polled { session: stay, number, given: done.given }, ctx);
        }
    }

    /// Answers every question to a queue that got something.
    pub(super) fn answer_polls<W: Hosts<Broker>>(&mut self, queue: QueueId, ctx: &mut Ctx<'_, W, Broker>) {
        let answered = |(node, session): (&NodeId, &Session)| match &session.credit {
            Credit::Pull { poll: Some(poll) } if session.queue == queue && poll.given > 0 => Some((*node, poll.number)),
            Credit::Pull { .. } | Credit::Push { .. } => None,
        };
        let done: Vec<(NodeId, u32)> = self.sessions.iter().filter_map(answered).collect();
        for (node, number) in done {
            self.poll_over(node, number, ctx);
        }
    }

    /// Sends something without a payload to a consumer, the way it came.
    fn send_to<W: Hosts<Broker>>(&mut self, node: NodeId, body: Body, ctx: &mut Ctx<'_, W, Broker>) {
        let conn = self.sessions.get(&node).and_then(|session| session.conn);
        let msg = self.namer.counted(body);
        Broker::answer(Peer { node, conn }, msg, ctx);
    }

    /// A consumer leaves in order.
    pub(super) fn detach<W: Hosts<Broker>>(&mut self, from: Peer, number: u64, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(queue) = self.stay_of(from.node, number).map(|session| session.queue) else { return };
        if ctx.config().mutants.has(Mutant::IgnoresUnsubscribe) {
            return ctx.note(Note::Unsubscribe { group: self.line(queue).object });
        }
        self.end_session(from.node, ctx);
    }

    /// A stay ends: what the consumer had comes back, and its temporary subscription ends with it.
    pub(super) fn end_session<W: Hosts<Broker>>(&mut self, node: NodeId, ctx: &mut Ctx<'_, W, Broker>) {
        let Some(session) = self.sessions.remove(&node) else { return };
        let config = ctx.config();
        if let Credit::Pull { poll: Some(Poll { timer: Some(timer), .. }) } = session.credit {
            ctx.cancel(timer);
        }
        if let Some(conn) = session.conn {
            ctx.close(conn);
        }
        if !config.mutants.has(Mutant::VisibilityForgets) {
            let holder = session.holder(node);
            for back in self.line_mut(session.queue).queue.give_back_all(holder) {
                self.came_back(session.queue, back, ctx);
            }
        }
        if let Purpose::Subscription { durable: false, .. } = config.queue(session.queue).purpose {
            self.unsubscribe(session.queue, ctx);
        }
        self.serve(session.queue, ctx);
    }

    /// A temporary subscription ends, and what it holds with it.
    fn unsubscribe<W: Hosts<Broker>>(&mut self, id: QueueId, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.mark(marks::UNSUBSCRIBED);
        ctx.note(Note::Unsubscribe { group: self.line(id).object });
        let line = self.line_mut(id);
        line.live = false;
        line.queue.clear();
        let (from, to) = ((id, 0), (QueueId(id.0 + 1), 0));
        let mut rest = self.visibility.split_off(&from);
        let mut later = rest.split_off(&to);
        self.visibility.append(&mut later);
        for timer in rest.into_values() {
            ctx.cancel(timer);
        }
    }

    /// Who was not heard from is gone, and what is too old goes.
    pub(super) fn sweep<W: Hosts<Broker>>(&mut self, ctx: &mut Ctx<'_, W, Broker>) {
        ctx.timer(ctx.config().heartbeat, BrokerTimer::Sweep);
        let mut silent = Vec::new();
        for (node, session) in &mut self.sessions {
            session.missed += 1;
            if session.missed > SILENCE {
                silent.push(*node);
            }
        }
        for node in silent {
            ctx.mark(marks::SESSION_EXPIRED);
            ctx.say(None, || format!("{node} was not heard from: its stay is over"));
            self.end_session(node, ctx);
        }
        for id in ctx.config().queue_ids().map(|(id, _)| id) {
            self.expire(id, ctx);
        }
    }

    /// Retention.
    pub(super) fn expire<W: Hosts<Broker>>(&mut self, id: QueueId, ctx: &mut Ctx<'_, W, Broker>) {
        let now = ctx.now();
        for (seq, parcel) in self.line_mut(id).queue.expire(now) {
            ctx.mark(marks::EXPIRED);
            ctx.say(Some(parcel.payload), || format!("{} has waited too long and is removed", parcel.payload));
            self.left((id, seq), (parcel, Settlement::Expired), ctx);
        }
    }
}
