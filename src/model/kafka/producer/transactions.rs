//! A producer that groups what it is asked for into transactions: so many records, or as many as come in some time.

use std::collections::VecDeque;

use crate::base::{ClientOp, Digest, PayloadId};
use crate::record::{End, LogNote, Note, Place, Reason};
use crate::world::{Ctx, Hosts};

use super::super::batch::Outcome;
use super::super::config::{Config, Transactions};
use super::super::ids::Part;
use super::role::Producer;
use super::sender::{ProducerTimer, Sender};
use super::{Done, Event, Fate, Outgoing, Token};

/// How far the grouping is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The sender has no session yet.
    Starting,
    /// Between transactions.
    Ready,
    /// A transaction takes records.
    Open,
    /// A transaction ends.
    Ending,
    /// Nothing is done any more.
    Stopped(Reason),
}

/// A record of the transaction.
#[derive(Clone, Copy, Debug)]
struct Member {
    op: ClientOp,
    payload: PayloadId,
    /// Where it was stored, or what else became of it so far.
    fate: Option<(Option<Part>, Fate)>,
}

/// Puts what is asked for into transactions.
#[derive(Clone, Debug)]
pub(super) struct Grouping {
    settings: Transactions,
    /// An aborted transaction's late batches are kept out by its epoch (KIP-890); otherwise one may end up in the next transaction.
    late_are_kept_out: bool,
    phase: Phase,
    /// Transactions so far, in this life.
    number: u32,
    members: Vec<Member>,
    /// What comes while a transaction ends.
    queue: VecDeque<(ClientOp, Outgoing)>,
}

const ABORTED: Reason = Reason("its transaction was aborted");
const END_UNKNOWN: Reason = Reason("nobody knows whether its transaction was committed");

impl Grouping {
    /// Before the first transaction.
    pub(super) fn new(settings: Transactions, config: &Config) -> Grouping {
        Grouping {
            settings,
            late_are_kept_out: config.mechanisms.epoch_per_transaction,
            phase: Phase::Starting,
            number: 0,
            members: Vec::new(),
            queue: VecDeque::new(),
        }
    }

    /// How many operations are not done.
    pub(super) fn open(&self) -> usize {
        self.members.len() + self.queue.len()
    }

