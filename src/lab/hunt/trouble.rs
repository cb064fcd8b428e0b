//! Random faults, each of which a scenario file could declare.

use crate::base::{Chance, Law, Span, Time, Words};
use crate::parts::fault::{Cut, CutShape, Fault, Ill, Others, Selector, When};
use crate::record::Phase;
use crate::scenario::ArmPlan;

use super::super::vocabulary::{IllKind, Vocabulary};

/// Whom faults may concern, and when.
#[derive(Debug)]
pub(super) struct Scene {
    /// Nodes that are alike: one of them, some, or the whole group.
    families: Vec<Family>,
    /// All nodes by name.
    nodes: Vec<String>,
    /// Selectors that the scenario itself uses and that are resolved while it runs, such as a leader.
    roles: Vec<Selector>,
    /// The model's names for messages.
    messages: &'static [&'static str],
    chaos_start: Time,
    chaos: Span,
}

/// Nodes that are alike.
#[derive(Debug)]
struct Family {
    /// The group's name, if all may be hit together.
    group: Option<String>,
    /// Never empty.
    nodes: Vec<String>,
}

impl Scene {
    pub(super) fn new(arm: &ArmPlan, vocabulary: &Vocabulary) -> Scene {
        let roster = arm.model().roster();
        let mut families: Vec<Family> = Vec::new();
        for group in &vocabulary.groups {
            let members = roster.nodes.iter().filter(|node| node.groups.contains(&group.as_str())).map(|node| node.name.clone());
            families.push(Family { group: Some(group.clone()), nodes: members.collect() });
        }
        let single = vocabulary.nodes.iter().filter(|node| families.iter().all(|family| !family.nodes.contains(node))).cloned();
        let single: Vec<String> = single.collect();
        families.extend(single.into_iter().map(|node| Family { group: None, nodes: vec![node] }));
        families.retain(|family| !family.nodes.is_empty());
        let surroundings = arm.surroundings();
        let mut roles = Vec::new();
        surroundings.faults.iter().for_each(|fault| roles_in(&fault.ill, &mut roles));
        Scene {
            families,
            nodes: roster.nodes.into_iter().map(|node| node.name).collect(),
            roles,
            messages: arm.model().model().kinds(),
            chaos_start: surroundings.chaos_start,
            chaos: arm.phases().start(Phase::Heal).since(surroundings.chaos_start),
        }
    }

    /// Whether a fault can be brought about at all.
    pub(super) fn is_possible(&self) -> bool {
        !self.families.is_empty() && !self.chaos.is_zero()
    }

    /// A fault of a kind, at some moments; `near` are moments at which something else happens.
    pub(super) fn fault(&self, kind: IllKind, near: &[Time], words: &mut impl Words) -> Fault {
        let (ill, mut moments) = (self.ill(kind, words), vec![self.moment(near, words)]);
        while words.below(4) == 0 && moments.len() < 4 {
            moments.push(self.moment(near, words));
        }
        moments.sort_unstable();
        moments.dedup();
        Fault { name: String::new(), ill, when: When::At(moments), lasts: self.length(kind, words) }
    }

    /// A moment in chaos: anywhere, at a round second, or close to another.
    pub(super) fn moment(&self, near: &[Time], words: &mut impl Words) -> Time {
        let anywhere = micros(words.span_between(Span::ZERO, self.chaos));
        let at = match words.below(8) {
            0..=2 if !near.is_empty() => return self.beside(near[index(words, near.len())], words),
            3 if self.chaos > Span::secs(2) => Span::secs(words.below(self.chaos.as_nanos() / 1_000_000_000)),
            _ => anywhere,
        };
        self.within(self.chaos_start + at)
    }

    /// A moment shortly before or after another.
    pub(super) fn beside(&self, moment: Time, words: &mut impl Words) -> Time {
        let by = log_uniform(Span::millis(1), self.chaos.scaled(1, 8), words);
        let at = if words.below(2) == 0 { moment + by } else { Time::ZERO + moment.since(Time::ZERO).saturating_sub(by) };
        self.within(at)
    }

