//! A coordinator with a log, leaders that write markers, and producers, two of which have the same transactional id. Everything on the way
//! can be late, lost or doubled, and the coordinator can crash and move.
//!
//! One thing is assumed: what a new coordinator has read of its log is not cut off again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{NodeId, SmallStream, Span, Stream, Time, Words};
use crate::model::kafka::batch::{Content, Outcome, Stored};
use crate::model::kafka::broker::{Caller, Env};
use crate::model::kafka::config::Config;
use crate::model::kafka::ids::{Epoch, GroupId, Part, ProducerId, Session, TxnId};
use crate::model::kafka::mutants::Mutants;
use crate::model::kafka::protocol::{EndMarker, MarkerWritten, TxnReply, TxnRequest};
use crate::model::kafka::refusal::Refusal;
use crate::model::kafka::view::{PartView, View};
use crate::record::Mark;
use crate::world::Peer;

use super::super::{State, TxnOut, TxnRecord, TxnTimer, TxnValue, Txns};
use super::config::{BROKERS, HOME, POSITIONS, config};

/// `transaction.timeout.ms` of all producers.
pub(super) const TIMEOUT: Span = Span::secs(20);

/// One transaction of one producer: whose, and which of its transactions.
pub(super) type Deal = (usize, u32);

/// A partition's log, as far as transactions are concerned.
#[derive(Default)]
pub(super) struct Log {
    epochs: BTreeMap<ProducerId, u16>,
    coordinators: BTreeMap<ProducerId, Epoch>,
    open: BTreeMap<ProducerId, Vec<Deal>>,
    pub(super) ended: Vec<(Deal, Outcome)>,
}

impl Log {
    /// Whether a batch is taken.
    fn write(&mut self, session: Session, deal: Deal) -> bool {
        let epoch = self.epochs.entry(session.id).or_insert(session.epoch);
        if session.epoch < *epoch {
            return false;
        }
        *epoch = session.epoch;
        self.open.entry(session.id).or_default().push(deal);
        true
    }

    fn mark(&mut self, marker: &EndMarker) -> Result<(), Refusal> {
        let coordinator = self.coordinators.entry(marker.session.id).or_insert(marker.coordinator);
        if marker.coordinator < *coordinator {
            return Err(Refusal::TransactionCoordinatorFenced);
        }
        *coordinator = marker.coordinator;
        let epoch = self.epochs.entry(marker.session.id).or_insert(marker.session.epoch);
        if marker.session.epoch < *epoch {
            return Err(Refusal::InvalidProducerEpoch);
        }
        *epoch = marker.session.epoch;
        let open = self.open.remove(&marker.session.id).unwrap_or_default();
        self.ended.extend(open.into_iter().map(|deal| (deal, marker.outcome)));
        Ok(())
    }

    pub(super) fn open(&self) -> Vec<Deal> {
        self.open.values().flatten().copied().collect()
    }
}

/// A request to leaders on its way.
pub(super) struct Letter {
    life: u32,
    ticket: u64,
    markers: Vec<EndMarker>,
}

/// The whole.
pub(super) struct Rig {
    pub(super) config: Config,
    pub(super) view: View,
    words: SmallStream,
    pub(super) chance: Stream,
    pub(super) now: Time,
    /// `None`: nobody coordinates.
    pub(super) txns: Option<Txns>,
    pub(super) epoch: Epoch,
    life: u32,
    /// The partition of the topic of transactions, and how much of it is on all in-sync replicas.
    pub(super) home: Vec<Stored>,
    pub(super) replicated: usize,
    pub(super) flights: Vec<(u64, usize)>,
    pub(super) timers: Vec<(Time, TxnTimer)>,
    pub(super) requests: Vec<(u32, usize, TxnRequest)>,
    asked: BTreeMap<u32, TxnRequest>,
    pub(super) replies: Vec<(usize, u32, TxnReply)>,
    pub(super) letters: Vec<Letter>,
    pub(super) acks: Vec<(u32, u64, Result<TxnReply, Refusal>)>,
    pub(super) logs: Vec<Log>,
    numbers: u32,
    /// Sessions that each id's producers were given, and those of them that a later producer has shut out.
    handed: BTreeMap<TxnId, BTreeSet<Session>>,
    fenced: BTreeSet<Session>,
    pub(super) marks: BTreeSet<Mark>,
    /// Once in so many times an append is refused at once. 0: never.
    pub(super) refusals: u64,
    /// What went wrong.
    pub(super) wrong: Option<String>,
}