    /// Adds the state to a digest.
    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        for member in &self.members {
            digest.words(u64::from(member.payload.0), u64::from(member.fate.is_some()));
        }
        for (op, _) in &self.queue {
            digest.word(u64::from(op.0));
        }
        let phase = match self.phase {
            Phase::Starting => 0,
            Phase::Ready => 1,
            Phase::Open => 2,
            Phase::Ending => 3,
            Phase::Stopped(_) => 4,
        };
        let turn = self.settings.abort_every.map_or(0, |every| self.number % every);
        digest.words(phase, u64::from(turn));
    }

    /// The load asks for something.
    pub(super) fn submit<W: Hosts<Producer>>(
        &mut self,
        (op, record): (ClientOp, Outgoing),
        sender: &mut Sender,
        ctx: &mut Ctx<'_, W, Producer>,
        up: &mut Vec<Event>,
    ) {
        match self.phase {
            Phase::Stopped(reason) => ctx.end(op, End::Failed(reason)),
            Phase::Starting | Phase::Ending => self.queue.push_back((op, record)),
            Phase::Ready | Phase::Open => {
                if self.phase == Phase::Ready {
                    self.phase = Phase::Open;
                    self.number += 1;
                    sender.begin();
                    ctx.timer(self.settings.linger, ProducerTimer::Close { number: self.number });
                }
                let token = Token(u32::try_from(self.members.len()).expect("a transaction has fewer than 2^32 records"));
                self.members.push(Member { op, payload: record.payload, fate: None });
                sender.enqueue(Outgoing { token, ..record }, ctx, up);
                if self.members.len() >= self.settings.records as usize {
                    self.close(sender, ctx, up);
                }
            }
        }
    }

    /// A transaction has gathered records for long enough.
    pub(super) fn on_close<W: Hosts<Producer>>(
        &mut self,
        number: u32,
        sender: &mut Sender,
        ctx: &mut Ctx<'_, W, Producer>,
        up: &mut Vec<Event>,
    ) {
        if number == self.number && self.phase == Phase::Open {
            self.close(sender, ctx, up);
        }
    }

    fn close<W: Hosts<Producer>>(&mut self, sender: &mut Sender, ctx: &mut Ctx<'_, W, Producer>, up: &mut Vec<Event>) {
        self.phase = Phase::Ending;
        if self.settings.abort_every.is_some_and(|every| every > 0 && self.number.is_multiple_of(every)) {
            sender.abort(ctx, up);
        } else {
            sender.commit(ctx, up);
        }
    }

    /// The sender tells something.
    pub(super) fn on_event<W: Hosts<Producer>>(
        &mut self,
        event: Event,
        sender: &mut Sender,
        ctx: &mut Ctx<'_, W, Producer>,
        up: &mut Vec<Event>,
    ) {
        match event {
            Event::Done(done) => self.keep(&done),
            Event::PositionsSent => {}
            Event::MustAbort(_) => {
                self.phase = Phase::Ending;
                sender.abort(ctx, up);
            }
            Event::Ready => self.go_on(sender, ctx, up),
            Event::Ended(outcome) => {
                self.end_members(Some(outcome), ABORTED, ctx);
                self.go_on(sender, ctx, up);
            }
            Event::Stopped { reason, end_asked } => {
                self.phase = Phase::Stopped(reason);
                let (outcome, why) = if end_asked { (None, END_UNKNOWN) } else { (Some(Outcome::Abort), reason) };
                self.end_members(outcome, why, ctx);
                for (op, _) in std::mem::take(&mut self.queue) {
                    ctx.end(op, End::Failed(reason));
                }
            }
        }
    }

    /// What became of records, for the end of the transaction.
    fn keep(&mut self, done: &Done) {
        for (nth, token) in (0..).zip(&done.tokens) {
            let fate = match done.fate {
                Fate::At(base) => Fate::At(base + nth),
                Fate::Gone | Fate::Failed(_) | Fate::Unknown(_) => done.fate,
            };
            if let Some(member) = self.members.get_mut(token.0 as usize) {
                member.fate = Some((done.part, fate));
            }
        }
    }

    /// The next transaction can begin: with what has come meanwhile.
    fn go_on<W: Hosts<Producer>>(&mut self, sender: &mut Sender, ctx: &mut Ctx<'_, W, Producer>, up: &mut Vec<Event>) {
        self.phase = Phase::Ready;
        while matches!(self.phase, Phase::Ready | Phase::Open) {
            let Some(next) = self.queue.pop_front() else { return };
            self.submit(next, sender, ctx, up);
        }
    }

    /// The operations of the transaction end with it. `None`: nobody knows how it did.
    fn end_members<W: Hosts<Producer>>(&mut self, outcome: Option<Outcome>, why: Reason, ctx: &mut Ctx<'_, W, Producer>) {
        let transaction = u64::from(ctx.me().0) << 48 | u64::from(ctx.life()) << 32 | u64::from(self.number);
        let members = std::mem::take(&mut self.members);
        for member in &members {
            ctx.note(Note::Log(LogNote::InTransaction { transaction, payload: member.payload }));
        }
        for member in members {
            match (outcome, member.fate) {
                (None, _) => ctx.end(member.op, End::Unknown(why)),
                (Some(Outcome::Commit), Some((Some(part), Fate::At(offset)))) => {
                    let log = ctx.config().partitions[part.index()].object;
                    let log = log.expect("a partition of a topic for messages has an id in the history");
                    ctx.end_at(member.op, Place { log, offset });
                }
                (Some(Outcome::Commit), Some((_, Fate::Gone))) => ctx.end(member.op, End::Ok),
                (_, Some((_, Fate::Unknown(reason)))) if !self.late_are_kept_out => ctx.end(member.op, End::Unknown(reason)),
                (_, Some((_, Fate::Failed(reason) | Fate::Unknown(reason)))) => ctx.end(member.op, End::Failed(reason)),
                (_, None | Some((_, Fate::At(_) | Fate::Gone))) => ctx.end(member.op, End::Failed(why)),
            }
        }
    }
}
