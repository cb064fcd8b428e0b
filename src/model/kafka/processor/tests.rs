//! What a processor does when, against a reader and a sender that are made up.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{KeyId, Law, ObjectId, PayloadId, Span, Stream, Words};
use crate::model::kafka::batch::Outcome;
use crate::model::kafka::config::{
    Assignor, Commit, Config, ConsumerConfig, GroupProtocol, Partitioner, ProcessorConfig, ProducerConfig, Reset, Sink, Transactions,
};
use crate::model::kafka::ids::{GroupId, Part, TopicId, TxnId};
use crate::model::kafka::mutants::Mutants;
use crate::model::kafka::producer::{Done, Fate, Outgoing};
use crate::model::kafka::protocol::Acks;
use crate::model::kafka::txn::tests::config::config;
use crate::record::{LogNote, Note, Place, Reason};

use super::work::{Act, Input, Read, Rules, Work};

const LOG: ObjectId = ObjectId(8);
const GROUP: ObjectId = ObjectId(9);

fn consumer() -> ConsumerConfig {
    ConsumerConfig {
        name: "enrich".to_owned(),
        count: 1,
        group: GroupId(0),
        topics: vec![TopicId(0)],
        protocol: GroupProtocol::Eager,
        assignor: Assignor::Range,
        is_static: false,
        rack: None,
        session_timeout: Span::secs(45),
        heartbeat_interval: Span::secs(3),
        max_poll_interval: Span::secs(300),
        max_poll_records: 500,
        fetch_min_bytes: 1,
        fetch_max_bytes: 50 << 20,
        max_partition_fetch_bytes: 1 << 20,
        fetch_max_wait: Span::millis(500),
        read_committed: true,
        reset: Reset::Earliest,
        commit: Commit::After,
        request_timeout: Span::secs(30),
        retry_backoff: Span::millis(100),
        reconnect_backoff: Span::millis(50),
        reconnect_backoff_max: Span::secs(1),
        metadata_max_age: Span::secs(300),
        processing: Law::Constant(Span::ZERO),
        hand_off: None,
        sink: Sink::Plain,
        visits: None,
    }
}

fn producer(transactions: Option<Transactions>) -> ProducerConfig {
    ProducerConfig {
        name: "enrich".to_owned(),
        count: 1,
        acks: Acks::All,
        idempotence: true,
        retries: u32::MAX,
        retry_backoff: Span::millis(100),
        retry_backoff_max: Span::secs(1),
        delivery_timeout: Some(Span::secs(120)),
        request_timeout: Span::secs(30),
        linger: Span::ZERO,
        batch_size: 16_384,
        buffer_memory: 32 << 20,
        max_block: Span::secs(60),
        max_request_size: 1 << 20,
        max_in_flight: 5,
        metadata_max_age: Span::secs(300),
        reconnect_backoff: Span::millis(50),
        reconnect_backoff_max: Span::secs(1),
        partitioner: Partitioner::KeyHash,
        transactions,
    }
}

fn rules(transactional: bool, abort_every: Option<u32>) -> (Config, ProcessorConfig) {
    let mut config = config(true, Mutants::none());
    config.partitions[2].object = Some(LOG);
    let transactions = Transactions { first: TxnId(0), timeout: Span::secs(60), records: 4, linger: Span::millis(100), abort_every };
    let producer = producer(transactional.then_some(transactions));
    (config, ProcessorConfig { consumer: consumer(), producer, to: TopicId(0) })
}

/// A log that is read, one that is written, and everything between.
struct Fake {
    config: Config,
    own: ProcessorConfig,
    work: Work,
    chance: Stream,
    /// Once in so many times something goes wrong; 0: never.
    trouble: u64,
    source: u32,
    /// The group's position, and the reader's.
    committed: u32,
    position: u32,
    /// What counts of the log that is written.
    written: Vec<u32>,
    /// Sent in the open transaction, and the positions in it.
    open: Option<Vec<u32>>,
    sent_positions: Option<u32>,
    numbers: u32,
    offset: u64,
    /// What is about to be told, by whom.
    sender: VecDeque<Input>,
    reader: VecDeque<Input>,
    clock: VecDeque<Input>,
    effects: BTreeMap<u32, u32>,
    appended: BTreeMap<u32, u32>,
    in_transaction: BTreeMap<u32, u32>,
    waits: bool,
}

impl Fake {
    fn new(seed: u64, transactional: bool, abort_every: Option<u32>) -> Fake {
        let (config, own) = rules(transactional, abort_every);
        let mut acts = Vec::new();
        let work = Work::new(Rules { config: &config, own: &own }, &mut acts);
        let mut fake = Fake {
            config,
            own,
            work,
            chance: Stream::named(seed, "processor", 0),
            trouble: 12,
            source: 60,
            committed: 0,
            position: 0,
            written: Vec::new(),
            open: None,
            sent_positions: None,
            numbers: 0,
            offset: 0,
            sender: VecDeque::new(),
            reader: VecDeque::new(),
            clock: VecDeque::new(),
            effects: BTreeMap::new(),
            appended: BTreeMap::new(),
            in_transaction: BTreeMap::new(),
            waits: false,
        };
        if transactional {
            fake.sender.push_back(Input::SenderReady);
        }
        for act in acts {
            fake.act(act);
        }
        fake
    }

