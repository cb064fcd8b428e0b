//! PHOLD on desque: a bare queue of events that act on one state, with the wrapped time of its own example.

use std::cmp::Ordering;
use std::ops::Add;

use desque::serial::{OkEvent, Simulation};
use desque::{SimState, SimTime};
use rand_distr04::{Distribution, Exp1};
use rand_pcg::Pcg64;
use rand08::{Rng, SeedableRng};

const PROCESSES: u32 = 1024;

#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Time(f64);

impl Eq for Time {}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        self.partial_cmp(other).expect("a number")
    }
}

impl Add<f64> for Time {
    type Output = Time;

    fn add(self, wait: f64) -> Time {
        Time(self.0 + wait)
    }
}

impl SimTime for Time {}

pub(crate) struct State {
    words: Pcg64,
    /// Tokens that came by, of each process.
    passed: Vec<u32>,
    handled: u64,
    events: u64,
}

impl SimState<Time> for State {
    fn is_complete(&self, _: &Time) -> bool {
        self.handled >= self.events
    }
}

#[derive(Debug)]
struct Token {
    id: u32,
    hop: u32,
    at: u32,
}

impl Token {
    fn pass(&self, sim: &mut Simulation<State, Time>) {
        let words = &mut sim.state_mut().words;
        let at = words.gen_range(0..PROCESSES);
        let wait: f64 = Exp1.sample(words);
        let time = *sim.current_time() + 0.1 + wait;
        sim.schedule(Token { id: self.id, hop: self.hop + 1, at }, time).expect("time runs forward");
    }
}

impl OkEvent<State, Time> for Token {
    fn execute(&mut self, sim: &mut Simulation<State, Time>) {
        let state = sim.state_mut();
        state.handled += 1;
        state.passed[self.at as usize] += 1;
        self.pass(sim);
    }
}

/// A simulation with so many events pending.
pub(crate) fn prepare(pending: u32) -> Simulation<State, Time> {
    let state = State { words: Pcg64::seed_from_u64(1), passed: vec![0; PROCESSES as usize], handled: 0, events: 0 };
    let mut sim = Simulation::new(state, Time(0.0));
    for id in 0..pending {
        Token { id, hop: 0, at: id % PROCESSES }.pass(&mut sim);
    }
    sim
}

/// Runs so many events; gives how many were handled.
pub(crate) fn run(sim: &mut Simulation<State, Time>, events: u64) -> u64 {
    sim.state_mut().events = events;
    sim.run().expect("nothing fails");
    sim.state().handled
}
