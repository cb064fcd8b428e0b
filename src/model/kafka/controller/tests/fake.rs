//! A broker without logs: it registers, follows, claims at random who is in sync, and stops and starts again now and then.

use std::convert::Infallible;
use std::sync::Arc;

use crate::base::{NodeId, Span, Words};
use crate::record::Command;
use crate::world::{Contents, Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::super::super::broker::Env;
use super::super::super::control_link::{ControlLink, LinkOut, LinkTimer};
use super::super::super::ids::Part;
use super::super::super::links::Links;
use super::super::super::protocol::control::{Member, Proposal};
use super::super::super::protocol::{Body, ControlRequest, Msg, Namer};
use super::super::super::view::{PartView, View};
use super::world::Terms;

/// Pauses between whims.
const WHIM: Span = Span::millis(700);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum FakeTimer {
    Link { timer: LinkTimer, starts: u32 },
    Whim,
    StartAgain,
}

/// The epoch with which it stopped in good order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FakeDisk(Option<u64>);

impl Contents for FakeDisk {
    type Write = Option<u64>;
    fn apply(&mut self, write: Option<u64>) {
        self.0 = write;
    }
    fn torn(_: &Option<u64>, _: u64) -> Option<Option<u64>> {
        None
    }
    fn flip(&mut self, _: u64) -> bool {
        false
    }
    fn bytes(_: &Option<u64>) -> u64 {
        0
    }
    fn frees(_: &Option<u64>) -> u64 {
        0
    }
}

#[derive(Clone, Debug)]
pub(super) struct Fake {
    pub(super) link: ControlLink,
    pub(super) view: Arc<View>,
    links: Links,
    namer: Namer,
    starts: u32,
    /// Decided proposals that it was told of.
    pub(super) decided: u64,
}

impl Role for Fake {
    type Config = Terms;
    type Msg = Msg;
    type Timer = FakeTimer;
    type Disk = FakeDisk;
    type Write = Option<u64>;
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let links = Links::new((ctx.life(), 0), Span::millis(50), Span::secs(1));
        let (link, out) = start(ctx);
        let mut fake = Fake { link, view: Arc::default(), links, namer: Namer::new(ctx.life(), 1), starts: 0, decided: 0 };
        fake.carry_out(out, ctx);
        ctx.timer(WHIM, FakeTimer::Whim);
        fake
    }

    fn on_command<W: Hosts<Self>>(&mut self, _: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {}

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        if let Body::Control(request) = &msg.body {
            if let ControlRequest::Push(push) = &**request {
                let mut reply = None;
                self.with(ctx, |link, env, out| reply = Some(link.on_push(push, env, out)));
                let body = Body::ControlReply(Box::new(reply.expect("a push is answered")));
                ctx.reply(from, self.namer.counted(msg.number, body));
            }
        } else if self.links.heard(from) {
            if let Body::ControlReply(reply) = msg.body {
                self.with(ctx, |link, env, out| link.on_reply(from.node, *reply, env, out));
            } else if let Body::Raft(message) = msg.body {
                self.with(ctx, |link, env, out| link.on_raft(from.node, *message, env, out));
            }
        }
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: FakeTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        match timer {
            FakeTimer::Link { timer, starts } if starts == self.starts => self.with(ctx, |link, env, out| link.on_timer(timer, env, out)),
            FakeTimer::Link { .. } => {}
            FakeTimer::Whim => self.on_whim(ctx),
            FakeTimer::StartAgain => {
                self.starts += 1;
                self.links.close(ctx);
                let (link, out) = start(ctx);
                (self.link, self.view) = (link, Arc::default());
                self.carry_out(out, ctx);
            }
        }
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, _: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        if self.links.lost(peer, ctx.now()) {
            self.with(ctx, |link, env, out| link.on_disconnect(peer.node, env, out));
        }
    }
}

