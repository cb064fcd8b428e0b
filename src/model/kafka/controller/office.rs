//! The active controller: decides, records what it has decided, and answers when that is committed.

use std::collections::VecDeque;

use crate::base::{Digest, NodeId};
use crate::model::raft::{Moment, Term};
use crate::world::{Ctx, Hosts, Peer};

use super::super::broker::Caller;
use super::super::config::Control;
use super::super::ids::Part;
use super::super::protocol::control::{AlterIsr, Heartbeat, Push, Register};
use super::super::protocol::{Body, ControlReply, ControlRequest};
use super::super::refusal::Refusal;
use super::super::view::PartView;
use super::change::{Change, Fact};
use super::decide::{Decider, Registration};
use super::pushes::Pushes;
use super::sessions::Sessions;
use super::{Controller, ControllerTimer, Metadata, RECONNECT, announce, marks};

/// What only the active controller has.
#[derive(Clone, Debug)]
pub(super) struct Office {
    pub(super) term: Term,
    /// The state with everything that is decided, committed or not.
    pub(super) ahead: Metadata,
    /// Answers, each with the end of the log that has to be committed first.
    pending: VecDeque<(u64, Caller, ControlReply)>,
    sessions: Sessions,
    pushes: Pushes,
    /// It has waited long enough for all brokers to come.
    pub(super) impatient: bool,
}

impl Office {
    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        digest.words(u64::from(self.term.0), self.ahead.end());
        digest.words(self.pending.len() as u64, u64::from(self.impatient));
        self.sessions.fingerprint(digest);
        self.pushes.fingerprint(digest);
    }
}

impl Controller {
    /// This node leads the quorum, and knows everything that earlier leaders have committed.
    pub(super) fn take_office<W: Hosts<Self>>(&mut self, term: Term, ctx: &mut Ctx<'_, W, Self>) {
        ctx.say(None, || format!("is the active controller in term {term}"));
        if self.committed.end() > 1 {
            ctx.mark(marks::CONTROLLER_CHANGED);
        }
        let mut sessions = Sessions::default();
        for broker in self.committed.view().brokers.clone() {
            sessions.begin(broker.node, self.watch(broker.node, ctx));
        }
        self.office = Some(Box::new(Office {
            term,
            ahead: self.committed.clone(),
            pending: VecDeque::new(),
            sessions,
            pushes: Pushes::default(),
            impatient: false,
        }));
        self.begin_chores(term, ctx);
    }

