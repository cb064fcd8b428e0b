//! A processor: an application that reads from topics, transforms, and writes to another topic; in transactions, or with what comes of
//! doing without.
//!
//! In transactions: the records of some polls, and the positions after them, are one transaction. It ends with the poll in which it has
//! `transactions.records`, or when it is open for `transactions.linger`. When it aborts, or partitions are taken away meanwhile, the
//! processor goes back to the committed positions and reads again. Without: each poll's records are written, and when all of them are
//! acknowledged, the positions are committed; when one is in doubt, they are read and written again.
//!
//! When its producer cannot go on (somebody else has its `transactional.id`, its transaction was open for too long), the application does
//! what Kafka Streams does: it takes another producer after a pause, with the same `transactional.id`, and reads again from the committed
//! positions. When its reader cannot go on, the application ends, and waits for somebody to start it again.

pub mod marks;
#[cfg(test)]
mod tests;
mod work;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;

use crate::base::{Digest, Lane, PayloadId, Sampler, SmallStream, Span, Time};
use crate::record::{Command, LogNote, Note};
use crate::world::{Ctx, Disconnect, Hosts, Peer, Role, Sink};

use super::batch::Outcome;
use super::config::{Config, ProcessorConfig, Version};
use super::consumer::reader::{self, How, Reader, ReaderTimer, Slice, Whose};
use super::ids::TxnId;
use super::producer::{self, ProducerTimer, Sender, Settings};
use super::protocol::Msg;
use super::protocol::group::Membership;
use work::{Act, Input, Read, Rules, Work};

/// How long the application waits before it takes another producer (our choice).
const PAUSE: Span = Span::secs(1);
/// The sender's part of the process, for the names of messages.
const SENDER: u8 = 0;
/// The reader's first part.
const READER: u8 = 2;

/// A processor's timers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ProcessorTimer {
    /// Its sender's.
    Sender(ProducerTimer),
    /// Its reader's.
    Reader(ReaderTimer),
    /// A record is transformed.
    Transformed(u32),
    /// A transaction is open for long enough.
    LongEnough(u32),
    /// It is time for a new beginning.
    Again,
}

impl From<ProducerTimer> for ProcessorTimer {
    fn from(timer: ProducerTimer) -> ProcessorTimer {
        ProcessorTimer::Sender(timer)
    }
}

impl From<ReaderTimer> for ProcessorTimer {
    fn from(timer: ReaderTimer) -> ProcessorTimer {
        ProcessorTimer::Reader(timer)
    }
}

/// The process.
#[derive(Clone, Debug)]
pub struct Processor {
    /// Its position in [`Config::processors`].
    kind: u16,
    sender: Sender,
    reader: Reader,
    work: Work,
    takes: Sampler,
}

