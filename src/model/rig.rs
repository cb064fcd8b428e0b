//! A small run for the tests of models: a configuration as text, a load, faults, and the judges.

use std::sync::Arc;

use crate::base::value::Table;
use crate::base::{ClientOp, KeyId, Law, NodeId, ObjectId, PayloadId, Problem, Severity, Span, Stream, Time, Words};
use crate::check::{JudgeConfig, Judged, Judges, Promises, Property};
use crate::parts::config::{LinkLaw, MachineConfig, NetworkConfig};
use crate::parts::fault::Fault;
use crate::record::{Command, Entry, Marks, Op, Phase, What};
use crate::world::{Sim, Surroundings};

use super::{Checked, Model};

/// What is asked of a run besides its configuration.
#[derive(Clone)]
pub(in crate::model) struct Plan {
    pub(in crate::model) model: &'static dyn Model,
    pub(in crate::model) text: String,
    /// Where messages go, each in turn.
    pub(in crate::model) to: Vec<&'static str>,
    /// From one message to the next, on average.
    pub(in crate::model) gap: Span,
    pub(in crate::model) chaos: Span,
    pub(in crate::model) heal: Span,
    pub(in crate::model) drain: Span,
    pub(in crate::model) keys: u64,
    pub(in crate::model) link: LinkLaw,
    pub(in crate::model) machines: Vec<(String, MachineConfig)>,
    pub(in crate::model) faults: Vec<Fault>,
    pub(in crate::model) trace: usize,
}

impl Plan {
    pub(in crate::model) fn new(model: &'static dyn Model, text: &str, to: &[&'static str]) -> Plan {
        Plan {
            model,
            text: text.to_owned(),
            to: to.to_vec(),
            gap: Span::millis(20),
            chaos: Span::secs(8),
            heal: Span::secs(2),
            drain: Span::secs(60),
            keys: 5,
            link: LinkLaw::healthy(Law::Uniform { low: Span::micros(300), high: Span::millis(3) }),
            machines: Vec::new(),
            faults: Vec::new(),
            trace: 0,
        }
    }

    fn checked(&self) -> Box<dyn Checked> {
        let (table, mut problems) = Table::parse("test.toml", &self.text);
        let checked = self.model.check(&table, &mut problems);
        let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:#?}\n{}", self.text);
        checked.expect("no errors, so a configuration")
    }
}

/// How a run ended.
pub(in crate::model) struct Outcome {
    pub(in crate::model) judged: Judged,
    pub(in crate::model) promises: Promises,
    pub(in crate::model) marks: Marks,
    pub(in crate::model) breach: Option<(Time, String)>,
    pub(in crate::model) digest: u64,
    pub(in crate::model) history: Vec<Entry>,
    /// The trace in words, where one was kept.
    pub(in crate::model) story: Vec<String>,
}

impl Outcome {
    /// The promises that were not kept, each with its witness.
    pub(in crate::model) fn violations(&self) -> Vec<String> {
        let broken = self.judged.findings.iter().filter(|finding| finding.promised && finding.verdict.is_broken());
        broken.map(|finding| format!("{}: {:?}", finding.property, finding.verdict)).collect()
    }
    pub(in crate::model) fn is_broken(&self, property: Property) -> bool {
        self.judged.finding(property).verdict.is_broken()
    }
}

/// Runs a plan under a seed.
pub(in crate::model) fn run(plan: &Plan, seed: u64) -> Outcome {
    let checked = plan.checked();
    let heal_start = Time::ZERO + plan.chaos;
    let surroundings = Surroundings {
        overrides: Arc::new([]),
        network: NetworkConfig::flat(plan.link.clone()),
        machines: plan.machines.clone(),
        faults: Arc::from(plan.faults.clone()),
        chaos_start: Time::ZERO,
        heal_start,
        trace_limit: plan.trace,
        trace_window: crate::record::Window::ALL,
        invariant_stride: 97,
    };
    let mut sim = checked.start(&surroundings, seed).expect("the surroundings fit");
    let (drain_start, end) = (heal_start + plan.heal, heal_start + plan.heal + plan.drain);
    let roster = checked.roster();
    let clients: Vec<NodeId> = (0..roster.nodes.len()).filter(|at| roster.nodes[*at].takes_load).map(NodeId::at).collect();
    ask(&mut *sim, plan, (&clients, drain_start), seed);
    let mut history = Vec::new();
    advance(&mut *sim, heal_start, &mut history);
    sim.heal(heal_start, &mut history);
    advance(&mut *sim, end, &mut history);
    history.push(Entry { at: end, node: NodeId(0), what: What::Phase(Phase::Final) });
    sim.final_read(&mut history);
    let when = JudgeConfig { window: Span::secs(1), chaos_start: Time::ZERO, heal_start, drain_start, end };
    judge(&*sim, history, (checked.promises(), when))
}

/// The load: everything is asked beforehand.
fn ask(sim: &mut dyn Sim, plan: &Plan, (clients, until): (&[NodeId], Time), seed: u64) {
    let names = sim.names().clone();
    let mut words = Stream::named(seed, "test load", 0);
    let (mut at, mut number) = (Time::ZERO + Span::millis(5), 0);
    while at < until {
        let to = names.find(plan.to[number as usize % plan.to.len()]).expect("a destination of the configuration");
        let client = clients[usize::try_from(words.below(clients.len() as u64)).expect("few")];
        sim.command(at, client, command(number, (to, plan.keys), &mut words));
        number += 1;
        at += words.span_between(Span::ZERO, plan.gap * 2);
    }
}

fn command(number: u32, (to, keys): (ObjectId, u64), words: &mut Stream) -> Command {
    let key = KeyId(u32::try_from(words.below(keys)).expect("small"));
    Command { op: ClientOp(number), what: Op::Publish { to, key, payload: PayloadId(number), bytes: 100 } }
}

/// Runs on, a tenth of a second at a time: a model that never comes to rest at one moment is found out.
fn advance(sim: &mut dyn Sim, until: Time, history: &mut Vec<Entry>) {
    let mut next = sim.now();
    while next < until {
        next = (next + Span::millis(100)).min(until);
        let before = sim.events();
        let mut out = Vec::new();
        while sim.advance(next, &mut out) {
            history.append(&mut out);
            assert!(sim.events() - before < 300_000, "the run never ends: {} events at {}", sim.events(), sim.now());
        }
    }
}

fn judge(sim: &dyn Sim, history: Vec<Entry>, (promises, when): (Promises, JudgeConfig)) -> Outcome {
    let mut judges = Judges::new(Arc::new(sim.names().clone()), when);
    for entry in &history {
        judges.fold(entry);
    }
    let names = sim.names();
    let told = sim.trace().map(|trace| trace.entries()).unwrap_or_default();
    Outcome {
        judged: judges.finish(when.end, &promises),
        promises,
        marks: sim.marks().clone(),
        breach: sim.breach().cloned(),
        digest: sim.digest().value(),
        history,
        story: told.iter().map(|entry| format!("{} {} {:?}", entry.at, names.node(entry.node), entry.step)).collect(),
    }
}