    /// The same, but inside chaos.
    fn within(&self, at: Time) -> Time {
        let last = self.chaos_start + self.chaos.saturating_sub(Span::millis(1));
        at.clamp(self.chaos_start, last)
    }

    /// How long a fault of a kind acts; now and then until healing.
    pub(super) fn length(&self, kind: IllKind, words: &mut impl Words) -> Option<Law> {
        let length = log_uniform(Span::millis(1), self.chaos, words);
        let until_healed = words.below(16) == 0;
        (!kind.is_momentary() && !until_healed).then_some(Law::Constant(length))
    }

    /// One or several nodes that are alike.
    fn whom(&self, words: &mut impl Words) -> Selector {
        if !self.roles.is_empty() && words.below(3) == 0 {
            return self.roles[index(words, self.roles.len())].clone();
        }
        let family = &self.families[index(words, self.families.len())];
        let count = family.nodes.len();
        match (words.below(4), &family.group) {
            (0, Some(group)) if count > 1 => Selector::Named(group.clone()),
            (1, _) if count > 2 => named(self.some(&family.nodes, 2, words)),
            _ => Selector::Named(family.nodes[index(words, count)].clone()),
        }
    }

    /// The other end of a way: mostly everybody.
    fn other_end(&self, words: &mut impl Words) -> Selector {
        if words.below(2) == 0 { Selector::All } else { self.whom(words) }
    }

    /// From whom to whom: either end is one of those that may be hit.
    fn way(&self, words: &mut impl Words) -> (Selector, Selector) {
        let (one, other) = (self.whom(words), self.other_end(words));
        if words.below(2) == 0 { (one, other) } else { (other, one) }
    }

    /// So many of some names, in their order.
    fn some(&self, names: &[String], count: usize, words: &mut impl Words) -> Vec<String> {
        let mut chosen: Vec<usize> = (0..names.len()).collect();
        for last in (1..chosen.len()).rev() {
            chosen.swap(last, index(words, last + 1));
        }
        chosen.truncate(count);
        chosen.sort_unstable();
        chosen.into_iter().map(|at| names[at].clone()).collect()
    }

    /// What goes wrong: a kind, with whom and how strongly by lot.
    pub(super) fn ill(&self, kind: IllKind, words: &mut impl Words) -> Ill {
        match kind {
            IllKind::Kill => Ill::Kill(self.whom(words)),
            IllKind::PowerOff => Ill::PowerOff(self.whom(words)),
            IllKind::Wipe => Ill::Wipe(self.whom(words)),
            IllKind::Pause => Ill::Pause(self.whom(words)),
            IllKind::Freeze => Ill::Freeze(self.whom(words)),
            IllKind::Slow => Ill::Slow { who: self.whom(words), factor_milli: one_of(&[2_000, 4_000, 10_000, 30_000], words) },
            IllKind::Cut => Ill::Cut(self.cut(words)),
            IllKind::Jam => {
                let (from, to) = self.way(words);
                let extra = log_uniform(Span::millis(1), Span::secs(2), words);
                let uniform = Law::Uniform { low: Span::ZERO, high: extra };
                Ill::Jam { from, to, extra: if words.below(2) == 0 { uniform } else { Law::Constant(extra) } }
            }
            IllKind::Drop => {
                let (from, to) = self.way(words);
                let kind = (words.below(3) == 0 && !self.messages.is_empty()).then(|| one_of(self.messages, words).to_owned());
                Ill::Drop { from, to, kind, chance: Chance::ratio(one_of(&[5, 20, 50, 100], words), 100) }
            }
            IllKind::Clog => {
                let (from, to) = self.way(words);
                Ill::Clog { from, to }
            }
            IllKind::DiskStall => Ill::DiskStall(self.whom(words)),
            IllKind::SyncFails => Ill::SyncFails { who: self.whom(words), chance: Chance::ratio(one_of(&[10, 33, 100], words), 100) },
            IllKind::TornWrite => Ill::TornWrite(self.whom(words)),
            IllKind::FlipBits => Ill::FlipBits { who: self.whom(words), count: one_of(&[1, 1, 2, 8], words) },
            IllKind::DiskFull => Ill::DiskFull(self.whom(words)),
            IllKind::ClockStep => {
                let by = log_uniform(Span::millis(1), Span::secs(3_600), words).as_nanos();
                let by = i64::try_from(by).expect("an hour");
                Ill::ClockStep { who: self.whom(words), by: if words.below(2) == 0 { by } else { -by } }
            }
            IllKind::ClockDrift => {
                let ppm = one_of(&[100, 1_000, 10_000, 100_000], words);
                Ill::ClockDrift { who: self.whom(words), ppm: if words.below(2) == 0 { ppm } else { -ppm } }
            }
        }
    }

