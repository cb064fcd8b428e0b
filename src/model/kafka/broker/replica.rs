//! One replica of a partition: its log, and what it is to it: leader or follower.
//!
//! The rules are those of Kafka's `Partition` and `Replica` [S:kafka Partition.scala, Replica.scala]: followers tell how far they are by
//! what they fetch; the high watermark is the least end of the log among all that are in sync or about to be.

use std::collections::VecDeque;

use crate::base::{NodeId, ObjectId, Span, Time};

use super::super::config::TopicConfig;
use super::super::ids::{BrokerEpoch, Epoch, GroupId, Offset};
use super::super::log::Log;
use super::super::mutants::{Mutant, Mutants};
use super::super::view::PartView;

/// What a leader knows of one follower.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Progress {
    /// The follower.
    pub node: NodeId,
    /// Which registration of it fetched last. `None`: it has not fetched yet.
    pub registration: Option<BrokerEpoch>,
    /// Its log's end, as its last fetch said.
    pub end: Offset,
    /// When it last had everything that the leader had then.
    pub caught_up: Time,
    /// The leader's end and the time at its last fetch.
    last_fetch: (Offset, Time),
    /// The high watermark that it was told last.
    pub told: Offset,
}

/// A change of the in-sync replicas that the controller was asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Proposal {
    /// The in-sync replicas as they shall be.
    pub isr: Vec<NodeId>,
    /// Against which version of the partition.
    pub version: u32,
}

/// Waits until a log is committed up to an offset.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Awaiting {
    /// The high watermark that is needed.
    pub needs: Offset,
    /// Who waits: a number of the broker's.
    pub who: u64,
}

/// What the leader of a partition keeps.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Leading {
    /// The leader's epoch.
    pub epoch: Epoch,
    /// Where the log ended when it began.
    pub from: Offset,
    /// The in-sync replicas as the controller has decided, this one included.
    pub isr: Vec<NodeId>,
    /// Which change of the partition that was.
    pub version: u32,
    /// What was asked for and is not decided.
    pub proposal: Option<Proposal>,
    /// The other replicas.
    pub followers: Vec<Progress>,
    /// Who waits for the high watermark, those that need least first.
    pub awaiting: VecDeque<Awaiting>,
}

/// What a replica is to its partition.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// It leads.
    Leader(Box<Leading>),
    /// It follows.
    Follower {
        /// Whom. `None`: nobody leads.
        leader: Option<NodeId>,
        /// In which epoch.
        epoch: Epoch,
    },
}

/// One replica.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Its log.
    pub log: Log,
    /// Below it everything is committed, as far as this replica knows.
    pub high_watermark: Offset,
    /// What it is.
    pub part: Part,
    /// Up to where its log was made durable on purpose; only where the topic asks for that.
    pub flushed: Offset,
    /// Followers and consumers whose fetches wait for news: numbers of the broker's.
    pub fetching: Vec<u64>,
    /// How far consumers of groups, with their subscriptions, have fetched from it.
    pub reached: Vec<(GroupId, ObjectId, Offset)>,
}

impl Replica {
    /// A replica that follows nobody yet.
    #[must_use]
    pub const fn new(log: Log, high_watermark: Offset) -> Replica {
        let part = Part::Follower { leader: None, epoch: 0 };
        Replica { log, high_watermark, part, flushed: 0, fetching: Vec::new(), reached: Vec::new() }
    }

    /// What the leader keeps, if this is it.
    #[must_use]
    pub fn leading(&self) -> Option<&Leading> {
        match &self.part {
            Part::Leader(leading) => Some(leading),
            Part::Follower { .. } => None,
        }
    }

    /// The same, to change.
    pub fn leading_mut(&mut self) -> Option<&mut Leading> {
        match &mut self.part {
            Part::Leader(leading) => Some(leading),
            Part::Follower { .. } => None,
        }
    }

