//! Everything that a sender knows and decides, without the world: it is told what happens, and says what is to be done.

mod answers;
mod asking;
mod drain;
mod expiry;
mod gather;
mod metadata;
mod network;
mod session;
mod transaction;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Digest, NodeId, PayloadId, SmallStream, Span, Time};
use crate::record::{Mark, Reason};

use super::super::batch::Batch;
use super::super::config::{Config, ProducerConfig, Version};
use super::super::ids::{Part, Session, TxnId};
use super::super::links::Links;
use super::super::mutants::Mutants;
use super::super::protocol::{Acks, Body};
use super::lane::Lane;
use super::partitioner::Choice;
use super::waiting::Waiting;
use super::{Done, Event, Fate, Settings, Token};
pub(super) use gather::Taken;
use metadata::Metadata;
use network::Node;
use transaction::Control;

/// What the engine may look at.
pub(super) struct Env<'a> {
    /// The time since the process started, and then some: it never runs back.
    pub(super) now: Time,
    /// The node's random words.
    pub(super) words: &'a mut SmallStream,
    /// The configuration.
    pub(super) config: &'a Config,
    /// The connections, for their pauses.
    pub(super) links: &'a Links,
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Out {
    /// Send a request over the connection to a node, which is opened if there is none.
    Send {
        /// Whom to.
        to: NodeId,
        /// Its number on that connection.
        number: u32,
        /// The first record that it carries, and which attempt this is.
        about: Option<(PayloadId, u32)>,
        /// What it says.
        body: Body,
    },
    /// Give up the connection to a node.
    Drop(NodeId),
    /// Tell the owner.
    Tell(Event),
    /// A rare path was taken.
    Mark(Mark),
    /// Something happened to each record of a batch.
    Say(Arc<Batch>, Word),
}

/// What happened to a batch, in a word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Word {
    /// It is put back to be sent again.
    Again {
        /// Why.
        why: Reason,
        /// After so long.
        pause: Span,
    },
    /// It is given up.
    GivenUp {
        /// Why.
        why: Reason,
        /// It may be stored.
        doubt: bool,
    },
}

/// The earliest of several moments.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Wake(pub(super) Option<Time>);

impl Wake {
    /// One more.
    pub(super) fn at(&mut self, moment: Time) {
        self.0 = Some(self.0.map_or(moment, |other| other.min(moment)));
    }
}

/// Everything that a sender knows.
#[derive(Clone, Debug)]
pub(super) struct Engine {
    settings: Arc<ProducerConfig>,
    mutants: Mutants,
    txn: Option<TxnId>,
    resends: bool,
    /// Whether a lost sequence number is healed with a new epoch (KIP-360, 2.5).
    bumps: bool,
    /// By partition.
    lanes: Vec<Lane>,
    /// Those that hold something.
    busy: BTreeSet<Part>,
    /// By topic.
    choices: Vec<Choice>,
    waiting: Waiting,
    /// What is left of `buffer.memory`.
    free: u64,
    metadata: Metadata,
    nodes: BTreeMap<NodeId, Node>,
    /// Which of the brokers is asked next when any will do.
    turn: usize,
    session: Option<Session>,
    /// The epoch goes up before anything else is sent; batches of these partitions are numbered anew.
    renew: Option<BTreeSet<Part>>,
    /// Partitions with an unresolved number.
    unresolved: BTreeSet<Part>,
    control: Control,
    /// All that was taken is sent without waiting for more, until nothing is left.
    flushing: bool,
    /// Batches so far.
    bundles: u32,
    /// Requests with records so far.
    requests: u32,
    /// Records that are not done.
    open: usize,
}

impl Engine {
    /// Knows nothing yet.
    pub(super) fn new(settings: &Settings, config: &Config, first: usize) -> Engine {
        let producer = Arc::clone(&settings.producer);
        Engine {
            mutants: config.mutants,
            txn: settings.txn,
            resends: settings.resends,
            bumps: config.version >= Version::V2_8,
            lanes: vec![Lane::default(); config.partitions.len()],
            busy: BTreeSet::new(),
            choices: vec![Choice::default(); config.topics.len()],
            waiting: Waiting::default(),
            free: producer.buffer_memory,
            metadata: Metadata::new(config),
            nodes: BTreeMap::new(),
            turn: first,
            session: None,
            renew: None,
            unresolved: BTreeSet::new(),
            control: Control::new(settings, config),
            flushing: false,
            bundles: 0,
            requests: 0,
            open: 0,
            settings: producer,
        }
    }

