//! A scenario with what may vary in it, from which trials are drawn.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, TestCaseResult, TestError, TestRng, TestRunner};

use crate::base::Time;
use crate::lab::Vocabulary;
use crate::model::Model;
use crate::record::Phase;
use crate::scenario::ArmPlan;

use super::draft::Drafts;
use super::faults::{FaultSpace, Strikes};
use super::load::Asks;
use super::network::NetworkSpace;
use super::settings::{Arms, Choice};
use super::trial::{Report, Trial};

/// A scenario, and what may be otherwise in a trial of it: faults, network, operations, settings. Whatever is not asked to vary stays
/// as the scenario says; the seed varies always.
///
/// ```
/// use deadletter::testing::{Bench, FaultSpace};
/// use proptest::prelude::*;
///
/// let text = "# Does every order arrive?\n# Yes.\n[model.mailbox]\nqueue.orders = {}\nconsumer.billing = { from = \"orders\" }\n\
///             [load]\nto = \"orders\"\narrivals = { law = \"poisson\", rate = \"10/s\" }\n\
///             [phases]\nwarm = \"1s\"\nchaos = \"3s\"\nheal = \"1s\"\ndrain = \"20s\"\n";
/// let bench = Bench::new(text, deadletter::model::BUILT_IN).unwrap().faults(FaultSpace::up_to(2)).messages(5);
/// // In a test file: `proptest! { #[test] fn every_promise_is_kept(trial in bench().trials()) { trial.assert_kept()?; } }`
/// proptest!(ProptestConfig::with_cases(4), |(trial in bench.trials())| trial.assert_kept()?);
/// ```
#[derive(Clone)]
pub struct Bench {
    arms: Arc<Arms>,
    networks: Option<NetworkSpace>,
    faults: Option<FaultSpace>,
    messages: Option<usize>,
    report: Report,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a bench for `{}`", self.arm().model().model().name())
    }
}

