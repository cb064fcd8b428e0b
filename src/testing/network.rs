//! Networks that shrink towards a healthy one: nothing lost, nothing twice, one constant delay.

use proptest::strategy::{BoxedStrategy, Strategy};

use crate::base::{Chance, Law, Span};
use crate::parts::config::{Corruption, LinkLaw, Reorder};

use super::shrinking::{Shrinking, smaller};

/// How bad the network between two hosts may be in the trials of a [`super::Bench`]. Shares are in percent.
///
/// ```
/// use deadletter::base::Span;
/// use deadletter::testing::NetworkSpace;
/// let space = NetworkSpace::calm(Span::millis(20)).loss(30).duplicates(10);
/// # let _ = space;
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetworkSpace {
    longest: Span,
    loss: u64,
    duplicates: u64,
    reordered: u64,
    damaged: u64,
}

impl NetworkSpace {
    /// A network on which messages only take time: up to so long on average.
    ///
    /// # Panics
    /// When that is less than a millisecond.
    #[must_use]
    pub const fn calm(longest: Span) -> NetworkSpace {
        assert!(longest.as_nanos() >= MILLI, "delays are drawn in whole milliseconds: allow at least one");
        NetworkSpace { longest, loss: 0, duplicates: 0, reordered: 0, damaged: 0 }
    }

    /// Up to 50 ms, 20% lost, 10% twice, 10% held back, 5% damaged (checksums tell).
    #[must_use]
    pub const fn rough() -> NetworkSpace {
        NetworkSpace { longest: Span::millis(50), loss: 20, duplicates: 10, reordered: 10, damaged: 5 }
    }

    /// Up to so many percent are lost.
    #[must_use]
    pub const fn loss(self, percent: u64) -> NetworkSpace {
        NetworkSpace { loss: percent, ..self }
    }

    /// Up to so many percent arrive twice.
    #[must_use]
    pub const fn duplicates(self, percent: u64) -> NetworkSpace {
        NetworkSpace { duplicates: percent, ..self }
    }

    /// Up to so many percent are held back, and overtaken.
    #[must_use]
    pub const fn reordering(self, percent: u64) -> NetworkSpace {
        NetworkSpace { reordered: percent, ..self }
    }

    /// Up to so many percent are damaged, which a checksum tells.
    #[must_use]
    pub const fn damage(self, percent: u64) -> NetworkSpace {
        NetworkSpace { damaged: percent, ..self }
    }
}

const MILLI: u64 = 1_000_000;

/// A link before it is written out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link {
    /// The mean delay in milliseconds, at least one.
    delay: u64,
    /// Whether delays vary about the mean.
    varies: bool,
    loss: u64,
    duplicates: u64,
    reordered: u64,
    damaged: u64,
}

impl Link {
    pub(super) fn draw(space: NetworkSpace) -> BoxedStrategy<Link> {
        let share = |most: u64| proptest::prop_oneof![proptest::strategy::Just(0), 0..=most.min(100)];
        let delay = 1..=(space.longest.as_nanos() / MILLI);
        let shares = (share(space.loss), share(space.duplicates), share(space.reordered), share(space.damaged));
        let link = (delay, proptest::bool::ANY, shares);
        link.prop_map(|(delay, varies, (loss, duplicates, reordered, damaged))| Link {
            delay,
            varies,
            loss,
            duplicates,
            reordered,
            damaged,
        })
        .boxed()
    }

    /// Nothing goes wrong on it, and everything takes a millisecond.
    const HEALTHY: Link = Link { delay: 1, varies: false, loss: 0, duplicates: 0, reordered: 0, damaged: 0 };

    /// Healthier ones.
    pub(super) fn simpler(self) -> Vec<Link> {
        let mut found = vec![Link::HEALTHY, Link { delay: self.delay, ..Link::HEALTHY }];
        let less = |share: u64| smaller(share).into_iter();
        found.extend(less(self.damaged).map(|damaged| Link { damaged, ..self }));
        found.extend(less(self.reordered).map(|reordered| Link { reordered, ..self }));
        found.extend(less(self.duplicates).map(|duplicates| Link { duplicates, ..self }));
        found.extend(less(self.loss).map(|loss| Link { loss, ..self }));
        found.extend(self.varies.then_some(Link { varies: false, ..self }));
        found.extend(self.quicker().into_iter().map(|(link, _)| link));
        found.retain(|other| *other != self);
        found
    }

    /// The same with a shorter delay, and by how much it is shorter.
    pub(super) fn quicker(self) -> Vec<(Link, Span)> {
        let less = smaller(self.delay).into_iter().filter(|delay| *delay > 0);
        less.map(|delay| (Link { delay, ..self }, Span::millis(self.delay - delay))).collect()
    }

    pub(super) fn law(self) -> LinkLaw {
        let percent = |share: u64| Chance::ratio(share, 100);
        let mean = Span::millis(self.delay);
        let delay = if self.varies { Law::Exponential { floor: mean.scaled(1, 4), mean } } else { Law::Constant(mean) };
        LinkLaw {
            loss: percent(self.loss),
            duplicate: percent(self.duplicates),
            reorder: (self.reordered > 0).then(|| Reorder { chance: percent(self.reordered), hold: Law::Constant(mean * 4) }),
            corrupt: (self.damaged > 0).then(|| Corruption { chance: percent(self.damaged), checksum: true }),
            ..LinkLaw::healthy(delay)
        }
    }
}

/// Laws of the link between two hosts: one goes into a network as `NetworkConfig::flat(law)`, or in the place of the `within` of another.
/// They shrink towards a millisecond and nothing lost.
pub fn networks(space: NetworkSpace) -> BoxedStrategy<LinkLaw> {
    Shrinking::new(Link::draw(space), |link| link.simpler()).prop_map(Link::law).boxed()
}

/// A link in words: `2ms, 5% lost`.
pub(super) fn in_words(law: &LinkLaw) -> String {
    let mut words = vec![law.delay.to_string()];
    let mut share = |chance: Chance, what: &str| words.extend((!chance.is_never()).then(|| format!("{chance} {what}")));
    share(law.loss, "lost");
    share(law.duplicate, "twice");
    share(law.reorder.as_ref().map_or(Chance::NEVER, |reorder| reorder.chance), "held back");
    share(law.corrupt.as_ref().map_or(Chance::NEVER, |corrupt| corrupt.chance), "damaged");
    words.join(", ")
}
