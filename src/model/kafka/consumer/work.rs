//! A consumer at work: from a poll to the effects, the commit and the next poll.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Digest, ObjectId, PayloadId};
use crate::record::{Note, Place};
use crate::world::{Ctx, Hosts, Sink};

use super::super::batch::{Position, Rec};
use super::super::config::{Commit, Sink as Apart};
use super::super::ids::{Offset, Part};
use super::super::protocol::StoreReply;
use super::super::protocol::store::{Advance, Wanted};
use super::outside::Errand;
use super::{Applied, Consumer, ConsumerTimer, Event, Hands, How, Presence, Slice, marks};

/// So many polls' worth of records may wait for the workers; then the application polls without taking any (`pause`).
const BACKLOG_POLLS: u64 = 10;

/// What the application waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// `poll()`, or to call it.
    Poll,
    /// A commit before the records are processed.
    CommitFirst(u64),
    /// The records are being processed, by itself.
    Work,
    /// The database.
    Store,
    /// A commit after the records were processed.
    CommitAfter(u64),
}

/// A record that a worker has in hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Item {
    group: ObjectId,
    payload: PayloadId,
    place: Option<Place>,
}

/// The work.
#[derive(Clone, Debug)]
pub(super) struct Work {
    step: Step,
    /// Records are handed to others, and polled past.
    hands_off: bool,
    workers: Vec<Option<Item>>,
    /// What waits for a worker; of the first slice from `at` on.
    queue: VecDeque<Slice>,
    at: u32,
    /// How many records that is.
    queued: u64,
    /// That was too many at the last poll.
    full: bool,
    /// Counts runs: what was in hand when the process stopped means nothing to the next.
    run: u32,
    /// Numbers commits.
    token: u64,
    /// With positions in the database: where they stand there, as far as known.
    stood: BTreeMap<Part, Option<Offset>>,
    /// With positions in the database: where they shall stand after this poll.
    advances: Vec<Advance>,
    effects: Vec<Wanted>,
    taken: Vec<Slice>,
}

impl Work {
    pub(super) fn new(workers: Option<u32>) -> Work {
        Work {
            step: Step::Poll,
            hands_off: workers.is_some(),
            workers: vec![None; workers.unwrap_or(1).max(1) as usize],
            queue: VecDeque::new(),
            at: 0,
            queued: 0,
            full: false,
            run: 0,
            token: 0,
            stood: BTreeMap::new(),
            advances: Vec::new(),
            effects: Vec::new(),
            taken: Vec::new(),
        }
    }

    /// A new process, or the end of one: nothing is in hand.
    pub(super) fn anew(&mut self) {
        let workers = self.hands_off.then(|| u32::try_from(self.workers.len()).expect("few workers"));
        *self = Work { run: self.run + 1, token: self.token, ..Work::new(workers) };
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.workers.iter().all(Option::is_none)
    }

    pub(super) fn fingerprint(&self, digest: &mut Digest) {
        let step = match self.step {
            Step::Poll => 0,
            Step::CommitFirst(_) => 1,
            Step::Work => 2,
            Step::Store => 3,
            Step::CommitAfter(_) => 4,
        };
        digest.words(step, self.queued);
        for item in self.workers.iter().flatten() {
            digest.word(u64::from(item.payload.0));
        }
        for (part, offset) in &self.stood {
            digest.words(u64::from(part.0), offset.map_or(0, |offset| offset + 1));
        }
    }

    /// Takes the next record from the queue.
    fn next(&mut self) -> Option<(Part, Offset, Rec)> {
        let slice = self.queue.front()?;
        let records = slice.records();
        let record = records[self.at as usize];
        let next = (slice.part, slice.offset(&record), record);
        self.at += 1;
        self.queued -= 1;
        if self.at as usize == records.len() {
            self.queue.pop_front();
            self.at = 0;
        }
        Some(next)
    }
}