impl Processor {
    /// Whether nothing that was read is on its way to be written.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.work.is_idle()
    }

    /// Adds the state to a digest.
    pub fn fingerprint(&self, now: Time, digest: &mut Digest) {
        self.sender.fingerprint(now, digest);
        self.reader.fingerprint(now, digest);
        self.work.hash(digest);
    }

    /// Hands on what happened, and does what comes of it.
    fn drive<W: Hosts<Processor>>(&mut self, inputs: Vec<Input>, ctx: &mut Ctx<'_, W, Processor>) {
        let config = ctx.config();
        let rules = Rules { config, own: &config.processors[usize::from(self.kind)] };
        let mut inputs = VecDeque::from(inputs);
        let mut acts = Vec::new();
        while let Some(input) = inputs.pop_front() {
            self.work.on(input, rules, &mut acts);
            for act in acts.drain(..) {
                self.act(act, rules, &mut inputs, ctx);
            }
        }
    }

    /// Goes on with what reader and sender said.
    fn drive_on<W: Hosts<Processor>>(&mut self, heard: Vec<reader::Event>, said: Vec<producer::Event>, ctx: &mut Ctx<'_, W, Processor>) {
        let mut inputs: Vec<Input> = heard.into_iter().filter_map(heard_by_reader).collect();
        inputs.extend(said.into_iter().filter_map(|event| said_by_sender(event, ctx)));
        self.drive(inputs, ctx);
    }

    fn act<W: Hosts<Processor>>(&mut self, act: Act, rules: Rules<'_>, inputs: &mut VecDeque<Input>, ctx: &mut Ctx<'_, W, Processor>) {
        let (mut heard, mut said) = (Vec::new(), Vec::new());
        match act {
            Act::StartReading => self.reader.start(ctx, &mut heard),
            Act::Poll => {
                let mut slices = Vec::new();
                self.reader.poll(false, &mut slices, ctx, &mut heard);
                inputs.extend(heard.drain(..).filter_map(heard_by_reader));
                inputs.push_back(Input::Polled(reads(&slices, rules)));
            }
            Act::Transform(round, payload) => self.transform(round, payload, inputs, ctx),
            Act::Begin(number) => {
                self.sender.begin();
                let linger = rules.own.producer.transactions.as_ref().map_or(Span::ZERO, |transactions| transactions.linger);
                ctx.timer(linger, ProcessorTimer::LongEnough(number));
            }
            Act::Send(outgoing) => self.sender.enqueue(outgoing, ctx, &mut said),
            Act::Flush => self.sender.flush(ctx, &mut said),
            Act::SendPositions => match self.member(ctx) {
                Some(from) => {
                    let positions = self.reader.positions(rules.config).into();
                    self.sender.send_positions((rules.own.consumer.group, from), positions, ctx, &mut said);
                }
                None => inputs.push_back(Input::MustAbort),
            },
            Act::End(Outcome::Commit) => self.sender.commit(ctx, &mut said),
            Act::End(Outcome::Abort) => self.sender.abort(ctx, &mut said),
            Act::Keep => {
                let positions = self.reader.positions(rules.config);
                self.reader.commit(0, How::Sync, positions, ctx, &mut heard);
            }
            Act::Rewind => self.reader.rewind(ctx, &mut heard),
            Act::Pause => {
                ctx.timer(PAUSE, ProcessorTimer::Again);
            }
            Act::StartOver => self.sender.reopen(ctx, &mut said),
            Act::InTransaction(number, payload) => {
                let transaction = u64::from(ctx.me().0) << 48 | u64::from(ctx.life()) << 32 | u64::from(number);
                ctx.note(Note::Log(LogNote::InTransaction { transaction, payload }));
            }
            Act::Note(note) => ctx.note(note),
            Act::Mark(mark) => ctx.mark(mark),
        }
        inputs.extend(heard.into_iter().filter_map(heard_by_reader));
        inputs.extend(said.into_iter().filter_map(|event| said_by_sender(event, ctx)));
    }

    /// As whom positions are put into transactions: as the member that it is (`None`: it is none), since KIP-447. Before, as nobody.
    fn member<W: Hosts<Processor>>(&self, ctx: &Ctx<'_, W, Processor>) -> Option<Option<Membership>> {
        if ctx.config().version < Version::V2_8 { Some(None) } else { self.reader.membership(ctx).map(Some) }
    }

    /// A record takes its time, which belongs to its payload.
    fn transform<W: Hosts<Processor>>(
        &mut self,
        round: u32,
        payload: PayloadId,
        inputs: &mut VecDeque<Input>,
        ctx: &mut Ctx<'_, W, Processor>,
    ) {
        let word = ctx.choose(u64::from(payload.0) | (Lane::Service as u64) << 32, u64::MAX);
        let takes = self.takes.draw(&mut SmallStream::from_word(word));
        if takes.is_zero() {
            inputs.push_back(Input::Transformed(round));
        } else {
            ctx.timer(takes, ProcessorTimer::Transformed(round));
        }
    }
}

/// What the reader says, as far as it matters.
fn heard_by_reader(event: reader::Event) -> Option<Input> {
    match event {
        reader::Event::Ready => Some(Input::Fetched),
        reader::Event::Revoked { .. } => Some(Input::Revoked),
        reader::Event::Committed { result, .. } => Some(Input::Kept(result.is_ok())),
        reader::Event::Stopped(_) => Some(Input::ReaderStopped),
        reader::Event::Assigned(_) | reader::Event::Closed => None,
    }
}

/// What the sender says.
fn said_by_sender<W: Hosts<Processor>>(event: producer::Event, ctx: &mut Ctx<'_, W, Processor>) -> Option<Input> {
    match event {
        producer::Event::Done(done) => Some(Input::Done(done)),
        producer::Event::Ready => Some(Input::SenderReady),
        producer::Event::PositionsSent => Some(Input::PositionsSent),
        producer::Event::Ended(outcome) => Some(Input::Ended(outcome)),
        producer::Event::MustAbort(reason) => {
            ctx.say(None, || format!("the transaction is to be aborted: {reason}"));
            Some(Input::MustAbort)
        }
        producer::Event::Stopped { reason, .. } => {
            ctx.say(None, || format!("its producer cannot go on: {reason}; another takes its place"));
            Some(Input::SenderStopped)
        }
    }
}

