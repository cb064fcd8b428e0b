//! What a processor does when: a value that is told what happened and says what is to be done.

use std::collections::VecDeque;

use crate::base::{KeyId, ObjectId, PayloadId};
use crate::record::{LogNote, Mark, Note, Place};

use super::super::batch::Outcome;
use super::super::config::{Config, ProcessorConfig};
use super::super::ids::TopicId;
use super::super::producer::{Done, Fate, Outgoing, Token};
use super::marks;

/// A record that was read and is to be transformed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Read {
    /// For which subscription.
    pub(super) group: ObjectId,
    pub(super) payload: PayloadId,
    pub(super) key: KeyId,
    pub(super) bytes: u32,
}

/// A record that was handed to the producer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Carried {
    group: ObjectId,
    payload: PayloadId,
    place: Option<Place>,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Input {
    /// The producer has its session.
    SenderReady,
    /// The producer is done with records.
    Done(Done),
    /// The positions are in the transaction.
    PositionsSent,
    /// The transaction has ended.
    Ended(Outcome),
    /// The transaction can only be aborted.
    MustAbort,
    /// The producer will never do anything again.
    SenderStopped,
    /// There is something to poll for.
    Fetched,
    /// A poll returned.
    Polled(Vec<Read>),
    /// Partitions were taken away.
    Revoked,
    /// A commit of positions is over, well or not.
    Kept(bool),
    /// The reader will never do anything again.
    ReaderStopped,
    /// The transformation of this number is through.
    Transformed(u32),
    /// This transaction is open for long enough.
    LongEnough(u32),
    /// The pause before a new beginning is over.
    Again,
}

/// What is to be done, in this order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Begin to read.
    StartReading,
    /// Poll, and say what came.
    Poll,
    /// Transform a record, under this number; it takes its time.
    Transform(u32, PayloadId),
    /// Begin a transaction, of this number, and say when it is open for long enough.
    Begin(u32),
    /// Hand a record to the producer.
    Send(Outgoing),
    /// Let the producer wait no longer for more.
    Flush,
    /// Put the positions into the transaction.
    SendPositions,
    /// End the transaction.
    End(Outcome),
    /// Commit the positions, outside of transactions.
    Keep,
    /// Go back to the committed positions.
    Rewind,
    /// Pause, and then say so.
    Pause,
    /// Take another producer.
    StartOver,
    /// Write into the history: part of the transaction of this number of the process.
    InTransaction(u32, PayloadId),
    /// Write into the history.
    Note(Note),
    /// Say that a rare path was taken.
    Mark(Mark),
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Stage {
    /// It waits for its producer's session.
    Opening,
    /// It waits in `poll()`.
    Polling,
    /// It transforms one record after the other.
    Transforming,
    /// Without transactions: it waits for the writes.
    Storing,
    /// Without transactions: it waits for the commit of its positions.
    Keeping,
    /// It waits for the positions to be in the transaction.
    SendingPositions,
    /// It waits for the end of the transaction that it wants.
    Ending(Outcome),
    /// It pauses before a new beginning.
    Pausing,
    /// It has ended; nothing but a new process helps.
    Over,
}

/// A processor's application.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Work {
    stage: Stage,
    /// It has begun to read.
    reads: bool,
    /// Polled and not yet transformed.
    queue: VecDeque<Read>,
    /// Handed to the producer since the last end of a transaction or commit of positions.
    carried: Vec<Carried>,
    /// The name of the first of them.
    first: u32,
    /// How many of them the producer is not done with.
    waiting: usize,
    /// One of them may not be stored.
    doubtful: bool,
    /// Counts what is transformed.
    round: u32,
    /// Counts the transactions of this process.
    number: u32,
    open: bool,
    /// The open transaction is to end with the present poll.
    long_enough: bool,
}

/// Whose rules it works by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    pub(super) config: &'a Config,
    pub(super) own: &'a ProcessorConfig,
}

impl Work {
    /// A process that starts. A transactional one has to be told first that its producer has a session: until then an earlier process
    /// may have an open transaction, with positions that would be read too low.
    pub(super) fn new(rules: Rules<'_>, acts: &mut Vec<Act>) -> Work {
        let mut work = Work {
            stage: Stage::Opening,
            reads: false,
            queue: VecDeque::new(),
            carried: Vec::new(),
            first: 0,
            waiting: 0,
            doubtful: false,
            round: 0,
            number: 0,
            open: false,
            long_enough: false,
        };
        if rules.own.producer.transactions.is_none() {
            work.read_on(acts);
        }
        work
    }

