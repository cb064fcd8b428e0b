//! What a run reached, and which runs reached something that none before it had.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Digest, Span, Time, Words};
use crate::load::Phases;
use crate::record::{Mark, Phase};
use crate::run::{Passage, Ran};

use super::super::case::Found;
use super::variation::Variation;

/// So many situations are looked at in one run.
const LOOKS: u64 = 64;

/// Something that a run reaches or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Feature {
    /// A mark, so often: the binary order of magnitude.
    Mark(Mark, u32),
    /// The first visit of a mark came before that of another.
    Order(Mark, Mark),
    /// So many messages to which this happened: the position in the accounting, the binary order of magnitude.
    Account(u8, u32),
}

/// What a run reached.
#[derive(Clone, Debug)]
pub(super) struct Sight {
    pub(super) found: Vec<Found>,
    pub(super) panicked: bool,
    features: BTreeSet<Feature>,
    situations: BTreeSet<u16>,
}

impl Sight {
    /// A run that came to no end.
    pub(super) const fn panicked(found: Vec<Found>) -> Sight {
        Sight { found, panicked: true, features: BTreeSet::new(), situations: BTreeSet::new() }
    }
}

/// What a run under way has reached.
#[derive(Debug)]
pub(super) struct Trail {
    /// Marks in the order of their first visits.
    first: Vec<Mark>,
    /// How often each mark was reached when a situation was last looked at.
    before: Vec<(Mark, u64)>,
    situations: BTreeSet<u16>,
    every: Span,
    next: Time,
}

impl Trail {
    pub(super) fn new(phases: &Phases) -> Trail {
        let every = Span::nanos(phases.start(Phase::Drain).nanos().div_ceil(LOOKS).max(1));
        Trail { first: Vec::new(), before: Vec::new(), situations: BTreeSet::new(), every, next: Time::ZERO + every }
    }

    /// Looks at the run between two steps.
    pub(super) fn note(&mut self, passage: &Passage<'_>) {
        let sim = passage.sim();
        if sim.marks().iter().count() > self.first.len() {
            let new: Vec<Mark> = sim.marks().iter().map(|(mark, _)| mark).filter(|mark| !self.first.contains(mark)).collect();
            self.first.extend(new);
        }
        let now = sim.now();
        if now < self.next {
            return;
        }
        // The clock may have passed several moments at once; the draining phase is one long moment.
        self.next = now + self.every;
        let marks: Vec<(Mark, u64)> = sim.marks().iter().collect();
        let mut digest = Digest::new();
        for (mark, _) in marks.iter().filter(|now| !self.before.contains(now)) {
            digest.text(mark);
        }
        self.before = marks;
        let mut depths: BTreeMap<usize, u64> = BTreeMap::new();
        sim.gauges(&mut |object, depth| *depths.entry(object.index()).or_insert(0) += depth);
        for (object, depth) in depths {
            digest.words(object as u64, u64::from(magnitude(depth)));
        }
        self.situations.insert(u16::try_from(digest.value() >> 48).expect("16 bits"));
    }

    /// The run is over.
    pub(super) fn finish(self, ran: &Ran, found: Vec<Found>) -> Sight {
        let mut features: BTreeSet<Feature> = BTreeSet::new();
        let static_name = |name: &str| self.first.iter().copied().find(|mark| *mark == name);
        for (name, count) in &ran.outcome.marks {
            features.extend(static_name(name).map(|mark| Feature::Mark(mark, magnitude(*count))));
        }
        for (at, earlier) in self.first.iter().enumerate() {
            features.extend(self.first[at + 1..].iter().map(|later| Feature::Order(earlier, later)));
        }
        let account = &ran.outcome.judged.accounting;
        let counts = [
            account.failed,
            account.unknown,
            account.pending,
            account.skipped,
            account.redelivered,
            account.duplicates,
            account.duplicate_effects,
            account.lost,
            account.recovered,
            account.unknown_not_happened,
            account.unexpected,
            account.corrupted,
            account.dead_lettered,
            account.expired,
            account.dropped,
            account.returned,
            account.held,
            account.superseded,
        ];
        for (place, count) in (0..).zip(counts) {
            if count > 0 {
                features.insert(Feature::Account(place, magnitude(count)));
            }
        }
        Sight { found, panicked: false, features, situations: self.situations }
    }
}

/// The binary order of magnitude: 0 for nothing, 1 for one, 2 for two and three, and so on.
const fn magnitude(count: u64) -> u32 {
    u64::BITS - count.leading_zeros()
}

/// A variation that reached something new, with all that it reached.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) variation: Variation,
    features: BTreeSet<Feature>,
}

/// What all runs of a hunt reached.
#[derive(Debug, Default)]
pub(super) struct Cover {
    /// In how many runs.
    reached: BTreeMap<Feature, u64>,
    marks: BTreeMap<Mark, u64>,
    situations: BTreeSet<u16>,
    kept: Vec<Kept>,
}

impl Cover {
    /// Looks at the next run.
    pub(super) fn add(&mut self, variation: Variation, sight: Sight) {
        let is_new = sight.features.iter().any(|feature| !self.reached.contains_key(feature));
        let marks: BTreeSet<Mark> = sight.features.iter().filter_map(mark_of).collect();
        for feature in &sight.features {
            *self.reached.entry(*feature).or_insert(0) += 1;
        }
        for mark in marks {
            *self.marks.entry(mark).or_insert(0) += 1;
        }
        self.situations.extend(sight.situations);
        if is_new {
            self.kept.push(Kept { variation, features: sight.features });
        }
    }

    /// One of the variations that reached something new, sooner one that reached what few do.
    pub(super) fn choose(&self, words: &mut impl Words) -> Option<&Variation> {
        let candidates = (0..3).filter_map(|_| {
            let at = usize::try_from(words.below(self.kept.len() as u64)).expect("an index");
            self.kept.get(at)
        });
        candidates.min_by_key(|kept| self.rarity(kept)).map(|kept| &kept.variation)
    }

    /// How often the rarest thing was reached that this one reached.
    fn rarity(&self, kept: &Kept) -> u64 {
        kept.features.iter().map(|feature| self.reached[feature]).min().unwrap_or(u64::MAX)
    }

    pub(super) fn marks(&self) -> BTreeMap<Mark, u64> {
        self.marks.clone()
    }
    pub(super) fn features(&self) -> usize {
        self.reached.len()
    }
    pub(super) fn situations(&self) -> usize {
        self.situations.len()
    }
    pub(super) fn kept(&self) -> &[Kept] {
        &self.kept
    }
}

const fn mark_of(feature: &Feature) -> Option<Mark> {
    match feature {
        Feature::Mark(mark, _) => Some(mark),
        Feature::Order(..) | Feature::Account(..) => None,
    }
}