impl Consumer {
    /// Deals with what the reader has told, then works on.
    pub(super) fn go_on<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        if self.hear((ctx, up)) {
            self.work_on((ctx, up));
        }
    }

    /// Deals with what the reader has told, and with what it tells because of that. Whether there is something to do now.
    fn hear<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) -> bool {
        let mut polls = false;
        while !self.events.is_empty() {
            let mut events = std::mem::take(&mut self.events);
            for event in events.drain(..) {
                polls |= self.told(event, (ctx, up));
            }
            if self.events.is_empty() {
                self.events = events; // its memory is used again
                break;
            }
        }
        polls
    }

    /// One thing that the reader tells. Whether there is something to do now.
    fn told<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, event: Event, (ctx, up): Hands<'_, '_, '_, W, S>) -> bool {
        match event {
            Event::Ready => true,
            Event::Assigned(parts) => {
                if self.own(ctx).commit == Commit::WithEffect {
                    self.ask(Errand::Begin { parts, after_conflict: false }, ctx);
                }
                false
            }
            Event::Revoked { parts, .. } => {
                for part in parts {
                    self.work.stood.remove(&part);
                }
                false
            }
            Event::Committed { token, result } => {
                let (before, after) = (self.work.step == Step::CommitFirst(token), self.work.step == Step::CommitAfter(token));
                if before && result.is_ok() {
                    self.start(ctx, up);
                } else if before {
                    // It must not be processed now. What is committed decides whether it comes again.
                    self.work.taken.clear();
                    self.work.step = Step::Poll;
                    self.reader.rewind(ctx, &mut self.events);
                } else if after {
                    self.work.step = Step::Poll;
                }
                before || after
            }
            Event::Stopped(_) => {
                self.stopped(ctx);
                false
            }
            Event::Closed => {
                self.gone(ctx);
                false
            }
        }
    }

    /// Polls and processes until there is something to wait for.
    pub(super) fn work_on<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        while self.work.step == Step::Poll {
            match self.presence {
                Presence::There => {}
                Presence::Leaving if self.work.is_idle() => {
                    self.presence = Presence::Closing;
                    self.reader.close(ctx, &mut self.events);
                    return self.go_on((ctx, up));
                }
                Presence::Leaving | Presence::Away | Presence::Closing | Presence::Stopped => return,
            }
            let own = self.own(ctx);
            self.work.full = self.work.hands_off && self.work.queued >= BACKLOG_POLLS * u64::from(own.max_poll_records);
            let mut taken = std::mem::take(&mut self.work.taken);
            self.reader.poll(self.work.full, &mut taken, ctx, &mut self.events);
            self.work.taken = taken;
            // What the reader told in this poll was true before the records were taken.
            self.hear((ctx, up));
            if self.work.taken.is_empty() {
                return;
            }
            self.received((ctx, up));
            self.hear((ctx, up));
        }
    }

    /// A poll came back with records.
    fn received<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        match self.own(ctx).commit {
            Commit::Before => {
                let token = self.commit(ctx);
                self.work.step = Step::CommitFirst(token);
            }
            Commit::WithEffect => {
                self.plan_advances(ctx);
                self.start(ctx, up);
            }
            Commit::Auto { .. } | Commit::After => self.start(ctx, up),
        }
    }

    /// Commits where the reader stands.
    fn commit<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) -> u64 {
        self.work.token += 1;
        let token = self.work.token;
        let positions: Vec<Position> = self.reader.positions(ctx.config());
        self.reader.commit(token, How::Sync, positions, ctx, &mut self.events);
        token
    }

    /// Where positions shall stand in the database after this poll.
    fn plan_advances<W: Hosts<Consumer>>(&mut self, ctx: &Ctx<'_, W, Consumer>) {
        let positions = self.reader.positions(ctx.config());
        let read = |part: Part| self.work.taken.iter().any(|slice| slice.part == part);
        let advance = |position: &Position| Advance {
            part: position.part,
            from: self.work.stood.get(&position.part).copied().flatten(),
            to: position.offset,
        };
        self.work.advances = positions.iter().filter(|position| read(position.part)).map(advance).collect();
    }

    /// Begins to process what was polled.
    fn start<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>, up: &mut S) {
        let own = self.own(ctx);
        if self.processing.is_none() && !(self.work.hands_off && own.sink == Apart::Idempotent) {
            return self.all_at_once((ctx, up));
        }
        for slice in std::mem::take(&mut self.work.taken) {
            self.work.queued += u64::from(slice.to - slice.from);
            self.work.queue.push_back(slice);
        }
        self.work.step = Step::Work;
        if self.work.hands_off {
            ctx.mark(marks::HANDED_OFF);
            self.finished(ctx);
        }
        self.employ((ctx, up));
    }

    /// Processing takes no time: all that a poll returned at once.
    fn all_at_once<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let (own, config) = (self.own(ctx), ctx.config());
        let plain = own.commit != Commit::WithEffect && own.sink == Apart::Plain;
        let mut taken = std::mem::take(&mut self.work.taken);
        for slice in taken.drain(..) {
            let Some(group) = config.subscription(own.group, slice.part) else { continue };
            let log = config.partitions[slice.part.index()].object;
            for record in slice.records() {
                let payload = record.payload;
                if plain {
                    ctx.note(Note::Effect { group, payload });
                    up.put(Applied { group, payload, place: log.map(|log| Place { log, offset: slice.offset(record) }) });
                } else {
                    self.work.effects.push(Wanted { subscription: group, payload });
                }
            }
        }
        self.work.taken = taken;
        if plain || own.commit == Commit::WithEffect {
            return self.finished(ctx);
        }
        let effects = std::mem::take(&mut self.work.effects);
        self.work.step = Step::Store;
        self.ask(Errand::Once { effects, worker: None }, ctx);
    }

    /// Gives workers something to do.
    fn employ<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let (own, config) = (self.own(ctx), ctx.config());
        for worker in 0..self.work.workers.len() {
            while self.work.workers[worker].is_none() {
                let Some((part, offset, record)) = self.work.next() else { return };
                let Some(group) = config.subscription(own.group, part) else { continue };
                let place = config.partitions[part.index()].object.map(|log| Place { log, offset });
                self.work.workers[worker] = Some(Item { group, payload: record.payload, place });
                match &self.processing {
                    Some(law) => {
                        let span = law.draw(ctx.random());
                        ctx.timer(span, ConsumerTimer::Worked(u32::try_from(worker).expect("few workers"), self.work.run));
                    }
                    None => self.processed(worker, (ctx, up)),
                }
            }
        }
    }

    /// A worker's time is over.
    pub(super) fn worked<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, worker: usize, run: u32, (ctx, up): Hands<'_, '_, '_, W, S>) {
        if run == self.work.run {
            self.processed(worker, (ctx, up));
            self.relieved((ctx, up));
        }
    }

    /// A record is processed: its effect.
    fn processed<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, worker: usize, (ctx, up): Hands<'_, '_, '_, W, S>) {
        let Some(Item { group, payload, place }) = self.work.workers[worker] else { return };
        let (own, wanted) = (self.own(ctx), Wanted { subscription: group, payload });
        match (own.commit, own.sink) {
            (Commit::WithEffect, _) => self.work.effects.push(wanted),
            (Commit::Auto { .. } | Commit::Before | Commit::After, Apart::Idempotent) => {
                return self.ask(Errand::Once { effects: vec![wanted], worker: Some(worker) }, ctx);
            }
            (Commit::Auto { .. } | Commit::Before | Commit::After, Apart::Plain) => {
                ctx.note(Note::Effect { group, payload });
                up.put(Applied { group, payload, place });
            }
        }
        self.work.workers[worker] = None;
    }

    /// A worker is free: the next record, or the end of the poll's work.
    fn relieved<W: Hosts<Consumer>, S: Sink<Applied>>(&mut self, (ctx, up): Hands<'_, '_, '_, W, S>) {
        self.employ((ctx, up));
        if self.work.step == Step::Work && self.work.is_idle() {
            self.finished(ctx);
            // A commit that is refused here and now is heard of here and now: nobody else will call.
            if self.hear((ctx, up)) {
                return self.work_on((ctx, up));
            }
        }
        // Whoever hands off polls on when there is room again, and leaves when nobody works any more.
        if !self.work.hands_off || self.work.full || self.presence == Presence::Leaving {
            self.work_on((ctx, up));
        }
    }

    /// All that a poll returned is processed, or handed off: commits, if that is when it does.
    fn finished<W: Hosts<Consumer>>(&mut self, ctx: &mut Ctx<'_, W, Consumer>) {
        self.work.step = match self.own(ctx).commit {
            Commit::Auto { .. } | Commit::Before => Step::Poll,
            Commit::After => Step::CommitAfter(self.commit(ctx)),
            Commit::WithEffect => {
                let (advances, effects) = (std::mem::take(&mut self.work.advances), std::mem::take(&mut self.work.effects));
                self.ask(Errand::Together { advances, effects, doubtful: false }, ctx);
                Step::Store
            }
        };
    }

    fn ask<W: Hosts<Consumer>>(&mut self, errand: Errand, ctx: &mut Ctx<'_, W, Consumer>) {
        self.outside.as_mut().expect("a consumer that needs a database has one").run(errand, ctx);
    }

    /// The database has answered.
    pub(super) fn stored<W: Hosts<Consumer>, S: Sink<Applied>>(
        &mut self,
        errand: Errand,
        reply: StoreReply,
        (ctx, up): Hands<'_, '_, '_, W, S>,
    ) {
        match (errand, reply) {
            (Errand::Begin { parts, after_conflict }, StoreReply::Positions(found)) => {
                for part in parts {
                    let offset = found.iter().find(|(of, _)| *of == part).map(|(_, offset)| *offset);
                    self.work.stood.insert(part, offset);
                    self.reader.seek(part, offset, ctx, &mut self.events);
                }
                if after_conflict {
                    self.work.step = Step::Poll;
                    self.hear((ctx, up));
                    return self.work_on((ctx, up));
                }
                self.go_on((ctx, up));
            }
            (Errand::Together { advances, effects, .. }, StoreReply::Done) => {
                for advance in advances {
                    self.work.stood.insert(advance.part, Some(advance.to));
                }
                self.applied(&effects, up);
                self.work.step = Step::Poll;
                self.work_on((ctx, up));
            }
            (Errand::Together { advances, .. }, _) => {
                ctx.mark(marks::STORE_CONFLICT);
                let parts = advances.iter().map(|advance| advance.part).collect();
                self.ask(Errand::Begin { parts, after_conflict: true }, ctx);
            }
            (Errand::Once { effects, worker }, _) => {
                self.applied(&effects, up);
                match worker {
                    Some(worker) => {
                        self.work.workers[worker] = None;
                        self.relieved((ctx, up));
                    }
                    None => {
                        self.finished(ctx);
                        self.work_on((ctx, up));
                    }
                }
            }
            (Errand::Begin { .. }, reply) => unreachable!("{reply:?} is no answer to where to begin"),
        }
    }

    fn applied<S: Sink<Applied>>(&self, effects: &[Wanted], up: &mut S) {
        for wanted in effects {
            up.put(Applied { group: wanted.subscription, payload: wanted.payload, place: None });
        }
    }
}