    /// Something happened.
    pub(super) fn on(&mut self, input: Input, rules: Rules<'_>, acts: &mut Vec<Act>) {
        match input {
            Input::SenderReady if self.stage == Stage::Opening => self.read_on(acts),
            Input::Fetched if self.stage == Stage::Polling => acts.push(Act::Poll),
            Input::Polled(reads) if self.stage == Stage::Polling => self.polled(reads, rules, acts),
            Input::Transformed(round) if self.stage == Stage::Transforming && self.round == round => self.transformed(rules, acts),
            Input::Done(done) => self.done(&done, rules, acts),
            Input::Kept(well) if self.stage == Stage::Keeping => {
                if !well {
                    acts.push(Act::Mark(marks::POSITIONS_REFUSED));
                }
                self.forget();
                self.poll(acts);
            }
            Input::LongEnough(number) if self.open && self.number == number => {
                self.long_enough = true;
                if self.stage == Stage::Polling {
                    self.finish(rules, acts);
                }
            }
            Input::PositionsSent if self.stage == Stage::SendingPositions => {
                self.stage = Stage::Ending(Outcome::Commit);
                acts.push(Act::End(Outcome::Commit));
            }
            Input::Ended(outcome) if matches!(self.stage, Stage::Ending(_)) => self.ended(outcome, acts),
            Input::MustAbort if self.open && self.stage != Stage::Ending(Outcome::Abort) => self.abort(acts),
            Input::Revoked if self.open && matches!(self.stage, Stage::Polling | Stage::Transforming) => {
                acts.push(Act::Mark(marks::REVOKED_IN_TRANSACTION));
                self.abort(acts);
            }
            Input::SenderStopped if self.stage != Stage::Over => {
                self.forget();
                self.stage = Stage::Pausing;
                acts.push(Act::Pause);
            }
            Input::Again if self.stage == Stage::Pausing => self.start_over(rules, acts),
            Input::ReaderStopped => {
                self.forget();
                self.stage = Stage::Over;
            }
            Input::SenderReady
            | Input::Fetched
            | Input::Polled(_)
            | Input::Transformed(_)
            | Input::Kept(_)
            | Input::LongEnough(_)
            | Input::PositionsSent
            | Input::Ended(_)
            | Input::MustAbort
            | Input::Revoked
            | Input::SenderStopped
            | Input::Again => {}
        }
    }

    /// Whether nothing is on the way.
    pub(super) fn is_idle(&self) -> bool {
        self.stage == Stage::Polling && self.carried.is_empty()
    }

    fn poll(&mut self, acts: &mut Vec<Act>) {
        self.stage = Stage::Polling;
        acts.push(Act::Poll);
    }

    /// Begins to read, or goes on from the committed positions.
    fn read_on(&mut self, acts: &mut Vec<Act>) {
        if std::mem::replace(&mut self.reads, true) {
            acts.push(Act::Mark(marks::READ_AGAIN));
            acts.push(Act::Rewind);
            self.poll(acts);
        } else {
            self.stage = Stage::Polling;
            acts.push(Act::StartReading);
        }
    }

    fn polled(&mut self, reads: Vec<Read>, rules: Rules<'_>, acts: &mut Vec<Act>) {
        if reads.is_empty() {
            return;
        }
        if rules.own.producer.transactions.is_some() && !self.open {
            self.number += 1;
            (self.open, self.long_enough) = (true, false);
            acts.push(Act::Begin(self.number));
        }
        self.queue.extend(reads);
        self.stage = Stage::Transforming;
        self.transform(acts);
    }

    fn transform(&mut self, acts: &mut Vec<Act>) {
        let read = self.queue.front().expect("there is something to transform");
        self.round += 1;
        acts.push(Act::Transform(self.round, read.payload));
    }

