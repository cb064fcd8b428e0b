//! A cluster in one piece: logs that are never lost, sequence numbers as Kafka checks them (only that a producer's first in a partition
//! has to be zero, which Kafka does not ask for), a coordinator that decides at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::{NodeId, PayloadId, Span};
use crate::model::kafka::Refusal;
use crate::model::kafka::batch::{Batch, Outcome, Stamp};
use crate::model::kafka::config::Config;
use crate::model::kafka::ids::{Offset, Part, ProducerId, Session, TxnId};
use crate::model::kafka::protocol::{Body, GroupReply, GroupRequest, MetadataReply, Produce, ProduceReply, Produced, TxnReply, TxnRequest};
use crate::model::kafka::view::{PartView, View};

use super::setting::BROKERS;

/// One record in a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Slot {
    pub(super) payload: PayloadId,
    /// Its transaction; `None`: it counts in any case.
    pub(super) transaction: Option<u32>,
}

/// What a leader knows of a producer: its epoch, and its last five batches.
#[derive(Clone, Debug, Default)]
struct Known {
    epoch: u16,
    batches: VecDeque<(u32, u32, Offset)>,
}

/// A transactional id.
#[derive(Clone, Debug)]
pub(super) struct Txn {
    pub(super) session: Session,
    pub(super) parts: BTreeSet<Part>,
    /// Counts transactions of all ids.
    pub(super) number: u32,
}

/// The cluster.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) view: Arc<View>,
    pub(super) logs: Vec<Vec<Slot>>,
    known: Vec<BTreeMap<ProducerId, Known>>,
    ids: u64,
    implicit: bool,
    pub(super) txns: BTreeMap<TxnId, Txn>,
    pub(super) outcomes: BTreeMap<u32, Outcome>,
    numbers: u32,
    /// Who coordinates everything.
    pub(super) coordinator: NodeId,
    /// Of a thousand batches, by the payload that they begin with.
    pub(super) too_large: u64,
    /// Positions that were committed, with their transaction.
    pub(super) positions: Vec<(u32, Offset)>,
    /// Requests of each kind.
    pub(super) asked: BTreeMap<&'static str, u32>,
}

impl Cluster {
    pub(super) fn new(config: &Config) -> Cluster {
        let part = |at: usize| PartView {
            replicas: BROKERS.into(),
            isr: BROKERS.into(),
            elr: [].into(),
            leader: Some(BROKERS[at % 3]),
            epoch: 0,
            version: 0,
            adding: [].into(),
            removing: [].into(),
            unclean: false,
        };
        let count = config.partitions.len();
        let parts = (0..count).map(|at| Some(part(at))).collect();
        Cluster {
            view: Arc::new(View { version: 1, parts, brokers: Vec::new() }),
            logs: vec![Vec::new(); count],
            known: vec![BTreeMap::new(); count],
            ids: 0,
            implicit: config.mechanisms.epoch_per_transaction,
            txns: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            numbers: 0,
            coordinator: BROKERS[1],
            too_large: 0,
            positions: Vec::new(),
            asked: BTreeMap::new(),
        }
    }

    /// Changes a partition.
    pub(super) fn change(&mut self, part: Part, leader: Option<NodeId>) {
        let view = Arc::make_mut(&mut self.view);
        view.version += 1;
        if let Some(part) = &mut view.parts[part.index()] {
            (part.leader, part.epoch) = (leader, part.epoch + 1);
        }
    }

    /// Takes a topic's partition away, or brings it.
    pub(super) fn exists(&mut self, part: Part, exists: bool) {
        let sample = self.view.parts[0].clone();
        let view = Arc::make_mut(&mut self.view);
        view.parts[part.index()] = if exists { sample } else { None };
    }

    pub(super) fn leader(&self, part: Part) -> Option<NodeId> {
        self.view.part(part).and_then(|part| part.leader)
    }

