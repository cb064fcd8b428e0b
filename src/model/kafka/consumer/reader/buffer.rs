//! What was fetched and not returned yet, and `poll()`'s share of it.

use std::sync::Arc;

use crate::record::{LogNote, Note, Place};
use crate::world::{Ctx, Hosts};

use super::super::super::batch::{Content, Outcome, Stored};
use super::super::super::ids::{Offset, Part, ProducerId};
use super::super::super::protocol::Chunk;
use super::super::marks;
use super::bond::Prepared;
use super::{GroupProtocol, Reader, Reads, Slice};

/// What one fetch brought of one partition.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub(super) part: Part,
    round: u64,
    entries: std::vec::IntoIter<Stored>,
    /// The batch in hand.
    entry: Option<Stored>,
    /// Transactions that were aborted, in the order of their first offsets; those behind `offset` are in `open`.
    aborted: std::vec::IntoIter<(ProducerId, Offset)>,
    next_aborted: Option<(ProducerId, Offset)>,
    /// Producers whose records are of an aborted transaction at this place of the log.
    open: Vec<ProducerId>,
    committed: bool,
}

/// What is next in a partition.
enum Next {
    /// Records from this index of the batch in hand on.
    Records(u32),
    /// Nothing to be returned before the end of the batch.
    Skip,
}

impl Fetched {
    pub(super) fn new(part: Part, round: u64, chunk: Chunk, committed: bool) -> Fetched {
        let mut entries = chunk.entries.into_iter();
        let mut aborted = chunk.aborted.into_iter();
        let (entry, next_aborted) = (entries.next(), aborted.next());
        Fetched { part, round, entries, entry, aborted, next_aborted, open: Vec::new(), committed }
    }

    /// What the batch in hand has from an offset on. Second: whether it is left out because its transaction was aborted.
    fn look(&mut self, entry: &Stored, offset: Offset) -> (Next, bool) {
        if self.committed {
            while let Some((producer, _)) = self.next_aborted.filter(|(_, first)| *first < entry.end()) {
                self.open.push(producer);
                self.next_aborted = self.aborted.next();
            }
        }
        let producer = entry.batch.stamp.map(|stamp| stamp.session.id);
        match &entry.batch.content {
            Content::Marker { outcome, .. } => {
                if *outcome == Outcome::Abort {
                    self.open.retain(|open| Some(*open) != producer);
                }
                (Next::Skip, false)
            }
            Content::Records(records) => {
                if entry.batch.transactional && producer.is_some_and(|producer| self.open.contains(&producer)) {
                    return (Next::Skip, true);
                }
                let from = records.partition_point(|record| entry.base + u64::from(record.delta) < offset);
                if from == records.len() {
                    return (Next::Skip, false);
                }
                (Next::Records(u32::try_from(from).expect("fewer than 2^32 records")), false)
            }
            Content::Positions(_) | Content::Group(_) | Content::Transaction(_) => (Next::Skip, false),
        }
    }
}

impl Reader {
    /// Whether there is a record to return; batches that hold none are passed over.
    pub(super) fn ready<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) -> bool {
        self.next(ctx).is_some()
    }

    /// The index of the next record in the batch in hand of the first of what was fetched.
    fn next<W: Hosts<R>, R: Reads>(&mut self, ctx: &mut Ctx<'_, W, R>) -> Option<u32> {
        let gives_up = matches!(self.bond.prepared, Prepared::Commits(_)) && self.own(ctx.config()).protocol == GroupProtocol::Eager;
        if gives_up {
            return None;
        }
        while let Some(fetched) = self.fetched.front_mut() {
            let slot = self.slots.get_mut(&fetched.part).filter(|slot| slot.round == fetched.round && slot.buffered);
            let Some(slot) = slot else {
                self.fetched.pop_front();
                continue;
            };
            if slot.leaving {
                // Not the member's for long; whoever has it next begins at the committed position.
                slot.buffered = false;
                self.fetched.pop_front();
                continue;
            }
            let Some(entry) = fetched.entry.take() else {
                slot.buffered = false;
                self.fetched.pop_front();
                continue;
            };
            let (next, aborted) = fetched.look(&entry, slot.offset);
            if let Next::Records(from) = next {
                fetched.entry = Some(entry);
                return Some(from);
            }
            if aborted {
                ctx.mark(marks::ABORTED_SKIPPED);
            }
            slot.offset = slot.offset.max(entry.end());
            slot.last_epoch = Some(entry.epoch);
            fetched.entry = fetched.entries.next();
        }
        None
    }

    /// `poll()` takes up to `max.poll.records`, and notes that they are delivered.
    pub(super) fn take<W: Hosts<R>, R: Reads>(&mut self, taken: &mut Vec<Slice>, ctx: &mut Ctx<'_, W, R>) {
        let mut left = self.own(ctx.config()).max_poll_records;
        let first = taken.len();
        while left > 0 {
            let Some(from) = self.next(ctx) else { break };
            let Some(fetched) = self.fetched.front_mut() else { break };
            let Some(entry) = &fetched.entry else { break };
            let Some(slot) = self.slots.get_mut(&fetched.part) else { break };
            let records = entry.batch.as_records();
            let count = u32::try_from(records.len()).expect("fewer than 2^32 records");
            let to = count.min(from + left);
            left -= to - from;
            taken.push(Slice { part: fetched.part, base: entry.base, batch: Arc::clone(&entry.batch), from, to });
            slot.last_epoch = Some(entry.epoch);
            if to == count {
                slot.offset = entry.end();
                fetched.entry = fetched.entries.next();
                if fetched.entry.is_none() {
                    slot.buffered = false;
                    self.fetched.pop_front();
                }
            } else {
                slot.offset = entry.base + u64::from(records[to as usize - 1].delta) + 1;
            }
        }
        if taken.len() > first {
            self.note_deliveries(&taken[first..], ctx);
            self.commit_ahead(ctx);
        }
    }

    /// One `Poll` for each subscription, followed by what came for it.
    fn note_deliveries<W: Hosts<R>, R: Reads>(&self, taken: &[Slice], ctx: &mut Ctx<'_, W, R>) {
        let config = ctx.config();
        for (topic, group) in &config.groups[self.own(config).group.index()].subscriptions {
            let group = *group;
            let mut polled = false;
            for slice in taken.iter().filter(|slice| config.partitions[slice.part.index()].topic == *topic) {
                if !polled {
                    polled = true;
                    ctx.note(Note::Log(LogNote::Poll { group }));
                }
                let log = config.partitions[slice.part.index()].object;
                for record in slice.records() {
                    let place = log.map(|log| Place { log, offset: slice.offset(record) });
                    ctx.note(Note::Deliver { group, payload: record.payload, intact: true, redelivered: false, place });
                }
            }
        }
    }
}