/// What a poll returned, record by record.
fn reads(slices: &[Slice], rules: Rules<'_>) -> Vec<Read> {
    let mut all = Vec::new();
    for slice in slices {
        let topic = rules.config.partitions[slice.part.index()].topic;
        let group = work::subscription(rules, topic).expect("a processor reads what its group subscribes to");
        all.extend(slice.records().iter().map(|one| Read { group, payload: one.payload, key: one.key, bytes: one.bytes }));
    }
    all
}

fn settings<W: Hosts<Processor>>(kind: u16, own: &ProcessorConfig, ctx: &Ctx<'_, W, Processor>) -> Settings {
    let me = ctx.me();
    let place = ctx.config().places.processors.iter().find(|(node, of, _)| *node == me && *of == kind);
    let (_, _, number) = place.expect("a processor's node is among the places of processors");
    let number = u16::try_from(*number).expect("fewer than 2^16 instances");
    let txn = own.producer.transactions.as_ref().map(|transactions| TxnId(transactions.first.0 + number));
    Settings { producer: Arc::new(own.producer.clone()), txn, part: SENDER, resends: true }
}

impl Role for Processor {
    type Config = Config;
    type Msg = Msg;
    type Timer = ProcessorTimer;
    type Disk = ();
    type Write = Infallible;
    type Up = Infallible;

    fn boot<W: Hosts<Self>>(ctx: &mut Ctx<'_, W, Self>) -> Self {
        let (me, config) = (ctx.me(), ctx.config());
        let place = config.places.processors.iter().find(|(node, _, _)| *node == me);
        let (_, kind, _) = *place.expect("a processor's node is among the places of processors");
        let own = &config.processors[usize::from(kind)];
        let (mut said, mut acts) = (Vec::new(), Vec::new());
        let sender = Sender::boot(settings(kind, own, ctx), ctx, &mut said);
        let reader = Reader::new(Whose::Processor(kind), READER, ctx);
        let rules = Rules { config, own };
        let work = Work::new(rules, &mut acts);
        let mut processor = Processor { kind, sender, reader, work, takes: own.consumer.processing.sampler() };
        let mut inputs = VecDeque::new();
        for act in acts {
            processor.act(act, rules, &mut inputs, ctx);
        }
        inputs.extend(said.into_iter().filter_map(|event| said_by_sender(event, ctx)));
        processor.drive(inputs.into(), ctx);
        processor
    }

    /// The load has nothing to ask of a processor.
    fn on_command<W: Hosts<Self>>(&mut self, command: Command, _: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        unreachable!("{} was given to a processor; the roster takes no load for it", command.op);
    }

    fn on_message<W: Hosts<Self>>(&mut self, from: Peer, msg: Msg, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        let (mut heard, mut said) = (Vec::new(), Vec::new());
        if let Some(msg) = self.sender.on_message(from, msg, ctx, &mut said) {
            self.reader.on_message(from, msg, ctx, &mut heard);
        }
        self.drive_on(heard, said, ctx);
    }

    fn on_timer<W: Hosts<Self>>(&mut self, timer: ProcessorTimer, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        let (mut heard, mut said) = (Vec::new(), Vec::new());
        match timer {
            ProcessorTimer::Sender(ProducerTimer::Wake) => self.sender.on_wake(ctx, &mut said),
            ProcessorTimer::Sender(ProducerTimer::Close { .. }) => {}
            ProcessorTimer::Reader(timer) => self.reader.on_timer(timer, ctx, &mut heard),
            ProcessorTimer::Transformed(round) => return self.drive(vec![Input::Transformed(round)], ctx),
            ProcessorTimer::LongEnough(number) => return self.drive(vec![Input::LongEnough(number)], ctx),
            ProcessorTimer::Again => return self.drive(vec![Input::Again], ctx),
        }
        self.drive_on(heard, said, ctx);
    }

    fn on_disconnect<W: Hosts<Self>>(&mut self, peer: Peer, why: Disconnect, ctx: &mut Ctx<'_, W, Self>, _: &mut impl Sink<Infallible>) {
        let (mut heard, mut said) = (Vec::new(), Vec::new());
        if !self.sender.on_disconnect(peer, why, ctx, &mut said) {
            self.reader.on_disconnect(peer, ctx, &mut heard);
        }
        self.drive_on(heard, said, ctx);
    }
}