    /// The epoch of the leader that it leads or follows as.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        match &self.part {
            Part::Leader(leading) => leading.epoch,
            Part::Follower { epoch, .. } => *epoch,
        }
    }

    /// It leads from now on. Whoever was in sync has the benefit of the doubt.
    pub fn lead(&mut self, view: &PartView, me: NodeId, now: Time) {
        let from = self.log.end();
        self.log.begin_epoch(view.epoch);
        let progress = |node: &NodeId| Progress { node: *node, registration: None, end: 0, caught_up: now, last_fetch: (0, now), told: 0 };
        let followers = view.replicas.iter().filter(|node| **node != me).map(progress).collect();
        self.part = Part::Leader(Box::new(Leading {
            epoch: view.epoch,
            from,
            isr: view.isr.to_vec(),
            version: view.version,
            proposal: None,
            followers,
            awaiting: VecDeque::new(),
        }));
    }

    /// The controller has decided something in the same epoch.
    pub fn update(&mut self, view: &PartView, me: NodeId, now: Time) {
        let Some(leading) = self.leading_mut() else { return };
        if view.version <= leading.version {
            return;
        }
        leading.version = view.version;
        leading.isr = view.isr.to_vec();
        leading.proposal = None;
        leading.followers.retain(|follower| view.replicas.contains(&follower.node));
        for node in view.replicas.iter().filter(|node| **node != me) {
            if !leading.followers.iter().any(|follower| follower.node == *node) {
                let late = Time::ZERO;
                leading.followers.push(Progress {
                    node: *node,
                    registration: None,
                    end: 0,
                    caught_up: late,
                    last_fetch: (0, now),
                    told: 0,
                });
            }
        }
    }

    /// How far this replica counts for the high watermark: what it has appended, or, where the topic wants logs flushed, what it has
    /// flushed.
    #[must_use]
    pub fn own_end(&self, flushes: bool) -> Offset {
        if flushes { self.flushed.min(self.log.end()) } else { self.log.end() }
    }

    /// Moves the high watermark as far as the in-sync replicas allow. Whether it moved.
    pub fn advance(&mut self, rules: &Rules<'_>) -> bool {
        let end = self.own_end(rules.flushes);
        let Part::Leader(leading) = &self.part else { return false };
        if rules.watermark_needs_min_isr && leading.maximal_isr().count() < rules.topic.min_insync_replicas as usize {
            return false;
        }
        let mut least = end;
        for follower in &leading.followers {
            let counts =
                leading.is_in_maximal_isr(follower.node) || (follower.is_caught_up(self.log.end(), rules) && rules.may_join(follower));
            if counts && follower.end < least && !rules.mutants.has(Mutant::WatermarkBeforeFollowers) {
                least = follower.end;
            }
        }
        if least <= self.high_watermark {
            return false;
        }
        self.high_watermark = least;
        true
    }

    /// A follower fetches from an offset: its log goes so far.
    pub fn fetched(&mut self, node: NodeId, registration: BrokerEpoch, offset: Offset, now: Time) {
        let end = self.log.end();
        let Some(follower) = self.leading_mut().and_then(|leading| leading.followers.iter_mut().find(|follower| follower.node == node))
        else {
            return;
        };
        if offset >= end {
            follower.caught_up = follower.caught_up.max(now);
        } else if offset >= follower.last_fetch.0 {
            follower.caught_up = follower.caught_up.max(follower.last_fetch.1);
        }
        follower.last_fetch = (end, now);
        follower.end = offset;
        follower.registration = Some(registration);
    }

    /// The in-sync replicas without those that have lagged for too long, if there are such.
    #[must_use]
    pub fn shrunk(&self, me: NodeId, rules: &Rules<'_>) -> Option<Vec<NodeId>> {
        let end = self.log.end();
        let leading = self.leading().filter(|leading| leading.proposal.is_none())?;
        let lags = |node: &NodeId| {
            let follower = leading.followers.iter().find(|follower| follower.node == *node);
            *node != me && follower.is_none_or(|follower| !follower.is_caught_up(end, rules))
        };
        let kept: Vec<NodeId> = leading.isr.iter().copied().filter(|node| !lags(node)).collect();
        (kept.len() < leading.isr.len() && !rules.mutants.has(Mutant::IsrIgnoresLag)).then_some(kept)
    }

    /// The in-sync replicas with a follower that has caught up, if it is not one of them and may be.
    #[must_use]
    pub fn expanded(&self, node: NodeId, rules: &Rules<'_>) -> Option<Vec<NodeId>> {
        let leading = self.leading().filter(|leading| leading.proposal.is_none())?;
        let follower = leading.followers.iter().find(|follower| follower.node == node)?;
        let there = follower.end >= self.high_watermark.max(leading.from) || rules.mutants.has(Mutant::JoinsIsrEarly);
        if leading.isr.contains(&node) || !there || !rules.may_join(follower) {
            return None;
        }
        let mut isr = leading.isr.clone();
        isr.push(node);
        Some(isr)
    }
}

impl Leading {
    /// Who is in sync, or may be by now: what was decided and what was proposed.
    pub fn maximal_isr(&self) -> impl Iterator<Item = NodeId> + '_ {
        let proposed = self.proposal.iter().flat_map(|proposal| proposal.isr.iter().copied());
        self.isr.iter().copied().chain(proposed.filter(|node| !self.isr.contains(node)))
    }

    /// Whether a replica is one of those.
    #[must_use]
    pub fn is_in_maximal_isr(&self, node: NodeId) -> bool {
        self.isr.contains(&node) || self.proposal.as_ref().is_some_and(|proposal| proposal.isr.contains(&node))
    }

    /// Somebody waits until the high watermark is so far.
    pub fn wait(&mut self, awaiting: Awaiting) {
        let at = self.awaiting.partition_point(|other| other.needs <= awaiting.needs);
        self.awaiting.insert(at, awaiting);
    }
}

impl Progress {
    fn is_caught_up(&self, end: Offset, rules: &Rules<'_>) -> bool {
        self.end >= end || rules.now.saturating_since(self.caught_up) <= rules.lag
    }
}

/// By what rules a leader judges its followers at this moment.
#[derive(Debug)]
pub struct Rules<'a> {
    /// Now.
    pub now: Time,
    /// `replica.lag.time.max.ms`.
    pub lag: Span,
    /// The topic.
    pub topic: &'a TopicConfig,
    /// Whether the topic wants logs flushed.
    pub flushes: bool,
    /// See [`super::super::config::Mechanisms`].
    pub watermark_needs_min_isr: bool,
    /// The registrations of those that may be in sync: alive and not about to stop.
    pub eligible: &'a [(NodeId, BrokerEpoch)],
    /// What is broken.
    pub mutants: Mutants,
}

impl Rules<'_> {
    /// Whether a follower may join: the controller counts it as alive, in the registration that fetches here.
    fn may_join(&self, follower: &Progress) -> bool {
        self.eligible.iter().any(|(node, registration)| *node == follower.node && Some(*registration) == follower.registration)
    }
}

#[cfg(test)]
mod tests;
