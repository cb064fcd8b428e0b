//! A broker's side of the control plane: it registers, stays in contact, learns what is decided, proposes who is in sync.
//!
//! [`ControlLink`] is a part of the broker: pure, with outputs. The broker carries out each [`LinkOut`] in its order and tells the link
//! what comes from controllers and what happens to connections with them.

mod channel;
mod follow;
mod lifecycle;
mod out;
mod propose;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::base::{Digest, NodeId, Time, Words};
use crate::model::raft::{Message, Moment, Raft};

use super::broker::Env;

use super::controller::{Change, Metadata};
use super::ids::BrokerEpoch;
use super::protocol::ControlReply;
use super::protocol::control::Push;
use super::view::View;

use channel::Channel;
use lifecycle::Stage;
pub use out::{LinkOut, LinkTimer};
use propose::Proposals;

/// A broker's side of the control plane.
#[derive(Clone, Debug)]
pub struct ControlLink {
    /// This process.
    incarnation: u64,
    /// The epoch with which the broker stopped in good order, if it did.
    previous: Option<BrokerEpoch>,
    stage: Stage,
    epoch: Option<BrokerEpoch>,
    /// Follows the metadata log. `None`: with ZooKeeper.
    raft: Option<Box<Raft<Change>>>,
    /// What the log says so far.
    metadata: Metadata,
    /// What the broker was told last.
    view: Arc<View>,
    /// Whether the broker was told anything.
    shown: bool,
    /// The latest controller that has pushed something (with ZooKeeper).
    pushed_by: u32,
    /// Which controller is asked next: a position in [`super::config::Places::controllers`].
    next: usize,
    lifecycle: Channel,
    proposing: Channel,
    proposals: Proposals,
}

impl ControlLink {
    /// The broker's process starts. `previous`: the epoch that it had when it stopped in good order; its disk knows. `None`: it crashed, or
    /// never ran. The view in `env` is not looked at, here and elsewhere.
    pub fn boot(previous: Option<BrokerEpoch>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) -> ControlLink {
        let raft = follow::observer(env);
        let mut link = ControlLink {
            incarnation: env.words.word(),
            previous,
            stage: Stage::Registering,
            epoch: None,
            raft,
            metadata: Metadata::default(),
            view: Arc::default(),
            shown: false,
            pushed_by: 0,
            next: usize::try_from(env.words.below(env.config.places.controllers.len() as u64)).expect("an index"),
            lifecycle: Channel::default(),
            proposing: Channel::default(),
            proposals: Proposals::default(),
        };
        link.follow(env, out);
        link.communicate(env, out);
        link
    }

    /// An answer of a controller came.
    pub fn on_reply(&mut self, from: NodeId, reply: ControlReply, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        match reply {
            ControlReply::NotController { active } => self.on_not_controller(from, active, env, out),
            ControlReply::Registered(result) => self.on_registered(from, result, env, out),
            ControlReply::Heard(result) => self.on_heard(from, result, env, out),
            ControlReply::IsrAltered(result) => self.on_isr_altered(from, result, env, out),
            ControlReply::Pushed(_) => {}
        }
    }

    /// A message about the metadata log came.
    pub fn on_raft(&mut self, from: NodeId, message: Message<Change>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        if let Some(raft) = &mut self.raft {
            raft.message(from, message, Moment::new(env.now, env.words));
            self.follow(env, out);
        }
    }

    /// A controller pushed its decisions (with ZooKeeper): takes them up and says what to answer.
    pub fn on_push(&mut self, push: &Push, env: &mut Env<'_>, out: &mut Vec<LinkOut>) -> ControlReply {
        ControlReply::Pushed(self.take_push(push, env, out))
    }

    /// A timer fired that was set by [`LinkOut::Timer`]. A late one does nothing.
    pub fn on_timer(&mut self, timer: LinkTimer, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        match timer {
            LinkTimer::Lifecycle(generation) => self.on_lifecycle_timer(generation, env, out),
            LinkTimer::Proposing(generation) => self.on_proposing_timer(generation, env, out),
            LinkTimer::Raft(timer) => {
                if let Some(raft) = &mut self.raft {
                    raft.timer(timer, Moment::new(env.now, env.words));
                    self.follow(env, out);
                }
            }
        }
    }

    /// The broker's connection to a controller ended. What was asked over it is asked again.
    pub fn on_disconnect(&mut self, node: NodeId, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let (lifecycle, proposing) = (self.lifecycle.waits_for(node), self.proposing.waits_for(node));
        if self.target(env) == node {
            self.turn(env);
        }
        if lifecycle {
            self.communicate_later(out);
        }
        if proposing {
            self.propose_later(out);
        }
    }

    /// The broker wants to stop in good order: [`LinkOut::MayStop`] says when it may.
    pub fn stop(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        self.ask_to_stop(env, out);
    }

    /// What the broker was told last.
    #[must_use]
    pub const fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// The broker's registration, once it has one.
    #[must_use]
    pub const fn epoch(&self) -> Option<BrokerEpoch> {
        self.epoch
    }

    /// Adds its state to a digest.
    pub fn fingerprint(&self, _: Time, digest: &mut Digest) {
        digest.words(self.incarnation, self.epoch.unwrap_or(u64::MAX));
        digest.words(self.metadata.end(), self.view.version);
        digest.words(u64::from(self.stage.number()), self.next as u64);
        if let Some(raft) = &self.raft {
            digest.words(u64::from(raft.term().0), raft.log().end().0);
        }
        self.lifecycle.fingerprint(digest);
        self.proposing.fingerprint(digest);
        self.proposals.fingerprint(digest);
    }
}
