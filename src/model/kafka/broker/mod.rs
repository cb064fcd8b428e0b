//! A broker: replicas of partitions, the requests of clients, coordinators of groups and transactions, its side of the control plane.
//!
//! | file | what it does |
//! |---|---|
//! | [`channel`] | one request of a connection at a time |
//! | [`replica`] | one replica: leader or follower, high watermark, in-sync replicas |
//! | `produce`, [`delayed`] | appending, and what waits until it is committed |
//! | `fetch` | serving followers and consumers |
//! | `follow` | fetching from leaders, truncation |
//! | `insync` | who falls behind and who has caught up |
//! | `flush` | `flush.messages`, `flush.ms` |
//! | `markers` | transactions at the leader of a partition |
//! | `views` | what the controller has decided |
//! | `chores` | retention, compaction, checkpoints, stopping |
//! | `glue` | coordinators and control plane: what they want done |
//! | `held` | what a run that is over finds |

pub mod channel;
mod chores;
pub mod delayed;
mod fetch;
mod flush;
mod follow;
mod glue;
mod held;
mod insync;
mod markers;
pub mod memo;
mod produce;
pub mod replica;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{ConnId, Digest, NodeId, PayloadId, SmallStream, Span, Time};
use crate::record::Command;
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::control_link::{ControlLink, LinkTimer};
use super::group::{GroupTimer, Groups};
use super::ids::BrokerEpoch;
use super::links::Links;
use super::protocol::{Body, ControlRequest, MetadataReply, Msg, Namer};
use super::txn::{TxnTimer, Txns};
use super::view::View;
use super::{Config, marks};

pub use channel::{Caller, Channels};
pub use delayed::Waiting;
pub use memo::{BrokerDisk, BrokerWrite};
pub use replica::Replica;

/// What the parts of a broker may look at while they handle something.
#[derive(Debug)]
pub struct Env<'a> {
    /// What the broker's clock shows.
    pub now: Time,
    /// The broker.
    pub me: NodeId,
    /// The configuration.
    pub config: &'a Config,
    /// What the broker knows of the cluster.
    pub view: &'a View,
    /// The broker's own random words.
    pub words: &'a mut SmallStream,
}

/// A broker's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BrokerTimer {
    /// The process is started for the first time.
    Join,
    /// Somebody has waited for replicas for as long as it wanted.
    Delayed {
        /// Its number.
        number: u64,
    },
    /// A fetch has waited for news for as long as it wanted.
    Fetch {
        /// Its number.
        number: u64,
    },
    /// A leader has not answered a fetch.
    FetchLost {
        /// The leader.
        leader: NodeId,
        /// The number of the request.
        number: u32,
    },
    /// The pause before the next fetch from a leader is over.
    Rested {
        /// The leader.
        leader: NodeId,
    },
    /// A coordinator or leader elsewhere has not answered.
    Unanswered {
        /// The broker asked.
        to: NodeId,
        /// The number of the request.
        number: u32,
    },
    /// A flush is over.
    Flushed {
        /// Whether it worked.
        ok: bool,
    },
    /// Time to flush (`flush.ms`).
    Flush,
    /// Time to look for followers that lag.
    Laggards,
    /// Time to look for what is too old or too much.
    Retention,
    /// Time to compact.
    Compaction,
    /// Time to write high watermarks down.
    Checkpoint,
    /// Of the group coordinator.
    Groups(GroupTimer),
    /// Of the transaction coordinator.
    Txns(TxnTimer),
    /// Of the control plane.
    Control(LinkTimer),
}

/// How far a broker's process is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stage {
    /// It was not started yet.
    Absent,
    /// It runs.
    Running,
    /// It has stopped itself, and whatever comes is turned away.
    Halted,
}

/// A broker.
#[derive(Clone, Debug)]
pub struct Broker {
    stage: Stage,
    me: NodeId,
    namer: Namer,
    answers: u32,
    channels: Channels,
    /// By [`super::Part`].
    replicas: Vec<Option<Replica>>,
    /// By [`super::Part`]: whether what a replica is was decided since the process started.
    known: Vec<bool>,
    waiting: Waiting,
    parked: fetch::ParkedFetches,
    flushes: flush::Flushes,
    fetchers: BTreeMap<NodeId, follow::Fetcher>,
    /// To leaders, for fetching.
    links: Links,
    /// To other brokers, for transactions.
    peers: Links,
    /// To controllers.
    controllers: Links,
    asked: markers::Asked,
    view: Arc<View>,
    eligible: Vec<(NodeId, BrokerEpoch)>,
    registration: Option<BrokerEpoch>,
    groups: Groups,
    txns: Txns,
    control: Option<Box<ControlLink>>,
}

/// How long a broker waits before it connects to another one again, at first and at most.
const RECONNECT: (Span, Span) = (Span::millis(50), Span::secs(1));

