//! The positions of one group: what counts, what waits for the end of a transaction, what is too old.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Digest, Span, Time};
use crate::record::{LogNote, Note, Place};

use super::super::batch::{Batch, Content, Outcome, Position, Stamp};
use super::super::broker::Caller;
use super::super::config::Config;
use super::super::ids::{Epoch, GroupId, Offset, Part, ProducerId, Session};
use super::super::mutants::Mutant;
use super::super::protocol::GroupReply;
use super::super::protocol::group::Found;
use super::super::refusal::Refusal;
use super::desk::{Desk, Waiting};
use super::{GroupRecord, marks, record_batch};

/// Bytes of a position in a batch, about.
const POSITION_BYTES: u32 = 48;

/// A position that was committed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Kept {
    offset: Offset,
    epoch: Option<Epoch>,
    /// When.
    at: Time,
    /// Where in the log, as far as known: of two the later counts.
    logged: Option<Offset>,
}

/// A position that waits for its transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Undecided {
    kept: Kept,
    /// The append that brought it; 0: it was read from the log.
    ticket: u64,
}

/// The positions of a group.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Positions {
    kept: BTreeMap<Part, Kept>,
    undecided: BTreeMap<ProducerId, BTreeMap<Part, Undecided>>,
}

impl Positions {
    pub(super) fn get(&self, part: Part) -> Option<Offset> {
        self.kept.get(&part).map(|kept| kept.offset)
    }

    /// What a log holds: positions as of a batch.
    pub(super) fn replay(&mut self, position: Position, session: Option<Session>, (logged, at): (Offset, Time)) {
        let kept = Kept { offset: position.offset, epoch: position.epoch, at, logged: Some(logged) };
        match session {
            None => {
                self.kept.insert(position.part, kept);
            }
            Some(session) => {
                self.undecided.entry(session.id).or_default().insert(position.part, Undecided { kept, ticket: 0 });
            }
        }
    }

    /// What a log holds, or what happens: a transaction is decided. Gives what counts from now on.
    pub(super) fn decide(&mut self, session: Session, outcome: Outcome) -> Vec<(Part, Offset)> {
        let Some(waiting) = self.undecided.remove(&session.id) else { return Vec::new() };
        if outcome == Outcome::Abort {
            return Vec::new();
        }
        let mut counts = Vec::new();
        for (part, Undecided { kept, .. }) in waiting {
            // A plain commit that stands behind it in the log has gone over it.
            let newer = self.kept.get(&part).is_some_and(|now| now.logged > kept.logged && kept.logged.is_some());
            if !newer {
                self.kept.insert(part, kept);
                counts.push((part, kept.offset));
            }
        }
        counts
    }

    /// What a log holds: these were forgotten.
    pub(super) fn forget(&mut self, parts: &[Part]) {
        for part in parts {
            self.kept.remove(part);
        }
    }

    /// `OffsetCommit` of somebody who may.
    pub(super) fn commit(group: GroupId, caller: Caller, positions: Arc<[Position]>, desk: &mut Desk<'_, '_>) {
        if positions.is_empty() {
            return desk.answer(caller, GroupReply::Commit(Ok(())));
        }
        let batch = batch(&positions);
        desk.append(group, batch, Waiting::Commit { caller, positions });
    }

    /// `TxnOffsetCommit` of somebody who may.
    pub(super) fn commit_in_transaction(
        &mut self,
        group: GroupId,
        caller: Caller,
        (session, positions): (Session, Arc<[Position]>),
        desk: &mut Desk<'_, '_>,
    ) {
        if positions.is_empty() {
            return desk.answer(caller, GroupReply::TxnCommit(Ok(())));
        }
        let mut batch = batch(&positions);
        batch.stamp = Some(Stamp { session, sequence: 0 });
        batch.transactional = true;
        let (items, now) = (Arc::clone(&positions), desk.now());
        let ticket = desk.append(group, batch, Waiting::TxnCommit { caller, session, positions });
        if desk.env.config.mutants.has(Mutant::PositionsOutsideTransaction) {
            return;
        }
        let waiting = self.undecided.entry(session.id).or_default();
        for position in items.iter() {
            let kept = Kept { offset: position.offset, epoch: position.epoch, at: now, logged: None };
            waiting.insert(position.part, Undecided { kept, ticket });
        }
    }

    /// The append of a commit is through.
    pub(super) fn committed(
        &mut self,
        group: GroupId,
        positions: &[Position],
        result: Result<Offset, Refusal>,
        desk: &mut Desk<'_, '_>,
    ) -> Result<(), Refusal> {
        let base = result?;
        for (logged, position) in (base..).zip(positions) {
            let kept = Kept { offset: position.offset, epoch: position.epoch, at: desk.now(), logged: Some(logged) };
            if self.kept.get(&position.part).is_none_or(|now| now.logged < kept.logged) {
                self.kept.insert(position.part, kept);
                note(group, (position.part, position.offset), desk);
            }
        }
        Ok(())
    }

