//! Makes the next variation: afresh, or by a small change of one that reached something new.

use crate::base::{Span, Stream, Time, Words};
use crate::parts::fault::{Fault, When};
use crate::scenario::ArmPlan;

use super::super::vocabulary::IllKind;
use super::conditions::{self, Condition};
use super::cover::Cover;
use super::trouble::{Scene, index};
use super::variation::Variation;
use super::{Guidance, Hunt};

/// At most so many faults are brought about in one run.
const MOST_FAULTS: u64 = 8;

/// Makes variations of one arm.
#[derive(Debug)]
pub(super) struct Breeder<'h> {
    arm: &'h ArmPlan,
    seed: u64,
    guidance: Guidance,
    scene: Scene,
    kinds: &'h [IllKind],
    conditions: &'h [Condition],
    /// What fresh variations begin with.
    plain: Variation,
}

impl<'h> Breeder<'h> {
    pub(super) fn new(hunt: &'h Hunt<'h>) -> Breeder<'h> {
        let mut plain = Variation::none(hunt.arm, 0).with_time_to_rest();
        plain.load = conditions::quick(hunt.arm);
        Breeder {
            arm: hunt.arm,
            seed: hunt.seed,
            guidance: hunt.guidance,
            scene: Scene::new(hunt.arm, &hunt.vocabulary),
            kinds: &hunt.vocabulary.kinds,
            conditions: &hunt.conditions,
            plain,
        }
    }

    /// The variation of this number, given what those before it reached. The first one is the arm as it is.
    pub(super) fn variation(&self, number: u64, cover: &Cover) -> Variation {
        let mut words = Stream::named(self.seed, "hunt", number);
        let seed = seed(&mut words);
        if number == 0 {
            return Variation::none(self.arm, seed);
        }
        let parent = match self.guidance {
            Guidance::Coverage if number % 2 == 1 => cover.choose(&mut words),
            Guidance::Coverage | Guidance::None => None,
        };
        match parent {
            Some(parent) => self.changed(parent, cover, &mut words),
            None => self.fresh(seed, &mut words),
        }
    }

    /// A handful of kinds of trouble, and several faults of them.
    fn fresh(&self, seed: u64, words: &mut Stream) -> Variation {
        let mut variation = Variation { seed, ..self.plain.clone() };
        if words.below(2) == 0 {
            variation.declared.retain(|_| words.below(2) == 0);
        }
        for fault in &mut variation.declared {
            if words.below(4) == 0 {
                self.move_moments(fault, words);
            }
        }
        if self.can_strike() {
            let handful = 1 + index(words, 4);
            let kinds: Vec<IllKind> = (0..handful).map(|_| self.kind(self.kinds, words)).collect();
            for _ in 0..words.below(MOST_FAULTS + 1).min(words.below(MOST_FAULTS + 1) + 1) {
                self.add(&mut variation, &kinds, words);
            }
        }
        for condition in self.conditions {
            if words.below(4) == 0 {
                conditions::change(&mut variation, *condition, self.arm, words);
            }
        }
        variation
    }

    fn can_strike(&self) -> bool {
        self.scene.is_possible() && !self.kinds.is_empty()
    }

    fn kind(&self, kinds: &[IllKind], words: &mut Stream) -> IllKind {
        kinds[index(words, kinds.len())]
    }

    fn add(&self, variation: &mut Variation, kinds: &[IllKind], words: &mut Stream) {
        let near = moments(&variation.extra);
        let fault = self.scene.fault(self.kind(kinds, words), &near, words);
        variation.extra.push(fault);
    }

    /// One to three small changes, mostly with another seed.
    fn changed(&self, parent: &Variation, cover: &Cover, words: &mut Stream) -> Variation {
        // The first parent is the arm as it is, with its own time to come to rest.
        let mut variation = parent.clone().with_time_to_rest();
        if words.below(4) > 0 {
            variation.seed = seed(words);
        }
        for _ in 0..=words.below(3) {
            match words.below(5) {
                0 if !self.conditions.is_empty() => {
                    let condition = self.conditions[index(words, self.conditions.len())];
                    conditions::change(&mut variation, condition, self.arm, words);
                }
                1 => {
                    if let Some(other) = cover.choose(words) {
                        variation.extra.extend(other.extra.iter().filter(|_| words.below(2) == 0).cloned());
                    }
                }
                2 if self.can_strike() => self.add(&mut variation, self.kinds, words),
                _ => self.change_fault(&mut variation, words),
            }
        }
        while variation.extra.len() as u64 > MOST_FAULTS {
            variation.extra.remove(index(words, variation.extra.len()));
        }
        variation
    }

    /// Changes one fault in one respect.
    fn change_fault(&self, variation: &mut Variation, words: &mut Stream) {
        if variation.extra.is_empty() {
            return;
        }
        let at = index(words, variation.extra.len());
        let kind = IllKind::of(&variation.extra[at].ill);
        match words.below(6) {
            0 => {
                variation.extra.remove(at);
            }
            1 => {
                let mut again = variation.extra[at].clone();
                self.move_moments(&mut again, words);
                variation.extra.push(again);
            }
            2 => variation.extra[at].ill = self.scene.ill(kind, words),
            3 => variation.extra[at].lasts = self.scene.length(kind, words),
            4 => {
                let near = moments(&variation.extra);
                variation.extra[at].when = When::At(vec![self.scene.moment(&near, words)]);
            }
            _ => self.move_moments(&mut variation.extra[at], words),
        }
    }

    /// Moves the strikes of a fault a little, each by itself. A fault with another law of time stays.
    fn move_moments(&self, fault: &mut Fault, words: &mut Stream) {
        if let When::At(moments) = &mut fault.when {
            moments.iter_mut().for_each(|at| *at = self.scene.beside(*at, words));
            moments.sort_unstable();
            moments.dedup();
        }
    }
}

/// A seed that is short to type.
fn seed(words: &mut Stream) -> u64 {
    words.below(1_000_000_000)
}

/// When something begins or ends.
fn moments(faults: &[Fault]) -> Vec<Time> {
    let mut found = Vec::new();
    for fault in faults {
        if let When::At(moments) = &fault.when {
            let lasts = fault.lasts.as_ref().and_then(crate::base::Law::mean).unwrap_or(Span::ZERO);
            found.extend(moments.iter().flat_map(|at| [*at, *at + lasts]));
        }
    }
    found
}
