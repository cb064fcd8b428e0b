//! From the owner into batches.

use crate::base::Time;
use crate::record::Reason;

use super::super::super::batch::{BATCH_OVERHEAD, RECORD_OVERHEAD, Rec};
use super::super::super::config::Partitioner;
use super::super::super::ids::{Part, TopicId};
use super::super::marks;
use super::super::partitioner::{self, Field};
use super::super::{Fate, Outgoing};
use super::{Engine, Env, Out};

const TOO_LARGE: Reason = Reason("larger than max.request.size or buffer.memory");
const NOT_OPEN: Reason = Reason("not in a transaction");

/// What taking a record leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Taken {
    /// It is in a batch that waits for more; nothing is to be done.
    Quietly,
    /// It is the first of a batch, which waits for more until then.
    Until(Time),
    /// Something may have to be sent or told: [`Engine::poll`] is to be called.
    Look,
}

impl Engine {
    /// Takes a record if that is the simplest of cases: it goes by its key into a batch that has room left.
    #[inline]
    pub(in super::super) fn take_quietly(&mut self, record: &Outgoing, partitions: u32, first: Part) -> bool {
        let simple = self.waiting.is_empty() && self.settings.partitioner == Partitioner::KeyHash && self.metadata.knows(record.topic);
        if !simple {
            return false;
        }
        let part = Part(first.0 + partitioner::of_key(record.key, partitions));
        let size = record.bytes.saturating_add(RECORD_OVERHEAD);
        // One byte more than it needs, so that the batch is not full afterwards.
        if !self.lanes[part.index()].fits(size.saturating_add(1)) || !self.control.takes(part) {
            return false;
        }
        self.open += 1;
        self.lanes[part.index()].push(rec(record), record.token);
        true
    }

    /// Takes a record.
    pub(in super::super) fn take(&mut self, record: Outgoing, env: &mut Env<'_>, out: &mut Vec<Out>) -> Taken {
        self.open += 1;
        let refusal = if self.control.takes_records() { self.refuses(&record) } else { Some(self.control.stopped().unwrap_or(NOT_OPEN)) };
        if let Some(reason) = refusal {
            self.tell_done(None, vec![record.token], Fate::Failed(reason), out);
            return Taken::Quietly;
        }
        if !self.waiting.is_empty() || !self.metadata.knows(record.topic) {
            self.waiting.push(record, env.now);
            return Taken::Look;
        }
        match self.append(&record, env) {
            Some(taken) => taken,
            None => {
                self.waiting.for_room = true;
                out.push(Out::Mark(marks::BUFFER_FULL));
                self.waiting.push(record, env.now);
                Taken::Look
            }
        }
    }

    /// Why a record is never taken.
    fn refuses(&self, record: &Outgoing) -> Option<Reason> {
        let size = record.bytes.saturating_add(RECORD_OVERHEAD + BATCH_OVERHEAD);
        (size > self.settings.max_request_size || u64::from(size) > self.settings.buffer_memory).then_some(TOO_LARGE)
    }

    /// Puts a record into a batch of its partition. `None`: there is no room for a new one.
    fn append(&mut self, record: &Outgoing, env: &mut Env<'_>) -> Option<Taken> {
        let topic = &env.config.topics[record.topic.index()];
        let (how, first) = (self.settings.partitioner, topic.first);
        let (metadata, choice) = (&self.metadata, &mut self.choices[record.topic.index()]);
        let field = Field { partitions: topic.partitions, is_led: &|number| metadata.leader(Part(first.0 + number)).node.is_some() };
        let part = Part(first.0 + choice.choose(how, record.key, &field, env.words));
        let lane = &mut self.lanes[part.index()];
        let size = record.bytes + RECORD_OVERHEAD;
        let begins = !lane.fits(size);
        if begins {
            let room = self.settings.batch_size.max(size + BATCH_OVERHEAD);
            self.free = self.free.checked_sub(u64::from(room))?;
            self.bundles += 1;
            lane.begin(self.bundles, env.now, room);
            self.busy.insert(part);
        }
        let is_full = lane.push(rec(record), record.token);
        choice.went(how, (size, self.settings.batch_size), is_full, &field, env.words);
        self.control.touch(part);
        let waits = begins && !is_full && lane.fresh.len() == 1 && !self.flushing && !self.control.is_ending();
        Some(match env.now + self.settings.linger {
            until if waits && until > env.now => Taken::Until(until),
            _ if begins || is_full => Taken::Look,
            _ => Taken::Quietly,
        })
    }

    /// Lets sends go on that waited, as far as there is room and their topics are known.
    pub(super) fn admit(&mut self, env: &mut Env<'_>) {
        self.waiting.for_room = false;
        loop {
            let metadata = &self.metadata;
            let Some(record) = self.waiting.next(|topic: TopicId| metadata.knows(topic)) else { return };
            if self.append(&record, env).is_none() {
                self.waiting.for_room = true;
                return;
            }
            self.waiting.pop(record.topic);
        }
    }

    /// Fails sends that wait: nothing of them was sent.
    pub(super) fn fail_waiting(&mut self, reason: Reason, out: &mut Vec<Out>) {
        for record in self.waiting.clear() {
            self.tell_done(None, vec![record.token], Fate::Failed(reason), out);
        }
    }
}

const fn rec(record: &Outgoing) -> Rec {
    Rec { payload: record.payload, key: record.key, bytes: record.bytes, delta: 0 }
}
