//! The phases of a run: warm-up, chaos, healing, draining, and the moment of the final reads.

use crate::base::{Span, Time};
use crate::record::Phase;

/// How long each phase lasts. The final reads come after the last, at one moment.
///
/// ```
/// use deadletter::base::{Span, Time};
/// use deadletter::load::Phases;
/// use deadletter::record::Phase;
/// let phases = Phases { warm: Span::secs(5), chaos: Span::secs(60), heal: Span::secs(10), drain: Span::secs(30) };
/// assert_eq!(phases.phase_at(Time::ZERO + Span::secs(5)), Phase::Chaos);
/// assert_eq!(phases.load_until(), Time::ZERO + Span::secs(75));
/// assert_eq!(phases.start(Phase::Final), Time::ZERO + Span::secs(105));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Phases {
    /// Load without faults; not counted in figures.
    pub warm: Span,
    /// Load with faults.
    pub chaos: Span,
    /// Load goes on, faults are lifted.
    pub heal: Span,
    /// No new load.
    pub drain: Span,
}

impl Phases {
    /// The length of the whole run; `None` when it leaves the range of virtual time, and nothing else may be asked.
    #[must_use]
    pub fn total(&self) -> Option<Span> {
        let sum = [self.warm, self.chaos, self.heal, self.drain].iter().try_fold(0u64, |sum, span| sum.checked_add(span.as_nanos()));
        sum.map(Span::nanos)
    }

    /// When a phase begins.
    #[must_use]
    pub fn start(&self, phase: Phase) -> Time {
        let before = match phase {
            Phase::Warm => Span::ZERO,
            Phase::Chaos => self.warm,
            Phase::Heal => self.warm + self.chaos,
            Phase::Drain => self.warm + self.chaos + self.heal,
            Phase::Final => self.warm + self.chaos + self.heal + self.drain,
        };
        Time::ZERO + before
    }

    /// The phase that a moment belongs to; a boundary belongs to what begins there, and phases of no length are passed over.
    #[must_use]
    pub fn phase_at(&self, at: Time) -> Phase {
        let begun = Phases::ALL.iter().rev().find(|phase| self.start(**phase) <= at);
        *begun.expect("the warm-up begins at time zero")
    }

    /// Every phase with its beginning, in order.
    pub fn boundaries(&self) -> impl Iterator<Item = (Time, Phase)> + '_ {
        Phases::ALL.iter().map(|phase| (self.start(*phase), *phase))
    }

    /// New load is issued before this moment: the end of healing.
    #[must_use]
    pub fn load_until(&self) -> Time {
        self.start(Phase::Drain)
    }

    /// In the order of a run.
    const ALL: [Phase; 5] = [Phase::Warm, Phase::Chaos, Phase::Heal, Phase::Drain, Phase::Final];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_belong_to_what_begins() {
        let at = |s| Time::ZERO + Span::secs(s);
        let phases = Phases { warm: Span::secs(2), chaos: Span::ZERO, heal: Span::secs(3), drain: Span::secs(1) };
        let seen: Vec<Phase> = (0..8).map(|s| phases.phase_at(at(s))).collect();
        use Phase::{Drain, Final, Heal, Warm};
        assert_eq!(seen, [Warm, Warm, Heal, Heal, Heal, Drain, Final, Final]);
        assert_eq!(phases.phase_at(Time::from_nanos(at(2).nanos() - 1)), Warm);
        assert_eq!(phases.boundaries().map(|(time, _)| time).collect::<Vec<_>>(), [at(0), at(2), at(2), at(5), at(6)]);
        assert_eq!(phases.total(), Some(Span::secs(6)));
        assert_eq!(Phases { warm: Span::MAX, ..phases }.total(), None);
    }
}
