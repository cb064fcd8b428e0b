//! Plans of faults that shrink: fewer, milder, at one node, shorter, at a rounder moment.

use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::{collection, sample};

use crate::base::{Law, Span, Time};
use crate::lab::{IllKind, Vocabulary};
use crate::parts::fault::{Fault, When};

use super::moment::rounder;
use super::shrinking::{Shrinking, with_one, without_some};

/// All kinds, the mildest first: what a counterexample can do with the least of.
///
/// Nothing is lost while messages and processes are only late; then messages are lost; then clocks are wrong; then processes
/// are, then disks.
pub const MILDEST_FIRST: [IllKind; 17] = [
    IllKind::Slow,
    IllKind::Pause,
    IllKind::Freeze,
    IllKind::Jam,
    IllKind::Clog,
    IllKind::Drop,
    IllKind::Cut,
    IllKind::DiskStall,
    IllKind::ClockDrift,
    IllKind::ClockStep,
    IllKind::Kill,
    IllKind::DiskFull,
    IllKind::PowerOff,
    IllKind::SyncFails,
    IllKind::TornWrite,
    IllKind::FlipBits,
    IllKind::Wipe,
];

/// How long faults last, shortest first.
const LASTS: [Span; 11] = [
    Span::ZERO,
    Span::millis(10),
    Span::millis(20),
    Span::millis(50),
    Span::millis(100),
    Span::millis(200),
    Span::millis(500),
    Span::secs(1),
    Span::secs(2),
    Span::secs(5),
    Span::secs(10),
];

/// What may go wrong in the trials of a [`super::Bench`]. By default everything that destroys no disk, at every node and group,
/// during chaos.
///
/// ```
/// use deadletter::lab::IllKind;
/// use deadletter::testing::FaultSpace;
/// let crashes = FaultSpace::up_to(3).only(&[IllKind::Kill, IllKind::PowerOff]).at(&["broker"]);
/// # let _ = crashes;
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultSpace {
    pub(super) at_most: usize,
    pub(super) kinds: Option<Vec<IllKind>>,
    pub(super) names: Vec<String>,
}

impl FaultSpace {
    /// At most so many faults in a trial.
    #[must_use]
    pub const fn up_to(at_most: usize) -> FaultSpace {
        FaultSpace { at_most, kinds: None, names: Vec::new() }
    }

    /// Only these kinds. Those that destroy disks ([`IllKind::destroys`]) come only when they are named here.
    #[must_use]
    pub fn only(mut self, kinds: &[IllKind]) -> FaultSpace {
        self.kinds = Some(kinds.to_vec());
        self
    }

    /// Only at these nodes and groups.
    #[must_use]
    pub fn at(mut self, names: &[&str]) -> FaultSpace {
        self.names = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// The vocabulary that is left of a larger one.
    pub(super) fn within(&self, all: Vocabulary) -> Result<Vocabulary, String> {
        let some = if self.names.is_empty() { all } else { all.within(&self.names)? };
        Ok(match &self.kinds {
            Some(kinds) => some.only(kinds.clone()),
            None => some,
        })
    }
}

/// One fault before it is written out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Strike {
    /// Position among the space's kinds, mildest first.
    kind: usize,
    /// Which of the kind's forms: the direction of a cut, the sign of a step.
    form: usize,
    /// Position among nodes and then groups.
    who: usize,
    pub(super) at: Time,
    /// Position in [`LASTS`].
    lasts: usize,
}

impl Strike {
    /// The same at another moment.
    pub(super) fn moved(&self, at: Time) -> Strike {
        Strike { at, ..self.clone() }
    }
}

/// What strikes are drawn from.
#[derive(Clone, Debug)]
pub(super) struct Strikes {
    kinds: Vec<IllKind>,
    names: Vec<String>,
    window: (Time, Time),
    at_most: usize,
}

impl Strikes {
    /// # Panics
    /// When there is no kind, nobody to hit or no time.
    pub(super) fn new(vocabulary: &Vocabulary, window: (Time, Time), at_most: usize) -> Strikes {
        let kinds: Vec<IllKind> = MILDEST_FIRST.into_iter().filter(|kind| vocabulary.kinds.contains(kind)).collect();
        let names: Vec<String> = vocabulary.nodes.iter().chain(&vocabulary.groups).cloned().collect();
        assert!(!kinds.is_empty() && !names.is_empty(), "there is no fault to draw: no kind, or nobody whom it could concern");
        assert!(window.0 < window.1, "there is no time for faults: they act during chaos");
        Strikes { kinds, names, window, at_most }
    }

    /// Draws strikes. `near`: moments that matter; half of the strikes come shortly after one of them.
    pub(super) fn draw(&self, near: Vec<Time>) -> BoxedStrategy<Vec<Strike>> {
        let (from, until) = self.window;
        let room = until.since(from);
        let longest = LASTS.iter().filter(|span| **span <= room).count().max(2);
        let anywhere = (from.nanos()..until.nanos()).prop_map(Time::from_nanos);
        let at = if near.is_empty() {
            anywhere.boxed()
        } else {
            // Evenly over orders of magnitude: from microseconds behind it to seconds.
            let behind = (10u32..32).prop_flat_map(|bits| 0..1u64 << bits).prop_map(Span::nanos);
            let close = (sample::select(near), behind).prop_map(|(at, behind)| at + behind);
            proptest::prop_oneof![anywhere, close].boxed()
        };
        let last = Time::from_nanos(until.nanos() - 1);
        let one = (0..self.kinds.len(), 0..3usize, 0..self.names.len(), at, 1..longest);
        let one = one.prop_map(move |(kind, form, who, at, lasts)| Strike { kind, form, who, at: at.clamp(from, last), lasts });
        collection::vec(one, 0..=self.at_most).boxed()
    }

