//! Replicas are lost and come back: leaders, in-sync replicas, eligible replicas.

use super::super::super::super::mutants::{Mutant, Mutants};
use super::*;

/// Brokers fall silent one after the other.
#[test]
fn brokers_that_are_fenced_leave() {
    let table: &[(bool, u32, bool, &[u32], &str)] = &[
        // A follower: no new epoch. The leader: the next in sync, in the order of the replicas.
        (true, 1, false, &[2], "leader 0, in sync 01, eligible , epoch +0"),
        (true, 1, false, &[0], "leader 1, in sync 12, eligible , epoch +1"),
        (true, 1, false, &[0, 1], "leader 2, in sync 2, eligible , epoch +2"),
        // Without eligible replicas the last one in sync stays so, and nobody leads.
        (false, 1, false, &[0, 1, 2], "leader -, in sync 2, eligible , epoch +3"),
        (false, 2, false, &[2, 1], "leader 0, in sync 0, eligible , epoch +0"),
        // With them it becomes eligible like those that left below the minimum.
        (true, 2, false, &[2], "leader 0, in sync 01, eligible , epoch +0"),
        (true, 2, false, &[2, 1], "leader 0, in sync 0, eligible 1, epoch +0"),
        (true, 2, false, &[2, 1, 0], "leader -, in sync , eligible 01, epoch +1, last 0"),
        (true, 3, false, &[2, 1, 0], "leader -, in sync , eligible 012, epoch +1, last 0"),
        (true, 1, false, &[2, 1, 0], "leader -, in sync , eligible 0, epoch +1, last 0"),
        // A topic that takes unclean leaders finds none when all are gone.
        (false, 2, true, &[2, 1, 0], "leader -, in sync 0, eligible , epoch +1"),
        // A minimum above the number of replicas counts as that number.
        (true, 7, false, &[2], "leader 0, in sync 01, eligible 2, epoch +0"),
        // Brokers that do not hold the partition change nothing.
        (true, 2, false, &[3, 4], "leader 0, in sync 012, eligible , epoch +0"),
    ];
    for (elr, min_isr, unclean, silent, then) in table {
        let mut case = Case::new(*elr, *min_isr, *unclean);
        silent.iter().for_each(|broker| case.fence(*broker));
        assert_eq!(case.shown(), *then, "{silent:?} with elr {elr}, min {min_isr}, unclean {unclean}");
    }
}

/// Somebody comes back: a heartbeat of a process that was only out of contact.
#[test]
fn brokers_that_return_are_elected_if_they_may() {
    type Was<'a> = (Option<u32>, &'a [u32], &'a [u32], Option<u32>);
    let table: &[(bool, bool, Was<'_>, u32, &str)] = &[
        // The last one in sync leads again; others do not, unless the topic takes unclean leaders.
        (false, false, (None, &[2], &[], None), 2, "leader 2, in sync 2, eligible , epoch +1"),
        (false, false, (None, &[2], &[], None), 1, "leader -, in sync 2, eligible , epoch +0"),
        (false, true, (None, &[2], &[], None), 1, "leader 1, in sync 1, eligible , epoch +1, unclean"),
        // An eligible replica leads alone; the others stay eligible.
        (true, false, (None, &[], &[1, 2], Some(1)), 2, "leader 2, in sync 2, eligible 1, epoch +1"),
        (true, false, (None, &[], &[1, 2], Some(1)), 0, "leader -, in sync , eligible 12, epoch +0, last 1"),
        // Nobody is eligible: the last leader, and nobody else.
        (true, false, (None, &[], &[], Some(1)), 1, "leader 1, in sync 1, eligible , epoch +1, unclean"),
        (true, false, (None, &[], &[], Some(1)), 0, "leader -, in sync , eligible , epoch +0, last 1"),
        (true, true, (None, &[], &[1], Some(1)), 0, "leader 0, in sync 0, eligible , epoch +1, unclean"),
        // Where somebody leads nothing changes: it has to catch up first.
        (true, false, (Some(0), &[0], &[1], None), 1, "leader 0, in sync 0, eligible 1, epoch +0"),
    ];
    for (elr, unclean, (leader, isr, elr_now, last), back, then) in table {
        let down: Vec<u32> = (0..3).filter(|broker| leader != &Some(*broker)).collect();
        let mut case = Case::new(*elr, 2, *unclean).part(*leader, isr, elr_now, *last).down(&down);
        assert!(!case.beat(*back, false).fenced);
        assert_eq!(case.shown(), *then, "{back} returns to {isr:?} {elr_now:?}");
    }
}

#[test]
fn with_zookeeper_fewer_in_sync_are_a_new_epoch() {
    let mut case = zookeeper();
    case.fence(2);
    assert_eq!(case.shown(), "leader 0, in sync 01, eligible , epoch +1");
}

#[test]
fn the_mutant_elects_anybody_and_the_honest_controller_does_not() {
    let mut case = Case::new(false, 2, false).part(None, &[2], &[], None).down(&[0, 1, 2]);
    let mut broken = case.clone();
    broken.config.mutants = Mutants::with(Mutant::ElectsAnybody).expect("tests are built with mutants");
    case.beat(0, false);
    broken.beat(0, false);
    assert_eq!(case.shown(), "leader -, in sync 2, eligible , epoch +0");
    assert_eq!(broken.shown(), "leader 0, in sync 0, eligible , epoch +1, unclean");
}
