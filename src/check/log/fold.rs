//! How the judges of logs take in what happens.

use crate::base::{NodeId, ObjectId, PayloadId};
use crate::record::{End, Entry, LogNote, Op, Place};

use super::super::judges::Standing;
use super::super::notes::Arrival;
use super::cells::Cells;
use super::readers::Jump;
use super::tell::{self, Learned};
use super::transactions::{Part, Transaction};
use super::{Known, Logs, Waiting, entry_of};

/// An entry that contradicts the rules of histories.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::check) struct Malformed;

/// Whether an entry fits.
type Fits = Result<(), Malformed>;

impl Logs {
    /// An operation is invoked.
    pub(in crate::check) fn called(&mut self, entry: &Entry, what: Op, known: &Known<'_>) {
        let (object, payload, key) = (what.object().index(), what.payload(), what.key().0);
        let Some(topic) = self.topic_of[object] else { return };
        let waiting = Waiting { unread: known.active[object].clone(), producer: entry.node, key, ..Waiting::default() };
        self.waiting.insert(entry_of(topic, payload), waiting);
        if let Some(keys) = &mut self.keys {
            keys.set(payload.0, key);
        }
    }

    /// An operation ends.
    pub(in crate::check) fn ended(&mut self, entry: &Entry, (what, end): (Op, End), place: Option<Place>, known: &Known<'_>) -> Fits {
        let Some(topic) = self.topic_of[what.object().index()] else { return Ok(()) };
        let payload = what.payload();
        match end {
            End::Ok => {
                self.acknowledge(topic, payload, entry);
                let told = place.map_or(Ok(()), |place| self.told(entry, (topic, payload), (place, what.key().0), known));
                self.release(topic, payload);
                told
            }
            End::Unknown(_) => {
                if let Some(waiting) = self.waiting.get_mut(entry_of(topic, payload)) {
                    waiting.standing = Standing::Unknown;
                }
                self.release(topic, payload);
                Ok(())
            }
            End::Failed(reason) => {
                self.waiting.remove(entry_of(topic, payload));
                self.transactions.take(Part { payload, carried: false });
                for group in self.topics[topic].groups.iter().filter(|g| known.groups[**g].delivered.has(payload.0)) {
                    let group = ObjectId::at(*group);
                    self.online.aborted.broken(|| tell::failed_after_read(known.names, entry, (what, reason), group));
                }
                Ok(())
            }
        }
    }

    /// A message is acknowledged.
    fn acknowledge(&mut self, topic: usize, payload: PayloadId, entry: &Entry) {
        if let Some(waiting) = self.waiting.get_mut(entry_of(topic, payload)) {
            waiting.standing = Standing::Ok;
            waiting.ended = entry.at;
            self.seen_acknowledged += u64::from(waiting.seen);
        }
    }

    /// A client was told where its message stands.
    fn told(&mut self, entry: &Entry, (topic, payload): (usize, PayloadId), (place, key): (Place, u32), known: &Known<'_>) -> Fits {
        let (log, offset) = self.place(place)?;
        if self.logs[log].topic != topic {
            return Err(Malformed);
        }
        self.learn((log, offset), payload, &Learned { at: entry.at, node: entry.node, group: None }, known)?;
        if let Some(keys) = &mut self.logs[log].keys {
            keys.acknowledge(key, offset, payload);
        }
        Ok(())
    }

    /// What is no longer owed to anybody and has ended needs no entry any more.
    fn release(&mut self, topic: usize, payload: PayloadId) {
        let key = entry_of(topic, payload);
        if self.waiting.get(key).is_some_and(|w| w.unread.is_empty() && w.standing != Standing::Pending) {
            self.waiting.remove(key);
        }
    }

    /// Before the judges of delivery look at it: a message that was read somewhere may have been carried on to where it is read now.
    pub(in crate::check) fn arriving(&mut self, a: Arrival, place: Option<Place>, known: &Known<'_>) {
        let group = &known.groups[a.group.index()];
        let Some(topic) = self.topic_of[group.source].filter(|_| place.is_some() && group.is_owed()) else { return };
        if known.happened.has(a.payload.0) && !known.sent[group.source].has(a.payload.0) {
            self.carry(topic, a.payload, a.node, known);
        }
    }

    /// A message stands in a topic that the load did not send it to.
    fn carry(&mut self, topic: usize, payload: PayloadId, node: NodeId, known: &Known<'_>) {
        let here = &mut self.topics[topic];
        if here.carried.insert(payload.0) {
            let unread = known.active[here.object.index()].clone();
            let key = self.keys.as_mut().and_then(|keys| keys.get(payload.0)).unwrap_or(0);
            self.waiting.insert(entry_of(topic, payload), Waiting { unread, producer: node, key, ..Waiting::default() });
        }
    }

