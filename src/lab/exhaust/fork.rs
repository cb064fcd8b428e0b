//! One fork of a run: a fault is added, and the run goes on until its end is known.

use std::collections::BTreeMap;

use crate::base::{Digest, Time};
use crate::lab::case::{Violation, wanted};
use crate::parts::fault::Fault;
use crate::run::{Passage, guarded};

use super::Cutting;
use super::base::{Base, Mark, Moment, is_plain, moment};
use super::standing::Standing;

/// A state that a fork was in at a moment that all forks share: the world, and how the messages stand.
type State = (Moment, Digest, u64);

/// The states from which everything was tried, with what is wrong in the end. Bounded: what is full takes nothing more in.
#[derive(Default)]
pub(super) struct Tried(BTreeMap<State, Vec<Violation>>);

impl Tried {
    /// Enough for a quarter of a gigabyte.
    const MOST: usize = 2_000_000;

    /// Takes in what a fork went through.
    pub(super) fn add(&mut self, fork: &Fork) {
        for state in &fork.states {
            if self.0.len() < Tried::MOST {
                self.0.entry(*state).or_insert_with(|| fork.wrong.clone());
            }
        }
    }
}

/// Why a fork was not run on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// It was run to its end.
    Ran,
    /// Something forbidden is certain already.
    Broken,
    /// It was again in a state of the run without the fault.
    Back,
    /// It was in a state of another fork.
    Seen,
}

/// How a fork came out.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    /// What is wrong, beyond what is wrong without the fault.
    pub(super) wrong: Vec<Violation>,
    pub(super) ending: Ending,
    /// How many events it took, and how many it did not take.
    pub(super) events: u64,
    pub(super) saved: u64,
    states: Vec<State>,
}

/// A run as it stands, with how its messages stand.
#[derive(Clone)]
pub(super) struct Stage<'p> {
    pub(super) passage: Passage<'p>,
    pub(super) standing: Standing,
}

impl Stage<'_> {
    /// Takes in what the last step did.
    pub(super) fn note(&mut self) {
        self.passage.entries().iter().for_each(|entry| self.standing.fold(entry));
    }
}

/// What forks are tried with.
pub(super) struct Trial<'a, 'p> {
    pub(super) base: &'a Base<'p>,
    pub(super) cutting: Cutting,
}

/// Whether the state of a fork at a moment is kept for others: at moments that are the same for all of them, often at first.
const fn is_kept(now: Moment, kept: usize) -> bool {
    match now {
        Moment::Arrival(op) => op.is_multiple_of(if kept < 6 { 4 } else { 32 }),
        Moment::Healed => true,
    }
}

impl<'p> Trial<'_, 'p> {
    /// Adds a fault and runs on until the end is known. A panic is a finding, if it is asked for.
    pub(super) fn run(&self, mut stage: Stage<'p>, at: Time, fault: &Fault, tried: &[&Tried]) -> Fork {
        let from = stage.passage.sim().events();
        let ran = guarded(self.base.seed, || {
            stage.passage.inject(at, fault).expect("the fault was tried at the beginning");
            stage.note();
            self.finish(stage, tried, from)
        });
        let mut fork = ran.unwrap_or_else(|_| {
            let panic = wanted(self.base.goal, Violation::Panic, true).then_some(Violation::Panic);
            Fork { wrong: panic.into_iter().collect(), ending: Ending::Broken, events: 0, saved: 0, states: Vec::new() }
        });
        fork.wrong.retain(|violation| self.base.wrong.iter().all(|found| found.violation != *violation));
        fork
    }

    fn finish(&self, mut stage: Stage<'p>, tried: &[&Tried], from: u64) -> Fork {
        let base = self.base;
        let mut states = Vec::new();
        let done = |stage: &Stage<'p>, states: Vec<State>, ending, wrong, saved| {
            let events = stage.passage.sim().events() - from;
            Fork { wrong, ending, events, saved, states }
        };
        loop {
            let more = stage.passage.step();
            stage.note();
            let judges = stage.passage.judges();
            if let Some(breach) = base.breach(judges) {
                let saved = base.events.saturating_sub(stage.passage.sim().events());
                return done(&stage, states, Ending::Broken, vec![breach], saved);
            }
            if !more {
                let wrong = base.wrong_at_end(&stage.passage, judges);
                return done(&stage, states, Ending::Ran, wrong, 0);
            }
            let Some(now) = stage.passage.entries().iter().rev().find_map(moment) else { continue };
            let Some(mark) = self.mark(now, &mut stage) else { continue };
            let keeps = is_kept(now, states.len()) && is_plain(&stage.passage);
            // Most worlds differ in what comes next: that is asked first, for a fingerprint costs as much as some events.
            let next = stage.passage.next_event();
            if next != mark.next && !keeps {
                continue;
            }
            let fingerprint = stage.passage.sim().fingerprint();
            if fingerprint == mark.fingerprint
                && let Some((wrong, saved)) = base.rest(mark, &stage.passage, &stage.standing)
            {
                return done(&stage, states, Ending::Back, wrong, saved);
            }
            if keeps {
                let state = (now, fingerprint, stage.standing.sum());
                if let Some(wrong) = tried.iter().find_map(|tried| tried.0.get(&state)) {
                    let saved = base.events.saturating_sub(stage.passage.sim().events());
                    return done(&stage, states, Ending::Seen, wrong.clone(), saved);
                }
                states.push(state);
            }
        }
    }

    /// The state of the run without the fault at this moment, if the fork may be in it.
    fn mark(&self, now: Moment, stage: &mut Stage<'p>) -> Option<&Mark> {
        if self.cutting == Cutting::Never {
            return None;
        }
        self.base.mark(now).filter(|_| stage.passage.sim().is_calm())
    }
}