/// A process starts: what its disk says of the end of the one before counts once.
fn start<W: Hosts<Fake>>(ctx: &mut Ctx<'_, W, Fake>) -> (ControlLink, Vec<LinkOut>) {
    let FakeDisk(previous) = ctx.recover();
    ctx.commit(None).ok();
    let mut out = Vec::new();
    let (now, me, config) = (ctx.now(), ctx.me(), &ctx.config().config);
    let mut env = Env { now, me, config, view: &View::default(), words: ctx.random() };
    (ControlLink::boot(previous, &mut env, &mut out), out)
}

impl Fake {
    fn with<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>, act: impl FnOnce(&mut ControlLink, &mut Env<'_>, &mut Vec<LinkOut>)) {
        let mut out = Vec::new();
        let (now, me, config) = (ctx.now(), ctx.me(), &ctx.config().config);
        act(&mut self.link, &mut Env { now, me, config, view: &self.view, words: ctx.random() }, &mut out);
        self.carry_out(out, ctx);
    }

    fn carry_out<W: Hosts<Self>>(&mut self, out: Vec<LinkOut>, ctx: &mut Ctx<'_, W, Self>) {
        for one in out {
            match one {
                LinkOut::Send { to, body } => {
                    self.links.send(to, None, body, ctx);
                }
                LinkOut::Drop(to) => self.links.drop(to, ctx),
                LinkOut::View { view, changed } => {
                    let differ = |part: &Part| self.view.part(*part) != view.part(*part);
                    let really: Vec<Part> = (0..view.parts.len()).map(Part::at).filter(differ).collect();
                    assert_eq!(really, changed);
                    self.check_epochs(&view);
                    self.view = view;
                }
                LinkOut::Registered(_) => {}
                LinkOut::IsrDecided { result, part, version } => {
                    self.decided += 1;
                    if let Ok(decided) = result {
                        assert!(decided.version >= version, "{part:?} goes on from what was proposed");
                    }
                }
                LinkOut::MayStop => {
                    ctx.commit(self.link.epoch()).ok();
                    ctx.timer(WHIM, FakeTimer::StartAgain);
                }
                LinkOut::Timer(after, timer) => {
                    ctx.timer(after, FakeTimer::Link { timer, starts: self.starts });
                }
                LinkOut::Mark(mark) => ctx.mark(mark),
                LinkOut::Say(text) => ctx.say(None, || text),
            }
        }
    }

    /// What a broker is told of a partition never goes back.
    fn check_epochs(&self, after: &View) {
        for part in (0..self.view.parts.len()).map(Part::at) {
            let (Some(before), Some(after)) = (self.view.part(part), after.part(part)) else { continue };
            assert!((before.epoch, before.version) <= (after.epoch, after.version), "{part:?}: {before:?} then {after:?}");
            assert!(before.epoch < after.epoch || before.leader == after.leader, "{part:?}: two leaders for one epoch");
        }
    }

    /// Now and then it claims something about who is in sync, or stops.
    fn on_whim<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        ctx.timer(WHIM, FakeTimer::Whim);
        let word = ctx.random().word();
        let calm = ctx.config().calm.load(std::sync::atomic::Ordering::Relaxed);
        if word.is_multiple_of(37) && !calm {
            self.with(ctx, |link, env, out| link.stop(env, out));
            return;
        }
        let leads = |of: &PartView| of.leader == Some(ctx.me());
        let mine: Vec<Part> = (0..self.view.parts.len()).map(Part::at).filter(|part| self.view.part(*part).is_some_and(leads)).collect();
        for part in mine {
            let Some(now) = self.view.part(part) else { continue };
            let mut isr = vec![self.member(ctx.me())];
            for (at, replica) in now.replicas.iter().enumerate().filter(|(_, replica)| **replica != ctx.me()) {
                if word >> (8 + at) & 3 != 0 {
                    isr.push(self.member(*replica));
                }
            }
            let proposal = Proposal { part, isr: isr.into(), leader_epoch: now.epoch, version: now.version };
            self.with(ctx, |link, env, out| link.propose_isr(proposal, env, out));
        }
    }

    fn member(&self, broker: NodeId) -> Member {
        Member { broker, epoch: self.view.broker(broker).map(|broker| broker.epoch) }
    }
}
