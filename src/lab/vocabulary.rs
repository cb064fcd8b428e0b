//! What may go wrong when the laboratory, and not the scenario, says what goes wrong.

use crate::base::{Chance, Law, Span};
use crate::parts::fault::{Cut, CutShape, Ill, Others, Selector};
use crate::scenario::ArmPlan;

/// The kinds of faults, each with one strength.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IllKind {
    /// The process dies.
    Kill,
    /// The host loses power.
    PowerOff,
    /// The host and its disk are lost.
    Wipe,
    /// The process stops for a while.
    Pause,
    /// The machine stops for a while.
    Freeze,
    /// Everything takes longer.
    Slow,
    /// A node is cut off, or two nodes from each other.
    Cut,
    /// Messages take longer.
    Jam,
    /// A share of messages is lost.
    Drop,
    /// Messages are held back.
    Clog,
    /// Syncs do not complete.
    DiskStall,
    /// Syncs fail.
    SyncFails,
    /// The power fails in the middle of a write.
    TornWrite,
    /// Bits flip in what is durable.
    FlipBits,
    /// Writes are refused.
    DiskFull,
    /// The clock jumps.
    ClockStep,
    /// The clock runs at another speed.
    ClockDrift,
}

impl IllKind {
    /// All kinds, in the order of the scenario's keys.
    pub const ALL: [IllKind; 17] = [
        IllKind::Kill,
        IllKind::PowerOff,
        IllKind::Wipe,
        IllKind::Pause,
        IllKind::Freeze,
        IllKind::Slow,
        IllKind::Cut,
        IllKind::Jam,
        IllKind::Drop,
        IllKind::Clog,
        IllKind::DiskStall,
        IllKind::SyncFails,
        IllKind::TornWrite,
        IllKind::FlipBits,
        IllKind::DiskFull,
        IllKind::ClockStep,
        IllKind::ClockDrift,
    ];

    /// The key of a `[[fault]]` that says so.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            IllKind::Kill => "kill",
            IllKind::PowerOff => "power_off",
            IllKind::Wipe => "wipe",
            IllKind::Pause => "pause",
            IllKind::Freeze => "freeze",
            IllKind::Slow => "slow",
            IllKind::Cut => "cut",
            IllKind::Jam => "jam",
            IllKind::Drop => "drop",
            IllKind::Clog => "clog",
            IllKind::DiskStall => "disk_stall",
            IllKind::SyncFails => "sync_fails",
            IllKind::TornWrite => "torn_write",
            IllKind::FlipBits => "flip_bits",
            IllKind::DiskFull => "disk_full",
            IllKind::ClockStep => "clock_step",
            IllKind::ClockDrift => "clock_drift",
        }
    }

    /// The kind with a name.
    #[must_use]
    pub fn find(name: &str) -> Option<IllKind> {
        IllKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of an ill.
    #[must_use]
    pub const fn of(ill: &Ill) -> IllKind {
        match ill {
            Ill::Kill(_) => IllKind::Kill,
            Ill::PowerOff(_) => IllKind::PowerOff,
            Ill::Wipe(_) => IllKind::Wipe,
            Ill::Pause(_) => IllKind::Pause,
            Ill::Freeze(_) => IllKind::Freeze,
            Ill::Slow { .. } => IllKind::Slow,
            Ill::Cut(_) => IllKind::Cut,
            Ill::Jam { .. } => IllKind::Jam,
            Ill::Drop { .. } => IllKind::Drop,
            Ill::Clog { .. } => IllKind::Clog,
            Ill::DiskStall(_) => IllKind::DiskStall,
            Ill::SyncFails { .. } => IllKind::SyncFails,
            Ill::TornWrite(_) => IllKind::TornWrite,
            Ill::FlipBits { .. } => IllKind::FlipBits,
            Ill::DiskFull(_) => IllKind::DiskFull,
            Ill::ClockStep { .. } => IllKind::ClockStep,
            Ill::ClockDrift { .. } => IllKind::ClockDrift,
        }
    }

    /// Whether it destroys what a disk holds: no promise of a single copy survives that, so it must be asked for.
    #[must_use]
    pub const fn destroys(self) -> bool {
        matches!(self, IllKind::Wipe | IllKind::FlipBits)
    }

    /// Whether it takes nodes down, so that its end is their restart.
    #[must_use]
    pub const fn takes_down(self) -> bool {
        matches!(self, IllKind::Kill | IllKind::PowerOff | IllKind::Wipe | IllKind::TornWrite)
    }

    /// Whether it happens in one moment and has no end.
    #[must_use]
    pub const fn is_momentary(self) -> bool {
        matches!(self, IllKind::FlipBits)
    }

    /// This kind at one node, at an ordinary strength: what concerns messages concerns all to and from it.
    #[must_use]
    pub fn at(self, node: &str) -> Vec<Ill> {
        let who = || Selector::Named(node.to_owned());
        let both = |ill: &dyn Fn(Selector, Selector) -> Ill| vec![ill(who(), Selector::All), ill(Selector::All, who())];
        match self {
            IllKind::Kill => vec![Ill::Kill(who())],
            IllKind::PowerOff => vec![Ill::PowerOff(who())],
            IllKind::Wipe => vec![Ill::Wipe(who())],
            IllKind::Pause => vec![Ill::Pause(who())],
            IllKind::Freeze => vec![Ill::Freeze(who())],
            IllKind::Slow => vec![Ill::Slow { who: who(), factor_milli: 10_000 }],
            IllKind::Cut => {
                let isolate = Cut { shape: CutShape::Isolate(who()), others: Others::Second };
                let one_way = |from, to| Ill::Cut(Cut { shape: CutShape::OneWay { from, to }, others: Others::Untouched });
                let mut cuts = vec![Ill::Cut(isolate)];
                cuts.extend(both(&one_way));
                cuts
            }
            IllKind::Jam => both(&|from, to| Ill::Jam { from, to, extra: Law::Constant(Span::millis(700)) }),
            IllKind::Drop => both(&|from, to| Ill::Drop { from, to, kind: None, chance: Chance::ratio(1, 2) }),
            IllKind::Clog => both(&|from, to| Ill::Clog { from, to }),
            IllKind::DiskStall => vec![Ill::DiskStall(who())],
            IllKind::SyncFails => vec![Ill::SyncFails { who: who(), chance: Chance::ratio(1, 1) }],
            IllKind::TornWrite => vec![Ill::TornWrite(who())],
            IllKind::FlipBits => vec![Ill::FlipBits { who: who(), count: 1 }],
            IllKind::DiskFull => vec![Ill::DiskFull(who())],
            IllKind::ClockStep => {
                let by = |by: i64| Ill::ClockStep { who: who(), by };
                vec![by(600_000_000_000), by(-600_000_000_000)]
            }
            IllKind::ClockDrift => {
                let drift = |ppm: i32| Ill::ClockDrift { who: who(), ppm };
                vec![drift(100_000), drift(-100_000)]
            }
        }
    }
}