    /// The append of a commit in a transaction is through, or has failed.
    pub(super) fn committed_in_transaction(
        &mut self,
        group: GroupId,
        (ticket, session, positions): (u64, Session, &[Position]),
        result: Result<Offset, Refusal>,
        desk: &mut Desk<'_, '_>,
    ) -> Result<(), Refusal> {
        if desk.env.config.mutants.has(Mutant::PositionsOutsideTransaction) {
            return self.committed(group, positions, result, desk);
        }
        let Some(waiting) = self.undecided.get_mut(&session.id) else { return result.map(|_| ()) };
        match result {
            Ok(base) => {
                for (logged, position) in (base..).zip(positions) {
                    if let Some(undecided) = waiting.get_mut(&position.part).filter(|undecided| undecided.ticket == ticket) {
                        undecided.kept.logged = Some(logged);
                    }
                }
                Ok(())
            }
            // It stands in the log all the same: only the marker decides.
            Err(Refusal::RequestTimedOut) => Err(Refusal::RequestTimedOut),
            Err(why) => {
                waiting.retain(|_, undecided| undecided.ticket != ticket);
                if waiting.is_empty() {
                    self.undecided.remove(&session.id);
                }
                Err(why)
            }
        }
    }

    /// A transaction is decided.
    pub(super) fn on_marker(&mut self, group: GroupId, session: Session, outcome: Outcome, desk: &mut Desk<'_, '_>) {
        for counts in self.decide(session, outcome) {
            note(group, counts, desk);
        }
    }

    /// `OffsetFetch`.
    pub(super) fn find(&self, parts: &[Part], stable: bool, desk: &mut Desk<'_, '_>) -> GroupReply {
        let open = |part: &Part| self.undecided.values().any(|waiting| waiting.contains_key(part));
        if stable && parts.iter().any(open) {
            desk.mark(marks::POSITIONS_UNSTABLE);
            return GroupReply::Positions(Err(Refusal::UnstableOffsetCommit));
        }
        let find = |part: &Part| Found { part: *part, position: self.kept.get(part).map(|kept| (kept.offset, kept.epoch)) };
        GroupReply::Positions(Ok(parts.iter().map(find).collect()))
    }

    /// Forgets what nobody has needed for the retention. `empty_since`: since when nobody is in the group; then all of it, else what `needed`
    /// does not hold on to.
    pub(super) fn retain(
        &self,
        group: GroupId,
        empty_since: Option<Time>,
        needed: impl Fn(&Config, Part) -> bool,
        desk: &mut Desk<'_, '_>,
    ) {
        let (now, config) = (desk.now(), desk.env.config);
        let old = |at: Time| now.saturating_since(at) >= config.broker.offsets_retention;
        let open = |part: &Part| self.undecided.values().any(|waiting| waiting.contains_key(part));
        let expired = |(part, kept): (&Part, &Kept)| match empty_since {
            Some(since) => old(since.max(kept.at)),
            None => old(kept.at) && !needed(config, *part),
        };
        let parts: Arc<[Part]> =
            self.kept.iter().filter(|(part, kept)| expired((part, kept)) && !open(part)).map(|(part, _)| *part).collect();
        if !parts.is_empty() {
            let batch = record_batch(GroupRecord::Forgotten { group, parts: Arc::clone(&parts) });
            desk.append(group, batch, Waiting::Forget { parts });
        }
    }

    pub(super) fn fingerprint(&self, now: Time, digest: &mut Digest) {
        for (part, kept) in &self.kept {
            digest.words(u64::from(part.0), kept.offset);
            digest.word(age(now, kept.at).as_nanos());
        }
        for (producer, waiting) in &self.undecided {
            for (part, undecided) in waiting {
                digest.words(producer.0 << 20 | u64::from(part.0), undecided.kept.offset);
            }
        }
    }
}

fn age(now: Time, at: Time) -> Span {
    now.saturating_since(at)
}

fn batch(positions: &Arc<[Position]>) -> Batch {
    let count = u32::try_from(positions.len()).expect("fewer positions than partitions");
    Batch::internal(Content::Positions(Arc::clone(positions)), count, count * POSITION_BYTES)
}

fn note(group: GroupId, (part, offset): (Part, Offset), desk: &mut Desk<'_, '_>) {
    let config = desk.env.config;
    if let (Some(subscription), Some(log)) = (config.subscription(group, part), config.partitions[part.index()].object) {
        desk.note(Note::Log(LogNote::Committed { group: subscription, place: Place { log, offset } }));
    }
}
