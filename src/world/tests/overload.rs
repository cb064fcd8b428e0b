//! Processors with run queues: bounded queues refuse, timers wait their turn, crashes empty them.

use super::script::{Act, Bell, Script, at, fault, ms, n, seen, ten, world};
use crate::base::{Law, NodeId};
use crate::parts::config::{CpuConfig, MachineConfig};
use crate::parts::fault::Ill;
use crate::record::{LossReason, Step};
use crate::world::{Sim, Surroundings};

fn machine(servers: u32, queue: Option<u32>) -> Surroundings {
    let cpu = CpuConfig { servers, queue, service: Law::Constant(ms(20)) };
    let mut surroundings = ten();
    surroundings.machines = vec![("n1".into(), MachineConfig { cpu: Some(cpu), ..MachineConfig::default() })];
    surroundings
}

fn script(acts: &[(u64, u32, Act)]) -> Script {
    Script { nodes: 2, acts: acts.iter().map(|(when, node, act)| (ms(*when), *node, *act)).collect(), cost: 1 }
}

fn five() -> Vec<(u64, u32, Act)> {
    (0..5).map(|i| (100, 0, Act::Send(1, i))).collect()
}

#[test]
fn one_server_takes_them_one_by_one_and_two_take_two() {
    let mut one = world(script(&five()), machine(1, None), vec![], 1);
    assert_eq!(seen(&mut one, 1).numbers, [(at(130), 0), (at(150), 1), (at(170), 2), (at(190), 3), (at(210), 4)]);
    let mut two = world(script(&five()), machine(2, None), vec![], 1);
    assert_eq!(seen(&mut two, 1).numbers, [(at(130), 0), (at(130), 1), (at(150), 2), (at(150), 3), (at(170), 4)]);
}

#[test]
fn a_full_run_queue_refuses_datagrams_and_says_so() {
    let mut world = world(script(&five()), machine(1, Some(2)), vec![], 1);
    assert_eq!(seen(&mut world, 1).numbers.len(), 3);
    let refused = |entry: &&crate::record::TraceEntry| matches!(entry.step, Step::Lost { why: LossReason::RunQueueFull, .. });
    assert_eq!(world.trace().expect("kept").entries().iter().filter(refused).count(), 2);
}

#[test]
fn a_full_run_queue_sends_a_streams_segments_back_and_loses_none() {
    let acts = [(100, 0, Act::Connect(1)), (200, 0, Act::Burst(0, 30))];
    let mut world = world(script(&acts), machine(1, Some(2)), vec![], 1);
    assert!(seen(&mut world, 1).numbers.iter().map(|(_, value)| *value).eq(0..30));
}

#[test]
fn timers_queue_too_and_can_be_cancelled_while_they_wait() {
    let mut acts = five();
    acts.push((50, 1, Act::Timer(1, ms(65))));
    let mut waits = world(script(&acts), machine(1, None), vec![], 1);
    assert_eq!(seen(&mut waits, 1).bells, [(at(210), Bell::Number(1))], "due at 115, behind five messages of which one is served");
    acts.push((112, 1, Act::Timer(2, ms(1))));
    acts.push((114, 1, Act::Cancel));
    let mut cancelled = world(script(&acts), machine(1, None), vec![], 1);
    let bells = seen(&mut cancelled, 1).bells;
    assert!(bells.iter().all(|(_, bell)| *bell != Bell::Number(2)) || bells.contains(&(at(210), Bell::Number(2))), "{bells:?}");
}

#[test]
fn a_pause_stretches_a_service_and_a_crash_drops_the_queue() {
    let mut paused = world(script(&five()), machine(1, None), vec![fault(Ill::Pause(n(1)), ms(120), ms(1000))], 1);
    assert_eq!(seen(&mut paused, 1).numbers, [(at(1130), 0), (at(1150), 1), (at(1170), 2), (at(1190), 3), (at(1210), 4)]);
    let mut killed = world(script(&five()), machine(1, None), vec![fault(Ill::Kill(n(1)), ms(135), ms(10))], 1);
    let after = seen(&mut killed, 1);
    assert_eq!(after.numbers, [], "one was handled before, four died in the queue");
    assert_eq!(killed.core.hosts[NodeId(1)].cold.as_ref().expect("it has a machine").cpu.as_ref().expect("and processors").in_service(), 0);
}

#[test]
fn a_slow_node_takes_longer_and_the_ledger_counts_each_service() {
    let slow = fault(Ill::Slow { who: n(1), factor_milli: 3000 }, ms(50), ms(90));
    let mut world = world(script(&five()), machine(1, None), vec![slow], 1);
    assert_eq!(seen(&mut world, 1).numbers, [(at(170), 0), (at(190), 1), (at(210), 2), (at(230), 3), (at(250), 4)]);
    assert_eq!(world.touched(crate::base::FaultId(0)), 1);
}
