//! What a run may be given besides faults: another network, other disks and clocks, another load. All of it is what an honest model must
//! bear for as long as a run lasts: a little damage, delays that a local network knows, and never more work than the scenario's own.

use crate::base::{Chance, Law, Span, Words};
use crate::load::{Arrivals, Keys, LoadConfig, LoadStream, Rate};
use crate::parts::config::{Burst, ClockConfig, Corruption, DiskConfig, LinkLaw, MachineConfig, NetworkConfig, Reorder};
use crate::record::Phase;
use crate::scenario::ArmPlan;

use super::trouble::{index, log_uniform, one_of};
use super::variation::Variation;

/// Something that differs from the scenario for the whole length of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Condition {
    /// The network loses more, at random or in bursts.
    Loss,
    /// The network delivers datagrams twice.
    Duplicate,
    /// The network holds messages back.
    Reorder,
    /// The network damages messages.
    Corrupt,
    /// Messages take longer, shorter, or more unequally long.
    Delay,
    /// Syncs take longer.
    Sync,
    /// Clocks are wrong from the start.
    Clock,
    /// Less is asked for, the same in bursts, or all about one key.
    Load,
}

impl Condition {
    /// All of them.
    pub const ALL: [Condition; 8] = [
        Condition::Loss,
        Condition::Duplicate,
        Condition::Reorder,
        Condition::Corrupt,
        Condition::Delay,
        Condition::Sync,
        Condition::Clock,
        Condition::Load,
    ];

    /// The word for it on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Condition::Loss => "loss",
            Condition::Duplicate => "duplicate",
            Condition::Reorder => "reorder",
            Condition::Corrupt => "corrupt",
            Condition::Delay => "delay",
            Condition::Sync => "sync",
            Condition::Clock => "clock",
            Condition::Load => "load",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<Condition> {
        Condition::ALL.into_iter().find(|condition| condition.name() == name)
    }
}

/// A run with more arrivals than this takes long; most runs get fewer.
const ARRIVALS: u64 = 3_000;

/// Delays that a network may grow to, whatever it had.
const SLOWEST: Span = Span::millis(10);

/// Changes a variation in one respect, starting from what the arm says of it.
pub(super) fn change(variation: &mut Variation, condition: Condition, arm: &ArmPlan, words: &mut impl Words) {
    let own = &arm.surroundings().network;
    match condition {
        Condition::Loss => lose(&mut variation.network.within, &own.within, words),
        Condition::Duplicate => {
            let law = &mut variation.network.within;
            law.duplicate = own.within.duplicate.max(Chance::ratio(one_of(&[1, 10, 50], words), 1_000));
        }
        Condition::Reorder => {
            let hold = log_uniform(Span::millis(1), Span::millis(50), words);
            let hold = if words.below(2) == 0 { Law::Constant(hold) } else { Law::Uniform { low: Span::ZERO, high: hold } };
            variation.network.within.reorder = Some(Reorder { chance: Chance::ratio(1 + words.below(10), 100), hold });
        }
        Condition::Corrupt => {
            variation.network.within.corrupt = Some(Corruption { chance: little(words), checksum: words.below(2) == 0 });
        }
        Condition::Delay => delay(&mut variation.network, own, words),
        Condition::Sync => {
            let high = log_uniform(Span::micros(100), Span::millis(8), words);
            let law = Law::Uniform { low: Span::micros(50), high };
            machines(variation, arm, words, |machine, words| {
                let slower = machine.disk.sync.mean().is_none_or(|mean| mean.scaled(2, 1) < high);
                let sync = if slower { law.clone() } else { machine.disk.sync.clone() };
                let writeback = machine.disk.writeback.map(|own| own.min(Span::secs(1 + words.below(30))));
                machine.disk = DiskConfig { sync, writeback, ..machine.disk.clone() };
            });
        }
        Condition::Clock => machines(variation, arm, words, |machine, words| {
            let skew = i64::try_from(log_uniform(Span::millis(1), Span::secs(600), words).as_nanos()).expect("ten minutes");
            let drift_ppm = one_of(&[0, 0, 50, -50, 500, -500], words);
            machine.clock = ClockConfig { skew: if words.below(2) == 0 { skew } else { -skew }, drift_ppm };
        }),
        Condition::Load => variation.load = load(arm, words),
    }
}

/// From a thousandth to a hundredth: it goes on after healing, and each datagram that is lost keeps a place at its receiver for as long as a
/// time-out. For more there are faults that end.
fn little(words: &mut impl Words) -> Chance {
    Chance::ratio(one_of(&[1, 2, 5, 10], words), 1_000)
}

fn lose(law: &mut LinkLaw, own: &LinkLaw, words: &mut impl Words) {
    if words.below(3) == 0 {
        // Bad times are rare and short: they come after healing too, and what a stream has lost it sends again later and later.
        let good = log_uniform(Span::secs(1), Span::secs(8), words);
        let bad = log_uniform(Span::millis(5), Span::millis(100).min(good.scaled(1, 50)), words);
        let loss_bad = Chance::ratio(one_of(&[20, 50, 90], words), 100);
        law.burst = Some(Burst { good, bad, loss_good: Chance::NEVER, loss_bad });
    } else {
        law.loss = own.loss.max(little(words));
    }
}

fn delay(network: &mut NetworkConfig, own: &NetworkConfig, words: &mut impl Words) {
    let mean = own.within.delay.mean().unwrap_or(Span::millis(1)).max(Span::micros(10));
    let most = SLOWEST.max(mean.scaled(3, 2));
    let factor = one_of(&[250, 500, 1_000, 2_000, 4_000, 8_000], words);
    let mean = mean.scaled(factor, 1_000).min(most);
    network.within.delay = match words.below(3) {
        0 => Law::Constant(mean),
        1 => Law::Uniform { low: Span::ZERO, high: mean * 2 },
        _ => Law::LogNormal { median: mean.scaled(3, 4).max(Span::micros(1)), p99: mean * 10 },
    };
}