    fn is_transactional(&self) -> bool {
        self.own.producer.transactions.is_some()
    }

    fn goes_wrong(&mut self) -> bool {
        self.trouble > 0 && self.chance.below(self.trouble) == 0
    }

    fn tell(&mut self, input: Input) {
        let mut acts = Vec::new();
        self.work.on(input, Rules { config: &self.config, own: &self.own }, &mut acts);
        for act in acts {
            self.act(act);
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::StartReading => self.waits = true,
            Act::Poll => self.poll(),
            Act::Transform(round, _) => self.clock.push_back(Input::Transformed(round)),
            Act::Begin(number) => {
                assert!(self.is_transactional() && self.open.is_none(), "a transaction in a transaction");
                assert_eq!(number, self.numbers + 1);
                self.numbers = number;
                self.open = Some(Vec::new());
                self.sent_positions = None;
                self.clock.push_back(Input::LongEnough(number));
            }
            Act::Send(outgoing) => self.send(outgoing),
            Act::Flush => assert!(!self.is_transactional()),
            Act::SendPositions => {
                assert!(self.open.is_some());
                if self.goes_wrong() {
                    return self.sender.push_back(Input::MustAbort);
                }
                self.sent_positions = Some(self.position);
                self.sender.push_back(Input::PositionsSent);
            }
            Act::End(outcome) => self.end(outcome),
            Act::Keep => {
                let well = !self.goes_wrong();
                if well || self.goes_wrong() {
                    self.committed = self.position;
                }
                // A commit is refused when the partitions are another's; they come back later.
                self.position = self.committed;
                self.reader.push_back(Input::Kept(well));
            }
            Act::Rewind => self.position = self.committed,
            Act::Pause => self.clock.push_back(Input::Again),
            Act::StartOver => {
                assert_eq!((self.open.as_ref(), self.sender.len()), (None, 0), "the producer before is gone");
                if self.is_transactional() {
                    self.sender.push_back(Input::SenderReady);
                }
            }
            Act::InTransaction(number, payload) => {
                assert_eq!(number, self.numbers);
                *self.in_transaction.entry(payload.0).or_default() += 1;
            }
            Act::Note(Note::Effect { group, payload }) => {
                assert_eq!(group, GROUP);
                *self.effects.entry(payload.0).or_default() += 1;
            }
            Act::Note(Note::Log(LogNote::Appended { payload, place: Place { log: LOG, .. } })) => {
                *self.appended.entry(payload.0).or_default() += 1;
            }
            Act::Note(note) => panic!("{note:?}"),
            Act::Mark(_) => {}
        }
    }

    fn poll(&mut self) {
        assert!(!self.waits, "it polls already");
        if self.goes_wrong() {
            self.position = self.committed;
            self.reader.push_back(Input::Revoked);
        }
        let more = u32::try_from(self.chance.below(4)).unwrap().min(self.source - self.position);
        let read = |at: u32| Read { group: GROUP, payload: PayloadId(at), key: KeyId(0), bytes: 100 };
        let reads: Vec<Read> = (self.position..self.position + more).map(read).collect();
        self.position += more;
        self.waits = more == 0;
        self.reader.push_back(Input::Polled(reads));
    }

    fn send(&mut self, outgoing: Outgoing) {
        assert_eq!(outgoing.topic, self.own.to);
        self.offset += 1;
        let bad = !self.is_transactional() && self.goes_wrong();
        if !bad || self.goes_wrong() {
            match &mut self.open {
                Some(open) => open.push(outgoing.payload.0),
                None => {
                    assert!(!self.is_transactional(), "sent outside of a transaction");
                    self.written.push(outgoing.payload.0);
                }
            }
        }
        let fate = if bad { Fate::Unknown(Reason("no answer in time")) } else { Fate::At(self.offset) };
        self.sender.push_back(Input::Done(Done { part: Some(Part(2)), tokens: vec![outgoing.token], fate }));
    }

    fn end(&mut self, outcome: Outcome) {
        assert!(self.open.is_some(), "no transaction to end");
        match outcome {
            Outcome::Commit if self.goes_wrong() => self.sender.push_back(Input::MustAbort),
            Outcome::Commit => {
                let stops = self.goes_wrong();
                if !stops || self.goes_wrong() {
                    self.written.extend(self.open.take().unwrap());
                    self.committed = self.sent_positions.expect("positions first");
                }
                self.open = None;
                let told = if stops { Input::SenderStopped } else { Input::Ended(outcome) };
                self.sender.push_back(told);
            }
            Outcome::Abort => {
                self.open = None;
                self.sender.retain(|input| !matches!(input, Input::MustAbort));
                self.sender.push_back(Input::Ended(outcome));
            }
        }
    }