impl Bench {
    /// A bench for the file's own settings, from the text of a scenario and the models that it may name.
    ///
    /// # Errors
    /// Every problem of the scenario, as the command line shows it.
    pub fn new(text: &str, models: &'static [&'static dyn Model]) -> Result<Bench, String> {
        let arms = Arc::new(Arms::new(text, models));
        arms.check()?;
        let report = Report::new(text);
        Ok(Bench { arms, networks: None, faults: None, messages: None, report })
    }

    /// The same in another arm of the scenario.
    #[must_use]
    pub fn in_arm(self, name: &str) -> Bench {
        Bench { arms: Arc::new(self.arms.in_arm(name)), ..self }
    }

    /// Faults vary, in the place of the scenario's own.
    #[must_use]
    pub fn faults(self, space: FaultSpace) -> Bench {
        Bench { faults: Some(space), ..self }
    }

    /// The link between two hosts varies. Zones, declared links and the rest of the network stay.
    #[must_use]
    pub fn networks(self, space: NetworkSpace) -> Bench {
        Bench { networks: Some(space), ..self }
    }

    /// From one to `at_most` single operations during chaos, in the place of the scenario's load.
    #[must_use]
    pub fn messages(self, at_most: usize) -> Bench {
        Bench { messages: Some(at_most), ..self }
    }

    /// A setting varies: a dotted key and values as `--set` takes them, the simplest first. Combinations that the model refuses are
    /// not drawn.
    #[must_use]
    pub fn settings(self, key: &str, values: &[&str]) -> Bench {
        let choice = Choice { key: key.to_owned(), values: values.iter().map(|value| (*value).to_owned()).collect() };
        Bench { arms: Arc::new(self.arms.with(choice)), ..self }
    }

    /// The program that has the models, for the line that replays a capsule: `deadletter` unless it is said.
    #[must_use]
    pub fn command(mut self, program: &str) -> Bench {
        self.report.program = program.trim().to_owned();
        self
    }

    /// The name of the capsule's file, without its ending. Otherwise it is the name of the test that runs, or else a hash of the scenario.
    #[must_use]
    pub fn named(mut self, name: &str) -> Bench {
        self.report.name = Some(name.to_owned());
        self
    }

    /// The arm under the first value of each setting.
    fn arm(&self) -> Arc<ArmPlan> {
        self.arms.get(&self.arms.first()).unwrap_or_else(|why| panic!("{why}"))
    }

    fn strikes(&self, arm: &ArmPlan) -> Option<Strikes> {
        let space = self.faults.as_ref()?;
        let vocabulary = space.within(Vocabulary::of(arm)).unwrap_or_else(|why| panic!("{why}"));
        Some(Strikes::new(&vocabulary, chaos(arm), space.at_most))
    }

    fn asks(&self, arm: &ArmPlan) -> Option<Asks> {
        Some(Asks::new(arm, chaos(arm), self.messages?))
    }

    /// The trials. They shrink as a whole: fewer faults, fewer operations, a healthy network, first values; then milder faults at single
    /// nodes, plainer operations, rounder moments, a small seed.
    ///
    /// # Panics
    /// When the bench is not in order, with what is wrong: an arm, node, group or setting that is not there; a setting without values, or
    /// with one that is refused in every combination; first values that are refused together; no kinds of faults; no operations; a
    /// scenario without chaos, in which faults and operations have their place.
    pub fn trials(&self) -> BoxedStrategy<Trial> {
        if let Err(why) = self.arms.check() {
            panic!("{why}");
        }
        let arm = self.arm();
        let (asks, strikes) = (self.asks(&arm), self.strikes(&arm));
        let drafts = Arc::new(Drafts { arms: Arc::clone(&self.arms), networks: self.networks, asks, strikes });
        let report = Arc::new(self.report.clone());
        let strategy = Drafts::clone(&drafts).strategy();
        strategy.prop_map(move |draft| Trial::new(&drafts, &draft, Arc::clone(&report))).boxed()
    }

    /// Runs a property over trials without a test around it: for programs. There are as many trials as `PROPTEST_CASES` says, else
    /// `cases`; they are the same every time.
    ///
    /// # Errors
    /// The simplest trial that fails.
    ///
    /// # Panics
    /// When the bench is not in order ([`Bench::trials`]), or when nearly all of the drawn settings are refused.
    pub fn check(&self, cases: u32, property: impl Fn(&Trial) -> TestCaseResult) -> Result<(), Counterexample> {
        match runner(cases).run(&self.trials(), |trial| property(&trial)) {
            Ok(()) => Ok(()),
            Err(TestError::Fail(why, trial)) => Err(Counterexample { trial, why: why.message().to_owned() }),
            Err(TestError::Abort(why)) => panic!("{}", why.message()),
        }
    }

    /// In how many of the trials that [`Bench::check`] runs each mark of the model is reached. A property whose trials never get to the
    /// rare paths proves little about them.
    ///
    /// # Panics
    /// When the bench is not in order, or when a run panics.
    #[must_use]
    pub fn covers(&self, cases: u32) -> BTreeMap<String, u32> {
        let arm = self.arm();
        let reached = arm.model().model().marks().iter().map(|(mark, _)| ((*mark).to_owned(), 0)).collect();
        let reached = std::cell::RefCell::new(reached);
        let told = self.check(cases, |trial| {
            let ran = trial.run().map_err(|crash| proptest::test_runner::TestCaseError::fail(crash.what))?;
            let mut reached: std::cell::RefMut<'_, BTreeMap<String, u32>> = reached.borrow_mut();
            for (mark, _) in ran.outcome.marks.iter().filter(|(_, count)| *count > 0) {
                *reached.entry(mark.clone()).or_default() += 1;
            }
            Ok(())
        });
        if let Err(found) = told {
            panic!("{found}");
        }
        reached.into_inner()
    }
}

/// The moments of chaos: from the first on, before the second.
fn chaos(arm: &ArmPlan) -> (Time, Time) {
    (arm.phases().start(Phase::Chaos), arm.phases().start(Phase::Heal))
}

/// Runs so many cases, or as many as the environment says, the same ones every time.
fn runner(cases: u32) -> TestRunner {
    let config = Config { failure_persistence: None, ..Config::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { cases };
    let config = Config { cases, max_shrink_iters: SHRINKS.max(config.max_shrink_iters()), ..config };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
}

/// So many simpler trials may be tried at least.
const SHRINKS: u32 = 4096;

/// The simplest trial that fails.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// It.
    pub trial: Trial,
    /// What is wrong with it, as its assertion says.
    pub why: String,
}

impl fmt::Display for Counterexample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}\n{}", self.trial, self.why)
    }
}