    /// It leads no more: whoever waits for an answer has to ask again elsewhere.
    pub(super) fn leave_office<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        let Some(office) = self.office.take() else { return };
        ctx.say(None, || "is the active controller no more".to_owned());
        for (_, caller, _) in office.pending {
            self.refer(caller, ctx);
        }
    }

    pub(super) fn on_request<W: Hosts<Self>>(&mut self, caller: Caller, request: ControlRequest, ctx: &mut Ctx<'_, W, Self>) {
        if self.office.is_none() {
            self.refer(caller, ctx);
            return;
        }
        match request {
            ControlRequest::Register(wish) => self.on_register(caller, wish, ctx),
            ControlRequest::Heartbeat(beat) => self.on_heartbeat(caller, beat, ctx),
            ControlRequest::AlterIsr(asked) => self.on_alter_isr(caller, &asked, ctx),
            ControlRequest::Push(_) => {}
        }
    }

    fn refer<W: Hosts<Self>>(&mut self, caller: Caller, ctx: &mut Ctx<'_, W, Self>) {
        let active = self.raft.leader().filter(|leader| *leader != ctx.me());
        self.reply(caller, ControlReply::NotController { active }, ctx);
    }

    fn reply<W: Hosts<Self>>(&mut self, caller: Caller, reply: ControlReply, ctx: &mut Ctx<'_, W, Self>) {
        let msg = self.namer.counted(caller.number, Body::ControlReply(Box::new(reply)));
        ctx.reply(caller.peer, msg);
    }

    /// Answers when everything that is decided so far is committed: the answer may rest on it.
    fn reply_when_committed<W: Hosts<Self>>(&mut self, caller: Caller, reply: ControlReply, ctx: &mut Ctx<'_, W, Self>) {
        match &mut self.office {
            Some(office) => office.pending.push_back((office.ahead.end(), caller, reply)),
            None => self.refer(caller, ctx),
        }
    }

    pub(super) fn answer_what_is_committed<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        let end = self.committed.end();
        while let Some((_, caller, reply)) = self.office.as_mut().and_then(|office| office.pending.pop_front_if(|(at, _, _)| *at <= end)) {
            self.reply(caller, reply, ctx);
        }
        if let Some(office) = self.office.as_mut().filter(|office| office.ahead.end() == end) {
            office.ahead = self.committed.clone();
        }
    }

    /// Decisions are made from this.
    pub(super) fn decider<'a, W: Hosts<Self>>(&'a self, ctx: &Ctx<'a, W, Self>) -> Option<Decider<'a>> {
        self.office.as_ref().map(|office| Decider { config: ctx.config(), metadata: &office.ahead })
    }

    /// Records what was decided. It counts from now on for further decisions, and for everybody else when it is committed.
    pub(super) fn record<W: Hosts<Self>>(&mut self, facts: Vec<Fact>, ctx: &mut Ctx<'_, W, Self>) {
        if facts.is_empty() {
            return;
        }
        let change = Change::from(facts);
        let at = Moment::new(ctx.now(), ctx.random());
        let Some(office) = &mut self.office else { return };
        match self.raft.propose([change.clone()], at) {
            Ok(offset) => {
                announce::marks_of(&office.ahead, &change).into_iter().for_each(|mark| ctx.mark(mark));
                let config = ctx.config();
                ctx.say(None, || announce::words(config, &change));
                office.ahead.apply(offset.0, &change, &mut Vec::new());
            }
            Err(_) => self.leave_office(ctx),
        }
    }

    fn on_register<W: Hosts<Self>>(&mut self, caller: Caller, wish: Register, ctx: &mut Ctx<'_, W, Self>) {
        let result = match self.decider(ctx).map(|decider| decider.register(&wish)) {
            Some(Ok(Registration::New(facts))) => {
                self.record(facts, ctx);
                let generation = self.watch(wish.broker, ctx);
                let Some(office) = &mut self.office else { return self.refer(caller, ctx) };
                office.sessions.begin(wish.broker, generation);
                office.ahead.view().broker(wish.broker).map(|broker| broker.epoch).ok_or(Refusal::BrokerIdNotRegistered)
            }
            Some(Ok(Registration::Known(epoch))) => Ok(epoch),
            Some(Err(refusal)) => {
                ctx.mark(marks::DUPLICATE_REGISTRATION);
                Err(refusal)
            }
            None => return,
        };
        self.reply_when_committed(caller, ControlReply::Registered(result), ctx);
        self.chores(ctx);
    }

    fn on_heartbeat<W: Hosts<Self>>(&mut self, caller: Caller, beat: Heartbeat, ctx: &mut Ctx<'_, W, Self>) {
        let (Some(office), Some(decider)) = (&self.office, self.decider(ctx)) else { return };
        let contact = office.sessions.contact(beat.broker, office.ahead.view());
        let (facts, heard) = match decider.heartbeat(&beat, contact) {
            Ok(decided) => decided,
            Err(refusal) => return self.reply_when_committed(caller, ControlReply::Heard(Err(refusal)), ctx),
        };
        let news = !facts.is_empty();
        self.record(facts, ctx);
        let generation = self.watch(beat.broker, ctx);
        let Some(office) = &mut self.office else { return self.refer(caller, ctx) };
        office.sessions.hear(beat.broker, beat.metadata, generation);
        if office.ahead.view().broker(beat.broker).is_some_and(|broker| broker.stopping) {
            office.sessions.stops(beat.broker, office.ahead.end());
        }
        self.reply_when_committed(caller, ControlReply::Heard(Ok(heard)), ctx);
        if news {
            self.chores(ctx);
        }
    }

    /// Sets the timer that ends a broker's session: its generation.
    fn watch<W: Hosts<Self>>(&mut self, broker: NodeId, ctx: &mut Ctx<'_, W, Self>) -> u32 {
        let generation = self.next_serial();
        ctx.timer(ctx.config().broker.session_timeout, ControllerTimer::Session { broker, generation });
        generation
    }

    pub(super) fn on_session_over<W: Hosts<Self>>(&mut self, broker: NodeId, generation: u32, ctx: &mut Ctx<'_, W, Self>) {
        let over =
            self.office.as_ref().is_some_and(|office| office.sessions.ends(broker, generation) && office.ahead.view().is_alive(broker));
        if let Some(decider) = self.decider(ctx).filter(|_| over) {
            let facts = decider.fence(broker);
            self.record(facts, ctx);
        }
    }

    fn on_alter_isr<W: Hosts<Self>>(&mut self, caller: Caller, asked: &AlterIsr, ctx: &mut Ctx<'_, W, Self>) {
        let Some(decided) = self.decider(ctx).map(|decider| decider.alter_isr(asked)) else { return };
        let decided = match decided {
            Ok(decided) => decided,
            Err(refusal) => return self.reply_when_committed(caller, ControlReply::IsrAltered(Err(refusal)), ctx),
        };
        let facts = decided.iter().filter_map(|(_, result)| result.clone().ok().flatten().map(Fact::Changed)).collect();
        self.record(facts, ctx);
        if decided.iter().any(|(_, result)| result.is_err()) {
            ctx.mark(marks::ISR_REFUSED);
        }
        let Some(office) = &self.office else { return self.refer(caller, ctx) };
        let results =
            decided.into_iter().map(|(part, result)| (part, result.and_then(|_| outcome(&office.ahead, part, asked.broker)))).collect();
        self.reply_when_committed(caller, ControlReply::IsrAltered(Ok(results)), ctx);
    }

    /// Tells brokers what is committed (with ZooKeeper).
    pub(super) fn push<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        let Some(office) = self.office.as_mut().filter(|_| ctx.config().mechanisms.control == Control::ZooKeeper) else { return };
        let view = self.committed.view();
        let push = Push { controller: office.term.0, view: std::sync::Arc::clone(view) };
        for node in office.pushes.take_due(view) {
            let body = Body::Control(Box::new(ControlRequest::Push(push.clone())));
            self.links.send(node, None, body, ctx);
            self.expect_an_answer(node, ctx);
        }
    }

    pub(super) fn on_pushed<W: Hosts<Self>>(&mut self, from: Peer, result: Result<(), Refusal>, ctx: &mut Ctx<'_, W, Self>) {
        if !self.links.heard(from) {
            return;
        }
        self.silent.remove(&from.node);
        match (&mut self.office, result) {
            (Some(office), Ok(())) => office.pushes.confirmed(from.node),
            (Some(_), Err(refusal)) => ctx.say(None, || format!("{} does not listen: {refusal}", from.node)),
            (None, _) => {}
        }
    }

    pub(super) fn push_failed<W: Hosts<Self>>(&mut self, node: NodeId, ctx: &mut Ctx<'_, W, Self>) {
        if self.office.as_mut().is_some_and(|office| office.pushes.failed(node)) {
            ctx.timer(RECONNECT.0, ControllerTimer::PushAgain(node));
        }
    }

    pub(super) fn push_again(&mut self, node: NodeId) {
        if let Some(office) = &mut self.office {
            office.pushes.resume(node);
        }
    }
}

/// What the leader is told of a partition that is as it proposed.
fn outcome(metadata: &Metadata, part: Part, broker: NodeId) -> Result<PartView, Refusal> {
    let now = metadata.view().part(part).ok_or(Refusal::UnknownTopicOrPartition)?;
    if now.leader == Some(broker) { Ok(now.clone()) } else { Err(Refusal::NewLeaderElected) }
}