    /// Answers anything but a produce request.
    pub(super) fn answer(&mut self, body: Body) -> Body {
        let mut count = |what: &'static str| *self.asked.entry(what).or_default() += 1;
        match body {
            Body::Metadata => Body::MetadataReply(MetadataReply { view: Arc::clone(&self.view) }),
            Body::FindCoordinator(_) => Body::FindCoordinatorReply(Ok(self.coordinator)),
            Body::Txn(request) => {
                count(match &*request {
                    TxnRequest::InitProducerId { .. } => "init",
                    TxnRequest::AddPartitions { .. } => "add partitions",
                    TxnRequest::AddOffsets { .. } => "add offsets",
                    TxnRequest::EndTxn { .. } => "end",
                    TxnRequest::Verify { .. } | TxnRequest::WriteMarkers { .. } => "other",
                });
                Body::TxnReply(Box::new(self.coordinate(*request)))
            }
            Body::Group(request) => {
                count("commit positions");
                let GroupRequest::TxnCommit { txn, session, positions, .. } = *request else { panic!("{request:?}") };
                let result = self.enter(txn, session, Part(6)).map(|number| {
                    self.positions.extend(positions.iter().map(|position| (number, position.offset)));
                });
                Body::GroupReply(Box::new(GroupReply::TxnCommit(result)))
            }
            Body::Produce(produce) => {
                let leader = produce.batches.first().and_then(|(part, _)| self.leader(*part)).expect("somebody leads");
                Body::ProduceReply(Box::new(ProduceReply { results: self.produce(leader, &produce) }))
            }
            Body::MetadataReply(_)
            | Body::ProduceReply(_)
            | Body::Fetch(_)
            | Body::FetchReply(_)
            | Body::ListOffsets(_)
            | Body::ListOffsetsReply(_)
            | Body::FindCoordinatorReply(_)
            | Body::GroupReply(_)
            | Body::TxnReply(_)
            | Body::Control(_)
            | Body::ControlReply(_)
            | Body::Raft(_)
            | Body::Store(_)
            | Body::StoreReply(_) => panic!("no producer asks {body:?}"),
        }
    }

    /// Another process takes the transactional id over.
    pub(super) fn take_over(&mut self, txn: TxnId) {
        self.coordinate(TxnRequest::InitProducerId { txn: Some(txn), timeout: Span::secs(60), expected: None });
    }

    /// A producer id that nobody has.
    fn fresh(&mut self) -> ProducerId {
        self.ids += 1;
        ProducerId(self.ids)
    }

    fn coordinate(&mut self, request: TxnRequest) -> TxnReply {
        match request {
            TxnRequest::InitProducerId { txn: None, .. } => TxnReply::ProducerId(Ok(Session { id: self.fresh(), epoch: 0 })),
            TxnRequest::InitProducerId { txn: Some(txn), expected, .. } => {
                let known = self.txns.get(&txn).map(|txn| txn.session);
                let before = |now: Session| Session { epoch: now.epoch.wrapping_sub(1), ..now };
                if expected.is_some() && expected == known.map(before) {
                    return TxnReply::ProducerId(known.ok_or(Refusal::ProducerFenced));
                }
                if expected.is_some() && expected != known {
                    return TxnReply::ProducerId(Err(Refusal::ProducerFenced));
                }
                let session = match known {
                    Some(known) => Session { epoch: known.epoch + 1, ..known },
                    None => Session { id: self.fresh(), epoch: 0 },
                };
                self.numbers += 1;
                if let Some(old) = self.txns.insert(txn, Txn { session, parts: BTreeSet::new(), number: self.numbers }) {
                    self.decide(&old, session, Outcome::Abort);
                }
                TxnReply::ProducerId(Ok(session))
            }
            TxnRequest::AddPartitions { txn, session, parts } => {
                let result = parts.into_iter().try_for_each(|part| self.enter(txn, session, part).map(drop));
                TxnReply::PartitionsAdded(result)
            }
            TxnRequest::AddOffsets { txn, session, .. } => TxnReply::OffsetsAdded(self.enter(txn, session, Part(6)).map(drop)),
            TxnRequest::EndTxn { txn, session, outcome } => TxnReply::Ended(self.end(txn, session, outcome)),
            TxnRequest::Verify { .. } | TxnRequest::WriteMarkers { .. } => panic!("no producer asks that"),
        }
    }