impl Broker {
    /// A request arrived, over a connection of its own.
    fn request<W: Hosts<Broker>>(&mut self, caller: Caller, body: Body, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some(body) = self.channels.arrived(caller, body) {
            self.handle(caller, body, ctx);
        }
    }

    /// A request is handled.
    fn handle<W: Hosts<Broker>>(&mut self, caller: Caller, body: Body, ctx: &mut Ctx<'_, W, Broker>) {
        match body {
            Body::Metadata => {
                let view = Arc::clone(&self.view);
                self.answer(caller, None, Body::MetadataReply(MetadataReply { view }), ctx);
            }
            Body::Produce(produce) => self.produce(caller, &produce, ctx),
            Body::Fetch(fetch) => self.fetch(caller, fetch, ctx),
            Body::ListOffsets(asked) => self.answer(caller, None, Body::ListOffsetsReply(self.list_offsets(asked)), ctx),
            Body::FindCoordinator(of) => {
                let found = self.find_coordinator(of, ctx.config());
                self.answer(caller, None, Body::FindCoordinatorReply(found), ctx);
            }
            Body::Group(request) => self.group_asked(caller, *request, ctx),
            Body::Txn(request) => self.txn_asked(caller, *request, ctx),
            Body::Control(request) => self.pushed(caller, *request, ctx),
            Body::MetadataReply(_)
            | Body::ProduceReply(_)
            | Body::FetchReply(_)
            | Body::ListOffsetsReply(_)
            | Body::FindCoordinatorReply(_)
            | Body::GroupReply(_)
            | Body::TxnReply(_)
            | Body::ControlReply(_)
            | Body::Raft(_)
            | Body::Store(_)
            | Body::StoreReply(_) => unreachable!("an answer is not a request"),
        }
    }

    /// With ZooKeeper the controller pushes its decisions.
    fn pushed<W: Hosts<Broker>>(&mut self, caller: Caller, request: ControlRequest, ctx: &mut Ctx<'_, W, Broker>) {
        match request {
            ControlRequest::Push(push) => {
                let mut reply = None;
                self.with_control(ctx, |control, env, out| reply = Some(control.on_push(&push, env, out)));
                if let Some(reply) = reply {
                    self.answer(caller, None, Body::ControlReply(Box::new(reply)), ctx);
                }
            }
            ControlRequest::Register(_) | ControlRequest::Heartbeat(_) | ControlRequest::AlterIsr(_) => {
                unreachable!("only controllers are asked for that")
            }
        }
    }

    /// Answers a request, and goes on with the next of its connection.
    fn answer<W: Hosts<Broker>>(&mut self, caller: Caller, about: Option<PayloadId>, body: Body, ctx: &mut Ctx<'_, W, Broker>) {
        if caller.peer.node == ctx.me()
            && let Body::TxnReply(reply) = &body
        {
            return self.txn_answered(caller.peer.node, caller.number, reply.as_ref().clone(), ctx);
        }
        let msg = match about {
            Some(payload) => {
                self.answers += 1;
                self.namer.about(payload, self.answers, caller.number, body)
            }
            None => self.namer.counted(caller.number, body),
        };
        ctx.reply(caller.peer, msg);
        self.unmute(caller, ctx);
    }

    /// The next request of a connection.
    fn unmute<W: Hosts<Broker>>(&mut self, caller: Caller, ctx: &mut Ctx<'_, W, Broker>) {
        if let Some((caller, body)) = self.channels.next(caller) {
            self.handle(caller, body, ctx);
        }
    }

    /// A connection is gone, with what waited on it.
    fn forget_connection<W: Hosts<Broker>>(&mut self, conn: ConnId, ctx: &mut Ctx<'_, W, Broker>) {
        if self.channels.ended(conn) {
            self.forget_fetches(conn, ctx);
        }
    }

    /// An answer, or a word of the controllers, over a connection that this broker opened.
    fn answered<W: Hosts<Broker>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Broker>) {
        let node = from.node;
        match msg.body {
            Body::FetchReply(reply) if self.links.heard(from) => self.fetched(node, msg.number, *reply, ctx),
            Body::TxnReply(reply) if self.peers.heard(from) => self.txn_answered(node, msg.number, *reply, ctx),
            Body::ControlReply(reply) if self.controllers.heard(from) => {
                self.with_control(ctx, |control, env, out| control.on_reply(node, *reply, env, out));
            }
            Body::Raft(message) => {
                self.controllers.heard(from);
                self.with_control(ctx, |control, env, out| control.on_raft(node, *message, env, out));
            }
            Body::FetchReply(_)
            | Body::TxnReply(_)
            | Body::ControlReply(_)
            | Body::Metadata
            | Body::MetadataReply(_)
            | Body::Produce(_)
            | Body::ProduceReply(_)
            | Body::Fetch(_)
            | Body::ListOffsets(_)
            | Body::ListOffsetsReply(_)
            | Body::FindCoordinator(_)
            | Body::FindCoordinatorReply(_)
            | Body::Group(_)
            | Body::GroupReply(_)
            | Body::Txn(_)
            | Body::Control(_)
            | Body::Store(_)
            | Body::StoreReply(_) => {}
        }
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        for (at, replica) in self.replicas.iter().enumerate() {
            if let Some(replica) = replica {
                digest.words(at as u64, replica.high_watermark);
                replica.log.fingerprint(now, digest);
                digest.words(u64::from(replica.epoch()), u64::from(replica.leading().is_some()));
                if let Some(leading) = replica.leading() {
                    for node in &leading.isr {
                        digest.word(u64::from(node.0));
                    }
                    for follower in &leading.followers {
                        digest.words(u64::from(follower.node.0), follower.end);
                    }
                    digest.words(leading.awaiting.len() as u64, u64::from(leading.proposal.is_some()));
                }
            }
        }
        digest.words(self.waiting.len() as u64, self.channels.waiting() as u64);
        digest.words(self.registration.map_or(0, |epoch| epoch + 1), self.view.version);
        self.groups.fingerprint(now, digest);
        self.txns.fingerprint(now, digest);
        if let Some(control) = &self.control {
            control.fingerprint(now, digest);
        }
    }
}