    /// After the judges of delivery have looked at it; `first` when it may be there and had not been delivered to the group before.
    pub(in crate::check) fn delivered(&mut self, a: Arrival, place: Option<Place>, first: bool, known: &Known<'_>) -> Fits {
        let group = &known.groups[a.group.index()];
        let Some(topic) = self.topic_of[group.source].filter(|_| group.is_owed()) else {
            return if place.is_some() { Err(Malformed) } else { Ok(()) };
        };
        let own = known.sent[group.source].has(a.payload.0);
        if self.transactions.parts.has(a.payload.0) {
            self.online.precommitted.examined += 1;
            let part = Part { payload: a.payload, carried: !own };
            if let Some((number, transaction)) = self.transactions.of(part)
                && transaction.node == a.node
                && !self.has_ended(part, known)
            {
                self.online.precommitted.broken(|| tell::precommitted(known.names, a, place, number));
            }
        }
        if first {
            self.online.aborted.examined += 1;
            if own && known.failed.has(a.payload.0) {
                self.online.aborted.broken(|| tell::aborted(known.names, a, place));
            }
            self.read(topic, a.payload, group.lane);
        }
        match place {
            Some(place) => self.polled(a, (topic, group.lane), place, known),
            None => Ok(()),
        }
    }

    /// A group that a message may be owed to was given it for the first time.
    fn read(&mut self, topic: usize, payload: PayloadId, lane: usize) {
        let Some(waiting) = self.waiting.get_mut(entry_of(topic, payload)) else { return };
        if !waiting.unread.has(lane) {
            return;
        }
        waiting.unread.clear(lane);
        if !waiting.seen {
            waiting.seen = true;
            self.seen += 1;
            self.seen_acknowledged += u64::from(waiting.standing == Standing::Ok);
        }
        self.release(topic, payload);
    }

    /// A node was given what stands at a place.
    fn polled(&mut self, a: Arrival, (topic, lane): (usize, usize), place: Place, known: &Known<'_>) -> Fits {
        let (at, offset) = self.place(place)?;
        if self.logs[at].topic != topic {
            return Err(Malformed);
        }
        self.learn((at, offset), a.payload, &Learned { at: a.at, node: a.node, group: Some(a.group) }, known)?;
        let log = &mut self.logs[at];
        log.polled = log.polled.max(offset + 1);
        let poll = self.polls[a.node.index()];
        let Some(step) = log.lanes[lane].step((a.node, poll), offset) else { return Ok(()) };
        let back = &mut self.online.back[step.stride.index()];
        back.examined += 1;
        if !step.forward {
            back.broken(|| tell::back(known.names, a, (log.object, offset), step));
        } else if offset - step.from > 1 {
            // What lies far apart surely has something in between.
            const NEAR: u32 = 64;
            let first = &mut log.layers[0];
            let certain = offset - step.from > NEAR || (step.from + 1..offset).any(|left_out| first.get(left_out).is_some());
            log.lanes[lane].jump(Jump { stride: step.stride, from: step.from, to: offset, node: a.node, at: a.at }, certain);
        }
        Ok(())
    }

    /// A place as the judges know it.
    fn place(&self, place: Place) -> Result<(usize, u32), Malformed> {
        let log = self.log_of.get(place.log.index()).copied().flatten();
        log.zip(u32::try_from(place.offset).ok().filter(|offset| *offset < u32::MAX)).ok_or(Malformed)
    }

    /// A message is known to stand at a place.
    fn learn(&mut self, (at, offset): (usize, u32), payload: PayloadId, by: &Learned, known: &Known<'_>) -> Fits {
        if payload.0 == u32::MAX {
            return Err(Malformed);
        }
        let log = &mut self.logs[at];
        let (mut layer, mut other) = (0, None);
        while let Some(layer_cells) = log.layers.get_mut(layer) {
            match layer_cells.get(offset) {
                Some(found) if found == payload.0 => return Ok(()),
                Some(found) => other = other.or(Some(PayloadId(found))),
                None => break,
            }
            layer += 1;
        }
        if layer == log.layers.len() {
            log.layers.push(Cells::new(log.lanes.len() + 2));
        }
        log.layers[layer].set(offset, payload.0);
        for lane in &mut log.lanes {
            lane.learn(offset);
        }
        let (object, topic) = (log.object, log.topic);
        self.online.places.examined += u64::from(layer == 0);
        if let Some(other) = other.filter(|_| layer == 1) {
            self.online.places.broken(|| tell::inconsistent(known.names, by, (object, offset), (payload, other)));
        }
        self.online.duplicates.examined += 1;
        if !self.topics[topic].placed.insert(payload.0) {
            let before = self.online.duplicates.first.is_none().then(|| self.other_place(topic, payload, (at, offset)));
            let before = before.flatten();
            self.online.duplicates.broken(|| tell::duplicate(known.names, by, (payload, object, offset), before));
        }
        if let Some(waiting) = self.waiting.get_mut(entry_of(topic, payload)) {
            waiting.place.get_or_insert((u32::try_from(at).expect("objects have 32 bits"), offset));
        }
        if let Some(keys) = &mut self.logs[at].keys
            && let Some(key) = self.keys.as_mut().and_then(|keys| keys.get(payload.0))
        {
            keys.learn(key, offset);
        }
        Ok(())
    }

