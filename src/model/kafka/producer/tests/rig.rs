//! An engine and a cluster with a network between them that does what it likes.

use std::collections::BTreeMap;

use crate::base::{KeyId, NodeId, PayloadId, SmallStream, Span, Stream, Time, Words};
use crate::model::kafka::Refusal;
use crate::model::kafka::config::Config;
use crate::model::kafka::ids::{Part, TopicId, TxnId};
use crate::model::kafka::links::Links;
use crate::model::kafka::protocol::{Body, ProduceReply, Produced, TxnReply, TxnRequest};
use crate::record::Mark;
use crate::world::Disconnect;

use super::super::engine::{Engine, Env, Out, Taken};
use super::super::{Event, Fate, Outgoing, Settings, Token};
use super::cluster::Cluster;
use super::setting::{BROKERS, ORDERS};

/// How often, of a thousand requests with records, each of these happens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mishaps {
    /// Refused before anything is appended.
    pub(super) refused: u64,
    /// Appended, and refused all the same.
    pub(super) after: u64,
    /// Appended, then the connection breaks.
    pub(super) answer_lost: u64,
    /// The connection breaks, and nothing is appended.
    pub(super) request_lost: u64,
    /// The connection stands still for up to four seconds, then everything arrives, and nobody answers.
    pub(super) stalled: u64,
    /// Too large for the broker, whenever it comes: of a thousand batches, by the payload that they begin with.
    pub(super) fatal: u64,
    /// A partition gets another leader.
    pub(super) elections: u64,
    /// Of a thousand requests about sessions and transactions: the connection breaks before or after it is served, or it is refused.
    pub(super) control: u64,
}

impl Mishaps {
    /// Everything, now and then.
    pub(super) const ALL: Mishaps =
        Mishaps { refused: 60, after: 40, answer_lost: 40, request_lost: 40, stalled: 25, fatal: 10, elections: 40, control: 150 };
}

#[derive(Clone, Debug)]
enum Happening {
    Enqueue(Outgoing),
    Arrive { to: NodeId, conn: u32, number: u32, body: Body },
    Answer { from: NodeId, conn: u32, number: u32, body: Body },
    Lost { node: NodeId, conn: u32, why: Disconnect },
}

#[derive(Clone, Copy, Debug, Default)]
struct Conn {
    /// Counts connections.
    number: u32,
    is_open: bool,
    /// When the last message that was sent over it arrives.
    last: Time,
}

/// The whole.
pub(super) struct Rig {
    pub(super) cluster: Cluster,
    pub(super) config: Config,
    pub(super) engine: Engine,
    pub(super) now: Time,
    pub(super) mishaps: Mishaps,
    /// Nothing goes wrong from here on.
    pub(super) calm_from: Time,
    /// Brokers on which nobody listens.
    pub(super) down: Vec<NodeId>,
    /// How each record ended.
    pub(super) ends: BTreeMap<Token, (Option<Part>, Fate)>,
    /// Everything else that was told.
    pub(super) events: Vec<Event>,
    pub(super) marks: BTreeMap<Mark, u32>,
    links: Links,
    words: SmallStream,
    chance: Stream,
    conns: BTreeMap<NodeId, Conn>,
    /// Connections over which nothing more comes, and those that stand still until then.
    dead: Vec<(NodeId, u32)>,
    stalled: BTreeMap<(NodeId, u32), Time>,
    agenda: BTreeMap<(Time, u64), Happening>,
    serial: u64,
    wake: Option<Time>,
}

impl Rig {
    pub(super) fn new(config: Config, seed: u64) -> Rig {
        let producer = std::sync::Arc::new(config.producers[0].clone());
        let txn = producer.transactions.map(|_| TxnId(0));
        let settings = Settings { producer, txn, part: 0, resends: false };
        let engine = Engine::new(&settings, &config, 0);
        Rig {
            cluster: Cluster::new(&config),
            engine,
            config,
            now: Time::ZERO,
            mishaps: Mishaps::default(),
            calm_from: Time::FAR,
            down: Vec::new(),
            ends: BTreeMap::new(),
            events: Vec::new(),
            marks: BTreeMap::new(),
            links: Links::new((0, 0), Span::millis(50), Span::secs(1)),
            words: SmallStream::named(seed, "producer", 0),
            chance: Stream::named(seed, "mishaps", 0),
            conns: BTreeMap::new(),
            dead: Vec::new(),
            stalled: BTreeMap::new(),
            agenda: BTreeMap::new(),
            serial: 0,
            wake: None,
        }
    }

