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
        found.extend(self.quicker(draft));
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

    /// Shorter delays, and faults earlier by as much: what comes after one, two, … four messages comes after them still.
    fn quicker(&self, draft: &Draft) -> Vec<Draft> {
        let (Some(link), Some(strikes), Some(law)) = (draft.link, &draft.strikes, &self.strikes) else { return Vec::new() };
        let mut found = Vec::new();
        for (link, less) in link.quicker() {
            for messages in 1..=4 {
                let earlier = |strike: &Strike| {
                    let at = strike.at.nanos().checked_sub((less * messages).as_nanos()).map(Time::from_nanos);
                    at.filter(|at| law.allows(*at)).map(|at| strike.moved(at))
                };
                let strikes: Option<Vec<Strike>> = strikes.iter().map(earlier).collect();
                let some = strikes.filter(|strikes| !strikes.is_empty());
                found.extend(some.map(|strikes| Draft { link: Some(link), strikes: Some(strikes), ..draft.clone() }));
            }
        }
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

#[cfg(test)]
mod tests {
    use std::fmt;

    use proptest::test_runner::{Config, TestCaseError, TestError, TestRng, TestRunner};

    use super::*;
    use crate::base::{KeyId, Law, Span};
    use crate::lab::{IllKind, Vocabulary};
    use crate::load::Listed;
    use crate::model::BUILT_IN;
    use crate::parts::config::LinkLaw;
    use crate::parts::fault::{Fault, Ill, Selector, When};
    use crate::testing::{Bench, FaultSpace, MILDEST_FIRST, NetworkSpace, faults, networks, operations, settings};

    const TEXT: &str = "# Is it so?\n# Yes.\n[model.mailbox]\nqueue.orders = {}\nqueue.mails = {}\nproducer.count = 2\n\
        consumer.billing = { from = \"orders\", count = 2 }\n[[load]]\nto = \"orders\"\narrivals = { law = \"poisson\", rate = \"10/s\" }\n\
        [[load]]\nto = \"mails\"\narrivals = { law = \"poisson\", rate = \"10/s\" }\n[phases]\nwarm = \"1s\"\nchaos = \"4s\"\nheal = \"1s\"\ndrain = \"5s\"\n";

    fn main_arm() -> Arc<ArmPlan> {
        Arms::new(TEXT, BUILT_IN).get(&Vec::new()).unwrap_or_else(|problems| panic!("{problems}"))
    }

    fn secs(secs: u64) -> Time {
        Time::ZERO + Span::secs(secs)
    }

    /// What a property ends with that fails for these.
    fn smallest<T: Clone + fmt::Debug>(strategy: impl Strategy<Value = T>, fails: impl Fn(&T) -> bool) -> T {
        let config = Config { cases: 2000, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(config.rng_algorithm);
        let test = |value: T| if fails(&value) { Err(TestCaseError::fail("it fails")) } else { Ok(()) };
        match TestRunner::new_with_rng(config, rng).run(&strategy, test) {
            Err(TestError::Fail(_, value)) => value,
            other => panic!("nothing fails: {other:?}"),
        }
    }

    #[test]
    fn faults_shrink_to_the_mildest_at_one_node() {
        let vocabulary = Vocabulary::of(&main_arm());
        let plans = || faults(&vocabulary, (secs(1), secs(5)), 5);
        let down = |fault: &Fault| IllKind::of(&fault.ill).takes_down();
        let found = smallest(plans(), |plan| plan.len() >= 3 && plan.iter().any(down));
        let kinds: Vec<IllKind> = found.iter().map(|fault| IllKind::of(&fault.ill)).collect();
        assert_eq!(kinds.iter().filter(|kind| **kind == IllKind::Slow).count(), 2, "{kinds:?}");
        assert_eq!(kinds.iter().filter(|kind| **kind == IllKind::Kill).count(), 1, "{kinds:?}");
        let late = |fault: &Fault| matches!(&fault.when, When::At(times) if times[0] > secs(2));
        let found = smallest(plans(), |plan| plan.iter().any(|fault| late(fault) && matches!(fault.ill, Ill::PowerOff(_))));
        let first = Selector::Named("broker".to_owned());
        let expected = Fault {
            name: "power off broker".to_owned(),
            ill: Ill::PowerOff(first),
            when: When::At(vec![secs(3)]),
            lasts: Some(Law::Constant(Span::ZERO)),
        };
        let When::At(times) = &found[0].when else { panic!("{found:?}") };
        assert!([3, 4].map(secs).contains(&times[0]), "a whole second: {found:?}");
        assert_eq!(found, [Fault { when: found[0].when.clone(), ..expected }]);
    }

    #[test]
    fn every_kind_has_its_place_among_the_mild_and_the_harsh() {
        let mut kinds = MILDEST_FIRST.to_vec();
        kinds.sort_unstable();
        assert_eq!(kinds, IllKind::ALL);
    }

    #[test]
    fn networks_shrink_to_healthy_ones() {
        let space = NetworkSpace::rough();
        assert_eq!(smallest(networks(space), |_| true), LinkLaw::healthy(Law::Constant(Span::millis(1))));
        let found = smallest(networks(space), |law| law.duplicate.steps() > crate::base::Chance::ratio(3, 100).steps());
        assert_eq!(found, LinkLaw { duplicate: crate::base::Chance::ratio(4, 100), ..LinkLaw::healthy(Law::Constant(Span::millis(1))) });
        let calm = networks(NetworkSpace::calm(Span::millis(3)));
        let other =
            |law: &LinkLaw| LinkLaw::healthy(law.delay.clone()) != *law || law.delay.mean().is_none_or(|mean| mean > Span::millis(3));
        let mut runner = TestRunner::deterministic();
        let drawn: Vec<LinkLaw> = (0..200).map(|_| calm.new_tree(&mut runner).expect("a value").current()).collect();
        assert!(!drawn.iter().any(other), "{drawn:?}");
    }

    #[test]
    fn operations_shrink_to_plain_ones() {
        let arm = main_arm();
        let lists = || operations(&arm, (secs(1), secs(5)), 20);
        let found = smallest(lists(), |list| list.len() >= 3 && list[0].at > secs(2));
        let ats: Vec<Time> = found.iter().map(|one| one.at).collect();
        assert_eq!(ats, [0, 100, 200].map(|millis| ats[0] + Span::millis(millis)), "{found:?}");
        assert!([3, 4].map(secs).contains(&ats[0]), "{found:?}");
        let plain = |one: &Listed| (one.client.as_str(), one.to.as_str(), one.key) == ("producer-1", "orders", KeyId(0));
        assert!(found.iter().all(plain) && found.iter().map(|one| one.payload.0).eq(0..3), "{found:?}");
        let found = smallest(lists(), |list| list.iter().any(|one| one.to == "mails" && one.client == "producer-2"));
        assert!(found.len() == 1 && found[0].key == KeyId(0) && (1..5).map(secs).any(|at| at == found[0].at), "{found:?}");
    }

    #[test]
    fn settings_and_seeds_shrink_to_the_first() {
        let choices: [(&str, &[&str]); 3] = [("a", &["1", "2", "3"]), ("b", &["x", "y"]), ("c", &["on"])];
        let found = smallest(settings(&choices), |values| values[0].1 != "1");
        assert_eq!(found, [("a", "2"), ("b", "x"), ("c", "on")].map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(smallest(seeds(), |seed| *seed >= 4321), 4321);
    }

    #[test]
    fn trials_shrink_as_a_whole() {
        let bench = Bench::new(TEXT, BUILT_IN).expect("a scenario");
        let bench = bench.faults(FaultSpace::up_to(4)).messages(10).networks(NetworkSpace::rough());
        let bench = bench.settings("model.mailbox.producer.count", &["1", "2", "4"]);
        // It takes a fault at a node that is there only under the last value.
        let found = smallest(bench.trials(), |trial| {
            let surroundings = trial.case().arm.surroundings();
            surroundings.faults.iter().any(|fault| fault.name.contains("billing-2")) && surroundings.network.within.loss.steps() > 0
        });
        let text = format!("{found:?}");
        for line in ["faults:     slow billing-2 at ", "network:    always 1ms, 1% lost\n", "count=1\n", "seed:       0\n"] {
            assert!(text.contains(line), "`{line}` is not in {text}");
        }
        assert!(text.contains("s for 10ms\n") && found.case().arm.load().listed.len() == 1, "{text}");
    }

    /// Under other settings there are other nodes: what names one that is not there is left out.
    #[test]
    fn nobody_is_hit_who_is_not_there() {
        let bench = Bench::new(TEXT, BUILT_IN).expect("a scenario").faults(FaultSpace::up_to(4).at(&["producer-2"])).messages(10);
        let bench = bench.settings("model.mailbox.producer.count", &["2", "1"]);
        let told = bench.check(64, |trial| {
            let arm = &trial.case().arm;
            let there = arm.model().roster().nodes.iter().any(|node| node.name == "producer-2");
            let named = !arm.surroundings().faults.is_empty() || arm.load().listed.iter().any(|one| one.client == "producer-2");
            if named && !there { Err(TestCaseError::fail("it names nobody")) } else { Ok(()) }
        });
        told.unwrap_or_else(|found| panic!("{found}"));
    }
}