    /// Another place at which a message stands.
    fn other_place(&self, topic: usize, payload: PayloadId, place: (usize, u32)) -> Option<(ObjectId, u32)> {
        let logs = self.topics[topic].logs.iter().flat_map(|log| self.logs[*log].layers.iter().map(move |cells| (*log, cells)));
        let mut all = logs.flat_map(|(log, cells)| cells.all().map(move |(offset, found)| (log, offset, found)));
        let (log, offset, _) = all.find(|(log, offset, found)| *found == payload.0 && (*log, *offset) != place)?;
        Some((self.logs[log].object, offset))
    }

    /// Something happened at a log.
    pub(in crate::check) fn noted(&mut self, entry: &Entry, note: LogNote, known: &Known<'_>) -> Fits {
        match note {
            LogNote::Poll { group: _ } => {
                self.polls[entry.node.index()] += 1;
                Ok(())
            }
            LogNote::Assigned { group, log } | LogNote::Revoked { group, log } => {
                let group = &known.groups[group.index()];
                let log = self.log_of[log.index()].ok_or(Malformed)?;
                if self.topic_of[group.source] != Some(self.logs[log].topic) || !group.is_owed() {
                    return Err(Malformed);
                }
                self.logs[log].lanes[group.lane].reassign(entry.node);
                Ok(())
            }
            LogNote::Committed { .. } => Ok(()),
            LogNote::Appended { payload, place } => self.appended(entry, payload, place, known),
            LogNote::InTransaction { transaction, payload } => self.in_transaction(entry, transaction, payload, known),
        }
    }

    fn appended(&mut self, entry: &Entry, payload: PayloadId, place: Place, known: &Known<'_>) -> Fits {
        let (log, _) = self.place(place)?;
        if !known.called.has(payload.0) {
            return Err(Malformed);
        }
        let topic = self.logs[log].topic;
        let key = self.keys.as_mut().and_then(|keys| keys.get(payload.0)).unwrap_or(0);
        if !known.sent[self.topics[topic].object.index()].has(payload.0) {
            self.carry(topic, payload, entry.node, known);
            if self.topics[topic].appended.insert(payload.0) {
                self.acknowledge(topic, payload, entry);
            }
        }
        let told = self.told(entry, (topic, payload), (place, key), known);
        self.release(topic, payload);
        told
    }

    fn in_transaction(&mut self, entry: &Entry, number: u64, payload: PayloadId, known: &Known<'_>) -> Fits {
        if !known.called.has(payload.0) || number == u64::MAX {
            return Err(Malformed);
        }
        let own = known.open.get(u64::from(payload.0)).filter(|r| r.standing == Standing::Pending && r.producer == entry.node);
        let part = Part { payload, carried: own.is_none() };
        let in_log = own.is_none_or(|record| self.topic_of[record.object as usize].is_some());
        // What was carried on and acknowledged has ended with its transaction.
        if !in_log || (part.carried && self.has_ended(part, known)) {
            return Ok(());
        }
        self.transactions.add(number, entry.node, part);
        if self.transactions.overgrown() {
            let mut transactions = std::mem::take(&mut self.transactions);
            transactions.sweep(|transaction| self.is_whole(transaction, known));
            self.transactions = transactions;
        }
        Ok(())
    }

    /// Whether a part of a transaction has been acknowledged, or its operation has ended otherwise.
    pub(super) fn has_ended(&self, part: Part, known: &Known<'_>) -> bool {
        if part.carried {
            self.topics.iter().any(|topic| topic.appended.has(part.payload.0))
        } else {
            known.open.get(u64::from(part.payload.0)).is_none_or(|record| record.standing != Standing::Pending)
        }
    }

    /// The topics in which a part of a transaction stands.
    pub(super) fn topics_of<'l>(&'l self, part: Part, known: &'l Known<'_>) -> impl Iterator<Item = usize> + 'l {
        let stands = move |topic: &usize| {
            let here = &self.topics[*topic];
            if part.carried { here.carried.has(part.payload.0) } else { known.sent[here.object.index()].has(part.payload.0) }
        };
        (0..self.topics.len()).filter(stands)
    }

    /// Whether all of a transaction has ended and has been polled by everybody it is owed to.
    fn is_whole(&self, transaction: &Transaction, known: &Known<'_>) -> bool {
        let settled = |part: &Part| {
            let mut topics = self.topics_of(*part, known).peekable();
            topics.peek().is_some() && topics.all(|topic| self.waiting.get(entry_of(topic, part.payload)).is_none())
        };
        transaction.parts.iter().all(settled) && self.has_happened(transaction, known)
    }

    /// A group is owed nothing any more.
    pub(in crate::check) fn unsubscribed(&mut self, source: usize, lane: usize) {
        let Some(topic) = self.topic_of[source] else { return };
        let of_topic = |key: u64| key >> 32 == u64::try_from(topic).expect("objects have 32 bits");
        let owed: Vec<u64> = self.waiting.unordered().filter(|(key, w)| of_topic(*key) && w.unread.has(lane)).map(|(key, _)| key).collect();
        for key in owed {
            self.waiting.get_mut(key).expect("it was found a moment ago").unread.clear(lane);
            self.release(topic, PayloadId(u32::try_from(key & u64::from(u32::MAX)).expect("32 bits")));
        }
    }
}
