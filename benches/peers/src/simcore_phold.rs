//! PHOLD on simcore: components in cells that emit events to each other, as its documentation shows.

use std::cell::RefCell;
use std::rc::Rc;

use rand_distr04::Exp1;
use serde::Serialize;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

const PROCESSES: u32 = 1024;

#[derive(Clone, Serialize)]
struct Token {
    id: u32,
    hop: u32,
}

struct Process {
    ctx: SimulationContext,
}

impl Process {
    fn pass(&self, token: Token) {
        // Components are numbered in the order in which they were created.
        let to: Id = self.ctx.gen_range(0..PROCESSES);
        let wait: f64 = self.ctx.sample_from_distribution(&Exp1);
        self.ctx.emit(token, to, 0.1 + wait);
    }
}

impl EventHandler for Process {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Token { id, hop } => {
                self.pass(Token { id, hop: hop + 1 });
            }
        })
    }
}

/// A simulation with so many events pending.
pub(crate) fn prepare(pending: u32) -> Simulation {
    let mut sim = Simulation::new(1);
    let processes: Vec<Rc<RefCell<Process>>> = (0..PROCESSES)
        .map(|i| {
            let name = format!("process-{i}");
            let process = Rc::new(RefCell::new(Process { ctx: sim.create_context(&name) }));
            assert_eq!(sim.add_handler(&name, process.clone()), i);
            process
        })
        .collect();
    for id in 0..pending {
        processes[(id % PROCESSES) as usize].borrow().pass(Token { id, hop: 0 });
    }
    sim
}

/// Runs so many events; gives how many were handled.
pub(crate) fn run(sim: &mut Simulation, events: u64) -> u64 {
    assert!(sim.steps(events), "tokens never end");
    events
}