    fn end(&mut self, txn: TxnId, session: Session, outcome: Outcome) -> Result<Session, Refusal> {
        let known = self.txns.get(&txn).cloned().ok_or(Refusal::InvalidProducerIdMapping)?;
        let again = known.number > 0 && self.outcomes.get(&(known.number - 1)) == Some(&outcome) && known.parts.is_empty();
        let before = Session { epoch: known.session.epoch.wrapping_sub(1), ..known.session };
        if again && (session == known.session || self.implicit && session == before) {
            return Ok(known.session);
        }
        if session != known.session {
            return Err(Refusal::ProducerFenced);
        }
        if known.parts.is_empty() && !(self.implicit && outcome == Outcome::Abort) {
            return Err(Refusal::InvalidTxnState);
        }
        let next = if self.implicit { Session { epoch: session.epoch + 1, ..session } } else { session };
        self.decide(&known, next, outcome);
        self.numbers = self.numbers.max(known.number) + 1;
        self.txns.insert(txn, Txn { session: next, parts: BTreeSet::new(), number: self.numbers });
        Ok(next)
    }

    fn decide(&mut self, txn: &Txn, next: Session, outcome: Outcome) {
        self.outcomes.insert(txn.number, outcome);
        for part in &txn.parts {
            if let Some(known) = self.known[part.index()].get_mut(&next.id).filter(|known| known.epoch < next.epoch) {
                *known = Known { epoch: next.epoch, batches: VecDeque::new() };
            }
        }
    }

    /// A partition belongs to the transaction from now on.
    fn enter(&mut self, txn: TxnId, session: Session, part: Part) -> Result<u32, Refusal> {
        let known = self.txns.get_mut(&txn).ok_or(Refusal::InvalidProducerIdMapping)?;
        if session != known.session {
            return Err(Refusal::ProducerFenced);
        }
        known.parts.insert(part);
        Ok(known.number)
    }

    /// Appends what a broker leads.
    pub(super) fn produce(&mut self, broker: NodeId, produce: &Produce) -> Vec<Produced> {
        *self.asked.entry("produce").or_default() += 1;
        let batches = produce.batches.iter();
        batches.map(|(part, batch)| Produced { part: *part, result: self.append(broker, (*part, produce.txn), batch) }).collect()
    }

    fn append(&mut self, broker: NodeId, (part, txn): (Part, Option<TxnId>), batch: &Batch) -> Result<Offset, Refusal> {
        if self.leader(part) != Some(broker) {
            return Err(Refusal::NotLeaderOrFollower);
        }
        let first = u64::from(batch.as_records()[0].payload.0);
        if first.wrapping_mul(7919) % 1000 < self.too_large {
            return Err(Refusal::MessageTooLarge);
        }
        let base = self.logs[part.index()].len() as Offset;
        if let Some(stamp) = batch.stamp
            && let Some(base) = self.check(part, stamp, batch.span)?
        {
            return Ok(base);
        }
        let transaction = match txn {
            None => None,
            Some(txn) => {
                let session = batch.stamp.expect("transactions have sessions").session;
                let is_in = self.txns.get(&txn).is_some_and(|known| known.parts.contains(&part));
                if !self.implicit && !is_in {
                    return Err(Refusal::InvalidTxnState);
                }
                Some(self.enter(txn, session, part).map_err(|_| Refusal::InvalidProducerEpoch)?)
            }
        };
        if let Some(stamp) = batch.stamp {
            let known = self.known[part.index()].entry(stamp.session.id).or_default();
            if known.epoch != stamp.session.epoch {
                *known = Known { epoch: stamp.session.epoch, batches: VecDeque::new() };
            }
            known.batches.push_back((stamp.sequence, batch.span, base));
            while known.batches.len() > 5 {
                known.batches.pop_front();
            }
        }
        self.logs[part.index()].extend(batch.as_records().iter().map(|record| Slot { payload: record.payload, transaction }));
        Ok(base)
    }

    /// Whether a batch may be appended; `Some`: it is there already.
    fn check(&self, part: Part, stamp: Stamp, span: u32) -> Result<Option<Offset>, Refusal> {
        let nothing = Known::default();
        let known = self.known[part.index()].get(&stamp.session.id).unwrap_or(&nothing);
        if stamp.session.epoch < known.epoch {
            return Err(Refusal::InvalidProducerEpoch);
        }
        let in_order = match known.batches.back() {
            Some((sequence, last, _)) if stamp.session.epoch == known.epoch => {
                let same = known.batches.iter().find(|(sequence, count, _)| (*sequence, *count) == (stamp.sequence, span));
                if let Some((_, _, base)) = same {
                    return Ok(Some(*base));
                }
                stamp.sequence == sequence + last
            }
            Some(_) | None => stamp.sequence == 0,
        };
        if in_order { Ok(None) } else { Err(Refusal::OutOfOrderSequenceNumber) }
    }
}
