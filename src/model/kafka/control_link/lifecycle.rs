//! Registration, heartbeats, stopping in good order.

use crate::base::{NodeId, Span};

use super::super::broker::Env;
use super::super::config::Config;
use super::super::ids::BrokerEpoch;
use super::super::protocol::control::{Heard, Heartbeat, Register};
use super::super::protocol::{Body, ControlRequest};
use super::super::refusal::Refusal;
use super::channel::Due;
use super::{ControlLink, LinkOut, LinkTimer};

/// After the first heartbeat of a broker that wants to stop the next one comes sooner [S:kafka BrokerLifecycleManager].
const SOON: Span = Span::millis(50);

/// Where a broker's process is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Stage {
    /// It has no valid registration.
    Registering,
    /// It is registered.
    Running,
    /// It wants to stop; whether a controller knows.
    Stopping {
        /// A controller has answered that it knows.
        known: bool,
    },
    /// It may stop, and says nothing more.
    Stopped,
}

impl Stage {
    pub(super) const fn number(self) -> u8 {
        match self {
            Stage::Registering => 0,
            Stage::Running => 1,
            Stage::Stopping { known: false } => 2,
            Stage::Stopping { known: true } => 3,
            Stage::Stopped => 4,
        }
    }
}

/// How long a broker waits for the answer of a controller. Simplified: Kafka's brokers wait for `controller.socket.timeout.ms`, but
/// turn to another controller as soon as they learn of it.
pub(super) fn patience(config: &Config) -> Span {
    config.broker.session_timeout.scaled(1, 2)
}

impl ControlLink {
    /// Registers, or sends a heartbeat.
    pub(super) fn communicate(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let request = match (self.stage, self.epoch) {
            (Stage::Stopped, _) => return,
            (Stage::Registering, _) | (_, None) => {
                ControlRequest::Register(Register { broker: env.me, incarnation: self.incarnation, previous: self.previous })
            }
            (Stage::Running | Stage::Stopping { .. }, Some(epoch)) => ControlRequest::Heartbeat(Heartbeat {
                broker: env.me,
                epoch,
                metadata: self.view_end(),
                wants_fence: !self.shown,
                wants_shutdown: matches!(self.stage, Stage::Stopping { .. }),
            }),
        };
        let to = self.target(env);
        let generation = self.lifecycle.ask(to);
        out.push(LinkOut::Send { to, body: Body::Control(Box::new(request)) });
        out.push(LinkOut::Timer(patience(env.config), LinkTimer::Lifecycle(generation)));
    }

    /// Whom to ask: the active controller as far as this node knows, else one after the other.
    pub(super) fn target(&self, env: &Env<'_>) -> NodeId {
        env.config.places.controllers[self.next]
    }

    /// A controller is said to be the active one.
    pub(super) fn aim_at(&mut self, active: NodeId, config: &Config) {
        if let Some(at) = config.places.controllers.iter().position(|node| *node == active) {
            self.next = at;
        }
    }

    pub(super) fn on_lifecycle_timer(&mut self, generation: u32, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        match self.lifecycle.due(generation) {
            Due::Stale => {}
            Due::Next => self.communicate(env, out),
            Due::Silence(node) => self.give_up(node, env, out),
        }
    }

    /// A controller does not answer: everything that was asked over the connection fails.
    pub(super) fn give_up(&mut self, node: NodeId, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        out.push(LinkOut::Drop(node));
        self.on_disconnect(node, env, out);
    }

    /// The same once more after a pause.
    pub(super) fn communicate_later(&mut self, out: &mut Vec<LinkOut>) {
        let (pause, generation) = self.lifecycle.failed();
        out.push(LinkOut::Timer(pause, LinkTimer::Lifecycle(generation)));
    }

    /// Asks another controller next time.
    pub(super) fn turn(&mut self, env: &Env<'_>) {
        self.next = (self.next + 1) % env.config.places.controllers.len();
    }

    pub(super) fn on_not_controller(&mut self, from: NodeId, active: Option<NodeId>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let hint = active.filter(|active| *active != from);
        match hint {
            Some(active) => self.aim_at(active, env.config),
            None => self.turn(env),
        }
        if self.lifecycle.waits_for(from) {
            if hint.is_some() && self.lifecycle.hinted() {
                self.communicate(env, out);
            } else {
                self.communicate_later(out);
            }
        } else if self.proposing.waits_for(from) {
            self.proposing_again(hint.is_some(), env, out);
        }
    }

    pub(super) fn on_registered(&mut self, from: NodeId, result: Result<BrokerEpoch, Refusal>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        if !self.lifecycle.waits_for(from) {
            return;
        }
        match result {
            Ok(epoch) => {
                self.epoch = Some(epoch);
                if self.stage == Stage::Registering {
                    self.stage = Stage::Running;
                }
                out.push(LinkOut::Registered(epoch));
                self.show(env, out);
                self.communicate(env, out);
                self.propose(env, out);
            }
            Err(refusal) => {
                out.push(LinkOut::Say(format!("may not register: {refusal}")));
                self.communicate_later(out);
            }
        }
    }

    pub(super) fn on_heard(&mut self, from: NodeId, result: Result<Heard, Refusal>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        if !self.lifecycle.waits_for(from) {
            return;
        }
        match (result, self.stage) {
            (Ok(Heard { may_stop: true, .. }), Stage::Stopping { .. }) => {
                self.lifecycle.answered();
                self.stage = Stage::Stopped;
                out.push(LinkOut::MayStop);
            }
            (Ok(Heard { caught_up: false, fenced: true, .. }), Stage::Running) if self.shown && self.raft.is_some() => {
                self.lifecycle.answered();
                self.communicate(env, out);
            }
            (Ok(_), stage) => {
                let after = if stage == (Stage::Stopping { known: false }) { SOON } else { env.config.broker.heartbeat_interval };
                if let Stage::Stopping { known } = &mut self.stage {
                    *known = true;
                }
                let generation = self.lifecycle.answered();
                out.push(LinkOut::Timer(after, LinkTimer::Lifecycle(generation)));
            }
            (Err(refusal), _) => {
                out.push(LinkOut::Say(format!("its heartbeat is refused: {refusal}")));
                if self.stage == Stage::Running {
                    self.stage = Stage::Registering;
                }
                self.communicate_later(out);
            }
        }
    }

    /// What the broker knows has grown past its registration: it says so at once, to be let in.
    pub(super) fn caught_up(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        if self.lifecycle.is_idle() {
            self.communicate(env, out);
        }
    }

    pub(super) fn ask_to_stop(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        match self.stage {
            Stage::Registering => {
                self.stage = Stage::Stopped;
                self.lifecycle.answered();
                out.push(LinkOut::MayStop);
            }
            Stage::Running => {
                self.stage = Stage::Stopping { known: false };
                if self.lifecycle.is_idle() {
                    self.communicate(env, out);
                }
            }
            Stage::Stopping { .. } | Stage::Stopped => {}
        }
    }
}
