//! What coordinators and control plane want done.

use crate::base::NodeId;
use crate::world::{Ctx, Hosts};

use super::super::config::Config;
use super::super::control_link::{ControlLink, LinkOut};
use super::super::group::{GroupOut, Groups};
use super::super::protocol::{Body, CoordinatorOf};
use super::super::refusal::Refusal;
use super::super::txn::{TxnOut, Txns};
use super::delayed::Waiter;
use super::{Broker, BrokerTimer, Env};

impl Broker {
    /// Gives the group coordinator something to do.
    pub(super) fn with_groups<W: Hosts<Broker>>(
        &mut self,
        ctx: &mut Ctx<'_, W, Broker>,
        act: impl FnOnce(&mut Groups, &mut Env<'_>, &mut Vec<GroupOut>),
    ) {
        let mut out = Vec::new();
        let (now, me, config) = (ctx.now(), ctx.me(), ctx.config());
        act(&mut self.groups, &mut Env { now, me, config, view: &self.view, words: ctx.random() }, &mut out);
        for one in out {
            match one {
                GroupOut::Answer(caller, reply) => self.answer(caller, None, Body::GroupReply(Box::new(reply)), ctx),
                GroupOut::Append { home, batch, ticket } => self.append_own(home, batch, Waiter::Groups(ticket), ctx),
                GroupOut::Timer(after, timer) => {
                    ctx.timer(after, BrokerTimer::Groups(timer));
                }
                GroupOut::Note(note) => ctx.note(note),
                GroupOut::Mark(mark) => ctx.mark(mark),
                GroupOut::Say(about, text) => ctx.say(about, || text),
            }
        }
    }

    /// Gives the transaction coordinator something to do.
    pub(super) fn with_txns<W: Hosts<Broker>>(
        &mut self,
        ctx: &mut Ctx<'_, W, Broker>,
        act: impl FnOnce(&mut Txns, &mut Env<'_>, &mut Vec<TxnOut>),
    ) {
        let mut out = Vec::new();
        let (now, me, config) = (ctx.now(), ctx.me(), ctx.config());
        act(&mut self.txns, &mut Env { now, me, config, view: &self.view, words: ctx.random() }, &mut out);
        for one in out {
            match one {
                TxnOut::Answer(caller, reply) => self.answer(caller, None, Body::TxnReply(Box::new(reply)), ctx),
                TxnOut::Append { home, batch, ticket, timeout } => {
                    self.append_within(home, batch, (Waiter::Txns(ticket), timeout), ctx);
                }
                TxnOut::Markers { to, request, ticket } => self.send_markers(to, request, ticket, ctx),
                TxnOut::Timer(after, timer) => {
                    ctx.timer(after, BrokerTimer::Txns(timer));
                }
                TxnOut::Mark(mark) => ctx.mark(mark),
                TxnOut::Say(about, text) => ctx.say(about, || text),
            }
        }
    }

    /// Gives the control plane something to do.
    pub(super) fn with_control<W: Hosts<Broker>>(
        &mut self,
        ctx: &mut Ctx<'_, W, Broker>,
        act: impl FnOnce(&mut ControlLink, &mut Env<'_>, &mut Vec<LinkOut>),
    ) {
        let Some(mut control) = self.control.take() else { return };
        let mut out = Vec::new();
        let (now, me, config) = (ctx.now(), ctx.me(), ctx.config());
        act(&mut control, &mut Env { now, me, config, view: &self.view, words: ctx.random() }, &mut out);
        self.control = Some(control);
        self.carry_out(out, ctx);
    }

    pub(super) fn carry_out<W: Hosts<Broker>>(&mut self, out: Vec<LinkOut>, ctx: &mut Ctx<'_, W, Broker>) {
        for one in out {
            match one {
                LinkOut::Send { to, body } => {
                    self.controllers.send(to, None, body, ctx);
                }
                LinkOut::Drop(to) => self.controllers.drop(to, ctx),
                LinkOut::View { view, changed } => self.view_changed(view, &changed, ctx),
                LinkOut::Registered(epoch) => {
                    self.registration = Some(epoch);
                    self.txns.on_registered(epoch);
                    self.follow_all(ctx);
                }
                LinkOut::IsrDecided { part, version, result } => match result {
                    Ok(decided) => self.isr_decided(part, &decided, ctx),
                    Err(why) => self.isr_refused(part, version, why, ctx),
                },
                LinkOut::MayStop => self.stopped(ctx),
                LinkOut::Timer(after, timer) => {
                    ctx.timer(after, BrokerTimer::Control(timer));
                }
                LinkOut::Mark(mark) => ctx.mark(mark),
                LinkOut::Say(text) => ctx.say(None, || text),
            }
        }
    }

    /// Who coordinates something: the leader of its home.
    pub(super) fn find_coordinator(&self, of: CoordinatorOf, config: &Config) -> Result<NodeId, Refusal> {
        let home = match of {
            CoordinatorOf::Group(group) => config.groups[group.index()].home,
            CoordinatorOf::Txn(txn) => config.transactional[txn.index()].home,
        };
        let leader = self.view.part(home).and_then(|view| view.leader);
        leader.ok_or(Refusal::CoordinatorNotAvailable)
    }
}
