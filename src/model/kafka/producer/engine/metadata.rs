//! What a producer knows of the cluster: who leads what.

use std::sync::Arc;

use crate::base::{NodeId, Time};

use super::super::super::config::Config;
use super::super::super::ids::{Epoch, Part, TopicId};
use super::super::super::protocol::{Body, MetadataReply};
use super::super::super::view::View;
use super::super::backoff;
use super::network::What;
use super::{Engine, Env, Out, Wake};

/// Who leads a partition, as far as is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Leader {
    pub(super) node: Option<NodeId>,
    pub(super) epoch: Epoch,
}

/// What was told, and when to ask again.
#[derive(Clone, Debug)]
pub(super) struct Metadata {
    view: Option<Arc<View>>,
    /// By partition.
    leaders: Vec<Leader>,
    /// By topic: whether it exists.
    known: Vec<bool>,
    /// Something went wrong that newer metadata may put right.
    wanted: bool,
    /// An answer is under way.
    asked: bool,
    /// When the last answer came.
    at: Time,
    /// So many answers in a row brought nothing new although something was wanted.
    stale: u32,
    /// Not asked before this.
    not_before: Time,
}

impl Metadata {
    /// Nothing.
    pub(super) fn new(config: &Config) -> Metadata {
        Metadata {
            view: None,
            leaders: vec![Leader::default(); config.partitions.len()],
            known: vec![false; config.topics.len()],
            wanted: true,
            asked: false,
            at: Time::ZERO,
            stale: 0,
            not_before: Time::ZERO,
        }
    }

    /// Something newer is needed.
    pub(super) const fn want(&mut self) {
        self.wanted = true;
    }

    /// What was asked is not answered any more.
    pub(super) const fn failed(&mut self) {
        self.asked = false;
    }

    /// Whether anything was told yet.
    pub(super) const fn is_known(&self) -> bool {
        self.view.is_some()
    }

    /// Who leads a partition.
    #[inline]
    pub(super) fn leader(&self, part: Part) -> Leader {
        self.leaders[part.index()]
    }

    /// Whether a topic exists.
    #[inline]
    pub(super) fn knows(&self, topic: TopicId) -> bool {
        self.known[topic.index()]
    }

    /// Whether a broker has ever registered.
    pub(super) fn has_broker(&self, node: NodeId) -> bool {
        self.view.as_ref().is_some_and(|view| view.broker(node).is_some())
    }

    /// Takes an answer up; of each partition only what is not older than what is known. Whether it brings anything new.
    fn adopt(&mut self, view: &Arc<View>, config: &Config) -> bool {
        if self.view.as_ref().is_some_and(|known| Arc::ptr_eq(known, view)) {
            return false;
        }
        let mut news = self.view.is_none();
        for (known, told) in self.leaders.iter_mut().zip(&view.parts) {
            let told = told.as_ref().map(|part| Leader { node: part.leader, epoch: part.epoch });
            let newer = told.filter(|told| told.epoch >= known.epoch && told != known);
            news |= newer.is_some();
            *known = newer.unwrap_or(*known);
        }
        for (known, topic) in self.known.iter_mut().zip(&config.topics) {
            let exists = view.part(topic.first).is_some();
            news |= exists && !*known;
            *known |= exists;
        }
        self.view = Some(Arc::clone(view));
        news
    }
}

impl Engine {
    /// A broker told what it knows.
    pub(super) fn on_metadata(&mut self, reply: &MetadataReply, env: &mut Env<'_>) {
        let news = self.metadata.adopt(&reply.view, env.config);
        let metadata = &mut self.metadata;
        metadata.stale = if news { 0 } else { metadata.stale + 1 };
        let pauses = (self.settings.retry_backoff, self.settings.retry_backoff_max);
        metadata.not_before = env.now + backoff::pause(pauses, metadata.stale, env.words);
        (metadata.wanted, metadata.asked, metadata.at) = (false, false, env.now);
        self.admit(env);
    }

    /// Asks for metadata if something newer is needed, or what is known is old.
    pub(super) fn refresh_metadata(&mut self, env: &mut Env<'_>, out: &mut Vec<Out>, wake: &mut Wake) {
        self.metadata.wanted |= self.lacks_metadata();
        let due = if self.metadata.wanted { self.metadata.not_before } else { self.metadata.at + self.settings.metadata_max_age };
        if self.metadata.asked {
            return;
        }
        if due > env.now {
            wake.at(due);
            return;
        }
        if let Some(node) = self.reach_any(env, out, wake) {
            self.metadata.asked = true;
            self.send(node, What::Metadata, None, Body::Metadata, env, out);
        }
    }

    /// Whether somebody waits for a topic that is not known, or there are batches for a partition without a leader.
    fn lacks_metadata(&self) -> bool {
        let waits = self.waiting.topics().any(|topic| !self.metadata.knows(topic));
        let headless = |part: &Part| self.lanes[part.index()].head().is_some() && self.metadata.leader(*part).node.is_none();
        !self.metadata.is_known() || waits || self.busy.iter().any(headless)
    }
}