    /// A record for the first topic.
    pub(super) fn record(number: u32, key: u32, bytes: u32) -> Outgoing {
        Outgoing { token: Token(number), topic: ORDERS.0, payload: PayloadId(number), key: KeyId(key), bytes }
    }

    /// One for another topic.
    pub(super) fn record_to(topic: TopicId, number: u32) -> Outgoing {
        Outgoing { topic, ..Rig::record(number, number, 100) }
    }

    /// A record is handed in at a moment.
    pub(super) fn at(&mut self, moment: Time, record: Outgoing) {
        self.plan(moment, Happening::Enqueue(record));
    }

    fn plan(&mut self, at: Time, what: Happening) {
        self.serial += 1;
        self.agenda.insert((at, self.serial), what);
    }

    /// Looks at the engine with the world as it is now.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Engine, &mut Env<'_>, &mut Vec<Out>) -> T) -> T {
        let mut out = Vec::new();
        let mut env = Env { now: self.now, words: &mut self.words, config: &self.config, links: &self.links };
        let result = work(&mut self.engine, &mut env, &mut out);
        for out in out {
            self.perform(out);
        }
        result
    }

    fn perform(&mut self, out: Out) {
        match out {
            Out::Send { to, number, body, .. } => {
                let travel = self.chance.span_between(Span::micros(300), Span::millis(3));
                let conn = self.conns.entry(to).or_default();
                if !conn.is_open {
                    *conn = Conn { number: conn.number + 1, is_open: true, last: Time::ZERO };
                }
                conn.last = conn.last.max(self.now + travel);
                let (at, conn) = (conn.last, conn.number);
                self.plan(at, Happening::Arrive { to, conn, number, body });
            }
            Out::Drop(node) => self.conns.entry(node).or_default().is_open = false,
            Out::Tell(Event::Done(done)) => {
                for (nth, token) in (0..).zip(&done.tokens) {
                    let fate = if let Fate::At(base) = done.fate { Fate::At(base + nth) } else { done.fate };
                    let before = self.ends.insert(*token, (done.part, fate));
                    assert_eq!(before, None, "{token:?} ends once");
                }
            }
            Out::Tell(event) => self.events.push(event),
            Out::Mark(mark) => *self.marks.entry(mark).or_default() += 1,
            Out::Say(..) => {}
        }
    }

    fn poll(&mut self) {
        self.with(Engine::time_out_requests);
        self.wake = self.with(Engine::poll);
    }

    /// Lets the next thing happen.
    pub(super) fn step(&mut self) {
        self.poll();
        let next = self.agenda.keys().next().map(|(at, _)| *at).into_iter().chain(self.wake).min();
        self.run(next.unwrap_or(self.now));
    }

    /// Lets things happen until a moment.
    pub(super) fn run(&mut self, until: Time) {
        self.poll();
        for steps in 0.. {
            assert!(steps < 200_000, "it never comes to rest");
            let next = self.agenda.keys().next().map(|(at, _)| *at).into_iter().chain(self.wake).min();
            let Some(next) = next.filter(|next| *next <= until) else { break };
            assert!(next >= self.now, "time runs forward");
            self.now = next;
            if let Some(first) = self.agenda.first_entry().filter(|entry| entry.key().0 == next) {
                let what = first.remove();
                self.happen(what);
            } else {
                self.poll();
                assert!(self.wake.is_none_or(|wake| wake > self.now), "woken for nothing at {}", self.now);
            }
        }
        self.now = until;
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Enqueue(record) => {
                let topic = &self.config.topics[record.topic.index()];
                if self.engine.take_quietly(&record, topic.partitions, topic.first) {
                    return;
                }
                match self.with(|engine, env, out| engine.take(record, env, out)) {
                    Taken::Quietly => {}
                    Taken::Until(moment) => self.wake = Some(self.wake.map_or(moment, |wake| wake.min(moment))),
                    Taken::Look => self.poll(),
                }
            }
            Happening::Arrive { to, conn, number, body } => self.arrive(to, conn, number, body),
            Happening::Answer { from, conn, number, body } => {
                if self.is_open(from, conn) && !self.dead.contains(&(from, conn)) {
                    self.with(|engine, env, out| engine.on_reply(from, number, body, env, out));
                    self.poll();
                }
            }
            Happening::Lost { node, conn, why } => {
                if self.is_open(node, conn) {
                    self.conns.entry(node).or_default().is_open = false;
                    self.with(|engine, env, out| engine.on_lost(node, why, env, out));
                    self.poll();
                }
            }
        }
    }

    fn is_open(&self, node: NodeId, conn: u32) -> bool {
        self.conns.get(&node).is_some_and(|known| known.is_open && known.number == conn)
    }

    /// The connection breaks: nothing that is under way on it arrives.
    pub(super) fn break_off(&mut self, node: NodeId, why: Disconnect) {
        let conn = self.conns.get(&node).map_or(0, |conn| conn.number);
        self.lose(node, conn, why);
    }

    fn lose(&mut self, node: NodeId, conn: u32, why: Disconnect) {
        self.dead.push((node, conn));
        self.plan(self.now + Span::millis(1), Happening::Lost { node, conn, why });
    }

    fn arrive(&mut self, to: NodeId, conn: u32, number: u32, body: Body) {
        if self.dead.contains(&(to, conn)) {
            return;
        }
        if self.down.contains(&to) {
            self.lose(to, conn, if number_is_first(&body) { Disconnect::Refused } else { Disconnect::Reset });
            return;
        }
        if let Some(until) = self.stalled.get(&(to, conn)).copied() {
            if until > self.now {
                self.plan(until, Happening::Arrive { to, conn, number, body });
            } else {
                self.serve(to, &body, 0);
            }
            return;
        }
        let calm = self.now >= self.calm_from;
        if let (Body::Produce(_), false) = (&body, calm) {
            self.arrive_badly(to, conn, number, body);
        } else if let (Body::Txn(request), false) = (&body, calm) {
            self.ask_badly(to, conn, number, (**request).clone());
        } else {
            let answer = self.serve(to, &body, 0);
            self.reply(to, conn, number, answer);
        }
    }

    /// Something about a session or transaction arrives, and anything may happen.
    fn ask_badly(&mut self, to: NodeId, conn: u32, number: u32, request: TxnRequest) {
        let draw = self.chance.below(1000);
        if draw >= self.mishaps.control {
            let answer = self.cluster.answer(Body::Txn(Box::new(request)));
            self.reply(to, conn, number, answer);
            return;
        }
        match draw % 4 {
            0 => self.lose(to, conn, Disconnect::Reset),
            1 => {
                self.cluster.answer(Body::Txn(Box::new(request)));
                self.lose(to, conn, Disconnect::Reset);
            }
            kind => {
                let refusal = if kind == 2 { Refusal::ConcurrentTransactions } else { Refusal::NotCoordinator };
                let reply = match request {
                    TxnRequest::InitProducerId { .. } => TxnReply::ProducerId(Err(refusal)),
                    TxnRequest::AddPartitions { .. } => TxnReply::PartitionsAdded(Err(refusal)),
                    TxnRequest::AddOffsets { .. } => TxnReply::OffsetsAdded(Err(refusal)),
                    TxnRequest::EndTxn { .. } => TxnReply::Ended(Err(refusal)),
                    TxnRequest::Verify { .. } | TxnRequest::WriteMarkers { .. } => panic!("no producer asks that"),
                };
                self.reply(to, conn, number, Body::TxnReply(Box::new(reply)));
            }
        }
    }

    /// Records arrive, and anything may happen.
    fn arrive_badly(&mut self, to: NodeId, conn: u32, number: u32, body: Body) {
        let mut draw = self.chance.below(1000);
        let mut hits = |share: u64| {
            let hit = draw < share;
            draw = draw.saturating_sub(share);
            if hit {
                draw = u64::MAX;
            }
            hit
        };
        let Mishaps { refused, after, answer_lost, request_lost, stalled, fatal: _, elections, control: _ } = self.mishaps;
        if hits(elections) {
            let part = Part(u32::try_from(self.chance.below(u64::from(ORDERS.1))).unwrap());
            let leader = BROKERS[usize::try_from(self.chance.below(3)).unwrap()];
            self.cluster.change(part, Some(leader));
            let answer = self.serve(to, &body, 0);
            self.reply(to, conn, number, answer);
        } else if hits(refused) {
            let table = [Refusal::NotEnoughReplicas, Refusal::CorruptMessage, Refusal::UnknownLeaderEpoch];
            let refusal = table[usize::try_from(self.chance.below(3)).unwrap()];
            self.reply(to, conn, number, refuse(&body, refusal));
        } else if hits(after) {
            let answer = self.serve(to, &body, 1 + self.now.nanos() % 3);
            self.reply(to, conn, number, answer);
        } else if hits(answer_lost) {
            self.serve(to, &body, 0);
            self.lose(to, conn, Disconnect::Reset);
        } else if hits(request_lost) {
            self.lose(to, conn, Disconnect::Reset);
        } else if hits(stalled) {
            let until = self.now + self.chance.span_between(Span::millis(1), Span::secs(4));
            self.stalled.insert((to, conn), until);
            self.plan(until, Happening::Arrive { to, conn, number, body });
        } else {
            let answer = self.serve(to, &body, 0);
            self.reply(to, conn, number, answer);
        }
    }

    /// What a broker answers. `after`: it has appended, and refuses all the same, in one of three ways.
    fn serve(&mut self, broker: NodeId, body: &Body, after: u64) -> Body {
        let Body::Produce(produce) = body else { return self.cluster.answer(body.clone()) };
        self.cluster.too_large = self.mishaps.fatal;
        let mut results = self.cluster.produce(broker, produce);
        for produced in results.iter_mut().filter(|produced| after > 0 && produced.result.is_ok()) {
            produced.result = Err(match after {
                1 => Refusal::NotEnoughReplicasAfterAppend,
                2 => Refusal::RequestTimedOut,
                _ => Refusal::NotLeaderOrFollower,
            });
        }
        Body::ProduceReply(Box::new(ProduceReply { results }))
    }

    fn reply(&mut self, from: NodeId, conn: u32, number: u32, body: Body) {
        let travel = self.now + self.chance.span_between(Span::micros(300), Span::millis(3));
        let earlier = self.agenda.iter().filter_map(|((at, _), what)| match what {
            Happening::Answer { from: node, conn: other, .. } if (*node, *other) == (from, conn) => Some(*at),
            Happening::Answer { .. } | Happening::Enqueue(_) | Happening::Arrive { .. } | Happening::Lost { .. } => None,
        });
        let at = earlier.max().unwrap_or(travel).max(travel);
        self.plan(at, Happening::Answer { from, conn, number, body });
    }

    /// How often a payload stands in a log.
    pub(super) fn stored(&self, number: u32) -> usize {
        self.cluster.logs.iter().flatten().filter(|slot| slot.payload == PayloadId(number)).count()
    }

    /// The payloads of a partition, in order.
    pub(super) fn log(&self, part: u32) -> Vec<u32> {
        self.cluster.logs[part as usize].iter().map(|slot| slot.payload.0).collect()
    }
}

/// Whether it is the first request of a connection.
fn number_is_first(body: &Body) -> bool {
    matches!(body, Body::Metadata)
}

fn refuse(body: &Body, refusal: Refusal) -> Body {
    let Body::Produce(produce) = body else { panic!("records are refused") };
    let results = produce.batches.iter().map(|(part, _)| Produced { part: *part, result: Err(refusal) });
    Body::ProduceReply(Box::new(ProduceReply { results: results.collect() }))
}
