//! The controller quorum: the metadata log, and the decisions that it records.
//!
//! A [`Controller`] is one node of the quorum. The one that leads it is the active controller: it answers brokers, and each answer waits
//! until the decision that it rests on is committed. With ZooKeeper the same nodes stand for the ensemble, and the one that leads
//! it for the broker that was elected controller.

mod announce;
pub mod change;
mod chores;
mod decide;
pub mod marks;
pub mod metadata;
mod office;
mod pushes;
mod quorum;
mod sessions;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;

use crate::base::{Digest, NodeId, Span, Time};
use crate::model::raft::{Moment, Pull, Raft, Record, Replication, Settings, Stored, Term, Ticket, Timer, TimerKind};
use crate::record::Command;
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink, TimerId};

use super::broker::Caller;
use super::config::Config;
use super::ids::TopicId;
use super::links::Links;
use super::protocol::{Body, ControlReply, Msg, Namer};
use super::view::View;

pub use change::{Change, Fact, PartChange};
pub use metadata::Metadata;
use office::Office;

/// `controller.quorum.retry.backoff.ms` [S:kafka QuorumConfig].
const RETRY_BACKOFF: Span = Span::millis(20);
/// The pauses between connections to a node that cannot be reached: at first, at most.
const RECONNECT: (Span, Span) = (Span::millis(50), Span::millis(1000));
/// The parts of the process that name messages: requests, answers.
const PARTS: (u8, u8) = (0, 1);

/// What a controller's disk holds.
pub type ControllerDisk = Stored<Change>;
/// One write to it.
pub type ControllerWrite = Record<Change>;

/// A controller's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ControllerTimer {
    /// Of the quorum.
    Raft(Timer),
    /// The disk has what was written before this sync.
    Synced {
        /// How far the sync reaches.
        ticket: Ticket,
        /// How often the process had started again when it began.
        starts: u32,
    },
    /// It has not.
    SyncFailed {
        /// How often the process had started again when it began.
        starts: u32,
    },
    /// A process that stopped because its disk was full is started again.
    StartAgain,
    /// A node has not answered a request of the quorum, or a push.
    Silence {
        /// Which.
        node: NodeId,
        /// Which request.
        generation: u32,
    },
    /// A broker was not heard of for too long.
    Session {
        /// Which.
        broker: NodeId,
        /// Since when.
        generation: u32,
    },
    /// A broker that could not be reached is told again (with ZooKeeper).
    PushAgain(NodeId),
    /// Topics are created although not all brokers have come.
    Impatient(Term),
    /// Preferred leaders are to lead again.
    Balance(Term),
    /// A task of the administrator is due.
    Task(u32),
    /// An administrator creates a topic.
    Topic(TopicId),
}

/// A controller's process.
#[derive(Clone, Debug)]
pub struct Controller {
    raft: Raft<Change>,
    /// What is committed.
    committed: Metadata,
    /// What only the active controller has.
    office: Option<Box<Office>>,
    links: Links,
    /// Names answers.
    namer: Namer,
    /// The connection over which each node last asked something of the quorum.
    callers: BTreeMap<NodeId, Peer>,
    /// Nodes that owe an answer, each with the generation of the timer that ends the patience with it.
    silent: BTreeMap<NodeId, u32>,
    timers: BTreeMap<TimerKind, TimerId>,
    /// Counts timers.
    serial: u32,
    due_tasks: BTreeSet<u32>,
    due_topics: BTreeSet<TopicId>,
    /// Its disk is full: it does nothing any more until it is started again.
    halted: bool,
    /// How often it was started again for that.
    starts: u32,
}