/// Which faults the laboratory may bring about, and at whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Vocabulary {
    /// The kinds, in order, each once.
    pub kinds: Vec<IllKind>,
    /// The nodes, by name, in the order of the roster.
    pub nodes: Vec<String>,
    /// The groups of nodes that may be hit together, by name.
    pub groups: Vec<String>,
}

impl Vocabulary {
    /// Everything that destroys no disk, at every node and group of an arm.
    #[must_use]
    pub fn of(arm: &ArmPlan) -> Vocabulary {
        let roster = arm.model().roster();
        let groups: std::collections::BTreeSet<&str> = roster.nodes.iter().flat_map(|node| node.groups.iter().copied()).collect();
        Vocabulary {
            kinds: IllKind::ALL.into_iter().filter(|kind| !kind.destroys()).collect(),
            groups: groups.into_iter().map(str::to_owned).collect(),
            nodes: roster.nodes.into_iter().map(|node| node.name).collect(),
        }
    }

    /// Only these kinds.
    #[must_use]
    pub fn only(mut self, mut kinds: Vec<IllKind>) -> Vocabulary {
        kinds.sort_unstable();
        kinds.dedup();
        self.kinds = kinds;
        self
    }

    /// Only these nodes and groups.
    ///
    /// # Errors
    /// The first name that is neither, with what there is.
    pub fn within(mut self, names: &[String]) -> Result<Vocabulary, String> {
        if let Some(unknown) = names.iter().find(|name| !self.nodes.contains(name) && !self.groups.contains(name)) {
            let known: Vec<&str> = self.groups.iter().chain(&self.nodes).map(String::as_str).collect();
            return Err(format!("there is no node or group `{unknown}` (there are: {})", known.join(", ")));
        }
        self.nodes.retain(|name| names.contains(name));
        self.groups.retain(|name| names.contains(name));
        Ok(self)
    }

    /// Every single fault at every single node, at an ordinary strength.
    #[must_use]
    pub fn singles(&self) -> Vec<Ill> {
        self.kinds.iter().flat_map(|kind| self.nodes.iter().flat_map(|node| kind.at(node))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::keys::ILLS;

    #[test]
    fn every_ill_of_a_scenario_has_its_kind() {
        let names: Vec<&str> = IllKind::ALL.into_iter().map(IllKind::name).collect();
        let mut known = ILLS.to_vec();
        known.sort_unstable();
        let mut ours = names.clone();
        ours.sort_unstable();
        assert_eq!(ours, known);
        for kind in IllKind::ALL {
            assert_eq!(IllKind::find(kind.name()), Some(kind));
            let ills = kind.at("broker");
            assert!(!ills.is_empty());
            assert!(ills.iter().all(|ill| IllKind::of(ill) == kind));
        }
    }
}