impl Role for Broker {
    type Config = Config;
    type Msg = Msg;
    type Timer = BrokerTimer;
    type Disk = BrokerDisk;
    type Write = BrokerWrite;
    type Up = std::convert::Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let (life, config) = (ctx.life(), ctx.config());
        let links = |part| Links::new((life, part), RECONNECT.0, RECONNECT.1);
        let mut broker = Broker {
            stage: Stage::Absent,
            me: ctx.me(),
            namer: Namer::new(life, 0),
            answers: 0,
            channels: Channels::default(),
            replicas: vec![None; config.partitions.len()],
            known: vec![false; config.partitions.len()],
            waiting: Waiting::default(),
            parked: fetch::ParkedFetches::default(),
            flushes: flush::Flushes::default(),
            fetchers: BTreeMap::new(),
            links: links(1),
            peers: links(2),
            controllers: links(3),
            asked: markers::Asked::default(),
            view: Arc::default(),
            eligible: Vec::new(),
            registration: None,
            groups: Groups::new(),
            txns: Txns::new(),
            control: None,
        };
        broker.begin(ctx);
        broker
    }

    /// The load has nothing to ask of a broker.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        unreachable!("{} was given to a broker; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        // Clients are let in when the broker knows the cluster [S:kafka BrokerServer: enableRequestProcessing].
        let opens = self.stage == Stage::Running && (!self.view.brokers.is_empty() || !msg.body.is_of_client());
        if !opens {
            if let Some(conn) = from.conn {
                ctx.close(conn);
            }
            return;
        }
        if msg.body.is_request() {
            self.request(Caller { peer: from, number: msg.number }, msg.body, ctx);
        } else {
            self.answered(from, msg, ctx);
        }
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: BrokerTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        if self.stage == Stage::Halted {
            return;
        }
        match timer {
            BrokerTimer::Join => self.start(ctx),
            BrokerTimer::Delayed { number } => {
                if let Some(delayed) = self.waiting.expired(number) {
                    ctx.mark(marks::REPLICAS_TOO_SLOW);
                    self.decided(delayed, ctx);
                }
            }
            BrokerTimer::Fetch { number } => self.fetch_expired(number, ctx),
            BrokerTimer::FetchLost { leader, number } => self.fetch_lost(leader, Some(number), ctx),
            BrokerTimer::Rested { leader } => self.rested(leader, ctx),
            BrokerTimer::Unanswered { to, number } => self.unanswered_in_time(to, number, ctx),
            BrokerTimer::Flushed { ok } => self.flushed(ok, ctx),
            BrokerTimer::Flush => self.flush_in_time(ctx),
            BrokerTimer::Laggards => self.look_for_laggards(ctx),
            BrokerTimer::Retention => self.retain(ctx),
            BrokerTimer::Compaction => self.compact(ctx),
            BrokerTimer::Checkpoint => self.checkpoint(ctx),
            BrokerTimer::Groups(timer) => self.with_groups(ctx, |groups, env, out| groups.on_timer(timer, env, out)),
            BrokerTimer::Txns(timer) => self.with_txns(ctx, |txns, env, out| txns.on_timer(timer, env, out)),
            BrokerTimer::Control(timer) => self.with_control(ctx, |control, env, out| control.on_timer(timer, env, out)),
        }
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, _: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Self::Up>) {
        let now = ctx.now();
        if self.links.lost(peer, now) {
            self.fetch_lost(peer.node, None, ctx);
        } else if self.peers.lost(peer, now) {
            self.questions_lost(peer.node, ctx);
        } else if self.controllers.lost(peer, now) {
            self.with_control(ctx, |control, env, out| control.on_disconnect(peer.node, env, out));
        } else if let Some(conn) = peer.conn {
            self.forget_connection(conn, ctx);
        }
    }
}
