//! Learning what is decided: from the metadata log, or, with ZooKeeper, from what the controller pushes.

use std::sync::Arc;

use crate::base::NodeId;
use crate::model::raft::{Moment, Output, Payload, Raft, Stored};

use super::super::broker::Env;
use super::super::config::Control;
use super::super::controller::{Change, Metadata, quorum_settings};
use super::super::ids::Part;
use super::super::protocol::Body;
use super::super::protocol::control::Push;
use super::super::refusal::Refusal;
use super::super::view::View;
use super::{ControlLink, LinkOut, LinkTimer};

/// Follows the metadata log from its beginning: the broker keeps no copy of it on its disk. `None`: there is none, with ZooKeeper.
pub(super) fn observer(env: &mut Env<'_>) -> Option<Box<Raft<Change>>> {
    match env.config.mechanisms.control {
        Control::KRaft => {
            let stored = Stored::format(env.config.places.controllers.iter().copied());
            Some(Box::new(Raft::boot(env.me, quorum_settings(env.config), stored, Moment::new(env.now, env.words))))
        }
        Control::ZooKeeper => None,
    }
}

impl ControlLink {
    /// Where what the broker knows ends.
    pub(super) fn view_end(&self) -> u64 {
        if self.raft.is_some() { self.metadata.end() } else { self.view.version }
    }

    /// Carries out what the node that follows the log wants.
    pub(super) fn follow(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let Some(mut raft) = self.raft.take() else { return };
        let leader = raft.leader();
        let mut news = false;
        loop {
            let outputs = raft.outputs();
            if outputs.is_empty() {
                break;
            }
            for output in outputs {
                match output {
                    // What an observer says of its log counts for nobody: nothing has to be on its disk.
                    Output::Sync(ticket) => raft.synced(ticket, Moment::new(env.now, env.words)),
                    Output::Send { to, message } => out.push(LinkOut::Send { to, body: Body::Raft(Box::new(message)) }),
                    Output::Set { timer, after } => out.push(LinkOut::Timer(after, LinkTimer::Raft(timer))),
                    Output::Committed { first, entries } => {
                        self.metadata.take(first, &entries);
                        news |= entries.iter().any(|entry| matches!(entry.payload, Payload::User(_)));
                    }
                    Output::Restore(_) => self.metadata = Metadata::default(),
                    Output::Write(_) | Output::Cancel(_) | Output::Role { .. } | Output::InCharge { .. } => {}
                    Output::ReadReady { .. } | Output::ReadRefused { .. } => {}
                }
            }
        }
        self.raft = Some(raft);
        if news {
            self.show(env, out);
        }
        self.ask_the_new_one(leader, env, out);
    }

    /// Another controller leads: what was asked of the old one is asked of it.
    fn ask_the_new_one(&mut self, before: Option<NodeId>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let Some(now) = self.raft.as_ref().and_then(|raft| raft.leader()).filter(|now| Some(*now) != before) else { return };
        for node in &env.config.places.controllers {
            if *node != now && (self.lifecycle.waits_for(*node) || self.proposing.waits_for(*node)) {
                self.give_up(*node, env, out);
            }
        }
        self.aim_at(now, env.config);
    }

    /// Tells the broker what is new, once it has read as far as its own registration.
    pub(super) fn show(&mut self, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        let caught_up = self.epoch.is_some_and(|epoch| self.metadata.end() > epoch);
        if self.raft.is_none() || !caught_up {
            return;
        }
        let view = Arc::clone(self.metadata.view());
        let first = !self.shown;
        self.tell(view, env, out);
        if first {
            self.caught_up(env, out);
        }
    }

    fn tell(&mut self, view: Arc<View>, env: &mut Env<'_>, out: &mut Vec<LinkOut>) {
        if self.shown && view.version == self.view.version {
            return;
        }
        let changed = difference(&self.view, &view);
        self.view = Arc::clone(&view);
        self.shown = true;
        self.forget_pointless(env.me);
        out.push(LinkOut::View { view, changed });
    }

    /// Takes up what a controller has pushed.
    pub(super) fn take_push(&mut self, push: &Push, env: &mut Env<'_>, out: &mut Vec<LinkOut>) -> Result<(), Refusal> {
        if push.controller < self.pushed_by {
            return Err(Refusal::NotController);
        }
        self.pushed_by = push.controller;
        if !self.shown || push.view.version > self.view.version {
            self.tell(Arc::clone(&push.view), env, out);
        }
        Ok(())
    }
}

/// The partitions that are not the same in two views, ascending.
fn difference(before: &View, after: &View) -> Vec<Part> {
    let parts = before.parts.len().max(after.parts.len());
    (0..parts).map(Part::at).filter(|part| before.part(*part) != after.part(*part)).collect()
}