/// Changes the machine of one node, or of each by itself.
fn machines<W: Words>(variation: &mut Variation, arm: &ArmPlan, words: &mut W, mut change: impl FnMut(&mut MachineConfig, &mut W)) {
    let nodes = arm.model().roster().nodes;
    let only = (words.below(2) == 0).then(|| index(words, nodes.len()));
    for (at, node) in nodes.iter().enumerate() {
        if only.is_some_and(|only| only != at) {
            continue;
        }
        let matches = |name: &str| name == "*" || name == node.name || node.groups.contains(&name);
        let own = variation.machines.iter().rev().find(|(name, _)| matches(name));
        let mut machine = own.map_or_else(MachineConfig::default, |(_, machine)| machine.clone());
        change(&mut machine, words);
        variation.machines.retain(|(name, _)| *name != node.name);
        variation.machines.push((node.name.clone(), machine));
    }
}

/// How many operations a stream issues before the draining phase, about.
fn arrivals(stream: &LoadStream, span: Span) -> u64 {
    let times = |rate: Rate, span: Span| {
        u64::try_from(u128::from(rate.count()) * u128::from(span.as_nanos()) / u128::from(rate.per().as_nanos())).unwrap_or(u64::MAX)
    };
    let count = match &stream.arrivals {
        Arrivals::Constant { rate } | Arrivals::Poisson { rate } | Arrivals::Diurnal { mean: rate, .. } => times(*rate, span),
        Arrivals::Bursts { rate_high, rate_low, .. } => times(*rate_high, span) / 2 + times(*rate_low, span) / 2,
        Arrivals::Steps(steps) => {
            let ends = steps.iter().skip(1).map(|(at, _)| *at).chain([crate::base::Time::ZERO + span]);
            steps.iter().zip(ends).map(|((at, rate), end)| times(*rate, end.saturating_since(*at))).sum()
        }
        Arrivals::Trace(rows) => rows.len() as u64,
        Arrivals::Closed { users, think } => {
            let think = think.mean().unwrap_or(Span::secs(1)).max(Span::millis(1));
            u64::from(*users).saturating_mul(span.as_nanos() / think.as_nanos())
        }
    };
    stream.limit.map_or(count, |limit| limit.min(count))
}

/// The arm's load, so thin that a run is quick.
pub(super) fn quick(arm: &ArmPlan) -> LoadConfig {
    let span = arm.phases().load_until().since(crate::base::Time::ZERO);
    let all: u64 = arm.load().streams.iter().map(|stream| arrivals(stream, span)).fold(0, u64::saturating_add);
    let mut load = arm.load().clone();
    if all > ARRIVALS {
        // Round shares read better: a half, a quarter, …
        let share = all.div_ceil(ARRIVALS).next_power_of_two();
        load.streams.iter_mut().for_each(|stream| thin(stream, 1, share));
    }
    load
}

/// The arm's load: less of it, in bursts, about one key.
fn load(arm: &ArmPlan, words: &mut impl Words) -> LoadConfig {
    let mut load = if words.below(8) == 0 { arm.load().clone() } else { quick(arm) };
    let share = one_of(&[10, 25, 50, 75, 100, 100], words);
    let one_key = words.below(3) == 0;
    let in_bursts = words.below(3) == 0;
    let chaos = arm.phases().start(Phase::Heal).since(arm.surroundings().chaos_start);
    for stream in &mut load.streams {
        thin(stream, share, 100);
        if one_key && stream.keys != Keys::FromTrace {
            stream.keys = Keys::Uniform { count: 1 };
        }
        if let (true, Arrivals::Constant { rate } | Arrivals::Poisson { rate }) = (in_bursts, &stream.arrivals) {
            let times = one_of(&[2, 5, 10], words);
            let on = log_uniform(Span::millis(10), chaos.scaled(1, 10).max(Span::millis(10)), words);
            let (rate_high, rate_low) = (share_of(*rate, times, 1), Rate::ZERO);
            // Of fixed length: a burst that happened to be long would be more work than the scenario asks for.
            let (on, off) = (Law::Constant(on), Law::Constant(on * (times - 1)));
            stream.arrivals = Arrivals::Bursts { rate_high, rate_low, on, off };
        }
    }
    load
}

/// Makes a stream ask for a share of what it asks for. A recording stays as it is.
fn thin(stream: &mut LoadStream, share: u64, of: u64) {
    let less = |rate: &mut Rate| *rate = share_of(*rate, share, of);
    match &mut stream.arrivals {
        Arrivals::Constant { rate } | Arrivals::Poisson { rate } | Arrivals::Diurnal { mean: rate, .. } => less(rate),
        Arrivals::Bursts { rate_high, rate_low, .. } => {
            less(rate_high);
            less(rate_low);
        }
        Arrivals::Steps(steps) => steps.iter_mut().for_each(|(_, rate)| less(rate)),
        Arrivals::Trace(_) => {}
        Arrivals::Closed { users, .. } => {
            let fewer = (u64::from(*users) * share).div_ceil(of);
            *users = u32::try_from(fewer).unwrap_or(*users);
        }
    }
}

/// A share of a rate, or several times as much; as it is where that has no exact number.
fn share_of(rate: Rate, share: u64, of: u64) -> Rate {
    let both = rate.count().checked_mul(share).zip(rate.per().as_nanos().checked_mul(of));
    both.map_or(rate, |(count, per)| Rate::new(count, Span::nanos(per)))
}