impl Role for Controller {
    type Config = Config;
    type Msg = Msg;
    type Timer = ControllerTimer;
    type Disk = ControllerDisk;
    type Write = ControllerWrite;
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let links = Links::new((ctx.life(), PARTS.0), RECONNECT.0, RECONNECT.1);
        let mut controller = Controller::start(links, Namer::new(ctx.life(), PARTS.1), ctx);
        controller.set_the_calendar(ctx);
        controller.pump(ctx);
        controller
    }

    fn on_command<W: Hosts<Self>>(&mut self, _: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        unreachable!("controllers take no load");
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        if self.halted {
            return;
        }
        if let Body::Raft(message) = msg.body {
            self.on_raft(from, *message, ctx);
        } else if let Body::Control(request) = msg.body {
            self.on_request(Caller { peer: from, number: msg.number }, *request, ctx);
        } else if let Body::ControlReply(reply) = msg.body
            && let ControlReply::Pushed(result) = *reply
        {
            self.on_pushed(from, result, ctx);
        }
        self.pump(ctx);
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ControllerTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        if self.halted && timer != ControllerTimer::StartAgain {
            return;
        }
        let at = Moment::new(ctx.now(), ctx.random());
        match timer {
            ControllerTimer::Raft(timer) => self.raft.timer(timer, at),
            ControllerTimer::Synced { ticket, starts } if starts == self.starts => self.raft.synced(ticket, at),
            ControllerTimer::SyncFailed { starts } if starts == self.starts => self.raft.sync_failed(at),
            ControllerTimer::Synced { .. } | ControllerTimer::SyncFailed { .. } => {}
            ControllerTimer::StartAgain => self.start_again(ctx),
            ControllerTimer::Silence { node, generation } => self.on_silence(node, generation, ctx),
            ControllerTimer::Session { broker, generation } => self.on_session_over(broker, generation, ctx),
            ControllerTimer::PushAgain(node) => self.push_again(node),
            ControllerTimer::Impatient(term) => self.on_impatient(term, ctx),
            ControllerTimer::Balance(term) => self.on_balance(term, ctx),
            ControllerTimer::Task(task) => self.on_task_due(task, ctx),
            ControllerTimer::Topic(topic) => self.on_topic_due(topic, ctx),
        }
        self.pump(ctx);
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, _: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        if self.callers.get(&peer.node) == Some(&peer) {
            self.callers.remove(&peer.node);
        }
        if self.links.lost(peer, ctx.now()) {
            self.unreachable(peer.node, ctx);
        }
    }
}

impl Controller {
    /// A process that starts on what its disk holds.
    fn start<W: Hosts<Self>>(links: Links, namer: Namer, ctx: &mut Ctx<'_, W, Self>) -> Controller {
        let at = Moment::new(ctx.now(), ctx.random());
        Controller {
            raft: Raft::boot(ctx.me(), quorum_settings(ctx.config()), ctx.recover(), at),
            committed: Metadata::default(),
            office: None,
            links,
            namer,
            callers: BTreeMap::new(),
            silent: BTreeMap::new(),
            timers: BTreeMap::new(),
            serial: 0,
            due_tasks: BTreeSet::new(),
            due_topics: BTreeSet::new(),
            halted: false,
            starts: 0,
        }
    }

    /// The term in which this is the active controller, as far as it knows.
    #[must_use]
    pub fn active_in(&self) -> Option<Term> {
        self.office.as_ref().map(|_| self.raft.term())
    }

    /// What is committed, as far as this node knows.
    #[must_use]
    pub const fn metadata(&self) -> &Metadata {
        &self.committed
    }

    /// The cluster as far as it is committed and this node knows.
    #[must_use]
    pub const fn view(&self) -> &Arc<View> {
        self.committed.view()
    }

    /// The node of the quorum.
    #[must_use]
    pub const fn quorum(&self) -> &Raft<Change> {
        &self.raft
    }

    /// Adds its state to a digest.
    pub fn fingerprint(&self, _: Time, digest: &mut Digest) {
        digest.words(u64::from(self.raft.term().0), self.raft.log().end().0);
        digest.words(self.committed.end(), u64::from(self.halted));
        digest.words(self.due_tasks.len() as u64, self.due_topics.len() as u64);
        digest.word(self.raft.leader().map_or(u64::MAX, |leader| u64::from(leader.0)));
        if let Some(office) = &self.office {
            office.fingerprint(digest);
        }
    }
}

/// The active controller: of those that believe they are, the one of the latest term.
pub fn active<'a>(controllers: impl IntoIterator<Item = (NodeId, &'a Controller)>) -> Option<NodeId> {
    let reigns = controllers.into_iter().filter_map(|(node, controller)| Some((controller.active_in()?, node)));
    reigns.max().map(|(_, node)| node)
}

/// The empty disk of a controller.
#[must_use]
pub fn format(config: &Config) -> ControllerDisk {
    Stored::format(config.places.controllers.iter().copied())
}

/// How the quorum of controllers is set up.
#[must_use]
pub fn quorum_settings(config: &Config) -> Settings {
    let controller = &config.controller;
    let pull = Pull {
        fetch_timeout: controller.fetch_timeout,
        fetch_wait: controller.fetch_timeout.scaled(1, 4),
        request_timeout: controller.request_timeout,
        retry_backoff: RETRY_BACKOFF,
        eager_commit: true,
    };
    Settings {
        replication: Replication::Pull(pull),
        election_timeout: controller.election_timeout,
        election_backoff_max: Some(controller.election_backoff_max),
        pre_vote: config.mechanisms.pre_vote,
        check_quorum: Some(controller.fetch_timeout.scaled(3, 2)),
        ..Settings::kraft()
    }
}