    fn transformed(&mut self, rules: Rules<'_>, acts: &mut Vec<Act>) {
        let Read { group, payload, key, bytes } = self.queue.pop_front().expect("it was transformed");
        let token = Token(self.first + u32::try_from(self.carried.len()).expect("fewer than 2^32 records"));
        self.carried.push(Carried { group, payload, place: None });
        self.waiting += 1;
        if self.open {
            acts.push(Act::InTransaction(self.number, payload));
        }
        acts.push(Act::Send(Outgoing { token, topic: rules.own.to, payload, key, bytes }));
        if !self.queue.is_empty() {
            return self.transform(acts);
        }
        match &rules.own.producer.transactions {
            None => {
                self.stage = Stage::Storing;
                acts.push(Act::Flush);
                self.stored(acts);
            }
            Some(transactions) if self.long_enough || self.carried.len() >= transactions.records as usize => self.finish(rules, acts),
            Some(_) => self.poll(acts),
        }
    }

    /// The producer is done with some.
    fn done(&mut self, done: &Done, rules: Rules<'_>, acts: &mut Vec<Act>) {
        for (at, token) in (0..).zip(&done.tokens) {
            // What was given up with its transaction is forgotten.
            let Some(index) = token.0.checked_sub(self.first).map(|index| index as usize) else { continue };
            let Some(carried) = self.carried.get_mut(index) else { continue };
            self.waiting -= 1;
            match done.fate {
                Fate::At(offset) => {
                    let log = done.part.and_then(|part| rules.config.partitions[part.index()].object);
                    carried.place = log.map(|log| Place { log, offset: offset + at });
                    if !self.open {
                        written(*carried, acts);
                    }
                }
                Fate::Gone => written(*carried, acts),
                Fate::Failed(_) | Fate::Unknown(_) => self.doubtful = true,
            }
        }
        if self.stage == Stage::Storing {
            self.stored(acts);
        }
    }

    /// Without transactions: are all writes of the poll decided?
    fn stored(&mut self, acts: &mut Vec<Act>) {
        if self.waiting > 0 {
            return;
        }
        if self.doubtful {
            self.forget();
            return self.read_on(acts);
        }
        self.stage = Stage::Keeping;
        acts.push(Act::Keep);
    }

    /// The transaction has what it shall have. The application aborts some.
    fn finish(&mut self, rules: Rules<'_>, acts: &mut Vec<Act>) {
        let every = rules.own.producer.transactions.as_ref().and_then(|transactions| transactions.abort_every);
        if every.is_some_and(|every| self.number.is_multiple_of(every)) {
            return self.abort(acts);
        }
        self.stage = Stage::SendingPositions;
        acts.push(Act::SendPositions);
    }

    fn abort(&mut self, acts: &mut Vec<Act>) {
        self.queue.clear();
        self.stage = Stage::Ending(Outcome::Abort);
        acts.push(Act::End(Outcome::Abort));
    }

    fn ended(&mut self, outcome: Outcome, acts: &mut Vec<Act>) {
        let carried = std::mem::take(&mut self.carried);
        self.first += u32::try_from(carried.len()).expect("fewer than 2^32 records");
        self.forget();
        match outcome {
            Outcome::Commit => {
                for one in carried {
                    written(one, acts);
                }
                self.poll(acts);
            }
            Outcome::Abort => self.read_on(acts),
        }
    }

    /// What was read and not committed is no concern of this process any more.
    fn forget(&mut self) {
        self.first += u32::try_from(self.carried.len()).expect("fewer than 2^32 records");
        self.carried.clear();
        self.queue.clear();
        self.waiting = 0;
        (self.open, self.long_enough, self.doubtful) = (false, false, false);
    }

    /// With another producer. A transactional one waits for its session first.
    fn start_over(&mut self, rules: Rules<'_>, acts: &mut Vec<Act>) {
        acts.push(Act::Mark(marks::STARTED_OVER));
        acts.push(Act::StartOver);
        self.stage = Stage::Opening;
        if rules.own.producer.transactions.is_none() {
            self.read_on(acts);
        }
    }
}

/// A record is written for good: that is the effect of the one that was read.
fn written(carried: Carried, acts: &mut Vec<Act>) {
    let Carried { group, payload, place } = carried;
    if let Some(place) = place {
        acts.push(Act::Note(Note::Log(LogNote::Appended { payload, place })));
    }
    acts.push(Act::Note(Note::Effect { group, payload }));
}

/// The subscription to a topic of the group that a processor reads for.
pub(super) fn subscription(rules: Rules<'_>, topic: TopicId) -> Option<ObjectId> {
    let group = &rules.config.groups[rules.own.consumer.group.index()];
    group.subscriptions.iter().find(|(of, _)| *of == topic).map(|(_, object)| *object)
}