    fn cut(&self, words: &mut impl Words) -> Cut {
        let large: Vec<&String> = self.families.iter().filter(|f| f.nodes.len() > 2).filter_map(|f| f.group.as_ref()).collect();
        match words.below(6) {
            0 | 1 => Cut { shape: CutShape::Isolate(self.whom(words)), others: Others::Second },
            2 if !large.is_empty() => {
                let group = Selector::Named(large[index(words, large.len())].clone());
                Cut { shape: CutShape::MajoritiesRing(group), others: Others::Untouched }
            }
            3 if self.nodes.len() > 1 => {
                let count = 1 + index(words, self.nodes.len() - 1);
                let (one, other): (Vec<String>, Vec<String>) = {
                    let one = self.some(&self.nodes, count, words);
                    let other = self.nodes.iter().filter(|node| !one.contains(node)).cloned().collect();
                    (one, other)
                };
                Cut { shape: CutShape::Between { a: named(one), b: named(other) }, others: Others::Untouched }
            }
            _ => {
                let (from, to) = self.way(words);
                Cut { shape: CutShape::OneWay { from, to }, others: Others::Untouched }
            }
        }
    }
}

/// Some nodes by name.
fn named(mut names: Vec<String>) -> Selector {
    match names.len() {
        1 => Selector::Named(names.remove(0)),
        _ => Selector::Union(names.into_iter().map(Selector::Named).collect()),
    }
}

/// The selectors of a fault that are resolved while it runs.
fn roles_in(ill: &Ill, found: &mut Vec<Selector>) {
    let (Ill::Kill(who)
    | Ill::PowerOff(who)
    | Ill::Wipe(who)
    | Ill::Pause(who)
    | Ill::Freeze(who)
    | Ill::Slow { who, .. }
    | Ill::DiskStall(who)
    | Ill::SyncFails { who, .. }
    | Ill::TornWrite(who)
    | Ill::FlipBits { who, .. }
    | Ill::DiskFull(who)
    | Ill::ClockStep { who, .. }
    | Ill::ClockDrift { who, .. }
    | Ill::Cut(Cut { shape: CutShape::Isolate(who), .. })) = ill
    else {
        return;
    };
    if matches!(who, Selector::Role { .. }) && !found.contains(who) {
        found.push(who.clone());
    }
}

/// One of several.
pub(super) fn one_of<T: Copy>(all: &[T], words: &mut impl Words) -> T {
    all[index(words, all.len())]
}

/// A position among so many.
pub(super) fn index(words: &mut impl Words, count: usize) -> usize {
    usize::try_from(words.below(count as u64)).expect("an index")
}

/// A span of any order of magnitude between two, both above zero.
pub(super) fn log_uniform(low: Span, high: Span, words: &mut impl Words) -> Span {
    let low = low.min(high).as_nanos().max(1);
    let doublings = (high.as_nanos().max(1) / low).ilog2();
    let from = low << words.below(u64::from(doublings) + 1);
    micros(words.span_between(Span::nanos(from), Span::nanos(from.saturating_mul(2))).min(high).max(Span::nanos(low)))
}

/// Whole microseconds, for readers; what is shorter stays as it is.
fn micros(span: Span) -> Span {
    if span < Span::micros(1) { span } else { Span::micros(span.as_nanos() / 1_000) }
}
