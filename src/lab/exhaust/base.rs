//! The run to which a fault is added: what it does from each of its marks on, for forks that have come back to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::{Digest, PayloadId, Time};
use crate::check::{Judges, Property};
use crate::lab::case::{Found, Goal, Seen, Violation, wanted, wrong_in};
use crate::record::{Entry, Phase, What};
use crate::run::{How, Passage, Ready};

use super::standing::Standing;

/// A moment that a run and its forks have in common: an operation was handed over, or healing began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Moment {
    /// The load handed over this operation.
    Arrival(u32),
    /// Everything was healed.
    Healed,
}

/// The moment that an entry marks.
pub(super) const fn moment(entry: &Entry) -> Option<Moment> {
    match &entry.what {
        What::Call { op, .. } | What::Skipped { op, .. } => Some(Moment::Arrival(op.0)),
        What::Phase(Phase::Heal) => Some(Moment::Healed),
        What::Phase(_) | What::End { .. } | What::Note(_) | What::Fault { .. } => None,
    }
}

/// The state of the run at a moment.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) fingerprint: Digest,
    /// When the next event happens.
    pub(super) next: Option<Time>,
    /// How much of the history had happened.
    from: usize,
    events: u64,
    sum: u64,
    /// The messages that are heard of before and after, with how they stand.
    live: Vec<(PayloadId, Vec<u8>)>,
}

/// A run from its beginning to its end.
pub(super) struct Base<'p> {
    pub(super) ready: &'p Ready<'p>,
    pub(super) goal: Goal,
    pub(super) seed: u64,
    pub(super) wrong: Vec<Found>,
    pub(super) events: u64,
    /// The properties whose breach ends a fork at once.
    watched: Vec<Property>,
    entries: Vec<Entry>,
    marks: BTreeMap<Moment, Mark>,
}

impl<'p> Base<'p> {
    /// Runs it.
    pub(super) fn new(ready: &'p Ready<'p>, seed: u64, goal: Goal) -> Base<'p> {
        let (arm, promises) = (ready.arm(), ready.promises());
        let forbidden = |p: &Property| arm.expectations().forbids(*p, promises.promised(*p));
        let mut passage = Passage::start(ready, seed, How::default());
        passage.skip_figures();
        let (mut entries, mut marks) = (Vec::new(), BTreeMap::new());
        loop {
            let more = passage.step();
            entries.extend_from_slice(passage.entries());
            if let Some(moment) = passage.entries().iter().rev().find_map(moment)
                && passage.load_is_open()
                && passage.sim().is_calm()
                && !passage.looks_ahead()
            {
                let (from, events, next) = (entries.len(), passage.sim().events(), passage.next_event());
                marks.insert(moment, Mark { next, fingerprint: passage.sim().fingerprint(), from, events, sum: 0, live: Vec::new() });
            }
            if !more {
                break;
            }
        }
        let (breach, findings) = (passage.breach(), passage.findings());
        let seen = Seen { findings: &findings, early: passage.early(), invariant: breach.as_deref(), digest: passage.digest() };
        let wrong = wrong_in(arm, &seen, goal);
        let is_known = |p: &Property| wrong.iter().any(|found| found.violation == Violation::Property(*p));
        let watched = Property::ALL.into_iter().filter(|p| wanted(goal, Violation::Property(*p), forbidden(p)) && !is_known(p)).collect();
        let names = Arc::new(passage.sim().names().clone());
        let mut base = Base { ready, goal, seed, wrong, events: passage.sim().events(), watched, entries, marks };
        base.note_standings(names);
        base
    }

    /// Goes through the history once more, now that it is known what will be heard of again.
    fn note_standings(&mut self, names: Arc<crate::record::Names>) {
        let mut last: BTreeMap<PayloadId, usize> = BTreeMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            last.extend(entry.what.payload().map(|payload| (payload, at)));
        }
        let mut marks: Vec<&mut Mark> = self.marks.values_mut().collect();
        marks.sort_by_key(|mark| mark.from);
        let mut marks = marks.into_iter().peekable();
        let (mut standing, mut open) = (Standing::new(names), BTreeSet::new());
        for at in 0..=self.entries.len() {
            while let Some(mark) = marks.next_if(|mark| mark.from == at) {
                mark.sum = standing.sum();
                mark.live = open.iter().map(|payload| (*payload, standing.of(*payload).to_vec())).collect();
            }
            let Some(entry) = self.entries.get(at) else { break };
            standing.fold(entry);
            if let Some(payload) = entry.what.payload() {
                if last[&payload] > at {
                    open.insert(payload);
                } else {
                    open.remove(&payload);
                }
            }
        }
    }

    /// The state of the run at a moment, if forks may come back to it there.
    pub(super) fn mark(&self, moment: Moment) -> Option<&Mark> {
        self.marks.get(&moment)
    }

    /// How a run ends whose world is that of a mark: what is wrong with it then, and how many events need not be run. `None` when its
    /// messages do not stand as they must for the same to happen again.
    pub(super) fn rest(&self, mark: &Mark, passage: &Passage<'_>, standing: &Standing) -> Option<(Vec<Violation>, u64)> {
        let saved = self.events - mark.events;
        if standing.sum() == mark.sum && is_plain(passage) {
            return Some((self.wrong.iter().map(|found| found.violation).collect(), saved));
        }
        if mark.live.iter().any(|(payload, cells)| standing.of(*payload) != cells.as_slice()) {
            return None;
        }
        let mut judges: Judges = passage.judges().clone();
        for entry in &self.entries[mark.from..] {
            judges.fold(entry);
            if let Some(breach) = self.breach(&judges) {
                return Some((vec![breach], saved));
            }
        }
        Some((self.wrong_at_end(passage, &judges), saved))
    }

    /// What ends a fork at once: something that must hold is certainly broken, and is not without the fault.
    pub(super) fn breach(&self, judges: &Judges) -> Option<Violation> {
        let breach = self.watched.iter().find(|property| judges.is_breached(**property))?;
        Some(Violation::Property(*breach))
    }

    /// What is wrong with a fork whose judges have seen everything.
    pub(super) fn wrong_at_end(&self, passage: &Passage<'_>, judges: &Judges) -> Vec<Violation> {
        let (findings, breach) = (passage.findings_of(judges), passage.breach());
        let seen = Seen { findings: &findings, early: passage.early(), invariant: breach.as_deref(), digest: passage.digest() };
        wrong_in(self.ready.arm(), &seen, self.goal).into_iter().map(|found| found.violation).collect()
    }
}

/// Whether nothing is known of a run already that how its messages stand does not tell.
pub(super) fn is_plain(passage: &Passage<'_>) -> bool {
    passage.early().is_empty() && passage.sim().breach().is_none()
}
