//! The controller as a node of the quorum: carries out what the Raft core wants.

use crate::base::{NodeId, Span};
use crate::model::raft::{Message, Moment, Output, Role};
use crate::world::{Ctx, Hosts, Peer};

use super::super::protocol::Body;
use super::{Change, Controller, ControllerTimer, Metadata};

/// After so long a controller whose disk was full is started again.
const START_AGAIN: Span = Span::secs(5);

/// How a message of the quorum travels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Over a connection of this node's own; an answer is owed.
    Asks,
    /// The same, without an answer.
    Tells,
    /// Over the connection on which the other asked.
    Answers,
}

fn way(message: &Message<Change>) -> Way {
    match message {
        Message::Vote(_) | Message::Fetch(_) | Message::Append(_) | Message::Install { .. } => Way::Asks,
        Message::BeginTerm { .. } | Message::EndTerm { .. } => Way::Tells,
        Message::Voted(_) | Message::Fetched(_) | Message::Appended(_) => Way::Answers,
    }
}

impl Controller {
    /// A message of the quorum, from another controller or a broker that follows the log.
    pub(super) fn on_raft<W: Hosts<Self>>(&mut self, from: Peer, message: Message<Change>, ctx: &mut Ctx<'_, W, Self>) {
        match way(&message) {
            Way::Answers => {
                if !self.links.heard(from) {
                    return;
                }
                self.silent.remove(&from.node);
            }
            Way::Asks | Way::Tells => {
                self.callers.insert(from.node, from);
            }
        }
        let at = Moment::new(ctx.now(), ctx.random());
        self.raft.message(from.node, message, at);
    }

    /// Carries out everything that the quorum wants by now, and what follows from it.
    pub(super) fn pump<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        while !self.halted {
            let outputs = self.raft.outputs();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                if !self.halted {
                    self.carry_out(output, ctx);
                }
            }
        }
        self.answer_what_is_committed(ctx);
        self.push(ctx);
    }

    fn carry_out<W: Hosts<Self>>(&mut self, output: Output<Change>, ctx: &mut Ctx<'_, W, Self>) {
        match output {
            Output::Write(record) => {
                if ctx.write(record).is_err() {
                    self.halt(ctx);
                }
            }
            Output::Sync(ticket) => {
                let starts = self.starts;
                ctx.sync(ControllerTimer::Synced { ticket, starts }, ControllerTimer::SyncFailed { starts });
            }
            Output::Send { to, message } => self.send(to, message, ctx),
            Output::Set { timer, after } => {
                let id = ctx.timer(after, ControllerTimer::Raft(timer));
                if let Some(old) = self.timers.insert(timer.kind, id) {
                    ctx.cancel(old);
                }
            }
            Output::Cancel(kind) => {
                if let Some(old) = self.timers.remove(&kind) {
                    ctx.cancel(old);
                }
            }
            Output::Committed { first, entries } => {
                self.committed.take(first, &entries);
            }
            Output::Restore(snapshot) => {
                assert!(snapshot.state.is_empty(), "the metadata log is never compacted");
                self.committed = Metadata::default();
            }
            Output::Role { role, .. } => match role {
                Role::Leader => {}
                Role::Unattached | Role::Follower | Role::Prospective | Role::Candidate | Role::Resigned => self.leave_office(ctx),
            },
            Output::InCharge { term } => self.take_office(term, ctx),
            Output::ReadReady { .. } | Output::ReadRefused { .. } => {}
        }
    }

    fn send<W: Hosts<Self>>(&mut self, to: NodeId, message: Message<Change>, ctx: &mut Ctx<'_, W, Self>) {
        let way = way(&message);
        let body = Body::Raft(Box::new(message));
        match way {
            Way::Answers => {
                if let Some(peer) = self.callers.get(&to) {
                    let msg = self.namer.counted(0, body);
                    ctx.reply(*peer, msg);
                }
            }
            Way::Asks => {
                self.links.send(to, None, body, ctx);
                self.expect_an_answer(to, ctx);
            }
            Way::Tells => {
                self.links.send(to, None, body, ctx);
            }
        }
    }

    /// A node that owes an answer for too long loses its connection.
    pub(super) fn expect_an_answer<W: Hosts<Self>>(&mut self, node: NodeId, ctx: &mut Ctx<'_, W, Self>) {
        if !self.silent.contains_key(&node) {
            let generation = self.next_serial();
            self.silent.insert(node, generation);
            ctx.timer(ctx.config().controller.request_timeout, ControllerTimer::Silence { node, generation });
        }
    }

    pub(super) fn on_silence<W: Hosts<Self>>(&mut self, node: NodeId, generation: u32, ctx: &mut Ctx<'_, W, Self>) {
        if self.silent.get(&node) == Some(&generation) {
            self.links.drop(node, ctx);
            self.unreachable(node, ctx);
        }
    }

    /// The connection to a node is gone.
    pub(super) fn unreachable<W: Hosts<Self>>(&mut self, node: NodeId, ctx: &mut Ctx<'_, W, Self>) {
        self.silent.remove(&node);
        self.push_failed(node, ctx);
    }

    pub(super) const fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// A controller whose disk is full stops. Whoever looks after it starts it again after a while.
    fn halt<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        ctx.say(None, || "its disk is full: it stops".to_owned());
        self.halted = true;
        self.office = None;
        self.links.close(ctx);
        for peer in std::mem::take(&mut self.callers).into_values() {
            if let Some(conn) = peer.conn {
                ctx.close(conn);
            }
        }
        for timer in std::mem::take(&mut self.timers).into_values() {
            ctx.cancel(timer);
        }
        ctx.timer(START_AGAIN, ControllerTimer::StartAgain);
    }

    /// As after a crash, on what the disk holds.
    pub(super) fn start_again<W: Hosts<Self>>(&mut self, ctx: &mut Ctx<'_, W, Self>) {
        let fresh = Controller::start(self.links.clone(), self.namer, ctx);
        *self = Controller { serial: self.serial, starts: self.starts + 1, ..fresh };
        self.set_the_calendar(ctx);
    }
}