impl Rig {
    pub(super) fn new(seed: u64, v2: bool, mutants: Mutants) -> Rig {
        let config = config(v2, mutants);
        let part = || PartView {
            replicas: Arc::from(BROKERS),
            isr: Arc::from(BROKERS),
            elr: Arc::from([]),
            leader: Some(BROKERS[0]),
            epoch: 0,
            version: 0,
            adding: Arc::from([]),
            removing: Arc::from([]),
            unclean: false,
        };
        let view = View { version: 0, parts: (0..5).map(|_| Some(part())).collect(), brokers: Vec::new() };
        let mut rig = Rig {
            config,
            view,
            words: SmallStream::named(seed, "env", 0),
            chance: Stream::named(seed, "schedule", 0),
            now: Time::ZERO,
            txns: None,
            epoch: 0,
            life: 0,
            home: Vec::new(),
            replicated: 0,
            flights: Vec::new(),
            timers: Vec::new(),
            requests: Vec::new(),
            asked: BTreeMap::new(),
            replies: Vec::new(),
            letters: Vec::new(),
            acks: Vec::new(),
            logs: (0..4).map(|_| Log::default()).collect(),
            numbers: 0,
            handed: BTreeMap::new(),
            fenced: BTreeSet::new(),
            marks: BTreeSet::new(),
            refusals: 0,
            wrong: None,
        };
        rig.come();
        rig
    }

    /// A record is there from the beginning.
    pub(super) fn seed_log(&mut self, txn: TxnId, session: Session, state: State) {
        let value = TxnValue {
            session,
            previous: None,
            next: None,
            timeout: TIMEOUT,
            state,
            parts: Arc::from([]),
            started: None,
            updated: Time::ZERO,
        };
        self.keep(TxnRecord { txn, value: Some(value) }.into_batch());
        self.replicated = self.home.len();
        self.crash(self.home.len());
        self.come();
    }

    fn keep(&mut self, batch: crate::model::kafka::batch::Batch) -> usize {
        let at = self.home.len();
        self.home.push(Stored { base: at as u64, epoch: self.epoch, at: self.now, batch: Arc::new(batch) });
        at
    }