    /// Fewer of them.
    pub(super) fn fewer(strikes: &[Strike]) -> Vec<Vec<Strike>> {
        without_some(strikes)
    }

    /// One of them milder, at a single node, shorter.
    pub(super) fn milder(&self, strikes: &[Strike]) -> Vec<Vec<Strike>> {
        with_one(strikes, |strike| {
            let mut found: Vec<Strike> = (0..strike.kind).map(|kind| Strike { kind, form: 0, ..*strike }).collect();
            found.extend((0..strike.who).map(|who| Strike { who, ..*strike }));
            let forms = self.kinds[strike.kind].at("").len();
            found.extend((0..strike.form % forms).map(|form| Strike { form, ..*strike }));
            let least = usize::from(!self.kinds[strike.kind].takes_down());
            found.extend((least..strike.lasts).map(|lasts| Strike { lasts, ..*strike }));
            found
        })
    }

    /// One of them at a rounder moment.
    pub(super) fn rounder(&self, strikes: &[Strike]) -> Vec<Vec<Strike>> {
        with_one(strikes, |strike| rounder(strike.at, self.window).into_iter().map(|at| Strike { at, ..*strike }).collect())
    }

    /// Whether faults may strike then.
    pub(super) fn allows(&self, at: Time) -> bool {
        (self.window.0..self.window.1).contains(&at)
    }

    /// Whom a strike concerns.
    pub(super) fn who(&self, strike: &Strike) -> &str {
        &self.names[strike.who]
    }

    /// The fault that a strike is, without a name of its own yet.
    fn fault(&self, strike: &Strike) -> Fault {
        let kind = self.kinds[strike.kind];
        let mut ills = kind.at(self.who(strike));
        let ill = ills.swap_remove(strike.form % ills.len());
        // What takes nobody down acts for some time.
        let least = usize::from(!kind.takes_down());
        let lasts = (!kind.is_momentary()).then(|| Law::Constant(LASTS[strike.lasts.max(least)]));
        Fault { name: format!("{} {}", kind.name().replace('_', " "), self.who(strike)), ill, when: When::At(vec![strike.at]), lasts }
    }

    /// The faults in order of time, each with a name of its own.
    pub(super) fn faults(&self, strikes: &[Strike]) -> Vec<Fault> {
        let mut strikes = strikes.to_vec();
        strikes.sort_by_key(|strike| strike.at);
        let mut faults: Vec<Fault> = Vec::new();
        for strike in &strikes {
            let mut fault = self.fault(strike);
            let plain = fault.name.clone();
            let mut number = 2;
            while faults.iter().any(|other| other.name == fault.name) {
                fault.name = format!("{plain} ({number})");
                number += 1;
            }
            faults.push(fault);
        }
        faults
    }
}

/// Plans of up to `at_most` faults out of a vocabulary, each striking once, from the first moment of the window on and before the second.
/// They shrink to fewer, to milder kinds ([`MILDEST_FIRST`]), to single nodes, to shorter ones, to rounder moments.
///
/// # Panics
/// When the vocabulary or the window is empty.
pub fn faults(vocabulary: &Vocabulary, window: (Time, Time), at_most: usize) -> BoxedStrategy<Vec<Fault>> {
    let strikes = Strikes::new(vocabulary, window, at_most);
    let law = strikes.clone();
    let simpler = move |list: &Vec<Strike>| {
        let mut all = Strikes::fewer(list);
        all.extend(law.milder(list));
        all.extend(law.rounder(list));
        all
    };
    Shrinking::new(strikes.draw(Vec::new()), simpler).prop_map(move |list| strikes.faults(&list)).boxed()
}

/// A fault in words: `power off broker at 3s, back after 500ms`.
pub(super) fn in_words(fault: &Fault) -> String {
    let at = match &fault.when {
        When::At(times) => format!(" at {}", times.iter().map(Time::to_string).collect::<Vec<_>>().join(", ")),
        When::Behind { at, events } => format!(" at {at}, behind {events} events"),
        When::Every { first, gap, .. } => format!(" from {first} on, every {gap}"),
        When::Renewal { mtbf, mttr } => format!(", up for {mtbf}, down for {mttr}"),
    };
    let lasts = match &fault.lasts {
        Some(Law::Constant(span)) if span.is_zero() => ", back at once".to_owned(),
        Some(law) => {
            let long = if let Law::Constant(span) = law { span.to_string() } else { law.to_string() };
            if IllKind::of(&fault.ill).takes_down() { format!(", back after {long}") } else { format!(" for {long}") }
        }
        None => String::new(),
    };
    format!("{}{at}{lasts}", fault.name)
}
