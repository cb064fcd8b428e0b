//! A trial before it is written out: what is drawn, and how it becomes simpler.

use std::sync::Arc;

use proptest::strategy::{BoxedStrategy, Just, Strategy};

use crate::base::Time;
use crate::load::LoadConfig;
use crate::scenario::ArmPlan;

use super::faults::{Strike, Strikes};
use super::load::{Ask, Asks};
use super::network::{Link, NetworkSpace};
use super::settings::{Arms, Picks};
use super::shrinking::{Shrinking, smaller};

/// Seeds are below this: large ones tell no more, and a small one is read more easily.
const SEEDS: u64 = 10_000;

/// Seeds of runs. They shrink towards zero.
pub fn seeds() -> BoxedStrategy<u64> {
    Shrinking::new(0..SEEDS, |seed| smaller(*seed)).boxed()
}

/// What is drawn. `None`: what the scenario itself says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Draft {
    pub(super) picks: Picks,
    link: Option<Link>,
    asks: Option<Vec<Ask>>,
    strikes: Option<Vec<Strike>>,
    pub(super) seed: u64,
}

/// What drafts are drawn from.
#[derive(Clone)]
pub(super) struct Drafts {
    pub(super) arms: Arc<Arms>,
    pub(super) networks: Option<NetworkSpace>,
    pub(super) asks: Option<Asks>,
    pub(super) strikes: Option<Strikes>,
}

impl Drafts {
    pub(super) fn strategy(self) -> Shrinking<Draft> {
        let law = self.clone();
        Shrinking::new(self.draw(), move |draft| law.simpler(draft))
    }

    fn draw(self) -> BoxedStrategy<Draft> {
        let link = self.networks.map_or_else(|| Just(None).boxed(), |space| Link::draw(space).prop_map(Some).boxed());
        let asks = self.asks.as_ref().map_or_else(|| Just(None).boxed(), |asks| asks.draw().prop_map(Some).boxed());
        let strikes = self.strikes;
        let both = asks.prop_flat_map(move |asks| {
            let near = asks.iter().flatten().map(|ask| ask.at).collect();
            let drawn = strikes.as_ref().map_or_else(|| Just(None).boxed(), |strikes| strikes.draw(near).prop_map(Some).boxed());
            (Just(asks), drawn)
        });
        let all = (self.arms.draw(), link, both, 0..SEEDS);
        all.prop_map(|(picks, link, (asks, strikes), seed)| Draft { picks, link, asks, strikes, seed }).boxed()
    }

    /// Everything simpler, what saves most first: fewer faults, fewer operations, a healthy network, plain settings; then each
    /// part for itself; moments and the seed last.
    fn simpler(&self, draft: &Draft) -> Vec<Draft> {
        let mut found = Vec::new();
        let strikes = |more: &dyn Fn(&[Strike]) -> Vec<Vec<Strike>>, found: &mut Vec<Draft>| {
            let some = draft.strikes.as_deref().map_or_else(Vec::new, more);
            found.extend(some.into_iter().map(|strikes| Draft { strikes: Some(strikes), ..draft.clone() }));
        };
        let asks = |more: &dyn Fn(&[Ask]) -> Vec<Vec<Ask>>, found: &mut Vec<Draft>| {
            let some = draft.asks.as_deref().map_or_else(Vec::new, more);
            found.extend(some.into_iter().map(|asks| Draft { asks: Some(asks), ..draft.clone() }));
        };
        strikes(&Strikes::fewer, &mut found);
        asks(&Asks::fewer, &mut found);
        let links = draft.link.map_or_else(Vec::new, Link::simpler);
        found.extend(links.into_iter().map(|link| Draft { link: Some(link), ..draft.clone() }));
        found.extend(self.arms.simpler(&draft.picks).into_iter().map(|picks| Draft { picks, ..draft.clone() }));
        if let Some(law) = &self.strikes {
            strikes(&|all| law.milder(all), &mut found);
        }
        asks(&Asks::plainer, &mut found);
        found.extend(self.rounder(draft));
        if let Some(law) = &self.asks {
            asks(&|all| law.rounder(all), &mut found);
        }
        if let Some(law) = &self.strikes {
            strikes(&|all| law.rounder(all), &mut found);
        }
        found.extend(smaller(draft.seed).into_iter().map(|seed| Draft { seed, ..draft.clone() }));
        found
    }

    /// Operations at rounder moments, and faults moved along with the first of them: what comes in the middle of something stays there.
    fn rounder(&self, draft: &Draft) -> Vec<Draft> {
        let (Some(asks), Some(list), Some(strikes)) = (&draft.asks, &self.asks, &draft.strikes) else { return Vec::new() };
        let Some(law) = self.strikes.as_ref().filter(|_| !strikes.is_empty()) else { return Vec::new() };
        let moved = |changed: Vec<Ask>| {
            let (before, now) = (asks.first()?.at, changed.first()?.at);
            let shift = |at: Time| {
                let later = at.nanos() + now.saturating_since(before).as_nanos();
                later.checked_sub(before.saturating_since(now).as_nanos()).map(Time::from_nanos).filter(|at| law.allows(*at))
            };
            let strikes: Option<Vec<Strike>> = strikes.iter().map(|strike| Some(strike.moved(shift(strike.at)?))).collect();
            (now != before).then_some(Draft { asks: Some(changed), strikes: Some(strikes?), ..draft.clone() })
        };
        list.rounder(asks).into_iter().filter_map(moved).collect()
    }

    /// The arm of a draft. What names a node that is not there under its settings is left out.
    pub(super) fn arm(&self, draft: &Draft) -> ArmPlan {
        let arm = self.arms.get(&draft.picks).expect("a draft's settings were read when it was drawn");
        let roster = arm.model().roster();
        let there = |name: &str| roster.nodes.iter().any(|node| node.name == name || node.groups.contains(&name));
        let mut arm = (*arm).clone();
        if let Some(link) = draft.link {
            let network = crate::parts::config::NetworkConfig { within: link.law(), ..arm.surroundings().network.clone() };
            arm = arm.with_network(network);
        }
        if let (Some(law), Some(asks)) = (&self.asks, &draft.asks) {
            arm = arm.with_load(LoadConfig { streams: Vec::new(), listed: law.listed(asks, there) });
        }
        if let (Some(law), Some(strikes)) = (&self.strikes, &draft.strikes) {
            let known: Vec<Strike> = strikes.iter().filter(|strike| there(law.who(strike))).cloned().collect();
            arm = arm.with_faults(law.faults(&known));
        }
        arm
    }
}
