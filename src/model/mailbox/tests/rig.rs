//! A small run for tests: a configuration as text, a load, faults, and the judges.

use std::sync::Arc;

use crate::base::value::Table;
use crate::base::{ClientOp, KeyId, Law, NodeId, PayloadId, Problem, Severity, Span, Stream, Time, Words};
use crate::check::{JudgeConfig, Judged, Judges, Promises};
use crate::model::Model;
use crate::parts::config::{LinkLaw, MachineConfig, NetworkConfig};
use crate::parts::fault::Fault;
use crate::record::{Command, Entry, Marks, Op, Phase, What};
use crate::world::{Sim, Surroundings};

use super::super::{Config, MODEL, check, promises};

/// The configuration in a text, which must be right.
pub(super) fn config(text: &str) -> Config {
    let (found, problems) = read(text);
    let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    found.expect("no errors, so a configuration")
}

/// The configuration in a text, and what is wrong with it.
pub(super) fn read(text: &str) -> (Option<Config>, Vec<Problem>) {
    let (table, mut problems) = Table::parse("test.toml", text);
    assert!(problems.is_empty(), "{problems:#?}");
    let config = check::config(&table, &mut problems);
    (config, problems)
}

/// What is asked of a run besides its configuration.
#[derive(Clone)]
pub(super) struct Plan {
    pub(super) text: String,
    /// Where messages go, each in turn.
    pub(super) to: Vec<&'static str>,
    /// From one message to the next.
    pub(super) gap: Span,
    pub(super) chaos: Span,
    pub(super) heal: Span,
    pub(super) drain: Span,
    pub(super) link: LinkLaw,
    pub(super) machines: Vec<(String, MachineConfig)>,
    pub(super) faults: Vec<Fault>,
    pub(super) trace: usize,
}

impl Plan {
    pub(super) fn new(text: &str, to: &[&'static str]) -> Plan {
        Plan {
            text: text.to_owned(),
            to: to.to_vec(),
            gap: Span::millis(20),
            chaos: Span::secs(8),
            heal: Span::secs(2),
            drain: Span::secs(60),
            link: LinkLaw::healthy(Law::Uniform { low: Span::micros(300), high: Span::millis(3) }),
            machines: Vec::new(),
            faults: Vec::new(),
            trace: 0,
        }
    }
}

/// How a run ended.
pub(super) struct Outcome {
    pub(super) judged: Judged,
    pub(super) promises: Promises,
    pub(super) marks: Marks,
    pub(super) breach: Option<(Time, String)>,
    pub(super) digest: u64,
    pub(super) history: Vec<Entry>,
}

impl Outcome {
    /// The promises that were not kept, each with its witness.
    pub(super) fn violations(&self) -> Vec<String> {
        let broken = self.judged.findings.iter().filter(|finding| finding.promised && finding.verdict.is_broken());
        broken.map(|finding| format!("{}: {:?}", finding.property, finding.verdict)).collect()
    }
    pub(super) fn is_broken(&self, property: crate::check::Property) -> bool {
        self.judged.finding(property).verdict.is_broken()
    }
}

fn command(number: u32, to: crate::base::ObjectId, words: &mut Stream) -> Command {
    let key = KeyId(u32::try_from(words.below(5)).expect("small"));
    Command { op: ClientOp(number), what: Op::Publish { to, key, payload: PayloadId(number), bytes: 100 } }
}

/// Runs a plan under a seed.
pub(super) fn run(plan: &Plan, seed: u64) -> Outcome {
    let config = config(&plan.text);
    let producers = config.places.producers.clone();
    let heal_start = Time::ZERO + plan.chaos;
    let surroundings = Surroundings {
        overrides: std::sync::Arc::new([]),
        network: NetworkConfig::flat(plan.link.clone()),
        machines: plan.machines.clone(),
        faults: Arc::from(plan.faults.clone()),
        chaos_start: Time::ZERO,
        heal_start,
        trace_limit: plan.trace,
        trace_window: crate::record::Window::ALL,
        invariant_stride: 97,
    };
    let (table, mut problems) = Table::parse("test.toml", &plan.text);
    let checked = MODEL.check(&table, &mut problems).expect("checked above");
    let mut sim = checked.start(&surroundings, seed).expect("the surroundings fit");
    let names = sim.names().clone();
    let (drain_start, end) = (heal_start + plan.heal, heal_start + plan.heal + plan.drain);
    let mut words = Stream::named(seed, "test load", 0);
    let (mut at, mut number) = (Time::ZERO + Span::millis(5), 0);
    while at < drain_start {
        let to = names.find(plan.to[number as usize % plan.to.len()]).expect("a destination of the configuration");
        let producer = producers[usize::try_from(words.below(producers.len() as u64)).expect("few")];
        sim.command(at, producer, command(number, to, &mut words));
        number += 1;
        at += words.span_between(Span::ZERO, plan.gap * 2);
    }
    let mut history = Vec::new();
    advance(&mut *sim, heal_start, &mut history);
    sim.heal(heal_start, &mut history);
    advance(&mut *sim, end, &mut history);
    history.push(Entry { at: end, node: NodeId(0), what: What::Phase(Phase::Final) });
    sim.final_read(&mut history);
    judge(&*sim, history, (&config, JudgeConfig { window: Span::secs(1), chaos_start: Time::ZERO, heal_start, drain_start, end }))
}

/// Runs on, a tenth of a second at a time: a model that never comes to rest at one moment is found out.
fn advance(sim: &mut dyn Sim, until: Time, history: &mut Vec<Entry>) {
    let mut next = sim.now();
    while next < until {
        next = (next + Span::millis(100)).min(until);
        let mut out = Vec::new();
        while sim.advance(next, &mut out) {
            history.append(&mut out);
            assert!(sim.events() < 3_000_000, "the run never ends: {} at {}", sim.events(), sim.now());
        }
    }
}

fn judge(sim: &dyn Sim, history: Vec<Entry>, (config, when): (&Config, JudgeConfig)) -> Outcome {
    let promises = promises::of(config);
    let mut judges = Judges::new(Arc::new(sim.names().clone()), when);
    for entry in &history {
        judges.fold(entry);
    }
    Outcome {
        judged: judges.finish(when.end, &promises),
        promises,
        marks: sim.marks().clone(),
        breach: sim.breach().cloned(),
        digest: sim.digest().value(),
        history,
    }
}