    /// One thing happens.
    fn step(&mut self) {
        if self.open.is_some() && self.trouble > 0 && self.chance.below(60) == 0 {
            self.open = None;
            self.sender.clear();
            return self.tell(Input::SenderStopped);
        }
        let queue = match self.chance.below(3) {
            0 => &mut self.sender,
            1 => &mut self.reader,
            _ => &mut self.clock,
        };
        if let Some(input) = queue.pop_front() {
            self.tell(input);
        } else if self.waits && self.position < self.source {
            self.waits = false;
            self.tell(Input::Fetched);
        }
    }

    fn run(&mut self) {
        for _ in 0..2000 {
            self.step();
        }
        self.trouble = 0;
        for _ in 0..2000 {
            self.step();
        }
        assert_eq!(self.committed, self.source, "it comes to the end");
        assert!(self.work.is_idle());
    }
}

#[test]
fn in_transactions_everything_is_written_once() {
    for abort_every in [None, Some(3)] {
        let (mut retried, mut unheard) = (0, 0);
        for seed in 0..300 {
            let mut fake = Fake::new(seed, true, abort_every);
            fake.run();
            assert_eq!(fake.written, (0..60).collect::<Vec<u32>>(), "seed {seed}");
            assert!(fake.effects.values().all(|times| *times == 1), "seed {seed}: an effect twice");
            assert_eq!(fake.effects, fake.appended);
            assert!((0..60).all(|at| fake.in_transaction[&at] >= 1));
            retried += fake.in_transaction.values().filter(|times| **times > 1).count();
            unheard += 60 - fake.effects.len();
        }
        assert!(retried > 1000, "{retried} were written again after an abort");
        assert!(unheard > 0, "some commits were never heard of");
    }
}

#[test]
fn without_transactions_everything_is_written_and_some_twice() {
    let mut twice = 0;
    for seed in 0..300 {
        let mut fake = Fake::new(seed, false, None);
        fake.run();
        assert!((0..60).all(|at| fake.written.contains(&at) && fake.effects[&at] >= 1 && fake.appended[&at] >= 1), "seed {seed}");
        assert_eq!((fake.numbers, fake.in_transaction.len()), (0, 0));
        twice += fake.effects.values().filter(|times| **times > 1).count();
    }
    assert!(twice > 100, "{twice}");
}

#[test]
fn without_trouble_everything_goes_once() {
    for transactional in [false, true] {
        let mut fake = Fake::new(1, transactional, None);
        fake.trouble = 0;
        fake.run();
        assert_eq!(fake.written, (0..60).collect::<Vec<u32>>());
        assert_eq!(fake.effects.values().sum::<u32>(), 60);
        assert_eq!(fake.in_transaction.len(), if transactional { 60 } else { 0 });
    }
}

#[test]
fn a_transaction_has_so_many_records_or_so_much_time() {
    let (config, own) = rules(true, None);
    let rules = Rules { config: &config, own: &own };
    let read = |at: u32| Read { group: GROUP, payload: PayloadId(at), key: KeyId(0), bytes: 100 };
    let mut acts = Vec::new();
    let mut work = Work::new(rules, &mut acts);
    let mut tell = |input: Input| {
        let mut acts = Vec::new();
        work.on(input, rules, &mut acts);
        acts
    };
    assert_eq!(tell(Input::SenderReady), [Act::StartReading]);
    assert_eq!(tell(Input::Fetched), [Act::Poll]);
    assert_eq!(tell(Input::Polled((0..3).map(read).collect())), [Act::Begin(1), Act::Transform(1, PayloadId(0))]);
    assert_eq!(tell(Input::Transformed(7)), [], "of another time");
    tell(Input::Transformed(1));
    tell(Input::Transformed(2));
    assert_eq!(tell(Input::Transformed(3)).last(), Some(&Act::Poll), "three are not enough");
    assert_eq!(tell(Input::Polled(vec![read(3), read(4)])), [Act::Transform(4, PayloadId(3))]);
    tell(Input::Transformed(4));
    assert_eq!(tell(Input::Transformed(5)).last(), Some(&Act::SendPositions), "with the poll in which there are four");
    assert_eq!(tell(Input::LongEnough(1)), [], "it ends already");
    assert_eq!(tell(Input::PositionsSent), [Act::End(Outcome::Commit)]);
    assert_eq!(tell(Input::Ended(Outcome::Commit)).last(), Some(&Act::Poll));
    assert_eq!(tell(Input::Polled(vec![read(5)])), [Act::Begin(2), Act::Transform(6, PayloadId(5))]);
    assert_eq!(tell(Input::LongEnough(1)), [], "of the one before");
    assert_eq!(tell(Input::Transformed(6)).last(), Some(&Act::Poll));
    assert_eq!(tell(Input::LongEnough(2)), [Act::SendPositions]);
}