    /// The coordinator is given something to do, if there is one.
    pub(super) fn with(&mut self, act: impl FnOnce(&mut Txns, &mut Env<'_>, &mut Vec<TxnOut>)) {
        let Some(mut txns) = self.txns.take() else { return };
        let mut out = Vec::new();
        let mut env = Env { now: self.now, me: BROKERS[0], config: &self.config, view: &self.view, words: &mut self.words };
        act(&mut txns, &mut env, &mut out);
        self.txns = Some(txns);
        for one in out {
            self.take(one);
        }
    }

    fn take(&mut self, out: TxnOut) {
        match out {
            TxnOut::Answer(caller, reply) => {
                self.check_answer(caller.number, &reply);
                self.replies.push((caller.peer.node.index(), caller.number, reply));
            }
            TxnOut::Append { home, batch, ticket, .. } => {
                assert_eq!(home, HOME);
                if self.refusals > 0 && self.chance.below(self.refusals) == 0 {
                    return self.with(|txns, env, out| txns.on_appended(ticket, Err(Refusal::NotEnoughReplicas), env, out));
                }
                let at = self.keep(batch);
                self.flights.push((ticket, at));
            }
            TxnOut::Markers { to, request, ticket } => {
                assert!(BROKERS.contains(&to));
                let TxnRequest::WriteMarkers { markers } = request else { panic!("{request:?}") };
                self.check_markers(&markers);
                self.letters.push(Letter { life: self.life, ticket, markers });
            }
            TxnOut::Timer(after, timer) => self.timers.push((self.now + after, timer)),
            TxnOut::Mark(mark) => {
                self.marks.insert(mark);
            }
            TxnOut::Say(..) => {}
        }
    }

    pub(super) fn fail(&mut self, why: String) {
        self.wrong.get_or_insert(why);
    }

    /// Nobody who was shut out is served.
    fn check_answer(&mut self, number: u32, reply: &TxnReply) {
        let request = self.asked.get(&number).cloned().expect("only what was asked is answered");
        let served = match reply {
            TxnReply::ProducerId(Ok(session)) => {
                let TxnRequest::InitProducerId { txn: Some(txn), .. } = request else { return };
                let handed = self.handed.entry(txn).or_default();
                handed.insert(*session);
                let earlier = handed.iter().filter(|other| *other != session);
                self.fenced.extend(earlier);
                if self.fenced.contains(session) {
                    self.fail(format!("{session} is given out again"));
                }
                return;
            }
            TxnReply::Ended(Ok(session)) => {
                let TxnRequest::EndTxn { txn, .. } = request else { panic!("{request:?}") };
                self.handed.entry(txn).or_default().insert(*session);
                true
            }
            TxnReply::PartitionsAdded(result) | TxnReply::OffsetsAdded(result) => result.is_ok(),
            TxnReply::Verified(results) => results.iter().any(|(_, result)| result.is_ok()),
            TxnReply::ProducerId(Err(_)) | TxnReply::Ended(Err(_)) | TxnReply::MarkersWritten(_) => false,
        };
        let session = match &request {
            TxnRequest::AddPartitions { session, .. }
            | TxnRequest::AddOffsets { session, .. }
            | TxnRequest::EndTxn { session, .. }
            | TxnRequest::Verify { session, .. } => *session,
            TxnRequest::InitProducerId { .. } | TxnRequest::WriteMarkers { .. } => return,
        };
        if served && self.fenced.contains(&session) {
            self.fail(format!("{session} was shut out and is served: {request:?}"));
        }
    }

    /// Markers say what is decided on all in-sync replicas.
    fn check_markers(&mut self, markers: &[EndMarker]) {
        let mut last: BTreeMap<TxnId, TxnValue> = BTreeMap::new();
        for stored in &self.home[..self.replicated] {
            if let Content::Transaction(record) = &stored.batch.content
                && let Some(value) = &record.value
            {
                last.insert(record.txn, value.clone());
            }
        }
        for marker in markers {
            let decided = last.values().find(|value| value.session == marker.session && value.state.decided().is_some());
            let right = decided.is_some_and(|value| {
                value.state.decided() == Some(marker.outcome) && marker.parts.iter().all(|part| value.parts.contains(part))
            });
            if !right || marker.coordinator != self.epoch {
                self.fail(format!("{marker:?}, but {decided:?} is decided"));
            }
        }
    }

    /// Somebody asks; the number comes back.
    pub(super) fn ask(&mut self, who: usize, request: TxnRequest) -> u32 {
        self.numbers += 1;
        self.asked.insert(self.numbers, request.clone());
        self.requests.push((self.numbers, who, request));
        self.numbers
    }

    /// A request gets there.
    pub(super) fn deliver(&mut self, (number, who, request): (u32, usize, TxnRequest)) {
        let node = NodeId::at(who);
        let caller = Caller { peer: Peer { node, conn: None }, number };
        self.with(|txns, env, out| txns.on_request(caller, node, request, env, out));
    }

    /// Asks, and everything that follows happens at once. What is answered, if anything is.
    pub(super) fn ask_now(&mut self, who: usize, request: TxnRequest) -> Option<TxnReply> {
        let number = self.ask(who, request);
        let request = self.requests.pop().expect("just asked");
        self.deliver(request);
        self.replicate(self.home.len());
        self.replies.iter().find(|(_, of, _)| *of == number).map(|(_, _, reply)| reply.clone())
    }

    /// The in-sync replicas fetch up to there.
    pub(super) fn replicate(&mut self, to: usize) {
        self.replicated = self.replicated.max(to);
        while let Some(at) = self.flights.iter().position(|(_, at)| *at < self.replicated) {
            let (ticket, at) = self.flights.remove(at);
            self.with(|txns, env, out| txns.on_appended(ticket, Ok(at as u64), env, out));
        }
    }

    /// A letter gets to its leader, and an answer is on its way.
    pub(super) fn deliver_letter(&mut self, letter: &Letter) {
        let mut written = Vec::new();
        for marker in &letter.markers {
            for part in &marker.parts {
                let result = self.logs[part.index()].mark(marker);
                written.push(MarkerWritten { session: marker.session, part: *part, result });
            }
        }
        self.acks.push((letter.life, letter.ticket, Ok(TxnReply::MarkersWritten(written))));
    }

    /// A letter comes to nothing, as far as its sender can know.
    pub(super) fn lose_letter(&mut self, letter: &Letter) {
        self.acks.push((letter.life, letter.ticket, Err(Refusal::RequestTimedOut)));
    }

    /// An answer gets back to the coordinator that is waiting for it.
    pub(super) fn deliver_ack(&mut self, (life, ticket, result): (u32, u64, Result<TxnReply, Refusal>)) {
        if life == self.life {
            self.with(|txns, env, out| txns.on_markers(ticket, result, env, out));
        }
    }

    /// The coordinator crashes. So much of its log is there afterwards, at least what all in-sync replicas have.
    pub(super) fn crash(&mut self, kept: usize) {
        self.txns = None;
        self.life += 1;
        self.flights.clear();
        self.timers.clear();
        self.home.truncate(kept.max(self.replicated));
    }

    /// There is a coordinator again.
    pub(super) fn come(&mut self) {
        self.epoch += 1;
        if self.txns.is_none() {
            let mut txns = Txns::new();
            txns.on_registered(u64::from(self.epoch));
            self.txns = Some(txns);
        }
        self.replicated = self.home.len();
        let (epoch, log) = (self.epoch, self.home.clone());
        self.with(|txns, env, out| txns.load(HOME, epoch, &mut log.into_iter(), env, out));
    }

    /// The coordinator hands over to itself, with another epoch.
    pub(super) fn resign(&mut self) {
        self.with(|txns, env, out| txns.unload(HOME, env, out));
        self.flights.clear();
        self.come();
    }

    /// Time passes; what is due fires.
    pub(super) fn pass(&mut self, span: Span) {
        let until = self.now + span;
        while let Some(at) = (0..self.timers.len()).min_by_key(|at| self.timers[*at].0).filter(|at| self.timers[*at].0 <= until) {
            let (due, timer) = self.timers.remove(at);
            self.now = self.now.max(due);
            self.with(|txns, env, out| txns.on_timer(timer, env, out));
        }
        self.now = until;
    }

    /// A leader, or nobody, for a partition.
    pub(super) fn elect(&mut self, part: Part, leader: Option<NodeId>) {
        self.view.parts[part.index()].as_mut().expect("it exists").leader = leader;
        self.with(|txns, env, out| txns.on_view_changed(env, out));
    }

    /// A producer writes to a partition. Whether it is taken.
    pub(super) fn write(&mut self, part: Part, session: Session, deal: Deal) -> bool {
        self.logs[part.index()].write(session, deal)
    }

    /// The request by which a partition comes into a transaction.
    pub(super) fn adding(&self, txn: TxnId, session: Session, part: Part) -> TxnRequest {
        if self.config.mechanisms.epoch_per_transaction {
            TxnRequest::Verify { txn, session, parts: vec![part], add: true }
        } else if part == POSITIONS {
            TxnRequest::AddOffsets { txn, session, group: GroupId(0) }
        } else {
            TxnRequest::AddPartitions { txn, session, parts: vec![part] }
        }
    }

    /// Everything arrives, again and again, until nothing is left to do or much time has passed.
    pub(super) fn heal(&mut self) {
        self.refusals = 0;
        if self.txns.is_none() {
            self.come();
        }
        for part in 0..4 {
            self.elect(Part(part), Some(BROKERS[1]));
        }
        self.requests.clear();
        for _ in 0..400 {
            self.replicate(self.home.len());
            for letter in std::mem::take(&mut self.letters) {
                self.deliver_letter(&letter);
            }
            for ack in std::mem::take(&mut self.acks) {
                self.deliver_ack(ack);
            }
            self.pass(Span::millis(500));
        }
    }
}
