//! A twin that keeps lists and searches them from the beginning.

use proptest::prelude::*;

use super::*;

/// A transaction as its batches tell it.
#[derive(Clone, Copy, Debug)]
struct Told {
    producer: ProducerId,
    first: Offset,
    marker: Option<(Offset, Outcome)>,
}

/// The same log, as lists.
#[derive(Clone, Default)]
struct Twin {
    /// All batches that were ever there and not cut off.
    all: Vec<Stored>,
    /// At which offset which epoch was seen.
    epochs: Vec<(Epoch, Offset)>,
    start: Offset,
    end: Offset,
}

impl Twin {
    fn held(&self) -> impl Iterator<Item = &Stored> {
        self.all.iter().filter(|entry| entry.end() > self.start)
    }
    fn of(&self, id: ProducerId) -> impl Iterator<Item = &Stored> {
        self.all.iter().filter(move |entry| entry.batch.stamp.is_some_and(|stamp| stamp.session.id == id))
    }
    fn told(&self) -> Vec<Told> {
        let mut told: Vec<Told> = Vec::new();
        for entry in self.all.iter().filter(|entry| entry.batch.transactional) {
            let producer = entry.batch.stamp.unwrap().session.id;
            let open = told.iter_mut().find(|told| told.producer == producer && told.marker.is_none());
            match (&entry.batch.content, open) {
                (Content::Marker { outcome, .. }, Some(open)) => open.marker = Some((entry.base, *outcome)),
                (Content::Records(_), None) => told.push(Told { producer, first: entry.base, marker: None }),
                _ => {}
            }
        }
        told
    }
    fn check(&self, batch: &Batch) -> Result<Check, Refusal> {
        let Some(stamp) = batch.stamp else { return Ok(Check::Fresh) };
        let before: Vec<&Stored> = self.of(stamp.session.id).collect();
        let Some(last) = before.last() else { return Ok(Check::Fresh) };
        let epoch = last.batch.stamp.unwrap().session.epoch;
        if let Content::Marker { coordinator, .. } = batch.content {
            let known = before.iter().rev().find_map(|entry| match entry.batch.content {
                Content::Marker { coordinator, .. } => Some(coordinator),
                Content::Records(_) | Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => None,
            });
            return match known {
                _ if stamp.session.epoch < epoch => Err(Refusal::InvalidProducerEpoch),
                Some(known) if coordinator < known => Err(Refusal::TransactionCoordinatorFenced),
                _ => Ok(Check::Fresh),
            };
        }
        let this_epoch = before.iter().rev().take_while(|entry| entry.batch.stamp.unwrap().session.epoch == epoch);
        let window: Vec<&&Stored> = this_epoch.filter(|entry| !entry.batch.is_marker()).take(5).collect();
        let same = |entry: &&&&Stored| entry.batch.stamp == Some(stamp) && entry.batch.span == batch.span;
        if let Some(found) = window.iter().find(same) {
            return Ok(Check::Duplicate { base: found.base, end: found.end() });
        }
        if stamp.session.epoch < epoch {
            return Err(Refusal::InvalidProducerEpoch);
        }
        let newest = window.first().filter(|_| stamp.session.epoch == epoch);
        let expected = newest.map_or(0, |entry| entry.batch.stamp.unwrap().sequence + entry.batch.span);
        if stamp.sequence != expected {
            return Err(Refusal::OutOfOrderSequenceNumber);
        }
        let open = self.told().iter().any(|told| told.producer == stamp.session.id && told.marker.is_none());
        if open && !batch.transactional { Err(Refusal::InvalidTxnState) } else { Ok(Check::Fresh) }
    }
    fn append(&mut self, entry: Stored) {
        self.epochs.push((entry.epoch, entry.base));
        self.end = entry.end();
        self.all.push(entry);
    }
    fn truncate(&mut self, to: Offset) {
        let to = to.min(self.end);
        self.epochs.retain(|(_, at)| *at < to);
        self.all.retain(|entry| entry.end() <= to);
        if to < self.start {
            self.all.clear();
        }
        (self.start, self.end) = (self.start.min(to), to);
    }
    fn delete_below(&mut self, start: Offset) {
        self.start = self.start.max(start);
        for (_, at) in &mut self.epochs {
            *at = (*at).max(self.start);
        }
    }
    /// Epochs of which something is left, with their beginnings.
    fn known_epochs(&self) -> Vec<(Epoch, Offset)> {
        let mut known: Vec<(Epoch, Offset)> = Vec::new();
        for (epoch, at) in &self.epochs {
            let overtaken = self.epochs.iter().any(|(other, from)| other > epoch && from <= at);
            if !overtaken && !known.iter().any(|(other, _)| other == epoch) {
                known.push((*epoch, *at));
            }
        }
        known
    }
    fn end_for_epoch(&self, asked: Epoch) -> (Epoch, Offset) {
        let known = self.known_epochs();
        let floor = known.iter().rfind(|(epoch, _)| *epoch <= asked).map_or(asked, |(epoch, _)| *epoch);
        (floor, known.iter().find(|(epoch, _)| *epoch > asked).map_or(self.end, |(_, at)| *at))
    }
    fn last_stable(&self, high_watermark: Offset) -> Offset {
        let holds = |told: &&Told| told.marker.is_none_or(|(at, _)| at >= high_watermark);
        let first = self.told().iter().filter(holds).map(|told| told.first).min().unwrap_or(high_watermark);
        first.max(self.start).min(high_watermark)
    }
    fn aborted(&self, from: Offset, until: Offset) -> Vec<(ProducerId, Offset)> {
        let within = |told: &&Told| matches!(told.marker, Some((at, Outcome::Abort)) if at >= from) && told.first < until;
        self.told().iter().filter(within).map(|told| (told.producer, told.first)).collect()
    }
    fn records(&self, from: Offset, high_watermark: Offset) -> Vec<(Offset, Rec)> {
        let until = self.last_stable(high_watermark);
        let dead = |entry: &Stored| {
            let producer = entry.batch.stamp.map(|stamp| stamp.session.id);
            self.told().iter().any(|told| {
                Some(told.producer) == producer
                    && entry.batch.transactional
                    && told.first <= entry.base
                    && matches!(told.marker, Some((at, Outcome::Abort)) if at > entry.base)
            })
        };
        let alive = self.held().filter(|entry| entry.end() <= until && !dead(entry));
        alive
            .flat_map(|entry| entry.records().map(|(offset, record)| (offset, *record)).collect::<Vec<_>>())
            .filter(|(at, _)| *at >= from)
            .collect()
    }
    fn read(&self, from: Offset, until: Offset, room: u32) -> Vec<Stored> {
        let mut found: Vec<Stored> = Vec::new();
        for entry in self.held().filter(|entry| entry.end() > from) {
            let bytes: u32 = found.iter().map(|entry| entry.batch.bytes).sum();
            if entry.end() > until || !found.is_empty() && bytes + entry.batch.bytes > room {
                break;
            }
            found.push(entry.clone());
        }
        found
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// A producer sends: which, how many records, whether in a transaction, and how far its numbers are off.
    Send {
        producer: u64,
        count: u32,
        transactional: bool,
        off: i64,
    },
    /// Somebody without idempotence does.
    Plain {
        count: u32,
    },
    /// One of a producer's earlier batches comes again.
    Again {
        producer: u64,
        back: usize,
    },
    /// A producer goes on in another epoch.
    Epoch {
        producer: u64,
        by: i32,
    },
    /// A marker, with the epoch raised or not.
    End {
        producer: u64,
        outcome: Outcome,
        raise: u16,
        coordinator: Epoch,
    },
    Lead,
    /// Cuts: so many per mille of the log stay.
    Cut(u64),
    /// The high watermark goes up so many per mille of what is left.
    Commit(u64),
    Delete(u64),
    Pass(u64),
    Retain,
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![Just(Outcome::Commit), Just(Outcome::Abort)];
    let off = prop_oneof![20 => Just(0i64), 1 => -3i64..4];
    prop_oneof![
        12 => (1u64..4, 1u32..4, any::<bool>(), off).prop_map(|(producer, count, transactional, off)| Step::Send { producer, count, transactional, off }),
        3 => (1u32..4).prop_map(|count| Step::Plain { count }),
        3 => (1u64..4, 0usize..8).prop_map(|(producer, back)| Step::Again { producer, back }),
        1 => (1u64..4, -1i32..3).prop_map(|(producer, by)| Step::Epoch { producer, by }),
        5 => (1u64..4, outcome, 0u16..2, 0u32..2).prop_map(|(producer, outcome, raise, coordinator)| Step::End { producer, outcome, raise, coordinator }),
        2 => Just(Step::Lead),
        1 => (0u64..1100).prop_map(Step::Cut),
        5 => (0u64..1001).prop_map(Step::Commit),
        1 => (0u64..1001).prop_map(Step::Delete),
        2 => (0u64..60).prop_map(Step::Pass),
        1 => Just(Step::Retain),
    ]
}

/// A log, its twin, and what the producers think.
struct Pair {
    log: Log,
    twin: Twin,
    now: Time,
    epoch: Epoch,
    high_watermark: Offset,
    /// For each producer its epoch and next number.
    clients: Vec<(u16, u32)>,
    /// What each has sent.
    history: Vec<Vec<Batch>>,
    payload: u32,
}

impl Pair {
    fn new(rules: Rules) -> Pair {
        let clients = vec![(3, 0); 4];
        let (log, twin) = (Log::new(rules), Twin::default());
        let mut pair = Pair { log, twin, now: seconds(0), epoch: 0, high_watermark: 0, clients, history: vec![Vec::new(); 4], payload: 0 };
        pair.lead();
        pair
    }
    fn lead(&mut self) {
        self.epoch += 1;
        self.log.begin_epoch(self.epoch);
        self.twin.epochs.push((self.epoch, self.twin.end));
    }
    fn offer(&mut self, batch: Batch) -> Result<Check, Refusal> {
        let answer = self.log.check(&batch, Mutants::none());
        assert_eq!(answer, self.twin.check(&batch), "{batch:?}");
        if answer == Ok(Check::Fresh) {
            let stored = append(&mut self.log, batch, self.epoch, self.now);
            self.twin.append(stored);
        }
        answer
    }
    fn send(&mut self, producer: u64, count: u32, transactional: bool, off: i64) {
        let at = usize::try_from(producer).unwrap();
        let (epoch, next) = self.clients[at];
        let sequence = u32::try_from((i64::from(next) + off).max(0)).unwrap();
        self.payload += count;
        let stamp = Some(Stamp { session: session(producer, epoch), sequence });
        let batch = records(self.payload, &vec![0; count as usize], stamp, transactional);
        if self.offer(batch.clone()) == Ok(Check::Fresh) {
            self.clients[at].1 = sequence + count;
        }
        self.history[at].push(batch);
    }
    fn step(&mut self, step: &Step) {
        match *step {
            Step::Send { producer, count, transactional, off } => self.send(producer, count, transactional, off),
            Step::Plain { count } => {
                self.payload += count;
                assert_eq!(self.offer(records(self.payload, &vec![0; count as usize], None, false)), Ok(Check::Fresh));
            }
            Step::Again { producer, back } => {
                let sent = &self.history[usize::try_from(producer).unwrap()];
                if let Some(batch) = sent.iter().rev().nth(back).cloned() {
                    let _answer = self.offer(batch);
                }
            }
            Step::Epoch { producer, by } => {
                let (epoch, _) = self.clients[usize::try_from(producer).unwrap()];
                self.clients[usize::try_from(producer).unwrap()] = (u16::try_from((i32::from(epoch) + by).max(0)).unwrap(), 0);
            }
            Step::End { producer, outcome, raise, coordinator } => {
                let (epoch, _) = self.clients[usize::try_from(producer).unwrap()];
                if self.offer(marker(session(producer, epoch + raise), outcome, coordinator)) == Ok(Check::Fresh) && raise > 0 {
                    self.clients[usize::try_from(producer).unwrap()] = (epoch + raise, 0);
                }
            }
            Step::Lead => self.lead(),
            Step::Cut(share) => {
                let to = self.log.end() * share / 1000;
                let (before, from) = (self.log.bytes(), self.log.start());
                let freed = self.log.truncate(to);
                assert_eq!(freed, before - self.log.bytes());
                assert!(self.log.start() == from || to < from);
                self.twin.truncate(to);
                self.high_watermark = self.high_watermark.min(self.log.end());
                self.lead();
            }
            Step::Commit(share) => self.high_watermark += (self.log.end() - self.high_watermark) * share / 1000,
            Step::Delete(share) => {
                let to = self.high_watermark * share / 1000;
                let expected: Vec<Stored> = self.twin.held().filter(|entry| entry.end() <= to).cloned().collect();
                let deleted = self.log.delete_below(to);
                self.twin.delete_below(to);
                assert_eq!((deleted.to, deleted.batches), (self.twin.start, expected));
            }
            Step::Pass(span) => self.now += Span::secs(span),
            Step::Retain => self.retain(),
        }
    }
    fn retain(&mut self) {
        let Some(deleted) = self.log.retain(self.now, self.high_watermark, Mutants::none()) else { return };
        let (retention, most) = (Span::secs(100), 2000);
        assert!(deleted.to <= self.high_watermark && deleted.from == self.twin.start && deleted.to > deleted.from);
        let old = deleted.batches.iter().all(|entry| self.now.saturating_since(entry.at) > retention);
        let before = self.log.bytes() + deleted.bytes();
        assert!(old || before >= most, "{} bytes", self.log.bytes());
        let expected: Vec<Stored> = self.twin.held().filter(|entry| entry.end() <= deleted.to).cloned().collect();
        assert_eq!(deleted.batches, expected);
        self.twin.delete_below(deleted.to);
        assert!(self.log.retain(self.now, self.high_watermark, Mutants::none()).is_none(), "nothing is left to do");
    }
    fn compare(&self, word: u64) {
        let (log, twin) = (&self.log, &self.twin);
        log.audit().unwrap();
        assert_eq!((log.start(), log.end()), (twin.start, twin.end));
        assert_eq!(contents(log), twin.held().cloned().collect::<Vec<_>>());
        assert_eq!(log.epochs().all(), twin.known_epochs());
        for epoch in 0..self.epoch + 2 {
            assert_eq!(log.end_for_epoch(epoch), twin.end_for_epoch(epoch), "epoch {epoch}");
        }
        let from = log.start() + word % (log.end() - log.start() + 1);
        let until = from + word / 7 % (log.end() - from + 1);
        assert_eq!(log.read(from, until, 350), twin.read(from, until, 350));
        assert_eq!(log.aborted(from, until), twin.aborted(from, until));
        assert_eq!(log.last_stable(self.high_watermark), twin.last_stable(self.high_watermark));
        let held: Vec<(Offset, Rec)> = log.held(from, self.high_watermark).map(|(offset, record)| (offset, *record)).collect();
        assert_eq!(held, twin.records(from, self.high_watermark));
        let told = twin.told();
        for producer in 1..4 {
            let open = told.iter().any(|told| told.producer == ProducerId(producer) && told.marker.is_none());
            assert_eq!(log.producers().open(ProducerId(producer)).is_some(), open);
        }
    }
}

proptest! {
    #[test]
    fn does_what_the_plain_twin_does(steps in proptest::collection::vec((step(), any::<u64>()), 1..150)) {
        let rules = Rules { retention: Some(Span::secs(100)), retention_bytes: Some(2000), ..PLAIN };
        let mut pair = Pair::new(rules);
        for (step, word) in steps {
            pair.step(&step);
            pair.compare(word);
        }
    }
}

/// Checkpoints are taken every thousand batches: cuts before and after them, and deletions, must know the same producers.
#[test]
fn cuts_of_long_logs_know_the_same_producers() {
    let rules = Rules { segment_bytes: 20_000, ..PLAIN };
    let mut pair = Pair::new(rules);
    for n in 0..14_000u64 {
        let producer = 1 + n % 3;
        if n % 11 == 10 {
            pair.log.append(Stored {
                base: pair.log.end(),
                epoch: 1,
                at: pair.now,
                batch: Arc::new(marker(session(producer, 3), Outcome::Abort, 0)),
            });
        } else {
            let (epoch, next) = pair.clients[usize::try_from(producer).unwrap()];
            let batch = in_transaction(session(producer, epoch), next, 1);
            assert_eq!(pair.log.check(&batch, Mutants::none()), Ok(Check::Fresh));
            append(&mut pair.log, batch, 1, pair.now);
            pair.clients[usize::try_from(producer).unwrap()].1 += 1;
        }
    }
    let whole = contents(&pair.log);
    let mut deleted = pair.log.clone();
    deleted.delete_below(5_500);
    for to in [13_999, 13_000, 12_288, 12_287, 9_001, 6_000, 5_500, 5_000, 1_024, 100, 0] {
        let mut expected = Log::new(rules);
        expected.begin_epoch(1);
        assert!(whole.iter().take_while(|entry| entry.end() <= to).all(|entry| expected.append(entry.clone())));
        let mut cut = pair.log.clone();
        cut.truncate(to);
        cut.audit().unwrap();
        assert_eq!((cut.producers(), cut.transactions()), (expected.producers(), expected.transactions()));
        if to >= 5_500 {
            deleted.truncate(to);
            deleted.audit().unwrap();
            assert_eq!(deleted.producers(), expected.producers(), "deleted and cut to {to}");
        }
    }
}