    /// Forgets everything but how far it has counted: another producer in the same process. Its connections are closed.
    pub(super) fn reopen(&mut self, config: &Config) {
        let settings = Settings { producer: Arc::clone(&self.settings), txn: self.txn, part: 0, resends: self.resends };
        let fresh = Engine::new(&settings, config, self.turn);
        let old = std::mem::replace(self, fresh);
        self.nodes = old.nodes.into_iter().map(|(id, node)| (id, node.closed())).collect();
        (self.bundles, self.requests) = (old.bundles, old.requests);
    }

    /// Does whatever can be done now, as the client library's thread does in its loop, after [`Engine::time_out_requests`]. When to call
    /// again at the latest.
    pub(super) fn poll(&mut self, env: &mut Env<'_>, out: &mut Vec<Out>) -> Option<Time> {
        let mut wake = Wake::default();
        self.resolve_numbers(out);
        self.renew_epoch(out);
        self.ask_control(env, out, &mut wake);
        self.expire_sends(env, out, &mut wake);
        self.admit(env);
        self.drain(env, out, &mut wake);
        self.expire_batches(env, out, &mut wake);
        self.admit(env);
        self.refresh_metadata(env, out, &mut wake);
        self.overdue_at(&mut wake);
        if self.open == 0 {
            self.flushing = false;
        }
        wake.0
    }

    /// Sends all that was taken without waiting for more.
    pub(super) const fn flush(&mut self) {
        self.flushing = true;
    }

    /// How many records are not done.
    pub(super) const fn open(&self) -> usize {
        self.open
    }

    /// Whether the producer has idempotence, with transactions or without.
    fn is_numbered(&self) -> bool {
        self.settings.idempotence || self.txn.is_some()
    }

    /// Whether only one request is under way to a broker, and one batch of a partition.
    fn guarantees_order(&self) -> bool {
        self.settings.max_in_flight == 1 && self.settings.acks != Acks::None
    }

    /// Records are done with.
    fn tell_done(&mut self, part: Option<Part>, tokens: Vec<Token>, fate: Fate, out: &mut Vec<Out>) {
        self.open -= tokens.len();
        out.push(Out::Tell(Event::Done(Done { part, tokens, fate })));
    }

    /// Forgets that a partition holds something, if it does not.
    fn tidy(&mut self, part: Part) {
        if self.lanes[part.index()].is_empty() {
            self.busy.remove(&part);
        }
    }

    /// Adds the state to a digest, times relative to now.
    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest) {
        let gone = |moment: Time| now.saturating_since(moment).as_nanos();
        for part in &self.busy {
            let lane = &self.lanes[part.index()];
            digest.words(u64::from(part.0), u64::from(lane.is_muted));
            for bundle in lane.sent.values().chain(&lane.fresh) {
                let first = u64::from(bundle.first().0);
                digest.words(first << 32 | u64::from(bundle.span()), gone(bundle.created));
                let flags = u64::from(bundle.doubt) << 1 | u64::from(bundle.in_flight);
                digest.words(u64::from(bundle.retries) << 2 | flags, bundle.not_before.saturating_since(now).as_nanos());
                let number = bundle.stamp.map_or(u64::MAX, |stamp| u64::from(stamp.sequence) << 16 | u64::from(stamp.session.epoch));
                digest.word(number);
            }
        }
        for lane in &self.lanes {
            if lane.numbers.session.is_some() {
                digest.words(u64::from(lane.numbers.next), u64::from(lane.numbers.acked));
            }
        }
        for (node, state) in &self.nodes {
            digest.words(u64::from(node.0), state.words(now));
        }
        digest.words(self.free, self.waiting.len() as u64);
        digest.words(self.session.map_or(u64::MAX, |session| session.id.0), self.session.map_or(0, |session| u64::from(session.epoch)));
        digest.words(self.control.words(now), u64::from(self.metadata.is_known()));
    }
}
