//! Plans made from plans: for whoever runs the same thing with one part changed. Nothing is checked here: a plan that is to be
//! trusted is printed and read again.

use crate::base::Problem;
use crate::load::{Arrivals, LoadConfig, LoadStream, Phases};
use crate::model::Model;
use crate::parts::config::{MachineConfig, NetworkConfig};
use crate::parts::fault::Fault;
use crate::record::Phase;
use crate::world::{NamedOverride, Surroundings};

use super::capsule::CapsuleNote;
use super::check::{Source, read};
use super::expect::Expectations;
use super::plan::{ArmPlan, MAIN, Plan, Seeds};
use super::print;

impl ArmPlan {
    /// The same under other surroundings.
    fn under(&self, change: impl FnOnce(&mut Surroundings)) -> ArmPlan {
        let mut changed = self.clone();
        change(&mut changed.surroundings);
        changed
    }

    /// The same with these declared faults in the place of its own.
    #[must_use]
    pub fn with_faults(&self, faults: Vec<Fault>) -> ArmPlan {
        self.under(|surroundings| surroundings.faults = faults.into())
    }

    /// The same with these named transmissions in the place of its own.
    #[must_use]
    pub fn with_overrides(&self, overrides: Vec<NamedOverride>) -> ArmPlan {
        self.under(|surroundings| surroundings.overrides = overrides.into())
    }

    /// The same over another network.
    #[must_use]
    pub fn with_network(&self, network: NetworkConfig) -> ArmPlan {
        self.under(|surroundings| surroundings.network = network)
    }

    /// The same on other machines.
    #[must_use]
    pub fn with_machines(&self, machines: Vec<(String, MachineConfig)>) -> ArmPlan {
        self.under(|surroundings| surroundings.machines = machines)
    }

    /// The same under another load. A stream that comes from a file keeps the file's name as long as its arrivals are those of one
    /// of the streams before; other recorded arrivals have no file, and a plan with such prints no file that can be read.
    #[must_use]
    pub fn with_load(&self, load: LoadConfig) -> ArmPlan {
        let file = |stream: &LoadStream| {
            let Arrivals::Trace(_) = &stream.arrivals else { return None };
            let before = self.load.streams.iter().position(|before| before.arrivals == stream.arrivals)?;
            self.traces[before].clone()
        };
        let traces = load.streams.iter().map(file).collect();
        ArmPlan { load, traces, ..self.clone() }
    }

    /// The same with other phases; faults act during the new ones' chaos.
    #[must_use]
    pub fn with_phases(&self, phases: Phases) -> ArmPlan {
        let changed = self.under(|surroundings| {
            surroundings.chaos_start = phases.start(Phase::Chaos);
            surroundings.heal_start = phases.start(Phase::Heal);
        });
        ArmPlan { phases, ..changed }
    }

    /// The settings that differ from another arm's, as `key = value`.
    #[must_use]
    pub fn changes_from(&self, other: &ArmPlan) -> Vec<String> {
        let changes = print::changes(&print::settings(other), &print::settings(self));
        changes.into_iter().map(|change| format!("{} = {}", change.key, change.value)).collect()
    }

    /// The lines under `[model.NAME]`, defaults included.
    #[must_use]
    pub fn model_text(&self) -> String {
        format!("{}\n", self.model.print().trim_end())
    }

    /// The same with another text under `[model.NAME]`, checked like a file. `models` are those that may be named.
    ///
    /// # Errors
    /// What the model refuses in the text, and what in the rest of the arm names a node, an object or a kind of message that is no
    /// longer there.
    pub fn with_model_table(&self, text: &str, models: &[&'static dyn Model]) -> Result<ArmPlan, Vec<Problem>> {
        let text = format!("# Does it hold?\n# Yes.\n{}", print::settings_with(self, text));
        // Recorded loads are not read again: any recording serves, and the rows that are there are put in its place.
        let files = |_: &str| Ok(b"at,key,bytes\n0s,a,1\n".to_vec());
        let reading = read(&Source { files: &files, ..Source::new("changed", &text, models) });
        let Some(plan) = reading.plan else { return Err(reading.problems) };
        let mut arm = plan.arms.into_iter().next().expect("a plan has a first arm");
        for (stream, own) in arm.load.streams.iter_mut().zip(&self.load.streams) {
            stream.arrivals = own.arrivals.clone();
        }
        arm.surroundings.trace_limit = self.surroundings.trace_limit;
        arm.surroundings.invariant_stride = self.surroundings.invariant_stride;
        Ok(ArmPlan { name: self.name.clone(), expectations: self.expectations.clone(), differs: self.differs.clone(), ..arm })
    }
}

impl Plan {
    /// The same with the note of a capsule.
    #[must_use]
    pub fn with_capsule(self, note: CapsuleNote) -> Plan {
        Plan { capsule: Some(note), ..self }
    }

    /// A plan of one arm under one seed, as capsules need it. Question and answer become one line each; the question ends with a
    /// question mark, neither is empty, and nothing is expected of a fault that is not there, or the plan prints no file that can be
    /// read. Neither can seeds from 2^63 on be written.
    #[must_use]
    pub fn alone(
        question: String,
        answer: String,
        arm: &ArmPlan,
        seed: u64,
        expectations: Expectations,
        capsule: Option<CapsuleNote>,
    ) -> Plan {
        let line = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let main = ArmPlan { name: MAIN.to_owned(), expectations, differs: Vec::new(), ..arm.clone() };
        let seeds = Seeds { first: seed, count: 1 };
        Plan { question: line(question), answer: line(answer), seeds, arms: vec![main], capsule, warnings: Vec::new() }
    }
}
